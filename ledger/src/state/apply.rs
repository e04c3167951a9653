//! The only way anything changes, live and in replay. Nothing is decided here: what stands in an entry is done.

use wire::{
    amount::Amount,
    id::{AccountNumber, CardNumber, EntryNumber, Role},
    payload::{KeyEvent, KeyRole},
};

use super::{
    BankReceipt, Card, Claim, ClaimState, Holder, Imbalance, MINUTE_MS, Payment, PaymentState, Payout,
    PayoutState, ReceiptState, RequestState, RequestedCard, State,
};
use crate::{
    account::{Posting, Side},
    entry::{Decision, Entry, Mismatch, Outcome, Purpose},
    request::{self, Request, Standing, TransferResult},
};

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
        for posting in postings {
            let amount = i128::from(posting.amount.minor());
            let signed = match posting.side {
                Side::Debit => amount,
                Side::Credit => -amount,
            };
            // 2^64 entries of the largest amount stay far within an i128.
            *self.balances.entry(posting.account).or_default() += signed;
        }
    }

    /// Moves the books' position on, and drops what can only come too late from now on.
    fn advance(&mut self, entry: &Entry) {
        self.next = entry.number.next();
        self.at = entry.at;
        while let Some(&(until, telegram)) = self.telegrams_until.first()
            && until < entry.at
        {
            self.telegrams_until.pop_first();
            self.telegrams.remove(&telegram);
        }
        while let Some(&(until, store, order)) = self.orders_until.first()
            && until < entry.at
        {
            self.orders_until.pop_first();
            self.orders.remove(&(store, order));
        }
        let minute = entry.at.0 / MINUTE_MS;
        if self.refusals.0 != minute {
            self.refusals.0 = minute;
            self.refusals.1.clear();
        }
    }

    fn refused(&mut self, entry: &Entry) {
        self.totals.refused += 1;
        if let Some(account) = entry.request.signed().and_then(|signed| signed.account)
            && self.holders.contains_key(&account)
        {
            let count = self.refusals.1.entry(account).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Keeps what must be known when the same is told again.
    fn told(&mut self, entry: &Entry) {
        if let Some(signed) = entry.request.signed() {
            self.telegrams.insert(signed.telegram, entry.number);
            self.telegrams_until.insert((signed.valid_until, signed.telegram));
        }
        if let Request::Credit(credit) = &entry.request {
            self.bank_notices.insert((credit.bank_reference.clone(), credit.notice), entry.number);
            if entry.refusal().is_none() {
                self.bank_references.insert(credit.bank_reference.clone(), entry.number);
            }
        }
    }

    fn link(&mut self, entry: &Entry) -> Applied {
        let unknown = Imbalance::Contradiction(entry.number, "it concerns nobody that is registered");
        if let Some(card) = entry.concerns.card {
            self.cards.get_mut(&card).ok_or_else(|| unknown.clone())?.last = entry.number;
        }
        let member = entry.concerns.member.map(AccountNumber::Member);
        let store = entry.concerns.store.map(AccountNumber::Store);
        for account in [member, store].into_iter().flatten() {
            self.holders.get_mut(&account).ok_or_else(|| unknown.clone())?.last = entry.number;
        }
        Ok(())
    }

    fn done(&mut self, entry: &Entry, outcome: &Outcome) -> Applied {
        match (&entry.request, outcome) {
            (Request::Found(settings), Outcome::Entered) => self.settings = Some(settings.clone()),
            (Request::Sheet { number, digest }, Outcome::Entered) => self.sheet = Some((*number, *digest)),
            (Request::Operator { name, role, .. }, Outcome::Entered) => {
                match role {
                    Some(role) => self.operators.insert(name.clone(), *role),
                    None => self.operators.remove(name),
                };
            }
            (Request::Register(it), Outcome::Registered(account)) => self.registered(entry, it, *account)?,
            (Request::ChangeKey(it), Outcome::Entered) => self.key_changed(entry, it)?,
            (Request::RequestCard(it), Outcome::CardRequested { expires, .. }) => {
                let account = AccountNumber::Member(it.member);
                let holder = self.holders.get_mut(&account).ok_or_else(|| broken(entry, "no such member"))?;
                holder.waiting.insert(entry.number);
                self.waiting.insert((*expires, entry.number));
                let state = RequestState::Waiting;
                let (member, telegram, amount, expires) = (it.member, it.telegram, it.amount, *expires);
                self.requests
                    .insert(entry.number, RequestedCard { member, telegram, amount, expires, state });
            }
            (Request::Credit(_), Outcome::CardIssued { card, request, amount }) => {
                self.issued(entry, *card, *request, *amount)?;
            }
            (Request::Credit(it), Outcome::Unmatched(mismatch)) => self.unmatched(entry, it, mismatch),
            (Request::Pay(it), Outcome::Paid { balance }) => self.paid(entry, it, *balance)?,
            (Request::Void(_), Outcome::Entered) => {}
            (Request::Refund(it), Outcome::Refunded { card, amount, balance }) => {
                self.refunded(entry, it.payment, *card, *amount, *balance)?;
            }
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
                    self.cards.get_mut(card).ok_or_else(|| broken(entry, "no such card"))?.frozen = *frozen;
                }
                Standing::Account(account) => {
                    let holder = self.holders.get_mut(account);
                    holder.ok_or_else(|| broken(entry, "no such account"))?.frozen = *frozen;
                }
            },
            (Request::Lapse { request }, Outcome::Entered) => {
                self.request_ends(entry, *request, RequestState::Lapsed)?;
            }
            _ => return Err(broken(entry, "what was decided does not go with what was asked")),
        }
        Ok(())
    }

    fn registered(&mut self, entry: &Entry, it: &request::Registration, account: AccountNumber) -> Applied {
        let keys = [
            (KeyRole::Signature, Some(it.signature_key)),
            (KeyRole::Terminal, Some(it.terminal_key)),
            (KeyRole::Recovery, it.recovery_key),
        ];
        let mut chain = Vec::new();
        for (role, key) in keys {
            let Some(key) = key else { continue };
            if self.keys.insert(key, account).is_some() {
                return Err(broken(entry, "one of its keys is registered already"));
            }
            chain.push(KeyEvent { entry: entry.number, role, key: Some(key) });
        }
        let holder = Holder {
            entry: entry.number,
            registered: entry.at,
            particulars: it.particulars,
            terms: it.terms,
            trade_name: it.trade_name.clone(),
            chain,
            cards: Vec::new(),
            waiting: Default::default(),
            frozen: false,
            last: entry.number,
        };
        let fits = match account {
            AccountNumber::Member(member) => it.role == Role::Member && member == self.next_member(),
            AccountNumber::Store(store) => it.role == Role::Store && store == self.next_store(),
        };
        if !fits {
            return Err(broken(entry, "its account number is not the next one"));
        }
        self.holders.insert(account, holder);
        Ok(())
    }

    fn key_changed(&mut self, entry: &Entry, it: &request::KeyChange) -> Applied {
        if let Some(key) = it.key
            && self.keys.insert(key, it.account).is_some()
        {
            return Err(broken(entry, "the key is registered already"));
        }
        let holder = self.holders.get_mut(&it.account).ok_or_else(|| broken(entry, "no such account"))?;
        holder.chain.push(KeyEvent { entry: entry.number, role: it.role, key: it.key });
        Ok(())
    }

    fn issued(&mut self, entry: &Entry, card: CardNumber, request: EntryNumber, amount: Amount) -> Applied {
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
    fn request_ends(
        &mut self,
        entry: &Entry,
        request: EntryNumber,
        state: RequestState,
    ) -> Result<wire::id::MemberNumber, Imbalance> {
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

    fn unmatched(&mut self, entry: &Entry, it: &request::Credit, mismatch: &Mismatch) {
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

    fn paid(&mut self, entry: &Entry, it: &request::Payment, balance: Amount) -> Applied {
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

    fn refunded(
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

    fn claimed(&mut self, entry: &Entry, it: &request::Claim) -> Applied {
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

    fn intended(&mut self, entry: &Entry, purpose: Purpose, amount: Amount) -> Applied {
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

    fn settled(
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

    fn receipt_moves(
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

fn broken(entry: &Entry, why: &'static str) -> Imbalance {
    Imbalance::Contradiction(entry.number, why)
}
