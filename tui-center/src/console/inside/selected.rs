//! What is selected or shown, and what can be done with it.

use ledger::request::{OperatorRole, Standing};
use serde::Serialize;
use wire::id::AccountNumber;

use super::{
    super::{
        keys::Possible,
        rows::Row as _,
        sheet::{About, Sheet},
    },
    Inside, Tab,
};
use crate::inquiry::{
    detail::Subject,
    view::{DeskKind, DeskRow},
};

impl Inside {
    /// What can be done at this moment.
    pub(super) fn possible(&self, serving: bool) -> Possible {
        let may = |role: OperatorRole| self.operator.may(role).err().map(|error| error.to_string());
        let receipt = self.receipt();
        let settled = receipt
            .as_ref()
            .and_then(|row| if row.waiting { None } else { Some("this is done already".to_owned()) });
        let register = !matches!(self.tab(), Tab::Overview | Tab::Report) && self.sheets.is_empty();
        Possible {
            open: self.opens().is_some(),
            back: !self.sheets.is_empty(),
            register,
            report: self.tab() == Tab::Report && self.sheets.is_empty(),
            standing: self.standing().map(|(_, frozen)| !frozen),
            standing_refused: may(OperatorRole::Supervisor),
            receipt: receipt.is_some(),
            assign_refused: settled.clone().or_else(|| may(OperatorRole::Clerk)),
            give_back_refused: settled.or_else(|| may(OperatorRole::Supervisor)),
            clock: self
                .glance
                .overview()
                .is_some_and(|overview| overview.open && !overview.standing.is_empty()),
            clock_refused: may(OperatorRole::Admin),
            serving,
        }
    }

    /// What Enter opens.
    pub(super) fn opens(&self) -> Option<About> {
        if let Some(sheet) = self.sheets.last() {
            return sheet.selected().map(About::Subject);
        }
        match self.tab() {
            Tab::Overview => self.glance.selected().map(|entry| About::Subject(Subject::Entry(entry))),
            Tab::Members => self.members.subject().map(About::Subject),
            Tab::Stores => self.stores.subject().map(About::Subject),
            Tab::Transactions => self.transactions.subject().map(About::Subject),
            Tab::Keys => self.keys.selected().map(|key| About::Key(Box::new(key.clone()))),
            Tab::Desk => self.desk.selected().map(|row| About::Desk(Box::new(row.clone()))),
            Tab::Errors => self.errors.selected().map(|line| About::Error(Box::new(line.clone()))),
            Tab::Report => None,
        }
    }

    /// What is shown or selected that can be frozen, and whether it is.
    pub(super) fn standing(&self) -> Option<(Standing, bool)> {
        if let Some(sheet) = self.sheets.last() {
            let of = match sheet.about() {
                About::Subject(Subject::Account(account)) => Standing::Account(*account),
                About::Subject(Subject::Card(card)) => Standing::Card(*card),
                _ => return None,
            };
            return sheet.frozen().map(|frozen| (of, frozen));
        }
        match self.tab() {
            Tab::Members => {
                let row = self.members.selected()?;
                Some((Standing::Account(AccountNumber::Member(row.member)), row.frozen))
            }
            Tab::Stores => {
                let row = self.stores.selected()?;
                Some((Standing::Account(AccountNumber::Store(row.store)), row.frozen))
            }
            _ => None,
        }
    }

    /// The unmatched receipt that is shown or selected, as the bank desk knows it.
    pub(super) fn receipt(&self) -> Option<DeskRow> {
        let row = match self.sheets.last().map(Sheet::about) {
            // The desk's own rows are newer than the sheet that was opened from them.
            Some(About::Desk(row)) => self.desk.find(&row.key()).unwrap_or(row),
            Some(_) => return None,
            None if self.tab() == Tab::Desk => self.desk.selected()?,
            None => return None,
        };
        (row.kind == DeskKind::Unmatched).then(|| row.clone())
    }

    /// What is selected or shown, as text.
    pub(super) fn text(&self) -> Option<String> {
        if let Some(sheet) = self.sheets.last() {
            return Some(sheet.text());
        }
        match self.tab() {
            Tab::Overview => self.glance.selected().map(|entry| entry.to_string()),
            Tab::Members => self.members.selected().map(|row| row.member.to_string()),
            Tab::Stores => self.stores.selected().map(|row| row.store.to_string()),
            Tab::Keys => self.keys.selected().map(|row| row.key.clone()),
            Tab::Transactions => self.transactions.selected().map(|row| row.number.to_string()),
            Tab::Desk => self.desk.selected().map(|row| row.number.to_string()),
            Tab::Errors => self.errors.selected().map(|line| line.words.to_string()),
            Tab::Report => self.day.report().map(|_| self.day.text()),
        }
    }

    /// What is selected or shown, whole, as JSON.
    pub(super) fn json(&self) -> Option<String> {
        fn json(thing: Option<&impl Serialize>) -> Option<String> {
            serde_json::to_string_pretty(thing?).ok()
        }
        if let Some(sheet) = self.sheets.last() {
            return json(sheet.found());
        }
        match self.tab() {
            Tab::Overview => json(self.glance.overview()),
            Tab::Members => json(self.members.selected()),
            Tab::Stores => json(self.stores.selected()),
            Tab::Keys => json(self.keys.selected()),
            Tab::Transactions => json(self.transactions.selected()),
            Tab::Desk => json(self.desk.selected()),
            Tab::Errors => json(self.errors.selected()),
            Tab::Report => json(self.day.report()),
        }
    }
}
