//! A session is one person at one screen: what the screen can do, its input, its output, its look.
//!
//! Local and remote screens are the same thing here: bytes come in through a bounded queue and are parsed, frames go
//! out through a bounded queue of bytes. A local session owns a [`crate::guard::Guard`] over this process's
//! terminal; a remote one (over `attach` or SSH) has somebody else carry the bytes. Nothing in it is process-wide,
//! so many can live in one program.

mod abilities;
mod input;
mod output;
mod screen;
mod signals;
mod tty;

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

pub use abilities::{Abilities, Depth, VARIABLES};
pub use input::{Decoder, Incoming, SIZE_MAX, clamp};
pub(crate) use input::{ESCAPE_WAIT, Input};
pub use output::{Output, OutputReader, queue};
pub use screen::Screen;
pub(crate) use tty::Tty;

use ratatui::Terminal;
use ratatui::layout::Size;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::signals::Signals;
use crate::app::{Ending, Errand, Now};
use crate::guard::{self, Guard};
use crate::theme::{Look, Theme};
use crate::ui::Ui;

/// Waiting input that a session holds before whoever delivers it has to wait, in chunks.
pub const INPUT_CHUNKS: usize = 64;

/// How long an ending session waits for its last bytes to leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a screen can't be opened or has failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Standard output is not a terminal, or there is none to read keys from.
    #[error("there is no terminal here; run a subcommand instead (--help lists them)")]
    NoTerminal,
    /// `TERM=dumb`: no cursor movement.
    #[error("this terminal can't show screens (TERM={0}); run a subcommand instead (--help lists them)")]
    Dumb(String),
    /// The operating system refused a terminal operation.
    #[error("the terminal can't be used: {0}")]
    Terminal(#[from] std::io::Error),
}

/// What a local session allows.
#[derive(Debug, Clone, Copy)]
pub struct Local {
    /// The look to start with.
    pub look: Look,
    /// Whether Ctrl-Z stops the process. A program that serves others says no.
    pub suspend: bool,
}

impl Default for Local {
    fn default() -> Self {
        Self { look: Look::default(), suspend: true }
    }
}

/// One person at one screen.
#[derive(Debug)]
pub struct Session {
    abilities: Abilities,
    theme: Theme,
    terminal: Terminal<Screen>,
    output: Output,
    incoming: mpsc::Receiver<Incoming>,
    pub(crate) decoder: Decoder,
    frame_gap: Duration,
    carrier: Carrier,
}

/// Who carries the bytes and owns the terminal's modes.
#[derive(Debug)]
enum Carrier {
    Local {
        guard: Guard,
        signals: Signals,
        tty: Tty,
        reader: JoinHandle<()>,
        writer: JoinHandle<()>,
        suspend: bool,
    },
    /// The far end sets and restores the modes by itself (`attach`).
    Bare,
    /// The modes travel with the bytes (SSH).
    Through,
}

impl Session {
    /// Opens this process's terminal. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When standard output is no terminal, when the terminal is dumb, or when its modes can't be set.
    pub fn local(options: Local) -> Result<Self, SessionError> {
        let abilities = Abilities::able()?;
        let tty = Tty::open()?;
        let signals = Signals::listen()?;
        let resized = Tty::resizes()?;
        let size = tty.size();
        let guard = Guard::enter(tty.file())?;
        let (output, outgoing) = queue(output::BUDGET);
        let (tx, incoming) = mpsc::channel(INPUT_CHUNKS);
        let writer = tokio::spawn(tty.clone().write(outgoing));
        let reader = tokio::spawn(tty.clone().read(tx, resized));
        let carrier = Carrier::Local { guard, signals, tty, reader, writer, suspend: options.suspend };
        let gap = Duration::from_millis(15);
        Ok(Self::build(abilities, options.look, size, incoming, output, gap, carrier)?)
    }

    /// Whether this process has a terminal that can show a screen; nothing on it is touched. For a program that starts
    /// more than a screen, and should start nothing where there can't be one.
    ///
    /// # Errors
    /// When standard output is no terminal, or when the terminal is dumb.
    pub fn possible() -> Result<(), SessionError> {
        Abilities::able()?;
        Tty::device().map(drop)
    }

    /// A session whose far end keeps its own terminal modes: only frames are sent.
    ///
    /// `incoming` is fed by whoever reads the connection, with `try_send` or an awaited `send`; when it closes, the
    /// session ends. The [`OutputReader`] that belongs to `output` is emptied by whoever writes the connection.
    ///
    /// # Errors
    /// When the output is closed already.
    pub fn bare(
        abilities: Abilities,
        size: Size,
        incoming: mpsc::Receiver<Incoming>,
        output: Output,
    ) -> Result<Self, SessionError> {
        let gap = Duration::from_millis(25);
        Ok(Self::build(abilities, Look::default(), size, incoming, output, gap, Carrier::Bare)?)
    }

    /// Like [`Session::bare`], but the terminal's modes (alternate screen, bracketed paste) are set and restored
    /// through the same bytes, as an SSH channel needs it.
    ///
    /// # Errors
    /// When the output is closed already.
    pub fn through(
        abilities: Abilities,
        size: Size,
        incoming: mpsc::Receiver<Incoming>,
        output: Output,
    ) -> Result<Self, SessionError> {
        output.send(guard::ENTER.to_vec())?;
        let gap = Duration::from_millis(33);
        Ok(Self::build(abilities, Look::default(), size, incoming, output, gap, Carrier::Through)?)
    }

    /// What the screen at the far end can do.
    pub fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    /// The session's styles.
    pub fn theme(&self) -> &Theme {
        &self.theme
    }

    /// Changes the look from the next frame on.
    pub fn set_look(&mut self, look: Look) {
        self.theme = Theme::new(look, &self.abilities);
    }

    /// The size told last, clamped.
    pub fn size(&self) -> Size {
        self.terminal.backend().told_size()
    }

    /// Ends the session in order: what was drawn leaves, then the terminal's modes are restored.
    pub async fn finish(mut self) {
        if matches!(self.carrier, Carrier::Through) {
            // A far end that has stopped reading needs no farewell.
            let _ = self.output.send(guard::LEAVE.to_vec());
        }
        let _ = tokio::time::timeout(FAREWELL, self.output.empty()).await;
        if let Carrier::Local { guard, reader, .. } = &mut self.carrier {
            stop(reader).await;
            guard.restore();
        }
    }

    fn build(
        abilities: Abilities,
        look: Look,
        size: Size,
        incoming: mpsc::Receiver<Incoming>,
        output: Output,
        frame_gap: Duration,
        carrier: Carrier,
    ) -> std::io::Result<Self> {
        // crossterm decides about colour once per process; here every session decides by itself (see `Screen`).
        ratatui::crossterm::style::force_color_output(true);
        let theme = Theme::new(look, &abilities);
        let screen = Screen::new(size, abilities.depth, output.clone());
        let mut terminal = Terminal::new(screen)?;
        terminal.clear()?;
        let decoder = Decoder::default();
        Ok(Self { abilities, theme, terminal, output, incoming, decoder, frame_gap, carrier })
    }

    /// The shortest time between two frames.
    pub(crate) fn frame_gap(&self) -> Duration {
        self.frame_gap
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn may_suspend(&self) -> bool {
        matches!(self.carrier, Carrier::Local { suspend: true, .. })
    }

    /// The next thing that comes in, or why nothing will any more. Cancel-safe.
    pub(crate) async fn incoming(&mut self) -> Result<Incoming, Ending> {
        let Carrier::Local { signals, .. } = &mut self.carrier else {
            return self.incoming.recv().await.ok_or(Ending::HungUp);
        };
        tokio::select! {
            ending = signals.next() => Err(ending),
            incoming = self.incoming.recv() => incoming.ok_or(Ending::HungUp),
        }
    }

    /// What has come in already.
    pub(crate) fn incoming_now(&mut self) -> Option<Incoming> {
        self.incoming.try_recv().ok()
    }

    pub(crate) fn resize(&mut self, size: Size) -> std::io::Result<()> {
        self.terminal.backend_mut().tell_size(size);
        self.terminal.clear()
    }

    pub(crate) fn redraw(&mut self) -> std::io::Result<()> {
        self.terminal.backend_mut().forget();
        self.terminal.clear()
    }

    pub(crate) fn draw(&mut self, now: Now, view: impl FnOnce(&mut Ui<'_, '_>)) -> std::io::Result<()> {
        let (theme, abilities) = (&self.theme, &self.abilities);
        self.terminal.draw(|frame| view(&mut Ui::new(frame, theme, abilities, now)))?;
        Ok(())
    }

    /// Stops this process until it is continued, with the terminal as it was found meanwhile.
    pub(crate) async fn suspend(&mut self) -> std::io::Result<()> {
        let _ = tokio::time::timeout(FAREWELL, self.output.empty()).await;
        if let Carrier::Local { guard, suspend: true, .. } = &mut self.carrier {
            guard.suspend()?;
        }
        self.redraw()
    }

    /// Lends the terminal to a program until it ends, and returns its exit code (128 + the signal that ended it).
    pub(crate) async fn lend(&mut self, errand: &Errand) -> std::io::Result<Result<i32, String>> {
        let _ = tokio::time::timeout(FAREWELL, self.output.empty()).await;
        let Carrier::Local { guard, tty, reader, .. } = &mut self.carrier else {
            return Ok(Err("a remote screen can't be lent to another program".to_owned()));
        };
        stop(reader).await;
        guard.restore();
        let program = errand.program.to_string_lossy();
        let ran = match Command::new(&errand.program).args(&errand.arguments).status().await {
            Ok(status) => Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())),
            Err(error) => Err(format!("{} can't be run: {error}", crate::text::clean(&program))),
        };
        guard.again()?;
        let (tx, incoming) = mpsc::channel(INPUT_CHUNKS);
        self.incoming = incoming;
        let resized = Tty::resizes()?;
        let size = tty.size();
        *reader = tokio::spawn(tty.clone().read(tx, resized));
        self.resize(size)?;
        self.redraw()?;
        Ok(ran)
    }
}

/// Stops a reader and waits until it has stopped: what is typed from now on is for whoever has the terminal next.
async fn stop(reader: &mut JoinHandle<()>) {
    reader.abort();
    // It ends cancelled or, having found the terminal gone, by itself; both are an end.
    let _ = reader.await;
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Carrier::Local { reader, writer, .. } = &self.carrier {
            reader.abort();
            writer.abort();
        }
    }
}
