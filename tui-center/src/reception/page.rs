//! The read-only page: for whoever has only a browser or `curl`.
//!
//! | address | gives |
//! |---|---|
//! | `/` | the guides for members and stores, the invitation, how to fetch the program: HTML, or text where no HTML is asked for |
//! | `/invitation` | the invitation, as text |
//! | `/kit/SHA256SUMS` | the digests of all builds, as `sha256sum -c` reads them |
//! | `/kit/FILE` | a build; it can be resumed (RFC 9110, section 14) |
//!
//! It answers `GET` and `HEAD`, one request for each connection, keeps no session, sets no cookie and runs nothing in the
//! browser. It speaks HTTP/1.1 in the clear: a proxy in front of it gives it TLS. What a terminal believes does not hang
//! on this page, for the invitation pins the center and the kit that the terminal fetches is signed; only who types an
//! invitation found here believes the page, and is told so on it.
//!
//! | part | does |
//! |---|---|
//! | [`PageSource`] | what the center gives it to show |
//! | [`ReadingRoom`] | listens, within bounds |
//! | `answer` | what is at which address |
//! | `words` | the guide as HTML and as text |
//! | `watched` | notices that a client takes nothing any more |
//!
//! ```text
//! let room = ReadingRoom::open(page, Arc::new(source), center.errors().clone()).await?;   // words when it cannot listen
//! room.address();                                                                          // where
//! room.close().await;                                                                      // at the end
//! ```

mod answer;
#[cfg(test)]
mod tests;
mod watched;
mod words;

use std::{
    collections::HashMap,
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::{Method, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::id::{Digest, Role};

use self::watched::Watched;
use crate::{
    config::Page,
    errors::{ErrorLog, Room, Weight},
};

/// The most bytes of a request's head.
const HEAD: usize = 16 * 1024;
/// The most header fields of a request.
const FIELDS: usize = 64;
/// How long to wait before accepting again when the system has no descriptors left.
const BREATHER: Duration = Duration::from_millis(100);
/// How long answers that are under way may take when the center closes.
const FAREWELL: Duration = Duration::from_secs(2);
/// What one address may have of all connections, as a part: a quarter. Addresses of this machine may have them all,
/// because a proxy stands for everybody.
const SHARE: u32 = 4;
/// What is said to whom there is no room for.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 43\r\nretry-after: 10\r\nconnection: close\r\n\r\nThe page has many readers; try again soon.\n";

/// What the page shows. It is asked at each request, on a thread that may be kept busy by the disk.
pub trait PageSource: Send + Sync + 'static {
    /// The center's name.
    fn center(&self) -> String;
    /// The guide for members or for stores: title and text.
    fn guide(&self, role: Role) -> (String, String);
    /// The builds of the program that can be fetched.
    fn builds(&self) -> Vec<Build>;
    /// The invitation, in one line.
    fn invitation(&self) -> String;
}

/// A build of one of the programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The program: `tui-member` or `tui-store`.
    pub program: String,
    /// Its version.
    pub version: String,
    /// The platform it is for, like `x86_64-unknown-linux-gnu`.
    pub platform: String,
    /// Under which name it is fetched: letters, digits, `.`, `-`, `_` and `+`. One with another name is not offered, for
    /// names stand in a command line.
    pub file: String,
    /// The SHA-256 of the file.
    pub sha256: Digest,
    /// The file's length in bytes.
    pub length: u64,
    /// Where it lies.
    pub path: PathBuf,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// For the head of its request.
    head: Duration,
    /// Without taking or sending a byte.
    silence: Duration,
    /// For everything.
    whole: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            whole: Duration::from_secs(60 * 60),
        }
    }
}

/// The page's listener.
pub struct ReadingRoom {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    places: Places,
}

impl ReadingRoom {
    /// Binds the address and begins to answer.
    ///
    /// # Errors
    /// In words, when the address can't be bound.
    pub async fn open(page: &Page, source: Arc<dyn PageSource>, errors: ErrorLog) -> Result<Self, String> {
        Self::open_at(page, source, errors, Pace::default()).await
    }

    async fn open_at(
        page: &Page,
        source: Arc<dyn PageSource>,
        errors: ErrorLog,
        pace: Pace,
    ) -> Result<Self, String> {
        let cannot = |error| format!("the page cannot listen on {}: {error}", page.listen);
        let listener = TcpListener::bind(page.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let places = Places::new(page.connections);
        let told = Arc::default();
        let reader = Reader { source, errors, url: page.url().into(), pace, stop: stop.clone(), told };
        tasks.spawn(listen(listener, reader, places.clone(), tasks.clone()));
        Ok(Self { address, stop, tasks, places })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many readers are here at present.
    pub fn readers(&self) -> u32 {
        self.places.taken()
    }

    /// Accepts no more and ends what is under way.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        // Whoever does not end in time is cut off when the runtime ends.
        let _ = tokio::time::timeout(FAREWELL, self.tasks.wait()).await;
    }
}

/// What each connection is answered from.
#[derive(Clone)]
struct Reader {
    source: Arc<dyn PageSource>,
    errors: ErrorLog,
    url: Arc<str>,
    pace: Pace,
    stop: CancellationToken,
    /// What was told last: whoever asks again and again for what fails fills no log.
    told: Arc<Mutex<String>>,
}

impl Reader {
    fn tell(&self, why: String) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != why {
            self.errors.tell(Room::Reception, Weight::Warning, format!("The page could not answer: {why}."));
            *told = why;
        }
    }
}

async fn listen(listener: TcpListener, reader: Reader, places: Places, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = reader.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match places.take(peer.ip()) {
                Some(place) => {
                    tasks.spawn(attend(stream, reader.clone(), place));
                }
                // Said without waiting; who does not hear it sees a closed connection.
                None => {
                    let _ = stream.try_write(FULL);
                }
            },
            Err(error) => {
                tracing::warn!("accepting a reader of the page: {error}");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, reader: Reader, _place: Place) {
    let _ = stream.set_nodelay(true);
    let (stream, watch) = Watched::new(stream);
    let answering = reader.clone();
    let service = service_fn(move |request| {
        let reader = answering.clone();
        async move {
            let head = request.method() == Method::HEAD;
            let answered = answer::answer(reader.source.clone(), reader.url.clone(), request).await;
            Ok::<_, Infallible>(answered.unwrap_or_else(|why| {
                reader.tell(why);
                answer::failed(head)
            }))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(reader.pace.head)
        .keep_alive(false)
        .max_buf_size(HEAD)
        .max_headers(FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        served = serving => {
            // Scanners send all kinds of things that are no requests.
            if let Err(error) = served {
                tracing::debug!("a reader of the page: {error}");
            }
        }
        () = watch.silent_for(reader.pace.silence) => {}
        () = tokio::time::sleep(reader.pace.whole) => {}
        () = reader.stop.cancelled() => {}
    }
}

/// The places for readers. Clones share them.
#[derive(Clone)]
struct Places(Arc<Mutex<Taken>>);

struct Taken {
    most: u32,
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// One reader's place; it is given back when dropped.
struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    fn new(most: u32) -> Self {
        Self(Arc::new(Mutex::new(Taken { most, all: 0, by_address: HashMap::new() })))
    }

    fn take(&self, address: IpAddr) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let share = if address.is_loopback() { taken.most } else { (taken.most / SHARE).max(1) };
        let here = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.all >= taken.most || here >= share {
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, here + 1);
        Some(Place { places: self.clone(), address })
    }

    fn taken(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let here = taken.by_address.get(&self.address).copied().unwrap_or(0);
        if here <= 1 {
            taken.by_address.remove(&self.address);
        } else {
            taken.by_address.insert(self.address, here - 1);
        }
    }
}
