//! Records for tests: a small center, by hand where only the form matters, by the rules of `ledger` where the
//! content does.

use ledger::{
    Decision, Entry, Outcome, Request,
    entry::{Concerns, Previous},
};
use wire::{
    id::{EntryNumber, MemberNumber},
    key::SigningKey,
    text::Line,
    time::Timestamp,
};

use super::{CheckpointKey, Record};

/// The center's checkpoint key.
pub(crate) fn key() -> CheckpointKey {
    CheckpointKey { origin: Line::new("inkan.test/books").unwrap(), key: SigningKey::from_seed(&[11; 32]) }
}

/// Entry 7: a card request lapsed.
pub(crate) fn lapse() -> Record {
    numbered(7)
}

/// A small entry of this number.
pub(crate) fn numbered(number: u64) -> Record {
    let entry = Entry {
        number: EntryNumber(number),
        at: Timestamp(1_790_000_000_000 + number * 1_000),
        request: Request::Lapse { request: EntryNumber(number / 2) },
        decision: Decision::Done(Outcome::Entered),
        postings: Vec::new(),
        concerns: Concerns { member: Some(MemberNumber(number % 5)), ..Concerns::NOBODY },
        previous: Previous::default(),
    };
    Record { entry, evidence: vec![number as u8; 5], seed: [number as u8; 16] }
}

/// Small entries of these numbers.
pub(crate) fn run(numbers: std::ops::Range<u64>) -> Vec<Record> {
    numbers.map(numbered).collect()
}

/// A public telegram.
pub(crate) fn telegram() -> wire::telegram::Telegram {
    use wire::payload::{Rights, TerminalCertificate};
    let key = SigningKey::from_seed(&[31; 32]);
    let certificate = TerminalCertificate {
        center: key.verification_key().center(),
        terminal_key: key.verification_key(),
        rights: Rights::Owner,
        issued: Timestamp(1_790_000_000_000),
    };
    wire::telegram::Telegram::sign_as_key(&certificate, &key)
}
