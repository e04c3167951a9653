//! Deposited copies of vaults: what a member or store needs to come back with the recovery phrase alone.
//!
//! A copy is sealed to its owner's phrase before it gets here, so that the center can't read it; it is sealed once more,
//! piece by piece, like everything in the cabinet. One file for each account:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic |
//! | 88 | sealed: length (8), SHA-256 of the copy (32), when it was deposited (8) |
//! | .. | each piece of 64 KiB, the last one shorter, sealed: nonce (24), ciphertext, tag (16) |
//!
//! All integers are little endian. Each seal is bound to the account's name, the copy's digest and the piece's place.
//! The pieces of a new copy gather in a file of their own; the former copy stays until the last one is there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use wire::{
    id::{AccountNumber, Digest},
    limits,
    message::CopyView,
    time::Timestamp,
};

use super::{BooksError, cursor_name, drawer, make_dir, sync_dir};
use crate::seal::{self, Key};

const MAGIC: [u8; 4] = *b"IkV1";
/// What sealing adds.
const SEAL: usize = 24 + 16;
const HEAD: usize = 48;
/// Where the first piece begins.
const PIECES: u64 = (4 + HEAD + SEAL) as u64;

/// The deposited copies.
pub struct Copies {
    dir: PathBuf,
    key: Key,
}

/// A copy whose pieces come in. Dropping it leaves nothing.
pub struct Deposit {
    file: File,
    unfinished: PathBuf,
    account: AccountNumber,
    view: CopyView,
    hash: Sha256,
    taken: u64,
}

/// Why a piece is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DepositError {
    /// It does not go with what came before, or with its own length and digest; in words.
    #[error("{0}")]
    Wrong(&'static str),
    /// The file system refuses.
    #[error(transparent)]
    Books(#[from] BooksError),
}

impl Copies {
    pub(super) fn open(cabinet: &Path, key: Key) -> Result<Self, BooksError> {
        let dir = cabinet.join("copies");
        make_dir(&dir)?;
        drawer::clear_unfinished(&dir)?;
        Ok(Self { dir, key })
    }

    /// Begins to take an account's copy.
    ///
    /// # Errors
    /// When it is empty or longer than [`limits::VAULT_COPY`], or the file system refuses.
    pub fn begin(
        &self,
        account: AccountNumber,
        length: u64,
        digest: Digest,
        at: Timestamp,
    ) -> Result<Deposit, DepositError> {
        if length == 0 || length > limits::VAULT_COPY {
            return Err(DepositError::Wrong("the copy is empty, or longer than the center keeps"));
        }
        let unfinished =
            self.dir.join(format!("{}{}", drawer::UNFINISHED, HEXLOWER.encode(&seal::random::<8>())));
        let doing = || BooksError::io(format!("keeping {}", unfinished.display()));
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&unfinished);
        let file = file.map_err(doing())?;
        let view = CopyView { length, digest, at };
        let mut deposit = Deposit { file, unfinished, account, view, hash: Sha256::new(), taken: 0 };
        let head = [&length.to_le_bytes()[..], &digest.0, &at.0.to_le_bytes()].concat();
        let sealed = seal::seal(&self.key, &context(account, "head"), &head);
        let written = deposit.file.write_all(&[&MAGIC[..], &sealed].concat());
        written.map_err(BooksError::io(format!("keeping {}", deposit.unfinished.display())))?;
        Ok(deposit)
    }

    /// Takes the next piece. With the last one, whose digest must be the one that was announced, the copy is durable and
    /// takes the former one's place; it says whether this was it.
    ///
    /// # Errors
    /// When the piece is not the next one, or the whole is not what was announced: the deposit is then to be dropped.
    pub fn take(&self, deposit: &mut Deposit, offset: u64, piece: &[u8]) -> Result<bool, DepositError> {
        let rest = deposit.view.length - deposit.taken;
        let due = rest.min(limits::CHUNK as u64);
        if offset != deposit.taken || piece.len() as u64 != due {
            return Err(DepositError::Wrong("this piece of the copy is not the next one; begin again"));
        }
        let doing = || BooksError::io(format!("keeping {}", deposit.unfinished.display()));
        let sealed = seal::seal(&self.key, &piece_context(deposit.account, &deposit.view, offset), piece);
        deposit.file.write_all(&sealed).map_err(doing())?;
        deposit.hash.update(piece);
        deposit.taken += due;
        if deposit.taken < deposit.view.length {
            return Ok(false);
        }
        let digest: [u8; 32] = std::mem::take(&mut deposit.hash).finalize().into();
        if Digest(digest) != deposit.view.digest {
            return Err(DepositError::Wrong("the copy arrived changed; deposit it again"));
        }
        deposit.file.sync_all().map_err(doing())?;
        fs::rename(&deposit.unfinished, self.path(deposit.account)).map_err(doing())?;
        sync_dir(&self.dir)?;
        Ok(true)
    }

    /// Length, digest and time of an account's copy.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn view(&self, account: AccountNumber) -> Result<Option<CopyView>, BooksError> {
        let Some(file) = self.file(account)? else { return Ok(None) };
        self.head(account, &file).map(Some)
    }

    /// A piece of an account's copy; `offset` is a multiple of [`limits::CHUNK`]. Empty at the end.
    ///
    /// # Errors
    /// When there is none, or it can't be opened.
    pub fn piece(&self, account: AccountNumber, offset: u64) -> Result<Option<Vec<u8>>, BooksError> {
        let Some(file) = self.file(account)? else { return Ok(None) };
        let view = self.head(account, &file)?;
        if !offset.is_multiple_of(limits::CHUNK as u64) || offset >= view.length {
            return Ok(Some(Vec::new()));
        }
        let length = usize::try_from(view.length - offset).unwrap_or(limits::CHUNK).min(limits::CHUNK);
        let before = offset / limits::CHUNK as u64;
        let place = PIECES + before * (limits::CHUNK + SEAL) as u64;
        let mut sealed = vec![0; length + SEAL];
        file.read_exact_at(&mut sealed, place).map_err(|_| self.spoilt(account))?;
        let piece = seal::open(&self.key, &piece_context(account, &view, offset), &sealed);
        piece.map(|piece| Some(piece.to_vec())).ok_or_else(|| self.spoilt(account))
    }

    /// Destroys an account's copy; nothing happens where there is none.
    ///
    /// # Errors
    /// What the file system refuses; it may then be called again.
    pub fn erase(&self, account: AccountNumber) -> Result<(), BooksError> {
        let path = self.path(account);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Ok(()) => sync_dir(&self.dir),
            Err(error) => Err(BooksError::io(format!("destroying {}", path.display()))(error)),
        }
    }

    fn file(&self, account: AccountNumber) -> Result<Option<File>, BooksError> {
        let path = self.path(account);
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BooksError::io(format!("reading {}", path.display()))(error)),
        }
    }

    fn head(&self, account: AccountNumber, mut file: &File) -> Result<CopyView, BooksError> {
        let mut bytes = [0; PIECES as usize];
        let read = file.read_exact(&mut bytes);
        let sealed = read.ok().and_then(|()| bytes.strip_prefix(&MAGIC));
        let head = sealed.and_then(|sealed| seal::open(&self.key, &context(account, "head"), sealed));
        let view = head.and_then(|head| {
            let (length, rest) = head.split_first_chunk()?;
            let (digest, rest) = rest.split_first_chunk()?;
            let at = rest.try_into().ok()?;
            Some(CopyView {
                length: u64::from_le_bytes(*length),
                digest: Digest(*digest),
                at: Timestamp(u64::from_le_bytes(at)),
            })
        });
        view.ok_or_else(|| self.spoilt(account))
    }

    fn path(&self, account: AccountNumber) -> PathBuf {
        self.dir.join(cursor_name(account))
    }

    fn spoilt(&self, account: AccountNumber) -> BooksError {
        let words = "can't be opened: it was changed, or belongs to another center";
        BooksError::Cabinet(format!("copies/{} {words}", cursor_name(account)))
    }
}

impl Deposit {
    /// Whether it is the copy of this length and digest.
    pub fn is_of(&self, length: u64, digest: Digest) -> bool {
        self.view.length == length && self.view.digest == digest
    }
}

impl Drop for Deposit {
    fn drop(&mut self) {
        // Gone already when it was renamed; what can't be removed now is cleared away at the next start.
        let _ = fs::remove_file(&self.unfinished);
    }
}

fn context(account: AccountNumber, what: &str) -> Vec<u8> {
    format!("inkan/v1/cabinet/copies/{}/{what}", cursor_name(account)).into_bytes()
}

fn piece_context(account: AccountNumber, view: &CopyView, offset: u64) -> Vec<u8> {
    context(account, &format!("{}/{offset}", view.digest))
}

#[cfg(test)]
mod tests {
    use wire::id::MemberNumber;

    use super::*;

    const AIKO: AccountNumber = AccountNumber::Member(MemberNumber(1));

    fn open(dir: &Path) -> Copies {
        Copies::open(dir, Key::new([1; 32])).unwrap()
    }

    fn vault(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    fn deposit(copies: &Copies, bytes: &[u8], at: u64) -> CopyView {
        let digest = Digest::of(&[bytes]);
        let mut taking = copies.begin(AIKO, bytes.len() as u64, digest, Timestamp(at)).unwrap();
        let mut last = false;
        for (number, piece) in bytes.chunks(limits::CHUNK).enumerate() {
            assert!(!last);
            last = copies.take(&mut taking, (number * limits::CHUNK) as u64, piece).unwrap();
        }
        assert!(last);
        CopyView { length: bytes.len() as u64, digest, at: Timestamp(at) }
    }

    fn taken(copies: &Copies) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let piece = copies.piece(AIKO, bytes.len() as u64).unwrap().unwrap();
            if piece.is_empty() {
                return bytes;
            }
            bytes.extend(piece);
        }
    }

    #[test]
    fn a_copy_comes_back_and_a_newer_one_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let copies = open(dir.path());
        assert_eq!(copies.view(AIKO).unwrap(), None);
        assert!(copies.piece(AIKO, 0).unwrap().is_none());
        for (at, length) in [(1, 200_000), (2, limits::CHUNK), (3, 1)] {
            let view = deposit(&copies, &vault(length), at);
            let copies = open(dir.path());
            assert_eq!(copies.view(AIKO).unwrap(), Some(view));
            assert_eq!(taken(&copies), vault(length));
        }
        copies.erase(AIKO).unwrap();
        copies.erase(AIKO).unwrap();
        assert_eq!(copies.view(AIKO).unwrap(), None);
    }

    #[test]
    fn a_torn_deposit_leaves_the_former_copy_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let copies = open(dir.path());
        let view = deposit(&copies, &vault(100), 1);
        let bytes = vault(100_000);
        let begin = || copies.begin(AIKO, 100_000, Digest::of(&[&bytes]), Timestamp(2)).unwrap();

        let mut torn = begin();
        copies.take(&mut torn, 0, &bytes[..limits::CHUNK]).unwrap();
        drop(torn);
        let mut changed = begin();
        copies.take(&mut changed, 0, &bytes[..limits::CHUNK]).unwrap();
        let wrong = copies.take(&mut changed, limits::CHUNK as u64, &vec![0; 100_000 - limits::CHUNK]);
        assert!(wrong.unwrap_err().to_string().contains("changed"));
        drop(changed);
        let mut gap = begin();
        assert!(copies.take(&mut gap, limits::CHUNK as u64, &bytes[limits::CHUNK..]).is_err());
        assert!(copies.take(&mut gap, 0, &bytes[..10]).is_err(), "a short piece in the middle");
        drop(gap);
        // The program died with a half-written file.
        std::mem::forget(begin());
        for length in [0, limits::VAULT_COPY + 1] {
            assert!(copies.begin(AIKO, length, view.digest, Timestamp(2)).is_err());
        }
        let copies = open(dir.path());
        assert_eq!(fs::read_dir(dir.path().join("copies")).unwrap().count(), 1);
        assert_eq!((copies.view(AIKO).unwrap(), taken(&copies)), (Some(view), vault(100)));
    }

    #[test]
    fn a_changed_copy_and_another_accounts_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let copies = open(dir.path());
        deposit(&copies, &vault(100), 1);
        let path = dir.path().join("copies/m1");
        fs::copy(&path, dir.path().join("copies/m2")).unwrap();
        assert!(copies.view(AccountNumber::Member(MemberNumber(2))).is_err());
        let mut bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(8).any(|window| vault(100).windows(8).any(|word| word == window)));
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(copies.piece(AIKO, 0).unwrap_err().to_string().contains("can't be opened"));
    }
}
