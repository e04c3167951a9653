//! A payment, and a card request: from what is wanted to what the center entered.
//!
//! ```text
//! Draft ──review──▶ Reviewed ──sign──▶ Signed ──send──▶ settled · refused · void · expired
//!                                                  └──▶ unknown, until the center says one of these
//! ```
//!
//! Each step consumes the one before: nothing is signed that was not reviewed, nothing is sent that is not on disk.

use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, CardNumber, CenterId, EntryNumber, MemberNumber, Nonce, OrderHash, TelegramId},
    key::SigningKey,
    message::{Beside, Effect, FundingTerms, Refusal, Verdict},
    payload::{self, CardRequest, Funding},
    telegram::{Signer, Telegram},
    terminal::VALID_MS,
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
    /// By the center's clock; by this machine's where there is no line.
    pub(crate) now: Timestamp,
    /// Whether it is signed without a line, to be sent later: it may then be entered for as long as an offer lasts.
    pub(crate) prepared: bool,
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
        let valid_until = match terms.prepared {
            false => terms.now.plus_ms(PAYMENT_VALID_MS),
            true => terms.now.plus_ms(VALID_MS).min(offer.expires),
        };
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
    /// Signs it.
    pub(crate) fn sign(self, key: &SigningKey) -> Signed {
        let signer = Signer::Account(AccountNumber::Member(self.0.member));
        let telegram = Telegram::sign(&self.0, signer, key);
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
        send::dispatch(center, session, (self.telegram, Beside::Nothing), purpose).await
    }

    /// Leaves it in the outbox.
    ///
    /// # Errors
    /// When the vault does not take it.
    pub(crate) fn prepare(self, kept: &mut Kept) -> Result<TelegramId, Failure> {
        kept.prepare(self.telegram, Vec::new(), Purpose::Payment { order: self.order })
    }
}

/// Signs a payment without a line and leaves it in the outbox.
///
/// # Errors
/// In words, also when another payment of the order waits.
pub(crate) fn prepare(
    kept: &mut Kept,
    order: OrderHash,
    card: Option<CardNumber>,
    password_b: Option<&Password>,
) -> Result<TelegramId, Failure> {
    let known = kept.book.purchase(&order);
    if known.and_then(entry_of).is_some() {
        return Err(Failure::not_possible("this order is already paid"));
    }
    let waits = |payment: &purchase::Payment| {
        matches!(payment, purchase::Payment::Signed { .. } | purchase::Payment::Unknown { .. })
    };
    if known.is_some_and(|purchase| waits(&purchase.payment)) {
        return Err(Failure::not_possible("a payment of this order waits in the outbox already"));
    }
    let terms = offline_terms(kept)?;
    let reviewed = Draft::new(order, card).review(kept, &terms)?;
    kept.sign(password_b, |key| reviewed.sign(key))?.prepare(kept)
}

/// Signs a card request without a line and leaves it in the outbox.
///
/// # Errors
/// In words.
pub(crate) fn prepare_request(
    kept: &mut Kept,
    amount: Amount,
    password_b: Option<&Password>,
) -> Result<TelegramId, Failure> {
    let request = request(&offline_terms(kept)?, amount);
    let signer = Signer::Account(AccountNumber::Member(request.member));
    let telegram = kept.sign(password_b, |key| Telegram::sign(&request, signer, key))?;
    kept.prepare(telegram, Vec::new(), Purpose::CardRequest)
}

/// What is known without a line: what the center said when there was one.
fn offline_terms(kept: &Kept) -> Result<Terms, Failure> {
    let member = wire::message::member_of(kept.book.account()?);
    let member = member.ok_or_else(|| Failure::not_possible("this vault is a store's"))?;
    let unseen = || Failure::not_possible("the center has not been seen yet; connect once first");
    Ok(Terms {
        center: kept.pinned()?.root.center(),
        member,
        key_event: kept.book.custody.signature_event().ok_or_else(unseen)?,
        currency: kept.book.center.as_ref().ok_or_else(unseen)?.currency,
        now: Timestamp::now(),
        prepared: true,
    })
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
    password_b: Option<Password>,
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
        kept.sign(password_b.as_ref(), |key| reviewed.sign(key))
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
    password_b: Option<Password>,
) -> Result<FundingTerms, Failure> {
    let request = request(&terms(session)?, amount);
    let signed = center.keep.with(move |kept| {
        let signer = Signer::Account(AccountNumber::Member(request.member));
        kept.sign(password_b.as_ref(), |key| Telegram::sign(&request, signer, key))
    });
    let signed = (signed.await?, Beside::Nothing);
    match send::dispatch(center, session, signed, Purpose::CardRequest).await? {
        Verdict::Done { effect: Effect::FundingOpened(terms), .. } => Ok(terms),
        Verdict::Refused { reason, .. } => Err(Failure::refused(format!("no card was asked for: {reason}"))),
        other => {
            let words = ending_words(&Ending::Verdict(other));
            Err(Failure::refused(format!("no card was asked for: {words}")))
        }
    }
}

fn request(terms: &Terms, amount: Amount) -> CardRequest {
    let valid_ms = if terms.prepared { VALID_MS } else { REQUEST_VALID_MS };
    CardRequest {
        center: terms.center,
        member: terms.member,
        key_event: terms.key_event,
        amount,
        currency: terms.currency,
        funding: Funding::BankTransfer,
        nonce: Nonce::random(),
        valid_until: terms.now.plus_ms(valid_ms),
    }
}

fn terms(session: &Session) -> Result<Terms, Failure> {
    Ok(Terms {
        center: session.line.sheet.center,
        member: session.member,
        key_event: session.key_event()?,
        currency: session.line.hello.currency,
        now: session.now(),
        prepared: false,
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
