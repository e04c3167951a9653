//! What is typed, and what is asked of the outside world.

use std::time::Duration;

use secrecy::ExposeSecret;
use tui_kit::{Event, app::Act as KitAct};
use wire::id::{CardNumber, EntryNumber};

use super::{
    fixture::*,
    looks::{to_catalogue, to_offer, to_purchase},
};
use crate::{
    act::{Act, Failure, FailureKind, Outcome},
    app::{Door, Effect, LockedOut, Msg},
    view::{Exported, FetchedGoods, PurchaseState, Resolved, Snapshot},
};

#[test]
fn a_wrong_password_says_how_long_to_wait_and_is_forgotten() {
    let mut stand = at_the_door(Door::Locked, 80, 24);
    stand.keys("quite wrong<enter>");
    let effects = stand.effects();
    assert!(
        matches!(effects.as_slice(), [Effect::Unlock(password)] if password.0.expose_secret() == "quite wrong")
    );
    assert!(stand.screen().contains("waiting for the vault to open"));
    stand.message(Msg::Unlocked(Err(LockedOut {
        message: "password A is wrong; the next attempt is possible in 4 s".into(),
    })));
    let shown = stand.screen();
    assert!(shown.contains("possible in 4 s") && !shown.contains('•'), "{shown}");
    stand.keys("right<enter>");
    stand.message(Msg::Unlocked(Ok(entered(newcomer()))));
    assert!(stand.screen().starts_with(" Home"), "{}", stand.screen());
}

#[test]
fn a_card_is_requested_with_password_b_and_its_reference_copied() {
    let mut stand = at_home(newcomer(), 80, 24);
    stand.keys("c30,000<enter><enter>");
    assert!(
        stand.screen().contains("30,000 JPY") && stand.screen().contains("Password B"),
        "{}",
        stand.screen()
    );
    stand.keys("wrong one<enter>");
    let wrong =
        Failure::new(FailureKind::WrongPassword, "password B is wrong; the next attempt is possible in 1 s");
    answer(&mut stand, "RequestCard", Err(wrong));
    assert!(stand.screen().contains("password B is wrong"), "{}", stand.screen());
    stand.keys("staple cloud<enter>");
    let (ticket, act) = asked(&mut stand);
    assert!(matches!(&act, Act::RequestCard { amount, password_b: Some(password_b), prepare: false }
        if amount == "30000" && password_b.0.expose_secret() == "staple cloud"));
    stand.message(Msg::Done { ticket, result: Box::new(Ok(Outcome::Funding(funding()))) });
    for words in ["0001/123/1234567", "RF18 5390 0754 7034", "Inkan Center KK", "26/11/29 23:59"] {
        assert!(stand.screen().contains(words), "{words} is missing in\n{}", stand.screen());
    }
    stand.keys("yY");
    let copied: Vec<String> = stand
        .acts()
        .into_iter()
        .filter_map(|act| if let KitAct::Copy(text) = act { Some(text) } else { None })
        .collect();
    assert_eq!(copied[0], "RF18 5390 0754 7034");
    assert!(copied[1].contains("\"reference\""));
}

#[test]
fn the_cart_is_kept_at_every_change_and_survives() {
    let mut stand = at_home(newcomer(), 80, 24);
    to_catalogue(&mut stand);
    stand.keys("aaja");
    let kept: Vec<Vec<u32>> = stand
        .effects()
        .into_iter()
        .map(|effect| match effect {
            Effect::Do { act: Act::KeepCart { lines }, .. } => {
                lines.iter().map(|line| line.quantity).collect()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kept, [vec![1], vec![2], vec![2, 1]]);
    // A snapshot from before the writes does not take anything out again.
    see(&mut stand, newcomer(), |_| {});
    stand.keys("o");
    assert!(stand.screen().contains("2,500 JPY"), "{}", stand.screen());
    stand.keys("-");
    assert!(stand.screen().contains("1,500 JPY"), "{}", stand.screen());
    stand.keys("xx");
    assert!(stand.screen().contains("The cart is empty"), "{}", stand.screen());
}

#[test]
fn paying_shows_signing_sending_and_settled() {
    let mut stand = at_home(full(), 80, 24);
    to_offer(&mut stand);
    let review = stand.screen();
    for words in ["1,500 JPY", "12,500 JPY", "11,000 JPY", "26/11/22 16:30", "key is another"] {
        assert!(review.contains(words), "{words} is missing in\n{review}");
    }
    stand.keys("<enter>");
    assert!(stand.effects().is_empty(), "no payment without password B");
    stand.keys("staple cloud<enter>");
    let (ticket, act) = asked(&mut stand);
    let Act::Pay { order, card, password_b: Some(password_b), prepare: false } = act else {
        panic!("{act:?}")
    };
    assert_eq!((order, card), (ORDER.to_string(), Some(CardNumber(1))));
    assert_eq!(password_b.0.expose_secret(), "staple cloud");
    assert!(stand.screen().contains("Signing"), "{}", stand.screen());
    let state = |state| {
        move |snapshot: &mut Snapshot| {
            snapshot.purchases[1] = purchase(ORDER, "佐藤商店", "俳句集", 1_500, state, None)
        }
    };
    see(&mut stand, full(), state(PurchaseState::Signed));
    assert!(stand.screen().contains("being sent"), "{}", stand.screen());
    let signed = Snapshot { generation: 2, ..full() };
    see(&mut stand, signed, state(PurchaseState::Unknown));
    stand.pass(Duration::from_secs(7));
    assert!(stand.screen().contains("has not answered yet"), "{}", stand.screen());
    assert!(stand.screen().contains("7 s (Esc stops waiting"), "{}", stand.screen());

    let settled = Outcome::Purchase(Box::new(detail(PurchaseState::Settled)));
    stand.message(Msg::Done { ticket, result: Box::new(Ok(settled)) });
    let shown = stand.screen();
    assert!(shown.contains("settled") && shown.contains("checked") && shown.contains("T-000042"), "{shown}");
    let (_, act) = asked(&mut stand);
    assert!(matches!(act, Act::KeepCart { lines } if lines.is_empty()), "what was bought leaves the cart");
    stand.keys("f");
    answer(&mut stand, "Purchase", Ok(Outcome::Purchase(Box::new(detail(PurchaseState::Settled)))));
    let effects = stand.effects();
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Do { act: Act::Fetch { .. }, .. })),
        "{effects:?}"
    );
}

#[test]
fn a_refused_payment_says_why_and_that_nothing_moved() {
    let mut stand = at_home(full(), 80, 24);
    to_offer(&mut stand);
    stand.keys("staple cloud<enter>");
    answer(&mut stand, "Pay", Err(Failure::refused("nothing was paid: the card holds too little")));
    let shown = stand.screen();
    assert!(shown.contains("the card holds too little") && shown.contains("No money has moved"), "{shown}");
    stand.keys("o");
    assert!(matches!(asked(&mut stand).1, Act::Order { .. }));
}

#[test]
fn a_wrong_password_b_leaves_the_review_as_it_was() {
    let mut stand = at_home(full(), 80, 24);
    to_offer(&mut stand);
    stand.keys("oops<enter>");
    let wrong =
        Failure::new(FailureKind::WrongPassword, "password B is wrong; the next attempt is possible in 1 s");
    answer(&mut stand, "Pay", Err(wrong));
    let shown = stand.screen();
    assert!(shown.contains("password B is wrong") && shown.contains("Balance after"), "{shown}");
}

#[test]
fn no_answer_is_unknown_until_the_center_says_otherwise() {
    let mut stand = at_home(full(), 80, 24);
    to_offer(&mut stand);
    stand.keys("staple cloud<enter>");
    let (late, _) = asked(&mut stand);
    see(&mut stand, full(), |snapshot| {
        snapshot.purchases[1] = purchase(ORDER, "佐藤商店", "俳句集", 1_500, PurchaseState::Unknown, None);
    });
    stand.keys("q<esc>");
    let shown = stand.screen();
    assert!(shown.contains("unknown") && shown.contains("nothing is paid twice"), "{shown}");
    stand.keys("r");
    let resolved = Outcome::Resolved(Vec::<Resolved>::new());
    answer(&mut stand, "Resolve", Ok(resolved));
    see(&mut stand, Snapshot { generation: 2, ..full() }, |_| {});
    answer(&mut stand, "Purchase", Ok(Outcome::Purchase(Box::new(detail(PurchaseState::Settled)))));
    assert!(stand.screen().contains("settled"), "{}", stand.screen());
    // The answer that was no longer waited for changes nothing any more.
    stand.message(Msg::Done { ticket: late, result: Box::new(Err(Failure::unknown("too late"))) });
    assert!(stand.screen().contains("settled") && !stand.screen().contains("too late"));
}

#[test]
fn an_unknown_answer_is_shown_as_unknown() {
    let mut stand = at_home(full(), 80, 24);
    to_offer(&mut stand);
    stand.keys("staple cloud<enter>");
    answer(&mut stand, "Pay", Err(Failure::unknown("it was sent, and the line ended")));
    let shown = stand.screen();
    assert!(shown.contains("unknown") && shown.contains("it was sent, and the line ended"), "{shown}");
}

#[test]
fn a_purchase_shows_its_checks_and_fetches_with_progress() {
    let mut stand = at_home(full(), 80, 40);
    to_purchase(&mut stand);
    let shown = stand.screen();
    for words in ["✓ sheet 1, signed by the root key", "✓ entry T-000042-8 lies in the tree", "俳句集"]
    {
        assert!(shown.contains(words), "{words} is missing in\n{shown}");
    }
    stand.keys("f");
    let (ticket, _) = asked(&mut stand);
    stand.keys("x");
    assert!(matches!(stand.effects().as_slice(), [Effect::CancelFetch(order)] if *order == ORDER));
    stand.message(Msg::Done {
        ticket,
        result: Box::new(Err(Failure::refused("stopped; what has arrived is kept"))),
    });
    stand.keys("f");
    let goods = FetchedGoods { order: ORDER, files: Vec::new(), acknowledged: true };
    answer(&mut stand, "Fetch", Ok(Outcome::Fetched(goods)));
    assert!(stand.screen().contains("checked and signed for"), "{}", stand.screen());
    let mut fetched = detail(PurchaseState::Delivered);
    fetched.lines[0].file = Some("goods/1-haiku.pdf".into());
    answer(&mut stand, "Purchase", Ok(Outcome::Purchase(Box::new(fetched))));
    stand.keys("o");
    let acts = stand.acts();
    assert!(
        matches!(acts.as_slice(), [KitAct::Lend(errand)] if errand.program == "less" && errand.arguments == ["goods/1-haiku.pdf"]),
        "{acts:?}"
    );
    stand.event(Event::Returned(Err("less is not installed".into())));
    assert!(stand.screen().contains("less is not installed"), "{}", stand.screen());
    stand.keys("<esc>");
    stand.keys("e");
    let exported = Exported { number: EntryNumber(42), content: "{}".into() };
    answer(&mut stand, "ExportReceipt", Ok(Outcome::Receipt(exported)));
    let effects = stand.effects();
    assert!(
        matches!(effects.as_slice(), [Effect::Save { name, .. }] if *name == format!("{}.json", EntryNumber(42))),
        "{effects:?}"
    );
}

#[test]
fn withdrawing_is_reviewed_first() {
    let mut stand = at_home(full(), 80, 24);
    stand.keys("6w");
    assert!(stand.effects().is_empty());
    assert!(stand.screen().contains("what it has not seen is void"), "{}", stand.screen());
    stand.keys("<enter>");
    assert!(matches!(asked(&mut stand).1, Act::Withdraw { .. }));
}

#[test]
fn a_password_is_changed_only_with_the_old_one() {
    let mut stand = at_home(newcomer(), 80, 24);
    stand.keys("8j<enter>staple cloud<tab>river stone<tab>river stone<tab><enter>");
    let (ticket, act) = asked(&mut stand);
    assert!(matches!(&act, Act::ChangePasswordB { old, new }
        if old.0.expose_secret() == "staple cloud" && new.0.expose_secret() == "river stone"));
    stand.message(Msg::Done { ticket, result: Box::new(Ok(Outcome::Done)) });
    assert!(stand.screen().starts_with(" Settings ") && stand.screen().contains("Password B is changed"));
    stand.keys("jjjj<enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::Keep(preferences)] if preferences.reduced_motion));
}

#[test]
fn errors_at_the_foot_stay_until_they_are_read() {
    let mut stand = at_home(newcomer(), 80, 24);
    stand.keys("r");
    answer(&mut stand, "Sync", Err(Failure::offline("the center is not reached")));
    stand.pass(Duration::from_secs(60));
    assert!(stand.screen().contains("the center is not reached"));
    stand.keys("<esc>");
    assert!(!stand.screen().contains("the center is not reached"));
}

#[test]
fn every_action_has_its_own_key() {
    let outlines = crate::app::Member::outlines();
    assert!(outlines.len() >= 13);
    assert_eq!(tui_kit::keys::Bindings::default().problems(&outlines), Vec::<String>::new());
}
