//! What a cashier's terminal and the store's serving program say to each other, on the store's own line.
//!
//! A cashier has no account: the store's owner certifies its terminal key ([`crate::payload::CashierChange`]). It reaches
//! the store with a [`StoreLine`], asks to be certified with a [`CashierRequest`], and then calls with [`TillRequest`]s
//! in [`crate::shop::StoreRequest::Till`]; each gets one [`TillAnswer`]. The first is [`TillRequest::Login`]; whatever
//! comes before it is refused. The serving program looks at the rights anew at every request. Variants are only ever
//! appended.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use crate::{
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    codec,
    id::{CenterId, EntryNumber, OrderHash, Salt, StoreNumber},
    key::{KeyError, Signature, SigningKey, VerificationKey},
    limits,
    message::Verdict,
    order::OrderLine,
    payload::CashierRights,
    sheet::Invitation,
    shop::ShopRefusal,
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

/// What a store's owner hands to staff: the store's number, where its counter listens under which key, and the center
/// whose evidence counts.
///
/// Printed as `inkan-till:S-000001-7:KEY@host:port+KEY@host:port`: the store's terminal key before the `+`, the center's
/// root key behind it, both as in an [`Invitation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLine {
    /// The store.
    pub store: StoreNumber,
    /// The terminal key that its line shows.
    pub key: VerificationKey,
    /// Where its counter listens, as `host:port`.
    pub addresses: List<Line, { limits::ADDRESSES }>,
    /// The center.
    pub center: Invitation,
}

/// Words for a store's line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a store's line for cashiers: {0}; it looks like inkan-till:S-…:KEY@host:port+KEY@host:port"
)]
pub struct StoreLineError(String);

const LINE_PREFIX: &str = "inkan-till:";
const REQUEST_PREFIX: &str = "inkan-cashier:";
const INVITATION_PREFIX: &str = "inkan:";

impl fmt::Display for StoreLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counter = Invitation { root: self.key, addresses: self.addresses.clone() }.to_string();
        let center = self.center.to_string();
        let bare = |text: &str| text.strip_prefix(INVITATION_PREFIX).unwrap_or(text).to_owned();
        write!(f, "{LINE_PREFIX}{}:{}+{}", self.store, bare(&counter), bare(&center))
    }
}

impl FromStr for StoreLine {
    type Err = StoreLineError;

    fn from_str(text: &str) -> Result<Self, StoreLineError> {
        let wrong = |why: &str| StoreLineError(why.to_owned());
        let rest = text.trim().strip_prefix(LINE_PREFIX);
        let rest = rest.ok_or_else(|| wrong("it does not begin with inkan-till:"))?;
        let (store, rest) = rest.split_once(':').ok_or_else(|| wrong("the store's number is missing"))?;
        let store = store.parse().map_err(|error| StoreLineError(format!("{error}")))?;
        let (counter, center) =
            rest.split_once('+').ok_or_else(|| wrong("the + before the center is missing"))?;
        let read = |part: &str| {
            let invitation = format!("{INVITATION_PREFIX}{part}").parse::<Invitation>();
            invitation.map_err(|error| StoreLineError(error.to_string()))
        };
        let (counter, center) = (read(counter)?, read(center)?);
        Ok(Self { store, key: counter.root, addresses: counter.addresses, center })
    }
}

/// What a cashier's terminal hands to the owner: its key, the name it would like, and the proof that it holds the key.
///
/// Printed as `inkan-cashier:` and the encoded request in base 32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashierRequest {
    /// The center of the store.
    pub center: CenterId,
    /// Whose cashier it wants to be.
    pub store: StoreNumber,
    /// A name for the owner's lists.
    pub name: Line,
    /// The terminal key.
    pub key: VerificationKey,
    /// Its signature over `inkan/v1/till-request ‖ 0 ‖ center ‖ store ‖ key ‖ name`, the last four as encoded.
    pub signature: Signature,
}

/// The longest request in its printed form, generously.
const REQUEST_BYTES: usize = 1_024;

/// Words for a cashier's request that could not be read or does not prove its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CashierRequestError {
    /// Not of the form.
    #[error("this is not a cashier's request; it looks like inkan-cashier:… as “till join” prints it")]
    Form,
    /// The signature does not fit, or the key is no acceptable key.
    #[error("the cashier's request does not prove its key: {0}; make it again with “till join”")]
    Key(#[from] KeyError),
}

impl CashierRequest {
    /// A request with its proof.
    pub fn new(center: CenterId, store: StoreNumber, name: Line, key: &SigningKey) -> Self {
        let signature = key.sign(&request_message(&center, store, &key.verification_key(), &name));
        Self { center, store, name, key: key.verification_key(), signature }
    }

    /// Whether the key is acceptable and whoever made the request holds it.
    ///
    /// # Errors
    /// When not.
    pub fn check(&self) -> Result<(), CashierRequestError> {
        self.key.check()?;
        let message = request_message(&self.center, self.store, &self.key, &self.name);
        Ok(self.key.verify(&message, &self.signature)?)
    }
}

impl fmt::Display for CashierRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{REQUEST_PREFIX}{}", BASE32_NOPAD.encode(&codec::encode(self)))
    }
}

impl FromStr for CashierRequest {
    type Err = CashierRequestError;

    /// Reads a request and checks its proof.
    fn from_str(text: &str) -> Result<Self, CashierRequestError> {
        let bytes = text.trim().strip_prefix(REQUEST_PREFIX).filter(|rest| rest.len() <= 2 * REQUEST_BYTES);
        let bytes = bytes.and_then(|rest| BASE32_NOPAD.decode(rest.to_ascii_uppercase().as_bytes()).ok());
        let bytes = bytes.ok_or(CashierRequestError::Form)?;
        let request: Self = codec::decode("cashier's request", &bytes, REQUEST_BYTES)
            .map_err(|_| CashierRequestError::Form)?;
        request.check()?;
        Ok(request)
    }
}

/// What a cashier's terminal key signs to log in: `inkan/v1/till ‖ 0 ‖ center ‖ store ‖ key ‖ TLS exporter`, the store as
/// encoded.
pub fn login_message(
    center: &CenterId,
    store: StoreNumber,
    key: &VerificationKey,
    exporter: &[u8; 32],
) -> Vec<u8> {
    [b"inkan/v1/till\0".as_slice(), &center.0, &codec::encode(&store), &key.0, exporter].concat()
}

fn request_message(center: &CenterId, store: StoreNumber, key: &VerificationKey, name: &Line) -> Vec<u8> {
    let (store, name) = (codec::encode(&store), codec::encode(name));
    [b"inkan/v1/till-request\0".as_slice(), &center.0, &store, &key.0, &name].concat()
}

/// What a cashier's terminal asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TillRequest {
    /// To be believed as a cashier on this connection. → [`TillAnswer::Welcome`]
    Login {
        /// The cashier's terminal key.
        key: VerificationKey,
        /// Its [`crate::payload::TerminalCertificate`], once the store has handed it out.
        certificate: Option<Telegram>,
        /// The key's signature over [`login_message`].
        signature: Signature,
    },
    /// A page of the orders, newest first; any right suffices. → [`TillAnswer::Orders`]
    Orders {
        /// The order after which the page begins.
        after: Option<OrderHash>,
    },
    /// One order, by its hash, at least six digits of it, or its payment's number; any right suffices.
    /// → [`TillAnswer::Order`]
    Order(Line),
    /// The goods of a paid order are here for its buyer to fetch, again too; takes the right to deliver.
    /// → [`TillAnswer::Order`]
    Deliver(OrderHash),
    /// To have a [`crate::payload::Refund`] entered that this cashier signed; takes what is left of its limit.
    /// → [`TillAnswer::Verdict`]
    Refund(Telegram),
    /// What became of a refund that this cashier signed. → [`TillAnswer::Verdict`]
    Inquire(Telegram),
    /// The day's figures; takes the right to see them. → [`TillAnswer::Day`]
    Day,
    /// To sell an item no more for now, or again; takes the right to sell. → [`TillAnswer::Paused`]
    Pause {
        /// The item's id.
        item: Line,
        /// Whether it is not sold from now on.
        paused: bool,
    },
    /// To get an offer for a buyer at the counter; takes the right to sell. → [`TillAnswer::Offer`]
    Offer {
        /// The encoded [`crate::order::Order`].
        order: Bytes<{ limits::ORDER }>,
        /// The salt of its hash.
        salt: Salt,
        /// The buyer's fresh key for this order.
        buyer_key: VerificationKey,
    },
}

/// What the serving program answers to a cashier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TillAnswer {
    /// To [`TillRequest::Login`].
    Welcome(Box<TillWelcome>),
    /// To [`TillRequest::Orders`].
    Orders {
        /// The orders, newest first.
        orders: List<TillOrder, { limits::PAGE }>,
        /// Whether older ones follow.
        more: bool,
    },
    /// To [`TillRequest::Order`] and [`TillRequest::Deliver`].
    Order(Box<TillDetail>),
    /// To [`TillRequest::Refund`] and [`TillRequest::Inquire`].
    Verdict(Box<TillVerdict>),
    /// To [`TillRequest::Day`].
    Day(Box<TillDay>),
    /// To [`TillRequest::Pause`]: the items that are not sold now.
    Paused(List<Line, { limits::PAGE }>),
    /// To [`TillRequest::Offer`]: the signed [`crate::payload::Offer`].
    Offer(Telegram),
    /// Not done, with the reason.
    Refused(TillRefusal),
}

/// What a cashier learns when it has logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillWelcome {
    /// The [`crate::payload::TerminalCertificate`] of the cashier's key, signed with the store's signature key.
    pub certificate: Telegram,
    /// The entry of the [`crate::payload::CashierChange`]: the key event that its refunds name.
    pub entry: EntryNumber,
    /// What is left of its limit today, as far as the store knows.
    pub left: Amount,
    /// The center's currency.
    pub currency: Currency,
    /// The center's newest [`crate::sheet::KeySheet`] that the store has.
    pub sheet: Telegram,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillOrder {
    /// The order.
    pub order: OrderHash,
    /// How it stands.
    pub standing: Standing,
    /// When it was taken.
    pub taken: Timestamp,
    /// What was ordered, in one line.
    pub goods: Line,
    /// The total.
    pub total: Amount,
    /// Its payment's number, once there is one.
    pub payment: Option<EntryNumber>,
}

/// How an order stands, as the store sees it. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// Offered; no payment notice has come.
    AwaitingPayment,
    /// Paid; the buyer fetches the goods.
    Paid,
    /// Paid, and to be given back.
    RefundDue,
    /// The buyer signed for the goods.
    Delivered,
    /// Claimed from the center.
    Claimed,
    /// The payment was given back.
    Refunded,
    /// The offer expired unpaid.
    Expired,
}

/// An order in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillDetail {
    /// What the list shows.
    pub row: TillOrder,
    /// Its lines.
    pub lines: List<OrderLine, { limits::ORDER_LINES }>,
    /// The buyer's words.
    pub note: Prose,
    /// Until when the offer can be paid.
    pub expires: Timestamp,
    /// When it was paid, by the center's clock.
    pub paid: Option<Timestamp>,
    /// When the buyer signed for the goods.
    pub delivered: Option<Timestamp>,
    /// Why it can't be delivered.
    pub undeliverable: Option<Line>,
    /// The refund's number.
    pub refund: Option<EntryNumber>,
    /// The claim's number.
    pub claim: Option<EntryNumber>,
}

/// What became of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillVerdict {
    /// The center's word, or why there is none.
    pub outcome: TillOutcome,
    /// The center's newest [`crate::sheet::KeySheet`] that the store has, under which the evidence is verified.
    pub sheet: Telegram,
}

/// The center's word on a refund, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TillOutcome {
    /// The center's verdict with its evidence.
    Said(Box<Verdict>),
    /// The store has kept the telegram and asks the center until it says; whether it was entered is unknown.
    Unknown(Prose),
}

/// A day's figures. Sums stop at the largest amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillDay {
    /// The day in the center's zone, `yyyy-mm-dd`.
    pub day: Line,
    /// Orders taken.
    pub orders: u64,
    /// Payments received.
    pub paid: u64,
    /// Their sum.
    pub paid_total: Amount,
    /// Payments that the store gave back, with those whose outcome is unknown.
    pub refunds: u64,
    /// Their sum.
    pub refunded_total: Amount,
    /// What each cashier did, by name.
    pub cashiers: List<TillShare, { limits::CASHIERS }>,
}

/// What one cashier did on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillShare {
    /// Its terminal key.
    pub key: VerificationKey,
    /// Its name.
    pub name: Line,
    /// Offers that it made.
    pub offers: u64,
    /// Orders whose goods it put out again.
    pub delivered: u64,
    /// Payments that it gave back, with those whose outcome is unknown.
    pub refunds: u64,
    /// Their sum.
    pub refunded: Amount,
}

/// A right that a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Right {
    /// [`CashierRights::sell`]
    Sell,
    /// [`CashierRights::deliver`]
    Deliver,
    /// [`CashierRights::refund_limit`] above nothing.
    Refund,
    /// [`CashierRights::see_day`]
    SeeDay,
}

impl Right {
    /// Whether the rights hold it.
    pub fn is_in(self, rights: &CashierRights) -> bool {
        match self {
            Self::Sell => rights.sell,
            Self::Deliver => rights.deliver,
            Self::Refund => !rights.refund_limit.is_zero(),
            Self::SeeDay => rights.see_day,
        }
    }

    /// What it allows, in words that follow “may”.
    pub fn words(self) -> &'static str {
        match self {
            Self::Sell => "sell",
            Self::Deliver => "deliver",
            Self::Refund => "give payments back",
            Self::SeeDay => "see the day's figures",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Why the serving program does not do what a cashier asked. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TillRefusal {
    /// Only after a login.
    #[error("this terminal has not logged in at the store")]
    NotLoggedIn,
    /// The signature does not fit the key and this connection.
    #[error("the login does not prove the cashier's key")]
    BadProof,
    /// The owner has not certified the key, as far as the store and its center have said.
    #[error("the store has no cashier with this key; give the owner the line that “till join” printed")]
    UnknownCashier,
    /// The owner has taken the rights away.
    #[error("the store's owner has taken this cashier's rights away")]
    Revoked,
    /// The certificate that was shown is not this key's, this store's or this center's.
    #[error("the certificate that was shown is not this cashier's: {0}")]
    BadCertificate(Line),
    /// The rights do not hold it.
    #[error("this cashier may not {0}; the store's owner gives rights")]
    NotAllowed(Right),
    /// More than is left of the day's limit.
    #[error("it is more than this cashier may give back today")]
    OverLimit {
        /// What is left.
        left: Amount,
    },
    /// The refund does not say what this store's cashier can say.
    #[error("the refund is not accepted: {0}")]
    BadRefund(Prose),
    /// No such order, or not in the state for it.
    #[error("{0}")]
    NotPossible(Prose),
    /// As a member would be refused.
    #[error(transparent)]
    Shop(ShopRefusal),
    /// More to do than it can.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// It has no line to its center; nothing was entered.
    #[error("the store has no line to the center now; nothing was sent, try again later")]
    Away,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> StoreLine {
        let [root, terminal] = [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]).verification_key());
        let addresses = |addresses: &[&str]| {
            List::new(addresses.iter().map(|address| Line::new(address).unwrap()).collect()).unwrap()
        };
        StoreLine {
            store: StoreNumber(7),
            key: terminal,
            addresses: addresses(&["shop.example:7100", "[::1]:7101"]),
            center: Invitation { root, addresses: addresses(&["center.example:7000"]) },
        }
    }

    #[test]
    fn a_store_s_line_prints_and_parses() {
        let printed = line().to_string();
        assert_eq!(printed.parse(), Ok(line()), "{printed}");
        assert_eq!(format!(" {printed}\n").parse(), Ok(line()), "as it is pasted");
        let swapped = printed.replace("S-", "M-");
        for (text, word) in [
            ("inkan:ABC@h:1", "inkan-till:"),
            ("inkan-till:S-000007", "number is missing"),
            (&swapped, "store"),
            (&printed.replace('+', " "), "+"),
            (&printed.replace(":7100", ":0"), "host:port"),
        ] {
            let error = text.parse::<StoreLine>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_request_proves_its_key_for_one_store_and_one_name() {
        let key = SigningKey::from_seed(&[3; 32]);
        let center = line().center.root.center();
        let name = Line::new("Mori 森").unwrap();
        let request = CashierRequest::new(center, StoreNumber(7), name, &key);
        let printed = request.to_string();
        assert_eq!(printed.parse(), Ok(request.clone()));
        assert_eq!(
            printed.replace("inkan-cashier:", "").parse::<CashierRequest>(),
            Err(CashierRequestError::Form)
        );
        for forged in [
            CashierRequest { store: StoreNumber(8), ..request.clone() },
            CashierRequest { name: Line::new("Owner").unwrap(), ..request.clone() },
            CashierRequest { key: line().key, ..request.clone() },
            CashierRequest { center: CenterId([0; 32]), ..request.clone() },
        ] {
            let read = forged.to_string().parse::<CashierRequest>();
            assert!(matches!(read, Err(CashierRequestError::Key(_))), "{read:?}");
        }
    }

    #[test]
    fn a_login_is_for_one_connection_of_one_store() {
        let key = line().key;
        let center = line().center.root.center();
        let message = login_message(&center, StoreNumber(7), &key, &[5; 32]);
        assert!(message.starts_with(b"inkan/v1/till\0"));
        assert_ne!(message, login_message(&center, StoreNumber(8), &key, &[5; 32]));
        assert_ne!(message, login_message(&center, StoreNumber(7), &key, &[6; 32]));
    }

    #[test]
    fn the_encoding_is_pinned() {
        let item = Line::new("a").unwrap();
        for (request, bytes) in [
            (TillRequest::Orders { after: None }, vec![1, 0, 0, 0, 0]),
            (TillRequest::Order(item.clone()), vec![2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a']),
            (TillRequest::Deliver(OrderHash([7; 32])), [&[3, 0, 0, 0][..], &[7; 32]].concat()),
            (TillRequest::Day, vec![6, 0, 0, 0]),
            (TillRequest::Pause { item, paused: true }, vec![7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a', 1]),
        ] {
            assert_eq!(codec::encode(&request), bytes, "{request:?}");
        }
        let left = Amount::new(5).unwrap();
        for (refusal, bytes) in [
            (TillRefusal::NotLoggedIn, vec![7, 0, 0, 0, 0, 0, 0, 0]),
            (TillRefusal::NotAllowed(Right::SeeDay), vec![7, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0]),
            (TillRefusal::OverLimit { left }, vec![7, 0, 0, 0, 6, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]),
            (TillRefusal::Away, vec![7, 0, 0, 0, 11, 0, 0, 0]),
        ] {
            assert_eq!(codec::encode(&TillAnswer::Refused(refusal.clone())), bytes, "{refusal:?}");
        }
        let key = SigningKey::from_seed(&[3; 32]).verification_key();
        let message = login_message(&CenterId([1; 32]), StoreNumber(7), &key, &[5; 32]);
        let parts = [b"inkan/v1/till\0".as_slice(), &[1; 32], &7_u64.to_le_bytes(), &key.0, &[5; 32]];
        assert_eq!(message, parts.concat());
    }

    #[test]
    fn rights_are_looked_at_one_by_one() {
        let none = CashierRights {
            name: Line::new("Mori").unwrap(),
            sell: false,
            deliver: false,
            refund_limit: Amount::ZERO,
            see_day: false,
        };
        for right in [Right::Sell, Right::Deliver, Right::Refund, Right::SeeDay] {
            assert!(!right.is_in(&none), "{right}");
        }
        assert!(Right::Refund.is_in(&CashierRights { refund_limit: Amount::MAX, ..none }));
        assert_eq!(
            TillRefusal::NotAllowed(Right::SeeDay).to_string(),
            "this cashier may not see the day's figures; the store's owner gives rights"
        );
    }
}
