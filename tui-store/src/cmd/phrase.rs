//! The recovery phrase on the command line: shown once, asked back, or written to a file for a script.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use secrecy::SecretString;
use tui_kit::cli::{self, SecretFrom, SecretName};
use vault::{Language, RecoveryPhrase, Surroundings};
use zeroize::Zeroizing;

use super::reach::told;
use crate::act::Failure;

/// Words in one row of a terminal.
const ROW: usize = 4;

/// A recovery phrase that is at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrase;

impl SecretName for Phrase {
    const FILE: &'static str = "phrase-file";
    const DESCRIPTOR: &'static str = "phrase-fd";
    const WORDS: &'static str = "the recovery phrase";
}

/// The language of a new phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PhraseLanguage {
    /// English words
    En,
    /// Japanese words
    Ja,
}

/// How a new phrase is made.
#[derive(Debug, clap::Args)]
pub(super) struct PhraseOptions {
    /// The language of the recovery phrase
    #[arg(long, value_enum, default_value = "en")]
    phrase_language: PhraseLanguage,
    /// Make no recovery phrase: a lost terminal or password then takes the center's help
    #[arg(long, conflicts_with = "phrase_out_file")]
    no_phrase: bool,
    /// Write the recovery phrase to a new file instead of showing it: for scripts
    #[arg(long, value_name = "FILE")]
    phrase_out_file: Option<PathBuf>,
}

/// A new phrase.
pub(super) struct Made {
    pub(super) phrase: RecoveryPhrase,
    /// Whether words of it were asked back.
    pub(super) confirmed: bool,
}

impl PhraseOptions {
    /// Makes a phrase and shows it once, or writes it to the file that was named; none where none is wanted, which only
    /// `optional` allows.
    pub(super) fn make(&self, optional: bool) -> Result<Option<Made>, cli::Failure> {
        if self.no_phrase {
            return if optional {
                Ok(None)
            } else {
                Err(cli::Failure::usage("a new phrase is what is asked for"))
            };
        }
        let language = match self.phrase_language {
            PhraseLanguage::En => Language::English,
            PhraseLanguage::Ja => Language::Japanese,
        };
        let phrase = RecoveryPhrase::generate(language, &Surroundings::system());
        let confirmed = match &self.phrase_out_file {
            Some(path) => {
                let words = Zeroizing::new(phrase.words().join(" "));
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                writeln!(file, "{}", words.as_str())?;
                file.sync_all()?;
                false
            }
            None => {
                show_and_ask_back(&phrase)?;
                true
            }
        };
        Ok(Some(Made { phrase, confirmed }))
    }
}

/// Reads a phrase.
pub(super) fn read(from: &SecretFrom<Phrase>) -> Result<RecoveryPhrase, cli::Failure> {
    RecoveryPhrase::parse(&from.read()?).map_err(|error| told(Failure::not_possible(error)))
}

/// A phrase as it goes through an act.
pub(super) fn joined(phrase: &RecoveryPhrase) -> SecretString {
    phrase.words().join(" ").into()
}

fn show_and_ask_back(phrase: &RecoveryPhrase) -> Result<(), cli::Failure> {
    let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok().filter(File::is_terminal);
    let Some(tty) = tty.as_mut() else {
        return Err(cli::Failure::usage(
            "the recovery phrase can't be shown without a terminal; give --phrase-out-file FILE, or --no-phrase to go \
             without one",
        ));
    };
    show(phrase, tty)?;
    for position in RecoveryPhrase::positions(&Surroundings::system()) {
        loop {
            let word = cli::prompt(&format!("Word {position}"))?;
            match phrase.check_answers([(position, &word)]) {
                Ok(()) => break,
                Err(error) => writeln!(tty, "{error}")?,
            }
        }
    }
    Ok(())
}

fn show(phrase: &RecoveryPhrase, to: &mut File) -> io::Result<()> {
    writeln!(
        to,
        "Your recovery phrase. Write it down; it is shown once, and whoever has it has your store.\n"
    )?;
    for (row, words) in phrase.words().chunks(ROW).enumerate() {
        for (at, word) in words.iter().enumerate() {
            write!(
                to,
                "{:>4} {word}{}",
                row * ROW + at + 1,
                " ".repeat(12_usize.saturating_sub(word.chars().count()))
            )?;
        }
        writeln!(to)?;
    }
    writeln!(to)
}
