//! The action tables of joining, step by step.

use tui_kit::keys::Action;

use super::{At, Do, Join};
use crate::screen::shared::Shared;

impl Join {
    /// The actions of the step.
    pub(super) fn table(&self, shared: &Shared) -> Vec<Action<Do>> {
        let go_on = |key: &'static str| {
            Action::new(Do::GoOn, "go-on", key, "Go on", "The next step, when this one is done.")
        };
        let copy = Action::new(Do::Copy, "copy", "y", "Copy", "Copies the fingerprint, or your number.");
        match &self.step {
            At::Invitation(_) => vec![
                go_on("ctrl-s"),
                Action::new(
                    Do::Restore,
                    "restore",
                    "ctrl-r",
                    "Bring back",
                    "Brings back a store that you had, with its recovery phrase.",
                )
                .when(!self.vault, "there is a vault already"),
                Action::new(
                    Do::Lost,
                    "lost-terminal",
                    "ctrl-t",
                    "Lost terminal",
                    "A new terminal for a store whose terminal and phrase are lost; or a new store.",
                )
                .when(!self.vault, "there is a vault already"),
            ],
            At::Center | At::Done(_) => vec![go_on("enter"), copy],
            At::Particulars => vec![go_on("ctrl-s")],
            At::Passwords => vec![
                go_on("ctrl-s"),
                Action::new(
                    Do::OnePassword,
                    "one-password",
                    "ctrl-o",
                    "One or two",
                    "One password for both, asked again at every signing; or two.",
                ),
            ],
            At::Autograph => vec![
                Action::new(
                    Do::TypeOrDraw,
                    "type",
                    "tab",
                    "Type or draw",
                    "Types the autograph, or draws it.",
                ),
                Action::new(Do::Skip, "skip", "ctrl-n", "Without", "Goes on without an autograph."),
            ],
            At::Phrase => vec![
                Action::new(
                    Do::GoOn,
                    "go-on",
                    "ctrl-s",
                    "Written down",
                    "Asks some of the words back, then goes on.",
                )
                .when(self.making.may_go_on(), "look at all the words first"),
                Action::new(
                    Do::Language,
                    "language",
                    "ctrl-g",
                    "Language",
                    "English or Japanese words: a new phrase.",
                ),
                Action::new(Do::Skip, "skip", "ctrl-n", "Without", "Goes on without a recovery phrase."),
            ],
            At::Review(_) => Vec::new(),
            At::Admission(admission) => admission.actions(shared),
        }
    }
}
