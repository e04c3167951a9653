//! The door of the console: who is there. Nothing of the center is shown before an operator is believed.

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Constraint, Layout, Rect},
};
use secrecy::SecretString;
use tui_kit::{
    Now, Tone, Ui,
    form::{Field, Form, Pressed},
    progress::Waiting,
};

/// The longest name of an operator, in characters.
const NAME_CHARS: usize = 40;

/// The door.
#[derive(Debug)]
pub(super) struct SignIn {
    form: Form,
    /// A passphrase is being checked.
    waiting: Option<Waiting>,
    refused: Option<String>,
}

/// What a key at the door asks for.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing beyond the field.
    Stay,
    /// Check a name and a passphrase.
    Check(String, SecretString),
    /// Leave.
    Back,
    /// The door does not want the key.
    Free,
}

impl SignIn {
    /// The door, with a name filled in where one was given.
    pub(super) fn new(name: Option<&str>) -> Self {
        let name = name.unwrap_or_default();
        let fields = [
            Field::text("name", "Operator").max(NAME_CHARS).required().with(name),
            Field::password("passphrase", "Passphrase").required().hint("the operator's own"),
        ];
        let mut form = Form::new("Sign in", fields);
        if !name.is_empty() {
            form.focus("passphrase");
        }
        Self { form, waiting: None, refused: None }
    }

    /// Whether a passphrase is being checked.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes a key. While a passphrase is being checked only leaving is possible.
    pub(super) fn press(&mut self, key: KeyEvent, now: Now) -> Step {
        if self.is_waiting() {
            return if key.code == KeyCode::Esc { Step::Back } else { Step::Free };
        }
        // There is nothing behind the passphrase to go on to.
        let last = key.code == KeyCode::Enter && self.form.focused() == Some("passphrase");
        match if last { self.form.submit() } else { self.form.press(key) } {
            Pressed::Taken => Step::Stay,
            Pressed::Free => Step::Free,
            Pressed::Back => Step::Back,
            Pressed::Submit => {
                let Some(passphrase) = self.form.secret("passphrase") else { return Step::Stay };
                self.form.wipe();
                self.refused = None;
                self.waiting = Some(Waiting::new(now, "the passphrase to be checked", ""));
                Step::Check(self.form.text("name"), passphrase)
            }
        }
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, pasted: &str) {
        if !self.is_waiting() {
            self.form.paste(pasted);
        }
    }

    /// The operator was not believed.
    pub(super) fn refuse(&mut self, words: String) {
        self.waiting = None;
        self.form.focus("passphrase");
        self.refused = Some(words);
    }

    /// Draws the door.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        let gap = u16::from(area.height > 10);
        let [words, _, form, notice] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(gap),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(area);
        ui.styled(words, "The console opens to the center's operators.", theme.text);
        self.form.view(ui, form);
        if let Some(waiting) = &self.waiting {
            waiting.view(ui, notice);
        } else if let Some(refused) = &self.refused {
            let words = ui.toned(Tone::Bad, refused);
            ui.line(notice, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use tui_kit::testing;

    use super::*;

    fn press(door: &mut SignIn, script: &str) -> Step {
        let mut last = Step::Stay;
        for key in testing::keys(script) {
            last = door.press(key, Now::default());
        }
        last
    }

    #[test]
    fn a_name_and_a_passphrase_are_asked_for() {
        let mut door = SignIn::new(None);
        assert!(matches!(press(&mut door, "aiko<enter><enter>"), Step::Stay));
        let Step::Check(name, passphrase) = press(&mut door, "q1?<enter>") else { panic!("both are there") };
        assert_eq!((name.as_str(), passphrase.expose_secret()), ("aiko", "q1?"));
        assert!(matches!(press(&mut door, "x<enter>"), Step::Free), "one check at a time");
        door.refuse("the operator's name or passphrase is wrong".into());
        assert!(matches!(press(&mut door, "<enter>"), Step::Stay), "the passphrase was not kept");
        assert!(matches!(press(&mut door, "again<enter>"), Step::Check(..)));
    }

    #[test]
    fn a_given_name_leaves_the_passphrase_to_be_typed() {
        let mut door = SignIn::new(Some("aiko"));
        assert!(matches!(press(&mut door, "secret<enter>"), Step::Check(name, _) if name == "aiko"));
    }

    #[test]
    fn the_passphrase_is_never_drawn() {
        let mut door = SignIn::new(Some("aiko"));
        press(&mut door, "geheim");
        for (width, height) in testing::SIZES {
            let shown = testing::draw(width, height, |ui| door.view(ui, ui.area()));
            assert!(!shown.contains("geh"), "{shown}");
        }
    }
}
