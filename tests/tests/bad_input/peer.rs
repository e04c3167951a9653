//! An account that speaks the wire's language itself, so that it can say what no honest program says.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use inkan_tests::network::Network;
use serde::Serialize;
use wire::{
    admission::ApplyCall,
    amount::{Amount, Currency},
    bounded::Bytes,
    codec,
    id::{
        AccountNumber, CardNumber, Digest, EntryNumber, MemberNumber, Nonce, OrderHash, Role, Salt,
        StoreNumber,
    },
    key::SigningKey,
    message::{Beside, Effect, Verdict},
    payload::{CardRequest, Funding, Payment},
    sheet::Invitation,
    telegram::{Payload, Signer, Telegram},
    terminal::{self, Applicant, Line, LineError, Registrant},
    text,
    time::Timestamp,
};

use crate::house::House;

/// How long any answer may take.
pub(crate) const WAIT: Duration = Duration::from_secs(20);
/// How long what is signed here is valid.
pub(crate) const VALID_MS: u64 = 15 * 60 * 1000;
/// Tells newcomers apart.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// An account, logged in.
pub(crate) struct Peer {
    pub(crate) line: Line,
    pub(crate) account: AccountNumber,
    pub(crate) event: EntryNumber,
    pub(crate) signature: SigningKey,
    pub(crate) terminal: SigningKey,
}

/// A form filled in with bytes of any kind; it encodes as [`wire::message::Particulars`] does, and cleans nothing.
#[derive(Serialize)]
struct Typed {
    form: u32,
    fields: Vec<(String, String)>,
}

impl Peer {
    /// Joins a center that admits by rule, and logs in; `typed` replaces what an honest newcomer would fill in.
    pub(crate) async fn join(
        network: &Network,
        role: Role,
        typed: &[(&str, &str)],
    ) -> Result<Self, LineError> {
        let line = line(&network.invitation).await?;
        let form = line.form(role, WAIT).await?;
        let own = NEXT.fetch_add(1, Ordering::Relaxed);
        let filled = |key: &str| {
            let given = typed.iter().find(|(typed, _)| *typed == key);
            given.map_or_else(|| honest(key, own), |(_, value)| (*value).to_owned())
        };
        let fields = form.fields.iter().map(|field| (field.key.to_string(), filled(&field.key)));
        let particulars = codec::encode(&Typed { form: form.version, fields: fields.collect() });
        let (signature, terminal, salt) = (SigningKey::generate(), SigningKey::generate(), Salt::random());
        let applicant = Applicant {
            center: line.sheet.center,
            role,
            terminal_key: terminal.verification_key(),
            particulars: &particulars,
            salt,
            amends: None,
            replaces: None,
            now: Timestamp::now(),
        };
        let call = ApplyCall {
            telegram: applicant.sign(&signature),
            particulars: Bytes::new(particulars.clone()).expect("particulars within their limit"),
            salt,
        };
        let application = line.apply(call, WAIT).await?.number;
        // What the center writes to is what is left of the address once it is cleaned.
        let address = text::Line::new(&filled("email")).expect("an address within its limit");
        let mail = tokio::task::block_in_place(|| network.admission_mail(&address)).expect("a mail");
        let account = mail.number.parse().expect("a number");
        let registrant = Registrant {
            center: line.sheet.center,
            application,
            account,
            code: &mail.code.parse().expect("a code"),
            terminal_key: &terminal,
            recovery_key: None,
            particulars: &particulars,
            salt,
            terms: line.kit(0, WAIT).await?.terms.hash(),
            now: Timestamp::now(),
        };
        let call = registrant.sign(&signature).expect("particulars within their limit");
        let (account, event, _) = line.register(call, WAIT).await?;
        line.login(account, &terminal, None, WAIT).await?;
        Ok(Self { line, account, event, signature, terminal })
    }

    /// The same account on a new connection.
    pub(crate) async fn again(&self, network: &Network) -> Self {
        let line = line(&network.invitation).await.expect("a line");
        line.login(self.account, &self.terminal, None, WAIT).await.expect("a login");
        Self {
            line,
            account: self.account,
            event: self.event,
            signature: self.signature.clone(),
            terminal: self.terminal.clone(),
        }
    }

    /// Signs with the account's signature key.
    pub(crate) fn sign(&self, payload: &impl Payload) -> Telegram {
        Telegram::sign(payload, Signer::Account(self.account), &self.signature)
    }

    /// Signs and submits.
    pub(crate) async fn submit(&self, payload: &impl Payload) -> Result<Verdict, LineError> {
        self.send(self.sign(payload)).await
    }

    /// Submits a telegram as it is.
    pub(crate) async fn send(&self, telegram: Telegram) -> Result<Verdict, LineError> {
        let verdict = self.line.submit(telegram.clone(), Beside::Nothing, WAIT).await?;
        self.line.check_verdict(&telegram, &verdict).expect("the center proves what it says");
        Ok(verdict)
    }

    /// A request for a card.
    pub(crate) fn card_request(&self, amount: Amount) -> CardRequest {
        CardRequest {
            center: self.line.sheet.center,
            member: self.member(),
            key_event: self.event,
            amount,
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            nonce: Nonce::random(),
            valid_until: Timestamp::now().plus_ms(VALID_MS),
        }
    }

    /// A card of so many yen, paid for through the bank.
    pub(crate) async fn card(&self, house: &House, yen: u64) -> CardNumber {
        let verdict = self.submit(&self.card_request(self::yen(yen))).await.expect("heard");
        let Verdict::Done { effect: Effect::FundingOpened(terms), .. } = verdict else {
            panic!("no card was opened: {verdict:?}")
        };
        house.network.bank().credit(yen, &terms.reference, "a peer", None).expect("the bank books it");
        for _ in 0..600 {
            let cards = self.line.cards(WAIT).await.expect("cards");
            if let Some(card) = cards.first() {
                return card.card;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the card never came")
    }

    /// What the account's first card holds.
    pub(crate) async fn balance(&self) -> u64 {
        self.line.cards(WAIT).await.expect("cards")[0].balance.minor()
    }

    /// A payment to a store for a fresh order that only this peer knows of.
    pub(crate) fn payment(&self, card: CardNumber, store: StoreNumber, total: Amount) -> Payment {
        Payment {
            center: self.line.sheet.center,
            member: self.member(),
            key_event: self.event,
            card,
            store,
            offer: Digest(Nonce::random().0.repeat(2).try_into().expect("32 bytes")),
            order: OrderHash(Salt::random().0),
            total,
            currency: Currency::YEN,
            offer_expires: Timestamp::now().plus_ms(VALID_MS),
            nonce: Nonce::random(),
            valid_until: Timestamp::now().plus_ms(VALID_MS),
        }
    }

    /// The member's number.
    pub(crate) fn member(&self) -> MemberNumber {
        match self.account {
            AccountNumber::Member(member) => member,
            AccountNumber::Store(_) => panic!("a store is no member"),
        }
    }

    /// The store's number.
    pub(crate) fn store(&self) -> StoreNumber {
        match self.account {
            AccountNumber::Store(store) => store,
            AccountNumber::Member(_) => panic!("a member is no store"),
        }
    }
}

/// A verified line to the center, on which nobody has logged in. What is pushed on it is thrown away.
pub(crate) async fn line(invitation: &str) -> Result<Line, LineError> {
    let invitation: Invitation = invitation.parse().expect("an invitation");
    terminal::connect(&invitation, 0, WAIT).await.map(|(line, _)| line)
}

/// So many yen.
pub(crate) fn yen(minor: u64) -> Amount {
    Amount::new(minor).expect("an amount within the limit")
}

/// The words of the problem that a request ended with.
#[track_caller]
pub(crate) fn problem<T: std::fmt::Debug>(
    outcome: Result<T, LineError>,
    kind: wire::message::ProblemKind,
) -> String {
    match outcome {
        Err(LineError::Problem(problem)) if problem.kind == kind => {
            crate::words::clear(&problem.words).to_owned()
        }
        other => panic!("{kind:?} was due, it ended with {other:?}"),
    }
}

/// What an honest newcomer fills in. No two are alike, or an operator would have to look at them.
fn honest(key: &str, own: u32) -> String {
    match key {
        "born" => "1990-04-01".into(),
        "email" => format!("peer-{own}@garden.example"),
        "phone" => format!("+81 3 1234 {:04}", 5_678 + own),
        "bank_account" => format!("0009/202/{:07}", 7_654_321 + own),
        "bic" | "kana" => String::new(),
        _ => format!("An Honest Peer {own}"),
    }
}
