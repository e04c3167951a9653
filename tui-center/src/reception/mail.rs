//! Mail: entries that concern an account, kept until it has acknowledged them.

use std::sync::Arc;

use wire::{
    bounded::List,
    id::{AccountNumber, EntryNumber},
    limits,
    link::Pusher,
    message::{MailItem, MailPage, Problem, ProblemKind, Push},
};

use crate::{
    books::{BooksError, Record},
    center::Center,
    settlement::said,
    voice::Speaking,
};

/// How many pieces of mail are looked up together.
const TOGETHER: usize = 64;

/// A page of unacknowledged mail, oldest first.
pub(super) async fn page(
    center: &Center,
    account: AccountNumber,
    after: Option<EntryNumber>,
) -> Result<MailPage, Problem> {
    let (numbers, more) = center.desk().mailboxes().page(account, after, limits::PAGE);
    let reading = center.clone();
    center
        .off_thread(move || {
            let mut items = Vec::with_capacity(numbers.len());
            for number in numbers {
                match item(&reading, account, number) {
                    Ok(item) => items.extend(item),
                    Err(error) => return Err(Problem::new(ProblemKind::Stopped, error)),
                }
            }
            Ok(MailPage { items: List::first(items), more })
        })
        .await
}

/// Pushes mail as it comes, and whether payments are taken, until the connection ends.
pub(super) async fn push(
    center: Center,
    speaking: Arc<Speaking>,
    account: AccountNumber,
    after: Option<EntryNumber>,
    pusher: Pusher<Push>,
) {
    let mut listener = center.desk().mailboxes().listen(account, after);
    let mut standing = center.desk().standing();
    let mut open = standing.borrow_and_update().is_open();
    loop {
        let push = tokio::select! {
            () = pusher.closed() => return,
            numbers = listener.next_few(TOGETHER) => {
                for number in numbers {
                    // What can't be said the terminal fetches by pages, where it hears the error.
                    let Some(item) = pushed(&center, account, number).await else { continue };
                    if speaking.replaced().is_cancelled()
                        || pusher.push_waiting(Push::Mail(Box::new(item))).await.is_err()
                    {
                        return;
                    }
                }
                continue;
            }
            changed = standing.changed() => {
                let now = standing.borrow_and_update().is_open();
                if changed.is_err() || now == open {
                    continue;
                }
                open = now;
                Push::Open(open)
            }
        };
        // After the center's keys have changed, the terminal fetches it on its next connection, where it knows them.
        if speaking.replaced().is_cancelled() || pusher.push_waiting(push).await.is_err() {
            return;
        }
    }
}

/// A piece of mail to be pushed. What has just been entered is at hand; only what is older is read from the disk, on a
/// thread that may wait for it.
async fn pushed(center: &Center, account: AccountNumber, number: EntryNumber) -> Option<MailItem> {
    if let Some(record) = center.desk().reader().recent(number) {
        return said(center, account, &record).ok()?;
    }
    let reading = center.clone();
    center.off_thread(move || Ok(item(&reading, account, number))).await.ok()?.ok()?
}

fn item(
    center: &Center,
    account: AccountNumber,
    number: EntryNumber,
) -> Result<Option<MailItem>, BooksError> {
    said(center, account, &center.desk().reader().read(number)?)
}

fn said(center: &Center, account: AccountNumber, record: &Record) -> Result<Option<MailItem>, BooksError> {
    let reader = center.desk().reader();
    said::mail(reader, record, account, |card| {
        let said = said::card_certificate(&center.desk().state(), card);
        let unknown = || BooksError::NoEntry { entry: record.entry.number, size: reader.size() };
        Ok(center.certify(&said.ok_or_else(unknown)?))
    })
}
