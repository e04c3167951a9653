//! Shopping, settling, delivering, and what stays in the history.

use std::fs;

use color_eyre::eyre::{Result, ensure};

use super::{Journey, balance, expect, list, money::store_number, number, on_screen, overview, sha256, text};
use crate::network::{Network, secrets};

/// Item 4: the directory, a catalogue, a live edit, an open offer that keeps its price.
pub(super) fn shop(journey: &mut Journey<'_>) {
    journey.step("the directory lists both stores, the catalogue is searched", |network| {
        let stores = network.member("hanako", &["stores"])?.done()?;
        ensure!(list(&stores, "/stores")?.len() == 2, "the directory: {stores}");
        let sakura = store_number(network, "sakura")?;
        let found = network.member("hanako", &["items", &sakura, "tree"])?.done()?;
        ensure!(list(&found, "/items")?.len() == 1, "searching for “tree” found {found}");
        let item = network.member("hanako", &["item", &sakura, "bees"])?.done()?;
        ensure!(number(&item, "/price/minor")? == 480, "{item}");
        Ok(format!("{} costs {}", text(&item, "/title")?, text(&item, "/price/text")?))
    });
    journey.step("an edit of the catalogue is taken up live, an open offer keeps its price", |network| {
        let sakura = store_number(network, "sakura")?;
        let offered = network.member("hanako", &["order", &sakura, "bees"])?.done()?;
        let file = network.root().join("catalogues/sakura/catalogue.toml");
        let edited = fs::read_to_string(&file)?.replace("price = 480", "price = 520");
        fs::write(&file, edited)?;
        network.wait_for("the new price", |network| {
            let item = network.member("hanako", &["item", &sakura, "bees"])?.done()?;
            Ok(number(&item, "/price/minor")? == 520)
        })?;
        let before = balance(network, "hanako")?;
        let paid = network.member("hanako", &["pay", text(&offered, "/order")?])?.done()?;
        ensure!(before - balance(network, "hanako")? == 480, "the offer did not keep its price: {paid}");
        network.member("hanako", &["fetch", text(&offered, "/order")?])?.done()?;
        Ok("offered and paid at 480 while the catalogue says 520".into())
    });
    journey.step("a bad edit keeps the last good catalogue and says what is wrong", |network| {
        let sakura = store_number(network, "sakura")?;
        let file = network.root().join("catalogues/sakura/catalogue.toml");
        let good = fs::read_to_string(&file)?;
        fs::write(&file, format!("{good}\n[[item]]\nid = \"broken\nprice = ten\n"))?;
        let mut fault = String::new();
        network.wait_for("the fault in words", |network| {
            let status = network.store("sakura", &["status"])?.done()?;
            fault = list(&status, "/catalogue/faults")?
                .first()
                .and_then(|fault| fault.as_str())
                .unwrap_or("")
                .to_owned();
            Ok(!fault.is_empty())
        })?;
        let items = network.member("hanako", &["items", &sakura])?.done()?;
        ensure!(list(&items, "/items")?.len() == 2, "the last good catalogue is gone: {items}");
        fs::write(&file, good)?;
        Ok(fault)
    });
}

/// Item 5: a payment on the screen and by subcommand, refusals, an unknown outcome that ends.
pub(super) fn settle(journey: &mut Journey<'_>) {
    journey.step("a member buys on the screen", |network| {
        let before = balance(network, "hanako")?;
        buy_on_screen(network)?;
        let spent = before - balance(network, "hanako")?;
        ensure!(spent == 1_200, "{spent} JPY left the card instead of 1,200");
        Ok("blossom.png for 1,200 JPY, settled, receipt checked".into())
    });
    journey.step("the same order is not paid twice, and a card is never overdrawn", |network| {
        let ume = store_number(network, "ume")?;
        let order = network.member("taro", &["order", &ume, "moon"])?.done()?;
        let order = text(&order, "/order")?;
        network.member("taro", &["pay", order])?.done()?;
        let again = network.member("taro", &["pay", order])?.refused()?;
        let dear = network.member("taro", &["order", &ume, "planting=100"])?.done()?;
        let short = network.member("taro", &["pay", text(&dear, "/order")?])?.refused()?;
        Ok(format!("“{again}”; “{short}”"))
    });
    journey.step("without password B nothing is signed", |network| {
        let ume = store_number(network, "ume")?;
        let order = network.member("taro", &["order", &ume, "moon"])?.done()?;
        let mut wrong = network.programs().command("tui-member");
        wrong.arg("--profile").arg(network.member_profile("taro")).arg("--json");
        wrong
            .arg("--password-a-file")
            .arg(network.secret("a"))
            .arg("--password-b-file")
            .arg(network.secret("a"));
        wrong.args(["pay", text(&order, "/order")?]);
        let words = crate::programs::call(wrong)?.refused()?;
        let mut closed = network.programs().command("tui-member");
        closed.arg("--profile").arg(network.member_profile("taro")).arg("--json");
        closed.arg("--password-a-file").arg(network.secret("b")).arg("history");
        let second = crate::programs::call(closed)?.refused()?;
        // A wrong password makes the next try wait; the right one is heard again soon.
        network.wait_for("the vault to open again", |network| {
            Ok(network.member("taro", &["history"])?.code == 0)
        })?;
        Ok(format!("“{words}”; with B alone: “{second}”"))
    });
    journey.step("the store is away at the payment and gets its notice afterwards", |network| {
        let ume = store_number(network, "ume")?;
        let order = network.member("taro", &["order", &ume, "planting"])?.done()?;
        ensure!(network.stop_store("ume")? == 0, "the store did not end in order");
        let paid = network.member("taro", &["pay", text(&order, "/order")?])?.done()?;
        let payment = text(&paid, "/number")?.to_owned();
        network.serve_store("ume", &network.root().join("catalogues/ume"))?;
        network.wait_for("the notice", |network| {
            let orders = network.store("ume", &["orders"])?.done()?;
            Ok(list(&orders, "/orders")?.iter().any(|order| order["payment"] == payment.as_str()))
        })?;
        network.member("taro", &["fetch", text(&order, "/order")?])?.done()?;
        Ok(format!("{payment} waited in the mailbox"))
    });
    journey.step(
        "the center is gone at the payment: nothing is paid, and nothing stays unknown",
        |network| {
            let ume = store_number(network, "ume")?;
            let before = balance(network, "taro")?;
            let order = network.member("taro", &["order", &ume, "moon"])?.done()?;
            network.kill_center()?;
            let reply = network.member("taro", &["pay", text(&order, "/order")?])?;
            ensure!(reply.code == 1 || reply.code == 4, "it ended with {}", reply.code);
            network.start_center()?;
            network.member("taro", &["resolve"])?.done()?;
            let history = network.member("taro", &["history"])?.done()?;
            let unknown = list(&history, "/purchases")?.iter().any(|purchase| purchase["state"] == "unknown");
            ensure!(!unknown, "still unknown: {history}");
            ensure!(balance(network, "taro")? == before, "money moved");
            overview(network)?;
            Ok(format!("exit {}, then resolved by the center", reply.code))
        },
    );
}

/// Item 6: goods arrive whole, also after an interruption; what can't be delivered comes back.
pub(super) fn deliver(journey: &mut Journey<'_>) {
    journey.step("goods are delivered, digest checked and signed for", |network| {
        let history = network.member("hanako", &["history"])?.done()?;
        let mut checked = Vec::new();
        for purchase in list(&history, "/purchases")? {
            if purchase["state"] != "settled" && purchase["state"] != "delivered" {
                continue;
            }
            let fetched = network.member("hanako", &["fetch", text(purchase, "/order")?])?.done()?;
            for file in list(&fetched, "/files")? {
                let file = std::path::Path::new(file.as_str().unwrap_or_default());
                let name = file.file_name().unwrap_or_default();
                let original = network.root().join("catalogues/sakura").join(name);
                ensure!(sha256(file)? == sha256(&original)?, "{} is not what was sold", file.display());
                checked.push(name.to_string_lossy().into_owned());
            }
        }
        ensure!(checked.iter().any(|name| name == "blossom.png"), "only {checked:?} came");
        Ok(checked.join(", "))
    });
    journey.step("a delivery that is interrupted goes on where it was", |network| {
        let catalogue = network.root().join("catalogues/ume");
        let film: Vec<u8> =
            (0..48u32 << 18).flat_map(|word| (word.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        fs::write(catalogue.join("film.bin"), &film)?;
        let toml = fs::read_to_string(catalogue.join("catalogue.toml"))?;
        let item = "\n[[item]]\nid = \"film\"\ntitle = \"A long film\"\nprice = 900\nfile = \"film.bin\"\n";
        fs::write(catalogue.join("catalogue.toml"), toml + item)?;
        let ume = store_number(network, "ume")?;
        network.wait_for("the film in the catalogue", |network| {
            Ok(network.member("hanako", &["item", &ume, "film"])?.code == 0)
        })?;
        let order = network.member("hanako", &["order", &ume, "film"])?.done()?;
        let order = text(&order, "/order")?;
        network.member("hanako", &["pay", order])?.done()?;
        let goods = network.member_profile("hanako").join("goods");
        let mut fetching = network.terminal("tui-member", &network.member_profile("hanako"));
        fetching
            .args(["fetch", order])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let mut fetching = fetching.spawn()?;
        let mut partial = 0;
        network.wait_for("the first bytes", |_| {
            partial = bytes_below(&goods);
            Ok(partial > 100_000)
        })?;
        fetching.kill()?;
        fetching.wait()?;
        let fetched = network.member("hanako", &["fetch", order])?.done()?;
        let file = std::path::PathBuf::from(text(&fetched, "/files/0")?);
        ensure!(fs::read(&file)? == film, "the film is not the one that was sold");
        Ok(format!("killed after some {partial} bytes, then {} bytes whole", film.len()))
    });
    journey.step("what a store can't deliver is refunded whole by one signed act", |network| {
        let ume = store_number(network, "ume")?;
        let before = balance(network, "taro")?;
        let order = network.member("taro", &["order", &ume, "moon"])?.done()?;
        let paid = network.member("taro", &["pay", text(&order, "/order")?])?.done()?;
        let payment = text(&paid, "/number")?;
        network.wait_for("the notice", |network| {
            let orders = network.store("ume", &["orders"])?.done()?;
            Ok(list(&orders, "/orders")?.iter().any(|order| order["payment"] == payment))
        })?;
        network.store("ume", &["refund", payment, "--reason", "cannot-deliver"])?.done()?;
        network.member("taro", &["sync"])?.done()?;
        ensure!(balance(network, "taro")? == before, "the money is not back on the card");
        let history = network.member("taro", &["history"])?.done()?;
        let refunded = list(&history, "/purchases")?.iter().any(|purchase| purchase["state"] == "refunded");
        ensure!(refunded, "the member does not see the refund: {history}");
        let twice = network.store("ume", &["refund", payment])?.refused()?;
        Ok(format!("{payment} is back on the card; a second time: “{twice}”"))
    });
}

/// Item 8: history and receipts with password A alone and no network.
pub(super) fn history(journey: &mut Journey<'_>) {
    journey.step("history and receipts verify with password A alone and no network", |network| {
        let file = network.root().join("receipt.json");
        network.stop_center()?;
        let history = alone(network, &["history"])?.done()?;
        let purchases = list(&history, "/purchases")?;
        let delivered = purchases.iter().find(|purchase| purchase["state"] == "delivered");
        let Some(purchase) = delivered else { color_eyre::eyre::bail!("nothing delivered in {history}") };
        let export =
            ["receipt", "export", text(purchase, "/number")?, "--out", file.to_str().unwrap_or_default()];
        alone(network, &export)?.done()?;
        let verified = alone(network, &["receipt", "verify", file.to_str().unwrap_or_default()])?.done()?;
        ensure!(verified["valid"] == true, "{verified}");
        let checks: Vec<&str> =
            list(&verified, "/checks")?.iter().filter_map(|check| check["name"].as_str()).collect();
        let forged = network.root().join("forged.json");
        let content = fs::read_to_string(&file)?;
        let at = content.rfind(|c: char| ('1'..='8').contains(&c)).unwrap_or_default();
        let next = char::from(content.as_bytes()[at] + 1).to_string();
        fs::write(&forged, format!("{}{next}{}", &content[..at], &content[at + 1..]))?;
        let reply = alone(network, &["receipt", "verify", forged.to_str().unwrap_or_default()])?;
        expect(reply.code == 1, || format!("a forged receipt ended with {}", reply.code))?;
        network.start_center()?;
        network.wait_for("the stores at their lines again", |network| {
            let stores = network.center(&["stores"])?.done()?;
            Ok(list(&stores, "/stores")?.iter().all(|store| store["here"] == true))
        })?;
        Ok(format!(
            "{} {} {}: {}",
            text(purchase, "/day")?,
            text(purchase, "/goods")?,
            text(purchase, "/total/text")?,
            checks.join(", ")
        ))
    });
}

/// A member's subcommand with password A and without B.
fn alone(network: &Network, arguments: &[&str]) -> Result<crate::programs::Reply> {
    let mut command = network.programs().command("tui-member");
    command.arg("--profile").arg(network.member_profile("hanako")).arg("--json");
    command.arg("--password-a-file").arg(network.secret("a")).args(arguments);
    crate::programs::call(command)
}

/// Buys the picture on the member's screen as a person does.
fn buy_on_screen(network: &Network) -> Result<()> {
    let secret = network.secret("a");
    let more = ["--password-a-file", secret.to_str().unwrap_or_default()];
    let mut screen = on_screen(network, "tui-member", &network.member_profile("hanako"), &more, (100, 32))?;
    screen.wait("Home")?;
    screen.keys("s")?;
    screen.wait("✓ open")?;
    screen.keys("/Sakura<enter><enter>")?;
    screen.wait("1,200 JPY")?;
    screen.keys("/Blossom<enter>a")?;
    screen.wait("in the cart")?;
    screen.keys("4")?;
    screen.wait("the store's offer says what it costs now")?;
    screen.keys("o")?;
    screen.wait("Password B:")?;
    screen.type_text(secrets::B)?;
    screen.keys("<enter>")?;
    screen.wait("✓ settled")?;
    screen.keys("f")?;
    screen.wait("✓ delivered")?;
    screen.keys("q")?;
    screen.ended()?;
    Ok(())
}

/// The bytes of all files below a directory.
fn bytes_below(directory: &std::path::Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
