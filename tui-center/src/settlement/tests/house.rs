//! A small center on a real disk, with people whose keys sign, for the desk's tests.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use ledger::{
    Request, State, decide,
    request::{Admission, Credit, OperatorRole, Settings},
};
use tempfile::TempDir;
use wire::{
    admission::{ActivationCode, Way},
    amount::{Amount, Currency},
    bounded::List,
    checkpoint::SignedCheckpoint,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber, Nonce, OrderHash, Role,
        Salt, StoreNumber,
    },
    key::SigningKey,
    message::{Beside, Effect, Mail, MailItem, Problem, RegisterCall, Verdict},
    payload::{self, CashierRights, ClaimEvidence, Funding, RefundReason, particulars_hash},
    telegram::{Signer, Telegram},
    terminal::{Changer, Registrant, VALID_MS},
    text::Line,
    time::Timestamp,
};

use super::super::{
    Act, Answer, Desk, DeskError, Mailboxes, Opening, Work, clock::tests::SetClock, heard, said,
};
use crate::books::{
    Books, BooksError, CheckpointKey, Journal, Reader, Record, Shelf,
    cabinet::Cabinet,
    snapshot::{Keeper, Mail as Waiting, Pace},
};

pub(super) const START: u64 = 1_700_000_000_000;
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
pub(super) const CENTER: CenterId = CenterId([9; 32]);

const SALT: Salt = Salt([6; 32]);
const PARTICULARS: &[u8] = b"particulars";

pub(super) fn yen(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

/// What the journal does with the appends that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The n-th append from now (0 is the next) fails before anything is written.
    Before(usize),
    /// It fails after everything was written: the desk can't know that it was.
    After(usize),
}

/// A journal with a door that a test can close, and with faults.
struct Weak {
    books: Books,
    fault: Arc<Mutex<Fault>>,
    door: Arc<Door>,
}

/// Appends wait before a closed door.
#[derive(Default)]
pub(super) struct Door {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Door {
    pub(super) fn set(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.lock().unwrap();
        drop(self.opened.wait_while(closed, |closed| *closed).unwrap());
    }
}

impl Journal for Weak {
    fn append(&mut self, records: &[Record]) -> Result<SignedCheckpoint, BooksError> {
        self.door.pass();
        let failed = || Err(BooksError::Stopped("the disk is full".into()));
        let mut fault = self.fault.lock().unwrap();
        match *fault {
            Fault::Before(0) => return failed(),
            Fault::After(0) => {
                self.books.append(records)?;
                return failed();
            }
            Fault::Before(more) => *fault = Fault::Before(more - 1),
            Fault::After(more) => *fault = Fault::After(more - 1),
            Fault::None => {}
        }
        self.books.append(records)
    }

    fn reader(&self) -> Reader {
        self.books.reader()
    }

    fn keeper(&self) -> Option<Keeper> {
        Some(self.books.keeper())
    }

    fn close(self: Box<Self>) -> Result<(), BooksError> {
        self.books.close()
    }
}

/// The center.
pub(super) struct House {
    pub(super) dir: TempDir,
    pub(super) clock: SetClock,
    pub(super) fault: Arc<Mutex<Fault>>,
    pub(super) door: Arc<Door>,
    pub(super) desk: Desk,
}

impl House {
    pub(super) fn founded() -> Self {
        Self::founded_with(100)
    }

    pub(super) fn founded_with(refusals_per_minute: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            center: CENTER,
            name: "Center".into(),
            currency: Currency::YEN,
            zone: "Asia/Tokyo".into(),
            day_end: 1440,
            card_least: yen(100),
            card_most: yen(1_000_000),
            funding_ms: 3 * DAY_MS,
            refusals_per_minute,
        };
        let operator = Request::Operator {
            name: "anna".into(),
            role: Some(OperatorRole::Admin),
            key: Digest([5; 32]),
            by: None,
        };
        let mut state = State::new();
        let mut first = Vec::new();
        for request in [Request::Found(settings), operator] {
            let entry = decide(&state, &request, Timestamp(START));
            state.apply(&entry).unwrap();
            first.push(Record::new(entry, Vec::new()));
        }
        Books::create(&books_dir(dir.path()), key(), &first).unwrap().close().unwrap();
        let clock = SetClock::at(START);
        let (fault, door) = (Arc::new(Mutex::new(Fault::None)), Arc::new(Door::default()));
        let desk = open(dir.path(), &clock, &fault, &door).unwrap();
        Self { dir, clock, fault, door, desk }
    }

    /// Ends the desk, however it stands, and opens it again from the disk.
    pub(super) async fn reopen(&mut self) {
        let _ = self.desk.close().await;
        *self.fault.lock().unwrap() = Fault::None;
        self.desk = open(self.dir.path(), &self.clock, &self.fault, &self.door).unwrap();
    }

    pub(super) fn now(&self) -> Timestamp {
        use super::super::Clock as _;
        self.clock.now()
    }

    pub(super) async fn act(&self, act: Act) -> Result<Answer, DeskError> {
        self.desk.submit(Work::act(act)).await
    }

    pub(super) async fn join(&self, seed: u8, role: Role) -> Person {
        let person = Person::new(seed);
        let call = self.admitted(&person, role).await;
        let trade_name = (role == Role::Store).then(|| format!("Store {seed}"));
        let work = heard::registered(&self.desk, &call, trade_name).unwrap();
        let answer = self.desk.submit(work).await.unwrap();
        let account = match &answer.record.entry.decision {
            ledger::Decision::Done(ledger::Outcome::Registered(account)) => *account,
            other => panic!("{other:?}"),
        };
        Person { account, event: answer.number(), ..person }
    }

    /// Admits someone; what is sent then to register.
    pub(super) async fn admitted(&self, person: &Person, role: Role) -> RegisterCall {
        let application = ApplicationNumber(self.desk.reader().size());
        let until = self.now().plus_ms(DAY_MS);
        let admission = Request::Admit(Admission {
            by: None,
            application,
            role,
            key: person.key.verification_key(),
            particulars: particulars_hash(&SALT, PARTICULARS),
            replaces: None,
            until,
            ways: vec![Way::Mail],
        });
        let answer = self.desk.submit(Work::own(admission, Vec::new()).unwrap()).await.unwrap();
        let account = match &answer.record.entry.decision {
            ledger::Decision::Done(ledger::Outcome::Admitted(account)) => *account,
            other => panic!("{other:?}"),
        };
        person.registration(application, account, until)
    }

    /// A telegram's whole way: verified, decided, said.
    pub(super) async fn submit(&self, person: &Person, telegram: &Telegram) -> Result<Verdict, DeskError> {
        self.submit_beside(person, telegram, &Beside::Nothing).await
    }

    pub(super) async fn submit_beside(
        &self,
        person: &Person,
        telegram: &Telegram,
        beside: &Beside,
    ) -> Result<Verdict, DeskError> {
        let work = heard::submitted(&self.desk, person.account, telegram, beside).unwrap();
        self.verdict(work).await
    }

    pub(super) async fn inquire(&self, person: &Person, telegram: &Telegram) -> Result<Verdict, DeskError> {
        let work = heard::inquired(&self.desk, person.account, telegram).unwrap();
        self.verdict(work).await
    }

    pub(super) fn not_heard(&self, person: &Person, telegram: &Telegram) -> Problem {
        let before = self.desk.reader().size();
        let problem = heard::submitted(&self.desk, person.account, telegram, &Beside::Nothing).unwrap_err();
        assert_eq!(self.desk.reader().size(), before);
        problem
    }

    async fn verdict(&self, work: Work) -> Result<Verdict, DeskError> {
        let answer = self.desk.submit(work).await?;
        Ok(said::verdict(self.desk.reader(), &bank(), &answer.record).unwrap())
    }

    pub(super) fn credit(reference: &str, amount: u64, number: u64) -> Act {
        Act::Credit(Credit {
            bank_reference: format!("BANK{number}"),
            amount: yen(amount),
            currency: Currency::YEN,
            reference: Some(reference.into()),
            payer: Digest([4; 32]),
            notice: Digest([number as u8; 32]),
        })
    }

    /// A card with money on it; `number` names the bank's movement.
    pub(super) async fn card(&self, person: &Person, amount: u64, number: u64) -> CardNumber {
        let telegram = person.card_request(amount, self.now().plus_ms(DAY_MS));
        let verdict = self.submit(person, &telegram).await.unwrap();
        let Verdict::Done { effect: Effect::FundingOpened(terms), .. } = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(terms.account, bank());
        let answer = self.act(Self::credit(&terms.reference, amount, number)).await.unwrap();
        match &answer.record.entry.decision {
            ledger::Decision::Done(ledger::Outcome::CardIssued { card, .. }) => *card,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn balance(&self, card: CardNumber) -> u64 {
        self.desk.state().card(card).unwrap().balance.minor()
    }

    /// All mail that waits for an account.
    pub(super) fn mail(&self, person: &Person) -> Vec<Mail> {
        let (numbers, more) = self.desk.mailboxes().page(person.account, None, 100);
        assert!(!more);
        numbers.into_iter().map(|number| self.mail_item(person, number).body).collect()
    }

    pub(super) fn mail_item(&self, person: &Person, number: EntryNumber) -> MailItem {
        let reader = self.desk.reader();
        let record = reader.read(number).unwrap();
        let certificate = |card| {
            let certificate = said::card_certificate(&self.desk.state(), card).unwrap();
            Ok(Telegram::sign_as_key(&certificate, &SigningKey::from_seed(&[200; 32])))
        };
        said::mail(reader, &record, person.account, certificate).unwrap().unwrap()
    }
}

/// The state and the mail that a whole replay of a journal gives, with the cursors that are kept.
pub(super) fn replayed(dir: &Path, records: &[Record]) -> (Digest, Waiting) {
    let cabinet = Cabinet::open(&dir.join("cabinet"), &[7; 32]).unwrap();
    let mailboxes = Mailboxes::open(Arc::new(cabinet)).unwrap();
    let mut opening = Opening::new(mailboxes.clone());
    records.iter().for_each(|record| opening.follow(record));
    (opening.state().digest(), mailboxes.waiting(opening.state().next()))
}

fn books_dir(dir: &Path) -> std::path::PathBuf {
    dir.join("books")
}

pub(super) fn bank() -> wire::message::BankAccount {
    let line = |text| Line::new(text).unwrap();
    wire::message::BankAccount { holder: line("Center"), number: line("0001/002/1234567"), bic: None }
}

fn key() -> CheckpointKey {
    CheckpointKey::new(Line::new("test/log").unwrap(), SigningKey::from_seed(&[100; 32]))
}

pub(super) fn open(
    dir: &Path,
    clock: &SetClock,
    fault: &Arc<Mutex<Fault>>,
    door: &Arc<Door>,
) -> Result<Desk, BooksError> {
    let cabinet = Cabinet::open(&dir.join("cabinet"), &[7; 32])?;
    let mut opening = Opening::new(Mailboxes::open(Arc::new(cabinet))?);
    let shelf = Shelf::from(&books_dir(dir)).with_snapshots(Pace::Each(8));
    let books = Books::resume(shelf, key(), &mut opening)?;
    let weak = Weak { books, fault: fault.clone(), door: door.clone() };
    Desk::open(Box::new(weak), opening, Box::new(clock.clone()))
}

/// Appends to closed books what the rules decide for a request, as a center that died right afterwards has left it.
pub(super) fn append_behind_its_back(dir: &Path, request: &Request, now: Timestamp) -> EntryNumber {
    let mut state = State::new();
    let mut books =
        Books::open(&books_dir(dir), key(), |record| state.apply(&record.entry).unwrap()).unwrap();
    let entry = decide(&state, request, now);
    assert_eq!(entry.refusal(), None);
    let number = entry.number;
    books.append(&[Record::new(entry, Vec::new())]).unwrap();
    number
}

/// Waits at most ten seconds.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("it takes too long")
}

/// An account holder with its keys.
pub(super) struct Person {
    pub(super) account: AccountNumber,
    pub(super) event: EntryNumber,
    pub(super) key: SigningKey,
    pub(super) terminal: SigningKey,
    pub(super) recovery: SigningKey,
}

impl Person {
    pub(super) fn new(seed: u8) -> Self {
        let key = |part| SigningKey::from_seed(&[seed, part].repeat(16).try_into().unwrap());
        Self {
            account: AccountNumber::Store(StoreNumber(0)),
            event: EntryNumber(0),
            key: key(1),
            terminal: key(2),
            recovery: key(3),
        }
    }

    pub(super) fn registration(
        &self,
        application: ApplicationNumber,
        account: AccountNumber,
        valid_until: Timestamp,
    ) -> RegisterCall {
        // Signed a while before, as prepared offline.
        let now = Timestamp(valid_until.0 - VALID_MS);
        let registrant = Registrant {
            center: CENTER,
            application,
            account,
            code: &ActivationCode::generate(),
            terminal_key: &self.terminal,
            recovery_key: Some(&self.recovery),
            particulars: PARTICULARS,
            salt: SALT,
            terms: Digest([3; 32]),
            now,
        };
        registrant.sign(&self.key).unwrap()
    }

    /// What this person signs to change keys, with the key that an event put in force.
    pub(super) fn changer(&self, key_event: EntryNumber, now: Timestamp) -> Changer {
        Changer { center: CENTER, account: self.account, key_event, now }
    }

    pub(super) fn member(&self) -> wire::id::MemberNumber {
        wire::message::member_of(self.account).unwrap()
    }

    pub(super) fn store(&self) -> StoreNumber {
        match self.account {
            AccountNumber::Store(store) => store,
            AccountNumber::Member(_) => panic!("not a store"),
        }
    }

    pub(super) fn sign<P: wire::telegram::Payload>(&self, payload: &P) -> Telegram {
        Telegram::sign(payload, Signer::Account(self.account), &self.key)
    }

    pub(super) fn card_request(&self, amount: u64, valid_until: Timestamp) -> Telegram {
        self.sign(&payload::CardRequest {
            center: CENTER,
            member: self.member(),
            key_event: self.event,
            amount: yen(amount),
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            nonce: Nonce::random(),
            valid_until,
        })
    }

    pub(super) fn payment(
        &self,
        card: CardNumber,
        offer: &Telegram,
        valid_until: Timestamp,
    ) -> payload::Payment {
        let offered: payload::Offer = offer.peek().unwrap();
        payload::Payment {
            center: CENTER,
            member: self.member(),
            key_event: self.event,
            card,
            store: offered.store,
            offer: offer.digest(),
            order: offered.order,
            total: offered.total,
            currency: Currency::YEN,
            offer_expires: offered.expires,
            nonce: Nonce::random(),
            valid_until,
        }
    }

    /// The store's offer for order `number` to a buyer whose key is made of the number too.
    pub(super) fn offer(&self, number: u8, total: u64, expires: Timestamp) -> Telegram {
        let offer = payload::Offer {
            center: CENTER,
            store: self.store(),
            terminal_key: self.terminal.verification_key(),
            buyer_key: buyer(number).verification_key(),
            order: OrderHash([number; 32]),
            total: yen(total),
            currency: Currency::YEN,
            issued: Timestamp(START),
            expires,
        };
        Telegram::sign_as_key(&offer, &self.terminal)
    }

    pub(super) fn refund(&self, payment: EntryNumber, amount: u64, valid_until: Timestamp) -> Telegram {
        self.sign(&payload::Refund {
            center: CENTER,
            store: self.store(),
            cashier: None,
            key_event: self.event,
            payment,
            amount: yen(amount),
            currency: Currency::YEN,
            reason: RefundReason::CannotDeliver,
            nonce: Nonce::random(),
            valid_until,
        })
    }

    /// Certifies a cashier's key with a refund limit, or takes its rights away.
    pub(super) fn cashier(&self, key: &SigningKey, limit: Option<u64>, valid_until: Timestamp) -> Telegram {
        let rights = |limit| CashierRights {
            name: Line::new("Mika").unwrap(),
            sell: true,
            deliver: true,
            refund_limit: yen(limit),
            see_day: false,
        };
        self.sign(&payload::CashierChange {
            center: CENTER,
            store: self.store(),
            key_event: self.event,
            key: key.verification_key(),
            rights: limit.map(rights),
            nonce: Nonce::random(),
            valid_until,
        })
    }

    pub(super) fn claim(&self, payments: &[EntryNumber], total: u64, valid_until: Timestamp) -> Telegram {
        self.sign(&payload::Claim {
            center: CENTER,
            store: self.store(),
            key_event: self.event,
            payments: List::new(payments.to_vec()).unwrap(),
            total: yen(total),
            currency: Currency::YEN,
            nonce: Nonce::random(),
            valid_until,
        })
    }
}

fn buyer(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32])
}

/// That the buyer of order `number` has the goods.
pub(super) fn evidence(payment: EntryNumber, offer: &Telegram, number: u8) -> ClaimEvidence {
    let delivery = payload::Delivery { order: OrderHash([number; 32]), goods: Digest([8; 32]) };
    ClaimEvidence {
        payment,
        offer: offer.clone(),
        delivery: Telegram::sign_as_key(&delivery, &buyer(number)),
    }
}
