//! The passwords of a new vault: two, or one that is asked again at every signing.

use secrecy::SecretString;
use tui_kit::{
    form::{Field, Form, Pressed, Strength},
    ratatui::layout::Rect,
    ui::Ui,
};
use vault::strength;

use super::shown::form_view;

const A: &str = "password-a";
const A_AGAIN: &str = "password-a-again";
const B: &str = "password-b";
const B_AGAIN: &str = "password-b-again";

/// The passwords as they are chosen.
pub(in crate::screen) struct Passwords {
    two: Form,
    one: Form,
    single: bool,
}

impl Passwords {
    pub(in crate::screen) fn new() -> Self {
        let password = |name, label: &str, hint: &str| Field::password(name, label).required().hint(hint);
        let two = [
            password(A, "Password A", "opens the vault: orders, outbox, the counter"),
            password(A_AGAIN, "Again", "password A once more").repeats(A),
            password(B, "Password B", "signs: claims, refunds; another one than A"),
            password(B_AGAIN, "Again", "password B once more").repeats(B),
        ];
        let one = [
            password(A, "Password", "opens the vault, and is asked again at every signing"),
            password(A_AGAIN, "Again", "the password once more").repeats(A),
        ];
        Self { two: Form::new("Go on", two), one: Form::new("Go on", one), single: false }
    }

    pub(in crate::screen) fn form(&mut self) -> &mut Form {
        if self.single { &mut self.one } else { &mut self.two }
    }

    pub(in crate::screen) fn last_field(&self) -> &'static str {
        if self.single { A_AGAIN } else { B_AGAIN }
    }

    /// From two passwords to one, or back.
    pub(in crate::screen) fn turn(&mut self) {
        self.wipe();
        self.single = !self.single;
    }

    /// Says how strong the password is that is being typed.
    pub(in crate::screen) fn measure(&mut self) {
        let form = self.form();
        let Some(name) = [A, B].into_iter().find(|name| form.focused() == Some(name)) else { return };
        let found = form.secret(name).map(|secret| {
            let found = strength(&secret, &[]);
            let advice = found.advice();
            let sentence = if advice.is_empty() { "hard to guess".to_owned() } else { advice };
            Strength { score: found.score, word: found.word().to_owned(), sentence }
        });
        form.set_strength(name, found);
    }

    /// Whether they may be chosen by someone of whom `words` are known; else the field says why not.
    pub(in crate::screen) fn given(&mut self, words: &[String]) -> bool {
        if self.form().submit() != Pressed::Submit {
            return false;
        }
        let Some((a, b)) = self.secrets() else { return false };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let a_is_wrong = vault::Passwords::One(a.clone()).check_for(&words).is_err();
        let passwords = match b {
            Some(b) => vault::Passwords::Two { a, b },
            None => vault::Passwords::One(a),
        };
        match passwords.check_for(&words) {
            Ok(()) => true,
            Err(error) => {
                self.form().refuse(if a_is_wrong { A } else { B }, error.to_string());
                false
            }
        }
    }

    /// What was typed: A, and B where there are two.
    pub(in crate::screen) fn secrets(&self) -> Option<(SecretString, Option<SecretString>)> {
        if self.single {
            return Some((self.one.secret(A)?, None));
        }
        Some((self.two.secret(A)?, Some(self.two.secret(B)?)))
    }

    pub(in crate::screen) fn wipe(&mut self) {
        self.one.wipe();
        self.two.wipe();
    }

    pub(in crate::screen) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let (words, form) = if self.single {
            (
                "One password opens the vault and signs. Nobody can give it back to you. Ctrl-O: two.",
                &self.one,
            )
        } else {
            (
                "Two passwords: A opens the vault, B inside it opens the signature key. Nobody can give them back to \
                 you. Ctrl-O: one for both.",
                &self.two,
            )
        };
        form_view(ui, area, words, form);
    }
}
