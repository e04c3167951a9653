//! Exports read by somebody else's implementation of the same specification.

use std::collections::BTreeSet;

use tlog_tiles::{
    Checkpoint, Error, Hash, HashReader as _, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_record, prove_tree, record_hash, stored_hash_index, tree_hash,
};
use wire::receipt::Leaf;

use super::*;
use crate::books::{
    Books, CheckpointKey, Record,
    sample::{self, signed::Signed},
};

/// Tiles on a disk, as the other implementation asks for them.
struct Folder<'a>(&'a Path);

impl TileReader for Folder<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            // The height is part of the original's paths, and fixed here.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            fs::read(self.0.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// A center with so many entries in its books.
struct Place {
    dir: tempfile::TempDir,
    center: Signed,
    books: Books,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let center = Signed::trading();
        let books = Books::create(&dir.path().join("books"), center.key(), &center.records).unwrap();
        Self { dir, center, books }
    }

    /// Grows by small entries that follow no rules; the tree does not ask.
    fn grow_to(&mut self, size: u64) {
        let records: Vec<Record> = sample::run(self.books.reader().size()..size);
        self.books.append(&records).unwrap();
    }

    fn export(&self) -> Result<Exported, TilesError> {
        let root = self.center.root.verification_key();
        export_books(&self.dir.path().join("books"), &root, &self.tiles())
    }

    fn tiles(&self) -> PathBuf {
        self.dir.path().join("tiles")
    }

    /// What the other implementation makes of the folder: the checkpoint's size and root, proved by the tiles.
    fn read(&self) -> (u64, Hash) {
        let note = fs::read_to_string(self.tiles().join("checkpoint")).unwrap();
        let (text, _) = note.split_once("\n\n").unwrap();
        let checkpoint = Checkpoint::from_bytes(format!("{text}\n").as_bytes()).unwrap();
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        let tiles = self.tiles();
        let folder = Folder(&tiles);
        let reader = TileHashReader::new(size, root, &folder);
        assert_eq!(tree_hash(size, &reader).unwrap(), root, "{size} entries");
        for index in [0, size / 2, size - 1] {
            let proof = prove_record(size, index, &reader).unwrap();
            let hash = reader.read_hashes(&[stored_hash_index(0, index)]).unwrap()[0];
            assert_eq!(hash, record_hash(&self.entry(size, index)));
            check_record(&proof, size, root, index, hash).unwrap();
        }
        (size, root)
    }

    /// An entry out of its bundle.
    fn entry(&self, size: u64, index: u64) -> Vec<u8> {
        let bundle = index / TILE;
        let width = (size - bundle * TILE).min(TILE);
        let file = path("entries", bundle, (width < TILE).then_some(width));
        let bytes = fs::read(self.tiles().join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut rest = &bytes[..];
        let mut entries = Vec::new();
        while let Some((length, behind)) = rest.split_first_chunk() {
            let (entry, behind) = behind.split_at(u16::from_be_bytes(*length).into());
            entries.push(entry.to_vec());
            rest = behind;
        }
        assert_eq!(entries.len() as u64, width);
        entries[(index % TILE) as usize].clone()
    }

    fn files(&self) -> BTreeSet<String> {
        fn walk(dir: &Path, below: &str, found: &mut BTreeSet<String>) {
            for item in fs::read_dir(dir).unwrap() {
                let item = item.unwrap();
                let name = format!("{below}{}", item.file_name().to_str().unwrap());
                if item.path().is_dir() {
                    walk(&item.path(), &format!("{name}/"), found);
                } else {
                    found.insert(name);
                }
            }
        }
        let mut found = BTreeSet::new();
        walk(&self.tiles(), "", &mut found);
        found
    }
}

#[test]
fn paths_are_those_of_the_specification() {
    assert_eq!(path("0", 0, None), "tile/0/000");
    assert_eq!(path("entries", 1_234_067, None), "tile/entries/x001/x234/067");
    assert_eq!(path("2", 999, Some(17)), "tile/2/999.p/17");
    for (level, index, width) in [(0, 273, 112), (1, 1, 17), (2, 0, 1), (0, 1_234_067, 256), (3, 1_000, 255)]
    {
        let other = Tile::new(8, level, index, width, false).path().replacen("tile/8/", "tile/", 1);
        assert_eq!(path(&level.to_string(), index, (width < 256).then_some(width.into())), other);
    }
}

#[test]
fn another_implementation_reads_every_export_and_proves_each_from_the_one_before() {
    let mut place = Place::new();
    let mut before: Option<(u64, Hash)> = None;
    for size in [10, 11, 255, 256, 257, 512, 700, 66_000] {
        place.grow_to(size.max(place.books.reader().size()));
        let exported = place.export().unwrap();
        let (size, root) = place.read();
        assert_eq!((exported.size, exported.root.0), (size, root.0));
        assert_eq!(exported.before, before.map_or(0, |(size, _)| size));
        assert_eq!(root.0, place.books.reader().root_at(size).unwrap().0);
        if let Some((old, old_root)) = before {
            let tiles = place.tiles();
            let folder = Folder(&tiles);
            let reader = TileHashReader::new(size, root, &folder);
            let proof = prove_tree(size, old, &reader).unwrap();
            check_tree(&proof, size, root, old, old_root).unwrap();
        }
        before = Some((size, root));
        assert_eq!(place.export().unwrap().written, 0, "nothing is written twice");
    }
    // 66,000 = 257 · 256 + 208; 257 = 256 + 1.
    let files = place.files();
    for there in ["checkpoint", "keys", "tile/0/257.p/208", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"]
    {
        assert!(files.contains(there), "{there}");
    }
    for gone in ["tile/0/000.p/255", "tile/entries/000.p/255", "tile/1/000.p/1"] {
        assert!(!files.contains(gone), "{gone} has its full tile");
    }
    assert_eq!(files.iter().filter(|file| file.ends_with(".new")).count(), 0);
}

#[test]
fn what_is_published_is_the_short_leaf_and_the_public_keys_alone() {
    let place = Place::new();
    place.export().unwrap();
    let (size, _) = place.read();
    for (index, record) in (0..size).zip(&place.center.records) {
        let published = place.entry(size, index);
        let leaf: Leaf = codec::decode("leaf", &published, 200).unwrap();
        assert_eq!(leaf, parts::leaf(record));
        assert_eq!(published.len(), 8 + 8 + 4 + 3 * HASH, "number, time, kind, three hashes");
    }
    // Nothing that an entry or its evidence holds stands anywhere in the folder.
    let mut all = Vec::new();
    for file in place.files().iter().filter(|file| *file != "keys") {
        all.extend(fs::read(place.tiles().join(file)).unwrap());
    }
    let holds = |needle: &[u8]| all.windows(needle.len()).any(|window| window == needle);
    for record in &place.center.records {
        assert!(!holds(&record.seed), "{}", record.number());
        if let Some(signed) = record.entry.request.signed() {
            assert!(!holds(&signed.telegram.0), "{}", record.number());
        }
    }
    for key in
        place.center.state.holders().flat_map(|(_, holder)| &holder.chain).filter_map(|event| event.key)
    {
        assert!(!holds(&key.0), "a member's or store's key");
    }
    // The keys are what an audit takes.
    let ring = Keyring::parse(&fs::read_to_string(place.tiles().join("keys")).unwrap()).unwrap();
    assert_eq!(ring.root(), &place.center.root.verification_key());
    assert_eq!(ring.newest(), Some(&place.center.sheet));
}

#[test]
fn an_interrupted_export_is_begun_again_and_a_foreign_folder_is_left_as_it_is() {
    let mut place = Place::new();
    place.grow_to(300);
    place.export().unwrap();
    let whole = place.files();
    fs::remove_file(place.tiles().join("checkpoint")).unwrap();
    fs::remove_file(place.tiles().join("tile/0/001.p/44")).unwrap();
    fs::write(place.tiles().join("tile/0/000"), b"torn").unwrap();
    assert_eq!(place.export().unwrap().size, 300);
    assert_eq!(place.files(), whole);
    place.read();

    let refused = |place: &Place| {
        let checkpoint = fs::read(place.tiles().join("checkpoint")).ok();
        let words = place.export().unwrap_err().to_string();
        assert_eq!(fs::read(place.tiles().join("checkpoint")).ok(), checkpoint);
        words
    };
    fs::write(place.tiles().join("tile/0/000"), [7; 8192]).unwrap();
    let words = refused(&place);
    assert!(words.contains("tiles that do not lead to its checkpoint"), "{words}");

    // The same center's name, another journal.
    let mut other = Place::new();
    other.grow_to(301);
    let center = &other.center;
    let note = other.books.reader().checkpoint();
    fs::create_dir(other.tiles()).unwrap();
    fs::write(other.tiles().join("notes.txt"), b"mine").unwrap();
    assert!(refused(&other).contains("holds other files"));
    fs::remove_file(other.tiles().join("notes.txt")).unwrap();
    other.export().unwrap();
    let key: CheckpointKey = center.key();
    drop(key);
    assert_eq!(newest_of(&other.dir.path().join("books")), Some(note));
    fs::write(place.tiles().join("checkpoint"), "").unwrap();
    assert!(refused(&place).contains("shows not a checkpoint"));
}
