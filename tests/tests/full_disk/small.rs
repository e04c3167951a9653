//! A small disk, and the namespace in which it is mounted.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use color_eyre::eyre::{Result, ensure};

/// Set for the process that runs apart.
const APART: &str = "INKAN_TEST_APART";
/// How much a small disk holds: a first segment is 16 MiB where a center was founded with the usual ones.
const SIZE: &str = "size=12m";

/// Runs a test in a mount namespace of its own. The test's process starts itself there once more.
#[track_caller]
pub(crate) fn apart(name: &str, test: impl FnOnce() -> Result<()>) {
    if env::var_os(APART).is_some() {
        return test().unwrap_or_else(|error| panic!("{error:#}"));
    }
    let mut unshare = Command::new("unshare");
    // Who is not the administrator becomes it in a namespace of users.
    unshare.arg(if rustix::process::geteuid().is_root() { "-m" } else { "-Urm" });
    unshare.arg(env::current_exe().expect("this program")).args(["--exact", name, "--nocapture"]);
    let ended = unshare.env(APART, "1").status().expect("unshare, of util-linux, runs");
    assert!(ended.success(), "the test in a namespace of its own ended with {ended}");
}

/// A small disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Mounts an empty one, which ends with the namespace.
    pub(crate) fn mount(at: &Path) -> Result<Self> {
        fs::create_dir_all(at)?;
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("{SIZE},mode=0700"), "inkan"])
            .arg(at))?;
        Ok(Self(at.to_owned()))
    }

    /// Writes until nothing more fits.
    pub(crate) fn fill(&self) -> Result<()> {
        let mut ballast = OpenOptions::new().create(true).append(true).open(self.ballast())?;
        loop {
            match ballast.write(&[7; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes away what [`Disk::fill`] wrote.
    pub(crate) fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    /// Whether it can only be read from now on; nobody may have a file open for writing.
    pub(crate) fn read_only(&self, only: bool) -> Result<()> {
        let how = if only { "remount,ro" } else { "remount,rw" };
        run(Command::new("mount").args(["-o", how]).arg(&self.0))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
