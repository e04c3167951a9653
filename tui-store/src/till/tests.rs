//! A real counter on a real socket, asked by cashiers' terminals.

use std::{collections::HashSet, fs, sync::Arc};

use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tui_kit::profile::Profile;
use wire::{
    amount::{Amount, Currency},
    id::{EntryNumber, OrderHash, Salt},
    key::SigningKey,
    order::order_hash,
    payload::{CashierChange, CashierRights, RefundReason, Rights},
    sheet::Invitation,
    telegram::{Signer, Telegram},
    terminal::certify,
    text::{Line, Prose},
    till::StoreLine,
};

use super::*;
use crate::{
    act::{Failure, FailureKind},
    cashier::{
        act::{Act, Outcome},
        terminal::{self, Terminal},
        view::{DayView, TillView},
    },
    catalogue::{self, Catalogue},
    center::Center,
    counter::{Counter, Facts, listen},
    goods::Shelf,
    record::{Ending, Purpose, Record, Taken, Undeliverable},
    settle::Settle,
    testing::{Manner, PASSWORD_B, STORE, Shop},
    view::{OrderStanding, Resolved, TelegramState},
};

const PASSWORD: &str = "password of the till";

/// A store with an open counter.
struct World {
    shop: Shop,
    center: Arc<Center>,
    settle: Arc<Settle>,
    shelf: Arc<Shelf>,
    line: StoreLine,
    stop: CancellationToken,
    _catalogue: watch::Sender<Arc<Catalogue>>,
}

/// A cashier's terminal and where it lives.
struct Staff {
    terminal: Terminal,
    folder: tempfile::TempDir,
}

impl World {
    async fn open() -> Self {
        Self::over(Shop::joined().await).await
    }

    async fn over(shop: Shop) -> Self {
        let center = Center::new(shop.keep.clone());
        center.line().await.unwrap();
        let shelf = Arc::new(Shelf::open(&shop.folder.path().join("goods")).unwrap());
        fs::write(shop.folder.path().join("book.txt"), "a book").unwrap();
        let list = "[[item]]\nid = \"book\"\ntitle = \"A book\"\nprice = 500\nfile = \"book.txt\"\n";
        fs::write(shop.folder.path().join(catalogue::FILE), list).unwrap();
        let entries = catalogue::read(shop.folder.path(), Currency::YEN).unwrap();
        let catalogue = watch::Sender::new(Arc::new(Catalogue::publish(entries, &shelf).unwrap()));
        let root = shop.center.root().verification_key();
        let facts = Facts {
            center: root.center(),
            store: STORE,
            name: Line::new("Books & Maps").unwrap(),
            currency: Currency::YEN,
            offer_ms: 60_000,
        };
        let settle = Settle::new(shop.keep.clone(), center.clone());
        let counter = Counter::new(
            shop.keep.clone(),
            center.clone(),
            settle.clone(),
            shelf.clone(),
            catalogue.subscribe(),
            facts,
        );
        let (mut listeners, bound) = listen(&["127.0.0.1:0".into()]).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(counter.serve(listeners.remove(0), stop.clone()));
        let lines = |address: &str| wire::bounded::List::first([Line::new(address).unwrap()]);
        let line = StoreLine {
            store: STORE,
            key: shop.keep.terminal_key().verification_key(),
            addresses: lines(&bound[0].to_string()),
            center: Invitation { root, addresses: lines(&shop.center.address) },
        };
        Self { shop, center, settle, shelf, line, stop, _catalogue: catalogue }
    }

    /// A terminal that the owner has certified.
    async fn staff(&self, rights: CashierRights) -> Staff {
        let staff = self.stranger().await;
        self.certify(&staff, Some(rights)).await;
        staff
    }

    /// A terminal that nobody has certified.
    async fn stranger(&self) -> Staff {
        let folder = tempfile::tempdir().unwrap();
        let profile = profile(&folder);
        let name = Line::new("Mori").unwrap();
        terminal::join(&profile, self.line.clone(), name, secret(PASSWORD)).await.unwrap();
        let terminal = Terminal::open(&profile, &secret(PASSWORD)).await.unwrap();
        Staff { terminal, folder }
    }

    async fn certify(&self, staff: &Staff, rights: Option<CashierRights>) {
        let request: wire::till::CashierRequest =
            staff.terminal.view().await.unwrap().request.parse().unwrap();
        let done = self.settle.certify(request.key, rights, Some(secret(PASSWORD_B))).await.unwrap();
        assert_eq!(done[0].state, TelegramState::Done, "{done:?}");
    }

    /// An order of the book that is paid; its payment.
    async fn paid(&self) -> EntryNumber {
        let (order, offer) = self.ordered().await;
        let payment = self.shop.center.pay(order, offer.digest(), yen(500));
        let line = self.center.line().await.unwrap();
        self.center.take_mail(&line).await.unwrap();
        payment
    }

    async fn ordered(&self) -> (OrderHash, Telegram) {
        let goods = self._catalogue.borrow().item("book").unwrap().clone();
        let order = wire::order::Order {
            center: self.line.center.root.center(),
            store: STORE,
            currency: Currency::YEN,
            total: yen(500),
            lines: wire::bounded::List::first([wire::order::OrderLine {
                item: goods.id,
                title: goods.title,
                quantity: 1,
                unit_price: goods.price,
                digest: goods.digest,
                size: goods.size,
                file_name: goods.file_name,
            }]),
            note: Prose::default(),
        };
        let (bytes, salt) = (wire::codec::encode(&order), Salt::random());
        let buyer_key = SigningKey::generate().verification_key();
        let now = Timestamp::now();
        let key = self.shop.keep.terminal_key();
        let offer = wire::payload::Offer {
            center: order.center,
            store: STORE,
            terminal_key: key.verification_key(),
            buyer_key,
            order: order_hash(&salt, &bytes),
            total: order.total,
            currency: Currency::YEN,
            issued: now,
            expires: now.plus_ms(60_000),
        };
        let offer = Telegram::sign_as_key(&offer, &key);
        let hash = order_hash(&salt, &bytes);
        let taken = Taken { at: now, order: bytes, salt, buyer_key, offer: offer.clone() };
        self.shop.keep.record(vec![Record::Taken(taken)]).await.unwrap();
        (hash, offer)
    }
}

impl Staff {
    async fn refuses(&self, act: Act) -> Failure {
        self.terminal.act(act).await.unwrap_err()
    }

    async fn refund(&self, payment: EntryNumber) -> Resolved {
        let outcome = self.terminal.act(refund(payment)).await.unwrap();
        let Outcome::Resolved(mut resolved) = outcome else { panic!("{outcome:?}") };
        resolved.remove(0)
    }

    async fn resolve(&self) -> Resolved {
        let Outcome::Resolved(mut resolved) = self.terminal.act(Act::Resolve).await.unwrap() else {
            panic!()
        };
        resolved.remove(0)
    }

    async fn status(&self) -> TillView {
        let Outcome::Status(view) = self.terminal.act(Act::Status).await.unwrap() else { panic!() };
        *view
    }

    async fn day(&self) -> DayView {
        let Outcome::Day(day) = self.terminal.act(Act::Day).await.unwrap() else { panic!() };
        *day
    }
}

fn profile(folder: &tempfile::TempDir) -> Profile {
    Profile::locate("tui-store", folder.path().to_str()).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn yen(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

fn rights() -> CashierRights {
    CashierRights {
        name: Line::new("Mori").unwrap(),
        sell: true,
        deliver: true,
        refund_limit: yen(1_200),
        see_day: true,
    }
}

fn refund(payment: EntryNumber) -> Act {
    Act::Refund { order: payment.to_string(), reason: RefundReason::Agreed, password: PASSWORD.into() }
}

fn pause() -> Act {
    Act::Pause { item: "book".into(), paused: true }
}

#[tokio::test]
async fn a_cashier_works_within_its_rights() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let view = staff.status().await;
    assert!(view.connected, "{view:?}");
    assert_eq!(view.rights.as_ref().unwrap().left.as_ref().unwrap().minor, 1_200);
    assert_eq!(view.store_name.as_str(), "Books & Maps");

    let payment = world.paid().await;
    let Outcome::Orders(orders) = staff.terminal.act(Act::Orders).await.unwrap() else { panic!() };
    assert_eq!((orders.len(), orders[0].payment), (1, Some(payment)));
    let done = staff.refund(payment).await;
    assert_eq!(done.state, TelegramState::Done, "{done:?}");
    let Outcome::Order(order) = staff.terminal.act(Act::Order { order: payment.to_string() }).await.unwrap()
    else {
        panic!()
    };
    assert_eq!((order.row.state, order.refund), (OrderStanding::Refunded, done.number));
    let twice = staff.refuses(refund(payment)).await;
    assert!(twice.message.contains("given back already"), "{twice}");

    let day = staff.day().await;
    assert_eq!((day.orders, day.paid, day.refunds, day.refunded_total.minor), (1, 1, 1, 500));
    assert_eq!((day.cashiers[0].name.as_str(), day.cashiers[0].refunded.minor), ("Mori", 500));
    world.stop.cancel();
}

#[tokio::test]
async fn each_right_that_is_missing_is_refused_in_words() {
    let world = World::open().await;
    let none =
        CashierRights { sell: false, deliver: false, refund_limit: Amount::ZERO, see_day: false, ..rights() };
    let staff = world.staff(none).await;
    let payment = world.paid().await;
    let order = payment.to_string();
    assert!(matches!(staff.terminal.act(Act::Order { order: order.clone() }).await, Ok(Outcome::Order(_))));
    for (act, words) in [
        (Act::Deliver { order }, "may not deliver"),
        (refund(payment), "may not give payments back"),
        (Act::Day, "may not see the day's figures"),
        (pause(), "may not sell"),
        (
            Act::Offer {
                items: vec![("book".into(), 1)],
                buyer_key: SigningKey::generate().verification_key(),
                note: String::new(),
            },
            "may not sell",
        ),
    ] {
        let failure = staff.refuses(act).await;
        assert_eq!(failure.kind, FailureKind::Refused, "{failure}");
        assert!(failure.message.contains(words), "{failure}");
    }
    // A terminal that lies to itself about its rights gets no further.
    let telegram = forged_refund(&world, &staff, payment).await;
    let before = world.shop.keep.items().await.unwrap().len();
    let key = staff_key(&staff);
    let refused = world.settle.pass_on(telegram.clone(), &telegram.peek().unwrap(), &key).await;
    assert!(matches!(refused, Err(crate::settle::NotPassed::Refused(_))), "{refused:?}");
    assert_eq!(world.shop.keep.items().await.unwrap().len(), before, "nothing was kept or sent");
}

#[tokio::test]
async fn a_stranger_and_one_who_is_revoked_are_nobody() {
    let world = World::open().await;
    let stranger = world.stranger().await;
    let failure = stranger.refuses(Act::Orders).await;
    assert!(failure.message.contains("no cashier with this key"), "{failure}");
    assert!(!stranger.status().await.connected);

    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    let payment = world.paid().await;
    // Revoked while it is connected: the next request is refused, and so is the next login.
    world.certify(&staff, None).await;
    for act in [Act::Orders, Act::Day, refund(payment), pause()] {
        let failure = staff.refuses(act).await;
        assert!(failure.message.contains("taken this cashier's rights away"), "{failure}");
    }
    let profile = profile(&staff.folder);
    drop(staff.terminal);
    let again = Terminal::open(&profile, &secret(PASSWORD)).await.unwrap();
    let failure = again.act(Act::Orders).await.unwrap_err();
    assert!(failure.message.contains("rights away"), "{failure}");
}

#[tokio::test]
async fn a_revocation_counts_at_the_counter_before_the_center_has_spoken() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    world.shop.center.manner(Manner::Dies);
    let key = staff_key(&staff);
    let sent = world.settle.certify(key, None, Some(secret(PASSWORD_B))).await.unwrap();
    assert_eq!(sent[0].state, TelegramState::Unknown);
    let failure = staff.refuses(Act::Orders).await;
    assert!(failure.message.contains("rights away"), "{failure}");
}

#[tokio::test]
async fn rights_are_taken_away_without_a_line_and_the_center_hears_of_it_later() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    let pin = |address: String| {
        world.shop.keep.vault(move |vault| {
            let pinned = vault::PinnedCenter { addresses: vec![address], ..vault.center().unwrap().clone() };
            vault.pin_center(&pinned).unwrap();
        })
    };
    // Nobody listens at the port of a listener that is gone.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    pin(nobody.to_string()).await.unwrap();
    let line = world.center.line().await.unwrap();
    world.shop.center.hang_up();
    line.closed().await;
    let key = staff_key(&staff);
    let kept = world.settle.certify(key, None, Some(secret(PASSWORD_B))).await.unwrap();
    assert_eq!(kept[0].state, TelegramState::Prepared, "{kept:?}");
    let failure = staff.refuses(Act::Orders).await;
    assert!(failure.message.contains("rights away"), "{failure}");
    pin(world.shop.center.address.clone()).await.unwrap();
    let sent = world.settle.send_prepared(None).await.unwrap();
    assert_eq!(sent[0].state, TelegramState::Done, "{sent:?}");
}

#[tokio::test]
async fn what_another_copy_of_the_vault_signed_is_seen_at_the_login() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    let line = world.center.line().await.unwrap();
    world.settle.compare_cashiers(&line).await;
    assert!(staff.terminal.act(Act::Orders).await.is_ok(), "the center names it as it stands here");

    let key = staff_key(&staff);
    world.shop.center.change_cashier(key, None);
    let stranger = SigningKey::generate().verification_key();
    world.shop.center.change_cashier(stranger, Some(rights()));
    world.settle.compare_cashiers(&line).await;
    let failure = staff.refuses(Act::Orders).await;
    assert!(failure.message.contains("rights away"), "{failure}");
    assert!(world.shop.keep.book().staff.is_elsewhere(&stranger));
    let revoked = world.settle.certify(stranger, None, Some(secret(PASSWORD_B))).await.unwrap();
    assert_eq!(revoked[0].state, TelegramState::Done, "{revoked:?}");
    assert!(!world.shop.keep.book().staff.is_elsewhere(&stranger));
    // Given rights again here, it counts at once.
    world.certify(&staff, Some(rights())).await;
    assert!(staff.terminal.act(Act::Orders).await.is_ok());
}

#[tokio::test]
async fn the_limit_is_the_day_s_and_holds_here_and_at_the_center() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    for left in [700, 200] {
        assert_eq!(staff.refund(world.paid().await).await.state, TelegramState::Done);
        assert_eq!(rules::left(&world.shop.keep.book(), &staff_key(&staff), Timestamp::now()), yen(left));
    }
    let payment = world.paid().await;
    let over = staff.refund(payment).await;
    assert_eq!(over.state, TelegramState::Refused);
    assert!(over.words.contains("more than this cashier may give back today; 200 JPY is left"), "{over:?}");

    // A store that believes in a higher limit than was entered: the center refuses, and its word is believed.
    let other = world.stranger().await;
    let key = staff_key(&other);
    raised_only_here(&world, key, CashierRights { refund_limit: yen(100), ..rights() }).await;
    let refused = other.refund(payment).await;
    assert_eq!(refused.state, TelegramState::Refused);
    assert!(refused.words.contains("more than this cashier may refund today"), "{refused:?}");
    assert!(refused.number.is_some(), "the center entered it: {refused:?}");
}

#[tokio::test]
async fn two_cashiers_do_not_spend_each_other_s_limit() {
    let world = World::open().await;
    let first = world.staff(rights()).await;
    let second = world.staff(CashierRights { name: Line::new("Sato").unwrap(), ..rights() }).await;
    let (one, other) = (world.paid().await, world.paid().await);
    let third = world.paid().await;
    let (a, b) = tokio::join!(first.refund(one), second.refund(other));
    assert_eq!((a.state, b.state), (TelegramState::Done, TelegramState::Done));
    let (a, b) = tokio::join!(first.refund(third), second.refund(third));
    let mut states = [a.state, b.state].map(|state| state == TelegramState::Done);
    states.sort_unstable();
    assert_eq!(states, [false, true], "{a:?} {b:?}");
    let day = second.day().await;
    assert_eq!((day.refunds, day.refunded_total.minor), (3, 1_500));
    assert_eq!(day.cashiers.len(), 2);
    // Somebody else's telegram is not asked about, nor sent.
    let telegram = forged_refund(&world, &first, third).await;
    let key = staff_key(&second);
    let foreign = rules::own_refund(&telegram, (world.line.center.root.center(), STORE), &key);
    assert!(foreign.unwrap_err().to_string().contains("not accepted"));
}

#[tokio::test]
async fn an_unknown_refund_is_asked_about_after_the_store_was_started_again() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    world.shop.center.manner(Manner::EntersAndDies);
    let sent = staff.refund(payment).await;
    assert_eq!(sent.state, TelegramState::Unknown, "{sent:?}");
    assert_eq!(staff.status().await.unknown, 1);
    let again = staff.refund(payment).await;
    assert_eq!(again.state, TelegramState::Refused, "one that waits is not sent twice: {again:?}");

    // The store dies and comes back elsewhere; its owner hands out the new line.
    let World { shop, stop, .. } = world;
    stop.cancel();
    let (_copy, keep) = shop.after_a_crash();
    shop.center.manner(Manner::Honest);
    let Shop { folder, center, keep: dead } = shop;
    let world = World::over(Shop { folder, center, keep }).await;
    drop(dead);
    let profile = profile(&staff.folder);
    drop(staff.terminal);
    let name = Line::new("Mori").unwrap();
    terminal::join(&profile, world.line.clone(), name, secret(PASSWORD)).await.unwrap();
    let terminal = Terminal::open(&profile, &secret(PASSWORD)).await.unwrap();
    let staff = Staff { terminal, folder: staff.folder };
    let resolved = staff.resolve().await;
    assert_eq!(resolved.state, TelegramState::Done, "{resolved:?}");
    assert_eq!(staff.status().await.unknown, 0);
}

#[tokio::test]
async fn a_refund_that_never_reached_the_store_is_entered_as_void() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    let telegram = forged_refund(&world, &staff, payment).await;
    let said = world.settle.asked_by_cashier(telegram).await.unwrap();
    assert!(
        matches!(&said, wire::till::TillOutcome::Said(verdict) if matches!(**verdict, wire::message::Verdict::Void { .. })),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_lying_center_and_a_wrong_password_end_nothing() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    world.shop.center.manner(Manner::Lies);
    let sent = staff.refund(payment).await;
    assert_eq!(sent.state, TelegramState::Unknown, "{sent:?}");
    let payment = world.paid().await;
    let wrong = Act::Refund {
        order: payment.to_string(),
        reason: RefundReason::Agreed,
        password: "not the password".into(),
    };
    let failure = staff.refuses(wrong).await;
    assert_eq!(failure.kind, FailureKind::WrongPassword);
    assert!(!failure.message.contains("password B"), "{failure}");
    assert_eq!(staff.status().await.unknown, 1, "nothing more was signed");
}

#[tokio::test]
async fn goods_are_put_out_again_and_items_are_paused() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    let order = world.shop.keep.book().payments[&payment].order;
    let lost = Undeliverable { at: Timestamp::now(), order, why: Line::new("it was gone").unwrap() };
    world.shop.keep.record(vec![Record::Undeliverable(lost)]).await.unwrap();
    let act = || Act::Deliver { order: payment.to_string() };
    world.shelf.clear_except(&HashSet::new()).unwrap();
    let gone = staff.refuses(act()).await;
    assert!(gone.message.contains("not on the shelf"), "{gone}");
    world.shelf.publish(&world.shop.folder.path().join("book.txt")).unwrap();
    let Outcome::Order(detail) = staff.terminal.act(act()).await.unwrap() else { panic!() };
    assert_eq!((detail.row.state, detail.undeliverable), (OrderStanding::Paid, None));

    let offer = || Act::Offer {
        items: vec![("book".into(), 2)],
        buyer_key: SigningKey::generate().verification_key(),
        note: "at the counter".into(),
    };
    let Outcome::Offer(made) = staff.terminal.act(offer()).await.unwrap() else { panic!() };
    assert_eq!(made.total.minor, 1_000);
    assert!(world.shop.keep.book().sales.contains_key(&made.order));
    staff.terminal.act(pause()).await.unwrap();
    let paused = staff.refuses(offer()).await;
    assert!(paused.message.contains("not sold at the moment"), "{paused}");
    let (_copy, found) = world.shop.after_a_crash();
    assert_eq!(found.book().staff.paused.len(), 1, "it stays paused over a crash");
    staff.terminal.act(Act::Pause { item: "book".into(), paused: false }).await.unwrap();
    assert!(staff.terminal.act(offer()).await.is_ok());
    let day = staff.day().await;
    assert_eq!((day.cashiers[0].offers, day.cashiers[0].delivered), (2, 1));
}

#[tokio::test]
async fn the_password_is_changed() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let change = Act::ChangePassword { old: PASSWORD.into(), new: "another word for the till".into() };
    assert!(matches!(staff.terminal.act(change).await, Ok(Outcome::Done)));
    let failure = staff.refuses(refund(world.paid().await)).await;
    assert_eq!(failure.kind, FailureKind::WrongPassword, "the old one opens nothing more");
    let profile = profile(&staff.folder);
    drop(staff.terminal);
    assert!(Terminal::open(&profile, &secret("another word for the till")).await.is_ok());
}

#[tokio::test]
async fn a_terminal_believes_the_store_of_its_line_alone() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let folder = tempfile::tempdir().unwrap();
    let stranger = SigningKey::generate().verification_key();
    let line = StoreLine { key: stranger, ..world.line.clone() };
    let profile = profile(&folder);
    terminal::join(&profile, line.clone(), Line::default(), secret(PASSWORD)).await.unwrap();
    let terminal = Terminal::open(&profile, &secret(PASSWORD)).await.unwrap();
    let failure = terminal.act(Act::Orders).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Contradiction, "{failure}");
    assert!(failure.message.contains("ask for a new line"), "{failure}");
    drop(terminal);
    let elsewhere = StoreLine { store: wire::id::StoreNumber(9), ..line };
    let refused = terminal::join(&profile, elsewhere, Line::default(), secret(PASSWORD)).await.unwrap_err();
    assert!(refused.message.contains("a profile of its own"), "{refused}");
    drop(staff);
    let store = Profile::locate("tui-store", world.shop.folder.path().to_str()).unwrap();
    let refused = terminal::join(&store, world.line.clone(), Line::default(), secret(PASSWORD));
    assert!(refused.await.unwrap_err().message.contains("another kind"), "a store's own profile stays one");
}

fn staff_key(staff: &Staff) -> wire::key::VerificationKey {
    staff.terminal.signing_key().verification_key()
}

/// A refund that this terminal signs whatever it may.
async fn forged_refund(world: &World, staff: &Staff, payment: EntryNumber) -> Telegram {
    let entry = world.shop.keep.book().staff.cashiers[&staff_key(staff)].entry.unwrap();
    let key = staff.terminal.signing_key();
    let refund = wire::payload::Refund {
        center: world.line.center.root.center(),
        store: STORE,
        cashier: Some(key.verification_key()),
        key_event: entry,
        payment,
        amount: yen(500),
        currency: Currency::YEN,
        reason: RefundReason::Agreed,
        nonce: wire::id::Nonce::random(),
        valid_until: Timestamp::now().plus_ms(60_000),
    };
    Telegram::sign(&refund, Signer::Account(wire::id::AccountNumber::Store(STORE)), &key)
}

/// The center has entered these rights, and the store's outbox says that it entered more.
async fn raised_only_here(world: &World, key: wire::key::VerificationKey, entered: CashierRights) {
    let raised = CashierRights { refund_limit: yen(100_000), ..entered.clone() };
    let center = world.line.center.root.center();
    let change = CashierChange {
        center,
        store: STORE,
        key_event: EntryNumber(1),
        key,
        rights: Some(raised.clone()),
        nonce: wire::id::Nonce::random(),
        valid_until: Timestamp::now().plus_ms(60_000),
    };
    let account = Signer::Account(wire::id::AccountNumber::Store(STORE));
    let sign = move |by: &SigningKey| {
        let certificate = certify(center, key, Rights::Cashier(raised), Timestamp::now(), by);
        (Telegram::sign(&change, account, by), certificate)
    };
    let (telegram, certificate) = world.shop.keep.sign(Some(secret(PASSWORD_B)), sign).await.unwrap();
    let receipt = world.shop.center.enter_cashier(&telegram, Some(&entered));
    let purpose = Purpose::Cashier { certificate: Some(certificate) };
    let id = telegram.id();
    let _sent = world.shop.keep.post(telegram, Vec::new(), purpose).await.unwrap();
    let verdict = wire::message::Verdict::Done { effect: wire::message::Effect::CashierChanged, receipt };
    world.shop.keep.close(id, Ending::Verdict(verdict)).await.unwrap();
}
