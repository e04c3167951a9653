//! What joining and changing keys sign, built alike by members and stores. Pure: no line, no clock, no disk.

use crate::{
    admission::{ActivationCode, Application},
    bounded::{Bytes, List, TooMany},
    id::{AccountNumber, ApplicationNumber, CenterId, Digest, EntryNumber, Nonce, Role, Salt},
    key::{SigningKey, VerificationKey},
    limits,
    message::{Beside, KeyEvidence, RegisterCall},
    payload::{
        KeyCancel, KeyChange, KeyRole, Registration, Rights, TerminalCertificate, particulars_hash,
        possession_message,
    },
    telegram::{Signer, Telegram},
    time::Timestamp,
};

/// How long what is signed here may be entered, in milliseconds: long enough for a newcomer's line to come back
/// tomorrow, short of the [`limits::VALIDITY_MS`] that are the limit.
pub const VALID_MS: u64 = 6 * 24 * 60 * 60 * 1000;

/// What an application says beside the key that signs it.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// The center it is for.
    pub center: CenterId,
    /// As what.
    pub role: Role,
    /// The terminal's line identity.
    pub terminal_key: VerificationKey,
    /// The encoded particulars.
    pub particulars: &'a [u8],
    /// The salt that binds them.
    pub salt: Salt,
    /// The application that was asked back.
    pub amends: Option<ApplicationNumber>,
    /// The account whose lost terminal is to be replaced.
    pub replaces: Option<AccountNumber>,
    /// The clock, preferably the center's.
    pub now: Timestamp,
}

impl Applicant<'_> {
    /// The application, signed by the signature key that is to be registered.
    pub fn sign(&self, key: &SigningKey) -> Telegram {
        let application = Application {
            center: self.center,
            role: self.role,
            verification_key: key.verification_key(),
            terminal_key: self.terminal_key,
            particulars: particulars_hash(&self.salt, self.particulars),
            amends: self.amends,
            replaces: self.replaces,
            nonce: Nonce::random(),
            valid_until: self.now.plus_ms(VALID_MS),
        };
        Telegram::sign_as_key(&application, key)
    }
}

/// What a registration says beside the key that signs it.
#[derive(Debug)]
pub struct Registrant<'a> {
    /// The center it is for.
    pub center: CenterId,
    /// The application that was admitted.
    pub application: ApplicationNumber,
    /// The number that came by mail or letter.
    pub account: AccountNumber,
    /// The code that came with it.
    pub code: &'a ActivationCode,
    /// The terminal's line identity.
    pub terminal_key: &'a SigningKey,
    /// The recovery key, where the phrase is at hand.
    pub recovery_key: Option<&'a SigningKey>,
    /// The encoded particulars that were admitted.
    pub particulars: &'a [u8],
    /// The salt that binds them and the code.
    pub salt: Salt,
    /// [`crate::admission::Terms::hash`] of the terms that were accepted.
    pub terms: Digest,
    /// The clock, preferably the center's.
    pub now: Timestamp,
}

impl Registrant<'_> {
    /// The registration with all that travels beside it: certificate, particulars, code, proofs of possession.
    ///
    /// # Errors
    /// When the particulars are longer than [`limits::PARTICULARS`].
    pub fn sign(&self, key: &SigningKey) -> Result<RegisterCall, TooMany> {
        let registration = Registration {
            center: self.center,
            application: self.application,
            account: self.account,
            verification_key: key.verification_key(),
            terminal_key: self.terminal_key.verification_key(),
            recovery_key: self.recovery_key.map(SigningKey::verification_key),
            particulars: particulars_hash(&self.salt, self.particulars),
            code: self.code.hash(&self.salt),
            terms: self.terms,
            nonce: Nonce::random(),
            valid_until: self.now.plus_ms(VALID_MS),
        };
        let telegram = Telegram::sign_as_key(&registration, key);
        let possession = |role, key: &SigningKey| {
            (role, key.sign(&possession_message(&self.center, role, &telegram.id())))
        };
        let terminal = possession(KeyRole::Terminal, self.terminal_key);
        let recovery = self.recovery_key.map(|key| possession(KeyRole::Recovery, key));
        let certificate =
            certify(self.center, self.terminal_key.verification_key(), Rights::Owner, self.now, key);
        Ok(RegisterCall {
            certificate,
            particulars: Bytes::new(self.particulars.to_vec())?,
            salt: self.salt,
            code: self.code.clone(),
            possessions: List::first(std::iter::once(terminal).chain(recovery)),
            telegram,
        })
    }
}

/// The signature key's word that a terminal key speaks for it.
pub fn certify(
    center: CenterId,
    terminal_key: VerificationKey,
    rights: Rights,
    now: Timestamp,
    key: &SigningKey,
) -> Telegram {
    Telegram::sign_as_key(&TerminalCertificate { center, terminal_key, rights, issued: now }, key)
}

/// Who changes keys: the account, and the event that put the key in force that will sign.
#[derive(Debug, Clone, Copy)]
pub struct Changer {
    /// The center it is for.
    pub center: CenterId,
    /// Whose key.
    pub account: AccountNumber,
    /// The event of the signature key, or of the recovery key, that signs.
    pub key_event: EntryNumber,
    /// The clock, preferably the center's.
    pub now: Timestamp,
}

impl Changer {
    /// A change to a new signature key: the certificate of the terminal key in force is made by the new key.
    pub fn signature(
        &self,
        new: &SigningKey,
        terminal: VerificationKey,
        by: &SigningKey,
    ) -> (Telegram, Beside) {
        let certificate = certify(self.center, terminal, Rights::Owner, self.now, new);
        self.change(KeyRole::Signature, new, Some(certificate), by)
    }

    /// A change to a new terminal key, certified by the signature key in force. `by` is that key or the recovery key.
    pub fn terminal(&self, new: &SigningKey, signature: &SigningKey, by: &SigningKey) -> (Telegram, Beside) {
        let certificate = certify(self.center, new.verification_key(), Rights::Owner, self.now, signature);
        self.change(KeyRole::Terminal, new, Some(certificate), by)
    }

    /// A change to a new recovery key.
    pub fn recovery(&self, new: &SigningKey, by: &SigningKey) -> (Telegram, Beside) {
        self.change(KeyRole::Recovery, new, None, by)
    }

    /// A revocation: no key is in force in this role afterwards.
    pub fn revoke(&self, role: KeyRole, by: &SigningKey) -> (Telegram, Beside) {
        let evidence = KeyEvidence { possession: None, certificate: None };
        (self.sign(role, None, by), Beside::Keys(Box::new(evidence)))
    }

    /// The cancelling of a recovery key that waits, by the recovery key in force.
    pub fn cancel(&self, change: EntryNumber, by: &SigningKey) -> Telegram {
        let cancel = KeyCancel {
            center: self.center,
            account: self.account,
            key_event: self.key_event,
            change,
            nonce: Nonce::random(),
            valid_until: self.now.plus_ms(VALID_MS),
        };
        Telegram::sign(&cancel, Signer::Account(self.account), by)
    }

    fn change(
        &self,
        role: KeyRole,
        new: &SigningKey,
        certificate: Option<Telegram>,
        by: &SigningKey,
    ) -> (Telegram, Beside) {
        let telegram = self.sign(role, Some(new.verification_key()), by);
        let possession = new.sign(&possession_message(&self.center, role, &telegram.id()));
        let evidence = KeyEvidence { possession: Some(possession), certificate };
        (telegram, Beside::Keys(Box::new(evidence)))
    }

    fn sign(&self, role: KeyRole, key: Option<VerificationKey>, by: &SigningKey) -> Telegram {
        let change = KeyChange {
            center: self.center,
            account: self.account,
            key_event: self.key_event,
            role,
            key,
            nonce: Nonce::random(),
            valid_until: self.now.plus_ms(VALID_MS),
        };
        Telegram::sign(&change, Signer::Account(self.account), by)
    }
}

const _: () = assert!(VALID_MS < limits::VALIDITY_MS);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MemberNumber;

    const CENTER: CenterId = CenterId([9; 32]);
    const NOW: Timestamp = Timestamp(1_795_363_200_000);

    #[test]
    fn a_registration_binds_code_particulars_and_every_key() {
        let [signature, terminal, recovery] = [1, 2, 3].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let (code, salt) = (ActivationCode::generate(), Salt::random());
        let registrant = Registrant {
            center: CENTER,
            application: ApplicationNumber(4),
            account: AccountNumber::Member(MemberNumber(7)),
            code: &code,
            terminal_key: &terminal,
            recovery_key: Some(&recovery),
            particulars: b"Ada",
            salt,
            terms: Digest([5; 32]),
            now: NOW,
        };
        let call = registrant.sign(&signature).unwrap();
        let said = call.telegram.verify_self::<Registration>().unwrap().into_payload();
        assert_eq!((said.code, said.particulars), (code.hash(&salt), particulars_hash(&salt, b"Ada")));
        assert_eq!(said.recovery_key, Some(recovery.verification_key()));
        for (role, proof) in &call.possessions {
            let key = if *role == KeyRole::Terminal { &terminal } else { &recovery };
            let message = possession_message(&CENTER, *role, &call.telegram.id());
            key.verification_key().verify(&message, proof).unwrap();
        }
        assert_eq!(call.possessions.len(), 2);
        let certified = call.certificate.verify_self::<TerminalCertificate>().unwrap();
        assert_eq!(
            (certified.key(), certified.payload().terminal_key),
            (signature.verification_key(), terminal.verification_key())
        );
        let endless = vec![0; limits::PARTICULARS + 1];
        assert!(Registrant { particulars: &endless, ..registrant }.sign(&signature).is_err());
    }

    #[test]
    fn a_new_signature_key_certifies_the_terminal_and_proves_itself() {
        let [old, new, terminal] = [1, 2, 3].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let account = AccountNumber::Member(MemberNumber(7));
        let changer = Changer { center: CENTER, account, key_event: EntryNumber(5), now: NOW };
        let (telegram, beside) = changer.signature(&new, terminal.verification_key(), &old);
        let said = telegram.verify::<KeyChange>(&old.verification_key(), EntryNumber(5)).unwrap();
        assert_eq!(said.payload().key, Some(new.verification_key()));
        let Beside::Keys(evidence) = beside else { panic!("{beside:?}") };
        let message = possession_message(&CENTER, KeyRole::Signature, &telegram.id());
        new.verification_key().verify(&message, &evidence.possession.unwrap()).unwrap();
        let certificate = evidence.certificate.unwrap().verify_self::<TerminalCertificate>().unwrap();
        assert_eq!(certificate.key(), new.verification_key());
        let (revoked, _) = changer.revoke(KeyRole::Terminal, &old);
        assert_eq!(revoked.peek::<KeyChange>().unwrap().key, None);
        let cancel = changer.cancel(EntryNumber(8), &old).peek::<KeyCancel>().unwrap();
        assert_eq!(cancel.change, EntryNumber(8));
    }
}
