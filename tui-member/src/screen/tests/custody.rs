//! Keys, alarms, the idle lock and the outbox on the screens.

use std::time::Duration;

use secrecy::ExposeSecret;
use wire::payload::KeyRole;

use super::{fixture::*, looks::alarmed};
use crate::{
    act::{Act, CustodyAct, Failure, Outcome},
    app::{Effect, Folder, Msg},
    view::{ExportedTelegram, KeysView, LineView, RecoveryRow, Snapshot},
};

fn at_keys(snapshot: Snapshot) -> Stand {
    let mut stand = at_home(snapshot, 80, 40);
    stand.keys("9");
    answer(&mut stand, "Custody", Ok(Outcome::Keys(Box::new(keys_view()))));
    stand
}

#[test]
fn the_keys_page_marks_what_was_not_made_here() {
    let stand = at_keys(newcomer());
    let shown = stand.screen();
    for words in ["k3jf 8d2m 1qpz 7xwc", "NOT MADE HERE", "in force from 26/11/25 15:59", "26/11/20 08:00"] {
        assert!(shown.contains(words), "{words} is missing in\n{shown}");
    }
}

#[test]
fn a_rotation_is_reviewed_with_the_seal_and_password_b() {
    let mut stand = at_keys(Snapshot { seal: Some(drawing()), ..newcomer() });
    stand.keys("n");
    assert!(stand.screen().contains("An autograph may be mixed"), "{}", stand.screen());
    stand.keys("s");
    assert!(stand.screen().contains("your drawn seal") && stand.screen().contains("Password B"));
    stand.keys("staple cloud<enter>");
    let (ticket, act) = asked(&mut stand);
    let Act::Custody(CustodyAct::Rotate { role, password_b, phrase, .. }) = act else { panic!("{act:?}") };
    assert_eq!(
        (role, password_b.0.expose_secret(), phrase.is_none()),
        (KeyRole::Signature, "staple cloud", true)
    );
    let refused = Failure::refused("no key was changed: the key that signed it is not in force any more");
    stand.message(Msg::Done { ticket, result: Box::new(Err(refused)) });
    assert!(stand.screen().contains("no key was changed"), "{}", stand.screen());
    stand.keys("staple cloud<enter>");
    answer(&mut stand, "Custody", Ok(Outcome::Keys(Box::new(keys_view()))));
    assert!(stand.screen().starts_with(" Keys"), "{}", stand.screen());
}

#[test]
fn a_new_phrase_is_shown_asked_back_and_said_when_it_counts() {
    let mut stand = at_keys(newcomer());
    stand.keys("p");
    assert!(stand.screen().contains("Do you have the recovery phrase"), "{}", stand.screen());
    stand.keys("n<enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::MakePhrase(_)]));
    stand.message(Msg::Phrase(fresh()));
    stand.screen();
    stand.keys("<enter>advice<tab>cage<tab>bless<enter>");
    assert!(stand.screen().contains("72 hours"), "{}", stand.screen());
    stand.keys("staple cloud<enter>");
    let (ticket, act) = asked(&mut stand);
    let Act::Custody(CustodyAct::NewPhrase { phrase, former: None, .. }) = &act else { panic!("{act:?}") };
    assert_eq!(phrase.0.expose_secret(), PHRASE);
    assert!(!format!("{act:?}").contains("advice"));
    stand.message(Msg::Done { ticket, result: Box::new(Ok(Outcome::Keys(Box::new(keys_view())))) });
    assert!(stand.screen().contains("keep the old one until then"), "{}", stand.screen());
}

#[test]
fn with_the_former_phrase_a_new_one_counts_at_once() {
    let mut stand = at_keys(newcomer());
    stand.keys("p<enter>").paste(PHRASE).keys("<enter>");
    let (ticket, act) = asked(&mut stand);
    let Act::Custody(CustodyAct::CheckPhrase { phrase }) = &act else { panic!("{act:?}") };
    assert_eq!(phrase.0.expose_secret(), PHRASE);
    let wrong = Failure::not_possible("these words are the recovery phrase of another vault");
    stand.message(Msg::Done { ticket, result: Box::new(Err(wrong)) });
    assert!(stand.screen().contains("another vault"), "{}", stand.screen());
    stand.keys("<enter>");
    answer(&mut stand, "Custody", Ok(Outcome::Done));
    stand.keys("<enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::MakePhrase(_)]));
    stand.message(Msg::Phrase(fresh()));
    stand.screen();
    stand.keys("<enter>advice<tab>cage<tab>bless<enter>");
    let shown = stand.screen();
    assert!(shown.contains("in force at once") && !shown.contains("72 hours"), "{shown}");
    stand.keys("staple cloud<enter>");
    let (ticket, act) = asked(&mut stand);
    assert!(matches!(&act, Act::Custody(CustodyAct::NewPhrase { former: Some(_), .. })), "{act:?}");
    let view = KeysView { waiting_from: None, waiting_change: None, ..keys_view() };
    stand.message(Msg::Done { ticket, result: Box::new(Ok(Outcome::Keys(Box::new(view)))) });
    assert!(stand.screen().contains("the new phrase is in force"), "{}", stand.screen());
}

#[test]
fn the_first_phrase_of_an_account_asks_for_no_former_one() {
    let mut snapshot = newcomer();
    snapshot.custody.recovery = RecoveryRow::default();
    let mut stand = at_keys(snapshot);
    stand.keys("p<enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::MakePhrase(_)]));
}

#[test]
fn a_foreign_key_stops_everything_until_the_word_is_typed() {
    let mut stand = at_home(newcomer(), 80, 24);
    see(&mut stand, newcomer(), alarmed);
    stand.keys("q<esc>2<enter>").paste("understood");
    assert!(stand.screen().contains("A key that this vault did not make"), "{}", stand.screen());
    assert!(stand.effects().is_empty());
    stand.keys("<ctrl-u>understood<enter>");
    let (_, act) = asked(&mut stand);
    assert!(matches!(act, Act::Custody(CustodyAct::Acknowledge { .. })), "{act:?}");
    assert!(!stand.screen().contains("A key that this vault did not make"));
    see(&mut stand, Snapshot { generation: 5, ..newcomer() }, alarmed);
    assert!(!stand.screen().contains("A key that this vault did not make"), "the same one is raised once");
}

#[test]
fn a_vault_that_was_left_open_is_closed() {
    let mut stand = at_home(full(), 80, 24);
    stand.pass(Duration::from_secs(14 * 60)).keys("j");
    stand.pass(Duration::from_secs(14 * 60));
    assert!(stand.effects().is_empty(), "somebody was here");
    stand.pass(Duration::from_secs(2 * 60));
    assert!(matches!(stand.effects().as_slice(), [Effect::Lock]));
    stand.message(Msg::Locked);
    let shown = stand.screen();
    assert!(shown.contains("Password A") && !shown.contains("12,500"), "{shown}");
    stand.keys("<esc>1<enter>");
    assert!(!stand.screen().contains("12,500"), "nothing of the vault is left on the screens");
}

#[test]
fn password_b_for_a_while_is_said_in_the_head_and_not_asked_for() {
    let mut stand = at_home(full(), 100, 24);
    stand.keys("8jj<enter>5<tab>staple cloud<tab><enter>");
    let (ticket, act) = asked(&mut stand);
    assert!(matches!(&act, Act::Custody(CustodyAct::OpenSigning { minutes: 5, .. })), "{act:?}");
    stand.message(Msg::Done { ticket, result: Box::new(Ok(Outcome::Done)) });
    see(&mut stand, full(), |snapshot| {
        let mut until = moment("26/11/22 16:05");
        until.unix_ms = u64::try_from(tui_kit::testing::START_UNIX_MS).unwrap() + 5 * 60_000;
        snapshot.custody.signing_until = Some(until);
    });
    assert!(
        stand.screen().contains("B open 5 min") || stand.screen().contains("B open 6 min"),
        "{}",
        stand.screen()
    );
    stand.keys("1c30,000<enter><enter>");
    assert!(!stand.screen().contains("Password B"), "{}", stand.screen());
    stand.keys("<enter>");
    let (_, act) = asked(&mut stand);
    assert!(matches!(act, Act::RequestCard { password_b: None, .. }), "{act:?}");
}

#[test]
fn without_a_line_a_card_request_is_prepared_and_said_so() {
    let down = LineView::Down { why: "the center is not reached".into(), retry: None };
    let mut stand = at_home(Snapshot { line: down, ..newcomer() }, 80, 24);
    stand.keys("c30,000<enter><enter>");
    assert!(stand.screen().contains("this is signed and waits"), "{}", stand.screen());
    stand.keys("staple cloud<enter>");
    let (ticket, act) = asked(&mut stand);
    assert!(matches!(act, Act::RequestCard { prepare: true, .. }), "{act:?}");
    let row = Box::new(full().outbox[0].clone());
    stand.message(Msg::Done { ticket, result: Box::new(Ok(Outcome::Prepared(row))) });
    assert!(stand.screen().contains("Outbox"), "{}", stand.screen());
}

#[test]
fn the_outbox_sends_exports_and_imports() {
    let mut stand = at_home(full(), 80, 24);
    stand.keys("6s");
    let (_, act) = asked(&mut stand);
    assert!(matches!(act, Act::Send { telegram: Some(_) }), "{act:?}");
    stand.keys("S");
    assert!(matches!(asked(&mut stand).1, Act::Send { telegram: None }));
    stand.keys("e");
    let telegram = full().outbox[0].telegram;
    let exported = ExportedTelegram { telegram, content: "SU5LQU5PVVQ=".into() };
    answer(&mut stand, "ExportTelegram", Ok(Outcome::Telegram(exported)));
    let effects = stand.effects();
    assert!(matches!(effects.as_slice(), [Effect::Save { folder: Folder::Telegrams, .. }]), "{effects:?}");
    stand.keys("i/tmp/x.inkan<enter><enter>");
    assert!(matches!(stand.effects().as_slice(), [Effect::Load(_)]));
    stand.message(Msg::Loaded(Ok("SU5LQU5PVVQ=".into())));
    let refused = Failure::not_possible("the telegram belongs to another vault");
    answer(&mut stand, "ImportTelegram", Err(refused));
    assert!(stand.screen().contains("another vault"), "{}", stand.screen());
}
