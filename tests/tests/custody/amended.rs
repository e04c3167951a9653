//! An application that an operator asks back, amended where a person does it: on the screen.

use color_eyre::eyre::{Result, ensure};
use inkan_tests::{
    network::{Network, member_address, secrets},
    screen::Screen,
};
use pty_process::blocking::Command;

use crate::{list, text};

#[test]
fn what_is_asked_back_is_amended_on_the_screen_and_admitted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.set_policy(&[("admit", "\"desk\"")])?;
    network.start_center()?;
    let applied = network.apply_member("mina")?;
    let application = text(&applied, "/application")?.to_owned();
    network.center(&["ask-back", &application, "--reason", "Which house is it?"])?.done()?;

    let command = Command::new(network.programs().path("tui-member"))
        .env("INKAN_TEST_KDF", "weak")
        .arg("--profile")
        .arg(network.member_profile("mina"));
    let mut screen = Screen::start(command, 80, 24)?;
    screen.wait("Password A")?;
    screen.type_text(secrets::A)?;
    screen.keys("<enter>")?;
    screen.wait("Your application")?;
    screen.keys("r")?;
    screen.wait("Which house is it?")?;
    screen.keys("a")?;
    screen.wait("Your particulars")?;
    screen.wait("Name")?;
    let email = member_address("mina");
    for field in [
        "Mina Moss",
        "もす みな",
        "House 7, Moss Lane, Tokyo 154-0001",
        "1971-09-23",
        &email,
        "+81 3 5550 1234",
    ] {
        screen.type_text(field)?;
        screen.keys("<tab>")?;
    }
    screen.keys("<enter>")?;
    screen.wait("Review the application")?;
    screen.wait("House 7")?;
    screen.type_text(secrets::B)?;
    screen.keys("<enter>")?;
    screen.wait("waits since")?;
    let look = ["application", &application, "--reveal", "--reason", "the house that was asked for"];
    let looked = network.center(&look)?.done()?;
    ensure!(looked.to_string().contains("House 7"), "the desk sees another address: {looked}");
    network.center(&["admit", &application])?.done()?;
    let admitted = network.admission_mail(&email)?;
    screen.keys("r")?;
    screen.wait_until("the admission", |shown| shown.contains("admitted") || shown.contains("on its way"))?;
    screen.keys("q")?;
    ensure!(screen.ended()? == 0, "the screens did not end in order");
    network.register(&admitted, |arguments| network.member("mina", arguments))?;
    let members = network.center(&["members"])?.done()?;
    ensure!(list(&members, "/members")?.len() == 1, "{members}");
    Ok(())
}
