//! The forms and texts of the steps of joining.

use tui_kit::{
    detail::Row,
    form::{Field, Form},
    theme::Tone,
};
use wire::{message, sheet::Invitation};

use crate::{app::Joined, fields, join::Welcome, screen::asked::Asked};

/// The names of the fields that are not the center's.
pub(super) const INVITATION: &str = "invitation";
pub(super) const A: &str = "password-a";
pub(super) const B: &str = "password-b";

pub(super) const INVITATION_WORDS: &str = "This profile has no vault yet. A center gives you an invitation, one line that \
                                           begins with inkan: and holds its addresses and the fingerprint of its key. \
                                           Paste it here.";
pub(super) const PASSWORDS_WORDS: &str = "Password A opens the vault: history, cards, messages. Password B lies inside it and \
                                          opens the signature key: it is asked for at every payment. Nobody can reset \
                                          them.";
pub(super) const PARTICULARS_WORDS: &str = "The center asks this of its members. It travels beside the signed registration and \
                                            stays at the center.";

pub(super) fn invitation() -> Form {
    let check = |text: &str| text.parse::<Invitation>().map(|_| ()).map_err(|error| error.to_string());
    let field =
        Field::text(INVITATION, "Invitation").max(2_000).required().check(check).hint("inkan:KEY@host:port");
    Form::new("Ask the center", [field])
}

pub(super) fn passwords() -> Form {
    let least = format!("at least {} characters", vault::CHARACTERS_MIN);
    let fields = [
        Field::password(A, "Password A").required().hint(least.as_str()),
        Field::password("password-a-again", "Password A again").required().repeats(A),
        Field::password(B, "Password B").required().hint(format!("{least}, and another than A")),
        Field::password("password-b-again", "Password B again").required().repeats(B),
    ];
    Form::new("Go on", fields)
}

/// The center's form, each field checked as the center will check it.
pub(super) fn particulars(form: &message::Form) -> Form {
    let fields = form.fields.iter().map(|field| {
        let shown =
            Field::text(field.key.to_string(), field.label.as_str()).max(usize::from(field.max_chars));
        let asked = field.clone();
        let check =
            move |text: &str| fields::check(&asked, text).map(|_| ()).map_err(|why| short(&asked, &why));
        let shown = shown.hint(field.help.as_str()).check(check);
        if field.required { shown.required() } else { shown }
    });
    Form::new("Go on", fields.collect::<Vec<_>>())
}

/// What is wrong, without the label that stands beside it on the screen.
fn short(field: &message::Field, why: &str) -> String {
    let rest = why.strip_prefix(field.label.as_str()).unwrap_or(why);
    rest.trim_start_matches([':', ' ']).to_owned()
}

/// What was filled in, by the form's keys.
pub(super) fn values(asked: &message::Form, filled: &Form) -> Vec<(String, String)> {
    asked.fields.iter().map(|field| (field.key.to_string(), filled.text(&field.key))).collect()
}

pub(super) fn center_rows(invitation: &Invitation, welcome: &Welcome) -> Vec<Row> {
    let addresses: Vec<&str> = invitation.addresses.iter().map(|address| address.as_str()).collect();
    vec![
        Row::toned("Center", Tone::Strong, welcome.center.as_str()),
        Row::pair("Addresses", addresses.join(" ")),
        Row::toned("Fingerprint", Tone::Strong, welcome.fingerprint.as_str()),
        Row::Gap,
        Row::Words(
            "Compare this fingerprint with the one that the center publishes, on paper or on the phone. From now on this \
             vault believes this key alone."
                .into(),
        ),
        Row::Gap,
        Row::Words("Enter: it is this one. Esc: another invitation.".into()),
    ]
}

pub(super) fn review_rows(welcome: &Welcome, filled: &Form) -> Vec<Row> {
    let mut rows = vec![
        Row::pair("Center", welcome.center.as_str()),
        Row::pair("Fingerprint", welcome.fingerprint.as_str()),
        Row::Gap,
    ];
    let fields = welcome.form.fields.iter().map(|field| {
        let value = filled.text(&field.key);
        match value.is_empty() {
            true => Row::toned(field.label.as_str(), Tone::Dim, "left empty"),
            false => Row::pair(field.label.as_str(), value),
        }
    });
    rows.extend(fields);
    rows.push(Row::Gap);
    rows.push(Row::pair("Terms", format!("accepted, version {}", welcome.form.version)));
    rows.push(Row::Words(
        "The keys are made on this machine, and the registration is signed with them.".into(),
    ));
    rows
}

pub(super) fn resume_rows(invitation: &Invitation) -> Vec<Row> {
    let addresses: Vec<&str> = invitation.addresses.iter().map(|address| address.as_str()).collect();
    vec![
        Row::toned("State", Tone::Warn, "signed; whether the center has entered it is unknown"),
        Row::pair("Center", addresses.join(" ")),
        Row::Gap,
        Row::Words(
            "Joining was interrupted. The registration lies signed in this vault. It is sent once more, with the same \
             keys: if the center has entered it already, it gives the same answer."
                .into(),
        ),
    ]
}

pub(super) fn member_rows(joined: &Joined, key: &Asked<String>) -> Vec<Row> {
    let fingerprint = match key {
        Asked::Here(fingerprint) => fingerprint.as_str(),
        Asked::Failed(failure) => failure.message.as_str(),
        Asked::Not | Asked::Waiting { .. } => "being read",
    };
    vec![
        Row::Heading(format!("You are member {}", joined.member)),
        Row::Gap,
        Row::pair("Center", joined.center.as_str()),
        Row::pair("Your key's fingerprint", fingerprint),
        Row::Gap,
        Row::Words(
            "Write the number down. The fingerprint stands in the center's key register too: compare it when you can."
                .into(),
        ),
        Row::Words("Enter opens the home screen; a prepaid card comes next.".into()),
    ]
}
