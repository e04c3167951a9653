//! OpenSSH's signatures over files, as `ssh-keygen -Y verify` reads them, with Ed25519 keys.
//!
//! The format is OpenSSH's `PROTOCOL.sshsig`, version 1: what is signed is
//! `"SSHSIG" ‖ namespace ‖ reserved ‖ hash algorithm ‖ H(message)`, each but the first as a length of four bytes, big
//! endian, and the bytes. It begins with the magic, so that no such signature is also one over a telegram, a checkpoint
//! or any other thing that this house signs.
//!
//! It is made here, and by no library, because what there is to make is one page, and those that can bring a second
//! generation of the cryptography with them.

use data_encoding::BASE64;
use sha2::{Digest as _, Sha512};

use crate::key::{Signature, SigningKey, VerificationKey};

const MAGIC: &[u8] = b"SSHSIG";
const ALGORITHM: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";
const VERSION: u32 = 1;
/// How long a line of an armored signature is.
const WIDTH: usize = 70;

/// Signs a message in a namespace.
pub fn sign(namespace: &str, message: &[u8], key: &SigningKey) -> Signature {
    key.sign(&signed_data(namespace, message))
}

/// Whether a signature is one over this message in this namespace.
pub fn verifies(namespace: &str, message: &[u8], key: &VerificationKey, signature: &Signature) -> bool {
    key.verify(&signed_data(namespace, message), signature).is_ok()
}

/// The signature as a file that `ssh-keygen -Y verify -s FILE` reads.
pub fn armored(namespace: &str, key: &VerificationKey, signature: &Signature) -> String {
    let mut blob = MAGIC.to_vec();
    blob.extend_from_slice(&VERSION.to_be_bytes());
    put(&mut blob, &public(key));
    put(&mut blob, namespace.as_bytes());
    put(&mut blob, b"");
    put(&mut blob, HASH);
    let mut inner = Vec::new();
    put(&mut inner, ALGORITHM);
    put(&mut inner, &signature.0);
    put(&mut blob, &inner);
    let text = BASE64.encode(&blob);
    let mut armored = String::from("-----BEGIN SSH SIGNATURE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(WIDTH));
        armored.extend([line, "\n"]);
        rest = after;
    }
    armored + "-----END SSH SIGNATURE-----\n"
}

/// The line for `ssh-keygen -Y verify -f FILE` that lets a principal sign in one namespace, and in no other.
pub fn allowed_signer(principal: &str, namespace: &str, key: &VerificationKey) -> String {
    format!("{principal} namespaces=\"{namespace}\" ssh-ed25519 {}\n", BASE64.encode(&public(key)))
}

fn signed_data(namespace: &str, message: &[u8]) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    put(&mut data, namespace.as_bytes());
    put(&mut data, b"");
    put(&mut data, HASH);
    put(&mut data, &Sha512::digest(message));
    data
}

/// A public key as SSH writes it (RFC 8709).
fn public(key: &VerificationKey) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, ALGORITHM);
    put(&mut bytes, &key.0);
    bytes
}

/// A string of SSH (RFC 4251): its length in four bytes, big endian, and its bytes.
fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("names, keys and digests are far shorter than 4 GiB");
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_namespace_alone() {
        let key = SigningKey::from_seed(&[7; 32]);
        let public = key.verification_key();
        let signature = sign("a@b", b"message", &key);
        assert!(verifies("a@b", b"message", &public, &signature));
        assert!(!verifies("a@b", b"massage", &public, &signature));
        assert!(!verifies("b@a", b"message", &public, &signature));
        assert!(public.verify(b"message", &signature).is_err(), "it is none over the bare message");
    }

    #[test]
    fn the_armored_form_is_the_one_that_openssh_writes() {
        // `ssh-keygen -Y sign -n a@b` with the private key of this seed over the bytes "message".
        let key = SigningKey::from_seed(&[7; 32]);
        let armored = armored("a@b", &key.verification_key(), &sign("a@b", b"message", &key));
        assert_eq!(armored, GOLDEN);
        assert!(
            allowed_signer("center@inkan", "a@b", &key.verification_key())
                .starts_with("center@inkan namespaces=\"a@b\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI")
        );
    }

    const GOLDEN: &str = "-----BEGIN SSH SIGNATURE-----\n\
        U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg6kpsY+KcUgq+9VB7Ey7F+ZVHdq\n\
        6+vnuSQh7qaRRG0iwAAAADYUBiAAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5\n\
        AAAAQAdqRIjtD3o2+UaEn9aM1qJVj5FiUHN2nWjlu0E/Cu5t7vlY/2UVZPKr5LbKcaCwYn\n\
        huwKIOgCzwtmjNlZIR+Ao=\n\
        -----END SSH SIGNATURE-----\n";
}
