//! One person's data and keys: to show, to hand out, to erase, to revoke.

use tui_kit::{Tone, detail::Row, review::Review};
use wire::id::AccountNumber;

use super::{
    Dialogue, Prepared,
    joining::{file, path},
    reason,
};
use crate::{
    acts::{Act, PeopleAct},
    books::cabinet::index::Who,
    inquiry::{view::KeyRow, words},
};

/// Shows what a member or store filled in.
pub(in super::super) fn reveal(account: AccountNumber) -> Dialogue {
    Dialogue::fill(format!("Show the data of {account}"), [reason()], move |form| {
        let reason = form.text("reason");
        let rows = person(Who::Account(account), &reason);
        let review = Review::new("Show personal data", "Show it", rows)
            .warn("That you look, and why, is entered before anything is shown.");
        let act = PeopleAct::Reveal { of: Who::Account(account), reason };
        Ok(Prepared::new(Act::People(act), review))
    })
}

/// Writes everything about somebody into a file.
pub(in super::super) fn export(who: Who) -> Dialogue {
    let fields = [reason(), file("a new file, such as /tmp/person.json")];
    Dialogue::fill(format!("Hand out the data of {who}"), fields, move |form| {
        let (reason, path) = (form.text("reason"), path(form)?);
        let mut rows = person(who, &reason);
        rows.push(Row::pair("file", path.display().to_string()));
        let review = Review::new("Hand out personal data", "Hand it out", rows).warn(
            "Everything the center keeps of this person is written there in the clear, for the person alone.",
        );
        Ok(Prepared::new(Act::People(PeopleAct::Export { of: who, reason }), review).into_file(path))
    })
}

/// Erases somebody's personal data.
pub(in super::super) fn erase(who: Who) -> Dialogue {
    Dialogue::fill(format!("Erase the data of {who}"), [reason()], move |form| {
        let reason = form.text("reason");
        let review = Review::new("Erase personal data", "Erase it for ever", person(who, &reason))
            .warn(
                "Nobody can bring it back: not the center, not from a backup. The books keep numbers and money. A \
                 deposited copy goes too, so that the phrase restores nothing any more.",
            )
            .typed("the number", who.to_string());
        Ok(Prepared::new(Act::People(PeopleAct::Erase { of: who, reason }), review))
    })
}

/// Revokes a key.
pub(in super::super) fn revoke(key: &KeyRow) -> Dialogue {
    let key = key.clone();
    let name = words::key_name(key.role);
    Dialogue::fill(format!("Revoke the {name} of {}", key.account), [reason()], move |form| {
        let reason = form.text("reason");
        let rows = [
            Row::toned("account", Tone::Strong, key.account.to_string()),
            Row::pair("key", name),
            Row::pair("fingerprint", key.fingerprint.clone()),
            Row::pair("reason", reason.clone()),
        ];
        let review = Review::new("Revoke a key", "Revoke it", rows)
            .warn("What it signs is refused from now on; what it signed before stays valid. It can't be undone.")
            .typed("the account", key.account.to_string());
        let act = PeopleAct::RevokeKey { account: key.account, role: key.role, reason };
        Ok(Prepared::new(Act::People(act), review))
    })
}

fn person(who: Who, reason: &str) -> Vec<Row> {
    vec![Row::toned("of", Tone::Strong, who.to_string()), Row::pair("reason", reason)]
}
