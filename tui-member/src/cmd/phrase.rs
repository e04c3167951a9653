//! Recovery phrases and autographs on the command line.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use tui_kit::cli::{self, SecretFrom, SecretName};
use vault::{
    Autograph, Surroundings,
    recovery::{Language, RecoveryPhrase, WORDS},
};
use zeroize::Zeroizing;

use super::{Context, reach::told};
use crate::act::{Failure, Password};

/// The most bytes of an autograph's file.
const AUTOGRAPH_BYTES_MAX: u64 = 1 << 20;

/// The 24 words of a recovery phrase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrase;

impl SecretName for Phrase {
    const FILE: &'static str = "phrase-file";
    const DESCRIPTOR: &'static str = "phrase-fd";
    const WORDS: &'static str = "the recovery phrase";
}

/// Reads a phrase and looks whether it is one.
pub(super) fn read(from: &SecretFrom<Phrase>) -> Result<RecoveryPhrase, cli::Failure> {
    RecoveryPhrase::parse(&from.read()?).map_err(|error| told(Failure::not_possible(error)))
}

/// The same as a secret for an act; none where none was given.
pub(super) fn given(from: &SecretFrom<Phrase>) -> Result<Option<Password>, cli::Failure> {
    if !from.is_given() {
        return Ok(None);
    }
    let typed = from.read()?;
    RecoveryPhrase::parse(&typed).map_err(|error| told(Failure::not_possible(error)))?;
    Ok(Some(Password(typed)))
}

/// The language of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Words {
    /// BIP-39's English list
    En,
    /// BIP-39's Japanese list
    Ja,
}

/// How a phrase is made and handed over.
#[derive(Debug, clap::Args)]
pub(super) struct Making {
    /// The language of the recovery phrase's words
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    phrase_language: Words,
    /// Make no recovery phrase: what is lost then stays lost
    #[arg(long, conflicts_with = "phrase_out_file")]
    no_phrase: bool,
    /// Write the recovery phrase into this new file (mode 0600) instead of showing it
    #[arg(long, value_name = "FILE")]
    phrase_out_file: Option<PathBuf>,
}

impl Making {
    /// Makes a phrase, shows or writes it once, and asks some of its words back where it was shown. None where none is
    /// wanted, or where nobody is there to read it.
    pub(super) fn make(
        &self,
        context: &Context,
        surroundings: &Surroundings,
    ) -> Result<Option<RecoveryPhrase>, cli::Failure> {
        if self.no_phrase {
            return Ok(None);
        }
        let language = match self.phrase_language {
            Words::En => Language::English,
            Words::Ja => Language::Japanese,
        };
        let phrase = RecoveryPhrase::generate(language, surroundings);
        if let Some(path) = &self.phrase_out_file {
            write(path, &phrase)?;
        } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
            show(&phrase)?;
            ask_back(&phrase, surroundings)?;
        } else {
            context.out.say(
                "no recovery phrase is made, because nobody is there to write it down; give --phrase-out-file, or make \
                 one later with “keys new-phrase”",
            );
            return Ok(None);
        }
        Ok(Some(phrase))
    }

    /// The same where a phrase must be made.
    pub(super) fn must(
        &self,
        context: &Context,
        surroundings: &Surroundings,
    ) -> Result<RecoveryPhrase, cli::Failure> {
        self.make(context, surroundings)?.ok_or_else(|| {
            cli::Failure::usage("a new phrase has to go somewhere: --phrase-out-file FILE, or a terminal")
        })
    }
}

/// The words as one secret line.
pub(super) fn line(phrase: &RecoveryPhrase) -> SecretString {
    SecretString::from(phrase.words().join(" "))
}

fn write(path: &Path, phrase: &RecoveryPhrase) -> Result<(), cli::Failure> {
    let failed = |error: io::Error| {
        cli::Failure::refused("machine", format!("writing {} failed: {error}", path.display()))
    };
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let text = Zeroizing::new(format!("{}\n", phrase.words().join(" ")));
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

/// Shows the words at the terminal, never on the standard output, and clears them away when they are written down.
fn show(phrase: &RecoveryPhrase) -> io::Result<()> {
    let mut to = io::stderr().lock();
    writeln!(to, "\nYour recovery phrase. Write these {WORDS} words on paper, in this order:\n")?;
    for (at, word) in phrase.words().iter().enumerate() {
        write!(to, "{:>2} {}", at + 1, tui_kit::text::fit(word, 12, tui_kit::text::Align::Left))?;
        if at % 4 == 3 {
            writeln!(to)?;
        }
    }
    write!(
        to,
        "\nThey bring everything back, and are shown this once. Enter goes on and wipes the screen: "
    )?;
    to.flush()?;
    drop(to);
    io::stdin().lock().lines().next().transpose()?;
    let mut to = io::stderr().lock();
    write!(to, "\x1b[2J\x1b[3J\x1b[H")?;
    to.flush()
}

fn ask_back(phrase: &RecoveryPhrase, surroundings: &Surroundings) -> Result<(), cli::Failure> {
    let mut lines = io::stdin().lock().lines();
    for position in RecoveryPhrase::positions(surroundings) {
        loop {
            eprint!("word {position}: ");
            io::stderr().flush()?;
            let Some(typed) = lines.next().transpose()?.map(SecretString::from) else {
                return Err(cli::Failure::refused("not-possible", "the words were not typed back"));
            };
            match phrase.check_answers([(position, &typed)]) {
                Ok(()) => break,
                Err(error) => eprintln!("{error}"),
            }
        }
    }
    Ok(())
}

/// Reads an autograph's file: strokes as JSON, or a text.
pub(super) fn autograph(path: &Path) -> Result<Autograph, cli::Failure> {
    let unreadable = |why: String| {
        cli::Failure::refused(
            "not-possible",
            format!("the autograph in {} is not taken: {why}", path.display()),
        )
    };
    let length = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if length > AUTOGRAPH_BYTES_MAX {
        return Err(unreadable("it is longer than 1 MiB".into()));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let text = Zeroizing::new(text);
    Autograph::read(&text).map_err(|error| unreadable(error.to_string()))
}
