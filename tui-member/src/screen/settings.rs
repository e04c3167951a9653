//! Settings: the two passwords, password B for a while, the idle lock, the look, reduced motion.

mod signing;

use tui_kit::{
    KeyEvent, Look,
    form::{Field, Form, Pressed as Filled},
    keys::Action,
    progress::Waiting,
    ratatui::layout::Rect,
    stack::{Screen, layer},
    table::{self, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::{Act, CustodyAct, Outcome, Password},
    screen::{
        News, Step, Steps,
        asked::Asked,
        join::steps::strength,
        shared::{Preferences, Shared},
    },
};

/// The list of settings.
pub(crate) struct Settings {
    table: Table<Setting>,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    PasswordA,
    PasswordB,
    Signing,
    Lock,
    Look,
    Motion,
}

const ALL: [Setting; 6] =
    [Setting::PasswordA, Setting::PasswordB, Setting::Signing, Setting::Lock, Setting::Look, Setting::Motion];

/// After how many idle minutes the vault may be closed; 0 is never.
const LOCK_MINUTES: [u16; 6] = [1, 5, 15, 30, 60, 0];

const LOOKS: [(Look, &str); 5] = [
    (Look::Terminal, "the terminal's own colours"),
    (Look::Light, "light"),
    (Look::Dark, "dark"),
    (Look::HighContrast, "high contrast"),
    (Look::Mono, "mono"),
];

impl Default for Settings {
    fn default() -> Self {
        let columns = [Column::fixed("Setting", 16), Column::growing("Now", 12)];
        Self { table: Table::new(columns, "") }
    }
}

/// What can be done with settings.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Change,
}

impl Screen<Shared> for Settings {
    type Do = Do;
    const NAME: &'static str = "settings";

    fn title(&self, _shared: &Shared) -> String {
        "Settings".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        vec![Action::new(
            Do::Change,
            "change",
            "enter",
            "Change",
            "Changes the selected setting, or opens it.",
        )]
    }

    fn run(&mut self, _todo: Do, shared: &mut Shared) -> Steps {
        let Some(setting) = self.table.selected() else { return Steps::new() };
        let now = shared.preferences.clone();
        vec![match setting {
            Setting::PasswordA => Step::Push(layer(Change::new(Which::A))),
            Setting::PasswordB => Step::Push(layer(Change::new(Which::B))),
            Setting::Signing if shared.snapshot.custody.signing_until.is_some() => {
                shared.order(Act::Custody(CustodyAct::CloseSigning))
            }
            Setting::Signing => Step::Push(layer(signing::Open::new())),
            Setting::Lock => {
                let at = LOCK_MINUTES.iter().position(|minutes| *minutes == now.lock_minutes).unwrap_or(1);
                let lock_minutes = LOCK_MINUTES[(at + 1) % LOCK_MINUTES.len()];
                return shared.prefer(Preferences { lock_minutes, ..now });
            }
            Setting::Motion => {
                return shared.prefer(Preferences { reduced_motion: !now.reduced_motion, ..now });
            }
            Setting::Look => {
                let at = LOOKS.iter().position(|(look, _)| *look == now.look).unwrap_or(0);
                return shared.prefer(Preferences { look: LOOKS[(at + 1) % LOOKS.len()].0, ..now });
            }
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let pressed = self.table.press(key, &rows(shared));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Change, shared)),
            Pressed::Free => None,
        }
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&rows(shared));
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &rows(shared));
    }
}

fn rows(shared: &Shared) -> impl Rows<Key = Setting> {
    table::rows(
        &ALL,
        |setting| *setting,
        |setting| {
            let (name, now) = match setting {
                Setting::PasswordA => ("Password A", "Enter changes it".to_owned()),
                Setting::PasswordB => ("Password B", "Enter changes it".to_owned()),
                Setting::Signing => {
                    let until = shared.snapshot.custody.signing_until.as_ref();
                    let open = until.map(|until| format!("open until {}; Enter closes it", until.text));
                    (
                        "Signature key",
                        open.unwrap_or_else(|| "asked for at every act; Enter opens it a while".into()),
                    )
                }
                Setting::Lock => (
                    "Idle lock",
                    match shared.preferences.lock_minutes {
                        0 => "never".to_owned(),
                        minutes => format!("closes the vault after {minutes} min without a key"),
                    },
                ),
                Setting::Look => {
                    let look = LOOKS.iter().find(|(look, _)| *look == shared.preferences.look);
                    ("Look", look.map(|(_, words)| (*words).to_owned()).unwrap_or_default())
                }
                Setting::Motion => (
                    "Reduced motion",
                    if shared.preferences.reduced_motion { "on: no running seconds" } else { "off" }
                        .to_owned(),
                ),
            };
            vec![name.into(), now.into()]
        },
    )
}

/// Which password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    A,
    B,
}

const OLD: &str = "old";
const NEW: &str = "new";

/// Changing a password.
struct Change {
    which: Which,
    form: Form,
    asked: Asked<()>,
}

impl Change {
    fn new(which: Which) -> Self {
        let name = which.name();
        let fields = [
            Field::password(OLD, format!("{name} now")).required(),
            Field::password(NEW, format!("New {name}"))
                .required()
                .hint(format!("at least {} characters", vault::CHARACTERS_MIN)),
            Field::password("again", format!("New {name} again")).required().repeats(NEW),
        ];
        Self { which, form: Form::new("Change", fields), asked: Asked::Not }
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        let (Some(old), Some(new)) = (self.form.secret(OLD), self.form.secret(NEW)) else {
            return Steps::new();
        };
        self.form.wipe();
        let (old, new) = (Password(old), Password(new));
        let act = match self.which {
            Which::A => Act::ChangePasswordA { old, new },
            Which::B => Act::ChangePasswordB { old, new },
        };
        vec![self.asked.ask(act, "the vault to change the password", shared)]
    }
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::A => "Password A",
            Self::B => "Password B",
        }
    }
}

impl Screen<Shared> for Change {
    type Do = ();
    const NAME: &'static str = "settings";

    fn title(&self, _shared: &Shared) -> String {
        format!("Settings › {}", self.which.name())
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.asked.is_waiting() {
            return None;
        }
        let pressed = self.form.press(key);
        let strength = self.form.secret(NEW).map(|secret| strength(&secret));
        self.form.set_strength(NEW, strength);
        match pressed {
            Filled::Taken => Some(Steps::new()),
            Filled::Free | Filled::Back => None,
            Filled::Submit => Some(self.ask(shared)),
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        self.form.paste(pasted);
    }

    fn guards(&self) -> bool {
        true
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        if !self.asked.told(news, |outcome| matches!(outcome, Outcome::Done).then_some(())) {
            return Steps::new();
        }
        match &self.asked {
            Asked::Here(()) => {
                vec![Step::Say(Tone::Good, format!("{} is changed", self.which.name())), Step::Back]
            }
            Asked::Failed(failure) => {
                self.form.refuse(OLD, failure.message.clone());
                Steps::new()
            }
            Asked::Not | Asked::Waiting { .. } => Steps::new(),
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.asked {
            Asked::Waiting { waiting, .. } => {
                Waiting { cancel: String::new(), ..waiting.clone() }.view(ui, area)
            }
            _ => self.form.view(ui, area),
        }
    }
}
