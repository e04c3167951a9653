//! Two operators: what one proposes, the other confirms on another console.

use color_eyre::eyre::{Result, ensure, eyre};

use super::{Journey, balance, console, list, money::store_number, text};
use crate::network::{Network, secrets};

/// Four eyes above a limit, from two consoles.
pub(super) fn four_eyes(journey: &mut Journey<'_>) {
    journey.step("with a single operator four eyes are off, and the settings say so", |network| {
        let limits = network.center(&["limits", "set", "--refund-alone", "100"])?.done()?;
        ensure!(limits["number"].is_string(), "the limit is no entry: {limits}");
        let shown = network.center(&["limits", "show"])?.done()?;
        let on = list(&shown, "/four_eyes")?.iter().any(|row| row["on"] == true);
        ensure!(!on, "somebody else is needed where nobody else is: {shown}");
        Ok(format!("one gives back up to {} alone", text(&shown, "/refund_alone/text")?))
    });
    journey.step("a second operator joins the staff", |network| {
        network.add_operator("bo", "clerk")?;
        let operators = network.center(&["operators"])?.done()?;
        let named: Vec<&str> =
            list(&operators, "/operators")?.iter().filter_map(|row| row["name"].as_str()).collect();
        ensure!(named == ["ada", "bo"], "the operators are {named:?}");
        let mine = network.center_as(("bo", "bo"), &["operator", "remove", "ada"])?.refused()?;
        Ok(format!("{}; what a clerk may not: “{mine}”", named.join(" and ")))
    });
    journey.step(
        "a refund above the limit is proposed on one console and confirmed on the other",
        |network| {
            let ume = store_number(network, "ume")?;
            let before = balance(network, "taro")?;
            let order = network.member("taro", &["order", &ume, "moon"])?.done()?;
            let paid = network.member("taro", &["pay", text(&order, "/order")?])?.done()?;
            let words = from_two_consoles(network, text(&paid, "/number")?)?;
            network.member("taro", &["sync"])?.done()?;
            ensure!(balance(network, "taro")? == before, "the money is not back on the card");
            Ok(words)
        },
    );
    journey.step("nobody confirms the own proposal, and what is dropped is not done", |network| {
        let ume = store_number(network, "ume")?;
        let order = network.member("taro", &["order", &ume, "moon"])?.done()?;
        let paid = network.member("taro", &["pay", text(&order, "/order")?])?.done()?;
        let before = balance(network, "taro")?;
        let refund = ["refund", text(&paid, "/number")?, "--reason", "the store closed"];
        let proposed = network.center(&refund)?.done()?;
        let proposal = text(&proposed, "/number")?;
        let own = network.center(&["confirm", proposal])?.refused()?;
        network.center_as(("bo", "bo"), &["withdraw", proposal])?.done()?;
        let late = network.center_as(("bo", "bo"), &["confirm", proposal])?.refused()?;
        ensure!(balance(network, "taro")? == before, "money moved");
        network.member("taro", &["fetch", text(&order, "/order")?])?.done()?;
        Ok(format!("“{own}”; “{late}”"))
    });
}

/// The payment is given back: proposed by one, who can't finish it, and confirmed by the other.
fn from_two_consoles(network: &Network, payment: &str) -> Result<String> {
    let mut other = console::sign_in(network, "bo", secrets::SECOND)?;
    other.keys("0")?;
    other.wait_until("no proposals", |shown| shown.contains("Proposals"))?;
    let mut desk = console::sign_in(network, "ada", secrets::OPERATOR)?;
    desk.keys("5")?;
    desk.wait(payment)?;
    desk.keys(&format!("/{payment}<enter>"))?;
    desk.wait_until("the payment alone", |shown| shown.contains(payment) && shown.contains("1/"))?;
    desk.keys("<enter>")?;
    desk.wait("Evidence kept")?;
    desk.keys("b")?;
    desk.wait("eason")?;
    desk.keys("the goods were broken<tab><enter>")?;
    desk.wait("Type its number")?;
    desk.type_text(payment)?;
    desk.keys("<enter>")?;
    desk.wait("roposed")?;
    // Nobody has touched the other console: the proposal comes to it.
    let shown = other.wait("ada refunds")?;
    let row = shown.lines().find(|line| line.contains("ada refunds"));
    let words = row.map(str::trim).ok_or_else(|| eyre!("no proposal is listed:\n{shown}"))?.to_owned();
    let proposal =
        words.split_whitespace().find(|word| word.starts_with("T-")).unwrap_or_default().to_owned();
    other.keys("a")?;
    other.wait("its number")?;
    other.type_text(&proposal)?;
    other.keys("<enter>")?;
    network.wait_for("the refund", |network| {
        let refunds = network.center(&["transactions", payment])?.done()?;
        Ok(list(&refunds, "/transactions")?
            .iter()
            .any(|row| row["kind"] == "refund" && row["refused"] == false))
    })?;
    console::leave(&mut desk)?;
    console::leave(&mut other)?;
    Ok(words)
}
