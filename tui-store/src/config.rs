//! What a person may set, in the profile's `config.toml`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tui_kit::profile::settings_fault;

/// The settings of a store's program. Every key may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the counter listens for members, as `host:port`; port 0 takes a free one at each start.
    pub listen: Vec<String>,
    /// The addresses that the directory shows, where they differ from those listened on (behind a router).
    pub announce: Vec<String>,
    /// The catalogue's folder; a relative one lies in the profile.
    pub catalogue: PathBuf,
    /// How long an offer can be paid, in minutes: 1 to 10,080 (a week).
    pub offer_minutes: u64,
    /// Keys of the screens, as [`tui_kit::keys::Bindings`] reads them.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub keys: toml::Table,
}

/// A config file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {words}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    words: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec!["0.0.0.0:0".into()],
            announce: Vec::new(),
            catalogue: PathBuf::from("catalogue"),
            offer_minutes: 60,
            keys: toml::Table::new(),
        }
    }
}

impl Config {
    /// Reads the settings; what is not there has its default.
    ///
    /// # Errors
    /// Names the file, and line and column of what it does not understand.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let failed = |words: String| ConfigError { path: path.to_owned(), words };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error.to_string())),
        };
        let config: Self = toml::from_str(&text).map_err(|error| failed(settings_fault(&text, &error)))?;
        config.check().map_err(failed)?;
        Ok(config)
    }

    /// Writes the settings in place of the former ones.
    ///
    /// # Errors
    /// What is wrong with them, or what the file system says.
    pub fn write(&self, path: &Path) -> Result<(), ConfigError> {
        let failed = |words: String| ConfigError { path: path.to_owned(), words };
        self.check().map_err(failed)?;
        let text = toml::to_string_pretty(self).map_err(|error| failed(error.to_string()))?;
        let part = path.with_extension("toml.new");
        fs::write(&part, text)
            .and_then(|()| fs::rename(&part, path))
            .map_err(|error| failed(error.to_string()))
    }

    /// The catalogue's folder, seen from a profile.
    pub fn catalogue_in(&self, profile: &Path) -> PathBuf {
        profile.join(&self.catalogue)
    }

    fn check(&self) -> Result<(), String> {
        let addresses = wire::limits::ADDRESSES;
        if self.listen.is_empty() || self.listen.len() > addresses || self.announce.len() > addresses {
            return Err(format!("listen needs 1 to {addresses} addresses, announce at most {addresses}"));
        }
        for address in self.listen.iter().chain(&self.announce) {
            let port = address.rsplit_once(':').map(|(host, port)| (!host.is_empty(), port.parse::<u16>()));
            if !matches!(port, Some((true, Ok(_)))) {
                return Err(format!("“{address}” is not of the form host:port"));
            }
        }
        let week = wire::limits::VALIDITY_MS / 60_000;
        if self.offer_minutes == 0 || self.offer_minutes > week {
            return Err(format!("offer_minutes must be 1 to {week}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(Config::read(&path).unwrap(), Config::default());
        let config =
            Config { offer_minutes: 5, announce: vec!["shop.example:7000".into()], ..Config::default() };
        config.write(&path).unwrap();
        assert_eq!(Config::read(&path).unwrap(), config);
        for (text, words) in [
            ("offer_minutes = 0", "1 to 10080"),
            ("listen = []", "listen needs"),
            ("listen = [\"nowhere\"]", "“nowhere” is not"),
            ("colour = 1", "unknown field `colour`"),
            ("listen = 1", "line 1"),
        ] {
            fs::write(&path, text).unwrap();
            let told = Config::read(&path).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
    }
}
