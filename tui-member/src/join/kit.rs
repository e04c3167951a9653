//! The admission kit: terms, vault policy, and the programs that the center offers.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use wire::{
    admission::{Build, Kit},
    id::Digest,
    terminal::Line,
};

use super::line_to_center;
use crate::{
    act::Failure,
    center::{Patience, Session, failure},
    keep::Keep,
    record::Record,
    view::{Download, FetchedBuild},
};

/// The program that this is, as kits name it.
const PROGRAM: &str = "tui-member";

/// Fetches the newest kit over a line and keeps it; an older one than is kept is not believed.
///
/// # Errors
/// In words.
pub(super) async fn fetch(keep: &Keep, line: &Line, patience: Patience) -> Result<Kit, Failure> {
    let number = keep.with(|kept| kept.book.custody.kit.as_ref().map_or(0, |kit| kit.number)).await;
    let kit = match line.kit(number, patience.answer).await {
        Ok(kit) => kit,
        Err(error) => {
            if error.is_alarm() {
                let words = format!("the center's admission kit is not believed: {error}");
                keep.with(move |kept| kept.alarm(&words, Vec::new())).await?;
            }
            return Err(failure(&error));
        }
    };
    let newest = kit.clone();
    keep.with(move |kept| {
        if kept.book.custody.kit.as_deref() != Some(&newest) {
            kept.vault.keep_policy(newest.vault)?;
            kept.append(Record::Kit(Box::new(newest)))?;
        }
        Ok::<_, Failure>(())
    })
    .await?;
    Ok(kit)
}

/// Fetches the newest kit over a line of its own, which needs no account.
///
/// # Errors
/// In words.
pub(crate) async fn fetch_kit(keep: &Keep, patience: Patience) -> Result<Kit, Failure> {
    let line = line_to_center(keep, patience).await?;
    fetch(keep, &line, patience).await
}

/// Fetches the kit over a session where the center has said that there is a newer one than is kept.
///
/// # Errors
/// In words.
pub(crate) async fn fetch_newer_kit(
    keep: &Keep,
    session: &Session,
    patience: Patience,
) -> Result<(), Failure> {
    let newer = keep.with(|kept| {
        let custody = &kept.book.custody;
        let there = custody.chain.as_ref().map_or(0, |chain| chain.kit);
        there > custody.kit.as_ref().map_or(0, |kit| kit.number)
    });
    if newer.await {
        fetch(keep, &session.line, patience).await?;
    }
    Ok(())
}

/// The build of this program for this machine that is newer than the one that runs.
pub(crate) fn newer_build(kit: &Kit) -> Option<&Build> {
    let here = |build: &&Build| build.program.as_str() == PROGRAM && build.platform.as_str() == platform();
    let newest = kit.builds.iter().filter(here).max_by_key(|build| version(&build.version))?;
    (version(&newest.version) > version(env!("CARGO_PKG_VERSION"))).then_some(newest)
}

/// Downloads the newer build into `folder`, going on where an earlier download stopped, and checks its digest. It is
/// never run.
///
/// # Errors
/// In words; what has come so far is kept, unless it is not what the kit names.
pub(crate) async fn download(
    keep: &Keep,
    folder: PathBuf,
    patience: Patience,
) -> Result<FetchedBuild, Failure> {
    let line = line_to_center(keep, patience).await?;
    let kit = fetch(keep, &line, patience).await?;
    let build = newer_build(&kit).ok_or_else(|| {
        Failure::not_found(format!("the center offers no newer {PROGRAM} for {}", platform()))
    })?;
    // The name is made of our own words and of a version that holds nothing but letters, digits, dots and dashes.
    let plain: String =
        build.version.chars().filter(|c| c.is_ascii_alphanumeric() || ".-+".contains(*c)).collect();
    let name = format!("{PROGRAM}-{}", plain.trim_start_matches('.'));
    let fetched = pieces(keep, &line, build, &folder, &name, patience).await;
    keep.set_download(None);
    fetched
}

async fn pieces(
    keep: &Keep,
    line: &Line,
    build: &Build,
    folder: &Path,
    name: &str,
    patience: Patience,
) -> Result<FetchedBuild, Failure> {
    let (part, whole) = (folder.join(format!("{name}.part")), folder.join(name));
    let failed = |error: io::Error| Failure::machine(format!("writing {} failed: {error}", part.display()));
    tui_kit::profile::private_dir(folder).map_err(Failure::machine)?;
    let reading = part.clone();
    let (mut hasher, mut done) = tokio::task::spawn_blocking(move || kept_so_far(&reading))
        .await
        .map_err(Failure::machine)?
        .map_err(failed)?;
    let mut file =
        tokio::fs::OpenOptions::new().append(true).create(true).open(&part).await.map_err(failed)?;
    while done < build.length {
        keep.set_download(Some(Download { name: name.to_owned(), done, total: build.length }));
        let bytes = line.build(build.digest, done, patience.answer).await.map_err(|error| failure(&error))?;
        if bytes.is_empty() {
            break;
        }
        hasher.update(&bytes);
        done += bytes.len() as u64;
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.sync_all().await.map_err(failed)?;
    drop(file);
    if done != build.length || Digest(hasher.finalize().into()) != build.digest {
        fs::remove_file(&part).map_err(failed)?;
        return Err(Failure::contradiction(
            "the program that came is not the one that the admission kit names; nothing of it is kept",
        ));
    }
    fs::rename(&part, &whole).map_err(failed)?;
    Ok(FetchedBuild { version: build.version.clone(), file: whole, digest: build.digest })
}

/// What an earlier download left: its bytes hashed, and how many they are.
fn kept_so_far(part: &Path) -> io::Result<(Sha256, u64)> {
    let mut hasher = Sha256::new();
    let mut file = match fs::File::open(part) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((hasher, 0)),
        Err(error) => return Err(error),
    };
    let mut buffer = vec![0; 64 << 10];
    let mut length = 0;
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok((hasher, length)),
            count => {
                hasher.update(&buffer[..count]);
                length += count as u64;
            }
        }
    }
}

/// The platform of this build, as a target triple.
fn platform() -> String {
    let arch = std::env::consts::ARCH;
    match (std::env::consts::OS, cfg!(target_env = "musl")) {
        ("linux", true) => format!("{arch}-unknown-linux-musl"),
        ("linux", false) => format!("{arch}-unknown-linux-gnu"),
        ("macos", _) => format!("{arch}-apple-darwin"),
        (os, _) => format!("{arch}-unknown-{os}"),
    }
}

/// A version as semver.org orders it, as far as releases go: a pre-release is lower than its release.
fn version(text: &str) -> (u64, u64, u64, bool) {
    let (core, pre) = match text.split_once('-') {
        Some((core, _)) => (core, true),
        None => (text.split('+').next().unwrap_or(text), false),
    };
    let mut parts = core.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next(), !pre)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let ascending = ["0.1.0", "0.2.0-rc.1", "0.2.0", "0.10.0+build", "1.0", "2.0.1"];
        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert!(platform().starts_with(std::env::consts::ARCH));
    }
}
