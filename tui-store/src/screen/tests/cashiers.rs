//! The owner's screens about cashiers.

use tui_kit::testing::Stage;
use wire::{amount::Amount, key::SigningKey, payload::CashierRights, till::CashierRequest};

use super::fixture::{answer, asked, line, snapshot, stage, yen};
use crate::{
    act::{Act, CashierAct, Outcome},
    app::Store,
    view::{CashierRow, CashierState, Resolved, StoreLineRow, TelegramState},
};

fn row(id: u8, name: &str, state: CashierState) -> CashierRow {
    let key = SigningKey::from_seed(&[id; 32]).verification_key();
    CashierRow {
        key,
        fingerprint: key.fingerprint(),
        name: line(name),
        state,
        words: state.words().into(),
        sell: id == 1,
        deliver: true,
        see_day: id == 1,
        refund_limit: yen(5_000),
        left_today: yen(3_800),
        entry: None,
    }
}

fn rows() -> Vec<CashierRow> {
    vec![
        row(1, "森 Mori", CashierState::InForce),
        row(2, "Sato", CashierState::Waiting),
        row(3, "Abe", CashierState::Revoked),
    ]
}

/// The list of cashiers.
fn listed(width: u16, height: u16) -> Stage<Store> {
    let mut stage = stage(width, height);
    stage.keys("9");
    let (ticket, act) = asked(&mut stage);
    assert!(matches!(act, Act::Cashiers { what: CashierAct::List }), "{act:?}");
    answer(&mut stage, ticket, Ok(Outcome::Cashiers(rows())));
    stage
}

fn invited(stage: &mut Stage<Store>) {
    stage.keys("i");
    let (ticket, _) = asked(stage);
    let row = StoreLineRow {
        line: "inkan-till:S-000007-4:KEY@shop.example:7100+KEY@center.example:7000".into(),
        fingerprint: "1a2b 3c4d".into(),
    };
    answer(stage, ticket, Ok(Outcome::StoreLine(row)));
}

fn request() -> String {
    let store = snapshot().store.unwrap();
    let key = SigningKey::from_seed(&[7; 32]);
    CashierRequest::new(wire::id::CenterId([9; 32]), store, line("Ueda"), &key).to_string()
}

/// The form with everything filled in.
fn filled(stage: &mut Stage<Store>) {
    stage.keys("a").paste(&request());
    stage.keys("<tab>Ueda<tab> <tab><tab><tab>5,000");
}

#[test]
fn every_size() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut stage = listed(width, height);
        insta::assert_snapshot!(format!("cashiers-{width}x{height}"), stage.screen());
        invited(&mut stage);
        insta::assert_snapshot!(format!("cashiers-line-{width}x{height}"), stage.screen());
        filled(&mut stage);
        insta::assert_snapshot!(format!("cashier-form-{width}x{height}"), stage.screen());
        stage.keys("<ctrl-s>");
        insta::assert_snapshot!(format!("cashier-review-{width}x{height}"), stage.screen());
        stage.keys("<esc>x");
        insta::assert_snapshot!(format!("cashier-revoke-{width}x{height}"), stage.screen());
    }
}

#[test]
fn a_terminal_is_certified_with_the_rights_that_were_chosen() {
    let mut stage = listed(100, 40);
    filled(&mut stage);
    stage.keys("<ctrl-s>").effects();
    stage.keys("secret B<enter>");
    let (ticket, act) = asked(&mut stage);
    let Act::Cashiers { what: CashierAct::Certify { key, rights, password_b: Some(_) } } = act else {
        panic!("{act:?}")
    };
    assert_eq!(key, SigningKey::from_seed(&[7; 32]).verification_key());
    let limit = Amount::new(5_000).unwrap();
    let chosen =
        CashierRights { name: line("Ueda"), sell: true, deliver: false, refund_limit: limit, see_day: false };
    assert_eq!(rights, chosen);
    let resolved = Resolved {
        telegram: wire::id::TelegramId([4; 32]),
        what: "cashier's rights".into(),
        state: TelegramState::Done,
        words: "in force".into(),
        number: None,
        payments: Vec::new(),
        total: None,
    };
    answer(&mut stage, ticket, Ok(Outcome::Resolved(vec![resolved])));
    assert!(stage.screen().contains("What became of it"), "{}", stage.screen());
}

#[test]
fn another_store_s_request_and_a_broken_one_are_refused_beside_the_field() {
    let other = CashierRequest::new(
        wire::id::CenterId([9; 32]),
        wire::id::StoreNumber(9_999),
        line("Ueda"),
        &SigningKey::from_seed(&[7; 32]),
    );
    for (text, words) in
        [(other.to_string(), "which this is not"), ("inkan-cashier:ABC".into(), "not a cashier's request")]
    {
        let mut stage = listed(120, 40);
        stage.keys("a").paste(&text);
        stage.keys("<tab>");
        assert!(stage.screen().contains(words), "{}", stage.screen());
    }
}

#[test]
fn rights_are_taken_away_where_they_are_in_force_only() {
    let mut stage = listed(100, 30);
    stage.keys("x").effects();
    stage.keys("secret B<enter>");
    let (_, act) = asked(&mut stage);
    let named = rows()[0].key.to_string();
    assert!(
        matches!(&act, Act::Cashiers { what: CashierAct::Revoke { cashier, password_b: Some(_) } } if *cashier == named),
        "{act:?}"
    );
    let mut stage = listed(100, 30);
    stage.keys("<down>x");
    assert!(stage.screen().contains("has not spoken"), "{}", stage.screen());
}
