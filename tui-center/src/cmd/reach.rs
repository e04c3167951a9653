//! Reaching the center: through its control socket where it runs, else by opening its profile.

use secrecy::SecretString;
use serde_json::Value;
use tui_kit::{
    cli::{self, Exit},
    control::{self, ControlError},
};

use super::Context;
use crate::{
    acts::{Act, ActError, Identity, Passphrase},
    center::OpenError,
    operators::Operators,
    places::Places,
    serve::{self, Call, OnceError},
};

/// A way to do acts; passphrases are asked for once.
pub(super) struct Reach<'a> {
    context: &'a Context,
    identity: Option<Identity>,
    service: Option<SecretString>,
}

impl Context {
    pub(super) fn places(&self) -> Places {
        Places::of(&self.profile)
    }

    /// Whether a center was founded here; asked before any passphrase is.
    pub(super) fn founded(&self) -> Result<(), cli::Failure> {
        let places = self.places();
        if places.config.exists() {
            return Ok(());
        }
        Err(open_told(&OpenError::NotFounded(places.data.display().to_string())))
    }

    pub(super) fn reach(&self) -> Reach<'_> {
        Reach { context: self, identity: None, service: None }
    }

    /// Who acts: the one named, or the only one there is.
    pub(super) fn operator_name(&self) -> Result<String, cli::Failure> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let operators = Operators::open(&self.places().operators)
            .map_err(|error| cli::Failure::refused("operators", error.to_string()))?;
        match operators.list().as_slice() {
            [only] => Ok(only.name.clone()),
            _ => Err(cli::Failure::usage("say which operator acts: --as NAME")),
        }
    }
}

impl Reach<'_> {
    /// Does an act, whether or not the center runs. The outcome is the tagged JSON of [`crate::acts::Outcome`].
    pub(super) async fn act(&mut self, act: Act) -> Result<Value, cli::Failure> {
        let identity = self.identity(&act)?;
        match control::connect(&self.context.places().control).await {
            Ok(mut client) => client.call(Call::Act { identity, act }).await.map_err(told),
            Err(ControlError::NotRunning) => self.once(identity, act).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Does an act on a center that runs.
    pub(super) async fn running(&mut self, act: Act) -> Result<Value, cli::Failure> {
        let identity = self.identity(&act)?;
        let mut client =
            control::connect(&self.context.places().control).await.map_err(|error| match error {
                ControlError::NotRunning => cli::Failure::refused(
                    "not-running",
                    "the center does not run; start it with: tui-center serve",
                ),
                other => other.into(),
            })?;
        client.call(Call::Act { identity, act }).await.map_err(told)
    }

    async fn once(&mut self, identity: Option<Identity>, act: Act) -> Result<Value, cli::Failure> {
        let service = match &self.service {
            Some(service) => service.clone(),
            None => self.service.insert(self.context.service.read()?).clone(),
        };
        let outcome = serve::once(&self.context.profile, service, identity, act).await.map_err(once_told)?;
        serde_json::to_value(outcome).map_err(|error| cli::Failure::refused("internal", error.to_string()))
    }

    fn identity(&mut self, act: &Act) -> Result<Option<Identity>, cli::Failure> {
        if act.needs().is_none() {
            return Ok(None);
        }
        if self.identity.is_none() {
            let name = self.context.operator_name()?;
            let passphrase = Passphrase(self.context.operator.read()?);
            self.identity = Some(Identity { name, passphrase });
        }
        Ok(self.identity.clone())
    }
}

/// A refusal that leaves the outcome unknown has its own exit code.
fn told(error: ControlError) -> cli::Failure {
    match error {
        ControlError::Refused(refusal) if refusal.code == "unknown" => {
            cli::Failure::unknown(refusal.code, refusal.words)
        }
        other => other.into(),
    }
}

fn once_told(error: OnceError) -> cli::Failure {
    match error {
        OnceError::Open(error) => open_told(&error),
        OnceError::Act(ActError { kind, words, unknown }) => {
            let failure = cli::Failure::refused(kind, words);
            if unknown { cli::Failure { exit: Exit::Unknown, ..failure } } else { failure }
        }
    }
}

/// Why a center does not open, as the command line tells it.
pub(super) fn open_told(error: &OpenError) -> cli::Failure {
    let code = match error {
        OpenError::NotFounded(_) => "not-founded",
        OpenError::Profile(tui_kit::profile::ProfileError::InUse { .. }) => "in-use",
        OpenError::Profile(_) => "profile",
        OpenError::Config(_) => "config",
        OpenError::Keys(crate::keys::KeyFileError::WrongPassphrase(_)) => "wrong-passphrase",
        OpenError::Keys(_) => "keys",
        OpenError::Books(_) => "books",
        OpenError::Unfit(_) => "refused",
    };
    cli::Failure::refused(code, error.to_string())
}
