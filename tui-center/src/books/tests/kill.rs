//! The death of the program at any moment: a child appends and is killed, again and again.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use jiff::civil::Date;
use wire::{checkpoint::SignedCheckpoint, receipt::EntryKind};

use super::super::{Books, Reader, Record, Shelf, registers::Registers, sample};

const FOLDER: &str = "INKAN_BOOKS_CHILD";
const ROUNDS: usize = 12;
const SEGMENT: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(30);

fn founding() -> Vec<Record> {
    sample::Center::members(3).records
}

/// The child: appends for as long as it lives, and says after each append which checkpoint was signed. Its registers
/// follow.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut books = Books::open(Shelf::from(&dir).with_segments(SEGMENT), sample::key(), |_| ()).unwrap();
    let registers = Registers::open(&dir.join("registers"), books.reader()).unwrap();
    loop {
        let size = books.reader().size();
        let batch = sample::run(size..size + 1 + size % 7);
        let checkpoint = books.append(&batch).unwrap();
        registers.follow();
        println!("\ndurable {}", checkpoint.note().replace('\n', "|"));
    }
}

/// Whatever the child had answered when it was killed is there afterwards, under the same roots, and the registers
/// tell what the journal says.
#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    drop(Books::create(Shelf::from(dir.path()).with_segments(SEGMENT), sample::key(), &founding()).unwrap());
    let first = founding().len() as u64;
    let mut durable = first;
    for round in 0..ROUNDS {
        let answered = run_and_kill(dir.path(), 1 + round * 5);
        let mut entries = Vec::new();
        let books = Books::open(Shelf::from(dir.path()).with_segments(SEGMENT), sample::key(), |it| {
            entries.push(it.clone())
        })
        .unwrap();
        let size = books.reader().size();
        assert_eq!(entries[first as usize..], sample::run(first..size));
        for checkpoint in &answered {
            assert!(books.reader().contains(checkpoint.claimed()), "{checkpoint} was answered");
        }
        let newest = answered.last().unwrap().claimed().size;
        assert!(newest > durable && size >= newest, "{durable} < {newest} <= {size}");
        durable = size;
        assert_eq!(lapses(dir.path(), books.reader()), size - first);
    }
}

/// How many lapses the registers have counted, once they are up with the journal.
fn lapses(dir: &Path, reader: Reader) -> u64 {
    let size = reader.size();
    let registers = Registers::open(&dir.join("registers"), reader).unwrap();
    assert!(registers.wait(size, PATIENCE), "{:?}", registers.progress());
    let days = registers.days(Date::MIN, Date::MAX).unwrap();
    days.iter().filter(|row| row.kind == EntryKind::Lapse).map(|row| row.done).sum()
}

/// Lets the child answer so many times, kills it, and gives back what it had answered.
fn run_and_kill(dir: &Path, answers: usize) -> Vec<SignedCheckpoint> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1", &format!("{}::child", path())])
        .env(FOLDER, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answered = Vec::new();
    let mut read = |most: usize| {
        while answered.len() < most {
            let Some(Ok(line)) = lines.next() else { break };
            let Some(note) = line.strip_prefix("durable ") else { continue };
            answered.extend(SignedCheckpoint::parse(&note.replace('|', "\n")));
        }
    };
    read(answers);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said between our last reading and its death; a line that the death cut is no note.
    read(usize::MAX);
    assert!(answered.len() >= answers, "the child died early");
    answered
}

/// This module as the test harness names it: without the crate.
fn path() -> &'static str {
    module_path!().split_once("::").map_or("", |(_, path)| path)
}
