//! Carries out what the screens ask for: over the engine, and in the profile's files.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::sync::Mutex;
use tui_kit::{
    Ending, Local, Reply, Session, SessionError, app::Handler, keys::Bindings, profile::Profile, theme::Tone,
    time::Zone,
};
use vault::{Passwords, RecoveryPhrase, Surroundings, Vault};

use crate::{
    act::{Act, Failure, FailureKind, Outcome},
    app::{
        Beginning, BroughtBack, Door, Effect, Entered, LockedOut, Msg, NewStore, NewcomerAct, Place,
        Preferences, Restoring, Store,
    },
    engine::{Handle, ServeOptions, Serving},
    join::{self, Joined, Newcomer, Registered, Setup, Stage, Standing},
    restore::{self, Returning},
};

/// How often the center is asked how an application stands, while it is seen.
const WATCH_EVERY: Duration = Duration::from_secs(10);
/// How long another task may have the vault before it is given up.
const HELD_WAIT: Duration = Duration::from_secs(10);
/// The longest exported telegram that is read.
const TELEGRAM_BYTES_MAX: u64 = 8 << 20;

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
    let desk =
        Desk { profile, options, open: Arc::default(), watching: Arc::default(), serving: Arc::default() };
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
    /// Whether the application is being watched.
    watching: Arc<StdMutex<bool>>,
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
            Effect::MakePhrase(language) => {
                let surroundings = Surroundings::system();
                let phrase = Arc::new(RecoveryPhrase::generate(language, &surroundings));
                Msg::Phrase(phrase, RecoveryPhrase::positions(&surroundings))
            }
            Effect::Begin(beginning) => {
                let begun = self.begin(*beginning).await;
                if begun.is_ok() {
                    self.watch(reply);
                }
                self.stands(begun)
            }
            Effect::Newcomer(act) => return Some(self.newcomer_act(act, reply).await),
            Effect::Restore(restoring) => {
                let back = self.restore(*restoring).await;
                self.forward(reply);
                Msg::Restored(back.map(Box::new).map_err(|failure| (failure, self.door())))
            }
            Effect::Lock => {
                if let Ok(handle) = self.store() {
                    // Whoever comes to the locked screen signs nothing.
                    let _ = handle.act(Act::CloseSigning).await;
                }
                return None;
            }
            Effect::Export(exported) => {
                let name = format!("{}.telegram", exported.telegram.short());
                Msg::Saved(save(&self.profile.data().join("outbox"), &name, &exported.content))
            }
            Effect::Import { ticket, path } => {
                let result = match (self.store(), read_telegram(&path)) {
                    (Ok(handle), Ok(content)) => {
                        let result = handle.act(Act::ImportTelegram { content }).await;
                        self.catch_up(&handle, reply).await;
                        result
                    }
                    (Err(failure), _) | (_, Err(failure)) => Err(failure),
                };
                Msg::Done { ticket, result: Box::new(result) }
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

    /// Opens the vault: as a store, or as one that has not ended joining. A store that is open already, behind locked
    /// screens, is shown again to who knows password A.
    async fn unlock(self, password: SecretString) -> Result<Entered, Failure> {
        if let Ok(handle) = self.store() {
            handle.check_password_a(password).await?;
            return Ok(Entered { snapshot: Some(handle.snapshot()), standing: None, seal: handle.seal() });
        }
        let handle = Handle::open(self.profile.clone(), &password).await?;
        let snapshot = handle.snapshot();
        if snapshot.store.is_some() {
            let seal = handle.seal();
            self.set(Open::Store(handle));
            return Ok(Entered { snapshot: Some(snapshot), standing: None, seal });
        }
        // The vault is free for the store that it becomes once nobody holds this handle any more.
        let newcomer = Arc::new(handle.newcomer());
        drop(handle);
        let entered = Entered {
            snapshot: None,
            standing: Some(Box::new(newcomer.standing().await?)),
            seal: newcomer.autograph().await?,
        };
        self.set(Open::Newcomer(newcomer, password));
        Ok(entered)
    }

    /// Makes the vault and applies.
    async fn begin(&self, beginning: Beginning) -> Result<Box<Standing>, Failure> {
        let Beginning { invitation, form, values, password_a, password_b, autograph, phrase, replaces } =
            beginning;
        self.profile.create().map_err(Failure::machine)?;
        let confirmed = phrase.is_some();
        let (passwords, b) = match password_b {
            Some(b) => (Passwords::Two { a: password_a.0.clone(), b: b.0.clone() }, b.0),
            None => (Passwords::One(password_a.0.clone()), password_a.0.clone()),
        };
        let setup = Setup { passwords, autograph, phrase, confirmed };
        let newcomer = Arc::new(join::begin(self.profile.data(), &invitation, setup).await?);
        self.set(Open::Newcomer(newcomer.clone(), password_a.0));
        newcomer.apply(&form, &values, replaces, b).await?;
        newcomer.fetch_kit().await?;
        Ok(Box::new(newcomer.standing().await?))
    }

    /// Does something on the way into the register.
    async fn newcomer_act(&self, act: NewcomerAct, reply: &Reply<Msg>) -> Msg {
        let (newcomer, password_a) = match self.newcomer() {
            Ok(open) => open,
            Err(failure) => return Msg::Joined(Err(failure)),
        };
        let registered = match act {
            NewcomerAct::Register { store, code, password_b, prepare } => {
                newcomer.register(store, code, password_b.0, prepare).await
            }
            NewcomerAct::Send => newcomer.resume().await.map(Registered::Joined),
            act => {
                let stands = self.step(&newcomer, act).await;
                if stands.is_ok() {
                    self.watch(reply);
                }
                return Msg::Stands(stands.map_err(|failure| (failure, Door::Empty)));
            }
        };
        match registered {
            Ok(Registered::Joined(joined)) => {
                let joined = self.enter(newcomer, password_a, joined).await;
                self.forward(reply);
                Msg::Joined(joined)
            }
            Ok(Registered::Prepared(_)) => {
                let standing = newcomer.standing().await.map(Box::new);
                Msg::Stands(standing.map_err(|failure| (failure, Door::Empty)))
            }
            Err(failure) => Msg::Joined(Err(failure)),
        }
    }

    /// A step that leaves it a newcomer.
    async fn step(&self, newcomer: &Newcomer, act: NewcomerAct) -> Result<Box<Standing>, Failure> {
        match act {
            NewcomerAct::Apply { form, values, password_b } => {
                newcomer.apply(&form, &values, None, password_b.0).await?;
            }
            NewcomerAct::Ask => {
                newcomer.ask().await?;
            }
            NewcomerAct::AcceptTerms(version) => newcomer.accept_terms(version).await?,
            NewcomerAct::Withdraw => newcomer.withdraw().await?,
            NewcomerAct::Register { .. } | NewcomerAct::Send => {}
        }
        if newcomer.terms().is_none() {
            newcomer.fetch_kit().await?;
        }
        Ok(Box::new(newcomer.standing().await?))
    }

    /// Asks how the application stands again and again, as long as this newcomer is one.
    fn watch(&self, reply: &Reply<Msg>) {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *watching, true) {
            return;
        }
        let (desk, reply) = (self.clone(), reply.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WATCH_EVERY).await;
                let Ok((newcomer, _)) = desk.newcomer() else { break };
                let before = newcomer.standing().await.ok();
                // A center that does not answer now is asked again; the person can ask, too, and is told why.
                if before.as_ref().is_some_and(|before| before.stage == Stage::Applied)
                    && newcomer.ask().await.is_ok()
                    && let Ok(standing) = newcomer.standing().await
                    && before.as_ref() != Some(&standing)
                    && !reply.send(Msg::Stands(Ok(Box::new(standing)))).await
                {
                    break;
                }
            }
            *desk.watching.lock().unwrap_or_else(PoisonError::into_inner) = false;
        });
    }

    /// Whether there is a vault now.
    fn door(&self) -> Door {
        if Vault::exists(self.profile.data()) { Door::Locked } else { Door::Empty }
    }

    async fn restore(&self, restoring: Restoring) -> Result<BroughtBack, Failure> {
        let Restoring { invitation, phrase, password_a, password_b, set_aside } = restoring;
        let phrase = RecoveryPhrase::parse(&phrase.0).map_err(Failure::not_possible)?;
        self.profile.create().map_err(Failure::machine)?;
        let same = secrecy::ExposeSecret::expose_secret(&password_a.0)
            == secrecy::ExposeSecret::expose_secret(&password_b.0);
        let passwords = if same {
            Passwords::One(password_a.0.clone())
        } else {
            Passwords::Two { a: password_a.0.clone(), b: password_b.0 }
        };
        let returning = Returning { invitation, phrase, passwords, set_aside };
        let recovered = restore::restore(self.profile.data(), returning).await?;
        let handle = Handle::open(self.profile.clone(), &password_a.0).await?;
        let snapshot = handle.snapshot();
        self.set(Open::Store(handle));
        Ok(BroughtBack { recovered, snapshot })
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
        let since = tokio::time::Instant::now();
        let handle = loop {
            match Handle::open(self.profile.clone(), &password_a).await {
                // The watch may be asking its last question.
                Err(failure) if failure.kind == FailureKind::Held && since.elapsed() < HELD_WAIT => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                opened => break opened?,
            }
        };
        let snapshot = handle.snapshot();
        self.set(Open::Store(handle));
        Ok(NewStore { joined, snapshot })
    }

    fn stands(&self, result: Result<Box<Standing>, Failure>) -> Msg {
        Msg::Stands(result.map_err(|failure| {
            let door = self.door();
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

/// An exported telegram in a file.
fn read_telegram(path: &Path) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::machine(format!("reading {} failed: {error}", path.display()));
    if fs::metadata(path).map_err(failed)?.len() > TELEGRAM_BYTES_MAX {
        return Err(Failure::not_possible("this is not an exported telegram: it is too long"));
    }
    fs::read_to_string(path).map_err(failed)
}

/// Writes a file beside the vault, whole or not at all.
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
