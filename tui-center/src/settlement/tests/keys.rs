//! Changed keys, keys that wait, and cashiers, from the telegram to the mail.

use wire::{
    bounded::List,
    id::Role,
    key::SigningKey,
    limits,
    message::{Beside, Effect, KeyEvidence, Mail, ProblemKind, Refusal, Verdict, WaitingKey},
    payload::{self, KeyRole, Rights},
    telegram::{Signer, Telegram},
    terminal::certify,
};

use super::house::{DAY_MS, House, Person, soon};
use crate::settlement::heard;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// Why a change of a key is not heard.
fn not_heard(house: &House, person: &Person, telegram: &Telegram, beside: &Beside) -> (ProblemKind, String) {
    let problem = heard::submitted(&house.desk, person.account, telegram, beside).unwrap_err();
    (problem.kind, problem.words.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_proves_itself_and_the_terminal_is_certified_anew() {
    let house = House::founded();
    let mut store = house.join(2, Role::Store).await;
    let changer = store.changer(store.event, house.now());
    let (new, other) = (key(90), key(91));
    let terminal = store.terminal.verification_key();
    let (telegram, beside) = changer.signature(&new, terminal, &store.key);
    let Beside::Keys(evidence) = &beside else { panic!("{beside:?}") };
    let with = |possession, certificate| Beside::Keys(Box::new(KeyEvidence { possession, certificate }));
    let (proof, certificate) = (evidence.possession, evidence.certificate.clone());

    let (kind, words) = not_heard(&house, &store, &telegram, &Beside::Nothing);
    assert_eq!((kind, words.contains("nothing proves")), (ProblemKind::Malformed, true));
    let unproved = [
        with(None, certificate.clone()),
        with(Some(other.sign(b"something else")), certificate.clone()),
        with(Some(store.key.sign(b"something else")), certificate.clone()),
    ];
    for beside in &unproved {
        assert_eq!(not_heard(&house, &store, &telegram, beside).0, ProblemKind::NotAuthentic);
    }
    let says =
        |terminal, rights, by: &SigningKey| certify(super::house::CENTER, terminal, rights, house.now(), by);
    let uncertified = [
        None,
        // By the old key, of another terminal, of a cashier.
        Some(says(terminal, Rights::Owner, &store.key)),
        Some(says(other.verification_key(), Rights::Owner, &new)),
        Some(certify(wire::id::CenterId([1; 32]), terminal, Rights::Owner, house.now(), &new)),
    ];
    for certificate in uncertified {
        let (kind, words) = not_heard(&house, &store, &telegram, &with(proof, certificate));
        assert_eq!((kind, words.contains("certificate")), (ProblemKind::Malformed, true), "{words}");
    }
    let verdict = house.submit_beside(&store, &telegram, &beside).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::KeyChanged, .. }), "{verdict:?}");
    wire::terminal::verdict_fits(&telegram, &verdict).unwrap();
    store.event = verdict.receipt().unwrap().leaf.entry;
    store.key = new;

    // The terminal key, certified by the signature key that is in force now.
    let changer = store.changer(store.event, house.now());
    let (telegram, beside) = changer.terminal(&other, &store.key, &store.key);
    house.submit_beside(&store, &telegram, &beside).await.unwrap();
    let (which, kept) = heard::certificate(&beside).unwrap();
    let terminal = other.verification_key();
    let signature = store.key.verification_key();
    assert_eq!(which, crate::books::cabinet::Certificate::Changed { terminal, signature });
    assert_eq!(kept.peek::<payload::TerminalCertificate>().unwrap().terminal_key, terminal);
    assert_eq!(house.desk.state().key(store.account, KeyRole::Terminal).map(|(key, _)| key), Some(terminal));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovery_key_that_waits_is_told_of_and_comes_into_force_by_itself() {
    let mut house = House::founded();
    let member = house.join(1, Role::Member).await;
    let changer = member.changer(member.event, house.now());
    let (first, second) = (key(92), key(93));
    let (telegram, beside) = changer.recovery(&first, &member.key);
    let verdict = house.submit_beside(&member, &telegram, &beside).await.unwrap();
    wire::terminal::verdict_fits(&telegram, &verdict).unwrap();
    let Verdict::Done { effect: Effect::KeyChangeWaits { from }, receipt } = verdict else {
        panic!("{verdict:?}")
    };
    let change = receipt.leaf.entry;
    let waiting = WaitingKey { change, key: first.verification_key(), from };
    assert_eq!(house.mail(&member), [Mail::KeyChangeWaits(waiting)]);
    // The phrase that is in force cancels it.
    let cancel = changer.cancel(change, &member.recovery);
    let by_signature = Telegram::sign(
        &cancel.peek::<payload::KeyCancel>().unwrap(),
        Signer::Account(member.account),
        &member.key,
    );
    assert_eq!(house.not_heard(&member, &by_signature).kind, ProblemKind::NotAuthentic);
    let verdict = house.submit(&member, &cancel).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::KeyChangeCancelled, .. }));
    wire::terminal::verdict_fits(&cancel, &verdict).unwrap();

    let changer = member.changer(member.event, house.now());
    let (telegram, beside) = changer.recovery(&second, &member.key);
    house.submit_beside(&member, &telegram, &beside).await.unwrap();
    // The center is down while the time passes, and makes it up at its start.
    house.clock.pass(limits::CAUTION_MS);
    house.reopen().await;
    let mut entries = house.desk.subscribe();
    if house.desk.state().holder(member.account).unwrap().waiting_key.is_some() {
        soon(entries.recv()).await.unwrap();
    }
    let (in_force, _) = house.desk.state().key(member.account, KeyRole::Recovery).unwrap();
    assert_eq!(in_force, second.verification_key());
    let mail = house.mail(&member);
    assert!(matches!(
        mail[..],
        [
            Mail::KeyChangeWaits(_),
            Mail::KeyChangeCancelled { .. },
            Mail::KeyChangeWaits(_),
            Mail::KeyChanged(_)
        ]
    ));
    let (numbers, _) = house.desk.mailboxes().page(member.account, None, 10);
    for number in numbers {
        wire::terminal::mail_fits(&house.mail_item(&member, number)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cashier_refunds_with_its_own_key_up_to_its_limit() {
    let house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let until = house.now().plus_ms(DAY_MS);
    let cashier = key(94);
    let certified = store.cashier(&cashier, Some(300), until);
    let verdict = house.submit(&store, &certified).await.unwrap();
    wire::terminal::verdict_fits(&certified, &verdict).unwrap();
    let event = verdict.receipt().unwrap().leaf.entry;
    let mut refunds = Vec::new();
    for number in 1..=2 {
        let offer = store.offer(number, 200, until);
        let payment =
            house.submit(&member, &member.sign(&member.payment(card, &offer, until))).await.unwrap();
        let payment = payment.receipt().unwrap().leaf.entry;
        let by_owner: payload::Refund = store.refund(payment, 200, until).peek().unwrap();
        let refund =
            payload::Refund { cashier: Some(cashier.verification_key()), key_event: event, ..by_owner };
        refunds.push(refund);
    }
    let signed = |refund: &payload::Refund, by: &SigningKey| {
        Telegram::sign(refund, Signer::Account(store.account), by)
    };
    // The owner's key does not sign for the cashier, nor a stranger's for itself.
    let posing = signed(&refunds[0], &store.key);
    assert_eq!(house.not_heard(&store, &posing).kind, ProblemKind::NotAuthentic);
    let stranger = payload::Refund { cashier: Some(key(95).verification_key()), ..refunds[0].clone() };
    assert_eq!(house.not_heard(&store, &signed(&stranger, &key(95))).kind, ProblemKind::NotAuthentic);
    let telegram = signed(&refunds[0], &cashier);
    let verdict = house.submit(&store, &telegram).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::Refunded, .. }), "{verdict:?}");
    let over = house.submit(&store, &signed(&refunds[1], &cashier)).await.unwrap();
    let left = super::house::yen(100);
    assert!(
        matches!(over, Verdict::Refused { reason: Refusal::CashierLimit { left: it }, .. } if it == left)
    );
    // Dismissed: nothing new is done, and what was done keeps its answer.
    house.submit(&store, &store.cashier(&cashier, None, until)).await.unwrap();
    let late = payload::Refund { nonce: wire::id::Nonce::random(), ..refunds[1].clone() };
    let verdict = house.submit(&store, &signed(&late, &cashier)).await.unwrap();
    assert!(matches!(verdict, Verdict::Refused { reason: Refusal::KeyNotInForce, .. }));
    let again = house.submit(&store, &telegram).await.unwrap();
    assert!(matches!(again, Verdict::Done { effect: Effect::Refunded, .. }));
    let none: Beside = Beside::Claim(List::first([]));
    assert!(heard::certificate(&none).is_none());
}
