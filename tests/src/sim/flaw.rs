//! Mistakes that are made on purpose, to prove that the simulator finds such. Each stands at a seam: in the disk, in
//! the journal, in the reception. None of them is in the center's own code, so that no production program has them.

use fastrand::Rng;
use ledger::{Entry, Outcome, Request};
use tui_center::books::{Books, BooksError, Journal, Reader, Record, snapshot::Keeper};
use wire::{checkpoint::SignedCheckpoint, id::EntryNumber, message::Verdict};

use super::disk::Slip;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Of some batches a part never reaches the disk, although the sync said so.
    LostBatch,
    /// Some payments are booked twice.
    DoubledApply,
    /// Answers go out when the batch was written, before its sync.
    EarlyAnswer,
    /// Some receipts have the proof of one tree and the checkpoint of another.
    WrongProof,
    /// Some payment notices are never told.
    LostNotice,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::LostBatch, Self::DoubledApply, Self::EarlyAnswer, Self::WrongProof, Self::LostNotice];

    /// As the disk makes it.
    pub fn slip(self) -> Option<Slip> {
        match self {
            Self::LostBatch => Some(Slip::ForgetsWrites(5)),
            Self::EarlyAnswer => Some(Slip::SyncsLate),
            Self::DoubledApply | Self::WrongProof | Self::LostNotice => None,
        }
    }

    /// As the reception makes it: this mail is left out.
    pub fn hides(self, number: EntryNumber) -> bool {
        self == Self::LostNotice && number.0 % 5 == 2
    }

    /// As the reception makes it: a receipt under the checkpoint before.
    pub fn spoil(self, verdict: &mut Verdict, before: Option<&SignedCheckpoint>, rng: &mut Rng) {
        let Verdict::Done { receipt, .. } = verdict else { return };
        if let (Self::WrongProof, Some(before), true) = (self, before, rng.u8(..4) == 0) {
            receipt.checkpoint = before.clone();
        }
    }
}

/// A journal with a mistake.
pub struct Flawed {
    books: Books,
    flaw: Flaw,
    rng: Rng,
}

impl Flawed {
    /// Puts a mistake before the books.
    pub fn new(books: Books, flaw: Flaw, rng: Rng) -> Self {
        Self { books, flaw, rng }
    }
}

impl Journal for Flawed {
    fn append(&mut self, records: &[Record]) -> Result<SignedCheckpoint, BooksError> {
        let mut records = records.to_vec();
        for record in &mut records {
            if self.flaw == Flaw::DoubledApply && is_payment(&record.entry) && self.rng.u8(..4) == 0 {
                let twice = record.entry.postings.clone();
                record.entry.postings.extend(twice);
            }
        }
        self.books.append(&records)
    }

    fn reader(&self) -> Reader {
        self.books.reader()
    }

    fn keeper(&self) -> Option<Keeper> {
        Some(self.books.keeper())
    }

    fn close(self: Box<Self>) -> Result<(), BooksError> {
        self.books.close()
    }
}

fn is_payment(entry: &Entry) -> bool {
    matches!(
        (&entry.request, &entry.decision),
        (Request::Pay(_), ledger::Decision::Done(Outcome::Paid { .. }))
    )
}
