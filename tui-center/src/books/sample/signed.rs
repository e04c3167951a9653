//! A small center whose every entry has the evidence that it would have in life: real keys, real signatures.

use std::{collections::BTreeMap, path::Path};

use ledger::{
    Decision, Entry, Outcome, Request, State,
    request::{Admission, Credit, Document, OperatorRole, Registration, Settings, TransferResult},
};
use wire::{
    admission::{ActivationCode, Way},
    amount::{Amount, Currency},
    bounded::List,
    codec,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, Digest, EntryNumber, MemberNumber, Nonce, Role, Salt,
        StoreNumber,
    },
    key::{SigningKey, VerificationKey},
    message::{Beside, KeyEvidence},
    order::{goods_hash, order_hash},
    payload::{
        self, CashierRights, ClaimEvidence, Funding, KeyRole, RefundReason, Rights, TerminalCertificate,
        particulars_hash, possession_message,
    },
    sheet::{KeySheet, SheetRole},
    telegram::{Payload, Signer, Telegram},
    text::Line,
    time::Timestamp,
};

use crate::{
    admission::document,
    books::{
        Books, CheckpointKey, Record,
        asked::{self, Ours},
        cabinet::Cabinet,
        shelf::Shelf,
    },
    keys::RoleKeys,
};

/// The center, and everybody's keys.
pub(crate) struct Signed {
    pub(crate) root: SigningKey,
    pub(crate) roles: RoleKeys,
    pub(crate) sheet: KeySheet,
    pub(crate) state: State,
    pub(crate) records: Vec<Record>,
    pub(crate) people: Vec<(Digest, Salt, Vec<u8>)>,
    /// The keys that signed checkpoints before.
    retired: Vec<SigningKey>,
    keys: BTreeMap<(AccountNumber, KeyRole), SigningKey>,
    offers: BTreeMap<EntryNumber, (Telegram, Telegram)>,
    now: Timestamp,
    count: u64,
}

/// The only member, and the only store.
pub(crate) const MEMBER: MemberNumber = MemberNumber(1);
pub(crate) const STORE: StoreNumber = StoreNumber(1);
const CARD: CardNumber = CardNumber(1);

impl Signed {
    /// A center that has seen everything once, and so many payments.
    pub(crate) fn busy(payments: u64) -> Self {
        let mut center = Self::trading();
        let mut open = Vec::new();
        for at in 0..payments {
            center.now = center.now.plus_ms(7_200_000);
            let payment = center.pay(100 + at);
            if at % 5 == 4 {
                center.refund(payment, 100 + at, None);
            } else {
                open.push((payment, 100 + at));
            }
        }
        center.pay(5_000_000);
        center.void();
        center.change(AccountNumber::Member(MEMBER), KeyRole::Terminal);
        center.change(AccountNumber::Member(MEMBER), KeyRole::Signature);
        center.change(AccountNumber::Store(STORE), KeyRole::Recovery);
        center.rotate();
        let payment = center.pay(70);
        let (cashier, certified) = center.cashier();
        center.refund(payment, 70, Some((cashier, certified)));
        center.claim(&open);
        center
    }

    /// A member with a card, a store.
    pub(crate) fn trading() -> Self {
        let mut center = Self::founded();
        let member = center.register(Role::Member);
        center.register(Role::Store);
        center.card(member, 900_000);
        center
    }

    fn founded() -> Self {
        let root = SigningKey::from_seed(&[71; 32]);
        let key = |seed| SigningKey::from_seed(&[seed; 32]);
        let roles = RoleKeys {
            tls: key(72),
            checkpoint: key(73),
            card: key(74),
            directory: key(75),
            statement: key(76),
        };
        let signed = roles.sheet(&root, Line::new("inkan.test/signed").unwrap());
        let sheet = KeySheet::verify(&signed, &root.verification_key()).unwrap();
        let settings = Settings {
            center: root.verification_key().center(),
            name: "Center".into(),
            currency: Currency::YEN,
            zone: "Asia/Tokyo".into(),
            day_end: 1440,
            card_least: yen(100),
            card_most: yen(1_000_000),
            funding_ms: 600_000_000,
            refusals_per_minute: 100,
        };
        let mut center = Self {
            root,
            roles,
            sheet,
            state: State::new(),
            records: Vec::new(),
            people: Vec::new(),
            retired: Vec::new(),
            keys: BTreeMap::new(),
            offers: BTreeMap::new(),
            now: Timestamp(1_790_000_000_000),
            count: 0,
        };
        center.own(Request::Found(settings), Vec::new());
        let entered = Request::Sheet { number: 1, digest: signed.digest(), by: None };
        center.own(entered, codec::encode(&signed));
        let (role, key) = (Some(OperatorRole::Admin), Digest([2; 32]));
        center.own(Request::Operator { name: "anna".into(), role, key, by: None }, Vec::new());
        let text = "Be kind.";
        let (document, digest) = (Document::Terms, document::digest(text));
        center.own(Request::Document { by: None, document, version: 1, digest }, text.into());
        center
    }

    /// What signs its checkpoints.
    pub(crate) fn key(&self) -> CheckpointKey {
        let held: Vec<&SigningKey> = self.retired.iter().chain([&self.roles.checkpoint]).collect();
        CheckpointKey::of_sheet(&self.sheet, &held)
    }

    /// What signed the first checkpoints.
    pub(crate) fn key_of_first_sheet(&self) -> SigningKey {
        self.retired.first().unwrap_or(&self.roles.checkpoint).clone()
    }

    /// Its books in a folder, appended so many at a time and closed, with short segments.
    pub(crate) fn keep(&self, dir: &Path, at_once: usize) {
        let shelf = Shelf::from(dir).with_segments(6 << 10);
        let mut books = Books::create(shelf, self.key(), &self.records[..4]).unwrap();
        for records in self.records[4..].chunks(at_once) {
            books.append(records).unwrap();
        }
        books.close().unwrap();
    }

    /// Its cabinet in a folder.
    pub(crate) fn cabinet(&self, dir: &Path) -> Cabinet {
        let cabinet = Cabinet::open(dir, &[1; 32]).unwrap();
        for (digest, salt, bytes) in &self.people {
            cabinet.put_person(*digest, salt, bytes).unwrap();
        }
        cabinet
    }

    /// A payment of the member's at the store.
    pub(crate) fn pay(&mut self, total: u64) -> EntryNumber {
        let salt = Salt(self.bytes());
        let buyer = SigningKey::from_seed(&self.bytes());
        let counter = self.keys[&(AccountNumber::Store(STORE), KeyRole::Terminal)].clone();
        let order = order_hash(&salt, b"a book");
        let offer = payload::Offer {
            center: self.sheet.center,
            store: STORE,
            terminal_key: counter.verification_key(),
            buyer_key: buyer.verification_key(),
            order,
            total: yen(total),
            currency: Currency::YEN,
            issued: self.now,
            expires: self.soon(),
        };
        let offer = Telegram::sign_as_key(&offer, &counter);
        let goods = goods_hash(&salt, &Digest([8; 32]));
        let delivery = Telegram::sign_as_key(&payload::Delivery { order, goods }, &buyer);
        let payment = payload::Payment {
            center: self.sheet.center,
            member: MEMBER,
            key_event: self.event(AccountNumber::Member(MEMBER), KeyRole::Signature),
            card: CARD,
            store: STORE,
            offer: offer.digest(),
            order,
            total: yen(total),
            currency: Currency::YEN,
            offer_expires: self.soon(),
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let telegram = self.sign(&payment, KeyRole::Signature);
        let request = asked::payment(&payment, telegram.id());
        let entry = self.ask(request, codec::encode(&(&telegram, Beside::Nothing))).number;
        self.offers.insert(entry, (offer, delivery));
        entry
    }

    /// Decides, applies and keeps.
    pub(crate) fn ask(&mut self, request: Request, evidence: Vec<u8>) -> Entry {
        let entry = ledger::decide(&self.state, &request, self.now);
        self.state.apply(&entry).unwrap();
        let seed = [entry.number.0 as u8; 16];
        self.records.push(Record { entry: entry.clone(), evidence, seed });
        entry
    }

    fn own(&mut self, request: Request, evidence: Vec<u8>) -> Entry {
        let entry = self.ask(request, evidence);
        assert_eq!(entry.refusal(), None, "{entry:?}");
        entry
    }

    fn register(&mut self, role: Role) -> AccountNumber {
        let salt = Salt(self.bytes());
        let bytes = format!("particulars of a {role}").into_bytes();
        let particulars = particulars_hash(&salt, &bytes);
        self.people.push((particulars, salt, bytes));
        let [signature, terminal, recovery] = [(); 3].map(|()| SigningKey::from_seed(&self.bytes()));
        let application = ApplicationNumber(self.state.next().0);
        let admission = Admission {
            by: None,
            application,
            role,
            key: signature.verification_key(),
            particulars,
            replaces: None,
            until: self.soon(),
            ways: vec![Way::Mail],
        };
        let admitted = self.own(Request::Admit(admission), Vec::new());
        let Decision::Done(Outcome::Admitted(account)) = admitted.decision else { panic!("{admitted:?}") };
        let it = payload::Registration {
            center: self.sheet.center,
            application,
            account,
            verification_key: signature.verification_key(),
            terminal_key: terminal.verification_key(),
            recovery_key: Some(recovery.verification_key()),
            particulars,
            code: ActivationCode::generate().hash(&salt),
            terms: Digest([3; 32]),
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let telegram = Telegram::sign_as_key(&it, &signature);
        let certificate = self.certificate(terminal.verification_key(), &signature);
        let request = Request::Register(Registration {
            telegram: telegram.id(),
            account,
            application,
            admission: admitted.number,
            signature_key: it.verification_key,
            terminal_key: it.terminal_key,
            recovery_key: it.recovery_key,
            particulars,
            terms: it.terms,
            trade_name: (role == Role::Store).then(|| "Books & Co".into()),
            valid_until: it.valid_until,
        });
        self.own(request, codec::encode(&(&telegram, &certificate)));
        for (role, key) in
            [(KeyRole::Signature, signature), (KeyRole::Terminal, terminal), (KeyRole::Recovery, recovery)]
        {
            self.keys.insert((account, role), key);
        }
        account
    }

    fn card(&mut self, account: AccountNumber, amount: u64) {
        let it = payload::CardRequest {
            center: self.sheet.center,
            member: MEMBER,
            key_event: self.event(account, KeyRole::Signature),
            amount: yen(amount),
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let telegram = self.sign(&it, KeyRole::Signature);
        let request = asked::card_request(&it, telegram.id());
        let asked = self.ask(request, codec::encode(&(&telegram, Beside::Nothing))).number;
        let credit = Credit {
            bank_reference: format!("BANK{}", asked.0),
            amount: yen(amount),
            currency: Currency::YEN,
            reference: Some(ledger::reference::make(asked)),
            payer: Digest([4; 32]),
            notice: Digest(self.bytes()),
        };
        self.own(Request::Credit(credit), Vec::new());
    }

    fn refund(&mut self, payment: EntryNumber, amount: u64, cashier: Option<(SigningKey, EntryNumber)>) {
        let store = AccountNumber::Store(STORE);
        let (key, event) = match &cashier {
            Some((key, certified)) => (key.clone(), *certified),
            None => (self.keys[&(store, KeyRole::Signature)].clone(), self.event(store, KeyRole::Signature)),
        };
        let it = payload::Refund {
            center: self.sheet.center,
            store: STORE,
            cashier: cashier.map(|(key, _)| key.verification_key()),
            key_event: event,
            payment,
            amount: yen(amount),
            currency: Currency::YEN,
            reason: RefundReason::CannotDeliver,
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let telegram = Telegram::sign(&it, Signer::Account(store), &key);
        let request = asked::refund(&it, telegram.id());
        self.own(request, codec::encode(&(&telegram, Beside::Nothing)));
    }

    /// A payment that the member withdrew before it came.
    fn void(&mut self) {
        let it = payload::KeyCancel {
            center: self.sheet.center,
            account: AccountNumber::Member(MEMBER),
            key_event: self.event(AccountNumber::Member(MEMBER), KeyRole::Recovery),
            change: EntryNumber(9),
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let telegram = self.sign(&it, KeyRole::Recovery);
        self.own(asked::void(&it, telegram.id()), codec::encode(&telegram));
    }

    fn change(&mut self, account: AccountNumber, role: KeyRole) {
        let new = SigningKey::from_seed(&self.bytes());
        let it = payload::KeyChange {
            center: self.sheet.center,
            account,
            key_event: self.event(account, KeyRole::Signature),
            role,
            key: Some(new.verification_key()),
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let telegram = self.sign(&it, KeyRole::Signature);
        let message = possession_message(&it.center, role, &telegram.id());
        let held = |role| self.keys[&(account, role)].clone();
        let certificate = match role {
            KeyRole::Recovery => None,
            KeyRole::Signature => Some(self.certificate(held(KeyRole::Terminal).verification_key(), &new)),
            KeyRole::Terminal => Some(self.certificate(new.verification_key(), &held(KeyRole::Signature))),
        };
        let beside =
            Beside::Keys(Box::new(KeyEvidence { possession: Some(new.sign(&message)), certificate }));
        let request = asked::key_change(&it, telegram.id(), KeyRole::Signature);
        self.own(request, codec::encode(&(&telegram, &beside)));
        if role != KeyRole::Recovery {
            self.keys.insert((account, role), new);
        }
    }

    fn cashier(&mut self) -> (SigningKey, EntryNumber) {
        let key = SigningKey::from_seed(&self.bytes());
        let store = AccountNumber::Store(STORE);
        let rights = CashierRights {
            name: Line::default(),
            sell: true,
            deliver: true,
            refund_limit: yen(1_000),
            see_day: false,
        };
        let it = payload::CashierChange {
            center: self.sheet.center,
            store: STORE,
            key_event: self.event(store, KeyRole::Signature),
            key: key.verification_key(),
            rights: Some(rights),
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let telegram = self.sign(&it, KeyRole::Signature);
        let request = asked::cashier(&it, telegram.id());
        let entry = self.own(request, codec::encode(&(&telegram, Beside::Nothing)));
        (key, entry.number)
    }

    fn claim(&mut self, payments: &[(EntryNumber, u64)]) {
        let it = payload::Claim {
            center: self.sheet.center,
            store: STORE,
            key_event: self.event(AccountNumber::Store(STORE), KeyRole::Signature),
            payments: List::new(payments.iter().map(|(payment, _)| *payment).collect()).unwrap(),
            total: yen(payments.iter().map(|(_, total)| total).sum()),
            currency: Currency::YEN,
            nonce: self.nonce(),
            valid_until: self.soon(),
        };
        let evidence = payments.iter().map(|(payment, _)| {
            let (offer, delivery) = self.offers[payment].clone();
            ClaimEvidence { payment: *payment, offer, delivery }
        });
        let beside = Beside::Claim(List::new(evidence.collect()).unwrap());
        let telegram = self.sign(&it, KeyRole::Signature);
        let request = asked::claim(&it, telegram.id(), &beside);
        let claim = self.own(request, codec::encode(&(&telegram, &beside))).number;
        let payout = self.own(Request::PayClaim { claim }, Vec::new()).number;
        let result = TransferResult::Paid { bank_reference: "OUT1".into() };
        self.own(Request::PayoutResult { payout, result }, Vec::new());
    }

    /// A new checkpoint key takes over.
    fn rotate(&mut self) {
        let roles = RoleKeys { checkpoint: SigningKey::from_seed(&self.bytes()), ..self.roles.clone() };
        let sheet = roles.next_sheet(&self.sheet, self.state.next().0).unwrap();
        assert_ne!(sheet.current(SheetRole::Checkpoint), self.sheet.current(SheetRole::Checkpoint));
        let signed = sheet.sign(&self.root);
        let entered =
            Request::Sheet { number: sheet.number, digest: signed.digest(), by: Some("anna".into()) };
        self.own(entered, codec::encode(&signed));
        self.retired.push(self.roles.checkpoint.clone());
        (self.roles, self.sheet) = (roles, sheet);
    }

    fn certificate(&self, terminal_key: VerificationKey, signature: &SigningKey) -> Telegram {
        let (center, issued) = (self.sheet.center, self.now);
        let certificate = TerminalCertificate { center, terminal_key, rights: Rights::Owner, issued };
        Telegram::sign_as_key(&certificate, signature)
    }

    fn sign<P: Ours + Payload>(&self, it: &P, role: KeyRole) -> Telegram {
        Telegram::sign(it, Signer::Account(it.account()), &self.keys[&(it.account(), role)])
    }

    fn event(&self, account: AccountNumber, role: KeyRole) -> EntryNumber {
        self.state.key(account, role).unwrap().1
    }

    fn soon(&self) -> Timestamp {
        self.now.plus_ms(86_400_000)
    }

    fn nonce(&mut self) -> Nonce {
        Nonce(*self.bytes().first_chunk().unwrap())
    }

    fn bytes(&mut self) -> [u8; 32] {
        self.count += 1;
        Digest::of(&[b"signed sample", &self.count.to_le_bytes()]).0
    }
}

fn yen(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}
