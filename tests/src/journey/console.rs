//! The center's console on another terminal.

use color_eyre::eyre::{Result, ensure};

use super::{Journey, on_screen, overview};
use crate::{network::secrets, screen::Screen};

/// Item 9: every screen of the console through `tui-center attach`, at two sizes.
pub(super) fn screens(journey: &mut Journey<'_>) {
    journey.step("an operator attaches to the running center and looks at everything", |network| {
        let mut screen = on_screen(
            network,
            "tui-center",
            &network.center_profile(),
            &["--as", "ada", "attach"],
            (120, 40),
        )?;
        screen.wait("ada")?;
        screen.type_text(secrets::OPERATOR)?;
        screen.keys("<enter>")?;
        let shown = screen.wait("books balance")?;
        ensure!(shown.contains("balanced") && !shown.contains("NOT balanced"), "{shown}");
        let seen = walk(&screen)?;
        screen.resize(80, 24)?;
        screen.keys("1")?;
        screen.wait("books balance")?;
        screen.keys("q")?;
        let code = screen.ended()?;
        ensure!(code == 0, "attach ended with {code}");
        overview(network)?;
        Ok(seen)
    });
}

/// Goes through the registers, searches one and opens an entry.
fn walk(screen: &Screen) -> Result<String> {
    for (key, title, holds) in [
        ("2", "Members", "hanako"),
        ("3", "Stores", "Sakura Press"),
        ("4", "Keys", "signature"),
        ("5", "Transactions", "payment"),
        ("6", "Bank desk", "twice"),
        ("7", "Errors", "Errors"),
        ("8", "Report", "payment"),
    ] {
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
    Ok("overview balanced; members, stores, keys, transactions, bank desk, errors and report shown".into())
}
