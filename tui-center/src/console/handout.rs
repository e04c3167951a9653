//! What an act hands out, written into a new file of the center's machine: letters, and what is known of a person.
//!
//! The file is made before the act is done, so that what is handed out once and destroyed does not get lost between a
//! typing error in a path and a full disk. It never takes the place of another file and belongs to the center's user
//! alone.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::Arc,
};

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::source::Source;
use crate::{
    acts::{Act, ActError, JoiningOutcome, Outcome, PeopleOutcome},
    operators::Operator,
};

/// Does an act and writes what it hands out into a new file.
///
/// # Errors
/// Those of the act; also when the file can't be made, and then nothing was done.
pub(super) async fn ask<S: Source>(
    source: &S,
    operator: Arc<Operator>,
    act: Act,
    path: PathBuf,
) -> Result<Outcome, ActError> {
    let made = path.clone();
    let file = off_thread(move || new_file(&made)).await?;
    let outcome = match source.act(Some(operator), act).await {
        Ok(outcome) => outcome,
        Err(error) => {
            // It is empty, and the act can be tried again with the same name.
            let _ = off_thread(move || fs::remove_file(path)).await;
            return Err(error);
        }
    };
    let bytes = handed_out(&outcome)?;
    off_thread(move || write(file, &bytes)).await.map_err(|error| ActError {
        words: format!("it was done, but what was handed out could not be written: {}", error.words),
        unknown: true,
        ..error
    })?;
    Ok(outcome)
}

fn handed_out(outcome: &Outcome) -> Result<Zeroizing<Vec<u8>>, ActError> {
    match outcome {
        Outcome::Joining(JoiningOutcome::Letter(letter)) => BASE64
            .decode(letter.pdf.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| failed("the letter came damaged")),
        Outcome::People(PeopleOutcome::Exported { person, .. }) => serde_json::to_vec_pretty(person)
            .map(Zeroizing::new)
            .map_err(|error| failed(&format!("what was handed out: {error}"))),
        _ => Err(failed("nothing was handed out")),
    }
}

fn new_file(path: &PathBuf) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn write(mut file: File, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, ActError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed(&format!("the file: {error}"))),
        Err(_) => Err(failed("the file could not be written: an error in the program")),
    }
}

fn failed(words: &str) -> ActError {
    ActError { kind: "file", words: words.to_owned(), unknown: false }
}
