//! Who may know whom, and other rules of the house that a machine can hold.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::Value;

/// What each room may know of the others.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("ledger", &["wire"]),
    ("vault", &["wire"]),
    ("tui-kit", &[]),
    ("tui-member", &["wire", "vault", "tui-kit"]),
    ("tui-store", &["wire", "vault", "tui-kit"]),
    ("tui-center", &["wire", "ledger", "tui-kit"]),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace")
}

#[test]
fn rooms_know_only_whom_they_may() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let named: BTreeMap<&str, &Value> =
        packages.iter().map(|package| (package["name"].as_str().expect("a name"), package)).collect();
    for (room, allowed) in MAY_KNOW {
        let dependencies = named[room]["dependencies"].as_array().expect("dependencies");
        for dependency in dependencies {
            let name = dependency["name"].as_str().expect("a name");
            let test_only = dependency["kind"] == "dev";
            assert!(
                !named.contains_key(name) || allowed.contains(&name) || test_only,
                "{room} may not know {name}"
            );
        }
    }
    for quiet in ["ledger", "vault"] {
        let wire = named[quiet]["dependencies"].as_array().expect("dependencies");
        let wire =
            wire.iter().find(|dependency| dependency["name"] == "wire" && dependency["kind"].is_null());
        let wire = wire.expect("it knows wire");
        assert_eq!(wire["uses_default_features"], false, "{quiet} takes wire without its network features");
        assert!(
            !wire["features"].as_array().expect("features").contains(&"net".into()),
            "{quiet} has no network"
        );
    }
}

#[test]
fn only_the_codec_names_bincode_on_the_wire() {
    each_source("wire/src", &mut |path, text| {
        let named = text.lines().any(|line| line.contains("bincode::"));
        assert!(!named || path.ends_with("codec.rs"), "{} names bincode", path.display());
    });
}

#[test]
fn rules_and_views_read_no_clock_and_do_no_io() {
    each_source("ledger/src", &mut |path, text| {
        let production = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in
            ["std::fs", "std::net", "std::time", "SystemTime", "Instant::now", "Timestamp::now", "tokio"]
        {
            assert!(!production.contains(word), "{} uses {word}", path.display());
        }
    });
}

fn each_source(under: &str, look: &mut dyn FnMut(&Path, &str)) {
    fn walk(directory: &Path, look: &mut dyn FnMut(&Path, &str)) {
        for entry in fs::read_dir(directory).expect("the directory is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, look);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                look(&path, &fs::read_to_string(&path).expect("source is text"));
            }
        }
    }
    walk(&root().join(under), look);
}
