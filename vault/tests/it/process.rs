//! Several processes and their deaths. A test starts this same program again with one test's name and a role in the
//! environment; without the role that test does nothing of its own.

use std::{
    env,
    io::{BufRead, BufReader, Lines, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use secrecy::{ExposeSecret, SecretString};
use vault::{Draft, Error, Finding, State, Surroundings, Vault};
use wire::{admission::VaultPolicy, payload::KeyRole, time::Timestamp};

use crate::bench::{Bench, HISTORY, a, b, telegram};

const ROLE: &str = "INKAN_VAULT_TEST_ROLE";
const PROFILE: &str = "INKAN_VAULT_TEST_PROFILE";

/// Another process over the same profile, ended when dropped.
struct Other {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Other {
    /// Starts a role, directly or through a shell line that ends in `exec "$0" "$@"`.
    fn start(role: &str, bench: &Bench, shell: Option<&str>) -> Self {
        let program = env::current_exe().unwrap();
        let mut command = match shell {
            Some(line) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", line]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut child = command
            .args(["--exact", "process::plays_its_role", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(PROFILE, &bench.profile)
            .env("INKAN_TEST_KDF", "weak")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// The next line that the role said.
    fn line(&mut self) -> String {
        let said = self
            .said
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("> ").map(str::to_owned));
        said.expect("the other process says something before it ends")
    }

    /// Ends it as no program can refuse, waits until it is gone, and returns what it had still said.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let rest = self.said.by_ref().map_while(Result::ok);
        rest.filter_map(|line| line.strip_prefix("> ").map(str::to_owned)).collect()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says a line to the process that started this one. The leading line break ends what the test harness has begun.
fn say(text: impl std::fmt::Display) {
    println!("\n> {text}");
}

#[test]
fn plays_its_role() {
    let (Ok(role), Ok(profile)) = (env::var(ROLE), env::var(PROFILE)) else { return };
    let profile = PathBuf::from(profile);
    match role.as_str() {
        "holder" => hold(&profile),
        "payer" => pay(&profile),
        "filler" => fill(&profile),
        "changer" => change(&profile),
        "rotator" => rotate(&profile),
        "closer" => close(&profile),
        "pauper" => open_poor(&profile),
        other => panic!("unknown role {other}"),
    }
}

fn open(profile: &Path) -> Vault {
    Vault::open(profile, &a(), Surroundings::system()).unwrap().vault
}

fn hold(profile: &Path) {
    let _vault = open(profile);
    say("held");
    // Until the other side closes its end.
    let _ = std::io::stdin().read(&mut [0]);
}

/// Pays without end, saying each step once it is reported as kept.
fn pay(profile: &Path) {
    let mut vault = open(profile);
    let start = vault.outbox().items().count() as u64;
    for number in start.. {
        let ready = vault.put(telegram(number), vec![7; 300], vec![]).unwrap();
        say(format!("put {number}"));
        let parcel = vault.depart(ready).unwrap();
        say(format!("left {number}"));
        vault.close(parcel.id(), vec![1], vec![Draft::new(HISTORY, &number).unwrap()]).unwrap();
        say(format!("closed {number}"));
    }
}

/// Appends until the disk takes no more, then says what is kept.
fn fill(profile: &Path) {
    let mut vault = open(profile);
    let mut kept = 0;
    let error = loop {
        match vault.append(HISTORY, &vec![3u8; 3000]) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    say(&error);
    say(kept);
    // A smaller one may still fit; the vault goes on.
    say(vault.append(HISTORY, "small").is_ok());
    say(vault.read(3).is_ok());
}

/// Closes a telegram whose answer is too large for what the disk still takes, and says what is kept.
fn close(profile: &Path) {
    let mut vault = open(profile);
    let parcel = vault.post(telegram(1), vec![], vec![]).unwrap();
    let history = Draft::new(HISTORY, "bought").unwrap();
    say(vault.close(parcel.id(), vec![0; 100_000], vec![history]).unwrap_err());
    say(vault.outbox().open_count());
}

/// Opens and signs where there is little memory, and says what was found.
fn open_poor(profile: &Path) {
    let mut opening = Vault::open(profile, &a(), Surroundings::system()).unwrap();
    opening.findings.retain(|finding| *finding != Finding::NotLocked);
    say(opening.findings.iter().map(ToString::to_string).collect::<String>());
    say(opening.vault.unlock_signing(&b()).is_ok());
}

/// Changes both passwords to and fro without end.
fn change(profile: &Path) {
    let mut vault = open(profile);
    let (other_a, other_b) = ("another outer one".into(), "another inner one".into());
    loop {
        vault.change_password_a(&a(), &other_a).unwrap();
        say("A");
        vault.change_password_b(&b(), &other_b).unwrap();
        say("B");
        vault.change_password_a(&other_a, &a()).unwrap();
        vault.change_password_b(&other_b, &b()).unwrap();
        say("back");
    }
}

/// Puts one new signature key in force after the other without end, each with the answer to its telegram.
fn rotate(profile: &Path) {
    let mut vault = open(profile);
    let start = vault.outbox().items().count() as u64;
    for number in start.. {
        if vault.waiting(KeyRole::Signature).is_none() {
            vault.prepare_signature_key(&b(), None).unwrap();
        }
        say("waits");
        let parcel = vault.post(telegram(number), vec![], vec![]).unwrap();
        let turn = vault.in_force(KeyRole::Signature).unwrap();
        vault.close(parcel.id(), vec![], vec![turn]).unwrap();
        say(format!("in force {}", vault.verification_key().unwrap()));
    }
}

#[test]
fn a_second_process_is_told_who_holds_the_vault() {
    let bench = Bench::with_vault();
    let mut holder = Other::start("holder", &bench, None);
    assert_eq!(holder.line(), "held");
    let pid = holder.child.id();
    let error = bench.try_open(&a()).unwrap_err();
    assert!(matches!(error, Error::Held { pid: Some(found), .. } if found == pid));
    assert!(error.to_string().contains(&format!("in use by process {pid}")), "{error}");
    holder.kill();
    bench.open();
}

#[test]
fn killed_at_any_moment_nothing_kept_is_lost() {
    let bench = Bench::with_vault();
    for round in 0..12 {
        let mut payer = Other::start("payer", &bench, None);
        let mut last = String::new();
        for _ in 0..1 + round * 3 % 17 {
            last = payer.line();
        }
        if let Some(later) = payer.kill().pop() {
            last = later;
        }
        let (step, number) = last.split_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        let opening = bench.open();
        let outbox = opening.vault.outbox();
        let state = &outbox.item(&telegram(number).id()).expect("what was said to be kept is there").state;
        match step {
            "put" => {}
            "left" => assert!(!matches!(state, State::Prepared)),
            _ => assert!(matches!(state, State::Closed { .. })),
        }
        let closed = outbox.items().filter(|item| !item.state.is_open()).count();
        let history: std::collections::BTreeSet<u64> =
            opening.records.iter().map(|record| record.decode("entry").unwrap()).collect();
        for item in outbox.items().filter(|item| !item.state.is_open()) {
            let number = u64::from_le_bytes(item.telegram.bytes[..].try_into().unwrap());
            assert!(history.contains(&number), "an end without its history");
        }
        assert!(closed <= history.len());
        assert!(outbox.items().count() as u64 <= number + 2, "nothing is doubled");
    }
}

#[test]
fn killed_while_passwords_change_some_pair_always_opens() {
    let bench = Bench::with_vault();
    let (other_a, other_b) = ("another outer one".into(), "another inner one".into());
    for round in 0..6 {
        let mut changer = Other::start("changer", &bench, None);
        for _ in 0..1 + round % 4 {
            changer.line();
        }
        drop(changer);
        let surroundings = hours_apart(&bench, 1 + round * 10);
        let try_a = |password| Vault::open(&bench.profile, password, surroundings.clone()).ok();
        let (opened_by, opening) = [&a(), &other_a]
            .map(|password| (password.clone(), try_a(password)))
            .into_iter()
            .find_map(|(password, opening)| opening.map(|opening| (password, opening)))
            .expect("one of the two passwords A opens it");
        let mut vault = opening.vault;
        let signs_by =
            [&b(), &other_b].into_iter().find(|password| vault.unlock_signing(password).is_ok()).cloned();
        let signs_by = signs_by.expect("one of the two passwords B signs");
        if !same(&opened_by, &a()) {
            vault.change_password_a(&opened_by, &a()).unwrap();
        }
        if !same(&signs_by, &b()) {
            vault.change_password_b(&signs_by, &b()).unwrap();
        }
    }
}

#[test]
fn killed_while_keys_turn_the_one_reported_signs() {
    let bench = Bench::with_vault();
    for round in 0..8 {
        let mut rotator = Other::start("rotator", &bench, None);
        let mut said = vec![rotator.line()];
        for _ in 0..round * 5 % 7 {
            said.push(rotator.line());
        }
        said.extend(rotator.kill());
        let opening = Vault::open(&bench.profile, &a(), hours_apart(&bench, 1 + round * 10)).unwrap();
        let mut vault = opening.vault;
        let (now, waits) = (vault.verification_key().unwrap(), vault.waiting(KeyRole::Signature));
        match said.last().and_then(|line| line.strip_prefix("in force ")) {
            Some(reported) => assert_eq!(now.to_string(), reported),
            None => assert!(waits.is_some() || said.iter().all(|line| !line.ends_with(&now.to_string()))),
        }
        assert_eq!(vault.unlock_signing(&b()).unwrap().verification_key(), now);
        if waits.is_some() {
            assert_eq!(vault.unlock_waiting_signing(&b()).ok().map(|hand| hand.verification_key()), waits);
        }
        let kept_old = opening.findings.iter().any(|finding| matches!(finding, Finding::OldKeys { .. }));
        assert!(!kept_old, "what the killed program had not yet removed is removed now");
    }
}

/// An attempt cut short counts as failed: here each try comes an hour after the one before it.
fn hours_apart(bench: &Bench, first: u64) -> Surroundings {
    let hour = AtomicU64::new(first);
    let now = move || Timestamp::now().plus_ms(3_600_000 * hour.fetch_add(1, Ordering::SeqCst));
    Surroundings { now: Arc::new(now), ..bench.surroundings.clone() }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

#[test]
fn a_full_disk_is_said_and_changes_nothing() {
    let bench = Bench::with_vault();
    // A file-size limit makes writes fail like a full disk once the signal for it is ignored; units of 512 bytes.
    let mut filler = Other::start("filler", &bench, Some("trap '' XFSZ; ulimit -f 60; exec \"$0\" \"$@\""));
    let error = filler.line();
    assert!(error.starts_with("writing to ") && error.contains("vault.inkan failed"), "{error}");
    let kept: usize = filler.line().parse().unwrap();
    assert!(kept > 2);
    assert_eq!((filler.line(), filler.line()), ("true".to_owned(), "true".to_owned()));
    filler.child.wait().unwrap();
    let opening = bench.open();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    assert_eq!(opening.records.len(), kept + 1);
}

#[test]
fn what_follows_from_an_answer_is_kept_before_the_end_is() {
    let bench = Bench::with_vault();
    let mut closer = Other::start("closer", &bench, Some("trap '' XFSZ; ulimit -f 60; exec \"$0\" \"$@\""));
    let error = closer.line();
    assert!(error.starts_with("writing to "), "{error}");
    assert_eq!(closer.line(), "1", "it waits");
    closer.child.wait().unwrap();
    let opening = bench.open();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    assert_eq!(opening.records.len(), 1, "in two synced writes, so that no end outlives its history");
    assert_eq!(opening.vault.outbox().open_count(), 1);
}

#[test]
fn a_center_that_asks_for_more_memory_than_there_is_shuts_no_vault() {
    let bench = Bench::new();
    bench.create().keep_policy(VaultPolicy { memory_kib: 1 << 20, passes: 1 }).unwrap();
    let mut pauper = Other::start("pauper", &bench, Some("ulimit -v 900000; exec \"$0\" \"$@\""));
    let found = pauper.line();
    assert!(
        found.starts_with("the passwords are sealed with less effort than the center asks for"),
        "{found}"
    );
    assert!(found.contains("1048576 KiB of memory"), "{found}");
    assert_eq!(pauper.line(), "true", "it signs all the same");
}

#[test]
fn nobody_else_can_read_the_files() {
    let bench = Bench::with_vault();
    let mut vault = bench.open().vault;
    vault.change_password_b(&b(), &"another inner one".into()).unwrap();
    for entry in std::fs::read_dir(&bench.profile).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
    assert_eq!(std::fs::metadata(&bench.profile).unwrap().permissions().mode() & 0o777, 0o700);
}
