//! The center's keys and where they lie.
//!
//! * The **root key** is sealed under its own passphrase in its own file. It signs key sheets and is needed for
//!   nothing else: the file may, and should, be moved to a medium that lies in a safe.
//! * The **service key**, 32 random bytes, opens what a serving center needs. It is sealed under a service
//!   passphrase in one slot, so that a second passphrase can be added and the first taken away without touching what
//!   the key protects.
//! * The **role keys** (TLS, checkpoint, card, directory, statement) are sealed under the service key.

use std::{fmt, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use hkdf::Hkdf;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use wire::{
    bounded::List,
    codec,
    key::{SigningKey, VerificationKey},
    sheet::{KeySheet, SheetKey, SheetRole},
    telegram::Telegram,
    text::Line,
};
use zeroize::Zeroizing;

use crate::seal::{self, Key, Sealed};

/// The largest key file that is read.
const FILE_MAX: usize = 64 << 10;
const ROOT_PURPOSE: &str = "inkan/v1/center/root-key";
const SERVICE_PURPOSE: &str = "inkan/v1/center/service-key";

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
    /// Signs chain heads.
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

    /// The first key sheet of a center: these keys from the journal's beginning.
    pub fn sheet(&self, root: &SigningKey, log_origin: Line) -> Telegram {
        let keys = self.each().map(|(role, key)| SheetKey {
            role,
            key: key.verification_key(),
            from_size: 0,
            until_size: None,
        });
        let center = root.verification_key().center();
        KeySheet { number: 1, center, log_origin, keys: List::first(keys) }.sign(root)
    }

    /// Whether a sheet names exactly these keys as those now in force.
    pub fn stand_on(&self, sheet: &KeySheet) -> bool {
        self.each().into_iter().all(|(role, key)| sheet.current(role) == Some(key.verification_key()))
    }

    fn each(&self) -> [(SheetRole, &SigningKey); 5] {
        [
            (SheetRole::Tls, &self.tls),
            (SheetRole::Checkpoint, &self.checkpoint),
            (SheetRole::Card, &self.card),
            (SheetRole::Directory, &self.directory),
            (SheetRole::Statement, &self.statement),
        ]
    }
}

impl fmt::Debug for RoleKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoleKeys(..)")
    }
}

/// What the service passphrase opens: the service key and the role keys.
pub struct Service {
    key: Key,
    roles: RoleKeys,
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
    let sealed = Sealed::new(passphrase, ROOT_PURPOSE, &*root.seed()).map_err(KeyFileError::Passphrase)?;
    write(path, &RootFile { version: 1, public: root.verification_key(), sealed })?;
    Ok(root)
}

/// Opens the root key's file.
pub fn open_root(path: &Path, passphrase: &SecretString) -> Result<SigningKey, KeyFileError> {
    let file: RootFile = read(path)?;
    let seed = file.sealed.open(passphrase, ROOT_PURPOSE).map_err(KeyFileError::Passphrase)?;
    let root = signing_key(&seed.ok_or(KeyFileError::WrongPassphrase("root"))?);
    match root {
        Some(root) if root.verification_key() == file.public => Ok(root),
        _ => Err(bad(path, "it holds another key than it names")),
    }
}

/// Makes the service key and the role keys and writes them, sealed, to a file that must not exist yet.
pub fn create_service(path: &Path, passphrase: &SecretString) -> Result<Service, KeyFileError> {
    seal::check("the service passphrase", passphrase).map_err(KeyFileError::Passphrase)?;
    let key = Key::new(seal::random());
    let roles = RoleKeys::generate();
    let sealed = Sealed::new(passphrase, SERVICE_PURPOSE, &*key).map_err(KeyFileError::Passphrase)?;
    let under = role_sealing_key(&key);
    let roles_sealed = roles
        .each()
        .map(|(role, signing)| (role, seal::seal(&under, &role_context(role), &*signing.seed())))
        .to_vec();
    write(path, &ServiceFile { version: 1, slots: vec![sealed], roles: roles_sealed })?;
    Ok(Service { key, roles })
}

/// Opens the service key's file.
pub fn open_service(path: &Path, passphrase: &SecretString) -> Result<Service, KeyFileError> {
    let file: ServiceFile = read(path)?;
    let mut opened = None;
    for slot in &file.slots {
        if let Some(key) = slot.open(passphrase, SERVICE_PURPOSE).map_err(KeyFileError::Passphrase)? {
            opened = Some(key);
            break;
        }
    }
    let opened = opened.ok_or(KeyFileError::WrongPassphrase("service"))?;
    let mut key = Key::default();
    if opened.len() != key.len() {
        return Err(bad(path, "its service key has the wrong length"));
    }
    key.copy_from_slice(&opened);
    let under = role_sealing_key(&key);
    let role_key = |wanted: SheetRole| {
        let (_, sealed) = file.roles.iter().find(|(role, _)| *role == wanted)?;
        signing_key(&seal::open(&under, &role_context(wanted), sealed)?)
    };
    let damaged = || bad(path, "a role key in it is damaged");
    let roles = RoleKeys {
        tls: role_key(SheetRole::Tls).ok_or_else(damaged)?,
        checkpoint: role_key(SheetRole::Checkpoint).ok_or_else(damaged)?,
        card: role_key(SheetRole::Card).ok_or_else(damaged)?,
        directory: role_key(SheetRole::Directory).ok_or_else(damaged)?,
        statement: role_key(SheetRole::Statement).ok_or_else(damaged)?,
    };
    Ok(Service { key, roles })
}

#[derive(Serialize, Deserialize)]
struct RootFile {
    version: u16,
    public: VerificationKey,
    sealed: Sealed,
}

#[derive(Serialize, Deserialize)]
struct ServiceFile {
    version: u16,
    slots: Vec<Sealed>,
    roles: Vec<(SheetRole, Vec<u8>)>,
}

trait Versioned {
    fn version(&self) -> u16;
}

impl Versioned for RootFile {
    fn version(&self) -> u16 {
        self.version
    }
}

impl Versioned for ServiceFile {
    fn version(&self) -> u16 {
        self.version
    }
}

/// The role keys lie under a key derived from the service key, which itself seals the cabinet.
fn role_sealing_key(service: &Key) -> Key {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, &**service)
        .expand(b"inkan/v1/center/role-keys", &mut *key)
        .expect("32 bytes are within HKDF's output limit");
    key
}

fn role_context(role: SheetRole) -> Vec<u8> {
    format!("inkan/v1/center/role-key/{role}").into_bytes()
}

fn signing_key(seed: &Zeroizing<Vec<u8>>) -> Option<SigningKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    if seed.len() != bytes.len() {
        return None;
    }
    bytes.copy_from_slice(seed);
    Some(SigningKey::from_seed(&bytes))
}

fn write<T: Serialize>(path: &Path, content: &T) -> Result<(), KeyFileError> {
    let save = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&codec::encode(content))?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    save().map_err(|error: std::io::Error| bad(path, &error.to_string()))
}

fn read<T: Versioned + serde::de::DeserializeOwned>(path: &Path) -> Result<T, KeyFileError> {
    let bytes = fs::read(path).map_err(|error| bad(path, &error.to_string()))?;
    let content: T =
        codec::decode("key file", &bytes, FILE_MAX).map_err(|error| bad(path, &error.to_string()))?;
    match content.version() {
        1 => Ok(content),
        version => Err(bad(path, &format!("it has version {version}, which this program does not know"))),
    }
}

fn bad(path: &Path, why: &str) -> KeyFileError {
    KeyFileError::File { path: path.display().to_string(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_files_and_open_for_their_passphrase_only() {
        let dir = tempfile::tempdir().unwrap();
        let (root_path, service_path) = (dir.path().join("root"), dir.path().join("service"));
        let (mine, other) = (SecretString::from("root passphrase"), SecretString::from("another one"));
        let root = create_root(&root_path, &mine).unwrap();
        assert_eq!(open_root(&root_path, &mine).unwrap().verification_key(), root.verification_key());
        assert!(matches!(open_root(&root_path, &other), Err(KeyFileError::WrongPassphrase("root"))));
        assert!(create_root(&root_path, &mine).is_err(), "a root key is never overwritten");

        let service = create_service(&service_path, &mine).unwrap();
        let opened = open_service(&service_path, &mine).unwrap();
        assert_eq!(opened.cabinet_key(), service.cabinet_key());
        let sheet = service.roles().sheet(&root, Line::new("test.example/1").unwrap());
        let sheet = KeySheet::verify(&sheet, &root.verification_key()).unwrap();
        assert!(opened.roles().stand_on(&sheet));
        assert!(!RoleKeys::generate().stand_on(&sheet));
        assert!(open_service(&service_path, &other).is_err());

        let stored = fs::read(&service_path).unwrap();
        for (_, key) in service.roles().each() {
            assert!(!stored.windows(32).any(|window| window == &key.seed()[..]), "no key in the clear");
        }
        fs::write(&service_path, b"nonsense").unwrap();
        assert!(open_service(&service_path, &mine).unwrap_err().to_string().contains("key file"));
    }
}
