//! Telegrams that are tampered with, replayed, misdirected, too late or out of range, at the real center.

use wire::{
    bounded::Bytes,
    codec,
    id::{AccountNumber, CardNumber, EntryNumber, MemberNumber, Role, StoreNumber},
    key::{Signature, SigningKey},
    message::{Beside, Effect, ProblemKind, Refusal, Request, Verdict},
    payload::{Claim, Payment, RefundReason},
    telegram::{Kind, Payload, Signer, Telegram},
    time::Timestamp,
};

use crate::{
    house::House,
    peer::{Peer, VALID_MS, WAIT, line, problem, yen},
    words::clear,
};

/// What the cards here are loaded with.
const LOADED: u64 = 1_000;

/// A center with a member, its card, and a store.
struct Scene {
    house: House,
    member: Peer,
    card: CardNumber,
    store: StoreNumber,
}

impl Scene {
    async fn set() -> Self {
        let house = House::open();
        let member = Peer::join(&house.network, Role::Member, &[]).await.expect("a member");
        let store = Peer::join(&house.network, Role::Store, &[]).await.expect("a store").store();
        let card = member.card(&house, LOADED).await;
        Self { house, member, card, store }
    }

    fn payment(&self, total: u64) -> Payment {
        self.member.payment(self.card, self.store, yen(total))
    }

    /// Submits a payment that must be refused, by an entry that moves nothing.
    async fn refused(&self, payment: Payment) -> Refusal {
        let before = self.member.balance().await;
        let verdict = self.member.submit(&payment).await.expect("heard");
        let Verdict::Refused { reason, .. } = verdict else { panic!("{payment:?}: {verdict:?}") };
        clear(&reason.to_string());
        assert_eq!(self.member.balance().await, before, "a refusal moves no money");
        reason
    }
}

/// A payload whose amount is beyond every limit; no honest type can hold it.
fn overflowing(payment: &Payment, peer: &Peer) -> Telegram {
    let honest = codec::encode(payment);
    let needle = payment.total.minor().to_le_bytes();
    let at = honest.windows(8).position(|window| window == needle).expect("the total");
    let mut bytes = honest;
    bytes[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    resigned(Kind::Payment, bytes, peer)
}

/// Signs bytes as they are.
fn resigned(kind: Kind, bytes: Vec<u8>, peer: &Peer) -> Telegram {
    let message = [kind.domain_tag().as_bytes(), &[0], &bytes].concat();
    Telegram {
        kind,
        signer: Signer::Account(peer.account),
        signature: peer.signature.sign(&message),
        bytes: Bytes::new(bytes).expect("short"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_telegram_is_not_heard_and_leaves_no_entry() {
    let scene = Scene::set().await;
    let other = Peer::join(&scene.house.network, Role::Member, &[]).await.expect("another member");
    let honest = scene.member.sign(&scene.payment(300));
    let root = scene.house.root();
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut bytes = honest.bytes.to_vec();
        change(&mut bytes);
        Telegram { bytes: Bytes::new(bytes).expect("short"), ..honest.clone() }
    };
    let mut signature = honest.signature;
    signature.0[0] ^= 1;
    let forged =
        Telegram::sign(&scene.payment(300), Signer::Account(scene.member.account), &SigningKey::generate());
    use ProblemKind::{Malformed, NotAllowed, NotAuthentic};
    for (what, telegram, kind) in [
        ("its last byte", changed(|bytes| *bytes.last_mut().expect("bytes") ^= 1), NotAuthentic),
        ("a byte less", changed(|bytes| bytes.truncate(bytes.len() - 1)), Malformed),
        ("a byte more", changed(|bytes| bytes.push(0)), Malformed),
        ("no bytes", changed(Vec::clear), Malformed),
        ("its signature", Telegram { signature, ..honest.clone() }, NotAuthentic),
        ("no signature", Telegram { signature: Signature([0; 64]), ..honest.clone() }, NotAuthentic),
        ("another's key", forged, NotAuthentic),
        ("its kind", Telegram { kind: Kind::CardRequest, ..honest.clone() }, Malformed),
        ("a kind not for the center", Telegram { kind: Kind::Offer, ..honest.clone() }, Malformed),
        ("its signer", Telegram { signer: Signer::Account(other.account), ..honest.clone() }, NotAllowed),
        (
            "a signer that speaks for itself",
            Telegram { signer: Signer::Key(scene.member.signature.verification_key()), ..honest.clone() },
            NotAllowed,
        ),
    ] {
        let outcome = scene.member.send(telegram.clone()).await;
        let words = problem(outcome, kind);
        assert!(!words.is_empty(), "{what}");
        problem(scene.member.line.inquire(telegram, WAIT).await, kind);
    }
    // Another's telegram is not one's own to send or to have voided.
    problem(other.send(honest.clone()).await, NotAllowed);
    problem(other.line.inquire(honest, WAIT).await, NotAllowed);
    let foreign = Payment { member: other.member(), ..scene.payment(300) };
    problem(scene.member.submit(&foreign).await, NotAllowed);
    let never = Payment { key_event: EntryNumber(u64::MAX), ..scene.payment(300) };
    problem(scene.member.submit(&never).await, NotAuthentic);
    assert_eq!(scene.house.root(), root, "nothing was entered");
    assert_eq!(scene.member.balance().await, LOADED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_telegram_gets_its_first_answer_and_moves_money_once() {
    let mut scene = Scene::set().await;
    let telegram = scene.member.sign(&scene.payment(300));
    let first = scene.member.send(telegram.clone()).await.expect("heard");
    assert!(matches!(first, Verdict::Done { effect: Effect::Paid { .. }, .. }), "{first:?}");
    let root = scene.house.root();
    let entry = |verdict: &Verdict| verdict.receipt().expect("evidence").leaf.entry;
    let mut replays = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (line, telegram) = (scene.member.line.clone(), telegram.clone());
        replays.spawn(async move { line.submit(telegram, Beside::Nothing, WAIT).await });
    }
    for replay in replays.join_all().await {
        let replay = replay.expect("heard");
        assert_eq!((entry(&replay), is_paid(&replay)), (entry(&first), true), "{replay:?}");
    }
    let asked = scene.member.line.inquire(telegram.clone(), WAIT).await.expect("heard");
    assert_eq!(
        (entry(&asked), is_paid(&asked)),
        (entry(&first), true),
        "asking voids nothing that was entered"
    );
    assert_eq!(scene.house.root(), root, "a replay is no entry");
    scene.house.network.kill_center().expect("killed");
    scene.house.network.start_center().expect("it comes back");
    let member = scene.member.again(&scene.house.network).await;
    let replay = member.send(telegram).await.expect("heard");
    assert_eq!((entry(&replay), is_paid(&replay)), (entry(&first), true), "also after a restart: {replay:?}");
    assert_eq!(member.balance().await, LOADED - 300);
}

fn is_paid(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Done { effect: Effect::Paid { .. }, .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telegram_for_another_center_is_not_heard() {
    let scene = Scene::set().await;
    let root = scene.house.root();
    let elsewhere = SigningKey::generate().verification_key().center();
    let payment = Payment { center: elsewhere, ..scene.payment(300) };
    problem(scene.member.submit(&payment).await, ProblemKind::WrongCenter);
    let telegram = scene.member.sign(&payment);
    problem(scene.member.line.inquire(telegram, WAIT).await, ProblemKind::WrongCenter);
    let request = scene.member.card_request(yen(500));
    let request = wire::payload::CardRequest { center: elsewhere, ..request };
    problem(scene.member.submit(&request).await, ProblemKind::WrongCenter);
    assert_eq!(scene.house.root(), root, "nothing was entered");
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_of_nothing_too_much_and_one_more_than_there_is_move_no_money() {
    let scene = Scene::set().await;
    assert_eq!(scene.refused(scene.payment(0)).await, Refusal::AmountZero);
    let root = scene.house.root();
    let beyond = overflowing(&scene.payment(0x1122_3344), &scene.member);
    problem(scene.member.send(beyond).await, ProblemKind::Malformed);
    assert_eq!(scene.house.root(), root, "what no amount can be is no entry");
    let most = Payment { total: wire::amount::Amount::MAX, ..scene.payment(1) };
    assert_eq!(scene.refused(most).await, Refusal::BalanceShort { by: yen(wire::limits::AMOUNT - LOADED) });
    assert_eq!(scene.refused(scene.payment(LOADED + 1)).await, Refusal::BalanceShort { by: yen(1) });
    let euro = wire::amount::Currency::of_code("EUR").expect("euro");
    assert_eq!(scene.refused(Payment { currency: euro, ..scene.payment(300) }).await, Refusal::WrongCurrency);
    let request = scene.member.submit(&scene.member.card_request(yen(0))).await.expect("heard");
    assert!(matches!(request, Verdict::Refused { reason: Refusal::AmountZero, .. }), "{request:?}");
    let vast =
        scene.member.submit(&scene.member.card_request(wire::amount::Amount::MAX)).await.expect("heard");
    assert!(matches!(vast, Verdict::Refused { reason: Refusal::AmountOutOfRange { .. }, .. }), "{vast:?}");
    // Exactly what there is can be paid.
    let all = scene.member.submit(&scene.payment(LOADED)).await.expect("heard");
    assert!(is_paid(&all), "{all:?}");
    assert_eq!(scene.member.balance().await, 0);
    assert_eq!(scene.refused(scene.payment(1)).await, Refusal::BalanceShort { by: yen(1) });
    scene.house.overview();
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_offers_unknown_stores_and_others_cards_are_refused_by_name() {
    let scene = Scene::set().await;
    let (now, third) =
        (Timestamp::now(), Peer::join(&scene.house.network, Role::Member, &[]).await.expect("joined"));
    let past = Timestamp(now.0 - 60_000);
    for (payment, refusal) in [
        (Payment { offer_expires: past, ..scene.payment(300) }, Refusal::OfferExpired),
        (Payment { store: StoreNumber(99), ..scene.payment(300) }, Refusal::UnknownStore),
        (Payment { store: StoreNumber(u64::MAX), ..scene.payment(300) }, Refusal::UnknownStore),
        (Payment { card: CardNumber(99), ..scene.payment(300) }, Refusal::UnknownCard),
    ] {
        assert_eq!(scene.refused(payment).await, refusal);
    }
    let theirs = third.submit(&third.payment(scene.card, scene.store, yen(300))).await.expect("heard");
    assert!(matches!(theirs, Verdict::Refused { reason: Refusal::UnknownCard, .. }), "{theirs:?}");
    // What is past its own time is refused without an entry, and what is signed far ahead is malformed.
    let root = scene.house.root();
    let late =
        scene.member.submit(&Payment { valid_until: past, ..scene.payment(300) }).await.expect("heard");
    assert!(matches!(late, Verdict::Expired), "{late:?}");
    let far = now.plus_ms(wire::limits::VALIDITY_MS + 60_000);
    for payment in [
        Payment { valid_until: far, ..scene.payment(300) },
        Payment { offer_expires: far, ..scene.payment(300) },
        Payment { valid_until: Timestamp(u64::MAX), ..scene.payment(300) },
    ] {
        problem(scene.member.submit(&payment).await, ProblemKind::Malformed);
    }
    assert_eq!(scene.house.root(), root, "nothing was entered");
    assert_eq!(scene.member.balance().await, LOADED);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_is_paid_once_whoever_signs_it_again() {
    let scene = Scene::set().await;
    let payment = scene.payment(300);
    let first = scene.member.submit(&payment).await.expect("heard");
    let by = first.receipt().expect("evidence").leaf.entry;
    let again = Payment { nonce: wire::id::Nonce::random(), ..payment };
    assert_eq!(scene.refused(again).await, Refusal::AlreadyPaid { by });
    assert_eq!(scene.member.balance().await, LOADED - 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_logged_in_or_is_no_store_does_nothing() {
    let scene = Scene::set().await;
    let root = scene.house.root();
    let stranger = line(&scene.house.network.invitation).await.expect("a line");
    let telegram = scene.member.sign(&scene.payment(300));
    let submit = Request::Submit { telegram, beside: Beside::Nothing };
    problem(stranger.call(submit, WAIT).await, ProblemKind::NotLoggedIn);
    problem(stranger.cards(WAIT).await, ProblemKind::NotLoggedIn);
    problem(stranger.mail(None, WAIT).await, ProblemKind::NotLoggedIn);
    let thief = SigningKey::generate();
    for account in
        [scene.member.account, AccountNumber::Member(MemberNumber(99)), AccountNumber::Store(StoreNumber(0))]
    {
        problem(stranger.login(account, &thief, None, WAIT).await, ProblemKind::NotAuthentic);
    }
    // The signature key is not the terminal key.
    let outcome = stranger.login(scene.member.account, &scene.member.signature, None, WAIT).await;
    problem(outcome, ProblemKind::NotAuthentic);
    let addresses = wire::bounded::List::first([wire::text::Line::new("127.0.0.1:1").expect("short")]);
    problem(scene.member.line.announce(addresses, WAIT).await, ProblemKind::NotAllowed);
    let claim = claim(&scene);
    problem(scene.member.submit(&claim).await, ProblemKind::NotAllowed);
    assert_eq!(scene.house.root(), root, "nothing was entered");
}

fn claim(scene: &Scene) -> Claim {
    Claim {
        center: scene.member.line.sheet.center,
        store: scene.store,
        key_event: scene.member.event,
        payments: wire::bounded::List::first([EntryNumber(1)]),
        total: yen(300),
        currency: wire::amount::Currency::YEN,
        nonce: wire::id::Nonce::random(),
        valid_until: Timestamp::now().plus_ms(VALID_MS),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_logins_are_locked_out_and_told() {
    let house = House::open();
    let member = Peer::join(&house.network, Role::Member, &[]).await.expect("a member");
    let thief = SigningKey::generate();
    let mut locked = None;
    for _ in 0..20 {
        let stranger = line(&house.network.invitation).await.expect("a line");
        let outcome = stranger.login(member.account, &thief, None, WAIT).await;
        if let Err(wire::terminal::LineError::Problem(problem)) = &outcome
            && problem.kind == ProblemKind::Limited
        {
            locked = Some(clear(&problem.words).to_owned());
            break;
        }
        problem(outcome, ProblemKind::NotAuthentic);
    }
    let words = locked.expect("guessing is stopped");
    assert!(words.contains("wrong logins"), "{words}");
    house.error_of("wrong login");
    member.line.cards(WAIT).await.expect("who was logged in stays so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_refunds_and_claims_only_what_is_its_own() {
    let scene = Scene::set().await;
    let paid = scene.member.submit(&scene.payment(300)).await.expect("heard");
    let payment = paid.receipt().expect("evidence").leaf.entry;
    let rival = Peer::join(&scene.house.network, Role::Store, &[]).await.expect("a rival");
    let refund = |payment, amount| wire::payload::Refund {
        center: rival.line.sheet.center,
        store: rival.store(),
        cashier: None,
        key_event: rival.event,
        payment,
        amount: yen(amount),
        currency: wire::amount::Currency::YEN,
        reason: RefundReason::Agreed,
        nonce: wire::id::Nonce::random(),
        valid_until: Timestamp::now().plus_ms(VALID_MS),
    };
    for (refund, refusal) in [
        (refund(payment, 300), Refusal::UnknownPayment { payment }),
        (refund(EntryNumber(0), 300), Refusal::UnknownPayment { payment: EntryNumber(0) }),
        (refund(EntryNumber(u64::MAX), 300), Refusal::UnknownPayment { payment: EntryNumber(u64::MAX) }),
        (refund(payment, 0), Refusal::AmountZero),
    ] {
        expect_refusal(&rival, &refund, &refusal).await;
    }
    let stolen = Claim { store: rival.store(), key_event: rival.event, ..claim(&scene) };
    expect_refusal(
        &rival,
        &Claim { payments: wire::bounded::List::first([payment]), ..stolen.clone() },
        &Refusal::UnknownPayment { payment },
    )
    .await;
    let nothing = Claim { payments: wire::bounded::List::default(), ..stolen.clone() };
    expect_refusal(&rival, &nothing, &Refusal::ClaimOutOfOrder).await;
    let twice = Claim { payments: wire::bounded::List::first([payment, payment]), ..stolen };
    expect_refusal(&rival, &twice, &Refusal::ClaimOutOfOrder).await;
    assert_eq!(scene.member.balance().await, LOADED - 300);
    scene.house.overview();
}

async fn expect_refusal(peer: &Peer, payload: &impl Payload, refusal: &Refusal) {
    let verdict = peer.submit(payload).await.expect("heard");
    let Verdict::Refused { reason, .. } = verdict else { panic!("{refusal:?} was due: {verdict:?}") };
    clear(&reason.to_string());
    assert_eq!(&reason, refusal);
}
