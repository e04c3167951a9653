//! What is shown of the journal: receipts, also as text, proofs that it goes on from what it was, and the hours.

use wire::{
    bounded::List,
    id::{AccountNumber, EntryNumber},
    limits,
    message::{Answer, Problem, ProblemKind},
    receipt::Receipt,
    statement::Parties,
};

use crate::{books::parts, center::Center, settlement::said, voice::Speaking};

/// A fresh receipt for an entry that concerns an account. Blocks on the disk.
pub(super) fn receipt(
    center: &Center,
    account: AccountNumber,
    entry: EntryNumber,
) -> Result<Receipt, Problem> {
    let none = || Problem::new(ProblemKind::NotFound, format!("{entry} does not concern {account}"));
    let reader = center.desk().reader();
    let record = reader.read(entry).map_err(|_| none())?;
    let (member, store) = parts::concerns(&record);
    let concerned = match account {
        AccountNumber::Member(number) => member == Some(number),
        AccountNumber::Store(number) => store == Some(number),
    };
    if !concerned {
        return Err(none());
    }
    let receipt = reader.receipt(entry, said::seen_by(account));
    receipt.map_err(|error| Problem::new(ProblemKind::NotFound, error))
}

/// The same as text under the statement key. Blocks on the disk.
pub(super) fn text_receipt(
    center: &Center,
    speaking: &Speaking,
    account: AccountNumber,
    entry: EntryNumber,
) -> Result<Answer, Problem> {
    let receipt = receipt(center, account, entry)?;
    let settings = center.settings();
    let root = center.config().root_key;
    let parties = Parties { center: &settings.name, root: &root, currency: settings.currency, account };
    let signature = parties.sign(&receipt, &speaking.roles().statement);
    let signature = signature.map_err(|error| Problem::new(ProblemKind::NotFound, error))?;
    Ok(Answer::TextReceipt { receipt, signature })
}

/// For each pair of sizes the proof that the journal of the second begins with that of the first.
pub(super) fn consistency(center: &Center, pairs: &List<(u64, u64), { limits::PROOFS }>) -> Answer {
    let reader = center.desk().reader();
    let prove = |(old, new): &(u64, u64)| reader.consistency(*old, *new).map(List::first);
    Answer::Consistency(List::first(pairs.iter().map(prove)))
}
