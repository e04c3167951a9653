//! People who were found. Their lines hold numbers, never what was looked for.

use tui_kit::{
    Tone,
    table::{Cell, Column},
};
use wire::id::{AccountNumber, ApplicationNumber};

use super::{super::about::About, NUMBER, Note, Row, Times};
use crate::{
    acts::{Act, JoiningAct, JoiningOutcome, List, Outcome, PeopleAct, PeopleOutcome, PersonRow},
    books::cabinet::index::{Query, Who},
    inquiry::detail::Subject,
};

/// The fewest digits of a telephone number.
const PHONE_DIGITS: usize = 5;

/// What somebody who types this looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sought {
    /// A member or store.
    Account(AccountNumber),
    /// An applicant.
    Application(ApplicationNumber),
    /// Somebody with this.
    Person(Query),
}

impl Sought {
    /// Numbers, e-mail addresses, dates and telephone numbers are known by their looks; all else is a name.
    fn read(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        if typed.is_empty() {
            return None;
        }
        if let Ok(account) = typed.parse() {
            return Some(Self::Account(account));
        }
        if let Ok(application) = typed.parse() {
            return Some(Self::Application(application));
        }
        let digits = typed.chars().filter(char::is_ascii_digit).count();
        let query = if typed.contains('@') {
            Query::Email(typed.to_owned())
        } else if tui_kit::time::read_date(typed).is_some() {
            Query::Born(typed.to_owned())
        } else if digits >= PHONE_DIGITS && !typed.chars().any(char::is_alphabetic) {
            Query::Phone(typed.to_owned())
        } else {
            Query::Name(typed.to_owned())
        };
        Some(Self::Person(query))
    }
}

impl Row for PersonRow {
    const NAME: &'static str = "people";
    const EMPTY: &'static str = "Type / and a number, the beginning of a name, an e-mail address, a telephone number \
                                 or a date of birth.";

    fn ask(list: List) -> Option<Act> {
        Some(match Sought::read(&list.query)? {
            Sought::Account(number) => Act::Show { number: number.to_string() },
            Sought::Application(number) => Act::Joining(JoiningAct::Application { number, reveal: None }),
            Sought::Person(query) => Act::People(PeopleAct::Find { query }),
        })
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::People(PeopleOutcome::Found { people }) => Some(people),
            Outcome::Detail(detail) => {
                let number = detail.rows.iter().find(|row| row.label == "Number")?;
                let account: AccountNumber = number.value.parse().ok()?;
                let words = account.role().to_string();
                Some(vec![Self { who: Who::Account(account), words, since: None }])
            }
            Outcome::Joining(JoiningOutcome::Application(detail)) => {
                let row = detail.application;
                let words = format!("applies as {}", row.role);
                Some(vec![Self { who: Who::Application(row.number), words, since: Some(row.received) }])
            }
            _ => None,
        }
    }

    fn notes(outcome: &Outcome, _times: &Times) -> Vec<Note> {
        match outcome {
            Outcome::People(PeopleOutcome::Found { people }) if people.is_empty() => vec![(
                Tone::Warn,
                "Nobody has this. Names are found by how their words begin, all else by the whole of it."
                    .to_owned(),
            )],
            _ => Vec::new(),
        }
    }

    fn columns() -> Vec<Column> {
        vec![Column::fixed("number", NUMBER), Column::growing("who", 16), Column::fixed("since", 8).rank(1)]
    }

    fn key(&self) -> String {
        self.who.to_string()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        vec![
            self.who.to_string().into(),
            self.words.clone().into(),
            self.since.as_ref().map(|since| times.date(since)).unwrap_or_default().into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(match self.who {
            Who::Account(account) => About::Subject(Subject::Account(account)),
            Who::Application(number) => About::Application(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use wire::id::MemberNumber;

    use super::*;

    #[test]
    fn what_is_looked_for_is_known_by_its_looks() {
        let number = MemberNumber(17);
        let cases = [
            ("", None),
            ("Hana", Some(Query::Name("Hana".into()))),
            (" 山田 花", Some(Query::Name("山田 花".into()))),
            ("hanako@garden.example", Some(Query::Email("hanako@garden.example".into()))),
            ("1990-04-01", Some(Query::Born("1990-04-01".into()))),
            ("+81 90-1234-5678", Some(Query::Phone("+81 90-1234-5678".into()))),
            ("3rd", Some(Query::Name("3rd".into()))),
        ];
        for (typed, query) in cases {
            assert_eq!(Sought::read(typed), query.map(Sought::Person), "{typed}");
        }
        let account = Some(Sought::Account(AccountNumber::Member(number)));
        assert_eq!(Sought::read(&number.to_string()), account);
        let application = ApplicationNumber(4);
        assert_eq!(Sought::read(&application.to_string()), Some(Sought::Application(application)));
    }
}
