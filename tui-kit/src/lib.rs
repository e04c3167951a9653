//! The terminal craft that Inkan's three programs share.

pub mod app;
pub mod cli;
pub mod clip;
pub mod control;
pub mod detail;
pub mod edit;
pub mod form;
pub mod guard;
pub mod keys;
pub mod log;
pub mod profile;
pub mod progress;
pub mod remote;
pub mod review;
pub mod run;
pub mod session;
pub mod table;
pub mod tabs;
pub mod testing;
pub mod text;
pub mod theme;
pub mod time;
pub mod toast;
pub mod ui;

pub use app::{Act, App, Effects, Ending, Event, Handler, Mailbox, Now, Reply};
pub use ratatui;
pub use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
pub use run::{run, run_with};
pub use session::{Abilities, Local, Session, SessionError};
pub use theme::{Look, Theme, Tone};
pub use ui::{Page, Ui};
