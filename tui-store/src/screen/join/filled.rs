//! What is filled in while joining, and what is shown of it.

use tui_kit::{
    detail::{Detail, Row},
    form::{Field as FormField, Form},
    ratatui::layout::{Constraint, Layout, Rect},
    review::Review,
    text,
    ui::Ui,
};
use wire::{
    message::{self, FieldKind},
    sheet::Invitation,
};

use super::{INVITATION, Met};
use crate::{
    join::{self, Joined, Welcome},
    screen::shared::Shared,
};

pub(super) fn shared_fingerprint(shared: &Shared) -> Option<&str> {
    shared.snapshot.center.as_ref().map(|center| center.fingerprint.as_str())
}

pub(super) fn invitation_form(button: &str) -> Form {
    let field = FormField::text(INVITATION, "Invitation")
        .required()
        .max(1_000)
        .hint("the line that the center hands out: inkan:KEY@host:port")
        .check(|text| text.parse::<Invitation>().map(drop).map_err(|error| error.to_string()));
    Form::new(button, [field])
}

/// The center's form as fields. What was filled in before is kept when the center is asked again.
pub(super) fn particulars(form: &message::Form, before: Option<&Met>) -> Form {
    let fields = form.fields.iter().map(|field| {
        let (key, label) = (field.key.to_string(), field.label.to_string());
        let shown = match field.kind {
            FieldKind::Date => FormField::date(key, label),
            _ => FormField::text(key, label).max(field.max_chars.into()),
        };
        let shown = if field.required { shown.required() } else { shown };
        let own = field.clone();
        let hint =
            if field.help.is_empty() && !field.required { "may be left empty" } else { field.help.as_str() };
        let shown = if hint.is_empty() { shown } else { shown.hint(hint) };
        match field.kind {
            FieldKind::Date => shown,
            _ => shown.check(move |text| join::check_field(&own, text).map(drop)),
        }
    });
    let mut shown = Form::new("Review", fields);
    if let Some(before) = before {
        shown.restore(&before.particulars.draft());
    }
    shown
}

/// What was filled in, by key.
pub(super) fn values(met: &Met) -> Vec<(String, String)> {
    let filled = met.welcome.form.fields.iter().map(|field| {
        let key = field.key.as_str();
        let value = match field.kind {
            FieldKind::Date => met.particulars.date(key).map(|date| date.to_string()).unwrap_or_default(),
            _ => met.particulars.text(key),
        };
        (key.to_owned(), value)
    });
    filled.filter(|(_, value)| !value.is_empty()).collect()
}

pub(super) fn review(met: &Met, vault_is_there: bool) -> Review {
    let mut rows = vec![
        Row::pair("Center", met.welcome.center.to_string()),
        Row::pair("Fingerprint", met.welcome.fingerprint.clone()),
    ];
    let values = values(met);
    for field in &met.welcome.form.fields {
        let value = values.iter().find(|(key, _)| key == field.key.as_str()).map_or("", |(_, value)| value);
        rows.push(Row::pair(field.label.to_string(), if value.is_empty() { "(empty)" } else { value }));
    }
    if !met.welcome.form.terms.is_empty() {
        rows.extend([Row::Gap, Row::Heading("Terms".into()), Row::Words(met.welcome.form.terms.to_string())]);
    }
    let review = Review::new("Join as a store", "Sign, accept the terms, and send", rows);
    if vault_is_there { review.password("Password B") } else { review }
}

pub(super) fn form_view(ui: &mut Ui<'_, '_>, area: Rect, words: &str, form: &Form) {
    let rows = u16::try_from(text::wrap(words, usize::from(area.width)).len()).unwrap_or(u16::MAX);
    // The fields come first where rows are scarce.
    let rows = if area.height < rows.saturating_add(6) { 0 } else { rows + 1 };
    let [head, fields] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
    let style = ui.theme().text;
    ui.paragraph(head, words, style);
    form.view(ui, fields);
}

pub(super) fn center_view(ui: &mut Ui<'_, '_>, area: Rect, welcome: &Welcome) {
    let rows = [
        Row::pair("Center", welcome.center.to_string()),
        Row::pair("Fingerprint", welcome.fingerprint.clone()),
        Row::Gap,
        Row::Words(
            "Compare the fingerprint with what the center publishes. If it differs, go no further. Enter goes on.".into(),
        ),
    ];
    Detail::new(rows).view(ui, area);
}

pub(super) fn done_view(ui: &mut Ui<'_, '_>, area: Rect, joined: &Joined, fingerprint: Option<&str>) {
    let mut rows = vec![
        Row::Heading(format!("You are store {}", joined.store)),
        Row::Gap,
        Row::pair("Center", joined.center.to_string()),
    ];
    rows.extend(fingerprint.map(|fingerprint| Row::pair("Fingerprint", fingerprint)));
    rows.extend([
        Row::pair("Entered as", joined.entry.to_string()),
        Row::Gap,
        Row::Words("The number is yours for good: members find you by it. Enter opens your counter.".into()),
    ]);
    Detail::new(rows).view(ui, area);
}
