//! The seam from what is said to what is decided: telegrams become [`Work`] here, and only verified ones.
//!
//! A telegram is verified under the key that its signer had at the key event it names, whether or not that key is
//! still in force: the rules refuse a replaced key by an entry, and a telegram that was entered while its key was in
//! force still gets its stored answer.
//!
//! Verifying takes some tens of microseconds a signature; a claim holds up to two for each payment. Call this on a
//! thread that may be kept busy.

use std::sync::RwLockReadGuard;

use ledger::{
    Request, State,
    request::{CardRequest, Claim, DeliveryProof, KeyChange, Payment, Refund, Registration, Void},
};
use wire::{
    codec,
    id::{AccountNumber, CenterId, EntryNumber, TelegramId},
    key::VerificationKey,
    message::{Beside, Problem, ProblemKind, RegisterCall},
    payload::{self, ClaimEvidence, KeyRole, Rights, particulars_hash},
    telegram::{Authentic, Kind, Payload, SelfSigned, Signer, Telegram},
    time::Timestamp,
};

use super::{Desk, Work};

/// Verifies a telegram that a logged-in account submits, and what travels beside it.
///
/// # Errors
/// In words, when it is malformed, for another center, not this account's, or its signature does not hold. Nothing is
/// to be entered then.
pub fn submitted(
    desk: &Desk,
    account: AccountNumber,
    telegram: &Telegram,
    beside: &Beside,
) -> Result<Work, Problem> {
    let books = Register(desk);
    let request = match telegram.kind {
        Kind::Payment => payment(&books.authentic(account, telegram)?.0),
        Kind::CardRequest => card_request(&books.authentic(account, telegram)?.0),
        Kind::KeyChange => {
            let (authentic, by) = books.authentic(account, telegram)?;
            key_change(&authentic, by)?
        }
        Kind::Refund => refund(&books.authentic(account, telegram)?.0),
        Kind::Claim => claim(&books.authentic(account, telegram)?.0, beside),
        other => return Err(malformed(format!("a {other} is not for the center"))),
    };
    Ok(Work { request, evidence: codec::encode(&(telegram, beside)) })
}

/// Verifies a telegram that its signer asks about: where it has not been entered, it becomes a void.
///
/// # Errors
/// As [`submitted`].
pub fn inquired(desk: &Desk, account: AccountNumber, telegram: &Telegram) -> Result<Work, Problem> {
    let books = Register(desk);
    let void = match telegram.kind {
        Kind::Payment => void(account, &books.authentic::<payload::Payment>(account, telegram)?.0),
        Kind::CardRequest => void(account, &books.authentic::<payload::CardRequest>(account, telegram)?.0),
        Kind::KeyChange => void(account, &books.authentic::<payload::KeyChange>(account, telegram)?.0),
        Kind::Refund => void(account, &books.authentic::<payload::Refund>(account, telegram)?.0),
        Kind::Claim => void(account, &books.authentic::<payload::Claim>(account, telegram)?.0),
        other => return Err(malformed(format!("a {other} is not for the center"))),
    };
    Ok(Work { request: Request::Void(void), evidence: codec::encode(telegram) })
}

/// Verifies a newcomer's registration: the key that it registers signed it and the terminal's certificate, its keys
/// are acceptable, and the particulars beside it are those that it binds. Whether they fill in the form is the
/// reception's to say; it also hands in a store's trade name, which is public.
///
/// # Errors
/// As [`submitted`].
pub fn registered(desk: &Desk, call: &RegisterCall, trade_name: Option<String>) -> Result<Work, Problem> {
    let books = Register(desk);
    let signed: SelfSigned<payload::Registration> = call.telegram.verify_self().map_err(not_authentic)?;
    let it = signed.payload();
    books.is_here(&it.center)?;
    if signed.key() != it.verification_key {
        return Err(malformed("the registration is not signed with the key that it registers"));
    }
    for key in [Some(it.verification_key), Some(it.terminal_key), it.recovery_key].into_iter().flatten() {
        key.check().map_err(|error| malformed(format!("a key of the registration: {error}")))?;
    }
    if particulars_hash(&call.salt, &call.particulars) != it.particulars {
        return Err(malformed("the particulars are not those that the registration binds"));
    }
    let certificate: SelfSigned<payload::TerminalCertificate> =
        call.certificate.verify_self().map_err(not_authentic)?;
    let certified = certificate.payload();
    let fits = certificate.key() == it.verification_key
        && certified.center == it.center
        && certified.terminal_key == it.terminal_key
        && certified.rights == Rights::Owner;
    if !fits {
        return Err(malformed("the terminal's certificate does not go with the registration"));
    }
    let admission = books.state().admission_of(it.application).ok_or_else(|| {
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

/// What every telegram of an account says of itself.
trait Ours: Payload {
    fn center(&self) -> &CenterId;
    fn account(&self) -> AccountNumber;
    fn key_event(&self) -> EntryNumber;
    fn valid_until(&self) -> Timestamp;
    /// Whose keys may sign it, the usual one first.
    fn signers() -> &'static [KeyRole] {
        &[KeyRole::Signature]
    }
}

macro_rules! ours {
    ($($name:ident: $self:ident => $account:expr $(, $signers:expr)?;)+) => { $(
        impl Ours for payload::$name {
            fn center(&self) -> &CenterId {
                &self.center
            }
            fn account(&$self) -> AccountNumber {
                $account
            }
            fn key_event(&self) -> EntryNumber {
                self.key_event
            }
            fn valid_until(&self) -> Timestamp {
                self.valid_until
            }
            $(fn signers() -> &'static [KeyRole] {
                $signers
            })?
        }
    )+ };
}

ours! {
    Payment: self => AccountNumber::Member(self.member);
    CardRequest: self => AccountNumber::Member(self.member);
    Refund: self => AccountNumber::Store(self.store);
    Claim: self => AccountNumber::Store(self.store);
    KeyChange: self => self.account, &[KeyRole::Signature, KeyRole::Recovery];
}

/// The key register, as far as verifying needs it.
struct Register<'a>(&'a Desk);

impl Register<'_> {
    /// Verifies a telegram of the account that speaks, and says with which of its keys it was signed.
    fn authentic<P: Ours>(
        &self,
        account: AccountNumber,
        telegram: &Telegram,
    ) -> Result<(Authentic<P>, KeyRole), Problem> {
        // Not believed yet: this only tells under which key to verify.
        let claimed: P = telegram.peek().map_err(malformed)?;
        self.is_here(claimed.center())?;
        if telegram.signer != Signer::Account(account) || claimed.account() != account {
            return Err(Problem::new(
                ProblemKind::NotAllowed,
                format!("this {} is another account's; log in as the account that signed it", telegram.kind),
            ));
        }
        let event = claimed.key_event();
        let keys: Vec<(KeyRole, VerificationKey)> = {
            let state = self.state();
            let holder = state.holder(account);
            let key = |role| holder.and_then(|holder| holder.key_at(role, event)).map(|key| (role, key));
            P::signers().iter().filter_map(|role| key(*role)).collect()
        };
        let mut refused = None;
        for (role, key) in keys {
            match telegram.verify(&key, event) {
                Ok(authentic) => return Ok((authentic, role)),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.map_or_else(
            || {
                let words = format!("the {} names a key that {account} never had", telegram.kind);
                Problem::new(ProblemKind::NotAuthentic, words)
            },
            not_authentic,
        ))
    }

    fn is_here(&self, center: &CenterId) -> Result<(), Problem> {
        if self.state().settings().is_some_and(|settings| settings.center == *center) {
            return Ok(());
        }
        Err(Problem::new(ProblemKind::WrongCenter, "this is for another center"))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state()
    }
}

fn payment(authentic: &Authentic<payload::Payment>) -> Request {
    let it = authentic.payload();
    Request::Pay(Payment {
        telegram: authentic.id(),
        member: it.member,
        event: authentic.event(),
        card: it.card,
        store: it.store,
        offer: it.offer,
        order: it.order,
        total: it.total,
        currency: it.currency,
        offer_expires: it.offer_expires,
        valid_until: it.valid_until,
    })
}

fn card_request(authentic: &Authentic<payload::CardRequest>) -> Request {
    let it = authentic.payload();
    Request::RequestCard(CardRequest {
        telegram: authentic.id(),
        member: it.member,
        event: authentic.event(),
        amount: it.amount,
        currency: it.currency,
        funding: it.funding,
        valid_until: it.valid_until,
    })
}

fn key_change(authentic: &Authentic<payload::KeyChange>, by: KeyRole) -> Result<Request, Problem> {
    let it = authentic.payload();
    if let Some(key) = it.key {
        key.check().map_err(|error| malformed(format!("the new key: {error}")))?;
    }
    Ok(Request::ChangeKey(KeyChange {
        telegram: authentic.id(),
        account: it.account,
        by,
        event: authentic.event(),
        role: it.role,
        key: it.key,
        valid_until: it.valid_until,
    }))
}

fn refund(authentic: &Authentic<payload::Refund>) -> Request {
    let it = authentic.payload();
    Request::Refund(Refund {
        telegram: authentic.id(),
        store: it.store,
        cashier: it.cashier,
        event: authentic.event(),
        payment: it.payment,
        amount: it.amount,
        currency: it.currency,
        reason: it.reason,
        valid_until: it.valid_until,
    })
}

/// Evidence that does not hold is left out, so that the rules name the payment as not delivered.
fn claim(authentic: &Authentic<payload::Claim>, beside: &Beside) -> Request {
    let it = authentic.payload();
    let evidence = match beside {
        Beside::Claim(evidence) => &evidence[..],
        Beside::Nothing | Beside::Keys(_) => &[],
    };
    Request::Claim(Claim {
        telegram: authentic.id(),
        store: it.store,
        event: authentic.event(),
        payments: it.payments.to_vec(),
        total: it.total,
        currency: it.currency,
        proofs: evidence.iter().filter_map(|evidence| delivery(it, evidence)).collect(),
        valid_until: it.valid_until,
    })
}

/// What one piece of evidence proves: the offer is signed by the terminal key that it names, and the buyer key that
/// it names signed for the goods of the same order. That it is the offer which was paid, the rules see by its digest.
fn delivery(claim: &payload::Claim, evidence: &ClaimEvidence) -> Option<DeliveryProof> {
    let offered: SelfSigned<payload::Offer> = evidence.offer.verify_self().ok()?;
    let delivered: SelfSigned<payload::Delivery> = evidence.delivery.verify_self().ok()?;
    let offer = offered.payload();
    let holds = offered.key() == offer.terminal_key
        && delivered.key() == offer.buyer_key
        && delivered.payload().order == offer.order
        && offer.store == claim.store
        && offer.center == claim.center
        && offer.currency == claim.currency;
    holds.then(|| DeliveryProof {
        payment: evidence.payment,
        offer: evidence.offer.digest(),
        order: offer.order,
        total: offer.total,
    })
}

fn void<P: Ours>(account: AccountNumber, authentic: &Authentic<P>) -> Void {
    let telegram: TelegramId = authentic.id();
    Void { telegram, account, valid_until: authentic.payload().valid_until() }
}

fn malformed(words: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemKind::Malformed, words)
}

fn not_authentic(error: wire::telegram::TelegramError) -> Problem {
    let kind = match error {
        wire::telegram::TelegramError::Key(_) => ProblemKind::NotAuthentic,
        _ => ProblemKind::Malformed,
    };
    Problem::new(kind, error)
}
