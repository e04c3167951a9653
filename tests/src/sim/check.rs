//! What must hold after every step, told by a second bookkeeping that knows nothing of the ledger's postings: it adds
//! up what the journal's entries say, and remembers everything that anybody was ever told.

use std::collections::BTreeMap;

use ledger::{Account, Decision, Outcome, Request, State};
use tui_center::{
    books::{
        Reader, Record, Shelf,
        keyring::Keyring,
        parts,
        verify::{self, Against, Trust, Watch},
    },
    settlement::Desk,
};
use wire::{
    checkpoint::SignedCheckpoint,
    id::{CardNumber, Digest, EntryNumber, OrderHash, StoreNumber, TelegramId},
    merkle,
    message::Verdict,
    receipt::Leaf,
    telegram::Telegram,
};

/// Everything that was said, and what the journal says.
#[derive(Default)]
pub struct Checker {
    /// Every checkpoint that was ever seen: its size and its root.
    signed: BTreeMap<u64, Digest>,
    /// What terminals keep as the end of their telegrams.
    ended: BTreeMap<TelegramId, End>,
    journal: Journal,
    /// The size up to which [`Journal`] has been told.
    seen: u64,
}

/// How a telegram ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done(EntryNumber, Digest),
    Refused(EntryNumber, Digest),
    Void(EntryNumber, Digest),
    Expired,
}

/// What the journal's entries say, added up.
#[derive(Default)]
struct Journal {
    telegrams: BTreeMap<TelegramId, EntryNumber>,
    entries: Vec<(Digest, Answered)>,
    orders: BTreeMap<(StoreNumber, OrderHash), EntryNumber>,
    paid: BTreeMap<EntryNumber, Payment>,
    cards: BTreeMap<CardNumber, i128>,
    stores: BTreeMap<StoreNumber, i128>,
    came_in: i128,
    in_transit: i128,
    went_out: i128,
}

#[derive(Debug, Clone, Copy)]
struct Payment {
    card: CardNumber,
    store: StoreNumber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    Nothing,
    Done,
    Refused,
    Void,
}

impl Checker {
    /// Holds what is durable against the second bookkeeping.
    ///
    /// # Errors
    /// The first thing that does not hold, in words.
    pub fn look(&mut self, desk: &Desk) -> Result<(), String> {
        let reader = desk.reader();
        let size = reader.size();
        if size < self.seen {
            return Err(format!("the journal shrank from {} to {size} entries", self.seen));
        }
        self.checkpoint(&reader.checkpoint())?;
        if size == self.seen {
            return Ok(());
        }
        let count = usize::try_from(size - self.seen).map_err(|error| error.to_string())?;
        let records = reader.range(EntryNumber(self.seen), count);
        // What can't be read now is looked at the next time: reads fail too.
        let Ok(records) = records else { return Ok(()) };
        for record in &records {
            self.journal.enter(record)?;
        }
        self.seen = size;
        self.journal.agrees(&desk.state())?;
        desk.state().audit().map_err(|imbalance| format!("the books do not balance: {imbalance}"))?;
        self.kept_word()
    }

    /// Holds books that were opened again against all that was said before; the second bookkeeping begins anew.
    ///
    /// # Errors
    /// As [`Checker::look`].
    pub fn look_anew(&mut self, desk: &Desk) -> Result<(), String> {
        self.journal = Journal::default();
        self.seen = 0;
        self.contradiction(desk.reader()).map_or(Ok(()), Err)?;
        self.look(desk)
    }

    /// Has the books verified as `tui-center books verify` and an auditor do it, down to every signature, and holds what
    /// that gives against the desk's own memory.
    ///
    /// # Errors
    /// The first check that does not hold.
    pub fn verify(&self, desk: &Desk, shelf: Shelf, ring: &Keyring) -> Result<(), String> {
        let against = Against { trust: Trust::Ring(ring), own: None };
        let report = verify::verify(shelf, &against, &Watch::default());
        for check in &report.checks {
            check.outcome.as_ref().map_err(|words| format!("books verify: {}: {words}", check.name))?;
        }
        if report.entries != desk.reader().size() || report.state.digest() != desk.state().digest() {
            return Err("books verify replays the journal to another state than the desk has".into());
        }
        Ok(())
    }

    /// The first checkpoint that was seen and that this journal does not have.
    pub fn contradiction(&self, reader: &Reader) -> Option<String> {
        let mut before = None;
        for (size, root) in &self.signed {
            if reader.root_at(*size) != Some(*root) {
                return Some(format!(
                    "a checkpoint over {size} entries was signed, and the journal of {} entries lacks it",
                    reader.size()
                ));
            }
            // As a terminal proves it.
            if let Some((old, old_root)) = before {
                let proof = reader.consistency(old, *size).unwrap_or_default();
                if let Err(error) = merkle::verify_consistency(old, *size, &proof, &old_root, root) {
                    return Some(format!("sizes {old} and {size} can't be proved consistent: {error}"));
                }
            }
            before = Some((*size, *root));
        }
        None
    }

    /// A checkpoint with the center's signature was seen.
    ///
    /// # Errors
    /// When another of the same size was.
    pub fn checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), String> {
        let claimed = checkpoint.claimed();
        let known = *self.signed.entry(claimed.size).or_insert(claimed.root);
        if known == claimed.root {
            return Ok(());
        }
        Err(format!("two checkpoints over {} entries have different roots", claimed.size))
    }

    /// A terminal keeps this as the end of its telegram.
    ///
    /// # Errors
    /// When it was told something else before, or the journal says something else.
    pub fn ended(&mut self, telegram: &Telegram, verdict: &Verdict) -> Result<(), String> {
        let at = |leaf: &Leaf| (leaf.entry, leaf.hash());
        let end = match verdict {
            Verdict::Done { receipt, .. } => {
                let (entry, leaf) = at(&receipt.leaf);
                End::Done(entry, leaf)
            }
            Verdict::Refused { receipt, .. } => {
                let (entry, leaf) = at(&receipt.leaf);
                End::Refused(entry, leaf)
            }
            Verdict::Void { receipt } => {
                let (entry, leaf) = at(&receipt.leaf);
                End::Void(entry, leaf)
            }
            Verdict::Expired => End::Expired,
        };
        let id = telegram.id();
        let known = *self.ended.entry(id).or_insert(end);
        if known != end {
            return Err(format!("a telegram ended as {known:?} and then as {end:?}"));
        }
        match end {
            // Not looked at yet: the disk would not let it be read.
            End::Done(entry, _) | End::Refused(entry, _) | End::Void(entry, _) if entry.0 >= self.seen => {
                Ok(())
            }
            _ => self.journal.answers(id, end),
        }
    }

    /// All that was said still stands in the journal.
    fn kept_word(&self) -> Result<(), String> {
        self.ended.iter().try_for_each(|(id, end)| self.journal.answers(*id, *end))
    }

    /// Every payment to a store.
    pub fn payments_to(&self, store: StoreNumber) -> impl Iterator<Item = EntryNumber> + '_ {
        self.journal.paid.iter().filter(move |(_, it)| it.store == store).map(|(entry, _)| *entry)
    }

    /// The leaf's hash of an entry.
    pub fn leaf(&self, entry: EntryNumber) -> Option<Digest> {
        let at = usize::try_from(entry.0).ok()?;
        self.journal.entries.get(at).map(|(leaf, _)| *leaf)
    }

    /// How many entries there are, and how many payments among them.
    pub fn figures(&self) -> (u64, u64) {
        (self.seen, self.journal.paid.len() as u64)
    }

    /// The newest root that was seen: two runs that did the same have the same.
    pub fn newest(&self) -> Option<Digest> {
        self.signed.values().next_back().copied()
    }
}

impl Journal {
    fn enter(&mut self, record: &Record) -> Result<(), String> {
        let entry = &record.entry;
        let number = entry.number;
        if number.0 != self.entries.len() as u64 {
            return Err(format!("{number} stands in the place of entry {}", self.entries.len()));
        }
        let answered = match (&entry.request, &entry.decision) {
            (Request::Void(_), Decision::Done(_)) => Answered::Void,
            (request, Decision::Done(_)) if request.signed().is_some() => Answered::Done,
            (request, Decision::Refused(_)) if request.signed().is_some() => Answered::Refused,
            _ => Answered::Nothing,
        };
        self.entries.push((parts::leaf(record).hash(), answered));
        if let Some(signed) = entry.request.signed()
            && let Some(before) = self.telegrams.insert(signed.telegram, number)
        {
            return Err(format!("one telegram was entered by {before} and by {number}"));
        }
        let Decision::Done(outcome) = &entry.decision else { return self.is_still(record) };
        match (&entry.request, outcome) {
            (Request::Pay(it), Outcome::Paid { balance }) => {
                if let Some(before) = self.orders.insert((it.store, it.order), number) {
                    return Err(format!("one order was paid by {before} and by {number}"));
                }
                let total = it.total.minor();
                let payment = Payment { card: it.card, store: it.store };
                self.paid.insert(number, payment);
                *self.stores.entry(it.store).or_default() += i128::from(total);
                let card = self.cards.entry(it.card).or_default();
                *card -= i128::from(total);
                if *card != i128::from(balance.minor()) {
                    return Err(format!(
                        "{number} says that {} holds {}, it holds {card}",
                        it.card,
                        balance.minor()
                    ));
                }
                if *card < 0 {
                    return Err(format!("{number} takes {} below zero", it.card));
                }
            }
            (Request::Refund(it), Outcome::Refunded { .. }) => {
                let payment = self.paid.get(&it.payment).copied();
                let payment = payment.ok_or(format!("{number} refunds what was not paid"))?;
                *self.cards.entry(payment.card).or_default() += i128::from(it.amount.minor());
                *self.stores.entry(payment.store).or_default() -= i128::from(it.amount.minor());
            }
            (Request::Credit(it), Outcome::CardIssued { card, .. }) => {
                *self.cards.entry(*card).or_default() += i128::from(it.amount.minor());
                self.came_in += i128::from(it.amount.minor());
            }
            (Request::PayClaim { claim }, Outcome::PayoutIntended { amount, .. }) => {
                let store = entry.concerns.store.ok_or(format!("{claim} is nobody's"))?;
                *self.stores.entry(store).or_default() -= i128::from(amount.minor());
                self.in_transit += i128::from(amount.minor());
            }
            (Request::PayoutResult { .. }, Outcome::PayoutSettled { amount, paid: true, .. }) => {
                self.in_transit -= i128::from(amount.minor());
                self.went_out += i128::from(amount.minor());
            }
            _ => return self.is_still(record),
        }
        Ok(())
    }

    /// An entry of no other kind moves money here.
    fn is_still(&self, record: &Record) -> Result<(), String> {
        if record.entry.postings.is_empty() {
            return Ok(());
        }
        Err(format!("{} moves money, and nothing in it says why", record.entry.number))
    }

    fn agrees(&self, state: &State) -> Result<(), String> {
        let mut owed = 0;
        for (card, balance) in &self.cards {
            let held = state.card(*card).map(|card| i128::from(card.balance.minor()));
            if held != Some(*balance) || *balance < 0 {
                return Err(format!("{card} should hold {balance}, and holds {held:?}"));
            }
            owed += balance;
        }
        for (store, payable) in &self.stores {
            let held = i128::from(state.payable(*store).minor());
            if held != *payable || *payable < 0 {
                return Err(format!("{store} should be owed {payable}, and is owed {held}"));
            }
            owed += payable;
        }
        let bank = state.balance(Account::Bank);
        let all = owed + self.in_transit + self.went_out;
        if all != self.came_in || bank.abs() != self.came_in - self.went_out {
            return Err(format!(
                "{} came in, {owed} are owed, {} on their way, {} paid out, {bank} at the bank",
                self.came_in, self.in_transit, self.went_out
            ));
        }
        Ok(())
    }

    /// Whether the journal answers a telegram so.
    fn answers(&self, id: TelegramId, end: End) -> Result<(), String> {
        let entered = self.telegrams.get(&id).copied();
        let (entry, leaf, as_what) = match end {
            End::Expired => {
                return match entered {
                    None => Ok(()),
                    Some(entry) => Err(format!("what was called expired was entered by {entry}")),
                };
            }
            End::Done(entry, leaf) => (entry, leaf, Answered::Done),
            End::Refused(entry, leaf) => (entry, leaf, Answered::Refused),
            End::Void(entry, leaf) => (entry, leaf, Answered::Void),
        };
        let stands = usize::try_from(entry.0).ok().and_then(|at| self.entries.get(at)).copied();
        let same = match stands {
            Some((held, answered)) => {
                // A telegram that came after its void is refused with the void's entry.
                held == leaf
                    && (answered == as_what || (answered, as_what) == (Answered::Void, Answered::Refused))
            }
            None => false,
        };
        if same && entered == Some(entry) {
            return Ok(());
        }
        Err(format!("a terminal was told {end:?}, and the journal has {stands:?}, entered by {entered:?}"))
    }
}
