//! Settings: passwords, looks, and who one is: numbers, keys, addresses.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{self, Screen},
    theme::{Look, Tone},
    ui::Ui,
};

use crate::{
    act::{Act, Outcome},
    app::Effect,
    screen::{
        News, Step, Steps,
        asked::Asked,
        hold::Hold,
        password::{Change, Which},
        shared::Shared,
        words,
    },
    view::Findings,
};

const LOOKS: [(Look, &str); 5] = [
    (Look::Terminal, "the terminal's own colours"),
    (Look::Light, "light"),
    (Look::Dark, "dark"),
    (Look::HighContrast, "high contrast"),
    (Look::Mono, "no colours"),
];

/// After how many minutes the screens lock; 0 for never.
const LOCKS: [u32; 5] = [5, 10, 30, 60, 0];

/// The settings.
#[derive(Default)]
pub(crate) struct Settings {
    detail: Detail,
    findings: Asked<Box<Findings>>,
}

/// What can be set.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    PasswordA,
    PasswordB,
    Look,
    Hold,
    Close,
    Lock,
    Doctor,
    Copy,
}

impl Settings {
    fn rows(&self, shared: &Shared) -> Vec<Row> {
        let snapshot = &shared.snapshot;
        let look =
            LOOKS.iter().find(|(look, _)| *look == shared.preferences.look).map_or("", |(_, words)| words);
        let mut rows = vec![Row::Heading("Store".into())];
        rows.extend(snapshot.store.map(|store| Row::pair("Number", store.to_string())));
        rows.push(Row::pair("Name", snapshot.name.to_string()));
        rows.push(Row::pair("Profile", shared.place.profile.as_str()));
        rows.push(Row::pair("Listens at", list(&snapshot.counter.listening)));
        rows.push(Row::pair("Members find it at", list(&snapshot.counter.announced)));
        rows.push(Row::pair("Look", look));
        rows.push(Row::pair("Locking", locks_words(shared.preferences.lock_minutes)));
        let signing = snapshot.signing_until.as_ref();
        rows.push(Row::pair(
            "Password B",
            signing
                .map_or("is asked for at every act".to_owned(), |until| format!("open until {}", until.text)),
        ));
        if let Some(center) = &snapshot.center {
            rows.extend([
                Row::Gap,
                Row::Heading("Center".into()),
                Row::pair("Name", center.name.to_string()),
                Row::pair("Fingerprint", center.fingerprint.as_str()),
                Row::pair("Currency", center.currency.code()),
                Row::pair("Zone", center.zone.to_string()),
                Row::pair("Addresses", center.addresses.join("\n")),
                Row::pair("Key sheet", center.sheet.to_string()),
                Row::pair("Help", center.help.to_string()),
            ]);
        }
        rows.extend([Row::Gap, Row::Heading("Keys, clock and line".into())]);
        match &self.findings {
            Asked::Here(findings) => rows.extend(found(findings)),
            Asked::Failed(failure) => rows.push(Row::toned("Look", Tone::Bad, failure.message.as_str())),
            Asked::Waiting { .. } => rows.push(Row::Words("Looking at them.".into())),
            Asked::Not => rows.push(Row::Words("d looks at them.".into())),
        }
        rows
    }
}

fn locks_words(minutes: u32) -> String {
    match minutes {
        0 => "the screens never lock by themselves".into(),
        minutes => format!("the screens lock after {minutes} minutes without a key; the counter stays open"),
    }
}

fn found(findings: &Findings) -> Vec<Row> {
    let mut rows = vec![
        Row::pair("Signature key", findings.signature_key.as_str()),
        Row::pair("Terminal key", findings.terminal_key.as_str()),
        Row::toned("Line", words::line_tone(&findings.line), findings.line.words()),
    ];
    let skew = findings.clock_ahead_ms.map(|ms| match ms {
        -2_000..=2_000 => Row::toned("Clock", Tone::Good, "goes with the center's"),
        ms => Row::toned("Clock", Tone::Warn, format!("{} s ahead of the center's", ms / 1_000)),
    });
    rows.extend(skew);
    rows.extend(findings.vault.iter().map(|finding| Row::toned("Vault", Tone::Bad, finding.as_str())));
    rows
}

fn list(addresses: &[String]) -> String {
    if addresses.is_empty() { "nowhere".to_owned() } else { addresses.join("\n") }
}

impl Screen<Shared> for Settings {
    type Do = Do;
    const NAME: &'static str = "settings";

    fn title(&self, _shared: &Shared) -> String {
        "Settings".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        vec![
            Action::new(Do::PasswordA, "password-a", "a", "Password A", "Changes what opens the vault."),
            Action::new(
                Do::PasswordB,
                "password-b",
                "b",
                "Password B",
                "Changes what opens the signature key.",
            ),
            Action::new(Do::Hold, "hold", "m", "Open B", "Opens password B for some minutes.")
                .when(shared.snapshot.signing_until.is_none(), "it is open"),
            Action::new(Do::Close, "close", "c", "Close B", "Closes password B at once.")
                .when(shared.snapshot.signing_until.is_some(), "it is not open"),
            Action::new(
                Do::Lock,
                "lock",
                "k",
                "Lock after",
                "After how long the screens lock by themselves.",
            ),
            Action::new(Do::Look, "look", "t", "Look", "The next look: colours, contrast."),
            Action::new(Do::Doctor, "doctor", "d", "Doctor", "Looks at keys, clock and line."),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies all of it."),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::PasswordA => vec![Step::Push(stack::layer(Change::new(Which::A)))],
            Do::PasswordB => vec![Step::Push(stack::layer(Change::new(Which::B)))],
            Do::Look => {
                let here = LOOKS.iter().position(|(look, _)| *look == shared.preferences.look).unwrap_or(0);
                let (look, words) = LOOKS[(here + 1) % LOOKS.len()];
                shared.preferences.look = look;
                let keep = Step::Own(Effect::Keep(shared.preferences.clone()));
                self.detail.set(self.rows(shared));
                vec![Step::Look(look), keep, Step::Say(Tone::Plain, format!("look: {words}"))]
            }
            Do::Hold => vec![Step::Push(stack::layer(Hold::new()))],
            Do::Close => vec![shared.order(Act::CloseSigning)],
            Do::Lock => {
                let here = LOCKS.iter().position(|minutes| *minutes == shared.preferences.lock_minutes);
                shared.preferences.lock_minutes = LOCKS[(here.unwrap_or(0) + 1) % LOCKS.len()];
                let keep = Step::Own(Effect::Keep(shared.preferences.clone()));
                self.detail.set(self.rows(shared));
                vec![keep, Step::Say(Tone::Plain, locks_words(shared.preferences.lock_minutes))]
            }
            Do::Doctor => {
                let step = self.findings.ask(Act::Doctor, "keys, clock and line", shared);
                self.detail.set(self.rows(shared));
                vec![step]
            }
            Do::Copy => vec![Step::Copy { text: self.detail.text(), what: "the settings" }],
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.detail.set(self.rows(shared));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Doctor(findings) => Some(findings.clone()),
            _ => None,
        };
        if self.findings.told(news, shared, pick) || matches!(news, News::Snapshot) {
            self.detail.set(self.rows(shared));
        }
        Steps::new()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.detail.view(ui, area);
    }
}
