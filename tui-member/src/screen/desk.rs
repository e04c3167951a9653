//! Carries out what the screens ask for: over the engine, and in the profile's files.
//!
//! Beside `config.toml` a person may keep `keys.toml`, whose table `[keys]` binds other keys to actions. What is chosen on
//! the settings screen is kept in `screens.toml` in the profile's state directory; exported receipts lie in `receipts/`
//! beside the vault.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use tui_kit::{
    Ending, Local, Reply, Session, SessionError, app::Handler, keys::Bindings, profile::Profile, theme::Tone,
    time::Zone,
};
use vault::{Passwords, Vault};

use crate::{
    act::Failure,
    app::{Door, Effect, Entered, Joined, Left, LockedOut, Member, Msg, Place, Preferences},
    center::Patience,
    config::Config,
    engine::Handle,
    join::{self, Stage},
};

/// Runs the screens of a profile until the person ends them, or the terminal goes away. With password A in hand the
/// vault is opened at once.
///
/// # Errors
/// When there is no terminal, or it can't be used.
pub async fn run(
    profile: Profile,
    config: &Config,
    password_a: Option<SecretString>,
) -> Result<Ending, SessionError> {
    let door = if Vault::exists(profile.data()) { Door::Locked } else { Door::Empty };
    let place =
        Place { profile: profile.name().to_owned(), zone: Zone::local(), opener: config.opener.clone() };
    let preferences = read_preferences(&preferences_file(&profile));
    let (bindings, problems) = read_bindings(&profile.config_file().with_file_name("keys.toml"));
    let mut session = Session::local(Local { look: preferences.look, ..Local::default() })?;
    let mut member = Member::new(door, place, preferences, bindings);
    if let (Some(password), Door::Locked) = (password_a, door) {
        member = member.opening(password.into());
    }
    for problem in &problems {
        member.say(Tone::Bad, problem);
    }
    let desk = Desk { profile, patience: config.patience(), handle: Arc::default() };
    let handle = desk.handle.clone();
    let ended = tui_kit::run(&mut member, &mut session, desk).await;
    session.finish().await;
    if let Some(handle) = held(&handle) {
        handle.stop();
    }
    ended
}

/// Whoever carries out effects.
struct Desk {
    profile: Profile,
    patience: Patience,
    /// The engine, once the vault is open.
    handle: Slot,
}

type Slot = Arc<Mutex<Option<Handle>>>;

impl Handler<Member> for Desk {
    fn handle(&mut self, effect: Effect, reply: &Reply<Msg>) {
        let task = Task {
            profile: self.profile.clone(),
            patience: self.patience,
            slot: self.handle.clone(),
            reply: reply.clone(),
        };
        match effect {
            Effect::CancelFetch(order) => {
                if let Some(handle) = held(&self.handle) {
                    handle.cancel_fetch(&order);
                }
            }
            Effect::Keep(preferences) => {
                if let Err(error) = write_preferences(&preferences_file(&self.profile), &preferences) {
                    tracing::warn!("keeping the preferences: {error}");
                }
            }
            effect => {
                tokio::spawn(task.run(effect));
            }
        }
    }
}

/// One effect on its way.
struct Task {
    profile: Profile,
    patience: Patience,
    slot: Slot,
    reply: Reply<Msg>,
}

impl Task {
    async fn run(self, effect: Effect) {
        let msg = match effect {
            Effect::Unlock(password) => Msg::Unlocked(self.unlock(password.0).await),
            Effect::Meet(invitation) => {
                Msg::Met(join::welcome(&invitation, self.patience).await.map(Box::new))
            }
            Effect::Join(joining) => {
                let passwords = Passwords::Two { a: joining.password_a.0, b: joining.password_b.0 };
                let (invitation, values) = (&joining.invitation, &joining.values);
                let joined =
                    join::join(self.profile.clone(), invitation, values, passwords, self.patience).await;
                Msg::Joined(match joined {
                    Ok((joined, handle)) => {
                        self.enter(&handle);
                        self.stay(&handle);
                        Ok(self.joined(&handle, joined))
                    }
                    Err(failure) => Err(self.refused(failure).await),
                })
            }
            Effect::Register(joining) => Msg::Joined(match self.opened() {
                Err(failure) => Err(self.refused(failure).await),
                Ok(handle) => {
                    let again =
                        handle.register_again(&joining.invitation, &joining.values, joining.password_b.0);
                    match again.await {
                        Ok(joined) => {
                            self.stay(&handle);
                            Ok(self.joined(&handle, joined))
                        }
                        Err(failure) => Err(self.refused(failure).await),
                    }
                }
            }),
            Effect::Resume(invitation) => Msg::Joined(match self.opened() {
                Err(failure) => Err(self.refused(failure).await),
                Ok(handle) => match handle.resume_joining(&invitation).await {
                    Ok(joined) => {
                        self.stay(&handle);
                        Ok(self.joined(&handle, joined))
                    }
                    Err(failure) => Err(self.refused(failure).await),
                },
            }),
            Effect::Do { ticket, act } => {
                let result = match self.opened() {
                    Ok(handle) => handle.act(act).await,
                    Err(failure) => Err(failure),
                };
                Msg::Done { ticket, result: Box::new(result) }
            }
            Effect::Save { name, content } => {
                Msg::Saved(save(&self.profile.data().join("receipts"), &name, &content))
            }
            Effect::CancelFetch(_) | Effect::Keep(_) => return,
        };
        self.reply.send(msg).await;
    }

    async fn unlock(&self, password: SecretString) -> Result<Entered, LockedOut> {
        let handle = Handle::open(self.profile.clone(), password, self.patience)
            .await
            .map_err(|failure| LockedOut { message: failure.message })?;
        let stage = handle.stage().await;
        let invitation = handle.invitation().await;
        self.enter(&handle);
        if stage == Stage::Joined {
            self.stay(&handle);
        }
        Ok(Entered { snapshot: handle.snapshot(), stage, invitation })
    }

    /// The engine is here: whoever asks next finds it, and what it says goes to the screens.
    fn enter(&self, handle: &Handle) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle.clone());
        let (reply, mut snapshots) = (self.reply.clone(), handle.snapshots());
        tokio::spawn(async move {
            while snapshots.changed().await.is_ok() {
                let snapshot = snapshots.borrow_and_update().clone();
                if !reply.send(Msg::Snapshot(snapshot)).await {
                    return;
                }
            }
        });
        let (reply, mut transfers) = (self.reply.clone(), handle.transfers());
        tokio::spawn(async move {
            while transfers.changed().await.is_ok() {
                let now = transfers.borrow_and_update().clone();
                if !reply.send(Msg::Transfers(now)).await {
                    return;
                }
            }
        });
    }

    /// From now on there is a line to the center, and subcommands find this program.
    fn stay(&self, handle: &Handle) {
        handle.stay_connected();
        let (handle, reply) = (handle.clone(), self.reply.clone());
        tokio::spawn(async move {
            if let Err(failure) = handle.serve_control().await {
                reply.send(Msg::Warning(format!("subcommands can't reach this program: {failure}"))).await;
            }
        });
    }

    fn joined(&self, handle: &Handle, joined: join::Joined) -> Joined {
        Joined { member: joined.member, center: joined.center, snapshot: handle.snapshot() }
    }

    /// A registration that was not entered, and what there is now.
    async fn refused(&self, failure: Failure) -> (Failure, Left) {
        let left = match self.opened() {
            Ok(handle) => Left::Open(handle.stage().await),
            Err(_) if Vault::exists(self.profile.data()) => Left::Vault,
            Err(_) => Left::Nothing,
        };
        (failure, left)
    }

    fn opened(&self) -> Result<Handle, Failure> {
        held(&self.slot).ok_or_else(|| Failure::not_possible("the vault is not open"))
    }
}

fn held(slot: &Slot) -> Option<Handle> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Writes a receipt beside the vault, whole or not at all.
fn save(folder: &Path, name: &str, content: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    let failed = |error: &dyn std::fmt::Display| format!("writing {} failed: {error}", path.display());
    tui_kit::profile::private_dir(folder).map_err(|error| failed(&error))?;
    write_whole(&path, content).map_err(|error| failed(&error))?;
    Ok(path)
}

fn write_whole(path: &Path, content: &str) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    io::Write::write_all(&mut file, content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)
}

fn preferences_file(profile: &Profile) -> PathBuf {
    profile.state().join("screens.toml")
}

/// The preferences as they were kept; those of a newcomer where there are none that can be read.
fn read_preferences(path: &Path) -> Preferences {
    fs::read_to_string(path).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
}

fn write_preferences(path: &Path, preferences: &Preferences) -> io::Result<()> {
    let text = toml::to_string(preferences).map_err(io::Error::other)?;
    write_whole(path, &text)
}

/// The person's own keys, and what is wrong with them.
fn read_bindings(path: &Path) -> (Bindings, Vec<String>) {
    let Ok(text) = fs::read_to_string(path) else { return (Bindings::default(), Vec::new()) };
    match Bindings::read(&text) {
        Ok(bindings) => {
            let problems = bindings.problems(&Member::outlines());
            (bindings, problems)
        }
        Err(problems) => (Bindings::default(), problems),
    }
}
