//! One change of keys on its way: what it means, the phrase where one is needed, the review with the drawn seal.

use tui_kit::{
    KeyCode, KeyEvent,
    detail::Row,
    keys::Action,
    ratatui::{crossterm::event::MouseEvent, layout::Rect},
    review::{Consent, Pressed as Reviewed, Review},
    stack::Screen,
    theme::Tone,
    ui::Ui,
};
use vault::{Autograph, recovery::RecoveryPhrase};
use wire::payload::KeyRole;

use crate::{
    act::{Act, CustodyAct, Outcome, Password},
    screen::{
        News, Step, Steps,
        asked::Asked,
        phrase::{self, Made, Making, Typed, Typing, secret},
        seal::{Given, Signing},
        shared::Shared,
    },
};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rotate(KeyRole),
    Revoke(KeyRole),
    NewPhrase(How),
    Cancel,
    Drill,
    Finish,
}

/// How a new phrase comes into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// At once: there is none yet.
    First,
    /// At once: the former one signs.
    Former,
    /// After 72 hours: the signature key signs.
    Waiting,
}

const FORMER_WORDS: &str = "Do you have the recovery phrase that is in force now?\n\nEnter: yes; it is typed first, and the new \
                            one is in force at once.\n\nn: no; the new one is in force after 72 hours, and until then whoever \
                            holds the former one can cancel it.";

/// It on its way.
pub(super) struct Change {
    kind: Kind,
    at: At,
    autograph: Option<Autograph>,
    phrase: Option<RecoveryPhrase>,
    /// The phrase in force, where it is to sign for a new one.
    former: Option<RecoveryPhrase>,
    asked: Asked<String>,
}

/// What can be done, beside filling in.
#[derive(Debug, Clone)]
pub(super) enum Do {
    Go,
    Lost,
}

enum At {
    /// Whether the former phrase is there still.
    Former,
    Autograph(Signing),
    Making(Box<Making>),
    Typing(Box<Typing>),
    Review(Box<Review>),
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Self::Rotate(KeyRole::Signature) => "New signature key",
            Self::Rotate(_) => "New terminal key",
            Self::Revoke(KeyRole::Signature) => "Revoke the signature key",
            Self::Revoke(_) => "Revoke the terminal key",
            Self::NewPhrase(_) => "New recovery phrase",
            Self::Cancel => "Cancel the new recovery key",
            Self::Drill => "Restore drill",
            Self::Finish => "Finish restoring",
        }
    }

    /// What it means, for the review.
    fn words(self) -> &'static str {
        match self {
            Self::Rotate(KeyRole::Signature) => {
                "A fresh key is made here and kept before it is asked for. From the center's entry on the old one signs \
                 nothing; what it has signed stays valid. A copy of the vault follows to the center."
            }
            Self::Rotate(_) => {
                "A fresh key is made here, certified by your signature key. From the center's entry on this terminal logs \
                 in with it; a copy of this vault elsewhere logs in no more."
            }
            Self::Revoke(KeyRole::Signature) => {
                "From the center's entry on nothing can be signed for this account, until the recovery phrase puts a new \
                 key in force."
            }
            Self::Revoke(_) => {
                "From the center's entry on this terminal can't log in, until the recovery phrase puts a new key in force."
            }
            Self::NewPhrase(How::First) => "The first phrase of an account is in force at once.",
            Self::NewPhrase(How::Former) => {
                "The former phrase signs for the new one, which is in force at once. From then on the former one brings \
                 nothing back; destroy the paper."
            }
            Self::NewPhrase(How::Waiting) => {
                "The new phrase is in force after 72 hours, and whoever holds the former one can cancel it until then. Keep \
                 the former one that long."
            }
            Self::Cancel => "The recovery key that waits never comes into force.",
            Self::Drill => "",
            Self::Finish => "Keys of this vault that the center has not in force are changed for fresh ones.",
        }
    }
}

impl Change {
    pub(super) fn new(kind: Kind, shared: &Shared) -> Self {
        let mut change = Self {
            kind,
            at: At::Typing(Box::new(Typing::new())),
            autograph: None,
            phrase: None,
            former: None,
            asked: Asked::Not,
        };
        match kind {
            Kind::Rotate(KeyRole::Signature) => change.at = At::Autograph(Signing::Choice),
            Kind::Rotate(_) | Kind::Revoke(_) => change.review(shared),
            Kind::NewPhrase(How::First) => change.make(How::First),
            Kind::NewPhrase(_) => change.at = At::Former,
            Kind::Cancel | Kind::Drill | Kind::Finish => {}
        }
        change
    }

    /// The new phrase is made, shown and asked back.
    fn make(&mut self, how: How) {
        self.kind = Kind::NewPhrase(how);
        self.at = At::Making(Box::new(Making::new(false)));
    }

    /// Whether the former phrase is there was answered.
    fn chosen(&mut self, key: KeyEvent) -> Option<Steps> {
        match key.code {
            KeyCode::Enter => {
                self.kind = Kind::NewPhrase(How::Former);
                self.at = At::Typing(Box::new(Typing::new()));
            }
            KeyCode::Char('n') => self.make(How::Waiting),
            _ => return None,
        }
        Some(Steps::new())
    }

    fn review(&mut self, shared: &Shared) {
        let mut rows = Vec::new();
        rows.extend(shared.snapshot.member.map(|member| Row::pair("Account", member.to_string())));
        rows.extend(shared.snapshot.center.iter().map(|center| Row::pair("Center", center.name.as_str())));
        if self.kind == Kind::Rotate(KeyRole::Signature) {
            rows.push(match self.autograph {
                Some(_) => Row::pair("Autograph", "a new one, mixed in"),
                None => Row::toned("Autograph", Tone::Dim, "none"),
            });
        }
        rows.push(Row::Gap);
        rows.push(Row::Words(self.kind.words().into()));
        let review = Review::new(self.kind.title(), "sign and send", rows);
        let review = match &shared.snapshot.seal {
            Some(seal) => review.seal(seal.clone()),
            None => review,
        };
        // Keys are changed with password B in hand, also while the signature key is open: both keys are sealed under it.
        self.at = At::Review(Box::new(match self.kind {
            Kind::Cancel => review,
            _ => review.password("Password B"),
        }));
    }

    /// The phrase is typed: what needs no signature key is done at once.
    fn typed(&mut self, phrase: RecoveryPhrase, shared: &mut Shared) -> Steps {
        if self.kind == Kind::Drill {
            let act = CustodyAct::Drill { phrase: secret(&phrase) };
            return vec![self.asked.ask(Act::Custody(act), "the copy to be restored and compared", shared)];
        }
        if let Kind::NewPhrase(_) = self.kind {
            // Looked at before another is made: a slip should cost nobody a phrase written down in vain.
            let act = CustodyAct::CheckPhrase { phrase: secret(&phrase) };
            self.former = Some(phrase);
            return vec![self.asked.ask(
                Act::Custody(act),
                "the phrase to be compared with the vault",
                shared,
            )];
        }
        self.phrase = Some(phrase);
        self.review(shared);
        Steps::new()
    }

    fn commit(&mut self, consent: Consent, shared: &mut Shared) -> Steps {
        let phrase = self.phrase.as_ref().map(secret);
        let password_b = match consent {
            Consent::Password(password) => Some(Password(password)),
            Consent::Given => None,
        };
        let act = match (self.kind, phrase, password_b) {
            (Kind::Rotate(role), _, Some(password_b)) => {
                CustodyAct::Rotate { role, password_b, phrase: None, autograph: self.autograph.clone() }
            }
            (Kind::Revoke(role), _, Some(password_b)) => {
                CustodyAct::Revoke { role, password_b, phrase: None }
            }
            (Kind::NewPhrase(_), Some(phrase), Some(password_b)) => {
                CustodyAct::NewPhrase { phrase, former: self.former.as_ref().map(secret), password_b }
            }
            (Kind::Finish, Some(phrase), Some(password_b)) => {
                CustodyAct::FinishRestoring { phrase, password_b }
            }
            (Kind::Cancel, Some(phrase), _) => CustodyAct::CancelChange { phrase },
            _ => return Steps::new(),
        };
        if let At::Review(review) = &mut self.at {
            review.wait(shared.now, "the key to be changed at the center");
        }
        vec![self.asked.ask(Act::Custody(act), "the key to be changed at the center", shared)]
    }
}

impl Screen<Shared> for Change {
    type Do = Do;
    const NAME: &'static str = "key-change";

    fn title(&self, _shared: &Shared) -> String {
        format!("Keys › {}", self.kind.title())
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let (label, help) = match &self.at {
            At::Former => ("I have it", "The former phrase is typed, and the new one is in force at once."),
            At::Making(making) => making.next(),
            At::Typing(_) => phrase::NEXT_WORD,
            At::Autograph(_) | At::Review(_) => return Vec::new(),
        };
        let waits = self.asked.is_waiting();
        let former = matches!(self.at, At::Former);
        vec![
            Action::new(Do::Go, "go", "enter", label, help).when(!waits, "an answer is awaited"),
            Action::new(Do::Lost, "lost", "n", "I don't", "The new phrase is in force after 72 hours.")
                .when(former, "this is not asked for now"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let code = match todo {
            Do::Go => KeyCode::Enter,
            Do::Lost => KeyCode::Char('n'),
        };
        match self.key(code.into(), shared) {
            Some(steps) => steps,
            None if matches!(&self.at, At::Making(making) if making.is_shown()) => {
                vec![Step::Say(Tone::Warn, phrase::UNSEEN.into())]
            }
            None => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.asked.is_waiting() {
            return None;
        }
        match &mut self.at {
            At::Former => self.chosen(key),
            At::Autograph(signing) => match signing.press(key, shared) {
                Given::Taken => Some(Steps::new()),
                Given::Free | Given::Back => None,
                Given::Autograph(autograph) => {
                    self.autograph = autograph;
                    self.review(shared);
                    Some(Steps::new())
                }
            },
            At::Making(making) => match making.press(key, shared) {
                Made::Taken(steps) => Some(steps),
                Made::Free | Made::Back | Made::None => None,
                Made::Phrase(phrase) => {
                    self.phrase = Some(phrase);
                    self.review(shared);
                    Some(Steps::new())
                }
            },
            At::Typing(typing) => match typing.press(key) {
                Typed::Taken => Some(Steps::new()),
                Typed::Free | Typed::Back => None,
                Typed::Phrase(phrase) => Some(self.typed(phrase, shared)),
            },
            At::Review(review) => match review.press(key) {
                Reviewed::Taken => Some(Steps::new()),
                Reviewed::Free | Reviewed::Back => None,
                Reviewed::Commit(consent) => Some(self.commit(consent, shared)),
            },
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.at {
            At::Review(review) => review.paste(pasted),
            At::Typing(typing) => typing.paste(pasted),
            At::Making(making) => making.paste(pasted),
            At::Former | At::Autograph(_) => {}
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
        if let At::Making(making) = &mut self.at {
            making.told(news);
        }
        let kind = self.kind;
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Done => Some(String::new()),
            Outcome::Keys(keys) if matches!(kind, Kind::NewPhrase(_)) => {
                Some(keys.waiting_from.as_ref().map_or_else(
                    || "the new phrase is in force".to_owned(),
                    |from| {
                        format!("the new phrase is in force from {}; keep the old one until then", from.text)
                    },
                ))
            }
            Outcome::Keys(_) => Some(format!("{}: done", kind.title())),
            Outcome::Drill(drill) => Some(format!(
                "the copy of {} gave back everything: {} records are the same",
                drill.copied_at.text, drill.compared
            )),
            _ => None,
        };
        if !self.asked.told(news, pick) {
            return Steps::new();
        }
        let checked = matches!(self.at, At::Typing(_)) && self.kind == Kind::NewPhrase(How::Former);
        match &self.asked {
            Asked::Here(_) if checked => {
                self.asked = Asked::Not;
                self.make(How::Former);
                Steps::new()
            }
            Asked::Here(words) => vec![Step::Say(Tone::Good, words.clone()), Step::Back],
            Asked::Failed(failure) => {
                match &mut self.at {
                    At::Review(review) => review.refuse(failure.message.clone()),
                    At::Typing(typing) => typing.refuse(failure.message.clone()),
                    At::Former | At::Autograph(_) | At::Making(_) => {}
                }
                Steps::new()
            }
            Asked::Not | Asked::Waiting { .. } => Steps::new(),
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match (&self.at, &self.asked) {
            (At::Review(review), _) => review.view(ui, area),
            (_, Asked::Waiting { waiting, .. }) => waiting.view(ui, area),
            (At::Former, _) => {
                let style = ui.theme().text;
                ui.paragraph(area, FORMER_WORDS, style);
            }
            (At::Autograph(signing), _) => signing.view(ui, area),
            (At::Making(making), _) => making.view(ui, area),
            (At::Typing(typing), _) => {
                typing.view(
                    ui,
                    area,
                    "Type the 24 words of the recovery phrase in force, from what you wrote down.",
                );
            }
        }
    }
}
