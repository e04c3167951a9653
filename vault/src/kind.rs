//! Kinds of records. Below [`PROGRAM`] they belong to the vault; from there on to the program that keeps it.

/// The first kind that a program may use.
pub const PROGRAM: u16 = 100;

/// Nothing: the place of a record that was left out when the file was copied.
pub(crate) const LEFT_OUT: u16 = 0;
/// The signature key, sealed under password B.
pub(crate) const SIGNATURE_KEY: u16 = 1;
/// The terminal key.
pub(crate) const TERMINAL_KEY: u16 = 2;
/// The autograph that was mixed into the signature key.
pub(crate) const DRAWN_SEAL: u16 = 3;
/// The center; the newest counts.
pub(crate) const PINNED_CENTER: u16 = 10;
/// The program's settings; the newest counts.
pub(crate) const SETTINGS: u16 = 11;
/// A telegram put into the outbox.
pub(crate) const PREPARED: u16 = 20;
/// A telegram about to be sent.
pub(crate) const LEFT: u16 = 21;
/// A telegram that the center ended.
pub(crate) const CLOSED: u16 = 22;
/// A telegram taken back before it left.
pub(crate) const WITHDRAWN: u16 = 23;

/// A kind in words.
pub(crate) fn noun(kind: u16) -> String {
    let noun = match kind {
        LEFT_OUT => "left out",
        SIGNATURE_KEY => "signature key",
        TERMINAL_KEY => "terminal key",
        DRAWN_SEAL => "drawn seal",
        PINNED_CENTER => "pinned center",
        SETTINGS => "settings",
        PREPARED => "outbox: telegram",
        LEFT => "outbox: sent",
        CLOSED => "outbox: closed",
        WITHDRAWN => "outbox: withdrawn",
        kind => return format!("kind {kind}"),
    };
    noun.to_owned()
}
