//! The store's screens as one app: a stack of screens over what the engine says.
//!
//! Every screen is a plain module below `crate::screen`. This module hands events to the stack, turns what the outside
//! world says into news for the screens, and names what they ask for: [`Effect`]s. It does no I/O;
//! [`crate::screen::desk`] carries the effects out.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tui_kit::{
    App, Effects, Event, Now,
    keys::{Bindings, Outline},
    stack::{self, Stack},
    theme::Tone,
    ui::Ui,
};
use wire::sheet::Invitation;

use crate::{
    act::{Act, Failure, FailureKind, Outcome, Password},
    join::{Joined, Stage, Welcome},
    screen::{self, News, words},
    view::Snapshot,
};

pub use crate::screen::shared::{Place, Preferences, Shared, Ticket};

/// What the screens ask of the outside world.
#[derive(Debug)]
pub enum Effect {
    /// Open the vault. → [`Msg::Unlocked`]
    Unlock(Password),
    /// Ask the center of an invitation who it is and for its form. → [`Msg::Met`]
    Meet(Box<Invitation>),
    /// Make the vault, sign, send. → [`Msg::Joined`]
    Join(Box<Joining>),
    /// Sign a registration with the keys of the opened vault, and send it. → [`Msg::Joined`]
    Register(Box<Registering>),
    /// Send the registration that waits in the opened vault. → [`Msg::Joined`]
    Resume(Box<Invitation>),
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
    /// Keep how the screens shall look.
    Keep(Preferences),
}

/// Everything that a person gave for joining.
#[derive(Debug)]
pub struct Joining {
    /// Where to.
    pub invitation: Invitation,
    /// The form's keys and what was filled in.
    pub values: Vec<(String, String)>,
    /// Opens the vault.
    pub password_a: Password,
    /// Opens the signature key.
    pub password_b: Password,
}

/// The same for a vault that was made before.
#[derive(Debug)]
pub struct Registering {
    /// Where to.
    pub invitation: Invitation,
    /// The form's keys and what was filled in.
    pub values: Vec<(String, String)>,
    /// Opens the signature key.
    pub password_b: Password,
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
    /// The registration was entered; or why not, and whether there is a vault now.
    Joined(Result<NewStore, (Failure, Door)>),
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
    /// All that is in it; none where joining was interrupted.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Where it stands on its way into the register.
    pub stage: Stage,
    /// The center that it is made for.
    pub invitation: Option<Invitation>,
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
        let mut store = Self::new(Door::Locked, place, preferences, bindings);
        let first = first_screen(&entered);
        if let Some(snapshot) = entered.snapshot {
            store.stack.world.see(snapshot);
        }
        let shared = store.stack.world;
        Self { stack: Stack::new(shared, first) }
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
                self.stack.tell(&News::Snapshot)
            }
            Msg::Unlocked(Ok(entered)) => {
                let first = first_screen(&entered);
                let joined = entered.stage == Stage::Joined;
                if let Some(snapshot) = entered.snapshot {
                    self.stack.world.see(snapshot);
                }
                let effects = self.stack.enter(first);
                if joined { effects.and(Effect::Serve) } else { effects }
            }
            Msg::Unlocked(Err(locked)) => self.stack.tell(&News::LockedOut(locked)),
            Msg::Met(met) => self.stack.tell(&News::Met(met)),
            Msg::Joined(Ok(new)) => {
                self.stack.world.see(Arc::clone(&new.snapshot));
                self.stack.tell(&News::Joined(Ok(new.joined))).and(Effect::Serve)
            }
            Msg::Joined(Err((failure, Door::Empty))) => self.stack.tell(&News::Joined(Err(failure))),
            Msg::Joined(Err((failure, Door::Locked))) => {
                // The vault was made: joining goes on behind its door.
                self.stack.enter(stack::layer(screen::unlock::Unlock::to_go_on(failure.message)))
            }
            Msg::Serving(opened) => {
                if let Err(failure) = &opened {
                    self.stack.say(Tone::Bad, format!("The counter is closed: {failure}"));
                }
                self.stack.world.closed = opened.err().map(|failure| failure.message);
                Effects::none()
            }
            Msg::Done { ticket, result } => self.answered(ticket, *result),
            Msg::Saved(Ok(path)) => self.notice(Tone::Good, &format!("the receipt is in {}", path.display())),
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
            Event::Mouse(_) | Event::Closing(_) | Event::Returned(_) => Effects::unchanged(),
        }
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        self.stack.view(ui);
    }

    fn tick(&self, now: Now) -> Option<Duration> {
        self.stack.tick(now)
    }
}

fn first_screen(entered: &Entered) -> Box<dyn stack::Layer<Shared>> {
    match entered.stage {
        Stage::Joined => stack::layer(screen::home::Home),
        stage => stack::layer(screen::join::Join::interrupted(stage, entered.invitation.as_ref())),
    }
}
