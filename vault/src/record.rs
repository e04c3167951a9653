//! Records: how one is laid out and sealed, and how a damaged file is walked.

use std::{fs::File, io, os::unix::fs::FileExt};

use zeroize::Zeroizing;

use crate::{
    password::Key,
    seal::{self, NONCE, TAG},
};

/// The most bytes of one record's content.
pub const MAX_CONTENT: usize = 2 << 20;

/// Bytes before a record's body.
pub(crate) const HEAD: usize = 24;
const MARK: [u8; 4] = *b"INKR";
const BODY_MIN: u32 = (NONCE + TAG) as u32;
const BODY_MAX: u32 = BODY_MIN + MAX_CONTENT as u32;
/// How much is read at once while looking for the next intact head.
const WINDOW: usize = 64 << 10;

/// One opened record.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the vault, counted from 1 and never given twice.
    pub sequence: u64,
    /// What it is; kinds below 100 belong to the vault, the others to the program.
    pub kind: u16,
    /// Its content, wiped when dropped.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Record {
    /// The content as a value.
    ///
    /// # Errors
    /// When the content is not a well-formed `T`; `what` names it in the message.
    pub fn decode<T: serde::de::DeserializeOwned>(&self, what: &'static str) -> Result<T, crate::Error> {
        wire::codec::decode(what, &self.bytes, MAX_CONTENT)
            .map_err(|why| crate::Error::Content { sequence: self.sequence, why })
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({} of kind {}, {} bytes)", self.sequence, self.kind, self.bytes.len())
    }
}

/// What stands before a record's body, in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) sequence: u64,
    pub(crate) kind: u16,
    /// Length of the body: nonce and ciphertext.
    pub(crate) body: u32,
}

impl Head {
    fn encode(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&MARK);
        head[4..8].copy_from_slice(&self.body.to_le_bytes());
        head[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        head[16..18].copy_from_slice(&self.kind.to_le_bytes());
        let checksum = crc32fast::hash(&head[..20]);
        head[20..].copy_from_slice(&checksum.to_le_bytes());
        head
    }

    /// The head in these bytes, if it is intact and its length is one that a record can have.
    fn decode(head: &[u8; HEAD]) -> Option<Self> {
        let [m0, m1, m2, m3, b0, b1, b2, b3, sequence @ .., k0, k1, _, _, c0, c1, c2, c3] = *head;
        if [m0, m1, m2, m3] != MARK || crc32fast::hash(&head[..20]).to_le_bytes() != [c0, c1, c2, c3] {
            return None;
        }
        let body = u32::from_le_bytes([b0, b1, b2, b3]);
        if !(BODY_MIN..=BODY_MAX).contains(&body) {
            return None;
        }
        Some(Self { sequence: u64::from_le_bytes(sequence), kind: u16::from_le_bytes([k0, k1]), body })
    }

    pub(crate) fn span(self) -> u64 {
        HEAD as u64 + u64::from(self.body)
    }
}

/// A record as it is written: head, nonce, ciphertext.
pub(crate) fn seal(
    key: &Key,
    vault: &[u8; 16],
    nonce: [u8; NONCE],
    sequence: u64,
    kind: u16,
    content: &[u8],
) -> Vec<u8> {
    let sealed = seal::seal(key, &nonce, &context(vault, sequence, kind), content);
    let body = u32::try_from(NONCE + sealed.len()).expect("content is bounded by MAX_CONTENT");
    let mut bytes = Head { sequence, kind, body }.encode().to_vec();
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    bytes
}

/// A record as it stands in the file.
pub(crate) fn whole(head: Head, body: &[u8]) -> Vec<u8> {
    [&head.encode(), body].concat()
}

/// How many bytes of the file a record with so much content takes.
pub(crate) fn span(content: usize) -> u64 {
    (HEAD + NONCE + TAG + content) as u64
}

/// Copies a stretch that cannot be read as records.
pub(crate) fn copy_bytes(
    source: &File,
    offset: u64,
    length: u64,
    target: &mut impl io::Write,
) -> io::Result<()> {
    let mut window = vec![0; WINDOW];
    let (mut at, end) = (offset, offset + length);
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(WINDOW).min(WINDOW);
        source.read_exact_at(&mut window[..length], at)?;
        target.write_all(&window[..length])?;
        at += length as u64;
    }
    Ok(())
}

/// Opens a body; `None` when it is damaged.
pub(crate) fn open(key: &Key, vault: &[u8; 16], head: Head, body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = body.split_first_chunk::<NONCE>()?;
    seal::open(key, nonce, &context(vault, head.sequence, head.kind), sealed)
}

fn context(vault: &[u8; 16], sequence: u64, kind: u16) -> [u8; 26] {
    let mut context = [0; 26];
    context[..16].copy_from_slice(vault);
    context[16..24].copy_from_slice(&sequence.to_le_bytes());
    context[24..].copy_from_slice(&kind.to_le_bytes());
    context
}

/// A stretch of the file behind the header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// An intact head and its whole body, which may still fail to open.
    Record { offset: u64, head: Head, body: Vec<u8> },
    /// Bytes that begin no record, up to the next intact head or the end.
    Damaged { offset: u64, length: u64 },
    /// The beginning of a record that the file ends in, or blank space at the end: a write that was cut short.
    Torn { offset: u64 },
}

/// Walks the file from one span to the next.
pub(crate) struct Walk<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl<'a> Walk<'a> {
    /// Over the bytes from `start` to `end`.
    pub(crate) fn new(file: &'a File, start: u64, end: u64) -> Self {
        Self { file, at: start, end }
    }

    /// The next span; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Span>> {
        let offset = self.at;
        let left = self.end.saturating_sub(offset);
        if left == 0 {
            return Ok(None);
        }
        if left < HEAD as u64 {
            self.at = self.end;
            return Ok(Some(Span::Torn { offset }));
        }
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, offset)?;
        let Some(head) = Head::decode(&head) else { return self.skip_damage(offset).map(Some) };
        if head.span() > left {
            self.at = self.end;
            return Ok(Some(Span::Torn { offset }));
        }
        let mut body = vec![0; head.body as usize];
        self.file.read_exact_at(&mut body, offset + HEAD as u64)?;
        self.at = offset + head.span();
        Ok(Some(Span::Record { offset, head, body }))
    }

    /// Looks for the next intact head. Blank space up to the end is a torn write: the system had made room for bytes
    /// that never came. Everything else is kept in the file, since someone may still want to repair it.
    fn skip_damage(&mut self, offset: u64) -> io::Result<Span> {
        let mut window = vec![0; WINDOW];
        let mut blank = true;
        let mut at = offset;
        while at < self.end {
            let length = usize::try_from(self.end - at).unwrap_or(WINDOW).min(WINDOW);
            let window = &mut window[..length];
            self.file.read_exact_at(window, at)?;
            blank &= window.iter().all(|byte| *byte == 0);
            let intact = window.windows(HEAD).position(|bytes| {
                bytes.starts_with(&MARK) && bytes.try_into().is_ok_and(|head| Head::decode(head).is_some())
            });
            if let Some(found) = intact {
                self.at = at + found as u64;
                return Ok(Span::Damaged { offset, length: self.at - offset });
            }
            if length < WINDOW {
                break;
            }
            // A head may straddle two windows.
            at += (WINDOW - HEAD + 1) as u64;
        }
        self.at = self.end;
        Ok(if blank { Span::Torn { offset } } else { Span::Damaged { offset, length: self.end - offset } })
    }
}
