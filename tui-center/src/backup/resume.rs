//! The way back: the root key names the size and root that the log goes on from.
//!
//! | step | on the disk | a center that dies here starts |
//! |---|---|---|
//! | 1 | the new checkpoint key lies beside the former | stopped |
//! | 2 | the sheet lies in the cabinet: next log name, new checkpoint key, a [`wire::sheet::LogBreak`] | stopped |
//! | 3 | the entry that names the sheet, the first of the new log; its checkpoint is the new key's first | open |
//! | 4 | `stopped` is removed, the former key forgotten | open |
//!
//! The center must not run: its books are opened here, without a signature by the former key.

use std::sync::Arc;

use ledger::{Request, decide, request::OperatorRole};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tui_kit::profile::Profile;
use wire::{
    codec,
    id::{AccountNumber, EntryNumber},
    key::SigningKey,
    sheet::SheetRole,
    time::Timestamp,
};

use super::stopped::Stopped;
use crate::{
    books::{Books, Record, cabinet::Certificate},
    center::{Custody, OpenError},
    errors::{ErrorLog, Room, Weight},
    operators::Operators,
    places::Places,
    settlement::{Mailboxes, Opening},
};

/// Who resumes a center.
pub struct Resumption {
    /// An administrator, and the own passphrase.
    pub by: (String, SecretString),
    /// Another one, where the center has two.
    pub second: Option<(String, SecretString)>,
    /// The center's root key.
    pub root: SigningKey,
}

/// What a resumption did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// How many entries the log goes on from.
    pub size: u64,
    /// Their root, in hex.
    pub root: String,
    /// The log's new name.
    pub log: String,
    /// The key sheet's number.
    pub sheet: u64,
    /// The first entry of the new log.
    pub entry: EntryNumber,
}

/// Why a center is not resumed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// In a sentence.
    #[error("{0}")]
    Refused(String),
}

impl From<crate::books::BooksError> for ResumeError {
    fn from(error: crate::books::BooksError) -> Self {
        Self::Open(error.into())
    }
}

/// Resumes a center that was restored or has forked. Blocks for as long as Argon2id and the journal take.
///
/// # Errors
/// When it is not stopped, somebody is not who it takes, the root key is another center's, or what the file system refuses.
pub fn resume(
    profile: &Profile,
    service: &SecretString,
    resumption: &Resumption,
) -> Result<Resumed, ResumeError> {
    let refused = |words: String| ResumeError::Refused(words);
    let places = Places::of(profile);
    let mut custody = Custody::open(profile, service)?;
    let stopped = Stopped::read(&places.books)
        .ok_or_else(|| refused("the center is not stopped; there is nothing to resume".into()))?;
    if resumption.root.verification_key() != custody.config.root_key {
        return Err(refused("this is another center's root key".into()));
    }
    let key = custody.checkpoint_key();
    let mut opening = Opening::new(Mailboxes::open(Arc::new(custody.cabinet.clone()))?);
    let mut books = Books::held(&places.books, key.clone(), &mut opening, &stopped.words)?;
    let state = opening.state();
    let operators = Operators::open(&places.operators).map_err(|error| refused(error.to_string()))?;
    let said = |name: &str| Some((state.operator(name)?, state.operator_key(name)?));
    let check = |(name, passphrase): &(String, SecretString)| {
        let operator = operators.check(name, passphrase, Timestamp::now(), &said);
        let may = operator.and_then(|operator| operator.may(OperatorRole::Admin));
        may.map_err(|error| refused(error.to_string()))
    };
    check(&resumption.by)?;
    match &resumption.second {
        Some((second, _)) if *second == resumption.by.0 => {
            return Err(refused("the second admin must be another one".into()));
        }
        Some(second) => check(second)?,
        None if state.operators_with(OperatorRole::Admin) >= 2 => {
            return Err(refused(
                "this center has two admins, and resuming it takes both: --second NAME".into(),
            ));
        }
        None => {}
    }
    let (_, former) = custody.in_force(state.sheet())?;
    if stopped.is_ended_by(&former) {
        return Err(refused("the center was resumed already; start it".into()));
    }
    let reader = books.reader();
    let size = reader.size();
    let root = reader.root_at(size).ok_or_else(|| refused("the tree has no root".into()))?;
    let roles = custody.service.roles().rotated(&[SheetRole::Checkpoint]);
    let full = |_| refused("the key sheet holds as much as it can; this center can't be resumed".into());
    let key_sheet = roles.resumed_sheet(&former, size, root).map_err(full)?;
    let sheet = key_sheet.sign(&resumption.root);

    let failed = |error: &dyn std::fmt::Display| refused(error.to_string());
    custody.service.begin_rotation(&places.service_key, roles.clone()).map_err(|error| failed(&error))?;
    tui_kit::failpoint::at("resume.keys");
    custody.cabinet.put_certificate(Certificate::Sheet(key_sheet.number), &sheet)?;
    tui_kit::failpoint::at("resume.sheet");
    key.follow(&key_sheet, &[&roles.checkpoint]);
    // What was acknowledged behind the break is other mail than what will have these numbers.
    let last = EntryNumber(size.saturating_sub(1));
    let ahead = |upto: &EntryNumber| *upto > last;
    let cursors: Vec<(AccountNumber, EntryNumber)> =
        custody.cabinet.cursors()?.into_iter().filter(|(_, upto)| ahead(upto)).collect();
    for (account, _) in cursors {
        custody.cabinet.put_back_cursor(account, last)?;
    }
    let request = Request::Sheet {
        number: key_sheet.number,
        digest: sheet.digest(),
        by: Some(resumption.by.0.clone()),
    };
    let entry = decide(state, &request, Timestamp::now().max(state.at()));
    if let Some(refusal) = entry.refusal() {
        return Err(refused(format!("the books refuse the key sheet: {}", crate::books::said(refusal))));
    }
    let mut seed = [0; 16];
    wire::key::random(&mut seed);
    let record = Record { entry, evidence: codec::encode(&sheet), seed };
    books.go_on(&record)?;
    tui_kit::failpoint::at("resume.entered");
    custody.service.settle(&places.service_key, &key_sheet).map_err(|error| failed(&error))?;
    Stopped::clear(&places.books).map_err(|error| failed(&error))?;
    books.close()?;
    let errors = ErrorLog::open(&places.state);
    let second = resumption.second.as_ref().map(|(name, _)| format!(" and {name}")).unwrap_or_default();
    let by = format!("{}{second}", resumption.by.0);
    let log = key_sheet.log_origin.to_string();
    let words = format!(
        "{by} resumed the center from {size} entries as log {log}. Receipts of what is lost are handed in by terminals: \
         tui-center lost"
    );
    errors.tell(Room::Operators, Weight::Alarm, words);
    let number = record.entry.number;
    Ok(Resumed { size, root: root.to_string(), log, sheet: key_sheet.number, entry: number })
}
