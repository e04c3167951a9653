//! What an applicant is told, and what is shown of it.

use tui_kit::{detail::Row, form::Form, stack::layer, theme::Tone};

use super::{Applicant, At};
use crate::{
    act::Failure,
    app::{Left, Progress},
    join::{Stage, Welcome},
    screen::{News, Step, Steps, join::steps, shared::Shared, unlock::Unlock},
};

impl Applicant {
    /// Takes news.
    pub(super) fn hear(&mut self, news: &News, shared: &mut Shared) -> Steps {
        match news {
            News::Met(met) => self.met(met),
            News::Standing(progress) => {
                // What is being typed or awaited is not disturbed.
                self.progress = progress.clone();
                Steps::new()
            }
            News::Joining(joining) => self.came(joining, shared),
            _ => Steps::new(),
        }
    }

    fn met(&mut self, met: &Result<Box<Welcome>, Failure>) -> Steps {
        if !matches!(self.at, At::Busy(_)) {
            return Steps::new();
        }
        match met {
            Ok(welcome) => {
                let draft = self.form.as_ref().map(|(_, form)| form.draft());
                let mut form: Form = steps::particulars(&welcome.form);
                if let Some(draft) = draft {
                    form.restore(&draft);
                }
                self.form = Some((welcome.clone(), form));
                self.at = At::Particulars;
                Steps::new()
            }
            Err(failure) => {
                self.at = At::Standing;
                vec![Step::Say(Tone::Bad, failure.message.clone())]
            }
        }
    }

    /// A step is done, or not.
    fn came(&mut self, joining: &Result<Box<Progress>, (Failure, Left)>, shared: &mut Shared) -> Steps {
        match joining {
            Ok(progress) => {
                let kit = self.progress.kit.is_none() && progress.kit.is_some();
                let wanted_terms = matches!(self.at, At::Busy(_)) && kit;
                self.progress = progress.clone();
                if self.progress.joined.is_some() {
                    self.phrase = None;
                    self.number.wipe();
                    self.at = At::Member;
                    return Steps::new();
                }
                self.at = At::Standing;
                if wanted_terms && matches!(self.progress.stage, Stage::Applied(_)) {
                    return self.read_terms(shared);
                }
                Steps::new()
            }
            Err((failure, left)) => self.failed(failure, left),
        }
    }

    fn failed(&mut self, failure: &Failure, left: &Left) -> Steps {
        match left {
            Left::Nothing | Left::Vault => {
                return vec![
                    Step::Say(Tone::Bad, failure.message.clone()),
                    Step::Enter(layer(Unlock::new())),
                ];
            }
            Left::Open(progress) => self.progress = progress.clone(),
        }
        match &mut self.at {
            At::Register(review) if matches!(self.progress.stage, Stage::Applied(_)) => {
                // A phrase that was not this vault's has to be typed again.
                if failure.message.contains("recovery phrase") {
                    self.phrase = None;
                }
                review.refuse(failure.message.clone());
                Steps::new()
            }
            At::Again(review) => {
                review.refuse(failure.message.clone());
                Steps::new()
            }
            _ => {
                self.number.wipe();
                self.at = At::Standing;
                vec![Step::Say(Tone::Bad, failure.message.clone())]
            }
        }
    }

    /// How it stands.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = steps::standing_rows(&self.progress.standing);
        if let Some(kit) = &self.progress.kit {
            rows.push(Row::toned("Admission kit", Tone::Good, format!("number {}, checked", kit.number)));
            rows.push(Row::pair("Terms of use", format!("version {}", kit.terms.version)));
            rows.push(Row::pair(
                "Vault policy",
                format!("at least {} MiB and {} passes", kit.vault.memory_kib >> 10, kit.vault.passes),
            ));
        }
        rows.push(Row::Gap);
        let next = match &self.progress.stage {
            Stage::Unsigned => "Enter fills in the center's form; it is signed with the keys that are here.",
            Stage::Unsent => "Enter sends the same application once more; the center answers it once.",
            Stage::Applied(_) => {
                "This page follows what the center decides. You can close it and come back: the application stays. When \
                 number and code have come, Enter reads the terms and goes on."
            }
            Stage::Prepared => "Enter sends it when a line is there; w takes it back.",
            Stage::Sent => "Enter sends the same registration once more: the center gives the same answer.",
            Stage::Joined => "Enter opens the home screen.",
        };
        rows.push(Row::Words(next.into()));
        rows
    }

    pub(super) fn member_rows(&self, _shared: &Shared) -> Vec<Row> {
        let Some(joined) = &self.progress.joined else { return Vec::new() };
        let mut rows = vec![
            Row::Heading(format!("You are member {}", joined.member)),
            Row::Gap,
            Row::pair("Center", joined.center.as_str()),
            Row::pair("Entered as", joined.entry.to_string()),
            Row::pair("Your key's fingerprint", joined.fingerprint.as_str()),
            match joined.recovery {
                true => Row::toned("Recovery", Tone::Good, "your phrase is registered"),
                false => Row::toned("Recovery", Tone::Warn, "no phrase is registered; Keys makes one"),
            },
            Row::Gap,
        ];
        rows.push(Row::Words(
            "Write the number down. The fingerprint stands in the center's key register too: compare it when you can."
                .into(),
        ));
        rows.push(Row::Words("Enter opens the home screen; a prepaid card comes next.".into()));
        rows
    }
}
