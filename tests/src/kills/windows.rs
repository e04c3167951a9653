//! The terminals of all three programs are closed in the middle of an act.

use std::{thread, time::Duration};

use color_eyre::eyre::{Context as _, Result, ensure, eyre};
use pty_process::blocking::Command;

use super::{SHOP, World, points::quiet};
use crate::{network::secrets, screen::Screen};

/// The size of the windows.
const SIZE: (u16, u16) = (100, 32);
/// The center's disk takes this long, so that a payment is on its way when a window closes.
const SLOW: (&str, &str) = ("INKAN_FAILPOINT", "journal.sync~400");
/// When the window closes after the payment was signed, in milliseconds.
const MOMENTS: [u64; 3] = [0, 150, 500];

impl World {
    /// The member's window closes when a payment is signed and on its way.
    ///
    /// # Errors
    /// What does not hold afterwards.
    pub fn member_window_closes(&mut self) -> Result<()> {
        self.network.kill_center()?;
        ensure!(self.network.start_center_with(&[SLOW])?, "the center starts");
        let profile = self.network.member_profile(&self.members[0]);
        for moment in MOMENTS {
            self.store_is_there()?;
            let mut screen = self.window("tui-member", &profile, &[])?;
            screen.wait("C-0")?;
            screen.keys("s")?;
            screen.wait("✓ open")?;
            screen.keys("/The Shop<enter><enter>")?;
            screen.wait("7 JPY")?;
            screen.keys("/A note<enter>a")?;
            screen.wait("in the cart")?;
            screen.keys("4")?;
            screen.wait("the store's offer says what it costs now")?;
            screen.keys("o")?;
            screen.wait("Password B:")?;
            screen.type_text(secrets::B)?;
            screen.keys("<enter>")?;
            thread::sleep(Duration::from_millis(moment));
            screen.hang_up()?;
            screen.ended()?;
            self.check().wrap_err_with(|| format!("the member's window closed {moment} ms after signing"))?;
        }
        self.network.kill_center()?;
        self.network.start_center()
    }

    /// The store's window closes while a member buys there.
    ///
    /// # Errors
    /// What does not hold afterwards.
    pub fn store_window_closes(&mut self) -> Result<()> {
        self.network.kill_store(SHOP)?;
        let (profile, catalogue) = (self.network.store_profile(SHOP), self.catalogue.clone());
        let path = catalogue.to_str().ok_or_else(|| eyre!("a path that is no text"))?;
        let serve = ["serve", "--listen", "127.0.0.1:0", "--catalogue", path];
        let mut screen = self.window("tui-store", &profile, &serve)?;
        screen.wait("open at")?;
        self.store_is_there()?;
        let mut buying = quiet(&mut self.purchase(&self.members[0])).spawn()?;
        thread::sleep(Duration::from_millis(200));
        screen.hang_up()?;
        ensure!(screen.ended()? == 0, "the store does not end in order");
        self.network.serve_store(SHOP, &catalogue)?;
        buying.wait()?;
        self.check().wrap_err("after the store's window closed")
    }

    /// The window of the center's console closes while a member buys: the server stays.
    ///
    /// # Errors
    /// What does not hold afterwards.
    pub fn center_window_closes(&mut self) -> Result<()> {
        self.network.kill_center()?;
        let service = self.network.secret("service");
        let service = service.to_str().ok_or_else(|| eyre!("a path that is no text"))?.to_owned();
        let profile = self.network.center_profile();
        let command =
            self.command("tui-center", &profile).args(["--service-passphrase-file", &service, "serve"]);
        let mut screen = Screen::start(command, SIZE.0, SIZE.1)?;
        self.network.wait_for("the center", |network| Ok(network.center(&["status"])?.code == 0))?;
        self.store_is_there()?;
        let mut buying = quiet(&mut self.purchase(&self.members[0])).spawn()?;
        thread::sleep(Duration::from_millis(200));
        screen.hang_up()?;
        ensure!(buying.wait()?.success(), "the purchase ended with the console's window");
        ensure!(!screen.has_ended()?, "the server ended with its window");
        self.check().wrap_err("after the console's window closed")?;
        screen.signal(rustix::process::Signal::TERM)?;
        ensure!(screen.ended()? == 0, "the center does not end in order");
        self.network.start_center()?;
        self.check()
    }

    /// A terminal's program in a window, with password A at hand.
    fn window(&self, program: &str, profile: &std::path::Path, arguments: &[&str]) -> Result<Screen> {
        let secret = self.network.secret("a");
        let command = self.command(program, profile).arg("--password-a-file").arg(secret).args(arguments);
        Screen::start(command, SIZE.0, SIZE.1)
    }

    fn command(&self, program: &str, profile: &std::path::Path) -> Command {
        let path = self.network.programs().path(program);
        // Weak passwords are honoured by builds with debug assertions only.
        Command::new(path)
            .env("INKAN_TEST_KDF", "weak")
            .env("LC_ALL", "C.UTF-8")
            .arg("--profile")
            .arg(profile)
    }

    /// Waits until the center's directory shows the store as open.
    fn store_is_there(&self) -> Result<()> {
        self.network.wait_for("the store's line", |network| {
            let stores = network.center(&["stores"])?.done()?;
            Ok(stores["stores"].as_array().is_some_and(|stores| stores.iter().all(|it| it["here"] == true)))
        })
    }
}
