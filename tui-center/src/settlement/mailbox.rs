//! What each account has not acknowledged yet.
//!
//! A mailbox holds numbers of entries; the entries themselves are read from the books when they are said. It is
//! rebuilt at opening from the journal and the cursors in the cabinet. A cursor may lag behind: then mail comes
//! twice, and the entry number tells the terminal so.
//!
//! Pushing has no queue of its own: a [`Listener`] walks along the mailbox and is only woken, so a session that is
//! slow loses nothing and holds nobody up.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ledger::{Decision, Entry, Outcome, Request, entry::Purpose};
use tokio::sync::watch;
use wire::id::{AccountNumber, EntryNumber};

use crate::books::{BooksError, cabinet::Cabinet};

/// Where each account's last acknowledged entry is kept. A cursor that is lost or lags only repeats mail.
pub trait Cursors: Send + Sync {
    /// All cursors.
    ///
    /// # Errors
    /// When they can't be read.
    fn load(&self) -> Result<BTreeMap<AccountNumber, EntryNumber>, BooksError>;

    /// Keeps one.
    ///
    /// # Errors
    /// When it can't be written.
    fn keep(&self, account: AccountNumber, upto: EntryNumber) -> Result<(), BooksError>;
}

impl Cursors for Cabinet {
    fn load(&self) -> Result<BTreeMap<AccountNumber, EntryNumber>, BooksError> {
        self.cursors()
    }

    fn keep(&self, account: AccountNumber, upto: EntryNumber) -> Result<(), BooksError> {
        self.set_cursor(account, upto)
    }
}

/// The mailboxes of all accounts. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Mailboxes(Arc<Shared>);

struct Shared {
    boxes: Mutex<Boxes>,
    cursors: Arc<dyn Cursors>,
}

/// Unacknowledged entries of each account, ascending, and who waits for more.
#[derive(Default)]
struct Boxes {
    waiting: HashMap<AccountNumber, VecDeque<EntryNumber>>,
    acknowledged: BTreeMap<AccountNumber, EntryNumber>,
    bells: HashMap<AccountNumber, watch::Sender<EntryNumber>>,
}

impl Mailboxes {
    /// Empty mailboxes that remember what was acknowledged; [`Mailboxes::deliver`] fills them from the journal.
    ///
    /// # Errors
    /// When the cursors can't be read.
    pub fn open(cursors: Arc<dyn Cursors>) -> Result<Self, BooksError> {
        let acknowledged = cursors.load()?;
        let boxes = Mutex::new(Boxes { acknowledged, ..Boxes::default() });
        Ok(Self(Arc::new(Shared { boxes, cursors })))
    }

    /// Puts a durable entry into the mailboxes of those it is addressed to. Entries come in their order.
    pub fn deliver(&self, entry: &Entry) {
        let boxes = &mut *self.boxes();
        for account in addressees(entry).into_iter().flatten() {
            if boxes.acknowledged.get(&account).is_some_and(|upto| *upto >= entry.number) {
                continue;
            }
            boxes.waiting.entry(account).or_default().push_back(entry.number);
            if let Some(bell) = boxes.bells.get(&account) {
                bell.send_replace(entry.number);
            }
        }
    }

    /// Up to `count` unacknowledged entries after one, oldest first, and whether more follow.
    pub fn page(
        &self,
        account: AccountNumber,
        after: Option<EntryNumber>,
        count: usize,
    ) -> (Vec<EntryNumber>, bool) {
        let boxes = self.boxes();
        let Some(waiting) = boxes.waiting.get(&account) else { return (Vec::new(), false) };
        let from = after.map_or(0, |after| waiting.partition_point(|entry| *entry <= after));
        let page: Vec<_> = waiting.iter().skip(from).take(count).copied().collect();
        let more = waiting.len() > from + page.len();
        (page, more)
    }

    /// How many pieces of mail wait for an account.
    pub fn count(&self, account: AccountNumber) -> u64 {
        self.boxes().waiting.get(&account).map_or(0, |waiting| waiting.len() as u64)
    }

    /// An account has kept all its mail up to an entry. Beyond its newest mail this reaches nothing, so that nobody
    /// can acknowledge what is still to come.
    ///
    /// # Errors
    /// When the cursor can't be written; the mail counts as acknowledged until the center is restarted.
    pub fn acknowledge(&self, account: AccountNumber, upto: EntryNumber) -> Result<(), BooksError> {
        let kept = {
            let mut boxes = self.boxes();
            let Some(waiting) = boxes.waiting.get_mut(&account) else { return Ok(()) };
            let count = waiting.partition_point(|entry| *entry <= upto);
            let Some(last) = waiting.drain(..count).next_back() else { return Ok(()) };
            if waiting.is_empty() {
                boxes.waiting.remove(&account);
            }
            boxes.acknowledged.insert(account, last);
            last
        };
        // Outside the lock: a cursor is a small write to the disk, and one that lags does no harm.
        self.0.cursors.keep(account, kept)
    }

    /// Listens for an account's mail after an entry.
    pub fn listen(&self, account: AccountNumber, after: Option<EntryNumber>) -> Listener {
        let mut boxes = self.boxes();
        boxes.bells.retain(|_, bell| bell.receiver_count() > 0);
        let bell = boxes.bells.entry(account).or_insert_with(|| watch::Sender::new(EntryNumber(0)));
        Listener { mailboxes: self.clone(), account, after, bell: bell.subscribe() }
    }

    fn boxes(&self) -> MutexGuard<'_, Boxes> {
        self.0.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's place in its account's mailbox.
pub struct Listener {
    mailboxes: Mailboxes,
    account: AccountNumber,
    after: Option<EntryNumber>,
    bell: watch::Receiver<EntryNumber>,
}

impl Listener {
    /// The next unacknowledged entry; waits until there is one. May be dropped and called again at any time.
    pub async fn next(&mut self) -> EntryNumber {
        loop {
            self.bell.mark_unchanged();
            let (page, _) = self.mailboxes.page(self.account, self.after, 1);
            if let Some(entry) = page.first() {
                self.after = Some(*entry);
                return *entry;
            }
            if self.bell.changed().await.is_err() {
                // The mailboxes keep the bell as long as this listener lives.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// To whom an entry is mail. Answers to an account's own telegrams are verdicts, not mail; a payment is mail to the
/// store, a refund to the member, one by the center to both.
pub fn addressees(entry: &Entry) -> [Option<AccountNumber>; 2] {
    let Decision::Done(outcome) = &entry.decision else { return [None, None] };
    let member = entry.concerns.member.map(AccountNumber::Member);
    let store = entry.concerns.store.map(AccountNumber::Store);
    match (&*entry.request.effective(), outcome) {
        (Request::Pay(_), _) => [store, None],
        (Request::Refund(_) | Request::Lapse { .. }, _) | (_, Outcome::CardIssued { .. }) => [member, None],
        (
            Request::ChangeKey(_)
            | Request::CancelKeyChange(_)
            | Request::KeyInForce { .. }
            | Request::Revoke { .. }
            | Request::CenterRefund { .. },
            _,
        ) => [member, store],
        (
            _,
            Outcome::PayoutIntended { purpose: Purpose::Claim(_), .. }
            | Outcome::PayoutSettled { purpose: Purpose::Claim(_), .. },
        ) => [store, None],
        _ => [None, None],
    }
}
