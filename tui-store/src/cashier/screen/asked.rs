//! One question to the terminal, from asking to answer.

use tui_kit::{progress::Waiting, ratatui::layout::Rect, theme::Tone, ui::Ui};

use super::{News, Shared, Step, Ticket};
use crate::{
    act::Failure,
    cashier::act::{Act, Outcome},
};

/// A question to the terminal.
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

    /// The answer, or why there is none; the question is as if it was not asked afterwards.
    pub(super) fn take(&mut self) -> Option<Result<T, Failure>> {
        match std::mem::take(self) {
            Self::Here(answer) => Some(Ok(answer)),
            Self::Failed(failure) => Some(Err(failure)),
            Self::Not | Self::Waiting { .. } => None,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
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
