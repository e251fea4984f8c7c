//! The fields of each form, in the order in which they are signed and printed.

use super::{Field, FieldKind, FormKind, Presence};

/// The fields of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Which form.
    pub kind: FormKind,
    /// What it is called, for people.
    pub title: &'static str,
    /// What it is for, and what accepting it does.
    pub purpose: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

/// A field that must be there.
const fn required(
    name: &'static str,
    title: &'static str,
    kind: FieldKind,
    help: &'static str,
) -> Field {
    Field { name, title, kind, presence: Presence::Required, help }
}

/// A field that may be left out, and what then holds.
const fn optional(
    name: &'static str,
    title: &'static str,
    kind: FieldKind,
    otherwise: &'static str,
    help: &'static str,
) -> Field {
    Field { name, title, kind, presence: Presence::Optional(otherwise), help }
}

const CUSTOMER: Field =
    required("customer", "Customer", FieldKind::Customer, "The number that the centre gave you.");
const GROUP: Field =
    required("group", "Supply group", FieldKind::Group, "The code of a supply group that you own.");
const WANTED_GROUP: Field = optional(
    "group",
    "Wanted code",
    FieldKind::Group,
    "the centre chooses",
    "A code that you would like. The centre may give another one.",
);
const NAME: Field =
    required("name", "Name", FieldKind::Name, "The name of the supply group, for people.");
const SERVICE: Field =
    required("service", "Service", FieldKind::Service, "What the meters of the group measure.");
const REMARK: Field =
    optional("remark", "Remark", FieldKind::Text, "none", "Anything else the centre should know.");

const NEW_CUSTOMER: Schema = Schema {
    kind: FormKind::NewCustomer,
    title: "New customer",
    purpose: "Makes an organisation and its first signatory known to the centre. Signed by that signatory; \
              the centre compares the fingerprint with you by another way before it accepts.",
    fields: &[
        required("organisation", "Organisation", FieldKind::Text, "Its full name."),
        required("contact", "Contact", FieldKind::Text, "The person whom the centre calls."),
        required(
            "address",
            "Address",
            FieldKind::Text,
            "A telephone number or an address of mail.",
        ),
        REMARK,
    ],
};

const GROUP_APPLICATION: Schema = Schema {
    kind: FormKind::GroupApplication,
    title: "Supply group code application",
    purpose: "Asks for a new supply group. Accepting it allocates the code to you.",
    fields: &[
        CUSTOMER,
        NAME,
        required("area", "Area", FieldKind::Text, "Where the meters are."),
        SERVICE,
        required(
            "key_type",
            "Key type",
            FieldKind::UtilityKeyType,
            "unique: a key for each meter. common: one key for all, only for magnetic cards.",
        ),
        optional(
            "cluster",
            "Cluster",
            FieldKind::Cluster,
            "0",
            "Key changes stay within one cluster.",
        ),
        WANTED_GROUP,
        REMARK,
    ],
};

const DEFAULT_GROUP: Schema = Schema {
    kind: FormKind::DefaultGroup,
    title: "Default supply group application",
    purpose: "Asks for a manufacturer's default supply group: its keys leave the factory in meters and issue no \
              credit. Accepting it allocates the code to you.",
    fields: &[
        CUSTOMER,
        NAME,
        required("area", "Plant", FieldKind::Text, "Where the meters are made."),
        SERVICE,
        optional(
            "cluster",
            "Cluster",
            FieldKind::Cluster,
            "0",
            "Key changes stay within one cluster.",
        ),
        WANTED_GROUP,
        REMARK,
    ],
};

const VENDING_KEY_REQUEST: Schema = Schema {
    kind: FormKind::VendingKeyRequest,
    title: "Request for vending key",
    purpose: "Asks for a vending key of a supply group: its first, or the next revision. Accepting it makes \
              the key in the centre's module.",
    fields: &[
        CUSTOMER,
        GROUP,
        optional(
            "revision",
            "Revision (KRN)",
            FieldKind::Revision,
            "the next one",
            "The revision that you expect. Another one is refused.",
        ),
        required(
            "algorithm",
            "Algorithm (DKGA)",
            FieldKind::Algorithm,
            "How decoder keys are derived.",
        ),
        required(
            "base_date",
            "Base date (BDT)",
            FieldKind::BaseDate,
            "From when token identifiers count.",
        ),
        required("key_expiry", "Key expiry number (KEN)", FieldKind::KeyExpiry, "255 for never."),
        required(
            "activation",
            "Active from (ACT)",
            FieldKind::Moment,
            "Before it no module issues.",
        ),
        required(
            "expires",
            "Not loaded from (EXP)",
            FieldKind::Moment,
            "From then on the key goes into no key-load file.",
        ),
        required(
            "refresh_days",
            "Refresh period",
            FieldKind::Days,
            "How many days a module may issue after each load.",
        ),
        optional(
            "unit_limit",
            "Unit limit (ULM)",
            FieldKind::UnitLimit,
            "no limit",
            "Whole units a load.",
        ),
        optional(
            "currency_limit",
            "Currency limit (CLM)",
            FieldKind::CurrencyLimit,
            "no limit",
            "Whole units of the base currency a load.",
        ),
        optional(
            "sub_classes",
            "Sub-classes of class 0",
            FieldKind::SubClasses,
            "all; none for a default group",
            "Which credit the key may issue: 0 to 3 in units, 4 to 7 in currency.",
        ),
        REMARK,
    ],
};

const KEY_USE_AUTHORISATION: Schema = Schema {
    kind: FormKind::KeyUseAuthorisation,
    title: "Key-use authorisation",
    purpose: "Lets a security module hold the vending keys of supply groups that you own.",
    fields: &[
        CUSTOMER,
        required("module", "Module", FieldKind::Module, "The name of the security module."),
        required(
            "groups",
            "Supply groups",
            FieldKind::Groups,
            "The groups whose keys it may hold.",
        ),
        required(
            "valid_until",
            "Valid until",
            FieldKind::Moment,
            "From then on no keys are loaded.",
        ),
        required("location", "Location", FieldKind::Text, "Where the module is and who runs it."),
        optional("maker", "Maker", FieldKind::Text, "not told", "Who made the module."),
        optional("model", "Model", FieldKind::Text, "not told", "What it is."),
        optional("firmware", "Firmware", FieldKind::Text, "not told", "Which version of it."),
        REMARK,
    ],
};

const GROUP_NAME_CHANGE: Schema = Schema {
    kind: FormKind::GroupNameChange,
    title: "Supply group name change",
    purpose: "Gives a supply group that you own another name. Modules show it after the next key load.",
    fields: &[CUSTOMER, GROUP, NAME, REMARK],
};

const OWNERSHIP_TRANSFER: Schema = Schema {
    kind: FormKind::OwnershipTransfer,
    title: "Transfer of ownership",
    purpose: "Moves a supply group that you own to another customer. What you authorised ends with it.",
    fields: &[
        CUSTOMER,
        GROUP,
        required(
            "new_owner",
            "New owner",
            FieldKind::Customer,
            "The number of the other customer.",
        ),
        REMARK,
    ],
};

const KEY_LOAD_REQUEST: Schema = Schema {
    kind: FormKind::KeyLoadRequest,
    title: "Key-load file request",
    purpose: "Asks for a key-load file for a security module. Accepting it builds the file with every key that \
              the module is authorised for.",
    fields: &[
        CUSTOMER,
        required("module", "Module", FieldKind::Module, "The name of the security module."),
        required("request", "Request", FieldKind::Request, "The text that the module wrote."),
        optional(
            "groups",
            "Supply groups",
            FieldKind::Groups,
            "all authorised",
            "Only these groups.",
        ),
        REMARK,
    ],
};

impl Schema {
    /// The fields of a form.
    pub const fn of(kind: FormKind) -> &'static Self {
        match kind {
            FormKind::NewCustomer => &NEW_CUSTOMER,
            FormKind::GroupApplication => &GROUP_APPLICATION,
            FormKind::VendingKeyRequest => &VENDING_KEY_REQUEST,
            FormKind::KeyUseAuthorisation => &KEY_USE_AUTHORISATION,
            FormKind::DefaultGroup => &DEFAULT_GROUP,
            FormKind::GroupNameChange => &GROUP_NAME_CHANGE,
            FormKind::OwnershipTransfer => &OWNERSHIP_TRANSFER,
            FormKind::KeyLoadRequest => &KEY_LOAD_REQUEST,
        }
    }

    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_names_of_their_own() {
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
}
