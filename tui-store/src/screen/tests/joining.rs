//! The door, and the way from an invitation to a number.

use secrecy::ExposeSecret as _;
use tui_kit::testing::Stage;
use wire::{
    bounded::List,
    id::{EntryNumber, Role, StoreNumber},
    key::SigningKey,
    message::{Field, FieldKind, Form},
    sheet::Invitation,
};

use super::fixture::{line, place, prose, snapshot};
use crate::{
    act::Failure,
    app::{Door, Effect, Entered, LockedOut, Msg, NewStore, Preferences, Store},
    join::{Joined, Stage as Standing, Welcome},
};

fn stage(door: Door) -> Stage<Store> {
    Stage::new(Store::new(door, place(), Preferences::default(), Default::default()), 80, 24)
}

fn invitation() -> Invitation {
    let root = SigningKey::from_seed(&[7; 32]).verification_key();
    Invitation { root, addresses: List::first([line("127.0.0.1:7000")]) }
}

fn welcome() -> Box<Welcome> {
    let field = |key: &str, label: &str, kind, required| Field {
        key: line(key),
        label: line(label),
        help: line(""),
        kind,
        required,
        max_chars: 40,
    };
    let fields = [
        field("trade_name", "Trade name", FieldKind::Line, true),
        field("founded", "Founded", FieldKind::Date, false),
        field("bank_account", "Bank account", FieldKind::BankAccount, true),
    ];
    let form =
        Form { role: Role::Store, version: 1, fields: List::first(fields), terms: prose("Be honest.") };
    Box::new(Welcome { center: line("Garden Club"), fingerprint: "ABCD-EFGH".into(), form })
}

fn joined() -> Joined {
    Joined { store: StoreNumber(1), entry: EntryNumber(3), center: line("Garden Club") }
}

#[test]
fn the_door_opens_with_password_a_or_says_why_not() {
    let mut stage = stage(Door::Locked);
    assert!(stage.screen().contains("Password A"), "{}", stage.screen());
    stage.keys("secret q<enter>");
    let effects = stage.effects();
    let [Effect::Unlock(password)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(password.0.expose_secret(), "secret q");
    stage.message(Msg::Unlocked(Err(LockedOut { message: "password A is wrong; wait 2 s".into() })));
    assert!(stage.screen().contains("password A is wrong; wait 2 s"));
    let entered = Entered { snapshot: Some(snapshot().into()), stage: Standing::Joined, invitation: None };
    stage.message(Msg::Unlocked(Ok(entered)));
    assert!(stage.screen().contains("Home"));
    assert!(matches!(stage.effects().as_slice(), [Effect::Serve]));
}

#[test]
fn a_store_joins_by_typing_alone() {
    let mut stage = stage(Door::Empty);
    assert!(stage.screen().contains("Join a center"));
    stage.keys("hello<enter>");
    assert!(stage.screen().contains("this is not an invitation"), "{}", stage.screen());
    stage.keys("<ctrl-u>").paste(&invitation().to_string());
    stage.keys("<enter>");
    assert!(matches!(stage.effects().as_slice(), [Effect::Meet(asked)] if **asked == invitation()));
    stage.message(Msg::Met(Ok(welcome())));
    assert!(
        stage.screen().contains("Garden Club") && stage.screen().contains("ABCD-EFGH"),
        "{}",
        stage.screen()
    );
    stage.keys("<enter>");
    assert!(stage.screen().contains("Choose passwords"));
    stage.keys("short<enter>short<enter>password two<enter>password two<enter>");
    assert!(stage.screen().contains("Choose passwords"), "a short password is not taken");
    stage.keys("<ctrl-u>password one<enter><ctrl-u>password one<enter><enter><enter>");
    assert!(stage.screen().contains("Your particulars"), "{}", stage.screen());
    insta::assert_snapshot!("join-particulars-80x24", stage.screen());
    stage.keys("桜 Press<enter>1990/4/1<enter>0009/202/7654321<enter>");
    insta::assert_snapshot!("join-review-80x24", stage.screen());
    assert!(stage.screen().contains("Review") && stage.screen().contains("Be honest."));
    stage.keys("<esc>");
    assert!(stage.screen().contains("桜 Press"), "what was entered is kept");
    stage.keys("<ctrl-s><enter>");
    let mut effects = stage.effects();
    let Some(Effect::Join(joining)) = effects.pop() else { panic!("{effects:?}") };
    let values =
        [("trade_name", "桜 Press"), ("founded", "1990-04-01"), ("bank_account", "0009/202/7654321")];
    assert_eq!(joining.values, values.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(joining.password_a.0.expose_secret(), "password one");
    assert_eq!(joining.password_b.0.expose_secret(), "password two");
    assert!(stage.screen().contains("waiting for"));
    stage.message(Msg::Joined(Ok(NewStore { joined: joined(), snapshot: snapshot().into() })));
    insta::assert_snapshot!("join-done-80x24", stage.screen());
    assert!(stage.screen().contains("You are store S-000001-"));
    assert!(matches!(stage.effects().as_slice(), [Effect::Serve]), "the counter opens at once");
    stage.keys("<enter>");
    assert!(stage.screen().contains("Home"));
}

#[test]
fn what_the_center_refuses_can_be_put_right() {
    let mut stage = stage(Door::Empty);
    stage.paste(&invitation().to_string()).keys("<enter>");
    stage.effects();
    stage.message(Msg::Met(Err(Failure::machine("no address of the center answers"))));
    assert!(stage.screen().contains("no address of the center answers"));
    stage.keys("<enter>").message(Msg::Met(Ok(welcome())));
    stage.keys("<enter>password one<enter>password one<enter>password two<enter>password two<enter>");
    stage.keys("Shop<enter><enter>0009/202/7654321<enter><enter>");
    stage.message(Msg::Joined(Err((Failure::refused("the trade name is taken"), Door::Empty))));
    assert!(stage.screen().contains("the trade name is taken") && stage.screen().contains("Review"));
    stage.keys("<enter>");
    stage.message(Msg::Joined(Err((Failure::unknown("the line broke; run join again"), Door::Locked))));
    let shown = stage.screen();
    assert!(shown.contains("the line broke; run join again") && shown.contains("holds your keys"), "{shown}");
}

#[test]
fn an_interrupted_join_goes_on_where_it_stopped() {
    let open = |standing| {
        let mut stage = stage(Door::Locked);
        let entered = Entered { snapshot: None, stage: standing, invitation: Some(invitation()) };
        stage.message(Msg::Unlocked(Ok(entered)));
        stage
    };
    let mut sent = open(Standing::Sent);
    assert!(sent.screen().contains("A registration that you signed waits"), "{}", sent.screen());
    sent.keys("<enter>");
    assert!(matches!(sent.effects().as_slice(), [Effect::Resume(to)] if **to == invitation()));
    sent.message(Msg::Joined(Ok(NewStore { joined: joined(), snapshot: snapshot().into() })));
    assert!(sent.screen().contains("You are store S-"));

    let mut unsigned = open(Standing::Unsigned);
    unsigned.keys("<enter>").message(Msg::Met(Ok(welcome())));
    unsigned.keys("<enter>");
    assert!(unsigned.screen().contains("Your particulars"), "passwords are chosen already");
    unsigned.effects();
    unsigned.keys("Shop<enter><enter>0009/202/7654321<enter>");
    assert!(unsigned.screen().contains("Password B"), "{}", unsigned.screen());
    unsigned.keys("password two<enter>");
    let effects = unsigned.effects();
    let [Effect::Register(registering)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(registering.password_b.0.expose_secret(), "password two");
}
