//! A real counter on a real socket, asked by cashiers' terminals.

mod refunds;
mod rights;
mod selling;

use std::{fs, sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tui_kit::profile::Profile;
use wire::{
    amount::{Amount, Currency},
    id::{EntryNumber, OrderHash, Salt},
    key::{SigningKey, VerificationKey},
    link::{self, NoPush, Pace},
    order::order_hash,
    payload::{CashierChange, CashierRights, RefundReason, Rights},
    sheet::Invitation,
    shop::{ShopRefusal, StoreAnswer, StoreHello, StoreRequest},
    telegram::{Signer, Telegram},
    terminal::certify,
    text::{Line, Prose},
    till::{PickUpCode, StoreLine},
    tls,
};

use super::*;
use crate::{
    act::{Failure, FailureKind},
    cashier::{
        act::{Act, Outcome},
        terminal::{self, Terminal},
        view::{DayView, SaleView, TillView},
    },
    catalogue::{self, Catalogue},
    center::Center,
    counter::{Counter, Facts, listen},
    goods::Shelf,
    record::{Ending, Purpose, Record, Taken},
    settle::Settle,
    testing::{Manner, PASSWORD_B, STORE, Shop},
    view::{OrderDetail, OrderStanding, Resolved, TelegramState},
};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(10);
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

impl World {
    /// What a buyer with this key gets for a code, from the address of all buyers here.
    async fn take_up(
        &self,
        code: PickUpCode,
        buyer_key: VerificationKey,
    ) -> Result<(Vec<u8>, Salt, Telegram), ShopRefusal> {
        let pinned = tls::client_config_pinned(self.line.key);
        let address = self.line.addresses[0].as_str();
        let connected = link::connect(&[address], &pinned, LIMIT).await.unwrap();
        let (_, greeted) = connected.hello::<StoreHello>(LIMIT).await.unwrap();
        let (link, _) = greeted.start::<StoreRequest, StoreAnswer, NoPush>(Pace::default());
        match link.call(StoreRequest::TakeUp { code, buyer_key }, LIMIT).await.unwrap() {
            StoreAnswer::Sale { order, salt, offer } => Ok((order.into_vec(), salt, offer)),
            StoreAnswer::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }
}

impl Staff {
    async fn sell(&self, books: u32) -> SaleView {
        let outcome = self.terminal.act(sell(books)).await.unwrap();
        let Outcome::Sale(sale) = outcome else { panic!("{outcome:?}") };
        *sale
    }

    async fn order(&self, sale: &SaleView) -> OrderDetail {
        let outcome = self.terminal.act(Act::Order { order: sale.order.to_string() }).await.unwrap();
        let Outcome::Order(detail) = outcome else { panic!("{outcome:?}") };
        *detail
    }

    async fn standing(&self, sale: &SaleView) -> OrderStanding {
        self.order(sale).await.row.state
    }

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

fn key() -> VerificationKey {
    SigningKey::generate().verification_key()
}

/// Selling so many books.
fn sell(books: u32) -> Act {
    Act::Sell { items: vec![("book".into(), books)], note: "at the counter".into() }
}

fn pause() -> Act {
    Act::Pause { item: "book".into(), paused: true }
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
