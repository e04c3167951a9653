//! The center's staff: who may act, and how they prove who they are.
//!
//! That an operator exists, with which role and which SSH key, is an entry of the books; here lies what proves the
//! identity: the SSH public key itself and the verifier of the own passphrase (Argon2id), and how often it was mistyped.
//! Whoever the books do not name, or name with another key, is not believed, whatever lies here. A wrong passphrase costs
//! a growing wait that a restart does not forget.
//!
//! A new identity, or a passphrase that an admin resets, waits beside the present one until the books have it: it may
//! take a second operator. Nothing else about the same operator or the same SSH key can wait meanwhile. An operator's own
//! new passphrase, proved by the old one, counts at once. A passphrase that an admin has reset does nothing but choose an
//! own one: whoever else knows it can't act under the operator's name unnoticed.

mod names;

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use data_encoding::HEXLOWER;
use ledger::request::OperatorRole;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use wire::{
    id::{Digest, EntryNumber},
    time::Timestamp,
};

use self::names::bare;
pub use self::names::{check_name, check_ssh_key, key_digest};
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
    /// The passphrase is right, and the books know another operator of this name, or none.
    #[error("the books do not know {0} as the one who signs in here; an admin must add this operator anew")]
    NotInBooks(String),
    /// The passphrase is right, and was chosen by somebody else.
    #[error("choose your own passphrase first: tui-center operator passphrase --as {0}")]
    Given(String),
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
    /// Passphrases are checked one after the other, so that each sees how often it was mistyped before.
    checking: Mutex<()>,
    /// Held from the look at what waits until the books have answered, so that of two acts about one operator the second
    /// sees the first.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    name: String,
    /// As the books say; `None` until they name the operator.
    #[serde(default)]
    role: Option<OperatorRole>,
    #[serde(flatten)]
    proof: Proof,
    #[serde(default)]
    wrong: u32,
    #[serde(default)]
    wrong_at: u64,
    /// What is to take the place of the present proof.
    #[serde(default)]
    waiting: Option<Waiting>,
}

/// A proof that counts when the books have it.
#[derive(Clone, Serialize, Deserialize)]
struct Waiting {
    proof: Proof,
    /// The proposal that another operator is to confirm; `None` while the books are asked.
    proposal: Option<EntryNumber>,
}

/// What proves an identity.
#[derive(Clone, Serialize, Deserialize)]
struct Proof {
    ssh_key: String,
    cost: Cost,
    salt: String,
    verifier: String,
    /// Whether an admin reset the passphrase: then it only serves to choose an own one.
    #[serde(default)]
    given: bool,
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
        Ok(Self {
            path: path.to_owned(),
            kept: Mutex::new(kept),
            checking: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// The first operator of a center that is being founded. Takes as long as Argon2id.
    ///
    /// # Errors
    /// As [`Operators::prepare`].
    pub fn found(&self, operator: &Operator, passphrase: &SecretString) -> Result<(), OperatorError> {
        self.prepare(&operator.name, &operator.ssh_key, passphrase, false)?;
        self.settle(&operator.name, Some((operator.role, key_digest(&operator.ssh_key))), None)
    }

    /// Keeps an identity that the books are about to be told of, or a new proof for an operator whom they know: it waits
    /// for [`Operators::settle`]. A passphrase that is `given` only serves to choose an own one. Takes as long as Argon2id.
    ///
    /// # Errors
    /// When name, key or passphrase can't be taken, or the file can't be written.
    pub fn prepare(
        &self,
        name: &str,
        ssh_key: &str,
        passphrase: &SecretString,
        given: bool,
    ) -> Result<(), OperatorError> {
        check_name(name).map_err(OperatorError::Unusable)?;
        let proof = Proof { given, ..Proof::new(ssh_key, passphrase)? };
        let waiting = Some(Waiting { proof: proof.clone(), proposal: None });
        let mut all = self.lock();
        match all.iter_mut().find(|kept| kept.name == name) {
            Some(kept) => kept.waiting = waiting,
            None => {
                all.push(Kept { name: name.to_owned(), role: None, proof, wrong: 0, wrong_at: 0, waiting });
            }
        }
        self.save(&all)
    }

    /// What was prepared for an operator waits for another operator's word on a proposal.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn proposed(&self, name: &str, proposal: EntryNumber) -> Result<(), OperatorError> {
        let mut all = self.lock();
        if let Some(waiting) =
            all.iter_mut().find(|kept| kept.name == name).and_then(|it| it.waiting.as_mut())
        {
            waiting.proposal = Some(proposal);
        }
        self.save(&all)
    }

    /// What the books say of an operator now: role and digest of the SSH key, or nothing. What was prepared for this very
    /// entry, asked alone or by a `proposal`, counts from now on.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn settle(
        &self,
        name: &str,
        said: Option<(OperatorRole, Digest)>,
        proposal: Option<EntryNumber>,
    ) -> Result<(), OperatorError> {
        let mut all = self.lock();
        let Some((role, key)) = said else {
            all.retain(|kept| kept.name != name);
            return self.save(&all);
        };
        if let Some(kept) = all.iter_mut().find(|kept| kept.name == name) {
            kept.role = Some(role);
            let meant = |it: &mut Waiting| it.proposal == proposal && key_digest(&it.proof.ssh_key) == key;
            if let Some(waited) = kept.waiting.take_if(meant) {
                kept.proof = waited.proof;
                (kept.wrong, kept.wrong_at) = (0, 0);
            }
        }
        self.save(&all)
    }

    /// What waited for an operator comes to nothing.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn drop_waiting(&self, name: &str) -> Result<(), OperatorError> {
        let mut all = self.lock();
        if let Some(kept) = all.iter_mut().find(|kept| kept.name == name) {
            kept.waiting = None;
        }
        all.retain(|kept| kept.name != name || kept.role.is_some());
        self.save(&all)
    }

    /// Takes over what the books say of all operators, and tells in sentences where the file does not go with them.
    /// `open` says whether a proposal may still be confirmed; what else waited was interrupted, and is to be done again.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn reconcile(
        &self,
        said: &BTreeMap<String, (OperatorRole, Digest)>,
        open: &dyn Fn(EntryNumber) -> bool,
    ) -> Result<Vec<String>, OperatorError> {
        let mut told = Vec::new();
        let mut all = self.lock();
        for kept in &mut *all {
            let known = said.get(&kept.name);
            kept.role = known.map(|(role, _)| *role);
            if let Some((_, key)) = known {
                let entered = |it: &mut Waiting| key_digest(&it.proof.ssh_key) == *key;
                if key_digest(&kept.proof.ssh_key) == *key {
                    // Nothing to say.
                } else if let Some(waited) = kept.waiting.take_if(entered) {
                    kept.proof = waited.proof;
                } else {
                    told.push(format!(
                        "The operators' file holds another SSH key for {0} than the books; {0} is not believed",
                        kept.name
                    ));
                }
            }
            kept.waiting.take_if(|waiting| !waiting.proposal.is_some_and(open));
        }
        all.retain(|kept| kept.role.is_some() || kept.waiting.is_some());
        for name in said.keys().filter(|name| !all.iter().any(|kept| kept.name == **name)) {
            told.push(format!(
                "The operators' file has nothing to prove {name} by; {name} cannot sign in until an admin adds this operator anew"
            ));
        }
        self.save(&all)?;
        Ok(told)
    }

    /// Held while an act about an operator is under way.
    pub(crate) async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Who has this SSH key under another name than `name`, whatever the comments say: an operator, or somebody about whom
    /// a proposal waits that is still `open`.
    pub fn same_key(
        &self,
        name: &str,
        ssh_key: &str,
        open: &dyn Fn(EntryNumber) -> bool,
    ) -> Option<(String, Option<EntryNumber>)> {
        let all = self.lock();
        let mut others = all.iter().filter(|kept| kept.name != name);
        others.find_map(|kept| {
            if kept.role.is_some() && bare(&kept.proof.ssh_key) == bare(ssh_key) {
                return Some((kept.name.clone(), None));
            }
            let waiting = kept.waiting.as_ref()?;
            let proposal = waiting.proposal.filter(|proposal| open(*proposal))?;
            (bare(&waiting.proof.ssh_key) == bare(ssh_key)).then(|| (kept.name.clone(), Some(proposal)))
        })
    }

    /// The SSH key of what waits for a proposal.
    pub fn waiting_key(&self, name: &str, proposal: EntryNumber) -> Option<String> {
        let all = self.lock();
        let waiting = all.iter().find(|kept| kept.name == name)?.waiting.as_ref()?;
        (waiting.proposal == Some(proposal)).then(|| waiting.proof.ssh_key.clone())
    }

    /// Whether an operator's passphrase was chosen by somebody else, so that an own one must be chosen first.
    pub fn is_given(&self, name: &str) -> bool {
        self.lock().iter().any(|kept| kept.name == name && kept.proof.given)
    }

    /// Gives an operator who has signed in another passphrase. Takes as long as Argon2id.
    ///
    /// # Errors
    /// When the passphrase can't be taken, is the given one again, or the file can't be written.
    pub fn change_own(&self, name: &str, passphrase: &SecretString) -> Result<(), OperatorError> {
        let present = {
            let all = self.lock();
            let kept = all.iter().find(|kept| kept.name == name).ok_or(OperatorError::Wrong)?;
            kept.proof.clone()
        };
        if present.given && self.opens(&present, passphrase)? {
            let words = "this is the passphrase that another operator chose; choose another one";
            return Err(OperatorError::Unusable(words.into()));
        }
        let proof = Proof::new(&present.ssh_key, passphrase)?;
        let mut all = self.lock();
        let kept = all.iter_mut().find(|kept| kept.name == name).ok_or(OperatorError::Wrong)?;
        kept.proof = proof;
        self.save(&all)
    }

    /// The operators, by name.
    pub fn list(&self) -> Vec<Operator> {
        let mut list: Vec<Operator> = self.lock().iter().filter_map(Kept::shown).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }

    /// Believes an operator who knows the passphrase, and whom the books name: `said` looks that up. Takes as long as
    /// Argon2id.
    ///
    /// # Errors
    /// [`OperatorError::Wait`] while a wait lasts: the passphrase is not even looked at.
    pub fn check(
        &self,
        name: &str,
        passphrase: &SecretString,
        now: Timestamp,
        said: &dyn Fn(&str) -> Option<(OperatorRole, Digest)>,
    ) -> Result<Operator, OperatorError> {
        let _one = self.checking.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
        let proof = &found.proof;
        let right = self.opens(proof, passphrase)?;
        self.count(name, right, now)?;
        if !right {
            return Err(OperatorError::Wrong);
        }
        match said(name) {
            Some((role, key)) if key == key_digest(&proof.ssh_key) => {
                Ok(Operator { name: found.name.clone(), role, ssh_key: proof.ssh_key.clone() })
            }
            _ => Err(OperatorError::NotInBooks(name.to_owned())),
        }
    }

    /// Whether a passphrase is the one of a proof. Takes as long as Argon2id.
    fn opens(&self, proof: &Proof, passphrase: &SecretString) -> Result<bool, OperatorError> {
        let salt = HEXLOWER.decode(proof.salt.as_bytes()).ok().and_then(|salt| salt.try_into().ok());
        let salt: [u8; 16] = salt.ok_or_else(|| unusable(&self.path, "a salt in it is damaged"))?;
        let shown = HEXLOWER.encode(&verifier(proof.cost, passphrase, &salt)?);
        // What is compared is a hash that only the passphrase makes; its bytes tell nothing that timing could leak.
        Ok(shown == proof.verifier)
    }

    /// Counts wrong passphrases; a right one ends the count.
    fn count(&self, name: &str, right: bool, now: Timestamp) -> Result<(), OperatorError> {
        let mut all = self.lock();
        let Some(kept) = all.iter_mut().find(|kept| kept.name == name) else { return Ok(()) };
        if right && kept.wrong == 0 {
            return Ok(());
        }
        kept.wrong = if right { 0 } else { kept.wrong.saturating_add(1) };
        kept.wrong_at = if right { 0 } else { now.0 };
        self.save(&all)
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
    fn shown(&self) -> Option<Operator> {
        Some(Operator { name: self.name.clone(), role: self.role?, ssh_key: self.proof.ssh_key.clone() })
    }
}

impl Proof {
    fn new(ssh_key: &str, passphrase: &SecretString) -> Result<Self, OperatorError> {
        check_ssh_key(ssh_key).map_err(OperatorError::Unusable)?;
        seal::check("the operator's passphrase", passphrase).map_err(OperatorError::Unusable)?;
        let (cost, salt) = (Cost::new(), seal::random::<16>());
        let verifier = HEXLOWER.encode(&verifier(cost, passphrase, &salt)?);
        let ssh_key = ssh_key.trim().to_owned();
        Ok(Self { ssh_key, cost, salt: HEXLOWER.encode(&salt), verifier, given: false })
    }
}

fn verifier(cost: Cost, passphrase: &SecretString, salt: &[u8; 16]) -> Result<[u8; 32], OperatorError> {
    let key = cost.key(passphrase, salt).map_err(OperatorError::Unusable)?;
    // Hashed once more, so that the file does not hold what could ever serve as a key.
    Ok(Digest::of(&[b"inkan/v1/operator", &*key]).0)
}

/// 1 s after the first wrong one beyond those forgiven, doubling.
fn wait_ms(wrong: u32) -> u64 {
    if wrong < FREE { 0 } else { (1000u64 << (wrong - FREE).min(20)).min(WAIT_MAX_MS) }
}

fn unusable(path: &Path, why: &str) -> OperatorError {
    OperatorError::Unusable(format!("the operators' file {} cannot be used: {why}", path.display()))
}

#[cfg(test)]
mod tests;
