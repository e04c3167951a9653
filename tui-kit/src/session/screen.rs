//! A ratatui backend whose size is told to it and whose frames leave through a bounded queue.
//!
//! ratatui's stock backend asks the process's own terminal for its size and its cursor, and writes to it, blocking.
//! Over SSH and `attach` that would be the server's terminal. This one only encodes: the cells and escape sequences
//! of a frame are gathered and leave as one chunk, inside a synchronized update, so that no half frame is seen. A
//! frame without changes leaves nothing.

use std::io;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use super::abilities::Depth;
use super::input::clamp;
use super::output::Output;

/// Synchronized update: the terminal shows the frame as a whole. Terminals that don't know it ignore it.
const FRAME_START: &[u8] = b"\x1b[?2026h";
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// The backend of every session.
#[derive(Debug)]
pub struct Screen {
    size: Size,
    depth: Depth,
    frame: Vec<u8>,
    output: Output,
    cursor: Position,
    /// Where the terminal's cursor really is and whether it is seen; none when not known.
    shown: Option<(bool, Position)>,
    wanted_visible: bool,
}

impl Screen {
    /// A screen of a size (clamped) and colour depth that draws into a queue.
    pub fn new(size: Size, depth: Depth, output: Output) -> Self {
        Self {
            size: clamp(size),
            depth,
            frame: Vec::new(),
            output,
            cursor: Position::ORIGIN,
            shown: None,
            wanted_visible: false,
        }
    }

    /// Tells the screen its size; sizes are clamped. The next frame is laid out for it.
    pub fn tell_size(&mut self, size: Size) {
        self.size = clamp(size);
    }

    /// The size as told.
    pub fn told_size(&self) -> Size {
        self.size
    }

    /// Forgets where the terminal's cursor is, after something else has used the terminal.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    fn encoder(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.frame)
    }
}

impl Backend for Screen {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.shown = None;
        if self.depth == Depth::True {
            return self.encoder().draw(content);
        }
        let depth = self.depth;
        let cells: Vec<_> = content.map(|(x, y, cell)| (x, y, reduce(cell, depth))).collect();
        let drawn = self.frame.len();
        self.encoder().draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell)))?;
        if depth == Depth::None {
            forget_colour(&mut self.frame, drawn);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.wanted_visible = false;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.wanted_visible = true;
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = position.into();
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.shown = None;
        let cursor = self.cursor;
        let mut encoder = self.encoder();
        encoder.set_cursor_position(cursor)?;
        encoder.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        // ratatui flushes after the cells and again after the cursor; only the cursor's state ends a frame, and it
        // is written when it differs or when the cells have moved it.
        let target = (self.wanted_visible, if self.wanted_visible { self.cursor } else { Position::ORIGIN });
        if self.shown != Some(target) {
            let (visible, at) = target;
            let mut encoder = self.encoder();
            if visible {
                encoder.set_cursor_position(at)?;
                encoder.show_cursor()?;
            } else {
                encoder.hide_cursor()?;
            }
            self.shown = Some(target);
        }
        if self.frame.is_empty() {
            return Ok(());
        }
        let frame = std::mem::take(&mut self.frame);
        let mut chunk = Vec::with_capacity(frame.len() + FRAME_START.len() + FRAME_END.len());
        chunk.extend_from_slice(FRAME_START);
        chunk.extend_from_slice(&frame);
        chunk.extend_from_slice(FRAME_END);
        self.output.send(chunk)
    }
}

/// Takes the sequences out that go back to the usual colours, which the encoder ends with. Where there is no colour
/// there is nothing to go back from, and not every terminal without colour knows them.
fn forget_colour(frame: &mut Vec<u8>, from: usize) {
    let mut kept = from;
    let mut at = from;
    while at < frame.len() {
        let usual = USUAL_COLOURS.iter().find(|sequence| frame[at..].starts_with(sequence));
        if let Some(sequence) = usual {
            at += sequence.len();
        } else {
            frame[kept] = frame[at];
            kept += 1;
            at += 1;
        }
    }
    frame.truncate(kept);
}

/// The usual colour of letters, ground and underlines.
const USUAL_COLOURS: [&[u8]; 4] = [b"\x1b[39m", b"\x1b[49m", b"\x1b[59m", b"\x1b[39;49m"];

/// A cell with its colours reduced to what the session can show.
fn reduce(cell: &Cell, depth: Depth) -> Cell {
    let mut cell = cell.clone();
    cell.fg = reduce_color(cell.fg, depth);
    cell.bg = reduce_color(cell.bg, depth);
    cell.underline_color = reduce_color(cell.underline_color, depth);
    cell
}

fn reduce_color(color: Color, depth: Depth) -> Color {
    match (depth, color) {
        (Depth::None, _) => Color::Reset,
        (Depth::Ansi16, Color::Rgb(r, g, b)) => nearest16(r, g, b),
        (Depth::Ansi16, Color::Indexed(index)) if index >= 16 => {
            let (r, g, b) = palette(index);
            nearest16(r, g, b)
        }
        (Depth::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(nearest256(r, g, b)),
        (_, color) => color,
    }
}

/// The usual values of the sixteen colours (xterm's), in the order of their numbers.
const SIXTEEN: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

fn nearest16(r: u8, g: u8, b: u8) -> Color {
    SIXTEEN
        .iter()
        .min_by_key(|(_, (kr, kg, kb))| {
            [(r, kr), (g, kg), (b, kb)].iter().map(|(a, k)| u32::from(a.abs_diff(**k)).pow(2)).sum::<u32>()
        })
        .map_or(Color::Reset, |(color, _)| *color)
}

/// The 6×6×6 cube's or the grey ramp's colour of an index of 16 or more (xterm's 256-colour palette).
fn palette(index: u8) -> (u8, u8, u8) {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        232.. => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
        16..=231 => {
            let cube = index - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        _ => SIXTEEN[usize::from(index)].1,
    }
}

fn nearest256(r: u8, g: u8, b: u8) -> u8 {
    let step = |value: u8| match value {
        0..48 => 0u8,
        48..115 => 1,
        _ => (value - 35) / 40,
    };
    16 + 36 * step(r) + 6 * step(g) + step(b)
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::style::Style;
    use ratatui::widgets::Paragraph;

    use super::super::output::{OutputReader, queue};
    use super::*;

    fn terminal(depth: Depth) -> (Terminal<Screen>, OutputReader) {
        let (output, reader) = queue(1 << 20);
        let screen = Screen::new(Size::new(20, 2), depth, output);
        (Terminal::new(screen).expect("a told size never fails"), reader)
    }

    fn frame(reader: &mut OutputReader) -> Option<String> {
        use futures_util::FutureExt;
        let chunk = reader.next().now_or_never()??;
        reader.taken(chunk.len());
        Some(String::from_utf8(chunk.to_vec()).expect("frames are UTF-8"))
    }

    #[test]
    fn an_unchanged_frame_sends_nothing() {
        let (mut terminal, mut reader) = terminal(Depth::Ansi16);
        let draw = |terminal: &mut Terminal<Screen>, text: &'static str| {
            terminal
                .draw(|frame| {
                    frame.render_widget(Paragraph::new(text), frame.area());
                    frame.set_cursor_position((3, 0));
                })
                .expect("the reader lives");
        };
        draw(&mut terminal, "hello");
        let mut first = String::new();
        while let Some(chunk) = frame(&mut reader) {
            first.push_str(&chunk);
        }
        assert!(first.contains("hello"), "{first:?}");
        assert!(first.contains("\u{1b}[?25h"), "the cursor is shown: {first:?}");
        draw(&mut terminal, "hello");
        assert_eq!(frame(&mut reader), None);
        draw(&mut terminal, "hallo");
        let second = frame(&mut reader).expect("one cell changed");
        assert!(second.contains('a') && !second.contains("hello"), "{second:?}");
    }

    #[test]
    fn a_session_without_colour_gets_none() {
        let (mut terminal, mut reader) = terminal(Depth::None);
        terminal
            .draw(|frame| {
                frame.render_widget(
                    Paragraph::new("x").style(Style::new().fg(Color::Red).bg(Color::Rgb(1, 2, 3)).bold()),
                    frame.area(),
                );
            })
            .expect("the reader lives");
        let bytes = frame(&mut reader).expect("a frame");
        assert!(bytes.contains("\u{1b}[1mx"), "emphasis stays: {bytes:?}");
        for colour in ["38;", "48;", "[39", "[49", "[59", ";49"] {
            assert!(!bytes.contains(colour), "{bytes:?}");
        }
    }

    #[test]
    fn colours_are_reduced_to_the_nearest() {
        assert_eq!(reduce_color(Color::Rgb(250, 10, 10), Depth::Ansi16), Color::LightRed);
        assert_eq!(reduce_color(Color::Indexed(231), Depth::Ansi16), Color::White);
        assert_eq!(reduce_color(Color::Rgb(255, 255, 255), Depth::Ansi256), Color::Indexed(231));
        assert_eq!(reduce_color(Color::Rgb(1, 2, 3), Depth::True), Color::Rgb(1, 2, 3));
        assert_eq!(reduce_color(Color::Green, Depth::Ansi16), Color::Green);
    }

    #[test]
    fn sizes_are_clamped() {
        let (output, _reader) = queue(1);
        let mut screen = Screen::new(Size::new(9_999, 9_999), Depth::None, output);
        assert_eq!(screen.told_size(), Size::new(500, 200));
        screen.tell_size(Size::ZERO);
        assert_eq!(screen.told_size(), Size::new(1, 1));
    }
}
