//! What waits for a second operator, so that whoever confirms it has seen it.

use ledger::{
    request::{OperatorRole, Proposed},
    state::Proposal,
};
use serde::{Deserialize, Serialize};
use wire::{id::EntryNumber, time::Timestamp};

use super::{ActError, Outcome, StaffOutcome};
use crate::{
    admission::document::{digest, noun},
    center::Center,
    inquiry::{view::Moment, words},
};

/// Something that another operator is to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalRow {
    /// The proposal's entry.
    pub number: EntryNumber,
    /// Who proposed it.
    pub by: String,
    /// What, in words.
    pub words: String,
    /// The least role that confirms it.
    pub role: OperatorRole,
    /// It lapses after this.
    pub until: Moment,
}

/// A document's proposed version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedText {
    /// Which document, as a noun.
    pub document: String,
    /// The version that it becomes.
    pub version: u32,
    /// The text that is in force until then.
    pub former: String,
    /// The proposed text.
    pub text: String,
}

impl Center {
    /// Everything that waits, the oldest first.
    pub(super) fn proposal_rows(&self) -> StaffOutcome {
        let state = self.desk().state();
        let waiting = state.proposals(Timestamp::now());
        let proposals = waiting.map(|(number, proposal)| self.proposal_row(number, proposal)).collect();
        drop(state);
        StaffOutcome::Proposals { proposals, four_eyes: self.four_eyes() }
    }

    /// One that waits.
    pub(super) async fn proposal(&self, number: EntryNumber) -> Result<Outcome, ActError> {
        let waiting = self.desk().state().proposal(number).cloned();
        let waiting = waiting
            .ok_or_else(|| ActError::new("not-found", format!("{number} is no proposal that waits")))?;
        let proposal = self.proposal_row(number, &waiting);
        let document = match waiting.act {
            Proposed::Document { document, version, digest: bound } => {
                let center = self.clone();
                let read = move || {
                    let record = center.desk().reader().read(number).map_err(|error| error.to_string())?;
                    let text = String::from_utf8(record.evidence).unwrap_or_default();
                    if digest(&text) != bound {
                        return Err(format!("the text of {number} is not what it binds"));
                    }
                    let former = center.admission().library.get(center.desk(), document)?.text.clone();
                    Ok(ProposedText { document: noun(document), version, former, text })
                };
                let read = tokio::task::spawn_blocking(read).await;
                let read = read.unwrap_or_else(|_| Err("an error in the program".to_owned()));
                Some(read.map_err(|words| ActError::new("books", words))?)
            }
            _ => None,
        };
        Ok(Outcome::Staff(StaffOutcome::Proposal { proposal, document }))
    }

    fn proposal_row(&self, number: EntryNumber, proposal: &Proposal) -> ProposalRow {
        ProposalRow {
            number,
            by: proposal.by.clone(),
            words: words::proposed(&proposal.act, &proposal.by),
            role: proposal.act.least(),
            until: self.local().moment(proposal.until),
        }
    }
}
