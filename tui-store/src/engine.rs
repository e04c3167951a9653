//! All of a store together: the open vault, the line to the center, the counter, and the acts of a person.
//!
//! [`Handle::open`] is enough for a single act. [`Handle::serve`] opens the counter and keeps the line until
//! [`Serving::stop`], which ends in order: no new visitors, those inside finish, the directory is told, the line closes.

mod cashiers;
mod custody;
mod looks;

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tui_kit::{control, profile::Profile};
use vault::{Surroundings, Vault};
use wire::{id::Digest, sheet::Invitation, time::Timestamp};

use crate::{
    act::{Act, Failure, Outcome},
    catalogue::Window,
    center::Center,
    config::Config,
    counter::{self, Counter, Facts},
    goods::Shelf,
    join,
    keep::Keep,
    receipt, settle,
    settle::Settle,
    snapshot::{self, Around, OfVault},
    view::{CounterView, LineView, OrderStanding, Snapshot},
};

/// The shortest time between two snapshots.
const SNAPSHOT_PAUSE: Duration = Duration::from_millis(100);
/// How often the deposited copy of the vault is brought up, at the most, while serving.
const DEPOSIT_EVERY: Duration = Duration::from_secs(5 * 60);
/// How often a snapshot is made although nothing was written: offers expire by themselves.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(20);

/// A store with its vault open. Clones are the same store; the vault is free again when the last one is gone and
/// serving has stopped.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    profile: Profile,
    config: RwLock<Config>,
    keep: Arc<Keep>,
    center: Arc<Center>,
    settle: Arc<Settle>,
    window: Arc<Window>,
    shelf: Arc<Shelf>,
    counter: RwLock<Option<OpenCounter>>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    /// How many bytes of a program that is being downloaded are there, and of how many.
    downloads: watch::Sender<(u64, u64)>,
    generation: AtomicU64,
}

#[derive(Debug, Clone)]
struct OpenCounter {
    counter: Arc<Counter>,
    bound: Vec<SocketAddr>,
}

/// What to serve with in place of what the config says.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// Where to listen, as `host:port`; port 0 takes a free one.
    pub listen: Option<Vec<String>>,
    /// The catalogue's folder.
    pub catalogue: Option<PathBuf>,
}

/// A store that serves.
#[derive(Debug)]
#[must_use = "it serves until it is stopped"]
pub struct Serving {
    /// Where the counter listens.
    pub listening: Vec<SocketAddr>,
    /// The addresses that the directory is told.
    pub announced: Vec<String>,
    counter_stop: CancellationToken,
    counter_tasks: JoinSet<()>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    inner: Arc<Inner>,
}

impl Handle {
    /// Opens the vault of a profile with password A.
    ///
    /// # Errors
    /// In words: no vault, a wrong password, another program that has it, a config that is not understood.
    pub async fn open(profile: Profile, password_a: &SecretString) -> Result<Self, Failure> {
        let keep = open_keep(profile.data(), password_a).await?;
        Self::of(profile, keep).await
    }

    async fn of(profile: Profile, keep: Arc<Keep>) -> Result<Self, Failure> {
        let config = Config::read(&profile.config_file()).map_err(Failure::not_possible)?;
        let goods = profile.data().join("goods");
        let shelf = tokio::task::spawn_blocking(move || Shelf::open(&goods));
        let shelf = Arc::new(shelf.await.map_err(Failure::machine)?.map_err(Failure::machine)?);
        let center = Center::new(keep.clone());
        let settle = Settle::new(keep.clone(), center.clone());
        let window = Window::new(config.catalogue_in(profile.data()), keep.book().currency(), shelf.clone());
        let inner = Inner {
            profile,
            config: RwLock::new(config),
            center,
            settle,
            window,
            shelf,
            counter: RwLock::new(None),
            snapshots: watch::Sender::new(Arc::new(empty(&keep))),
            downloads: watch::Sender::default(),
            generation: AtomicU64::new(0),
            keep,
        };
        let handle = Self(Arc::new(inner));
        handle.0.publish().await?;
        Ok(handle)
    }

    /// Does what a person asks. It goes to its end even when the future is dropped half way only as far as the vault is
    /// concerned: what was signed is in the outbox, and is asked about later.
    ///
    /// # Errors
    /// In words, with the kind of failure.
    pub async fn act(&self, act: Act) -> Result<Outcome, Failure> {
        let inner = &self.0;
        let now = Timestamp::now();
        match act {
            Act::Status => Ok(Outcome::Status(Box::new(inner.fresh().await?))),
            Act::Sync => {
                let line = inner.center.line().await?;
                inner.center.take_mail(&line).await?;
                inner.settle.resolve_over(&line).await?;
                inner.settle.compare_cashiers(&line).await;
                inner.settle.deposit_or_warn(&line).await;
                Ok(Outcome::Status(Box::new(inner.fresh().await?)))
            }
            Act::Orders { state } => {
                Ok(Outcome::Orders(snapshot::order_rows(&inner.keep.book(), state, now, usize::MAX)))
            }
            Act::Order { order } => {
                Ok(Outcome::Order(Box::new(snapshot::order_detail(&inner.keep.book(), &order, now)?)))
            }
            Act::Refund { payments, all_due, reason, password_b, sending } => inner
                .settle
                .refund(payments, all_due, reason, password_b.map(|password| password.0), sending)
                .await
                .map(Outcome::Resolved),
            Act::Claimable => Ok(Outcome::Claimable(snapshot::claimable(&inner.keep.book()))),
            Act::Claim { payments, password_b, sending } => inner
                .settle
                .claim(payments, password_b.map(|password| password.0), sending)
                .await
                .map(Outcome::Resolved),
            Act::Payouts => Ok(Outcome::Payouts(snapshot::payout_rows(&inner.keep.book(), usize::MAX))),
            Act::Outbox => {
                let items = inner.keep.items().await?;
                Ok(Outcome::Outbox(settle::outbox_rows(&items, inner.keep.book().currency())))
            }
            Act::Resolve => inner.settle.resolve().await.map(Outcome::Resolved),
            Act::Withdraw { telegram } => {
                inner.settle.withdraw(telegram).await.map(|one| Outcome::Resolved(vec![one]))
            }
            Act::Cashiers { what } => inner.cashier_act(what).await,
            Act::Doctor => inner.doctor().await,
            Act::Catalogue => inner.catalogue().await,
            Act::ChooseCatalogue { folder } => inner.choose_catalogue(folder).await,
            Act::ExportReceipt { number, with_order } => inner.export(number, with_order).await,
            Act::TextReceipt { number } => inner.text_receipt(number).await,
            Act::VerifyReceipt { content } => inner.verify(content).await,
            act => inner.custody_act(act).await,
        }
    }

    /// Whether this is password A: for a screen that was locked while the counter stays open.
    ///
    /// # Errors
    /// A wrong password, or one that must wait.
    pub async fn check_password_a(&self, password: SecretString) -> Result<(), Failure> {
        Ok(self.0.keep.vault(move |vault| vault.check_password_a(&password)).await??)
    }

    /// The drawn seal, to be shown where something is signed.
    pub fn seal(&self) -> Option<vault::Autograph> {
        self.snapshot().seal.as_deref().cloned()
    }

    /// The same vault on its way into the register, where it is not there yet.
    pub fn newcomer(&self) -> join::Newcomer {
        join::Newcomer::of(self.0.keep.clone())
    }

    /// The state as it changes while serving.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.snapshots.subscribe()
    }

    /// How many bytes of a program that is being downloaded are there, and of how many.
    pub fn downloads(&self) -> watch::Receiver<(u64, u64)> {
        self.0.downloads.subscribe()
    }

    /// The newest state.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshots.borrow().clone()
    }

    /// Where the profile lives.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// Opens the counter, keeps the line to the center, follows the catalogue's folder, and answers on the control
    /// socket. A center that cannot be reached and a bad catalogue are said in the snapshot and do not hinder it.
    ///
    /// # Errors
    /// In words: not joined, an address that cannot be listened on, another program on the control socket.
    pub async fn serve(&self, options: ServeOptions) -> Result<Serving, Failure> {
        let inner = self.0.clone();
        let config = inner.config();
        let (facts, addresses) = inner.facts(&config).await?;
        let control =
            control::Listener::bind(&inner.profile.control_socket()).await.map_err(Failure::machine)?;
        let (listeners, bound) = counter::listen(options.listen.as_ref().unwrap_or(&config.listen)).await?;
        let announced = if config.announce.is_empty() {
            let bound = bound.clone();
            let looking = tokio::task::spawn_blocking(move || counter::reachable(&bound, &addresses));
            looking.await.map_err(Failure::machine)?
        } else {
            config.announce.clone()
        };
        if let Some(folder) = options.catalogue {
            let folder = std::path::absolute(&folder).map_err(Failure::machine)?;
            inner.window.turn_to(folder).await;
        }
        inner.window.load().await?;
        inner.clear_shelf().await?;

        let counter = Counter::new(
            inner.keep.clone(),
            inner.center.clone(),
            inner.settle.clone(),
            inner.shelf.clone(),
            inner.window.sold(),
            facts,
        );
        let (counter_stop, stop) = (CancellationToken::new(), CancellationToken::new());
        let (mut counter_tasks, mut tasks) = (JoinSet::new(), JoinSet::new());
        for listener in listeners {
            counter_tasks.spawn(counter.clone().serve(listener, counter_stop.clone()));
        }
        let open = OpenCounter { counter, bound: bound.clone() };
        *inner.counter.write().unwrap_or_else(PoisonError::into_inner) = Some(open);

        let (_, announcement) = watch::channel(announced.clone());
        let settle = inner.settle.clone();
        tasks.spawn(inner.center.clone().serve(announcement, stop.clone(), move |line| {
            let settle = settle.clone();
            async move {
                if let Err(failure) = settle.resolve_over(&line).await {
                    tracing::warn!("what waits in the outbox could not be asked about: {failure}");
                }
                settle.compare_cashiers(&line).await;
                settle.deposit_or_warn(&line).await;
            }
        }));
        let keep = inner.keep.clone();
        tasks.spawn(inner.window.clone().follow(stop.clone(), move || keep.touch()));
        tasks.spawn(inner.clone().publish_until(stop.clone()));
        tasks.spawn(inner.clone().deposit_until(stop.clone()));
        let handle = self.clone();
        let control_stop = stop.clone();
        tasks.spawn(async move {
            let answering = control.serve(move |_, act| answer(handle.clone(), act));
            tokio::select! {
                ended = answering => {
                    if let Err(error) = ended {
                        tracing::error!("the control socket is closed: {error}");
                    }
                }
                () = control_stop.cancelled() => {}
            }
        });
        inner.publish().await?;
        Ok(Serving { listening: bound, announced, counter_stop, counter_tasks, stop, tasks, inner })
    }
}

impl Serving {
    /// Ends in order. What was promised to anyone is on disk already.
    pub async fn stop(mut self) {
        self.counter_stop.cancel();
        while self.counter_tasks.join_next().await.is_some() {}
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        *self.inner.counter.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Opens a profile's vault.
pub(crate) async fn open_keep(profile: &Path, password_a: &SecretString) -> Result<Arc<Keep>, Failure> {
    let (profile, password) = (profile.to_owned(), password_a.clone());
    let opening =
        tokio::task::spawn_blocking(move || Vault::open(&profile, &password, Surroundings::system()));
    match opening.await.map_err(Failure::machine)? {
        Ok(opening) => Keep::new(opening),
        Err(refused) => Err(refused.into()),
    }
}

impl Inner {
    fn config(&self) -> Config {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the counter shows of us, and where the center is.
    async fn facts(&self, config: &Config) -> Result<(Facts, Vec<String>), Failure> {
        let pinned = self.keep.vault(|vault| vault.center().cloned()).await?;
        let book = self.keep.book();
        let (Some(pinned), Some(identity)) = (pinned, &book.identity) else {
            return Err(Failure::not_possible("this profile has not joined a center; run join first"));
        };
        let facts = Facts {
            center: pinned.root.center(),
            store: identity.store,
            name: identity.name.clone(),
            currency: book.currency(),
            offer_ms: config.offer_minutes * 60_000,
        };
        Ok((facts, pinned.addresses))
    }

    /// Takes goods off the shelf that neither the catalogue nor an order names.
    async fn clear_shelf(&self) -> Result<(), Failure> {
        let keep = {
            let (book, now) = (self.keep.book(), Timestamp::now());
            let wanted = book.sales.values().filter(|sale| {
                !matches!(book.standing(sale, now), OrderStanding::Expired | OrderStanding::Refunded)
            });
            let ordered = wanted.flat_map(|sale| sale.order.lines.iter().map(|line| line.digest));
            let sold = self.window.sold().borrow().clone();
            ordered.chain(sold.items().map(|item| item.digest)).collect::<HashSet<Digest>>()
        };
        let shelf = self.shelf.clone();
        let clearing = tokio::task::spawn_blocking(move || shelf.clear_except(&keep));
        let cleared = clearing.await.map_err(Failure::machine)?.map_err(Failure::machine)?;
        if cleared > 0 {
            tracing::info!("{cleared} files that nobody can ask for any more were taken off the shelf");
        }
        Ok(())
    }

    /// Publishes a snapshot whenever something has changed.
    async fn publish_until(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.keep.changed() => {}
                () = tokio::time::sleep(SNAPSHOT_EVERY) => {}
                () = stop.cancelled() => return,
            }
            if let Err(failure) = self.publish().await {
                tracing::error!("the state could not be shown: {failure}");
            }
            tokio::time::sleep(SNAPSHOT_PAUSE).await;
        }
    }

    /// Deposits a copy of the vault now and then, where something has changed and there is a line.
    async fn deposit_until(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(DEPOSIT_EVERY) => {}
                () = stop.cancelled() => return,
            }
            if self.center.is_up()
                && let Ok(line) = self.center.line().await
            {
                self.settle.deposit_or_warn(&line).await;
            }
        }
    }

    async fn publish(&self) -> Result<(), Failure> {
        let fresh = self.fresh().await?;
        self.snapshots.send_replace(Arc::new(fresh));
        Ok(())
    }

    /// The state at this moment.
    async fn fresh(&self) -> Result<Snapshot, Failure> {
        let (pinned, waiting, custody) = self
            .keep
            .vault(|vault| {
                let waiting = vault.outbox().open().cloned().collect::<Vec<_>>();
                let custody = OfVault {
                    recovery: vault.recovery(),
                    copy_due: vault.copy_is_due(),
                    seal: vault.autograph().map(Arc::new),
                };
                (vault.center().cloned(), waiting, custody)
            })
            .await?;
        let open = self.counter.read().unwrap_or_else(PoisonError::into_inner).clone();
        let counter = CounterView {
            listening: open.iter().flat_map(|open| open.bound.iter().map(ToString::to_string)).collect(),
            announced: self.center.announced(),
            visitors: open.as_ref().map_or(0, |open| open.counter.visitors()),
        };
        let around = Around {
            pinned: pinned.as_ref(),
            line: self.center.view(),
            counter,
            catalogue: self.window.view(),
            waiting: &waiting,
            findings: &self.keep.findings,
            vault: custody,
            signing_until: self.keep.signing_until(),
        };
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(snapshot::snapshot(&self.keep.book(), around, generation, Timestamp::now()))
    }
}

/// The state before anything was looked at.
fn empty(keep: &Keep) -> Snapshot {
    let catalogue = crate::view::CatalogueView {
        folder: PathBuf::new(),
        items: Vec::new(),
        faults: Vec::new(),
        loaded: None,
    };
    let around = Around {
        pinned: None,
        line: LineView::Idle,
        counter: CounterView { listening: Vec::new(), announced: Vec::new(), visitors: 0 },
        catalogue: Arc::new(catalogue),
        waiting: &[],
        findings: &keep.findings,
        vault: OfVault::default(),
        signing_until: None,
    };
    snapshot::snapshot(&keep.book(), around, 0, Timestamp::now())
}

/// Answers one act of the control socket: a `Result<Outcome, Failure>` as JSON.
async fn answer(handle: Handle, act: serde_json::Value) -> control::Answer {
    match serde_json::from_value::<Act>(act) {
        Ok(act) => control::Answer::value(handle.act(act).await),
        Err(error) => {
            control::Answer::refuse("unknown-act", format!("this program does not know the act: {error}"))
        }
    }
}

/// Looks at a receipt file under the root key of an invitation; no vault is needed.
///
/// # Errors
/// When it is no receipt file at all.
pub fn verify_receipt(content: &str, invitation: &Invitation) -> Result<crate::view::Verification, Failure> {
    receipt::verify(content, &invitation.root)
}

#[cfg(test)]
mod tests;
