//! The terminal craft that Inkan's three programs share. It knows nothing of telegrams, vaults or ledgers.
//!
//! # How a screen is written
//!
//! A screen is a plain struct with three things: what can be done ([`keys::Actions`]), what happens
//! ([`App::update`]) and what is seen ([`App::view`]). `update` waits for nothing, does no I/O and reads no clock; what
//! it wants done it returns as data, and a [`Handler`] does it and answers with messages. [`run()`] drives it, on this
//! process's terminal ([`Session::local`]), over a unix socket ([`remote`]) or over any other pair of byte streams
//! ([`Session::through`]); the screen can't tell the difference.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use tui_kit::keys::{Action, Actions, Keys, Pressed};
//! use tui_kit::toast::Toasts;
//! use tui_kit::{App, Effects, Event, Local, Now, Page, Reply, Session, Tone, Ui};
//!
//! /// What can be done on this screen.
//! #[derive(Clone, Copy)]
//! enum Do {
//!     Add,
//!     Save,
//!     Quit,
//! }
//!
//! /// What is asked of the outside world, and what it answers.
//! enum Effect {
//!     Save(u32),
//! }
//! enum Msg {
//!     Saved(Result<(), String>),
//! }
//!
//! #[derive(Default)]
//! struct Counter {
//!     count: u32,
//!     saving: bool,
//!     keys: Keys<Do>,
//!     toasts: Toasts,
//! }
//!
//! impl Counter {
//!     /// One table feeds dispatch, footer, help and palette.
//!     fn actions(&self) -> Actions<Do> {
//!         Actions::new("counter", [
//!             Action::new(Do::Add, "add", "a +", "Add", "Adds one."),
//!             Action::new(Do::Save, "save", "s", "Save", "Saves the count.")
//!                 .when(!self.saving, "it is being saved already"),
//!             Action::new(Do::Quit, "quit", "q", "Quit", "Leaves the program."),
//!         ])
//!     }
//!
//!     fn act(&mut self, act: Do) -> Effects<Effect> {
//!         match act {
//!             Do::Add => self.count += 1,
//!             Do::Save => {
//!                 self.saving = true;
//!                 return Effects::one(Effect::Save(self.count));
//!             }
//!             Do::Quit => return Effects::quit(),
//!         }
//!         Effects::none()
//!     }
//! }
//!
//! impl App for Counter {
//!     type Msg = Msg;
//!     type Effect = Effect;
//!
//!     fn update(&mut self, now: Now, event: Event<Msg>) -> Effects<Effect> {
//!         match event {
//!             // A screen with a form or a filter hands the key to it first, unless `keys.is_open()`.
//!             Event::Key(key) => match self.keys.press(&self.actions(), key) {
//!                 Pressed::Run(act) => return self.act(act),
//!                 Pressed::Refused(why) => self.toasts.say(now, Tone::Warn, why),
//!                 Pressed::Taken | Pressed::Free => {}
//!             },
//!             Event::Msg(Msg::Saved(result)) => {
//!                 self.saving = false;
//!                 match result {
//!                     Ok(()) => self.toasts.say(now, Tone::Good, "saved"),
//!                     Err(why) => self.toasts.say(now, Tone::Bad, why),
//!                 }
//!             }
//!             _ => {}
//!         }
//!         Effects::none()
//!     }
//!
//!     fn view(&self, ui: &mut Ui<'_, '_>) {
//!         let footer = self.actions().footer(ui.area().width, ui.theme());
//!         let body = ui.page(Page { title: "Counter", status: "", footer });
//!         ui.line(body, format!("counted to {}", self.count));
//!         self.toasts.view(ui, body);
//!         self.keys.view(ui);
//!     }
//!
//!     fn tick(&self, now: Now) -> Option<Duration> {
//!         self.toasts.tick(now)
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), tui_kit::SessionError> {
//!     let mut session = Session::local(Local::default())?;
//!     let handler = |effect: Effect, reply: &Reply<Msg>| {
//!         let reply = reply.clone();
//!         match effect {
//!             Effect::Save(count) => tokio::spawn(async move {
//!                 let saved = tokio::fs::write("count", count.to_string()).await;
//!                 reply.send(Msg::Saved(saved.map_err(|error| error.to_string()))).await
//!             }),
//!         };
//!     };
//!     tui_kit::run(&mut Counter::default(), &mut session, handler).await?;
//!     session.finish().await;
//!     Ok(())
//! }
//! ```
//!
//! It is tested without a terminal: [`testing::Stage`] types keys, lets time pass, and returns the screen as text.
//!
//! # What is here
//!
//! | for | see |
//! |---|---|
//! | the loop | [`app`], [`mod@run`], [`session`], [`guard`] |
//! | keys, help, palette, rebinding | [`keys`] |
//! | entering things | [`form`], [`review`], [`edit`], [`area`], [`writing`], [`pad`], [`code`] |
//! | a recovery phrase | [`phrase`] |
//! | what must not be overlooked, or left open | [`alarm`], [`idle`] |
//! | showing things | [`table`], [`detail`], [`pager`], [`tabs`], [`toast`], [`progress`], [`sections`], [`ui`], [`theme`], [`text`], [`time`] |
//! | several screens in one program | [`stack`] |
//! | other terminals | [`remote`], [`clip`] |
//! | the program around the screens | [`cli`], [`control`], [`profile`], [`log`] |
//! | dying at a named point, in tests | [`failpoint`] |
//!
//! # What is never here
//!
//! A clock or I/O in `update` or `view`; a process-wide answer to what a terminal can do; a queue without a bound; a
//! redraw while nothing changes; a terminal left in raw mode.

pub mod alarm;
pub mod app;
pub mod area;
pub mod cli;
pub mod clip;
pub mod code;
pub mod control;
pub mod detail;
pub mod edit;
pub mod failpoint;
pub mod form;
pub mod guard;
pub mod idle;
pub mod keys;
pub mod log;
pub mod pad;
pub mod pager;
pub mod phrase;
pub mod profile;
pub mod progress;
pub mod remote;
pub mod review;
pub mod run;
pub mod sections;
pub mod session;
pub mod stack;
pub mod table;
pub mod tabs;
pub mod testing;
pub mod text;
pub mod theme;
pub mod time;
pub mod toast;
pub mod ui;
pub mod writing;

pub use app::{Act, App, Effects, Ending, Errand, Event, Handler, Mailbox, Now, Reply};
pub use ratatui;
pub use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
pub use run::{run, run_with};
pub use session::{Abilities, Local, Session, SessionError};
pub use theme::{Look, Theme, Tone};
pub use ui::{Page, Ui};
