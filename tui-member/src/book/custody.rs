//! What the records say about joining and about the account's keys.

use std::collections::{BTreeSet, HashSet};

use vault::outbox::Item;
use wire::{
    admission::{ApplicationView, Kit},
    codec,
    evidence::{self, Evidence},
    id::{AccountNumber, Digest, EntryNumber},
    key::VerificationKey,
    message::{Effect, Verdict, WaitingKey, Welcome},
    payload::{KeyChange, KeyEvent, KeyRole, Registration},
    text::Prose,
    time::Timestamp,
};

use crate::{
    record::{Applying, Ending, KeyAlarm, Purpose, Recovered},
    view::About,
};

/// Joining and keys.
#[derive(Debug, Default)]
pub(crate) struct Custody {
    /// Signed; whether the center has it is not known.
    pub(crate) unsent: Option<Applying>,
    /// What the center took: the registration binds its particulars.
    pub(crate) taken: Option<Applying>,
    /// How it stands.
    pub(crate) applied: Option<ApplicationView>,
    /// Why the newest one was not taken.
    pub(crate) not_taken: Option<Prose>,
    pub(crate) kit: Option<Box<Kit>>,
    pub(crate) recovered: Option<Recovered>,
    /// What the newest login showed.
    pub(crate) chain: Option<Chain>,
    alarms: Vec<(About, KeyAlarm)>,
    held: Option<Timestamp>,
    read: HashSet<Digest>,
    own: BTreeSet<VerificationKey>,
    revoked: BTreeSet<EntryNumber>,
    registered_at: Option<EntryNumber>,
    signature_event: Option<EntryNumber>,
    recovery_registered: Option<VerificationKey>,
}

/// The center's chain of keys at a login, verified.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) at: Timestamp,
    pub(crate) events: Vec<KeyEvent>,
    pub(crate) waiting: Option<WaitingKey>,
    pub(crate) kit: u64,
}

impl Chain {
    /// What a verified welcome says.
    pub(crate) fn of(welcome: &Welcome, at: Timestamp) -> Self {
        Self { at, events: welcome.keys.to_vec(), waiting: welcome.waiting, kit: welcome.kit }
    }

    /// The newest event of a role.
    pub(crate) fn newest(&self, role: KeyRole) -> Option<&KeyEvent> {
        self.events.iter().rev().find(|event| event.role == role)
    }
}

/// Taking in what is on disk.
impl Custody {
    pub(super) fn signed(&mut self, applying: Applying) {
        self.not_taken = None;
        self.unsent = Some(applying);
    }

    pub(super) fn stands(&mut self, view: ApplicationView) {
        self.taken = self.unsent.take().or(self.taken.take());
        self.applied = Some(view);
    }

    pub(super) fn refused(&mut self, words: Prose) {
        self.unsent = None;
        self.not_taken = Some(words);
    }

    pub(super) fn alarm(&mut self, about: About, alarm: KeyAlarm) {
        self.alarms.push((about, alarm));
    }

    pub(super) fn hold(&mut self, until: Option<Timestamp>) {
        self.held = until;
    }

    pub(super) fn acknowledged(&mut self, digest: Digest) {
        self.read.insert(digest);
    }

    /// Takes in what a telegram of the outbox says about keys.
    pub(super) fn telegram(&mut self, item: &Item, purpose: Purpose, ending: Option<&Ending>) {
        match purpose {
            Purpose::Registration => {
                let Ok(asked) = item.telegram.peek::<Registration>() else { return };
                self.own.extend([asked.verification_key, asked.terminal_key]);
                self.own.extend(asked.recovery_key);
                if let Some(Ending::Registered { entry, .. }) = ending {
                    self.registered_at = Some(*entry);
                    self.signature_event = Some(*entry);
                    self.recovery_registered = asked.recovery_key;
                }
            }
            Purpose::KeyChange { role } | Purpose::Revocation { role } => {
                let Ok(asked) = item.telegram.peek::<KeyChange>() else { return };
                self.own.extend(asked.key);
                let done = match ending {
                    Some(Ending::Verdict(Verdict::Done { effect: Effect::KeyChanged, receipt })) => receipt,
                    _ => return,
                };
                let entry = done.leaf.entry;
                match (role, asked.key) {
                    (_, None) => {
                        self.revoked.insert(entry);
                    }
                    (KeyRole::Signature, Some(_)) => self.signature_event = Some(entry),
                    (KeyRole::Recovery, Some(key)) => self.recovery_registered = Some(key),
                    (KeyRole::Terminal, Some(_)) => {}
                }
            }
            Purpose::CardRequest | Purpose::Payment { .. } | Purpose::KeyCancel => {}
        }
    }
}

/// Asking.
impl Custody {
    /// The account of a vault that was brought back.
    pub(crate) fn account(&self) -> Option<AccountNumber> {
        self.recovered.as_ref().map(|recovered| recovered.account)
    }

    /// The event that put the signature key in force, as far as this vault knows without a line.
    pub(crate) fn signature_event(&self) -> Option<EntryNumber> {
        let newest = |chain: &Chain| chain.newest(KeyRole::Signature).map(|event| event.entry);
        self.chain.as_ref().and_then(newest).or(self.signature_event)
    }

    /// The recovery key that the center has in force, as far as this vault knows.
    pub(crate) fn recovery_registered(&self) -> Option<VerificationKey> {
        match &self.chain {
            Some(chain) => chain.newest(KeyRole::Recovery).and_then(|event| event.key),
            None => self.recovery_registered,
        }
    }

    /// Until when no money leaves the account, as the center said at the newest login, be it over or not.
    pub(crate) fn held_as_said(&self) -> Option<Timestamp> {
        self.held
    }

    /// Until when no money leaves the account; none where it may leave now.
    pub(crate) fn held(&self, now: Timestamp) -> Option<Timestamp> {
        self.held.filter(|until| *until > now)
    }

    /// The first event of a chain that this vault did not make and does not know from its recovery. `keys` are the
    /// vault's keys in force and waiting.
    pub(crate) fn foreign<'a>(
        &self,
        events: &'a [KeyEvent],
        keys: &[VerificationKey],
    ) -> Option<&'a KeyEvent> {
        let known = |event: &KeyEvent| {
            let before = self.registered_at.is_some_and(|at| event.entry < at);
            let recovered = self.recovered.as_ref().is_some_and(|known| known.chain.contains(event));
            before
                || recovered
                || match event.key {
                    Some(key) => self.own.contains(&key) || keys.contains(&key),
                    None => self.revoked.contains(&event.entry),
                }
        };
        events.iter().find(|event| !known(event))
    }

    /// Whether an alarm of these words was raised before, read or not.
    pub(crate) fn was_raised(&self, words: &str) -> bool {
        self.alarms.iter().any(|(_, alarm)| alarm.words.as_str() == words)
    }

    /// Whether this evidence has raised an alarm before, read or not.
    pub(crate) fn was_convicted(&self, evidence: &Digest) -> bool {
        let journal = self.alarms.iter().filter(|(about, _)| *about == About::Journal);
        let kept = journal.filter_map(|(_, alarm)| {
            codec::decode::<Evidence>("evidence", &alarm.evidence, evidence::FILE_BYTES).ok()
        });
        kept.into_iter().any(|kept| kept.digest() == *evidence)
    }

    /// The oldest alarm that nobody has acknowledged.
    pub(crate) fn unread(&self) -> Option<(About, &KeyAlarm)> {
        let unread = self.alarms.iter().find(|(_, alarm)| !self.read.contains(&digest(alarm)));
        unread.map(|(about, alarm)| (*about, alarm))
    }
}

/// What an alarm is acknowledged by.
pub(crate) fn digest(alarm: &KeyAlarm) -> Digest {
    Digest::of(&[b"alarm", &alarm.at.0.to_le_bytes(), alarm.words.as_bytes()])
}
