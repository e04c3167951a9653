//! One question to the engine, from asking to answer.

use tui_kit::{Now, ratatui::layout::Rect, text, theme::Tone, ui::Ui};

use crate::{
    act::{Act, Failure, Outcome},
    screen::{
        News, Step,
        shared::{Shared, Ticket},
    },
};

/// A question to the engine.
#[derive(Debug)]
pub(super) enum Asked<T> {
    /// Not asked, or no longer waited for.
    Not,
    /// Asked.
    Waiting {
        ticket: Ticket,
        since: Now,
    },
    /// Answered.
    Here(T),
    /// Not answered, in words.
    Failed(Failure),
}

impl<T> Asked<T> {
    /// Asks; an earlier answer is forgotten.
    pub(super) fn ask(&mut self, act: Act, shared: &mut Shared) -> Step {
        let (ticket, step) = shared.ask(act);
        *self = Self::Waiting { ticket, since: shared.now };
        step
    }

    /// Takes the answer if it is to this question; true then.
    pub(super) fn told(&mut self, news: &News, pick: impl FnOnce(&Outcome) -> Option<T>) -> bool {
        let (Self::Waiting { ticket, .. }, News::Done(answered, result)) = (&*self, news) else { return false };
        if ticket != answered {
            return false;
        }
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

    /// Says in place of the answer what is awaited, or why it did not come.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect, awaited: &str, again: &str) {
        let (tone, words) = match self {
            Self::Waiting { since, .. } => (Tone::Warn, since_words(awaited, *since, ui.now())),
            Self::Failed(failure) => (Tone::Bad, format!("{failure}. {again}")),
            Self::Not | Self::Here(_) => return,
        };
        let mark = ui.theme().mark(tone);
        let style = ui.theme().tone(tone);
        ui.paragraph(area, &format!("{mark} {words}"), style);
    }
}

/// `waiting for the directory: 3 s`
pub(super) fn since_words(awaited: &str, since: Now, now: Now) -> String {
    let seconds = now.running.saturating_sub(since.running);
    format!("waiting for {awaited}, {} so far", text::span(seconds))
}
