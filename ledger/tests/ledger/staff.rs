//! Founding, operators, documents, personal data, acts for two.

use crate::world::{DAY_MS, World, check, not_possible, settings, yen};
use ledger::{
    Outcome, Refusal, Request, four_eyes,
    request::{DeskLimits, Document, OperatorAct, OperatorRole, Person, Proposed, Settings},
};
use wire::{
    id::{AccountNumber, ApplicationNumber, Digest, EntryNumber, Role},
    receipt::EntryKind,
    time::Timestamp,
};

#[test]
fn one_operator_stays_admin() {
    let mut world = World::founded();
    let operator = |name: &str, role, by: Option<&str>| Request::Operator {
        name: name.into(),
        role,
        key: Digest([1; 32]),
        by: by.map(str::to_owned),
    };
    check(&mut world, operator("eve", Some(OperatorRole::Admin), None), Refusal::NotAllowed);
    check(&mut world, operator("eve", Some(OperatorRole::Clerk), Some("sue")), Refusal::NotAllowed);
    assert!(not_possible(&world.ask(operator("anna", None, Some("anna")))).contains("must stay admin"));
    assert!(not_possible(&world.ask(operator("ghost", None, Some("anna")))).contains("no such operator"));
    assert!(
        not_possible(&world.ask(operator("", Some(OperatorRole::Clerk), Some("anna")))).contains("bytes")
    );
    world.done(operator("sue", Some(OperatorRole::Admin), Some("anna")));
    // With two of them it takes both.
    check(&mut world, operator("anna", None, Some("sue")), Refusal::NeedsSecond);
    let act = Proposed::of(&operator("anna", None, Some("sue"))).unwrap();
    assert_eq!(world.together("sue", "anna", act).refusal(), None);
    assert_eq!(world.state.operator("anna"), None);
    assert_eq!(world.state.operator_key("sue"), Some(Digest([1; 32])));
}

#[test]
fn nothing_happens_before_the_founding_and_it_happens_once() {
    let mut world = World::founded();
    let found = Request::Found(settings());
    assert!(not_possible(&world.ask(found)).contains("founded already"));
    assert!(
        not_possible(&world.ask(Request::Sheet {
            number: 1,
            digest: Digest([2; 32]),
            by: Some("anna".into())
        }))
        .contains("in force")
    );
    let state = ledger::State::new();
    let entry = ledger::decide(&state, &Request::Lapse { request: EntryNumber(0) }, Timestamp(5));
    assert!(not_possible(&entry).contains("not founded yet"));
}

/// An entry of each kind that always takes two, and one above the limit.
fn acts_for_two(world: &mut World) -> Vec<Proposed> {
    let member = world.member();
    let account = AccountNumber::Member(member);
    let store = world.store();
    let card = world.card(member, 10_000);
    let payment = world.paid(card, store, 501);
    let (request, _) = world.requested(member, 501);
    let receipts = [world.state.next(), EntryNumber(world.state.next().0 + 1)];
    for _ in receipts {
        let credit = world.credit(None, 501);
        world.done(Request::Credit(credit));
    }
    let admission = world.admitted(Role::Member);
    let replacement = world.replacement(account);
    let (until, key, ways) = (world.soon(), world.key(), vec![wire::admission::Way::Mail]);
    vec![
        Proposed::CenterRefund { payment, reason: "asked for".into() },
        Proposed::AssignReceipt { receipt: receipts[0], request },
        Proposed::ReturnReceipt { receipt: receipts[1] },
        Proposed::Recode { admission, until, key, ways, reason: "broken".into() },
        Proposed::of(&Request::Admit(replacement)).unwrap(),
        Proposed::Document { document: Document::Terms, version: 1, digest: Digest([5; 32]) },
        Proposed::Limits(DeskLimits { refund_alone: yen(1), receipt_alone: yen(1) }),
        Proposed::Operator { name: "eve".into(), role: Some(OperatorRole::Viewer), key: Digest([6; 32]) },
    ]
}

fn operator(name: &str, role: Option<OperatorRole>, by: &str) -> Request {
    Request::Operator { name: name.into(), role, key: Digest([1; 32]), by: Some(by.into()) }
}

/// Another admin, so that there are two of every role.
fn second_admin(world: &mut World) {
    world.done(operator("ben", Some(OperatorRole::Admin), "anna"));
}

#[test]
fn some_acts_take_two_operators_where_there_are_two() {
    let mut world = World::founded();
    second_admin(&mut world);
    for act in acts_for_two(&mut world) {
        assert!(four_eyes(&world.state, &act), "{act:?}");
        check(&mut world, act.request("anna"), Refusal::NeedsSecond);
        let proposal = world.state.next();
        let propose = Request::Propose { by: "anna".into(), act: Box::new(act.clone()) };
        let before = world.state.balances().collect::<Vec<_>>();
        let entry = world.ask(propose);
        assert_eq!(entry.decision, ledger::Decision::Done(Outcome::Proposed));
        assert_eq!(world.state.balances().collect::<Vec<_>>(), before, "a proposal does nothing");
        assert_eq!(entry.kind(), EntryKind::Proposal);
        let alone = world.confirmation("anna", proposal);
        check(&mut world, alone, Refusal::SamePerson);
        let viewer = world.confirmation("vic", proposal);
        check(&mut world, viewer, Refusal::NotAllowed);
        let confirm = world.confirmation("ben", proposal);
        let entry = world.ask(confirm.clone());
        assert_eq!(entry.refusal(), None, "{act:?}");
        assert_ne!(entry.kind(), EntryKind::Proposal, "it is about what it does");
        assert!(not_possible(&world.ask(confirm)).contains("no proposal that waits"));
        if let Proposed::Document { document, digest, .. } = act {
            let version = world.state.document(document).unwrap();
            assert_eq!((version.version, version.digest, version.entry), (1, digest, proposal));
        }
    }
}

#[test]
fn a_single_operator_acts_alone() {
    let mut world = World::founded();
    let acts = acts_for_two(&mut world);
    for name in ["sue", "clara", "vic"] {
        world.done(operator(name, None, "anna"));
    }
    for act in acts {
        assert!(!four_eyes(&world.state, &act), "{act:?}");
        let propose = Request::Propose { by: "anna".into(), act: Box::new(act.clone()) };
        assert!(not_possible(&world.ask(propose)).contains("no other operator could confirm"));
        assert_eq!(world.ask(act.request("anna")).refusal(), None, "{act:?}");
    }
}

#[test]
fn what_is_confirmed_is_what_was_proposed_and_still_possible() {
    let mut world = World::founded();
    second_admin(&mut world);
    let act = |version| {
        let document = Document::Policy;
        Box::new(Proposed::Document { document, version, digest: Digest([version as u8; 32]) })
    };
    let propose = |by: &str, version| Request::Propose { by: by.into(), act: act(version) };
    assert!(not_possible(&world.ask(propose("anna", 2))).contains("the next is 1"));
    check(&mut world, propose("sue", 1), Refusal::NotAllowed);
    let first = world.state.next();
    world.done(propose("anna", 1));
    let other = Request::Confirm { by: "ben".into(), proposal: first, act: act(2) };
    assert!(not_possible(&world.ask(other)).contains("look at it again"));
    // Two proposals of one version: the second is refused and not lost.
    let second = world.state.next();
    world.done(propose("ben", 1));
    let confirm = world.confirmation("ben", first);
    world.done(confirm);
    let confirm = world.confirmation("anna", second);
    assert!(not_possible(&world.ask(confirm)).contains("version 1 is in force"));
    assert!(world.state.proposal(second).is_some());
    // Whoever proposed it must still be allowed to.
    let third = world.state.next();
    world.done(propose("ben", 2));
    let demote = Proposed::of(&operator("ben", Some(OperatorRole::Clerk), "anna")).unwrap();
    world.together("anna", "ben", demote);
    world.done(operator("cora", Some(OperatorRole::Admin), "anna"));
    let confirm = world.confirmation("cora", third);
    assert!(not_possible(&world.ask(confirm)).contains("may not do it any more"));
    let withdraw = |by: &str| Request::Withdraw { by: by.into(), proposal: third };
    check(&mut world, withdraw("sue"), Refusal::NotAllowed);
    world.done(withdraw("ben"));
    assert!(not_possible(&world.ask(withdraw("ben"))).contains("no proposal that waits"));
}

#[test]
fn a_proposal_waits_seven_days() {
    let mut world = World::founded();
    second_admin(&mut world);
    let limits = DeskLimits { refund_alone: yen(1), receipt_alone: yen(2) };
    let propose = Request::Propose { by: "anna".into(), act: Box::new(Proposed::Limits(limits)) };
    let (first, second) = (world.state.next(), EntryNumber(world.state.next().0 + 1));
    world.done(propose.clone());
    world.done(propose);
    assert_eq!(world.state.proposals(world.now).count(), 2);
    world.now = world.now.plus_ms(7 * DAY_MS);
    let in_time = world.confirmation("ben", first);
    let late = world.confirmation("ben", second);
    world.done(in_time);
    assert_eq!(world.state.limits(), limits);
    world.now = world.now.plus_ms(1);
    assert_eq!(world.state.proposals(world.now).count(), 0);
    assert!(not_possible(&world.ask(late)).contains("no proposal that waits"));
    assert_eq!(world.state.proposal(second), None);
}

#[test]
fn a_second_operator_is_asked_for_everything_until_limits_are_set() {
    let mut world = World::founded();
    let limits = DeskLimits::default();
    world.done(Request::Limits { by: "anna".into(), limits });
    let receipt = world.state.next();
    let credit = world.credit(None, 1);
    world.done(Request::Credit(credit));
    check(&mut world, Request::ReturnReceipt { by: "sue".into(), receipt }, Refusal::NeedsSecond);
    check(&mut world, Request::Limits { by: "sue".into(), limits }, Refusal::NotAllowed);
}

#[test]
fn documents_have_a_first_version_without_an_operator() {
    let mut world = World::founded();
    let document = |by: Option<&str>, version, digest| Request::Document {
        by: by.map(str::to_owned),
        document: Document::Form(Role::Store),
        version,
        digest: Digest([digest; 32]),
    };
    let entry = world.state.next();
    world.done(document(None, 1, 1));
    check(&mut world, document(None, 2, 2), Refusal::NotAllowed);
    check(&mut world, document(Some("sue"), 2, 2), Refusal::NotAllowed);
    assert_eq!(world.state.document(Document::Form(Role::Store)).unwrap().entry, entry);
    assert_eq!(world.state.document(Document::Form(Role::Member)), None);
    assert!(not_possible(&world.ask(document(Some("anna"), 2, 1))).contains("nothing is changed"));
    assert!(not_possible(&world.ask(document(Some("anna"), 3, 2))).contains("the next is 2"));
    let entry = world.ask(document(Some("anna"), 2, 2));
    assert_eq!((entry.refusal(), entry.kind()), (None, EntryKind::Setting));
}

#[test]
fn a_sheet_after_the_first_takes_an_admin() {
    let mut world = World::founded();
    let sheet =
        |by: Option<&str>| Request::Sheet { number: 2, digest: Digest([2; 32]), by: by.map(str::to_owned) };
    check(&mut world, sheet(None), Refusal::NotAllowed);
    check(&mut world, sheet(Some("sue")), Refusal::NotAllowed);
    world.done(sheet(Some("anna")));
    assert_eq!(world.state.sheet(), Some((2, Digest([2; 32]))));
}

#[test]
fn what_is_done_beside_the_books_is_entered_for_whoever_may() {
    let mut world = World::founded();
    let note = |by: &str, act: OperatorAct| Request::Note { by: by.into(), act };
    let digest = Digest([3; 32]);
    let retry = |name: &str| OperatorAct::PostRetry { name: name.into() };
    for (act, too_low, enough, kind) in [
        (OperatorAct::KitAdd { digest }, "sue", "anna", EntryKind::Setting),
        (OperatorAct::KitRemove { digest }, "sue", "anna", EntryKind::Setting),
        (OperatorAct::AcceptClock, "sue", "anna", EntryKind::Setting),
        (retry("mail-T-000123-4.eml"), "vic", "clara", EntryKind::Post),
        (OperatorAct::OwnPassphrase, "nobody", "vic", EntryKind::Operator),
    ] {
        check(&mut world, note(too_low, act.clone()), Refusal::NotAllowed);
        let entry = world.ask(note(enough, act.clone()));
        assert_eq!((entry.refusal(), entry.kind()), (None, kind), "{act:?}");
    }
    assert!(not_possible(&world.ask(note("clara", retry(&"x".repeat(10_000))))).contains("longer than"));
}

#[test]
fn whoever_sees_personal_data_has_the_role_and_says_why() {
    let mut world = World::founded();
    let account = AccountNumber::Member(world.member());
    let of = Person::Account(account);
    type Ask = fn(&str, Person, &str) -> Request;
    let reveal: Ask = |by, of, why| Request::Reveal { by: by.into(), of, reason: why.into() };
    let export: Ask = |by, of, why| Request::Export { by: by.into(), of, reason: why.into() };
    let erase: Ask = |by, of, why| Request::Erase { by: by.into(), of, reason: why.into() };
    for (ask, too_low, enough) in [(reveal, "vic", "clara"), (export, "clara", "sue"), (erase, "sue", "anna")]
    {
        check(&mut world, ask(too_low, of, "asked for"), Refusal::NotAllowed);
        assert!(not_possible(&world.ask(ask(enough, of, " \n"))).contains("say why"));
        let endless = "x".repeat(10_000);
        assert!(not_possible(&world.ask(ask(enough, of, &endless))).contains("longer than"));
        let nobody = Person::Account(AccountNumber::Store(wire::id::StoreNumber(9)));
        assert!(not_possible(&world.ask(ask(enough, nobody, "asked for"))).contains("no account"));
        let entry = world.ask(ask(enough, of, "asked for"));
        assert_eq!((entry.refusal(), entry.kind()), (None, EntryKind::Disclosure));
        assert_eq!(entry.concerns.member, Some(wire::id::MemberNumber(1)));
        world.done(ask(enough, Person::Application(ApplicationNumber(1)), "asked for"));
    }
    assert!(world.state.holder(account).unwrap().erased.is_some());
    assert!(not_possible(&world.ask(erase("anna", of, "asked for"))).contains("was erased by"));
}

#[test]
fn a_store_that_is_owed_money_is_not_erased() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payment = world.paid(card, store, 10);
    let of = Person::Account(AccountNumber::Store(store));
    let erase = Request::Erase { by: "anna".into(), of, reason: "asked for".into() };
    assert!(not_possible(&world.ask(erase.clone())).contains("is owed money"));
    world.claimed(store, &[payment]);
    world.done(erase);
}

#[test]
fn a_zone_that_nobody_knows_founds_no_center() {
    let state = ledger::State::new();
    let settings = Settings { zone: "Asia/Atlantis".into(), ..settings() };
    let entry = ledger::decide(&state, &Request::Found(settings), Timestamp(5));
    assert!(not_possible(&entry).contains("Asia/Atlantis"));
}
