//! A small market with all kinds of people in it: where paired runs can differ.

use super::ladder::{MARKET, bare, meta_order};
use crate::agents::{
    Activity, BackgroundSpec, ExitRules, FundamentalistSpec, Ladder, MakerSpec, RetailSpec, Rung, Withdrawal,
};
use crate::clearing::{LiquidationStyle, Stage};
use crate::sampling::LogNormal;
use crate::scenario::{Entries, Latency, Population, PopulationStrategy, Scenario, Seeding};
use crate::units::{Money, Price, Qty, Side, Time};
use crate::world::MarkRule;

/// Ticks; a lot is worth ten here.
pub(super) const INITIAL: Price = Price(100_000);

/// When the sale of `crowd` begins.
pub(super) const SALE_AT: Time = seconds(60);

/// Longest way of a message.
pub(super) const SLOWEST: Time = Time(10_000_000);

const MAKERS: u32 = 3;

pub(super) const fn seconds(seconds: i64) -> Time {
    Time(seconds * Time::SECOND.0)
}

/// Returns the market with retail longs of these leverages and, after a calm minute, a large sale within ten seconds.
/// Who bears what is left over is a matter of `fund` (whole units of money) and of deleveraging after it.
pub(super) fn crowd(leverages: &[u16], fund: i64) -> Scenario {
    let mut scenario = bare(INITIAL, MarkRule::Median);
    scenario.duration = seconds(180);
    let venue = &mut scenario.world.venues[0];
    venue.liquidation.style = LiquidationStyle::IocToBankruptcy;
    venue.liquidation.waterfall = vec![Stage::InsuranceFund, Stage::AutoDeleverage];
    venue.insurance_fund = Money(fund * 1_000_000);
    scenario.populations = vec![
        population("background", PopulationStrategy::Background(background())),
        population("makers", PopulationStrategy::Maker { count: MAKERS, spec: maker() }),
        population("retail", retail(leverages)),
        population("value", PopulationStrategy::Fundamentalist(value())),
    ];
    scenario.shocks = vec![meta_order(Side::Sell, 2_500, SALE_AT, 10)];
    scenario
}

/// Returns the numbers of the makers' accounts: after the fund's, the hedgers' and the two of the background.
pub(super) fn maker_accounts() -> std::ops::Range<u32> {
    4..4 + MAKERS
}

fn population(name: &str, strategy: PopulationStrategy) -> Population {
    let latency = Latency { base: Time(SLOWEST.0 >> 1), jitter: Time(SLOWEST.0 >> 1) };
    Population { name: name.to_owned(), latency, strategy }
}

fn background() -> BackgroundSpec {
    let rung = |from_bps, to_bps, lots, lifetime_s| Rung {
        from_bps,
        to_bps,
        bid_lots: lots,
        ask_lots: lots,
        lifetime_s,
    };
    BackgroundSpec {
        market: MARKET,
        rungs: vec![
            rung(0.0, 5.0, 200.0, 10.0),
            rung(5.0, 25.0, 600.0, 30.0),
            rung(25.0, 200.0, 2_000.0, 120.0),
        ],
        orders_per_rung: 20.0,
        market_rate: 1.0,
        market_qty: LogNormal::new(4.0, 1.0),
        activity: Activity::STEADY,
        flight: Activity::STEADY,
        refill_within_bps: 0.0,
        reference: None,
    }
}

fn maker() -> MakerSpec {
    MakerSpec {
        ladder: Ladder {
            market: MARKET,
            levels: 4,
            quote_qty: Qty(20),
            half_spread_bps: 2.0,
            spacing_bps: 2.0,
        },
        second: None,
        hedge: None,
        skew_bps: 5.0,
        reference: None,
        inventory_limit: Qty(500),
        interval: Time::SECOND,
        withdrawal: Some(Withdrawal { move_bps: 30.0, half_life: seconds(30), pause: seconds(20) }),
    }
}

/// Mostly long, seldom trading: the sale finds them where they were.
///
/// Weights are shares of the open interest, in proportion to the leverage: as if each leverage had the same margin behind
/// it, so that deficits occur where it is high.
fn retail(leverages: &[u16]) -> PopulationStrategy {
    let weights: Vec<f64> = leverages.iter().map(|&leverage| f64::from(leverage)).collect();
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    let spec = RetailSpec {
        largest: crate::units::Money(i64::MAX),
        market: MARKET,
        accounts: 300,
        leverages: leverages.to_vec(),
        weights,
        long_share: 1.0,
        open_rate: 0.001,
        close_rate: 0.001,
        stake: 0.5,
        activity: Activity::STEADY,
        exits: ExitRules::default(),
        top_up: None,
        panic: 0.0,
    };
    let seeding = Seeding {
        longs: 250,
        shorts: 0,
        medians: vec![15.0 * mean; leverages.len()],
        spread: LogNormal::new(1.0, 1.0),
        notional_cap: 200.0 * mean,
        spare: 0.2,
        entries: Entries::Spread(50.0),
    };
    PopulationStrategy::Retail { spec, seeding }
}

fn value() -> FundamentalistSpec {
    FundamentalistSpec {
        market: MARKET,
        accounts: 50,
        capital: 2_000.0,
        value_noise_bps: 20.0,
        threshold_bps: 30.0,
        // One lot.
        order: crate::units::Money::ZERO,
        mean_interval: seconds(10),
        short: true,
    }
}
