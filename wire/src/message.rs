//! What a terminal and the center say to each other.
//!
//! The center speaks first: one [`ServerHello`]. Then the terminal calls with [`Request`]s, which may be pipelined;
//! each gets one [`Answer`]. Between answers the center may push. Before a login only what joining takes is heard
//! ([`crate::admission`]), [`Request::Login`] and [`Request::Recover`]. Variants are only ever appended.

mod fill;
mod form;
mod mail;
mod verdict;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    admission::{ActivationCode, ApplicationView, ApplyCall, Guide},
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, Role,
        Salt, StoreNumber, TelegramId,
    },
    key::{Signature, VerificationKey},
    limits,
    merkle::PROOF_DIGESTS,
    payload::{CashierRights, ClaimEvidence, KeyEvent, KeyRole},
    receipt::Receipt,
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

pub use self::{
    form::{Field, FieldKind, Form, Particulars, field},
    mail::{Mail, MailItem, MailPage},
    verdict::{Effect, Refusal, Verdict},
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
    /// The guide page for a role. → [`Answer::Guide`]
    Guide(Role),
    /// To be looked at by the center, or to amend what was asked back. → [`Answer::Application`]
    Apply(Box<ApplyCall>),
    /// How an application stands. → [`Answer::Application`]
    Application {
        /// Which.
        number: ApplicationNumber,
        /// The application's terminal key over [`crate::admission::application_message`].
        signature: Signature,
    },
    /// The newest admission kit: a signed [`crate::admission::Kit`]. → [`Answer::Kit`]
    Kit,
    /// A piece of a program that the kit offers. → [`Answer::Piece`]
    Build {
        /// The program's digest.
        digest: Digest,
        /// From which byte.
        offset: u64,
    },
    /// To speak on this connection as the account of a recovery key: to take the deposited copy and to change keys, and
    /// nothing else. → [`Answer::Recovering`]
    Recover {
        /// The recovery key.
        key: VerificationKey,
        /// Its signature over [`recover_message`].
        signature: Signature,
    },
    /// A piece of the deposited copy of the vault. → [`Answer::Piece`]
    Copy {
        /// From which byte.
        offset: u64,
    },
    /// A piece of a copy of the vault to be kept; the last piece puts it in the place of the former one.
    /// → [`Answer::Done`]
    Deposit {
        /// The whole copy's length.
        length: u64,
        /// SHA-256 of the whole copy.
        digest: Digest,
        /// Where this piece belongs.
        offset: u64,
        /// The piece.
        bytes: Bytes<{ limits::CHUNK }>,
    },
    /// A store's cashiers. → [`Answer::Cashiers`]
    Cashiers,
    /// Hands in receipts of entries that a restored or forked journal lost. → [`Answer::HandedIn`], once they are kept
    HandIn {
        /// The receipts.
        items: List<LostItem, { limits::LOST_ITEMS }>,
    },
    /// To be shown that journals go on from one another: for each pair of sizes, the smaller first, a consistency proof.
    /// → [`Answer::Consistency`]
    Consistency(List<(u64, u64), { limits::PROOFS }>),
    /// The newest hourly checkpoints. → [`Answer::Hours`]
    Hours,
    /// The receipt of an entry that concerns this account, as text that the center signs for those who have none of this
    /// house's programs ([`crate::statement`]). → [`Answer::TextReceipt`]
    TextReceipt {
        /// Which entry.
        entry: EntryNumber,
    },
}

/// What a recovery key signs to be believed on a connection: `inkan/v1/recover ‖ 0 ‖ center ‖ key ‖ TLS exporter`.
pub fn recover_message(center: &CenterId, key: &VerificationKey, exporter: &[u8; 32]) -> Vec<u8> {
    [b"inkan/v1/recover\0".as_slice(), &center.0, &key.0, exporter].concat()
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
    /// The salt under which the registration binds them and the code.
    pub salt: Salt,
    /// The activation code, as it came by mail or letter.
    pub code: ActivationCode,
    /// The terminal key's, and, where there is one, the recovery key's signature over
    /// [`crate::payload::possession_message`].
    pub possessions: List<(KeyRole, Signature), 2>,
}

/// What travels beside a [`crate::payload::KeyChange`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEvidence {
    /// The new key's signature over [`crate::payload::possession_message`]; none where a key is revoked.
    pub possession: Option<Signature>,
    /// The [`crate::payload::TerminalCertificate`] of the terminal key then in force, signed by the signature key then
    /// in force; none where a recovery key changes or a key is revoked.
    pub certificate: Option<Telegram>,
}

/// A receipt for an entry that is lost, with the telegram that it settled, where this terminal signed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostItem {
    /// The receipt, under a checkpoint of the log that was broken off.
    pub receipt: Receipt,
    /// The telegram, as it was sent.
    pub telegram: Option<Telegram>,
}

/// What travels beside a telegram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// For a claim: what proves the deliveries, one for each payment, in the same order.
    Claim(List<ClaimEvidence, { limits::CLAIM_ITEMS }>),
    /// For a change of a key.
    Keys(Box<KeyEvidence>),
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
    /// To [`Request::Guide`].
    Guide(Guide),
    /// To [`Request::Apply`] and [`Request::Application`].
    Application(ApplicationView),
    /// To [`Request::Kit`].
    Kit(Telegram),
    /// To [`Request::Build`] and [`Request::Copy`].
    Piece {
        /// From which byte.
        offset: u64,
        /// The bytes; fewer than a piece holds only at the end.
        bytes: Bytes<{ limits::CHUNK }>,
    },
    /// To [`Request::Recover`]: as at a login.
    Recovering(Box<Welcome>),
    /// To [`Request::Cashiers`].
    Cashiers(List<CashierView, { limits::CASHIERS }>),
    /// Not heard, and nothing was entered.
    Problem(Problem),
    /// To [`Request::Consistency`]: a proof (RFC 6962) for each pair, in the same order; none where the journal never had
    /// such sizes.
    Consistency(List<Option<List<Digest, PROOF_DIGESTS>>, { limits::PROOFS }>),
    /// To [`Request::Hours`]: oldest first.
    Hours(List<SignedCheckpoint, { limits::HOURS }>),
    /// To [`Request::TextReceipt`].
    TextReceipt {
        /// The receipt that the text is of, under the newest checkpoint.
        receipt: Receipt,
        /// The statement key's signature over the text ([`crate::statement::TextReceipt`]).
        signature: Signature,
    },
    /// To [`Request::HandIn`]: for each receipt, in its order, the entry that took the lost one's place by now.
    HandedIn(List<Option<EntryNumber>, { limits::LOST_ITEMS }>),
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
    /// No money leaves the account until then.
    pub held: Option<Timestamp>,
    /// A recovery key that waits until it is in force.
    pub waiting: Option<WaitingKey>,
    /// The newest admission kit's number; higher than the one that is kept means that there is something new.
    pub kit: u64,
    /// Length, digest and time of the deposited copy of the vault.
    pub copy: Option<CopyView>,
}

/// A recovery key that waits until it is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingKey {
    /// The entry of the change.
    pub change: EntryNumber,
    /// The new key.
    pub key: VerificationKey,
    /// In force from then on.
    pub from: Timestamp,
}

/// The copy of a vault that lies with the center, sealed to its owner's phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyView {
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256.
    pub digest: Digest,
    /// When it was deposited.
    pub at: Timestamp,
}

/// A store's cashier as the center has entered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashierView {
    /// Its terminal key.
    pub key: VerificationKey,
    /// What it may do.
    pub rights: CashierRights,
    /// The entry that certified it: its key event.
    pub entry: EntryNumber,
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

    /// How long to wait before the same is asked again, where the center says so: with a quarter of chance added, so
    /// that those who were turned away together do not come back at one instant. At most a minute.
    pub fn retry_after(&self) -> Option<Duration> {
        let ProblemKind::RetryAfter { ms } = self.kind else { return None };
        let ms = u64::from(ms.min(60_000));
        let mut chance = [0];
        crate::key::random(&mut chance);
        Some(Duration::from_millis(ms + ms / 4 * u64::from(chance[0]) / 255))
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
    /// The center has more to do than it can, and nothing was entered; what waits now will be done after so long.
    RetryAfter {
        /// In milliseconds.
        ms: u32,
    },
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
