//! Keys that turn, wait, are revoked and are slipped in.

use std::sync::Arc;

use vault::{Language, RecoveryPhrase, Surroundings};
use wire::key::SigningKey;

use super::*;
use crate::{
    act::FailureKind,
    center::Center,
    testing::{Manner, PASSWORD_B, Shop},
};

struct House {
    shop: Shop,
    center: Arc<Center>,
    settle: Arc<Settle>,
}

impl House {
    async fn open() -> Self {
        let shop = Shop::joined().await;
        let center = Center::new(shop.keep.clone());
        let settle = Settle::new(shop.keep.clone(), center.clone());
        Self { shop, center, settle }
    }

    /// A house with a first recovery phrase.
    async fn with_phrase() -> (Self, RecoveryPhrase) {
        let house = Self::open().await;
        let phrase = fresh();
        let first = house.settle.new_phrase((again(&phrase), true), None, PASSWORD_B.into()).await.unwrap();
        assert_eq!(first[0].state, TelegramState::Done, "{}", first[0].words);
        (house, phrase)
    }

    async fn login(&self) -> Result<(), Failure> {
        self.center.renew().await;
        self.center.line().await.map(drop)
    }

    async fn in_use(&self, role: KeyRole) -> Option<VerificationKey> {
        self.shop.keep.vault(move |vault| vault.in_use(role)).await.unwrap()
    }

    async fn waiting(&self, role: KeyRole) -> Option<VerificationKey> {
        self.shop.keep.vault(move |vault| vault.waiting(role)).await.unwrap()
    }
}

fn fresh() -> RecoveryPhrase {
    RecoveryPhrase::generate(Language::English, &Surroundings::system())
}

fn again(phrase: &RecoveryPhrase) -> RecoveryPhrase {
    RecoveryPhrase::parse(&phrase.words().join(" ").into()).unwrap()
}

#[tokio::test]
async fn rotated_keys_are_in_force_on_both_sides_and_sign_what_follows() {
    let house = House::open().await;
    for role in [KeyRole::Signature, KeyRole::Terminal, KeyRole::Signature] {
        let before = house.in_use(role).await;
        let done = house.settle.rotate(role, PASSWORD_B.into()).await.unwrap();
        assert_eq!(done[0].state, TelegramState::Done, "{}", done[0].words);
        let now = house.in_use(role).await;
        assert_ne!(now, before);
        assert_eq!(now, Some(house.shop.center.in_force(role).0));
        house.login().await.unwrap();
    }
    assert_eq!(
        Some(house.shop.keep.terminal_key().verification_key()),
        house.in_use(KeyRole::Terminal).await
    );
    assert!(house.shop.keep.book().notices.is_empty(), "own keys raise no alarm");
    let folder = house.shop.after_a_crash();
    assert_eq!(folder.1.book().custody.chain.len(), 5);
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_turns_when_the_center_says_so() {
    for (manner, changed) in [(Manner::EntersAndDies, true), (Manner::Dies, false)] {
        let house = House::open().await;
        house.center.line().await.unwrap();
        let before = house.in_use(KeyRole::Signature).await;
        house.shop.center.manner(manner);
        let unknown = house.settle.rotate(KeyRole::Signature, PASSWORD_B.into()).await.unwrap();
        assert_eq!(unknown[0].state, TelegramState::Unknown, "{manner:?}");
        house.shop.center.manner(Manner::Honest);
        let waits = house.settle.rotate(KeyRole::Signature, PASSWORD_B.into()).await;
        if !changed {
            assert!(waits.unwrap_err().message.contains("resolve"));
        }
        house.settle.resolve().await.unwrap();
        assert_eq!(house.in_use(KeyRole::Signature).await != before, changed);
        assert_eq!(house.waiting(KeyRole::Signature).await, None);
        assert_eq!(
            house.in_use(KeyRole::Signature).await,
            Some(house.shop.center.in_force(KeyRole::Signature).0)
        );
    }
}

#[tokio::test]
async fn a_wrong_password_b_leaves_no_key_waiting() {
    let house = House::open().await;
    for role in [KeyRole::Signature, KeyRole::Terminal] {
        let failure = house.settle.rotate(role, "not the password".into()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::WrongPassword);
        assert_eq!(house.waiting(role).await, None);
    }
}

#[tokio::test]
async fn a_new_phrase_waits_72_hours_and_the_old_one_cancels_it() {
    let (house, old) = House::with_phrase().await;
    assert_eq!(house.in_use(KeyRole::Recovery).await, Some(old.public().recovery_key));
    let new = fresh();
    let done = house.settle.new_phrase((again(&new), true), None, PASSWORD_B.into()).await.unwrap();
    assert!(done[0].words.contains("in force from"), "{}", done[0].words);
    house.login().await.unwrap();
    assert_eq!(house.waiting(KeyRole::Recovery).await, Some(new.public().recovery_key));
    let second = house.settle.new_phrase((fresh(), true), None, PASSWORD_B.into()).await.unwrap_err();
    assert!(second.message.contains("waits at the center already"), "{second}");

    let wrong = house.settle.cancel_change(again(&new)).await.unwrap_err();
    assert!(wrong.message.contains("another recovery key in force"), "{wrong}");
    let cancelled = house.settle.cancel_change(again(&old)).await.unwrap();
    assert_eq!(cancelled[0].state, TelegramState::Done);
    assert_eq!(house.waiting(KeyRole::Recovery).await, None);
    house.login().await.unwrap();

    house.settle.new_phrase((again(&new), true), None, PASSWORD_B.into()).await.unwrap();
    house.shop.center.wait_is_over();
    house.login().await.unwrap();
    assert_eq!(house.in_use(KeyRole::Recovery).await, Some(new.public().recovery_key), "72 hours are over");
    let at_once = fresh();
    let done = house.settle.new_phrase((again(&at_once), true), Some(new), PASSWORD_B.into()).await.unwrap();
    assert!(done[0].words.contains("in force;"), "{}", done[0].words);
    assert_eq!(house.in_use(KeyRole::Recovery).await, Some(at_once.public().recovery_key));
}

#[tokio::test]
async fn a_key_that_this_terminal_did_not_make_stops_everything_until_it_is_acknowledged() {
    let (house, _) = House::with_phrase().await;
    house.login().await.unwrap();
    let stranger = SigningKey::from_seed(&[77; 32]).verification_key();
    house.shop.center.slip_in(KeyRole::Recovery, Some(stranger));
    let refused = house.login().await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Contradiction);
    assert!(refused.message.contains(&stranger.fingerprint()), "{refused}");
    let _ = house.login().await.unwrap_err();
    let (copy, found) = house.shop.after_a_crash();
    assert!(found.book().custody.strange.is_some(), "it is still to be acknowledged after a restart");
    drop((found, copy));

    let strange = house.shop.keep.book().custody.strange.clone().unwrap();
    house.shop.keep.record(vec![crate::record::Record::Chain(strange.chain)]).await.unwrap();
    house.login().await.unwrap();
    assert!(house.shop.keep.book().custody.strange.is_none());

    house.shop.center.slip_in(KeyRole::Signature, Some(stranger));
    let strange = house.login().await.unwrap_err();
    assert!(strange.message.contains("did not make"), "{strange}");
    let chain = house.shop.keep.book().custody.strange.clone().unwrap().chain;
    house.shop.keep.record(vec![crate::record::Record::Chain(chain)]).await.unwrap();
    let stays = house.login().await.unwrap_err();
    assert!(stays.message.contains("not the one in force"), "an acknowledged thief is still one: {stays}");
}

#[tokio::test]
async fn a_revoked_key_is_revoked_by_the_phrase_and_raises_no_alarm_here() {
    let (house, phrase) = House::with_phrase().await;
    house.login().await.unwrap();
    let revoked = house.settle.revoke(KeyRole::Signature, By::Phrase(again(&phrase))).await.unwrap();
    assert_eq!(revoked[0].state, TelegramState::Done, "{}", revoked[0].words);
    let failure = house.login().await.unwrap_err();
    assert!(failure.message.contains("not the one in force"), "{failure}");
    assert!(house.shop.keep.book().custody.strange.is_none());
}

#[tokio::test]
async fn a_copy_is_deposited_where_something_changed_and_the_drill_proves_it() {
    let (house, phrase) = House::with_phrase().await;
    assert!(house.shop.center.copied(), "a new phrase is followed by a copy that is sealed to it");
    let line = house.center.line().await.unwrap();
    house.center.alarm("something new", Vec::new()).await.unwrap();
    assert!(house.settle.deposit(&line).await.unwrap());
    assert!(!house.settle.deposit(&line).await.unwrap(), "nothing has changed since");
    let scratch = house.shop.folder.path().join("drill");
    let wrong = house.settle.drill(fresh(), scratch.clone()).await.unwrap_err();
    assert!(wrong.message.contains("no account has this recovery key"), "{wrong}");
    let drill = house.settle.drill(phrase, scratch.clone()).await.unwrap();
    assert!(drill.compared > 0 && !scratch.exists());
    let (copy, keep) = house.shop.after_a_crash();
    let recovery = keep.vault(|vault| vault.recovery()).await.unwrap().unwrap();
    assert!(recovery.proved_at.is_some());
    drop((copy, keep));
}
