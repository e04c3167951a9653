//! What the journal keeps of an entry.
//!
//! The kept form, all integers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | version, now 2 |
//! | 16 | seed |
//! | 1 | form: 0 is the whole entry, 1 a payment in brief |
//! | 4 | length of the entry |
//! | .. | the entry in its form, by [`wire::codec`] |
//! | .. | the evidence, up to the end |
//!
//! A payment's request is what its telegram asks, and the telegram stands in the evidence: in brief it is not written
//! twice, and neither is what follows from it where the payment was settled. Version 1 had no form; its entries are
//! whole.
//!
//! Every version is decodable for ever. A new version may say more of an entry, but the leaf of a record kept under
//! an older one ([`super::parts`]) must come out as it did: the tree holds it.

use std::fmt;

use ledger::{
    Decision, Entry, Outcome, Request,
    account::{Account, Posting, transfer},
    entry::{Concerns, Previous},
    request::Payment,
};
use serde::{Deserialize, Serialize};
use wire::{
    codec,
    id::EntryNumber,
    limits,
    message::Beside,
    payload,
    telegram::{Kind, Telegram},
    time::Timestamp,
};

use super::{BooksError, asked};

/// The most bytes that a record's kept form may have: the evidence of the largest frame, and an entry.
pub const RECORD: usize = limits::FRAME + ENTRY + HEAD;

/// The most bytes that an encoded entry may have.
const ENTRY: usize = 256 << 10;
const VERSION: u16 = 2;
const HEAD: usize = 2 + 16 + 1 + 4;
/// Room for the kept form of most payments.
const PAYMENT: usize = 512;

/// A line of the journal with what belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What was asked and decided.
    pub entry: Entry,
    /// The telegram and what travelled beside it, as they came; empty where the center itself asked.
    pub evidence: Vec<u8>,
    /// Sixteen random bytes, from which the salts of the leaf's parts derive.
    pub seed: [u8; 16],
}

impl Record {
    /// A record with a fresh seed.
    pub fn new(entry: Entry, evidence: Vec<u8>) -> Self {
        let mut seed = [0; 16];
        wire::key::random(&mut seed);
        Self { entry, evidence, seed }
    }

    /// The entry's number.
    pub fn number(&self) -> EntryNumber {
        self.entry.number
    }

    /// Encodes the kept form.
    ///
    /// # Errors
    /// [`BooksError::TooLarge`] when entry or evidence are beyond their limits.
    pub fn keep(&self) -> Result<Vec<u8>, BooksError> {
        let mut kept = Vec::with_capacity(PAYMENT);
        kept.extend_from_slice(&VERSION.to_le_bytes());
        kept.extend_from_slice(&self.seed);
        kept.extend_from_slice(&[0; 5]);
        let form = match Brief::of(self) {
            Some(brief) => {
                codec::encode_into(&mut kept, &brief);
                Form::Payment
            }
            None => {
                codec::encode_into(&mut kept, &self.entry);
                Form::Whole
            }
        };
        let within = |what: &str, found: usize, allowed: usize| {
            let what = format!("{what} of {}", self.entry.number);
            if found <= allowed { Ok(()) } else { Err(BooksError::TooLarge { what, found, allowed }) }
        };
        let length = kept.len() - HEAD;
        within("the entry", length, ENTRY)?;
        within("the evidence", self.evidence.len(), limits::FRAME)?;
        let length = u32::try_from(length).expect("within the limit of an entry");
        kept[18] = form as u8;
        kept[19..HEAD].copy_from_slice(&length.to_le_bytes());
        kept.extend_from_slice(&self.evidence);
        Ok(kept)
    }

    /// Decodes a kept form of any version.
    ///
    /// # Errors
    /// [`BooksError::Malformed`] when it is none, or of a version that only a newer program knows.
    pub fn of_kept(kept: &[u8]) -> Result<Self, BooksError> {
        let short = || malformed("it ends too early");
        let (version, rest) = kept.split_first_chunk::<2>().ok_or_else(short)?;
        let (seed, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
        let (form, rest) = match u16::from_le_bytes(*version) {
            1 => (Form::Whole, rest),
            VERSION => match rest.split_first().ok_or_else(short)? {
                (0, rest) => (Form::Whole, rest),
                (1, rest) => (Form::Payment, rest),
                (other, _) => return Err(malformed(&format!("there is no form {other}"))),
            },
            newer => return Err(malformed(&format!("version {newer} is newer than this program"))),
        };
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (entry, evidence) = rest.split_at_checked(length).ok_or_else(short)?;
        if evidence.len() > limits::FRAME {
            return Err(malformed("its evidence is longer than allowed"));
        }
        let entry = match form {
            Form::Whole => codec::decode("journal entry", entry, ENTRY)?,
            Form::Payment => codec::decode::<Brief>("payment in brief", entry, ENTRY)?.entry(evidence)?,
        };
        Ok(Self { entry, evidence: evidence.to_vec(), seed: *seed })
    }
}

/// How the entry is kept.
#[derive(Debug, Clone, Copy)]
enum Form {
    Whole = 0,
    Payment = 1,
}

/// A payment's entry without what its telegram says.
#[derive(Serialize, Deserialize)]
struct Brief {
    number: EntryNumber,
    at: Timestamp,
    decision: Decision,
    previous: Previous,
    /// What does not follow from the payment: `None` where it was settled as payments are.
    rest: Option<(Vec<Posting>, Concerns)>,
}

impl Brief {
    fn of(record: &Record) -> Option<Self> {
        let Entry { number, at, request: Request::Pay(it), decision, postings, concerns, previous } =
            &record.entry
        else {
            return None;
        };
        if asked_in(&record.evidence)? != *it {
            return None;
        }
        let (due_postings, due_concerns) = settled(it);
        let usual = matches!(decision, Decision::Done(Outcome::Paid { .. }))
            && *postings == due_postings
            && *concerns == due_concerns;
        let rest = (!usual).then(|| (postings.clone(), *concerns));
        Some(Self { number: *number, at: *at, decision: decision.clone(), previous: *previous, rest })
    }

    fn entry(self, evidence: &[u8]) -> Result<Entry, BooksError> {
        let Self { number, at, decision, previous, rest } = self;
        let payment =
            asked_in(evidence).ok_or_else(|| malformed("its evidence is not a payment's telegram"))?;
        let (postings, concerns) = rest.unwrap_or_else(|| settled(&payment));
        Ok(Entry { number, at, request: Request::Pay(payment), decision, postings, concerns, previous })
    }
}

/// What a payment's telegram in the evidence asks; `None` where there is no such telegram.
fn asked_in(evidence: &[u8]) -> Option<Payment> {
    let (telegram, _): (Telegram, Beside) = codec::decode("evidence", evidence, limits::FRAME).ok()?;
    if telegram.kind != Kind::Payment {
        return None;
    }
    match asked::payment(&telegram.peek::<payload::Payment>().ok()?, telegram.id()) {
        Request::Pay(payment) => Some(payment),
        _ => None,
    }
}

/// What is posted for a settled payment, and whom it concerns.
fn settled(it: &Payment) -> (Vec<Posting>, Concerns) {
    let postings = transfer(Account::Card(it.card), Account::Payable(it.store), it.total);
    (postings, Concerns { card: Some(it.card), member: Some(it.member), store: Some(it.store) })
}

fn malformed(why: &str) -> BooksError {
    codec::Malformed { what: "journal record", why: why.to_owned() }.into()
}

/// Names the record; neither the seed, which opens every part, nor the evidence is shown.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Record({} {}, {} bytes of evidence)",
            self.entry.number,
            self.entry.kind(),
            self.evidence.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use ledger::Refusal;
    use wire::{
        amount::{Amount, Currency},
        id::{AccountNumber, CardNumber, CenterId, Digest, MemberNumber, Nonce, OrderHash, StoreNumber},
        key::SigningKey,
        telegram::Signer,
    };

    use super::{super::sample, *};

    #[test]
    fn every_version_reads_as_it_was_written() {
        let record = sample::lapse();
        let entry = concat!(
            "3a000000",
            "0700000000000000588750c4a001000010000000030000000000000000000000",
            "0000000000000000000000000001020000000000000000000000",
        );
        let first = format!("0100{}{entry}0707070707", "07".repeat(16));
        let second = format!("0200{}00{entry}0707070707", "07".repeat(16));
        assert_eq!(HEXLOWER.encode(&record.keep().unwrap()), second);
        for golden in [first, second] {
            assert_eq!(Record::of_kept(&HEXLOWER.decode(golden.as_bytes()).unwrap()).unwrap(), record);
        }
    }

    fn payment(decision: Decision) -> Record {
        let key = SigningKey::from_seed(&[7; 32]);
        let payload = payload::Payment {
            center: CenterId([1; 32]),
            member: MemberNumber(2),
            key_event: EntryNumber(3),
            card: CardNumber(4),
            store: StoreNumber(5),
            offer: Digest([6; 32]),
            order: OrderHash([7; 32]),
            total: Amount::new(800).unwrap(),
            currency: Currency::YEN,
            offer_expires: Timestamp(1_800_000_000_000),
            nonce: Nonce([9; 16]),
            valid_until: Timestamp(1_800_000_000_001),
        };
        let member = AccountNumber::Member(payload.member);
        let telegram = Telegram::sign(&payload, Signer::Account(member), &key);
        let Request::Pay(asked) = asked::payment(&payload, telegram.id()) else { unreachable!() };
        let (postings, concerns) = match decision {
            Decision::Done(_) => settled(&asked),
            Decision::Refused(_) => (Vec::new(), Concerns::account(member)),
        };
        let entry = Entry {
            number: EntryNumber(20),
            at: Timestamp(1_790_000_000_000),
            request: Request::Pay(asked),
            decision,
            postings,
            concerns,
            previous: Previous { card: Some(EntryNumber(19)), member: Some(EntryNumber(19)), store: None },
        };
        Record { entry, evidence: codec::encode(&(&telegram, Beside::Nothing)), seed: [10; 16] }
    }

    #[test]
    fn a_payment_is_kept_in_brief_and_reads_as_it_was() {
        let settled = payment(Decision::Done(Outcome::Paid { balance: Amount::new(200).unwrap() }));
        let kept = settled.keep().unwrap();
        let brief = concat!(
            "02000a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a01340000001400000000000000",
            "0084cbc4a001000000000000040000",
        );
        assert!(HEXLOWER.encode(&kept).starts_with(&brief[..38]), "{}", HEXLOWER.encode(&kept));
        assert_eq!(
            Digest::of(&[&kept]).to_string(),
            "d210a10362562dae13b8f16e955f6292c35a6b59ac5fb9fa63d93b8782712c6a"
        );
        assert_eq!(Record::of_kept(&kept).unwrap(), settled);
        let telegram = settled.evidence.len() - codec::encode(&Beside::Nothing).len();
        assert!(kept.len() * 10 <= telegram * 15, "{} bytes for {telegram} of a telegram", kept.len());

        let refused = payment(Decision::Refused(Refusal::CardFrozen));
        assert_eq!(Record::of_kept(&refused.keep().unwrap()).unwrap(), refused);
        // Where the evidence says something else than the entry, the entry is kept whole.
        let mut other = settled.clone();
        other.evidence.truncate(100);
        assert_eq!(Record::of_kept(&other.keep().unwrap()).unwrap(), other);
        let Request::Pay(it) = &mut other.entry.request else { unreachable!() };
        it.total = Amount::new(1).unwrap();
        other.evidence = settled.evidence.clone();
        assert_eq!(Record::of_kept(&other.keep().unwrap()).unwrap(), other);
        // A brief one whose evidence is gone is none.
        let cut = kept.len() - 1;
        assert!(Record::of_kept(&kept[..cut]).is_err());
    }

    #[test]
    fn every_shorter_form_is_refused() {
        let mut record = sample::lapse();
        record.evidence.clear();
        let kept = record.keep().unwrap();
        for length in 0..kept.len() {
            assert!(Record::of_kept(&kept[..length]).is_err(), "{length} bytes");
        }
        let newer = [&[3, 0][..], &kept[2..]].concat();
        assert!(Record::of_kept(&newer).unwrap_err().to_string().contains("newer than this program"));
    }

    #[test]
    fn too_much_evidence_is_refused() {
        let record = Record { evidence: vec![0; limits::FRAME + 1], ..sample::lapse() };
        let words = record.keep().unwrap_err().to_string();
        assert_eq!(words, "the evidence of T-000007-6 has 1048577 bytes; at most 1048576 fit");
    }
}
