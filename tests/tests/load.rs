//! The load generator against a real center: a small cast, every answer verified, every payment in the books once.

use std::{fs, path::Path, process::Command};

use inkan_tests::programs::Programs;
use serde_json::Value;

/// Payments of each run.
const PAYMENTS: u64 = 40;

#[test]
fn a_small_load_is_settled_verified_and_accounted_for() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let closed = load(dir.path(), &["--keep"]);
    assert_eq!(closed.len(), 4, "two numbers of connections, one by one and pipelined");
    // The center's profile is used again: what the first runs paid stays in its books.
    let fixed = load(dir.path(), &["--rate", "100"]);
    assert_eq!(fixed.len(), 2);
    let left: Vec<_> =
        fs::read_dir(dir.path()).expect("a folder").flatten().map(|item| item.file_name()).collect();
    assert_eq!(left, ["runs.json"], "nothing is left behind");
    for run in closed.iter().chain(&fixed) {
        let count =
            |name: &str| run["answers"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {run}"));
        let settled = count("settled");
        assert!(settled >= PAYMENTS, "{run}");
        for other in ["refused", "busy", "problems", "unanswered"] {
            assert_eq!(count(other), 0, "{other}: {run}");
        }
        assert_eq!(run["receipts_verified"].as_u64(), Some(settled), "{run}");
        assert_eq!(run["notices"].as_u64(), Some(settled), "{run}");
        assert!(
            run["p50_ms"].as_f64() > Some(0.0) && run["p50_ms"].as_f64() <= run["p99_ms"].as_f64(),
            "{run}"
        );
    }
}

/// Runs the generator and reads what it wrote.
#[track_caller]
fn load(dir: &Path, more: &[&str]) -> Vec<Value> {
    let (file, programs) = (dir.join("runs.json"), Programs::find().expect("the programs are built"));
    let mut command: Command = programs.command("inkan-load");
    command.args([
        "--cards",
        "50",
        "--stores",
        "3",
        "--connections",
        "1,4",
        "--window",
        "8",
        "--sample",
        "1",
    ]);
    command.args(["--payments", &PAYMENTS.to_string(), "--dir"]).arg(dir).arg("--json").arg(&file).args(more);
    let output = command.output().expect("the generator starts");
    let (told, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{talk}");
    assert!(told.contains("each is in the center's books exactly once"), "{told}");
    serde_json::from_slice(&fs::read(&file).expect("written")).expect("JSON")
}
