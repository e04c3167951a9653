//! What a terminal asks before it has an account.

use std::time::Duration;

use super::{Line, LineError};
use crate::{
    admission::{self, ApplicationView, ApplyCall, Build, Guide, Kit},
    id::{ApplicationNumber, Digest, Role},
    key::SigningKey,
    message::{Answer, Request},
    sheet::{KeySheet, SheetRole},
};

impl Line {
    /// The guide page for a role.
    pub async fn guide(&self, role: Role, limit: Duration) -> Result<Guide, LineError> {
        expect!(self, Request::Guide(role), limit, Answer::Guide(guide) => guide)
    }

    /// Applies, or amends what was asked back.
    pub async fn apply(&self, call: ApplyCall, limit: Duration) -> Result<ApplicationView, LineError> {
        expect!(self, Request::Apply(Box::new(call)), limit, Answer::Application(view) => view)
    }

    /// How an application stands; the terminal key that it names asks.
    pub async fn application(
        &self,
        number: ApplicationNumber,
        terminal_key: &SigningKey,
        limit: Duration,
    ) -> Result<ApplicationView, LineError> {
        let message = admission::application_message(&self.sheet.center, number, &self.peer.exporter);
        let request = Request::Application { number, signature: terminal_key.sign(&message) };
        let view: ApplicationView = expect!(self, request, limit, Answer::Application(view) => view)?;
        if view.number != number {
            return Err(LineError::Contradiction(format!(
                "it speaks of {} where {number} was asked",
                view.number
            )));
        }
        Ok(view)
    }

    /// The newest admission kit, verified: signed by the sheet's statement key, for this center, not lower than the one
    /// that is kept, its key sheet under the pinned root and not older than the line's, its terms and builds in bounds.
    ///
    /// # Errors
    /// [`LineError::Contradiction`] names what does not hold.
    pub async fn kit(&self, kept: u64, limit: Duration) -> Result<Kit, LineError> {
        let telegram = expect!(self, Request::Kit, limit, Answer::Kit(telegram) => telegram)?;
        let kit: Kit = self.spoken_by(SheetRole::Statement, &telegram).map_err(LineError::Contradiction)?;
        self.check_kit(&kit, kept).map_err(LineError::Contradiction)?;
        Ok(kit)
    }

    /// A piece of a program that the kit offers, from a byte on; empty at the end.
    pub async fn build(&self, digest: Digest, offset: u64, limit: Duration) -> Result<Vec<u8>, LineError> {
        self.piece(Request::Build { digest, offset }, offset, limit).await
    }

    fn check_kit(&self, kit: &Kit, kept: u64) -> Result<(), String> {
        if kit.center != self.sheet.center {
            return Err("its admission kit is another center's".into());
        }
        if kit.number < kept {
            return Err(format!("it shows admission kit {}, but {kept} was seen before", kit.number));
        }
        let sheet = KeySheet::verify(&kit.sheet, &self.root).map_err(|error| error.to_string())?;
        if sheet.number < self.sheet.number {
            return Err("the key sheet in its admission kit is older than the line's".into());
        }
        let too_long = |build: &Build| build.length > crate::limits::BUILD;
        if kit.builds.iter().any(too_long) {
            return Err("a program in its admission kit is longer than is allowed".into());
        }
        Ok(())
    }
}
