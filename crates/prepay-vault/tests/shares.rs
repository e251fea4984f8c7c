//! A vault that several custodians open together, by their own passphrases.

mod kit;

use std::sync::Arc;

use kit::*;
use prepay_vault::*;

const TWO: Unlock<'static> = Unlock::Shares { threshold: 2, given: &[] };

/// Opens a vault with these names and passphrases.
fn open_by(place: &Shelf, given: &[(&str, &str)]) -> Result<TestVault, OpenError> {
    let given: Vec<_> = given.iter().map(|(who, words)| (name(who), secret(words))).collect();
    let unlock = Unlock::Shares { threshold: 0, given: &given };
    Vault::open(Box::new(Arc::clone(place)), noise(99), unlock, at(5000))
}

fn opens(place: &Shelf, given: &[(&str, &str)]) -> Result<(), OpenError> {
    open_by(place, given).map(|vault| assert_eq!(vault.contents().secret, SECRET))
}

const ANNA: (&str, &str) = ("anna", "anna");
const BERTA: (&str, &str) = ("berta", "berta");
const CARLA: (&str, &str) = ("carla", "carla");

#[test]
fn two_custodians_open_a_vault_of_shares_and_nobody_else_does() {
    let place = Shelf::default();
    drop(create_for(Arc::clone(&place), TWO).unwrap());
    let (_, protector) = TestVault::look(&mut Arc::clone(&place)).unwrap();
    let custodians = ["anna", "berta", "carla"].map(name).to_vec();
    assert_eq!(protector, Protector::Shares { threshold: 2, custodians: custodians.clone() });

    for pair in [[ANNA, BERTA], [BERTA, ANNA], [ANNA, CARLA], [CARLA, BERTA]] {
        assert_eq!(opens(&place, &pair), Ok(()), "{pair:?}");
    }
    let others = Err(OpenError::Shares { threshold: 2, custodians });
    let nobody: &[&[(&str, &str)]] =
        &[&[], &[ANNA], &[ANNA, ANNA], &[ANNA, ("otto", "otto")], &[ANNA, BERTA, CARLA]];
    for given in nobody {
        assert_eq!(opens(&place, given), others, "{given:?}");
    }
    for wrong in [[ANNA, ("berta", "carla")], [("anna", "berta"), ("berta", "anna")]] {
        assert_eq!(opens(&place, &wrong), Err(OpenError::WrongSecret), "{wrong:?}");
    }
    assert!(matches!(open(Arc::clone(&place)).err(), Some(OpenError::Protector { .. })));
}

#[test]
fn shares_are_made_anew_for_everybody_when_one_custodian_comes_goes_or_has_a_new_passphrase() {
    let place = Shelf::default();
    let mut vault = create_for(Arc::clone(&place), TWO).unwrap();
    let two = quorum(&mut vault);
    let words = secret("dora");
    let dora = NewUser { name: &name("dora"), role: Role::Custodian, passphrase: &words };
    vault.add_user(&two, dora, at(2)).unwrap();
    assert_eq!(opens(&place, &[("dora", "dora"), CARLA]), Ok(()));

    let before = Arc::new(std::sync::Mutex::new(place.lock().unwrap().clone()));
    vault.remove_user(&two, &name("carla"), at(3)).unwrap();
    assert!(matches!(opens(&place, &[ANNA, CARLA]), Err(OpenError::Shares { .. })));
    // As SECURITY.md says: an older copy still opens as it did.
    assert_eq!(opens(&before, &[ANNA, CARLA]), Ok(()));

    vault.set_passphrase(&two, &name("dora"), &secret("new"), at(4)).unwrap();
    assert_eq!(opens(&place, &[ANNA, ("dora", "dora")]), Err(OpenError::WrongSecret));
    assert_eq!(opens(&place, &[ANNA, ("dora", "new")]), Ok(()));
    let anna = sign_in(&mut vault, "anna");
    vault.change_passphrase(&anna, &secret("anna"), &secret("anna2"), at(5)).unwrap();
    assert_eq!(opens(&place, &[ANNA, BERTA]), Err(OpenError::WrongSecret));
    assert_eq!(opens(&place, &[("anna", "anna2"), BERTA]), Ok(()));
    assert_eq!(opens(&place, &[("dora", "new"), BERTA]), Ok(()));
}

#[test]
fn a_vault_keeps_as_many_custodians_as_open_it() {
    let place = Shelf::default();
    let three = Unlock::Shares { threshold: 3, given: &[] };
    let mut vault = create_for(Arc::clone(&place), three).unwrap();
    let two = quorum(&mut vault);
    let store = place.lock().unwrap().store.clone();
    let threshold = VaultError::Threshold { threshold: 3, custodians: 2 };
    let refused = vault.remove_user(&two, &name("carla"), at(2));
    assert_eq!(refused, Err(UserError::Vault(threshold)));
    assert_eq!(place.lock().unwrap().store, store);
    assert_eq!(opens(&place, &[CARLA, ANNA, BERTA]), Ok(()));
    for threshold in [0, 1, 4, 255] {
        let unlock = Unlock::Shares { threshold, given: &[] };
        let refused = vault.change_protector(&two, unlock, at(2));
        assert_eq!(refused, Err(VaultError::Threshold { threshold, custodians: 3 }));
    }
    vault.change_protector(&two, TWO, at(2)).unwrap();
    vault.remove_user(&two, &name("carla"), at(3)).unwrap();
    assert_eq!(opens(&place, &[ANNA, BERTA]), Ok(()));
}

#[test]
fn two_custodians_change_a_vault_to_shares_and_back_without_the_others() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let two = quorum(&mut vault);
    vault.change_protector(&two, TWO, at(2)).unwrap();
    assert!(open(Arc::clone(&place)).is_err());
    assert_eq!(opens(&place, &[CARLA, BERTA]), Ok(()));
    vault.change_protector(&two, Unlock::Passphrase(&secret("open")), at(3)).unwrap();
    assert!(matches!(opens(&place, &[ANNA, BERTA]), Err(OpenError::Protector { .. })));
    drop(vault);
    drop(open(place).unwrap());
}

#[test]
fn a_store_of_shares_with_one_bit_changed_or_an_end_missing_is_refused() {
    let place = Shelf::default();
    drop(create_for(Arc::clone(&place), TWO).unwrap());
    let good = place.lock().unwrap().store.clone().unwrap();
    let refuses = |bytes: Vec<u8>, case: &str| {
        place.lock().unwrap().store = Some(bytes);
        assert!(opens(&place, &[ANNA, BERTA]).is_err(), "{case}");
    };
    for length in 0..good.len() {
        refuses(good[..length].to_vec(), &format!("length = {length}"));
    }
    // With the checksum made right again, as somebody would who changes it on purpose.
    for bit in 0..(good.len() - 32) * 8 {
        let mut bytes = good[..good.len() - 32].to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let sum = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
        bytes.extend_from_slice(&sum);
        refuses(bytes, &format!("bit = {bit}"));
    }
    place.lock().unwrap().store = Some(good);
    assert_eq!(opens(&place, &[ANNA, BERTA]), Ok(()));
}

#[test]
fn a_restored_vault_of_shares_is_opened_by_its_custodians() {
    let place = Shelf::default();
    let mut vault = create_for(Arc::clone(&place), TWO).unwrap();
    let two = quorum(&mut vault);
    let words = [secret("one"), secret("two")];
    let backup = vault.backup(&two, words.each_ref(), at(3)).unwrap();
    let again = Shelf::default();
    let (anna, berta) = (name("anna"), name("berta"));
    let custodians = [(&anna, &words[0]), (&berta, &words[1])];
    let limits = RestoredLimits::Stopped;
    let storage = Box::new(Arc::clone(&again));
    TestVault::restore(storage, noise(3), &backup, custodians, TWO, limits, at(9)).unwrap();
    assert_eq!(opens(&again, &[CARLA, ANNA]), Ok(()));
    assert_eq!(opens(&again, &[("anna", "one"), ("berta", "two")]), Err(OpenError::WrongSecret));
}
