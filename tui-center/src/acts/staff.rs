//! Acts about the staff and the center's own keys: operators, proposals, limits, refunds by the center, rotation.

use std::path::PathBuf;

use ledger::{
    Request,
    request::{DeskLimits, OperatorRole, Proposed},
};
use serde::{Deserialize, Serialize};
use wire::{amount::Amount, id::EntryNumber, sheet::SheetRole};

use super::{
    Act, ActError, Outcome, Passphrase,
    employ::told,
    proposals::{ProposalRow, ProposedText},
    stated,
};
use crate::{
    center::Center,
    errors::{Room, Weight},
    inquiry::view::Money,
    keys, operators,
    settlement::DeskError,
    voice::Rotation,
};

/// What can be asked about the staff and the center's keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum StaffAct {
    /// The operators.
    Operators,
    /// Adds an operator, or gives one another role, key and passphrase.
    Add {
        /// The name.
        name: String,
        /// What the operator may do.
        role: OperatorRole,
        /// The SSH public key's line.
        ssh_key: String,
        /// The operator's own passphrase.
        passphrase: Passphrase,
    },
    /// Gives an operator another role.
    Role {
        /// Whose.
        name: String,
        /// The new role.
        role: OperatorRole,
    },
    /// Takes an operator off.
    Remove {
        /// Whom.
        name: String,
    },
    /// Gives an operator another passphrase: the own one, or, as an admin, somebody else's.
    SetPassphrase {
        /// Whose; the own where nothing is said.
        name: Option<String>,
        /// The new one.
        passphrase: Passphrase,
    },
    /// What waits for a second operator.
    Proposals,
    /// One of these with the text that it puts in force, where it does.
    Proposal {
        /// The proposal's entry.
        proposal: EntryNumber,
    },
    /// Does what another operator proposed.
    Confirm {
        /// The proposal's entry.
        proposal: EntryNumber,
    },
    /// Drops a proposal.
    Withdraw {
        /// The proposal's entry.
        proposal: EntryNumber,
    },
    /// Gives a payment back.
    Refund {
        /// The payment's entry.
        payment: EntryNumber,
        /// Why.
        reason: String,
    },
    /// Up to how much one operator acts alone.
    Limits,
    /// Changes the limits; what is not said stays.
    SetLimits {
        /// Of refunds, in minor units.
        refund_alone: Option<Amount>,
        /// Of receipts at the bank desk, in minor units.
        receipt_alone: Option<Amount>,
    },
    /// The key sheet in force.
    KeySheet,
    /// Gives the center new keys in some roles; in all where none is named.
    Rotate {
        /// The roles.
        roles: Vec<SheetRole>,
        /// Where the sealed root key lies.
        root_file: PathBuf,
        /// Its passphrase.
        root: Passphrase,
    },
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum StaffOutcome {
    /// To [`StaffAct::Operators`].
    Operators {
        /// By name.
        operators: Vec<OperatorRow>,
        /// Where two operators are needed.
        four_eyes: Vec<FourEyes>,
    },
    /// To [`StaffAct::Proposals`].
    Proposals {
        /// The oldest first.
        proposals: Vec<ProposalRow>,
        /// Where two operators are needed.
        four_eyes: Vec<FourEyes>,
    },
    /// To [`StaffAct::Proposal`].
    Proposal {
        /// What waits.
        proposal: ProposalRow,
        /// The document that it gives a new version.
        document: Option<ProposedText>,
    },
    /// To [`StaffAct::Limits`].
    Limits {
        /// Up to so much one operator gives a payment back alone.
        refund_alone: Money,
        /// Up to so much one operator deals with an unmatched receipt alone.
        receipt_alone: Money,
        /// Where two operators are needed.
        four_eyes: Vec<FourEyes>,
    },
    /// To [`StaffAct::KeySheet`].
    KeySheet {
        /// Its number.
        number: u64,
        /// The root key's fingerprint.
        root: String,
        /// Its keys, old ones included.
        keys: Vec<SheetKeyRow>,
    },
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorRow {
    /// The name.
    pub name: String,
    /// What the operator may do.
    pub role: OperatorRole,
    /// The SSH public key; empty where this machine does not have the one that the books name.
    pub ssh_key: String,
    /// Whether the operator can sign in.
    pub can_sign_in: bool,
}

/// Whether some acts take two operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FourEyes {
    /// Which acts.
    pub acts: String,
    /// The least role of both.
    pub role: OperatorRole,
    /// How many operators have it.
    pub operators: usize,
    /// Whether two are needed; with a single operator one is enough.
    pub on: bool,
}

/// A key of the key sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetKeyRow {
    /// What it speaks for.
    pub role: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// In force from this size of the journal on.
    pub from_size: u64,
    /// Up to this size; `None` while it is in force.
    pub until_size: Option<u64>,
}

impl StaffAct {
    /// What it takes.
    pub fn needs(&self) -> OperatorRole {
        match self {
            Self::Operators
            | Self::Proposals
            | Self::Proposal { .. }
            | Self::Limits
            | Self::KeySheet
            | Self::SetPassphrase { name: None, .. } => OperatorRole::Viewer,
            // Whose passphrase it is, and what a proposal takes, is looked at when it is done.
            Self::SetPassphrase { name: Some(_), .. } | Self::Confirm { .. } | Self::Withdraw { .. } => {
                OperatorRole::Viewer
            }
            Self::Refund { .. } => OperatorRole::Clerk,
            Self::Add { .. }
            | Self::Role { .. }
            | Self::Remove { .. }
            | Self::SetLimits { .. }
            | Self::Rotate { .. } => OperatorRole::Admin,
        }
    }
}

impl Center {
    /// Does an act about the staff for an operator who may.
    pub(super) async fn staff(&self, by: String, act: StaffAct) -> Result<Outcome, ActError> {
        match act {
            StaffAct::Operators => Ok(Outcome::Staff(self.operator_rows())),
            StaffAct::Proposals => Ok(Outcome::Staff(self.proposal_rows())),
            StaffAct::Proposal { proposal } => self.proposal(proposal).await,
            StaffAct::Limits => Ok(Outcome::Staff(self.limit_rows())),
            StaffAct::KeySheet => Ok(Outcome::Staff(self.sheet_rows())),
            StaffAct::Add { name, role, ssh_key, passphrase } => {
                self.identify(by, name.trim(), role, ssh_key, passphrase).await
            }
            StaffAct::Role { name, role } => self.employ(by, name.trim(), Some(role)).await,
            StaffAct::Remove { name } => self.employ(by, name.trim(), None).await,
            StaffAct::SetPassphrase { name, passphrase } => self.set_passphrase(by, name, passphrase).await,
            StaffAct::Confirm { proposal } => self.confirm(by, proposal).await,
            StaffAct::Withdraw { proposal } => self.withdraw(by, proposal).await,
            StaffAct::Refund { payment, reason } => {
                let request = Request::CenterRefund { by: by.clone(), payment, reason: stated(&reason)? };
                self.enter_own(&by, request, Vec::new()).await
            }
            StaffAct::SetLimits { refund_alone, receipt_alone } => {
                let now = self.desk().state().limits();
                let limits = DeskLimits {
                    refund_alone: refund_alone.unwrap_or(now.refund_alone),
                    receipt_alone: receipt_alone.unwrap_or(now.receipt_alone),
                };
                self.enter_own(&by, Request::Limits { by: by.clone(), limits }, Vec::new()).await
            }
            StaffAct::Rotate { roles, root_file, root } => self.rotate(by, roles, root_file, root).await,
        }
    }

    /// Whether acts that take two operators do so at present: with a single one for them it is off.
    pub fn four_eyes(&self) -> Vec<FourEyes> {
        let state = self.desk().state();
        let acts = [
            ("refunds by the center, and receipts assigned by hand, above the limits", OperatorRole::Clerk),
            (
                "receipts sent back above the limit, other keys for an activation code, replaced terminals",
                OperatorRole::Supervisor,
            ),
            ("settings, documents, limits and operators", OperatorRole::Admin),
        ];
        let row = |(acts, role): (&str, OperatorRole)| {
            let operators = state.operators_with(role);
            FourEyes { acts: acts.to_owned(), role, operators, on: operators >= 2 }
        };
        acts.map(row).to_vec()
    }

    fn operator_rows(&self) -> StaffOutcome {
        let here = self.operators().list();
        let state = self.desk().state();
        let row = |(name, role): (&str, OperatorRole)| {
            let key = state.operator_key(name);
            let proved =
                here.iter().find(|it| it.name == name && Some(operators::key_digest(&it.ssh_key)) == key);
            OperatorRow {
                name: name.to_owned(),
                role,
                ssh_key: proved.map(|it| it.ssh_key.clone()).unwrap_or_default(),
                can_sign_in: proved.is_some(),
            }
        };
        let operators = state.operators().map(row).collect();
        drop(state);
        StaffOutcome::Operators { operators, four_eyes: self.four_eyes() }
    }

    fn limit_rows(&self) -> StaffOutcome {
        let limits = self.desk().state().limits();
        StaffOutcome::Limits {
            refund_alone: self.local().money(limits.refund_alone),
            receipt_alone: self.local().money(limits.receipt_alone),
            four_eyes: self.four_eyes(),
        }
    }

    fn sheet_rows(&self) -> StaffOutcome {
        let speaking = self.speaking();
        let sheet = speaking.key_sheet();
        let row = |key: &wire::sheet::SheetKey| SheetKeyRow {
            role: key.role.to_string(),
            fingerprint: key.key.fingerprint(),
            from_size: key.from_size,
            until_size: key.until_size,
        };
        StaffOutcome::KeySheet {
            number: sheet.number,
            root: self.config().root_key.fingerprint(),
            keys: sheet.keys.iter().map(row).collect(),
        }
    }

    async fn confirm(&self, by: String, proposal: EntryNumber) -> Result<Outcome, ActError> {
        let _one = self.operators().changing().await;
        let act = self.proposed_act(proposal)?;
        if let Proposed::Operator { name, .. } = &act
            && let Some(ssh_key) = self.operators().waiting_key(name, proposal)
        {
            self.nobody_else_has(name, &ssh_key)?;
        }
        if let Proposed::AdmitReplacement(it) = &act {
            let row = self.admission().applications.row(it.application);
            if row.is_none_or(|row| row.particulars != it.particulars) {
                let words = format!(
                    "{} was amended or erased since {proposal}; withdraw the proposal and look at it anew",
                    it.application
                );
                return Err(ActError::new("refused", words));
            }
        }
        let request = Request::Confirm { by, proposal, act: Box::new(act.clone()) };
        let entered = self.enter_request(request, Vec::new()).await?;
        if let Proposed::Operator { name, role, key } = act {
            self.operators().settle(&name, role.map(|role| (role, key)), Some(proposal)).map_err(told)?;
        }
        Ok(entered)
    }

    async fn withdraw(&self, by: String, proposal: EntryNumber) -> Result<Outcome, ActError> {
        let _one = self.operators().changing().await;
        let act = self.proposed_act(proposal)?;
        let entered = self.enter_request(Request::Withdraw { by, proposal }, Vec::new()).await?;
        if let Proposed::Operator { name, .. } = act {
            self.operators().drop_waiting(&name).map_err(told)?;
        }
        Ok(entered)
    }

    fn proposed_act(&self, proposal: EntryNumber) -> Result<Proposed, ActError> {
        let act = self.desk().state().proposal(proposal).map(|it| it.act.clone());
        act.ok_or_else(|| ActError::new("not-found", format!("{proposal} is no proposal that waits")))
    }

    async fn rotate(
        &self,
        by: String,
        roles: Vec<SheetRole>,
        root_file: PathBuf,
        passphrase: Passphrase,
    ) -> Result<Outcome, ActError> {
        let opened = tokio::task::spawn_blocking(move || keys::open_root(&root_file, &passphrase.0)).await;
        let root = match opened {
            Ok(Ok(root)) => root,
            Ok(Err(error @ keys::KeyFileError::WrongPassphrase(_))) => {
                return Err(ActError::new("wrong-passphrase", error));
            }
            Ok(Err(error)) => return Err(ActError::new("keys", error)),
            Err(_) => return Err(ActError::new("internal", "the root key could not be opened")),
        };
        if root.verification_key() != self.config().root_key {
            return Err(ActError::new("refused", "this is another center's root key"));
        }
        let roles = if roles.is_empty() { keys::ROLES.to_vec() } else { roles };
        let rotation = Rotation {
            voice: self.voice().clone(),
            cabinet: self.cabinet().clone(),
            errors: self.errors().clone(),
            root,
            roles,
            by: by.clone(),
            begun: None,
        };
        match self.desk().hold(Box::new(rotation)).await {
            Ok(answer) => {
                let outcome = self.outcome_of(&answer.record.entry)?;
                let number = self.speaking().key_sheet().number;
                let words = format!("{by} gave the center new keys; key sheet {number} is in force.");
                self.errors().tell(Room::Operators, Weight::Note, words);
                Ok(outcome)
            }
            Err(error @ (DeskError::Unknown(_) | DeskError::Unreadable(_))) => {
                Err(ActError { unknown: true, ..ActError::new("unknown", error) })
            }
            Err(error) => Err(ActError::new("refused", error)),
        }
    }
}

impl From<StaffAct> for Act {
    fn from(act: StaffAct) -> Self {
        Self::Staff(act)
    }
}
