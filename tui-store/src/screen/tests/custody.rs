//! The alarm, the lock, password B for a while, the outbox's acts.

use secrecy::ExposeSecret as _;
use tui_kit::{testing::Stage, text};
use vault::RecoveryPhrase;
use wire::payload::KeyRole;

use super::fixture::{answer, asked, at, phrase, settle, snapshot, stage, stage_of};
use crate::{
    act::{Act, Outcome, Sending},
    app::{Effect, Entered, Msg, Store},
    screen::KEY_ALARM_WORD,
    view::{AlarmRow, LineView, Resolved, Snapshot, TelegramState},
};

#[test]
fn a_strange_key_is_an_alarm_that_only_its_word_puts_away() {
    let alarm = AlarmRow {
        about: crate::view::About::Keys,
        at: at(3),
        words: "T-000099-1: recovery key ZZZZ-YYYY".into(),
    };
    let mut stage = stage_of(Snapshot { alarm: Some(alarm), ..snapshot() }, 80, 24);
    insta::assert_snapshot!("alarm-80x24", stage.screen());
    stage.keys("<esc>q<enter>2<ctrl-u>");
    assert!(stage.screen().contains("ALARM"), "{}", stage.screen());
    assert!(stage.effects().is_empty());
    stage.keys(&format!("{KEY_ALARM_WORD}<enter>"));
    let (_, act) = asked(&mut stage);
    assert!(matches!(act, Act::AcknowledgeKeys));
    assert!(stage.screen().contains("Home"));
}

#[test]
fn idle_screens_lock_and_open_with_password_a_while_the_counter_goes_on() {
    let mut stage = stage(80, 24);
    stage.pass(std::time::Duration::from_secs(10 * 60));
    assert!(stage.screen().contains("locked"), "{}", stage.screen());
    assert!(!stage.screen().contains("Sakura Press"), "nothing of the store is seen");
    assert!(stage.effects().iter().any(|effect| matches!(effect, Effect::Lock)));
    stage.message(Msg::Snapshot(snapshot().into()));
    assert!(stage.screen().contains("Password A"), "{}", stage.screen());
    stage.keys("secret<enter>");
    assert!(matches!(stage.effects().as_slice(), [Effect::Unlock(_)]));
    let entered = Entered { snapshot: Some(snapshot().into()), standing: None, seal: None };
    stage.message(Msg::Unlocked(Ok(entered)));
    assert!(stage.screen().contains("Home"), "{}", stage.screen());
}

#[test]
fn every_signing_shows_the_seal_and_open_b_signs_with_enter() {
    let go = |stage: &mut Stage<Store>| {
        stage.keys("4");
        settle(stage);
        stage.keys("c");
        settle(stage);
    };
    let mut asks = stage(80, 24);
    go(&mut asks);
    assert!(
        asks.screen().contains("your drawn seal") && asks.screen().contains("Password B:"),
        "{}",
        asks.screen()
    );
    let mut open = stage_of(Snapshot { signing_until: Some(at(9)), ..snapshot() }, 80, 24);
    assert!(open.screen().contains("B open"), "{}", open.screen());
    go(&mut open);
    assert!(open.screen().contains("Password B is open until"), "{}", open.screen());
    open.keys("<enter>");
    let (_, act) = asked(&mut open);
    assert!(matches!(act, Act::Claim { password_b: None, .. }), "{act:?}");
}

#[test]
fn password_b_is_opened_for_stated_minutes() {
    let mut stage = stage(80, 24);
    stage.keys("7m<ctrl-u>15<tab>quiet harbour clock<enter>");
    let (ticket, act) = asked(&mut stage);
    let Act::OpenSigning { password_b, minutes: 15 } = act else { panic!("{act:?}") };
    assert_eq!(password_b.0.expose_secret(), "quiet harbour clock");
    answer(&mut stage, ticket, Ok(Outcome::Done));
    assert!(stage.screen().contains("Settings"), "{}", stage.screen());
}

#[test]
fn a_key_is_rotated_after_a_review() {
    let mut stage = stage(80, 24);
    stage.keys("8");
    settle(&mut stage);
    stage.keys("t");
    assert!(stage.screen().contains("stay payable"), "{}", stage.screen());
    stage.keys("quiet harbour clock<enter>");
    let (_, act) = asked(&mut stage);
    assert!(matches!(act, Act::Rotate { role: KeyRole::Terminal, .. }));
}

fn shot(name: &str, stage: &mut Stage<Store>, (width, height): (u16, u16)) {
    let shown = stage.screen();
    for line in shown.lines() {
        assert!(text::width(line) <= usize::from(width), "{name}: {line}");
    }
    insta::assert_snapshot!(format!("{name}-{width}x{height}"), shown);
}

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

#[test]
fn while_the_line_is_down_what_is_signed_is_kept_and_said_so() {
    for size in SIZES {
        let line = LineView::Down { since: at(1), why: "no address of the center answers".into() };
        let mut stage = stage_of(Snapshot { line, ..snapshot() }, size.0, size.1);
        stage.keys("c");
        settle(&mut stage);
        shot("claim-offline", &mut stage, size);
        stage.keys("quiet harbour clock<enter>");
        let (ticket, act) = asked(&mut stage);
        assert!(matches!(act, Act::Claim { sending: Sending::Later, .. }), "{act:?}");
        let kept = Resolved {
            telegram: wire::id::TelegramId([8; 32]),
            what: "claim of 1,235,047 JPY in 2 payments".into(),
            state: TelegramState::Prepared,
            words: "signed and kept in the outbox; nothing was sent yet".into(),
            number: None,
            payments: vec![wire::id::EntryNumber(105), wire::id::EntryNumber(107)],
            total: Some(super::fixture::yen(1_235_047)),
        };
        answer(&mut stage, ticket, Ok(Outcome::Resolved(vec![kept])));
        shot("claim-kept", &mut stage, size);
    }
}

#[test]
fn the_terminal_key_is_revoked_after_a_warning() {
    for size in SIZES {
        let mut stage = stage(size.0, size.1);
        stage.keys("8");
        settle(&mut stage);
        stage.keys("T");
        shot("revoke-terminal", &mut stage, size);
        stage.keys("quiet harbour clock<enter>");
        let (_, act) = asked(&mut stage);
        let Act::Revoke { role: KeyRole::Terminal, password_b: Some(password_b), phrase: None } = act else {
            panic!("{act:?}")
        };
        assert_eq!(password_b.0.expose_secret(), "quiet harbour clock");
    }
}

#[test]
fn a_new_phrase_comes_at_once_with_the_former_one_at_hand() {
    for size in SIZES {
        let mut stage = stage(size.0, size.1);
        stage.keys("8");
        settle(&mut stage);
        stage.keys("N");
        shot("former-phrase", &mut stage, size);
        assert!(stage.effects().is_empty(), "nothing is made before the former phrase is right");
        let former = phrase().words().join(" ");
        stage.paste(&former.replacen("bless", "zoo", 1)).keys("<ctrl-s>");
        assert!(stage.effects().is_empty(), "{}", stage.screen());
        stage.keys("<ctrl-u>bless<ctrl-s>");
        assert!(matches!(stage.effects().as_slice(), [Effect::MakePhrase(_)]), "{}", stage.screen());
        let new = RecoveryPhrase::parse(&format!("{}art", "abandon ".repeat(23)).into()).unwrap();
        stage.message(Msg::Phrase(new.into(), [1, 5, 24]));
        for _ in 0..4 {
            stage.screen();
            stage.keys("<pgdn>");
        }
        stage.keys("<ctrl-s>abandon<enter>abandon<enter>art<enter>");
        shot("phrase-at-once", &mut stage, size);
        stage.keys("quiet harbour clock<enter>");
        let (_, act) = asked(&mut stage);
        let Act::NewPhrase { phrase: new, old: Some(old), .. } = act else { panic!("{act:?}") };
        assert_eq!(old.0.expose_secret(), former);
        assert!(new.0.expose_secret().ends_with("abandon art"));
    }
}

#[test]
fn prepared_telegrams_are_sent_one_by_one_or_all() {
    let mut state = snapshot();
    state.outbox[0].state = TelegramState::Prepared;
    let mut stage = stage_of(state, 80, 24);
    stage.keys("5s");
    let (_, act) = asked(&mut stage);
    assert!(matches!(act, Act::Send { telegram: Some(_) }), "{act:?}");
    stage.keys("S");
    let (_, act) = asked(&mut stage);
    assert!(matches!(act, Act::Send { telegram: None }), "{act:?}");
    stage.keys("e");
    let (_, act) = asked(&mut stage);
    assert!(matches!(act, Act::ExportTelegram { .. }), "{act:?}");
    stage.keys("i/tmp/it.telegram<enter>");
    assert!(matches!(stage.effects().as_slice(), [Effect::Import { .. }]));
}
