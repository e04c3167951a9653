//! What acts carry over the control socket in the same shape in every program: the passwords in them, and the kinds of
//! failures that come back.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Exit;

/// A password inside an act. It never shows itself in `Debug` and is wiped when dropped; it serialises in the clear
/// because the control socket carries it, which is open to the profile's owner alone.
#[derive(Clone)]
pub struct Password(pub SecretString);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl From<SecretString> for Password {
    fn from(secret: SecretString) -> Self {
        Self(secret)
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::from(text)))
    }
}

/// Why an act was not done, as a kind: for scripts, and for what is offered next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The other side said no, and nothing moved.
    Refused,
    /// Sent, and nobody said what became of it.
    Unknown,
    /// The other side can't be reached.
    Offline,
    /// A password is wrong, or must wait.
    WrongPassword,
    /// What came is not what was signed, or contradicts what was seen: evidence is kept.
    Contradiction,
    /// There is no such thing.
    NotFound,
    /// It can't be done in this state.
    NotPossible,
    /// Another process has the vault.
    Held,
    /// The machine: files, disk, memory.
    Machine,
}

impl FailureKind {
    /// The stable word in JSON, for scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Offline => "offline",
            Self::WrongPassword => "wrong-password",
            Self::Contradiction => "contradiction",
            Self::NotFound => "not-found",
            Self::NotPossible => "not-possible",
            Self::Held => "held",
            Self::Machine => "machine",
        }
    }

    /// How a subcommand ends with it.
    pub fn exit(self) -> Exit {
        match self {
            Self::Unknown => Exit::Unknown,
            _ => Exit::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_shows_itself() {
        let password = Password::from("correct horse");
        assert_eq!(format!("{password:?}"), "Password(..)");
        let told = serde_json::to_string(&password).expect("JSON");
        assert_eq!(told, "\"correct horse\"");
        let back: Password = serde_json::from_str(&told).expect("a password");
        assert_eq!(back.0.expose_secret(), "correct horse");
    }

    #[test]
    fn a_failure_s_word_is_the_one_it_serialises_as() {
        use FailureKind::*;
        for kind in
            [Refused, Unknown, Offline, WrongPassword, Contradiction, NotFound, NotPossible, Held, Machine]
        {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.word());
            assert_eq!(kind.exit() == Exit::Unknown, kind == Unknown);
        }
    }
}
