//! The fonts of a letter.
//!
//! Latin, Greek and Cyrillic are set in DejaVu, which is built in and whose licence allows embedding. What DejaVu lacks,
//! Japanese above all, is taken from the font that the settings name or from the usual places of Debian's Japanese
//! fonts. Only the glyphs that a letter uses go into its PDF.
//!
//! Each character becomes one glyph, side by side. That is right for the scripts named and for Chinese and Korean; scripts
//! that need more (Arabic, Hebrew, those of India) are refused rather than set wrongly.

use std::{
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

/// Which fonts there are besides the built-in ones. They are read when a letter needs them.
#[derive(Debug, Clone)]
pub struct Fonts {
    more: Vec<PathBuf>,
}

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// Running text.
    Regular,
    /// The subject.
    Bold,
    /// Numbers and codes, whose characters must not be mistaken for each other.
    Mono,
}

/// The fonts of one letter, read and ready.
pub(super) struct Chosen {
    regular: Loaded,
    bold: Loaded,
    mono: Loaded,
    more: Vec<Loaded>,
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

    /// Reads what some text needs.
    pub(super) fn choose<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<Chosen, LetterError> {
        let built_in = |data: &'static [u8]| read(Data::from(data)).ok_or(LetterError::BuiltIn);
        let mut chosen = Chosen {
            regular: built_in(dejavu::sans::regular())?,
            bold: built_in(dejavu::sans::bold())?,
            mono: built_in(dejavu::sans_mono::regular())?,
            more: Vec::new(),
        };
        let mut missing: Vec<char> = texts.flat_map(str::chars).filter(|c| !is_blank(*c)).collect();
        missing.sort_unstable();
        missing.dedup();
        if let Some(c) = missing.iter().copied().find(|c| needs_shaping(*c)) {
            return Err(LetterError::Script(c));
        }
        missing.retain(|c| !chosen.regular.has(*c) || !chosen.bold.has(*c) || !chosen.mono.has(*c));
        for path in &self.more {
            if missing.iter().all(|c| chosen.covers(*c)) {
                break;
            }
            // One in a usual place that can't be read helps as little as one that is not there.
            let Ok(loaded) = load(path) else { continue };
            if missing.iter().any(|c| loaded.has(*c)) {
                chosen.more.push(loaded);
            }
        }
        match missing.into_iter().find(|c| !chosen.covers(*c)) {
            Some(c) => Err(LetterError::NoFont(c)),
            None => Ok(chosen),
        }
    }
}

impl Chosen {
    /// The runs of a text, each character in the first font that has it.
    pub(super) fn runs(&self, face: Face, text: &str) -> Vec<Run> {
        let mut runs: Vec<(usize, Run)> = Vec::new();
        for c in text.chars() {
            let c = if is_blank(c) && c != '\u{3000}' { ' ' } else { c };
            let fonts = self.chain(face);
            let Some((index, (loaded, id))) = fonts
                .iter()
                .enumerate()
                .find_map(|(index, loaded)| Some((index, (*loaded, loaded.glyph(c)?))))
            else {
                continue;
            };
            if runs.last().is_none_or(|(last, _)| *last != index) {
                let run =
                    Run { font: loaded.font.clone(), text: String::new(), glyphs: Vec::new(), width: 0.0 };
                runs.push((index, run));
            }
            if let Some((_, run)) = runs.last_mut() {
                let begin = run.text.len();
                run.text.push(c);
                let advance = loaded.advance(id);
                run.width += advance;
                let id = GlyphId::new(id.to_u32());
                run.glyphs.push(KrillaGlyph::new(id, advance, 0.0, 0.0, 0.0, begin..run.text.len(), None));
            }
        }
        runs.into_iter().map(|(_, run)| run).collect()
    }

    /// The width of a text where the font's size is 1.
    pub(super) fn width(&self, face: Face, text: &str) -> f32 {
        self.runs(face, text).iter().map(|run| run.width).sum()
    }

    fn chain(&self, face: Face) -> Vec<&Loaded> {
        let first = match face {
            Face::Regular => &self.regular,
            Face::Bold => &self.bold,
            Face::Mono => &self.mono,
        };
        [first, &self.regular].into_iter().chain(&self.more).collect()
    }

    fn covers(&self, c: char) -> bool {
        self.regular.has(c) || self.more.iter().any(|loaded| loaded.has(c))
    }
}

impl Loaded {
    fn view(&self) -> Option<FontRef<'_>> {
        FontRef::from_index(self.data.as_ref(), 0).ok()
    }

    fn has(&self, c: char) -> bool {
        self.glyph(c).is_some()
    }

    fn glyph(&self, c: char) -> Option<skrifa::GlyphId> {
        self.view()?.charmap().map(c).filter(|id| id.to_u32() != 0)
    }

    fn advance(&self, id: skrifa::GlyphId) -> f32 {
        let width = self
            .view()
            .and_then(|font| font.glyph_metrics(Size::unscaled(), LocationRef::default()).advance_width(id));
        width.unwrap_or_default() / self.font.units_per_em()
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

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
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
        let chosen = Fonts { more: Vec::new() }.choose(["Il10O"].into_iter()).ok().unwrap();
        let (narrow, wide) = (chosen.width(Face::Mono, "iiii"), chosen.width(Face::Mono, "MMMM"));
        assert!((narrow - wide).abs() < 1e-6 && (narrow - 4.0 * 0.602).abs() < 0.01, "{narrow} {wide}");
        assert!(chosen.width(Face::Regular, "iiii") < chosen.width(Face::Regular, "MMMM"));
    }
}
