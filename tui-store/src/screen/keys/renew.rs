//! A new recovery phrase: made, shown, asked back, then signed with password B.

use tui_kit::{
    KeyEvent, detail::Row, keys::Action, ratatui::layout::Rect, review::Review, stack::Screen, ui::Ui,
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
#[derive(Default)]
pub(super) struct Renew {
    making: Making,
    signing: Option<Signing>,
}

/// What can be done.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    GoOn,
    Language,
}

impl Renew {
    fn show_review(&mut self, shared: &Shared) {
        let words = if shared.snapshot.recovery.is_some() {
            "Signed with password B it is in force after 72 hours; until then the old phrase can cancel it, and the center \
             writes to your contact. With the old phrase at hand, “tui-store keys new-phrase --phrase-file OLD” puts it in \
             force at once."
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
        vec![
            Action::new(
                Do::GoOn,
                "go-on",
                "ctrl-s",
                "Written down",
                "Asks some of the words back, then goes on.",
            )
            .when(self.making.may_go_on(), "look at all the words first"),
            Action::new(
                Do::Language,
                "language",
                "ctrl-l",
                "Language",
                "English or Japanese words: a new phrase.",
            ),
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
            Do::Language => self.making.turn_language().into_iter().collect(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let Some(signing) = &mut self.signing {
            let phrase = self.making.phrase()?;
            return signing.key(key, shared, move |password| Act::NewPhrase {
                phrase: Password(phrase.words().join(" ").into()),
                confirmed: true,
                old: None,
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
        match &mut self.signing {
            Some(signing) => signing.paste(pasted),
            None => self.making.paste(pasted),
        }
    }

    fn opened(&mut self, _shared: &mut Shared) -> Steps {
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
        match &self.signing {
            Some(signing) => signing.view(ui, area),
            None => self.making.view(ui, area),
        }
    }
}
