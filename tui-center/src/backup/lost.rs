//! Lost entries: what a restored or forked journal lacks, and terminals hold receipts of.
//!
//! A terminal that meets the sheet of a resumed center hands in its receipts of entries behind the break, with the telegrams
//! that they settled. The center verifies them under the key of the former log and keeps them in the cabinet. Then:
//!
//! * A telegram that its owner signed still says what its owner wanted. While it may still be entered and the rules of the
//!   books would settle it, it is entered again, as the same telegram: a payment, a card request, a refund. Its id and its
//!   order are in the books once, whoever else sends it.
//! * What was withdrawn is entered as void again.
//! * Everything else waits, with the reason, for operators, who see payment, amount, member and store: what is past its
//!   time, what a card no longer covers, and what no telegram brought about. They ask again with `tui-center lost --again`
//!   when the money that was missing is in the books, and settle the rest with those concerned.

use ledger::decide;
use serde::{Deserialize, Serialize};
use wire::{
    codec,
    id::{AccountNumber, EntryNumber, TelegramId},
    limits,
    message::Beside,
    message::{LostItem, Problem, ProblemKind},
    payload::Refund,
    receipt::{MemberPart, Receipt, Side, StorePart, side_of},
    telegram::{Kind, Telegram},
    time::Timestamp,
};

use crate::{
    books::BooksError,
    center::Center,
    errors::{Room, Weight},
    inquiry::view::{Moment, Money},
    settlement::heard,
};

/// The most bytes of one that is kept.
pub(crate) const ITEM: usize = limits::FRAME;

/// A receipt of a lost entry, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct HandedIn {
    version: u16,
    account: AccountNumber,
    at: Timestamp,
    item: LostItem,
    standing: Standing,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    /// Nothing yet, and why.
    Waits(String),
    /// Its telegram was entered again.
    Again(EntryNumber),
}

/// A lost entry as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRow {
    /// The number that the entry had.
    pub entry: EntryNumber,
    /// The log that had it.
    pub log: String,
    /// What it was.
    pub kind: String,
    /// When it was entered.
    pub entered: Moment,
    /// Who handed the receipt in.
    pub account: AccountNumber,
    /// When.
    pub at: Moment,
    /// The store that was paid, where the receipt says so.
    pub store: Option<String>,
    /// How much money it is about, where it is about any.
    pub amount: Option<Money>,
    /// The entry that took its place.
    pub again: Option<EntryNumber>,
    /// What stands in the way.
    pub waits: Option<String>,
}

/// What is to be done with a telegram.
enum Do {
    Enter,
    Void,
    Nothing(&'static str),
}

/// Takes receipts of lost entries: verified, kept on the disk, and entered again where that can be.
///
/// # Errors
/// What does not hold; nothing of it is kept then. A receipt of an entry that the books have is none.
pub(crate) async fn take(
    center: &Center,
    account: AccountNumber,
    items: Vec<LostItem>,
) -> Result<Vec<Option<EntryNumber>>, Problem> {
    let keeping = center.clone();
    let names = center
        .off_thread(move || {
            items.iter().try_for_each(|item| believe(&keeping, account, item))?;
            items.into_iter().map(|item| keep(&keeping, account, item)).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let mut entered = Vec::with_capacity(names.len());
    for name in names {
        again(center, name.clone()).await;
        let reading = center.clone();
        let kept = center.off_thread(move || read(&reading, &name).map_err(|error| unread(&error))).await?;
        entered.push(kept.and_then(|kept| match kept.standing {
            Standing::Again(entry) => Some(entry),
            Standing::Waits(_) => None,
        }));
    }
    Ok(entered)
}

/// Tries again to enter what waits; says how many took their place.
pub(crate) async fn all_again(center: &Center) -> Result<u64, Problem> {
    let listing = center.clone();
    let names =
        center.off_thread(move || listing.cabinet().lost_names().map_err(|error| unread(&error))).await?;
    let mut entered = 0;
    for name in names {
        entered += u64::from(again(center, name).await);
    }
    Ok(entered)
}

/// All that were handed in, the oldest entry first. Blocks on the disk.
///
/// # Errors
/// When the cabinet can't be read.
pub fn rows(center: &Center) -> Result<Vec<LostRow>, BooksError> {
    let mut rows = Vec::new();
    for name in center.cabinet().lost_names()? {
        let Some(kept) = read(center, &name)? else { continue };
        let receipt = &kept.item.receipt;
        let (store, amount) = about(receipt);
        let (again, waits) = match kept.standing {
            Standing::Again(entry) => (Some(entry), None),
            Standing::Waits(why) => (None, Some(why)),
        };
        rows.push(LostRow {
            entry: receipt.leaf.entry,
            log: receipt.checkpoint.claimed().origin.to_string(),
            kind: receipt.leaf.kind.to_string(),
            entered: center.local().moment(receipt.leaf.at),
            account: kept.account,
            at: center.local().moment(kept.at),
            store,
            amount: amount.map(|amount| center.local().money(amount)),
            again,
            waits,
        });
    }
    rows.sort_by_key(|row| (row.log.clone(), row.entry));
    Ok(rows)
}

/// Whether a receipt is evidence of an entry of this account that is lost.
fn believe(center: &Center, account: AccountNumber, item: &LostItem) -> Result<(), Problem> {
    let malformed = |words: String| Problem::new(ProblemKind::Malformed, words);
    let speaking = center.speaking();
    let receipt = &item.receipt;
    let entry = receipt.leaf.entry;
    receipt
        .verify(speaking.sheet(), &center.config().root_key)
        .map_err(|why| malformed(format!("the receipt of {entry} does not hold: {why}")))?;
    if speaking.key_sheet().lost(&receipt.checkpoint.claimed().origin, entry).is_none() {
        return Err(malformed(format!("{entry} is not lost: the books hold it")));
    }
    if receipt.side != side_of(account) {
        return Err(malformed(format!("the receipt of {entry} opens another party's part")));
    }
    let named = telegram_of(receipt);
    let fits = |telegram: &Telegram| named == Some(telegram.id());
    if item.telegram.as_ref().is_none_or(fits) {
        return Ok(());
    }
    Err(malformed(format!("the telegram beside the receipt of {entry} is another one")))
}

fn keep(center: &Center, account: AccountNumber, item: LostItem) -> Result<String, Problem> {
    let side = if item.receipt.side == Side::Member { "m" } else { "s" };
    let name = format!("{}-{side}", item.receipt.leaf.hash());
    if read(center, &name).map_err(|error| unread(&error))?.is_some() {
        return Ok(name);
    }
    let words =
        format!("{account} handed in a receipt of {}, which the books lost.", item.receipt.leaf.entry);
    let standing = Standing::Waits("nothing was tried yet".into());
    let kept = HandedIn { version: 1, account, at: Timestamp::now(), item, standing };
    write(center, &name, &kept)?;
    center.errors().tell(Room::Books, Weight::Warning, words);
    Ok(name)
}

/// Enters the telegram of a lost entry again, where that can be; says whether that took its place now.
async fn again(center: &Center, name: String) -> bool {
    let Ok(Some(mut kept)) = read(center, &name) else { return false };
    if matches!(kept.standing, Standing::Again(_)) {
        return false;
    }
    let tried = enter(center, &kept).await;
    let entered = tried.is_ok();
    kept.standing = tried.map_or_else(Standing::Waits, Standing::Again);
    let writing = center.clone();
    // What can't be kept is tried again with the same telegram, which the books know by then.
    let _ = center.off_thread(move || write(&writing, &name, &kept)).await;
    entered
}

async fn enter(center: &Center, kept: &HandedIn) -> Result<EntryNumber, String> {
    let telegram = kept.item.telegram.as_ref().ok_or("no telegram of its owner came with the receipt")?;
    let desk = center.desk();
    let size = center
        .speaking()
        .key_sheet()
        .lost(&kept.item.receipt.checkpoint.claimed().origin, kept.item.receipt.leaf.entry)
        .map_or(0, |it| it.size);
    let work = match to_do(&kept.item.receipt, telegram, size) {
        Do::Nothing(why) => return Err(why.into()),
        Do::Void => heard::inquired(desk, kept.account, telegram),
        Do::Enter => heard::submitted(desk, kept.account, telegram, &Beside::Nothing),
    };
    let work = work.map_err(|problem| problem.to_string())?;
    {
        // A refusal would be final: what the books would refuse now is not asked of them.
        let state = desk.state();
        let known = state.answered(work.request());
        let entry = decide(&state, work.request(), Timestamp::now().max(state.at()));
        if let (None, Some(refusal)) = (known, entry.refusal()) {
            return Err(crate::books::said(refusal).to_string());
        }
    }
    let answer = desk.submit(work).await.map_err(|error| error.to_string())?;
    match answer.record.entry.refusal() {
        None => Ok(answer.record.entry.number),
        Some(refusal) => Err(crate::books::said(refusal).to_string()),
    }
}

fn to_do(receipt: &Receipt, telegram: &Telegram, size: u64) -> Do {
    let voided = match receipt.side {
        Side::Member => matches!(receipt.member_part(), Ok(MemberPart::Voided { .. })),
        Side::Store => matches!(receipt.store_part(), Ok(StorePart::Voided { .. })),
        Side::Center => false,
    };
    let refused = match receipt.side {
        Side::Member => matches!(receipt.member_part(), Ok(MemberPart::Refused { .. })),
        Side::Store => matches!(receipt.store_part(), Ok(StorePart::Refused { .. })),
        Side::Center => false,
    };
    if refused {
        return Do::Nothing("it was refused, and nothing came of it");
    }
    match telegram.kind {
        _ if voided => Do::Void,
        Kind::Payment | Kind::CardRequest => Do::Enter,
        // The number of a payment that is lost is another entry's now.
        Kind::Refund => match telegram.peek::<Refund>() {
            Ok(refund) if refund.payment.0 < size => Do::Enter,
            _ => Do::Nothing("it gives a payment back that is lost as well"),
        },
        _ => Do::Nothing("its owner asks for it anew: what went beside it is not handed in"),
    }
}

/// The telegram that a receipt names.
fn telegram_of(receipt: &Receipt) -> Option<TelegramId> {
    match receipt.side {
        Side::Member => match receipt.member_part().ok()? {
            MemberPart::Paid { telegram, .. }
            | MemberPart::CardRequested { telegram, .. }
            | MemberPart::Refused { telegram, .. }
            | MemberPart::Voided { telegram } => Some(telegram),
            _ => None,
        },
        Side::Store => match receipt.store_part().ok()? {
            StorePart::Refunded { telegram, .. }
            | StorePart::Claimed { telegram, .. }
            | StorePart::Refused { telegram, .. }
            | StorePart::Voided { telegram } => Some(telegram),
            _ => None,
        },
        Side::Center => None,
    }
}

/// The store and the money that a receipt speaks of.
fn about(receipt: &Receipt) -> (Option<String>, Option<wire::amount::Amount>) {
    match receipt.side {
        Side::Member => match receipt.member_part() {
            Ok(MemberPart::Paid { store, total, .. }) => (Some(store.to_string()), Some(total)),
            Ok(
                MemberPart::CardRequested { amount, .. }
                | MemberPart::CardIssued { amount, .. }
                | MemberPart::Refunded { amount, .. },
            ) => (None, Some(amount)),
            _ => (None, None),
        },
        Side::Store => match receipt.store_part() {
            Ok(StorePart::Paid { total, .. } | StorePart::Claimed { total, .. }) => (None, Some(total)),
            Ok(StorePart::Refunded { amount, .. } | StorePart::Payout { amount, .. }) => (None, Some(amount)),
            _ => (None, None),
        },
        Side::Center => (None, None),
    }
}

fn read(center: &Center, name: &str) -> Result<Option<HandedIn>, BooksError> {
    let Some(bytes) = center.cabinet().lost(name)? else { return Ok(None) };
    Ok(Some(codec::decode("lost entry", &bytes, ITEM)?))
}

fn write(center: &Center, name: &str, kept: &HandedIn) -> Result<(), Problem> {
    center.cabinet().put_lost(name, &codec::encode(kept)).map_err(|error| unread(&error))
}

fn unread(error: &BooksError) -> Problem {
    Problem::new(ProblemKind::Stopped, format!("the center cannot keep or read lost entries now: {error}"))
}
