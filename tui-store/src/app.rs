//! The store's screens as one app: a stack of screens over what the engine says.
//!
//! Every screen is a plain module below `crate::screen`. This module hands events to the stack, turns what the outside
//! world says into news for the screens, and names what they ask for: [`Effect`]s. It does no I/O;
//! [`crate::screen::desk`] carries the effects out.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tui_kit::{
    App, Effects, Event, Now,
    alarm::Alarm,
    keys::{Bindings, Outline},
    stack::{self, Stack},
    theme::Tone,
    ui::Ui,
};
use vault::{Autograph, Language, RecoveryPhrase};
use wire::{
    admission::ActivationCode,
    id::{AccountNumber, StoreNumber},
    message::Form,
    sheet::Invitation,
};

use crate::{
    act::{Act, Failure, FailureKind, Outcome, Password},
    join::{Joined, Standing, Welcome},
    restore::Recovered,
    screen::{self, News, words},
    view::{About, ExportedTelegram, Snapshot},
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
    /// Make the vault, and apply. → [`Msg::Stands`]
    Begin(Box<Beginning>),
    /// Something on the way into the register, with the vault that is open. → [`Msg::Stands`] or [`Msg::Joined`]
    Newcomer(NewcomerAct),
    /// Bring a store back with the recovery phrase. → [`Msg::Restored`]
    Restore(Box<Restoring>),
    /// Lock the screens: password A is asked for again, and password B is closed. The counter stays open.
    Lock,
    /// Open the counter: listen, log in, answer subcommands. → [`Msg::Serving`]
    Serve,
    /// Do an act. → [`Msg::Done`]
    Do {
        /// Which question this is.
        ticket: Ticket,
        /// What is asked.
        act: Act,
    },
    /// Write a receipt into the profile. → [`Msg::Saved`]
    Save {
        /// The file's name, from our own numbers.
        name: String,
        /// Its content.
        content: String,
    },
    /// Write an exported telegram into the profile. → [`Msg::Saved`]
    Export(ExportedTelegram),
    /// Read an exported telegram and take it in. → [`Msg::Done`]
    Import {
        /// Which question this is.
        ticket: Ticket,
        /// The file.
        path: PathBuf,
    },
    /// Keep how the screens shall look.
    Keep(Preferences),
}

/// Everything that a person gave for joining.
#[derive(Debug)]
pub struct Beginning {
    /// Where to.
    pub invitation: Invitation,
    /// The form as it was shown.
    pub form: Form,
    /// The form's keys and what was filled in.
    pub values: Vec<(String, String)>,
    /// Opens the vault.
    pub password_a: Password,
    /// Opens the signature key; none where one password does both.
    pub password_b: Option<Password>,
    /// Mixed into the signature key.
    pub autograph: Option<Autograph>,
    /// The recovery phrase that was shown and asked back.
    pub phrase: Option<Arc<RecoveryPhrase>>,
    /// The account whose terminal and phrase were lost.
    pub replaces: Option<AccountNumber>,
}

/// What is done on the way into the register once there is a vault.
#[derive(Debug)]
pub enum NewcomerAct {
    /// Apply with what was filled in of a form.
    Apply {
        /// The form as it was shown.
        form: Box<Form>,
        /// Its keys and what was filled in.
        values: Vec<(String, String)>,
        /// Opens the signature key.
        password_b: Password,
    },
    /// Ask how the application stands, and take the admission kit if there is none yet.
    Ask,
    /// The terms of this version were read and accepted.
    AcceptTerms(u32),
    /// Sign with number and code, and send or keep it.
    Register {
        /// The number.
        store: StoreNumber,
        /// The code.
        code: ActivationCode,
        /// Opens the signature key.
        password_b: Password,
        /// Keep it in the outbox and send nothing.
        prepare: bool,
    },
    /// Send the registration that waits.
    Send,
    /// Take back the registration that was prepared and never sent.
    Withdraw,
}

/// Everything that a person gave to bring a store back.
#[derive(Debug)]
pub struct Restoring {
    /// Where to.
    pub invitation: Invitation,
    /// The phrase.
    pub phrase: Password,
    /// Opens the new vault.
    pub password_a: Password,
    /// Opens the signature key in it.
    pub password_b: Password,
    /// Whether the vault that is here makes room.
    pub set_aside: bool,
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
    /// A recovery phrase was made, with the places of the words that are asked back.
    Phrase(Arc<RecoveryPhrase>, [usize; vault::recovery::ASKED]),
    /// Where a newcomer stands; or why not, and whether there is a vault now.
    Stands(Result<Box<Standing>, (Failure, Door)>),
    /// The registration was entered, or why not.
    Joined(Result<NewStore, Failure>),
    /// A store was brought back; or why not, and whether there is a vault now.
    Restored(Result<Box<BroughtBack>, (Failure, Door)>),
    /// The counter is open, or why not.
    Serving(Result<(), Failure>),
    /// An act is done, or why not.
    Done {
        /// Which question is answered.
        ticket: Ticket,
        /// The answer.
        result: Box<Result<Outcome, Failure>>,
    },
    /// A file was written, or why not.
    Saved(Result<PathBuf, String>),
}

/// An open vault.
#[derive(Debug, Clone)]
pub struct Entered {
    /// All that is in it; none where it is not in the register yet.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Where it stands on its way into the register; none for a store.
    pub standing: Option<Box<Standing>>,
    /// The drawn seal.
    pub seal: Option<Autograph>,
}

/// A vault that did not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedOut {
    /// Why, in a sentence.
    pub message: String,
}

/// A registration that was entered.
#[derive(Debug, Clone)]
pub struct NewStore {
    /// Its number.
    pub joined: Joined,
    /// All that is in the vault.
    pub snapshot: Arc<Snapshot>,
}

/// A store that was brought back.
#[derive(Debug, Clone)]
pub struct BroughtBack {
    /// How.
    pub recovered: Recovered,
    /// All that is in the vault.
    pub snapshot: Arc<Snapshot>,
}

/// How the program finds its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// There is a vault.
    Locked,
    /// There is none yet.
    Empty,
}

/// The store's screens.
pub struct Store {
    stack: Stack<Shared>,
}

impl Store {
    /// The screens of a profile, before anything is known of it.
    pub fn new(door: Door, place: Place, preferences: Preferences, bindings: Bindings) -> Self {
        let first = match door {
            Door::Locked => stack::layer(screen::unlock::Unlock::new()),
            Door::Empty => stack::layer(screen::join::Join::new()),
        };
        Self { stack: Stack::new(Shared::new(place, preferences, bindings), first) }
    }

    /// The screens of a store whose vault is open already.
    pub fn entered(entered: Entered, place: Place, preferences: Preferences, bindings: Bindings) -> Self {
        let first = first_screen(&entered);
        let mut shared = Shared::new(place, preferences, bindings);
        shared.set_seal(entered.seal.as_ref());
        if let Some(snapshot) = entered.snapshot {
            shared.see(snapshot);
        }
        let mut store = Self { stack: Stack::new(shared, first) };
        store.raise_alarm();
        store
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
                self.raise_alarm();
                self.stack.tell(&News::Snapshot)
            }
            Msg::Unlocked(Ok(entered)) => {
                let first = first_screen(&entered);
                let joined = entered.standing.is_none();
                self.stack.world.set_seal(entered.seal.as_ref());
                if let Some(snapshot) = entered.snapshot {
                    self.stack.world.see(snapshot);
                }
                let effects = self.stack.enter(first);
                self.raise_alarm();
                if joined { effects.and(Effect::Serve) } else { effects }
            }
            Msg::Unlocked(Err(locked)) => self.stack.tell(&News::LockedOut(locked)),
            Msg::Met(met) => self.stack.tell(&News::Met(met)),
            Msg::Phrase(phrase, asked) => self.stack.tell(&News::Phrase(phrase, asked)),
            Msg::Stands(Ok(standing)) => self.stack.tell(&News::Stands(Ok(standing))),
            Msg::Stands(Err((failure, Door::Empty))) => self.stack.tell(&News::Stands(Err(failure))),
            Msg::Stands(Err((failure, Door::Locked))) => {
                // The vault was made: joining goes on behind its door.
                self.stack.enter(stack::layer(screen::unlock::Unlock::to_go_on(failure.message)))
            }
            Msg::Joined(Ok(new)) => {
                self.stack.world.see(Arc::clone(&new.snapshot));
                self.stack.tell(&News::Joined(Ok(new.joined))).and(Effect::Serve)
            }
            Msg::Joined(Err(failure)) => self.stack.tell(&News::Joined(Err(failure))),
            Msg::Restored(Ok(back)) => {
                self.stack.world.see(Arc::clone(&back.snapshot));
                self.stack.tell(&News::Restored(Ok(back.recovered.clone()))).and(Effect::Serve)
            }
            Msg::Restored(Err(failure)) => self.stack.tell(&News::Restored(Err(failure))),
            Msg::Serving(opened) => {
                if let Err(failure) = &opened {
                    self.stack.say(Tone::Bad, format!("The counter is closed: {failure}"));
                }
                self.stack.world.closed = opened.err().map(|failure| failure.message);
                Effects::none()
            }
            Msg::Done { ticket, result } => self.answered(ticket, *result),
            Msg::Saved(Ok(path)) => self.notice(Tone::Good, &format!("written to {}", path.display())),
            Msg::Saved(Err(why)) => self.notice(Tone::Bad, &why),
        }
    }

    /// Hands an answer to the screen that asked. Where that screen is gone, what matters is said at the foot.
    fn answered(&mut self, ticket: Ticket, result: Result<Outcome, Failure>) -> Effects<Effect> {
        let mut effects = Effects::none();
        if let Ok(Outcome::Status(snapshot)) = &result {
            self.stack.world.see(Arc::new((**snapshot).clone()));
            effects = self.stack.tell(&News::Snapshot);
        }
        let news = News::Done(ticket, result);
        effects = effects.then(self.stack.tell(&news));
        if self.stack.world.strike_off(ticket)
            && let News::Done(_, result) = news
        {
            match result {
                Ok(Outcome::Resolved(resolved)) => {
                    for one in &resolved {
                        self.stack.say(words::telegram_tone(one.state), words::became(one));
                    }
                }
                Ok(_) => {}
                Err(failure) => {
                    let tone = if failure.kind == FailureKind::Unknown { Tone::Warn } else { Tone::Bad };
                    self.stack.say(tone, failure.message);
                }
            }
        }
        effects
    }

    /// An alarm about keys lies over everything until its word is typed.
    fn raise_alarm(&mut self) {
        if self.stack.world.is_locked() {
            return;
        }
        if let Some(alarm) = &self.stack.world.snapshot.alarm {
            if alarm.about == About::Journal {
                let words = alarm.words.clone();
                let alarm = Alarm::new(screen::JOURNAL_ALARM, words, screen::JOURNAL_ALARM_WORD)
                    .todo("Sell nothing more over this center before it has explained it in public.")
                    .todo(
                        "Show the evidence to others: “evidence verify FILE” checks it without any network.",
                    )
                    .todo("Keep this vault and the file; together they prove what the center has signed.");
                return self.stack.alarm(alarm);
            }
            let alarm = Alarm::new(screen::KEY_ALARM, alarm.words.clone(), screen::KEY_ALARM_WORD)
                .todo("Claim nothing and give nothing back before you know who changed the key.")
                .todo("Ask the center's help contact, and compare the fingerprints on the keys screen (8).")
                .todo("If it was not you: bring the store back with the recovery phrase, which overrules the other keys.");
            self.stack.alarm(alarm);
        }
    }

    fn notice(&mut self, tone: Tone, words: &str) -> Effects<Effect> {
        self.say(tone, words);
        Effects::none()
    }
}

impl App for Store {
    type Msg = Msg;
    type Effect = Effect;

    fn start(&mut self, now: Now) -> Effects<Effect> {
        self.stack.set_now(now);
        let effects = Effects::look(self.stack.world.preferences.look);
        if self.stack.world.snapshot.store.is_some() { effects.and(Effect::Serve) } else { effects }
    }

    fn update(&mut self, now: Now, event: Event<Msg>) -> Effects<Effect> {
        self.stack.set_now(now);
        match event {
            Event::Key(key) => self.stack.key(key),
            Event::Paste(text) => self.stack.paste(&text),
            Event::Msg(msg) => self.told(msg),
            Event::Tick | Event::Resize(_) | Event::Resumed => Effects::none(),
            Event::Mouse(mouse) => self.stack.mouse(mouse),
            Event::Closing(_) | Event::Returned(_) => Effects::unchanged(),
        }
    }

    fn idle(&self) -> Option<Duration> {
        let minutes = self.stack.world.preferences.lock_minutes;
        let open = self.stack.world.snapshot.store.is_some() && !self.stack.world.is_locked();
        (open && minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60))
    }

    fn idled(&mut self, now: Now) -> Effects<Effect> {
        self.stack.set_now(now);
        self.stack.world.lock();
        let door = stack::layer(screen::unlock::Unlock::locked());
        self.stack.enter(door).and(Effect::Lock)
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        self.stack.view(ui);
    }

    fn tick(&self, now: Now) -> Option<Duration> {
        self.stack.tick(now)
    }
}

fn first_screen(entered: &Entered) -> Box<dyn stack::Layer<Shared>> {
    match &entered.standing {
        None => stack::layer(screen::home::Home),
        Some(standing) => stack::layer(screen::join::Join::interrupted(standing)),
    }
}
