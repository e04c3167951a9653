//! Keys and recovery: rotations, revocations, alarms, and an account that comes back.

use std::fs;

use secrecy::SecretString;
use tui_member::{
    act::{Act, CustodyAct, Failure, FailureKind, Outcome, Password},
    engine::Handle,
    recover::{self, Restored, Returning, Unrestored},
    view::{DrillRow, KeysView, PurchaseState},
};
use vault::{
    Passwords,
    recovery::{Language, RecoveryPhrase},
};
use wire::{id::MemberNumber, payload::KeyRole, time::Timestamp};

use crate::{
    center::Lie,
    world::{A, B, World, means, open, passwords, pay, profile},
};

const ME: MemberNumber = MemberNumber(1);

async fn keys(member: &Handle, act: CustodyAct) -> Result<KeysView, Failure> {
    match member.act(Act::Custody(act)).await? {
        Outcome::Keys(keys) => Ok(*keys),
        other => panic!("{other:?}"),
    }
}

async fn rotate(member: &Handle, role: KeyRole) -> Result<KeysView, Failure> {
    let act = CustodyAct::Rotate { role, password_b: B.into(), phrase: None, autograph: None };
    keys(member, act).await
}

async fn drill(member: &Handle, phrase: &SecretString) -> Result<DrillRow, Failure> {
    let act = CustodyAct::Drill { phrase: Password(phrase.clone()) };
    match member.act(Act::Custody(act)).await? {
        Outcome::Drill(drill) => Ok(drill),
        other => panic!("{other:?}"),
    }
}

fn returning(world: &World, phrase: &SecretString) -> Returning {
    Returning {
        invitation: world.center.invitation(),
        phrase: RecoveryPhrase::parse(phrase).unwrap(),
        passwords: passwords(),
        set_aside: false,
    }
}

#[tokio::test]
async fn new_keys_are_in_force_at_once_and_sign_and_log_in() {
    let world = World::with_card().await;
    for role in [KeyRole::Signature, KeyRole::Terminal] {
        let before = world.center.key(ME, role).unwrap();
        let view = rotate(&world.member, role).await.unwrap();
        let now = world.center.key(ME, role).unwrap();
        assert_ne!(now, before);
        assert!(view.own.iter().any(|key| key.fingerprint == Some(now.fingerprint()) && key.waits.is_none()));
        assert!(view.chain.iter().all(|event| event.own), "{view:?}");
    }
    let order = world.order(1).await.unwrap().order;
    let paid = world.pay(&order).await.unwrap();
    assert_eq!(paid.state, PurchaseState::Settled);
    let root = world.center.invitation().root;
    let export = Act::ExportReceipt { number: paid.number.unwrap(), with_order: false };
    let Outcome::Receipt(file) = world.member.act(export).await.unwrap() else { panic!("a receipt") };
    let verified = tui_member::receipt::verify(&file.content, &root).unwrap();
    assert!(verified.valid, "the evidence of the new key stands in the file: {verified:?}");
    let world = world.reopened().await;
    world.member.act(Act::Sync).await.unwrap();
    assert!(world.snapshot().custody.alarm.is_none());
}

#[tokio::test]
async fn a_rotation_that_loses_its_line_is_settled_by_the_next_login() {
    for (lie, changed) in [(Lie::SilentAfterEntry, true), (Lie::HangUpBeforeEntry, false)] {
        let world = World::with_card().await;
        let before = world.center.key(ME, KeyRole::Signature).unwrap();
        world.center.lie(lie);
        let _ = rotate(&world.member, KeyRole::Signature).await;
        world.center.lie(Lie::None);
        let world = world.reopened().await;
        let view = keys(&world.member, CustodyAct::Keys).await.unwrap();
        let now = world.center.key(ME, KeyRole::Signature).unwrap();
        assert_eq!(now != before, changed);
        let own = view.own.iter().find(|key| key.role == "signature").unwrap();
        assert_eq!((own.fingerprint.clone(), own.waits.clone()), (Some(now.fingerprint()), None), "{lie:?}");
        let order = world.order(1).await.unwrap().order;
        assert_eq!(world.pay(&order).await.unwrap().state, PurchaseState::Settled);
    }
}

#[tokio::test]
async fn of_two_copies_the_second_learns_that_its_key_is_not_in_force() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let World { center, store, member, folder } = world;
    drop(member);
    drop(open(folder.path()).await.unwrap());
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join(vault::FILE), copy.path().join(vault::FILE)).unwrap();
    let (one, other) = (open(folder.path()).await.unwrap(), open(copy.path()).await.unwrap());
    rotate(&one, KeyRole::Signature).await.unwrap();
    let refused = pay(&other, &order).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Contradiction, "{refused}");
    assert!(other.snapshot().custody.alarm.as_ref().unwrap().words.contains("did not make"));
    assert_eq!(pay(&one, &order).await.unwrap().state, PurchaseState::Settled);
    drop((center, store));
}

#[tokio::test]
async fn a_key_that_slipped_in_is_an_alarm_until_it_is_acknowledged() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.center.slip_in(ME, KeyRole::Recovery);
    let world = world.reopened().await;
    let refused = world.pay(&order).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Contradiction);
    let alarm = world.snapshot().custody.alarm.clone().unwrap();
    assert!(alarm.words.contains("recovery key"), "{}", alarm.words);
    let view = keys(&world.member, CustodyAct::Keys).await.unwrap();
    assert_eq!(view.chain.iter().filter(|event| !event.own).count(), 1);
    world.member.act(Act::Custody(CustodyAct::Acknowledge { alarm: alarm.digest })).await.unwrap();
    let world = world.reopened().await;
    assert!(world.snapshot().custody.alarm.is_none(), "acknowledged once and for all");
    assert_eq!(world.pay(&order).await.unwrap().state, PurchaseState::Settled);
    assert_eq!(world.alarms().len(), 1, "it stays among the messages");
}

#[tokio::test]
async fn an_account_comes_back_with_everything_in_it() {
    let (world, phrase) = World::with_phrase().await;
    let order = world.order(1).await.unwrap().order;
    let number = world.pay(&order).await.unwrap().number;
    keys(&world.member, CustodyAct::Deposit).await.unwrap();
    assert!(world.center.deposits() > 0);
    let copy = world.center.copy(ME).unwrap();
    let leaked = |secret: &[u8]| copy.windows(secret.len()).any(|window| window == secret);
    assert!(!leaked(b"Ada Lovelace") && !leaked(A.as_bytes()), "the copy is sealed");

    let elsewhere = tempfile::tempdir().unwrap();
    let (restored, back) =
        recover::restore(profile(elsewhere.path()), returning(&world, &phrase), means()).await.unwrap();
    assert_eq!(restored.member, ME);
    assert!(restored.copied_at.is_some() && restored.new_keys.is_empty(), "{restored:?}");
    let rows = back.snapshot().purchases.clone();
    assert_eq!((rows.len(), rows[0].number, rows[0].state), (1, number, PurchaseState::Settled));
    back.act(Act::Sync).await.unwrap();
    assert_eq!(back.snapshot().cards[0].balance.minor, 700);
    assert!(back.snapshot().custody.alarm.is_none());
    let Outcome::Fetched(goods) = back.act(Act::Fetch { order: order.to_string() }).await.unwrap() else {
        panic!("goods")
    };
    assert!(goods.acknowledged, "also the buyer's key came back");
}

#[tokio::test]
async fn a_copy_older_than_the_newest_keys_comes_back_with_fresh_ones() {
    let (world, phrase) = World::with_phrase().await;
    keys(&world.member, CustodyAct::Deposit).await.unwrap();
    let old = world.center.copy(ME).unwrap();
    rotate(&world.member, KeyRole::Signature).await.unwrap();
    rotate(&world.member, KeyRole::Terminal).await.unwrap();
    world.center.put_copy(ME, old);
    let elsewhere = tempfile::tempdir().unwrap();
    let (restored, back) =
        recover::restore(profile(elsewhere.path()), returning(&world, &phrase), means()).await.unwrap();
    assert_eq!(restored.new_keys, ["signature", "terminal"]);
    back.act(Act::Sync).await.unwrap();
    assert!(back.snapshot().custody.alarm.is_none());
    assert_eq!(back.snapshot().cards.len(), 1);
}

#[tokio::test]
async fn without_a_copy_the_account_comes_back_alone() {
    let (world, phrase) = World::with_phrase().await;
    world.center.lose_copy(ME);
    let elsewhere = tempfile::tempdir().unwrap();
    let (restored, back) =
        recover::restore(profile(elsewhere.path()), returning(&world, &phrase), means()).await.unwrap();
    assert_eq!((restored.copied_at, restored.new_keys.len()), (None, 2));
    back.act(Act::Sync).await.unwrap();
    assert_eq!(back.snapshot().cards[0].balance.minor, 1_000, "the money is at the center");
    assert!(back.snapshot().purchases.is_empty());
    let order = back
        .act(Act::Order {
            store: crate::store::NUMBER,
            lines: vec![tui_member::act::Wanted {
                item: wire::text::Line::new("book").unwrap(),
                quantity: 1,
            }],
            note: String::new(),
        })
        .await
        .unwrap();
    let Outcome::Offered(offered) = order else { panic!("an offer") };
    assert_eq!(pay(&back, &offered.order).await.unwrap().state, PurchaseState::Settled);
}

#[tokio::test]
async fn a_wrong_phrase_and_a_false_copy_bring_nothing_back() {
    let (world, phrase) = World::with_phrase().await;
    keys(&world.member, CustodyAct::Deposit).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = RecoveryPhrase::generate(Language::English, &means().vault);
    let wrong = Returning { phrase: stranger, ..returning(&world, &phrase) };
    let failed = recover::restore(profile(elsewhere.path()), wrong, means()).await.err().expect("refused");
    assert!(failed.failure.message.contains("no account has this recovery key"), "{failed}");
    world.center.lie(Lie::OtherCopy);
    let failed = recover::restore(profile(elsewhere.path()), returning(&world, &phrase), means()).await;
    assert_eq!(failed.err().expect("not believed").failure.kind, FailureKind::Contradiction);
    assert!(!vault::Vault::exists(elsewhere.path()));
    let typed = secrecy::ExposeSecret::expose_secret(&phrase).replacen(' ', " zzz ", 1);
    let act = CustodyAct::Drill { phrase: Password(typed.into()) };
    let failed = world.member.act(Act::Custody(act)).await.unwrap_err();
    assert!(failed.message.contains("24 words"), "{failed}");
}

#[tokio::test]
async fn a_vault_whose_passwords_are_forgotten_is_set_aside_and_never_lost() {
    let (world, phrase) = World::with_phrase().await;
    keys(&world.member, CustodyAct::Deposit).await.unwrap();
    let World { center, store, member, folder } = world;
    let here = || Returning {
        invitation: center.invitation(),
        phrase: RecoveryPhrase::parse(&phrase).unwrap(),
        passwords: Passwords::Two { a: "another window here".into(), b: "another door behind".into() },
        set_aside: true,
    };
    let former = fs::read(folder.path().join(vault::FILE)).unwrap();
    let held = recover::restore(profile(folder.path()), here(), means()).await.err().expect("it is open");
    assert_eq!((held.failure.kind, held.made), (FailureKind::Held, false), "{held}");
    drop(member);
    drop(open(folder.path()).await.unwrap());
    let stranger = RecoveryPhrase::generate(Language::English, &means().vault);
    let wrong = Returning { phrase: stranger, ..here() };
    let refused = recover::restore(profile(folder.path()), wrong, means()).await.err().expect("refused");
    assert!(!refused.made, "{refused}");
    drop(open(folder.path()).await.expect("a wrong phrase moves nothing"));
    let (restored, back) = until_free(|| recover::restore(profile(folder.path()), here(), means())).await;
    let aside = restored.set_aside.expect("set aside");
    assert!(fs::read(folder.path().join(&aside)).unwrap().len() >= former.len(), "{aside}");
    back.act(Act::Sync).await.unwrap();
    assert_eq!(back.snapshot().cards.len(), 1);
    drop((back, center, store));
    assert_eq!(
        open(folder.path()).await.err().expect("its password is another").kind,
        FailureKind::WrongPassword
    );
}

/// Restores once what had the vault before has let go.
async fn until_free<F>(mut restore: impl FnMut() -> F) -> (Restored, Handle)
where
    F: Future<Output = Result<(Restored, Handle), Unrestored>>,
{
    for _ in 0..500 {
        match restore().await {
            Err(unrestored) if unrestored.failure.kind == FailureKind::Held => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            other => return other.unwrap(),
        }
    }
    panic!("the vault is still held")
}

#[tokio::test]
async fn an_account_that_is_held_says_so_without_a_line_too() {
    let world = World::with_card().await;
    let until = Timestamp(Timestamp::now().0 + 3_600_000);
    world.center.hold(ME, Some(until));
    let world = world.reopened().await;
    assert!(world.snapshot().custody.held.is_none(), "nobody has said it yet");
    world.member.act(Act::Sync).await.unwrap();
    assert_eq!(world.snapshot().custody.held.as_ref().unwrap().unix_ms, until.0);
    let world = world.reopened().await;
    assert_eq!(world.snapshot().custody.held.as_ref().unwrap().unix_ms, until.0, "it is on disk");
    world.center.hold(ME, None);
    world.member.act(Act::Sync).await.unwrap();
    assert!(world.snapshot().custody.held.is_none());
    let world = world.reopened().await;
    assert!(world.snapshot().custody.held.is_none(), "that it is over is on disk too");
}

#[tokio::test]
async fn the_drill_proves_the_phrase_and_notes_the_date() {
    let (world, phrase) = World::with_phrase().await;
    assert!(world.snapshot().custody.recovery.proved.is_none());
    let drilled = drill(&world.member, &phrase).await.unwrap();
    assert!(drilled.compared > 0);
    assert!(world.snapshot().custody.recovery.proved.is_some());
    assert!(world.snapshot().custody.recovery.words().contains("a drill proved it"));
    world.center.lie(Lie::OtherCopy);
    assert_eq!(drill(&world.member, &phrase).await.unwrap_err().kind, FailureKind::Contradiction);
    let world = world.reopened().await;
    assert!(world.snapshot().custody.recovery.proved.is_some(), "the date is on disk");
}

#[tokio::test]
async fn a_new_phrase_waits_unless_the_old_one_asks_and_the_old_one_can_cancel() {
    let (world, old) = World::with_phrase().await;
    let fresh = || RecoveryPhrase::generate(Language::English, &means().vault).words().join(" ");
    let new = fresh();
    let act = |phrase: &str, former: Option<&SecretString>| CustodyAct::NewPhrase {
        phrase: phrase.into(),
        former: former.cloned().map(Password),
        password_b: B.into(),
    };
    let view = keys(&world.member, act(&new, None)).await.unwrap();
    assert!(view.waiting_from.is_some() && view.waiting_change.is_some(), "{view:?}");
    let again = keys(&world.member, act(&fresh(), None)).await.unwrap_err();
    assert!(again.message.contains("not settled yet"), "{again}");
    let cancel = |phrase: &str| CustodyAct::CancelChange { phrase: phrase.into() };
    let stranger = keys(&world.member, cancel(&new)).await.unwrap_err();
    assert!(stranger.message.contains("not the one"), "{stranger}");
    let view = keys(&world.member, cancel(secrecy::ExposeSecret::expose_secret(&old))).await.unwrap();
    assert!(view.waiting_from.is_none());
    let own = view.own.iter().find(|key| key.role == "recovery").unwrap();
    assert!(own.waits.is_none());

    // Asked for again, it comes into force when the time is over, and then brings the account back.
    keys(&world.member, act(&new, None)).await.unwrap();
    world.center.three_days_pass(ME);
    let world = world.reopened().await;
    let view = keys(&world.member, CustodyAct::Keys).await.unwrap();
    assert!(view.recovery.registered && view.own.iter().all(|key| key.waits.is_none()), "{view:?}");
    drill(&world.member, &new.as_str().into()).await.unwrap();
    // With the phrase in force in hand the next one is in force at once.
    let newest = fresh();
    let view = keys(&world.member, act(&newest, Some(&new.as_str().into()))).await.unwrap();
    assert!(view.waiting_from.is_none() && view.recovery.registered, "{view:?}");
    drill(&world.member, &newest.as_str().into()).await.unwrap();
}

#[tokio::test]
async fn the_first_phrase_of_an_account_is_in_force_at_once() {
    let world = World::with_card().await;
    assert!(!world.snapshot().custody.recovery.phrase);
    let words = RecoveryPhrase::generate(Language::Japanese, &means().vault).words().join(" ");
    let act = CustodyAct::NewPhrase { phrase: words.as_str().into(), former: None, password_b: B.into() };
    let view = keys(&world.member, act).await.unwrap();
    assert!(view.recovery.registered && view.waiting_from.is_none(), "{view:?}");
    drill(&world.member, &words.as_str().into()).await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_signs_nothing_until_the_phrase_makes_another() {
    let (world, phrase) = World::with_phrase().await;
    let order = world.order(1).await.unwrap().order;
    let revoke = CustodyAct::Revoke { role: KeyRole::Signature, password_b: B.into(), phrase: None };
    keys(&world.member, revoke).await.unwrap();
    assert_eq!(world.center.key(ME, KeyRole::Signature), None);
    let refused = world.pay(&order).await.unwrap_err();
    assert!(refused.message.contains("the recovery phrase puts a new one in force"), "{refused}");
    assert!(world.snapshot().custody.alarm.is_none(), "what one did oneself is no alarm");
    let by_phrase = CustodyAct::Rotate {
        role: KeyRole::Signature,
        password_b: B.into(),
        phrase: Some(Password(phrase)),
        autograph: None,
    };
    keys(&world.member, by_phrase).await.unwrap();
    assert_eq!(world.pay(&order).await.unwrap().state, PurchaseState::Settled);
}

#[tokio::test]
async fn password_b_may_be_in_force_for_a_while() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let bare = || Act::Pay { order: order.to_string(), card: None, password_b: None, prepare: false };
    assert_eq!(world.member.act(bare()).await.unwrap_err().kind, FailureKind::WrongPassword);
    let open = |minutes| Act::Custody(CustodyAct::OpenSigning { password_b: B.into(), minutes });
    for minutes in [0, 61] {
        assert_eq!(world.member.act(open(minutes)).await.unwrap_err().kind, FailureKind::NotPossible);
    }
    world.member.act(open(5)).await.unwrap();
    assert!(world.snapshot().custody.signing_until.is_some());
    world.member.act(bare()).await.unwrap();
    world.member.act(Act::Custody(CustodyAct::CloseSigning)).await.unwrap();
    assert!(world.snapshot().custody.signing_until.is_none());
    let other = world.order(1).await.unwrap().order;
    let act = Act::Pay { order: other.to_string(), card: None, password_b: None, prepare: false };
    assert_eq!(world.member.act(act).await.unwrap_err().kind, FailureKind::WrongPassword);
}

#[tokio::test]
async fn copies_are_deposited_by_themselves_and_not_too_often() {
    let (world, _) = World::with_phrase().await;
    world.member.act(Act::Sync).await.unwrap();
    let deposits = world.center.deposits();
    assert!(deposits >= 1, "the first line after the registration deposits one");
    for _ in 0..3 {
        world.order(1).await.unwrap();
        world.member.act(Act::Sync).await.unwrap();
    }
    assert_eq!(world.center.deposits(), deposits, "not at every change");
    assert!(world.snapshot().custody.recovery.due);
    rotate(&world.member, KeyRole::Terminal).await.unwrap();
    assert_eq!(world.center.deposits(), deposits + 1, "at once where a key has changed");
}
