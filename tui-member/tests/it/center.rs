//! A small center: honest books of cards and payments, evidence like the real one's, and a way to misbehave.

mod admission;
mod answers;
mod custody;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wire::{
    admission::*,
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    checkpoint::{Checkpoint, SignedCheckpoint},
    codec,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash,
        StoreNumber, TelegramId,
    },
    key::{SigningKey, VerificationKey},
    link::{self, Pace, Pusher},
    merkle::Tree,
    message::*,
    payload::*,
    receipt::{EntryKind, Leaf, MemberPart, Receipt, Side, StorePart, part_hash, part_salt},
    sheet::{Invitation, KeySheet, SheetKey, SheetRole},
    telegram::{Kind, Telegram},
    text::{Line, Prose},
    time::Timestamp,
    tls,
};

pub(crate) use admission::Letter;

pub(crate) const FIRST_CARD: u64 = 1;

/// How the center misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    /// Enters a payment and says nothing more on this connection.
    SilentAfterEntry,
    /// Hangs up instead of entering a payment.
    HangUpBeforeEntry,
    /// The evidence of a payment states another balance.
    TamperedReceipt,
    /// Calls every telegram that it is asked about expired.
    ExpiredEarly,
    /// Lists another signature key at login.
    ForeignKey,
    /// The key sheet is signed by another root.
    OtherRoot,
    /// Mail says another amount than its evidence.
    TamperedMail,
    /// Shows a journal shorter than one it signed before.
    ShorterJournal,
    /// Too busy for everything.
    Busy,
    /// The kit is signed by a key that the sheet does not name.
    KitOfAnother,
    /// The kit has a lower number than it had.
    OlderKit,
    /// A program's bytes are not those that the kit names.
    OtherBuild,
    /// The form has another field than it had.
    OtherForm,
    /// The deposited copy comes with a byte changed.
    OtherCopy,
}

struct Kept {
    leaf: Leaf,
    seed: [u8; 16],
    part: MemberPart,
}

struct Member {
    number: MemberNumber,
    /// The account's key events, oldest first.
    chain: Vec<KeyEvent>,
    waiting: Option<WaitingKey>,
    copy: Option<(Vec<u8>, Timestamp)>,
    held: Option<Timestamp>,
}

impl Member {
    fn newest(&self, role: KeyRole) -> Option<&KeyEvent> {
        self.chain.iter().rev().find(|event| event.role == role)
    }

    fn key(&self, role: KeyRole) -> Option<VerificationKey> {
        self.newest(role).and_then(|event| event.key)
    }
}

/// An application as the center keeps it.
struct Applicant {
    telegram: TelegramId,
    asked: Application,
    view: ApplicationView,
    number: MemberNumber,
    code: Option<ActivationCode>,
}

struct Books {
    tree: Tree,
    kept: Vec<Kept>,
    members: Vec<Member>,
    verdicts: HashMap<TelegramId, (EntryNumber, Option<Effect>, Option<Refusal>)>,
    registered: HashMap<TelegramId, (MemberNumber, EntryNumber)>,
    applicants: Vec<Applicant>,
    /// Whether whoever applies is admitted at once.
    rule: bool,
    kit: u64,
    build: Vec<u8>,
    pieces: u32,
    deposits: u32,
    deposit: Vec<u8>,
    cards: HashMap<CardNumber, (MemberNumber, Amount, Telegram)>,
    paid: HashMap<(StoreNumber, OrderHash), (EntryNumber, CardNumber, Amount)>,
    mail: Vec<(EntryNumber, MemberNumber, Mail)>,
    acknowledged: Option<EntryNumber>,
    directory: Vec<DirectoryEntry>,
    lie: Lie,
    submissions: u32,
}

pub(crate) struct FakeCenter {
    root: SigningKey,
    keys: HashMap<SheetRole, SigningKey>,
    sheet: KeySheet,
    books: Mutex<Books>,
    pushers: Mutex<Vec<Pusher<Push>>>,
    listening: Mutex<Option<(CancellationToken, String)>>,
    up: AtomicBool,
}

impl Books {
    fn member(&self, number: MemberNumber) -> &Member {
        self.members.iter().find(|one| one.number == number).expect("a member")
    }

    fn member_mut(&mut self, number: MemberNumber) -> &mut Member {
        self.members.iter_mut().find(|one| one.number == number).expect("a member")
    }
}

impl FakeCenter {
    /// A center that listens.
    pub(crate) async fn start() -> Arc<Self> {
        let root = SigningKey::generate();
        let roles = [
            SheetRole::Tls,
            SheetRole::Checkpoint,
            SheetRole::Card,
            SheetRole::Directory,
            SheetRole::Statement,
        ];
        let keys: HashMap<_, _> = roles.into_iter().map(|role| (role, SigningKey::generate())).collect();
        let listed = keys.iter().map(|(role, key)| SheetKey {
            role: *role,
            key: key.verification_key(),
            from_size: 0,
            until_size: None,
        });
        let sheet = KeySheet {
            number: 1,
            center: root.verification_key().center(),
            log_origin: Line::new("fake.example/log").unwrap(),
            breaks: wire::bounded::List::default(),
            keys: List::first(listed),
        };
        let books = Books {
            tree: Tree::new(),
            kept: Vec::new(),
            members: Vec::new(),
            verdicts: HashMap::new(),
            registered: HashMap::new(),
            applicants: Vec::new(),
            rule: true,
            kit: 3,
            build: Vec::new(),
            pieces: 0,
            deposits: 0,
            deposit: Vec::new(),
            cards: HashMap::new(),
            paid: HashMap::new(),
            mail: Vec::new(),
            acknowledged: None,
            directory: Vec::new(),
            lie: Lie::None,
            submissions: 0,
        };
        let center = Arc::new(Self {
            root,
            keys,
            sheet,
            books: Mutex::new(books),
            pushers: Mutex::default(),
            listening: Mutex::default(),
            up: AtomicBool::new(true),
        });
        center.enter(EntryKind::Founding, MemberPart::Nothing);
        center.listen("127.0.0.1:0").await;
        center
    }

    pub(crate) fn invitation(&self) -> Invitation {
        let address = self.listening.lock().unwrap().as_ref().expect("listening").1.clone();
        Invitation {
            root: self.root.verification_key(),
            addresses: List::first([Line::new(&address).unwrap()]),
        }
    }

    pub(crate) fn center_id(&self) -> wire::id::CenterId {
        self.sheet.center
    }

    /// Ends the listener and every connection, as a killed center does.
    pub(crate) fn die(&self) {
        if let Some((stop, _)) = &*self.listening.lock().unwrap() {
            stop.cancel();
        }
        self.pushers.lock().unwrap().clear();
    }

    /// Listens again on the same address.
    pub(crate) async fn come_back(self: &Arc<Self>) {
        let address = self.listening.lock().unwrap().as_ref().expect("listened once").1.clone();
        self.listen(&address).await;
    }

    pub(crate) fn lie(&self, lie: Lie) {
        self.books().lie = lie;
    }

    /// How many submissions of telegrams came.
    pub(crate) fn submissions(&self) -> u32 {
        self.books().submissions
    }

    pub(crate) fn list_store(&self, entry: DirectoryEntry) {
        self.books().directory.push(entry);
    }

    pub(crate) fn is_paid(&self, store: StoreNumber, order: OrderHash) -> bool {
        self.books().paid.contains_key(&(store, order))
    }

    pub(crate) fn acknowledged(&self) -> Option<EntryNumber> {
        self.books().acknowledged
    }

    /// The bank has brought the money for a card request: the card is issued, mailed and pushed.
    pub(crate) fn fund(&self, member: MemberNumber, request: EntryNumber, amount: Amount) -> CardNumber {
        let card = CardNumber(FIRST_CARD + self.books().cards.len() as u64);
        let entry = EntryNumber(self.books().tree.size());
        let event = self.books().member(member).newest(KeyRole::Signature).expect("a key").entry;
        let certificate = CardCertificate {
            center: self.sheet.center,
            card,
            member,
            key_event: event,
            entry,
            issued: Timestamp::now(),
        };
        let certificate = Telegram::sign_as_key(&certificate, &self.keys[&SheetRole::Card]);
        self.enter(EntryKind::BankCredit, MemberPart::CardIssued { card, request, amount });
        self.books().cards.insert(card, (member, amount, certificate.clone()));
        self.post(entry, member, Mail::CardIssued { request, amount, certificate });
        card
    }

    /// A store gives a payment back.
    pub(crate) fn refund(&self, store: StoreNumber, order: OrderHash, member: MemberNumber) -> EntryNumber {
        let (payment, card, amount) = self.books().paid[&(store, order)];
        let reason = RefundReason::CannotDeliver;
        let balance = {
            let mut books = self.books();
            let held = books.cards.get_mut(&card).unwrap();
            held.1 = held.1.plus(amount).unwrap();
            held.1
        };
        let entry =
            self.enter(EntryKind::Refund, MemberPart::Refunded { payment, card, amount, reason, balance });
        self.post(entry, member, Mail::Refunded { payment, card, amount, reason });
        entry
    }

    fn post(&self, entry: EntryNumber, member: MemberNumber, mail: Mail) {
        let piece = (entry, member, mail);
        self.books().mail.push(piece.clone());
        let item = self.mail_item(&piece);
        for pusher in self.pushers.lock().unwrap().iter() {
            let _ = pusher.push(Push::Mail(Box::new(item.clone())));
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    fn enter(&self, kind: EntryKind, part: MemberPart) -> EntryNumber {
        let mut books = self.books();
        let entry = EntryNumber(books.tree.size());
        let mut seed = [0; 16];
        wire::key::random(&mut seed);
        let hash = |side, bytes: &[u8]| part_hash(&part_salt(&seed, side), bytes);
        let leaf = Leaf {
            entry,
            at: Timestamp::now(),
            kind,
            member: hash(Side::Member, &codec::encode(&part)),
            store: hash(Side::Store, &codec::encode(&StorePart::Nothing)),
            center: hash(Side::Center, b"center"),
        };
        books.tree.push(leaf.hash());
        books.kept.push(Kept { leaf, seed, part });
        entry
    }

    fn receipt(&self, entry: EntryNumber) -> Receipt {
        let books = self.books();
        let size = books.tree.size();
        let kept = &books.kept[entry.0 as usize];
        Receipt {
            leaf: kept.leaf,
            side: Side::Member,
            salt: part_salt(&kept.seed, Side::Member),
            part: Bytes::new(codec::encode(&kept.part)).unwrap(),
            proof: List::first(books.tree.inclusion(entry.0, size).unwrap()),
            checkpoint: self.checkpoint_at(&books.tree, size),
        }
    }

    fn checkpoint_at(&self, tree: &Tree, size: u64) -> SignedCheckpoint {
        let root: Digest = tree.root_at(size).unwrap();
        let checkpoint = Checkpoint { origin: self.sheet.log_origin.clone(), size, root };
        SignedCheckpoint::sign(&checkpoint, &self.keys[&SheetRole::Checkpoint])
    }

    async fn listen(self: &Arc<Self>, address: &str) {
        let listener = TcpListener::bind(address).await.expect("an address");
        let stop = CancellationToken::new();
        let address = listener.local_addr().unwrap().to_string();
        *self.listening.lock().unwrap() = Some((stop.clone(), address));
        let center = self.clone();
        tokio::spawn(async move {
            let config = tls::server_config(&center.keys[&SheetRole::Tls]);
            loop {
                let (stream, _) = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap(),
                    () = stop.cancelled() => return,
                };
                let (center, config, stop) = (center.clone(), config.clone(), stop.clone());
                tokio::spawn(async move {
                    let Ok(accepted) = link::accept(stream, &config, Duration::from_secs(5)).await else {
                        return;
                    };
                    let exporter = *accepted.exporter();
                    let Ok(ready) = accepted.greet(&center.hello(), Duration::from_secs(5)).await else {
                        return;
                    };
                    let (pusher, pushes) = link::pushes();
                    center.pushers.lock().unwrap().push(pusher.clone());
                    let account = Arc::new(Mutex::new(None));
                    let dead = CancellationToken::new();
                    let serving = ready.serve(Pace::default(), pushes, |request: Request| {
                        let (center, account, dead) = (center.clone(), account.clone(), dead.clone());
                        async move {
                            match center.answer(request, &exporter, &account) {
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
                        () = stop.cancelled() => {}
                        () = dead.cancelled() => {}
                    }
                });
            }
        });
        self.up.store(true, Ordering::Relaxed);
    }

    fn hello(&self) -> ServerHello {
        let root =
            if self.books().lie == Lie::OtherRoot { SigningKey::generate() } else { self.root.clone() };
        let sheet = KeySheet { center: root.verification_key().center(), ..self.sheet.clone() };
        ServerHello {
            min_version: 1,
            max_version: 1,
            sheet: sheet.sign(&root),
            name: Line::new("Garden Club").unwrap(),
            currency: Currency::YEN,
            zone: Line::new("Asia/Tokyo").unwrap(),
            help: Line::new("help@garden.example").unwrap(),
            at: Timestamp::now(),
        }
    }
}
