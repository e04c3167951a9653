//! How easily a password is guessed, by zxcvbn (Wheeler, USENIX Security 2016).

use secrecy::{ExposeSecret as _, SecretString};

/// The least score that a new password may have.
pub const SCORE_MIN: u8 = 2;
/// zxcvbn looks at no more, so that typing stays quick.
const CHARACTERS: usize = 100;

/// What a guesser would have to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Strength {
    /// From 0, guessed at once, to 4, very unlikely to be guessed. Below [`SCORE_MIN`] it may not be chosen.
    pub score: u8,
    /// The number of guesses, as a power of ten.
    pub guesses_log10: f64,
    /// What makes it easy to guess, as a sentence.
    pub warning: Option<String>,
    /// What would make it better, as sentences.
    pub suggestions: Vec<String>,
}

impl Strength {
    /// The score in a word.
    pub fn word(&self) -> &'static str {
        match self.score {
            0 | 1 => "weak",
            2 => "fair",
            3 => "good",
            _ => "strong",
        }
    }

    /// What is wrong and what would help, in one line.
    pub fn advice(&self) -> String {
        let sentences: Vec<&str> = self.warning.iter().chain(&self.suggestions).map(String::as_str).collect();
        sentences.join(" ")
    }
}

/// How easily `password` is guessed by someone who also tries `user_words`: the person's name, e-mail, birth date.
///
/// zxcvbn looks at pieces of the password in memory of its own, which is given back without being wiped; so it is asked
/// while a password is chosen and never about one that opens a vault.
pub fn strength(password: &SecretString, user_words: &[&str]) -> Strength {
    let typed = password.expose_secret();
    let end = typed.char_indices().nth(CHARACTERS).map_or(typed.len(), |(at, _)| at);
    let entropy = zxcvbn::zxcvbn(&typed[..end], user_words);
    let feedback = entropy.feedback();
    let warning = feedback.and_then(zxcvbn::feedback::Feedback::warning);
    let suggestions = feedback.map(zxcvbn::feedback::Feedback::suggestions).unwrap_or_default();
    Strength {
        score: u8::from(entropy.score()),
        guesses_log10: entropy.guesses_log10(),
        warning: warning.map(|warning| warning.to_string()),
        suggestions: suggestions.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_weak_and_say_why() {
        let weak = strength(&"password1".into(), &[]);
        assert!(weak.score < SCORE_MIN, "{weak:?}");
        assert!(weak.warning.is_some() && !weak.suggestions.is_empty(), "{weak:?}");
        assert_eq!(weak.word(), "weak");
        assert!(weak.advice().contains("password"), "{}", weak.advice());
        let strong = strength(&"lantern over seven quiet bridges".into(), &[]);
        assert_eq!((strong.score, strong.word()), (4, "strong"));
        assert!(strong.guesses_log10 > weak.guesses_log10);
    }

    #[test]
    fn ones_own_name_is_no_password() {
        let name = "Tsurumaki Hanako";
        let of_a_stranger = strength(&"tsurumakihanako".into(), &[]);
        let own = strength(&"tsurumakihanako".into(), &[name, "tsurumaki", "hanako", "tsurumakihanako"]);
        assert!(own.score < of_a_stranger.score && own.score < SCORE_MIN);
    }

    #[test]
    fn endless_passwords_do_not_take_endless_time() {
        assert_eq!(
            strength(&"ラ".repeat(100_000).into(), &[]).score,
            strength(&"ラ".repeat(100).into(), &[]).score
        );
    }
}
