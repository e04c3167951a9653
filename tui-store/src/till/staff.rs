//! The cashiers of this store, as the outbox and the records tell them.

use std::collections::{BTreeMap, BTreeSet};

use vault::{Item, State};
use wire::{
    amount::Amount,
    codec::Malformed,
    id::{EntryNumber, TelegramId},
    key::VerificationKey,
    message::{CashierView, Effect, Verdict},
    payload::{CashierChange, CashierRights, Refund, Rights, TerminalCertificate},
    telegram::{Kind, Payload, Telegram},
    text::Line,
    time::Timestamp,
};

use crate::record::{self, AtTill, Did, Ending, Purpose};

/// The most things done at tills that are kept in memory for the day's figures; a busy day has a few thousand.
const DONE_MAX: usize = 100_000;

/// Everybody who is or was a cashier.
#[derive(Debug, Default)]
pub(crate) struct Staff {
    pub(crate) cashiers: BTreeMap<VerificationKey, Cashier>,
    /// What cashiers did besides giving payments back, oldest first.
    pub(crate) done: Vec<AtTill>,
    /// The payments that the owner gave back with the signature key, or may have.
    pub(crate) by_owner: BTreeMap<TelegramId, GivenBack>,
    /// Items of the catalogue that are not sold now.
    pub(crate) paused: BTreeSet<Line>,
    /// The cashiers that the center named when the line was made, with the entry and name of each: another copy of
    /// this vault, or the vault before it was restored, may have changed them. `None` before it was asked.
    pub(crate) entered: Option<BTreeMap<VerificationKey, (EntryNumber, Line)>>,
    /// The signature keys that certified cashiers: a certificate under another key is none of ours.
    pub(crate) issuers: BTreeSet<VerificationKey>,
}

/// One who is or was a cashier.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cashier {
    /// The name in the newest change that was signed.
    pub(crate) name: Line,
    /// What the center has entered; `None` before it did, and when the rights are gone.
    pub(crate) in_force: Option<InForce>,
    /// The newest entry about it.
    pub(crate) entry: Option<EntryNumber>,
    /// A change that the center has not spoken about.
    pub(crate) waits: Option<Waiting>,
    /// The payments that it gave back, or may have.
    pub(crate) refunds: BTreeMap<TelegramId, GivenBack>,
}

/// Rights that the center has entered.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) rights: CashierRights,
    /// The key event that the cashier's telegrams name.
    pub(crate) entry: EntryNumber,
    pub(crate) certificate: Telegram,
}

/// A change whose outcome is not known.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) telegram: TelegramId,
    /// Whether it takes the rights away.
    pub(crate) revokes: bool,
}

/// A payment that was given back, or may have been.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GivenBack {
    pub(crate) amount: Amount,
    /// By the center's clock once it is entered, by the store's before.
    pub(crate) at: Timestamp,
}

impl Staff {
    /// The rights of a key that count at this counter now: what was signed here, unless it is being taken away or the
    /// center has named something else.
    pub(crate) fn rights(&self, key: &VerificationKey) -> Option<&InForce> {
        let cashier = self.cashiers.get(key)?;
        let going = cashier.waits.as_ref().is_some_and(|waiting| waiting.revokes);
        let in_force = cashier.in_force.as_ref().filter(|_| !going)?;
        let stands = |entered: &BTreeMap<_, (EntryNumber, Line)>| {
            entered.get(key).is_some_and(|(entry, _)| *entry == in_force.entry)
        };
        self.entered.as_ref().is_none_or(stands).then_some(in_force)
    }

    /// The name of one who is or was a cashier; empty where the key is nobody's.
    pub(crate) fn name(&self, key: &VerificationKey) -> Line {
        self.cashiers.get(key).map(|cashier| cashier.name.clone()).unwrap_or_default()
    }

    /// Whether the center has entered rights of this key that this vault does not hold.
    pub(crate) fn is_elsewhere(&self, key: &VerificationKey) -> bool {
        let here = self.cashiers.get(key).and_then(|cashier| cashier.entry);
        let entered = self.entered.as_ref().and_then(|entered| entered.get(key));
        entered.is_some_and(|(entry, _)| Some(*entry) != here)
    }

    /// Takes in whom the center has entered.
    pub(crate) fn compare(&mut self, entered: impl IntoIterator<Item = CashierView>) {
        self.entered = Some(entered.into_iter().map(|it| (it.key, (it.entry, it.rights.name))).collect());
    }

    /// Takes in what a cashier did, which is on disk.
    pub(crate) fn apply(&mut self, at_till: &AtTill) {
        if let Did::Paused { item, paused } = &at_till.did {
            if *paused {
                self.paused.insert(item.clone());
            } else {
                self.paused.remove(item);
            }
        }
        if self.done.len() == DONE_MAX {
            self.done.drain(..DONE_MAX / 2);
        }
        self.done.push(at_till.clone());
    }

    /// Takes in how an item of the outbox stands now, if it is about cashiers.
    ///
    /// # Errors
    /// When its note or outcome is not of this program's form.
    pub(crate) fn absorb(&mut self, item: &Item) -> Result<(), Malformed> {
        match item.telegram.kind {
            Kind::CashierChange => self.changed(item),
            Kind::Refund => self.refunded(item),
            _ => Ok(()),
        }
    }

    fn changed(&mut self, item: &Item) -> Result<(), Malformed> {
        let Purpose::Cashier { certificate } = record::value("purpose", &item.note)? else { return Ok(()) };
        let change: CashierChange = peek(&item.telegram)?;
        let certified = certificate.as_ref().and_then(|it| it.verify_self::<TerminalCertificate>().ok());
        if let Some(certified) = &certified {
            self.issuers.insert(certified.key());
        }
        // What the center entered has no name; the certificate has.
        let name = certified.and_then(|it| match it.into_payload().rights {
            Rights::Cashier(rights) => Some(rights.name),
            Rights::Owner => None,
        });
        let rights = change.rights.clone().map(|rights| match &name {
            Some(name) => CashierRights { name: name.clone(), ..rights },
            None => rights,
        });
        let id = item.telegram.id();
        let entered = match verdict(item)? {
            Some(Verdict::Done { effect: Effect::CashierChanged, receipt }) => Some(receipt.leaf.entry),
            _ => None,
        };
        // A stranger's key that the center did not take leaves nobody behind.
        if !item.state.is_open() && entered.is_none() && !self.cashiers.contains_key(&change.key) {
            return Ok(());
        }
        let cashier = self.cashiers.entry(change.key).or_default();
        if let Some(rights) = &rights
            && (entered.is_some() || cashier.in_force.is_none())
        {
            cashier.name = rights.name.clone();
        }
        if item.state.is_open() {
            cashier.waits = Some(Waiting { telegram: id, revokes: rights.is_none() });
            return Ok(());
        }
        if cashier.waits.as_ref().is_some_and(|waiting| waiting.telegram == id) {
            cashier.waits = None;
        }
        if let Some(entry) = entered
            && cashier.entry.is_none_or(|known| known < entry)
        {
            cashier.entry = Some(entry);
            match (&mut self.entered, &rights) {
                (Some(entered), Some(rights)) => {
                    drop(entered.insert(change.key, (entry, rights.name.clone())))
                }
                (Some(entered), None) => drop(entered.remove(&change.key)),
                (None, _) => {}
            }
            cashier.in_force =
                rights.zip(certificate).map(|(rights, certificate)| InForce { rights, entry, certificate });
        }
        if cashier.entry.is_none() && cashier.waits.is_none() && cashier.refunds.is_empty() {
            self.cashiers.remove(&change.key);
        }
        Ok(())
    }

    fn refunded(&mut self, item: &Item) -> Result<(), Malformed> {
        let refund: Refund = peek(&item.telegram)?;
        let id = item.telegram.id();
        let refunds = match refund.cashier {
            Some(key) => &mut self.cashiers.entry(key).or_default().refunds,
            None => &mut self.by_owner,
        };
        let at = match (verdict(item)?, item.state.is_open()) {
            (Some(Verdict::Done { receipt, .. }), _) => receipt.leaf.at,
            (_, true) => item.prepared_at,
            _ => {
                refunds.remove(&id);
                return Ok(());
            }
        };
        refunds.insert(id, GivenBack { amount: refund.amount, at });
        Ok(())
    }
}

fn verdict(item: &Item) -> Result<Option<Verdict>, Malformed> {
    let State::Closed { outcome, .. } = &item.state else { return Ok(None) };
    Ok(match record::value("outcome", outcome)? {
        Ending::Verdict(verdict) => Some(verdict),
        Ending::Registered { .. } | Ending::NotEntered { .. } => None,
    })
}

fn peek<P: Payload>(telegram: &Telegram) -> Result<P, Malformed> {
    telegram.peek().map_err(|error| Malformed { what: P::KIND.noun(), why: error.to_string() })
}
