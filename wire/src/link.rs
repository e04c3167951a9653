//! Connections: opening them, and calls, answers and pushes over them. The same for a terminal and the center as for
//! a member and a store; only the types carried differ.
//!
//! | step | client | server |
//! |---|---|---|
//! | TCP, TLS 1.3 | [`connect`] → [`Connected`] | [`accept`] → [`Accepted`] |
//! | one first frame, the server's | [`Connected::hello`] → [`Greeted`] | [`Accepted::greet`] → [`Ready`] |
//! | calls and pushes | [`Greeted::start`] → [`Link`] and a queue of pushes | [`Ready::serve`] |
//!
//! Each step consumes the one before, so nothing can be asked before the server's first frame was read. Between
//! [`Connected::hello`] and [`Greeted::start`] the caller decides whether to believe it: whether the key shown
//! ([`Peer::key`]) is one that the frame's key sheet names, and whether the versions meet.
//!
//! Every queue is bounded and every wait ends: see [`Pace`].

mod client;
mod connect;
mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use client::Link;
pub use connect::{Accepted, Connected, Greeted, Peer, Ready, accept, connect};
pub use server::{NotPushed, Pusher, Pushes, pushes};

pub use crate::frame::{Attempt, LinkError};

/// How long either side of a connection is patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often a client shows that it is there.
    pub ping: Duration,
    /// After how long without any frame the other side counts as gone. A client hears an answer to each ping, so
    /// three pings lost are silence.
    pub silence: Duration,
    /// How long a peer may take nothing of what is sent to it.
    pub stall: Duration,
}

impl Default for Pace {
    /// A ping every 15 s, gone after 45 s of silence, hung up on after 30 s without reading.
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(15),
            silence: Duration::from_secs(45),
            stall: Duration::from_secs(30),
        }
    }
}

/// The pushes of a connection on which the server never pushes: no value exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoPush {}

/// What a client sends after the server's first frame. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToServer<Req> {
    /// A request under an id that no unanswered request of this connection bears.
    Call {
        /// The id that the answer will bear.
        id: u32,
        /// The request.
        request: Req,
    },
    /// "I am here"; answered at once by [`FromServer::Pong`].
    Ping,
}

/// What a server sends after its first frame. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromServer<Ans, P> {
    /// The answer to a call, in whatever order answers are ready.
    Reply {
        /// The id of the call.
        id: u32,
        /// The answer.
        answer: Ans,
    },
    /// What nobody asked for.
    Push(P),
    /// The answer to a ping.
    Pong,
}

/// Waits for `work`, but no longer than `limit`.
async fn within<T>(
    limit: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(LinkError::Timeout { what }))
}

/// Waits for a peer to make room for one frame, which is progress and earns it new patience.
async fn patient(pace: Pace, work: impl Future<Output = Result<(), LinkError>>) -> Result<(), LinkError> {
    within(pace.stall, "the other side to read", work).await
}
