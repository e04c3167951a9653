//! Sections of a page one below another: where rows are scarce, each keeps its most important lines and says how many
//! it leaves out.

use ratatui::text::{Line, Span};

use crate::text;
use crate::ui::Ui;

/// One part of a page.
#[derive(Debug, Clone)]
pub struct Section {
    /// What stands above its lines.
    pub title: &'static str,
    /// Its lines, the most important first.
    pub lines: Vec<Line<'static>>,
    /// How many of them are shown even where rows are scarce.
    pub keep: usize,
}

/// Gives each section the rows it needs, of `rows` in all; where there are too few, the first sections get more.
pub fn lay_out(ui: &Ui<'_, '_>, sections: Vec<Section>, rows: u16) -> Vec<Line<'static>> {
    let titles = sections.len();
    let mut shown: Vec<usize> =
        sections.iter().map(|section| section.lines.len().min(section.keep)).collect();
    let mut left = usize::from(rows).saturating_sub(shown.iter().sum::<usize>() + titles);
    for (shown, section) in shown.iter_mut().zip(&sections) {
        let more = section.lines.len().saturating_sub(*shown).min(left);
        *shown += more;
        left -= more;
    }
    let gaps = left >= titles;
    let mut lines = Vec::new();
    for (section, shown) in sections.into_iter().zip(shown) {
        if gaps {
            lines.push(Line::default());
        }
        let mut head = vec![Span::styled(section.title, ui.theme().title)];
        if section.lines.len() > shown {
            head.push(Span::styled(format!("  ({} more)", section.lines.len() - shown), ui.theme().dim));
        }
        lines.push(Line::from(head));
        lines.extend(section.lines.into_iter().take(shown));
    }
    lines
}

/// Dim words, wrapped and indented: what stands in a section that has nothing to show.
pub fn nothing(ui: &Ui<'_, '_>, words: &str, columns: u16) -> Vec<Line<'static>> {
    let wrapped = text::wrap(&text::clean(words), usize::from(columns).saturating_sub(2));
    wrapped.into_iter().map(|line| Line::styled(format!("  {line}"), ui.theme().dim)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn sections(ui: &Ui<'_, '_>) -> Vec<Section> {
        let lines = |count: usize| (1..=count).map(|at| Line::raw(format!("  line {at}"))).collect();
        vec![
            Section { title: "First", lines: lines(4), keep: 1 },
            Section { title: "Second", lines: nothing(ui, "Nothing is here.", 20), keep: 1 },
        ]
    }

    fn drawn(rows: u16) -> String {
        testing::draw(20, rows, |ui| {
            let lines = lay_out(ui, sections(ui), rows);
            ui.lines(ui.area(), lines);
        })
    }

    #[test]
    fn scarce_rows_go_to_the_first_section() {
        insta::assert_snapshot!(drawn(5), @r"
        First  (2 more)
          line 1
          line 2
        Second
          Nothing is here.
        ");
        insta::assert_snapshot!(drawn(9), @r"

        First
          line 1
          line 2
          line 3
          line 4

        Second
          Nothing is here.
        ");
        drawn(1);
    }
}
