//! The center's settings that are no part of its books: where it listens, its bank, its limits.
//!
//! What the founding fixed for ever (name, currency, time zone, business day) stands in the books' first entry, not
//! here. The file is TOML; a name that the program does not know is an error with its place, never passed over.

mod outside;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tui_kit::profile::settings_fault;
use wire::{key::VerificationKey, message::BankAccount, sheet::Invitation, text::Line};

pub use self::outside::{Mail, PAGE_CONNECTIONS, Page, Post, Security, TIMEOUT_S};
use crate::lines::bank::account;

/// How often the bank's inbox is looked at where nothing else is said, in milliseconds.
pub const POLL_MS: u64 = 400;

/// Everything that `config.toml` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The addresses to listen on, as `host:port`.
    pub listen: Vec<String>,
    /// The addresses that invitations name, where they differ from those to listen on: behind a router, or with a name
    /// in the DNS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announce: Vec<String>,
    /// Whom members and stores turn to.
    pub help: String,
    /// The public half of the root key.
    pub root_key: VerificationKey,
    /// The center's bank.
    pub bank: Bank,
    /// How e-mail leaves; without it none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    /// How letters are printed; without it operators print them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// The read-only page; without it no browser is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// The backups that the center makes by itself; without it only those that somebody asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// What one terminal may ask of the center.
    #[serde(default)]
    pub limits: Limits,
}

/// `[backup]`: the backups that the center makes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Where they lie: outside the data directory, best on another disk.
    pub folder: PathBuf,
    /// How often: a number and `s`, `m`, `h` or `d`, such as `6h`.
    pub every: String,
}

impl Backup {
    /// [`Backup::every`] in milliseconds; an hour where it can't be read, which the settings' check refuses.
    pub fn every_ms(&self) -> u64 {
        self.parse().unwrap_or(60 * 60 * 1000)
    }

    fn parse(&self) -> Option<u64> {
        let every = self.every.trim();
        let unit = every.chars().last()?;
        let ms: u64 = match unit {
            's' => 1000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return None,
        };
        let count: u64 = every.strip_suffix(unit)?.trim().parse().ok().filter(|count| *count > 0)?;
        count.checked_mul(ms)
    }

    fn check(&self) -> Result<(), String> {
        if !self.folder.is_absolute() {
            return Err("`backup.folder` is a whole path, beginning with /".into());
        }
        self.parse().map(drop).ok_or_else(|| "`backup.every` is a number and s, m, h or d, such as 6h".into())
    }
}

/// The center's bank account and the folders that lie between the center and its bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    /// Who holds the account.
    pub holder: String,
    /// An IBAN, or `bank/branch/number`.
    pub number: String,
    /// The bank's BIC, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bic: Option<String>,
    /// Where the bank's files arrive: camt.054 and pain.002.
    pub inbox: PathBuf,
    /// Where files for the bank are put: pain.001.
    pub outbox: PathBuf,
    /// How often the inbox is looked at, in milliseconds.
    #[serde(default = "poll_ms")]
    pub poll_ms: u64,
}

/// What one terminal may ask of the center; see [`crate::guard`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at one time, of all terminals.
    pub connections: u32,
    /// Connections at one time from one address.
    pub connections_per_address: u32,
    /// New connections a second from one address, after a burst of twenty times as many.
    pub arrivals_per_second: u32,
    /// Requests a second on connections of one address before they have logged in, after a burst of four times as many.
    pub strangers_per_second: u32,
    /// Requests a second of one account, after a burst of four times as many.
    pub requests_per_second: u32,
    /// Applications to join an hour from one address; of IPv6 from one network of 64 bits.
    pub applications_per_hour: u32,
    /// Applications on which nobody has decided, of all addresses; further ones are turned away.
    pub applications_open: u32,
    /// Applicants whom the rule admits in an hour, where the policy says so; further ones wait for an operator.
    pub admissions_by_rule_per_hour: u32,
    /// Wrong logins from one address that are forgiven before a growing delay begins.
    pub wrong_logins: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: 4_000,
            arrivals_per_second: 50,
            strangers_per_second: 100,
            requests_per_second: 500,
            applications_per_hour: 30,
            applications_open: 2_000,
            admissions_by_rule_per_hour: 60,
            wrong_logins: 5,
        }
    }
}

/// Why the settings can't be used: a sentence that names the file.
#[derive(Debug, thiserror::Error)]
#[error("the settings in {path} cannot be used: {why}")]
pub struct ConfigError {
    /// The file.
    pub path: String,
    /// What is wrong, with line and column where there is one.
    pub why: String,
}

impl Config {
    /// Reads the settings from a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let wrong = |why: String| ConfigError { path: path.display().to_string(), why };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let config: Self = toml::from_str(&text).map_err(|error| wrong(settings_fault(&text, &error)))?;
        config.check().map_err(wrong)?;
        Ok(config)
    }

    /// Writes the settings to a file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), ConfigError> {
        let wrong = |why: String| ConfigError { path: path.display().to_string(), why };
        self.check().map_err(wrong)?;
        let draft = path.with_extension("toml.new");
        let save = || {
            let mut file = fs::File::create(&draft)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, path)?;
            path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
        };
        save().map_err(|error: std::io::Error| wrong(error.to_string()))
    }

    /// The settings as the file holds them.
    pub fn text(&self) -> String {
        toml::to_string_pretty(self).expect("settings hold only what TOML can say")
    }

    /// What people need to join: the addresses and the root key.
    pub fn invitation(&self) -> Result<Invitation, String> {
        let addresses = if self.announce.is_empty() { &self.listen } else { &self.announce };
        let text =
            format!("{}", Invitation { root: self.root_key, addresses: wire::bounded::List::default() });
        let invitation = format!("{text}{}", addresses.join(","));
        invitation.parse().map_err(|error: wire::sheet::InvitationError| error.to_string())
    }

    /// The center's bank account as terminals see it.
    pub fn bank_account(&self) -> Result<BankAccount, String> {
        account::parse(&self.bank.holder, &self.bank.number, self.bank.bic.as_deref().unwrap_or(""))
    }

    fn check(&self) -> Result<(), String> {
        if self.listen.is_empty() {
            return Err("`listen` names no address".into());
        }
        self.invitation()?;
        self.root_key.check().map_err(|error| format!("`root_key`: {error}"))?;
        self.bank_account().map_err(|why| format!("`bank`: {why}"))?;
        Line::new(&self.help).map_err(|error| format!("`help`: {error}"))?;
        if self.bank.poll_ms == 0 {
            return Err("`bank.poll_ms` must be at least 1".into());
        }
        self.mail.as_ref().map_or(Ok(()), Mail::check)?;
        self.post.as_ref().map_or(Ok(()), Post::check)?;
        self.page.as_ref().map_or(Ok(()), Page::check)?;
        self.backup.as_ref().map_or(Ok(()), Backup::check)?;
        let limits = &self.limits;
        let positive = [
            limits.connections,
            limits.connections_per_address,
            limits.arrivals_per_second,
            limits.strangers_per_second,
            limits.requests_per_second,
            limits.applications_per_hour,
            limits.applications_open,
            limits.admissions_by_rule_per_hour,
        ];
        if positive.contains(&0) { Err("a limit of 0 would let nobody in".into()) } else { Ok(()) }
    }
}

fn poll_ms() -> u64 {
    POLL_MS
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Settings of a center that listens on `listen`.
    pub(crate) fn sample(folder: &Path, root_key: VerificationKey, listen: &str) -> Config {
        Config {
            listen: vec![listen.into()],
            announce: Vec::new(),
            help: "help@center.example".into(),
            root_key,
            bank: Bank {
                holder: "Inkan Center".into(),
                number: "DE89 3704 0044 0532 0130 00".into(),
                bic: None,
                inbox: folder.join("inbox"),
                outbox: folder.join("outbox"),
                poll_ms: 20,
            },
            mail: None,
            post: None,
            page: None,
            backup: None,
            limits: Limits::default(),
        }
    }

    #[test]
    fn settings_survive_their_file_and_unknown_names_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let root = wire::key::SigningKey::from_seed(&[1; 32]).verification_key();
        let config = sample(dir.path(), root, "127.0.0.1:7070");
        let path = dir.path().join("config.toml");
        config.write(&path).unwrap();
        assert_eq!(Config::read(&path).unwrap(), config);
        let text = config.text();
        for (from, to, words) in [
            ("help", "hlep", "hlep"),
            ("DE89", "DE88", "check digits"),
            ("127.0.0.1:7070", "127.0.0.1", "host:port"),
            ("connections = 20000", "connections = 0", "limit of 0"),
        ] {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let error = Config::read(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{from} → {to}: {error}");
        }
    }
}
