//! For tests: a joined store in a temporary folder, and a center of a few lines that signs what it says.

mod admission;
mod cashiers;
mod keys;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vault::{Cost, Opening, Passwords, PinnedCenter, Surroundings, Vault};
use wire::{
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    checkpoint::{Checkpoint, Hour, SignedCheckpoint},
    codec,
    id::{AccountNumber, Digest, EntryNumber, OrderHash, StoreNumber, TelegramId},
    key::{SigningKey, VerificationKey},
    link::{Pace, accept, pushes},
    merkle::Tree,
    message::{
        Answer, Beside, Effect, Mail, MailItem, MailPage, Problem, ProblemKind, Push, Refusal, Request,
        ServerHello, Verdict, Welcome,
    },
    payload::{ChainHead, Claim, KeyEvent, KeyRole, Refund, chain_hash},
    receipt::{EntryKind, Leaf, PayoutState, Receipt, Side, StorePart, part_hash},
    sheet::{KeySheet, SheetKey, SheetRole},
    telegram::{Kind, Telegram},
    text::Line,
    time::Timestamp,
    tls,
};

pub(crate) use admission::form;

use crate::{
    keep::Keep,
    record::{CenterSeen, Ending, Purpose, Record},
};

pub(crate) const PASSWORD_A: &str = "password of the shop";
pub(crate) const PASSWORD_B: &str = "password of the seal";
pub(crate) const STORE: StoreNumber = StoreNumber(7);

/// Cheap passwords, the system's randomness and clock.
pub(crate) fn weak() -> Surroundings {
    Surroundings { cost: Cost::Weak, ..Surroundings::system() }
}

/// A shop of a test: its folder, its center and its vault.
pub(crate) struct Shop {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) center: FakeCenter,
    pub(crate) keep: Arc<Keep>,
}

impl Shop {
    /// A joined store.
    pub(crate) async fn joined() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (PASSWORD_A.into(), PASSWORD_B.into());
        let vault = Vault::create(folder.path(), &Passwords::Two { a, b }, None, weak()).unwrap();
        let center =
            FakeCenter::start(vault.verification_key().unwrap(), vault.terminal_key().unwrap()).await;
        let keep = Keep::new(Opening { vault, records: Vec::new(), findings: Vec::new() }).unwrap();
        let pinned = PinnedCenter {
            root: center.root().verification_key(),
            addresses: vec![center.address.clone()],
            sheet: None,
            checkpoint: None,
            account: Some(AccountNumber::Store(STORE)),
        };
        keep.vault(move |vault| vault.pin_center(&pinned)).await.unwrap().unwrap();
        let seen = CenterSeen {
            name: Line::new("Center").unwrap(),
            currency: Currency::YEN,
            zone: Line::new("Asia/Tokyo").unwrap(),
            help: Line::default(),
        };
        keep.record(vec![Record::Center(seen)]).await.unwrap();
        let telegram = Telegram::sign_as_key(&center.sheet(), &center.root());
        let id = telegram.id();
        let purpose = Purpose::Registration { trade_name: Line::new("Books & Maps").unwrap() };
        let _sent = keep.post(telegram, Vec::new(), purpose).await.unwrap();
        let receipt = center.enter(EntryKind::Registration, &StorePart::Nothing);
        let account = AccountNumber::Store(STORE);
        keep.close(id, Ending::Registered { account, entry: EntryNumber(1), receipt }).await.unwrap();
        Self { folder, center, keep }
    }

    /// The vault as it would be found had the program died at this moment.
    pub(crate) fn after_a_crash(&self) -> (tempfile::TempDir, Arc<Keep>) {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(self.folder.path().join(vault::FILE), copy.path().join(vault::FILE)).unwrap();
        let keep = reopen(copy.path());
        (copy, keep)
    }
}

/// Opens the vault of a folder.
pub(crate) fn reopen(folder: &Path) -> Arc<Keep> {
    Keep::new(Vault::open(folder, &PASSWORD_A.into(), weak()).unwrap()).unwrap()
}

/// How the center treats telegrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Enters and answers.
    Honest,
    /// Enters, and hangs up instead of answering.
    EntersAndDies,
    /// Hangs up without entering.
    Dies,
    /// Answers with the evidence of another telegram.
    Lies,
    /// Has too much to do.
    Busy,
}

/// A center that knows one store.
#[derive(Clone)]
pub(crate) struct FakeCenter {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

struct State {
    chain: Vec<KeyEvent>,
    admission: admission::Admissions,
    custody: keys::Custody,
    staff: cashiers::Staff,
    tree: Tree,
    /// What it publishes for hours.
    hours: Vec<SignedCheckpoint>,
    entries: Vec<(Leaf, Vec<u8>)>,
    mail: Vec<(EntryNumber, Mail)>,
    answered: HashMap<TelegramId, Verdict>,
    delivered: Vec<EntryNumber>,
    announced: Vec<String>,
    manner: Manner,
    forged_mail: bool,
    /// Whether the answer in the making is never sent.
    silent: bool,
    hang_up: CancellationToken,
    closed: CancellationToken,
}

const SALT: [u8; 32] = [9; 32];

impl FakeCenter {
    /// A center that knows one store with these keys.
    pub(crate) async fn start(signature: VerificationKey, terminal: &SigningKey) -> Self {
        let event = |role, key| KeyEvent { entry: EntryNumber(1), role, key: Some(key) };
        let terminal = terminal.verification_key();
        Self::with(vec![event(KeyRole::Signature, signature), event(KeyRole::Terminal, terminal)]).await
    }

    /// A center that knows nobody yet.
    pub(crate) async fn empty() -> Self {
        Self::with(Vec::new()).await
    }

    async fn with(chain: Vec<KeyEvent>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            chain,
            admission: admission::Admissions::default(),
            custody: keys::Custody::default(),
            staff: cashiers::Staff::default(),
            tree: Tree::new(),
            hours: Vec::new(),
            entries: Vec::new(),
            mail: Vec::new(),
            answered: HashMap::new(),
            delivered: Vec::new(),
            announced: Vec::new(),
            manner: Manner::Honest,
            forged_mail: false,
            silent: false,
            hang_up: CancellationToken::new(),
            closed: CancellationToken::new(),
        };
        let center =
            Self { address: listener.local_addr().unwrap().to_string(), state: Arc::new(Mutex::new(state)) };
        center.enter(EntryKind::Founding, &StorePart::Nothing);
        let serving = center.clone();
        let closed = center.lock().closed.clone();
        tokio::spawn(async move {
            // Once it is closed the listener is gone: nobody can connect.
            while let Some(Ok((stream, _))) = closed.run_until_cancelled(listener.accept()).await {
                let hang_up = serving.lock().hang_up.clone();
                let attended = serving.clone().attend(stream);
                tokio::spawn(async move {
                    tokio::select! {
                        () = attended => {}
                        () = hang_up.cancelled() => {}
                    }
                });
            }
        });
        center
    }

    /// The account had keys before those of this terminal, which replaces a lost one.
    pub(crate) fn had(&self, event: KeyEvent) {
        self.lock().chain.insert(0, event);
    }

    pub(crate) fn root(&self) -> SigningKey {
        SigningKey::from_seed(&[1; 32])
    }

    pub(crate) fn manner(&self, manner: Manner) {
        self.lock().manner = manner;
    }

    pub(crate) fn announced(&self) -> Vec<String> {
        self.lock().announced.clone()
    }

    /// How much mail is not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.lock().mail.len()
    }

    /// Enters a payment and puts its notice into the mailbox.
    pub(crate) fn pay(&self, order: OrderHash, offer: Digest, total: Amount) -> EntryNumber {
        let receipt = self.enter(EntryKind::Payment, &StorePart::Paid { offer, order, total });
        let entry = receipt.leaf.entry;
        self.lock().mail.push((entry, Mail::Paid { order, offer, total }));
        entry
    }

    /// Enters how a payout stands and puts it into the mailbox.
    pub(crate) fn payout(&self, claim: EntryNumber, amount: Amount, state: PayoutState) {
        let receipt = self.enter(EntryKind::Payout, &StorePart::Payout { claim, amount, state });
        self.lock().mail.push((receipt.leaf.entry, Mail::Payout { claim, amount, state }));
    }

    /// From now on mail says another amount than its evidence.
    pub(crate) fn forge_mail(&self, forged: bool) {
        self.lock().forged_mail = forged;
    }

    pub(crate) fn enter(&self, kind: EntryKind, part: &StorePart) -> Receipt {
        let mut state = self.lock();
        let part = codec::encode(part);
        let nothing = Digest([0; 32]);
        let entry = EntryNumber(state.tree.size());
        let leaf = Leaf {
            entry,
            at: Timestamp::now(),
            kind,
            member: nothing,
            store: part_hash(&SALT, &part),
            center: nothing,
        };
        state.tree.push(leaf.hash());
        state.entries.push((leaf, part));
        drop(state);
        self.receipt(entry)
    }

    pub(crate) fn sheet(&self) -> KeySheet {
        let key = self.key().verification_key();
        let roles = [SheetRole::Tls, SheetRole::Checkpoint, SheetRole::Statement, SheetRole::Directory];
        KeySheet {
            number: 1,
            center: self.root().verification_key().center(),
            log_origin: Line::new("inkan.test/1").unwrap(),
            breaks: wire::bounded::List::default(),
            keys: List::first(roles.map(|role| SheetKey { role, key, from_size: 0, until_size: None })),
        }
    }

    /// Publishes the journal as it is, or another of as many entries, for an hour.
    pub(crate) fn publish(&self, hour: u64, forked: bool) -> SignedCheckpoint {
        let mut checkpoint = self.checkpoint().claimed().clone();
        if forked {
            checkpoint.root = Digest([0xf0; 32]);
        }
        let note = SignedCheckpoint::sign_hour(&checkpoint, Hour(hour), &self.key());
        if !forked {
            self.lock().hours.push(note.clone());
        }
        note
    }

    /// The journal loses what it had and begins anew.
    pub(crate) fn fork(&self) {
        let mut state = self.lock();
        let size = state.tree.size();
        state.tree = Tree::new();
        (0..=size).for_each(|at| state.tree.push(Digest::of(&[b"forked", &at.to_le_bytes()])));
    }

    fn key(&self) -> SigningKey {
        SigningKey::from_seed(&[2; 32])
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn checkpoint(&self) -> SignedCheckpoint {
        let state = self.lock();
        let (size, root) = (state.tree.size(), state.tree.root());
        SignedCheckpoint::sign(&Checkpoint { origin: self.sheet().log_origin, size, root }, &self.key())
    }

    fn receipt(&self, entry: EntryNumber) -> Receipt {
        let checkpoint = self.checkpoint();
        let state = self.lock();
        let (leaf, part) = state.entries[usize::try_from(entry.0).unwrap()].clone();
        Receipt {
            leaf,
            side: Side::Store,
            salt: SALT,
            part: Bytes::new(part).unwrap(),
            proof: List::first(state.tree.inclusion(entry.0, state.tree.size()).unwrap()),
            checkpoint,
        }
    }

    async fn attend(self, stream: tokio::net::TcpStream) {
        let limit = Duration::from_secs(10);
        let Ok(accepted) = accept(stream, &tls::server_config(&self.key()), limit).await else { return };
        let hello = ServerHello {
            min_version: 1,
            max_version: 1,
            sheet: self.sheet().sign(&self.root()),
            name: Line::new("Center").unwrap(),
            currency: Currency::YEN,
            zone: Line::new("Asia/Tokyo").unwrap(),
            help: Line::default(),
            at: Timestamp::now(),
        };
        let Ok(ready) = accepted.greet(&hello, limit).await else { return };
        let (_pusher, pushed) = pushes::<Push>();
        let handle = |request| {
            let center = self.clone();
            async move {
                let answer = center.answer(request);
                // A center that has hung up says nothing more.
                if center.lock().silent { std::future::pending().await } else { answer }
            }
        };
        let _ = ready.serve(Pace::default(), pushed, handle).await;
    }

    fn answer(&self, request: Request) -> Answer {
        match request {
            Request::Login { account, .. } => {
                self.lock().silent = false;
                Answer::Welcome(Box::new(self.welcome(account)))
            }
            Request::Cashiers => self.name_cashiers(),
            Request::Consistency(pairs) => {
                let state = self.lock();
                let prove = |(old, new)| state.tree.consistency(old, new).ok().map(List::first);
                Answer::Consistency(List::first(pairs.into_iter().map(prove)))
            }
            Request::Hours => Answer::Hours(List::first(self.lock().hours.clone())),
            Request::Announce { addresses } => {
                self.lock().announced = addresses.iter().map(ToString::to_string).collect();
                Answer::Done
            }
            Request::Mail { after } => Answer::Mail(self.mail(after)),
            Request::Acknowledge { upto } => {
                self.lock().mail.retain(|(entry, _)| *entry > upto);
                Answer::Done
            }
            Request::Submit { telegram, beside } => self.submit(&telegram, &beside),
            Request::Inquire(telegram) => {
                let known = self.lock().answered.get(&telegram.id()).cloned();
                Answer::Verdict(Box::new(known.unwrap_or_else(|| {
                    let voided = StorePart::Voided { telegram: telegram.id() };
                    Verdict::Void { receipt: self.enter(EntryKind::Void, &voided) }
                })))
            }
            request => self.answer_stranger(request),
        }
    }

    /// What is answered without a login: joining, and the recovery key.
    fn answer_stranger(&self, request: Request) -> Answer {
        self.admission(&request)
            .or_else(|| self.custody(request))
            .unwrap_or_else(|| Answer::Problem(Problem::new(ProblemKind::Malformed, "not in this test")))
    }

    fn submit(&self, telegram: &Telegram, beside: &Beside) -> Answer {
        let manner = self.lock().manner;
        self.lock().silent = matches!(manner, Manner::Dies | Manner::EntersAndDies);
        match manner {
            Manner::Busy => return Answer::Problem(Problem::new(ProblemKind::Busy, "the center is busy")),
            Manner::Dies => {
                self.hang_up();
                return Answer::Done;
            }
            Manner::Honest | Manner::EntersAndDies | Manner::Lies => {}
        }
        let verdict = self.decide(telegram, beside);
        self.lock().answered.insert(telegram.id(), verdict.clone());
        if manner == Manner::EntersAndDies {
            self.hang_up();
        }
        if manner == Manner::Lies {
            let receipt = self.enter(EntryKind::Void, &StorePart::Nothing);
            return Answer::Verdict(Box::new(Verdict::Done { effect: Effect::Refunded, receipt }));
        }
        Answer::Verdict(Box::new(verdict))
    }

    fn decide(&self, telegram: &Telegram, beside: &Beside) -> Verdict {
        if matches!(telegram.kind, Kind::KeyChange | Kind::KeyCancel) {
            return self.decide_keys(telegram, beside);
        }
        let (signature, event) = self.in_force(KeyRole::Signature);
        match telegram.kind {
            Kind::CashierChange => self.decide_cashier(telegram),
            Kind::Refund => {
                let cashier = telegram.peek::<Refund>().unwrap().cashier;
                let key = cashier.unwrap_or(signature);
                let refund = telegram.verify::<Refund>(&key, event).unwrap().payload().clone();
                if let Some(reason) = cashier.and_then(|key| self.cashier_refusal(&key, &refund)) {
                    let part = StorePart::Refused { telegram: telegram.id(), reason: reason.clone() };
                    return Verdict::Refused { reason, receipt: self.enter(EntryKind::Refund, &part) };
                }
                let part = StorePart::Refunded {
                    telegram: telegram.id(),
                    payment: refund.payment,
                    amount: refund.amount,
                    reason: refund.reason,
                };
                Verdict::Done { effect: Effect::Refunded, receipt: self.enter(EntryKind::Refund, &part) }
            }
            _ => {
                let claim = telegram.verify::<Claim>(&signature, event).unwrap().payload().clone();
                let Beside::Claim(evidence) = beside else { panic!("a claim without evidence") };
                let proved = |payment: &&EntryNumber| evidence.iter().any(|proof| proof.payment == **payment);
                let bare: Vec<EntryNumber> =
                    claim.payments.iter().filter(|payment| !proved(payment)).copied().collect();
                if !bare.is_empty() {
                    let reason = Refusal::NotDelivered { payments: List::first(bare) };
                    let part = StorePart::Refused { telegram: telegram.id(), reason: reason.clone() };
                    return Verdict::Refused { reason, receipt: self.enter(EntryKind::Claim, &part) };
                }
                self.lock().delivered.extend(claim.payments.iter());
                let part = StorePart::Claimed {
                    telegram: telegram.id(),
                    payments: claim.payments.clone(),
                    total: claim.total,
                };
                Verdict::Done { effect: Effect::Claimed, receipt: self.enter(EntryKind::Claim, &part) }
            }
        }
    }

    fn welcome(&self, account: AccountNumber) -> Welcome {
        let checkpoint = self.checkpoint();
        let keys = self.lock().chain.clone();
        let head = ChainHead {
            center: self.sheet().center,
            account,
            head: chain_hash(account, &keys),
            size: checkpoint.claimed().size,
            root: checkpoint.claimed().root,
        };
        let head = Telegram::sign_as_key(&head, &self.key());
        let mail = self.lock().mail.len() as u64;
        let state = self.lock();
        Welcome {
            account,
            checkpoint,
            keys: List::new(keys).unwrap(),
            head,
            mail,
            open: true,
            held: None,
            waiting: state.custody.waiting,
            kit: state.admission.kit,
            copy: state.custody.copy_view(),
        }
    }

    fn mail(&self, after: Option<EntryNumber>) -> MailPage {
        let waiting = self.lock().mail.clone();
        let forged = self.lock().forged_mail;
        let waiting: Vec<_> = waiting.into_iter().filter(|(entry, _)| Some(*entry) > after).collect();
        // Pages of two, so that going on after a page is tried.
        let more = waiting.len() > 2;
        let items = waiting.into_iter().take(2).map(|(entry, body)| {
            let body = match body {
                Mail::Paid { order, offer, total } if forged => {
                    Mail::Paid { order, offer, total: total.plus(Amount::new(1).unwrap()).unwrap() }
                }
                body => body,
            };
            MailItem { body, receipt: self.receipt(entry) }
        });
        MailPage { items: List::first(items), more }
    }

    /// Can be reached no more.
    pub(crate) fn close(&self) {
        self.lock().closed.cancel();
        self.hang_up();
    }

    /// Cuts every connection.
    pub(crate) fn hang_up(&self) {
        let mut state = self.lock();
        state.hang_up.cancel();
        state.hang_up = CancellationToken::new();
    }
}
