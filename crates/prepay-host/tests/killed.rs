//! A centre on disk whose process is killed at any moment: it opens again, and nothing that was acknowledged
//! is missing: keys that were made, refusals that were noted, renewals of the centre's own keys.
//!
//! The process that is killed is a child of this same program. It tells what was acknowledged, line by line.

use std::path::Path;
use std::time::Duration;

use prepay_host::{Directory, SystemClock};
use prepay_kmc_module::CentreModule;
use prepay_testkit::ceremony::{TestCentre, passphrase};
use prepay_testkit::child::{self, Child};
use prepay_token::element::DecoderKeyGenerationAlgorithm::{Dkga02, Dkga04};
use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};
use prepay_vault::{Entries as _, Place};

const ROUNDS: u64 = 40;

fn place(path: &Path) -> Place {
    Directory::create(path).unwrap().into_place(SystemClock)
}

#[test]
#[ignore = "runs as a child of the test after it"]
fn case_worker() {
    let Some(path) = child::place() else { return };
    let centre = TestCentre::open(place(&path), &passphrase).unwrap();
    let centre_module = centre.centre_module();
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
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault");
    TestCentre::make(place(&path), &passphrase).close();
    let mut acknowledged: Vec<String> = Vec::new();
    let (mut refused, mut renewed): (usize, Vec<String>) = (0, Vec::new());
    let mut entries = 0;
    for round in 0..ROUNDS {
        let mut worker = Child::start("case_worker", &path, 0);
        // In every other round while it opens and signs in, in the others while it works, and once at the end
        // of all it does.
        if round % 2 == 1 {
            worker.wait_for(if round + 1 < ROUNDS { "at work" } else { "renewed" });
        }
        let lines = worker.kill(Duration::from_micros(round * 11_003 % 180_000));
        let told = |what: &str| -> Vec<String> {
            lines.lines().filter_map(|line| Some(line.split_once(what)?.1.to_owned())).collect()
        };
        acknowledged.extend(told("key "));
        refused += told("refused ").len();
        renewed.extend(told("renewed "));

        let centre = TestCentre::open(place(&path), &passphrase).unwrap();
        let report = centre.vault().verify_audit(centre.two()).unwrap();
        assert_eq!(report.first_bad, None, "round {round}");
        assert!(report.entries > entries, "round {round}: the log never runs backwards");
        entries = report.entries;
        let centre_module = centre.centre_module();
        let kept: Vec<String> = (centre_module.vending_keys().unwrap().iter())
            .map(|key| format!("{} {}", key.group, key.check_value))
            .collect();
        for key in &acknowledged {
            assert!(kept.contains(key), "round {round}: {key} was acknowledged");
        }
        let untold = usize::try_from(round).unwrap() + 1; // At most one thing in each round.
        assert!(kept.len() <= acknowledged.len() + untold);
        let log = centre.audit(1, 100_000);
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
        drop(centre_module);
        centre.close();
    }
    assert!(!acknowledged.is_empty() && !renewed.is_empty(), "the workers got to work");
}
