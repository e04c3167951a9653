//! What newcomers type: too long, missing, foreign, of the wrong form.

use inkan_tests::programs::Reply;
use wire::{id::Role, message::ProblemKind};

use crate::{
    house::House,
    peer::{Peer, problem},
    words::{clear, refused, refused_with},
};

/// A member's fields as they should be, with one replaced or left out.
fn fields(key: &str, value: Option<&str>) -> Vec<String> {
    let honest = [
        ("name", "Mina of the Garden"),
        ("address", "1-2-3 Sakura, Setagaya, Tokyo"),
        ("born", "1990-04-01"),
        ("email", "mina@garden.example"),
        ("phone", "+81 3 1234 5678"),
    ];
    let filled = honest.iter().filter_map(|(own, honest)| {
        let value = if *own == key { value? } else { honest };
        Some(format!("{own}={value}"))
    });
    let mut filled: Vec<String> = filled.collect();
    if !honest.iter().any(|(own, _)| *own == key) {
        filled.extend(value.map(|value| format!("{key}={value}")));
    }
    filled
}

fn join(house: &House, fields: &[String]) -> Reply {
    let mut arguments = vec!["join", &house.network.invitation];
    for field in fields {
        arguments.extend(["--field", field]);
    }
    house.says("mina", &arguments)
}

#[test]
fn every_wrong_field_is_named_and_nothing_is_entered() {
    let house = House::open();
    let root = house.root();
    let long = "x".repeat(10_000);
    let longer = "寿限無".repeat(10_000);
    for (key, value, words) in [
        ("name", Some(long.as_str()), "Name"),
        ("name", Some(&longer), "Name"),
        ("name", Some(""), "Name is missing"),
        ("name", Some("   "), "Name is missing"),
        ("name", Some("\u{1b}[2J\u{202e}\u{7}"), "Name is missing"),
        ("name", None, "Name is missing"),
        ("address", Some(&long), "Address"),
        ("born", Some("yesterday"), "Date of birth"),
        ("born", Some("1990-02-30"), "Date of birth"),
        ("email", Some("nobody"), "E-mail"),
        ("phone", Some("call me"), "Phone"),
        ("shoe_size", Some("44"), "shoe_size"),
        (&long, Some("44"), "no field"),
        ("\u{1b}]0;pwned\u{7}", Some("44"), "no field"),
    ] {
        let shown: String = key.chars().take(20).collect();
        let reply = join(&house, &fields(key, value));
        let kind = reply.body["kind"].as_str().unwrap_or_default();
        let told = refused(&reply, 1, kind);
        assert!(told.contains(words), "{shown:?}: {told}");
    }
    let usage = house.says("mina", &["join", &house.network.invitation, "--field", "name"]);
    assert_eq!(usage.code, 2, "{} {}", usage.body, usage.talk);
    assert_eq!(house.root(), root, "nothing was entered");
    let applied = join(&house, &fields("", None));
    assert_eq!(applied.code, 0, "the same profile applies once the fields are right: {}", applied.body);
    refused_with(&join(&house, &fields("", None)), 1, "refused", "was not asked back");
    let admitted = house.network.admission_mail("mina@garden.example").expect("a mail");
    house.network.register(&admitted, |arguments| house.network.member("mina", arguments)).expect("joined");
    refused_with(&join(&house, &fields("", None)), 1, "not-possible", "has joined already");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_center_checks_what_a_terminal_did_not() {
    let house = House::open();
    let root = house.root();
    let long = "x".repeat(10_000);
    for (role, key, value) in [
        (Role::Member, "name", long.as_str()),
        (Role::Member, "name", ""),
        (Role::Member, "name", "\u{1b}[2J\u{202e}"),
        (Role::Member, "address", &long),
        (Role::Member, "born", "0000-00-00"),
        (Role::Member, "email", "a b@c.d"),
        (Role::Member, "phone", "1"),
        (Role::Store, "trade_name", &long),
        (Role::Store, "bank_account", "DE88370400440532013000"),
        (Role::Store, "bank_account", "../../etc/passwd"),
        (Role::Store, "bic", "\u{1b}[2J"),
        (Role::Store, "trade_name", "two\nlines"),
    ] {
        let outcome = Peer::join(&house.network, role, &[(key, value)]).await.map(|peer| peer.account);
        if ["bic", "trade_name"].contains(&key) && value.len() < 100 {
            outcome.expect("a BIC is optional, and nothing is left of this one; a line end is cleaned away");
            continue;
        }
        assert!(outcome.is_err(), "{key} was taken with {value:?}");
        problem(outcome, ProblemKind::Malformed);
        assert_eq!(house.root(), root, "nothing was entered for {key}");
    }
}

#[test]
fn passwords_that_do_not_fit_make_no_vault() {
    let house = House::open();
    for (secret, words) in [("short", "8 characters"), ("", "empty"), (&"x".repeat(2_000), "longer")] {
        let file =
            inkan_tests::programs::secret_file(house.file("").as_path(), "secret", secret).expect("a file");
        let mut command = house.network.programs().command("tui-member");
        command.arg("--profile").arg(house.network.member_profile("mina")).arg("--json");
        command.arg("--password-a-file").arg(&file).arg("--password-b-file").arg(house.network.secret("b"));
        command.args(["join", &house.network.invitation]);
        for field in fields("", None) {
            command.args(["--field", &field]);
        }
        let reply = inkan_tests::programs::call(command).expect("it ends");
        assert_eq!(reply.code, 1, "{} {}", reply.body, reply.talk);
        let told = clear(reply.body["message"].as_str().expect("a message"));
        assert!(told.contains("password A") && told.contains(words), "{told}");
    }
    assert!(!house.network.member_profile("mina").join("vault.inkan").exists());
    assert!(
        house.done(house.network.center(&["members"]))["members"].as_array().expect("members").is_empty()
    );
}
