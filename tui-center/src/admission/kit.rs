//! The admission kit: what a terminal needs to join, in one signed piece, and the programs that the center offers.
//!
//! Programs are public, so they lie in the cabinet's `kit` folder as they are, each named by its SHA-256. What the kit
//! offers is what the last signed kit names: the signature binds every digest, so that a program that somebody put into
//! the folder is never offered, and one that was changed there is never sent.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};
use wire::{
    admission::{Build, Kit, Terms, VaultPolicy},
    amount::Currency,
    bounded::List,
    id::{CenterId, Digest},
    key::SigningKey,
    limits,
    telegram::Telegram,
    text::Line,
    time::Timestamp,
};

use crate::books::{
    BooksError,
    cabinet::{Cabinet, Certificate},
};

/// The programs that a kit may offer.
pub const PROGRAMS: [&str; 3] = ["tui-member", "tui-store", "tui-center"];

/// The kit's folder and the newest signed kit. Every method blocks on the disk.
pub struct Kits {
    folder: PathBuf,
    cabinet: Cabinet,
    kept: Mutex<Kept>,
}

struct Kept {
    newest: Option<(Kit, Telegram)>,
    /// Programs whose digest was computed, and the file as it was then.
    checked: HashMap<Digest, Stamp>,
}

/// What says that a file is still the one that was looked at.
#[derive(PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

/// What a kit says beside its programs.
pub struct Frame {
    /// The center.
    pub center: CenterId,
    /// The signed key sheet in force.
    pub sheet: Telegram,
    /// The terms in force.
    pub terms: Terms,
    /// The floor of the vaults' password hashing.
    pub vault: VaultPolicy,
    /// The center's currency.
    pub currency: Currency,
}

/// A program to be offered.
pub struct NewBuild {
    /// Its name.
    pub program: String,
    /// Its platform, a target triple.
    pub platform: String,
    /// Its version.
    pub version: String,
}

/// Why a program is not sent.
#[derive(Debug)]
pub enum PieceError {
    /// The kit offers no such program.
    NotOffered,
    /// The file is not the program any more.
    Damaged(String),
}

impl Kits {
    /// Opens the kit that lies in the cabinet; `statement` has signed it. One that does not verify is given back in
    /// words and counts as none.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn open(
        cabinet_folder: &Path,
        cabinet: Cabinet,
        trusted: impl Fn(&Telegram) -> bool,
    ) -> Result<(Self, Option<String>), BooksError> {
        let folder = cabinet_folder.join("kit");
        fs::create_dir_all(&folder).map_err(|error| BooksError::Cabinet(told(&folder, &error)))?;
        let mut fault = None;
        let newest = cabinet.certificate(Certificate::Kit)?.and_then(|telegram| {
            let opened = telegram.verify_self::<Kit>();
            match opened {
                Ok(signed) if trusted(&telegram) => Some((signed.into_payload(), telegram)),
                Ok(_) => {
                    fault =
                        Some("the kept admission kit was signed by a key that was never the center's".into());
                    None
                }
                Err(error) => {
                    fault = Some(format!("the kept admission kit cannot be used: {error}"));
                    None
                }
            }
        });
        let kept = Mutex::new(Kept { newest, checked: HashMap::new() });
        Ok((Self { folder, cabinet, kept }, fault))
    }

    /// The newest kit: where anything in it has changed, a new one, signed and kept before it is given out.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn newest(&self, frame: &Frame, statement: &SigningKey) -> Result<(Kit, Telegram), BooksError> {
        let mut kept = self.kept();
        let builds = kept.newest.as_ref().map(|(kit, _)| kit.builds.clone()).unwrap_or_default();
        if let Some((kit, telegram)) = &kept.newest {
            let signer = wire::telegram::Signer::Key(statement.verification_key());
            if frame.holds(kit) && telegram.signer == signer {
                return Ok((kit.clone(), telegram.clone()));
            }
        }
        self.sign(&mut kept, frame, statement, builds)
    }

    /// Brings a program into the kit's folder, where it is not offered yet.
    ///
    /// # Errors
    /// In words: when the file can't be read or is too long, or the names make no sense.
    pub fn bring_in(&self, file: &Path, new: &NewBuild) -> Result<Build, String> {
        let (program, platform, version) = new.checked()?;
        let (digest, length) = self.bring(file).map_err(|error| told(file, &error))?;
        Ok(Build { program, platform, version, length, digest })
    }

    /// Whether the kit offers a program.
    pub fn offers(&self, digest: Digest) -> bool {
        let kept = self.kept();
        kept.newest.as_ref().is_some_and(|(kit, _)| kit.builds.iter().any(|build| build.digest == digest))
    }

    /// Offers a program that was brought in, in the place of an older version for the same platform.
    ///
    /// # Errors
    /// In words: when the kit is full, or it can't be kept.
    pub fn offer(&self, build: &Build, frame: &Frame, statement: &SigningKey) -> Result<(), String> {
        let mut kept = self.kept();
        let mut builds = kept.newest.as_ref().map(|(kit, _)| kit.builds.to_vec()).unwrap_or_default();
        let former: Vec<Digest> = {
            let same = |other: &Build| other.program == build.program && other.platform == build.platform;
            let former = builds.iter().filter(|other| same(other)).map(|other| other.digest).collect();
            builds.retain(|other| !same(other));
            former
        };
        builds.push(build.clone());
        builds.sort_by(|a, b| (&a.program, &a.platform).cmp(&(&b.program, &b.platform)));
        let builds =
            List::new(builds).map_err(|_| format!("a kit offers at most {} programs", limits::BUILDS))?;
        self.sign(&mut kept, frame, statement, builds).map_err(|error| error.to_string())?;
        self.clear(&kept, &former);
        Ok(())
    }

    /// Offers a program no more.
    ///
    /// # Errors
    /// In words, when the kit has no such program.
    pub fn remove(&self, digest: Digest, frame: &Frame, statement: &SigningKey) -> Result<Build, String> {
        let mut kept = self.kept();
        let builds = kept.newest.as_ref().map(|(kit, _)| kit.builds.to_vec()).unwrap_or_default();
        let removed = builds.iter().find(|build| build.digest == digest).cloned();
        let removed = removed.ok_or_else(|| format!("the kit offers no program with SHA-256 {digest}"))?;
        let rest = List::first(builds.into_iter().filter(|build| build.digest != digest));
        self.sign(&mut kept, frame, statement, rest).map_err(|error| error.to_string())?;
        self.clear(&kept, &[digest]);
        Ok(removed)
    }

    /// A piece of a program that the kit offers, from a byte on; empty at its end. The whole file is checked before its
    /// first piece is given, and whenever it has changed.
    ///
    /// # Errors
    /// [`PieceError::Damaged`] is for the operators.
    pub fn piece(&self, digest: Digest, offset: u64) -> Result<Vec<u8>, PieceError> {
        let (file, length) = self.checked(digest)?;
        let left = length.saturating_sub(offset);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(limits::CHUNK);
        let mut piece = vec![0; most];
        file.read_exact_at(&mut piece, offset)
            .map_err(|error| PieceError::Damaged(told(&self.path(digest), &error)))?;
        Ok(piece)
    }

    /// Where the whole of a program lies that the kit offers, checked.
    ///
    /// # Errors
    /// As [`Kits::piece`].
    pub fn file(&self, digest: Digest) -> Result<PathBuf, PieceError> {
        self.checked(digest).map(|_| self.path(digest))
    }

    fn checked(&self, digest: Digest) -> Result<(File, u64), PieceError> {
        let damaged = |why: String| PieceError::Damaged(why);
        let offered = {
            let kept = self.kept();
            let build = kept
                .newest
                .as_ref()
                .and_then(|(kit, _)| kit.builds.iter().find(|build| build.digest == digest));
            build.map(|build| (build.program.clone(), build.length))
        };
        let (program, length) = offered.ok_or(PieceError::NotOffered)?;
        let path = self.path(digest);
        let mut file = File::open(&path).map_err(|error| damaged(told(&path, &error)))?;
        let stamp = Stamp::of(&file).map_err(|error| damaged(told(&path, &error)))?;
        if self.kept().checked.get(&digest) != Some(&stamp) {
            let found = hash(&mut file, &mut io::sink()).map_err(|error| damaged(told(&path, &error)))?;
            if found != (digest, length) {
                self.kept().checked.remove(&digest);
                return Err(damaged(format!(
                    "{} is not the {program} that the kit names; add it again",
                    path.display()
                )));
            }
            self.kept().checked.insert(digest, stamp);
        }
        Ok((file, length))
    }

    /// Copies a file into the folder under its digest, whole or not at all.
    fn bring(&self, file: &Path) -> io::Result<(Digest, u64)> {
        let mut source = File::open(file)?;
        if source.metadata()?.len() > limits::BUILD {
            let words = format!("it is longer than {} MiB", limits::BUILD >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, words));
        }
        let draft = self.folder.join(format!(".new-{}", u64::from_le_bytes(crate::seal::random())));
        let mut copy = || {
            let mut target = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
            let (digest, length) = hash(&mut source, &mut target)?;
            if length == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
            }
            target.sync_all()?;
            fs::rename(&draft, self.path(digest))?;
            File::open(&self.folder)?.sync_all()?;
            Ok((digest, length))
        };
        copy().inspect_err(|_| {
            // What is left of it is named by no kit.
            let _ = fs::remove_file(&draft);
        })
    }

    fn sign(
        &self,
        kept: &mut Kept,
        frame: &Frame,
        statement: &SigningKey,
        builds: List<Build, { limits::BUILDS }>,
    ) -> Result<(Kit, Telegram), BooksError> {
        let kit = Kit {
            center: frame.center,
            number: kept.newest.as_ref().map_or(0, |(kit, _)| kit.number) + 1,
            issued: Timestamp::now(),
            sheet: frame.sheet.clone(),
            terms: frame.terms.clone(),
            vault: frame.vault,
            currency: frame.currency,
            builds,
        };
        let telegram = Telegram::sign_as_key(&kit, statement);
        self.cabinet.put_certificate(Certificate::Kit, &telegram)?;
        kept.newest = Some((kit.clone(), telegram.clone()));
        Ok((kit, telegram))
    }

    /// Removes programs that the kit names no more.
    fn clear(&self, kept: &Kept, former: &[Digest]) {
        let named = |digest: &Digest| {
            kept.newest
                .as_ref()
                .is_some_and(|(kit, _)| kit.builds.iter().any(|build| build.digest == *digest))
        };
        for digest in former.iter().filter(|digest| !named(digest)) {
            if let Err(error) = fs::remove_file(self.path(*digest)) {
                // It takes room and is offered to nobody.
                tracing::warn!("{}", told(&self.path(*digest), &error));
            }
        }
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frame {
    fn holds(&self, kit: &Kit) -> bool {
        (kit.center, &kit.sheet, &kit.terms, kit.vault, kit.currency)
            == (self.center, &self.sheet, &self.terms, self.vault, self.currency)
    }
}

impl NewBuild {
    fn checked(&self) -> Result<(Line, Line, Line), String> {
        let plain = |text: &str, more: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            (1..=80).contains(&text.len()) && text.chars().all(fits)
        };
        if !PROGRAMS.contains(&self.program.as_str()) {
            return Err(format!("a kit offers {}", PROGRAMS.join(", ")));
        }
        if !plain(&self.platform, "-_.") || !self.platform.contains('-') {
            return Err("a platform is a target triple, like x86_64-unknown-linux-gnu".into());
        }
        let numbers = self.version.split(['-', '+']).next().unwrap_or_default();
        let semantic = numbers.split('.').count() == 3
            && numbers.split('.').all(|part| part.parse::<u32>().is_ok())
            && plain(&self.version, ".-+");
        if !semantic {
            return Err("a version is three numbers with dots, like 1.2.0".into());
        }
        let line = |text: &str| Line::new(text).map_err(|error| error.to_string());
        Ok((line(&self.program)?, line(&self.platform)?, line(&self.version)?))
    }
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let data = file.metadata()?;
        Ok(Self { inode: data.ino(), length: data.len(), changed: (data.ctime(), data.ctime_nsec()) })
    }
}

fn hash(source: &mut File, target: &mut dyn io::Write) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut length = 0u64;
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = source.read(&mut piece)?;
        if read == 0 {
            return Ok((Digest(hasher.finalize().into()), length));
        }
        length += read as u64;
        if length > limits::BUILD {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too long"));
        }
        hasher.update(&piece[..read]);
        target.write_all(&piece[..read])?;
    }
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {}", path.display(), error.to_string().split(" (os error").next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use wire::{key::SigningKey, text::Prose};

    use super::*;

    fn add(kits: &Kits, file: &Path, new: &NewBuild) -> Result<Build, String> {
        let build = kits.bring_in(file, new)?;
        kits.offer(&build, &frame(1), &statement()).map(|()| build)
    }

    fn frame(version: u32) -> Frame {
        Frame {
            center: CenterId([1; 32]),
            sheet: crate::books::sample::telegram(),
            terms: Terms { version, text: Prose::new("Be kind.").unwrap() },
            vault: VaultPolicy { memory_kib: 65_536, passes: 3 },
            currency: Currency::YEN,
        }
    }

    fn open(dir: &Path) -> (Kits, Option<String>) {
        let statement = statement().verification_key();
        Kits::open(dir, Cabinet::open(dir, &[3; 32]).unwrap(), |telegram| {
            telegram.signer == wire::telegram::Signer::Key(statement)
        })
        .unwrap()
    }

    fn statement() -> SigningKey {
        SigningKey::from_seed(&[8; 32])
    }

    fn new(version: &str) -> NewBuild {
        NewBuild {
            program: "tui-member".into(),
            platform: "x86_64-unknown-linux-gnu".into(),
            version: version.into(),
        }
    }

    #[test]
    fn a_kit_is_signed_anew_only_when_something_changed() {
        let dir = tempfile::tempdir().unwrap();
        let (kits, _) = open(dir.path());
        let (first, telegram) = kits.newest(&frame(1), &statement()).unwrap();
        assert_eq!(first.number, 1);
        assert_eq!(kits.newest(&frame(1), &statement()).unwrap(), (first, telegram));
        assert_eq!(kits.newest(&frame(2), &statement()).unwrap().0.number, 2);
        drop(kits);
        let (kits, fault) = open(dir.path());
        assert_eq!((kits.newest(&frame(2), &statement()).unwrap().0.number, fault), (2, None));
        let rotated = SigningKey::from_seed(&[9; 32]);
        assert_eq!(kits.newest(&frame(2), &rotated).unwrap().0.number, 3, "signed by the key in force");
        drop(kits);
        let (kits, fault) = open(dir.path());
        assert!(fault.unwrap().contains("never the center's"));
        drop(kits);
    }

    #[test]
    fn programs_are_given_in_pieces_and_a_tampered_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (kits, _) = open(dir.path());
        let file = dir.path().join("tui-member");
        let program: Vec<u8> = (0..limits::CHUNK * 2 + 7).map(|at| at as u8).collect();
        fs::write(&file, &program).unwrap();
        let build = add(&kits, &file, &new("0.2.0")).unwrap();
        assert_eq!((build.length, build.digest), (program.len() as u64, Digest::of(&[&program])));
        let mut got = Vec::new();
        loop {
            let piece = kits.piece(build.digest, got.len() as u64).unwrap();
            if piece.is_empty() {
                break;
            }
            got.extend(piece);
        }
        assert_eq!(got, program);
        assert!(matches!(kits.piece(Digest([0; 32]), 0), Err(PieceError::NotOffered)));
        assert!(kits.piece(build.digest, u64::MAX).unwrap().is_empty());

        let path = dir.path().join("kit").join(build.digest.to_string());
        let mut tampered = program.clone();
        tampered[9] ^= 1;
        fs::write(&path, &tampered).unwrap();
        assert!(matches!(kits.piece(build.digest, 0), Err(PieceError::Damaged(_))));
        fs::write(&path, &program).unwrap();
        assert!(kits.piece(build.digest, 0).is_ok());

        fs::write(&file, b"newer").unwrap();
        let newer = add(&kits, &file, &new("0.3.0")).unwrap();
        assert!(!path.exists(), "the older version is offered no more");
        let (kit, _) = kits.newest(&frame(1), &statement()).unwrap();
        assert_eq!(kit.builds.iter().map(|build| build.digest).collect::<Vec<_>>(), [newer.digest]);
        kits.remove(newer.digest, &frame(1), &statement()).unwrap();
        assert!(kits.newest(&frame(1), &statement()).unwrap().0.builds.is_empty());
        assert!(kits.remove(newer.digest, &frame(1), &statement()).is_err());
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (kits, _) = open(dir.path());
        let file = dir.path().join("tui-member");
        let add = |new: &NewBuild| add(&kits, &file, new).unwrap_err();
        assert!(add(&new("0.2.0")).contains("tui-member"), "no such file");
        fs::write(&file, b"").unwrap();
        assert!(add(&new("0.2.0")).contains("empty"));
        fs::write(&file, b"x").unwrap();
        assert!(add(&new("two")).contains("version"));
        assert!(add(&NewBuild { program: "rm".into(), ..new("0.2.0") }).contains("offers"));
        assert!(add(&NewBuild { platform: "linux".into(), ..new("0.2.0") }).contains("triple"));
    }
}
