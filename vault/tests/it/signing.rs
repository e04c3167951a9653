//! What is signed with several keys at once, as the center will verify it.

use vault::{
    Error, Vault,
    signing::{Authority, KeyAsk},
};
use wire::{
    id::{AccountNumber, ApplicationNumber, CenterId, Digest, EntryNumber, MemberNumber, Nonce},
    key::{Signature, VerificationKey},
    message::KeyEvidence,
    payload::{KeyChange, KeyRole, Registration, TerminalCertificate, possession_message},
    telegram::{Signer, Telegram},
    time::Timestamp,
};

use crate::bench::{Bench, b, phrase, two};

const CENTER: CenterId = CenterId([7; 32]);

fn ask(vault: &Vault) -> KeyAsk {
    KeyAsk {
        center: CENTER,
        account: AccountNumber::Member(MemberNumber(12)),
        key_event: EntryNumber(5),
        terminal_key: vault.terminal_key().unwrap().verification_key(),
        issued: Timestamp(1_000),
        valid_until: Timestamp(9_000),
    }
}

/// What the change says, if `by` signed it and `new` proves that it is held.
fn verified(
    (telegram, evidence): &(Telegram, KeyEvidence),
    by: VerificationKey,
    new: Option<VerificationKey>,
) -> KeyChange {
    assert_eq!(telegram.signer, Signer::Account(AccountNumber::Member(MemberNumber(12))));
    let change = telegram.verify::<KeyChange>(&by, EntryNumber(5)).unwrap().payload().clone();
    assert_eq!(change.key, new);
    match (new, evidence.possession) {
        (Some(new), Some(proof)) => held(telegram, change.role, new, &proof),
        (None, None) => {}
        other => panic!("{other:?}"),
    }
    change
}

fn held(telegram: &Telegram, role: KeyRole, key: VerificationKey, proof: &Signature) {
    key.verify(&possession_message(&CENTER, role, &telegram.id()), proof).unwrap();
}

/// Which terminal key a certificate names, and who signed it.
fn certified(certificate: &Telegram) -> (VerificationKey, VerificationKey) {
    let signed = certificate.verify_self::<TerminalCertificate>().unwrap();
    assert_eq!(signed.payload().center, CENTER);
    (signed.payload().terminal_key, signed.key())
}

#[test]
fn a_registration_is_signed_by_every_key_it_names() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let phrase = phrase();
    let nobody = VerificationKey([0; 32]);
    let registration = Registration {
        center: CENTER,
        application: ApplicationNumber(3),
        account: AccountNumber::Member(MemberNumber(12)),
        verification_key: nobody,
        terminal_key: nobody,
        recovery_key: None,
        particulars: Digest([1; 32]),
        code: Digest([2; 32]),
        terms: Digest([3; 32]),
        nonce: Nonce([4; 16]),
        valid_until: Timestamp(9_000),
    };
    let (own, terminal) =
        (vault.verification_key().unwrap(), vault.terminal_key().unwrap().verification_key());
    for phrase in [None, Some(&phrase)] {
        let signed = vault.sign_registration(registration.clone(), phrase, Timestamp(1), &b()).unwrap();
        let said = signed.telegram.verify_self::<Registration>().unwrap().into_payload();
        let recovery = phrase.map(|phrase| phrase.public().recovery_key);
        assert_eq!((said.verification_key, said.terminal_key, said.recovery_key), (own, terminal, recovery));
        assert_eq!(said.code, registration.code);
        assert_eq!(certified(&signed.certificate), (terminal, own));
        let keys = [Some((KeyRole::Terminal, terminal)), recovery.map(|key| (KeyRole::Recovery, key))];
        let keys: Vec<_> = keys.into_iter().flatten().collect();
        assert_eq!(signed.possessions.len(), keys.len());
        for ((role, key), (proved, proof)) in keys.into_iter().zip(&signed.possessions) {
            assert_eq!(role, *proved);
            held(&signed.telegram, role, key, proof);
        }
    }
}

#[test]
fn a_rotation_is_signed_by_the_old_key_and_held_by_the_new_one() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let (old, terminal) =
        (vault.verification_key().unwrap(), vault.terminal_key().unwrap().verification_key());
    let (ask, b) = (ask(&vault), b());
    let by = Authority::SignatureKey(&b);
    let nothing = vault.sign_key_change(&ask, KeyRole::Signature, by, &b).unwrap_err();
    assert!(matches!(nothing, Error::NothingWaits(KeyRole::Signature)), "{nothing}");

    let new = vault.prepare_signature_key(&b, None).unwrap();
    let signed = vault.sign_key_change(&ask, KeyRole::Signature, by, &b).unwrap();
    assert_eq!(verified(&signed, old, Some(new)).role, KeyRole::Signature);
    assert_eq!(certified(signed.1.certificate.as_ref().unwrap()), (terminal, new), "as it will be then");

    let new_terminal = vault.prepare_terminal_key().unwrap();
    let signed = vault.sign_key_change(&ask, KeyRole::Terminal, by, &b).unwrap();
    assert_eq!(verified(&signed, old, Some(new_terminal)).role, KeyRole::Terminal);
    assert_eq!(certified(signed.1.certificate.as_ref().unwrap()), (new_terminal, old));

    let revoked = vault.sign_revocation(&ask, KeyRole::Terminal, by).unwrap();
    verified(&revoked, old, None);
    assert!(revoked.1.certificate.is_none());
}

#[test]
fn a_new_phrase_is_asked_for_with_the_signature_key_or_the_old_phrase() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let (old, new) = (phrase(), phrase());
    let (ask, b) = (ask(&vault), b());
    vault.keep_recovery(&old, &b).unwrap();
    let by = Authority::SignatureKey(&b);
    assert!(matches!(
        vault.sign_recovery_change(&ask, &new, by),
        Err(Error::NothingWaits(KeyRole::Recovery))
    ));
    vault.prepare_recovery(&new, &b).unwrap();
    let key = Some(new.public().recovery_key);
    let signed = vault.sign_recovery_change(&ask, &new, by).unwrap();
    verified(&signed, vault.verification_key().unwrap(), key);
    let signed = vault.sign_recovery_change(&ask, &new, Authority::Phrase(&old)).unwrap();
    verified(&signed, old.public().recovery_key, key);
    assert!(signed.1.certificate.is_none());
}

#[test]
fn a_vault_restored_without_a_copy_puts_its_keys_in_force_with_the_phrase() {
    let bench = Bench::new();
    let phrase = phrase();
    let surroundings = bench.surroundings.clone();
    let mut vault = Vault::restore_without_copy(&bench.profile, &two(), &phrase, surroundings).unwrap();
    let lost = VerificationKey([9; 32]);
    let (ask, b) = (KeyAsk { terminal_key: lost, ..ask(&vault) }, b());
    let (own, terminal) =
        (vault.verification_key().unwrap(), vault.terminal_key().unwrap().verification_key());
    let recovery = phrase.public().recovery_key;
    let by = Authority::Phrase(&phrase);
    let signed = vault.sign_key_change(&ask, KeyRole::Signature, by, &b).unwrap();
    verified(&signed, recovery, Some(own));
    assert_eq!(certified(signed.1.certificate.as_ref().unwrap()), (lost, own), "the one then in force");
    let signed = vault.sign_key_change(&ask, KeyRole::Terminal, by, &b).unwrap();
    verified(&signed, recovery, Some(terminal));
    assert_eq!(certified(signed.1.certificate.as_ref().unwrap()), (terminal, own));
    assert!(vault.sign_key_change(&ask, KeyRole::Recovery, by, &b).is_err());
}
