//! The operators' screens: the same app on the program's own terminal, on `attach` and over SSH.
//!
//! Each operator has an own [`Console`] model and an own screen size. Shared truth arrives as snapshots: the newest
//! [`Overview`](crate::inquiry::view::Overview) is handed to each screen a few times a second at most, however many
//! payments pass, and registers are asked for page by page, off the screen's task. Nothing of the center is locked
//! while a screen is drawn. Every act goes to the desk with the operator's name and is journalled like a payment.
//!
//! Nothing is shown before an operator is believed: owning the terminal or the control socket gives no identity.
//!
//! | file | holds |
//! |---|---|
//! | [`source`] | what a console needs from the center |
//! | `app` | the model: the door, the screens, leaving |
//! | `inside` | the screens behind the door: which is shown, what is opened over it, the act that is prepared |
//! | `tabs` | what the screens are called and how they lie in groups |
//! | `screens` | what every screen can do |
//! | `overview`, `register`, `report`, `sheet` | what is shown: how the center stands, a register, a day, one thing |
//! | `rows`, `about` | what a line of each register shows, and what it opens |
//! | `documents`, `editing` | guide pages, forms, terms and policy, and one of them while it is edited |
//! | `dialogue` | acts: filled in, reviewed, done |
//! | `keys` | what can be done, from one table |
//! | `handout` | what an act hands out, written into a file |
//! | `attend` | runs a console on a terminal: the effects, executed |

mod about;
mod app;
mod attend;
mod dialogue;
mod documents;
mod editing;
mod handout;
mod inside;
mod keys;
mod overview;
mod register;
mod report;
mod rows;
mod screens;
mod sheet;
mod sign_in;
pub mod source;
mod tabs;
#[cfg(test)]
mod tests;

pub use self::{
    app::{Console, Effect, Host, Msg},
    attend::{Consoles, attend},
};
