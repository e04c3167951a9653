//! How an application stands: what the books decided of it, and what its code still bears.
//!
//! Nothing of it is kept twice. The journal says what was decided, and of which particulars: an application that was
//! asked back and has been amended waits again, because the decision was on other particulars.

use ledger::{
    Request,
    state::{AdmissionState, Decided},
};
use wire::{
    admission::{ApplicationState, ApplicationView, Way},
    bounded::List,
    id::{AccountNumber, ApplicationNumber, Digest, EntryNumber},
    text::Prose,
    time::Timestamp,
};

use super::applications::Row;
use crate::{center::Center, seal};

/// Milliseconds of a day.
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// An application of which nothing came is erased after this long, in milliseconds: 30 days.
pub const KEEP_MS: u64 = 30 * DAY_MS;
/// Letters of the salt before a note's words.
const SALT: usize = 32;

/// How an application stands, for the center's own rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// As the applicant sees it.
    pub view: ApplicationView,
    /// The entry that decided; `None` while nobody has.
    pub decided: Option<EntryNumber>,
    /// The number that was reserved.
    pub account: Option<AccountNumber>,
    /// Nothing more may come of it after this, and it may be erased.
    pub keep_until: Timestamp,
}

/// Looks at an application. Blocks on the disk.
///
/// # Errors
/// In words, when journal or cabinet can't be read.
pub fn standing(center: &Center, row: &Row) -> Result<Standing, String> {
    let standing = |since: Timestamp, state, decided, account| Standing {
        view: ApplicationView { number: row.number, received: row.received, since, state },
        decided,
        account,
        keep_until: since.plus_ms(KEEP_MS),
    };
    let waiting = || standing(row.since, ApplicationState::Waiting, None, None);
    let decided = center.desk().state().decided(row.number);
    match decided {
        None => Ok(waiting()),
        Some(Decided::AskedBack(entry) | Decided::Refused(entry)) => {
            let record = read(center, entry)?;
            let Request::Decline { ask_back, particulars, reason, .. } = *record.request.effective() else {
                return Err(format!("{entry} declines nobody"));
            };
            if ask_back && particulars != row.particulars {
                return Ok(waiting());
            }
            let words = Prose::new(&words(center, reason)?).unwrap_or_default();
            let state = if ask_back {
                ApplicationState::AskedBack { words }
            } else {
                ApplicationState::Refused { words }
            };
            Ok(standing(record.at, state, Some(entry), None))
        }
        Some(Decided::Admitted(entry)) => {
            let admitted = center.desk().state().admission(entry).cloned();
            let admitted = admitted.ok_or_else(|| format!("{entry} admits nobody"))?;
            let account = admitted.account;
            match admitted.state {
                AdmissionState::Registered(by) => {
                    let state = ApplicationState::Registered { account };
                    Ok(standing(read(center, by)?.at, state, Some(entry), Some(account)))
                }
                AdmissionState::Spent => {
                    Ok(standing(admitted.at, ApplicationState::CodeSpent, Some(entry), Some(account)))
                }
                AdmissionState::Open => {
                    let record = read(center, admitted.code)?;
                    let issued = center.admission().codes.issued(entry).map_err(|error| error.to_string())?;
                    let mistyped = issued.is_some_and(|code| code.entry == admitted.code && code.left == 0);
                    let state = if mistyped || Timestamp::now() > admitted.until {
                        ApplicationState::CodeSpent
                    } else {
                        let ways = List::first(ways(&record.request));
                        ApplicationState::Admitted { ways, until: admitted.until }
                    };
                    let keep_until = admitted.until.plus_ms(KEEP_MS);
                    Ok(Standing { keep_until, ..standing(record.at, state, Some(entry), Some(account)) })
                }
            }
        }
    }
}

/// Keeps the words of a refusal in the cabinet, salted, and gives what binds them.
///
/// # Errors
/// In words, when they can't be kept.
pub fn keep_words(center: &Center, words: &str) -> Result<Digest, String> {
    let salt = data_encoding::HEXLOWER.encode(&seal::random::<{ SALT / 2 }>());
    let kept = format!("{salt}{words}");
    let digest = bind(&kept);
    center.cabinet().put_note(digest, &kept).map_err(|error| error.to_string())?;
    Ok(digest)
}

/// Erases the words of the last refusal or question: they may speak of the applicant as a person.
///
/// # Errors
/// In words.
pub(crate) fn erase_words(center: &Center, number: ApplicationNumber) -> Result<(), String> {
    let decided = center.desk().state().decided(number);
    let Some(Decided::AskedBack(entry) | Decided::Refused(entry)) = decided else { return Ok(()) };
    match *read(center, entry)?.request.effective() {
        Request::Decline { reason, .. } => {
            center.cabinet().erase_note(reason).map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}

/// `SHA-256("inkan/v1/reason" ‖ salt ‖ words)`, the salt being 32 hex digits.
fn bind(kept: &str) -> Digest {
    Digest::of(&[b"inkan/v1/reason", kept.as_bytes()])
}

fn words(center: &Center, reason: Digest) -> Result<String, String> {
    let note = center.cabinet().note(reason).map_err(|error| error.to_string())?;
    Ok(note
        .filter(|kept| bind(kept) == reason)
        .and_then(|kept| kept.get(SALT..).map(str::to_owned))
        .unwrap_or_else(|| "the words were erased".into()))
}

/// How a code goes out that an entry intends.
pub(super) fn ways(request: &Request) -> Vec<Way> {
    match request.effective().into_owned() {
        Request::Admit(it) => it.ways,
        Request::Recode { ways, .. } => ways,
        _ => Vec::new(),
    }
}

pub(super) fn read(center: &Center, entry: EntryNumber) -> Result<ledger::Entry, String> {
    center.desk().reader().read(entry).map(|record| record.entry).map_err(|error| error.to_string())
}
