//! The desk with real books on a real disk.

mod house;
mod keys;

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use ledger::{
    Request,
    request::{Standing as Freeze, TransferResult},
    state::{ClaimState, PayoutState},
};
use wire::{
    bounded::List,
    id::{AccountNumber, EntryNumber, Role},
    key::SigningKey,
    message::{Beside, Effect, Mail, ProblemKind, Refusal, RegisterCall, Verdict},
    payload,
    receipt::{self, MemberPart},
    telegram::{Signer, Telegram},
    time::Timestamp,
};

use self::house::{DAY_MS, Fault, House, Person, START, append_behind_its_back, evidence, soon, yen};
use super::{Act, DeskError, Standing, Work, heard, said};

fn paid(verdict: &Verdict) -> (EntryNumber, u64) {
    match verdict {
        Verdict::Done { effect: Effect::Paid { balance }, receipt } => (receipt.leaf.entry, balance.minor()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_durable_shown_and_pushed() {
    let house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    assert!(matches!(&house.mail(&member)[..], [Mail::CardIssued { amount, .. }] if *amount == yen(1_000)));
    let mut listener = house.desk.mailboxes().listen(store.account, None);
    let mut feed = house.desk.subscribe();
    let soon_ms = house.now().plus_ms(DAY_MS);
    let offer = store.offer(1, 300, soon_ms);
    let telegram = member.sign(&member.payment(card, &offer, soon_ms));
    let verdict = house.submit(&member, &telegram).await.unwrap();
    let (entry, balance) = paid(&verdict);
    assert_eq!((balance, house.balance(card)), (700, 700));
    let receipt = verdict.receipt().unwrap();
    assert!(
        matches!(receipt.member_part().unwrap(), MemberPart::Paid { telegram: id, .. } if id == telegram.id())
    );
    assert_eq!(receipt.checkpoint.claimed().size, entry.0 + 1, "the checkpoint right after it");
    assert_eq!(soon(listener.next()).await, entry);
    assert_eq!(soon(feed.recv()).await.unwrap().entry.number, entry);
    let notice = house.mail_item(&store, entry);
    assert_eq!(notice.receipt.side, receipt::Side::Store);
    assert!(matches!(notice.body, Mail::Paid { total, .. } if total == yen(300)));
    // A refund is the member's mail.
    let verdict = house.submit(&store, &store.refund(entry, 300, soon_ms)).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::Refunded, .. }));
    assert_eq!(house.balance(card), 1_000);
    assert!(matches!(house.mail(&member)[..], [_, Mail::Refunded { payment, .. }] if payment == entry));
    house.desk.audit().unwrap();
    assert_eq!(house.desk.depth(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_telegram_gets_the_same_answer() {
    let mut house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let offer = store.offer(1, 300, soon_ms);
    let telegram = member.sign(&member.payment(card, &offer, soon_ms));
    // Behind a closed door they gather in one batch.
    house.door.set(true);
    let first = house.submit(&member, &telegram);
    let (second, third) = (house.submit(&member, &telegram), house.inquire(&member, &telegram));
    let opens = async { house.door.set(false) };
    let (first, second, third, ()) = tokio::join!(first, second, third, opens);
    let entry = paid(&first.unwrap());
    assert_eq!(paid(&second.unwrap()), entry);
    assert_eq!(paid(&third.unwrap()), entry, "asking about it is answered by it");
    // Another telegram for the same order, as from a copy of the vault.
    let copy = member.sign(&member.payment(card, &offer, soon_ms));
    match house.submit(&member, &copy).await.unwrap() {
        Verdict::Refused { reason: Refusal::AlreadyPaid { by }, .. } => assert_eq!(by, entry.0),
        other => panic!("{other:?}"),
    }
    house.reopen().await;
    assert_eq!(paid(&house.submit(&member, &telegram).await.unwrap()), entry, "also after a restart");
    // Its time past, the journal itself answers.
    house.clock.pass(DAY_MS + 1);
    house.join(9, Role::Member).await;
    assert_eq!(house.desk.state().seen(telegram.id()), None);
    assert_eq!(paid(&house.submit(&member, &telegram).await.unwrap()), entry);
    assert_eq!(paid(&house.inquire(&member, &telegram).await.unwrap()), entry);
    assert_eq!(house.balance(card), 700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_never_entered_is_voided_or_has_expired() {
    let house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let offer = store.offer(1, 300, soon_ms);
    let withdrawn = member.sign(&member.payment(card, &offer, soon_ms));
    assert!(matches!(house.inquire(&member, &withdrawn).await.unwrap(), Verdict::Void { .. }));
    assert!(
        matches!(house.submit(&member, &withdrawn).await.unwrap(), Verdict::Void { .. }),
        "never payable"
    );
    let late = member.sign(&member.payment(card, &offer, Timestamp(START - 1)));
    let before = house.desk.reader().size();
    assert_eq!(house.submit(&member, &late).await.unwrap_err(), DeskError::Expired);
    assert_eq!(house.inquire(&member, &late).await.unwrap_err(), DeskError::Expired);
    let far = member.sign(&member.payment(card, &offer, house.now().plus_ms(8 * DAY_MS)));
    assert!(
        matches!(house.submit(&member, &far).await.unwrap_err(), DeskError::Malformed(words) if words.contains("7 days"))
    );
    assert_eq!(house.desk.reader().size(), before, "none of it is an entry");
    assert!(matches!(house.inquire(&member, &far).await.unwrap(), Verdict::Void { .. }), "however far ahead");
    assert!(matches!(said::unanswered(&DeskError::Expired), Some(Ok(Verdict::Expired))));
    assert!(said::unanswered(&DeskError::Unknown(String::new())).is_none());
    assert_eq!(house.balance(card), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_authentic_is_not_heard() {
    let house = House::founded();
    let (member, other) = (house.join(1, Role::Member).await, house.join(3, Role::Member).await);
    let store = house.join(2, Role::Store).await;
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let offer = store.offer(1, 300, soon_ms);
    let payment = member.payment(card, &offer, soon_ms);
    let good = member.sign(&payment);

    let tampered = Telegram {
        bytes: member.sign(&payload::Payment { total: yen(1), ..payment.clone() }).bytes,
        ..good.clone()
    };
    assert_eq!(house.not_heard(&member, &tampered).kind, ProblemKind::NotAuthentic);
    let forged = Telegram::sign(&payment, Signer::Account(member.account), &other.key);
    assert_eq!(house.not_heard(&member, &forged).kind, ProblemKind::NotAuthentic);
    let by_terminal = Telegram::sign(&payment, Signer::Account(member.account), &member.terminal);
    assert_eq!(house.not_heard(&member, &by_terminal).kind, ProblemKind::NotAuthentic);
    assert_eq!(house.not_heard(&other, &good).kind, ProblemKind::NotAllowed);
    let posing = Telegram::sign(&payment, Signer::Account(other.account), &other.key);
    assert_eq!(house.not_heard(&other, &posing).kind, ProblemKind::NotAllowed);
    let elsewhere = member.sign(&payload::Payment { center: wire::id::CenterId([1; 32]), ..payment.clone() });
    assert_eq!(house.not_heard(&member, &elsewhere).kind, ProblemKind::WrongCenter);
    let no_key = member.sign(&payload::Payment { key_event: EntryNumber(77), ..payment.clone() });
    assert_eq!(house.not_heard(&member, &no_key).kind, ProblemKind::NotAuthentic);
    let mut trailing = good.clone();
    trailing.bytes = wire::bounded::Bytes::new([&good.bytes[..], &[0]].concat()).unwrap();
    assert_eq!(house.not_heard(&member, &trailing).kind, ProblemKind::Malformed);
    let kind = Telegram { kind: wire::telegram::Kind::Refund, ..good.clone() };
    assert_eq!(house.not_heard(&member, &kind).kind, ProblemKind::Malformed);
    assert_eq!(house.not_heard(&store, &offer).kind, ProblemKind::Malformed);
    assert_eq!(paid(&house.submit(&member, &good).await.unwrap()).1, 700);

    let newcomer = Person::new(4);
    let whole = house.admitted(&newcomer, Role::Member).await;
    let refused = |call: &RegisterCall| heard::registered(&house.desk, call, None).unwrap_err().words;
    assert!(heard::registered(&house.desk, &whole, None).is_ok());
    let mut call = whole.clone();
    call.salt.0[0] ^= 1;
    assert!(refused(&call).contains("particulars"));
    let mut call = whole.clone();
    call.code = wire::admission::ActivationCode::generate();
    assert!(refused(&call).contains("activation code"));
    let mut call = whole.clone();
    call.certificate = house.admitted(&Person::new(5), Role::Member).await.certificate;
    assert!(refused(&call).contains("certificate"));
    for (at, key) in [(0, "terminal key is held"), (1, "recovery key is held")] {
        let mut call = whole.clone();
        call.possessions = List::first(whole.possessions.iter().skip(1 - at).take(1).cloned());
        assert!(refused(&call).contains(key), "{key}");
    }
    let mut call = whole.clone();
    let weak = payload::Registration {
        terminal_key: wire::key::VerificationKey([0; 32]),
        ..call.telegram.peek().unwrap()
    };
    call.telegram = Telegram::sign_as_key(&weak, &newcomer.key);
    assert!(refused(&call).contains("weak"));
    let never = newcomer.registration(wire::id::ApplicationNumber(999), newcomer.account, soon_ms);
    assert!(refused(&never).contains("was not admitted"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_key_is_refused_by_an_entry_and_keeps_its_answers() {
    let house = House::founded();
    let (mut member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let before = member.sign(&member.payment(card, &store.offer(1, 300, soon_ms), soon_ms));
    let entry = paid(&house.submit(&member, &before).await.unwrap());
    let unsent = member.sign(&member.payment(card, &store.offer(2, 300, soon_ms), soon_ms));
    let fresh = SigningKey::from_seed(&[77; 32]);
    // The recovery key overrules.
    let changer = member.changer(member.event, house.now());
    let (telegram, beside) = changer.signature(&fresh, member.terminal.verification_key(), &member.recovery);
    let verdict = house.submit_beside(&member, &telegram, &beside).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::KeyChanged, .. }));
    assert!(matches!(house.mail(&member)[..], [_, Mail::KeyChanged(_)]));
    let refused = house.submit(&member, &unsent).await.unwrap();
    assert!(matches!(refused, Verdict::Refused { reason: Refusal::KeyNotInForce, .. }));
    assert_eq!(paid(&house.submit(&member, &before).await.unwrap()), entry);
    member.event = verdict.receipt().unwrap().leaf.entry;
    member.key = fresh;
    let after = member.sign(&member.payment(card, &store.offer(3, 300, soon_ms), soon_ms));
    assert_eq!(paid(&house.submit(&member, &after).await.unwrap()).1, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_gets_its_transfer_and_the_bank_ends_it() {
    let mut house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let mut payments = Vec::new();
    let offers: Vec<Telegram> = (1..=2).map(|number| store.offer(number, 300, soon_ms)).collect();
    for offer in &offers {
        let telegram = member.sign(&member.payment(card, offer, soon_ms));
        payments.push(paid(&house.submit(&member, &telegram).await.unwrap()).0);
    }
    let good = |at: usize| evidence(payments[at], &offers[at], at as u8 + 1);
    let mut forged = good(1);
    forged.delivery = evidence(payments[1], &offers[1], 1).delivery;
    let beside = Beside::Claim(List::new(vec![good(0), forged]).unwrap());
    let claim = store.claim(&payments, 600, soon_ms);
    match house.submit_beside(&store, &claim, &beside).await.unwrap() {
        Verdict::Refused { reason: Refusal::NotDelivered { payments: named }, .. } => {
            assert_eq!(named.to_vec(), [payments[1]]);
        }
        other => panic!("{other:?}"),
    }
    let beside = Beside::Claim(List::new(vec![good(0), good(1)]).unwrap());
    let claim = store.claim(&payments, 600, soon_ms);
    let verdict = house.submit_beside(&store, &claim, &beside).await.unwrap();
    let Verdict::Done { effect: Effect::Claimed, receipt } = verdict else { panic!("{verdict:?}") };
    let claim = receipt.leaf.entry;
    // In the same batch: whoever sees the claim sees its transfer.
    let payout = EntryNumber(claim.0 + 1);
    assert_eq!(house.desk.state().claim(claim).unwrap().state, ClaimState::Intended(payout));
    let result = Act::PayoutResult { payout, result: TransferResult::Paid { bank_reference: "B7".into() } };
    let answer = house.act(result.clone()).await.unwrap();
    assert!(!answer.repeated);
    house.reopen().await;
    let again = house.act(result).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.number(), answer.number());
    let states: Vec<_> = house
        .mail(&store)
        .into_iter()
        .filter_map(|mail| match mail {
            Mail::Payout { state, .. } => Some(state),
            _ => None,
        })
        .collect();
    assert_eq!(states, [receipt::PayoutState::InTransit, receipt::PayoutState::Paid]);
    assert!(matches!(house.desk.state().payout(payout).unwrap().state, PayoutState::Paid { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_a_crash_left_without_transfer_gets_it_at_opening() {
    let mut house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let offer = store.offer(1, 300, soon_ms);
    let telegram = member.sign(&member.payment(card, &offer, soon_ms));
    let (payment, _) = paid(&house.submit(&member, &telegram).await.unwrap());
    let telegram = store.claim(&[payment], 300, soon_ms);
    let beside = Beside::Claim(List::new(vec![evidence(payment, &offer, 1)]).unwrap());
    let work = heard::submitted(&house.desk, store.account, &telegram, &beside).unwrap();
    house.desk.close().await.unwrap();
    let claim = append_behind_its_back(house.dir.path(), work.request(), house.now());
    house.reopen().await;
    let mut listener = house.desk.mailboxes().listen(store.account, Some(claim));
    let payout = soon(listener.next()).await;
    assert_eq!(house.desk.state().claim(claim).unwrap().state, ClaimState::Intended(payout));
}

/// Every append of a small day fails once, before or after it reached the disk; the day is then repeated, telegram by
/// telegram, as terminals and the bank's folder do. The end is always the same, to the yen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_books_fail_nothing_is_lost_or_doubled() {
    for append in 0..8 {
        for fault in [Fault::Before(append), Fault::After(append)] {
            let mut house = House::founded();
            let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
            let soon_ms = house.now().plus_ms(DAY_MS);
            let request = member.card_request(1_000, soon_ms);
            let offers: Vec<Telegram> = (1..=3).map(|number| store.offer(number, 100, soon_ms)).collect();
            let card = wire::id::CardNumber(1);
            let payments: Vec<Telegram> =
                offers.iter().map(|offer| member.sign(&member.payment(card, offer, soon_ms))).collect();
            *house.fault.lock().unwrap() = fault;
            let mut failures = 0;
            let mut refund = None;
            loop {
                let day = async {
                    let Verdict::Done { effect: Effect::FundingOpened(terms), .. } =
                        house.submit(&member, &request).await?
                    else {
                        panic!("the request is in order")
                    };
                    house.act(House::credit(&terms.reference, 1_000, 1)).await?;
                    let mut entries = Vec::new();
                    for payment in &payments {
                        entries.push(paid(&house.submit(&member, payment).await?).0);
                    }
                    let refund = refund.get_or_insert_with(|| store.refund(entries[2], 100, soon_ms)).clone();
                    house.submit(&store, &refund).await?;
                    house.act(House::credit("nothing we know", 50, 2)).await?;
                    Ok::<_, DeskError>(entries)
                };
                match day.await {
                    Ok(entries) => {
                        assert_eq!(entries.iter().collect::<BTreeSet<_>>().len(), 3);
                        break;
                    }
                    Err(error) => {
                        assert!(matches!(error, DeskError::Unknown(_)), "{error}");
                        let published = house.desk.state().next();
                        assert!(
                            matches!(&*house.desk.standing().borrow(), Standing::Stopped(words) if words.contains("disk is full"))
                        );
                        let next = house.act(House::credit("", 1, 9)).await.unwrap_err();
                        assert!(matches!(next, DeskError::Stopped(_)), "{next}");
                        assert_eq!(house.desk.state().next(), published, "nothing undurable was shown");
                        failures += 1;
                        house.reopen().await;
                    }
                }
            }
            assert_eq!(failures, usize::from(append < 7), "{fault:?}");
            assert_eq!(house.balance(card), 800);
            let state = house.desk.state();
            state.audit().unwrap();
            assert_eq!(state.payable(store.store()), yen(200));
            assert_eq!(state.balance(ledger::Account::Bank), 1_050);
            assert_eq!((state.totals().payments, state.totals().refunds), (3, 1));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_all_answered() {
    let house = House::founded();
    let store = house.join(2, Role::Store).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let mut members = Vec::new();
    for at in 0..4 {
        let member = house.join(10 + at, Role::Member).await;
        let card = house.card(&member, 1_000, u64::from(at)).await;
        members.push((member, card));
    }
    let telegrams: Vec<_> = (0..200usize)
        .map(|at| {
            let (member, card) = &members[at % 4];
            (member, member.sign(&member.payment(*card, &store.offer(at as u8, 30, soon_ms), soon_ms)))
        })
        .collect();
    let verdicts = futures_util::future::join_all(
        telegrams.iter().map(|(member, telegram)| house.submit(member, telegram)),
    )
    .await;
    let settled = verdicts.iter().filter(|verdict| matches!(verdict, Ok(Verdict::Done { .. }))).count();
    // 1,000 is 33 times 30 and a little; the rest is refused for its balance.
    assert_eq!(settled, 4 * 33);
    assert_eq!(house.desk.state().payable(store.store()), yen(4 * 33 * 30));
    assert!(members.iter().all(|(_, card)| house.balance(*card) == 10));
    let replayed = {
        let mut state = ledger::State::new();
        for record in house.desk.reader().range(EntryNumber(0), usize::MAX).unwrap() {
            state.apply(&record.entry).unwrap();
        }
        state.digest()
    };
    assert_eq!(replayed, house.desk.state().digest());
}

/// State and mail of a desk that went on from a snapshot are those of a whole replay, also where mail was acknowledged
/// before the snapshot, after it, and not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_from_a_snapshot_has_the_state_and_the_mail_of_a_replay() {
    let mut house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let other = house.join(3, Role::Store).await;
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let account = AccountNumber::Store(store.store());
    for number in 0..30 {
        let to = if number % 3 == 0 { &other } else { &store };
        let telegram = member.sign(&member.payment(card, &to.offer(number, 10, soon_ms), soon_ms));
        house.submit(&member, &telegram).await.unwrap();
        if number % 7 == 0 {
            let (page, _) = house.desk.mailboxes().page(account, None, 2);
            page.last().inspect(|upto| house.desk.mailboxes().acknowledge(account, **upto));
        }
        if number % 10 == 9 {
            house.reopen().await;
            let (size, records) = {
                let reader = house.desk.reader();
                (reader.size(), reader.range(EntryNumber(0), usize::MAX).unwrap())
            };
            let (state, mail) = house::replayed(house.dir.path(), &records);
            assert_eq!(house.desk.state().digest(), state, "after {number}");
            assert_eq!(house.desk.mailboxes().waiting(EntryNumber(size)), mail, "after {number}");
        }
    }
    assert!(house.desk.mailboxes().count(account) > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_above_the_rate_are_said_but_not_entered() {
    let house = House::founded_with(2);
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let too_much = |number| member.sign(&member.payment(card, &store.offer(number, 5_000, soon_ms), soon_ms));
    for number in 1..=2 {
        let verdict = house.submit(&member, &too_much(number)).await.unwrap();
        assert!(
            matches!(verdict, Verdict::Refused { reason: Refusal::BalanceShort { by }, .. } if by == yen(4_000))
        );
    }
    let before = house.desk.reader().size();
    assert_eq!(house.submit(&member, &too_much(3)).await.unwrap_err(), DeskError::Limited);
    assert_eq!(house.desk.reader().size(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_says_busy_at_once() {
    let house = House::founded();
    house.door.set(true);
    let mut busy = None;
    // The queue and the batch before the door hold fewer than this.
    for number in 0..10_000 {
        match house.act(House::credit("", 1, number)).now_or_never() {
            None => {}
            Some(Err(error)) => {
                busy = Some(error);
                break;
            }
            Some(Ok(answer)) => panic!("{answer:?}"),
        }
    }
    assert!(matches!(busy, Some(DeskError::Busy { .. })), "{busy:?}");
    house.door.set(false);
    let long = Act::Standing {
        by: "anna".into(),
        of: Freeze::Account(AccountNumber::Member(wire::id::MemberNumber(1))),
        frozen: true,
        reason: "x".repeat(20_000),
    };
    assert!(matches!(house.act(long).await.unwrap_err(), DeskError::Malformed(_)));
    soon(house.desk.close()).await.unwrap();
    assert_eq!(house.desk.depth(), 0, "all that waited was decided");
    assert!(matches!(house.act(House::credit("", 1, 1)).await.unwrap_err(), DeskError::Stopped(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_lets_nothing_lapse_until_an_operator_accepts_it() {
    let house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let telegram = member.card_request(500, soon_ms);
    house.submit(&member, &telegram).await.unwrap();
    let mut standing = house.desk.standing();
    house.clock.jump_to(START + 5 * DAY_MS);
    let words = soon(standing.wait_for(|standing| *standing != Standing::Open)).await.unwrap().clone();
    assert!(matches!(&words, Standing::ClockJumped(words) if words.contains("jumped ahead")), "{words:?}");
    assert!(words.is_open());
    let telegram = member.sign(&member.payment(card, &store.offer(1, 300, soon_ms), soon_ms));
    let verdict = house.submit(&member, &telegram).await.unwrap();
    assert_eq!(verdict.receipt().unwrap().leaf.at.0, START, "the old time goes on");
    assert_eq!(house.desk.state().waiting().count(), 1);
    let mut listener = house
        .desk
        .mailboxes()
        .listen(member.account, house.desk.mailboxes().page(member.account, None, 1).0.pop());
    house.desk.accept_clock();
    let lapsed = soon(listener.next()).await;
    assert!(matches!(house.mail_item(&member, lapsed).body, Mail::CardLapsed { .. }));
    assert_eq!(
        soon(standing.wait_for(Standing::is_open)).await.map(|it| it.clone()).unwrap(),
        Standing::Open
    );
    assert_eq!(house.desk.state().at().0, START + 5 * DAY_MS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_is_kept_until_it_is_acknowledged() {
    let mut house = House::founded();
    let (member, store) = (house.join(1, Role::Member).await, house.join(2, Role::Store).await);
    let card = house.card(&member, 1_000, 1).await;
    let soon_ms = house.now().plus_ms(DAY_MS);
    let mut entries = Vec::new();
    for number in 1..=5 {
        let telegram = member.sign(&member.payment(card, &store.offer(number, 10, soon_ms), soon_ms));
        entries.push(paid(&house.submit(&member, &telegram).await.unwrap()).0);
    }
    let mail = house.desk.mailboxes().clone();
    assert_eq!(mail.page(store.account, None, 2), (entries[..2].to_vec(), true));
    assert_eq!(mail.page(store.account, Some(entries[1]), 10), (entries[2..].to_vec(), false));
    mail.acknowledge(store.account, entries[1]);
    assert_eq!(mail.count(store.account), 3);
    mail.acknowledge(store.account, entries[0]);
    assert_eq!(mail.count(store.account), 3, "an older acknowledgement takes nothing back");
    house.reopen().await;
    let mail = house.desk.mailboxes().clone();
    assert_eq!(
        mail.page(store.account, None, 10),
        (entries[2..].to_vec(), false),
        "rebuilt behind the cursor"
    );
    // What is still to come can't be acknowledged.
    mail.acknowledge(store.account, EntryNumber(u64::MAX));
    let telegram = member.sign(&member.payment(card, &store.offer(9, 10, soon_ms), soon_ms));
    let (next, _) = paid(&house.submit(&member, &telegram).await.unwrap());
    assert_eq!(mail.page(store.account, None, 10), (vec![next], false));
    assert_eq!(mail.count(member.account), 1, "a payment is no mail to the payer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_stops_payments_for_good() {
    let house = House::founded();
    house.desk.stop("a terminal presented a checkpoint that the books lack");
    house.desk.stop("something else");
    let error = house.act(House::credit("", 1, 1)).await.unwrap_err();
    assert_eq!(error, DeskError::Stopped("a terminal presented a checkpoint that the books lack".into()));
    let request = Work::act(House::credit("", 1, 1));
    assert!(matches!(request.request(), Request::Credit(_)));
}
