//! Where the screens of these tests stand: at the door of a fresh profile, or in a small town that trades already.

use std::{fs, path::Path};

use inkan_tests::{
    network::Network,
    programs::{Programs, Reply},
    screen::Screen,
};
use pty_process::blocking::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The sizes at which everything must be there: ample, the usual, the smallest that is of use.
pub(crate) const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

/// The usual size.
pub(crate) const USUAL: (u16, u16) = (80, 24);

/// The programs of members and stores: both have a door, a home, and the same manners.
pub(crate) const TERMINALS: [&str; 2] = ["tui-member", "tui-store"];

/// What the whole town is called.
pub(crate) const STORES: [(&str, &str); 2] = [("sakura", "さくら出版 Sakura"), ("ume", "Ume Tools")];

/// The member's name: wide characters on every screen that shows it.
pub(crate) const MEMBER: &str = "山田花子";

/// The goods, the dearest first: name, title, price.
pub(crate) const GOODS: [(&str, &str, u32); 3] =
    [("poems", "俳句集", 12_000), ("map", "An old map", 700), ("card", "春のはがき postcard", 80)];

/// A program on a screen of the usual size, in surroundings that are the same everywhere.
pub(crate) fn sit(program: &str, profile: &Path, arguments: &[&str], size: (u16, u16)) -> Screen {
    let command = command(program, profile, arguments);
    Screen::start(command, size.0, size.1).expect("a pseudo-terminal")
}

/// A program's command. The caller's own terminal, colours and locale have no part in it.
pub(crate) fn command(program: &str, profile: &Path, arguments: &[&str]) -> Command {
    let programs = Programs::find().expect("the programs are built");
    let mut command = Command::new(programs.path(program));
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "COLORTERM", "INKAN_CALM"] {
        command = command.env_remove(variable);
    }
    // Weak passwords are honoured by builds with debug assertions only.
    command
        .env("INKAN_TEST_KDF", "weak")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "Asia/Tokyo")
        .arg("--profile")
        .arg(profile)
        .args(arguments)
}

/// A fresh profile: the program begins at the door.
pub(crate) struct Door {
    directory: TempDir,
}

impl Door {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// A program in front of it.
    pub(crate) fn sit(&self, program: &str, size: (u16, u16)) -> Screen {
        sit(program, &self.directory.path().join(program), &[], size)
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        command(program, &self.directory.path().join(program), &[])
    }

    /// A program at the field for the invitation.
    #[track_caller]
    pub(crate) fn enter(&self, program: &str, size: (u16, u16)) -> Screen {
        let screen = self.sit(program, size);
        enter(&screen);
        screen
    }
}

/// Goes past the page that asks whether one joins or comes back, where there is one.
#[track_caller]
pub(crate) fn enter(screen: &Screen) {
    let shown = screen
        .wait_until("the door", |shown| shown.contains("no vault yet") || shown.contains("Invitation"))
        .expect("the door");
    if shown.contains("no vault yet") {
        screen.keys("<enter>").expect("typed");
    }
    screen.wait("Invitation").expect("the field for the invitation");
}

/// A center, two stores, and a member with a card and a few purchases.
pub(crate) struct Town {
    pub(crate) network: Network,
    _directory: TempDir,
}

impl Town {
    /// Founds it; everything runs.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut network = Network::found(directory.path()).expect("founded");
        network.start_center().expect("the center starts");
        for (name, trade_name) in STORES {
            let catalogue = directory.path().join("catalogues").join(name);
            fs::create_dir_all(&catalogue).expect("a folder");
            fs::write(catalogue.join("goods.txt"), "goods\n").expect("goods");
            let items = GOODS.map(|(id, title, price)| {
                format!(
                    "[[item]]\nid = \"{id}\"\ntitle = \"{title}\"\nprice = {price}\nfile = \"goods.txt\"\n"
                )
            });
            fs::write(catalogue.join("catalogue.toml"), items.concat()).expect("a catalogue");
            network.join_store(name, trade_name).expect("the store joins");
            network.serve_store(name, &catalogue).expect("the store serves");
        }
        let fields = [
            &format!("name={MEMBER}"),
            "address=東京都世田谷区桜1-2-3",
            "born=1990-04-01",
            "email=hanako@garden.example",
            "phone=+81 3 1234 5678",
        ];
        network.join_member_as("hanako", &fields.map(str::to_owned)).expect("the member joins");
        network.fund("hanako", 1_000_000).expect("the card is funded");
        let town = Self { network, _directory: directory };
        for (store, item) in [("sakura", "poems"), ("ume", "map"), ("sakura", "card")] {
            town.buy(store, item);
        }
        town
    }

    /// The member buys something.
    pub(crate) fn buy(&self, store: &str, item: &str) {
        done(self.network.member("hanako", &["buy", &self.number(store), item]));
    }

    /// A store's number.
    pub(crate) fn number(&self, store: &str) -> String {
        let status = done(self.network.store(store, &["status"]));
        status["store"].as_str().expect("a number").to_owned()
    }

    /// The member at home.
    pub(crate) fn member(&self, size: (u16, u16)) -> Screen {
        let secret = self.network.secret("a");
        let arguments = ["--password-a-file", secret.to_str().expect("a path in UTF-8")];
        let screen = sit("tui-member", &self.network.member_profile("hanako"), &arguments, size);
        screen.wait("C-0").expect("home, with the card");
        screen
    }

    /// A store at home, which serves while its screen is shown; its server without a screen ends first.
    pub(crate) fn store(&mut self, size: (u16, u16)) -> Screen {
        assert_eq!(self.network.stop_store("sakura").expect("an orderly end"), 0);
        let screen = sit_store(&self.network, size);
        screen.wait("open at").expect("home, with the counter open");
        screen
    }
}

/// The store's program with its screens.
pub(crate) fn sit_store(network: &Network, size: (u16, u16)) -> Screen {
    let secret = network.secret("a");
    let catalogue = network.root().join("catalogues/sakura");
    let arguments = [
        "--password-a-file",
        secret.to_str().expect("a path in UTF-8"),
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--catalogue",
        catalogue.to_str().expect("a path in UTF-8"),
    ];
    sit("tui-store", &network.store_profile("sakura"), &arguments, size)
}

/// The data of a subcommand that must succeed.
#[track_caller]
pub(crate) fn done(reply: color_eyre::Result<Reply>) -> Value {
    reply.and_then(Reply::done).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Gives a screen another size, and waits until the program has drawn a page of that size.
#[track_caller]
pub(crate) fn fit(screen: &Screen, (columns, rows): (u16, u16)) {
    // A screen that is made smaller or larger keeps its cells until the program has drawn: only what is at the edges
    // tells a page of the new size.
    let written = screen.written();
    screen.resize(columns, rows).expect("resized");
    let drawn = |screen: &Screen| screen.written() > written && is_edged(screen, columns, rows);
    screen.wait_for("a page of the new size", drawn).expect("drawn anew");
}

/// Whether the page's head reaches the right edge, and its footer lies at the foot.
fn is_edged(screen: &Screen, columns: u16, rows: u16) -> bool {
    let head =
        screen.look(|seen| (columns.saturating_sub(4)..columns).any(|column| is_ink(seen.cell(0, column))));
    head && row(screen, rows - 1).trim_end().ends_with("help")
}

fn is_ink(cell: Option<&vt100::Cell>) -> bool {
    cell.is_some_and(|cell| cell.is_wide_continuation() || !cell.contents().trim().is_empty())
}

/// The rows of a screen.
pub(crate) fn rows(screen: &Screen) -> std::ops::Range<u16> {
    0..screen.look(|seen| seen.size().0)
}

/// What stands in a row, the empty cells at its end left out.
pub(crate) fn row(screen: &Screen, row: u16) -> String {
    screen.look(|seen| seen.rows(0, seen.size().1).nth(row.into()).unwrap_or_default())
}

/// The row that the pointer stands before.
pub(crate) fn pointed(screen: &Screen) -> String {
    rows(screen).map(|at| row(screen, at)).find(|row| row.trim_start().starts_with('▸')).unwrap_or_default()
}

/// The cell at which a text begins in a row: a column as a terminal counts them, not a character.
pub(crate) fn column(screen: &Screen, row: u16, text: &str) -> Option<u16> {
    screen.look(|seen| {
        let mut line = String::new();
        let mut starts = Vec::new();
        for column in 0..seen.size().1 {
            let cell = seen.cell(row, column)?;
            if !cell.is_wide_continuation() {
                starts.push((line.len(), column));
                line.push_str(if cell.has_contents() { cell.contents() } else { " " });
            }
        }
        let at = line.find(text)?;
        starts.into_iter().find(|(start, _)| *start == at).map(|(_, column)| column)
    })
}
