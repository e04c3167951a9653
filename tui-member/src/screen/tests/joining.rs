//! Joining on the screens: what is typed, what is asked of the outside world, what is never lost.

use secrecy::ExposeSecret;
use tui_kit::app::Act as KitAct;
use vault::{Passwords, recovery::Language};
use wire::{admission::ApplicationState, text::Prose};

use super::{
    fixture::*,
    looks::{entered_as_member, to_autograph, to_passwords, to_registration, to_review},
};
use crate::{
    act::Failure,
    app::{Door, Effect, GoOn, Left, Msg, Progress},
    join::Stage,
    recover::Restored,
};

#[test]
fn joining_asks_for_everything_once_and_signs_what_was_shown() {
    let mut stand = at_the_door(Door::Empty, 80, 24);
    stand.keys("<enter>nonsense<enter>");
    assert!(stand.effects().is_empty());
    assert!(stand.screen().contains("not an invitation"), "{}", stand.screen());
    stand.keys("<ctrl-u>").paste(&format!("{}\n", invitation())).keys("<enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::Meet(met)] if **met == invitation()));
    stand.message(Msg::Met(Ok(Box::new(welcome()))));
    assert!(stand.screen().contains("Have your papers at hand"), "{}", stand.screen());
    stand.keys("<enter>");
    assert!(stand.screen().contains("q7ma 2lkd 9fjw 0ske"));

    stand.keys("<enter>山田花子<tab>q?:1<tab>31.12.1990<tab>");
    assert!(stand.screen().contains('✗'), "{}", stand.screen());
    stand.keys("<up><ctrl-u>1990-12-31<tab>hanako@example.org<tab><tab><enter>");
    assert!(stand.screen().contains("Choose passwords"), "{}", stand.screen());
    stand.keys("password1");
    assert!(stand.screen().contains("weak"), "the meter: {}", stand.screen());
    stand.keys("<ctrl-u>horse battery nine<tab>horse botany<tab>");
    assert!(stand.screen().contains("the two entries differ"), "{}", stand.screen());
    stand.keys(
        "<up><ctrl-u>horse battery nine<tab>horse battery nine<tab>horse battery nine<tab><tab><enter>",
    );
    assert!(stand.screen().contains("must differ from password A"), "{}", stand.screen());
    stand.keys("<ctrl-u>staple cloud seven<tab><ctrl-u>staple cloud seven<tab><tab><enter>");

    assert!(stand.screen().contains("Autograph"), "{}", stand.screen());
    stand.keys("<enter><space><right><right><right><right><down><down><down><left><enter>");
    assert!(stand.screen().contains("Recovery phrase"), "{}", stand.screen());
    stand.keys("j");
    assert!(matches!(stand.effects().last(), Some(Effect::MakePhrase(Language::Japanese))));
    stand.message(Msg::Phrase(fresh()));
    assert!(stand.screen().contains("letter"), "{}", stand.screen());
    stand.keys("<enter>zoo<tab>cage<tab>bless<enter>");
    assert!(stand.screen().contains("word 2 is another one"), "{}", stand.screen());
    stand.keys("<ctrl-u>advice<enter><enter><enter>");
    assert!(stand.screen().contains("Review") && stand.screen().contains("山田花子"), "{}", stand.screen());
    assert!(stand.screen().contains("your drawn seal"), "{}", stand.screen());
    assert!(stand.effects().is_empty(), "nothing is done before the review is confirmed");
    stand.keys("<enter>");
    let effects = stand.effects();
    let [Effect::Join(newcomer)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(newcomer.filled.form.as_ref(), Some(&welcome().form), "the form that was shown is signed");
    assert_eq!(newcomer.filled.values[1], ("address".into(), "q?:1".into()), "keys are text while typing");
    assert!(newcomer.autograph.is_some() && newcomer.phrase.is_some());
    let Passwords::Two { b, .. } = &newcomer.passwords else { panic!("two passwords") };
    assert_eq!(b.expose_secret(), "staple cloud seven");
    let told = format!("{newcomer:?}");
    assert!(!told.contains("staple") && !told.contains("advice"), "{told}");

    stand.message(Msg::Joining(Ok(progress(applied(ApplicationState::Waiting)))));
    assert!(stand.screen().contains("A-000012"), "{}", stand.screen());
}

#[test]
fn going_back_in_joining_loses_nothing() {
    let mut stand = at_the_door(Door::Empty, 80, 24);
    to_passwords(&mut stand);
    stand.effects();
    stand.keys("<esc>");
    assert!(stand.screen().contains("Your particulars") && stand.screen().contains("山田花子"));
    stand.keys("<esc><esc><esc>").resize(40, 12).resize(80, 24);
    assert!(stand.screen().contains("inkan:"), "{}", stand.screen());
    stand.keys("<enter>").message(Msg::Met(Ok(Box::new(welcome()))));
    stand.keys("<enter><enter>");
    assert!(stand.screen().contains("hanako@example.org"), "{}", stand.screen());
}

#[test]
fn the_mouse_is_captured_for_the_pad_alone() {
    let mut stand = at_the_door(Door::Empty, 80, 24);
    to_autograph(&mut stand);
    stand.acts();
    stand.keys("<enter>");
    assert!(stand.acts().iter().any(|act| matches!(act, KitAct::Mouse(true))));
    stand.keys("<esc>");
    assert!(stand.acts().iter().any(|act| matches!(act, KitAct::Mouse(false))));
}

#[test]
fn without_a_vault_a_failure_leaves_the_review_and_its_phrase() {
    let mut stand = at_the_door(Door::Empty, 80, 24);
    to_review(&mut stand);
    stand.keys("<enter>");
    stand.effects();
    stand.message(Msg::Joining(Err((Failure::offline("the center is not reached"), Left::Nothing))));
    assert!(stand.screen().contains("the center is not reached"), "{}", stand.screen());
    stand.keys("<enter>");
    let effects = stand.effects();
    let [Effect::Join(again)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(again.phrase.is_some(), "the phrase that was written down is the one that counts");
}

#[test]
fn with_a_vault_it_goes_on_where_it_stands() {
    let mut stand = at_the_door(Door::Empty, 80, 24);
    to_review(&mut stand);
    stand.keys("<enter>");
    stand.effects();
    let lost = Failure::unknown("the line ended");
    stand.message(Msg::Joining(Err((lost, Left::Vault))));
    assert!(stand.screen().contains("Password A"), "{}", stand.screen());
    let mut stand = at_application(Stage::Unsent, 80, 24);
    assert!(stand.screen().contains("Enter sends the same application once more"), "{}", stand.screen());
    stand.keys("<enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::GoOn(what)] if matches!(**what, GoOn::Send)));
}

#[test]
fn the_application_is_followed_and_amended_when_it_is_asked_back() {
    let mut stand = at_application(applied(ApplicationState::Waiting), 80, 24);
    let words = Prose::new("Your birth date, please.").unwrap();
    let asked_back = progress(applied(ApplicationState::AskedBack { words }));
    stand.message(Msg::Standing(asked_back));
    assert!(stand.screen().contains("Your birth date, please."), "{}", stand.screen());
    stand.keys("a");
    assert!(matches!(stand.effects().as_slice(), [Effect::Meet(_)]));
    stand.message(Msg::Met(Ok(Box::new(welcome()))));
    stand.keys("花子<tab>Kyoto<tab>1990-12-31<tab>h@example.org<tab><tab><enter>");
    assert!(stand.screen().contains("your drawn seal"), "{}", stand.screen());
    stand.keys("staple cloud<enter>");
    let effects = stand.effects();
    let [Effect::GoOn(what)] = effects.as_slice() else { panic!("{effects:?}") };
    let GoOn::Again { filled, password_b } = &**what else { panic!("{what:?}") };
    assert_eq!(filled.form.as_ref(), Some(&welcome().form));
    assert_eq!(password_b.0.expose_secret(), "staple cloud");
}

#[test]
fn number_and_code_are_reviewed_with_the_drawn_seal_and_registered() {
    let mut stand = at_application(applied(ApplicationState::Waiting), 80, 24);
    stand.keys("<enter>");
    assert!(stand.screen().contains("What is paid is final"), "{}", stand.screen());
    stand.keys("<enter>S-000001-1<tab>7k2m<tab>");
    assert_eq!(stand.screen().matches('✗').count(), 2, "{}", stand.screen());
    stand.keys("<esc><enter><enter><ctrl-u>");
    to_number(&mut stand);
    let shown = stand.screen();
    assert!(shown.contains("M-000001-3") && shown.contains("your drawn seal"), "{shown}");
    assert!(!shown.contains("7K2M"), "the code is not shown again: {shown}");
    stand.keys("staple cloud<enter>");
    let effects = stand.effects();
    let [Effect::GoOn(what)] = effects.as_slice() else { panic!("{effects:?}") };
    let GoOn::Register(registrant) = &**what else { panic!("{what:?}") };
    assert_eq!((registrant.member.0, registrant.prepare), (1, false));
    assert_eq!(registrant.terms, kit().terms.hash(), "the terms that were shown are signed");
    assert_eq!(registrant.code.print().as_str(), "7K2M-9QXD-4HTV-0B3E");
    let wrong = Failure::refused("the activation code is wrong; 4 tries are left");
    let left = Left::Open(progress(applied(ApplicationState::Waiting)));
    stand.message(Msg::Joining(Err((wrong, left))));
    assert!(stand.screen().contains("4 tries are left"), "{}", stand.screen());
    stand.keys("staple cloud<enter>").message(Msg::Joining(Ok(entered_as_member())));
    let shown = stand.screen();
    assert!(shown.contains("You are member M-000001-3") && shown.contains("k3jf 8d2m 1qpz 7xwc"), "{shown}");
    stand.keys("<enter>");
    assert!(stand.screen().starts_with(" Home"), "{}", stand.screen());
}

fn to_number(stand: &mut Stand) {
    stand.keys("M-000001-3<tab><ctrl-u>7k2m9qxd4htv0b3e<tab><tab><enter>");
}

#[test]
fn the_phrase_is_typed_again_where_it_is_not_in_memory_any_more() {
    let mut stand = at_application(applied(ApplicationState::Waiting), 80, 24);
    let wants = Progress { wants_phrase: true, ..*progress(applied(ApplicationState::Waiting)) };
    stand.message(Msg::Standing(Box::new(wants)));
    to_registration(&mut stand);
    assert!(stand.screen().contains("The recovery key signs the registration too"), "{}", stand.screen());
    stand.paste(&PHRASE.replace("bless", "zoo")).keys("<enter>");
    assert!(stand.screen().contains("one word is wrong"), "{}", stand.screen());
    stand.keys("<ctrl-u>bless<enter>");
    assert!(stand.screen().contains("Review the registration"), "{}", stand.screen());
    stand.keys("staple cloud<enter>");
    let effects = stand.effects();
    let [Effect::GoOn(what)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(matches!(&**what, GoOn::Register(registrant) if registrant.phrase.is_some()));
}

#[test]
fn an_account_is_brought_back_from_the_first_screen() {
    let mut stand = at_the_door(Door::Empty, 80, 24);
    stand.keys("r").paste(&invitation().to_string()).keys("<enter>");
    stand.paste(PHRASE).keys("<enter>");
    assert!(stand.screen().contains("Choose passwords for this machine"), "{}", stand.screen());
    stand.keys("horse battery nine<tab>horse battery nine<tab>staple cloud seven<tab>staple cloud seven<tab><tab><enter>");
    let effects = stand.effects();
    assert!(
        matches!(effects.as_slice(), [Effect::Restore(back)] if back.invitation == invitation()),
        "{effects:?}"
    );
    let failed = Failure::refused("no account has this recovery key; look at the words again");
    stand.message(Msg::Restored(Err((failed, Left::Nothing))));
    assert!(stand.screen().contains("no account has this recovery key"), "{}", stand.screen());
    stand.keys("<esc>").paste(PHRASE).keys("<enter><pgdn><enter>");
    stand.effects();
    let restored = Restored {
        member: wire::id::MemberNumber(1),
        center: line("Inkan Center 東京"),
        copied_at: Some(moment("26/11/22 15:00")),
        new_keys: vec!["terminal".into()],
        set_aside: None,
    };
    stand.message(Msg::Restored(Ok(Box::new(restored))));
    let shown = stand.screen();
    assert!(shown.contains("Welcome back, M-000001-3") && shown.contains("26/11/22 15:00"), "{shown}");
}

#[test]
fn forgotten_passwords_set_the_vault_aside_once_it_is_confirmed() {
    let mut stand = at_the_door(Door::Locked, 80, 24);
    stand.keys("horse<ctrl-r>");
    assert!(stand.screen().contains("never deleted"), "{}", stand.screen());
    stand.keys("yes<enter>");
    assert!(stand.screen().contains("is not “set aside”"), "{}", stand.screen());
    stand.keys("<ctrl-u>Set aside<enter>").paste(&invitation().to_string()).keys("<enter>");
    stand.paste(PHRASE).keys("<enter>");
    stand.keys("horse battery nine<tab>horse battery nine<tab>staple cloud seven<tab>staple cloud seven<tab><tab><enter>");
    let effects = stand.effects();
    assert!(matches!(effects.as_slice(), [Effect::Restore(back)] if back.set_aside), "{effects:?}");
    let failed = Failure::refused("no account has this recovery key; look at the words again");
    stand.message(Msg::Restored(Err((failed, Left::Nothing))));
    assert!(stand.screen().contains("no account has this recovery key"), "{}", stand.screen());
    stand.keys("<esc><esc><esc><esc>");
    assert!(
        stand.screen().contains("Password A"),
        "the vault that is here can be opened: {}",
        stand.screen()
    );
}

#[test]
fn a_lost_terminal_is_replaced_by_the_same_steps() {
    let mut stand = at_the_door(Door::Empty, 80, 24);
    stand
        .keys("l")
        .paste(&invitation().to_string())
        .keys(&format!("<tab>{}<tab><enter>", wire::id::StoreNumber(1)));
    assert!(stand.effects().is_empty());
    assert!(stand.screen().contains("is a store's number"), "{}", stand.screen());
    stand.keys("<ctrl-u>M-000001-3<tab><enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::Meet(met)] if **met == invitation()));
    stand.message(Msg::Met(Ok(Box::new(welcome()))));
    stand.keys("<enter><enter>山田花子<tab>Kyoto<tab>1990-12-31<tab>hanako@example.org<tab><tab><enter>");
    stand.keys("horse battery nine<tab>horse battery nine<tab>staple cloud seven<tab>staple cloud seven<tab><tab><enter>");
    stand.keys("sn");
    assert!(stand.screen().contains("that of M-000001-3"), "{}", stand.screen());
    stand.keys("<enter>");
    let effects = stand.effects();
    let [Effect::Join(newcomer)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(newcomer.replaces.map(|account| account.to_string()).as_deref(), Some("M-000001-3"));
}

#[test]
fn the_foot_says_what_enter_and_tab_do() {
    let mut stand = at_the_door(Door::Empty, 40, 12);
    to_autograph(&mut stand);
    stand.keys("s<enter>").message(Msg::Phrase(fresh()));
    assert!(stand.screen().contains("Enter Written down"), "{}", stand.screen());
    stand.keys("<enter>");
    assert!(stand.screen().contains("look at all the words first"), "{}", stand.screen());
    let mut stand = at_application(applied(ApplicationState::Waiting), 40, 12);
    stand.keys("<enter><enter>");
    assert!(stand.screen().contains("Enter Next   Tab Field"), "{}", stand.screen());
    stand.keys("<pgdn>");
    assert!(stand.screen().contains("Enter Go on"), "{}", stand.screen());
}
