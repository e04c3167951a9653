//! Times as people read them, in one zone. The only module that names jiff.
//!
//! Everything else passes time about as milliseconds since 1970; the zone is shown once on a page, not behind every
//! time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use jiff::civil::Date;

/// A time zone to show times in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

/// A zone that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone \"{0}\"; write a name such as Asia/Tokyo or Europe/Berlin")]
pub struct NoSuchZone(String);

impl Zone {
    /// A zone by its IANA name.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn named(name: &str) -> Result<Self, NoSuchZone> {
        let zone = TimeZone::get(name).map_err(|_| NoSuchZone(name.to_owned()))?;
        Ok(Self { name: name.to_owned(), zone })
    }

    /// The zone of this machine; UTC where it doesn't say.
    pub fn local() -> Self {
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        let name = zone.iana_name().unwrap_or("local time").to_owned();
        Self { zone, name }
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }

    /// The name, to be shown once on a page.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `26/11/22`
    pub fn date(&self, unix_ms: i64) -> String {
        self.show(unix_ms, "%y/%m/%d")
    }

    /// `2026-11-22`
    pub fn iso_date(&self, unix_ms: i64) -> String {
        self.show(unix_ms, "%Y-%m-%d")
    }

    /// `16:05`
    pub fn clock(&self, unix_ms: i64) -> String {
        self.show(unix_ms, "%H:%M")
    }

    /// `16:05:09`
    pub fn clock_seconds(&self, unix_ms: i64) -> String {
        self.show(unix_ms, "%H:%M:%S")
    }

    /// `26/11/22 16:05`
    pub fn stamp(&self, unix_ms: i64) -> String {
        self.show(unix_ms, "%y/%m/%d %H:%M")
    }

    /// `2026-11-22 16:05:09 +09:00`, for what is printed and kept.
    pub fn full(&self, unix_ms: i64) -> String {
        self.show(unix_ms, "%Y-%m-%d %H:%M:%S %:z")
    }

    /// The time of day for today, the date for other days: what a narrow column of a list needs.
    pub fn brief(&self, unix_ms: i64, now_unix_ms: i64) -> String {
        if self.date(unix_ms) == self.date(now_unix_ms) { self.clock(unix_ms) } else { self.date(unix_ms) }
    }

    /// The day of a moment.
    pub fn day(&self, unix_ms: i64) -> Option<Date> {
        Some(Timestamp::from_millisecond(unix_ms).ok()?.to_zoned(self.zone.clone()).date())
    }

    /// The first millisecond of a day.
    pub fn day_start(&self, day: Date) -> Option<i64> {
        Some(day.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
    }

    fn show(&self, unix_ms: i64, format: &str) -> String {
        match Timestamp::from_millisecond(unix_ms) {
            Ok(time) => time.to_zoned(self.zone.clone()).strftime(format).to_string(),
            Err(_) => "(no date)".to_owned(),
        }
    }
}

/// Reads a date as people type it: `2026-11-22`, `2026/11/22`, `2026.11.22` or `20261122`, also in full-width digits.
pub fn read_date(typed: &str) -> Option<Date> {
    let plain: String = crate::text::plain_number(typed);
    let parts: Vec<&str> = if plain.len() == 8 && plain.bytes().all(|b| b.is_ascii_digit()) {
        vec![&plain[..4], &plain[4..6], &plain[6..]]
    } else {
        plain.split(['-', '/', '.']).collect()
    };
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_their_zone() {
        let zone = Zone::named("Asia/Tokyo").expect("a zone");
        let ms = 1_795_363_509_000;
        assert_eq!(zone.stamp(ms), "26/11/23 01:05");
        assert_eq!(zone.full(ms), "2026-11-23 01:05:09 +09:00");
        assert_eq!(zone.brief(ms, ms), "01:05");
        assert_eq!(zone.brief(ms, ms + 86_400_000), "26/11/23");
        assert_eq!(Zone::utc().clock_seconds(ms), "16:05:09");
        assert_eq!(Zone::utc().date(i64::MAX), "(no date)");
        let day = zone.day(ms).expect("in range");
        assert_eq!(
            zone.day_start(day).map(|start| zone.full(start)).as_deref(),
            Some("2026-11-23 00:00:00 +09:00")
        );
        assert!(Zone::named("Mars/Olympus").is_err());
    }

    #[test]
    fn dates_are_read_as_typed() {
        let expected = Date::new(1990, 2, 3).ok();
        for typed in
            ["1990-02-03", "1990/2/3", "19900203", "1990.02.03", "１９９０-０２-０３", " 1990-02-03 "]
        {
            assert_eq!(read_date(typed), expected, "{typed}");
        }
        for wrong in ["", "1990", "90-02-03", "1990-13-01", "1990-02-30", "1990-02-03-04", "x"] {
            assert_eq!(read_date(wrong), None, "{wrong}");
        }
    }
}
