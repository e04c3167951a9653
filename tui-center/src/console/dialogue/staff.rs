//! The staff: operators, what waits for a second one, limits, refunds by the center, new keys for the center.

use ledger::request::OperatorRole;
use tui_kit::{
    Tone,
    detail::Row,
    form::{Field, Form},
    review::Review,
};
use wire::{
    amount::{Amount, Currency},
    id::EntryNumber,
    sheet::SheetRole,
};

use super::{
    Dialogue, Prepared,
    joining::{file, path},
    reason,
};
use crate::{
    acts::{Act, OperatorRow, Passphrase, ProposalRow, StaffAct},
    console::rows::staff::fingerprint,
    keys::ROLES,
    operators::{check_name, check_ssh_key, role_name},
};

/// The longest line of an SSH public key.
const SSH_KEY_CHARS: usize = 1_000;
/// What four eyes do to an act of an admin.
const TWO: &str = "Where there are two admins, another confirms it.";

/// Does what another operator proposed.
pub(in super::super) fn confirm(row: &ProposalRow) -> Dialogue {
    let review = Review::new("Confirm", "Confirm it", proposal_rows(row))
        .warn("It is done at once, in your name and in that of whoever proposed it.")
        .typed("its number", row.number.to_string());
    Dialogue::review(Act::Staff(StaffAct::Confirm { proposal: row.number }), review)
}

/// Drops a proposal.
pub(in super::super) fn withdraw(row: &ProposalRow) -> Dialogue {
    let review = Review::new("Withdraw", "Drop it", proposal_rows(row))
        .warn("Nothing comes of it; it can be proposed again.");
    Dialogue::review(Act::Staff(StaffAct::Withdraw { proposal: row.number }), review)
}

/// Adds an operator.
pub(in super::super) fn add() -> Dialogue {
    let fields = [
        Field::text("name", "Name").required().max(40).check(check_name),
        role_field(OperatorRole::Viewer),
        Field::text("key", "SSH key")
            .required()
            .max(SSH_KEY_CHARS)
            .hint("the line of a .pub file: ssh-ed25519 AAAA...")
            .check(check_ssh_key),
    ];
    Dialogue::fill("Add an operator", fields.into_iter().chain(passphrase()), |form| {
        let (name, role, ssh_key) = (form.text("name"), role(form), form.text("key"));
        let rows = [
            Row::toned("operator", Tone::Strong, name.clone()),
            Row::pair("role", role_name(role)),
            Row::pair("key", fingerprint(&ssh_key).unwrap_or_default()),
        ];
        let review = Review::new("Add an operator", "Add", rows).warn(TWO);
        let passphrase = secret(form)?;
        Ok(Prepared::new(Act::Staff(StaffAct::Add { name, role, ssh_key, passphrase }), review))
    })
}

/// Gives an operator another role.
pub(in super::super) fn change_role(row: &OperatorRow) -> Dialogue {
    let row = row.clone();
    Dialogue::fill(format!("Role of {}", row.name), [role_field(row.role)], move |form| {
        let role = role(form);
        if role == row.role {
            return Err(("role", "is the role already".to_owned()));
        }
        let rows = [
            Row::toned("operator", Tone::Strong, row.name.clone()),
            Row::pair("role until now", role_name(row.role)),
            Row::toned("role from now on", Tone::Strong, role_name(role)),
        ];
        let review = Review::new("Change a role", "Change it", rows).warn(TWO);
        Ok(Prepared::new(Act::Staff(StaffAct::Role { name: row.name.clone(), role }), review))
    })
}

/// Takes an operator off.
pub(in super::super) fn remove(row: &OperatorRow) -> Dialogue {
    let rows =
        [Row::toned("operator", Tone::Strong, row.name.clone()), Row::pair("role", role_name(row.role))];
    let review = Review::new("Take an operator off", "Take off", rows)
        .warn("What the operator did stays in the books; nothing more can be done under this name.")
        .warn(TWO)
        .typed("the name", row.name.clone());
    Dialogue::review(Act::Staff(StaffAct::Remove { name: row.name.clone() }), review)
}

/// Gives an operator another passphrase; the own one where `own` says so.
pub(in super::super) fn set_passphrase(name: &str, own: bool) -> Dialogue {
    let name = name.to_owned();
    let title = if own { "Your passphrase".to_owned() } else { format!("Passphrase of {name}") };
    Dialogue::fill(title, passphrase(), move |form| {
        let rows = [Row::toned("operator", Tone::Strong, name.clone())];
        let review = Review::new("Change a passphrase", "Change it", rows);
        let review = if own {
            review.warn("The former one opens nothing any more.")
        } else {
            review.warn(TWO).typed("the name", name.clone())
        };
        let act = StaffAct::SetPassphrase { name: (!own).then(|| name.clone()), passphrase: secret(form)? };
        Ok(Prepared::new(Act::Staff(act), review))
    })
}

/// Changes the limits up to which one operator acts alone.
pub(in super::super) fn limits(currency: Currency) -> Dialogue {
    let digits = u8::try_from(currency.digits()).unwrap_or(0);
    let amount = |name: &'static str, label: &'static str| {
        Field::amount(name, label, currency.code(), digits).hint("left empty, it stays")
    };
    let fields = [amount("refund", "Refunds up to"), amount("receipt", "Receipts up to")];
    Dialogue::fill("What one operator does alone", fields, move |form| {
        let limit = |name: &'static str| match form.amount(name) {
            Some(minor) => Amount::new(minor).map(Some).ok_or((name, "is too much".to_owned())),
            None => Ok(None),
        };
        let (refund_alone, receipt_alone) = (limit("refund")?, limit("receipt")?);
        if refund_alone.is_none() && receipt_alone.is_none() {
            return Err(("refund", "is left empty, and so is the other".to_owned()));
        }
        let said = |limit: Option<Amount>| {
            limit.map_or("stays".to_owned(), |limit| format!("up to {}", currency.print(limit)))
        };
        let rows = [
            Row::pair("a payment given back", said(refund_alone)),
            Row::pair("a receipt at the bank desk", said(receipt_alone)),
        ];
        let review =
            Review::new("Limits", "Set them", rows).warn("Above them another operator confirms.").warn(TWO);
        Ok(Prepared::new(Act::Staff(StaffAct::SetLimits { refund_alone, receipt_alone }), review))
    })
}

/// Gives a payment back.
pub(in super::super) fn refund(payment: EntryNumber, what: Option<&str>) -> Dialogue {
    let what = what.unwrap_or_default().to_owned();
    Dialogue::fill(format!("Give {payment} back"), [reason()], move |form| {
        let reason = form.text("reason");
        let rows = [
            Row::toned("payment", Tone::Strong, payment.to_string()),
            Row::pair("what", what.clone()),
            Row::pair("reason", reason.clone()),
        ];
        let review = Review::new("Give a payment back", "Give it back", rows)
            .warn("The whole sum goes back to the card, from what the store is owed.")
            .typed("its number", payment.to_string());
        Ok(Prepared::new(Act::Staff(StaffAct::Refund { payment, reason }), review))
    })
}

/// Gives the center new keys.
pub(in super::super) fn rotate() -> Dialogue {
    let all = [("all".to_owned(), "all of them".to_owned())];
    let each = ROLES.iter().map(|role| (role.to_string(), format!("the {role} key")));
    let fields = [
        Field::choice("keys", "New keys", all.into_iter().chain(each)),
        file("where the sealed root key lies"),
        Field::password("root", "Root passphrase").required(),
    ];
    Dialogue::fill("New keys for the center", fields, |form| {
        let chosen = form.text("keys");
        let roles: Vec<SheetRole> = ROLES.into_iter().filter(|role| role.to_string() == chosen).collect();
        let root_file = path(form)?;
        let root = form.secret("root").ok_or(("root", "is needed".to_owned()))?;
        let words = if roles.is_empty() { "all of them".to_owned() } else { format!("the {chosen} key") };
        let rows = [
            Row::toned("new keys", Tone::Strong, words),
            Row::pair("root key", root_file.display().to_string()),
        ];
        let review = Review::new("New keys for the center", "Make them", rows)
            .warn("The desk is held for a moment, and terminals connect anew under the next key sheet.")
            .typed("the word", "rotate");
        let act = StaffAct::Rotate { roles, root_file, root: Passphrase(root) };
        Ok(Prepared::new(Act::Staff(act), review))
    })
}

fn proposal_rows(row: &ProposalRow) -> Vec<Row> {
    vec![
        Row::toned("proposal", Tone::Strong, row.number.to_string()),
        Row::pair("by", row.by.clone()),
        Row::toned("what", Tone::Strong, row.words.clone()),
        Row::pair("takes at least a", role_name(row.role)),
        Row::pair("lapses", row.until.text.clone()),
    ]
}

fn role_field(chosen: OperatorRole) -> Field {
    let roles = [OperatorRole::Viewer, OperatorRole::Clerk, OperatorRole::Supervisor, OperatorRole::Admin];
    let does = |role| match role {
        OperatorRole::Viewer => "viewer: looks",
        OperatorRole::Clerk => "clerk: works the desks",
        OperatorRole::Supervisor => "supervisor: freezes, revokes, overrides",
        OperatorRole::Admin => "admin: settings, operators, keys",
    };
    Field::choice("role", "Role", roles.map(|role| (role_name(role), does(role)))).with(role_name(chosen))
}

fn role(form: &Form) -> OperatorRole {
    match form.text("role").as_str() {
        "clerk" => OperatorRole::Clerk,
        "supervisor" => OperatorRole::Supervisor,
        "admin" => OperatorRole::Admin,
        _ => OperatorRole::Viewer,
    }
}

fn passphrase() -> [Field; 2] {
    [
        Field::password("passphrase", "Passphrase").required().hint("the operator's own"),
        Field::password("again", "Once more").required().repeats("passphrase"),
    ]
}

fn secret(form: &Form) -> Result<Passphrase, (&'static str, String)> {
    form.secret("passphrase").map(Passphrase).ok_or(("passphrase", "is needed".to_owned()))
}
