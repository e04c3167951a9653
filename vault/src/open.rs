//! Opening: from a claimed, locked profile to a vault with everything it holds.

use std::{fmt, path::Path};

use secrecy::SecretString;

use crate::{
    contents::Contents,
    error::{Error, Which},
    file::{Claim, FILE, VaultFile},
    header::{Header, Mode, Wrap},
    kind,
    page::InPage,
    password::Key,
    record::{self, Record, Span},
    report::Finding,
    surroundings::Surroundings,
    vault::Vault,
};

/// A vault that this process holds and nobody can read: before password A, and again after [`Vault::lock`].
#[derive(Debug)]
pub struct Locked {
    pub(crate) file: VaultFile,
    pub(crate) surroundings: Surroundings,
    /// About the header; told with the rest when the vault opens.
    pub(crate) findings: Vec<Finding>,
}

/// A vault just opened.
#[derive(Debug)]
pub struct Opening {
    /// The vault.
    pub vault: Vault,
    /// The program's own records, in the order they were appended. The vault's own are in the vault.
    pub records: Vec<Record>,
    /// What was wrong with the file. Empty is the rule; otherwise each is to be shown.
    pub findings: Vec<Finding>,
}

/// A vault that did not open, still held, and why.
#[derive(Debug)]
pub struct Refused {
    /// To try again with.
    pub locked: Locked,
    /// Why it did not open.
    pub error: Error,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Locked {
    /// Takes the profile's vault for this process, without opening it.
    ///
    /// # Errors
    /// [`Error::Held`] when another process has it, [`Error::NoVault`] when there is none, and what else can be said
    /// without a password: not a vault, a newer format, both headers damaged.
    pub fn claim(profile: &Path, surroundings: Surroundings) -> Result<Self, Error> {
        let path = profile.join(FILE);
        if !path.try_exists().unwrap_or(true) {
            // Asked before the profile is taken, which would make its folder.
            return Err(Error::NoVault(path));
        }
        let (file, findings) = VaultFile::open(Claim::take(profile)?)?;
        Ok(Self { file, surroundings, findings })
    }

    /// Whether there are two passwords.
    pub fn mode(&self) -> Mode {
        self.file.header.mode
    }

    /// Opens the vault with password A and reads everything it holds.
    ///
    /// With the password at hand, what is sealed under it in an older format, or with less effort than the center asks
    /// for ([`Vault::keep_policy`]), is sealed anew.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::TooSoon`], or a failure of the disk; the vault stays held for another try.
    pub fn unlock(mut self, password: &SecretString) -> Result<Opening, Box<Refused>> {
        match self.read(password) {
            Ok((data_key, contents, records, mut findings)) => {
                let data_key = InPage::new(data_key);
                let mut vault =
                    Vault { file: self.file, surroundings: self.surroundings, data_key, contents };
                if let Err(why) = vault.sweep() {
                    findings.push(Finding::OldKeys { why: why.to_string() });
                }
                if !vault.keys_locked() {
                    findings.push(Finding::NotLocked);
                }
                Ok(Opening { vault, records, findings })
            }
            Err(error) => Err(Box::new(Refused { locked: self, error })),
        }
    }

    fn read(&mut self, password: &SecretString) -> Result<(Key, Contents, Vec<Record>, Vec<Finding>), Error> {
        let data_key = open_wrap(&mut self.file, &self.surroundings, password)?;
        let mut findings = self.findings.clone();
        if !findings.is_empty() {
            self.file.write_both_headers(self.file.header.clone())?;
            self.findings.clear();
        }
        let (contents, records) = replay(&mut self.file, &data_key, &mut findings)?;
        let header = &self.file.header;
        if header.wrap.is_outdated(contents.policy) {
            let (mode, id, policy) = (header.mode, header.vault, contents.policy);
            match Wrap::new(&self.surroundings, mode, &id, password, &data_key, policy) {
                Ok(wrap) => self.file.write_both_headers(Header { wrap, ..header.clone() })?,
                Err(why) if header.wrap.is_outdated(None) => return Err(why),
                // The center asks for more memory than this machine has: no reason to keep the vault shut.
                Err(why) => findings.push(Finding::BelowPolicy { why: why.to_string() }),
            }
        }
        Ok((data_key, contents, records, findings))
    }
}

/// The data key, by password A.
pub(crate) fn open_wrap(
    file: &mut VaultFile,
    surroundings: &Surroundings,
    password: &SecretString,
) -> Result<Key, Error> {
    attempt(file, surroundings, Which::A, |file| {
        let header = &file.header;
        header.wrap.open(surroundings, header.mode, &header.vault, password)
    })
}

/// Tries a password, where `Ok(None)` means that it is wrong.
///
/// The failure is on disk before the attempt is made, so that ending the program in the middle of it, or starting it
/// anew, gives no free guess; a right password takes it back.
pub(crate) fn attempt<T>(
    file: &mut VaultFile,
    surroundings: &Surroundings,
    which: Which,
    tried: impl FnOnce(&VaultFile) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let before = file.header.failures(which);
    let now = surroundings.now();
    let wait = before.wait(now);
    if !wait.is_zero() {
        if now < before.last {
            // The clock was set back: the wait starts again, instead of lasting until the clock has caught up.
            note_failures(file, which, crate::header::Failures { last: now, ..before })?;
        }
        return Err(Error::TooSoon { which, retry_after: wait });
    }
    let failed = before.one_more(now);
    note_failures(file, which, failed)?;
    match tried(file) {
        Ok(Some(value)) => {
            note_failures(file, which, crate::header::Failures::default())?;
            Ok(value)
        }
        Ok(None) => Err(Error::WrongPassword { which, retry_after: failed.wait(now) }),
        Err(error) => {
            note_failures(file, which, before)?;
            Err(error)
        }
    }
}

fn note_failures(file: &mut VaultFile, which: Which, failures: crate::header::Failures) -> Result<(), Error> {
    let mut header = file.header.clone();
    header.set_failures(which, failures);
    file.write_header(header)
}

/// Reads all records, names what is damaged and cuts a torn tail.
fn replay(
    file: &mut VaultFile,
    key: &Key,
    findings: &mut Vec<Finding>,
) -> Result<(Contents, Vec<Record>), Error> {
    let vault = file.header.vault;
    let mut contents = Contents { next: 1, ..Contents::default() };
    let mut records = Vec::new();
    let mut torn = None;
    // The finding of a stretch whose records' numbers only the next intact record will tell.
    let mut hole = None;
    let mut walk = file.walk();
    while let Some(span) = walk.next().map_err(file.reading())? {
        let (offset, head, body) = match span {
            Span::Torn { offset } => {
                torn = Some(offset);
                continue;
            }
            Span::Damaged { offset, length } => {
                hole = Some(findings.len());
                findings.push(Finding::Damaged { offset, length, sequence: None, kind: None });
                continue;
            }
            Span::Record { offset, head, body } => (offset, head, body),
        };
        let damaged = Finding::Damaged {
            offset,
            length: head.span(),
            sequence: Some(head.sequence),
            kind: Some(head.kind),
        };
        let in_order = head.sequence >= contents.next && head.sequence < u64::MAX;
        let Some(bytes) = in_order.then(|| record::open(key, &vault, head, &body)).flatten() else {
            if head.sequence == contents.next && in_order {
                contents.next += 1;
            } else {
                hole = Some(findings.len());
            }
            findings.push(damaged);
            continue;
        };
        if head.sequence > contents.next {
            name_gap(findings, hole.take(), contents.next, head.sequence - 1);
        }
        hole = None;
        contents.next = head.sequence + 1;
        contents.index.insert(head.sequence, offset);
        let record = Record { sequence: head.sequence, kind: head.kind, bytes };
        if contents.absorb(&record).is_err() {
            findings.push(damaged);
        } else if record.kind >= kind::PROGRAM {
            records.push(record);
        }
    }
    if hole.is_some() {
        // The unreadable stretch at the end held a number, which is not given again.
        contents.next += 1;
    }
    if let Some(offset) = torn {
        findings.push(Finding::TornTail { offset, length: file.end() - offset });
        file.cut(offset)?;
    }
    Ok((contents, records))
}

/// Numbers `first` to `last` are not there: one number belongs to the hole before them, more are reported as missing.
fn name_gap(findings: &mut Vec<Finding>, hole: Option<usize>, first: u64, last: u64) {
    let unnamed = hole.and_then(|hole| match findings.get_mut(hole) {
        Some(Finding::Damaged { sequence: sequence @ None, .. }) => Some(sequence),
        _ => None,
    });
    match unnamed {
        Some(sequence) if first == last => *sequence = Some(first),
        _ => findings.push(Finding::Missing { first, last }),
    }
}
