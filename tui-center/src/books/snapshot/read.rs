//! Reading a snapshot.

use std::{sync::Arc, thread};

use ledger::{
    State,
    state::{Loading, Section},
};
use sha2::{Digest as _, Sha256};
use wire::{
    codec::{self, Malformed},
    id::Digest,
    merkle::Tree,
    time::Timestamp,
};

use super::{
    super::{
        Shelf,
        disk::{DiskFile, How},
        reader::Index,
    },
    MAIL, Mail, dir,
    head::{Head, Part},
    name,
};

/// How much is read at once, about.
const PIECE: usize = 1 << 20;

/// What a snapshot holds.
pub(in crate::books) struct Loaded {
    pub(in crate::books) state: State,
    pub(in crate::books) index: Index,
    pub(in crate::books) mail: Mail,
}

/// Loads the snapshot of a head, on two threads. Whether its state balances is left to whoever goes on from it.
///
/// # Errors
/// In words, when a section is not whole or what is read does not fit together.
pub(in crate::books) fn load(shelf: &Shelf, head: &Head) -> Result<Loaded, String> {
    let path = dir(shelf).join(name(head.size));
    let file = shelf.disk.open(&path, How::Read).map_err(|error| error.to_string())?;
    let source = Source { file, head };
    let (loading, (telegrams, index, mail)) = thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let mut telegrams = Loading::default();
            source.state(Section::Telegrams, &mut telegrams)?;
            Ok::<_, String>((telegrams, source.index()?, source.mail()?))
        });
        let mut loading = Loading::default();
        let mut sections = Section::ALL.into_iter().filter(|section| *section != Section::Telegrams);
        let read = sections.try_for_each(|section| source.state(section, &mut loading));
        let beside = beside.join().unwrap_or_else(|_| Err("reading it failed".into()));
        read.and_then(|()| beside.map(|beside| (loading, beside)))
    })?;
    if index.tree.root() != head.root || index.tree.size() != head.size {
        return Err("its leaves do not give its root".into());
    }
    let state = loading.absorb(telegrams).finish().map_err(|error| error.to_string())?;
    if state.next().0 != head.size {
        return Err("its state is of another size".into());
    }
    Ok(Loaded { state, index, mail })
}

struct Source<'a> {
    file: Arc<dyn DiskFile>,
    head: &'a Head,
}

impl Source<'_> {
    fn state(&self, section: Section, loading: &mut Loading) -> Result<(), String> {
        self.part(Part::State(section), &mut |piece| loading.take(section, piece))
    }

    fn index(&self) -> Result<Index, String> {
        let count = usize::try_from(self.head.size).map_err(|_| "it is too large for this machine")?;
        let mut tree = Tree::new();
        self.part(Part::Leaves, &mut |piece| {
            let (leaves, _) = piece.as_chunks::<32>();
            leaves.iter().for_each(|leaf| tree.push(Digest(*leaf)));
            Ok(())
        })?;
        let mut index = Index::of(tree);
        self.part(Part::Places, &mut |piece| {
            for row in piece.as_chunks::<8>().0 {
                index.place(half(row, 0), half(row, 4));
            }
            Ok(())
        })?;
        self.part(Part::Segments, &mut |piece| {
            for row in piece.as_chunks::<24>().0 {
                index.summary(half(row, 0), half(row, 4), word(row, 8), Timestamp(word(row, 16)));
            }
            Ok(())
        })?;
        if index.len() == count { Ok(index) } else { Err("it lacks places of entries".into()) }
    }

    fn mail(&self) -> Result<Mail, String> {
        let mut bytes = Vec::new();
        self.part(Part::Mail, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        codec::decode("snapshot's mail", &bytes, MAIL).map_err(|error| error.to_string())
    }

    /// Hands a section out in whole rows. Only when this returns well was it what was written.
    fn part(&self, part: Part, take: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>) -> Result<(), String> {
        let extent = self.head.sections[part.index()];
        let spoilt = |why: &str| format!("at byte {}: {why}", extent.offset);
        let row = part.row() as u64;
        if !extent.length.is_multiple_of(row) {
            return Err(spoilt("a row ends too early"));
        }
        let most = (PIECE as u64 / row * row).max(row);
        let (mut crc, mut sha) = (crc32fast::Hasher::new(), Sha256::new());
        let mut bytes = Vec::new();
        let (mut at, mut left) = (extent.offset, extent.length);
        while left > 0 {
            let length = left.min(most);
            bytes.resize(usize::try_from(length).unwrap_or(PIECE), 0);
            let got = self.file.read_at(&mut bytes, at).map_err(|error| error.to_string())?;
            if got < bytes.len() {
                return Err(spoilt("it ends too early"));
            }
            crc.update(&bytes);
            sha.update(&bytes);
            take(&bytes).map_err(|error| spoilt(&error.to_string()))?;
            at += length;
            left -= length;
        }
        if crc.finalize() != extent.crc || sha.finalize()[..] != extent.digest.0 {
            return Err(spoilt("a checksum does not hold"));
        }
        Ok(())
    }
}

fn word(row: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*row[at..].first_chunk().expect("callers ask within the row"))
}

fn half(row: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*row[at..].first_chunk().expect("callers ask within the row"))
}
