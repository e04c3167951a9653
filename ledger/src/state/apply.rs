//! The only way anything changes, live and in replay. Nothing is decided here: what stands in an entry is done.
//!
//! | part | applies |
//! |---|---|
//! | `joining` | admissions, codes, mail, registrations |
//! | `keys` | key changes, cashiers |
//! | `money` | cards, payments, claims, transfers |
//! | `staff` | key sheets, operators, documents, proposals |

mod joining;
mod keys;
mod money;
mod staff;

use wire::id::{AccountNumber, CardNumber};

use super::{
    Card, Holder, Imbalance, MINUTE_MS, ReceiptState, RequestState, Seen, State,
    holders::{Room, row},
    notice, reference,
};
use crate::{
    account::{Posting, Side},
    entry::{Decision, Entry, Outcome},
    request::{Request, Standing, TransferResult},
};

/// With each so many-th entry a page of what is kept for a time is swept. A page holds fewer than twice as many, so more is
/// dropped than can come in.
const SWEEP_EVERY: u64 = 16;

type Applied = Result<(), Imbalance>;

impl State {
    /// Enters what was decided.
    ///
    /// The checks that cost nothing are made on every entry: number and time follow, the postings sum to zero, what
    /// it moves exists and stands as it must, and the accounts it posts to agree with what the books hold beside them.
    ///
    /// # Errors
    /// When one of them fails. The entry may be entered in part then: such a state is not to be used any more.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Imbalance> {
        self.admits(entry)?;
        self.book(&entry.postings);
        self.advance(entry);
        match &entry.decision {
            Decision::Done(outcome) => self.done(entry, outcome)?,
            Decision::Refused(_) => self.refused(entry),
        }
        self.told(entry);
        self.link(entry)?;
        self.agrees(entry)
    }

    fn book(&mut self, postings: &[Posting]) {
        let stores = usize::try_from(self.reserved.1.0).unwrap_or(usize::MAX);
        let room = Room { cards: self.cards.len() + 1, stores };
        for posting in postings {
            let amount = i128::from(posting.amount.minor());
            let signed = match posting.side {
                Side::Debit => amount,
                Side::Credit => -amount,
            };
            // 2^64 entries of the largest amount stay far within an i128.
            self.balances.add(posting.account, signed, room);
        }
    }

    /// Moves the books' position on, and drops some of what can only come too late from now on. What is not dropped yet is
    /// not seen any more either, so that nothing depends on when it is.
    fn advance(&mut self, entry: &Entry) {
        self.next = entry.number.next();
        self.at = entry.at;
        if entry.number.0.is_multiple_of(SWEEP_EVERY) {
            self.telegrams.sweep(|seen| seen.until >= entry.at);
            self.payments.sweep(entry.at);
        }
        self.proposals.retain(|_, proposal| entry.at <= proposal.until);
        let minute = entry.at.0 / MINUTE_MS;
        if self.refusals.0 != minute {
            self.refusals.0 = minute;
            self.refusals.1.clear();
        }
    }

    fn refused(&mut self, entry: &Entry) {
        self.totals.refused += 1;
        if let Some(account) = entry.request.signed().and_then(|signed| signed.account)
            && self.holders.contains(account)
        {
            let count = self.refusals.1.entry(account).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Keeps what must be known when the same is told again.
    fn told(&mut self, entry: &Entry) {
        if let Some(signed) = entry.request.signed() {
            let seen = Seen { entry: entry.number, until: signed.valid_until };
            self.telegrams.insert(signed.telegram, seen);
        }
        if let Request::Credit(credit) = &entry.request {
            self.bank_notices.insert(notice(credit), entry.number);
            if entry.refusal().is_none() {
                self.bank_references.insert(reference(&credit.bank_reference), entry.number);
            }
        }
    }

    fn link(&mut self, entry: &Entry) -> Applied {
        let unknown = Imbalance::Contradiction(entry.number, "it concerns nobody that is registered");
        if let Some(card) = entry.concerns.card {
            self.card_mut(card).ok_or_else(|| unknown.clone())?.last = entry.number;
        }
        let member = entry.concerns.member.map(AccountNumber::Member);
        let store = entry.concerns.store.map(AccountNumber::Store);
        for account in [member, store].into_iter().flatten() {
            self.holders.get_mut(account).ok_or_else(|| unknown.clone())?.last = entry.number;
        }
        Ok(())
    }

    fn done(&mut self, entry: &Entry, outcome: &Outcome) -> Applied {
        match (&*entry.request.effective(), outcome) {
            (Request::Found(settings), Outcome::Entered) => self.settings = Some(settings.clone()),
            (Request::RequestCard(it), Outcome::CardRequested { expires, .. }) => {
                self.card_requested(entry, it, *expires)?;
            }
            (Request::Credit(_), Outcome::CardIssued { card, request, amount }) => {
                self.issued(entry, *card, *request, *amount)?;
            }
            (Request::Credit(it), Outcome::Unmatched(mismatch)) => self.unmatched(entry, it, mismatch),
            (Request::Pay(it), Outcome::Paid { balance }) => self.paid(entry, it, *balance)?,
            (Request::Void(_), Outcome::Entered) => {}
            (Request::Refund(it), Outcome::Refunded { card, amount, balance, day }) => {
                self.refunded(entry, it.payment, *card, *amount, *balance)?;
                self.cashier_refunded(entry, it, *amount, *day)?;
            }
            (
                Request::CenterRefund { payment, .. },
                Outcome::Refunded { card, amount, balance, day: None },
            ) => self.refunded(entry, *payment, *card, *amount, *balance)?,
            (Request::Claim(it), Outcome::Entered) => self.claimed(entry, it)?,
            (
                Request::PayClaim { .. } | Request::ReturnReceipt { .. },
                Outcome::PayoutIntended { purpose, amount },
            ) => {
                self.intended(entry, *purpose, *amount)?;
            }
            (Request::PayoutResult { payout, result }, Outcome::PayoutSettled { purpose, amount, paid }) => {
                if *paid != matches!(result, TransferResult::Paid { .. }) {
                    return Err(broken(entry, "it is not what the bank said"));
                }
                self.settled(entry, *payout, *purpose, *amount, *paid)?;
            }
            (Request::AssignReceipt { receipt, .. }, Outcome::CardIssued { card, request, amount }) => {
                self.issued(entry, *card, *request, *amount)?;
                self.receipt_moves(entry, *receipt, ReceiptState::Waiting, ReceiptState::Assigned(*card))?;
            }
            (Request::Standing { of, frozen, .. }, Outcome::Entered) => match of {
                Standing::Card(card) => {
                    self.card_mut(*card).ok_or_else(|| broken(entry, "no such card"))?.frozen = *frozen;
                }
                Standing::Account(account) => self.holder_mut(entry, *account)?.frozen = *frozen,
            },
            (Request::Lapse { request }, Outcome::Entered) => {
                self.request_ends(entry, *request, RequestState::Lapsed)?;
            }
            (Request::Admit(it), Outcome::Admitted(account)) => self.admitted(entry, it, *account)?,
            (Request::Recode { admission, until, key, ways, .. }, Outcome::Entered) => {
                self.recoded(entry, *admission, *until, *key, ways)?;
            }
            (Request::Decline { application, ask_back, .. }, Outcome::Entered) => {
                self.declined(entry, *application, *ask_back);
            }
            (Request::Posted { intent, way, .. }, Outcome::Entered) => self.posted(entry, *intent, *way)?,
            (Request::Register(it), Outcome::Registered(account)) if *account == it.account => {
                self.registered(entry, it)?;
            }
            (Request::ChangeKey(it), Outcome::Entered) => self.key_changed(entry, it)?,
            (Request::ChangeKey(it), Outcome::KeyWaits { from }) => self.key_waits(entry, it, *from)?,
            (Request::CancelKeyChange(it), Outcome::Entered) => {
                self.waiting_ends(entry, it.account, it.change)?;
            }
            (Request::KeyInForce { account, change }, Outcome::KeyInForce(key)) => {
                self.key_in_force(entry, *account, *change, *key)?;
            }
            (Request::Revoke { account, role, .. }, Outcome::Entered) => {
                self.revoked(entry, *account, *role)?;
            }
            (Request::Cashier(it), Outcome::Entered) => self.cashier_changed(entry, it)?,
            (request, outcome) => self.staffed(entry, request, outcome)?,
        }
        if let Request::Confirm { proposal, .. } = &entry.request
            && self.proposals.remove(proposal).is_none()
        {
            return Err(broken(entry, "there is no such proposal"));
        }
        Ok(())
    }

    fn card_mut(&mut self, card: CardNumber) -> Option<&mut Card> {
        self.cards.get_mut(row(card.0)?)
    }

    fn holder_mut(&mut self, entry: &Entry, account: AccountNumber) -> Result<&mut Holder, Imbalance> {
        self.holders.get_mut(account).ok_or_else(|| broken(entry, "no such account"))
    }
}

fn broken(entry: &Entry, why: &'static str) -> Imbalance {
    Imbalance::Contradiction(entry.number, why)
}
