//! What is selected or shown.

use ledger::request::{Document, Standing};
use wire::id::{AccountNumber, ApplicationNumber, EntryNumber};

use super::{
    super::{
        about::{About, INTENT},
        keys::Possible,
        rows::Row as _,
        sheet::Sheet,
        tabs::Tab,
    },
    Inside,
};
use crate::{
    acts::{OperatorRow, ProposalRow},
    books::cabinet::index::Who,
    inquiry::{
        detail::Subject,
        view::{ApplicationRow, BuildRow, DeskKind, DeskRow, KeyRow},
    },
    lines::postman::{Kind, PostState},
};

impl Inside {
    /// What can be done at this moment.
    pub(super) fn possible(&self, serving: bool) -> Possible {
        let plain = !matches!(self.tab, Tab::Overview | Tab::Report | Tab::Documents);
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
    pub(super) fn receipt(&self) -> Option<DeskRow> {
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

    /// The application that is shown or selected.
    pub(super) fn application(&self) -> Option<ApplicationRow> {
        let applications = &self.screens.applications;
        match self.sheets.last() {
            Some(sheet) => match sheet.about() {
                About::Application(_) => sheet.application().cloned(),
                _ => None,
            },
            None if self.tab == Tab::Applications => applications.selected().cloned(),
            None => None,
        }
    }

    /// Whose personal data is shown or selected.
    pub(super) fn person(&self) -> Option<Who> {
        match self.sheets.last().map(Sheet::about) {
            Some(About::Subject(Subject::Account(account))) => Some(Who::Account(*account)),
            Some(About::Application(number)) => Some(Who::Application(*number)),
            Some(_) => None,
            None if self.tab == Tab::People => self.screens.people.selected().map(|row| row.who),
            None => None,
        }
    }

    /// The key of a member or store that is shown or selected.
    pub(super) fn key_row(&self) -> Option<KeyRow> {
        match self.sheets.last().map(Sheet::about) {
            Some(About::Key(key)) => Some(KeyRow::clone(key)),
            Some(_) => None,
            None if self.tab == Tab::Keys => self.screens.keys.selected().cloned(),
            None => None,
        }
    }

    /// The payment that is shown, and how it stands in words.
    pub(super) fn payment(&self) -> Option<(EntryNumber, String)> {
        let sheet = self.sheets.last()?;
        let About::Subject(Subject::Entry(number)) = sheet.about() else { return None };
        Some((*number, sheet.value("Payment")?.to_owned()))
    }

    /// The proposal that is shown or selected.
    pub(super) fn proposal(&self) -> Option<ProposalRow> {
        match self.sheets.last().map(Sheet::about) {
            Some(About::Proposal(row)) => Some(ProposalRow::clone(row)),
            Some(_) => None,
            None if self.tab == Tab::Proposals => self.screens.proposals.selected().cloned(),
            None => None,
        }
    }

    /// The operator who is shown or selected.
    pub(super) fn colleague(&self) -> Option<OperatorRow> {
        match self.sheets.last().map(Sheet::about) {
            Some(About::Operator(row)) => Some(OperatorRow::clone(row)),
            Some(_) => None,
            None if self.tab == Tab::Staff => self.screens.staff.selected().cloned(),
            None => None,
        }
    }

    /// The mail or letter that is shown or selected.
    pub(super) fn post_item(&self) -> Option<PostState> {
        let post = &self.screens.post;
        match self.sheets.last().map(Sheet::about) {
            Some(About::Post(item)) => {
                Some(post.find(&item.key()).cloned().unwrap_or_else(|| PostState::clone(item)))
            }
            Some(_) => None,
            None if self.tab == Tab::Post => post.selected().cloned(),
            None => None,
        }
    }

    /// Whose letter is shown on the post desk: the entry that intends it names the application.
    pub(super) fn letter_of(&self) -> Option<ApplicationNumber> {
        let sheet = self.sheets.last()?;
        let About::Post(item) = sheet.about() else { return None };
        let mut words = sheet.value(INTENT)?.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        words.find_map(|word| word.parse().ok()).filter(|_| item.kind == Kind::Letter)
    }

    /// The program that is shown or selected.
    pub(super) fn build(&self) -> Option<BuildRow> {
        match self.sheets.last().map(Sheet::about) {
            Some(About::Build(build)) => Some(BuildRow::clone(build)),
            Some(_) => None,
            None if self.tab == Tab::Kit => self.screens.kit.selected().cloned(),
            None => None,
        }
    }

    /// The document that is shown or selected.
    pub(super) fn document(&self) -> Option<Document> {
        match self.sheets.last().map(Sheet::about) {
            Some(About::Document(document)) => Some(*document),
            Some(_) => None,
            None if self.tab == Tab::Documents => self.screens.documents.selected(),
            None => None,
        }
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
