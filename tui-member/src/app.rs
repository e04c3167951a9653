//! The member's screens as one app: a stack of screens over what the engine says.
//!
//! Every screen is a plain module below [`crate::screen`] with its model, its action table and its view. This module
//! keeps the stack, hands keys to the screen on top and news to all of them, and turns what they ask for into
//! [`Effect`]s. It does no I/O; [`crate::screen::desk`] carries the effects out.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tui_kit::{
    App, Effects, Event, Now,
    alarm::Alarm,
    keys::{Bindings, Outline},
    stack::{Stack, layer},
    theme::Tone,
    ui::Ui,
};
use vault::recovery::{ASKED, Language, RecoveryPhrase};
use wire::{
    admission::Kit,
    id::{OrderHash, TelegramId},
    sheet::Invitation,
};

use crate::{
    act::{Act, Failure, Outcome, Password},
    join::{Filled, Joined, Newcomer, Registrant, Stage, Welcome},
    recover::{Restored, Returning},
    screen::{self, News},
    view::{About, Snapshot, Standing, Transfer},
};

pub use crate::screen::shared::{Place, Preferences, Shared, Ticket};

/// What the screens ask of the outside world.
#[derive(Debug)]
pub enum Effect {
    /// Open the vault. → [`Msg::Unlocked`]
    Unlock(Password),
    /// Ask the center of an invitation who it is, for its guide page and its form. → [`Msg::Met`]
    Meet(Box<Invitation>),
    /// Make a recovery phrase. → [`Msg::Phrase`]
    MakePhrase(Language),
    /// Make the vault, sign the application, send it. → [`Msg::Joining`]
    Join(Box<Newcomer>),
    /// Go on joining with the opened vault. → [`Msg::Joining`]
    GoOn(Box<GoOn>),
    /// Bring an account back. → [`Msg::Restored`]
    Restore(Box<Returning>),
    /// Close the vault: somebody has left it open.
    Lock,
    /// Do an act. → [`Msg::Done`]
    Do {
        /// Which question this is.
        ticket: Ticket,
        /// What is asked.
        act: Act,
    },
    /// Stop fetching an order's goods; what has arrived is kept.
    CancelFetch(OrderHash),
    /// Write a file into the profile. → [`Msg::Saved`]
    Save {
        /// Where.
        folder: Folder,
        /// The file's name, from our own numbers.
        name: String,
        /// Its content.
        content: String,
    },
    /// Read a telegram's file, in base 64. → [`Msg::Loaded`]
    Load(PathBuf),
    /// Keep how the screens shall look.
    Keep(Preferences),
}

/// A folder beside the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// Receipts that anyone may check.
    Receipts,
    /// Telegrams that only this vault takes in again.
    Telegrams,
}

/// What comes next on the way into the register.
#[derive(Debug)]
pub enum GoOn {
    /// Send the application once more.
    Send,
    /// Sign another application.
    Again {
        /// The form as it was shown, filled in.
        filled: Filled,
        /// Opens the signature key.
        password_b: Password,
    },
    /// Ask how the application stands.
    Ask,
    /// Fetch the admission kit.
    Kit,
    /// Sign the registration, and send it or leave it in the outbox.
    Register(Registrant),
    /// Send the registration that is on disk.
    SendRegistration,
    /// Take the prepared registration back.
    Withdraw(TelegramId),
}

/// How far joining has come.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Where the vault stands.
    pub stage: Stage,
    /// The same in words, with the numbers.
    pub standing: Standing,
    /// The center that it is made for.
    pub invitation: Option<Invitation>,
    /// The admission kit, once it is here.
    pub kit: Option<Box<Kit>>,
    /// Whether the recovery phrase has to be typed for the registration.
    pub wants_phrase: bool,
    /// The number, once it is entered.
    pub joined: Option<Joined>,
}

/// A recovery phrase that was just made, and which of its words to ask back.
#[derive(Debug)]
pub struct Fresh {
    /// The phrase.
    pub phrase: RecoveryPhrase,
    /// The numbers of the words, from 1.
    pub asked: [usize; ASKED],
}

/// What the outside world tells the screens.
#[derive(Debug)]
pub enum Msg {
    /// The state has changed.
    Snapshot(Arc<Snapshot>),
    /// The vault is open, or why not.
    Unlocked(Result<Entered, LockedOut>),
    /// A center has said who it is, or why not.
    Met(Result<Box<Welcome>, Failure>),
    /// A recovery phrase is made.
    Phrase(Box<Fresh>),
    /// Joining has come so far; or what failed, and what there is now.
    Joining(Result<Box<Progress>, (Failure, Left)>),
    /// The application stands otherwise than before.
    Standing(Box<Progress>),
    /// An account was brought back; or what failed, and what there is now.
    Restored(Result<Box<Restored>, (Failure, Left)>),
    /// The vault is closed.
    Locked,
    /// An act is done, or why not.
    Done {
        /// Which question is answered.
        ticket: Ticket,
        /// The answer.
        result: Box<Result<Outcome, Failure>>,
    },
    /// The transfers of goods under way.
    Transfers(Vec<Transfer>),
    /// A file was written, or why not.
    Saved(Result<PathBuf, String>),
    /// A telegram's file in base 64, or why it can't be read.
    Loaded(Result<String, String>),
    /// Something that the person should know, in a sentence.
    Warning(String),
}

/// An open vault.
#[derive(Debug, Clone)]
pub struct Entered {
    /// All that is in it.
    pub snapshot: Arc<Snapshot>,
    /// How far it has come on its way into the register.
    pub progress: Box<Progress>,
}

/// A vault that did not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedOut {
    /// Why, in a sentence.
    pub message: String,
}

/// What there is after a step that failed.
#[derive(Debug, Clone)]
pub enum Left {
    /// No vault.
    Nothing,
    /// A vault that is not open.
    Vault,
    /// An open vault, and how far it has come.
    Open(Box<Progress>),
}

/// How the program finds its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// There is a vault.
    Locked,
    /// There is none yet.
    Empty,
}

/// How an alarm about a foreign key is headed, and what acknowledges it.
pub(crate) const ALARM_TITLE: &str = "A key that this vault did not make";
/// The title of the alarm about a journal that contradicts itself.
pub(crate) const JOURNAL_TITLE: &str = "The center contradicts itself";
const ALARM_WORD: &str = "understood";

/// The member's screens.
pub struct Member {
    stack: Stack<Shared>,
    /// Opens the vault as soon as the screens run.
    password_a: Option<Password>,
}

impl Member {
    /// The screens of a profile, before anything is known of it.
    pub fn new(door: Door, place: Place, preferences: Preferences, bindings: Bindings) -> Self {
        let first = match door {
            Door::Locked => layer(screen::unlock::Unlock::new()),
            Door::Empty => layer(screen::first::First),
        };
        Self { stack: Stack::new(Shared::new(place, preferences, bindings), first), password_a: None }
    }

    /// The same with password A in hand: the vault is opened as soon as the screens run.
    pub fn opening(self, password_a: Password) -> Self {
        Self { password_a: Some(password_a), ..self }
    }

    /// Says something at the foot of the screen, such as what is wrong with the table of keys.
    pub fn say(&mut self, tone: Tone, words: &str) {
        self.stack.say(tone, words);
    }

    /// The action tables of all screens, for the conflicts of a person's own keys and for the documentation.
    pub fn outlines() -> Vec<Outline> {
        screen::outlines()
    }

    fn told(&mut self, msg: Msg) -> Effects<Effect> {
        match msg {
            Msg::Snapshot(snapshot) => {
                self.stack.world.see(snapshot);
                self.alarm();
                self.stack.tell(&News::Snapshot)
            }
            Msg::Unlocked(Ok(entered)) => {
                self.stack.world.see(Arc::clone(&entered.snapshot));
                for words in &entered.snapshot.findings {
                    self.say(Tone::Bad, words);
                }
                self.alarm();
                self.stack.enter(match entered.progress.stage {
                    Stage::Joined => layer(screen::home::Home::default()),
                    _ => layer(screen::applicant::Applicant::new(entered.progress)),
                })
            }
            Msg::Unlocked(Err(locked)) => self.stack.tell(&News::LockedOut(locked)),
            Msg::Met(met) => self.stack.tell(&News::Met(met)),
            Msg::Phrase(fresh) => self.stack.tell(&News::Phrase(std::cell::RefCell::new(Some(fresh)))),
            Msg::Joining(joining) => self.stack.tell(&News::Joining(joining)),
            Msg::Standing(progress) => self.stack.tell(&News::Standing(progress)),
            Msg::Restored(restored) => self.stack.tell(&News::Restored(restored)),
            Msg::Locked => {
                self.stack.world.forget();
                let effects = self.stack.enter(layer(screen::unlock::Unlock::new()));
                self.say(Tone::Plain, "the vault was closed, because nobody was here");
                effects
            }
            Msg::Done { ticket, result } => {
                let at_the_foot = self.stack.world.answered(ticket);
                match &*result {
                    Ok(Outcome::Status(snapshot)) => self.stack.world.see(Arc::new((**snapshot).clone())),
                    Err(failure) if at_the_foot => self.say(Tone::Bad, &failure.message),
                    _ => {}
                }
                self.stack.tell(&News::Done(ticket, *result))
            }
            Msg::Transfers(transfers) => {
                self.stack.world.transfers = transfers;
                Effects::none()
            }
            Msg::Loaded(loaded) => self.stack.tell(&News::Loaded(loaded)),
            Msg::Saved(Ok(path)) => self.notice(Tone::Good, &format!("it is in {}", path.display())),
            Msg::Saved(Err(why)) | Msg::Warning(why) => self.notice(Tone::Bad, &why),
        }
    }

    /// Raises the alarm that nobody has acknowledged yet.
    fn alarm(&mut self) {
        let Some(alarm) = self.stack.world.snapshot.custody.alarm.clone() else { return };
        if self.stack.world.raised == Some(alarm.digest) {
            return;
        }
        self.stack.world.raised = Some(alarm.digest);
        let raised = match alarm.about {
            About::Keys => Alarm::new(ALARM_TITLE, alarm.words, ALARM_WORD),
            About::Journal => {
                let raised = Alarm::new(JOURNAL_TITLE, alarm.words, ALARM_WORD)
                    .todo("Buy nothing and ask for no card before the center has explained it in public.")
                    .todo(
                        "Show the evidence to others: “evidence verify FILE” checks it without any network.",
                    )
                    .todo("Keep this vault and the file; together they prove what the center has signed.");
                return self.stack.alarm(raised);
            }
        };
        let raised = raised
            .todo("Call the center at the number you know, not at one that stands on this screen.")
            .todo("Compare the fingerprints of your keys with the center's key register (9, Keys).")
            .todo("If the change was not yours, ask the center to revoke the key, or revoke it with your phrase.");
        self.stack.alarm(raised);
    }

    fn notice(&mut self, tone: Tone, words: &str) -> Effects<Effect> {
        self.say(tone, words);
        Effects::none()
    }
}

impl App for Member {
    type Msg = Msg;
    type Effect = Effect;

    fn start(&mut self, now: Now) -> Effects<Effect> {
        self.stack.set_now(now);
        match self.password_a.take() {
            Some(password) => {
                let now = self.stack.tell(&News::Opening);
                now.and(Effect::Unlock(password))
            }
            None => Effects::none(),
        }
    }

    fn update(&mut self, now: Now, event: Event<Msg>) -> Effects<Effect> {
        self.stack.set_now(now);
        match event {
            Event::Key(key) => self.stack.key(key),
            Event::Paste(text) => self.stack.paste(&text),
            Event::Msg(msg) => self.told(msg),
            Event::Tick | Event::Resize(_) | Event::Resumed => Effects::none(),
            Event::Returned(Ok(0)) => Effects::none(),
            Event::Returned(Ok(code)) => {
                self.notice(Tone::Bad, &format!("the opener ended with code {code}"))
            }
            Event::Returned(Err(why)) => self.notice(Tone::Bad, &why),
            Event::Mouse(mouse) => self.stack.mouse(mouse),
            Event::Closing(_) => Effects::unchanged(),
        }
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        self.stack.view(ui);
    }

    fn tick(&self, now: Now) -> Option<Duration> {
        // Once a minute while the signature key is open, for the time that is left.
        let signing = self.stack.world.snapshot.custody.signing_until.is_some();
        let minute = signing.then_some(Duration::from_secs(20));
        self.stack.tick(now).into_iter().chain(minute).min()
    }

    fn idle(&self) -> Option<Duration> {
        let shared = &self.stack.world;
        let minutes = shared.preferences.lock_minutes;
        let open = shared.snapshot.center.is_some();
        (open && minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60))
    }

    fn idled(&mut self, now: Now) -> Effects<Effect> {
        self.stack.set_now(now);
        Effects::one(Effect::Lock)
    }
}
