//! What the book knows of joining and of keys.

use std::collections::VecDeque;

use wire::{
    admission::{ApplicationState, ApplicationView, Kit},
    checkpoint::SignedCheckpoint,
    codec,
    evidence::{self, Evidence},
    id::{Digest, EntryNumber},
    key::VerificationKey,
    limits,
    payload::{KeyEvent, KeyRole},
    text::Prose,
};

use crate::record::{Accepted, Applying, Notice, Record, Strange};

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
    /// The checkpoints that the center published for the newest hours, ascending by when they were seen.
    pub(crate) hours: VecDeque<SignedCheckpoint>,
    /// Where the center contradicts itself, and whether somebody has acknowledged it.
    contradictions: Vec<(Digest, Notice, bool)>,
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
            Record::Hour(note) => {
                if self.hours.len() >= limits::HOURS {
                    self.hours.pop_front();
                }
                self.hours.push_back(note.clone());
            }
            Record::Contradiction(notice) => {
                let evidence = codec::decode::<Evidence>("evidence", &notice.evidence, evidence::FILE_BYTES);
                let of_bytes = |_| Digest::of(&[&notice.evidence]);
                let digest = evidence.map_or_else(of_bytes, |evidence| evidence.digest());
                self.contradictions.push((digest, notice.clone(), false));
            }
            Record::ContradictionRead(digest) => {
                let named = self.contradictions.iter_mut().filter(|(evidence, ..)| evidence == digest);
                named.for_each(|(.., read)| *read = true);
            }
            Record::Center(_)
            | Record::Taken(_)
            | Record::Mail(_)
            | Record::Delivered(_)
            | Record::Undeliverable(_)
            | Record::Notice(_)
            | Record::AtTill(_)
            | Record::Sold(_)
            | Record::HandedIn(_)
            | Record::Restored(_) => {}
        }
    }

    /// Whether this evidence has raised an alarm before, acknowledged or not.
    pub(crate) fn was_convicted(&self, evidence: &Digest) -> bool {
        self.contradictions.iter().any(|(known, ..)| known == evidence)
    }

    /// The oldest contradiction that nobody has acknowledged.
    pub(crate) fn contradiction(&self) -> Option<(Digest, &Notice)> {
        let unread = self.contradictions.iter().find(|(.., read)| !read);
        unread.map(|(digest, notice, _)| (*digest, notice))
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
