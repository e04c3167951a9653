//! Keys that a person has chosen, in one TOML table, and what is wrong with them.

use std::collections::{BTreeMap, HashMap};

use super::chord::Chord;

/// The keys that a person has chosen.
///
/// ```toml
/// [keys]
/// quit = "ctrl-q"               # on every screen that has this action
/// "history.open" = ["o", "enter"]  # on one screen
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bindings {
    chosen: BTreeMap<String, Vec<Chord>>,
}

/// The actions of a screen as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The screen's name.
    pub screen: &'static str,
    /// Its actions, in order.
    pub rows: Vec<OutlineRow>,
}

/// One action as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the same as in `Action`")]
pub struct OutlineRow {
    pub id: &'static str,
    pub keys: Vec<Chord>,
    pub label: &'static str,
    pub help: &'static str,
}

impl Bindings {
    /// Reads the table `[keys]` of a TOML document; a document without it chooses nothing.
    ///
    /// # Errors
    /// A sentence for each entry that can't be read.
    pub fn read(document: &str) -> Result<Self, Vec<String>> {
        let document: toml::Table = document
            .parse()
            .map_err(|error: toml::de::Error| vec![format!("the file is not TOML: {}", error.message())])?;
        match document.get("keys") {
            None => Ok(Self::default()),
            Some(toml::Value::Table(table)) => Self::from_table(table),
            Some(_) => Err(vec!["\"keys\" must be a table: [keys]".to_owned()]),
        }
    }

    /// Reads the table itself.
    ///
    /// # Errors
    /// A sentence for each entry that can't be read.
    pub fn from_table(table: &toml::Table) -> Result<Self, Vec<String>> {
        let mut chosen = BTreeMap::new();
        let mut problems = Vec::new();
        for (action, value) in table {
            match read_keys(value) {
                Ok(keys) => {
                    chosen.insert(action.clone(), keys);
                }
                Err(why) => problems.push(format!("[keys] {action}: {why}")),
            }
        }
        if problems.is_empty() { Ok(Self { chosen }) } else { Err(problems) }
    }

    /// The keys chosen for an action: for this screen, else for every screen.
    pub fn keys(&self, screen: &str, action: &str) -> Option<&[Chord]> {
        self.chosen.get(&format!("{screen}.{action}")).or_else(|| self.chosen.get(action)).map(Vec::as_slice)
    }

    /// What is wrong with the keys of these screens, as they are bound: names that no screen has, one key for two
    /// actions, keys that every screen keeps for itself, actions without a key. Empty when all is well; to be shown
    /// at the start.
    pub fn problems(&self, screens: &[Outline]) -> Vec<String> {
        let mut problems = Vec::new();
        for name in self.chosen.keys() {
            let known = screens.iter().any(|screen| {
                screen
                    .rows
                    .iter()
                    .any(|row| row.id == name || format!("{}.{}", screen.screen, row.id) == *name)
            });
            if !known {
                problems.push(format!("[keys] {name}: no screen has an action of this name"));
            }
        }
        for screen in screens {
            let mut taken: HashMap<Chord, &str> = HashMap::new();
            for row in &screen.rows {
                let keys = self.keys(screen.screen, row.id).unwrap_or(&row.keys);
                if keys.is_empty() {
                    problems.push(format!("{}.{} has no key", screen.screen, row.id));
                }
                for key in keys {
                    if Chord::RESERVED.contains(key) {
                        problems
                            .push(format!("{}.{}: {key} is taken on every screen", screen.screen, row.id));
                    }
                    match taken.insert(*key, row.id) {
                        Some(other) if other != row.id => problems.push(format!(
                            "{}: {key} is bound to both {other} and {}",
                            screen.screen, row.id
                        )),
                        _ => {}
                    }
                }
            }
        }
        problems
    }
}

fn read_keys(value: &toml::Value) -> Result<Vec<Chord>, String> {
    let one = |value: &toml::Value| match value {
        toml::Value::String(key) => key.parse::<Chord>().map_err(|error| error.to_string()),
        other => Err(format!("a key is a text in quotes, not {}", other.type_str())),
    };
    match value {
        toml::Value::Array(keys) => keys.iter().map(one).collect(),
        value => one(value).map(|key| vec![key]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, Actions};
    use super::*;

    fn table() -> Actions<u8> {
        Actions::new(
            "home",
            [Action::new(1, "pay", "p enter", "Pay", ""), Action::new(2, "quit", "q", "Quit", "")],
        )
    }

    #[test]
    fn chosen_keys_replace_the_built_in_ones() {
        let bindings = Bindings::read("[keys]\nquit = 'ctrl-q'\n'home.pay' = ['z', 'f5']").expect("readable");
        let bound = table().bound(&bindings);
        let pressed =
            |key: &str| bound.find(&key.parse::<Chord>().expect("a key").event()).map(|found| found.act);
        assert_eq!(
            [pressed("ctrl-q"), pressed("q"), pressed("z"), pressed("f5"), pressed("p")],
            [Some(2), None, Some(1), Some(1), None]
        );
        assert_eq!(bindings.problems(&[table().outline()]), Vec::<String>::new());
    }

    #[test]
    fn problems_are_sentences() {
        let bindings =
            Bindings::read("[keys]\nquit = ['p', 'ctrl-z']\npya = 'x'\n'home.pay' = 'p'").expect("readable");
        insta::assert_snapshot!(bindings.problems(&[table().outline()]).join("\n"), @r"
        [keys] pya: no screen has an action of this name
        home: p is bound to both pay and quit
        home.quit: Ctrl-Z is taken on every screen
        ");
        insta::assert_snapshot!(Bindings::read("[keys]\na = 'entre'\nb = 3").expect_err("unreadable").join("\n"), @r#"
        [keys] a: "entre" is no key; write for example q, ?, ctrl-p, alt-x, shift-tab, enter, f1 or space
        [keys] b: a key is a text in quotes, not integer
        "#);
        assert_eq!(Bindings::read("other = 1"), Ok(Bindings::default()));
    }
}
