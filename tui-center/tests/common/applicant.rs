//! Somebody who joins.

use std::{fs, time::Duration};

use data_encoding::BASE64;
use wire::{
    admission::{ActivationCode, ApplicationState, ApplicationView, ApplyCall},
    bounded::Bytes,
    codec,
    id::{AccountNumber, ApplicationNumber, CenterId, Role, Salt},
    key::SigningKey,
    message::{Form, RegisterCall},
    terminal::{Applicant as Signed, Line, Registrant},
    time::Timestamp,
};

use super::{LIMIT, Place};

/// An applicant with keys and a filled-in form.
pub struct Applicant {
    pub center: CenterId,
    pub role: Role,
    pub signature: SigningKey,
    pub terminal: SigningKey,
    pub recovery: Option<SigningKey>,
    pub particulars: Vec<u8>,
    pub salt: Salt,
    pub email: String,
    pub number: ApplicationNumber,
}

/// What somebody fills in; whoever is not the first differs from everybody before.
pub fn values(role: Role, at: u32) -> Vec<(String, String)> {
    let (name, street) = match at {
        0 => (String::new(), String::new()),
        at => (format!(" {at}"), format!("{at}-")),
    };
    let pairs = match role {
        Role::Member => vec![
            ("name", format!("山田 花子{name}")),
            ("address", format!("{street}1-2-3 Sakura, Tokyo")),
            ("born", "1990-04-01".into()),
            ("email", format!("hanako{at}@garden.example")),
            ("phone", format!("+81 3 1234 {:04}", 5678 + at)),
        ],
        Role::Store => vec![
            ("trade_name", format!("Sakura Press{name}")),
            ("contact", "The Owner".into()),
            ("address", format!("{street}4-5-6 Ume, Tokyo")),
            ("email", format!("owner{at}@sakura.example")),
            ("phone", format!("+81 3 8765 {:04}", 4321 + at)),
            ("account_holder", format!("Sakura Press{name}")),
            ("bank_account", format!("0009/202/{:07}", 7_654_321 + at)),
        ],
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Applicant {
    /// Keys, and the center's form filled in.
    pub async fn new(place: &Place, role: Role, line: &Line) -> Self {
        let form = line.form(role, LIMIT).await.unwrap();
        Self::filled(place, &form, &values(role, place.another(role)))
    }

    pub fn filled(place: &Place, form: &Form, values: &[(String, String)]) -> Self {
        let email = values.iter().find(|(key, _)| key == "email").unwrap().1.clone();
        Self {
            center: place.center(),
            role: form.role,
            signature: SigningKey::generate(),
            terminal: SigningKey::generate(),
            recovery: None,
            particulars: codec::encode(&form.fill(values).unwrap()),
            salt: Salt::random(),
            email,
            number: ApplicationNumber(0),
        }
    }

    /// The same person with the same keys, to be changed.
    pub fn twin(&self) -> Self {
        Self {
            center: self.center,
            role: self.role,
            signature: self.signature.clone(),
            terminal: self.terminal.clone(),
            recovery: self.recovery.clone(),
            particulars: self.particulars.clone(),
            salt: self.salt,
            email: self.email.clone(),
            number: self.number,
        }
    }

    pub fn call(&self, amends: Option<ApplicationNumber>, replaces: Option<AccountNumber>) -> ApplyCall {
        let signed = Signed {
            center: self.center,
            role: self.role,
            terminal_key: self.terminal.verification_key(),
            particulars: &self.particulars,
            salt: self.salt,
            amends,
            replaces,
            now: Timestamp::now(),
        };
        ApplyCall {
            telegram: signed.sign(&self.signature),
            particulars: Bytes::new(self.particulars.clone()).unwrap(),
            salt: self.salt,
        }
    }

    pub async fn apply(&mut self, line: &Line) -> ApplicationView {
        let view = line.apply(self.call(None, None), LIMIT).await.unwrap();
        self.number = view.number;
        view
    }

    pub async fn state(&self, line: &Line) -> ApplicationState {
        line.application(self.number, &self.terminal, LIMIT).await.unwrap().state
    }

    /// Number and code, read out of the mail to this applicant.
    pub async fn mailed(&self, place: &Place) -> (AccountNumber, ActivationCode) {
        self.newest(place, |_| true).await
    }

    /// The code that came after another one.
    pub async fn mailed_after(&self, place: &Place, former: &ActivationCode) -> ActivationCode {
        self.newest(place, |code| code != former).await.1
    }

    async fn newest(
        &self,
        place: &Place,
        wanted: impl Fn(&ActivationCode) -> bool,
    ) -> (AccountNumber, ActivationCode) {
        let to = format!("To: {}", self.email);
        let reading = async {
            loop {
                let mine = mails(place).into_iter().rev().filter(|mail| mail.contains(&to));
                let found = mine.map(|mail| read(&mail)).find(|(_, code)| wanted(code));
                if let Some(found) = found {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LIMIT, reading).await.expect("a mail in time")
    }

    pub async fn registration(
        &self,
        line: &Line,
        account: AccountNumber,
        code: &ActivationCode,
    ) -> RegisterCall {
        let terms = line.kit(0, LIMIT).await.unwrap().terms.hash();
        let registrant = Registrant {
            center: self.center,
            application: self.number,
            account,
            code,
            terminal_key: &self.terminal,
            recovery_key: self.recovery.as_ref(),
            particulars: &self.particulars,
            salt: self.salt,
            terms,
            now: Timestamp::now(),
        };
        registrant.sign(&self.signature).unwrap()
    }
}

/// The mails of the pickup folder, decoded, oldest first.
pub fn mails(place: &Place) -> Vec<String> {
    let Ok(items) = fs::read_dir(&place.pickup) else { return Vec::new() };
    let mut paths: Vec<_> = items.map(|item| item.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    paths.iter().map(|path| decoded(&fs::read_to_string(path).unwrap())).collect()
}

fn read(mail: &str) -> (AccountNumber, ActivationCode) {
    let after = |word: &str| {
        let line = mail.lines().find_map(|line| line.strip_prefix(word));
        line.unwrap_or_else(|| panic!("no {word} in {mail}")).trim().to_owned()
    };
    (after("Number:").parse().unwrap(), after("Code:").parse().unwrap())
}

/// Undoes the transfer encoding (RFC 2045) of a message of one part.
fn decoded(mail: &str) -> String {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let encoding = head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: "));
    let body = match encoding.unwrap_or("7bit").trim() {
        "base64" => {
            let compact: String = body.split_whitespace().collect();
            String::from_utf8(BASE64.decode(compact.as_bytes()).unwrap()).unwrap()
        }
        "quoted-printable" => {
            let joined = body.replace("=\r\n", "");
            let mut bytes = Vec::new();
            let mut rest = joined.as_bytes();
            while let [first, more @ ..] = rest {
                if *first == b'=' {
                    let hex = std::str::from_utf8(&more[..2]).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                    rest = &more[2..];
                } else {
                    bytes.push(*first);
                    rest = more;
                }
            }
            String::from_utf8(bytes).unwrap()
        }
        _ => body.to_owned(),
    };
    format!("{head}\n\n{body}")
}
