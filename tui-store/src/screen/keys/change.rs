//! A new signature or terminal key, or the end of this terminal's, signed with password B.

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
    what: What,
    signing: Signing,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum What {
    Rotate(KeyRole),
    RevokeTerminal,
}

impl Change {
    /// A new key in the place of the one in force.
    pub(super) fn rotate(role: KeyRole, shared: &Shared) -> Self {
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
        Self { what: What::Rotate(role), signing: Signing::asking(shared.sealed(review)) }
    }

    /// The end of this terminal's key.
    pub(super) fn revoke_terminal(shared: &Shared) -> Self {
        let rows = [
            Row::pair("Change", "the terminal key is revoked, and none is put in its place"),
            Row::Gap,
            Row::Words(
                "It is for a terminal that others may have copied. What was sold with it can still be claimed once the \
                 store is back."
                    .into(),
            ),
        ];
        let review = Review::new("Revoke the terminal key", "Sign and send", rows).warn(
            "From the center's entry on this terminal can't log in and members can't buy here. Only the recovery phrase \
             brings the store back, in a new profile.",
        );
        Self { what: What::RevokeTerminal, signing: Signing::asking(shared.sealed(review)) }
    }
}

impl Screen<Shared> for Change {
    type Do = ();
    const NAME: &'static str = "key-change";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match self.what {
            What::Rotate(role) => format!("Keys › New {}", role_words(role)),
            What::RevokeTerminal => "Keys › Revoke the terminal key".into(),
        }
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let what = self.what;
        self.signing.key(key, shared, |password| match what {
            What::Rotate(role) => {
                Act::Rotate { role, password_b: password.unwrap_or_else(|| Password::from("")) }
            }
            What::RevokeTerminal => {
                Act::Revoke { role: KeyRole::Terminal, password_b: password, phrase: None }
            }
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
