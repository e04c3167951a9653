//! The member's state in memory, rebuilt from the vault's records at opening and kept up with every append.
//!
//! Applying is pure and never fails for good: a record that makes no sense is named in a message and passed over.

pub(crate) mod custody;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use vault::outbox::{Item, State};
use wire::{
    amount::Amount,
    checkpoint::SignedCheckpoint,
    id::{AccountNumber, CardNumber, Digest, EntryNumber, OrderHash, StoreNumber, TelegramId},
    key::VerificationKey,
    message::{Effect, FundingTerms, Mail, MailItem, Verdict},
    payload::KeyRole,
    receipt::{MemberPart, Receipt},
    terminal::Trail,
    till::PickUpCode,
    time::Timestamp,
};

use self::custody::Custody;
use crate::{
    act::{CartLine, Failure},
    purchase::{Payment, Purchase, Refund, Settled},
    record::{CenterSeen, Ending, HandedIn, Lost, Notice, Purpose, Record, Seed},
    view::{About, Moment, PurchaseRow, PurchaseState},
};

/// Everything that the records say.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) center: Option<CenterSeen>,
    pub(crate) registration: Option<AccountNumber>,
    pub(crate) cards: BTreeMap<CardNumber, Card>,
    pub(crate) funding: BTreeMap<EntryNumber, FundingTerms>,
    pub(crate) messages: Vec<Message>,
    pub(crate) cart: Vec<CartLine>,
    pub(crate) custody: Custody,
    purchases: Vec<Purchase>,
    rows: Vec<Arc<PurchaseRow>>,
    places: HashMap<OrderHash, usize>,
    /// Card requests that were filled or lapsed.
    ended_requests: BTreeSet<EntryNumber>,
    refunds: BTreeMap<EntryNumber, Refund>,
    mail: BTreeSet<EntryNumber>,
    receipts: BTreeMap<EntryNumber, KeptReceipt>,
    /// The leaves of entries that the center lost and took back as receipts: their numbers are others'.
    lost: HashSet<Digest>,
    /// What was seen of the center's journal.
    pub(crate) trail: Trail,
    store_keys: BTreeMap<StoreNumber, VerificationKey>,
    notices: HashSet<Digest>,
    /// The keys under which sales of cashiers are taken up.
    taking_up: HashMap<(StoreNumber, PickUpCode), Seed>,
}

/// A card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) balance: Amount,
    pub(crate) as_of: Timestamp,
    pub(crate) frozen: bool,
    pub(crate) issued: Timestamp,
}

/// Something for the member to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) at: Timestamp,
    pub(crate) number: Option<EntryNumber>,
    pub(crate) words: String,
    pub(crate) alarm: bool,
}

/// Evidence in the vault, and the telegram it answers.
#[derive(Debug, Clone)]
pub(crate) struct KeptReceipt {
    pub(crate) receipt: Receipt,
    pub(crate) telegram: Option<TelegramId>,
}

/// Taking in what is on disk.
impl Book {
    /// Takes in a record. `now` is only used for the texts of rows.
    pub(crate) fn apply(&mut self, record: Record, now: Timestamp) {
        match record {
            Record::Center(seen) => self.center = Some(seen),
            Record::Cards(seen) => {
                for card in &seen.cards {
                    self.see_card(card.card, card.balance, seen.at, card.issued);
                    if let Some(known) = self.cards.get_mut(&card.card) {
                        known.frozen = card.frozen;
                    }
                }
            }
            Record::Ordered(ordered) => {
                let at = ordered.at;
                match Purchase::new(ordered) {
                    Ok(purchase) => self.add(purchase, now),
                    Err(why) => {
                        self.say(at, None, format!("an order in the vault is unreadable: {why}"), true)
                    }
                }
            }
            Record::Adopted(adopted) => {
                self.keep_receipt(&adopted.receipt, None);
                let settled = Settled::new(adopted.receipt, true);
                self.change(&adopted.order, now, |purchase| {
                    if let (Some(settled), None) = (settled, purchase.settled()) {
                        purchase.payment = Payment::Settled(Box::new(settled));
                    }
                });
            }
            Record::Mail(item) => self.take_mail(item, now),
            Record::Fetched(fetched) => self.change(&fetched.order, now, |purchase| {
                purchase.files.insert(fetched.line, fetched.file);
            }),
            Record::Acknowledged(signed) => self.change(&signed.order, now, |purchase| {
                purchase.delivery = Some(signed.delivery);
            }),
            Record::Delivered(delivered) => self.change(&delivered.order, now, |purchase| {
                purchase.acknowledged = Some(delivered.at);
            }),
            Record::Notice(notice) => {
                self.notices.insert(digest(&notice));
                self.say(notice.at, notice.number, notice.words.to_string(), notice.alarm);
            }
            Record::Cart(lines) => self.cart = lines,
            Record::Applying(applying) => self.custody.signed(applying),
            Record::Applied(view) => self.custody.stands(view),
            Record::NotTaken(words) => self.custody.refused(words),
            Record::Kit(kit) => self.custody.kit = Some(kit),
            Record::KeyAlarm(alarm) => {
                self.say(alarm.at, None, alarm.words.to_string(), true);
                self.custody.alarm(About::Keys, alarm);
            }
            Record::Contradiction(alarm) => {
                self.say(alarm.at, None, alarm.words.to_string(), true);
                self.custody.alarm(About::Journal, alarm);
            }
            Record::HandedIn(handed_in) => self.lose(&handed_in),
            Record::Hour(note) => drop(self.trail.saw_hour(&note)),
            Record::AlarmRead(digest) => self.custody.acknowledged(digest),
            Record::Held(until) => self.custody.hold(until),
            Record::TakingUp(taking) => {
                self.taking_up.insert((taking.store, taking.code), taking.buyer);
            }
            Record::Recovered(recovered) => self.custody.recovered = Some(recovered),
        }
    }

    /// Takes in how a telegram of the outbox stands. The orders that payments name must have been taken in before.
    pub(crate) fn telegram(&mut self, item: &Item, now: Timestamp) {
        if let Err(why) = self.take_telegram(item, now) {
            let words = format!("telegram {} in the outbox is unreadable: {why}", item.telegram.id().short());
            self.say(item.prepared_at, None, words, true);
        }
    }

    fn take_telegram(&mut self, item: &Item, now: Timestamp) -> Result<(), String> {
        let id = item.telegram.id();
        let purpose = Purpose::decode(&item.note).map_err(|error| error.to_string())?;
        let ending = match &item.state {
            State::Closed { outcome, .. } => {
                Some(Ending::decode(outcome).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        self.custody.telegram(item, purpose, ending.as_ref());
        if let Some(ending) = ending {
            if let Ending::Verdict(verdict) = &ending
                && let Some(receipt) = verdict.receipt()
            {
                self.keep_receipt(receipt, Some(id));
            }
            match ending {
                Ending::Registered { account, receipt, .. } => {
                    self.keep_receipt(&receipt, Some(id));
                    self.registration = Some(account);
                }
                Ending::Verdict(Verdict::Done { effect: Effect::FundingOpened(terms), .. }) => {
                    if !self.ended_requests.contains(&terms.request) {
                        self.funding.insert(terms.request, terms);
                    }
                }
                Ending::Verdict(_) | Ending::NotEntered { .. } => {}
            }
        }
        let Purpose::Payment { order } = purpose else { return Ok(()) };
        let mut taken = Ok(());
        self.change(&order, now, |purchase| taken = purchase.take(item));
        taken
    }

    fn take_mail(&mut self, item: MailItem, now: Timestamp) {
        let leaf = item.receipt.leaf;
        if !self.mail.insert(leaf.entry) {
            return;
        }
        self.keep_receipt(&item.receipt, None);
        let currency = self.center.as_ref().map_or(wire::amount::Currency::YEN, |center| center.currency);
        let words = match item.body {
            Mail::Refunded { payment, card, amount, reason } => {
                self.refunds.insert(payment, Refund { entry: leaf.entry, reason, amount, at: leaf.at });
                let order = self.purchases.iter().find(|purchase| entry_of(purchase) == Some(payment));
                if let Some(order) = order.map(|purchase| purchase.hash) {
                    self.change(&order, now, |_| {});
                }
                format!("{} came back to {card} for {payment}: {}", currency.print(amount), reason.words())
            }
            Mail::CardIssued { request, amount, .. } => {
                self.funding.remove(&request);
                self.ended_requests.insert(request);
                match item.receipt.member_part() {
                    Ok(MemberPart::CardIssued { card, .. }) => {
                        self.see_card(card, amount, leaf.at, leaf.at);
                        format!("card {card} is issued with {}", currency.print(amount))
                    }
                    _ => format!("a card of {} is issued", currency.print(amount)),
                }
            }
            Mail::CardLapsed { request } => {
                self.funding.remove(&request);
                self.ended_requests.insert(request);
                format!("card request {request} lapsed: the money did not come in time")
            }
            Mail::KeyChanged(event) => {
                let which = match event.role {
                    KeyRole::Signature => "signature key",
                    KeyRole::Terminal => "terminal key",
                    KeyRole::Recovery => "recovery key",
                };
                let how = if event.key.is_some() { "was changed" } else { "was revoked" };
                format!("your {which} {how}; if that was not you, call the center at once")
            }
            Mail::KeyChangeWaits(waiting) => format!(
                "a new recovery key was asked for and is in force from {}; if that was not you, cancel it with your \
                 recovery phrase before then (“keys cancel-change”), and call the center",
                Moment::from(waiting.from).text
            ),
            Mail::KeyChangeCancelled { change } => {
                format!("the new recovery key asked for in {change} was cancelled and never comes into force")
            }
            Mail::Paid { .. } | Mail::Payout { .. } | Mail::RefundedByCenter { .. } => {
                "mail for a store came to this member".into()
            }
        };
        self.say(leaf.at, Some(leaf.entry), words, false);
    }

    /// What the center lost and has taken as receipts gives its number up.
    fn lose(&mut self, handed_in: &HandedIn) {
        for Lost { entry, leaf, again } in &handed_in.lost {
            if !self.lost.insert(*leaf) {
                continue;
            }
            if self.receipts.get(entry).is_some_and(|kept| kept.receipt.leaf.hash() == *leaf) {
                self.receipts.remove(entry);
                self.mail.remove(entry);
            }
            let became = match again {
                Some(again) => format!("it is entered again as {again}"),
                None => "it waits there for the operators; ask the center".to_owned(),
            };
            let words = format!("the center had lost {entry} and has taken your receipt of it: {became}");
            self.say(handed_in.at, *again, words, again.is_none());
        }
    }

    /// Balances come from receipts, mail and the center's list; the newest instant counts.
    fn keep_receipt(&mut self, receipt: &Receipt, telegram: Option<TelegramId>) {
        self.trail.saw(&receipt.checkpoint);
        let at = receipt.leaf.at;
        if let Ok(MemberPart::Paid { card, balance, .. } | MemberPart::Refunded { card, balance, .. }) =
            receipt.member_part()
        {
            self.see_card(card, balance, at, at);
        }
        if self.lost.contains(&receipt.leaf.hash()) {
            return;
        }
        let kept = self.receipts.entry(receipt.leaf.entry);
        let kept = kept.or_insert_with(|| KeptReceipt { receipt: receipt.clone(), telegram });
        kept.telegram = telegram.or(kept.telegram);
    }

    fn see_card(&mut self, card: CardNumber, balance: Amount, as_of: Timestamp, issued: Timestamp) {
        let known = self.cards.entry(card).or_insert(Card { balance, as_of, frozen: false, issued });
        known.issued = known.issued.min(issued);
        if as_of >= known.as_of {
            (known.balance, known.as_of) = (balance, as_of);
        }
    }

    fn add(&mut self, purchase: Purchase, now: Timestamp) {
        self.store_keys.insert(purchase.offer.store, purchase.ordered.store_key);
        if let std::collections::hash_map::Entry::Vacant(place) = self.places.entry(purchase.hash) {
            place.insert(self.purchases.len());
            self.rows.push(Arc::new(purchase.row(now)));
            self.purchases.push(purchase);
        }
    }

    fn change(&mut self, order: &OrderHash, now: Timestamp, change: impl FnOnce(&mut Purchase)) {
        let Some(place) = self.places.get(order) else { return };
        let purchase = &mut self.purchases[*place];
        change(purchase);
        purchase.refund = entry_of(purchase).and_then(|entry| self.refunds.get(&entry).copied());
        self.rows[*place] = Arc::new(purchase.row(now));
    }

    fn say(&mut self, at: Timestamp, number: Option<EntryNumber>, words: String, alarm: bool) {
        self.messages.push(Message { at, number, words, alarm });
    }
}

/// Asking.
impl Book {
    /// The member's number.
    pub(crate) fn account(&self) -> Result<AccountNumber, Failure> {
        self.registration
            .or(self.custody.account())
            .ok_or_else(|| Failure::not_possible("joining has not ended; run join again to finish it"))
    }

    /// The newest checkpoint seen, be it joined to the others or not.
    pub(crate) fn checkpoint(&self) -> Option<&SignedCheckpoint> {
        self.trail.newest()
    }

    /// Whether a piece of mail is kept already.
    pub(crate) fn has_mail(&self, entry: EntryNumber) -> bool {
        self.mail.contains(&entry)
    }

    /// Whether the same notice is kept already.
    pub(crate) fn has_notice(&self, notice: &Notice) -> bool {
        self.notices.contains(&digest(notice))
    }

    /// The registered key that a store had at its newest offer to this member.
    pub(crate) fn store_key(&self, store: StoreNumber) -> Option<VerificationKey> {
        self.store_keys.get(&store).copied()
    }

    /// All evidence.
    pub(crate) fn receipts(&self) -> impl Iterator<Item = &KeptReceipt> {
        self.receipts.values()
    }

    /// Evidence by its transaction number.
    pub(crate) fn receipt(&self, number: EntryNumber) -> Option<&KeptReceipt> {
        self.receipts.get(&number)
    }

    /// The key that a sale of a cashier was to be taken up with before.
    pub(crate) fn taking_up(&self, store: StoreNumber, code: PickUpCode) -> Option<Seed> {
        self.taking_up.get(&(store, code)).cloned()
    }

    /// A purchase by its order.
    pub(crate) fn purchase(&self, order: &OrderHash) -> Option<&Purchase> {
        self.places.get(order).map(|place| &self.purchases[*place])
    }

    /// All purchases, oldest first.
    pub(crate) fn purchases(&self) -> impl DoubleEndedIterator<Item = &Purchase> {
        self.purchases.iter()
    }

    /// A purchase by what a person calls it: the order's hash, a beginning of it, or its transaction number.
    ///
    /// # Errors
    /// In words, when nothing or more than one thing is called so.
    pub(crate) fn find(&self, name: &str) -> Result<&Purchase, Failure> {
        let name = name.trim();
        if let Ok(number) = name.parse::<EntryNumber>()
            && name.starts_with(['T', 't'])
        {
            let paid = |purchase: &&Purchase| entry_of(purchase) == Some(number);
            let none = || Failure::not_found(format!("no purchase here was paid as {number}"));
            return self.purchases.iter().find(paid).ok_or_else(none);
        }
        let digits = name.to_ascii_lowercase();
        if digits.len() < 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            let shown: String = name.chars().take(40).collect();
            return Err(Failure::not_found(format!(
                "“{shown}” names no order; give at least six digits of its hash, or its transaction number"
            )));
        }
        let mut found =
            self.purchases.iter().filter(|purchase| purchase.hash.to_string().starts_with(&digits));
        match (found.next(), found.next()) {
            (Some(purchase), None) => Ok(purchase),
            (None, _) => Err(Failure::not_found(format!("there is no order {digits} here"))),
            (Some(_), Some(_)) => {
                Err(Failure::not_found(format!("more than one order begins with {digits}")))
            }
        }
    }

    /// The rows of the history, newest first.
    pub(crate) fn history(&self, now: Timestamp) -> Vec<Arc<PurchaseRow>> {
        let fresh = |(row, purchase): (&Arc<PurchaseRow>, &Purchase)| {
            // Only an offer's running out happens by itself.
            if row.state == PurchaseState::Offered && purchase.state(now) != row.state {
                return Arc::new(purchase.row(now));
            }
            row.clone()
        };
        self.rows.iter().zip(&self.purchases).rev().map(fresh).collect()
    }

    /// The card that would pay: the one named, or the first that holds enough and is not frozen.
    pub(crate) fn paying_card(&self, named: Option<CardNumber>, total: Amount) -> Option<(CardNumber, Card)> {
        match named {
            Some(card) => self.cards.get(&card).map(|known| (card, *known)),
            None => {
                let fits = |(_, card): &(&CardNumber, &Card)| !card.frozen && card.balance >= total;
                self.cards.iter().find(fits).map(|(number, card)| (*number, *card))
            }
        }
    }
}

/// The entry of a purchase's settled payment.
pub(crate) fn entry_of(purchase: &Purchase) -> Option<EntryNumber> {
    purchase.settled().map(|settled| settled.receipt.leaf.entry)
}

/// What makes two notices the same, whenever they were made.
fn digest(notice: &Notice) -> Digest {
    Digest::of(&[
        &[u8::from(notice.alarm)],
        &(notice.words.len() as u64).to_le_bytes(),
        notice.words.as_bytes(),
        &notice.evidence,
    ])
}
