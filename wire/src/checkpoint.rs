//! Checkpoints: the center's signature over the size and root of its tree.
//!
//! A checkpoint is a C2SP [signed note](https://c2sp.org/signed-note) whose text is a
//! [tlog-checkpoint](https://c2sp.org/tlog-checkpoint):
//!
//! ```text
//! inkan.example/log
//! 1024
//! q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=
//!
//! — inkan.example/log H6yavs4d28tvvvtZowc2KW4JzJTrbupCbPrE0VlHzGg2Lkwp5+2ASQAJquNFl2c3cvaZpuiM1Nq0vHiWz7/YYlZGjAM=
//! ```
//!
//! The origin names the log. Lines of others (co-signers) may stand below the center's own; they are kept and not
//! looked at.
//!
//! Once an hour the center publishes one with an extension line that names the hour, in UTC, below the root; the
//! signature covers it:
//!
//! ```text
//! inkan/v1/hour 2026-11-22T22
//! ```
//!
//! There is one such note per hour for good, so that two of one hour that differ prove a forked journal by themselves.

mod hour;

use std::{fmt, str::FromStr, sync::Arc};

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    id::Digest,
    key::{Signature, SigningKey, VerificationKey},
    limits,
    text::Line,
};

pub(crate) use hour::instant;
pub use hour::{HOUR_LINE, Hour, HourError};

/// The most signature lines that a note may bear.
pub const SIGNATURES: usize = 16;

/// The signature type of Ed25519 in a signed note's key id.
const ED25519: u8 = 1;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "— ";

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name; not empty. In the signature line, blanks and plus signs of the origin stand as `_`, because
    /// a key name may hold neither.
    pub origin: Line,
    /// How many leaves the tree has.
    pub size: u64,
    /// The tree's root.
    pub root: Digest,
}

impl Checkpoint {
    /// The text that is signed: three lines, each ended by a line feed.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(&self.root.0))
    }
}

/// Why a note is no checkpoint, or not the one it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note with a checkpoint in it; what is wrong follows.
    #[error("not a checkpoint: {0}")]
    Form(&'static str),
    /// No line of this key under this origin.
    #[error("the checkpoint does not bear the signature of the expected key")]
    NotSigned,
    /// A line of this key, but the signature is false.
    #[error("the checkpoint's signature does not fit its text")]
    BadSignature,
}

/// A well-formed signed checkpoint; nothing is verified until [`SignedCheckpoint::verify`] says so.
///
/// It serialises as its text and is checked for form when it is decoded.
///
/// Cheap to clone: every receipt of a batch bears the same.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedCheckpoint(Arc<Note>);

#[derive(PartialEq, Eq)]
struct Note {
    text: String,
    claimed: Checkpoint,
    hour: Option<Hour>,
}

impl SignedCheckpoint {
    /// Signs a checkpoint. One with an empty origin is accepted by nobody.
    pub fn sign(checkpoint: &Checkpoint, key: &SigningKey) -> Self {
        Self::sign_body(checkpoint, None, checkpoint.body(), key)
    }

    /// Signs the checkpoint that is published for an hour. There must never be another for the same hour.
    pub fn sign_hour(checkpoint: &Checkpoint, hour: Hour, key: &SigningKey) -> Self {
        let body = format!("{}{HOUR_LINE}{hour}\n", checkpoint.body());
        Self::sign_body(checkpoint, Some(hour), body, key)
    }

    fn sign_body(checkpoint: &Checkpoint, hour: Option<Hour>, body: String, key: &SigningKey) -> Self {
        let name = key_name(&checkpoint.origin);
        let mut blob = key_id(&name, &key.verification_key()).to_vec();
        blob.extend_from_slice(&key.sign(body.as_bytes()).0);
        let note = format!("{body}\n{DASH}{name} {}\n", BASE64.encode(&blob));
        Self(Arc::new(Note { text: note, claimed: checkpoint.clone(), hour }))
    }

    /// Reads a note, without believing it.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let form = CheckpointError::Form;
        if note.len() > limits::NOTE {
            return Err(form("it is longer than allowed"));
        }
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(form("it has control characters"));
        }
        let (text, signatures) =
            split(note).ok_or(form("text and signatures are not parted by an empty line"))?;
        let (claimed, hour) = parse_text(text)?;
        let lines = signatures.strip_suffix('\n').ok_or(form("its last line has no end"))?;
        if lines.split('\n').count() > SIGNATURES {
            return Err(form("it has too many signatures"));
        }
        for line in lines.split('\n') {
            parse_signature(line).ok_or(form("a signature line is malformed"))?;
        }
        Ok(Self(Arc::new(Note { text: note.to_owned(), claimed, hour })))
    }

    /// The note's text, as it is stored and published.
    pub fn note(&self) -> &str {
        &self.0.text
    }

    /// What the note claims, unverified: good for choosing whom and what to ask, never for believing.
    pub fn claimed(&self) -> &Checkpoint {
        &self.0.claimed
    }

    /// The hour that the note claims to be published for; none in all others. Unverified like [`SignedCheckpoint::claimed`],
    /// and signed like it.
    pub fn hour(&self) -> Option<Hour> {
        self.0.hour
    }

    /// What the note says, if it bears `key`'s signature under its origin. Whether the origin is the expected one is
    /// for the caller to compare.
    pub fn verify(&self, key: &VerificationKey) -> Result<Checkpoint, CheckpointError> {
        let name = key_name(&self.0.claimed.origin);
        let id = key_id(&name, key);
        let (text, signatures) = split(&self.0.text).ok_or(CheckpointError::Form("it has no signatures"))?;
        let mut refusal = CheckpointError::NotSigned;
        for (signer, blob) in signatures.lines().filter_map(parse_signature) {
            let Some((found, signature)) = blob.split_first_chunk::<4>() else { continue };
            let Ok(signature) = <[u8; 64]>::try_from(signature) else { continue };
            if signer != name || *found != id {
                continue;
            }
            if key.verify(text.as_bytes(), &Signature(signature)).is_ok() {
                return Ok(self.0.claimed.clone());
            }
            refusal = CheckpointError::BadSignature;
        }
        Err(refusal)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignedCheckpoint").field(&self.0.claimed).finish()
    }
}

impl FromStr for SignedCheckpoint {
    type Err = CheckpointError;

    fn from_str(note: &str) -> Result<Self, CheckpointError> {
        Self::parse(note)
    }
}

impl Serialize for SignedCheckpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.text)
    }
}

impl<'de> Deserialize<'de> for SignedCheckpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Text, with its last line feed, and signature lines: parted at the last empty line, as the note's format demands.
fn split(note: &str) -> Option<(&str, &str)> {
    let at = note.rfind("\n\n")?;
    Some((&note[..=at], &note[at + 2..]))
}

/// Further lines below the root are extensions; readers pass over those that they don't know, and the signature covers
/// them. An hour must stand there once and be well written.
fn parse_text(text: &str) -> Result<(Checkpoint, Option<Hour>), CheckpointError> {
    let form = CheckpointError::Form;
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (name, size, root) = (line(), line(), line());
    let origin = Line::new(name).map_err(|_| form("its origin is too long"))?;
    if name.is_empty() || origin.as_str() != name {
        return Err(form("its origin is empty or not plain text"));
    }
    let plain = !size.is_empty()
        && size.bytes().all(|b| b.is_ascii_digit())
        && (size == "0" || !size.starts_with('0'));
    let size = size.parse().ok().filter(|_| plain).ok_or(form("its size is not a number"))?;
    let root = BASE64.decode(root.as_bytes()).ok().and_then(|root| root.try_into().ok());
    let root = Digest(root.ok_or(form("its root is not 32 bytes in base64"))?);
    let mut hours = lines.filter_map(|line| line.strip_prefix(HOUR_LINE));
    let hour = hours.next().map(str::parse).transpose().map_err(|HourError| form("its hour is malformed"))?;
    if hours.next().is_some() {
        return Err(form("it names more than one hour"));
    }
    Ok((Checkpoint { origin, size, root }, hour))
}

/// The key name of a signature line and the decoded rest: key id and signature, of whatever kind.
fn parse_signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, blob) = line.strip_prefix(DASH)?.split_once(' ')?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
        return None;
    }
    let blob = BASE64.decode(blob.as_bytes()).ok()?;
    (blob.len() > 4).then_some((name, blob))
}

fn key_name(origin: &str) -> String {
    origin.replace(|c: char| c.is_whitespace() || c == '+', "_")
}

/// The first four bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)`.
fn key_id(name: &str, key: &VerificationKey) -> [u8; 4] {
    let [a, b, c, d, ..] = Digest::of(&[name.as_bytes(), b"\n", &[ED25519], &key.0]).0;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> (Checkpoint, SigningKey) {
        let mut root = [0; 32];
        for (at, byte) in root.iter_mut().enumerate() {
            *byte = [0xab, 0xcd, 0xef, 0x12, 0x34, 0x56, 0x78, 0x90][at % 8];
        }
        let origin = Line::new("inkan.example/log").unwrap();
        (Checkpoint { origin, size: 1024, root: Digest(root) }, SigningKey::from_seed(&[7; 32]))
    }

    #[test]
    fn key_ids_and_signatures_are_those_of_the_first_implementation() {
        // golang.org/x/mod/sumdb/note, package example: the note and key of PeterNeumann.
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let blob = BASE64.decode(key.rsplit('+').next().unwrap().as_bytes()).unwrap();
        assert_eq!(blob[0], ED25519);
        let key = VerificationKey(blob[1..].try_into().unwrap());
        assert_eq!(key_id("PeterNeumann", &key), [0xc7, 0x4f, 0x20, 0xa3]);
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let line = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let (name, blob) = parse_signature(line).unwrap();
        assert_eq!((name, &blob[..4]), ("PeterNeumann", &[0xc7, 0x4f, 0x20, 0xa3][..]));
        assert_eq!(key.verify(text.as_bytes(), &Signature(blob[4..].try_into().unwrap())), Ok(()));
    }

    #[test]
    fn a_signed_checkpoint_is_the_note_worked_out_by_hand() {
        let (checkpoint, key) = example();
        let text = "inkan.example/log\n1024\nq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n";
        assert_eq!(checkpoint.body(), text);
        let mut preimage = b"inkan.example/log\n\x01".to_vec();
        preimage.extend_from_slice(&key.verification_key().0);
        let mut blob = Digest::of(&[&preimage]).0[..4].to_vec();
        blob.extend_from_slice(&key.sign(text.as_bytes()).0);
        let expected = format!("{text}\n\u{2014} inkan.example/log {}\n", BASE64.encode(&blob));
        let signed = SignedCheckpoint::sign(&checkpoint, &key);
        assert_eq!(signed.note(), expected);
        // The signature that OpenSSL makes with the same seed over the same text.
        let golden = "\u{2014} inkan.example/log H6yavs4d28tvvvtZowc2KW4JzJTrbupCbPrE0VlHzGg2Lkwp5+2ASQAJquNFl2c3cvaZpuiM1Nq0vHiWz7/YYlZGjAM=";
        assert_eq!(signed.note().lines().last().unwrap(), golden);
        assert_eq!(
            SignedCheckpoint::parse(&expected).unwrap().verify(&key.verification_key()),
            Ok(checkpoint.clone())
        );
    }

    #[test]
    fn another_key_another_text_and_no_signature_are_told_apart() {
        let (checkpoint, key) = example();
        let signed = SignedCheckpoint::sign(&checkpoint, &key);
        let other = SigningKey::from_seed(&[8; 32]).verification_key();
        assert_eq!(signed.verify(&other), Err(CheckpointError::NotSigned));
        let altered = SignedCheckpoint::parse(&signed.note().replace("1024", "1025")).unwrap();
        assert_eq!(altered.verify(&key.verification_key()), Err(CheckpointError::BadSignature));
    }

    #[test]
    fn co_signers_and_extensions_are_tolerated_and_bounded() {
        let (checkpoint, key) = example();
        let signed = SignedCheckpoint::sign(&checkpoint, &key);
        let witness = format!("{DASH}witness.example {}\n", BASE64.encode(&[9; 80]));
        let more =
            SignedCheckpoint::parse(&format!("{}{}", signed.note(), witness.repeat(SIGNATURES - 1))).unwrap();
        assert_eq!(more.verify(&key.verification_key()), Ok(checkpoint.clone()));
        let crowd = format!("{}{}", signed.note(), witness.repeat(SIGNATURES));
        assert!(SignedCheckpoint::parse(&crowd).is_err());

        let text = format!("{}extension\n", checkpoint.body());
        let mut blob = key_id("inkan.example/log", &key.verification_key()).to_vec();
        blob.extend_from_slice(&key.sign(text.as_bytes()).0);
        let note = format!("{text}\n{DASH}inkan.example/log {}\n", BASE64.encode(&blob));
        assert_eq!(
            SignedCheckpoint::parse(&note).unwrap().verify(&key.verification_key()),
            Ok(checkpoint.clone())
        );
    }

    #[test]
    fn an_hour_stands_in_an_extension_line_and_under_the_signature() {
        let (checkpoint, key) = example();
        let hour: Hour = "2026-11-22T22".parse().unwrap();
        let signed = SignedCheckpoint::sign_hour(&checkpoint, hour, &key);
        assert!(signed.note().starts_with(&format!("{}inkan/v1/hour 2026-11-22T22\n\n", checkpoint.body())));
        let read = SignedCheckpoint::parse(signed.note()).unwrap();
        assert_eq!((read.hour(), read.verify(&key.verification_key())), (Some(hour), Ok(checkpoint.clone())));
        assert_eq!(SignedCheckpoint::sign(&checkpoint, &key).hour(), None);
        let altered = SignedCheckpoint::parse(&signed.note().replace("T22", "T21")).unwrap();
        assert_eq!(altered.verify(&key.verification_key()), Err(CheckpointError::BadSignature));
        for (from, to) in [("T22\n", "T25\n"), ("T22\n", "T22\ninkan/v1/hour 2026-11-22T23\n")] {
            assert!(SignedCheckpoint::parse(&signed.note().replacen(from, to, 1)).is_err(), "{to}");
        }
    }

    #[test]
    fn an_origin_with_blanks_still_makes_a_valid_note() {
        let (checkpoint, key) = example();
        let checkpoint = Checkpoint { origin: Line::new("Inkan center + books").unwrap(), ..checkpoint };
        let signed = SignedCheckpoint::sign(&checkpoint, &key);
        let again = SignedCheckpoint::parse(signed.note()).unwrap();
        assert_eq!(again, signed);
        assert_eq!(again.verify(&key.verification_key()), Ok(checkpoint.clone()));
    }

    #[test]
    fn malformed_notes_are_refused_in_words() {
        let (checkpoint, key) = example();
        let note = SignedCheckpoint::sign(&checkpoint, &key).note().to_owned();
        for (wrong, words) in [
            (String::new(), "parted"),
            (note.replace("\n\n", "\n"), "parted"),
            (note.trim_end().to_owned(), "no end"),
            (note.replace("1024", "01024"), "size"),
            (note.replace("1024", "+1024"), "size"),
            (note.replace("1024", "18446744073709551616"), "size"),
            (note.replace("q83v", "q8"), "root"),
            (note.replacen("inkan.example/log", "", 1), "origin"),
            (note.replacen("inkan.example/log", " inkan", 1), "origin"),
            (note.replacen("inkan", "in\u{1b}[1m", 1), "control"),
            (note.replacen("inkan", "in\u{202e}", 1), "origin"),
            (note.replace(DASH, "- "), "signature line"),
            (format!("{note}{DASH}x AAAA\n"), "signature line"),
            (format!("{note}{}", "x".repeat(limits::NOTE)), "longer"),
        ] {
            let error = SignedCheckpoint::parse(&wrong).unwrap_err();
            assert!(error.to_string().contains(words), "{wrong:?}: {error}");
        }
    }

    #[test]
    fn it_serialises_as_its_text_and_is_checked_when_decoded() {
        let (checkpoint, key) = example();
        let signed = SignedCheckpoint::sign(&checkpoint, &key);
        let bytes = crate::codec::encode(&signed);
        assert_eq!(bytes, crate::codec::encode(&signed.note().to_owned()));
        assert_eq!(crate::codec::decode::<SignedCheckpoint>("checkpoint", &bytes, 5_000).unwrap(), signed);
        let json = serde_json::to_string(&signed).unwrap();
        assert_eq!(serde_json::from_str::<SignedCheckpoint>(&json).unwrap(), signed);
        let foreign = crate::codec::encode(&"words".to_owned());
        assert!(crate::codec::decode::<SignedCheckpoint>("checkpoint", &foreign, 5_000).is_err());
    }

    proptest! {
        #[test]
        fn no_note_panics(note in "(\\PC{0,20}\n){0,6}(\n)?(— )?\\PC{0,60}\n?") {
            if let Ok(parsed) = SignedCheckpoint::parse(&note) {
                prop_assert_eq!(parsed.note(), &note);
                prop_assert!(parsed.verify(&VerificationKey([1; 32])).is_err());
            }
        }

        #[test]
        fn what_is_signed_verifies(size: u64, root: [u8; 32], origin in "[a-z+ ]{1,40}[a-z]") {
            let checkpoint = Checkpoint { origin: Line::new(&origin).unwrap(), size, root: Digest(root) };
            let key = SigningKey::from_seed(&root);
            let signed = SignedCheckpoint::sign(&checkpoint, &key);
            let parsed = SignedCheckpoint::parse(signed.note()).unwrap();
            prop_assert_eq!(parsed.verify(&key.verification_key()), Ok(checkpoint));
        }
    }
}
