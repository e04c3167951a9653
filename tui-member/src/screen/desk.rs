//! Carries out what the screens ask for: over the engine, and in the profile's files.
//!
//! Beside `config.toml` a person may keep `keys.toml`, whose table `[keys]` binds other keys to actions. What is chosen on
//! the settings screen is kept in `screens.toml` in the profile's state directory; exported receipts lie in `receipts/`
//! beside the vault.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use data_encoding::BASE64;
use secrecy::SecretString;
use tui_kit::{
    Ending, Local, Reply, Session, SessionError, app::Handler, keys::Bindings, profile::Profile, theme::Tone,
    time::Zone,
};
use vault::{Vault, recovery::RecoveryPhrase};

use crate::{
    act::{Act, Failure, FailureKind},
    app::{
        Door, Effect, Entered, Folder, Fresh, GoOn, Left, LockedOut, Member, Msg, Place, Preferences,
        Progress,
    },
    center::Means,
    config::Config,
    engine::Handle,
    join::{self, Joined, Registered, Stage},
    recover,
};

/// The most bytes of an exported telegram's file that are read.
const TELEGRAM_FILE_MAX: u64 = 6 << 20;

/// How long it is waited for a vault that is being closed.
const HELD_WAIT: Duration = Duration::from_secs(2);

/// How often it is asked how an application stands while someone waits for it.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);

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
    let desk = Desk { profile, means: config.means(), handle: Arc::default(), following: Arc::default() };
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
    means: Means,
    /// The engine, once the vault is open.
    handle: Slot,
    /// Whether somebody follows an application already.
    following: Arc<AtomicBool>,
}

type Slot = Arc<Mutex<Option<Handle>>>;

impl Handler<Member> for Desk {
    fn handle(&mut self, effect: Effect, reply: &Reply<Msg>) {
        let task = Task {
            profile: self.profile.clone(),
            means: self.means.clone(),
            slot: self.handle.clone(),
            following: self.following.clone(),
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
    means: Means,
    slot: Slot,
    following: Arc<AtomicBool>,
    reply: Reply<Msg>,
}

impl Task {
    async fn run(self, effect: Effect) {
        let msg = match effect {
            Effect::Unlock(password) => Msg::Unlocked(self.unlock(password.0).await),
            Effect::Meet(invitation) => {
                Msg::Met(join::welcome(&invitation, self.means.patience).await.map(Box::new))
            }
            Effect::MakePhrase(language) => {
                let surroundings = self.means.vault.clone();
                let phrase = RecoveryPhrase::generate(language, &surroundings);
                let asked = RecoveryPhrase::positions(&surroundings);
                Msg::Phrase(Box::new(Fresh { phrase, asked }))
            }
            Effect::Join(newcomer) => {
                let joined = join::join(self.profile.clone(), *newcomer, self.means.clone()).await;
                Msg::Joining(match joined {
                    Ok((_, handle)) => {
                        self.enter(&handle);
                        Ok(self.progress(&handle, None).await)
                    }
                    Err(failure) => Err(self.refused(failure).await),
                })
            }
            Effect::GoOn(what) => Msg::Joining(match self.go_on(*what).await {
                Ok(progress) => Ok(progress),
                Err(failure) => Err(self.refused(failure).await),
            }),
            Effect::Restore(returning) => {
                let restored = recover::restore(self.profile.clone(), *returning, self.means.clone()).await;
                Msg::Restored(match restored {
                    Ok((restored, handle)) => {
                        self.enter(&handle);
                        self.stay(&handle);
                        let snapshot = handle.snapshot();
                        self.reply.send(Msg::Snapshot(snapshot)).await;
                        Ok(Box::new(restored))
                    }
                    Err(unrestored) => {
                        let left = if unrestored.made { Left::Vault } else { Left::Nothing };
                        Err((unrestored.failure, left))
                    }
                })
            }
            Effect::Lock => {
                let handle = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(handle) = handle {
                    handle.stop();
                }
                Msg::Locked
            }
            Effect::Do { ticket, act } => {
                let result = match self.opened() {
                    Ok(handle) => handle.act(act).await,
                    Err(failure) => Err(failure),
                };
                Msg::Done { ticket, result: Box::new(result) }
            }
            Effect::Save { folder, name, content } => {
                let folder = match folder {
                    Folder::Receipts => "receipts",
                    Folder::Telegrams => "telegrams",
                };
                Msg::Saved(save(&self.profile.data().join(folder), &name, &content))
            }
            Effect::Load(path) => {
                let read = tokio::task::spawn_blocking(move || load(&path)).await;
                Msg::Loaded(read.unwrap_or_else(|error| Err(error.to_string())))
            }
            Effect::CancelFetch(_) | Effect::Keep(_) => return,
        };
        self.reply.send(msg).await;
    }

    async fn unlock(&self, password: SecretString) -> Result<Entered, LockedOut> {
        let handle = self.open(password).await.map_err(|failure| LockedOut { message: failure.message })?;
        self.enter(&handle);
        let progress = self.progress(&handle, None).await;
        if progress.stage == Stage::Joined {
            self.stay(&handle);
        }
        Ok(Entered { snapshot: handle.snapshot(), progress })
    }

    /// Opens the vault; an act that was under way when it was closed may still have it for a moment.
    async fn open(&self, password: SecretString) -> Result<Handle, Failure> {
        let since = Instant::now();
        loop {
            let opened = Handle::open(self.profile.clone(), password.clone(), self.means.clone()).await;
            match opened {
                Err(failure) if failure.kind == FailureKind::Held && since.elapsed() < HELD_WAIT => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                opened => return opened,
            }
        }
    }

    /// The next step on the way into the register.
    async fn go_on(&self, what: GoOn) -> Result<Box<Progress>, Failure> {
        let handle = self.opened()?;
        let mut joined = None;
        match what {
            GoOn::Send => drop(handle.send_application().await?),
            GoOn::Again { filled, password_b } => drop(handle.apply_again(&filled, password_b).await?),
            GoOn::Ask => drop(handle.ask_application().await?),
            GoOn::Kit => drop(handle.fetch_kit().await?),
            GoOn::Register(registrant) => {
                if let Registered::Joined(entered) = handle.register(registrant).await? {
                    joined = Some(entered);
                }
            }
            GoOn::SendRegistration => joined = Some(handle.send_registration().await?),
            GoOn::Withdraw(telegram) => drop(handle.act(Act::Withdraw { telegram }).await?),
        }
        if joined.is_some() {
            self.stay(&handle);
        }
        Ok(self.progress(&handle, joined).await)
    }

    /// How far joining has come; where the center decides, it is followed from now on.
    async fn progress(&self, handle: &Handle, joined: Option<Joined>) -> Box<Progress> {
        let stage = handle.stage().await;
        if let Stage::Applied(_) = stage {
            self.follow(handle, stage.clone());
        }
        Box::new(progress(handle, stage, joined).await)
    }

    /// Asks every few seconds how the application stands, and says when it stands otherwise. One at a time does.
    fn follow(&self, handle: &Handle, mut stage: Stage) {
        let (handle, reply, slot) = (handle.clone(), self.reply.clone(), self.slot.clone());
        let following = self.following.clone();
        if following.swap(true, Ordering::Relaxed) {
            return;
        }
        tokio::spawn(async move {
            while let Stage::Applied(_) = stage {
                tokio::select! {
                    () = tokio::time::sleep(FOLLOW_EVERY) => {}
                    () = reply.closed() => break,
                }
                // The vault was closed, or joining has gone on otherwise.
                if held(&slot).is_none() || !matches!(handle.stage().await, Stage::Applied(_)) {
                    break;
                }
                // Who can't be reached now may be reached later; the person can ask, and then hears why.
                let Ok(now) = handle.ask_application().await else { continue };
                if now != stage {
                    stage = now;
                    let news = Msg::Standing(Box::new(progress(&handle, stage.clone(), None).await));
                    if !reply.send(news).await {
                        break;
                    }
                }
            }
            following.store(false, Ordering::Relaxed);
        });
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

    /// A step that failed, and what there is now.
    async fn refused(&self, failure: Failure) -> (Failure, Left) {
        let left = match self.opened() {
            Ok(handle) => Left::Open(self.progress(&handle, None).await),
            Err(_) if Vault::exists(self.profile.data()) => Left::Vault,
            Err(_) => Left::Nothing,
        };
        (failure, left)
    }

    fn opened(&self) -> Result<Handle, Failure> {
        held(&self.slot).ok_or_else(|| Failure::not_possible("the vault is not open"))
    }
}

async fn progress(handle: &Handle, stage: Stage, joined: Option<Joined>) -> Progress {
    Progress {
        stage,
        standing: handle.standing().await,
        invitation: handle.invitation().await,
        kit: handle.kit().await.map(Box::new),
        wants_phrase: handle.wants_phrase().await,
        joined,
    }
}

fn held(slot: &Slot) -> Option<Handle> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Reads an exported telegram: the bytes as a subcommand writes them, or the base 64 of the screens.
fn load(path: &Path) -> Result<String, String> {
    let failed = |error: io::Error| format!("can't be read: {error}");
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    io::Read::read_to_end(&mut io::Read::take(file, TELEGRAM_FILE_MAX), &mut bytes).map_err(failed)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) if BASE64.decode(text.trim().as_bytes()).is_ok() => Ok(text.trim().to_owned()),
        _ => Ok(BASE64.encode(&bytes)),
    }
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
            let problems = bindings.problems(&Member::outlines());
            (bindings, problems)
        }
        Err(problems) => (Bindings::default(), problems),
    }
}
