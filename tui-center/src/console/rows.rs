//! What a line of each register shows, and in which columns.

pub(super) mod joining;
mod people;
pub(super) mod staff;

use serde::Serialize;
use tui_kit::{
    Tone,
    table::{Cell, Column},
    text,
    time::Zone,
};
use wire::{id::AccountNumber, payload::KeyRole};

use super::about::About;
use crate::{
    acts::{Act, List, Outcome},
    errors::{ErrorLine, Room, Weight},
    inquiry::{
        detail::Subject,
        view::{DeskRow, KeyRow, MemberRow, Moment, StoreRow, TransactionRow},
    },
};

/// The columns that an amount gets.
const AMOUNT: u16 = 16;
/// The columns that a printed number gets.
const NUMBER: u16 = 10;

/// How times are told: in the center's zone, today's by the clock, others by the date.
#[derive(Debug, Clone)]
pub(super) struct Times {
    /// The center's zone.
    pub(super) zone: Zone,
    /// The moment of the newest overview.
    pub(super) now_unix_ms: i64,
}

impl Times {
    /// The time of day for today, the date for other days.
    pub(super) fn brief(&self, unix_ms: u64) -> String {
        let at = i64::try_from(unix_ms).unwrap_or(i64::MAX);
        if self.zone.date(at) == self.zone.date(self.now_unix_ms) {
            self.zone.clock_seconds(at)
        } else {
            self.zone.date(at)
        }
    }

    /// The date.
    pub(super) fn date(&self, moment: &Moment) -> String {
        self.zone.date(i64::try_from(moment.unix_ms).unwrap_or(i64::MAX))
    }
}

/// A sentence below a register, and what it says besides.
pub(super) type Note = (Tone, String);

/// A line of a register.
pub(super) trait Row: Serialize {
    /// What the register is called in a sentence.
    const NAME: &'static str;
    /// What stands where there is no line yet.
    const EMPTY: &'static str;

    /// Whether the center searches it; otherwise the whole of it is here.
    const SEARCHED: bool = true;

    /// Asks the center for it; nothing where there is nothing to ask for yet.
    fn ask(list: List) -> Option<Act>;

    /// Its lines out of the answer; none where the answer is to something else.
    fn found(outcome: Outcome) -> Option<Vec<Self>>
    where
        Self: Sized;

    /// What stands below it besides.
    fn notes(_outcome: &Outcome, _times: &Times) -> Vec<Note> {
        Vec::new()
    }

    /// Its columns.
    fn columns() -> Vec<Column>;

    /// A cell for each column.
    fn cells(&self, times: &Times) -> Vec<Cell>;

    /// What tells this line from all others, so that it stays selected when the register is read anew.
    fn key(&self) -> String;

    /// What Enter opens.
    fn about(&self) -> Option<About>;

    /// What is copied of it.
    fn copied(&self) -> String {
        self.key()
    }
}

fn state(frozen: bool) -> Cell {
    if frozen { Cell::toned(Tone::Warn, "frozen") } else { Cell::default() }
}

impl Row for MemberRow {
    const NAME: &'static str = "member register";
    const EMPTY: &'static str =
        "No member yet. Members join with the center's invitation (tui-center invitation).";

    fn ask(list: List) -> Option<Act> {
        Some(Act::Members(list))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Members { members } => Some(members),
            _ => None,
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("member", NUMBER),
            Column::growing("name", 8),
            Column::growing("e-mail", 20).rank(5),
            Column::fixed("phone", 18).rank(6),
            Column::fixed("since", 8).rank(4),
            Column::fixed("cards", 5).right().rank(3),
            Column::fixed("balance", AMOUNT).right().rank(1),
            Column::fixed("state", 8).rank(2),
        ]
    }

    fn key(&self) -> String {
        self.member.to_string()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        let name = match self.name.as_str() {
            "" => Cell::toned(Tone::Dim, "(erased)"),
            name => name.into(),
        };
        vec![
            self.member.to_string().into(),
            name,
            self.email.clone().into(),
            self.phone.clone().into(),
            times.date(&self.registered).into(),
            text::thousands(self.cards).into(),
            self.balance.text.clone().into(),
            state(self.frozen),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Subject(Subject::Account(AccountNumber::Member(self.member))))
    }
}

impl Row for StoreRow {
    const NAME: &'static str = "store register";
    const EMPTY: &'static str =
        "No store yet. Stores join with the center's invitation (tui-center invitation).";

    fn ask(list: List) -> Option<Act> {
        Some(Act::Stores(list))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Stores { stores } => Some(stores),
            _ => None,
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("store", NUMBER),
            Column::growing("name", 8),
            Column::growing("contact", 16).rank(5),
            Column::growing("e-mail", 20).rank(6),
            Column::fixed("since", 8).rank(4),
            Column::fixed("owed", AMOUNT).right().rank(1),
            Column::fixed("line", 4).rank(3),
            Column::fixed("state", 8).rank(2),
        ]
    }

    fn key(&self) -> String {
        self.store.to_string()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        vec![
            self.store.to_string().into(),
            self.name.clone().into(),
            self.contact.clone().into(),
            self.email.clone().into(),
            times.date(&self.registered).into(),
            self.owed.text.clone().into(),
            if self.here { "here".into() } else { Cell::toned(Tone::Dim, "away") },
            state(self.frozen),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Subject(Subject::Account(AccountNumber::Store(self.store))))
    }
}

/// A key's role, as lists and details say it.
pub(super) fn key_role(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Signature => "signature",
        KeyRole::Terminal => "terminal",
        KeyRole::Recovery => "recovery",
    }
}

impl Row for KeyRow {
    const NAME: &'static str = "key register";
    const EMPTY: &'static str = "No key yet. The keys of members and stores are entered when they join.";

    fn ask(list: List) -> Option<Act> {
        Some(Act::Keys(list))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Keys { keys } => Some(keys),
            _ => None,
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("account", NUMBER),
            Column::fixed("role", 9),
            Column::growing("fingerprint", 8),
            Column::fixed("since", NUMBER).rank(2),
            Column::fixed("state", 12).rank(1),
        ]
    }

    fn key(&self) -> String {
        format!("{} {} {}", self.account, key_role(self.role), self.entry)
    }

    fn cells(&self, _times: &Times) -> Vec<Cell> {
        let state = match (self.key.is_empty(), self.in_force) {
            (true, _) => Cell::toned(Tone::Bad, "revoked"),
            (false, true) => Cell::toned(Tone::Good, "in force"),
            (false, false) => Cell::toned(Tone::Dim, "not in force"),
        };
        vec![
            self.account.to_string().into(),
            key_role(self.role).into(),
            self.fingerprint.clone().into(),
            self.entry.to_string().into(),
            state,
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Key(Box::new(self.clone())))
    }

    fn copied(&self) -> String {
        self.key.clone()
    }
}

impl Row for TransactionRow {
    const NAME: &'static str = "transaction register";
    const EMPTY: &'static str =
        "No entry yet. Everything that is decided stands here: registrations, cards, payments.";

    fn ask(list: List) -> Option<Act> {
        Some(Act::Transactions { list, kind: None, before: None })
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Transactions { transactions, .. } => Some(transactions),
            _ => None,
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("number", NUMBER),
            Column::fixed("time", 8).rank(4),
            Column::fixed("kind", 13).rank(5),
            Column::growing("what", 26),
            Column::fixed("parties", 23).rank(6),
            Column::fixed("amount", AMOUNT).right().rank(3),
        ]
    }

    fn key(&self) -> String {
        self.number.to_string()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        let tone = if self.refused { Tone::Warn } else { Tone::Plain };
        vec![
            self.number.to_string().into(),
            times.brief(self.at.unix_ms).into(),
            self.kind.noun().into(),
            Cell::toned(tone, self.words.clone()),
            self.parties().into(),
            self.amount.as_ref().map(|amount| amount.text.clone()).unwrap_or_default().into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Subject(Subject::Entry(self.number)))
    }
}

impl TransactionRow {
    /// Whom it is between: the member, the store, or both.
    fn parties(&self) -> String {
        let numbers =
            [self.member.map(|member| member.to_string()), self.store.map(|store| store.to_string())];
        numbers.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl Row for DeskRow {
    const NAME: &'static str = "bank desk";
    const EMPTY: &'static str = "Nothing waits. What the bank tells and nobody asked for lands here.";

    const SEARCHED: bool = false;

    fn ask(_list: List) -> Option<Act> {
        Some(Act::Desk)
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Desk { desk } => Some(desk),
            _ => None,
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("number", NUMBER + 2),
            Column::fixed("state", 5).rank(2),
            Column::fixed("time", 8).rank(3),
            Column::growing("what is wrong", 6),
            Column::fixed("payer", 26).rank(4),
            Column::fixed("amount", AMOUNT).right().rank(1),
        ]
    }

    fn key(&self) -> String {
        self.number.to_string()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        let number = self.number.to_string();
        vec![
            if self.waiting { Cell::toned(Tone::Warn, number) } else { number.into() },
            if self.waiting { "waits".into() } else { Cell::toned(Tone::Dim, "done") },
            times.brief(self.at.unix_ms).into(),
            self.words.clone().into(),
            self.payer.clone().into(),
            self.amount.text.clone().into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Desk(Box::new(self.clone())))
    }
}

/// The room that tells of an error, as lists and details say it.
pub(super) fn room(room: Room) -> &'static str {
    match room {
        Room::Reception => "reception",
        Room::Guard => "guard",
        Room::Desk => "desk",
        Room::Books => "books",
        Room::Bank => "bank",
        Room::Mail => "mail",
        Room::Post => "post",
        Room::Operators => "operators",
        Room::Program => "program",
    }
}

/// How much an error matters, as lists and details say it.
pub(super) fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
        Weight::Alarm => "ALARM",
    }
}

impl Row for ErrorLine {
    const NAME: &'static str = "error log";
    const EMPTY: &'static str = "Nothing went wrong yet. What does is told here, with what to do about it.";

    fn ask(list: List) -> Option<Act> {
        Some(Act::Errors(list))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Errors { errors } => Some(errors),
            _ => None,
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("weight", 9),
            Column::fixed("time", 8).rank(1),
            Column::fixed("room", 9).rank(2),
            Column::growing("what happened", 12),
        ]
    }

    fn key(&self) -> String {
        format!("{} {} {}", self.at.0, room(self.room), self.words)
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        vec![
            Cell::toned(tone(self.weight), weight(self.weight)),
            times.brief(self.at.0).into(),
            room(self.room).into(),
            self.words.to_string().into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Error(Box::new(self.clone())))
    }

    fn copied(&self) -> String {
        self.words.to_string()
    }
}

/// What an error says besides its words.
pub(super) fn tone(weight: Weight) -> Tone {
    match weight {
        Weight::Note => Tone::Plain,
        Weight::Warning => Tone::Warn,
        Weight::Alarm => Tone::Bad,
    }
}
