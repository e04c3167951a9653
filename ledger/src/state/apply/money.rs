//! Cards, payments, claims, transfers and bank receipts.

use std::sync::Arc;

use wire::{
    amount::Amount,
    id::{AccountNumber, CardNumber, EntryNumber, MemberNumber, StoreNumber},
    time::Timestamp,
};

use super::{Applied, broken};
use crate::{
    entry::{Entry, Mismatch, Purpose},
    request,
    state::{
        BankReceipt, Card, Claim, ClaimState, Imbalance, PaymentState, Payout, PayoutState, ReceiptState,
        RequestState, RequestedCard, State, Sums, holders::row, payments::Paid,
    },
};

impl State {
    pub(super) fn card_requested(
        &mut self,
        entry: &Entry,
        it: &request::CardRequest,
        expires: Timestamp,
    ) -> Applied {
        let account = AccountNumber::Member(it.member);
        let holder = self.holders.get_mut(account).ok_or_else(|| broken(entry, "no such member"))?;
        holder.waiting.insert(entry.number);
        self.waiting.insert((expires, entry.number));
        let state = RequestState::Waiting;
        let (member, telegram, amount) = (it.member, it.telegram, it.amount);
        self.requests.push(entry.number, RequestedCard { member, telegram, amount, expires, state });
        Ok(())
    }

    pub(super) fn issued(
        &mut self,
        entry: &Entry,
        card: CardNumber,
        request: EntryNumber,
        amount: Amount,
    ) -> Applied {
        if card != self.next_card() {
            return Err(broken(entry, "its card number is not the next one"));
        }
        let holder = self.request_ends(entry, request, RequestState::Issued(card))?;
        let account = AccountNumber::Member(holder);
        let member = self.holders.get_mut(account).ok_or_else(|| broken(entry, "no such member"))?;
        member.cards.push(card);
        let event = member.signature_event();
        let (issued, number) = (entry.at, entry.number);
        let card_held =
            Card { holder, balance: amount, frozen: false, issued, entry: number, event, last: number };
        self.cards.push(card_held);
        self.totals.cards += 1;
        self.totals.loaded += u128::from(amount.minor());
        Ok(())
    }

    /// Ends the waiting of a card request; gives back whose it was.
    pub(super) fn request_ends(
        &mut self,
        entry: &Entry,
        request: EntryNumber,
        state: RequestState,
    ) -> Result<MemberNumber, Imbalance> {
        let waiting = self.requests.get_mut(request).filter(|it| it.state == RequestState::Waiting);
        let requested = waiting.ok_or_else(|| broken(entry, "the card request does not wait for money"))?;
        requested.state = state;
        let (member, expires) = (requested.member, requested.expires);
        self.waiting.remove(&(expires, request));
        if let Some(holder) = self.holders.get_mut(AccountNumber::Member(member)) {
            holder.waiting.remove(&request);
        }
        Ok(member)
    }

    pub(super) fn unmatched(&mut self, entry: &Entry, it: &request::Credit, mismatch: &Mismatch) {
        let receipt = BankReceipt {
            bank_reference: it.bank_reference.clone(),
            reference: it.reference.clone(),
            payer: it.payer,
            amount: it.amount,
            at: entry.at,
            mismatch: mismatch.clone(),
            state: ReceiptState::Waiting,
        };
        self.sums.unmatched += i128::from(it.amount.minor());
        self.receipts.push(entry.number, Arc::new(receipt));
    }

    pub(super) fn paid(&mut self, entry: &Entry, it: &request::Payment, balance: Amount) -> Applied {
        if !self.holders.contains(AccountNumber::Store(it.store)) {
            return Err(broken(entry, "no such store"));
        }
        let card = self.card_mut(it.card).filter(|card| card.holder == it.member);
        let card = card.ok_or_else(|| broken(entry, "no such card"))?;
        if card.balance.minus(it.total) != Some(balance) {
            return Err(Imbalance::Card(it.card));
        }
        card.balance = balance;
        let paid = Paid {
            number: entry.number,
            at: entry.at,
            card: it.card,
            store: it.store,
            total: it.total,
            offer: it.offer,
            order: it.order,
            state: PaymentState::Open.into(),
        };
        if !self.payments.add(paid, it.offer_expires) {
            return Err(broken(entry, "the order was paid before"));
        }
        self.sums.owe(it.store, i128::from(it.total.minor()));
        self.totals.payments += 1;
        self.totals.paid += u128::from(it.total.minor());
        Ok(())
    }

    pub(super) fn refunded(
        &mut self,
        entry: &Entry,
        payment: EntryNumber,
        card: CardNumber,
        amount: Amount,
        balance: Amount,
    ) -> Applied {
        let open = self.payments.get(payment).filter(|paid| paid.state == PaymentState::Open.into());
        let paid = open.ok_or_else(|| broken(entry, "the payment is not open"))?;
        if paid.card != card || paid.total != amount {
            return Err(broken(entry, "it gives back something else than was paid"));
        }
        let store = paid.store;
        self.payment_moves(entry, payment, PaymentState::Open, PaymentState::Refunded(entry.number))?;
        self.sums.owe(store, -i128::from(amount.minor()));
        let card_held = self.card_mut(card).ok_or(Imbalance::Card(card))?;
        if card_held.balance.plus(amount) != Some(balance) {
            return Err(Imbalance::Card(card));
        }
        card_held.balance = balance;
        self.totals.refunds += 1;
        self.totals.refunded += u128::from(amount.minor());
        Ok(())
    }

    pub(super) fn claimed(&mut self, entry: &Entry, it: &request::Claim) -> Applied {
        for payment in &it.payments {
            self.payment_moves(entry, *payment, PaymentState::Open, PaymentState::Claimed(entry.number))?;
        }
        let claim = Claim {
            store: it.store,
            payments: it.payments.clone(),
            total: it.total,
            at: entry.at,
            state: ClaimState::Due,
        };
        self.claims.push(entry.number, Arc::new(claim));
        self.claims_due.insert(entry.number);
        self.totals.claims += 1;
        self.totals.claimed += u128::from(it.total.minor());
        Ok(())
    }

    pub(super) fn intended(&mut self, entry: &Entry, purpose: Purpose, amount: Amount) -> Applied {
        match purpose {
            Purpose::Claim(number) => {
                if !self.claims_due.remove(&number) {
                    return Err(broken(entry, "the claim is not due"));
                }
                let claim = self.claim_mut(number)?;
                claim.state = ClaimState::Intended(entry.number);
                let (store, total) = (claim.store, claim.total);
                self.sums.owe(store, -i128::from(total.minor()));
            }
            Purpose::Return(receipt) => {
                let returning = ReceiptState::Returning(entry.number);
                self.receipt_moves(entry, receipt, ReceiptState::Waiting, returning)?;
            }
        }
        let payout = Payout { purpose, amount, at: entry.at, state: PayoutState::InTransit };
        self.payouts.push(entry.number, payout);
        self.sums.in_transit += i128::from(amount.minor());
        Ok(())
    }

    pub(super) fn settled(
        &mut self,
        entry: &Entry,
        number: EntryNumber,
        purpose: Purpose,
        amount: Amount,
        paid: bool,
    ) -> Applied {
        let by = entry.number;
        let payout = self.payouts.get_mut(number).ok_or_else(|| broken(entry, "no such transfer"))?;
        let late = match payout.state {
            PayoutState::InTransit => false,
            PayoutState::Failed { .. } if paid => true,
            _ => return Err(broken(entry, "the transfer is not in transit")),
        };
        if payout.purpose != purpose || payout.amount != amount {
            return Err(broken(entry, "it is not what was intended"));
        }
        payout.state = if paid { PayoutState::Paid { by } } else { PayoutState::Failed { by } };
        if !late {
            self.sums.in_transit -= i128::from(amount.minor());
        }
        match purpose {
            Purpose::Claim(claim) if late => self.claim_paid_late(entry, claim)?,
            Purpose::Return(receipt) if late => {
                let held = self.receipt(receipt).map(|held| held.state);
                if held == Some(ReceiptState::Waiting) {
                    self.receipt_moves(entry, receipt, ReceiptState::Waiting, ReceiptState::Returned)?;
                }
            }
            Purpose::Claim(claim) => self.claim_settled(entry, claim, paid)?,
            Purpose::Return(receipt) => {
                let next = if paid { ReceiptState::Returned } else { ReceiptState::Waiting };
                self.receipt_moves(entry, receipt, ReceiptState::Returning(number), next)?;
            }
        }
        if paid {
            self.totals.payouts += 1;
            self.totals.paid_out += u128::from(amount.minor());
        }
        Ok(())
    }

    fn claim_settled(&mut self, entry: &Entry, number: EntryNumber, paid: bool) -> Applied {
        let claim = self.claim_mut(number)?;
        claim.state = if paid { ClaimState::Paid } else { ClaimState::Failed };
        if paid {
            return Ok(());
        }
        let (store, total) = (claim.store, claim.total);
        for payment in claim.payments.clone() {
            self.payment_moves(entry, payment, PaymentState::Claimed(number), PaymentState::Open)?;
        }
        self.sums.owe(store, i128::from(total.minor()));
        Ok(())
    }

    /// Closes what is still open of a failed claim whose transfer was executed after all. When all of it was, the
    /// claim is paid; else it stays failed, since some of its payments stand elsewhere.
    fn claim_paid_late(&mut self, entry: &Entry, number: EntryNumber) -> Applied {
        let claim = self.claim(number).ok_or(Imbalance::Claim(number))?;
        let open = |payment: &EntryNumber| {
            self.payments.get(*payment).is_some_and(|paid| paid.state == PaymentState::Open.into())
        };
        let closed: Vec<EntryNumber> = claim.payments.iter().copied().filter(open).collect();
        if closed.len() == claim.payments.len() {
            self.claim_mut(number)?.state = ClaimState::Paid;
        }
        for payment in closed {
            let paid =
                self.payment_moves(entry, payment, PaymentState::Open, PaymentState::Claimed(number))?;
            self.sums.owe(paid.store, -i128::from(paid.total.minor()));
        }
        Ok(())
    }

    fn claim_mut(&mut self, number: EntryNumber) -> Result<&mut Claim, Imbalance> {
        self.claims.get_mut(number).map(Arc::make_mut).ok_or(Imbalance::Claim(number))
    }

    fn payment_moves(
        &mut self,
        entry: &Entry,
        payment: EntryNumber,
        from: PaymentState,
        to: PaymentState,
    ) -> Result<Paid, Imbalance> {
        let moved = self.payments.moves(payment, from, to);
        moved.ok_or_else(|| broken(entry, "a payment does not stand as it must"))
    }

    pub(super) fn receipt_moves(
        &mut self,
        entry: &Entry,
        receipt: EntryNumber,
        from: ReceiptState,
        to: ReceiptState,
    ) -> Applied {
        let held = self.receipts.get_mut(receipt).filter(|it| it.state == from);
        let held = held.ok_or_else(|| broken(entry, "the bank receipt does not stand as it must"))?;
        Arc::make_mut(held).state = to;
        let amount = i128::from(held.amount.minor());
        let waits = |state| i128::from(state == ReceiptState::Waiting);
        self.sums.unmatched += amount * (waits(to) - waits(from));
        Ok(())
    }
}

impl Sums {
    /// A store, which the books hold, is owed so much more.
    pub(in crate::state) fn owe(&mut self, store: StoreNumber, amount: i128) {
        let Some(at) = row(store.0) else { return };
        self.owed.fill(at + 1, &0);
        if let Some(owed) = self.owed.get_mut(at) {
            *owed += amount;
        }
    }
}
