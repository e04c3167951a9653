//! This process's own terminal, read and written without blocking.
//!
//! `/dev/tty` is opened anew, so that making it non-blocking touches no descriptor that the shell shares with us, and
//! so that a hang-up is seen as end of input: a reader that spins on a dead terminal is not possible here.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use bytes::Bytes;
use ratatui::layout::Size;
use rustix::fs::OFlags;
use rustix::termios;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::SessionError;
use super::input::Incoming;
use super::output::OutputReader;

/// Bytes read at once.
const READ_BYTES: usize = 4096;

/// The size taken where the terminal doesn't say.
const SIZE_UNKNOWN: Size = Size::new(80, 24);

/// This process's terminal.
#[derive(Debug, Clone)]
pub(crate) struct Tty {
    fd: Arc<AsyncFd<File>>,
}

impl Tty {
    /// Opens the controlling terminal.
    pub(crate) fn open() -> Result<Self, SessionError> {
        let file = Self::device()?;
        #[expect(
            deprecated,
            reason = "the safe successor exists for no type; a File keeps one descriptor open for life"
        )]
        let fd = AsyncFd::new(file)?;
        Ok(Self { fd: Arc::new(fd) })
    }

    /// The controlling terminal's device, where standard output is a terminal.
    pub(crate) fn device() -> Result<File, SessionError> {
        if !io::stdout().is_terminal() {
            return Err(SessionError::NoTerminal);
        }
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags.bits().cast_signed())
            .open("/dev/tty")
            .map_err(|_| SessionError::NoTerminal)
    }

    pub(crate) fn file(&self) -> &File {
        self.fd.get_ref()
    }

    /// The terminal's size, as far as it says.
    pub(crate) fn size(&self) -> Size {
        match termios::tcgetwinsize(self.file()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
            _ => SIZE_UNKNOWN,
        }
    }

    /// Begins to listen for resizes. To be done before the size is asked for, so that none is missed in between.
    pub(crate) fn resizes() -> io::Result<Signal> {
        signal(SignalKind::window_change())
    }

    /// Hands on bytes and sizes until the terminal or the receiver is gone.
    pub(crate) async fn read(self, incoming: mpsc::Sender<Incoming>, mut resized: Signal) {
        let mut buffer = [0; READ_BYTES];
        loop {
            tokio::select! {
                read = self.read_some(&mut buffer) => match read {
                    Ok(count @ 1..) => {
                        let bytes = Bytes::copy_from_slice(&buffer[..count]);
                        if incoming.send(Incoming::Bytes(bytes)).await.is_err() {
                            return;
                        }
                    }
                    Ok(0) | Err(_) => return,
                },
                _ = resized.recv() => {
                    if incoming.send(Incoming::Resize(self.size())).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Writes what a session draws until the session or the terminal is gone.
    pub(crate) async fn write(self, mut outgoing: OutputReader) {
        while let Some(chunk) = outgoing.next().await {
            if self.write_all(&chunk).await.is_err() {
                return;
            }
            outgoing.taken(chunk.len());
        }
    }

    pub(crate) async fn read_some(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.fd.readable().await?;
            match ready.try_io(|fd| fd.get_ref().read(buffer)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(read) => return read,
                Err(_would_block) => {}
            }
        }
    }

    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.fd.writable().await?;
            match ready.try_io(|fd| fd.get_ref().write(bytes)) {
                Ok(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(Ok(count)) => bytes = &bytes[count..],
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
        Ok(())
    }
}
