//! Records for tests: a small center, by hand where only the form matters, by the rules of `ledger` where the
//! content does.

pub(crate) mod signed;

use ledger::{
    Decision, Entry, Outcome, Request, State,
    entry::{Concerns, Previous},
    request::{
        Admission, CardRequest, CashierChange, Claim, Credit, DeliveryProof, KeyCancel, KeyChange,
        OperatorRole, Payment, Refund, Registration, Settings, Standing, TransferResult, Void,
    },
};
use wire::{
    admission::Way,
    amount::{Amount, Currency},
    id::{
        AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, OrderHash,
        Role, Salt, StoreNumber, TelegramId,
    },
    key::{SigningKey, VerificationKey},
    payload::{CashierRights, Funding, KeyRole, RefundReason, particulars_hash},
    text::Line,
    time::Timestamp,
};

use super::{CheckpointKey, Record};

/// The center's checkpoint key.
pub(crate) fn key() -> CheckpointKey {
    CheckpointKey::new(Line::new("inkan.test/books").unwrap(), SigningKey::from_seed(&[11; 32]))
}

/// What its checkpoints verify under.
pub(crate) fn verification_key() -> VerificationKey {
    SigningKey::from_seed(&[11; 32]).verification_key()
}

/// Entry 7: a card request lapsed.
pub(crate) fn lapse() -> Record {
    numbered(7)
}

/// A small entry of this number.
pub(crate) fn numbered(number: u64) -> Record {
    let entry = Entry {
        number: EntryNumber(number),
        at: Timestamp(1_790_000_000_000 + number * 1_000),
        request: Request::Lapse { request: EntryNumber(number / 2) },
        decision: Decision::Done(Outcome::Entered),
        postings: Vec::new(),
        concerns: Concerns { member: Some(MemberNumber(number % 5)), ..Concerns::NOBODY },
        previous: Previous::default(),
    };
    Record { entry, evidence: vec![number as u8; 5], seed: [number as u8; 16] }
}

/// Small entries of these numbers.
pub(crate) fn run(numbers: std::ops::Range<u64>) -> Vec<Record> {
    numbers.map(numbered).collect()
}

/// A public telegram.
pub(crate) fn telegram() -> wire::telegram::Telegram {
    use wire::payload::{Rights, TerminalCertificate};
    let key = SigningKey::from_seed(&[31; 32]);
    let certificate = TerminalCertificate {
        center: key.verification_key().center(),
        terminal_key: key.verification_key(),
        rights: Rights::Owner,
        issued: Timestamp(1_790_000_000_000),
    };
    wire::telegram::Telegram::sign_as_key(&certificate, &key)
}

/// A center's books, made by the rules of `ledger`: one member with two cards, one store.
pub(crate) struct Center {
    pub(crate) state: State,
    pub(crate) records: Vec<Record>,
    /// The particulars of all who registered: what binds them, the salt, the bytes.
    pub(crate) people: Vec<(Digest, Salt, Vec<u8>)>,
    now: Timestamp,
    count: u64,
}

impl Center {
    /// Founded, with so many payments, every fifth refunded, the others claimed and paid out; also some refusals, a void,
    /// a changed key and an account frozen and released.
    pub(crate) fn busy(payments: u64) -> Self {
        let mut center = Self::founded();
        let member = center.register(Role::Member);
        let store = center.register(Role::Store);
        let card = center.card(member, 900_000);
        center.card(member, 500);
        let mut open = Vec::new();
        for at in 0..payments {
            center.now = center.now.plus_ms(3_600_000);
            let payment = center.pay(card, 100 + at);
            if at % 5 == 4 {
                center.refund(payment, 100 + at);
            } else {
                open.push(payment);
            }
        }
        center.pay(card, 950_000);
        let void = Void { telegram: center.telegram(), account: member, valid_until: center.soon() };
        center.ask(Request::Void(void));
        let change = KeyChange {
            telegram: center.telegram(),
            account: member,
            by: KeyRole::Signature,
            event: center.event(member),
            role: KeyRole::Terminal,
            key: Some(center.key()),
            valid_until: center.soon(),
        };
        center.ask(Request::ChangeKey(change));
        for frozen in [true, false] {
            let (by, reason) = ("anna".to_owned(), "asked for".to_owned());
            center.ask(Request::Standing { by, of: Standing::Account(store), frozen, reason });
        }
        center.claim(&open);
        center
    }

    /// Busy, and then: a recovery key that waits and is cancelled, another that comes into force, a cashier's refund, one by
    /// the center, a key that an operator revokes, a store's cashier dismissed.
    pub(crate) fn peopled() -> Self {
        let mut center = Self::busy(5);
        let (member, store) = (MemberNumber(1), StoreNumber(1));
        let account = AccountNumber::Member(member);
        let first = center.recovery_key(account);
        for in_force in [false, true] {
            let change = center.recovery_key(account);
            if in_force {
                center.now = center.now.plus_ms(wire::limits::CAUTION_MS);
                center.ask(Request::KeyInForce { account, change });
            } else {
                let (telegram, valid_until) = (center.telegram(), center.soon());
                let cancel = KeyCancel { telegram, account, event: first, change, valid_until };
                center.ask(Request::CancelKeyChange(cancel));
            }
        }
        let key = center.key();
        let rights = |limit| CashierRights {
            name: Line::new("Mika").unwrap(),
            sell: true,
            deliver: true,
            refund_limit: yen(limit),
            see_day: false,
        };
        let certified = center.cashier(store, key, Some(rights(1_000)));
        let card = CardNumber(1);
        let payment = center.pay(card, 30);
        let refund = Refund { cashier: Some(key), event: certified, ..center.refund_of(payment, 30) };
        center.ask(Request::Refund(refund));
        let payment = center.pay(card, 40);
        center.ask(Request::CenterRefund { by: "anna".into(), payment, reason: "asked for".into() });
        center.cashier(store, key, None);
        let (by, role, reason) = ("anna".into(), KeyRole::Terminal, "lost".into());
        center.ask(Request::Revoke { by, account, role, reason });
        center
    }

    /// Founded, with so many members.
    pub(crate) fn members(count: u64) -> Self {
        let mut center = Self::founded();
        for _ in 0..count {
            center.register(Role::Member);
        }
        center
    }

    /// Decides, applies and keeps.
    pub(crate) fn ask(&mut self, request: Request) -> Entry {
        let entry = ledger::decide(&self.state, &request, self.now);
        self.state.apply(&entry).unwrap();
        let number = entry.number.0;
        self.records.push(Record {
            entry: entry.clone(),
            evidence: format!("evidence {number}").into_bytes(),
            seed: [number as u8; 16],
        });
        entry
    }

    fn founded() -> Self {
        let (records, people) = (Vec::new(), Vec::new());
        let mut center =
            Self { state: State::new(), records, people, now: Timestamp(1_790_000_000_000), count: 0 };
        center.ask(Request::Found(Settings {
            center: CenterId([9; 32]),
            name: "Center".into(),
            currency: Currency::YEN,
            zone: "Asia/Tokyo".into(),
            day_end: 1440,
            card_least: yen(100),
            card_most: yen(1_000_000),
            funding_ms: 600_000_000,
            refusals_per_minute: 100,
        }));
        center.ask(Request::Sheet { number: 1, digest: Digest([1; 32]), by: None });
        let role = Some(OperatorRole::Admin);
        center.ask(Request::Operator { name: "anna".into(), role, key: Digest([2; 32]), by: None });
        center
    }

    fn register(&mut self, role: Role) -> AccountNumber {
        let (salt, bytes) = (Salt(self.bytes()), format!("particulars of a {role}").into_bytes());
        let particulars = particulars_hash(&salt, &bytes);
        self.people.push((particulars, salt, bytes));
        let signature_key = self.key();
        let admission = Admission {
            by: None,
            application: ApplicationNumber(self.state.next().0),
            role,
            key: signature_key,
            particulars,
            replaces: None,
            until: self.soon(),
            ways: vec![Way::Mail],
        };
        let application = admission.application;
        let admitted = self.ask(Request::Admit(admission));
        let Decision::Done(Outcome::Admitted(account)) = admitted.decision else { panic!("{admitted:?}") };
        let registration = Registration {
            telegram: self.telegram(),
            account,
            application,
            admission: admitted.number,
            signature_key,
            terminal_key: self.key(),
            recovery_key: None,
            particulars,
            terms: Digest([3; 32]),
            trade_name: (role == Role::Store).then(|| "Books & Co".into()),
            valid_until: self.soon(),
        };
        match self.ask(Request::Register(registration)).decision {
            Decision::Done(Outcome::Registered(account)) => account,
            other => panic!("{other:?}"),
        }
    }

    fn card(&mut self, member: AccountNumber, amount: u64) -> CardNumber {
        let AccountNumber::Member(number) = member else { panic!("a store has no cards") };
        let request = CardRequest {
            telegram: self.telegram(),
            member: number,
            event: self.event(member),
            amount: yen(amount),
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            valid_until: self.soon(),
        };
        let asked = self.ask(Request::RequestCard(request)).number;
        let credit = Credit {
            bank_reference: format!("BANK{}", asked.0),
            amount: yen(amount),
            currency: Currency::YEN,
            reference: Some(ledger::reference::make(asked)),
            payer: Digest([4; 32]),
            notice: Digest(self.bytes()),
        };
        match self.ask(Request::Credit(credit)).decision {
            Decision::Done(Outcome::CardIssued { card, .. }) => card,
            other => panic!("{other:?}"),
        }
    }

    fn pay(&mut self, card: CardNumber, total: u64) -> EntryNumber {
        let payment = Payment {
            telegram: self.telegram(),
            member: MemberNumber(1),
            event: self.event(AccountNumber::Member(MemberNumber(1))),
            card,
            store: StoreNumber(1),
            offer: Digest(self.bytes()),
            order: OrderHash(self.bytes()),
            total: yen(total),
            currency: Currency::YEN,
            offer_expires: self.soon(),
            valid_until: self.soon(),
        };
        self.ask(Request::Pay(payment)).number
    }

    /// Asks for a recovery key with the signature key.
    fn recovery_key(&mut self, account: AccountNumber) -> EntryNumber {
        let change = KeyChange {
            telegram: self.telegram(),
            account,
            by: KeyRole::Signature,
            event: self.event(account),
            role: KeyRole::Recovery,
            key: Some(self.key()),
            valid_until: self.soon(),
        };
        self.ask(Request::ChangeKey(change)).number
    }

    fn cashier(
        &mut self,
        store: StoreNumber,
        key: VerificationKey,
        rights: Option<CashierRights>,
    ) -> EntryNumber {
        let event = self.event(AccountNumber::Store(store));
        let (telegram, valid_until) = (self.telegram(), self.soon());
        self.ask(Request::Cashier(CashierChange { telegram, store, event, key, rights, valid_until })).number
    }

    fn refund(&mut self, payment: EntryNumber, amount: u64) {
        let refund = self.refund_of(payment, amount);
        self.ask(Request::Refund(refund));
    }

    fn refund_of(&mut self, payment: EntryNumber, amount: u64) -> Refund {
        Refund {
            telegram: self.telegram(),
            store: StoreNumber(1),
            cashier: None,
            event: self.event(AccountNumber::Store(StoreNumber(1))),
            payment,
            amount: yen(amount),
            currency: Currency::YEN,
            reason: RefundReason::CannotDeliver,
            valid_until: self.soon(),
        }
    }

    fn claim(&mut self, payments: &[EntryNumber]) {
        let prove = |payment: &EntryNumber| {
            let paid = self.state.payment(*payment)?;
            Some(DeliveryProof { payment: *payment, offer: paid.offer, order: paid.order, total: paid.total })
        };
        let proofs: Vec<DeliveryProof> = payments.iter().filter_map(prove).collect();
        let claim = Claim {
            telegram: self.telegram(),
            store: StoreNumber(1),
            event: self.event(AccountNumber::Store(StoreNumber(1))),
            payments: payments.to_vec(),
            total: Amount::sum(proofs.iter().map(|proof| proof.total)).unwrap(),
            currency: Currency::YEN,
            proofs,
            valid_until: self.soon(),
        };
        let claim = self.ask(Request::Claim(claim)).number;
        let payout = self.ask(Request::PayClaim { claim }).number;
        let result = TransferResult::Paid { bank_reference: "OUT1".into() };
        self.ask(Request::PayoutResult { payout, result });
    }

    fn event(&self, account: AccountNumber) -> EntryNumber {
        self.state.key(account, KeyRole::Signature).unwrap().1
    }

    fn soon(&self) -> Timestamp {
        self.now.plus_ms(86_400_000)
    }

    fn telegram(&mut self) -> TelegramId {
        TelegramId(self.bytes())
    }

    fn key(&mut self) -> VerificationKey {
        VerificationKey(self.bytes())
    }

    fn bytes(&mut self) -> [u8; 32] {
        self.count += 1;
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }
}

fn yen(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}
