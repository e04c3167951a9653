//! What was lost: passwords, the machine, the phrase.

use std::fs;

use color_eyre::eyre::{Result, ensure};
use inkan_tests::{
    network::{Network, member_address},
    post,
};

use crate::text;

#[test]
fn with_both_passwords_forgotten_the_phrase_brings_the_account_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    network.join_member("mina")?;
    network.fund("mina", 1_000)?;
    let phrase = network.phrase_file("mina").display().to_string();
    let forgotten =
        inkan_tests::programs::secret_file(folder.path(), "forgotten", "what was it again, then")?;
    let mut guess = network.programs().command("tui-member");
    guess.arg("--profile").arg(network.member_profile("mina")).args(["--json", "history"]);
    guess.arg("--password-a-file").arg(&forgotten);
    let words = inkan_tests::programs::call(guess)?.refused()?;
    ensure!(words.contains("password A is wrong"), "{words}");
    let fresh = ["recovery", "restore", &network.invitation, "--phrase-file", &phrase, "--set-aside"];
    let back = network.member("mina", &fresh)?.done()?;
    ensure!(back["copied_at"].is_object(), "there was no copy: {back}");
    let cards = network.member("mina", &["cards"])?.done()?;
    ensure!(cards["cards"][0]["balance"]["minor"] == 1_000, "{cards}");
    let aside = fs::read_dir(network.member_profile("mina"))?
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().contains("aside"));
    ensure!(aside, "the vault that could not be opened is gone");
    Ok(())
}

#[test]
fn a_lost_terminal_without_phrase_takes_four_eyes_tells_the_old_contact_and_waits() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.add_operator("bo", "supervisor")?;
    network.start_center()?;
    let joined = network.join_member("mina")?;
    let number = text(&joined, "/member")?.to_owned();
    network.fund("mina", 1_000)?;

    let fields = [
        "name=mina of the Garden",
        "address=9-9 Elsewhere, Kyoto 600-0001",
        "born=1971-09-23",
        "email=mina@elsewhere.example",
        "phone=+81 75 555 0199",
    ];
    let mut replace = vec!["replace", network.invitation.as_str(), &number, "--no-phrase"];
    replace.extend(fields.iter().flat_map(|field| ["--field", field]));
    let applied = network.member("mina-2", &replace)?.done()?;
    ensure!(applied["state"] == "waiting", "a rule admits nobody in another's place: {applied}");
    let application = text(&applied, "/application")?;
    let proposed = network.center(&["admit", application])?.done()?;
    ensure!(post::admission(&network.mail_folder(), "mina@elsewhere.example")?.is_none(), "one was enough");
    let proposal = text(&proposed, "/number")?;
    network.center(&["confirm", proposal])?.refused()?;
    network.center_as(("bo", "bo"), &["confirm", proposal])?.done()?;

    let admitted = network.admission_mail("mina@elsewhere.example")?;
    ensure!(admitted.number == number, "another number: {}", admitted.number);
    network.wait_for("the notice to the old contact", |network| {
        let mails = post::mails_to(&network.mail_folder(), &member_address("mina"))?;
        Ok(mails.iter().any(|mail| mail.contains("are being replaced") && mail.contains(&number)))
    })?;
    let mails = post::mails_to(&network.mail_folder(), &member_address("mina"))?;
    ensure!(!mails.iter().any(|mail| mail.contains(&admitted.code)), "the old contact was sent the code");
    network.register(&admitted, |arguments| network.member("mina-2", arguments))?;

    network.member("mina", &["card", "request", "500"])?.refused()?;
    let cards = network.member("mina-2", &["cards"])?.done()?;
    ensure!(cards["cards"][0]["balance"]["minor"] == 1_000, "{cards}");
    let status = network.member("mina-2", &["status"])?.done()?;
    ensure!(status["custody"]["held"].is_object(), "nothing says that money is held: {status}");
    network.stop_center()?;
    network.center(&["books", "verify"])?.done()?;
    Ok(())
}
