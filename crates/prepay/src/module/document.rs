//! Why a text of a centre is not taken in, or none is written for it.

use std::path::Path;

use prepay_kmp::edition1;
use prepay_module::software::CustodianError;

use super::custodian_failure;
use crate::failure::Failure;

/// Why a text was not taken in, or not written.
pub(super) fn load_failure(error: &CustodianError) -> Failure {
    let failure = custodian_failure(error);
    let CustodianError::Refused(refusal) = error else { return failure };
    let call = "call the centre; do not go on with this file";
    match refusal.code() {
        "other_module" | "other_slot" => failure.next("check for which module the file is"),
        "centre_unknown" => failure.next("load the enrolment of the centre first"),
        "centre_revoked" | "key_conflict" | "attribute_conflict" | "centre_of_key" => {
            failure.next(call)
        }
        "centre_conflict" => failure.next(
            "call the centre; only if it renewed its keys, revoke the old ones: prepay module revoke, \
             then load its new enrolment",
        ),
        "centre_key" => failure.next("call the centre, which renews its keys, or set the clock right"),
        "fingerprint" => failure.next("call the centre; do not confirm what differs"),
        "slot_state" => failure.next("see the slots, and do the step that is missing"),
        "agreement_unknown" => {
            failure.next("request an agreement: prepay module request agreement")
        }
        "request_unknown" | "request_used" | "request_expired" | "file_expired" | "serial" => {
            failure.next("request a new file: prepay module request key-load")
        }
        "slots_full" => failure.next("revoke a centre that is needed no more"),
        "registers_full" => failure.next("delete a key that is needed no more"),
        "register" => failure.next("see the registers: prepay module registers"),
        "transaction_counter" | "register_conflict" => failure,
        _ => failure.next("get the file again; if it is refused again, call the centre"),
    }
}

/// Lists a key-load file of edition 1, which is not taken in.
pub(super) fn edition1_failure(path: &Path, text: &str) -> Failure {
    match edition1::parse(text.as_bytes()) {
        Ok(file) => {
            for key in &file.keys {
                anstream::eprintln!(
                    "register {:02}  group {} revision {}  KEN {}  {}",
                    key.register,
                    key.supply_group,
                    key.key_revision,
                    key.expiry,
                    key.name
                );
            }
            let message = format!(
                "{}: a key-load file of edition 1 with {} keys, which is listed but not taken in; not \
                 confirmed by a second source: {}",
                path.display(),
                file.keys.len(),
                file.unverified.join("; ")
            );
            Failure::refused("edition_1", message).next("ask the centre for a file of this profile")
        }
        Err(faults) => {
            let list: Vec<String> = faults.iter().take(10).map(ToString::to_string).collect();
            let message = format!("{}: {}", path.display(), list.join("; "));
            Failure::refused("edition_1", message).next("get the file again")
        }
    }
}
