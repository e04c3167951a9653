//! The vault and the book over it, kept in step: what is written to the one is applied to the other, and every change
//! is published as a snapshot.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use vault::{
    Draft, Finding, Opening, PinnedCenter, Vault,
    outbox::{Parcel, State},
};
use wire::{
    amount::Currency,
    checkpoint::SignedCheckpoint,
    id::TelegramId,
    payload::{CardRequest, Payment},
    sheet::Invitation,
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

use crate::{
    act::Failure,
    book::Book,
    record::{Ending, Notice, Purpose, Record},
    view::{CardRow, CenterRow, FundingRow, LineView, MessageRow, Moment, Money, OutboxRow, Snapshot},
};

/// How many messages a snapshot shows.
const MESSAGES_SHOWN: usize = 500;

/// The open vault with its book.
pub(crate) struct Kept {
    pub(crate) vault: Vault,
    pub(crate) book: Book,
    findings: Vec<String>,
    changed: bool,
}

/// Shared access to it. The disk is only touched on blocking threads.
#[derive(Clone)]
pub(crate) struct Keep {
    kept: Arc<Mutex<Kept>>,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

impl Keep {
    /// Takes an opened vault and reads everything in it.
    pub(crate) fn new(opening: Opening) -> Self {
        let kept = Kept::new(opening);
        let snapshot = kept.snapshot(0, LineView::Idle);
        Self { kept: Arc::new(Mutex::new(kept)), snapshots: watch::Sender::new(Arc::new(snapshot)) }
    }

    /// Does something with vault and book on a blocking thread, and publishes what it changed. It is done to its end
    /// even when the caller is dropped.
    ///
    /// # Panics
    /// When `work` does.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Kept) -> T + Send + 'static,
    ) -> T {
        let keep = self.clone();
        match tokio::task::spawn_blocking(move || keep.with_now(work)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Blocking tasks are only cancelled before they begin, by a runtime that is shutting down, and then
                // nothing polls this.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// The same on this thread, for callers that may block.
    pub(crate) fn with_now<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        // A panic in `work` can't leave the vault half written: its records are appended whole.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(&mut kept);
        if std::mem::take(&mut kept.changed) {
            self.snapshots.send_modify(|snapshot| {
                *snapshot = Arc::new(kept.snapshot(snapshot.generation + 1, snapshot.line.clone()));
            });
        }
        done
    }

    /// Publishes how the line stands.
    pub(crate) fn set_line(&self, line: LineView) {
        self.snapshots.send_if_modified(|snapshot| {
            if snapshot.line == line {
                return false;
            }
            *snapshot =
                Arc::new(Snapshot { generation: snapshot.generation + 1, line, ..(**snapshot).clone() });
            true
        });
    }

    /// The newest snapshot, and those that follow.
    pub(crate) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.subscribe()
    }

    /// The newest snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }
}

impl Kept {
    fn new(opening: Opening) -> Self {
        let Opening { vault, records, findings } = opening;
        let now = Timestamp::now();
        let mut book = Book::default();
        let mut findings: Vec<String> = findings.iter().map(Finding::to_string).collect();
        // Registration and card requests stand before the records that build on them; payments after their orders.
        let pays = |note: &[u8]| matches!(Purpose::decode(note), Ok(Purpose::Payment { .. }));
        for item in vault.outbox().items().filter(|item| !pays(&item.note)) {
            book.telegram(item, now);
        }
        for record in &records {
            match Record::decode(record.kind, &record.bytes) {
                Ok(Some(record)) => book.apply(record, now),
                Ok(None) => findings.push(format!(
                    "record {} is of kind {}, which this program does not know; a newer one wrote it",
                    record.sequence, record.kind
                )),
                Err(error) => findings.push(format!("record {} is unreadable: {error}", record.sequence)),
            }
        }
        for item in vault.outbox().items().filter(|item| pays(&item.note)) {
            book.telegram(item, now);
        }
        if let Some(note) = vault.center().and_then(|center| center.checkpoint.as_deref())
            && let Ok(checkpoint) = note.parse::<SignedCheckpoint>()
        {
            book.saw_checkpoint(&checkpoint);
        }
        Self { vault, book, findings, changed: false }
    }

    /// Appends a record, synced, and applies it.
    pub(crate) fn append(&mut self, record: Record) -> Result<(), Failure> {
        self.vault.append_all(vec![record.draft()?])?;
        self.book.apply(record, Timestamp::now());
        self.changed = true;
        Ok(())
    }

    /// Applies a record that says nothing new but its time, without the disk.
    pub(crate) fn refreshed(&mut self, record: Record) {
        self.book.apply(record, Timestamp::now());
        self.changed = true;
    }

    /// Puts a telegram on disk as one that may have left, with one synced write, and hands it out.
    pub(crate) fn post(
        &mut self,
        telegram: Telegram,
        beside: Vec<u8>,
        purpose: Purpose,
    ) -> Result<Parcel, Failure> {
        let parcel = self.vault.post(telegram, beside, purpose.encode())?;
        self.retell(&parcel.id());
        Ok(parcel)
    }

    /// What waits under this id, to be asked about with exactly its bytes. One that was signed and never left departs
    /// now.
    pub(crate) fn parcel(&mut self, id: &TelegramId) -> Result<Option<Parcel>, Failure> {
        if let Some(ready) = self.vault.outbox().ready(id) {
            let parcel = self.vault.depart(ready)?;
            self.retell(id);
            return Ok(Some(parcel));
        }
        Ok(self.vault.outbox().parcel(id))
    }

    /// Ends a telegram with what was verified, and keeps records that belong to it, in one synced write.
    pub(crate) fn close(
        &mut self,
        id: TelegramId,
        ending: &Ending,
        records: Vec<Record>,
    ) -> Result<(), Failure> {
        // Two tasks may have asked about it; the first answer that was verified has ended it.
        if self.vault.outbox().item(&id).is_some_and(|item| !item.state.is_open()) {
            return Ok(());
        }
        let drafts: Result<Vec<Draft>, vault::Error> = records.iter().map(Record::draft).collect();
        self.vault.close(id, ending.encode(), drafts?)?;
        for record in records {
            self.book.apply(record, Timestamp::now());
        }
        self.retell(&id);
        Ok(())
    }

    /// Keeps a notice once.
    pub(crate) fn note(&mut self, notice: Notice) -> Result<(), Failure> {
        if self.book.has_notice(&notice) { Ok(()) } else { self.append(Record::Notice(notice)) }
    }

    /// Keeps an alarm with its evidence, once.
    pub(crate) fn alarm(&mut self, words: &str, evidence: Vec<u8>) -> Result<(), Failure> {
        let words: String = words.chars().take(wire::limits::PROSE / 12).collect();
        let words = Prose::new(&words).unwrap_or_default();
        self.note(Notice { at: Timestamp::now(), number: None, words, alarm: true, evidence })
    }

    /// Keeps what is newly known of the center, when it is new.
    pub(crate) fn pin(&mut self, change: impl FnOnce(&mut PinnedCenter)) -> Result<(), Failure> {
        let Some(mut center) = self.vault.center().cloned() else {
            return Err(Failure::not_possible("this vault has no center yet; join one first"));
        };
        change(&mut center);
        self.vault.pin_center(&center)?;
        self.changed = true;
        Ok(())
    }

    /// Takes back a telegram that never left.
    pub(crate) fn withdraw(&mut self, id: TelegramId) -> Result<(), Failure> {
        self.vault.withdraw(id)?;
        self.retell(&id);
        Ok(())
    }

    /// Whom to connect to.
    pub(crate) fn invitation(&self) -> Result<Invitation, Failure> {
        let center = self.pinned()?;
        let addresses = center.addresses.iter().filter_map(|address| Line::new(address).ok());
        Ok(Invitation { root: center.root, addresses: wire::bounded::List::first(addresses) })
    }

    /// The pinned center.
    pub(crate) fn pinned(&self) -> Result<&PinnedCenter, Failure> {
        self.vault
            .center()
            .ok_or_else(|| Failure::not_possible("this vault has no center yet; join one first"))
    }

    /// The number of the newest key sheet seen; 0 before the first.
    pub(crate) fn sheet_number(&self) -> u64 {
        let sheet = self.vault.center().and_then(|center| center.sheet.as_ref());
        sheet.and_then(|sheet| sheet.peek::<wire::sheet::KeySheet>().ok()).map_or(0, |sheet| sheet.number)
    }

    /// The outbox as rows, newest first.
    pub(crate) fn outbox_rows(&self, open_only: bool) -> Vec<OutboxRow> {
        let items = self.vault.outbox().items().rev();
        items.filter(|item| !open_only || item.state.is_open()).map(|item| self.outbox_row(item)).collect()
    }

    fn outbox_row(&self, item: &vault::Item) -> OutboxRow {
        let purpose = Purpose::decode(&item.note).ok();
        let amount = match purpose {
            Some(Purpose::Payment { .. }) => {
                item.telegram.peek::<Payment>().ok().map(|said| (said.total, said.currency))
            }
            Some(Purpose::CardRequest) => {
                item.telegram.peek::<CardRequest>().ok().map(|said| (said.amount, said.currency))
            }
            _ => None,
        };
        let words = match &item.state {
            State::Prepared => "signed, not sent".to_owned(),
            State::MayHaveLeft { since } => {
                format!("sent, outcome unknown since {}; resolve asks the center", Moment::from(*since).text)
            }
            State::Withdrawn { .. } => "withdrawn before it left".to_owned(),
            State::Closed { outcome, .. } => Ending::decode(outcome).map_or_else(
                |error| format!("answered, but the answer is unreadable: {error}"),
                |ending| ending_words(&ending),
            ),
        };
        OutboxRow {
            telegram: item.telegram.id(),
            kind: purpose.map_or("unreadable", Purpose::noun).to_owned(),
            order: purpose.and_then(Purpose::order),
            amount: amount.map(|(amount, currency)| Money::new(amount, currency)),
            signed: item.prepared_at.into(),
            open: item.state.is_open(),
            words,
        }
    }

    /// Tells the book how a telegram stands now.
    fn retell(&mut self, id: &TelegramId) {
        if let Some(item) = self.vault.outbox().item(id) {
            self.book.telegram(item, Timestamp::now());
        }
        self.changed = true;
    }

    fn snapshot(&self, generation: u64, line: LineView) -> Snapshot {
        let now = Timestamp::now();
        let mut messages: Vec<_> = self.book.messages.iter().collect();
        messages.sort_by_key(|message| std::cmp::Reverse((message.at, message.number)));
        let message = |message: &crate::book::Message| MessageRow {
            at: message.at.into(),
            number: message.number,
            words: message.words.clone(),
            alarm: message.alarm,
        };
        Snapshot {
            generation,
            member: self.book.registration.as_ref().and_then(|known| wire::message::member_of(known.account)),
            center: self.center_row(),
            line,
            cards: self.card_rows(),
            funding: self.funding_rows(),
            purchases: self.book.history(now),
            messages: messages.into_iter().take(MESSAGES_SHOWN).map(message).collect(),
            outbox: self.outbox_rows(true),
            cart: self.book.cart.clone(),
            findings: self.findings.clone(),
        }
    }

    fn center_row(&self) -> Option<CenterRow> {
        let (seen, pinned) = (self.book.center.as_ref()?, self.vault.center()?);
        Some(CenterRow {
            name: seen.name.clone(),
            fingerprint: pinned.root.fingerprint(),
            currency: seen.currency,
            zone: seen.zone.clone(),
            help: seen.help.clone(),
            addresses: pinned.addresses.iter().filter_map(|address| Line::new(address).ok()).collect(),
            sheet: self.sheet_number(),
        })
    }

    /// The cards as rows.
    pub(crate) fn card_rows(&self) -> Vec<CardRow> {
        let Some(seen) = &self.book.center else { return Vec::new() };
        let row = |(number, card): (&wire::id::CardNumber, &crate::book::Card)| CardRow {
            card: *number,
            balance: Money::new(card.balance, seen.currency),
            as_of: card.as_of.into(),
            frozen: card.frozen,
            issued: card.issued.into(),
        };
        self.book.cards.iter().map(row).collect()
    }

    /// The card requests that wait for money, as rows.
    pub(crate) fn funding_rows(&self) -> Vec<FundingRow> {
        let Some(seen) = &self.book.center else { return Vec::new() };
        self.book.funding.values().map(|terms| funding_row(terms, seen.currency)).collect()
    }
}

/// How to pay for a card, as a row.
pub(crate) fn funding_row(terms: &wire::message::FundingTerms, currency: Currency) -> FundingRow {
    FundingRow {
        request: terms.request,
        amount: Money::new(terms.amount, currency),
        holder: terms.account.holder.clone(),
        account: terms.account.number.clone(),
        bic: terms.account.bic.clone(),
        reference: terms.reference.clone(),
        expires: terms.expires.into(),
    }
}

/// What ended a telegram, in words.
pub(crate) fn ending_words(ending: &Ending) -> String {
    use wire::message::{Effect, Verdict};
    match ending {
        Ending::Verdict(Verdict::Done { effect, receipt }) => match effect {
            Effect::Paid { .. } => format!("settled as {}", receipt.leaf.entry),
            Effect::FundingOpened(_) => format!("card request entered as {}", receipt.leaf.entry),
            _ => format!("done as {}", receipt.leaf.entry),
        },
        Ending::Verdict(Verdict::Refused { reason, receipt }) => {
            format!("refused as {}: {reason}", receipt.leaf.entry)
        }
        Ending::Verdict(Verdict::Void { receipt }) => {
            format!("void: entered as {} as never to be done", receipt.leaf.entry)
        }
        Ending::Verdict(Verdict::Expired) => "expired before it was entered; it never will be".into(),
        Ending::Registered { account, entry, .. } => format!("registered as {account} by {entry}"),
        Ending::NotEntered { words } => format!("not accepted, nothing was entered: {words}"),
    }
}
