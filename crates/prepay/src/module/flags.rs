//! The flags of `prepay module`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use prepay_basics::Moment;
use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{CentreId, ModuleId};
use prepay_records::TokenKind;

use crate::sealing::NewSealFlags;
use crate::token_flags::{FunctionFlags, kind};
use crate::vault::audit::AuditCommand;
use crate::vault::new::NewVaultFlags;
use crate::vault::user::UserCommand;
use crate::vault::{VaultFlags, moment};

/// The module, what opens it, and what it is asked.
#[derive(Args)]
pub(crate) struct ModuleFlags {
    #[command(flatten)]
    pub(crate) vault: VaultFlags,
    #[command(subcommand)]
    pub(crate) command: ModuleCommand,
}

/// What a module can be asked.
#[derive(Subcommand)]
pub(crate) enum ModuleCommand {
    /// Make a module in an empty directory.
    Init(InitFlags),
    /// Unlock the module, check store and audit log, and show how it is; or answer a session of requests.
    ///
    /// With --as NAME it also shows registers, slots and limits. A session takes an operator.
    Unlock(UnlockCommand),
    /// List the registers that hold a key.
    Registers,
    /// List the centres that the module knows, by their slots.
    Slots,
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
    },
    /// Trust a centre no more.
    Revoke {
        /// The centre.
        #[arg(long)]
        centre: CentreId,
    },
    /// The people of the module.
    #[command(subcommand)]
    User(UserCommand),
    /// Change what unlocks the module. Two custodians; the new passphrase is the secret seal.new.
    Seal(NewSealFlags),
    /// Let the module make more tokens, if it counts them.
    Refill {
        /// How many more.
        transactions: u64,
    },
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Write a back-up that only both custodians together can restore.
    Backup {
        /// The file to make.
        #[arg(value_name = "BACKUP", value_hint = ValueHint::FilePath)]
        backup: PathBuf,
    },
    /// Make the module from a back-up, in an empty directory.
    Restore(RestoreFlags),
}

/// A new module. Its custodians are named with --custodian.
#[derive(Args)]
pub(crate) struct InitFlags {
    /// The name of the module.
    #[arg(long, value_name = "ID")]
    pub(crate) id: ModuleId,
    #[command(flatten)]
    pub(crate) new: NewVaultFlags,
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
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "test")]
    pub(crate) fixed_time: Option<Moment>,
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
}

/// A module from a back-up.
#[derive(Args)]
pub(crate) struct RestoreFlags {
    /// The file that `backup` made.
    #[arg(value_name = "BACKUP", value_hint = ValueHint::FilePath)]
    pub(crate) backup: PathBuf,
    /// Take over the limits as they were when the back-up was made. Without this, nothing is issued under a key
    /// until it is loaded afresh.
    #[arg(long)]
    pub(crate) accept_limits: bool,
    #[command(flatten)]
    pub(crate) seal: NewSealFlags,
}
