//! What a perpetual is measured against, observation by observation, worked out by hand. The bench observes every five seconds
//! and pays funding every third time: interest .3 %, clamp 1 %, cap 5 %, premium at five lots.

use crate::bench::{A, B, Bench, MARKET, Rules, limit};
use firesale::clearing::Reason;
use firesale::event::{Event, Record};
use firesale::market::{Book as _, Place};
use firesale::units::{AccountId, MarketId, Money, OrderId, Price, Rate, Side, Time};
use firesale::world::{MarkRule, Request};

/// Prices and lots of a half of a book.
type Half<'a> = &'a [(i64, i64)];

/// A perpetual in A and its spot market in B, with somebody on credit who quotes both.
struct Venue {
    bench: Bench,
    quoter: AccountId,
    quotes: Vec<(MarketId, OrderId)>,
}

impl Venue {
    fn new(mark: MarkRule) -> Self {
        let mut bench = Bench::new(&Rules { has_spot: true, mark, ..Rules::default() });
        let quoter = bench.unmargined();
        Self { bench, quoter, quotes: Vec::new() }
    }

    /// Takes the quotes of a market away and makes others.
    fn quote(&mut self, market: MarketId, bids: Half<'_>, asks: Half<'_>) {
        let account = self.quoter;
        for (_, id) in self.quotes.extract_if(.., |(at, _)| *at == market) {
            self.bench.ask(Request::Cancel { account, market, id, place: Place::NONE });
        }
        for (side, half) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for &(price, qty) in half {
                self.quotes.push((market, self.bench.submit(account, market, side, qty, limit(price))));
            }
        }
    }

    /// Lets one lot trade at a price.
    fn trade(&mut self, market: MarketId, price: i64) {
        let taker = self.bench.unmargined();
        self.bench.submit(self.quoter, market, Side::Sell, 1, limit(price));
        self.bench.submit(taker, market, Side::Buy, 1, MARKET);
        assert_eq!(self.bench.world.market(market).last, Some(Price(price)));
    }

    fn observe(&mut self, times: u32) {
        for _ in 0..times {
            self.bench.observe();
        }
    }

    fn index(&self) -> Option<f64> {
        self.bench.world.market(A).reference.index
    }

    fn premium(&self) -> f64 {
        self.bench.world.market(A).reference.premium
    }

    fn rate(&self) -> f64 {
        self.bench.world.market(A).reference.funding_rate
    }

    /// Rate and money a lot of each payment.
    fn payments(&self) -> Vec<(Rate, Money)> {
        let payment = |record: &Record| match record.event {
            Event::Funding { market: A, rate, per_lot, .. } => Some((rate, per_lot)),
            _ => None,
        };
        self.bench.records.iter().filter_map(payment).collect()
    }
}

#[track_caller]
fn assert_near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-12, "{what}: {found}, not {expected}");
}

#[test]
fn the_index_is_the_middle_of_its_source_at_the_last_observation_that_saw_one() {
    let mut venue = Venue::new(MarkRule::Last);
    venue.quote(A, &[(990, 10)], &[(1_010, 10)]);
    venue.observe(1);
    assert_eq!(venue.index(), None, "the source was never quoted");
    venue.quote(B, &[(990, 10)], &[(1_011, 10)]);
    assert_eq!(venue.index(), None, "nobody looked yet");
    venue.observe(1);
    assert_eq!(venue.index(), Some(1_000.5));
    venue.quote(B, &[(900, 10)], &[(910, 10)]);
    venue.observe(1);
    assert_eq!(venue.index(), Some(905.0));
    venue.quote(B, &[(800, 10)], &[]);
    venue.observe(1);
    assert_eq!(venue.index(), Some(905.0), "half of the source is empty");
}

#[test]
fn the_premium_is_what_five_lots_would_trade_at_beyond_the_index_and_the_rate_follows_from_it() {
    let cases: [(Half<'_>, Half<'_>, f64, f64); 11] = [
        // Bids, asks, premium, rate.
        (&[(995, 10)], &[(1_005, 10)], 0.0, 0.003),
        (&[(1_020, 10)], &[(1_030, 10)], 0.02, 0.01),
        // 3 at 1,020 and 2 at 1,010.
        (&[(1_020, 3), (1_010, 9)], &[(1_030, 10)], 0.016, 0.006),
        (&[(970, 10)], &[(980, 10)], -0.02, -0.01),
        // 4 at 980 and 1 at 990.
        (&[(970, 10)], &[(980, 4), (990, 9)], -0.018, -0.008),
        // As near to the interest as the clamp is wide.
        (&[(1_008, 10)], &[(1_020, 10)], 0.008, 0.003),
        (&[(990, 10)], &[(995, 10)], -0.005, 0.003),
        // Beyond the cap.
        (&[(1_080, 10)], &[(1_090, 10)], 0.08, 0.05),
        (&[(910, 10)], &[(920, 10)], -0.08, -0.05),
        // Too few lots.
        (&[(1_020, 4)], &[(1_030, 10)], 0.0, 0.003),
        (&[(970, 10)], &[(980, 4)], 0.0, 0.003),
    ];
    for (bids, asks, premium, rate) in cases {
        let mut venue = Venue::new(MarkRule::Last);
        venue.quote(B, &[(999, 10)], &[(1_001, 10)]);
        venue.quote(A, bids, asks);
        venue.observe(1);
        assert_near(venue.premium(), premium, &format!("premium of {bids:?} and {asks:?}"));
        assert_near(venue.rate(), rate, &format!("rate of {bids:?} and {asks:?}"));
    }
}

#[test]
fn later_premiums_of_an_interval_weigh_more_and_the_next_interval_begins_anew() {
    let mut venue = Venue::new(MarkRule::Last);
    venue.quote(B, &[(999, 10)], &[(1_001, 10)]);
    // Premiums of 2 %, 5 %, none, and 5 % again.
    let seen = [(1_020, 0.02), (1_050, 0.12 / 3.0), (990, 0.12 / 6.0), (1_050, 0.05)];
    for (bid, mean) in seen {
        venue.quote(A, &[(bid, 10)], &[(bid + 15, 10)]);
        venue.observe(1);
        assert_near(venue.premium(), mean, &format!("after a bid of {bid}"));
    }
    // 2 % - 1 %.
    assert_eq!(venue.payments(), [(Rate(10_000_000), Money(10))]);
    assert_eq!(venue.bench.world.market(A).reference.next_funding, Time(30 * Time::SECOND.0));
}

#[test]
fn money_a_lot_is_a_whole_number_rounded_half_to_even() {
    for (mark, per_lot) in [(1_500, 4), (500, 2), (1_166, 3), (1_167, 4)] {
        let mut venue = Venue::new(MarkRule::Last);
        venue.trade(A, mark);
        venue.quote(B, &[(mark - 1, 10)], &[(mark + 1, 10)]);
        venue.quote(A, &[(mark - 1, 10)], &[(mark + 1, 10)]);
        venue.observe(3);
        assert_eq!(venue.payments(), [(Rate(3_000_000), Money(per_lot))], "{mark}");
    }
}

#[test]
fn funding_is_paid_out_of_free_cash_and_then_out_of_the_margin_and_sums_to_zero() {
    let mut venue = Venue::new(MarkRule::Last);
    let hedger = venue.bench.unmargined();
    let [long, short, bidder, flat] = [1_012, 600, 1_100, 50].map(|cash| venue.bench.isolated(cash));
    venue.bench.seed(long, hedger, A, 10, 1_000);
    venue.bench.seed(short, hedger, A, -5, 600);
    venue.bench.seed(bidder, hedger, A, 5, 1_000);
    // Sets 90 of its 100 aside.
    venue.bench.submit(bidder, A, Side::Buy, 1, limit(900));
    venue.quote(B, &[(999, 10)], &[(1_001, 10)]);
    venue.quote(A, &[(995, 10)], &[(1_005, 10)]);
    venue.observe(3);
    // .3 % of 1,000: longs pay 30 and 15, shorts get 15 and 30.
    assert_eq!(venue.payments(), [(Rate(3_000_000), Money(3))]);
    assert_eq!(venue.bench.state(long, A), (0, 10, 10_000, 982), "12 of cash and 18 of margin");
    assert_eq!(venue.bench.state(bidder, A), (90, 5, 5_000, 995), "10 were free");
    assert_eq!(venue.bench.state(short, A), (15, -5, -5_000, 600));
    assert_eq!(venue.bench.state(hedger, A), (30, -10, -10_000, 0));
    assert_eq!(venue.bench.state(flat, A).0, 50);
    // 2 % below the index: shorts pay 1 %, on credit too.
    venue.quote(A, &[(970, 10)], &[(980, 10)]);
    venue.observe(3);
    assert_eq!(venue.payments()[1], (Rate(-10_000_000), Money(-10)));
    assert_eq!(venue.bench.state(long, A), (100, 10, 10_000, 982));
    assert_eq!(venue.bench.state(bidder, A), (140, 5, 5_000, 995));
    assert_eq!(venue.bench.state(short, A), (0, -5, -5_000, 565), "15 of cash and 35 of margin");
    assert_eq!(venue.bench.state(hedger, A), (-70, -10, -10_000, 0));
    let paid = venue
        .bench
        .count(|event| matches!(event, Event::Transfer(transfer) if transfer.reason == Reason::Funding));
    assert_eq!(paid, 6 + 5, "one or two for each position");
}

#[test]
fn who_cannot_pay_funding_is_liquidated_at_once() {
    let mut venue = Venue::new(MarkRule::Last);
    venue.trade(A, 1_000);
    let hedger = venue.bench.unmargined();
    let long = venue.bench.isolated(110);
    venue.bench.seed(long, hedger, A, 10, 110);
    venue.quote(B, &[(999, 10)], &[(1_001, 10)]);
    venue.quote(A, &[(995, 10)], &[(1_005, 10)]);
    venue.observe(2);
    assert_eq!(venue.bench.state(long, A).1, 10);
    let records = venue.bench.observe();
    let begun = records.iter().find_map(|record| match record.event {
        Event::Liquidation { account, equity, maintenance, .. } => Some((account, equity, maintenance)),
        _ => None,
    });
    assert_eq!(begun, Some((long, Money(80), Money(100))));
    assert_eq!(venue.bench.state(long, A), (30, 0, 0, 0), "110 less 30 of funding and 5 on each lot");
}

/// The index is 1,000, the middle 1,040: a premium of 3.5 % and a rate of 2.5 %, of which two thirds have not accrued after
/// one of three observations.
#[test]
fn an_index_mark_is_the_median_of_index_with_funding_index_with_basis_and_last_trade() {
    let cases = [(None, 1_017), (Some(900), 1_017), (Some(1_030), 1_030), (Some(1_200), 1_040)];
    for (last, mark) in cases {
        let mut venue = Venue::new(MarkRule::Index);
        if let Some(last) = last {
            venue.trade(A, last);
        }
        assert_eq!(venue.bench.world.mark(A), Price(1_000), "the initial price before there is an index");
        venue.quote(B, &[(999, 10)], &[(1_001, 10)]);
        venue.quote(A, &[(1_035, 10)], &[(1_045, 10)]);
        assert_eq!(venue.bench.world.mark(A), Price(1_000), "nothing was observed");
        let records = venue.bench.observe();
        let made = records.iter().find_map(|record| match record.event {
            Event::IndexMark { market: A, mark, by_funding, by_basis, last } => {
                Some(([mark, by_funding, by_basis], last))
            }
            _ => None,
        });
        assert_eq!(made, Some(([mark, 1_017, 1_040].map(Price), last.map(Price))));
        assert_eq!(venue.bench.world.mark(A), Price(mark));
    }
}

/// With a last trade far above, the mark is the index with its mean basis.
#[test]
fn the_basis_of_a_mark_is_the_mean_of_the_last_thirty_observations() {
    let mut venue = Venue::new(MarkRule::Index);
    venue.trade(A, 1_200);
    venue.quote(B, &[(999, 10)], &[(1_001, 10)]);
    venue.quote(A, &[(1_035, 10)], &[(1_045, 10)]);
    for (middle, observations, mark) in [
        // 40 from the first one on.
        (1_040, 1, 1_040),
        (1_040, 29, 1_040),
        // 15 of 40 and 15 of none; 8 of 40.
        (1_000, 15, 1_020),
        (1_000, 7, 1_011),
        // 22 of none and 8 of 15.
        (1_015, 8, 1_004),
    ] {
        venue.quote(A, &[(middle - 5, 10)], &[(middle + 5, 10)]);
        venue.observe(observations);
        assert_eq!(venue.bench.world.mark(A), Price(mark), "{observations} times {middle}");
    }
}

#[test]
fn a_sale_of_spot_moves_the_index_mark_and_liquidates_in_the_perpetual() {
    let mut venue = Venue::new(MarkRule::Index);
    let hedger = venue.bench.unmargined();
    let long = venue.bench.isolated(500);
    venue.bench.seed(long, hedger, A, 10, 500);
    venue.quote(A, &[(995, 20)], &[(1_005, 20)]);
    venue.quote(B, &[(960, 10)], &[(962, 10)]);
    // 500 - 390 = 110 at 961, where 97 are needed.
    assert_eq!((venue.bench.world.mark(A), venue.bench.state(long, A).1), (Price(961), 10));
    // 500 - 450 = 50 at 955.
    venue.quote(B, &[(954, 10)], &[(956, 10)]);
    let begun = venue.bench.records.iter().find_map(|record| match record.event {
        Event::Liquidation { market, mark, equity, .. } => Some((market, mark, equity)),
        _ => None,
    });
    assert_eq!(begun, Some((A, Price(955), Money(50))));
    // Ten sold at 995.
    assert_eq!(venue.bench.state(long, A), (450, 0, 0, 0));
    assert_eq!(venue.bench.world.market(A).book.best(Side::Buy), Some(Price(995)));
}
