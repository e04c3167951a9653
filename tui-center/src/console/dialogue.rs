//! Acts from the console: what is still needed is filled in, the whole is reviewed, and one deliberate step does it.

use ledger::request::Standing;
use ratatui::crossterm::event::KeyEvent;
use tui_kit::{
    KeyCode, Now, Tone, Ui,
    detail::Row,
    form::{self, Field, Form},
    review::{self, Review},
};
use wire::id::EntryNumber;

use crate::{acts::Act, inquiry::view::DeskRow};

/// The longest reason, in characters.
const REASON_CHARS: usize = 200;
/// The widest and tallest that a dialogue gets.
const SIZE: (u16, u16) = (76, 18);

/// What is open over the screens while an act is prepared.
#[derive(Debug)]
pub(super) enum Dialogue {
    /// Something is still to be filled in.
    Filling(Filling, Box<Form>),
    /// The act is shown as a whole.
    Reviewing(Act, Box<Review>),
    /// It is done under a ticket, and the answer awaited.
    Doing(u64, Act, Box<Review>),
}

/// What is being filled in.
#[derive(Debug, Clone)]
pub(super) enum Filling {
    /// Why something is frozen or released.
    Reason {
        /// What.
        of: Standing,
        /// Whether it is to be frozen.
        frozen: bool,
    },
    /// Which card request a receipt is for.
    Request(Box<DeskRow>),
}

/// What a key in a dialogue asks for.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing beyond the dialogue.
    Stay,
    /// Close it.
    Close,
    /// Do this.
    Do(Act),
}

impl Dialogue {
    /// Freezes or releases something.
    pub(super) fn standing(of: Standing, frozen: bool) -> Self {
        let field = Field::text("reason", "Reason").max(REASON_CHARS).required();
        let field = field.hint("stands in the journal; no personal data");
        Self::Filling(Filling::Reason { of, frozen }, Box::new(Form::new("Review", [field])))
    }

    /// Assigns a receipt to a card request.
    pub(super) fn assign(row: &DeskRow) -> Self {
        let named = row.request.map(|request| request.to_string()).unwrap_or_default();
        let field = Field::text("request", "Card request").required().with(&named);
        let field =
            field.hint("its transaction number, T-...").check(|text| match text.parse::<EntryNumber>() {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            });
        Self::Filling(Filling::Request(Box::new(row.clone())), Box::new(Form::new("Review", [field])))
    }

    /// Sends a receipt back.
    pub(super) fn give_back(row: &DeskRow) -> Self {
        let review = Review::new("Send a receipt back", "Send it back", receipt_rows(row))
            .warn("A transfer to the payer is handed to the bank. It can't be called back.")
            .typed("its number", row.number.to_string());
        Self::Reviewing(Act::ReturnReceipt { receipt: row.number }, Box::new(review))
    }

    /// Says that the clock, which jumped, is right.
    pub(super) fn accept_clock(words: &str) -> Self {
        let review = Review::new("Accept the clock", "Accept it", [Row::Words(words.to_owned())])
            .warn("Whatever has expired by the new time lapses at once.")
            .typed("the word", "clock");
        Self::Reviewing(Act::AcceptClock, Box::new(review))
    }

    /// Takes a key.
    pub(super) fn press(&mut self, key: KeyEvent) -> Step {
        match self {
            Self::Filling(filling, form) => {
                // A form of one field needs no way to its button.
                let pressed = if key.code == KeyCode::Enter { form.submit() } else { form.press(key) };
                match pressed {
                    form::Pressed::Taken => Step::Stay,
                    form::Pressed::Free => leave(key),
                    form::Pressed::Back => Step::Close,
                    form::Pressed::Submit => {
                        if let Some(filled) = filling.clone().filled(form) {
                            *self = filled;
                        }
                        Step::Stay
                    }
                }
            }
            Self::Reviewing(act, review) => match review.press(key) {
                review::Pressed::Taken => Step::Stay,
                review::Pressed::Free => leave(key),
                review::Pressed::Back => Step::Close,
                review::Pressed::Commit(_) => Step::Do(act.clone()),
            },
            Self::Doing(_, _, review) => match review.press(key) {
                review::Pressed::Free if key.code == KeyCode::Esc => Step::Close,
                _ => leave(key),
            },
        }
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, pasted: &str) {
        match self {
            Self::Filling(_, form) => form.paste(pasted),
            Self::Reviewing(_, review) => review.paste(pasted),
            Self::Doing(..) => {}
        }
    }

    /// The act is on its way under a ticket.
    pub(super) fn doing(self, ticket: u64, now: Now) -> Self {
        match self {
            Self::Reviewing(act, mut review) => {
                review.wait(now, "the desk (Esc leaves; the outcome is told all the same)");
                Self::Doing(ticket, act, review)
            }
            other => other,
        }
    }

    /// The act was refused: it can be mended and tried again.
    pub(super) fn refuse(self, why: &str) -> Self {
        match self {
            Self::Doing(_, act, mut review) => {
                review.refuse(why);
                Self::Reviewing(act, review)
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
        let screen = ui.area();
        let (width, height) = (SIZE.0.min(screen.width), SIZE.1.min(screen.height));
        match self {
            Self::Filling(filling, form) => {
                let inner = ui.dialogue(width, height.min(10), &filling.title());
                form.view(ui, inner);
            }
            Self::Reviewing(_, review) | Self::Doing(_, _, review) => over(ui, review),
        }
    }
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
    ui.widget(area, ratatui::widgets::Clear);
    review.view(ui, area);
}

/// How something that can be frozen is called.
pub(super) fn called(of: Standing) -> String {
    match of {
        Standing::Card(card) => format!("card {card}"),
        Standing::Account(account) => match account {
            wire::id::AccountNumber::Member(member) => format!("member {member}"),
            wire::id::AccountNumber::Store(store) => format!("store {store}"),
        },
    }
}

impl Filling {
    fn title(&self) -> String {
        match self {
            Self::Reason { of, frozen: true } => format!("Freeze {}", called(*of)),
            Self::Reason { of, frozen: false } => format!("Release {}", called(*of)),
            Self::Request(row) => format!("Assign receipt {}", row.number),
        }
    }

    fn filled(self, form: &Form) -> Option<Dialogue> {
        match self {
            Self::Reason { of, frozen } => {
                let reason = form.text("reason");
                let rows = [
                    Row::toned("what", Tone::Strong, called(of)),
                    Row::pair("from now on", if frozen { "frozen" } else { "in good standing" }),
                    Row::pair("reason", reason.clone()),
                ];
                let (title, verb, warning) = if frozen {
                    (
                        "Freeze",
                        "Freeze it",
                        "Payments, claims and orders of it are refused until it is released.",
                    )
                } else {
                    ("Release", "Release it", "It can pay, claim and order again at once.")
                };
                let number = match of {
                    Standing::Card(card) => card.to_string(),
                    Standing::Account(account) => account.to_string(),
                };
                let review = Review::new(title, verb, rows).warn(warning).typed("its number", number);
                Some(Dialogue::Reviewing(Act::Standing { of, frozen, reason }, Box::new(review)))
            }
            Self::Request(row) => {
                let request = form.text("request").parse().ok()?;
                let mut rows = receipt_rows(&row);
                rows.push(Row::toned("goes to card request", Tone::Strong, EntryNumber::to_string(&request)));
                let review = Review::new("Assign a receipt", "Assign it", rows)
                    .warn("A card is issued with what came in, whatever was asked for. This can't be undone.")
                    .typed("its number", row.number.to_string());
                let act = Act::AssignReceipt { receipt: row.number, request };
                Some(Dialogue::Reviewing(act, Box::new(review)))
            }
        }
    }
}

fn receipt_rows(row: &DeskRow) -> Vec<Row> {
    vec![
        Row::toned("receipt", Tone::Strong, row.number.to_string()),
        Row::toned("amount", Tone::Strong, row.amount.text.clone()),
        Row::pair("came", row.at.text.clone()),
        Row::pair("payer wrote", row.reference.clone()),
        Row::pair("payer", row.payer.clone()),
        Row::pair("what is wrong", row.words.clone()),
    ]
}

/// Ctrl-C leaves a dialogue as Esc does, and nothing else.
fn leave(key: KeyEvent) -> Step {
    if tui_kit::keys::Chord::ctrl('c').is(&key) { Step::Close } else { Step::Stay }
}
