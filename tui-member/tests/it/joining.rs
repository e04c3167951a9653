//! The seven steps, and every wrong turn between them.

use std::fs;

use tui_member::{
    act::{Act, CustodyAct, FailureKind, Outcome},
    engine::Handle,
    join::{self, Filled, Newcomer, Registered, Registrant, Stage},
    view::LineView,
};
use vault::{
    Passwords,
    recovery::{Language, RecoveryPhrase},
};
use wire::{
    admission::{ActivationCode, ApplicationState},
    id::MemberNumber,
    text::Prose,
    time::Timestamp,
};

use crate::{
    center::{FakeCenter, Letter, Lie},
    world::{A, B, fields, means, newcomer, open, profile, registrant},
};

async fn apply(center: &FakeCenter, folder: &std::path::Path) -> (Stage, Handle) {
    join::join(profile(folder), newcomer(center, fields()), means()).await.unwrap()
}

fn number(stage: &Stage) -> String {
    match stage {
        Stage::Applied(view) => view.number.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_seven_steps_one_after_the_other() {
    let center = FakeCenter::start().await;
    center.decide_by_hand();
    let welcome = join::welcome(&center.invitation(), means().patience).await.unwrap();
    assert!(welcome.guide.text.contains("Bring your papers"));
    let folder = tempfile::tempdir().unwrap();
    let filled = Filled { form: Some(welcome.form), values: fields() };
    let phrase = RecoveryPhrase::generate(Language::Japanese, &means().vault);
    let newcomer = Newcomer { filled, phrase: Some(phrase), ..newcomer(&center, Vec::new()) };
    let (stage, member) = join::join(profile(folder.path()), newcomer, means()).await.unwrap();
    assert_eq!((stage.word(), number(&stage).starts_with("A-000001")), ("waiting", true));
    assert_eq!(member.kit().await.unwrap().terms.version, 4, "the kit is here");

    let letter = center.admit();
    assert_eq!(member.ask_application().await.unwrap().word(), "admitted");
    let registered = member.register(registrant(&member, letter).await).await.unwrap();
    let Registered::Joined(joined) = registered else { panic!("{registered:?}") };
    assert_eq!(joined.member.to_string(), "M-000001-3");
    assert!(joined.recovery, "the phrase was still in memory, and its key signed");
    assert_eq!(member.stage().await, Stage::Joined);
    member.act(Act::Sync).await.unwrap();
    let snapshot = member.snapshot();
    assert!(matches!(snapshot.line, LineView::Connected { .. }));
    assert!(snapshot.custody.alarm.is_none() && snapshot.custody.recovery.registered);
    let key = center.key(MemberNumber(1), wire::payload::KeyRole::Signature).unwrap();
    assert_eq!(joined.fingerprint, key.fingerprint(), "both sides see the same fingerprint");
}

#[tokio::test]
async fn a_newcomer_with_wrong_fields_or_passwords_has_no_vault() {
    let center = FakeCenter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = vec![("name".to_owned(), String::new()), ("born".to_owned(), "long ago".to_owned())];
    let words = join::join(profile(folder.path()), newcomer(&center, wrong), means()).await;
    let words = words.err().expect("refused").message;
    assert!(words.contains("Name is missing") && words.contains("Date of birth is a date"), "{words}");
    for passwords in [
        Passwords::Two { a: A.into(), b: A.into() },
        Passwords::Two { a: A.into(), b: "password1".into() },
        Passwords::Two { a: "Ada Lovelace".into(), b: B.into() },
    ] {
        let newcomer = Newcomer { passwords, ..newcomer(&center, fields()) };
        assert!(join::join(profile(folder.path()), newcomer, means()).await.is_err());
    }
    assert!(!vault::Vault::exists(folder.path()));
    assert_eq!(center.applications(), 0);
}

#[tokio::test]
async fn a_form_that_changed_since_it_was_shown_is_not_signed() {
    let center = FakeCenter::start().await;
    let welcome = join::welcome(&center.invitation(), means().patience).await.unwrap();
    center.lie(Lie::OtherForm);
    let folder = tempfile::tempdir().unwrap();
    let filled = Filled { form: Some(welcome.form), values: fields() };
    let newcomer = Newcomer { filled, ..newcomer(&center, Vec::new()) };
    let failed = join::join(profile(folder.path()), newcomer, means()).await.err().expect("refused");
    assert!(failed.message.contains("changed its form"), "{failed}");
    assert_eq!(center.applications(), 0);
}

#[tokio::test]
async fn a_kit_that_does_not_hold_is_not_taken_and_leaves_an_alarm() {
    for (lie, words) in [(Lie::KitOfAnother, "not signed by"), (Lie::OlderKit, "was seen before")] {
        let center = FakeCenter::start().await;
        let folder = tempfile::tempdir().unwrap();
        let (_, member) = apply(&center, folder.path()).await;
        center.lie(lie);
        let failed = member.fetch_kit().await.unwrap_err();
        assert_eq!(failed.kind, FailureKind::Contradiction);
        assert!(failed.message.contains(words), "{failed}");
        assert!(
            member.snapshot().messages.iter().any(|one| one.alarm && one.words.contains("admission kit"))
        );
        let letter = center.letter();
        let failed = member.register(registrant(&member, letter).await).await.unwrap_err();
        assert_eq!(failed.kind, FailureKind::Contradiction, "nothing is signed under such a kit: {failed}");
        center.lie(Lie::None);
        let letter = center.letter();
        member.register(registrant(&member, letter).await).await.unwrap();
    }
}

#[tokio::test]
async fn a_vault_without_its_kit_goes_on_and_says_that_the_application_is_there() {
    let center = FakeCenter::start().await;
    center.lie(Lie::KitOfAnother);
    let folder = tempfile::tempdir().unwrap();
    let failed = join::join(profile(folder.path()), newcomer(&center, fields()), means()).await;
    let failed = failed.err().expect("no kit");
    assert!(failed.message.starts_with("the application is with the center"), "{failed}");
    center.lie(Lie::None);
    let member = open(folder.path()).await.unwrap();
    assert_eq!(member.stage().await.word(), "admitted");
    member.fetch_kit().await.unwrap();
    member.register(registrant(&member, center.letter()).await).await.unwrap();
}

#[tokio::test]
async fn wrong_used_and_expired_codes_are_words_and_the_right_one_still_counts() {
    let center = FakeCenter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, member) = apply(&center, folder.path()).await;
    let Letter { number, code } = center.letter();
    let with = |number, code| Letter { number, code };
    for (letter, words) in [
        (with(number, ActivationCode::generate()), "code is wrong"),
        (with(MemberNumber(77), code.clone()), "another application"),
    ] {
        let failed = member.register(registrant(&member, letter).await).await.unwrap_err();
        assert!(failed.message.contains(words), "{failed}");
        assert_eq!(member.stage().await.word(), "admitted", "it can be typed again");
    }
    let spent = ApplicationState::Admitted { ways: Default::default(), until: Timestamp(1) };
    center.decide_so(spent);
    let failed = member.register(registrant(&member, with(number, code.clone())).await).await.unwrap_err();
    assert!(failed.message.contains("expired"), "{failed}");
    let letter = center.admit();
    member.register(registrant(&member, letter).await).await.unwrap();
    let again = tempfile::tempdir().unwrap();
    let (_, other) = apply(&center, again.path()).await;
    let failed = other.register(registrant(&other, with(number, code)).await).await.unwrap_err();
    assert!(failed.message.contains("another application"), "{failed}");
}

#[tokio::test]
async fn without_the_right_password_b_nothing_is_registered() {
    let center = FakeCenter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, member) = apply(&center, folder.path()).await;
    let wrong =
        Registrant { password_b: "not that one".into(), ..registrant(&member, center.letter()).await };
    assert_eq!(member.register(wrong).await.unwrap_err().kind, FailureKind::WrongPassword);
    assert_eq!(member.stage().await.word(), "admitted");
}

#[tokio::test]
async fn the_center_may_end_between_any_two_steps() {
    let center = FakeCenter::start().await;
    center.decide_by_hand();
    let folder = tempfile::tempdir().unwrap();
    center.lie(Lie::Busy);
    let failed = join::join(profile(folder.path()), newcomer(&center, fields()), means()).await;
    assert!(failed.is_err(), "a busy center gives no form");
    center.lie(Lie::None);
    let (_, member) = apply(&center, folder.path()).await;
    center.die();
    assert_eq!(member.ask_application().await.unwrap_err().kind, FailureKind::Offline);
    drop(member);
    center.come_back().await;
    let member = open(folder.path()).await.unwrap();
    assert_eq!(member.stage().await.word(), "waiting");
    let letter = center.admit();
    center.die();
    let failed = member.register(registrant(&member, letter).await).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Offline, "{failed}");
    assert_eq!(member.stage().await.word(), "waiting", "nothing is signed without a line");
    center.come_back().await;
    let letter = center.letter();
    member.register(registrant(&member, letter).await).await.unwrap();
    assert_eq!(center.applications(), 1, "one application all the while");
}

#[tokio::test]
async fn a_registration_whose_answer_lies_is_sent_again_with_the_same_bytes() {
    let center = FakeCenter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, member) = apply(&center, folder.path()).await;
    center.lie(Lie::TamperedReceipt);
    let lied = member.register(registrant(&member, center.letter()).await).await.unwrap_err();
    assert_eq!(lied.kind, FailureKind::Contradiction);
    assert_eq!(member.stage().await, Stage::Sent);
    center.lie(Lie::None);
    drop(member);
    let member = open(folder.path()).await.unwrap();
    let joined = member.send_registration().await.unwrap();
    assert_eq!(joined.member.to_string(), "M-000001-3", "the same registration, the same number");
    assert_eq!(member.stage().await, Stage::Joined);
}

#[tokio::test]
async fn asked_back_it_is_amended_with_the_same_key_and_number() {
    let center = FakeCenter::start().await;
    center.decide_by_hand();
    let folder = tempfile::tempdir().unwrap();
    let (first, member) = apply(&center, folder.path()).await;
    center.decide_so(ApplicationState::AskedBack { words: Prose::new("Your birth date, please.").unwrap() });
    let stage = member.ask_application().await.unwrap();
    assert!(stage.words().contains("Your birth date, please."), "{}", stage.words());
    let better = vec![("name".into(), "Ada King".into()), ("born".into(), "1815-12-10".into())];
    let filled = Filled { form: None, values: better };
    let again = member.apply_again(&filled, B.into()).await.unwrap();
    assert_eq!((again.word(), number(&again)), ("waiting", number(&first)));
    assert_eq!(center.applications(), 1);
    let letter = center.admit();
    member.register(registrant(&member, letter).await).await.unwrap();
}

#[tokio::test]
async fn a_registration_prepared_offline_waits_and_is_sent_later() {
    let center = FakeCenter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, member) = apply(&center, folder.path()).await;
    let letter = center.letter();
    center.die();
    let offline = Registrant { prepare: true, ..registrant(&member, letter).await };
    let Registered::Prepared(telegram) = member.register(offline).await.unwrap() else { panic!("sent") };
    assert_eq!(member.stage().await, Stage::Prepared);
    drop(member);
    let member = open(folder.path()).await.unwrap();
    let row = &member.snapshot().outbox[0];
    assert_eq!((row.telegram, row.kind.as_str(), row.sent), (telegram, "registration", false));
    assert!(row.valid_until.is_some());
    let failed = member.act(Act::Send { telegram: None }).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Offline);
    center.come_back().await;
    let Outcome::Resolved(sent) = member.act(Act::Send { telegram: None }).await.unwrap() else {
        panic!("what was sent")
    };
    assert_eq!(sent[0].outcome, "registered");
    assert_eq!(member.stage().await, Stage::Joined);
    member.act(Act::Sync).await.unwrap();
}

#[tokio::test]
async fn two_copies_with_one_code_register_once() {
    let center = FakeCenter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (_, member) = apply(&center, folder.path()).await;
    drop(member);
    drop(open(folder.path()).await.unwrap());
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join(vault::FILE), copy.path().join(vault::FILE)).unwrap();
    let (one, other) = (open(folder.path()).await.unwrap(), open(copy.path()).await.unwrap());
    let Letter { number, code } = center.letter();
    one.register(registrant(&one, Letter { number, code: code.clone() }).await).await.unwrap();
    let failed = other.register(registrant(&other, Letter { number, code }).await).await.unwrap_err();
    assert!(failed.message.contains("used before"), "{failed}");
    assert_eq!(other.ask_application().await.unwrap().word(), "registered", "the center's word decides");
}

#[tokio::test]
async fn a_newer_program_is_offered_fetched_resumably_and_checked() {
    let center = FakeCenter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let member = crate::world::joined(&center, folder.path(), None).await;
    assert!(member.snapshot().custody.kit.as_ref().unwrap().newer.is_none());
    let program: Vec<u8> = (0..200_000u32).map(|at| (at % 251) as u8).collect();
    center.offer_build(program.clone());
    let download = Act::Custody(CustodyAct::Download);
    center.lie(Lie::OtherBuild);
    let failed = member.act(download.clone()).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Contradiction);
    let builds = folder.path().join("builds");
    assert_eq!(fs::read_dir(&builds).unwrap().count(), 0, "nothing of it is kept");
    center.lie(Lie::None);
    fs::write(builds.join("tui-member-99.1.0.part"), &program[..150_000]).unwrap();
    let before = center.pieces();
    let Outcome::Build(build) = member.act(download).await.unwrap() else { panic!("a build") };
    assert_eq!(fs::read(&build.file).unwrap(), program);
    assert_eq!(center.pieces() - before, 1, "only what was missing was fetched");
    let kit = member.snapshot().custody.kit.clone().unwrap();
    assert_eq!(kit.newer.unwrap().as_str(), "99.1.0", "offered, and not installed");
}
