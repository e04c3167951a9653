//! Joining as members and stores do: an application, a mail with number and code, the registration.

use std::{fs, path::PathBuf};

use color_eyre::eyre::{Context as _, Result, eyre};
use serde_json::Value;

use super::Network;
use crate::{
    post::{self, Admitted, MailServer},
    programs::{Reply, secret_file},
};

impl Network {
    /// Joins a member, who is admitted by rule, and gives the answer to the registration, which names its number.
    pub fn join_member(&self, name: &str) -> Result<Value> {
        self.join_member_as(name, &member_fields(name))
    }

    /// The same with these particulars.
    pub fn join_member_as(&self, name: &str, fields: &[String]) -> Result<Value> {
        self.apply(name, fields, |arguments| self.member(name, arguments))?;
        let admitted = self.admission_mail(address_of(fields)?)?;
        self.register(&admitted, |arguments| self.member(name, arguments))
            .wrap_err_with(|| format!("member {name} registers"))
    }

    /// The first half of [`Network::join_member`]: applies, and gives the answer, which names the application.
    pub fn apply_member(&self, name: &str) -> Result<Value> {
        self.apply(name, &member_fields(name), |arguments| self.member(name, arguments))
    }

    /// Joins a store, which is admitted by rule, and gives the answer to the registration, which names its number.
    pub fn join_store(&self, name: &str, trade_name: &str) -> Result<Value> {
        self.apply_store(name, trade_name)?;
        let admitted = self.admission_mail(&store_address(name))?;
        self.register(&admitted, |arguments| self.store(name, arguments))
            .wrap_err_with(|| format!("store {name} registers"))
    }

    /// The first half of [`Network::join_store`]: applies, and gives the answer, which names the application.
    pub fn apply_store(&self, name: &str, trade_name: &str) -> Result<Value> {
        self.apply(name, &store_fields(name, trade_name), |arguments| self.store(name, arguments))
    }

    fn apply(
        &self,
        name: &str,
        fields: &[String],
        program: impl FnOnce(&[&str]) -> Result<Reply>,
    ) -> Result<Value> {
        let phrase = self.phrase_file(name).display().to_string();
        let mut arguments = vec!["join", self.invitation.as_str(), "--phrase-out-file", &phrase];
        arguments.extend(fields.iter().flat_map(|field| ["--field", field]));
        program(&arguments)?.done().wrap_err_with(|| format!("{name} applies"))
    }

    /// Types number and code into the program that applied.
    pub fn register(
        &self,
        admitted: &Admitted,
        program: impl FnOnce(&[&str]) -> Result<Reply>,
    ) -> Result<Value> {
        self.try_to_register(admitted, &[], program)?.done()
    }

    /// The same with further options, and whatever comes of it.
    pub fn try_to_register(
        &self,
        admitted: &Admitted,
        more: &[&str],
        program: impl FnOnce(&[&str]) -> Result<Reply>,
    ) -> Result<Reply> {
        let name = format!("code-{}", admitted.number);
        let code = secret_file(&self.root.join("secrets"), &name, &admitted.code)?.display().to_string();
        program(&[&["join", "--number", &admitted.number, "--code-file", &code], more].concat())
    }

    /// Waits for the mail with number and code to an address.
    pub fn admission_mail(&self, address: &str) -> Result<Admitted> {
        let mut found = None;
        self.wait_for("the mail with number and code", |network| {
            found = post::admission(&network.mail_folder(), address)?;
            Ok(found.is_some())
        })?;
        found.ok_or_else(|| eyre!("no mail"))
    }

    /// Where the mails lie that the center sent.
    pub fn mail_folder(&self) -> PathBuf {
        match &self.mail_server {
            Some(server) => server.received().to_owned(),
            None => self.root.join("mail"),
        }
    }

    /// The SMTP server, where this network has one.
    pub fn mail_server(&mut self) -> Result<&mut MailServer> {
        self.mail_server.as_mut().ok_or_else(|| eyre!("this network's mail goes into a folder"))
    }

    /// Where the recovery phrase of a member or store is written down.
    pub fn phrase_file(&self, name: &str) -> PathBuf {
        self.root.join("secrets").join(format!("phrase-{name}"))
    }

    /// Gives lines of the policy of admission other values, written as TOML; the others stay.
    pub fn set_policy(&self, values: &[(&str, &str)]) -> Result<()> {
        let shown = self.center(&["policy", "show"])?.done()?;
        let text = shown["text"].as_str().ok_or_else(|| eyre!("no policy in {shown}"))?;
        let lines = text.lines().map(|line| {
            let wanted = values.iter().find(|(key, _)| line.starts_with(&format!("{key} = ")));
            wanted.map_or_else(|| line.to_owned(), |(key, value)| format!("{key} = {value}"))
        });
        let file = self.root.join("policy.toml");
        fs::write(&file, lines.collect::<Vec<_>>().join("\n"))?;
        self.center(&["policy", "set", &file.display().to_string()])?.done().map(drop)
    }
}

/// What a member fills in, as `KEY=VALUE`.
pub fn member_fields(name: &str) -> Vec<String> {
    vec![
        format!("name={name} of the Garden"),
        "address=1-2-3 Sakura, Setagaya, Tokyo 154-0001".to_owned(),
        "born=1971-09-23".to_owned(),
        format!("email={}", member_address(name)),
        format!("phone=+81 3 {}", own_digits(name)),
    ]
}

/// What a store fills in, as `KEY=VALUE`.
pub fn store_fields(name: &str, trade_name: &str) -> Vec<String> {
    vec![
        format!("trade_name={trade_name}"),
        "contact=The Owner".to_owned(),
        "address=4-5-6 Ume, Setagaya, Tokyo 154-0002".to_owned(),
        format!("email={}", store_address(name)),
        format!("phone=+81 3 {}", own_digits(name)),
        format!("account_holder={trade_name}"),
        format!("bank_account={}", store_account(name)),
    ]
}

/// A member's e-mail address.
pub fn member_address(name: &str) -> String {
    format!("{name}@garden.example")
}

/// A store's e-mail address.
pub fn store_address(name: &str) -> String {
    format!("{name}@stores.example")
}

/// A store's bank account. Two accounts that are alike would be held for the same store's.
pub fn store_account(name: &str) -> String {
    format!("0009/202/{}", &own_digits(name)[..7])
}

/// Eight digits that belong to a name.
fn own_digits(name: &str) -> String {
    let number = name.bytes().fold(17u64, |sum, byte| (sum * 31 + u64::from(byte)) % 90_000_000);
    (10_000_000 + number).to_string()
}

fn address_of(fields: &[String]) -> Result<&str> {
    let address = fields.iter().find_map(|field| field.strip_prefix("email="));
    address.ok_or_else(|| eyre!("no e-mail address among the particulars"))
}
