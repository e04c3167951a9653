//! The fonts of a letter.
//!
//! Latin, Greek and Cyrillic are set in DejaVu, which is built in and whose licence allows embedding. What DejaVu lacks,
//! Japanese above all, is taken from the font that the settings name or from the usual places of Debian's Japanese
//! fonts. Only the glyphs that a letter uses go into its PDF.
//!
//! Each character becomes one glyph, side by side. That is right for the scripts named and for Chinese and Korean; scripts
//! that need more (Arabic, Hebrew, those of India) are refused rather than set wrongly.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use krilla::{
    Data,
    text::{Font, GlyphId, KrillaGlyph},
};
use skrifa::{
    FontRef, MetadataProvider as _,
    instance::{LocationRef, Size},
};

use super::LetterError;

/// The most bytes of a font file; Noto Sans CJK with all its languages has 20 million.
const FONT_FILE: u64 = 64 << 20;

/// Where Debian puts Japanese fonts: fonts-noto-cjk, fonts-ipafont-gothic, fonts-vlgothic.
const USUAL: [&str; 3] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
    "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf",
];

/// What page numbers are written with.
const PAGE_NUMBERS: &str = "0123456789 /";

/// Which fonts there are besides the built-in ones. They are read when a letter needs them.
#[derive(Debug, Clone)]
pub struct Fonts {
    more: Vec<PathBuf>,
}

/// How text looks; its order is that of the built-in fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Face {
    /// Running text.
    Regular,
    /// The subject.
    Bold,
    /// Numbers and codes, whose characters must not be mistaken for each other.
    Mono,
}

/// The fonts of one letter, and where each of its characters stands in them.
pub(super) struct Chosen {
    fonts: Vec<Font>,
    placed: HashMap<(Face, char), Placed>,
}

/// A character's glyph.
#[derive(Clone, Copy)]
struct Placed {
    /// Which of the fonts.
    font: usize,
    glyph: GlyphId,
    /// Its width where the font's size is 1.
    advance: f32,
}

/// A font for `krilla`, which embeds it, and its bytes, by which it is measured.
struct Loaded {
    font: Font,
    data: Data,
}

/// Some characters in one font.
pub(super) struct Run {
    pub(super) font: Font,
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// Its width where the font's size is 1.
    pub(super) width: f32,
}

impl Fonts {
    /// The built-in fonts, then the one that the settings name, then those in the usual places.
    ///
    /// # Errors
    /// In words, when the font that the settings name can't be used.
    pub fn open(named: Option<&Path>) -> Result<Self, String> {
        if let Some(path) = named {
            load(path).map_err(|why| format!("`post.font`: {} cannot be used: {why}", path.display()))?;
        }
        let usual = USUAL.iter().map(PathBuf::from).filter(|path| path.is_file());
        Ok(Self { more: named.map(Path::to_owned).into_iter().chain(usual).collect() })
    }

    /// The built-in fonts and this one only, whatever the machine has.
    #[cfg(test)]
    pub(super) fn only(path: PathBuf) -> Self {
        Self { more: vec![path] }
    }

    /// Reads what some text needs. The characters of page numbers are always among it.
    pub(super) fn choose<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<Chosen, LetterError> {
        let mut wanted: Vec<char> = texts.chain([PAGE_NUMBERS]).flat_map(str::chars).map(visible).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if let Some(c) = wanted.iter().copied().find(|c| needs_shaping(*c)) {
            return Err(LetterError::Script(c));
        }
        let mut loaded = Vec::new();
        for built_in in [dejavu::sans::regular(), dejavu::sans::bold(), dejavu::sans_mono::regular()] {
            loaded.push(read(Data::from(built_in)).ok_or(LetterError::BuiltIn)?);
        }
        let covered = |loaded: &[Loaded], c: char| loaded.iter().any(|font| font.has(c));
        for path in &self.more {
            if wanted.iter().all(|c| covered(&loaded, *c)) {
                break;
            }
            // One in a usual place that can't be read helps as little as one that is not there.
            loaded.extend(load(path).ok());
        }
        if let Some(c) = wanted.iter().copied().find(|c| !covered(&loaded, *c)) {
            return Err(LetterError::NoFont(c));
        }
        let mut placed = HashMap::new();
        for face in [Face::Regular, Face::Bold, Face::Mono] {
            // First the face's own font, then the others in their order.
            let own = face as usize;
            let order: Vec<usize> =
                [own].into_iter().chain((0..loaded.len()).filter(|index| *index != own)).collect();
            for c in &wanted {
                let found = order.iter().find_map(|index| {
                    let (glyph, advance) = loaded[*index].glyph(*c)?;
                    Some(Placed { font: *index, glyph, advance })
                });
                placed.extend(found.map(|found| ((face, *c), found)));
            }
        }
        Ok(Chosen { fonts: loaded.into_iter().map(|loaded| loaded.font).collect(), placed })
    }
}

impl Chosen {
    /// The runs of a text, each character in the first font that has it. Only what was chosen for is set.
    pub(super) fn runs(&self, face: Face, text: &str) -> Vec<Run> {
        let mut runs: Vec<(usize, Run)> = Vec::new();
        for c in text.chars().map(visible) {
            let Some(placed) = self.placed.get(&(face, c)) else { continue };
            if runs.last().is_none_or(|(last, _)| *last != placed.font) {
                let font = self.fonts[placed.font].clone();
                runs.push((placed.font, Run { font, text: String::new(), glyphs: Vec::new(), width: 0.0 }));
            }
            if let Some((_, run)) = runs.last_mut() {
                let begin = run.text.len();
                run.text.push(c);
                run.width += placed.advance;
                let range = begin..run.text.len();
                run.glyphs.push(KrillaGlyph::new(placed.glyph, placed.advance, 0.0, 0.0, 0.0, range, None));
            }
        }
        runs.into_iter().map(|(_, run)| run).collect()
    }

    /// The width of a text where the font's size is 1.
    pub(super) fn width(&self, face: Face, text: &str) -> f32 {
        let advance = |c| self.placed.get(&(face, c)).map_or(0.0, |placed| placed.advance);
        text.chars().map(visible).map(advance).sum()
    }
}

impl Loaded {
    fn has(&self, c: char) -> bool {
        self.glyph(c).is_some()
    }

    /// A character's glyph, and its width where the font's size is 1.
    fn glyph(&self, c: char) -> Option<(GlyphId, f32)> {
        let font = FontRef::from_index(self.data.as_ref(), 0).ok()?;
        let glyph = font.charmap().map(c).filter(|glyph| glyph.to_u32() != 0)?;
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let advance = metrics.advance_width(glyph)? / self.font.units_per_em();
        Some((GlyphId::new(glyph.to_u32()), advance))
    }
}

fn load(path: &Path) -> Result<Loaded, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > FONT_FILE {
        return Err(format!("it has {length} bytes, and a font has at most {FONT_FILE}"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    read(Data::from(bytes)).ok_or_else(|| "it is no TrueType or OpenType font".into())
}

/// The first font of a file; in a collection for several languages that is Japanese, by Noto's order.
fn read(data: Data) -> Option<Loaded> {
    let font = Font::new(data.clone(), 0)?;
    FontRef::from_index(data.as_ref(), 0).ok()?;
    Some(Loaded { font, data })
}

/// Blanks of every width are set as a space, but for the ideographic one, whose width is meant.
fn visible(c: char) -> char {
    if (c.is_whitespace() && c != '\u{3000}') || c.is_control() { ' ' } else { c }
}

/// Scripts that run from right to left, or whose signs join, reorder or stack.
fn needs_shaping(c: char) -> bool {
    matches!(u32::from(c),
        0x0590..=0x08ff | 0x0900..=0x0dff | 0x0f00..=0x109f | 0x1780..=0x18af
        | 0xfb1d..=0xfdff | 0xfe70..=0xfefc | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_is_told_with_the_character() {
        let built_in = Fonts { more: Vec::new() };
        assert!(built_in.choose(["Zoë Ångström, Łódź — Αθήνα, Москва"].into_iter()).is_ok());
        let words = |text: &str| built_in.choose([text].into_iter()).err().unwrap().to_string();
        assert!(words("山田").contains("no font has “山” (U+5C71)"), "{}", words("山田"));
        assert!(words("שלום").contains("cannot be set"), "{}", words("שלום"));
    }

    #[test]
    fn a_named_font_is_looked_at_when_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("font.ttf");
        assert!(Fonts::open(Some(&path)).unwrap_err().contains("cannot be used"));
        fs::write(&path, b"not a font").unwrap();
        assert!(Fonts::open(Some(&path)).unwrap_err().contains("no TrueType"));
        fs::write(&path, dejavu::sans::regular()).unwrap();
        Fonts::open(Some(&path)).unwrap();
    }

    #[test]
    fn monospaced_is_monospaced() {
        let chosen = Fonts { more: Vec::new() }.choose(["iM"].into_iter()).ok().unwrap();
        let (narrow, wide) = (chosen.width(Face::Mono, "iiii"), chosen.width(Face::Mono, "MMMM"));
        assert!((narrow - wide).abs() < 1e-6 && (narrow - 4.0 * 0.602).abs() < 0.01, "{narrow} {wide}");
        assert!(chosen.width(Face::Regular, "iiii") < chosen.width(Face::Regular, "MMMM"));
    }
}
