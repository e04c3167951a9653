//! The running member: one vault, one way to the center, lines to stores; acts go in, outcomes and snapshots come out.
//!
//! Subcommands, the control socket and the screens all hold a [`Handle`]. An act runs to its end on a task of its own:
//! a closed screen or a caller that goes away never stops a payment in the middle.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use secrecy::SecretString;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tui_kit::{control, profile::Profile};
use vault::Vault;
use wire::{
    bounded::List,
    id::{OrderHash, StoreNumber, TelegramId},
    sheet::Invitation,
    terminal::Backoff,
    text::{Line, Prose},
    time::Timestamp,
};

use crate::{
    act::{Act, Failure, FailureKind, Outcome, Wanted},
    center::{Center, Means, Patience, Session, failure},
    deliver::Delivering,
    join::{self, Joined, Stage},
    keep::{Keep, funding_row},
    pay,
    purchase::Purchase,
    receipt,
    record::{CardsSeen, Record},
    send,
    shop::{self, Counter, Counters},
    view::{FetchedGoods, Findings, LineView, Money, Offered, PurchaseDetail, Resolved, Snapshot, Transfer},
};

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

/// Joining, for a vault that was made before.
impl Handle {
    /// Where this vault stands on its way into the register.
    pub async fn stage(&self) -> Stage {
        join::stage(&self.engine.keep).await
    }

    /// The center that this vault is made for; none when it was never asked.
    pub async fn invitation(&self) -> Option<Invitation> {
        self.engine
            .keep
            .with(|kept| {
                let center = kept.vault.center()?;
                let addresses = center.addresses.iter().filter_map(|address| Line::new(address).ok());
                Some(Invitation { root: center.root, addresses: List::first(addresses) })
            })
            .await
    }

    /// Sends once more the registration that is on disk ([`Stage::Sent`]).
    ///
    /// # Errors
    /// In words; when the center says that it is not acceptable, the vault is [`Stage::Unsigned`] again.
    pub async fn resume_joining(&self, invitation: &Invitation) -> Result<Joined, Failure> {
        join::resume(&self.engine.keep, invitation, self.engine.center.patience).await
    }

    /// Signs a registration with the keys that are here and sends it ([`Stage::Unsigned`]).
    ///
    /// # Errors
    /// In words.
    pub async fn register_again(
        &self,
        invitation: &Invitation,
        values: &[(String, String)],
        password_b: SecretString,
    ) -> Result<Joined, Failure> {
        let patience = self.engine.center.patience;
        join::register_again(&self.engine.keep, invitation, values, password_b, patience).await
    }
}

/// Staying.
impl Handle {
    /// Keeps a line to the center from now on: connects, takes mail, asks about what is unknown, and tries again after
    /// a wait that grows. Ends with [`Handle::stop`].
    pub fn stay_connected(&self) -> JoinHandle<()> {
        let engine = self.engine.clone();
        tokio::spawn(async move {
            let stop = engine.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = engine.stay() => {}
            }
        })
    }

    /// Listens on the profile's control socket, so that subcommands reach this program. Ends with [`Handle::stop`].
    ///
    /// # Errors
    /// When another program listens there.
    pub async fn serve_control(&self) -> Result<JoinHandle<()>, Failure> {
        let path = self.engine.profile.control_socket();
        let listener = control::Listener::bind(&path).await.map_err(Failure::machine)?;
        // The socket leads here as long as it is listened on, and no longer.
        let handle = self.clone();
        let stop = self.engine.stop.clone();
        Ok(tokio::spawn(async move {
            let serving = listener.serve(move |_, act| {
                let handle = handle.clone();
                async move {
                    match serde_json::from_value::<Act>(act) {
                        Ok(act) => control::Answer::value(handle.act(act).await),
                        Err(_) => {
                            control::Answer::refuse("unknown-act", "this program does not know that act")
                        }
                    }
                }
            });
            tokio::select! {
                () = stop.cancelled() => {}
                ended = serving => if let Err(error) = ended {
                    tracing::error!("the control socket ended: {error}");
                },
            }
        }))
    }

    /// Ends what stays. Acts that have begun run to their end.
    pub fn stop(&self) {
        self.engine.stop.cancel();
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
            Act::RequestCard { amount, password_b } => {
                let session = self.line().await?;
                let currency = session.line.hello.currency;
                let amount = currency.parse(&amount).map_err(Failure::not_possible)?;
                if amount.is_zero() {
                    return Err(Failure::not_possible("a card of nothing is no card; name an amount"));
                }
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
            Act::Pay { order, card, password_b } => {
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
        }
        Ok(session)
    }

    async fn stay(&self) {
        let mut backoff = Backoff::default();
        loop {
            match self.line().await {
                Ok(session) => {
                    backoff.reset();
                    if let Err(failure) = self.refresh(&session).await {
                        tracing::warn!("asking for the cards: {failure}");
                    }
                    self.attend(&session).await;
                }
                Err(failure) => tracing::info!("no line to the center: {failure}"),
            }
            let wait = backoff.after_failure();
            let retry = Timestamp::now().plus_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            let why = match &self.keep.snapshot().line {
                LineView::Down { why, .. } => why.clone(),
                _ => "the line to the center ended".into(),
            };
            self.keep.set_line(LineView::Down { why, retry: Some(retry.into()) });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.nudge.notified() => {}
            }
        }
    }

    /// Takes mail whenever the center says that there is some, until the line ends.
    async fn attend(&self, session: &Session) {
        loop {
            tokio::select! {
                _ = session.line.closed() => return,
                () = self.center.news.notified() => {
                    if let Err(failure) = self.center.take_mail(session).await {
                        tracing::warn!("taking mail: {failure}");
                    }
                }
            }
        }
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

    /// A line to a store; the one that is there, or a new one.
    async fn counter(&self, session: &Session, store: StoreNumber) -> Result<Arc<Counter>, Failure> {
        let mut counters = self.counters.lock().await;
        counters.retain(|_, counter| !counter.is_closed());
        if let Some(counter) = counters.get(&store) {
            return Ok(counter.clone());
        }
        let counter = Arc::new(shop::visit(&self.center, session, store).await?);
        counters.insert(store, counter.clone());
        Ok(counter)
    }

    async fn order(&self, store: StoreNumber, wanted: &[Wanted], note: &str) -> Result<Offered, Failure> {
        let note = Prose::new(note).map_err(|error| Failure::not_possible(format!("the note: {error}")))?;
        let session = self.line().await?;
        let counter = self.counter(&session, store).await?;
        let (center, currency) = (session.line.sheet.center, session.line.hello.currency);
        let ordered = match counter.order(center, currency, wanted, note, session.now()).await {
            Ok(ordered) => ordered,
            Err(failure) => {
                if failure.kind == FailureKind::Contradiction {
                    self.center.alarm(format!("{store}: {failure}"), Vec::new()).await?;
                }
                return Err(failure);
            }
        };
        let goods = self.goods();
        self.keep
            .with(move |kept| {
                let mut warnings = Vec::new();
                if kept.book.store_key(store).is_some_and(|known| known != ordered.store_key) {
                    warnings.push(
                        "the store's key is another than when you last ordered there; if the store did not tell you, ask \
                         it before you pay"
                            .into(),
                    );
                }
                let hash = wire::order::order_hash(&ordered.salt, &ordered.order);
                // On disk before anything can be paid: without buyer key and salt nobody gets the goods.
                kept.append(Record::Ordered(ordered))?;
                let purchase = kept.book.purchase(&hash).ok_or_else(|| Failure::machine("the order was not kept"))?;
                let total = purchase.offer.total;
                let card = kept.book.paying_card(None, total);
                if card.is_none() {
                    warnings.push(format!("no card holds {}", currency.print(total)));
                }
                let before = card.map(|(_, card)| card.balance);
                let after = before.and_then(|before| before.minus(total));
                Ok(Offered {
                    order: hash,
                    store,
                    store_name: purchase.ordered.store_name.clone(),
                    lines: purchase.lines(&goods),
                    total: Money::new(total, currency),
                    expires: purchase.offer.expires.into(),
                    card: card.map(|(number, _)| number),
                    balance_before: before.map(|amount| Money::new(amount, currency)),
                    balance_after: after.map(|amount| Money::new(amount, currency)),
                    warnings,
                })
            })
            .await
    }

    async fn fetch(self: &Arc<Self>, name: String) -> Result<FetchedGoods, Failure> {
        let order = self.named(name).await?;
        let store = self.keep.with(move |kept| {
            let purchase = kept.book.purchase(&order)?;
            Some((purchase.offer.store, fetchable(purchase)))
        });
        let (store, fetchable) =
            store.await.ok_or_else(|| Failure::not_found("there is no such order here"))?;
        fetchable?;
        let done = self.keep.with(move |kept| {
            kept.book
                .purchase(&order)
                .is_some_and(|purchase| purchase.complete() && purchase.acknowledged.is_some())
        });
        if done.await {
            return self.fetched(order).await;
        }
        let token = CancellationToken::new();
        if self.fetching().contains_key(&order) {
            return Err(Failure::not_possible("these goods are being fetched right now"));
        }
        self.fetching().insert(order, token.clone());
        let fetched = tokio::select! {
            fetched = self.stream(order, store) => fetched,
            () = token.cancelled() => {
                Err(Failure::refused("stopped; what has arrived is kept, and another fetch goes on from there"))
            }
        };
        self.fetching().remove(&order);
        self.transfers.send_modify(|transfers| transfers.retain(|transfer| transfer.order != order));
        fetched?;
        self.fetched(order).await
    }

    async fn stream(&self, order: OrderHash, store: StoreNumber) -> Result<bool, Failure> {
        let session = self.line().await?;
        let counter = self.counter(&session, store).await?;
        let tell = |transfer: Transfer| {
            self.transfers.send_modify(|transfers| {
                transfers.retain(|other| other.order != transfer.order);
                transfers.push(transfer);
            });
        };
        let delivering =
            Delivering { keep: &self.keep, counter: &counter, goods: self.goods(), order, tell: &tell };
        delivering.run().await
    }

    async fn fetched(&self, order: OrderHash) -> Result<FetchedGoods, Failure> {
        let goods = self.goods();
        self.keep
            .with(move |kept| {
                let none = || Failure::not_found("there is no such order here");
                let purchase = kept.book.purchase(&order).ok_or_else(none)?;
                if purchase.files.is_empty() {
                    return Err(Failure::not_possible("its goods are not here yet; fetch them first"));
                }
                Ok(FetchedGoods {
                    order,
                    files: purchase.files.values().map(|file| goods.join(file)).collect(),
                    acknowledged: purchase.acknowledged.is_some(),
                })
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

    async fn withdraw(&self, telegram: TelegramId) -> Result<Resolved, Failure> {
        let withdrawn = self.keep.with(move |kept| {
            if kept.vault.outbox().ready(&telegram).is_none() {
                return Ok(false);
            }
            kept.withdraw(telegram).map(|()| true)
        });
        if withdrawn.await? {
            return Ok(Resolved {
                telegram,
                kind: "telegram".into(),
                order: None,
                outcome: "withdrawn".into(),
                words: "taken back before it left".into(),
            });
        }
        let session = self.line().await?;
        send::resolve_one(&self.center, &session, telegram).await
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

/// Whether a purchase has goods to fetch.
fn fetchable(purchase: &Purchase) -> Result<(), Failure> {
    if let Some(refund) = &purchase.refund {
        return Err(Failure::refused(format!(
            "the payment was refunded as {}; there is nothing to fetch",
            refund.entry
        )));
    }
    if purchase.settled().is_none() {
        let state = purchase.state(Timestamp::now());
        return Err(Failure::not_possible(format!("this order is not paid: {}", state.words())));
    }
    Ok(())
}
