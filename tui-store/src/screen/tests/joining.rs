//! The door, and the way from an invitation to a number.

use secrecy::ExposeSecret as _;
use tui_kit::testing::Stage;
use vault::{Language, RecoveryPhrase, Surroundings};
use wire::{
    admission::Guide,
    bounded::List,
    id::{AccountNumber, ApplicationNumber, EntryNumber, Role, StoreNumber},
    key::SigningKey,
    message::{Field, FieldKind, Form},
    sheet::Invitation,
};

use super::fixture::{at, autograph, line, phrase, place, prose, recovery, snapshot};
use crate::{
    act::{Failure, FailureKind},
    app::{BroughtBack, Door, Effect, Entered, LockedOut, Msg, NewStore, NewcomerAct, Preferences, Store},
    join::{Joined, Stage as Where, Standing, Welcome},
    restore::Recovered,
    view::{ApplicationRow, KitRow},
};

fn stage_of(door: Door, width: u16, height: u16) -> Stage<Store> {
    Stage::new(Store::new(door, place(), Preferences::default(), Default::default()), width, height)
}

fn stage(door: Door) -> Stage<Store> {
    stage_of(door, 80, 24)
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
        field("kana", "Sound of the name", FieldKind::Kana, false),
        field("bank_account", "Bank account", FieldKind::BankAccount, true),
    ];
    let form = Form { role: Role::Store, version: 1, fields: List::first(fields), terms: prose("") };
    let text = prose("# Selling here\n\nWe are a garden club.\n\n- Fill in the form.\n- Wait for the mail.");
    let guide = Guide { role: Role::Store, version: 1, text };
    Box::new(Welcome { center: line("Garden Club"), fingerprint: "ABCD-EFGH".into(), guide, form })
}

fn joined() -> Joined {
    Joined {
        store: StoreNumber(1),
        entry: EntryNumber(3),
        center: line("Garden Club"),
        key: "SIGN-ATUR".into(),
    }
}

fn standing(stage: Where, state: &str) -> Standing {
    let words = match state {
        "waiting" => "nobody has decided yet",
        "asked-back" => "something is missing; amend it: your register number",
        _ => "number and code are on their way by e-mail; the code counts until 26/12/01 12:00",
    };
    Standing {
        stage,
        invitation: Some(invitation().to_string()),
        application: Some(ApplicationRow {
            application: ApplicationNumber(7),
            state: state.into(),
            words: words.into(),
            since: at(5),
        }),
        not_taken: None,
        kit: Some(KitRow {
            number: 2,
            issued: at(1),
            terms_version: 4,
            terms: prose("# Terms\n\nBe honest."),
            vault_floor: (65_536, 3),
            builds: Vec::new(),
        }),
        terms_accepted: false,
        recovery: Some(recovery()),
    }
}

fn entered(standing: Standing) -> Entered {
    Entered { snapshot: None, standing: Some(Box::new(standing)), seal: Some(autograph()) }
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
    let entered = Entered { snapshot: Some(snapshot().into()), standing: None, seal: None };
    stage.message(Msg::Unlocked(Ok(entered)));
    assert!(stage.screen().contains("Home"));
    assert!(matches!(stage.effects().as_slice(), [Effect::Serve]));
}

/// To the recovery phrase, by typing alone.
fn at_the_phrase(stage: &mut Stage<Store>) {
    stage.paste(&invitation().to_string()).keys("<enter>");
    assert!(matches!(stage.effects().as_slice(), [Effect::Meet(asked)] if **asked == invitation()));
    stage.message(Msg::Met(Ok(welcome())));
    stage.keys("<enter>");
    stage.keys("桜 Press<enter>1990/4/1<enter><enter>0009/202/7654321<enter>");
    stage.keys("lantern seven bridges<enter>lantern seven bridges<enter>");
    stage.keys("quiet harbour clock<enter>quiet harbour clock<enter>");
    stage.keys("<tab>hanako of the garden<enter>");
    assert!(matches!(stage.effects().as_slice(), [Effect::MakePhrase(Language::English)]));
    let asked = RecoveryPhrase::positions(&Surroundings::system());
    assert_eq!(asked.len(), 3);
    stage.message(Msg::Phrase(phrase(), [1, 5, 24]));
}

#[test]
fn a_store_applies_by_typing_alone() {
    let mut stage = stage(Door::Empty);
    assert!(stage.screen().contains("Join a center"));
    stage.keys("hello<enter>");
    assert!(stage.screen().contains("this is not an invitation"), "{}", stage.screen());
    stage.keys("<ctrl-u>");
    at_the_phrase(&mut stage);
    assert!(stage.screen().contains("letter"), "the words are seen before any is asked back");
    stage.keys("<ctrl-s>");
    assert!(stage.screen().contains("as you wrote them down"), "{}", stage.screen());
    stage.keys("letter<enter>amount<enter>zoo<enter>");
    assert!(stage.screen().contains("word 24 is another one"), "{}", stage.screen());
    stage.keys("<ctrl-u>bless<enter>");
    assert!(stage.screen().contains("made and asked back"), "{}", stage.screen());
    stage.keys("<enter>");
    let mut effects = stage.effects();
    let Some(Effect::Begin(beginning)) = effects.pop() else { panic!("{effects:?}") };
    let values =
        [("trade_name", "桜 Press"), ("founded", "1990-04-01"), ("bank_account", "0009/202/7654321")];
    assert_eq!(beginning.values, values.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(beginning.form, welcome().form, "what is sent is what was shown");
    assert_eq!(beginning.password_a.0.expose_secret(), "lantern seven bridges");
    assert_eq!(beginning.password_b.as_ref().unwrap().0.expose_secret(), "quiet harbour clock");
    assert_eq!(beginning.autograph.as_ref().unwrap().typed().unwrap().text, "hanako of the garden");
    assert_eq!(beginning.phrase.as_ref().unwrap().public(), phrase().public());
    stage.message(Msg::Stands(Ok(Box::new(standing(Where::Applied, "waiting")))));
    assert!(
        stage.screen().contains("A-000007-") && stage.screen().contains("nobody has decided yet"),
        "{}",
        stage.screen()
    );
}

#[test]
fn every_step_of_joining_is_seen_at_every_size() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let shot = |name: &str, stage: &mut Stage<Store>| {
            let shown = stage.screen();
            for line in shown.lines() {
                assert!(tui_kit::text::width(line) <= usize::from(width), "{name}: {line}");
            }
            insta::assert_snapshot!(format!("join-{name}-{width}x{height}"), shown);
        };
        let mut stage = stage_of(Door::Empty, width, height);
        shot("invitation", &mut stage);
        stage.paste(&invitation().to_string()).keys("<enter>");
        stage.message(Msg::Met(Ok(welcome())));
        shot("guide", &mut stage);
        stage.keys("<enter>");
        shot("particulars", &mut stage);
        stage.keys("桜 Press<enter><enter><enter>0009/202/7654321<enter>lantern");
        shot("passwords", &mut stage);
        stage.keys(" seven bridges<enter>lantern seven bridges<enter>");
        stage.keys("quiet harbour clock<enter>quiet harbour clock<enter>");
        shot("autograph", &mut stage);
        stage.keys("<ctrl-n>");
        stage.message(Msg::Phrase(phrase(), [1, 5, 24]));
        shot("phrase", &mut stage);
        stage.keys("<pgdn><pgdn><pgdn>").screen();
        stage.keys("<ctrl-s>");
        shot("asked-back", &mut stage);

        let mut stage = stage_of(Door::Locked, width, height);
        stage.message(Msg::Unlocked(Ok(entered(standing(Where::Applied, "admitted")))));
        shot("admitted", &mut stage);
        stage.keys("t");
        shot("terms", &mut stage);
        stage.keys("G").screen();
        stage.keys("<enter>");
        stage.message(Msg::Stands(Ok(Box::new(Standing {
            terms_accepted: true,
            ..standing(Where::Applied, "admitted")
        }))));
        stage.keys("<enter>S-000001-3<enter>0123456789abcdef");
        shot("code", &mut stage);
        stage.keys("<enter><enter>");
        shot("registration", &mut stage);
        stage.keys("quiet harbour clock<enter>");
        stage.message(Msg::Joined(Ok(NewStore { joined: joined(), snapshot: snapshot().into() })));
        shot("done", &mut stage);
    }
}

#[test]
fn a_lost_terminal_is_replaced_by_the_same_way() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut stage = stage_of(Door::Empty, width, height);
        stage.paste(&invitation().to_string()).keys("<ctrl-t>");
        insta::assert_snapshot!(format!("join-lost-{width}x{height}"), stage.screen());
        stage.keys("<enter>M-000001-3<enter>");
        assert!(stage.effects().is_empty(), "a member's number is none: {}", stage.screen());
        stage.keys("<ctrl-u>").keys(&format!("{}<enter>", StoreNumber(1)));
        assert!(matches!(stage.effects().as_slice(), [Effect::Meet(asked)] if **asked == invitation()));
        stage.message(Msg::Met(Ok(welcome())));
        stage.keys("<enter>Shop<enter><enter><enter>0009/202/7654321<enter>");
        stage.keys("lantern seven bridges<enter>lantern seven bridges<enter>");
        stage.keys("quiet harbour clock<enter>quiet harbour clock<enter><ctrl-n><ctrl-n>");
        insta::assert_snapshot!(format!("join-replacing-{width}x{height}"), stage.screen());
        stage.effects();
        stage.keys("<enter>");
        let effects = stage.effects();
        let [Effect::Begin(beginning)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(beginning.replaces, Some(AccountNumber::Store(StoreNumber(1))));
    }
    let mut stage = stage(Door::Empty);
    stage.keys("<ctrl-t><ctrl-t>");
    assert!(stage.screen().contains("Join a center"), "and back: {}", stage.screen());
}

#[test]
fn number_and_code_are_registered_with_the_seal_in_sight_and_refusals_are_said() {
    let mut stage = stage(Door::Locked);
    let accepted = Standing { terms_accepted: true, ..standing(Where::Applied, "admitted") };
    stage.message(Msg::Unlocked(Ok(entered(accepted.clone()))));
    stage.effects();
    stage.keys("<enter>M-000001-3<enter>");
    assert!(
        stage.screen().contains("a store's begins with S-") || stage.screen().contains("like M-"),
        "{}",
        stage.screen()
    );
    stage.keys("<up><ctrl-u>");
    stage.keys(&format!("{}<enter>0123 4567 89ab cdef<enter><enter>", StoreNumber(1)));
    assert!(stage.screen().contains("your drawn seal"), "{}", stage.screen());
    stage.keys("quiet harbour clock<enter>");
    let effects = stage.effects();
    let [Effect::Newcomer(NewcomerAct::Register { store, code, prepare: false, .. })] = effects.as_slice()
    else {
        panic!("{effects:?}")
    };
    assert_eq!((*store, code.print().as_str()), (StoreNumber(1), "0123-4567-89AB-CDEF"));
    stage.message(Msg::Joined(Err(Failure::refused("the activation code is another"))));
    assert!(stage.screen().contains("the activation code is another"), "{}", stage.screen());
    stage.keys("<esc><right><ctrl-s>");
    assert!(stage.screen().contains("it waits in the outbox"), "{}", stage.screen());
    stage.keys("quiet harbour clock<enter>");
    let effects = stage.effects();
    assert!(
        matches!(effects.as_slice(), [Effect::Newcomer(NewcomerAct::Register { prepare: true, .. })]),
        "{effects:?}"
    );
    stage.message(Msg::Stands(Ok(Box::new(Standing { stage: Where::Prepared, ..accepted }))));
    assert!(stage.screen().contains("it was never sent"), "{}", stage.screen());
    stage.keys("<enter>");
    assert!(matches!(stage.effects().as_slice(), [Effect::Newcomer(NewcomerAct::Send)]));
}

#[test]
fn a_seal_that_was_just_drawn_is_shown_where_the_registration_is_signed() {
    let mut stage = stage(Door::Empty);
    stage.paste(&invitation().to_string()).keys("<enter>");
    stage.message(Msg::Met(Ok(welcome())));
    stage.keys("<enter>Shop<enter><enter><enter>0009/202/7654321<enter>");
    stage.keys("lantern seven bridges<enter>lantern seven bridges<enter>");
    stage.keys("quiet harbour clock<enter>quiet harbour clock<enter>");
    stage.keys(
        "<space><right><down><right><down><right><down><right><down><right><down><space><enter><ctrl-n>",
    );
    assert!(stage.screen().contains("your drawn seal"), "{}", stage.screen());
    stage.keys("<enter>");
    let mut effects = stage.effects();
    let Some(Effect::Begin(beginning)) = effects.pop() else { panic!("{effects:?}") };
    assert!(!beginning.autograph.unwrap().strokes().is_empty());
    let accepted = Standing { terms_accepted: true, ..standing(Where::Applied, "admitted") };
    stage.message(Msg::Stands(Ok(Box::new(accepted))));
    stage.keys(&format!("<enter>{}<enter>0123 4567 89ab cdef<enter><enter>", StoreNumber(1)));
    assert!(stage.screen().contains("your drawn seal"), "{}", stage.screen());
}

#[test]
fn what_the_center_refuses_can_be_put_right() {
    let mut stage = stage(Door::Empty);
    stage.paste(&invitation().to_string()).keys("<enter>");
    stage.effects();
    stage.message(Msg::Met(Err(Failure::machine("no address of the center answers"))));
    assert!(stage.screen().contains("no address of the center answers"));
    stage.keys("<ctrl-u>");
    at_the_phrase(&mut stage);
    stage.keys("<ctrl-n>");
    assert!(
        stage.screen().contains("Recovery phrase") && stage.screen().contains("none"),
        "{}",
        stage.screen()
    );
    stage.keys("<enter>");
    stage.message(Msg::Stands(Err((Failure::refused("the trade name is taken"), Door::Empty))));
    assert!(stage.screen().contains("the trade name is taken") && stage.screen().contains("review"));
    stage.keys("<enter>");
    stage.message(Msg::Stands(Err((Failure::unknown("the line broke; run join again"), Door::Locked))));
    let shown = stage.screen();
    assert!(shown.contains("the line broke; run join again") && shown.contains("holds your keys"), "{shown}");
}

#[test]
fn weak_passwords_are_measured_and_refused() {
    let mut stage = stage(Door::Empty);
    stage.paste(&invitation().to_string()).keys("<enter>");
    stage.message(Msg::Met(Ok(welcome())));
    stage.keys("<enter>Shop<enter><enter><enter>0009/202/7654321<enter>");
    stage.keys("password1");
    assert!(stage.screen().contains("weak"), "{}", stage.screen());
    stage.keys("<enter>password1<enter>quiet harbour clock<enter>quiet harbour clock<enter>");
    assert!(stage.screen().contains("choose passwords"), "{}", stage.screen());
    stage.keys("<ctrl-o>lantern seven bridges<enter>lantern seven bridges<enter>");
    assert!(stage.screen().contains("autograph"), "one password is enough: {}", stage.screen());
}

#[test]
fn an_interrupted_join_goes_on_where_it_stopped() {
    let open = |standing: Standing| {
        let mut stage = stage(Door::Locked);
        stage.message(Msg::Unlocked(Ok(entered(standing))));
        stage
    };
    let mut sent = open(standing(Where::Sent, "admitted"));
    assert!(sent.screen().contains("A registration that you signed waits"), "{}", sent.screen());
    sent.keys("<enter>");
    assert!(matches!(sent.effects().as_slice(), [Effect::Newcomer(NewcomerAct::Send)]));
    sent.message(Msg::Joined(Ok(NewStore { joined: joined(), snapshot: snapshot().into() })));
    assert!(sent.screen().contains("You are store S-"));

    let mut unsigned = open(Standing { application: None, ..standing(Where::Unsigned, "waiting") });
    unsigned.keys("<enter>").message(Msg::Met(Ok(welcome())));
    unsigned.keys("<enter>");
    assert!(unsigned.screen().contains("particulars"), "passwords are chosen already");
    unsigned.effects();
    unsigned.keys("Shop<enter><enter><enter>0009/202/7654321<enter>");
    assert!(unsigned.screen().contains("Password B"), "{}", unsigned.screen());
    assert!(unsigned.screen().contains("your drawn seal"), "{}", unsigned.screen());
    unsigned.keys("password two<enter>");
    let effects = unsigned.effects();
    let [Effect::Newcomer(NewcomerAct::Apply { password_b, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(password_b.0.expose_secret(), "password two");
}

#[test]
fn a_store_is_brought_back_with_the_phrase_and_a_wrong_word_is_named() {
    let mut stage = stage(Door::Empty);
    stage.keys("<ctrl-r>").paste(&invitation().to_string());
    stage.keys("<enter>");
    assert!(stage.screen().contains("the recovery phrase"), "{}", stage.screen());
    let words = phrase().words().join(" ");
    stage.paste(&words.replacen("cage", "kage", 1));
    stage.keys("<ctrl-s>");
    assert!(stage.screen().contains("word 3 is not in the list"), "{}", stage.screen());
    stage.keys("<ctrl-u>zoo<ctrl-s>");
    assert!(stage.screen().contains("one word is wrong or out of order"), "{}", stage.screen());
    stage.keys(
        "<up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up><up>",
    );
    stage.keys("<down><down><ctrl-u>cage<ctrl-s>");
    stage.keys("lantern seven bridges<enter>lantern seven bridges<enter>");
    stage.keys("quiet harbour clock<enter>quiet harbour clock<enter>");
    stage.keys("<enter>");
    let mut effects = stage.effects();
    let Some(Effect::Restore(restoring)) = effects.pop() else { panic!("{effects:?}\n{}", stage.screen()) };
    assert_eq!(restoring.phrase.0.expose_secret(), words);
    let recovered = Recovered {
        store: StoreNumber(1),
        center: line("Garden Club"),
        copied: Some(at(4)),
        records: 120,
        renewed: Vec::new(),
        set_aside: None,
    };
    stage.message(Msg::Restored(Ok(Box::new(BroughtBack { recovered, snapshot: snapshot().into() }))));
    assert!(
        stage.screen().contains("S-000001-") && stage.screen().contains("120 records"),
        "{}",
        stage.screen()
    );
    assert!(matches!(stage.effects().as_slice(), [Effect::Serve]));
}

#[test]
fn forgotten_passwords_set_the_vault_aside_once_it_is_confirmed() {
    let mut stage = stage(Door::Locked);
    stage.keys("horse<ctrl-r>");
    assert!(stage.screen().contains("never deleted"), "{}", stage.screen());
    stage.keys("yes<enter>");
    assert!(stage.screen().contains("is not “set aside”"), "{}", stage.screen());
    stage.keys("<ctrl-u>Set aside<enter>").paste(&invitation().to_string());
    stage.keys("<enter>").paste(&phrase().words().join(" "));
    stage.keys("<ctrl-s>lantern seven bridges<enter>lantern seven bridges<enter>");
    stage.keys("quiet harbour clock<enter>quiet harbour clock<enter><enter>");
    let effects = stage.effects();
    assert!(
        matches!(effects.as_slice(), [Effect::Restore(restoring)] if restoring.set_aside),
        "{effects:?}\n{}",
        stage.screen()
    );
    let failed = Failure::refused("no account has this recovery key; look at the words again");
    stage.message(Msg::Restored(Err((failed, Door::Locked))));
    assert!(stage.screen().contains("no account has this recovery key"), "{}", stage.screen());
    stage.keys("<esc><esc><esc>");
    assert!(stage.screen().contains("Password A"), "the vault that is here opens: {}", stage.screen());
}

#[test]
fn what_was_begun_of_a_store_is_set_aside_at_the_next_try() {
    let mut stage = stage(Door::Empty);
    stage.keys("<ctrl-r>").paste(&invitation().to_string());
    stage.keys("<enter>").paste(&phrase().words().join(" "));
    stage.keys("<ctrl-s>lantern seven bridges<enter>lantern seven bridges<enter>");
    stage.keys("quiet harbour clock<enter>quiet harbour clock<enter><enter>");
    stage.effects();
    let failed = Failure::new(FailureKind::Offline, "the line ended");
    stage.message(Msg::Restored(Err((failed, Door::Locked))));
    let shown = stage.screen();
    assert!(shown.contains("the line ended") && shown.contains("never deleted"), "{shown}");
    stage.keys("set aside<enter><enter>");
    assert!(stage.screen().contains("the recovery phrase"), "{}", stage.screen());
}
