//! What comes into a session, and the incremental parser that turns bytes into keys.

use std::time::Duration;

use bytes::Bytes;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Size;
use termina::event as raw;

/// The largest screen that is drawn; a larger one is drawn in its corner.
pub const SIZE_MAX: Size = Size::new(500, 200);

/// How long a lone Esc waits for the rest of a sequence before it is the key.
pub(crate) const ESCAPE_WAIT: Duration = Duration::from_millis(25);

/// Bytes that may go by without completing an event (a paste without an end) before the parser starts anew.
const PENDING_BYTES_MAX: usize = 1024 * 1024;

/// What comes from the far end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// Bytes as the terminal sent them.
    Bytes(Bytes),
    /// The screen has this size now, and is to be drawn whole.
    Resize(Size),
}

/// A decoded piece of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
}

/// A size within what is drawn: at least 1×1, at most [`SIZE_MAX`].
pub fn clamp(size: Size) -> Size {
    Size::new(size.width.clamp(1, SIZE_MAX.width), size.height.clamp(1, SIZE_MAX.height))
}

/// The incremental parser of a session's bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    parser: termina::Parser,
    pending_bytes: usize,
    escape_waits: bool,
}

impl Decoder {
    /// Adds bytes; completed events can then be taken.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.pending_bytes + bytes.len() > PENDING_BYTES_MAX {
            *self = Self::default();
        }
        self.pending_bytes += bytes.len();
        self.parser.parse(bytes, true);
        self.escape_waits = bytes.last() == Some(&0x1b);
    }

    /// Whether an Esc waits for the rest of a sequence; [`ESCAPE_WAIT`] later it is to be flushed.
    pub(crate) fn escape_waits(&self) -> bool {
        self.escape_waits
    }

    /// Says that nothing came after an Esc: it was the key.
    pub(crate) fn flush_escape(&mut self) {
        self.escape_waits = false;
        self.parser.parse(&[], false);
    }

    /// The next completed event.
    pub(crate) fn pop(&mut self) -> Option<Input> {
        while let Some(event) = self.parser.pop() {
            self.pending_bytes = 0;
            if let Some(input) = translate(event) {
                return Some(input);
            }
        }
        None
    }
}

/// termina's event in ratatui's terms; none for what no screen uses (focus, answers to queries, key releases).
fn translate(event: termina::Event) -> Option<Input> {
    match event {
        termina::Event::Key(key) => translate_key(key).map(Input::Key),
        termina::Event::Mouse(mouse) => translate_mouse(mouse).map(Input::Mouse),
        termina::Event::Paste(text) => Some(Input::Paste(text)),
        _ => None,
    }
}

fn translate_key(key: raw::KeyEvent) -> Option<KeyEvent> {
    if key.kind == raw::KeyEventKind::Release {
        return None;
    }
    let mut modifiers = translate_modifiers(key.modifiers);
    let code = match key.code {
        // In raw mode Enter is a carriage return; a line feed comes from scripts and some terminals' keypads.
        raw::KeyCode::Char('j') if modifiers == KeyModifiers::CONTROL => {
            modifiers = KeyModifiers::NONE;
            KeyCode::Enter
        }
        raw::KeyCode::Char(c) => KeyCode::Char(c),
        raw::KeyCode::Enter => KeyCode::Enter,
        raw::KeyCode::Backspace => KeyCode::Backspace,
        raw::KeyCode::Tab => KeyCode::Tab,
        raw::KeyCode::BackTab => KeyCode::BackTab,
        raw::KeyCode::Escape => KeyCode::Esc,
        raw::KeyCode::Left => KeyCode::Left,
        raw::KeyCode::Right => KeyCode::Right,
        raw::KeyCode::Up => KeyCode::Up,
        raw::KeyCode::Down => KeyCode::Down,
        raw::KeyCode::Home => KeyCode::Home,
        raw::KeyCode::End => KeyCode::End,
        raw::KeyCode::PageUp => KeyCode::PageUp,
        raw::KeyCode::PageDown => KeyCode::PageDown,
        raw::KeyCode::Insert => KeyCode::Insert,
        raw::KeyCode::Delete => KeyCode::Delete,
        raw::KeyCode::Function(number) => KeyCode::F(number),
        _ => return None,
    };
    Some(KeyEvent::new_with_kind(code, modifiers, KeyEventKind::Press))
}

fn translate_modifiers(raw: raw::Modifiers) -> KeyModifiers {
    [
        (raw::Modifiers::SHIFT, KeyModifiers::SHIFT),
        (raw::Modifiers::ALT, KeyModifiers::ALT),
        (raw::Modifiers::CONTROL, KeyModifiers::CONTROL),
        (raw::Modifiers::SUPER, KeyModifiers::SUPER),
        (raw::Modifiers::HYPER, KeyModifiers::HYPER),
        (raw::Modifiers::META, KeyModifiers::META),
    ]
    .into_iter()
    .filter(|(theirs, _)| raw.contains(*theirs))
    .fold(KeyModifiers::NONE, |all, (_, ours)| all | ours)
}

fn translate_mouse(mouse: raw::MouseEvent) -> Option<MouseEvent> {
    let button = |button| match button {
        raw::MouseButton::Left => MouseButton::Left,
        raw::MouseButton::Right => MouseButton::Right,
        raw::MouseButton::Middle => MouseButton::Middle,
    };
    let kind = match mouse.kind {
        raw::MouseEventKind::Down(which) => MouseEventKind::Down(button(which)),
        raw::MouseEventKind::Up(which) => MouseEventKind::Up(button(which)),
        raw::MouseEventKind::Drag(which) => MouseEventKind::Drag(button(which)),
        raw::MouseEventKind::Moved => return None,
        raw::MouseEventKind::ScrollDown => MouseEventKind::ScrollDown,
        raw::MouseEventKind::ScrollUp => MouseEventKind::ScrollUp,
        raw::MouseEventKind::ScrollLeft => MouseEventKind::ScrollLeft,
        raw::MouseEventKind::ScrollRight => MouseEventKind::ScrollRight,
    };
    Some(MouseEvent {
        kind,
        column: mouse.column,
        row: mouse.row,
        modifiers: translate_modifiers(mouse.modifiers),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(chunks: &[&[u8]]) -> Vec<Input> {
        let mut decoder = Decoder::default();
        let mut seen = Vec::new();
        for chunk in chunks {
            decoder.feed(chunk);
            while let Some(input) = decoder.pop() {
                seen.push(input);
            }
        }
        if decoder.escape_waits() {
            decoder.flush_escape();
        }
        while let Some(input) = decoder.pop() {
            seen.push(input);
        }
        seen
    }

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
        Input::Key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn sequences_may_arrive_in_pieces() {
        assert_eq!(decode(&[b"\x1b", b"[A"]), [key(KeyCode::Up, KeyModifiers::NONE)]);
        assert_eq!(
            decode(&["日".as_bytes().split_at(1).0, &"日".as_bytes()[1..]]),
            [key(KeyCode::Char('日'), KeyModifiers::NONE)]
        );
        assert_eq!(decode(&[b"\x1b[200~two\nlines", b"\x1b[201~"]), [Input::Paste("two\nlines".to_owned())]);
    }

    #[test]
    fn a_lone_escape_is_the_key() {
        assert_eq!(decode(&[b"\x1b"]), [key(KeyCode::Esc, KeyModifiers::NONE)]);
        assert_eq!(decode(&[b"\x1bb"]), [key(KeyCode::Char('b'), KeyModifiers::ALT)]);
    }

    #[test]
    fn both_line_ends_are_enter() {
        assert_eq!(
            decode(&[b"\r\n"]),
            [key(KeyCode::Enter, KeyModifiers::NONE), key(KeyCode::Enter, KeyModifiers::NONE)]
        );
    }

    #[test]
    fn a_paste_without_an_end_does_not_grow_for_ever() {
        let mut decoder = Decoder::default();
        decoder.feed(b"\x1b[200~");
        for _ in 0..3 {
            decoder.feed(&vec![b'x'; PENDING_BYTES_MAX / 2]);
        }
        decoder.feed(b"\x1b[201~");
        assert!(decoder.pending_bytes <= PENDING_BYTES_MAX);
        while decoder.pop().is_some() {}
        decoder.feed(b"\x1b[B");
        assert_eq!(decoder.pop(), Some(key(KeyCode::Down, KeyModifiers::NONE)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(chunks in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b';'), b'0'..=b'9'], 0..24), 0..8)
        ) {
            let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            decode(&chunks);
        }
    }
}
