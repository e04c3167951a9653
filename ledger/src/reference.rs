//! Creditor references after ISO 11649: what a payer writes, so that the money finds its card request.
//!
//! `RF`, two check digits, then `IK` and the request's entry number with at least six digits. The check digits
//! are 98 less the remainder of the rest and `RF00`, letters counted from A = 10, by 97 (ISO 7064, MOD 97-10).

use wire::id::EntryNumber;

/// What marks a reference as one of an Inkan center's.
const MARK: &str = "IK";

/// The reference of a card request, printed in groups of four: `RF66 IK00 0012`.
pub fn make(request: EntryNumber) -> String {
    let body = format!("{MARK}{:06}", request.0);
    let check = 98 - remainder(&format!("{body}RF00"));
    grouped(&format!("RF{check:02}{body}"))
}

/// The card request that a reference names. Blanks, hyphens and case do not matter; everything else must be as
/// [`make`] writes it, so that a request has one reference.
///
/// `None` where it is no such reference, or a digit of it is wrong.
pub fn parse(text: &str) -> Option<EntryNumber> {
    // A reference has at most 2 + 2 + 2 + 20 characters; nothing longer is even looked at in full.
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(27)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let digits = compact.strip_prefix("RF")?.get(2..)?.strip_prefix(MARK)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let request = EntryNumber(digits.parse().ok()?);
    (make(request).replace(' ', "") == compact).then_some(request)
}

/// The remainder by 97 of digits and letters, each letter counted as two digits from A = 10.
fn remainder(text: &str) -> u32 {
    text.chars().filter_map(|c| c.to_digit(36)).fold(0, |rest, value| {
        let shift = if value < 10 { 10 } else { 100 };
        (rest * shift + value) % 97
    })
}

fn grouped(text: &str) -> String {
    let mut printed = String::with_capacity(text.len() + text.len() / 4);
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            printed.push(' ');
        }
        printed.push(c);
    }
    printed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_iso_11649() {
        // The standard's own rule, on a reference published by European banks: RF18 5390 0754 7034.
        assert_eq!(98 - remainder("539007547034RF00"), 18);
        assert_eq!(remainder("539007547034RF18"), 1, "a whole reference leaves 1");
    }

    #[test]
    fn every_request_has_one_reference() {
        for number in [0, 1, 12, 999_999, 1_000_000, u64::MAX] {
            let reference = make(EntryNumber(number));
            assert_eq!(parse(&reference), Some(EntryNumber(number)), "{reference}");
            assert!(reference.replace(' ', "").len() <= 26);
        }
        let reference = make(EntryNumber(12));
        assert_eq!(reference.len(), "RF00 IK00 0012".len());
        assert_eq!(parse(&reference.to_lowercase().replace(' ', "-")), Some(EntryNumber(12)));
    }

    #[test]
    fn a_wrong_digit_is_noticed() {
        let reference = make(EntryNumber(123_456)).replace(' ', "");
        for at in 2..reference.len() {
            for digit in b'0'..=b'9' {
                let mut wrong = reference.clone().into_bytes();
                if wrong[at] != digit {
                    wrong[at] = digit;
                    assert_eq!(parse(std::str::from_utf8(&wrong).unwrap()), None);
                }
            }
        }
    }

    #[test]
    fn foreign_texts_name_nothing() {
        let long = "RF18IK".to_owned() + &"1".repeat(10_000);
        let texts = [
            "",
            "RF",
            "RF18",
            "RF18539007547034",
            "invoice 12",
            "RF66IK０００００１",
            "ＲＦ66",
            long.as_str(),
        ];
        for text in texts {
            assert_eq!(parse(text), None, "{text:.20}");
        }
    }
}
