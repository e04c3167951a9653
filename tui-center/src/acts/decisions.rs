//! What the admission desk decides about applicants: whom it admits, refuses or asks back, and how number and code reach
//! them.

use std::time::Duration;

use data_encoding::BASE64;
use ledger::{
    Request,
    request::{Admission as Admit, Person},
    state::AdmissionState,
};
use wire::{
    admission::Way,
    id::{ApplicationNumber, TelegramId},
    key::VerificationKey,
    text::Prose,
    time::Timestamp,
};

use super::{
    ActError, JoiningOutcome, Letter, Outcome,
    joining::{refused, unreadable},
    stated,
};
use crate::{
    admission::{applications::Row, issue, standing},
    center::Center,
    lines::postman::Kind,
};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// How often it is looked whether the postman knows a letter, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOK_FOR: Duration = Duration::from_secs(2);

impl Center {
    /// Admits what the operator saw. Should it be amended between here and the entry, no code is made: the entry binds the
    /// particulars.
    pub(super) async fn admit(
        &self,
        by: String,
        number: ApplicationNumber,
        seen: TelegramId,
        way: Option<Way>,
    ) -> Result<Outcome, ActError> {
        let row = self.application_row(number)?;
        if row.telegram != seen {
            let at = self.local().moment(row.since).text;
            return Err(refused(format!("{number} was changed at {at}; look at it again")));
        }
        let (ways, until) = self.ways_out(row, way).await?;
        let request = Request::Admit(Admit {
            by: Some(by.clone()),
            application: number,
            role: row.role,
            key: row.key,
            particulars: row.particulars,
            replaces: row.replaces,
            until,
            ways,
        });
        let outcome = self.enter_own(&by, request, Vec::new()).await?;
        self.issued(number, outcome).await
    }

    /// Refuses an applicant, or asks the application back.
    pub(super) async fn decline(
        &self,
        by: String,
        number: ApplicationNumber,
        ask_back: bool,
        reason: &str,
    ) -> Result<Outcome, ActError> {
        let row = self.application_row(number)?;
        let reason = Prose::new(reason.trim())
            .map_err(|error| ActError::new("usage", format!("the reason: {error}")))?;
        if reason.is_empty() {
            return Err(ActError::new("usage", "say why: the applicant reads it"));
        }
        let center = self.clone();
        let kept = tokio::task::spawn_blocking(move || standing::keep_words(&center, &reason)).await;
        let reason = kept.unwrap_or_else(|_| Err("an error in the program".into())).map_err(unreadable)?;
        let particulars = row.particulars;
        let request =
            Request::Decline { by: Some(by.clone()), application: number, ask_back, particulars, reason };
        self.enter_own(&by, request, Vec::new()).await
    }

    /// Sends a new code, perhaps for another key.
    pub(super) async fn recode(
        &self,
        by: String,
        number: ApplicationNumber,
        way: Option<Way>,
        key: Option<VerificationKey>,
        reason: &str,
    ) -> Result<Outcome, ActError> {
        let reason = stated(reason)?;
        let row = self.application_row(number)?;
        if let Some(key) = key {
            key.check().map_err(|error| ActError::new("usage", format!("the key: {error}")))?;
        }
        let admission = self.desk().state().admission_of(number);
        let admission =
            admission.ok_or_else(|| ActError::new("refused", format!("{number} was not admitted")))?;
        let (ways, until) = self.ways_out(row, way).await?;
        let request = Request::Recode { by: by.clone(), admission, until, key, ways, reason };
        let outcome = self.enter_own(&by, request, Vec::new()).await?;
        self.issued(number, outcome).await
    }

    /// Hands out a letter: entered first, because it names the applicant; then given away and destroyed here.
    pub(super) async fn letter(&self, by: String, number: ApplicationNumber) -> Result<Outcome, ActError> {
        self.application_row(number)?;
        let code = {
            let state = self.desk().state();
            let admitted = state.admission_of(number).and_then(|entry| state.admission(entry).cloned());
            admitted.filter(|admitted| admitted.state == AdmissionState::Open).map(|admitted| admitted.code)
        };
        let code = code.ok_or_else(|| {
            ActError::new("refused", format!("{number} has no code on its way; ask how it stands"))
        })?;
        let name = Kind::Letter.name(code);
        self.known_to_the_postman(&name).await;
        let (center, named) = (self.clone(), name.clone());
        let pdf = tokio::task::spawn_blocking(move || center.post_take_out(&named)).await;
        let pdf = pdf.unwrap_or_else(|_| Err("an error in the program".into())).map_err(refused)?;
        let (of, reason) = (Person::Application(number), format!("{name} is printed"));
        self.enter_own(&by, Request::Reveal { by: by.clone(), of, reason }, Vec::new()).await?;
        self.post_by_hand(&name).map_err(refused)?;
        let pdf = BASE64.encode(&pdf);
        Ok(Outcome::Joining(JoiningOutcome::Letter(Letter { name, pdf })))
    }

    /// Waits a moment for the postman, who looks into the cabinet by itself: right after an admission or a start it may not
    /// have done so. What it does not find is not there.
    async fn known_to_the_postman(&self, name: &str) {
        let looking = async {
            let mut looks = tokio::time::interval(LOOK_EVERY);
            while !self.post().0.iter().any(|item| item.name == name) {
                looks.tick().await;
            }
        };
        // Whoever asks in vain is told so by what comes next.
        let _ = tokio::time::timeout(LOOK_FOR, looking).await;
    }

    /// How number and code go out, tried out, and until when the code counts.
    async fn ways_out(&self, row: Row, way: Option<Way>) -> Result<(Vec<Way>, Timestamp), ActError> {
        let center = self.clone();
        let tried = tokio::task::spawn_blocking(move || {
            let ways = issue::ways(&center, way)?;
            let policy = center.admission().library.policy(center.desk())?;
            let particulars = center.admission().applications.particulars(row.number);
            let particulars = particulars
                .map_err(|error| error.to_string())?
                .ok_or("what was filled in is gone: it was registered or erased")?;
            issue::try_out(&center, &particulars, row.role, &ways)?;
            Ok::<_, String>((ways, Timestamp::now().plus_ms(u64::from(policy.code_days) * DAY_MS)))
        });
        tried.await.unwrap_or_else(|_| Err("an error in the program".into())).map_err(refused)
    }

    /// Makes the code at once, so that whoever admits learns when it could not be made.
    async fn issued(&self, number: ApplicationNumber, outcome: Outcome) -> Result<Outcome, ActError> {
        let Some(admission) = self.desk().state().admission_of(number) else { return Ok(outcome) };
        let center = self.clone();
        let issued = tokio::task::spawn_blocking(move || issue::issue(&center, admission)).await;
        match issued.unwrap_or_else(|_| Err("an error in the program".into())) {
            Ok(()) => Ok(outcome),
            Err(why) => {
                let words = format!(
                    "{number} is admitted by {admission}, but number and code could not be made: {why}; \
                     send a new code when that is put right"
                );
                Err(ActError::new("not-sent", words))
            }
        }
    }
}
