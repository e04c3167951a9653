//! What is selected or shown, and what can be done with it.

use ledger::request::{OperatorRole, Standing};
use wire::id::AccountNumber;

use super::{
    super::{
        about::About,
        dialogue::{Dialogue, money},
        keys::{Deed, Offer, Possible},
        rows::Row as _,
        sheet::Sheet,
        tabs::Tab,
    },
    Inside,
};
use crate::inquiry::{
    detail::Subject,
    view::{DeskKind, DeskRow},
};

impl Inside {
    /// What can be done at this moment.
    pub(super) fn possible(&self, serving: bool) -> Possible {
        let plain = !matches!(self.tab, Tab::Overview | Tab::Report);
        Possible {
            open: self.opens().is_some(),
            back: !self.sheets.is_empty(),
            register: plain && self.sheets.is_empty(),
            report: self.tab == Tab::Report && self.sheets.is_empty(),
            offers: self.offers(),
            serving,
        }
    }

    /// What Enter opens.
    pub(super) fn opens(&self) -> Option<About> {
        match self.sheets.last() {
            Some(sheet) => sheet.selected().map(About::Subject),
            None => self.screens.get(self.tab).opens(),
        }
    }

    /// The acts that what is selected or shown allows.
    fn offers(&self) -> Vec<Offer> {
        let mut offers = Vec::new();
        let mut offer = |deed, needs: OperatorRole, refused: Option<String>| {
            let may = || self.operator.may(needs).err().map(|error| error.to_string());
            offers.push(Offer { deed, refused: refused.or_else(may) });
        };
        if let Some(row) = self.receipt() {
            let settled = (!row.waiting).then(|| "this is done already".to_owned());
            offer(Deed::Assign, OperatorRole::Clerk, settled.clone());
            offer(Deed::GiveBack, OperatorRole::Supervisor, settled);
        }
        if let Some((_, frozen)) = self.standing() {
            offer(if frozen { Deed::Release } else { Deed::Freeze }, OperatorRole::Supervisor, None);
        }
        let overview = self.screens.glance.overview();
        if overview.is_some_and(|overview| overview.open && !overview.standing.is_empty()) {
            offer(Deed::AcceptClock, OperatorRole::Admin, None);
        }
        offers
    }

    /// The dialogue in which an act is prepared.
    pub(super) fn dialogue(&self, deed: Deed) -> Option<Dialogue> {
        match deed {
            Deed::Freeze | Deed::Release => {
                self.standing().map(|(of, _)| money::standing(of, deed == Deed::Freeze))
            }
            Deed::Assign => self.receipt().map(|row| money::assign(&row)),
            Deed::GiveBack => self.receipt().map(|row| money::give_back(&row)),
            Deed::AcceptClock => {
                self.screens.glance.overview().map(|overview| money::accept_clock(&overview.standing))
            }
        }
    }

    /// What is shown or selected that can be frozen, and whether it is.
    fn standing(&self) -> Option<(Standing, bool)> {
        if let Some(sheet) = self.sheets.last() {
            let of = match sheet.about() {
                About::Subject(Subject::Account(account)) => Standing::Account(*account),
                About::Subject(Subject::Card(card)) => Standing::Card(*card),
                _ => return None,
            };
            return sheet.frozen().map(|frozen| (of, frozen));
        }
        match self.tab {
            Tab::Members => {
                let row = self.screens.members.selected()?;
                Some((Standing::Account(AccountNumber::Member(row.member)), row.frozen))
            }
            Tab::Stores => {
                let row = self.screens.stores.selected()?;
                Some((Standing::Account(AccountNumber::Store(row.store)), row.frozen))
            }
            _ => None,
        }
    }

    /// The unmatched receipt that is shown or selected, as the bank desk knows it.
    fn receipt(&self) -> Option<DeskRow> {
        let bank = &self.screens.bank;
        let row = match self.sheets.last().map(Sheet::about) {
            // The desk's own rows are newer than the sheet that was opened from them.
            Some(About::Desk(row)) => bank.find(&row.key()).unwrap_or(row),
            Some(_) => return None,
            None if self.tab == Tab::Bank => bank.selected()?,
            None => return None,
        };
        (row.kind == DeskKind::Unmatched).then(|| row.clone())
    }

    /// What is selected or shown, as text.
    pub(super) fn text(&self) -> Option<String> {
        match self.sheets.last() {
            Some(sheet) => Some(sheet.text()),
            None => self.screens.get(self.tab).text(),
        }
    }

    /// What is selected or shown, whole, as JSON.
    pub(super) fn json(&self) -> Option<String> {
        match self.sheets.last() {
            Some(sheet) => sheet.json(),
            None => self.screens.get(self.tab).json(),
        }
    }
}
