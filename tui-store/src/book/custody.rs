//! What the book knows of joining and of keys.

use wire::{
    admission::{ApplicationState, ApplicationView, Kit},
    id::EntryNumber,
    key::VerificationKey,
    payload::{KeyEvent, KeyRole},
    text::Prose,
};

use crate::record::{Accepted, Applying, Record, Strange};

/// Joining and keys, as the records tell them.
#[derive(Debug, Default)]
pub(crate) struct Custody {
    /// The newest application that was signed.
    pub(crate) applying: Option<Applying>,
    /// How it stands; none before the center has taken it.
    pub(crate) application: Option<ApplicationView>,
    /// Why the center did not take it.
    pub(crate) not_taken: Option<Prose>,
    /// The newest admission kit.
    pub(crate) kit: Option<Kit>,
    /// The terms that were accepted last.
    pub(crate) accepted: Option<Accepted>,
    /// The chain of keys as it was last believed.
    pub(crate) chain: Vec<KeyEvent>,
    /// A chain that nobody has acknowledged.
    pub(crate) strange: Option<Strange>,
}

impl Custody {
    /// Takes in a record that is on disk, if it is about joining or keys.
    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Applying(applying) => {
                self.applying = Some((**applying).clone());
                (self.application, self.not_taken) = (None, None);
            }
            Record::Application(view) => (self.application, self.not_taken) = (Some(view.clone()), None),
            Record::NotTaken(words) => self.not_taken = Some(words.clone()),
            Record::Kit(kit) => self.kit = Some((**kit).clone()),
            Record::Accepted(accepted) => self.accepted = Some(*accepted),
            Record::Chain(chain) => {
                self.chain.clone_from(chain);
                self.strange = None;
            }
            Record::Strange(strange) => self.strange = Some(strange.clone()),
            Record::Center(_)
            | Record::Taken(_)
            | Record::Mail(_)
            | Record::Delivered(_)
            | Record::Undeliverable(_)
            | Record::Notice(_)
            | Record::AtTill(_)
            | Record::Sold(_)
            | Record::Restored(_) => {}
        }
    }

    /// The newest event of a role in the chain that is believed.
    pub(crate) fn event(&self, role: KeyRole) -> Option<&KeyEvent> {
        self.chain.iter().rfind(|event| event.role == role)
    }

    /// The entry that put a key in force, as far as the chain that is believed tells.
    pub(crate) fn event_of(&self, role: KeyRole, key: &VerificationKey) -> Option<EntryNumber> {
        self.event(role).filter(|event| event.key == Some(*key)).map(|event| event.entry)
    }

    /// Whether an application may be signed: none was, or it was not taken, asked back or refused.
    pub(crate) fn may_apply(&self) -> bool {
        match (&self.applying, &self.application) {
            (None, _) => true,
            (Some(_), None) => self.not_taken.is_some(),
            (Some(_), Some(view)) => {
                matches!(view.state, ApplicationState::AskedBack { .. } | ApplicationState::Refused { .. })
            }
        }
    }

    /// Whether the terms of the newest kit were accepted.
    pub(crate) fn terms_accepted(&self) -> bool {
        let terms = self.kit.as_ref().map(|kit| kit.terms.hash());
        terms.is_some() && self.accepted.map(|accepted| accepted.terms) == terms
    }
}
