//! How a cashier's terminal asks to be certified, and what it signs to log in.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use crate::{
    codec,
    id::{CenterId, StoreNumber},
    key::{KeyError, Signature, SigningKey, VerificationKey},
    text::Line,
};

/// What a cashier's terminal hands to the owner: its key, the name it would like, and the proof that it holds the key.
///
/// Printed as `inkan-cashier:` and the encoded request in base 32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashierRequest {
    /// The center of the store.
    pub center: CenterId,
    /// Whose cashier it wants to be.
    pub store: StoreNumber,
    /// A name for the owner's lists.
    pub name: Line,
    /// The terminal key.
    pub key: VerificationKey,
    /// Its signature over `inkan/v1/till-request ‖ 0 ‖ center ‖ store ‖ key ‖ name`, the last four as encoded.
    pub signature: Signature,
}

const REQUEST_PREFIX: &str = "inkan-cashier:";

/// The longest request in its printed form, generously.
const REQUEST_BYTES: usize = 1_024;

/// Words for a cashier's request that could not be read or does not prove its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CashierRequestError {
    /// Not of the form.
    #[error("this is not a cashier's request; it looks like inkan-cashier:… as “till join” prints it")]
    Form,
    /// The signature does not fit, or the key is no acceptable key.
    #[error("the cashier's request does not prove its key: {0}; make it again with “till join”")]
    Key(#[from] KeyError),
}

impl CashierRequest {
    /// A request with its proof.
    pub fn new(center: CenterId, store: StoreNumber, name: Line, key: &SigningKey) -> Self {
        let signature = key.sign(&request_message(&center, store, &key.verification_key(), &name));
        Self { center, store, name, key: key.verification_key(), signature }
    }

    /// Whether the key is acceptable and whoever made the request holds it.
    ///
    /// # Errors
    /// When not.
    pub fn check(&self) -> Result<(), CashierRequestError> {
        self.key.check()?;
        let message = request_message(&self.center, self.store, &self.key, &self.name);
        Ok(self.key.verify(&message, &self.signature)?)
    }
}

impl fmt::Display for CashierRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{REQUEST_PREFIX}{}", BASE32_NOPAD.encode(&codec::encode(self)))
    }
}

impl FromStr for CashierRequest {
    type Err = CashierRequestError;

    /// Reads a request and checks its proof.
    fn from_str(text: &str) -> Result<Self, CashierRequestError> {
        let bytes = text.trim().strip_prefix(REQUEST_PREFIX).filter(|rest| rest.len() <= 2 * REQUEST_BYTES);
        let bytes = bytes.and_then(|rest| BASE32_NOPAD.decode(rest.to_ascii_uppercase().as_bytes()).ok());
        let bytes = bytes.ok_or(CashierRequestError::Form)?;
        let request: Self = codec::decode("cashier's request", &bytes, REQUEST_BYTES)
            .map_err(|_| CashierRequestError::Form)?;
        request.check()?;
        Ok(request)
    }
}

/// What a cashier's terminal key signs to log in: `inkan/v1/till ‖ 0 ‖ center ‖ store ‖ key ‖ TLS exporter`, the store as
/// encoded.
pub fn login_message(
    center: &CenterId,
    store: StoreNumber,
    key: &VerificationKey,
    exporter: &[u8; 32],
) -> Vec<u8> {
    [b"inkan/v1/till\0".as_slice(), &center.0, &codec::encode(&store), &key.0, exporter].concat()
}

fn request_message(center: &CenterId, store: StoreNumber, key: &VerificationKey, name: &Line) -> Vec<u8> {
    let (store, name) = (codec::encode(&store), codec::encode(name));
    [b"inkan/v1/till-request\0".as_slice(), &center.0, &store, &key.0, &name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn center() -> CenterId {
        SigningKey::from_seed(&[1; 32]).verification_key().center()
    }

    fn public(seed: u8) -> VerificationKey {
        SigningKey::from_seed(&[seed; 32]).verification_key()
    }

    #[test]
    fn a_request_proves_its_key_for_one_store_and_one_name() {
        let key = SigningKey::from_seed(&[3; 32]);
        let center = self::center();
        let name = Line::new("Mori 森").unwrap();
        let request = CashierRequest::new(center, StoreNumber(7), name, &key);
        let printed = request.to_string();
        assert_eq!(printed.parse(), Ok(request.clone()));
        assert_eq!(
            printed.replace("inkan-cashier:", "").parse::<CashierRequest>(),
            Err(CashierRequestError::Form)
        );
        for forged in [
            CashierRequest { store: StoreNumber(8), ..request.clone() },
            CashierRequest { name: Line::new("Owner").unwrap(), ..request.clone() },
            CashierRequest { key: public(2), ..request.clone() },
            CashierRequest { center: CenterId([0; 32]), ..request.clone() },
        ] {
            let read = forged.to_string().parse::<CashierRequest>();
            assert!(matches!(read, Err(CashierRequestError::Key(_))), "{read:?}");
        }
    }

    #[test]
    fn a_login_is_for_one_connection_of_one_store() {
        let key = public(2);
        let center = center();
        let message = login_message(&center, StoreNumber(7), &key, &[5; 32]);
        assert!(message.starts_with(b"inkan/v1/till\0"));
        assert_ne!(message, login_message(&center, StoreNumber(8), &key, &[5; 32]));
        assert_ne!(message, login_message(&center, StoreNumber(7), &key, &[6; 32]));
    }
}
