//! What can be done with a center, and by whom: the same for subcommands, the control socket and the console.
//!
//! Looking at registers takes a viewer, working the bank desk a clerk, freezing and sending money back a supervisor.
//! What shows no personal data and moves nothing (`status`, `invitation`, `books verify`, `stop`) takes nobody: whoever
//! may open the control socket could end the process as well. The books check the role a second time, and whether an act
//! takes two operators: then it is proposed instead, and done when another operator confirms it.

mod decisions;
mod employ;
mod identity;
mod joining;
mod people;
mod proposals;
mod staff;

use std::{fmt, path::PathBuf};

use ledger::{
    Decision, Entry, Request,
    request::{OperatorAct, OperatorRole, Proposed, Standing},
};
use serde::{Deserialize, Serialize};
use wire::{id::EntryNumber, receipt::EntryKind, sheet::Invitation, text::Line};

pub use self::{
    identity::{Identity, Passphrase},
    joining::{JoiningAct, JoiningOutcome, Letter},
    people::{PeopleAct, PeopleOutcome, PersonRow},
    proposals::{ProposalRow, ProposedText},
    staff::{FourEyes, OperatorRow, SheetKeyRow, StaffAct, StaffOutcome},
};
use crate::{
    backup::{
        Backed,
        lost::{self, LostRow},
        schedule::{self, BackupView},
    },
    center::Center,
    errors::{ErrorLine, Room, Weight},
    inquiry::{
        desk,
        detail::{self, Subject},
        overview, registers, report, transactions,
        verify::{self, Verified, Verifying},
        view::{DeskRow, Detail, KeyRow, MemberRow, Overview, Report, StoreRow, TransactionRow},
    },
    operators::Operator,
    settlement::{self, Work},
};

/// Rows of a list where nothing else is said.
pub const ROWS: usize = 200;
/// The most rows of a list.
pub const ROWS_MAX: usize = 10_000;

/// What can be asked of a center.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// How it stands.
    Status,
    /// What people need to join.
    Invitation,
    /// The member register.
    Members(List),
    /// The store register.
    Stores(List),
    /// The key register.
    Keys(List),
    /// The transaction register, newest first.
    Transactions {
        /// What to look for, and how many.
        #[serde(flatten)]
        list: List,
        /// Only this kind.
        kind: Option<EntryKind>,
        /// Only entries before this one.
        before: Option<EntryNumber>,
    },
    /// Anything in full, by its number.
    Show {
        /// `M-`, `S-`, `C-` or `T-`.
        number: String,
    },
    /// The bank desk.
    Desk,
    /// The error log, newest first.
    Errors(List),
    /// A business day in figures.
    Report {
        /// `YYYY-MM-DD`; today when empty.
        day: Option<String>,
    },
    /// Looks at everything that must hold in the books; it ends when all of it was looked at.
    Verify,
    /// Begins to look at everything that must hold in the books, and does not wait for the end.
    BeginVerifying,
    /// How verifying stands.
    Verifying,
    /// Ends the verification that runs.
    StopVerifying,
    /// Issues the card that was asked for with an unmatched receipt.
    AssignReceipt {
        /// The receipt's entry.
        receipt: EntryNumber,
        /// The card request's entry.
        request: EntryNumber,
    },
    /// Sends an unmatched receipt back to whoever paid it.
    ReturnReceipt {
        /// The receipt's entry.
        receipt: EntryNumber,
    },
    /// Freezes or releases a card or an account.
    Standing {
        /// What.
        of: Standing,
        /// Whether it is frozen from now on.
        frozen: bool,
        /// Why.
        reason: String,
    },
    /// Something of the admission desk.
    Joining(JoiningAct),
    /// Something about people's data and keys.
    People(PeopleAct),
    /// Something about operators, proposals, limits and the center's keys.
    Staff(StaffAct),
    /// Says that the clock, which jumped, is right.
    AcceptClock,
    /// Makes a backup.
    Backup {
        /// Where: a whole path.
        folder: PathBuf,
    },
    /// How the backups stand, and how far the present one is.
    Backups,
    /// The entries that the journal lost and terminals handed in.
    Lost,
    /// Tries again to enter those that wait.
    LostAgain,
    /// Ends the program in order.
    Stop,
}

/// What to look for in a register, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Words that must all occur in a row; everything when empty.
    pub query: String,
    /// How many rows.
    pub most: usize,
}

impl List {
    /// The first rows that fit.
    pub fn of(query: impl Into<String>) -> Self {
        Self { query: query.into(), most: ROWS }
    }
}

/// What came of an act.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "data", rename_all = "kebab-case")]
pub enum Outcome {
    /// To [`Act::Status`].
    Status(Box<Overview>),
    /// To [`Act::Invitation`].
    Invitation {
        /// What people need to join.
        #[serde(with = "crate::inquiry::view::printed")]
        invitation: Invitation,
        /// The root key's fingerprint.
        fingerprint: String,
    },
    /// To [`Act::Members`].
    Members {
        /// The newest first.
        members: Vec<MemberRow>,
    },
    /// To [`Act::Stores`].
    Stores {
        /// The newest first.
        stores: Vec<StoreRow>,
    },
    /// To [`Act::Keys`].
    Keys {
        /// The newest first.
        keys: Vec<KeyRow>,
    },
    /// To [`Act::Transactions`].
    Transactions {
        /// The newest first.
        transactions: Vec<TransactionRow>,
        /// Where to go on; nothing when there is nothing older.
        next: Option<EntryNumber>,
    },
    /// To [`Act::Show`].
    Detail(Detail),
    /// To [`Act::Desk`].
    Desk {
        /// What waits first.
        desk: Vec<DeskRow>,
    },
    /// To [`Act::Errors`].
    Errors {
        /// The newest first.
        errors: Vec<ErrorLine>,
    },
    /// To [`Act::Report`].
    Report(Report),
    /// To [`Act::Joining`].
    Joining(JoiningOutcome),
    /// To [`Act::People`].
    People(PeopleOutcome),
    /// To [`Act::Staff`].
    Staff(StaffOutcome),
    /// To [`Act::Verify`].
    Verified(Verified),
    /// To [`Act::Verifying`].
    Verifying(Verifying),
    /// To [`Act::Backup`].
    Backed(Backed),
    /// To [`Act::Backups`].
    Backups(BackupView),
    /// To [`Act::Lost`].
    Lost {
        /// By log and entry.
        lost: Vec<LostRow>,
    },
    /// An entry was made.
    Entered(TransactionRow),
    /// It takes two operators: it was proposed as this entry, and another operator confirms it.
    Proposed(TransactionRow),
    /// Done; there is nothing to say but this.
    Done {
        /// A sentence.
        words: String,
    },
}

/// Why an act was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct ActError {
    /// A stable word for scripts.
    pub kind: &'static str,
    /// A sentence for people.
    pub words: String,
    /// Whether it may have been done all the same.
    pub unknown: bool,
}

impl ActError {
    fn new(kind: &'static str, words: impl fmt::Display) -> Self {
        Self { kind, words: words.to_string(), unknown: false }
    }
}

impl Act {
    /// What it takes; `None` when nobody needs to be named.
    pub fn needs(&self) -> Option<OperatorRole> {
        match self {
            Self::Status
            | Self::Invitation
            | Self::Verify
            | Self::BeginVerifying
            | Self::Verifying
            | Self::StopVerifying
            | Self::Backup { .. }
            | Self::Backups
            | Self::Stop => None,
            Self::Members(_)
            | Self::Stores(_)
            | Self::Keys(_)
            | Self::Transactions { .. }
            | Self::Show { .. }
            | Self::Desk
            | Self::Lost
            | Self::Errors(_)
            | Self::Report { .. } => Some(OperatorRole::Viewer),
            Self::AssignReceipt { .. } | Self::LostAgain => Some(OperatorRole::Clerk),
            Self::ReturnReceipt { .. } | Self::Standing { .. } => Some(OperatorRole::Supervisor),
            Self::Joining(act) => Some(act.needs()),
            Self::People(act) => Some(act.needs()),
            Self::Staff(act) => Some(act.needs()),
            Self::AcceptClock => Some(OperatorRole::Admin),
        }
    }

    /// Whether an operator of this name chooses an own passphrase with it.
    fn chooses_own_passphrase(&self, by: &str) -> bool {
        match self {
            Self::Staff(StaffAct::SetPassphrase { name, .. }) => {
                name.as_ref().is_none_or(|name| name.trim() == by)
            }
            _ => false,
        }
    }
}

impl Center {
    /// Does an act for whoever proves the identity that it takes.
    ///
    /// # Errors
    /// What was refused and why, or that nobody knows whether it was done.
    pub async fn act_as(&self, identity: Option<Identity>, act: Act) -> Result<Outcome, ActError> {
        let operator = match (act.needs(), identity) {
            (None, _) => None,
            (Some(_), Some(identity)) if act.chooses_own_passphrase(&identity.name) => {
                Some(self.believe(identity).await?)
            }
            (Some(_), Some(identity)) => Some(self.sign_in(identity).await?),
            (Some(_), None) => {
                return Err(ActError::new("no-operator", "this takes an operator; name one with --as NAME"));
            }
        };
        self.act(operator.as_ref(), act).await
    }

    /// Does an act for an operator who has signed in.
    ///
    /// # Errors
    /// As [`Center::act_as`].
    pub async fn act(&self, operator: Option<&Operator>, act: Act) -> Result<Outcome, ActError> {
        let by = match (act.needs(), operator) {
            (None, _) => String::new(),
            (Some(needs), Some(operator)) => {
                // What the books say now: the role may have changed since the operator signed in.
                let role = self.desk().state().operator(&operator.name);
                let gone =
                    || ActError::new("not-allowed", format!("{} is no operator any more", operator.name));
                let operator = Operator { role: role.ok_or_else(gone)?, ..operator.clone() };
                operator.may(needs).map_err(|error| ActError::new("not-allowed", error))?;
                operator.name
            }
            (Some(_), None) => return Err(ActError::new("no-operator", "this takes an operator")),
        };
        match act {
            Act::AssignReceipt { receipt, request } => {
                let assign = Request::AssignReceipt { by: by.clone(), receipt, request };
                self.enter_own(&by, assign, Vec::new()).await
            }
            Act::ReturnReceipt { receipt } => {
                self.can_go_back(receipt).await?;
                let give_back = Request::ReturnReceipt { by: by.clone(), receipt };
                self.enter_own(&by, give_back, Vec::new()).await
            }
            Act::Standing { of, frozen, reason } => {
                let reason = stated(&reason)?;
                self.enter(settlement::Act::Standing { by, of, frozen, reason }).await
            }
            Act::Joining(act) => self.join(by, act).await,
            Act::People(act) => self.people(by, act).await,
            Act::Staff(act) => self.staff(by, act).await,
            Act::AcceptClock => {
                self.note(&by, OperatorAct::AcceptClock).await?;
                self.desk().accept_clock();
                self.errors().tell(Room::Operators, Weight::Note, format!("{by} accepted the clock."));
                Ok(Outcome::Done { words: "The desk goes by this computer's clock again.".into() })
            }
            Act::LostAgain => {
                let entered = lost::all_again(self).await;
                let entered = entered.map_err(|problem| ActError::new("books", problem))?;
                Ok(Outcome::Done { words: format!("{entered} of the lost entries were entered again.") })
            }
            Act::BeginVerifying => {
                if self.verifier().progress().is_some() {
                    return Err(ActError::new("being-verified", "the books are being verified already"));
                }
                let center = self.clone();
                // What comes of it stands in the overview and, where something is wrong, in the error log.
                tokio::task::spawn_blocking(move || verify::running(&center).map(drop));
                let words = "The books are being verified; the overview shows how far it is.";
                Ok(Outcome::Done { words: words.into() })
            }
            Act::Stop => {
                self.stop();
                Ok(Outcome::Done { words: "The center is closing.".into() })
            }
            look => {
                let center = self.clone();
                let looked = tokio::task::spawn_blocking(move || center.look(look)).await;
                looked.unwrap_or_else(|_| {
                    Err(ActError::new("internal", "this could not be looked at: an error in the program"))
                })
            }
        }
    }

    fn look(&self, look: Act) -> Result<Outcome, ActError> {
        let unreadable = |error: crate::books::BooksError| ActError::new("books", error);
        let most = |list: &List| list.most.clamp(1, ROWS_MAX);
        Ok(match look {
            Act::Status => Outcome::Status(Box::new(overview::look(self))),
            Act::Invitation => {
                let invitation =
                    self.config().invitation().map_err(|words| ActError::new("config", words))?;
                let fingerprint = invitation.root.fingerprint();
                Outcome::Invitation { invitation, fingerprint }
            }
            Act::Members(list) => Outcome::Members {
                members: registers::members(self, &list.query, most(&list)).map_err(unreadable)?,
            },
            Act::Stores(list) => Outcome::Stores {
                stores: registers::stores(self, &list.query, most(&list)).map_err(unreadable)?,
            },
            Act::Keys(list) => {
                Outcome::Keys { keys: registers::keys(self, &list.query, most(&list)).map_err(unreadable)? }
            }
            Act::Transactions { list, kind, before } => {
                let found = transactions::transactions(self, &list.query, kind, before, most(&list))
                    .map_err(unreadable)?;
                Outcome::Transactions { transactions: found.rows, next: found.next }
            }
            Act::Show { number } => {
                let subject: Subject = number.parse().map_err(|words| ActError::new("usage", words))?;
                let found = detail::detail(self, subject).map_err(unreadable)?;
                Outcome::Detail(
                    found.ok_or_else(|| {
                        ActError::new("not-found", format!("there is no {}", number.trim()))
                    })?,
                )
            }
            Act::Desk => Outcome::Desk { desk: desk::items(self).map_err(unreadable)? },
            Act::Errors(list) => Outcome::Errors { errors: self.errors().newest(&list.query, most(&list)) },
            Act::Report { day } => {
                let report =
                    report::report(self, day.as_deref()).map_err(|words| ActError::new("refused", words))?;
                Outcome::Report(report)
            }
            Act::Verify => Outcome::Verified(
                verify::running(self).map_err(|words| ActError::new("being-verified", words))?,
            ),
            Act::Verifying => Outcome::Verifying(self.verifier().verifying(self)),
            Act::Backup { folder } => {
                Outcome::Backed(self.back_up(&folder).map_err(|error| ActError::new("backup", error))?)
            }
            Act::Backups => Outcome::Backups(schedule::look(self)),
            Act::Lost => Outcome::Lost { lost: lost::rows(self).map_err(unreadable)? },
            Act::StopVerifying => {
                let words = match self.verifier().cancel() {
                    true => "The verification is ended.",
                    false => "The books are not being verified.",
                };
                Outcome::Done { words: words.into() }
            }
            Act::AssignReceipt { .. }
            | Act::ReturnReceipt { .. }
            | Act::Standing { .. }
            | Act::Joining(_)
            | Act::People(_)
            | Act::Staff(_)
            | Act::AcceptClock
            | Act::BeginVerifying
            | Act::LostAgain
            | Act::Stop => return Err(ActError::new("internal", "this is nothing to look at")),
        })
    }

    /// Money can go back only to an account that the bank has named.
    async fn can_go_back(&self, receipt: EntryNumber) -> Result<(), ActError> {
        let kept = self.desk().state().receipt(receipt).cloned();
        let Some(kept) = kept else {
            return Err(ActError::new("not-found", format!("{receipt} is no unmatched receipt")));
        };
        let center = self.clone();
        let party = tokio::task::spawn_blocking(move || desk::payer(&center, &kept)).await.ok().flatten();
        let account =
            party.ok_or_else(|| "the bank's words on who paid are gone".to_owned()).and_then(|party| {
                crate::lines::bank::account::parse(
                    party.name.as_str(),
                    party.account.as_str(),
                    party.bic.as_str(),
                )
            });
        account.map(|_| ()).map_err(|why| {
            ActError::new(
                "refused",
                format!("{receipt} cannot be sent back by itself: {why}; assign it, or ask the bank"),
            )
        })
    }

    async fn enter(&self, act: settlement::Act) -> Result<Outcome, ActError> {
        self.enter_work(Work::act(act)).await
    }

    /// Enters what an operator asks, with what belongs beside it; what takes two operators is proposed.
    async fn enter_own(&self, by: &str, request: Request, evidence: Vec<u8>) -> Result<Outcome, ActError> {
        let proposed = Proposed::of(&request).filter(|act| ledger::four_eyes(&self.desk().state(), act));
        let request = match proposed {
            Some(act) => Request::Propose { by: by.to_owned(), act: Box::new(act) },
            None => request,
        };
        self.enter_request(request, evidence).await
    }

    /// Enters what an operator does beside the books, before it is done.
    async fn note(&self, by: &str, act: OperatorAct) -> Result<(), ActError> {
        self.enter_request(Request::Note { by: by.to_owned(), act }, Vec::new()).await.map(drop)
    }

    /// Enters what an operator asks as it is.
    async fn enter_request(&self, request: Request, evidence: Vec<u8>) -> Result<Outcome, ActError> {
        let telegram = || ActError::new("internal", "this comes as a telegram only");
        self.enter_work(Work::own(request, evidence).ok_or_else(telegram)?).await
    }

    /// What an entry says of an act.
    fn outcome_of(&self, entry: &Entry) -> Result<Outcome, ActError> {
        let row = || crate::inquiry::words::row(entry, self.local());
        match &entry.decision {
            Decision::Refused(refusal) => Err(ActError::new("refused", crate::books::said(refusal))),
            Decision::Done(ledger::Outcome::Proposed) => Ok(Outcome::Proposed(row())),
            Decision::Done(_) => Ok(Outcome::Entered(row())),
        }
    }

    async fn enter_work(&self, work: Work) -> Result<Outcome, ActError> {
        use crate::settlement::DeskError;
        match self.desk().submit(work).await {
            Ok(answer) => self.outcome_of(&answer.record.entry),
            Err(error @ (DeskError::Unknown(_) | DeskError::Unreadable(_))) => {
                Err(ActError { unknown: true, ..ActError::new("unknown", error) })
            }
            Err(error) => Err(ActError::new("refused", error)),
        }
    }
}

/// A reason: it stands in the books for ever, and every console shows it.
fn stated(reason: &str) -> Result<String, ActError> {
    let reason = Line::new(reason.trim())
        .map_err(|error| ActError::new("usage", format!("the reason: {error}")))?
        .to_string();
    if reason.is_empty() {
        return Err(ActError::new("usage", "say why: the reason stands in the books"));
    }
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_survive_the_control_socket() {
        let acts = [
            Act::Status,
            Act::Members(List::of("aiko")),
            Act::Transactions {
                list: List::of("x"),
                kind: Some(EntryKind::Payment),
                before: Some(EntryNumber(7)),
            },
            Act::Standing {
                of: Standing::Card(wire::id::CardNumber(1)),
                frozen: true,
                reason: "lost".into(),
            },
        ];
        for act in acts {
            let json = serde_json::to_string(&act).unwrap();
            let back: Act = serde_json::from_str(&json).unwrap();
            assert_eq!(format!("{back:?}"), format!("{act:?}"), "{json}");
        }
    }
}
