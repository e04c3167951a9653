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

mod folder;
mod window;

use std::{collections::BTreeMap, sync::Arc};

use wire::{
    bounded::List,
    codec, limits,
    order::OrderLine,
    shop::{GoodsKind, Item, ShopRefusal},
    text::Line,
};

use crate::goods::Shelf;

pub(crate) use folder::stamp;
pub use folder::{
    Entry, FILE, FILE_BYTES_MAX, Fault, GOODS_BYTES_MAX, ID_CHARS_MAX, ITEMS_MAX, TAGS_MAX, read,
};
pub(crate) use window::Window;

/// The most bytes of items in one answer; an item takes up to 16 KiB and the answer must fit a frame.
const PAGE_BYTES_MAX: usize = limits::FRAME / 2;

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

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use wire::amount::Currency;

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
