//! The books in memory: all that a decision looks at, and nothing that the journal could not rebuild.
//!
//! | part | holds |
//! |---|---|
//! | [`State`] | the books, and questions to them |
//! | `people` | who they hold: account holders, cashiers, admissions, operators, proposals; and questions to them |
//! | `things` | what they hold of money: cards, payments, claims, payouts, bank receipts |
//! | `apply` | the only way anything changes |
//! | `audit` | what must always hold |
//! | `form` | the one form that a state has on a disk, and its digest |
//! | `holders`, `payments` | account holders, balances and payments, as they lie in memory |
//! | `rows`, `table` | what they lie in |
//!
//! Ids of telegrams are kept until their `valid_until`, paid orders until their offers expire; what comes later is
//! refused for its time alone. Payments themselves stay.
//!
//! A copy of a state shares with its original all that neither has changed since: it is made within milliseconds
//! whatever the books hold, and can be looked at, audited or written to a disk while the original goes on.

mod apply;
mod audit;
mod form;
mod holders;
mod payments;
mod people;
mod rows;
mod table;
mod things;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use wire::{
    admission::Way,
    amount::Amount,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash,
        StoreNumber, TelegramId,
    },
    key::VerificationKey,
    time::Timestamp,
};

pub use self::{
    audit::Imbalance,
    form::{Loading, Section, digest_of},
    people::{
        AdmissionState, Admitted, Cashier, Decided, DocumentVersion, Holder, Operator, Proposal, WaitingKey,
    },
    things::{
        BankReceipt, Card, Claim, ClaimState, Payment, PaymentState, Payout, PayoutState, ReceiptState,
        RequestState, RequestedCard, Totals,
    },
};
use self::{
    holders::{Balances, Holders, row},
    payments::Payments,
    rows::{Rows, Series},
    table::Map,
};
use crate::{
    account::Account,
    request::{Credit, DeskLimits, Document, Request, Settings, TransferResult},
};

/// The length of the window in which refusals are counted, in milliseconds.
const MINUTE_MS: u64 = 60_000;

/// The books in memory.
#[derive(Clone)]
pub struct State {
    next: EntryNumber,
    at: Timestamp,
    settings: Option<Settings>,
    sheet: Option<(u64, Digest)>,
    operators: BTreeMap<String, Operator>,
    documents: BTreeMap<Document, DocumentVersion>,
    limits: DeskLimits,
    /// What another operator is to confirm; kept until it is done, dropped or too old.
    proposals: BTreeMap<EntryNumber, Proposal>,
    applications: Map<ApplicationNumber, Decided>,
    admissions: Series<Admitted>,
    /// The last numbers that were reserved.
    reserved: (MemberNumber, StoreNumber),
    /// Mail and letters of which nothing is known yet.
    posts: BTreeMap<EntryNumber, Vec<Way>>,
    holders: Holders,
    /// Every key that was ever registered, in whatever role.
    keys: Map<VerificationKey, AccountNumber>,
    /// Recovery keys that wait, by the time from which they are in force.
    ripening: BTreeSet<(Timestamp, AccountNumber)>,
    cards: Rows<Card>,
    requests: Series<RequestedCard>,
    /// Card requests that wait for money, by the time at which they lapse.
    waiting: BTreeSet<(Timestamp, EntryNumber)>,
    payments: Payments,
    claims: Series<Arc<Claim>>,
    /// Accepted claims without a payout.
    claims_due: BTreeSet<EntryNumber>,
    payouts: Series<Payout>,
    receipts: Series<Arc<BankReceipt>>,
    /// The hashes of bank references under which money was booked.
    bank_references: Map<Digest, EntryNumber>,
    /// The hashes of bank notices as they were told, booked or refused.
    bank_notices: Map<Digest, EntryNumber>,
    telegrams: Map<TelegramId, Seen>,
    /// Refusals of the running minute.
    refusals: (u64, BTreeMap<AccountNumber, u32>),
    balances: Balances,
    sums: Sums,
    totals: Totals,
}

/// A telegram that was entered.
#[derive(Clone, Copy)]
struct Seen {
    entry: EntryNumber,
    until: Timestamp,
}

/// Sums of what stands in the books, kept beside the balances of the accounts that must equal them.
#[derive(Clone, Default)]
struct Sums {
    /// Of each store's payments, those for which it is owed.
    owed: Rows<i128>,
    /// Of the transfers of which the bank has said nothing.
    in_transit: i128,
    /// Of the bank receipts that wait.
    unmatched: i128,
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// Books without a single entry.
    pub fn new() -> Self {
        Self {
            next: EntryNumber(0),
            at: Timestamp(0),
            settings: None,
            sheet: None,
            operators: BTreeMap::new(),
            documents: BTreeMap::new(),
            limits: DeskLimits::default(),
            proposals: BTreeMap::new(),
            applications: Map::default(),
            admissions: Series::default(),
            reserved: (MemberNumber(0), StoreNumber(0)),
            posts: BTreeMap::new(),
            holders: Holders::default(),
            keys: Map::default(),
            ripening: BTreeSet::new(),
            cards: Rows::default(),
            requests: Series::default(),
            waiting: BTreeSet::new(),
            payments: Payments::default(),
            claims: Series::default(),
            claims_due: BTreeSet::new(),
            payouts: Series::default(),
            receipts: Series::default(),
            bank_references: Map::default(),
            bank_notices: Map::default(),
            telegrams: Map::default(),
            refusals: (0, BTreeMap::new()),
            balances: Balances::default(),
            sums: Sums::default(),
            totals: Totals::default(),
        }
    }

    /// The number that the next entry gets; also how many entries there are.
    pub fn next(&self) -> EntryNumber {
        self.next
    }

    /// The last entry's time.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What was fixed at the founding; `None` before it.
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// Number and digest of the key sheet in force.
    pub fn sheet(&self) -> Option<(u64, Digest)> {
        self.sheet
    }

    /// The entry that answered a telegram; `None` for one that was never entered, or whose `valid_until` is past.
    pub fn seen(&self, telegram: TelegramId) -> Option<EntryNumber> {
        self.telegrams.get(&telegram).filter(|seen| seen.until >= self.at).map(|seen| seen.entry)
    }

    /// The entry that answered this notice of this bank movement: told again, it is skipped. The same movement
    /// in *another* notice is not skipped but refused, so that an operator sees it.
    pub fn credit_entered(&self, credit: &Credit) -> Option<EntryNumber> {
        self.bank_notices.get(&notice(credit)).copied()
    }

    /// The entry that already answered a request which may be told more than once: a telegram, a notice of a bank
    /// movement, a bank's word on a transfer.
    pub fn answered(&self, request: &Request) -> Option<EntryNumber> {
        if let Some(signed) = request.signed() {
            return self.seen(signed.telegram);
        }
        match request {
            Request::Credit(credit) => self.credit_entered(credit),
            Request::PayoutResult { payout, result } => match (self.payouts.get(*payout)?.state, result) {
                (PayoutState::Paid { by }, TransferResult::Paid { .. }) => Some(by),
                (PayoutState::Failed { by }, TransferResult::Failed { .. }) => Some(by),
                _ => None,
            },
            _ => None,
        }
    }

    /// Stores after a number, ascending.
    pub fn stores_after(&self, after: Option<StoreNumber>) -> impl Iterator<Item = (StoreNumber, &Holder)> {
        self.holders.stores_after(after.map_or(0, |after| after.0))
    }

    /// A card.
    pub fn card(&self, card: CardNumber) -> Option<&Card> {
        self.cards.get(row(card.0)?)
    }

    /// A member's cards, ascending.
    pub fn cards_of(&self, member: MemberNumber) -> impl Iterator<Item = (CardNumber, &Card)> {
        let held = self.holder(AccountNumber::Member(member)).map_or(&[][..], |holder| &holder.cards);
        held.iter().filter_map(|number| Some((*number, self.card(*number)?)))
    }

    /// A card request.
    pub fn requested(&self, request: EntryNumber) -> Option<&RequestedCard> {
        self.requests.get(request)
    }

    /// A member's card requests that wait for money, ascending.
    pub fn waiting_of(&self, member: MemberNumber) -> impl Iterator<Item = (EntryNumber, &RequestedCard)> {
        let holder = self.holder(AccountNumber::Member(member));
        holder
            .into_iter()
            .flat_map(|holder| &holder.waiting)
            .filter_map(|number| Some((*number, self.requests.get(*number)?)))
    }

    /// All card requests that wait for money, the soonest to lapse first.
    pub fn waiting(&self) -> impl Iterator<Item = (EntryNumber, &RequestedCard)> {
        self.waiting.iter().filter_map(|(_, number)| Some((*number, self.requests.get(*number)?)))
    }

    /// Card requests whose time is over at `now`, the oldest first.
    pub fn lapsing(&self, now: Timestamp) -> impl Iterator<Item = EntryNumber> {
        self.waiting.iter().take_while(move |(expires, _)| *expires < now).map(|(_, number)| *number)
    }

    /// A settled payment.
    pub fn payment(&self, payment: EntryNumber) -> Option<Payment> {
        let paid = self.payments.get(payment)?;
        Some(Payment {
            member: self.card(paid.card)?.holder,
            card: paid.card,
            store: paid.store,
            offer: paid.offer,
            order: paid.order,
            total: paid.total,
            at: paid.at,
            state: paid.state.state(),
        })
    }

    /// The payment that settled an order, while its offer could still be paid.
    pub fn paid_by(&self, store: StoreNumber, order: OrderHash) -> Option<EntryNumber> {
        self.payments.by_order(store, order, self.at)
    }

    /// An accepted claim.
    pub fn claim(&self, claim: EntryNumber) -> Option<&Claim> {
        self.claims.get(claim).map(|claim| &**claim)
    }

    /// Accepted claims whose transfer is to be intended at `now`: those of stores from which money may leave.
    pub fn claims_due(&self, now: Timestamp) -> impl Iterator<Item = EntryNumber> {
        let free = move |claim: &EntryNumber| {
            let holder = self.claim(*claim).and_then(|it| self.holder(AccountNumber::Store(it.store)));
            holder.is_some_and(|store| !store.frozen && store.held(now).is_none())
        };
        self.claims_due.iter().copied().filter(free)
    }

    /// An intended transfer, by its entry.
    pub fn payout(&self, payout: EntryNumber) -> Option<&Payout> {
        self.payouts.get(payout)
    }

    /// All intended transfers, ascending.
    pub fn payouts(&self) -> impl Iterator<Item = (EntryNumber, &Payout)> {
        self.payouts.iter()
    }

    /// An unmatched bank receipt.
    pub fn receipt(&self, receipt: EntryNumber) -> Option<&BankReceipt> {
        self.receipts.get(receipt).map(|receipt| &**receipt)
    }

    /// All bank receipts that fitted no card request, ascending.
    pub fn receipts(&self) -> impl Iterator<Item = (EntryNumber, &BankReceipt)> {
        self.receipts.iter().map(|(number, receipt)| (number, &**receipt))
    }

    /// Debits less credits of an account. What the center owes is below zero here.
    pub fn balance(&self, account: Account) -> i128 {
        self.balances.get(account)
    }

    /// What the center owes a store for open and claimed payments.
    pub fn payable(&self, store: StoreNumber) -> Amount {
        let owed = -self.balance(Account::Payable(store));
        u64::try_from(owed).ok().and_then(Amount::new).unwrap_or(if owed > 0 {
            Amount::MAX
        } else {
            Amount::ZERO
        })
    }

    /// Every account that was ever posted to, with its debits less its credits.
    pub fn balances(&self) -> impl Iterator<Item = (Account, i128)> {
        self.balances.iter()
    }

    /// Counts and sums since the founding.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many of an account's telegrams were refused in the minute of `at`.
    pub(crate) fn refusals_of(&self, account: AccountNumber, at: Timestamp) -> u32 {
        let (minute, counts) = &self.refusals;
        if *minute == at.0 / MINUTE_MS { counts.get(&account).copied().unwrap_or(0) } else { 0 }
    }

    /// The entry that booked a bank reference.
    pub(crate) fn booked(&self, bank_reference: &str) -> Option<EntryNumber> {
        self.bank_references.get(&reference(bank_reference)).copied()
    }

    /// The number that the next card gets.
    pub(crate) fn next_card(&self) -> CardNumber {
        CardNumber(self.cards.len() as u64).next()
    }
}

/// Says how many entries it holds, not which.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} entries)", self.next.0)
    }
}

/// What stands for a bank's reference.
fn reference(bank_reference: &str) -> Digest {
    Digest::of(&[b"inkan/v1/bank-reference", bank_reference.as_bytes()])
}

/// What stands for a notice of a bank movement: its digest has one length, so that no two read alike.
fn notice(credit: &Credit) -> Digest {
    Digest::of(&[b"inkan/v1/bank-notice", &credit.notice.0, credit.bank_reference.as_bytes()])
}
