//! The center's books as they are founded, with the people who then trade: made once by the real desk, and copied for
//! every run. All keys derive from fixed seeds, so that the same run signs the same bytes.

use std::{
    path::PathBuf,
    pin::pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
};

use fastrand::Rng;
use ledger::{
    Decision, Outcome, Request, State, decide,
    request::{Admission, Credit, OperatorRole, Settings},
};
use tui_center::{
    books::{Books, CheckpointKey, Record, Shelf, disk::Disk, keyring::Keyring},
    settlement::{Act, Answer, Desk, DeskError, Mailboxes, Opening, Stepper, Work, heard},
};
use wire::{
    admission::{ActivationCode, Way},
    amount::{Amount, Currency},
    bounded::List,
    id::{AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber, Nonce, Role, Salt},
    key::SigningKey,
    message::{BankAccount, Beside},
    payload::{self, Funding, particulars_hash},
    sheet::{KeySheet, SheetKey, SheetRole},
    telegram::{Payload, Signer, Telegram},
    terminal::{Registrant, VALID_MS},
    text::Line,
    time::Timestamp,
};

use super::{
    center::Cursors,
    clock::SimClock,
    disk::{End, SimDisk},
};

/// When the center was founded.
pub const START: u64 = 1_790_000_000_000;
/// The books' folder on the center's disk.
pub const BOOKS: &str = "/books";
/// Short segments, so that a run needs several.
pub const SEGMENT: u64 = 12 << 10;
/// What each member's card holds at the beginning.
pub const CARD: u64 = 10_000;

const MEMBERS: u8 = 3;
const STORES: u8 = 2;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const PARTICULARS: &[u8] = b"particulars";
const SALT: Salt = Salt([6; 32]);

/// Somebody with an account.
pub struct Person {
    /// The account.
    pub account: AccountNumber,
    /// The key event that put the keys in force.
    pub event: EntryNumber,
    /// The signature key.
    pub key: SigningKey,
    /// The terminal key.
    pub terminal: SigningKey,
    /// A member's card.
    pub card: Option<CardNumber>,
}

/// The founded center.
pub struct Image {
    disk: SimDisk,
    /// The members first, then the stores.
    pub people: Vec<Person>,
    /// The signed key sheet.
    pub sheet: Telegram,
    /// The same, read.
    pub key_sheet: KeySheet,
    /// The root key.
    pub root: SigningKey,
    /// What an auditor believes.
    pub ring: Keyring,
    /// The key that signs heads of chains.
    pub statement: SigningKey,
}

impl Image {
    /// The one of this process.
    pub fn get() -> &'static Self {
        static IMAGE: OnceLock<Image> = OnceLock::new();
        IMAGE.get_or_init(Self::make)
    }

    /// A copy of the center's disk.
    pub fn disk(&self, rng: Rng) -> SimDisk {
        self.disk.copy(rng)
    }

    /// The center.
    pub fn center(&self) -> CenterId {
        self.key_sheet.center
    }

    fn make() -> Self {
        let root = key("root", 0);
        let (checkpoint, statement) = (key("checkpoint", 0), key("statement", 0));
        let named = |role, key: &SigningKey| SheetKey {
            role,
            key: key.verification_key(),
            from_size: 0,
            until_size: None,
        };
        let key_sheet = KeySheet {
            number: 1,
            center: root.verification_key().center(),
            log_origin: origin(),
            breaks: wire::bounded::List::default(),
            keys: List::first([
                named(SheetRole::Checkpoint, &checkpoint),
                named(SheetRole::Statement, &statement),
            ]),
        };
        let sheet = key_sheet.sign(&root);
        let disk = SimDisk::new(Rng::with_seed(0));
        let mut house = House::found(&disk, &key_sheet, &sheet);
        let mut people = Vec::new();
        for number in 0..MEMBERS {
            let mut person = house.join(number, Role::Member);
            person.card = Some(house.card(&person, u64::from(number)));
            people.push(person);
        }
        for number in 0..STORES {
            people.push(house.join(MEMBERS + number, Role::Store));
        }
        house.stepper.close().expect("the disk does not fail");
        disk.restart(End::Killed);
        let ring = Keyring::new(root.verification_key(), vec![sheet.clone()]);
        Self { disk, people, sheet, key_sheet, root, ring, statement }
    }
}

/// The key that signs checkpoints.
pub fn checkpoint_key() -> CheckpointKey {
    CheckpointKey::new(origin(), key("checkpoint", 0))
}

/// Where the books lie.
pub fn shelf(disk: &SimDisk) -> Shelf {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Shelf::on(disk, PathBuf::from(BOOKS)).with_segments(SEGMENT)
}

/// The center's bank account, for funding terms.
pub fn bank() -> BankAccount {
    let line = |text| Line::new(text).expect("short and clean");
    BankAccount { holder: line("Center"), number: line("0001/002/1234567"), bic: None }
}

/// A key of the simulation; everybody has their own.
pub fn key(of: &str, number: u64) -> SigningKey {
    SigningKey::from_seed(&Digest::of(&[b"simulated", of.as_bytes(), &number.to_le_bytes()]).0)
}

/// An amount in the currency's minor unit.
pub fn yen(minor: u64) -> Amount {
    Amount::new(minor).expect("far below the most")
}

/// Asks a future once.
pub fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn origin() -> Line {
    Line::new("simulated.test/books").expect("short and clean")
}

/// The desk while the center is founded.
struct House {
    center: CenterId,
    clock: SimClock,
    desk: Desk,
    stepper: Stepper,
}

impl House {
    fn found(disk: &SimDisk, key_sheet: &KeySheet, sheet: &Telegram) -> Self {
        let settings = Settings {
            center: key_sheet.center,
            name: "Center".into(),
            currency: Currency::YEN,
            zone: "Asia/Tokyo".into(),
            day_end: 1440,
            card_least: yen(100),
            card_most: yen(1_000_000),
            funding_ms: 3 * DAY_MS,
            refusals_per_minute: 100,
        };
        let operator = Request::Operator {
            name: "anna".into(),
            role: Some(OperatorRole::Admin),
            key: Digest([5; 32]),
            by: None,
        };
        let named = Request::Sheet { number: 1, digest: sheet.digest(), by: None };
        let mut state = State::new();
        let mut first = Vec::new();
        let requests =
            [(Request::Found(settings), vec![]), (named, wire::codec::encode(sheet)), (operator, vec![])];
        for (request, evidence) in requests {
            let entry = decide(&state, &request, Timestamp(START));
            state.apply(&entry).expect("the founding is sound");
            first.push(Record { entry, evidence, seed: [state.next().0 as u8; 16] });
        }
        let founded = Books::create(shelf(disk), checkpoint_key(), &first);
        founded.and_then(Books::close).expect("the disk does not fail");
        let clock = SimClock::at(START);
        let mut opening = Opening::new(Mailboxes::open(Arc::new(Cursors::default())).expect("in memory"));
        let books = Books::resume(shelf(disk), checkpoint_key(), &mut opening).expect("just founded");
        let mut rng = Rng::with_seed(0);
        let seeds = move || rng.u128(..).to_le_bytes();
        let (desk, stepper) =
            Desk::stepped(Box::new(books), opening, Box::new(clock.clone()), seeds).expect("just founded");
        Self { center: key_sheet.center, clock, desk, stepper }
    }

    fn ask(&mut self, work: Work) -> Answer {
        let desk = self.desk.clone();
        let mut asked = pin!(async move { desk.submit(work).await });
        let context = &mut Context::from_waker(Waker::noop());
        let mut outcome: Option<Result<Answer, DeskError>> = None;
        while outcome.is_none() {
            if let Poll::Ready(answer) = asked.as_mut().poll(context) {
                outcome = Some(answer);
            } else {
                self.stepper.step();
            }
        }
        outcome.and_then(Result::ok).expect("nothing fails while the center is founded")
    }

    fn join(&mut self, number: u8, role: Role) -> Person {
        let keys = |part| key(part, number.into());
        let (signature, terminal, recovery) = (keys("signature"), keys("terminal"), keys("recovery"));
        let application = ApplicationNumber(self.desk.reader().size());
        let until = self.clock.true_now().plus_ms(DAY_MS);
        let admission = Request::Admit(Admission {
            by: None,
            application,
            role,
            key: signature.verification_key(),
            particulars: particulars_hash(&SALT, PARTICULARS),
            replaces: None,
            until,
            ways: vec![Way::Mail],
        });
        let answer = self.ask(Work::own(admission, Vec::new()).expect("not a telegram"));
        let Decision::Done(Outcome::Admitted(account)) = answer.record.entry.decision else {
            panic!("{:?}", answer.record.entry.decision)
        };
        let call = Registrant {
            center: self.center,
            application,
            account,
            code: &ActivationCode::generate(),
            terminal_key: &terminal,
            recovery_key: Some(&recovery),
            particulars: PARTICULARS,
            salt: SALT,
            terms: Digest([3; 32]),
            now: Timestamp(until.0 - VALID_MS),
        };
        let call = call.sign(&signature).expect("the particulars are short");
        let trade_name = (role == Role::Store).then(|| format!("Store {number}"));
        let work = heard::registered(&self.desk, &call, trade_name).expect("the registration is sound");
        let event = self.ask(work).number();
        Person { account, event, key: signature, terminal, card: None }
    }

    fn card(&mut self, person: &Person, number: u64) -> CardNumber {
        let AccountNumber::Member(member) = person.account else { panic!("stores have no cards") };
        let telegram = person.sign(&payload::CardRequest {
            center: self.center,
            member,
            key_event: person.event,
            amount: yen(CARD),
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            nonce: Nonce([number as u8; 16]),
            valid_until: self.clock.true_now().plus_ms(DAY_MS),
        });
        let work = heard::submitted(&self.desk, person.account, &telegram, &Beside::Nothing);
        let request = self.ask(work.expect("the request is sound")).number();
        let credit = Credit {
            bank_reference: format!("BANK{number}"),
            amount: yen(CARD),
            currency: Currency::YEN,
            reference: Some(ledger::reference::make(request)),
            payer: Digest([4; 32]),
            notice: Digest([number as u8; 32]),
        };
        let issued = self.ask(Work::act(Act::Credit(credit)));
        match &issued.record.entry.decision {
            Decision::Done(Outcome::CardIssued { card, .. }) => *card,
            other => panic!("{other:?}"),
        }
    }
}

impl Person {
    /// A telegram of the account, signed with its signature key.
    pub fn sign<P: Payload>(&self, payload: &P) -> Telegram {
        Telegram::sign(payload, Signer::Account(self.account), &self.key)
    }
}
