//! A venue on the bench: a small world whose requests are made one by one, audited after each of them.

use firesale::clearing::waterfall::AdlRank;
use firesale::clearing::{Brackets, Breach, Contract, LiquidationStyle, MarginMode, Stage};
use firesale::event::{Emit, Event, Record};
use firesale::market::{BookSpec, OrderType, SelfTrade, TimeInForce};
use firesale::record::{AuditReport, Auditor};
use firesale::units::{
    AccountId, AgentId, AssetId, MarketId, Money, OrderId, Position, Price, Qty, Rate, Side, Time, VenueId,
};
use firesale::world::{
    AssetSpec, FeeSchedule, FundingSpec, IndexSpec, LiquidationRules, MarkRule, MarketSpec, OBSERVED_EVERY,
    Order, Request, Safeguards, SeedPosition, Switches, VenueSpec, World, WorldSpec,
};
use rust_decimal::Decimal;

pub(crate) const ALL_ON: Switches = Switches { forced_liquidation: true, insurance_fund: true, adl: true };

/// What differs from case to case; one unit of money a tick and lot, two equal markets.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) switches: Switches,
    pub(crate) style: LiquidationStyle,
    pub(crate) breach: Breach,
    pub(crate) waterfall: Vec<Stage>,
    pub(crate) mark: MarkRule,
    pub(crate) self_trade: SelfTrade,
    /// Maker, taker and liquidation fee in units of 1e-9.
    pub(crate) fees: [i64; 3],
    pub(crate) fund: i64,
    /// The second market trades coins, and the first one has its index and pays funding each fifteen seconds.
    pub(crate) has_spot: bool,
    /// What the venue adds in both markets; a volatility is measured in the first one.
    pub(crate) safeguards: Safeguards,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            switches: ALL_ON,
            style: LiquidationStyle::Market,
            breach: Breach::Below,
            waterfall: Vec::new(),
            mark: MarkRule::Last,
            self_trade: SelfTrade::CancelTaker,
            fees: [0; 3],
            fund: 0,
            has_spot: false,
            safeguards: Safeguards::default(),
        }
    }
}

impl Rules {
    fn spec(&self) -> WorldSpec {
        let brackets = [(0, 10_000_000, 50), (20_000, 20_000_000, 20), (60_000, 50_000_000, 10)];
        let brackets = brackets.map(|(floor, rate, leverage)| (Money(floor), Rate(rate), leverage));
        let market = |name: &str| MarketSpec {
            name: name.to_owned(),
            venue: VenueId(0),
            base: AssetId(0),
            contract: Contract::Linear { unit: 1 },
            tick: Decimal::ONE,
            lot: Decimal::ONE,
            initial_price: Price(1_000),
            mark: self.mark,
            brackets: Brackets::new(&brackets, Money(200_000)),
            book: BookSpec { self_trade: self.self_trade, min_notional: 0 },
            index: None,
            funding: None,
            volatility_half_life: Time::ZERO,
            volatility_horizon: Time::ZERO,
            safeguards: self.safeguards.clone(),
        };
        let (mut a, mut b) = (market("A"), market("B"));
        if self.safeguards.volatility_margin.is_some() {
            a.volatility_half_life = OBSERVED_EVERY;
        }
        if self.has_spot {
            a.index = Some(IndexSpec { source: B, half_tick: 0.5 });
            a.funding = Some(FundingSpec {
                interval: Time(15 * Time::SECOND.0),
                first: Time(15 * Time::SECOND.0),
                interest: 0.003,
                clamp: 0.01,
                cap: 0.05,
                impact: Qty(5),
            });
            b.contract = Contract::Spot { unit: 1 };
            b.brackets = Brackets::new(&[(Money::ZERO, Rate::ZERO, 1)], Money(i64::MAX));
            b.mark = MarkRule::Median;
        }
        let [maker, taker, fee] = self.fees.map(Rate);
        WorldSpec {
            assets: ["COIN", "USD"]
                .map(|name| AssetSpec { name: name.to_owned(), units_per_coin: 1 })
                .to_vec(),
            venues: vec![VenueSpec {
                name: "bench".to_owned(),
                settlement: AssetId(1),
                fees: FeeSchedule { maker, taker },
                liquidation: LiquidationRules {
                    breach: self.breach,
                    style: self.style,
                    fee,
                    waterfall: self.waterfall.clone(),
                    rank: AdlRank::Bitmex,
                },
                insurance_fund: Money(self.fund),
            }],
            markets: vec![a, b],
        }
    }
}

pub(crate) const A: MarketId = MarketId(0);
pub(crate) const B: MarketId = MarketId(1);
pub(crate) const MARKET: OrderType = OrderType::Market { worst: None };

pub(crate) fn limit(price: i64) -> OrderType {
    OrderType::Limit { price: Price(price), tif: TimeInForce::Gtc }
}

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) records: Vec<Record>,
    seq: u64,
    time: i64,
    auditor: Auditor,
}

impl Bench {
    /// Builds the world, its fund filled and its market open.
    pub(crate) fn new(rules: &Rules) -> Self {
        let spec = rules.spec();
        let mut world = World::new(spec.clone(), rules.switches);
        world.open_for_liquidation();
        let mut bench = Self { world, records: Vec::new(), seq: 0, time: 0, auditor: Auditor::new(&spec) };
        bench.with(|world, emit| world.endow_fund(VenueId(0), Money(rules.fund), emit));
        bench
    }

    fn with(&mut self, change: impl FnOnce(&mut World, &mut Emit<'_, (&mut Auditor, &mut Vec<Record>)>)) {
        self.time += 1;
        let mut observer = (&mut self.auditor, &mut self.records);
        let mut emit = Emit { seq: &mut self.seq, time: Time(self.time), cause: 0, observer: &mut observer };
        change(&mut self.world, &mut emit);
        self.world.assert_conserved_in_full();
    }

    /// Opens an account that owes nothing to anybody.
    pub(crate) fn unmargined(&mut self) -> AccountId {
        self.world.accounts.open(VenueId(0), AgentId(0), MarginMode::Unmargined)
    }

    /// Opens an isolated account with cash.
    pub(crate) fn isolated(&mut self, cash: i64) -> AccountId {
        let account = self.world.accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated);
        self.with(|world, emit| world.deposit(account, Money(cash), emit));
        account
    }

    /// Seeds a position opened at 1,000 against a counterparty, its margin out of the account's cash.
    pub(crate) fn seed(
        &mut self,
        account: AccountId,
        counterparty: AccountId,
        market: MarketId,
        lots: i64,
        margin: i64,
    ) {
        self.seed_at(account, counterparty, market, (lots, 1_000), margin);
    }

    pub(crate) fn seed_at(
        &mut self,
        account: AccountId,
        counterparty: AccountId,
        market: MarketId,
        (lots, entry): (i64, i64),
        margin: i64,
    ) {
        let (lots, entry, margin) = (Position(lots), Price(entry), Money(margin));
        let seed = SeedPosition { account, counterparty, market, lots, entry, leverage: 10, margin };
        self.with(|world, emit| world.seed_position(&seed, emit));
    }

    /// Gives an account coins of the second market.
    pub(crate) fn endow(&mut self, account: AccountId, issuer: AccountId, qty: i64) {
        self.with(|world, emit| world.endow_coins(account, issuer, B, Qty(qty), emit));
    }

    /// Lets the time to the next observation of the first market pass, and observes it.
    pub(crate) fn observe(&mut self) -> &[Record] {
        let before = self.records.len();
        self.time += OBSERVED_EVERY.0;
        self.with(|world, emit| world.observe(A, emit));
        self.agree();
        &self.records[before..]
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.time += seconds * Time::SECOND.0;
    }

    /// Returns the time of the last request.
    pub(crate) fn now(&self) -> Time {
        Time(self.time)
    }

    /// Makes a request and returns what it brought about.
    pub(crate) fn ask(&mut self, request: Request) -> &[Record] {
        let before = self.records.len();
        self.with(|world, emit| world.execute(request, emit));
        self.agree();
        &self.records[before..]
    }

    /// Submits an order at leverage 10 and returns its id.
    pub(crate) fn submit(
        &mut self,
        account: AccountId,
        market: MarketId,
        side: Side,
        qty: i64,
        order_type: OrderType,
    ) -> OrderId {
        let id = self.world.next_order_id();
        let order = Order {
            account,
            market,
            id,
            side,
            qty: Qty(qty),
            order_type,
            reduce_only: false,
            leverage: 10,
            trigger: None,
        };
        self.ask(Request::Submit(order));
        id
    }

    /// Asserts that the auditor agrees with the world as it is now, and returns its counts.
    pub(crate) fn agree(&self) -> AuditReport {
        self.auditor.clone().finish(&self.world).unwrap_or_else(|problems| {
            let last = &self.records[self.records.len().saturating_sub(20)..];
            let last: Vec<String> = last.iter().map(|record| format!("{record:?}")).collect();
            panic!("{problems:#?} after\n{}", last.join("\n"))
        })
    }

    /// Returns (cash, lots, cost, margin) of an account in a market.
    pub(crate) fn state(&self, account: AccountId, market: MarketId) -> (i64, i64, i64, i64) {
        let cash = self.world.accounts.get(account).cash.0;
        let position = self.world.accounts.find(account, market).map(|id| self.world.accounts.position(id));
        position.map_or((cash, 0, 0, 0), |p| (cash, p.lots.0, p.cost.0, p.margin.0))
    }

    pub(crate) fn count(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.records.iter().filter(|record| what(&record.event)).count()
    }
}
