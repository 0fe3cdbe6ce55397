//! Putting several candidates in order by paired samples: ranks with the range that the data leave open, and the front of
//! those that nobody beats in two things at once. Smaller is better throughout.

use super::interval::paired_differences;
use super::moments::mean;
use super::rank::{holm, sign_flip_nonzero};
use rand::Rng;

/// The place of one candidate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Placed {
    /// Its mean.
    pub mean: f64,
    /// Its rank by mean, from 1; equal means share the better one.
    pub rank: usize,
    /// The best rank that the data leave open: one more than those who are better for sure.
    pub best: usize,
    /// The worst rank that the data leave open: one less for each who is worse for sure.
    pub worst: usize,
    /// Adjusted p-value of its difference from the candidate with the smallest mean; `None` for that one itself.
    pub p_first: Option<f64>,
}

/// Ranks candidates by their means, each with the range of ranks that pairwise tests leave open at `level`: sign flips of the paired
/// differences, corrected over all pairs (Holm 1979). All ranges hold together with probability 1 - `level` (Mohamad, Goeman and
/// van Zwet 2022). `None` if the samples are empty.
///
/// # Panics
/// Panics if the samples differ in length or `flips` is 0.
pub fn rank_ranges(samples: &[Vec<f64>], level: f64, flips: u32, rng: &mut impl Rng) -> Option<Vec<Placed>> {
    let means: Vec<f64> = samples.iter().map(|sample| mean(sample)).collect::<Option<_>>()?;
    let pairs: Vec<(usize, usize)> =
        (0..samples.len()).flat_map(|a| (a + 1..samples.len()).map(move |b| (a, b))).collect();
    let p_values: Vec<f64> = pairs
        .iter()
        .map(|&(a, b)| sign_flip_nonzero(&paired_differences(&samples[a], &samples[b]), flips, rng))
        .collect();
    let adjusted = holm(&p_values);
    let p_of = |one: usize, other: usize| {
        let pair = (one.min(other), one.max(other));
        pairs.iter().position(|known| *known == pair).map(|index| adjusted[index])
    };
    let first = (0..means.len()).min_by(|&a, &b| means[a].total_cmp(&means[b]))?;
    let placed = |one: usize| {
        let beats = |a: usize, b: usize| means[a] < means[b] && p_of(a, b).is_some_and(|p| p < level);
        let others = || (0..means.len()).filter(move |other| *other != one);
        Placed {
            mean: means[one],
            rank: 1 + others().filter(|&other| means[other] < means[one]).count(),
            best: 1 + others().filter(|&other| beats(other, one)).count(),
            worst: means.len() - others().filter(|&other| beats(one, other)).count(),
            p_first: p_of(one, first),
        }
    };
    Some((0..means.len()).map(placed).collect())
}

/// Returns for each point who dominates it: the first point that is no worse in both coordinates and better in one, and is itself
/// dominated by none; `None` on the front (Pareto 1906).
pub fn dominators(points: &[[f64; 2]]) -> Vec<Option<usize>> {
    let dominates = |a: &[f64; 2], b: &[f64; 2]| a[0] <= b[0] && a[1] <= b[1] && (a[0] < b[0] || a[1] < b[1]);
    let is_front = |point: &[f64; 2]| !points.iter().any(|other| dominates(other, point));
    points
        .iter()
        .map(|point| points.iter().position(|other| dominates(other, point) && is_front(other)))
        .collect()
}

/// Returns how often each candidate is on the front of its two means when replicates are drawn anew (Efron 1979), all candidates'
/// together as they share their dice. `samples[i]` are the two samples of candidate i. Empty without a replicate.
///
/// # Panics
/// Panics if the samples differ in length.
pub fn front_shares(samples: &[[Vec<f64>; 2]], resamples: u32, rng: &mut impl Rng) -> Vec<f64> {
    let n = samples.first().map_or(0, |sample| sample[0].len());
    assert!(samples.iter().flatten().all(|sample| sample.len() == n), "pairs need samples of one length");
    if n == 0 || resamples == 0 {
        return Vec::new();
    }
    let mut counts = vec![0_u32; samples.len()];
    let mut indices = vec![0_usize; n];
    for _ in 0..resamples {
        // As in `bootstrap`: the high word of a product.
        indices.fill_with(|| ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize);
        let sum = |values: &[f64]| indices.iter().map(|&index| values[index]).sum::<f64>();
        let points: Vec<[f64; 2]> = samples.iter().map(|[a, b]| [sum(a), sum(b)]).collect();
        for (count, dominator) in counts.iter_mut().zip(dominators(&points)) {
            *count += u32::from(dominator.is_none());
        }
    }
    counts.into_iter().map(|count| f64::from(count) / f64::from(resamples)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng as Generator, Seed};
    use crate::sampling::{Distribution, Normal};

    fn rng(n: u64) -> Generator {
        Seed { master: 23, replicate: 0 }.stream("order-tests").draw(n, 0)
    }

    /// Candidates with these means over 30 replicates: noise of their own, and noise that all share.
    fn samples(study: u64, means: &[f64]) -> Vec<Vec<f64>> {
        let (mut rng, law) = (rng(study), Normal::new(0.0, 1.0));
        let shared: Vec<f64> = (0..30).map(|_| 5.0 * law.sample(&mut rng)).collect();
        means
            .iter()
            .map(|mean| shared.iter().map(|both| mean + both + law.sample(&mut rng)).collect())
            .collect()
    }

    #[test]
    fn a_rank_is_as_exact_as_the_data_are() {
        let placed = rank_ranges(&samples(1, &[10.0, 0.0, 10.0, 30.0]), 0.05, 4_999, &mut rng(2)).unwrap();
        let range = |index: usize| (placed[index].best, placed[index].worst);
        assert_eq!((range(1), placed[1].rank, placed[1].p_first), ((1, 1), 1, None));
        assert_eq!((range(0), range(2), range(3)), ((2, 3), (2, 3), (4, 4)));
        assert!(placed[3].p_first.unwrap() < 0.01);
        // Two replicates decide nothing.
        let two: Vec<Vec<f64>> = samples(1, &[0.0, 50.0]).iter().map(|sample| sample[..2].to_vec()).collect();
        let open = rank_ranges(&two, 0.05, 99, &mut rng(2)).unwrap();
        assert_eq!((open[1].rank, open[1].best, open[1].worst), (2, 1, 2));
        assert_eq!(rank_ranges(&[Vec::new(), Vec::new()], 0.05, 99, &mut rng(2)), None);
    }

    #[test]
    fn equals_share_a_rank_and_are_never_told_apart() {
        let same = vec![vec![1.0, 5.0, 3.0]; 3];
        let placed = rank_ranges(&same, 0.05, 99, &mut rng(3)).unwrap();
        assert!(placed.iter().all(|one| (one.rank, one.best, one.worst) == (1, 1, 3)), "{placed:?}");
    }

    /// 200 studies of five equal candidates: some range is shorter than 1 to 5 in no more than a twentieth, within four standard
    /// errors of 1.5 points.
    #[test]
    fn ranges_of_equals_are_wrong_as_seldom_as_stated() {
        let wrong = (0..200).filter(|&study| {
            let placed =
                rank_ranges(&samples(100 + study, &[0.0; 5]), 0.05, 999, &mut rng(1_000 + study)).unwrap();
            placed.iter().any(|one| (one.best, one.worst) != (1, 5))
        });
        let share = wrong.count() as f64 / 200.0;
        assert!(share < 0.05 + 0.062, "{share}");
    }

    #[test]
    fn the_front_is_what_nobody_beats_twice() {
        let points = [[1.0, 5.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0], [5.0, 1.0], [2.0, 2.0]];
        assert_eq!(dominators(&points), [None, None, Some(1), Some(1), None, None]);
        assert_eq!(dominators(&[]), Vec::<Option<usize>>::new());
    }

    #[test]
    fn a_point_far_behind_is_never_on_the_front_and_one_far_ahead_always() {
        let sample = |a: f64, b: f64| [vec![a, a + 1.0], vec![b, b - 1.0]];
        let shares = front_shares(&[sample(0.0, 0.0), sample(9.0, 9.0), sample(-9.0, 9.0)], 200, &mut rng(4));
        let hundredths: Vec<i64> = shares.iter().map(|share| libm::rint(share * 100.0) as i64).collect();
        assert_eq!(hundredths, [100, 0, 100]);
        // The same twice, but for which replicate is the lucky one: half of the draws favour one of them.
        let (a, b) = ([vec![0.0, 1.0], vec![0.0, 0.0]], [vec![1.0, 0.0], vec![0.0, 0.0]]);
        let shares = front_shares(&[a, b], 4_000, &mut rng(5));
        // Each is beaten in the quarter of draws that take the other's lucky replicate twice.
        assert!(shares.iter().all(|share| (share - 0.75).abs() < 0.03), "{shares:?}");
        assert!(front_shares(&[], 100, &mut rng(6)).is_empty());
    }
}
