//! Accepts terminals: TCP, TLS 1.3, the center's first frame, then one session for each connection.
//!
//! | part | does |
//! |---|---|
//! | [`Reception`] | listens, lets connections in past the guard, ends them in order |
//! | `session` | what one connection has asked and who it is |
//! | `login` | believes a terminal key; looks at the checkpoint that the terminal presents |
//! | `registration` | enters newcomers |
//! | `mail` | pages, pushes and acknowledgements |
//! | `directory` | signed pages of stores |
//! | [`page`] | the read-only page for browsers and `curl` |
//! | [`forms`], [`presence`] | what newcomers fill in; which stores are here |

mod directory;
pub mod forms;
mod login;
mod mail;
pub mod page;
pub mod presence;
mod registration;
mod session;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{
    link::{self, LinkError, Pace, Ready},
    message::{self, Answer, Push, Request, ServerHello},
    text::{Line, Prose},
    time::Timestamp,
    tls,
};

use self::session::Session;
use crate::{
    center::Center,
    errors::{Room, Weight},
    guard::Place,
};

/// How long the TLS handshake and the first frame may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long sessions may take to say farewell when the center closes.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long to wait before accepting again when the system has no descriptors left.
const BREATHER: Duration = Duration::from_millis(100);

/// The listeners of a serving center.
pub struct Reception {
    addresses: Vec<String>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Reception {
    /// Binds every configured address and begins to accept. An address that can't be bound is an alarm; the others
    /// serve.
    ///
    /// # Errors
    /// When none can be bound.
    pub async fn open(center: &Center) -> Result<Self, String> {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let config = tls::server_config(&center.roles().tls);
        let mut addresses = Vec::new();
        let mut failed = Vec::new();
        for address in &center.config().listen {
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    addresses.push(
                        listener.local_addr().map_or_else(|_| address.clone(), |bound| bound.to_string()),
                    );
                    tasks.spawn(listen(
                        center.clone(),
                        listener,
                        config.clone(),
                        stop.clone(),
                        tasks.clone(),
                    ));
                }
                Err(error) => {
                    let words = format!("The center cannot listen on {address}: {error}.");
                    center.errors().tell(Room::Reception, Weight::Alarm, &words);
                    failed.push(words);
                }
            }
        }
        if addresses.is_empty() { Err(failed.join(" ")) } else { Ok(Self { addresses, stop, tasks }) }
    }

    /// The addresses that are listened on.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Accepts no more and ends every session in order: what is being answered is answered, then the center hangs up.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        // Whoever does not take the farewell in time is cut off when the runtime ends.
        let _ = tokio::time::timeout(FAREWELL, self.tasks.wait()).await;
    }
}

async fn listen(
    center: Center,
    listener: TcpListener,
    config: Arc<ServerConfig>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(place) = center.guard().arrive(peer.ip()) else { continue };
                tasks.spawn(attend(center.clone(), stream, peer, place, config.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!("accepting a connection: {error}");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

/// Serves one connection from its first byte to its last.
async fn attend(
    center: Center,
    stream: TcpStream,
    peer: SocketAddr,
    _place: Place,
    config: Arc<ServerConfig>,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let greeted = tokio::select! {
        () = stop.cancelled() => return,
        greeted = greet(&center, stream, &config) => greeted,
    };
    match greeted {
        Ok(ready) => {
            if let Err(error) = converse(&center, ready, peer, stop).await {
                tracing::debug!(%peer, "the connection ended: {error}");
            }
        }
        // Scanners and probes open connections all day; the guard tells of those who come too often.
        Err(error) => tracing::debug!(%peer, "no session: {error}"),
    }
}

async fn greet(center: &Center, stream: TcpStream, config: &Arc<ServerConfig>) -> Result<Ready, LinkError> {
    let accepted = link::accept(stream, config, HANDSHAKE).await?;
    accepted.greet(&hello(center), HANDSHAKE).await
}

fn hello(center: &Center) -> ServerHello {
    let line = |text: &str| Line::new(text).unwrap_or_default();
    ServerHello {
        min_version: message::VERSION,
        max_version: message::VERSION,
        sheet: center.sheet().clone(),
        name: line(&center.settings().name),
        currency: center.settings().currency,
        zone: line(&center.settings().zone),
        help: line(&center.config().help),
        at: Timestamp::now(),
    }
}

async fn converse(
    center: &Center,
    ready: Ready,
    peer: SocketAddr,
    stop: CancellationToken,
) -> Result<(), LinkError> {
    let (pusher, pushes) = link::pushes::<Push>();
    let session = Arc::new(Session::new(center.clone(), peer.ip(), *ready.exporter(), pusher.clone()));
    // `lost`: something that was asked has no answer, so the connection ends without one.
    let (ended, lost) = (CancellationToken::new(), CancellationToken::new());
    let farewell = {
        let (pusher, ended) = (pusher.clone(), ended.clone());
        async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = stop.cancelled() => {
                    let words = Prose::new("the center is closing; it will be back").unwrap_or_default();
                    // A peer that is behind learns it from the closed connection.
                    let _ = pusher.push(Push::Closing(words));
                    pusher.hang_up();
                }
            }
        }
    };
    let serving = async {
        let serve = ready.serve(Pace::default(), pushes, |request: Request| {
            let (session, lost) = (session.clone(), lost.clone());
            async move {
                match answer(session, request).await {
                    Some(answer) => answer,
                    None => {
                        lost.cancel();
                        std::future::pending().await
                    }
                }
            }
        });
        let served = tokio::select! {
            served = serve => served,
            () = lost.cancelled() => Err(LinkError::Closed),
        };
        ended.cancel();
        served
    };
    let (served, ()) = tokio::join!(serving, farewell);
    session.end();
    served
}

/// Runs a request in a task of its own, so that one that panics costs its own session and nobody else anything, and
/// one whose connection ends is not torn off in the middle. `None` when nobody knows what became of it: no answer may
/// be given, the terminal asks again on a new connection.
async fn answer(session: Arc<Session>, request: Request) -> Option<Answer> {
    let center = session.center().clone();
    match tokio::spawn(async move { session.answer(request).await }).await {
        Ok(answer) => answer,
        Err(_) => {
            center.errors().tell(
                Room::Reception,
                Weight::Alarm,
                "A request could not be answered: an error in the program.",
            );
            center.counters().failures.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}
