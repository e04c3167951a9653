//! Joining: invitation, the center's name and fingerprint, passwords, the center's form, review, number.
//!
//! The steps keep what was entered while one goes back and forth. Nothing of it is written down before the vault
//! exists.

mod filled;

use tui_kit::{
    KeyCode, KeyEvent,
    form::{Field as FormField, Form, Pressed},
    keys::Action,
    progress::Waiting,
    ratatui::layout::Rect,
    review::{Consent, Pressed as Reviewed, Review},
    stack::{self, Screen},
    ui::Ui,
};
use vault::Passwords;
use wire::sheet::Invitation;

use crate::{
    act::Password,
    app::{Effect, Joining, Registering},
    join::{Joined, Stage, Welcome},
    screen::{News, Step, Steps, home::Home, shared::Shared},
};

use filled::{
    center_view, done_view, form_view, invitation_form, particulars, review, shared_fingerprint, values,
};

const INVITATION: &str = "invitation";
const A: &str = "password-a";
const A_AGAIN: &str = "password-a-again";
const B: &str = "password-b";
const B_AGAIN: &str = "password-b-again";

/// Joining a center.
pub(crate) struct Join {
    /// Where an earlier attempt stopped, if a vault was made by it.
    interrupted: Option<Stage>,
    invitation: Form,
    passwords: Form,
    met: Option<Met>,
    step: At,
}

/// A center that has said who it is.
struct Met {
    invitation: Invitation,
    welcome: Box<Welcome>,
    /// The center's form.
    particulars: Form,
}

/// Where joining stands.
enum At {
    /// The invitation is entered; the center is being asked while one waits.
    Invitation(Option<(Invitation, Waiting)>),
    /// A registration that was signed before is sent once more.
    Resuming(Waiting),
    /// The center's name and fingerprint are shown.
    Center,
    Passwords,
    Particulars,
    Review(Box<Review>),
    /// Entered in the register.
    Done(Joined),
}

/// What can be done while joining; what is typed goes into the forms.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    GoOn,
    CopyFingerprint,
}

impl Join {
    /// Joining from the beginning.
    pub(crate) fn new() -> Self {
        let password = |name, label: &str, hint: &str| FormField::password(name, label).required().hint(hint);
        let passwords = [
            password(A, "Password A", "opens the vault: orders, outbox, the counter"),
            password(A_AGAIN, "Again", "password A once more").repeats(A),
            password(B, "Password B", "signs: claims, refunds; another one than A"),
            password(B_AGAIN, "Again", "password B once more").repeats(B),
        ];
        Self {
            interrupted: None,
            invitation: invitation_form("Ask the center"),
            passwords: Form::new("Go on", passwords),
            met: None,
            step: At::Invitation(None),
        }
    }

    /// Joining that goes on in a vault which is there.
    pub(crate) fn interrupted(stage: Stage, invitation: Option<&Invitation>) -> Self {
        let mut join = Self { interrupted: Some(stage), ..Self::new() };
        if stage == Stage::Sent {
            join.invitation = invitation_form("Send once more");
        }
        if let Some(invitation) = invitation {
            join.invitation.set(INVITATION, &invitation.to_string());
        }
        join
    }

    /// Takes the invitation: the center is asked who it is, or a registration that waits is sent once more.
    fn meet(&mut self, shared: &Shared) -> Steps {
        if self.invitation.submit() != Pressed::Submit {
            return Steps::new();
        }
        let Ok(invitation) = self.invitation.text(INVITATION).parse::<Invitation>() else {
            return Steps::new();
        };
        if self.interrupted == Some(Stage::Sent) {
            self.step = At::Resuming(Waiting::new(shared.now, "the center's number for you", ""));
            return vec![Step::Own(Effect::Resume(Box::new(invitation)))];
        }
        let waiting = Waiting::new(shared.now, "the center to say who it is", "Esc stops");
        self.step = At::Invitation(Some((invitation.clone(), waiting)));
        vec![Step::Own(Effect::Meet(Box::new(invitation)))]
    }

    /// From the passwords on, where they are good.
    fn passwords_given(&mut self) {
        if self.passwords.submit() != Pressed::Submit {
            return;
        }
        let (Some(a), Some(b)) = (self.passwords.secret(A), self.passwords.secret(B)) else { return };
        let a_is_wrong = Passwords::One(a.clone()).check().is_err();
        match (Passwords::Two { a, b }).check() {
            Ok(()) => self.step = At::Particulars,
            Err(error) => self.passwords.refuse(if a_is_wrong { A } else { B }, error.to_string()),
        }
    }

    /// From the particulars on, where all fields are right.
    fn filled_in(&mut self) {
        let Some(met) = &mut self.met else { return };
        if met.particulars.submit() == Pressed::Submit {
            self.step = At::Review(Box::new(review(met, self.interrupted.is_some())));
        }
    }

    /// Signs and sends.
    fn sign(&mut self, consent: Consent, shared: &Shared) -> Steps {
        let (Some(met), At::Review(review)) = (&self.met, &mut self.step) else { return Steps::new() };
        let (invitation, values) = (met.invitation.clone(), values(met));
        let effect = match consent {
            Consent::Password(password_b) => {
                let password_b = Password(password_b);
                Effect::Register(Box::new(Registering { invitation, values, password_b }))
            }
            Consent::Given => {
                let (Some(a), Some(b)) = (self.passwords.secret(A), self.passwords.secret(B)) else {
                    self.step = At::Passwords;
                    return Steps::new();
                };
                let (password_a, password_b) = (Password(a), Password(b));
                Effect::Join(Box::new(Joining { invitation, values, password_a, password_b }))
            }
        };
        review.wait(shared.now, "the vault to be made and the center's number for you");
        vec![Step::Own(effect)]
    }

    /// The form that is being filled in.
    fn form(&mut self) -> Option<&mut Form> {
        match &self.step {
            At::Invitation(None) => Some(&mut self.invitation),
            At::Passwords => Some(&mut self.passwords),
            At::Particulars => self.met.as_mut().map(|met| &mut met.particulars),
            _ => None,
        }
    }

    /// The name of the form's last field: Enter there goes on.
    fn last_field(&self) -> Option<&str> {
        match &self.step {
            At::Invitation(_) => Some(INVITATION),
            At::Passwords => Some(B_AGAIN),
            At::Particulars => {
                let met = self.met.as_ref()?;
                met.welcome.form.fields.iter().last().map(|field| field.key.as_str())
            }
            _ => None,
        }
    }

    fn submitted(&mut self, shared: &Shared) -> Steps {
        match &self.step {
            At::Invitation(_) => return self.meet(shared),
            At::Passwords => self.passwords_given(),
            At::Particulars => self.filled_in(),
            _ => {}
        }
        Steps::new()
    }

    fn back(&mut self) {
        self.step = match &self.step {
            At::Invitation(_) | At::Center => At::Invitation(None),
            At::Passwords => At::Center,
            At::Particulars if self.interrupted.is_some() => At::Center,
            At::Particulars => At::Passwords,
            At::Review(review) if !review.is_waiting() => At::Particulars,
            At::Review(_) | At::Resuming(_) | At::Done(_) => return,
        };
    }
}

impl Screen<Shared> for Join {
    type Do = Do;
    const NAME: &'static str = "join";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.step {
            At::Invitation(_) | At::Resuming(_) | At::Center => "Join a center",
            At::Passwords => "Choose passwords",
            At::Particulars => "Your particulars",
            At::Review(_) => "Review",
            At::Done(_) => "Joined",
        }
        .into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        match &self.step {
            At::Center | At::Done(_) => vec![
                Action::new(Do::GoOn, "go-on", "enter", "Go on", "The next step."),
                Action::new(
                    Do::CopyFingerprint,
                    "copy",
                    "y",
                    "Copy",
                    "Copies the fingerprint, or your number.",
                ),
            ],
            At::Invitation(_) | At::Passwords | At::Particulars => {
                vec![Action::new(
                    Do::GoOn,
                    "go-on",
                    "ctrl-s",
                    "Go on",
                    "The next step, when every field is right.",
                )]
            }
            At::Review(_) | At::Resuming(_) => Vec::new(),
        }
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, &self.step) {
            (Do::GoOn, At::Center) => {
                self.step = if self.interrupted.is_some() { At::Particulars } else { At::Passwords };
                Steps::new()
            }
            (Do::GoOn, At::Done(_)) => vec![Step::Enter(stack::layer(Home))],
            (Do::GoOn, _) => self.submitted(shared),
            (Do::CopyFingerprint, At::Done(joined)) => {
                vec![Step::Copy { text: joined.store.to_string(), what: "your number" }]
            }
            (Do::CopyFingerprint, _) => {
                let fingerprint = self.met.as_ref().map(|met| met.welcome.fingerprint.clone());
                let step = fingerprint.map(|text| Step::Copy { text, what: "the center's fingerprint" });
                step.into_iter().collect()
            }
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let At::Review(review) = &mut self.step {
            return match review.press(key) {
                Reviewed::Taken => Some(Steps::new()),
                Reviewed::Commit(consent) => Some(self.sign(consent, shared)),
                Reviewed::Free | Reviewed::Back => None,
            };
        }
        let at_last = key.code == KeyCode::Enter && self.last_field().is_some();
        let at_last = at_last && {
            let last = self.last_field().map(str::to_owned);
            self.form().is_some_and(|form| form.focused().map(str::to_owned) == last)
        };
        if at_last {
            return Some(self.submitted(shared));
        }
        match self.form()?.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Submit => Some(self.submitted(shared)),
            Pressed::Free | Pressed::Back => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if let At::Review(review) = &mut self.step {
            review.paste(pasted);
        } else if let Some(form) = self.form() {
            form.paste(pasted);
        }
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        match news {
            News::Met(met) => {
                // An answer that came after Esc is to a question that nobody asks any more.
                let At::Invitation(Some((invitation, _))) = &self.step else { return Steps::new() };
                match met {
                    Ok(welcome) => {
                        let form = particulars(&welcome.form, self.met.as_ref());
                        let invitation = invitation.clone();
                        self.met = Some(Met { invitation, welcome: welcome.clone(), particulars: form });
                        self.step = At::Center;
                    }
                    Err(failure) => {
                        self.step = At::Invitation(None);
                        self.invitation.refuse(INVITATION, failure.message.clone());
                    }
                }
            }
            News::Joined(Ok(joined)) => {
                self.passwords.wipe();
                self.step = At::Done(joined.clone());
            }
            News::Joined(Err(failure)) => match &mut self.step {
                At::Review(review) => review.refuse(failure.message.clone()),
                _ => {
                    self.step = At::Invitation(None);
                    self.invitation.refuse(INVITATION, failure.message.clone());
                }
            },
            News::Snapshot | News::LockedOut(_) | News::Done(..) => {}
        }
        Steps::new()
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        self.back();
        true
    }

    fn lively(&self, _shared: &Shared) -> bool {
        match &self.step {
            At::Invitation(asked) => asked.is_some(),
            At::Resuming(_) => true,
            At::Review(review) => review.is_waiting(),
            _ => false,
        }
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match (&self.step, &self.met) {
            (At::Review(review), _) => review.view(ui, area),
            (At::Resuming(waiting), _) => waiting.view(ui, area),
            (At::Invitation(Some((_, waiting))), _) => waiting.view(ui, area),
            (At::Invitation(None), _) => {
                let words = match self.interrupted {
                    None => format!(
                        "Profile {} has no store yet. Enter the center's invitation to join it.",
                        shared.place.profile
                    ),
                    Some(Stage::Sent) => "A registration that you signed waits in this vault. Enter sends it to the \
                                          center once more; the center answers the same telegram with the same number."
                        .into(),
                    Some(_) => "Your keys are made; the registration is not signed yet. Enter goes on.".into(),
                };
                form_view(ui, area, &words, &self.invitation);
            }
            (At::Center, Some(met)) => center_view(ui, area, &met.welcome),
            (At::Passwords, _) => {
                let words = "Two passwords: A opens the vault, B inside it opens the signature key. Nobody can give \
                             them back to you.";
                form_view(ui, area, words, &self.passwords);
            }
            (At::Particulars, Some(met)) => {
                let words = format!("{} asks this of its stores.", met.welcome.center);
                form_view(ui, area, &words, &met.particulars);
            }
            (At::Done(joined), met) => {
                let fingerprint = met.as_ref().map(|met| met.welcome.fingerprint.as_str());
                done_view(ui, area, joined, fingerprint.or(shared_fingerprint(shared)));
            }
            (At::Center | At::Particulars, None) => {}
        }
    }
}
