//! Evidence that a center contradicts itself: two checkpoints that it signed and that can't both be of one journal.
//!
//! | finding | proof by itself |
//! |---|---|
//! | one size, two roots | yes |
//! | one hour, two journals | yes: a center publishes one checkpoint per hour for good |
//! | a later hour, fewer entries | yes: a journal only grows |
//! | a larger journal that the center does not join to the smaller | no: whoever holds both may ask the center again |
//!
//! Where the last is found, what the center answered stands beside the two notes. Both notes and the key sheet are signed,
//! so a file that holds them convinces whoever knows the root key, without this house's programs or any network.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    bounded::List,
    checkpoint::{Checkpoint, SignedCheckpoint},
    id::Digest,
    key::VerificationKey,
    merkle::{self, PROOF_DIGESTS},
    receipt::Check,
    sheet::KeySheet,
    telegram::Telegram,
    text::Prose,
    time::Timestamp,
};

/// The schema of an evidence file.
pub const SCHEMA: &str = "inkan/evidence/1";
/// The longest file that is read, in bytes.
pub const FILE_BYTES: usize = 1 << 20;

/// What a center answered when it was asked to join two of its checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answered {
    /// It was not asked: nothing could join them.
    NotAsked,
    /// It said in words that it does not.
    Refused(Prose),
    /// It gave a consistency proof, which proves nothing.
    Wrong(List<Digest, PROOF_DIGESTS>),
}

/// What two checkpoints of one journal say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// One size, two roots.
    SameSize,
    /// One hour, two journals.
    SameHour,
    /// A later hour, fewer entries.
    Backwards,
}

/// The evidence, as a file holds it; in which notation is for the programs to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was found, by the finder's clock.
    pub at: Timestamp,
    /// The newest key sheet of the center.
    pub sheet: Telegram,
    /// The checkpoint of the smaller journal, or the one that was known before.
    pub first: SignedCheckpoint,
    /// The other.
    pub second: SignedCheckpoint,
    /// What the center answered.
    pub answered: Answered,
}

/// What two checkpoints, taken as verified, say that can't be true of one journal; `None` where a proof can join them,
/// or where they are of two journals by their own words.
pub fn contradiction(a: &SignedCheckpoint, b: &SignedCheckpoint) -> Option<Finding> {
    let (of_a, of_b) = (a.claimed(), b.claimed());
    if of_a.origin != of_b.origin {
        return None;
    }
    let differ = (of_a.size, of_a.root) != (of_b.size, of_b.root);
    let by_hour = a.hour().zip(b.hour()).and_then(|(hour_a, hour_b)| {
        let backwards = hour_a < hour_b && of_a.size > of_b.size || hour_b < hour_a && of_b.size > of_a.size;
        if hour_a == hour_b && differ {
            Some(Finding::SameHour)
        } else {
            backwards.then_some(Finding::Backwards)
        }
    });
    if of_a.size == of_b.size && differ { Some(Finding::SameSize) } else { by_hour }
}

impl Evidence {
    /// Evidence of two checkpoints, in the order in which they were known.
    pub fn new(
        sheet: Telegram,
        first: SignedCheckpoint,
        second: SignedCheckpoint,
        answered: Answered,
        at: Timestamp,
    ) -> Self {
        Self { schema: SCHEMA.into(), at, sheet, first, second, answered }
    }

    /// What the two notes prove by themselves, if they bear the center's signature; nothing where the center was asked to
    /// join them and did not.
    pub fn finding(&self) -> Option<Finding> {
        contradiction(&self.first, &self.second)
    }

    /// The same for two holders of the same evidence, whenever they found it: the digest of the two notes.
    pub fn digest(&self) -> Digest {
        let mut notes = [self.first.note(), self.second.note()];
        notes.sort_unstable();
        Digest::of(&[b"inkan/v1/evidence", notes[0].as_bytes(), b"\0", notes[1].as_bytes()])
    }

    /// A name for the file that holds it.
    pub fn file_name(&self) -> String {
        format!("contradiction-{}.json", self.digest().short())
    }

    /// Looks at everything under a pinned root key; each check is named. The center is convicted only if every outcome is
    /// `Ok`.
    pub fn checks(&self, root: &VerificationKey) -> Vec<Check> {
        let sheet = KeySheet::verify(&self.sheet, root).map_err(|error| error.to_string());
        let signed = |note: &SignedCheckpoint| match &sheet {
            Ok(sheet) => verify(note, sheet).map(|found| said(note, &found)),
            Err(_) => Err("no key sheet to verify it under".to_owned()),
        };
        let first = Check { name: "first checkpoint", outcome: signed(&self.first) };
        let second = Check { name: "second checkpoint", outcome: signed(&self.second) };
        let named = |sheet: &KeySheet| {
            format!("sheet {} is signed by the root key {}", sheet.number, root.fingerprint())
        };
        let sheet = Check { name: "key sheet", outcome: sheet.as_ref().map(named).map_err(Clone::clone) };
        vec![sheet, first, second, Check { name: "contradiction", outcome: self.contradicts() }]
    }

    fn contradicts(&self) -> Result<String, String> {
        if self.finding().is_some() {
            return Ok(format!("{self}: both can't be of one journal"));
        }
        let (first, second) = (self.first.claimed(), self.second.claimed());
        if first.origin != second.origin {
            return Err("the two are of two journals by their own words".into());
        }
        let (old, new) = if first.size <= second.size { (first, second) } else { (second, first) };
        if old == new {
            return Err("the two say the same".into());
        }
        let why = match &self.answered {
            Answered::NotAsked => "the center was not asked to join them".to_owned(),
            Answered::Refused(words) => format!("the center was asked to join them, and said: {words}"),
            Answered::Wrong(proof) => {
                match merkle::verify_consistency(old.size, new.size, proof, &old.root, &new.root) {
                    Ok(()) => return Err("the proof beside them joins them; nothing is wrong".into()),
                    Err(error) => format!("the center was asked to join them, and {error}"),
                }
            }
        };
        Err(format!(
            "they don't contradict each other by themselves; {why}. Ask the center in public to join these two"
        ))
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = (self.first.claimed(), self.second.claimed());
        match self.finding() {
            Some(Finding::SameSize) => {
                write!(f, "the center has signed two different journals of {} entries", first.size)
            }
            Some(Finding::SameHour) => {
                let hour = self.first.hour().map(|hour| hour.to_string()).unwrap_or_default();
                write!(f, "the center has published two different journals for the hour {hour}")
            }
            Some(Finding::Backwards) => {
                let [earlier, later] = match self.first.hour() <= self.second.hour() {
                    true => [first, second],
                    false => [second, first],
                };
                write!(
                    f,
                    "the center has published a journal of {} entries, and for a later hour one of {}",
                    earlier.size, later.size
                )
            }
            None if second.size < first.size => write!(
                f,
                "the center's journal has {} entries, but it had signed {} before",
                second.size, first.size
            ),
            None => {
                let (old, new) = (first.size.min(second.size), first.size.max(second.size));
                write!(
                    f,
                    "the center does not prove that its journal of {new} entries goes on from the one of {old}"
                )
            }
        }
    }
}

/// Verifies a note under a key sheet.
///
/// # Errors
/// What does not hold, in words.
pub fn verify(note: &SignedCheckpoint, sheet: &KeySheet) -> Result<Checkpoint, String> {
    let key = sheet.signer_of(note.claimed())?;
    note.verify(&key).map_err(|error| error.to_string())
}

fn said(note: &SignedCheckpoint, checkpoint: &Checkpoint) -> String {
    let hour = note.hour().map(|hour| format!(" for the hour {hour}")).unwrap_or_default();
    format!("the center signed a journal of {} entries{hour}", checkpoint.size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::SigningKey,
        merkle::Tree,
        sheet::{SheetKey, SheetRole},
        text::Line,
    };

    fn root() -> SigningKey {
        SigningKey::from_seed(&[1; 32])
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&[2; 32])
    }

    fn sheet() -> Telegram {
        let listed = SheetKey {
            role: SheetRole::Checkpoint,
            key: key().verification_key(),
            from_size: 0,
            until_size: None,
        };
        let sheet = KeySheet {
            number: 1,
            center: root().verification_key().center(),
            log_origin: Line::new("test/log").unwrap(),
            keys: List::first([listed]),
            breaks: List::default(),
        };
        sheet.sign(&root())
    }

    fn tree(leaves: &[u8]) -> Tree {
        let mut tree = Tree::new();
        leaves.iter().for_each(|leaf| tree.push(merkle::leaf_hash(&[*leaf])));
        tree
    }

    fn note(leaves: &[u8], hour: Option<&str>, key: &SigningKey) -> SignedCheckpoint {
        let tree = tree(leaves);
        let checkpoint =
            Checkpoint { origin: Line::new("test/log").unwrap(), size: tree.size(), root: tree.root() };
        match hour {
            Some(hour) => SignedCheckpoint::sign_hour(&checkpoint, hour.parse().unwrap(), key),
            None => SignedCheckpoint::sign(&checkpoint, key),
        }
    }

    fn outcomes(first: SignedCheckpoint, second: SignedCheckpoint, answered: Answered) -> Vec<bool> {
        let evidence = Evidence::new(sheet(), first, second, answered, Timestamp(5));
        evidence.checks(&root().verification_key()).iter().map(|check| check.outcome.is_ok()).collect()
    }

    #[test]
    fn what_two_notes_prove_by_themselves_is_told_from_what_they_do_not() {
        let (k, h1, h2) = (key(), Some("2026-11-22T21"), Some("2026-11-22T22"));
        for (first, second, finding) in [
            (note(&[1, 2], None, &k), note(&[1, 3], None, &k), Some(Finding::SameSize)),
            (note(&[1, 2], h1, &k), note(&[1, 3], h2, &k), Some(Finding::SameSize)),
            (note(&[1, 2], h1, &k), note(&[1, 2, 3], h1, &k), Some(Finding::SameHour)),
            (note(&[1, 2, 3], h1, &k), note(&[1, 2], h2, &k), Some(Finding::Backwards)),
            (note(&[1, 2], h2, &k), note(&[1, 2, 3], h1, &k), Some(Finding::Backwards)),
            (note(&[1, 2], h1, &k), note(&[1, 2], h2, &k), None),
            (note(&[1, 2], h1, &k), note(&[1, 2], None, &k), None),
            (note(&[1, 2], h1, &k), note(&[1, 2, 3], h2, &k), None),
            (note(&[1, 2, 3], None, &k), note(&[1, 2], None, &k), None),
        ] {
            assert_eq!(contradiction(&first, &second), finding, "{first:?} {second:?}");
            let proves = outcomes(first, second, Answered::NotAsked);
            assert_eq!(proves, [true, true, true, finding.is_some()]);
        }
    }

    #[test]
    fn a_note_of_another_key_convicts_nobody() {
        let stranger = SigningKey::from_seed(&[9; 32]);
        let forged = note(&[1, 3], None, &stranger);
        assert_eq!(
            outcomes(note(&[1, 2], None, &key()), forged, Answered::NotAsked),
            [true, true, false, true]
        );
        let evidence = Evidence::new(
            sheet(),
            note(&[1, 2], None, &key()),
            note(&[1, 3], None, &key()),
            Answered::NotAsked,
            Timestamp(5),
        );
        let checks = evidence.checks(&stranger.verification_key());
        assert!(checks[0].outcome.is_err() && checks[1].outcome.is_err());
    }

    #[test]
    fn a_proof_that_joins_two_notes_clears_the_center_and_one_that_does_not_is_told() {
        let (old, new) = (note(&[1, 2], None, &key()), note(&[1, 2, 3], None, &key()));
        let proof = List::new(tree(&[1, 2, 3]).consistency(2, 3).unwrap()).unwrap();
        let told = |first: &SignedCheckpoint, answered| {
            let evidence = Evidence::new(sheet(), first.clone(), new.clone(), answered, Timestamp(5));
            evidence.checks(&root().verification_key()).pop().unwrap().outcome.unwrap_err()
        };
        assert!(told(&old, Answered::Wrong(proof.clone())).contains("nothing is wrong"));
        let forked = note(&[1, 9], None, &key());
        assert!(told(&forked, Answered::Wrong(proof)).contains("another root"));
        let refused = Answered::Refused(Prose::new("no such journal").unwrap());
        assert!(told(&forked, refused).contains("said: no such journal"));
    }
}
