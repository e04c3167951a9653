//! Kills real programs at random while money moves, and holds everyone's books against each other afterwards.

use clap::Parser;
use color_eyre::eyre::{Result, WrapErr as _, ensure, eyre};
use inkan_tests::kills::{CENTER, MEMBER, POST, STORE, World};

/// Real programs die and come back; nothing may be lost or doubled.
#[derive(Parser)]
#[command(name = "kills")]
struct Cli {
    /// How many programs die at moments drawn from the seed
    #[arg(long, default_value_t = 30)]
    kill: u32,
    /// The seed; without it, one of the operating system's randomness
    #[arg(long)]
    seed: Option<u64>,
    /// Die once at each named point first
    #[arg(long)]
    points: bool,
    /// Die at this point of one program only, such as center:desk.answer or member:outbox.posted:2
    #[arg(long, value_name = "PROGRAM:POINT[:COUNT]", conflicts_with = "points")]
    point: Option<String>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let root = tempfile::tempdir()?;
    let mut world = World::found(root.path(), 2)?;
    if let Some(point) = &cli.point {
        let (program, point) = point.split_once(':').ok_or_else(|| eyre!("write PROGRAM:POINT"))?;
        match program {
            "center" => world.center_dies_at(point)?,
            "post" => world.post_dies_at(point)?,
            "member" => world.member_dies_at(point)?,
            "store" => world.store_dies_at(point)?,
            other => color_eyre::eyre::bail!("{other} is none of center, post, member and store"),
        }
        println!("{point}: nothing lost, nothing doubled");
    }
    if cli.points {
        CENTER.iter().try_for_each(|point| world.center_dies_at(point))?;
        POST.iter().try_for_each(|point| world.post_dies_at(point))?;
        MEMBER.iter().try_for_each(|point| world.member_dies_at(point))?;
        STORE.iter().try_for_each(|point| world.store_dies_at(point))?;
        let points = CENTER.len() + POST.len() + MEMBER.len() + STORE.len();
        println!("{points} named points: nothing lost, nothing doubled");
    }
    if cli.kill > 0 {
        let seed = match cli.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(|error| eyre!("no randomness: {error}"))?,
        };
        println!("{} kills; the moments are drawn from --seed {seed}", cli.kill);
        world.random_kills(cli.kill, seed).wrap_err_with(|| format!("with --seed {seed}"))?;
    }
    let payments = world.reconcile()?;
    ensure!(payments > 0 || cli.point.is_some(), "nothing was paid at all");
    println!(
        "{payments} payments stand once at the center, the members, the store and the bank; the books verify"
    );
    Ok(())
}
