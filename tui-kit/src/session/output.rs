//! The bounded way out of a session: chunks of bytes, counted until the far end has taken them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

/// Bytes that may wait in a local session's way out before drawing stops.
pub(super) const BUDGET: usize = 256 * 1024;

/// Chunks that may wait. A frame is one chunk; a few more are left for escape sequences between frames.
const CHUNKS: usize = 64;

/// Chunks that are kept free for what is not a frame.
const RESERVE: usize = 8;

/// Makes the way out of a session. `budget` is how many bytes may wait before drawing stops; what is held at the
/// worst is the budget and one frame.
pub fn queue(budget: usize) -> (Output, OutputReader) {
    let (tx, rx) = mpsc::channel(CHUNKS);
    let state = Arc::new(State { waiting: AtomicUsize::new(0), budget, moved: Notify::new() });
    (Output { tx, state: state.clone() }, OutputReader { rx, state })
}

#[derive(Debug)]
struct State {
    waiting: AtomicUsize,
    budget: usize,
    moved: Notify,
}

/// The end of the queue that draws.
#[derive(Debug, Clone)]
pub struct Output {
    tx: mpsc::Sender<Bytes>,
    state: Arc<State>,
}

impl Output {
    /// Queues bytes; empty chunks are dropped.
    ///
    /// # Errors
    /// `BrokenPipe` when the far end is gone, `WouldBlock` when it has stopped taking bytes.
    pub fn send(&self, bytes: Vec<u8>) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let count = bytes.len();
        self.state.waiting.fetch_add(count, Ordering::AcqRel);
        self.tx.try_send(Bytes::from(bytes)).map_err(|error| {
            self.state.waiting.fetch_sub(count, Ordering::AcqRel);
            match error {
                mpsc::error::TrySendError::Full(_) => io::Error::from(io::ErrorKind::WouldBlock),
                mpsc::error::TrySendError::Closed(_) => io::Error::from(io::ErrorKind::BrokenPipe),
            }
        })
    }

    /// Whether another frame may be drawn.
    pub fn has_room(&self) -> bool {
        self.waiting() < self.state.budget && self.tx.capacity() > RESERVE
    }

    /// Bytes that the far end has not taken yet.
    pub fn waiting(&self) -> usize {
        self.state.waiting.load(Ordering::Acquire)
    }

    /// Waits until another frame may be drawn, or the far end is gone. Cancel-safe.
    pub async fn room(&self) {
        self.until(|| self.has_room()).await;
    }

    /// Waits until the far end has taken everything, or is gone. Cancel-safe.
    pub async fn empty(&self) {
        self.until(|| self.waiting() == 0).await;
    }

    async fn until(&self, reached: impl Fn() -> bool) {
        loop {
            let moved = self.state.moved.notified();
            tokio::pin!(moved);
            // Registered before looking, so that a chunk taken in between wakes this.
            moved.as_mut().enable();
            if reached() || self.tx.is_closed() {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = self.tx.closed() => return,
            }
        }
    }
}

/// The end of the queue that writes to the far end.
#[derive(Debug)]
pub struct OutputReader {
    rx: mpsc::Receiver<Bytes>,
    state: Arc<State>,
}

impl OutputReader {
    /// The next chunk; none when the session is over and everything was handed out. Cancel-safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.rx.recv().await
    }

    /// Says that the far end has taken so many bytes: they no longer count against the budget.
    pub fn taken(&self, bytes: usize) {
        let before = self.state.waiting.fetch_sub(bytes, Ordering::AcqRel);
        debug_assert!(before >= bytes, "more bytes taken than were waiting");
        self.state.moved.notify_waiters();
    }
}

impl Drop for OutputReader {
    fn drop(&mut self) {
        self.rx.close();
        self.state.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn over_budget_there_is_no_room_until_bytes_are_taken() {
        let (output, mut reader) = queue(10);
        output.send(vec![0; 12]).expect("the reader lives");
        assert!(!output.has_room());
        let chunk = reader.next().await.expect("a chunk waits");
        assert!(!output.has_room(), "handed out is not yet taken");
        let waiter = tokio::spawn({
            let output = output.clone();
            async move { output.room().await }
        });
        reader.taken(chunk.len());
        waiter.await.expect("room is announced");
        assert!(output.has_room());
    }

    #[tokio::test]
    async fn a_reader_that_is_gone_is_an_error_and_wakes() {
        let (output, reader) = queue(1);
        output.send(vec![1, 2]).expect("the reader lives");
        let waiter = tokio::spawn({
            let output = output.clone();
            async move { output.empty().await }
        });
        drop(reader);
        waiter.await.expect("the waiter wakes");
        assert_eq!(output.send(vec![1]).map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
    }
}
