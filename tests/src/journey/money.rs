//! Cards through the bank, and stores' money out of it.

use color_eyre::eyre::{Result, ensure};

use super::{Journey, list, number, overview, text};
use crate::network::Network;

/// Item 3: a card is asked for, paid for at the bank, and issued; whatever does not fit lands on the desk.
pub(super) fn cards(journey: &mut Journey<'_>) {
    for (member, amount) in [("hanako", 20_000), ("taro", 5_000)] {
        journey.step(&format!("{member} loads a card through the bank"), |network| {
            let card = network.fund(member, amount)?;
            let held = super::balance(network, member)?;
            ensure!(held == i64::try_from(amount)?, "the card holds {held}");
            Ok(format!("{card} holds {held} JPY, certificate in the vault"))
        });
    }
    journey.step("what the bank brings and no request fits waits on the desk, with words", |network| {
        let terms = network.member("taro", &["card", "request", "3000"])?.done()?;
        let reference = text(&terms, "/reference")?.to_owned();
        let bank = network.bank();
        let before = at_bank(network)?;
        bank.credit(2_999, &reference, "taro, one yen short", None)?;
        bank.credit(3_001, &reference, "taro, one yen over", None)?;
        bank.credit(700, "thank you for the fish", "a stranger", None)?;
        let twice = bank.credit(3_000, &reference, "taro, exactly", None)?;
        network.wait_for("the exact amount's card", |network| {
            network.member("taro", &["sync"])?.done()?;
            Ok(super::balance(network, "taro")? == 8_000)
        })?;
        bank.repeat(&twice.bank_reference)?;
        let mut words = Vec::new();
        network.wait_for("four items on the desk", |network| {
            let desk = network.center(&["desk"])?.done()?;
            words = list(&desk, "/desk")?
                .iter()
                .map(|item| item["words"].as_str().unwrap_or("").to_owned())
                .collect();
            Ok(words.len() == 4)
        })?;
        let came = at_bank(network)? - before;
        ensure!(
            came == 2_999 + 3_001 + 700 + 3_000,
            "the books say {came} came in; the second notice counted"
        );
        reconcile_bank(network)?;
        Ok(words.join(" | "))
    });
    journey.step("an operator settles what waits: one becomes a card, one goes back", |network| {
        let desk = network.center(&["desk"])?.done()?;
        let items = list(&desk, "/desk")?;
        let find = |word: i64| {
            let item = items.iter().find(|item| item["amount"]["minor"].as_i64() == Some(word));
            item.and_then(|item| item["number"].as_str()).map(str::to_owned)
        };
        let (Some(stranger), Some(over)) = (find(700), find(3_001)) else {
            color_eyre::eyre::bail!("the desk lists neither item: {desk}")
        };
        network.center(&["desk-return", &stranger])?.done()?;
        let request = network.member("taro", &["card", "request", "3500"])?.done()?;
        network.center(&["desk-assign", &over, text(&request, "/request")?])?.done()?;
        network.wait_for("the assigned card", |network| {
            network.member("taro", &["sync"])?.done()?;
            Ok(super::balance(network, "taro")? == 11_001)
        })?;
        network.wait_for("the bank has the return", |network| Ok(network.bank().work(None)? > 0))?;
        network.wait_for("the return confirmed", |network| {
            let sent = network.bank().movements()?.iter().any(|movement| movement.minor == -700);
            Ok(sent && bank_agrees(network)?)
        })?;
        Ok("3,001 JPY are a card now, 700 JPY went back through the bank".into())
    });
}

/// Item 7: delivered goods are claimed, undelivered ones refused by name, and the bank's confirmation pays.
pub(super) fn claims(journey: &mut Journey<'_>) {
    journey.step("an undelivered order is refused by name", |network| {
        network.member("hanako", &["sync"])?.done()?;
        let order =
            network.member("hanako", &["order", &store_number(network, "sakura")?, "bees"])?.done()?;
        let paid = network.member("hanako", &["pay", text(&order, "/order")?])?.done()?;
        let payment = text(&paid, "/number")?.to_owned();
        network.wait_for("the store's notice", |network| {
            let orders = network.store("sakura", &["orders"])?.done()?;
            Ok(list(&orders, "/orders")?.iter().any(|order| order["payment"] == payment.as_str()))
        })?;
        let words = network.store("sakura", &["claim", &payment])?.refused()?;
        ensure!(words.contains(&payment), "the refusal does not name {payment}: {words}");
        Ok(words)
    });
    journey.step("the store claims what is delivered, and the bank pays it", |network| {
        let claimable = network.store("sakura", &["claimable"])?.done()?;
        let total = number(&claimable, "/total/minor")?;
        ensure!(total > 0, "nothing is claimable");
        network.store("sakura", &["claim"])?.done()?;
        network.wait_for("the bank has the transfer", |network| Ok(network.bank().work(None)? > 0))?;
        network.wait_for("the payout is paid", |network| {
            network.store("sakura", &["sync"])?.done()?;
            let payouts = network.store("sakura", &["payouts"])?.done()?;
            Ok(list(&payouts, "/payouts")?.iter().any(|payout| payout["state"] == "paid"))
        })?;
        let sent = network.bank().movements()?.iter().any(|movement| movement.minor == -total);
        ensure!(sent, "the bank did not transfer {total}");
        network.wait_for("books and bank agree", bank_agrees)?;
        Ok(format!("{total} JPY from claim to bank confirmation"))
    });
}

/// A store's number, as its own program knows it.
pub(super) fn store_number(network: &Network, name: &str) -> Result<String> {
    let status = network.store(name, &["status"])?.done()?;
    Ok(text(&status, "/store")?.to_owned())
}

fn at_bank(network: &Network) -> Result<i64> {
    number(&overview(network)?, "/at_bank/minor")
}

fn bank_agrees(network: &Network) -> Result<bool> {
    let movements: i64 = network.bank().movements()?.iter().map(|movement| movement.minor).sum();
    Ok(at_bank(network)? == movements)
}

fn reconcile_bank(network: &Network) -> Result<()> {
    ensure!(bank_agrees(network)?, "the books' bank account is not what the bank's own books say");
    Ok(())
}
