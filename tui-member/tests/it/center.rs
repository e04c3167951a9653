//! A small center: honest books of cards and payments, evidence like the real one's, and a way to misbehave.

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
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    checkpoint::{Checkpoint, SignedCheckpoint},
    codec,
    id::{AccountNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, StoreNumber, TelegramId},
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
}

struct Kept {
    leaf: Leaf,
    seed: [u8; 16],
    part: MemberPart,
}

struct Member {
    number: MemberNumber,
    signature: VerificationKey,
    terminal: VerificationKey,
    event: EntryNumber,
}

struct Books {
    tree: Tree,
    kept: Vec<Kept>,
    members: Vec<Member>,
    verdicts: HashMap<TelegramId, (EntryNumber, Option<Effect>, Option<Refusal>)>,
    registered: HashMap<TelegramId, (MemberNumber, EntryNumber)>,
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
            keys: List::first(listed),
        };
        let books = Books {
            tree: Tree::new(),
            kept: Vec::new(),
            members: Vec::new(),
            verdicts: HashMap::new(),
            registered: HashMap::new(),
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
        let event = self.books().members.iter().find(|one| one.number == member).expect("a member").event;
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

    /// `None`: the connection dies without an answer.
    fn answer(
        &self,
        request: Request,
        exporter: &[u8; 32],
        account: &Mutex<Option<MemberNumber>>,
    ) -> Option<Answer> {
        let problem = |kind, words: &str| Some(Answer::Problem(Problem::new(kind, words)));
        if self.books().lie == Lie::Busy && !matches!(request, Request::Login { .. }) {
            return problem(ProblemKind::Busy, "the center has more to do than it can; try again soon");
        }
        Some(match request {
            Request::Form(role) => Answer::Form(self.form(role)),
            Request::Register(call) => self.register(&call),
            Request::Login { account: number, signature, .. } => {
                let AccountNumber::Member(member) = number else {
                    return problem(ProblemKind::NotAuthentic, "members only");
                };
                let proof = login_message(&self.sheet.center, number, exporter);
                let known =
                    self.books().members.iter().find(|one| one.number == member).map(|one| one.terminal);
                if known.is_none_or(|key| key.verify(&proof, &signature).is_err()) {
                    return problem(ProblemKind::NotAuthentic, "the login does not fit");
                }
                *account.lock().unwrap() = Some(member);
                Answer::Welcome(Box::new(self.welcome(member)))
            }
            other => {
                let Some(member) = *account.lock().unwrap() else {
                    return problem(ProblemKind::NotLoggedIn, "log in first");
                };
                return self.serve_member(other, member);
            }
        })
    }

    fn serve_member(&self, request: Request, member: MemberNumber) -> Option<Answer> {
        Some(match request {
            Request::Submit { telegram, .. } => {
                self.books().submissions += 1;
                let lie = self.books().lie;
                if lie == Lie::HangUpBeforeEntry {
                    return None;
                }
                let verdict = self.decide(&telegram, member);
                if lie == Lie::SilentAfterEntry {
                    return None;
                }
                Answer::Verdict(Box::new(self.maybe_tampered(verdict)))
            }
            Request::Inquire(telegram) => {
                if self.books().lie == Lie::ExpiredEarly {
                    return Some(Answer::Verdict(Box::new(Verdict::Expired)));
                }
                let id = telegram.id();
                if !self.books().verdicts.contains_key(&id) {
                    let entry = self.enter(EntryKind::Void, MemberPart::Voided { telegram: id });
                    self.books().verdicts.insert(id, (entry, None, None));
                }
                Answer::Verdict(Box::new(self.maybe_tampered(self.verdict(&id))))
            }
            Request::Cards => {
                let books = self.books();
                let cards = books.cards.iter().filter(|(_, (holder, ..))| *holder == member);
                Answer::Cards(List::first(cards.map(|(card, (_, balance, certificate))| CardView {
                    card: *card,
                    balance: *balance,
                    frozen: false,
                    issued: Timestamp(1),
                    certificate: certificate.clone(),
                })))
            }
            Request::Funding => Answer::Funding(List::default()),
            Request::Directory { after, .. } => {
                let books = self.books();
                let stores =
                    books.directory.iter().filter(|entry| after.is_none_or(|after| entry.store > after));
                let page = DirectoryPage {
                    center: self.sheet.center,
                    at: Timestamp::now(),
                    stores: List::first(stores.cloned()),
                    more: false,
                };
                Answer::Directory(Telegram::sign_as_key(&page, &self.keys[&SheetRole::Directory]))
            }
            Request::Mail { after } => {
                let mail = self.books().mail.clone();
                let acknowledged = self.books().acknowledged;
                let waits = |entry: EntryNumber| acknowledged.is_none_or(|upto| entry > upto);
                let items = mail
                    .iter()
                    .filter(|(entry, to, _)| {
                        *to == member && waits(*entry) && after.is_none_or(|a| *entry > a)
                    })
                    .map(|piece| self.mail_item(piece));
                Answer::Mail(MailPage { items: List::first(items), more: false })
            }
            Request::Acknowledge { upto } => {
                self.books().acknowledged = Some(upto);
                Answer::Done
            }
            Request::Evidence { entry } => Answer::Evidence(self.receipt(entry)),
            _ => Answer::Problem(Problem::new(ProblemKind::NotAllowed, "not for members")),
        })
    }

    fn form(&self, role: wire::id::Role) -> Form {
        let field = |key, label: &str, kind| Field {
            key: Line::new(key).unwrap(),
            label: Line::new(label).unwrap(),
            help: Line::default(),
            kind,
            required: true,
            max_chars: 100,
        };
        let fields =
            [field("name", "Name", FieldKind::Line), field("born", "Date of birth", FieldKind::Date)];
        Form { role, version: 1, fields: List::first(fields), terms: Prose::new("Be good.").unwrap() }
    }

    fn register(&self, call: &RegisterCall) -> Answer {
        let id = call.telegram.id();
        let lie = self.books().lie;
        let asked = call.telegram.verify_self::<Registration>().expect("signed").into_payload();
        call.certificate.verify_self::<TerminalCertificate>().expect("certified");
        assert_eq!(particulars_hash(&call.salt, &call.particulars), asked.particulars);
        assert_eq!(self.form(asked.role).terms_hash(), asked.terms);
        let known = self.books().registered.get(&id).copied();
        let (member, entry) = known.unwrap_or_else(|| {
            let member = MemberNumber(self.books().members.len() as u64 + 1);
            let entry = self.enter(
                EntryKind::Registration,
                MemberPart::Registered { member, key: asked.verification_key },
            );
            let mut books = self.books();
            books.registered.insert(id, (member, entry));
            books.members.push(Member {
                number: member,
                signature: asked.verification_key,
                terminal: asked.terminal_key,
                event: entry,
            });
            (member, entry)
        });
        let entry = if lie == Lie::TamperedReceipt { EntryNumber(0) } else { entry };
        Answer::Registered { account: AccountNumber::Member(member), entry, receipt: self.receipt(entry) }
    }

    fn welcome(&self, member: MemberNumber) -> Welcome {
        let account = AccountNumber::Member(member);
        let books = self.books();
        let known = books.members.iter().find(|one| one.number == member).expect("checked");
        let foreign = books.lie == Lie::ForeignKey;
        let signature = if foreign { SigningKey::generate().verification_key() } else { known.signature };
        let keys = [(KeyRole::Signature, signature), (KeyRole::Terminal, known.terminal)];
        let keys = keys.map(|(role, key)| KeyEvent { entry: known.event, role, key: Some(key) });
        let size = if books.lie == Lie::ShorterJournal { 1 } else { books.tree.size() };
        let checkpoint = self.checkpoint_at(&books.tree, size);
        let head = ChainHead {
            center: self.sheet.center,
            account,
            head: chain_hash(account, &keys),
            size,
            root: books.tree.root_at(size).unwrap(),
        };
        Welcome {
            account,
            checkpoint,
            keys: List::first(keys),
            head: Telegram::sign_as_key(&head, &self.keys[&SheetRole::Statement]),
            mail: 0,
            open: true,
        }
    }

    fn decide(&self, telegram: &Telegram, member: MemberNumber) -> Verdict {
        let id = telegram.id();
        if self.books().verdicts.contains_key(&id) {
            return self.verdict(&id);
        }
        let (key, event) = {
            let books = self.books();
            let known = books.members.iter().find(|one| one.number == member).expect("logged in");
            (known.signature, known.event)
        };
        match telegram.kind {
            Kind::CardRequest => {
                let asked = telegram.verify::<CardRequest>(&key, event).expect("authentic").payload().clone();
                let part = MemberPart::CardRequested { telegram: id, amount: asked.amount };
                let entry = self.enter(EntryKind::CardRequest, part);
                let terms = FundingTerms {
                    request: entry,
                    telegram: id,
                    amount: asked.amount,
                    account: BankAccount {
                        holder: Line::new("Garden Club").unwrap(),
                        number: Line::new("0005/101/1234567").unwrap(),
                        bic: None,
                    },
                    reference: Line::new("RF18539007547034").unwrap(),
                    expires: Timestamp::now().plus_ms(86_400_000),
                };
                self.books().verdicts.insert(id, (entry, Some(Effect::FundingOpened(terms)), None));
            }
            _ => {
                let asked = telegram.verify::<Payment>(&key, event).expect("authentic").payload().clone();
                self.pay(id, &asked);
            }
        }
        self.verdict(&id)
    }

    fn pay(&self, id: TelegramId, asked: &Payment) {
        let place = (asked.store, asked.order);
        let before = self.books().paid.get(&place).copied();
        let balance = self.books().cards.get(&asked.card).map(|card| card.1);
        let refusal = match (before, balance) {
            (Some((by, ..)), _) => Some(Refusal::AlreadyPaid { by }),
            (None, None) => Some(Refusal::UnknownCard),
            (None, Some(balance)) => match balance.minus(asked.total) {
                None => Some(Refusal::BalanceShort { by: asked.total.minus(balance).unwrap() }),
                Some(_) => None,
            },
        };
        if let Some(reason) = refusal {
            let entry =
                self.enter(EntryKind::Payment, MemberPart::Refused { telegram: id, reason: reason.clone() });
            self.books().verdicts.insert(id, (entry, None, Some(reason)));
            return;
        }
        let balance = balance.unwrap().minus(asked.total).unwrap();
        let entry = self.enter(
            EntryKind::Payment,
            MemberPart::Paid {
                telegram: id,
                card: asked.card,
                store: asked.store,
                offer: asked.offer,
                order: asked.order,
                total: asked.total,
                balance,
            },
        );
        let mut books = self.books();
        books.cards.get_mut(&asked.card).unwrap().1 = balance;
        books.paid.insert(place, (entry, asked.card, asked.total));
        books.verdicts.insert(id, (entry, Some(Effect::Paid { balance }), None));
    }

    fn verdict(&self, id: &TelegramId) -> Verdict {
        let (entry, effect, refusal) = self.books().verdicts[id].clone();
        let receipt = self.receipt(entry);
        match (effect, refusal) {
            (Some(effect), _) => Verdict::Done { effect, receipt },
            (None, Some(reason)) => Verdict::Refused { reason, receipt },
            (None, None) => Verdict::Void { receipt },
        }
    }

    fn maybe_tampered(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Done { effect: Effect::Paid { .. }, mut receipt }
                if self.books().lie == Lie::TamperedReceipt =>
            {
                let Ok(MemberPart::Paid { telegram, card, store, offer, order, total, .. }) =
                    receipt.member_part()
                else {
                    panic!("a payment's receipt")
                };
                let balance = Amount::MAX;
                let part = MemberPart::Paid { telegram, card, store, offer, order, total, balance };
                receipt.part = Bytes::new(codec::encode(&part)).unwrap();
                Verdict::Done { effect: Effect::Paid { balance }, receipt }
            }
            verdict => verdict,
        }
    }

    fn mail_item(&self, (entry, _, body): &(EntryNumber, MemberNumber, Mail)) -> MailItem {
        let mut body = body.clone();
        if self.books().lie == Lie::TamperedMail
            && let Mail::Refunded { amount, .. } | Mail::CardIssued { amount, .. } = &mut body
        {
            *amount = amount.plus(Amount::new(1).unwrap()).unwrap();
        }
        MailItem { body, receipt: self.receipt(*entry) }
    }
}
