//! Hours, by which checkpoints are published and compared.

use std::{fmt, str::FromStr};

use crate::time::Timestamp;

/// What the extension line of an hourly checkpoint begins with; the hour follows, as in
/// `inkan/v1/hour 2026-11-22T22`.
pub const HOUR_LINE: &str = "inkan/v1/hour ";

const MS: u64 = 60 * 60 * 1000;
const HOURS_PER_DAY: u64 = 24;
/// Days from 0000-03-01 to 1970-01-01.
const ERA_SHIFT: u64 = 719_468;
/// Years are written with four digits; the last hour is that of 9999-12-31T23.
const LAST: u64 = 70_389_527;

/// An hour of UTC, counted from 1970-01-01T00; printed as `2026-11-22T22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u64);

/// Words for an hour that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an hour; it looks like 2026-11-22T22")]
pub struct HourError;

impl Hour {
    /// The hour in which an instant lies; instants after the year 9999 lie in its last hour.
    pub fn of(at: Timestamp) -> Self {
        Self((at.0 / MS).min(LAST))
    }

    /// When it begins.
    pub fn begins(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(MS))
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / HOURS_PER_DAY);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}", self.0 % HOURS_PER_DAY)
    }
}

impl FromStr for Hour {
    type Err = HourError;

    fn from_str(text: &str) -> Result<Self, HourError> {
        let digits = |from: usize, to: usize| -> Result<u64, HourError> {
            let part = text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            part.and_then(|part| part.parse().ok()).ok_or(HourError)
        };
        let (year, month, day, hour) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?, digits(11, 13)?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(HourError);
        }
        let found = Self(days(year, month, day) * HOURS_PER_DAY + hour);
        // One hour has one spelling: separators, and days that a month does not have, are caught by this.
        if found.to_string() == text { Ok(found) } else { Err(HourError) }
    }
}

/// `2026-11-22T22:31:04.123Z`: an instant as documents show it that must read the same everywhere.
pub(crate) fn instant(at: Timestamp) -> String {
    let (year, month, day) = civil(at.0 / (HOURS_PER_DAY * MS));
    let rest = at.0 % (HOURS_PER_DAY * MS);
    let (hour, minute, second) = (rest / MS, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000)
}

/// Year, month and day of a day since 1970-01-01, by the Gregorian calendar (H. Hinnant, `civil_from_days`): the year is
/// taken to begin in March, so that leap days stand at its end.
fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + ERA_SHIFT;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// The inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - ERA_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_calendar() {
        // `date -u -d 2026-11-22T22:00Z +%s` is 1795384800.
        for (seconds, text) in [
            (0, "1970-01-01T00"),
            (951_782_400, "2000-02-29T00"),
            (1_795_384_800, "2026-11-22T22"),
            (4_107_538_800, "2100-02-28T23"),
            (4_107_542_400, "2100-03-01T00"),
            (253_402_297_200, "9999-12-31T23"),
        ] {
            let hour = Hour::of(Timestamp(seconds * 1000 + 59 * 60_000));
            assert_eq!(hour.to_string(), text);
            assert_eq!(text.parse(), Ok(hour));
            assert_eq!(hour.begins(), Timestamp(seconds * 1000));
        }
        assert_eq!(instant(Timestamp(1_795_384_800_000 + 31 * 60_000 + 4_123)), "2026-11-22T22:31:04.123Z");
        assert_eq!(Hour::of(Timestamp(u64::MAX)).to_string(), "9999-12-31T23");
    }

    #[test]
    fn an_hour_has_one_spelling() {
        for wrong in [
            "2026-11-22T24",
            "2026-02-29T00",
            "2026-13-01T00",
            "2026-11-22 22",
            "2026-11-22T22 ",
            "26-11-22T22",
            "1969-12-31T23",
            "+026-11-22T22",
            "",
            "２０２６-11-22T22",
        ] {
            assert_eq!(wrong.parse::<Hour>(), Err(HourError), "{wrong}");
        }
    }
}
