//! A network in a temporary directory, with as much in it as a test needs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use inkan_tests::{network::Network, programs::Reply};
use serde_json::Value;
use tempfile::TempDir;

/// A network whose center serves.
pub(crate) struct House {
    // Dropped first: its programs end before their files go.
    pub(crate) network: Network,
    directory: TempDir,
}

/// What the one item of [`House::shop`] costs.
pub(crate) const PRICE: u64 = 700;

impl House {
    /// Founds a center that does not serve yet.
    pub(crate) fn founded() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let network = Network::found(directory.path()).expect("a center is founded");
        Self { network, directory }
    }

    /// A center that serves.
    pub(crate) fn open() -> Self {
        let mut house = Self::founded();
        house.network.start_center().expect("the center serves");
        house
    }

    /// Opens a store called `shop` that sells a note for [`PRICE`], and gives its number.
    pub(crate) fn shop(&mut self) -> String {
        self.network.join_store("shop", "The Shop").expect("the store joins");
        let catalogue = self.catalogue();
        fs::create_dir_all(&catalogue).expect("a folder");
        fs::write(catalogue.join("note.txt"), "a note\n").expect("goods");
        let item =
            format!("[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = {PRICE}\nfile = \"note.txt\"\n");
        fs::write(catalogue.join("catalogue.toml"), item).expect("a catalogue");
        self.network.serve_store("shop", &catalogue).expect("the store serves");
        let status = self.done(self.network.store("shop", &["status"]));
        text(&status, "/store")
    }

    /// Where the shop's catalogue lies.
    pub(crate) fn catalogue(&self) -> PathBuf {
        self.file("catalogues/shop")
    }

    /// Joins a member with a card of so many yen.
    pub(crate) fn member(&self, name: &str, yen: u64) -> String {
        let joined = self.network.join_member(name).expect("the member joins");
        if yen > 0 {
            self.network.fund(name, yen).expect("the card is paid for");
        }
        text(&joined, "/member")
    }

    /// A path below everything.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A member's subcommand.
    #[track_caller]
    pub(crate) fn says(&self, member: &str, arguments: &[&str]) -> Reply {
        self.network.member(member, arguments).expect("the member's program ends")
    }

    /// A member's subcommand that must succeed.
    #[track_caller]
    pub(crate) fn does(&self, member: &str, arguments: &[&str]) -> Value {
        self.done(self.network.member(member, arguments))
    }

    /// The answer of a subcommand that must succeed.
    #[track_caller]
    pub(crate) fn done(&self, reply: color_eyre::Result<Reply>) -> Value {
        reply.and_then(Reply::done).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The center's overview, whose books must balance.
    #[track_caller]
    pub(crate) fn overview(&self) -> Value {
        let overview = self.done(self.network.center(&["status"]));
        assert_eq!(overview["light"]["balanced"], true, "{overview}");
        overview
    }

    /// The journal's root: it changes with every entry.
    #[track_caller]
    pub(crate) fn root(&self) -> String {
        text(&self.overview(), "/root")
    }

    /// How much a member's cards hold, as the center says.
    #[track_caller]
    pub(crate) fn balance(&self, member: &str) -> i64 {
        let cards = self.does(member, &["cards"]);
        let cards = cards["cards"].as_array().expect("cards");
        cards.iter().map(|card| card["balance"]["minor"].as_i64().expect("an amount")).sum()
    }

    /// Orders the note and gives the order's hash. A store whose center was gone needs a moment to be back.
    #[track_caller]
    pub(crate) fn order(&self, member: &str, shop: &str) -> String {
        let mut order = String::new();
        let ordered = self.network.wait_for("the store to take an order", |network| {
            let reply = network.member(member, &["order", shop, "note"])?;
            if reply.body["kind"] == "offline" {
                return Ok(false);
            }
            order = text(&self.done(Ok(reply)), "/order");
            Ok(true)
        });
        ordered.unwrap_or_else(|error| panic!("{error:#}"));
        order
    }

    /// The center's error log, newest first; every line in it must be clear.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<String> {
        let errors = self.done(self.network.center(&["errors"]));
        let lines = errors["errors"].as_array().expect("errors");
        let words = lines.iter().map(|line| crate::words::clear(line["words"].as_str().expect("words")));
        words.map(str::to_owned).collect()
    }

    /// Waits until the error log has a line that holds `part`, and gives it.
    #[track_caller]
    pub(crate) fn error_of(&self, part: &str) -> String {
        let mut found = None;
        let told = self.network.wait_for("a line of the error log", |_| {
            found = self.errors().into_iter().find(|words| words.contains(part));
            Ok(found.is_some())
        });
        told.unwrap_or_else(|error| panic!("{error:#} with “{part}”; there is {:#?}", self.errors()));
        found.expect("found")
    }

    /// A program of this network in a form other than JSON, with every secret at hand.
    pub(crate) fn in_words(&self, program: &str, profile: &str, form: &[&str]) -> Command {
        let mut command = self.network.programs().command(program);
        command.arg("--profile").arg(self.file(profile)).args(form);
        if program == "tui-center" {
            command.args(["--as", "ada"]);
            for secret in ["root", "service", "operator"] {
                command.arg(format!("--{secret}-passphrase-file")).arg(self.network.secret(secret));
            }
        } else {
            command.arg("--password-a-file").arg(self.network.secret("a"));
            command.arg("--password-b-file").arg(self.network.secret("b"));
        }
        command
    }
}

/// A text inside an answer.
#[track_caller]
pub(crate) fn text(value: &Value, path: &str) -> String {
    let found = value.pointer(path).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {path} in {value}")).to_owned()
}

/// Makes a named pipe, which whoever reads it waits on for ever.
pub(crate) fn pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
}
