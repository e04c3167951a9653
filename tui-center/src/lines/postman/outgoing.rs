//! What goes out, as it lies in the cabinet.

use wire::{
    id::{CenterId, EntryNumber},
    time::Timestamp,
};
use zeroize::Zeroizing;

use super::Kind;

/// The first line of what is kept; the format's version is in it.
const MAGIC: &str = "inkan outgoing 1";

/// Something on its way out: whom it is for, and the exact bytes.
///
/// It is kept as UTF-8 lines and then the bytes: `inkan outgoing 1`, the instant in milliseconds, whom it is for, an
/// empty line. It has no `Debug`, for it may bear an activation code.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Mail or letter.
    pub kind: Kind,
    /// The entry that intends it. Its name derives from this.
    pub entry: EntryNumber,
    /// The entry's time.
    pub at: Timestamp,
    /// The mail address, or the first line of the postal address. It lies sealed with the rest and is shown masked.
    pub to: String,
    /// The exact bytes: an RFC 5322 message, or a PDF.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Outgoing {
    /// The name under which it lies in the cabinet and leaves, like `mail-T-000123-4.eml`.
    pub fn name(&self) -> String {
        self.kind.name(self.entry)
    }

    /// What the cabinet keeps.
    pub fn kept(&self) -> Zeroizing<Vec<u8>> {
        let to: String = self.to.chars().filter(|c| !c.is_control()).collect();
        let head = Zeroizing::new(format!("{MAGIC}\n{}\n{to}\n\n", self.at.0));
        let mut kept = Zeroizing::new(Vec::with_capacity(head.len() + self.bytes.len()));
        kept.extend_from_slice(head.as_bytes());
        kept.extend_from_slice(&self.bytes);
        kept
    }

    /// Reads what the cabinet kept under a name.
    ///
    /// # Errors
    /// In words, when it is not what [`Outgoing::kept`] wrote.
    pub fn read(name: &str, kept: &[u8]) -> Result<Self, String> {
        let wrong = || format!("what the cabinet keeps as {name} is not something that goes out");
        let (kind, entry) = Kind::of(name).ok_or_else(wrong)?;
        let mut rest = kept;
        let mut line = || {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let line = std::str::from_utf8(&rest[..end]).ok()?;
            rest = &rest[end + 1..];
            Some(line)
        };
        let (magic, at, to, empty) = (line(), line(), line(), line());
        let at = at.and_then(|at| at.parse().ok());
        match (magic, at, to, empty) {
            (Some(MAGIC), Some(at), Some(to), Some("")) => Ok(Self {
                kind,
                entry,
                at: Timestamp(at),
                to: to.to_owned(),
                bytes: Zeroizing::new(rest.to_vec()),
            }),
            _ => Err(wrong()),
        }
    }
}

/// An id for something that goes out, the same whenever it is made again: the beginning of the center's id and the
/// entry's number.
pub fn id(center: &CenterId, entry: EntryNumber) -> String {
    format!("{}-{entry}", &center.to_string()[..8])
}

/// Whom something is for, so that an operator who knows recognizes it and nobody else learns it: `a…@example.org`,
/// or `A… L…`.
pub fn masked(to: &str) -> String {
    if let Some((local, domain)) = to.rsplit_once('@') {
        let first: String = local.chars().take(1).collect();
        return format!("{first}…@{domain}");
    }
    let initial = |word: &str| word.chars().take(1).chain(['…']).collect::<String>();
    to.split_whitespace().take(3).map(initial).collect::<Vec<_>>().join(" ")
}

/// What another side said, without whom it was said of: servers like to repeat the address that they refuse. It is
/// one cleaned line of at most 300 characters.
pub fn redacted(words: &str, to: &str) -> String {
    let local = to.split_once('@').map_or("", |(local, _)| local).to_lowercase();
    let mut told = String::new();
    for word in words.split_whitespace() {
        let bare: String = word.chars().filter(|c| c.is_alphanumeric() || "@.-_+".contains(*c)).collect();
        let small = bare.to_lowercase();
        let local_part = !local.is_empty() && (small == local || (local.len() > 2 && small.contains(&local)));
        let names = bare.contains('@')
            || local_part
            || to.split_whitespace().any(|part| part.chars().count() > 2 && bare.contains(part));
        if !told.is_empty() {
            told.push(' ');
        }
        told.push_str(if names { "…" } else { word });
    }
    let short: String = told.chars().take(300).collect();
    wire::text::Prose::new(&short).unwrap_or_default().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let outgoing = Outgoing {
            kind: Kind::Letter,
            entry: EntryNumber(12),
            at: Timestamp(1_790_000_000_000),
            to: "山田 花子".into(),
            bytes: Zeroizing::new(b"%PDF-1.7\n\n\x00\xff".to_vec()),
        };
        let name = outgoing.name();
        assert!(name.starts_with("letter-T-000012-") && name.ends_with(".pdf"), "{name}");
        let kept = outgoing.kept();
        assert!(Outgoing::read(&name, &kept).is_ok_and(|read| read == outgoing));
        for (name, kept) in [
            ("letter-x.pdf", &kept[..]),
            ("pain001-T-000012-0.xml", &kept[..]),
            (&name, &kept[..20]),
            (&name, b"%PDF"),
        ] {
            assert!(Outgoing::read(name, kept).is_err(), "{name}");
        }
    }

    #[test]
    fn whom_it_is_for_stays_unsaid() {
        assert_eq!(masked("ada.lovelace@example.org"), "a…@example.org");
        assert_eq!(masked("Ada King Lovelace"), "A… K… L…");
        for said in [
            "5.1.1 <ada.lovelace@example.org>: Recipient address rejected",
            "user Ada.Lovelace unknown",
            "5.1.1 ADA.LOVELACE@EXAMPLE.ORG\r\n\u{1b}[31mgone",
        ] {
            let told = redacted(said, "ada.lovelace@example.org");
            assert!(!told.to_lowercase().contains("lovelace") && !told.contains('\u{1b}'), "{told}");
        }
        assert_eq!(redacted("lp: no such printer", "Ada Lovelace"), "lp: no such printer");
        assert_eq!(redacted("job for Lovelace failed", "Ada Lovelace"), "job for … failed");
    }
}
