//! The counter: where members browse, order, prove themselves and fetch their goods.
//!
//! Every connection is a [`session::Session`] behind TLS with the store's terminal key. A stranger can make the store do
//! only bounded work: connections, requests and orders are limited by address, open offers in all.

mod limits;
mod session;

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use wire::{
    amount::Currency,
    id::{CenterId, OrderHash, StoreNumber},
    link::{self, Accepted, LinkError, NoPush, Pace, pushes},
    shop::{self, StoreHello},
    text::Line,
    time::Timestamp,
    tls,
};

use crate::{act::Failure, catalogue::Catalogue, center::Center, goods::Shelf, keep::Keep, settle::Settle};

use limits::Limits;
use session::Session;

/// How long a visitor may take for the handshake, and for taking the first frame.
const GREETING_LIMIT: Duration = Duration::from_secs(10);
/// Pieces of goods that are read from the disk at once, for all visitors together.
const READS_MAX: usize = 8;
/// An address of the documentation (RFC 5737): the way to it is the way to everywhere else.
const ELSEWHERE: &str = "192.0.2.1:9";
/// How long sessions may finish when the counter closes.
const CLOSING_LIMIT: Duration = Duration::from_secs(5);

/// What a counter serves with.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) keep: Arc<Keep>,
    pub(crate) center: Arc<Center>,
    pub(crate) settle: Arc<Settle>,
    pub(crate) shelf: Arc<Shelf>,
    /// What is sold now.
    pub(crate) catalogue: watch::Receiver<Arc<Catalogue>>,
    pub(crate) facts: Facts,
    limits: Limits,
    reads: Semaphore,
    visitors: AtomicU64,
}

/// What does not change while the counter is open.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) center: CenterId,
    pub(crate) store: StoreNumber,
    pub(crate) name: Line,
    pub(crate) currency: Currency,
    /// How long an offer can be paid, in milliseconds.
    pub(crate) offer_ms: u64,
}

impl Counter {
    pub(crate) fn new(
        keep: Arc<Keep>,
        center: Arc<Center>,
        settle: Arc<Settle>,
        shelf: Arc<Shelf>,
        catalogue: watch::Receiver<Arc<Catalogue>>,
        facts: Facts,
    ) -> Arc<Self> {
        Arc::new(Self {
            keep,
            center,
            settle,
            shelf,
            catalogue,
            facts,
            limits: Limits::new(),
            reads: Semaphore::new(READS_MAX),
            visitors: AtomicU64::new(0),
        })
    }

    /// Members connected now.
    pub(crate) fn visitors(&self) -> u64 {
        self.visitors.load(Ordering::Relaxed)
    }

    /// Serves a listener until `stop`; then sessions get a moment to finish what they were asked.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let shown = tls::ServerKey::new(&self.keep.terminal_key());
        let config = shown.config();
        let mut sessions = JoinSet::new();
        loop {
            let (stream, from) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Mostly: too many open files. What is open goes on; new visitors wait in the kernel's queue.
                        tracing::warn!("the counter cannot take a visitor: {error}");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        continue;
                    }
                },
                Some(_) = sessions.join_next(), if !sessions.is_empty() => continue,
                () = stop.cancelled() => break,
            };
            // A rotated terminal key is shown from the next visitor on; those inside go on under the one they have seen.
            let key = self.keep.terminal_key();
            if key.verification_key() != shown.shown() {
                shown.replace(&key);
            }
            let Some(place) = self.limits.place(from.ip()) else {
                tracing::warn!("too many connections from {}; one was refused", from.ip());
                continue;
            };
            let (counter, config, stop) = (self.clone(), config.clone(), stop.clone());
            sessions.spawn(async move {
                counter.visitors.fetch_add(1, Ordering::Relaxed);
                counter.keep.touch();
                let attended = async {
                    stream.set_nodelay(true)?;
                    let accepted = link::accept(stream, &config, GREETING_LIMIT).await?;
                    counter.attend(accepted, from, &stop).await
                };
                if let Err(error) = attended.await {
                    tracing::info!("a visitor from {}: {error}", from.ip());
                }
                counter.visitors.fetch_sub(1, Ordering::Relaxed);
                counter.keep.touch();
                drop(place);
            });
        }
        drop(listener);
        let finished = async { while sessions.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSING_LIMIT, finished).await.is_err() {
            tracing::warn!("some visitors took too long to leave and were cut off");
        }
    }

    async fn attend(
        self: &Arc<Self>,
        accepted: Accepted,
        from: SocketAddr,
        stop: &CancellationToken,
    ) -> Result<(), LinkError> {
        let exporter = *accepted.exporter();
        let ready = accepted.greet(&self.hello(), GREETING_LIMIT).await?;
        let (pusher, pushed) = pushes::<NoPush>();
        let session = Arc::new(Session::new(self.clone(), from.ip(), exporter));
        let serving = ready.serve(Pace::default(), pushed, |request| {
            let session = session.clone();
            async move { session.answer(request).await }
        });
        tokio::pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended,
            () = stop.cancelled() => pusher.hang_up(),
        }
        serving.await
    }

    fn hello(&self) -> StoreHello {
        StoreHello {
            min_version: shop::VERSION,
            max_version: shop::VERSION,
            center: self.facts.center,
            store: self.facts.store,
            name: self.facts.name.clone(),
            at: Timestamp::now(),
        }
    }
}

/// Begins to listen at every address.
///
/// # Errors
/// Names the address that cannot be listened on.
pub(crate) async fn listen(addresses: &[String]) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), Failure> {
    let mut listeners = Vec::new();
    let mut bound = Vec::new();
    for address in addresses {
        let failed = |error: std::io::Error| {
            Failure::machine(format!(
                "cannot listen on {address}: {error}; choose another with --listen HOST:PORT"
            ))
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        bound.push(listener.local_addr().map_err(failed)?);
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

/// The address by which others reach a listener: one bound to every interface is reached at the one that leads to the
/// center. Blocks while names are looked up.
pub(crate) fn reachable(bound: &[SocketAddr], center: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let addresses = bound.iter().filter_map(|bound| {
        let ip = if bound.ip().is_unspecified() {
            center
                .iter()
                .map(String::as_str)
                .chain([ELSEWHERE])
                .find_map(|to| outward(bound.is_ipv6(), to))?
        } else {
            bound.ip()
        };
        Some(SocketAddr::new(ip, bound.port()).to_string())
    });
    addresses.filter(|address| seen.insert(address.clone())).collect()
}

/// The own address on the way to another; nothing is sent to find out.
fn outward(v6: bool, towards: &str) -> Option<IpAddr> {
    let any = if v6 { "[::]:0" } else { "0.0.0.0:0" };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect(towards).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The orders that a session has proved to be the buyer of.
type Proved = std::sync::Mutex<HashSet<OrderHash>>;

#[cfg(test)]
mod tests;
