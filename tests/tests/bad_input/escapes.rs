//! Escape sequences in every text that a party types: none reaches a terminal, neither in what is printed nor on a
//! screen.

use inkan_tests::{network::secrets, screen::Screen};
use wire::id::Role;

use crate::{
    house::House,
    peer::Peer,
    stand_in::{Crook, EVIL, Trick},
    words::{harmful, harmless_json, printed},
};

/// A field's text, poisoned.
fn evil(text: &str) -> String {
    format!("{text}{EVIL}")
}

/// A center with a poisoned member, a poisoned store that is here, an honest member with a card, and the three
/// numbers.
async fn scene() -> (House, Crook, [String; 2]) {
    let house = House::open();
    let (name, address) = (evil("Evil Ada"), evil("1-2-3 Evil Street"));
    let typed = [("name", name.as_str()), ("address", &address), ("email", "a\u{1b}[2J@b.example")];
    let ada =
        Peer::join(&house.network, Role::Member, &typed).await.expect("its words are cleaned, not refused");
    let (trade, contact, holder) = (evil("Evil Books"), evil("Evil Bob"), evil("Evil Bob"));
    let typed = [("trade_name", trade.as_str()), ("contact", &contact), ("account_holder", &holder)];
    let books =
        Peer::join(&house.network, Role::Store, &typed).await.expect("its words are cleaned, not refused");
    let numbers = [ada.account.to_string(), books.account.to_string()];
    let crook = Crook::open(books, Trick::Evil).await;
    (house, crook, numbers)
}

/// Has a program print something in all three forms; nothing in any may harm.
#[track_caller]
fn in_every_form(house: &House, program: &str, profile: &str, arguments: &[&str], code: i32) -> String {
    let mut all = String::new();
    for form in [&[][..], &["--plain"], &["--json"]] {
        let mut command = house.in_words(program, profile, form);
        command.args(arguments);
        let (ended, said) = printed(command);
        assert_eq!(ended, code, "{program} {arguments:?}: {said}");
        if form == ["--json"] {
            harmless_json(
                program,
                &serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}")),
            );
        }
        all += &said;
    }
    assert!(!all.contains("pwned"), "a whole sequence goes, not its first byte only: {all}");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_center_prints_no_poison() {
    let (house, _crook, [member, store]) = scene().await;
    let center = |arguments: &[&str], code| in_every_form(&house, "tui-center", "center", arguments, code);
    let reason = evil("a reason");
    house.done(house.network.center(&["freeze", &member, "--reason", &reason]));
    house.network.bank().credit(700, &evil("fish"), &evil("Evil Payer"), None).expect("the bank tells it");
    house
        .network
        .wait_for("the desk or the log", |_| {
            let desk = house.network.center(&["desk"])?.done()?;
            let desk = desk["desk"].as_array().is_some_and(|items| !items.is_empty());
            Ok(desk || house.errors().iter().any(|words| words.contains("put aside")))
        })
        .expect("told");
    let members = center(&["members"], 0);
    assert!(members.contains("E… A…"), "the initials stay: {members}");
    // Whole names are shown for a reason, which may be poisoned as well.
    let shown = center(&["person", "reveal", &member, "--reason", &reason], 0);
    assert!(shown.contains("Evil Ada"), "the words stay: {shown}");
    let applications = house.done(house.network.center(&["applications"]));
    let number = crate::house::text(&applications, "/applications/0/number");
    assert!(center(&["stores"], 0).contains("Evil Books"));
    for arguments in [
        &["show", &member][..],
        &["applications"],
        &["application", &number],
        &["application", &number, "--reveal", "--reason", &reason],
        &["person", "export", &store, "--reason", &reason],
        &["post"],
        &["operators"],
        &["proposals"],
        &["show", &store],
        &["keys"],
        &["transactions"],
        &["desk"],
        &["errors"],
        &["report"],
        &["status"],
        &["members", "Evil"],
        &["books", "verify"],
    ] {
        center(arguments, 0);
    }
    center(&["show", &evil("M-")], 1);
    center(&["members", &evil("nobody")], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_member_prints_no_poison_of_a_store() {
    let (house, crook, [_, store]) = scene().await;
    house.member("mina", 1_000);
    let member =
        |arguments: &[&str], code| in_every_form(&house, "tui-member", "members/mina", arguments, code);
    assert!(member(&["stores"], 0).contains("Evil Books"));
    assert!(member(&["items", &store], 0).contains("A book"));
    member(&["item", &store, "book"], 0);
    let note = evil("thank you");
    let ordered = member(&["order", &store, "book", "--note", &note], 0);
    let order =
        ordered.split_whitespace().find(|word| word.len() == 64).expect("the order's hash").to_owned();
    house.does("mina", &["pay", &order]);
    member(&["fetch", &order], 0);
    for arguments in [&["show", &order][..], &["history"], &["status"], &["outbox"], &["doctor"]] {
        member(arguments, 0);
    }
    crook.play(Trick::Refuses);
    member(&["order", &store, "book"], 1);
    member(&["show", &evil("T-")], 1);
    member(&["receipt", "verify", &house.network.secret("a").display().to_string()], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_write_no_poison_to_their_terminals() {
    let (house, _crook, [_, store]) = scene().await;
    house.member("mina", 1_000);
    let screen = |program: &str, profile: &str, more: &[&str]| {
        let command = pty_process::blocking::Command::new(house.network.programs().path(program))
            .env("INKAN_TEST_KDF", "weak")
            .arg("--profile")
            .arg(house.file(profile))
            .args(more);
        Screen::start(command, 100, 32).expect("a screen")
    };
    let secret = house.network.secret("a");
    let member =
        screen("tui-member", "members/mina", &["--password-a-file", secret.to_str().expect("a path")]);
    member.wait("Home").expect("home");
    member.keys("s").expect("typed");
    member.wait("Evil Books").expect("the directory");
    member.keys("/Evil<enter><enter>").expect("typed");
    member.wait("A book").expect("the catalogue");
    member.keys("<enter>").expect("typed");
    member.wait("Of crooks").expect("the item");
    unharmed(&member);

    let center = screen("tui-center", "center", &["--as", "ada", "attach"]);
    center.wait("ada").expect("the sign-in");
    center.type_text(secrets::OPERATOR).expect("typed");
    center.keys("<enter>").expect("typed");
    center.wait("books balance").expect("the overview");
    for (key, shown) in
        [("2", "E… A…"), ("9", "A-00000"), ("3", "Evil Books"), ("5", "registration"), ("7", "Errors")]
    {
        center.keys(key).expect("typed");
        center.wait(shown).expect("the register");
    }
    center.keys("3<enter>").expect("typed");
    center.wait(&store).expect("the store in full");
    unharmed(&center);
}

/// Nothing of the poison was written, and what the screen shows holds no invisible character.
#[track_caller]
fn unharmed(screen: &Screen) {
    let raw = screen.raw();
    let raw = String::from_utf8_lossy(&raw);
    assert!(!raw.contains("pwned"), "a title was set");
    // An 8-bit control sequence introducer, and a right-to-left override: no program of ours writes them.
    for poison in ['\u{9b}', '\u{202e}', '\u{7}'] {
        assert!(!raw.contains(poison), "{poison:?} was written");
    }
    let shown = screen.text();
    assert!(!shown.contains(|c: char| harmful(c)), "{shown:?}");
}
