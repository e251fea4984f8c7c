//! The life of a security module, driven through the program.

mod module_kit;

use std::fs;
use std::process::{Command, Stdio};

use module_kit::{Centre, METER, PAIR, PAN, PEOPLE, SECRETS, Workplace};
use prepay_token::element::BaseDate;
use serde_json::Value;

#[test]
fn a_module_lives_from_its_making_to_the_revocation_of_its_centre() {
    let workplace = Workplace::new("life");
    let centre = Centre::new("KMC-1");
    let made = workplace.init("--fixed-time 2004-03-01T13:55Z --fixed-rnd 5 --tid-reuse allow");
    assert_eq!(made["module"], "SM-1");
    assert_eq!(made["test"], true);
    assert_eq!(made["custodians"], serde_json::json!(["ann", "bob"]));
    // Enrolment of the centre: first read, then compared.
    let told = workplace.object("request enrolment --as uwe --out {module.pke}");
    assert_eq!(told["fingerprint"], made["fingerprint"]);
    let again = "request enrolment --as uwe --out {module.pke}";
    assert_eq!(workplace.refused(2, again), "file_exists");
    centre.accept(&workplace.text("module.pke"));
    assert!(
        workplace
            .text("module.pke")
            .contains(&made["fingerprint"].as_str().unwrap().replace(' ', "")[..16])
    );
    fs::write(workplace.path("centre.pke"), centre.enrolment()).unwrap();
    let read = workplace.object(&format!("load {{centre.pke}} {PAIR}"));
    assert_eq!((&read["state"], &read["slot"]), (&"loading".into(), &1.into()));
    assert_eq!(read["fingerprint"], centre.fingerprint());
    let wrong = "load {centre.pke} --fingerprint 0000~0000 --custodian ann --custodian bob";
    assert_eq!(workplace.refused(3, wrong), "fingerprint");
    let told = centre.fingerprint().replace(' ', "~").to_lowercase();
    let confirmed = workplace.object(&format!("load {{centre.pke}} --fingerprint {told} {PAIR}"));
    assert_eq!(confirmed["state"], "pending");
    // Agreement.
    assert_eq!(workplace.refused(3, &format!("request key-load {PAIR}")), "slot_state");
    workplace.succeed(&format!("request agreement --out {{agree.kag}} {PAIR}"));
    fs::write(workplace.path("agree.kac"), centre.answer_agreement(&workplace.text("agree.kag")))
        .unwrap();
    assert_eq!(workplace.object(&format!("load {{agree.kac}} {PAIR}"))["state"], "active");
    assert_eq!(workplace.refused(3, &format!("load {{agree.kac}} {PAIR}")), "agreement_unknown");
    // Keys.
    let loaded = workplace.load(&centre, "one", Some(1000));
    assert_eq!(loaded["keys"][0]["register"], 1);
    assert_eq!(loaded["keys"][1]["krn"], 2);
    assert_eq!(loaded["keys"][0]["renewed"], false);
    assert_eq!(workplace.refused(3, &format!("load {{one.vkl}} {PAIR}")), "request_used");
    let registers = workplace.rows("registers --as uwe");
    assert_eq!((registers.len(), &registers[0]["state"]), (2, &"active".into()));
    assert_eq!(registers[0]["units_left"], "1000");
    // The published token: the same digits as under the raw key.
    let issue =
        format!("issue credit --register 1 {METER} --amount 0.1 --at 2004-03-01T13:55Z --as olga");
    let issued = workplace.object(&issue);
    assert_eq!(issued["number"], "23716100501183194197");
    assert_eq!((&issued["tid"], &issued["rnd"]), (&5_871_715.into(), &5.into()));
    assert_eq!(issued["test"], true);
    let text = workplace.succeed(&issue);
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.starts_with("TEST module"), "{text}");
    assert!(rest.starts_with("2371 6100 5011 8319 4197\n"), "{text}");
    let verify = format!("verify 2371 6100 5011 8319 4197 --register 1 {METER} --as olga");
    let verified = workplace.object(&verify);
    assert_eq!(verified["result"], "valid");
    assert_eq!(verified["token"]["amount"], "0.1");
    let other = format!("verify 2371 6100 5011 8319 4198 --register 1 {METER} --as olga");
    assert!(workplace.ends(3, &other).contains("\nchecksum"));
    // Which key opens it: all registers and tariff indexes are tried.
    let search = "verify 2371 6100 5011 8319 4197 --pan 00000000000 --ti 00-05 --as olga";
    let found = workplace.object(search);
    assert_eq!((&found["register"], &found["ti"]), (&1.into(), &"01".into()), "{found}");
    assert!(
        workplace.succeed(search).contains("for meter 00000000000 under register 1, TI 01, EA07")
    );
    let none = workplace.ends(3, &search.replace("00-05", "02-05"));
    assert!(none.contains("none of 8 keys opens it"), "{none}");
    // What needs no key is told with whom it addresses.
    let test = format!("verify Token: 1275 4194 1448 6450 5970 {METER} --as olga");
    let test = workplace.succeed(&test);
    assert!(test.contains("unkeyed: test") && test.contains("for meters of maker 04"), "{test}");
    let wrong = workplace.ends(3, &format!("verify 0000 0000 0001 5099 7585 {METER} --as olga"));
    assert!(wrong.contains("class 1 has neither key nor meter"), "{wrong}");
    // Flags are named, not fields.
    let told = workplace.ends(3, &format!("verify 2371 6100 5011 8319 419 {METER} --as olga"));
    assert!(!told.contains("number:"), "{told}");
    // Without a time the module's clock decides.
    let now = workplace.object(&format!("issue credit --register 1 {METER} --amount 1 --as olga"));
    assert_eq!(now["issued_at"], "2004-03-01T13:55Z");
    let limit = format!(
        "issue management set-maximum-power-limit --watts 5000 --register 1 {METER} --as olga"
    );
    assert_eq!(workplace.object(&limit)["number"].as_str().unwrap().len(), 20);
    let change = format!("issue key-change --from 1 --to 2 {METER} --as olga");
    let changed = workplace.object(&change);
    assert_eq!(changed["numbers"].as_array().unwrap().len(), 2);
    assert_eq!(changed["rollover"], false);
    // Limits: units are counted, and a new load sets them anew.
    let much = format!("issue credit --register 1 {METER} --amount 1000 --as olga");
    assert_eq!(workplace.refused(3, &much), "credit_limit");
    assert_eq!(workplace.load(&centre, "two", Some(2000))["keys"][0]["renewed"], true);
    workplace.succeed(&much);
    // What is known of it.
    let status = workplace.object("unlock --as uwe");
    assert_eq!(status["audit"]["authenticated"], true);
    assert_eq!(status["slots"][0]["state"], "active");
    assert_eq!(status["registers"][1]["krn"], 2);
    assert_eq!(status["transactions"], 7, "each token of a set counts");
    assert!(workplace.succeed("unlock --as uwe").contains("TEST module"));
    assert!(workplace.succeed("unlock").contains("chain and end verified"));
    assert_eq!(workplace.object("slots --as olga")["keys"], 2);
    // The end of a key and of a centre.
    assert_eq!(workplace.object(&format!("delete --register 2 --yes {PAIR}"))["deleted"], 2);
    assert_eq!(workplace.refused(3, &format!("delete --register 2 --yes {PAIR}")), "register");
    workplace.succeed(&format!("revoke --centre KMC-1 --yes {PAIR}"));
    let known = workplace.object("slots --as uwe");
    assert_eq!((&known["centre"], &known["state"]), (&"KMC-1".into(), &"revoked".into()));
    assert_eq!((&known["slot"], &known["test"]), (&Value::Null, &true.into()));
    assert!(known["party"].as_str().unwrap().starts_with("open-kmp.KMCID:KMC-1:"), "{known}");
    assert_eq!(workplace.refused(3, &format!("load {{two.vkl}} {PAIR}")), "centre_revoked");
    assert_eq!(
        workplace.refused(3, &format!("request agreement --centre KMC-1 {PAIR}")),
        "centre_revoked"
    );
    // Everything is in the log.
    let log = workplace.succeed("audit list --json --as uwe --count 100000");
    let kinds: Vec<String> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    for kind in [
        "created",
        "centre_enrolled",
        "centre_confirmed",
        "agreement_requested",
        "agreement_confirmed",
        "load_requested",
        "keys_loaded",
        "load_refused",
        "issued",
        "key_deleted",
        "centre_revoked",
        "signed_in",
    ] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}");
    }
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn a_module_for_use_takes_long_passphrases_and_says_nothing_of_a_test() {
    let workplace = Workplace::new("real");
    workplace.put_secret("uwe", "short");
    let apart = workplace.keep_bob_apart();
    fs::remove_file(workplace.path("secrets").join("seal")).unwrap();
    let init = format!("init --id SM-2 {PEOPLE} --window 60 --transactions 10 {apart}");
    assert_eq!(workplace.refused(3, &init), "passphrase_short");
    workplace.put_secret("uwe", "uwe-reads-what-others-did");
    let made = workplace.object(&init);
    assert_eq!(made.get("test"), None);
    // Nobody said how to seal it: two custodians open it, and whoever comes alone is told of the service.
    assert_eq!(made["seal"], "shares of 2 custodians");
    let alone = workplace.run("unlock --as uwe");
    let told = String::from_utf8(alone.stderr).unwrap();
    assert_eq!(alone.status.code(), Some(2), "{told}");
    assert!(told.contains("expected 2 of ann, bob, found ann"), "{told}");
    assert!(told.contains("prepay module serve --socket PATH"), "{told}");
    let status = workplace.succeed(&format!("unlock --as uwe {apart}"));
    assert!(!status.contains("TEST"), "{status}");
    assert!(status.contains("window 60 minutes") && status.contains("10 left"), "{status}");
    assert_eq!(workplace.object(&format!("refill 5 {PAIR} {apart}"))["transactions_left"], 15);
    assert_eq!(workplace.refused(2, &init), "not_empty");
    // A back-up of it is restored in the same way, and a seal is changed to it.
    workplace.succeed(&format!("backup {{copy}} {PAIR} {apart}"));
    let again = format!("--dir {{again}} {PAIR} {apart}");
    workplace.succeed(&format!("restore {{copy}} {again}"));
    assert_eq!(workplace.refused(2, "registers --dir {again} --as uwe"), "custodians");
    workplace.succeed(&format!("seal --seal key-file --new-key-file {{key}} {again}"));
    workplace.succeed("registers --dir {again} --as uwe --key-file {key}");
    let sealed = workplace.object(&format!("seal --key-file {{key}} {again}"));
    assert_eq!(sealed["seal"], "shares of 2 custodians");
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn secrets_of_both_custodians_in_one_directory_are_refused_outside_tests() {
    let workplace = Workplace::new("one-directory");
    let init = format!("init --id SM-2 {PEOPLE}");
    assert_eq!(workplace.refused(3, &init), "secrets_together");
    assert!(!workplace.path("module").join("store").exists(), "nothing was made");
    // Nor by another way to the same directory.
    let around = "--secret bob={secrets}/../secrets/bob";
    let around = around.replace("{secrets}", workplace.path("secrets").to_str().unwrap());
    assert_eq!(workplace.refused(3, &format!("{init} {around}")), "secrets_together");
    let apart = workplace.keep_bob_apart();
    workplace.succeed(&format!("{init} {apart}"));

    workplace.succeed(&format!("user list {PAIR} {apart}"));
    workplace.succeed(&format!("backup {{copy}} {PAIR} {apart}"));
    // The passphrases of the one who comes are not beside those of one who lets her in.
    for name in ["eve", "eve.new"] {
        workplace.put_secret(name, "eve-comes-later-to-help");
    }
    let add = |role: &str| format!("user add eve --role {role} {PAIR} {apart}");
    assert_eq!(workplace.refused(3, &add("custodian")), "secrets_together");
    workplace.succeed(&add("auditor"));
    workplace.succeed(&format!("user passphrase eve {PAIR} {apart}"));
    workplace.succeed(&format!("user remove eve --yes {PAIR} {apart}"));
    fs::create_dir_all(workplace.path("of-eve")).unwrap();
    let move_eve = |name: &str| {
        fs::rename(workplace.path("secrets").join(name), workplace.path("of-eve").join(name))
    };
    move_eve("eve").unwrap();
    workplace.succeed(&format!("{} --secrets {{of-eve}}", add("custodian")));
    let change = format!("user passphrase eve {PAIR} {apart} --secrets {{of-eve}}");
    assert_eq!(workplace.refused(3, &change), "secrets_together");
    move_eve("eve.new").unwrap();
    workplace.succeed(&change);
    for (name, secret) in SECRETS.iter().filter(|(name, _)| name.starts_with("bob")) {
        workplace.put_secret(name, secret);
    }
    fs::remove_dir_all(workplace.path("of-bob")).unwrap();
    let restore = format!("restore {{copy}} --dir {{again}} {PAIR}");
    for arguments in [&format!("user add ida --role auditor {PAIR}"), &restore] {
        assert_eq!(workplace.refused(3, arguments), "secrets_together", "{arguments}");
    }
    assert_eq!(
        workplace.refused(3, &format!("backup {{other}} {PAIR}")),
        "secrets_together",
        "a back-up"
    );
    assert!(!workplace.path("again").exists() && !workplace.path("other").exists());
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn a_module_of_shares_opens_for_two_custodians_and_for_nobody_alone() {
    let workplace = Workplace::new("of-shares");
    let refused = |status, arguments: &str| workplace.refused(status, arguments);
    fs::remove_file(workplace.path("secrets").join("seal")).unwrap();
    let init = format!("init --id SM-1 {PEOPLE} --test");
    assert_eq!(refused(3, &format!("{init} --seal shares --threshold 3")), "shares");
    assert_eq!(refused(2, &format!("{init} --seal passphrase --threshold 2")), "flag");
    let made = workplace.object(&format!("{init} --seal shares"));
    assert_eq!(made["seal"], "shares of 2 custodians");

    workplace.succeed(&format!("user list {PAIR}"));
    workplace.succeed("registers --as uwe --share ann --share bob");
    // Whose passphrases are in files need not be named.
    workplace.succeed("registers --as uwe");
    let apart = workplace.keep_bob_apart();
    workplace.succeed(&format!("registers --as uwe {apart}"));
    // (arguments): an operator, an auditor or one custodian opens nothing.
    for alone in [
        "registers --as olga",
        "registers --as uwe --share ann",
        "registers --as uwe --share ann --share ann",
        "registers --as uwe --share ann --share uwe",
        "user list --as ann --share ann",
    ] {
        assert_eq!(refused(2, alone), "custodians", "{alone}");
    }
    let output = workplace.run("registers --as olga");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains(
            "SM-1 opens only for 2 of its custodians together: expected 2 of ann, bob, found ann"
        ),
        "{told}"
    );
    workplace.put_secret("bob", "bob-keeps-the-other-half");

    // A third custodian comes, and the second goes: nobody else does anything for the new shares.
    workplace.put_secret("eve", "eve is new here");
    workplace.succeed(&format!("user add eve --role custodian {PAIR}"));
    workplace.succeed("user remove bob --yes --custodian ann --custodian eve");
    assert_eq!(refused(2, "registers --as uwe --share ann --share bob"), "custodians");
    workplace.put_secret("ann.new", "ann takes other words");
    workplace.succeed("user passphrase ann --share ann --share eve");
    assert_eq!(refused(3, "registers --as uwe --share ann --share eve"), "wrong_secret");
    workplace.put_secret("ann", "ann takes other words");
    workplace.succeed("registers --as uwe --share eve --share ann");

    // To a key file and back.
    let two = "--custodian ann --custodian eve";
    workplace.succeed(&format!("seal --seal key-file --new-key-file {{key}} {two}"));
    assert_eq!(refused(2, "registers --as uwe --key-file {key} --share ann"), "flag");
    workplace.succeed("registers --as uwe --key-file {key}");
    workplace.succeed(&format!("seal --seal shares --key-file {{key}} {two}"));
    workplace.succeed("registers --as uwe --share eve --share ann");

    workplace.put_secret("eve.backup", "eve and her back-up words");
    workplace.succeed(&format!("backup {{copy}} {two}"));
    workplace.succeed(&format!("restore {{copy}} --dir {{again}} --seal shares {two}"));
    workplace.succeed("registers --dir {again} --as uwe --share eve --share ann");
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn what_is_wrong_is_named_and_tells_by_its_status_who_answered() {
    let workplace = Workplace::new("refusals");
    let centre = Centre::new("KMC-1");
    // (status, arguments, code) before there is a module.
    for (status, arguments, code) in [
        (2, "unlock", "not_there"),
        (2, "audit verify", "not_there"),
        (2, "init --id SM-1 --custodian ann --test", "custodians"),
        (2, "init --id SM-1 --custodian ann --custodian ann --test", "user_exists"),
        (2, "init --id SM-1 --custodian ann --custodian eve --test", "input_missing"),
        (2, "init --id SM-1 --custodian ann --custodian bob --window soon", "flag"),
        (2, "init --id SM-1 --custodian ann --custodian bob --test --fixed-rnd 16", "flag"),
        (2, "init --id SM-1 --custodian ann --custodian bob --test --seal key-file", "flag"),
    ] {
        assert_eq!(workplace.refused(status, arguments), code, "{arguments}");
    }
    workplace.init("");
    workplace.join(&centre);
    fs::write(workplace.path("nonsense"), "nothing of a centre").unwrap();
    fs::write(workplace.path("bytes"), [0xFF; 10]).unwrap();
    let bad = workplace.text("one.vkl").replacen("VKL;", "VKL; ", 1);
    fs::write(workplace.path("bad.vkl"), bad).unwrap();
    let credit = |rest: &str| format!("issue credit --amount 1 --as olga {rest}");
    for (status, arguments, code) in [
        (2, "init --id SM-1 --custodian ann --custodian bob --test".to_owned(), "not_empty"),
        (2, format!("load {{missing}} {PAIR}"), "file"),
        (3, format!("load {{nonsense}} {PAIR}"), "form"),
        (3, format!("load {{bytes}} {PAIR}"), "text"),
        (3, format!("load {{agree.kag}} {PAIR}"), "kind"),
        (3, format!("load {{module.pke}} {PAIR}"), "kind"),
        (3, "load {one.vkl} --custodian ann --custodian olga".to_owned(), "custodians"),
        (2, "load {one.vkl} --custodian ann --custodian ann".to_owned(), "custodians"),
        (2, "load {one.vkl} --custodian ann".to_owned(), "custodians"),
        (2, "load {one.vkl}".to_owned(), "input_missing"),
        (2, "registers".to_owned(), "input_missing"),
        (2, "registers --as eve".to_owned(), "input_missing"),
        (3, credit(METER).replace("--as olga", "--as ann") + " --register 1", "forbidden"),
        (3, "audit list --as olga".to_owned(), "forbidden"),
        (3, credit("--register 3 --ti 01 --pan 600727000000000009"), "register"),
        (3, credit("--register 1 --ti 01 --pan 600727000000000008"), "pan"),
        (3, credit("--register 1 --ti 1 --pan 600727000000000009"), "parameter"),
        (3, credit(&format!("--register 1 {METER} --tct 99")), "parameter"),
        (2, credit("--register 0 --ti 01 --pan 600727000000000009"), "flag"),
        (2, format!("delete --register 0 --yes {PAIR}"), "flag"),
        (2, format!("issue key-change --from 1 --to 0 {METER} --as olga"), "flag"),
        (3, credit(&format!("--register 1 {METER} --at 2004-03-01T13:55Z")), "identifier_window"),
        (2, credit(&format!("--register 1 {METER} --request-id sale-1")), "flag"),
        (
            2,
            credit(&format!("--register 1 {METER} --tid 1 --request-id this-is-far-too-long")),
            "flag",
        ),
        (2, format!("request key-load --out {{one.vkr}} {PAIR}"), "file_exists"),
        (3, format!("request key-load --centre KMC-9 {PAIR}"), "centre_unknown"),
        (3, format!("user remove ann --yes {PAIR}"), "custodians"),
        (3, format!("user add olga --role auditor {PAIR}"), "user_exists"),
        (3, format!("user remove eve --yes {PAIR}"), "user_unknown"),
        (3, format!("refill 5 {PAIR}"), "transaction_counter"),
        (2, "restore {missing} --custodian ann --custodian bob".to_owned(), "file"),
    ] {
        assert_eq!(workplace.refused(status, &arguments), code, "{arguments}");
    }
    let damaged = workplace.refused(3, &format!("load {{bad.vkl}} {PAIR}"));
    assert!(!damaged.is_empty());
    let before = workplace.rows("registers --as uwe");
    assert_eq!(before[0]["units_left"], "1000", "nothing was issued or loaded");
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn a_deleted_store_points_at_restore_and_a_wrong_directory_does_not() {
    let workplace = Workplace::new("deleted");
    workplace.init("");
    fs::remove_file(workplace.path("module").join("store")).unwrap();
    for command in ["unlock".to_owned(), format!("user remove olga --yes {PAIR}")] {
        let output = workplace.run(&command);
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains("not_there: ") && told.contains("empty directory: restore"),
            "{told}"
        );
    }
    workplace.init("--dir {other}");
    for file in ["store", "audit.log", "audit.head"] {
        fs::remove_file(workplace.path("other").join(file)).unwrap();
    }
    let output = workplace.run("unlock --dir {other}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("not_there: ") && told.contains("check --dir"), "{told}");
}

#[test]
fn a_secret_is_read_only_from_a_closed_file() {
    use std::os::unix::fs::PermissionsExt;
    let workplace = Workplace::new("closed");
    workplace.init("");
    let path = workplace.path("secrets").join("seal");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(workplace.refused(2, "unlock"), "secret_file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    workplace.succeed("unlock");
    workplace.put_secret("seal", "");
    assert_eq!(workplace.refused(2, "unlock"), "secret_file");
    workplace.put_secret("seal", "another passphrase");
    assert_eq!(workplace.refused(3, "unlock"), "wrong_secret");
    fs::remove_file(&path).unwrap();
    let output = workplace.run("unlock");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("--secret seal=FILE"), "{told}");
}

#[test]
fn wrong_passphrases_slow_down_and_a_new_process_does_not_help() {
    let workplace = Workplace::new("slow");
    workplace.init("");
    workplace.put_secret("uwe", "not his passphrase");
    let codes: Vec<String> = (0..6).map(|_| workplace.refused(3, "registers --as uwe")).collect();
    assert_eq!(codes[..2], ["sign_in", "sign_in"]);
    assert!(codes.contains(&"sign_in_wait".to_owned()), "{codes:?}");
    workplace.put_secret("uwe", "uwe-reads-what-others-did");
    // Others are not slowed down, and see what happened.
    let users = workplace.succeed("--json user list --as olga");
    let users: Vec<Value> = users.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let uwe = users.iter().find(|user| user["name"] == "uwe").unwrap();
    assert!(uwe["failures"].as_u64().unwrap() >= 3 && uwe["test"] == true, "{users:?}");
    workplace.put_secret("uwe.new", "uwe has other words now");
    workplace.succeed(&format!("user passphrase uwe {PAIR}"));
    workplace.put_secret("uwe", "uwe has other words now");
    workplace.succeed("registers --as uwe");
}

#[test]
fn people_come_go_and_change_their_words() {
    let workplace = Workplace::new("people");
    workplace.init("");
    workplace.put_secret("eve", "eve is new here");
    workplace.succeed(&format!("user add eve --role custodian {PAIR}"));
    workplace.succeed("user remove ann --yes --custodian eve --custodian bob");
    assert_eq!(workplace.refused(3, "registers --as ann"), "sign_in");
    workplace.put_secret("olga.new", "olga takes other words");
    workplace.succeed("user passphrase olga");
    assert_eq!(workplace.refused(3, "registers --as olga"), "sign_in");
    workplace.put_secret("olga", "olga takes other words");
    workplace.succeed("registers --as olga");
    assert_eq!(
        workplace.refused(3, "audit list --as olga"),
        "forbidden",
        "operators do not read the log"
    );
    assert_eq!(workplace.refused(3, "audit verify --as olga"), "forbidden");
    workplace.succeed("slots --custodian eve --custodian bob");
    for takes_two in ["refill 5", "user add uwe --role operator", "backup {copy}"] {
        let alone = format!("{takes_two} --as bob");
        assert_eq!(workplace.refused(3, &alone), "forbidden", "{alone}: as a centre answers");
    }
    let issue = format!("issue credit --register 1 {METER} --amount 1 --custodian eve");
    assert_eq!(workplace.refused(2, &issue), "flag", "one person issues");
    let list = workplace.succeed("user list --as bob");
    assert!(list.contains("eve   custodian") && !list.contains("ann"), "{list}");
}

#[test]
fn an_answer_that_nobody_reads_is_no_success() {
    let workplace = Workplace::new("unread");
    let centre = Centre::new("KMC-1");
    workplace.init("--window none --tid-reuse allow");
    workplace.join(&centre);
    let credit =
        format!("issue credit --amount 10 --register 1 {METER} --at 2024-03-01T13:55Z --as olga");
    workplace.succeed(&credit);
    for arguments in [credit.as_str(), "--json registers --as uwe", "--json unlock --as nobody"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = workplace.command(arguments);
        let output = command.stdout(writer).output().unwrap();
        workplace.keep(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
    }
}

/// The words that a message says to run again, as a shell takes them.
fn told_command(message: &str) -> String {
    let (_, command) = message.split_once("under its name: ").expect(message);
    command.lines().next().unwrap().to_owned()
}

#[test]
fn a_token_whose_answer_a_full_disk_or_a_closed_pipe_lost_is_got_again_by_the_command_that_is_told()
{
    let workplace = Workplace::new("lost");
    workplace.init("--window none");
    let centre = Centre::with_base_date("KMC-1", BaseDate::Y2014);
    workplace.join(&centre);
    workplace.load(&centre, "lost", None);
    let run = |arguments: &str, is_full: bool| {
        let mut command = workplace.command(arguments);
        if is_full {
            command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        } else {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            command.stdout(writer);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        String::from_utf8(output.stderr).unwrap()
    };
    let count = || workplace.object("status --as uwe")["transactions"].as_u64().unwrap();
    let credit = format!("issue credit --amount 10 --register 1 {METER} --as olga");
    let dated = |tid: u32| format!("{credit} --tid {tid}");
    let change = format!("issue key-change --from 1 --to 2 {METER} --as olga");
    let cases = [
        (credit.clone(), true),
        (dated(9_000_000), false),
        (dated(9_000_001), true),
        (change.clone(), true),
        (change, false),
    ];
    for (arguments, is_full) in cases {
        let before = count();
        let told = run(&arguments, is_full);
        let made = count() - before;
        assert!(made > 0, "{arguments}");
        let (first, _) = told.split_once('\n').unwrap();
        let flags = first.strip_prefix("this request: ").expect(&told);
        assert!(told.contains("io: made and counted, but the answer was not written: "), "{told}");
        let problem = if is_full { "No space left on device" } else { "Broken pipe" };
        assert!(told.contains(problem), "{told}");
        let command = told_command(&told);
        assert!(command.ends_with(flags), "{command}, {flags}");
        let again = Command::new("sh").arg("-c").arg(&command).output().unwrap();
        assert!(again.status.success(), "{command}: {again:?}");
        let text = String::from_utf8(again.stdout).unwrap();
        assert!(text.lines().nth(1).unwrap().replace(' ', "").len() == 20, "{text}");
        assert_eq!(count(), before + made, "nothing is made twice: {command}");
    }
    // As JSON.
    let before = count();
    let told = run(&format!("--json {}", dated(9_000_002)), true);
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{told}");
    let name = lines[0]["request"].as_str().unwrap();
    let command = told_command(lines[1]["error"]["next"].as_str().unwrap());
    assert!(command.ends_with(&format!(" --request-id {name}")), "{command}");
    let again = Command::new("sh").arg("-c").arg(&command).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&again.stdout).unwrap()["tid"], 9_000_002);
    assert_eq!(count(), before + 1);
    // Nobody hears the name, so nothing is made.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut deaf = workplace.command(&dated(9_000_003));
    assert_eq!(deaf.stderr(writer).output().unwrap().status.code(), Some(1));
    assert_eq!(count(), before + 1);
}

#[test]
fn two_purchases_in_one_minute_get_two_identifiers() {
    let workplace = Workplace::new("minute");
    workplace.init("--window none");
    let centre = Centre::with_base_date("KMC-1", BaseDate::Y2014);
    workplace.join(&centre);
    workplace.load(&centre, "minute", None);
    let credit =
        |when: &str| format!("issue credit --register 1 {METER} --amount 10 --as olga {when}");
    workplace.succeed(&credit("--at 2026-03-01T12:00Z"));
    let second = workplace.run(&format!("--json {}", credit("--at 2026-03-01T12:00Z")));
    assert_eq!(second.status.code(), Some(3));
    let error = &serde_json::from_slice::<Value>(&second.stdout).unwrap()["error"];
    assert_eq!(error["code"], "identifier_used");
    let free = serde_json::json!({"tid": 6_397_201, "issued_at": "2026-03-01T12:01Z"});
    assert_eq!(error["free"], free);
    assert_eq!(
        error["next"],
        "if this is another purchase, give --tid 6397201 or --at 2026-03-01T12:01Z"
    );
    workplace.succeed(&credit("--tid 6397201"));
    // The lines of a session, sent together.
    let line = |id: u32, tid: u32| {
        format!(
            r#"{{"id":{id},"op":"issue_credit","register":1,"pan":"{PAN}","ea":"07","ti":"01","tct":"02","token":{{"type":"credit","service":"electricity","amount":"1"}},"tid":{tid}}}"#
        )
    };
    let lines: Vec<_> = [6_397_200, 6_397_202, 6_397_202, 6_397_200]
        .into_iter()
        .zip(0..)
        .map(|(tid, id)| line(id, tid) + "\n")
        .collect();
    let output = workplace.run_with("unlock --session - --as olga", lines.concat().as_bytes());
    assert_eq!(output.status.code(), Some(3));
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> =
        answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let free = |answer: &Value| answer["error"]["free"]["tid"].as_u64();
    assert_eq!(free(&answers[0]), Some(6_397_202));
    assert_eq!(answers[1]["tid"], 6_397_202);
    assert_eq!((free(&answers[2]), free(&answers[3])), (Some(6_397_203), Some(6_397_203)));
    // A module made for it refuses nothing.
    let allowing = Workplace::new("allowing");
    allowing.init("--window none --tid-reuse allow");
    let centre = Centre::with_base_date("KMC-2", BaseDate::Y2014);
    allowing.join(&centre);
    allowing.load(&centre, "allowing", None);
    (0..2).for_each(|_| drop(allowing.succeed(&credit("--tid 6397200"))));
    assert_eq!(allowing.refused(2, "init --id SM-9 --tid-reuse never"), "flag");
}

#[test]
fn a_uuid_is_the_name_of_a_request_with_its_dashes_or_without() {
    let workplace = Workplace::new("uuid");
    workplace.init("--window none");
    let centre = Centre::with_base_date("KMC-1", BaseDate::Y2014);
    workplace.join(&centre);
    workplace.load(&centre, "uuid", None);
    let credit = |name: &str| {
        format!(
            "issue credit --register 1 {METER} --amount 10 --tid 9000000 --as olga --request-id {name}"
        )
    };
    let first = workplace.object(&credit("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    assert_eq!(workplace.object(&credit("F81D4FAE7DEC11D0A76500A0C91E6BF6")), first);
    let line = format!(
        r#"{{"op":"issue_credit","request":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6","register":1,"pan":"{PAN}","ea":"07","ti":"01","tct":"02","token":{{"type":"credit","service":"electricity","amount":"10"}},"tid":9000000}}"#
    );
    let output = workplace.run_with("unlock --session - --as olga", line.as_bytes());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["number"], first["number"]);
    for wrong in ["f81d4fae7dec-11d0-a765-00a0c91e6bf6-", "f81d4fae-7dec-11d0-a765-00a0c91e6bfg"] {
        assert_eq!(workplace.refused(2, &credit(wrong)), "flag", "{wrong}");
    }
}

#[test]
fn what_destroys_or_ends_something_says_what_and_wants_yes() {
    let workplace = Workplace::new("destroys");
    workplace.init("");
    for (command, lost) in [
        ("delete --register 1", "the module loses the key of register 1"),
        ("revoke --centre KMC-1", "the module loses its agreement with centre KMC-1"),
        ("user remove olga", "olga cannot sign in to the module any more"),
        ("witness remove", "older copies of the module can be put back"),
    ] {
        let output = workplace.run(&format!("--json {command} {PAIR}"));
        assert_eq!(output.status.code(), Some(2), "{command}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["error"]["code"], "not_confirmed", "{command}");
        assert!(told["error"]["message"].as_str().unwrap().contains(lost), "{told}");
    }
    workplace.succeed("user list --as olga");
}

#[test]
fn one_process_at_a_time_is_at_work() {
    let workplace = Workplace::new("lock");
    workplace.init("");
    let mut session =
        workplace.command("unlock --session - --as olga").stdin(Stdio::piped()).spawn().unwrap();
    let mut input = session.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"{\"op\":\"identify\"}\n").unwrap();
    let mut answer = String::new();
    let mut output = std::io::BufReader::new(session.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut answer).unwrap();
    assert!(answer.contains("SM-1"), "{answer}");
    let refused = workplace.run("unlock --wait 0 --json");
    assert_eq!(refused.status.code(), Some(2));
    let told: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(told["error"]["code"], "in_use");
    let by = format!("in use by process {}", session.id());
    assert!(told["error"]["message"].as_str().unwrap().ends_with(&by), "{told}");
    // Whoever waits gets in when the other has left.
    let waiting = workplace.command("unlock --wait 60").spawn().unwrap();
    drop(input);
    assert!(session.wait().unwrap().success());
    assert!(waiting.wait_with_output().unwrap().status.success());
}

#[test]
fn processes_that_wait_for_each_other_count_exactly() {
    let workplace = Workplace::new("together");
    workplace.init("--window none --transactions 100");
    workplace.join(&Centre::new("KMC-1"));
    let issue = |tid: u32| {
        let credit =
            format!("issue credit --register 1 {METER} --amount 1.5 --tid {tid} --as olga");
        workplace.command(&format!("{credit} --wait 60 --json")).spawn().unwrap()
    };
    let issuing: Vec<_> = (1..=8).map(issue).collect();
    let mut numbers: Vec<String> = issuing
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            told["number"].as_str().unwrap().to_owned()
        })
        .collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 8);
    let status = workplace.object("unlock --as uwe");
    assert_eq!((&status["transactions"], &status["transactions_left"]), (&8.into(), &92.into()));
    assert_eq!(status["registers"][0]["units_left"], "988");
}

#[test]
fn a_torn_end_of_the_log_is_put_in_order_by_unlocking() {
    let workplace = Workplace::new("torn");
    workplace.init("");
    workplace.succeed("unlock --as uwe");
    let log = workplace.path("module").join("audit.log");
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend_from_slice(&[0, 0, 0]);
    fs::write(&log, &bytes).unwrap();
    assert_eq!(workplace.refused(3, "audit verify"), "audit_entry");
    workplace.succeed("unlock");
    workplace.succeed("audit verify");
    assert!(workplace.succeed("audit list").contains("log_cut"));
    // What was acknowledged and is gone is another matter.
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(workplace.refused(3, "unlock"), "audit_entry");
}

#[test]
fn the_log_is_proved_locked_and_unlocked_and_a_changed_byte_is_found() {
    let workplace = Workplace::new("audit");
    workplace.init("");
    let locked = workplace.object("audit verify");
    assert_eq!(locked["authenticated"], false);
    assert!(workplace.succeed("audit verify").contains("chain of entries is complete"));
    let unlocked = workplace.object("audit verify --as uwe");
    assert_eq!(unlocked["authenticated"], true);
    assert!(unlocked["entries"].as_u64() > locked["entries"].as_u64());
    let list = workplace.succeed("audit list --from 1 --count 1");
    assert!(
        list.contains("created") && list.lines().nth(1).unwrap().contains("     1  "),
        "{list}"
    );
    let log = workplace.path("module").join("audit.log");
    let mut bytes = fs::read(&log).unwrap();
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    fs::write(&log, &bytes).unwrap();
    for arguments in ["audit verify", "audit list", "unlock"] {
        assert_eq!(workplace.refused(3, arguments), "audit_entry", "{arguments}");
    }
    assert_ne!(workplace.refused(3, "registers --as uwe"), "ok");
}

#[test]
fn an_exported_log_goes_on_after_any_number_and_its_marks_are_proved() {
    let workplace = Workplace::new("export");
    workplace.init("");
    workplace.succeed("status --as uwe");
    // Locked, and unlocked by the auditor, whose signing in is the last entry.
    let locked = workplace.rows("audit export");
    let all = workplace.rows("audit export --as uwe");
    assert_eq!((&all[..locked.len()], all.len()), (&locked[..], locked.len() + 1));
    for (number, line) in (1..).zip(&all) {
        assert_eq!(line["sequence"], number);
        let mark = line["mark"].as_str().unwrap();
        assert!(mark.starts_with(&format!("{number}-")), "{mark}");
        workplace.succeed(&format!("audit verify --noted {mark}"));
    }
    let plain = workplace.succeed("audit export --from 3");
    let lines: Vec<Value> = plain.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, all[2..]);
    assert_eq!(workplace.succeed("audit export --from 1000"), "");
    assert_eq!(workplace.refused(2, "audit export --follow"), "flag");
}

#[test]
fn a_back_up_needs_both_and_gives_no_limits_back() {
    let workplace = Workplace::new("backup");
    let centre = Centre::new("KMC-1");
    workplace.init("--window none");
    workplace.join(&centre);
    workplace.succeed(&format!("backup {{save}} {PAIR}"));
    assert_eq!(workplace.refused(2, &format!("backup {{save}} {PAIR}")), "file_exists");
    let restore = |dir: &str, rest: &str| {
        format!("restore {{save}} --dir {{{dir}}} --custodian ann --custodian {rest}")
    };
    workplace.put_secret("olga.backup", "something else");
    assert_eq!(workplace.refused(3, &restore("a", "olga")), "custodians");
    workplace.put_secret("bob.backup", "something else");
    assert_eq!(workplace.refused(3, &restore("b", "bob")), "wrong_secret");
    workplace.put_secret("bob.backup", "bob-and-his-back-up-words");
    assert_eq!(workplace.object(&restore("c", "bob"))["limits"], "stopped");
    let credit = format!("issue credit --amount 1 --register 1 {METER} --tid 16000000 --as olga");
    assert_eq!(workplace.refused(3, &format!("{credit} --dir {{c}}")), "issue_expired");
    assert_eq!(workplace.object(&restore("d", "bob --accept-limits"))["limits"], "accepted");
    workplace.succeed(&format!("{credit} --dir {{d}}"));
    assert_eq!(workplace.refused(2, &restore("d", "bob")), "not_empty");
    assert_eq!(workplace.refused(3, &restore("none/below", "olga")), "custodians");
    assert!(!workplace.path("none").exists(), "nothing was made");
    // One bit of the file.
    let mut bytes = fs::read(workplace.path("save")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    prepay_host::private_file::create(workplace.path("torn"), &bytes).unwrap();
    let torn = restore("e", "bob").replace("save", "torn");
    assert_eq!(workplace.refused(3, &torn), "damaged");
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn a_lost_head_and_a_cut_log_are_repaired_by_two_custodians_who_accept_what_is_lost() {
    let workplace = Workplace::new("repair");
    workplace.init("");
    let repair = format!("repair {PAIR}");
    assert_eq!(workplace.refused(3, &repair), "repair_not_needed");
    fs::remove_file(workplace.path("module/audit.head")).unwrap();
    assert_eq!(workplace.refused(3, "registers --as uwe"), "audit_head");
    assert_eq!(workplace.refused(3, "repair --custodian ann --custodian olga"), "custodians");
    assert!(!workplace.path("module/before-repair-1").exists());
    let done = workplace.object(&repair);
    assert_eq!((&done["lost"], &done["uncertain"]), (&0.into(), &true.into()));
    for file in ["store", "audit.log"] {
        assert!(workplace.path("module/before-repair-1").join(file).exists(), "{file}");
    }
    workplace.succeed("audit verify --as uwe");

    // The last entries are cut off: their number is named, and accepted or not.
    let log = fs::OpenOptions::new().write(true).open(workplace.path("module/audit.log")).unwrap();
    log.set_len(log.metadata().unwrap().len() - 10).unwrap();
    assert_eq!(workplace.refused(3, "registers --as uwe"), "audit_cut");
    assert_eq!(workplace.refused(3, &repair), "repair_lost");
    assert_eq!(workplace.refused(3, &format!("{repair} --accept-lost 2")), "repair_lost");
    let done = workplace.object(&format!("{repair} --accept-lost 1"));
    assert_eq!((&done["lost"], &done["uncertain"]), (&1.into(), &false.into()));
    let list = workplace.rows("audit list --as uwe");
    let kinds: Vec<_> = list.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"repaired"), "{kinds:?}");
    workplace.succeed("audit verify --as uwe");

    // The whole log is lost: what a repair accepted is told, for ever.
    let entries = workplace.object("audit verify --as uwe")["entries"].as_u64().unwrap();
    fs::remove_file(workplace.path("module/audit.log")).unwrap();
    let accepted = (entries..entries + 5)
        .any(|lost| workplace.run(&format!("{repair} --accept-lost {lost}")).status.success());
    let told = workplace.succeed("audit verify --as uwe");
    assert!(accepted && told.contains(" earlier entries, in archived segments"), "{told}");
    assert!(!told.contains("none is missing"), "{told}");
}

#[test]
fn forgotten_passphrases_of_two_custodians_are_replaced_by_restoring_a_back_up() {
    let workplace = Workplace::new("forgotten");
    workplace.init("");
    workplace.succeed(&format!("backup {{copy}} {PAIR}"));
    workplace.put_secret("ann", "ann cannot remember");
    // One custodian alone sets no passphrase for the other.
    workplace.put_secret("ann.new", "ann takes other words");
    assert_eq!(workplace.refused(2, "user passphrase ann --custodian bob"), "custodians");
    workplace.put_secret("bob.new", "bob takes other words");
    let restore = "restore {copy} --dir {again} --new-passphrases";
    workplace.succeed(&format!("{restore} {PAIR}"));
    assert_eq!(workplace.refused(3, "registers --dir {again} --as bob"), "sign_in");
    workplace.put_secret("ann", "ann takes other words");
    workplace.put_secret("bob", "bob takes other words");
    let list = workplace.rows(&format!("audit list --dir {{again}} {PAIR}"));
    let changed = list.iter().filter(|entry| entry["kind"] == "passphrase_changed");
    assert_eq!(changed.count(), 2);
}

#[test]
fn a_key_file_seals_and_the_seal_can_be_changed() {
    let workplace = Workplace::new("keyfile");
    let flags = "--seal key-file --new-key-file {key}";
    workplace.succeed(&format!("init --id SM-1 {PEOPLE} --test {flags}"));
    assert_eq!(workplace.refused(2, "unlock"), "flag");
    workplace.succeed("unlock --key-file {key}");
    fs::rename(workplace.path("key"), workplace.path("old")).unwrap();
    workplace.succeed(&format!("seal {flags} --key-file {{old}} {PAIR}"));
    assert_eq!(workplace.refused(3, "unlock --key-file {old}"), "wrong_secret");
    workplace.succeed("unlock --key-file {key}");
    workplace.put_secret("seal.new", "a passphrase again");
    workplace.succeed(&format!("seal --seal passphrase --key-file {{key}} {PAIR}"));
    workplace.put_secret("seal", "a passphrase again");
    workplace.succeed("unlock");
    let key = fs::read(workplace.path("key")).unwrap();
    fs::remove_file(workplace.path("key")).unwrap();
    prepay_host::private_file::create(workplace.path("key"), &key[..50]).unwrap();
    workplace.put_secret("seal", "something else");
    assert_eq!(workplace.refused(3, "unlock"), "wrong_secret");
}

#[test]
fn a_seal_that_may_be_in_place_is_not_taken_back() {
    let workplace = Workplace::new("fulldisk");
    workplace.init("");
    let seal =
        workplace.command(&format!("--json seal --seal key-file --new-key-file {{key}} {PAIR}"));
    // A disk that is full in the middle: the store fits, and the log, which is longer, does not.
    let length = |name: &str| fs::metadata(workplace.path("module").join(name)).unwrap().len();
    while length("audit.log") < 2 * length("store") {
        workplace.succeed("unlock --as uwe");
    }
    let try_with = |bytes: u64| {
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes} \"$@\"");
        shell.args(["-c", &script, "sh"]).arg(seal.get_program()).args(seal.get_args());
        let output = shell.output().unwrap();
        workplace.keep(&output);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        object["error"]["next"].as_str().unwrap().to_owned()
    };
    // Two people sign in first, in about a hundred bytes each.
    let next = (0..32).map(|step| {
        assert!(!workplace.path("key").exists(), "nothing was made for nothing");
        workplace.succeed("unlock --as uwe");
        try_with(length("audit.log") + 10 * step)
    });
    let next = next.into_iter().find(|next| next.starts_with("keep ")).unwrap();
    assert!(next.contains("/key "), "{next}");
    workplace.succeed("unlock --key-file {key} --as uwe");
}

#[test]
fn a_key_load_file_of_edition_1_is_known_and_refused() {
    let workplace = Workplace::new("edition1");
    workplace.init("");
    fs::write(workplace.path("old.txt"), "9500 something that is not quite right\n").unwrap();
    assert_eq!(workplace.refused(3, &format!("load {{old.txt}} {PAIR}")), "edition_1");
}

#[test]
fn a_request_is_carried_out_once_under_one_name() {
    let workplace = Workplace::new("repeat");
    let centre = Centre::new("KMC-1");
    workplace.init("--window none");
    workplace.join(&centre);
    let issue = |amount: &str| {
        format!(
            "issue credit --amount {amount} --register 1 {METER} --at 2024-03-01T13:55Z --as olga \
             --request-id sale-4711"
        )
    };
    let first = workplace.object(&issue("10"));
    assert_eq!(workplace.object(&issue("10"))["number"], first["number"]);
    assert_eq!(workplace.refused(3, &issue("11")), "request_conflict");
    assert_eq!(workplace.rows("registers --as uwe")[0]["units_left"], "990");
    assert_eq!(workplace.object("unlock --as uwe")["transactions"], 1);
    let _ = PAN;
}
