//! The books in memory: all that a decision looks at, and nothing that the journal could not rebuild.
//!
//! | part | holds |
//! |---|---|
//! | [`State`] | the books, and questions to them |
//! | `people` | who they hold: account holders, cashiers, admissions, operators, proposals; and questions to them |
//! | `things` | what they hold of money: cards, payments, claims, payouts, bank receipts |
//! | `apply` | the only way anything changes |
//! | `audit` | what must always hold |
//!
//! Ids of telegrams are kept until their `valid_until`, paid orders until their offers expire; what comes later is
//! refused for its time alone. Payments themselves stay.
//!
//! Everything lies in ordered maps, so that a state has one encoding and one [`State::digest`].

mod apply;
mod audit;
mod people;
mod things;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use serde::{Deserialize, Serialize};
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
    people::{
        AdmissionState, Admitted, Cashier, Decided, DocumentVersion, Holder, Operator, Proposal, WaitingKey,
    },
    things::{
        BankReceipt, Card, Claim, ClaimState, Payment, PaymentState, Payout, PayoutState, ReceiptState,
        RequestState, RequestedCard, Totals,
    },
};
use crate::{
    account::Account,
    request::{Credit, DeskLimits, Document, Request, Settings, TransferResult},
};

/// The length of the window in which refusals are counted, in milliseconds.
const MINUTE_MS: u64 = 60_000;

/// The books in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    applications: BTreeMap<ApplicationNumber, Decided>,
    admissions: BTreeMap<EntryNumber, Admitted>,
    /// The last numbers that were reserved.
    reserved: (MemberNumber, StoreNumber),
    /// Mail and letters of which nothing is known yet.
    posts: BTreeMap<EntryNumber, Vec<Way>>,
    holders: BTreeMap<AccountNumber, Holder>,
    /// Every key that was ever registered, in whatever role.
    keys: BTreeMap<VerificationKey, AccountNumber>,
    /// Recovery keys that wait, by the time from which they are in force.
    ripening: BTreeSet<(Timestamp, AccountNumber)>,
    cards: BTreeMap<CardNumber, Card>,
    requests: BTreeMap<EntryNumber, RequestedCard>,
    /// Card requests that wait for money, by the time at which they lapse.
    waiting: BTreeSet<(Timestamp, EntryNumber)>,
    payments: BTreeMap<EntryNumber, Payment>,
    orders: BTreeMap<(StoreNumber, OrderHash), EntryNumber>,
    orders_until: BTreeSet<(Timestamp, StoreNumber, OrderHash)>,
    claims: BTreeMap<EntryNumber, Claim>,
    /// Accepted claims without a payout.
    claims_due: BTreeSet<EntryNumber>,
    payouts: BTreeMap<EntryNumber, Payout>,
    receipts: BTreeMap<EntryNumber, BankReceipt>,
    /// Bank references under which money was booked.
    bank_references: BTreeMap<String, EntryNumber>,
    /// Bank notices as they were told, booked or refused.
    bank_notices: BTreeMap<(String, Digest), EntryNumber>,
    telegrams: BTreeMap<TelegramId, EntryNumber>,
    telegrams_until: BTreeSet<(Timestamp, TelegramId)>,
    /// Refusals of the running minute.
    refusals: (u64, BTreeMap<AccountNumber, u32>),
    /// Debits less credits of every account that was ever posted to.
    balances: BTreeMap<Account, i128>,
    totals: Totals,
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
            applications: BTreeMap::new(),
            admissions: BTreeMap::new(),
            reserved: (MemberNumber(0), StoreNumber(0)),
            posts: BTreeMap::new(),
            holders: BTreeMap::new(),
            keys: BTreeMap::new(),
            ripening: BTreeSet::new(),
            cards: BTreeMap::new(),
            requests: BTreeMap::new(),
            waiting: BTreeSet::new(),
            payments: BTreeMap::new(),
            orders: BTreeMap::new(),
            orders_until: BTreeSet::new(),
            claims: BTreeMap::new(),
            claims_due: BTreeSet::new(),
            payouts: BTreeMap::new(),
            receipts: BTreeMap::new(),
            bank_references: BTreeMap::new(),
            bank_notices: BTreeMap::new(),
            telegrams: BTreeMap::new(),
            telegrams_until: BTreeSet::new(),
            refusals: (0, BTreeMap::new()),
            balances: BTreeMap::new(),
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
        self.telegrams.get(&telegram).copied()
    }

    /// The entry that answered this notice of this bank movement: told again, it is skipped. The same movement
    /// in *another* notice is not skipped but refused, so that an operator sees it.
    pub fn credit_entered(&self, credit: &Credit) -> Option<EntryNumber> {
        self.bank_notices.get(&(credit.bank_reference.clone(), credit.notice)).copied()
    }

    /// The entry that already answered a request which may be told more than once: a telegram, a notice of a bank
    /// movement, a bank's word on a transfer.
    pub fn answered(&self, request: &Request) -> Option<EntryNumber> {
        if let Some(signed) = request.signed() {
            return self.seen(signed.telegram);
        }
        match request {
            Request::Credit(credit) => self.credit_entered(credit),
            Request::PayoutResult { payout, result } => match (self.payouts.get(payout)?.state, result) {
                (PayoutState::Paid { by }, TransferResult::Paid { .. }) => Some(by),
                (PayoutState::Failed { by }, TransferResult::Failed { .. }) => Some(by),
                _ => None,
            },
            _ => None,
        }
    }

    /// Stores after a number, ascending.
    pub fn stores_after(&self, after: Option<StoreNumber>) -> impl Iterator<Item = (StoreNumber, &Holder)> {
        let from = match after {
            Some(store) => Bound::Excluded(AccountNumber::Store(store)),
            None => Bound::Included(AccountNumber::Store(StoreNumber(0))),
        };
        self.holders.range((from, Bound::Unbounded)).filter_map(|(account, holder)| match account {
            AccountNumber::Store(store) => Some((*store, holder)),
            AccountNumber::Member(_) => None,
        })
    }

    /// A card.
    pub fn card(&self, card: CardNumber) -> Option<&Card> {
        self.cards.get(&card)
    }

    /// A member's cards, ascending.
    pub fn cards_of(&self, member: MemberNumber) -> impl Iterator<Item = (CardNumber, &Card)> {
        let held = self.holder(AccountNumber::Member(member)).map_or(&[][..], |holder| &holder.cards);
        held.iter().filter_map(|number| Some((*number, self.cards.get(number)?)))
    }

    /// A card request.
    pub fn requested(&self, request: EntryNumber) -> Option<&RequestedCard> {
        self.requests.get(&request)
    }

    /// A member's card requests that wait for money, ascending.
    pub fn waiting_of(&self, member: MemberNumber) -> impl Iterator<Item = (EntryNumber, &RequestedCard)> {
        let holder = self.holder(AccountNumber::Member(member));
        holder
            .into_iter()
            .flat_map(|holder| &holder.waiting)
            .filter_map(|number| Some((*number, self.requests.get(number)?)))
    }

    /// All card requests that wait for money, the soonest to lapse first.
    pub fn waiting(&self) -> impl Iterator<Item = (EntryNumber, &RequestedCard)> {
        self.waiting.iter().filter_map(|(_, number)| Some((*number, self.requests.get(number)?)))
    }

    /// Card requests whose time is over at `now`, the oldest first.
    pub fn lapsing(&self, now: Timestamp) -> impl Iterator<Item = EntryNumber> {
        self.waiting.iter().take_while(move |(expires, _)| *expires < now).map(|(_, number)| *number)
    }

    /// A settled payment.
    pub fn payment(&self, payment: EntryNumber) -> Option<&Payment> {
        self.payments.get(&payment)
    }

    /// The payment that settled an order, while its offer could still be paid.
    pub fn paid_by(&self, store: StoreNumber, order: OrderHash) -> Option<EntryNumber> {
        self.orders.get(&(store, order)).copied()
    }

    /// An accepted claim.
    pub fn claim(&self, claim: EntryNumber) -> Option<&Claim> {
        self.claims.get(&claim)
    }

    /// Accepted claims whose transfer is to be intended at `now`: those of stores from which money may leave.
    pub fn claims_due(&self, now: Timestamp) -> impl Iterator<Item = EntryNumber> {
        let free = move |claim: &EntryNumber| {
            let holder = self.claims.get(claim).and_then(|it| self.holder(AccountNumber::Store(it.store)));
            holder.is_some_and(|store| !store.frozen && store.held(now).is_none())
        };
        self.claims_due.iter().copied().filter(free)
    }

    /// An intended transfer, by its entry.
    pub fn payout(&self, payout: EntryNumber) -> Option<&Payout> {
        self.payouts.get(&payout)
    }

    /// All intended transfers, ascending.
    pub fn payouts(&self) -> impl Iterator<Item = (EntryNumber, &Payout)> {
        self.payouts.iter().map(|(number, payout)| (*number, payout))
    }

    /// An unmatched bank receipt.
    pub fn receipt(&self, receipt: EntryNumber) -> Option<&BankReceipt> {
        self.receipts.get(&receipt)
    }

    /// All bank receipts that fitted no card request, ascending.
    pub fn receipts(&self) -> impl Iterator<Item = (EntryNumber, &BankReceipt)> {
        self.receipts.iter().map(|(number, receipt)| (*number, receipt))
    }

    /// Debits less credits of an account. What the center owes is below zero here.
    pub fn balance(&self, account: Account) -> i128 {
        self.balances.get(&account).copied().unwrap_or(0)
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
        self.balances.iter().map(|(account, balance)| (*account, *balance))
    }

    /// Counts and sums since the founding.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// `SHA-256("inkan/v1/state" ‖ encoding)`: two replays of one journal give the same. It encodes everything, so
    /// it costs time and memory in proportion to the books.
    pub fn digest(&self) -> Digest {
        Digest::of(&[b"inkan/v1/state", &wire::codec::encode(self)])
    }

    /// How many of an account's telegrams were refused in the minute of `at`.
    pub(crate) fn refusals_of(&self, account: AccountNumber, at: Timestamp) -> u32 {
        let (minute, counts) = &self.refusals;
        if *minute == at.0 / MINUTE_MS { counts.get(&account).copied().unwrap_or(0) } else { 0 }
    }

    /// The entry that booked a bank reference.
    pub(crate) fn booked(&self, bank_reference: &str) -> Option<EntryNumber> {
        self.bank_references.get(bank_reference).copied()
    }

    /// The number that the next card gets.
    pub(crate) fn next_card(&self) -> CardNumber {
        self.cards.last_key_value().map_or(CardNumber(1), |(card, _)| card.next())
    }
}
