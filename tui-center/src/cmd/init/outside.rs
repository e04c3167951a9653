//! What of mail, letters and the page is said at the founding; all of it can be set later in the settings.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tui_kit::cli;

use crate::config::{Mail, Page, Post, Security};

/// The sections of the settings that lead outside.
type Sections = (Option<Mail>, Option<Post>, Option<Page>);

/// A name that mail is from where nobody says one and the help contact is no address.
const LOCAL_SENDER: &str = "inkan@localhost";

#[derive(Debug, clap::Args)]
pub(super) struct Outside {
    /// Who mail is from; the help contact where that is an address
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// The SMTP server that takes mail
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "mail_pickup")]
    mail_server: Option<String>,
    /// How the connection to the server is protected
    #[arg(long, value_enum, default_value_t = Protection::Starttls, requires = "mail_server")]
    mail_security: Protection,
    /// The name under which the center logs in at the server
    #[arg(long, value_name = "NAME", requires_all = ["mail_server", "mail_password_file"])]
    mail_user: Option<String>,
    /// A file outside the profile whose first line is the password for --mail-user
    #[arg(long, value_name = "FILE", requires = "mail_user")]
    mail_password_file: Option<PathBuf>,
    /// Certificates (PEM) that are believed besides those of the system
    #[arg(long, value_name = "FILE", requires = "mail_server")]
    mail_ca_file: Option<PathBuf>,
    /// Instead of a server: a folder from which a local mail program takes its messages
    #[arg(long, value_name = "DIR")]
    mail_pickup: Option<PathBuf>,
    /// A folder where letters are put for printing
    #[arg(long, value_name = "DIR")]
    letter_folder: Option<PathBuf>,
    /// The address of the read-only page for browsers
    #[arg(long, value_name = "HOST:PORT")]
    page: Option<std::net::SocketAddr>,
    /// Under which address people reach the page
    #[arg(long, value_name = "URL", requires = "page")]
    page_url: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Protection {
    /// Begins in the clear and must become TLS before anything is said
    Starttls,
    /// TLS from the first byte
    Tls,
    /// In the clear; only to this machine
    None,
}

impl Outside {
    /// The sections of the settings.
    pub(super) fn settings(self, center: &str, help: &str) -> Result<Sections, cli::Failure> {
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .map_err(|error| cli::Failure::usage(format!("{}: {error}", path.display())))
        };
        let wanted = self.mail_server.is_some() || self.mail_pickup.is_some();
        if self.mail_from.is_some() && !wanted {
            return Err(cli::Failure::usage("--mail-from needs --mail-server or --mail-pickup"));
        }
        let mail = if wanted {
            let sender =
                if help.contains('@') && !help.contains(char::is_whitespace) { help } else { LOCAL_SENDER };
            // A name in quotes may hold anything but these two.
            let name: String = center.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
            Some(Mail {
                from: self.mail_from.unwrap_or_else(|| format!("\"{name}\" <{sender}>")),
                security: match self.mail_security {
                    Protection::Starttls => Security::StartTls,
                    Protection::Tls => Security::Tls,
                    Protection::None => Security::None,
                },
                server: self.mail_server,
                user: self.mail_user,
                password_file: self.mail_password_file.as_deref().map(absolute).transpose()?,
                ca_file: self.mail_ca_file.as_deref().map(absolute).transpose()?,
                timeout_s: crate::config::TIMEOUT_S,
                pickup: self.mail_pickup.as_deref().map(absolute).transpose()?,
            })
        } else {
            None
        };
        let letters = self.letter_folder.as_deref().map(absolute).transpose()?;
        let post = letters.map(|folder| Post {
            folder: Some(folder),
            print_command: Vec::new(),
            timeout_s: crate::config::TIMEOUT_S,
            font: None,
        });
        let page = self.page.map(|listen| Page {
            listen,
            public_url: self.page_url.unwrap_or_else(|| format!("http://{listen}")),
            connections: crate::config::PAGE_CONNECTIONS,
        });
        Ok((mail, post, page))
    }
}
