//! What can be done with what is selected or shown, and how it begins.

use ledger::request::OperatorRole;
use tui_kit::{Now, Tone};

use super::{
    super::{
        about::{About, INTENT},
        dialogue::{Dialogue, joining, money, people, staff},
        editing::Editing,
        keys::{Deed, Offer},
        sheet::Sheet,
        tabs::Tab,
    },
    Inside,
};
use crate::{books::cabinet::index::Who, lines::postman::State, operators::role_name};

/// Acts as they are collected, with the role that each takes and why it can't be done now.
struct Offers<'a> {
    inside: &'a Inside,
    list: Vec<Offer>,
}

impl Offers<'_> {
    /// An act, unless there is a reason against it.
    fn unless(&mut self, deed: Deed, needs: OperatorRole, refused: Option<String>) {
        let may = || self.inside.operator.may(needs).err().map(|error| error.to_string());
        self.list.push(Offer { deed, refused: refused.or_else(may) });
    }

    /// Acts that whoever has the role may do.
    fn of(&mut self, needs: OperatorRole, deeds: &[Deed]) {
        for deed in deeds {
            self.unless(*deed, needs, None);
        }
    }
}

impl Inside {
    /// The acts that what is selected or shown allows, the most wanted first.
    pub(super) fn offers(&self) -> Vec<Offer> {
        let mut offers = Offers { inside: self, list: Vec::new() };
        self.offer_joining(&mut offers);
        self.offer_staff(&mut offers);
        self.offer_people(&mut offers);
        self.offer_money(&mut offers);
        offers.list
    }

    fn offer_money(&self, offers: &mut Offers<'_>) {
        if let Some(row) = self.receipt() {
            let settled = (!row.waiting).then(|| "this is done already".to_owned());
            offers.unless(Deed::Assign, OperatorRole::Clerk, settled.clone());
            offers.unless(Deed::GiveBack, OperatorRole::Supervisor, settled);
        }
        if let Some((_, stands)) = self.payment() {
            let refunded = stands.starts_with("refunded").then(|| format!("it is {stands}"));
            offers.unless(Deed::Refund, OperatorRole::Clerk, refunded);
        }
        if let Some((_, frozen)) = self.standing() {
            let deed = if frozen { Deed::Release } else { Deed::Freeze };
            offers.unless(deed, OperatorRole::Supervisor, None);
        }
        let overview = self.screens.glance.overview();
        if overview.is_some_and(|overview| overview.open && !overview.standing.is_empty()) {
            offers.unless(Deed::AcceptClock, OperatorRole::Admin, None);
        }
        if let Some(overview) = overview.filter(|_| self.tab == Tab::Overview && self.sheets.is_empty()) {
            let running = overview.verifying.running.is_some();
            offers.of(OperatorRole::Viewer, &[if running { Deed::StopVerifying } else { Deed::Verify }]);
        }
    }

    fn offer_joining(&self, offers: &mut Offers<'_>) {
        if let Some(row) = self.application() {
            match row.state.as_str() {
                "waiting" => offers.of(OperatorRole::Clerk, &[Deed::Admit, Deed::AskBack, Deed::Refuse]),
                "asked-back" => offers.of(OperatorRole::Clerk, &[Deed::Refuse]),
                "admitted" | "code-spent" => {
                    offers.of(OperatorRole::Supervisor, &[Deed::Recode]);
                    offers.of(OperatorRole::Clerk, &[Deed::Letter, Deed::Refuse]);
                    offers.of(OperatorRole::Supervisor, &[Deed::Override]);
                }
                _ => {}
            }
            let gone = row.name.is_empty() && row.email.is_empty();
            let refused = gone.then(|| "nothing of what was filled in is here any more".to_owned());
            offers.unless(Deed::Reveal, OperatorRole::Clerk, refused);
            if !self.sheets.is_empty() && self.tab == Tab::Applications {
                offers.of(OperatorRole::Viewer, &[Deed::Further, Deed::Former]);
            }
        }
        if self.document().is_some() {
            offers.of(OperatorRole::Admin, &[Deed::Edit]);
            offers.of(OperatorRole::Viewer, &[Deed::Versions]);
        }
        if let Some(item) = self.post_item() {
            let free = matches!(item.state, State::Waiting | State::Failed);
            let settled = (!free).then(|| "it is done with, or goes out at this moment".to_owned());
            offers.unless(Deed::Retry, OperatorRole::Clerk, settled.clone());
            if self.letter_of().is_some() {
                offers.unless(Deed::Letter, OperatorRole::Clerk, settled.clone());
            }
            offers.unless(Deed::GiveUp, OperatorRole::Clerk, settled);
        }
        if self.tab == Tab::Kit && self.sheets.is_empty() {
            offers.of(OperatorRole::Admin, &[Deed::AddBuild]);
        }
        if self.build().is_some() {
            offers.of(OperatorRole::Admin, &[Deed::RemoveBuild]);
        }
    }

    fn offer_staff(&self, offers: &mut Offers<'_>) {
        if let Some(row) = self.proposal() {
            let own = (row.by == self.operator.name)
                .then(|| "you proposed it; another operator confirms it".to_owned());
            let less = (self.operator.role < row.role).then(|| {
                format!("it takes a {}, and you are {}", role_name(row.role), role_name(self.operator.role))
            });
            let stranger = if own.is_some() { None } else { less.clone() };
            offers.unless(Deed::Confirm, OperatorRole::Viewer, own.or(less));
            offers.unless(Deed::Withdraw, OperatorRole::Viewer, stranger);
        }
        if self.tab == Tab::Staff && self.sheets.is_empty() {
            offers.of(OperatorRole::Admin, &[Deed::AddOperator]);
        }
        if let Some(row) = self.colleague() {
            offers.of(OperatorRole::Admin, &[Deed::ChangeRole, Deed::RemoveOperator]);
            let own = row.name == self.operator.name;
            offers.of(if own { OperatorRole::Viewer } else { OperatorRole::Admin }, &[Deed::SetPassphrase]);
        }
        if self.tab == Tab::Staff && self.sheets.is_empty() {
            offers.of(OperatorRole::Viewer, &[Deed::Limits]);
        }
        if matches!(self.sheets.last().map(Sheet::about), Some(About::Limits)) {
            offers.of(OperatorRole::Admin, &[Deed::SetLimits]);
        }
        if self.tab == Tab::Sheet && self.sheets.is_empty() {
            offers.of(OperatorRole::Admin, &[Deed::Rotate]);
        }
    }

    fn offer_people(&self, offers: &mut Offers<'_>) {
        match self.person() {
            Some(Who::Account(_)) => {
                offers.of(OperatorRole::Clerk, &[Deed::Reveal]);
                offers.of(OperatorRole::Admin, &[Deed::Export, Deed::Erase]);
            }
            Some(Who::Application(_)) => offers.of(OperatorRole::Admin, &[Deed::Erase]),
            None => {}
        }
        if let Some(key) = self.key_row() {
            let past = (!key.in_force).then(|| "it is not in force any more".to_owned());
            offers.unless(Deed::RevokeKey, OperatorRole::Supervisor, past);
        }
    }

    /// Begins to do something with what is selected or shown.
    pub(super) fn begin(&mut self, now: Now, deed: Deed) {
        match deed {
            Deed::Further => self.step(1),
            Deed::Former => self.step(-1),
            Deed::Limits => self.sheets.push(Sheet::new(About::Limits, &self.times)),
            Deed::Versions => {
                if let Some(document) = self.document() {
                    self.sheets.push(Sheet::new(About::Versions(document), &self.times));
                }
            }
            Deed::Edit => {
                let base = self.document().and_then(|document| self.screens.documents.in_force(document));
                match base {
                    Some(base) => self.editing = Some(Editing::new(base)),
                    None => self.toasts.say(now, Tone::Warn, "the document is still on its way"),
                }
            }
            deed => self.dialogue = self.dialogue(deed),
        }
    }

    /// Opens the application so many lines further in the list.
    fn step(&mut self, lines: isize) {
        self.screens.applications.step(lines, &self.times);
        if let Some(row) = self.screens.applications.selected() {
            let about = About::Application(row.number);
            self.sheets.pop();
            self.sheets.push(Sheet::new(about, &self.times));
        }
    }

    /// The dialogue in which an act is prepared.
    fn dialogue(&self, deed: Deed) -> Option<Dialogue> {
        let overview = self.screens.glance.overview();
        match deed {
            Deed::Freeze | Deed::Release => {
                self.standing().map(|(of, _)| money::standing(of, deed == Deed::Freeze))
            }
            Deed::Assign => self.receipt().map(|row| money::assign(&row)),
            Deed::GiveBack => self.receipt().map(|row| money::give_back(&row)),
            Deed::AcceptClock => overview.map(|overview| money::accept_clock(&overview.standing)),
            Deed::Verify => overview.map(|overview| money::verify(overview.entries)),
            Deed::StopVerifying => Some(money::stop_verifying()),
            Deed::Reveal => match (self.application(), self.person()) {
                (Some(row), _) => Some(joining::reveal(row.number)),
                (None, Some(Who::Account(account))) => Some(people::reveal(account)),
                (None, _) => None,
            },
            Deed::Admit => self.application().map(|row| joining::admit(&row)),
            Deed::AskBack => self.application().map(|row| joining::decline(&row, true)),
            Deed::Refuse => self.application().map(|row| joining::decline(&row, false)),
            Deed::Recode => self.application().map(|row| joining::recode(&row)),
            Deed::Override => self.application().map(|row| joining::override_key(&row)),
            Deed::Letter => {
                let number = self.application().map(|row| row.number).or_else(|| self.letter_of());
                number.map(joining::letter)
            }
            Deed::Retry => self.post_item().map(|item| joining::retry(&item)),
            Deed::GiveUp => self.post_item().map(|item| joining::give_up(&item)),
            Deed::AddBuild => Some(joining::add_build()),
            Deed::RemoveBuild => self.build().map(|build| joining::remove_build(&build)),
            Deed::Export => self.person().map(people::export),
            Deed::Erase => self.person().map(people::erase),
            Deed::RevokeKey => self.key_row().map(|key| people::revoke(&key)),
            Deed::Refund => {
                let sheet = self.sheets.last()?;
                self.payment().map(|(number, _)| staff::refund(number, sheet.value(INTENT)))
            }
            Deed::Confirm => self.proposal().map(|row| staff::confirm(&row)),
            Deed::Withdraw => self.proposal().map(|row| staff::withdraw(&row)),
            Deed::AddOperator => Some(staff::add()),
            Deed::ChangeRole => self.colleague().map(|row| staff::change_role(&row)),
            Deed::RemoveOperator => self.colleague().map(|row| staff::remove(&row)),
            Deed::SetPassphrase => {
                let own = |name: &str| name == self.operator.name;
                self.colleague().map(|row| staff::set_passphrase(&row.name, own(&row.name)))
            }
            Deed::SetLimits => overview.map(|overview| staff::limits(overview.currency)),
            Deed::Rotate => Some(staff::rotate()),
            Deed::Further | Deed::Former | Deed::Edit | Deed::Versions | Deed::Limits => None,
        }
    }
}
