//! Carries out what a cashier's screens ask for, and answers subcommands meanwhile.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tui_kit::{
    Ending, Local, Reply, Session, SessionError, app::Handler, control, keys::Bindings, profile::Profile,
    theme::Tone, time::Zone,
};

use crate::{
    act::Failure,
    cashier::{
        act::{Act, Outcome},
        app::{Effect, Msg, Till},
        terminal::Terminal,
    },
};

/// Runs the screens of a cashier's profile until the person ends them or the terminal goes away. With the password at
/// hand the vault is opened before the first frame.
///
/// # Errors
/// When there is no terminal, or it can't be used; and when the vault does not open with the password at hand.
pub async fn run(profile: Profile, password: Option<SecretString>) -> Result<Ending, Ended> {
    let (bindings, problems) = read_bindings(&profile);
    let (name, zone) = (profile.name().to_owned(), Zone::local());
    let desk = Desk { profile, terminal: Arc::default(), stop: CancellationToken::new() };
    let mut till = match password {
        Some(password) => Till::entered(*desk.clone().unlock(password).await?, &name, zone, bindings),
        None => Till::new(&name, zone, bindings),
    };
    for problem in &problems {
        till.say(Tone::Bad, problem);
    }
    let mut session = Session::local(Local::default())?;
    let mailbox = tui_kit::Mailbox::new(64);
    let ended = tui_kit::run_with(&mut till, &mut session, desk.clone(), mailbox).await;
    session.finish().await;
    desk.stop.cancel();
    Ok(ended?)
}

/// Why the screens could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The terminal.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] Failure),
}

/// Whoever carries out effects. Clones are the same desk.
#[derive(Clone)]
struct Desk {
    profile: Profile,
    terminal: Arc<Mutex<Option<Terminal>>>,
    /// Ends the control socket.
    stop: CancellationToken,
}

impl Handler<Till> for Desk {
    fn handle(&mut self, effect: Effect, reply: &Reply<Msg>) {
        let (desk, reply) = (self.clone(), reply.clone());
        tokio::spawn(async move {
            let msg = match effect {
                Effect::Unlock(password) => {
                    let unlocked = desk.unlock(password.0).await;
                    Msg::Unlocked(unlocked.map_err(|failure| failure.message))
                }
                Effect::Do { ticket, act } => {
                    let Some(terminal) = desk.terminal() else { return };
                    let result = Box::new(terminal.act(act).await);
                    let view = match terminal.view().await {
                        Ok(view) => Box::new(view),
                        Err(failure) => {
                            tracing::error!("how the terminal stands cannot be told: {failure}");
                            return;
                        }
                    };
                    Msg::Done { ticket, result, view }
                }
            };
            reply.send(msg).await;
        });
    }
}

impl Desk {
    /// Opens the vault, logs in at the store, and answers subcommands from then on. A store that cannot be reached is
    /// said in the view.
    async fn unlock(self, password: SecretString) -> Result<Box<crate::cashier::view::TillView>, Failure> {
        let terminal = Terminal::open(&self.profile, &password).await?;
        let control =
            control::Listener::bind(&self.profile.control_socket()).await.map_err(Failure::machine)?;
        *self.terminal.lock().unwrap_or_else(PoisonError::into_inner) = Some(terminal.clone());
        let (answering, stop) = (terminal.clone(), self.stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                ended = control.serve(move |_, act| answer(answering.clone(), act)) => {
                    if let Err(error) = ended {
                        tracing::error!("the control socket is closed: {error}");
                    }
                }
                () = stop.cancelled() => {}
            }
        });
        match terminal.act(Act::Status).await? {
            Outcome::Status(view) => Ok(view),
            _ => Err(Failure::machine("the terminal answered another act")),
        }
    }

    fn terminal(&self) -> Option<Terminal> {
        self.terminal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers one act of the control socket: a `Result<Outcome, Failure>` as JSON.
async fn answer(terminal: Terminal, act: serde_json::Value) -> control::Answer {
    match serde_json::from_value::<Act>(act) {
        Ok(act) => control::Answer::value(terminal.act(act).await),
        Err(error) => {
            control::Answer::refuse("unknown-act", format!("this program does not know the act: {error}"))
        }
    }
}

/// The person's own keys, and what is wrong with them.
fn read_bindings(profile: &Profile) -> (Bindings, Vec<String>) {
    let Ok(text) = fs::read_to_string(profile.config_file()) else {
        return (Bindings::default(), Vec::new());
    };
    match Bindings::read(&text) {
        Ok(bindings) => {
            let problems = bindings.problems(&Till::outlines());
            (bindings, problems)
        }
        Err(problems) => (Bindings::default(), problems),
    }
}
