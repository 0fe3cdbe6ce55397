//! Fewer points for the same picture: a line keeps its extremes in every column of the plot, bars are summed over
//! intervals wide enough to be seen.

/// More bars than this are too thin to be seen.
pub(super) const MOST_BARS: usize = 300;

/// A point in data units.
pub(super) type Point = (f64, f64);

/// Splits a line where values are missing and thins each piece to at most four points a column.
pub(super) fn line(time: &[f64], values: &[f64], columns: usize) -> Vec<Vec<Point>> {
    let thick = time.len() > 4 * columns;
    let column = column_of(time, columns);
    let mut pieces = Vec::new();
    let mut piece: Vec<(usize, Point)> = Vec::new();
    let mut end = |piece: &mut Vec<(usize, Point)>| {
        if !piece.is_empty() {
            pieces.push(if thick { keep_extremes(piece) } else { piece.iter().map(|(_, p)| *p).collect() });
            piece.clear();
        }
    };
    for (time, value) in time.iter().zip(values) {
        if value.is_finite() {
            piece.push((column(*time), (*time, *value)));
        } else {
            end(&mut piece);
        }
    }
    end(&mut piece);
    pieces
}

/// Outlines of the area between two lines, split where either is missing.
pub(super) fn band(time: &[f64], low: &[f64], high: &[f64], columns: usize) -> Vec<Vec<Point>> {
    // Both edges must break at the same places.
    let both = |edge: &[f64], other: &[f64]| -> Vec<f64> {
        edge.iter().zip(other).map(|(edge, other)| if other.is_finite() { *edge } else { f64::NAN }).collect()
    };
    let upper = line(time, &both(high, low), columns);
    let lower = line(time, &both(low, high), columns);
    upper
        .into_iter()
        .zip(lower)
        .map(|(mut outline, lower)| {
            outline.extend(lower.into_iter().rev());
            outline
        })
        .collect()
}

fn column_of(time: &[f64], columns: usize) -> impl Fn(f64) -> usize {
    let from = time.first().copied().unwrap_or(0.0);
    let span = time.last().copied().unwrap_or(0.0) - from;
    move |time| if span > 0.0 { ((time - from) / span * columns as f64) as usize } else { 0 }
}

/// Keeps the first, lowest, highest and last point of each column, in their order.
fn keep_extremes(piece: &[(usize, Point)]) -> Vec<Point> {
    let mut kept = Vec::new();
    for column in piece.chunk_by(|a, b| a.0 == b.0) {
        let by_value = |a: &usize, b: &usize| column[*a].1.1.total_cmp(&column[*b].1.1);
        let last = column.len() - 1;
        let lowest = (0..=last).min_by(by_value).unwrap_or(0);
        let highest = (0..=last).max_by(by_value).unwrap_or(last);
        let mut indices = [0, lowest, highest, last];
        indices.sort_unstable();
        for (position, index) in indices.iter().enumerate() {
            if position == 0 || indices[position - 1] != *index {
                kept.push(column[*index].1);
            }
        }
    }
    kept
}

/// Amounts summed over intervals of one width.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bins {
    /// Start of the first interval, in seconds.
    pub(super) from: f64,
    /// Seconds.
    pub(super) width: f64,
    /// Sum in each.
    pub(super) sums: Vec<f64>,
}

/// Sums amounts, each recorded at the end of its sampling interval, into at most `most` intervals of a width that a
/// clock knows, each of the same number of samples.
pub(super) fn bins(time: &[f64], amounts: &[f64], most: usize) -> Bins {
    let Some(first) = time.first() else { return Bins { from: 0.0, width: 1.0, sums: Vec::new() } };
    let interval = sampling_interval(time);
    let samples = time.len();
    let per_bin = samples_per_bin(samples, interval, most);
    let sums =
        amounts.chunks(per_bin).map(|chunk| chunk.iter().filter(|amount| amount.is_finite()).sum()).collect();
    Bins { from: first - interval, width: interval * per_bin as f64, sums }
}

/// Returns the sums of amounts over the intervals that bars are drawn for.
pub(super) fn sums(time: &[f64], amounts: &[f64]) -> Vec<f64> {
    bins(time, amounts, MOST_BARS).sums
}

/// Returns the time between two samples; 1 s where there are not two.
pub(super) fn sampling_interval(time: &[f64]) -> f64 {
    match time {
        [first, .., last] => (last - first) / (time.len() - 1) as f64,
        _ => 1.0,
    }
}

fn samples_per_bin(samples: usize, interval: f64, most: usize) -> usize {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 3_600.0;
    const WIDTHS: [f64; 19] = [
        1.0,
        2.0,
        5.0,
        10.0,
        15.0,
        30.0,
        MINUTE,
        2.0 * MINUTE,
        5.0 * MINUTE,
        10.0 * MINUTE,
        15.0 * MINUTE,
        30.0 * MINUTE,
        HOUR,
        2.0 * HOUR,
        3.0 * HOUR,
        6.0 * HOUR,
        12.0 * HOUR,
        24.0 * HOUR,
        168.0 * HOUR,
    ];
    let least = samples.div_ceil(most).max(1);
    if least == 1 {
        return 1;
    }
    WIDTHS
        .into_iter()
        .map(|width| width / interval)
        .filter(|ratio| (ratio - libm::rint(*ratio)).abs() < 1e-6)
        .map(|ratio| libm::rint(ratio) as usize)
        .find(|per_bin| *per_bin >= least)
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_is_kept_and_split_where_values_are_missing() {
        let pieces = line(&[0.0, 1.0, 2.0, 3.0], &[5.0, f64::NAN, 6.0, 7.0], 10);
        assert_eq!(pieces, [vec![(0.0, 5.0)], vec![(2.0, 6.0), (3.0, 7.0)]]);
    }

    #[test]
    fn a_long_line_keeps_ends_and_extremes() {
        let time: Vec<f64> = (0..100_000).map(f64::from).collect();
        let mut values: Vec<f64> = time.iter().map(|t| t % 7.0).collect();
        values[54_321] = -100.0;
        values[54_322] = 100.0;
        let pieces = line(&time, &values, 100);
        let points = &pieces[0];
        assert!(points.len() <= 404, "{}", points.len());
        assert_eq!((points[0], *points.last().unwrap()), ((0.0, 0.0), (99_999.0, values[99_999])));
        assert!(points.contains(&(54_321.0, -100.0)) && points.contains(&(54_322.0, 100.0)));
        assert!(points.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_band_runs_forth_above_and_back_below() {
        let nan = f64::NAN;
        let outlines = band(&[0.0, 1.0, 2.0, 3.0], &[1.0, 1.0, nan, 1.0], &[2.0, 3.0, 2.0, 4.0], 10);
        assert_eq!(outlines[0], [(0.0, 2.0), (1.0, 3.0), (1.0, 1.0), (0.0, 1.0)]);
        assert_eq!(outlines[1], [(3.0, 4.0), (3.0, 1.0)]);
    }

    #[test]
    fn bins_keep_the_sum() {
        let time: Vec<f64> = (1..=1_000).map(|t| f64::from(t) * 10.0).collect();
        let amounts = vec![1.0; 1_000];
        let bins = bins(&time, &amounts, 200);
        assert_eq!((bins.from, bins.width, bins.sums.len()), (0.0, 60.0, 167));
        assert!(bins.sums[..166].iter().all(|sum| sum.to_bits() == 6.0_f64.to_bits()));
        assert_eq!(bins.sums[166].to_bits(), 4.0_f64.to_bits());
        assert!(super::bins(&[], &[], 10).sums.is_empty());
        assert_eq!(super::bins(&[4.0], &[2.0], 10).sums, [2.0]);
    }
}
