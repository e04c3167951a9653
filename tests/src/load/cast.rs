//! Who takes part in a load, and with which keys.
//!
//! Every key derives from a public word and a number. A center that is prepared so is worth nothing but measuring.

use std::{fs, path::Path};

use color_eyre::eyre::{Context as _, Result};
use serde::{Deserialize, Serialize};
use wire::{
    id::{AccountNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, Role, StoreNumber},
    key::{SigningKey, VerificationKey},
};

/// The passphrase of every lock of a prepared center.
pub const PASSPHRASE: &str = "open to everybody, for measuring";
/// Its operator.
pub const OPERATOR: &str = "ada";
/// What a card is loaded with, in minor units.
pub const LOADED: u64 = 1_000_000;
/// The most cards of one member; the ledger's limit.
const CARDS_EACH: usize = 100;
/// The most connections of one run; so many members there are, however few cards.
const CONNECTIONS: usize = 256;
/// The file in a profile that tells who is in its books.
const FILE: &str = "load.json";

/// How many take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Members; each has the same number of cards.
    pub members: usize,
    /// Cards of each member.
    pub cards_each: usize,
    /// Stores.
    pub stores: usize,
}

/// Who is in a prepared center's books.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cast {
    /// The center.
    pub center: CenterId,
    /// Its root key's public half.
    pub root: VerificationKey,
    /// How many take part.
    pub sizes: Sizes,
    /// The key event of each member, by number.
    events: Vec<u64>,
    /// Entries in the books when they were handed over.
    pub entries: u64,
    /// Payments among them.
    pub payments: u64,
}

impl Sizes {
    /// Sizes with about so many cards: members have up to a hundred each, and there are enough of them for every
    /// connection to speak for its own.
    pub fn of(cards: usize, stores: usize) -> Self {
        let cards = cards.max(1);
        let members = cards.div_ceil(CARDS_EACH).max(cards.min(CONNECTIONS));
        Self { members, cards_each: cards.div_ceil(members), stores: stores.max(1) }
    }

    /// All cards.
    pub fn cards(&self) -> usize {
        self.members * self.cards_each
    }
}

impl Cast {
    /// A cast whose members were entered by these key events.
    pub fn new(center: CenterId, root: VerificationKey, sizes: Sizes, events: Vec<u64>) -> Self {
        Self { center, root, sizes, events, entries: 0, payments: 0 }
    }

    /// Reads who is in a profile's books.
    ///
    /// # Errors
    /// When it was not prepared by [`super::prepare`].
    pub fn read(profile: &Path) -> Result<Self> {
        let path = profile.join(FILE);
        let text =
            fs::read(&path).wrap_err_with(|| format!("{} was not prepared for a load", profile.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Writes it beside the books.
    pub fn write(&self, profile: &Path) -> Result<()> {
        Ok(fs::write(profile.join(FILE), serde_json::to_vec(self)?)?)
    }

    /// A member, counted from 0; beyond the last one it begins again.
    pub fn member(&self, index: usize) -> Member {
        let index = index % self.sizes.members;
        Member {
            number: MemberNumber(index as u64 + 1),
            event: EntryNumber(self.events[index]),
            first_card: (index * self.sizes.cards_each) as u64 + 1,
            cards: self.sizes.cards_each as u64,
        }
    }
}

/// A member as payments need it.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The number.
    pub number: MemberNumber,
    /// The key event of its signature key.
    pub event: EntryNumber,
    first_card: u64,
    cards: u64,
}

impl Member {
    /// The card for its n-th payment: all cards in turn.
    pub fn card(&self, payment: usize) -> CardNumber {
        CardNumber(self.first_card + payment as u64 % self.cards)
    }
}

/// The account of this role and place, counted from 0.
pub fn account(role: Role, index: usize) -> AccountNumber {
    let number = index as u64 + 1;
    match role {
        Role::Member => AccountNumber::Member(MemberNumber(number)),
        Role::Store => AccountNumber::Store(StoreNumber(number)),
    }
}

/// An account's signature key.
pub fn signature_key(account: AccountNumber) -> SigningKey {
    key(b"signature", account)
}

/// An account's terminal key.
pub fn terminal_key(account: AccountNumber) -> SigningKey {
    key(b"terminal", account)
}

fn key(of: &[u8], account: AccountNumber) -> SigningKey {
    SigningKey::from_seed(&Digest::of(&[b"inkan/load/", of, b"/", account.to_string().as_bytes()]).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_enough_for_connections_and_within_the_ledgers_limit() {
        for (cards, members, each) in [(100_000, 1_000, 100), (50, 50, 1), (1_000, 256, 4), (1, 1, 1)] {
            let sizes = Sizes::of(cards, 3);
            assert_eq!((sizes.members, sizes.cards_each), (members, each), "{cards} cards");
            assert!(sizes.cards() >= cards && sizes.cards_each <= CARDS_EACH);
        }
    }

    #[test]
    fn cards_are_each_members_own() {
        let sizes = Sizes { members: 3, cards_each: 2, stores: 1 };
        let root = signature_key(account(Role::Store, 0)).verification_key();
        let cast = Cast::new(root.center(), root, sizes, vec![10, 20, 30]);
        assert_eq!([0, 1, 2].map(|payment| cast.member(1).card(payment).0), [3, 4, 3]);
        assert_eq!((cast.member(4).number, cast.member(4).event), (MemberNumber(2), EntryNumber(20)));
    }
}
