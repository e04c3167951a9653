//! The settings that a person may edit: `config.toml` in the profile.

use std::{fs, io, path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use tui_kit::profile::settings_fault;

use crate::{
    act::Failure,
    center::{Means, Patience},
};

/// The settings. What the file leaves out has its default; what it does not know is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The program that opens fetched goods, for example `xdg-open`; without it their path is printed.
    pub opener: Option<String>,
    /// Seconds to reach one address of the center or of a store.
    pub connect_seconds: u64,
    /// Seconds to wait for one answer.
    pub answer_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        let Patience { connect, answer } = Patience::default();
        Self { opener: None, connect_seconds: connect.as_secs(), answer_seconds: answer.as_secs() }
    }
}

impl Config {
    /// Reads the settings of a profile; without a file, the defaults.
    ///
    /// # Errors
    /// In words with line and column, when the file can't be read or says what nobody knows.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(Failure::machine(format!("reading {} failed: {error}", path.display())));
            }
        };
        let wrong = |why: &dyn std::fmt::Display| Failure::not_possible(format!("{}: {why}", path.display()));
        let config: Self = toml::from_str(&text).map_err(|error| wrong(&settings_fault(&text, &error)))?;
        if config.connect_seconds == 0 || config.answer_seconds == 0 {
            return Err(wrong(&"connect_seconds and answer_seconds are at least 1"));
        }
        Ok(config)
    }

    /// What the program takes from outside.
    pub fn means(&self) -> Means {
        Means { patience: self.patience(), ..Means::default() }
    }

    /// How long things may take.
    pub fn patience(&self) -> Patience {
        Patience {
            connect: Duration::from_secs(self.connect_seconds),
            answer: Duration::from_secs(self.answer_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_is_said_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(Config::read(&path).unwrap(), Config::default());
        fs::write(&path, "opener = \"less\"\nanswer_seconds = 5\n").unwrap();
        assert_eq!(Config::read(&path).unwrap().patience().answer, Duration::from_secs(5));
        fs::write(&path, "opener = \"less\"\ncolour = 1\n").unwrap();
        let words = Config::read(&path).unwrap_err().message;
        assert!(words.contains("colour") && words.contains("line 2"), "{words}");
    }
}
