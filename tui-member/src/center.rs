//! The line to the center: connecting, logging in, comparing keys, taking mail.

mod journal;
mod lost;
mod own;

pub(crate) use self::own::remember;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};
use vault::Surroundings;
use wire::{
    codec,
    id::{AccountNumber, EntryNumber, MemberNumber, TelegramId},
    key::SigningKey,
    message::{CardView, Mail, MailItem, ProblemKind, Push, Welcome, member_of},
    payload::{CardCertificate, KeyEvent, KeyRole},
    receipt::MemberPart,
    sheet::SheetRole,
    telegram::Telegram,
    terminal::{self, Line, LineError},
    time::Timestamp,
};

use crate::{
    act::{Failure, FailureKind},
    keep::Keep,
    record::{CenterSeen, Record},
    view::LineView,
};

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To reach one address, with the handshake and the first words.
    pub connect: Duration,
    /// For one answer.
    pub answer: Duration,
}

impl Default for Patience {
    /// 10 s for an address, 20 s for an answer.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(20) }
    }
}

/// What a member's program takes from outside: how patient it is, and the vault's randomness, clock and password cost.
#[derive(Debug, Clone)]
pub struct Means {
    /// How long things may take.
    pub patience: Patience,
    /// The vault's surroundings.
    pub vault: Surroundings,
}

impl Default for Means {
    /// The default patience and the operating system.
    fn default() -> Self {
        Self { patience: Patience::default(), vault: Surroundings::system() }
    }
}

impl From<Patience> for Means {
    fn from(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }
}

/// The way to the center: at most one session at a time, made when it is needed.
pub(crate) struct Center {
    pub(crate) keep: Keep,
    pub(crate) patience: Patience,
    current: AsyncMutex<Option<Arc<Session>>>,
    /// Telegrams that an act of this process is sending right now: asking about them meanwhile would void them.
    sending: Mutex<HashSet<TelegramId>>,
    /// The center has said that there is mail.
    pub(crate) news: Arc<Notify>,
}

/// A line on which this member is logged in.
pub(crate) struct Session {
    pub(crate) line: Line,
    pub(crate) member: MemberNumber,
    /// The event that put the signature key in force, if the key in force is this vault's.
    key_event: Result<EntryNumber, Failure>,
    answer: Duration,
    /// One at a time takes the mail.
    mail: AsyncMutex<()>,
}

/// Keeps a telegram out of inquiries while an act sends it.
pub(crate) struct Sending<'a> {
    center: &'a Center,
    id: TelegramId,
}

impl Center {
    pub(crate) fn new(keep: Keep, patience: Patience) -> Self {
        Self {
            keep,
            patience,
            current: AsyncMutex::new(None),
            sending: Mutex::default(),
            news: Arc::default(),
        }
    }

    /// The session that is there, or a new one; whether it is new comes with it.
    ///
    /// # Errors
    /// In words, when the center can't be reached, is not believed, or does not let this member in.
    pub(crate) async fn session(&self) -> Result<(Arc<Session>, bool), Failure> {
        let mut current = self.current.lock().await;
        if let Some(session) = current.as_ref().filter(|session| !session.line.is_closed()) {
            return Ok((session.clone(), false));
        }
        *current = None;
        self.keep.set_line(LineView::Connecting { since: Timestamp::now().into() });
        match self.open().await {
            Ok(session) => {
                *current = Some(session.clone());
                Ok((session, true))
            }
            Err(failure) => {
                self.keep.set_line(LineView::Down { why: failure.message.clone(), retry: None });
                Err(failure)
            }
        }
    }

    /// Lets go of the session, so that the next act logs in anew: after a change of keys.
    pub(crate) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    /// A line of its own on which the recovery key speaks, and what the center said. It only takes the deposited copy
    /// and changes keys.
    ///
    /// # Errors
    /// In words, also when the key is another account's.
    pub(crate) async fn recover(&self, key: &SigningKey) -> Result<(Arc<Session>, Welcome), Failure> {
        let facts = self.keep.with(|kept| {
            Ok::<_, Failure>((
                kept.invitation()?,
                kept.sheet_number(),
                kept.book.account()?,
                kept.book.checkpoint().cloned(),
            ))
        });
        let (invitation, sheet, account, checkpoint) = facts.await?;
        let failed = |error: LineError| failure(&error);
        let (line, pushes) =
            terminal::connect(&invitation, sheet, self.patience.connect).await.map_err(failed)?;
        drop(pushes);
        let welcome = line.recover(key, checkpoint.as_ref(), self.patience.answer).await.map_err(failed)?;
        if welcome.account != account {
            return Err(Failure::not_possible(format!(
                "this recovery phrase is that of {}, and this vault is {account}'s",
                welcome.account
            )));
        }
        self.join_with(&line, Some(&welcome.checkpoint)).await?;
        self.keep_center(&line).await?;
        let event = newest(&welcome, KeyRole::Recovery).map(|event| event.entry);
        let key_event =
            event.ok_or_else(|| Failure::contradiction("the center lists no recovery key of this account"));
        let member = member_of(account).ok_or_else(|| Failure::not_possible("this vault is a store's"))?;
        let session =
            Session { line, member, key_event, answer: self.patience.answer, mail: AsyncMutex::new(()) };
        Ok((Arc::new(session), welcome))
    }

    /// Marks a telegram as being sent.
    pub(crate) fn sending(&self, id: TelegramId) -> Sending<'_> {
        self.sending_set().insert(id);
        Sending { center: self, id }
    }

    /// Whether an act is sending a telegram right now.
    pub(crate) fn is_sending(&self, id: &TelegramId) -> bool {
        self.sending_set().contains(id)
    }

    /// Takes all mail that waits: verified, kept on disk, and only then acknowledged.
    pub(crate) async fn take_mail(&self, session: &Session) -> Result<(), Failure> {
        let _one = session.mail.lock().await;
        let mut after = None;
        // Once a piece is not believed nothing behind it is acknowledged, so that the center keeps it.
        let mut clean = true;
        loop {
            let page =
                session.line.mail(after, session.answer).await.map_err(|error| self.failure(&error))?;
            let Some(last) = page.items.last().map(|item| item.receipt.leaf.entry) else { break };
            let mut upto = None;
            for item in page.items {
                let entry = item.receipt.leaf.entry;
                clean &= self.keep_mail(session, item).await?;
                upto = if clean { Some(entry) } else { upto };
            }
            if let Some(upto) = upto {
                session.line.acknowledge(upto, session.answer).await.map_err(|error| self.failure(&error))?;
            }
            if !page.more || after.is_some_and(|after| last <= after) {
                break;
            }
            after = Some(last);
        }
        self.keep_up(session).await;
        Ok(())
    }

    /// Keeps one piece of mail; false when it is not believed.
    async fn keep_mail(&self, session: &Session, item: MailItem) -> Result<bool, Failure> {
        let entry = item.receipt.leaf.entry;
        let checked = session.line.check_mail(&item).map_err(|error| error.to_string());
        let checked = checked.and_then(|()| fits_member(session, &item));
        match checked {
            Ok(()) => {
                let kept = self.keep.with(move |kept| {
                    if kept.book.has_mail(entry) { Ok(()) } else { kept.append(Record::Mail(item)) }
                });
                kept.await.map(|()| true)
            }
            Err(why) => {
                let words = format!("mail from the center about {entry} is not believed: {why}");
                self.alarm(words, codec::encode(&item)).await?;
                Ok(false)
            }
        }
    }

    /// Keeps an alarm with its evidence.
    pub(crate) async fn alarm(&self, words: String, evidence: Vec<u8>) -> Result<(), Failure> {
        self.keep.with(move |kept| kept.alarm(&words, evidence)).await
    }

    /// What an error on the line means to whoever asked.
    pub(crate) fn failure(&self, error: &LineError) -> Failure {
        failure(error)
    }

    fn sending_set(&self) -> std::sync::MutexGuard<'_, HashSet<TelegramId>> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<Arc<Session>, Failure> {
        let facts = self.keep.with(|kept| {
            let account = kept.book.account()?;
            let member =
                member_of(account).ok_or_else(|| Failure::not_possible("this vault is a store's"))?;
            Ok::<_, Failure>((
                kept.invitation()?,
                kept.sheet_number(),
                member,
                kept.vault.terminal_key()?.clone(),
                kept.book.checkpoint().cloned(),
            ))
        });
        let (invitation, sheet, member, terminal_key, checkpoint) = facts.await?;
        let account = AccountNumber::Member(member);
        let opened = match terminal::connect(&invitation, sheet, self.patience.connect).await {
            Ok((line, pushes)) => line
                .login(account, &terminal_key, checkpoint.as_ref(), self.patience.answer)
                .await
                .map(|welcome| (line, pushes, welcome)),
            Err(error) => Err(error),
        };
        let (line, pushes, welcome) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                return Err(self.not_joined(error).await?);
            }
        };
        self.keep_center(&line).await?;
        self.join_with(&line, Some(&welcome.checkpoint)).await?;
        let key_event = self.compare_keys(&welcome).await?;
        let session = Arc::new(Session {
            line,
            member,
            key_event,
            answer: self.patience.answer,
            mail: AsyncMutex::new(()),
        });
        if let Err(failure) = self.hand_in(&session).await {
            tracing::warn!("handing in receipts of lost entries: {failure}");
        }
        self.keep.set_line(session.view(welcome.open));
        self.attend(&session, pushes);
        Ok(session)
    }

    /// Keeps what is new in the center's first words.
    pub(crate) async fn keep_center(&self, line: &Line) -> Result<(), Failure> {
        let seen = seen(line);
        let (sheet, number) = (line.hello.sheet.clone(), line.sheet.number);
        self.keep
            .with(move |kept| {
                if kept.book.center.as_ref() != Some(&seen) {
                    kept.append(Record::Center(seen))?;
                }
                let newer = number > kept.sheet_number();
                if newer { kept.pin(|center| center.sheet = Some(sheet)) } else { Ok(()) }
            })
            .await
    }

    /// Attends to what the center pushes, until the line ends.
    fn attend(&self, session: &Arc<Session>, mut pushes: mpsc::Receiver<Push>) {
        let (keep, news) = (self.keep.clone(), self.news.clone());
        // The line closes when the last user drops it, and this is none.
        let attended = Arc::downgrade(session);
        // It waits for no answer: a full queue of pushes would hold up the answers themselves.
        tokio::spawn(async move {
            let mut farewell = None;
            while let Some(push) = pushes.recv().await {
                match push {
                    // The mail is asked for like all other, so that there is one way for it into the vault.
                    Push::Mail(_) => news.notify_one(),
                    Push::Open(open) => {
                        if let Some(session) = attended.upgrade() {
                            keep.set_line(session.view(open));
                        }
                    }
                    Push::Closing(words) => {
                        farewell = Some(format!("the center ended the connection: {words}"))
                    }
                }
            }
            if let Some(session) = attended.upgrade() {
                let ended = session.line.closed().await;
                let why = farewell.unwrap_or_else(|| format!("the line to the center ended: {ended}"));
                keep.set_line(LineView::Down { why, retry: None });
            }
        });
    }
}

impl Session {
    /// The center's clock, as far as this line tells.
    pub(crate) fn now(&self) -> Timestamp {
        self.line.now()
    }

    /// The key event to name in a telegram.
    ///
    /// # Errors
    /// When the key in force at the center is not this vault's.
    pub(crate) fn key_event(&self) -> Result<EntryNumber, Failure> {
        self.key_event.clone()
    }

    /// How long an answer may take.
    pub(crate) fn answer(&self) -> Duration {
        self.answer
    }

    /// Whether a card of the center's list carries a certificate for this member.
    pub(crate) fn check_card(&self, card: &CardView) -> Result<(), String> {
        let said = self.certificate(&card.certificate)?;
        if said.card == card.card && said.member == self.member {
            return Ok(());
        }
        Err(format!("the certificate of card {} is about another card", card.card))
    }

    /// A card's certificate, verified under the sheet.
    fn certificate(&self, telegram: &Telegram) -> Result<CardCertificate, String> {
        let signed = telegram.verify_self::<CardCertificate>().map_err(|error| error.to_string())?;
        let known =
            self.line.sheet.keys.iter().any(|key| key.role == SheetRole::Card && key.key == signed.key());
        if !known || signed.payload().center != self.line.sheet.center {
            return Err("a card's certificate is not signed by the center's card key".into());
        }
        Ok(signed.into_payload())
    }

    fn view(&self, payments: bool) -> LineView {
        LineView::Connected {
            address: self.line.peer.address.clone(),
            since: Timestamp::now().into(),
            payments,
        }
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.center.sending_set().remove(&self.id);
    }
}

/// What a center says about itself in its first frame.
pub(crate) fn seen(line: &Line) -> CenterSeen {
    let hello = &line.hello;
    CenterSeen {
        name: hello.name.clone(),
        currency: hello.currency,
        zone: hello.zone.clone(),
        help: hello.help.clone(),
    }
}

/// What an error on a line means to whoever asked.
pub(crate) fn failure(error: &LineError) -> Failure {
    let kind = match error {
        LineError::Link(_) => FailureKind::Offline,
        LineError::Version { .. } => FailureKind::NotPossible,
        LineError::Sheet(_) | LineError::Contradiction(_) | LineError::Evidence(_) => {
            FailureKind::Contradiction
        }
        LineError::Problem(problem) => match problem.kind {
            ProblemKind::Fork => FailureKind::Contradiction,
            ProblemKind::NotFound => FailureKind::NotFound,
            _ => FailureKind::Refused,
        },
    };
    Failure::new(kind, error)
}

/// Whether mail that fits its own evidence is one that a member gets, and bears a certificate where it brings a card.
fn fits_member(session: &Session, item: &MailItem) -> Result<(), String> {
    match &item.body {
        Mail::Paid { .. } | Mail::Payout { .. } | Mail::RefundedByCenter { .. } => {
            Err("it is mail for a store".into())
        }
        Mail::CardIssued { certificate, .. } => {
            let said = session.certificate(certificate)?;
            let Ok(MemberPart::CardIssued { card, .. }) = item.receipt.member_part() else {
                return Err("its evidence issues no card".into());
            };
            if (said.card, said.member, said.entry) == (card, session.member, item.receipt.leaf.entry) {
                Ok(())
            } else {
                Err("its certificate is about another card".into())
            }
        }
        Mail::Refunded { .. }
        | Mail::CardLapsed { .. }
        | Mail::KeyChanged(_)
        | Mail::KeyChangeWaits(_)
        | Mail::KeyChangeCancelled { .. } => Ok(()),
    }
}

/// The newest event of a role in a verified welcome.
fn newest(welcome: &Welcome, role: KeyRole) -> Option<&KeyEvent> {
    welcome.keys.iter().rev().find(|event| event.role == role)
}
