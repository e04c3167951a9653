//! Joining, in the steps that the center sees, too: invitation, guide page, form, passwords, autograph, recovery phrase,
//! review and application; then its state, terms, number and code, registration.
//!
//! The steps keep what was entered while one goes back and forth. Nothing of it is written down before the vault exists;
//! from then on what is known of the application is in the vault, and joining goes on where it stopped.

mod admission;
mod autograph;
mod before;
mod passwords;
mod shown;
mod table;
mod told;

use tui_kit::{
    KeyCode, KeyEvent,
    form::{Form, Pressed},
    keys::Action,
    pager::Pager,
    progress::Waiting,
    ratatui::{crossterm::event::MouseEvent, layout::Rect},
    review::{Consent, Pressed as Reviewed, Review},
    stack::{self, Screen},
    ui::Ui,
};
use wire::{
    id::{AccountNumber, StoreNumber},
    sheet::Invitation,
};

use crate::{
    app::Effect,
    join::{Joined, Stage, Standing, Welcome},
    screen::{
        News, Step, Steps,
        home::Home,
        phrase::{Made, Making},
        restore::Restore,
        shared::Shared,
    },
};

use admission::Admission;
use autograph::Pads;
use shown::{done_view, review, values};

pub(super) use passwords::Passwords;
pub(super) use shown::{form_view, invitation_form};

pub(super) const INVITATION: &str = "invitation";
const STORE: &str = "store";

/// Joining a center.
pub(crate) struct Join {
    /// The vault stands already: passwords, autograph and phrase are made, password B signs.
    vault: bool,
    /// Why it goes on from here: what the center said about an application that was not taken.
    reason: Option<String>,
    /// A lost terminal is replaced: the store's number is asked for beside the invitation.
    lost: bool,
    invitation: Form,
    passwords: Passwords,
    pads: Pads,
    making: Making,
    met: Option<Met>,
    step: At,
}

/// A center that has said who it is.
struct Met {
    invitation: Invitation,
    /// The store whose terminal was lost.
    replaces: Option<StoreNumber>,
    welcome: Box<Welcome>,
    guide: Pager,
    /// The center's form.
    particulars: Form,
}

/// Where joining stands.
enum At {
    /// The invitation is entered; the center is being asked while one waits.
    Invitation(Option<(Invitation, Waiting)>),
    /// The center's name, fingerprint and guide page are shown.
    Center,
    Particulars,
    Passwords,
    Autograph,
    Phrase,
    Review(Box<Review>),
    /// The center has the application, or what comes after.
    Admission(Box<Admission>),
    /// Entered in the register.
    Done(Joined),
}

/// What can be done while joining; what is typed goes into the forms.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    GoOn,
    Copy,
    Restore,
    Lost,
    OnePassword,
    TypeOrDraw,
    Skip,
    Language,
    Admission(admission::Do),
}

impl Join {
    /// Joining from the beginning.
    pub(crate) fn new() -> Self {
        Self {
            vault: false,
            reason: None,
            lost: false,
            invitation: invitation_form("Ask the center"),
            passwords: Passwords::new(),
            pads: Pads::default(),
            making: Making::default(),
            met: None,
            step: At::Invitation(None),
        }
    }

    /// Joining that goes on in a vault which is there.
    pub(crate) fn interrupted(standing: &Standing) -> Self {
        let mut join = Self { vault: true, reason: standing.not_taken.clone(), ..Self::new() };
        if let Some(invitation) = &standing.invitation {
            join.invitation.set(INVITATION, invitation);
        }
        if standing.stage != Stage::Unsigned {
            join.step = At::Admission(Box::new(Admission::new(standing)));
        }
        join
    }

    /// Takes the invitation: the center is asked who it is.
    fn meet(&mut self, shared: &Shared) -> Steps {
        if self.invitation.submit() != Pressed::Submit {
            return Steps::new();
        }
        let Ok(invitation) = self.invitation.text(INVITATION).parse::<Invitation>() else {
            return Steps::new();
        };
        let waiting = Waiting::new(shared.now, "the center to say who it is", "Esc stops");
        self.step = At::Invitation(Some((invitation.clone(), waiting)));
        vec![Step::Own(Effect::Meet(Box::new(invitation)))]
    }

    /// From one step to the next, where it is done.
    fn go_on(&mut self, shared: &Shared) -> Steps {
        match &self.step {
            At::Invitation(_) => return self.meet(shared),
            At::Center => self.step = At::Particulars,
            At::Particulars => {
                let filled = self.met.as_mut().is_some_and(|met| met.particulars.submit() == Pressed::Submit);
                if filled && self.vault {
                    self.show_review(shared);
                } else if filled {
                    self.step = At::Passwords;
                }
            }
            At::Passwords => {
                let words = self.met.as_ref().map(personal_words).unwrap_or_default();
                if self.passwords.given(&words) {
                    self.step = At::Autograph;
                }
            }
            At::Autograph => return self.show_phrase(),
            At::Phrase => self.show_review(shared),
            At::Review(_) | At::Admission(_) | At::Done(_) => {}
        }
        Steps::new()
    }

    /// To the recovery phrase; one that was shown before is kept.
    fn show_phrase(&mut self) -> Steps {
        self.step = At::Phrase;
        self.making.begin().into_iter().collect()
    }

    fn show_review(&mut self, shared: &Shared) {
        if let Some(met) = &self.met {
            let review = review(met, self.vault, self.making.phrase().is_some());
            let review = match self.pads.drawing() {
                Some(drawing) if !self.vault => review.seal(drawing),
                _ => shared.sealed(review),
            };
            self.step = At::Review(Box::new(review));
        }
    }

    /// Signs and sends.
    fn sign(&mut self, consent: Consent, shared: &Shared) -> Steps {
        let (Some(met), At::Review(review)) = (&self.met, &mut self.step) else { return Steps::new() };
        let (form, values) = (met.welcome.form.clone(), values(met));
        let effect = match consent {
            Consent::Password(password_b) => before::apply(form, values, password_b),
            Consent::Given => {
                let Some((password_a, password_b)) = self.passwords.secrets() else {
                    self.step = At::Passwords;
                    return Steps::new();
                };
                let autograph = match self.pads.autograph() {
                    Ok(autograph) => autograph,
                    Err(error) => {
                        review.refuse(error.to_string());
                        return Steps::new();
                    }
                };
                let phrase = self.making.phrase();
                let to = (met.invitation.clone(), met.replaces.map(AccountNumber::Store));
                before::begin(to, form, values, (password_a, password_b), autograph, phrase)
            }
        };
        review.wait(shared.now, "the vault to be made, and the center's number for your application");
        vec![Step::Own(effect)]
    }

    /// The form that is being filled in.
    fn form(&mut self) -> Option<&mut Form> {
        match &mut self.step {
            At::Invitation(None) => Some(&mut self.invitation),
            At::Passwords => Some(self.passwords.form()),
            At::Particulars => self.met.as_mut().map(|met| &mut met.particulars),
            _ => None,
        }
    }

    /// Whether Enter on the focused field goes on: it is the form's last.
    fn at_last_field(&mut self) -> bool {
        let last = match &self.step {
            At::Invitation(_) => Some(if self.lost { STORE } else { INVITATION }.to_owned()),
            At::Passwords => Some(self.passwords.last_field().to_owned()),
            At::Particulars => self
                .met
                .as_ref()
                .and_then(|met| met.welcome.form.fields.iter().last())
                .map(|field| field.key.to_string()),
            _ => None,
        };
        last.is_some() && self.form().and_then(|form| form.focused().map(str::to_owned)) == last
    }

    fn back(&mut self) {
        self.step = match &self.step {
            At::Invitation(_) | At::Center => At::Invitation(None),
            At::Particulars => At::Center,
            At::Passwords => At::Particulars,
            At::Autograph => At::Passwords,
            At::Phrase => {
                if self.making.step_back() {
                    return;
                }
                At::Autograph
            }
            At::Review(review) if !review.is_waiting() && self.vault => At::Particulars,
            At::Review(review) if !review.is_waiting() => At::Phrase,
            At::Review(_) | At::Done(_) | At::Admission(_) => return,
        };
    }
}

/// What a guesser of this person's passwords would try first.
fn personal_words(met: &Met) -> Vec<String> {
    values(met).into_iter().map(|(_, value)| value).collect()
}

impl Screen<Shared> for Join {
    type Do = Do;
    const NAME: &'static str = "join";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.step {
            At::Invitation(_) if self.lost => "Replace a lost terminal",
            At::Invitation(_) => "Join a center",
            At::Center => "Join: the center's guide (step 1 of 7)",
            At::Particulars => "Join: your particulars (step 3 of 7)",
            At::Passwords => "Join: choose passwords",
            At::Autograph => "Join: your autograph",
            At::Phrase => "Join: recovery phrase",
            At::Review(_) => "Join: review of the application (step 4 of 7)",
            At::Admission(admission) => return admission.title(),
            At::Done(_) => "Joined",
        }
        .into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        self.table(shared)
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, &mut self.step) {
            (Do::GoOn, At::Done(_)) => vec![Step::Enter(stack::layer(Home))],
            (Do::GoOn, At::Phrase) => match self.making.go_on() {
                Made::Yes => self.go_on(shared),
                Made::NotYet => Steps::new(),
            },
            (Do::GoOn, _) => self.go_on(shared),
            (Do::Restore, _) => {
                vec![Step::Swap(stack::layer(Restore::new(&self.invitation.text(INVITATION))))]
            }
            (Do::Lost, _) => {
                self.lost = !self.lost;
                let typed = self.invitation.text(INVITATION);
                self.invitation =
                    if self.lost { shown::replace_form() } else { invitation_form("Ask the center") };
                self.invitation.set(INVITATION, &typed);
                Steps::new()
            }
            (Do::OnePassword, _) => {
                self.passwords.turn();
                Steps::new()
            }
            (Do::TypeOrDraw, _) => {
                self.pads.turn();
                Steps::new()
            }
            (Do::Skip, At::Autograph) => {
                self.pads.clear();
                self.show_phrase()
            }
            (Do::Skip, _) => {
                self.making.clear();
                self.show_review(shared);
                Steps::new()
            }
            (Do::Language, _) => self.making.turn_language().into_iter().collect(),
            (Do::Copy, At::Done(joined)) => {
                vec![Step::Copy { text: joined.store.to_string(), what: "your number" }]
            }
            (Do::Copy, _) => {
                let fingerprint = self.met.as_ref().map(|met| met.welcome.fingerprint.clone());
                let step = fingerprint.map(|text| Step::Copy { text, what: "the center's fingerprint" });
                step.into_iter().collect()
            }
            (Do::Admission(admission::Do::Amend), _) => {
                self.step = At::Invitation(None);
                self.meet(shared)
            }
            (Do::Admission(todo), At::Admission(admission)) => admission.run(todo, shared),
            (Do::Admission(_), _) => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        match &mut self.step {
            At::Review(review) => {
                return match review.press(key) {
                    Reviewed::Taken => Some(Steps::new()),
                    Reviewed::Commit(consent) => Some(self.sign(consent, shared)),
                    Reviewed::Free | Reviewed::Back => None,
                };
            }
            At::Center => {
                let met = self.met.as_mut()?;
                return met.guide.press(key).then(Steps::new);
            }
            At::Autograph => {
                return match self.pads.press(shared.now, key)? {
                    autograph::Given::NotYet => Some(Steps::new()),
                    autograph::Given::Yes => Some(self.show_phrase()),
                };
            }
            At::Phrase => {
                return match self.making.press(key)? {
                    Made::NotYet => Some(Steps::new()),
                    Made::Yes => Some(self.go_on(shared)),
                };
            }
            At::Admission(admission) => return admission.key(key, shared),
            _ => {}
        }
        if key.code == KeyCode::Enter && self.at_last_field() {
            return Some(self.go_on(shared));
        }
        match self.form()?.press(key) {
            Pressed::Taken => {
                if matches!(self.step, At::Passwords) {
                    self.passwords.measure();
                }
                Some(Steps::new())
            }
            Pressed::Submit => Some(self.go_on(shared)),
            Pressed::Free | Pressed::Back => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.step {
            At::Review(review) => review.paste(pasted),
            At::Phrase => self.making.paste(pasted),
            At::Admission(admission) => admission.paste(pasted),
            _ => {
                if let Some(form) = self.form() {
                    form.paste(pasted);
                }
            }
        }
    }

    fn wants_mouse(&self) -> bool {
        matches!(self.step, At::Autograph) && self.pads.draws()
    }

    fn mouse(&mut self, mouse: MouseEvent, shared: &mut Shared) -> Steps {
        self.pads.mouse(shared.now, mouse);
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let (News::Stands(Ok(_)), Some(drawing)) = (news, self.pads.drawing()) {
            shared.show_seal(drawing);
        }
        self.take(news)
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        if let At::Admission(admission) = &mut self.step {
            return admission.back();
        }
        self.back();
        true
    }

    fn guards(&self) -> bool {
        !matches!(self.step, At::Admission(_) | At::Done(_) | At::Center)
    }

    fn lively(&self, _shared: &Shared) -> bool {
        match &self.step {
            At::Invitation(asked) => asked.is_some(),
            At::Review(review) => review.is_waiting(),
            At::Admission(admission) => admission.is_waiting(),
            _ => false,
        }
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match (&self.step, &self.met) {
            (At::Review(review), _) => review.view(ui, area),
            (At::Invitation(Some((_, waiting))), _) => waiting.view(ui, area),
            (At::Invitation(None), _) => {
                let words = match (&self.reason, self.vault) {
                    (Some(why), _) => {
                        format!("The center did not take the application: {why}. Enter goes on.")
                    }
                    (None, true) => "Your keys are made; nothing was applied for yet. Enter goes on.".into(),
                    (None, false) if self.lost => {
                        "A store whose terminal and recovery phrase are lost gets a new terminal by the same way as it \
                         joined, with its number. With the phrase, bring it back instead (Ctrl-R)."
                            .into()
                    }
                    (None, false) => format!(
                        "Profile {} has no store yet. Enter the center's invitation to join it, or bring back a store \
                         that you had (Ctrl-R). Ctrl-T: terminal and phrase are lost.",
                        shared.place.profile
                    ),
                };
                form_view(ui, area, &words, &self.invitation);
            }
            (At::Center, Some(met)) => shown::center_view(ui, area, &met.guide),
            (At::Passwords, _) => self.passwords.view(ui, area),
            (At::Particulars, Some(met)) => {
                let words = format!("{} asks this of its stores.", met.welcome.center);
                form_view(ui, area, &words, &met.particulars);
            }
            (At::Autograph, _) => self.pads.view(ui, area),
            (At::Phrase, _) => self.making.view(ui, area),
            (At::Admission(admission), _) => admission.view(ui, area),
            (At::Done(joined), met) => {
                let fingerprint = met.as_ref().map(|met| met.welcome.fingerprint.as_str());
                done_view(ui, area, joined, fingerprint.or(shown::shared_fingerprint(shared)));
            }
            (At::Center | At::Particulars, None) => {}
        }
    }
}
