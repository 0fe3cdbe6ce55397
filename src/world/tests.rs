//! What the world keeps lazily, against what it would find by looking at everything.

use super::*;
use crate::clearing::{Brackets, Breach, Contract, LiquidationStyle, LiquidationTrigger};
use crate::market::{BookSpec, OrderType, SelfTrade};
use crate::units::{AssetId, Qty, Rate, Time};
use rust_decimal::Decimal;

const MARKETS: u16 = 2;

pub(super) fn spec() -> WorldSpec {
    let rows = [(0, 5_000_000, 100), (3_000, 20_000_000, 25), (9_000, 50_000_000, 10)];
    let brackets = rows.map(|(floor, rate, leverage)| (Money(floor), Rate(rate), leverage));
    let market = |name: u16| MarketSpec {
        name: name.to_string(),
        venue: VenueId(0),
        base: AssetId(0),
        contract: Contract::Linear { unit: 1 },
        tick: Decimal::ONE,
        lot: Decimal::ONE,
        initial_price: Price(1_000),
        mark: MarkRule::Last,
        brackets: Brackets::new(&brackets, Money(1_000_000)),
        book: BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 },
        index: None,
        funding: None,
        volatility_half_life: Time::ZERO,
        volatility_horizon: Time::ZERO,
        safeguards: Safeguards::default(),
    };
    WorldSpec {
        assets: ["COIN", "USD"].map(|name| AssetSpec { name: name.to_owned(), units_per_coin: 1 }).to_vec(),
        venues: vec![VenueSpec {
            name: "exchange".to_owned(),
            settlement: AssetId(1),
            fees: FeeSchedule { maker: Rate(0), taker: Rate(100_000) },
            liquidation: LiquidationRules {
                breach: Breach::AtOrBelow,
                style: LiquidationStyle::Market,
                fee: Rate(0),
                waterfall: Vec::new(),
                rank: crate::clearing::waterfall::AdlRank::Bitmex,
            },
            insurance_fund: Money::ZERO,
        }],
        markets: (0..MARKETS).map(market).collect(),
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n) as i64
    }

    fn side(&mut self) -> Side {
        if self.below(2) == 0 { Side::Buy } else { Side::Sell }
    }
}

/// Who is first in line by looking at every position: the order that [`World::next_due`] promises.
fn first_by_scan(world: &World, passed_over: &[(MarketId, Side)]) -> Option<PositionId> {
    let rank = |id: PositionId, position: &crate::clearing::OpenPosition| {
        let (market, venue) = world.spec.of(position.market);
        let LiquidationTrigger { side, tick } = placing::trigger(market, venue, position)?;
        let mark = world.marks[position.market.index()]?;
        let reached = if side == Side::Buy { mark <= tick } else { mark >= tick };
        let goes = position.mode == MarginMode::Isolated
            && reached
            && !world.pauses.has(id)
            && !passed_over.contains(&(position.market, side));
        goes.then_some((position.market, side, -side.sign() * tick.0, id))
    };
    world.accounts.positions().filter_map(|(id, position)| rank(id, position)).min().map(|rank| rank.3)
}

/// Trades, transfers and jumps of the mark at random; nobody is liquidated, so that ever more positions are due at once.
#[test]
fn who_waits_ahead_of_his_trigger_is_found_in_the_same_order_as_by_looking_at_everybody() {
    let switches = Switches { forced_liquidation: false, insurance_fund: false, adl: false };
    let mut world = World::new(spec(), switches);
    let mut dice = Dice(11);
    let mut seq = 0;
    let mut emit = Emit { seq: &mut seq, time: Time::ZERO, cause: 0, observer: &mut () };
    let accounts: Vec<AccountId> =
        (0..40).map(|_| world.accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated)).collect();
    for &account in &accounts {
        world.deposit(account, Money(20_000), &mut emit);
    }
    world.open_for_liquidation();
    let (mut due, mut trades) = (0, 0);
    for step in 0..30_000 {
        let market = MarketId(dice.below(u64::from(MARKETS)) as u16);
        let mark = world.mark(market).0;
        if dice.below(8) == 0 {
            world.set_mark(market, Price((mark + dice.below(201) - 100).clamp(300, 3_000)));
            // The next message makes it anew.
            world.markets[market.index()].quotes = None;
        } else {
            let price = Price((mark + dice.below(41) - 20).max(1));
            let account = accounts[dice.below(40) as usize];
            let order = Order {
                account,
                market,
                id: world.next_order_id(),
                side: dice.side(),
                qty: Qty(1 + dice.below(5)),
                order_type: OrderType::Limit { price, tif: crate::market::TimeInForce::Gtc },
                reduce_only: false,
                leverage: [1, 3, 10, 50][dice.below(4) as usize],
                trigger: None,
            };
            let before = world.ledger.count(Reason::TakerFee);
            world.execute(Request::Submit(order), &mut emit);
            trades += world.ledger.count(Reason::TakerFee) - before;
        }
        if step % 5_000 == 2_500 {
            // Maintenance of 0.5 % and of 3 % in turn.
            let rate = if step % 10_000 == 2_500 { 30_000_000 } else { 5_000_000 };
            let rows = [(Money(0), Rate(rate), 20), (Money(9_000), Rate(50_000_000), 10)];
            for market in &mut world.spec.markets {
                market.brackets = Brackets::new(&rows, Money(1_000_000));
            }
            world.rules_changed();
        }
        let sides = [Side::Buy, Side::Sell].map(|side| (MarketId(dice.below(2) as u16), side));
        let passed_over = &sides[..dice.below(3) as usize];
        let expected = first_by_scan(&world, passed_over);
        assert_eq!(world.next_due(passed_over), expected, "step {step}, without {passed_over:?}");
        due += u64::from(expected.is_some());
        if step % 1_000 == 0 {
            world.assert_conserved_in_full();
        }
    }
    assert!(
        (5_000..29_000).contains(&due) && trades > 1_000,
        "{due} times somebody was due, {trades} trades"
    );
}

/// As above, with liquidations step by step into a thin book: whoever is neither sold nor pauses is found.
#[test]
fn who_is_liquidated_step_by_step_is_found_in_the_same_order_as_by_looking_at_everybody() {
    let step = Rate(250_000_000);
    let pause = Time(20);
    for style in [
        LiquidationStyle::Partial { step, buffer: Rate(200_000_000) },
        LiquidationStyle::Slow { step, pause },
    ] {
        let mut rules = spec();
        rules.venues[0].liquidation.style = style;
        let switches = Switches { forced_liquidation: true, insurance_fund: false, adl: false };
        let mut world = World::new(rules, switches);
        let mut dice = Dice(12);
        let mut seq = 0;
        let mut records: Vec<crate::event::Record> = Vec::new();
        let accounts: Vec<AccountId> =
            (0..40).map(|_| world.accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated)).collect();
        let mut emit = Emit { seq: &mut seq, time: Time::ZERO, cause: 0, observer: &mut records };
        for &account in &accounts {
            world.deposit(account, Money(20_000), &mut emit);
        }
        world.open_for_liquidation();
        let (mut due, mut paused) = (0, 0);
        for step in 0..20_000 {
            emit.time = Time(step);
            let market = MarketId(dice.below(u64::from(MARKETS)) as u16);
            let mark = world.mark(market).0;
            let price = Price((mark + dice.below(61) - 30).clamp(300, 3_000));
            let account = accounts[dice.below(40) as usize];
            if world.accounts.free(account) < Money(2_000) {
                world.deposit(account, Money(2_000), &mut emit);
            }
            let order_type = match dice.below(3) {
                0 => OrderType::Market { worst: None },
                _ => OrderType::Limit { price, tif: crate::market::TimeInForce::Gtc },
            };
            let order = Order {
                account,
                market,
                id: world.next_order_id(),
                side: dice.side(),
                qty: Qty(1 + dice.below(12)),
                order_type,
                reduce_only: false,
                leverage: [1, 3, 10, 50][dice.below(4) as usize],
                trigger: None,
            };
            world.execute(Request::Submit(order), &mut emit);
            world.assert_conserved_in_full();
            let waiting: Vec<PositionId> =
                world.accounts.positions().map(|(id, _)| id).filter(|id| world.pauses.has(*id)).collect();
            paused += waiting.len();
            let expected = first_by_scan(&world, &[]);
            assert_eq!(world.next_due(&[]), expected, "step {step}, {style:?}");
            due += u64::from(expected.is_some());
        }
        let count = |what: fn(&Event) -> bool| records.iter().filter(|record| what(&record.event)).count();
        let begun = count(|event| matches!(event, Event::Liquidation { .. }));
        let in_part = count(|event| matches!(event, Event::Liquidated { left, .. } if !left.is_zero()));
        let has_paused = matches!(style, LiquidationStyle::Slow { .. }) == (paused > 0);
        assert!(due > 20 && begun > 300 && in_part > 50 && has_paused, "{due} {begun} {in_part} {paused}");
    }
}

/// At most 200 bytes: its line, its holder, its place in the index.
#[test]
fn an_account_takes_little_memory() {
    let mut world =
        World::new(spec(), Switches { forced_liquidation: true, insurance_fund: true, adl: true });
    let mut seq = 0;
    let mut emit = Emit { seq: &mut seq, time: Time::ZERO, cause: 0, observer: &mut () };
    let holder = world.accounts.open(VenueId(0), AgentId(0), MarginMode::Unmargined);
    let mut dice = Dice(3);
    // With the fund's and the holder's a power of two, so that vectors that grow by doubling are full.
    let accounts = 1 << 16;
    for _ in 2..accounts {
        let account = world.accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated);
        world.deposit(account, Money(1_000), &mut emit);
        let lots = Position(1 + dice.below(3));
        world.seed_position(
            &SeedPosition {
                account,
                counterparty: holder,
                market: MarketId(0),
                lots,
                entry: Price(1_000),
                leverage: 10,
                margin: Money(100 + dice.below(100)),
            },
            &mut emit,
        );
    }
    assert_eq!(world.accounts.len(), accounts);
    let bytes = world.accounts.memory() + world.triggers.memory();
    assert!(bytes <= 200 * accounts, "{} bytes an account", bytes as f64 / accounts as f64);
}

/// A position keeps count of its orders up to the largest number of 16 bits, and has them counted from there on.
#[test]
fn more_orders_than_can_be_kept_count_of_are_counted_one_by_one() {
    let mut world =
        World::new(spec(), Switches { forced_liquidation: true, insurance_fund: true, adl: true });
    let mut seq = 0;
    let mut emit = Emit { seq: &mut seq, time: Time::ZERO, cause: 0, observer: &mut () };
    let account = world.accounts.open(VenueId(0), AgentId(0), MarginMode::Unmargined);
    let market = MarketId(0);
    let most = usize::from(u16::MAX);
    for sent in 1..=most + 10 {
        let order = Order {
            account,
            market,
            id: world.next_order_id(),
            side: Side::Buy,
            qty: Qty(1),
            order_type: OrderType::Limit { price: Price(500), tif: crate::market::TimeInForce::Gtc },
            reduce_only: false,
            leverage: 1,
            trigger: None,
        };
        world.execute(Request::Submit(order), &mut emit);
        if sent < 10 || sent + 5 > most {
            assert_eq!(world.count_open_orders(account, market), sent);
        }
    }
    world.assert_conserved_in_full();
    let all: Vec<(OrderId, Place)> = world.open_orders(account, market).collect();
    for (gone, &(id, place)) in (1..).zip(&all[..20]) {
        world.execute(Request::Cancel { account, market, id, place }, &mut emit);
        assert_eq!(world.count_open_orders(account, market), all.len() - gone);
    }
    world.assert_conserved_in_full();
}
