//! What a cashier's vault holds besides its outbox: records of kinds from 160 up, of the form that the store's have.

use serde::{Deserialize, Serialize};
use vault::Draft;
use wire::{
    amount::Currency,
    codec::Malformed,
    id::EntryNumber,
    telegram::Telegram,
    text::Line,
    till::{StoreLine, TillWelcome},
};

use crate::record;

const VERSION: u16 = 1;
const JOINED: u16 = 160;
const ADMITTED: u16 = 161;

/// The store that this terminal works for; the newest counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Joined {
    pub(super) line: StoreLine,
    /// The name that was wished for.
    pub(super) name: Line,
}

/// The rights as the store last said them; the newest counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Admitted {
    /// The name that the store trades under.
    pub(super) store: Line,
    pub(super) certificate: Telegram,
    pub(super) entry: EntryNumber,
    pub(super) currency: Currency,
}

impl Admitted {
    pub(super) fn new(store: Line, welcome: &TillWelcome) -> Self {
        Self {
            store,
            certificate: welcome.certificate.clone(),
            entry: welcome.entry,
            currency: welcome.currency,
        }
    }

    pub(super) fn draft(&self) -> Result<Draft, vault::Error> {
        Draft::new(ADMITTED, &(VERSION, self))
    }
}

impl Joined {
    pub(super) fn draft(&self) -> Result<Draft, vault::Error> {
        Draft::new(JOINED, &(VERSION, self))
    }
}

/// What the records say: the newest of each.
pub(super) fn read(records: &[vault::Record]) -> Result<(Option<Joined>, Option<Admitted>), Malformed> {
    let newest = |kind| records.iter().rev().find(|record| record.kind == kind);
    let joined = newest(JOINED).map(|it| record::value("store's line", &it.bytes)).transpose()?;
    let admitted = newest(ADMITTED).map(|it| record::value("cashier's rights", &it.bytes)).transpose()?;
    Ok((joined, admitted))
}
