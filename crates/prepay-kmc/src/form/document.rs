//! A form being filled in, and one whose every field means something.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use prepay_basics::Moment;
use prepay_kmp::attribute::VendingKeyType;
use prepay_token::element::{BaseDate, KeyExpiryNumber, TokenIdentifier};

use super::field::{base_date, number};
use super::{Field, FormKind, Presence, Schema};

/// A form being filled in. Fields may hold any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    kind: FormKind,
    values: BTreeMap<&'static str, Box<str>>, // Invariant: names are of the schema.
}

/// A form whose every field means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedForm(Draft); // Invariant: Draft::faults is empty.

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field.
    pub field: &'static str,
    /// What it takes.
    pub expected: String,
    /// What was found; nothing if the field is missing.
    pub found: Option<String>,
}

/// Everything that is wrong with a form, in the order of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

/// The form has no such field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// The form.
    pub kind: FormKind,
    /// The name.
    pub found: String,
}

impl Draft {
    /// An empty form.
    pub const fn new(kind: FormKind) -> Self {
        Self { kind, values: BTreeMap::new() }
    }

    /// Which form.
    pub const fn kind(&self) -> FormKind {
        self.kind
    }

    /// Its fields.
    pub const fn schema(&self) -> &'static Schema {
        Schema::of(self.kind)
    }

    /// Fills in a field, whatever stood there before.
    ///
    /// # Errors
    ///
    /// [`UnknownField`].
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), UnknownField> {
        let unknown = || UnknownField { kind: self.kind, found: name.to_owned() };
        let field = self.schema().field(name).ok_or_else(unknown)?;
        self.values.insert(field.name, value.into());
        Ok(())
    }

    /// Empties a field.
    pub fn clear(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// What stands in a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value)
    }

    /// The filled fields and what stands in them, in the order of the schema.
    pub fn values(&self) -> impl Iterator<Item = (&'static Field, &str)> {
        let fields = self.schema().fields.iter();
        fields.filter_map(|field| Some((field, self.value(field.name)?)))
    }

    /// Everything that is wrong with it, in the order of its fields.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> =
            self.schema().fields.iter().filter_map(|field| self.fault(field)).collect();
        faults.extend(self.faults_between_fields());
        let place =
            |fault: &Fault| self.schema().fields.iter().position(|field| field.name == fault.field);
        faults.sort_by_key(place);
        faults
    }

    fn fault(&self, field: &Field) -> Option<Fault> {
        let found = self.value(field.name);
        let fits = match found {
            Some(text) => field.kind.takes(text),
            None => field.presence != Presence::Required,
        };
        let expected = field.kind.expected().to_owned();
        (!fits).then(|| Fault { field: field.name, expected, found: found.map(str::to_owned) })
    }

    /// What is wrong between fields that are each in order.
    fn faults_between_fields(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut add = |field, expected: String| {
            let found = self.value(field).map(str::to_owned);
            faults.push(Fault { field, expected, found });
        };
        let moment = |name| self.value(name).and_then(|text| text.parse::<Moment>().ok());
        if let (Some(activation), Some(expires)) = (moment("activation"), moment("expires"))
            && expires <= activation
        {
            add("expires", format!("a moment after the activation at {activation}"));
        }
        if let (Some(activation), Some(base)) =
            (moment("activation"), self.value("base_date").and_then(base_date))
        {
            let expiry = self.value("key_expiry").and_then(number::<u8>);
            let [of_activation, of_expiry] =
                faults_of_life(base, activation, expiry.unwrap_or(u8::MAX).into());
            of_activation.into_iter().for_each(|expected| add("activation", expected));
            of_expiry.into_iter().for_each(|expected| add("key_expiry", expected));
        }
        if let (Some(owner), Some(new_owner)) = (self.value("customer"), self.value("new_owner"))
            && owner == new_owner
        {
            add("new_owner", "another customer".to_owned());
        }
        faults
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// [`Faults`] with everything that is wrong.
    pub fn check(self) -> Result<CheckedForm, Faults> {
        let faults = self.faults();
        if faults.is_empty() { Ok(CheckedForm(self)) } else { Err(Faults(faults)) }
    }
}

/// What is expected of ACT and of KEN instead, if a key would not live when it becomes active.
pub(crate) fn faults_of_life(
    base: BaseDate,
    activation: Moment,
    expiry: KeyExpiryNumber,
) -> [Option<String>; 2] {
    let is_early = activation.minute() < base.start();
    let is_late = last_minute(base, expiry).is_some_and(|end| activation.minute() > end);
    [
        is_early.then(|| format!("a moment in or after the base year {}", base.year())),
        is_late.then(|| {
            let block = last_possible_expiry(base, activation);
            format!("{block}, so that the key lives at its activation")
        }),
    ]
}

/// The last minute in which a key with this expiry number may issue; nothing for 255, which is never.
pub(crate) fn last_minute(
    base: BaseDate,
    expiry: KeyExpiryNumber,
) -> Option<prepay_token::element::UtcMinute> {
    let identifier = u32::from(expiry.value()) << 16 | 0xFFFF;
    let identifier = TokenIdentifier::try_from(identifier).ok()?;
    (expiry.value() != u8::MAX).then(|| base.minute_of(identifier))
}

/// The expiry numbers with which a key lives at a moment, in words.
fn last_possible_expiry(base: BaseDate, at: Moment) -> String {
    match base.identifier_at(at.minute()) {
        Ok(identifier) => format!("{} to 255", identifier.expiry_block()),
        Err(_) => "255".to_owned(),
    }
}

impl CheckedForm {
    /// The form.
    pub const fn draft(&self) -> &Draft {
        &self.0
    }

    /// Which form.
    pub const fn kind(&self) -> FormKind {
        self.0.kind
    }

    /// A field that must be there, as a value.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the schema does not promise it.
    pub(crate) fn get<T: FromStr>(&self, name: &'static str) -> Result<T, Fault> {
        self.get_by(name, |text| text.parse().ok())
    }

    /// The same, read by a function.
    pub(crate) fn get_by<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Fault> {
        let missing = || Fault {
            field: name,
            expected: "a value".to_owned(),
            found: self.0.value(name).map(str::to_owned),
        };
        self.0.value(name).and_then(read).ok_or_else(missing)
    }

    /// A field that may be left out, as a value.
    pub(crate) fn find<T: FromStr>(&self, name: &str) -> Option<T> {
        self.0.value(name).and_then(|text| text.parse().ok())
    }

    /// The type of the keys of the group that the form asks for.
    pub(crate) fn key_type(&self) -> VendingKeyType {
        match self.0.value("key_type") {
            Some("unique") => VendingKeyType::UNIQUE,
            Some(_) => VendingKeyType::COMMON,
            None => VendingKeyType::DEFAULT,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, expected, found } = self;
        write!(f, "{field}: expected {expected}, found ")?;
        match found {
            Some(found) => write!(f, "{found:?}"),
            None => f.write_str("nothing"),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Schema::of(self.kind).fields.iter().map(|field| field.name).collect();
        let names = names.join(", ");
        write!(f, "no field of form {}: expected one of {names}, found {:?}", self.kind, self.found)
    }
}

impl std::error::Error for Fault {}
impl std::error::Error for Faults {}
impl std::error::Error for UnknownField {}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(kind: FormKind, values: &[(&str, &str)]) -> Draft {
        let mut draft = Draft::new(kind);
        values.iter().for_each(|(name, value)| draft.set(name, value).unwrap());
        draft
    }

    const KEY: &[(&str, &str)] = &[
        ("customer", "1"),
        ("group", "000123"),
        ("algorithm", "04"),
        ("base_date", "2014"),
        ("key_expiry", "255"),
        ("activation", "2026-01-01T00:00:00Z"),
        ("expires", "2030-01-01T00:00:00Z"),
        ("refresh_days", "90"),
    ];

    #[test]
    fn all_faults_are_listed_at_once_in_the_order_of_the_fields() {
        let draft = filled(
            FormKind::VendingKeyRequest,
            &[("refresh_days", "0"), ("group", "12"), ("sub_classes", ""), ("algorithm", "01")],
        );
        let fields: Vec<_> = draft.faults().iter().map(|fault| fault.field).collect();
        assert_eq!(
            fields,
            [
                "customer",
                "group",
                "algorithm",
                "base_date",
                "key_expiry",
                "activation",
                "expires",
                "refresh_days",
                "sub_classes"
            ]
        );
        let text = draft.check().unwrap_err().to_string();
        assert!(text.contains("customer: expected a customer number, 1 to 999999, found nothing"));
        assert!(text.contains("group: expected a supply group code, six digits, found \"12\""));
    }

    #[test]
    fn fields_that_contradict_each_other_are_faults() {
        // (field, value, field at fault): both sides of each bound.
        const CASES: &[(&str, &str, Option<&str>)] = &[
            ("expires", "2026-01-01T00:00:00Z", Some("expires")),
            ("expires", "2026-01-01T00:00:01Z", None),
            ("base_date", "2035", Some("activation")),
            // 2026-01-01 lies in block 96 of base date 2014.
            ("key_expiry", "95", Some("key_expiry")),
            ("key_expiry", "96", None),
        ];
        for &(field, value, fault) in CASES {
            let mut draft = filled(FormKind::VendingKeyRequest, KEY);
            assert_eq!(draft.faults(), []);
            draft.set(field, value).unwrap();
            let found: Vec<_> = draft.faults().iter().map(|fault| fault.field).collect();
            assert_eq!(found, Vec::from_iter(fault), "{field} {value}: {:?}", draft.faults());
        }
        let same = [("customer", "1"), ("group", "000123"), ("new_owner", "1")];
        let draft = filled(FormKind::OwnershipTransfer, &same);
        assert_eq!(draft.faults()[0].field, "new_owner");
    }

    #[test]
    fn a_field_of_another_form_is_refused() {
        let mut draft = Draft::new(FormKind::NewCustomer);
        let error = draft.set("group", "000123").unwrap_err();
        assert!(error.to_string().contains("organisation"), "{error}");
    }
}
