//! The admission desk's outcomes in words.

use std::io::{self, Write};

use tui_kit::{
    cli::{Out, Table, facts},
    text::Align::{Left, Right},
};

use crate::{
    acts::JoiningOutcome,
    admission::document,
    inquiry::view::{ApplicationDetail, ApplicationRow, BuildRow},
    lines::postman::{LineState, PostState, State},
};

pub(super) fn words(out: Out, outcome: &JoiningOutcome, to: &mut dyn Write) -> io::Result<()> {
    match outcome {
        JoiningOutcome::Applications { applications } => table(applications).write(out, to),
        JoiningOutcome::Application(detail) => application(out, detail, to),
        JoiningOutcome::Document { document, version, entry, text } => {
            out.say(&format!("{}, version {version}, entered as {entry}", document::noun(*document)));
            to.write_all(text.as_bytes())?;
            if text.ends_with('\n') { Ok(()) } else { writeln!(to) }
        }
        JoiningOutcome::Kit { number, issued, terms, builds } => {
            writeln!(to, "admission kit {number} of {}, with version {terms} of the terms", issued.text)?;
            let mut table = Table::new(
                &[
                    ("PROGRAM", Left),
                    ("VERSION", Left),
                    ("PLATFORM", Left),
                    ("BYTES", Right),
                    ("SHA-256", Left),
                ],
                "it offers no programs; add one with: tui-center kit add",
            );
            for build in builds {
                table.row(cells(build));
            }
            table.write(out, to)
        }
        JoiningOutcome::Build { build, kit } => {
            writeln!(
                to,
                "{} {} for {}, SHA-256 {}; the kit is now number {kit}",
                build.program, build.version, build.platform, build.digest
            )
        }
        JoiningOutcome::Post { post, lines } => on_its_way(out, post, lines, to),
        JoiningOutcome::Letter(letter) => writeln!(to, "{}", letter.name),
    }
}

fn table(applications: &[ApplicationRow]) -> Table {
    let heads = &[
        ("NUMBER", Left),
        ("AS", Left),
        ("STATE", Left),
        ("SINCE", Left),
        ("NAME", Left),
        ("E-MAIL", Left),
        ("SAME AS", Left),
    ];
    let mut table = Table::new(heads, "there are no applications");
    for row in applications {
        table.row([
            row.number.to_string(),
            row.replaces.map_or_else(|| row.role.to_string(), |account| format!("again {account}")),
            row.state.clone(),
            row.since.text.clone(),
            clean(&row.name),
            clean(&row.email),
            same(row),
        ]);
    }
    table
}

fn application(out: Out, detail: &ApplicationDetail, to: &mut dyn Write) -> io::Result<()> {
    let row = &detail.application;
    let mut rows = vec![
        ("Number", row.number.to_string()),
        ("As", row.role.to_string()),
        ("State", clean(&row.words)),
        ("Received", row.received.text.clone()),
        ("Since", row.since.text.clone()),
        ("Version", row.version.to_string()),
        ("Key", format!("{} ({})", detail.key, detail.fingerprint)),
        ("Terminal key", detail.terminal.clone()),
    ];
    rows.extend(row.replaces.map(|account| ("Replaces the terminal of", account.to_string())));
    rows.extend(row.account.map(|account| ("Reserved", account.to_string())));
    rows.extend(detail.decided.map(|entry| ("Decided by", entry.to_string())));
    if !row.same.is_empty() {
        rows.push(("The same as", same(row)));
    }
    if detail.fields.is_empty() {
        rows.push(("Name", clean(&row.name)));
        rows.push(("E-mail", clean(&row.email)));
    }
    let filled = detail.fields.iter().map(|field| (field.label.as_str(), clean(&field.value)));
    facts(to, rows.iter().map(|(label, value)| (*label, value.clone())).chain(filled))?;
    if detail.post.is_empty() { Ok(()) } else { on_its_way(out, &detail.post, &[], to) }
}

fn on_its_way(out: Out, post: &[PostState], lines: &[LineState], to: &mut dyn Write) -> io::Result<()> {
    for line in lines {
        let state = match (&line.trouble, line.on) {
            (_, false) => "the settings name no way out".to_owned(),
            (Some(trouble), true) => format!("{}: {}", line.way, clean(trouble)),
            (None, true) => line.way.clone(),
        };
        writeln!(to, "{}: {state}; {} wait, {} failed", line.kind.noun(), line.waiting, line.failed)?;
    }
    let heads = &[("NAME", Left), ("TO", Left), ("STATE", Left), ("TRIES", Right), ("LAST WORDS", Left)];
    let mut table = Table::new(heads, "nothing is on its way");
    for item in post {
        let state = match item.state {
            State::Waiting => "waiting",
            State::Sending => "being sent",
            State::Failed => "FAILED",
            State::Accepted => "accepted",
            State::Printed => "printed",
            State::GivenUp => "given up",
        };
        table.row([
            item.name.clone(),
            clean(&item.to_masked),
            state.into(),
            item.tries.to_string(),
            clean(&item.last_words),
        ]);
    }
    table.write(out, to)
}

fn cells(build: &BuildRow) -> [String; 5] {
    [
        build.program.clone(),
        build.version.clone(),
        build.platform.clone(),
        build.length.to_string(),
        build.digest.to_string(),
    ]
}

fn same(row: &ApplicationRow) -> String {
    let each = row.same.iter().map(|same| format!("{} ({})", same.who, same.what));
    each.collect::<Vec<_>>().join(", ")
}

/// What somebody typed, as it may stand on a terminal.
fn clean(text: &str) -> String {
    tui_kit::text::clean(text).into_owned()
}
