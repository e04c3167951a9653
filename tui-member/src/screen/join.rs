//! Joining a center, up to the application: invitation, guide page, the center's form, passwords, autograph, recovery
//! phrase, review. What comes after it lies in [`super::applicant`].
//!
//! Nothing is kept before the review is confirmed; then the vault is made first, so that an interruption is taken up
//! with the same keys (see [`crate::join`]).

pub(super) mod steps;

use tui_kit::{
    KeyCode, KeyEvent,
    detail::Detail,
    form::{Form, Pressed},
    keys::Action,
    pager::Pager,
    progress::Waiting,
    ratatui::{crossterm::event::MouseEvent, layout::Rect},
    review::{Pressed as Reviewed, Review},
    stack::{Screen, layer},
    theme::Tone,
    ui::Ui,
};
use vault::{Autograph, Passwords, recovery::RecoveryPhrase};
use wire::{id::AccountNumber, sheet::Invitation};

use self::steps::{INVITATION, NUMBER};
use crate::{
    act::Failure,
    app::{Effect, Left, Progress},
    join::{Filled, Newcomer, Welcome},
    screen::{
        News, Step, Steps,
        applicant::Applicant,
        phrase::{self, Made, Making, below},
        seal::{self, Given, Signing},
        shared::Shared,
        unlock::Unlock,
    },
};

/// Joining, as far as it has come.
pub(crate) struct Join {
    at: At,
    /// Whether it is for an account whose terminal is lost.
    replacing: bool,
    invitation: Form,
    /// All kept while one goes back and forth between the steps.
    particulars: Form,
    passwords: Form,
    autograph: Option<Autograph>,
    phrase: Option<RecoveryPhrase>,
    /// The center that was asked, and where it was.
    center: Option<(Invitation, Box<Welcome>)>,
}

/// The step that is shown.
enum At {
    Invitation,
    Asking(Waiting),
    Guide(Box<Pager>),
    Center,
    Particulars,
    Passwords,
    Autograph(Signing),
    Phrase(Box<Making>),
    Review(Box<Review>),
}

/// What can be done while joining, beside filling in.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Go,
    Tab,
    Copy,
}

impl Join {
    /// For a profile without a vault.
    pub(crate) fn new() -> Self {
        Self {
            at: At::Invitation,
            replacing: false,
            invitation: steps::invitation(),
            particulars: Form::new("Go on", []),
            passwords: steps::passwords(),
            autograph: None,
            phrase: None,
            center: None,
        }
    }

    /// The same in the place of a terminal that is lost, without its recovery phrase.
    pub(crate) fn replacing() -> Self {
        Self { replacing: true, invitation: steps::lost_terminal(), ..Self::new() }
    }

    /// The account whose terminal is lost.
    fn replaces(&self) -> Option<AccountNumber> {
        self.invitation.text(NUMBER).parse().ok().filter(|_| self.replacing)
    }

    /// The invitation was typed.
    fn meet(&mut self, shared: &Shared) -> Steps {
        let Ok(invitation) = self.invitation.text(INVITATION).parse::<Invitation>() else {
            return Steps::new();
        };
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
                let title = format!("{}: guide for members", welcome.center);
                self.at = At::Guide(Box::new(Pager::new(title, &welcome.guide.text)));
                self.center = Some((invitation, welcome.clone()));
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
        let values = self.center.as_ref().map(|(_, welcome)| steps::values(&welcome.form, &self.particulars));
        let values = values.unwrap_or_default();
        let words: Vec<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
        steps::chosen(&mut self.passwords, &words)
    }

    fn review(&mut self) {
        let Some((_, welcome)) = &self.center else { return };
        let rows = steps::review_rows(
            welcome,
            &self.particulars,
            self.autograph.as_ref(),
            self.phrase.is_some(),
            self.replaces(),
        );
        let review = Review::new("Review the application", "sign and apply", rows);
        let review = match self.autograph.as_ref().and_then(seal::seal) {
            Some(drawing) => review.seal(drawing),
            None => review,
        };
        self.at = At::Review(Box::new(review));
    }

    /// The review was confirmed.
    fn commit(&mut self, shared: &Shared) -> Steps {
        let Some(passwords) = self.chosen() else {
            self.at = At::Passwords;
            return Steps::new();
        };
        let Some((invitation, welcome)) = &self.center else { return Steps::new() };
        let values = steps::values(&welcome.form, &self.particulars);
        let newcomer = Newcomer {
            invitation: invitation.clone(),
            filled: Filled { form: Some(welcome.form.clone()), values },
            passwords,
            autograph: self.autograph.clone(),
            phrase: self.phrase.as_ref().and_then(phrase::copy),
            replaces: self.replaces(),
        };
        if let At::Review(review) = &mut self.at {
            review.wait(shared.now, "the keys to be made and the center to take the application");
        }
        vec![Step::Own(Effect::Join(Box::new(newcomer)))]
    }

    fn joining(&mut self, joining: &Result<Box<Progress>, (Failure, Left)>) -> Steps {
        match joining {
            Ok(progress) => {
                self.passwords.wipe();
                vec![Step::Enter(layer(Applicant::new(progress.clone())))]
            }
            Err((failure, Left::Open(progress))) => vec![
                Step::Say(Tone::Bad, failure.message.clone()),
                Step::Enter(layer(Applicant::new(progress.clone()))),
            ],
            Err((failure, Left::Vault)) => vec![
                Step::Say(Tone::Bad, format!("{failure}. The vault is made: open it to go on")),
                Step::Enter(layer(Unlock::new())),
            ],
            Err((failure, Left::Nothing)) => {
                if let At::Review(review) = &mut self.at {
                    review.refuse(failure.message.clone());
                }
                Steps::new()
            }
        }
    }

    fn go(&mut self, shared: &mut Shared) -> Steps {
        match &self.at {
            At::Guide(_) => self.at = At::Center,
            At::Center => self.at = At::Particulars,
            At::Phrase(making) if making.is_shown() => {
                let pressed = self.key(KeyCode::Enter.into(), shared);
                return pressed.unwrap_or_else(|| vec![Step::Say(Tone::Warn, phrase::UNSEEN.into())]);
            }
            _ => return self.key(KeyCode::Enter.into(), shared).unwrap_or_default(),
        }
        Steps::new()
    }

    /// The form of the step that is shown.
    fn form(&mut self) -> Option<&mut Form> {
        match self.at {
            At::Invitation => Some(&mut self.invitation),
            At::Particulars => Some(&mut self.particulars),
            At::Passwords => Some(&mut self.passwords),
            _ => None,
        }
    }

    fn submitted(&mut self, shared: &Shared) -> Steps {
        match &self.at {
            At::Invitation => return self.meet(shared),
            At::Particulars => self.at = At::Passwords,
            At::Passwords => {
                self.at = self.chosen().map_or(At::Passwords, |_| At::Autograph(Signing::Choice));
            }
            _ => {}
        }
        Steps::new()
    }

    /// Which of the seven steps is shown.
    fn step(&self) -> usize {
        match self.at {
            At::Invitation | At::Asking(_) | At::Guide(_) => 1,
            At::Center => 2,
            At::Particulars => 3,
            At::Passwords | At::Autograph(_) | At::Phrase(_) | At::Review(_) => 4,
        }
    }
}

impl Screen<Shared> for Join {
    type Do = Do;
    const NAME: &'static str = "join";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.at {
            At::Invitation | At::Asking(_) | At::Center if self.replacing => "Replace a lost terminal",
            At::Invitation | At::Asking(_) | At::Center => "Join a center",
            At::Guide(_) => "The center's guide",
            At::Particulars => "Your particulars",
            At::Passwords => "Choose passwords",
            At::Autograph(_) => "Autograph",
            At::Phrase(_) => "Recovery phrase",
            At::Review(_) => "Review",
        }
        .into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let (label, help) = match &self.at {
            At::Center => ("It is this one", "The fingerprint is the one that the center publishes."),
            At::Guide(_) => ("I want to join", "Asks the center for its form."),
            At::Invitation if self.replacing => steps::enter(&self.invitation),
            At::Particulars => steps::enter(&self.particulars),
            At::Passwords => steps::enter(&self.passwords),
            At::Phrase(making) => making.next(),
            At::Invitation | At::Asking(_) | At::Autograph(_) | At::Review(_) => {
                ("Go on", "Goes on to the next step.")
            }
        };
        // The pad and the review say themselves what their keys do.
        let enter = !matches!(self.at, At::Asking(_) | At::Autograph(_) | At::Review(_));
        let fields = match self.at {
            At::Invitation => self.replacing,
            At::Particulars | At::Passwords => true,
            _ => false,
        };
        let named = matches!(self.at, At::Center);
        vec![
            Action::new(Do::Go, "go", "enter", label, help).when(enter, "fill in what is asked for"),
            steps::tab(Do::Tab).when(fields, "there is one field at the most"),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies the fingerprint.")
                .when(named, "there is nothing to copy here"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, &self.center) {
            (Do::Go, _) => self.go(shared),
            (Do::Tab, _) => self.key(KeyCode::Tab.into(), shared).unwrap_or_default(),
            (Do::Copy, Some((_, welcome))) => {
                vec![Step::Copy { text: welcome.fingerprint.clone(), what: "the fingerprint" }]
            }
            (Do::Copy, None) => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let At::Invitation = self.at
            && !self.replacing
            && key.code == KeyCode::Enter
        {
            // One field has no need of a button: Enter is enough.
            let pressed = self.invitation.submit();
            return Some(if pressed == Pressed::Submit { self.submitted(shared) } else { Steps::new() });
        }
        if let Some(form) = self.form() {
            let pressed = form.press(key);
            if let At::Passwords = self.at {
                steps::show_strength(&mut self.passwords);
            }
            return match pressed {
                Pressed::Taken => Some(Steps::new()),
                Pressed::Free | Pressed::Back => None,
                Pressed::Submit => Some(self.submitted(shared)),
            };
        }
        match &mut self.at {
            At::Guide(pager) => pager.press(key).then(Steps::new),
            At::Autograph(signing) => match signing.press(key, shared) {
                Given::Taken => Some(Steps::new()),
                Given::Free | Given::Back => None,
                Given::Autograph(autograph) => {
                    self.autograph = autograph;
                    self.at = At::Phrase(Box::new(Making::new(true)));
                    Some(Steps::new())
                }
            },
            At::Phrase(making) => match making.press(key, shared) {
                Made::Taken(steps) => Some(steps),
                Made::Free | Made::Back => None,
                Made::None => {
                    self.phrase = None;
                    self.review();
                    Some(Steps::new())
                }
                Made::Phrase(phrase) => {
                    self.phrase = Some(phrase);
                    self.review();
                    Some(Steps::new())
                }
            },
            At::Review(review) => match review.press(key) {
                Reviewed::Taken => Some(Steps::new()),
                Reviewed::Free | Reviewed::Back => None,
                Reviewed::Commit(_) => Some(self.commit(shared)),
            },
            _ => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.at {
            At::Review(review) => review.paste(pasted),
            At::Phrase(making) => making.paste(pasted),
            _ => {
                if let Some(form) = self.form() {
                    form.paste(pasted);
                }
            }
        }
    }

    fn wants_mouse(&self) -> bool {
        matches!(&self.at, At::Autograph(signing) if signing.wants_mouse())
    }

    fn mouse(&mut self, mouse: MouseEvent, shared: &mut Shared) -> Steps {
        if let At::Autograph(signing) = &mut self.at {
            signing.mouse(mouse, shared);
        }
        Steps::new()
    }

    fn guards(&self) -> bool {
        true
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        match news {
            News::Met(met) => {
                self.met(met);
                Steps::new()
            }
            News::Joining(joining) => self.joining(joining),
            news => {
                if let At::Phrase(making) = &mut self.at {
                    making.told(news);
                }
                Steps::new()
            }
        }
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        self.at = match &self.at {
            At::Review(review) if review.is_waiting() => return true,
            At::Asking(_) | At::Guide(_) => At::Invitation,
            At::Center => match &self.center {
                Some((_, welcome)) => {
                    let title = format!("{}: guide for members", welcome.center);
                    At::Guide(Box::new(Pager::new(title, &welcome.guide.text)))
                }
                None => At::Invitation,
            },
            At::Particulars => At::Center,
            At::Passwords => At::Particulars,
            At::Autograph(_) => At::Passwords,
            At::Phrase(_) => At::Autograph(Signing::Choice),
            // A phrase that was shown and asked back stays; another is made only by going further back.
            At::Review(_) => At::Passwords,
            At::Invitation => return false,
        };
        true
    }

    fn lively(&self, _shared: &Shared) -> bool {
        match &self.at {
            At::Asking(_) => true,
            At::Phrase(making) => making.is_waiting(),
            At::Review(review) => review.is_waiting(),
            _ => false,
        }
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let area = steps::strip(ui, area, self.step());
        match &self.at {
            At::Invitation => {
                let words = if self.replacing { steps::LOST_WORDS } else { steps::INVITATION_WORDS };
                below(ui, area, words, |ui, rest| self.invitation.view(ui, rest));
            }
            At::Asking(waiting) => waiting.view(ui, area),
            At::Guide(pager) => pager.view(ui, area),
            At::Center => {
                let rows =
                    self.center.as_ref().map(|(invitation, welcome)| steps::center_rows(invitation, welcome));
                Detail::new(rows.unwrap_or_default()).view(ui, area);
            }
            At::Particulars => {
                below(ui, area, steps::PARTICULARS_WORDS, |ui, rest| self.particulars.view(ui, rest));
            }
            At::Passwords => {
                below(ui, area, steps::PASSWORDS_WORDS, |ui, rest| self.passwords.view(ui, rest));
            }
            At::Autograph(signing) => signing.view(ui, area),
            At::Phrase(making) => making.view(ui, area),
            At::Review(review) => review.view(ui, area),
        }
    }
}
