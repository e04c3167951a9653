//! The catalogue: a folder with `catalogue.toml` and the files it names.
//!
//! ```toml
//! [[item]]
//! id = "guide"                    # letters, digits, - _ . ; at most 64 characters
//! title = "A guide to the city"
//! description = "Forty pages, with maps."
//! price = 1500                    # in the center's currency; "12.50" with quotes where it has cents
//! file = "guide.pdf"              # within this folder
//! tags = ["travel", "maps"]
//! ```
//!
//! [`read`] checks everything and names every fault with line, column and item; [`Catalogue::publish`] puts copies of
//! the files on the [`Shelf`], so that an offer keeps price and goods whatever happens to the folder afterwards.

mod window;

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use toml::Spanned;
use wire::{
    amount::{Amount, Currency},
    bounded::List,
    codec, limits,
    order::OrderLine,
    shop::{GoodsKind, Item, ShopRefusal},
    text::{Line, Prose},
};

use crate::goods::Shelf;

pub(crate) use window::Window;

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

/// The most bytes of items in one answer; an item takes up to 16 KiB and the answer must fit a frame.
const PAGE_BYTES_MAX: usize = limits::FRAME / 2;

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
    place: (usize, usize),
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
    let length = fs::metadata(&path)
        .map_err(|error| whole(format!("cannot be read in {}: {error}", folder.display())))?
        .len();
    if length > FILE_BYTES_MAX {
        return Err(whole(format!("is {length} bytes long; at most {FILE_BYTES_MAX} fit")));
    }
    let text = fs::read_to_string(&path).map_err(|error| whole(format!("cannot be read: {error}")))?;
    let folder =
        folder.canonicalize().map_err(|error| whole(format!("its folder cannot be read: {error}")))?;
    parse(&text, &folder, currency)
}

/// What is sold at present: items with their goods on the shelf.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    items: BTreeMap<Line, Arc<Ware>>,
}

#[derive(Debug)]
struct Ware {
    item: Item,
    /// Lower-case title, tags and description, for searching.
    words: String,
}

impl Catalogue {
    /// Puts the goods of all entries on the shelf.
    ///
    /// # Errors
    /// Names each item whose file cannot be copied; nothing is sold then.
    pub fn publish(entries: Vec<Entry>, shelf: &Shelf) -> Result<Self, Vec<Fault>> {
        let mut items = BTreeMap::new();
        let mut faults = Vec::new();
        for entry in entries {
            let goods = match shelf.publish(&entry.path) {
                Ok(goods) => goods,
                Err(error) => {
                    let words = error.to_string();
                    faults.push(Fault { place: Some(entry.place), item: Some(entry.id.to_string()), words });
                    continue;
                }
            };
            let item = Item {
                id: entry.id.clone(),
                title: entry.title,
                description: entry.description,
                price: entry.price,
                goods: GoodsKind::Digital,
                digest: goods.digest,
                size: goods.size,
                file_name: entry.file_name,
                tags: entry.tags,
            };
            let tags: Vec<&str> = item.tags.iter().map(|tag| tag.as_str()).collect();
            let words = format!("{}\n{}\n{}", item.title, tags.join("\n"), item.description).to_lowercase();
            items.insert(entry.id, Arc::new(Ware { item, words }));
        }
        if faults.is_empty() { Ok(Self { items }) } else { Err(faults) }
    }

    /// All items, ascending by id.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values().map(|ware| &ware.item)
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is sold.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// One item.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.get(&Line::new(id).ok()?).map(|ware| &ware.item)
    }

    /// A page of the items that hold every word of `query`, after an id; and whether more follow.
    pub fn page(&self, query: &str, after: Option<&Line>) -> (List<Item, { limits::PAGE }>, bool) {
        let query = query.to_lowercase();
        let wanted: Vec<&str> = query.split_whitespace().collect();
        let begin = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let found = self.items.range::<Line, _>((begin, std::ops::Bound::Unbounded));
        let mut found =
            found.map(|(_, ware)| ware).filter(|ware| wanted.iter().all(|word| ware.words.contains(word)));
        let (mut page, mut bytes, mut more) = (Vec::new(), 0, false);
        for ware in &mut found {
            bytes += codec::encode(&ware.item).len();
            if page.len() == limits::PAGE || bytes > PAGE_BYTES_MAX {
                more = true;
                break;
            }
            page.push(ware.item.clone());
        }
        (List::first(page), more)
    }

    /// Whether a line of an order is what the catalogue says now.
    ///
    /// # Errors
    /// What has changed since the buyer looked.
    pub fn check(&self, line: &OrderLine) -> Result<(), ShopRefusal> {
        let item = self.item(&line.item).ok_or_else(|| ShopRefusal::UnknownItem(line.item.clone()))?;
        if item.price != line.unit_price {
            return Err(ShopRefusal::PriceChanged { item: line.item.clone(), now: item.price });
        }
        let same = (&item.title, &item.digest, item.size, &item.file_name)
            == (&line.title, &line.digest, line.size, &line.file_name);
        if same { Ok(()) } else { Err(ShopRefusal::ItemChanged(line.item.clone())) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "[[item]]\nid = \"guide\"\ntitle = \"案内 A guide\"\nprice = 1500\nfile = \"guide.txt\"\n";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("shop")).unwrap();
            fs::write(folder.path().join("secret"), "not for sale").unwrap();
            let folder = Self(folder);
            fs::write(folder.shop().join("guide.txt"), "forty pages").unwrap();
            fs::write(folder.shop().join("empty"), "").unwrap();
            folder
        }

        fn shop(&self) -> PathBuf {
            self.0.path().join("shop")
        }

        fn read(&self, text: &str) -> Result<Vec<Entry>, Vec<Fault>> {
            fs::write(self.shop().join(FILE), text).unwrap();
            read(&self.shop(), Currency::YEN)
        }

        fn fault(&self, text: &str) -> String {
            let faults: Vec<String> = self.read(text).unwrap_err().iter().map(ToString::to_string).collect();
            faults.join(" | ")
        }

        fn catalogue(&self, text: &str) -> Catalogue {
            let shelf = Shelf::open(&self.0.path().join("goods")).unwrap();
            Catalogue::publish(self.read(text).unwrap(), &shelf).unwrap()
        }
    }

    #[test]
    fn a_good_catalogue_is_published() {
        let folder = Folder::new();
        let catalogue =
            folder.catalogue(&format!("{GOOD}description = \"Two\\nlines\"\ntags = [\"Maps\"]\n"));
        let item = catalogue.item("guide").unwrap();
        assert_eq!((item.price.minor(), item.size, item.file_name.as_str()), (1500, 11, "guide.txt"));
        assert_eq!(item.digest, wire::id::Digest::of(&[b"forty pages"]));
        assert_eq!(catalogue.page("maps TWO", None).0.len(), 1);
        assert_eq!(catalogue.page("maps three", None).0.len(), 0);
        assert_eq!(catalogue.page("", Some(&Line::new("guide").unwrap())), (List::default(), false));
    }

    #[test]
    fn every_fault_is_named_with_its_place_and_item() {
        let folder = Folder::new();
        std::os::unix::fs::symlink(folder.0.path().join("secret"), folder.shop().join("link")).unwrap();
        let change = |from: &str, to: &str| GOOD.replace(from, to);
        for (text, words) in [
            ("[[item]\n".to_owned(), "catalogue.toml:1:"),
            (change("title", "titel"), "catalogue.toml:3:1: item “guide”: unknown field `titel`"),
            (change("price = 1500\n", ""), "item “guide”: missing field `price`"),
            (change("1500", "0"), "catalogue.toml:4:9: item “guide”: the price is 0"),
            (change("1500", "-3"), "4:9: item “guide”: the price"),
            (change("1500", "1.5"), "the price is a whole number"),
            (change("1500", "\"12.50\""), "4:9: item “guide”: the price"),
            (change("1500", "99999999999999"), "the price"),
            (
                change("案内 A guide", &"n".repeat(10_000)),
                "the title: the text is 10000 bytes long; at most 400 fit",
            ),
            (change("案内 A guide", "\\u001b[31mred"), "the title holds control characters"),
            (change("案内 A guide", " "), "the title is empty"),
            (change("guide.txt", "missing.txt"), "5:8: item “guide”: the file “missing.txt” cannot be read"),
            (change("guide.txt", "../secret"), "without “..”"),
            (change("guide.txt", "/etc/passwd"), "within the folder"),
            (change("guide.txt", "link"), "the file “link” lies outside the folder"),
            (change("guide.txt", "."), "item “guide”"),
            (change("guide.txt", "empty"), "has 0 bytes"),
            (change("id = \"guide\"", "id = \"a b\""), "item “a b”: an id is"),
            (format!("{GOOD}{GOOD}"), "7:6: item “guide”: the same id stands in line 2 already"),
            (format!("{GOOD}tags = [\"a\\u0007\"]\n"), "the tag holds control characters"),
        ] {
            let told = folder.fault(&text);
            assert!(told.contains(words), "{text}\n told: {told}\n not: {words}");
            assert!(!told.contains('\u{1b}'));
        }
        let two = folder.fault(&change("1500", "0").replace("guide.txt", "no"));
        assert!(two.contains("price is 0") && two.contains("“no” cannot be read"), "all at once: {two}");
        fs::remove_file(folder.shop().join(FILE)).unwrap();
        assert!(read(&folder.shop(), Currency::YEN).unwrap_err()[0].words.contains("cannot be read"));
    }

    #[test]
    fn an_order_must_say_what_the_catalogue_says() {
        let folder = Folder::new();
        let catalogue = folder.catalogue(GOOD);
        let item = catalogue.item("guide").unwrap().clone();
        let line = OrderLine {
            item: item.id,
            title: item.title,
            quantity: 1,
            unit_price: item.price,
            digest: item.digest,
            size: item.size,
            file_name: item.file_name,
        };
        assert_eq!(catalogue.check(&line), Ok(()));
        let dear = folder.catalogue(&GOOD.replace("1500", "1600"));
        assert!(
            matches!(dear.check(&line), Err(ShopRefusal::PriceChanged { now, .. }) if now.minor() == 1600)
        );
        fs::write(folder.shop().join("guide.txt"), "fifty pages").unwrap();
        assert!(matches!(folder.catalogue(GOOD).check(&line), Err(ShopRefusal::ItemChanged(_))));
        assert!(matches!(Catalogue::default().check(&line), Err(ShopRefusal::UnknownItem(_))));
    }

    #[test]
    fn a_long_catalogue_comes_in_pages_that_fit_a_frame() {
        let folder = Folder::new();
        let words = "w".repeat(7_900);
        let mut text = String::new();
        for number in 0..230 {
            text += &format!("[[item]]\nid = \"i{number:03}\"\ntitle = \"t\"\ndescription = \"{words}\"\n");
            text += "price = 1\nfile = \"guide.txt\"\n";
        }
        let catalogue = folder.catalogue(&text);
        let (mut seen, mut after) = (0, None);
        loop {
            let (page, more) = catalogue.page("", after.as_ref());
            assert!(codec::encode(&page).len() < limits::FRAME);
            seen += page.len();
            after = page.last().map(|item| item.id.clone());
            if !more {
                break;
            }
        }
        assert_eq!(seen, 230);
    }
}
