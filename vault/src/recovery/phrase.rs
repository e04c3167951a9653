//! The phrase: 24 words of BIP-39, English or Japanese.

use std::fmt;

use bip39::Mnemonic;
use hkdf::Hkdf;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization as _;
use wire::key::SigningKey;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::{
    page::InPage,
    password::{Key, NORMALISED_GROWTH},
    recovery::RecoveryKeys,
    surroundings::Surroundings,
};

/// Words of a phrase: 256 random bits and 8 of checksum.
pub const WORDS: usize = 24;
/// How many words are asked back.
pub const ASKED: usize = 3;
/// The most bytes of a phrase as typed that are looked at.
const TYPED_MAX: usize = 4096;

/// The list that the words are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// BIP-39's English list.
    English,
    /// BIP-39's Japanese list, in hiragana.
    Japanese,
}

impl Language {
    const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// The 2048 words, in the order of the list: for completing what is typed.
    pub fn word_list(self) -> &'static [&'static str] {
        self.list().word_list()
    }

    fn list(self) -> bip39::Language {
        match self {
            Self::English => bip39::Language::English,
            Self::Japanese => bip39::Language::Japanese,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::English => "English",
            Self::Japanese => "Japanese",
        })
    }
}

/// Why a phrase is not one. Nothing here repeats a word of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Too few words or too many.
    #[error("a recovery phrase has {WORDS} words; {0} were given")]
    Count(usize),
    /// Words that no phrase of this language has, counted from 1.
    #[error("{} not in the {language} word list; look at the spelling", places(.positions))]
    Unknown {
        /// Which ones.
        positions: Vec<usize>,
        /// The language that the other words are from.
        language: Language,
    },
    /// Every word is one of the list, but together they are no phrase.
    #[error("one word is wrong or out of order: the last word does not fit those before it")]
    Checksum,
    /// A word that was asked back is another.
    #[error("word {0} is another one; look at what you wrote down")]
    Answer(usize),
}

/// A recovery phrase. It never prints, and is wiped when dropped.
///
/// The same 32 bytes are the same root in both languages.
pub struct RecoveryPhrase {
    entropy: InPage<Key>,
    language: Language,
}

impl RecoveryPhrase {
    /// A fresh phrase of 32 random bytes.
    pub fn generate(language: Language, surroundings: &Surroundings) -> Self {
        Self { entropy: InPage::new(Zeroizing::new(surroundings.array())), language }
    }

    /// Reads a phrase as typed: in either language, whatever form its letters are in, with any white space between the
    /// words and in any case.
    ///
    /// # Errors
    /// [`PhraseError`] says which words are not in the list, or that one is wrong.
    pub fn parse(typed: &SecretString) -> Result<Self, PhraseError> {
        let typed = typed.expose_secret();
        let typed = typed.get(..typed.len().min(TYPED_MAX)).unwrap_or_default();
        let text = normalised(typed);
        let words = || text.split_whitespace();
        let known =
            |language: &Language| words().filter(|word| language.list().find_word(word).is_some()).count();
        // At a draw the first counts: English.
        let language = Language::ALL.into_iter().rev().max_by_key(known).unwrap_or(Language::English);
        if words().count() != WORDS {
            return Err(PhraseError::Count(words().count()));
        }
        let unknown = (1..).zip(words()).filter(|(_, word)| language.list().find_word(word).is_none());
        let positions: Vec<usize> = unknown.map(|(position, _)| position).collect();
        if !positions.is_empty() {
            return Err(PhraseError::Unknown { positions, language });
        }
        let mnemonic =
            Mnemonic::parse_in_normalized(language.list(), &text).map_err(|_| PhraseError::Checksum)?;
        let (entropy, length) = mnemonic.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        let (Some(entropy), 32) = (entropy.first_chunk::<32>(), length) else {
            return Err(PhraseError::Count(words().count()));
        };
        Ok(Self { entropy: InPage::new(Zeroizing::new(*entropy)), language })
    }

    /// Its language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The words, for showing them once.
    pub fn words(&self) -> Vec<&'static str> {
        Mnemonic::from_entropy_in(self.language.list(), &**self.entropy)
            .expect("32 bytes are a phrase of 24 words")
            .words()
            .collect()
    }

    /// Which words to ask back: [`ASKED`] different positions, counted from 1, ascending.
    pub fn positions(surroundings: &Surroundings) -> [usize; ASKED] {
        let mut positions = [0; ASKED];
        let mut found = 0;
        while found < ASKED {
            let [byte] = surroundings.array();
            // 240 is the last multiple of 24 that a byte reaches; above it some positions would come more often.
            let position = usize::from(byte) % WORDS + 1;
            if byte < 240 && !positions[..found].contains(&position) {
                positions[found] = position;
                found += 1;
            }
        }
        positions.sort_unstable();
        positions
    }

    /// Whether the words at these positions are those, as typed.
    ///
    /// # Errors
    /// [`PhraseError::Answer`] names the first that is not.
    pub fn check_answers<'a>(
        &self,
        answers: impl IntoIterator<Item = (usize, &'a SecretString)>,
    ) -> Result<(), PhraseError> {
        let words = self.words();
        for (position, typed) in answers {
            let word = position.checked_sub(1).and_then(|at| words.get(at));
            let typed = typed.expose_secret();
            let typed = normalised(typed.get(..typed.len().min(TYPED_MAX)).unwrap_or_default());
            if word.is_none_or(|word| *word != typed.trim()) {
                return Err(PhraseError::Answer(position));
            }
        }
        Ok(())
    }

    /// The recovery key.
    pub fn recovery_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.derive("inkan/v1/recovery-key"))
    }

    /// The public halves of both keys, as a vault keeps them.
    pub fn public(&self) -> RecoveryKeys {
        RecoveryKeys {
            recovery_key: self.recovery_key().verification_key(),
            copy_key: PublicKey::from(&self.copy_secret()).to_bytes(),
        }
    }

    /// The X25519 secret.
    pub(crate) fn copy_secret(&self) -> StaticSecret {
        StaticSecret::from(*self.derive("inkan/v1/recovery-copy"))
    }

    fn derive(&self, info: &str) -> Key {
        let mut key = Key::default();
        Hkdf::<Sha256>::new(None, &**self.entropy)
            .expand(info.as_bytes(), &mut *key)
            .expect("32 bytes are less than HKDF's 255 blocks");
        key
    }
}

impl fmt::Debug for RecoveryPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryPhrase({})", self.language)
    }
}

/// NFKD, as BIP-39's lists are, in small letters.
fn normalised(typed: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(typed.len() * NORMALISED_GROWTH));
    text.extend(typed.nfkd().flat_map(char::to_lowercase));
    text
}

fn places(positions: &[usize]) -> String {
    match positions {
        [] => "no word is".to_owned(),
        [one] => format!("word {one} is"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("words {} and {last} are", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entropy 0x8080…80 of the test vectors that BIP-39 names: English by Trezor, Japanese by bip32JP.
    const ENGLISH: &str = "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount \
                           doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless";
    const JAPANESE: &str = "そとづら　あまど　おおう　あこがれる　いくぶん　けいけん　あたえる　いよく　そとづら　あまど　おおう　\
                            あこがれる　いくぶん　けいけん　あたえる　いよく　そとづら　あまど　おおう　あこがれる　いくぶん　\
                            けいけん　あたえる　うめる";

    fn parse(text: &str) -> Result<RecoveryPhrase, PhraseError> {
        RecoveryPhrase::parse(&text.into())
    }

    #[test]
    fn the_published_vectors_are_read_in_both_languages() {
        let (english, japanese) = (parse(ENGLISH).unwrap(), parse(JAPANESE).unwrap());
        assert_eq!(**english.entropy, [0x80; 32]);
        assert_eq!(**japanese.entropy, [0x80; 32]);
        assert_eq!((english.language(), japanese.language()), (Language::English, Language::Japanese));
        assert_eq!(english.words().join(" "), ENGLISH);
        assert_eq!(english.public(), japanese.public(), "one root, whatever the words");
    }

    #[test]
    fn the_keys_of_a_phrase_are_these() {
        // The same by OpenSSL and the HKDF of another program.
        let keys = parse(ENGLISH).unwrap().public();
        let hex = data_encoding::HEXLOWER.encode(&keys.copy_key);
        assert_eq!(
            (keys.recovery_key.to_string().as_str(), hex.as_str()),
            (
                "288d927e8a37b2b9f200fdef7939d378be935d675cac07c77ca5a0cef8e43381",
                "6041c4da394b9c72f32eac3c8cfa09a972fd0cee8893cd3a39d3ce6a94da0d1f"
            ),
            "phrases that people have written down would bring back other keys"
        );
    }

    #[test]
    fn any_form_of_the_letters_will_do() {
        let composed: String = JAPANESE.nfc().collect();
        let spaced = ENGLISH.to_uppercase().replace(' ', " \n ");
        let wide: String = ENGLISH
            .chars()
            .map(|letter| match letter {
                'a'..='z' => char::from_u32(u32::from(letter) + 0xfee0).unwrap(),
                other => other,
            })
            .collect();
        for text in [composed, spaced, wide] {
            assert_eq!(**parse(&text).unwrap().entropy, [0x80; 32], "{text}");
        }
    }

    #[test]
    fn a_wrong_word_is_said_by_its_place() {
        let words = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            words(&ENGLISH.replacen("cage", "kage", 1)),
            "word 3 is not in the English word list; look at the spelling"
        );
        assert_eq!(
            words(&ENGLISH.replace("doctor", "docter")),
            "words 6, 14 and 22 are not in the English word list; look at the spelling"
        );
        assert!(
            words(&JAPANESE.replacen("おおう", "おおむ", 1)).starts_with("word 3 is not in the Japanese")
        );
        assert_eq!(words("letter advice"), "a recovery phrase has 24 words; 2 were given");
        assert_eq!(words(""), "a recovery phrase has 24 words; 0 were given");
        let swapped = ENGLISH.replacen("letter advice", "advice letter", 1);
        assert_eq!(parse(&swapped).unwrap_err(), PhraseError::Checksum);
        let another = ENGLISH.replacen("cage", "zoo", 1);
        assert!(words(&another).starts_with("one word is wrong or out of order"));
        assert!(matches!(parse(&"x".repeat(100_000)), Err(PhraseError::Count(1))));
    }

    #[test]
    fn words_are_asked_back() {
        let phrase = RecoveryPhrase::generate(Language::Japanese, &Surroundings::system());
        let words = phrase.words();
        for _ in 0..50 {
            let positions = RecoveryPhrase::positions(&Surroundings::system());
            assert!(positions.is_sorted_by(|one, next| one < next), "{positions:?}");
            let answers =
                positions.map(|position| SecretString::from(words[position - 1].nfc().collect::<String>()));
            phrase.check_answers(positions.into_iter().zip(&answers)).unwrap();
        }
        let wrong = SecretString::from("lantern");
        assert_eq!(phrase.check_answers([(5, &wrong)]), Err(PhraseError::Answer(5)));
        assert_eq!(phrase.check_answers([(25, &wrong)]), Err(PhraseError::Answer(25)));
    }

    #[test]
    fn a_phrase_never_prints() {
        let phrase = RecoveryPhrase::generate(Language::English, &Surroundings::system());
        assert_eq!(format!("{phrase:?}"), "RecoveryPhrase(English)");
        let again = RecoveryPhrase::parse(&phrase.words().join(" ").into()).unwrap();
        assert_eq!(again.public(), phrase.public());
    }
}
