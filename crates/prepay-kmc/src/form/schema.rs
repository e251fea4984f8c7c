//! The forms, field by field, in the order in which fields are signed and printed.

use std::collections::BTreeSet;

use prepay_basics::Moment;
use prepay_kmp::ModuleId;
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, GroupName, SubClassSet, UnitLimit, VendingKeyType,
};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, Service,
    SupplyGroupCode,
};

use super::field::{Days, Entries, Entry, FingerprintText, RequestText};
use super::{Field, FormKind, Presence};
use crate::entity::{CustomerNumber, Line, life_faults};

/// A form as people see it: its title and its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Which form.
    pub kind: FormKind,
    /// Its title, for people.
    pub title: &'static str,
    /// What it is for, and what accepting it does.
    pub purpose: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

impl Schema {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// What people read about a field: its title, what leaving it out means, help.
struct Words(&'static str, Presence, &'static str);

const fn required(title: &'static str, help: &'static str) -> Words {
    Words(title, Presence::Required, help)
}

const fn optional(title: &'static str, otherwise: &'static str, help: &'static str) -> Words {
    Words(title, Presence::Optional(otherwise), help)
}

const fn field<T: Entry>(name: &'static str, words: &Words) -> Field {
    let Words(title, presence, help) = *words;
    Field { name, title, presence, expected: T::EXPECTED, is_document: T::IS_DOCUMENT, help }
}

const CUSTOMER: Words = required("Customer", "The number that the centre gave you.");
const GROUP: Words = required("Supply group", "The code of a supply group that you own.");
const WANTED_GROUP: Words = optional(
    "Wanted code",
    "the centre chooses",
    "A code that you would like. The centre may choose another one.",
);
const NAME: Words = required("Name", "The name of the supply group, for people.");
const SERVICE: Words = required("Service", "What the meters of the group measure.");
const CLUSTER: Words = optional("Cluster", "0", "Key changes stay within one cluster.");
const MODULE: Words = required("Module", "The name of the security module.");
const MODULE_FINGERPRINT: Words = required(
    "Fingerprint of the module",
    "That of its public keys: read it at the module, or have its custodians read it out.",
);
const REMARK: Words = optional("Remark", "none", "Anything else the centre should know.");

/// Declares each form once: its fields with their types and texts, and the rules between fields.
macro_rules! forms {
    ($(
        $kind:ident: $title:literal, $purpose:literal {
            $($field:ident: $type:ty = $words:expr;)+
        } $(between($entries:ident) $check:block)?
    );+ $(;)?) => {
        $(
            #[doc = concat!("What the form *", $title, "* asks for.")]
            #[derive(Clone, Debug, PartialEq, Eq)]
            #[allow(missing_docs, reason = "the schema says what each field means")]
            pub struct $kind {
                $(pub $field: $type,)+
            }

            impl $kind {
                const SCHEMA: Schema = Schema {
                    kind: FormKind::$kind,
                    title: $title,
                    purpose: $purpose,
                    fields: &[$(field::<$type>(stringify!($field), &$words)),+],
                };

                /// Reads every field and lists all faults.
                fn read(entries: &mut Entries<'_>) -> Option<Self> {
                    $(let $field = <$type as Entry>::read_entry(entries, stringify!($field));)+
                    $(let $entries = entries; $check)?
                    Some(Self { $($field: $field?,)+ })
                }
            }
        )+

        /// What a form asks for, each field as a value.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is named after its form")]
        pub enum Content {
            $($kind($kind),)+
        }

        impl Content {
            /// Reads every field and lists all faults. `None` only if there are any.
            pub(super) fn read(kind: FormKind, entries: &mut Entries<'_>) -> Option<Self> {
                match kind {
                    $(FormKind::$kind => $kind::read(entries).map(Self::$kind),)+
                }
            }
        }

        impl Schema {
            /// The form of a kind.
            pub const fn of(kind: FormKind) -> &'static Self {
                match kind {
                    $(FormKind::$kind => &$kind::SCHEMA,)+
                }
            }
        }
    };
}

forms! {
    NewCustomer: "New customer",
        "Makes an organisation and its first signatory known to the centre. The signatory signs it. Before \
         the centre accepts, it asks you for the fingerprint, by phone or in person." {
        organisation: Line = required("Organisation", "Its full name.");
        contact: Line = required("Contact", "The person whom the centre calls.");
        address: Line = required("Address", "A telephone number or an e-mail address.");
        remark: Option<Line> = REMARK;
    };

    GroupApplication: "Supply group code application",
        "Asks for a new supply group. Accepting it allocates the code to you." {
        customer: CustomerNumber = CUSTOMER;
        name: GroupName = NAME;
        area: Line = required("Area", "Where the meters are.");
        service: Service = SERVICE;
        key_type: VendingKeyType = required(
            "Key type",
            "unique: a key for each meter. common: one key for all, only for magnetic cards.",
        );
        cluster: Option<Cluster> = CLUSTER;
        group: Option<SupplyGroupCode> = WANTED_GROUP;
        remark: Option<Line> = REMARK;
    };

    DefaultGroup: "Default supply group application",
        "Asks for a manufacturer's default supply group: its keys leave the factory in meters and issue no \
         credit. Accepting it allocates the code to you." {
        customer: CustomerNumber = CUSTOMER;
        name: GroupName = NAME;
        area: Line = required("Plant", "Where the meters are made.");
        service: Service = SERVICE;
        cluster: Option<Cluster> = CLUSTER;
        group: Option<SupplyGroupCode> = WANTED_GROUP;
        remark: Option<Line> = REMARK;
    };

    VendingKeyRequest: "Request for vending key",
        "Asks for a vending key of a supply group: its first, or the next revision. Accepting it makes the \
         key in the centre's module." {
        customer: CustomerNumber = CUSTOMER;
        group: SupplyGroupCode = GROUP;
        revision: Option<KeyRevisionNumber> = optional(
            "Revision (KRN)",
            "the next one",
            "The revision that you expect. The centre refuses any other.",
        );
        algorithm: DecoderKeyGenerationAlgorithm =
            required("Algorithm (DKGA)", "How decoder keys are derived.");
        base_date: BaseDate = required("Base date (BDT)", "From when token identifiers count.");
        key_expiry: KeyExpiryNumber = required("Key expiry number (KEN)", "255 for never.");
        activation: Moment = required("Active from (ACT)", "No module issues before it.");
        expires: Moment = required(
            "Not loaded from (EXP)",
            "From then on the key goes into no key-load file.",
        );
        refresh_days: Days =
            required("Refresh period", "How many days a module may issue after each load.");
        unit_limit: Option<UnitLimit> =
            optional("Unit limit (ULM)", "no limit", "Whole units per load.");
        currency_limit: Option<CurrencyLimit> = optional(
            "Currency limit (CLM)",
            "no limit",
            "Whole units of the base currency per load.",
        );
        sub_classes: Option<SubClassSet> = optional(
            "Sub-classes of class 0",
            "all; none for a default group",
            "Which credit the key may issue: 0 to 3 in units, 4 to 7 in currency.",
        );
        remark: Option<Line> = REMARK;
    } between(entries) {
        if let (Some(activation), Some(expires)) = (activation, expires)
            && expires <= activation
        {
            entries.fault("expires", format!("a time after the activation at {activation}"));
        }
        if let (Some(activation), Some(base_date)) = (activation, base_date) {
            let expiry = key_expiry.unwrap_or(KeyExpiryNumber::NEVER);
            let [of_activation, of_expiry] = life_faults(base_date, activation, expiry);
            of_activation.into_iter().for_each(|expected| entries.fault("activation", expected));
            of_expiry.into_iter().for_each(|expected| entries.fault("key_expiry", expected));
        }
    };

    KeyUseAuthorisation: "Key-use authorisation",
        "Lets a security module hold the vending keys of supply groups that you own." {
        customer: CustomerNumber = CUSTOMER;
        module: ModuleId = MODULE;
        module_fingerprint: FingerprintText = MODULE_FINGERPRINT;
        groups: BTreeSet<SupplyGroupCode> =
            required("Supply groups", "The groups whose keys it may hold.");
        valid_until: Moment = required("Valid until", "From then on no keys are loaded.");
        location: Line = required("Location", "Where the module is and who runs it.");
        maker: Option<Line> = optional("Maker", "not given", "Who made the module.");
        model: Option<Line> = optional("Model", "not given", "What it is.");
        firmware: Option<Line> = optional("Firmware", "not given", "Which version of it.");
        remark: Option<Line> = REMARK;
    };

    GroupNameChange: "Supply group name change",
        "Gives a supply group that you own another name. Modules show it after the next key load." {
        customer: CustomerNumber = CUSTOMER;
        group: SupplyGroupCode = GROUP;
        name: GroupName = NAME;
        remark: Option<Line> = REMARK;
    };

    OwnershipTransfer: "Transfer of ownership",
        "Moves a supply group that you own to another customer. Your authorisations for it end." {
        customer: CustomerNumber = CUSTOMER;
        group: SupplyGroupCode = GROUP;
        new_owner: CustomerNumber = required("New owner", "The number of the other customer.");
        remark: Option<Line> = REMARK;
    } between(entries) {
        if customer.is_some() && customer == new_owner {
            entries.fault("new_owner", "another customer".to_owned());
        }
    };

    KeyLoadRequest: "Key-load file request",
        "Asks for a key-load file for a security module. Accepting it builds the file with every key that the \
         module is authorised for." {
        customer: CustomerNumber = CUSTOMER;
        module: ModuleId = MODULE;
        module_fingerprint: FingerprintText = MODULE_FINGERPRINT;
        request: RequestText = required("Request", "The text that the module wrote.");
        groups: Option<BTreeSet<SupplyGroupCode>> =
            optional("Supply groups", "all authorised", "Only these groups.");
        remark: Option<Line> = REMARK;
    }
}

impl Content {
    /// For which customer; `None` for a new one.
    pub const fn customer(&self) -> Option<CustomerNumber> {
        match self {
            Self::NewCustomer(_) => None,
            Self::GroupApplication(GroupApplication { customer, .. })
            | Self::DefaultGroup(DefaultGroup { customer, .. })
            | Self::VendingKeyRequest(VendingKeyRequest { customer, .. })
            | Self::KeyUseAuthorisation(KeyUseAuthorisation { customer, .. })
            | Self::GroupNameChange(GroupNameChange { customer, .. })
            | Self::OwnershipTransfer(OwnershipTransfer { customer, .. })
            | Self::KeyLoadRequest(KeyLoadRequest { customer, .. }) => Some(*customer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Draft;

    #[test]
    fn field_names_are_unique_within_a_form() {
        for &kind in FormKind::ALL {
            let schema = Schema::of(kind);
            assert_eq!(schema.kind, kind);
            for (index, field) in schema.fields.iter().enumerate() {
                let first = schema.fields.iter().position(|other| other.name == field.name);
                assert_eq!(first, Some(index), "{kind} {}", field.name);
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
                assert!(field.name.bytes().all(plain), "{kind} {}", field.name);
                assert!(field.help.ends_with('.'), "{kind} {}", field.name);
            }
            let has_customer = schema.field("customer").is_some();
            assert_eq!(has_customer, kind != FormKind::NewCustomer);
        }
    }

    #[test]
    fn the_faults_of_an_empty_form_are_its_required_fields() {
        for &kind in FormKind::ALL {
            let required = Schema::of(kind).fields.iter();
            let required = required.filter(|field| field.presence == Presence::Required);
            let names: Vec<_> = required.map(|field| field.name).collect();
            let faults = Draft::new(kind).faults();
            assert!(faults.iter().all(|fault| fault.found.is_none()), "{kind}");
            assert_eq!(faults.iter().map(|fault| fault.field).collect::<Vec<_>>(), names, "{kind}");
        }
    }
}
