//! The desks of joining, of people and of four eyes: keys to acts.

use ledger::request::OperatorRole;
use tui_kit::testing::Stage;
use wire::{
    admission::Way,
    id::{AccountNumber, ApplicationNumber, EntryNumber, MemberNumber},
    payload::KeyRole,
};

use super::{super::Console, Effect, Msg, asked, data, inside, settle};
use crate::{
    acts::{Act, ActError, JoiningAct, JoiningOutcome, Letter, Outcome, PeopleAct, PeopleOutcome, StaffAct},
    books::cabinet::index::{Query, Who},
};

fn on(key: &str, role: OperatorRole) -> Stage<Console> {
    let mut stage = inside(role, 100, 30);
    stage.keys(key);
    settle(&mut stage);
    stage
}

/// The one act that is asked for now.
fn one(stage: &mut Stage<Console>) -> (u64, Act) {
    let mut asked = asked(stage);
    assert_eq!(asked.len(), 1, "{asked:?}\n{}", stage.screen());
    asked.remove(0)
}

#[test]
fn who_waits_longest_stands_first_and_is_flagged() {
    let stage = on("9", OperatorRole::Clerk);
    let shown = stage.screen();
    let places: Vec<usize> = [5, 4, 7, 6]
        .map(|number| shown.find(&ApplicationNumber(number).to_string()).unwrap_or_else(|| panic!("{shown}")))
        .to_vec();
    assert!(places.is_sorted(), "{shown}");
    assert!(shown.contains("replaces the terminal of M-000017-4"), "{shown}");
    assert!(shown.contains("! e-mail address as M-000017-4"), "{shown}");
    assert!(shown.contains("Applications (3)"), "{shown}");
}

#[test]
fn what_was_filled_in_is_masked_until_a_reason_is_entered() {
    let mut stage = on("9", OperatorRole::Clerk);
    stage.keys("<enter>");
    settle(&mut stage);
    assert!(!stage.screen().contains("山田"), "{}", stage.screen());
    stage.keys("vthe applicant calls<enter>");
    assert!(asked(&mut stage).is_empty(), "the reason is reviewed first");
    stage.keys("<enter>");
    let (ticket, act) = one(&mut stage);
    let Act::Joining(JoiningAct::Application { number, reveal: Some(reason) }) = act else {
        panic!("{act:?}")
    };
    assert_eq!((number, reason.as_str()), (ApplicationNumber(5), "the applicant calls"));
    let revealed = Box::new(data::desks::revealed(number));
    stage.message(Msg::Answer(ticket, Ok(Outcome::Joining(JoiningOutcome::Application(revealed)))));
    assert!(asked(&mut stage).is_empty(), "nothing is asked that would mask it again");
    assert!(stage.screen().contains("山田 花子"), "{}", stage.screen());
    stage.keys("r");
    settle(&mut stage);
    assert!(!stage.screen().contains("山田"), "read anew, it is masked again");
}

#[test]
fn an_applicant_is_admitted_with_a_way_and_the_next_is_one_key_away() {
    let mut stage = on("9", OperatorRole::Clerk);
    stage.keys("<enter>");
    settle(&mut stage);
    assert!(stage.screen().starts_with(&format!(" Application {}", ApplicationNumber(5))));
    stage.keys("n");
    settle(&mut stage);
    assert!(stage.screen().starts_with(&format!(" Application {}", ApplicationNumber(4))));
    stage.keys("a<right><right><enter><enter>");
    let (ticket, act) = one(&mut stage);
    let Act::Joining(JoiningAct::Admit { number, seen, way }) = act else { panic!("{act:?}") };
    assert_eq!((number, way), (ApplicationNumber(4), Some(Way::Letter)));
    assert_eq!(
        seen,
        data::desks::application(number).application.version,
        "what was shown is what is admitted"
    );
    stage.message(Msg::Answer(ticket, Ok(Outcome::Entered(data::transactions().remove(0)))));
    assert!(stage.screen().contains("done and entered as T-048212"), "{}", stage.screen());
}

#[test]
fn refusing_takes_words_and_the_number_and_asking_back_only_words() {
    let mut stage = on("9", OperatorRole::Clerk);
    stage.keys("xthis is nobody<ctrl-s><enter>");
    assert!(asked(&mut stage).is_empty(), "{}", stage.screen());
    stage.keys(&ApplicationNumber(5).to_string()).keys("<enter>");
    let (ticket, act) = one(&mut stage);
    assert!(matches!(act, Act::Joining(JoiningAct::Decline { ask_back: false, .. })), "{act:?}");
    let why = ActError { kind: "refused", words: "it was admitted meanwhile".into(), unknown: false };
    stage.message(Msg::Answer(ticket, Err(why)));
    assert!(stage.screen().contains("✗ it was admitted meanwhile"));
    stage.keys("<esc>");
    assert!(stage.screen().contains("this is nobody"), "what was written is still there: {}", stage.screen());
    stage.keys("<esc>");
    settle(&mut stage);
    stage.keys("byour birthday, please<ctrl-s><enter>");
    let (_, act) = one(&mut stage);
    let Act::Joining(JoiningAct::Decline { number, ask_back: true, reason }) = act else { panic!("{act:?}") };
    assert_eq!((number, reason.as_str()), (ApplicationNumber(5), "your birthday, please"));
}

#[test]
fn another_key_is_checked_before_it_may_register() {
    let mut stage = on("9", OperatorRole::Supervisor);
    stage.keys("<end>");
    assert!(stage.screen().contains("e New code"), "{}", stage.screen());
    stage.keys("oabcd<tab>lost<ctrl-s>");
    assert!(stage.screen().contains("64 hex digits"), "{}", stage.screen());
    let key = wire::key::SigningKey::from_seed(&[3; 32]).verification_key();
    stage.keys("<ctrl-u>").keys(&key.to_string()).keys("<ctrl-s>");
    assert!(stage.screen().contains(&key.fingerprint()), "{}", stage.screen());
    stage.keys(&ApplicationNumber(6).to_string()).keys("<enter>");
    let (ticket, act) = one(&mut stage);
    let Act::Joining(JoiningAct::Recode { key: Some(asked), .. }) = act else { panic!("{act:?}") };
    assert_eq!(asked, key);
    stage.message(Msg::Answer(ticket, Ok(Outcome::Proposed(data::transactions().remove(0)))));
    assert!(stage.screen().contains("this takes two: proposed as T-048212"), "{}", stage.screen());
}

#[test]
fn a_letter_goes_into_a_file_and_never_onto_the_screen() {
    let mut stage = on("9", OperatorRole::Clerk);
    stage.keys("<end>wletter.pdf<enter>");
    assert!(stage.screen().contains("from the root on"), "{}", stage.screen());
    stage.keys("<ctrl-u>/tmp/letter.pdf<enter><enter>");
    let effects = stage.effects();
    let [Effect::Ask { ticket, into: Some(into), act: Act::Joining(JoiningAct::Letter { number }), .. }] =
        effects.as_slice()
    else {
        panic!("{effects:?}")
    };
    assert_eq!((*number, into.to_str()), (ApplicationNumber(6), Some("/tmp/letter.pdf")));
    let letter = Letter { name: "letter-T-000001.pdf".into(), pdf: "QUFBQQ==".into() };
    stage.message(Msg::Answer(*ticket, Ok(Outcome::Joining(JoiningOutcome::Letter(letter)))));
    assert!(stage.screen().contains("lies in the file"), "{}", stage.screen());
    assert!(!stage.screen().contains("QUFB"));
}

#[test]
fn what_failed_to_go_out_stands_first_and_is_tried_again_or_given_up() {
    let mut stage = on("M", OperatorRole::Clerk);
    let shown = stage.screen();
    assert!(shown.contains("▸ mail-T-048206"), "{shown}");
    assert!(shown.contains("✗ E-mail: mail.center.example:587: it refused the login"), "{shown}");
    stage.keys("e<enter>");
    let (ticket, act) = one(&mut stage);
    assert!(
        matches!(&act, Act::Joining(JoiningAct::PostRetry { name }) if name.starts_with("mail-")),
        "{act:?}"
    );
    stage.message(Msg::Answer(ticket, Ok(Outcome::Done { words: "It is tried again now.".into() })));
    settle(&mut stage);
    stage.keys("x<enter>");
    assert!(asked(&mut stage).is_empty(), "giving up takes the number");
    stage.keys(&EntryNumber(48_206).to_string()).keys("<enter>");
    let (_, act) = one(&mut stage);
    assert!(matches!(act, Act::Joining(JoiningAct::PostGiveUp { .. })), "{act:?}");
}

#[test]
fn a_letter_is_handed_out_where_it_waits_too() {
    let mut stage = on("M", OperatorRole::Clerk);
    stage.keys("<down><enter>");
    let (ticket, act) = one(&mut stage);
    assert!(matches!(&act, Act::Show { .. }), "{act:?}");
    stage.message(Msg::Answer(ticket, Ok(Outcome::Detail(data::desks::admission()))));
    assert!(stage.screen().contains("w Letter"), "{}", stage.screen());
    stage.keys("w/tmp/letter.pdf<enter><enter>");
    let (_, act) = one(&mut stage);
    assert!(
        matches!(act, Act::Joining(JoiningAct::Letter { number }) if number == ApplicationNumber(6)),
        "{act:?}"
    );
}

#[test]
fn a_proposal_appears_at_once_and_only_another_confirms_it() {
    let mut stage = inside(OperatorRole::Supervisor, 100, 30);
    let mut overview = data::overview();
    overview.proposals = 2;
    stage.message(Msg::Overview(overview.into()));
    assert!(stage.screen().contains("2 acts wait for a second operator"), "{}", stage.screen());
    assert!(stage.screen().contains("Desks (8)"), "{}", stage.screen());
    stage.keys("0");
    settle(&mut stage);
    stage.keys("<down>a");
    assert!(stage.screen().contains("you proposed it"), "{}", stage.screen());
    stage.keys("<esc><up><enter>");
    settle(&mut stage);
    assert!(stage.screen().starts_with(&format!(" Proposal {}", EntryNumber(48_199))), "{}", stage.screen());
    stage.keys("a<enter>");
    assert!(asked(&mut stage).is_empty(), "it is reviewed, and takes the number");
    assert!(stage.screen().contains("broken on arrival"), "{}", stage.screen());
    stage.keys(&EntryNumber(48_199).to_string()).keys("<enter>");
    let (ticket, act) = one(&mut stage);
    assert!(
        matches!(act, Act::Staff(StaffAct::Confirm { proposal }) if proposal == EntryNumber(48_199)),
        "{act:?}"
    );
    stage.message(Msg::Answer(ticket, Ok(Outcome::Entered(data::transactions().remove(0)))));
    assert!(stage.screen().starts_with(" Proposals"), "what is done is closed: {}", stage.screen());
}

#[test]
fn whoever_confirms_a_document_sees_what_changes() {
    let mut stage = on("0", OperatorRole::Admin);
    stage.keys("<down><enter>");
    settle(&mut stage);
    let shown = stage.screen();
    assert!(shown.contains("- 4") && shown.contains("Pay in time."), "{shown}");
    assert!(shown.contains("+ 4") && shown.contains("Pay within 30 days."), "{shown}");
}

#[test]
fn ones_own_proposal_can_be_dropped() {
    let mut stage = on("0", OperatorRole::Clerk);
    stage.keys("<down>x<enter>");
    let (_, act) = one(&mut stage);
    assert!(
        matches!(act, Act::Staff(StaffAct::Withdraw { proposal }) if proposal == EntryNumber(48_200)),
        "{act:?}"
    );
}

#[test]
fn people_are_looked_for_only_when_something_is_typed() {
    let mut stage = inside(OperatorRole::Admin, 100, 30);
    stage.keys("F");
    assert!(asked(&mut stage).is_empty());
    assert!(stage.screen().contains("the beginning of a name"), "{}", stage.screen());
    stage.keys("/hana");
    let (_, act) = one(&mut stage);
    assert!(
        matches!(&act, Act::People(PeopleAct::Find { query: Query::Name(name) }) if name == "h"),
        "{act:?}"
    );
}

#[test]
fn data_is_shown_handed_out_and_erased_for_a_reason() {
    let member = Who::Account(AccountNumber::Member(MemberNumber(17)));
    let mut stage = inside(OperatorRole::Admin, 100, 30);
    stage.keys("F/hanako@garden.example");
    settle(&mut stage);
    stage.keys("<enter>vasked by the owner<enter><enter>");
    let (ticket, act) = one(&mut stage);
    assert!(matches!(&act, Act::People(PeopleAct::Reveal { of, .. }) if *of == member), "{act:?}");
    let fields = vec![("name".to_owned(), "山田 花子".to_owned())];
    let revealed = PeopleOutcome::Revealed { who: member, entry: EntryNumber(9), fields };
    stage.message(Msg::Answer(ticket, Ok(Outcome::People(revealed))));
    assert!(stage.screen().contains("山田 花子"), "{}", stage.screen());
    stage.keys("<esc><esc>");
    assert!(!stage.screen().contains("山田"), "{}", stage.screen());
    stage.keys("wasked by the owner<tab>/tmp/person.json<ctrl-s><enter>");
    let effects = stage.effects();
    let taken = |effect: &Effect| {
        matches!(effect, Effect::Ask { act: Act::People(PeopleAct::Export { .. }), into: Some(_), .. })
    };
    assert!(effects.iter().any(taken), "{effects:?}");
    stage.keys("<esc>Easked by the owner<enter>erase<enter>");
    assert!(asked(&mut stage).is_empty(), "erasing takes the number: {}", stage.screen());
    stage.keys("<ctrl-u>").keys(&member.to_string()).keys("<enter>");
    let (_, act) = one(&mut stage);
    assert!(matches!(&act, Act::People(PeopleAct::Erase { of, .. }) if *of == member), "{act:?}");
}

#[test]
fn a_key_is_revoked_with_a_reason_and_the_account() {
    let mut stage = on("4", OperatorRole::Supervisor);
    stage.keys("xstolen<enter>").keys(&MemberNumber(17).to_string()).keys("<enter>");
    let (_, act) = one(&mut stage);
    let Act::People(PeopleAct::RevokeKey { account, role, reason }) = act else { panic!("{act:?}") };
    assert_eq!(account, AccountNumber::Member(MemberNumber(17)));
    assert_eq!((role, reason.as_str()), (KeyRole::Signature, "stolen"));
    let mut stage = on("4", OperatorRole::Supervisor);
    stage.keys("<end>x");
    assert!(stage.screen().contains("not in force any more"), "{}", stage.screen());
}

#[test]
fn a_payment_is_given_back_where_it_is_shown() {
    let mut stage = inside(OperatorRole::Clerk, 100, 30);
    stage.keys("5");
    settle(&mut stage);
    stage.keys("<enter>");
    let (ticket, _) = one(&mut stage);
    stage.message(Msg::Answer(ticket, Ok(Outcome::Detail(data::payment()))));
    stage.keys("bbroken<enter>").keys(&EntryNumber(48_212).to_string()).keys("<enter>");
    let (_, act) = one(&mut stage);
    let Act::Staff(StaffAct::Refund { payment, reason }) = act else { panic!("{act:?}") };
    assert_eq!((payment, reason.as_str()), (EntryNumber(48_212), "broken"));
}
