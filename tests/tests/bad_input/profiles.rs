//! Profiles, settings and arguments that can't be used: exit codes and kinds that scripts can rely on, words that
//! people can.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use inkan_tests::programs::{Programs, Reply, call};

use crate::{
    house::House,
    words::{clear, printed, refused, refused_with},
};

/// The three programs, and a subcommand of each that needs a profile.
const NEED: [(&str, &[&str]); 3] =
    [("tui-center", &["serve", "--headless"]), ("tui-store", &["status"]), ("tui-member", &["history"])];

fn program(name: &str) -> Command {
    Programs::find().expect("the programs are built").command(name)
}

fn run(name: &str, profile: &str, arguments: &[&str]) -> Reply {
    let mut command = program(name);
    command.args(["--profile", profile, "--json"]).args(arguments);
    call(command).expect("it ends")
}

#[test]
fn a_profile_where_nothing_is_says_how_to_begin() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let nowhere = folder.path().join("nowhere");
    for (name, arguments) in NEED {
        let reply = run(name, nowhere.to_str().expect("a path"), arguments);
        let kind = if name == "tui-center" { "not-founded" } else { "not-joined" };
        refused(&reply, 1, kind);
        let advice = format!("{} {}", reply.body["message"], reply.body["hint"]);
        assert!(advice.contains(if name == "tui-center" { "init" } else { "join" }), "{advice}");
        assert!(!nowhere.exists(), "looking makes nothing");
    }
}

#[test]
fn a_name_that_is_no_profile_s_is_a_mistake_in_the_arguments() {
    for wrong in ["", ".hidden", "a b", "\u{1b}[2J", &"n".repeat(1_000)] {
        for (name, arguments) in NEED {
            refused_with(&run(name, wrong, arguments), 2, "usage", "no profile name");
        }
    }
}

#[test]
fn a_place_where_nothing_can_be_written_is_said_so() {
    let house = House::open();
    let file = house.file("a-file");
    fs::write(&file, "a file").expect("written");
    let sealed = house.file("sealed");
    fs::create_dir(&sealed).expect("a folder");
    fs::set_permissions(&sealed, fs::Permissions::from_mode(0o500)).expect("sealed");
    let mut places = vec![file.join("profile"), file.clone(), "/proc/inkan/profile".into()];
    // Root may write where others may not.
    if !rustix::process::geteuid().is_root() {
        places.push(sealed.join("profile"));
    }
    for place in places {
        for name in ["tui-member", "tui-store"] {
            let mut command = house.network.terminal(name, &place);
            command.args(["join", &house.network.invitation, "--no-phrase"]);
            for field in [
                "name=Mina",
                "address=Here",
                "born=1990-04-01",
                "email=a@b.example",
                "phone=+81 3 1234 5678",
                "trade_name=Shop",
                "contact=Mina",
                "account_holder=Mina",
                "bank_account=0009/202/7654321",
            ] {
                let store_only = ["trade", "conta", "accou", "bank_"].contains(&&field[..5]);
                let member_only = ["name=", "born="].contains(&&field[..5]);
                if (name == "tui-store" && !member_only) || (name == "tui-member" && !store_only) {
                    command.args(["--field", field]);
                }
            }
            let reply = call(command).expect("it ends");
            let kind = reply.body["kind"].as_str().unwrap_or_default();
            refused_with(
                &reply,
                1,
                kind,
                place.components().next_back().expect("a name").as_os_str().to_str().expect("text"),
            );
        }
    }
    let members = house.done(house.network.center(&["members"]));
    assert_eq!(
        members["members"].as_array().map(Vec::len),
        Some(0),
        "nobody joined without a place for the keys"
    );
}

#[test]
fn settings_that_nobody_knows_are_named_with_their_line() {
    let mut house = House::open();
    house.shop();
    house.member("mina", 0);
    assert_eq!(house.network.stop_store("shop").expect("it ends"), 0);
    assert_eq!(house.network.stop_center().expect("it ends"), 0);
    let secret = house.network.secret("service").display().to_string();
    let password = house.network.secret("a").display().to_string();
    for (name, profile, arguments) in [
        ("tui-member", "members/mina", vec!["history", "--password-a-file", &password]),
        ("tui-store", "stores/shop", vec!["status", "--password-a-file", &password]),
        ("tui-center", "center", vec!["serve", "--headless", "--service-passphrase-file", &secret]),
    ] {
        let file = house.file(profile).join("config.toml");
        let good = fs::read_to_string(&file).unwrap_or_default();
        for (bad, words) in [
            (format!("colour = \"blue\"\n{good}"), "colour"),
            (format!("this is not toml\n{good}"), "line 1"),
            (format!("\"\\u001b]0;pwned\\u0007\" = 1\n{good}"), "line 1"),
            (format!("a = {}{}\n{good}", "[".repeat(20_000), "]".repeat(20_000)), ""),
        ] {
            fs::write(&file, &bad).expect("written");
            let reply = run(name, house.file(profile).to_str().expect("a path"), &arguments);
            let kind = reply.body["kind"].as_str().unwrap_or_default();
            let told = refused_with(&reply, 1, kind, words);
            assert!(told.contains("config.toml") && told.contains("line 1"), "{told}");
        }
        fs::write(&file, [0xff, 0xfe]).expect("written");
        let reply = run(name, house.file(profile).to_str().expect("a path"), &arguments);
        let kind = reply.body["kind"].as_str().unwrap_or_default();
        refused_with(&reply, 1, kind, "config.toml");
        if good.is_empty() {
            fs::remove_file(&file).expect("removed");
        } else {
            fs::write(&file, good).expect("mended");
        }
    }
    house.network.start_center().expect("mended, it serves again");
}

#[test]
fn a_second_program_on_a_profile_is_told_who_has_it() {
    let mut house = House::open();
    house.shop();
    let pid = house.network.center_pid().expect("it runs").to_string();
    let secret = house.network.secret("service").display().to_string();
    let profile = house.network.center_profile().display().to_string();
    let second = run("tui-center", &profile, &["serve", "--headless", "--service-passphrase-file", &secret]);
    refused_with(&second, 1, "in-use", &pid);
    let rebuild = run("tui-center", &profile, &["books", "rebuild", "--service-passphrase-file", &secret]);
    let kind = rebuild.body["kind"].as_str().unwrap_or_default();
    refused_with(&rebuild, 1, kind, &pid);
    let mut store = house.network.terminal("tui-store", &house.network.store_profile("shop"));
    store.args(["serve", "--headless", "--listen", "127.0.0.1:0", "--catalogue"]).arg(house.catalogue());
    let second = call(store).expect("it ends");
    let kind = second.body["kind"].as_str().unwrap_or_default();
    refused_with(&second, 1, kind, "in use by process");
    house.overview();
    house.done(house.network.store("shop", &["status"]));
}

#[test]
fn secrets_that_are_not_to_be_had_are_said_so() {
    let house = House::open();
    house.member("mina", 0);
    let profile = house.network.member_profile("mina").display().to_string();
    let (empty, long, missing) = (house.file("empty"), house.file("long"), house.file("missing"));
    fs::write(&empty, "").expect("written");
    fs::write(&long, "x".repeat(100_000)).expect("written");
    let folder = house.file("").display().to_string();
    for (arguments, words) in [
        (vec!["history"], "--password-a-file"),
        (vec!["history", "--password-a-file", empty.to_str().expect("a path")], "empty"),
        (vec!["history", "--password-a-file", long.to_str().expect("a path")], "longer"),
        (vec!["history", "--password-a-file", missing.to_str().expect("a path")], "password A"),
        (vec!["history", "--password-a-file", &folder], "password A"),
        (vec!["history", "--password-a-fd", "99"], "password A"),
    ] {
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(house.network.programs().path("tui-member")).env("INKAN_TEST_KDF", "weak");
        command.args(["--profile", &profile, "--json"]).args(&arguments).stdin(std::process::Stdio::null());
        let reply = call(command).expect("it ends");
        refused_with(&reply, 1, "password", words);
    }
}

#[test]
fn arguments_that_make_no_sense_end_with_2_and_an_envelope() {
    for name in ["tui-center", "tui-store", "tui-member"] {
        for arguments in [
            &["--json", "dance"][..],
            &["--json", "--plain", "status"],
            &["--json", "status", "--colour"],
            &["--json", "status", "\u{1b}[2J"],
            &["--json"],
        ] {
            if name == "tui-center" && arguments == ["--json"] {
                continue;
            }
            let mut command = program(name);
            command.args(["--profile", "/nonexistent/profile"]).args(arguments);
            let reply = call(command).expect("it ends");
            assert_eq!(reply.code, 2, "{name} {arguments:?}: {} {}", reply.body, reply.talk);
            refused(&reply, 2, "usage");
        }
        let mut command = program(name);
        command.args(["status", "--colour", "\u{1b}[2J"]);
        let (code, said) = printed(command);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("--colour"), "{said}");
    }
    for (name, arguments) in [
        ("tui-member", &["items", "S-0000-0001-0"][..]),
        ("tui-member", &["items", "M-0000-0001-4"]),
        ("tui-member", &["items", "everything"]),
        ("tui-member", &["order", "S-0000-0001-4", "book=many"]),
        ("tui-member", &["withdraw", "abc"]),
        ("tui-store", &["refund", "T-0"]),
        ("tui-store", &["orders", "sleeping"]),
        ("tui-store", &["catalogue", "check", ".", "--currency", "XXX1"]),
        ("tui-center", &["desk-return", "T-x"]),
        ("tui-center", &["transactions", "--kind", "magic"]),
    ] {
        let reply = run(name, "/nonexistent/profile", arguments);
        refused(&reply, 2, "usage");
    }
}

#[test]
fn acts_on_a_center_that_make_no_sense_are_refused_in_words() {
    let mut house = House::open();
    let member = house.member("mina", 500);
    let center = |arguments: &[&str]| house.network.center(arguments).expect("it ends");
    let root = house.root();
    let frozen = center(&["freeze", &member, "--reason", ""]);
    if frozen.code != 0 {
        clear(frozen.body["message"].as_str().expect("a message"));
    }
    for arguments in [
        &["freeze", "M-0000-0099-5", "--reason", "none such"][..],
        &["freeze", "X-1", "--reason", "none such"],
        &["show", "T-0000-9999-9"],
        &["show", "nonsense"],
        &["report", "someday"],
        &["report", "9999-99-99"],
        &["desk-return", "T-0000-0001-4"],
        &["desk-assign", "T-0000-0001-4", "T-0000-0001-4"],
        &["freeze", &member, "--reason", &"x".repeat(100_000)],
    ] {
        let reply = center(arguments);
        let shown: Vec<&str> = arguments.iter().map(|argument| &argument[..argument.len().min(30)]).collect();
        assert!([1, 2].contains(&reply.code), "{shown:?}: {} {}", reply.body, reply.talk);
        let kind = reply.body["kind"].as_str().unwrap_or_else(|| panic!("{shown:?}: {}", reply.talk));
        refused(&reply, reply.code, kind);
    }
    let _ = root;
    house.overview();
    let mut nobody = house.network.programs().command("tui-center");
    nobody.arg("--profile").arg(house.network.center_profile()).args(["--json", "--as", "mallory"]);
    nobody.arg("--operator-passphrase-file").arg(house.network.secret("operator")).arg("members");
    let reply = call(nobody).expect("it ends");
    let kind = reply.body["kind"].as_str().unwrap_or_default();
    refused(&reply, 1, kind);
    assert_eq!(house.network.stop_center().expect("it ends"), 0);
    refused_with(&house.network.center(&["status"]).expect("it ends"), 1, "not-running", "does not run");
}
