//! The programs that an admission kit offers: what is newer, and the download of one, resumable and checked.

use std::{
    env::consts,
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use wire::{admission::Build, terminal::Line};

use crate::{act::Failure, center::ANSWER_LIMIT, cmd::PROGRAM};

/// How many pieces may follow without a byte of progress on the disk being synced.
const SYNC_EVERY: u64 = 8 << 20;

/// The platform that this program was built for, as a target triple.
pub(crate) fn platform() -> String {
    let ends = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    format!("{}-unknown-{}-{ends}", consts::ARCH, consts::OS)
}

/// Whether a build is this program, for this platform, in a newer version.
pub(crate) fn is_newer(build: &Build) -> bool {
    build.program.as_str() == PROGRAM
        && build.platform.as_str() == platform()
        && is_later(&build.version, env!("CARGO_PKG_VERSION"))
}

/// Downloads a build into a folder and returns the file. What came before an interruption is taken up again. The file is
/// named by what the kit says, cleaned; it is nothing that runs by itself. `told` hears how many bytes are there.
///
/// # Errors
/// In words: the line, the disk, or that other bytes came than the kit names; nothing of those is kept.
pub(crate) async fn download(
    line: &Line,
    build: &Build,
    folder: &Path,
    told: impl Fn(u64),
) -> Result<PathBuf, Failure> {
    let name = format!("{}-{}-{}", plain(&build.program), plain(&build.version), plain(&build.platform));
    let (path, part) = (folder.join(&name), folder.join(format!("{name}.part")));
    tui_kit::profile::private_dir(folder).map_err(Failure::machine)?;
    if let Ok(content) = fs::read(&path)
        && Sha256::digest(&content)[..] == build.digest.0
    {
        return Ok(path);
    }
    let mut have = fs::metadata(&part).map_or(0, |meta| meta.len());
    if have > build.length {
        fs::remove_file(&part).map_err(Failure::machine)?;
        have = 0;
    }
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&part)
        .map_err(|error| failed(&part, &error))?;
    let mut unsynced = 0;
    told(have);
    while have < build.length {
        let piece = line.build(build.digest, have, ANSWER_LIMIT).await?;
        if piece.is_empty() || have + piece.len() as u64 > build.length {
            return Err(not_the_one(&part));
        }
        io::Write::write_all(&mut file, &piece).map_err(|error| failed(&part, &error))?;
        have += piece.len() as u64;
        told(have);
        unsynced += piece.len() as u64;
        if unsynced >= SYNC_EVERY {
            file.sync_data().map_err(|error| failed(&part, &error))?;
            unsynced = 0;
        }
    }
    file.sync_all().map_err(|error| failed(&part, &error))?;
    let checked = part.clone();
    let digest = tokio::task::spawn_blocking(move || digest_of(&checked));
    let digest = digest.await.map_err(Failure::machine)?.map_err(|error| failed(&part, &error))?;
    if digest != build.digest.0 {
        return Err(not_the_one(&part));
    }
    fs::rename(&part, &path).map_err(|error| failed(&path, &error))?;
    Ok(path)
}

fn digest_of(path: &Path) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut HashWriter(&mut hash))?;
    Ok(hash.finalize().into())
}

/// Feeds what is written into a hash.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn not_the_one(part: &Path) -> Failure {
    // What can't be removed is found to be another one again.
    let _ = fs::remove_file(part);
    Failure::contradiction(
        "the program that came is not the one that the admission kit names; nothing of it is kept",
    )
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::machine(format!("writing {} failed: {error}", path.display()))
}

/// Letters, digits, dots and hyphens: what may stand in a file's name.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c));
    let plain: String = kept.take(60).collect();
    plain.trim_start_matches('.').to_owned()
}

/// Whether a version is later than another: numbers compared part by part, a pre-release before its release
/// (semver.org, without the order among pre-releases).
fn is_later(version: &str, than: &str) -> bool {
    let read = |text: &str| {
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre) = text.split_once('-').map_or((text, false), |(numbers, _)| (numbers, true));
        let numbers: Option<Vec<u64>> = numbers.split('.').map(|part| part.parse().ok()).collect();
        numbers.map(|numbers| (numbers, !pre))
    };
    match (read(version), read(than)) {
        (Some(version), Some(than)) => version > than,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_version_of_this_program_for_this_machine_is_newer() {
        for (version, than, later) in [
            ("0.2.0", "0.1.9", true),
            ("0.10.0", "0.9.0", true),
            ("1.0.0", "1.0.0", false),
            ("1.0.0", "1.0.0-rc.1", true),
            ("1.0.0-rc.1", "1.0.0", false),
            ("nonsense", "0.1.0", false),
        ] {
            assert_eq!(is_later(version, than), later, "{version} {than}");
        }
    }

    #[test]
    fn a_peer_s_name_is_no_path() {
        assert_eq!(plain("../../.ssh/keys"), "sshkeys");
        assert_eq!(plain("tui-store"), "tui-store");
    }
}
