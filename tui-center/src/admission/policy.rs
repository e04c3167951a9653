//! The policy of admission: who admits, how long a code counts, what mail and letters say. A document of TOML that
//! operators edit.

use serde::{Deserialize, Serialize};
use tui_kit::profile::settings_fault;
use wire::{
    admission::{VaultPolicy, Way},
    limits,
};
use zeroize::Zeroizing;

/// The longest subject, in characters.
const SUBJECT: usize = 120;
/// The words that texts may have in braces.
const WORDS: [&str; 7] = ["name", "number", "code", "center", "until", "help", "terms"];

/// Everything that the policy holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Who admits.
    pub admit: Admit,
    /// How many days an activation code counts: 1 to 365.
    pub code_days: u16,
    /// How often a code may be mistyped: 1 to 20.
    pub tries: u16,
    /// How number and code go out.
    pub ways: Vec<Way>,
    /// The least memory of Argon2id in vaults, in KiB.
    pub vault_memory_kib: u32,
    /// The fewest passes of Argon2id in vaults.
    pub vault_passes: u32,
    /// The mail that brings number and code.
    pub mail: Text,
    /// The letter that brings number and code; they stand below it.
    pub letter: Text,
    /// The mail to a former contact when keys are replaced.
    pub notice: Text,
}

/// Who admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admit {
    /// An operator looks at every application.
    Desk,
    /// Whoever resembles nobody is admitted at once; the rest an operator looks at.
    Rule,
}

/// A text with words in braces that are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub body: String,
}

/// What is filled in.
#[derive(Clone)]
pub struct Filling<'a> {
    /// Whom it is for.
    pub name: &'a str,
    /// The membership or store number.
    pub number: &'a str,
    /// The activation code, printed.
    pub code: &'a str,
    /// The center's name.
    pub center: &'a str,
    /// The instant until which it counts.
    pub until: &'a str,
    /// Whom to turn to.
    pub help: &'a str,
    /// The terms of use.
    pub terms: &'a str,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// In words, with the line where there is one.
    pub fn read(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| settings_fault(text, &error))?;
        policy.check()?;
        Ok(policy)
    }

    /// The floor of the vaults' password hashing.
    pub fn vault(&self) -> VaultPolicy {
        VaultPolicy { memory_kib: self.vault_memory_kib, passes: self.vault_passes }
    }

    fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: u32, least: u32, most: u32| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(format!("`{name}` is {value}; it is from {least} to {most}"))
            }
        };
        within("code_days", self.code_days.into(), 1, 365)?;
        within("tries", self.tries.into(), 1, 20)?;
        within("vault_memory_kib", self.vault_memory_kib, 64 << 10, 4 << 20)?;
        within("vault_passes", self.vault_passes, 3, 100)?;
        let twice = self.ways.len() == 2 && self.ways[0] == self.ways[1];
        if self.ways.is_empty() || self.ways.len() > 2 || twice {
            return Err("`ways` names “mail”, “letter” or both".into());
        }
        for (name, text, needs) in [
            ("mail", &self.mail, &["number", "code"][..]),
            // Number and code stand in the letter by themselves, in large type.
            ("letter", &self.letter, &[]),
            ("notice", &self.notice, &["number"]),
        ] {
            text.check(needs).map_err(|why| format!("`{name}`: {why}"))?;
        }
        if [&self.mail.subject, &self.letter.subject].iter().any(|subject| subject.contains("{code}")) {
            return Err("a subject is seen by everyone on the way; the code stands in the body".into());
        }
        if self.notice.subject.contains("{code}") || self.notice.body.contains("{code}") {
            return Err("`notice`: a notice bears no code".into());
        }
        Ok(())
    }
}

impl Text {
    /// The subject with everything filled in, on one line.
    pub fn subject(&self, with: &Filling<'_>) -> String {
        fill(&self.subject, with).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The body with everything filled in; it may bear the code.
    pub fn body(&self, with: &Filling<'_>) -> Zeroizing<String> {
        Zeroizing::new(fill(self.body.trim_matches('\n'), with))
    }

    fn check(&self, needs: &[&str]) -> Result<(), String> {
        let subject = self.subject.trim();
        if subject.is_empty() || subject.chars().count() > SUBJECT || subject.contains(char::is_control) {
            return Err(format!("the subject has 1 to {SUBJECT} characters on one line"));
        }
        if self.body.trim().is_empty() || self.body.len() > limits::PROSE {
            return Err(format!("the body has 1 to {} bytes", limits::PROSE));
        }
        for text in [&self.subject, &self.body] {
            if let Some(unknown) = unknown_word(text) {
                return Err(format!("“{{{unknown}}}” is not filled in; there are {}", listed()));
            }
        }
        match needs.iter().find(|word| !self.body.contains(&format!("{{{word}}}"))) {
            Some(missing) => Err(format!("the body needs {{{missing}}}")),
            None => Ok(()),
        }
    }
}

/// Fills in braces in one pass, so that what is filled in is never itself filled in.
fn fill(text: &str, with: &Filling<'_>) -> String {
    // With room for everything the text never moves and leaves no copy of a code behind.
    let room =
        text.len() + with.terms.len() * text.matches("{terms}").count() + 64 * text.matches('{').count();
    let mut filled =
        String::with_capacity(room + (with.name.len() + with.center.len() + with.help.len()) * 8);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        let end = rest.find('}');
        let value = end.and_then(|end| value(&rest[1..end], with));
        match (end, value) {
            (Some(end), Some(value)) => {
                filled.push_str(value);
                rest = &rest[end + 1..];
            }
            _ => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn value<'a>(word: &str, with: &Filling<'a>) -> Option<&'a str> {
    Some(match word {
        "name" => with.name,
        "number" => with.number,
        "code" => with.code,
        "center" => with.center,
        "until" => with.until,
        "help" => with.help,
        "terms" => with.terms,
        _ => return None,
    })
}

fn unknown_word(text: &str) -> Option<&str> {
    let words = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(word, _)| word);
    words.into_iter().find(|word| !WORDS.contains(word))
}

fn listed() -> String {
    WORDS.map(|word| format!("{{{word}}}")).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::document;

    const FILLING: Filling<'_> = Filling {
        name: "Ada {code}",
        number: "M-000001-3",
        code: "7K2M-9QXD-4HTV-0B3E",
        center: "Garden Club",
        until: "2026-12-24",
        help: "help@garden.example",
        terms: "Be kind.",
    };

    #[test]
    fn the_first_policy_is_one_and_what_is_wrong_is_named() {
        let first = document::POLICY;
        assert_eq!(Policy::read(first).unwrap().admit, Admit::Desk);
        for (from, to, words) in [
            ("code_days = 30", "code_days = 0", "`code_days` is 0"),
            ("tries = 5", "tries = 500", "`tries` is 500"),
            ("vault_passes = 3", "vault_passes = 2", "`vault_passes`"),
            ("vault_memory_kib = 65536", "vault_memory_kib = 8", "`vault_memory_kib`"),
            ("ways = [\"mail\"]", "ways = []", "“mail”, “letter” or both"),
            ("admit = \"desk\"", "admit = \"nobody\"", "nobody"),
            ("tries = 5", "tires = 5", "tires"),
            ("Code:   {code}", "Code:", "needs {code}"),
            ("Code:   {code}", "Code: {code} {password}", "“{password}” is not filled in"),
            ("your number and activation code\"", "{code}\"", "subject is seen"),
        ] {
            let error = Policy::read(&first.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(words), "{from} → {to}: {error}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        let text =
            Text { subject: "{center}\n for {name}".into(), body: "{number} {code} {x {terms}".into() };
        assert_eq!(text.subject(&FILLING), "Garden Club for Ada {code}");
        assert_eq!(text.body(&FILLING).as_str(), "M-000001-3 7K2M-9QXD-4HTV-0B3E {x Be kind.");
    }
}
