//! Operators act alone or in twos, under names, keys and passphrases of their own.

mod common;

use std::fs;

use common::{LIMIT, OPERATOR, Place, Sale, Terminal, act, check_books};
use ledger::request::OperatorRole;
use secrecy::SecretString;
use tui_center::{
    acts::{Act, ActError, Identity, Outcome, Passphrase, StaffAct, StaffOutcome},
    places::Places,
    serve::Server,
};
use wire::{
    id::{EntryNumber, Role},
    message::{Beside, Effect, Verdict},
    payload::RefundReason,
    receipt::Receipt,
};

const BEN: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ben@center";

fn secret(text: &str) -> Passphrase {
    Passphrase(SecretString::from(text))
}

async fn pays(member: &Terminal, store: &Terminal, card: wire::id::CardNumber) -> Receipt {
    let sale = Sale::offered(store, 100);
    match member.submit(&sale.payment(member, store, card), Beside::Nothing).await.unwrap() {
        Verdict::Done { effect: Effect::Paid { .. }, receipt } => receipt,
        other => panic!("{other:?}"),
    }
}

async fn staff(server: &Server, name: &str, passphrase: &str, act: StaffAct) -> Result<Outcome, ActError> {
    let identity = Identity { name: name.into(), passphrase: secret(passphrase) };
    server.center().act_as(Some(identity), act.into()).await
}

fn add_ben() -> StaffAct {
    StaffAct::Add {
        name: "ben".into(),
        role: OperatorRole::Admin,
        ssh_key: BEN.into(),
        passphrase: secret("ben's passphrase"),
    }
}

fn proposal(outcome: &Outcome) -> EntryNumber {
    match outcome {
        Outcome::Proposed(row) => row.number,
        other => panic!("{other:?}"),
    }
}

async fn is_on(server: &Server) -> bool {
    let off = match act(server, Act::Report { day: None }).await.unwrap() {
        Outcome::Report(report) => report.four_eyes_off,
        other => panic!("{other:?}"),
    };
    let on = limits_say_on(server).await;
    assert_eq!(off.is_empty(), on, "the day's report says so too: {off:?}");
    on
}

async fn limits_say_on(server: &Server) -> bool {
    match staff(server, "ada", OPERATOR, StaffAct::Limits).await.unwrap() {
        Outcome::Staff(StaffOutcome::Limits { four_eyes, .. }) => four_eyes.iter().all(|it| it.on),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_two_admins_settings_take_both_and_with_one_they_say_so() {
    let place = Place::found();
    let server = place.serve().await;
    assert!(!is_on(&server).await);
    let added = staff(&server, "ada", OPERATOR, add_ben()).await.unwrap();
    assert!(matches!(added, Outcome::Entered(_)), "with a single admin nobody else is asked: {added:?}");
    assert!(is_on(&server).await);

    let limits = StaffAct::SetLimits { refund_alone: wire::amount::Amount::new(5_000), receipt_alone: None };
    let proposed = staff(&server, "ben", "ben's passphrase", limits).await.unwrap();
    let number = proposal(&proposed);
    let own = staff(&server, "ben", "ben's passphrase", StaffAct::Confirm { proposal: number }).await;
    assert_eq!(own.unwrap_err().kind, "refused", "whoever proposed it can't confirm it");
    assert_eq!(server.center().desk().state().limits().refund_alone.minor(), 0);
    staff(&server, "ada", OPERATOR, StaffAct::Confirm { proposal: number }).await.unwrap();
    assert_eq!(server.center().desk().state().limits().refund_alone.minor(), 5_000);
    let twice = staff(&server, "ada", OPERATOR, StaffAct::Confirm { proposal: number }).await;
    assert_eq!(twice.unwrap_err().kind, "not-found");

    // A passphrase that is reset takes two as well: with it an admin could act as somebody else.
    let reset = StaffAct::SetPassphrase { name: Some("ben".into()), passphrase: secret("chosen by ada") };
    let number = proposal(&staff(&server, "ada", OPERATOR, reset).await.unwrap());
    assert!(staff(&server, "ben", "chosen by ada", StaffAct::Limits).await.is_err());
    staff(&server, "ben", "ben's passphrase", StaffAct::Confirm { proposal: number }).await.unwrap();
    // It serves to choose another one, and for nothing else.
    let given = staff(&server, "ben", "chosen by ada", StaffAct::Limits).await.unwrap_err();
    assert_eq!(given.kind, "passphrase-given");
    assert!(given.words.contains("operator passphrase --as ben"), "{given}");
    let console = Identity { name: "ben".into(), passphrase: secret("chosen by ada") };
    assert_eq!(server.center().sign_in(console).await.unwrap_err().kind, "passphrase-given");
    let same = StaffAct::SetPassphrase { name: None, passphrase: secret("chosen by ada") };
    let same = staff(&server, "ben", "chosen by ada", same).await.unwrap_err();
    assert!(same.words.contains("another operator chose"), "{same}");
    let own = StaffAct::SetPassphrase { name: None, passphrase: secret("chosen by ben") };
    staff(&server, "ben", "chosen by ada", own).await.unwrap();
    assert_eq!(
        staff(&server, "ben", "chosen by ada", StaffAct::Limits).await.unwrap_err().kind,
        "not-believed"
    );

    // Taken off: the console that is still open is refused too.
    let ben = server.center().operators().list().into_iter().find(|it| it.name == "ben").unwrap();
    let remove = StaffAct::Remove { name: "ben".into() };
    let number = proposal(&staff(&server, "ada", OPERATOR, remove.clone()).await.unwrap());
    staff(&server, "ada", OPERATOR, StaffAct::Withdraw { proposal: number }).await.unwrap();
    let number = proposal(&staff(&server, "ada", OPERATOR, remove).await.unwrap());
    staff(&server, "ben", "chosen by ben", StaffAct::Confirm { proposal: number }).await.unwrap();
    let late = server.center().act(Some(&ben), Act::Desk).await.unwrap_err();
    assert_eq!(late.kind, "not-allowed");
    assert!(staff(&server, "ben", "chosen by ben", StaffAct::Limits).await.is_err());
    assert!(!is_on(&server).await);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposed_operator_waits_over_a_restart_and_a_clerk_may_little() {
    let place = Place::found();
    let server = place.serve().await;
    staff(&server, "ada", OPERATOR, add_ben()).await.unwrap();
    let clerk = StaffAct::Add {
        name: "cleo".into(),
        role: OperatorRole::Clerk,
        ssh_key: BEN.replace("GKJl ben", "GKJm cleo"),
        passphrase: secret("cleo's passphrase"),
    };
    let same = StaffAct::Add {
        name: "benjamin".into(),
        role: OperatorRole::Admin,
        ssh_key: BEN.replace("ben@", "benjamin@"),
        passphrase: secret("ben's passphrase"),
    };
    let refused = staff(&server, "ada", OPERATOR, same).await.unwrap_err();
    assert!(refused.words.contains("key of operator ben"), "one person under two names: {refused}");
    let number = proposal(&staff(&server, "ada", OPERATOR, clerk).await.unwrap());
    server.stop().await.unwrap();
    let server = place.serve().await;
    assert!(staff(&server, "cleo", "cleo's passphrase", StaffAct::Limits).await.is_err());
    staff(&server, "ben", "ben's passphrase", StaffAct::Confirm { proposal: number }).await.unwrap();
    staff(&server, "cleo", "cleo's passphrase", StaffAct::Limits).await.unwrap();
    for act in [
        StaffAct::Remove { name: "ben".into() },
        StaffAct::SetPassphrase { name: Some("ben".into()), passphrase: secret("chosen by cleo") },
        StaffAct::SetLimits { refund_alone: None, receipt_alone: None },
    ] {
        let refused = staff(&server, "cleo", "cleo's passphrase", act).await.unwrap_err();
        assert_eq!(refused.kind, "not-allowed", "{refused}");
    }
    // The file that proves identities is not believed against the books.
    server.stop().await.unwrap();
    let file = Places::of(&place.profile).operators;
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"clerk\"", "\"admin\"")).unwrap();
    let server = place.serve().await;
    let refused = staff(&server, "cleo", "cleo's passphrase", StaffAct::Remove { name: "ben".into() }).await;
    assert_eq!(refused.unwrap_err().kind, "not-allowed");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_by_the_center_above_the_limit_takes_two_clerks() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 1_000).await;
    let payment = pays(&member, &store, card).await.leaf.entry;
    staff(&server, "ada", OPERATOR, add_ben()).await.unwrap();
    let refund = StaffAct::Refund { payment, reason: RefundReason::Agreed.words().into() };
    let number = proposal(&staff(&server, "ada", OPERATOR, refund).await.unwrap());
    staff(&server, "ben", "ben's passphrase", StaffAct::Confirm { proposal: number }).await.unwrap();
    assert_eq!(member.line.cards(LIMIT).await.unwrap()[0].balance.minor(), 1_000);
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_name_and_of_one_key_only_one_proposal_waits() {
    let place = Place::found();
    let server = place.serve().await;
    staff(&server, "ada", OPERATOR, add_ben()).await.unwrap();
    let add = |name: &str, key: &str| StaffAct::Add {
        name: name.into(),
        role: OperatorRole::Clerk,
        ssh_key: format!("{} {name}", BEN.replace("GKJl ben@center", key)),
        passphrase: secret("a passphrase"),
    };
    let number = proposal(&staff(&server, "ada", OPERATOR, add("cleo", "GKJm")).await.unwrap());
    let size = server.center().desk().reader().size();
    for (act, words) in [
        (add("cleo", "GKJn"), "proposes something about cleo already"),
        (add("dora", "GKJm"), "proposes for cleo"),
        (add("dora", "GKJl"), "key of operator ben"),
    ] {
        let refused = staff(&server, "ben", "ben's passphrase", act).await.unwrap_err();
        assert!(refused.kind == "refused" && refused.words.contains(words), "{refused}");
    }
    assert_eq!(server.center().desk().reader().size(), size, "nothing was entered");
    // Asked at one time from two consoles: one of them waits.
    let (one, other) = tokio::join!(
        staff(&server, "ada", OPERATOR, add("dora", "GKJo")),
        staff(&server, "ben", "ben's passphrase", add("dana", "GKJo"))
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    // The first one is as it was: confirmed, its own passphrase counts.
    staff(&server, "ben", "ben's passphrase", StaffAct::Confirm { proposal: number }).await.unwrap();
    staff(&server, "cleo", "a passphrase", StaffAct::Limits).await.unwrap();
    // What concerns an operator who is there waits alone too.
    let role = |role| StaffAct::Role { name: "cleo".into(), role };
    let number = proposal(&staff(&server, "ada", OPERATOR, role(OperatorRole::Supervisor)).await.unwrap());
    let reset = StaffAct::SetPassphrase { name: Some("cleo".into()), passphrase: secret("chosen by ben") };
    for act in [role(OperatorRole::Viewer), StaffAct::Remove { name: "cleo".into() }, reset] {
        let refused = staff(&server, "ben", "ben's passphrase", act).await.unwrap_err();
        assert!(refused.words.contains("already; confirm or withdraw"), "{refused}");
    }
    staff(&server, "ada", OPERATOR, StaffAct::Withdraw { proposal: number }).await.unwrap();
    staff(&server, "ada", OPERATOR, role(OperatorRole::Viewer)).await.unwrap();
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_added_anew_chooses_another_passphrase_first() {
    let place = Place::found();
    let server = place.serve().await;
    let add = |passphrase: &str| StaffAct::Add {
        name: "cleo".into(),
        role: OperatorRole::Viewer,
        ssh_key: BEN.into(),
        passphrase: secret(passphrase),
    };
    staff(&server, "ada", OPERATOR, add("cleo's passphrase")).await.unwrap();
    staff(&server, "cleo", "cleo's passphrase", StaffAct::Operators).await.unwrap();
    staff(&server, "ada", OPERATOR, add("chosen by ada")).await.unwrap();
    let given = staff(&server, "cleo", "chosen by ada", StaffAct::Operators).await.unwrap_err();
    assert_eq!(given.kind, "passphrase-given");
    server.stop().await.unwrap();
    // A restart does not make it an own one.
    let server = place.serve().await;
    let others = StaffAct::SetPassphrase { name: Some("ada".into()), passphrase: secret("chosen by cleo") };
    let given = staff(&server, "cleo", "chosen by ada", others).await.unwrap_err();
    assert_eq!(given.kind, "passphrase-given");
    let own = StaffAct::SetPassphrase { name: Some("cleo".into()), passphrase: secret("chosen by cleo") };
    staff(&server, "cleo", "chosen by ada", own).await.unwrap();
    staff(&server, "cleo", "chosen by cleo", StaffAct::Operators).await.unwrap();
    server.stop().await.unwrap();
}
