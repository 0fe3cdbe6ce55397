//! From a checked scenario and a seed to a simulation at the beginning of its burn-in: accounts, positions, books.

mod retail;

use super::Simulation;
use super::queue::Item;
use crate::agents::{
    Arbitrageur, ArbitrageurSpec, Background, FundDesk, Fundamentalist, Holder, Maker, MetaOrder, Retail,
    SpotHolder, SpotHolderSpec, Strategy, TrendFollower,
};
use crate::clearing::MarginMode;
use crate::event::{Emit, Observer};
use crate::market::{OrderType, TimeInForce};
use crate::mechanisms::Mechanism;
use crate::rng::{Rng, Seed};
use crate::sampling::Distribution;
use crate::scenario::{Latency, Population, PopulationStrategy, Scenario, ShockKind};
use crate::units::{AccountId, MarketId, Money, Position, Qty, Side, Time, VenueId};
use crate::world::{OBSERVED_EVERY, Order, Request, SeedPosition, Switches, World};

const AT_ONCE: Latency = Latency { base: Time::ZERO, jitter: Time::ZERO };

impl Simulation<Strategy> {
    /// Builds the simulation of a scenario at the beginning of its burn-in and says everything that is there to the
    /// observer: deposits, seeded positions, the resting book.
    pub fn new<O: Observer>(scenario: &Scenario, seed: Seed, observer: &mut O) -> Self {
        let has = |mechanism| scenario.mechanisms.has(mechanism);
        let switches = Switches {
            forced_liquidation: has(Mechanism::ForcedLiquidation),
            insurance_fund: has(Mechanism::InsuranceFund),
            adl: has(Mechanism::Adl),
        };
        let mut spec = scenario.world.clone();
        if !has(Mechanism::Funding) {
            spec.markets.iter_mut().for_each(|market| market.funding = None);
        }
        let world = World::new(spec, switches);
        let mut simulation = Self::empty(world, Time::ZERO - scenario.burn_in);
        for (index, venue) in scenario.world.venues.iter().enumerate() {
            let (world, mut emit) = simulation.parts(observer);
            world.endow_fund(VenueId(index as u16), venue.insurance_fund, &mut emit);
        }
        let hedgers = simulation.add_hedgers(scenario, seed);
        simulation.seed_passive(scenario, seed, observer);
        simulation.rest_levels(scenario, &hedgers, observer);
        for population in &scenario.populations {
            simulation.add_population(population, scenario, seed, &hedgers, observer);
        }
        simulation.seed_explicit(scenario, &hedgers, observer);
        simulation.add_shocks(scenario, seed, observer);
        simulation.add_fund_desks(scenario, seed);
        simulation.add_fundamentals(scenario, seed);
        simulation.add_observations();
        simulation.start(observer);
        simulation
    }

    fn parts<'a, O: Observer>(&'a mut self, observer: &'a mut O) -> (&'a mut World, Emit<'a, O>) {
        (&mut self.world, Emit { seq: &mut self.seq, time: self.now, cause: 0, observer })
    }

    fn push(&mut self, agent: Strategy, name: &str, seed: Seed, index: u64, latency: Latency) {
        self.add_agent(agent, seed.stream(name), seed.stream(&format!("{name}.delays")), index, latency);
    }

    fn open(&mut self, market: MarketId, mode: MarginMode) -> AccountId {
        let venue = self.world.spec.markets[market.index()].venue;
        let owner = self.next_agent();
        self.world.accounts.open(venue, owner, mode)
    }

    /// Adds, for each market, the holders of the other side of every seeded position and of stated levels.
    fn add_hedgers(&mut self, scenario: &Scenario, seed: Seed) -> Vec<AccountId> {
        (0..scenario.world.markets.len())
            .map(|market| {
                let account = self.open(MarketId(market as u16), MarginMode::Unmargined);
                self.push(Strategy::Holder(Holder), "hedgers", seed, market as u64, AT_ONCE);
                account
            })
            .collect()
    }

    /// Gives hedged positions that nobody trades to holders of their two sides. The hedgers have neither: what they hold would be
    /// netted with it, and the open interest would be less than what is stated.
    fn seed_passive<O: Observer>(&mut self, scenario: &Scenario, seed: Seed, observer: &mut O) {
        for (index, lots) in scenario.passive.iter().enumerate().filter(|(_, lots)| !lots.is_zero()) {
            let market = MarketId(index as u16);
            let [long, short] = [(); 2].map(|()| self.open(market, MarginMode::Unmargined));
            self.push(Strategy::Holder(Holder), "passive", seed, index as u64, AT_ONCE);
            self.seed_unmargined(long, short, market, lots.signed(Side::Buy), observer);
        }
    }

    /// Gives an unmargined account a position at the initial price.
    fn seed_unmargined<O: Observer>(
        &mut self,
        account: AccountId,
        counterparty: AccountId,
        market: MarketId,
        lots: Position,
        observer: &mut O,
    ) {
        let entry = self.world.spec.markets[market.index()].initial_price;
        let (leverage, margin) = (1, Money::ZERO);
        let (world, mut emit) = self.parts(observer);
        let seed = SeedPosition { account, counterparty, market, lots, entry, leverage, margin };
        world.seed_position(&seed, &mut emit);
    }

    fn rest_levels<O: Observer>(&mut self, scenario: &Scenario, hedgers: &[AccountId], observer: &mut O) {
        for level in &scenario.levels {
            let (world, mut emit) = self.parts(observer);
            let order = Order {
                account: hedgers[level.market.index()],
                market: level.market,
                id: world.next_order_id(),
                side: level.side,
                qty: level.qty,
                order_type: OrderType::Limit { price: level.price, tif: TimeInForce::PostOnly },
                reduce_only: false,
                leverage: 1,
                trigger: None,
            };
            world.execute(Request::Submit(order), &mut emit);
        }
    }

    fn add_population<O: Observer>(
        &mut self,
        population: &Population,
        scenario: &Scenario,
        seed: Seed,
        hedgers: &[AccountId],
        observer: &mut O,
    ) {
        let name = format!("populations.{}", population.name);
        match &population.strategy {
            PopulationStrategy::Background(spec) => {
                let quoter = self.open(spec.market, MarginMode::Unmargined);
                let taker = self.open(spec.market, MarginMode::Unmargined);
                let clock = seed.stream(&format!("{name}.clock"));
                let agent = Background::new(spec.clone(), quoter, taker, clock);
                self.push(Strategy::Background(agent), &name, seed, 0, population.latency);
            }
            PopulationStrategy::Maker { count, spec } => {
                let mut spec = *spec;
                if !scenario.mechanisms.has(Mechanism::MakerWithdrawal) {
                    spec.withdrawal = None;
                }
                if !scenario.mechanisms.has(Mechanism::Hedging) {
                    spec.hedge = None;
                }
                for index in 0..*count {
                    let account = self.open(spec.ladder.market, MarginMode::Unmargined);
                    let agent = Strategy::Maker(Maker::new(spec, account));
                    self.push(agent, &name, seed, u64::from(index), population.latency);
                }
            }
            PopulationStrategy::Arbitrageur { count, spec } => {
                // They are there without the mechanism too, with nothing that they may hold, so that accounts keep their numbers.
                let limit = if scenario.mechanisms.has(Mechanism::Arbitrage) { spec.limit } else { 0.0 };
                let spec = ArbitrageurSpec { limit, ..*spec };
                for index in 0..*count {
                    let account = self.open(spec.perpetual, MarginMode::Unmargined);
                    let agent = Strategy::Arbitrageur(Arbitrageur::new(spec, account));
                    self.push(agent, &name, seed, u64::from(index), population.latency);
                }
            }
            PopulationStrategy::Retail { spec, seeding } => {
                let first = self.open_many(spec.market, spec.accounts);
                let mut rng = seed.stream(&format!("{name}.seeding")).sequence();
                let habits = seed.stream(&format!("{name}.habits"));
                let mut spec = spec.clone();
                if !scenario.mechanisms.has(Mechanism::StopLoss) {
                    spec.exits.stop_loss = None;
                }
                let hedger = hedgers[spec.market.index()];
                let rules = (seeding, scenario.adaptation);
                let exits = self.seed_retail(&spec, rules, first, hedger, (&mut rng, habits), observer);
                let mut agent = Retail::new(spec, first, seed.stream(&name), habits).with_exits(exits);
                if !scenario.mechanisms.has(Mechanism::Panic) {
                    agent = agent.without_panic();
                }
                self.push(Strategy::Retail(agent), &name, seed, 0, population.latency);
            }
            PopulationStrategy::Fundamentalist(spec) => {
                let first = self.open_funded(spec.market, spec.accounts, spec.capital, observer);
                let traits = seed.stream(&format!("{name}.traits"));
                let agent = Strategy::Fundamentalist(Fundamentalist::new(*spec, first, traits));
                self.push(agent, &name, seed, 0, population.latency);
            }
            PopulationStrategy::TrendFollower(spec) => {
                let first = self.open_funded(spec.market, spec.accounts, spec.capital, observer);
                let traits = seed.stream(&format!("{name}.traits"));
                let agent = Strategy::TrendFollower(TrendFollower::new(*spec, first, traits));
                self.push(agent, &name, seed, 0, population.latency);
            }
            PopulationStrategy::Holder(spec) => {
                let issuer = self.open(spec.market, MarginMode::Unmargined);
                self.push(Strategy::Holder(Holder), &format!("{name}.issuer"), seed, 0, AT_ONCE);
                let first = self.open_many(spec.market, spec.accounts);
                let mut rng = seed.stream(&format!("{name}.seeding")).sequence();
                self.endow_holders(spec, first, issuer, &mut rng, observer);
                let agent = Strategy::SpotHolder(SpotHolder::new(*spec, first));
                self.push(agent, &name, seed, 0, population.latency);
            }
        }
    }

    /// Gives holders their coins, which the issuer owes, and the cash beside them.
    fn endow_holders<O: Observer>(
        &mut self,
        spec: &SpotHolderSpec,
        first: AccountId,
        issuer: AccountId,
        rng: &mut Rng,
        observer: &mut O,
    ) {
        let market = &self.world.spec.markets[spec.market.index()];
        let lot_value = market.contract.notional(market.initial_price, Qty(1)).0 as f64;
        let cash_a_lot = lot_value * spec.cash_share / (1.0 - spec.cash_share);
        for index in 0..spec.accounts {
            let account = AccountId(first.0 + index);
            let lots = libm::rint(spec.lots.sample(rng).min(spec.lots_cap));
            let (world, mut emit) = self.parts(observer);
            world.deposit(account, Money(libm::rint(lots * cash_a_lot) as i64), &mut emit);
            if lots >= 1.0 {
                world.endow_coins(account, issuer, spec.market, Qty(lots as i64), &mut emit);
            }
        }
    }

    /// Opens accounts with the same capital in whole units of the settlement asset.
    fn open_funded<O: Observer>(
        &mut self,
        market: MarketId,
        accounts: u32,
        capital: f64,
        observer: &mut O,
    ) -> AccountId {
        let first = self.open_many(market, accounts);
        let capital = self.to_money(market, capital);
        for index in 0..accounts {
            let (world, mut emit) = self.parts(observer);
            world.deposit(AccountId(first.0 + index), capital, &mut emit);
        }
        first
    }

    fn open_many(&mut self, market: MarketId, accounts: u32) -> AccountId {
        let first = AccountId(self.world.accounts.len() as u32);
        for _ in 0..accounts {
            self.open(market, MarginMode::Isolated);
        }
        first
    }

    /// Converts whole units of the settlement asset into money.
    fn to_money(&self, market: MarketId, units: f64) -> Money {
        let venue = self.world.spec.markets[market.index()].venue;
        let asset = self.world.spec.venues[venue.index()].settlement;
        Money(libm::rint(units * self.world.spec.assets[asset.index()].units_per_coin as f64) as i64)
    }

    /// Opens an account for each stated position.
    fn seed_explicit<O: Observer>(&mut self, scenario: &Scenario, hedgers: &[AccountId], observer: &mut O) {
        for position in &scenario.positions {
            // Stated positions belong to the hedgers' agent of their market, which does nothing with them.
            let venue = self.world.spec.markets[position.market.index()].venue;
            let owner = self.world.accounts.get(hedgers[position.market.index()]).owner;
            let account = self.world.accounts.open(venue, owner, MarginMode::Isolated);
            let (world, mut emit) = self.parts(observer);
            world.deposit(account, position.margin + position.cash, &mut emit);
            let seed = SeedPosition {
                account,
                counterparty: hedgers[position.market.index()],
                market: position.market,
                lots: position.lots,
                entry: position.entry,
                leverage: 1,
                margin: position.margin,
            };
            world.seed_position(&seed, &mut emit);
        }
    }

    fn add_shocks<O: Observer>(&mut self, scenario: &Scenario, seed: Seed, observer: &mut O) {
        for (index, shock) in scenario.shocks.iter().enumerate() {
            match shock.kind {
                ShockKind::MetaOrder(spec) => {
                    // Its own, as for passive positions.
                    let counterparty =
                        (!spec.closes.is_zero()).then(|| self.open(spec.market, MarginMode::Unmargined));
                    let account = self.open(spec.market, MarginMode::Unmargined);
                    // The other market may be another venue's.
                    let other = spec.also.map(|(market, _)| self.open(market, MarginMode::Unmargined));
                    let accounts = [account, other.unwrap_or(account)];
                    if let Some(counterparty) = counterparty {
                        let held = spec.closes.signed(spec.side.opposite());
                        self.seed_unmargined(account, counterparty, spec.market, held, observer);
                    }
                    let agent = Strategy::MetaOrder(MetaOrder::new(spec, accounts));
                    self.push(agent, &format!("shocks.{}", shock.name), seed, 0, AT_ONCE);
                }
                // A jump of nothing is not an event.
                ShockKind::FundamentalJump { at, bps, .. } if bps != 0.0 => {
                    self.queue.push(at, Item::Shock(index as u32));
                }
                ShockKind::FundamentalJump { .. } => {}
            }
        }
        self.shocks.clone_from(&scenario.shocks);
    }

    /// Adds the desks that unload what funds took over.
    fn add_fund_desks(&mut self, scenario: &Scenario, seed: Seed) {
        for (index, market) in scenario.world.markets.iter().enumerate() {
            let venue = market.venue.index();
            if let (Some(spec), false) = (scenario.unloading[venue], market.contract.is_spot()) {
                let account = self.world.fund_accounts[venue];
                let agent = Strategy::FundDesk(FundDesk::new(spec, MarketId(index as u16), account));
                self.push(agent, "fund-desks", seed, index as u64, AT_ONCE);
            }
        }
    }

    fn add_fundamentals(&mut self, scenario: &Scenario, seed: Seed) {
        self.fundamentals.clone_from(&scenario.fundamentals);
        for (index, spec) in scenario.fundamentals.iter().enumerate() {
            // Markets of one coin hear the same news.
            let coin = scenario.world.markets[index].base;
            let name = &scenario.world.assets[coin.index()].name;
            self.fundamental_streams.push(seed.stream(&format!("fundamentals.{name}")));
            self.fundamental_moves.push(0);
            if spec.volatility > 0.0 {
                self.queue.push(self.now + spec.step, Item::Fundamental(MarketId(index as u16)));
            }
        }
    }

    /// Sets the clocks of the markets that are observed. They tick at whole multiples from time zero on.
    fn add_observations(&mut self) {
        for (index, market) in self.world.spec.markets.iter().enumerate() {
            if market.index.is_some() || market.volatility_half_life > Time::ZERO {
                let behind = Time(self.now.0.rem_euclid(OBSERVED_EVERY.0));
                self.queue.push(self.now - behind + OBSERVED_EVERY, Item::Observe(MarketId(index as u16)));
            }
        }
    }

    /// Returns the number of agents, those of the timeline included.
    pub fn agents(&self) -> usize {
        self.agents.len()
    }
}
