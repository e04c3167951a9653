//! By what operators are named: plain names, and OpenSSH public keys.

use data_encoding::BASE64;
use wire::{id::Digest, text::Line};

/// How the books name an operator's SSH key: SHA-256 of its line in an `authorized_keys` file, without blanks around it.
pub fn key_digest(ssh_key: &str) -> Digest {
    Digest::of(&[ssh_key.trim().as_bytes()])
}

/// Whether a name can stand in the books: letters, digits, `.`, `-` and `_`, at most 40.
///
/// # Errors
/// In words.
pub fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let clean = Line::new(name).is_ok_and(|line| line.as_str() == name);
    if !name.is_empty() && name.chars().count() <= 40 && name.chars().all(plain) && clean {
        Ok(())
    } else {
        Err("an operator's name has 1 to 40 letters, digits, dots, hyphens or underscores".into())
    }
}

/// Whether a line is an OpenSSH public key: type, base64 that names the same type, and perhaps a comment.
///
/// # Errors
/// In words.
pub fn check_ssh_key(line: &str) -> Result<(), String> {
    let mut parts = line.split_whitespace();
    let (Some(kind), Some(blob)) = (parts.next(), parts.next()) else {
        return Err("this is no SSH public key: a line like “ssh-ed25519 AAAA... name” is expected".into());
    };
    let blob = BASE64.decode(blob.as_bytes()).unwrap_or_default();
    let named = blob
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?));
    if named != Some(kind.as_bytes()) {
        return Err("this is no SSH public key: its type and its content do not fit".into());
    }
    match kind {
        "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" | "ecdsa-sha2-nistp256" => Ok(()),
        _ => Err(format!("SSH keys of type {kind} are not taken; use ssh-ed25519")),
    }
}

/// Type and key of an SSH key's line, without the comment: two names behind one key would not be two people.
pub(super) fn bare(ssh_key: &str) -> Vec<&str> {
    ssh_key.split_whitespace().take(2).collect()
}
