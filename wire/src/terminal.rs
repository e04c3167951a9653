//! A terminal's session with its center: what a member's and a store's program do alike before any act of their own.
//!
//! [`connect`] tries the center's addresses in turn and believes nothing until the key sheet in the center's first
//! frame verifies under the pinned root key, is not lower than the one the terminal keeps, and names the key that the
//! line showed. [`Line::login`] speaks as an account and verifies what the center says about its keys. What comes
//! afterwards is checked with [`Line::check_verdict`] and [`Line::check_mail`] before it is kept.
//!
//! Nothing is stored here: the caller hands in the root key, the number of the kept sheet, the newest checkpoint and
//! the terminal key, and keeps what comes back.

/// Calls with one expected answer: the pattern gives the value, everything else an error.
macro_rules! expect {
    ($line:ident, $request:expr, $limit:ident, $pattern:pat => $value:expr) => {
        match $line.call($request, $limit).await? {
            $pattern => Ok($value),
            _ => Err($crate::terminal::LineError::Contradiction(
                "it answered something else than was asked".into(),
            )),
        }
    };
}

mod admission;
mod check;
mod copy;
mod sign;
mod trail;

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::{
    bounded::List,
    checkpoint::{Checkpoint, SignedCheckpoint},
    evidence::{self, Answered, Evidence},
    id::{AccountNumber, Digest, EntryNumber, Role, StoreNumber},
    key::{SigningKey, VerificationKey},
    limits,
    link::{self, Attempt, Link, LinkError, Pace, Peer},
    message::{
        self, Answer, Beside, CardView, Form, FundingTerms, LostItem, MailItem, MailPage, Problem,
        ProblemKind, Push, RegisterCall, Request, ServerHello, Verdict, Welcome,
    },
    payload::{self, ChainHead},
    receipt::Receipt,
    sheet::{Invitation, KeySheet, LogBreak, SheetError, SheetRole},
    telegram::Telegram,
    text,
    time::Timestamp,
    tls,
};

pub use check::{CheckError, mail_fits, verdict_fits};
pub use sign::{Applicant, Changer, Registrant, VALID_MS, certify};
pub use trail::{Told, Trail, compare};

/// A connection to a center whose key sheet was verified. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Line {
    /// The center's first frame, with the signed key sheet.
    pub hello: ServerHello,
    /// The verified key sheet.
    pub sheet: KeySheet,
    /// The address that answered, the key it showed, and the secret of this connection.
    pub peer: Peer,
    /// This terminal's clock when the first frame came, to compare with the center's.
    pub at: Timestamp,
    opened: Instant,
    root: VerificationKey,
    link: Link<Request, Answer>,
}

/// Why a line could not be opened, or something asked over it was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The connection failed or ended.
    #[error("no line to the center: {0}")]
    Link(#[from] LinkError),
    /// The key sheet is not to be believed; nothing was sent.
    #[error("the center is not believed: {0}")]
    Sheet(#[from] SheetError),
    /// No version that both speak.
    #[error("the center speaks protocol {min} to {max}, this program speaks {}; {}", message::VERSION, newer(*min))]
    Version {
        /// The oldest version that the center speaks.
        min: u16,
        /// The newest.
        max: u16,
    },
    /// The center did not hear the request, and entered nothing.
    #[error("{0}")]
    Problem(Problem),
    /// The center's words contradict its evidence, or what the terminal keeps.
    #[error("the center's answer is not believed: {0}")]
    Contradiction(String),
    /// Two checkpoints that the center signed contradict each other, or the center does not join them.
    #[error("the center is not believed: {0}")]
    Evidence(Box<Evidence>),
}

impl LineError {
    /// Whether a request that ended so may nevertheless have been carried out: only the center can tell.
    pub fn leaves_unknown(&self) -> bool {
        match self {
            Self::Link(LinkError::TooLong { .. } | LinkError::Unreachable { .. }) => false,
            Self::Link(_) | Self::Contradiction(_) | Self::Evidence(_) => true,
            Self::Sheet(_) | Self::Version { .. } | Self::Problem(_) => false,
        }
    }

    /// Whether a person must look at it: trying again will not mend it.
    pub fn is_alarm(&self) -> bool {
        match self {
            Self::Sheet(_) | Self::Contradiction(_) | Self::Evidence(_) => true,
            Self::Problem(problem) => problem.kind == ProblemKind::Fork,
            Self::Link(_) | Self::Version { .. } => false,
        }
    }
}

/// Opens a line to the center of an invitation: the first address at which it proves itself. Each address may take at
/// most `limit`. Beside the line comes the queue of what the center pushes; it must be read or dropped, because a full
/// queue holds up answers.
///
/// # Errors
/// [`LineError::Link`] when nobody answers; what was wrong with one who answered otherwise.
pub async fn connect(
    invitation: &Invitation,
    kept_sheet: u64,
    limit: Duration,
) -> Result<(Line, mpsc::Receiver<Push>), LineError> {
    let mut attempts = Vec::new();
    let mut reached = None;
    for address in &invitation.addresses {
        match open(address, &invitation.root, kept_sheet, limit).await {
            Ok(opened) => return Ok(opened),
            Err(LineError::Link(LinkError::Unreachable { attempts: failed })) => attempts.extend(failed),
            Err(LineError::Link(
                error @ (LinkError::Closed | LinkError::Timeout { .. } | LinkError::Io(_)),
            )) => {
                attempts.push(Attempt { address: address.to_string(), outcome: error.to_string() });
            }
            // One who answers and does not prove itself is what the person must hear of, whatever the others did.
            Err(error) => reached = reached.or(Some(error)),
        }
    }
    Err(reached.unwrap_or(LineError::Link(LinkError::Unreachable { attempts })))
}

async fn open(
    address: &text::Line,
    root: &VerificationKey,
    kept_sheet: u64,
    limit: Duration,
) -> Result<(Line, mpsc::Receiver<Push>), LineError> {
    let connected = link::connect(&[address.as_str()], &tls::client_config(), limit).await?;
    let peer = connected.peer().clone();
    let (hello, greeted) = connected.hello::<ServerHello>(limit).await?;
    let (at, opened) = (Timestamp::now(), Instant::now());
    let sheet = KeySheet::verify_line(&hello.sheet, root, kept_sheet, &peer.key)?;
    if message::VERSION < hello.min_version || message::VERSION > hello.max_version {
        return Err(LineError::Version { min: hello.min_version, max: hello.max_version });
    }
    let (link, pushes) = greeted.start(Pace::default());
    Ok((Line { hello, sheet, peer, at, opened, root: *root, link }, pushes))
}

/// The words after a version that does not fit.
fn newer(min: u16) -> &'static str {
    if min > message::VERSION {
        "use a newer program"
    } else {
        "the center must be renewed; ask its help contact"
    }
}

impl Line {
    /// The center's root key, which was pinned.
    pub fn root(&self) -> &VerificationKey {
        &self.root
    }

    /// The center's clock, as far as this line tells: what it said at the beginning and what has passed since.
    pub fn now(&self) -> Timestamp {
        let passed = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.hello.at.plus_ms(passed)
    }

    /// Sends a request and waits at most `limit` for its answer.
    ///
    /// # Errors
    /// [`LineError::Problem`] when the center did not hear it; [`LineError::Link`] when no answer came.
    pub async fn call(&self, request: Request, limit: Duration) -> Result<Answer, LineError> {
        match self.link.call(request, limit).await? {
            Answer::Problem(problem) => Err(LineError::Problem(problem)),
            answer => Ok(answer),
        }
    }

    /// Waits until the line has ended and says why.
    pub async fn closed(&self) -> LinkError {
        self.link.closed().await
    }

    /// Whether the line has ended.
    pub fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// Logs in with the terminal key, presenting the newest checkpoint that the terminal keeps, and verifies the
    /// welcome: its checkpoint under the sheet and not behind the kept one, the statement of keys under the sheet,
    /// the chain of keys under the statement. Whether these are the terminal's own keys is for the caller to compare.
    ///
    /// # Errors
    /// [`LineError::Contradiction`] names what does not hold.
    pub async fn login(
        &self,
        account: AccountNumber,
        terminal_key: &SigningKey,
        kept: Option<&SignedCheckpoint>,
        limit: Duration,
    ) -> Result<Welcome, LineError> {
        let proof = message::login_message(&self.sheet.center, account, &self.peer.exporter);
        let request =
            Request::Login { account, signature: terminal_key.sign(&proof), checkpoint: kept.cloned() };
        let welcome: Welcome = expect!(self, request, limit, Answer::Welcome(welcome) => *welcome)?;
        self.look_back(kept, &welcome.checkpoint)?;
        self.check_welcome(account, &welcome, kept).map_err(LineError::Contradiction)?;
        Ok(welcome)
    }

    /// Verifies a checkpoint under the sheet.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn check_checkpoint(&self, signed: &SignedCheckpoint) -> Result<Checkpoint, String> {
        let claimed = signed.claimed();
        if claimed.origin != self.sheet.log_origin {
            return Err("its checkpoint belongs to another journal".into());
        }
        let key = self.sheet.signer_of(claimed)?;
        signed.verify(&key).map_err(|error| error.to_string())
    }

    /// Verifies the evidence of a verdict, and that it speaks of this telegram and opens its signer's part.
    /// [`Verdict::Expired`], which has no evidence, is believed only once the telegram ran out by the center's own clock.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_verdict(&self, telegram: &Telegram, verdict: &Verdict) -> Result<(), CheckError> {
        if let Some(receipt) = verdict.receipt() {
            self.check_receipt(receipt)?;
        }
        if matches!(verdict, Verdict::Expired) {
            check::expired_fits(telegram, self.now())?;
        }
        verdict_fits(telegram, verdict)
    }

    /// Verifies the evidence of a piece of mail, and that it says the same as the words.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_mail(&self, item: &MailItem) -> Result<(), CheckError> {
        self.check_receipt(&item.receipt)?;
        mail_fits(item)
    }

    /// Verifies the answer to a registration: that its evidence says that exactly this key was entered under exactly
    /// the number that the registration names.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_registration(
        &self,
        telegram: &Telegram,
        (account, entry): (AccountNumber, EntryNumber),
        receipt: &Receipt,
    ) -> Result<(), CheckError> {
        self.check_receipt(receipt)?;
        check::registration_fits(telegram, (account, entry), receipt)
    }

    /// Verifies a receipt under the pinned root.
    ///
    /// # Errors
    /// The first check that does not hold.
    pub fn check_receipt(&self, receipt: &Receipt) -> Result<(), CheckError> {
        // A log that was broken off signs nothing any more.
        if receipt.checkpoint.claimed().origin != self.sheet.log_origin {
            return Err(CheckError("its checkpoint belongs to another journal".into()));
        }
        receipt.verify(&self.hello.sheet, &self.root).map_err(CheckError)
    }

    /// The form for a role.
    pub async fn form(&self, role: Role, limit: Duration) -> Result<Form, LineError> {
        expect!(self, Request::Form(role), limit, Answer::Form(form) => form)
    }

    /// Asks to be entered in the registers; the number, the key event and the evidence come back unverified.
    pub async fn register(
        &self,
        call: RegisterCall,
        limit: Duration,
    ) -> Result<(AccountNumber, EntryNumber, Receipt), LineError> {
        let request = Request::Register(Box::new(call));
        expect!(self, request, limit, Answer::Registered { account, entry, receipt } => (account, entry, receipt))
    }

    /// Sends a telegram to be entered. The verdict is not verified yet: see [`Line::check_verdict`].
    pub async fn submit(
        &self,
        telegram: Telegram,
        beside: Beside,
        limit: Duration,
    ) -> Result<Verdict, LineError> {
        expect!(self, Request::Submit { telegram, beside }, limit, Answer::Verdict(verdict) => *verdict)
    }

    /// Asks what became of a telegram that may have been sent; if it was never seen it never will count. The verdict
    /// is not verified yet: see [`Line::check_verdict`].
    pub async fn inquire(&self, telegram: Telegram, limit: Duration) -> Result<Verdict, LineError> {
        expect!(self, Request::Inquire(telegram), limit, Answer::Verdict(verdict) => *verdict)
    }

    /// The account's cards.
    pub async fn cards(&self, limit: Duration) -> Result<List<CardView, { limits::PAGE }>, LineError> {
        expect!(self, Request::Cards, limit, Answer::Cards(cards) => cards)
    }

    /// The account's card requests that wait for money.
    pub async fn funding(&self, limit: Duration) -> Result<List<FundingTerms, { limits::PAGE }>, LineError> {
        expect!(self, Request::Funding, limit, Answer::Funding(terms) => terms)
    }

    /// A page of the directory, verified under the sheet's directory key.
    pub async fn directory(
        &self,
        query: text::Line,
        after: Option<StoreNumber>,
        limit: Duration,
    ) -> Result<payload::DirectoryPage, LineError> {
        let page =
            expect!(self, Request::Directory { query, after }, limit, Answer::Directory(page) => page)?;
        let page: payload::DirectoryPage =
            self.spoken_by(SheetRole::Directory, &page).map_err(LineError::Contradiction)?;
        if page.center != self.sheet.center {
            return Err(LineError::Contradiction("the directory is another center's".into()));
        }
        Ok(page)
    }

    /// A store says where it listens; with no address it says that it closes.
    pub async fn announce(
        &self,
        addresses: List<text::Line, { limits::ADDRESSES }>,
        limit: Duration,
    ) -> Result<(), LineError> {
        expect!(self, Request::Announce { addresses }, limit, Answer::Done => ())
    }

    /// Unacknowledged mail after an entry; each piece is to be verified with [`Line::check_mail`].
    pub async fn mail(&self, after: Option<EntryNumber>, limit: Duration) -> Result<MailPage, LineError> {
        expect!(self, Request::Mail { after }, limit, Answer::Mail(page) => page)
    }

    /// Says that all mail up to an entry is safely kept.
    pub async fn acknowledge(&self, upto: EntryNumber, limit: Duration) -> Result<(), LineError> {
        expect!(self, Request::Acknowledge { upto }, limit, Answer::Done => ())
    }

    /// A fresh receipt for an entry that concerns this account, verified.
    pub async fn evidence(&self, entry: EntryNumber, limit: Duration) -> Result<Receipt, LineError> {
        let receipt =
            expect!(self, Request::Evidence { entry }, limit, Answer::Evidence(receipt) => receipt)?;
        self.check_receipt(&receipt).map_err(|error| LineError::Contradiction(error.to_string()))?;
        if receipt.leaf.entry != entry {
            return Err(LineError::Contradiction(format!("it sent evidence of another entry than {entry}")));
        }
        Ok(receipt)
    }

    /// Opens a telegram that a key of the sheet must have signed.
    fn spoken_by<P: crate::telegram::Payload>(
        &self,
        role: SheetRole,
        telegram: &Telegram,
    ) -> Result<P, String> {
        let signed = telegram.verify_self::<P>().map_err(|error| error.to_string())?;
        if self.sheet.current(role) != Some(signed.key()) {
            return Err(format!("the {} is not signed by the sheet's {role} key", telegram.kind));
        }
        Ok(signed.into_payload())
    }

    /// Where the log of a kept checkpoint was broken off, by the root key's word; `None` while it is in force.
    pub fn broken_off(&self, kept: &Checkpoint) -> Option<&LogBreak> {
        self.sheet.breaks.iter().find(|it| it.origin == kept.origin)
    }

    /// Hands in receipts of entries that are lost, with the telegrams that they settled; what comes back is for each the
    /// entry that took its place by now.
    pub async fn hand_in(
        &self,
        items: List<LostItem, { limits::LOST_ITEMS }>,
        limit: Duration,
    ) -> Result<Vec<Option<EntryNumber>>, LineError> {
        let count = items.len();
        let again =
            expect!(self, Request::HandIn { items }, limit, Answer::HandedIn(again) => again.into_vec())?;
        if again.len() == count {
            return Ok(again);
        }
        Err(LineError::Contradiction("it took other receipts than were handed in".into()))
    }

    /// Whether a checkpoint that the center shows is not behind one of the same log that it had signed before, and no
    /// other of the same size. That it goes on from it is for [`Line::join`] to ask.
    fn look_back(&self, kept: Option<&SignedCheckpoint>, shown: &SignedCheckpoint) -> Result<(), LineError> {
        let Some(kept) = kept.filter(|kept| kept.claimed().origin == shown.claimed().origin) else {
            return Ok(());
        };
        self.check_checkpoint(shown).map_err(LineError::Contradiction)?;
        if self.check_checkpoint(kept).is_err() {
            // What the center never signed convicts nobody; what is wrong here is said below.
            return Ok(());
        }
        let behind = shown.claimed().size < kept.claimed().size;
        if behind || evidence::contradiction(kept, shown).is_some() {
            return Err(self.convicts(kept, shown, Answered::NotAsked));
        }
        Ok(())
    }

    fn check_welcome(
        &self,
        account: AccountNumber,
        welcome: &Welcome,
        kept: Option<&SignedCheckpoint>,
    ) -> Result<(), String> {
        if welcome.account != account {
            return Err(format!("it welcomes {} where {account} logged in", welcome.account));
        }
        let checkpoint = self.check_checkpoint(&welcome.checkpoint)?;
        if let Some(kept) = kept.map(SignedCheckpoint::claimed) {
            if kept.origin == checkpoint.origin {
                follows((kept.size, &kept.root), &checkpoint)?;
            } else {
                let it =
                    self.broken_off(kept).ok_or("its journal is not the one that it had signed before")?;
                follows((it.size, &it.root), &checkpoint)?;
                if kept.size == it.size && kept.root != it.root {
                    return Err(format!("it goes on from other {} entries than it had signed", kept.size));
                }
            }
        }
        let head: ChainHead = self.spoken_by(SheetRole::Statement, &welcome.head)?;
        if head.center != self.sheet.center || head.account != account {
            return Err("its statement of keys speaks of another account".into());
        }
        if head.size != checkpoint.size || head.root != checkpoint.root {
            return Err("its statement of keys is not bound to its checkpoint".into());
        }
        if head.head != payload::chain_hash(account, &welcome.keys) {
            return Err("its statement of keys is not about the keys it lists".into());
        }
        Ok(())
    }
}

/// Whether a checkpoint can be of the log that had this size and root.
fn follows((size, root): (u64, &Digest), checkpoint: &Checkpoint) -> Result<(), String> {
    if checkpoint.size < size {
        return Err(format!("its journal has {} entries, but it had signed {size} before", checkpoint.size));
    }
    if checkpoint.size == size && checkpoint.root != *root {
        return Err(format!("it has signed two different journals of {size} entries"));
    }
    Ok(())
}

/// How long to wait before the next attempt to connect: from a quarter of a second, doubling up to half a minute, with a quarter of
/// chance in it so that a thousand terminals do not come back at one instant.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure.
    pub fn after_failure(&mut self) -> Duration {
        let base_ms = (250_u64 << self.failures.min(7)).min(30_000);
        self.failures = self.failures.saturating_add(1);
        let mut chance = [0];
        crate::key::random(&mut chance);
        Duration::from_millis(base_ms - base_ms / 4 * u64::from(chance[0]) / 255)
    }

    /// Begins anew after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests;
