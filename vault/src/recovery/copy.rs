//! The copy that is deposited: made with password A, opened with the phrase.

use std::fmt;

use wire::{
    key::{Signature, SigningKey, VerificationKey},
    limits,
    payload::KeyRole,
    time::Timestamp,
};
use zeroize::Zeroizing;

use crate::{
    contents::{Deposited, Draft},
    custody::SealedKey,
    error::Error,
    kind,
    page::InPage,
    password::Key,
    record::{MAX_CONTENT, Record},
    recovery::{KeyCopy, RecoveryKeys, RecoveryPhrase},
    seal::{self, NONCE},
    sealed_to::SealedTo,
    vault::Vault,
};

const MAGIC: &[u8; 8] = b"INKANCPY";
const VERSION: u16 = 1;
/// What the content key is sealed to a phrase for, and the domain tag of the signature.
const COPY: &str = "inkan/v1/vault-copy";
/// A sealed 32-byte key.
const SEALED_KEY: usize = 48;
/// Before each record's bytes in the content: number, kind, length.
const RECORD_HEAD: usize = 14;
/// So many numbers more than records may a copy count: the places of damaged records.
const GAPS_MAX: u64 = 100_000;

/// Why a copy is not restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// It does not begin as a copy does.
    #[error("this is not the copy of a vault")]
    NotACopy,
    /// A newer program made it.
    #[error("the copy is of format {0}, this program knows format 1; use a newer program")]
    Newer(u16),
    /// Its signature does not hold.
    #[error("the copy was changed after it was signed, or is not whole; fetch it again")]
    Signature,
    /// A terminal signed it that is none of this account's.
    #[error("the copy is signed by a terminal that is none of this account's; do not restore it")]
    Foreign,
    /// It is sealed to another phrase.
    #[error("the copy was made for another recovery phrase")]
    OtherPhrase,
    /// It is signed and sealed as it should be, and its content still makes no sense.
    #[error("the copy's content cannot be read; restore an older one")]
    Content,
    /// The signature key of the account is not in it.
    #[error("the copy does not hold the signature key; restore without it")]
    NoSignatureKey,
}

/// What a copy brings back. Everything in it is wiped when dropped.
pub struct RestoredContents {
    /// When the copy was made.
    pub made_at: Timestamp,
    /// The terminal key that signed it, which is the one in it.
    pub signed_by: VerificationKey,
    /// The phrase that opened it.
    pub(crate) phrase: RecoveryKeys,
    /// All records; in the place of a signature key under password B its public half.
    pub(crate) records: Vec<Record>,
    /// The signature keys that were sealed to the phrase.
    pub(crate) signature_keys: Vec<InPage<SigningKey>>,
}

impl RestoredContents {
    /// How many records it holds, the vault's own included.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The public halves of the signature keys in it: the one in force, and one that waited to be. The center's chain of
    /// keys says which it is.
    pub fn signature_keys(&self) -> impl Iterator<Item = VerificationKey> {
        self.signature_keys.iter().map(|key| key.verification_key())
    }
}

impl fmt::Debug for RestoredContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestoredContents({} records)", self.records.len())
    }
}

impl Vault {
    /// The copy to be deposited with the center, as [`crate::recovery`] describes it. Password A is enough for it; it
    /// holds nothing that passwords open.
    ///
    /// # Errors
    /// [`Error::NoRecovery`] where there is no phrase to seal it to, [`Error::NotSealedToPhrase`] and [`Error::KeyLost`]
    /// where it would not bring the signature key back and so is not to replace one that does, [`Error::CopyTooLong`]
    /// above [`limits::VAULT_COPY`]; failures of the disk.
    pub fn copy_for_deposit(&self) -> Result<Vec<u8>, Error> {
        let terminal_key = self.terminal_key()?;
        let keys = &self.contents.keys;
        let receivers: Vec<[u8; 32]> = keys.copy_keys().collect();
        if self.recovery().is_none() {
            return Err(Error::NoRecovery);
        }
        match keys.now(KeyRole::Signature) {
            Some(key) if !keys.not_sealed_to(key).is_empty() => return Err(Error::NotSealedToPhrase),
            None if keys.copies.is_empty() => return Err(Error::KeyLost("signature key")),
            _ => {}
        }
        let content = self.copied_records()?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&terminal_key.verification_key().0);
        let key: Key = Zeroizing::new(self.surroundings.array());
        bytes.push(if receivers.len() > 1 { 2 } else { 1 });
        let context = terminal_key.verification_key().0;
        for to in &receivers {
            let sealed = SealedTo::new(&self.surroundings, to, (COPY, &context), &*key)?;
            bytes.extend([&sealed.to[..], &sealed.ephemeral, &sealed.nonce, &sealed.sealed].concat());
        }
        let nonce = self.surroundings.array();
        let sealed = seal::seal(&key, &nonce, &bytes, &content);
        bytes.extend_from_slice(&nonce);
        bytes.extend(sealed);
        let signature = terminal_key.sign(&signed(&bytes));
        bytes.extend_from_slice(&signature.0);
        if bytes.len() as u64 > limits::VAULT_COPY {
            return Err(Error::CopyTooLong(bytes.len() as u64));
        }
        Ok(bytes)
    }

    /// Notes that the center keeps a copy of the records up to number `up_to` ([`Vault::newest`] when it was made; of
    /// records yet to come no copy holds anything, whatever is said).
    ///
    /// # Errors
    /// The disk's failure.
    pub fn note_deposit(&mut self, up_to: u64) -> Result<(), Error> {
        let deposited = Deposited { up_to: up_to.min(self.newest()), at: self.surroundings.now() };
        self.append_all(vec![Draft::own(kind::DEPOSITED, &deposited)?]).map(drop)
    }

    /// Whether something changed that the newest deposited copy does not hold. Never while there is no phrase.
    pub fn copy_is_due(&self) -> bool {
        let up_to = self.contents.deposited.map_or(0, |deposited| deposited.up_to);
        self.recovery().is_some() && self.contents.changed > up_to
    }

    /// When a copy was last deposited.
    pub fn deposited_at(&self) -> Option<Timestamp> {
        self.contents.deposited.map(|deposited| deposited.at)
    }

    /// The content of a copy.
    fn copied_records(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut records = Vec::with_capacity(self.contents.index.len());
        let mut length = 8;
        for sequence in self.contents.index.keys() {
            let mut record = self.read(*sequence)?;
            if self.contents.keys.obsolete.contains(sequence) {
                record = Record { sequence: *sequence, kind: kind::LEFT_OUT, bytes: Zeroizing::default() };
            } else if kind::is_under_b(record.kind) {
                let sealed: SealedKey = record.decode("signature key")?;
                record.bytes = Zeroizing::new(sealed.verification_key.0.to_vec());
            }
            length += RECORD_HEAD + record.bytes.len();
            records.push(record);
        }
        // With so much room the content never moves and leaves no copy.
        let mut content = Zeroizing::new(Vec::with_capacity(length));
        content.extend_from_slice(&self.surroundings.now().0.to_le_bytes());
        for record in &records {
            content.extend_from_slice(&record.sequence.to_le_bytes());
            content.extend_from_slice(&record.kind.to_le_bytes());
            let length = u32::try_from(record.bytes.len()).expect("content is bounded by MAX_CONTENT");
            content.extend_from_slice(&length.to_le_bytes());
            content.extend_from_slice(&record.bytes);
        }
        Ok(content)
    }
}

/// Opens a copy with the phrase. `signers` are the terminal keys that the account has or had, from the center's chain of
/// keys; `None` skips the question, for a copy that never left one's own hands.
///
/// # Errors
/// [`CopyError`].
pub fn open_copy(
    bytes: &[u8],
    phrase: &RecoveryPhrase,
    signers: Option<&[VerificationKey]>,
) -> Result<RestoredContents, CopyError> {
    let mut reader = Reader(bytes);
    if reader.array() != Some(*MAGIC) {
        return Err(CopyError::NotACopy);
    }
    let version = u16::from_le_bytes(reader.array().ok_or(CopyError::NotACopy)?);
    if version != VERSION {
        return Err(CopyError::Newer(version));
    }
    let (body, signature) = bytes.split_last_chunk::<64>().ok_or(CopyError::Signature)?;
    let mut reader = Reader(body.get(MAGIC.len() + 2..).ok_or(CopyError::Signature)?);
    let signed_by = VerificationKey(reader.array().ok_or(CopyError::Signature)?);
    signed_by.verify(&signed(body), &Signature(*signature)).map_err(|_| CopyError::Signature)?;
    if signers.is_some_and(|signers| !signers.contains(&signed_by)) {
        return Err(CopyError::Foreign);
    }
    let public = phrase.public();
    let mut key: Option<Key> = None;
    let [receivers @ 1..=2] = reader.array().ok_or(CopyError::Content)? else {
        return Err(CopyError::Content);
    };
    for _ in 0..receivers {
        let sealed = reader.receiver().ok_or(CopyError::Content)?;
        if sealed.to == public.copy_key {
            let opened =
                sealed.open(&phrase.copy_secret(), (COPY, &signed_by.0)).ok_or(CopyError::Content)?;
            key = Some(Zeroizing::new(opened.as_slice().try_into().map_err(|_| CopyError::Content)?));
        }
    }
    let key = key.ok_or(CopyError::OtherPhrase)?;
    let (head, rest) = body.split_at(body.len() - reader.0.len());
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(CopyError::Content)?;
    let content = seal::open(&key, nonce, head, sealed).ok_or(CopyError::Content)?;
    let (made_at, records) = read_content(&content).ok_or(CopyError::Content)?;
    let copies = records.iter().filter(|record| record.kind == kind::KEY_COPY);
    let copies = copies.filter_map(|record| record.decode::<KeyCopy>("copy of the signature key").ok());
    let keys = copies.filter_map(|copy| copy.open(phrase));
    let signature_keys: Vec<InPage<SigningKey>> = keys.map(InPage::new).collect();
    if signature_keys.is_empty() {
        return Err(CopyError::NoSignatureKey);
    }
    let contents = RestoredContents { made_at, signed_by, phrase: public, records, signature_keys };
    // Whoever signed outside must be the terminal inside; otherwise someone put the content of one into another.
    let mut keys = crate::keys::Keys::default();
    for record in contents.records.iter().filter(|record| !kind::is_under_b(record.kind)) {
        keys.absorb(record).map_err(|_| CopyError::Content)?;
    }
    if keys.now(KeyRole::Terminal) != Some(signed_by) {
        return Err(CopyError::Foreign);
    }
    Ok(contents)
}

/// The time of making and the records, if the content is well-formed: numbers ascending, lengths within bounds.
fn read_content(content: &[u8]) -> Option<(Timestamp, Vec<Record>)> {
    let mut reader = Reader(content);
    let made_at = Timestamp(u64::from_le_bytes(reader.array()?));
    let mut records: Vec<Record> = Vec::new();
    while !reader.0.is_empty() {
        let sequence = u64::from_le_bytes(reader.array()?);
        let kind = u16::from_le_bytes(reader.array()?);
        let length = usize::try_from(u32::from_le_bytes(reader.array()?)).ok()?;
        let last = records.last().map_or(0, |record| record.sequence);
        if sequence <= last || sequence > records.len() as u64 + GAPS_MAX || length > MAX_CONTENT {
            return None;
        }
        let bytes = Zeroizing::new(reader.take(length)?.to_vec());
        records.push(Record { sequence, kind, bytes });
    }
    Some((made_at, records))
}

/// What the terminal key signs.
fn signed(body: &[u8]) -> Vec<u8> {
    [COPY.as_bytes(), &[0], body].concat()
}

/// Takes fields off the front of a copy.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    fn receiver(&mut self) -> Option<SealedTo> {
        let (to, ephemeral, nonce) = (self.array()?, self.array()?, self.array()?);
        Some(SealedTo { to, ephemeral, nonce, sealed: self.take(SEALED_KEY)?.to_vec() })
    }
}
