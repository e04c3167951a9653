//! Reaching the store: through the control socket of a program that runs on the profile, else by opening its vault.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use tui_kit::{
    cli,
    control::{self, ControlError},
};

use super::Context;
use crate::{
    act::{Act, Failure, FailureKind, Outcome, Password},
    cashier::is_till,
    engine::Handle,
};

/// How long another subcommand may have the vault before this one gives up.
const HELD_WAIT: Duration = Duration::from_secs(10);

/// The way to a store.
pub(super) enum Reach {
    /// A program runs on this profile and does the acts.
    Running(Box<control::Client>),
    /// This process has the vault.
    Own(Handle),
}

impl Context {
    /// Reaches the store; asks for password A only where no program runs on the profile.
    pub(super) async fn reach(&self) -> Result<Reach, cli::Failure> {
        let since = Instant::now();
        let mut password = None;
        loop {
            match control::connect(&self.profile.control_socket()).await {
                Ok(client) => return Ok(Reach::Running(Box::new(client))),
                Err(ControlError::NotRunning) => {}
                Err(error) => return Err(error.into()),
            }
            if !vault::Vault::exists(self.profile.data()) {
                let words = format!("there is no store in profile {}", self.profile.name());
                return Err(cli::Failure::refused("not-joined", words)
                    .hint("join a center first: tui-store join INVITATION"));
            }
            self.not_a_till()?;
            let password = match &password {
                Some(password) => password,
                None => password.insert(self.password_a.read()?),
            };
            match Handle::open(self.profile.clone(), password).await {
                Ok(handle) => {
                    for finding in &handle.snapshot().findings {
                        self.out.say(&format!("vault: {finding}"));
                    }
                    return Ok(Reach::Own(handle));
                }
                // Another subcommand is at work; it will not take long.
                Err(failure) if failure.kind == FailureKind::Held && since.elapsed() < HELD_WAIT => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(failure) => return Err(told(failure)),
            }
        }
    }

    /// Opens the profile's vault for a program that stays; waits for a subcommand that has it now.
    pub(super) async fn open(&self, password: &SecretString) -> Result<Handle, cli::Failure> {
        self.not_a_till()?;
        let since = Instant::now();
        loop {
            match Handle::open(self.profile.clone(), password).await {
                Err(failure) if failure.kind == FailureKind::Held && since.elapsed() < HELD_WAIT => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                opened => return opened.map_err(told),
            }
        }
    }

    /// A cashier's terminal is no store.
    pub(super) fn not_a_till(&self) -> Result<(), cli::Failure> {
        if !is_till(&self.profile) {
            return Ok(());
        }
        let words = format!("profile {} is a cashier's terminal, not a store", self.profile.name());
        Err(cli::Failure::refused("not-possible", words).hint("“tui-store till help” lists what it can do"))
    }

    /// Reads password B for one act.
    pub(super) fn password_b(&self) -> Result<Password, cli::Failure> {
        Ok(Password(self.password_b.read()?))
    }
}

impl Reach {
    /// Does an act.
    pub(super) async fn act(&mut self, act: Act) -> Result<Outcome, cli::Failure> {
        match self {
            Self::Own(handle) => handle.act(act).await.map_err(told),
            Self::Running(client) => {
                let answer = client.call(&act).await?;
                let outcome: Result<Outcome, Failure> =
                    serde_json::from_value(answer).map_err(|_| ControlError::Malformed)?;
                outcome.map_err(told)
            }
        }
    }
}

/// A failure as the command line tells it.
pub(super) fn told(failure: Failure) -> cli::Failure {
    let kind = failure.kind;
    cli::Failure { exit: kind.exit(), code: kind.word().into(), words: failure.message, hint: None }
}

/// The answer of an act that came back as another act's.
pub(super) fn mixed_up() -> cli::Failure {
    cli::Failure::refused(
        "machine",
        "the running program answered another act; its version may differ from this one's",
    )
}

/// The value of one outcome variant.
macro_rules! want {
    ($outcome:expr, $pattern:pat => $value:expr) => {
        match $outcome {
            $pattern => $value,
            _ => return Err($crate::cmd::reach::mixed_up()),
        }
    };
}
pub(super) use want;
