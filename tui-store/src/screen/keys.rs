//! The store's keys: fingerprints, the chain, the recovery phrase; rotation, revocation, a new phrase, the drill.

mod change;
mod drill;
mod renew;

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{self, Screen},
    theme::Tone,
    ui::Ui,
};
use wire::payload::KeyRole;

use crate::{
    act::{Act, Outcome},
    screen::{News, Step, Steps, asked::Asked, shared::Shared},
    view::{KeyRow, KeysView},
};

use change::Change;
use drill::Drill;
use renew::Renew;

/// The keys.
#[derive(Default)]
pub(crate) struct Keys {
    detail: Detail,
    asked: Asked<Box<KeysView>>,
    shown: Option<Box<KeysView>>,
}

/// What can be done with them.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Ask,
    RotateSignature,
    RotateTerminal,
    Revoke,
    RevokeTerminal,
    NewPhrase,
    NewPhraseAtOnce,
    Cancel,
    Drill,
    Copy,
}

impl Keys {
    fn fill(&mut self) {
        let rows = match &self.shown {
            Some(keys) => rows(keys),
            None => vec![Row::Words("The center is asked what it states of the keys.".into())],
        };
        self.detail.set(rows);
    }

    fn ask(&mut self, act: Act, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(act, "the center's statement of the keys", shared)]
    }
}

impl Screen<Shared> for Keys {
    type Do = Do;
    const NAME: &'static str = "keys";

    fn title(&self, _shared: &Shared) -> String {
        "Keys".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let phrase = shared.snapshot.recovery.is_some();
        let waits = self.shown.as_ref().is_some_and(|keys| keys.waiting.is_some());
        vec![
            Action::new(
                Do::Drill,
                "drill",
                "d",
                "Restore drill",
                "Proves that the recovery phrase brings all back.",
            )
            .when(phrase, "there is no recovery phrase; n makes one"),
            Action::new(
                Do::RotateSignature,
                "rotate",
                "s",
                "New signature key",
                "Puts a new signature key in place.",
            ),
            Action::new(
                Do::RotateTerminal,
                "rotate-terminal",
                "t",
                "New terminal key",
                "Puts a new terminal key in place.",
            ),
            Action::new(Do::NewPhrase, "phrase", "n", "New phrase", "Makes a new recovery phrase."),
            Action::new(
                Do::NewPhraseAtOnce,
                "phrase-at-once",
                "N",
                "New phrase at once",
                "Makes a new recovery phrase that the former one puts in force at once.",
            )
            .when(phrase, "there is no former phrase; the first one is in force at once")
            .quiet(),
            Action::new(
                Do::Cancel,
                "cancel",
                "x",
                "Cancel change",
                "Cancels a recovery key that waits, with the phrase.",
            )
            .when(waits, "no recovery key waits"),
            Action::new(Do::Revoke, "revoke", "R", "Revoke", "Revokes the signature key, with the phrase.")
                .when(phrase, "there is no recovery phrase; without it nothing could bring the store back"),
            Action::new(
                Do::RevokeTerminal,
                "revoke-terminal",
                "T",
                "Revoke terminal key",
                "Revokes this terminal's key, with password B.",
            )
            .when(phrase, "there is no recovery phrase; without it nothing could bring the store back")
            .quiet(),
            Action::new(
                Do::Ask,
                "ask",
                "r",
                "Ask center",
                "Asks again, and deposits a copy of the vault if one is due.",
            ),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies all of it."),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Ask => self.ask(Act::Deposit, shared),
            Do::RotateSignature => {
                vec![Step::Push(stack::layer(Change::rotate(KeyRole::Signature, shared)))]
            }
            Do::RotateTerminal => {
                vec![Step::Push(stack::layer(Change::rotate(KeyRole::Terminal, shared)))]
            }
            Do::Revoke => vec![Step::Push(stack::layer(Drill::to_revoke()))],
            Do::RevokeTerminal => vec![Step::Push(stack::layer(Change::revoke_terminal(shared)))],
            Do::NewPhrase => vec![Step::Push(stack::layer(Renew::new()))],
            Do::NewPhraseAtOnce => vec![Step::Push(stack::layer(Renew::at_once()))],
            Do::Cancel => vec![Step::Push(stack::layer(Drill::to_cancel()))],
            Do::Drill => vec![Step::Push(stack::layer(Drill::new()))],
            Do::Copy => vec![Step::Copy { text: self.detail.text(), what: "the keys" }],
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.fill();
        self.ask(Act::Keys, shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Keys(keys) => Some(keys.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, pick) {
            match std::mem::take(&mut self.asked) {
                Asked::Here(keys) => {
                    self.shown = Some(keys);
                    self.fill();
                }
                Asked::Failed(failure) => {
                    self.fill();
                    return vec![Step::Say(Tone::Bad, failure.message)];
                }
                Asked::Not | Asked::Waiting { .. } => {}
            }
        }
        // What another screen changed is seen here without being asked for.
        if let News::Done(_, Ok(Outcome::Resolved(_) | Outcome::Drill(_))) = news
            && !self.asked.is_waiting()
        {
            return self.ask(Act::Keys, shared);
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.detail.view(ui, area);
        if self.asked.is_waiting() {
            let foot = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
            self.asked.view(ui, foot, "");
        }
    }
}

fn rows(keys: &KeysView) -> Vec<Row> {
    let mut rows = vec![Row::Heading("Keys".into())];
    for row in &keys.keys {
        let label = label(row);
        rows.push(Row::pair(label, row.key.as_deref().unwrap_or("none")));
        let tone = if row.words.starts_with("in force") { Tone::Good } else { Tone::Warn };
        rows.push(Row::toned("", tone, row.words.as_str()));
        rows.extend(row.waits.iter().map(|key| Row::toned("waits", Tone::Warn, key.as_str())));
    }
    if let Some((key, from)) = &keys.waiting {
        let words = format!("{key}, in force from {} unless the old phrase cancels it (x)", from.text);
        rows.push(Row::toned("Waits at center", Tone::Warn, words));
    }
    rows.extend(keys.held.iter().map(|until| {
        Row::toned("Money", Tone::Warn, format!("nothing leaves the account until {}", until.text))
    }));
    rows.extend([Row::Gap, Row::Heading("Recovery".into())]);
    match &keys.recovery {
        None => rows.push(Row::toned("Phrase", Tone::Warn, "none; n makes one")),
        Some(recovery) => {
            let confirmed = if recovery.confirmed { "asked back and right" } else { "not asked back yet" };
            rows.push(Row::pair("Phrase", format!("made {}, {confirmed}", recovery.made.text)));
            rows.push(match &recovery.proved {
                Some(at) => Row::toned("Restore proved", Tone::Good, at.text.as_str()),
                None => Row::toned("Restore proved", Tone::Warn, "never; d does it"),
            });
            let deposited = keys.deposited.as_ref().map_or("never", |at| at.text.as_str());
            rows.push(if keys.copy_due {
                Row::toned(
                    "Copy at center",
                    Tone::Warn,
                    format!("{deposited}; a newer one is due, r deposits it"),
                )
            } else {
                Row::toned("Copy at center", Tone::Good, deposited)
            });
        }
    }
    rows.extend([Row::Gap, Row::Heading("Chain, as the center states it".into())]);
    for event in &keys.chain {
        let key = event.key.as_deref().unwrap_or("");
        rows.push(Row::pair(event.entry.to_string(), format!("{}  {key}", event.words)));
    }
    if !keys.locked {
        let words =
            "the system may write keys in memory to its swap; raise the limit of locked memory (ulimit -l)";
        rows.extend([Row::Gap, Row::toned("Memory", Tone::Warn, words)]);
    }
    rows
}

fn label(row: &KeyRow) -> &'static str {
    match row.role.as_str() {
        "signature" => "Signature key",
        "terminal" => "Terminal key",
        _ => "Recovery key",
    }
}
