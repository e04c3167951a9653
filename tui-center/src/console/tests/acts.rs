//! Keys to effects: signing in, looking, searching, acting, leaving.

use std::time::Duration;

use ledger::request::{OperatorRole, Standing};
use secrecy::ExposeSecret as _;
use tui_kit::Act as Asked;
use wire::id::{AccountNumber, EntryNumber, MemberNumber};

use super::{Effect, Host, Msg, asked, data, door, inside, settle};
use crate::acts::{Act, ActError, List, Outcome};

fn refused(words: &str, unknown: bool) -> ActError {
    ActError { kind: "refused", words: words.into(), unknown }
}

#[test]
fn an_operator_signs_in_and_out() {
    let mut stage = door(Host::Attached, 80, 24);
    stage.keys("aiko<enter>let me in<enter>");
    let effects = stage.effects();
    let [Effect::SignIn { name, passphrase }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((name.as_str(), passphrase.expose_secret()), ("aiko", "let me in"));
    assert!(!format!("{effects:?}").contains("let me in"));
    stage.message(Msg::SignedIn(Err(refused("the operator's name or passphrase is wrong", false))));
    assert!(stage.screen().contains("✗ the operator's name or passphrase is wrong"));
    stage.keys("let me in<enter>");
    stage.effects();
    stage.message(Msg::SignedIn(Ok(data::operator(OperatorRole::Viewer))));
    assert!(matches!(stage.effects().as_slice(), [Effect::Watch]));
    stage.message(Msg::Overview(data::overview().into()));
    assert!(stage.screen().contains("Sakura Center"));
    stage.keys("L");
    assert!(matches!(stage.effects().as_slice(), [Effect::Unwatch]));
    assert!(!stage.screen().contains("Sakura Center"));
    assert!(stage.screen().contains("aiko"), "the name stays filled in");
}

#[test]
fn one_question_at_a_time_and_the_last_search_wins() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    stage.keys("2");
    let first = asked(&mut stage);
    let [(ticket, Act::Members(list))] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((list.query.as_str(), list.most), ("", 201));
    stage.keys("/ha").keys("na");
    assert!(asked(&mut stage).is_empty(), "one question is on its way");
    stage.message(Msg::Answer(*ticket, Ok(Outcome::Members { members: data::members() })));
    assert!(stage.screen().contains("1/3"), "what is here is filtered at once: {}", stage.screen());
    let second = asked(&mut stage);
    let [(late, Act::Members(list))] = second.as_slice() else { panic!("{second:?}") };
    assert_eq!(list, &List { query: "hana".into(), most: 201 });
    stage.message(Msg::Answer(*late, Ok(Outcome::Members { members: data::members()[..1].to_vec() })));
    assert!(asked(&mut stage).is_empty(), "answered");
    stage.message(Msg::Answer(*ticket, Ok(Outcome::Members { members: Vec::new() })));
    assert!(stage.screen().contains("山田 花子"), "an answer is taken once");
    stage.keys("<esc>");
    assert!(matches!(asked(&mut stage).as_slice(), [(_, Act::Members(list))] if list.query.is_empty()));
}

#[test]
fn a_failed_look_is_told_and_not_repeated_by_itself() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    stage.keys("5");
    let (ticket, _) = asked(&mut stage).remove(0);
    stage.message(Msg::Answer(ticket, Err(refused("the journal can't be read", false))));
    assert!(stage.screen().contains("✗ the journal can't be read"));
    stage.pass(Duration::from_secs(10));
    assert!(asked(&mut stage).is_empty());
    stage.keys("r");
    assert_eq!(asked(&mut stage).len(), 1);
}

#[test]
fn registers_in_sight_follow_the_entries_once_a_second() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    stage.keys("5");
    settle(&mut stage);
    for _ in 0..50 {
        stage.message(Msg::Overview(data::overview().into()));
    }
    assert!(asked(&mut stage).is_empty(), "it was read this second");
    stage.pass(Duration::from_secs(1));
    for _ in 0..50 {
        stage.message(Msg::Overview(data::overview().into()));
    }
    assert_eq!(asked(&mut stage).len(), 1);
}

#[test]
fn things_open_from_things_and_esc_goes_back() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    stage.keys("2");
    settle(&mut stage);
    stage.keys("<enter>");
    let opened = asked(&mut stage);
    let [(ticket, Act::Show { number })] = opened.as_slice() else { panic!("{opened:?}") };
    assert_eq!(*number, MemberNumber(17).to_string());
    stage.message(Msg::Answer(*ticket, Ok(Outcome::Detail(data::member()))));
    assert!(stage.screen().starts_with(" Member M-000017"));
    stage.keys("<down><enter>");
    let opened = asked(&mut stage);
    assert!(
        matches!(opened.as_slice(), [(_, Act::Show { number })] if number.starts_with("C-000021")),
        "{opened:?}"
    );
    stage.keys("<esc>");
    assert!(stage.screen().starts_with(" Member M-000017"));
    stage.keys("<esc>");
    assert!(stage.screen().starts_with(" Members"));
}

#[test]
fn freezing_takes_a_reason_and_the_number() {
    let mut stage = inside(OperatorRole::Supervisor, 80, 24);
    stage.keys("2");
    settle(&mut stage);
    stage.keys("f<enter>");
    assert!(stage.screen().contains("Freeze member M-000017"), "{}", stage.screen());
    stage.keys("q lost<enter>").keys("M-000016-0<enter>");
    assert!(asked(&mut stage).is_empty(), "another number does nothing: {}", stage.screen());
    stage.keys("<ctrl-u>").keys(&MemberNumber(17).to_string()).keys("<enter>");
    let done = asked(&mut stage);
    let [(ticket, Act::Standing { of, frozen, reason })] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!(*of, Standing::Account(AccountNumber::Member(MemberNumber(17))));
    assert_eq!((*frozen, reason.as_str()), (true, "q lost"));
    stage.keys("<enter><enter>");
    assert!(asked(&mut stage).is_empty(), "nothing is done twice");
    stage.message(Msg::Answer(*ticket, Ok(Outcome::Entered(data::transactions().remove(0)))));
    assert!(stage.screen().contains("done and entered as T-048212"), "{}", stage.screen());
    assert!(matches!(asked(&mut stage).as_slice(), [(_, Act::Members(_))]), "the register is read anew");
}

#[test]
fn a_refusal_can_be_mended_and_the_unknown_is_not_repeated() {
    let mut stage = inside(OperatorRole::Supervisor, 80, 24);
    stage.keys("6");
    settle(&mut stage);
    let number = EntryNumber(48_100).to_string();
    stage.keys("b").keys(&number).keys("<enter>");
    let done = asked(&mut stage);
    let [(ticket, Act::ReturnReceipt { receipt })] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!(*receipt, EntryNumber(48_100));
    stage.message(Msg::Answer(*ticket, Err(refused("the payer's account is not known", false))));
    assert!(stage.screen().contains("✗ the payer's account is not known"));
    stage.keys(&number).keys("<enter>");
    let (ticket, _) = asked(&mut stage).remove(0);
    stage.message(Msg::Answer(ticket, Err(refused("the desk ended while it was at work", true))));
    assert!(stage.screen().contains("✗ it is unknown whether it was done"), "{}", stage.screen());
    stage.pass(Duration::from_secs(60));
    assert!(stage.screen().contains("it is unknown"), "an error stays until it is read");
    stage.keys("<esc>");
    assert!(!stage.screen().contains("it is unknown"));
}

#[test]
fn an_outcome_is_told_even_when_its_dialogue_was_left() {
    let mut stage = inside(OperatorRole::Clerk, 80, 24);
    stage.keys("6");
    settle(&mut stage);
    stage.keys("a<enter>").keys(&EntryNumber(48_100).to_string()).keys("<enter>");
    let done = asked(&mut stage);
    let [(ticket, Act::AssignReceipt { receipt, request })] = done.as_slice() else { panic!("{done:?}") };
    assert_eq!((*receipt, *request), (EntryNumber(48_100), EntryNumber(48_090)));
    stage.keys("<esc>2");
    settle(&mut stage);
    stage.message(Msg::Answer(*ticket, Ok(Outcome::Done { words: "The card is issued.".into() })));
    assert!(stage.screen().contains("✓ The card is issued."), "{}", stage.screen());
}

#[test]
fn what_a_role_may_not_do_says_why() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    stage.keys("2");
    settle(&mut stage);
    stage.keys("f");
    assert!(stage.screen().contains("aiko is viewer"), "{}", stage.screen());
    stage.keys("6");
    settle(&mut stage);
    stage.keys("a");
    assert!(!stage.screen().contains("Assign receipt"));
    assert!(asked(&mut stage).is_empty());
}

#[test]
fn leaving_an_attached_console_leaves_the_center_alone() {
    for keys in ["q", "<ctrl-c>"] {
        let mut stage = inside(OperatorRole::Admin, 80, 24);
        stage.keys(keys);
        assert!(matches!(stage.acts().as_slice(), [Asked::Quit]), "{keys}");
    }
}

#[test]
fn the_serving_console_ends_the_center_only_by_the_word() {
    let mut stage = door(Host::Serving, 80, 24);
    stage.message(Msg::SignedIn(Ok(data::operator(OperatorRole::Admin))));
    stage.acts();
    stage.keys("<ctrl-c><ctrl-c>q");
    assert!(stage.screen().contains("Type the word (stop)"), "{}", stage.screen());
    stage.keys("yes<enter>");
    assert!(stage.acts().is_empty());
    stage.keys("<esc>");
    assert!(!stage.screen().contains("Type the word"));
    stage.keys("qstop<enter>");
    assert!(matches!(stage.acts().as_slice(), [Asked::Own(Effect::Stop { operator: Some(_) })]));
}

#[test]
fn typing_a_search_is_not_a_command() {
    let mut stage = inside(OperatorRole::Admin, 80, 24);
    stage.keys("2");
    settle(&mut stage);
    stage.keys("/q1fL");
    assert!(stage.acts().iter().all(|act| !matches!(act, Asked::Quit | Asked::Own(Effect::Unwatch))));
    assert!(stage.screen().contains("/q1fL"));
}

#[test]
fn the_report_turns_by_days() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    stage.keys("8");
    let today = asked(&mut stage);
    let [(ticket, Act::Report { day: None })] = today.as_slice() else { panic!("{today:?}") };
    stage.message(Msg::Answer(*ticket, Ok(Outcome::Report(data::report()))));
    stage.keys("[");
    assert!(
        matches!(asked(&mut stage).as_slice(), [(_, Act::Report { day: Some(day) })] if day == "2026-11-22")
    );
}

#[test]
fn copying_takes_the_number_or_the_whole() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    stage.keys("3");
    settle(&mut stage);
    stage.keys("yY");
    let copied: Vec<String> = stage
        .acts()
        .into_iter()
        .filter_map(|act| match act {
            Asked::Copy(text) => Some(text),
            _ => None,
        })
        .collect();
    assert!(copied[0].starts_with("S-000003"));
    assert!(copied[1].contains("\"name\": \"佐藤書店 Sato Books\""), "{}", copied[1]);
}

#[test]
fn alarms_of_the_center_reach_every_screen() {
    let mut stage = inside(OperatorRole::Viewer, 80, 24);
    for line in data::errors() {
        stage.message(Msg::Error(line));
    }
    assert!(stage.screen().contains("The journal could not be written"));
    assert!(!stage.screen().contains("The center serves"), "a note is not pushed");
}
