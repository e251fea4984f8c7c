//! The flags of `prepay module`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use prepay_basics::Identifier;
use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{CentreId, ModuleId};
use prepay_records::TokenKind;
use prepay_vault::{AuditMark, Role};

use crate::people::{AsFlags, CustodianFlags, FirstPeopleFlags, person};
use crate::sealing::{NewSealFlags, UnlockFlags, WaitFlags};
use crate::secret::SecretFlags;
use crate::token_flags::{FunctionFlags, kind};

/// The module, what opens it, and what it is asked.
#[derive(Args)]
pub(crate) struct ModuleFlags {
    /// The directory of the module.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, global = true, help_heading = "Vault")]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secrets: SecretFlags,
    #[command(flatten)]
    pub(crate) unlock: UnlockFlags,
    #[command(flatten)]
    pub(crate) wait: WaitFlags,
    #[command(subcommand)]
    pub(crate) command: ModuleCommand,
}

/// What a module can be asked.
#[derive(Subcommand)]
pub(crate) enum ModuleCommand {
    /// Make a module in an empty directory.
    Init(InitFlags),
    /// Unlock the module, check store and audit log, and show how it is; or answer a session of requests.
    Unlock(UnlockCommand),
    /// List the registers that hold a key.
    Registers(AsFlags),
    /// List the centres that the module knows, by their slots.
    Slots(AsFlags),
    /// Make tokens.
    Issue {
        #[command(subcommand)]
        command: IssueCommand,
    },
    /// Read a token back under a register's key.
    Verify(VerifyFlags),
    /// Write a text for a key management centre: the module's enrolment, or a request.
    Request(RequestFlags),
    /// Take in a text of a centre: its enrolment, the confirmation of an agreement, or a key-load file.
    Load(LoadFlags),
    /// Delete the key of a register.
    Delete {
        /// The register.
        #[arg(long)]
        register: RegisterNumber,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
    /// Trust a centre no more.
    Revoke {
        /// The centre.
        #[arg(long)]
        centre: CentreId,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
    /// The people of the module.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Change what unlocks the module.
    Seal {
        #[command(flatten)]
        seal: NewSealFlags,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
    /// Let the module make more tokens, if it counts them.
    Refill {
        /// How many more.
        transactions: u64,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
    /// The audit log.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Write a back-up that only both custodians together can restore.
    Backup {
        /// The file to make.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
    /// Make the module from a back-up, in an empty directory.
    Restore(RestoreFlags),
}

/// A new module.
#[derive(Args)]
pub(crate) struct InitFlags {
    /// The name of the module.
    #[arg(long, value_name = "ID")]
    pub(crate) id: ModuleId,
    #[command(flatten)]
    pub(crate) people: FirstPeopleFlags,
    #[command(flatten)]
    pub(crate) seal: NewSealFlags,
    /// How many minutes a token identifier may lie from the module's clock, or none for any distance.
    #[arg(long, value_name = "MINUTES", default_value = "10080")]
    pub(crate) window: String,
    /// Count tokens, and make so many until refilled.
    #[arg(long, value_name = "N")]
    pub(crate) transactions: Option<u64>,
    /// Make a TEST module: short passphrases, and tokens that are not for real meters.
    #[arg(long)]
    pub(crate) test: bool,
    /// Stop the clock of a test module, as 2004-03-01T13:55Z.
    #[arg(long, value_name = "TIME", requires = "test")]
    pub(crate) fixed_time: Option<String>,
    /// Give every token of a test module this random number, 0 to 15.
    #[arg(long, value_name = "N", requires = "test")]
    pub(crate) fixed_rnd: Option<u8>,
}

/// Unlocking.
#[derive(Args)]
pub(crate) struct UnlockCommand {
    /// Answer requests, one JSON object a line, from a file or from standard input (-).
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) session: Option<PathBuf>,
    /// Who acts: an operator for a session; anybody to see registers, slots and limits too.
    #[arg(long = "as", value_name = "NAME", value_parser = person)]
    pub(crate) name: Option<Identifier>,
}

/// The meter that a token is for.
#[derive(Args)]
pub(crate) struct MeterFlags {
    /// The meter, 18 digits.
    #[arg(long)]
    pub(crate) pan: String,
    /// The tariff index, two digits.
    #[arg(long)]
    pub(crate) ti: String,
    /// The encryption algorithm: 07, 09 or 11.
    #[arg(long, default_value = "07")]
    pub(crate) ea: String,
    /// The token carrier type: 01 magnetic card, 02 keypad, 07 or 08 virtual.
    #[arg(long, default_value = "02")]
    pub(crate) tct: String,
}

/// When a token is issued, and the name of the request.
#[derive(Args)]
pub(crate) struct StampFlags {
    /// The minute of issue in UTC, as 2004-03-01T13:55Z [default: the minute of the module's clock].
    #[arg(long, value_name = "TIME", conflicts_with = "tid")]
    pub(crate) at: Option<String>,
    /// The token identifier, as it is.
    #[arg(long)]
    pub(crate) tid: Option<u32>,
    #[command(flatten)]
    pub(crate) request: NameFlags,
}

/// The name of a request.
#[derive(Args)]
pub(crate) struct NameFlags {
    /// The request's name: 32 hexadecimal digits, or a text of 1 to 16 characters. The same request under the
    /// same name is carried out once and answered with the same digits.
    #[arg(long, value_name = "HEX|TEXT")]
    pub(crate) request_id: Option<String>,
}

/// What can be made.
#[derive(Subcommand)]
pub(crate) enum IssueCommand {
    /// A credit token.
    Credit(CreditFlags),
    /// A management token.
    Management(ManagementFlags),
    /// The tokens that give a meter a new key.
    KeyChange(KeyChangeFlags),
}

/// A credit token.
#[derive(Args)]
pub(crate) struct CreditFlags {
    /// The register of the key.
    #[arg(long)]
    pub(crate) register: u32,
    #[command(flatten)]
    pub(crate) meter: MeterFlags,
    /// The amount: kWh, m³, m³, minutes, or base currency units.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) amount: String,
    /// The service: electricity, water, gas or time.
    #[arg(long, default_value = "electricity")]
    pub(crate) service: String,
    /// The amount is money.
    #[arg(long)]
    pub(crate) currency: bool,
    /// Round an amount finer than a token can carry in favour of the customer.
    #[arg(long)]
    pub(crate) round_up: bool,
    #[command(flatten)]
    pub(crate) stamp: StampFlags,
    #[command(flatten)]
    pub(crate) who: AsFlags,
}

/// The kinds of management token.
const MANAGEMENT: &[TokenKind] = &[
    TokenKind::SetMaximumPowerLimit,
    TokenKind::ClearCredit,
    TokenKind::SetTariffRate,
    TokenKind::ClearTamperCondition,
    TokenKind::SetMaximumPhasePowerUnbalanceLimit,
    TokenKind::SetWaterMeterFactor,
    TokenKind::Extended,
    TokenKind::Proprietary,
];

/// A management token.
#[derive(Args)]
pub(crate) struct ManagementFlags {
    /// The kind of token.
    #[arg(value_name = "TYPE", value_parser = kind(MANAGEMENT))]
    pub(crate) kind: TokenKind,
    /// The register of the key.
    #[arg(long)]
    pub(crate) register: u32,
    #[command(flatten)]
    pub(crate) meter: MeterFlags,
    /// The register of the meter to clear: 0 to 7, or 65535 for all.
    #[arg(long)]
    pub(crate) clear: Option<u32>,
    #[command(flatten)]
    pub(crate) function: FunctionFlags,
    #[command(flatten)]
    pub(crate) stamp: StampFlags,
    #[command(flatten)]
    pub(crate) who: AsFlags,
}

/// A key change.
#[derive(Args)]
pub(crate) struct KeyChangeFlags {
    /// The register of the key that the meter has.
    #[arg(long)]
    pub(crate) from: u32,
    /// The register of the key that it is to get.
    #[arg(long)]
    pub(crate) to: u32,
    #[command(flatten)]
    pub(crate) meter: MeterFlags,
    /// The tariff index that the meter is to get [default: the one that it has].
    #[arg(long)]
    pub(crate) new_ti: Option<String>,
    /// How many tokens: 2 or 3, with EA11 4 [default: 2, with EA11 4].
    #[arg(long)]
    pub(crate) tokens: Option<u32>,
    #[command(flatten)]
    pub(crate) request: NameFlags,
    #[command(flatten)]
    pub(crate) who: AsFlags,
}

/// A token to read back.
#[derive(Args)]
pub(crate) struct VerifyFlags {
    /// The twenty digits; blanks and dashes do not matter.
    #[arg(required = true, value_name = "DIGITS")]
    pub(crate) number: Vec<String>,
    /// The register of the key.
    #[arg(long)]
    pub(crate) register: u32,
    #[command(flatten)]
    pub(crate) meter: MeterFlags,
    #[command(flatten)]
    pub(crate) who: AsFlags,
}

/// What can be written for a centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequestKind {
    /// The module's public keys, for a centre to enrol: --as.
    Enrolment,
    /// A request to agree on keys for the slot of a centre: two custodians.
    Agreement,
    /// A request for a key-load file: two custodians.
    KeyLoad,
}

/// A text for a centre.
#[derive(Args)]
pub(crate) struct RequestFlags {
    /// What to write.
    #[arg(value_enum, value_name = "WHAT")]
    pub(crate) kind: RequestKind,
    /// The centre [default: the only one that the module knows].
    #[arg(long, value_name = "ID")]
    pub(crate) centre: Option<CentreId>,
    /// The file to make; standard output if there is none.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) who: AsFlags,
    #[command(flatten)]
    pub(crate) custodians: CustodianFlags,
}

/// A text of a centre.
#[derive(Args)]
pub(crate) struct LoadFlags {
    /// The file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The fingerprint of the centre as its keepers told it, by another way than the file came.
    #[arg(long, value_name = "DIGITS")]
    pub(crate) fingerprint: Option<String>,
    #[command(flatten)]
    pub(crate) custodians: CustodianFlags,
}

/// The people of the module.
#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// List them.
    List(AsFlags),
    /// Add a person.
    Add {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
        /// What the person may do: custodian, operator or auditor.
        #[arg(long, value_parser = role)]
        role: Role,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
    /// Remove a person. Two custodians must be left.
    Remove {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
    /// Change a person's passphrase: by that person, or by two custodians if it was forgotten.
    Passphrase {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
        #[command(flatten)]
        custodians: CustodianFlags,
    },
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| "expected custodian, operator or auditor".to_owned())
}

/// The audit log.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List entries. Without --as the module stays locked.
    List {
        /// The number of the first entry.
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: u64,
        /// How many entries at most.
        #[arg(long, value_name = "N", default_value_t = 1000)]
        count: usize,
        /// An auditor or a custodian. Without a name the module stays locked.
        #[arg(long = "as", value_name = "NAME", value_parser = person)]
        name: Option<Identifier>,
    },
    /// Prove that no entry was changed, cut off, moved or put in, and name the first that was.
    ///
    /// Without --as the module stays locked, and only the chain of the entries is proved: whoever can write
    /// the files could have made another chain.
    Verify {
        /// An entry that was noted earlier, as `audit verify` printed it: the log must still have it.
        #[arg(long, value_name = "N-HASH")]
        noted: Option<AuditMark>,
        /// An auditor or a custodian. Without a name the module stays locked.
        #[arg(long = "as", value_name = "NAME", value_parser = person)]
        name: Option<Identifier>,
    },
}

/// A module from a back-up.
#[derive(Args)]
pub(crate) struct RestoreFlags {
    /// The back-up.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Take over the limits as they were when the back-up was made. Without this, nothing is issued under a key
    /// until it is loaded afresh.
    #[arg(long)]
    pub(crate) accept_limits: bool,
    #[command(flatten)]
    pub(crate) seal: NewSealFlags,
    #[command(flatten)]
    pub(crate) custodians: CustodianFlags,
}
