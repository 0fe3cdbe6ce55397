//! The statistics that a target may name: one table.

use super::Window;
use super::book::{AtEnd, Change, Level, Survival};
use super::flow::{Liquidated, Part, Pick, Reported, Volume, VolumeMultiple};
use super::hours::{Hours, median, quantile_95, root_mean_square};
use super::price::{Minutes, Path, Retraced};
use crate::units::{Side, Time};
use crate::world::MarketSpec;

/// What a statistic is made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feed {
    /// Every mark.
    Price,
    /// Every trade.
    Trades,
    /// Every liquidation.
    Liquidations,
    /// The market as it is seen at equal distances of time (`sample_every`).
    Samples,
}

/// What a market must have for a statistic to mean something there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// A book.
    Book,
    /// Positions, which spot has not.
    Positions,
    /// An index.
    Index,
    /// Funding.
    Funding,
}

impl Needs {
    /// Tells whether a market has it.
    pub fn met_by(self, market: &MarketSpec) -> bool {
        match self {
            Self::Book => true,
            Self::Positions => !market.contract.is_spot(),
            Self::Index => market.index.is_some(),
            Self::Funding => market.funding.is_some(),
        }
    }

    /// Returns it in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Positions => "positions",
            Self::Index => "index",
            Self::Funding => "funding",
        }
    }
}

/// Which side a liquidated position was on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LiquidatedSide {
    /// It was long, and was sold.
    Long,
    /// It was short, and was bought back.
    Short,
}

/// What a statistic keeps of a run while it goes on: it hears only the feed that its statistic names, in the order of time.
pub trait Accumulator {
    /// Hears that the mark is now `usd`.
    fn mark(&mut self, _time: Time, _usd: f64) {}
    /// Hears of a trade.
    fn trade(&mut self, _time: Time, _usd: f64) {}
    /// Hears that a position was liquidated: its notional at the mark.
    fn liquidated(&mut self, _time: Time, _side: LiquidatedSide, _usd: f64) {}
    /// Sees the market.
    fn sample(&mut self, _at: &Sample<'_>) {}
    /// Returns the value once the window is over, or `None` where there is none.
    fn value(&self) -> Option<f64>;
    /// Returns what the value is a multiple of, for a statistic that is held against what is normal; `None` for others.
    fn normal(&self) -> Option<f64> {
        None
    }
}

/// The market at one moment.
#[derive(Clone, Copy)]
pub struct Sample<'a> {
    /// When.
    pub time: Time,
    /// What there is to see.
    pub market: &'a dyn Look,
}

/// What can be seen of a market.
pub trait Look {
    /// Returns the mark in USD.
    fn mark_usd(&self) -> f64;
    /// Returns what rests within `bps` of the middle on a side, in USD at the mark.
    fn depth_usd(&self, side: Side, bps: f64) -> f64;
    /// Returns the distance of best bid and best ask over their middle, or `None` if a side is empty.
    fn spread_bps(&self) -> Option<f64>;
    /// Returns the middle over the index, or `None` without an index or a middle.
    fn premium_bps(&self) -> Option<f64>;
    /// Returns the funding rate that the interval's end would bring by now, or `None` where funding is not paid.
    fn funding_rate_pct(&self) -> Option<f64>;
    /// Returns the open interest in coins.
    fn open_interest_coins(&self) -> f64;
}

/// Something that can be computed of a run over a window.
#[derive(Debug)]
pub struct Statistic {
    /// Its name in files of targets.
    pub name: &'static str,
    /// Unit of its values, as a file of targets must repeat it.
    pub unit: &'static str,
    /// What it is, exactly; also its row in docs/targets.md.
    pub meaning: &'static str,
    /// What its reference window is, if it needs one.
    pub reference: Option<&'static str>,
    /// Whether the reference window says what is normal. That is a mean over all runs: what was observed is held against the mean
    /// of many hours too, and the half hour before it is no more normal than any other.
    pub has_normal: bool,
    /// What it is made from.
    pub feed: Feed,
    /// What a market must have for it.
    pub needs: Needs,
    /// Shortest window that it has a value for.
    pub shortest: Time,
    begin: fn(Window, Window) -> Box<dyn Accumulator>,
}

impl Statistic {
    /// Finds a statistic by name.
    pub fn find(name: &str) -> Option<&'static Self> {
        STATISTICS.iter().find(|statistic| statistic.name == name)
    }

    /// Starts to listen.
    ///
    /// # Panics
    /// Panics unless a reference window is there exactly where the statistic needs one.
    pub fn begin(&self, window: Window, reference: Option<Window>) -> Box<dyn Accumulator> {
        assert_eq!(reference.is_some(), self.reference.is_some(), "the reference window of {}", self.name);
        (self.begin)(window, reference.unwrap_or(window))
    }
}

const MINUTE: Time = Time(60 * Time::SECOND.0);
const CALM: &str = "the calm before";

/// A statistic of the mark over whole hours.
const fn hours(
    name: &'static str,
    meaning: &'static str,
    begin: fn(Window, Window) -> Box<dyn Accumulator>,
) -> Statistic {
    Statistic { shortest: Time::HOUR, ..price(name, "%", meaning, begin) }
}

/// A statistic of marks.
const fn price(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    begin: fn(Window, Window) -> Box<dyn Accumulator>,
) -> Statistic {
    Statistic {
        name,
        unit,
        meaning,
        reference: None,
        has_normal: false,
        feed: Feed::Price,
        needs: Needs::Book,
        shortest: Time(1),
        begin,
    }
}

/// A statistic of liquidations.
const fn liquidations(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    begin: fn(Window, Window) -> Box<dyn Accumulator>,
) -> Statistic {
    Statistic { feed: Feed::Liquidations, needs: Needs::Positions, ..price(name, unit, meaning, begin) }
}

/// A statistic of samples.
const fn samples(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    begin: fn(Window, Window) -> Box<dyn Accumulator>,
) -> Statistic {
    Statistic { feed: Feed::Samples, ..price(name, unit, meaning, begin) }
}

/// Every statistic.
pub static STATISTICS: [Statistic; 31] = [
    price("fall_pct", "%", "fall of the mark over the window, end to end", |window, _| {
        Box::new(Path::new(window, |path| (1.0 - path.close / path.first) * 100.0))
    }),
    price(
        "fall_to_low_pct",
        "%",
        "fall of the mark from the start of the window to its lowest in it",
        |window, _| Box::new(Path::new(window, |path| (1.0 - path.low / path.first) * 100.0)),
    ),
    price(
        "wick_pct",
        "%",
        "how far above its lowest the mark ends the window, over the mark at its start",
        |window, _| Box::new(Path::new(window, |path| (path.close - path.low) / path.first * 100.0)),
    ),
    Statistic {
        reference: Some("the fall, from its start to its lowest; the window begins where it ends"),
        ..price(
            "retraced",
            "1",
            "share of the fall of the mark in the reference window, from its start to its lowest, that is made good at the end \
             of the window",
            |window, fall| Box::new(Retraced::new(window, fall)),
        )
    },
    Statistic {
        shortest: MINUTE,
        ..price(
            "hourly_volatility_pct",
            "% per sqrt(h)",
            "root of the mean squared change of the mark's logarithm over each minute of the window, times the root of sixty",
            |window, _| Box::new(Minutes::volatility(window)),
        )
    },
    Statistic {
        shortest: MINUTE,
        ..price(
            "worst_minute_pct",
            "%",
            "least change of the mark over one minute of the window, end to end; negative for a fall",
            |window, _| Box::new(Minutes::worst(window)),
        )
    },
    hours(
        "hour_change_rms_pct",
        "root of the mean squared change of the mark over each hour of the window, end to end",
        |window, _| Box::new(Hours::sizes(window, root_mean_square)),
    ),
    hours(
        "hour_change_median_pct",
        "median size of the change of the mark over each hour of the window, end to end",
        |window, _| Box::new(Hours::sizes(window, median)),
    ),
    hours(
        "hour_change_p95_pct",
        "95 % quantile of the size of the change of the mark over each hour of the window, end to end",
        |window, _| Box::new(Hours::sizes(window, quantile_95)),
    ),
    hours(
        "hour_range_median_pct",
        "median over the hours of the window of the highest mark over the lowest, less one",
        |window, _| Box::new(Hours::median_range(window)),
    ),
    hours(
        "worst_hour_pct",
        "least change of the mark over one hour of the window, end to end; negative for a fall",
        |window, _| Box::new(Hours::worst(window)),
    ),
    liquidations(
        "liquidated_long_usd",
        "USD",
        "long notional closed by liquidation in the window, at the mark",
        |window, _| Box::new(Liquidated::new(window, Part::Long)),
    ),
    liquidations(
        "liquidated_short_usd",
        "USD",
        "short notional closed by liquidation in the window, at the mark",
        |window, _| Box::new(Liquidated::new(window, Part::Short)),
    ),
    liquidations(
        "long_share",
        "1",
        "share of longs in the notional closed by liquidation in the window",
        |window, _| Box::new(Liquidated::new(window, Part::LongShare)),
    ),
    liquidations(
        "reported_long_usd",
        "USD",
        "long notional that a public stream tells of in the window: of each second the largest liquidation, told at its end",
        |window, _| Box::new(Reported::new(window, Part::Long, Pick::Largest)),
    ),
    liquidations(
        "reported_short_usd",
        "USD",
        "short notional that a public stream tells of in the window: of each second the largest liquidation, told at its end",
        |window, _| Box::new(Reported::new(window, Part::Short, Pick::Largest)),
    ),
    liquidations(
        "reported_usd",
        "USD",
        "notional of either side that a public stream tells of in the window: of each second the largest liquidation, told at its end",
        |window, _| Box::new(Reported::new(window, Part::Either, Pick::Largest)),
    ),
    liquidations(
        "reported_long_share",
        "1",
        "share of longs in the notional that a public stream tells of in the window",
        |window, _| Box::new(Reported::new(window, Part::LongShare, Pick::Largest)),
    ),
    liquidations(
        "latest_reported_long_usd",
        "USD",
        "as reported_long_usd, with the latest liquidation of each second in place of the largest",
        |window, _| Box::new(Reported::new(window, Part::Long, Pick::Latest)),
    ),
    Statistic {
        feed: Feed::Trades,
        ..price("volume_usd", "USD", "traded notional in the window", |window, _| {
            Box::new(Volume::new(window))
        })
    },
    Statistic {
        feed: Feed::Trades,
        reference: Some(CALM),
        has_normal: true,
        ..price(
            "volume_multiple",
            "1",
            "traded notional an hour in the window, over the mean over all runs of that in the reference window",
            |window, calm| Box::new(VolumeMultiple::new(window, calm)),
        )
    },
    Statistic {
        needs: Needs::Positions,
        ..samples(
            "open_interest_change_coins_pct",
            "%",
            "change of the open interest in coins over the window, end to end",
            |window, _| Box::new(Change::new(window, |at| at.open_interest_coins())),
        )
    },
    Statistic {
        needs: Needs::Positions,
        ..samples(
            "open_interest_change_usd_pct",
            "%",
            "change of the open interest in USD at the mark over the window, end to end",
            |window, _| Box::new(Change::new(window, |at| at.open_interest_coins() * at.mark_usd())),
        )
    },
    Statistic {
        reference: Some(CALM),
        has_normal: true,
        ..samples(
            "depth_bid_1pct_survival",
            "1",
            "fewest bids within 1 % of the middle in the window, over the mean over all runs of their mean in the reference window, in USD",
            |window, calm| Box::new(Survival::new(window, calm, |at| at.depth_usd(Side::Buy, 100.0))),
        )
    },
    samples("spread_bps_mean", "bps", "mean spread in the window", |window, _| {
        Box::new(Level::new(window, |at| at.spread_bps()))
    }),
    samples(
        "depth_bid_1pct_usd_mean",
        "USD",
        "mean bids within 1 % of the middle in the window",
        |window, _| Box::new(Level::new(window, |at| Some(at.depth_usd(Side::Buy, 100.0)))),
    ),
    samples(
        "depth_ask_1pct_usd_mean",
        "USD",
        "mean asks within 1 % of the middle in the window",
        |window, _| Box::new(Level::new(window, |at| Some(at.depth_usd(Side::Sell, 100.0)))),
    ),
    samples(
        "depth_bid_2pct_usd_mean",
        "USD",
        "mean bids within 2 % of the middle in the window",
        |window, _| Box::new(Level::new(window, |at| Some(at.depth_usd(Side::Buy, 200.0)))),
    ),
    samples(
        "depth_ask_2pct_usd_mean",
        "USD",
        "mean asks within 2 % of the middle in the window",
        |window, _| Box::new(Level::new(window, |at| Some(at.depth_usd(Side::Sell, 200.0)))),
    ),
    Statistic {
        needs: Needs::Index,
        ..samples(
            "premium_bps_mean",
            "bps",
            "mean of the middle over the index in the window",
            |window, _| Box::new(Level::new(window, |at| at.premium_bps())),
        )
    },
    Statistic {
        needs: Needs::Funding,
        ..samples(
            "funding_rate_pct",
            "%",
            "funding rate that the interval's end would bring, as it stands at the end of the window",
            |window, _| Box::new(AtEnd::new(window, |at| at.funding_rate_pct())),
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn names_are_their_own_and_end_with_their_unit() {
        for (index, statistic) in STATISTICS.iter().enumerate() {
            assert!(
                STATISTICS[..index].iter().all(|earlier| earlier.name != statistic.name),
                "{statistic:?}"
            );
            assert!(std::ptr::eq(Statistic::find(statistic.name).unwrap(), statistic));
            let suffix = match statistic.unit {
                "%" | "% per sqrt(h)" => "_pct",
                "USD" => "_usd",
                "bps" => "_bps",
                "1" => "",
                other => panic!("a unit without a suffix: {other}"),
            };
            assert!(statistic.name.contains(suffix), "{statistic:?}");
        }
        assert!(Statistic::find("xyzzy").is_none());
    }

    /// The definitions in the documentation are those of the code, in its order.
    #[test]
    fn the_documentation_has_every_definition() {
        let mut table =
            "| statistic | unit | what it is | reference window |\n|---|---|---|---|\n".to_owned();
        for Statistic { name, unit, meaning, reference, .. } in &STATISTICS {
            writeln!(table, "| `{name}` | {unit} | {meaning} | {} |", reference.unwrap_or("-")).unwrap();
        }
        let page = include_str!("../../../docs/targets.md");
        assert!(page.contains(&table), "docs/targets.md should hold\n{table}");
    }
}
