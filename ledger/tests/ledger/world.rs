//! A small center with a bank, for the tests of the rules.

use ledger::{
    Decision, Entry, Outcome, Refusal, Request, State, decide,
    entry::Purpose,
    request::{
        Admission, CardRequest, CashierChange, Claim, Credit, DeliveryProof, DeskLimits, KeyCancel,
        KeyChange, OperatorRole, Payment, Proposed, Refund, Registration, Settings, TransferResult, Void,
    },
};
use wire::{
    admission::Way,
    amount::{Amount, Currency},
    id::{
        AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, OrderHash,
        Role, StoreNumber, TelegramId,
    },
    key::VerificationKey,
    payload::{CashierRights, Funding, KeyRole, RefundReason},
    text::Line,
    time::Timestamp,
};

/// When the worlds of the tests begin.
pub(crate) const START: u64 = 1_700_000_000_000;
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(crate) fn yen(minor: u64) -> Amount {
    Amount::new(minor).expect("tests use amounts within the limit")
}

pub(crate) fn bytes(kind: u8, number: u64) -> [u8; 32] {
    let mut bytes = [kind; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes
}

pub(crate) fn settings() -> Settings {
    Settings {
        center: CenterId([9; 32]),
        name: "Center".into(),
        currency: Currency::YEN,
        zone: "Asia/Tokyo".into(),
        day_end: 1440,
        card_least: yen(100),
        card_most: yen(1_000_000),
        funding_ms: 7 * DAY_MS,
        refusals_per_minute: 100,
    }
}

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) entries: Vec<Entry>,
    count: u64,
}

impl World {
    /// Founded, with one operator of each role, who act alone up to 500.
    pub(crate) fn founded() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut world = Self { state: State::new(), now: Timestamp(START), entries: Vec::new(), count: 0 };
        world.done(Request::Found(settings));
        world.done(Request::Sheet { number: 1, digest: Digest([1; 32]), by: None });
        for (name, role, by) in [
            ("anna", OperatorRole::Admin, None),
            ("sue", OperatorRole::Supervisor, Some("anna".to_owned())),
            ("clara", OperatorRole::Clerk, Some("anna".to_owned())),
            ("vic", OperatorRole::Viewer, Some("anna".to_owned())),
        ] {
            let key = Digest(bytes(b'p', role as u64));
            world.done(Request::Operator { name: name.into(), role: Some(role), key, by });
        }
        let limits = DeskLimits { refund_alone: yen(500), receipt_alone: yen(500) };
        world.done(Request::Limits { by: "anna".into(), limits });
        world
    }

    /// Decides and applies; everything that must hold is recomputed after each entry.
    pub(crate) fn ask(&mut self, request: Request) -> Entry {
        let entry = decide(&self.state, &request, self.now);
        if entry.is_for_the_journal() {
            self.state.apply(&entry).unwrap();
            self.state.audit().unwrap();
            self.entries.push(entry.clone());
        }
        entry
    }

    pub(crate) fn done(&mut self, request: Request) -> Outcome {
        match self.ask(request).decision {
            Decision::Done(outcome) => outcome,
            Decision::Refused(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    pub(crate) fn fresh(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(crate) fn telegram(&mut self) -> TelegramId {
        TelegramId(bytes(b't', self.fresh()))
    }

    pub(crate) fn key(&mut self) -> VerificationKey {
        VerificationKey(bytes(b'k', self.fresh()))
    }

    pub(crate) fn soon(&self) -> Timestamp {
        self.now.plus_ms(DAY_MS)
    }

    pub(crate) fn event(&self, account: AccountNumber) -> EntryNumber {
        self.state.key(account, KeyRole::Signature).map_or(EntryNumber(0), |(_, event)| event)
    }

    pub(crate) fn admission(&mut self, role: Role) -> Admission {
        Admission {
            by: Some("clara".into()),
            application: ApplicationNumber(self.fresh()),
            role,
            key: self.key(),
            particulars: Digest([2; 32]),
            replaces: None,
            until: self.state.at().plus_ms(14 * DAY_MS),
            ways: vec![Way::Mail],
        }
    }

    /// The admission of an owner whose lost terminal is replaced.
    pub(crate) fn replacement(&mut self, account: AccountNumber) -> Admission {
        let (by, replaces) = (Some("sue".into()), Some(account));
        Admission { by, replaces, ..self.admission(account.role()) }
    }

    /// Someone who was admitted by rule: the entry.
    pub(crate) fn admitted(&mut self, role: Role) -> EntryNumber {
        let admission = Admission { by: None, ..self.admission(role) };
        let entry = self.state.next();
        self.done(Request::Admit(admission));
        entry
    }

    /// What whoever was admitted by an entry sends.
    pub(crate) fn registration_of(&mut self, admission: EntryNumber) -> Registration {
        let admitted = self.state.admission(admission).expect("an admission").clone();
        let store = matches!(admitted.account, AccountNumber::Store(_));
        Registration {
            telegram: self.telegram(),
            account: admitted.account,
            application: admitted.application,
            admission,
            signature_key: admitted.key,
            terminal_key: self.key(),
            recovery_key: Some(self.key()),
            particulars: admitted.particulars,
            terms: Digest([3; 32]),
            trade_name: store.then(|| "Books & Co".into()),
            valid_until: self.soon(),
        }
    }

    /// Admits a newcomer; what it sends.
    pub(crate) fn registration(&mut self, role: Role) -> Registration {
        let admission = self.admitted(role);
        self.registration_of(admission)
    }

    /// Proposes an act and confirms it.
    pub(crate) fn together(&mut self, by: &str, other: &str, act: Proposed) -> Entry {
        let proposal = self.state.next();
        assert_eq!(self.done(Request::Propose { by: by.into(), act: Box::new(act) }), Outcome::Proposed);
        self.ask(self.confirmation(other, proposal))
    }

    pub(crate) fn confirmation(&self, by: &str, proposal: EntryNumber) -> Request {
        let act = self.state.proposal(proposal).expect("a proposal").act.clone();
        Request::Confirm { by: by.into(), proposal, act: Box::new(act) }
    }

    pub(crate) fn member(&mut self) -> MemberNumber {
        let request = Request::Register(self.registration(Role::Member));
        match self.done(request) {
            Outcome::Registered(AccountNumber::Member(member)) => member,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn store(&mut self) -> StoreNumber {
        let request = Request::Register(self.registration(Role::Store));
        match self.done(request) {
            Outcome::Registered(AccountNumber::Store(store)) => store,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn card_request(&mut self, member: MemberNumber, amount: u64) -> CardRequest {
        CardRequest {
            telegram: self.telegram(),
            member,
            event: self.event(AccountNumber::Member(member)),
            amount: yen(amount),
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            valid_until: self.soon(),
        }
    }

    /// A card request that waits; its entry and reference.
    pub(crate) fn requested(&mut self, member: MemberNumber, amount: u64) -> (EntryNumber, String) {
        let request = self.card_request(member, amount);
        let number = self.state.next();
        match self.done(Request::RequestCard(request)) {
            Outcome::CardRequested { reference, .. } => (number, reference),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn credit(&mut self, reference: Option<&str>, amount: u64) -> Credit {
        let number = self.fresh();
        Credit {
            bank_reference: format!("BANK{number}"),
            amount: yen(amount),
            currency: Currency::YEN,
            reference: reference.map(str::to_owned),
            payer: Digest([4; 32]),
            notice: Digest(bytes(b'n', number)),
        }
    }

    pub(crate) fn card(&mut self, member: MemberNumber, amount: u64) -> CardNumber {
        let (_, reference) = self.requested(member, amount);
        let credit = self.credit(Some(&reference), amount);
        match self.done(Request::Credit(credit)) {
            Outcome::CardIssued { card, .. } => card,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn payment(&mut self, card: CardNumber, store: StoreNumber, total: u64) -> Payment {
        let member = self.state.card(card).map_or(MemberNumber(99), |card| card.holder);
        let number = self.fresh();
        Payment {
            telegram: self.telegram(),
            member,
            event: self.event(AccountNumber::Member(member)),
            card,
            store,
            offer: Digest(bytes(b'o', number)),
            order: OrderHash(bytes(b'h', number)),
            total: yen(total),
            currency: Currency::YEN,
            offer_expires: self.soon(),
            valid_until: self.soon(),
        }
    }

    pub(crate) fn paid(&mut self, card: CardNumber, store: StoreNumber, total: u64) -> EntryNumber {
        let payment = self.payment(card, store, total);
        let number = self.state.next();
        self.done(Request::Pay(payment));
        number
    }

    pub(crate) fn refund(&mut self, store: StoreNumber, payment: EntryNumber, amount: u64) -> Refund {
        Refund {
            telegram: self.telegram(),
            store,
            cashier: None,
            event: self.event(AccountNumber::Store(store)),
            payment,
            amount: yen(amount),
            currency: Currency::YEN,
            reason: RefundReason::CannotDeliver,
            valid_until: self.soon(),
        }
    }

    /// A claim with proofs for all that it names.
    pub(crate) fn claim(&mut self, store: StoreNumber, payments: &[EntryNumber]) -> Claim {
        let proofs: Vec<DeliveryProof> = payments
            .iter()
            .filter_map(|&payment| {
                let paid = self.state.payment(payment)?;
                Some(DeliveryProof { payment, offer: paid.offer, order: paid.order, total: paid.total })
            })
            .collect();
        Claim {
            telegram: self.telegram(),
            store,
            event: self.event(AccountNumber::Store(store)),
            payments: payments.to_vec(),
            total: Amount::sum(proofs.iter().map(|proof| proof.total)).unwrap_or_default(),
            currency: Currency::YEN,
            proofs,
            valid_until: self.soon(),
        }
    }

    /// An accepted claim with its transfer; both entries.
    pub(crate) fn claimed(
        &mut self,
        store: StoreNumber,
        payments: &[EntryNumber],
    ) -> (EntryNumber, EntryNumber) {
        let request = self.claim(store, payments);
        let claim = self.state.next();
        self.done(Request::Claim(request));
        let payout = self.state.next();
        match self.done(Request::PayClaim { claim }) {
            Outcome::PayoutIntended { purpose: Purpose::Claim(of), .. } if of == claim => (claim, payout),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn key_change(&mut self, account: AccountNumber, by: KeyRole, role: KeyRole) -> KeyChange {
        KeyChange {
            telegram: self.telegram(),
            account,
            by,
            event: self.state.key(account, by).map_or(EntryNumber(0), |(_, event)| event),
            role,
            key: Some(self.key()),
            valid_until: self.soon(),
        }
    }

    pub(crate) fn key_cancel(&mut self, account: AccountNumber, change: EntryNumber) -> KeyCancel {
        KeyCancel {
            telegram: self.telegram(),
            account,
            event: self.state.key(account, KeyRole::Recovery).map_or(EntryNumber(0), |(_, event)| event),
            change,
            valid_until: self.soon(),
        }
    }

    /// Certifies a key with a refund limit, or takes its rights away.
    pub(crate) fn cashier_change(
        &mut self,
        store: StoreNumber,
        key: VerificationKey,
        refund_limit: Option<u64>,
    ) -> CashierChange {
        let rights = |limit| CashierRights {
            name: Line::new("Mika").expect("a name"),
            sell: true,
            deliver: true,
            refund_limit: yen(limit),
            see_day: false,
        };
        CashierChange {
            telegram: self.telegram(),
            store,
            event: self.event(AccountNumber::Store(store)),
            key,
            rights: refund_limit.map(rights),
            valid_until: self.soon(),
        }
    }

    /// A cashier with a refund limit; its key.
    pub(crate) fn cashier(&mut self, store: StoreNumber, refund_limit: u64) -> VerificationKey {
        let key = self.key();
        let change = self.cashier_change(store, key, Some(refund_limit));
        self.done(Request::Cashier(change));
        key
    }

    /// A refund that a cashier signs.
    pub(crate) fn cashier_refund(
        &mut self,
        store: StoreNumber,
        key: VerificationKey,
        payment: EntryNumber,
        amount: u64,
    ) -> Refund {
        let holder = self.state.holder(AccountNumber::Store(store));
        let event = holder.and_then(|holder| holder.cashiers.get(&key)).map(|cashier| cashier.entry);
        Refund {
            cashier: Some(key),
            event: event.unwrap_or(EntryNumber(0)),
            ..self.refund(store, payment, amount)
        }
    }

    pub(crate) fn void(&mut self, telegram: TelegramId, account: AccountNumber) -> Void {
        Void { telegram, account, valid_until: self.soon() }
    }

    pub(crate) fn balance(&self, card: CardNumber) -> u64 {
        self.state.card(card).unwrap().balance.minor()
    }
}

/// Why an entry was refused.
pub(crate) fn refusal(entry: &Entry) -> &Refusal {
    assert!(entry.postings.is_empty(), "a refusal moves no money");
    entry.refusal().expect("it was to be refused")
}

/// Asks for what is refused for this reason, and moves nothing.
pub(crate) fn check(world: &mut World, request: Request, expect: Refusal) {
    let before = world.state.balances().collect::<Vec<_>>();
    assert_eq!(refusal(&world.ask(request)), &expect);
    assert_eq!(world.state.balances().collect::<Vec<_>>(), before);
}

/// The words of a refusal that has no better name.
pub(crate) fn not_possible(entry: &Entry) -> &str {
    match refusal(entry) {
        Refusal::NotPossible(words) => words,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn paid_by_bank(reference: &str) -> TransferResult {
    TransferResult::Paid { bank_reference: reference.into() }
}

pub(crate) fn failed_at_bank() -> TransferResult {
    TransferResult::Failed { words: "account closed".into() }
}
