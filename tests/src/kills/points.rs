//! Each program dies at a named point, where the programs' own code asks `tui_kit::failpoint` whether to.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Context as _, Result, bail, ensure};

use super::{SHOP, World};
use crate::network::member_address;

/// Where a center dies, in a payment's order: desk, journal, checkpoint, segment, snapshot, cabinet, registers, bank, and
/// while it comes back.
pub const CENTER: &[&str] = &[
    "desk.append",
    "journal.write",
    "journal.sync",
    "books.sign",
    "mark.write",
    "desk.publish",
    "desk.answer",
    "desk.answered",
    "segment.fill",
    "segment.sync",
    "segment.name",
    "segment.named",
    "snapshot.begin",
    "snapshot.head",
    "snapshot.name",
    "snapshot.tidy",
    "mailbox.cursor",
    "cabinet.name",
    "cabinet.named",
    "registers.sync",
    "registers.count",
    "bank.keep",
    "bank.kept",
    "bank.name",
    "bank.named",
    "bank.destroy",
    "opening.rewrite",
    "opening.sign",
];

/// Where a center dies with a mail on its way out.
pub const POST: &[&str] = &["post.name", "post.settle", "post.destroy"];

/// Where a member's program dies.
pub const MEMBER: &[&str] = &[
    "outbox.post",
    "outbox.posted",
    "outbox.answered",
    "outbox.closed",
    "goods.fetched",
    "goods.acknowledged",
    "goods.delivered",
];

/// Where a store's program dies: order, notice, delivery, claim.
pub const STORE: &[&str] = &[
    "order.keep",
    "order.kept",
    "mail.keep",
    "mail.acknowledge",
    "mail.acknowledged",
    "delivery.keep",
    "delivery.kept",
    "outbox.post",
    "outbox.posted",
    "outbox.answered",
    "outbox.closed",
];

/// How long a program may take to come to its point.
const PATIENCE: Duration = Duration::from_secs(60);
/// The environment's name for the point.
const VARIABLE: &str = "INKAN_FAILPOINT";

impl World {
    /// The center dies at a point while a member buys, the store claims and the bank pays; back again, nothing is lost.
    ///
    /// # Errors
    /// When it never comes to the point, or something does not hold afterwards.
    pub fn center_dies_at(&mut self, point: &str) -> Result<()> {
        self.dies_at(point, &mut |world| world.trade(&mut |world| world.network.center_is_gone()))
    }

    /// The center dies with a mail on its way out; back again, it goes out under the same name.
    ///
    /// # Errors
    /// As [`World::center_dies_at`].
    pub fn post_dies_at(&mut self, point: &str) -> Result<()> {
        let mut newcomer = String::new();
        self.dies_at(point, &mut |world| {
            world.applied += 1;
            newcomer = format!("newcomer-{}", world.applied);
            // It may die before the applicant has its last answer; the application is entered before its mail.
            let applied = world.network.apply_member(&newcomer);
            let since = Instant::now();
            while !world.network.center_is_gone()? {
                ensure!(since.elapsed() < PATIENCE, "a mail went out past it: {applied:?}");
                thread::sleep(Duration::from_millis(10));
            }
            Ok(None)
        })?;
        self.network.admission_mail(&member_address(&newcomer)).map(drop)
    }

    /// The store's server dies at a point while a member buys and it claims.
    ///
    /// # Errors
    /// As [`World::center_dies_at`].
    pub fn store_dies_at(&mut self, point: &str) -> Result<()> {
        self.network.kill_store(SHOP)?;
        let catalogue = self.catalogue.clone();
        let buying = match self.network.serve_store_with(SHOP, &catalogue, &[(VARIABLE, point)])? {
            true => self.trade(&mut |world| world.network.store_is_gone(SHOP)),
            false => Ok(None),
        };
        let buying = buying.wrap_err_with(|| format!("the store at {point}"))?;
        self.network.serve_store(SHOP, &catalogue)?;
        ended(buying)?;
        self.check().wrap_err_with(|| format!("after the store died at {point}"))
    }

    /// A member's program dies at a point of a purchase.
    ///
    /// # Errors
    /// As [`World::center_dies_at`].
    pub fn member_dies_at(&mut self, point: &str) -> Result<()> {
        let mut purchase = self.purchase(&self.members[0]);
        let status = quiet(purchase.env(VARIABLE, point)).status()?;
        ensure!(status.signal() == Some(9), "the member's program came past {point}: {status}");
        self.check().wrap_err_with(|| format!("after the member's program died at {point}"))
    }

    /// Starts the center so that it dies at a point, lets `act` go on until it has, and starts it as usual.
    fn dies_at(
        &mut self,
        point: &str,
        act: &mut dyn FnMut(&mut Self) -> Result<Option<Child>>,
    ) -> Result<()> {
        self.network.kill_center()?;
        let buying = match self.network.start_center_with(&[(VARIABLE, point)])? {
            true => act(self).wrap_err_with(|| format!("the center at {point}"))?,
            // The point lay on its way up.
            false => None,
        };
        self.network.start_center()?;
        ended(buying)?;
        self.check().wrap_err_with(|| format!("after the center died at {point}"))
    }

    /// Buys, claims and lets the bank pay, again and again until `gone`; gives the purchase that was under way then.
    fn trade(&mut self, gone: &mut dyn FnMut(&mut Self) -> Result<bool>) -> Result<Option<Child>> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let mut buying = quiet(&mut self.purchase(&self.members[0])).spawn()?;
            while buying.try_wait()?.is_none() {
                if gone(self)? {
                    return Ok(Some(buying));
                }
                thread::sleep(Duration::from_millis(10));
            }
            // Whatever dies meanwhile, the answer is of no account.
            self.network.store(SHOP, &["claim"])?;
            self.network.bank().work(None)?;
            if gone(self)? {
                return Ok(None);
            }
        }
        let last = crate::programs::call(self.purchase(&self.members[0]))?;
        bail!("it was never reached; a purchase ends with {}: {}", last.code, last.body)
    }
}

/// Waits for the end of a purchase in whose midst something died.
fn ended(buying: Option<Child>) -> Result<()> {
    if let Some(mut buying) = buying {
        buying.wait()?;
    }
    Ok(())
}

/// Without its words.
pub(super) fn quiet(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null()).stderr(Stdio::null())
}
