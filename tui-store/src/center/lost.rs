//! After the center has gone on from an earlier state: what this vault holds receipts of and the center lost is handed in.

use std::sync::Arc;

use wire::{
    bounded::List,
    id::EntryNumber,
    limits,
    message::{LostItem, MailItem},
    sheet::KeySheet,
    terminal::Line,
    time::Timestamp,
};

use super::{ANSWER_LIMIT, Center, prose};
use crate::{
    act::Failure,
    record::{HandedIn, Notice, Record},
};

impl Center {
    /// Says that the log was broken off, where the sheet says so, and hands in the receipts of what is lost, each once.
    ///
    /// # Errors
    /// When the center does not take them, or the vault can't be written; what is left is handed in on the next line.
    pub(super) async fn hand_in(self: &Arc<Self>, line: &Line) -> Result<(), Failure> {
        let sheet = line.sheet.clone();
        let Some(last) = sheet.breaks.last() else { return Ok(()) };
        let words = format!(
            "The center's journal was broken off at {} entries and goes on from there under another name, by the word of \
             its root key: it was restored from a backup, or had forked. What it had entered after that is lost there; \
             receipts of it are handed in.",
            last.size
        );
        let evidence = wire::codec::encode(&line.hello.sheet);
        self.keep
            .record_if(move |book| {
                let known = book.notices.iter().any(|notice| notice.evidence == evidence);
                let notice = Notice { at: Timestamp::now(), words: prose(&words), evidence };
                Ok::<_, Failure>((if known { Vec::new() } else { vec![Record::Notice(notice)] }, ()))
            })
            .await?;
        for group in self.lost_mail(sheet).await?.chunks(limits::LOST_ITEMS) {
            let item = |mail: &MailItem| LostItem { receipt: mail.receipt.clone(), telegram: None };
            let again = line.hand_in(List::first(group.iter().map(item)), ANSWER_LIMIT).await?;
            let entry = |mail: &MailItem| mail.receipt.leaf.entry;
            let lost: Vec<(EntryNumber, Option<EntryNumber>)> = group.iter().map(entry).zip(again).collect();
            self.keep.record(vec![Record::HandedIn(HandedIn { at: Timestamp::now(), lost })]).await?;
        }
        Ok(())
    }

    /// The mail whose entries are lost.
    async fn lost_mail(self: &Arc<Self>, sheet: KeySheet) -> Result<Vec<MailItem>, Failure> {
        let first = sheet.breaks.iter().map(|it| it.size).min().unwrap_or(u64::MAX);
        let places: Vec<u64> =
            self.keep.book().mail.range(EntryNumber(first)..).map(|(_, place)| *place).collect();
        self.keep
            .vault(move |vault| {
                let mut lost = Vec::new();
                for place in places {
                    let record = vault.read(place)?;
                    let Ok(Record::Mail(mail)) = Record::read(&record) else { continue };
                    let receipt = &mail.receipt;
                    if sheet.lost(&receipt.checkpoint.claimed().origin, receipt.leaf.entry).is_some() {
                        lost.push(*mail);
                    }
                }
                Ok::<_, vault::Error>(lost)
            })
            .await?
            .map_err(Failure::from)
    }
}
