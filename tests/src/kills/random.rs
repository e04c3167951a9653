//! All programs die at moments drawn from a seed, while everybody buys.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Context as _, Result, ensure};

use super::{SHOP, World};

/// Purchases of one member, more than can be made meanwhile.
const PURCHASES: usize = 5_000;
/// How long one kill may take, with all that comes before and after it.
const PER_KILL: Duration = Duration::from_secs(20);

impl World {
    /// Kills programs so many times: by turns the center, the store's server, and whatever purchase is under way. The
    /// seed decides the moments.
    ///
    /// # Errors
    /// When one of them does not come back.
    pub fn random_kills(&mut self, kills: u32, seed: u64) -> Result<()> {
        let purchases: Vec<Vec<Command>> = self
            .members
            .iter()
            .map(|member| (0..PURCHASES).map(|_| self.purchase(member)).collect())
            .collect();
        let buyers = Buyers::default();
        let mut draw = Draw(seed);
        thread::scope(|scope| {
            for purchases in purchases {
                let draw = Draw(draw.next());
                scope.spawn(|| buyers.buy(purchases, draw));
            }
            let killed = self.kill_in_turns(kills, &mut draw, &buyers);
            buyers.over.store(true, Ordering::Relaxed);
            killed
        })?;
        ensure!(buyers.bought.load(Ordering::Relaxed) > 0, "nothing was bought at all");
        Ok(())
    }

    fn kill_in_turns(&mut self, kills: u32, draw: &mut Draw, buyers: &Buyers) -> Result<()> {
        let (since, catalogue) = (Instant::now(), self.catalogue.clone());
        let mut own = 0;
        while own + buyers.killed.load(Ordering::Relaxed) < kills {
            ensure!(since.elapsed() < PER_KILL * kills, "too slow: {own} kills, {buyers:?}");
            thread::sleep(Duration::from_millis(100 + draw.next() % 700));
            if own % 2 == 0 {
                self.network.kill_center()?;
                self.network.start_center().wrap_err("the center comes back")?;
            } else {
                self.network.kill_store(SHOP)?;
                self.network.serve_store(SHOP, &catalogue).wrap_err("the store comes back")?;
            }
            own += 1;
        }
        Ok(())
    }
}

/// Those who buy while everything dies around them.
#[derive(Debug, Default)]
struct Buyers {
    over: AtomicBool,
    bought: AtomicU32,
    killed: AtomicU32,
}

impl Buyers {
    fn buy(&self, purchases: Vec<Command>, mut draw: Draw) {
        for (round, mut purchase) in purchases.into_iter().enumerate() {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            purchase.stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = purchase.spawn().expect("the member's program starts");
            // Every third purchase dies at a moment of its own, anywhere from its first instruction to after its end.
            if round % 3 == 2 {
                thread::sleep(Duration::from_millis(draw.next() % 600));
                if child.try_wait().expect("its state").is_none() {
                    self.killed.fetch_add(1, Ordering::Relaxed);
                }
                let _ = child.kill();
            }
            if child.wait().expect("its end").success() {
                self.bought.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Numbers from a seed: SplitMix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
