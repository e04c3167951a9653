//! A recovery phrase on the screen: made, shown once, asked back; or typed as a whole.

use std::sync::LazyLock;

use secrecy::SecretString;
use tui_kit::{
    KeyCode, KeyEvent,
    phrase::{Asking, Pressed, Shown},
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    ui::Ui,
};
use vault::recovery::{Language, PhraseError, RecoveryPhrase, WORDS};
use zeroize::Zeroizing;

use crate::{
    act::Password,
    app::{Effect, Fresh},
    screen::{News, Step, Steps, shared::Shared},
};

/// The words of both lists: what is typed on a new machine may be from either.
static ALL_WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let both = [Language::English, Language::Japanese];
    both.into_iter().flat_map(|language| language.word_list().iter().copied()).collect()
});

const SHOWN_WORDS: &str = "These words bring everything back when this machine or the passwords are lost. Write them on \
                           paper, in this order. They are shown this once. Enter: they are written down.";
const ASKED_WORDS: &str = "Type these words from what you wrote down.";
const CHOICE_WORDS: &str = "A recovery phrase of 24 words brings your account back when this machine or the passwords are \
                            lost. Without it nobody can.\n\nEnter: English words.   j: Japanese words (ひらがな).   n: no \
                            phrase (it can be made later, under Keys).";

/// What is said to someone who goes on before all words were in sight.
pub(super) const UNSEEN: &str = "look at all the words first; Space shows more";

/// What Enter does while words are typed: label and help.
pub(super) const NEXT_WORD: (&str, &str) =
    ("Next word", "Goes on to the next word; on the last one, that is all.");

/// A phrase on its way to paper.
pub(super) struct Making {
    at: At,
    /// Whether it may be skipped.
    optional: bool,
}

enum At {
    Language,
    Waiting(Waiting),
    Shown { fresh: Box<Fresh>, shown: Shown },
    Asked { fresh: Box<Fresh>, asking: Asking },
}

/// What a key has done.
pub(super) enum Made {
    /// Used up; perhaps with something to be done.
    Taken(Steps),
    /// Not for it.
    Free,
    /// One step back, out of it.
    Back,
    /// There shall be none.
    None,
    /// It is written down.
    Phrase(RecoveryPhrase),
}

impl Making {
    /// Before anything is made. One that is optional may be left out.
    pub(super) fn new(optional: bool) -> Self {
        Self { at: At::Language, optional }
    }

    /// Takes a key.
    pub(super) fn press(&mut self, key: KeyEvent, shared: &Shared) -> Made {
        match &mut self.at {
            At::Language => match key.code {
                KeyCode::Enter => self.make(Language::English, shared),
                KeyCode::Char('j') => self.make(Language::Japanese, shared),
                KeyCode::Char('n') if self.optional => Made::None,
                KeyCode::Esc => Made::Back,
                _ => Made::Free,
            },
            At::Waiting(_) => Made::Free,
            At::Shown { fresh, shown } => match key.code {
                KeyCode::Enter if shown.was_seen() => {
                    let asking = Asking::some(fresh.asked, fresh.phrase.language().word_list());
                    let At::Shown { fresh, .. } = std::mem::replace(&mut self.at, At::Language) else {
                        return Made::Free;
                    };
                    self.at = At::Asked { fresh, asking };
                    Made::Taken(Steps::new())
                }
                KeyCode::Esc => {
                    self.at = At::Language;
                    Made::Taken(Steps::new())
                }
                _ if shown.press(key) => Made::Taken(Steps::new()),
                _ => Made::Free,
            },
            At::Asked { .. } => self.answer(key),
        }
    }

    /// What Enter does now: label and help.
    pub(super) fn next(&self) -> (&'static str, &'static str) {
        match &self.at {
            At::Language => ("English words", "Makes a phrase of English words."),
            At::Waiting(_) => ("Go on", "The words are being made."),
            At::Shown { .. } => ("Written down", "The words are written down; some of them are asked back."),
            At::Asked { .. } => NEXT_WORD,
        }
    }

    /// Whether the words are shown.
    pub(super) fn is_shown(&self) -> bool {
        matches!(self.at, At::Shown { .. })
    }

    /// Pastes into the words that are asked back.
    pub(super) fn paste(&mut self, pasted: &str) {
        if let At::Asked { asking, .. } = &mut self.at {
            asking.paste(pasted);
        }
    }

    /// Takes the phrase that was asked for.
    pub(super) fn told(&mut self, news: &News) {
        if let (At::Waiting(_), News::Phrase(made)) = (&self.at, news)
            && let Some(fresh) = made.borrow_mut().take()
        {
            let words = Zeroizing::new(fresh.phrase.words().iter().map(ToString::to_string).collect());
            self.at = At::Shown { shown: Shown::new(words), fresh };
        }
    }

    /// Whether something is awaited.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.at, At::Waiting(_))
    }

    /// Draws it.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.at {
            At::Language => {
                let style = ui.theme().text;
                ui.paragraph(area, CHOICE_WORDS, style);
            }
            At::Waiting(waiting) => waiting.view(ui, area),
            At::Shown { shown, .. } => below(ui, area, SHOWN_WORDS, |ui, rest| shown.view(ui, rest)),
            At::Asked { asking, .. } => below(ui, area, ASKED_WORDS, |ui, rest| asking.view(ui, rest)),
        }
    }

    fn make(&mut self, language: Language, shared: &Shared) -> Made {
        self.at = At::Waiting(Waiting::new(shared.now, "the words", ""));
        Made::Taken(vec![Step::Own(Effect::MakePhrase(language))])
    }

    fn answer(&mut self, key: KeyEvent) -> Made {
        let At::Asked { fresh, asking } = &mut self.at else { return Made::Free };
        let given = match asking.press(key) {
            Pressed::Taken => return Made::Taken(Steps::new()),
            Pressed::Free => return Made::Free,
            Pressed::Back => {
                // The words are seen once more: whoever looks again has not left the machine.
                let words = Zeroizing::new(fresh.phrase.words().iter().map(ToString::to_string).collect());
                let shown = Shown::new(words);
                if let At::Asked { fresh, .. } = std::mem::replace(&mut self.at, At::Language) {
                    self.at = At::Shown { fresh, shown };
                }
                return Made::Taken(Steps::new());
            }
            Pressed::Given(given) => given,
        };
        let answers: Vec<SecretString> = given.iter().map(|word| SecretString::from(word.as_str())).collect();
        match fresh.phrase.check_answers(fresh.asked.into_iter().zip(&answers)) {
            Ok(()) => match std::mem::replace(&mut self.at, At::Language) {
                At::Asked { fresh, .. } => Made::Phrase(fresh.phrase),
                _ => Made::Free,
            },
            Err(error) => {
                asking.refuse(wrong_word(&error), error.to_string());
                Made::Taken(Steps::new())
            }
        }
    }
}

/// A whole phrase that is typed.
pub(super) struct Typing(Asking);

/// What a key has done.
pub(super) enum Typed {
    /// Used up.
    Taken,
    /// Not for it.
    Free,
    /// One step back.
    Back,
    /// It is a phrase; whose, the vault or the center knows.
    Phrase(RecoveryPhrase),
}

impl Typing {
    /// Nothing typed yet.
    pub(super) fn new() -> Self {
        Self(Asking::all(WORDS, &ALL_WORDS))
    }

    /// Takes a key.
    pub(super) fn press(&mut self, key: KeyEvent) -> Typed {
        let given = match self.0.press(key) {
            Pressed::Taken => return Typed::Taken,
            Pressed::Free => return Typed::Free,
            Pressed::Back => return Typed::Back,
            Pressed::Given(given) => given,
        };
        match RecoveryPhrase::parse(&SecretString::from(given.join(" "))) {
            Ok(phrase) => Typed::Phrase(phrase),
            Err(error) => {
                self.0.refuse(wrong_word(&error), error.to_string());
                Typed::Taken
            }
        }
    }

    /// Pastes words.
    pub(super) fn paste(&mut self, pasted: &str) {
        self.0.paste(pasted);
    }

    /// Says what is wrong with the phrase as a whole.
    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.0.refuse(None, why);
    }

    /// Draws it.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect, words: &str) {
        below(ui, area, words, |ui, rest| self.0.view(ui, rest));
    }
}

/// The same phrase once more, for whoever hands it on and may have to do so again.
pub(super) fn copy(phrase: &RecoveryPhrase) -> Option<RecoveryPhrase> {
    RecoveryPhrase::parse(&secret(phrase).0).ok()
}

/// A phrase as a secret for an act.
pub(super) fn secret(phrase: &RecoveryPhrase) -> Password {
    let words = Zeroizing::new(phrase.words().join(" "));
    Password(SecretString::from(words.as_str()))
}

/// Words above something; where rows are scarce, the something alone.
pub(super) fn below(ui: &mut Ui<'_, '_>, area: Rect, words: &str, view: impl FnOnce(&mut Ui<'_, '_>, Rect)) {
    let style = ui.theme().text;
    let needed = tui_kit::text::wrap(words, usize::from(area.width)).len() + 1;
    let rows = if area.height >= 14 { u16::try_from(needed).unwrap_or(0) } else { 0 };
    let [above, rest] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
    ui.paragraph(above, words, style);
    view(ui, rest);
}

fn wrong_word(error: &PhraseError) -> Option<usize> {
    match error {
        PhraseError::Unknown { positions, .. } => positions.first().copied(),
        PhraseError::Answer(position) => Some(*position),
        PhraseError::Count(_) | PhraseError::Checksum => None,
    }
}
