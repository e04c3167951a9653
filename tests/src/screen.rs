//! A program in a pseudo-terminal: keys in, its screen read back through a terminal emulator.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    process::Child,
    sync::{Arc, Mutex, MutexGuard, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, bail, ensure, eyre};
use pty_process::blocking::{Command, Pty};
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    termios::{Termios, tcgetattr},
};

/// A program on a screen of its own.
pub struct Screen {
    window: Option<Window>,
    child: Child,
    shown: Arc<Mutex<Shown>>,
    changed: mpsc::Receiver<()>,
    found: Termios,
}

/// The terminal's own end of a pseudo-terminal.
struct Window {
    pty: Arc<Pty>,
    reader: JoinHandle<()>,
    /// Dropping it ends the reader, so that nobody holds the terminal's end any more.
    _open: UnixStream,
}

/// What a program has written.
struct Shown {
    emulator: vt100::Parser,
    raw: Vec<u8>,
    /// How much of it the emulator has seen. A frame is shown whole or not at all, as a terminal does that honours
    /// synchronized updates.
    seen: usize,
}

/// How long a screen may take to show what is waited for. Generous: a loaded machine is no failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first and the last bytes of a frame: a synchronized update.
const FRAME_START: &[u8] = b"\x1b[?2026h";
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// How often something is looked at that nobody tells of.
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl Screen {
    /// Starts a program on a screen of so many columns and rows.
    pub fn start(command: Command, columns: u16, rows: u16) -> Result<Self> {
        Self::start_as("xterm-256color", command, columns, rows)
    }

    /// The same on a terminal of another name (`TERM`).
    pub fn start_as(term: &str, command: Command, columns: u16, rows: u16) -> Result<Self> {
        let (pty, pts) = pty_process::blocking::open()?;
        pty.resize(pty_process::Size::new(rows, columns))?;
        let found = tcgetattr(&pty)?;
        let child = command.env("TERM", term).spawn(pts)?;
        let pty = Arc::new(pty);
        let emulator = vt100::Parser::new(rows, columns, 0);
        let shown = Arc::new(Mutex::new(Shown { emulator, raw: Vec::new(), seen: 0 }));
        let (tell, changed) = mpsc::sync_channel(1);
        let (open, closed) = UnixStream::pair()?;
        let (reader, screen) = (Arc::clone(&pty), Arc::clone(&shown));
        let reader = thread::spawn(move || read(&reader, &closed, &screen, &tell));
        Ok(Self { window: Some(Window { pty, reader, _open: open }), child, shown, changed, found })
    }

    /// What the screen shows, line by line.
    pub fn text(&self) -> String {
        self.look(|screen| screen.contents())
    }

    /// Looks at the emulated screen: its cells, its cursor, its modes.
    pub fn look<T>(&self, see: impl FnOnce(&vt100::Screen) -> T) -> T {
        see(self.shown().emulator.screen())
    }

    /// Every byte that the program has written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.shown().raw.clone()
    }

    /// How many bytes it has written so far.
    pub fn written(&self) -> usize {
        self.shown().raw.len()
    }

    /// Types keys as a terminal sends them: plain text, and `<enter>`, `<tab>`, `<esc>`, `<up>`, `<down>`,
    /// `<backspace>`, `<f1>`, `<c-x>` for control keys. As on every terminal, what follows an `<esc>` at once is taken
    /// for the same key with Alt: wait for what the Esc does first.
    pub fn keys(&self, keys: &str) -> Result<()> {
        let mut bytes = Vec::new();
        let mut rest = keys;
        while let Some((text, key_and_rest)) = rest.split_once('<') {
            let (name, after) =
                key_and_rest.split_once('>').ok_or_else(|| eyre!("a key without its > in {keys}"))?;
            bytes.extend_from_slice(text.as_bytes());
            bytes.extend_from_slice(&key(name)?);
            rest = after;
        }
        bytes.extend_from_slice(rest.as_bytes());
        self.send(&bytes)
    }

    /// Types plain text, whatever it holds.
    pub fn type_text(&self, text: &str) -> Result<()> {
        self.send(text.as_bytes())
    }

    /// Pastes a text as a terminal with bracketed paste sends it.
    pub fn paste(&self, text: &str) -> Result<()> {
        self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes())
    }

    /// Waits until the screen shows `text`, and gives the whole screen.
    ///
    /// # Errors
    /// With what the screen shows instead, when it does not come.
    pub fn wait(&self, text: &str) -> Result<String> {
        self.wait_until(&format!("“{text}”"), |screen| screen.contains(text))
    }

    /// Waits until the screen's text fits.
    ///
    /// # Errors
    /// As [`Screen::wait`].
    pub fn wait_until(&self, what: &str, fits: impl Fn(&str) -> bool) -> Result<String> {
        self.wait_for(what, |screen| fits(&screen.text()))
    }

    /// Waits until something holds that the program brings about by writing: a place of the cursor, a row, a mode.
    ///
    /// # Errors
    /// As [`Screen::wait`].
    pub fn wait_for(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Result<String> {
        let since = Instant::now();
        loop {
            if holds(self) {
                return Ok(self.text());
            }
            let shown = self.text();
            let Some(left) = PATIENCE.checked_sub(since.elapsed()) else {
                bail!("the screen never showed {what}; it shows:\n{shown}");
            };
            match self.changed.recv_timeout(left) {
                Ok(()) | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let shown = self.text();
                    if holds(self) {
                        return Ok(shown);
                    }
                    bail!("the program ended before it showed {what}; its last screen:\n{shown}");
                }
            }
        }
    }

    /// Gives the screen another size.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        self.shown().emulator.screen_mut().set_size(rows, columns);
        Ok(self.pty()?.resize(pty_process::Size::new(rows, columns))?)
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the program to end by itself and gives its exit code; -1 when a signal ended it.
    pub fn ended(&mut self) -> Result<i32> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.read_out();
                return Ok(status.code().unwrap_or(-1));
            }
            if since.elapsed() > PATIENCE {
                bail!("the program does not end; its screen:\n{}", self.text());
            }
            // What it still writes is of no interest, but that it can write it may be what it waits for.
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Closes the window: the terminal is gone, and the kernel tells the program so.
    pub fn hang_up(&mut self) -> Result<()> {
        let Window { pty, reader, _open } =
            self.window.take().ok_or_else(|| eyre!("the window is closed already"))?;
        drop(_open);
        reader.join().map_err(|_| eyre!("the reader of the screen failed"))?;
        ensure!(Arc::strong_count(&pty) == 1, "somebody else holds the terminal");
        Ok(())
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(self.process()?, signal)?)
    }

    /// Waits until the program has stopped itself, as after Ctrl-Z.
    pub fn stopped(&self) -> Result<()> {
        let (process, since) = (self.process()?, Instant::now());
        while since.elapsed() < PATIENCE {
            let changed = waitpid(Some(process), WaitOptions::UNTRACED | WaitOptions::NOHANG)?;
            match changed {
                Some((_, status)) if status.stopped() => return Ok(()),
                Some((_, status)) => bail!("it ended instead of stopping: {status:?}"),
                None => thread::sleep(LOOK_EVERY),
            }
        }
        bail!("the program does not stop; its screen:\n{}", self.text())
    }

    /// Whether the terminal is as the program found it: its own line editing, no alternate screen, the cursor in
    /// sight, no mode left on.
    ///
    /// # Errors
    /// With what is not so.
    pub fn restored(&self) -> Result<()> {
        let now = tcgetattr(self.pty()?)?;
        ensure!(now.local_modes == self.found.local_modes, "local modes: {:?}", now.local_modes);
        ensure!(now.input_modes == self.found.input_modes, "input modes: {:?}", now.input_modes);
        ensure!(now.output_modes == self.found.output_modes, "output modes: {:?}", now.output_modes);
        self.look(|screen| {
            ensure!(!screen.alternate_screen(), "the alternate screen was not left");
            ensure!(!screen.hide_cursor(), "the cursor is hidden");
            ensure!(!screen.bracketed_paste(), "bracketed paste is on");
            let mouse = screen.mouse_protocol_mode();
            ensure!(mouse == vt100::MouseProtocolMode::None, "the mouse is captured: {mouse:?}");
            Ok(())
        })
    }

    /// Time that the program has computed for so far, by the kernel's count of hundredths of a second; none once it
    /// has ended.
    pub fn computed(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).ok()?;
        // The name in parentheses may hold anything; what follows it are numbers, user and system time the 12th and
        // 13th behind the state.
        let (_, after) = stat.rsplit_once(')')?;
        let mut times = after.split_whitespace().skip(11);
        let mut ticks = || times.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks()? + ticks()?) * 10))
    }

    /// Whether the program has ended.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Kills the program outright.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until everything that an ended program has written is read. What it has left behind may hold the terminal
    /// for longer: that is not waited for.
    fn read_out(&self) {
        let since = Instant::now();
        let reading = || self.window.as_ref().is_some_and(|window| !window.reader.is_finished());
        while reading() && since.elapsed() < Duration::from_secs(2) {
            thread::sleep(LOOK_EVERY / 10);
        }
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        let mut pty = self.pty()?;
        Ok(pty.write_all(bytes)?)
    }

    fn pty(&self) -> Result<&Pty> {
        self.window.as_ref().map(|window| &*window.pty).ok_or_else(|| eyre!("the window is closed"))
    }

    fn process(&self) -> Result<Pid> {
        let id = i32::try_from(self.child.id())?;
        Pid::from_raw(id).ok_or_else(|| eyre!("no pid"))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().expect("the emulator does not panic")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Shown {
    /// Takes what the program has written, and shows all of it but a frame that has not ended.
    fn take(&mut self, written: &[u8]) {
        self.raw.extend_from_slice(written);
        let waiting = &self.raw[self.seen..];
        let starts =
            |at: usize| waiting[at..].starts_with(FRAME_START) || FRAME_START.starts_with(&waiting[at..]);
        let start = (0..waiting.len()).rev().find(|at| waiting[*at] == FRAME_START[0] && starts(*at));
        let ended = |at: usize| waiting[at..].windows(FRAME_END.len()).any(|bytes| bytes == FRAME_END);
        let whole = start.filter(|at| !ended(*at)).unwrap_or(waiting.len());
        self.emulator.process(&waiting[..whole]);
        self.seen += whole;
    }
}

/// Reads what the program writes until it ends, or the other end of `closed` is gone.
fn read(mut pty: &Pty, closed: &UnixStream, shown: &Mutex<Shown>, tell: &mpsc::SyncSender<()>) {
    let mut bytes = [0; 8192];
    loop {
        let mut ready =
            [PollFd::new(pty, PollFlags::IN), PollFd::new(closed, PollFlags::IN | PollFlags::HUP)];
        match poll(&mut ready, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) if !ready[1].revents().is_empty() => return,
            Ok(_) => {}
        }
        // A closed terminal reads as an error on Linux: the program has ended.
        let Ok(count @ 1..) = pty.read(&mut bytes) else { return };
        let mut shown = shown.lock().expect("the emulator does not panic");
        shown.take(&bytes[..count]);
        drop(shown);
        if matches!(tell.try_send(()), Err(mpsc::TrySendError::Disconnected(()))) {
            return;
        }
    }
}

fn key(name: &str) -> Result<Vec<u8>> {
    Ok(match name {
        "enter" => b"\r".to_vec(),
        "tab" => b"\t".to_vec(),
        "backtab" => b"\x1b[Z".to_vec(),
        "esc" => b"\x1b".to_vec(),
        "backspace" => b"\x7f".to_vec(),
        "up" => b"\x1b[A".to_vec(),
        "down" => b"\x1b[B".to_vec(),
        "right" => b"\x1b[C".to_vec(),
        "left" => b"\x1b[D".to_vec(),
        "home" => b"\x1b[H".to_vec(),
        "end" => b"\x1b[F".to_vec(),
        "pgup" => b"\x1b[5~".to_vec(),
        "pgdn" => b"\x1b[6~".to_vec(),
        "f1" => b"\x1bOP".to_vec(),
        _ => match name.strip_prefix("c-").map(str::as_bytes) {
            Some([letter @ b'a'..=b'z']) => vec![letter - b'a' + 1],
            _ => bail!("no key is called <{name}>"),
        },
    })
}
