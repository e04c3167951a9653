//! Refunds and claims against a center that answers, dies, lies or is busy.

use wire::{
    amount::Currency,
    bounded::List as Bounded,
    id::{Digest, OrderHash, Salt},
    key::SigningKey,
    order::{Order, OrderLine, goods_hash, order_hash},
    payload::{Delivery, Offer},
    receipt::PayoutState,
    text::{Line as Words, Prose},
};

use super::*;
use crate::{
    record::{Delivered, Record, Taken},
    testing::{Manner, PASSWORD_B, STORE, Shop},
    view::OrderStanding,
};

struct Till {
    shop: Shop,
    center: Arc<Center>,
    settle: Arc<Settle>,
}

impl Till {
    async fn open() -> Self {
        let shop = Shop::joined().await;
        let center = Center::new(shop.keep.clone());
        let settle = Settle::new(shop.keep.clone(), center.clone());
        Self { shop, center, settle }
    }

    /// An order, paid and, if wanted, delivered.
    async fn sold(&self, price: u64, delivered: bool) -> EntryNumber {
        let (buyer, salt, price) = (SigningKey::generate(), Salt::random(), Amount::new(price).unwrap());
        let center = self.shop.center.root().verification_key().center();
        let line = OrderLine {
            item: Words::new("book").unwrap(),
            title: Words::new("A book").unwrap(),
            quantity: 1,
            unit_price: price,
            digest: Digest([3; 32]),
            size: 1,
            file_name: Words::new("book.txt").unwrap(),
        };
        let order = Order {
            center,
            store: STORE,
            currency: Currency::YEN,
            lines: Bounded::first([line]),
            total: price,
            note: Prose::default(),
        };
        let bytes = codec::encode(&order);
        let (hash, now) = (order_hash(&salt, &bytes), Timestamp::now());
        let offer = Offer {
            center,
            store: STORE,
            terminal_key: self.shop.keep.terminal_key().verification_key(),
            buyer_key: buyer.verification_key(),
            order: hash,
            total: price,
            currency: Currency::YEN,
            issued: now,
            expires: now.plus_ms(1),
        };
        let offer = Telegram::sign_as_key(&offer, &self.shop.keep.terminal_key());
        let (digest, buyer_key) = (offer.digest(), buyer.verification_key());
        let taken = Taken { at: now, order: bytes, salt, buyer_key, offer };
        let mut records = vec![Record::Taken(taken)];
        if delivered {
            let goods = goods_hash(&salt, &order.goods_digest());
            let delivery = Telegram::sign_as_key(&Delivery { order: hash, goods }, &buyer);
            records.push(Record::Delivered(Delivered { at: now, order: hash, delivery }));
        }
        self.shop.keep.record(records).await.unwrap();
        let entry = self.shop.center.pay(hash, digest, price);
        self.take_mail().await.unwrap();
        entry
    }

    async fn take_mail(&self) -> Result<(), Failure> {
        let line = self.center.line().await?;
        self.center.take_mail(&line).await
    }

    async fn refund(&self, payments: &[EntryNumber], all_due: bool) -> Result<Vec<Resolved>, Failure> {
        self.settle.refund(payments.to_vec(), all_due, None, Some(PASSWORD_B.into()), Sending::AtOnce).await
    }

    async fn claim(&self, payments: &[EntryNumber]) -> Result<Vec<Resolved>, Failure> {
        self.settle.claim(payments.to_vec(), Some(PASSWORD_B.into()), Sending::AtOnce).await
    }

    fn claimable(&self) -> Vec<EntryNumber> {
        self.shop.keep.book().claimable().map(|(number, ..)| number).collect()
    }
}

#[tokio::test]
async fn a_payment_that_fits_no_order_is_due_and_given_back_once() {
    let till = Till::open().await;
    let known = till.sold(500, false).await;
    let stray = till.shop.center.pay(OrderHash([8; 32]), Digest([8; 32]), Amount::new(70).unwrap());
    till.take_mail().await.unwrap();
    let resolved = till.refund(&[], true).await.unwrap();
    assert_eq!(resolved.len(), 1);
    assert_eq!((resolved[0].state, &resolved[0].payments[..]), (TelegramState::Done, &[stray][..]));
    let again = till.refund(&[stray], false).await.unwrap_err();
    assert!(again.message.contains("given back already"), "{again}");
    assert!(till.refund(&[], true).await.unwrap_err().message.contains("no payment is due"));
    assert!(till.refund(&[EntryNumber(999)], false).await.unwrap_err().message.contains("got no payment"));
    assert_eq!(till.refund(&[known], false).await.unwrap()[0].state, TelegramState::Done, "agreed");
    let (_copy, found) = till.shop.after_a_crash();
    assert!(matches!(found.book().payments[&stray].refund, Step::Done(Some(_))));
}

#[tokio::test]
async fn wrong_totals_and_second_payments_do_not_fit() {
    let till = Till::open().await;
    let first = till.sold(500, false).await;
    let (order, offer) = {
        let book = till.shop.keep.book();
        let order = book.payments[&first].order;
        (order, book.sales[&order].buyer.as_ref().unwrap().offer.digest())
    };
    let total = |minor| Amount::new(minor).unwrap();
    let second = till.shop.center.pay(order, offer, total(500));
    let short = till.shop.center.pay(order, offer, total(499));
    let other = till.shop.center.pay(order, Digest([1; 32]), total(500));
    till.take_mail().await.unwrap();
    assert_eq!(till.shop.center.unacknowledged(), 0, "all pages were taken");
    let book = till.shop.keep.book();
    let due = |number: EntryNumber| book.due(&book.payments[&number]);
    assert_eq!(due(first), None);
    assert_eq!(due(second).unwrap().1, RefundReason::UnknownOrder);
    assert_eq!(due(short).unwrap().1, RefundReason::WrongTotal);
    assert!(due(other).unwrap().0.contains("another offer"));
    let sale = &book.sales[&order];
    assert_eq!(sale.payment, Some(first), "a notice later than the offer's expiry still fits");
    assert_eq!(book.standing(sale, Timestamp(u64::MAX)), OrderStanding::Paid);
}

#[tokio::test]
async fn an_answer_that_never_came_is_asked_for_with_the_same_telegram() {
    for (manner, state) in [(Manner::EntersAndDies, TelegramState::Done), (Manner::Dies, TelegramState::Void)]
    {
        let till = Till::open().await;
        let payment = till.sold(500, false).await;
        till.shop.center.manner(manner);
        let unknown = till.refund(&[payment], false).await.unwrap();
        assert_eq!(unknown[0].state, TelegramState::Unknown, "{manner:?}: {}", unknown[0].words);
        let (_copy, found) = till.shop.after_a_crash();
        assert!(matches!(found.book().payments[&payment].refund, Step::Waits(_)));
        till.shop.center.manner(Manner::Honest);
        let again = till.refund(&[payment], false).await.unwrap_err();
        assert!(again.message.contains("resolve"), "{again}");
        let resolved = till.settle.resolve().await.unwrap();
        assert_eq!((resolved[0].telegram, resolved[0].state), (unknown[0].telegram, state));
        assert!(till.settle.resolve().await.unwrap().is_empty());
        let done = till.refund(&[payment], false).await;
        assert_eq!(done.is_ok(), state == TelegramState::Void, "a void leaves the payment as it was");
    }
}

#[tokio::test]
async fn a_lie_is_kept_as_evidence_and_leaves_the_outcome_unknown() {
    let till = Till::open().await;
    let payment = till.sold(500, false).await;
    till.shop.center.manner(Manner::Lies);
    let unknown = till.refund(&[payment], false).await.unwrap();
    assert_eq!(unknown[0].state, TelegramState::Unknown);
    assert!(unknown[0].words.contains("not believed"));
    let book = till.shop.keep.book();
    assert!(!book.notices[0].evidence.is_empty());
    assert!(matches!(book.payments[&payment].refund, Step::Waits(_)));
}

#[tokio::test]
async fn a_busy_center_has_entered_nothing_and_the_telegram_waits() {
    let till = Till::open().await;
    let payment = till.sold(500, true).await;
    till.shop.center.manner(Manner::Busy);
    let waiting = till.claim(&[]).await.unwrap();
    assert!(waiting[0].words.contains("has not entered it"), "{}", waiting[0].words);
    assert!(till.claimable().is_empty(), "it is not claimed a second time meanwhile");
    till.shop.center.manner(Manner::Honest);
    assert_eq!(till.settle.withdraw(waiting[0].telegram).await.unwrap().state, TelegramState::Void);
    assert_eq!(till.claimable(), [payment]);
}

#[tokio::test]
async fn what_is_prepared_holds_its_payment_until_it_is_sent_or_taken_back() {
    let till = Till::open().await;
    let (claimed, given_back) = (till.sold(500, true).await, till.sold(70, false).await);
    till.center.renew().await;
    let password = || Some(PASSWORD_B.into());
    let claim = till.settle.claim(Vec::new(), password(), Sending::Later).await.unwrap();
    let refund = till.settle.refund(vec![given_back], false, None, password(), Sending::Later).await.unwrap();
    assert_eq!((claim[0].state, refund[0].state), (TelegramState::Prepared, TelegramState::Prepared));
    assert_eq!((&claim[0].payments[..], claim[0].total.as_ref().unwrap().minor), (&[claimed][..], 500));
    let (_copy, found) = till.shop.after_a_crash();
    assert_eq!(found.book().claimable().count(), 0, "and after a crash, too");
    let again = till.settle.claim(vec![claimed], password(), Sending::Later).await.unwrap_err();
    assert!(again.message.contains("waits in the outbox"), "{again}");
    let again = till.refund(&[given_back], false).await.unwrap_err();
    assert!(again.message.contains("waits in the outbox"), "{again}");
    assert!(till.settle.resolve().await.unwrap().is_empty(), "nobody is asked about what never left");

    for one in [&claim[0], &refund[0]] {
        let back = till.settle.withdraw(one.telegram).await.unwrap();
        assert_eq!(back.state, TelegramState::Withdrawn);
    }
    assert_eq!(till.claimable(), [claimed], "what it held is free");
    assert_eq!(till.shop.keep.book().payments[&given_back].refund, Step::Not);

    let claim = till.settle.claim(Vec::new(), password(), Sending::Later).await.unwrap();
    let refund = till.settle.refund(vec![given_back], false, None, password(), Sending::Later).await.unwrap();
    let sent = till.settle.send_prepared(None).await.unwrap();
    let ended: Vec<_> = sent.iter().map(|one| (one.telegram, one.state)).collect();
    let done = TelegramState::Done;
    assert_eq!(ended, [(claim[0].telegram, done), (refund[0].telegram, done)], "with the claim's evidence");
    assert!(till.settle.send_prepared(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn without_a_line_it_is_prepared_where_that_was_asked_for() {
    let till = Till::open().await;
    let payment = till.sold(500, true).await;
    till.shop.center.close();
    till.center.renew().await;
    let at_once = till.claim(&[]).await.unwrap_err();
    assert_eq!(at_once.kind, FailureKind::Offline, "{at_once}");
    assert_eq!(till.claimable(), [payment], "nothing was signed");
    let kept = till.settle.claim(Vec::new(), Some(PASSWORD_B.into()), Sending::IfReached).await.unwrap();
    assert_eq!(kept[0].state, TelegramState::Prepared);
    let unsent = till.settle.send_prepared(None).await.unwrap_err();
    assert_eq!(unsent.kind, FailureKind::Offline, "{unsent}");
    let waiting = till.shop.keep.waiting().await.unwrap();
    assert_eq!(waiting[0].state, vault::State::Prepared, "it has not left");
}

#[tokio::test]
async fn delivered_payments_are_claimed_and_undelivered_ones_refused_by_name() {
    let till = Till::open().await;
    let (delivered, other, open) =
        (till.sold(500, true).await, till.sold(30, true).await, till.sold(70, false).await);
    let refused = till.claim(&[delivered, open]).await.unwrap();
    assert_eq!(refused[0].state, TelegramState::Refused);
    assert!(
        refused[0].words.contains(&open.to_string()) && !refused[0].words.contains(&delivered.to_string())
    );
    assert_eq!(till.claimable(), [delivered, other]);

    let claimed = till.claim(&[]).await.unwrap();
    assert_eq!((claimed[0].state, claimed[0].total.as_ref().unwrap().minor), (TelegramState::Done, 530));
    assert!(till.claimable().is_empty());
    assert!(till.claim(&[]).await.unwrap_err().message.contains("nothing can be claimed"));
    let refund = till.refund(&[delivered], false).await.unwrap_err();
    assert!(refund.message.contains("claimed cannot be given back"), "{refund}");

    let claim = claimed[0].number.unwrap();
    till.shop.center.payout(claim, Amount::new(530).unwrap(), PayoutState::InTransit);
    till.take_mail().await.unwrap();
    assert!(till.claimable().is_empty());
    till.shop.center.payout(claim, Amount::new(530).unwrap(), PayoutState::Failed);
    till.take_mail().await.unwrap();
    assert_eq!(till.claimable(), [delivered, other], "the bank sent it back");
    assert_eq!(till.claim(&[]).await.unwrap()[0].state, TelegramState::Done);
    let (_copy, found) = till.shop.after_a_crash();
    assert_eq!(found.book().claimable().count(), 0, "and after a crash it is claimed once more, not twice");
}

#[tokio::test]
async fn mail_that_is_not_borne_out_is_never_acknowledged() {
    let till = Till::open().await;
    till.center.line().await.unwrap();
    till.shop.center.pay(OrderHash([8; 32]), Digest([8; 32]), Amount::new(70).unwrap());
    till.shop.center.forge_mail(true);
    let failure = till.take_mail().await.unwrap_err();
    assert_eq!(failure.kind, crate::act::FailureKind::Contradiction);
    assert_eq!(till.shop.center.unacknowledged(), 1);
    assert!(till.shop.keep.book().payments.is_empty());
    let _ = till.take_mail().await.unwrap_err();
    assert_eq!(till.shop.keep.book().notices.len(), 1, "said once");
    till.shop.center.forge_mail(false);
    till.take_mail().await.unwrap();
    assert_eq!((till.shop.center.unacknowledged(), till.shop.keep.book().payments.len()), (0, 1));
}

#[tokio::test]
async fn a_wrong_password_b_signs_nothing() {
    let till = Till::open().await;
    let payment = till.sold(500, false).await;
    let failure =
        till.settle.refund(vec![payment], false, None, Some("not the password".into()), Sending::AtOnce);
    let failure = failure.await.unwrap_err();
    assert_eq!(failure.kind, crate::act::FailureKind::WrongPassword);
    assert!(till.shop.keep.waiting().await.unwrap().is_empty());
}

#[test]
fn claims_are_cut_to_what_one_may_hold() {
    // The rules are pure: a book of many delivered payments needs no vault.
    let mut book = Book::default();
    book.identity = Some(Identity { store: STORE, key_event: EntryNumber(1), name: Words::default() });
    for number in 0..(limits::CLAIM_ITEMS as u64 + 3) {
        book.payments.insert(
            EntryNumber(number),
            crate::book::Payment {
                order: OrderHash([0; 32]),
                total: if number == 1 { Amount::MAX } else { Amount::new(1).unwrap() },
                at: Timestamp(number),
                misfit: None,
                refund: Step::Not,
                claim: Step::Not,
            },
        );
    }
    let named = book.payments.keys().copied().collect();
    let claims = claims(&book, CenterId([0; 32]), named, Timestamp(0)).unwrap_or_default();
    let sizes: Vec<usize> = claims.iter().map(|claim| claim.payload.payments.len()).collect();
    assert_eq!(sizes, [1, 1, limits::CLAIM_ITEMS, 1], "one amount is at the limit already");
    assert_eq!(claims[2].payload.total.minor(), limits::CLAIM_ITEMS as u64);
}
