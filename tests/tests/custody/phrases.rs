//! Recovery phrases: Japanese words, and a store that comes back with one.

use std::fs;

use color_eyre::eyre::{Result, ensure};
use inkan_tests::{
    network::{Network, member_address, member_fields},
    programs::{call, secret_file},
};

use crate::{PRICE, balance, list, misspelt, number, open_shop, serve_shop, text};

#[test]
fn a_japanese_phrase_joins_restores_and_says_which_word_is_wrong() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    let phrase = network.phrase_file("mina").display().to_string();
    let fields = member_fields("mina");
    let mut join = vec!["join", network.invitation.as_str(), "--phrase-language", "ja"];
    join.extend(["--phrase-out-file", &phrase]);
    join.extend(fields.iter().flat_map(|field| ["--field", field]));
    network.member("mina", &join)?.done()?;
    let admitted = network.admission_mail(&member_address("mina"))?;
    network.register(&admitted, |arguments| network.member("mina", arguments))?;
    network.fund("mina", 1_000)?;

    let words = fs::read_to_string(&phrase)?;
    let first = words.chars().next().unwrap_or_default();
    ensure!(words.split_whitespace().count() == 24 && !first.is_ascii(), "no Japanese phrase");
    let restore = |phrase: &str| {
        network.member("mina-2", &["recovery", "restore", &network.invitation, "--phrase-file", phrase])
    };
    let unknown = restore(&misspelt(folder.path(), &words, 4, "いんかん")?)?.refused()?;
    ensure!(unknown.contains("word 5") && unknown.contains("Japanese"), "{unknown}");
    // Two words of the list: at least one of them is another word than the first, and is no phrase with the others.
    for other in ["あいこくしん", "あいさつ"] {
        let wrong = restore(&misspelt(folder.path(), &words, 0, other)?)?;
        if !words.starts_with(other) {
            let wrong = wrong.refused()?;
            ensure!(wrong.contains("one word is wrong") || wrong.contains("no account"), "{wrong}");
        }
    }
    ensure!(!network.member_profile("mina-2").join("vault.inkan").exists(), "a vault was made");
    // However the words are composed, and whatever stands between them: it is the same phrase.
    let spaced = words.split_whitespace().collect::<Vec<_>>().join("\u{3000}");
    let spaced = secret_file(folder.path(), "phrase-spaced", &spaced)?.display().to_string();
    let back = restore(&spaced)?.done()?;
    ensure!(text(&back, "/member")? == admitted.number && back["copied_at"].is_object(), "{back}");
    ensure!(balance(&network, "mina-2")? == 1_000, "the card is not back");
    Ok(())
}

#[test]
fn a_store_comes_back_on_a_new_machine_and_in_the_place_of_a_forgotten_vault() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    let store = open_shop(&mut network)?;
    network.join_member("mina")?;
    network.fund("mina", 2_000)?;
    network.member("mina", &["buy", &store, "note"])?.done()?;
    network.store("shop", &["recovery", "deposit"])?.done()?;
    ensure!(network.stop_store("shop")? == 0, "the store did not end in order");

    let phrase = network.phrase_file("shop").display().to_string();
    let invitation = network.invitation.clone();
    let restore = ["recovery", "restore", invitation.as_str(), "--phrase-file", &phrase];
    let back = network.store("shop-2", &restore)?.done()?;
    ensure!(text(&back, "/store")? == store && back["copied"].is_object(), "{back}");
    ensure!(back["set_aside"].is_null(), "{back}");
    sells_and_claims(&mut network, "shop-2", &store, 2)?;

    // The passwords of the second machine are forgotten: another one opens nothing, and the vault makes room.
    let forgotten = secret_file(folder.path(), "forgotten", "what was it again, then")?;
    let mut guess = network.programs().command("tui-store");
    guess.arg("--profile").arg(network.store_profile("shop-2")).args(["--json", "orders"]);
    guess.arg("--password-a-file").arg(&forgotten);
    let words = call(guess)?.refused()?;
    ensure!(words.contains("password A is wrong"), "{words}");
    let there = network.store("shop-2", &restore)?.refused()?;
    ensure!(there.contains("--set-aside"), "it does not say how to go on: {there}");
    let aside = [&restore[..], &["--set-aside"]].concat();
    let back = network.store("shop-2", &aside)?.done()?;
    let former = network.store_profile("shop-2").join(text(&back, "/set_aside")?);
    ensure!(former.exists(), "the vault that could not be opened is gone: {back}");
    sells_and_claims(&mut network, "shop-2", &store, 1)?;
    network.stop_center()?;
    network.center(&["books", "verify"])?.done()?;
    Ok(())
}

/// The store sells another note, and claims whatever is delivered: so many notes.
fn sells_and_claims(network: &mut Network, profile: &str, store: &str, notes: u64) -> Result<()> {
    serve_shop(network, profile)?;
    network.wait_for("the store to be reached", |network| {
        Ok(network.member("mina", &["items", store])?.code == 0)
    })?;
    network.member("mina", &["buy", store, "note"])?.done()?;
    network.wait_for("the delivery to be claimable", |network| {
        network.store(profile, &["sync"])?.done()?;
        let claimable = network.store(profile, &["claimable"])?.done()?;
        Ok(number(&claimable, "/total/minor")? == notes * PRICE)
    })?;
    network.store(profile, &["claim"])?.done()?;
    let payouts = network.store(profile, &["payouts"])?.done()?;
    ensure!(!list(&payouts, "/payouts")?.is_empty(), "nothing was claimed: {payouts}");
    network.store(profile, &["recovery", "deposit"])?.done()?;
    ensure!(network.stop_store(profile)? == 0, "the store did not end in order");
    Ok(())
}
