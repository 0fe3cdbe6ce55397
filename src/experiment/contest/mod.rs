//! Policies held against the scenario as it is and against each other, paired by seed: what each makes of a crash and of calm
//! time, ranks as far as the data decide them, and protection against its cost.

mod tables;

use super::{Design, Measurements};
use crate::rng::{Rng, Seed};
use crate::stats::Interval;
use crate::stats::bootstrap::{Bootstrap, Method};
use crate::stats::interval::{mean_interval, paired_differences};
use crate::stats::moments::mean;
use crate::stats::order::{Placed, dominators, front_shares, rank_ranges};
use crate::stats::paired::{Gain, pairing_gain, smallest_detectable, superiority};
use crate::stats::rank::{holm, sign_flip_nonzero};

/// Which runs a metric is taken from; also the place of their arm in the design.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Those with the shocks.
    Crash,
    /// Those without.
    Calm,
}

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Less.
    Less,
    /// More.
    More,
}

/// One thing that a policy may make better or worse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facet {
    /// Column of the runs table.
    pub metric: &'static str,
    /// Where it is measured.
    pub phase: Phase,
    /// Which way is better.
    pub wanted: Wanted,
}

const fn facet(phase: Phase, metric: &'static str, wanted: Wanted) -> Facet {
    Facet { metric, phase, wanted }
}

/// What policies are compared by: every row of the table of policies is one of these.
pub const FACETS: [Facet; 9] = [
    facet(Phase::Crash, "drawdown_pct", Wanted::Less),
    facet(Phase::Crash, "liquidated_usd", Wanted::Less),
    facet(Phase::Crash, "bad_debt_usd", Wanted::Less),
    facet(Phase::Crash, "adl_usd", Wanted::Less),
    facet(Phase::Calm, "spread_bps_mean", Wanted::Less),
    facet(Phase::Calm, "depth_bid_1pct_usd_mean", Wanted::More),
    facet(Phase::Calm, "depth_ask_1pct_usd_mean", Wanted::More),
    facet(Phase::Calm, "volume_usd", Wanted::More),
    facet(Phase::Calm, "cost_1m_bps_mean", Wanted::Less),
];

/// The facets that policies are ranked by: two kinds of protection, then what it costs. Less is better in each.
pub const RANKED: [usize; 3] = [0, 1, 8];
/// The cost that both kinds of protection are held against.
const COST: usize = 2;

/// Level of every test and one less the confidence of every interval.
const LEVEL: f64 = 0.05;
/// Probability with which the smallest detectable difference is found; the custom since Cohen (1988).
const POWER: f64 = 0.8;
/// A p-value of one in twenty thousand survives the correction for nine metrics of a hundred policies.
const FLIPS: u32 = 19_999;
/// As `bootstrap` advises for 95 %.
const RESAMPLES: u32 = 2_000;

/// One facet under a policy and without it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Contrast {
    /// Replicates that have both.
    pub pairs: usize,
    /// Mean of the scenario as it is.
    pub baseline: f64,
    /// Mean under the policy.
    pub mean: f64,
    /// Mean of policy minus baseline.
    pub difference: f64,
    /// Its interval, Student's; `None` for fewer than two pairs.
    pub interval: Option<Interval>,
    /// The same by the bootstrap.
    pub bootstrap: Option<Interval>,
    /// p-value of the difference.
    pub p: f64,
    /// The same, corrected for all contrasts.
    pub p_holm: f64,
    /// Share of pairs in which the policy is better.
    pub better: Interval,
    /// What common random numbers gained; `None` for fewer than two pairs.
    pub gain: Option<Gain>,
    /// Smallest difference that one test finds.
    pub detectable: Option<f64>,
    /// Smallest difference that is found after the correction.
    pub detectable_holm: Option<f64>,
}

impl Contrast {
    /// Tells whether the difference stands after the correction.
    pub fn is_decided(&self) -> bool {
        self.p_holm < LEVEL
    }
}

/// Protection against cost.
#[derive(Clone, PartialEq, Debug)]
pub struct Front {
    /// Means of protection and cost of each point.
    pub means: Vec<[f64; 2]>,
    /// Who dominates each point; `None` on the front.
    pub dominators: Vec<Option<usize>>,
    /// Share of draws in which each point is on the front.
    pub shares: Vec<f64>,
    /// Replicates that all points have.
    pub replicates: usize,
}

/// Everything that is said about policies.
#[derive(Clone, PartialEq, Debug)]
pub struct Contest {
    /// By point but the first, then facet; `None` without a pair.
    pub contrasts: Vec<Vec<Option<Contrast>>>,
    /// By ranked facet: replicates that all points have, and the place of each point; `None` without any.
    pub rankings: Vec<Option<(usize, Vec<Placed>)>>,
    /// By kind of protection; `None` without a replicate that all points have.
    pub fronts: Vec<Option<Front>>,
}

impl Contest {
    /// Compares the points of a design by their runs; the first is the scenario as it is.
    pub fn new(design: &Design, measured: &[Measurements]) -> Self {
        let seed = Seed { master: design.seed, replicate: 0 };
        let of =
            |point: usize, facet: &Facet| measured[point].by_replicate(facet.phase as usize, facet.metric);
        let (signs, draws) = (seed.stream("compare-signs"), seed.stream("compare-bootstrap"));
        let mut contrasts: Vec<Vec<Option<Contrast>>> = (1..measured.len())
            .map(|point| {
                let contrast = |(index, facet): (usize, &Facet)| {
                    let cell = (point * FACETS.len() + index) as u64;
                    contrast(
                        facet,
                        &of(0, facet),
                        &of(point, facet),
                        signs.draw(cell, 0),
                        draws.draw(cell, 0),
                    )
                };
                FACETS.iter().enumerate().map(contrast).collect()
            })
            .collect();
        correct(&mut contrasts, |point, facet| {
            let (_, _, differences) = paired(&of(0, &FACETS[facet]), &of(point + 1, &FACETS[facet]));
            differences
        });
        let all = |facets: &[usize]| -> Vec<Vec<Vec<f64>>> {
            common(
                &facets
                    .iter()
                    .map(|&facet| (0..measured.len()).map(|point| of(point, &FACETS[facet])).collect())
                    .collect::<Vec<_>>(),
            )
        };
        let ranks = seed.stream("compare-ranks");
        let rankings = RANKED
            .iter()
            .enumerate()
            .map(|(index, &facet)| {
                let samples = all(&[facet]).pop()?;
                let count = samples.first()?.len();
                Some((count, rank_ranges(&samples, LEVEL, FLIPS, &mut ranks.draw(index as u64, 0))?))
            })
            .collect();
        let front_draws = seed.stream("compare-front");
        let fronts = (0..COST)
            .map(|kind| {
                let [protection, cost]: [Vec<Vec<f64>>; 2] =
                    all(&[RANKED[kind], RANKED[COST]]).try_into().expect("two facets were asked for");
                let samples: Vec<[Vec<f64>; 2]> =
                    protection.into_iter().zip(cost).map(|(protection, cost)| [protection, cost]).collect();
                Front::of(&samples, &mut front_draws.draw(kind as u64, 0))
            })
            .collect();
        Self { contrasts, rankings, fronts }
    }
}

impl Front {
    fn of(samples: &[[Vec<f64>; 2]], rng: &mut Rng) -> Option<Self> {
        let means: Vec<[f64; 2]> =
            samples.iter().map(|[a, b]| Some([mean(a)?, mean(b)?])).collect::<Option<_>>()?;
        Some(Self {
            dominators: dominators(&means),
            shares: front_shares(samples, RESAMPLES, rng),
            replicates: samples.first()?[0].len(),
            means,
        })
    }
}

/// Returns the values of the replicates that both samples have, and their differences: second minus first.
fn paired(baseline: &[Option<f64>], policy: &[Option<f64>]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let both = baseline.iter().zip(policy).filter_map(|(a, b)| a.zip(*b));
    let (baseline, policy): (Vec<f64>, Vec<f64>) = both.unzip();
    let differences = paired_differences(&policy, &baseline);
    (baseline, policy, differences)
}

/// Leaves of each sample the replicates that all samples of all facets have.
fn common(samples: &[Vec<Vec<Option<f64>>>]) -> Vec<Vec<Vec<f64>>> {
    let replicates = samples.iter().flatten().map(Vec::len).min().unwrap_or(0);
    let kept: Vec<usize> = (0..replicates)
        .filter(|&replicate| samples.iter().flatten().all(|sample| sample[replicate].is_some()))
        .collect();
    let keep = |sample: &Vec<Option<f64>>| kept.iter().filter_map(|&replicate| sample[replicate]).collect();
    samples.iter().map(|of_facet| of_facet.iter().map(keep).collect()).collect()
}

fn contrast(
    facet: &Facet,
    baseline: &[Option<f64>],
    policy: &[Option<f64>],
    mut signs: Rng,
    mut draws: Rng,
) -> Option<Contrast> {
    let (baseline, policy, differences) = paired(baseline, policy);
    let gained: Vec<f64> = match facet.wanted {
        Wanted::Less => differences.iter().map(|difference| -difference).collect(),
        Wanted::More => differences.clone(),
    };
    let bootstrap =
        Bootstrap { method: Method::BiasCorrected, resamples: RESAMPLES, confidence: 1.0 - LEVEL };
    let p = sign_flip_nonzero(&differences, FLIPS, &mut signs);
    Some(Contrast {
        pairs: differences.len(),
        baseline: mean(&baseline)?,
        mean: mean(&policy)?,
        difference: mean(&differences)?,
        interval: mean_interval(&differences, 1.0 - LEVEL),
        bootstrap: bootstrap.of(&differences, mean, &mut draws),
        p,
        p_holm: p,
        better: superiority(&gained, 1.0 - LEVEL)?,
        gain: pairing_gain(&policy, &baseline),
        detectable: smallest_detectable(&differences, LEVEL, POWER),
        detectable_holm: None,
    })
}

/// Corrects the p-values of all contrasts for their number, and what can be detected with it.
fn correct(contrasts: &mut [Vec<Option<Contrast>>], differences: impl Fn(usize, usize) -> Vec<f64>) {
    let p_values: Vec<f64> = contrasts.iter().flatten().flatten().map(|contrast| contrast.p).collect();
    let mut corrected = holm(&p_values).into_iter();
    let level = LEVEL / p_values.len().max(1) as f64;
    for (point, facets) in contrasts.iter_mut().enumerate() {
        for (facet, contrast) in facets.iter_mut().enumerate() {
            let Some(contrast) = contrast else { continue };
            contrast.p_holm = corrected.next().expect("one p-value each");
            contrast.detectable_holm = smallest_detectable(&differences(point, facet), level, POWER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Policy, Space};
    use crate::record::tables::metrics;
    use crate::record::{Outcome, RunRecord};
    use crate::scenario::{Document, check, shipped};
    use crate::units::Time;

    fn design(replicates: u32) -> Design {
        let text = shipped::find("long-squeeze").unwrap().text;
        let document = Document::parse("a", text.as_bytes()).unwrap();
        let scenario = check(&document, "a").unwrap();
        let policies: Vec<Policy> = shipped::POLICIES
            .iter()
            .filter(|(name, _)| ["larger-fund", "no-adl"].contains(name))
            .map(|(name, text)| Policy::read(&Document::parse(name, text.as_bytes()).unwrap(), name).unwrap())
            .collect();
        let points = Policy::points(&policies, &[]);
        let home = Document::parse("b", b"").unwrap();
        let space = Space::new(document, "a", home, points, String::new());
        Design::swept(&scenario, space, Contest::arms(Time::SECOND), 1, replicates)
    }

    /// The comparison of three points whose facets are given by point, arm and replicate; everything else is 1.
    fn contest(design: &Design, value: impl Fn(usize, usize, u32, &str) -> Option<f64>) -> Contest {
        let mut measured: Vec<Measurements> = (0..3).map(|_| Measurements::new(design)).collect();
        for cell in 0..design.cells() {
            for replicate in 0..design.replicates {
                let (point, arm) = (design.point(cell) as usize, design.arm(cell));
                let metrics = metrics().map(|column| value(point, arm, replicate, column.name)).collect();
                measured[point].add(
                    design,
                    &RunRecord {
                        cell,
                        replicate,
                        outcome: Outcome::Finished,
                        metrics,
                        tables: Vec::new(),
                        targets: Vec::new(),
                        tape_hash: None,
                    },
                );
            }
        }
        Contest::new(design, &measured)
    }

    /// Ten replicates: the first policy takes three points of a drawdown that varies by dice, and an odd replicate half a point
    /// more; bids are deeper under it by a tenth. The second does nothing, and one of its runs has no drawdown.
    fn example(design: &Design) -> Contest {
        contest(design, |point, _, replicate, metric| {
            let dice = f64::from(replicate);
            let odd = f64::from(replicate % 2);
            match (metric, point) {
                ("drawdown_pct", 1) => Some(10.0 + dice - 3.0 - 0.5 * odd),
                ("drawdown_pct", 2) if replicate == 4 => None,
                ("drawdown_pct", _) => Some(10.0 + dice),
                ("depth_bid_1pct_usd_mean", 1) => Some(1.1),
                ("cost_1m_bps_mean", 1) => Some(2.0),
                _ => Some(1.0),
            }
        })
    }

    #[test]
    fn a_policy_is_what_its_pairs_say() {
        let contest = example(&design(10));
        let fall = contest.contrasts[0][0].unwrap();
        assert_eq!(fall.pairs, 10);
        let near = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        assert!(
            near(fall.baseline, 14.5) && near(fall.mean, 11.25) && near(fall.difference, -3.25),
            "{fall:?}"
        );
        // All ten of one sign: two of 1,024 patterns; the smallest of eighteen tests but for those that are as small.
        assert!(
            near(fall.p, 2.0 / 1_024.0) && near(fall.p_holm, 18.0 * 2.0 / 1_024.0) && fall.is_decided(),
            "{fall:?}"
        );
        assert!(near(fall.better.estimate, 1.0) && fall.interval.unwrap().contains(-3.25));
        // Dice have a variance of 55/6 in the baseline; the differences .25^2 10/9.
        let dice = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0];
        let policy: Vec<f64> =
            dice.iter().enumerate().map(|(at, x)| x - 3.0 - 0.5 * (at % 2) as f64).collect();
        let apart = crate::stats::moments::variance(&dice).unwrap()
            + crate::stats::moments::variance(&policy).unwrap();
        let Some(Gain::Factor(gain)) = fall.gain else { panic!("{fall:?}") };
        assert!(near(gain, apart / (0.0625 * 10.0 / 9.0)), "{gain}");
        assert!(fall.detectable.unwrap() < fall.detectable_holm.unwrap());
    }

    #[test]
    fn more_is_better_where_it_is_wanted_and_what_is_missing_is_left_out() {
        let contest = example(&design(10));
        let bids = contest.contrasts[0][5].unwrap();
        assert!(bids.better.estimate > 0.99 && bids.difference > 0.0, "{bids:?}");
        assert_eq!(bids.gain, Some(Gain::Nothing));
        let cost = contest.contrasts[0][8].unwrap();
        assert!(cost.better.estimate < 0.01, "{cost:?}");
        let idle = contest.contrasts[1][0].unwrap();
        assert_eq!((idle.pairs, idle.gain), (9, Some(Gain::Complete)));
        assert!((idle.p_holm - 1.0).abs() < 1e-15 && !idle.is_decided());
        assert!((idle.better.estimate - 0.5).abs() < 1e-15);
        // Ranks and fronts are over the nine replicates that all have.
        let (replicates, placed) = contest.rankings[0].as_ref().unwrap();
        assert_eq!(*replicates, 9);
        let ranges: Vec<_> = placed.iter().map(|place| (place.rank, place.best, place.worst)).collect();
        assert_eq!(ranges, [(2, 2, 3), (1, 1, 1), (2, 2, 3)]);
        assert_eq!(contest.rankings[1].as_ref().unwrap().0, 10);
    }

    #[test]
    fn protection_is_held_against_its_cost() {
        let contest = example(&design(10));
        let falls = contest.fronts[0].as_ref().unwrap();
        assert_eq!((falls.replicates, falls.dominators.clone()), (9, vec![None, None, None]));
        // Nothing is liquidated less under the first policy, and it costs more.
        let sold = contest.fronts[1].as_ref().unwrap();
        assert_eq!(sold.dominators, [None, Some(0), None]);
        assert!(sold.shares[1] < 0.01 && sold.shares[0] > 0.99, "{sold:?}");
    }

    #[test]
    fn every_table_has_its_rows_whatever_is_missing() {
        let design = design(2);
        for contest in [example(&design), contest(&design, |_, _, _, _| None)] {
            assert_eq!(contest.policies(&design).lines().count(), 2 * FACETS.len());
            let ranked = contest.rankings.iter().flatten().count();
            assert_eq!(contest.ranking(&design).lines().count(), 3 * ranked);
            assert_eq!(contest.pareto(&design).lines().count(), 3 * contest.fronts.iter().flatten().count());
        }
    }

    #[test]
    fn what_is_compared_is_measured() {
        for facet in FACETS {
            assert!(metrics().any(|column| column.name == facet.metric), "{}", facet.metric);
        }
        assert!(RANKED.iter().all(|&index| FACETS[index].wanted == Wanted::Less));
    }
}
