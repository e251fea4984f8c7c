//! The stable names of a vault's errors, for programs.

use super::error::{
    AccessError, AuditError, CreateError, OpenError, QuorumError, RestoreError, SignInError,
    UserError, VaultError,
};
use super::repair::RepairError;
use super::witness::WitnessError;

prepay_basics::codes! {
    VaultError {
        Broken = "storage",
        Locked = "closed",
        ClockBehind = "clock_behind",
        WitnessMissing = "witness_missing",
        Copied = "vault_copied",
        NoEntropy = "entropy",
        TooLarge = "vault_too_large",
        ShortPassphrase = "passphrase_short",
        Wrapper = "wrapper",
        Threshold = "shares",
    } or { Access }
}

prepay_basics::codes! {
    AccessError {
        OtherVault = "not_signed_in",
        Ended = "not_signed_in",
        Role = "forbidden",
    }
}

prepay_basics::codes! {
    QuorumError {
        SamePerson = "custodians",
        NotCustodian = "custodians",
        OtherVault = "custodians",
    }
}

prepay_basics::codes! {
    SignInError {
        Wrong = "sign_in",
        Wait = "sign_in_wait",
    } or { Vault }
}

prepay_basics::codes! {
    UserError {
        Exists = "user_exists",
        Unknown = "user_unknown",
        TooFewCustodians = "custodians",
    } or { SignIn, Vault }
}

prepay_basics::codes! {
    CreateError {
        NotEmpty = "not_empty",
        Storage = "storage",
        TooFewCustodians = "custodians",
        SameName = "user_exists",
    } or { Vault }
}

prepay_basics::codes! {
    OpenError {
        NotThere = "not_there",
        StoreLost = "not_there",
        Storage = "storage",
        NotAVault = "not_a_vault",
        Version = "version",
        Damaged = "damaged",
        Kind = "kind",
        Protector = "seal",
        Shares = "custodians",
        WrongSecret = "wrong_secret",
        Wrapper = "wrapper",
        Head = "audit_head",
        Cut = "audit_cut",
        WentBack = "head_went_back",
        BadEntry = "audit_entry",
        Replay = "audit_replay",
        NoEntropy = "entropy",
    } or { Vault }
}

prepay_basics::codes! {
    RestoreError {
        NotABackup = "not_a_backup",
        Damaged = "damaged",
        Kind = "kind",
        Custodians = "custodians",
        WrongSecret = "wrong_secret",
    } or { Create }
}

prepay_basics::codes! {
    RepairError {
        NotNeeded = "repair_not_needed",
        Lost = "repair_lost",
        SignIn = "sign_in",
    } or { Quorum, Open }
}

prepay_basics::codes! {
    WitnessError {
        Place = "witness_place",
        None = "witness_none",
    } or { Vault }
}

prepay_basics::codes! {
    AuditError {
        Storage = "storage",
        BadEntry = "audit_entry",
    } or { Vault }
}
