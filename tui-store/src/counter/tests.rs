//! A real counter on a real socket, asked by a member's side of the line.

use std::fs;

use wire::{
    bounded::{Bytes, List},
    id::{Digest, Salt},
    key::{SigningKey, VerificationKey},
    link::Link,
    order::{Order, OrderLine, goods_hash, order_hash},
    payload::{Delivery, Offer},
    shop::{Item, OrderState, ShopRefusal, StoreAnswer, StoreRequest, prove_message},
    telegram::Telegram,
    text::Prose,
};

use super::*;
use crate::{
    catalogue,
    testing::{STORE, Shop},
    view::OrderStanding,
};

const LIMIT: Duration = Duration::from_secs(10);
const BOOK: &[u8] = &[b'x'; 100_000];

struct Open {
    shop: Shop,
    center: Arc<Center>,
    catalogue: watch::Sender<Arc<Catalogue>>,
    address: String,
    shelf: Arc<Shelf>,
    stop: CancellationToken,
}

impl Open {
    async fn counter() -> Self {
        let shop = Shop::joined().await;
        let center = Center::new(shop.keep.clone());
        let shelf = Arc::new(Shelf::open(&shop.folder.path().join("goods")).unwrap());
        fs::write(shop.folder.path().join("book.txt"), BOOK).unwrap();
        let catalogue = watch::Sender::new(Arc::new(Catalogue::default()));
        let facts = Facts {
            center: shop.center.root().verification_key().center(),
            store: STORE,
            name: Line::new("Books").unwrap(),
            currency: Currency::YEN,
            offer_ms: 60_000,
        };
        let settle = crate::settle::Settle::new(shop.keep.clone(), center.clone());
        let counter = Counter::new(
            shop.keep.clone(),
            center.clone(),
            settle,
            shelf.clone(),
            catalogue.subscribe(),
            facts,
        );
        let (mut listeners, bound) = listen(&["127.0.0.1:0".into()]).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(counter.serve(listeners.remove(0), stop.clone()));
        let open = Self { shop, center, catalogue, address: bound[0].to_string(), shelf, stop };
        open.sell(500);
        open
    }

    /// Sells the book at a price.
    fn sell(&self, price: u64) {
        let list =
            format!("[[item]]\nid = \"book\"\ntitle = \"A book\"\nprice = {price}\nfile = \"book.txt\"\n");
        fs::write(self.shop.folder.path().join(catalogue::FILE), list).unwrap();
        let entries = catalogue::read(self.shop.folder.path(), Currency::YEN).unwrap();
        self.catalogue.send_replace(Arc::new(Catalogue::publish(entries, &self.shelf).unwrap()));
    }

    async fn visitor(&self) -> Visitor {
        let pinned = tls::client_config_pinned(self.shop.keep.terminal_key().verification_key());
        let connected = link::connect(&[self.address.as_str()], &pinned, LIMIT).await.unwrap();
        let exporter = connected.peer().exporter;
        let (hello, greeted) = connected.hello::<StoreHello>(LIMIT).await.unwrap();
        assert_eq!(hello.store, STORE);
        let (link, _) = greeted.start::<StoreRequest, StoreAnswer, NoPush>(Pace::default());
        Visitor { link, exporter, buyer: SigningKey::generate(), salt: Salt::random() }
    }

    /// Takes the payment notice of an order in.
    async fn paid(&self, order: OrderHash, offer: &Telegram) {
        let total = offer.peek::<Offer>().unwrap().total;
        self.shop.center.pay(order, offer.digest(), total);
        let line = self.center.line().await.unwrap();
        self.center.take_mail(&line).await.unwrap();
    }
}

struct Visitor {
    link: Link<StoreRequest, StoreAnswer>,
    exporter: [u8; 32],
    buyer: SigningKey,
    salt: Salt,
}

impl Visitor {
    async fn ask(&self, request: StoreRequest) -> StoreAnswer {
        self.link.call(request, LIMIT).await.unwrap()
    }

    async fn item(&self) -> Item {
        let StoreAnswer::Item(item) = self.ask(StoreRequest::Item(Line::new("book").unwrap())).await else {
            panic!("no item");
        };
        *item
    }

    fn order(&self, open: &Open, item: &Item, change: impl Fn(&mut Order)) -> Vec<u8> {
        let line = OrderLine {
            item: item.id.clone(),
            title: item.title.clone(),
            quantity: 2,
            unit_price: item.price,
            digest: item.digest,
            size: item.size,
            file_name: item.file_name.clone(),
        };
        let mut order = Order {
            center: open.shop.center.root().verification_key().center(),
            store: STORE,
            currency: Currency::YEN,
            total: item.price.times(2).unwrap(),
            lines: List::first([line]),
            note: Prose::default(),
        };
        change(&mut order);
        wire::codec::encode(&order)
    }

    async fn offer(&self, order: &[u8], buyer_key: VerificationKey) -> Result<Telegram, ShopRefusal> {
        let order = Bytes::new(order.to_vec()).unwrap();
        match self.ask(StoreRequest::Order { order, salt: self.salt, buyer_key }).await {
            StoreAnswer::Offer(offer) => Ok(offer),
            StoreAnswer::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }

    async fn prove(&self, order: OrderHash) -> StoreAnswer {
        let signature = self.buyer.sign(&prove_message(&order, &self.exporter));
        self.ask(StoreRequest::Prove { order, signature }).await
    }
}

fn refused(refusal: ShopRefusal) -> StoreAnswer {
    StoreAnswer::Refused(refusal)
}

#[tokio::test]
async fn an_order_becomes_an_offer_that_is_on_disk_before_it_is_answered() {
    let open = Open::counter().await;
    let visitor = open.visitor().await;
    let item = visitor.item().await;
    let order = visitor.order(&open, &item, |_| {});
    let key = visitor.buyer.verification_key();
    assert_eq!(visitor.offer(&order, key).await, Err(ShopRefusal::Away), "no line to the center");

    open.center.line().await.unwrap();
    let telegram = visitor.offer(&order, key).await.unwrap();
    let hash = order_hash(&visitor.salt, &order);
    let (_copy, found) = open.shop.after_a_crash();
    assert_eq!(found.book().sales[&hash].buyer.as_ref().unwrap().offer, telegram);

    let offer = telegram.verify_self::<Offer>().unwrap();
    assert_eq!(offer.key(), open.shop.keep.terminal_key().verification_key());
    let offer = offer.into_payload();
    assert_eq!((offer.order, offer.buyer_key, offer.total.minor()), (hash, key, 1_000));
    open.sell(900);
    assert_eq!(visitor.offer(&order, key).await, Ok(telegram), "an open offer keeps its price");
    let other = SigningKey::generate().verification_key();
    assert!(matches!(visitor.offer(&order, other).await, Err(ShopRefusal::BadOrder(_))));
    open.stop.cancel();
}

#[tokio::test]
async fn orders_that_say_something_else_than_the_catalogue_are_refused() {
    let open = Open::counter().await;
    open.center.line().await.unwrap();
    let visitor = open.visitor().await;
    let item = visitor.item().await;
    let key = visitor.buyer.verification_key();
    for (order, words) in [
        (visitor.order(&open, &item, |order| order.store = StoreNumber(8)), "another store"),
        (visitor.order(&open, &item, |order| order.currency = Currency::of_code("USD").unwrap()), "currency"),
        (visitor.order(&open, &item, |order| order.total = item.price), "not the sum"),
        (visitor.order(&open, &item, |order| order.lines = List::default()), "no lines"),
        (vec![1, 2, 3], "well-formed"),
    ] {
        let refusal = visitor.offer(&order, key).await.unwrap_err();
        assert!(refusal.to_string().contains(words), "{refusal}");
    }
    let stranger = Item { id: Line::new("pen").unwrap(), ..item.clone() };
    let order = visitor.order(&open, &stranger, |_| {});
    assert!(matches!(visitor.offer(&order, key).await, Err(ShopRefusal::UnknownItem(_))));
    let forged = Item { digest: Digest([0; 32]), ..item.clone() };
    let order = visitor.order(&open, &forged, |_| {});
    assert!(matches!(visitor.offer(&order, key).await, Err(ShopRefusal::ItemChanged(_))));
    let order = visitor.order(&open, &item, |_| {});
    let weak = VerificationKey([0; 32]);
    assert!(visitor.offer(&order, weak).await.unwrap_err().to_string().contains("buyer key"));
    open.sell(600);
    assert!(matches!(visitor.offer(&order, key).await, Err(ShopRefusal::PriceChanged { .. })));
    assert!(open.shop.keep.book().sales.is_empty());
}

#[tokio::test]
async fn goods_go_to_whoever_proves_the_buyer_key_and_has_paid() {
    let open = Open::counter().await;
    open.center.line().await.unwrap();
    let visitor = open.visitor().await;
    let item = visitor.item().await;
    let order = visitor.order(&open, &item, |_| {});
    let hash = order_hash(&visitor.salt, &order);
    let offer = visitor.offer(&order, visitor.buyer.verification_key()).await.unwrap();
    let fetch = |offset| StoreRequest::Fetch { order: hash, line: 0, offset };

    assert_eq!(visitor.ask(fetch(0)).await, refused(ShopRefusal::UnknownOrder), "not proved yet");
    let thief = open.visitor().await;
    assert_eq!(thief.prove(hash).await, refused(ShopRefusal::UnknownOrder), "another key");
    let elsewhere = visitor.buyer.sign(&prove_message(&hash, &thief.exporter));
    let replayed = StoreRequest::Prove { order: hash, signature: elsewhere };
    assert_eq!(
        visitor.ask(replayed).await,
        refused(ShopRefusal::UnknownOrder),
        "a proof of another connection"
    );
    assert_eq!(visitor.prove(hash).await, StoreAnswer::State(OrderState::AwaitingPayment));
    assert_eq!(visitor.ask(fetch(0)).await, refused(ShopRefusal::NotPaid));

    open.paid(hash, &offer).await;
    assert_eq!(visitor.ask(StoreRequest::State(hash)).await, StoreAnswer::State(OrderState::Paid));
    let mut goods = Vec::new();
    while goods.len() < BOOK.len() {
        let StoreAnswer::Chunk { offset, bytes } = visitor.ask(fetch(goods.len() as u64)).await else {
            panic!()
        };
        assert_eq!(offset, goods.len() as u64);
        goods.extend_from_slice(&bytes);
    }
    assert_eq!(goods, BOOK);
    assert_eq!(visitor.ask(fetch(BOOK.len() as u64 + 1)).await, refused(ShopRefusal::Malformed));
    let beyond = StoreRequest::Fetch { order: hash, line: 1, offset: 0 };
    assert_eq!(visitor.ask(beyond).await, refused(ShopRefusal::Malformed));

    let decoded = Order::decode(&order).unwrap();
    let signed = |goods: Digest, key: &SigningKey| {
        StoreRequest::Delivered(Telegram::sign_as_key(&Delivery { order: hash, goods }, key))
    };
    let right = goods_hash(&visitor.salt, &decoded.goods_digest());
    let bad = refused(ShopRefusal::BadAcknowledgement);
    assert_eq!(visitor.ask(signed(Digest([1; 32]), &visitor.buyer)).await, bad);
    assert_eq!(visitor.ask(signed(right, &thief.buyer)).await, bad);
    assert_eq!(visitor.ask(signed(right, &visitor.buyer)).await, StoreAnswer::State(OrderState::Delivered));
    let (_copy, found) = open.shop.after_a_crash();
    assert_eq!(found.book().claimable().count(), 1, "what was acknowledged can be claimed after a crash");
    assert_eq!(visitor.ask(signed(right, &visitor.buyer)).await, StoreAnswer::State(OrderState::Delivered));
}

#[tokio::test]
async fn goods_that_are_gone_are_said_so_and_their_payment_is_due_back() {
    let open = Open::counter().await;
    open.center.line().await.unwrap();
    let visitor = open.visitor().await;
    let item = visitor.item().await;
    let order = visitor.order(&open, &item, |_| {});
    let hash = order_hash(&visitor.salt, &order);
    let offer = visitor.offer(&order, visitor.buyer.verification_key()).await.unwrap();
    open.paid(hash, &offer).await;
    visitor.prove(hash).await;
    open.shelf.clear_except(&HashSet::new()).unwrap();
    let fetch = StoreRequest::Fetch { order: hash, line: 0, offset: 0 };
    assert_eq!(visitor.ask(fetch.clone()).await, refused(ShopRefusal::CannotDeliver));
    let (_copy, found) = open.shop.after_a_crash();
    let standing = {
        let book = found.book();
        book.standing(&book.sales[&hash], Timestamp::now())
    };
    assert_eq!(standing, OrderStanding::RefundDue);
    open.sell(500);
    assert_eq!(
        visitor.ask(fetch).await,
        refused(ShopRefusal::CannotDeliver),
        "a refund is due, nothing else"
    );
}

#[tokio::test]
async fn a_closing_counter_answers_what_it_was_asked_and_takes_nobody_in() {
    let open = Open::counter().await;
    let visitor = open.visitor().await;
    visitor.item().await;
    open.stop.cancel();
    visitor.link.closed().await;
    let refused = link::connect(&[open.address.as_str()], &tls::client_config(), LIMIT).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_rotated_terminal_key_is_shown_to_the_next_visitor_and_old_offers_stay_good() {
    let open = Open::counter().await;
    open.center.line().await.unwrap();
    let visitor = open.visitor().await;
    let item = visitor.item().await;
    let order = visitor.order(&open, &item, |_| {});
    let hash = order_hash(&visitor.salt, &order);
    let offer = visitor.offer(&order, visitor.buyer.verification_key()).await.unwrap();
    let old = open.shop.keep.terminal_key().verification_key();

    let settle = crate::settle::Settle::new(open.shop.keep.clone(), open.center.clone());
    settle.rotate(wire::payload::KeyRole::Terminal, crate::testing::PASSWORD_B.into()).await.unwrap();
    let new = open.shop.keep.terminal_key().verification_key();
    assert_ne!(new, old);
    let pinned = tls::client_config_pinned(old);
    let stale = link::connect(&[open.address.as_str()], &pinned, LIMIT).await;
    assert!(stale.is_err(), "the counter shows the new key at once");
    open.visitor().await;
    let again = visitor.offer(&order, visitor.buyer.verification_key()).await;
    assert_eq!(again, Ok(offer.clone()), "still the same offer");
    assert_eq!(
        visitor.prove(hash).await,
        StoreAnswer::State(OrderState::AwaitingPayment),
        "who is inside goes on"
    );
    open.paid(hash, &offer).await;
    assert_eq!(visitor.ask(StoreRequest::State(hash)).await, StoreAnswer::State(OrderState::Paid));
}
