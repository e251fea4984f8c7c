//! A centre on disk whose process is killed at any moment: it opens again, and nothing that was acknowledged
//! is missing: keys that were made, refusals that were noted, renewals of the centre's own keys.
//!
//! The process that is killed is a child of this same program. It tells what was acknowledged, line by line.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use prepay_basics::Identifier;
use prepay_host::{Directory, SystemClock, SystemEntropy, private_file};
use prepay_kmc_module::{CentreModule, CentreSession, CentreSetup, CentreVault};
use prepay_token::element::DecoderKeyGenerationAlgorithm::{Dkga02, Dkga04};
use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};
use prepay_vault::{By, Entries as _, KeyFile, NewUser, Quorum, Role, Secret, Unlock};

const PLACE: &str = "PREPAY_TEST_PLACE";
const ROUNDS: u64 = 40;

fn people() -> [Identifier; 2] {
    ["ada", "ben"].map(|name| name.parse().unwrap())
}

fn passphrase() -> Secret {
    Secret::from("a passphrase".to_owned())
}

fn key_file(place: &Path) -> KeyFile {
    KeyFile::decode(&private_file::read(place.join("key"), 200).unwrap()).unwrap()
}

fn create(place: &Path) {
    let key = KeyFile::generate(&mut SystemEntropy).unwrap();
    private_file::create(place.join("key"), &key.encode()).unwrap();
    let (names, passphrase) = (people(), passphrase());
    let users = names.each_ref().map(|name| NewUser {
        name,
        role: Role::Custodian,
        passphrase: &passphrase,
    });
    let setup = CentreSetup {
        centre: &"CENTRE-1".parse().unwrap(),
        unlock: Unlock::KeyFile(&key),
        users: &users,
        valid_days: 10,
        insecure_test: true,
    };
    setup.make(Directory::create(place.join("vault")).unwrap().into_place(SystemClock)).unwrap();
}

fn open(place: &Path) -> CentreVault {
    let directory = Directory::open(place.join("vault")).unwrap();
    let unlock = Unlock::KeyFile(&key_file(place));
    CentreVault::open(directory.into_place(SystemClock), unlock).unwrap()
}

fn quorum(centre: &CentreVault) -> Quorum {
    let [ada, ben] = people().map(|name| centre.sign_in(&name, &passphrase()).unwrap());
    Quorum::new(ada, ben).unwrap()
}

#[test]
#[ignore = "runs as a child of the test after it"]
fn case_worker() {
    let Some(place) = std::env::var_os(PLACE) else { return };
    let centre = open(Path::new(&place));
    let centre_module = CentreSession::new(&centre, quorum(&centre));
    let begun = centre_module.vending_keys().unwrap().len();
    println!("at work");
    let revision = KeyRevisionNumber::try_from(1).unwrap();
    for code in u32::try_from(begun).unwrap().. {
        let group = SupplyGroupCode::try_from(code).unwrap();
        let made = centre_module.generate_vending_key(group, revision, Dkga04).unwrap();
        println!("key {group} {}", made.check_value);
        // A refusal, whose note lies behind the store, and a change of the centre's own keys.
        centre_module.generate_vending_key(group, revision, Dkga02).unwrap_err();
        println!("refused {group}");
        println!("renewed {}", centre_module.renew_keys(10).unwrap().fingerprint);
    }
}

#[test]
fn a_centre_killed_at_any_moment_keeps_every_key_that_it_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    create(place.path());
    let mut acknowledged: Vec<String> = Vec::new();
    let (mut refused, mut renewed): (usize, Vec<String>) = (0, Vec::new());
    let mut entries = 0;
    for round in 0..ROUNDS {
        let mut worker = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "case_worker", "--nocapture", "--include-ignored"])
            .env(PLACE, place.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(worker.stdout.take().unwrap());
        let mut lines = String::new();
        // In every other round while it opens and signs in, in the others while it works, and once at the end
        // of all it does.
        let wanted = if round + 1 < ROUNDS { "at work" } else { "renewed" };
        if round % 2 == 1 {
            while !lines.contains(wanted) {
                assert_ne!(told.read_line(&mut lines).unwrap(), 0, "round {round}: {lines}");
            }
        }
        std::thread::sleep(Duration::from_micros(round * 11_003 % 180_000));
        worker.kill().unwrap();
        worker.wait().unwrap();
        told.read_to_string(&mut lines).unwrap();
        let told = |what: &str| -> Vec<String> {
            let whole = lines.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            whole.filter_map(|line| Some(line.trim_end().split_once(what)?.1.to_owned())).collect()
        };
        acknowledged.extend(told("key "));
        refused += told("refused ").len();
        renewed.extend(told("renewed "));

        let centre = open(place.path());
        let session = centre.sign_in(&people()[0], &passphrase()).unwrap();
        let report = centre.verify_audit(By::One(&session)).unwrap();
        assert_eq!(report.first_bad, None, "round {round}");
        assert!(report.entries > entries, "round {round}: the log never runs backwards");
        entries = report.entries;
        let centre_module = CentreSession::new(&centre, session.clone());
        let kept: Vec<String> = (centre_module.vending_keys().unwrap().iter())
            .map(|key| format!("{} {}", key.group, key.check_value))
            .collect();
        for key in &acknowledged {
            assert!(kept.contains(key), "round {round}: {key} was acknowledged");
        }
        let untold = usize::try_from(round).unwrap() + 1; // At most one thing in each round.
        assert!(kept.len() <= acknowledged.len() + untold);
        let log = centre.audit(By::One(&session), 1, 100_000).unwrap();
        let of = |name: &str| -> Vec<_> {
            log.iter().filter(|record| record.entry.name() == name).collect()
        };
        let made = of("vending_key_generated").len();
        assert_eq!(made, kept.len(), "round {round}: each key is in the log once");
        let noted = of("request_refused").len();
        assert!((refused..=refused + untold).contains(&noted), "round {round}: {noted}");
        // The keys in force are the last of the log, and every acknowledged renewal is there.
        let renewals: Vec<String> = of("centre_renewed")
            .iter()
            .filter_map(|record| Some(record.entry.fields().get(1)?.1.clone()))
            .collect();
        if let Some(last) = renewals.last() {
            assert_eq!(centre_module.identify().unwrap().fingerprint, *last, "round {round}");
        }
        for fingerprint in &renewed {
            assert!(renewals.contains(fingerprint), "round {round}: {fingerprint}");
        }
        centre.close().unwrap();
    }
    assert!(!acknowledged.is_empty() && !renewed.is_empty(), "the workers got to work");
}
