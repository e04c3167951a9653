//! The center's staff: who may act, and how they prove who they are.
//!
//! That an operator exists, with which role, is an entry of the books; here lie what proves the identity: the SSH
//! public key and the verifier of the own passphrase (Argon2id), and how often it was mistyped. A wrong passphrase
//! costs a growing wait that a restart does not forget.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use data_encoding::{BASE64, HEXLOWER};
use ledger::request::OperatorRole;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use wire::{text::Line, time::Timestamp};

use crate::seal::{self, Cost};

/// How many wrong passphrases are forgiven before the wait begins.
const FREE: u32 = 3;
/// The longest wait, in milliseconds.
const WAIT_MAX_MS: u64 = 15 * 60 * 1000;

/// An operator as lists show one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The name, which entries of the books bear.
    pub name: String,
    /// What the operator may do.
    pub role: OperatorRole,
    /// The SSH public key, as in an `authorized_keys` file; empty where there is none.
    pub ssh_key: String,
}

/// Why an operator is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// No such operator, or another passphrase: which of both is not told.
    #[error("the operator's name or passphrase is wrong")]
    Wrong,
    /// Too many wrong tries.
    #[error("too many wrong passphrases for this operator; wait {0} seconds")]
    Wait(u64),
    /// The operator's role does not allow it.
    #[error("{name} is {has}; this takes a {needs}")]
    NotAllowed {
        /// Who.
        name: String,
        /// The role.
        has: &'static str,
        /// What it takes.
        needs: &'static str,
    },
    /// The file can't be read or written, or what was typed can't be taken.
    #[error("{0}")]
    Unusable(String),
}

/// A role's name.
pub fn role_name(role: OperatorRole) -> &'static str {
    match role {
        OperatorRole::Viewer => "viewer",
        OperatorRole::Clerk => "clerk",
        OperatorRole::Supervisor => "supervisor",
        OperatorRole::Admin => "admin",
    }
}

/// The operators of a center.
pub struct Operators {
    path: PathBuf,
    kept: Mutex<Vec<Kept>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    name: String,
    role: OperatorRole,
    ssh_key: String,
    cost: Cost,
    salt: String,
    verifier: String,
    #[serde(default)]
    wrong: u32,
    #[serde(default)]
    wrong_at: u64,
}

impl Operators {
    /// Reads the operators' file; there are none where there is no file yet.
    pub fn open(path: &Path) -> Result<Self, OperatorError> {
        let kept = match fs::read(path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| unusable(path, &error.to_string()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(unusable(path, &error.to_string())),
        };
        Ok(Self { path: path.to_owned(), kept: Mutex::new(kept) })
    }

    /// Adds an operator, or gives an existing one a new role, key and passphrase. Takes as long as Argon2id.
    pub fn put(&self, operator: Operator, passphrase: &SecretString) -> Result<(), OperatorError> {
        check_name(&operator.name).map_err(OperatorError::Unusable)?;
        if !operator.ssh_key.is_empty() {
            check_ssh_key(&operator.ssh_key).map_err(OperatorError::Unusable)?;
        }
        seal::check("the operator's passphrase", passphrase).map_err(OperatorError::Unusable)?;
        let (cost, salt) = (Cost::new(), seal::random::<16>());
        let verifier = verifier(cost, passphrase, &salt)?;
        let new = Kept {
            name: operator.name,
            role: operator.role,
            ssh_key: operator.ssh_key,
            cost,
            salt: HEXLOWER.encode(&salt),
            verifier: HEXLOWER.encode(&verifier),
            wrong: 0,
            wrong_at: 0,
        };
        let mut kept = self.lock();
        kept.retain(|old| old.name != new.name);
        kept.push(new);
        self.save(&kept)
    }

    /// The operators, by name.
    pub fn list(&self) -> Vec<Operator> {
        let mut list: Vec<Operator> = self.lock().iter().map(Kept::shown).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }

    /// Believes an operator who knows the passphrase. Takes as long as Argon2id.
    ///
    /// # Errors
    /// [`OperatorError::Wait`] while a wait lasts: the passphrase is not even looked at.
    pub fn check(
        &self,
        name: &str,
        passphrase: &SecretString,
        now: Timestamp,
    ) -> Result<Operator, OperatorError> {
        let found = self.lock().iter().find(|kept| kept.name == name).cloned();
        let Some(found) = found else {
            // As slow as for a name that exists.
            verifier(Cost::new(), passphrase, &[0; 16])?;
            return Err(OperatorError::Wrong);
        };
        let until = Timestamp(found.wrong_at).plus_ms(wait_ms(found.wrong));
        if now < until && found.wrong_at <= now.0 {
            return Err(OperatorError::Wait(until.since_ms(now).div_ceil(1000)));
        }
        let salt = HEXLOWER.decode(found.salt.as_bytes()).ok().and_then(|salt| salt.try_into().ok());
        let salt: [u8; 16] = salt.ok_or_else(|| unusable(&self.path, "a salt in it is damaged"))?;
        let shown = HEXLOWER.encode(&verifier(found.cost, passphrase, &salt)?);
        // What is compared is a hash that only the passphrase makes; its bytes tell nothing that timing could leak.
        let right = shown == found.verifier;
        let mut kept = self.lock();
        if let Some(kept) = kept.iter_mut().find(|kept| kept.name == name) {
            if right && kept.wrong == 0 {
                return Ok(found.shown());
            }
            kept.wrong = if right { 0 } else { kept.wrong.saturating_add(1) };
            kept.wrong_at = if right { 0 } else { now.0 };
        }
        self.save(&kept)?;
        if right { Ok(found.shown()) } else { Err(OperatorError::Wrong) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn save(&self, kept: &[Kept]) -> Result<(), OperatorError> {
        let draft = self.path.with_extension("json.new");
        let save = || {
            let text = serde_json::to_vec_pretty(kept)?;
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&draft, &self.path)?;
            self.path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
        };
        save().map_err(|error: std::io::Error| unusable(&self.path, &error.to_string()))
    }
}

impl Operator {
    /// Whether the role allows it.
    pub fn may(&self, needs: OperatorRole) -> Result<(), OperatorError> {
        if self.role >= needs {
            return Ok(());
        }
        Err(OperatorError::NotAllowed {
            name: self.name.clone(),
            has: role_name(self.role),
            needs: role_name(needs),
        })
    }
}

impl Kept {
    fn shown(&self) -> Operator {
        Operator { name: self.name.clone(), role: self.role, ssh_key: self.ssh_key.clone() }
    }
}

/// Whether a name can stand in the books: letters, digits, `.`, `-` and `_`, at most 40.
///
/// # Errors
/// In words.
pub fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let clean = Line::new(name).is_ok_and(|line| line.as_str() == name);
    if !name.is_empty() && name.chars().count() <= 40 && name.chars().all(plain) && clean {
        Ok(())
    } else {
        Err("an operator's name has 1 to 40 letters, digits, dots, hyphens or underscores".into())
    }
}

/// Whether a line is an OpenSSH public key: type, base64 that names the same type, and perhaps a comment.
///
/// # Errors
/// In words.
pub fn check_ssh_key(line: &str) -> Result<(), String> {
    let mut parts = line.split_whitespace();
    let (Some(kind), Some(blob)) = (parts.next(), parts.next()) else {
        return Err("this is no SSH public key: a line like “ssh-ed25519 AAAA... name” is expected".into());
    };
    let blob = BASE64.decode(blob.as_bytes()).unwrap_or_default();
    let named = blob
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?));
    if named != Some(kind.as_bytes()) {
        return Err("this is no SSH public key: its type and its content do not fit".into());
    }
    match kind {
        "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" | "ecdsa-sha2-nistp256" => Ok(()),
        _ => Err(format!("SSH keys of type {kind} are not taken; use ssh-ed25519")),
    }
}

fn verifier(cost: Cost, passphrase: &SecretString, salt: &[u8; 16]) -> Result<[u8; 32], OperatorError> {
    let key = cost.key(passphrase, salt).map_err(OperatorError::Unusable)?;
    // Hashed once more, so that the file does not hold what could ever serve as a key.
    Ok(wire::id::Digest::of(&[b"inkan/v1/operator", &*key]).0)
}

/// 1 s after the first wrong one beyond those forgiven, doubling.
fn wait_ms(wrong: u32) -> u64 {
    if wrong < FREE { 0 } else { (1000u64 << (wrong - FREE).min(20)).min(WAIT_MAX_MS) }
}

fn unusable(path: &Path, why: &str) -> OperatorError {
    OperatorError::Unusable(format!("the operators' file {} cannot be used: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const SSH: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl aiko@center";

    #[test]
    fn passphrases_are_checked_and_waits_grow_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (right, wrong) = (SecretString::from("the right one"), SecretString::from("the wrong one"));
        let aiko = Operator { name: "aiko".into(), role: OperatorRole::Clerk, ssh_key: SSH.into() };
        let operators = Operators::open(&dir.path().join("operators.json")).unwrap();
        operators.put(aiko.clone(), &right).unwrap();
        let now = Timestamp(1_000_000);
        assert_eq!(operators.check("aiko", &right, now), Ok(aiko.clone()));
        assert_eq!(operators.check("nobody", &right, now), Err(OperatorError::Wrong));
        for _ in 0..FREE {
            assert_eq!(operators.check("aiko", &wrong, now), Err(OperatorError::Wrong));
        }
        let operators = Operators::open(&dir.path().join("operators.json")).unwrap();
        assert_eq!(operators.check("aiko", &right, now), Err(OperatorError::Wait(1)));
        assert_eq!(operators.check("aiko", &wrong, now.plus_ms(1000)), Err(OperatorError::Wrong));
        assert_eq!(operators.check("aiko", &right, now.plus_ms(2000)), Err(OperatorError::Wait(1)));
        assert_eq!(operators.check("aiko", &right, now.plus_ms(3000)), Ok(aiko.clone()));
        assert_eq!(operators.check("aiko", &right, now.plus_ms(3000)), Ok(aiko.clone()));
        assert!(aiko.may(OperatorRole::Clerk).is_ok());
        assert!(aiko.may(OperatorRole::Admin).unwrap_err().to_string().contains("takes a admin"));
        let file = fs::read_to_string(dir.path().join("operators.json")).unwrap();
        assert!(!file.contains("right one"));
    }

    #[test]
    fn only_public_keys_and_plain_names_are_taken() {
        assert_eq!(check_ssh_key(SSH), Ok(()));
        for key in ["", "ssh-ed25519", "ssh-rsa AAAAC3NzaC1lZDI1NTE5", "-----BEGIN OPENSSH PRIVATE KEY-----"]
        {
            assert!(check_ssh_key(key).is_err(), "{key}");
        }
        for name in ["", "a b", "x\u{1b}[m", &"x".repeat(41)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert_eq!(check_name("愛子.s-1"), Ok(()));
    }
}
