//! Screens over a unix socket (`attach`): the far end has the terminal, this end has the app.
//!
//! Over a [`Link`] each frame is one kind byte and its payload. The client says [`Hello`], then sends what is typed
//! and how large its window is; the server sends what is drawn and, at the end, a sentence. The client owns its
//! terminal's modes and restores them whatever the server does. An SSH channel needs no frames: it feeds
//! [`Session::through`] by itself.

use std::io;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use ratatui::layout::Size;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::control::Link;
use crate::guard::Guard;
use crate::session::{
    Abilities, INPUT_CHUNKS, Incoming, OutputReader, Session, SessionError, Tty, clamp, queue,
};

const HELLO: u8 = b'H';
const INPUT: u8 = b'I';
const RESIZE: u8 = b'R';
const DRAWN: u8 = b'D';
const END: u8 = b'E';

/// Bytes that may wait for a client before drawing stops.
const BUDGET: usize = 256 * 1024;

/// The most bytes of input in one frame.
const INPUT_BYTES_MAX: usize = 64 * 1024;

/// How long a client may take to say who it is.
const HELLO_WAIT: Duration = Duration::from_secs(5);

/// How long the end of a session waits for its sentence to leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a client says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The columns of its window.
    pub columns: u16,
    /// The rows of its window.
    pub rows: u16,
    /// What its terminal can do.
    pub abilities: Abilities,
}

/// A screen that a client has opened here.
#[derive(Debug)]
pub struct Attached {
    /// The session to run an app on.
    pub session: Session,
    farewell: oneshot::Sender<String>,
    pump: JoinHandle<()>,
}

impl Attached {
    /// Ends the screen with a sentence that the client shows after it has its terminal back.
    pub async fn end(self, words: &str) {
        self.session.finish().await;
        // A client that is gone needs no sentence.
        let _ = self.farewell.send(words.to_owned());
        let abort = self.pump.abort_handle();
        if tokio::time::timeout(FAREWELL, self.pump).await.is_err() {
            abort.abort();
        }
    }
}

/// Takes a connection that is to become a screen.
///
/// # Errors
/// When the client doesn't say within five seconds what its terminal is, or says nonsense.
pub async fn accept(mut link: Link) -> Result<Attached, SessionError> {
    let silent = || io::Error::new(io::ErrorKind::TimedOut, "the client doesn't say what its terminal is");
    let frame =
        tokio::time::timeout(HELLO_WAIT, link.next()).await.map_err(|_| silent())?.ok_or_else(silent)??;
    let hello: Hello = match frame.split_first() {
        Some((&HELLO, json)) => serde_json::from_slice(json).map_err(io::Error::other)?,
        _ => return Err(nonsense().into()),
    };
    let (output, outgoing) = queue(BUDGET);
    let (tx, incoming) = mpsc::channel(INPUT_CHUNKS);
    let (farewell, ended) = oneshot::channel();
    let size = Size::new(hello.columns, hello.rows);
    let session = Session::bare(hello.abilities, size, incoming, output)?;
    let pump = tokio::spawn(pump(link, tx, outgoing, ended));
    Ok(Attached { session, farewell, pump })
}

/// Lends this process's terminal to a program at the other end of a link until it says good-bye; returns its
/// sentence. Ctrl-Z stops this process only. Must be called inside a tokio runtime.
///
/// # Errors
/// When there is no terminal here, or the link breaks without a good-bye. The terminal is restored in either case.
pub async fn attach(mut link: Link) -> Result<String, SessionError> {
    let abilities = Abilities::able()?;
    let tty = Tty::open()?;
    let resized = Tty::resizes()?;
    let size = tty.size();
    let hello = Hello { columns: size.width, rows: size.height, abilities };
    link.send(frame(HELLO, &serde_json::to_vec(&hello).map_err(io::Error::other)?)).await?;
    let mut guard = Guard::enter(tty.file())?;
    let words = forward(&mut link, &tty, resized, &mut guard).await;
    guard.restore();
    Ok(words?)
}

async fn forward(link: &mut Link, tty: &Tty, resized: Signal, guard: &mut Guard) -> io::Result<String> {
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (tx, mut typed) = mpsc::channel(INPUT_CHUNKS);
    let reader = AbortOnDrop(tokio::spawn(tty.clone().read(tx, resized)));
    let ended = loop {
        tokio::select! {
            _ = hang_up.recv() => break Ok(String::new()),
            _ = terminate.recv() => break Ok(String::new()),
            incoming = typed.recv() => match incoming {
                None => break Ok(String::new()),
                Some(Incoming::Bytes(bytes)) if bytes[..] == [0x1a] => {
                    guard.suspend()?;
                    link.send(resize(tty.size())).await?;
                }
                Some(Incoming::Bytes(bytes)) => link.send(frame(INPUT, &bytes)).await?,
                Some(Incoming::Resize(size)) => link.send(resize(size)).await?,
            },
            received = link.next() => {
                let Some(received) = received else {
                    break Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the program has ended without a word"));
                };
                let received = received?;
                match received.split_first() {
                    Some((&DRAWN, drawn)) => tty.write_all(drawn).await?,
                    Some((&END, words)) => break Ok(crate::text::clean_lines(&String::from_utf8_lossy(words))),
                    _ => break Err(nonsense()),
                }
            }
        }
    };
    drop(reader);
    ended
}

/// Carries a session's bytes over a link until either end is done.
async fn pump(
    link: Link,
    incoming: mpsc::Sender<Incoming>,
    mut outgoing: OutputReader,
    ended: oneshot::Receiver<String>,
) {
    let (mut sink, mut stream) = link.split();
    let read = async move {
        while let Some(Ok(received)) = stream.next().await {
            let Some(piece) = read_frame(received.freeze()) else { break };
            if incoming.send(piece).await.is_err() {
                break;
            }
        }
    };
    let write = async move {
        while let Some(chunk) = outgoing.next().await {
            if sink.send(frame(DRAWN, &chunk)).await.is_err() {
                return;
            }
            outgoing.taken(chunk.len());
        }
        if let Ok(words) = ended.await {
            // The client may be gone already.
            let _ = sink.send(frame(END, words.as_bytes())).await;
        }
    };
    // Reading ends when the client goes; writing then has nobody to write to. Reading must not hold the good-bye up:
    // the session drops its receiver first, and only a key typed after that would end it.
    tokio::pin!(write);
    tokio::select! {
        () = &mut write => {}
        () = read => {
            let _ = tokio::time::timeout(FAREWELL, write).await;
        }
    }
}

/// A client's frame; none for what makes no sense.
fn read_frame(mut received: Bytes) -> Option<Incoming> {
    if received.is_empty() || received.len() > INPUT_BYTES_MAX {
        return None;
    }
    let payload = received.split_off(1);
    match received[0] {
        INPUT => Some(Incoming::Bytes(payload)),
        RESIZE => {
            let [c0, c1, r0, r1] = payload[..] else { return None };
            let size = Size::new(u16::from_be_bytes([c0, c1]), u16::from_be_bytes([r0, r1]));
            Some(Incoming::Resize(clamp(size)))
        }
        _ => None,
    }
}

fn resize(size: Size) -> Bytes {
    let [c0, c1] = size.width.to_be_bytes();
    let [r0, r1] = size.height.to_be_bytes();
    frame(RESIZE, &[c0, c1, r0, r1])
}

fn frame(kind: u8, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(payload.len() + 1);
    bytes.put_u8(kind);
    bytes.put_slice(payload);
    bytes.freeze()
}

fn nonsense() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the other end speaks another protocol; are both of one version?",
    )
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyCode;
    use tokio::net::UnixStream;
    use tokio_util::codec::{Framed, LengthDelimitedCodec};

    use super::*;
    use crate::app::{App, Effects, Ending, Event, Now};
    use crate::run::run;
    use crate::ui::Ui;

    #[derive(Default)]
    struct Typed(String);

    impl App for Typed {
        type Msg = ();
        type Effect = ();

        fn update(&mut self, _now: Now, event: Event<()>) -> Effects<()> {
            match event {
                Event::Key(key) => match key.code {
                    KeyCode::Esc => return Effects::quit(),
                    KeyCode::Char(c) => self.0.push(c),
                    _ => {}
                },
                Event::Resize(size) => self.0 = format!("{}x{}", size.width, size.height),
                _ => {}
            }
            Effects::none()
        }

        fn view(&self, ui: &mut Ui<'_, '_>) {
            let area = ui.area();
            ui.line(area, format!("[{}]", self.0));
        }
    }

    fn link(stream: UnixStream) -> Link {
        Framed::new(stream, LengthDelimitedCodec::new())
    }

    #[tokio::test]
    async fn a_screen_over_a_socket() {
        let (near, far) = UnixStream::pair().expect("a pair");
        let server = tokio::spawn(async move {
            let mut attached = accept(link(near)).await.expect("a hello");
            let mut app = Typed::default();
            let ending = run(&mut app, &mut attached.session, |(), _: &_| {}).await.expect("drawn");
            attached.end("good-bye").await;
            (ending, app.0)
        });
        let mut client = link(far);
        let hello = Hello { columns: 30, rows: 5, abilities: Abilities::default() };
        client.send(frame(HELLO, &serde_json::to_vec(&hello).expect("JSON"))).await.expect("sent");
        let mut emulator = vt100::Parser::new(7, 500, 0);
        let mut shows = async |client: &mut Link, wanted: &str| {
            while !emulator.screen().contents().contains(wanted) {
                let received = client.next().await.expect("alive").expect("a frame");
                assert_eq!(received[0], DRAWN);
                emulator.process(&received[1..]);
            }
        };
        shows(&mut client, "[]").await;
        client.send(frame(INPUT, "日".as_bytes())).await.expect("sent");
        shows(&mut client, "日").await;
        client.send(resize(Size::new(9_000, 7))).await.expect("sent");
        shows(&mut client, "[500x7]").await;
        // A lone Esc, with nothing behind it, is the key.
        client.send(frame(INPUT, b"\x1b")).await.expect("sent");
        let mut last = client.next().await.expect("alive").expect("a frame");
        while last[0] == DRAWN {
            last = client.next().await.expect("alive").expect("a frame");
        }
        assert_eq!(&last[..], b"Egood-bye");
        assert_eq!(server.await.expect("no panic").0, Ending::Quit);
    }

    #[tokio::test]
    async fn a_client_that_goes_away_ends_its_screen() {
        let (near, far) = UnixStream::pair().expect("a pair");
        let mut client = link(far);
        let hello = Hello { columns: 30, rows: 5, abilities: Abilities::default() };
        client.send(frame(HELLO, &serde_json::to_vec(&hello).expect("JSON"))).await.expect("sent");
        let mut attached = accept(link(near)).await.expect("a hello");
        drop(client);
        let ending = run(&mut Typed::default(), &mut attached.session, |(), _: &_| {}).await.expect("drawn");
        assert_eq!(ending, Ending::HungUp);
        attached.end("").await;
    }

    #[tokio::test]
    async fn nonsense_opens_no_screen() {
        for bytes in [&b""[..], b"X", b"H{", b"I\x1b[A"] {
            let (near, far) = UnixStream::pair().expect("a pair");
            let mut client = link(far);
            client.send(Bytes::from_static(bytes)).await.expect("sent");
            assert!(accept(link(near)).await.is_err(), "{bytes:?}");
        }
        assert_eq!(read_frame(Bytes::from_static(b"R\x00")), None);
        assert_eq!(read_frame(Bytes::from_static(b"")), None);
    }
}
