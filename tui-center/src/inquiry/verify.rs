//! `books verify`: each thing that must hold, looked at and named.

use serde::{Deserialize, Serialize};
use wire::sheet::{KeySheet, SheetRole};

use crate::{
    books::{
        cabinet::Cabinet,
        verify::{Against, verify},
    },
    center::Center,
    places::Places,
};

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Whether every check holds.
    pub holds: bool,
    /// One for each thing.
    pub checks: Vec<Checked>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What.
    pub name: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, or what is wrong.
    pub words: String,
}

/// Verifies the books of an open center beside its writer.
pub fn running(center: &Center) -> Verified {
    let live = {
        let state = center.desk().state();
        (state.next().0, state.digest())
    };
    look(center.places(), center.speaking().key_sheet(), center.cabinet(), Some(live))
}

/// Verifies books that nobody has open, also when they are too damaged to be opened.
pub fn resting(places: &Places, sheet: &KeySheet, cabinet: &Cabinet) -> Verified {
    look(places, sheet, cabinet, None)
}

fn look(
    places: &Places,
    sheet: &KeySheet,
    cabinet: &Cabinet,
    live: Option<(u64, wire::id::Digest)>,
) -> Verified {
    let key = |size| sheet.key_at(SheetRole::Checkpoint, size);
    let against = Against { origin: &sheet.log_origin, key: &key, cabinet: Some(cabinet), live };
    let checks = verify(&places.books, &against).into_iter().map(|check| {
        let holds = check.outcome.is_ok();
        let (Ok(words) | Err(words)) = check.outcome;
        Checked { name: check.name.to_owned(), holds, words }
    });
    let checks: Vec<Checked> = checks.collect();
    Verified { holds: checks.iter().all(|check| check.holds), checks }
}
