//! A new signature or terminal key, signed with password B.

use tui_kit::{
    KeyEvent, detail::Row, keys::Action, ratatui::layout::Rect, review::Review, stack::Screen, ui::Ui,
};
use wire::payload::KeyRole;

use crate::{
    act::{Act, Password},
    book::role_words,
    screen::{News, Steps, shared::Shared, signing::Signing},
};

/// The review of a change.
pub(super) struct Change {
    role: KeyRole,
    signing: Signing,
}

impl Change {
    pub(super) fn new(role: KeyRole, shared: &Shared) -> Self {
        let noun = role_words(role);
        let words = match role {
            KeyRole::Terminal => {
                "Members see the new key from their next visit on. Offers signed with the old one stay payable, and \
                 what was delivered for them can be claimed."
            }
            _ => "What was signed with the old key stays valid; nothing new that it signs counts any more.",
        };
        let rows = [
            Row::pair("Change", format!("a new {noun} in the place of the one in force")),
            Row::Gap,
            Row::Words(words.into()),
        ];
        let review = Review::new(format!("New {noun}"), "Sign and send", rows);
        Self { role, signing: Signing::asking(shared.sealed(review)) }
    }
}

impl Screen<Shared> for Change {
    type Do = ();
    const NAME: &'static str = "key-change";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        format!("Keys › New {}", role_words(self.role))
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let role = self.role;
        self.signing.key(key, shared, |password| Act::Rotate {
            role,
            password_b: password.unwrap_or_else(|| Password::from("")),
        })
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        self.signing.paste(pasted);
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        self.signing.told(news, shared);
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.signing.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.signing.view(ui, area);
    }
}
