//! The owner's acts about cashiers.

use wire::{
    amount::Amount, bounded::List, key::VerificationKey, sheet::Invitation, text::Line, till::StoreLine,
    time::Timestamp,
};

use super::Inner;
use crate::{
    act::{CashierAct, Failure, Outcome},
    book::Book,
    till::{Cashier, rules},
    view::{CashierRow, CashierState, Money, StoreLineRow},
};

/// How a cashier stands whose rights were signed with another copy of this vault.
const ELSEWHERE: (CashierState, &str) = (
    CashierState::Elsewhere,
    "the center has entered rights that this vault does not hold; certify it again, or take them away",
);
/// The fewest digits of a key that name a cashier.
const PREFIX_MIN: usize = 6;

impl Inner {
    /// Does an act about cashiers.
    pub(super) async fn cashier_act(&self, act: CashierAct) -> Result<Outcome, Failure> {
        match act {
            CashierAct::List => Ok(Outcome::Cashiers(rows(&self.keep.book(), Timestamp::now()))),
            CashierAct::Invite { addresses } => self.store_line(addresses).await,
            CashierAct::Certify { key, rights, password_b } => {
                let password_b = password_b.map(|password| password.0);
                self.settle.certify(key, Some(rights), password_b).await.map(Outcome::Resolved)
            }
            CashierAct::Revoke { cashier, password_b } => {
                let key = find(&self.keep.book(), &cashier)?;
                let password_b = password_b.map(|password| password.0);
                self.settle.certify(key, None, password_b).await.map(Outcome::Resolved)
            }
        }
    }

    /// The line that a cashier's terminal joins with.
    async fn store_line(&self, named: Vec<String>) -> Result<Outcome, Failure> {
        let pinned = self.keep.vault(|vault| vault.center().cloned()).await?;
        let store = self.keep.book().identity.as_ref().map(|identity| identity.store);
        let (Some(pinned), Some(store)) = (pinned, store) else {
            return Err(Failure::not_possible("this profile has not joined a center; run join first"));
        };
        let addresses = match (named, self.center.announced()) {
            (named, _) if !named.is_empty() => named,
            (_, announced) if !announced.is_empty() => announced,
            _ => self.config().announce,
        };
        if addresses.is_empty() {
            return Err(Failure::not_possible(
                "the counter is closed, so nobody can say where it is reached; open it (“serve”), or give \
                 --address HOST:PORT",
            ));
        }
        let key = self.keep.terminal_key().verification_key();
        let lines = |addresses: Vec<String>| -> Result<List<Line, _>, Failure> {
            let lines: Result<Vec<Line>, _> = addresses.iter().map(|address| Line::new(address)).collect();
            List::new(lines.map_err(Failure::not_possible)?).map_err(Failure::not_possible)
        };
        let center = Invitation { root: pinned.root, addresses: lines(pinned.addresses)? };
        let line = StoreLine { store, key, addresses: lines(addresses)?, center }.to_string();
        // What is printed is what can be read: an address that is none is found here and not at the cashier's.
        line.parse::<StoreLine>().map_err(Failure::not_possible)?;
        Ok(Outcome::StoreLine(StoreLineRow { line, fingerprint: key.fingerprint() }))
    }
}

/// Everybody who is or was a cashier, those in force first, by name.
pub(super) fn rows(book: &Book, now: Timestamp) -> Vec<CashierRow> {
    let known = book.staff.cashiers.iter().map(|(key, cashier)| row(book, key, cashier, now));
    let named = book.staff.entered.iter().flatten();
    let strangers = named.filter(|(key, _)| !book.staff.cashiers.contains_key(*key));
    let strangers = strangers.map(|(key, (entry, name))| {
        let cashier = Cashier { name: name.clone(), entry: Some(*entry), ..Cashier::default() };
        let (state, words) = ELSEWHERE;
        CashierRow { state, words: words.to_owned(), ..row(book, key, &cashier, now) }
    });
    let mut rows: Vec<CashierRow> = known.chain(strangers).collect();
    rows.sort_by(|a, b| {
        let gone = |row: &CashierRow| row.state == CashierState::Revoked;
        (gone(a), &a.name, a.key).cmp(&(gone(b), &b.name, b.key))
    });
    rows
}

fn row(book: &Book, key: &VerificationKey, cashier: &Cashier, now: Timestamp) -> CashierRow {
    let rights = cashier.in_force.as_ref().map(|in_force| &in_force.rights);
    let (state, words) = match (&cashier.waits, rights) {
        (Some(waiting), _) if waiting.revokes => (
            CashierState::Waiting,
            "its rights are taken away; the counter refuses it, the center has not spoken",
        ),
        (Some(_), None) => (CashierState::Waiting, "certified; the center has not said what became of it"),
        (Some(_), Some(_)) => (CashierState::Waiting, "other rights are signed; the center has not spoken"),
        (None, _) if book.staff.is_elsewhere(key) => ELSEWHERE,
        (None, Some(_)) if book.staff.rights(key).is_none() => {
            (CashierState::Revoked, "the center does not name it any more; the counter refuses it")
        }
        (None, Some(_)) => (CashierState::InForce, "its rights are in force"),
        (None, None) => (CashierState::Revoked, "its rights are gone"),
    };
    let money = |amount| Money::new(amount, book.currency());
    CashierRow {
        key: *key,
        fingerprint: key.fingerprint(),
        name: cashier.name.clone(),
        state,
        words: words.to_owned(),
        sell: rights.is_some_and(|rights| rights.sell),
        deliver: rights.is_some_and(|rights| rights.deliver),
        see_day: rights.is_some_and(|rights| rights.see_day),
        refund_limit: money(rights.map_or(Amount::ZERO, |rights| rights.refund_limit)),
        left_today: money(rules::left(book, key, now)),
        entry: cashier.entry,
    }
}

/// The cashier that a key, the beginning of one, or a name names.
fn find(book: &Book, named: &str) -> Result<VerificationKey, Failure> {
    let named = named.trim();
    let prefix = named.to_ascii_lowercase();
    let is_prefix = prefix.len() >= PREFIX_MIN && prefix.bytes().all(|b| b.is_ascii_hexdigit());
    let rows = rows(book, Timestamp::now());
    let mut found = rows.iter().filter(|row| {
        let by_key = is_prefix && row.key.to_string().starts_with(&prefix);
        by_key || (row.state != CashierState::Revoked && row.name.as_str() == named)
    });
    let shown: String = named.chars().take(80).collect();
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.key),
        (Some(_), Some(_)) => {
            Err(Failure::not_found(format!("“{shown}” names more than one cashier; give the key")))
        }
        (None, _) => Err(Failure::not_found(format!("this store has no cashier “{shown}”"))),
    }
}
