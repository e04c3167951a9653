//! Joining with a vault that is open, and what it knows of its keys.

use vault::recovery::RecoveryPhrase;
use wire::{admission::Kit, bounded::List, sheet::Invitation, text::Line};

use super::{Engine, Handle};
use crate::{
    act::{Failure, Password},
    center::Center,
    join::{self, Filled, Joined, Registered, Registrant, Stage},
    recover,
    view::Standing,
};

/// Joining.
impl Handle {
    /// Where this vault stands on its way into the register.
    pub async fn stage(&self) -> Stage {
        join::stage(&self.engine.keep).await
    }

    /// The same for scripts.
    pub async fn standing(&self) -> Standing {
        self.engine.keep.with(|kept| join::standing(kept)).await
    }

    /// The center that this vault is made for; none before it was pinned.
    pub async fn invitation(&self) -> Option<Invitation> {
        self.engine
            .keep
            .with(|kept| {
                let center = kept.vault.center()?;
                let addresses = center.addresses.iter().filter_map(|address| Line::new(address).ok());
                Some(Invitation { root: center.root, addresses: List::first(addresses) })
            })
            .await
    }

    /// Sends once more the application that is on disk ([`Stage::Unsent`]).
    ///
    /// # Errors
    /// In words; when the center does not take it, another can be signed.
    pub async fn send_application(&self) -> Result<Stage, Failure> {
        join::send_application(&self.engine.keep, self.engine.center.patience).await
    }

    /// Signs another application with the keys that are here: the first, or one that amends what was asked back.
    ///
    /// # Errors
    /// In words.
    pub async fn apply_again(&self, filled: &Filled, password_b: Password) -> Result<Stage, Failure> {
        join::apply_again(&self.engine.keep, filled, password_b, self.engine.center.patience).await
    }

    /// Asks how the application stands ([`Stage::Applied`]).
    ///
    /// # Errors
    /// In words.
    pub async fn ask_application(&self) -> Result<Stage, Failure> {
        join::refresh(&self.engine.keep, self.engine.center.patience).await
    }

    /// Fetches and checks the newest admission kit.
    ///
    /// # Errors
    /// In words; one that is not believed leaves an alarm.
    pub async fn fetch_kit(&self) -> Result<Kit, Failure> {
        join::fetch_kit(&self.engine.keep, self.engine.center.patience).await
    }

    /// The kit that is kept.
    pub async fn kit(&self) -> Option<Kit> {
        self.engine.keep.with(|kept| kept.book.custody.kit.as_deref().cloned()).await
    }

    /// Whether the registration will name a recovery key whose phrase has to be typed again.
    pub async fn wants_phrase(&self) -> bool {
        self.engine
            .keep
            .with(|kept| kept.vault.recovery().is_some() && !kept.vault.holds_recovery_key())
            .await
    }

    /// Signs the registration, and sends it or leaves it in the outbox.
    ///
    /// # Errors
    /// In words; when the center says that it is not acceptable, number and code can be typed anew.
    pub async fn register(&self, registrant: Registrant) -> Result<Registered, Failure> {
        let registered = join::register(&self.engine.keep, registrant, self.engine.center.patience).await?;
        if let Registered::Joined(_) = registered {
            self.engine.deposit_soon();
        }
        Ok(registered)
    }

    /// Sends the registration that is on disk ([`Stage::Prepared`], [`Stage::Sent`]).
    ///
    /// # Errors
    /// As [`Handle::register`].
    pub async fn send_registration(&self) -> Result<Joined, Failure> {
        let joined = join::send_registration(&self.engine.keep, self.engine.center.patience).await?;
        self.engine.deposit_soon();
        Ok(joined)
    }

    /// Goes on with a restore that was interrupted: changes the keys that the center has not in force.
    ///
    /// # Errors
    /// In words.
    pub async fn finish_restoring(
        &self,
        phrase: RecoveryPhrase,
        password_b: Password,
    ) -> Result<Vec<String>, Failure> {
        recover::finish(&self.engine.center, phrase, password_b).await
    }

    /// The line to the center.
    pub(crate) fn center(&self) -> &Center {
        &self.engine.center
    }
}

impl Engine {
    /// Lets the next line deposit a copy at once.
    pub(super) fn deposit_soon(&self) {
        self.deposit_due.store(true, std::sync::atomic::Ordering::Relaxed);
        self.nudge.notify_one();
    }
}
