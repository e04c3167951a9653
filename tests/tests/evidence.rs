//! What outsiders can check without trusting the center, with the real programs: receipts as files and as text for
//! OpenSSH, checkpoints by the hour, evidence of a contradiction; and what the parties' bytes do not tell.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use color_eyre::eyre::{Result, ensure, eyre};
use inkan_tests::network::Network;
use serde_json::Value;

/// What the book costs, in yen.
const PRICE: u64 = 600;
/// Words that only the two who trade may know.
const TITLE: &str = "A field guide to lanterns";

#[test]
fn receipts_convince_outsiders_and_one_changed_digit_does_not() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let network = open(folder.path())?;
    let number = buy(&network)?;
    let invitation = network.invitation.clone();

    for (who, shop) in [("member", false), ("store", true)] {
        let call = |args: &[&str]| match shop {
            true => network.store("sakura", args),
            false => network.member("hanako", args),
        };
        let file = folder.path().join(format!("{who}.json")).display().to_string();
        network.wait_for("the receipt", |_| {
            let args = ["receipt", "export", &number, "--out", &file, "--with-order"];
            Ok(call(&args)?.code == 0)
        })?;
        let verified = call(&["receipt", "verify", &file, "--invitation", &invitation])?.done()?;
        let names: Vec<&str> = checks(&verified).map(|check| check["name"].as_str().unwrap_or("")).collect();
        for name in ["key sheet", "leaf", "opened part", "checkpoint", "proof", "entry", "offer", "order"] {
            ensure!(names.contains(&name), "{who} misses {name}: {names:?}");
        }
        let order = checks(&verified).find(|check| check["name"] == "order");
        ensure!(
            order.is_some_and(|order| order["words"].as_str().unwrap_or("").contains(TITLE)),
            "{verified}"
        );

        let text = folder.path().join(format!("{who}.txt"));
        let exported =
            call(&["receipt", "export", &number, "--ssh", "--out", &text.display().to_string()])?.done()?;
        let said = fs::read_to_string(&text)?;
        ensure!(said.contains(&format!("Amount:   {PRICE} JPY\n")) && said.contains(&number), "{said}");
        ensure!(said.contains("Garden Club") && !said.contains(TITLE), "{said}");
        ensure!(keygen(&exported, &said)?, "ssh-keygen refuses what the center signed");
        let wrong = said.replace(&format!("{PRICE} JPY"), "601 JPY");
        ensure!(wrong != said && !keygen(&exported, &wrong)?, "ssh-keygen accepts a changed digit");
        let other = said.replace(&number, "T-000001-1");
        ensure!(!keygen(&exported, &other)?, "ssh-keygen accepts another number");
    }
    Ok(())
}

#[test]
fn evidence_files_are_checked_offline() -> Result<()> {
    use wire::{
        bounded::List,
        checkpoint::{Checkpoint, SignedCheckpoint},
        evidence::{Answered, Evidence},
        id::Digest,
        key::SigningKey,
        sheet::{Invitation, KeySheet, SheetKey, SheetRole},
        text::Line,
        time::Timestamp,
    };
    let folder = tempfile::tempdir()?;
    let (root, key) = (SigningKey::generate(), SigningKey::generate());
    let listed =
        SheetKey { role: SheetRole::Checkpoint, key: key.verification_key(), from_size: 0, until_size: None };
    let sheet = KeySheet {
        number: 1,
        center: root.verification_key().center(),
        log_origin: Line::new("liar.example/log")?,
        keys: List::first([listed]),
        breaks: List::default(),
    };
    let note = |byte| {
        let checkpoint = Checkpoint { origin: sheet.log_origin.clone(), size: 7, root: Digest([byte; 32]) };
        SignedCheckpoint::sign_hour(&checkpoint, "2026-11-22T22".parse().unwrap(), &key)
    };
    let evidence = Evidence::new(sheet.sign(&root), note(1), note(2), Answered::NotAsked, Timestamp(5));
    let file = folder.path().join("evidence.json");
    fs::write(&file, serde_json::to_string_pretty(&evidence)?)?;
    let invitation =
        Invitation { root: root.verification_key(), addresses: List::first([Line::new("127.0.0.1:1")?]) };
    let programs = inkan_tests::programs::Programs::find()?;
    for program in ["tui-member", "tui-store"] {
        let check = |file: &Path| -> Result<inkan_tests::programs::Reply> {
            let mut command = programs.command(program);
            command.arg("--profile").arg(folder.path().join("nobody")).arg("--json");
            command.args(["evidence", "verify"]).arg(file);
            command.args(["--invitation", &invitation.to_string()]);
            inkan_tests::programs::call(command)
        };
        let reply = check(&file)?;
        ensure!(reply.code == 0, "{program} does not believe two signatures of the center: {}", reply.code);
        let same = Evidence::new(sheet.sign(&root), note(1), note(1), Answered::NotAsked, Timestamp(5));
        let harmless = folder.path().join("harmless.json");
        fs::write(&harmless, serde_json::to_string(&same)?)?;
        ensure!(check(&harmless)?.code == 1, "{program} convicts a center that says one thing twice");
    }
    Ok(())
}

#[test]
fn no_party_keeps_what_is_not_its_business() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = open(folder.path())?;
    let number = buy(&network)?;
    let status = network.member("hanako", &["status"])?.done()?;
    let member = text(&status, "/member")?.to_owned();
    let card = text(&network.member("hanako", &["cards"])?.done()?, "/cards/0/card")?.to_owned();
    let file = folder.path().join("notice.json");
    network.wait_for("the notice", |network| {
        let args = ["receipt", "export", &number, "--with-order", "--out", &file.display().to_string()];
        Ok(network.store("sakura", &args)?.code == 0)
    })?;

    // All that the store ever got of the payment: its notice, with leaf, part and proof.
    let notice = fs::read_to_string(&file)?;
    for secret in [&member, &card, "4400", "4,400"] {
        ensure!(!notice.contains(secret), "the store's evidence tells {secret}");
    }
    let receipt: wire::receipt::file::ReceiptFile = serde_json::from_str(&notice)?;
    let bytes = wire::codec::encode(&receipt.receipt);
    let balance: u64 = 5_000 - PRICE;
    ensure!(!holds(&bytes, &balance.to_le_bytes()), "the store's bytes hold the balance");
    let part = receipt.receipt.store_part().map_err(|error| eyre!("{error}"))?;
    ensure!(matches!(part, wire::receipt::StorePart::Paid { .. }), "{part:?}");

    // What is published is the leaf: number, time, kind, and hashes that nobody can guess without the salt.
    let leaf = receipt.receipt.leaf;
    let published = wire::codec::encode(&leaf);
    ensure!(published.len() == 8 + 8 + 4 + 3 * 32, "a leaf holds more than it says");
    let part = &receipt.receipt.part;
    let guessed = [wire::receipt::part_hash(&[0; 32], part), wire::id::Digest::of(&[part])];
    ensure!(
        !guessed.contains(&leaf.store) && receipt.receipt.salt != [0; 32],
        "a part is hashed without salt"
    );

    // All that the center keeps, in the clear or not: its whole profile.
    ensure!(network.stop_center()? == 0, "the center did not end in order");
    let kept = files(&network.center_profile())?;
    ensure!(!kept.is_empty(), "the center keeps nothing");
    for path in &kept {
        let content = fs::read(path)?;
        for secret in [TITLE, "lanterns"] {
            ensure!(!holds(&content, secret.as_bytes()), "{} tells what was bought", path.display());
        }
    }
    Ok(())
}

/// Whether the stock tool accepts a text with the files that were exported beside it.
fn keygen(exported: &Value, said: &str) -> Result<bool> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-f", text(exported, "/allowed_signers")?]);
    command.args(["-I", text(exported, "/principal")?, "-n", text(exported, "/namespace")?]);
    command.args(["-s", text(exported, "/signature")?]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), said.as_bytes())?;
    Ok(child.wait()?.success())
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

/// All files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

fn checks(verified: &Value) -> impl Iterator<Item = &Value> {
    verified["checks"].as_array().into_iter().flatten()
}

/// A center, a store that sells a book, and a member with a card.
fn open(root: &Path) -> Result<Network> {
    let mut network = Network::found(root)?;
    network.start_center()?;
    network.join_store("sakura", "Sakura Books")?;
    network.join_member("hanako")?;
    let catalogue = root.join("catalogues/sakura");
    fs::create_dir_all(&catalogue)?;
    fs::write(catalogue.join("book.txt"), "of blossoms")?;
    let list =
        format!("[[item]]\nid = \"book\"\ntitle = \"{TITLE}\"\nprice = {PRICE}\nfile = \"book.txt\"\n");
    fs::write(catalogue.join("catalogue.toml"), list)?;
    network.serve_store("sakura", &catalogue)?;
    network.fund("hanako", 5_000)?;
    Ok(network)
}

/// Orders and pays the book; the payment's number.
fn buy(network: &Network) -> Result<String> {
    let status = network.store("sakura", &["status"])?.done()?;
    let order = network.member("hanako", &["order", text(&status, "/store")?, "book"])?.done()?;
    let paid = network.member("hanako", &["pay", text(&order, "/order")?])?.done()?;
    Ok(text(&paid, "/number")?.to_owned())
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str> {
    value.pointer(at).and_then(Value::as_str).ok_or_else(|| eyre!("no text at {at} in {value}"))
}
