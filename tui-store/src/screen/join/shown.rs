//! What is filled in while joining, and what is shown of it.

use tui_kit::{
    detail::{Detail, Row},
    form::{Asked, Described, Field as FormField, Form},
    pager::Pager,
    ratatui::layout::{Constraint, Layout, Rect},
    review::Review,
    text,
    ui::Ui,
};
use wire::{
    id::{AccountNumber, StoreNumber},
    message::{self, FieldKind},
    sheet::Invitation,
};

use super::{INVITATION, Met, STORE};
use crate::{join::Joined, screen::shared::Shared};

/// What replacing a terminal means.
const REPLACING: &str = "The center's operators decide, and the contact that it knows is told. Registering puts new keys \
                         in place; no money leaves for 72 hours then. What only the old machine held does not come back.";

pub(super) fn shared_fingerprint(shared: &Shared) -> Option<&str> {
    shared.snapshot.center.as_ref().map(|center| center.fingerprint.as_str())
}

pub(in crate::screen) fn invitation_form(button: &str) -> Form {
    Form::new(button, [invitation_field()])
}

/// The invitation, and the store whose terminal was lost.
pub(super) fn replace_form() -> Form {
    let number = FormField::text(STORE, "Store number")
        .required()
        .max(20)
        .hint("the store whose terminal was lost, like S-000001-3")
        .check(|text| store_number(text).map(drop));
    Form::new("Ask the center", [invitation_field(), number])
}

/// A store's number as typed.
pub(super) fn store_number(text: &str) -> Result<StoreNumber, String> {
    match text.trim().parse::<AccountNumber>() {
        Ok(AccountNumber::Store(store)) => Ok(store),
        Ok(other) => Err(format!("{other} is no store's number; it begins with S-")),
        Err(error) => Err(error.to_string()),
    }
}

pub(in crate::screen) fn invitation_field() -> FormField {
    FormField::text(INVITATION, "Invitation")
        .required()
        .max(1_000)
        .hint("the line that the center hands out: inkan:KEY@host:port")
        .check(|text| text.parse::<Invitation>().map(drop).map_err(|error| error.to_string()))
}

/// The center's form as fields, whatever it asks. What was filled in before is kept when the center is asked again.
pub(super) fn particulars(form: &message::Form, before: Option<&Met>) -> Form {
    let fields = form.fields.iter().map(|field| {
        let own = field.clone();
        let check = move |text: &str| own.check(text).map(drop);
        let asked = match field.kind {
            FieldKind::Line => Asked::Line,
            FieldKind::Prose => Asked::Prose,
            FieldKind::Date => Asked::Date,
            FieldKind::Email => Asked::Email,
            FieldKind::Phone => Asked::Phone,
            FieldKind::Kana => Asked::Kana,
            FieldKind::Number => Asked::Number(None),
            FieldKind::Consent => {
                Asked::Choice(vec![("yes".into(), "yes".into()), ("no".into(), "no".into())])
            }
            FieldKind::BankAccount => Asked::Checked(Box::new(check)),
        };
        Described {
            key: field.key.to_string(),
            label: field.label.to_string(),
            help: field.help.to_string(),
            asked,
            required: field.required,
            chars_max: (field.kind != FieldKind::Date).then_some(usize::from(field.max_chars)),
        }
    });
    let mut shown = Form::described("Go on", fields);
    if let Some(before) = before {
        shown.restore(&before.particulars.draft());
    }
    shown
}

/// What was filled in, by key.
pub(super) fn values(met: &Met) -> Vec<(String, String)> {
    let filled = met.welcome.form.fields.iter().map(|field| {
        let key = field.key.as_str();
        (key.to_owned(), met.particulars.plain(key))
    });
    filled.filter(|(_, value)| !value.is_empty()).collect()
}

pub(super) fn review(met: &Met, vault_is_there: bool, phrase: bool) -> Review {
    let mut rows = Vec::new();
    rows.extend(met.replaces.map(|store| Row::pair("Replaces", format!("the terminal of {store}"))));
    rows.extend([
        Row::pair("Center", met.welcome.center.to_string()),
        Row::pair("Fingerprint", met.welcome.fingerprint.clone()),
    ]);
    let values = values(met);
    for field in &met.welcome.form.fields {
        let value = values.iter().find(|(key, _)| key == field.key.as_str()).map_or("", |(_, value)| value);
        rows.push(Row::pair(field.label.to_string(), if value.is_empty() { "(empty)" } else { value }));
    }
    if !vault_is_there {
        rows.push(Row::pair("Recovery phrase", if phrase { "made and asked back" } else { "none" }));
    }
    if !met.welcome.form.terms.is_empty() {
        rows.extend([Row::Gap, Row::Heading("Terms".into()), Row::Words(met.welcome.form.terms.to_string())]);
    }
    let title = if met.replaces.is_some() { "Apply for a new terminal" } else { "Apply to join as a store" };
    let review = Review::new(title, "Sign and send the application", rows);
    let review = if met.replaces.is_some() { review.warn(REPLACING) } else { review };
    if vault_is_there { review.password("Password B") } else { review }
}

pub(in crate::screen) fn form_view(ui: &mut Ui<'_, '_>, area: Rect, words: &str, form: &Form) {
    let rows = u16::try_from(text::wrap(words, usize::from(area.width)).len()).unwrap_or(u16::MAX);
    // The fields come first where rows are scarce.
    let rows = if area.height < rows.saturating_add(6) { 0 } else { rows + 1 };
    let [head, fields] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
    let style = ui.theme().text;
    ui.paragraph(head, words, style);
    form.view(ui, fields);
}

/// The guide page below the words that say what to compare.
pub(super) fn center_view(ui: &mut Ui<'_, '_>, area: Rect, guide: &Pager) {
    let words = "Compare the fingerprint with what the center publishes. If it differs, go no further. Enter goes on.";
    let rows = u16::try_from(text::wrap(words, usize::from(area.width)).len()).unwrap_or(u16::MAX);
    let [page, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(rows)]).areas(area);
    guide.view(ui, page);
    let style = ui.theme().strong;
    ui.paragraph(foot, words, style);
}

pub(super) fn done_view(ui: &mut Ui<'_, '_>, area: Rect, joined: &Joined, fingerprint: Option<&str>) {
    let mut rows = vec![
        Row::Heading(format!("You are store {}", joined.store)),
        Row::Gap,
        Row::pair("Center", joined.center.to_string()),
    ];
    rows.extend(fingerprint.map(|fingerprint| Row::pair("Center's root key", fingerprint)));
    rows.extend([
        Row::pair("Your signature key", joined.key.as_str()),
        Row::pair("Entered as", joined.entry.to_string()),
        Row::Gap,
        Row::Words(
            "The number is yours for good: members find you by it. The center shows the same fingerprint of your key. \
             Enter opens your counter."
                .into(),
        ),
    ]);
    Detail::new(rows).view(ui, area);
}
