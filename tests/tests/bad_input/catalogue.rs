//! Catalogues with mistakes: each is named with its line and column, and a running store keeps the last good one.

use std::{fs, os::unix::fs::symlink, path::Path};

use inkan_tests::programs::Programs;
use serde_json::Value;

use crate::{
    house::{House, text},
    words::{clear, harmless_json},
};

/// Has a catalogue's folder checked: the exit code, and the answer that stands beside it also when it is 1.
fn checked(folder: &Path) -> (i32, Value) {
    let mut command = Programs::find().expect("the programs are built").command("tui-store");
    command
        .arg("--profile")
        .arg(folder.join("no-profile"))
        .args(["--json", "catalogue", "check"])
        .arg(folder);
    let output = command.output().expect("it ends");
    let envelope: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    harmless_json("the check", &envelope);
    (output.status.code().unwrap_or(-1), envelope["data"].clone())
}

/// A folder with goods and no catalogue yet.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("note.txt"), "a note\n").expect("goods");
    folder
}

const GOOD: &str = "[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = 700\nfile = \"note.txt\"\n";

#[test]
fn every_mistake_is_named_with_line_and_column() {
    let folder = folder();
    fs::create_dir(folder.path().join("folder")).expect("a folder");
    fs::write(folder.path().join("empty.txt"), "").expect("an empty file");
    symlink("/etc/hostname", folder.path().join("link.txt")).expect("a link out of the folder");
    symlink("loop.txt", folder.path().join("loop.txt")).expect("a link to itself");
    let long = format!("title = \"{}\"", "x".repeat(10_000));
    let long_id = format!("id = \"{}\"", "x".repeat(10_000));
    let long_file = format!("file = \"{}\"", "x".repeat(10_000));
    for (from, to, line, words) in [
        ("price = 700", "price = ten", 4, ""),
        ("id = \"note\"", "id = \"note", 2, ""),
        ("title = \"A note\"", "title = 3", 3, ""),
        ("price = 700", "cost = 700", 4, "cost"),
        ("price = 700", "price = 0", 4, "price is 0"),
        ("price = 700", "price = -1", 4, "price"),
        ("price = 700", "price = 1.5", 4, "price"),
        ("price = 700", "price = \"12.50\"", 4, "price"),
        ("price = 700", "price = 9999999999999999", 4, "price"),
        ("price = 700", "price = 99999999999999999999999999", 4, ""),
        ("id = \"note\"", "id = \"\"", 2, "an id is"),
        ("id = \"note\"", "id = \"../note\"", 2, "an id is"),
        ("id = \"note\"", &long_id, 2, "an id is"),
        ("title = \"A note\"", "title = \"\"", 3, "title is empty"),
        ("title = \"A note\"", "title = \"\\u001b[2J\"", 3, "escape sequence"),
        ("title = \"A note\"", "title = \"\\u0007 bell\"", 3, "control characters"),
        ("title = \"A note\"", &long, 3, "at most"),
        ("price = 700", "price = 700\ndescription = \"\\u001b]0;pwned\\u0007\"", 5, "escape sequence"),
        ("price = 700", "price = 700\ntags = [\"\\u001b[2J\"]", 5, "escape sequence"),
        ("note.txt", "missing.txt", 5, "cannot be read"),
        ("note.txt", "../note.txt", 5, "within the folder"),
        ("note.txt", "folder/../../note.txt", 5, "within the folder"),
        ("note.txt", "/etc/hostname", 5, "within the folder"),
        ("note.txt", "link.txt", 5, "outside the folder"),
        ("note.txt", "loop.txt", 5, "cannot be read"),
        ("note.txt", "folder", 5, "not a file"),
        ("note.txt", "empty.txt", 5, "0 bytes"),
        ("note.txt", "", 5, "within the folder"),
        ("note.txt", "note.txt\\u0000", 5, ""),
        ("file = \"note.txt\"", &long_file, 5, ""),
    ] {
        let text = GOOD.replacen(from, to, 1);
        fs::write(folder.path().join("catalogue.toml"), text).expect("a catalogue");
        let (code, data) = checked(folder.path());
        let shown = &to[..to.len().min(60)];
        assert_eq!((code, &data["valid"]), (1, &Value::Bool(false)), "{shown}: {data}");
        let fault = &data["faults"][0];
        let message = clear(fault["message"].as_str().unwrap_or_else(|| panic!("{shown}: {data}")));
        assert!(message.contains(words), "{shown}: {message}");
        assert_eq!(fault["line"], line, "{shown}: {message}");
        let column = fault["column"].as_u64().unwrap_or_default();
        assert!(column >= 1, "{shown}: {message}");
        assert!(message.starts_with(&format!("catalogue.toml:{line}:{column}: ")), "{shown}: {message}");
    }
    fs::write(folder.path().join("catalogue.toml"), GOOD).expect("a catalogue");
    assert_eq!(checked(folder.path()).0, 0);
}

#[test]
fn all_mistakes_are_named_at_once_and_a_second_item_of_one_id_too() {
    let folder = folder();
    let twice = format!("{GOOD}{GOOD}{}", GOOD.replace("note.txt", "missing.txt").replace("700", "0"));
    fs::write(folder.path().join("catalogue.toml"), twice).expect("a catalogue");
    let (_, data) = checked(folder.path());
    let faults = data["faults"].as_array().expect("faults");
    let messages: Vec<&str> =
        faults.iter().map(|fault| clear(fault["message"].as_str().expect("words"))).collect();
    for words in ["the same id", "cannot be read", "price is 0"] {
        assert!(messages.iter().any(|message| message.contains(words)), "{words}: {messages:?}");
    }
}

#[test]
fn folders_that_are_no_catalogue_are_said_to_be_none() {
    let folder = folder();
    for (what, bytes) in [
        ("bytes that are no text", &b"\xff\xfe\x00title"[..]),
        ("nul bytes", &[0; 100]),
        ("a picture", b"\x89PNG\r\n\x1a\n"),
    ] {
        fs::write(folder.path().join("catalogue.toml"), bytes).expect("a catalogue");
        let (code, data) = checked(folder.path());
        assert_eq!(code, 1, "{what}");
        clear(data["faults"][0]["message"].as_str().unwrap_or_else(|| panic!("{what}: {data}")));
    }
    let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    fs::write(folder.path().join("catalogue.toml"), format!("item = {nested}")).expect("a catalogue");
    let (code, data) = checked(folder.path());
    assert_eq!(code, 1, "a nest of brackets");
    clear(data["faults"][0]["message"].as_str().expect("words"));
    fs::remove_file(folder.path().join("catalogue.toml")).expect("removed");
    let (code, data) = checked(folder.path());
    assert_eq!(code, 1);
    let words = clear(data["faults"][0]["message"].as_str().expect("words"));
    assert!(words.contains("catalogue.toml"), "{words}");
    // Something that would be waited on for ever if it were read.
    let pipe = folder.path().join("catalogue.toml");
    crate::house::pipe(&pipe);
    let (code, data) = checked(folder.path());
    assert_eq!(code, 1);
    clear(data["faults"][0]["message"].as_str().expect("words"));
}

#[test]
fn a_running_store_keeps_its_last_good_catalogue_and_says_what_is_wrong_with_the_new_one() {
    let mut house = House::open();
    let shop = house.shop();
    house.member("mina", 2_000);
    let file = house.catalogue().join("catalogue.toml");
    let good = fs::read_to_string(&file).expect("the catalogue");
    for bad in [good.replace("price = 700", "price = ten"), good.replace("A note", "\\u001b[2J")] {
        fs::write(&file, bad).expect("edited");
        let mut told = Vec::new();
        house
            .network
            .wait_for("the fault in words", |network| {
                let status = network.store("shop", &["status"])?.done()?;
                harmless_json("the store's status", &status);
                told = status["catalogue"]["faults"].as_array().cloned().unwrap_or_default();
                Ok(!told.is_empty())
            })
            .expect("the fault is told");
        assert!(clear(told[0].as_str().expect("words")).contains("catalogue.toml:"), "{told:?}");
        let order = house.order("mina", &shop);
        fs::write(&file, &good).expect("mended");
        house
            .network
            .wait_for("the mended catalogue", |network| {
                let status = network.store("shop", &["status"])?.done()?;
                Ok(status["catalogue"]["faults"].as_array().is_some_and(Vec::is_empty))
            })
            .expect("it is taken up");
        assert!(!order.is_empty());
    }
    // Goods that vanish after an order was paid are refunded, not half delivered: the shelf keeps its own copy.
    let order = house.order("mina", &shop);
    house.does("mina", &["pay", &order]);
    fs::remove_file(house.catalogue().join("note.txt")).expect("removed");
    house
        .network
        .wait_for("the notice", |network| {
            let fetched = network.member("mina", &["fetch", &order])?;
            Ok(fetched.code == 0)
        })
        .expect("the goods come from the shelf");
    assert_eq!(text(&house.does("mina", &["show", &order]), "/state"), "delivered");
}
