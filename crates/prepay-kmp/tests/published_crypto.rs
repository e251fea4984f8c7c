//! The cryptography that key management stands on gives the published results of its sources.
//!
//! The crates are used as this one uses them: the same types, the same features.

use aes_kw::{AesKw, AesKwp, KeyInit, aes};
use hmac::{Hmac, Mac};
use p384::ecdsa::signature::{Signer, Verifier};
use p384::ecdsa::{Signature, SigningKey};
use p384::elliptic_curve::sec1::ToSec1Point;
use serde_json::Value;
use sha2::Sha384;

/// The lines of a file of vectors.
fn load(name: &str, count: usize) -> Vec<Value> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), count, "{name}: a lost line must not pass");
    cases
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{}: no {field}", case["id"]))
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    let digits = text(case, field);
    assert_eq!(digits.len() % 2, 0, "{}: {field}", case["id"]);
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// A point as it travels: 04, x, y.
fn point(case: &Value, x: &str, y: &str) -> Vec<u8> {
    [vec![4], bytes(case, x), bytes(case, y)].concat()
}

#[test]
fn hmac_sha_384_is_that_of_rfc_4231() {
    for case in load("hmac_sha384.jsonl", 6) {
        let mut mac = <Hmac<Sha384> as KeyInit>::new_from_slice(&bytes(&case, "key")).unwrap();
        mac.update(&bytes(&case, "message"));
        let found = mac.clone().finalize().into_bytes();
        assert_eq!(found.as_slice(), bytes(&case, "mac"), "{}", case["id"]);
        assert!(mac.verify_slice(&bytes(&case, "mac")).is_ok());
    }
}

/// Wraps (or tries to unwrap) under a key of any length.
macro_rules! key_wrap {
    ($wrap:ident, $key:expr, $run:expr) => {
        match $key.len() {
            16 => $run(&$wrap::<aes::Aes128>::new_from_slice($key).unwrap()),
            24 => $run(&$wrap::<aes::Aes192>::new_from_slice($key).unwrap()),
            32 => $run(&$wrap::<aes::Aes256>::new_from_slice($key).unwrap()),
            length => panic!("a key of {length} bytes"),
        }
    };
}

/// What one kind of key wrap does, under a key of one length.
trait KeyWrap {
    fn wrapped(&self, plain: &[u8]) -> Vec<u8>;
    fn unwrapped(&self, wrapped: &[u8]) -> Option<Vec<u8>>;
}

macro_rules! implement {
    ($($wrap:ident $cipher:ident)*) => {$(
        impl KeyWrap for $wrap<aes::$cipher> {
            fn wrapped(&self, plain: &[u8]) -> Vec<u8> {
                self.wrap_key(plain, &mut [0; 64]).unwrap().to_vec()
            }

            fn unwrapped(&self, wrapped: &[u8]) -> Option<Vec<u8>> {
                self.unwrap_key(wrapped, &mut [0; 64]).ok().map(<[u8]>::to_vec)
            }
        }
    )*};
}

implement!(AesKw Aes128 AesKw Aes192 AesKw Aes256 AesKwp Aes128 AesKwp Aes192 AesKwp Aes256);

#[test]
fn aes_key_wrap_is_that_of_rfc_3394_and_rfc_5649() {
    for case in load("key_wrap.jsonl", 32) {
        let (key, wrapped) = (bytes(&case, "key"), bytes(&case, "wrapped"));
        let run = |wrap: &dyn KeyWrap| match case["plain"].is_null() {
            true => assert_eq!(wrap.unwrapped(&wrapped), None, "{}", case["id"]),
            false => {
                let plain = bytes(&case, "plain");
                assert_eq!(wrap.wrapped(&plain), wrapped, "{}", case["id"]);
                assert_eq!(wrap.unwrapped(&wrapped), Some(plain), "{}", case["id"]);
            }
        };
        if case["padded"].as_bool().unwrap() {
            key_wrap!(AesKwp, &key, run);
        } else {
            key_wrap!(AesKw, &key, run);
        }
    }
}

#[test]
fn ecdh_on_p_384_is_that_of_the_cavp() {
    for case in load("ecdh_p384.jsonl", 3) {
        let secret = p384::SecretKey::from_slice(&bytes(&case, "secret")).unwrap();
        let own = secret.public_key().to_sec1_point(false);
        assert_eq!(own.as_bytes(), point(&case, "own_x", "own_y"), "{}", case["id"]);
        let peer = p384::PublicKey::from_sec1_bytes(&point(&case, "peer_x", "peer_y")).unwrap();
        let shared = secret.diffie_hellman(&peer);
        let shared = shared.raw_secret_bytes().as_slice();
        assert_eq!(shared, bytes(&case, "shared"), "{}", case["id"]);
    }
}

#[test]
fn ecdsa_on_p_384_is_that_of_rfc_6979() {
    for case in load("ecdsa_p384.jsonl", 2) {
        let key = SigningKey::from_slice(&bytes(&case, "secret")).unwrap();
        let public = key.verifying_key().to_sec1_point(false);
        assert_eq!(public.as_bytes(), point(&case, "public_x", "public_y"), "{}", case["id"]);
        let signature: Signature = key.sign(text(&case, "message").as_bytes());
        let expected = [bytes(&case, "r"), bytes(&case, "s")].concat();
        assert_eq!(signature.to_bytes().as_slice(), expected, "{}", case["id"]);
        let message = text(&case, "message").as_bytes();
        assert!(key.verifying_key().verify(message, &signature).is_ok());
    }
}
