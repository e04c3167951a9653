//! The center's console on other terminals.

use color_eyre::eyre::{Result, ensure};

use super::{Journey, on_screen, overview};
use crate::{
    network::{Network, secrets},
    screen::Screen,
};

/// Every screen of the console through `tui-center attach`, at two sizes.
pub(super) fn screens(journey: &mut Journey<'_>) {
    journey.step("an operator attaches to the running center and looks at everything", |network| {
        let mut screen = sign_in(network, "ada", secrets::OPERATOR)?;
        let shown = screen.text();
        ensure!(shown.contains("balanced") && !shown.contains("NOT balanced"), "{shown}");
        let seen = walk(&screen)?;
        screen.resize(80, 24)?;
        screen.keys("1")?;
        screen.wait("books balance")?;
        leave(&mut screen)?;
        overview(network)?;
        Ok(seen)
    });
}

/// An operator's console, attached to the running center.
pub(super) fn sign_in(network: &Network, name: &str, passphrase: &str) -> Result<Screen> {
    let more = ["--as", name, "attach"];
    let screen = on_screen(network, "tui-center", &network.center_profile(), &more, (120, 40))?;
    screen.wait(name)?;
    screen.type_text(passphrase)?;
    screen.keys("<enter>")?;
    screen.wait("books balance")?;
    Ok(screen)
}

/// Leaves a console, wherever it is; the center goes on.
pub(super) fn leave(screen: &mut Screen) -> Result<()> {
    screen.keys("<c-c>")?;
    let code = screen.ended()?;
    ensure!(code == 0, "attach ended with {code}");
    Ok(())
}

/// Goes through the registers, searches one and opens an entry.
fn walk(screen: &Screen) -> Result<String> {
    let screens = [
        ("2", "Members", "M-000001-3"),
        ("3", "Stores", "Sakura Press"),
        ("4", "Keys", "signature"),
        ("5", "Transactions", "payment"),
        ("6", "Bank desk", "twice"),
        ("7", "Errors", "Errors"),
        ("8", "Report", "payment"),
        ("9", "Applications", "registered"),
        ("0", "Proposals", "Proposals"),
        ("F", "People", "People"),
        ("M", "Post", "mail server"),
        ("D", "Documents", "Documents"),
        ("S", "Staff", "ada"),
        ("K", "Kit", "tui-member"),
        ("H", "Key sheet", "checkpoint"),
    ];
    for (key, title, holds) in screens {
        screen.keys(key)?;
        screen.wait_until(title, |shown| shown.contains(title) && shown.contains(holds))?;
    }
    screen.keys("5/refund<enter>")?;
    screen.wait_until("a filtered register", |shown| shown.contains("refund"))?;
    screen.keys("<enter>")?;
    screen.wait_until("an entry in detail", |shown| shown.contains("Evidence kept"))?;
    // A lone Esc counts as one only when nothing follows it at once.
    screen.keys("<esc>")?;
    screen.wait_until("the register again", |shown| !shown.contains("Evidence kept"))?;
    Ok(format!("overview balanced; {} other screens shown", screens.len()))
}
