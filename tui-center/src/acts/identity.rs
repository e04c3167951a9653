//! Who acts: an operator's name, and the own passphrase that proves it.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wire::time::Timestamp;

use super::ActError;
use crate::{
    center::Center,
    errors::{Room, Weight},
    operators::{Operator, OperatorError},
};

/// Who acts, and what proves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    /// The operator's name.
    pub name: String,
    /// The operator's own passphrase.
    pub passphrase: Passphrase,
}

/// A passphrase on its way through the control socket. It never prints.
#[derive(Clone)]
pub struct Passphrase(pub SecretString);

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Serialize for Passphrase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Passphrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::from(text)))
    }
}

impl Center {
    /// Believes an operator who knows the own passphrase.
    ///
    /// # Errors
    /// In words for whoever typed it; `passphrase-given` when it is right, and somebody else chose it.
    pub async fn sign_in(&self, identity: Identity) -> Result<Operator, ActError> {
        let operator = self.believe(identity).await?;
        if self.operators().is_given(&operator.name) {
            return Err(ActError::new("passphrase-given", OperatorError::Given(operator.name)));
        }
        Ok(operator)
    }

    /// Believes an operator who knows the passphrase, whoever chose it: enough to choose an own one.
    pub(super) async fn believe(&self, identity: Identity) -> Result<Operator, ActError> {
        let center = self.clone();
        let checked = tokio::task::spawn_blocking(move || {
            let name = identity.name.clone();
            let said = |name: &str| {
                let state = center.desk().state();
                Some((state.operator(name)?, state.operator_key(name)?))
            };
            let (operators, passphrase) = (center.operators(), &identity.passphrase.0);
            operators.check(&identity.name, passphrase, Timestamp::now(), &said).inspect_err(|error| {
                let shown: String = name.chars().take(40).collect();
                center.errors().tell(
                    Room::Operators,
                    Weight::Warning,
                    format!("Someone signed in as {shown} in vain: {error}."),
                );
            })
        });
        match checked.await {
            Ok(Ok(operator)) => Ok(operator),
            Ok(Err(error)) => Err(ActError::new("not-believed", error)),
            Err(_) => {
                Err(ActError::new("internal", "the passphrase could not be checked: an error in the program"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_never_prints() {
        let identity =
            Identity { name: "ada".into(), passphrase: Passphrase(SecretString::from("very secret words")) };
        assert!(!format!("{identity:?}").contains("secret"));
    }
}
