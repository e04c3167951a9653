//! Changes of accounts' keys, and of cashiers'.

use ledger::Request;
use wire::{
    id::AccountNumber,
    key::VerificationKey,
    message::{Beside, KeyEvidence, Problem, ProblemKind},
    payload::{self, KeyRole, Rights, TerminalCertificate, possession_message},
    telegram::{Authentic, SelfSigned, Telegram},
};

use super::{Register, malformed, not_authentic};
use crate::books::{asked, cabinet::Certificate};

/// A change of a key with what proves it: the new key is held, and the terminal key that will be in force is certified by
/// the signature key that will be in force.
pub(super) fn change(
    books: &Register<'_>,
    authentic: &Authentic<payload::KeyChange>,
    by: KeyRole,
    beside: &Beside,
) -> Result<Request, Problem> {
    let it = authentic.payload();
    if let Some(key) = it.key {
        key.check().map_err(|error| malformed(format!("the new key: {error}")))?;
        let Beside::Keys(evidence) = beside else {
            return Err(malformed("nothing proves that the new key is held"));
        };
        let message = possession_message(&it.center, it.role, &authentic.id());
        let held = evidence.possession.is_some_and(|proof| key.verify(&message, &proof).is_ok());
        if !held {
            let words = "nothing proves that the new key is held";
            return Err(Problem::new(ProblemKind::NotAuthentic, words));
        }
        certified(books, it, key, evidence)?;
    }
    Ok(asked::key_change(it, authentic.id(), by))
}

pub(super) fn cashier(authentic: &Authentic<payload::CashierChange>) -> Result<Request, Problem> {
    let it = authentic.payload();
    it.key.check().map_err(|error| malformed(format!("the cashier's key: {error}")))?;
    Ok(asked::cashier(it, authentic.id()))
}

/// The terminal's certificate that travels beside a change of a key, and where the cabinet keeps it. It is durable before
/// the change is entered; that of a change which is refused is asked for by nobody.
pub fn certificate(beside: &Beside) -> Option<(Certificate, &Telegram)> {
    let Beside::Keys(evidence) = beside else { return None };
    let telegram = evidence.certificate.as_ref()?;
    let signed: SelfSigned<TerminalCertificate> = telegram.verify_self().ok()?;
    let which = Certificate::Changed { terminal: signed.payload().terminal_key, signature: signed.key() };
    Some((which, telegram))
}

fn certified(
    books: &Register<'_>,
    it: &payload::KeyChange,
    new: VerificationKey,
    evidence: &KeyEvidence,
) -> Result<(), Problem> {
    let in_force = |role| in_force(books, it.account, role);
    let (signature, terminal) = match it.role {
        KeyRole::Recovery => return Ok(()),
        // Where no terminal key is in force there is nothing to certify yet.
        KeyRole::Signature => match in_force(KeyRole::Terminal) {
            None => return Ok(()),
            Some(terminal) => (new, terminal),
        },
        KeyRole::Terminal => match in_force(KeyRole::Signature) {
            None => return Err(malformed("no signature key is in force; change that one first")),
            Some(signature) => (signature, new),
        },
    };
    let missing = || malformed("the terminal's certificate is missing beside the change");
    let certificate = evidence.certificate.as_ref().ok_or_else(missing)?;
    let signed: SelfSigned<TerminalCertificate> = certificate.verify_self().map_err(not_authentic)?;
    let says = signed.payload();
    let fits = signed.key() == signature
        && says.center == it.center
        && says.terminal_key == terminal
        && says.rights == Rights::Owner;
    if fits { Ok(()) } else { Err(malformed("the terminal's certificate does not go with the change")) }
}

fn in_force(books: &Register<'_>, account: AccountNumber, role: KeyRole) -> Option<VerificationKey> {
    books.state().key(account, role).map(|(key, _)| key)
}
