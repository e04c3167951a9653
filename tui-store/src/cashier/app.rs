//! A cashier's screens as one app: a stack of screens over what the terminal says. It does no I/O;
//! [`super::screen::desk`] carries its effects out.

use std::time::Duration;

use tui_kit::{
    App, Effects, Event, Now,
    keys::{Bindings, Outline},
    stack::{self, Stack},
    theme::Tone,
    ui::Ui,
};

use super::{
    act::{Act, Outcome},
    screen::{self, News, Shared, Ticket},
    view::TillView,
};
use crate::act::{Failure, FailureKind, Password};

/// What the screens ask of the outside world.
#[derive(Debug)]
pub enum Effect {
    /// Open the vault, and log in at the store. → [`Msg::Unlocked`]
    Unlock(Password),
    /// Do an act. → [`Msg::Done`]
    Do {
        /// Which question this is.
        ticket: Ticket,
        /// What is asked.
        act: Act,
    },
}

/// What the outside world tells the screens.
#[derive(Debug)]
pub enum Msg {
    /// The vault is open, or why not.
    Unlocked(Result<Box<TillView>, String>),
    /// An act is done, or why not.
    Done {
        /// Which question is answered.
        ticket: Ticket,
        /// The answer.
        result: Box<Result<Outcome, Failure>>,
        /// How the terminal stands now.
        view: Box<TillView>,
    },
}

/// A cashier's screens.
pub struct Till {
    stack: Stack<Shared>,
}

impl Till {
    /// The screens of a cashier's profile, at its door.
    pub fn new(profile: &str, zone: tui_kit::time::Zone, bindings: Bindings) -> Self {
        let shared = Shared::new(profile, zone, bindings);
        Self { stack: Stack::new(shared, stack::layer(screen::unlock::Unlock::new())) }
    }

    /// The screens of a terminal whose vault is open already.
    pub fn entered(view: TillView, profile: &str, zone: tui_kit::time::Zone, bindings: Bindings) -> Self {
        let mut shared = Shared::new(profile, zone, bindings);
        shared.view = Some(view);
        Self { stack: Stack::new(shared, stack::layer(screen::orders::Orders::default())) }
    }

    /// Says something at the foot of the screen, such as what is wrong with the table of keys.
    pub fn say(&mut self, tone: Tone, words: &str) {
        self.stack.say(tone, words);
    }

    /// The action tables of all screens that need nothing to be shown.
    pub fn outlines() -> Vec<Outline> {
        screen::outlines()
    }

    fn told(&mut self, msg: Msg) -> Effects<Effect> {
        match msg {
            Msg::Unlocked(Ok(view)) => {
                self.stack.world.view = Some(*view);
                self.stack.enter(stack::layer(screen::orders::Orders::default()))
            }
            Msg::Unlocked(Err(why)) => self.stack.tell(&News::LockedOut(why)),
            Msg::Done { ticket, result, view } => {
                self.stack.world.view = Some(*view);
                self.answered(ticket, *result)
            }
        }
    }

    /// Hands an answer to the screen that asked. Where that screen is gone, what matters is said at the foot.
    fn answered(&mut self, ticket: Ticket, result: Result<Outcome, Failure>) -> Effects<Effect> {
        let news = News::Done(ticket, result);
        let effects = self.stack.tell(&news);
        if self.stack.world.strike_off(ticket)
            && let News::Done(_, result) = news
        {
            match result {
                Ok(Outcome::Resolved(resolved)) => {
                    for one in &resolved {
                        let tone = crate::screen::words::telegram_tone(one.state);
                        self.stack.say(tone, crate::screen::words::became(one));
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
}

impl App for Till {
    type Msg = Msg;
    type Effect = Effect;

    fn start(&mut self, now: Now) -> Effects<Effect> {
        self.stack.set_now(now);
        if self.stack.world.view.is_some() {
            // The first screen asks for the orders as it is opened.
            return self.stack.enter(stack::layer(screen::orders::Orders::default()));
        }
        Effects::none()
    }

    fn update(&mut self, now: Now, event: Event<Msg>) -> Effects<Effect> {
        self.stack.set_now(now);
        match event {
            Event::Key(key) => self.stack.key(key),
            Event::Paste(text) => self.stack.paste(&text),
            Event::Msg(msg) => self.told(msg),
            Event::Mouse(mouse) => self.stack.mouse(mouse),
            Event::Tick | Event::Resize(_) | Event::Resumed => Effects::none(),
            Event::Closing(_) | Event::Returned(_) => Effects::unchanged(),
        }
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        self.stack.view(ui);
    }

    fn tick(&self, now: Now) -> Option<Duration> {
        self.stack.tick(now)
    }
}
