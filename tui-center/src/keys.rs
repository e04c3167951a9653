//! The center's keys and where they lie.
//!
//! * The **root key** is sealed under its own passphrases in its own file. It signs key sheets and is needed for
//!   nothing else: the file may, and should, be moved to a medium that lies in a safe.
//! * The **service key**, 32 random bytes, opens what a serving center needs. It is sealed under the service
//!   passphrases in slots, so that a second passphrase can be added and the first taken away without touching what the
//!   key protects. One of them may be printed and locked away.
//! * The **role keys** (TLS, checkpoint, card, directory, statement) are sealed under the service key.
//!
//! When the role keys are rotated, both generations lie in the file until the books name the sheet that puts the new
//! ones in force: whatever dies in between, [`Service::settle`] finds the generation that the books name. The checkpoint
//! key that was replaced last stays, for the journal's size at the change is signed with it for ever.
//!
//! What is open lies on pages that the system is asked not to swap out, and is wiped when it is dropped.

mod file;
mod page;
mod slot;

use std::{fmt, path::Path};

use hkdf::Hkdf;
use secrecy::SecretString;
use sha2::Sha256;
use wire::{
    bounded::{List, TooMany},
    id::Digest,
    key::SigningKey,
    sheet::{KeySheet, LogBreak, SheetKey, SheetRole},
    telegram::Telegram,
    text::Line,
    time::Timestamp,
};
use zeroize::Zeroizing;

use self::{
    file::{Retired, RootFile, SealedRole, ServiceFile},
    slot::Slots,
};
pub use self::{
    file::{add_passphrase, change_passphrase, passphrases, remove_passphrase},
    page::Locked,
    slot::{SlotView, printed_passphrase},
};
use crate::seal::{self, Key};

/// Every role of the sheet.
pub const ROLES: [SheetRole; 5] =
    [SheetRole::Tls, SheetRole::Checkpoint, SheetRole::Card, SheetRole::Directory, SheetRole::Statement];

/// Why a key file does not open.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The passphrase does not open it.
    #[error("the {0} passphrase is wrong")]
    WrongPassphrase(&'static str),
    /// The file can't be read or written.
    #[error("the key file {path} cannot be used: {why}")]
    File {
        /// Which.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The passphrase may not be chosen, or no key can be derived from it.
    #[error("{0}")]
    Passphrase(String),
}

/// The two key files of a center.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFile {
    /// The root key's.
    Root,
    /// The service key's.
    Service,
}

impl KeyFile {
    /// `root` or `service`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Service => "service",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Root => "inkan/v1/center/root-key",
            Self::Service => "inkan/v1/center/service-key",
        }
    }
}

/// The keys with which a serving center speaks.
#[derive(Clone)]
pub struct RoleKeys {
    /// Shown on the line.
    pub tls: SigningKey,
    /// Signs checkpoints.
    pub checkpoint: SigningKey,
    /// Signs card certificates.
    pub card: SigningKey,
    /// Signs directory pages.
    pub directory: SigningKey,
    /// Signs chain heads and kits.
    pub statement: SigningKey,
}

impl RoleKeys {
    /// Fresh keys.
    pub fn generate() -> Self {
        Self {
            tls: SigningKey::generate(),
            checkpoint: SigningKey::generate(),
            card: SigningKey::generate(),
            directory: SigningKey::generate(),
            statement: SigningKey::generate(),
        }
    }

    /// These keys, with fresh ones in some roles.
    pub fn rotated(&self, roles: &[SheetRole]) -> Self {
        let mut keys = self.clone();
        for role in roles {
            *keys.of_mut(*role) = SigningKey::generate();
        }
        keys
    }

    /// The first key sheet of a center: these keys from the journal's beginning.
    pub fn sheet(&self, root: &SigningKey, log_origin: Line) -> Telegram {
        let keys = ROLES.map(|role| SheetKey {
            role,
            key: self.of(role).verification_key(),
            from_size: 0,
            until_size: None,
        });
        let center = root.verification_key().center();
        KeySheet {
            number: 1,
            center,
            breaks: wire::bounded::List::default(),
            log_origin,
            keys: List::first(keys),
        }
        .sign(root)
    }

    /// The sheet that follows `former` and puts these keys in force, entered as the entry whose number is `entry`. The
    /// former keys count up to the journal's size with that entry in it: the checkpoint over it is the old key's last.
    ///
    /// # Errors
    /// When a sheet can't hold so many keys.
    pub fn next_sheet(&self, former: &KeySheet, entry: u64) -> Result<KeySheet, TooMany> {
        let last = entry + 1;
        let mut keys = former.keys.clone().into_vec();
        for role in ROLES {
            let key = self.of(role).verification_key();
            if former.current(role) == Some(key) {
                continue;
            }
            for old in keys.iter_mut().filter(|old| old.role == role && old.until_size.is_none()) {
                old.until_size = Some(last);
            }
            keys.push(SheetKey { role, key, from_size: last + 1, until_size: None });
        }
        Ok(KeySheet { number: former.number + 1, keys: List::new(keys)?, ..former.clone() })
    }

    /// The sheet under which a log goes on from a size and root: under its next name, with these keys, of which the
    /// checkpoint key is a new one. It is entered as the entry of number `size`, and the former checkpoint key signs
    /// nothing beyond that size.
    ///
    /// # Errors
    /// When a sheet can't hold so many keys or names.
    pub fn resumed_sheet(&self, former: &KeySheet, size: u64, root: Digest) -> Result<KeySheet, TooMany> {
        let mut breaks = former.breaks.clone().into_vec();
        breaks.push(LogBreak { origin: former.log_origin.clone(), size, root });
        let entry = size.saturating_sub(1);
        let next = self.next_sheet(former, entry)?;
        Ok(KeySheet { breaks: List::new(breaks)?, log_origin: next_name(&former.log_origin), ..next })
    }

    /// Whether a sheet names exactly these keys as those now in force.
    pub fn stand_on(&self, sheet: &KeySheet) -> bool {
        ROLES.into_iter().all(|role| sheet.current(role) == Some(self.of(role).verification_key()))
    }

    fn of(&self, role: SheetRole) -> &SigningKey {
        match role {
            SheetRole::Tls => &self.tls,
            SheetRole::Checkpoint => &self.checkpoint,
            SheetRole::Card => &self.card,
            SheetRole::Directory => &self.directory,
            SheetRole::Statement => &self.statement,
        }
    }

    fn of_mut(&mut self, role: SheetRole) -> &mut SigningKey {
        match role {
            SheetRole::Tls => &mut self.tls,
            SheetRole::Checkpoint => &mut self.checkpoint,
            SheetRole::Card => &mut self.card,
            SheetRole::Directory => &mut self.directory,
            SheetRole::Statement => &mut self.statement,
        }
    }
}

impl fmt::Debug for RoleKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoleKeys(..)")
    }
}

/// What the service passphrase opens: the service key and the role keys.
pub struct Service {
    key: Locked<Key>,
    roles: Locked<RoleKeys>,
    /// Those of a rotation that the books may or may not have taken.
    next: Option<Locked<RoleKeys>>,
    /// The checkpoint key before the present one, and the last size that it signs.
    retired: Option<(u64, SigningKey)>,
}

impl Service {
    /// The key that seals the cabinet.
    pub fn cabinet_key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The keys with which the center speaks.
    pub fn roles(&self) -> &RoleKeys {
        &self.roles
    }

    /// The keys of a rotation that was begun.
    pub fn next(&self) -> Option<&RoleKeys> {
        self.next.as_deref()
    }

    /// The checkpoint key before the present one, and the last size that it signs.
    pub fn retired(&self) -> Option<(u64, &SigningKey)> {
        self.retired.as_ref().map(|(until, key)| (*until, key))
    }

    /// Keeps the keys of a rotation beside those in force, durably, before anything names them.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn begin_rotation(&mut self, path: &Path, next: RoleKeys) -> Result<(), KeyFileError> {
        let under = role_sealing_key(&self.key);
        file::edit(path, |file: &mut ServiceFile| {
            file.next = sealed_roles(&under, &next);
            Ok(())
        })?;
        self.next = Some(Locked::new(next));
        Ok(())
    }

    /// Ends a rotation by the sheet that the books name: its keys become those in force, the others are forgotten.
    ///
    /// # Errors
    /// When no keys are those that the sheet names, or the file system refuses.
    pub fn settle(&mut self, path: &Path, sheet: &KeySheet) -> Result<(), KeyFileError> {
        let taken = match self.next.take() {
            Some(next) if next.stand_on(sheet) => Some(next),
            None if self.roles.stand_on(sheet) => return Ok(()),
            _ if self.roles.stand_on(sheet) => None,
            _ => return Err(file::bad(path, "its role keys are not those that the key sheet names")),
        };
        if let Some(next) = taken {
            let public = self.roles.checkpoint.verification_key();
            let replaced = |entry: &&SheetKey| entry.role == SheetRole::Checkpoint && entry.key == public;
            if let Some(until) = sheet.keys.iter().find(replaced).and_then(|entry| entry.until_size) {
                self.retired = Some((until, self.roles.checkpoint.clone()));
            }
            self.roles = next;
        }
        let under = role_sealing_key(&self.key);
        let roles = sealed_roles(&under, &self.roles);
        let retired = self.retired.as_ref().map(|(until_size, key)| Retired {
            until_size: *until_size,
            sealed: seal::seal(&under, &retired_context(*until_size), &*key.seed()),
        });
        file::edit(path, |file: &mut ServiceFile| {
            file.roles = roles;
            file.next = Vec::new();
            file.retired = retired;
            Ok(())
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service(..)")
    }
}

/// Makes a root key and writes it, sealed, to a file that must not exist yet.
pub fn create_root(path: &Path, passphrase: &SecretString) -> Result<SigningKey, KeyFileError> {
    seal::check("the root passphrase", passphrase).map_err(KeyFileError::Passphrase)?;
    let root = SigningKey::generate();
    let slots = Slots::first(KeyFile::Root, passphrase, &root.seed(), Timestamp::now())?;
    file::create(path, &RootFile::new(root.verification_key(), slots))?;
    Ok(root)
}

/// Opens the root key's file.
pub fn open_root(path: &Path, passphrase: &SecretString) -> Result<SigningKey, KeyFileError> {
    let file: RootFile = file::read(path)?;
    let (seed, _) = file.slots.open(KeyFile::Root, passphrase)?;
    let root = SigningKey::from_seed(&seed);
    if root.verification_key() == file.public {
        Ok(root)
    } else {
        Err(file::bad(path, "it holds another key than it names"))
    }
}

/// Makes the service key and the role keys and writes them, sealed, to a file that must not exist yet.
pub fn create_service(path: &Path, passphrase: &SecretString) -> Result<Service, KeyFileError> {
    seal::check("the service passphrase", passphrase).map_err(KeyFileError::Passphrase)?;
    let key = Key::new(seal::random());
    let roles = RoleKeys::generate();
    let slots = Slots::first(KeyFile::Service, passphrase, &key, Timestamp::now())?;
    file::create(path, &ServiceFile::new(slots, sealed_roles(&role_sealing_key(&key), &roles)))?;
    Ok(Service { key: Locked::new(key), roles: Locked::new(roles), next: None, retired: None })
}

/// Opens the service key's file.
pub fn open_service(path: &Path, passphrase: &SecretString) -> Result<Service, KeyFileError> {
    let file: ServiceFile = file::read(path)?;
    let (key, _) = file.slots.open(KeyFile::Service, passphrase)?;
    let under = role_sealing_key(&key);
    let damaged = || file::bad(path, "a role key in it is damaged");
    let roles = opened_roles(&under, &file.roles).ok_or_else(damaged)?;
    let next = match file.next.as_slice() {
        [] => None,
        sealed => Some(Locked::new(opened_roles(&under, sealed).ok_or_else(damaged)?)),
    };
    let retired = match &file.retired {
        None => None,
        Some(Retired { until_size, sealed }) => {
            let key = seal::open(&under, &retired_context(*until_size), sealed);
            Some((*until_size, key.and_then(signing_key).ok_or_else(damaged)?))
        }
    };
    Ok(Service { key: Locked::new(key), roles: Locked::new(roles), next, retired })
}

/// A log's next name: `inkan/…/1` becomes `inkan/…/2`.
fn next_name(name: &Line) -> Line {
    let counted = name.rsplit_once('/').and_then(|(stem, count)| Some((stem, count.parse::<u32>().ok()?)));
    let next = match counted {
        Some((stem, count)) => format!("{stem}/{}", count.saturating_add(1)),
        None => format!("{name}/2"),
    };
    // A name of a center is far shorter than a line; one that can't grow keeps what fits.
    Line::new(&next).unwrap_or_else(|_| name.clone())
}

/// The role keys lie under a key derived from the service key, which itself seals the cabinet.
fn role_sealing_key(service: &Key) -> Key {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, &**service)
        .expand(b"inkan/v1/center/role-keys", &mut *key)
        .expect("32 bytes are within HKDF's output limit");
    key
}

fn sealed_roles(under: &Key, roles: &RoleKeys) -> Vec<SealedRole> {
    let sealed = |role| (role, seal::seal(under, &role_context(role), &*roles.of(role).seed()));
    ROLES.map(sealed).to_vec()
}

fn opened_roles(under: &Key, sealed: &[SealedRole]) -> Option<RoleKeys> {
    let role_key = |wanted: SheetRole| {
        let (_, sealed) = sealed.iter().find(|(role, _)| *role == wanted)?;
        signing_key(seal::open(under, &role_context(wanted), sealed)?)
    };
    Some(RoleKeys {
        tls: role_key(SheetRole::Tls)?,
        checkpoint: role_key(SheetRole::Checkpoint)?,
        card: role_key(SheetRole::Card)?,
        directory: role_key(SheetRole::Directory)?,
        statement: role_key(SheetRole::Statement)?,
    })
}

fn role_context(role: SheetRole) -> Vec<u8> {
    format!("inkan/v1/center/role-key/{role}").into_bytes()
}

fn retired_context(until_size: u64) -> Vec<u8> {
    format!("inkan/v1/center/retired-checkpoint-key/{until_size}").into_bytes()
}

fn signing_key(seed: Zeroizing<Vec<u8>>) -> Option<SigningKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    if seed.len() != bytes.len() {
        return None;
    }
    bytes.copy_from_slice(&seed);
    Some(SigningKey::from_seed(&bytes))
}

#[cfg(test)]
mod tests;
