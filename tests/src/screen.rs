//! A program in a pseudo-terminal: keys in, its screen read back through a terminal emulator.

use std::{
    io::{Read as _, Write as _},
    process::Child,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, bail, eyre};
use pty_process::blocking::{Command, Pty};

/// A program on a screen of its own.
pub struct Screen {
    pty: Arc<Pty>,
    child: Child,
    emulator: Arc<Mutex<vt100::Parser>>,
    changed: mpsc::Receiver<()>,
}

/// How long a screen may take to show what is waited for. Generous: a loaded machine is no failure.
const PATIENCE: Duration = Duration::from_secs(60);

impl Screen {
    /// Starts a program on a screen of so many columns and rows.
    pub fn start(command: Command, columns: u16, rows: u16) -> Result<Self> {
        let (pty, pts) = pty_process::blocking::open()?;
        pty.resize(pty_process::Size::new(rows, columns))?;
        let child = command.env("TERM", "xterm-256color").spawn(pts)?;
        let pty = Arc::new(pty);
        let emulator = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let (tell, changed) = mpsc::sync_channel(1);
        let (reader, screen) = (Arc::clone(&pty), Arc::clone(&emulator));
        thread::spawn(move || {
            let mut bytes = [0; 8192];
            // A closed terminal reads as an error on Linux: the program has ended.
            while let Ok(count @ 1..) = (&*reader).read(&mut bytes) {
                screen.lock().expect("the emulator does not panic").process(&bytes[..count]);
                if matches!(tell.try_send(()), Err(mpsc::TrySendError::Disconnected(()))) {
                    break;
                }
            }
        });
        Ok(Self { pty, child, emulator, changed })
    }

    /// What the screen shows, line by line.
    pub fn text(&self) -> String {
        self.emulator.lock().expect("the emulator does not panic").screen().contents()
    }

    /// Types keys as a terminal sends them: plain text, and `<enter>`, `<tab>`, `<esc>`, `<up>`, `<down>`,
    /// `<backspace>`, `<f1>`, `<c-x>` for control keys.
    pub fn keys(&self, keys: &str) -> Result<()> {
        let mut bytes = Vec::new();
        let mut rest = keys;
        while let Some(at) = rest.find('<') {
            let end = rest[at..].find('>').ok_or_else(|| eyre!("a key without its > in {keys}"))? + at;
            bytes.extend_from_slice(rest[..at].as_bytes());
            bytes.extend_from_slice(&key(&rest[at + 1..end])?);
            rest = &rest[end + 1..];
        }
        bytes.extend_from_slice(rest.as_bytes());
        (&*self.pty).write_all(&bytes)?;
        Ok(())
    }

    /// Types plain text, whatever it holds.
    pub fn type_text(&self, text: &str) -> Result<()> {
        (&*self.pty).write_all(text.as_bytes())?;
        Ok(())
    }

    /// Waits until the screen shows `text`, and gives the whole screen.
    ///
    /// # Errors
    /// With what the screen shows instead, when it does not come.
    pub fn wait(&self, text: &str) -> Result<String> {
        self.wait_until(&format!("“{text}”"), |screen| screen.contains(text))
    }

    /// Waits until the screen fits.
    pub fn wait_until(&self, what: &str, fits: impl Fn(&str) -> bool) -> Result<String> {
        let since = Instant::now();
        loop {
            let shown = self.text();
            if fits(&shown) {
                return Ok(shown);
            }
            let Some(left) = PATIENCE.checked_sub(since.elapsed()) else {
                bail!("the screen never showed {what}; it shows:\n{shown}");
            };
            match self.changed.recv_timeout(left) {
                Ok(()) | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let shown = self.text();
                    if fits(&shown) {
                        return Ok(shown);
                    }
                    bail!("the program ended before it showed {what}; its last screen:\n{shown}");
                }
            }
        }
    }

    /// Gives the screen another size.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        self.emulator.lock().expect("the emulator does not panic").screen_mut().set_size(rows, columns);
        Ok(self.pty.resize(pty_process::Size::new(rows, columns))?)
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
                return Ok(status.code().unwrap_or(-1));
            }
            if since.elapsed() > PATIENCE {
                bail!("the program does not end; its screen:\n{}", self.text());
            }
            // The reader's channel closes when the terminal does, which is when the program ends.
            let _ = self.changed.recv_timeout(Duration::from_millis(50));
        }
    }

    /// Kills the program outright.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
