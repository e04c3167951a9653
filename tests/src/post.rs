//! What the center sends by mail: a real SMTP server that takes it, and reading number and code out of it as an
//! applicant does.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use color_eyre::eyre::{Context as _, Result, bail, eyre};
use mailparse::MailHeaderMap as _;

/// The login that the server demands.
pub const USER: &str = "center";
/// Its password.
pub const PASSWORD: &str = "the postman rings twice";

/// An SMTP server. It ends with this value.
pub struct MailServer {
    child: Option<Child>,
    /// Where it listens, as `host:port`.
    pub address: String,
    /// The certificate that it shows, to be trusted by the center.
    pub certificate: PathBuf,
    /// The file with the password that it takes.
    pub password_file: PathBuf,
    home: PathBuf,
    folder: PathBuf,
}

impl MailServer {
    /// Starts aiosmtpd with its files below `root`; it takes mail after STARTTLS and a login only.
    ///
    /// # Errors
    /// When no Python with aiosmtpd is there: `apt-get install python3-aiosmtpd`.
    pub fn start(root: &Path) -> Result<Self> {
        let home = root.join("smtp");
        let folder = home.join("received");
        fs::create_dir_all(&folder)?;
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let (certificate, key) = (home.join("certificate.pem"), home.join("key.pem"));
        fs::write(&certificate, made.cert.pem())?;
        fs::write(&key, made.signing_key.serialize_pem())?;
        let password_file = home.join("password");
        fs::write(&password_file, PASSWORD)?;
        // The center takes no password that everybody may read.
        fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600))?;
        let mut server =
            Self { child: None, address: "127.0.0.1:0".into(), certificate, password_file, home, folder };
        server.open()?;
        Ok(server)
    }

    /// Ends it: whoever sends mail finds nobody there.
    ///
    /// # Errors
    /// When it can't be ended.
    pub fn close(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            // It ends with its input; what hangs is killed.
            drop(child.stdin.take());
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts it again where it was.
    ///
    /// # Errors
    /// With what it says itself, when it does not start.
    pub fn open(&mut self) -> Result<()> {
        let port = self.address.rsplit(':').next().unwrap_or_default();
        let mut child = Command::new(python()?)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("smtp/server.py"))
            .args([&self.certificate, &self.home.join("key.pem"), Path::new(USER), &self.password_file])
            .arg(&self.folder)
            .arg(port)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(fs::File::create(self.home.join("log"))?))
            .spawn()
            .wrap_err("starting the SMTP server")?;
        let out = child.stdout.take().ok_or_else(|| eyre!("the SMTP server has no output"))?;
        self.child = Some(child);
        let mut words = String::new();
        BufReader::new(out).read_line(&mut words)?;
        let port = words.trim().strip_prefix("port ").ok_or_else(|| {
            let said = fs::read_to_string(self.home.join("log")).unwrap_or_default();
            eyre!("the SMTP server does not start: {said}")
        })?;
        self.address = format!("127.0.0.1:{port}");
        Ok(())
    }

    /// The folder with the mails that it took.
    pub fn received(&self) -> &Path {
        &self.folder
    }

    /// From now on it refuses every mail for good, or takes them again.
    pub fn refuse(&self, refuses: bool) -> Result<()> {
        let marker = self.folder.join("refuse");
        if refuses {
            fs::write(marker, "")?
        } else {
            fs::remove_file(marker)?
        }
        Ok(())
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

/// What an applicant reads in the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The membership number.
    pub number: String,
    /// The activation code, as printed.
    pub code: String,
}

/// The newest mail with an activation code to an address, among the `.eml` files of a folder.
///
/// # Errors
/// When a file can't be read or is no mail.
pub fn admission(folder: &Path, address: &str) -> Result<Option<Admitted>> {
    let found = mails_to(folder, address)?;
    Ok(found.iter().rev().find_map(|text| read(text)))
}

/// Number and code in what was written to an applicant, by mail or as a letter.
pub fn read(text: &str) -> Option<Admitted> {
    let number = words(text).find(|word| is_number(word))?;
    let code = words(text).find(|word| is_code(word))?;
    Some(Admitted { number: number.to_owned(), code: code.to_owned() })
}

/// The texts of all mails to an address, oldest first.
///
/// # Errors
/// When a file can't be read or is no mail.
pub fn mails_to(folder: &Path, address: &str) -> Result<Vec<String>> {
    let mut names: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    for item in fs::read_dir(folder).wrap_err_with(|| format!("reading {}", folder.display()))? {
        let path = item?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            names.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    names.sort();
    let mut texts = Vec::new();
    for (_, path) in names {
        let bytes = fs::read(&path)?;
        let mail = mailparse::parse_mail(&bytes).wrap_err_with(|| path.display().to_string())?;
        let to = mail.headers.get_first_value("To").unwrap_or_default();
        if to.contains(address) {
            texts.push(mail.get_body()?);
        }
    }
    Ok(texts)
}

/// A Python that has aiosmtpd: the system's own is asked first, because that is where the system's packages are.
fn python() -> Result<&'static str> {
    for candidate in ["/usr/bin/python3", "python3"] {
        let asked =
            Command::new(candidate).args(["-c", "import aiosmtpd.smtp"]).stderr(Stdio::null()).status();
        if asked.is_ok_and(|status| status.success()) {
            return Ok(candidate);
        }
    }
    bail!("no Python has aiosmtpd; install it: apt-get install python3-aiosmtpd")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
}

fn is_number(word: &str) -> bool {
    let mut parts = word.split('-');
    let (kind, digits, check) = (parts.next(), parts.next(), parts.next());
    let digit = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(kind, Some("M" | "S")) && digit(digits) && digit(check) && parts.next().is_none()
}

fn is_code(word: &str) -> bool {
    let groups: Vec<&str> = word.split('-').collect();
    groups.len() == 4
        && groups.iter().all(|group| group.len() == 4 && group.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_code_are_read_out_of_the_newest_mail() {
        let folder = tempfile::tempdir().unwrap();
        let mail = |to: &str, code: &str| {
            format!(
                "To: {to}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nYour number: M-000001-3.\r\nCode: {code}\r\n"
            )
        };
        fs::write(folder.path().join("1.eml"), mail("Aiko <aiko@garden.example>", "0123-4567-89AB-CDEF"))
            .unwrap();
        fs::write(folder.path().join("2.eml"), mail("taro@garden.example", "AAAA-AAAA-AAAA-AAAA")).unwrap();
        let read = admission(folder.path(), "aiko@garden.example").unwrap().unwrap();
        assert_eq!(read, Admitted { number: "M-000001-3".into(), code: "0123-4567-89AB-CDEF".into() });
        assert_eq!(admission(folder.path(), "nobody@garden.example").unwrap(), None);
    }
}
