//! The server's side of one connection: calls are read, handled side by side up to a bound and answered as they are
//! ready; pushes go out between answers.

use std::{fmt, future::pending};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use super::{FromServer, LinkError, Pace, Ready, ToServer, patient, within};
use crate::{
    frame::{FrameReader, FrameWriter},
    limits,
};

/// How many pushes may wait for one connection.
const QUEUE: usize = 256;

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
        handle: impl FnMut(Req) -> F,
    ) -> Result<(), LinkError>
    where
        Req: DeserializeOwned,
        Ans: Serialize,
        P: Serialize,
        F: Future<Output = Ans>,
    {
        let (reader, writer) = self.frames.carrying::<ToServer<Req>, FromServer<Ans, P>>().split();
        let (answers, queue) = mpsc::channel(limits::PIPELINE);
        let Pushes { queue: pushed, hang_up } = pushes;
        let listening = listen(reader, answers, pace, hang_up, handle);
        let speaking = speak(writer, queue, pushed, pace);
        tokio::pin!(listening, speaking);
        let ended = tokio::select! {
            // The last answers are queued and the queue is closed: the writer empties it and says farewell.
            listened = &mut listening => match listened {
                Ok(()) => speaking.await,
                Err(error) => Err(error),
            },
            spoken = &mut speaking => spoken,
        };
        match ended {
            Err(LinkError::Closed) => Ok(()),
            ended => ended,
        }
    }
}

/// Reads and handles calls; ends well only after [`Pusher::hang_up`], when all that were begun are answered.
async fn listen<R, Req, Ans, P, F>(
    mut reader: FrameReader<R, ToServer<Req>>,
    answers: mpsc::Sender<FromServer<Ans, P>>,
    pace: Pace,
    hang_up: CancellationToken,
    mut handle: impl FnMut(Req) -> F,
) -> Result<(), LinkError>
where
    R: AsyncRead + Unpin,
    Req: DeserializeOwned,
    F: Future<Output = Ans>,
{
    let mut at_work = FuturesUnordered::new();
    loop {
        let reading = !hang_up.is_cancelled();
        if !reading && at_work.is_empty() {
            return Ok(());
        }
        let room = at_work.len() < limits::PIPELINE;
        let said = tokio::select! {
            Some((id, answer)) = at_work.next() => FromServer::Reply { id, answer },
            call = within(pace.silence, "any sign of life", reader.receive()), if reading && room => match call? {
                ToServer::Call { id, request } => {
                    let answer = handle(request);
                    at_work.push(async move { (id, answer.await) });
                    continue;
                }
                ToServer::Ping => FromServer::Pong,
            },
            () = hang_up.cancelled(), if reading => continue,
        };
        if answers.send(said).await.is_err() {
            // The writer has ended and says why.
            return pending().await;
        }
    }
}

/// Sends answers, and pushes between them, until the queue of answers is closed and empty.
async fn speak<W, Ans, P>(
    mut writer: FrameWriter<W, FromServer<Ans, P>>,
    mut answers: mpsc::Receiver<FromServer<Ans, P>>,
    mut pushes: mpsc::Receiver<P>,
    pace: Pace,
) -> Result<(), LinkError>
where
    W: AsyncWrite + Unpin,
    Ans: Serialize,
    P: Serialize,
{
    let mut more_pushes = true;
    loop {
        let first = tokio::select! {
            answer = answers.recv() => match answer {
                Some(answer) => answer,
                None => break,
            },
            push = pushes.recv(), if more_pushes => match push {
                Some(push) => FromServer::Push(push),
                None => {
                    more_pushes = false;
                    continue;
                }
            },
        };
        patient(pace, writer.feed(&first)).await?;
        // What waits goes out together.
        for _ in 1..QUEUE {
            let push = || pushes.try_recv().ok().map(FromServer::Push);
            let Some(next) = answers.try_recv().ok().or_else(push) else { break };
            patient(pace, writer.feed(&next)).await?;
        }
        patient(pace, writer.flush()).await?;
    }
    pushes.close();
    while let Ok(push) = pushes.try_recv() {
        patient(pace, writer.feed(&FromServer::Push(push))).await?;
    }
    patient(pace, writer.close()).await
}
