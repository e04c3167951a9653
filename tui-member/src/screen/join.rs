//! Joining a center: invitation, the center's name and fingerprint, passwords, the center's form, terms, review.
//!
//! Nothing is kept before the review is confirmed; then the vault is made first, so that an interruption is taken up
//! with the same keys (see [`crate::join`]).

mod steps;

use tui_kit::{
    KeyCode, KeyEvent,
    detail::{Detail, Row},
    form::{Form, Pressed},
    keys::Action,
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    review::{Consent, Pressed as Reviewed, Review},
    stack::{Screen, layer},
    theme::Tone,
    ui::Ui,
};
use vault::{Error, Passwords, Which};
use wire::sheet::Invitation;

use self::steps::{A, B, INVITATION};
use crate::{
    act::{Act, Failure, Outcome, Password},
    app::{Effect, Joined, Joining, Left, Registering},
    join::{Stage, Welcome},
    screen::{News, Step, Steps, asked::Asked, home::Home, shared::Shared, unlock::Unlock},
};

/// Joining, as far as it has come.
pub(crate) struct Join {
    way: Way,
    at: At,
    invitation: Form,
    /// Both kept while one goes back and forth between the steps.
    passwords: Form,
    particulars: Form,
    /// The center that was asked, and where it was.
    center: Option<(Invitation, Box<Welcome>)>,
}

/// What there is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing.
    New,
    /// A vault with keys; its registration is not signed.
    Unsigned,
    /// A signed registration that may have left.
    Sent,
}

/// The step that is shown.
enum At {
    Invitation,
    Asking(Waiting),
    Center,
    Passwords,
    Particulars,
    Terms(Detail),
    Review(Box<Review>),
    /// The registration that was signed before, and where it goes.
    Resume {
        invitation: Invitation,
        review: Box<Review>,
    },
    Member {
        joined: Joined,
        key: Asked<String>,
    },
}

/// What can be done while joining, beside filling in.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Go,
    Copy,
}

impl Join {
    /// For a profile without a vault.
    pub(crate) fn new() -> Self {
        Self {
            way: Way::New,
            at: At::Invitation,
            invitation: steps::invitation(),
            passwords: steps::passwords(),
            particulars: Form::new("Go on", []),
            center: None,
        }
    }

    /// For an opened vault that is in no register yet.
    pub(crate) fn interrupted(stage: Stage, invitation: Option<Invitation>) -> Self {
        let mut join = Self::new();
        join.way = if stage == Stage::Sent { Way::Sent } else { Way::Unsigned };
        if let Some(invitation) = invitation {
            join.invitation.set(INVITATION, &invitation.to_string());
            if join.way == Way::Sent {
                join.resume(invitation);
            }
        }
        join
    }

    fn resume(&mut self, invitation: Invitation) {
        let review = Review::new("Finish joining", "send it", steps::resume_rows(&invitation));
        self.at = At::Resume { invitation, review: Box::new(review) };
    }

    /// The invitation was typed.
    fn meet(&mut self, shared: &Shared) -> Steps {
        let Ok(invitation) = self.invitation.text(INVITATION).parse::<Invitation>() else {
            return Steps::new();
        };
        if self.way == Way::Sent {
            self.resume(invitation);
            return Steps::new();
        }
        self.at = At::Asking(Waiting::new(shared.now, "the center to say who it is", "Esc goes back"));
        vec![Step::Own(Effect::Meet(Box::new(invitation)))]
    }

    fn met(&mut self, met: &Result<Box<Welcome>, Failure>) {
        if !matches!(self.at, At::Asking(_)) {
            return;
        }
        let invitation = self.invitation.text(INVITATION).parse();
        match (met, invitation) {
            (Ok(welcome), Ok(invitation)) => {
                let draft = self.particulars.draft();
                self.particulars = steps::particulars(&welcome.form);
                self.particulars.restore(&draft);
                self.center = Some((invitation, welcome.clone()));
                self.at = At::Center;
            }
            (Err(failure), _) => self.ask_again(&failure.message),
            (_, Err(error)) => self.ask_again(&error.to_string()),
        }
    }

    fn ask_again(&mut self, why: &str) {
        self.at = At::Invitation;
        self.invitation.refuse(INVITATION, why);
    }

    /// The passwords, if they may be chosen.
    fn chosen(&mut self) -> Option<Passwords> {
        let passwords = Passwords::Two { a: self.passwords.secret(A)?, b: self.passwords.secret(B)? };
        match passwords.check() {
            Ok(()) => Some(passwords),
            Err(Error::Unfit { which, why }) => {
                self.passwords.refuse(if which == Which::A { A } else { B }, why);
                None
            }
            Err(error) => {
                self.passwords.refuse(A, error.to_string());
                None
            }
        }
    }

    fn review(&mut self) {
        let Some((_, welcome)) = &self.center else { return };
        let review = Review::new("Review", "sign and send", steps::review_rows(welcome, &self.particulars));
        let review = if self.way == Way::New { review } else { review.password("Password B") };
        self.at = At::Review(Box::new(review));
    }

    /// The review was confirmed.
    fn commit(&mut self, consent: Consent, shared: &Shared) -> Steps {
        let Some((invitation, welcome)) = &self.center else { return Steps::new() };
        let invitation = invitation.clone();
        let values = steps::values(&welcome.form, &self.particulars);
        let effect = match consent {
            Consent::Password(password_b) => {
                Effect::Register(Box::new(Registering { invitation, values, password_b: password_b.into() }))
            }
            Consent::Given => {
                let Some(Passwords::Two { a, b }) = self.chosen() else {
                    self.at = At::Passwords;
                    return Steps::new();
                };
                let (password_a, password_b) = (Password(a), Password(b));
                Effect::Join(Box::new(Joining { invitation, values, password_a, password_b }))
            }
        };
        if let At::Review(review) = &mut self.at {
            review.wait(shared.now, "the keys to be made and the center to enter them");
        }
        vec![Step::Own(effect)]
    }

    fn joined(&mut self, joined: &Result<Joined, (Failure, Left)>, shared: &mut Shared) -> Steps {
        match joined {
            Ok(joined) => {
                self.passwords.wipe();
                let mut key = Asked::Not;
                let step = key.ask(Act::Doctor, "the fingerprint", shared);
                self.at = At::Member { joined: joined.clone(), key };
                vec![step]
            }
            Err((failure, Left::Vault)) => vec![
                Step::Say(Tone::Bad, format!("{failure}. The vault is made: open it to go on")),
                Step::Enter(layer(Unlock::new())),
            ],
            Err((failure, Left::Open(Stage::Sent))) => {
                self.way = Way::Sent;
                if let At::Review(_) = self.at
                    && let Some((invitation, _)) = &self.center
                {
                    self.resume(invitation.clone());
                }
                self.refuse(failure);
                Steps::new()
            }
            Err((failure, Left::Open(_))) => {
                let was_sent = self.way == Way::Sent;
                self.way = Way::Unsigned;
                if was_sent {
                    // The center has said no to what was signed: it can be filled in and signed anew.
                    self.ask_again(&failure.message);
                } else {
                    self.refuse(failure);
                }
                Steps::new()
            }
            Err((failure, Left::Nothing)) => {
                self.refuse(failure);
                Steps::new()
            }
        }
    }

    fn refuse(&mut self, failure: &Failure) {
        if let At::Review(review) | At::Resume { review, .. } = &mut self.at {
            review.refuse(failure.message.clone());
        }
    }

    fn go(&mut self, shared: &Shared) -> Steps {
        match &self.at {
            At::Center if self.way == Way::New => self.at = At::Passwords,
            At::Center => self.at = At::Particulars,
            At::Terms(_) => self.review(),
            At::Member { .. } => return vec![Step::Enter(layer(Home))],
            At::Invitation => return self.meet(shared),
            _ => {}
        }
        Steps::new()
    }

    /// The form of the step that is shown.
    fn form(&mut self) -> Option<&mut Form> {
        match self.at {
            At::Invitation => Some(&mut self.invitation),
            At::Passwords => Some(&mut self.passwords),
            At::Particulars => Some(&mut self.particulars),
            _ => None,
        }
    }

    fn submitted(&mut self, shared: &Shared) -> Steps {
        match &self.at {
            At::Invitation => return self.meet(shared),
            At::Passwords => self.at = self.chosen().map_or(At::Passwords, |_| At::Particulars),
            At::Particulars => {
                let terms = self.center.as_ref().map(|(_, welcome)| welcome.form.terms.to_string());
                self.at = At::Terms(Detail::new([Row::Words(terms.unwrap_or_default())]));
            }
            _ => {}
        }
        Steps::new()
    }
}

impl Screen<Shared> for Join {
    type Do = Do;
    const NAME: &'static str = "join";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.at {
            At::Invitation | At::Asking(_) | At::Center => "Join a center",
            At::Passwords => "Choose passwords",
            At::Particulars => "Your particulars",
            At::Terms(_) => "Terms",
            At::Review(_) => "Review",
            At::Resume { .. } => "Finish joining",
            At::Member { .. } => "Welcome",
        }
        .into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let (label, help) = match &self.at {
            At::Center => ("It is this one", "The fingerprint is the one that the center publishes."),
            At::Terms(_) => ("Accept", "Accepts the terms."),
            At::Member { .. } => ("Go home", "Opens the home screen."),
            _ => ("Go on", "Goes on to the next step."),
        };
        let read = matches!(self.at, At::Center | At::Terms(_) | At::Member { .. });
        let named = matches!(self.at, At::Center | At::Member { .. });
        vec![
            Action::new(Do::Go, "go", "enter", label, help).when(read, "fill in what is asked for"),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies the fingerprint, or the member's number.")
                .when(named, "there is nothing to copy here"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, &self.at, &self.center) {
            (Do::Go, ..) => self.go(shared),
            (Do::Copy, At::Member { joined, .. }, _) => {
                vec![Step::Copy { text: joined.member.to_string(), what: "the member's number" }]
            }
            (Do::Copy, _, Some((_, welcome))) => {
                vec![Step::Copy { text: welcome.fingerprint.clone(), what: "the fingerprint" }]
            }
            (Do::Copy, _, None) => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let Some(form) = self.form() {
            // A single field needs no button.
            let last = key.code == KeyCode::Enter && form.focused() == Some(INVITATION);
            return match if last { form.submit() } else { form.press(key) } {
                Pressed::Taken => Some(Steps::new()),
                Pressed::Free | Pressed::Back => None,
                Pressed::Submit => Some(self.submitted(shared)),
            };
        }
        match &mut self.at {
            At::Terms(detail) => detail.press(key).then(Steps::new),
            At::Review(review) => match review.press(key) {
                Reviewed::Taken => Some(Steps::new()),
                Reviewed::Free | Reviewed::Back => None,
                Reviewed::Commit(consent) => Some(self.commit(consent, shared)),
            },
            At::Resume { invitation, review } => match review.press(key) {
                Reviewed::Taken => Some(Steps::new()),
                Reviewed::Free | Reviewed::Back => None,
                Reviewed::Commit(_) => {
                    review.wait(shared.now, "the center to enter the registration");
                    Some(vec![Step::Own(Effect::Resume(Box::new(invitation.clone())))])
                }
            },
            _ => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if let At::Review(review) = &mut self.at {
            review.paste(pasted);
        } else if let Some(form) = self.form() {
            form.paste(pasted);
        }
    }

    fn guards(&self) -> bool {
        !matches!(self.at, At::Member { .. } | At::Resume { .. })
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        match news {
            News::Met(met) => {
                self.met(met);
                Steps::new()
            }
            News::Joined(joined) => self.joined(joined, shared),
            news => {
                if let At::Member { key, .. } = &mut self.at {
                    key.told(news, |outcome| match outcome {
                        Outcome::Doctor(findings) => Some(findings.signature_key.clone()),
                        _ => None,
                    });
                }
                Steps::new()
            }
        }
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        self.at = match &self.at {
            At::Review(review) | At::Resume { review, .. } if review.is_waiting() => return true,
            At::Asking(_) | At::Center => At::Invitation,
            At::Passwords => At::Center,
            At::Particulars if self.way == Way::New => At::Passwords,
            At::Particulars => At::Center,
            At::Terms(_) | At::Review(_) => At::Particulars,
            At::Invitation | At::Resume { .. } | At::Member { .. } => return false,
        };
        true
    }

    fn lively(&self, _shared: &Shared) -> bool {
        match &self.at {
            At::Asking(_) => true,
            At::Review(review) | At::Resume { review, .. } => review.is_waiting(),
            _ => false,
        }
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.at {
            At::Invitation => form_page(ui, area, steps::INVITATION_WORDS, &self.invitation),
            At::Asking(waiting) => waiting.view(ui, area),
            At::Center => {
                let rows =
                    self.center.as_ref().map(|(invitation, welcome)| steps::center_rows(invitation, welcome));
                Detail::new(rows.unwrap_or_default()).view(ui, area);
            }
            At::Passwords => form_page(ui, area, steps::PASSWORDS_WORDS, &self.passwords),
            At::Particulars => form_page(ui, area, steps::PARTICULARS_WORDS, &self.particulars),
            At::Terms(detail) => detail.view(ui, area),
            At::Review(review) | At::Resume { review, .. } => review.view(ui, area),
            At::Member { joined, key } => Detail::new(steps::member_rows(joined, key)).view(ui, area),
        }
    }
}

/// Words above a form; where rows are scarce, the form alone.
fn form_page(ui: &mut Ui<'_, '_>, area: Rect, words: &str, form: &Form) {
    let style = ui.theme().text;
    let needed = tui_kit::text::wrap(words, usize::from(area.width)).len() + 1;
    let rows = if area.height >= 14 { u16::try_from(needed).unwrap_or(0) } else { 0 };
    let [above, fields] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
    ui.paragraph(above, words, style);
    form.view(ui, fields);
}
