//! A new recovery phrase: made, shown, asked back, then signed with password B, and with the former phrase where that is
//! at hand.

use tui_kit::{
    KeyEvent,
    detail::Row,
    keys::Action,
    phrase::{Asking, Pressed},
    ratatui::layout::{Constraint, Layout, Rect},
    review::Review,
    stack::Screen,
    ui::Ui,
};
use vault::{
    Language, RecoveryPhrase,
    recovery::{PhraseError, WORDS},
};

use crate::{
    act::{Act, Password},
    screen::{
        News, Steps,
        phrase::{Made, Making},
        shared::Shared,
        signing::Signing,
    },
};

/// The making of a new phrase.
pub(super) struct Renew {
    former: Former,
    making: Making,
    signing: Option<Signing>,
}

/// The phrase that is in force.
enum Former {
    /// It need not be at hand: the new one waits.
    Unasked,
    Asked(Language, Asking),
    Given(Password),
}

/// What can be done.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    GoOn,
    Language,
}

impl Renew {
    /// One that waits for 72 hours, or the first one.
    pub(super) fn new() -> Self {
        Self::of(Former::Unasked)
    }

    /// One that the former phrase puts in force at once.
    pub(super) fn at_once() -> Self {
        Self::of(asked(Language::English))
    }

    fn of(former: Former) -> Self {
        Self { former, making: Making::default(), signing: None }
    }

    /// Takes the former phrase as it was typed; the word that is wrong is said.
    fn given(&mut self, typed: &[String]) -> Steps {
        let Former::Asked(_, words) = &mut self.former else { return Steps::new() };
        let typed = typed.join(" ").into();
        if let Err(error) = RecoveryPhrase::parse(&typed) {
            let number = match &error {
                PhraseError::Unknown { positions, .. } => positions.first().copied(),
                _ => None,
            };
            words.refuse(number, error.to_string());
            return Steps::new();
        }
        self.former = Former::Given(Password(typed));
        self.making.begin().into_iter().collect()
    }

    fn show_review(&mut self, shared: &Shared) {
        let words = if matches!(self.former, Former::Given(_)) {
            "Signed with the former phrase it is in force at once, and the former one opens nothing any more. Password B \
             seals your signature key to the new one."
        } else if shared.snapshot.recovery.is_some() {
            "Signed with password B it is in force after 72 hours; until then the old phrase can cancel it, and the center \
             writes to your contact. With the old phrase at hand, N on the screen before puts it in force at once."
        } else {
            "It is the first one of this store, and in force at once."
        };
        let rows = [
            Row::pair("Change", "a new recovery phrase, asked back and right"),
            Row::Gap,
            Row::Words(words.into()),
        ];
        let review = shared.sealed(Review::new("New recovery phrase", "Sign and send", rows));
        self.signing = Some(Signing::asking(review));
    }
}

impl Screen<Shared> for Renew {
    type Do = Do;
    const NAME: &'static str = "new-phrase";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Keys › New recovery phrase".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        if self.signing.is_some() {
            return Vec::new();
        }
        let language = Action::new(
            Do::Language,
            "language",
            "ctrl-g",
            "Language",
            "English or Japanese words: a new phrase.",
        );
        if matches!(self.former, Former::Asked(..)) {
            return vec![language];
        }
        vec![
            Action::new(
                Do::GoOn,
                "go-on",
                "ctrl-s",
                "Written down",
                "Asks some of the words back, then goes on.",
            )
            .when(self.making.may_go_on(), "look at all the words first"),
            language,
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::GoOn => {
                if self.making.go_on() == Made::Yes {
                    self.show_review(shared);
                }
                Steps::new()
            }
            Do::Language => {
                if let Former::Asked(language, _) = &self.former {
                    self.former = asked(match language {
                        Language::English => Language::Japanese,
                        Language::Japanese => Language::English,
                    });
                    return Steps::new();
                }
                self.making.turn_language().into_iter().collect()
            }
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let Former::Asked(_, words) = &mut self.former {
            return match words.press(key) {
                Pressed::Taken => Some(Steps::new()),
                Pressed::Free | Pressed::Back => None,
                Pressed::Given(words) => Some(self.given(&words)),
            };
        }
        if let Some(signing) = &mut self.signing {
            let phrase = self.making.phrase()?;
            let old = match &self.former {
                Former::Given(phrase) => Some(phrase.clone()),
                Former::Unasked | Former::Asked(..) => None,
            };
            return signing.key(key, shared, move |password| Act::NewPhrase {
                phrase: Password(phrase.words().join(" ").into()),
                confirmed: true,
                old,
                password_b: password.unwrap_or_else(|| Password::from("")),
            });
        }
        let made = self.making.press(key)?;
        if made == Made::Yes {
            self.show_review(shared);
        }
        Some(Steps::new())
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match (&mut self.former, &mut self.signing) {
            (Former::Asked(_, words), _) => words.paste(pasted),
            (_, Some(signing)) => signing.paste(pasted),
            (_, None) => self.making.paste(pasted),
        }
    }

    fn opened(&mut self, _shared: &mut Shared) -> Steps {
        if matches!(self.former, Former::Asked(..)) {
            return Steps::new();
        }
        self.making.begin().into_iter().collect()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Phrase(phrase, asked) = news
            && self.signing.is_none()
        {
            self.making.made(phrase, *asked);
        }
        if let Some(signing) = &mut self.signing {
            signing.told(news, shared);
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.signing.as_ref().is_some_and(Signing::is_waiting)
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match (&self.former, &self.signing) {
            (Former::Asked(_, words), _) => {
                let rows = if area.height < 12 { 0 } else { 3 };
                let [head, body] =
                    Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
                let style = ui.theme().text;
                let said = "First the 24 words of the phrase in force: they put the new one in force at once. Tab \
                            completes a word. Ctrl-G: the other language.";
                ui.paragraph(head, said, style);
                words.view(ui, body);
            }
            (_, Some(signing)) => signing.view(ui, area),
            (_, None) => self.making.view(ui, area),
        }
    }
}

fn asked(language: Language) -> Former {
    Former::Asked(language, Asking::all(WORDS, language.word_list()))
}
