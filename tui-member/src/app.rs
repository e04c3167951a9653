//! The member's screens as one app: a stack of screens over what the engine says.
//!
//! Every screen is a plain module below [`crate::screen`] with its model, its action table and its view. This module
//! keeps the stack, hands keys to the screen on top and news to all of them, and turns what they ask for into
//! [`Effect`]s. It does no I/O; [`crate::screen::desk`] carries the effects out.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tui_kit::{
    App, Effects, Event, Now,
    keys::{Bindings, Outline},
    stack::{Stack, layer},
    theme::Tone,
    ui::Ui,
};
use wire::{
    id::{MemberNumber, OrderHash},
    sheet::Invitation,
    text::Line,
};

use crate::{
    act::{Act, Failure, Outcome, Password},
    join::{Stage, Welcome},
    screen::{self, News},
    view::{Snapshot, Transfer},
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
    /// Do an act. → [`Msg::Done`]
    Do {
        /// Which question this is.
        ticket: Ticket,
        /// What is asked.
        act: Act,
    },
    /// Stop fetching an order's goods; what has arrived is kept.
    CancelFetch(OrderHash),
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
    /// The registration was entered; or why not, and what there is now.
    Joined(Result<Joined, (Failure, Left)>),
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
    /// Something that the person should know, in a sentence.
    Warning(String),
}

/// An open vault.
#[derive(Debug, Clone)]
pub struct Entered {
    /// All that is in it.
    pub snapshot: Arc<Snapshot>,
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
pub struct Joined {
    /// The number.
    pub member: MemberNumber,
    /// The center's name.
    pub center: Line,
    /// All that is in the vault.
    pub snapshot: Arc<Snapshot>,
}

/// What there is after a registration that was not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// No vault.
    Nothing,
    /// A vault that is not open.
    Vault,
    /// An open vault, and where it stands.
    Open(Stage),
}

/// How the program finds its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// There is a vault.
    Locked,
    /// There is none yet.
    Empty,
}

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
            Door::Empty => layer(screen::join::Join::new()),
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
                self.stack.tell(&News::Snapshot)
            }
            Msg::Unlocked(Ok(entered)) => {
                self.stack.world.see(Arc::clone(&entered.snapshot));
                for words in &entered.snapshot.findings {
                    self.say(Tone::Bad, words);
                }
                self.stack.enter(match entered.stage {
                    Stage::Joined => layer(screen::home::Home),
                    stage => layer(screen::join::Join::interrupted(stage, entered.invitation)),
                })
            }
            Msg::Unlocked(Err(locked)) => self.stack.tell(&News::LockedOut(locked)),
            Msg::Met(met) => self.stack.tell(&News::Met(met)),
            Msg::Joined(joined) => {
                if let Ok(joined) = &joined {
                    self.stack.world.see(Arc::clone(&joined.snapshot));
                }
                self.stack.tell(&News::Joined(joined))
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
            Msg::Saved(Ok(path)) => self.notice(Tone::Good, &format!("the receipt is in {}", path.display())),
            Msg::Saved(Err(why)) | Msg::Warning(why) => self.notice(Tone::Bad, &why),
        }
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
            Event::Mouse(_) | Event::Closing(_) => Effects::unchanged(),
        }
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        self.stack.view(ui);
    }

    fn tick(&self, now: Now) -> Option<Duration> {
        self.stack.tick(now)
    }
}
