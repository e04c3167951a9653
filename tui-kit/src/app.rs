//! The one pattern of every screen: events go into `update`, effects come out as data, `view` draws what is.

use std::ffi::OsString;
use std::time::Duration;

use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Size;
use tokio::sync::mpsc;

use crate::theme::Look;
use crate::ui::Ui;

/// A program's state on one screen.
///
/// `update` waits for nothing, does no I/O and reads no clock: the time comes with the event. `view` changes nothing.
pub trait App {
    /// What the outside world tells the app: answers to effects, news.
    type Msg: Send + 'static;
    /// What the app asks the outside world to do, as data.
    type Effect;

    /// What the app asks for before the first event.
    fn start(&mut self, _now: Now) -> Effects<Self::Effect> {
        Effects::none()
    }

    /// Takes one event and says what is to be done about it.
    fn update(&mut self, now: Now, event: Event<Self::Msg>) -> Effects<Self::Effect>;

    /// Draws the state.
    fn view(&self, ui: &mut Ui<'_, '_>);

    /// After what time the app wants an [`Event::Tick`]; none while nothing on it moves by itself, which costs
    /// nothing. Asked again after every event.
    fn tick(&self, _now: Now) -> Option<Duration> {
        None
    }

    /// After what time without a key, a paste or the mouse [`App::idled`] is called; none for never. Asked again after
    /// every event.
    fn idle(&self) -> Option<Duration> {
        None
    }

    /// Nothing was done for the time of [`App::idle`]: the moment to lock what was left open. Called once until
    /// something is done again; what ends the sleep of the whole machine is not handed on as input.
    fn idled(&mut self, _now: Now) -> Effects<Self::Effect> {
        Effects::unchanged()
    }
}

/// A moment, read once by the runner and handed to everything that happens in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Milliseconds since 1970 by the machine's clock: for showing.
    pub unix_ms: i64,
    /// Time since the session began by a clock that never jumps: for spans.
    pub running: Duration,
}

/// What happens to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<M> {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted; it is never run as keys.
    Paste(String),
    /// A mouse button or wheel, while the app has asked for them.
    Mouse(MouseEvent),
    /// The screen has another size.
    Resize(Size),
    /// The time asked for by [`App::tick`] is over.
    Tick,
    /// The program goes on after Ctrl-Z.
    Resumed,
    /// The screen is about to end for a reason outside the app: the last chance to keep a draft.
    Closing(Ending),
    /// A program to which the terminal was lent has ended: with its exit code, or why it didn't run.
    Returned(Result<i32, String>),
    /// The outside world says something.
    Msg(M),
}

/// Why a screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The app asked for it.
    Quit,
    /// SIGTERM: the process is asked to end in order.
    Terminated,
    /// The terminal or the connection is gone (SIGHUP, end of input).
    HungUp,
    /// The far end has taken no output for 30 s.
    Stalled,
}

/// What an app asks for, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "effects do nothing unless they are returned to the runner"]
pub struct Effects<E> {
    list: Vec<Act<E>>,
    changed: bool,
}

/// One thing that an app asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act<E> {
    /// The program's own effect, for its [`Handler`].
    Own(E),
    /// End the screen.
    Quit,
    /// Copy a text to the clipboard of the person at this screen (OSC 52).
    Copy(String),
    /// Change the look.
    Look(Look),
    /// Report mouse buttons and the wheel, or stop.
    Mouse(bool),
    /// Draw everything anew (Ctrl-L).
    Redraw,
    /// Stop the process as Ctrl-Z does, where the session allows it.
    Suspend,
    /// Lend the terminal to another program until it ends; [`Event::Returned`] follows. Nothing is taken or drawn
    /// meanwhile. Only a local session can.
    Lend(Errand),
}

/// A program to which the terminal is lent: a pager, a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The program, looked up in `PATH`.
    pub program: OsString,
    /// Its arguments; no shell reads them.
    pub arguments: Vec<OsString>,
}

impl<E> Default for Effects<E> {
    fn default() -> Self {
        Self::none()
    }
}

impl<E> Effects<E> {
    /// Nothing to do; the state changed, so the screen is drawn.
    pub fn none() -> Self {
        Self { list: Vec::new(), changed: true }
    }

    /// Nothing to do and nothing changed: no drawing.
    pub fn unchanged() -> Self {
        Self { list: Vec::new(), changed: false }
    }

    /// One effect of the program's own.
    pub fn one(effect: E) -> Self {
        Self::act(Act::Own(effect))
    }

    /// Ends the screen.
    pub fn quit() -> Self {
        Self::act(Act::Quit)
    }

    /// Copies a text to the clipboard.
    pub fn copy(text: impl Into<String>) -> Self {
        Self::act(Act::Copy(text.into()))
    }

    /// Changes the look.
    pub fn look(look: Look) -> Self {
        Self::act(Act::Look(look))
    }

    /// One act of any kind.
    pub fn act(act: Act<E>) -> Self {
        Self { list: vec![act], changed: true }
    }

    /// One more effect of the program's own.
    pub fn and(mut self, effect: E) -> Self {
        self.list.push(Act::Own(effect));
        self
    }

    /// All of these, then all of those.
    pub fn then(mut self, more: Self) -> Self {
        self.list.extend(more.list);
        self.changed |= more.changed;
        self
    }

    /// The same with the program's own effects turned into another type's: for a screen inside an app.
    pub fn map<F>(self, turn: impl Fn(E) -> F) -> Effects<F> {
        let list = self.list.into_iter().map(|act| match act {
            Act::Own(effect) => Act::Own(turn(effect)),
            Act::Quit => Act::Quit,
            Act::Copy(text) => Act::Copy(text),
            Act::Look(look) => Act::Look(look),
            Act::Mouse(on) => Act::Mouse(on),
            Act::Redraw => Act::Redraw,
            Act::Suspend => Act::Suspend,
            Act::Lend(errand) => Act::Lend(errand),
        });
        Effects { list: list.collect(), changed: self.changed }
    }

    /// Whether the screen is to be drawn.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// What is asked for, in order.
    pub fn into_acts(self) -> Vec<Act<E>> {
        self.list
    }
}

impl<E> From<E> for Effects<E> {
    fn from(effect: E) -> Self {
        Self::one(effect)
    }
}

/// Executes an app's effects. It is called on the screen's own task and must return at once: it starts tasks and
/// gives them the [`Reply`] to answer with.
pub trait Handler<A: App> {
    /// Starts one effect.
    fn handle(&mut self, effect: A::Effect, reply: &Reply<A::Msg>);
}

impl<A: App, F: FnMut(A::Effect, &Reply<A::Msg>)> Handler<A> for F {
    fn handle(&mut self, effect: A::Effect, reply: &Reply<A::Msg>) {
        self(effect, reply);
    }
}

/// The bounded way for messages to an app.
#[derive(Debug)]
pub struct Reply<M>(mpsc::Sender<M>);

impl<M> Clone for Reply<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> Reply<M> {
    /// Sends a message, waiting for a place; false when the screen has ended.
    pub async fn send(&self, message: M) -> bool {
        self.0.send(message).await.is_ok()
    }

    /// Sends a message if there is a place. A live feed uses this and says later how many it left out.
    ///
    /// # Errors
    /// The message comes back when the queue is full or the screen has ended.
    pub fn try_send(&self, message: M) -> Result<(), M> {
        self.0.try_send(message).map_err(mpsc::error::TrySendError::into_inner)
    }

    /// Waits until the screen has ended.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// The messages that wait for an app.
#[derive(Debug)]
pub struct Mailbox<M> {
    reply: Reply<M>,
    pub(crate) waiting: mpsc::Receiver<M>,
}

impl<M> Mailbox<M> {
    /// A mailbox for so many messages.
    pub fn new(capacity: usize) -> Self {
        let (tx, waiting) = mpsc::channel(capacity.max(1));
        Self { reply: Reply(tx), waiting }
    }

    /// A way to send to it, also before the screen runs.
    pub fn reply(&self) -> Reply<M> {
        self.reply.clone()
    }
}
