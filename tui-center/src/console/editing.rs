//! A document that is being edited in its place: checked when it is saved, then reviewed as what changes.

use ledger::request::Document;
use ratatui::{crossterm::event::KeyEvent, layout::Rect, widgets::Clear};
use tui_kit::{
    Tone, Ui,
    detail::Row,
    review::Review,
    writing::{Pressed, Writing},
};
use wire::limits;

use super::{
    dialogue::{Dialogue, Prepared},
    documents::InForce,
};
use crate::{
    acts::{Act, JoiningAct},
    admission::document::{check, noun},
};

/// Lines of a review that show what changes.
const CHANGES: usize = 400;
/// Pairs of lines that are compared; where there are more, all go and all come.
const COMPARED: usize = 1_000_000;

/// A document that is being edited.
#[derive(Debug)]
pub(super) struct Editing {
    base: InForce,
    writing: Writing,
}

/// What a key in the editor asks for.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing beyond the editor.
    Stay,
    /// The key is not for the editor.
    Free,
    /// Leave it.
    Close,
    /// The text may be a new version: review it.
    Review(Dialogue),
}

impl Editing {
    /// Begins with the version in force.
    pub(super) fn new(base: &InForce) -> Self {
        let title = format!("{}, version {} is in force", noun(base.document), base.version);
        Self { base: base.clone(), writing: Writing::new(title, &base.text, limits::PROSE) }
    }

    /// What it is called.
    pub(super) fn title(&self) -> String {
        format!("Edit {}", noun(self.base.document))
    }

    /// Takes a key.
    pub(super) fn press(&mut self, key: KeyEvent) -> Step {
        match self.writing.press(key) {
            Pressed::Taken => Step::Stay,
            Pressed::Free => Step::Free,
            Pressed::Leave => Step::Close,
            Pressed::Save(_) if !self.writing.is_changed() => {
                self.writing.refuse(None, "nothing has changed yet");
                Step::Stay
            }
            Pressed::Save(text) => match check(self.base.document, &text) {
                Ok(()) => Step::Review(review(&self.base, text)),
                Err(why) => {
                    self.writing.refuse(named_line(&why), why);
                    Step::Stay
                }
            },
        }
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, pasted: &str) {
        self.writing.paste(pasted);
    }

    /// Draws the editor.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.widget(area, Clear);
        self.writing.view(ui, area);
    }
}

fn review(base: &InForce, text: String) -> Dialogue {
    let document = base.document;
    let mut rows = vec![
        Row::toned("document", Tone::Strong, noun(document)),
        Row::pair("new version", (base.version + 1).to_string()),
        Row::Gap,
        Row::Heading("What changes".to_owned()),
    ];
    rows.extend(changes(&base.text, &text));
    let review = Review::new("A new version", "Put it in force", rows).warn(effect(document));
    let act = JoiningAct::SetDocument { document, text, over: Some(base.version) };
    Dialogue::prepared(Prepared::new(Act::Joining(act), review))
}

/// What a new version brings about.
fn effect(document: Document) -> &'static str {
    match document {
        Document::Guide(_) => {
            "Whoever connects from now on reads it. Where there are two admins, another confirms it."
        }
        Document::Form(_) => {
            "The next visitor fills in this form. Where there are two admins, another confirms it."
        }
        Document::Terms => {
            "Whoever joins from now on accepts these; members and stores are not bound by them. Where there are two \
             admins, another confirms it."
        }
        Document::Policy => {
            "It counts from the next application on. Where there are two admins, another confirms it."
        }
    }
}

/// The lines that go and come, with their numbers: by the longest common subsequence of lines.
pub(super) fn changes(old: &str, new: &str) -> Vec<Row> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    if old_rest.len().saturating_mul(new_rest.len()) > COMPARED {
        let gone =
            old_rest.iter().enumerate().map(|(a, line)| Row::pair(format!("- {}", start + a + 1), *line));
        let come =
            new_rest.iter().enumerate().map(|(b, line)| Row::pair(format!("+ {}", start + b + 1), *line));
        return cut(gone.chain(come).collect());
    }
    // `common[a][b]` is how many lines the rests from `a` and `b` on have in common.
    let mut common = vec![vec![0u32; new_rest.len() + 1]; old_rest.len() + 1];
    for a in (0..old_rest.len()).rev() {
        for b in (0..new_rest.len()).rev() {
            common[a][b] = if old_rest[a] == new_rest[b] {
                common[a + 1][b + 1] + 1
            } else {
                common[a + 1][b].max(common[a][b + 1])
            };
        }
    }
    let mut rows = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < old_rest.len() || b < new_rest.len() {
        if a < old_rest.len() && b < new_rest.len() && old_rest[a] == new_rest[b] {
            (a, b) = (a + 1, b + 1);
        } else if b == new_rest.len() || (a < old_rest.len() && common[a + 1][b] >= common[a][b + 1]) {
            rows.push(Row::pair(format!("- {}", start + a + 1), old_rest[a]));
            a += 1;
        } else {
            rows.push(Row::pair(format!("+ {}", start + b + 1), new_rest[b]));
            b += 1;
        }
    }
    if rows.is_empty() {
        rows.push(Row::Words("Only how lines end.".to_owned()));
    }
    cut(rows)
}

fn cut(mut rows: Vec<Row>) -> Vec<Row> {
    let more = rows.len().saturating_sub(CHANGES);
    if more > 0 {
        rows.truncate(CHANGES);
        rows.push(Row::Words(format!("and {more} lines more")));
    }
    rows
}

/// The line that words of a fault name, counted from 1.
fn named_line(words: &str) -> Option<usize> {
    let behind = words.split_once("line ")?.1;
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> Vec<String> {
        let pairs = changes(old, new).into_iter().map(|row| match row {
            Row::Pair { label, value, .. } => format!("{label} {value}"),
            Row::Words(words) => words,
            Row::Heading(_) | Row::Gap => String::new(),
        });
        pairs.collect()
    }

    #[test]
    fn what_changes_is_shown_by_lines() {
        assert_eq!(shown("a\nb\nc", "a\nB\nc"), ["- 2 b", "+ 2 B"]);
        assert_eq!(shown("a\nb\nc\nd", "a\nc\nd\ne"), ["- 2 b", "+ 4 e"]);
        assert_eq!(shown("", "a"), ["+ 1 a"]);
        assert_eq!(shown("a\n", "a"), ["Only how lines end."]);
        let long: String = (0..500).map(|line| format!("{line}\n")).collect();
        assert_eq!(shown("", &long).last().map(String::as_str), Some("and 100 lines more"));
    }

    #[test]
    fn a_fault_names_its_line() {
        assert_eq!(named_line("line 12, column 3: expected a value"), Some(12));
        assert_eq!(named_line("the field “name” needs a label"), None);
    }
}
