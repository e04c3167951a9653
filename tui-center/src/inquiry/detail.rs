//! Anything in full: a member, a store, a card, an entry.

use ledger::{
    Request,
    account::{Posting, Side},
    entry::{Concerns, Previous},
    state::{Holder, PaymentState},
};
use wire::{
    id::{AccountNumber, CardNumber, EntryNumber},
    payload::KeyRole,
    receipt,
    time::Timestamp,
};

use super::{
    view::{Detail, Local, Row, TransactionRow},
    words,
};
use crate::{admission::form, books::BooksError, center::Center, lines::postman::masked};

/// How many transactions are listed with something.
const HISTORY: usize = 50;

/// What is to be shown in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A member or store.
    Account(AccountNumber),
    /// A card.
    Card(CardNumber),
    /// An entry.
    Entry(EntryNumber),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Card(card) => card.fmt(f),
            Self::Entry(entry) => entry.fmt(f),
        }
    }
}

impl std::str::FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let words = |error: wire::id::IdError| error.to_string();
        match text.chars().next().map(|c| c.to_ascii_uppercase()) {
            Some('M' | 'S') => text.parse().map(Self::Account).map_err(words),
            Some('C') => text.parse().map(Self::Card).map_err(words),
            Some('T') => text.parse().map(Self::Entry).map_err(words),
            _ => Err(format!("“{text}” is no number; write one like M-000001-3, S-..., C-... or T-...")),
        }
    }
}

/// Everything that is known of something; `None` when there is no such thing.
pub fn detail(center: &Center, subject: Subject) -> Result<Option<Detail>, BooksError> {
    match subject {
        Subject::Account(account) => of_account(center, account),
        Subject::Card(card) => of_card(center, card),
        Subject::Entry(entry) => of_entry(center, entry),
    }
}

fn of_account(center: &Center, account: AccountNumber) -> Result<Option<Detail>, BooksError> {
    let Some(holder) = center.desk().state().holder(account).cloned() else { return Ok(None) };
    let local = center.local();
    let mut rows = vec![
        Row::new("Number", account),
        Row::new("State", if holder.frozen { "frozen" } else { "in good standing" }),
        Row::new("Registered", format!("{} by {}", local.moment(holder.registered).text, holder.entry)),
    ];
    match center.particulars(account) {
        Some(particulars) => {
            let form = center.admission().library.form(center.desk(), account.role()).ok();
            let filled = form::labelled(form.as_ref(), &particulars);
            // The name under which a store trades is public; everything else is revealed by an act that is entered.
            let open = |value: &str| holder.trade_name.as_deref() == Some(value);
            let shown = |value: String| if open(&value) { value } else { masked(&value) };
            rows.extend(filled.into_iter().map(|(label, value)| Row::new(&label, shown(value))));
        }
        None => match holder.erased {
            Some(entry) => rows.push(Row::new("Personal data", format!("erased by {entry}"))),
            None => rows.push(Row::new("Personal data", "the cabinet cannot be read")),
        },
    }
    rows.extend(key_rows(&holder, local, center.desk().state().at()));
    match account {
        AccountNumber::Member(member) => {
            let state = center.desk().state();
            for (number, card) in state.cards_of(member) {
                let frozen = if card.frozen { ", frozen" } else { "" };
                rows.push(Row::new("Card", format!("{number}: {}{frozen}", local.money(card.balance).text)));
            }
            for (number, wanted) in state.waiting_of(member) {
                let words = format!(
                    "{number}: {} until {}",
                    local.money(wanted.amount).text,
                    local.moment(wanted.expires).text
                );
                rows.push(Row::new("Waits for money", words));
            }
        }
        AccountNumber::Store(store) => {
            rows.push(Row::new("Owed", local.money(center.desk().state().payable(store)).text));
            let addresses = center.presence().addresses(store);
            let shown: Vec<&str> = addresses.iter().map(|address| address.as_str()).collect();
            rows.push(Row::new(
                "Listens on",
                if shown.is_empty() { "away".into() } else { shown.join(", ") },
            ));
        }
    }
    let history = walk(center, Some(holder.last), |previous| match account {
        AccountNumber::Member(_) => previous.member,
        AccountNumber::Store(_) => previous.store,
    })?;
    let what = match account {
        AccountNumber::Member(_) => "Member",
        AccountNumber::Store(_) => "Store",
    };
    Ok(Some(Detail { title: format!("{what} {account}"), frozen: Some(holder.frozen), rows, history }))
}

/// The keys in force, what waits, whether money is held, and a store's cashiers.
fn key_rows(holder: &Holder, local: &Local, at: Timestamp) -> Vec<Row> {
    let mut rows = Vec::new();
    for role in [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery] {
        let label = match role {
            KeyRole::Signature => "Signature key",
            KeyRole::Terminal => "Terminal key",
            KeyRole::Recovery => "Recovery key",
        };
        let shown = match holder.key(role) {
            Some((key, since)) => format!("{} since {since}", key.fingerprint()),
            None => "none in force".to_owned(),
        };
        rows.push(Row::new(label, shown));
    }
    if let Some(waiting) = holder.waiting_key {
        let (key, from) = (waiting.key.fingerprint(), local.moment(waiting.from).text);
        let words = format!("{key} from {from}, asked for by {}", waiting.change);
        rows.push(Row::new("New recovery key", words));
    }
    if let Some(until) = holder.held(at) {
        let words = format!("until {}, since its lost terminal was replaced", local.moment(until).text);
        rows.push(Row::new("No money leaves", words));
    }
    for (key, cashier) in &holder.cashiers {
        let limit = local.money(cashier.rights.refund_limit).text;
        let words = format!("{}, refunds up to {limit} a day", key.fingerprint());
        rows.push(Row::new("Cashier", words));
    }
    rows
}

fn of_card(center: &Center, number: CardNumber) -> Result<Option<Detail>, BooksError> {
    let Some(card) = center.desk().state().card(number).cloned() else { return Ok(None) };
    let local = center.local();
    let rows = vec![
        Row::new("Number", number),
        Row::new("Holder", card.holder),
        Row::new("Balance", local.money(card.balance).text),
        Row::new("State", if card.frozen { "frozen" } else { "in good standing" }),
        Row::new("Issued", format!("{} by {}", local.moment(card.issued).text, card.entry)),
    ];
    let history = walk(center, Some(card.last), |previous| previous.card)?;
    Ok(Some(Detail { title: format!("Card {number}"), frozen: Some(card.frozen), rows, history }))
}

fn of_entry(center: &Center, number: EntryNumber) -> Result<Option<Detail>, BooksError> {
    let reader = center.desk().reader();
    if number.0 >= reader.size() {
        return Ok(None);
    }
    let record = reader.read(number)?;
    let (entry, local) = (&record.entry, center.local());
    let mut rows = vec![
        Row::new("Number", number),
        Row::new("Time", local.moment(entry.at).text),
        Row::new("Kind", entry.kind()),
        Row::new("What", words::words(entry, local)),
        Row::new(
            "Decision",
            entry
                .refusal()
                .map_or("done".to_owned(), |refusal| format!("refused: {}", crate::books::said(refusal))),
        ),
    ];
    if let Some(signed) = entry.request.signed() {
        rows.push(Row::new("Telegram", signed.telegram));
        rows.push(Row::new("Valid until", local.moment(signed.valid_until).text));
    }
    if let Request::Pay(payment) = &entry.request {
        rows.push(Row::new("Order", payment.order));
        rows.push(Row::new("Signed offer", payment.offer));
        rows.push(Row::new("Verified under", format!("the key of {}", payment.event)));
        if let Some(settled) = center.desk().state().payment(number) {
            let stands = match settled.state {
                PaymentState::Open => "open: neither claimed nor refunded".into(),
                PaymentState::Claimed(by) => format!("claimed by {by}"),
                PaymentState::Refunded(by) => format!("refunded by {by}"),
            };
            rows.push(Row::new("Payment", stands));
        }
    }
    rows.extend(entry.postings.iter().map(|posting| posting_row(posting, center)));
    let leaf = crate::books::parts::leaf(&record);
    rows.push(Row::new("Leaf", leaf.hash()));
    rows.push(Row::new("Evidence kept", format!("{} bytes", record.evidence.len())));
    let receipt = reader.receipt_of(&record, receipt::Side::Center);
    let proved = receipt.map_or_else(
        |error| error.to_string(),
        |receipt| {
            let size = receipt.checkpoint.claimed().size;
            match receipt.verify(center.speaking().sheet(), &center.config().root_key) {
                Ok(()) => format!("stands in the journal of {size} entries that the center signed"),
                Err(why) => why,
            }
        },
    );
    rows.push(Row::new("Proof", proved));
    let Concerns { member, store, card } = entry.concerns;
    rows.extend(member.map(|number| Row::new("Member", number)));
    rows.extend(store.map(|number| Row::new("Store", number)));
    rows.extend(card.map(|number| Row::new("Card", number)));
    Ok(Some(Detail { title: format!("Transaction {number}"), frozen: None, rows, history: Vec::new() }))
}

fn posting_row(posting: &Posting, center: &Center) -> Row {
    let label = match posting.side {
        Side::Debit => "Debit",
        Side::Credit => "Credit",
    };
    Row::new(label, format!("{}  {}", posting.account, center.local().money(posting.amount).text))
}

/// Walks a history backwards: each entry names the one before it.
fn walk(
    center: &Center,
    last: Option<EntryNumber>,
    before: impl Fn(&Previous) -> Option<EntryNumber>,
) -> Result<Vec<TransactionRow>, BooksError> {
    let mut rows = Vec::new();
    let mut at = last;
    while let Some(number) = at {
        let record = center.desk().reader().read(number)?;
        rows.push(words::row(&record.entry, center.local()));
        if rows.len() == HISTORY {
            break;
        }
        at = before(&record.entry.previous);
    }
    Ok(rows)
}
