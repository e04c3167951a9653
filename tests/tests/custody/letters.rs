//! A letter instead of an e-mail: number and code are read on paper.

use std::{fs, path::Path, process::Command};

use color_eyre::eyre::{Context as _, Result, ensure, eyre};
use inkan_tests::{
    network::{Network, member_address},
    post,
};

use crate::{configure, text};

/// An address as long as a window shows beside the name: eight lines.
const ADDRESS: [&str; 8] = [
    "c/o The Garden Society",
    "Department of Mosses",
    "Glasshouse 7, Shelf B",
    "The Old Orangery",
    "12 St James Square",
    "Westminster",
    "London SW1Y 4JH",
    "UNITED KINGDOM",
];

#[test]
fn where_the_policy_writes_letters_number_and_code_are_read_on_paper() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    let letters = folder.path().join("letters");
    fs::create_dir_all(&letters)?;
    configure(&network, &format!("[post]\nfolder = \"{}\"", letters.display()))?;
    network.set_policy(&[("ways", "[\"letter\"]")])?;
    network.start_center()?;

    let address = format!("address={}", ADDRESS.join("\n"));
    let email = format!("email={}", member_address("ada"));
    let fields = ["name=Ada of the Garden", &address, "born=1971-09-23", &email, "phone=+44 20 7946 0018"];
    let mut join = vec!["join", network.invitation.as_str(), "--no-phrase"];
    join.extend(fields.iter().flat_map(|field| ["--field", field]));
    network.member("ada", &join)?.done()?;
    let mut written = String::new();
    network.wait_for("the letter", |_| {
        let found = fs::read_dir(&letters)?.filter_map(Result::ok).map(|entry| entry.path());
        let pdf = found.into_iter().find(|path| path.extension().is_some_and(|it| it == "pdf"));
        written = pdf.map(|path| read(&path)).transpose()?.unwrap_or_default();
        Ok(!written.is_empty())
    })?;
    let places: Vec<Option<usize>> = ADDRESS.iter().map(|line| written.find(line)).collect();
    ensure!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "the address is not whole and in order: {written}"
    );
    let admitted = post::read(&written).ok_or_else(|| eyre!("neither number nor code in: {written}"))?;
    let mailed = network.mail_folder().exists()
        && !post::mails_to(&network.mail_folder(), &member_address("ada"))?.is_empty();
    ensure!(!mailed, "a mail went out, too");
    let joined = network.register(&admitted, |arguments| network.member("ada", arguments))?;
    ensure!(text(&joined, "/member")? == admitted.number, "{joined}");
    Ok(())
}

/// The text of a PDF, in the order in which it is read.
fn read(pdf: &Path) -> Result<String> {
    let read = Command::new("pdftotext").arg(pdf).arg("-").output();
    let read = read.wrap_err("pdftotext reads letters; install it: apt-get install poppler-utils")?;
    ensure!(read.status.success(), "pdftotext: {}", String::from_utf8_lossy(&read.stderr));
    Ok(String::from_utf8(read.stdout)?)
}
