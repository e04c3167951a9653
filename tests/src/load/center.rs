//! The center's real process.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Context as _, Result, bail, ensure, eyre};
use rustix::process::{Pid, Signal, kill_process};
use tui_center::config::Config;
use tui_kit::profile::private_dir;

use super::{cast::PASSPHRASE, ending, line::Target, machine, prepare::beside};
use crate::programs::secret_file;

/// How long a center may take to open its books.
const OPENING: Duration = Duration::from_secs(300);
/// How long an orderly end may take.
const ENDING: Duration = Duration::from_secs(120);
/// How long a center may be at work by itself after its start.
const SETTLING: Duration = Duration::from_secs(60);
/// How often something is looked at that nobody tells of.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// What one terminal may ask is no limit here: all terminals are on this machine.
const NO_LIMIT: u32 = 1_000_000;

/// A running center. It is killed when this is dropped.
pub struct Center {
    child: Child,
    profile: PathBuf,
    address: SocketAddr,
    /// How long it took from its start until it listened.
    pub opening: Duration,
}

impl Center {
    /// Starts the center of a prepared profile and waits until it listens.
    ///
    /// # Errors
    /// With the end of its log, when it does not.
    pub fn start(profile: &Path) -> Result<Self> {
        Self::start_with(profile, &[])
    }

    /// The same with more in its environment.
    ///
    /// # Errors
    /// As [`Center::start`].
    pub fn start_with(profile: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        let address = lift_limits(profile)?;
        let passphrase = secret_file(profile, "passphrase", PASSPHRASE)?;
        let log = fs::OpenOptions::new().create(true).append(true).open(profile.join("load.log"))?;
        let mut command = Command::new(program()?);
        command.arg("--profile").arg(profile).args(["--json", "serve", "--headless"]);
        command.arg("--service-passphrase-file").arg(passphrase);
        // Honoured by builds with debug assertions only; a release keeps its full cost.
        command.env("INKAN_TEST_KDF", "weak").stdin(Stdio::null());
        command.envs(environment.iter().copied());
        command.stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        let since = Instant::now();
        let child = command.spawn().wrap_err("starting tui-center")?;
        let mut center = Self { child, profile: profile.to_owned(), address, opening: Duration::ZERO };
        while TcpStream::connect(address).is_err() {
            ending::go_on()?;
            if let Some(status) = center.child.try_wait()? {
                bail!("the center ended with {status}: {}", center.last_words());
            }
            ensure!(since.elapsed() < OPENING, "the center does not listen after {OPENING:?}");
            thread::sleep(LOOK_EVERY);
        }
        center.opening = since.elapsed();
        Ok(center)
    }

    /// Waits until the center has done what it does by itself after a start, like bringing its registers up.
    pub fn settle(&self) -> Result<()> {
        let since = Instant::now();
        let span = Duration::from_millis(250);
        while since.elapsed() < SETTLING {
            let before = machine::cpu_of(self.pid())?;
            thread::sleep(span);
            if machine::cpu_of(self.pid())?.saturating_sub(before) < span / 8 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its profile.
    pub fn profile(&self) -> &Path {
        &self.profile
    }

    /// Where connections are opened.
    pub fn target(&self) -> Result<std::sync::Arc<Target>> {
        Ok(Target::new(self.address, super::cast::Cast::read(&self.profile)?.root))
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// When it does not end, or not well.
    pub fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).ok_or_else(|| eyre!("no pid"))?;
        kill_process(pid, Signal::TERM)?;
        let since = Instant::now();
        while since.elapsed() < ENDING {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the center ended with {status}: {}", self.last_words());
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
        bail!("the center did not end within {ENDING:?} after SIGTERM")
    }

    /// Kills it outright.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.profile.join("load.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }
}

impl Drop for Center {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The center's program: of the build that this program belongs to, or of `INKAN_BIN`.
///
/// # Errors
/// When it is not built.
pub fn program() -> Result<PathBuf> {
    let directory = match env::var_os("INKAN_BIN") {
        Some(directory) => PathBuf::from(directory),
        None => {
            let own = env::current_exe()?;
            let beside = own.parent().ok_or_else(|| eyre!("this program has no directory"))?;
            if beside.ends_with("deps") {
                beside.parent().unwrap_or(beside).to_owned()
            } else {
                beside.to_owned()
            }
        }
    };
    let program = directory.join("tui-center");
    ensure!(program.exists(), "tui-center is not built in {}; run: cargo build --bins", directory.display());
    Ok(program)
}

/// Writes settings in which all terminals may come from one machine, a port that is free now, and the bank's folders beside
/// the profile, wherever that was copied to.
fn lift_limits(profile: &Path) -> Result<SocketAddr> {
    let path = profile.join("config.toml");
    let mut config = Config::read(&path)?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    config.listen = vec![address.to_string()];
    (config.bank.inbox, config.bank.outbox) = (beside(profile, "inbox"), beside(profile, "outbox"));
    for folder in [&config.bank.inbox, &config.bank.outbox] {
        private_dir(folder)?;
    }
    let limits = &mut config.limits;
    limits.connections = NO_LIMIT;
    limits.connections_per_address = NO_LIMIT;
    limits.arrivals_per_second = NO_LIMIT;
    limits.strangers_per_second = NO_LIMIT;
    limits.requests_per_second = NO_LIMIT;
    config.write(&path)?;
    Ok(address)
}
