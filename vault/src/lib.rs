//! The two-password custody at an Inkan terminal: keys, history, outbox.
//!
//! A [`Vault`] is one file in a profile. Password A opens it: the programs' records, the [`outbox`], the pinned center,
//! the terminal key. Password B, inside it, opens the signature key for one act at a time. A alone can spend nothing; B
//! alone, or the file alone, opens nothing.
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
//! process; `vault.inkan.new` is a copy being made, complete only when it is renamed.
//!
//! **Header slot.** The intact slot with the higher generation counts. A change writes the other slot with the
//! generation one higher, generation `g` in slot `g mod 2`.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `INKANVLT` |
//! | 8 | 2 | version, 1 |
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
//! passes ‖ lanes ‖ salt`, widths as above.
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
//! Contents are encoded by [`wire::codec`]. Kinds: 0 left out (empty), 1 signature key, 2 terminal key (its 32-byte
//! seed), 3 drawn seal, 10 [`PinnedCenter`], 11 settings, 20 to 23 the outbox; from [`kind::PROGRAM`] the program's own.
//!
//! **Signature key.** Content of kind 1: verification key 32, Argon2id parameters 3 × `u32`, salt 32, nonce 24, length
//! `u64`, and the 32-byte seed sealed under `KB = Argon2id(NFKC(password B), salt)` with `inkan/v1/vault-hand ‖ mode ‖
//! vault id ‖ verification key ‖ parameters ‖ salt` as associated data. B's salt lies here and not in the header, so that
//! without A nothing about B can even be tried. With a single password KB comes from that one with this second salt.
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
//! - A telegram can be handed to a line only when it is on disk as having left ([`outbox`]).
//! - An attempt at a password is counted on disk before it is made. Whoever has the file can guess without this crate;
//!   against that stands Argon2id alone.
//! - Old passwords open nothing in the file after a change. They still open copies made before it, and bytes of the old
//!   file that the file system has not yet overwritten.
//! - No secret is printed or logged. Keys and records are wiped when dropped; what a program or the outbox has decoded
//!   from a record is theirs.

pub mod autograph;
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
