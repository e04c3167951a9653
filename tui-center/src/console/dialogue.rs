//! Acts from the console: what is still needed is filled in, the whole is reviewed, and one deliberate step does it.
//!
//! What each act asks for and shows stands in a part of its own:
//!
//! | part | acts |
//! |---|---|
//! | [`money`] | freezing, receipts, refunds, the clock |
//! | [`joining`] | applications, codes, letters, post, the kit |
//! | [`people`] | personal data, keys |
//! | [`staff`] | operators, proposals, limits, refunds, the center's keys |

pub(super) mod joining;
pub(super) mod money;
pub(super) mod people;
pub(super) mod staff;

use std::{fmt, path::PathBuf};

use ratatui::crossterm::event::KeyEvent;
use tui_kit::{
    KeyCode, Now, Ui,
    form::{self, Field, Form},
    review::{self, Review},
};

use crate::acts::Act;

/// The longest reason, in characters.
const REASON_CHARS: usize = 200;
/// The widest and tallest that a dialogue gets.
const SIZE: (u16, u16) = (76, 18);
/// Lines of a form beside its fields: the border, the button and its gap.
const CHROME: u16 = 4;
/// Lines that a field may take, with its hint.
const FIELD_LINES: u16 = 3;

/// What is open over the screens while an act is prepared.
#[derive(Debug)]
pub(super) enum Dialogue {
    /// Something is still to be filled in.
    Filling(Box<Filling>),
    /// The act is shown as a whole. Behind it lies what was filled in.
    Reviewing(Box<Prepared>, Option<Box<Filling>>),
    /// It is done under a ticket, and the answer awaited.
    Doing(u64, Box<Prepared>, Option<Box<Filling>>),
}

/// Something that is filled in, and what it makes.
pub(super) struct Filling {
    title: String,
    form: Form,
    fields: usize,
    make: Make,
}

/// Makes the act out of what was filled in; else the field that is wrong, and why.
type Make = Box<dyn Fn(&Form) -> Result<Prepared, (&'static str, String)> + Send>;

/// An act with its review.
#[derive(Debug)]
pub(super) struct Prepared {
    act: Act,
    review: Review,
    into: Option<PathBuf>,
}

impl Prepared {
    /// An act with its review.
    pub(super) fn new(act: Act, review: Review) -> Self {
        Self { act, review, into: None }
    }

    /// What the act hands out is written into this new file of the center's machine.
    fn into_file(self, path: PathBuf) -> Self {
        Self { into: Some(path), ..self }
    }
}

/// What a key in a dialogue asks for.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing beyond the dialogue.
    Stay,
    /// Close it.
    Close,
    /// Do this; what it hands out goes into a file where there is one.
    Do(Act, Option<PathBuf>),
}

impl Dialogue {
    /// A dialogue that begins with fields.
    pub(super) fn fill(
        title: impl Into<String>,
        fields: impl IntoIterator<Item = Field>,
        make: impl Fn(&Form) -> Result<Prepared, (&'static str, String)> + Send + 'static,
    ) -> Self {
        let fields: Vec<Field> = fields.into_iter().collect();
        let count = fields.len();
        let form = Form::new("Review", fields);
        Self::Filling(Box::new(Filling { title: title.into(), form, fields: count, make: Box::new(make) }))
    }

    /// A dialogue that begins with the review.
    pub(super) fn review(act: Act, review: Review) -> Self {
        Self::prepared(Prepared::new(act, review))
    }

    /// The same, of an act that is prepared already.
    pub(super) fn prepared(prepared: Prepared) -> Self {
        Self::Reviewing(Box::new(prepared), None)
    }

    /// Takes a key.
    pub(super) fn press(mut self, key: KeyEvent) -> (Self, Step) {
        let step = match &mut self {
            Self::Filling(filling) => {
                // A form of one field needs no way to its button.
                let alone = filling.fields == 1 && key.code == KeyCode::Enter;
                match if alone { filling.form.submit() } else { filling.form.press(key) } {
                    form::Pressed::Taken => Step::Stay,
                    form::Pressed::Free => leave(key),
                    form::Pressed::Back => Step::Close,
                    form::Pressed::Submit => return (self.made(), Step::Stay),
                }
            }
            Self::Reviewing(prepared, filling) => match prepared.review.press(key) {
                review::Pressed::Taken => Step::Stay,
                review::Pressed::Free => leave(key),
                review::Pressed::Back => match filling.take() {
                    // One step back: to what was filled in, where something was.
                    Some(filling) => return (Self::Filling(filling), Step::Stay),
                    None => Step::Close,
                },
                review::Pressed::Commit(_) => Step::Do(prepared.act.clone(), prepared.into.clone()),
            },
            Self::Doing(_, prepared, _) => match prepared.review.press(key) {
                review::Pressed::Free if key.code == KeyCode::Esc => Step::Close,
                _ => leave(key),
            },
        };
        (self, step)
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, pasted: &str) {
        match self {
            Self::Filling(filling) => filling.form.paste(pasted),
            Self::Reviewing(prepared, _) => prepared.review.paste(pasted),
            Self::Doing(..) => {}
        }
    }

    /// The act is on its way under a ticket.
    pub(super) fn doing(self, ticket: u64, now: Now) -> Self {
        match self {
            Self::Reviewing(mut prepared, filling) => {
                prepared.review.wait(now, "the desk (Esc leaves; the outcome is told all the same)");
                Self::Doing(ticket, prepared, filling)
            }
            other => other,
        }
    }

    /// The act was refused: it can be mended and tried again.
    pub(super) fn refuse(self, why: &str) -> Self {
        match self {
            Self::Doing(_, mut prepared, filling) => {
                prepared.review.refuse(why);
                Self::Reviewing(prepared, filling)
            }
            other => other,
        }
    }

    /// The ticket of the act that is on its way.
    pub(super) fn ticket(&self) -> Option<u64> {
        match self {
            Self::Doing(ticket, ..) => Some(*ticket),
            _ => None,
        }
    }

    /// Draws the dialogue over the screen.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>) {
        match self {
            Self::Filling(filling) => {
                let screen = ui.area();
                let fields = u16::try_from(filling.fields).unwrap_or(u16::MAX);
                let tall = fields.saturating_mul(FIELD_LINES).saturating_add(CHROME);
                let height = tall.clamp(10, SIZE.1).min(screen.height);
                let inner = ui.dialogue(SIZE.0.min(screen.width), height, &filling.title);
                filling.form.view(ui, inner);
            }
            Self::Reviewing(prepared, _) | Self::Doing(_, prepared, _) => over(ui, &prepared.review),
        }
    }

    /// What was filled in is reviewed, or what is wrong in it is said.
    fn made(self) -> Self {
        let Self::Filling(mut filling) = self else { return self };
        match (filling.make)(&filling.form) {
            Ok(prepared) => Self::Reviewing(Box::new(prepared), Some(filling)),
            Err((field, why)) => {
                filling.form.refuse(field, why);
                Self::Filling(filling)
            }
        }
    }
}

impl fmt::Debug for Filling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filling").field("title", &self.title).finish_non_exhaustive()
    }
}

/// The field for a reason that stands in the books.
fn reason() -> Field {
    Field::text("reason", "Reason")
        .max(REASON_CHARS)
        .required()
        .hint("stands in the journal; no personal data")
}

/// Draws a review over the screen.
pub(super) fn over(ui: &mut Ui<'_, '_>, review: &Review) {
    let screen = ui.area();
    let (width, height) = (SIZE.0.min(screen.width), SIZE.1.min(screen.height));
    let area = ratatui::layout::Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    ui.clear(area);
    review.view(ui, area);
}

/// Ctrl-C leaves a dialogue as Esc does, and nothing else.
fn leave(key: KeyEvent) -> Step {
    if tui_kit::keys::Chord::ctrl('c').is(&key) { Step::Close } else { Step::Stay }
}
