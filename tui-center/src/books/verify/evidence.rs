//! Whether an entry's evidence holds: every signature in it, and that the request is what the evidence says.
//!
//! | request | evidence | what is looked at |
//! |---|---|---|
//! | card request, payment, refund, key cancel, cashier | telegram, beside | the signature under the key of the event that it names |
//! | claim | telegram, beside | the same; both signatures of every delivery |
//! | key change | telegram, beside | the same; possession of the new key, the terminal's certificate |
//! | void | the telegram that was asked about | the same |
//! | registration | telegram, certificate | both signatures, the keys themselves |
//! | key sheet | the signed sheet | the root key's signature ([`super::sheets`]) |
//! | document, or the proposal of one | its content | the digest |
//! | all else | none | the center's own acts: no telegram, and no signature of an operator's |
//!
//! Two things in a registration are the center's word alone: the proofs that terminal and recovery key are held, which
//! are not kept, and a store's trade name, which is bound by the salted hash of the particulars.
//!
//! Which key that is, the books say as they stood before the entry; so [`needed`] is asked in their order, and
//! [`examine`], which costs a hundred times as much, in none.

use ledger::{
    Request, State,
    request::{Proposed, Registration},
};
use serde::de::DeserializeOwned;
use wire::{
    codec,
    id::{AccountNumber, CenterId, EntryNumber},
    key::VerificationKey,
    limits,
    message::Beside,
    payload::{self, KeyRole, Rights, TerminalCertificate, possession_message},
    telegram::{Authentic, Kind, SelfSigned, Signer, Telegram, TelegramError},
};

use super::trouble::Respect;
use crate::{
    admission::document,
    books::{
        Record,
        asked::{self, Ours},
    },
};

/// What of the books it takes to look at an entry's evidence.
#[derive(Debug)]
pub(super) enum Needed {
    /// Nothing.
    Nothing,
    /// The books broke before: only what proves itself can be looked at.
    Unknown,
    /// The key that an account had at the event that the telegram names; `None` if it never had one.
    Key(Option<VerificationKey>),
    /// The keys that it had at that event, of which any may have signed.
    AnyKey(Vec<VerificationKey>),
    /// One key, and every key that was ever the account's.
    KeyChange(Option<VerificationKey>, Vec<VerificationKey>),
    /// The entry that admitted whoever registers.
    Admission(Option<EntryNumber>),
}

/// What does not hold.
pub(super) type Wrong = (Respect, String);

/// What the books, as they stood before this entry, say of its signer.
pub(super) fn needed(state: &State, record: &Record) -> Needed {
    let key = |account, role, event| state.holder(account).and_then(|holder| holder.key_at(role, event));
    let signature = |account, event| Needed::Key(key(account, KeyRole::Signature, event));
    let cashier = |account, key: VerificationKey| (state.key_holder(&key) == Some(account)).then_some(key);
    match &record.entry.request {
        Request::Pay(it) => signature(AccountNumber::Member(it.member), it.event),
        Request::RequestCard(it) => signature(AccountNumber::Member(it.member), it.event),
        Request::Claim(it) => signature(AccountNumber::Store(it.store), it.event),
        Request::Cashier(it) => signature(AccountNumber::Store(it.store), it.event),
        Request::Refund(it) => match it.cashier {
            None => signature(AccountNumber::Store(it.store), it.event),
            Some(key) => Needed::Key(cashier(AccountNumber::Store(it.store), key)),
        },
        Request::CancelKeyChange(it) => Needed::Key(key(it.account, KeyRole::Recovery, it.event)),
        Request::ChangeKey(it) => {
            let chain = state.holder(it.account).map(|holder| &holder.chain[..]).unwrap_or_default();
            let own = chain.iter().filter_map(|event| event.key).chain(it.key).collect();
            Needed::KeyChange(key(it.account, it.by, it.event), own)
        }
        Request::Void(it) => {
            let said = decoded::<Telegram>("telegram", record).ok().and_then(|telegram| claimed(&telegram));
            Needed::AnyKey(said.map_or_else(Vec::new, |said| match said.cashier {
                Some(key) => cashier(it.account, key).into_iter().collect(),
                None => said.roles.iter().filter_map(|role| key(it.account, *role, said.event)).collect(),
            }))
        }
        Request::Register(it) => Needed::Admission(state.admission_of(it.application)),
        _ => Needed::Nothing,
    }
}

/// Looks at an entry's evidence; says how many signatures were verified.
///
/// # Errors
/// The first thing that does not hold.
pub(super) fn examine(record: &Record, needed: &Needed, center: Option<&CenterId>) -> Result<u64, Wrong> {
    let look = Look { record, needed, center };
    let asked = &record.entry.request;
    match asked {
        Request::Pay(_) => {
            look.account(|it: &Authentic<payload::Payment>, _| asked::payment(it.payload(), it.id()))
        }
        Request::RequestCard(_) => {
            look.account(|it: &Authentic<payload::CardRequest>, _| asked::card_request(it.payload(), it.id()))
        }
        Request::Refund(_) => {
            look.account(|it: &Authentic<payload::Refund>, _| asked::refund(it.payload(), it.id()))
        }
        Request::CancelKeyChange(_) => {
            look.account(|it: &Authentic<payload::KeyCancel>, _| asked::key_cancel(it.payload(), it.id()))
        }
        Request::Cashier(_) => {
            look.account(|it: &Authentic<payload::CashierChange>, _| asked::cashier(it.payload(), it.id()))
        }
        Request::Claim(claim) => {
            let signatures = look.account(|it: &Authentic<payload::Claim>, beside| {
                asked::claim(it.payload(), it.id(), beside)
            })?;
            Ok(signatures + 2 * claim.proofs.len() as u64)
        }
        Request::ChangeKey(it) => {
            let signatures = look.account(|authentic: &Authentic<payload::KeyChange>, _| {
                asked::key_change(authentic.payload(), authentic.id(), it.by)
            })?;
            Ok(signatures + look.key_change()?)
        }
        Request::Void(_) => look.void(),
        Request::Register(it) => look.registration(it),
        Request::Document { digest, .. } => look.content(digest),
        Request::Propose { act, .. } => match &**act {
            Proposed::Document { digest, .. } => look.content(digest),
            _ => Ok(0),
        },
        _ => Ok(0),
    }
}

struct Look<'a> {
    record: &'a Record,
    needed: &'a Needed,
    center: Option<&'a CenterId>,
}

impl Look<'_> {
    /// A telegram of an account's with what travelled beside it.
    fn account<P: Ours>(&self, asked: impl FnOnce(&Authentic<P>, &Beside) -> Request) -> Result<u64, Wrong> {
        let (telegram, beside): (Telegram, Beside) = decoded("telegram", self.record).map_err(evidence)?;
        let Some(authentic) = self.authentic::<P>(&telegram)? else { return Ok(0) };
        self.is_asked(&asked(&authentic, &beside))?;
        Ok(1)
    }

    fn void(&self) -> Result<u64, Wrong> {
        let telegram: Telegram = decoded("telegram", self.record).map_err(evidence)?;
        match telegram.kind {
            Kind::Payment => self.voided::<payload::Payment>(&telegram),
            Kind::CardRequest => self.voided::<payload::CardRequest>(&telegram),
            Kind::KeyChange => self.voided::<payload::KeyChange>(&telegram),
            Kind::KeyCancel => self.voided::<payload::KeyCancel>(&telegram),
            Kind::CashierChange => self.voided::<payload::CashierChange>(&telegram),
            Kind::Refund => self.voided::<payload::Refund>(&telegram),
            Kind::Claim => self.voided::<payload::Claim>(&telegram),
            other => Err(evidence(format!("a {other} is not for the center"))),
        }
    }

    fn voided<P: Ours>(&self, telegram: &Telegram) -> Result<u64, Wrong> {
        let Some(authentic) = self.authentic::<P>(telegram)? else { return Ok(0) };
        self.is_asked(&asked::void(authentic.payload(), authentic.id()))?;
        Ok(1)
    }

    /// `None` where the key can't be known any more.
    fn authentic<P: Ours>(&self, telegram: &Telegram) -> Result<Option<Authentic<P>>, Wrong> {
        let claimed: P = telegram.peek().map_err(evidence)?;
        if self.center.is_some_and(|center| center != claimed.center()) {
            return Err(evidence(format!("the {} is for another center", telegram.kind)));
        }
        if telegram.signer != Signer::Account(claimed.account()) {
            return Err(evidence(format!(
                "the {} is signed by another account than it speaks for",
                telegram.kind
            )));
        }
        let keys = match self.needed {
            Needed::Key(key) | Needed::KeyChange(key, _) => key.as_slice(),
            Needed::AnyKey(keys) => keys,
            Needed::Nothing | Needed::Unknown | Needed::Admission(_) => return Ok(None),
        };
        let words = format!("the {} names a key that {} never had", telegram.kind, claimed.account());
        let mut wrong = (Respect::Signatures, words);
        for key in keys {
            match telegram.verify(key, claimed.key_event()) {
                Ok(authentic) => return Ok(Some(authentic)),
                Err(error) => wrong = refused(error),
            }
        }
        Err(wrong)
    }

    /// What travels beside a change of a key: the new key is held, and the terminal that will speak is certified by a key
    /// of the account's.
    fn key_change(&self) -> Result<u64, Wrong> {
        let Needed::KeyChange(_, own) = self.needed else { return Ok(0) };
        let (telegram, beside): (Telegram, Beside) = decoded("telegram", self.record).map_err(evidence)?;
        let it: payload::KeyChange = telegram.peek().map_err(evidence)?;
        let Some(new) = it.key else { return Ok(0) };
        let Beside::Keys(keys) = &beside else {
            return Err(evidence("nothing proves that the new key is held"));
        };
        let proof = keys.possession.ok_or_else(|| evidence("nothing proves that the new key is held"))?;
        let message = possession_message(&it.center, it.role, &telegram.id());
        new.verify(&message, &proof)
            .map_err(|error| (Respect::Signatures, format!("the proof that the new key is held: {error}")))?;
        let Some(certificate) = &keys.certificate else {
            if it.role == KeyRole::Terminal {
                return Err(evidence("the new terminal key has no certificate"));
            }
            return Ok(1);
        };
        let signed: SelfSigned<TerminalCertificate> = certificate.verify_self().map_err(refused)?;
        let says = signed.payload();
        let fits = own.contains(&signed.key())
            && own.contains(&says.terminal_key)
            && says.center == it.center
            && says.rights == Rights::Owner;
        if it.role != KeyRole::Recovery && !fits {
            return Err(evidence("the terminal's certificate does not go with the change"));
        }
        Ok(2)
    }

    fn registration(&self, entered: &Registration) -> Result<u64, Wrong> {
        let (telegram, certificate): (Telegram, Telegram) =
            decoded("registration", self.record).map_err(evidence)?;
        let signed: SelfSigned<payload::Registration> = telegram.verify_self().map_err(refused)?;
        let it = signed.payload();
        if self.center.is_some_and(|center| *center != it.center) {
            return Err(evidence("the registration is for another center"));
        }
        if signed.key() != it.verification_key {
            return Err(evidence("the registration is not signed with the key that it registers"));
        }
        for key in [Some(it.verification_key), Some(it.terminal_key), it.recovery_key].into_iter().flatten() {
            key.check().map_err(|error| evidence(format!("a key of the registration: {error}")))?;
        }
        let certified: SelfSigned<TerminalCertificate> = certificate.verify_self().map_err(refused)?;
        let says = certified.payload();
        let fits = certified.key() == it.verification_key
            && says.center == it.center
            && says.terminal_key == it.terminal_key
            && says.rights == Rights::Owner;
        if !fits {
            return Err(evidence("the terminal's certificate does not go with the registration"));
        }
        // A refused one may name an admission that had been withdrawn when it was decided.
        let admission = match self.needed {
            Needed::Admission(Some(admission)) if self.record.entry.refusal().is_none() => *admission,
            _ => entered.admission,
        };
        self.is_asked(&Request::Register(Registration {
            telegram: signed.id(),
            account: it.account,
            application: it.application,
            admission,
            signature_key: it.verification_key,
            terminal_key: it.terminal_key,
            recovery_key: it.recovery_key,
            particulars: it.particulars,
            terms: it.terms,
            trade_name: entered.trade_name.clone(),
            valid_until: it.valid_until,
        }))?;
        Ok(2)
    }

    fn content(&self, bound: &wire::id::Digest) -> Result<u64, Wrong> {
        let text = std::str::from_utf8(&self.record.evidence)
            .map_err(|_| evidence("the document's content is not text"))?;
        if document::digest(text) == *bound {
            return Ok(0);
        }
        Err(evidence("the document's content is not what the entry binds"))
    }

    fn is_asked(&self, derived: &Request) -> Result<(), Wrong> {
        if *derived == self.record.entry.request {
            return Ok(());
        }
        Err(evidence("the request that was entered is not what the signed telegram says"))
    }
}

/// What a telegram says of its signer, not believed yet.
struct Claimed {
    event: EntryNumber,
    cashier: Option<VerificationKey>,
    roles: &'static [KeyRole],
}

fn claimed(telegram: &Telegram) -> Option<Claimed> {
    fn of<P: Ours>(telegram: &Telegram) -> Option<Claimed> {
        let it: P = telegram.peek().ok()?;
        Some(Claimed { event: it.key_event(), cashier: it.cashier(), roles: P::signers() })
    }
    match telegram.kind {
        Kind::Payment => of::<payload::Payment>(telegram),
        Kind::CardRequest => of::<payload::CardRequest>(telegram),
        Kind::KeyChange => of::<payload::KeyChange>(telegram),
        Kind::KeyCancel => of::<payload::KeyCancel>(telegram),
        Kind::CashierChange => of::<payload::CashierChange>(telegram),
        Kind::Refund => of::<payload::Refund>(telegram),
        Kind::Claim => of::<payload::Claim>(telegram),
        _ => None,
    }
}

fn decoded<T: DeserializeOwned>(what: &'static str, record: &Record) -> Result<T, codec::Malformed> {
    codec::decode(what, &record.evidence, limits::FRAME)
}

fn evidence(words: impl std::fmt::Display) -> Wrong {
    (Respect::Evidence, words.to_string())
}

fn refused(error: TelegramError) -> Wrong {
    let respect =
        if matches!(error, TelegramError::Key(_)) { Respect::Signatures } else { Respect::Evidence };
    (respect, error.to_string())
}
