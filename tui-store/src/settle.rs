//! Refunds and claims: signed with the signature key, kept in the outbox before they are sent, and asked about until the
//! center has said what became of them. Without a line they can be prepared: they wait in the outbox until a person
//! sends them or takes them back.

mod cashiers;
mod custody;
mod outbox;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use secrecy::SecretString;
use wire::{
    amount::Amount,
    bounded::List,
    codec,
    id::{AccountNumber, CenterId, EntryNumber, Nonce},
    key::SigningKey,
    limits,
    message::{Beside, Effect, ProblemKind, Verdict},
    payload::{Claim, ClaimEvidence, Refund, RefundReason},
    telegram::{Kind, Signer, Telegram},
    terminal::{self, Line, LineError},
    time::Timestamp,
};

use crate::{
    act::{Failure, FailureKind, Sending},
    book::{Book, Identity, Step, telegram_words},
    center::Center,
    keep::Keep,
    record::{Ending, Purpose},
    view::{Moment, Money, Resolved, TelegramState},
};

pub(crate) use cashiers::NotPassed;
pub(crate) use outbox::outbox_rows;

/// How long a refund or claim may be entered after it was signed, in milliseconds.
const VALID_MS: u64 = 24 * 60 * 60 * 1000;
/// How often a busy center is asked again before that is said.
const BUSY_TRIES: u32 = 5;
/// How long to wait between these, where the center does not say.
const BUSY_PAUSE: Duration = Duration::from_millis(300);

/// Refunds and claims of one store.
#[derive(Debug)]
pub(crate) struct Settle {
    keep: Arc<Keep>,
    center: Arc<Center>,
    /// One act at a time: nothing is asked about while it is being sent.
    turn: tokio::sync::Mutex<()>,
}

/// A telegram to be signed, with what travels beside it.
struct Unsigned<P> {
    payload: P,
    beside: Beside,
}

/// How what is signed now goes on its way.
struct Way {
    /// None: it is prepared, and leaves when a person sends it.
    line: Option<Line>,
    center: CenterId,
    /// Until when it may be entered.
    until: Timestamp,
}

impl Settle {
    pub(crate) fn new(keep: Arc<Keep>, center: Arc<Center>) -> Arc<Self> {
        Arc::new(Self { keep, center, turn: tokio::sync::Mutex::default() })
    }

    /// Gives payments back, each whole and once. What is prepared holds its payment until it is sent or withdrawn.
    ///
    /// # Errors
    /// Names the first payment that cannot be given back; nothing was signed then. What the center says to each is in
    /// the answer.
    pub(crate) async fn refund(
        &self,
        payments: Vec<EntryNumber>,
        all_due: bool,
        reason: Option<RefundReason>,
        password_b: Option<SecretString>,
        sending: Sending,
    ) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let way = self.way(sending).await?;
        let refunds = {
            let book = self.keep.book();
            let identity = identity(&book)?;
            let due = book
                .payments
                .iter()
                .filter(|(_, payment)| all_due && payment.refund == Step::Not && book.due(payment).is_some());
            let wanted: BTreeSet<EntryNumber> =
                payments.into_iter().chain(due.map(|(number, _)| *number)).collect();
            let refunds: Result<Vec<_>, Failure> =
                wanted.iter().map(|number| refund(&book, &identity, &way, *number, reason)).collect();
            refunds?
        };
        if refunds.is_empty() {
            return Err(Failure::not_possible(if all_due {
                "no payment is due to be given back"
            } else {
                "name the payments to give back by their transaction numbers, or give --all-due"
            }));
        }
        self.sign_and_send(&way, refunds, password_b, Purpose::Refund).await
    }

    /// Claims payments: those named, or all that can be claimed. A named payment that was not delivered goes to the
    /// center too, which refuses it by name.
    ///
    /// # Errors
    /// When nothing can be claimed, or a named payment is unknown here.
    pub(crate) async fn claim(
        &self,
        payments: Vec<EntryNumber>,
        password_b: Option<SecretString>,
        sending: Sending,
    ) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let way = self.way(sending).await?;
        let claims = claims(&self.keep.book(), way.center, payments, way.until)?;
        self.sign_and_send(&way, claims, password_b, Purpose::Claim).await
    }

    /// The way of what is signed now.
    async fn way(&self, sending: Sending) -> Result<Way, Failure> {
        let line = match sending {
            Sending::Later => None,
            Sending::AtOnce => Some(self.fresh_line().await?),
            Sending::IfReached => match self.fresh_line().await {
                Err(failure) if failure.kind == FailureKind::Offline => None,
                line => Some(line?),
            },
        };
        if let Some(line) = line {
            let (center, until) = (line.sheet.center, line_time(&line).plus_ms(VALID_MS));
            return Ok(Way { line: Some(line), center, until });
        }
        let pinned = self.keep.vault(|vault| vault.center().map(|center| center.root.center())).await?;
        let center = pinned.ok_or_else(not_joined)?;
        Ok(Way { line: None, center, until: Timestamp::now().plus_ms(terminal::VALID_MS) })
    }

    /// A line, with the mail taken: what is decided next is decided on the newest state.
    async fn fresh_line(&self) -> Result<Line, Failure> {
        let line = self.center.line().await?;
        self.center.take_mail(&line).await?;
        Ok(line)
    }

    async fn sign_and_send<P: wire::telegram::Payload + Send + 'static>(
        &self,
        way: &Way,
        unsigned: Vec<Unsigned<P>>,
        password_b: Option<SecretString>,
        purpose: Purpose,
    ) -> Result<Vec<Resolved>, Failure> {
        let signer = Signer::Account(AccountNumber::Store(identity(&self.keep.book())?.store));
        let sign = move |key: &SigningKey| {
            let sign = |it: Unsigned<P>| (Telegram::sign(&it.payload, signer, key), it.beside);
            unsigned.into_iter().map(sign).collect::<Vec<_>>()
        };
        let signed = self.keep.sign(password_b, sign).await?;
        let mut resolved = Vec::new();
        for (telegram, beside) in signed {
            resolved.push(match &way.line {
                Some(line) => self.send(line, telegram, beside, purpose.clone()).await?,
                None => self.prepare(telegram, &beside, purpose.clone()).await?,
            });
        }
        Ok(resolved)
    }

    /// Keeps a telegram that a person sends later, with what travels beside it.
    async fn prepare(
        &self,
        telegram: Telegram,
        beside: &Beside,
        purpose: Purpose,
    ) -> Result<Resolved, Failure> {
        self.keep.put(telegram.clone(), codec::encode(beside), purpose).await?;
        let words = "signed and kept in the outbox; nothing was sent yet";
        Ok(self.told(&telegram, TelegramState::Prepared, words.into(), None))
    }

    /// Ends a telegram with a verdict that its evidence bears out; anything else leaves it unknown.
    async fn end(
        &self,
        line: &Line,
        telegram: &Telegram,
        answer: Result<Verdict, LineError>,
    ) -> Result<Resolved, Failure> {
        let unknown = |words: String| self.told(telegram, TelegramState::Unknown, words, None);
        let verdict = match answer {
            Ok(verdict) => verdict,
            Err(LineError::Problem(problem)) => {
                return Ok(unknown(format!(
                    "the center has not entered it: {problem}; it waits in the outbox"
                )));
            }
            Err(error) => {
                return Ok(unknown(format!(
                    "{error}; whether it was entered is unknown until the center says"
                )));
            }
        };
        if let Err(error) = line.check_verdict(telegram, &verdict) {
            let what = telegram_words(telegram, self.keep.book().currency());
            let words = format!("The center's answer to the {what} is not believed: {error}");
            self.center.alarm(&words, codec::encode(&verdict)).await?;
            return Ok(unknown(words));
        }
        if let Some(receipt) = verdict.receipt() {
            self.center.saw(&receipt.checkpoint);
        }
        let (state, words) = verdict_words(&verdict);
        let number = verdict.receipt().map(|receipt| receipt.leaf.entry);
        tui_kit::failpoint::at("outbox.answered");
        self.keep.close(telegram.id(), Ending::Verdict(verdict)).await?;
        tui_kit::failpoint::at("outbox.closed");
        Ok(self.told(telegram, state, words, number))
    }

    fn told(
        &self,
        telegram: &Telegram,
        state: TelegramState,
        words: String,
        number: Option<EntryNumber>,
    ) -> Resolved {
        let currency = self.keep.book().currency();
        let (payments, total) = subject(telegram);
        Resolved {
            telegram: telegram.id(),
            what: telegram_words(telegram, currency),
            state,
            words,
            number,
            payments,
            total: total.map(|total| Money::new(total, currency)),
        }
    }
}

pub(crate) fn verdict_words(verdict: &Verdict) -> (TelegramState, String) {
    match verdict {
        Verdict::Done { effect: Effect::KeyChanged, .. } => {
            (TelegramState::Done, "in force; the evidence was checked".into())
        }
        Verdict::Done { effect: Effect::KeyChangeWaits { from }, .. } => {
            let from = Moment::from(*from).text;
            (TelegramState::Done, format!("entered; in force from {from} unless the old phrase cancels it"))
        }
        Verdict::Done { effect: Effect::KeyChangeCancelled, .. } => {
            (TelegramState::Done, "it never comes into force; the evidence was checked".into())
        }
        Verdict::Done { .. } => (TelegramState::Done, "settled; the receipt was checked".into()),
        Verdict::Refused { reason, .. } => (TelegramState::Refused, reason.to_string()),
        Verdict::Void { .. } => (TelegramState::Void, "never entered, and never will be".into()),
        Verdict::Expired => (TelegramState::Expired, "never entered, and too old to be".into()),
    }
}

/// Asks again while the center is busy: nothing was entered then.
async fn patient<F: Future<Output = Result<Verdict, LineError>>>(
    mut ask: impl FnMut() -> F,
) -> Result<Verdict, LineError> {
    let mut tries = 1;
    loop {
        match ask().await {
            Err(LineError::Problem(problem))
                if tries < BUSY_TRIES
                    && (problem.kind == ProblemKind::Busy || problem.retry_after().is_some()) =>
            {
                tries += 1;
                tokio::time::sleep(problem.retry_after().unwrap_or(BUSY_PAUSE)).await;
            }
            answer => return answer,
        }
    }
}

fn identity(book: &Book) -> Result<Identity, Failure> {
    book.identity.clone().ok_or_else(not_joined)
}

fn not_joined() -> Failure {
    Failure::not_possible("this profile has not joined a center; join first")
}

/// The later of the two clocks at which the line was made and now: a slow clock here must not make telegrams that are
/// expired when they arrive.
fn line_time(line: &Line) -> Timestamp {
    line.hello.at.max(Timestamp::now())
}

fn refund(
    book: &Book,
    identity: &Identity,
    way: &Way,
    number: EntryNumber,
    reason: Option<RefundReason>,
) -> Result<Unsigned<Refund>, Failure> {
    let payment = book
        .payments
        .get(&number)
        .ok_or_else(|| Failure::not_found(format!("this store got no payment {number}")))?;
    match payment.refund {
        Step::Not => {}
        Step::Waits(_) => {
            let words = format!(
                "a refund of {number} waits in the outbox; send it or take it back, or ask with “resolve” if it was sent"
            );
            return Err(Failure::not_possible(words));
        }
        Step::Done(_) => return Err(Failure::not_possible(format!("{number} was given back already"))),
    }
    if !book.is_unclaimed(payment) {
        return Err(Failure::not_possible(format!(
            "{number} is claimed; what was claimed cannot be given back"
        )));
    }
    let reason =
        reason.or_else(|| book.due(payment).map(|(_, reason)| reason)).unwrap_or(RefundReason::Agreed);
    let payload = Refund {
        center: way.center,
        store: identity.store,
        cashier: None,
        key_event: identity.key_event,
        payment: number,
        amount: payment.total,
        currency: book.currency(),
        reason,
        nonce: Nonce::random(),
        valid_until: way.until,
    };
    Ok(Unsigned { payload, beside: Beside::Nothing })
}

/// The claims for the payments named, or for all that can be claimed: as many as are needed for their number and sum.
/// They may be entered until `until`.
fn claims(
    book: &Book,
    center: CenterId,
    named: Vec<EntryNumber>,
    until: Timestamp,
) -> Result<Vec<Unsigned<Claim>>, Failure> {
    let identity = identity(book)?;
    let wanted: BTreeSet<EntryNumber> = if named.is_empty() {
        book.claimable().map(|(number, ..)| number).collect()
    } else {
        named.into_iter().collect()
    };
    if wanted.is_empty() {
        return Err(Failure::not_possible("nothing can be claimed: no payment is delivered and unclaimed"));
    }
    let mut claims = Vec::new();
    let (mut numbers, mut evidence, mut total) = (Vec::new(), Vec::new(), Amount::ZERO);
    let claim = |numbers: &mut Vec<EntryNumber>, evidence: &mut Vec<ClaimEvidence>, total: Amount| {
        let payload = Claim {
            center,
            store: identity.store,
            key_event: identity.key_event,
            payments: List::first(numbers.drain(..)),
            total,
            currency: book.currency(),
            nonce: Nonce::random(),
            valid_until: until,
        };
        Unsigned { payload, beside: Beside::Claim(List::first(evidence.drain(..))) }
    };
    for number in wanted {
        let payment = book
            .payments
            .get(&number)
            .ok_or_else(|| Failure::not_found(format!("this store got no payment {number}")))?;
        if matches!(payment.claim, Step::Waits(_)) || matches!(payment.refund, Step::Waits(_)) {
            let words = format!(
                "a claim or refund of {number} waits in the outbox; send it or take it back, or ask with “resolve” if it \
                 was sent"
            );
            return Err(Failure::not_possible(words));
        }
        let sum = total.plus(payment.total);
        let full = numbers.len() == limits::CLAIM_ITEMS || sum.is_none();
        if full {
            claims.push(claim(&mut numbers, &mut evidence, total));
        }
        total = if full { payment.total } else { sum.unwrap_or(payment.total) };
        numbers.push(number);
        let sale = book.sales.get(&payment.order);
        let signed = sale.and_then(|sale| Some((sale.buyer.as_ref()?, sale.delivery.as_ref()?)));
        if let Some((buyer, (_, delivery))) = signed {
            let (offer, delivery) = (buyer.offer.clone(), delivery.clone());
            evidence.push(ClaimEvidence { payment: number, offer, delivery });
        }
    }
    claims.push(claim(&mut numbers, &mut evidence, total));
    Ok(claims)
}

/// The payments that a telegram is about, and how much it moves.
fn subject(telegram: &Telegram) -> (Vec<EntryNumber>, Option<Amount>) {
    match telegram.kind {
        Kind::Refund => telegram
            .peek::<Refund>()
            .map_or((Vec::new(), None), |refund| (vec![refund.payment], Some(refund.amount))),
        Kind::Claim => telegram
            .peek::<Claim>()
            .map_or((Vec::new(), None), |claim| (claim.payments.into_vec(), Some(claim.total))),
        _ => (Vec::new(), None),
    }
}

#[cfg(test)]
mod tests;
