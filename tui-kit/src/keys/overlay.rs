//! The help overlay and the command palette: two looks at one table.

use std::cell::{Cell, RefCell};

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::chord::Chord;
use super::{Actions, OwnKeys};
use crate::edit::Editor;
use crate::text::{self, Align};
use crate::ui::Ui;

/// The widest an overlay is drawn.
const WIDTH_MAX: u16 = 76;

/// What is open over a screen, and the way from a key to an action.
#[derive(Debug, Clone)]
pub struct Keys<A> {
    open: Option<Overlay<A>>,
    /// What the widgets of the last frame take by themselves.
    own: RefCell<Vec<OwnKeys>>,
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed<A> {
    /// Do this.
    Run(A),
    /// This can't be done now; the words say why.
    Refused(String),
    /// The overlay has used the key.
    Taken,
    /// Nobody wants the key.
    Free,
}

#[derive(Debug, Clone)]
struct Overlay<A> {
    title: &'static str,
    fuzzy: bool,
    entries: Vec<Entry<A>>,
    filter: Editor,
    shown: Vec<usize>,
    selected: usize,
    /// The first line in sight at the last drawing; nothing but scrolling reads it.
    top: Cell<usize>,
    refusal: Option<String>,
}

#[derive(Debug, Clone)]
struct Entry<A> {
    /// None for keys that a widget takes by itself.
    act: Option<A>,
    keys: String,
    label: &'static str,
    help: &'static str,
    enabled: Result<(), String>,
}

impl<A> Default for Keys<A> {
    fn default() -> Self {
        Self { open: None, own: RefCell::default() }
    }
}

impl<A: Clone> Keys<A> {
    /// Nothing open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an overlay is open; it then gets every key, before any text field.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Closes what is open.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Turns a key into an action of the screen. Help and palette open and close here.
    ///
    /// A screen with a text field asks the field first, except while [`Keys::is_open`]: F1 and Ctrl-P are never typed,
    /// so they come through, while `?` and `:` are typed.
    pub fn press(&mut self, actions: &Actions<A>, key: KeyEvent) -> Pressed<A> {
        if let Some(overlay) = &mut self.open {
            return match overlay.press(key) {
                Step::Stay => Pressed::Taken,
                Step::Close => {
                    self.open = None;
                    Pressed::Taken
                }
                Step::Run(act) => {
                    self.open = None;
                    Pressed::Run(act)
                }
            };
        }
        if Chord::HELP.is(&key) || Chord::HELP_ANYWHERE.is(&key) {
            self.open = Some(Overlay::new(actions, &self.own.borrow(), "Keys on this screen", false));
            return Pressed::Taken;
        }
        if Chord::PALETTE.is(&key) || Chord::PALETTE_ANYWHERE.is(&key) {
            self.open = Some(Overlay::new(actions, &[], "Commands", true));
            return Pressed::Taken;
        }
        match actions.find(&key) {
            None => Pressed::Free,
            Some(action) => match &action.enabled {
                Ok(()) => Pressed::Run(action.act.clone()),
                Err(why) => Pressed::Refused(format!("{}: {why}", action.label)),
            },
        }
    }

    /// Hands pasted text to the overlay's filter; false when none is open.
    pub fn paste(&mut self, pasted: &str) -> bool {
        let Some(overlay) = &mut self.open else { return false };
        overlay.filter.paste(pasted);
        overlay.refilter();
        true
    }

    /// Draws what is open, over the screen; to be called when all else is drawn.
    pub fn view(&self, ui: &mut Ui<'_, '_>) {
        self.own.replace(ui.own_keys().to_vec());
        if let Some(overlay) = &self.open {
            overlay.view(ui);
        }
    }
}

enum Step<A> {
    Stay,
    Close,
    Run(A),
}

impl<A: Clone> Overlay<A> {
    fn new(actions: &Actions<A>, own: &[OwnKeys], title: &'static str, fuzzy: bool) -> Self {
        let listed = actions.list();
        let entries = listed.iter().map(|action| Entry {
            act: Some(action.act.clone()),
            keys: action.keys.iter().map(Chord::to_string).collect::<Vec<_>>().join(" "),
            label: action.label,
            help: action.help,
            enabled: action.enabled.clone(),
        });
        // A screen may list a widget's key among its actions; one line about it is enough.
        let has =
            |key: &str| listed.iter().any(|action| action.keys.iter().any(|chord| chord.to_string() == key));
        let own = own.iter().filter(|own| !own.keys.split(' ').all(has)).map(|own| Entry {
            act: None,
            keys: own.keys.to_owned(),
            label: own.label,
            help: own.help,
            enabled: Ok(()),
        });
        let entries: Vec<_> = entries.chain(own).collect();
        let shown = (0..entries.len()).collect();
        let filter = Editor::new(64);
        Self { title, fuzzy, entries, filter, shown, selected: 0, top: Cell::new(0), refusal: None }
    }

    fn press(&mut self, key: KeyEvent) -> Step<A> {
        self.refusal = None;
        let last = self.shown.len().saturating_sub(1);
        match key.code {
            KeyCode::Esc if self.filter.is_empty() => return Step::Close,
            KeyCode::Esc => {
                self.filter.clear();
                self.refilter();
            }
            _ if Chord::HELP_ANYWHERE.is(&key) || Chord::PALETTE_ANYWHERE.is(&key) => return Step::Close,
            KeyCode::Enter => {
                let Some(entry) = self.shown.get(self.selected).map(|at| &self.entries[*at]) else {
                    return Step::Stay;
                };
                match (&entry.enabled, &entry.act) {
                    (Ok(()), Some(act)) => return Step::Run(act.clone()),
                    (Ok(()), None) => {
                        self.refusal =
                            Some(format!("{}: press {} on the screen itself", entry.label, entry.keys));
                    }
                    (Err(why), _) => self.refusal = Some(format!("{}: {why}", entry.label)),
                }
            }
            KeyCode::Up => self.selected = self.selected.saturating_sub(1),
            KeyCode::Down => self.selected = (self.selected + 1).min(last),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(10),
            KeyCode::PageDown => self.selected = (self.selected + 10).min(last),
            _ => {
                if self.filter.press(key) {
                    self.refilter();
                }
            }
        }
        Step::Stay
    }

    fn refilter(&mut self) {
        let needle = self.filter.text().trim();
        self.selected = 0;
        if needle.is_empty() {
            self.shown = (0..self.entries.len()).collect();
        } else if self.fuzzy {
            let pattern = Pattern::parse(needle, CaseMatching::Ignore, Normalization::Smart);
            let mut matcher = Matcher::new(Config::DEFAULT);
            let mut buffer = Vec::new();
            let mut score = |words: &str| pattern.score(Utf32Str::new(words, &mut buffer), &mut matcher);
            let mut scored: Vec<_> = (0..self.entries.len())
                .filter_map(|at| {
                    let entry = &self.entries[at];
                    let whole = score(&format!("{} {}", entry.label, entry.help))?;
                    // Who types a command's name means it, whatever the sentences about others say.
                    let label = score(entry.label);
                    Some((std::cmp::Reverse((label, whole)), at))
                })
                .collect();
            scored.sort_unstable();
            self.shown = scored.into_iter().map(|(_, at)| at).collect();
        } else {
            let needle = needle.to_lowercase();
            self.shown = (0..self.entries.len())
                .filter(|at| {
                    let entry = &self.entries[*at];
                    [entry.keys.as_str(), entry.label, entry.help]
                        .iter()
                        .any(|words| words.to_lowercase().contains(&needle))
                })
                .collect();
        }
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        let width = ui.area().width.min(WIDTH_MAX);
        // As high as all entries need between its borders, so that it keeps its height while it is filtered.
        let all: Vec<usize> = (0..self.entries.len()).collect();
        let lines: usize = self.lay_out(&all, width.saturating_sub(2)).iter().map(Vec::len).sum();
        let rows = u16::try_from(lines).unwrap_or(u16::MAX);
        let inner = ui.dialogue(width, rows.saturating_add(5).min(22), self.title);
        let [filter, _, list, foot] = ratatui::layout::Layout::vertical([
            ratatui::layout::Constraint::Length(1),
            ratatui::layout::Constraint::Length(u16::from(inner.height > 4)),
            ratatui::layout::Constraint::Min(0),
            ratatui::layout::Constraint::Length(u16::from(inner.height > 2)),
        ])
        .areas(inner);
        self.view_filter(ui, filter);
        self.view_entries(ui, list);
        let theme = ui.theme();
        match &self.refusal {
            Some(why) => {
                let span = ui.toned(crate::theme::Tone::Warn, why);
                ui.line(foot, span);
            }
            None => ui.line(foot, Line::styled("type to filter  Enter does it  Esc back", theme.dim)),
        }
    }

    fn view_filter(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        let counter = format!("{}/{}", self.shown.len(), self.entries.len());
        let room = area.width.saturating_sub(u16::try_from(counter.len()).unwrap_or(0) + 5);
        let window = self.filter.window(usize::from(room), theme.marks.mask);
        let words = text::fit(&window.text, usize::from(room), Align::Left);
        ui.line(
            area,
            Line::from(vec![
                Span::styled("/ ", theme.key),
                Span::styled(words, theme.field_focused),
                Span::raw("  "),
                Span::styled(counter, theme.dim),
            ]),
        );
        ui.cursor(area.x.saturating_add(2).saturating_add(window.cursor), area.y);
    }

    fn view_entries(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        if self.shown.is_empty() {
            ui.line(area, Line::styled("nothing matches; Esc clears the filter", theme.dim));
            return;
        }
        let laid_out = self.lay_out(&self.shown, area.width);
        let top = self.scroll_to(&laid_out, usize::from(area.height));
        let lines = laid_out.into_iter().zip(&self.shown).enumerate().flat_map(|(index, (lines, at))| {
            let enabled = self.entries[*at].enabled.is_ok();
            lines.into_iter().map(move |line| (line, index == self.selected, enabled))
        });
        for (row, ([keys, label, about], selected, enabled)) in area.rows().zip(lines.skip(top)) {
            let style = |own| if selected { theme.selected } else { own };
            let label_style = if enabled { theme.text } else { theme.dim };
            let line = Line::from(vec![
                Span::styled(keys, style(theme.key)),
                Span::styled(label, style(label_style)),
                Span::styled(about, style(theme.dim)),
            ]);
            ui.line(row, line);
        }
    }

    /// Entries, each as lines of keys, label and sentence that together are as wide as the area. Where it is
    /// narrow the sentence stands below the rest.
    fn lay_out(&self, entries: &[usize], columns: u16) -> Vec<Vec<[String; 3]>> {
        let columns = usize::from(columns);
        let widest = |part: fn(&Entry<A>) -> &str| {
            self.entries.iter().map(|entry| text::width(part(entry))).max().unwrap_or(0)
        };
        let narrow = columns < 50;
        let key_columns = widest(|entry| &entry.keys).clamp(4, if narrow { 12 } else { 16 }).min(columns);
        let label_columns = widest(|entry| entry.label).min(20);
        let indent = if narrow { 2.min(columns) } else { key_columns + label_columns + 3 };
        let room = columns.saturating_sub(indent);
        let lay_out_entry = |at: &usize| {
            let entry = &self.entries[*at];
            let about = match &entry.enabled {
                Ok(()) => entry.help.to_owned(),
                Err(why) => format!("not now: {why}"),
            };
            let mut about = text::wrap(&text::clean(&about), room).into_iter();
            let keys = text::fit(&entry.keys, key_columns, Align::Left);
            let first = if narrow {
                let label = text::fit(entry.label, columns.saturating_sub(key_columns + 1), Align::Left);
                [keys, format!(" {label}"), String::new()]
            } else {
                let label = text::fit(entry.label, label_columns, Align::Left);
                let about = about.next().unwrap_or_default();
                [keys, format!(" {label}  "), text::fit(&about, room, Align::Left)]
            };
            let more = about
                .filter(|line| !line.is_empty())
                .map(|line| [" ".repeat(indent), String::new(), text::fit(&line, room, Align::Left)]);
            std::iter::once(first).chain(more).collect()
        };
        entries.iter().map(lay_out_entry).collect()
    }

    /// The first line in sight: as it was, moved no further than the selected entry needs.
    fn scroll_to(&self, laid_out: &[Vec<[String; 3]>], page: usize) -> usize {
        let before: usize = laid_out.iter().take(self.selected).map(Vec::len).sum();
        let own = laid_out.get(self.selected).map_or(0, Vec::len);
        let total: usize = laid_out.iter().map(Vec::len).sum();
        let lowest = (before + own).saturating_sub(page).min(before);
        let top = self.top.get().clamp(lowest, before).min(total.saturating_sub(page).max(lowest));
        self.top.set(top);
        top
    }
}

#[cfg(test)]
mod tests {
    use super::super::Action;
    use super::*;
    use crate::testing;

    fn table() -> Actions<&'static str> {
        Actions::new(
            "home",
            [
                Action::new("pay", "pay", "p", "Pay", "Pays the order in the cart."),
                Action::new("load", "load", "l", "Load a card", "Requests a card.")
                    .when(false, "no line to the center"),
                Action::new("quit", "quit", "q", "Quit", "Leaves the program."),
            ],
        )
    }

    fn type_into(keys: &mut Keys<&'static str>, typed: &str) -> Pressed<&'static str> {
        let mut last = Pressed::Free;
        for key in testing::keys(typed) {
            last = keys.press(&table(), key);
        }
        last
    }

    #[test]
    fn help_lists_filters_and_runs() {
        let mut keys = Keys::new();
        assert_eq!(type_into(&mut keys, "?"), Pressed::Taken);
        insta::assert_snapshot!(testing::draw(60, 12, |ui| keys.view(ui)), @r"

        ╭ Keys on this screen ─────────────────────────────────────╮
        │/                                                     3/3 │
        │                                                          │
        │p    Pay          Pays the order in the cart.             │
        │l    Load a card  not now: no line to the center          │
        │q    Quit         Leaves the program.                     │
        │type to filter  Enter does it  Esc back                   │
        ╰──────────────────────────────────────────────────────────╯
        ");
        assert_eq!(type_into(&mut keys, "load<enter>"), Pressed::Taken);
        assert!(testing::draw(60, 12, |ui| keys.view(ui)).contains("Load a card: no line to the center"));
        assert_eq!(type_into(&mut keys, "<esc>quit<enter>"), Pressed::Run("quit"));
        assert!(!keys.is_open());
    }

    #[test]
    fn sentences_are_read_whole_where_it_is_narrow() {
        let mut keys = Keys::new();
        type_into(&mut keys, "?<down>");
        insta::assert_snapshot!(testing::draw(24, 14, |ui| keys.view(ui)), @r"

        ╭ Keys on this screen ─╮
        │/                 3/3 │
        │                      │
        │p    Pay              │
        │  Pays the order in   │
        │  the cart.           │
        │l    Load a card      │
        │  not now: no line to │
        │  the center          │
        │q    Quit             │
        │  Leaves the program. │
        │type to filter  Enter…│
        ╰──────────────────────╯
        ");
        type_into(&mut keys, "<down>");
        assert!(testing::draw(24, 8, |ui| keys.view(ui)).contains("Leaves the program."), "scrolled to it");
    }

    #[test]
    fn keys_of_the_widgets_are_listed_unless_the_screen_lists_them() {
        let own = [
            OwnKeys { keys: "/", label: "Filter", help: "Shows only some." },
            OwnKeys { keys: "q", label: "Twice", help: "Listed already." },
        ];
        let mut keys = Keys::new();
        let draw = |keys: &Keys<&'static str>| {
            testing::draw(60, 14, |ui| {
                ui.takes(&own);
                keys.view(ui);
            })
        };
        draw(&keys);
        type_into(&mut keys, "?");
        let shown = draw(&keys);
        assert!(shown.contains("Filter") && !shown.contains("Twice"), "{shown}");
        assert_eq!(type_into(&mut keys, "some<enter>"), Pressed::Taken);
        assert!(draw(&keys).contains("press / on the screen itself"));
        type_into(&mut keys, "<esc><esc>:");
        assert!(!draw(&keys).contains("Filter"), "the palette runs, and these can't be run");
    }

    #[test]
    fn the_palette_is_fuzzy() {
        let mut keys = Keys::new();
        assert_eq!(type_into(&mut keys, ":lv prg<enter>"), Pressed::Run("quit"));
        assert_eq!(type_into(&mut keys, "<ctrl-p>zzz<enter>"), Pressed::Taken);
        assert_eq!(type_into(&mut keys, "<esc><esc>"), Pressed::Taken);
        assert!(!keys.is_open());
    }

    #[test]
    fn the_palette_prefers_a_name_to_a_sentence() {
        let table = Actions::new(
            "store",
            [
                Action::new("home", "home", "1", "Home", "Orders by state, today's total."),
                Action::new("orders", "orders", "2", "Orders", "All of them."),
            ],
        );
        let mut keys = Keys::new();
        let run = testing::keys(":orders<enter>").into_iter().map(|key| keys.press(&table, key)).last();
        assert_eq!(run, Some(Pressed::Run("orders")));
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let mut keys = Keys::new();
        assert_eq!(
            type_into(&mut keys, "l"),
            Pressed::Refused("Load a card: no line to the center".to_owned())
        );
        assert_eq!(type_into(&mut keys, "z"), Pressed::Free);
    }

    #[test]
    fn overlays_survive_any_size() {
        for (width, height) in testing::SIZES {
            for opener in ["?", ":"] {
                let mut keys = Keys::new();
                type_into(&mut keys, opener);
                testing::draw(width, height, |ui| keys.view(ui));
            }
        }
    }
}
