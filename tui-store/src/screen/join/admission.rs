//! After the application: its state, the terms, number and code, the registration.

use tui_kit::{
    KeyCode, KeyEvent,
    detail::{Detail, Row},
    form::{Field, Form, Pressed},
    keys::Action,
    pager::Pager,
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    review::{Consent, Pressed as Reviewed, Review},
    theme::Tone,
    ui::Ui,
};
use wire::{
    admission::ActivationCode,
    id::{AccountNumber, StoreNumber},
};

use super::shown::form_view;
use crate::{
    act::{Failure, FailureKind, Password},
    app::{Effect, NewcomerAct},
    join::{Stage, Standing},
    screen::{Step, Steps, shared::Shared},
};

const NUMBER: &str = "number";
const CODE: &str = "code";
const LATER: &str = "later";
/// The letters of an activation code.
const CODE_CHARS: usize = 16;

/// An application that the center has, and what comes after it.
pub(super) struct Admission {
    standing: Standing,
    detail: Detail,
    code: Form,
    step: At,
}

enum At {
    /// How it stands.
    Standing,
    /// The terms are read.
    Terms(Pager),
    Code,
    Review(Box<Review>, StoreNumber, ActivationCode, bool),
    /// Something was asked of the center.
    Waiting(Waiting),
}

/// What can be done about it.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Ask,
    Terms,
    Accept,
    Code,
    Amend,
    Send,
    Withdraw,
    Copy,
}

impl Admission {
    pub(super) fn new(standing: &Standing) -> Self {
        let number = Field::text(NUMBER, "Number")
            .required()
            .hint("like S-000001-3, from the mail or letter")
            .check(|text| match text.parse::<AccountNumber>() {
                Ok(AccountNumber::Store(_)) => Ok(()),
                Ok(_) => Err("is a member's number; a store's begins with S-".into()),
                Err(error) => Err(error.to_string()),
            });
        let fields = [
            number,
            Field::code(CODE, "Activation code", CODE_CHARS)
                .required()
                .hint("16 letters and digits, from the same mail or letter"),
            Field::switch(LATER, "Send it later").hint("prepares it offline: it waits in the outbox"),
        ];
        Self {
            detail: Detail::new(rows(standing)),
            standing: standing.clone(),
            code: Form::new("Review", fields),
            step: At::Standing,
        }
    }

    pub(super) fn title(&self) -> String {
        match &self.step {
            At::Standing if self.standing.stage == Stage::Prepared => {
                "Join: registration prepared (step 7 of 7)"
            }
            At::Standing | At::Waiting(_) => "Join: your application (step 6 of 7)",
            At::Terms(_) => "Join: terms of use (step 5 of 7)",
            At::Code => "Join: number and code (step 7 of 7)",
            At::Review(..) => "Join: review of the registration (step 7 of 7)",
        }
        .into()
    }

    pub(super) fn actions(&self, _shared: &Shared) -> Vec<Action<super::Do>> {
        match &self.step {
            At::Standing if matches!(self.standing.stage, Stage::Prepared | Stage::Sent) => vec![
                Action::new(
                    super::Do::Admission(Do::Send),
                    "send",
                    "enter",
                    "Send",
                    "Sends the registration that waits.",
                ),
                Action::new(
                    super::Do::Admission(Do::Withdraw),
                    "withdraw",
                    "w",
                    "Withdraw",
                    "Takes the registration back.",
                )
                .when(self.standing.stage == Stage::Prepared, "it may have left; only the center can end it"),
            ],
            At::Standing => {
                let state = self.standing.application.as_ref().map_or("", |row| row.state.as_str());
                vec![
                    Action::new(
                        super::Do::Admission(Do::Code),
                        "code",
                        "enter",
                        "Number, code",
                        "Enters the number and code that came.",
                    )
                    .when(self.standing.terms_accepted, "read the terms first: t"),
                    Action::new(
                        super::Do::Admission(Do::Terms),
                        "terms",
                        "t",
                        "Terms",
                        "The terms of use, to be read and accepted.",
                    )
                    .when(self.standing.kit.is_some(), "the admission kit is not here yet: r fetches it"),
                    Action::new(
                        super::Do::Admission(Do::Ask),
                        "ask",
                        "r",
                        "Ask center",
                        "How the application stands now.",
                    ),
                    Action::new(
                        super::Do::Admission(Do::Amend),
                        "amend",
                        "a",
                        "Amend",
                        "Fills in what the center asked back for.",
                    )
                    .when(matches!(state, "asked-back" | "refused"), "the center asks nothing back"),
                    Action::new(
                        super::Do::Admission(Do::Copy),
                        "copy",
                        "y",
                        "Copy number",
                        "Copies the application's number.",
                    ),
                ]
            }
            At::Terms(pager) => vec![
                Action::new(
                    super::Do::Admission(Do::Accept),
                    "accept",
                    "enter",
                    "Accept",
                    "Accepts the terms of use.",
                )
                .when(pager.was_read(), "read them to the end first"),
            ],
            At::Code | At::Review(..) | At::Waiting(_) => Vec::new(),
        }
    }

    pub(super) fn run(&mut self, todo: Do, shared: &Shared) -> Steps {
        match todo {
            Do::Ask => self.ask(NewcomerAct::Ask, "the center's word about the application", shared),
            Do::Terms => {
                if let Some(kit) = &self.standing.kit {
                    let title = format!("Terms of use, version {}", kit.terms_version);
                    self.step = At::Terms(Pager::new(title, &kit.terms));
                }
                Steps::new()
            }
            Do::Accept => {
                let Some(version) = self.standing.kit.as_ref().map(|kit| kit.terms_version) else {
                    return Steps::new();
                };
                self.ask(NewcomerAct::AcceptTerms(version), "the vault to keep it", shared)
            }
            Do::Code => {
                self.step = At::Code;
                Steps::new()
            }
            Do::Send => self.ask(NewcomerAct::Send, "the center's number for you", shared),
            Do::Withdraw => self.ask(NewcomerAct::Withdraw, "the vault to take it back", shared),
            Do::Copy => {
                let number = self.standing.application.as_ref().map(|row| row.application.to_string());
                number.map(|text| Step::Copy { text, what: "the application's number" }).into_iter().collect()
            }
            Do::Amend => Steps::new(),
        }
    }

    fn ask(&mut self, act: NewcomerAct, awaited: &str, shared: &Shared) -> Steps {
        self.step = At::Waiting(Waiting::new(shared.now, awaited, ""));
        vec![Step::Own(Effect::Newcomer(act))]
    }

    /// From number and code to the review, when both are right.
    fn entered(&mut self, shared: &Shared) -> Steps {
        if self.code.submit() != Pressed::Submit {
            return Steps::new();
        }
        let Ok(AccountNumber::Store(store)) = self.code.text(NUMBER).parse::<AccountNumber>() else {
            return Steps::new();
        };
        let code = match self.code.text(CODE).parse::<ActivationCode>() {
            Ok(code) => code,
            Err(error) => {
                self.code.refuse(CODE, error.to_string());
                return Steps::new();
            }
        };
        let later = self.code.is_on(LATER);
        let terms = self.standing.kit.as_ref().map(|kit| kit.terms_version.to_string()).unwrap_or_default();
        let recovery = self.standing.recovery.as_ref().map_or("none", |row| row.key.as_str());
        let mut rows = vec![Row::pair("Number", store.to_string())];
        rows.extend(
            self.standing.application.iter().map(|row| Row::pair("Application", row.application.to_string())),
        );
        rows.extend([
            Row::pair("Terms of use", format!("version {terms}, accepted")),
            Row::pair("Recovery key", recovery),
            Row::pair("Sent", if later { "later: it waits in the outbox" } else { "at once" }),
        ]);
        let act = if later { "Sign and keep" } else { "Sign and register" };
        let review = shared.sealed(Review::new("Register as a store", act, rows)).password("Password B");
        self.step = At::Review(Box::new(review), store, code, later);
        Steps::new()
    }

    pub(super) fn key(&mut self, key: KeyEvent, shared: &Shared) -> Option<Steps> {
        match &mut self.step {
            At::Standing => self.detail.press(key).then(Steps::new),
            At::Terms(pager) => pager.press(key).then(Steps::new),
            At::Code => {
                if key.code == KeyCode::Enter && self.code.focused() == Some(LATER) {
                    return Some(self.entered(shared));
                }
                match self.code.press(key) {
                    Pressed::Taken => Some(Steps::new()),
                    Pressed::Submit => Some(self.entered(shared)),
                    Pressed::Free | Pressed::Back => None,
                }
            }
            At::Review(review, store, code, prepare) => match review.press(key) {
                Reviewed::Taken | Reviewed::Commit(Consent::Given) => Some(Steps::new()),
                Reviewed::Free | Reviewed::Back => None,
                Reviewed::Commit(Consent::Password(password_b)) => {
                    review.wait(shared.now, "the center's number for you");
                    let (store, code, prepare) = (*store, code.clone(), *prepare);
                    let password_b = Password(password_b);
                    let act = NewcomerAct::Register { store, code, password_b, prepare };
                    Some(vec![Step::Own(Effect::Newcomer(act))])
                }
            },
            At::Waiting(_) => None,
        }
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        match &mut self.step {
            At::Code => self.code.paste(pasted),
            At::Review(review, ..) => review.paste(pasted),
            _ => {}
        }
    }

    /// Takes a newer standing. What is being typed or read is left alone.
    pub(super) fn stands(&mut self, standing: &Standing) {
        self.standing = standing.clone();
        self.detail.set(rows(standing));
        let settled = match &self.step {
            At::Waiting(_) => true,
            At::Review(review, ..) => review.is_waiting(),
            At::Standing | At::Terms(_) | At::Code => false,
        };
        if settled {
            self.step = At::Standing;
        }
    }

    /// What was asked was not done.
    pub(super) fn failed(&mut self, failure: &Failure) -> Steps {
        if let At::Review(review, ..) = &mut self.step
            && review.is_waiting()
        {
            review.refuse(failure.message.clone());
            return Steps::new();
        }
        self.step = At::Standing;
        let tone = if failure.kind == FailureKind::Unknown { Tone::Warn } else { Tone::Bad };
        vec![Step::Say(tone, failure.message.clone())]
    }

    /// One step back; false when there is none here.
    pub(super) fn back(&mut self) -> bool {
        self.step = match &self.step {
            At::Terms(_) | At::Code => At::Standing,
            At::Review(review, ..) if !review.is_waiting() => At::Code,
            _ => return false,
        };
        true
    }

    pub(super) fn is_waiting(&self) -> bool {
        match &self.step {
            At::Waiting(_) => true,
            At::Review(review, ..) => review.is_waiting(),
            _ => false,
        }
    }

    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.step {
            At::Standing => self.detail.view(ui, area),
            At::Terms(pager) => {
                let [page, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
                pager.view(ui, page);
                let style = ui.theme().strong;
                ui.paragraph(foot, "Enter accepts them, once they were read to the end.", style);
            }
            At::Code => {
                let words =
                    "The mail or letter brings your number and a code that works once, with your keys only.";
                form_view(ui, area, words, &self.code);
            }
            At::Review(review, ..) => review.view(ui, area),
            At::Waiting(waiting) => waiting.view(ui, area),
        }
    }
}

fn rows(standing: &Standing) -> Vec<Row> {
    let mut rows = Vec::new();
    match (&standing.application, standing.stage) {
        (_, Stage::Prepared) => rows.push(Row::Words(
            "A registration that you signed waits in the outbox; it was never sent. Enter sends it.".into(),
        )),
        (_, Stage::Sent) => rows.push(Row::Words(
            "A registration that you signed waits. Enter sends it to the center once more; the center answers the same \
             telegram with the same number."
                .into(),
        )),
        (Some(row), _) => {
            let tone = match row.state.as_str() {
                "admitted" | "registered" => Tone::Good,
                "refused" => Tone::Bad,
                "asked-back" | "code-spent" => Tone::Warn,
                _ => Tone::Plain,
            };
            rows.extend([
                Row::pair("Application", row.application.to_string()),
                Row::toned("State", tone, row.words.as_str()),
                Row::pair("Since", row.since.text.as_str()),
            ]);
        }
        (None, _) => rows.push(Row::Words(
            "The application is signed; whether the center has it is unknown. r sends the same one once more.".into(),
        )),
    }
    rows.push(Row::Gap);
    match &standing.kit {
        Some(kit) => {
            let terms = if standing.terms_accepted { "accepted" } else { "to be read and accepted: t" };
            rows.extend([
                Row::pair("Admission kit", format!("{}, checked", kit.number)),
                Row::pair("Terms of use", format!("version {}, {terms}", kit.terms_version)),
                Row::pair(
                    "Passwords",
                    format!("at least {} KiB, {} passes", kit.vault_floor.0, kit.vault_floor.1),
                ),
            ]);
        }
        None => rows.push(Row::pair("Admission kit", "not here yet: r fetches it")),
    }
    let recovery = match &standing.recovery {
        None => "none".to_owned(),
        Some(row) => format!("recovery key {}", row.key),
    };
    rows.push(Row::pair("Recovery phrase", recovery));
    rows
}
