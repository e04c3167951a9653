//! The one encoding: bincode 1.3 with fixed-width integers, little endian, so that a value has one encoding.
//!
//! This is the only file that names bincode. Every decode has a limit and refuses trailing bytes.

use bincode::Options;
use serde::{Serialize, de::DeserializeOwned};

/// What is encoded is seldom longer.
const ROOM: usize = 256;

/// Bytes that do not decode to what was expected.
///
/// The words come from the decoder and describe shapes, never the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {what}: {why}")]
pub struct Malformed {
    /// What was expected, as a noun.
    pub what: &'static str,
    /// What was wrong with it.
    pub why: String,
}

/// Encodes a value.
///
/// # Panics
/// Never for the types of this workspace: they hold no maps, no unsized sequences and nothing that refuses to serialise.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ROOM);
    encode_into(&mut bytes, value);
    bytes
}

/// Encodes a value behind what `bytes` hold already.
///
/// # Panics
/// As [`encode`].
pub fn encode_into<T: Serialize>(bytes: &mut Vec<u8>, value: &T) {
    // Without a limit nothing is measured beforehand: the value is gone through once.
    let options = bincode::DefaultOptions::new().with_fixint_encoding().with_no_limit();
    options.serialize_into(bytes, value).expect("wire types always serialise into memory");
}

/// Decodes a value from exactly `bytes`, which may be at most `limit` long.
pub fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8], limit: usize) -> Result<T, Malformed> {
    if bytes.len() > limit {
        return Err(Malformed { what, why: format!("{} bytes, at most {limit} are allowed", bytes.len()) });
    }
    options(limit as u64).deserialize(bytes).map_err(|error| Malformed { what, why: words(&error) })
}

fn options(limit: u64) -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_limit(limit).reject_trailing_bytes()
}

fn words(error: &bincode::Error) -> String {
    match &**error {
        bincode::ErrorKind::Io(_) => "it ends too early".into(),
        bincode::ErrorKind::SizeLimit => "it is longer than allowed".into(),
        bincode::ErrorKind::InvalidTagEncoding(tag) => format!("unknown variant {tag}"),
        bincode::ErrorKind::InvalidBoolEncoding(_) => "a yes/no value is neither".into(),
        bincode::ErrorKind::InvalidUtf8Encoding(_) | bincode::ErrorKind::InvalidCharEncoding => {
            "a text is not UTF-8".into()
        }
        bincode::ErrorKind::Custom(words) => words.clone(),
        _ => "its shape is wrong".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_encoding() {
        assert_eq!(encode(&(1u16, Some(2u64))), [1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn refuses_trailing_and_missing_bytes_and_oversized_lengths() {
        assert!(decode::<u16>("number", &[1, 0, 0], 10).unwrap_err().why.contains("remaining"));
        assert!(decode::<u16>("number", &[1], 10).unwrap_err().why.contains("ends too early"));
        assert!(decode::<u16>("number", &[1; 11], 10).unwrap_err().why.contains("at most 10"));
        let huge = u64::MAX.to_le_bytes();
        assert!(decode::<Vec<u8>>("list", &huge, 100).is_err());
        assert!(decode::<String>("list", &huge, 100).is_err());
    }
}
