//! What a message for people must be.

use std::process::{Command, Output};

use inkan_tests::programs::Reply;
use serde_json::Value;

/// Asserts that words are one sentence that a person can read: one line, no control characters, nothing of the
/// program's insides. Gives them back.
pub(crate) fn clear(words: &str) -> &str {
    let says = |what: &str| format!("{what} in the message: {words:?}");
    assert!(words.chars().any(char::is_alphabetic), "{}", says("no words"));
    assert!(words.chars().count() <= 600, "{}", says("far too many words"));
    assert!(!words.contains('\n'), "{}", says("several lines"));
    assert!(!words.chars().any(harmful), "{}", says("control characters"));
    for inside in [
        "panicked",
        "RUST_BACKTRACE",
        "backtrace",
        "src/",
        ".rs:",
        "Err(",
        "Ok(",
        "Some(",
        "None",
        "unwrap",
        "Error {",
        "Error(",
        "kind:",
        "{ ",
        "()",
    ] {
        assert!(!words.contains(inside), "{}", says(inside));
    }
    for word in own(words).split(|c: char| !c.is_alphanumeric() && c != ':' && c != '_') {
        assert!(!is_type(word), "{}", says(word));
        let path = word.split_once("::").is_some_and(|(before, _)| before.contains(char::is_alphabetic));
        assert!(!path, "{}", says(word));
    }
    words
}

/// Asserts that a subcommand was refused with this exit code and kind, in clear words and quietly, and gives the words.
pub(crate) fn refused(reply: &Reply, code: i32, kind: &str) -> String {
    assert_eq!(reply.code, code, "{} {}", reply.body, reply.talk);
    assert_eq!(reply.body["kind"], kind, "{}", reply.body);
    assert_eq!(reply.talk, "", "with --json the words stand in the envelope");
    let words = reply.body["message"].as_str().unwrap_or_else(|| panic!("no message in {}", reply.body));
    if let Some(hint) = reply.body["hint"].as_str() {
        clear(hint);
    }
    clear(words).to_owned()
}

/// As [`refused`], with words that the message must hold.
#[track_caller]
pub(crate) fn refused_with(reply: &Reply, code: i32, kind: &str, part: &str) -> String {
    let words = refused(reply, code, kind);
    assert!(words.contains(part), "“{part}” is not in: {words}");
    words
}

/// Characters that change a terminal's state or deceive a reader; line ends are judged elsewhere.
pub(crate) fn harmful(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

/// Asserts that nothing in a text can harm a terminal.
#[track_caller]
pub(crate) fn harmless(what: &str, text: &str) {
    if let Some(at) = text.find(harmful) {
        let from = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
        panic!("{what} holds {:?} after {:?}", text[at..].chars().next(), &text[from..at]);
    }
}

/// Asserts that nothing in a JSON value can harm a terminal once it is decoded.
#[track_caller]
pub(crate) fn harmless_json(what: &str, value: &Value) {
    match value {
        Value::String(text) => harmless(what, text),
        Value::Array(values) => values.iter().for_each(|value| harmless_json(what, value)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            harmless(what, name);
            harmless_json(what, value);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Runs a command and asserts that its output on both streams can harm nobody. Its output is given back.
#[track_caller]
pub(crate) fn printed(mut command: Command) -> (i32, String) {
    let shown = format!("{:?}", command.get_args().collect::<Vec<_>>());
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let (stdout, stderr) = (utf8(&shown, stdout), utf8(&shown, stderr));
    harmless(&shown, &stdout);
    harmless(&shown, &stderr);
    assert!(!stderr.contains("panicked"), "{shown}: {stderr}");
    (status.code().unwrap_or(-1), stdout + &stderr)
}

fn utf8(what: &str, bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| panic!("{what} printed what is no text: {error}"))
}

/// The program's own words: what it quotes, and paths, are another's.
fn own(words: &str) -> String {
    let mut own = String::new();
    let mut quoted = 0_u32;
    for c in words.chars() {
        match c {
            '“' => quoted += 1,
            '”' => quoted = quoted.saturating_sub(1),
            _ if quoted == 0 => own.push(c),
            _ => {}
        }
    }
    let own = own.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    own.split_whitespace().filter(|word| !word.contains('/')).collect::<Vec<_>>().join(" ")
}

/// Whether a word looks like the name of a Rust type or variant: `WrongPassword`.
fn is_type(word: &str) -> bool {
    let mut humps = 0;
    let mut before = None;
    for c in word.chars() {
        if c.is_uppercase() && !before.is_some_and(char::is_uppercase) {
            humps += 1;
        }
        before = Some(c);
    }
    humps >= 2 && word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase)
}

#[test]
fn words_are_judged() {
    for good in [
        "password A is wrong; the next attempt is possible in 1 s",
        "nobody could be reached: 127.0.0.1:7070: nobody listens there; [::1]:7071: nobody listens there",
        "catalogue.toml:3:1: item “a”: the file “../x” must be named by a path within the folder, without “..”",
        "T-0000-0012-3 was already paid",
    ] {
        clear(good);
    }
    for bad in ["", "WrongPassword", "io: Os { code: 2 }", "thread 'main' panicked", "a\u{1b}[2J", "a\nb"] {
        let judged = std::panic::catch_unwind(|| clear(bad).len());
        assert!(judged.is_err(), "{bad:?} passes as clear");
    }
}
