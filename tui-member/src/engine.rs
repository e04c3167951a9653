//! The running member: one vault, one way to the center, lines to stores; acts go in, outcomes and snapshots come out.
//!
//! Subcommands, the control socket and the screens all hold a [`Handle`]. An act runs to its end on a task of its own:
//! a closed screen or a caller that goes away never stops a payment in the middle.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use secrecy::SecretString;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tui_kit::profile::Profile;
use vault::Vault;
use wire::{id::OrderHash, time::Timestamp};

use crate::{
    act::{Act, Failure, FailureKind, Outcome},
    center::{Center, Means, Patience, Session, failure},
    join,
    keep::{Keep, funding_row},
    pay, receipt,
    record::{CardsSeen, Record},
    recover, send,
    shop::{self, Counters},
    view::{Findings, PurchaseDetail, Snapshot, TextReceiptFiles, Transfer},
};

mod custody;
mod joining;
mod outbox;
mod stay;
mod trade;

/// A way to the running member. Clones lead to the same.
#[derive(Clone)]
pub struct Handle {
    engine: Arc<Engine>,
}

struct Engine {
    profile: Profile,
    keep: Keep,
    center: Center,
    counters: Counters,
    transfers: watch::Sender<Vec<Transfer>>,
    fetching: Mutex<HashMap<OrderHash, CancellationToken>>,
    /// Wakes whoever waits to connect again.
    nudge: Notify,
    /// A copy of the vault is to be deposited at once: its keys have changed.
    deposit_due: AtomicBool,
    stop: CancellationToken,
}

/// Making one, and what it shows.
impl Handle {
    /// Opens the profile's vault with password A. Nothing is connected until an act needs it.
    ///
    /// # Errors
    /// In words; [`FailureKind::NotFound`] when there is no vault yet.
    pub async fn open(
        profile: Profile,
        password_a: SecretString,
        means: impl Into<Means>,
    ) -> Result<Self, Failure> {
        let Means { patience, vault: surroundings } = means.into();
        let data = profile.data().to_owned();
        let opening = tokio::task::spawn_blocking(move || Vault::open(&data, &password_a, surroundings));
        let opening = opening.await.map_err(Failure::machine)??;
        Ok(Self::over(profile, Keep::new(opening), patience))
    }

    /// Over a vault that is open already.
    pub(crate) fn over(profile: Profile, keep: Keep, patience: Patience) -> Self {
        let engine = Engine {
            profile,
            center: Center::new(keep.clone(), patience),
            keep,
            counters: Counters::default(),
            transfers: watch::Sender::new(Vec::new()),
            fetching: Mutex::default(),
            nudge: Notify::new(),
            deposit_due: AtomicBool::new(false),
            stop: CancellationToken::new(),
        };
        Self { engine: Arc::new(engine) }
    }

    /// Does an act, to its end even if this future is dropped.
    ///
    /// # Errors
    /// Why it was not done, in words.
    pub async fn act(&self, act: Act) -> Result<Outcome, Failure> {
        let engine = self.engine.clone();
        let done = tokio::spawn(async move { engine.act(act).await });
        done.await
            .unwrap_or_else(|error| Err(Failure::machine(format!("the act ended in the middle: {error}"))))
    }

    /// The state, now and whenever it changes.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.engine.keep.snapshots()
    }

    /// The state now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.engine.keep.snapshot()
    }

    /// The transfers under way, as they go on.
    pub fn transfers(&self) -> watch::Receiver<Vec<Transfer>> {
        self.engine.transfers.subscribe()
    }

    /// Ends the transfer of an order's goods; what has arrived is kept, and another fetch goes on from there.
    pub fn cancel_fetch(&self, order: &OrderHash) {
        if let Some(token) = self.engine.fetching().get(order) {
            token.cancel();
        }
    }

    /// Tries at once to connect again, instead of after the wait.
    pub fn reconnect(&self) {
        self.engine.nudge.notify_one();
    }

    /// Where the profile lives.
    pub fn profile(&self) -> &Profile {
        &self.engine.profile
    }
}

impl Engine {
    async fn act(self: &Arc<Self>, act: Act) -> Result<Outcome, Failure> {
        Ok(match act {
            Act::Status => Outcome::Status(Box::new((*self.keep.snapshot()).clone())),
            Act::Sync => {
                let session = self.line().await?;
                self.center.take_mail(&session).await?;
                send::resolve(&self.center, &session).await?;
                self.refresh(&session).await?;
                Outcome::Status(Box::new((*self.keep.snapshot()).clone()))
            }
            Act::RequestCard { amount, password_b, prepare: true } => {
                self.prepare_request(&amount, password_b).await?
            }
            Act::RequestCard { amount, password_b, prepare: false } => {
                let session = self.line().await?;
                let currency = session.line.hello.currency;
                let amount = outbox::card_amount(&amount, currency)?;
                let terms = pay::request_card(&self.center, &session, amount, password_b).await?;
                Outcome::Funding(funding_row(&terms, currency))
            }
            Act::Cards => {
                match self.line().await {
                    Ok(session) => self.refresh(&session).await?,
                    Err(failure) if failure.kind == FailureKind::Offline => {}
                    Err(failure) => return Err(failure),
                }
                Outcome::Cards(self.keep.with(|kept| kept.card_rows()).await)
            }
            Act::Stores { query } => {
                let session = self.line().await?;
                Outcome::Stores(shop::directory(&session, &query).await?)
            }
            Act::Items { store, query } => {
                let session = self.line().await?;
                let items = self.counter(&session, store).await?.catalogue(&query).await?;
                let currency = session.line.hello.currency;
                Outcome::Items(items.into_iter().map(|item| shop::item_row(item, currency)).collect())
            }
            Act::Item { store, item } => {
                let session = self.line().await?;
                let item = self.counter(&session, store).await?.item(item).await?;
                Outcome::Item(shop::item_row(item, session.line.hello.currency))
            }
            Act::Order { store, lines, note } => {
                Outcome::Offered(Box::new(self.order(store, &lines, &note).await?))
            }
            Act::TakeUp { store, code } => Outcome::Offered(Box::new(self.take_up(store, code).await?)),
            Act::Pay { order, card, password_b, prepare: true } => {
                let order = self.named(order).await?;
                self.prepare_payment(order, card, password_b).await?
            }
            Act::Pay { order, card, password_b, prepare: false } => {
                let order = self.named(order).await?;
                let session = self.line().await?;
                pay::pay(&self.center, &session, order, card, password_b).await?;
                Outcome::Purchase(Box::new(self.detail(order).await?))
            }
            Act::Fetch { order } => Outcome::Fetched(self.fetch(order).await?),
            Act::Open { order } => Outcome::Fetched(self.fetched(self.named(order).await?).await?),
            Act::History => {
                let rows = self.keep.with(|kept| kept.book.history(Timestamp::now())).await;
                Outcome::History(rows.iter().map(|row| (**row).clone()).collect())
            }
            Act::Purchase { order } => {
                let order = self.named(order).await?;
                Outcome::Purchase(Box::new(self.detail(order).await?))
            }
            Act::ExportReceipt { number, with_order } => {
                Outcome::Receipt(self.keep.with(move |kept| receipt::export(kept, number, with_order)).await?)
            }
            Act::TextReceipt { number } => {
                let session = self.line().await?;
                let account = wire::id::AccountNumber::Member(session.member);
                let said = session.line.text_receipt(account, number, session.answer()).await;
                let said = said.map_err(|error| failure(&error))?;
                Outcome::TextReceipt(Box::new(TextReceiptFiles::of(number, &said)))
            }
            Act::VerifyReceipt { content } => {
                let root = self.keep.with(|kept| kept.pinned().map(|center| center.root)).await?;
                Outcome::Verification(receipt::verify(&content, &root)?)
            }
            Act::Outbox => Outcome::Outbox(self.keep.with(|kept| kept.outbox_rows(false)).await),
            Act::Resolve => {
                // Not through `line`, which would have asked already and kept the answers to itself.
                let (session, _) = self.center.session().await?;
                self.center.take_mail(&session).await?;
                Outcome::Resolved(send::resolve(&self.center, &session).await?)
            }
            Act::Send { telegram } => Outcome::Resolved(self.send(telegram).await?),
            Act::ExportTelegram { telegram } => Outcome::Telegram(self.export(telegram).await?),
            Act::ImportTelegram { content } => self.import(content).await?,
            Act::Custody(act) => self.custody(act).await?,
            Act::Withdraw { telegram } => Outcome::Resolved(vec![self.withdraw(telegram).await?]),
            Act::Doctor => Outcome::Doctor(Box::new(self.findings().await?)),
            Act::KeepCart { lines } => {
                self.keep.with(move |kept| kept.append(Record::Cart(lines))).await?;
                Outcome::Done
            }
            Act::ChangePasswordA { old, new } => {
                self.keep.with(move |kept| kept.vault.change_password_a(&old.0, &new.0)).await?;
                Outcome::Done
            }
            Act::ChangePasswordB { old, new } => {
                self.keep.with(move |kept| kept.vault.change_password_b(&old.0, &new.0)).await?;
                Outcome::Done
            }
        })
    }

    /// A session; a fresh one first takes the mail and asks about what is unknown.
    async fn line(&self) -> Result<Arc<Session>, Failure> {
        let (session, fresh) = self.center.session().await?;
        if fresh {
            // What goes wrong here is said by the alarms it leaves; the act that wants the line may still be done.
            if let Err(failure) = self.center.take_mail(&session).await {
                tracing::warn!("taking mail: {failure}");
            }
            if let Err(failure) = send::resolve(&self.center, &session).await {
                tracing::warn!("asking about unknown telegrams: {failure}");
            }
            if let Err(failure) = join::fetch_newer_kit(&self.keep, &session, self.center.patience).await {
                tracing::warn!("taking the admission kit: {failure}");
            }
            if let Err(failure) = self.deposit(&session).await {
                tracing::warn!("depositing a copy of the vault: {failure}");
            }
        }
        Ok(session)
    }

    /// Deposits a copy of the vault where one is due.
    async fn deposit(&self, session: &Session) -> Result<(), Failure> {
        let now = self.deposit_due.swap(false, Ordering::Relaxed);
        recover::deposit(&self.keep, session, now).await.map(drop)
    }

    /// Asks for the cards and keeps the answer, on disk only where it says something new.
    async fn refresh(&self, session: &Session) -> Result<(), Failure> {
        // The answer is at least as new as the question.
        let at = session.now();
        let cards = session.line.cards(session.answer()).await.map_err(|error| failure(&error))?;
        for card in &cards {
            if let Err(why) = session.check_card(card) {
                let words = format!("the center's list of cards is not believed: {why}");
                self.center.alarm(words.clone(), wire::codec::encode(card)).await?;
                return Err(Failure::contradiction(words));
            }
        }
        self.keep
            .with(move |kept| {
                let known = |card: &wire::message::CardView| {
                    kept.book
                        .cards
                        .get(&card.card)
                        .is_some_and(|known| (known.balance, known.frozen) == (card.balance, card.frozen))
                };
                let record = Record::Cards(CardsSeen { at, cards: cards.clone() });
                if cards.iter().all(known) {
                    kept.refreshed(record);
                    Ok(())
                } else {
                    kept.append(record)
                }
            })
            .await
    }

    async fn findings(&self) -> Result<Findings, Failure> {
        // A line that can't be had is itself a finding.
        let session = self.line().await.ok();
        let clock_ahead_ms = session.and_then(|session| {
            let (here, there) =
                (i64::try_from(Timestamp::now().0).ok()?, i64::try_from(session.now().0).ok()?);
            here.checked_sub(there)
        });
        let snapshot = self.keep.snapshot();
        self.keep
            .with(move |kept| {
                Ok(Findings {
                    member: snapshot.member,
                    signature_key: kept.vault.verification_key()?.fingerprint(),
                    terminal_key: kept.vault.terminal_key()?.verification_key().fingerprint(),
                    root_key: kept.vault.center().map(|center| center.root.fingerprint()),
                    line: snapshot.line.clone(),
                    clock_ahead_ms,
                    vault: snapshot.findings.clone(),
                })
            })
            .await
    }

    async fn named(&self, name: String) -> Result<OrderHash, Failure> {
        self.keep.with(move |kept| kept.book.find(&name).map(|purchase| purchase.hash)).await
    }

    async fn detail(&self, order: OrderHash) -> Result<PurchaseDetail, Failure> {
        let goods = self.goods();
        let detail = self.keep.with(move |kept| {
            kept.book.purchase(&order).map(|purchase| purchase.detail(Timestamp::now(), &goods))
        });
        detail.await.ok_or_else(|| Failure::not_found("there is no such order here"))
    }

    fn goods(&self) -> PathBuf {
        self.profile.data().join("goods")
    }

    fn fetching(&self) -> MutexGuard<'_, HashMap<OrderHash, CancellationToken>> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
