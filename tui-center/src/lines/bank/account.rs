//! Bank accounts as people write them: an IBAN, or `bank/branch/number` where there is none (Japan).

use iban::{Iban, IbanLike as _};
use wire::{message::BankAccount, text::Line};

/// Reads an account.
///
/// # Errors
/// In words, when it is neither an IBAN with fitting check digits nor bank, branch and number.
pub fn parse(holder: &str, number: &str, bic: &str) -> Result<BankAccount, String> {
    let line = |what: &str, text: &str| Line::new(text).map_err(|error| format!("{what}: {error}"));
    let holder = line("the holder", holder)?;
    if holder.is_empty() {
        return Err("the holder's name is missing".into());
    }
    let number = line("the account", &number_of(number)?)?;
    let bic = match bic.trim() {
        "" => None,
        text => Some(line("the BIC", &bic_of(text)?)?),
    };
    Ok(BankAccount { holder, number, bic })
}

/// Whether a normalised account number is an IBAN.
pub fn is_iban(number: &str) -> bool {
    !number.contains('/')
}

fn number_of(text: &str) -> Result<String, String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if compact.contains('/') {
        let parts: Vec<&str> = compact.split('/').collect();
        let digits = |part: &&str, most: usize| {
            !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit())
        };
        return match parts.as_slice() {
            [bank, branch, number] if digits(bank, 4) && digits(branch, 3) && digits(number, 10) => {
                Ok(format!("{bank:0>4}/{branch:0>3}/{number:0>7}"))
            }
            _ => Err(
                "an account without IBAN is written bank/branch/number, all digits, like 0001/123/1234567"
                    .into(),
            ),
        };
    }
    if compact.is_empty() {
        return Err("the account number is missing".into());
    }
    let iban: Iban = compact
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| "this is neither an IBAN with fitting check digits nor bank/branch/number".to_owned())?;
    Ok(iban.electronic_str().to_owned())
}

/// A BIC (ISO 9362): four letters or digits, country, location, and perhaps three for the branch.
fn bic_of(text: &str) -> Result<String, String> {
    let bic = text.to_ascii_uppercase();
    let bytes = bic.as_bytes();
    let well_formed = matches!(bytes.len(), 8 | 11)
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && bytes[4..6].iter().all(u8::is_ascii_alphabetic);
    if well_formed { Ok(bic) } else { Err("a BIC has 8 or 11 letters and digits, like DEUTDEFF".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_and_says_what_is_wrong() {
        let parsed = parse("Kōbō", "de89 3704 0044 0532 0130 00", "deutdeff").unwrap();
        assert_eq!(parsed.number.as_str(), "DE89370400440532013000");
        assert_eq!(parsed.bic.as_deref(), Some("DEUTDEFF"));
        assert_eq!(parse("A", "1/12/123", "").unwrap().number.as_str(), "0001/012/0000123");
        assert!(is_iban("DE89370400440532013000") && !is_iban("0001/012/0000123"));
        for (holder, number, bic, words) in [
            ("", "1/1/1", "", "holder"),
            ("A", "", "", "missing"),
            ("A", "DE88370400440532013000", "", "check digits"),
            ("A", "1/2", "", "bank/branch/number"),
            ("A", "1/x/3", "", "bank/branch/number"),
            ("A", "1/2/3", "DEUT", "BIC"),
        ] {
            assert!(parse(holder, number, bic).unwrap_err().contains(words), "{holder} {number} {bic}");
        }
    }
}
