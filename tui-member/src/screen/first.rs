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
                     forgotten.\n\nl: the terminal is lost, and there is no phrase: the center has to admit this one in its \
                     place.";

/// The same where rows are scarce.
const SHORT_WORDS: &str = "This profile has no vault yet.\n\nEnter: join, with an invitation.\n\nr: bring back, with the \
                           recovery phrase.\n\nl: replace a lost terminal, without a phrase.";

/// The menu of the first start.
pub(crate) struct First;

/// What can be done first.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Join,
    Restore,
    Replace,
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
            Action::new(
                Do::Replace,
                "replace",
                "l",
                "Replace",
                "A new terminal in the place of one that is lost, without its phrase.",
            ),
        ]
    }

    fn run(&mut self, todo: Do, _shared: &mut Shared) -> Steps {
        vec![Step::Push(match todo {
            Do::Join => layer(Join::new()),
            Do::Restore => layer(Restore::new()),
            Do::Replace => layer(Join::replacing()),
        })]
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let style = ui.theme().text;
        ui.paragraph(area, if area.height < 14 { SHORT_WORDS } else { WORDS }, style);
    }
}
