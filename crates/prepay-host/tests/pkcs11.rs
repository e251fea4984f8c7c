//! A wrapping key in a token, against SoftHSM (`softhsm2-util` and its library must be installed).
//!
//! SoftHSM finds its tokens through an environment variable that has to be set before the program begins, so
//! each test runs a case of this same program as a child with the variable set.

use std::path::{Path, PathBuf};
use std::process::Command;

use prepay_basics::Identifier;
use prepay_host::{Directory, Pkcs11Error, Pkcs11Place, Pkcs11Token, SystemClock};
use prepay_kmc_module::{CentreContents, CentreModule, CentreSession, CentreSetup, CentreVault};
use prepay_vault::{NewUser, OpenError, Protector, Role, Secret, Unlock, Vault};

/// Where Linux distributions put the library.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];
const PIN: &str = "1234-user";
const CONFIGURATION: &str = "SOFTHSM2_CONF";
const IN_CHILD: &str = "PREPAY_TEST_IN_CHILD";

fn library() -> PathBuf {
    let found = LIBRARIES.iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("SoftHSM is installed (Debian: apt-get install softhsm2)")
}

fn pin(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn place(token: &str, key: &str) -> Pkcs11Place {
    Pkcs11Place { cryptoki: library(), token: token.to_owned(), key: key.to_owned() }
}

/// Makes tokens in a place of their own, then runs a case of this program there.
fn run_with_tokens(labels: &[&str], case: &str) {
    let place = tempfile::tempdir().unwrap();
    let configuration = place.path().join("softhsm2.conf");
    let tokens = place.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    std::fs::write(&configuration, text).unwrap();
    for label in labels {
        softhsm(&configuration, &["--init-token", "--free", "--label", label]);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", case, "--nocapture", "--include-ignored"])
        .env(CONFIGURATION, &configuration)
        .env(IN_CHILD, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case}: {told}{errors}");
    assert!(told.contains("1 passed"), "{case} ran: {told}");
}

fn softhsm(configuration: &Path, arguments: &[&str]) {
    let pins = ["--so-pin", "officer-pin", "--pin", PIN];
    let output = Command::new("softhsm2-util")
        .args(arguments)
        .args(pins)
        .env(CONFIGURATION, configuration)
        .output()
        .expect("softhsm2-util is installed (Debian: apt-get install softhsm2)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_child() -> bool {
    std::env::var_os(IN_CHILD).is_some()
}

#[test]
fn a_key_of_the_token_wraps_and_unwraps() {
    run_with_tokens(&["safe one", "other"], "case_wrapping");
}

#[test]
#[ignore = "runs as a child of the test before it"]
fn case_wrapping() {
    if !is_child() {
        return;
    }
    let master = [0x5A; 32];
    let here = place("safe one", "vault-key");
    let token = Pkcs11Token::generate(&here, &pin(PIN)).unwrap();
    assert_eq!(token.label(), "pkcs11:token=safe%20one;object=vault-key");
    assert_eq!(format!("{token:?}").matches("1234").count(), 0);
    let wrapped = token.wrap(&master).unwrap();
    assert_eq!(wrapped.len(), 61);
    assert!(!wrapped.windows(8).any(|eight| eight == &master[..8]));
    assert_ne!(token.wrap(&master).unwrap(), wrapped, "a fresh nonce each time");

    // While logged in: a second log-in of the same process is named, not taken for granted.
    assert_eq!(Pkcs11Token::open(&here, &pin("wrong")).unwrap_err(), Pkcs11Error::LoggedIn);
    drop(token);

    let token = Pkcs11Token::open(&here, &pin(PIN)).unwrap();
    assert_eq!(*token.unwrap(&wrapped).unwrap(), master);
    for at in 0..wrapped.len() {
        let mut other = wrapped.clone();
        other[at] ^= 1;
        assert_eq!(token.unwrap(&other).unwrap_err(), Pkcs11Error::Wrapped, "byte {at}");
        assert_eq!(token.unwrap(&wrapped[..at]).unwrap_err(), Pkcs11Error::Wrapped, "cut at {at}");
    }
    assert_eq!(*token.unwrap(&wrapped).unwrap(), master, "a failure leaves the session usable");
    drop(token);

    // Another key of the same token, and a key of the same name in another token.
    let second = Pkcs11Token::generate(&place("safe one", "second"), &pin(PIN)).unwrap();
    assert_eq!(second.unwrap(&wrapped).unwrap_err(), Pkcs11Error::Wrapped);
    drop(second);
    let elsewhere = Pkcs11Token::generate(&place("other", "vault-key"), &pin(PIN)).unwrap();
    assert_eq!(elsewhere.unwrap(&wrapped).unwrap_err(), Pkcs11Error::Wrapped);
}

#[test]
fn a_vault_on_disk_opens_with_its_token_and_with_no_other() {
    run_with_tokens(&["one", "other"], "case_vault");
}

#[test]
#[ignore = "runs as a child of the test before it"]
fn case_vault() {
    if !is_child() {
        return;
    }
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("vault");
    let directory = || Directory::open(&path).unwrap();
    let names: [Identifier; 2] = ["ada", "ben"].map(|name| name.parse().unwrap());
    let passphrase = Secret::from("a passphrase".to_owned());
    let users = names.each_ref().map(|name| NewUser {
        name,
        role: Role::Custodian,
        passphrase: &passphrase,
    });
    let token = Pkcs11Token::generate(&place("one", "vault"), &pin(PIN)).unwrap();
    let setup = CentreSetup {
        centre: &"CENTRE-1".parse().unwrap(),
        unlock: Unlock::Wrapper(&token),
        users: &users,
        valid_days: 10,
        insecure_test: true,
    };
    let vault = setup.make(Directory::create(&path).unwrap().into_place(SystemClock)).unwrap();
    let session = vault.sign_in(&names[0], &passphrase).unwrap();
    let identity = CentreSession::new(&vault, session).identify().unwrap();
    drop((vault, token));
    let (_, protector) = Vault::<CentreContents>::look(&mut directory()).unwrap();
    let label = "pkcs11:token=one;object=vault".to_owned();
    assert_eq!(protector, Protector::Wrapper { label });

    let open = |token: &Pkcs11Token| {
        CentreVault::open(directory().into_place(SystemClock), Unlock::Wrapper(token))
    };
    let other = Pkcs11Token::generate(&place("other", "vault"), &pin(PIN)).unwrap();
    let refused = open(&other).err().unwrap();
    assert!(matches!(refused, OpenError::Wrapper(_)), "{refused}");
    drop(other);
    let vault = open(&Pkcs11Token::open(&place("one", "vault"), &pin(PIN)).unwrap()).unwrap();
    let session = vault.sign_in(&names[1], &passphrase).unwrap();
    assert_eq!(CentreSession::new(&vault, session).identify().unwrap(), identity);
    vault.close().unwrap();
}

#[test]
fn what_is_wrong_with_a_token_is_named() {
    run_with_tokens(&["one", "twin", "twin"], "case_refusals");
}

#[test]
#[ignore = "runs as a child of the test before it"]
fn case_refusals() {
    if !is_child() {
        return;
    }
    let open = |token: &str, key: &str, text: &str| {
        Pkcs11Token::open(&place(token, key), &pin(text)).unwrap_err()
    };
    assert_eq!(open("none", "k", PIN), Pkcs11Error::Tokens { label: "none".into(), found: 0 });
    assert_eq!(open("twin", "k", PIN), Pkcs11Error::Tokens { label: "twin".into(), found: 2 });
    assert_eq!(open("one", "k", "1235-user"), Pkcs11Error::Pin);
    assert_eq!(open("one", "k", ""), Pkcs11Error::Pin);
    assert_eq!(open("one", "k", PIN), Pkcs11Error::Keys { label: "k".into(), found: 0 });

    drop(Pkcs11Token::generate(&place("one", "k"), &pin(PIN)).unwrap());
    let again = Pkcs11Token::generate(&place("one", "k"), &pin(PIN)).unwrap_err();
    assert_eq!(again, Pkcs11Error::KeyThere { label: "k".into() });

    let mut nowhere = place("one", "k");
    nowhere.cryptoki = "/nowhere/cryptoki.so".into();
    let missing = Pkcs11Token::open(&nowhere, &pin(PIN)).unwrap_err();
    assert_eq!(missing.code(), "pkcs11_library");
}

#[test]
fn a_key_that_could_leave_the_token_is_refused() {
    run_with_tokens(&["one"], "case_weak_key");
}

#[test]
#[ignore = "runs as a child of the test before it"]
fn case_weak_key() {
    if !is_child() {
        return;
    }
    make_extractable_key("one", "weak");
    let refused = Pkcs11Token::open(&place("one", "weak"), &pin(PIN)).unwrap_err();
    assert_eq!(refused, Pkcs11Error::Weak { label: "weak".into(), lacks: "sensitive" });
}

/// What somebody in a hurry would do.
fn make_extractable_key(token: &str, label: &str) {
    use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
    use cryptoki::mechanism::Mechanism;
    use cryptoki::object::Attribute;
    use cryptoki::session::UserType;
    use cryptoki::types::RawAuthPin;

    let pkcs11 = Pkcs11::new(library()).unwrap();
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slots = pkcs11.get_slots_with_initialized_token().unwrap();
    let is_it = |slot: &&_| pkcs11.get_token_info(**slot).unwrap().label() == token;
    let session = pkcs11.open_rw_session(*slots.iter().find(is_it).unwrap()).unwrap();
    session
        .login_with_raw(UserType::User, &RawAuthPin::new(Box::new(PIN.as_bytes().to_vec())))
        .unwrap();
    let template = [
        Attribute::ValueLen(32.into()),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Token(true),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
}
