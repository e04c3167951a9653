//! A center, its bank, stores and members in one directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use color_eyre::eyre::{Context as _, Result, bail, eyre};

use crate::{
    bank::{self, Bank},
    post::{self, MailServer},
    programs::{Programs, Reply, call, secret_file},
};

mod joining;

pub use joining::{member_address, member_fields, store_account, store_address, store_fields};

/// The center's account at its bank.
pub const CENTER_ACCOUNT: &str = "0005/101/1234567";

/// Passwords of everyone in a test network. They differ, so that a mixed-up one is noticed.
pub mod secrets {
    /// The root key's passphrase.
    pub const ROOT: &str = "root of the whole garden";
    /// The service passphrase.
    pub const SERVICE: &str = "evening service begins";
    /// The first operator's passphrase.
    pub const OPERATOR: &str = "operator on the night shift";
    /// Any further operator's passphrase.
    pub const SECOND: &str = "a lantern in the other window";
    /// Password A of members and stores.
    pub const A: &str = "a window to the history";
    /// Password B of members and stores.
    pub const B: &str = "behind the second door";
}

/// A running network. Everything it started ends with it.
pub struct Network {
    programs: Programs,
    root: PathBuf,
    center: Option<Child>,
    serving: Vec<(String, Child)>,
    /// The invitation, once the center is founded.
    pub invitation: String,
    mail_server: Option<MailServer>,
}

impl Network {
    /// Makes a center with its files in `root`, and does not start it yet.
    ///
    /// Mail goes to a folder, and whoever resembles nobody is admitted by rule.
    pub fn found(root: &Path) -> Result<Self> {
        Self::found_by(Programs::find()?, root)
    }

    /// The same with programs that someone has prepared.
    pub fn found_by(programs: Programs, root: &Path) -> Result<Self> {
        let network = Self::found_with(programs, root, None)?;
        network.set_policy(&[("admit", "\"rule\"")])?;
        Ok(network)
    }

    /// As [`Network::found`], but mail goes through an SMTP server, and operators admit.
    pub fn found_with_mail_server(root: &Path) -> Result<Self> {
        let server = MailServer::start(root)?;
        Self::found_with(Programs::find()?, root, Some(server))
    }

    fn found_with(programs: Programs, root: &Path, mail_server: Option<MailServer>) -> Result<Self> {
        for folder in ["secrets", "members", "stores", "catalogues"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let mut network = Self {
            programs,
            root: root.to_owned(),
            center: None,
            serving: Vec::new(),
            invitation: String::new(),
            mail_server,
        };
        for (name, secret) in [
            ("root", secrets::ROOT),
            ("service", secrets::SERVICE),
            ("operator", secrets::OPERATOR),
            ("a", secrets::A),
            ("b", secrets::B),
        ] {
            secret_file(&root.join("secrets"), name, secret)?;
        }
        let key = root.join("secrets/operator.pub");
        fs::write(&key, ssh_key("ada"))?;
        let mut init = network.center_command(("ada", "operator"));
        init.args([
            "init",
            "--name",
            "Garden Club",
            "--currency",
            "JPY",
            "--zone",
            "Asia/Tokyo",
            "--day-end",
            "24:00",
        ])
        .args(["--listen", "127.0.0.1:0", "--listen", "[::1]:0"])
        .args(["--bank-holder", "Garden Club", "--bank-number", CENTER_ACCOUNT])
        .args(["--help-contact", "help@garden.example", "--operator", "ada", "--operator-key"])
        .arg(&key)
        .arg("--bank-inbox")
        .arg(root.join("bank-inbox"))
        .arg("--bank-outbox")
        .arg(root.join("bank-outbox"))
        .args(["--mail-from", "Garden Club <office@garden.example>"]);
        match &network.mail_server {
            Some(server) => init
                .args(["--mail-server", &server.address, "--mail-user", post::USER, "--mail-password-file"])
                .arg(&server.password_file)
                .arg("--mail-ca-file")
                .arg(&server.certificate),
            None => init.arg("--mail-pickup").arg(root.join("mail")),
        };
        let made = call(init)?.done().wrap_err("tui-center init")?;
        network.invitation =
            made["invitation"].as_str().ok_or_else(|| eyre!("init gave no invitation: {made}"))?.to_owned();
        Ok(network)
    }

    /// Where everything lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The programs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The file that holds a secret, by its name in lower case: `a`, `b`, `root`, `service`, `operator`.
    pub fn secret(&self, name: &str) -> PathBuf {
        self.root.join("secrets").join(name)
    }

    /// Starts the center's server and waits until it answers.
    pub fn start_center(&mut self) -> Result<()> {
        match self.start_center_with(&[])? {
            true => Ok(()),
            false => {
                bail!("the center ended while it started; its log is {}/center.log", self.root.display())
            }
        }
    }

    /// The same with more in its environment; says whether it answers, or ended before it did.
    pub fn start_center_with(&mut self, environment: &[(&str, &str)]) -> Result<bool> {
        let mut command = self.programs.command("tui-center");
        command.arg("--profile").arg(self.center_profile()).args(["serve", "--headless"]);
        command.arg("--service-passphrase-file").arg(self.secret("service"));
        command.envs(environment.iter().copied());
        let mut center = self.background("center", command)?;
        let mut answers = false;
        self.wait_for("the center", |network| {
            answers = network.center(&["status"])?.code == 0;
            Ok(answers || center.try_wait()?.is_some())
        })?;
        self.center = Some(center);
        Ok(answers && !self.center_is_gone()?)
    }

    /// Whether the center's server has ended by itself, or runs no more.
    pub fn center_is_gone(&mut self) -> Result<bool> {
        let gone = match &mut self.center {
            Some(center) => center.try_wait()?.is_some(),
            None => true,
        };
        if gone {
            self.center = None;
        }
        Ok(gone)
    }

    /// The center's server process.
    pub fn center_pid(&self) -> Option<u32> {
        self.center.as_ref().map(Child::id)
    }

    /// Kills the center's server outright.
    pub fn kill_center(&mut self) -> Result<()> {
        kill(&mut self.center.take().ok_or_else(|| eyre!("the center does not run"))?)
    }

    /// Ends the center's server in order and gives its exit code.
    pub fn stop_center(&mut self) -> Result<i32> {
        let mut child = self.center.take().ok_or_else(|| eyre!("the center does not run"))?;
        terminate(&mut child)
    }

    /// Where the center's state lives.
    pub fn center_profile(&self) -> PathBuf {
        self.root.join("center")
    }

    /// A subcommand of the center, with every passphrase at hand, acting as the first operator.
    pub fn center(&self, arguments: &[&str]) -> Result<Reply> {
        self.center_as(("ada", "operator"), arguments)
    }

    /// The same as an operator of this name, whose passphrase lies in this secret file.
    pub fn center_as(&self, operator: (&str, &str), arguments: &[&str]) -> Result<Reply> {
        let mut command = self.center_command(operator);
        command.args(arguments);
        call(command)
    }

    fn center_command(&self, (name, secret): (&str, &str)) -> Command {
        let mut command = self.programs.command("tui-center");
        command.arg("--profile").arg(self.center_profile()).args(["--json", "--as", name]);
        for (option, secret) in [("root", "root"), ("service", "service"), ("operator", secret)] {
            command.arg(format!("--{option}-passphrase-file")).arg(self.secret(secret));
        }
        command
    }

    /// Adds a second operator, of this name and role, and gives the file of the passphrase.
    pub fn add_operator(&self, name: &str, role: &str) -> Result<PathBuf> {
        let passphrase = secret_file(&self.root.join("secrets"), name, secrets::SECOND)?;
        let key = self.root.join("secrets").join(format!("{name}.pub"));
        fs::write(&key, ssh_key(name))?;
        let (key, file) = (key.display().to_string(), passphrase.display().to_string());
        let add = ["operator", "add", name, "--role", role, "--key", &key, "--new-passphrase-file", &file];
        self.center(&add)?.done()?;
        Ok(passphrase)
    }

    /// A subcommand of a member's program.
    pub fn member(&self, name: &str, arguments: &[&str]) -> Result<Reply> {
        let mut command = self.terminal("tui-member", &self.root.join("members").join(name));
        command.args(arguments);
        call(command)
    }

    /// A subcommand of a store's program.
    pub fn store(&self, name: &str, arguments: &[&str]) -> Result<Reply> {
        let mut command = self.terminal("tui-store", &self.root.join("stores").join(name));
        command.args(arguments);
        call(command)
    }

    /// A command of a terminal's program with profile and both passwords at hand.
    pub fn terminal(&self, program: &str, profile: &Path) -> Command {
        let mut command = self.programs.command(program);
        command.arg("--profile").arg(profile).arg("--json");
        command.arg("--password-a-file").arg(self.secret("a"));
        command.arg("--password-b-file").arg(self.secret("b"));
        command
    }

    /// Where a member's state lives.
    pub fn member_profile(&self, name: &str) -> PathBuf {
        self.root.join("members").join(name)
    }

    /// Where a store's state lives.
    pub fn store_profile(&self, name: &str) -> PathBuf {
        self.root.join("stores").join(name)
    }

    /// Starts a store's server on its catalogue and waits until its line to the center stands.
    pub fn serve_store(&mut self, name: &str, catalogue: &Path) -> Result<()> {
        match self.serve_store_with(name, catalogue, &[])? {
            true => Ok(()),
            false => bail!("the store's server ended while it started"),
        }
    }

    /// The same with more in its environment; says whether its line stands, or it ended before it did.
    pub fn serve_store_with(
        &mut self,
        name: &str,
        catalogue: &Path,
        environment: &[(&str, &str)],
    ) -> Result<bool> {
        let mut command = self.programs.command("tui-store");
        command.arg("--profile").arg(self.root.join("stores").join(name));
        command.arg("--password-a-file").arg(self.secret("a"));
        command.args(["serve", "--headless", "--listen", "127.0.0.1:0", "--catalogue"]).arg(catalogue);
        command.envs(environment.iter().copied());
        let mut child = self.background(&format!("store-{name}"), command)?;
        self.wait_for("the store", |network| {
            let reply = network.store(name, &["status"])?;
            let announced =
                reply.body["counter"]["announced"].as_array().is_some_and(|addresses| !addresses.is_empty());
            Ok((reply.code == 0 && announced) || child.try_wait()?.is_some())
        })?;
        self.serving.push((name.to_owned(), child));
        Ok(!self.store_is_gone(name)?)
    }

    /// Whether a store's server has ended by itself, or runs no more.
    pub fn store_is_gone(&mut self, name: &str) -> Result<bool> {
        let Some(at) = self.serving.iter().position(|(serving, _)| serving == name) else { return Ok(true) };
        let gone = self.serving[at].1.try_wait()?.is_some();
        if gone {
            self.serving.swap_remove(at);
        }
        Ok(gone)
    }

    /// Kills a store's server outright.
    pub fn kill_store(&mut self, name: &str) -> Result<()> {
        kill(&mut self.take_store(name)?)
    }

    /// Ends a store's server in order and gives its exit code.
    pub fn stop_store(&mut self, name: &str) -> Result<i32> {
        terminate(&mut self.take_store(name)?)
    }

    fn take_store(&mut self, name: &str) -> Result<Child> {
        let at = self.serving.iter().position(|(serving, _)| serving == name);
        Ok(self.serving.swap_remove(at.ok_or_else(|| eyre!("store {name} does not serve"))?).1)
    }

    /// The center's bank.
    pub fn bank(&self) -> Bank {
        bank::at(
            &self.root.join("bank-outbox"),
            &self.root.join("bank-inbox"),
            &self.root.join("bank-books.jsonl"),
            CENTER_ACCOUNT,
        )
    }

    /// Gives a member a card of so many yen, paid for through the bank, and waits until it is there.
    pub fn fund(&self, member: &str, amount: u64) -> Result<String> {
        let cards = |network: &Self| -> Result<Vec<String>> {
            network.member(member, &["sync"])?.done()?;
            let listed = network.member(member, &["cards"])?.done()?;
            let cards = listed["cards"].as_array().cloned().unwrap_or_default();
            Ok(cards.iter().filter_map(|card| card["card"].as_str().map(str::to_owned)).collect())
        };
        let before = cards(self)?;
        let terms = self.member(member, &["card", "request", &amount.to_string()])?.done()?;
        let reference = terms["reference"].as_str().ok_or_else(|| eyre!("no reference in {terms}"))?;
        self.bank().credit(amount, reference, member, None)?;
        let mut issued = None;
        self.wait_for("the card", |network| {
            issued = cards(network)?.into_iter().find(|card| !before.contains(card));
            Ok(issued.is_some())
        })?;
        issued.ok_or_else(|| eyre!("no card"))
    }

    /// Waits until something holds, asking again at short intervals.
    pub fn wait_for(&self, what: &str, mut holds: impl FnMut(&Self) -> Result<bool>) -> Result<()> {
        let since = Instant::now();
        let mut last = None;
        while since.elapsed() < Duration::from_secs(60) {
            match holds(self) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => last = Some(error),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        match last {
            Some(error) => Err(error).wrap_err_with(|| format!("waited in vain for {what}")),
            None => bail!("waited in vain for {what}"),
        }
    }

    fn background(&self, name: &str, mut command: Command) -> Result<Child> {
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.root.join(format!("{name}.log")))?;
        command.stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        command.spawn().wrap_err_with(|| format!("starting {command:?}"))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for (_, child) in &mut self.serving {
            let _ = kill(child);
        }
        if let Some(center) = &mut self.center {
            let _ = kill(center);
        }
    }
}

/// A fresh SSH public key's line.
fn ssh_key(owner: &str) -> String {
    let kind = b"ssh-ed25519";
    let key = wire::key::SigningKey::generate().verification_key();
    let field = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let blob = [field(kind), field(&key.0)].concat();
    format!("ssh-ed25519 {} {owner}@console\n", data_encoding::BASE64.encode(&blob))
}

fn kill(child: &mut Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// SIGTERM, then the exit code; -1 when a signal ended it.
fn terminate(child: &mut Child) -> Result<i32> {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .ok_or_else(|| eyre!("no pid"))?;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(30) {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(child)?;
    bail!("it did not end within 30 s after SIGTERM")
}
