//! One vault in two places, one code in two hands.

use std::{fs, path::Path, process::Child, process::Stdio};

use color_eyre::eyre::{Result, ensure};
use inkan_tests::{
    network::{Network, member_address},
    post::Admitted,
};

use crate::{list, text};

/// What the cards here are loaded with.
const LOADED: u64 = 1_000;

fn copy(network: &Network, from: &str, to: &str) -> Result<()> {
    let (from, to) = (network.member_profile(from), network.member_profile(to));
    fs::create_dir_all(&to)?;
    fs::copy(from.join("vault.inkan"), to.join("vault.inkan"))?;
    Ok(())
}

/// Starts a registration in the background.
fn registers(network: &Network, name: &str, admitted: &Admitted, code: &Path) -> Result<Child> {
    let mut command = network.terminal("tui-member", &network.member_profile(name));
    command.args(["join", "--number", &admitted.number, "--code-file"]).arg(code);
    Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

#[test]
fn of_two_terminals_with_one_code_one_account_comes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    network.apply_member("mina")?;
    let admitted = network.admission_mail(&member_address("mina"))?;
    // A stranger who has read the mail applies too, and brings the other's number and code.
    network.apply_member("thief")?;
    network.admission_mail(&member_address("thief"))?;
    let stolen = network.try_to_register(&admitted, &[], |arguments| network.member("thief", arguments))?;
    let words = stolen.refused()?;
    ensure!(words.contains(&admitted.number), "it does not name the number: {words}");

    // The same vault on two machines: both hold the key that applied, and both send at once.
    copy(&network, "mina", "mina-too")?;
    let code = inkan_tests::programs::secret_file(folder.path(), "code", &admitted.code)?;
    let mut racing =
        [registers(&network, "mina", &admitted, &code)?, registers(&network, "mina-too", &admitted, &code)?];
    let mut ended = Vec::new();
    for child in &mut racing {
        ended.push(child.wait()?.code());
    }
    ensure!(ended.contains(&Some(0)), "nobody joined: {ended:?}");
    let members = network.center(&["members"])?.done()?;
    ensure!(list(&members, "/members")?.len() == 1, "{members}");
    let keys = network.center(&["keys"])?.done()?;
    let signing = list(&keys, "/keys")?.iter().filter(|key| key["role"] == "Signature").count();
    ensure!(signing == 1, "{signing} signature keys for one account: {keys}");
    let registered = network.center(&["transactions", "--kind", "registration", "--all"])?.done()?;
    let done = list(&registered, "/transactions")?.iter().filter(|row| row["refused"] == false).count();
    ensure!(done == 1, "{done} registrations: {registered}");
    network.stop_center()?;
    network.center(&["books", "verify"])?.done()?;
    Ok(())
}

#[test]
fn a_copied_vault_doubles_no_money_and_a_key_made_in_one_copy_alarms_the_other() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    let catalogue = folder.path().join("catalogues/shop");
    fs::create_dir_all(&catalogue)?;
    fs::write(catalogue.join("note.txt"), "a note\n")?;
    let item = "[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = 300\nfile = \"note.txt\"\n";
    fs::write(catalogue.join("catalogue.toml"), item)?;
    let shop = network.join_store("shop", "The Shop")?;
    network.serve_store("shop", &catalogue)?;
    network.join_member("mina")?;
    network.fund("mina", LOADED)?;
    copy(&network, "mina", "mina-too")?;

    let store = text(&shop, "/store")?;
    let buying = ["mina", "mina-too"].map(|name| {
        let mut command = network.terminal("tui-member", &network.member_profile(name));
        command.args(["buy", store, "note"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    });
    let mut bought = 0;
    for child in buying {
        bought += u64::from(child?.wait()?.success());
    }
    let balance = |name: &str| -> Result<u64> {
        network.member(name, &["resolve"])?.done()?;
        let cards = network.member(name, &["cards"])?.done()?;
        Ok(cards["cards"][0]["balance"]["minor"].as_u64().unwrap_or_default())
    };
    ensure!(bought >= 1, "neither copy could pay");
    ensure!(balance("mina")? == LOADED - 300 * bought, "{bought} bought, {} left", balance("mina")?);
    ensure!(balance("mina")? == balance("mina-too")?, "the copies see different balances");

    // A key that only one of them has made is an alarm to the other, which can sign nothing any more.
    network.member("mina-too", &["keys", "rotate", "signature"])?.done()?;
    let before = balance("mina-too")?;
    network.member("mina", &["sync"])?;
    let status = network.member("mina", &["status"])?.done()?;
    let words = text(&status, "/custody/alarm/words")?;
    ensure!(words.contains("signature key"), "{words}");
    network.member("mina", &["buy", store, "note"])?.refused()?;
    ensure!(balance("mina-too")? == before, "the copy with the former key paid");
    network.member("mina", &["keys", "acknowledge"])?.done()?;
    let status = network.member("mina", &["status"])?.done()?;
    ensure!(status["custody"]["alarm"].is_null(), "it is still there: {status}");
    network.member("mina-too", &["buy", store, "note"])?.done()?;
    network.stop_center()?;
    network.center(&["books", "verify"])?.done()?;
    Ok(())
}
