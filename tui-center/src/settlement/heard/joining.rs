//! Registrations.

use ledger::{Request, request::Registration};
use wire::{
    codec,
    key::VerificationKey,
    message::{Problem, ProblemKind, RegisterCall},
    payload::{self, KeyRole, Rights, particulars_hash, possession_message},
    telegram::SelfSigned,
};

use super::{is_here, malformed, not_authentic};
use crate::settlement::{Desk, Work};

/// Verifies the registration of someone who was admitted: the key that it registers signed it and the terminal's
/// certificate, every other key proves itself, all are acceptable, and particulars and code beside it are those that it
/// binds. Whether the code is the right one is the admission room's to say, before; it also hands in a store's trade
/// name, which is public.
///
/// # Errors
/// As [`super::submitted`], and where the application was not admitted.
pub fn registered(desk: &Desk, call: &RegisterCall, trade_name: Option<String>) -> Result<Work, Problem> {
    let signed: SelfSigned<payload::Registration> = call.telegram.verify_self().map_err(not_authentic)?;
    let it = signed.payload();
    is_here(&desk.state(), &it.center)?;
    if signed.key() != it.verification_key {
        return Err(malformed("the registration is not signed with the key that it registers"));
    }
    for key in [Some(it.verification_key), Some(it.terminal_key), it.recovery_key].into_iter().flatten() {
        key.check().map_err(|error| malformed(format!("a key of the registration: {error}")))?;
    }
    if particulars_hash(&call.salt, &call.particulars) != it.particulars {
        return Err(malformed("the particulars are not those that the registration binds"));
    }
    if call.code.hash(&call.salt) != it.code {
        return Err(malformed("the activation code is not the one that the registration binds"));
    }
    proved(call, it, KeyRole::Terminal, Some(it.terminal_key))?;
    proved(call, it, KeyRole::Recovery, it.recovery_key)?;
    certified(call, it)?;
    let admission = desk.state().admission_of(it.application).ok_or_else(|| {
        let words = format!("{} was not admitted; ask how it stands", it.application);
        Problem::new(ProblemKind::NotAllowed, words)
    })?;
    let request = Request::Register(Registration {
        telegram: signed.id(),
        account: it.account,
        application: it.application,
        admission,
        signature_key: it.verification_key,
        terminal_key: it.terminal_key,
        recovery_key: it.recovery_key,
        particulars: it.particulars,
        terms: it.terms,
        trade_name,
        valid_until: it.valid_until,
    });
    Ok(Work { request, evidence: codec::encode(&(&call.telegram, &call.certificate)) })
}

/// Whoever registers a key holds its private half.
fn proved(
    call: &RegisterCall,
    it: &payload::Registration,
    role: KeyRole,
    key: Option<VerificationKey>,
) -> Result<(), Problem> {
    let Some(key) = key else { return Ok(()) };
    let message = possession_message(&it.center, role, &call.telegram.id());
    let proofs = call.possessions.iter().filter(|(of, _)| *of == role);
    if proofs.map(|(_, proof)| key.verify(&message, proof)).any(|held| held.is_ok()) {
        return Ok(());
    }
    let which = if role == KeyRole::Recovery { "recovery key" } else { "terminal key" };
    Err(Problem::new(ProblemKind::NotAuthentic, format!("nothing proves that the {which} is held")))
}

fn certified(call: &RegisterCall, it: &payload::Registration) -> Result<(), Problem> {
    let certificate: SelfSigned<payload::TerminalCertificate> =
        call.certificate.verify_self().map_err(not_authentic)?;
    let says = certificate.payload();
    let fits = certificate.key() == it.verification_key
        && says.center == it.center
        && says.terminal_key == it.terminal_key
        && says.rights == Rights::Owner;
    if fits {
        return Ok(());
    }
    Err(malformed("the terminal's certificate does not go with the registration"))
}
