//! The flags of `prepay module`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use prepay_basics::Moment;
use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{CentreId, ModuleId};
use prepay_module::software::TidReuse;
use prepay_records::TokenKind;
use prepay_token::element::RandomNumber;

use crate::file::OutFlags;
use crate::people::SureFlags;
use crate::sealing::NewSealFlags;
use crate::token_flags::{FunctionFlags, kind};
use crate::vault::audit::AuditCommand;
use crate::vault::backup;
use crate::vault::clock::ClockCommand;
use crate::vault::new::NewVaultFlags;
use crate::vault::repair::RepairFlags;
use crate::vault::user::UserCommand;
use crate::vault::witness::WitnessCommand;
use crate::vault::{VaultFlags, moment};

/// The module, what unlocks it, and the command.
#[derive(Args)]
pub(crate) struct ModuleFlags {
    #[command(flatten)]
    pub(crate) vault: VaultFlags,
    /// The socket of a service, which answers in place of --dir; for `serve`, the socket to make.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, global = true, help_heading = "Vault")]
    pub(crate) socket: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: ModuleCommand,
}

impl ModuleCommand {
    /// Whether the command takes --socket.
    pub(crate) const fn may_use_a_service(&self) -> bool {
        !matches!(
            self,
            Self::Init(_) | Self::Seal(_) | Self::Witness(_) | Self::Repair(_) | Self::Restore(_)
        )
    }
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum ModuleCommand {
    /// Make a module in an empty directory.
    Init(InitFlags),
    /// Unlock the module, check store and audit log, and show its state; or answer a session of requests.
    ///
    /// With --as NAME it also shows registers, slots and limits. A session needs an operator.
    Unlock(UnlockCommand),
    /// Unlock the module and serve it on a Unix socket, until SIGTERM or SIGINT.
    ///
    /// Clients sign in on the socket: operators issue, auditors read, two custodians load keys, change the people and make
    /// back-ups, all at the same time. Nobody but those who start the service need what unlocks the module. The other
    /// commands reach the service with --socket PATH in place of --dir; only init, restore, seal, witness and repair work
    /// on the module itself.
    Serve(ServeFlags),
    /// Show the counters and warnings of the module.
    Status,
    /// List the registers that have a key.
    Registers,
    /// List the centres that the module knows, by slot.
    Slots,
    /// Issue tokens.
    Issue {
        #[command(subcommand)]
        command: IssueCommand,
    },
    /// Say what a token is and for whom, under the keys of registers: of one, of some, or of all.
    Verify(VerifyFlags),
    /// Write a text for a key management centre: the module's enrolment, or a request.
    Request(RequestFlags),
    /// Load a text from a centre: its enrolment, the confirmation of an agreement, or a key-load file.
    Load(LoadFlags),
    /// Delete the key of a register.
    Delete {
        /// The register.
        #[arg(long)]
        register: RegisterNumber,
        #[command(flatten)]
        sure: SureFlags,
    },
    /// Revoke a centre.
    Revoke {
        /// The centre.
        #[arg(long)]
        centre: CentreId,
        #[command(flatten)]
        sure: SureFlags,
    },
    /// The people of the module.
    #[command(subcommand)]
    User(UserCommand),
    /// Change what unlocks the module. Two custodians; a new passphrase is the secret seal.new.
    Seal(NewSealFlags),
    /// Let the module issue more tokens, if it counts them.
    Refill {
        /// How many more.
        #[arg(value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
        transactions: u64,
    },
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The clock, when it was put back.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// The witness: a file elsewhere that shows when an older copy of the module was put back, or is used elsewhere.
    #[command(subcommand)]
    Witness(WitnessCommand),
    /// Repair the audit log or its head after loss or damage. Two custodians; the log says what they accepted.
    ///
    /// The log goes on after its last right entry. If entries are known to be missing, Prepay names their number and
    /// refuses until the custodians accept it. Copies of the files are kept first.
    Repair(RepairFlags),
    /// Write a back-up that only both custodians together can restore.
    Backup {
        /// The file to write.
        #[arg(value_name = "BACKUP", value_hint = ValueHint::FilePath)]
        backup: PathBuf,
    },
    /// Restore the module from a back-up, in an empty directory.
    Restore(RestoreFlags),
}

/// A new module. Name its custodians with --custodian.
#[derive(Args)]
pub(crate) struct InitFlags {
    /// The name of the module.
    #[arg(long, value_name = "ID")]
    pub(crate) id: ModuleId,
    #[command(flatten)]
    pub(crate) new: NewVaultFlags,
    /// How many minutes a token identifier may be before or after the module's clock, or none for no limit.
    #[arg(long, value_name = "MINUTES", default_value = "10080", value_parser = window)]
    pub(crate) window: Window,
    /// Count tokens, and issue this many until the next refill.
    #[arg(long, value_name = "N")]
    pub(crate) transactions: Option<u64>,
    /// Make a TEST module: short passphrases, and tokens that are not for real meters.
    #[arg(long)]
    pub(crate) test: bool,
    /// For how many days to remember the names of requests, so that a repeated one gets the same digits.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) remember_days: u32,
    /// Whether two tokens for one meter under one key may have the same token identifier: refuse, as long as the names of
    /// requests are remembered, or allow, if whoever asks sees to that.
    #[arg(long, value_name = "POLICY", default_value = "refuse", value_parser = tid_reuse)]
    pub(crate) tid_reuse: TidReuse,
    /// Fix the clock of a test module, for example at 2004-03-01T13:55Z.
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "test")]
    pub(crate) fixed_time: Option<Moment>,
    /// Give every token of a test module this random number, 0 to 15.
    #[arg(long, value_name = "N", value_parser = random, requires = "test")]
    pub(crate) fixed_rnd: Option<RandomNumber>,
}

/// How many minutes a token identifier may be before or after the module's clock; nothing for no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window(pub(crate) Option<u32>);

fn window(text: &str) -> Result<Window, String> {
    match text {
        "none" => Ok(Window(None)),
        text => match text.parse() {
            Ok(minutes) => Ok(Window(Some(minutes))),
            Err(_) => Err("expected minutes, or none".to_owned()),
        },
    }
}

fn tid_reuse(text: &str) -> Result<TidReuse, String> {
    match text {
        "refuse" => Ok(TidReuse::Refuse),
        "allow" => Ok(TidReuse::Allow),
        _ => Err("expected refuse or allow".to_owned()),
    }
}

fn random(text: &str) -> Result<RandomNumber, String> {
    let number = text.parse::<u8>().ok().and_then(|number| number.try_into().ok());
    number.ok_or_else(|| "expected 0 to 15".to_owned())
}

/// A service.
#[derive(Args)]
pub(crate) struct ServeFlags {
    /// The group whose members may connect: a name or a number [default: that of new files].
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Serve only this user, by number. May be repeated [default: everyone who may use the socket].
    #[arg(long = "allow-uid", value_name = "UID")]
    pub(crate) allow_uid: Vec<u32>,
    /// The most connections at a time.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) connections: u16,
    /// After how many seconds without a request a sign-in ends.
    #[arg(long, value_name = "SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) idle: u32,
    /// How many seconds a client may take to sign in, to send a line, and to read its answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) patience: u32,
    /// Write the last entry of the audit log to standard error, at most once in so many seconds and at the end, for a log
    /// server to keep. audit verify --noted compares it later.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) note_last_entry: Option<u32>,
    /// Verify the whole audit log at the start and then after so many seconds, slowly, beside the work; 0 for never.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub(crate) verify_every: u64,
    /// Rotate the audit log when it is longer, in MiB. What was the log becomes a closed segment, a file beside it.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rotate_above: u32,
    /// What to do when the verification finds the log damaged. Either way it is in `module status` and on standard error.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "continue")]
    pub(crate) on_damage: OnDamage,
}

/// What a service does when its audit log is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnDamage {
    /// Go on. What is issued does not depend on old entries.
    Continue,
    /// End, with exit status 3.
    Stop,
}

/// Unlocking.
#[derive(Args)]
pub(crate) struct UnlockCommand {
    /// Answer requests, one JSON object per line, from a file or from standard input (-).
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) session: Option<PathBuf>,
}

/// The meter.
#[derive(Args)]
pub(crate) struct MeterFlags {
    /// The meter: 11, 13 or 18 digits.
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

/// The time of issue, and the name of the request.
#[derive(Args)]
pub(crate) struct StampFlags {
    /// The minute of issue in UTC, such as 2004-03-01T13:55Z [default: now, by the module's clock].
    #[arg(long, value_name = "TIME", conflicts_with = "tid")]
    pub(crate) at: Option<String>,
    /// The token identifier itself, instead of --at.
    #[arg(long)]
    pub(crate) tid: Option<u32>,
    #[command(flatten)]
    pub(crate) request: NameFlags,
}

/// The name of a request.
#[derive(Args)]
pub(crate) struct NameFlags {
    /// The request's name: 32 hexadecimal digits, a UUID, or a text of 1 to 16 characters. If you repeat a request with
    /// the same name, it is not carried out again, and the answer has the same digits [default: one that is chosen and
    /// printed to standard error].
    #[arg(long, value_name = "HEX|TEXT")]
    pub(crate) request_id: Option<String>,
}

/// What to issue.
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
    pub(crate) register: RegisterNumber,
    #[command(flatten)]
    pub(crate) meter: MeterFlags,
    /// How much: kWh of electricity, m³ of water or gas, minutes of time; for a credit of money, base currency units.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) amount: String,
    /// The service: electricity, water, gas or time.
    #[arg(long, default_value = "electricity")]
    pub(crate) service: String,
    /// Credit money instead of units.
    #[arg(long)]
    pub(crate) currency: bool,
    /// Round up an amount that is finer than a token can carry.
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
    pub(crate) register: RegisterNumber,
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
    /// The register of the meter's current key.
    #[arg(long)]
    pub(crate) from: RegisterNumber,
    /// The register of its new key.
    #[arg(long)]
    pub(crate) to: RegisterNumber,
    #[command(flatten)]
    pub(crate) meter: MeterFlags,
    /// The meter's new tariff index [default: its current one].
    #[arg(long)]
    pub(crate) new_ti: Option<String>,
    /// How many tokens: 2 or 3, with EA11 4 [default: 2, with EA11 4].
    #[arg(long)]
    pub(crate) tokens: Option<u32>,
    #[command(flatten)]
    pub(crate) request: NameFlags,
}

/// Tokens to verify, and the keys that may open them.
#[derive(Args)]
pub(crate) struct VerifyFlags {
    /// The twenty digits as you have them: blanks, dashes, line ends and a label in front do not matter. Several tokens
    /// are verified in turn.
    #[arg(required = true, value_name = "DIGITS")]
    pub(crate) number: Vec<String>,
    /// The registers of the keys to try, separated by commas. Each has its base date [default: every register with a key].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) register: Vec<RegisterNumber>,
    /// The meter: 11, 13 or 18 digits.
    #[arg(long)]
    pub(crate) pan: String,
    /// The tariff indexes to try, such as 00-99.
    #[arg(long, value_name = "LIST", default_value = "01")]
    pub(crate) ti: String,
    /// The encryption algorithms to try, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "07")]
    pub(crate) ea: Vec<String>,
    /// The token carrier type: 01 magnetic card, 02 keypad, 07 or 08 virtual.
    #[arg(long, default_value = "02")]
    pub(crate) tct: String,
}

/// The kinds of texts for a centre.
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
    #[command(flatten)]
    pub(crate) to: OutFlags,
}

/// A text from a centre.
#[derive(Args)]
pub(crate) struct LoadFlags {
    /// The file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The fingerprint of the centre, as its custodians read it out by phone or in person.
    #[arg(long, value_name = "DIGITS")]
    pub(crate) fingerprint: Option<String>,
    /// For a key-load file: load it without asking. What changes in each register is shown all the same.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// A back-up to restore.
#[derive(Args)]
pub(crate) struct RestoreFlags {
    /// The back-up file.
    #[arg(value_name = "BACKUP", value_hint = ValueHint::FilePath)]
    pub(crate) backup: PathBuf,
    /// Accept the limits as they were when the back-up was made. Otherwise the module issues nothing under a key
    /// until it is loaded again.
    #[arg(long)]
    pub(crate) accept_limits: bool,
    #[command(flatten)]
    pub(crate) anew: backup::NewPassphrases,
    #[command(flatten)]
    pub(crate) seal: NewSealFlags,
}
