//! Business days.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use ledger::request::Settings;
use wire::time::Timestamp;

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
        let zone = TimeZone::get(&settings.zone)
            .map_err(|_| format!("the time zone “{}” is unknown", settings.zone))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_days_end_when_the_center_says() {
        let day = |day_end: u16, instant: &str| {
            let calendar = Calendar { zone: TimeZone::get("Asia/Tokyo").unwrap(), day_end };
            let instant: jiff::Timestamp = instant.parse().unwrap();
            calendar.day(Timestamp(u64::try_from(instant.as_millisecond()).unwrap())).to_string()
        };
        assert_eq!(day(1440, "2026-11-22T14:59:59.999Z"), "2026-11-22");
        assert_eq!(day(1440, "2026-11-22T15:00:00Z"), "2026-11-23");
        assert_eq!(day(1080, "2026-11-22T08:59:59.999Z"), "2026-11-22");
        assert_eq!(day(1080, "2026-11-22T09:00:00Z"), "2026-11-23");
        assert_eq!(day(1560, "2026-11-22T16:59:59.999Z"), "2026-11-22");
        assert_eq!(day(1560, "2026-11-22T17:00:00Z"), "2026-11-23");
    }

    #[test]
    fn no_instant_panics() {
        let calendar = Calendar { zone: TimeZone::UTC, day_end: 0 };
        for at in [0, u64::MAX, i64::MAX as u64] {
            calendar.day(Timestamp(at));
        }
    }
}
