//! What inquiries answer: plain data for tables, details and JSON.
//!
//! Amounts and times carry the words beside the number, so that whoever shows them needs neither currency nor zone.

mod joining;

use ledger::{Calendar, request::Settings};
use serde::{Deserialize, Serialize};
use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, CardNumber, EntryNumber, MemberNumber, StoreNumber},
    payload::KeyRole,
    receipt::EntryKind,
    sheet::Invitation,
    time::Timestamp,
};

pub use self::joining::{ApplicationDetail, ApplicationRow, BuildRow, Sameness};
use super::verify::Verifying;
use crate::{backup::schedule::BackupView, guard::GuardCounts};

/// An amount with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; below zero where an account is overdrawn. Sums beyond `i64` stay at its bounds.
    pub minor: i64,
    /// As people write it: `1,500 JPY`.
    pub text: String,
}

impl Money {
    /// An amount in a currency.
    pub fn of(currency: Currency, amount: Amount) -> Self {
        Self { minor: saturated(i128::from(amount.minor())), text: currency.print(amount) }
    }

    /// A sum that may be larger than any single amount, or below zero.
    pub fn sum(currency: Currency, minor: i128) -> Self {
        let unit = 10u128.pow(currency.digits());
        let absolute = minor.unsigned_abs();
        let whole = absolute / unit;
        let mut figures = String::new();
        let digits = whole.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                figures.push(',');
            }
            figures.push(digit);
        }
        if currency.digits() > 0 {
            figures.push_str(&format!(".{:0width$}", absolute % unit, width = currency.digits() as usize));
        }
        let sign = if minor < 0 { "-" } else { "" };
        Self { minor: saturated(minor), text: format!("{sign}{figures} {}", currency.code()) }
    }
}

/// An invitation in JSON is the line that people hand on.
pub mod printed {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use wire::sheet::Invitation;

    /// Prints it.
    pub fn serialize<S: Serializer>(invitation: &Invitation, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(invitation)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Invitation, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn saturated(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
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
    #[serde(with = "printed")]
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
    /// How old the last proved backup is.
    pub backup: BackupView,
    /// How many entries the journal has.
    pub entries: u64,
    /// How verifying the books stands.
    pub verifying: Verifying,
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
    /// Applications that wait for a decision.
    pub applications: u64,
    /// Acts that wait for a second operator.
    pub proposals: u64,
    /// Mail and letters that failed for good and need an operator.
    pub post: u64,
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
    /// What the bank told and the books could not take.
    Refused,
    /// A transfer that the bank executed after it had said that it would not.
    PaidLate,
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
    /// Acts for which four eyes are off at present, because a single operator has the role for them.
    pub four_eyes_off: Vec<String>,
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

/// The center's calendar and currency, which turn numbers into words.
#[derive(Debug, Clone)]
pub struct Local {
    currency: Currency,
    zone: jiff::tz::TimeZone,
    calendar: Calendar,
    day_end: u16,
}

impl Local {
    /// As the founding fixed it.
    ///
    /// # Errors
    /// In words, when this machine does not know the zone.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let calendar = Calendar::new(settings)?;
        let zone = jiff::tz::TimeZone::get(&settings.zone).map_err(|error| error.to_string())?;
        Ok(Self { currency: settings.currency, zone, calendar, day_end: settings.day_end })
    }

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
        let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
        let instant = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
        let text = instant.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
        Moment { unix_ms: at.0, text }
    }

    /// The business day that an instant belongs to; see [`Calendar::day`].
    pub fn day(&self, at: Timestamp) -> jiff::civil::Date {
        self.calendar.day(at)
    }

    /// When a business day begins: where the one before it ended.
    pub fn day_start(&self, day: jiff::civil::Date) -> Timestamp {
        let shift = jiff::SignedDuration::from_mins(i64::from(self.day_end) - 1440);
        let begins = day.at(0, 0, 0, 0).checked_add(shift).and_then(|wall| wall.to_zoned(self.zone.clone()));
        begins.map_or(Timestamp(0), |zoned| {
            Timestamp(u64::try_from(zoned.timestamp().as_millisecond()).unwrap_or(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_print_like_amounts_and_below_zero() {
        let euro = Currency::of_code("EUR").unwrap();
        assert_eq!(Money::sum(euro, -123_456_789).text, "-1,234,567.89 EUR");
        let amount = Amount::new(1_234_567).unwrap();
        assert_eq!(Money::sum(Currency::YEN, 1_234_567), Money::of(Currency::YEN, amount));
    }

    #[test]
    fn a_business_day_begins_where_the_one_before_ends() {
        for day_end in [1440, 1080, 390] {
            let settings = Settings {
                center: wire::id::CenterId([0; 32]),
                name: "Garden Club".into(),
                currency: Currency::YEN,
                zone: "Asia/Tokyo".into(),
                day_end,
                card_least: Amount::ZERO,
                card_most: Amount::MAX,
                funding_ms: 1,
                refusals_per_minute: 1,
            };
            let local = Local::new(&settings).unwrap();
            let start = local.day_start(jiff::civil::date(2026, 11, 22));
            assert_eq!(local.day(start).to_string(), "2026-11-22", "{day_end}");
            assert_eq!(local.day(Timestamp(start.0 - 1)).to_string(), "2026-11-21", "{day_end}");
        }
    }
}
