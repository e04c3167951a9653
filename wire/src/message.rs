//! What a terminal and the center say to each other.
//!
//! The center speaks first: one [`ServerHello`]. Then the terminal calls with [`Request`]s, which may be pipelined;
//! each gets one [`Answer`]. Between answers the center may push. Only [`Request::Form`], [`Request::Register`] and
//! [`Request::Login`] are heard before a login. Variants are only ever appended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    id::{
        AccountNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, OrderHash, Role, Salt,
        StoreNumber, TelegramId,
    },
    key::Signature,
    limits,
    payload::{ClaimEvidence, KeyEvent, RefundReason},
    receipt::{PayoutState, Receipt},
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;

/// The center's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerHello {
    /// The oldest protocol version it speaks.
    pub min_version: u16,
    /// The newest.
    pub max_version: u16,
    /// The newest [`crate::sheet::KeySheet`].
    pub sheet: Telegram,
    /// The center's name.
    pub name: Line,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone (IANA).
    pub zone: Line,
    /// Whom to turn to.
    pub help: Line,
    /// The center's clock.
    pub at: Timestamp,
}

/// What a terminal signs with its terminal key to log in; [`login_message`] builds the bytes.
pub fn login_message(center: &CenterId, account: AccountNumber, exporter: &[u8; 32]) -> Vec<u8> {
    let role: &[u8] = match account.role() {
        Role::Member => b"member",
        Role::Store => b"store",
    };
    let account = crate::codec::encode(&account);
    [b"inkan/v1/login\0".as_slice(), &center.0, &account, role, exporter].concat()
}

/// What a terminal asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The form to fill in for a role. → [`Answer::Form`]
    Form(Role),
    /// To be entered in the registers. → [`Answer::Registered`]
    Register(Box<RegisterCall>),
    /// To speak as an account on this connection. → [`Answer::Welcome`]
    Login {
        /// Which account.
        account: AccountNumber,
        /// The terminal key's signature over [`login_message`].
        signature: Signature,
        /// The newest checkpoint the terminal has seen.
        checkpoint: Option<SignedCheckpoint>,
    },
    /// To enter a telegram. → [`Answer::Verdict`]
    Submit {
        /// The telegram.
        telegram: Telegram,
        /// What travels beside it.
        beside: Beside,
    },
    /// What became of a telegram that may have been sent: an unseen one is entered as void. → [`Answer::Verdict`]
    Inquire(Telegram),
    /// The account's cards. → [`Answer::Cards`]
    Cards,
    /// The account's card requests that wait for money. → [`Answer::Funding`]
    Funding,
    /// A page of the directory: stores whose name holds `query`, after a number. → [`Answer::Directory`]
    Directory {
        /// What the name must contain, ignoring case; empty for all.
        query: Line,
        /// Where the page begins.
        after: Option<StoreNumber>,
    },
    /// A store says where it listens; empty when it closes. → [`Answer::Done`]
    Announce {
        /// `host:port`.
        addresses: List<Line, { limits::ADDRESSES }>,
    },
    /// Unacknowledged mail after an entry. → [`Answer::Mail`]
    Mail {
        /// Where the page begins.
        after: Option<EntryNumber>,
    },
    /// All mail up to this entry is safely kept at the terminal. → [`Answer::Done`]
    Acknowledge {
        /// The last entry kept.
        upto: EntryNumber,
    },
    /// A fresh receipt for an entry that concerns this account. → [`Answer::Evidence`]
    Evidence {
        /// Which entry.
        entry: EntryNumber,
    },
}

/// A registration with all that travels beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterCall {
    /// The [`crate::payload::Registration`], signed by the key it registers.
    pub telegram: Telegram,
    /// The [`crate::payload::TerminalCertificate`] of its terminal key, signed by the same key.
    pub certificate: Telegram,
    /// The encoded [`Particulars`].
    pub particulars: Bytes<{ limits::PARTICULARS }>,
    /// The salt under which the registration binds them.
    pub salt: Salt,
}

/// What travels beside a telegram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// For a claim: what proves the deliveries, one for each payment, in the same order.
    Claim(List<ClaimEvidence, { limits::CLAIM_ITEMS }>),
}

/// What a form's field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// One line.
    Line,
    /// Several lines.
    Prose,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A bank account: an IBAN, or `bank/branch/number`.
    BankAccount,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in [`Particulars`].
    pub key: Line,
    /// What stands beside it on the screen.
    pub label: Line,
    /// A sentence of help.
    pub help: Line,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether it must be filled in.
    pub required: bool,
    /// The most characters it takes.
    pub max_chars: u16,
}

/// The center's form for one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// For whom.
    pub role: Role,
    /// Counts up with every change.
    pub version: u32,
    /// The fields, in the order of the screen.
    pub fields: List<Field, { limits::FORM_FIELDS }>,
    /// The terms that signing accepts.
    pub terms: Prose,
}

impl Form {
    /// The hash of the terms, which a registration signs.
    pub fn terms_hash(&self) -> Digest {
        Digest::of(&[b"inkan/v1/terms", self.terms.as_bytes()])
    }
}

/// A filled-in form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// The form's version.
    pub form: u32,
    /// Field keys and what was filled in, in the form's order.
    pub fields: List<(Line, Prose), { limits::FORM_FIELDS }>,
}

impl Particulars {
    /// What was filled in for a key; empty when nothing was.
    pub fn field(&self, key: &str) -> &str {
        self.fields.iter().find(|(name, _)| name.as_str() == key).map_or("", |(_, value)| value.as_str())
    }
}

/// The keys of the fields that the center itself reads; a form may have more.
pub mod field {
    /// A member's name.
    pub const NAME: &str = "name";
    /// A postal address.
    pub const ADDRESS: &str = "address";
    /// A member's date of birth.
    pub const BORN: &str = "born";
    /// An e-mail address.
    pub const EMAIL: &str = "email";
    /// A telephone number.
    pub const PHONE: &str = "phone";
    /// The name a store trades under; it is public.
    pub const TRADE_NAME: &str = "trade_name";
    /// Whom to talk to at a store.
    pub const CONTACT: &str = "contact";
    /// The holder of a store's bank account.
    pub const ACCOUNT_HOLDER: &str = "account_holder";
    /// A store's bank account.
    pub const BANK_ACCOUNT: &str = "bank_account";
    /// The BIC of a store's bank, where its account is no IBAN or the bank wants it.
    pub const BIC: &str = "bic";
}

/// What the center answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// To [`Request::Form`].
    Form(Form),
    /// To [`Request::Register`].
    Registered {
        /// The number.
        account: AccountNumber,
        /// The key event: the entry that entered it.
        entry: EntryNumber,
        /// Evidence of it.
        receipt: Receipt,
    },
    /// To [`Request::Login`].
    Welcome(Box<Welcome>),
    /// To [`Request::Submit`] and [`Request::Inquire`].
    Verdict(Box<Verdict>),
    /// To [`Request::Cards`].
    Cards(List<CardView, { limits::PAGE }>),
    /// To [`Request::Funding`].
    Funding(List<FundingTerms, { limits::PAGE }>),
    /// To [`Request::Directory`]: a signed [`crate::payload::DirectoryPage`].
    Directory(Telegram),
    /// To [`Request::Mail`].
    Mail(MailPage),
    /// To [`Request::Evidence`].
    Evidence(Receipt),
    /// Done; there is nothing to say.
    Done,
    /// Not heard, and nothing was entered.
    Problem(Problem),
}

/// What a terminal learns when it has logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The account.
    pub account: AccountNumber,
    /// The newest checkpoint.
    pub checkpoint: SignedCheckpoint,
    /// The account's key events, oldest first.
    pub keys: List<KeyEvent, { limits::PAGE }>,
    /// The signed [`crate::payload::ChainHead`] over them.
    pub head: Telegram,
    /// How many pieces of mail wait.
    pub mail: u64,
    /// Whether payments are taken now.
    pub open: bool,
}

/// What became of a telegram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Entered and done.
    Done {
        /// What it brought about.
        effect: Effect,
        /// Evidence of it.
        receipt: Receipt,
    },
    /// Entered and refused; the id is final.
    Refused {
        /// Why.
        reason: Refusal,
        /// Evidence of it.
        receipt: Receipt,
    },
    /// Entered as never to be done.
    Void {
        /// Evidence of it.
        receipt: Receipt,
    },
    /// Never entered, and its `valid_until` is past: it never will be.
    Expired,
}

impl Verdict {
    /// The evidence, where there is an entry.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Done { receipt, .. } | Self::Refused { receipt, .. } | Self::Void { receipt } => {
                Some(receipt)
            }
            Self::Expired => None,
        }
    }
}

/// What a telegram brought about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// A payment was settled.
    Paid {
        /// What the card holds when the payment was entered.
        balance: Amount,
    },
    /// A card request was opened; this is how to pay for it.
    FundingOpened(FundingTerms),
    /// A payment was given back.
    Refunded,
    /// A claim was accepted; the payout follows.
    Claimed,
    /// A key was changed.
    KeyChanged,
}

/// Why an authentic telegram was refused. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The key that signed is not in force any more.
    KeyNotInForce,
    /// It came after its `valid_until`.
    Expired,
    /// The offer expired.
    OfferExpired,
    /// It is in another currency than the center's.
    WrongCurrency,
    /// An amount of nothing.
    AmountZero,
    /// An amount outside what the center allows.
    AmountOutOfRange {
        /// The least.
        least: Amount,
        /// The most.
        most: Amount,
    },
    /// There is no such card, or it is another's.
    UnknownCard,
    /// The card is frozen.
    CardFrozen,
    /// The account is frozen.
    AccountFrozen,
    /// There is no such store.
    UnknownStore,
    /// The store's account is frozen.
    StoreFrozen,
    /// The order was paid before.
    AlreadyPaid {
        /// By this entry.
        by: EntryNumber,
    },
    /// The card holds too little.
    BalanceShort {
        /// By so much.
        by: Amount,
    },
    /// The telegram was entered as void.
    Voided,
    /// There is no such payment, or it is another's.
    UnknownPayment {
        /// The entry that was named.
        payment: EntryNumber,
    },
    /// The payment was given back before.
    AlreadyRefunded {
        /// The payment.
        payment: EntryNumber,
    },
    /// The payment was claimed before.
    AlreadyClaimed {
        /// The payment.
        payment: EntryNumber,
    },
    /// The amount differs from the payment's.
    WrongAmount {
        /// The payment's.
        expected: Amount,
    },
    /// These payments' goods are not delivered, or what should prove it does not.
    NotDelivered {
        /// Which.
        payments: List<EntryNumber, { limits::CLAIM_ITEMS }>,
    },
    /// A claim that names nothing, names a payment twice, or not in ascending order.
    ClaimOutOfOrder,
    /// Too many refusals lately from this signer.
    TooManyRefusals,
    /// The store has no bank account that money could be sent to.
    NoBankAccount,
    /// The key is registered already.
    KeyTaken,
    /// What it names does not exist, or is not in the state for it.
    NotPossible(Line),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyNotInForce => f.write_str("the key that signed it is not in force any more"),
            Self::Expired => f.write_str("it came after the time until which it was valid"),
            Self::OfferExpired => f.write_str("the store's offer has expired; order again"),
            Self::WrongCurrency => f.write_str("it is in another currency than the center's"),
            Self::AmountZero => f.write_str("the amount is nothing"),
            Self::AmountOutOfRange { .. } => f.write_str("the amount is outside what the center allows"),
            Self::UnknownCard => f.write_str("there is no such card of this member"),
            Self::CardFrozen => f.write_str("the card is frozen; ask the center"),
            Self::AccountFrozen => f.write_str("the account is frozen; ask the center"),
            Self::UnknownStore => f.write_str("there is no such store"),
            Self::StoreFrozen => f.write_str("the store's account is frozen"),
            Self::AlreadyPaid { by } => write!(f, "this order was already paid by {by}"),
            Self::BalanceShort { .. } => f.write_str("the card holds too little"),
            Self::Voided => f.write_str("it was withdrawn before it arrived"),
            Self::UnknownPayment { payment } => write!(f, "there is no payment {payment} of this store"),
            Self::AlreadyRefunded { payment } => write!(f, "{payment} was already refunded"),
            Self::AlreadyClaimed { payment } => write!(f, "{payment} was already claimed"),
            Self::WrongAmount { .. } => f.write_str("the amount is not the one that was paid"),
            Self::NotDelivered { payments } => {
                let names: Vec<String> = payments.iter().map(ToString::to_string).collect();
                write!(f, "not proved to be delivered: {}", names.join(", "))
            }
            Self::ClaimOutOfOrder => f.write_str("the claim names no payment, or one twice"),
            Self::TooManyRefusals => f.write_str("too many refused telegrams lately; wait a minute"),
            Self::NoBankAccount => f.write_str("no bank account is registered to send the money to"),
            Self::KeyTaken => f.write_str("this key is registered already"),
            Self::NotPossible(words) => f.write_str(words),
        }
    }
}

/// Why a request was not heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of problem.
    pub kind: ProblemKind,
    /// One sentence for people: what is wrong and what to do.
    pub words: Prose,
}

impl Problem {
    /// A problem with words of our own.
    ///
    /// # Panics
    /// Never: words that are too long are cut at a character.
    pub fn new(kind: ProblemKind, words: impl fmt::Display) -> Self {
        let words: String = words.to_string().chars().take(limits::PROSE / 12).collect();
        Self { kind, words: Prose::new(&words).unwrap_or_default() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// Kinds of problems. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProblemKind {
    /// The center has more to do than it can; try again soon.
    Busy,
    /// The request makes no sense.
    Malformed,
    /// There is no such account, or its key is another.
    NotAuthentic,
    /// It is for another center.
    WrongCenter,
    /// Only after a login.
    NotLoggedIn,
    /// Not for this role, or not this account's.
    NotAllowed,
    /// Too many tries; wait.
    Limited,
    /// Payments are stopped; nothing was entered.
    Stopped,
    /// The terminal's checkpoint contradicts the journal.
    Fork,
    /// There is no such thing.
    NotFound,
}

/// A card as the books hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardView {
    /// The card.
    pub card: CardNumber,
    /// What it holds.
    pub balance: Amount,
    /// Whether it is frozen.
    pub frozen: bool,
    /// When it was issued.
    pub issued: Timestamp,
    /// Its [`crate::payload::CardCertificate`].
    pub certificate: Telegram,
}

/// How to pay for a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingTerms {
    /// The entry of the request.
    pub request: EntryNumber,
    /// The request's telegram.
    pub telegram: TelegramId,
    /// The exact amount to transfer.
    pub amount: Amount,
    /// The center's account.
    pub account: BankAccount,
    /// The reference to give (ISO 11649).
    pub reference: Line,
    /// The request lapses after this.
    pub expires: Timestamp,
}

/// A bank account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    /// Who holds it.
    pub holder: Line,
    /// An IBAN without blanks, or `bank/branch/number`.
    pub number: Line,
    /// The bank's BIC, where there is one.
    pub bic: Option<Line>,
}

/// Unacknowledged mail, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPage {
    /// The pieces.
    pub items: List<MailItem, { limits::PAGE }>,
    /// Whether more follow after the last.
    pub more: bool,
}

/// One piece of mail: an entry that concerns the account. It is kept until acknowledged and may come twice; the
/// entry number tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailItem {
    /// What happened.
    pub body: Mail,
    /// Evidence of it; its leaf holds number and time.
    pub receipt: Receipt,
}

/// What a piece of mail says. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mail {
    /// To a store: the payment notice.
    Paid {
        /// The order.
        order: OrderHash,
        /// The signed offer's digest.
        offer: Digest,
        /// How much.
        total: Amount,
    },
    /// To a member: a payment came back.
    Refunded {
        /// The payment's entry.
        payment: EntryNumber,
        /// The card it came back to.
        card: CardNumber,
        /// How much.
        amount: Amount,
        /// Why.
        reason: RefundReason,
    },
    /// To a member: the card is there.
    CardIssued {
        /// The entry of the request.
        request: EntryNumber,
        /// What it holds.
        amount: Amount,
        /// The [`crate::payload::CardCertificate`].
        certificate: Telegram,
    },
    /// To a member: a card request lapsed.
    CardLapsed {
        /// The entry of the request.
        request: EntryNumber,
    },
    /// To a store: how a claim's payout stands.
    Payout {
        /// The claim's entry.
        claim: EntryNumber,
        /// How much.
        amount: Amount,
        /// How it stands.
        state: PayoutState,
    },
    /// To either: a key was changed.
    KeyChanged(KeyEvent),
}

/// What the center says unasked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Push {
    /// New mail.
    Mail(Box<MailItem>),
    /// The center ends the connection, with the reason.
    Closing(Prose),
    /// Payments are taken again, or not any more.
    Open(bool),
}

/// The member whom a member-only request speaks for.
pub fn member_of(account: AccountNumber) -> Option<MemberNumber> {
    match account {
        AccountNumber::Member(member) => Some(member),
        AccountNumber::Store(_) => None,
    }
}
