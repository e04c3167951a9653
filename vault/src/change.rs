//! Changes that replace what is in the file: other passwords, records left out.

use std::io::{self, Write};

use secrecy::SecretString;

use crate::{
    custody::SealedKey,
    error::{Error, Which},
    header::{Header, Mode, RECORDS, Wrap},
    kind,
    open::open_wrap,
    password,
    record::{self, Record, Span},
    vault::Vault,
};

impl Vault {
    /// Changes password A (with a single password: that one).
    ///
    /// Both header slots are written, so that the old password opens nothing in this file. Copies made before still
    /// open with it.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] and [`Error::TooSoon`] about the old one, [`Error::Unfit`] about the new one; failures of
    /// the disk, after which either the old or the new one opens the vault, never none.
    pub fn change_password_a(&mut self, old: &SecretString, new: &SecretString) -> Result<(), Error> {
        password::check(Which::A, new)?;
        open_wrap(&mut self.file, &self.surroundings, old)?;
        let (mode, id) = (self.mode(), self.file.header.vault);
        match mode {
            Mode::Double => {
                if self.opens_signature_key(new)? {
                    return Err(Error::Unfit { which: Which::A, why: "must differ from password B" });
                }
                let wrap = Wrap::new(&self.surroundings, mode, &id, new, &self.data_key)?;
                self.file.write_both_headers(Header { wrap, ..self.file.header.clone() })
            }
            Mode::Single => {
                let hand = self.unlock_signing(old)?;
                let sealed = hand.act(|key| SealedKey::new(&self.surroundings, mode, &id, new, key))?;
                let wrap = Wrap::new(&self.surroundings, mode, &id, new, &self.data_key)?;
                self.replace_signature_key(Header { wrap, ..self.file.header.clone() }, sealed)
            }
        }
    }

    /// Changes password B: the file is copied with the signature key sealed anew, and the copy takes its place.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] and [`Error::TooSoon`] about the old one, [`Error::Unfit`] about the new one, also in a
    /// vault with a single password; failures of the disk, after which the old one still holds.
    pub fn change_password_b(&mut self, old: &SecretString, new: &SecretString) -> Result<(), Error> {
        let (mode, id) = (self.mode(), self.file.header.vault);
        if mode == Mode::Single {
            return Err(Error::Unfit {
                which: Which::B,
                why: "does not exist: this vault has a single password",
            });
        }
        password::check(Which::B, new)?;
        let hand = self.unlock_signing(old)?;
        if self.file.header.wrap.open(&self.surroundings, mode, &id, new)?.is_some() {
            return Err(Error::Unfit { which: Which::B, why: "must differ from password A" });
        }
        let sealed = hand.act(|key| SealedKey::new(&self.surroundings, mode, &id, new, key))?;
        self.replace_signature_key(self.file.header.clone(), sealed)
    }

    /// Copies the file without the program's records for which `unwanted` says so, and puts the copy in its place.
    /// Numbers of the other records stay. Returns how many were left out.
    ///
    /// # Errors
    /// Failures of the disk, after which the vault is as before.
    pub fn leave_out(&mut self, mut unwanted: impl FnMut(&Record) -> bool) -> Result<u64, Error> {
        let mut count = 0;
        let (id, key) = (self.file.header.vault, self.data_key.clone());
        let nonces = self.surroundings.clone();
        self.copy(self.file.header.clone(), |sequence, kind, bytes| {
            if kind < kind::PROGRAM {
                return None;
            }
            let record = Record { sequence, kind, bytes };
            unwanted(&record).then(|| {
                count += 1;
                record::seal(&key, &id, nonces.array(), sequence, kind::LEFT_OUT, &[])
            })
        })?;
        Ok(count)
    }

    fn opens_signature_key(&self, password: &SecretString) -> Result<bool, Error> {
        let Some(sealed) = &self.contents.signature_key else { return Ok(false) };
        Ok(sealed.open(&self.surroundings, self.mode(), &self.file.header.vault, password)?.is_some())
    }

    fn replace_signature_key(&mut self, header: Header, sealed: SealedKey) -> Result<(), Error> {
        let (id, key, nonce) = (header.vault, self.data_key.clone(), self.surroundings.array());
        let content = zeroize::Zeroizing::new(wire::codec::encode(&sealed));
        self.copy(header, |sequence, kind, _| {
            (kind == kind::SIGNATURE_KEY).then(|| record::seal(&key, &id, nonce, sequence, kind, &content))
        })?;
        self.contents.signature_key = Some(sealed);
        Ok(())
    }

    /// Copies the file, with `instead` in the place of each intact record for which it gives something. What cannot be
    /// read is copied as it is, except a signature key.
    fn copy(
        &mut self,
        header: Header,
        mut instead: impl FnMut(u64, u16, zeroize::Zeroizing<Vec<u8>>) -> Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let (id, key) = (header.vault, self.data_key.clone());
        let mut index = std::collections::BTreeMap::new();
        let mut at = RECORDS;
        self.file.rewrite(header, |source, mut walk, target| {
            let mut target = io::BufWriter::new(target);
            while let Some(span) = walk.next()? {
                match span {
                    Span::Torn { .. } => {}
                    Span::Damaged { offset, length } => {
                        record::copy_bytes(source, offset, length, &mut target)?;
                        at += length;
                    }
                    Span::Record { head, body, .. } => {
                        let opened = record::open(&key, &id, head, &body);
                        if opened.is_none() && head.kind == kind::SIGNATURE_KEY {
                            continue;
                        }
                        if opened.is_some() {
                            index.insert(head.sequence, at);
                        }
                        let bytes = opened
                            .and_then(|content| instead(head.sequence, head.kind, content))
                            .unwrap_or_else(|| record::whole(head, &body));
                        target.write_all(&bytes)?;
                        at += bytes.len() as u64;
                    }
                }
            }
            target.flush()
        })?;
        self.contents.index = index;
        Ok(())
    }
}
