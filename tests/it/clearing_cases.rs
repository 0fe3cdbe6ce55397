//! Liquidation, fund and deleveraging worked out by hand, to the last unit, through the whole engine.
//!
//! One unit of money a tick and lot; maintenance 1 % flat. A long of 10 lots is opened at 1,000 (cost 10,000) with margin
//! 1,000: bankrupt at 900. Equity at p is 10 p - 9,000; maintenance is ceil(p / 10). At 910: 100 >= 91. At 909: 90 < 91. So it
//! is liquidated at a mark of 909 or below. A sale of 5 lots takes the best bid of 1,000 away.

use crate::support::run;
use firesale::agents::MetaOrderSpec;
use firesale::clearing::waterfall::AdlRank;
use firesale::clearing::{Brackets, Breach, Contract, LiquidationStyle, Stage};
use firesale::engine::Simulation;
use firesale::event::{Event, Record, Refusal};
use firesale::market::{BookSpec, OrderType};
use firesale::mechanisms::{FundamentalSpec, Mechanism, Mechanisms};
use firesale::scenario::{Adaptation, BookLevel, ExplicitPosition, Scenario, Shock, ShockKind};
use firesale::units::{AccountId, AssetId, MarketId, Money, Position, Price, Qty, Rate, Side, Time, VenueId};
use firesale::world::{
    AssetSpec, FeeSchedule, LiquidationRules, MarkRule, MarketSpec, Order, Request, Safeguards, VenueSpec,
    WorldSpec,
};
use rust_decimal::Decimal;

const MARKET: MarketId = MarketId(0);
/// The fund's account is 0 and the hedgers' 1; stated positions follow, and the sale's account comes last.
const LONG: AccountId = AccountId(2);

struct Case {
    bids: &'static [(i64, i64)],
    style: LiquidationStyle,
    fee: i64,
    fund: i64,
    waterfall: &'static [Stage],
    mark: MarkRule,
    shorts: &'static [(i64, i64, i64)],
    mechanisms: Mechanisms,
    sales: &'static [(i64, i64)],
}

const CASE: Case = Case {
    bids: &[(1_000, 5), (909, 20)],
    style: LiquidationStyle::Market,
    fee: 0,
    fund: 0,
    waterfall: &[],
    mark: MarkRule::BestBid,
    shorts: &[],
    mechanisms: ALL,
    sales: &[(0, 5)],
};

const ALL: Mechanisms = Mechanisms::ALL_ON;
const FUND_THEN_ADL: &[Stage] = &[Stage::InsuranceFund, Stage::AutoDeleverage];

impl Case {
    fn scenario(&self) -> Scenario {
        let asset = |name: &str| AssetSpec { name: name.to_owned(), units_per_coin: 1 };
        let long = ExplicitPosition {
            market: MARKET,
            lots: Position(10),
            entry: Price(1_000),
            margin: Money(1_000),
            cash: Money(0),
        };
        let shorts = self.shorts.iter().map(|&(lots, entry, margin)| ExplicitPosition {
            lots: Position(-lots),
            entry: Price(entry),
            margin: Money(margin),
            ..long
        });
        let level = |&(price, qty): &(i64, i64)| BookLevel {
            market: MARKET,
            side: Side::Buy,
            price: Price(price),
            qty: Qty(qty),
        };
        let sale = |(index, &(second, qty)): (usize, &(i64, i64))| Shock {
            name: format!("sale-{index}"),
            kind: ShockKind::MetaOrder(MetaOrderSpec {
                market: MARKET,
                side: Side::Sell,
                qty: Qty(qty),
                also: None,
                at: Time(second * Time::SECOND.0),
                duration: Time::ZERO,
                slice_every: Time::SECOND,
                closes: Qty::ZERO,
            }),
        };
        Scenario {
            name: "by-hand".to_owned(),
            title: String::new(),
            start: "2026-01-01T00:00:00Z".parse().unwrap(),
            duration: Time(10 * Time::SECOND.0),
            burn_in: Time::ZERO,
            sample_every: Time::SECOND,
            world: WorldSpec {
                assets: vec![asset("COIN"), asset("USD")],
                venues: vec![VenueSpec {
                    name: "exchange".to_owned(),
                    settlement: AssetId(1),
                    fees: FeeSchedule { maker: Rate::ZERO, taker: Rate::ZERO },
                    liquidation: LiquidationRules {
                        breach: Breach::Below,
                        style: self.style,
                        fee: Rate(self.fee),
                        waterfall: self.waterfall.to_vec(),
                        rank: AdlRank::Bitmex,
                    },
                    insurance_fund: Money(self.fund),
                }],
                markets: vec![MarketSpec {
                    name: "COIN-PERP".to_owned(),
                    venue: VenueId(0),
                    base: AssetId(0),
                    contract: Contract::Linear { unit: 1 },
                    tick: Decimal::ONE,
                    lot: Decimal::ONE,
                    initial_price: Price(1_000),
                    mark: self.mark,
                    brackets: Brackets::new(&[(Money(0), Rate(10_000_000), 100)], Money(1_000_000_000)),
                    book: BookSpec::default(),
                    index: None,
                    funding: None,
                    volatility_half_life: Time::ZERO,
                    volatility_horizon: Time::ZERO,
                    safeguards: Safeguards::default(),
                }],
            },
            unloading: vec![None],
            passive: vec![Qty::ZERO],
            fundamentals: vec![FundamentalSpec { volatility: 0.0, step: Time::SECOND }],
            levels: self.bids.iter().map(level).collect(),
            populations: Vec::new(),
            positions: std::iter::once(long).chain(shorts).collect(),
            shocks: self.sales.iter().enumerate().map(sale).collect(),
            adaptation: Adaptation::default(),
            mechanisms: self.mechanisms,
            counterfactuals: Vec::new(),
        }
    }

    fn run(&self) -> (Simulation, Vec<Record>) {
        let mut records = Vec::new();
        let simulation = run(&self.scenario(), 0, &mut records);
        simulation.world().assert_conserved_in_full();
        (simulation, records)
    }
}

/// What is looked at: cash and lots of the long, fund, uncovered losses.
fn outcome(simulation: &Simulation) -> (i64, i64, i64, i64) {
    let world = simulation.world();
    let cash = world.accounts.get(LONG).cash.0;
    let lots = world.accounts.lots(LONG, MARKET).0;
    (cash, lots, world.ledger.fund[0].0, world.ledger.uncovered[0].0)
}

#[test]
fn a_surplus_goes_back_to_the_account_after_the_fee() {
    // 10 sold at 909: 9,090, a loss of 910; margin 90 left. Fee .5 % of 9,090 = 45.45, rounded up to 46. 44 go back.
    let case = Case { fee: 5_000_000, ..CASE };
    assert_eq!(outcome(&case.run().0), (44, 0, 46, 0));
}

#[test]
fn the_fee_is_capped_at_the_margin_that_is_left() {
    // 5 % of 9,090 would be 455; only 90 are there.
    let case = Case { fee: 50_000_000, ..CASE };
    assert_eq!(outcome(&case.run().0), (0, 0, 90, 0));
}

#[test]
fn the_fund_pays_a_deficit_to_its_last_unit() {
    // 1 at 909 and 9 at 880: 8,829, a loss of 1,171; 171 more than the margin.
    let bids = &[(1_000, 5), (909, 1), (880, 20)];
    let case = Case { bids, fund: 171, ..CASE };
    assert_eq!(outcome(&case.run().0), (0, 0, 0, 0));
}

#[test]
fn a_shortfall_of_one_unit_is_booked_as_uncovered() {
    let bids = &[(1_000, 5), (909, 1), (880, 20)];
    let case = Case { bids, fund: 170, ..CASE };
    assert_eq!(outcome(&case.run().0), (0, 0, 0, -1));
    // Without the mechanism the fund keeps what it has.
    let off = ALL.with(Mechanism::InsuranceFund, false);
    let case = Case { bids, fund: 170, mechanisms: off, ..CASE };
    assert_eq!(outcome(&case.run().0), (0, 0, 170, -171));
}

#[test]
fn the_fund_takes_over_what_does_not_fill_at_the_bankruptcy_price() {
    // IOC at 900: 1 at 909, a loss of 91 of the margin. 9 lots are left with cost 9,000 and margin 909: owed 8,091. At the mark
    // of 909 they are worth 8,181, so the fund can bear them without a unit of its own.
    let bids = &[(1_000, 5), (909, 1), (880, 20)];
    let style = LiquidationStyle::IocToBankruptcy;
    let case = Case { bids, style, waterfall: FUND_THEN_ADL, fund: 7, ..CASE };
    let (simulation, _) = case.run();
    assert_eq!(outcome(&simulation), (0, 0, 7, 0));
    let world = simulation.world();
    let held = world.accounts.find(world.fund_accounts[0], MARKET).unwrap();
    let held = world.accounts.position(held);
    assert_eq!((held.lots, held.cost), (Position(9), Money(8_091)));
}

#[test]
fn a_fund_that_is_one_unit_short_leaves_the_rest_to_deleveraging() {
    // The best bid falls to 880 at once: nothing fills at 900. Owed 9,000; at the mark 8,800: the fund needs 200.
    //
    // Ranks at 880, profit share x notional / equity:
    //   the seller  5 at 1,000, no margin:  600 / 5,000 x 4,400 /   600 = .88
    //   A           4 at 1,000, margin 100: 480 / 4,000 x 3,520 /   580 = .73
    //   B           8 at   950, margin 500: 560 / 7,600 x 7,040 / 1,060 = .49
    // So the seller closes 5, A closes 4, B closes 1, at 900 each.
    //   A: 100 + 4 x 100 = 500 in cash.
    //   B: profit 50; margin 550, of which 7/8 of 500 = 437.5, rounded up to 438, stay: 112 in cash.
    let bids = &[(1_000, 5), (880, 20)];
    let style = LiquidationStyle::IocToBankruptcy;
    let shorts = &[(4, 1_000, 100), (8, 950, 500)];
    let case = Case { bids, style, waterfall: FUND_THEN_ADL, fund: 199, shorts, ..CASE };
    let (simulation, records) = case.run();
    assert_eq!(outcome(&simulation), (0, 0, 199, 0));
    let world = simulation.world();
    let (a, b, seller) = (AccountId(3), AccountId(4), AccountId(5));
    let state = |account| (world.accounts.get(account).cash.0, world.accounts.lots(account, MARKET).0);
    assert_eq!(state(a), (500, 0));
    assert_eq!(state(b), (112, -7));
    assert_eq!(state(seller), (500, 0));
    let position = world.accounts.position(world.accounts.find(b, MARKET).unwrap());
    assert_eq!((position.cost, position.margin), (Money(-6_650), Money(438)));
    let deleveraged = records.iter().filter_map(|record| match record.event {
        Event::Assigned { how: firesale::event::Assignment::Deleverage, to, lots, value, .. } => {
            Some((to, lots.0, value.0))
        }
        _ => None,
    });
    assert_eq!(deleveraged.collect::<Vec<_>>(), [(seller, 5, 4_500), (a, 4, 3_600), (b, 1, 900)]);

    // With one unit more the fund takes everything.
    let case = Case { bids, style, waterfall: FUND_THEN_ADL, fund: 200, shorts, ..CASE };
    let (simulation, _) = case.run();
    assert_eq!(outcome(&simulation), (0, 0, 200, 0));
    assert_eq!(simulation.world().accounts.lots(AccountId(0), MARKET), Position(10));
}

#[test]
fn without_a_waterfall_the_rest_is_sold_at_any_price() {
    // 10 at 880: a loss of 1,200, 200 more than the margin; the fund has 199.
    let bids = &[(1_000, 5), (880, 20)];
    let style = LiquidationStyle::IocToBankruptcy;
    let case = Case { bids, style, fund: 199, ..CASE };
    assert_eq!(outcome(&case.run().0), (0, 0, 0, -1));
    // The same with the stages there but switched off, where the fund pays nothing.
    let off = ALL.with(Mechanism::InsuranceFund, false).with(Mechanism::Adl, false);
    let case = Case { bids, style, fund: 199, waterfall: FUND_THEN_ADL, mechanisms: off, ..CASE };
    assert_eq!(outcome(&case.run().0), (0, 0, 199, -200));
}

#[test]
fn a_position_that_nobody_buys_stays_due_and_is_tried_again() {
    // Mark = last: the sale trades 4 at 1,000 and 1 at 880, and no bid is left. The second sale finds nobody either.
    let case = Case { bids: &[(1_000, 4), (880, 1)], mark: MarkRule::Last, sales: &[(0, 5), (2, 1)], ..CASE };
    let (simulation, records) = case.run();
    let attempts = records.iter().filter(|record| matches!(record.event, Event::Liquidation { .. })).count();
    assert_eq!(attempts, 2);
    assert_eq!(outcome(&simulation), (0, 10, 0, 0));
    assert_eq!(simulation.world().unresolved_deficit(MARKET), 200);
}

#[test]
fn without_forced_liquidation_credit_is_extended_and_the_position_cannot_grow() {
    let bids = &[(1_000, 5), (880, 20)];
    let off = ALL.with(Mechanism::ForcedLiquidation, false);
    let (mut simulation, records) = Case { bids, mechanisms: off, fund: 50, ..CASE }.run();
    assert!(!records.iter().any(|record| matches!(record.event, Event::Liquidation { .. })));
    assert_eq!(outcome(&simulation), (0, 10, 50, 0));
    assert_eq!(simulation.world().unresolved_deficit(MARKET), 200);

    let mut told = Vec::new();
    let mut seq = simulation.records();
    let mut ask = |simulation: &mut Simulation, side, qty, told: &mut Vec<Record>| {
        let time = simulation.now();
        let world = simulation.world_mut();
        let order = Order {
            account: LONG,
            market: MARKET,
            id: world.next_order_id(),
            side,
            qty: Qty(qty),
            order_type: OrderType::Market { worst: None },
            reduce_only: false,
            leverage: 10,
            trigger: None,
        };
        let mut emit = firesale::event::Emit { seq: &mut seq, time, cause: 0, observer: told };
        world.execute(Request::Submit(order), &mut emit);
    };
    ask(&mut simulation, Side::Buy, 1, &mut told);
    let refused =
        |record: &Record| matches!(record.event, Event::Refused { reason: Refusal::BelowMaintenance, .. });
    assert!(told.iter().any(refused));
    // It may be reduced: the loss beyond its margin is not the fund's to pay, but credit that was never repaid.
    ask(&mut simulation, Side::Sell, 10, &mut told);
    assert_eq!(outcome(&simulation), (0, 0, 50, -200));
    simulation.world().assert_conserved_in_full();
}
