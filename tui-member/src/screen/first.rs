//! The first start: to join, or to come back.

use tui_kit::{
    keys::Action,
    ratatui::layout::Rect,
    stack::{Screen, layer},
    ui::Ui,
};

use crate::screen::{Step, Steps, join::Join, restore::Restore, shared::Shared};

const WORDS: &str = "This profile has no vault yet.\n\nEnter: join a center, with the invitation that it gave you.\n\nr: bring \
                     your account back on this machine, with invitation and recovery phrase, also when both passwords are \
                     forgotten.";

/// The menu of the first start.
pub(crate) struct First;

/// What can be done first.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Join,
    Restore,
}

impl Screen<Shared> for First {
    type Do = Do;
    const NAME: &'static str = "first";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Welcome to Inkan".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        vec![
            Action::new(
                Do::Join,
                "join",
                "enter j",
                "Join a center",
                "With the invitation that it gave you.",
            ),
            Action::new(Do::Restore, "restore", "r", "Bring back", "With invitation and recovery phrase."),
        ]
    }

    fn run(&mut self, todo: Do, _shared: &mut Shared) -> Steps {
        vec![Step::Push(match todo {
            Do::Join => layer(Join::new()),
            Do::Restore => layer(Restore::new()),
        })]
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let style = ui.theme().text;
        ui.paragraph(area, WORDS, style);
    }
}
