//! Keys: fingerprints, the center's chain of them, recovery; and what changes them.

mod act;

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{Screen, layer},
    theme::Tone,
    ui::Ui,
};
use wire::payload::KeyRole;

use self::act::{Change, How, Kind};
use crate::{
    act::{Act, CustodyAct, Outcome},
    screen::{News, Step, Steps, asked::Asked, shared::Shared},
    view::KeysView,
};

/// All keys on one page.
pub(crate) struct Keys {
    asked: Asked<Box<KeysView>>,
    /// The newest answer; kept while another is awaited.
    keys: Option<Box<KeysView>>,
    detail: Detail,
}

/// What can be done with keys.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Ask,
    RotateSignature,
    RotateTerminal,
    RevokeSignature,
    RevokeTerminal,
    NewPhrase,
    Cancel,
    Drill,
    Deposit,
    Finish,
    Copy,
}

impl Default for Keys {
    fn default() -> Self {
        Self { asked: Asked::Not, keys: None, detail: Detail::default() }
    }
}

impl Screen<Shared> for Keys {
    type Do = Do;
    const NAME: &'static str = "keys";

    fn title(&self, _shared: &Shared) -> String {
        "Keys".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let recovery = &shared.snapshot.custody.recovery;
        let waits = self.keys.as_ref().is_some_and(|keys| keys.waiting_change.is_some());
        let registered = recovery.phrase && recovery.registered;
        let none = "no recovery phrase is registered";
        vec![
            Action::new(Do::Ask, "ask", "r", "Ask center", "Asks for the chain of your keys as it is now."),
            Action::new(
                Do::NewPhrase,
                "new-phrase",
                "p",
                "New phrase",
                "A new recovery phrase, shown and asked back.",
            ),
            Action::new(
                Do::Drill,
                "drill",
                "d",
                "Drill",
                "Restores the deposited copy into a scratch folder and compares it.",
            )
            .when(registered, none),
            Action::new(
                Do::Deposit,
                "deposit",
                "s",
                "Deposit",
                "Deposits a copy of the vault with the center now.",
            )
            .when(registered, none),
            Action::new(
                Do::RotateSignature,
                "rotate-signature",
                "n",
                "New signature key",
                "A fresh key in place of the one that signs.",
            ),
            Action::new(
                Do::RotateTerminal,
                "rotate-terminal",
                "t",
                "New terminal key",
                "A fresh key in place of the one that logs in.",
            ),
            Action::new(
                Do::RevokeSignature,
                "revoke-signature",
                "R",
                "Revoke signature key",
                "Nothing can be signed any more, until the recovery phrase makes a new one.",
            )
            .quiet(),
            Action::new(
                Do::RevokeTerminal,
                "revoke-terminal",
                "T",
                "Revoke terminal key",
                "This terminal can't log in any more, until the recovery phrase makes a new key.",
            )
            .quiet(),
            Action::new(
                Do::Cancel,
                "cancel-change",
                "x",
                "Cancel change",
                "Cancels a new recovery key that waits, with the phrase in force.",
            )
            .when(waits, "no recovery key waits"),
            Action::new(
                Do::Finish,
                "finish-restoring",
                "f",
                "Finish restoring",
                "Changes the keys of a restored vault that are not in force.",
            )
            .when(registered || recovery.phrase, none)
            .quiet(),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies everything here as text."),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let kind = match todo {
            Do::Ask => {
                return vec![self.asked.ask(
                    Act::Custody(CustodyAct::Keys),
                    "the chain of your keys",
                    shared,
                )];
            }
            Do::Copy => return vec![Step::Copy { text: self.detail.text(), what: "the keys" }],
            Do::Deposit => {
                let act = Act::Custody(CustodyAct::Deposit);
                return vec![self.asked.ask(act, "the center to take the copy", shared)];
            }
            Do::RotateSignature => Kind::Rotate(KeyRole::Signature),
            Do::RotateTerminal => Kind::Rotate(KeyRole::Terminal),
            Do::RevokeSignature => Kind::Revoke(KeyRole::Signature),
            Do::RevokeTerminal => Kind::Revoke(KeyRole::Terminal),
            Do::NewPhrase => {
                let recovery = &shared.snapshot.custody.recovery;
                Kind::NewPhrase(if recovery.registered { How::Former } else { How::First })
            }
            Do::Cancel => Kind::Cancel,
            Do::Drill => Kind::Drill,
            Do::Finish => Kind::Finish,
        };
        vec![Step::Push(layer(Change::new(kind, shared)))]
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Custody(CustodyAct::Keys), "the chain of your keys", shared)]
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        // Whatever changed the keys answers with all of them.
        if let News::Done(_, Ok(Outcome::Keys(keys))) = news {
            self.keys = Some(keys.clone());
            self.detail.set(rows(keys));
        }
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Keys(keys) => Some(keys.clone()),
            _ => None,
        };
        if self.asked.told(news, pick)
            && let Asked::Failed(failure) = &self.asked
        {
            return vec![Step::Say(Tone::Bad, failure.message.clone())];
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.keys.is_none() {
            self.asked.view(ui, area, "r asks again");
            return;
        }
        self.detail.view(ui, area);
        if let Asked::Waiting { waiting, .. } = &self.asked {
            let foot = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
            waiting.view(ui, foot);
        }
    }
}

/// All keys as rows.
fn rows(keys: &KeysView) -> Vec<Row> {
    let mut rows = vec![Row::Heading("This vault's keys".into())];
    for key in &keys.own {
        rows.push(match &key.fingerprint {
            Some(fingerprint) => Row::pair(key.role.as_str(), fingerprint.as_str()),
            None => Row::toned(key.role.as_str(), Tone::Dim, "none"),
        });
        rows.extend(key.waits.iter().map(|waits| Row::toned("", Tone::Warn, format!("{waits} waits"))));
    }
    rows.push(Row::Gap);
    rows.push(Row::Heading("Recovery".into()));
    let recovery = &keys.recovery;
    rows.push(match (recovery.phrase, recovery.registered) {
        (true, true) => Row::toned("Phrase", Tone::Good, "registered with the center"),
        (true, false) => Row::toned("Phrase", Tone::Warn, "made here, not registered; p makes one that is"),
        (false, _) => Row::toned("Phrase", Tone::Warn, "none: what is lost stays lost; p makes one"),
    });
    if recovery.phrase {
        let at = |moment: &Option<crate::view::Moment>| moment.as_ref().map(|at| at.text.clone());
        rows.push(Row::pair("Proved", at(&recovery.proved).unwrap_or_else(|| "never; d proves it".into())));
        rows.push(match recovery.deposited.is_some() && !recovery.due {
            true => Row::pair("Copy at center", recovery.copy_words()),
            false => {
                Row::toned("Copy at center", Tone::Warn, format!("{}; s deposits it", recovery.copy_words()))
            }
        });
    }
    if let (Some(change), Some(from)) = (keys.waiting_change, &keys.waiting_from) {
        let words =
            format!("asked for in {change}, in force from {}; x cancels it with the old phrase", from.text);
        rows.push(Row::toned("New phrase waits", Tone::Warn, words));
    }
    rows.extend(keys.held.iter().map(|until| {
        Row::toned("Held", Tone::Warn, format!("no money leaves the account until {}", until.text))
    }));
    rows.push(Row::Gap);
    let as_of = keys.chain_as_of.as_ref().map_or_else(String::new, |at| format!(", as of {}", at.text));
    rows.push(Row::Heading(format!("The center's chain of your keys{as_of}")));
    if keys.chain.is_empty() {
        rows.push(Row::Words("Not seen since this program began: there was no line.".into()));
    }
    for event in &keys.chain {
        let words = match &event.fingerprint {
            Some(fingerprint) => format!("{} key {fingerprint}", event.role),
            None => format!("{} key revoked", event.role),
        };
        let (tone, words) =
            if event.own { (Tone::Plain, words) } else { (Tone::Bad, format!("{words}: NOT MADE HERE")) };
        rows.push(Row::toned(event.entry.to_string(), tone, words));
    }
    rows
}
