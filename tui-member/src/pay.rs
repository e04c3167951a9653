//! A payment, and a card request: from what is wanted to what the center entered.
//!
//! ```text
//! Draft ──review──▶ Reviewed ──sign──▶ Signed ──send──▶ settled · refused · void · expired
//!                                                  └──▶ unknown, until the center says one of these
//! ```
//!
//! Each step consumes the one before: nothing is signed that was not reviewed, nothing is sent that is not on disk.

use vault::SigningHand;
use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, CardNumber, CenterId, EntryNumber, MemberNumber, Nonce, OrderHash},
    message::{Effect, FundingTerms, Refusal, Verdict},
    payload::{self, CardRequest, Funding},
    telegram::{Signer, Telegram},
    time::Timestamp,
};

use crate::{
    act::{Failure, Password},
    book::entry_of,
    center::{Center, Session},
    keep::{Kept, ending_words},
    purchase::{self, Purchase},
    record::{Ending, Purpose},
    send,
};

/// How long a payment may be entered after it was signed, in milliseconds. A payment whose fate is unknown is kept by
/// the center until then, so it is short; a line that is there needs seconds.
const PAYMENT_VALID_MS: u64 = 15 * 60 * 1000;
/// The same for a card request.
const REQUEST_VALID_MS: u64 = 24 * 60 * 60 * 1000;

/// An order that someone wants to pay.
pub(crate) struct Draft {
    order: OrderHash,
    card: Option<CardNumber>,
}

/// A payment whose every field was looked at against what the vault knows; nothing is signed.
pub(crate) struct Reviewed(payload::Payment);

/// A signed payment that has not left memory.
pub(crate) struct Signed {
    order: OrderHash,
    telegram: Telegram,
}

/// What a payment takes from the line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) center: CenterId,
    pub(crate) member: MemberNumber,
    pub(crate) key_event: EntryNumber,
    pub(crate) currency: Currency,
    /// By the center's clock.
    pub(crate) now: Timestamp,
}

impl Draft {
    /// Someone wants to pay an order, from a card or from the first that holds enough.
    pub(crate) fn new(order: OrderHash, card: Option<CardNumber>) -> Self {
        Self { order, card }
    }

    /// Looks at the order, its offer and the card.
    ///
    /// # Errors
    /// In words, when it can't be paid.
    pub(crate) fn review(self, kept: &Kept, terms: &Terms) -> Result<Reviewed, Failure> {
        let no_order = || Failure::not_found("there is no such order here");
        let purchase = kept.book.purchase(&self.order).ok_or_else(no_order)?;
        payable(purchase, terms)?;
        let offer = &purchase.offer;
        let card = choose_card(kept, self.card, offer.total, terms.currency)?;
        let valid_until = terms.now.plus_ms(PAYMENT_VALID_MS);
        Ok(Reviewed(payload::Payment {
            center: terms.center,
            member: terms.member,
            key_event: terms.key_event,
            card,
            store: offer.store,
            offer: purchase.ordered.offer.digest(),
            order: self.order,
            total: offer.total,
            currency: offer.currency,
            offer_expires: offer.expires,
            nonce: Nonce::random(),
            valid_until,
        }))
    }
}

impl Reviewed {
    /// Signs it with the one act that the hand is good for.
    pub(crate) fn sign(self, hand: SigningHand) -> Signed {
        let signer = Signer::Account(AccountNumber::Member(self.0.member));
        let telegram = hand.act(|key| Telegram::sign(&self.0, signer, key));
        Signed { order: self.0.order, telegram }
    }
}

impl Signed {
    /// Puts it on disk, sends it and waits for the center's word.
    ///
    /// # Errors
    /// [`crate::act::FailureKind::Unknown`] when no word came that can be believed.
    pub(crate) async fn send(self, center: &Center, session: &Session) -> Result<Verdict, Failure> {
        let purpose = Purpose::Payment { order: self.order };
        send::dispatch(center, session, self.telegram, purpose).await
    }
}

/// Pays an order and comes back when it is settled; an earlier payment of it that turns out to be settled counts.
///
/// # Errors
/// In words; [`crate::act::FailureKind::Unknown`] when nobody said what became of the payment.
pub(crate) async fn pay(
    center: &Center,
    session: &Session,
    order: OrderHash,
    card: Option<CardNumber>,
    password_b: Password,
) -> Result<(), Failure> {
    let paid =
        |number: EntryNumber| format!("this order is already paid as {number}; nothing was paid again");
    match settled(center, order).await {
        Some(number) => return Err(Failure::not_possible(paid(number))),
        None => ask_about_earlier(center, session, order).await?,
    }
    if settled(center, order).await.is_some() {
        return Ok(());
    }
    let terms = terms(session)?;
    let signed = center.keep.with(move |kept| {
        let reviewed = Draft::new(order, card).review(kept, &terms)?;
        let hand = kept.vault.unlock_signing(&password_b.0)?;
        Ok::<_, Failure>(reviewed.sign(hand))
    });
    match signed.await?.send(center, session).await? {
        Verdict::Done { .. } => Ok(()),
        Verdict::Refused { reason: Refusal::AlreadyPaid { by }, .. } => Err(Failure::refused(format!(
            "nothing was paid now: this order was already paid by {by}, from another copy of this vault"
        ))),
        Verdict::Refused { reason, .. } => Err(Failure::refused(format!("nothing was paid: {reason}"))),
        other => {
            let words = ending_words(&Ending::Verdict(other));
            Err(Failure::refused(format!("nothing was paid: {words}; pay again if you still want it")))
        }
    }
}

/// Asks for a prepaid card, paid by bank transfer.
///
/// # Errors
/// As [`pay`].
pub(crate) async fn request_card(
    center: &Center,
    session: &Session,
    amount: Amount,
    password_b: Password,
) -> Result<FundingTerms, Failure> {
    let terms = terms(session)?;
    let request = CardRequest {
        center: terms.center,
        member: terms.member,
        key_event: terms.key_event,
        amount,
        currency: terms.currency,
        funding: Funding::BankTransfer,
        nonce: Nonce::random(),
        valid_until: terms.now.plus_ms(REQUEST_VALID_MS),
    };
    let signed = center.keep.with(move |kept| {
        let hand = kept.vault.unlock_signing(&password_b.0)?;
        let signer = Signer::Account(AccountNumber::Member(request.member));
        Ok::<_, Failure>(hand.act(|key| Telegram::sign(&request, signer, key)))
    });
    match send::dispatch(center, session, signed.await?, Purpose::CardRequest).await? {
        Verdict::Done { effect: Effect::FundingOpened(terms), .. } => Ok(terms),
        Verdict::Refused { reason, .. } => Err(Failure::refused(format!("no card was asked for: {reason}"))),
        other => {
            let words = ending_words(&Ending::Verdict(other));
            Err(Failure::refused(format!("no card was asked for: {words}")))
        }
    }
}

fn terms(session: &Session) -> Result<Terms, Failure> {
    Ok(Terms {
        center: session.line.sheet.center,
        member: session.member,
        key_event: session.key_event()?,
        currency: session.line.hello.currency,
        now: session.now(),
    })
}

/// The transaction number of an order's settled payment.
async fn settled(center: &Center, order: OrderHash) -> Option<EntryNumber> {
    center.keep.with(move |kept| kept.book.purchase(&order).and_then(entry_of)).await
}

/// Asks first about a payment of this order that may have left: two at once would be one too many to follow.
async fn ask_about_earlier(center: &Center, session: &Session, order: OrderHash) -> Result<(), Failure> {
    let waits = center.keep.with(move |kept| {
        let purchase = kept.book.purchase(&order)?;
        match purchase.payment {
            purchase::Payment::Signed { .. } | purchase::Payment::Unknown { .. } => purchase.telegram,
            _ => None,
        }
    });
    let Some(telegram) = waits.await else { return Ok(()) };
    if center.is_sending(&telegram) {
        return Err(Failure::not_possible("this order is being paid right now; wait for the answer"));
    }
    let resolved = send::resolve_one(center, session, telegram).await?;
    if resolved.outcome == "unknown" {
        return Err(Failure::unknown(format!(
            "an earlier payment of this order is unknown: {}",
            resolved.words
        )));
    }
    Ok(())
}

fn payable(purchase: &Purchase, terms: &Terms) -> Result<(), Failure> {
    let offer = &purchase.offer;
    if offer.center != terms.center {
        return Err(Failure::not_possible("the offer is for another center"));
    }
    if offer.currency != terms.currency {
        return Err(Failure::not_possible("the offer is in another currency than the center's"));
    }
    if terms.now > offer.expires {
        return Err(Failure::refused("the store's offer has expired; order again"));
    }
    Ok(())
}

fn choose_card(
    kept: &Kept,
    named: Option<CardNumber>,
    total: Amount,
    currency: Currency,
) -> Result<CardNumber, Failure> {
    // A named card is taken at its word: the center knows its balance better than this vault.
    if let Some(card) = named {
        return match kept.book.cards.contains_key(&card) {
            true => Ok(card),
            false => Err(Failure::not_found(format!("there is no card {card} in this vault"))),
        };
    }
    if kept.book.cards.is_empty() {
        return Err(Failure::not_possible("there is no card yet; ask for one with “card request AMOUNT”"));
    }
    let found = kept.book.paying_card(None, total).map(|(card, _)| card);
    found.ok_or_else(|| Failure::refused(format!("no card holds {}", currency.print(total))))
}
