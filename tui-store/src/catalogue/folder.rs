//! Reading a catalogue's folder: every fault is named with line, column and item.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;
use wire::{
    amount::{Amount, Currency},
    bounded::List,
    limits,
    text::{Line, Prose},
};

/// The file that lists the items.
pub const FILE: &str = "catalogue.toml";
/// The most bytes of that file.
pub const FILE_BYTES_MAX: u64 = 4 << 20;
/// The most items.
pub const ITEMS_MAX: usize = 10_000;
/// The most bytes of one item's goods.
pub const GOODS_BYTES_MAX: u64 = 16 << 30;
/// The most characters of an item's id.
pub const ID_CHARS_MAX: usize = 64;
/// The most tags of one item.
pub const TAGS_MAX: usize = 16;

/// Something that is wrong with a catalogue, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line and column in [`FILE`], counted from 1.
    pub place: Option<(usize, usize)>,
    /// The item it is about.
    pub item: Option<String>,
    /// What is wrong.
    pub words: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILE)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(item) = &self.item {
            write!(f, ": item “{item}”")?;
        }
        write!(f, ": {}", self.words)
    }
}

/// An item that was read and checked; its goods are not on the shelf yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Line,
    /// Its title.
    pub title: Line,
    /// What it is.
    pub description: Prose,
    /// What one costs.
    pub price: Amount,
    /// The file, resolved and within the folder.
    pub path: PathBuf,
    /// The file's name.
    pub file_name: Line,
    /// Words to find it by.
    pub tags: List<Line, TAGS_MAX>,
    /// Where it stands in the file.
    pub(super) place: (usize, usize),
}

/// What tells that a folder may have changed: the list and every file that it named.
pub(crate) fn stamp(folder: &Path, entries: &[Entry]) -> Vec<Option<(u64, std::time::SystemTime)>> {
    let list = folder.join(FILE);
    let files = std::iter::once(list.as_path()).chain(entries.iter().map(|entry| entry.path.as_path()));
    let stamp = |path: &Path| fs::metadata(path).and_then(|found| Ok((found.len(), found.modified()?))).ok();
    files.map(stamp).collect()
}

/// Reads a catalogue's folder.
///
/// # Errors
/// Every fault that was found; a file that is no TOML has one.
pub fn read(folder: &Path, currency: Currency) -> Result<Vec<Entry>, Vec<Fault>> {
    let path = folder.join(FILE);
    let whole = |words: String| vec![Fault { place: None, item: None, words }];
    let found = fs::metadata(&path)
        .map_err(|error| whole(format!("cannot be read in {}: {error}", folder.display())))?;
    if !found.is_file() {
        // A pipe would be waited on for ever.
        return Err(whole(format!("in {} is not a file", folder.display())));
    }
    let length = found.len();
    if length > FILE_BYTES_MAX {
        return Err(whole(format!("is {length} bytes long; at most {FILE_BYTES_MAX} fit")));
    }
    let text = fs::read_to_string(&path).map_err(|error| whole(format!("cannot be read: {error}")))?;
    let folder =
        folder.canonicalize().map_err(|error| whole(format!("its folder cannot be read: {error}")))?;
    parse(&text, &folder, currency)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default, rename = "item", alias = "items")]
    items: Vec<Spanned<RawItem>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    id: Spanned<String>,
    title: Spanned<String>,
    description: Option<Spanned<String>>,
    price: Spanned<toml::Value>,
    file: Spanned<String>,
    #[serde(default)]
    tags: Vec<Spanned<String>>,
}

fn parse(text: &str, folder: &Path, currency: Currency) -> Result<Vec<Entry>, Vec<Fault>> {
    let raw: RawFile = toml::from_str(text).map_err(|error| {
        let at = error.span().map(|span| span.start);
        vec![Fault {
            place: at.map(|at| Lines::of(text).place(at)),
            item: at.and_then(|at| item_around(text, at)),
            words: error.message().trim().to_owned(),
        }]
    })?;
    let mut reader = Reader { lines: Lines::of(text), folder, currency, faults: Vec::new() };
    if raw.items.len() > ITEMS_MAX {
        let words = format!("it lists {} items; at most {ITEMS_MAX} fit", raw.items.len());
        return Err(vec![Fault { place: None, item: None, words }]);
    }
    let mut entries: BTreeMap<Line, Entry> = BTreeMap::new();
    for item in raw.items {
        let Some(entry) = reader.entry(&item) else { continue };
        if let Some(first) = entries.get(&entry.id) {
            let words = format!("the same id stands in line {} already", first.place.0);
            reader.faults.push(Fault { place: Some(entry.place), item: Some(entry.id.to_string()), words });
            continue;
        }
        entries.insert(entry.id.clone(), entry);
    }
    if reader.faults.is_empty() { Ok(entries.into_values().collect()) } else { Err(reader.faults) }
}

struct Reader<'a> {
    lines: Lines<'a>,
    folder: &'a Path,
    currency: Currency,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    /// Looks at every field, so that all faults of an item are told at once.
    fn entry(&mut self, item: &Spanned<RawItem>) -> Option<Entry> {
        let raw = item.get_ref();
        let name = shown(raw.id.get_ref());
        let before = self.faults.len();
        let note = |reader: &mut Self, at: usize, words: String| {
            let place = Some(reader.lines.place(at));
            reader.faults.push(Fault { place, item: Some(name.clone()), words });
        };
        let id = id(raw.id.get_ref()).map_err(|words| note(self, raw.id.span().start, words)).ok();
        let title = typed(raw.title.get_ref(), "title")
            .map_err(|words| note(self, raw.title.span().start, words))
            .ok()
            .and_then(|title: Line| {
                if title.is_empty() {
                    note(self, raw.title.span().start, "the title is empty".into());
                    return None;
                }
                Some(title)
            });
        let description = match &raw.description {
            None => Some(Prose::default()),
            Some(text) => typed(text.get_ref(), "description")
                .map_err(|words| note(self, text.span().start, words))
                .ok(),
        };
        let price = price(raw.price.get_ref(), self.currency)
            .map_err(|words| note(self, raw.price.span().start, words))
            .ok();
        let file = file(self.folder, raw.file.get_ref())
            .map_err(|words| note(self, raw.file.span().start, words))
            .ok();
        if raw.tags.len() > TAGS_MAX {
            note(self, item.span().start, format!("it has {} tags; at most {TAGS_MAX} fit", raw.tags.len()));
        }
        let mut tags = Vec::new();
        for tag in &raw.tags {
            match typed(tag.get_ref(), "tag") {
                Ok(tag) => tags.push(tag),
                Err(words) => note(self, tag.span().start, words),
            }
        }
        if self.faults.len() > before {
            return None;
        }
        let (path, file_name) = file?;
        Some(Entry {
            id: id?,
            title: title?,
            description: description?,
            price: price?,
            path,
            file_name,
            tags: List::first(tags),
            place: self.lines.place(raw.id.span().start),
        })
    }
}

fn id(typed: &str) -> Result<Line, String> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let chars = typed.chars().count();
    if chars == 0 || chars > ID_CHARS_MAX || !typed.chars().all(fits) {
        return Err(format!("an id is 1 to {ID_CHARS_MAX} letters, digits, “-”, “_” or “.”"));
    }
    Line::new(typed).map_err(|error| error.to_string())
}

/// A text that a buyer will see. What would have to be cleaned away is refused: the owner shall know what is shown.
fn typed<const MAX: usize>(text: &str, what: &str) -> Result<wire::text::Text<MAX>, String> {
    if text.chars().any(|c| c.is_control() && !(c == '\n' && MAX > limits::LINE)) {
        return Err(format!("the {what} holds control characters or an escape sequence"));
    }
    wire::text::Text::new(text).map_err(|error| format!("the {what}: {error}"))
}

fn price(value: &toml::Value, currency: Currency) -> Result<Amount, String> {
    let text = match value {
        toml::Value::Integer(whole) => whole.to_string(),
        toml::Value::String(text) => text.clone(),
        _ => return Err("the price is a whole number, or a text such as \"12.50\"".into()),
    };
    let amount = currency.parse(&text).map_err(|error| format!("the price: {error}"))?;
    if amount.is_zero() {
        Err("the price is 0; goods cost at least the smallest unit".into())
    } else {
        Ok(amount)
    }
}

/// The file's real path, which must lie within the folder, and its name.
fn file(folder: &Path, typed_path: &str) -> Result<(PathBuf, Line), String> {
    let relative = Path::new(typed_path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if typed_path.is_empty() || !plain {
        return Err("the file must be named by a path within the folder, without “..”".into());
    }
    let name = relative.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let file_name: Line = typed(name, "file's name")?;
    if file_name.is_empty() || file_name.as_str() != name {
        return Err("the file's name holds characters that cannot be shown; rename it".into());
    }
    let path = folder
        .join(relative)
        .canonicalize()
        .map_err(|error| format!("the file “{}” cannot be read: {error}", shown(typed_path)))?;
    if !path.starts_with(folder) {
        return Err(format!("the file “{}” lies outside the folder", shown(typed_path)));
    }
    let found =
        fs::metadata(&path).map_err(|error| format!("the file “{file_name}” cannot be read: {error}"))?;
    if !found.is_file() {
        return Err(format!("“{file_name}” is not a file"));
    }
    if found.len() == 0 || found.len() > GOODS_BYTES_MAX {
        return Err(format!(
            "the file “{file_name}” has {} bytes; it must have 1 to {GOODS_BYTES_MAX}",
            found.len()
        ));
    }
    Ok((path, file_name))
}

/// Typed text as it may stand in a message.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    let cleaned = Line::new(&start).unwrap_or_default();
    if start.len() < text.len() { format!("{cleaned}…") } else { cleaned.to_string() }
}

/// A text whose lines are found quickly.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// Line and column of a byte offset, counted from 1, columns in characters.
    fn place(&self, at: usize) -> (usize, usize) {
        let at = self.text.floor_char_boundary(at);
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line, self.text[start..at].chars().count() + 1)
    }
}

/// The id of the item in whose lines an offset lies, as far as it can be made out of a file that does not parse.
fn item_around(text: &str, at: usize) -> Option<String> {
    const HEADS: [&str; 2] = ["[[item]]", "[[items]]"];
    let at = text.floor_char_boundary(at);
    let here = HEADS.iter().any(|head| text[at..].starts_with(head)).then_some(at);
    let begin = here.or_else(|| HEADS.iter().filter_map(|head| text[..at].rfind(head)).max())?;
    let after = text[begin + 2..].find("[[").map_or(text.len(), |next| begin + 2 + next);
    text[begin..after].lines().find_map(|line| {
        let value = line.trim().strip_prefix("id")?.trim_start().strip_prefix('=')?.trim();
        Some(shown(value.strip_prefix('"')?.split('"').next()?))
    })
}
