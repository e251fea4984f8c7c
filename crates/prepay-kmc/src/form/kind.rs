//! The kinds of forms that customers send to a centre.
//!
//! - Source: public material lists names and numbers. The fields are not public: ours are our own design.

use crate::code::coded;

coded! {
    /// A kind of form.
    FormKind, "form" {
        /// Registration of a customer and its first signatory.
        NewCustomer = "new_customer",
        /// Application for a supply group code (STS 600-15-8 has this purpose).
        GroupApplication = "group_application",
        /// Request for a vending key, or the next revision (STS 600-15-4 has this purpose).
        VendingKeyRequest = "vending_key_request",
        /// Key-use authorisation: a module may hold the keys of groups (STS 600-15-5 has this purpose).
        KeyUseAuthorisation = "key_use_authorisation",
        /// Application for a manufacturer's default supply group (STS 600-15-6 has this purpose).
        DefaultGroup = "default_group",
        /// A new name for a supply group.
        GroupNameChange = "group_name_change",
        /// A new owner for a supply group.
        OwnershipTransfer = "ownership_transfer",
        /// Request for a key-load file, by module.
        KeyLoadRequest = "key_load_request",
    }
}
