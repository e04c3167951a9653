//! What is printed and written of a measure.

use std::fmt::Write as _;

use serde::Serialize;

/// One measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What was measured.
    pub measure: String,
    /// The median of its runs; none where it could not be measured, and why stands in the printed notes.
    pub value: Option<f64>,
    /// The unit of value and reference.
    pub unit: &'static str,
    /// What it is compared with, measured in the same run.
    pub reference: Option<f64>,
    /// Value by reference.
    pub ratio: Option<f64>,
    /// What is wanted, in words; none where it is only told.
    pub goal: Option<String>,
    /// Whether the goal is met; none where there is no goal, or nothing was measured.
    pub met: Option<bool>,
}

/// What is wanted of a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// Value by reference is at least this.
    RatioLeast(f64),
    /// Value by reference is at most this.
    RatioMost(f64),
    /// The value is at least this.
    Least(f64),
    /// The value is at most this.
    Most(f64),
    /// Nothing: it is told.
    Told,
}

impl Row {
    /// A measure with what it is compared with, where there is something.
    pub fn new(
        measure: &str,
        value: Option<f64>,
        unit: &'static str,
        reference: Option<f64>,
        goal: Goal,
    ) -> Self {
        let ratio = value
            .zip(reference)
            .map(|(value, reference)| value / reference)
            .filter(|ratio| ratio.is_finite());
        let met = match goal {
            Goal::RatioLeast(least) => ratio.map(|ratio| ratio >= least),
            Goal::RatioMost(most) => ratio.map(|ratio| ratio <= most),
            Goal::Least(least) => value.map(|value| value >= least),
            Goal::Most(most) => value.map(|value| value <= most),
            Goal::Told => None,
        };
        Self { measure: measure.to_owned(), value, unit, reference, ratio, goal: goal.words(unit), met }
    }
}

impl Goal {
    fn words(self, unit: &str) -> Option<String> {
        match self {
            Self::RatioLeast(least) => Some(format!("ratio ≥ {least:.2}")),
            Self::RatioMost(most) => Some(format!("ratio ≤ {most:.2}")),
            Self::Least(least) => Some(format!("≥ {} {unit}", figure(least))),
            Self::Most(most) => Some(format!("≤ {} {unit}", figure(most))),
            Self::Told => None,
        }
    }
}

/// A table of measures for a terminal.
pub fn table(rows: &[Row]) -> String {
    let head = ["measure", "value", "unit", "reference", "ratio", "goal", "met"].map(str::to_owned);
    let mut lines = vec![head];
    lines.extend(rows.iter().map(|row| {
        [
            row.measure.clone(),
            row.value.map_or_else(|| "not measured".to_owned(), figure),
            row.unit.to_owned(),
            row.reference.map_or_else(String::new, figure),
            row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            row.goal.clone().unwrap_or_default(),
            row.met.map_or("", |met| if met { "yes" } else { "NO" }).to_owned(),
        ]
    }));
    let widths: [usize; 7] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            // Figures stand under each other on the right.
            let cell =
                if [1, 3, 4].contains(&column) { format!("{pad}{cell}") } else { format!("{cell}{pad}") };
            let _ = write!(text, "{}{cell}", if column == 0 { "" } else { "  " });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        if at == 0 {
            let _ = writeln!(text, "{}", "-".repeat(widths.iter().sum::<usize>() + 12));
        }
    }
    text
}

/// A figure with as many digits as mean something.
pub fn figure(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1_000.0 => return grouped(value),
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_met_or_not_and_never_guessed() {
        let row = |value, reference, goal| Row::new("it", value, "a second", reference, goal);
        assert_eq!(row(Some(6.0), Some(10.0), Goal::RatioLeast(0.6)).met, Some(true));
        assert_eq!(row(Some(5.9), Some(10.0), Goal::RatioLeast(0.6)).met, Some(false));
        assert_eq!(row(Some(14.1), Some(10.0), Goal::RatioMost(1.4)).met, Some(false));
        assert_eq!(row(Some(24.0), None, Goal::Most(25.0)).met, Some(true));
        assert_eq!(row(Some(24.0), None, Goal::Least(25.0)).met, Some(false));
        assert_eq!(row(None, Some(10.0), Goal::RatioLeast(0.6)).met, None);
        assert_eq!(row(Some(1.0), None, Goal::RatioLeast(0.6)).met, None);
        assert_eq!(row(Some(1.0), Some(2.0), Goal::Told).met, None);
    }

    #[test]
    fn a_row_is_written_with_exactly_its_seven_names() {
        let row = Row::new("payments", Some(2.0), "a second", Some(4.0), Goal::RatioLeast(0.25));
        let written = serde_json::to_value(&row).unwrap();
        let names: Vec<&str> = written.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names.len(), 7);
        for name in ["measure", "value", "unit", "reference", "ratio", "goal", "met"] {
            assert!(names.contains(&name), "{name}");
        }
        assert_eq!((written["ratio"].as_f64(), written["met"].as_bool()), (Some(0.5), Some(true)));
    }

    #[test]
    fn figures_are_readable() {
        let shown = [34_512.7, 812.4, 48.27, 1.389, 0.0421, -1_234.0].map(figure);
        assert_eq!(shown, ["34,513", "812", "48.3", "1.39", "0.042", "-1,234"]);
        let text = table(&[Row::new("処理", None, "a second", None, Goal::Told)]);
        assert!(text.contains("not measured") && text.lines().count() == 3, "{text}");
    }
}
