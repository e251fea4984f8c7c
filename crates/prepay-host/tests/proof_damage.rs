//! Every bit of a module's files turned over, and every file cut at every length: the module is refused by
//! name, and refusing changes no file.
//!
//! The short form takes a part of the bits and lengths of the log and the head, since each try reads the
//! module's private keys first; the long form takes all.

mod proof_kit;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use prepay_host::{Directory, SystemClock};
use prepay_module::SecurityModule;
use prepay_testkit::ceremony::{People, open_module, passphrase};
use prepay_vault::OpenError;

use proof_kit::{Number, create, open};

const FILES: [&str; 3] = ["store", "audit.log", "audit.head"];

type Files = BTreeMap<String, Vec<u8>>;

/// Everything in the directory but the lock, which says who came last.
fn files(module: &Path) -> Files {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(module).unwrap().map(read).filter(|(name, _)| name != "lock").collect()
}

/// A module after some work, closed.
fn make(path: &Path) -> Files {
    create(path, Some(1_000_000));
    let module = open(path).unwrap();
    let people = People::of(&module, &passphrase);
    for worker in 0..4 {
        let requests = (0..4).map(|count| Number { round: 0, worker, count }.any());
        people.operator.issue(&requests.collect::<Vec<_>>()).unwrap();
    }
    module.vault().close().unwrap();
    drop((people, module));
    let files = files(&path.join("module"));
    assert_eq!(files.len(), FILES.len());
    files
}

/// The name of a refusal.
fn name_of(error: &OpenError) -> &'static str {
    match error {
        OpenError::StoreLost => "store lost",
        OpenError::NotAVault => "not a vault",
        OpenError::Version => "version",
        OpenError::Damaged { .. } => "damaged",
        OpenError::Head { .. } => "head",
        OpenError::Cut { .. } => "cut",
        OpenError::BadEntry(_) => "bad entry",
        other => panic!("{other:?}"),
    }
}

/// Puts damaged bytes in the place of a file, tries to open the module, and gives the name of the refusal.
fn refusal(module: &Path, whole: &Files, name: &str, bytes: Vec<u8>, told: &str) -> &'static str {
    fs::write(module.join(name), &bytes).unwrap();
    let mut damaged = whole.clone();
    damaged.insert(name.to_owned(), bytes);
    let directory = Directory::open(module).unwrap();
    let error = open_module(directory.into_place(SystemClock)).map(drop).expect_err(told);
    assert!(files(module) == damaged, "{told}: refusing changed a file");
    name_of(&error)
}

fn damage(step: impl Fn(&str) -> usize) {
    let directory = tempfile::tempdir().unwrap();
    let whole = make(directory.path());
    let module = directory.path().join("module");
    for name in FILES {
        let (bytes, step) = (&whole[name], step(name));
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        let mut tries = 0;
        // A step that is no multiple of eight meets every bit of a byte.
        for bit in (0..8 * bytes.len()).step_by(step) {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let told = format!("{name}, byte {}, bit {}", bit / 8, bit % 8);
            *codes.entry(refusal(&module, &whole, name, bytes, &told)).or_default() += 1;
            tries += 1;
        }
        for length in (0..bytes.len()).step_by(step) {
            let told = format!("{name}, cut at {length}");
            let code = refusal(&module, &whole, name, bytes[..length].to_vec(), &told);
            *codes.entry(code).or_default() += 1;
            tries += 1;
        }
        let expected: &[&str] = match name {
            "store" => &["not a vault", "version", "damaged"],
            "audit.log" => &["cut", "bad entry"],
            _ => &["head"],
        };
        println!("{name}: {} bytes, {tries} tries, {codes:?}", bytes.len());
        assert!(codes.keys().all(|code| expected.contains(code)), "{name}: {codes:?}");
        fs::write(module.join(name), bytes).unwrap();
    }
    // Whole again, it opens.
    assert_eq!(files(&module), whole);
    open(directory.path()).unwrap().vault().close().unwrap();
}

#[test]
fn damaged_files_of_a_module_are_refused_by_name_and_stay_as_they_are() {
    damage(|name| match name {
        "store" => 11,
        "audit.log" => 101,
        _ => 13,
    });
}

#[test]
#[ignore = "long: every bit and every length takes minutes"]
fn every_damaged_bit_of_a_module_is_refused_by_name() {
    damage(|_| 1);
}

#[test]
fn a_missing_file_of_a_module_is_refused_by_name_and_none_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let whole = make(directory.path());
    let module = directory.path().join("module");
    for (name, expected) in [("store", "store lost"), ("audit.log", "cut"), ("audit.head", "head")]
    {
        fs::remove_file(module.join(name)).unwrap();
        let mut without = whole.clone();
        without.remove(name);
        let error =
            open_module(Directory::open(&module).unwrap().into_place(SystemClock)).unwrap_err();
        assert_eq!(name_of(&error), expected, "{name}: {error}");
        assert_eq!(files(&module), without, "{name}");
        // As a new file it belongs to the same person, but its permissions must be right as well.
        let mut private = fs::OpenOptions::new();
        use std::os::unix::fs::OpenOptionsExt;
        private.write(true).create_new(true).mode(0o600);
        std::io::Write::write_all(&mut private.open(module.join(name)).unwrap(), &whole[name])
            .unwrap();
    }
    open(directory.path()).unwrap();
}
