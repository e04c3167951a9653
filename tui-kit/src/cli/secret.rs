//! Where a subcommand gets a password from: a prompt, a file, a descriptor. Never from its arguments.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The longest secret that is read.
const SECRET_BYTES_MAX: usize = 1024;

/// Which secret is meant: its flags and its words.
pub trait SecretName: Send + Sync + 'static {
    /// The flag for a file: `password-a-file`.
    const FILE: &'static str;
    /// The flag for a descriptor: `password-a-fd`.
    const DESCRIPTOR: &'static str;
    /// What people call it: `password A`.
    const WORDS: &'static str;
}

/// Password A, which opens the vault.
#[derive(Debug, Clone, Copy)]
pub struct PasswordA;

impl SecretName for PasswordA {
    const FILE: &'static str = "password-a-file";
    const DESCRIPTOR: &'static str = "password-a-fd";
    const WORDS: &'static str = "password A";
}

/// Password B, which opens the signature key.
#[derive(Debug, Clone, Copy)]
pub struct PasswordB;

impl SecretName for PasswordB {
    const FILE: &'static str = "password-b-file";
    const DESCRIPTOR: &'static str = "password-b-fd";
    const WORDS: &'static str = "password B";
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Typed at the terminal, unseen.
    #[default]
    Prompt,
    /// The first line of a file.
    File(PathBuf),
    /// The first line of what a descriptor gives.
    Descriptor(u32),
}

/// The pair of arguments `--NAME-file` and `--NAME-fd`, for `#[command(flatten)]`.
#[derive(Debug, Clone)]
pub struct SecretFrom<N> {
    source: Source,
    name: PhantomData<N>,
}

/// Why a secret can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No terminal to ask at.
    #[error("{words} can't be asked for without a terminal; give --{file} or --{descriptor}")]
    NoTerminal {
        /// What the secret is called.
        words: &'static str,
        /// Its flag for a file.
        file: &'static str,
        /// Its flag for a descriptor.
        descriptor: &'static str,
    },
    /// The source can't be read.
    #[error("{words} can't be read: {error}")]
    Unreadable {
        /// What the secret is called.
        words: String,
        /// What the system says.
        error: io::Error,
    },
    /// Empty.
    #[error("{0} is empty")]
    Empty(String),
    /// More than 1024 bytes.
    #[error("{0} is longer than 1024 bytes")]
    TooLong(String),
    /// Typed differently the second time.
    #[error("the two entries of {0} differ")]
    Differ(String),
}

impl<N: SecretName> SecretFrom<N> {
    /// From a source chosen otherwise.
    pub fn new(source: Source) -> Self {
        Self { source, name: PhantomData }
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether it was given, so that nobody has to be asked.
    pub fn is_given(&self) -> bool {
        self.source != Source::Prompt
    }

    /// Reads the secret, in NFC. Blocks while a person types.
    ///
    /// # Errors
    /// When there is no terminal to ask at, or the source can't be read, or is empty.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match &self.source {
            Source::Prompt => self.ask(prompt),
            _ => self.given(),
        }
    }

    /// Reads a secret that is being chosen: at a prompt it is typed twice.
    ///
    /// # Errors
    /// As [`SecretFrom::read`], and when the two entries differ.
    pub fn read_new(&self) -> Result<SecretString, SecretError> {
        match &self.source {
            Source::Prompt => self.ask(prompt_new),
            _ => self.given(),
        }
    }

    fn ask(
        &self,
        how: impl Fn(&str) -> Result<SecretString, SecretError>,
    ) -> Result<SecretString, SecretError> {
        if File::open("/dev/tty").is_ok_and(|tty| tty.is_terminal()) {
            return how(N::WORDS);
        }
        Err(SecretError::NoTerminal { words: N::WORDS, file: N::FILE, descriptor: N::DESCRIPTOR })
    }

    fn given(&self) -> Result<SecretString, SecretError> {
        let path = match &self.source {
            Source::File(path) => path.clone(),
            Source::Descriptor(number) => PathBuf::from(format!("/dev/fd/{number}")),
            Source::Prompt => PathBuf::from("/dev/tty"),
        };
        let unreadable = |error| SecretError::Unreadable { words: N::WORDS.to_owned(), error };
        first_line(File::open(path).map_err(unreadable)?, N::WORDS)
    }
}

impl<N: SecretName> clap::FromArgMatches for SecretFrom<N> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let file = matches.get_one::<PathBuf>(N::FILE).cloned().map(Source::File);
        let descriptor = || matches.get_one::<u32>(N::DESCRIPTOR).copied().map(Source::Descriptor);
        Ok(Self::new(file.or_else(descriptor).unwrap_or_default()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<N: SecretName> clap::Args for SecretFrom<N> {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new(N::FILE)
                    .long(N::FILE)
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .help(format!("Read {} from the first line of a file", N::WORDS)),
            )
            .arg(
                Arg::new(N::DESCRIPTOR)
                    .long(N::DESCRIPTOR)
                    .value_name("NUMBER")
                    .value_parser(clap::value_parser!(u32))
                    .conflicts_with(N::FILE)
                    .help(format!("Read {} from an open descriptor", N::WORDS)),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Asks for a secret at the terminal, unseen.
///
/// # Errors
/// When there is no terminal, or nothing is typed.
pub fn prompt(words: &str) -> Result<SecretString, SecretError> {
    let typed = rpassword::prompt_password(format!("{words}: "))
        .map_err(|error| SecretError::Unreadable { words: words.to_owned(), error })?;
    checked(&Zeroizing::new(typed), words)
}

/// Asks twice for a secret that is being chosen.
///
/// # Errors
/// As [`prompt`], and when the two entries differ.
pub fn prompt_new(words: &str) -> Result<SecretString, SecretError> {
    let first = prompt(words)?;
    let second = prompt(&format!("{words} again"))?;
    if first.expose_secret() == second.expose_secret() {
        Ok(first)
    } else {
        Err(SecretError::Differ(words.to_owned()))
    }
}

/// The first line of a source, without its line end, read into memory that is wiped.
fn first_line(mut source: impl Read, words: &str) -> Result<SecretString, SecretError> {
    let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES_MAX + 2]);
    let mut filled = 0;
    loop {
        match source.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                if bytes[..filled].contains(&b'\n') || filled == bytes.len() {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SecretError::Unreadable { words: words.to_owned(), error }),
        }
    }
    let line = bytes[..filled].split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = std::str::from_utf8(line).map_err(|_| SecretError::Unreadable {
        words: words.to_owned(),
        error: io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"),
    })?;
    checked(line, words)
}

fn checked(typed: &str, words: &str) -> Result<SecretString, SecretError> {
    if typed.is_empty() {
        return Err(SecretError::Empty(words.to_owned()));
    }
    if typed.len() > SECRET_BYTES_MAX {
        return Err(SecretError::TooLong(words.to_owned()));
    }
    let mut normal = String::with_capacity(typed.nfc().map(char::len_utf8).sum());
    normal.extend(typed.nfc());
    Ok(SecretString::from(normal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        first_line(bytes, "password A")
            .map(|secret| secret.expose_secret().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_line_is_the_secret() {
        assert_eq!(read(b"hunter2\nmore\n"), Ok("hunter2".to_owned()));
        assert_eq!(read(b"with space \r\n"), Ok("with space ".to_owned()));
        assert_eq!(read("e\u{301}".as_bytes()), Ok("é".to_owned()));
        assert_eq!(read(b"\nlater"), Err("password A is empty".to_owned()));
        assert_eq!(read(&[b'x'; 2_000]), Err("password A is longer than 1024 bytes".to_owned()));
        assert_eq!(read(b"\xff\xfe"), Err("password A can't be read: it is not UTF-8 text".to_owned()));
    }

    #[test]
    fn a_file_is_read_and_never_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        std::fs::write(&path, "open sesame\n").expect("written");
        let secret = SecretFrom::<PasswordA>::new(Source::File(path)).read().expect("readable");
        assert_eq!(secret.expose_secret(), "open sesame");
        assert!(!format!("{secret:?}").contains("sesame"));
        let missing = SecretFrom::<PasswordA>::new(Source::File(folder.path().join("b")));
        assert!(missing.read().is_err());
    }
}
