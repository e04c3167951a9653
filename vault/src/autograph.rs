//! The autograph: what a person draws or types at the making of a key.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The most points of all strokes together.
pub const POINTS_MAX: usize = 4096;
/// The most strokes.
pub const STROKES_MAX: usize = 128;
/// The most bytes of typed text, and the most intervals between its keystrokes.
pub const TYPED_MAX: usize = 400;

/// The encoding's first byte. Anything else is the free-form autograph of a vault of format 1.
const FORM: u8 = 1;

/// Strokes drawn with the mouse, or a text and how it was typed, or both.
///
/// It is mixed into the signature key beside the operating system's randomness and kept as the member's drawn seal,
/// which is shown at every signing. It is no secret: whoever knows it is no nearer to the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autograph {
    strokes: Vec<Stroke>,
    typed: Option<Typed>,
}

/// One movement with the button held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stroke {
    /// Where it went, in order.
    pub points: Vec<Point>,
}

/// Where the pen was, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// From the left edge of the pad, 0, to the right one, 65535.
    pub x: u16,
    /// From the top edge of the pad, 0, to the bottom one, 65535.
    pub y: u16,
    /// Milliseconds since the first point of the first stroke.
    pub ms: u32,
}

/// A text and the rhythm in which it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// What was typed.
    pub text: String,
    /// Milliseconds between one keystroke and the next, deletions included.
    pub intervals: Vec<u32>,
}

impl Autograph {
    /// An autograph of what was drawn and typed.
    ///
    /// # Errors
    /// [`Error::Autograph`] when there is nothing in it, or more than [`STROKES_MAX`], [`POINTS_MAX`] or [`TYPED_MAX`].
    pub fn new(strokes: Vec<Stroke>, typed: Option<Typed>) -> Result<Self, Error> {
        let points: usize = strokes.iter().map(|stroke| stroke.points.len()).sum();
        if points == 0 && typed.as_ref().is_none_or(|typed| typed.text.is_empty()) {
            return Err(Error::Autograph("is empty"));
        }
        if strokes.len() > STROKES_MAX || points > POINTS_MAX {
            return Err(Error::Autograph("has too many strokes; draw a simpler one"));
        }
        if typed.as_ref().is_some_and(|typed| typed.text.len().max(typed.intervals.len()) > TYPED_MAX) {
            return Err(Error::Autograph("is too long; type a shorter text"));
        }
        Ok(Self { strokes, typed })
    }

    /// What was drawn.
    pub fn strokes(&self) -> &[Stroke] {
        &self.strokes
    }

    /// What was typed.
    pub fn typed(&self) -> Option<&Typed> {
        self.typed.as_ref()
    }

    /// As it is kept and mixed in: the byte 1 and the value in [`wire::codec`]'s encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend(wire::codec::encode(self));
        bytes
    }

    /// The autograph in a text file: strokes as JSON, `{"strokes": [{"points": [{"x": 0, "y": 0, "ms": 0}]}]}`, else the
    /// text itself, as if it had been typed.
    ///
    /// # Errors
    /// [`Error::Autograph`] for JSON of another form, and as [`Autograph::new`].
    pub fn read(text: &str) -> Result<Self, Error> {
        /// What a file of strokes holds.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Drawn {
            strokes: Vec<Stroke>,
        }

        let text = text.trim();
        if !text.starts_with('{') {
            return Self::new(Vec::new(), Some(Typed { text: text.to_owned(), intervals: Vec::new() }));
        }
        let drawn: Drawn = serde_json::from_str(text).map_err(|_| {
            Error::Autograph(
                "is JSON of another form than {\"strokes\": [{\"points\": [{\"x\": 0, \"y\": 0, \"ms\": 0}]}]} with x and \
                 y up to 65535",
            )
        })?;
        Self::new(drawn.strokes, None)
    }

    /// The autograph in these bytes, within its bounds; `None` for what a vault of format 1 kept in a form of its
    /// program's.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (FORM, rest) = bytes.split_first().map(|(form, rest)| (*form, rest))? else { return None };
        let Self { strokes, typed } = wire::codec::decode("autograph", rest, crate::MAX_CONTENT).ok()?;
        Self::new(strokes, typed).ok()
    }
}

impl std::fmt::Debug for Autograph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Whoever can imitate the drawn seal can make a false prompt look right.
        write!(f, "Autograph({} strokes)", self.strokes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stroke(points: usize) -> Stroke {
        Stroke { points: vec![Point { x: 1, y: 2, ms: 3 }; points] }
    }

    #[test]
    fn what_is_encoded_decodes_and_other_bytes_do_not() {
        let typed = Typed { text: "花子".into(), intervals: vec![120, 95] };
        let autograph = Autograph::new(vec![stroke(3)], Some(typed)).unwrap();
        let bytes = autograph.encode();
        assert_eq!(Autograph::decode(&bytes), Some(autograph));
        assert_eq!(Autograph::decode(b"strokes"), None);
        assert_eq!(Autograph::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Autograph::decode(&[]), None);
    }

    #[test]
    fn a_file_holds_strokes_or_a_text() {
        let drawn = r#" {"strokes": [{"points": [{"x": 1, "y": 2, "ms": 3}, {"x": 1, "y": 2, "ms": 3}]}]} "#;
        assert_eq!(Autograph::read(drawn).unwrap().strokes(), [stroke(2)]);
        assert_eq!(Autograph::read(" 花子\n").unwrap().typed().unwrap().text, "花子");
        for wrong in
            ["{}", r#"{"strokes": [{"points": [{"x": 65536, "y": 0, "ms": 0}]}]}"#, "{\"strokes\": 1"]
        {
            assert!(Autograph::read(wrong).unwrap_err().to_string().contains("another form"), "{wrong}");
        }
        for empty in ["", r#"{"strokes": []}"#] {
            assert_eq!(Autograph::read(empty).unwrap_err().to_string(), "the autograph is empty");
        }
    }

    #[test]
    fn its_bounds_hold_when_it_is_made_and_when_it_is_read() {
        let words = |strokes, typed| Autograph::new(strokes, typed).unwrap_err().to_string();
        assert_eq!(words(vec![stroke(0)], None), "the autograph is empty");
        assert!(words(vec![stroke(POINTS_MAX + 1)], None).contains("simpler"));
        assert!(words(vec![stroke(1); STROKES_MAX + 1], None).contains("simpler"));
        let typed = Typed { text: "x".repeat(TYPED_MAX + 1), intervals: vec![] };
        assert!(words(vec![], Some(typed)).contains("shorter"));
        let outside = Autograph { strokes: vec![stroke(POINTS_MAX + 1)], typed: None };
        assert_eq!(Autograph::decode(&outside.encode()), None);
    }
}
