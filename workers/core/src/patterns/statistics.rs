//! Median and median absolute deviation of whole numbers. Both bear half of the values being anything at all, so that one odd case
//! moves neither.

/// The middle of some values and how far they lie from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Middle {
    /// The median; of two middle values the mean, rounded down.
    pub(super) median: i64,
    /// The median of the distances from it: 0 when at least half of the values are the same.
    pub(super) deviation: i64,
    /// How many values.
    pub(super) sample: usize,
}

impl Middle {
    /// None of no values.
    pub(super) fn of(values: &[i64]) -> Option<Self> {
        let median = median(values.to_vec())?;
        let deviation = median_of_distances(values, median)?;
        Some(Self { median, deviation, sample: values.len() })
    }
}

fn median_of_distances(values: &[i64], from: i64) -> Option<i64> {
    median(values.iter().map(|value| (value - from).abs()).collect())
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values.get(values.len() / 2 - 1)?;
    Some(lower + (upper - lower) / 2)
}

#[cfg(test)]
mod tests {
    use super::Middle;

    #[test]
    fn the_middle_bears_what_is_odd() {
        for (values, median, deviation) in [
            (vec![7], 7, 0),
            (vec![1, 2], 1, 0),
            (vec![1, 4], 2, 1),
            (vec![3, 1, 2], 2, 1),
            (vec![10, 12, 11, 9, 100_000], 11, 1),
            (vec![5, 5, 5, 5, 90], 5, 0),
            (vec![0, 0, 10, 20], 5, 5),
        ] {
            let middle = Middle::of(&values);
            assert_eq!(middle, Some(Middle { median, deviation, sample: values.len() }), "{values:?}");
        }
        assert_eq!(Middle::of(&[]), None);
    }
}
