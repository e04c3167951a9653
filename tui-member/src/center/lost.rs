//! After the center has gone on from an earlier state: what this vault holds receipts of and the center lost is handed in.

use wire::{bounded::List, limits, message::LostItem, telegram::Kind, text::Prose, time::Timestamp};

use super::{Center, Session};
use crate::{
    act::Failure,
    record::{HandedIn, Lost, Notice, Record},
};

impl Center {
    /// Says that the log was broken off, where the sheet says so, and hands in the receipts of what is lost, each once.
    ///
    /// # Errors
    /// When the center does not take them, or the vault can't be written; what is left is handed in on the next line.
    pub(super) async fn hand_in(&self, session: &Session) -> Result<(), Failure> {
        let sheet = session.line.sheet.clone();
        let Some(last) = sheet.breaks.last().cloned() else { return Ok(()) };
        let signed = session.line.hello.sheet.clone();
        let found = self.keep.with(move |kept| {
            let words = format!(
                "The center's journal was broken off at {} entries and goes on from there under another name, by the word of \
                 its root key: it was restored from a backup, or had forked. What it had entered after that is lost there; \
                 your receipts of it are handed in",
                last.size
            );
            let words = Prose::new(&words).unwrap_or_default();
            let evidence = wire::codec::encode(&signed);
            kept.note(Notice { at: Timestamp::now(), number: None, words, alarm: true, evidence })?;
            let lost = kept.book.receipts().filter(|kept| {
                let origin = &kept.receipt.checkpoint.claimed().origin;
                sheet.lost(origin, kept.receipt.leaf.entry).is_some()
            });
            let items = lost.map(|it| {
                let item = it.telegram.and_then(|id| kept.vault.outbox().item(&id));
                let telegram = item.map(|item| item.telegram.clone());
                // Only these are named by their receipts, and can be entered again as they are.
                let telegram = telegram.filter(|it| matches!(it.kind, Kind::Payment | Kind::CardRequest));
                LostItem { receipt: it.receipt.clone(), telegram }
            });
            Ok::<_, Failure>(items.collect::<Vec<_>>())
        });
        for group in found.await?.chunks(limits::LOST_ITEMS) {
            let items = List::first(group.iter().cloned());
            let again =
                session.line.hand_in(items, session.answer).await.map_err(|error| self.failure(&error))?;
            let lost = group.iter().zip(again).map(|(item, again)| Lost {
                entry: item.receipt.leaf.entry,
                leaf: item.receipt.leaf.hash(),
                again,
            });
            let record = Record::HandedIn(HandedIn { at: Timestamp::now(), lost: lost.collect() });
            self.keep.with(move |kept| kept.append(record)).await?;
        }
        Ok(())
    }
}
