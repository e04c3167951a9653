//! The code under which a buyer takes up what a cashier sold.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::admission::CROCKFORD;

/// The letters of a code.
const LETTERS: usize = 8;

/// Forty random bits that a cashier shows or says and a buyer types. It is good for one sale until the sale's offer
/// expires, and for one buyer key; it moves no money by itself. It never prints by itself: whoever sees it first could
/// take the sale up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PickUpCode([u8; 5]);

/// Words for a code that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pick-up code has {LETTERS} letters and digits, like 7K2M-9QXD; ask the cashier to show it again")]
pub struct PickUpCodeError;

impl PickUpCode {
    /// How many letters and digits it has, without the hyphen.
    pub const LETTERS: usize = LETTERS;

    /// A fresh code from the operating system's randomness.
    pub fn generate() -> Self {
        let mut bytes = [0; 5];
        crate::key::random(&mut bytes);
        Self(bytes)
    }

    /// A code of known bytes, for tests and golden bytes.
    pub const fn of_bytes(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }

    /// The code as people type it: two groups of four.
    pub fn print(&self) -> String {
        let letters = CROCKFORD.encode(&self.0);
        let (first, second) = letters.split_at(LETTERS / 2);
        format!("{first}-{second}")
    }
}

impl FromStr for PickUpCode {
    type Err = PickUpCodeError;

    fn from_str(text: &str) -> Result<Self, PickUpCodeError> {
        // Nothing sensible is longer, and whatever is longer costs nothing.
        if text.len() > 100 {
            return Err(PickUpCodeError);
        }
        let bytes = CROCKFORD.decode(text.as_bytes()).map_err(|_| PickUpCodeError)?;
        bytes.as_slice().try_into().map(Self).map_err(|_| PickUpCodeError)
    }
}

impl fmt::Debug for PickUpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PickUpCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = PickUpCode::of_bytes([0x00, 0x44, 0x32, 0x14, 0xc7]);
        assert_eq!(code.print(), "0123-4567");
        for typed in ["0123-4567", "o123 4567", " OI234567\n", "0l23-45-67"] {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
        for wrong in
            ["", "0123", "0123-456", "0123-456U", "0123-45678", "0123-4567-89AB-CDEF", &"0".repeat(300)]
        {
            assert_eq!(wrong.parse::<PickUpCode>(), Err(PickUpCodeError), "{wrong}");
        }
        assert!(!format!("{code:?}").contains("0123"));
        let fresh = PickUpCode::generate();
        assert_eq!(fresh.print().parse(), Ok(fresh));
    }
}
