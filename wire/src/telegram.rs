//! The envelope of everything that is signed: exact bytes, signer, signature.
//!
//! A telegram is signed over `domain tag ‖ 0x00 ‖ bytes`, where the domain tag names the [`Kind`], so that bytes
//! signed as one kind can never pass as another. It is verified on the bytes as received and decoded afterwards;
//! nothing here ever encodes a second time what was signed.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    bounded::Bytes,
    codec::{self, Malformed},
    id::{AccountNumber, Digest, EntryNumber, TelegramId},
    key::{KeyError, PreparedKey, Signature, SigningKey, VerificationKey},
    limits,
};

/// What a telegram is about. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// [`crate::payload::Registration`]
    Registration,
    /// [`crate::payload::TerminalCertificate`]
    TerminalCertificate,
    /// [`crate::payload::KeyChange`]
    KeyChange,
    /// [`crate::payload::CardRequest`]
    CardRequest,
    /// [`crate::payload::Payment`]
    Payment,
    /// [`crate::payload::Refund`]
    Refund,
    /// [`crate::payload::Claim`]
    Claim,
    /// [`crate::payload::Offer`]
    Offer,
    /// [`crate::payload::Delivery`]
    Delivery,
    /// [`crate::sheet::KeySheet`]
    KeySheet,
    /// [`crate::payload::CardCertificate`]
    CardCertificate,
    /// [`crate::payload::DirectoryPage`]
    DirectoryPage,
    /// [`crate::payload::ChainHead`]
    ChainHead,
    /// [`crate::admission::Application`]
    Application,
    /// [`crate::admission::Kit`]
    Kit,
    /// [`crate::payload::KeyCancel`]
    KeyCancel,
    /// [`crate::payload::CashierChange`]
    CashierChange,
    /// [`crate::sheet::ResumedSheet`]
    ResumedSheet,
}

impl Kind {
    /// What stands before the bytes when they are signed.
    pub const fn domain_tag(self) -> &'static str {
        match self {
            Self::Registration => "inkan/v1/registration",
            Self::TerminalCertificate => "inkan/v1/terminal-certificate",
            Self::KeyChange => "inkan/v1/key-change",
            Self::CardRequest => "inkan/v1/card-request",
            Self::Payment => "inkan/v1/payment",
            Self::Refund => "inkan/v1/refund",
            Self::Claim => "inkan/v1/claim",
            Self::Offer => "inkan/v1/offer",
            Self::Delivery => "inkan/v1/delivery",
            Self::KeySheet => "inkan/v1/key-sheet",
            Self::CardCertificate => "inkan/v1/card-certificate",
            Self::DirectoryPage => "inkan/v1/directory-page",
            Self::ChainHead => "inkan/v1/chain-head",
            Self::Application => "inkan/v1/application",
            Self::Kit => "inkan/v1/kit",
            Self::KeyCancel => "inkan/v1/key-cancel",
            Self::CashierChange => "inkan/v1/cashier-change",
            Self::ResumedSheet => "inkan/v1/resumed-sheet",
        }
    }

    /// A noun for people.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::TerminalCertificate => "terminal certificate",
            Self::KeyChange => "key change",
            Self::CardRequest => "card request",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Claim => "claim",
            Self::Offer => "offer",
            Self::Delivery => "delivery acknowledgement",
            Self::KeySheet => "key sheet",
            Self::CardCertificate => "card certificate",
            Self::DirectoryPage => "directory page",
            Self::ChainHead => "statement of keys",
            Self::Application => "application",
            Self::Kit => "admission kit",
            Self::KeyCancel => "cancelling of a key change",
            Self::CashierChange => "cashier's rights",
            Self::ResumedSheet => "key sheet of a log that goes on",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.noun())
    }
}

/// Something a telegram can say.
pub trait Payload: Serialize + DeserializeOwned {
    /// Its kind, and with it the domain tag.
    const KIND: Kind;
}

/// Who signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signer {
    /// A registered account, with its signature key: the verifier asks the key register.
    Account(AccountNumber),
    /// A key that speaks for itself and is judged by where it stands: a key that registers, a store's terminal
    /// key, a buyer key, a key of the center's sheet.
    Key(VerificationKey),
}

/// A signed message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telegram {
    /// What it is about.
    pub kind: Kind,
    /// Who signed.
    pub signer: Signer,
    /// The exact bytes that were signed, after the domain tag.
    pub bytes: Bytes<{ limits::TELEGRAM }>,
    /// The signature.
    pub signature: Signature,
}

impl Telegram {
    /// Encodes a payload once and signs it.
    ///
    /// # Panics
    /// When the payload is longer than [`limits::TELEGRAM`]; the lists and texts of every payload are bounded below it.
    pub fn sign<P: Payload>(payload: &P, signer: Signer, key: &SigningKey) -> Self {
        let bytes = codec::encode(payload);
        let signature = key.sign(&signed_message(P::KIND, &bytes));
        let bytes = Bytes::new(bytes).expect("payloads are bounded below the limit of a telegram");
        Self { kind: P::KIND, signer, bytes, signature }
    }

    /// Encodes a payload and signs it with a key that speaks for itself.
    pub fn sign_as_key<P: Payload>(payload: &P, key: &SigningKey) -> Self {
        Self::sign(payload, Signer::Key(key.verification_key()), key)
    }

    /// The telegram's name: the hash of what was signed, domain tag included. The signature is not part of it.
    pub fn id(&self) -> TelegramId {
        TelegramId(self.digest().0)
    }

    /// The same hash as a plain digest, for other telegrams to bind this one.
    pub fn digest(&self) -> Digest {
        Digest::of(&[self.kind.domain_tag().as_bytes(), &[0], &self.bytes])
    }

    /// Verifies the signature under a key that the key register holds for the signer since entry `event`.
    ///
    /// # Errors
    /// When the kind is another, the signature does not hold, or the verified bytes are not a well-formed `P`.
    pub fn verify<P: Payload>(
        &self,
        key: &VerificationKey,
        event: EntryNumber,
    ) -> Result<Authentic<P>, TelegramError> {
        let payload = self.open::<P>(key)?;
        Ok(Authentic { payload, id: self.id(), key: *key, event })
    }

    /// Verifies the signature under the key that the telegram itself names.
    ///
    /// # Errors
    /// As [`Telegram::verify`], and when the signer is an account.
    pub fn verify_self<P: Payload>(&self) -> Result<SelfSigned<P>, TelegramError> {
        let Signer::Key(key) = self.signer else { return Err(TelegramError::WrongSigner(self.kind)) };
        let payload = self.open::<P>(&key)?;
        Ok(SelfSigned { payload, id: self.id(), key })
    }

    fn open<P: Payload>(&self, key: &VerificationKey) -> Result<P, TelegramError> {
        if self.kind != P::KIND {
            return Err(TelegramError::WrongKind { expected: P::KIND, found: self.kind });
        }
        key.verify(&signed_message(self.kind, &self.bytes), &self.signature)?;
        Ok(codec::decode(P::KIND.noun(), &self.bytes, limits::TELEGRAM)?)
    }

    /// Decodes what the telegram says without believing it: for showing one's own, or to learn which account to ask about.
    ///
    /// # Errors
    /// When the kind is another or the bytes are malformed.
    pub fn peek<P: Payload>(&self) -> Result<P, TelegramError> {
        if self.kind != P::KIND {
            return Err(TelegramError::WrongKind { expected: P::KIND, found: self.kind });
        }
        Ok(codec::decode(P::KIND.noun(), &self.bytes, limits::TELEGRAM)?)
    }

    /// Decodes what the telegram says, to learn under which key to verify it, and keeps it for when it is verified: the
    /// bytes are decoded once.
    ///
    /// # Errors
    /// As [`Telegram::peek`].
    pub fn claim<P: Payload>(&self) -> Result<Claimed<'_, P>, TelegramError> {
        Ok(Claimed { telegram: self, payload: self.peek()? })
    }
}

/// What a telegram says and nobody has verified yet. Only [`Telegram::claim`] makes one.
#[derive(Debug)]
pub struct Claimed<'a, P> {
    telegram: &'a Telegram,
    payload: P,
}

impl<P: Payload + Clone> Claimed<'_, P> {
    /// What it says, not to be believed.
    pub fn payload(&self) -> &P {
        &self.payload
    }

    /// Verifies the signature over the bytes as they came, under a key that the key register holds for the signer since
    /// entry `event`.
    ///
    /// # Errors
    /// When the signature does not hold.
    pub fn verify(&self, key: &PreparedKey, event: EntryNumber) -> Result<Authentic<P>, KeyError> {
        let Telegram { kind, bytes, signature, .. } = self.telegram;
        key.verify(&signed_message(*kind, bytes), signature)?;
        Ok(Authentic { payload: self.payload.clone(), id: self.telegram.id(), key: key.key(), event })
    }
}

/// A payload whose signature holds under a registered key. Only [`Telegram::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentic<P> {
    payload: P,
    id: TelegramId,
    key: VerificationKey,
    event: EntryNumber,
}

impl<P> Authentic<P> {
    /// What was said.
    pub fn payload(&self) -> &P {
        &self.payload
    }

    /// The telegram's id.
    pub fn id(&self) -> TelegramId {
        self.id
    }

    /// The key it was verified under.
    pub fn key(&self) -> VerificationKey {
        self.key
    }

    /// The key event that put this key in force.
    pub fn event(&self) -> EntryNumber {
        self.event
    }
}

/// A payload whose signature holds under the key it names. Only [`Telegram::verify_self`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfSigned<P> {
    payload: P,
    id: TelegramId,
    key: VerificationKey,
}

impl<P> SelfSigned<P> {
    /// What was said.
    pub fn payload(&self) -> &P {
        &self.payload
    }

    /// What was said, owned.
    pub fn into_payload(self) -> P {
        self.payload
    }

    /// The telegram's id.
    pub fn id(&self) -> TelegramId {
        self.id
    }

    /// The key that signed.
    pub fn key(&self) -> VerificationKey {
        self.key
    }
}

/// Why a telegram is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TelegramError {
    /// Another kind than the place takes.
    #[error("a {found} came where a {expected} belongs")]
    WrongKind {
        /// What belongs there.
        expected: Kind,
        /// What came.
        found: Kind,
    },
    /// An account signed where a key must speak for itself, or the other way round.
    #[error("the {0} names the wrong kind of signer")]
    WrongSigner(Kind),
    /// The key is no key or the signature does not fit.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Verified, but not of the form that its kind has.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

fn signed_message(kind: Kind, bytes: &[u8]) -> Vec<u8> {
    let tag = kind.domain_tag().as_bytes();
    let mut message = Vec::with_capacity(tag.len() + 1 + bytes.len());
    message.extend_from_slice(tag);
    message.push(0);
    message.extend_from_slice(bytes);
    message
}
