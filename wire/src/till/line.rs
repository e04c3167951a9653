//! The line of a store that its owner hands to staff.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{bounded::List, id::StoreNumber, key::VerificationKey, limits, sheet::Invitation, text::Line};

/// What a store's owner hands to staff: the store's number, where its counter listens under which key, and the center
/// whose evidence counts.
///
/// Printed as `inkan-till:S-000001-7:KEY@host:port+KEY@host:port`: the store's terminal key before the `+`, the center's
/// root key behind it, both as in an [`Invitation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLine {
    /// The store.
    pub store: StoreNumber,
    /// The terminal key that its line shows.
    pub key: VerificationKey,
    /// Where its counter listens, as `host:port`.
    pub addresses: List<Line, { limits::ADDRESSES }>,
    /// The center.
    pub center: Invitation,
}

/// Words for a store's line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a store's line for cashiers: {0}; it looks like inkan-till:S-…:KEY@host:port+KEY@host:port"
)]
pub struct StoreLineError(String);

const LINE_PREFIX: &str = "inkan-till:";
const INVITATION_PREFIX: &str = "inkan:";

impl fmt::Display for StoreLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counter = Invitation { root: self.key, addresses: self.addresses.clone() }.to_string();
        let center = self.center.to_string();
        let bare = |text: &str| text.strip_prefix(INVITATION_PREFIX).unwrap_or(text).to_owned();
        write!(f, "{LINE_PREFIX}{}:{}+{}", self.store, bare(&counter), bare(&center))
    }
}

impl FromStr for StoreLine {
    type Err = StoreLineError;

    fn from_str(text: &str) -> Result<Self, StoreLineError> {
        let wrong = |why: &str| StoreLineError(why.to_owned());
        let rest = text.trim().strip_prefix(LINE_PREFIX);
        let rest = rest.ok_or_else(|| wrong("it does not begin with inkan-till:"))?;
        let (store, rest) = rest.split_once(':').ok_or_else(|| wrong("the store's number is missing"))?;
        let store = store.parse().map_err(|error| StoreLineError(format!("{error}")))?;
        let (counter, center) =
            rest.split_once('+').ok_or_else(|| wrong("the + before the center is missing"))?;
        let read = |part: &str| {
            let invitation = format!("{INVITATION_PREFIX}{part}").parse::<Invitation>();
            invitation.map_err(|error| StoreLineError(error.to_string()))
        };
        let (counter, center) = (read(counter)?, read(center)?);
        Ok(Self { store, key: counter.root, addresses: counter.addresses, center })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

    fn line() -> StoreLine {
        let [root, terminal] = [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]).verification_key());
        let addresses = |addresses: &[&str]| {
            List::new(addresses.iter().map(|address| Line::new(address).unwrap()).collect()).unwrap()
        };
        StoreLine {
            store: StoreNumber(7),
            key: terminal,
            addresses: addresses(&["shop.example:7100", "[::1]:7101"]),
            center: Invitation { root, addresses: addresses(&["center.example:7000"]) },
        }
    }

    #[test]
    fn a_store_s_line_prints_and_parses() {
        let printed = line().to_string();
        assert_eq!(printed.parse(), Ok(line()), "{printed}");
        assert_eq!(format!(" {printed}\n").parse(), Ok(line()), "as it is pasted");
        let swapped = printed.replace("S-", "M-");
        for (text, word) in [
            ("inkan:ABC@h:1", "inkan-till:"),
            ("inkan-till:S-000007", "number is missing"),
            (&swapped, "store"),
            (&printed.replace('+', " "), "+"),
            (&printed.replace(":7100", ":0"), "host:port"),
        ] {
            let error = text.parse::<StoreLine>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
