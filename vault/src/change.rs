//! Changes that replace what is in the file: other passwords, records left out.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use secrecy::SecretString;
use wire::codec;
use zeroize::Zeroizing;

use crate::{
    custody::{SealedKey, SigningHand},
    error::{Error, Which},
    header::{Header, Mode, RECORDS, Wrap},
    keys::Kept,
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
    /// open with it, and whoever has one and the old password has the data key, which stays the same: that one reads this
    /// file, too, also what is appended later, and signs nothing. Against that helps a restored vault, which has a data
    /// key of its own.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] and [`Error::TooSoon`] about the old one, [`Error::Unfit`] about the new one; failures of
    /// the disk, after which either the old or the new one opens the vault, never none.
    pub fn change_password_a(&mut self, old: &SecretString, new: &SecretString) -> Result<(), Error> {
        open_wrap(&mut self.file, &self.surroundings, old)?;
        let mode = self.mode();
        match mode {
            Mode::Double => {
                password::check(Which::A, new, &[])?;
                if self.opens_signature_key(new)? {
                    return Err(Error::Unfit { which: Which::A, why: "must differ from password B".into() });
                }
                let wrap = self.wrap(new)?;
                self.file.write_both_headers(Header { wrap, ..self.file.header.clone() })
            }
            Mode::Single => {
                password::check(Which::A, new, &[])?;
                let hand = self.unlock_signing(old)?;
                let wrap = self.wrap(new)?;
                self.reseal(Header { wrap, ..self.file.header.clone() }, &hand, old, new)
            }
        }
    }

    /// Whether this is password A, while the vault is open: for a screen that was locked.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::TooSoon`]; failures of the disk.
    pub fn check_password_a(&mut self, password: &SecretString) -> Result<(), Error> {
        open_wrap(&mut self.file, &self.surroundings, password).map(drop)
    }

    /// Changes password B: the file is copied with the signature keys sealed anew, and the copy takes its place.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] and [`Error::TooSoon`] about the old one, [`Error::Unfit`] about the new one, also in a
    /// vault with a single password; failures of the disk, after which the old one still holds.
    pub fn change_password_b(&mut self, old: &SecretString, new: &SecretString) -> Result<(), Error> {
        let (mode, id) = (self.mode(), self.file.header.vault);
        if mode == Mode::Single {
            return Err(Error::Unfit {
                which: Which::B,
                why: "does not exist: this vault has a single password".into(),
            });
        }
        password::check(Which::B, new, &[])?;
        let hand = self.unlock_signing(old)?;
        if self.file.header.wrap.open(&self.surroundings, mode, &id, new)?.is_some() {
            return Err(Error::Unfit { which: Which::B, why: "must differ from password A".into() });
        }
        self.reseal(self.file.header.clone(), &hand, old, new)
    }

    /// Copies the file without the program's records for which `unwanted` says so, and puts the copy in its place.
    /// Numbers of the other records stay. Returns how many were left out.
    ///
    /// # Errors
    /// Failures of the disk, after which the vault is as before.
    pub fn leave_out(&mut self, mut unwanted: impl FnMut(&Record) -> bool) -> Result<u64, Error> {
        let mut count = 0;
        self.copy(self.file.header.clone(), |sequence, kind, bytes| {
            if kind < kind::PROGRAM {
                return None;
            }
            let record = Record { sequence, kind, bytes };
            unwanted(&record).then(|| {
                count += 1;
                (kind::LEFT_OUT, Zeroizing::default())
            })
        })?;
        Ok(count)
    }

    /// Copies the file without the keys that are no longer in force, if there are any.
    pub(crate) fn sweep(&mut self) -> Result<(), Error> {
        if self.contents.keys.obsolete.is_empty() {
            return Ok(());
        }
        self.copy(self.file.header.clone(), |_, _, _| None)
    }

    /// Copies the file with the signature key in `hand`, and the other keys under the old password B, sealed under the
    /// new one.
    pub(crate) fn reseal(
        &mut self,
        header: Header,
        hand: &SigningHand,
        old: &SecretString,
        new: &SecretString,
    ) -> Result<(), Error> {
        let (mode, id, policy) = (header.mode, header.vault, self.contents.policy);
        let sealed = |key: &SigningHand| SealedKey::new(&self.surroundings, mode, &id, new, &key.0, policy);
        let (slot, held) = (&self.contents.keys.signature, self.contents.keys.held.as_ref());
        let now_at = slot.now.as_ref().ok_or(Error::KeyLost("signature key"))?.at;
        let now = Kept { at: now_at, value: sealed(hand)? };
        let anew = |kept: Option<&Kept<SealedKey>>, what| {
            let Some(kept) = kept else { return Ok(None) };
            let hand = kept.value.open(&self.surroundings, mode, &id, old)?.ok_or(Error::KeyLost(what))?;
            Ok::<_, Error>(Some(Kept { at: kept.at, value: sealed(&hand)? }))
        };
        let next = anew(slot.next.as_ref(), "new signature key")?;
        let held = anew(held, "recovery key")?;
        let content = |sealed: &SealedKey| Zeroizing::new(codec::encode(sealed));
        self.copy(header, |sequence, kind, _| {
            // A key that waited once stands in a record of its kind, and now in one of a key in force.
            if sequence == now.at {
                return Some((kind::SIGNATURE_KEY, content(&now.value)));
            }
            match (&next, &held) {
                (Some(next), _) if next.at == sequence => {
                    Some((kind::NEXT_SIGNATURE_KEY, content(&next.value)))
                }
                (_, Some(held)) if held.at == sequence => {
                    Some((kind::HELD_RECOVERY_KEY, content(&held.value)))
                }
                _ => kind::is_under_b(kind).then(|| (kind::LEFT_OUT, Zeroizing::default())),
            }
        })?;
        self.contents.keys.signature.now = Some(now);
        self.contents.keys.signature.next = next;
        self.contents.keys.held = held;
        Ok(())
    }

    fn wrap(&self, password: &SecretString) -> Result<Wrap, Error> {
        let Header { mode, vault, .. } = &self.file.header;
        Wrap::new(&self.surroundings, *mode, vault, password, &self.data_key, self.contents.policy)
    }

    fn opens_signature_key(&self, password: &SecretString) -> Result<bool, Error> {
        let Some(kept) = &self.contents.keys.signature.now else { return Ok(false) };
        let Header { mode, vault, .. } = &self.file.header;
        Ok(kept.value.open(&self.surroundings, *mode, vault, password)?.is_some())
    }

    /// Copies the file, with `instead` (a kind and a content) in the place of each intact record for which it gives
    /// something, and nothing in the place of keys no longer in force. What cannot be read is copied as it is, except a
    /// signature key under password B.
    fn copy(
        &mut self,
        header: Header,
        mut instead: impl FnMut(u64, u16, Zeroizing<Vec<u8>>) -> Option<(u16, Zeroizing<Vec<u8>>)>,
    ) -> Result<(), Error> {
        let (id, key, surroundings) = (header.vault, &*self.data_key, &self.surroundings);
        let (obsolete, known) = (&self.contents.keys.obsolete, &self.contents.index);
        let mut index = BTreeMap::new();
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
                    Span::Record { offset, head, body } => {
                        // What opens and is out of order was not taken in at opening, and is not now.
                        let taken_in = known.get(&head.sequence) == Some(&offset);
                        let opened = taken_in.then(|| record::open(key, &id, head, &body)).flatten();
                        if opened.is_none() && kind::is_under_b(head.kind) {
                            continue;
                        }
                        if opened.is_some() {
                            index.insert(head.sequence, at);
                        }
                        let replaced = opened.and_then(|content| {
                            if obsolete.contains(&head.sequence) {
                                return Some((kind::LEFT_OUT, Zeroizing::default()));
                            }
                            instead(head.sequence, head.kind, content)
                        });
                        let bytes = match replaced {
                            Some((kind, content)) => {
                                record::seal(key, &id, surroundings.array(), head.sequence, kind, &content)
                            }
                            None => record::whole(head, &body),
                        };
                        target.write_all(&bytes)?;
                        at += bytes.len() as u64;
                    }
                }
            }
            target.flush()
        })?;
        self.contents.index = index;
        self.contents.keys.obsolete.clear();
        Ok(())
    }
}
