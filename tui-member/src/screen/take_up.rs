//! Taking up what a cashier sold: the store's number and the code that the cashier shows, then the review.

use tui_kit::{
    KeyEvent,
    form::{Field, Form, Pressed},
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{Screen, layer},
    ui::Ui,
};
use wire::{id::StoreNumber, text::Line, till::PickUpCode};

use crate::{
    screen::{Step, Steps, pay::Pay, shared::Shared},
    view::StoreRow,
};

const STORE: &str = "store";
const CODE: &str = "code";

/// The form with store and code.
pub(crate) struct TakeUp {
    form: Form,
    /// The store that was chosen in the directory.
    chosen: Option<(StoreNumber, Line)>,
}

impl TakeUp {
    /// Of the store that is chosen, or of one whose number is typed.
    pub(crate) fn new(chosen: Option<&StoreRow>) -> Self {
        let store = Field::text(STORE, "Store")
            .required()
            .hint("its number, such as S-000001-7")
            .check(|typed| typed.parse::<StoreNumber>().map(drop).map_err(|error| error.to_string()));
        let store = match chosen {
            Some(chosen) => store.with(&chosen.store.to_string()),
            None => store,
        };
        let code = Field::code(CODE, "Code", PickUpCode::LETTERS)
            .required()
            .hint("eight letters and digits, as the cashier shows them");
        let mut form = Form::new("Take up", [store, code]);
        if chosen.is_some() {
            form.focus(CODE);
        }
        Self { form, chosen: chosen.map(|row| (row.store, row.name.clone())) }
    }

    fn take_up(&self) -> Steps {
        let (Ok(store), Ok(code)) = (self.form.text(STORE).parse(), self.form.text(CODE).parse()) else {
            return Steps::new();
        };
        let known = self.chosen.as_ref().filter(|(number, _)| *number == store);
        let name = known.map(|(_, name)| name.clone());
        let name = name.unwrap_or_else(|| Line::new(&store.to_string()).unwrap_or_default());
        vec![Step::Push(layer(Pay::sold(store, name, code)))]
    }
}

impl Screen<Shared> for TakeUp {
    type Do = ();
    const NAME: &'static str = "take-up";

    fn title(&self, _shared: &Shared) -> String {
        "Stores › Take up a sale".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        match self.form.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Submit => Some(self.take_up()),
            Pressed::Free | Pressed::Back => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        self.form.paste(pasted);
    }

    fn guards(&self) -> bool {
        self.form.is_touched()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let [words, fields] = Layout::vertical([Constraint::Length(3), Constraint::Min(0)]).areas(area);
        let style = ui.theme().text;
        let said = "A cashier at the store sells and shows a code. Whoever types it first buys: look at the review before you \
                    pay.";
        ui.paragraph(words, said, style);
        self.form.view(ui, fields);
    }
}
