//! Keys: a new signature key, and an account brought back on a new machine; and what of all this lies on disk.

use std::fs;

use color_eyre::eyre::{Context as _, Result, bail, ensure};

use super::{Journey, balance, list, money::store_number, text};
use crate::{
    network::{Network, member_address, member_fields, secrets, store_address, store_fields},
    post,
    search::{self, Secret},
};

/// A rotation of the signature key, then a payment; a restore with the phrase, then a payment.
pub(super) fn keys(journey: &mut Journey<'_>) {
    journey.step("the signature key is rotated, and the new one pays", |network| {
        let before = fingerprint(network, "hanako")?;
        network.member("hanako", &["keys", "rotate", "signature"])?.done()?;
        let after = fingerprint(network, "hanako")?;
        ensure!(before != after, "the key is still {before}");
        let ume = store_number(network, "ume")?;
        network.member("hanako", &["buy", &ume, "moon"])?.done()?;
        let register = network.center(&["keys"])?.done()?;
        let keys = list(&register, "/keys")?;
        let state =
            |of: &str| keys.iter().find(|row| row["fingerprint"] == of).map(|row| row["in_force"] == true);
        ensure!(state(&after) == Some(true) && state(&before) == Some(false), "the key register: {register}");
        Ok(format!("{before} gave way to {after}"))
    });
    journey.step("a restore drill proves the deposited copy", |network| {
        let phrase = network.phrase_file("hanako").display().to_string();
        let drill = network.member("hanako", &["recovery", "drill", "--phrase-file", &phrase])?.done()?;
        let status = network.member("hanako", &["status"])?.done()?;
        ensure!(status["custody"]["recovery"]["proved"].is_object(), "it is not dated: {status}");
        Ok(drill.to_string())
    });
    journey.step("on a new machine a phrase with one wrong word is refused, and says so", |network| {
        let right = fs::read_to_string(network.phrase_file("hanako"))?;
        let words: Vec<&str> = right.split_whitespace().collect();
        let (first, rest) = words.split_first().ok_or_else(|| color_eyre::eyre::eyre!("no phrase"))?;
        let mut said = Vec::new();
        for other in ["zebra", "inkan"].into_iter().filter(|other| other != first) {
            let wrong = [&[other], rest].concat().join(" ");
            let file = crate::programs::secret_file(&network.root().join("secrets"), "phrase-wrong", &wrong)?;
            let file = file.display().to_string();
            let restore = ["recovery", "restore", network.invitation.as_str(), "--phrase-file", &file];
            said.push(network.member("hanako-2", &restore)?.refused()?);
        }
        ensure!(!network.member_profile("hanako-2").join("vault.inkan").exists(), "a vault was made");
        Ok(format!("“{}”", said.join("”; “")))
    });
    journey.step("with the phrase, balance, cards, history and receipts are back, and pay", |network| {
        let before = seen(network, "hanako")?;
        let phrase = network.phrase_file("hanako").display().to_string();
        let restore = ["recovery", "restore", network.invitation.as_str(), "--phrase-file", &phrase];
        network.member("hanako-2", &restore)?.done()?;
        let after = seen(network, "hanako-2")?;
        ensure!(before == after, "it was {before:#?} and is {after:#?}");
        let (_, cards, history) = after;
        let ume = store_number(network, "ume")?;
        network.member("hanako-2", &["buy", &ume, "moon"])?.done()?;
        ensure!(balance(network, "hanako-2")? < before.0, "nothing was paid");
        Ok(format!("{} JPY on {cards} card, {} purchases; then a new one", before.0, history.len()))
    });
}

/// The byte search over everything that the programs keep.
pub(super) fn nothing_in_the_clear(journey: &mut Journey<'_>) {
    journey.step("no personal datum, password, code or phrase lies on any disk in the clear", |network| {
        let planted = search::control(tempfile::tempdir()?.path()).wrap_err("the positive control")?;
        let secrets = secrets_of(network)?;
        let root = network.root();
        let mut places = vec![root.join("center"), root.join("members"), root.join("stores")];
        for entry in fs::read_dir(root)? {
            let path = entry?.path();
            places.extend(Some(path).filter(|path| path.extension().is_some_and(|it| it == "log")));
        }
        let places: Vec<&std::path::Path> = places.iter().map(|place| place.as_path()).collect();
        let searched = search::search(&places, &secrets)?;
        if !searched.findings.is_empty() {
            bail!("{:#?}", searched.findings);
        }
        // The same search finds them where they are meant to be: in what went out by mail.
        let mail = search::search(&[&network.mail_folder()], &secrets)?;
        ensure!(!mail.findings.is_empty(), "not even the mails hold a name");
        Ok(format!(
            "{} secrets sought in {} files, {} MiB; {planted} planted ones found",
            secrets.len(),
            searched.files,
            searched.bytes >> 20
        ))
    });
}

/// Everything about this network's people that nobody else may read.
fn secrets_of(network: &Network) -> Result<Vec<Secret>> {
    let mut found = Vec::new();
    for (kind, text) in [
        ("root passphrase", secrets::ROOT),
        ("service passphrase", secrets::SERVICE),
        ("operator's passphrase", secrets::OPERATOR),
        ("operator's passphrase", secrets::SECOND),
        ("password A", secrets::A),
        ("password B", secrets::B),
        ("SMTP password", post::PASSWORD),
        ("name", "Sakurai Hanako"),
        ("name", "桜井花子"),
        ("kana", "さくらい はなこ"),
        ("phone", "+81 3 5550 1234"),
    ] {
        found.push(Secret::new(kind, text));
    }
    let filled = [member_fields("taro"), store_fields("sakura", "-"), store_fields("ume", "-")].concat();
    for field in filled {
        let (key, value) = field.split_once('=').unwrap_or_default();
        // A trade name is public; “The Owner” and “-” are nobody's.
        if !["trade_name", "contact", "account_holder"].contains(&key) {
            found.push(Secret::new(key, value));
        }
    }
    for address in [member_address("hanako"), member_address("taro"), store_address("sakura")] {
        found.push(Secret::new("e-mail address", &address));
        if let Some(mail) = post::admission(&network.mail_folder(), &address)? {
            found.push(Secret::new("activation code", mail.code));
        }
    }
    for name in ["hanako", "taro", "sakura", "ume"] {
        let phrase = fs::read_to_string(network.phrase_file(name))?;
        let words: Vec<&str> = phrase.split_whitespace().collect();
        found.push(Secret::new("recovery phrase", words[..4].join(" ")));
        found.push(Secret::new("recovery phrase", words[20..].join(" ")));
    }
    Ok(found)
}

/// What an account looks like to its holder: what the cards hold, how many there are, and the history.
fn seen(network: &Network, name: &str) -> Result<(i64, usize, Vec<String>)> {
    let cards = list(&network.member(name, &["cards"])?.done()?, "/cards")?.len();
    let history = network.member(name, &["history"])?.done()?;
    let rows = list(&history, "/purchases")?.iter().map(|purchase| {
        Ok(format!(
            "{} {} {}",
            text(purchase, "/order")?,
            text(purchase, "/state")?,
            text(purchase, "/goods")?
        ))
    });
    Ok((balance(network, name)?, cards, rows.collect::<Result<_>>()?))
}

fn fingerprint(network: &Network, name: &str) -> Result<String> {
    let keys = network.member(name, &["keys"])?.done()?;
    let signature = list(&keys, "/keys")?.iter().find(|key| key["role"] == "signature");
    let fingerprint = signature.and_then(|key| key["fingerprint"].as_str());
    fingerprint.map(str::to_owned).ok_or_else(|| color_eyre::eyre::eyre!("no signature key in {keys}"))
}
