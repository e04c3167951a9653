//! Latencies and medians.

/// Latencies in microseconds, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    /// Of these, in whatever order.
    pub fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self(micros)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What this share of them (0.5, 0.99) does not exceed, in milliseconds; `None` where there are none.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let at = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(at.clamp(1, self.0.len().max(1)) - 1).map(|micros| f64::from(*micros) / 1000.0)
    }

    /// The longest, in milliseconds.
    pub fn worst_ms(&self) -> Option<f64> {
        self.0.last().map(|micros| f64::from(*micros) / 1000.0)
    }
}

/// The median; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        count if count % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_medians() {
        let latencies = Latencies::of((1..=1_000).rev().map(|n| n * 1_000).collect());
        assert_eq!(latencies.quantile_ms(0.5), Some(500.0));
        assert_eq!(latencies.quantile_ms(0.99), Some(990.0));
        assert_eq!(latencies.quantile_ms(1.0), latencies.worst_ms());
        assert_eq!(Latencies::default().quantile_ms(0.5), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[f64::NAN]), None);
    }
}
