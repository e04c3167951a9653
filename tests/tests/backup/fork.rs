//! Books that were cut behind their center's back.

use std::{fs, path::Path};

use color_eyre::eyre::{Result, ensure};

use crate::{World, text};

#[test]
fn a_fork_that_a_terminal_proves_outlives_restarts_and_ends_with_the_root_key() -> Result<()> {
    let root = tempfile::tempdir()?;
    let mut world = World::found(root.path())?;
    world.buy()?;
    world.network.stop_center()?;
    // A snapshot of the machine: nobody tells the center when it comes back.
    let image = root.path().join("image");
    copy(&world.network.center_profile(), &image)?;
    world.network.start_center()?;
    world.buy()?;
    world.network.member("mina", &["sync"])?.done()?;
    world.network.stop_store("shop")?;
    world.network.stop_center()?;
    fs::remove_dir_all(world.network.center_profile())?;
    copy(&image, &world.network.center_profile())?;
    world.network.start_center()?;
    let refused = world.network.member("mina", &["sync"])?;
    ensure!(refused.code != 0, "a forked center welcomed a terminal that proves it");
    for _ in 0..2 {
        let status = world.network.center(&["status"])?.done()?;
        ensure!(status["open"] == false, "{status}");
        ensure!(text(&status["standing"])?.contains("cut or forked"), "{}", status["standing"]);
        world.network.kill_center()?;
        world.network.start_center()?;
    }
    world.network.stop_center()?;
    world.network.center(&["resume"])?.done()?;
    world.network.start_center()?;
    let catalogue = world.catalogue.clone();
    world.network.serve_store("shop", &catalogue)?;
    world.network.member("mina", &["sync"])?.done()?;
    world.buy()?;
    world.network.stop_center()?;
    world.network.center(&["books", "verify"])?.done()?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let to = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy(&item.path(), &to)?;
        } else if item.file_type()?.is_file() {
            fs::copy(item.path(), to)?;
        }
    }
    Ok(())
}
