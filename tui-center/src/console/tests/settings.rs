//! Documents, the staff, the kit and the center's keys: keys to acts.

use ledger::request::{Document, OperatorRole};
use secrecy::ExposeSecret as _;
use tui_kit::testing::Stage;
use wire::{amount::Amount, id::Role, sheet::SheetRole};

use super::{super::Console, Msg, asked, data, inside, settle};
use crate::acts::{Act, ActError, JoiningAct, Outcome, StaffAct};

fn on(key: &str, role: OperatorRole) -> Stage<Console> {
    let mut stage = inside(role, 100, 30);
    stage.keys(key);
    settle(&mut stage);
    stage
}

fn one(stage: &mut Stage<Console>) -> (u64, Act) {
    let mut asked = asked(stage);
    assert_eq!(asked.len(), 1, "{asked:?}\n{}", stage.screen());
    asked.remove(0)
}

#[test]
fn a_document_is_edited_checked_reviewed_and_put_in_force() {
    let mut stage = on("D", OperatorRole::Admin);
    stage.keys("<down><down>e");
    assert!(stage.screen().starts_with(" Edit form for members"), "{}", stage.screen());
    stage.keys("q<ctrl-s>");
    assert!(asked(&mut stage).is_empty());
    assert!(stage.screen().contains("✗ line 1"), "what is no form is not even reviewed: {}", stage.screen());
    stage.keys("<right><backspace><ctrl-s>");
    assert!(stage.screen().contains("nothing has changed yet"), "{}", stage.screen());
    stage.keys("# For the garden club<enter><ctrl-s>");
    assert!(
        stage.screen().contains("+ 1") && stage.screen().contains("# For the garden club"),
        "{}",
        stage.screen()
    );
    stage.keys("<enter>");
    let (ticket, act) = one(&mut stage);
    let Act::Joining(JoiningAct::SetDocument { document, text, over }) = act else { panic!("{act:?}") };
    assert!(over.is_some(), "a version that came into force meanwhile is not written over");
    assert_eq!(document, Document::Form(Role::Member));
    assert!(text.starts_with("# For the garden club\n"));
    let refused = ActError { kind: "refused", words: "somebody else was faster".into(), unknown: false };
    stage.message(Msg::Answer(ticket, Err(refused)));
    stage.keys("<esc>");
    assert!(stage.screen().contains("# For the garden club"), "what was written is still there");
    stage.keys("<ctrl-s><enter>");
    let (ticket, _) = one(&mut stage);
    stage.message(Msg::Answer(ticket, Ok(Outcome::Proposed(data::transactions().remove(0)))));
    assert!(stage.screen().starts_with(" Documents"), "{}", stage.screen());
    assert!(stage.screen().contains("another operator confirms it"), "{}", stage.screen());
}

#[test]
fn leaving_a_changed_document_asks_and_ctrl_c_does_not_lose_it() {
    let mut stage = on("D", OperatorRole::Admin);
    stage.keys("eq<ctrl-c>");
    assert!(stage.acts().is_empty());
    assert!(stage.screen().contains("not saved"), "{}", stage.screen());
    stage.keys("n<esc>y");
    assert!(stage.screen().starts_with(" Documents"), "{}", stage.screen());
}

#[test]
fn documents_are_read_by_everybody_and_edited_by_admins() {
    let mut stage = on("D", OperatorRole::Clerk);
    stage.keys("e");
    assert!(stage.screen().contains("aiko is clerk"), "{}", stage.screen());
    stage.keys("<esc><enter>");
    settle(&mut stage);
    assert!(stage.screen().contains("Whoever reads this knows it."), "{}", stage.screen());
    stage.keys("<esc>v");
    let (ticket, act) = one(&mut stage);
    assert!(matches!(&act, Act::Transactions { kind: Some(_), .. }), "{act:?}");
    let found = Outcome::Transactions { transactions: data::transactions(), next: None };
    stage.message(Msg::Answer(ticket, Ok(found)));
    assert!(stage.screen().contains("T-048212"), "{}", stage.screen());
}

#[test]
fn an_operator_is_added_with_a_role_a_key_and_a_passphrase_that_is_never_drawn() {
    let mut stage = on("S", OperatorRole::Admin);
    assert!(stage.screen().contains("Four eyes OFF on settings"), "{}", stage.screen());
    stage.keys("adaisuke<tab><right><tab>ssh-rsa AAAA<tab>");
    assert!(stage.screen().contains('✗'), "a key that is none is told: {}", stage.screen());
    stage.keys("<shift-tab><ctrl-u>").paste(data::settings::SSH);
    stage.keys("<tab>correct horse<tab>correct hose<ctrl-s>");
    assert!(asked(&mut stage).is_empty(), "typed twice, and not the same: {}", stage.screen());
    stage.keys("<ctrl-u>correct horse<ctrl-s>");
    assert!(stage.screen().contains("SHA256:+DiY3wvv"), "{}", stage.screen());
    assert!(!stage.screen().contains("horse"));
    stage.keys("<enter>");
    let (_, act) = one(&mut stage);
    assert!(!format!("{act:?}").contains("horse"));
    let Act::Staff(StaffAct::Add { name, role, ssh_key, passphrase }) = act else { panic!("{act:?}") };
    assert_eq!((name.as_str(), role), ("daisuke", OperatorRole::Clerk));
    assert_eq!((ssh_key.as_str(), passphrase.0.expose_secret()), (data::settings::SSH, "correct horse"));
}

#[test]
fn a_role_is_changed_and_an_operator_taken_off() {
    let mut stage = on("S", OperatorRole::Admin);
    stage.keys("<down>e<enter>");
    assert!(stage.screen().contains("is the role already"), "{}", stage.screen());
    stage.keys("<right><enter><enter>");
    let (_, act) = one(&mut stage);
    let Act::Staff(StaffAct::Role { name, role }) = act else { panic!("{act:?}") };
    assert_eq!((name.as_str(), role), ("bruno", OperatorRole::Supervisor));
    let mut stage = on("S", OperatorRole::Admin);
    stage.keys("<down>x<enter>");
    assert!(asked(&mut stage).is_empty(), "it takes the name");
    stage.keys("bruno<enter>");
    let (_, act) = one(&mut stage);
    assert!(matches!(&act, Act::Staff(StaffAct::Remove { name }) if name == "bruno"), "{act:?}");
}

#[test]
fn ones_own_passphrase_takes_no_admin_and_somebody_elses_does() {
    let mut stage = on("S", OperatorRole::Viewer);
    stage.keys("wcorrect horse<tab>correct horse<ctrl-s><enter>");
    let (_, act) = one(&mut stage);
    assert!(matches!(&act, Act::Staff(StaffAct::SetPassphrase { name: None, .. })), "{act:?}");
    let mut stage = on("S", OperatorRole::Viewer);
    stage.keys("<down>w");
    assert!(stage.screen().contains("aiko is viewer"), "{}", stage.screen());
}

#[test]
fn limits_are_seen_by_everybody_and_set_in_the_centers_currency() {
    let mut stage = on("S", OperatorRole::Admin);
    stage.keys("l");
    settle(&mut stage);
    assert!(stage.screen().contains("up to 10,000 JPY"), "{}", stage.screen());
    stage.keys("e<ctrl-s>");
    assert!(stage.screen().contains("is left empty"), "{}", stage.screen());
    stage.keys("25,000<ctrl-s><enter>");
    let (_, act) = one(&mut stage);
    let Act::Staff(StaffAct::SetLimits { refund_alone, receipt_alone }) = act else { panic!("{act:?}") };
    assert_eq!((refund_alone, receipt_alone), (Amount::new(25_000), None));
}

#[test]
fn a_program_is_offered_and_taken_out() {
    let mut stage = on("K", OperatorRole::Admin);
    assert!(stage.screen().contains("Kit 4, signed"), "{}", stage.screen());
    stage.keys("a/srv/tui-store<tab><right><tab>x86_64-unknown-linux-gnu<tab>2.0.0<ctrl-s><enter>");
    let (_, act) = one(&mut stage);
    let Act::Joining(JoiningAct::KitAdd { file, program, version, .. }) = act else { panic!("{act:?}") };
    assert_eq!(
        (file.to_str(), program.as_str(), version.as_str()),
        (Some("/srv/tui-store"), "tui-store", "2.0.0")
    );
    let mut stage = on("K", OperatorRole::Admin);
    stage.keys("x1.2.3<enter>");
    let (_, act) = one(&mut stage);
    assert!(matches!(act, Act::Joining(JoiningAct::KitRemove { .. })), "{act:?}");
}

#[test]
fn new_keys_take_the_root_passphrase_and_the_word() {
    let mut stage = on("H", OperatorRole::Admin);
    stage.keys("a<right><tab>/media/safe/root.key<tab>geheim<ctrl-s>");
    assert!(!stage.screen().contains("geheim"), "{}", stage.screen());
    stage.keys("rotate<enter>");
    let (_, act) = one(&mut stage);
    let Act::Staff(StaffAct::Rotate { roles, root, .. }) = act else { panic!("{act:?}") };
    assert_eq!((roles, root.0.expose_secret()), (vec![SheetRole::Tls], "geheim"));
}
