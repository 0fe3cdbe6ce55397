//! Random order flow over margined accounts in two markets: after every request money and contracts are conserved to the
//! unit, and an auditor that shares no code with the venue agrees with it on everything.

use crate::bench::{A, ALL_ON, B, Bench, Rules};
use firesale::clearing::{
    Accounts, Brackets, Breach, Contract, LiquidationStyle, MarginMode, OpenPosition, Reason, Stage,
    liquidation,
};
use firesale::event::{Event, Observer, Record, Refusal};
use firesale::market::{
    BeyondBand, HaltRule, OrderType, Place, PriceBand, SelfTrade, TimeInForce, TriggerSource, TriggerWhen,
};
use firesale::record::tape::{Reader, TapeWriter};
use firesale::units::{
    AccountId, AgentId, MarketId, Money, OrderId, Position, Price, Qty, Rate, Side, Time, VenueId,
};
use firesale::world::{MarkRule, Order, Request, Safeguards, Switches, Trigger, VolatilityMargin};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn styles() -> Vec<LiquidationStyle> {
    let step = Rate(200_000_000);
    vec![
        LiquidationStyle::Market,
        LiquidationStyle::IocToBankruptcy,
        LiquidationStyle::Partial { step, buffer: Rate(100_000_000) },
        LiquidationStyle::Slow { step, pause: Time(10 * Time::SECOND.0) },
    ]
}

/// Nothing more often than not, and each rule alone or with others.
fn safeguards() -> impl Strategy<Value = Safeguards> {
    let band = select(vec![
        None,
        None,
        Some(PriceBand { reach: 0.03, beyond: BeyondBand::Clip }),
        Some(PriceBand { reach: 0.03, beyond: BeyondBand::Reject }),
    ]);
    let (window, pause) = (Time(30 * Time::SECOND.0), Time(10 * Time::SECOND.0));
    let halt = select(vec![None, None, Some(HaltRule { reach: Rate(60_000_000), window, pause })]);
    let volatility = select(vec![None, None, Some(VolatilityMargin { reference: 0.1, cap: 5.0 })]);
    (band, halt, volatility).prop_map(|(price_band, halt, volatility_margin)| Safeguards {
        own_brackets: None,
        volatility_margin,
        price_band,
        halt,
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let switches = select(vec![
        ALL_ON,
        ALL_ON,
        ALL_ON,
        Switches { insurance_fund: false, ..ALL_ON },
        Switches { adl: false, ..ALL_ON },
        Switches { forced_liquidation: false, ..ALL_ON },
    ]);
    let waterfall = select(vec![
        vec![],
        vec![Stage::InsuranceFund],
        vec![Stage::AutoDeleverage],
        vec![Stage::InsuranceFund, Stage::AutoDeleverage],
        vec![Stage::AutoDeleverage, Stage::InsuranceFund],
    ]);
    let style = select(styles());
    let self_trade =
        select(vec![SelfTrade::Allow, SelfTrade::CancelTaker, SelfTrade::CancelMaker, SelfTrade::CancelBoth]);
    let mark = select(vec![MarkRule::Last, MarkRule::Median, MarkRule::BestBid, MarkRule::Index]);
    let fees = select(vec![[0; 3], [200_000, 500_000, 5_000_000], [1, 3_000_000, 30_000_000]]);
    let fund = select(vec![0, 1, 50, 500, 100_000]);
    let breach = select(vec![Breach::Below, Breach::AtOrBelow]);
    let fund = (fund, safeguards());
    (switches, waterfall, style, self_trade, mark, fees, fund, breach).prop_map(
        |(switches, waterfall, style, self_trade, mark, fees, (fund, safeguards), breach)| Rules {
            switches,
            style,
            breach,
            waterfall,
            mark,
            self_trade,
            fees,
            fund,
            has_spot: mark == MarkRule::Index,
            safeguards,
        },
    )
}

/// One request before ids are known.
#[derive(Clone, Debug)]
enum Step {
    Order {
        account: usize,
        market: MarketId,
        side: Side,
        price: i64,
        qty: i64,
        kind: Kind,
    },
    Cancel {
        place: usize,
    },
    Amend {
        place: usize,
        price: i64,
        qty: i64,
    },
    TopUp {
        account: usize,
        market: MarketId,
        amount: i64,
    },
    /// Five seconds pass and the first market is observed.
    Observe,
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    which: u8,
    reduce_only: bool,
    leverage: u16,
    trigger: Option<(TriggerWhen, TriggerSource)>,
}

fn kind() -> impl Strategy<Value = Kind> {
    let when = select(vec![TriggerWhen::AtOrAbove, TriggerWhen::AtOrBelow]);
    let source = select(vec![TriggerSource::Mark, TriggerSource::Last]);
    let trigger = prop_oneof![6 => Just(None), 1 => (when, source).prop_map(Some)];
    (0..8_u8, proptest::bool::weighted(0.15), select(vec![1, 5, 20, 50]), trigger)
        .prop_map(|(which, reduce_only, leverage, trigger)| Kind { which, reduce_only, leverage, trigger })
}

fn step() -> impl Strategy<Value = Step> {
    let market = select(vec![A, A, A, B]);
    let side = select(vec![Side::Buy, Side::Sell]);
    let order = (0..ACCOUNTS, market, side, 880..1_120_i64, 1..40_i64, kind()).prop_map(
        |(account, market, side, price, qty, kind)| Step::Order { account, market, side, price, qty, kind },
    );
    prop_oneof![
        12 => order,
        2 => (0..20_usize).prop_map(|place| Step::Cancel { place }),
        2 => (0..20_usize, 880..1_120_i64, 0..60_i64)
            .prop_map(|(place, price, qty)| Step::Amend { place, price, qty }),
        1 => (0..ACCOUNTS, select(vec![A, B]), 0..400_i64)
            .prop_map(|(account, market, amount)| Step::TopUp { account, market, amount }),
        4 => Just(Step::Observe),
    ]
}

/// Two participants that owe nothing and five margined accounts.
const ACCOUNTS: usize = 7;

struct Flow {
    bench: Bench,
    accounts: Vec<AccountId>,
    sent: Vec<(AccountId, MarketId, OrderId)>,
}

impl Flow {
    fn new(rules: &Rules) -> Self {
        let mut bench = Bench::new(rules);
        let mut accounts = vec![bench.unmargined(), bench.unmargined()];
        for cash in [200, 1_000, 3_000, 10_000, 40_000] {
            accounts.push(bench.isolated(cash));
        }
        // Thin positions on both sides of both markets, so that every move finds somebody.
        let seeds =
            [(3, A, 10, 700), (4, A, -12, 900), (5, A, 25, 1_500), (5, B, -20, 1_000), (6, B, 45, 5_000)];
        if rules.has_spot {
            for (place, qty) in [(3, 5), (5, 30), (6, 60)] {
                bench.endow(accounts[place], accounts[0], qty);
            }
        }
        for (place, market, lots, margin) in
            seeds.into_iter().filter(|(_, market, ..)| *market == A || !rules.has_spot)
        {
            bench.seed(accounts[place], accounts[0], market, lots, margin);
        }
        Self { bench, accounts, sent: Vec::new() }
    }

    fn take(&mut self, step: &Step) {
        let latest = |place: usize| self.sent.iter().rev().nth(place).copied();
        let request = match *step {
            Step::Order { account, market, side, price, qty, kind } => {
                let id = self.bench.world.next_order_id();
                let account = self.accounts[account];
                self.sent.push((account, market, id));
                let price = Price(price);
                let limit = |tif| OrderType::Limit { price, tif };
                let order_type = match kind.which {
                    0..=2 => limit(TimeInForce::Gtc),
                    3 => limit(TimeInForce::Ioc),
                    4 => limit(TimeInForce::Fok),
                    5 => limit(TimeInForce::PostOnly),
                    6 => OrderType::Market { worst: Some(price) },
                    _ => OrderType::Market { worst: None },
                };
                Request::Submit(Order {
                    account,
                    market,
                    id,
                    side,
                    qty: Qty(qty),
                    order_type,
                    reduce_only: kind.reduce_only,
                    leverage: kind.leverage,
                    trigger: kind.trigger.map(|(when, source)| Trigger { price, when, source }),
                })
            }
            Step::Cancel { place } => match latest(place) {
                Some((account, market, id)) => Request::Cancel { account, market, id, place: Place::NONE },
                None => return,
            },
            Step::TopUp { account, market, amount } => {
                Request::TopUp { account: self.accounts[account], market, amount: Money(amount) }
            }
            Step::Observe => {
                self.bench.observe();
                return;
            }
            Step::Amend { place, price, qty } => match latest(place) {
                Some((account, market, id)) => {
                    Request::Amend { account, market, id, price: Price(price), qty: Qty(qty) }
                }
                None => return,
            },
        };
        self.bench.ask(request);
    }
}

fn tape(records: &[Record]) -> Vec<u8> {
    let mut writer = TapeWriter::new(Vec::new());
    for record in records {
        writer.on(record);
    }
    writer.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn money_and_contracts_are_conserved_and_the_auditor_agrees_after_every_request(
        rules in rules(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut flow = Flow::new(&rules);
        for step in &steps {
            flow.take(step);
        }
        let records = flow.bench.records;
        let read: Vec<Record> =
            Reader::new(&tape(&records)[..]).unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(read, records);
    }

    #[test]
    fn a_larger_fund_changes_nothing_before_the_smaller_one_is_missed(
        rules in rules(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let run = |fund| {
            let mut flow = Flow::new(&Rules { fund, ..rules.clone() });
            for step in &steps {
                flow.take(step);
            }
            flow.bench.records
        };
        let (small, large) = (run(1_000), run(2_000));
        let differs = small.iter().zip(&large).skip(1).position(|(a, b)| a != b);
        let limit = small.iter().skip(1).position(|record| is_want_of_fund(&record.event));
        let limit_large = large.iter().skip(1).position(|record| is_want_of_fund(&record.event));
        if let Some(differs) = differs {
            let first = limit.into_iter().chain(limit_large).min();
            prop_assert!(first.is_some_and(|first| first <= differs), "{differs} before {first:?}");
        }
    }
}

/// A property holds of nothing if nothing happens: random flow must reach every corner of the waterfall, often.
#[test]
fn random_flow_reaches_every_stage() {
    let mut runner = TestRunner::deterministic();
    let mut seen = [("", 0_u64); 19];
    for _ in 0..300 {
        let rules = rules().new_tree(&mut runner).unwrap().current();
        let steps = proptest::collection::vec(step(), 60..120).new_tree(&mut runner).unwrap().current();
        let mut flow = Flow::new(&rules);
        for step in &steps {
            flow.take(step);
        }
        let report = flow.bench.agree();
        let count = |what: &dyn Fn(&Event) -> bool| flow.bench.count(what) as u64;
        let moved =
            |reason| count(&|event| matches!(event, Event::Transfer(transfer) if transfer.reason == reason));
        let refused = |why| count(&|event| matches!(event, Event::Refused { reason, .. } if *reason == why));
        let counts = [
            ("fundings", report.fundings),
            ("funding payments", moved(Reason::Funding)),
            ("spot payments", moved(Reason::SpotPayment)),
            ("top-ups", moved(Reason::TopUp)),
            ("coins missing", refused(Refusal::InsufficientCoins)),
            ("marks by index", count(&|event| matches!(event, Event::IndexMark { .. }))),
            ("halts", count(&|event| matches!(event, Event::Halted { .. }))),
            ("refused in a halt", refused(Refusal::Halted)),
            ("refused beyond the band", refused(Refusal::BeyondBand)),
            ("refused for leverage", refused(Refusal::LeverageAboveBracket)),
            ("trades", report.trades),
            ("refusals", report.refusals),
            ("stops", report.stops),
            ("liquidations", report.liquidations),
            ("unfinished", report.unfinished),
            ("takeovers", report.takeovers),
            ("deleveraged", report.deleveraged),
            ("covered", report.covered),
            ("uncovered", report.uncovered),
        ];
        for (total, (name, count)) in seen.iter_mut().zip(counts) {
            *total = (name, total.1 + count);
        }
    }
    assert!(seen.iter().all(|(_, count)| *count >= 20), "{seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever pauses, waits for a halt or found nobody within a band: with buyers and sellers enough around the mark, a few
    /// minutes later nobody is below maintenance, but for those whom funding brought there so late that they are between two steps.
    #[test]
    fn no_position_stays_in_breach_once_there_is_somebody_to_trade_with(
        rules in rules(),
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let rules = Rules { switches: ALL_ON, ..rules };
        let mut flow = Flow::new(&rules);
        for step in &steps {
            flow.take(step);
        }
        let Flow { mut bench, accounts, .. } = flow;
        let maker = bench.unmargined();
        for _ in 0..40 {
            bench.observe();
            for market in [A, B] {
                let mark = bench.world.mark(market).0;
                for (side, price) in [(Side::Buy, mark), (Side::Sell, mark + 1)] {
                    let order_type = OrderType::Limit { price: Price(price), tif: TimeInForce::Gtc };
                    bench.submit(maker, market, side, 500, order_type);
                }
            }
        }
        for (account, market) in accounts.iter().flat_map(|account| [(*account, A), (*account, B)]) {
            let Some(id) = bench.world.accounts.find(account, market) else { continue };
            let position = bench.world.accounts.position(id);
            let spec = &bench.world.spec.markets[market.index()];
            let mark = bench.world.mark(market);
            let is_breached =
                liquidation::is_breached(spec.contract, &spec.brackets, rules.breach, position, mark);
            let pause = match rules.style {
                LiquidationStyle::Slow { pause, .. } => pause,
                LiquidationStyle::Market
                | LiquidationStyle::IocToBankruptcy
                | LiquidationStyle::Partial { .. } => Time::ZERO,
            };
            let is_step = |event: &Event| {
                matches!(event, Event::Liquidated { account: of, market: there, .. } if (*of, *there) == (account, market))
            };
            let is_paused = bench
                .records
                .iter()
                .any(|record| bench.now() - record.time < pause && is_step(&record.event));
            prop_assert!(
                position.mode != MarginMode::Isolated || !is_breached || is_paused,
                "{position:?} at {mark}, {rules:?}"
            );
        }
    }
}

/// Tells whether the size of the fund matters here: it pays, takes over, or something happens because it did not.
fn is_want_of_fund(event: &Event) -> bool {
    matches!(event, Event::Liquidation { .. })
        || matches!(event, Event::Transfer(transfer) if matches!(transfer.reason,
            Reason::FundCover | Reason::UncoveredLoss))
}

const UNIT: Contract = Contract::Linear { unit: 1 };

fn position(lots: i64, entry: i64, margin: i64) -> OpenPosition {
    let mut accounts = Accounts::new(1);
    let account = accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated);
    let id = accounts.find_or_open(account, A);
    accounts.add_lots(id, Position(lots), Money(lots * entry));
    accounts.add_margin(id, Money(margin));
    *accounts.position(id)
}

fn brackets(rates: [i64; 3]) -> Brackets {
    let rows = [
        (Money(0), Rate(rates[0]), 10),
        (Money(20_000), Rate(rates[1]), 10),
        (Money(60_000), Rate(rates[2]), 10),
    ];
    Brackets::new(&rows, Money(200_000))
}

proptest! {
    #[test]
    fn a_higher_maintenance_rate_flags_a_superset(
        rates in [0..20_000_000_i64, 20_000_000..40_000_000_i64, 40_000_000..60_000_000_i64],
        raise in 0..20_000_000_i64,
        held in proptest::collection::vec((-200..200_i64, 800..1_200_i64, 0..20_000_i64), 1..50),
        mark in 500..1_500_i64,
    ) {
        let (low, high) = (brackets(rates), brackets(rates.map(|rate| rate + raise)));
        for breach in [Breach::Below, Breach::AtOrBelow] {
            for &(lots, entry, margin) in &held {
                let position = position(lots, entry, margin);
                let flagged = |rules| liquidation::is_breached(UNIT, rules, breach, &position, Price(mark));
                prop_assert!(!flagged(&low) || flagged(&high), "{position:?} at {mark}");
                prop_assert!(!position.lots.is_zero() || !flagged(&high), "nothing is never liquidated");
            }
        }
    }
}
