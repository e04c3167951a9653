//! The admission desk: looking at what was filled in, admitting, refusing, asking back, codes, letters, post, the kit.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE;
use tui_kit::{
    Tone,
    detail::Row,
    form::{Field, Form},
    review::Review,
};
use wire::{admission::Way, id::ApplicationNumber, key::VerificationKey};

use super::{Dialogue, Prepared, reason};
use crate::{
    acts::{Act, JoiningAct},
    admission::kit::PROGRAMS,
    console::rows::joining as said,
    inquiry::view::{ApplicationRow, BuildRow},
    lines::postman::PostState,
};

/// The longest words to an applicant, in characters.
const WORDS_CHARS: usize = 500;

/// Shows what an applicant filled in.
pub(in super::super) fn reveal(number: ApplicationNumber) -> Dialogue {
    Dialogue::fill(format!("Show the data of {number}"), [reason()], move |form| {
        let reason = form.text("reason");
        let rows = [
            Row::toned("application", Tone::Strong, number.to_string()),
            Row::pair("why it must be seen", reason.clone()),
        ];
        let review = Review::new("Show personal data", "Show it", rows)
            .warn("That you look, and why, is entered before anything is shown.");
        Ok(Prepared::new(Act::Joining(JoiningAct::Application { number, reveal: Some(reason) }), review))
    })
}

/// Admits an applicant.
pub(in super::super) fn admit(row: &ApplicationRow) -> Dialogue {
    let row = row.clone();
    Dialogue::fill(format!("Admit {}", row.number), [way()], move |form| {
        let mut rows = applicant(&row);
        rows.push(Row::pair("number and code go", way_words(form)));
        let mut review = Review::new("Admit", "Admit", rows);
        if !row.same.is_empty() {
            review = review.warn(format!("Somebody else has the same: {}.", said::likeness(&row)));
        }
        if let Some(account) = row.replaces {
            review = review.warn(format!(
                "This replaces the keys of {account}: it takes a second operator, the former contact is told, and no \
                 money leaves the account for 72 hours."
            ));
        }
        let act = JoiningAct::Admit { number: row.number, seen: row.version, way: chosen(form) };
        Ok(Prepared::new(Act::Joining(act), review))
    })
}

/// Refuses an applicant, or asks the application back.
pub(in super::super) fn decline(row: &ApplicationRow, ask_back: bool) -> Dialogue {
    let row = row.clone();
    let verb = if ask_back { "Ask back" } else { "Refuse" };
    let field = Field::prose("words", "Words").max(WORDS_CHARS).required().hint("the applicant reads them");
    Dialogue::fill(format!("{verb} {}", row.number), [field], move |form| {
        let reason = form.text("words");
        let mut rows = applicant(&row);
        rows.push(Row::pair("the applicant reads", reason.clone()));
        let review = Review::new(verb, verb, rows);
        let review = if ask_back {
            review.warn("The applicant can mend the application and send it again.")
        } else {
            review
                .warn("The application is refused for ever; nothing can come of it any more.")
                .typed("its number", row.number.to_string())
        };
        Ok(Prepared::new(Act::Joining(JoiningAct::Decline { number: row.number, ask_back, reason }), review))
    })
}

/// Sends a new code.
pub(in super::super) fn recode(row: &ApplicationRow) -> Dialogue {
    let row = row.clone();
    Dialogue::fill(format!("New code for {}", row.number), [reason(), way()], move |form| {
        let reason = form.text("reason");
        let mut rows = applicant(&row);
        rows.push(Row::pair("the code goes", way_words(form)));
        rows.push(Row::pair("reason", reason.clone()));
        let review = Review::new("Send a new code", "Send it", rows)
            .warn("The former code counts no more, and what still waits of it does not go out.");
        let act = JoiningAct::Recode { number: row.number, way: chosen(form), key: None, reason };
        Ok(Prepared::new(Act::Joining(act), review))
    })
}

/// Lets another key register than the one that applied.
pub(in super::super) fn override_key(row: &ApplicationRow) -> Dialogue {
    let row = row.clone();
    let key = Field::text("key", "Signature key")
        .required()
        .max(64)
        .hint("64 hex digits")
        .check(|text| read_key(text).map(drop));
    let title = format!("Another key for {}", row.number);
    Dialogue::fill(title, [key, reason(), way()], move |form| {
        let key = read_key(&form.text("key")).map_err(|why| ("key", why))?;
        let reason = form.text("reason");
        let mut rows = applicant(&row);
        rows.push(Row::toned("may register", Tone::Strong, key.fingerprint()));
        rows.push(Row::pair("a new code goes", way_words(form)));
        rows.push(Row::pair("reason", reason.clone()));
        let review = Review::new("Let another key register", "Let it register", rows)
            .warn(
                "Compare the fingerprint with what the applicant reads to you: whoever has this key gets the \
                 account. It takes a second operator.",
            )
            .typed("its number", row.number.to_string());
        let act = JoiningAct::Recode { number: row.number, way: chosen(form), key: Some(key), reason };
        Ok(Prepared::new(Act::Joining(act), review))
    })
}

/// Hands out a letter, into a file of the center's machine.
pub(in super::super) fn letter(number: ApplicationNumber) -> Dialogue {
    let title = format!("Letter of {number}");
    Dialogue::fill(title, [file("a new file, such as /tmp/letter.pdf")], move |form| {
        let path = path(form)?;
        let rows = [
            Row::toned("application", Tone::Strong, number.to_string()),
            Row::pair("file", path.display().to_string()),
        ];
        let review = Review::new("Hand out the letter", "Hand it out", rows).warn(
            "It bears the code. The letter then counts as printed and is destroyed here: print the file, and remove \
             it.",
        );
        Ok(Prepared::new(Act::Joining(JoiningAct::Letter { number }), review).into_file(path))
    })
}

/// Tries something that goes out again now.
pub(in super::super) fn retry(item: &PostState) -> Dialogue {
    let review = Review::new("Try again", "Try it now", post_rows(item));
    Dialogue::review(Act::Joining(JoiningAct::PostRetry { name: item.name.clone() }), review)
}

/// Gives up something that goes out.
pub(in super::super) fn give_up(item: &PostState) -> Dialogue {
    let review = Review::new("Give up", "Give it up", post_rows(item))
        .warn("It is never sent and its bytes are destroyed. Only a new code helps then.")
        .typed("its entry", item.entry.to_string());
    Dialogue::review(Act::Joining(JoiningAct::PostGiveUp { name: item.name.clone() }), review)
}

/// Puts a program into the kit.
pub(in super::super) fn add_build() -> Dialogue {
    let programs = PROGRAMS.iter().map(|program| (*program, *program));
    let fields = [
        file("the program's file on the center's machine"),
        Field::choice("program", "Program", programs),
        Field::text("platform", "Platform").required().max(80).hint("such as x86_64-unknown-linux-gnu"),
        Field::text("version", "Version").required().max(80).hint("such as 1.2.3"),
    ];
    Dialogue::fill("Offer a program", fields, |form| {
        let file = path(form)?;
        let (program, platform, version) =
            (form.text("program"), form.text("platform"), form.text("version"));
        let rows = [
            Row::toned("program", Tone::Strong, format!("{program} {version}")),
            Row::pair("platform", platform.clone()),
            Row::pair("file", file.display().to_string()),
        ];
        let review = Review::new("Offer a program", "Offer it", rows)
            .warn("Whoever joins gets it under the center's signature. An older one for the platform goes.");
        Ok(Prepared::new(Act::Joining(JoiningAct::KitAdd { file, program, platform, version }), review))
    })
}

/// Takes a program out of the kit.
pub(in super::super) fn remove_build(build: &BuildRow) -> Dialogue {
    let rows = [
        Row::toned("program", Tone::Strong, format!("{} {}", build.program, build.version)),
        Row::pair("platform", build.platform.clone()),
        Row::pair("SHA-256", build.digest.to_string()),
    ];
    let review = Review::new("Offer no more", "Take it out", rows)
        .warn("Nobody can download it any more.")
        .typed("its version", build.version.clone());
    Dialogue::review(Act::Joining(JoiningAct::KitRemove { digest: build.digest }), review)
}

/// A field for the path of a file.
pub(super) fn file(hint: &str) -> Field {
    Field::text("file", "File").required().max(4096).hint(hint).check(|text| {
        if Path::new(text).is_absolute() {
            Ok(())
        } else {
            Err("is written from the root on, like /tmp/file".to_owned())
        }
    })
}

/// The path that was filled in.
pub(super) fn path(form: &Form) -> Result<PathBuf, (&'static str, String)> {
    let path = PathBuf::from(form.text("file"));
    if path.file_name().is_some() { Ok(path) } else { Err(("file", "names no file".to_owned())) }
}

fn read_key(text: &str) -> Result<VerificationKey, String> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let key = VerificationKey(bytes.ok_or("has 64 hex digits")?);
    key.check().map_err(|error| error.to_string())?;
    Ok(key)
}

fn way() -> Field {
    Field::choice(
        "way",
        "Goes out",
        [("policy", "as the policy says"), ("mail", "by e-mail"), ("letter", "by letter")],
    )
}

fn chosen(form: &Form) -> Option<Way> {
    match form.text("way").as_str() {
        "mail" => Some(Way::Mail),
        "letter" => Some(Way::Letter),
        _ => None,
    }
}

fn way_words(form: &Form) -> &'static str {
    chosen(form).map_or("as the policy says", Way::words)
}

fn applicant(row: &ApplicationRow) -> Vec<Row> {
    let mut rows = vec![
        Row::toned("application", Tone::Strong, row.number.to_string()),
        Row::pair("applies as", said::role(row.role)),
        Row::pair("applicant", row.name.clone()),
        Row::pair("e-mail", row.email.clone()),
    ];
    if let Some(account) = row.replaces {
        rows.push(Row::toned("replaces the terminal of", Tone::Warn, account.to_string()));
    }
    rows
}

fn post_rows(item: &PostState) -> Vec<Row> {
    vec![
        Row::toned("name", Tone::Strong, item.name.clone()),
        Row::pair("to", item.to_masked.clone()),
        Row::pair("intended by", item.entry.to_string()),
        Row::pair("tries", item.tries.to_string()),
        Row::pair("said last", item.last_words.clone()),
    ]
}
