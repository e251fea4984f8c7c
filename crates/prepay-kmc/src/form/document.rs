//! A form that is being filled in, and one whose fields are all valid.

use std::collections::BTreeMap;
use std::fmt;

use super::field::Entries;
use super::{Content, Field, FormKind, Schema};

/// A form that is being filled in. Fields may contain any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    kind: FormKind,
    values: BTreeMap<&'static str, Box<str>>, // Invariant: the schema has every name.
}

/// A form whose fields are all valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedForm {
    draft: Draft,
    content: Box<Content>, // Invariant: the values of the draft's fields.
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field.
    pub field: &'static str,
    /// What the field takes.
    pub expected: String,
    /// What was found; `None` if the field is missing.
    pub found: Option<String>,
}

/// All faults of a form, in the order of its fields.
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

    /// Fills in a field, replacing its value.
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

    /// The value of a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value)
    }

    /// The filled fields and their values, in the order of the schema.
    pub fn values(&self) -> impl Iterator<Item = (&'static Field, &str)> {
        let fields = self.schema().fields.iter();
        fields.filter_map(|field| Some((field, self.value(field.name)?)))
    }

    /// All faults, in the order of the fields.
    pub fn faults(&self) -> Vec<Fault> {
        self.read().err().map_or_else(Vec::new, |faults| faults.0)
    }

    /// Reads every field, once.
    fn read(&self) -> Result<Content, Faults> {
        let mut entries = Entries { draft: self, faults: Vec::new() };
        let content = Content::read(self.kind, &mut entries);
        let mut faults = entries.faults;
        let fields = self.schema().fields;
        faults.sort_by_key(|fault| fields.iter().position(|field| field.name == fault.field));
        content.filter(|_| faults.is_empty()).ok_or(Faults(faults))
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// [`Faults`], which lists every fault.
    pub fn check(self) -> Result<CheckedForm, Faults> {
        let content = Box::new(self.read()?);
        Ok(CheckedForm { draft: self, content })
    }
}

impl CheckedForm {
    /// The form as filled in.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Which form.
    pub const fn kind(&self) -> FormKind {
        self.draft.kind
    }

    /// What it asks for.
    pub const fn content(&self) -> &Content {
        &self.content
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
        write!(f, "field of form {}: expected one of {names}, found {:?}", self.kind, self.found)
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
