//! Carries out what the screens ask for: over the engine, and in the profile's files.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex as StdMutex, PoisonError},
};

use secrecy::SecretString;
use tokio::sync::Mutex;
use tui_kit::{
    Ending, Local, Reply, Session, SessionError, app::Handler, keys::Bindings, profile::Profile, theme::Tone,
    time::Zone,
};
use vault::{Passwords, Vault};

use crate::{
    act::{Act, Failure, Outcome},
    app::{Door, Effect, Entered, Joining, LockedOut, Msg, NewStore, Place, Preferences, Registering, Store},
    engine::{Handle, ServeOptions, Serving},
    join::{self, Joined, Newcomer, Stage},
};

/// Runs the screens of a profile, serving while they are seen, until the person ends them or the terminal goes away;
/// then everything ends in order. With password A at hand the vault is opened before the first frame.
///
/// # Errors
/// When there is no terminal, or it can't be used; and when the vault does not open with the password at hand.
pub async fn run(
    profile: Profile,
    options: ServeOptions,
    password_a: Option<SecretString>,
) -> Result<Ending, Ended> {
    let preferences = read_preferences(&preferences_file(&profile));
    let (bindings, problems) = read_bindings(&profile.config_file());
    let place = Place { profile: profile.name().to_owned(), zone: Zone::local() };
    let desk = Desk { profile, options, open: Arc::default(), serving: Arc::default() };
    let exists = Vault::exists(desk.profile.data());
    let entered = match password_a {
        Some(password) if exists => Some(desk.clone().unlock(password).await?),
        _ => None,
    };
    let mut session = Session::local(Local { look: preferences.look, ..Local::default() })?;
    let mailbox = tui_kit::Mailbox::new(256);
    desk.forward(&mailbox.reply());
    let mut store = match entered {
        Some(entered) => Store::entered(entered, place, preferences, bindings),
        None => Store::new(if exists { Door::Locked } else { Door::Empty }, place, preferences, bindings),
    };
    for problem in &problems {
        store.say(Tone::Bad, problem);
    }
    let ended = tui_kit::run_with(&mut store, &mut session, desk.clone(), mailbox).await;
    session.finish().await;
    desk.close().await;
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
    options: ServeOptions,
    /// What is open of the profile.
    open: Arc<StdMutex<Open>>,
    /// The counter while it is open; locked while it is being opened, so that it is closed in order after that.
    serving: Arc<Mutex<Option<Serving>>>,
}

/// What is open of a profile.
#[derive(Clone, Default)]
enum Open {
    /// Nothing yet.
    #[default]
    Nothing,
    /// A vault on its way into the register, and what opens it again when it is there.
    Newcomer(Arc<Newcomer>, SecretString),
    /// A store.
    Store(Handle),
}

impl Handler<Store> for Desk {
    fn handle(&mut self, effect: Effect, reply: &Reply<Msg>) {
        if let Effect::Keep(preferences) = effect {
            if let Err(error) = write_preferences(&preferences_file(&self.profile), &preferences) {
                tracing::warn!("keeping the preferences: {error}");
            }
            return;
        }
        let (desk, reply) = (self.clone(), reply.clone());
        tokio::spawn(async move {
            let msg = desk.carry_out(effect, &reply).await;
            if let Some(msg) = msg {
                reply.send(msg).await;
            }
        });
    }
}

impl Desk {
    async fn carry_out(self, effect: Effect, reply: &Reply<Msg>) -> Option<Msg> {
        Some(match effect {
            Effect::Unlock(password) => {
                let unlocked = self.clone().unlock(password.0).await;
                self.forward(reply);
                Msg::Unlocked(unlocked.map_err(|failure| LockedOut { message: failure.message }))
            }
            Effect::Meet(invitation) => Msg::Met(join::welcome(&invitation).await.map(Box::new)),
            Effect::Join(joining) => self.joined(self.join(*joining).await, reply),
            Effect::Register(registering) => self.joined(self.register(*registering).await, reply),
            Effect::Resume(invitation) => {
                let sent = match self.newcomer() {
                    Ok((newcomer, password_a)) => match newcomer.resume(&invitation).await {
                        Ok(joined) => self.enter(newcomer, password_a, joined).await,
                        Err(failure) => Err(failure),
                    },
                    Err(failure) => Err(failure),
                };
                self.joined(sent, reply)
            }
            Effect::Serve => Msg::Serving(self.serve().await),
            Effect::Do { ticket, act } => {
                let result = match self.store() {
                    Ok(handle) => {
                        let result = handle.act(act).await;
                        self.catch_up(&handle, reply).await;
                        result
                    }
                    Err(failure) => Err(failure),
                };
                Msg::Done { ticket, result: Box::new(result) }
            }
            Effect::Save { name, content } => {
                Msg::Saved(save(&self.profile.data().join("receipts"), &name, &content))
            }
            Effect::Keep(_) => return None,
        })
    }

    /// Opens the vault: as a store, or as one that has not ended joining.
    async fn unlock(self, password: SecretString) -> Result<Entered, Failure> {
        let handle = Handle::open(self.profile.clone(), &password).await?;
        let snapshot = handle.snapshot();
        if snapshot.store.is_some() {
            self.set(Open::Store(handle));
            return Ok(Entered { snapshot: Some(snapshot), stage: Stage::Joined, invitation: None });
        }
        // The vault is free for the newcomer once nobody holds the store any more.
        drop(handle);
        let newcomer = Newcomer::open(self.profile.data(), &password).await?;
        let entered = Entered {
            snapshot: None,
            stage: newcomer.stage().await?,
            invitation: newcomer.invitation().await?,
        };
        self.set(Open::Newcomer(Arc::new(newcomer), password));
        Ok(entered)
    }

    async fn join(&self, joining: Joining) -> Result<NewStore, Failure> {
        self.profile.create().map_err(Failure::machine)?;
        let passwords = Passwords::Two { a: joining.password_a.0.clone(), b: joining.password_b.0 };
        let profile = self.profile.data();
        let joined = join::join(profile, &joining.invitation, &joining.values, passwords).await?;
        self.open_joined(&joining.password_a.0, joined).await
    }

    async fn register(&self, registering: Registering) -> Result<NewStore, Failure> {
        let (newcomer, password_a) = self.newcomer()?;
        let Registering { invitation, values, password_b } = registering;
        let joined = newcomer.register(&invitation, &values, password_b.0).await?;
        self.enter(newcomer, password_a, joined).await
    }

    /// A newcomer is in the register: the vault is opened again as a store's.
    async fn enter(
        &self,
        newcomer: Arc<Newcomer>,
        password_a: SecretString,
        joined: Joined,
    ) -> Result<NewStore, Failure> {
        self.set(Open::Nothing);
        drop(newcomer);
        self.open_joined(&password_a, joined).await
    }

    async fn open_joined(&self, password_a: &SecretString, joined: Joined) -> Result<NewStore, Failure> {
        let handle = Handle::open(self.profile.clone(), password_a).await?;
        let snapshot = handle.snapshot();
        self.set(Open::Store(handle));
        Ok(NewStore { joined, snapshot })
    }

    fn joined(&self, result: Result<NewStore, Failure>, reply: &Reply<Msg>) -> Msg {
        self.forward(reply);
        Msg::Joined(result.map_err(|failure| {
            let door = if Vault::exists(self.profile.data()) { Door::Locked } else { Door::Empty };
            // The door takes the vault from the beginning.
            self.set(Open::Nothing);
            (failure, door)
        }))
    }

    async fn serve(&self) -> Result<(), Failure> {
        let handle = self.store()?;
        let mut serving = self.serving.lock().await;
        if serving.is_none() {
            *serving = Some(handle.serve(self.options.clone()).await?);
        }
        Ok(())
    }

    /// Ends in order.
    async fn close(&self) {
        if let Some(serving) = self.serving.lock().await.take() {
            serving.stop().await;
        }
    }

    /// What the engine says goes to the screens from now on.
    fn forward(&self, reply: &Reply<Msg>) {
        let Ok(handle) = self.store() else { return };
        let (reply, mut snapshots) = (reply.clone(), handle.snapshots());
        // The task must not keep the vault from being free: it holds the snapshots alone.
        drop(handle);
        tokio::spawn(async move {
            while snapshots.changed().await.is_ok() {
                let snapshot = snapshots.borrow_and_update().clone();
                if !reply.send(Msg::Snapshot(snapshot)).await {
                    return;
                }
            }
        });
    }

    /// While the counter is closed nobody publishes what an act has changed.
    async fn catch_up(&self, handle: &Handle, reply: &Reply<Msg>) {
        if handle.snapshot().counter.listening.is_empty()
            && let Ok(Outcome::Status(snapshot)) = handle.act(Act::Status).await
        {
            reply.send(Msg::Snapshot(Arc::new(*snapshot))).await;
        }
    }

    fn store(&self) -> Result<Handle, Failure> {
        match &*self.open.lock().unwrap_or_else(PoisonError::into_inner) {
            Open::Store(handle) => Ok(handle.clone()),
            Open::Nothing | Open::Newcomer(..) => Err(Failure::not_possible("the vault is not open")),
        }
    }

    fn newcomer(&self) -> Result<(Arc<Newcomer>, SecretString), Failure> {
        match &*self.open.lock().unwrap_or_else(PoisonError::into_inner) {
            Open::Newcomer(newcomer, password_a) => Ok((newcomer.clone(), password_a.clone())),
            Open::Nothing | Open::Store(_) => {
                Err(Failure::not_possible("no registration waits in this vault"))
            }
        }
    }

    fn set(&self, open: Open) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }
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
            let problems = bindings.problems(&Store::outlines());
            (bindings, problems)
        }
        Err(problems) => (Bindings::default(), problems),
    }
}
