//! Cards, payments, claims, transfers and bank receipts.

use wire::{
    amount::Amount,
    id::{AccountNumber, CardNumber, EntryNumber, MemberNumber},
    time::Timestamp,
};

use super::{Applied, broken};
use crate::{
    entry::{Entry, Mismatch, Purpose},
    request,
    state::{
        BankReceipt, Card, Claim, ClaimState, Imbalance, Payment, PaymentState, Payout, PayoutState,
        ReceiptState, RequestState, RequestedCard, State,
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
        let holder = self.holders.get_mut(&account).ok_or_else(|| broken(entry, "no such member"))?;
        holder.waiting.insert(entry.number);
        self.waiting.insert((expires, entry.number));
        let state = RequestState::Waiting;
        let (member, telegram, amount) = (it.member, it.telegram, it.amount);
        self.requests.insert(entry.number, RequestedCard { member, telegram, amount, expires, state });
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
        let member = self.holders.get_mut(&account).ok_or_else(|| broken(entry, "no such member"))?;
        member.cards.push(card);
        let event = member.signature_event();
        let (issued, number) = (entry.at, entry.number);
        let card_held =
            Card { holder, balance: amount, frozen: false, issued, entry: number, event, last: number };
        self.cards.insert(card, card_held);
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
        let waiting = self.requests.get_mut(&request).filter(|it| it.state == RequestState::Waiting);
        let requested = waiting.ok_or_else(|| broken(entry, "the card request does not wait for money"))?;
        requested.state = state;
        let (member, expires) = (requested.member, requested.expires);
        self.waiting.remove(&(expires, request));
        if let Some(holder) = self.holders.get_mut(&AccountNumber::Member(member)) {
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
        self.receipts.insert(entry.number, receipt);
    }

    pub(super) fn paid(&mut self, entry: &Entry, it: &request::Payment, balance: Amount) -> Applied {
        let card = self.cards.get_mut(&it.card).filter(|card| card.holder == it.member);
        let card = card.ok_or_else(|| broken(entry, "no such card"))?;
        if card.balance.minus(it.total) != Some(balance) {
            return Err(Imbalance::Card(it.card));
        }
        card.balance = balance;
        if self.orders.insert((it.store, it.order), entry.number).is_some() {
            return Err(broken(entry, "the order was paid before"));
        }
        self.orders_until.insert((it.offer_expires, it.store, it.order));
        let payment = Payment {
            member: it.member,
            card: it.card,
            store: it.store,
            offer: it.offer,
            order: it.order,
            total: it.total,
            at: entry.at,
            state: PaymentState::Open,
        };
        self.payments.insert(entry.number, payment);
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
        let open = self.payments.get_mut(&payment).filter(|it| it.state == PaymentState::Open);
        let paid = open.ok_or_else(|| broken(entry, "the payment is not open"))?;
        if paid.card != card || paid.total != amount {
            return Err(broken(entry, "it gives back something else than was paid"));
        }
        paid.state = PaymentState::Refunded(entry.number);
        let card_held = self.cards.get_mut(&card).ok_or(Imbalance::Card(card))?;
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
        self.claims.insert(entry.number, claim);
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
                let claim = self.claims.get_mut(&number).ok_or(Imbalance::Claim(number))?;
                claim.state = ClaimState::Intended(entry.number);
            }
            Purpose::Return(receipt) => {
                let returning = ReceiptState::Returning(entry.number);
                self.receipt_moves(entry, receipt, ReceiptState::Waiting, returning)?;
            }
        }
        let payout = Payout { purpose, amount, at: entry.at, state: PayoutState::InTransit };
        self.payouts.insert(entry.number, payout);
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
        let payout = self.payouts.get_mut(&number).ok_or_else(|| broken(entry, "no such transfer"))?;
        let late = match payout.state {
            PayoutState::InTransit => false,
            PayoutState::Failed { .. } if paid => true,
            _ => return Err(broken(entry, "the transfer is not in transit")),
        };
        if payout.purpose != purpose || payout.amount != amount {
            return Err(broken(entry, "it is not what was intended"));
        }
        payout.state = if paid { PayoutState::Paid { by } } else { PayoutState::Failed { by } };
        match purpose {
            Purpose::Claim(claim) if late => self.claim_paid_late(entry, claim)?,
            Purpose::Return(receipt) if late => {
                let held = self.receipts.get(&receipt).map(|held| held.state);
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
        let claim = self.claims.get_mut(&number).ok_or(Imbalance::Claim(number))?;
        claim.state = if paid { ClaimState::Paid } else { ClaimState::Failed };
        if paid {
            return Ok(());
        }
        for payment in claim.payments.clone() {
            self.payment_moves(entry, payment, PaymentState::Claimed(number), PaymentState::Open)?;
        }
        Ok(())
    }

    /// Closes what is still open of a failed claim whose transfer was executed after all. When all of it was, the
    /// claim is paid; else it stays failed, since some of its payments stand elsewhere.
    fn claim_paid_late(&mut self, entry: &Entry, number: EntryNumber) -> Applied {
        let claim = self.claims.get_mut(&number).ok_or(Imbalance::Claim(number))?;
        let payments = claim.payments.clone();
        let open = |payment: &EntryNumber| {
            self.payments.get(payment).is_some_and(|paid| paid.state == PaymentState::Open)
        };
        let closed: Vec<EntryNumber> = payments.iter().copied().filter(open).collect();
        if closed.len() == payments.len() {
            claim.state = ClaimState::Paid;
        }
        for payment in closed {
            self.payment_moves(entry, payment, PaymentState::Open, PaymentState::Claimed(number))?;
        }
        Ok(())
    }

    fn payment_moves(
        &mut self,
        entry: &Entry,
        payment: EntryNumber,
        from: PaymentState,
        to: PaymentState,
    ) -> Applied {
        let paid = self.payments.get_mut(&payment).filter(|it| it.state == from);
        paid.ok_or_else(|| broken(entry, "a payment does not stand as it must"))?.state = to;
        Ok(())
    }

    pub(super) fn receipt_moves(
        &mut self,
        entry: &Entry,
        receipt: EntryNumber,
        from: ReceiptState,
        to: ReceiptState,
    ) -> Applied {
        let held = self.receipts.get_mut(&receipt).filter(|it| it.state == from);
        held.ok_or_else(|| broken(entry, "the bank receipt does not stand as it must"))?.state = to;
        Ok(())
    }
}
