//! What leaves the screens when the application is signed.

use std::sync::Arc;

use secrecy::SecretString;
use vault::{Autograph, RecoveryPhrase};
use wire::{id::AccountNumber, message::Form, sheet::Invitation};

use crate::{
    act::Password,
    app::{Beginning, Effect, NewcomerAct},
};

/// An application with the keys of a vault that is there.
pub(super) fn apply(form: Form, values: Vec<(String, String)>, password_b: SecretString) -> Effect {
    let (form, password_b) = (Box::new(form), Password(password_b));
    Effect::Newcomer(NewcomerAct::Apply { form, values, password_b })
}

/// The making of a vault, and an application with its keys.
pub(super) fn begin(
    (invitation, replaces): (Invitation, Option<AccountNumber>),
    form: Form,
    values: Vec<(String, String)>,
    (password_a, password_b): (SecretString, Option<SecretString>),
    autograph: Option<Autograph>,
    phrase: Option<Arc<RecoveryPhrase>>,
) -> Effect {
    Effect::Begin(Box::new(Beginning {
        invitation,
        form,
        values,
        password_a: Password(password_a),
        password_b: password_b.map(Password),
        autograph,
        phrase,
        replaces,
    }))
}
