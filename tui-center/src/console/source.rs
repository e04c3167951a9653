//! What a console needs from the center, and nothing more.
//!
//! A console never touches the center's rooms: it looks and acts with [`Act`]s, as subcommands do, and what happens
//! comes by itself. The trait is what lets the loop be tried without a center.

use std::{future::Future, sync::Arc};

use tokio::sync::{broadcast, watch};

use crate::{
    acts::{Act, ActError, Identity, Outcome},
    center::Center,
    errors::ErrorLine,
    inquiry::view::Overview,
    operators::Operator,
};

/// What a console needs from the center. Clones are the same center.
pub trait Source: Clone + Send + Sync + 'static {
    /// The newest overview, whenever it changes.
    fn overview(&self) -> watch::Receiver<Arc<Overview>>;

    /// What goes wrong, as it does.
    fn errors(&self) -> broadcast::Receiver<ErrorLine>;

    /// Believes an operator who knows the passphrase.
    ///
    /// # Errors
    /// In words for the person who typed it.
    fn sign_in(&self, identity: Identity) -> impl Future<Output = Result<Operator, ActError>> + Send;

    /// Looks something up or does it, in the name of an operator.
    ///
    /// # Errors
    /// What was refused and why, or that nobody knows whether it was done.
    fn act(
        &self,
        operator: Option<Arc<Operator>>,
        act: Act,
    ) -> impl Future<Output = Result<Outcome, ActError>> + Send;
}

impl Source for Center {
    fn overview(&self) -> watch::Receiver<Arc<Overview>> {
        Self::overview(self)
    }

    fn errors(&self) -> broadcast::Receiver<ErrorLine> {
        Self::errors(self).subscribe()
    }

    async fn sign_in(&self, identity: Identity) -> Result<Operator, ActError> {
        Self::sign_in(self, identity).await
    }

    async fn act(&self, operator: Option<Arc<Operator>>, act: Act) -> Result<Outcome, ActError> {
        Self::act(self, operator.as_deref(), act).await
    }
}
