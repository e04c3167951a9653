//! Freezing and releasing, receipts on the bank desk, the clock.

use ledger::request::Standing;
use tui_kit::{Tone, detail::Row, form::Field, review::Review, text};
use wire::id::{AccountNumber, EntryNumber};

use super::{Dialogue, Prepared, reason};
use crate::{acts::Act, inquiry::view::DeskRow};

/// Freezes or releases something.
pub(in super::super) fn standing(of: Standing, frozen: bool) -> Dialogue {
    let verb = if frozen { "Freeze" } else { "Release" };
    Dialogue::fill(format!("{verb} {}", called(of)), [reason()], move |form| {
        let reason = form.text("reason");
        let rows = [
            Row::toned("what", Tone::Strong, called(of)),
            Row::pair("from now on", if frozen { "frozen" } else { "in good standing" }),
            Row::pair("reason", reason.clone()),
        ];
        let warning = if frozen {
            "Payments, claims and orders of it are refused until it is released."
        } else {
            "It can pay, claim and order again at once."
        };
        let number = match of {
            Standing::Card(card) => card.to_string(),
            Standing::Account(account) => account.to_string(),
        };
        let review = Review::new(verb, format!("{verb} it"), rows).warn(warning).typed("its number", number);
        Ok(Prepared::new(Act::Standing { of, frozen, reason }, review))
    })
}

/// Assigns a receipt to a card request.
pub(in super::super) fn assign(row: &DeskRow) -> Dialogue {
    let named = row.request.map(|request| request.to_string()).unwrap_or_default();
    let field = Field::text("request", "Card request").required().with(&named);
    let field = field.hint("its transaction number, T-...").check(|text| match text.parse::<EntryNumber>() {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    });
    let row = row.clone();
    Dialogue::fill(format!("Assign receipt {}", row.number), [field], move |form| {
        let request: EntryNumber = form
            .text("request")
            .parse()
            .map_err(|error: wire::id::IdError| ("request", error.to_string()))?;
        let mut rows = receipt_rows(&row);
        rows.push(Row::toned("goes to card request", Tone::Strong, request.to_string()));
        let review = Review::new("Assign a receipt", "Assign it", rows)
            .warn("A card is issued with what came in, whatever was asked for. This can't be undone.")
            .typed("its number", row.number.to_string());
        Ok(Prepared::new(Act::AssignReceipt { receipt: row.number, request }, review))
    })
}

/// Sends a receipt back.
pub(in super::super) fn give_back(row: &DeskRow) -> Dialogue {
    let review = Review::new("Send a receipt back", "Send it back", receipt_rows(row))
        .warn("A transfer to the payer is handed to the bank. It can't be called back.")
        .typed("its number", row.number.to_string());
    Dialogue::review(Act::ReturnReceipt { receipt: row.number }, review)
}

/// Says that the clock, which jumped, is right.
pub(in super::super) fn accept_clock(words: &str) -> Dialogue {
    let review = Review::new("Accept the clock", "Accept it", [Row::Words(words.to_owned())])
        .warn("Whatever has expired by the new time lapses at once.")
        .typed("the word", "clock");
    Dialogue::review(Act::AcceptClock, review)
}

/// Verifies the books.
pub(in super::super) fn verify(entries: u64) -> Dialogue {
    let words = format!(
        "Every checksum, signature and posting of {} entries is looked at, beside the desk, which goes on. It takes \
         about a minute for a million payments, and the overview shows how far it is.",
        text::thousands(entries)
    );
    Dialogue::review(Act::BeginVerifying, Review::new("Verify the books", "Verify them", [Row::Words(words)]))
}

/// Ends a verification.
pub(in super::super) fn stop_verifying() -> Dialogue {
    let words = "Nothing is said then of what lies behind the place that it has come to.";
    let review = Review::new("End the verification", "End it", [Row::Words(words.to_owned())]);
    Dialogue::review(Act::StopVerifying, review)
}

/// How something that can be frozen is called.
fn called(of: Standing) -> String {
    match of {
        Standing::Card(card) => format!("card {card}"),
        Standing::Account(AccountNumber::Member(member)) => format!("member {member}"),
        Standing::Account(AccountNumber::Store(store)) => format!("store {store}"),
    }
}

fn receipt_rows(row: &DeskRow) -> Vec<Row> {
    vec![
        Row::toned("receipt", Tone::Strong, row.number.to_string()),
        Row::toned("amount", Tone::Strong, row.amount.text.clone()),
        Row::pair("came", row.at.text.clone()),
        Row::pair("payer wrote", row.reference.clone()),
        Row::pair("payer", row.payer.clone()),
        Row::pair("what is wrong", row.words.clone()),
    ]
}
