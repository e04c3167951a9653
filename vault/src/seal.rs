//! XChaCha20-Poly1305 with random 24-byte nonces, as everything in the vault is sealed.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

use crate::password::Key;

/// Length of a nonce.
pub(crate) const NONCE: usize = 24;
/// What sealing adds besides the nonce: the tag.
pub(crate) const TAG: usize = 16;

/// Seals `content` under `key`, bound to `context`.
pub(crate) fn seal(key: &Key, nonce: &[u8; NONCE], context: &[u8], content: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new((&**key).into())
        .encrypt(nonce.into(), Payload { msg: content, aad: context })
        .expect("the cipher takes anything shorter than 2^38 bytes, and records are bounded far below")
}

/// Opens what [`seal`] made; `None` when key, nonce, context or bytes differ.
pub(crate) fn open(
    key: &Key,
    nonce: &[u8; NONCE],
    context: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    XChaCha20Poly1305::new((&**key).into())
        .decrypt(nonce.into(), Payload { msg: sealed, aad: context })
        .ok()
        .map(Zeroizing::new)
}
