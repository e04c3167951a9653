//! Payments, signed and framed before anything is measured.

use wire::{
    amount::{Amount, Currency},
    codec,
    id::{AccountNumber, Digest, Nonce, OrderHash, StoreNumber, TelegramId},
    key::SigningKey,
    limits,
    link::ToServer,
    message::{Beside, Request},
    payload::Payment,
    telegram::{Signer, Telegram},
    time::Timestamp,
};

use super::{cast, cast::Cast, cast::Member, spread};

/// How long a payment of a load may be entered, in milliseconds.
const VALID_MS: u64 = 2 * 60 * 60 * 1000;
/// The dearest order, in minor units.
const PRICE_MAX: u64 = 100;
/// The id of a connection's first payment; before it the connection has logged in.
pub const FIRST_ID: u32 = 2;

/// A generator of numbers that need not be secret (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that no other run has thrown.
    pub fn fresh() -> Self {
        let mut seed = [0; 8];
        wire::key::random(&mut seed);
        Self(u64::from_le_bytes(seed))
    }

    /// The dice of one of many who throw at the same time.
    pub fn of(&self, index: usize) -> Self {
        Self(self.0 ^ (index as u64 + 1).wrapping_mul(0xa076_1d64_78bd_642f))
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for piece in bytes.chunks_mut(8) {
            piece.copy_from_slice(&self.roll().to_le_bytes()[..piece.len()]);
        }
        bytes
    }
}

/// Zipf's law with exponent 1: the n-th store gets a share in proportion to 1/n.
#[derive(Debug, Clone)]
pub struct Zipf(Vec<f64>);

impl Zipf {
    /// Over so many.
    pub fn over(count: usize) -> Self {
        let mut sum = 0.0;
        let sums: Vec<f64> = (1..=count.max(1))
            .map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            })
            .collect();
        Self(sums.iter().map(|part| part / sum).collect())
    }

    /// One of them, counted from 0.
    pub fn pick(&self, dice: &mut Dice) -> usize {
        let point = (dice.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        self.0.partition_point(|upto| *upto < point).min(self.0.len() - 1)
    }
}

/// Makes one member's payments, one after the other.
pub struct Payer<'a> {
    cast: &'a Cast,
    member: Member,
    key: SigningKey,
    zipf: &'a Zipf,
    dice: Dice,
    now: Timestamp,
    made: usize,
}

impl<'a> Payer<'a> {
    /// The payer for a member, counted from 0.
    pub fn new(cast: &'a Cast, member: usize, zipf: &'a Zipf, dice: Dice, now: Timestamp) -> Self {
        let member = cast.member(member);
        let key = cast::signature_key(AccountNumber::Member(member.number));
        Self { cast, member, key, zipf, dice, now, made: 0 }
    }

    /// The next payment, signed, with what it says.
    pub fn pay(&mut self) -> (Payment, Telegram) {
        let payment = Payment {
            center: self.cast.center,
            member: self.member.number,
            key_event: self.member.event,
            card: self.member.card(self.made),
            store: StoreNumber(self.zipf.pick(&mut self.dice) as u64 + 1),
            offer: Digest(self.dice.bytes()),
            order: OrderHash(self.dice.bytes()),
            total: Amount::new(1 + self.dice.roll() % PRICE_MAX).expect("far below the largest amount"),
            currency: Currency::YEN,
            offer_expires: self.now.plus_ms(VALID_MS),
            nonce: Nonce(self.dice.bytes()),
            valid_until: self.now.plus_ms(VALID_MS),
        };
        self.made += 1;
        let signer = Signer::Account(AccountNumber::Member(self.member.number));
        let telegram = Telegram::sign(&payment, signer, &self.key);
        (payment, telegram)
    }
}

/// One connection's payments, framed as they are sent, one behind the other.
#[derive(Debug, Clone)]
pub struct Pile {
    /// The member who pays, counted from 0.
    pub member: usize,
    frames: Vec<u8>,
    stride: usize,
    ids: Vec<TelegramId>,
    /// The length of one encoded telegram.
    pub telegram_bytes: usize,
}

impl Pile {
    /// The payments of a payer.
    fn of(mut payer: Payer<'_>, member: usize, count: usize) -> Self {
        let mut pile =
            Self { member, frames: Vec::new(), stride: 0, ids: Vec::with_capacity(count), telegram_bytes: 0 };
        for (id, _) in (FIRST_ID..).zip(0..count) {
            let (_, telegram) = payer.pay();
            pile.ids.push(telegram.id());
            pile.telegram_bytes = codec::encode(&telegram).len();
            let framed = framed(&ToServer::Call {
                id,
                request: Request::Submit { telegram, beside: Beside::Nothing },
            });
            if pile.stride == 0 {
                pile.stride = framed.len();
                pile.frames.reserve_exact(framed.len() * count);
            }
            // Fixed-width integers and hashes only: every payment is as long as the first.
            assert_eq!(framed.len(), pile.stride, "a payment's frame has another length");
            pile.frames.extend_from_slice(&framed);
        }
        pile
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The frames of these payments, to be sent as they are.
    pub fn frames(&self, which: std::ops::Range<usize>) -> &[u8] {
        &self.frames[which.start * self.stride..which.end * self.stride]
    }

    /// The name of one.
    pub fn id(&self, index: usize) -> TelegramId {
        self.ids[index]
    }

    /// One as it was signed.
    ///
    /// # Panics
    /// Never: it reads what [`Pile::of`] framed.
    pub fn telegram(&self, index: usize) -> Telegram {
        let bytes = &self.frames(index..index + 1)[4..];
        match codec::decode("call", bytes, limits::FRAME) {
            Ok(ToServer::Call { request: Request::Submit { telegram, .. }, .. }) => telegram,
            _ => unreachable!("a pile holds nothing but payments"),
        }
    }
}

/// Signs payments for so many connections, each of another member beginning with `first_member`, on all cores.
pub fn piles(cast: &Cast, connections: usize, each: usize, first_member: usize) -> Vec<Pile> {
    let (zipf, dice, now) = (Zipf::over(cast.sizes.stores), Dice::fresh(), Timestamp::now());
    spread(connections, |index| {
        let member = (first_member + index) % cast.sizes.members;
        Pile::of(Payer::new(cast, member, &zipf, dice.of(index), now), member, each)
    })
}

/// A value as a frame with its length before it.
///
/// # Panics
/// When it is longer than a frame may be.
pub fn framed<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let content = codec::encode(value);
    assert!(content.len() <= limits::FRAME, "a request fits a frame");
    let length = u32::try_from(content.len()).expect("a frame is short");
    [&length.to_be_bytes()[..], &content].concat()
}

#[cfg(test)]
mod tests {
    use super::{super::cast::Sizes, *};

    fn cast() -> Cast {
        let root = cast::signature_key(cast::account(wire::id::Role::Store, 0)).verification_key();
        Cast::new(root.center(), root, Sizes { members: 2, cards_each: 2, stores: 5 }, vec![7, 9])
    }

    #[test]
    fn piles_hold_authentic_payments_of_their_members() {
        let cast = cast();
        let piles = piles(&cast, 3, 4, 1);
        assert_eq!(piles.iter().map(|pile| pile.member).collect::<Vec<_>>(), [1, 0, 1]);
        let mut seen = std::collections::BTreeSet::new();
        for pile in &piles {
            assert_eq!(pile.len(), 4);
            for index in 0..4 {
                let telegram = pile.telegram(index);
                let member = cast.member(pile.member);
                let key = cast::signature_key(AccountNumber::Member(member.number)).verification_key();
                let payment = telegram.verify::<Payment>(&key, member.event).unwrap();
                assert_eq!((payment.id(), payment.payload().card), (pile.id(index), member.card(index)));
                assert!((1..=5).contains(&payment.payload().store.0));
                assert_eq!(codec::encode(&telegram).len(), pile.telegram_bytes);
                assert!(seen.insert(pile.id(index)), "two payments are alike");
            }
        }
    }

    #[test]
    fn the_first_store_gets_its_share() {
        let (zipf, mut dice) = (Zipf::over(1_000), Dice(1));
        let mut counts = vec![0_u32; 1_000];
        for _ in 0..100_000 {
            counts[zipf.pick(&mut dice)] += 1;
        }
        // 1/H(1000) is 13.4 %.
        assert!((12_900..13_900).contains(&counts[0]), "{}", counts[0]);
        assert!(counts[0] > 8 * counts[9] && counts[999] < 100, "{} {}", counts[9], counts[999]);
    }
}
