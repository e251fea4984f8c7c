//! A module driven by the program, and a centre in this process that answers it.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod service;

use prepay_testkit::documents::{AnswerText, document};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use prepay_basics::{Clock, Identifier};
use prepay_host::{SystemClock, SystemEntropy, private_file};
use prepay_kmc_module::{
    CentreModule, CentreSession, CentreSetup, CentreVault, KeyLoadItem, KeyLoadOrder,
};
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, RegisterNumber, SubClassSet, UnitLimit, VendingKeyType,
};
use prepay_kmp::{ModuleEnrolment, VendingKeyAttributes};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber,
};
use prepay_token::key::VendingKey;
use prepay_vault::MemoryStorage;
use prepay_vault::{NewUser, Place, Quorum, Role, Secret, Unlock};
use serde_json::Value;

/// The meter of the conformance runs.
pub(crate) const PAN: &str = "600727000000000009";

/// Every secret of the tests, by its name. None may ever be printed.
pub(crate) const SECRETS: &[(&str, &str)] = &[
    ("seal", "seal-horse-battery-staple"),
    ("ann", "ann-keeps-the-first-half"),
    ("bob", "bob-keeps-the-other-half"),
    ("olga", "olga-makes-all-the-tokens"),
    ("uwe", "uwe-reads-what-others-did"),
    ("ann.backup", "ann-and-her-back-up-words"),
    ("bob.backup", "bob-and-his-back-up-words"),
    ("pin", "1234-user"),
];

/// A folder with secrets and, once made, a module.
pub(crate) struct Workplace {
    pub(crate) folder: PathBuf,
    environment: Vec<(String, String)>,
    /// Everything that was printed.
    printed: std::cell::RefCell<Vec<u8>>,
}

impl Workplace {
    /// An empty folder with the files of all secrets.
    pub(crate) fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("module-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("secrets")).unwrap();
        let workplace = Self { folder, environment: Vec::new(), printed: Default::default() };
        for (name, secret) in SECRETS {
            workplace.put_secret(name, secret);
        }
        workplace
    }

    /// The same with a variable in the environment of the program.
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Puts a secret in its file.
    pub(crate) fn put_secret(&self, name: &str, secret: &str) {
        let path = self.folder.join("secrets").join(name);
        let _ = fs::remove_file(&path);
        private_file::create(&path, format!("{secret}\n").as_bytes()).unwrap();
    }

    /// Puts the secrets of bob where ann's are not, as real vaults ask. Returns the flag for it.
    pub(crate) fn keep_bob_apart(&self) -> &'static str {
        fs::create_dir_all(self.path("of-bob")).unwrap();
        for name in ["bob", "bob.backup"] {
            fs::rename(self.path("secrets").join(name), self.path("of-bob").join(name)).unwrap();
        }
        "--secrets {of-bob}"
    }

    /// The program, about to work on the module of this folder. Words in `{}` become paths of the folder.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prepay"));
        command.arg("module");
        self.complete(&mut command, arguments);
        if !arguments.contains("--dir") {
            command.arg("--dir").arg(self.path("module"));
        }
        command
    }

    fn complete(&self, command: &mut Command, arguments: &str) {
        for word in arguments.split_ascii_whitespace() {
            match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                Some(name) => command.arg(self.path(name)),
                None => command.arg(word.replace('~', " ")),
            };
        }
        command.arg("--secrets").arg(self.path("secrets"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// The program, about to ask the service of the module of this folder.
    pub(crate) fn service_command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prepay"));
        command.arg("module");
        self.complete(&mut command, arguments);
        if !arguments.contains("--socket") {
            command.arg("--socket").arg(self.path("socket"));
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &str) -> Output {
        let output = self.command(arguments).output().unwrap();
        self.keep(&output);
        output
    }

    /// Runs the program with something on its standard input.
    pub(crate) fn run_with(&self, arguments: &str, input: &[u8]) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
        let output = child.wait_with_output().unwrap();
        self.keep(&output);
        output
    }

    pub(crate) fn keep(&self, output: &Output) {
        let mut printed = self.printed.borrow_mut();
        printed.extend_from_slice(&output.stdout);
        printed.extend_from_slice(&output.stderr);
    }

    /// What a run that has to end with a status printed on standard output.
    pub(crate) fn ends(&self, status: i32, arguments: &str) -> String {
        let output = self.run(arguments);
        let told = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(status), "{arguments}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a run that has to succeed printed.
    pub(crate) fn succeed(&self, arguments: &str) -> String {
        self.ends(0, arguments)
    }

    /// The object of a run that has to succeed.
    pub(crate) fn object(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ends(0, &format!("--json {arguments}"))).unwrap()
    }

    /// The rows of a list, as JSON.
    pub(crate) fn rows(&self, arguments: &str) -> Vec<Value> {
        let text = self.ends(0, &format!("--json {arguments}"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The code of a run that has to be refused with a status.
    pub(crate) fn refused(&self, status: i32, arguments: &str) -> String {
        let text = self.ends(status, &format!("--json {arguments}"));
        let object: Value = serde_json::from_str(&text).unwrap();
        object["error"]["code"].as_str().unwrap().to_owned()
    }

    /// Makes the usual test module, with flags of its own behind.
    pub(crate) fn init(&self, flags: &str) -> Value {
        self.object(&format!("init --id SM-1 {PEOPLE} --test {flags}"))
    }

    /// Brings the module together with a centre and loads the keys of registers 1 and 2.
    pub(crate) fn join(&self, centre: &Centre) {
        self.succeed("request enrolment --as uwe --out {module.pke}");
        centre.accept(&self.text("module.pke"));
        fs::write(self.path("centre.pke"), centre.enrolment()).unwrap();
        let told = centre.fingerprint().replace(' ', "~");
        self.succeed(&format!("load {{centre.pke}} --fingerprint {told} {PAIR}"));
        self.succeed(&format!("request agreement --out {{agree.kag}} {PAIR}"));
        fs::write(self.path("agree.kac"), centre.answer_agreement(&self.text("agree.kag")))
            .unwrap();
        self.succeed(&format!("load {{agree.kac}} {PAIR}"));
        self.load(centre, "one", Some(1000));
    }

    /// Asks for keys and loads them.
    pub(crate) fn load(&self, centre: &Centre, name: &str, units: Option<u32>) -> Value {
        self.succeed(&format!("request key-load --out {{{name}.vkr}} {PAIR}"));
        let file = centre.key_load(&self.text(&format!("{name}.vkr")), units);
        fs::write(self.path(&format!("{name}.vkl")), file).unwrap();
        assert_eq!(self.refused(2, &format!("load {{{name}.vkl}} {PAIR}")), "not_confirmed");
        self.object(&format!("load {{{name}.vkl}} --yes {PAIR}"))
    }

    /// Fails if a secret or a key was ever printed.
    pub(crate) fn assert_nothing_secret_was_printed(&self) {
        let printed = String::from_utf8_lossy(&self.printed.borrow()).to_ascii_lowercase();
        for (name, secret) in SECRETS.iter().filter(|(name, _)| *name != "pin") {
            assert!(!printed.contains(secret), "the secret {name} was printed");
        }
        for key in ["abababababababab", "q6urq6urq6s", "cdcdcdcdcdcdcdcd", "zc3nzc3nzc0"] {
            assert!(!printed.contains(key), "a key was printed");
        }
        assert!(printed.len() > 100);
        for file in files(&self.folder) {
            if [self.path("secrets"), self.path("of-bob")].iter().any(|safe| file.starts_with(safe))
            {
                continue;
            }
            let bytes = fs::read(&file).unwrap();
            let holds = |part: &[u8]| bytes.windows(part.len()).any(|found| found == part);
            for (name, secret) in SECRETS {
                assert!(!holds(secret.as_bytes()), "{} holds the secret {name}", file.display());
            }
            for key in [&[0xAB; 8], &[0xCD; 8]] {
                assert!(!holds(key), "{} holds a key", file.display());
            }
        }
    }
}

/// The people of the usual module.
pub(crate) const PEOPLE: &str = "--custodian ann --custodian bob --operator olga --auditor uwe";
/// Two custodians.
pub(crate) const PAIR: &str = "--custodian ann --custodian bob";
/// A meter.
pub(crate) const METER: &str = "--pan 600727000000000009 --ti 01";

/// A key management centre in this process.
pub(crate) struct Centre {
    vault: CentreVault,
    quorum: Quorum,
    base_date: BaseDate,
}

impl Centre {
    /// A test centre of that name, whose keys count from 1993 as the published ones do: beyond 2024 they are
    /// expired.
    pub(crate) fn new(name: &str) -> Self {
        Self::with_base_date(name, BaseDate::Y1993)
    }

    /// A test centre whose keys count from a base date.
    pub(crate) fn with_base_date(name: &str, base_date: BaseDate) -> Self {
        let names: [Identifier; 2] = ["carl".parse().unwrap(), "dora".parse().unwrap()];
        let secret = || Secret::from("a passphrase of the centre".to_owned());
        let [first, second, seal] = [secret(), secret(), secret()];
        let user = |place: usize, passphrase| NewUser {
            name: &names[place],
            role: Role::Custodian,
            passphrase,
        };
        let setup = CentreSetup {
            centre: &name.parse().unwrap(),
            unlock: Unlock::Passphrase(&seal),
            users: &[user(0, &first), user(1, &second)],
            valid_days: 30,
            insecure_test: true,
        };
        let place = Place {
            storage: Box::new(MemoryStorage::default()),
            entropy: Box::new(SystemEntropy),
            clock: Box::new(SystemClock),
        };
        let vault = setup.make(place).unwrap();
        let [one, two] = [(0, &first), (1, &second)]
            .map(|(place, secret)| vault.sign_in(&names[place], secret).unwrap());
        let centre = Self { vault, quorum: Quorum::new(one, two).unwrap(), base_date };
        centre.import(1, 0xAB);
        centre.import(2, 0xCD);
        centre
    }

    fn workplace(&self) -> impl CentreModule + '_ {
        CentreSession::new(&self.vault, self.quorum.clone())
    }

    fn import(&self, revision: u8, byte: u8) {
        let key = VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga02, &[byte; 8]).unwrap();
        let group = "123456".parse().unwrap();
        self.workplace().import_test_key(group, revision.try_into().unwrap(), &key).unwrap();
    }

    pub(crate) fn enrolment(&self) -> String {
        self.workplace().enrolment().unwrap()
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.workplace().identify().unwrap().fingerprint
    }

    pub(crate) fn accept(&self, enrolment: &str) {
        let enrolment: ModuleEnrolment = document(enrolment);
        let told = enrolment.party.fingerprint().to_string();
        self.workplace().accept_module(&enrolment, &told).unwrap();
    }

    pub(crate) fn answer_agreement(&self, request: &str) -> String {
        self.workplace().agree_to(request).unwrap().confirmation
    }

    /// A file with both keys, which allows so many units.
    pub(crate) fn key_load(&self, request: &str, units: Option<u32>) -> String {
        let now = SystemClock.now();
        let item = |revision: u8| KeyLoadItem {
            attributes: VendingKeyAttributes {
                supply_group: "123456".parse().unwrap(),
                key_revision: KeyRevisionNumber::try_from(revision).unwrap(),
                key_type: VendingKeyType::UNIQUE,
                algorithm: DecoderKeyGenerationAlgorithm::Dkga02,
                expiry: KeyExpiryNumber::NEVER,
                base_date: self.base_date,
                activation: "2000-01-01T00:00:00Z".parse().unwrap(),
                issued_until: now.plus_days(300),
                unit_limit: UnitLimit(units),
                currency_limit: CurrencyLimit(None),
                cluster: Cluster(0),
                sub_classes: SubClassSet::ALL,
                name: "Test town".parse().unwrap(),
            },
            register: Some(RegisterNumber::try_from(u16::from(revision)).unwrap()),
        };
        let keys = vec![item(1), item(2)];
        let order = KeyLoadOrder { expires: now.plus_days(7), transactions: None, keys };
        self.workplace().load_for(request, &order).unwrap().file
    }
}

/// Every file in a folder and the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
