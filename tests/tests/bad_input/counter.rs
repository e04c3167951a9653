//! Buyers that cheat, at the counter of the real store.

use sha2::{Digest as _, Sha256};
use wire::{
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    codec,
    id::{AccountNumber, CenterId, Digest, OrderHash, Salt, StoreNumber},
    key::{SigningKey, VerificationKey},
    link::{self, Link, NoPush, Pace},
    order::{Order, OrderLine, goods_hash},
    payload::Delivery,
    shop::{ShopRefusal, StoreAnswer, StoreHello, StoreRequest, prove_message},
    telegram::Telegram,
    text::{Line, Prose},
    tls,
};

use crate::{
    house::{House, PRICE, text},
    peer::{WAIT, yen},
    stand_in::{Poisoned, mark},
    words::{clear, harmless_json, printed},
};

/// A nameless buyer at a store's counter.
struct Buyer {
    link: Link<StoreRequest, StoreAnswer>,
    hello: StoreHello,
    exporter: [u8; 32],
    key: SigningKey,
}

impl Buyer {
    async fn at(house: &House) -> Self {
        let status = house.done(house.network.store("shop", &["status"]));
        let address = text(&status, "/counter/listening/0");
        let connected =
            link::connect(&[address.as_str()], &tls::client_config(), WAIT).await.expect("it listens");
        let exporter = connected.peer().exporter;
        let (hello, greeted) = connected.hello::<StoreHello>(WAIT).await.expect("it greets");
        let (link, _) = greeted.start::<StoreRequest, StoreAnswer, NoPush>(Pace::default());
        Self { link, hello, exporter, key: SigningKey::generate() }
    }

    async fn ask(&self, request: StoreRequest) -> StoreAnswer {
        self.link.call(request, WAIT).await.expect("an answer")
    }

    /// An order of one note, as an honest buyer makes it.
    fn honest(&self) -> Order {
        let goods = b"a note\n";
        let line = OrderLine {
            item: Line::new("note").expect("short"),
            title: Line::new("A note").expect("short"),
            quantity: 1,
            unit_price: yen(PRICE),
            digest: Digest(Sha256::digest(goods).into()),
            size: goods.len() as u64,
            file_name: Line::new("note.txt").expect("short"),
        };
        Order {
            center: self.hello.center,
            store: self.hello.store,
            currency: Currency::YEN,
            lines: List::first([line]),
            total: yen(PRICE),
            note: Prose::default(),
        }
    }

    async fn order_bytes(&self, bytes: Vec<u8>, salt: Salt, buyer_key: VerificationKey) -> StoreAnswer {
        let order = Bytes::new(bytes).expect("within the limit");
        self.ask(StoreRequest::Order { order, salt, buyer_key }).await
    }

    async fn order(&self, order: &Order) -> StoreAnswer {
        self.order_bytes(codec::encode(order), Salt::random(), self.key.verification_key()).await
    }
}

#[track_caller]
fn refusal(answer: StoreAnswer) -> ShopRefusal {
    let StoreAnswer::Refused(refusal) = answer else { panic!("a refusal was due: {answer:?}") };
    clear(&refusal.to_string());
    refusal
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_make_no_sense_get_no_offer() {
    let mut house = House::open();
    house.shop();
    let buyer = Buyer::at(&house).await;
    let with = |change: fn(&mut OrderLine)| {
        let mut order = buyer.honest();
        let mut line = order.lines[0].clone();
        change(&mut line);
        order.total = Order::sum(std::slice::from_ref(&line)).unwrap_or(Amount::MAX);
        order.lines = List::first([line]);
        order
    };
    let honest = buyer.honest();
    for (what, order) in [
        ("nothing", Order { lines: List::default(), total: Amount::ZERO, ..honest.clone() }),
        ("a quantity of 0", with(|line| line.quantity = 0)),
        ("too many", with(|line| line.quantity = 10_001)),
        ("a quantity that overflows", with(|line| line.quantity = u32::MAX)),
        ("a total of 0", Order { total: Amount::ZERO, ..honest.clone() }),
        ("a total that is too low", Order { total: yen(1), ..honest.clone() }),
        ("a price of its own", with(|line| line.unit_price = yen(1))),
        ("the largest price", with(|line| line.unit_price = Amount::MAX)),
        ("an unknown item", with(|line| line.item = Line::new("../note").expect("short"))),
        ("other goods", with(|line| line.digest = Digest([7; 32]))),
        ("another size", with(|line| line.size = u64::MAX)),
        ("another file", with(|line| line.file_name = Line::new("../../x").expect("short"))),
        ("another store", Order { store: StoreNumber(4_711), ..honest.clone() }),
        ("another center", Order { center: CenterId([9; 32]), ..honest.clone() }),
        ("another currency", Order { currency: Currency::of_code("EUR").expect("euro"), ..honest.clone() }),
    ] {
        let answer = buyer.order(&order).await;
        assert!(matches!(answer, StoreAnswer::Refused(_)), "{what}: {answer:?}");
        refusal(answer);
    }
    for (what, bytes) in [("no bytes", Vec::new()), ("noise", vec![0xee; 60_000])] {
        let answer = buyer.order_bytes(bytes, Salt::random(), buyer.key.verification_key()).await;
        assert!(matches!(refusal(answer), ShopRefusal::BadOrder(_)), "{what}");
    }
    for weak in [VerificationKey([0; 32]), VerificationKey([0xff; 32])] {
        refusal(buyer.order_bytes(codec::encode(&honest), Salt::random(), weak).await);
    }
    let status = house.done(house.network.store("shop", &["orders"]));
    assert_eq!(status["orders"].as_array().map(Vec::len), Some(0), "{status}");
    let answer = buyer.order(&honest).await;
    assert!(matches!(answer, StoreAnswer::Offer(_)), "an honest order is still taken: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_go_to_nobody_who_has_not_proved_and_paid() {
    let mut house = House::open();
    house.shop();
    let (buyer, thief) = (Buyer::at(&house).await, Buyer::at(&house).await);
    let (order, salt) = (buyer.honest(), Salt::random());
    let bytes = codec::encode(&order);
    let hash = wire::order::order_hash(&salt, &bytes);
    let offer = buyer.order_bytes(bytes.clone(), salt, buyer.key.verification_key()).await;
    assert!(matches!(offer, StoreAnswer::Offer(_)), "{offer:?}");
    let prove = |key: &SigningKey, exporter: &[u8; 32]| StoreRequest::Prove {
        order: hash,
        signature: key.sign(&prove_message(&hash, exporter)),
    };
    let fetch = StoreRequest::Fetch { order: hash, line: 0, offset: 0 };
    // Whoever knows the order without its key, or has overheard the proof on another connection, is a stranger.
    assert_eq!(refusal(thief.ask(prove(&thief.key, &thief.exporter)).await), ShopRefusal::UnknownOrder);
    assert_eq!(refusal(thief.ask(prove(&buyer.key, &buyer.exporter)).await), ShopRefusal::UnknownOrder);
    assert_eq!(refusal(thief.ask(StoreRequest::State(hash)).await), ShopRefusal::UnknownOrder);
    assert_eq!(refusal(thief.ask(fetch.clone()).await), ShopRefusal::UnknownOrder);
    let taken = thief.order_bytes(bytes, salt, thief.key.verification_key()).await;
    assert!(matches!(refusal(taken), ShopRefusal::BadOrder(_)), "an order is not taken over");
    let nothing = OrderHash([0; 32]);
    assert_eq!(refusal(buyer.ask(StoreRequest::State(nothing)).await), ShopRefusal::UnknownOrder);
    // The buyer itself gets nothing before it has paid, and can't sign for it either.
    let proved = buyer.ask(prove(&buyer.key, &buyer.exporter)).await;
    assert!(matches!(proved, StoreAnswer::State(_)), "{proved:?}");
    assert_eq!(refusal(buyer.ask(fetch).await), ShopRefusal::NotPaid);
    let said = |goods| Delivery { order: hash, goods };
    let goods = goods_hash(&salt, &order.goods_digest());
    let unpaid = Telegram::sign_as_key(&said(goods), &buyer.key);
    assert_eq!(refusal(buyer.ask(StoreRequest::Delivered(unpaid)).await), ShopRefusal::NotPaid);
    for forged in [
        Telegram::sign_as_key(&said(goods), &thief.key),
        Telegram::sign_as_key(&said(Digest([1; 32])), &buyer.key),
        Telegram {
            signature: wire::key::Signature([0; 64]),
            ..Telegram::sign_as_key(&said(goods), &buyer.key)
        },
    ] {
        assert_eq!(
            refusal(buyer.ask(StoreRequest::Delivered(forged)).await),
            ShopRefusal::BadAcknowledgement
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_note_reaches_no_terminal_of_the_store() {
    let mut house = House::open();
    house.shop();
    let buyer = Buyer::at(&house).await;
    let order = Order { note: Prose::new(&mark("as a gift")).expect("short"), ..buyer.honest() };
    // The bytes as the link would encode them, poison and all.
    let poisoned = codec::encode(&Poisoned(order));
    let offer = buyer.order_bytes(poisoned, Salt::random(), buyer.key.verification_key()).await;
    let offer = match offer {
        StoreAnswer::Offer(offer) => offer.peek::<wire::payload::Offer>().expect("an offer"),
        other => panic!("{other:?}"),
    };
    let hash = offer.order.to_string();
    for arguments in [&["orders"][..], &["order", &hash], &["status"]] {
        let told = house.done(house.network.store("shop", arguments));
        harmless_json("the store", &told);
        for form in [&[][..], &["--plain"]] {
            let mut command = house.in_words("tui-store", "stores/shop", form);
            command.args(arguments);
            assert_eq!(printed(command).0, 0);
        }
    }
    let shown = house.done(house.network.store("shop", &["order", &hash]));
    assert_eq!(text(&shown, "/note"), "as a gift", "the words stay, the poison goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_orders_nonsense_is_told_in_words() {
    let mut house = House::open();
    let shop = house.shop();
    house.member("mina", 1_000);
    let other = AccountNumber::Store(StoreNumber(4_711)).to_string();
    let long = "x".repeat(10_000);
    for (arguments, code, kind) in [
        (&["order", &shop, "note=0"][..], 1, "not-possible"),
        (&["order", &shop, "note=10001"], 1, "not-possible"),
        (&["order", &shop, "note=4294967295"], 1, "not-possible"),
        (&["order", &shop, "nothing"], 1, "refused"),
        (&["order", &shop, "note", "--note", &long], 1, "not-possible"),
        (&["order", &other, "note"], 1, "not-found"),
        (&["items", &other], 1, "not-found"),
        (&["card", "request", "0"], 1, "not-possible"),
        (&["card", "request", "10000001"], 1, "refused"),
        (&["card", "request", "999999999999999999999999"], 1, "not-possible"),
        (&["card", "request", "abc"], 1, "not-possible"),
        (&["card", "request", "1.5"], 1, "not-possible"),
        (&["pay", "ffffffff"], 1, "not-found"),
        (&["fetch", "T-0000-0000-0"], 1, "not-found"),
        (&["show", "ffffffff"], 1, "not-found"),
    ] {
        let reply = house.says("mina", arguments);
        let shown: Vec<&str> = arguments.iter().map(|argument| &argument[..argument.len().min(30)]).collect();
        assert_eq!(
            (reply.code, &reply.body["kind"]),
            (code, &kind.into()),
            "{shown:?}: {} {}",
            reply.body,
            reply.talk
        );
        crate::words::refused(&reply, code, kind);
    }
    assert_eq!(house.balance("mina"), 1_000);
}
