//! What a program writes for its screens: the world that they share, and each screen's own part.

use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Rect;

use crate::alarm::Alarm;
use crate::app::{Errand, Now};
use crate::keys::{Action, Bindings, Outline};
use crate::theme::{Look, Tone};
use crate::time::Zone;
use crate::ui::Ui;

/// What all screens of a program see and share.
pub trait World: Sized + 'static {
    /// What the program asks of the outside world.
    type Effect: 'static;
    /// What screens are told.
    type News;

    /// The main screens. The first is home, which lies below the others.
    const ROOMS: &'static [Room<Self>];

    /// The moment of the event that comes next.
    fn set_now(&mut self, now: Now);

    /// The keys that the person has chosen.
    fn bindings(&self) -> &Bindings;

    /// The zone of all times.
    fn zone(&self) -> &Zone;

    /// What stands at the right of every page's head.
    fn status(&self) -> String;

    /// Whether the person wants nothing to move by itself: no running seconds.
    fn is_calm(&self) -> bool {
        false
    }

    /// How many things wait in a main screen.
    fn waiting_in(&self, _room: &str) -> usize {
        0
    }

    /// An alarm, known by its title, was acknowledged; what is to be done about that outside the screens.
    fn acknowledged(&mut self, _title: &str) -> Option<Self::Effect> {
        None
    }
}

/// A main screen: one that a digit leads to from everywhere inside.
pub struct Room<W: World> {
    /// Its [`Screen::NAME`].
    pub name: &'static str,
    /// The key that leads there.
    pub key: &'static str,
    /// One word for it.
    pub label: &'static str,
    /// What is there, in a sentence.
    pub help: &'static str,
    /// Makes it.
    pub open: fn() -> Box<dyn Layer<W>>,
}

/// What a screen wants done, in order.
pub type Steps<W> = Vec<Step<W>>;

/// One thing that a screen wants done.
pub enum Step<W: World> {
    /// An effect outside the screens.
    Own(W::Effect),
    /// Another screen over this one.
    Push(Box<dyn Layer<W>>),
    /// Another screen instead of this one.
    Swap(Box<dyn Layer<W>>),
    /// Another screen instead of all.
    Enter(Box<dyn Layer<W>>),
    /// One of the main screens, by its name.
    Go(&'static str),
    /// This screen ends; the one below is seen again.
    Back,
    /// A notice at the foot of the screen.
    Say(Tone, String),
    /// A text into the clipboard.
    Copy {
        /// The text.
        text: String,
        /// What it is, for the notice that says so.
        what: &'static str,
    },
    /// Another look from now on.
    Look(Look),
    /// The terminal lent to another program until it ends; see [`crate::app::Act::Lend`].
    Lend(Errand),
    /// An alarm over everything; see [`super::Stack::alarm`].
    Alarm(Alarm),
    /// All notices of the session, over this screen.
    Notices,
    /// The end.
    Quit,
}

/// One screen's own part.
pub trait Screen<W: World> {
    /// The screen's own actions.
    type Do: Clone + 'static;

    /// Its name in the table of keys.
    const NAME: &'static str;

    /// Whether the ways to the main screens are open from here.
    const INSIDE: bool = true;

    /// What stands at the head.
    fn title(&self, world: &W) -> String;

    /// Its actions now, the most wanted first.
    fn actions(&self, world: &W) -> Vec<Action<Self::Do>>;

    /// Does one of them.
    fn run(&mut self, todo: Self::Do, world: &mut W) -> Steps<W>;

    /// Takes a key before the action table does: for text fields and for moving in lists. None: the table gets it.
    fn key(&mut self, _key: KeyEvent, _world: &mut W) -> Option<Steps<W>> {
        None
    }

    /// Takes pasted text.
    fn paste(&mut self, _pasted: &str, _world: &W) {}

    /// Whether it takes the mouse. It is then captured while the screen is on top, and selects no text.
    fn wants_mouse(&self) -> bool {
        false
    }

    /// Takes a button or the wheel, while it wants the mouse.
    fn mouse(&mut self, _mouse: MouseEvent, _world: &mut W) -> Steps<W> {
        Steps::new()
    }

    /// It comes to the top for the first time.
    fn opened(&mut self, _world: &mut W) -> Steps<W> {
        Steps::new()
    }

    /// Takes news, on top or not.
    fn told(&mut self, _news: &W::News, _world: &mut W) -> Steps<W> {
        Steps::new()
    }

    /// Esc: true when the screen had something of its own to step back from.
    fn step_back(&mut self, _world: &mut W) -> bool {
        false
    }

    /// Whether it is to be drawn every second, because it shows how long something takes.
    fn lively(&self, _world: &W) -> bool {
        false
    }

    /// Whether something is filled in or awaited here that a stray letter must not leave: letters then reach no action.
    fn guards(&self) -> bool {
        false
    }

    /// Draws what is between head and foot.
    fn view(&self, world: &W, ui: &mut Ui<'_, '_>, area: Rect);
}

/// A screen on the stack, whatever its actions are. Made by [`super::layer`].
pub trait Layer<W: World> {
    /// It comes to the top for the first time.
    fn opened(&mut self, world: &mut W) -> Steps<W>;
    /// Takes a key.
    fn key(&mut self, key: KeyEvent, world: &mut W) -> Steps<W>;
    /// Takes pasted text.
    fn paste(&mut self, pasted: &str, world: &W);
    /// Whether it takes the mouse.
    fn wants_mouse(&self) -> bool;
    /// Takes a button or the wheel.
    fn mouse(&mut self, mouse: MouseEvent, world: &mut W) -> Steps<W>;
    /// Takes news.
    fn told(&mut self, news: &W::News, world: &mut W) -> Steps<W>;
    /// Whether it is to be drawn every second.
    fn lively(&self, world: &W) -> bool;
    /// Draws the whole page and returns the room between head and foot.
    fn view(&self, world: &W, ui: &mut Ui<'_, '_>) -> Rect;
    /// Draws what lies over everything else: help or palette.
    fn view_over(&self, ui: &mut Ui<'_, '_>);
    /// Its action table as plain data.
    fn outline(&self, world: &W) -> Outline;
}
