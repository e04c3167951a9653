//! Says a message to an SMTP server: one connection for each message, bounded in time.
//!
//! Each step is told apart, because it matters for what follows: until the center has logged in, whatever goes wrong is
//! the line's fault and nobody's mail is refused; only an answer to the message itself is about the message.

#[cfg(test)]
mod tests;

use std::{
    error::Error as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::future::BoxFuture;
use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::ClientId,
    },
};
use zeroize::Zeroizing;

use super::message;
use crate::{
    config::{self, Security},
    lines::postman::{Carrier, Outgoing, Trouble, folder},
};

/// The most bytes of a password file.
const PASSWORD_FILE: u64 = 4096;

/// A server and how to speak to it.
pub(super) struct Smtp {
    host: String,
    port: u16,
    security: Security,
    tls: Option<TlsParameters>,
    login: Option<(String, PathBuf)>,
    from: Address,
    timeout: Duration,
    hello: ClientId,
}

impl Smtp {
    /// Reads what the settings name; connects to nobody.
    pub(super) fn open(mail: &config::Mail, data: &Path) -> Result<Self, String> {
        let (host, port) = mail.host()?;
        let tls = match mail.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls(&host, mail.ca_file.as_deref())?),
        };
        let login = mail.user.clone().zip(mail.password_file.clone());
        if let Some((_, file)) = &login {
            folder::outside("mail.password_file", file, data)?;
            password(file)?;
        }
        Ok(Self {
            host,
            port,
            security: mail.security,
            tls,
            login,
            from: mail.sender()?.email,
            timeout: Duration::from_secs(mail.timeout_s),
            hello: ClientId::default(),
        })
    }

    async fn say(&self, outgoing: &Outgoing) -> Result<String, Trouble> {
        let never = |words: String| Trouble::Never(words);
        let to = message::address(&outgoing.to).map_err(never)?;
        let envelope = Envelope::new(Some(self.from.clone()), vec![to])
            .map_err(|error| never(format!("the envelope cannot be made: {error}")))?;
        let mut connection = self.connect().await?;
        let said = connection.send(&envelope, &outgoing.bytes).await;
        let answer = said.map_err(|error| self.refused(&error))?;
        // The message is accepted; how the server says farewell changes nothing.
        let _ = tokio::time::timeout(Duration::from_secs(2), connection.quit()).await;
        Ok(format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" ")))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let line =
            |doing: &str, error: &Error| Trouble::Line(format!("{} {doing}: {}", self.way(), words(error)));
        let address = (self.host.as_str(), self.port);
        let wrapped = self.tls.clone().filter(|_| self.security == Security::Tls);
        let connected =
            AsyncSmtpConnection::connect_tokio1(address, Some(self.timeout), &self.hello, wrapped, None);
        let mut connection = connected.await.map_err(|error| line("cannot be reached", &error))?;
        if self.security == Security::StartTls
            && let Some(tls) = &self.tls
        {
            if !connection.can_starttls() {
                connection.abort().await;
                let words = "does not offer STARTTLS, and nothing is said in the clear";
                return Err(Trouble::Line(format!("{} {words}", self.way())));
            }
            let started = connection.starttls(tls.clone(), &self.hello).await;
            started.map_err(|error| line("and the center could not agree on TLS", &error))?;
        }
        if let Some((user, file)) = &self.login {
            let file = file.clone();
            let read = tokio::task::spawn_blocking(move || password(&file)).await;
            let password =
                read.unwrap_or_else(|_| Err("an error in the program".into())).map_err(Trouble::Line)?;
            let credentials = Credentials::new(user.clone(), password.to_string());
            let known = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
            known.map_err(|error| line("refuses the center's user name or password", &error))?;
        }
        Ok(connection)
    }

    /// What an answer to the message itself means.
    fn refused(&self, error: &Error) -> Trouble {
        let words = format!("{} answered {}", self.way(), words(error));
        match error.status().map(u16::from) {
            // That the center must first log in or use TLS is nobody's mail's fault (RFC 4954, RFC 3207).
            Some(530 | 534 | 535 | 538) => Trouble::Line(words),
            // 421: the server is going down (RFC 5321, 3.8).
            Some(421) | None => Trouble::Line(words),
            Some(_) if error.is_permanent() => Trouble::Never(words),
            Some(_) => Trouble::Later(words),
        }
    }
}

impl Carrier for Smtp {
    fn way(&self) -> String {
        format!("the mail server {}:{}", self.host, self.port)
    }

    fn carry<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, Trouble>> {
        Box::pin(async move {
            let said = tokio::time::timeout(self.timeout, self.say(outgoing)).await;
            said.unwrap_or_else(|_| {
                let seconds = self.timeout.as_secs();
                Err(Trouble::Line(format!("{} did not answer within {seconds} seconds", self.way())))
            })
        })
    }
}

fn tls(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters, String> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca_file {
        let wrong = |why: String| {
            format!("`mail.ca_file`: the certificates in {} cannot be read: {why}", path.display())
        };
        let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        if !pem.windows(11).any(|part| part == b"-----BEGIN ") {
            return Err(wrong("it is not PEM".into()));
        }
        tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(words(&error)))?);
    }
    tls.build().map_err(|error| format!("TLS for the mail server cannot be prepared: {}", words(&error)))
}

/// The first line of the password's file, read anew for each connection, so that a change needs no restart.
fn password(path: &Path) -> Result<Zeroizing<String>, String> {
    let wrong =
        |why: &str| format!("`mail.password_file`: the password in {} cannot be used: {why}", path.display());
    let data = fs::metadata(path).map_err(|error| wrong(&error.to_string()))?;
    if data.permissions().mode() & 0o007 != 0 {
        return Err(wrong("everybody on this machine may read it; take that right away with chmod o-rwx"));
    }
    if !data.is_file() || data.len() > PASSWORD_FILE {
        return Err(wrong("it is no file of one line"));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?);
    let first = text.lines().next().unwrap_or_default();
    if first.is_empty() {
        Err(wrong("its first line is empty"))
    } else {
        Ok(Zeroizing::new(first.to_owned()))
    }
}

/// What went wrong, without the library's own names for it: the server's answer, or the innermost cause.
fn words(error: &Error) -> String {
    let cause = |error: &Error| {
        let mut cause = error.source()?;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Some(cause.to_string())
    };
    match (error.status(), cause(error)) {
        (Some(status), Some(said)) => format!("{status} {said}"),
        (Some(status), None) => status.to_string(),
        (None, Some(cause)) => cause,
        (None, None) => "the connection ended".into(),
    }
}
