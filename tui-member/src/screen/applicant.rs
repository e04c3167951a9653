//! Joining, from the application to the number: how it stands, the admission kit and its terms, number and code, the
//! registration, and the welcome.

mod told;

use tui_kit::{
    KeyCode, KeyEvent,
    detail::{Detail, Row},
    form::{Form, Pressed},
    keys::Action,
    pager::Pager,
    progress::Waiting,
    ratatui::layout::Rect,
    review::{Pressed as Reviewed, Review},
    stack::{Screen, layer},
    theme::Tone,
    ui::Ui,
};
use vault::recovery::RecoveryPhrase;
use wire::{
    admission::{ActivationCode, ApplicationState},
    id::AccountNumber,
};
use zeroize::Zeroizing;

use crate::{
    app::{Effect, GoOn, Progress},
    join::{Filled, Registrant, Stage, Welcome},
    screen::{
        News, Step, Steps,
        home::Home,
        join::steps::{self, CODE, NUMBER, PREPARE},
        phrase::{self, Typed, Typing, below},
        shared::{Shared, password_b},
    },
};

const PHRASE_WORDS: &str = "The recovery key signs the registration too. Type the 24 words that you wrote down; with that they \
                            are proved. Enter at the end goes on, Esc goes back.";
const NUMBER_WORDS: &str = "Number and activation code came by mail or letter. The code works once, and only with the key that \
                            this vault made.";

/// Someone whose vault is open and who has not joined yet.
pub(crate) struct Applicant {
    progress: Box<Progress>,
    at: At,
    number: Form,
    /// The phrase, typed once more.
    phrase: Option<RecoveryPhrase>,
    /// The form for another application.
    form: Option<(Box<Welcome>, Form)>,
}

/// What is shown.
enum At {
    /// How it stands.
    Standing,
    Busy(Waiting),
    Terms(Box<Pager>),
    Number,
    Phrase(Box<Typing>),
    /// The registration, before it is signed.
    Register(Box<Review>),
    Particulars,
    /// Another application, before it is signed.
    Again(Box<Review>),
    Member,
}

/// What can be done.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Go,
    Tab,
    Amend,
    Ask,
    Withdraw,
    Copy,
}

impl Applicant {
    /// Where joining stands.
    pub(crate) fn new(progress: Box<Progress>) -> Self {
        let at = if progress.joined.is_some() { At::Member } else { At::Standing };
        Self { progress, at, number: steps::number_and_code(), phrase: None, form: None }
    }

    /// Asks the outside world, and waits.
    fn go_on(&mut self, what: GoOn, awaited: &str, shared: &Shared) -> Steps {
        self.at = At::Busy(Waiting::new(shared.now, awaited, "Esc goes back"));
        vec![Step::Own(Effect::GoOn(Box::new(what)))]
    }

    fn go(&mut self, shared: &Shared) -> Steps {
        match (&self.at, &self.progress.stage) {
            (At::Standing, Stage::Unsigned) => self.fill_in(shared),
            (At::Standing, Stage::Unsent) => {
                self.go_on(GoOn::Send, "the center to take the application", shared)
            }
            (At::Standing, Stage::Applied(_)) => self.read_terms(shared),
            (At::Standing, Stage::Prepared | Stage::Sent) => {
                self.go_on(GoOn::SendRegistration, "the center to enter the registration", shared)
            }
            (At::Standing, Stage::Joined) | (At::Member, _) => vec![Step::Enter(layer(Home::default()))],
            (At::Terms(_), _) => {
                self.number.focus(NUMBER);
                self.at = At::Number;
                Steps::new()
            }
            _ => Steps::new(),
        }
    }

    /// The terms, as the registration will sign them; the kit is fetched first where it is not here.
    fn read_terms(&mut self, shared: &Shared) -> Steps {
        let Some(kit) = &self.progress.kit else {
            return self.go_on(GoOn::Kit, "the admission kit", shared);
        };
        let title = format!("Terms of use, version {}", kit.terms.version);
        self.at = At::Terms(Box::new(Pager::new(title, &kit.terms.text)));
        Steps::new()
    }

    /// The form of the center as it is now.
    fn fill_in(&mut self, shared: &Shared) -> Steps {
        let Some(invitation) = self.progress.invitation.clone() else { return Steps::new() };
        self.at = At::Busy(Waiting::new(shared.now, "the center's form", "Esc goes back"));
        vec![Step::Own(Effect::Meet(Box::new(invitation)))]
    }

    fn review_registration(&mut self, shared: &Shared) {
        let prepare = self.number.is_on(PREPARE);
        let kit = self.progress.kit.as_ref();
        let terms = kit.map_or_else(String::new, |kit| format!("version {}, accepted", kit.terms.version));
        let mut rows = vec![
            Row::toned("Member's number", Tone::Strong, self.number.text(NUMBER)),
            Row::pair("Activation code", "typed; it travels beside the registration"),
            Row::pair("Terms of use", terms),
        ];
        rows.extend(self.progress.standing.center.iter().map(|center| Row::pair("Center", center.as_str())));
        rows.push(match self.phrase.is_some() || shared.snapshot.custody.recovery.phrase {
            true => Row::pair("Recovery key", "signs too"),
            false => Row::toned("Recovery key", Tone::Warn, "none: no phrase was made"),
        });
        rows.push(Row::pair("Sent", if prepare { "later, from the outbox" } else { "at once" }));
        rows.push(Row::Gap);
        rows.push(Row::Words(
            "Signed is the salted hash of your particulars, your keys, the code's hash and the terms.".into(),
        ));
        let act = if prepare { "sign and keep" } else { "sign and register" };
        let review = Review::new("Review the registration", act, rows);
        let review = match &shared.snapshot.seal {
            Some(seal) => review.seal(seal.clone()),
            None => review,
        };
        self.at = At::Register(Box::new(review.password("Password B")));
    }

    /// The registration was confirmed.
    fn register(&mut self, consent: tui_kit::review::Consent, shared: &Shared) -> Steps {
        let number = self.number.text(NUMBER).parse::<AccountNumber>().ok();
        let code = Zeroizing::new(self.number.text(CODE)).parse::<ActivationCode>().ok();
        let member = number.and_then(wire::message::member_of);
        let (Some(member), Some(code), Some(password_b), Some(kit)) =
            (member, code, password_b(consent), &self.progress.kit)
        else {
            self.at = At::Number;
            return Steps::new();
        };
        let registrant = Registrant {
            member,
            code,
            terms: kit.terms.hash(),
            phrase: self.phrase.as_ref().and_then(phrase::copy),
            password_b,
            prepare: self.number.is_on(PREPARE),
        };
        if let At::Register(review) = &mut self.at {
            review.wait(shared.now, "the registration to be signed and the center to enter it");
        }
        vec![Step::Own(Effect::GoOn(Box::new(GoOn::Register(registrant))))]
    }

    /// The other application was confirmed.
    fn apply_again(&mut self, consent: tui_kit::review::Consent, shared: &Shared) -> Steps {
        let (Some((welcome, filled)), Some(password_b)) = (&self.form, password_b(consent)) else {
            return Steps::new();
        };
        let values = steps::values(&welcome.form, filled);
        let filled = Filled { form: Some(welcome.form.clone()), values };
        if let At::Again(review) = &mut self.at {
            review.wait(shared.now, "the center to take the application");
        }
        vec![Step::Own(Effect::GoOn(Box::new(GoOn::Again { filled, password_b })))]
    }

    fn submitted(&mut self, shared: &Shared) -> Steps {
        match &self.at {
            At::Number if self.progress.wants_phrase && self.phrase.is_none() => {
                self.at = At::Phrase(Box::new(Typing::new()));
            }
            At::Number => self.review_registration(shared),
            At::Particulars => {
                let Some((welcome, filled)) = &self.form else { return Steps::new() };
                let rows = steps::filled_rows(&welcome.form, filled);
                let review = Review::new("Review the application", "sign and apply again", rows);
                let review = match &shared.snapshot.seal {
                    Some(seal) => review.seal(seal.clone()),
                    None => review,
                };
                self.at = At::Again(Box::new(review.password("Password B")));
            }
            _ => {}
        }
        Steps::new()
    }

    /// The form of the step that is shown.
    fn form(&mut self) -> Option<&mut Form> {
        match (&self.at, &mut self.form) {
            (At::Number, _) => Some(&mut self.number),
            (At::Particulars, Some((_, form))) => Some(form),
            _ => None,
        }
    }

    fn step(&self) -> usize {
        match &self.at {
            At::Terms(_) => 5,
            At::Number | At::Phrase(_) => 6,
            At::Register(_) | At::Member => 7,
            At::Particulars | At::Again(_) => 3,
            At::Standing | At::Busy(_) => match &self.progress.stage {
                Stage::Unsigned | Stage::Unsent => 4,
                Stage::Applied(view) if matches!(view.state, ApplicationState::Admitted { .. }) => 6,
                Stage::Applied(_) => 5,
                Stage::Prepared | Stage::Sent | Stage::Joined => 7,
            },
        }
    }

    fn can_amend(&self) -> bool {
        matches!(&self.progress.stage, Stage::Applied(view) if matches!(
            view.state,
            ApplicationState::AskedBack { .. } | ApplicationState::Waiting | ApplicationState::Refused { .. }
        ))
    }
}

impl Screen<Shared> for Applicant {
    type Do = Do;
    const NAME: &'static str = "applicant";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.at {
            At::Standing | At::Busy(_) => "Your application",
            At::Terms(_) => "Terms",
            At::Number => "Number and code",
            At::Phrase(_) => "Recovery phrase",
            At::Register(_) | At::Again(_) => "Review",
            At::Particulars => "Your particulars",
            At::Member => "Welcome",
        }
        .into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let standing = matches!(self.at, At::Standing);
        let (label, help) = match (&self.at, &self.progress.stage) {
            (At::Terms(_), _) => ("Accept", "Accepts these terms; the registration signs them."),
            (At::Number, _) => steps::enter(&self.number),
            (At::Particulars, _) => {
                self.form.as_ref().map_or(phrase::NEXT_WORD, |(_, form)| steps::enter(form))
            }
            (At::Phrase(_), _) => phrase::NEXT_WORD,
            (At::Member, _) | (_, Stage::Joined) => ("Go home", "Opens the home screen."),
            (_, Stage::Unsigned) => {
                ("Fill in the form", "Signs another application with the keys that are here.")
            }
            (_, Stage::Unsent) => ("Send again", "Sends the same application once more."),
            (_, Stage::Prepared | Stage::Sent) => ("Send", "Sends the registration that is signed."),
            (_, Stage::Applied(_)) => ("Number and code", "Reads the terms, then types what came by mail."),
        };
        let fields = matches!(self.at, At::Number | At::Particulars);
        let can = standing || fields || matches!(self.at, At::Terms(_) | At::Phrase(_) | At::Member);
        let applied = standing && matches!(self.progress.stage, Stage::Applied(_));
        let prepared = standing && matches!(self.progress.stage, Stage::Prepared);
        vec![
            Action::new(Do::Go, "go", "enter", label, help).when(can, "fill in what is asked for"),
            steps::tab(Do::Tab).when(fields, "no form is open"),
            Action::new(Do::Ask, "ask", "r", "Ask center", "Asks how the application stands.")
                .when(applied, "there is nothing to ask"),
            Action::new(Do::Amend, "amend", "a", "Amend", "Fills in the form anew and applies again.")
                .when(standing && self.can_amend(), "the center has not asked it back"),
            Action::new(Do::Withdraw, "withdraw", "w", "Withdraw", "Takes the prepared registration back.")
                .when(prepared, "nothing is prepared"),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies the application's or the member's number.")
                .when(standing || matches!(self.at, At::Member), "there is nothing to copy here"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Go if matches!(self.at, At::Number | At::Particulars | At::Phrase(_)) => {
                self.key(KeyCode::Enter.into(), shared).unwrap_or_default()
            }
            Do::Go => self.go(shared),
            Do::Tab => self.key(KeyCode::Tab.into(), shared).unwrap_or_default(),
            Do::Ask => self.go_on(GoOn::Ask, "the center's word", shared),
            Do::Amend => self.fill_in(shared),
            Do::Withdraw => match self.progress.standing.registration {
                Some(telegram) => self.go_on(GoOn::Withdraw(telegram), "the outbox", shared),
                None => Steps::new(),
            },
            Do::Copy => {
                let standing = &self.progress.standing;
                let member = standing.member.map(|member| (member.to_string(), "the member's number"));
                let number = standing.application.map(|it| (it.to_string(), "the application's number"));
                member.or(number).map(|(text, what)| Step::Copy { text, what }).into_iter().collect()
            }
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let Some(form) = self.form() {
            return match form.press(key) {
                Pressed::Taken => Some(Steps::new()),
                Pressed::Free | Pressed::Back => None,
                Pressed::Submit => Some(self.submitted(shared)),
            };
        }
        match &mut self.at {
            At::Terms(pager) => pager.press(key).then(Steps::new),
            At::Phrase(typing) => match typing.press(key) {
                Typed::Taken => Some(Steps::new()),
                Typed::Free | Typed::Back => None,
                Typed::Phrase(phrase) => {
                    self.phrase = Some(phrase);
                    self.review_registration(shared);
                    Some(Steps::new())
                }
            },
            At::Register(review) | At::Again(review) => match review.press(key) {
                Reviewed::Taken => Some(Steps::new()),
                Reviewed::Free | Reviewed::Back => None,
                Reviewed::Commit(consent) => Some(match self.at {
                    At::Register(_) => self.register(consent, shared),
                    _ => self.apply_again(consent, shared),
                }),
            },
            _ => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.at {
            At::Register(review) | At::Again(review) => review.paste(pasted),
            At::Phrase(typing) => typing.paste(pasted),
            _ => {
                if let Some(form) = self.form() {
                    form.paste(pasted);
                }
            }
        }
    }

    fn guards(&self) -> bool {
        !matches!(self.at, At::Standing | At::Member | At::Terms(_))
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        self.hear(news, shared)
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        self.at = match &self.at {
            At::Register(review) | At::Again(review) if review.is_waiting() => return true,
            At::Standing | At::Member => return false,
            At::Busy(_) | At::Terms(_) | At::Particulars => At::Standing,
            At::Number => At::Standing,
            At::Phrase(_) | At::Register(_) => At::Number,
            At::Again(_) => At::Particulars,
        };
        true
    }

    fn lively(&self, _shared: &Shared) -> bool {
        match &self.at {
            At::Busy(_) => true,
            At::Register(review) | At::Again(review) => review.is_waiting(),
            _ => false,
        }
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let area = steps::strip(ui, area, self.step());
        match &self.at {
            At::Standing => Detail::new(self.rows()).view(ui, area),
            At::Busy(waiting) => waiting.view(ui, area),
            At::Terms(pager) => pager.view(ui, area),
            At::Number => below(ui, area, NUMBER_WORDS, |ui, rest| self.number.view(ui, rest)),
            At::Phrase(typing) => typing.view(ui, area, PHRASE_WORDS),
            At::Register(review) | At::Again(review) => review.view(ui, area),
            At::Particulars => {
                if let Some((_, form)) = &self.form {
                    below(ui, area, steps::PARTICULARS_WORDS, |ui, rest| form.view(ui, rest));
                }
            }
            At::Member => Detail::new(self.member_rows(shared)).view(ui, area),
        }
    }
}
