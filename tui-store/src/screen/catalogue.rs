//! The catalogue: what is sold, what is wrong with its folder, and choosing another.

use std::path::PathBuf;

use tui_kit::{
    KeyCode, KeyEvent,
    detail::{Detail, Row},
    form::{Field, Form, Pressed as FormPressed},
    keys::Action,
    ratatui::{
        layout::{Constraint, Layout, Rect},
        text::Line,
    },
    stack::{self, Screen},
    table::{self, Column, Pressed, Rows, Table},
    text,
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::{Act, Outcome},
    screen::{News, Step, Steps, asked::Asked, shared::Shared, words},
    view::{CatalogueView, ItemRow},
};

const FOLDER: &str = "folder";

/// The most rows that faults take above the list.
const FAULT_ROWS_MAX: u16 = 6;

/// What is sold.
pub(crate) struct Catalogue {
    table: Table<String>,
}

impl Default for Catalogue {
    fn default() -> Self {
        let columns = [
            Column::growing("Title", 14),
            Column::fixed("Id", 16).rank(2),
            Column::fixed("Price", 14).right(),
            Column::fixed("File", 20).rank(3),
            Column::fixed("Size", 9).right().rank(1),
        ];
        let empty = "Nothing is sold. Put a catalogue.toml with its files into the folder, and it is sold at once; \
                     f chooses another folder.";
        Self { table: Table::new(columns, empty) }
    }
}

/// What can be done with the catalogue.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Folder,
    Faults,
    Copy,
    CopyAll,
}

impl Catalogue {
    fn chosen<'a>(&self, shared: &'a Shared) -> Option<&'a ItemRow> {
        let selected = self.table.selected()?;
        shared.snapshot.catalogue.items.iter().find(|item| item.id.as_str() == selected)
    }
}

impl Screen<Shared> for Catalogue {
    type Do = Do;
    const NAME: &'static str = "catalogue";

    fn title(&self, _shared: &Shared) -> String {
        "Catalogue".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let (some, none) = (self.chosen(shared).is_some(), "no item is selected");
        vec![
            Action::new(Do::Open, "open", "enter", "Open", "The item in full.").when(some, none),
            Action::new(
                Do::Faults,
                "faults",
                "w",
                "What is wrong",
                "Everything that is wrong with the folder.",
            )
            .when(!shared.snapshot.catalogue.faults.is_empty(), "nothing is wrong with the folder"),
            Action::new(Do::Folder, "folder", "f", "Folder", "Sells from another folder from now on."),
            Action::new(Do::Copy, "copy", "y", "Copy id", "Copies the item's id.").when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let catalogue = &shared.snapshot.catalogue;
        let step = match todo {
            Do::Folder => Some(Step::Push(stack::layer(Folder::new(catalogue)))),
            Do::Faults => Some(Step::Push(stack::layer(Text::faults(catalogue)))),
            Do::Open => self.chosen(shared).map(|item| Step::Push(stack::layer(Text::item(item)))),
            Do::Copy => {
                let item = self.chosen(shared);
                item.map(|item| Step::Copy { text: item.id.to_string(), what: "the item's id" })
            }
            Do::CopyAll => self.chosen(shared).map(|item| words::copy_json(item, "the item")),
        };
        step.into_iter().collect()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let pressed = self.table.press(key, &table_rows(&shared.snapshot.catalogue.items));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        self.table.paste(pasted, &table_rows(&shared.snapshot.catalogue.items));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&table_rows(&shared.snapshot.catalogue.items));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.table.refresh(&table_rows(&shared.snapshot.catalogue.items));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let catalogue = &shared.snapshot.catalogue;
        let columns = usize::from(area.width);
        let wrapped = fault_lines(catalogue, ui, columns);
        let rows = u16::try_from(wrapped.len()).unwrap_or(u16::MAX).min(FAULT_ROWS_MAX).min(area.height / 2);
        let [head, faults, list] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(rows), Constraint::Min(0)])
                .areas(area);
        let when =
            catalogue.loaded.as_ref().map(|at| format!(", taken over {}", at.text)).unwrap_or_default();
        let folder = catalogue.folder.display().to_string();
        let room = columns.saturating_sub(text::width(&when));
        let words = format!("{}{when}", text::truncate_middle(&text::clean(&folder), room));
        ui.line(head, Line::styled(words, ui.theme().dim));
        ui.lines(faults, wrapped);
        self.table.view(ui, list, &table_rows(&catalogue.items));
    }
}

/// The faults, and that the last good state is sold meanwhile.
fn fault_lines(catalogue: &CatalogueView, ui: &Ui<'_, '_>, columns: usize) -> Vec<Line<'static>> {
    if catalogue.faults.is_empty() {
        return Vec::new();
    }
    let meanwhile = if catalogue.loaded.is_some() {
        "The last good state goes on being sold until this is put right:"
    } else {
        "Nothing is sold until this is put right:"
    };
    let (warn, bad) = (ui.theme().warn, ui.theme().bad);
    let mut lines: Vec<Line<'static>> =
        text::wrap(meanwhile, columns).into_iter().map(|line| Line::styled(line, warn)).collect();
    for fault in &catalogue.faults {
        let words = format!("{} {}", ui.theme().mark(Tone::Bad), text::clean_lines(fault));
        lines.extend(text::wrap(&words, columns).into_iter().map(|line| Line::styled(line, bad)));
    }
    lines
}

fn table_rows(items: &[ItemRow]) -> impl Rows<Key = String> {
    table::rows(
        items,
        |item| item.id.to_string(),
        |item| {
            vec![
                item.title.as_str().into(),
                item.id.as_str().into(),
                item.price.text.as_str().into(),
                item.file_name.as_str().into(),
                text::bytes(item.size).into(),
            ]
        },
    )
}

/// Rows to be read: an item, or what is wrong with the folder.
struct Text {
    title: &'static str,
    detail: Detail,
}

impl Text {
    fn item(item: &ItemRow) -> Self {
        let tags: Vec<&str> = item.tags.iter().map(|tag| tag.as_str()).collect();
        let rows = [
            Row::Heading(item.title.to_string()),
            Row::Gap,
            Row::pair("Price", item.price.text.as_str()),
            Row::pair("Id", item.id.to_string()),
            Row::pair("File", format!("{}, {}", item.file_name, text::bytes(item.size))),
            Row::pair("Tags", if tags.is_empty() { "(none)".to_owned() } else { tags.join(", ") }),
        ];
        Self { title: "Catalogue › Item", detail: Detail::new(rows) }
    }

    fn faults(catalogue: &CatalogueView) -> Self {
        let head = Row::Words(format!("In {}:", catalogue.folder.display()));
        let mut rows = vec![head];
        for fault in &catalogue.faults {
            rows.extend([Row::Gap, Row::Words(fault.clone())]);
        }
        Self { title: "Catalogue › What is wrong", detail: Detail::new(rows) }
    }
}

impl Screen<Shared> for Text {
    type Do = ();
    const NAME: &'static str = "catalogue-text";

    fn title(&self, _shared: &Shared) -> String {
        self.title.into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        vec![Action::new((), "copy", "y", "Copy", "Copies the text.")]
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        vec![Step::Copy { text: self.detail.text(), what: "the text" }]
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.detail.view(ui, area);
    }
}

/// Choosing the catalogue's folder.
struct Folder {
    form: Form,
    /// Choosing it; the answer is how much is wrong with it.
    asked: Asked<usize>,
}

impl Folder {
    fn new(catalogue: &CatalogueView) -> Self {
        let folder = catalogue.folder.display().to_string();
        let field = Field::text(FOLDER, "Folder")
            .required()
            .max(1_000)
            .hint("where catalogue.toml and the goods lie")
            .with(&folder);
        Self { form: Form::new("Sell from here", [field]), asked: Asked::Not }
    }

    fn choose(&mut self, shared: &mut Shared) -> Steps {
        if self.form.submit() != FormPressed::Submit {
            return Steps::new();
        }
        let folder = PathBuf::from(self.form.text(FOLDER));
        vec![self.asked.ask(Act::ChooseCatalogue { folder }, "the folder to be read", shared)]
    }
}

impl Screen<Shared> for Folder {
    type Do = ();
    const NAME: &'static str = "folder";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Catalogue › Folder".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        vec![Action::new((), "choose", "enter", "Sell from here", "Sells from this folder from now on.")]
    }

    fn run(&mut self, _todo: (), shared: &mut Shared) -> Steps {
        self.choose(shared)
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.asked.is_waiting() {
            return None;
        }
        // There is one field: Enter need not go to the button first.
        if key.code == KeyCode::Enter {
            return Some(self.choose(shared));
        }
        match self.form.press(key) {
            FormPressed::Taken => Some(Steps::new()),
            FormPressed::Submit => Some(self.choose(shared)),
            FormPressed::Free | FormPressed::Back => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if !self.asked.is_waiting() {
            self.form.paste(pasted);
        }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let faults = |outcome: &Outcome| match outcome {
            Outcome::Catalogue(catalogue) => Some(catalogue.faults.len()),
            _ => None,
        };
        if !self.asked.told(news, shared, faults) {
            return Steps::new();
        }
        let said = match std::mem::replace(&mut self.asked, Asked::Not) {
            Asked::Failed(failure) => {
                self.form.refuse(FOLDER, failure.message);
                return Steps::new();
            }
            Asked::Here(1..) => {
                Step::Say(Tone::Warn, "the folder is chosen; see what is wrong with it".into())
            }
            _ => Step::Say(Tone::Good, "this folder is sold from now on".into()),
        };
        vec![said, Step::Back]
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.asked.is_waiting() {
            self.asked.view(ui, area, "");
        } else {
            self.form.view(ui, area);
        }
    }
}
