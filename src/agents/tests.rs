//! A small world to decide in: a perpetual whose index is a spot market, and an agent's life by hand.

use super::{Actions, Decide, View, Wake};
use crate::clearing::{Brackets, Breach, Contract, LiquidationStyle, MarginMode};
use crate::event::Emit;
use crate::market::{BookSpec, OrderType, SelfTrade, TimeInForce};
use crate::rng::Rng;
use crate::units::{
    AccountId, AgentId, AssetId, MarketId, Money, OrderId, Position, Price, Qty, Rate, Side, Time, VenueId,
};
use crate::world::{
    AssetSpec, FeeSchedule, LiquidationRules, MarkRule, MarketSpec, OBSERVED_EVERY, Order, Request,
    SeedPosition, Switches, VenueSpec, World, WorldSpec,
};
use rust_decimal::Decimal;

pub(super) const PERP: MarketId = MarketId(0);
pub(super) const SPOT: MarketId = MarketId(1);
/// Who quotes, and is the other side of everything that is seeded.
pub(super) const QUOTER: AccountId = AccountId(1);

/// A world in which one lot is worth its price in money: maintenance 1 %, no fees, quotes at 1,000.
pub(super) struct Stage {
    pub(super) world: World,
    seq: u64,
    time: Time,
    quotes: Vec<(MarketId, OrderId)>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let market = |name: &str| MarketSpec {
            name: name.to_owned(),
            venue: VenueId(0),
            base: AssetId(0),
            contract: Contract::Linear { unit: 1 },
            tick: Decimal::ONE,
            lot: Decimal::ONE,
            initial_price: Price(1_000),
            mark: MarkRule::Median,
            brackets: Brackets::new(&[(Money(0), Rate(10_000_000), 50)], Money(1_000_000_000)),
            book: BookSpec { self_trade: SelfTrade::CancelTaker, min_notional: 0 },
            index: None,
            funding: None,
            volatility_half_life: Time(5 * Time::SECOND.0),
            volatility_horizon: Time::ZERO,
            safeguards: crate::world::Safeguards::default(),
        };
        let mut spot = market("SPOT");
        spot.contract = Contract::Spot { unit: 1 };
        let spec = WorldSpec {
            assets: ["COIN", "USD"]
                .map(|name| AssetSpec { name: name.to_owned(), units_per_coin: 1 })
                .to_vec(),
            venues: vec![VenueSpec {
                name: "exchange".to_owned(),
                settlement: AssetId(1),
                fees: FeeSchedule { maker: Rate::ZERO, taker: Rate::ZERO },
                liquidation: LiquidationRules {
                    breach: Breach::Below,
                    style: LiquidationStyle::Market,
                    fee: Rate::ZERO,
                    waterfall: Vec::new(),
                    rank: crate::clearing::waterfall::AdlRank::Bitmex,
                },
                insurance_fund: Money::ZERO,
            }],
            markets: vec![market("PERP"), spot],
        };
        let switches = Switches { forced_liquidation: true, insurance_fund: true, adl: true };
        let mut world = World::new(spec, switches);
        let quoter = world.accounts.open(VenueId(0), AgentId(0), MarginMode::Unmargined);
        assert_eq!(quoter, QUOTER);
        let mut stage = Self { world, seq: 0, time: Time::ZERO, quotes: Vec::new() };
        stage.quote(1_000);
        stage.world.open_for_liquidation();
        stage
    }

    pub(super) fn view(&self) -> View<'_> {
        View::new(&self.world, self.time)
    }

    fn with(&mut self, change: impl FnOnce(&mut World, &mut Emit<'_, ()>)) {
        let mut emit = Emit { seq: &mut self.seq, time: self.time, cause: 0, observer: &mut () };
        change(&mut self.world, &mut emit);
        self.world.assert_conserved_in_full();
    }

    pub(super) fn ask(&mut self, request: Request) {
        self.with(|world, emit| world.execute(request, emit));
    }

    /// Opens an account with cash.
    pub(super) fn open(&mut self, cash: i64) -> AccountId {
        let account = self.world.accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated);
        self.with(|world, emit| world.deposit(account, Money(cash), emit));
        account
    }

    /// Gives an account a position in the perpetual that was opened at 1,000 with its initial margin.
    pub(super) fn seed(&mut self, account: AccountId, lots: i64, leverage: u16) {
        let margin = Money((1_000 * lots.abs()).div_euclid(i64::from(leverage)));
        let (lots, entry) = (Position(lots), Price(1_000));
        let seed =
            SeedPosition { account, counterparty: QUOTER, market: PERP, lots, entry, leverage, margin };
        self.with(|world, emit| world.seed_position(&seed, emit));
    }

    /// Gives an account coins.
    pub(super) fn endow(&mut self, account: AccountId, qty: i64) {
        self.with(|world, emit| world.endow_coins(account, QUOTER, SPOT, Qty(qty), emit));
    }

    /// Opens an account that owes nothing to anybody, for those who trade on credit.
    pub(super) fn desk(&mut self) -> AccountId {
        self.world.accounts.open(VenueId(0), AgentId(0), MarginMode::Unmargined)
    }

    /// Lets an account trade at market against the quotes.
    pub(super) fn trade(&mut self, account: AccountId, market: MarketId, side: Side, qty: i64) {
        let id = self.world.next_order_id();
        self.ask(Request::Submit(Order {
            id,
            ..super::order(account, market, side, Qty(qty), super::MARKET)
        }));
    }

    /// Gives an account lots in both markets.
    pub(super) fn hold(&mut self, account: AccountId, lots: [i64; 2]) {
        for (market, lots) in [PERP, SPOT].into_iter().zip(lots) {
            if let Some(side) = Position(lots).side() {
                self.trade(account, market, side, lots.abs());
            }
        }
    }

    /// Moves the quotes of both markets to a middle: large ones one tick away from it.
    pub(super) fn quote(&mut self, middle: i64) {
        for market in [PERP, SPOT] {
            self.quote_at(market, middle);
        }
    }

    /// Moves the quotes of one market.
    pub(super) fn quote_at(&mut self, market: MarketId, middle: i64) {
        let (old, others) = std::mem::take(&mut self.quotes).into_iter().partition(|(at, _)| *at == market);
        self.quotes = others;
        for (market, id) in old {
            let place = crate::market::Place::NONE;
            self.ask(Request::Cancel { account: QUOTER, market, id, place });
        }
        for side in [Side::Buy, Side::Sell] {
            let price = Price(middle - side.sign());
            let order = Order {
                account: QUOTER,
                market,
                id: self.world.next_order_id(),
                side,
                qty: Qty(1_000_000),
                order_type: OrderType::Limit { price, tif: TimeInForce::Gtc },
                reduce_only: false,
                leverage: 1,
                trigger: None,
            };
            self.ask(Request::Submit(order));
            self.quotes.push((market, order.id));
        }
    }

    /// Lets time pass to the next sample of volatility, and samples both markets.
    pub(super) fn observe(&mut self) {
        self.time = self.time + OBSERVED_EVERY - Time(self.time.0.rem_euclid(OBSERVED_EVERY.0));
        for market in [PERP, SPOT] {
            self.with(|world, emit| world.observe(market, emit));
        }
    }

    /// Wakes an agent, and returns what it asks for and how long it sleeps.
    pub(super) fn wake<A: Decide>(
        &self,
        agent: &mut A,
        wake: Wake,
        rng: &mut Rng,
    ) -> (Vec<Request>, Option<Time>) {
        let mut actions = Actions { last_order: self.world.last_order_id().0, ..Actions::default() };
        agent.decide(wake, &self.view(), rng, &mut actions);
        (actions.requests, actions.wake_after)
    }

    /// Does what an agent asked for.
    pub(super) fn carry_out(&mut self, requests: Vec<Request>) {
        for request in requests {
            if let Request::Submit(order) = request {
                self.world.set_last_order_id(order.id);
            }
            self.ask(request);
        }
    }

    /// Wakes an agent by its timer a number of times while nothing moves, does what it asks for at once, and returns all that it
    /// asked for and when it woke.
    pub(super) fn live<A: Decide>(
        &mut self,
        agent: &mut A,
        stream: crate::rng::Stream,
        wakes: u64,
    ) -> (Vec<Request>, Vec<Time>) {
        let (mut all, mut times) = (Vec::new(), Vec::new());
        let mut wake = Wake::Start;
        for number in 1..=wakes {
            let (requests, wait) = self.wake(agent, wake, &mut stream.draw(0, number));
            all.extend(&requests);
            self.carry_out(requests);
            let Some(wait) = wait else { break };
            self.time = self.time + wait;
            times.push(self.time);
            wake = Wake::Timer;
        }
        (all, times)
    }
}

/// Returns the order of a request.
pub(super) fn submitted(request: &Request) -> Option<&Order> {
    match request {
        Request::Submit(order) => Some(order),
        Request::Cancel { .. } | Request::TopUp { .. } | Request::Amend { .. } => None,
    }
}
