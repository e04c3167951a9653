//! The one guard over this process's terminal, and what a panic leaves behind.
//!
//! Whatever ends a local screen (quitting, an error, a panic, SIGTERM, SIGHUP), the modes are restored exactly once:
//! the state to restore is taken out of one place, and whoever takes it restores it. Remote screens have nothing to
//! do with this: their modes belong to another machine.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{self, OptionalActions, Termios};

/// Alternate screen, bracketed paste, cleared.
pub const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[2J\x1b[H\x1b[?25l";

/// Everything back: synchronized update, mouse, paste, colours, cursor, alternate screen.
pub const LEAVE: &[u8] =
    b"\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";

/// How often and how long apart the restoring writes are tried on a terminal that takes nothing (Ctrl-S).
const WRITE_TRIES: u32 = 50;
const WRITE_PAUSE: Duration = Duration::from_millis(2);

/// What is to be restored, and what is to be said once it is.
static STATE: Mutex<State> = Mutex::new(State { held: None, notices: Vec::new() });

struct State {
    held: Option<Held>,
    notices: Vec<String>,
}

struct Held {
    tty: File,
    found: Termios,
}

/// Holds this process's terminal in raw mode on the alternate screen; dropping it restores what was found.
#[derive(Debug)]
pub struct Guard {
    tty: File,
}

impl Guard {
    /// Sets the modes.
    ///
    /// # Errors
    /// `ResourceBusy` when a guard is held already; otherwise what the terminal answers.
    pub fn enter(tty: &File) -> io::Result<Self> {
        let guard = Self { tty: tty.try_clone()? };
        guard.set()?;
        Ok(guard)
    }

    /// Restores the modes now. Later calls, and dropping, do nothing.
    pub fn restore(&mut self) {
        restore();
    }

    /// Sets the modes again after [`Guard::restore`].
    ///
    /// # Errors
    /// As [`Guard::enter`].
    pub fn again(&mut self) -> io::Result<()> {
        self.set()
    }

    /// Restores the modes, stops the process, and sets the modes again when it is continued.
    ///
    /// # Errors
    /// What the terminal or the kernel answers.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        kill_process(getpid(), Signal::STOP)?;
        self.set()
    }

    fn set(&self) -> io::Result<()> {
        let mut state = lock();
        if state.held.is_some() {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "the terminal is held by another screen of this program",
            ));
        }
        let found = termios::tcgetattr(&self.tty)?;
        let mut raw = found.clone();
        raw.make_raw();
        termios::tcsetattr(&self.tty, OptionalActions::Now, &raw)?;
        let held = Held { tty: self.tty.try_clone()?, found };
        write(&held.tty, ENTER);
        state.held = Some(held);
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Restores this process's terminal if a guard holds it, then says what was put off meanwhile. Calling it again does
/// nothing.
pub fn restore() {
    let (held, notices) = {
        let mut state = lock();
        (state.held.take(), std::mem::take(&mut state.notices))
    };
    if let Some(held) = held {
        // Whoever sees the screen go may type at once: the line discipline comes back first. A terminal that is gone
        // has no modes left to restore.
        let _ = termios::tcsetattr(&held.tty, OptionalActions::Now, &held.found);
        write(&held.tty, LEAVE);
    }
    for notice in notices {
        let _ = writeln!(io::stderr(), "{notice}");
    }
}

/// Says a line on standard error now, or, while a screen holds the terminal, as soon as it lets go.
pub fn say_after(line: String) {
    let mut state = lock();
    if state.held.is_some() {
        state.notices.push(line);
    } else {
        drop(state);
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// From now on a panic leaves a report file in `folder` and one line with its path on standard error.
///
/// The terminal is restored by the unwinding that follows, not here: a panic in a task that serves somebody else must
/// not take away the screen of the person in front of the machine.
pub fn report_panics(program: &'static str, version: &'static str, folder: &Path) {
    let folder = folder.to_owned();
    std::panic::set_hook(Box::new(move |info| {
        let trace = std::backtrace::Backtrace::force_capture();
        let thread = std::thread::current();
        let report = format!(
            "{program} {version}\ntime: {time}\nthread: {thread}\n{info}\n\n{trace}\n",
            time = jiff::Timestamp::now(),
            thread = thread.name().unwrap_or("without a name"),
        );
        tracing::error!(program, "internal error: {info}");
        match write_report(&folder, &report) {
            Ok(path) => {
                say_after(format!("{program}: internal error; the report is in {}", path.display()));
            }
            Err(error) => {
                say_after(format!("{program}: internal error ({info}); no report could be written: {error}"));
            }
        }
    }));
}

fn write_report(folder: &Path, report: &str) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let stamp = jiff::Timestamp::now().as_millisecond();
    let path = folder.join(format!("panic-{stamp}-{}.txt", std::process::id()));
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
    file.write_all(report.as_bytes())?;
    Ok(path)
}

/// Writes to a terminal that may be non-blocking; gives up on one that takes nothing.
fn write(mut tty: &File, mut bytes: &[u8]) {
    let mut tries = WRITE_TRIES;
    while !bytes.is_empty() && tries > 0 {
        match tty.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(WRITE_PAUSE);
                tries -= 1;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn lock() -> MutexGuard<'static, State> {
    // The state is whole after every statement that changes it, so a poisoned lock is as good as a clean one.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
