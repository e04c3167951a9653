//! The folder where the bank's files arrive.
//!
//! A file is taken only when it is complete: it bears a final name (no leading dot, no `.part`, `.tmp` or `.filepart`
//! at its end) and neither size nor time of change differ between two looks. One that does not parse although it has
//! been still for [`STILL`] is bad and moved to `inbox/bad` with a line in the error log; what was read is
//! entered first and then moved to `inbox/done`. A crash in between enters nothing twice: the books know the notice.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::notice::{self, FILE_MAX, Notice};

/// A file that does not parse is judged bad when it has not changed for so long.
pub(super) const STILL: Duration = Duration::from_secs(3);
/// How many files are taken at one look.
const AT_ONCE: usize = 1_000;

/// The inbox, and what was seen in it at the last look.
pub(super) struct Inbox {
    folder: PathBuf,
    seen: HashMap<PathBuf, (u64, SystemTime)>,
}

/// A file that is complete.
#[derive(Debug)]
pub(super) struct Arrived {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its name, made unlike those of files that were taken before.
    pub(super) name: String,
    /// What it tells, or what is wrong with it.
    pub(super) content: Result<(Notice, Vec<u8>), String>,
}

impl Inbox {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        for folder in [folder.to_owned(), folder.join("done"), folder.join("bad")] {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { folder: folder.to_owned(), seen: HashMap::new() })
    }

    /// Looks into the folder and gives the files that are complete, oldest name first. `account` is the center's own.
    pub(super) fn look(&mut self, account: &str) -> io::Result<Vec<Arrived>> {
        let mut now = HashMap::new();
        let mut ready = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(data) = entry.metadata() else { continue };
            if !data.is_file() || !is_final(&name) {
                continue;
            }
            let changed = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let stamp = (data.len(), changed);
            if self.seen.get(&path) == Some(&stamp) {
                ready.push((path.clone(), name, changed, data.len()));
            }
            now.insert(path, stamp);
        }
        self.seen = now;
        ready.sort();
        let mut arrived = Vec::new();
        for (path, name, changed, size) in ready.into_iter().take(AT_ONCE) {
            let content = if size > FILE_MAX {
                Err(format!("it is {size} bytes long; at most {FILE_MAX} are read"))
            } else {
                read(&path, account)
            };
            let still = changed.elapsed().unwrap_or(STILL) >= STILL;
            if content.is_ok() || still {
                arrived.push(Arrived { name: self.unlike(&name), path, content });
            }
        }
        Ok(arrived)
    }

    /// Moves a file out of the way: to `done`, or to `bad`.
    pub(super) fn put_away(&mut self, arrived: &Arrived, good: bool) -> io::Result<PathBuf> {
        let target = self.folder.join(if good { "done" } else { "bad" });
        let mut path = target.join(&arrived.name);
        let mut more = 2;
        while path.exists() {
            path = target.join(numbered(&arrived.name, more));
            more += 1;
        }
        fs::rename(&arrived.path, &path)?;
        fs::File::open(&target)?.sync_all()?;
        self.seen.remove(&arrived.path);
        Ok(path)
    }

    /// The name under which a file's notices are told. The same file told again after it was put away is another
    /// notice, so that an operator sees that it came twice.
    fn unlike(&self, name: &str) -> String {
        let done = self.folder.join("done");
        let mut unlike = name.to_owned();
        let mut more = 2;
        while done.join(&unlike).exists() {
            unlike = numbered(name, more);
            more += 1;
        }
        unlike
    }
}

fn read(path: &Path, account: &str) -> Result<(Notice, Vec<u8>), String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let notice = notice::read(text.trim_start_matches('\u{feff}'), account)?;
    Ok((notice, bytes))
}

fn is_final(name: &str) -> bool {
    let lower = name.to_lowercase();
    !name.starts_with('.')
        && ![".part", ".tmp", ".filepart", ".crdownload"].iter().any(|end| lower.ends_with(end))
}

/// `a.xml` as `a~2.xml`.
fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}~{number}.{extension}"),
        None => format!("{name}~{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "0005/101/1234567";

    fn pain002() -> String {
        "<Document><CstmrPmtStsRpt><GrpHdr><MsgId>S</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId>\
         <GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
            .into()
    }

    #[test]
    fn only_complete_files_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let mut inbox = Inbox::open(dir.path()).unwrap();
        let path = dir.path().join("a.xml");
        let whole = pain002();
        fs::write(&path, &whole[..40]).unwrap();
        fs::write(dir.path().join("b.xml.part"), &whole).unwrap();
        fs::write(dir.path().join(".hidden.xml"), &whole).unwrap();
        assert!(inbox.look(ACCOUNT).unwrap().is_empty(), "seen for the first time");
        assert!(inbox.look(ACCOUNT).unwrap().is_empty(), "half a file, but it may still grow");
        fs::write(&path, &whole).unwrap();
        assert!(inbox.look(ACCOUNT).unwrap().is_empty(), "it has just changed");
        let arrived = inbox.look(ACCOUNT).unwrap();
        assert_eq!(arrived.len(), 1);
        assert!(arrived[0].content.is_ok());
        let put = inbox.put_away(&arrived[0], true).unwrap();
        assert_eq!(put, dir.path().join("done/a.xml"));
        assert!(inbox.look(ACCOUNT).unwrap().is_empty());
    }

    #[test]
    fn a_bad_file_is_judged_when_it_is_still_and_a_second_telling_has_another_name() {
        let dir = tempfile::tempdir().unwrap();
        let mut inbox = Inbox::open(dir.path()).unwrap();
        let path = dir.path().join("a.xml");
        fs::write(&path, "<Document><this is not xml").unwrap();
        let old = SystemTime::now() - STILL * 2;
        fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        inbox.look(ACCOUNT).unwrap();
        let arrived = inbox.look(ACCOUNT).unwrap();
        assert!(arrived[0].content.as_ref().unwrap_err().contains("XML"));
        assert_eq!(inbox.put_away(&arrived[0], false).unwrap(), dir.path().join("bad/a.xml"));
        for expected in ["a.xml", "a~2.xml", "a~3.xml"] {
            fs::write(&path, pain002()).unwrap();
            inbox.look(ACCOUNT).unwrap();
            let arrived = inbox.look(ACCOUNT).unwrap();
            assert_eq!(arrived[0].name, expected);
            inbox.put_away(&arrived[0], true).unwrap();
        }
    }
}
