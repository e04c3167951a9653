//! The two-password custody at an Inkan terminal: keys, history, outbox.
//!
//! A [`Vault`] is one file in a profile. Password A opens it: the programs' records, the [`outbox`], the pinned center,
//! the terminal key. Password B, inside it, opens the signature key for one act, or for a stated time. A alone can spend
//! nothing; B alone, or the file alone, opens nothing. What is lost with terminal and passwords comes back by
//! [`recovery`]; how keys are changed is in [`rotation`].
//!
//! ```no_run
//! # use std::{error::Error, path::Path};
//! # use wire::{payload::Payment, telegram::Signer};
//! # const HISTORY: u16 = 100;
//! # fn buy(
//! #     profile: &Path,
//! #     (a, b): (secrecy::SecretString, secrecy::SecretString),
//! #     (payment, signer): (Payment, Signer),
//! #     send: impl FnOnce(&wire::telegram::Telegram) -> Vec<u8>,
//! # ) -> Result<(), Box<dyn Error>> {
//! use vault::{Draft, Surroundings, Vault};
//! use wire::telegram::Telegram;
//!
//! let mut opening = Vault::open(profile, &a, Surroundings::system())?;
//! for finding in &opening.findings {
//!     println!("{finding}");
//! }
//! let vault = &mut opening.vault;
//! let hand = vault.unlock_signing(&b)?;
//! let telegram = hand.act(|key| Telegram::sign(&payment, signer, key));
//! let parcel = vault.post(telegram, Vec::new(), Vec::new())?; // on disk from here on
//! let answer = send(parcel.telegram());
//! vault.close(parcel.id(), answer, vec![Draft::new(HISTORY, "bought")?])?;
//! # Ok(())
//! # }
//! ```
//!
//! # The file
//!
//! `vault.inkan`, mode `0600`, all integers little endian: two header slots of 4096 bytes at 0 and 4096, then records
//! from 8192 to the end. Beside it `vault.inkan.lock` is held with `flock` while a process has the vault and names that
//! process; `vault.inkan.new` is a copy being made, complete only when it is renamed; `vault.inkan.aside-N` is a former vault
//! ([`aside`]).
//!
//! **Header slot.** The intact slot with the higher generation counts. A change writes the other slot with the
//! generation one higher, generation `g` in slot `g mod 2`.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `INKANVLT` |
//! | 8 | 2 | version: 2, or 1 in a vault that this crate has not opened yet |
//! | 10 | 1 | mode: 1 single password, 2 two passwords |
//! | 11 | 5 | zero |
//! | 16 | 8 | generation |
//! | 24 | 16 | vault id, random |
//! | 40 | 32 | salt of password A, random |
//! | 72 | 12 | Argon2id memory in KiB, passes, lanes, `u32` each |
//! | 84 | 24 | nonce |
//! | 108 | 48 | the 32-byte data key, sealed under KA |
//! | 156 | 12 | failed attempts at A in a row `u32`, time of the last in ms since 1970 `u64` |
//! | 168 | 12 | the same for B |
//! | 180 | 3912 | zero |
//! | 4092 | 4 | CRC-32 (IEEE) of the bytes before |
//!
//! *Sealed* is always XChaCha20-Poly1305 with a random nonce, the tag last. `KA = Argon2id(NFKC(password A), salt)` of
//! version 0x13 with 32 bytes of output; at opening the parameters must lie between 64 MiB × 3 passes × 1 lane and
//! 4 GiB × 100 × 16. The associated data of the wrap is `inkan/v1/vault-wrap ‖ version ‖ mode ‖ vault id ‖ memory ‖
//! passes ‖ lanes ‖ salt`, widths as above. New parameters are chosen so that one derivation takes about half a second on
//! this machine, and not below what the center's policy asks for; a wrap below it, or of version 1, is made anew at the
//! next opening, when the password is at hand.
//!
//! **Record.**
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `INKR` |
//! | 4 | 4 | length of nonce and ciphertext, 40 to 40 + 2 MiB |
//! | 8 | 8 | sequence number, from 1, without gaps |
//! | 16 | 2 | kind |
//! | 18 | 2 | zero |
//! | 20 | 4 | CRC-32 (IEEE) of the bytes before |
//! | 24 | 24 | nonce |
//! | 48 | .. | content, sealed under the data key with `vault id ‖ sequence ‖ kind` as associated data |
//!
//! Contents are encoded by [`wire::codec`]: fields one after the other, *bytes*, texts (UTF-8) and lists with a length
//! `u64` before them, optional values with a byte 0 or 1 before them, a variant as its place `u32`, a role `u32` (0
//! signature, 1 terminal, 2 recovery), a time `u64` in ms since 1970. Nothing follows the last field. From
//! [`kind::PROGRAM`] on they are the program's own.
//!
//! A *telegram* is its kind `u32` (the place in [`wire::telegram::Kind`]), its signer (`u32` 0 and an account number
//! `u64`, or 1 and a verification key 32), bytes: what was signed, and the Ed25519 signature 64 over `domain tag ‖ 0 ‖`
//! those bytes. Its id is the SHA-256 of the same.
//!
//! | kind | what | content |
//! |---|---|---|
//! | 0 | left out | empty |
//! | 1 | signature key in force | see below |
//! | 2 | terminal key in force | its 32-byte seed |
//! | 3 | drawn seal of a vault of version 1 | bytes |
//! | 4 | recovery phrase in force | recovery key 32, X25519 key 32, time |
//! | 5 | a signature key for the phrase | verification key 32, then X25519 key 32 it is sealed to, ephemeral key 32, nonce 24, bytes: the seed sealed as [`recovery`] describes it, with the purpose `inkan/v1/recovery-signature-key` and the verification key as context |
//! | 6 | drawn seal | verification key 32 that it was mixed into, bytes: the encoded autograph, which is a byte 1, a list of strokes (each a list of points: `u16` x, `u16` y, `u32` ms), optionally a text and a list of `u32` intervals |
//! | 7, 8 | phrase confirmed; restore drill passed | recovery key 32, time |
//! | 10 | [`PinnedCenter`] | root key 32, list of texts: addresses, optional telegram: key sheet, optional text: checkpoint, optional `u64`: account; the newest counts |
//! | 11 | settings | the program's; the newest counts |
//! | 12 | the center's policy | memory in KiB `u32`, passes `u32`; the newest counts |
//! | 13 | copy deposited | newest record in it `u64`, time |
//! | 14, 15, 16 | keys that wait ([`rotation`]) | as 1, 2 and 4 |
//! | 17, 18 | the key of a role that waits is in force; is dropped | role, its public half 32, time |
//! | 19 | recovery key until it is registered | see below; ended by a record of kind 17 or 18 with its public half, or of kind 4 with another one |
//! | 20 | telegram put into the [`outbox`] | telegram, bytes beside, bytes note, time |
//! | 21, 23 | it may have left; it was withdrawn | telegram id 32, time |
//! | 22 | it was closed | telegram id 32, time, bytes: the answer |
//!
//! A key in force is that of the newest record of kind 1, 2 or 4, or of the newest of kind 14, 15 or 16 that a record of
//! kind 17 follows. A record of kind 17 or 18 whose key does not wait says nothing, except of the key of kind 19, of
//! which 18 says that alone. What one write has to say together may be cut after any of its records: where a signature
//! key is then not sealed to a phrase, a record of kind 5 is added when B is next at hand. The drawn seal turns with its
//! signature key, and stays when the next one has none. When a key leaves, the file is copied, and its record and those of
//! kind 5 that no key or phrase needs any more become kind 0.
//!
//! **Keys under password B.** Content of kinds 1, 14 and 19: verification key 32, Argon2id parameters 3 × `u32`, salt 32, nonce 24,
//! bytes: the 32-byte seed sealed under `KB = Argon2id(NFKC(password B), salt)` with `inkan/v1/vault-hand ‖ mode ‖ vault id
//! ‖ verification key ‖ parameters ‖ salt` as associated data. B's salt lies here and not in the header, so that without A
//! nothing about B can even be tried. With a single password KB comes from that one with this second salt. A key below the
//! center's policy is sealed anew when B is next at hand.
//!
//! The seed is 32 bytes of the operating system, or with an autograph HKDF-SHA256 of those 32 bytes with SHA-256 of the
//! encoded autograph as salt and `inkan/v1/signature-key` as info.
//!
//! The phrase and the deposited copy are described in [`recovery`]. **An exported telegram** is `INKANOUT`, version `u16`
//! 1, vault id 16, nonce 24, and under the data key, with the 26 bytes before the nonce and `inkan/v1/outbox-item` as
//! associated data: telegram, bytes beside, bytes note, time it was put into the outbox, optional time it may have left.
//!
//! # Reading a damaged file
//!
//! A record whose head is intact but whose seal does not open is named and skipped. Where a head is not intact, the next
//! intact one is looked for, and the bytes between are named. The beginning of a record that the file ends in, or blank
//! space at the end, is a torn write: it is cut off, and since an append is reported only after its sync, nothing that
//! was reported is in it. Anything else that cannot be read stays in the file, also when it is copied. A number that is
//! missing between two records is named too.
//!
//! # Invariants
//!
//! - Nothing is reported as kept before it is synced. After a failed append the vault is as before; where that cannot be
//!   made sure, it takes nothing more until it is opened again.
//! - A telegram is closed only behind what follows from its answer ([`Vault::close`]), and a copy is deposited only when it
//!   brings the signature key back.
//! - A telegram can be handed to a line only when it is on disk as having left ([`outbox`]).
//! - An attempt at a password is counted on disk before it is made, except where one password is being changed, with its
//!   old one, and the new one is compared with the other. Whoever has the file can guess without this crate; against that
//!   stands Argon2id alone.
//! - Old passwords open nothing in the file after a change, except a key under B in a stretch that could not be read and
//!   was copied as it was. They still open copies made before it, and bytes of the old file that the file system has not
//!   yet overwritten.
//! - The data key stays the same as long as the vault. Whoever once had password A and the file at that time reads, but
//!   never signs with, every later state of the file, whatever password A is then. A vault restored from a copy has a data
//!   key of its own.
//! - Whoever can write the file can put an older one in its place, or cut off its end; nothing in a single file can tell.
//!   What is gone with it the center still knows.
//! - A key that was reported as made opens with its password until the center has refused it ([`rotation`]).
//! - A new password that is guessed at once is refused ([`strength()`]).
//! - No secret is printed or logged. Keys, records and what the outbox holds beside telegrams are wiped when dropped; what
//!   a program has decoded from a record is the program's. What the compiler moved over the stack, and the memory of
//!   Argon2id, which goes back to the system at once, are not. The data key, phrases, terminal keys and opened signature
//!   keys lie on pages of their own that the system keeps out of the swap; where it does not, [`Finding::NotLocked`] says
//!   so. Core dumps are for the programs to turn off.
//! - Two copies of one vault used at once do no harm that the center does not see: [`recovery`].

pub mod aside;
pub mod autograph;
mod blank;
mod change;
mod contents;
mod custody;
mod error;
mod file;
mod header;
mod held;
mod keys;
pub mod kind;
mod open;
pub mod outbox;
mod page;
mod password;
mod record;
pub mod recovery;
mod report;
pub mod rotation;
mod seal;
mod sealed_to;
mod session;
mod strength;
mod surroundings;
mod transfer;
mod vault;

pub use aside::Aside;
pub use autograph::Autograph;
pub use contents::{Draft, PinnedCenter};
pub use custody::SigningHand;
pub use error::{Error, Which};
pub use file::FILE;
pub use header::Mode;
pub use open::{Locked, Opening, Refused};
pub use outbox::{Item, Outbox, Parcel, Ready, State};
pub use password::{BYTES_MAX, CHARACTERS_MIN};
pub use record::{MAX_CONTENT, Record};
pub use recovery::{Language, RecoveryPhrase, RestoredContents};
pub use report::Finding;
pub use session::SigningSession;
pub use strength::{SCORE_MIN, Strength, strength};
pub use surroundings::{Cost, Random, Surroundings};
pub use vault::{Passwords, Vault};
