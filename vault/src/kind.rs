//! Kinds of records. Below [`PROGRAM`] they belong to the vault; from there on to the program that keeps it.

/// The first kind that a program may use.
pub const PROGRAM: u16 = 100;

/// Nothing: the place of a record that was left out when the file was copied.
pub(crate) const LEFT_OUT: u16 = 0;
/// The signature key, sealed under password B.
pub(crate) const SIGNATURE_KEY: u16 = 1;
/// The terminal key.
pub(crate) const TERMINAL_KEY: u16 = 2;
/// The autograph that was mixed into the first signature key of a vault of format 1.
pub(crate) const DRAWN_SEAL: u16 = 3;
/// The public halves of the recovery phrase's keys.
pub(crate) const RECOVERY: u16 = 4;
/// A signature key, sealed to a recovery phrase.
pub(crate) const KEY_COPY: u16 = 5;
/// An autograph, with the signature key that it was mixed into.
pub(crate) const AUTOGRAPH: u16 = 6;
/// The person showed that the phrase is written down.
pub(crate) const CONFIRMED: u16 = 7;
/// A restore was tried and gave back everything.
pub(crate) const PROVED: u16 = 8;
/// The center; the newest counts.
pub(crate) const PINNED_CENTER: u16 = 10;
/// The program's settings; the newest counts.
pub(crate) const SETTINGS: u16 = 11;
/// The center's floor for the cost of passwords; the newest counts.
pub(crate) const POLICY: u16 = 12;
/// A copy of the vault was deposited with the center.
pub(crate) const DEPOSITED: u16 = 13;
/// A signature key that waits to be in force, sealed under password B.
pub(crate) const NEXT_SIGNATURE_KEY: u16 = 14;
/// A terminal key that waits to be in force.
pub(crate) const NEXT_TERMINAL_KEY: u16 = 15;
/// The public halves of a recovery phrase's keys that wait to be in force.
pub(crate) const NEXT_RECOVERY: u16 = 16;
/// A key that waited is in force.
pub(crate) const IN_FORCE: u16 = 17;
/// A key that waited is dropped, or one that was held is let go.
pub(crate) const DROPPED: u16 = 18;
/// A recovery key that is not registered yet, sealed under password B.
pub(crate) const HELD_RECOVERY_KEY: u16 = 19;
/// A telegram put into the outbox.
pub(crate) const PREPARED: u16 = 20;
/// A telegram about to be sent.
pub(crate) const LEFT: u16 = 21;
/// A telegram that the center ended.
pub(crate) const CLOSED: u16 = 22;
/// A telegram taken back before it left.
pub(crate) const WITHDRAWN: u16 = 23;

/// Whether a record of this kind holds a key under password B.
pub(crate) fn is_under_b(kind: u16) -> bool {
    matches!(kind, SIGNATURE_KEY | NEXT_SIGNATURE_KEY | HELD_RECOVERY_KEY)
}

/// A kind in words.
pub(crate) fn noun(kind: u16) -> String {
    let noun = match kind {
        LEFT_OUT => "left out",
        SIGNATURE_KEY => "signature key",
        TERMINAL_KEY => "terminal key",
        DRAWN_SEAL | AUTOGRAPH => "drawn seal",
        RECOVERY => "recovery keys",
        KEY_COPY => "signature key for the recovery phrase",
        CONFIRMED => "recovery phrase confirmed",
        PROVED => "restore drill",
        PINNED_CENTER => "pinned center",
        SETTINGS => "settings",
        POLICY => "vault policy",
        DEPOSITED => "copy deposited",
        NEXT_SIGNATURE_KEY => "new signature key",
        NEXT_TERMINAL_KEY => "new terminal key",
        NEXT_RECOVERY => "new recovery keys",
        IN_FORCE => "new key in force",
        DROPPED => "new key dropped",
        HELD_RECOVERY_KEY => "recovery key until it is registered",
        PREPARED => "outbox: telegram",
        LEFT => "outbox: sent",
        CLOSED => "outbox: closed",
        WITHDRAWN => "outbox: withdrawn",
        kind => return format!("kind {kind}"),
    };
    noun.to_owned()
}
