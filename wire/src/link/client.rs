//! The client's side: many callers, one connection.
//!
//! Two loops share a task. One sends requests and pings, the other reads answers and pushes; whichever fails ends
//! both, and with them every call that waits.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval},
};

use super::{FromServer, Greeted, LinkError, Pace, ToServer, patient, within};
use crate::{
    frame::{ENOUGH, FrameReader, FrameWriter},
    limits,
};

/// A connection on which calls can be made, by any number of tasks at once. It is closed when the last clone is
/// dropped.
pub struct Link<Req, Ans> {
    calls: mpsc::Sender<Call<Req, Ans>>,
    /// One permit per request that the server has not answered.
    room: Arc<Semaphore>,
    ended: watch::Receiver<Option<LinkError>>,
}

impl Greeted {
    /// Begins the conversation: the link for calls, and the queue of what the server pushes.
    ///
    /// The queue is bounded; while it is full nothing is read, answers included. So pushes are taken by a task that
    /// does not itself wait for an answer. A dropped queue means that pushes are not wanted: they are thrown away.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start<Req, Ans, P>(self, pace: Pace) -> (Link<Req, Ans>, mpsc::Receiver<P>)
    where
        Req: Serialize + Send + 'static,
        Ans: DeserializeOwned + Send + 'static,
        P: DeserializeOwned + Send + 'static,
    {
        let (reader, writer) = self.frames.carrying::<FromServer<Ans, P>, ToServer<Req>>().split();
        let (calls, queue) = mpsc::channel(limits::PIPELINE);
        let (pushes, pushed) = mpsc::channel(limits::PIPELINE);
        let (end, ended) = watch::channel(None);
        let pending = Pending::default();
        tokio::spawn(async move {
            let error = tokio::select! {
                error = listen(reader, &pending, pushes, pace) => error,
                error = speak(writer, &pending, queue, pace) => error,
            };
            end.send_replace(Some(error));
        });
        (Link { calls, room: Arc::new(Semaphore::new(limits::PIPELINE)), ended }, pushed)
    }
}

impl<Req, Ans> Link<Req, Ans> {
    /// Sends a request and waits at most `limit` for its answer.
    ///
    /// # Errors
    /// [`LinkError::Timeout`]: the request may or may not have arrived, and may still be carried out.
    /// [`LinkError::TooLong`]: it was not sent. Any other error is the end of the connection, where again nobody
    /// knows whether the request arrived.
    pub async fn call(&self, request: Req, limit: Duration) -> Result<Ans, LinkError> {
        within(limit, "the answer", async {
            let permit = self.room.clone().acquire_owned().await.map_err(|_| LinkError::Closed)?;
            let (reply, answer) = oneshot::channel();
            let call = Call { request, waiting: Waiting { reply, _permit: permit } };
            if self.calls.send(call).await.is_err() {
                return Err(self.closed().await);
            }
            match answer.await {
                Ok(answer) => answer,
                Err(_) => Err(self.closed().await),
            }
        })
        .await
    }

    /// Waits until the connection has ended and says why.
    pub async fn closed(&self) -> LinkError {
        let mut ended = self.ended.clone();
        let reason = ended.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or(LinkError::Closed)
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.ended.borrow().is_some() || self.calls.is_closed()
    }
}

impl<Req, Ans> Clone for Link<Req, Ans> {
    fn clone(&self) -> Self {
        Self { calls: self.calls.clone(), room: self.room.clone(), ended: self.ended.clone() }
    }
}

impl<Req, Ans> fmt::Debug for Link<Req, Ans> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_closed() { "Link(closed)" } else { "Link" })
    }
}

/// A request on its way to the task that sends.
struct Call<Req, Ans> {
    request: Req,
    waiting: Waiting<Ans>,
}

/// Who waits for an answer. The permit is kept until the server has answered, even if the caller has given up, so
/// that the server never owes more than it allows.
struct Waiting<Ans> {
    reply: oneshot::Sender<Result<Ans, LinkError>>,
    _permit: OwnedSemaphorePermit,
}

/// The requests that are not answered, by id.
struct Pending<Ans>(Mutex<HashMap<u32, Waiting<Ans>>>);

impl<Ans> Default for Pending<Ans> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<Ans> Pending<Ans> {
    /// The lock is never held across a wait, and no code under it panics.
    fn table(&self) -> MutexGuard<'_, HashMap<u32, Waiting<Ans>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads until the connection ends, and says why it did.
async fn listen<R, Ans, P>(
    mut reader: FrameReader<R, FromServer<Ans, P>>,
    pending: &Pending<Ans>,
    pushes: mpsc::Sender<P>,
    pace: Pace,
) -> LinkError
where
    R: AsyncRead + Unpin,
    Ans: DeserializeOwned,
    P: DeserializeOwned,
{
    loop {
        // The time counts only while reading: a full queue of pushes is this side's doing.
        match within(pace.silence, "any sign of life", reader.receive()).await {
            Ok(FromServer::Reply { id, answer }) => {
                let Some(waiting) = pending.table().remove(&id) else {
                    return LinkError::PeerMisbehaved("it answered what was not asked".into());
                };
                // Nobody may be waiting any more; the answer came too late for them.
                let _ = waiting.reply.send(Ok(answer));
            }
            Ok(FromServer::Push(push)) => {
                // An error means that the queue was dropped: pushes are not wanted.
                let _ = pushes.send(push).await;
            }
            Ok(FromServer::Pong) => {}
            Err(error) => return error,
        }
    }
}

/// Sends requests and pings until the last [`Link`] is dropped or the connection ends.
async fn speak<W, Req, Ans>(
    mut writer: FrameWriter<W, ToServer<Req>>,
    pending: &Pending<Ans>,
    mut queue: mpsc::Receiver<Call<Req, Ans>>,
    pace: Pace,
) -> LinkError
where
    W: AsyncWrite + Unpin,
    Req: Serialize,
{
    let mut pings = interval(pace.ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is immediate.
    pings.tick().await;
    let mut last_id = 0;
    loop {
        let call = tokio::select! {
            call = queue.recv() => call,
            _ = pings.tick() => {
                if let Err(error) = ping(&mut writer, pace).await {
                    return error;
                }
                continue;
            }
        };
        if call.is_none() {
            // A farewell to one who no longer listens is worth no words.
            let _ = patient(pace, writer.close()).await;
            return LinkError::Closed;
        }
        let mut next = call;
        // What waits goes out together.
        while let Some(call) = next {
            send(&mut writer, pending, &mut last_id, call);
            if writer.waiting() > ENOUGH
                && let Err(error) = patient(pace, writer.flush()).await
            {
                return error;
            }
            next = queue.try_recv().ok();
        }
        if let Err(error) = patient(pace, writer.flush()).await {
            return error;
        }
    }
}

async fn ping<W, Req>(writer: &mut FrameWriter<W, ToServer<Req>>, pace: Pace) -> Result<(), LinkError>
where
    W: AsyncWrite + Unpin,
    Req: Serialize,
{
    writer.put(&ToServer::Ping)?;
    patient(pace, writer.flush()).await
}

fn send<W, Req, Ans>(
    writer: &mut FrameWriter<W, ToServer<Req>>,
    pending: &Pending<Ans>,
    last_id: &mut u32,
    Call { request, waiting }: Call<Req, Ans>,
) where
    W: AsyncWrite + Unpin,
    Req: Serialize,
{
    if waiting.reply.is_closed() {
        return;
    }
    // At most PIPELINE ids are taken, so the search is short, also after 2³² calls.
    let id = loop {
        *last_id = last_id.wrapping_add(1);
        if !pending.table().contains_key(last_id) {
            break *last_id;
        }
    };
    match writer.put(&ToServer::Call { id, request }) {
        Ok(()) => {
            pending.table().insert(id, waiting);
        }
        // The caller's mistake ends the call, not the connection.
        Err(error) => {
            let _ = waiting.reply.send(Err(error));
        }
    }
}
