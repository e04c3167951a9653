//! What of an entry the member, the store and the center itself may see, and the leaf that binds the three.
//!
//! This is the seam from what is decided (`ledger`) to what is said (`wire`) for everything that a receipt opens.

use ledger::{
    Decision, Entry, Outcome, Request,
    entry::{Purpose, Refusal},
};
use serde::Serialize;
use wire::{
    bounded::List,
    codec,
    id::{AccountNumber, Digest, MemberNumber, Role, StoreNumber, TelegramId},
    key::VerificationKey,
    message,
    payload::{KeyRole, RefundReason},
    receipt::{Leaf, MemberPart, PayoutState, Side, StorePart, part_hash, part_salt, part_salts},
    text::Line,
};

use super::record::Record;

/// Room for the center's part of most entries.
const CENTER_PART: usize = 1 << 10;

/// Which member and which store may see their part of this entry.
pub fn concerns(record: &Record) -> (Option<MemberNumber>, Option<StoreNumber>) {
    let entry = &record.entry;
    let (member, store) = open_parts(entry);
    (
        entry.concerns.member.filter(|_| member != MemberPart::Nothing),
        entry.concerns.store.filter(|_| store != StorePart::Nothing),
    )
}

/// What the member may see.
pub fn member_part(record: &Record) -> MemberPart {
    open_parts(&record.entry).0
}

/// What the store may see.
pub fn store_part(record: &Record) -> StorePart {
    open_parts(&record.entry).1
}

/// The leaf that stands for the record in the tree. It is a function of the record alone and never changes.
pub fn leaf(record: &Record) -> Leaf {
    Opened::of(record).leaf
}

/// The salt and the bytes of one part.
pub fn open(record: &Record, side: Side) -> ([u8; 32], Vec<u8>) {
    let part = match side {
        Side::Member => codec::encode(&member_part(record)),
        Side::Store => codec::encode(&store_part(record)),
        Side::Center => center_part(record),
    };
    (part_salt(&record.seed, side), part)
}

/// A leaf with the parts that receipts open.
pub(super) struct Opened {
    pub(super) leaf: Leaf,
    seed: [u8; 16],
    member: ([u8; 32], Vec<u8>),
    store: ([u8; 32], Vec<u8>),
}

impl Opened {
    pub(super) fn of(record: &Record) -> Self {
        let [member_salt, store_salt, center_salt] = part_salts(&record.seed);
        let (member, store) = open_parts(&record.entry);
        let (member, store) = (codec::encode(&member), codec::encode(&store));
        let leaf = Leaf {
            entry: record.entry.number,
            at: record.entry.at,
            kind: record.entry.kind(),
            member: part_hash(&member_salt, &member),
            store: part_hash(&store_salt, &store),
            center: part_hash(&center_salt, &center_part(record)),
        };
        Self { leaf, seed: record.seed, member: (member_salt, member), store: (store_salt, store) }
    }

    /// The salt and the bytes of the member's or the store's part, if this was made of that very record: no two have the
    /// same seed.
    pub(super) fn part(&self, record: &Record, side: Side) -> Option<([u8; 32], &[u8])> {
        let (salt, part) = match side {
            Side::Member => &self.member,
            Side::Store => &self.store,
            Side::Center => return None,
        };
        (self.seed == record.seed).then_some((*salt, part))
    }
}

fn center_part(record: &Record) -> Vec<u8> {
    let evidence = Digest::of(&[b"inkan/v1/evidence", &record.evidence]);
    let mut part = Vec::with_capacity(CENTER_PART);
    codec::encode_into(&mut part, &CenterPart { entry: &record.entry, evidence });
    part
}

/// A refusal as it is said to whoever signed the telegram.
pub fn said(refusal: &Refusal) -> message::Refusal {
    use message::Refusal as Said;
    match refusal {
        Refusal::KeyNotInForce => Said::KeyNotInForce,
        Refusal::Expired => Said::Expired,
        Refusal::OfferExpired => Said::OfferExpired,
        Refusal::WrongCurrency => Said::WrongCurrency,
        Refusal::AmountZero => Said::AmountZero,
        Refusal::AmountOutOfRange { least, most } => Said::AmountOutOfRange { least: *least, most: *most },
        Refusal::UnknownCard => Said::UnknownCard,
        Refusal::CardFrozen => Said::CardFrozen,
        Refusal::AccountFrozen => Said::AccountFrozen,
        Refusal::UnknownStore => Said::UnknownStore,
        Refusal::StoreFrozen => Said::StoreFrozen,
        Refusal::AlreadyPaid { by } => Said::AlreadyPaid { by: *by },
        Refusal::BalanceShort { by } => Said::BalanceShort { by: *by },
        Refusal::UnknownPayment { payment } => Said::UnknownPayment { payment: *payment },
        Refusal::AlreadyRefunded { payment } => Said::AlreadyRefunded { payment: *payment },
        Refusal::AlreadyClaimed { payment } => Said::AlreadyClaimed { payment: *payment },
        Refusal::WrongAmount { expected } => Said::WrongAmount { expected: *expected },
        Refusal::NotDelivered { payments } => {
            Said::NotDelivered { payments: List::first(payments.iter().copied()) }
        }
        Refusal::ClaimOutOfOrder => Said::ClaimOutOfOrder,
        Refusal::TooManyRefusals => Said::TooManyRefusals,
        Refusal::KeyTaken => Said::KeyTaken,
        Refusal::Duplicate { of } => Said::NotPossible(line(&format!("it was entered before as {of}"))),
        Refusal::NotPossible(words) => Said::NotPossible(line(words)),
        Refusal::NotAllowed => Said::NotPossible(line("this is not allowed to whoever asked for it")),
        Refusal::Held { until } => Said::Held { until: *until },
        Refusal::CashierLimit { left } => Said::CashierLimit { left: *left },
        Refusal::NeedsSecond => {
            Said::NotPossible(line("one operator alone may not do this; propose it, and another confirms it"))
        }
        Refusal::SamePerson => Said::NotPossible(line("whoever proposed it cannot confirm it")),
    }
}

/// Everything else in an entry: the entry as a whole, and what binds the evidence. An auditor who has the journal
/// sees both; a receipt of this side is for a judge.
#[derive(Serialize)]
struct CenterPart<'a> {
    entry: &'a Entry,
    evidence: Digest,
}

fn open_parts(entry: &Entry) -> (MemberPart, StorePart) {
    match &entry.decision {
        Decision::Refused(refusal) => refused(entry, refusal),
        Decision::Done(outcome) => done(entry, outcome),
    }
}

/// A refusal is seen by whoever signed, and by nobody else.
fn refused(entry: &Entry, refusal: &Refusal) -> (MemberPart, StorePart) {
    let Some((telegram, role)) = signer(&entry.request) else {
        return (MemberPart::Nothing, StorePart::Nothing);
    };
    let reason = said(refusal);
    match role {
        Role::Member => (MemberPart::Refused { telegram, reason }, StorePart::Nothing),
        Role::Store => (MemberPart::Nothing, StorePart::Refused { telegram, reason }),
    }
}

fn done(entry: &Entry, outcome: &Outcome) -> (MemberPart, StorePart) {
    let member = |part| (part, StorePart::Nothing);
    let store = |part| (MemberPart::Nothing, part);
    match (&*entry.request.effective(), outcome) {
        (Request::Register(it), Outcome::Registered(AccountNumber::Member(number))) => {
            member(MemberPart::Registered { member: *number, key: it.signature_key })
        }
        (Request::Register(it), Outcome::Registered(AccountNumber::Store(number))) => {
            store(StorePart::Registered { store: *number, key: it.signature_key })
        }
        (Request::ChangeKey(it), Outcome::KeyWaits { from }) => {
            let Some(key) = it.key else { return (MemberPart::Nothing, StorePart::Nothing) };
            match it.account {
                AccountNumber::Member(_) => member(MemberPart::KeyChangeWaits { key, from: *from }),
                AccountNumber::Store(_) => store(StorePart::KeyChangeWaits { key, from: *from }),
            }
        }
        (Request::ChangeKey(it), _) => key_changed(it.account, it.role, it.key),
        (Request::KeyInForce { account, .. }, Outcome::KeyInForce(key)) => {
            key_changed(*account, KeyRole::Recovery, Some(*key))
        }
        (Request::Revoke { account, role, .. }, _) => key_changed(*account, *role, None),
        (Request::CancelKeyChange(it), _) => match it.account {
            AccountNumber::Member(_) => member(MemberPart::KeyChangeCancelled { change: it.change }),
            AccountNumber::Store(_) => store(StorePart::KeyChangeCancelled { change: it.change }),
        },
        (Request::Cashier(it), _) => store(StorePart::CashierChanged {
            telegram: it.telegram,
            key: it.key,
            in_force: it.rights.is_some(),
        }),
        (Request::RequestCard(it), _) => {
            member(MemberPart::CardRequested { telegram: it.telegram, amount: it.amount })
        }
        (_, Outcome::CardIssued { card, request, amount }) => {
            member(MemberPart::CardIssued { card: *card, request: *request, amount: *amount })
        }
        (Request::Pay(it), Outcome::Paid { balance }) => (
            MemberPart::Paid {
                telegram: it.telegram,
                card: it.card,
                store: it.store,
                offer: it.offer,
                order: it.order,
                total: it.total,
                balance: *balance,
            },
            StorePart::Paid { offer: it.offer, order: it.order, total: it.total },
        ),
        (Request::Void(it), _) => match it.account {
            AccountNumber::Member(_) => member(MemberPart::Voided { telegram: it.telegram }),
            AccountNumber::Store(_) => store(StorePart::Voided { telegram: it.telegram }),
        },
        (Request::Refund(it), Outcome::Refunded { card, amount, balance, .. }) => (
            MemberPart::Refunded {
                payment: it.payment,
                card: *card,
                amount: *amount,
                reason: it.reason,
                balance: *balance,
            },
            StorePart::Refunded {
                telegram: it.telegram,
                payment: it.payment,
                amount: *amount,
                reason: it.reason,
            },
        ),
        (Request::CenterRefund { payment, .. }, Outcome::Refunded { card, amount, balance, .. }) => (
            MemberPart::Refunded {
                payment: *payment,
                card: *card,
                amount: *amount,
                reason: RefundReason::ByCenter,
                balance: *balance,
            },
            StorePart::RefundedByCenter { payment: *payment, amount: *amount },
        ),
        (Request::Claim(it), _) => store(StorePart::Claimed {
            telegram: it.telegram,
            payments: List::first(it.payments.iter().copied()),
            total: it.total,
        }),
        (_, Outcome::PayoutIntended { purpose: Purpose::Claim(claim), amount }) => {
            store(StorePart::Payout { claim: *claim, amount: *amount, state: PayoutState::InTransit })
        }
        (_, Outcome::PayoutSettled { purpose: Purpose::Claim(claim), amount, paid }) => {
            let state = if *paid { PayoutState::Paid } else { PayoutState::Failed };
            store(StorePart::Payout { claim: *claim, amount: *amount, state })
        }
        (Request::Lapse { request }, _) => member(MemberPart::CardLapsed { request: *request }),
        _ => (MemberPart::Nothing, StorePart::Nothing),
    }
}

fn key_changed(
    account: AccountNumber,
    role: KeyRole,
    key: Option<VerificationKey>,
) -> (MemberPart, StorePart) {
    match account {
        AccountNumber::Member(_) => (MemberPart::KeyChanged { role, key }, StorePart::Nothing),
        AccountNumber::Store(_) => (MemberPart::Nothing, StorePart::KeyChanged { role, key }),
    }
}

/// The telegram that a request came as, and the part that its signer sees.
fn signer(request: &Request) -> Option<(TelegramId, Role)> {
    let signed = request.signed()?;
    let role = match (signed.account, request) {
        (Some(account), _) => account.role(),
        (None, Request::Register(it)) => it.account.role(),
        (None, _) => return None,
    };
    Some((signed.telegram, role))
}

/// Words of our own as a line, cut at a character where they are too long.
fn line(words: &str) -> Line {
    let short: String = words.chars().take(wire::limits::LINE / 4).collect();
    Line::new(&short).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::sample, *};

    /// The name of an enum's variant.
    fn variant(part: impl std::fmt::Debug) -> String {
        format!("{part:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
    }

    #[test]
    fn each_sees_its_own_part_and_no_other() {
        let center = sample::Center::peopled();
        let seen: BTreeSet<String> = center
            .records
            .iter()
            .map(|record| {
                let (member, store) = concerns(record);
                let shown =
                    |part, whom: Option<String>| format!("{part} to {}", whom.unwrap_or("nobody".into()));
                let member = shown(variant(member_part(record)), member.map(|it| it.to_string()));
                let store = shown(variant(store_part(record)), store.map(|it| it.to_string()));
                format!("{}: {member}; {store}", record.entry.kind())
            })
            .collect();
        let expected = [
            "admission: Nothing to nobody; Nothing to nobody",
            "bank credit: CardIssued to M-000001-3; Nothing to nobody",
            "card request: CardRequested to M-000001-3; Nothing to nobody",
            "claim: Nothing to nobody; Claimed to S-000001-3",
            "founding: Nothing to nobody; Nothing to nobody",
            "cashier: Nothing to nobody; CashierChanged to S-000001-3",
            "key change: KeyChangeCancelled to M-000001-3; Nothing to nobody",
            "key change: KeyChangeWaits to M-000001-3; Nothing to nobody",
            "key change: KeyChanged to M-000001-3; Nothing to nobody",
            "key sheet: Nothing to nobody; Nothing to nobody",
            "operator: Nothing to nobody; Nothing to nobody",
            "payment: Paid to M-000001-3; Paid to S-000001-3",
            "payment: Refused to M-000001-3; Nothing to nobody",
            "payout result: Nothing to nobody; Payout to S-000001-3",
            "payout: Nothing to nobody; Payout to S-000001-3",
            "refund: Refunded to M-000001-3; Refunded to S-000001-3",
            "refund: Refunded to M-000001-3; RefundedByCenter to S-000001-3",
            "registration: Nothing to nobody; Registered to S-000001-3",
            "registration: Registered to M-000001-3; Nothing to nobody",
            "standing: Nothing to nobody; Nothing to nobody",
            "void: Voided to M-000001-3; Nothing to nobody",
        ];
        assert_eq!(seen, expected.map(str::to_owned).into());
    }

    /// Every receipt ever given out rests on this.
    #[test]
    fn the_leaf_of_a_kept_record_never_changes() {
        let hash = leaf(&sample::lapse()).hash().to_string();
        assert_eq!(hash, "85bb568bc90d8b65db16b492fae40f61044df1f7fcb5a40daaa3d0a24523a229");
    }

    #[test]
    fn a_part_tells_nothing_of_the_others() {
        let record = sample::lapse();
        let mut other = record.clone();
        other.evidence.push(1);
        let (before, after) = (leaf(&record), leaf(&other));
        assert_eq!((before.member, before.store), (after.member, after.store));
        assert_ne!(before.center, after.center, "the center's part binds the evidence");
        other.seed = [1; 16];
        assert_ne!(leaf(&other).store, before.store, "the same part under another salt");
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        let said = said(&Refusal::NotPossible("長".repeat(300)));
        assert_eq!(said, message::Refusal::NotPossible(Line::new(&"長".repeat(100)).unwrap()));
    }
}
