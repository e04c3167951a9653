//! The settings of what leads outside besides the bank: mail, letters, the read-only page.
//!
//! None of the sections is needed: a center without `[mail]` sends no e-mail, one without `[post]` keeps its letters
//! until an operator has printed them, one without `[page]` answers no browser. No secret stands in the settings:
//! they name the file that holds it.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

/// How long one try may take where nothing else is said, in seconds.
pub const TIMEOUT_S: u64 = 60;
/// How many connections the page has at one time where nothing else is said.
pub const PAGE_CONNECTIONS: u32 = 64;

/// `[mail]`: how e-mail leaves. Either `server` or `pickup` is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Who it is from: `office@center.example`, or `Inkan Center <office@center.example>`.
    pub from: String,
    /// The SMTP server that takes it, as `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How the connection to the server is protected.
    #[serde(default)]
    pub security: Security,
    /// The name under which the center logs in at the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A file outside the data directory whose first line is the password for `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) that are believed besides those of the system: for a server with a certificate of its own
    /// house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long one try may take, in seconds: from 1 to 600.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
    /// Instead of a server: a folder outside the data directory from which a local mail program takes its messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup: Option<PathBuf>,
}

/// How a connection to an SMTP server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// It begins in the clear and must become TLS before anything is said (RFC 3207); usually port 587.
    #[default]
    StartTls,
    /// TLS from the first byte (RFC 8314); usually port 465.
    Tls,
    /// In the clear; only to an address of this machine.
    None,
}

/// `[post]`: how letters are printed. With neither set, letters wait until an operator has fetched and printed them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// A folder outside the data directory where letters are put for printing. What lies in it is the operators'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// A program and its arguments that gets the PDF on its standard input and ends with 0 when it is printed, like
    /// `["lp", "-d", "office"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub print_command: Vec<String>,
    /// How long the print command may take, in seconds: from 1 to 600.
    #[serde(default = "print_timeout_s")]
    pub timeout_s: u64,
    /// A font file (TrueType, OpenType or a collection) for what the built-in Latin font lacks, like Japanese. Where
    /// none is named, the usual places of Debian's Japanese fonts are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font: Option<PathBuf>,
}

/// `[page]`: the read-only page for whoever has only a browser or `curl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The address to listen on, as `address:port`.
    pub listen: SocketAddr,
    /// Under which address people reach it, like `https://join.center.example`: a proxy in front of it gives it TLS.
    pub public_url: String,
    /// Connections at one time.
    #[serde(default = "page_connections")]
    pub connections: u32,
}

impl Mail {
    /// Whom mail is from.
    ///
    /// # Errors
    /// In words, when it is no address.
    pub fn sender(&self) -> Result<Mailbox, String> {
        let wrong = |error| format!("`mail.from` is no mail address like office@center.example: {error}");
        let sender: Mailbox = self.from.parse().map_err(wrong)?;
        if sender.email.to_string().is_ascii() {
            Ok(sender)
        } else {
            Err("`mail.from` may have letters beyond ASCII in the name only, not in the address".into())
        }
    }

    /// The server's name and port.
    ///
    /// # Errors
    /// In words, when none is set or it is not written as `host:port`.
    pub fn host(&self) -> Result<(String, u16), String> {
        let wrong = || "`mail.server` is written as host:port, like mail.center.example:587".to_owned();
        let (host, port) =
            self.server.as_deref().and_then(|server| server.rsplit_once(':')).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        if host.is_empty() || !host.chars().all(plain) { Err(wrong()) } else { Ok((host.to_owned(), port)) }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        self.sender()?;
        in_range("mail.timeout_s", self.timeout_s)?;
        match (&self.server, &self.pickup) {
            (Some(_), Some(_)) => {
                return Err("`mail` has both `server` and `pickup`; mail leaves by one of them".into());
            }
            (None, None) => {
                return Err("`mail` needs `server` (host:port) or `pickup` (a folder)".into());
            }
            (None, Some(_)) => {
                let more = self.user.is_some() || self.password_file.is_some() || self.ca_file.is_some();
                return if more {
                    Err("`mail.user`, `mail.password_file` and `mail.ca_file` belong to a `server`".into())
                } else {
                    Ok(())
                };
            }
            (Some(_), None) => {}
        }
        let (host, _) = self.host()?;
        if self.security == Security::None && !is_loopback(&host) {
            return Err(format!(
                "`mail.security` may be “none” only for a server on this machine, and {host} is not one; use “starttls” or “tls”"
            ));
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err("`mail.user` and `mail.password_file` belong together".into());
        }
        Ok(())
    }
}

impl Post {
    pub(crate) fn check(&self) -> Result<(), String> {
        in_range("post.timeout_s", self.timeout_s)?;
        if self.print_command.first().is_some_and(String::is_empty) {
            return Err("`post.print_command` begins with the name of a program".into());
        }
        Ok(())
    }
}

impl Page {
    /// Where people reach it, without a slash at its end.
    pub fn url(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let rest = ["https://", "http://"].iter().find_map(|scheme| self.public_url.strip_prefix(scheme));
        // It stands in a command line that people paste into a shell.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
        if !rest.is_some_and(|rest| !rest.trim_matches('/').is_empty() && rest.chars().all(plain)) {
            return Err("`page.public_url` is an address like https://join.center.example".into());
        }
        if self.connections == 0 {
            return Err("`page.connections` of 0 would let nobody in".into());
        }
        Ok(())
    }
}

fn in_range(name: &str, seconds: u64) -> Result<(), String> {
    if (1..=600).contains(&seconds) { Ok(()) } else { Err(format!("`{name}` is from 1 to 600")) }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn timeout_s() -> u64 {
    TIMEOUT_S
}

fn print_timeout_s() -> u64 {
    TIMEOUT_S
}

fn page_connections() -> u32 {
    PAGE_CONNECTIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(text: &str) -> Result<Mail, String> {
        let mail: Mail = toml::from_str(text).map_err(|error| error.to_string())?;
        mail.check().map(|()| mail)
    }

    #[test]
    fn mail_needs_one_way_out_and_protection_off_this_machine() {
        let from = "from = \"Inkan <office@center.example>\"\n";
        let good = mail(&format!("{from}server = \"mail.center.example:587\"")).unwrap();
        assert_eq!(good.security, Security::StartTls);
        assert_eq!(good.host().unwrap(), ("mail.center.example".into(), 587));
        assert_eq!(
            mail(&format!("{from}server = \"[::1]:25\"\nsecurity = \"none\"")).unwrap().host().unwrap().0,
            "::1"
        );
        mail(&format!("{from}pickup = \"/var/spool/pickup\"")).unwrap();
        for (rest, words) in [
            ("", "needs `server`"),
            ("server = \"a.example:25\"\npickup = \"/x\"", "both"),
            ("server = \"a.example\"", "host:port"),
            ("server = \"a.example:0\"", "host:port"),
            ("server = \"a b:25\"", "host:port"),
            ("server = \"a.example:25\"\nsecurity = \"none\"", "only for a server on this machine"),
            ("server = \"a.example:25\"\nuser = \"u\"", "belong together"),
            ("server = \"a.example:25\"\npassword = \"secret\"", "password"),
            ("server = \"a.example:25\"\ntimeout_s = 0", "from 1 to 600"),
            ("pickup = \"/x\"\nuser = \"u\"\npassword_file = \"/y\"", "belong to a `server`"),
        ] {
            let error = mail(&format!("{from}{rest}")).unwrap_err();
            assert!(error.contains(words), "{rest}: {error}");
        }
        let error = mail("from = \"nobody\"\nserver = \"a.example:25\"").unwrap_err();
        assert!(error.contains("no mail address"), "{error}");
    }

    #[test]
    fn the_pages_address_can_stand_in_a_command_line() {
        let page = |url: &str| Page {
            listen: ([127, 0, 0, 1], 8080).into(),
            public_url: url.into(),
            connections: page_connections(),
        };
        page("https://join.center.example/").check().unwrap();
        assert_eq!(page("http://127.0.0.1:8080/").url(), "http://127.0.0.1:8080");
        for bad in [
            "",
            "join.center.example",
            "https://",
            "https:///",
            "https://a.example/$(id)",
            "https://a.example/;x",
        ] {
            assert!(page(bad).check().is_err(), "{bad}");
        }
    }
}
