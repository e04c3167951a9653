//! Looking for what must not lie on disk in the clear: every byte of every file below a folder, for a text in every
//! common encoding.
//!
//! What is looked for is never printed: a finding names the file, the place in it, the encoding, and what kind of
//! secret it is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use aho_corasick::AhoCorasick;
use color_eyre::eyre::{Context as _, Result, ensure};
use data_encoding::{BASE32, BASE64, BASE64URL, Encoding, HEXLOWER, HEXUPPER};

/// The least bytes of a needle: anything shorter is found by chance.
const NEEDLE_MIN: usize = 7;

/// Something that must not be found.
#[derive(Debug, Clone)]
pub struct Secret {
    /// What kind it is, for the report.
    pub kind: String,
    /// The text.
    pub text: String,
}

impl Secret {
    /// A text, and what kind of secret it is.
    pub fn new(kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind: kind.into(), text: text.into() }
    }
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// What kind of secret.
    pub kind: String,
    /// In which encoding.
    pub encoding: &'static str,
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Searched {
    /// How many files were read.
    pub files: usize,
    /// How many bytes.
    pub bytes: u64,
    /// What was found.
    pub findings: BTreeSet<Finding>,
}

/// Searches every file below some folders, their names included.
///
/// # Errors
/// When a folder or file can't be read, or a needle is too short to mean anything.
pub fn search(folders: &[&Path], secrets: &[Secret]) -> Result<Searched> {
    let mut needles = Vec::new();
    for secret in secrets {
        for form in forms(&secret.text) {
            for (encoding, bytes) in encodings(&form) {
                if bytes.len() >= NEEDLE_MIN {
                    needles.push((secret.kind.clone(), encoding, bytes));
                }
            }
        }
        ensure!(secret.text.len() >= NEEDLE_MIN, "a {} is too short to be looked for", secret.kind);
    }
    let automaton = AhoCorasick::new(needles.iter().map(|(_, _, bytes)| bytes))?;
    let mut searched = Searched::default();
    for folder in folders {
        walk(folder, &mut |file| {
            // A socket or pipe holds nothing.
            let content = if file.is_file() {
                fs::read(file).wrap_err_with(|| format!("reading {}", file.display()))?
            } else {
                Vec::new()
            };
            searched.files += 1;
            searched.bytes += content.len() as u64;
            let name = file.to_string_lossy();
            for text in [content.as_slice(), name.as_bytes()] {
                for hit in automaton.find_overlapping_iter(text) {
                    let (kind, encoding, _) = &needles[hit.pattern().as_usize()];
                    searched.findings.insert(Finding { file: file.to_owned(), kind: kind.clone(), encoding });
                }
            }
            Ok(())
        })?;
    }
    Ok(searched)
}

/// Proves that [`search`] finds what it looks for: plants a text in every encoding, one file each.
///
/// # Errors
/// When one of them is not found.
pub fn control(folder: &Path) -> Result<usize> {
    let secret = Secret::new("planted text", "桜 Hanako, +81 3 5550 1234");
    let mut planted = 0;
    for form in forms(&secret.text) {
        for (encoding, bytes) in encodings(&form) {
            if bytes.len() < NEEDLE_MIN {
                continue;
            }
            let file = folder.join(format!("planted-{planted}"));
            fs::write(&file, [b"\0before".as_slice(), &bytes, b"after\xff"].concat())?;
            let found = search(&[&file], std::slice::from_ref(&secret))?.findings;
            ensure!(found.iter().any(|found| found.encoding == encoding), "{encoding} is not found");
            fs::remove_file(&file)?;
            planted += 1;
        }
    }
    Ok(planted)
}

/// A text as it is, in small letters, and as its letters and digits alone: indexes keep such forms.
fn forms(text: &str) -> BTreeSet<String> {
    let small = text.to_lowercase();
    let alone: String = small.chars().filter(|c| c.is_alphanumeric()).collect();
    BTreeSet::from([text.to_owned(), small, alone])
}

fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let each = |write: fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>();
    let escaped: String = text
        .chars()
        .map(|c| match c {
            ' '..='~' => c.to_string(),
            c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        })
        .collect();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let mut all = vec![
        ("UTF-8", bytes.to_vec()),
        ("UTF-8, backwards", reversed),
        ("UTF-16 little-endian", wide(u16::to_le_bytes)),
        ("UTF-16 big-endian", wide(u16::to_be_bytes)),
        ("hexadecimal", HEXLOWER.encode(bytes).into_bytes()),
        ("hexadecimal, capitals", HEXUPPER.encode(bytes).into_bytes()),
        ("JSON escapes", escaped.into_bytes()),
        ("percent escapes", each(|byte| plain(byte, '%')).into_bytes()),
        ("quoted-printable", each(|byte| plain(byte, '=')).into_bytes()),
        ("a list of numbers", each(|byte| format!("{byte},")).into_bytes()),
        ("a list of numbers, spaced", each(|byte| format!("{byte}, ")).into_bytes()),
    ];
    for (name, encoding, group, digit_bits) in
        [("base 64", BASE64, 3, 6), ("base 64 for URLs", BASE64URL, 3, 6), ("base 32", BASE32, 5, 5)]
    {
        let found = (0..group).map(|offset| (name, shifted(&encoding, bytes, offset, digit_bits)));
        all.extend(found);
    }
    all
}

/// The digits that depend on the text alone when so many other bytes stand before it.
fn shifted(encoding: &Encoding, bytes: &[u8], offset: usize, digit_bits: usize) -> Vec<u8> {
    let padded = [vec![0; offset], bytes.to_vec()].concat();
    let digits = encoding.encode(&padded).into_bytes();
    let first = (offset * 8).div_ceil(digit_bits);
    let last = padded.len() * 8 / digit_bits;
    digits[first..last].to_vec()
}

fn plain(byte: u8, escape: char) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("{escape}{byte:02X}")
    }
}

fn walk(path: &Path, look: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let kind = fs::symlink_metadata(path).wrap_err_with(|| format!("looking at {}", path.display()))?;
    if !kind.is_dir() {
        return look(path);
    }
    for entry in fs::read_dir(path).wrap_err_with(|| format!("reading {}", path.display()))? {
        walk(&entry?.path(), look)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_found_and_what_is_not_there_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(control(folder.path()).unwrap() > 30);
        fs::write(folder.path().join("honest"), "numbers and hashes only").unwrap();
        let secrets = [Secret::new("name", "Hanako Sakurai")];
        let searched = search(&[folder.path()], &secrets).unwrap();
        assert_eq!((searched.files, searched.findings.len()), (1, 0));
        fs::write(folder.path().join("mail"), BASE64.encode(b"Dear Hanako Sakurai,")).unwrap();
        let found = search(&[folder.path()], &secrets).unwrap().findings;
        assert!(found.iter().all(|finding| finding.file.ends_with("mail")) && !found.is_empty(), "{found:?}");
    }
}
