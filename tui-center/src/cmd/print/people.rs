//! People in words.

use std::io::{self, Write};

use tui_kit::{
    cli::{Out, Table, facts},
    text::{Align::Left, clean},
};

use crate::acts::PeopleOutcome;

pub(super) fn words(out: Out, outcome: &PeopleOutcome, to: &mut dyn Write) -> io::Result<()> {
    match outcome {
        PeopleOutcome::Found { people } => {
            let heads = &[("NUMBER", Left), ("WHAT", Left), ("SINCE", Left)];
            let mut table = Table::new(heads, "nobody fits");
            for row in people {
                let since = row.since.as_ref().map(|since| since.text.clone()).unwrap_or_default();
                table.row([row.who.to_string(), clean(&row.words).into_owned(), since]);
            }
            table.write(out, to)
        }
        PeopleOutcome::Revealed { who, entry, fields } => {
            out.say(&format!("the personal data of {who}; that it was shown is entered as {entry}"));
            facts(to, fields.iter().map(|(key, value)| (key.as_str(), clean(value).into_owned())))
        }
        PeopleOutcome::Exported { entry, person } => {
            out.say(&format!("everything about one person; that it was taken out is entered as {entry}"));
            writeln!(to, "{person:#}")
        }
    }
}
