//! Accepts terminals: TCP, TLS 1.3, the center's first frame, then one session for each connection.
//!
//! | part | does |
//! |---|---|
//! | [`Reception`] | listens, lets connections in past the guard, ends them in order |
//! | `session` | what one connection has asked and who it is |
//! | `login` | believes a terminal key; looks at the checkpoint that the terminal presents |
//! | `joining` | guide, form, application, kit: before there is an account |
//! | `registration` | enters those who were admitted |
//! | `recovery` | believes a recovery key; takes and gives deposited copies of vaults |
//! | `mail` | pages, pushes and acknowledgements |
//! | `directory` | signed pages of stores |
//! | [`page`] | the read-only page for browsers and `curl` |
//! | [`presence`], [`sessions`] | which stores are here; who is connected by which key |

mod directory;
mod joining;
mod login;
mod mail;
pub mod page;
pub mod presence;
mod proofs;
mod recovery;
mod registration;
mod session;
pub mod sessions;

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{FutureExt as _, future::Either};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{
    link::{self, LinkError, Pace, Ready},
    message::{self, Answer, Push, Request, ServerHello},
    text::{Line, Prose},
    time::Timestamp,
};

use self::session::{AtOnce, Session};
use crate::{
    center::Center,
    errors::{Room, Weight},
    guard::Place,
    voice::Speaking,
};

/// How long the TLS handshake and the first frame may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long sessions may take to say farewell when the center closes.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often the cursors of acknowledged mail are kept.
const CURSORS: Duration = Duration::from_secs(2);
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
        let mut addresses = Vec::new();
        let mut failed = Vec::new();
        for address in &center.config().listen {
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    addresses.push(
                        listener.local_addr().map_or_else(|_| address.clone(), |bound| bound.to_string()),
                    );
                    tasks.spawn(listen(center.clone(), listener, stop.clone(), tasks.clone()));
                }
                Err(error) => {
                    let words = format!("The center cannot listen on {address}: {error}.");
                    center.errors().tell(Room::Reception, Weight::Alarm, &words);
                    failed.push(words);
                }
            }
        }
        if addresses.is_empty() {
            return Err(failed.join(" "));
        }
        tasks.spawn(keep_cursors(center.clone(), stop.clone()));
        Ok(Self { addresses, stop, tasks })
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

async fn listen(center: Center, listener: TcpListener, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(place) = center.guard().arrive(peer.ip()) else { continue };
                tasks.spawn(attend(center.clone(), stream, peer, place, stop.clone()));
            }
            Err(error) => {
                tracing::warn!("accepting a connection: {error}");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

/// Serves one connection from its first byte to its last.
async fn attend(center: Center, stream: TcpStream, peer: SocketAddr, _place: Place, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    // One sheet for the whole connection: the one that names the key which the line shows.
    let speaking = center.speaking();
    let greeted = tokio::select! {
        () = stop.cancelled() => return,
        greeted = greet(&center, stream, &speaking) => greeted,
    };
    match greeted {
        Ok(ready) => {
            if let Err(error) = converse(&center, ready, peer, &speaking, stop).await {
                tracing::debug!(%peer, "the connection ended: {error}");
            }
        }
        // Scanners and probes open connections all day; the guard tells of those who come too often.
        Err(error) => tracing::debug!(%peer, "no session: {error}"),
    }
}

async fn greet(center: &Center, stream: TcpStream, speaking: &Speaking) -> Result<Ready, LinkError> {
    let accepted = link::accept(stream, speaking.line(), HANDSHAKE).await?;
    accepted.greet(&hello(center, speaking), HANDSHAKE).await
}

fn hello(center: &Center, speaking: &Speaking) -> ServerHello {
    let line = |text: &str| Line::new(text).unwrap_or_default();
    ServerHello {
        min_version: message::VERSION,
        max_version: message::VERSION,
        sheet: speaking.sheet().clone(),
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
    speaking: &Arc<Speaking>,
    stop: CancellationToken,
) -> Result<(), LinkError> {
    let (pusher, pushes) = link::pushes::<Push>();
    let session = Arc::new(Session::new(
        center.clone(),
        speaking.clone(),
        peer.ip(),
        *ready.exporter(),
        pusher.clone(),
    ));
    // `lost`: something that was asked has no answer, so the connection ends without one.
    let (ended, lost) = (CancellationToken::new(), CancellationToken::new());
    let farewell = {
        let (pusher, ended) = (pusher.clone(), ended.clone());
        let (replaced, session) = (speaking.replaced().clone(), session.clone());
        async move {
            let words = tokio::select! {
                () = ended.cancelled() => return,
                () = stop.cancelled() => "the center is closing; it will be back",
                () = replaced.cancelled() => "the center has new keys; connect again",
                () = session.unseated() => "the key that speaks here is not in force any more; connect again",
            };
            // A peer that is behind learns it from the closed connection.
            let _ = pusher.push(Push::Closing(Prose::new(words).unwrap_or_default()));
            pusher.hang_up();
        }
    };
    let serving = async {
        let serve = ready.serve(Pace::default(), pushes, |request: Request| {
            let lost = lost.clone();
            let answered = answer(session.clone(), request);
            async move {
                match answered.await {
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

/// Answers a request. What takes longer than a signature to verify runs in a task of its own, so that one whose
/// connection ends is not torn off in the middle. One that panics costs its own session and nobody else anything. `None`
/// when nobody knows what became of it: no answer may be given, the terminal asks again on a new connection.
fn answer(session: Arc<Session>, request: Request) -> impl Future<Output = Option<Answer>> {
    let failing = session.clone();
    let answered = match AtOnce::of(request) {
        Ok(request) => {
            Either::Left(AssertUnwindSafe(session.answer_at_once(request)).catch_unwind().map(Result::ok))
        }
        Err(request) => {
            let apart = tokio::spawn(async move { session.answer(*request).await });
            Either::Right(apart.map(Result::ok))
        }
    };
    answered.map(move |answered| {
        answered.unwrap_or_else(|| {
            let center = failing.center();
            let words = "A request could not be answered: an error in the program.";
            center.errors().tell(Room::Reception, Weight::Alarm, words);
            center.counters().failures.fetch_add(1, Ordering::Relaxed);
            None
        })
    })
}

/// Keeps the cursors of mail that was acknowledged, for as long as terminals are served.
async fn keep_cursors(center: Center, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(CURSORS);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let mailboxes = center.desk().mailboxes().clone();
        // A panic there has told of itself; what is not kept only repeats mail.
        let _ = tokio::task::spawn_blocking(move || mailboxes.keep_cursors()).await;
    }
}
