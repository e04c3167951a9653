//! What the center's own people change.

use wire::limits;

use super::{Applied, broken};
use crate::{
    entry::{Entry, Outcome},
    request::{Person, Request},
    state::{DocumentVersion, Operator, Proposal, State},
};

impl State {
    pub(super) fn staffed(&mut self, entry: &Entry, request: &Request, outcome: &Outcome) -> Applied {
        match (request, outcome) {
            (Request::Sheet { number, digest, .. }, Outcome::Entered) => {
                self.sheet = Some((*number, *digest));
            }
            (Request::Operator { name, role, key, .. }, Outcome::Entered) => match role {
                Some(role) => {
                    self.operators.insert(name.clone(), Operator { role: *role, key: *key });
                }
                None => {
                    self.operators.remove(name);
                }
            },
            (Request::Document { document, version, digest, .. }, Outcome::Entered) => {
                let content = match entry.request {
                    Request::Confirm { proposal, .. } => proposal,
                    _ => entry.number,
                };
                let (version, digest) = (*version, *digest);
                self.documents.insert(*document, DocumentVersion { version, digest, entry: content });
            }
            (Request::Limits { limits, .. }, Outcome::Entered) => self.limits = *limits,
            (Request::Reveal { .. } | Request::Export { .. } | Request::Note { .. }, Outcome::Entered) => {}
            (Request::Erase { of, .. }, Outcome::Entered) => {
                if let Person::Account(account) = of {
                    self.holder_mut(entry, *account)?.erased = Some(entry.number);
                }
            }
            (Request::Propose { by, act }, Outcome::Proposed) => {
                let until = entry.at.plus_ms(limits::VALIDITY_MS);
                let proposal = Proposal { by: by.clone(), act: (**act).clone(), until };
                self.proposals.insert(entry.number, proposal);
            }
            (Request::Withdraw { proposal, .. }, Outcome::Entered) => {
                if self.proposals.remove(proposal).is_none() {
                    return Err(broken(entry, "there is no such proposal"));
                }
            }
            _ => return Err(broken(entry, "what was decided does not go with what was asked")),
        }
        Ok(())
    }
}
