//! A new machine: invitation and phrase, no password.

use std::sync::Arc;

use vault::{Language, Surroundings};
use wire::bounded::List;

use super::*;
use crate::{
    act::FailureKind,
    center::Center,
    settle::Settle,
    testing::{PASSWORD_A, PASSWORD_B, STORE, Shop},
    view::TelegramState,
};

const NEW_A: &str = "another lantern on the pier";
const NEW_B: &str = "quiet bridges over seven";

struct Lost {
    shop: Shop,
    settle: Arc<Settle>,
    center: Arc<Center>,
    phrase: RecoveryPhrase,
}

impl Lost {
    /// A store with a phrase and a deposited copy.
    async fn terminal() -> Self {
        let shop = Shop::joined().await;
        let center = Center::new(shop.keep.clone());
        let settle = Settle::new(shop.keep.clone(), center.clone());
        let phrase = RecoveryPhrase::generate(Language::Japanese, &Surroundings::system());
        let done =
            settle.new_phrase((copy_of(&phrase).unwrap(), true), None, PASSWORD_B.into()).await.unwrap();
        assert_eq!(done[0].state, TelegramState::Done);
        assert!(shop.center.copied(), "a copy is deposited with the new phrase");
        Self { shop, settle, center, phrase }
    }

    fn invitation(&self) -> Invitation {
        let address = text::Line::new(&self.shop.center.address).unwrap();
        Invitation { root: self.shop.center.root().verification_key(), addresses: List::first([address]) }
    }

    async fn restore(&self, to: &Path, phrase: &RecoveryPhrase) -> Result<Recovered, Failure> {
        restore(to, self.returning(phrase, false)).await
    }

    fn returning(&self, phrase: &RecoveryPhrase, set_aside: bool) -> Returning {
        Returning {
            invitation: self.invitation(),
            phrase: copy_of(phrase).unwrap(),
            passwords: Passwords::Two { a: NEW_A.into(), b: NEW_B.into() },
            set_aside,
        }
    }
}

fn open(folder: &Path) -> Arc<Keep> {
    let opened = Vault::open(folder, &NEW_A.into(), crate::testing::weak()).unwrap();
    Keep::new(opened).unwrap()
}

#[tokio::test]
async fn everything_comes_back_with_both_passwords_forgotten() {
    let lost = Lost::terminal().await;
    let machine = tempfile::tempdir().unwrap();
    let recovered = lost.restore(machine.path(), &lost.phrase).await.unwrap();
    assert_eq!((recovered.store, recovered.renewed.len()), (STORE, 0));
    assert!(recovered.copied.is_some() && recovered.records > 0);
    let keep = open(machine.path());
    let identity = keep.book().identity.clone().unwrap();
    assert_eq!((identity.store, identity.name.as_str()), (STORE, "Books & Maps"));
    let center = Center::new(keep.clone());
    center.line().await.expect("the restored terminal key logs in");
    let settle = Settle::new(keep.clone(), center);
    let done = settle.rotate(KeyRole::Signature, NEW_B.into()).await.unwrap();
    assert_eq!(done[0].state, TelegramState::Done, "the restored signature key signs");
    assert!(Vault::open(machine.path(), &PASSWORD_A.into(), crate::testing::weak()).is_err());
    let again = lost.restore(machine.path(), &lost.phrase).await.unwrap_err();
    assert!(again.message.contains("has a vault already"), "{again}");
}

#[tokio::test]
async fn a_vault_whose_passwords_are_forgotten_is_set_aside_and_never_lost() {
    let lost = Lost::terminal().await;
    let machine = tempfile::tempdir().unwrap();
    let forgotten = Passwords::Two { a: PASSWORD_A.into(), b: PASSWORD_B.into() };
    let former = Vault::create(machine.path(), &forgotten, None, crate::testing::weak()).unwrap();
    let held = restore(machine.path(), lost.returning(&lost.phrase, true)).await.unwrap_err();
    assert_eq!(held.kind, FailureKind::Held, "{held}");
    drop(former);
    let other = RecoveryPhrase::generate(Language::English, &Surroundings::system());
    restore(machine.path(), lost.returning(&other, true)).await.unwrap_err();
    drop(
        Vault::open(machine.path(), &PASSWORD_A.into(), crate::testing::weak())
            .expect("a wrong phrase moves nothing"),
    );
    let recovered = restore(machine.path(), lost.returning(&lost.phrase, true)).await.unwrap();
    let aside = machine.path().join(recovered.set_aside.expect("it was set aside"));
    assert_eq!(open(machine.path()).book().identity.clone().unwrap().store, STORE);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(aside, elsewhere.path().join(vault::FILE)).unwrap();
    Vault::open(elsewhere.path(), &PASSWORD_A.into(), crate::testing::weak()).expect("it is whole");
}

#[tokio::test]
async fn without_a_copy_the_phrase_puts_fresh_keys_in_force() {
    let lost = Lost::terminal().await;
    lost.shop.center.lose_copy();
    let machine = tempfile::tempdir().unwrap();
    let recovered = lost.restore(machine.path(), &lost.phrase).await.unwrap();
    assert_eq!(recovered.renewed, ["signature key", "terminal key"]);
    assert_eq!(recovered.copied, None);
    let keep = open(machine.path());
    assert_eq!(keep.book().identity.clone().unwrap().store, STORE);
    Center::new(keep).line().await.expect("the fresh terminal key logs in");
    lost.center.renew().await;
    let old = lost.center.line().await.unwrap_err();
    assert!(old.message.contains("did not make"), "the old terminal is alarmed: {old}");
}

#[tokio::test]
async fn a_copy_that_is_older_than_a_rotation_is_brought_up() {
    let lost = Lost::terminal().await;
    lost.shop.center.refuse_copies();
    lost.settle.rotate(KeyRole::Signature, PASSWORD_B.into()).await.unwrap();
    let machine = tempfile::tempdir().unwrap();
    let recovered = lost.restore(machine.path(), &lost.phrase).await.unwrap();
    assert_eq!(recovered.renewed, ["signature key"], "the copy's key is not in force any more");
    Center::new(open(machine.path())).line().await.unwrap();
}

#[tokio::test]
async fn a_revoked_signature_key_is_replaced_by_a_new_one() {
    let lost = Lost::terminal().await;
    let by = crate::sign::By::Phrase(copy_of(&lost.phrase).unwrap());
    lost.settle.revoke(KeyRole::Signature, by).await.unwrap();
    let machine = tempfile::tempdir().unwrap();
    let recovered = lost.restore(machine.path(), &lost.phrase).await.unwrap();
    assert_eq!(recovered.renewed, ["signature key"]);
    let keep = open(machine.path());
    Center::new(keep.clone()).line().await.unwrap();
    let own = keep.vault(|vault| vault.verification_key()).await.unwrap().unwrap();
    assert_eq!(own, lost.shop.center.in_force(KeyRole::Signature).0);
}

#[tokio::test]
async fn another_phrase_brings_nothing_back_and_leaves_nothing_behind() {
    let lost = Lost::terminal().await;
    let machine = tempfile::tempdir().unwrap();
    let other = RecoveryPhrase::generate(Language::English, &Surroundings::system());
    let failure = lost.restore(machine.path(), &other).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(!Vault::exists(machine.path()));
}
