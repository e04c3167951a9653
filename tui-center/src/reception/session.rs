//! One connection: who it is, and what it asks.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use wire::{
    bounded::List,
    id::{AccountNumber, Digest, EntryNumber, MemberNumber, StoreNumber},
    key::{Signature, VerificationKey},
    link::Pusher,
    message::{
        Answer, Beside, CardView, FundingTerms, LostItem, Problem, ProblemKind, Push, Request, Welcome,
    },
    payload::KeyRole,
    telegram::{Kind, Telegram},
    text::Line,
};

use super::{directory, joining, login, mail, presence, proofs, recovery, registration};
use crate::{
    backup::lost,
    books::cabinet::copies::Deposit,
    center::Center,
    errors::{Room, Weight},
    settlement::{DeskError, Share, Work, heard, said},
    voice::Speaking,
};

/// Sessions are told apart by a number that is never used twice.
static SESSIONS: AtomicU64 = AtomicU64::new(1);

/// What the connection's own task answers: it takes a signature to verify at most, and then the desk, which finishes what
/// it was given whatever becomes of the connection.
pub(super) enum AtOnce {
    Submit(Telegram),
    Inquire(Telegram),
    Acknowledge(EntryNumber),
}

impl AtOnce {
    /// The request as one of these, or as it was.
    pub(super) fn of(request: Request) -> Result<Self, Box<Request>> {
        match request {
            // What a recovery key may do is told apart where all of it is.
            Request::Submit { telegram, beside: Beside::Nothing } if telegram.kind == Kind::Payment => {
                Ok(Self::Submit(telegram))
            }
            Request::Inquire(telegram) if telegram.kind == Kind::Payment => Ok(Self::Inquire(telegram)),
            Request::Acknowledge { upto } => Ok(Self::Acknowledge(upto)),
            other => Err(Box::new(other)),
        }
    }
}

/// What one connection has become.
pub(super) struct Session {
    center: Center,
    /// What the center spoke with when the connection was made.
    speaking: Arc<Speaking>,
    number: u64,
    peer: IpAddr,
    exporter: [u8; 32],
    pusher: Pusher<Push>,
    account: OnceLock<AccountNumber>,
    /// Believed by the recovery key: may take the deposited copy and change keys, and nothing else.
    recovering: OnceLock<()>,
    /// Cancelled when the key that was believed is not in force any more.
    unseated: CancellationToken,
    /// The copy of the vault whose pieces come in.
    deposit: Mutex<Option<Deposit>>,
    /// The key under which the last telegram was verified.
    last_key: heard::LastKey,
    /// What this connection may hold of the desk's queue.
    share: Share,
    /// Pushes mail for as long as the session lives.
    mail: OnceLock<AbortOnDropHandle<()>>,
}

impl Session {
    pub(super) fn new(
        center: Center,
        speaking: Arc<Speaking>,
        peer: IpAddr,
        exporter: [u8; 32],
        pusher: Pusher<Push>,
    ) -> Self {
        Self {
            center,
            speaking,
            number: SESSIONS.fetch_add(1, Ordering::Relaxed),
            peer,
            exporter,
            pusher,
            account: OnceLock::new(),
            recovering: OnceLock::new(),
            unseated: CancellationToken::new(),
            deposit: Mutex::default(),
            last_key: heard::LastKey::default(),
            share: Share::of_connection(),
            mail: OnceLock::new(),
        }
    }

    pub(super) fn center(&self) -> &Center {
        &self.center
    }

    /// The key that was believed is not in force any more.
    pub(super) async fn unseated(&self) {
        self.unseated.cancelled().await;
    }

    /// Answers a request. `None` when nobody can say what became of it, or may on this connection.
    pub(super) async fn answer(self: &Arc<Self>, request: Request) -> Option<Answer> {
        let answer = self.asked(request).await;
        // After the center's keys have changed, an answer may bear a signature that this terminal does not know yet.
        if self.speaking.replaced().is_cancelled() { None } else { answer }
    }

    /// As [`Session::answer`], in the connection's own task.
    pub(super) async fn answer_at_once(self: Arc<Self>, request: AtOnce) -> Option<Answer> {
        let answer = match self.turned_away() {
            Some(problem) => Some(Answer::Problem(problem)),
            None => match request {
                AtOnce::Submit(telegram) => self.enter(self.plain(&telegram)).await,
                AtOnce::Inquire(telegram) => self.enter(self.inquired(&telegram)).await,
                AtOnce::Acknowledge(upto) => Some(self.acknowledge(upto)),
            },
        };
        if self.speaking.replaced().is_cancelled() { None } else { answer }
    }

    fn turned_away(&self) -> Option<Problem> {
        if let Err(turned_away) = self.heard() {
            return Some(Problem::new(ProblemKind::Limited, turned_away));
        }
        self.recovering.get().map(|()| only_recovering())
    }

    async fn asked(self: &Arc<Self>, request: Request) -> Option<Answer> {
        let heard = match request {
            Request::Build { .. } => self.center.guard().piece(self.peer).await,
            _ => self.heard(),
        };
        if let Err(turned_away) = heard {
            return Some(Answer::Problem(Problem::new(ProblemKind::Limited, turned_away)));
        }
        if self.recovering.get().is_some() && !recovery::allows(&request) {
            return Some(Answer::Problem(only_recovering()));
        }
        if let Some(stopped) = self.center.held() {
            return Some(Answer::Problem(Problem::new(ProblemKind::Stopped, stopped.told())));
        }
        let outcome = match request {
            Request::Form(role) => joining::form(&self.center, role).await,
            Request::Register(call) => return settled(registration::register(&self.center, &call).await),
            Request::Login { account, signature, checkpoint } => {
                self.login(account, &signature, checkpoint).await
            }
            Request::Submit { telegram, beside } => return self.submit(telegram, beside).await,
            Request::Inquire(telegram) => return self.enter(self.inquired(&telegram)).await,
            Request::Cards => self.cards(),
            Request::Funding => self.funding(),
            Request::Directory { query, after } => self.directory(&query, after),
            Request::Announce { addresses } => self.announce(&addresses),
            Request::Mail { after } => self.mail(after).await,
            Request::Acknowledge { upto } => return Some(self.acknowledge(upto)),
            Request::Evidence { entry } => self.evidence(entry).await,
            Request::Guide(role) => joining::guide(&self.center, role).await,
            Request::Apply(call) => joining::apply(&self.center, self.peer, *call).await,
            Request::Application { number, signature } => {
                joining::state(&self.center, number, signature, self.exporter).await
            }
            Request::Kit => joining::kit(&self.center).await,
            Request::Build { digest, offset } => joining::build(&self.center, digest, offset).await,
            Request::Recover { key, signature } => self.recover(key, &signature).await,
            Request::Copy { offset } => self.copy(offset).await,
            Request::Deposit { length, digest, offset, bytes } => {
                self.deposit(length, digest, offset, bytes.into_vec()).await
            }
            Request::Consistency(pairs) => Ok(proofs::consistency(&self.center, &pairs)),
            Request::Hours => Ok(Answer::Hours(self.center.hours().newest())),
            Request::TextReceipt { entry } => self.text_receipt(entry).await,
            Request::HandIn { items } => self.hand_in(items.into_vec()).await,
            Request::Cashiers => self.store().and_then(|store| recovery::cashiers(&self.center, store)),
        };
        Some(outcome.unwrap_or_else(Answer::Problem))
    }

    /// The connection has ended.
    pub(super) fn end(&self) {
        let Some(account) = self.account.get() else { return };
        self.center.counters().logged_in.fetch_sub(1, Ordering::Relaxed);
        self.center.sessions().leave(*account, self.number);
        if let AccountNumber::Store(store) = account {
            self.center.presence().leave(*store, self.number);
        }
    }

    fn heard(&self) -> Result<(), crate::guard::TurnedAway> {
        match self.account.get() {
            Some(account) => self.center.guard().account_asks(*account, self.peer),
            None => self.center.guard().stranger_asks(self.peer),
        }
    }

    fn account(&self) -> Result<AccountNumber, Problem> {
        let words = "this is answered only after a login";
        self.account.get().copied().ok_or_else(|| Problem::new(ProblemKind::NotLoggedIn, words))
    }

    fn member(&self) -> Result<MemberNumber, Problem> {
        match self.account()? {
            AccountNumber::Member(member) => Ok(member),
            AccountNumber::Store(_) => Err(Problem::new(ProblemKind::NotAllowed, "only members have cards")),
        }
    }

    fn store(&self) -> Result<StoreNumber, Problem> {
        match self.account()? {
            AccountNumber::Store(store) => Ok(store),
            AccountNumber::Member(_) => {
                Err(Problem::new(ProblemKind::NotAllowed, "only stores listen for members"))
            }
        }
    }

    async fn login(
        &self,
        account: AccountNumber,
        signature: &wire::key::Signature,
        checkpoint: Option<wire::checkpoint::SignedCheckpoint>,
    ) -> Result<Answer, Problem> {
        self.fresh()?;
        let key = match login::believe(&self.center, account, &self.exporter, signature) {
            Ok(key) => key,
            Err(problem) => {
                self.center.guard().wrong_login(self.peer, account);
                return Err(problem);
            }
        };
        self.center.guard().right_login(self.peer);
        if checkpoint.is_some() {
            let (center, speaking) = (self.center.clone(), self.speaking.clone());
            let compared = move || login::compare(&center, &speaking, account, checkpoint.as_ref());
            self.center.off_thread(compared).await?;
        }
        // What waits now the terminal fetches by pages; what comes later is pushed.
        let (mail, newest) = self.center.desk().mailboxes().held(account);
        self.seat(account, KeyRole::Terminal, key)?;
        let welcome = self.welcome(account, mail).await?;
        let pushing =
            mail::push(self.center.clone(), self.speaking.clone(), account, newest, self.pusher.clone());
        // Set once, beside the account.
        let _ = self.mail.set(AbortOnDropHandle::new(tokio::spawn(pushing)));
        Ok(Answer::Welcome(Box::new(welcome)))
    }

    async fn recover(&self, key: VerificationKey, signature: &Signature) -> Result<Answer, Problem> {
        self.fresh()?;
        let account = recovery::believe(&self.center, &key, &self.exporter, signature).inspect_err(|_| {
            self.center.guard().wrong_login(self.peer, "the holder of a recovery key");
        })?;
        self.center.guard().right_login(self.peer);
        // Set before the account, so that nothing else is ever heard on this connection.
        let _ = self.recovering.set(());
        self.seat(account, KeyRole::Recovery, key)?;
        let welcome = self.welcome(account, 0).await?;
        Ok(Answer::Recovering(Box::new(welcome)))
    }

    /// Kit and deposited copy lie on the disk.
    async fn welcome(&self, account: AccountNumber, mail: u64) -> Result<Welcome, Problem> {
        let (center, speaking) = (self.center.clone(), self.speaking.clone());
        self.center.off_thread(move || login::welcome(&center, &speaking, account, mail)).await
    }

    /// Nobody has logged in on this connection, and whoever tries may.
    fn fresh(&self) -> Result<(), Problem> {
        if self.account.get().is_some() {
            let words = "this connection has logged in already; open another";
            return Err(Problem::new(ProblemKind::NotAllowed, words));
        }
        self.center.guard().may_login(self.peer).map_err(|wait| Problem::new(ProblemKind::Limited, wait))
    }

    /// From now on this connection speaks for an account, for as long as the key that was believed is in force.
    fn seat(&self, account: AccountNumber, role: KeyRole, key: VerificationKey) -> Result<(), Problem> {
        if self.account.set(account).is_err() {
            let words = "this connection has logged in already; open another";
            return Err(Problem::new(ProblemKind::NotAllowed, words));
        }
        self.center.counters().logged_in.fetch_add(1, Ordering::Relaxed);
        let sessions = self.center.sessions();
        sessions.enter(account, self.number, (role, key), self.unseated.clone());
        // It may have changed between the look at the signature and now.
        sessions.sweep(&self.center.desk().state(), Some(account));
        Ok(())
    }

    async fn copy(&self, offset: u64) -> Result<Answer, Problem> {
        let (account, center) = (self.account()?, self.center.clone());
        self.center.off_thread(move || recovery::piece(&center, account, offset)).await
    }

    async fn deposit(
        self: &Arc<Self>,
        length: u64,
        digest: Digest,
        offset: u64,
        bytes: Vec<u8>,
    ) -> Result<Answer, Problem> {
        let (account, session) = (self.account()?, self.clone());
        let taken = move || {
            let mut deposit = session.deposit.lock().unwrap_or_else(PoisonError::into_inner);
            recovery::take(&session.center, account, &mut deposit, (length, digest), offset, &bytes)
        };
        self.center.off_thread(taken).await
    }

    async fn submit(&self, telegram: Telegram, beside: Beside) -> Option<Answer> {
        let account = match self.account() {
            Ok(account) => account,
            Err(problem) => return Some(Answer::Problem(problem)),
        };
        let work = match &beside {
            Beside::Nothing => self.plain(&telegram),
            Beside::Keys(_) => {
                let center = self.center.clone();
                self.center.off_thread(move || changed(&center, account, &telegram, &beside)).await
            }
            // A claim holds up to a thousand signatures: it must not keep other sessions from being heard.
            Beside::Claim(_) => {
                let center = self.center.clone();
                self.center
                    .off_thread(move || heard::submitted(center.desk(), account, &telegram, &beside))
                    .await
            }
        };
        self.enter(work).await
    }

    async fn hand_in(&self, items: Vec<LostItem>) -> Result<Answer, Problem> {
        let again = lost::take(&self.center, self.account()?, items).await?;
        Ok(Answer::HandedIn(List::first(again)))
    }

    fn plain(&self, telegram: &Telegram) -> Result<Work, Problem> {
        let account = self.account()?;
        heard::submitted_with(&self.last_key, self.center.desk(), account, telegram, &Beside::Nothing)
    }

    fn inquired(&self, telegram: &Telegram) -> Result<Work, Problem> {
        heard::inquired(self.center.desk(), self.account()?, telegram)
    }

    async fn enter(&self, work: Result<Work, Problem>) -> Option<Answer> {
        let work = match work {
            Ok(work) => work,
            Err(problem) => return Some(Answer::Problem(problem)),
        };
        match self.center.desk().submit_for(&self.share, work).await {
            Ok(answer) => {
                let verdict =
                    said::verdict(self.center.desk().reader(), self.center.bank_account(), &answer.record);
                match verdict {
                    Ok(verdict) => Some(Answer::Verdict(Box::new(verdict))),
                    Err(error) => settled(Err(DeskError::Unreadable(error.to_string()).into())),
                }
            }
            Err(error) => settled(Err(error.into())),
        }
    }

    fn cards(&self) -> Result<Answer, Problem> {
        let member = self.member()?;
        let state = self.center.desk().state();
        let views = state.cards_of(member).filter_map(|(number, card)| {
            let certificate = self.center.certify(&said::card_certificate(&state, number)?);
            let (balance, frozen, issued) = (card.balance, card.frozen, card.issued);
            Some(CardView { card: number, balance, frozen, issued, certificate })
        });
        // A member sees the newest hundred; older ones are long spent.
        let mut views: Vec<CardView> = views.collect();
        let surplus = views.len().saturating_sub(wire::limits::PAGE);
        views.drain(..surplus);
        Ok(Answer::Cards(List::first(views)))
    }

    fn funding(&self) -> Result<Answer, Problem> {
        let member = self.member()?;
        let state = self.center.desk().state();
        let terms = state.waiting_of(member).map(|(request, wanted)| FundingTerms {
            request,
            telegram: wanted.telegram,
            amount: wanted.amount,
            account: self.center.bank_account().clone(),
            reference: Line::new(&ledger::reference::make(request)).unwrap_or_default(),
            expires: wanted.expires,
        });
        Ok(Answer::Funding(List::first(terms)))
    }

    fn directory(&self, query: &Line, after: Option<StoreNumber>) -> Result<Answer, Problem> {
        self.account()?;
        directory::page(&self.center, query, after).map(Answer::Directory)
    }

    fn announce(&self, addresses: &presence::Addresses) -> Result<Answer, Problem> {
        let store = self.store()?;
        let checked = presence::check(addresses, self.peer)
            .map_err(|words| Problem::new(ProblemKind::Malformed, words))?;
        self.center.presence().announce(store, self.number, checked);
        Ok(Answer::Done)
    }

    async fn mail(&self, after: Option<EntryNumber>) -> Result<Answer, Problem> {
        let account = self.account()?;
        mail::page(&self.center, account, after).await.map(Answer::Mail)
    }

    /// The cursor is kept with those of others: one that lags only repeats mail.
    fn acknowledge(&self, upto: EntryNumber) -> Answer {
        match self.account() {
            Ok(account) => {
                self.center.desk().mailboxes().acknowledge(account, upto);
                Answer::Done
            }
            Err(problem) => Answer::Problem(problem),
        }
    }

    async fn evidence(&self, entry: EntryNumber) -> Result<Answer, Problem> {
        let account = self.account()?;
        let center = self.center.clone();
        self.center.off_thread(move || proofs::receipt(&center, account, entry).map(Answer::Evidence)).await
    }

    async fn text_receipt(&self, entry: EntryNumber) -> Result<Answer, Problem> {
        let (account, center, speaking) = (self.account()?, self.center.clone(), self.speaking.clone());
        self.center.off_thread(move || proofs::text_receipt(&center, &speaking, account, entry)).await
    }
}

/// What a connection of a recovery key is told that asks for anything else.
fn only_recovering() -> Problem {
    let words = "this connection speaks with the recovery key: it takes the deposited copy and changes keys, and nothing else";
    Problem::new(ProblemKind::NotAllowed, words)
}

/// A change of a key. The certificate that it brings is durable before the change is entered.
fn changed(
    center: &Center,
    account: AccountNumber,
    telegram: &Telegram,
    beside: &Beside,
) -> Result<Work, Problem> {
    let work = heard::submitted(center.desk(), account, telegram, beside)?;
    if let Some((which, certificate)) = heard::certificate(beside) {
        center.cabinet().put_certificate(which, certificate).map_err(|error| {
            center.errors().tell(
                Room::Books,
                Weight::Alarm,
                format!("A certificate could not be kept: {error}."),
            );
            Problem::new(
                ProblemKind::Stopped,
                "the center cannot keep the certificate now; nothing was entered",
            )
        })?;
    }
    Ok(work)
}

/// Why a request that goes to the desk has no entry.
pub(super) enum NotEntered {
    /// It never got there.
    Problem(Problem),
    /// The desk's word.
    Desk(DeskError),
}

impl From<DeskError> for NotEntered {
    fn from(error: DeskError) -> Self {
        Self::Desk(error)
    }
}

impl From<Problem> for NotEntered {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What is said of a request that went to the desk; nothing where nobody knows what became of it.
fn settled(outcome: Result<Answer, NotEntered>) -> Option<Answer> {
    match outcome {
        Ok(answer) => Some(answer),
        Err(NotEntered::Problem(problem)) => Some(Answer::Problem(problem)),
        Err(NotEntered::Desk(error)) => Some(match said::unanswered(&error)? {
            Ok(verdict) => Answer::Verdict(Box::new(verdict)),
            Err(problem) => Answer::Problem(problem),
        }),
    }
}
