//! Facts about runs as a whole: the squeeze amplifies, calm is calm, and a run is a function of scenario and seed.

use crate::support::{run, scenario};
use firesale::engine::Simulation;
use firesale::event::{Event, Record};
use firesale::experiment::{Cancel, Design, Measurements};
use firesale::market::Book as _;
use firesale::record::{RunKey, TapeHasher};
use firesale::rng::Seed;
use firesale::scenario::Scenario;
use firesale::stats::moments;
use firesale::units::{MarketId, Side, Time};
use firesale::world::World;

fn measure(scenario: &Scenario, replicates: u32) -> Measurements {
    let design = Design::new(scenario, 1, replicates, false);
    let mut measured = Measurements::new(&design);
    for cell in 0..design.cells() {
        for replicate in 0..replicates {
            let run = design.simulate(RunKey { cell, replicate }, &Cancel::default()).unwrap();
            measured.add(&design, &run);
        }
    }
    measured
}

#[test]
fn forced_liquidation_deepens_the_long_squeeze() {
    let measured = measure(&scenario("long-squeeze", &[]), 10);
    let effect = measured.effect(1, "drawdown_pct").unwrap();
    let (low, _) = effect.interval.unwrap();
    assert!(low > 0.0 && effect.with > effect.without, "{effect:?}");
}

#[test]
fn leverage_one_has_nothing_to_liquidate_and_amplifies_exactly_once() {
    let measured = measure(&scenario("leverage-one", &["duration=20m"]), 4);
    let effect = measured.effect(1, "drawdown_pct").unwrap();
    assert!(effect.with > 0.0);
    assert_eq!(effect.with.to_bits(), effect.without.to_bits());
    assert_eq!(measured.of(0, "liquidations"), [0.0; 4]);
}

/// What is sampled each minute of the calm day.
#[derive(Default)]
struct Minutes {
    log_mark: Vec<f64>,
    spread: Vec<f64>,
    depth: [Vec<f64>; 2],
}

impl Minutes {
    fn sample(&mut self, world: &World) {
        let market = MarketId(0);
        let book = &world.market(market).book;
        let [bid, ask] =
            [Side::Buy, Side::Sell].map(|side| book.best(side).expect("a calm book has two halves").0 as f64);
        self.log_mark.push(libm::log(world.mark(market).0 as f64));
        self.spread.push((ask - bid) / (ask + bid) * 2e4);
        for (depth, side) in self.depth.iter_mut().zip([Side::Buy, Side::Sell]) {
            depth.push(book.depth_within(side, 100.0).0 as f64);
        }
    }
}

/// Means of the halves of 24 hours, hour by hour, and their Welch-like distance in standard errors.
fn halves_z(minutes: &[f64]) -> f64 {
    let hours: Vec<f64> = minutes.chunks_exact(60).map(|hour| moments::mean(hour).unwrap()).collect();
    let (first, second) = hours.split_at(hours.len() >> 1);
    let error = |half: &[f64]| moments::standard_error(half).unwrap();
    let difference = moments::mean(second).unwrap() - moments::mean(first).unwrap();
    difference / (error(first) * error(first) + error(second) * error(second)).sqrt()
}

/// Six days on fixed seeds. Each statistic is compared by hours between the first and the second twelve. Over the six days
/// the z-scores of a stationary day average to 0 with standard error 1 / sqrt(6) times at most 2, as hours of a slow book are
/// correlated with the next (a lag-1 correlation of .6 doubles the error): the mean must stay within 2.5.
#[test]
fn the_calm_day_is_calm_and_stationary() {
    let scenario = scenario("calm", &[]);
    let mut z = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut drifts = Vec::new();
    for replicate in 0..6 {
        let mut records = Liquidations(0);
        let mut simulation = Simulation::new(&scenario, Seed { master: 5, replicate }, &mut records);
        simulation.step_until(Time::ZERO, &mut records);
        let mut minutes = Minutes::default();
        minutes.sample(simulation.world());
        for minute in 1..=24 * 60 {
            simulation.step_until(Time(minute * 60 * Time::SECOND.0), &mut records);
            minutes.sample(simulation.world());
        }
        // No chain: at most a position or two of four thousand is liquidated by itself.
        assert!(records.0 <= 2, "{} liquidations in replicate {replicate}", records.0);
        let returns: Vec<f64> = minutes.log_mark.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        for (z, series) in z.iter_mut().zip([&minutes.spread, &minutes.depth[0], &minutes.depth[1], &returns])
        {
            z.push(halves_z(&series[..24 * 60]));
        }
        drifts.push(minutes.log_mark[24 * 60] - minutes.log_mark[0]);
    }
    for (z, name) in z.iter().zip(["spread", "bids", "asks", "volatility"]) {
        let mean = moments::mean(z).unwrap();
        assert!(mean.abs() < 2.5, "{name} moves over the day: z {z:?}");
    }
    // No drift beyond sampling error: t of six daily returns, 1 % two-sided point with 5 degrees of freedom.
    let t = moments::mean(&drifts).unwrap() / moments::standard_error(&drifts).unwrap();
    assert!(t.abs() < 4.03, "daily returns {drifts:?}");
    // And the price stays near its fundamental value: every day ends within 2 % of it.
    assert!(drifts.iter().all(|drift| drift.abs() < 0.02), "daily returns {drifts:?}");
}

struct Liquidations(u64);

impl firesale::event::Observer for Liquidations {
    fn on(&mut self, record: &Record) {
        self.0 += u64::from(matches!(record.event, Event::Liquidation { .. }));
    }
}

#[test]
fn a_run_in_pieces_and_a_run_that_was_cloned_are_the_same_run() {
    let scenario = scenario("long-squeeze", &["duration=15m"]);
    let mut whole = TapeHasher::new();
    let at_once = run(&scenario, 3, &mut whole);
    let mut pieces = TapeHasher::new();
    let mut simulation = Simulation::new(&scenario, Seed { master: 1, replicate: 3 }, &mut pieces);
    let half = Time(450 * Time::SECOND.0);
    simulation.step_until(half, &mut pieces);
    let mut fork = simulation.clone();
    let mut fork_tape = pieces.clone();
    simulation.step_until(scenario.duration, &mut pieces);
    fork.step_until(scenario.duration, &mut fork_tape);
    let whole = whole.finish();
    assert_eq!(whole, pieces.finish());
    assert_eq!(whole, fork_tape.finish());
    assert_eq!(at_once.records(), fork.records());
}

#[test]
fn watching_changes_nothing() {
    let scenario = scenario("long-squeeze", &["duration=15m"]);
    let unwatched = run(&scenario, 0, &mut ());
    let mut observer = (TapeHasher::new(), Vec::<Record>::new());
    let watched = run(&scenario, 0, &mut observer);
    assert_eq!(unwatched.records(), watched.records());
    assert_eq!(unwatched.world().accounts.recount(), watched.world().accounts.recount());
    assert_eq!(unwatched.world().mark(MarketId(0)), watched.world().mark(MarketId(0)));
    assert_eq!(observer.1.len() as u64, watched.records());
}
