//! A small store: one catalogue, signed offers, goods in pieces, and a way to misbehave.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wire::{
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    codec,
    id::{CenterId, Digest, OrderHash, Salt, StoreNumber},
    key::{SigningKey, VerificationKey},
    limits,
    link::{self, NoPush, Pace},
    order::{Order, OrderLine, goods_hash, order_hash},
    payload::{Delivery, DirectoryEntry, Offer, Rights, TerminalCertificate},
    shop::*,
    telegram::Telegram,
    text::{Line, Prose},
    till::PickUpCode,
    time::Timestamp,
    tls,
};

use crate::center::FakeCenter;

pub(crate) const NUMBER: StoreNumber = StoreNumber(7);
pub(crate) const PRICE: u64 = 300;
/// What a cashier of the store shows.
pub(crate) const CODE: PickUpCode = PickUpCode::of_bytes([1, 2, 3, 4, 5]);

/// How the store misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trick {
    None,
    /// The offer's total is one more than the order's.
    DearerOffer,
    /// What a cashier sold is another store's.
    OtherStore,
    /// The goods are other bytes of the same length.
    OtherGoods,
    /// Hangs up after so many pieces.
    HangUpAfter(usize),
}

struct Known {
    buyer: VerificationKey,
    salt: Salt,
    order: Order,
    delivered: bool,
}

pub(crate) struct FakeStore {
    terminal: SigningKey,
    center: Arc<FakeCenter>,
    goods: Vec<u8>,
    orders: Mutex<HashMap<OrderHash, Known>>,
    trick: Mutex<Trick>,
    /// The key that came with the code first.
    taken_up: Mutex<Option<VerificationKey>>,
    pub(crate) pieces: AtomicUsize,
}

impl FakeStore {
    /// A store that listens and stands in the directory.
    pub(crate) async fn start(center: &Arc<FakeCenter>, goods: Vec<u8>) -> Arc<Self> {
        let (terminal, signature) = (SigningKey::generate(), SigningKey::generate());
        let store = Arc::new(Self {
            terminal: terminal.clone(),
            center: center.clone(),
            goods,
            orders: Mutex::default(),
            trick: Mutex::new(Trick::None),
            taken_up: Mutex::default(),
            pieces: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Line::new(&listener.local_addr().unwrap().to_string()).unwrap();
        let certificate = TerminalCertificate {
            center: center.center_id(),
            terminal_key: terminal.verification_key(),
            rights: Rights::Owner,
            issued: Timestamp(1),
        };
        center.list_store(DirectoryEntry {
            store: NUMBER,
            name: Line::new("Sakura Press").unwrap(),
            verification_key: signature.verification_key(),
            certificate: Telegram::sign_as_key(&certificate, &signature),
            addresses: List::first([address]),
        });
        let serving = store.clone();
        tokio::spawn(async move {
            let config = tls::server_config(&serving.terminal);
            while let Ok((stream, _)) = listener.accept().await {
                let (store, config) = (serving.clone(), config.clone());
                tokio::spawn(async move {
                    let Ok(accepted) = link::accept(stream, &config, Duration::from_secs(5)).await else {
                        return;
                    };
                    let exporter = *accepted.exporter();
                    let Ok(ready) = accepted.greet(&store.hello(), Duration::from_secs(5)).await else {
                        return;
                    };
                    let (_pusher, pushes) = link::pushes::<NoPush>();
                    let dead = CancellationToken::new();
                    let serving = ready.serve(Pace::default(), pushes, |request: StoreRequest| {
                        let answer = store.answer(request, &exporter);
                        let dead = dead.clone();
                        async move {
                            match answer {
                                Some(answer) => answer,
                                None => {
                                    dead.cancel();
                                    std::future::pending().await
                                }
                            }
                        }
                    });
                    tokio::select! {
                        _ = serving => {}
                        () = dead.cancelled() => {}
                    }
                });
            }
        });
        store
    }

    pub(crate) fn play(&self, trick: Trick) {
        *self.trick.lock().unwrap() = trick;
    }

    pub(crate) fn is_delivered(&self, order: &OrderHash) -> bool {
        self.orders.lock().unwrap()[order].delivered
    }

    fn hello(&self) -> StoreHello {
        StoreHello {
            min_version: 1,
            max_version: 1,
            center: self.center.center_id(),
            store: NUMBER,
            name: Line::new("Sakura Press").unwrap(),
            at: Timestamp::now(),
        }
    }

    fn item(&self) -> Item {
        Item {
            id: Line::new("book").unwrap(),
            title: Line::new("A book").unwrap(),
            description: Prose::new("Of blossoms.").unwrap(),
            price: Amount::new(PRICE).unwrap(),
            goods: GoodsKind::Digital,
            digest: Digest(Sha256::digest(&self.goods).into()),
            size: self.goods.len() as u64,
            file_name: Line::new("../book.txt").unwrap(),
            tags: List::default(),
        }
    }

    /// `None`: the connection dies.
    fn answer(&self, request: StoreRequest, exporter: &[u8; 32]) -> Option<StoreAnswer> {
        let trick = *self.trick.lock().unwrap();
        Some(match request {
            StoreRequest::Hours(_) => StoreAnswer::Hours(List::default()),
            StoreRequest::Catalogue { .. } => {
                StoreAnswer::Catalogue { items: List::first([self.item()]), more: false }
            }
            StoreRequest::Item(id) if id.as_str() == "book" => StoreAnswer::Item(Box::new(self.item())),
            StoreRequest::Item(id) => StoreAnswer::Refused(ShopRefusal::UnknownItem(id)),
            StoreRequest::Order { order, salt, buyer_key } => self.offer(&order, salt, buyer_key, trick),
            StoreRequest::Prove { order, signature } => {
                let orders = self.orders.lock().unwrap();
                let proved = orders.get(&order).is_some_and(|known| {
                    known.buyer.verify(&prove_message(&order, exporter), &signature).is_ok()
                });
                if !proved {
                    return Some(StoreAnswer::Refused(ShopRefusal::UnknownOrder));
                }
                drop(orders);
                StoreAnswer::State(self.state(&order))
            }
            StoreRequest::State(order) => StoreAnswer::State(self.state(&order)),
            StoreRequest::Fetch { offset, .. } => {
                let sent = self.pieces.fetch_add(1, Ordering::Relaxed);
                if let Trick::HangUpAfter(pieces) = trick
                    && sent >= pieces
                {
                    return None;
                }
                let from = (offset as usize).min(self.goods.len());
                let to = (from + limits::CHUNK).min(self.goods.len());
                let mut bytes = self.goods[from..to].to_vec();
                if trick == Trick::OtherGoods {
                    bytes[0] ^= 1;
                }
                StoreAnswer::Chunk { offset, bytes: Bytes::new(bytes).unwrap() }
            }
            StoreRequest::Delivered(telegram) => {
                let signed = telegram.verify_self::<Delivery>().expect("signed");
                let said = signed.payload().clone();
                let mut orders = self.orders.lock().unwrap();
                let known = orders.get_mut(&said.order).expect("an order");
                assert_eq!(signed.key(), known.buyer);
                assert_eq!(said.goods, goods_hash(&known.salt, &known.order.goods_digest()));
                known.delivered = true;
                StoreAnswer::State(OrderState::Delivered)
            }
            StoreRequest::TakeUp { code, buyer_key } => self.take_up(code, buyer_key, trick),
            StoreRequest::Till(_) => StoreAnswer::Refused(ShopRefusal::Malformed),
        })
    }

    /// One book, sold under [`CODE`].
    fn take_up(&self, code: PickUpCode, buyer: VerificationKey, trick: Trick) -> StoreAnswer {
        if code != CODE {
            return StoreAnswer::Refused(ShopRefusal::UnknownCode);
        }
        let known = *self.taken_up.lock().unwrap().get_or_insert(buyer);
        if known != buyer {
            return StoreAnswer::Refused(ShopRefusal::TakenUp);
        }
        let item = self.item();
        let store = if trick == Trick::OtherStore { StoreNumber(4_711) } else { NUMBER };
        let order = Order {
            center: self.center.center_id(),
            store,
            currency: Currency::YEN,
            total: item.price,
            lines: List::first([OrderLine {
                item: item.id,
                title: item.title,
                quantity: 1,
                unit_price: item.price,
                digest: item.digest,
                size: item.size,
                file_name: item.file_name,
            }]),
            note: Prose::default(),
        };
        let (bytes, salt) = (codec::encode(&order), Salt([9; 32]));
        let StoreAnswer::Offer(offer) = self.offer(&bytes, salt, buyer, trick) else { panic!("an offer") };
        StoreAnswer::Sale { order: Bytes::new(bytes).unwrap(), salt, offer }
    }

    fn offer(&self, bytes: &[u8], salt: Salt, buyer: VerificationKey, trick: Trick) -> StoreAnswer {
        let order = Order::decode(bytes).expect("a good order");
        let hash = order_hash(&salt, bytes);
        let center: CenterId = self.center.center_id();
        let more = Amount::new(u64::from(trick == Trick::DearerOffer)).unwrap();
        let offer = Offer {
            center,
            store: NUMBER,
            terminal_key: self.terminal.verification_key(),
            buyer_key: buyer,
            order: hash,
            total: order.total.plus(more).unwrap(),
            currency: order.currency,
            issued: Timestamp::now(),
            expires: Timestamp::now().plus_ms(600_000),
        };
        self.orders.lock().unwrap().insert(hash, Known { buyer, salt, order, delivered: false });
        StoreAnswer::Offer(Telegram::sign_as_key(&offer, &self.terminal))
    }

    fn state(&self, order: &OrderHash) -> OrderState {
        if self.orders.lock().unwrap()[order].delivered {
            OrderState::Delivered
        } else if self.center.is_paid(NUMBER, *order) {
            OrderState::Paid
        } else {
            OrderState::AwaitingPayment
        }
    }
}
