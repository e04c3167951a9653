//! Who and what the registers hold beside money: account holders, cashiers, admissions, operators, proposals, documents.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wire::{
    admission::Way,
    amount::Amount,
    id::{AccountNumber, ApplicationNumber, CardNumber, Digest, EntryNumber, Role},
    key::VerificationKey,
    payload::{CashierRights, KeyEvent, KeyRole},
    time::Timestamp,
};

use super::State;
use crate::{
    calendar::Day,
    request::{DeskLimits, Document, OperatorRole, Proposed},
};

/// A member or store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The entry that entered it.
    pub entry: EntryNumber,
    /// When it was entered.
    pub registered: Timestamp,
    /// The salted hash of the particulars in the cabinet.
    pub particulars: Digest,
    /// The hash of the terms it accepted.
    pub terms: Digest,
    /// A store's public name.
    pub trade_name: Option<String>,
    /// Its key events, oldest first.
    pub chain: Vec<KeyEvent>,
    /// A recovery key that waits until it is in force.
    pub waiting_key: Option<WaitingKey>,
    /// No money leaves it before then: its lost terminal was replaced.
    pub held_until: Option<Timestamp>,
    /// A store's cashiers by their keys. Those whose rights were taken away are not among them.
    pub cashiers: BTreeMap<VerificationKey, Cashier>,
    /// A member's cards, ascending.
    pub cards: Vec<CardNumber>,
    /// A member's card requests that wait for money.
    pub waiting: BTreeSet<EntryNumber>,
    /// Whether it is frozen.
    pub frozen: bool,
    /// The entry by which its personal data was erased.
    pub erased: Option<EntryNumber>,
    /// The last entry that concerns it.
    pub last: EntryNumber,
}

impl Holder {
    /// The key in force in a role, and the entry that put it in force; `None` when there is none or it is revoked.
    pub fn key(&self, role: KeyRole) -> Option<(VerificationKey, EntryNumber)> {
        let event = self.chain.iter().rev().find(|event| event.role == role)?;
        event.key.map(|key| (key, event.entry))
    }

    /// The key that an event put in force in a role, whether or not it still stands.
    pub fn key_at(&self, role: KeyRole, entry: EntryNumber) -> Option<VerificationKey> {
        self.chain.iter().find(|event| event.role == role && event.entry == entry)?.key
    }

    /// Until when no money leaves it, where that is still ahead.
    pub fn held(&self, at: Timestamp) -> Option<Timestamp> {
        self.held_until.filter(|until| at < *until)
    }

    /// The last event of the signature key.
    pub(crate) fn signature_event(&self) -> EntryNumber {
        let event = self.chain.iter().rev().find(|event| event.role == KeyRole::Signature);
        event.map_or(self.entry, |event| event.entry)
    }
}

/// A recovery key that the signature key asked for. The one in force can cancel it until it is in force itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingKey {
    /// The entry of the change.
    pub change: EntryNumber,
    /// The new key.
    pub key: VerificationKey,
    /// In force from then on.
    pub from: Timestamp,
}

/// A store's cashier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cashier {
    /// What it may do.
    pub rights: CashierRights,
    /// The entry that gave the rights: its key event.
    pub entry: EntryNumber,
    /// The last business day on which it refunded, and how much on that day.
    pub refunded: Option<(Day, Amount)>,
}

impl Cashier {
    /// What is left of its limit on a business day.
    pub fn left(&self, day: Day) -> Amount {
        let spent = self.refunded.filter(|(on, _)| *on == day).map_or(Amount::ZERO, |(_, spent)| spent);
        self.rights.refund_limit.minus(spent).unwrap_or(Amount::ZERO)
    }
}

/// How the center decided on an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decided {
    /// Admitted by this entry.
    Admitted(EntryNumber),
    /// Asked back by this entry; whoever applied may amend it.
    AskedBack(EntryNumber),
    /// Refused by this entry, for ever.
    Refused(EntryNumber),
}

/// An applicant who was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// Which application.
    pub application: ApplicationNumber,
    /// The number that was reserved, or that of the account whose terminal is replaced.
    pub account: AccountNumber,
    /// The signature key that may register.
    pub key: VerificationKey,
    /// The salted hash of the particulars that were looked at.
    pub particulars: Digest,
    /// Whether it replaces a lost terminal.
    pub replaces: bool,
    /// When.
    pub at: Timestamp,
    /// The entry whose mail or letter bears the code that counts: the admission or the last new code.
    pub code: EntryNumber,
    /// The code counts until then.
    pub until: Timestamp,
    /// How it stands.
    pub state: AdmissionState,
}

/// How an admission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdmissionState {
    /// It waits for the registration.
    Open,
    /// Registered by this entry.
    Registered(EntryNumber),
    /// Nobody can register with it any more: the application was refused after all, or the terminal that it replaces was
    /// replaced with another admission.
    Spent,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// What it may do.
    pub role: OperatorRole,
    /// The digest of its public SSH key.
    pub key: Digest,
}

/// An act that another operator is to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Who proposed it.
    pub by: String,
    /// What is to be done.
    pub act: Proposed,
    /// It lapses after this.
    pub until: Timestamp,
}

/// A document's version in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentVersion {
    /// Counts from 1.
    pub version: u32,
    /// What binds the content.
    pub digest: Digest,
    /// The entry whose evidence is the content: that of the change, or of the proposal that was confirmed.
    pub entry: EntryNumber,
}

/// Questions to the registers.
impl State {
    /// A member or store.
    pub fn holder(&self, account: AccountNumber) -> Option<&Holder> {
        self.holders.get(account)
    }

    /// Members, then stores, each ascending.
    pub fn holders(&self) -> impl Iterator<Item = (AccountNumber, &Holder)> {
        self.holders.iter()
    }

    /// Whose key it is or was, in whatever role, a waiting recovery key's and a cashier's among them.
    pub fn key_holder(&self, key: &VerificationKey) -> Option<AccountNumber> {
        self.keys.get(key).copied()
    }

    /// An account's key in a role and the entry that put it in force.
    pub fn key(&self, account: AccountNumber, role: KeyRole) -> Option<(VerificationKey, EntryNumber)> {
        self.holder(account)?.key(role)
    }

    /// Recovery keys whose time to be cancelled is over at `now`: account and entry of the change. Those of frozen accounts
    /// wait on.
    pub fn ripening(&self, now: Timestamp) -> impl Iterator<Item = (AccountNumber, EntryNumber)> {
        let over = self.ripening.iter().take_while(move |(from, _)| *from <= now);
        over.filter_map(|(_, account)| {
            let holder = self.holder(*account).filter(|holder| !holder.frozen)?;
            Some((*account, holder.waiting_key?.change))
        })
    }

    /// How the center decided on an application last; `None` where it has not.
    pub fn decided(&self, application: ApplicationNumber) -> Option<Decided> {
        self.applications.get(&application).copied()
    }

    /// The entry that admitted an application.
    pub fn admission_of(&self, application: ApplicationNumber) -> Option<EntryNumber> {
        match self.decided(application)? {
            Decided::Admitted(entry) => Some(entry),
            Decided::AskedBack(_) | Decided::Refused(_) => None,
        }
    }

    /// An admission, by its entry.
    pub fn admission(&self, entry: EntryNumber) -> Option<&Admitted> {
        self.admissions.get(entry)
    }

    /// All admissions, ascending.
    pub fn admissions(&self) -> impl Iterator<Item = (EntryNumber, &Admitted)> {
        self.admissions.iter()
    }

    /// Mail and letters that were intended and of which nothing is known yet, by the entry that intended them, ascending.
    pub fn unposted(&self) -> impl Iterator<Item = (EntryNumber, &[Way])> {
        self.posts.iter().map(|(entry, ways)| (*entry, &ways[..]))
    }

    /// An operator's role.
    pub fn operator(&self, name: &str) -> Option<OperatorRole> {
        self.operators.get(name).map(|operator| operator.role)
    }

    /// The digest of an operator's public SSH key.
    pub fn operator_key(&self, name: &str) -> Option<Digest> {
        self.operators.get(name).map(|operator| operator.key)
    }

    /// All operators by name.
    pub fn operators(&self) -> impl Iterator<Item = (&str, OperatorRole)> {
        self.operators.iter().map(|(name, operator)| (name.as_str(), operator.role))
    }

    /// How many operators have at least this role.
    pub fn operators_with(&self, least: OperatorRole) -> usize {
        self.operators().filter(|(_, role)| *role >= least).count()
    }

    /// A document's version in force.
    pub fn document(&self, document: Document) -> Option<DocumentVersion> {
        self.documents.get(&document).copied()
    }

    /// All documents that have a version.
    pub fn documents(&self) -> impl Iterator<Item = (Document, DocumentVersion)> {
        self.documents.iter().map(|(document, version)| (*document, *version))
    }

    /// Up to how much one operator acts alone.
    pub fn limits(&self) -> DeskLimits {
        self.limits
    }

    /// A proposal that was neither confirmed nor dropped; it counts until its `until`.
    pub fn proposal(&self, proposal: EntryNumber) -> Option<&Proposal> {
        self.proposals.get(&proposal)
    }

    /// The proposals that wait at `now`, ascending.
    pub fn proposals(&self, now: Timestamp) -> impl Iterator<Item = (EntryNumber, &Proposal)> {
        let open = self.proposals.iter().filter(move |(_, proposal)| now <= proposal.until);
        open.map(|(entry, proposal)| (*entry, proposal))
    }

    /// The number that the next newcomer gets.
    pub(crate) fn next_account(&self, role: Role) -> AccountNumber {
        match role {
            Role::Member => AccountNumber::Member(self.reserved.0.next()),
            Role::Store => AccountNumber::Store(self.reserved.1.next()),
        }
    }
}
