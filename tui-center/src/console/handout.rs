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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use ledger::request::OperatorRole;
    use tokio::sync::{broadcast, watch};
    use wire::id::ApplicationNumber;

    use super::*;
    use crate::{
        acts::{Identity, JoiningAct, Letter},
        errors::ErrorLine,
        inquiry::view::Overview,
    };

    /// A center that hands out one letter, or refuses it.
    #[derive(Clone)]
    struct Desk(Result<&'static str, &'static str>);

    impl Source for Desk {
        fn overview(&self) -> watch::Receiver<Arc<Overview>> {
            unreachable!("nobody watches")
        }

        fn errors(&self) -> broadcast::Receiver<ErrorLine> {
            unreachable!("nobody watches")
        }

        async fn sign_in(&self, _: Identity) -> Result<Operator, ActError> {
            unreachable!("nobody signs in")
        }

        async fn act(&self, _: Option<Arc<Operator>>, _: Act) -> Result<Outcome, ActError> {
            let pdf = self.0.map_err(failed)?;
            let letter = Letter { name: "letter".into(), pdf: pdf.into() };
            Ok(Outcome::Joining(JoiningOutcome::Letter(letter)))
        }
    }

    async fn letter(desk: Desk, path: &std::path::Path) -> Result<Outcome, ActError> {
        let operator = Operator { name: "aiko".into(), role: OperatorRole::Clerk, ssh_key: String::new() };
        let act = Act::Joining(JoiningAct::Letter { number: ApplicationNumber(1) });
        ask(&desk, Arc::new(operator), act, path.to_owned()).await
    }

    #[tokio::test]
    async fn a_letter_lies_in_a_new_file_that_only_the_center_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letter.pdf");
        letter(Desk(Ok("JVBERg==")), &path).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"%PDF");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = letter(Desk(Ok("AAAA")), &path).await.unwrap_err();
        assert!(!error.unknown && error.words.contains("exists"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"%PDF", "nothing takes its place");
    }

    #[tokio::test]
    async fn what_was_refused_leaves_no_file_and_what_could_not_be_written_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letter.pdf");
        let error = letter(Desk(Err("it has no code on its way")), &path).await.unwrap_err();
        assert_eq!(error.words, "it has no code on its way");
        assert!(!path.exists());
        let error = letter(Desk(Ok("AAAA")), &dir.path().join("none/letter.pdf")).await.unwrap_err();
        assert!(!error.unknown, "nothing was asked for: {error}");
    }
}
