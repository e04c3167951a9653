//! The signals that end a local screen in order, and those that do nothing to it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::Ending;

/// The signals that end a local screen.
#[derive(Debug)]
pub(super) struct Signals {
    hang_up: Signal,
    terminate: Signal,
    /// Held, so that they do nothing: they come from Ctrl-C and Ctrl-\ typed at a program to which the terminal is
    /// lent, and the kernel sends them to the whole group.
    _keys: [Signal; 2],
}

impl Signals {
    /// Begins to listen. To be done before the terminal's modes are set: from here on none of these signals ends the
    /// process by itself.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            _keys: [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?],
        })
    }

    /// Waits for one of them. Cancel-safe.
    pub(super) async fn next(&mut self) -> Ending {
        tokio::select! {
            _ = self.hang_up.recv() => Ending::HungUp,
            _ = self.terminate.recv() => Ending::Terminated,
        }
    }
}
