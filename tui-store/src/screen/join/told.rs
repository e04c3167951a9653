//! What joining is told.

use tui_kit::{pager::Pager, theme::Tone};

use super::{
    At, INVITATION, Join, Met, STORE,
    admission::Admission,
    shown::{self, particulars},
};
use crate::{
    join::Stage,
    screen::{News, Step, Steps},
};

impl Join {
    /// Takes an answer, or what the center says of the application.
    pub(super) fn take(&mut self, news: &News) -> Steps {
        match news {
            News::Met(met) => {
                // An answer that came after Esc is to a question that nobody asks any more.
                let At::Invitation(Some((invitation, _))) = &self.step else { return Steps::new() };
                match met {
                    Ok(welcome) => {
                        let form = particulars(&welcome.form, self.met.as_ref());
                        let invitation = invitation.clone();
                        let guide = Pager::new(
                            format!("{} · root key {}", welcome.center, welcome.fingerprint),
                            &welcome.guide.text,
                        );
                        let welcome = welcome.clone();
                        let replaces =
                            self.lost.then(|| shown::store_number(&self.invitation.text(STORE)).ok());
                        let replaces = replaces.flatten();
                        self.met = Some(Met { invitation, replaces, welcome, guide, particulars: form });
                        self.step = At::Center;
                    }
                    Err(failure) => {
                        self.step = At::Invitation(None);
                        self.invitation.refuse(INVITATION, failure.message.clone());
                    }
                }
            }
            News::Phrase(phrase, asked) => self.making.made(phrase, *asked),
            News::Stands(Ok(standing)) => {
                self.passwords.wipe();
                self.making.clear();
                self.vault = true;
                match &mut self.step {
                    At::Admission(admission) => admission.stands(standing),
                    At::Done(_) => {}
                    At::Review(review) if !review.is_waiting() => {}
                    step if standing.stage != Stage::Unsigned => {
                        *step = At::Admission(Box::new(Admission::new(standing)));
                    }
                    _ => {}
                }
            }
            News::Stands(Err(failure)) => match &mut self.step {
                At::Admission(admission) => return admission.failed(failure),
                At::Review(review) => review.refuse(failure.message.clone()),
                _ => return vec![Step::Say(Tone::Bad, failure.message.clone())],
            },
            News::Joined(Ok(joined)) => self.step = At::Done(joined.clone()),
            News::Joined(Err(failure)) => {
                if let At::Admission(admission) = &mut self.step {
                    return admission.failed(failure);
                }
            }
            News::Restored(_) | News::Snapshot | News::LockedOut(_) | News::Done(..) => {}
        }
        Steps::new()
    }
}
