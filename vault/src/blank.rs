//! A vault in the making, and how drafts become records.

use std::path::Path;

use secrecy::SecretString;
use wire::{admission::VaultPolicy, key::SigningKey};
use zeroize::Zeroizing;

use crate::{
    contents::{Contents, Draft},
    custody::SealedKey,
    error::Error,
    file::{Claim, FILE, VaultFile},
    header::{Failures, Header, Wrap},
    kind,
    page::InPage,
    password::Key,
    record::{self, Record},
    surroundings::Surroundings,
    vault::{Passwords, Vault},
};

/// A vault about to be made: the profile claimed, the passwords fit, nothing written.
pub(crate) struct Blank {
    claim: Claim,
    pub(crate) surroundings: Surroundings,
    header: Header,
    data_key: Key,
    password_b: SecretString,
    policy: Option<VaultPolicy>,
}

impl Blank {
    pub(crate) fn new(
        profile: &Path,
        passwords: &Passwords,
        surroundings: Surroundings,
        policy: Option<VaultPolicy>,
    ) -> Result<Self, Error> {
        passwords.check()?;
        let claim = Claim::take(profile)?;
        if Vault::exists(profile) {
            return Err(Error::Exists(profile.join(FILE)));
        }
        let (mode, vault) = (passwords.mode(), surroundings.array());
        let data_key: Key = Zeroizing::new(surroundings.array());
        let wrap = Wrap::new(&surroundings, mode, &vault, passwords.a(), &data_key, policy)?;
        let header = Header { generation: 0, mode, vault, wrap, failures: [Failures::default(); 2] };
        Ok(Self { claim, surroundings, header, data_key, password_b: passwords.b().clone(), policy })
    }

    /// The record of a signature key, sealed under password B.
    pub(crate) fn signature_key(&self, kind: u16, key: &SigningKey) -> Result<Draft, Error> {
        let Header { mode, vault, .. } = &self.header;
        let sealed = SealedKey::new(&self.surroundings, *mode, vault, &self.password_b, key, self.policy)?;
        Draft::own(kind, &sealed)
    }

    /// The record of a fresh terminal key.
    pub(crate) fn fresh_terminal_key(&self) -> Result<Draft, Error> {
        let seed: Key = Zeroizing::new(self.surroundings.array());
        Draft::own(kind::TERMINAL_KEY, &*seed)
    }

    /// Writes the vault with these records, whole or not at all.
    pub(crate) fn fill(self, drafts: Vec<Draft>) -> Result<Vault, Error> {
        let Self { claim, surroundings, header, data_key, .. } = self;
        let mut contents = Contents { next: 1, ..Contents::default() };
        let bytes = seal_all(&surroundings, &data_key, &header.vault, contents.next, &drafts);
        let file = VaultFile::create(claim, header, &bytes)?;
        take_in(&mut contents, crate::header::RECORDS, drafts)?;
        Ok(Vault { file, surroundings, data_key: InPage::new(data_key), contents })
    }
}

/// Seals drafts one after the other, as they are written.
pub(crate) fn seal_all(
    surroundings: &Surroundings,
    key: &Key,
    vault: &[u8; 16],
    first: u64,
    drafts: &[Draft],
) -> Vec<u8> {
    (first..)
        .zip(drafts)
        .flat_map(|(sequence, draft)| {
            record::seal(key, vault, surroundings.array(), sequence, draft.kind, &draft.content)
        })
        .collect()
}

/// Brings the state up to records that now lie in the file from `offset` on.
pub(crate) fn take_in(contents: &mut Contents, mut offset: u64, drafts: Vec<Draft>) -> Result<(), Error> {
    for Draft { kind, content } in drafts {
        let sequence = contents.next;
        contents.index.insert(sequence, offset);
        contents.next += 1;
        offset += record::span(content.len());
        contents.absorb(&Record { sequence, kind, bytes: content })?;
    }
    Ok(())
}
