//! Programs as people get them can't be made to die.

use std::{env, fs, path::Path, process::Command};

#[test]
fn a_build_without_debug_assertions_holds_nothing_to_die_by() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace");
    let source = root.join("tui-kit/src/failpoint.rs");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let compile = |debug: &str, name: &str| {
        let object = dir.path().join(name);
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--crate-name",
            "failpoint",
            "--emit",
            "obj",
        ]);
        rustc.args(["-C", "opt-level=0", "-C", &format!("debug-assertions={debug}"), "-o"]).arg(&object);
        (rustc.arg(&source).output().expect("rustc runs"), object)
    };
    // With the assertions it needs the system's calls, which are not at hand here; without them it needs nothing.
    let (with, _) = compile("on", "with.o");
    assert!(String::from_utf8_lossy(&with.stderr).contains("rustix"), "{with:?}");
    let (without, object) = compile("off", "without.o");
    assert!(without.status.success(), "{}", String::from_utf8_lossy(&without.stderr));
    let object = fs::read(object).expect("an object");
    for word in ["INKAN_FAILPOINT", "kill"] {
        assert!(!object.windows(word.len()).any(|bytes| bytes == word.as_bytes()), "{word}");
    }
}
