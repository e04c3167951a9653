//! The control socket: how subcommands reach a running program.
//!
//! A unix socket, `0600` in a `0700` directory, open to this user and root only (the kernel names the peer). Each frame
//! is a 4-byte length and a JSON document of at most [`FRAME_BYTES_MAX`]: `{"id": 1, "act": …}` one way, `{"id": 1,
//! "ok": …}` or `{"id": 1, "refused": {"code": …, "words": …}}` the other. An act may turn the connection into
//! something else, such as a screen (see [`crate::remote`]).

use std::future::Future;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// The largest frame in either direction.
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Connections served at once; the next waits.
const CLIENTS_MAX: usize = 64;

/// How long a connection may stay silent between requests.
const IDLE_MAX: Duration = Duration::from_secs(600);

/// A connection in frames.
pub type Link = Framed<UnixStream, LengthDelimitedCodec>;

/// Who is at the other end, as the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub uid: u32,
    /// The process, where the system tells.
    pub pid: Option<i32>,
}

/// What a program answers to an act.
pub enum Answer {
    /// Done; this is the result.
    Value(Value),
    /// Not done.
    Refused(Refusal),
    /// Done, and the connection is now this task's: it gets the link after the `ok` was sent.
    Upgrade(Upgrade),
}

/// What takes a connection over.
pub type Upgrade = Box<dyn FnOnce(Link) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Why an act was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{words}")]
pub struct Refusal {
    /// A stable word for programs: `locked`, `unknown-act`, `refused`.
    pub code: String,
    /// A sentence for people.
    pub words: String,
}

/// What can go wrong with a control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens: no program runs with this profile.
    #[error("no program is running with this profile")]
    NotRunning,
    /// Another program listens there already.
    #[error("another program already listens on {}", .0.display())]
    Taken(PathBuf),
    /// The program said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The connection ended before the answer: whether the act was done is unknown.
    #[error("the program ended before it answered; whether it did the act is unknown")]
    Unanswered,
    /// The answer makes no sense.
    #[error("the program answered in a way that this version doesn't understand")]
    Malformed,
    /// The operating system refused something.
    #[error("the control socket can't be used: {0}")]
    Io(#[from] io::Error),
}

#[derive(Serialize, Deserialize)]
struct Request {
    id: u64,
    act: Value,
}

#[derive(Serialize, Deserialize)]
struct Response {
    id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ok: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<Refusal>,
}

impl Answer {
    /// The result of an act, from anything that serializes.
    pub fn value(result: impl Serialize) -> Self {
        match serde_json::to_value(result) {
            Ok(value) => Self::Value(value),
            Err(error) => Self::refuse("internal", format!("the result can't be written as JSON: {error}")),
        }
    }

    /// A refusal.
    pub fn refuse(code: impl Into<String>, words: impl Into<String>) -> Self {
        Self::Refused(Refusal { code: code.into(), words: words.into() })
    }

    /// Hands the connection to a task.
    pub fn upgrade<F>(task: impl FnOnce(Link) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Upgrade(Box::new(move |link| Box::pin(task(link))))
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Answer::Value",
            Self::Refused(_) => "Answer::Refused",
            Self::Upgrade(_) => "Answer::Upgrade",
        })
    }
}

/// A control socket that is being listened on; it goes away when this is dropped.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Binds the socket. One that is left over from a program that died is removed: only after nobody answered on it,
    /// and the caller holds the profile's lock, so that nobody can be about to.
    ///
    /// # Errors
    /// [`ControlError::Taken`] when somebody answers; otherwise what the system says.
    pub async fn bind(path: &Path) -> Result<Self, ControlError> {
        let short = Short::of(path)?;
        match UnixStream::connect(short.path()).await {
            Ok(_) => return Err(ControlError::Taken(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let listener = UnixListener::bind(short.path())?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Serves until it is dropped. Every act is done by `handler` in a task of its own, which runs to its end even
    /// when the client goes away: what has begun is not undone by a closed terminal. One connection has one act in
    /// flight; others wait in its socket.
    ///
    /// # Errors
    /// When the socket can no longer accept.
    pub async fn serve<H, F>(self, handler: H) -> io::Result<()>
    where
        H: Fn(Peer, Value) -> F + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let places = Arc::new(Semaphore::new(CLIENTS_MAX));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return Ok(()) };
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) if is_passing(&error) => {
                    tracing::warn!("control socket: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let handler = handler.clone();
            tokio::spawn(async move {
                if let Err(error) = attend(stream, handler).await {
                    tracing::debug!("control connection: {error}");
                }
                drop(place);
            });
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // If it can't be removed, the next program finds nobody answering and removes it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Listens and serves: [`Listener::bind`] and [`Listener::serve`] in one.
///
/// # Errors
/// As those two.
pub async fn serve<H, F>(path: &Path, handler: H) -> Result<(), ControlError>
where
    H: Fn(Peer, Value) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    Ok(Listener::bind(path).await?.serve(handler).await?)
}

/// A subcommand's end of a control socket.
#[derive(Debug)]
pub struct Client {
    link: Link,
    last_id: u64,
}

/// Connects to a running program.
///
/// # Errors
/// [`ControlError::NotRunning`] when nobody listens.
pub async fn connect(path: &Path) -> Result<Client, ControlError> {
    let short = match Short::of(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ControlError::NotRunning),
        short => short?,
    };
    match UnixStream::connect(short.path()).await {
        Ok(stream) => {
            check_peer(&stream)?;
            Ok(Client { link: Framed::new(stream, codec()), last_id: 0 })
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Err(ControlError::NotRunning)
        }
        Err(error) => Err(error.into()),
    }
}

impl Client {
    /// Asks for an act and waits for its answer, however long that takes.
    ///
    /// # Errors
    /// [`ControlError::Refused`] when the program says no; [`ControlError::Unanswered`] when it ends before answering.
    pub async fn call(&mut self, act: impl Serialize) -> Result<Value, ControlError> {
        self.last_id += 1;
        let act = serde_json::to_value(act).map_err(io::Error::other)?;
        send(&mut self.link, &Request { id: self.last_id, act }).await?;
        loop {
            let frame = match self.link.next().await {
                Some(Ok(frame)) => frame,
                Some(Err(_)) | None => return Err(ControlError::Unanswered),
            };
            let response: Response = serde_json::from_slice(&frame).map_err(|_| ControlError::Malformed)?;
            if response.id == self.last_id {
                return match response.refused {
                    Some(refusal) => Err(refusal.into()),
                    None => Ok(response.ok.unwrap_or(Value::Null)),
                };
            }
        }
    }

    /// The connection, after an act that has turned it into something else.
    pub fn into_link(self) -> Link {
        self.link
    }
}

async fn attend<H, F>(stream: UnixStream, handler: Arc<H>) -> Result<(), ControlError>
where
    H: Fn(Peer, Value) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let peer = check_peer(&stream)?;
    let mut link = Framed::new(stream, codec());
    loop {
        let frame: BytesMut = match tokio::time::timeout(IDLE_MAX, link.next()).await {
            Ok(Some(frame)) => frame?,
            Ok(None) | Err(_) => return Ok(()),
        };
        let Ok(request) = serde_json::from_slice::<Request>(&frame) else {
            let words = "a request is {\"id\": number, \"act\": …}".to_owned();
            let refused = Some(Refusal { code: "malformed".to_owned(), words });
            send(&mut link, &Response { id: 0, ok: None, refused }).await?;
            return Ok(());
        };
        let id = request.id;
        let answer = match tokio::spawn(handler(peer, request.act)).await {
            Ok(answer) => answer,
            Err(_) => Answer::refuse("internal", "the program failed while doing this; its log says more"),
        };
        match answer {
            Answer::Value(value) => {
                send(&mut link, &Response { id, ok: Some(value), refused: None }).await?;
            }
            Answer::Refused(refusal) => {
                send(&mut link, &Response { id, ok: None, refused: Some(refusal) }).await?;
            }
            Answer::Upgrade(task) => {
                send(&mut link, &Response { id, ok: Some(Value::Null), refused: None }).await?;
                task(link).await;
                return Ok(());
            }
        }
    }
}

/// The kernel's word on who is there; only this user and root may talk.
fn check_peer(stream: &UnixStream) -> Result<Peer, ControlError> {
    let found = stream.peer_cred()?;
    let peer = Peer { uid: found.uid(), pid: found.pid() };
    if peer.uid == rustix::process::geteuid().as_raw() || peer.uid == 0 {
        return Ok(peer);
    }
    let words = format!("user {} is not allowed here", peer.uid);
    Err(Refusal { code: "forbidden".to_owned(), words }.into())
}

async fn send(link: &mut Link, message: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(message).map_err(io::Error::other)?;
    link.send(Bytes::from(json)).await
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(FRAME_BYTES_MAX).new_codec()
}

fn is_passing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE, Errno::CONNABORTED, Errno::NOBUFS, Errno::NOMEM, Errno::INTR]
        .iter()
        .any(|passing| error.raw_os_error() == Some(passing.raw_os_error()))
}

/// A socket's path holds 107 bytes, a profile's directory may be longer. The same socket is reached through a
/// descriptor of its directory, whose path under `/proc` is always short.
struct Short {
    path: PathBuf,
    _directory: Option<std::fs::File>,
}

impl Short {
    const BYTES_MAX: usize = 107;

    fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= Self::BYTES_MAX {
            return Ok(Self { path: path.to_owned(), _directory: None });
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let directory = std::fs::File::open(parent)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name);
        Ok(Self { path, _directory: Some(directory) })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn start(path: &Path) -> tokio::task::JoinHandle<io::Result<()>> {
        let listener = Listener::bind(path).await.expect("free");
        tokio::spawn(listener.serve(|_, act| async move {
            match act["do"].as_str() {
                Some("echo") => Answer::Value(act["what"].clone()),
                Some("wait") => {
                    tokio::time::sleep(Duration::from_secs(3_600)).await;
                    Answer::Value(Value::Null)
                }
                Some("break") => panic!("an act that fails"),
                Some("talk") => Answer::upgrade(|mut link| async move {
                    while let Some(Ok(frame)) = link.next().await {
                        if link.send(frame.freeze()).await.is_err() {
                            return;
                        }
                    }
                }),
                _ => Answer::refuse("unknown-act", "there is no such act"),
            }
        }))
    }

    #[tokio::test]
    async fn several_clients_are_served_and_none_waits_for_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control.sock");
        let server = start(&path).await;
        assert_eq!(std::fs::metadata(&path).expect("bound").permissions().mode() & 0o777, 0o600);
        let mut slow = connect(&path).await.expect("running");
        let waiting = tokio::spawn(async move { slow.call(json!({"do": "wait"})).await });
        let mut first = connect(&path).await.expect("running");
        let mut second = connect(&path).await.expect("running");
        for n in 0..3 {
            assert_eq!(first.call(json!({"do": "echo", "what": n})).await.expect("answered"), json!(n));
            assert_eq!(second.call(json!({"do": "echo", "what": [n]})).await.expect("answered"), json!([n]));
        }
        let refusal = first.call(json!({"do": "dance"})).await.expect_err("refused");
        assert!(matches!(refusal, ControlError::Refused(Refusal { code, .. }) if code == "unknown-act"));
        waiting.abort();
        server.abort();
    }

    #[tokio::test]
    async fn an_act_that_panics_is_a_refusal() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control.sock");
        let server = start(&path).await;
        let mut client = connect(&path).await.expect("running");
        let refusal = client.call(json!({"do": "break"})).await.expect_err("refused");
        assert!(matches!(refusal, ControlError::Refused(Refusal { code, .. }) if code == "internal"));
        assert_eq!(client.call(json!({"do": "echo", "what": 1})).await.expect("still served"), json!(1));
        server.abort();
    }

    #[tokio::test]
    async fn a_connection_becomes_something_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control.sock");
        let server = start(&path).await;
        let mut client = connect(&path).await.expect("running");
        client.call(json!({"do": "talk"})).await.expect("upgraded");
        let mut link = client.into_link();
        link.send(Bytes::from_static(b"hello")).await.expect("sent");
        let back = link.next().await.expect("alive").expect("a frame");
        assert_eq!(&back[..], b"hello");
        server.abort();
    }

    #[tokio::test]
    async fn a_socket_left_over_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control.sock");
        assert!(matches!(connect(&path).await, Err(ControlError::NotRunning)));
        drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
        assert!(matches!(connect(&path).await, Err(ControlError::NotRunning)));
        let server = start(&path).await;
        assert!(matches!(Listener::bind(&path).await, Err(ControlError::Taken(_))));
        server.abort();
        let _ = server.await;
        assert!(!path.exists(), "an orderly end leaves nothing");
    }

    #[tokio::test]
    async fn long_paths_work_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("d".repeat(100)).join("e".repeat(100));
        std::fs::create_dir_all(&deep).expect("made");
        let path = deep.join("control.sock");
        let server = start(&path).await;
        let mut client = connect(&path).await.expect("running");
        assert_eq!(client.call(json!({"do": "echo", "what": 7})).await.expect("answered"), json!(7));
        server.abort();
    }

    #[tokio::test]
    async fn nonsense_is_told_so_and_hung_up_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control.sock");
        let server = start(&path).await;
        let mut link = connect(&path).await.expect("running").into_link();
        link.send(Bytes::from_static(b"{]")).await.expect("sent");
        let words = link.next().await.expect("answered").expect("a frame");
        assert!(String::from_utf8_lossy(&words).contains("malformed"));
        assert!(link.next().await.is_none());
        server.abort();
    }
}
