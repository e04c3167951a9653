//! One question to the engine, from asking to answer.

use tui_kit::{progress::Waiting, ratatui::layout::Rect, theme::Tone, ui::Ui};

use crate::{
    act::{Act, Failure, Outcome},
    screen::{
        News, Step,
        shared::{Shared, Ticket},
    },
};

/// A question to the engine.
#[derive(Debug, Default)]
pub(super) enum Asked<T> {
    /// Not asked.
    #[default]
    Not,
    /// Asked.
    Waiting {
        /// Which question.
        ticket: Ticket,
        /// What is awaited, since when.
        waiting: Waiting,
    },
    /// Answered.
    Here(T),
    /// Not answered, in words.
    Failed(Failure),
}

impl<T> Asked<T> {
    /// Asks, and says what is awaited; an earlier answer is forgotten.
    pub(super) fn ask(&mut self, act: Act, awaited: &str, shared: &mut Shared) -> Step {
        let (ticket, step) = shared.ask(act);
        *self = Self::Waiting { ticket, waiting: Waiting::new(shared.now, awaited, "Esc goes back") };
        step
    }

    /// The same for an exported telegram in a file.
    pub(super) fn ask_to_import(&mut self, path: std::path::PathBuf, shared: &mut Shared) -> Step {
        let (ticket, step) = shared.ask_to_import(path);
        *self = Self::Waiting {
            ticket,
            waiting: Waiting::new(shared.now, "the vault to take it in", "Esc goes back"),
        };
        step
    }

    /// Takes the answer if it is to this question; true then.
    pub(super) fn told(
        &mut self,
        news: &News,
        shared: &mut Shared,
        pick: impl FnOnce(&Outcome) -> Option<T>,
    ) -> bool {
        let (Self::Waiting { ticket, .. }, News::Done(answered, result)) = (&*self, news) else {
            return false;
        };
        if ticket != answered {
            return false;
        }
        shared.strike_off(*ticket);
        *self = match result {
            Ok(outcome) => pick(outcome).map_or(Self::Not, Self::Here),
            Err(failure) => Self::Failed(failure.clone()),
        };
        true
    }

    pub(super) fn here(&self) -> Option<&T> {
        if let Self::Here(answer) = self { Some(answer) } else { None }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }

    /// Says in place of the answer what is awaited, or why it did not come and what to do.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect, again: &str) {
        match self {
            Self::Waiting { waiting, .. } => waiting.view(ui, area),
            Self::Failed(failure) => {
                let words = format!("{} {failure}. {again}", ui.theme().mark(Tone::Bad));
                let style = ui.theme().bad;
                ui.paragraph(area, &words, style);
            }
            Self::Not | Self::Here(_) => {}
        }
    }
}
