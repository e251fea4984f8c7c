//! A vault's directory: what survives, what is refused, and that only one process is in it.
//!
//! Where a second process is needed, this same program runs one of its own cases as a child.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prepay_host::{Directory, DirectoryError};
use prepay_testkit::child::{self, Child};
use prepay_vault::VaultStorage;
use tempfile::TempDir;

fn place() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A directory that was just made, with where it lies.
fn made() -> (TempDir, PathBuf, Directory) {
    let place = place();
    let path = place.path().join("vault");
    let directory = Directory::create(&path).unwrap();
    (place, path, directory)
}

fn whole_log(directory: &mut Directory) -> Vec<u8> {
    let length = usize::try_from(directory.log_length().unwrap()).unwrap();
    let mut bytes = vec![0; length];
    let mut count = 0;
    while count < length {
        let more = directory.read_log(count as u64, &mut bytes[count..]).unwrap();
        assert!(more > 0, "the log has as many bytes as it says");
        count += more;
    }
    assert_eq!(directory.read_log(length as u64, &mut [0; 4]).unwrap(), 0);
    bytes
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_written_is_read_again_after_reopening() {
    let place = place();
    let path = place.path().join("a/b/vault");
    let mut directory = Directory::create(&path).unwrap();
    assert_eq!(directory.read_store().unwrap(), None);
    assert_eq!(directory.log_length().unwrap(), 0);
    assert_eq!(directory.read_log(0, &mut [0; 4]).unwrap(), 0);
    assert_eq!(directory.read_head().unwrap(), None);
    directory.truncate_log(0).unwrap();

    directory.replace_store(b"first").unwrap();
    directory.replace_store(b"2nd").unwrap();
    directory.append_log(0, b"one").unwrap();
    directory.append_log(3, b"two").unwrap();
    directory.write_head(b"a longer head").unwrap();
    directory.write_head(b"head").unwrap();
    drop(directory);

    let mut directory = Directory::open(&path).unwrap();
    assert_eq!(directory.read_store().unwrap().unwrap(), b"2nd");
    assert_eq!(whole_log(&mut directory), b"onetwo");
    assert_eq!(directory.read_head().unwrap().unwrap(), b"head");
    directory.truncate_log(4).unwrap();
    directory.truncate_log(100).unwrap();
    directory.append_log(4, b"!").unwrap();
    directory.write_head(b"h").unwrap();
    assert_eq!(whole_log(&mut directory), b"onet!");
    assert_eq!(directory.read_head().unwrap().unwrap(), b"h");
}

#[test]
fn nobody_else_can_read_what_is_written() {
    let (_place, path, mut directory) = made();
    directory.replace_store(b"s").unwrap();
    directory.append_log(0, b"l").unwrap();
    directory.write_head(b"h").unwrap();
    assert_eq!(mode(&path), 0o700);
    for name in ["store", "audit.log", "audit.head", "lock"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    assert!(!path.join("store.new").exists());
}

#[test]
fn an_empty_directory_is_closed_to_others_and_a_full_one_refused() {
    let place = place();
    let path = place.path().join("vault");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    drop(Directory::create(&path).unwrap());
    assert_eq!(mode(&path), 0o700);

    fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
    for refused in [Directory::create(&path), Directory::open(&path)] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), "not_private");
        assert!(refused.to_string().contains("expected permissions 0700, found 0750"), "{refused}");
    }
}

#[test]
fn what_is_no_directory_is_refused_by_name() {
    let place = place();
    let there = place.path().join("there");
    fs::create_dir(&there).unwrap();
    let link = place.path().join("link");
    symlink(&there, &link).unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let missing = place.path().join("missing");
    assert_eq!(Directory::open(&missing).unwrap_err().code(), "not_there");
    for path in [&link, &file] {
        assert_eq!(Directory::open(path).unwrap_err().code(), "not_a_directory", "{path:?}");
        assert_eq!(Directory::create(path).unwrap_err().code(), "not_a_directory", "{path:?}");
    }
}

#[test]
fn a_file_that_is_not_ours_is_refused_by_name() {
    // (what was done to the file, the words of the refusal)
    type Harm = fn(&Path);
    const CASES: [(Harm, &str); 4] = [
        (
            |path| fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap(),
            "open to others",
        ),
        (
            |path| {
                fs::rename(path, path.with_extension("moved")).unwrap();
                symlink(path.with_extension("moved"), path).unwrap();
            },
            "expected a regular file",
        ),
        (
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            "",
        ),
        (|path| fs::hard_link(path, path.with_extension("twin")).unwrap(), "other names"),
    ];
    for name in ["store", "audit.log", "audit.head", "lock"] {
        for (harm, words) in CASES {
            let (_place, path, mut directory) = made();
            directory.replace_store(b"s").unwrap();
            directory.append_log(0, b"l").unwrap();
            directory.write_head(b"h").unwrap();
            drop(directory);
            harm(&path.join(name));
            let Err(DirectoryError::Io { error, .. }) = Directory::open(&path) else {
                panic!("{name}: {words}");
            };
            let told = error.to_string();
            assert!(told.starts_with(name) && told.contains(words), "{name}: {told}");
        }
    }
}

#[test]
fn what_a_killed_process_left_half_written_changes_nothing() {
    let (_place, path, mut directory) = made();
    directory.replace_store(b"old and whole").unwrap();
    drop(directory);
    fs::write(path.join("store.new"), "half of the ne").unwrap();
    fs::write(path.join("audit.head"), "").unwrap();
    fs::set_permissions(path.join("audit.head"), Permissions::from_mode(0o600)).unwrap();
    let mut directory = Directory::open(&path).unwrap();
    assert!(!path.join("store.new").exists());
    assert_eq!(directory.read_store().unwrap().unwrap(), b"old and whole");
    assert_eq!(directory.read_head().unwrap(), None, "made, but never written");
    directory.write_head(b"head").unwrap();
    directory.replace_store(b"new").unwrap();
    assert_eq!(directory.read_store().unwrap().unwrap(), b"new");
}

#[test]
fn a_file_longer_than_any_of_ours_is_refused_unread() {
    let (_place, path, mut directory) = made();
    directory.replace_store(b"s").unwrap();
    directory.write_head(b"h").unwrap();
    let grow = |name: &str, length: u64| {
        fs::OpenOptions::new().write(true).open(path.join(name)).unwrap().set_len(length).unwrap();
    };
    grow("store", (256 << 20) + 1);
    grow("audit.head", 4097);
    for refused in [directory.read_store(), directory.read_head()] {
        assert!(refused.unwrap_err().to_string().contains("too long"));
    }
}

#[test]
fn a_failed_replacement_leaves_the_old_store() {
    let (_place, path, mut directory) = made();
    directory.replace_store(b"old").unwrap();
    fs::create_dir(path.join("store.new")).unwrap();
    assert!(directory.replace_store(b"new").is_err());
    assert_eq!(directory.read_store().unwrap().unwrap(), b"old");
}

#[test]
#[ignore = "runs as a child of other tests"]
fn case_holder() {
    let Some(path) = child::place() else { return };
    let _directory = Directory::open(path).unwrap();
    println!("at work");
    let _ = std::io::stdin().read(&mut [0]); // Until the parent is done, or ends.
}

#[test]
fn a_second_process_is_refused_by_name_until_the_first_ends() {
    let (_place, path, directory) = made();
    drop(directory);
    let mut holder = Child::start("case_holder", &path, 0);
    holder.wait_for("at work");

    let refused = Directory::open(&path).unwrap_err();
    assert!(
        matches!(refused, DirectoryError::InUse { process, .. } if process == Some(holder.id()))
    );
    let told = refused.to_string();
    assert!(told.ends_with(&format!("in use by process {}", holder.id())), "{told}");

    let begun = Instant::now();
    let waited = Directory::open_waiting(&path, Duration::from_millis(60)).unwrap_err();
    assert_eq!(waited.code(), "in_use");
    assert!(begun.elapsed() >= Duration::from_millis(60));

    // The holder goes while we wait: closing its input lets it end.
    let holder = std::thread::spawn(move || holder.finish());
    let mut directory = Directory::open_waiting(&path, Duration::from_secs(60)).unwrap();
    directory.append_log(0, b"ours now").unwrap();
    holder.join().unwrap();
}

#[test]
fn a_second_process_is_refused_even_if_the_lock_file_was_removed() {
    let (_place, path, directory) = made();
    fs::remove_file(path.join("lock")).unwrap();
    let refused = Directory::open(&path).unwrap_err();
    assert!(matches!(refused, DirectoryError::InUse { process: None, .. }), "{refused:?}");
    drop(directory);
    Directory::open(&path).unwrap();
}

#[test]
fn a_log_that_ends_elsewhere_is_not_written_to() {
    let (_place, path, mut directory) = made();
    directory.append_log(0, b"one").unwrap();
    fs::write(path.join("audit.log"), b"one, and another").unwrap();
    let refused = directory.append_log(3, b"two").unwrap_err();
    assert!(refused.to_string().contains("expected its end at byte 3, found 16"), "{refused}");
    assert_eq!(whole_log(&mut directory), b"one, and another");
}

#[test]
fn the_lock_ends_with_a_killed_process() {
    let (_place, path, directory) = made();
    drop(directory);
    let mut holder = Child::start("case_holder", &path, 0);
    holder.wait_for("at work");
    let number = holder.id().to_string();
    holder.kill(Duration::ZERO);
    let left = fs::read_to_string(path.join("lock")).unwrap();
    assert_eq!(left.trim_end(), number, "the number stays behind");

    let directory = Directory::open(&path).unwrap();
    let refused = Directory::open(&path).unwrap_err();
    let ours = std::process::id();
    assert!(matches!(refused, DirectoryError::InUse { process, .. } if process == Some(ours)));
    drop(directory);
    assert_eq!(fs::read_to_string(path.join("lock")).unwrap(), "");
}

/// A store that shows whether it is whole: a number and as many bytes of it as make it long.
fn store_of(number: u32) -> Vec<u8> {
    number.to_be_bytes().repeat(5000)
}

#[test]
#[ignore = "runs as a child of another test"]
fn case_writer() {
    let Some(path) = child::place() else { return };
    let mut directory = Directory::open(path).unwrap();
    println!("at work");
    let begun = directory.log_length().unwrap() / 4;
    for number in u32::try_from(begun).unwrap().. {
        let end = directory.log_length().unwrap();
        directory.append_log(end, &number.to_be_bytes()).unwrap();
        directory.write_head(&[number.to_be_bytes(); 8].concat()).unwrap();
        directory.replace_store(&store_of(number)).unwrap();
    }
}

#[test]
fn killing_the_writer_at_any_moment_leaves_everything_whole() {
    let (_place, path, directory) = made();
    drop(directory);
    for round in 0..25_u64 {
        let mut writer = Child::start("case_writer", &path, 0);
        writer.wait_for("at work");
        // Moments that do not keep step with the writer's rounds.
        writer.kill(Duration::from_micros(300 + round * 977));

        let mut directory = Directory::open(&path).unwrap();
        let length = directory.log_length().unwrap();
        directory.truncate_log(length - length % 4).unwrap();
        let log = whole_log(&mut directory);
        let numbers: Vec<u32> = log.as_chunks().0.iter().copied().map(u32::from_be_bytes).collect();
        assert!(numbers.iter().copied().eq(0..numbers.len() as u32), "round {round}");
        // The store is whole and at most one number behind the log; so is the head.
        let behind = |bytes: Option<Vec<u8>>, length: usize| {
            let Some(bytes) = bytes else { return numbers.len() <= 1 };
            assert_eq!(bytes.len(), length, "round {round}");
            let number = u32::from_be_bytes(bytes[..4].try_into().unwrap());
            assert!(bytes.chunks(4).all(|four| four == &bytes[..4]), "round {round}");
            numbers.len() as u32 - 1 - number <= 1
        };
        assert!(behind(directory.read_store().unwrap(), 20_000), "round {round}");
        assert!(behind(directory.read_head().unwrap(), 32), "round {round}");
        // As a vault does when it opens: what is behind is brought up to the log.
        if let Some(&last) = numbers.last() {
            directory.write_head(&[last.to_be_bytes(); 8].concat()).unwrap();
            directory.replace_store(&store_of(last)).unwrap();
        }
    }
}

#[test]
fn what_was_made_for_a_vault_that_never_was_is_taken_back() {
    let place = tempfile::tempdir().unwrap();
    let vault = place.path().join("a/b");
    let (directory, new) = Directory::create_new(&vault).unwrap();
    drop(directory);
    drop(new);
    assert!(!place.path().join("a").exists());

    // A vault stays, and so does whatever else is in the directory or was there before.
    let (mut directory, new) = Directory::create_new(&vault).unwrap();
    directory.replace_store(b"a vault").unwrap();
    drop(directory);
    drop(new);
    assert_eq!(std::fs::read(vault.join("store")).unwrap(), b"a vault");
    let other = place.path().join("a/c");
    let (directory, new) = Directory::create_new(&other).unwrap();
    drop(directory);
    std::fs::write(other.join("note"), "kept").unwrap();
    drop(new);
    assert!(other.join("note").exists() && other.join("lock").exists());
    std::fs::remove_file(other.join("note")).unwrap();
    std::fs::remove_file(other.join("lock")).unwrap();
    drop(Directory::create_new(&other).unwrap());
    assert!(other.exists(), "it was there before");
}

#[test]
fn a_file_beside_the_vault_is_there_as_a_whole_or_not_at_all() {
    let (_place, path, mut directory) = made();
    let files = directory.files().unwrap();
    let failed = files.write("names-1", &mut |out| {
        out.write_all(b"half")?;
        Err(std::io::Error::other("no more"))
    });
    assert!(failed.is_err());
    assert_eq!(files.list("names-").unwrap(), [""; 0]);
    files.write("names-1", &mut |out| out.write_all(b"whole")).unwrap();
    fs::write(path.join("names-2.new"), b"of a killed process").unwrap();
    assert_eq!(files.list("names-").unwrap(), ["names-1", "names-2.new"]);
    assert_eq!(mode(&path.join("names-1")), 0o600);
    let mut buffer = [0; 8];
    assert_eq!(files.read("names-1", 2, &mut buffer).unwrap(), 3);
    assert_eq!(&buffer[..3], b"ole");
    assert_eq!(files.read("names-1", 5, &mut buffer).unwrap(), 0);
    let missing = files.read("names-3", 0, &mut buffer).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    files.remove("names-1").unwrap();
    files.remove("names-1").unwrap();
    assert_eq!(files.list("names-1").unwrap(), [""; 0]);
    // Whoever still has the files keeps nobody out of the directory.
    drop(directory);
    Directory::open(&path).unwrap();
}
