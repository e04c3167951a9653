//! What each account has not acknowledged yet.
//!
//! A mailbox holds numbers of entries; the entries themselves are read from the books when they are said. It is
//! rebuilt at opening from the journal and the cursors in the cabinet. A cursor may lag behind: then mail comes
//! twice, and the entry number tells the terminal so.
//!
//! Pushing has no queue of its own: a [`Listener`] walks along the mailbox and is only woken, so a session that is
//! slow loses nothing and holds nobody up.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ledger::{Decision, Entry, Outcome, Request, entry::Purpose};
use tokio::sync::watch;
use wire::id::{AccountNumber, EntryNumber};

use crate::books::{BooksError, cabinet::Cabinet, snapshot::Mail};

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
    /// Whose cursor is not kept yet as it stands now.
    unkept: BTreeSet<AccountNumber>,
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
        self.deliver_all([entry]);
    }

    /// As [`Mailboxes::deliver`] for entries that became durable together; whoever listens is woken once.
    pub fn deliver_all<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) {
        let boxes = &mut *self.boxes();
        let mut rung = Vec::new();
        for entry in entries {
            for account in addressees(entry).into_iter().flatten() {
                if boxes.acknowledged.get(&account).is_some_and(|upto| *upto >= entry.number) {
                    continue;
                }
                boxes.waiting.entry(account).or_default().push_back(entry.number);
                rung.push((account, entry.number));
            }
        }
        // The newest of each account stands last.
        rung.sort_unstable();
        for (at, (account, number)) in rung.iter().enumerate() {
            if rung.get(at + 1).is_none_or(|(next, _)| next != account)
                && let Some(bell) = boxes.bells.get(account)
            {
                bell.send_replace(*number);
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

    /// How many pieces of mail wait for an account, and the newest of them.
    pub fn held(&self, account: AccountNumber) -> (u64, Option<EntryNumber>) {
        let boxes = self.boxes();
        let waiting = boxes.waiting.get(&account);
        waiting.map_or((0, None), |waiting| (waiting.len() as u64, waiting.back().copied()))
    }

    /// How many pieces of mail wait for an account.
    pub fn count(&self, account: AccountNumber) -> u64 {
        self.boxes().waiting.get(&account).map_or(0, |waiting| waiting.len() as u64)
    }

    /// An account has kept all its mail up to an entry. Beyond its newest mail this reaches nothing, so that nobody
    /// can acknowledge what is still to come.
    ///
    /// The cursor is kept with others by [`Mailboxes::keep_cursors`], not at once: until then a restart repeats mail.
    pub fn acknowledge(&self, account: AccountNumber, upto: EntryNumber) {
        let mut boxes = self.boxes();
        let Some(waiting) = boxes.waiting.get_mut(&account) else { return };
        let count = waiting.partition_point(|entry| *entry <= upto);
        let Some(last) = waiting.drain(..count).next_back() else { return };
        if waiting.is_empty() {
            boxes.waiting.remove(&account);
        }
        boxes.acknowledged.insert(account, last);
        boxes.unkept.insert(account);
    }

    /// Writes the cursors that have moved since this was called last. Blocks on the disk. A cursor that can't be written
    /// is told and tried again the next time; one that lags does no harm.
    pub fn keep_cursors(&self) {
        let moved: Vec<(AccountNumber, EntryNumber)> = {
            let boxes = &mut *self.boxes();
            let unkept = std::mem::take(&mut boxes.unkept);
            unkept.iter().filter_map(|account| Some((*account, *boxes.acknowledged.get(account)?))).collect()
        };
        for (account, upto) in moved {
            tui_kit::failpoint::at("mailbox.cursor");
            if let Err(error) = self.0.cursors.keep(account, upto) {
                tracing::warn!("the mail cursor of {account} was not kept: {error}");
                self.boxes().unkept.insert(account);
            }
        }
    }

    /// What waits in all mailboxes of entries up to one, and what was acknowledged: for a snapshot. Mail that is acknowledged
    /// while this looks from one mailbox to the next is left out; it need not come again.
    pub fn waiting(&self, upto: EntryNumber) -> Mail {
        let mut accounts: Vec<AccountNumber> = self.boxes().waiting.keys().copied().collect();
        accounts.sort_unstable();
        let waits = |account: AccountNumber| {
            let boxes = self.boxes();
            let waiting = boxes.waiting.get(&account)?;
            let count = waiting.partition_point(|entry| *entry <= upto);
            Some((account, waiting.iter().take(count).copied().collect()))
        };
        let waiting = accounts.into_iter().filter_map(waits).collect();
        let boxes = self.boxes();
        let acknowledged = boxes.acknowledged.iter().map(|(account, entry)| (*account, *entry));
        Mail { waiting, acknowledged: acknowledged.collect() }
    }

    /// Begins with what a snapshot holds, in the place of all that was delivered. Of the two cursors that an account has
    /// then, the further one counts.
    pub fn restore(&self, mail: Mail) {
        let boxes = &mut *self.boxes();
        for (account, entry) in mail.acknowledged {
            let cursor = boxes.acknowledged.entry(account).or_insert(entry);
            *cursor = entry.max(*cursor);
        }
        boxes.waiting.clear();
        for (account, entries) in mail.waiting {
            let after = boxes.acknowledged.get(&account).copied();
            let waiting: VecDeque<_> =
                entries.into_iter().filter(|entry| after.is_none_or(|after| *entry > after)).collect();
            if !waiting.is_empty() {
                boxes.waiting.insert(account, waiting);
            }
        }
    }

    /// Listens for an account's mail after an entry.
    pub fn listen(&self, account: AccountNumber, after: Option<EntryNumber>) -> Listener {
        let mut boxes = self.boxes();
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
            if let Some(entry) = self.next_few(1).await.first() {
                return *entry;
            }
        }
    }

    /// The next unacknowledged entries, at least one and at most `count`, oldest first; waits until there is one. May be
    /// dropped and called again at any time.
    pub async fn next_few(&mut self, count: usize) -> Vec<EntryNumber> {
        loop {
            self.bell.mark_unchanged();
            let (page, _) = self.mailboxes.page(self.account, self.after, count);
            if let Some(last) = page.last() {
                self.after = Some(*last);
                return page;
            }
            if self.bell.changed().await.is_err() {
                // The mailboxes keep the bell as long as this listener lives.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut boxes = self.mailboxes.boxes();
        if boxes.bells.get(&self.account).is_some_and(|bell| bell.receiver_count() <= 1) {
            boxes.bells.remove(&self.account);
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
