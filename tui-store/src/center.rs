//! The line to the center: made when it is needed, kept while serving, with honest words about how it stands.

pub(crate) mod chain;
mod journal;
mod lost;

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use vault::PinnedCenter;
use wire::{
    bounded::List,
    checkpoint::SignedCheckpoint,
    codec, limits,
    message::{MailItem, Push, WaitingKey, Welcome},
    sheet::{Invitation, KeySheet},
    telegram::Telegram,
    terminal::{self, Backoff, Line, LineError, Trail},
    text::{self, Prose},
    time::Timestamp,
};

use crate::{
    act::{Failure, FailureKind},
    join,
    keep::Keep,
    record::{CenterSeen, Notice, Record},
    view::{LineView, Moment},
};

/// How long connecting to one address, and its first words, may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long an answer may take before its outcome counts as unknown.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How often an idle line is used to keep up with the center's journal.
const KEEP_UP: Duration = Duration::from_secs(5 * 60);

/// The line to the center.
#[derive(Debug)]
pub(crate) struct Center {
    keep: Arc<Keep>,
    view: RwLock<LineView>,
    /// The line, while it lives; held while one is being made, so that there is one only.
    line: tokio::sync::Mutex<Option<Line>>,
    /// Rung when mail waits.
    mail: Notify,
    /// The addresses that the directory shows now.
    announced: RwLock<Vec<String>>,
    /// Held while mail is taken, so that nothing is kept twice.
    taking: tokio::sync::Mutex<()>,
    /// What the center stated at the last login.
    stated: RwLock<Stated>,
    /// Rung when a line is to be made anew.
    renewed: Notify,
    /// What was seen of the center's journal.
    trail: Mutex<Trail>,
    /// The key sheet of the newest line, as it is signed and as it says.
    sheet: RwLock<Option<(Telegram, KeySheet)>>,
}

/// What the center stated at a login beside the keys.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stated {
    /// A recovery key that waits.
    pub(crate) waiting: Option<WaitingKey>,
    /// No money leaves the account until then.
    pub(crate) held: Option<Timestamp>,
}

impl Center {
    pub(crate) fn new(keep: Arc<Keep>) -> Arc<Self> {
        let mut trail = Trail::default();
        for note in &keep.book().custody.hours {
            trail.saw_hour(note);
        }
        Arc::new(Self {
            keep,
            view: RwLock::new(LineView::Idle),
            line: tokio::sync::Mutex::default(),
            mail: Notify::new(),
            announced: RwLock::default(),
            taking: tokio::sync::Mutex::default(),
            stated: RwLock::default(),
            renewed: Notify::new(),
            trail: Mutex::new(trail),
            sheet: RwLock::default(),
        })
    }

    /// How the line stands.
    pub(crate) fn view(&self) -> LineView {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is a line now.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.view(), LineView::Connected { .. })
    }

    /// The addresses that the directory shows now; none without a line.
    pub(crate) fn announced(&self) -> Vec<String> {
        self.announced.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the center stated at the last login.
    pub(crate) fn stated(&self) -> Stated {
        *self.stated.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the line, so that the next one is logged in with the keys of now.
    pub(crate) async fn renew(&self) {
        *self.line.lock().await = None;
        self.renewed.notify_waiters();
    }

    /// A line of its own to the center, as a stranger.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) async fn stranger(&self) -> Result<Line, Failure> {
        let (invitation, sheet, _) = self.pinned().await?;
        let (line, pushes) = terminal::connect(&invitation, sheet, CONNECT_LIMIT).await?;
        drop(pushes);
        Ok(line)
    }

    /// The line, logged in; it is made if there is none.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) async fn line(self: &Arc<Self>) -> Result<Line, Failure> {
        let mut current = self.line.lock().await;
        if let Some(line) = current.as_ref().filter(|line| !line.is_closed()) {
            return Ok(line.clone());
        }
        *current = None;
        let since = Moment::from(Timestamp::now());
        self.show(LineView::Connecting { since: since.clone() });
        match self.open().await {
            Ok((line, pushes, welcome)) => {
                let address = line.peer.address.clone();
                self.show(LineView::Connected { address, since, payments: welcome.open });
                tokio::spawn(self.clone().listen(pushes));
                if welcome.mail > 0 {
                    self.mail.notify_one();
                }
                *current = Some(line.clone());
                Ok(line)
            }
            Err(failure) => {
                self.show(LineView::Down { since, why: failure.message.clone() });
                Err(failure)
            }
        }
    }

    /// Keeps a line until `stop`: logs in, says where the counter listens, runs `settle` after each login, takes mail as
    /// it comes, and makes a new line when one ends.
    pub(crate) async fn serve<F: Future<Output = ()>>(
        self: Arc<Self>,
        mut announced: watch::Receiver<Vec<String>>,
        stop: CancellationToken,
        settle: impl Fn(Line) -> F,
    ) {
        let mut backoff = Backoff::default();
        while !stop.is_cancelled() {
            let working = async {
                let line = self.line().await?;
                let addresses = announced.borrow_and_update().clone();
                self.announce(&line, addresses).await?;
                self.take_mail(&line).await?;
                Ok::<_, Failure>(line)
            };
            let line = tokio::select! {
                line = working => line,
                () = stop.cancelled() => break,
            };
            let failure = match line {
                Ok(line) => {
                    backoff.reset();
                    settle(line.clone()).await;
                    self.attend(&line, &mut announced, &stop).await
                }
                Err(failure) => Some(failure),
            };
            if let Some(failure) = failure {
                tracing::warn!("the line to the center: {failure}");
                let since = Moment::from(Timestamp::now());
                self.hang_up().await;
                self.show(LineView::Down { since, why: format!("{}; it is tried again", failure.message) });
                tokio::select! {
                    () = tokio::time::sleep(backoff.after_failure()) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        let current = self.line.lock().await.clone();
        if let Some(line) = current.filter(|line| !line.is_closed()) {
            // So that the directory does not send members to a closed door; if it fails, the center sees us go.
            let _ = line.announce(List::default(), Duration::from_secs(2)).await;
        }
        self.hang_up().await;
        self.show(LineView::Idle);
    }

    /// Takes all waiting mail: verified, kept, then acknowledged.
    ///
    /// # Errors
    /// When mail is not to be believed, which is kept as evidence and not acknowledged; when the line or the disk fails.
    pub(crate) async fn take_mail(self: &Arc<Self>, line: &Line) -> Result<(), Failure> {
        let _taking = self.taking.lock().await;
        let mut after = None;
        loop {
            let page = line.mail(after, ANSWER_LIMIT).await?;
            let (good, bad) = verified(line, page.items.into_vec());
            good.iter().for_each(|item| self.saw(&item.receipt.checkpoint));
            let last = good.last().map(|item| item.receipt.leaf.entry);
            if !good.is_empty() {
                tui_kit::failpoint::at("mail.keep");
                self.keep
                    .record_if(move |book| {
                        let fresh =
                            good.into_iter().filter(|item| !book.mail.contains_key(&item.receipt.leaf.entry));
                        Ok::<_, Failure>((fresh.map(|item| Record::Mail(Box::new(item))).collect(), ()))
                    })
                    .await?;
            }
            if let Some(last) = last {
                tui_kit::failpoint::at("mail.acknowledge");
                line.acknowledge(last, ANSWER_LIMIT).await?;
                tui_kit::failpoint::at("mail.acknowledged");
            }
            if let Some((item, words)) = bad {
                let number = item.receipt.leaf.entry;
                let words = format!("The center sent mail about {number} that is not believed: {words}");
                self.alarm(&words, codec::encode(&item)).await?;
                return Err(Failure::contradiction(words));
            }
            // A page that brings nothing new, or goes backwards, would be asked for without end.
            if !page.more || last.is_none() || last <= after {
                return self.keep_up(line).await;
            }
            after = last;
        }
    }

    /// Notes something that a person must look at, once.
    pub(crate) async fn alarm(&self, words: &str, evidence: Vec<u8>) -> Result<(), Failure> {
        tracing::error!("{words}");
        let notice = Notice { at: Timestamp::now(), words: prose(words), evidence };
        self.keep
            .record_if(move |book| {
                let known = book.notices.iter().any(|kept| kept.words == notice.words);
                Ok::<_, Failure>((if known { Vec::new() } else { vec![Record::Notice(notice)] }, ()))
            })
            .await
    }

    /// Drops the line; who still uses it may finish.
    async fn hang_up(&self) {
        *self.line.lock().await = None;
        self.announced.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Says where the counter listens.
    async fn announce(&self, line: &Line, addresses: Vec<String>) -> Result<(), Failure> {
        let said = addresses.iter().filter_map(|address| text::Line::new(address).ok());
        line.announce(List::first(said), ANSWER_LIMIT).await.map_err(|error| {
            let words = format!("the center did not take the store's addresses: {error}");
            Failure::new(FailureKind::Offline, words)
        })?;
        *self.announced.write().unwrap_or_else(PoisonError::into_inner) = addresses;
        self.keep.touch();
        Ok(())
    }

    /// Looks after a line until it ends; why it did, or `None` when `stop` came.
    async fn attend(
        self: &Arc<Self>,
        line: &Line,
        announced: &mut watch::Receiver<Vec<String>>,
        stop: &CancellationToken,
    ) -> Option<Failure> {
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return None,
                ended = line.closed() => return Some(LineError::from(ended).into()),
                () = self.renewed.notified() => {
                    let words = "a key has changed; the line is made anew";
                    return Some(Failure::new(FailureKind::Offline, words));
                }
                () = self.mail.notified() => self.take_mail(line).await,
                () = tokio::time::sleep(KEEP_UP) => self.keep_up(line).await,
                Ok(()) = announced.changed() => {
                    let addresses = announced.borrow_and_update().clone();
                    self.announce(line, addresses).await
                }
            };
            if let Err(failure) = done {
                return Some(failure);
            }
        }
    }

    async fn open(self: &Arc<Self>) -> Result<(Line, mpsc::Receiver<Push>, Welcome), Failure> {
        let (invitation, number, pinned) = self.pinned().await?;
        let account = pinned.account.ok_or_else(|| {
            Failure::not_possible("the registration is not finished; run join again to go on with it")
        })?;
        let kept = pinned.checkpoint.as_deref().and_then(|note| SignedCheckpoint::parse(note).ok());
        let kept = self.begin_trail(kept);
        let opened = async {
            let (line, pushes) = terminal::connect(&invitation, number, CONNECT_LIMIT).await?;
            let welcome = line.login(account, &self.keep.terminal_key(), kept.as_ref(), ANSWER_LIMIT).await?;
            Ok::<_, LineError>((line, pushes, welcome))
        };
        let (line, pushes, welcome) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                return Err(self.not_joined(error).await?);
            }
        };
        self.join_with(&line, Some(&welcome.checkpoint)).await?;
        *self.sheet.write().unwrap_or_else(PoisonError::into_inner) =
            Some((line.hello.sheet.clone(), line.sheet.clone()));
        if let Err(failure) = self.keep_up(&line).await {
            tracing::warn!("taking the hourly checkpoints: {failure}");
        }
        if let Some((_, notice)) = self.keep.book().custody.contradiction() {
            let words = format!("{}; nothing is sent before this is acknowledged", notice.words);
            return Err(Failure::contradiction(words));
        }
        chain::check(&self.keep, &welcome).await?;
        *self.stated.write().unwrap_or_else(PoisonError::into_inner) =
            Stated { waiting: welcome.waiting, held: welcome.held };
        self.keep_center(&line).await?;
        if let Err(failure) = self.hand_in(&line).await {
            tracing::warn!("handing in receipts of lost entries: {failure}");
        }
        if self.keep.book().custody.kit.as_ref().map_or(0, |kit| kit.number) < welcome.kit
            && let Err(failure) = join::take_kit(&self.keep, &line).await
        {
            tracing::warn!("the newer admission kit could not be taken: {failure}");
        }
        Ok((line, pushes, welcome))
    }

    /// Where the center is, the number of its newest key sheet that is kept, and all that is pinned.
    async fn pinned(&self) -> Result<(Invitation, u64, PinnedCenter), Failure> {
        let pinned = self.keep.vault(|vault| vault.center().cloned()).await?;
        let pinned = pinned
            .ok_or_else(|| Failure::not_possible("this profile has not joined a center; join first"))?;
        let kept_sheet = pinned.sheet.as_ref().and_then(|sheet| KeySheet::verify(sheet, &pinned.root).ok());
        let addresses = pinned.addresses.iter().filter_map(|address| text::Line::new(address).ok());
        let invitation = Invitation { root: pinned.root, addresses: List::first(addresses) };
        Ok((invitation, kept_sheet.map_or(0, |sheet| sheet.number), pinned))
    }

    /// Keeps the sheet and what the center said about itself, as far as they are new.
    async fn keep_center(self: &Arc<Self>, line: &Line) -> Result<(), Failure> {
        let sheet = line.hello.sheet.clone();
        self.keep
            .vault(move |vault| {
                let Some(mut pinned) = vault.center().cloned() else { return Ok(()) };
                let before = pinned.clone();
                pinned.sheet = Some(sheet);
                if pinned == before { Ok(()) } else { vault.pin_center(&pinned) }
            })
            .await??;
        let seen = seen(line);
        self.keep
            .record_if(move |book| {
                let known = book.center.as_ref() == Some(&seen);
                Ok::<_, Failure>((if known { Vec::new() } else { vec![Record::Center(seen)] }, ()))
            })
            .await
    }

    /// Hears what the center says unasked, until the line ends. It holds no line itself: one that nobody uses closes.
    async fn listen(self: Arc<Self>, mut pushes: mpsc::Receiver<Push>) {
        while let Some(push) = pushes.recv().await {
            match push {
                // The page is asked for: it comes verified in order, and what is pushed may be behind it.
                Push::Mail(_) => self.mail.notify_one(),
                Push::Closing(words) => tracing::info!("the center ends the line: {words}"),
                Push::Open(open) => {
                    let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
                    if let LineView::Connected { payments, .. } = &mut *view {
                        *payments = open;
                    }
                    drop(view);
                    self.keep.touch();
                }
            }
        }
    }

    fn show(&self, view: LineView) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        self.keep.touch();
    }
}

/// What a center says about itself.
pub(crate) fn seen(line: &Line) -> CenterSeen {
    let hello = &line.hello;
    CenterSeen {
        name: hello.name.clone(),
        currency: hello.currency,
        zone: hello.zone.clone(),
        help: hello.help.clone(),
    }
}

/// Words of our own as they are kept; they are far below the limit.
pub(crate) fn prose(words: &str) -> Prose {
    let words: String = words.chars().take(limits::PROSE / 12).collect();
    Prose::new(&words).unwrap_or_default()
}

/// The mail up to the first piece that is not to be believed, and that one with the reason.
fn verified(line: &Line, items: Vec<MailItem>) -> (Vec<MailItem>, Option<(MailItem, String)>) {
    let mut good = Vec::new();
    for item in items {
        if let Err(error) = line.check_mail(&item) {
            return (good, Some((item, error.to_string())));
        }
        good.push(item);
    }
    (good, None)
}
