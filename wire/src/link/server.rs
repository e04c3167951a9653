//! The server's side of one connection: calls are read, handled side by side up to a bound and answered as they are
//! ready; pushes go out between answers.

use std::{
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{FromServer, LinkError, Pace, Ready, ToServer};
use crate::{
    frame::{ENOUGH, FrameReader, FrameWriter},
    limits,
};

/// How many pushes may wait for one connection.
const QUEUE: usize = 256;
/// Calls that one connection takes in before others have their turn.
const TURN: usize = 16;

/// Hands pushes to one connection, from wherever they arise.
pub struct Pusher<P> {
    queue: mpsc::Sender<P>,
    hang_up: CancellationToken,
}

/// The other end of a [`Pusher`]; [`Ready::serve`] takes it.
pub struct Pushes<P> {
    queue: mpsc::Receiver<P>,
    hang_up: CancellationToken,
}

/// Why something was not pushed; it is handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPushed<P> {
    /// The connection is slower than what is pushed to it. If it goes on taking nothing, it is closed.
    #[error("the connection is behind; nothing more can wait for it")]
    Full(P),
    /// The connection has ended.
    #[error("the connection was closed")]
    Closed(P),
}

/// A queue of pushes for one connection, with room for 256. Both ends can exist before the connection is served.
pub fn pushes<P>() -> (Pusher<P>, Pushes<P>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let hang_up = CancellationToken::new();
    (Pusher { queue: sender, hang_up: hang_up.clone() }, Pushes { queue: receiver, hang_up })
}

impl<P> Pusher<P> {
    /// Queues a push without waiting.
    pub fn push(&self, push: P) -> Result<(), NotPushed<P>> {
        self.queue.try_send(push).map_err(|error| match error {
            mpsc::error::TrySendError::Full(push) => NotPushed::Full(push),
            mpsc::error::TrySendError::Closed(push) => NotPushed::Closed(push),
        })
    }

    /// Queues a push, waiting for room; hands it back if the connection ends first.
    pub async fn push_waiting(&self, push: P) -> Result<(), NotPushed<P>> {
        self.queue.send(push).await.map_err(|error| NotPushed::Closed(error.0))
    }

    /// Ends the connection in order: no further call is read, those being handled are answered, what is queued is
    /// sent, then the server hangs up.
    pub fn hang_up(&self) {
        self.hang_up.cancel();
    }

    /// Waits until the connection has ended.
    pub async fn closed(&self) {
        self.queue.closed().await;
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

impl<P> Clone for Pusher<P> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), hang_up: self.hang_up.clone() }
    }
}

impl<P> fmt::Debug for Pusher<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_closed() { "Pusher(closed)" } else { "Pusher" })
    }
}

impl<P> fmt::Debug for Pushes<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pushes")
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Ready<S> {
    /// Serves the connection until it ends, in this task.
    ///
    /// `handle` is called for each request in the order of arrival; the futures it makes run side by side, at most
    /// [`limits::PIPELINE`] of them, and answer in any order. While so many are at work nothing is read, also no
    /// farewell, so each must end by itself. They are dropped where they stand when the connection ends: what must be finished is handed to a task of its own.
    ///
    /// # Errors
    /// `Ok` when either side hung up in order; else what went wrong: silence, a peer that does not read, a frame that
    /// is none, an answer that fits no frame.
    pub async fn serve<Req, Ans, P, F>(
        self,
        pace: Pace,
        pushes: Pushes<P>,
        mut handle: impl FnMut(Req) -> F,
    ) -> Result<(), LinkError>
    where
        Req: DeserializeOwned,
        Ans: Serialize,
        P: Serialize,
        F: Future<Output = Ans>,
    {
        let (reader, writer) = self.frames.carrying::<ToServer<Req>, FromServer<Ans, P>>().split();
        let Pushes { queue: pushes, hang_up } = pushes;
        let hang_up = pin!(hang_up.cancelled_owned());
        let now = Instant::now();
        let silence = pin!(sleep_until(now + pace.silence));
        let stall = pin!(sleep_until(now + pace.stall));
        let mut turn = Conversation {
            reader,
            writer,
            pushes,
            more_pushes: true,
            at_work: FuturesUnordered::new(),
            handle: move |id, request| {
                let work = handle(request);
                async move { (id, work.await) }
            },
            pace,
            hang_up,
            hanging_up: false,
            silence,
            heard: now,
            stall,
            behind: None,
        };
        match poll_fn(|cx| turn.poll(cx)).await {
            Err(LinkError::Closed) => Ok(()),
            ended => ended,
        }
    }
}

/// One connection that is served. Everything happens in one task: what is ready to be said goes out in one write each
/// time that the task wakes up.
struct Conversation<'a, R, W, Req, Ans, P, H, F> {
    reader: FrameReader<R, ToServer<Req>>,
    writer: FrameWriter<W, FromServer<Ans, P>>,
    pushes: mpsc::Receiver<P>,
    more_pushes: bool,
    /// What is being handled; each ends with the id of its call.
    at_work: FuturesUnordered<F>,
    handle: H,
    pace: Pace,
    hang_up: Pin<&'a mut WaitForCancellationFutureOwned>,
    hanging_up: bool,
    silence: Pin<&'a mut Sleep>,
    /// When the last frame came, or there was no room for one.
    heard: Instant,
    stall: Pin<&'a mut Sleep>,
    /// Since when the peer takes nothing of what waits for it.
    behind: Option<Instant>,
}

/// What a turn of listening ended on.
enum Heard {
    /// All that has come.
    All,
    /// There may be more.
    Turn,
    /// Nothing more can be taken in now.
    NoRoom,
}

impl<R, W, Req, Ans, P, H, F> Conversation<'_, R, W, Req, Ans, P, H, F>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    Req: DeserializeOwned,
    Ans: Serialize,
    P: Serialize,
    H: FnMut(u32, Req) -> F,
    F: Future<Output = (u32, Ans)>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        if !self.hanging_up && self.hang_up.as_mut().poll(cx).is_ready() {
            self.hanging_up = true;
        }
        loop {
            let heard = self.listen(cx)?;
            let gathered = self.gather(cx)?;
            if self.hanging_up && self.at_work.is_empty() {
                return self.end(cx);
            }
            self.speak(cx)?;
            match heard {
                // The others have their turn first.
                Heard::Turn => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // Room was made since.
                Heard::NoRoom if self.listens() => {}
                _ if !gathered && self.writer.waiting() < ENOUGH => {}
                _ => return self.wait(cx).map(Err),
            }
        }
    }

    /// Takes in calls, as many as one turn and the pipeline allow.
    fn listen(&mut self, cx: &mut Context<'_>) -> Result<Heard, LinkError> {
        for _ in 0..TURN {
            if !self.listens() {
                return Ok(Heard::NoRoom);
            }
            let Poll::Ready(call) = self.reader.poll_receive(cx) else { return Ok(Heard::All) };
            match call? {
                ToServer::Call { id, request } => self.at_work.push((self.handle)(id, request)),
                ToServer::Ping => self.writer.put(&FromServer::Pong)?,
            }
            self.heard = Instant::now();
        }
        Ok(Heard::Turn)
    }

    fn listens(&self) -> bool {
        !self.hanging_up && self.at_work.len() < limits::PIPELINE && self.writer.waiting() < ENOUGH
    }

    /// Gathers what is ready to be said, answers first, until the peer has enough to take; whether that was all.
    fn gather(&mut self, cx: &mut Context<'_>) -> Result<bool, LinkError> {
        while self.writer.waiting() < ENOUGH {
            if let Poll::Ready(Some((id, answer))) = self.at_work.poll_next_unpin(cx) {
                self.writer.put(&FromServer::Reply { id, answer })?;
                continue;
            }
            if !self.more_pushes {
                return Ok(true);
            }
            match self.pushes.poll_recv(cx) {
                Poll::Ready(Some(push)) => self.writer.put(&FromServer::Push(push))?,
                Poll::Ready(None) => self.more_pushes = false,
                Poll::Pending => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Sends what was gathered. A peer that takes none of it for too long is given up.
    fn speak(&mut self, cx: &mut Context<'_>) -> Result<(), LinkError> {
        let before = self.writer.waiting();
        match self.writer.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.behind = None;
                Ok(())
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => self.be_patient(cx, self.writer.waiting() < before),
        }
    }

    /// The peer has no room for what is sent. That it took a part earns it new patience.
    fn be_patient(&mut self, cx: &mut Context<'_>, took: bool) -> Result<(), LinkError> {
        if self.behind.is_none() || took {
            let now = Instant::now();
            self.behind = Some(now);
            self.stall.as_mut().reset(now + self.pace.stall);
        }
        match self.stall.as_mut().poll(cx) {
            Poll::Ready(()) => Err(LinkError::Timeout { what: "the other side to read" }),
            Poll::Pending => Ok(()),
        }
    }

    /// After everything that was begun is answered: sends the rest and says farewell.
    fn end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        self.pushes.close();
        loop {
            let gathered = self.gather(cx)?;
            if self.writer.waiting() > 0 {
                self.speak(cx)?;
            }
            if self.writer.waiting() > 0 {
                return Poll::Pending;
            }
            if gathered {
                let closed = self.writer.poll_close(cx);
                if closed.is_pending() {
                    self.be_patient(cx, false)?;
                }
                return closed;
            }
        }
    }

    /// Nothing is to be done now. Silence counts only while there is room for a call.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<LinkError> {
        if !self.listens() {
            self.heard = Instant::now();
            return Poll::Pending;
        }
        while self.silence.as_mut().poll(cx).is_ready() {
            let until = self.heard + self.pace.silence;
            if until <= Instant::now() {
                return Poll::Ready(LinkError::Timeout { what: "any sign of life" });
            }
            self.silence.as_mut().reset(until);
        }
        Poll::Pending
    }
}
