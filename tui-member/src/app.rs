//! The member's screens as one app: a stack of screens over what the engine says.
//!
//! Every screen is a plain module below [`crate::screen`] with its model, its action table and its view. This module
//! keeps the stack, hands keys to the screen on top and news to all of them, and turns what they ask for into
//! [`Effect`]s. It does no I/O; [`crate::screen::desk`] carries the effects out.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tui_kit::{
    App, Effects, Event, KeyCode, KeyModifiers, Now,
    app::Act as KitAct,
    keys::{Bindings, Outline},
    theme::Tone,
    toast::Toasts,
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
    screen::{self, Layer, News, Step, Steps},
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
    /// Show goods with whatever the desktop opens them with. → [`Msg::Opened`]
    Open(PathBuf),
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
    Joined(Result<Joined, (Failure, Door)>),
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
    /// Goods were handed to the desktop, or why not.
    Opened(Result<PathBuf, String>),
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
    /// Whether the password was the reason, or that it was tried too soon.
    pub wrong: bool,
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
    shared: Shared,
    /// Never empty; the last is on top.
    layers: Vec<Box<dyn Layer>>,
    toasts: Toasts,
}

impl Member {
    /// The screens of a profile, before anything is known of it.
    pub fn new(door: Door, place: Place, preferences: Preferences, bindings: Bindings) -> Self {
        let first: Box<dyn Layer> = match door {
            Door::Locked => screen::layer(screen::unlock::Unlock::new()),
            Door::Empty => screen::layer(screen::join::Join::new()),
        };
        Self { shared: Shared::new(place, preferences, bindings), layers: vec![first], toasts: Toasts::default() }
    }

    /// Says something at the foot of the screen, such as what is wrong with the table of keys.
    pub fn say(&mut self, tone: Tone, words: &str) {
        self.toasts.push(self.shared.now, tone, words);
    }

    /// The action tables of all screens, for the conflicts of a person's own keys and for the documentation.
    pub fn outlines() -> Vec<Outline> {
        screen::outlines()
    }

    fn top(&mut self) -> &mut Box<dyn Layer> {
        self.layers.last_mut().expect("the first layer is never closed")
    }

    /// Does what a screen asked for.
    fn take(&mut self, steps: Steps) -> Effects<Effect> {
        let mut effects = Effects::none();
        for step in steps {
            effects = match step {
                Step::Own(effect) => effects.and(effect),
                Step::Push(layer) => {
                    self.layers.push(layer);
                    let steps = self.opened();
                    effects.then(self.take(steps))
                }
                Step::Swap(layer) => {
                    self.layers.pop();
                    self.layers.push(layer);
                    let steps = self.opened();
                    effects.then(self.take(steps))
                }
                Step::Enter(layer) => {
                    self.layers.clear();
                    self.layers.push(layer);
                    let steps = self.opened();
                    effects.then(self.take(steps))
                }
                Step::Go(place) => {
                    self.layers.truncate(1);
                    match screen::place(place) {
                        None => effects,
                        Some(layer) => {
                            self.layers.push(layer);
                            let steps = self.opened();
                            effects.then(self.take(steps))
                        }
                    }
                }
                Step::Back => {
                    if self.layers.len() > 1 {
                        self.layers.pop();
                    }
                    effects
                }
                Step::Say(tone, words) => {
                    self.toasts.push(self.shared.now, tone, &words);
                    effects
                }
                Step::Copy { text, what } => {
                    self.toasts.push(self.shared.now, Tone::Good, &format!("{what} copied"));
                    effects.then(Effects::copy(text))
                }
                Step::Prefer(preferences) => {
                    self.shared.preferences = preferences.clone();
                    effects.and(Effect::Keep(preferences.clone())).then(Effects::look(preferences.look))
                }
                Step::Quit => effects.then(Effects::quit()),
            };
        }
        effects
    }

    /// Lets the new top layer ask for what it shows.
    fn opened(&mut self) -> Steps {
        let Some(top) = self.layers.last_mut() else { return Steps::new() };
        top.opened(&mut self.shared)
    }

    fn tell(&mut self, news: &News) -> Effects<Effect> {
        let mut steps = Steps::new();
        for layer in &mut self.layers {
            steps.extend(layer.told(news, &mut self.shared));
        }
        self.take(steps)
    }

    fn told(&mut self, msg: Msg) -> Effects<Effect> {
        match msg {
            Msg::Snapshot(snapshot) => {
                self.shared.see(snapshot);
                self.tell(&News::Snapshot)
            }
            Msg::Unlocked(Ok(entered)) => {
                self.shared.see(Arc::clone(&entered.snapshot));
                let findings = entered.snapshot.findings.iter().map(|words| Step::Say(Tone::Bad, words.clone()));
                let mut steps: Steps = findings.collect();
                steps.push(Step::Enter(match entered.stage {
                    Stage::Joined => screen::layer(screen::home::Home),
                    stage => screen::layer(screen::join::Join::interrupted(stage, entered.invitation)),
                }));
                self.take(steps)
            }
            Msg::Unlocked(Err(locked)) => self.tell(&News::LockedOut(locked)),
            Msg::Met(met) => self.tell(&News::Met(met)),
            Msg::Joined(joined) => {
                if let Ok(joined) = &joined {
                    self.shared.see(Arc::clone(&joined.snapshot));
                }
                self.tell(&News::Joined(joined))
            }
            Msg::Done { ticket, result } => {
                let told = self.shared.answered(ticket);
                match (&*result, told) {
                    (Ok(Outcome::Status(snapshot)), _) => self.shared.see(Arc::new((**snapshot).clone())),
                    (Err(failure), true) => self.toasts.push(self.shared.now, Tone::Bad, &failure.message),
                    _ => {}
                }
                self.tell(&News::Done(ticket, *result))
            }
            Msg::Transfers(transfers) => {
                self.shared.transfers = transfers;
                Effects::none()
            }
            Msg::Saved(Ok(path)) => self.told_words(Tone::Good, &format!("the receipt is in {}", path.display())),
            Msg::Opened(Ok(path)) => self.told_words(Tone::Good, &format!("opened {}", path.display())),
            Msg::Saved(Err(why)) | Msg::Opened(Err(why)) | Msg::Warning(why) => self.told_words(Tone::Bad, &why),
        }
    }

    fn told_words(&mut self, tone: Tone, words: &str) -> Effects<Effect> {
        self.say(tone, words);
        Effects::none()
    }
}

impl App for Member {
    type Msg = Msg;
    type Effect = Effect;

    fn start(&mut self, now: Now) -> Effects<Effect> {
        self.shared.now = now;
        Effects::look(self.shared.preferences.look)
    }

    fn update(&mut self, now: Now, event: Event<Msg>) -> Effects<Effect> {
        self.shared.now = now;
        match event {
            Event::Key(key) => {
                if key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL {
                    self.say(Tone::Plain, "Esc goes back; q, or “quit” from Ctrl-P, ends the program");
                    return Effects::none();
                }
                if key.code == KeyCode::Char('x') && key.modifiers == KeyModifiers::CONTROL {
                    self.toasts.read();
                    return Effects::none();
                }
                let Self { layers, shared, .. } = self;
                let Some(top) = layers.last_mut() else { return Effects::none() };
                let steps = top.key(key, shared);
                self.take(steps)
            }
            Event::Paste(text) => {
                self.layers.last_mut().map(|top| top.paste(&text, &self.shared));
                Effects::none()
            }
            Event::Tick => {
                self.toasts.tick(now);
                let steps = self.layers.last_mut().map(|top| top.told(&News::Tick, &mut self.shared));
                self.take(steps.unwrap_or_default())
            }
            Event::Msg(msg) => self.told(msg),
            Event::Resize(_) | Event::Resumed => Effects::none(),
            Event::Mouse(_) | Event::Closing(_) => Effects::unchanged(),
        }
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        if let Some(top) = self.layers.last() {
            top.view(&self.shared, ui);
        }
        self.toasts.view(ui);
    }

    fn tick(&self, now: Now) -> Option<Duration> {
        let lively = self.layers.last().is_some_and(|top| top.lively(&self.shared));
        let second = lively.then_some(Duration::from_secs(1));
        [second, self.toasts.wait(now)].into_iter().flatten().min()
    }
}
