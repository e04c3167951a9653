//! The founding of a center: keys, key sheet, books with their first entries, settings.
//!
//! The settings file is written last: where it is missing nobody was ever given an invitation, and what an
//! interrupted founding left is cleared away and begun anew.

use std::{
    fs, io,
    net::{TcpListener, ToSocketAddrs as _},
    path::{Path, PathBuf},
};

use ledger::{
    Request, State, decide,
    request::{OperatorRole, Settings},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tui_kit::profile::{Profile, private_dir};
use wire::{
    amount::{Amount, Currency},
    id::CenterId,
    sheet::Invitation,
    telegram::Telegram,
    text::Line,
    time::Timestamp,
};

use crate::{
    admission::document,
    books::{
        Books, CheckpointKey, Record,
        cabinet::{Cabinet, Certificate},
    },
    config::{self, Bank, Config, Limits},
    keys,
    lines::bank::account,
    operators::{self, Operator, Operators},
    places::Places,
};

/// How long a card request waits for its money: ten days, because transfers rest over holidays.
const FUNDING_MS: u64 = 10 * 24 * 60 * 60 * 1000;
/// How many refused telegrams a signer may cause in a minute.
const REFUSALS_PER_MINUTE: u32 = 60;
/// The most a card is loaded with, in whole units of the currency.
const CARD_MOST: u64 = 10_000_000;

/// What a founder says.
#[derive(Debug)]
pub struct Founding {
    /// The center's name.
    pub name: String,
    /// Its currency, for ever.
    pub currency: Currency,
    /// Where it listens, as `host:port`; port 0 is picked now.
    pub listen: Vec<String>,
    /// What invitations name instead, where that differs.
    pub announce: Vec<String>,
    /// The time zone (IANA), for ever.
    pub zone: String,
    /// Minutes after local midnight at which a business day ends, for ever; 1440 is midnight.
    pub day_end: u16,
    /// Who holds the bank account.
    pub bank_holder: String,
    /// The bank account: an IBAN, or `bank/branch/number`.
    pub bank_number: String,
    /// The bank's BIC, where there is one.
    pub bank_bic: Option<String>,
    /// Where the bank's files arrive; beside the profile where nothing is said.
    pub bank_inbox: Option<PathBuf>,
    /// Where files for the bank are put; beside the profile where nothing is said.
    pub bank_outbox: Option<PathBuf>,
    /// How e-mail leaves; without it none does.
    pub mail: Option<config::Mail>,
    /// How letters are printed; without it operators print them.
    pub post: Option<config::Post>,
    /// The read-only page; its port 0 is picked now.
    pub page: Option<config::Page>,
    /// Whom members and stores turn to.
    pub help: String,
    /// The first operator, who becomes admin.
    pub operator: String,
    /// The first operator's SSH public key.
    pub operator_key: String,
    /// Seals the root key.
    pub root_passphrase: SecretString,
    /// Seals what a serving center needs.
    pub service_passphrase: SecretString,
    /// The first operator's own.
    pub operator_passphrase: SecretString,
}

/// What a founding gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founded {
    /// The center's id.
    pub center: CenterId,
    /// The root key's fingerprint, to compare by another way.
    pub fingerprint: String,
    /// What people need to join.
    #[serde(with = "crate::inquiry::view::printed")]
    pub invitation: Invitation,
    /// Where it listens.
    pub listen: Vec<String>,
    /// The file that holds the sealed root key; it belongs into a safe.
    pub root_key_file: PathBuf,
    /// Where the bank's files arrive.
    pub bank_inbox: PathBuf,
    /// Where files for the bank are put.
    pub bank_outbox: PathBuf,
    /// Where people reach the read-only page, if there is one.
    pub page: Option<String>,
}

/// Why no center was founded: a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FoundingError(pub String);

/// Founds a center in a profile. Takes as long as three times Argon2id.
pub fn found(profile: &Profile, founding: &Founding, now: Timestamp) -> Result<Founded, FoundingError> {
    let words = FoundingError;
    founding.check().map_err(words)?;
    let places = Places::of(profile);
    profile.create().map_err(|error| words(error.to_string()))?;
    let _lock = profile.lock().map_err(|error| words(error.to_string()))?;
    if places.config.exists() {
        return Err(words(format!(
            "there is a center in {} already; choose another --profile",
            places.data.display()
        )));
    }
    clear(&places).map_err(|error| {
        words(format!("what an unfinished founding left cannot be cleared away: {error}"))
    })?;
    let listen = pick_ports(&founding.listen).map_err(words)?;
    let page = founding.page.clone().map(pick_page).transpose().map_err(words)?;
    let (inbox, outbox) = founding.bank_folders(&places.data).map_err(words)?;
    for folder in [&inbox, &outbox] {
        private_dir(folder).map_err(|error| words(error.to_string()))?;
    }

    let said = |error: keys::KeyFileError| words(error.to_string());
    let root = keys::create_root(&places.root_key, &founding.root_passphrase).map_err(said)?;
    let service = keys::create_service(&places.service_key, &founding.service_passphrase).map_err(said)?;
    let root_key = root.verification_key();
    let center = root_key.center();
    let origin = Line::new(&format!("inkan/{}/1", &center.to_string()[..16]))
        .map_err(|error| words(error.to_string()))?;
    let sheet = service.roles().sheet(&root, origin.clone());

    let operator = Operator {
        name: founding.operator.clone(),
        role: OperatorRole::Admin,
        ssh_key: founding.operator_key.trim().to_owned(),
    };
    let operators = Operators::open(&places.operators).map_err(|error| words(error.to_string()))?;
    operators.found(&operator, &founding.operator_passphrase).map_err(|error| words(error.to_string()))?;

    let config = Config {
        listen: listen.clone(),
        announce: founding.announce.clone(),
        help: founding.help.clone(),
        root_key,
        bank: Bank {
            holder: founding.bank_holder.clone(),
            number: founding.bank_number.clone(),
            bic: founding.bank_bic.clone(),
            inbox: inbox.clone(),
            outbox: outbox.clone(),
            poll_ms: crate::config::POLL_MS,
        },
        mail: founding.mail.clone(),
        post: founding.post.clone(),
        page: page.clone(),
        backup: None,
        limits: Limits::default(),
    };
    let invitation = config.invitation().map_err(words)?;

    let books = |error: crate::books::BooksError| words(error.to_string());
    let cabinet = Cabinet::open(&places.cabinet, service.cabinet_key()).map_err(books)?;
    cabinet.put_certificate(Certificate::Sheet(1), &sheet).map_err(books)?;
    let first = first_entries(founding, center, &sheet, now).map_err(words)?;
    let key = CheckpointKey::new(origin, service.roles().checkpoint.clone());
    Books::create(&places.books, key, &first).and_then(Books::close).map_err(books)?;
    config.write(&places.config).map_err(|error| words(error.to_string()))?;
    Ok(Founded {
        center,
        fingerprint: root_key.fingerprint(),
        invitation,
        listen,
        root_key_file: places.root_key,
        bank_inbox: inbox,
        bank_outbox: outbox,
        page: page.map(|page| page.url().to_owned()),
    })
}

/// Reads `24:00` as minutes after midnight.
///
/// # Errors
/// In words.
pub fn parse_day_end(text: &str) -> Result<u16, String> {
    let wrong = || "the end of the business day is a time like 24:00 or 06:30".to_owned();
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let (hours, minutes): (u16, u16) =
        (hours.parse().map_err(|_| wrong())?, minutes.parse().map_err(|_| wrong())?);
    let total = hours * 60 + minutes;
    if minutes < 60 && hours <= 24 && (1..=1440).contains(&total) { Ok(total) } else { Err(wrong()) }
}

impl Founding {
    /// Everything that can be wrong is looked at before anything is made.
    fn check(&self) -> Result<(), String> {
        let name = Line::new(&self.name).map_err(|error| format!("the center's name: {error}"))?;
        if name.is_empty() {
            return Err("the center needs a name".into());
        }
        jiff::tz::TimeZone::get(&self.zone)
            .map_err(|_| format!("“{}” is not a time zone; write one like Asia/Tokyo", self.zone))?;
        account::parse(&self.bank_holder, &self.bank_number, self.bank_bic.as_deref().unwrap_or(""))
            .map_err(|why| format!("the bank account: {why}"))?;
        if Line::new(&self.help).map_err(|error| format!("the help contact: {error}"))?.is_empty() {
            return Err("members and stores need someone to turn to: name a help contact".into());
        }
        operators::check_name(&self.operator)?;
        operators::check_ssh_key(&self.operator_key)?;
        for (what, passphrase) in [
            ("the root passphrase", &self.root_passphrase),
            ("the service passphrase", &self.service_passphrase),
            ("the operator's passphrase", &self.operator_passphrase),
        ] {
            crate::seal::check(what, passphrase)?;
        }
        self.mail.as_ref().map_or(Ok(()), config::Mail::check)?;
        self.post.as_ref().map_or(Ok(()), config::Post::check)?;
        self.page.as_ref().map_or(Ok(()), config::Page::check)?;
        if self.listen.is_empty() { Err("the center needs an address to listen on".into()) } else { Ok(()) }
    }

    /// The bank's folders lie outside the data: whoever carries files to the bank needs no right to the books.
    fn bank_folders(&self, data: &Path) -> Result<(PathBuf, PathBuf), String> {
        let name = data.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = data.with_file_name(format!("{name}-bank"));
        let absolute = |path: PathBuf| std::path::absolute(path).map_err(|error| error.to_string());
        let inbox = absolute(self.bank_inbox.clone().unwrap_or_else(|| beside.join("inbox")))?;
        let outbox = absolute(self.bank_outbox.clone().unwrap_or_else(|| beside.join("outbox")))?;
        if inbox.starts_with(data) || outbox.starts_with(data) {
            return Err("the bank's folders must lie outside the profile".into());
        }
        if inbox == outbox {
            Err("the bank's inbox and outbox must differ".into())
        } else {
            Ok((inbox, outbox))
        }
    }
}

fn first_entries(
    founding: &Founding,
    center: CenterId,
    sheet: &Telegram,
    now: Timestamp,
) -> Result<Vec<Record>, String> {
    let unit = 10u64.pow(founding.currency.digits());
    let amount = |minor: u64| Amount::new(minor).ok_or("the currency's smallest unit is too small");
    let settings = Settings {
        center,
        name: Line::new(&founding.name).map_err(|error| error.to_string())?.to_string(),
        currency: founding.currency,
        zone: founding.zone.clone(),
        day_end: founding.day_end,
        card_least: amount(1)?,
        card_most: amount(CARD_MOST * unit)?,
        funding_ms: FUNDING_MS,
        refusals_per_minute: REFUSALS_PER_MINUTE,
    };
    let operator = Request::Operator {
        name: founding.operator.clone(),
        role: Some(OperatorRole::Admin),
        key: operators::key_digest(&founding.operator_key),
        by: None,
    };
    let mut requests = vec![
        (Request::Found(settings), Vec::new()),
        (Request::Sheet { number: 1, digest: sheet.digest(), by: None }, wire::codec::encode(sheet)),
        (operator, Vec::new()),
    ];
    requests.extend(document::ALL.map(|document| {
        let text = document::first(document);
        let digest = document::digest(text);
        (Request::Document { by: None, document, version: 1, digest }, text.as_bytes().to_vec())
    }));
    let mut state = State::new();
    let mut records = Vec::new();
    for (request, evidence) in requests {
        let entry = decide(&state, &request, now);
        if let Some(refusal) = entry.refusal() {
            return Err(format!("the books do not take the founding: {}", crate::books::said(refusal)));
        }
        state.apply(&entry).map_err(|error| error.to_string())?;
        records.push(Record::new(entry, evidence));
    }
    Ok(records)
}

/// The page's address with the port that the system gave; an address for people that has port 0 gets the same.
fn pick_page(page: config::Page) -> Result<config::Page, String> {
    if page.listen.port() != 0 {
        return Ok(page);
    }
    let picked = pick_ports(&[page.listen.to_string()])?;
    let listen: std::net::SocketAddr =
        picked[0].parse().map_err(|_| "the page's address cannot be picked".to_owned())?;
    let public_url = match page.public_url.strip_suffix(":0") {
        Some(host) => format!("{host}:{}", listen.port()),
        None => page.public_url.clone(),
    };
    Ok(config::Page { listen, public_url, ..page })
}

/// Binds each address once: a port 0 becomes the one that the system gave, and one that is taken is told now.
fn pick_ports(listen: &[String]) -> Result<Vec<String>, String> {
    let mut held = Vec::new();
    let mut picked = Vec::new();
    for address in listen {
        let wrong = |why: &dyn std::fmt::Display| format!("the center cannot listen on {address}: {why}");
        let (host, port) = address.rsplit_once(':').ok_or_else(|| wrong(&"write host:port"))?;
        let resolved: Vec<_> = address.to_socket_addrs().map_err(|error| wrong(&error))?.collect();
        let listener = TcpListener::bind(&resolved[..]).map_err(|error| wrong(&error))?;
        let bound = listener.local_addr().map_err(|error| wrong(&error))?;
        picked.push(if port == "0" { format!("{host}:{}", bound.port()) } else { address.clone() });
        held.push(listener);
    }
    Ok(picked)
}

fn clear(places: &Places) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    for file in [&places.root_key, &places.service_key, &places.operators] {
        gone(fs::remove_file(file))?;
    }
    for folder in [&places.books, &places.cabinet, &places.registers] {
        gone(fs::remove_dir_all(folder))?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A founding that a test can change.
    pub(crate) fn sample() -> Founding {
        Founding {
            name: "Garden Club".into(),
            currency: Currency::YEN,
            listen: vec!["127.0.0.1:0".into()],
            announce: Vec::new(),
            zone: "Asia/Tokyo".into(),
            day_end: 1440,
            bank_holder: "Garden Club".into(),
            bank_number: "0005/101/1234567".into(),
            bank_bic: None,
            bank_inbox: None,
            bank_outbox: None,
            mail: None,
            post: None,
            page: None,
            help: "help@garden.example".into(),
            operator: "ada".into(),
            operator_key:
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFgHwBDU2U0AvLvw4HTDkqvVk1Nyd1lzdaXx1aUcOQXg ada".into(),
            root_passphrase: SecretString::from("root passphrase"),
            service_passphrase: SecretString::from("service passphrase"),
            operator_passphrase: SecretString::from("operator passphrase"),
        }
    }

    #[test]
    fn a_center_is_founded_once_and_an_unfinished_founding_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::locate("tui-center", dir.path().join("center").to_str()).unwrap();
        let first = found(&profile, &sample(), Timestamp(1)).unwrap();
        assert_eq!(first.invitation.root.fingerprint(), first.fingerprint);
        assert!(!first.listen[0].ends_with(":0"));
        assert!(!first.bank_inbox.starts_with(profile.data()));
        let again = found(&profile, &sample(), Timestamp(1)).unwrap_err();
        assert!(again.to_string().contains("already"));
        fs::remove_file(profile.config_file()).unwrap();
        let second = found(&profile, &sample(), Timestamp(1)).unwrap();
        assert_ne!(second.center, first.center);
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("center");
        let profile = Profile::locate("tui-center", path.to_str()).unwrap();
        type Spoil = fn(&mut Founding);
        let cases: [(Spoil, &str); 8] = [
            (|f| f.name = String::new(), "needs a name"),
            (|f| f.zone = "Mars/Base".into(), "time zone"),
            (|f| f.bank_number = "x".into(), "bank account"),
            (|f| f.help = " ".into(), "help contact"),
            (|f| f.operator = "a b".into(), "operator's name"),
            (|f| f.operator_key = "key".into(), "SSH public key"),
            (|f| f.root_passphrase = SecretString::from("short"), "root passphrase"),
            (|f| f.listen = Vec::new(), "address"),
        ];
        for (spoil, words) in cases {
            let mut founding = sample();
            spoil(&mut founding);
            let error = found(&profile, &founding, Timestamp(1)).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
            assert!(!path.exists(), "{words}");
        }
        let founding = Founding { bank_inbox: Some(path.join("inbox")), ..sample() };
        assert!(found(&profile, &founding, Timestamp(1)).unwrap_err().to_string().contains("outside"));
    }

    #[test]
    fn day_ends_are_read() {
        assert_eq!(parse_day_end("24:00"), Ok(1440));
        assert_eq!(parse_day_end("06:30"), Ok(390));
        for wrong in ["", "24", "24:01", "00:00", "6:60", "x:y"] {
            assert!(parse_day_end(wrong).is_err(), "{wrong}");
        }
    }
}
