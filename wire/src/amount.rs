//! Money: integer minor units of one ISO 4217 currency per center, checked arithmetic only.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::limits;

/// An amount of money in minor units (yen, cents), at most [`limits::AMOUNT`].
///
/// It carries no currency: a center has one, and the telegram that holds an amount names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(limits::AMOUNT);

    /// An amount of so many minor units, if it is within the limit.
    pub const fn new(minor: u64) -> Option<Self> {
        if minor <= limits::AMOUNT { Some(Self(minor)) } else { None }
    }

    /// The minor units.
    pub const fn minor(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, if it is within the limit.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// The difference, if it is not below zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product, if it is within the limit.
    #[must_use]
    pub fn times(self, count: u32) -> Option<Self> {
        self.0.checked_mul(u64::from(count)).and_then(Self::new)
    }

    /// The sum of many, if it is within the limit.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let minor = u64::deserialize(deserializer)?;
        Self::new(minor).ok_or_else(|| D::Error::custom("an amount above the limit"))
    }
}

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Japanese yen, the currency of a center unless its founder says otherwise.
    pub const YEN: Self = Self(iso_currency::Currency::JPY);

    /// The currency of a three-letter code such as `JPY` or `EUR`.
    pub fn of_code(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(&code.to_ascii_uppercase())?;
        currency.exponent().map(|_| Self(currency))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many digits stand behind the decimal point: 0 for yen, 2 for euro.
    pub fn digits(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }

    /// Prints an amount as `1,234` or `12.34`, without the code.
    pub fn figures(self, amount: Amount) -> String {
        let unit = 10u64.pow(self.digits());
        let mut text = grouped(amount.minor() / unit);
        if self.digits() > 0 {
            let width = self.digits() as usize;
            text.push_str(&format!(".{:0width$}", amount.minor() % unit));
        }
        text
    }

    /// Prints an amount as `1,234 JPY`.
    pub fn print(self, amount: Amount) -> String {
        format!("{} {}", self.figures(amount), self.code())
    }

    /// Prints an amount the way ISO 20022 wants it: `1234` or `12.34`, no thousands separators.
    pub fn plain(self, amount: Amount) -> String {
        self.figures(amount).replace(',', "")
    }

    /// Reads what a person or a bank wrote: `1,234`, `12.5`, `¥1,234`, `1234 JPY`.
    ///
    /// # Errors
    /// In words, when it is no amount, has more digits behind the point than the currency, or is too large.
    pub fn parse(self, text: &str) -> Result<Amount, AmountError> {
        let trimmed = text.trim();
        let upper = trimmed.to_ascii_uppercase();
        let bare =
            upper.strip_suffix(self.code()).or_else(|| upper.strip_prefix(self.code())).unwrap_or(&upper);
        let bare = bare.trim().trim_start_matches(['¥', '￥', '€', '$', '£']).trim();
        let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
        let whole: String = whole.chars().filter(|c| *c != ',').collect();
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(&whole) || !digits(fraction) {
            return Err(AmountError::NotAnAmount(trimmed.chars().take(40).collect()));
        }
        if fraction.len() > self.digits() as usize {
            return Err(AmountError::TooFine(self.digits()));
        }
        let padded = format!("{whole}{fraction:0<width$}", width = self.digits() as usize);
        let significant = padded.trim_start_matches('0');
        if significant.len() > 18 {
            return Err(AmountError::TooLarge);
        }
        let minor = if significant.is_empty() {
            0
        } else {
            significant.parse().map_err(|_| AmountError::TooLarge)?
        };
        Amount::new(minor).ok_or(AmountError::TooLarge)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(self.code());
        }
        let code: [u8; 3] = self.code().as_bytes().try_into().expect("ISO 4217 codes have three letters");
        code.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unknown = || D::Error::custom("a currency that ISO 4217 does not know");
        if deserializer.is_human_readable() {
            return Self::of_code(&String::deserialize(deserializer)?).ok_or_else(unknown);
        }
        let code = <[u8; 3]>::deserialize(deserializer)?;
        // Only the upper-case code is accepted, so that a currency has one encoding.
        let code =
            std::str::from_utf8(&code).ok().filter(|code| code.bytes().all(|b| b.is_ascii_uppercase()));
        code.and_then(Self::of_code).ok_or_else(unknown)
    }
}

/// Words for an amount that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// No amount at all.
    #[error("“{0}” is not an amount; write digits, like 1,500")]
    NotAnAmount(String),
    /// More digits behind the point than the currency has.
    #[error("too many digits behind the point; this currency has {0}")]
    TooFine(u32),
    /// Above [`limits::AMOUNT`].
    #[error("the amount is too large")]
    TooLarge,
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_by_currency() {
        let euro = Currency::of_code("eur").unwrap();
        let amount = Amount::new(1_234_567).unwrap();
        assert_eq!(Currency::YEN.print(amount), "1,234,567 JPY");
        assert_eq!(euro.print(amount), "12,345.67 EUR");
        assert_eq!(euro.plain(Amount::new(5).unwrap()), "0.05");
        for text in ["1,234,567", "¥1234567", "1234567 JPY", "jpy 1234567", " 1234567 "] {
            assert_eq!(Currency::YEN.parse(text), Ok(amount), "{text}");
        }
        assert_eq!(euro.parse("12345.67"), Ok(amount));
        assert_eq!(euro.parse("0.5").map(Amount::minor), Ok(50));
        assert_eq!(euro.parse(".5").map(Amount::minor), Ok(50));
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["", "abc", "-5", "1e9", "1 000", "١٢", ".", "0x10"] {
            assert!(matches!(Currency::YEN.parse(text), Err(AmountError::NotAnAmount(_))), "{text}");
        }
        assert_eq!(Currency::YEN.parse("1.5"), Err(AmountError::TooFine(0)));
        assert_eq!(Currency::YEN.parse("1000000000001"), Err(AmountError::TooLarge));
        assert_eq!(Currency::YEN.parse(&"9".repeat(400)), Err(AmountError::TooLarge));
    }

    #[test]
    fn never_overflows() {
        assert_eq!(Amount::MAX.plus(Amount(1)), None);
        assert_eq!(Amount::ZERO.minus(Amount(1)), None);
        assert_eq!(Amount::MAX.times(2), None);
        assert!(crate::codec::decode::<Amount>("amount", &u64::MAX.to_le_bytes(), 8).is_err());
        assert!(
            crate::codec::decode::<Currency>("currency", b"jpy", 3).is_err(),
            "one encoding per currency"
        );
    }
}
