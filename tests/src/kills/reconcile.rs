//! What must be true when everything is back: vaults, books and the bank tell the same, to the yen.

use std::collections::BTreeMap;

use color_eyre::eyre::{Context as _, Result, ensure, eyre};
use serde_json::Value;

use super::{LOADED, SHOP, World, minor, rows, text};

/// Each payment by its transaction number, and how much.
type Payments = BTreeMap<String, i64>;

/// States of a purchase that took money.
const PAID: [&str; 3] = ["settled", "fetched", "delivered"];
/// States that wait for a word of the center.
const OPEN: [&str; 2] = ["signed", "unknown"];
/// How many receipts are verified, newest first.
const RECEIPTS: usize = 5;

impl World {
    /// After each death: every member asks about what is unknown and gets an answer; no card has lost or gained.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub(super) fn check(&self) -> Result<()> {
        for member in &self.members {
            self.paid_by(member)?;
        }
        Ok(())
    }

    /// When everything is over: all is delivered, claimed and paid out, and everyone's books are held against everyone
    /// else's. The center is stopped in order and its books verified. Gives how many payments there were.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn reconcile(&mut self) -> Result<usize> {
        let mut of_members = Payments::new();
        for member in &self.members {
            for (number, amount) in self.paid_by(member)? {
                ensure!(of_members.insert(number.clone(), amount).is_none(), "{number} is two purchases");
            }
            self.fetch_all(member)?;
            self.verify_receipts(member)?;
        }
        let network = &self.network;
        let books = network.center(&["transactions", "--kind", "payment", "--all"])?.done()?;
        let mut of_center = Payments::new();
        for row in rows(&books, "transactions")?.iter().filter(|row| row["refused"] == false) {
            of_center.insert(text(&row["number"])?.to_owned(), minor(&row["amount"])?);
        }
        ensure!(
            of_center == of_members,
            "payments at the center {of_center:?}, of the members {of_members:?}"
        );
        let mut of_store = Payments::new();
        network
            .wait_for("the store's notices", |network| {
                let orders = network.store(SHOP, &["orders"])?.done()?;
                of_store.clear();
                for order in rows(&orders, "orders")? {
                    let Some(payment) = order["payment"].as_str() else { continue };
                    let twice = of_store.insert(payment.to_owned(), minor(&order["total"])?);
                    ensure!(twice.is_none(), "{payment} pays two orders");
                }
                Ok(of_store == of_center)
            })
            .wrap_err_with(|| format!("the store has {of_store:?}, the center {of_center:?}"))?;
        self.pay_out(of_center.values().sum())?;
        let network = &mut self.network;
        let overview = network.center(&["status"])?.done()?;
        ensure!(overview["light"]["balanced"] == true, "the books do not balance: {overview}");
        ensure!(network.stop_center()? == 0, "the center does not end in order");
        network.center(&["books", "verify"])?.done().wrap_err("books verify")?;
        Ok(of_center.len())
    }

    /// What a member paid, by the vault's own history, after everything unknown was asked about.
    fn paid_by(&self, member: &str) -> Result<Payments> {
        let network = &self.network;
        network.member(member, &["resolve"])?.done().wrap_err("resolve")?;
        let cards = network.member(member, &["cards"])?.done()?;
        let mut held = 0;
        for card in rows(&cards, "cards")? {
            held += minor(&card["balance"])?;
        }
        let history = network.member(member, &["history"])?.done()?;
        let mut paid = Payments::new();
        for purchase in rows(&history, "purchases")? {
            let state = text(&purchase["state"])?;
            ensure!(!OPEN.contains(&state), "{member}: nobody said what became of {purchase}");
            if PAID.contains(&state) {
                let twice = paid.insert(text(&purchase["number"])?.to_owned(), minor(&purchase["total"])?);
                ensure!(twice.is_none(), "{member}: one payment in two purchases");
            }
        }
        let sum: i64 = paid.values().sum();
        ensure!(held + sum == LOADED, "{member}: {held} on the card and {sum} paid are not {LOADED}");
        Ok(paid)
    }

    /// Fetches what is paid and not delivered.
    fn fetch_all(&self, member: &str) -> Result<()> {
        let history = self.network.member(member, &["history"])?.done()?;
        for purchase in rows(&history, "purchases")? {
            if ["settled", "fetched"].contains(&text(&purchase["state"])?) {
                self.network
                    .member(member, &["fetch", text(&purchase["order"])?])?
                    .done()
                    .wrap_err("fetch")?;
            }
        }
        Ok(())
    }

    /// Takes the newest receipts out and verifies them offline.
    fn verify_receipts(&self, member: &str) -> Result<()> {
        let network = &self.network;
        let history = network.member(member, &["history"])?.done()?;
        let numbers = rows(&history, "purchases")?.iter().filter_map(|purchase| purchase["number"].as_str());
        for number in numbers.take(RECEIPTS) {
            let file = network.root().join(format!("{member}-{number}.receipt"));
            let file = file.to_str().ok_or_else(|| eyre!("a path that is no text"))?;
            network.member(member, &["receipt", "export", number, "--out", file])?.done()?;
            let verified = network.member(member, &["receipt", "verify", file])?.done()?;
            ensure!(verified["valid"] == true, "the receipt of {number}: {verified}");
        }
        Ok(())
    }

    /// Claims the rest and waits until the bank has paid all claims, once: the sum is what members paid.
    fn pay_out(&self, paid: i64) -> Result<()> {
        let network = &self.network;
        network.store(SHOP, &["resolve"])?.done().wrap_err("the store's resolve")?;
        let claimable = network.store(SHOP, &["claimable"])?.done()?;
        if minor(&claimable["total"])? > 0 {
            network.store(SHOP, &["claim"])?.done().wrap_err("the last claim")?;
        }
        let mut seen = Value::Null;
        network
            .wait_for("the payouts", |network| {
                network.bank().work(None)?;
                network.store(SHOP, &["sync"])?.done()?;
                seen = network.store(SHOP, &["payouts"])?.done()?;
                Ok(rows(&seen, "payouts")?.iter().all(|payout| payout["state"] == "paid"))
            })
            .wrap_err_with(|| format!("{seen}"))?;
        let mut claimed = Vec::new();
        for payout in rows(&seen, "payouts")? {
            claimed.push(minor(&payout["total"])?);
        }
        ensure!(claimed.iter().sum::<i64>() == paid, "{paid} was paid, and the claims are {claimed:?}");
        let movements = network.bank().movements()?;
        let mut sent: Vec<i64> =
            movements.iter().map(|movement| -movement.minor).filter(|sent| *sent > 0).collect();
        sent.sort_unstable();
        claimed.sort_unstable();
        ensure!(sent == claimed, "the bank transferred {sent:?} for claims of {claimed:?}");
        let at_bank: i64 = movements.iter().map(|movement| movement.minor).sum();
        network.wait_for("the books' bank account to be what the bank's own books say", |network| {
            Ok(minor(&network.center(&["status"])?.done()?["at_bank"])? == at_bank)
        })
    }
}
