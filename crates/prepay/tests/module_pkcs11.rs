//! A module that is sealed by a key in a hardware token, here SoftHSM (`softhsm2-util` and its library must be
//! installed).

mod module_kit;

use std::fs;
use std::process::Command;

use module_kit::{PAIR, PEOPLE, Workplace};

/// Where Linux distributions put the library.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// As long as a token's label can be.
const TOKEN: &str = "Example Power HSM, hall 2 rack 7";
const ID: &str = "MODULE-OF-THE-NORTHERN-REGION-1";

#[test]
fn a_key_in_a_token_seals_and_unlocks_and_can_be_left() {
    let library = LIBRARIES.into_iter().find(|path| fs::exists(path).unwrap_or(false));
    let library = library.expect("SoftHSM is installed (Debian: apt-get install softhsm2)");
    let workplace = Workplace::new("pkcs11");
    let configuration = workplace.path("softhsm2.conf");
    fs::create_dir(workplace.path("tokens")).unwrap();
    let tokens = workplace.path("tokens");
    fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let configuration = configuration.to_str().unwrap().to_owned();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", TOKEN, "--so-pin", "officer-pin"])
        .args(["--pin", "1234-user"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2-util is installed (Debian: apt-get install softhsm2)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let workplace = workplace.with_variable("SOFTHSM2_CONF", &configuration);
    let seal = format!(
        "--seal pkcs11 --pkcs11-library {library} --pkcs11-token {}",
        TOKEN.replace(' ', "~")
    );
    let library = format!("--pkcs11-library {library}");
    let init = format!("init --id {ID} {PEOPLE} --test {seal}");
    assert_eq!(workplace.refused(2, &init.replace("Power", "Light")), "pkcs11_token_label");
    workplace.succeed(&init);
    assert_eq!(workplace.refused(2, "unlock"), "flag");
    assert!(
        workplace.succeed(&format!("unlock {library} --as uwe")).contains("object=prepay-MODULE")
    );
    workplace.put_secret("pin", "4321-user");
    assert_eq!(workplace.refused(3, &format!("unlock {library}")), "pkcs11_pin");
    workplace.put_secret("pin", "1234-user");
    // The same key again takes a word of its own.
    let other = init.replace("--id", "--dir {other} --id");
    // A back-up is restored under the same key, which has the vault's name.
    workplace.succeed(&format!("backup {{save}} {library} {PAIR}"));
    let restore = format!("restore {{save}} --dir {{restored}} {PAIR} {seal}");
    assert_eq!(workplace.refused(2, &restore), "pkcs11_key_there");
    workplace.succeed(&format!("{restore} --pkcs11-existing"));
    workplace.succeed(&format!("unlock --dir {{restored}} {library} --as uwe"));
    assert_eq!(workplace.refused(2, &other), "pkcs11_key_there");
    workplace.succeed(&format!("{other} --pkcs11-existing"));
    workplace.put_secret("seal.new", "a passphrase instead");
    workplace.succeed(&format!("seal --seal passphrase {library} {PAIR}"));
    workplace.put_secret("seal", "a passphrase instead");
    workplace.succeed("unlock");
}
