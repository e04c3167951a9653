//! The program's log: a file per day in the state directory, never the screen.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

/// Days that are kept.
const FILES_MAX: usize = 7;

/// Bytes of the newest file that [`tail`] looks at.
const TAIL_BYTES_MAX: u64 = 64 * 1024;

/// Writes what is still queued when it is dropped; `main` holds it to its end.
#[derive(Debug)]
#[must_use = "the log ends when this is dropped"]
pub struct LogGuard {
    _worker: WorkerGuard,
}

/// Starts logging into `folder/PROGRAM.YYYY-MM-DD.log`, keeping seven days. `INKAN_LOG` chooses what is logged, in the
/// form of `tracing`'s filters (`info` without it). Slow disks don't hold the program up: lines that find no place in
/// the queue are dropped.
///
/// # Errors
/// When the folder or the file can't be made, or logging was started before.
pub fn start(folder: &Path, program: &str) -> io::Result<LogGuard> {
    fs::create_dir_all(folder)?;
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(program)
        .filename_suffix("log")
        .max_log_files(FILES_MAX)
        .build(folder)
        .map_err(io::Error::other)?;
    let (writer, worker) = tracing_appender::non_blocking(appender);
    let filter = EnvFilter::try_from_env("INKAN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_target(true)
        .with_writer(writer)
        .try_init()
        .map_err(io::Error::other)?;
    Ok(LogGuard { _worker: worker })
}

/// The last lines of the newest log in a folder, oldest first, cleaned; empty when there is none.
///
/// # Errors
/// When the folder or the file can't be read.
pub fn tail(folder: &Path, lines_max: usize) -> io::Result<Vec<String>> {
    let Some(newest) = newest(folder)? else { return Ok(Vec::new()) };
    let mut file = File::open(newest)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL_BYTES_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
    let words = String::from_utf8_lossy(&bytes);
    // A start in the middle of the file is most likely the middle of a line.
    let lines: Vec<&str> = words.lines().skip(usize::from(start > 0)).collect();
    let first = lines.len().saturating_sub(lines_max);
    Ok(lines[first..].iter().map(|line| crate::text::clean(line).into_owned()).collect())
}

fn newest(folder: &Path) -> io::Result<Option<PathBuf>> {
    let mut names: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    names.retain(|name| name.extension().is_some_and(|extension| extension == "log"));
    // The date in the name sorts as text.
    names.sort();
    Ok(names.pop())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_of_the_newest_day_and_clean() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(
            tail(&folder.path().join("absent"), 3).expect("no folder is no log"),
            Vec::<String>::new()
        );
        fs::write(folder.path().join("p.2026-11-21.log"), "old\n").expect("written");
        fs::write(folder.path().join("p.2026-11-22.log"), "a\nb\n\x1b[31mc\n").expect("written");
        assert_eq!(tail(folder.path(), 2).expect("readable"), ["b", "c"]);
        let long = format!("{}\nlast\n", "x".repeat(100_000));
        fs::write(folder.path().join("p.2026-11-23.log"), long).expect("written");
        assert_eq!(tail(folder.path(), 5).expect("readable"), ["last"]);
    }
}
