//! Refunds, claims, the outbox, passwords: keys in, acts out, honest words back.

use secrecy::ExposeSecret as _;
use tui_kit::testing::Stage;
use wire::{
    id::{EntryNumber, TelegramId},
    payload::RefundReason,
};

use super::fixture::{PAID, answer, asked, claimable, detail, settle, stage, yen};
use crate::{
    act::{Act, Failure, FailureKind, Outcome, Sending},
    app::{Effect, Store},
    view::{Exported, Resolved, TelegramState},
};

fn resolved(what: &str, state: TelegramState, words: &str) -> Outcome {
    Outcome::Resolved(vec![Resolved {
        telegram: TelegramId([8; 32]),
        what: what.into(),
        state,
        words: words.into(),
        number: (state == TelegramState::Done).then_some(EntryNumber(200)),
        payments: vec![EntryNumber(104)],
        total: Some(yen(12_000)),
    }])
}

fn wrong_password() -> Failure {
    Failure::new(FailureKind::WrongPassword, "password B is wrong; the next try is possible in 2 s")
}

#[test]
fn a_claim_is_reviewed_signed_and_told() {
    let mut stage = stage(80, 24);
    stage.keys("c");
    let (ticket, act) = asked(&mut stage);
    assert!(matches!(act, Act::Claimable));
    answer(&mut stage, ticket, Ok(Outcome::Claimable(claimable())));
    assert!(stage.screen().contains("Claim 1,235,047 JPY"), "{}", stage.screen());
    assert!(stage.screen().contains("T-000105"));

    stage.keys("secret q<enter>");
    let (ticket, act) = asked(&mut stage);
    let Act::Claim { payments, password_b, sending: Sending::IfReached } = act else { panic!("{act:?}") };
    assert_eq!(payments, [EntryNumber(105), EntryNumber(107)], "exactly what was read");
    assert_eq!(password_b.unwrap().0.expose_secret(), "secret q");
    stage.pass(std::time::Duration::from_secs(7));
    let waiting = "waiting for the center's word for 7 s (Esc leaves it to the outbox)";
    assert!(stage.screen().contains(waiting), "{}", stage.screen());
    assert!(stage.keys("<enter>").effects().is_empty(), "it is not sent twice");

    answer(
        &mut stage,
        ticket,
        Ok(resolved("claim of 12,000 JPY", TelegramState::Done, "settled; the receipt was checked")),
    );
    let shown = stage.screen();
    assert!(shown.contains("settled") && shown.contains("T-000200"), "{shown}");
    assert!(stage.keys("<esc>").screen().contains("Home"));
}

#[test]
fn a_wrong_password_is_another_try_and_an_unknown_outcome_says_what_to_do() {
    let mut stage = stage(80, 24);
    stage.keys("4");
    settle(&mut stage);
    stage.keys("C");
    settle(&mut stage);
    stage.keys("wrong<enter>");
    let (ticket, act) = asked(&mut stage);
    assert!(matches!(act, Act::Claim { ref payments, .. } if *payments == [EntryNumber(105)]));
    answer(&mut stage, ticket, Err(wrong_password()));
    assert!(stage.screen().contains("password B is wrong"), "{}", stage.screen());

    stage.keys("right<enter>");
    let (ticket, _) = asked(&mut stage);
    let words = "the line broke; whether it was entered is unknown until the center says";
    answer(&mut stage, ticket, Ok(resolved("claim of 12,000 JPY", TelegramState::Unknown, words)));
    let shown = stage.screen();
    assert!(shown.contains("unknown") && shown.contains("outbox (5)"), "{shown}");
}

#[test]
fn an_answer_that_comes_after_the_screen_was_left_is_told_at_the_foot() {
    let mut stage = stage(80, 24);
    stage.keys("c");
    settle(&mut stage);
    stage.keys("secret<enter>");
    let (ticket, _) = asked(&mut stage);
    stage.keys("<esc>");
    assert!(stage.screen().contains("Home"));
    answer(
        &mut stage,
        ticket,
        Ok(resolved("claim of 12,000 JPY", TelegramState::Refused, "it was not delivered")),
    );
    assert!(stage.screen().contains("claim of 12,000 JPY: it was not delivered"), "{}", stage.screen());
}

#[test]
fn a_refund_is_typed_before_it_is_signed() {
    let mut stage = stage(80, 24);
    stage.keys("u");
    assert!(stage.screen().contains("Refunds due"));
    stage.keys("<enter>");
    assert!(stage.screen().contains("Type the payment's number"), "{}", stage.screen());
    stage.keys("T-1<enter>");
    assert!(stage.screen().contains("this is not the payment's number"));
    stage.keys(&format!("<ctrl-u>{}<enter>", EntryNumber(104)));
    assert!(stage.effects().is_empty(), "nothing is asked before password B");
    stage.keys("secret<enter>");
    let (ticket, act) = asked(&mut stage);
    let Act::Refund { payments, all_due, reason, .. } = act else { panic!("{act:?}") };
    assert_eq!((payments.as_slice(), all_due, reason), (&[EntryNumber(104)][..], false, None));
    answer(
        &mut stage,
        ticket,
        Ok(resolved("refund of T-000104-4", TelegramState::Done, "settled; the receipt was checked")),
    );
    assert!(stage.screen().contains("settled"));
}

#[test]
fn a_payment_of_which_a_refund_was_sent_is_not_refunded_again() {
    let mut stage = stage(80, 24);
    stage.keys("u<down>");
    let shown = stage.keys("<enter>").screen();
    assert!(shown.contains("a refund waits in the outbox (5)"), "{shown}");
    stage.keys("A");
    assert!(
        stage.screen().contains("T-000104") && !stage.screen().contains("T-000090"),
        "{}",
        stage.screen()
    );
}

#[test]
fn an_order_is_refunded_for_a_reason() {
    let mut stage = stage(80, 24);
    stage.keys("2G<enter>");
    settle(&mut stage);
    assert!(stage.screen().contains("Please be quick."), "{}", stage.screen());
    stage.keys("R<right><enter>");
    assert!(stage.screen().contains("the store cannot deliver"), "{}", stage.screen());
    let number = detail(PAID).row.payment.unwrap();
    stage.keys(&format!("{number}<enter>secret<enter>"));
    let (_, act) = asked(&mut stage);
    assert!(
        matches!(act, Act::Refund { reason: Some(RefundReason::CannotDeliver), ref payments, .. } if *payments == [number])
    );
}

#[test]
fn what_was_claimed_or_not_paid_is_not_refunded() {
    let mut stage = stage(80, 24);
    assert!(stage.keys("2R").screen().contains("it is not paid"));
    assert!(stage.keys("<down><down><down>R").screen().contains("what was claimed can't be given back"));
    assert!(stage.effects().is_empty());
}

#[test]
fn a_receipt_is_saved_under_its_number() {
    let mut stage = stage(80, 24);
    stage.keys("2G<enter>");
    settle(&mut stage);
    stage.keys("e");
    let (ticket, act) = asked(&mut stage);
    assert!(matches!(act, Act::ExportReceipt { number: EntryNumber(102), .. }));
    let exported = Exported { number: EntryNumber(102), content: "{}".into() };
    answer(&mut stage, ticket, Ok(Outcome::Receipt(exported)));
    let effects = stage.effects();
    let [Effect::Save { name, content }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(name.starts_with("T-000102-") && content == "{}", "{name}");
}

#[test]
fn the_outbox_asks_and_withdraws() {
    let mut stage = stage(80, 24);
    stage.keys("5r");
    let (ticket, act) = asked(&mut stage);
    assert!(matches!(act, Act::Resolve));
    answer(&mut stage, ticket, Ok(resolved("refund", TelegramState::Void, "the center has never seen it")));
    assert!(stage.screen().contains("refund: the center has never seen it"), "{}", stage.screen());
    stage.keys("w");
    assert!(stage.screen().contains("If it has not left"), "{}", stage.screen());
    stage.keys("<enter>");
    let (ticket, act) = asked(&mut stage);
    assert!(matches!(act, Act::Withdraw { telegram } if telegram == TelegramId([9; 32])));
    answer(&mut stage, ticket, Err(Failure::new(FailureKind::Offline, "the center can't be reached")));
    assert!(stage.screen().contains("can't be reached"));
    assert!(stage.keys("<esc>").screen().contains("refund of T-000090-6"));
}

#[test]
fn passwords_are_changed_by_typing_the_new_one_twice() {
    let mut stage = stage(80, 24);
    stage.keys("7bold<enter>new<enter>other<enter>");
    assert!(stage.screen().contains("the two entries differ"), "{}", stage.screen());
    stage.keys("<ctrl-u>new<enter>");
    let (ticket, act) = asked(&mut stage);
    let Act::ChangePasswordB { old, new } = act else { panic!("{act:?}") };
    assert_eq!((old.0.expose_secret(), new.0.expose_secret()), ("old", "new"));
    answer(&mut stage, ticket, Err(wrong_password()));
    assert!(stage.screen().contains("password B is wrong"));
    stage.keys("old<enter>new<enter>new<enter>");
    let (ticket, _) = asked(&mut stage);
    answer(&mut stage, ticket, Ok(Outcome::Done));
    assert!(stage.screen().contains("password B is changed") && stage.screen().contains("Settings"));
}

#[test]
fn another_folder_is_sold_or_the_field_says_why_not() {
    let mut stage = stage(80, 24);
    stage.keys("3f<ctrl-u>/srv/other<enter>");
    let (ticket, act) = asked(&mut stage);
    assert!(matches!(act, Act::ChooseCatalogue { ref folder } if folder.as_os_str() == "/srv/other"));
    answer(&mut stage, ticket, Err(Failure::not_possible("there is no folder /srv/other")));
    assert!(stage.screen().contains("there is no folder /srv/other"), "{}", stage.screen());
}

#[test]
fn q_is_typed_into_fields_and_quits_elsewhere() {
    let mut stage: Stage<Store> = stage(80, 24);
    stage.keys("3f<ctrl-u>q");
    assert!(stage.acts().is_empty());
    stage.keys("<esc>q");
    assert!(matches!(stage.acts().as_slice(), [tui_kit::Act::Quit]));
}
