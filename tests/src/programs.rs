//! The built programs, and calling their subcommands.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use color_eyre::eyre::{Context as _, Result, bail, eyre};
use serde_json::Value;

/// Where the built programs lie.
#[derive(Debug, Clone)]
pub struct Programs {
    directory: PathBuf,
    environment: Vec<(&'static str, &'static str)>,
}

impl Programs {
    /// The programs of the build that this test or tool belongs to, or those of `INKAN_BIN`.
    ///
    /// # Errors
    /// When one is missing: build them first with `cargo build --workspace --bins`.
    pub fn find() -> Result<Self> {
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
        for name in ["tui-center", "tui-store", "tui-member", "bank-host"] {
            if !directory.join(name).exists() {
                bail!("{name} is not built in {}; run: cargo build --workspace --bins", directory.display());
            }
        }
        Ok(Self { directory, environment: Vec::new() })
    }

    /// With this in the environment of every command.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// The path of one program.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A command for one program, with nothing on its standard input and no colours or locale of the caller's.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        command.stdin(Stdio::null()).env_remove("NO_COLOR").env("RUST_BACKTRACE", "1");
        // Honoured by builds with debug assertions only; a release keeps its full cost.
        command.env("INKAN_TEST_KDF", "weak");
        command.envs(self.environment.iter().copied());
        command
    }
}

/// What a subcommand answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// The envelope's data, or its error.
    pub body: Value,
    /// What it wrote to standard error.
    pub talk: String,
}

impl Reply {
    /// The data of a success.
    ///
    /// # Errors
    /// The program's own words when it did not succeed.
    pub fn done(self) -> Result<Value> {
        if self.code == 0 {
            Ok(self.body)
        } else {
            Err(eyre!("exit {}: {} {}", self.code, self.body, self.talk))
        }
    }

    /// The words of a refusal.
    ///
    /// # Errors
    /// When it was none.
    pub fn refused(self) -> Result<String> {
        if self.code == 0 || self.code == 255 || self.code == -1 {
            bail!("expected a refusal, got exit {}: {} {}", self.code, self.body, self.talk);
        }
        Ok(self.body["message"].as_str().unwrap_or(&self.talk).to_owned())
    }
}

/// Runs a command to its end and reads its JSON envelope.
pub fn call(mut command: Command) -> Result<Reply> {
    let shown = format!("{command:?}");
    let output = command.output().wrap_err_with(|| format!("starting {shown}"))?;
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap_or(-1);
    let text = String::from_utf8_lossy(&output.stdout);
    let envelope: Value = match serde_json::from_str(text.trim()) {
        Ok(envelope) => envelope,
        Err(_) if code != 0 => Value::Null,
        Err(error) => bail!("{shown} printed no JSON ({error}): {text} {talk}"),
    };
    let ok = envelope["ok"].as_bool().unwrap_or(false);
    if code == 0 && (!ok || envelope["schema"] != "inkan/1") {
        bail!("{shown} ended with 0 but its envelope is {envelope}");
    }
    let body = if ok { envelope["data"].clone() } else { envelope["error"].clone() };
    Ok(Reply { code, body, talk })
}

/// Writes a secret to a file only its owner may read, for `--...-file` options.
pub fn secret_file(directory: &Path, name: &str, secret: &str) -> Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = directory.join(name);
    let mut file =
        std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path)?;
    std::io::Write::write_all(&mut file, secret.as_bytes())?;
    Ok(path)
}
