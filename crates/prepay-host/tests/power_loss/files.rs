//! Files beside the vaults: a new database and its copy, a file with a secret, the file of a virtual meter.

use std::path::Path;

use prepay_host::private_file;
use prepay_kmc::entity::{Customer, CustomerNumber};
use prepay_kmc::store::{CentreStore as _, Change};
use prepay_lab::meter::Meters;
use prepay_store::SqliteCentreStore;
use prepay_testkit::power_loss::acknowledge;
use prepay_testkit::{centre_store, child};

use crate::{Scenario, require};

pub(crate) const FILES: Scenario =
    Scenario { name: "files", prepare: |_| (), work: "files::case_files", verify };

const SECRET: &[u8] = b"a secret";

const NEW: &str = r#"{"op":"new","meter":"m","pan":"600727000000000009","ea":"07","key":{"vending_key":"abababababababab","dkga":"02","sgc":"123456","krn":1,"kt":2,"ti":"01"}}"#;

/// The answer of the virtual meter to a line.
fn ask(below: &Path, line: &str) -> String {
    let mut out = Vec::new();
    let mut meters = Meters::in_directory(&below.join("new/meters")).unwrap();
    meters.answer_line(line.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
#[ignore = "runs as a child of the tests in main.rs"]
fn case_files() {
    let Some(below) = child::place() else { return };
    let mut store = SqliteCentreStore::create(&below.join("centre.db")).unwrap();
    acknowledge(&below, "created");
    let rows: Vec<Change> = centre_store::all_rows().into_iter().map(Change::Insert).collect();
    store.commit(&rows).unwrap();
    acknowledge(&below, "rows");
    store.copy_to(&below.join("copy.db")).unwrap();
    acknowledge(&below, "copied");
    drop(store);
    private_file::create(below.join("secret"), SECRET).unwrap();
    acknowledge(&below, "secret");
    for (line, what) in [(NEW, "meter"), (r#"{"op":"tamper","meter":"m"}"#, "tampered")] {
        assert!(ask(&below, line).contains("\"ok\":true"));
        acknowledge(&below, what);
    }
}

fn verify(below: &Path, acknowledged: &[String]) -> Result<(), String> {
    let has = |line: &str| acknowledged.iter().any(|found| found == line);
    for (name, made, filled) in [("centre.db", "created", "rows"), ("copy.db", "copied", "copied")]
    {
        if !has(made) {
            continue;
        }
        let store =
            SqliteCentreStore::open(&below.join(name)).map_err(|error| error.to_string())?;
        let row =
            store.get::<Customer>(&CustomerNumber::FIRST).map_err(|error| error.to_string())?;
        require(row.is_some() || !has(filled), || format!("{name}: no rows"))?;
    }
    let secret = private_file::read(below.join("secret"), SECRET.len());
    require(secret.is_ok_and(|found| *found == SECRET) || !has("secret"), || "no secret".into())?;
    if has("meter") {
        let state = ask(below, r#"{"op":"state","meter":"m"}"#);
        require(!state.contains("\"error\""), || state.clone())?;
        let is_tampered = state.contains("\"tamper\":true");
        require(is_tampered || !has("tampered"), || "the meter forgot".into())?;
    }
    Ok(())
}
