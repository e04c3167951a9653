//! What inquiries answer: plain data for tables, details and JSON.
//!
//! Amounts and times carry the words beside the number, so that whoever shows them needs neither currency nor zone.

use serde::{Deserialize, Serialize};
use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, CardNumber, EntryNumber, MemberNumber, StoreNumber},
    payload::KeyRole,
    receipt::EntryKind,
    sheet::Invitation,
    time::Timestamp,
};

use crate::guard::GuardCounts;

/// An amount with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; below zero where an account is overdrawn.
    pub minor: i128,
    /// As people write it: `1,500 JPY`.
    pub text: String,
}

impl Money {
    /// An amount in a currency.
    pub fn of(currency: Currency, amount: Amount) -> Self {
        Self { minor: i128::from(amount.minor()), text: currency.print(amount) }
    }

    /// A sum that may be larger than any single amount, or below zero.
    pub fn sum(currency: Currency, minor: i128) -> Self {
        let unit = 10u128.pow(currency.digits());
        let absolute = minor.unsigned_abs();
        let whole = absolute / unit;
        let mut figures = String::new();
        for (at, digit) in whole.to_string().chars().enumerate() {
            if at > 0 && (whole.to_string().len() - at).is_multiple_of(3) {
                figures.push(',');
            }
            figures.push(digit);
        }
        if currency.digits() > 0 {
            figures.push_str(&format!(".{:0width$}", absolute % unit, width = currency.digits() as usize));
        }
        let sign = if minor < 0 { "-" } else { "" };
        Self { minor, text: format!("{sign}{figures} {}", currency.code()) }
    }
}

/// An instant with its words in the center's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: u64,
    /// As people read it: `2026-11-22 16:04:05`.
    pub text: String,
}

/// Whether the books balance, as the console's light shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// Whether everything that must hold does.
    pub balanced: bool,
    /// What was looked at, or what is wrong.
    pub words: String,
}

/// How the center stands now. The console's overview and `status` show the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The center's name.
    pub name: String,
    /// Its id.
    pub center: String,
    /// The root key's fingerprint, for comparing.
    pub fingerprint: String,
    /// What people need to join.
    pub invitation: Invitation,
    /// The currency.
    pub currency: Currency,
    /// The time zone.
    pub zone: String,
    /// The process that serves.
    pub pid: u32,
    /// Since when it serves.
    pub since: Moment,
    /// When this was looked at.
    pub at: Moment,
    /// The addresses it listens on.
    pub listening: Vec<String>,
    /// Whether payments are taken.
    pub open: bool,
    /// Why not, or what an operator must know.
    pub standing: String,
    /// The books-balance light.
    pub light: Light,
    /// How many entries the journal has.
    pub entries: u64,
    /// The newest checkpoint's root, in hex.
    pub root: String,
    /// Connections at present.
    pub connections: u64,
    /// Terminals that have logged in.
    pub logged_in: u64,
    /// Stores that listen for members.
    pub stores_here: u64,
    /// Payments a second over the last seconds.
    pub payments_per_second: f64,
    /// Payments of each of the last seconds, oldest first.
    pub payments_recent: Vec<u32>,
    /// Requests that wait for the desk.
    pub queue: u64,
    /// Members in the register.
    pub members: u64,
    /// Stores in the register.
    pub stores: u64,
    /// Cards issued.
    pub cards: u64,
    /// What is on cards.
    pub on_cards: Money,
    /// What is owed to stores.
    pub owed_to_stores: Money,
    /// What is at the bank.
    pub at_bank: Money,
    /// What waits on the bank desk.
    pub desk: u64,
    /// What the guard has done.
    pub guard: GuardCounts,
    /// The newest entries, newest first.
    pub newest: Vec<TransactionRow>,
}

/// A line of the member register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// The number.
    pub member: MemberNumber,
    /// The name; empty when the personal data was erased.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The telephone number.
    pub phone: String,
    /// How many cards.
    pub cards: u64,
    /// What is on them.
    pub balance: Money,
    /// When it was registered.
    pub registered: Moment,
    /// Whether it is frozen.
    pub frozen: bool,
}

/// A line of the store register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRow {
    /// The number.
    pub store: StoreNumber,
    /// The name it trades under.
    pub name: String,
    /// Whom to talk to.
    pub contact: String,
    /// The e-mail address.
    pub email: String,
    /// What is owed to it.
    pub owed: Money,
    /// Whether it listens for members.
    pub here: bool,
    /// When it was registered.
    pub registered: Moment,
    /// Whether it is frozen.
    pub frozen: bool,
}

/// A line of the key register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// Whose.
    pub account: AccountNumber,
    /// Which key.
    pub role: KeyRole,
    /// The key in hex; empty where it was revoked.
    pub key: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The entry that put it in force.
    pub entry: EntryNumber,
    /// Whether it is in force.
    pub in_force: bool,
}

/// A line of the transaction register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionRow {
    /// The number.
    pub number: EntryNumber,
    /// When.
    pub at: Moment,
    /// What it is about.
    pub kind: EntryKind,
    /// What was asked and what came of it, in words.
    pub words: String,
    /// How much it moves.
    pub amount: Option<Money>,
    /// The member it concerns.
    pub member: Option<MemberNumber>,
    /// The store it concerns.
    pub store: Option<StoreNumber>,
    /// The card it concerns.
    pub card: Option<CardNumber>,
    /// Whether it was refused.
    pub refused: bool,
}

/// Something in full: titled rows, and the transactions that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What it is.
    pub title: String,
    /// Whether it is frozen; `None` where it can't be.
    pub frozen: Option<bool>,
    /// What there is to know.
    pub rows: Vec<Row>,
    /// Its newest transactions, newest first.
    pub history: Vec<TransactionRow>,
}

/// A labelled value of a [`Detail`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is.
    pub label: String,
    /// The value.
    pub value: String,
}

impl Row {
    /// A labelled value.
    pub fn new(label: &str, value: impl std::fmt::Display) -> Self {
        Self { label: label.to_owned(), value: value.to_string() }
    }
}

/// What waits on the bank desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskKind {
    /// Money that came in and fits no card request.
    Unmatched,
    /// A bank movement that was told a second time; no money came in again.
    Duplicate,
    /// A transfer that the bank did not execute.
    FailedPayout,
}

/// A line of the bank desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskRow {
    /// The entry.
    pub number: EntryNumber,
    /// What it is.
    pub kind: DeskKind,
    /// When.
    pub at: Moment,
    /// How much.
    pub amount: Money,
    /// What is wrong and what can be done.
    pub words: String,
    /// What the payer wrote.
    pub reference: String,
    /// Who paid, in the bank's words.
    pub payer: String,
    /// The card request it may have been meant for.
    pub request: Option<EntryNumber>,
    /// Whether someone must still act.
    pub waiting: bool,
}

/// The figures of one business day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// When it began.
    pub from: Moment,
    /// When it ends.
    pub until: Moment,
    /// Counts and sums of each kind of entry.
    pub kinds: Vec<ReportLine>,
    /// Counts and sums of each store's payments.
    pub stores: Vec<ReportStore>,
    /// How many requests were refused.
    pub refused: u64,
    /// Whether every entry of the day was counted.
    pub complete: bool,
}

/// Counts and sums of one kind of entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// The kind.
    pub kind: EntryKind,
    /// How many were done.
    pub count: u64,
    /// What they moved.
    pub sum: Money,
}

/// A store's figures of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportStore {
    /// The store.
    pub store: StoreNumber,
    /// Its name.
    pub name: String,
    /// Payments.
    pub payments: u64,
    /// Their sum.
    pub paid: Money,
    /// Refunds.
    pub refunds: u64,
    /// Their sum.
    pub refunded: Money,
}

/// The center's zone and currency, which turn numbers into words.
#[derive(Debug, Clone)]
pub struct Local {
    /// The currency.
    pub currency: Currency,
    /// The time zone.
    pub zone: jiff::tz::TimeZone,
    /// Minutes after local midnight at which a business day ends.
    pub day_end: u16,
}

impl Local {
    /// An amount.
    pub fn money(&self, amount: Amount) -> Money {
        Money::of(self.currency, amount)
    }

    /// A sum.
    pub fn sum(&self, minor: i128) -> Money {
        Money::sum(self.currency, minor)
    }

    /// An instant.
    pub fn moment(&self, at: Timestamp) -> Moment {
        let text = self.zoned(at).strftime("%Y-%m-%d %H:%M:%S").to_string();
        Moment { unix_ms: at.0, text }
    }

    /// The business day that an instant belongs to.
    pub fn day(&self, at: Timestamp) -> jiff::civil::Date {
        // A day that ends at 06:00 began at 06:00 the day before and bears the earlier date.
        let late = jiff::SignedDuration::from_mins(i64::from(self.day_end % 1440));
        self.zoned(at).datetime().checked_sub(late).unwrap_or(self.zoned(at).datetime()).date()
    }

    /// When a business day begins.
    pub fn day_start(&self, day: jiff::civil::Date) -> Timestamp {
        let minutes = self.day_end % 1440;
        let hour = i8::try_from(minutes / 60).unwrap_or(0);
        let minute = i8::try_from(minutes % 60).unwrap_or(0);
        let begins = day.at(hour, minute, 0, 0).to_zoned(self.zone.clone());
        begins.map_or(Timestamp(0), |zoned| {
            Timestamp(u64::try_from(zoned.timestamp().as_millisecond()).unwrap_or(0))
        })
    }

    fn zoned(&self, at: Timestamp) -> jiff::Zoned {
        let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX).to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokyo(day_end: u16) -> Local {
        Local { currency: Currency::YEN, zone: jiff::tz::TimeZone::get("Asia/Tokyo").unwrap(), day_end }
    }

    #[test]
    fn sums_print_like_amounts_and_below_zero() {
        let euro = Currency::of_code("EUR").unwrap();
        assert_eq!(Money::sum(euro, -123_456_789).text, "-1,234,567.89 EUR");
        let amount = Amount::new(1_234_567).unwrap();
        assert_eq!(Money::sum(Currency::YEN, 1_234_567), Money::of(Currency::YEN, amount));
    }

    #[test]
    fn business_days_end_when_the_center_says() {
        let at = |text: &str| {
            let stamp: jiff::Timestamp = text.parse().unwrap();
            Timestamp(u64::try_from(stamp.as_millisecond()).unwrap())
        };
        let midnight = tokyo(1440);
        assert_eq!(midnight.day(at("2026-11-22T14:59:59Z")).to_string(), "2026-11-22");
        assert_eq!(midnight.day(at("2026-11-22T15:00:00Z")).to_string(), "2026-11-23");
        let six = tokyo(360);
        assert_eq!(six.day(at("2026-11-22T20:59:59Z")).to_string(), "2026-11-22");
        assert_eq!(six.day(at("2026-11-22T21:00:00Z")).to_string(), "2026-11-23");
        for local in [midnight, six] {
            let start = local.day_start(jiff::civil::date(2026, 11, 22));
            assert_eq!(local.day(start).to_string(), "2026-11-22");
            assert_eq!(local.day(Timestamp(start.0 - 1)).to_string(), "2026-11-21");
        }
    }
}
