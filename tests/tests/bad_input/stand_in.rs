//! Servers that stand in for a center or a store, and lie.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde::{Serialize, Serializer, ser::SerializeTuple as _};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use wire::{
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    codec,
    id::{Digest, StoreNumber},
    key::SigningKey,
    limits,
    link::{self, NoPush, Pace},
    message::ServerHello,
    order::{Order, order_hash},
    payload::Offer,
    sheet::{Invitation, KeySheet, SheetKey, SheetRole},
    shop::{GoodsKind, Item, OrderState, ShopRefusal, StoreAnswer, StoreHello, StoreRequest},
    telegram::Telegram,
    text::{Line, Prose},
    till::{TillAnswer, TillRefusal},
    time::Timestamp,
    tls,
};

use crate::peer::{Peer, WAIT, yen};

/// What harms a terminal: it clears the screen, sets the title, colours, reverses text; its C1 and bidi forms too.
/// The word in it tells whether any of it came through.
pub(crate) const EVIL: &str = "\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}\r";
/// A text of the same length, which [`Poisoned`] replaces by [`EVIL`] after everything was encoded.
const MARK: &str = "REPLACED-AFTER-ENCODING-";

/// A text with [`MARK`] in it, as the types of the wire take it.
pub(crate) fn mark(text: &str) -> String {
    format!("{text}{}", &MARK[..EVIL.len()])
}

/// A value whose marked texts hold [`EVIL`] once it is encoded: what a peer sends that does not clean its words.
pub(crate) struct Poisoned<T>(pub(crate) T);

impl<T: Serialize> Serialize for Poisoned<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = codec::encode(&self.0);
        let mark = &MARK.as_bytes()[..EVIL.len()];
        let mut at = 0;
        while let Some(found) = bytes[at..].windows(mark.len()).position(|window| window == mark) {
            at += found;
            bytes[at..at + mark.len()].copy_from_slice(EVIL.as_bytes());
        }
        let mut tuple = serializer.serialize_tuple(bytes.len())?;
        bytes.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

/// What stands at an address where a center should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Impostor {
    /// Hangs up at once.
    HangsUp,
    /// Accepts and says nothing.
    Silent,
    /// A web server.
    Web,
    /// TLS as it should be, but no words of this network.
    Babbler,
    /// TLS as it should be, and a first frame of a length that nobody may send.
    Endless,
    /// A center with another root key.
    OtherRoot,
    /// The right root key's sheet, shown on a line whose key it does not name.
    ForeignLine,
    /// A center of the far future.
    Future,
    /// A center whose own words are poisoned.
    Evil,
}

/// A server in the place of a center; it counts what was sent to it after its first frame.
pub(crate) struct StandIn {
    /// An invitation to the center that it pretends to be.
    pub(crate) invitation: String,
    heard: Arc<AtomicUsize>,
}

impl StandIn {
    /// Starts it, on a port of the system's choice.
    pub(crate) fn start(what: Impostor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let root = SigningKey::generate();
        let heard = Arc::new(AtomicUsize::new(0));
        let invitation = invitation(&root, address);
        let counted = heard.clone();
        match what {
            Impostor::HangsUp | Impostor::Silent | Impostor::Web => {
                thread::spawn(move || plain(&listener, what));
            }
            _ => {
                tokio::spawn(encrypted(listener, what, root, counted));
            }
        }
        Self { invitation, heard }
    }

    /// How many bytes it was sent after its first frame.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }
}

fn invitation(root: &SigningKey, address: SocketAddr) -> String {
    let address = Line::new(&address.to_string()).expect("an address is short");
    Invitation { root: root.verification_key(), addresses: List::first([address]) }.to_string()
}

fn plain(listener: &TcpListener, what: Impostor) {
    let mut kept = Vec::new();
    while let Ok((mut stream, _)) = listener.accept() {
        match what {
            Impostor::Silent => kept.push(stream),
            Impostor::Web => {
                let _ = stream.read(&mut [0; 512]);
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
            }
            _ => {}
        }
    }
}

async fn encrypted(listener: TcpListener, what: Impostor, root: SigningKey, heard: Arc<AtomicUsize>) {
    listener.set_nonblocking(true).expect("a socket");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let line = SigningKey::generate();
    let config = tls::server_config(&line);
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(mut stream) = TlsAcceptor::from(config.clone()).accept(stream).await else { continue };
        let first = match what {
            Impostor::Babbler => b"\0\0\0\x05hello".to_vec(),
            Impostor::Endless => b"\xff\xff\xff\xff".to_vec(),
            _ => {
                let hello = codec::encode(&Poisoned(hello(what, &root, &line)));
                [&(hello.len() as u32).to_be_bytes()[..], &hello].concat()
            }
        };
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let _ = stream.write_all(&first).await;
        let _ = stream.flush().await;
        let mut bytes = [0; 4_096];
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            heard.fetch_add(count, Ordering::Relaxed);
        }
    }
}

fn hello(what: Impostor, root: &SigningKey, line: &SigningKey) -> ServerHello {
    let root = if what == Impostor::OtherRoot { SigningKey::generate() } else { root.clone() };
    let shown = if what == Impostor::ForeignLine { SigningKey::generate() } else { line.clone() };
    let sheet = KeySheet {
        number: 1,
        center: root.verification_key().center(),
        log_origin: Line::new("stand-in").expect("short"),
        breaks: wire::bounded::List::default(),
        keys: List::first([SheetKey {
            role: SheetRole::Tls,
            key: shown.verification_key(),
            from_size: 0,
            until_size: None,
        }]),
    };
    let version = if what == Impostor::Future { 99 } else { 1 };
    let name = if what == Impostor::Evil { mark("Center") } else { "Center".into() };
    ServerHello {
        min_version: version,
        max_version: version,
        sheet: sheet.sign(&root),
        name: Line::new(&name).expect("short"),
        currency: Currency::YEN,
        zone: Line::new("Asia/Tokyo").expect("short"),
        help: Line::new(&name).expect("short"),
        at: Timestamp::now(),
    }
}

/// How a store misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trick {
    /// Not at all.
    Honest,
    /// Every text it sends is poisoned.
    Evil,
    /// Its offers are expired when they come.
    Expired,
    /// Its offers can be paid for a moment only.
    Hasty,
    /// Its offers name another store.
    AnotherStore,
    /// Its offers are for another center.
    AnotherCenter,
    /// Its offers ask for one yen more.
    Dearer,
    /// Its offers were changed after they were signed.
    Tampered,
    /// Its offers are payable for a month.
    Endless,
    /// It answers an order with a poisoned refusal.
    Refuses,
    /// It answers something else than was asked.
    Beside,
    /// What it sells has a file name that climbs out of every folder.
    Climbs,
    /// It sends other goods than it sold.
    OtherGoods,
    /// Its goods are said to be larger than anything.
    Vast,
}

/// A store in the real center's register and directory that misbehaves at its counter.
pub(crate) struct Crook {
    /// Its account; the directory lists it while this lives.
    _peer: Peer,
    shared: Arc<Shared>,
}

struct Shared {
    trick: Mutex<Trick>,
    number: StoreNumber,
    terminal: SigningKey,
    center: wire::id::CenterId,
}

/// What a crook sells.
const GOODS: &[u8] = b"a fine book\n";

impl Crook {
    /// Opens its counter and announces it; `peer` is its account.
    pub(crate) async fn open(peer: Peer, trick: Trick) -> Self {
        let shared = Arc::new(Shared {
            trick: Mutex::new(trick),
            number: peer.store(),
            terminal: peer.terminal.clone(),
            center: peer.line.sheet.center,
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = Line::new(&listener.local_addr().expect("its address").to_string()).expect("short");
        let crook = shared.clone();
        tokio::spawn(async move {
            let config = tls::server_config(&crook.terminal);
            while let Ok((stream, _)) = listener.accept().await {
                let (crook, config) = (crook.clone(), config.clone());
                tokio::spawn(async move {
                    let accepted = link::accept(stream, &config, Duration::from_secs(5)).await?;
                    let ready = accepted.greet(&Poisoned(crook.hello()), Duration::from_secs(5)).await?;
                    let (_pusher, pushes) = link::pushes::<NoPush>();
                    let answer = |request| {
                        let answer = Poisoned(crook.answer(request));
                        async move { answer }
                    };
                    ready.serve(Pace::default(), pushes, answer).await
                });
            }
        });
        peer.line.announce(List::first([address]), WAIT).await.expect("announced");
        Self { _peer: peer, shared }
    }

    /// Misbehaves in another way from now on.
    pub(crate) fn play(&self, trick: Trick) {
        *self.shared.trick.lock().expect("no holder panics") = trick;
    }

    /// Its number, as people write it.
    pub(crate) fn number(&self) -> String {
        self.shared.number.to_string()
    }
}

impl Shared {
    fn trick(&self) -> Trick {
        *self.trick.lock().expect("no holder panics")
    }

    /// A text, poisoned where that is the trick.
    fn text(&self, text: &str) -> String {
        if matches!(self.trick(), Trick::Evil | Trick::Refuses) { mark(text) } else { text.to_owned() }
    }

    fn line(&self, text: &str) -> Line {
        Line::new(&self.text(text)).expect("short")
    }

    fn hello(&self) -> StoreHello {
        StoreHello {
            min_version: 1,
            max_version: 1,
            center: self.center,
            store: self.number,
            name: self.line("Crook & Sons"),
            at: Timestamp::now(),
        }
    }

    fn item(&self) -> Item {
        let file_name = if self.trick() == Trick::Climbs { "../../../climbed.txt" } else { "book.txt" };
        Item {
            id: Line::new("book").expect("short"),
            title: self.line("A book"),
            description: Prose::new(&self.text("Of crooks.")).expect("short"),
            price: yen(300),
            goods: GoodsKind::Digital,
            digest: Digest(Sha256::digest(GOODS).into()),
            size: if self.trick() == Trick::Vast { u64::MAX } else { GOODS.len() as u64 },
            file_name: self.line(file_name),
            tags: List::first([self.line("crooked")]),
        }
    }

    fn answer(&self, request: StoreRequest) -> StoreAnswer {
        match request {
            _ if self.trick() == Trick::Beside => StoreAnswer::Chunk { offset: 7, bytes: Bytes::default() },
            StoreRequest::Catalogue { .. } => {
                StoreAnswer::Catalogue { items: List::first([self.item()]), more: false }
            }
            StoreRequest::Item(_) => StoreAnswer::Item(Box::new(self.item())),
            StoreRequest::Order { .. } if self.trick() == Trick::Refuses => {
                let words = Prose::new(&self.text("go away")).expect("short");
                StoreAnswer::Refused(ShopRefusal::BadOrder(words))
            }
            StoreRequest::Order { order, salt, buyer_key } => {
                let asked = Order::decode(&order).expect("an honest order");
                let mut offer = self.offer(&asked, buyer_key);
                offer.order = order_hash(&salt, &order);
                let mut telegram = Telegram::sign_as_key(&offer, &self.terminal);
                if self.trick() == Trick::Tampered {
                    offer.total = yen(1);
                    telegram.bytes = Bytes::new(codec::encode(&offer)).expect("short");
                }
                StoreAnswer::Offer(telegram)
            }
            StoreRequest::Prove { .. } | StoreRequest::State(_) => StoreAnswer::State(OrderState::Paid),
            StoreRequest::Fetch { offset, .. } => {
                let goods = if self.trick() == Trick::OtherGoods { &b"a foul book\n"[..] } else { GOODS };
                let from = usize::try_from(offset).map_or(goods.len(), |from| from.min(goods.len()));
                let piece = goods[from..].iter().copied().take(limits::CHUNK).collect();
                StoreAnswer::Chunk { offset, bytes: Bytes::new(piece).expect("a piece") }
            }
            StoreRequest::Delivered(_) => StoreAnswer::State(OrderState::Delivered),
            StoreRequest::TakeUp { .. } => StoreAnswer::Refused(ShopRefusal::UnknownCode),
            StoreRequest::Hours(_) => StoreAnswer::Hours(List::default()),
            StoreRequest::Till(_) => {
                StoreAnswer::Till(Box::new(TillAnswer::Refused(TillRefusal::UnknownCashier)))
            }
        }
    }

    fn offer(&self, asked: &Order, buyer_key: wire::key::VerificationKey) -> Offer {
        let trick = self.trick();
        let now = Timestamp::now();
        let more = Amount::new(u64::from(trick == Trick::Dearer)).expect("one yen");
        let expires = match trick {
            Trick::Expired => Timestamp(now.0 - 1_000),
            Trick::Hasty => now.plus_ms(1_500),
            Trick::Endless => now.plus_ms(30 * 24 * 60 * 60 * 1_000),
            _ => now.plus_ms(600_000),
        };
        let center = if trick == Trick::AnotherCenter {
            SigningKey::generate().verification_key().center()
        } else {
            self.center
        };
        Offer {
            center,
            store: if trick == Trick::AnotherStore { StoreNumber(4_711) } else { self.number },
            terminal_key: self.terminal.verification_key(),
            buyer_key,
            order: wire::id::OrderHash([0; 32]),
            total: asked.total.plus(more).expect("small"),
            currency: asked.currency,
            issued: now,
            expires,
        }
    }
}

#[test]
fn what_is_marked_arrives_poisoned() {
    assert!(MARK.len() >= EVIL.len());
    let sent = codec::encode(&Poisoned((7_u8, mark("Ada"))));
    let honest = codec::encode(&(7_u8, format!("Ada{EVIL}")));
    assert_eq!(sent, honest);
}
