//! Making backups: beside payments, little by little, killed in the middle, on places that can't be written.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use color_eyre::eyre::{Result, ensure, eyre};

use crate::{World, number};

#[test]
fn backups_are_proved_beside_payments_and_the_second_copies_little() -> Result<()> {
    let root = tempfile::tempdir()?;
    let world = World::found(root.path())?;
    let never = world.network.center(&["status"])?.done()?;
    ensure!(never["backup"]["words"] == "never", "{}", never["backup"]);
    let over = AtomicBool::new(false);
    let (first, bought) = thread::scope(|scope| {
        let buying = scope.spawn(|| {
            let mut bought = 0;
            while !over.load(Ordering::Relaxed) && bought < 40 {
                world.buy()?;
                bought += 1;
            }
            Ok::<u64, color_eyre::Report>(bought)
        });
        let made = world.network.center(&["backup", &world.folder()]).and_then(|made| made.done());
        over.store(true, Ordering::Relaxed);
        let bought = buying.join().map_err(|_| eyre!("buying panicked"))?;
        Ok::<_, color_eyre::Report>((made?, bought?))
    })?;
    ensure!(bought > 0 && first["root_key_file"] == true, "{first}");
    let again = world.network.center(&["backup", &world.folder()])?.done()?;
    let (copied, whole) = (number(&again["copied_files"])?, number(&again["files"])?);
    ensure!(copied <= 20 && copied < whole / 2, "{copied} of {whole} files were copied again: {again}");
    let status = world.network.center(&["status"])?.done()?;
    ensure!(status["backup"]["words"] == "just now", "{}", status["backup"]);
    ensure!(number(&status["backup"]["entries"])? == number(&again["entries"])?, "{status}");
    Ok(())
}

#[test]
fn a_backup_that_is_killed_or_cannot_be_written_leaves_the_one_before() -> Result<()> {
    let root = tempfile::tempdir()?;
    let mut world = World::found(root.path())?;
    let folder = world.folder();
    world.network.center(&["backup", &folder])?.done()?;
    let manifest = root.path().join("backup/manifest");
    for point in ["backup.object", "backup.name", "backup.named"] {
        world.buy()?;
        world.network.stop_center()?;
        let before = fs::read(&manifest)?;
        let mut command = world.network.programs().command("tui-center");
        command.arg("--profile").arg(world.network.center_profile()).args(["backup", &folder]);
        command.arg("--service-passphrase-file").arg(world.network.secret("service"));
        let died =
            command.env("INKAN_FAILPOINT", point).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(died.code().is_none(), "it did not die at {point}: {died}");
        let kept = fs::read(&manifest)? == before;
        ensure!(kept == (point != "backup.named"), "the manifest after dying at {point}");
        world.network.start_center()?;
        world.network.center(&["backup", &folder])?.done()?;
    }
    // A file that rots in the backup is copied anew.
    let objects: Vec<_> = fs::read_dir(root.path().join("backup/objects"))?.collect::<Result<_, _>>()?;
    let rotten = objects.iter().find_map(|dir| fs::read_dir(dir.path()).ok()?.next()?.ok());
    let rotten = rotten.ok_or_else(|| eyre!("the backup has no objects"))?.path();
    let length = fs::metadata(&rotten)?.len();
    fs::write(&rotten, vec![7; usize::try_from(length)?])?;
    world.network.center(&["backup", &folder])?.done()?;

    let words =
        world.network.center(&["backup", &world.network.center_profile().join("in").display().to_string()]);
    let words = words?.refused()?;
    ensure!(words.contains("inside the center's own folder"), "{words}");
    let file = root.path().join("a-file");
    fs::write(&file, "in the way")?;
    let words = world.network.center(&["backup", &file.display().to_string()])?.refused()?;
    ensure!(words.contains("cannot be used"), "{words}");
    ensure!(fs::metadata(&manifest)?.permissions().mode() & 0o77 == 0, "others may read the backup");
    let status = world.network.center(&["status"])?.done()?;
    ensure!(status["backup"]["alarm"] == true, "{}", status["backup"]);
    Ok(())
}
