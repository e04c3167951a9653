//! Folders that lie between the center and another program, outside the data directory.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Makes a folder that only this user may look into, unless it is there already.
///
/// # Errors
/// In words: when it lies in the data directory, whose files are the center's own and sealed, or can't be made.
pub(in crate::lines) fn open(setting: &str, folder: &Path, data: &Path) -> Result<(), String> {
    outside(setting, folder, data)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| format!("`{setting}`: the folder {} cannot be made: {error}", folder.display()))
}

/// Whether something lies outside the data directory.
///
/// # Errors
/// In words, when it lies inside.
pub(in crate::lines) fn outside(setting: &str, path: &Path, data: &Path) -> Result<(), String> {
    if !path.is_absolute() {
        return Err(format!("`{setting}` is a path from the root, like /srv/inkan/{}", path.display()));
    }
    if real(path).starts_with(real(data)) {
        return Err(format!(
            "`{setting}`: {} lies in the center's data directory; name a place outside it",
            path.display()
        ));
    }
    Ok(())
}

/// Puts a file into a folder, readable by this user only: whole or not at all, and on the disk on return. A file of
/// that name is replaced, for the same name has the same bytes.
pub(in crate::lines) fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}.part"));
    // A draft that a crash left may have been made with other rights.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let write = || {
        let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        tui_kit::failpoint::at("post.name");
        fs::rename(&draft, folder.join(name))?;
        fs::File::open(folder)?.sync_all()
    };
    write().inspect_err(|_| {
        // What was half written bears what the whole would bear.
        let _ = fs::remove_file(&draft);
    })
}

/// The path without links and dots, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut there = path;
    loop {
        if let Ok(found) = there.canonicalize() {
            return missing.iter().rev().fold(found, |path, part| path.join(part));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name.to_owned());
                there = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_appear_whole_and_for_this_user_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("pickup");
        open("mail.pickup", &folder, &dir.path().join("data")).unwrap();
        fs::write(folder.join(".a.eml.part"), b"half").unwrap();
        put(&folder, "a.eml", b"one").unwrap();
        put(&folder, "a.eml", b"one").unwrap();
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|item| item.unwrap().file_name()).collect();
        assert_eq!(names, ["a.eml"]);
        assert_eq!(fs::read(folder.join("a.eml")).unwrap(), b"one");
        assert_eq!(fs::metadata(folder.join("a.eml")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn the_data_directory_is_no_place_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, dir.path().join("link")).unwrap();
        for inside in ["data", "data/pickup", "link/a/b", "other/../data/x"] {
            fs::create_dir_all(dir.path().join("other")).unwrap();
            let words = open("post.folder", &dir.path().join(inside), &data).unwrap_err();
            assert!(words.contains("data directory"), "{inside}: {words}");
        }
        assert!(open("post.folder", Path::new("letters"), &data).unwrap_err().contains("from the root"));
        open("post.folder", &dir.path().join("data-letters"), &data).unwrap();
    }
}
