//! The one form that a state has on a disk: sections of bytes, each the same for every state that answers alike, however
//! it came about.
//!
//! | section | holds |
//! |---|---|
//! | `head` | all that is little: position, settings, operators, documents, proposals, totals |
//! | `holders` to `balances` | one item after the other: length (4), then the item by [`wire::codec`] |
//! | `payments` | 112 bytes each: entry, time, card, store, total (8 each), offer, order (32 each), state (8) |
//! | `orders` | 16 bytes each: payment, time until which it could be paid again |
//! | `telegrams` | 48 bytes each: id (32), entry, time until which it is kept |
//!
//! Integers are little endian; items ascend by number or key, telegrams by entry. A payment's state is 0 where it is
//! open, else four times the number of the entry that claimed (plus 1) or refunded it (plus 2). What can be told from the
//! rest is not written: the sums, who waits for what, and the holder of a payment's card.

use std::{collections::BTreeMap, sync::Arc, thread};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use wire::{
    admission::Way,
    amount::Amount,
    codec::{self, Malformed},
    id::{
        AccountNumber, ApplicationNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash,
        StoreNumber, TelegramId,
    },
    key::VerificationKey,
    time::Timestamp,
};

use super::{
    Admitted, BankReceipt, Card, Claim, ClaimState, Decided, DocumentVersion, Holder, Operator, PaymentState,
    Payout, PayoutState, Proposal, ReceiptState, RequestState, RequestedCard, Seen, State, Totals,
    holders::Room,
    payments::{Packed, Paid, Payments},
    rows::Series,
    table::Map,
};
use crate::{
    account::Account,
    request::{DeskLimits, Document, Settings},
};

/// A part of a state's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// All that is little.
    Head,
    /// Members and stores.
    Holders,
    /// Cards.
    Cards,
    /// Every key that was ever registered, and whose.
    Keys,
    /// How the center decided on applications.
    Applications,
    /// Admissions.
    Admissions,
    /// Card requests.
    Requests,
    /// Claims.
    Claims,
    /// Transfers.
    Payouts,
    /// Unmatched bank receipts.
    Receipts,
    /// Bank references that were booked.
    References,
    /// Bank notices that were told.
    Notices,
    /// What was posted to each account.
    Balances,
    /// Payments.
    Payments,
    /// Orders that could still be paid again.
    Orders,
    /// Telegrams whose time is not over.
    Telegrams,
}

impl Section {
    /// All sections, in their order.
    pub const ALL: [Self; 16] = [
        Self::Head,
        Self::Holders,
        Self::Cards,
        Self::Keys,
        Self::Applications,
        Self::Admissions,
        Self::Requests,
        Self::Claims,
        Self::Payouts,
        Self::Receipts,
        Self::References,
        Self::Notices,
        Self::Balances,
        Self::Payments,
        Self::Orders,
        Self::Telegrams,
    ];

    /// How long its rows are, where it consists of rows of one length.
    pub fn row(self) -> Option<usize> {
        match self {
            Self::Payments => Some(PAYMENT),
            Self::Orders => Some(ORDER),
            Self::Telegrams => Some(TELEGRAM),
            _ => None,
        }
    }
}

const PAYMENT: usize = 112;
const ORDER: usize = 16;
const TELEGRAM: usize = 48;
/// How much is handed out at once, about.
const PIECE: usize = 256 << 10;
/// The most bytes that an item may have.
const ITEM: usize = 1 << 20;

/// What a state is made of that is little, or that only changes with the center's own people.
#[derive(Serialize, Deserialize)]
struct Head {
    next: EntryNumber,
    at: Timestamp,
    settings: Option<Settings>,
    sheet: Option<(u64, Digest)>,
    operators: BTreeMap<String, Operator>,
    documents: BTreeMap<Document, DocumentVersion>,
    limits: DeskLimits,
    proposals: BTreeMap<EntryNumber, Proposal>,
    reserved: (MemberNumber, StoreNumber),
    posts: BTreeMap<EntryNumber, Vec<Way>>,
    refusals: (u64, BTreeMap<AccountNumber, u32>),
    totals: Totals,
}

impl State {
    /// Hands out the bytes of a section, in pieces.
    pub fn write(&self, section: Section, out: &mut dyn FnMut(&[u8])) {
        let numbered = (1..).map(CardNumber).zip(self.cards.iter());
        match section {
            Section::Head => out(&codec::encode(&self.head())),
            Section::Holders => items(self.holders.iter(), out),
            Section::Cards => items(numbered, out),
            Section::Keys => items(self.keys.sorted(|(key, _)| key.0).into_iter(), out),
            Section::Applications => items(self.applications.sorted(|(number, _)| *number).into_iter(), out),
            Section::Admissions => items(self.admissions.iter(), out),
            Section::Requests => items(self.requests.iter(), out),
            Section::Claims => items(self.claims.iter().map(|(number, it)| (number, &**it)), out),
            Section::Payouts => items(self.payouts.iter(), out),
            Section::Receipts => items(self.receipts.iter().map(|(number, it)| (number, &**it)), out),
            Section::References => items(self.bank_references.sorted(|(key, _)| *key).into_iter(), out),
            Section::Notices => items(self.bank_notices.sorted(|(key, _)| *key).into_iter(), out),
            Section::Balances => items(self.balances.iter(), out),
            Section::Payments => {
                let mut pieces = Pieces::new(out);
                self.payments.iter().for_each(|paid| pieces.add(&payment_row(paid)));
            }
            Section::Orders => {
                let mut pieces = Pieces::new(out);
                for (payment, until) in self.payments.orders(self.at) {
                    let mut row = [0; ORDER];
                    row[..8].copy_from_slice(&payment.0.to_le_bytes());
                    row[8..].copy_from_slice(&until.0.to_le_bytes());
                    pieces.add(&row);
                }
            }
            Section::Telegrams => {
                let mut pieces = Pieces::new(out);
                let live = self.telegrams.iter().filter(|(_, seen)| seen.until >= self.at);
                let mut live: Vec<_> = live.map(|(id, seen)| (seen.entry, seen.until, id)).collect();
                live.sort_unstable_by_key(|(entry, ..)| *entry);
                for (entry, until, id) in live {
                    let mut row = [0; TELEGRAM];
                    row[..32].copy_from_slice(&id.0);
                    row[32..40].copy_from_slice(&entry.0.to_le_bytes());
                    row[40..].copy_from_slice(&until.0.to_le_bytes());
                    pieces.add(&row);
                }
            }
        }
    }

    /// What names the whole state: two replays of one journal give the same, and so does a state that was read from its
    /// form. It writes the form, so it costs time in proportion to the books; ask it of a copy.
    pub fn digest(&self) -> Digest {
        digest_of(&Section::ALL.map(|section| {
            let mut hasher = Sha256::new();
            self.write(section, &mut |piece| hasher.update(piece));
            Digest(hasher.finalize().into())
        }))
    }

    fn head(&self) -> Head {
        Head {
            next: self.next,
            at: self.at,
            settings: self.settings.clone(),
            sheet: self.sheet,
            operators: self.operators.clone(),
            documents: self.documents.clone(),
            limits: self.limits,
            proposals: self.proposals.clone(),
            reserved: self.reserved,
            posts: self.posts.clone(),
            refusals: self.refusals.clone(),
            totals: self.totals,
        }
    }
}

/// The digest of the state whose sections have these SHA-256 sums:
/// `SHA-256("inkan/v1/state" ‖ each section's sum)`.
pub fn digest_of(sections: &[Digest; 16]) -> Digest {
    let mut parts: Vec<&[u8]> = vec![b"inkan/v1/state"];
    parts.extend(sections.iter().map(|section| &section.0[..]));
    Digest::of(&parts)
}

/// A state that is read from its form. Sections may be read by several at once: [`Loading::absorb`] joins what they read.
#[derive(Default)]
pub struct Loading {
    items: BTreeMap<Section, Vec<u8>>,
    payments: Payments,
    orders: Vec<(EntryNumber, Timestamp)>,
    telegrams: Vec<(TelegramId, Seen)>,
}

impl Loading {
    /// Takes a piece of a section, each piece after the one before it. A section of rows comes in whole rows.
    ///
    /// # Errors
    /// When it is not what [`State::write`] wrote.
    pub fn take(&mut self, section: Section, piece: &[u8]) -> Result<(), Malformed> {
        match section {
            Section::Payments => rows(piece, |row: &[u8; PAYMENT]| {
                let paid = read_payment(row).ok_or_else(|| malformed("a payment is none"))?;
                if self.payments.restore(paid) { Ok(()) } else { Err(malformed("payments out of order")) }
            }),
            Section::Orders => rows(piece, |row: &[u8; ORDER]| {
                self.orders.push((EntryNumber(word(row, 0)), Timestamp(word(row, 8))));
                Ok(())
            }),
            Section::Telegrams => rows(piece, |row: &[u8; TELEGRAM]| {
                let seen = Seen { entry: EntryNumber(word(row, 32)), until: Timestamp(word(row, 40)) };
                self.telegrams.push((TelegramId(bytes(row, 0)), seen));
                Ok(())
            }),
            other => {
                self.items.entry(other).or_default().extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// Joins what was read from other sections elsewhere.
    #[must_use]
    pub fn absorb(mut self, other: Self) -> Self {
        self.items.extend(other.items);
        if self.payments.is_empty() {
            self.payments = other.payments;
        }
        self.orders.extend(other.orders);
        if self.telegrams.is_empty() {
            self.telegrams = other.telegrams;
        }
        self
    }

    /// The state, made on two threads. What the form does not hold is made anew; [`State::audit`] tells whether all of it
    /// fits.
    ///
    /// # Errors
    /// When a section is missing or not what [`State::write`] wrote.
    pub fn finish(self) -> Result<State, Malformed> {
        let head = self.items.get(&Section::Head).map_or(&[][..], |head| head);
        let head: Head = codec::decode("state's head", head, 64 << 20)?;
        let mut state = State {
            next: head.next,
            at: head.at,
            settings: head.settings,
            sheet: head.sheet,
            operators: head.operators,
            documents: head.documents,
            limits: head.limits,
            proposals: head.proposals,
            reserved: head.reserved,
            posts: head.posts,
            refusals: head.refusals,
            totals: head.totals,
            ..State::new()
        };
        let items = Items(self.items);
        let (mut payments, orders, telegrams) = (self.payments, self.orders, self.telegrams);
        let telegrams = thread::scope(|scope| {
            let telegrams = scope.spawn(move || Map::of(&telegrams));
            if !payments.restore_orders(&orders) {
                return Err(malformed("a paid order without its payment, or twice"));
            }
            items.people(&mut state)?;
            items.money(&mut state)?;
            telegrams.join().ok().flatten().ok_or_else(|| malformed("a telegram twice"))
        })?;
        state.payments = payments;
        state.telegrams = telegrams;
        add_up(&mut state);
        Ok(state)
    }
}

/// The items of sections.
struct Items(BTreeMap<Section, Vec<u8>>);

impl Items {
    fn people(&self, state: &mut State) -> Result<(), Malformed> {
        self.each(Section::Holders, |(account, holder): (AccountNumber, Holder)| {
            if let Some(waiting) = holder.waiting_key {
                state.ripening.insert((waiting.from, account));
            }
            let reserved = match account {
                AccountNumber::Member(member) => member <= state.reserved.0,
                AccountNumber::Store(store) => store <= state.reserved.1,
            };
            reserved && state.holders.enter(account, holder)
        })?;
        self.each(Section::Keys, |(key, account): (VerificationKey, AccountNumber)| {
            state.keys.insert(key, account).is_none()
        })?;
        self.each(Section::Applications, |(number, decided): (ApplicationNumber, Decided)| {
            state.applications.insert(number, decided).is_none()
        })?;
        self.series(Section::Admissions, &mut state.admissions, |it: Admitted| it)
    }

    fn money(&self, state: &mut State) -> Result<(), Malformed> {
        self.each(Section::Cards, |(number, card): (CardNumber, Card)| {
            state.cards.push(card);
            number.0 == state.cards.len() as u64
        })?;
        self.series(Section::Requests, &mut state.requests, |it: RequestedCard| it)?;
        self.series(Section::Claims, &mut state.claims, |it: Claim| Arc::new(it))?;
        self.series(Section::Payouts, &mut state.payouts, |it: Payout| it)?;
        self.series(Section::Receipts, &mut state.receipts, |it: BankReceipt| Arc::new(it))?;
        self.digests(Section::References, &mut state.bank_references)?;
        self.digests(Section::Notices, &mut state.bank_notices)?;
        let stores = usize::try_from(state.reserved.1.0).unwrap_or(usize::MAX);
        let room = Room { cards: state.cards.len(), stores };
        self.each(Section::Balances, |(account, balance): (Account, i128)| {
            state.balances.add(account, balance, room);
            true
        })
    }

    fn digests(&self, section: Section, into: &mut Map<Digest, EntryNumber>) -> Result<(), Malformed> {
        self.each(section, |(digest, entry): (Digest, EntryNumber)| into.insert(digest, entry).is_none())
    }

    fn series<T: DeserializeOwned, H: Clone>(
        &self,
        section: Section,
        into: &mut Series<H>,
        held: impl Fn(T) -> H,
    ) -> Result<(), Malformed> {
        let mut last = None;
        self.each(section, |(number, it): (EntryNumber, T)| {
            let ascends = last.is_none_or(|last| last < number);
            last = Some(number);
            into.push(number, held(it));
            ascends
        })
    }

    /// Decodes the items of a section; `enter` says whether an item can stand there.
    fn each<T: DeserializeOwned>(
        &self,
        section: Section,
        mut enter: impl FnMut(T) -> bool,
    ) -> Result<(), Malformed> {
        let mut rest = self.0.get(&section).map_or(&[][..], |bytes| bytes);
        while let Some((length, behind)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            let (item, behind) =
                behind.split_at_checked(length).ok_or_else(|| malformed("an item ends too early"))?;
            if !enter(codec::decode("item of a state", item, ITEM)?) {
                return Err(malformed("an item stands where it can't"));
            }
            rest = behind;
        }
        if rest.is_empty() { Ok(()) } else { Err(malformed("a section ends too early")) }
    }
}

/// Makes what the form does not hold.
fn add_up(state: &mut State) {
    for (number, requested) in state.requests.iter() {
        if requested.state == RequestState::Waiting {
            state.waiting.insert((requested.expires, number));
        }
    }
    for (number, claim) in state.claims.iter() {
        if claim.state == ClaimState::Due {
            state.claims_due.insert(number);
        }
    }
    let transit = state.payouts.iter().filter(|(_, it)| it.state == PayoutState::InTransit);
    state.sums.in_transit = transit.map(|(_, it)| i128::from(it.amount.minor())).sum();
    let unmatched = state.receipts.iter().filter(|(_, it)| it.state == ReceiptState::Waiting);
    state.sums.unmatched = unmatched.map(|(_, it)| i128::from(it.amount.minor())).sum();
    let mut owed = BTreeMap::new();
    for paid in state.payments.iter() {
        let owing = match paid.state.state() {
            PaymentState::Open => true,
            PaymentState::Claimed(claim) => state.claims_due.contains(&claim),
            PaymentState::Refunded(_) => false,
        };
        if owing && state.holders.contains(AccountNumber::Store(paid.store)) {
            *owed.entry(paid.store).or_default() += i128::from(paid.total.minor());
        }
    }
    for (store, amount) in owed {
        state.sums.owe(store, amount);
    }
}

/// Bytes that are handed out when enough of them are there, and what is left at the end.
struct Pieces<'a> {
    bytes: Vec<u8>,
    out: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Pieces<'a> {
    fn new(out: &'a mut dyn FnMut(&[u8])) -> Self {
        Self { bytes: Vec::with_capacity(PIECE + ITEM / 8), out }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= PIECE {
            (self.out)(&self.bytes);
            self.bytes.clear();
        }
    }
}

impl Drop for Pieces<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            (self.out)(&self.bytes);
        }
    }
}

fn items<T: Serialize>(items: impl Iterator<Item = T>, out: &mut dyn FnMut(&[u8])) {
    let mut pieces = Pieces::new(out);
    for item in items {
        let item = codec::encode(&item);
        let length = u32::try_from(item.len()).expect("nothing in the books has 4 GiB");
        pieces.add(&length.to_le_bytes());
        pieces.add(&item);
    }
}

fn payment_row(paid: &Paid) -> [u8; PAYMENT] {
    let mut row = [0; PAYMENT];
    let words = [paid.number.0, paid.at.0, paid.card.0, paid.store.0, paid.total.minor()];
    for (place, word) in row.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    row[40..72].copy_from_slice(&paid.offer.0);
    row[72..104].copy_from_slice(&paid.order.0);
    row[104..].copy_from_slice(&paid.state.0.to_le_bytes());
    row
}

fn read_payment(row: &[u8; PAYMENT]) -> Option<Paid> {
    let state = Packed(word(row, 104));
    let paid = Paid {
        number: EntryNumber(word(row, 0)),
        at: Timestamp(word(row, 8)),
        card: CardNumber(word(row, 16)),
        store: StoreNumber(word(row, 24)),
        total: Amount::new(word(row, 32))?,
        offer: Digest(bytes(row, 40)),
        order: OrderHash(bytes(row, 72)),
        state,
    };
    state.is_one().then_some(paid)
}

fn rows<const ROW: usize>(
    piece: &[u8],
    mut take: impl FnMut(&[u8; ROW]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let (rows, rest) = piece.as_chunks::<ROW>();
    if !rest.is_empty() {
        return Err(malformed("a row ends too early"));
    }
    rows.iter().try_for_each(&mut take)
}

fn word(row: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*row[at..].first_chunk().expect("callers ask within the row"))
}

fn bytes(row: &[u8], at: usize) -> [u8; 32] {
    *row[at..].first_chunk().expect("callers ask within the row")
}

fn malformed(why: &str) -> Malformed {
    Malformed { what: "state", why: why.into() }
}
