//! Rule W1: a crowd that wakes at random, one message a wake-up, under a margin engine that looks at every position after
//! every message.
//!
//! Each wake-up sends one message: 15 % a market order, 40 % a cancel of a uniformly random own order (a limit order if there
//! is none), else a limit order at mid -/+ (1 + Exp(20)) ticks; random side, quantity 1-10. Every account holds a leveraged
//! isolated position from the start, every second one short, against an unmargined holder of the other side.

use firesale::agents::{Actions, Decide, View, Wake};
use firesale::clearing::waterfall::AdlRank;
use firesale::clearing::{
    Brackets, Breach, Contract, LiquidationStyle, MarginMode, Reason, Stage, initial_margin,
};
use firesale::engine::Simulation;
use firesale::event::Emit;
use firesale::market::{BookSpec, OrderType, SelfTrade, TimeInForce};
use firesale::rng::{Rng, Seed};
use firesale::sampling::{Distribution, Exponential, below};
use firesale::scenario::Latency;
use firesale::units::{
    AccountId, AssetId, MarketId, Money, OrderId, Position, Price, Qty, Rate, Side, Time, VenueId,
};
use firesale::world::{
    AssetSpec, FeeSchedule, LiquidationRules, MarkRule, MarketSpec, Order, Safeguards, SeedPosition,
    Switches, VenueSpec, World, WorldSpec,
};
use rust_decimal::Decimal;

pub(crate) const MARKET: MarketId = MarketId(0);
const START: Price = Price(10_000);
/// Units of money in a USD.
const USD: i64 = 1_000_000;
/// Every trade has a taker who pays a fee.
pub(crate) const TRADES: Reason = Reason::TakerFee;
/// Every liquidation that closed anything pays a fee, if anything is left to pay it.
pub(crate) const LIQUIDATIONS: Reason = Reason::LiquidationFee;
/// Wake-ups of an account in a second of simulated time.
const RATE: f64 = 1.0;

/// How large a crowd is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Accounts that trade.
    pub(crate) active: u32,
    /// Accounts that hold a leveraged position and never trade.
    pub(crate) idle: u32,
}

/// All accounts of the crowd on one clock.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    rule: Rule,
    /// A crowd on one clock draws from one sequence: nobody else's draws could move when its wake-ups do.
    rng: Rng,
    /// The next two messages: an account is fetched two wake-ups ahead, and its order one ahead.
    ahead: [Word; 2],
}

/// What the crowd draws from.
#[derive(Clone, Debug)]
struct Rule {
    first: AccountId,
    accounts: u32,
    wait: Exponential,
    distance: Exponential,
}

/// 63 bits of a generator, for several choices: what each leaves over is uniform again. Accounts, messages and own orders
/// together are far fewer than there are values.
#[derive(Clone, Copy, Debug)]
struct Word(u64);

impl Word {
    /// Draws who, what and which at once.
    fn draw(rng: &mut Rng) -> Self {
        Self(below(1 << 63, rng) << 1)
    }

    /// Draws an integer below `n`, by multiplication.
    fn below(&mut self, n: u64) -> u64 {
        let product = u128::from(self.0) * u128::from(n);
        self.0 = product as u64;
        (product >> 64) as u64
    }
}

/// What one number says of a message: kind, side and quantity.
#[derive(Clone, Copy)]
struct Draw {
    percent: u64,
    side: Side,
    qty: Qty,
}

impl Draw {
    /// How many there are.
    const COUNT: u64 = 100 * 2 * 10;

    fn new(number: u64) -> Self {
        let (percent, rest) = (number.div_euclid(20), number.rem_euclid(20));
        let side = if rest < 10 { Side::Buy } else { Side::Sell };
        Self { percent, side, qty: Qty(1 + (rest % 10) as i64) }
    }
}

impl Rule {
    /// Sends a limit order.
    #[allow(clippy::inline_always, reason = "half of all messages are limit orders")]
    #[inline(always)]
    fn limit(&self, account: AccountId, draw: Draw, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        let distance = 1 + self.distance.sample(rng) as i64;
        // Half ticks go to the far side.
        let twice = view.mid_twice(MARKET);
        let mid = match draw.side {
            Side::Buy => twice >> 1,
            Side::Sell => (twice + 1) >> 1,
        };
        let price = Price((mid - draw.side.sign() * distance).max(1));
        let order_type = OrderType::Limit { price, tif: TimeInForce::Gtc };
        actions.submit(order(account, draw, order_type));
    }

    /// Returns whom a word is about, and what is left of it.
    #[inline]
    fn account(&self, mut word: Word) -> (AccountId, Word) {
        let index = word.below(u64::from(self.accounts)) as u32;
        (AccountId(self.first.0 + index), word)
    }

    #[inline]
    fn message(&self, word: Word, view: &View<'_>, rng: &mut Rng, actions: &mut Actions) {
        let (account, mut word) = self.account(word);
        let draw = Draw::new(word.below(Draw::COUNT));
        match draw.percent {
            0..15 => {
                actions.submit(order(account, draw, OrderType::Market { worst: None }));
                return;
            }
            15..55 => {
                // A uniformly random own order.
                let pick = |count| word.below(count as u64) as usize;
                if let Some((id, place)) = view.pick_open_order(account, MARKET, pick) {
                    actions.cancel_at(account, MARKET, id, place);
                    return;
                }
            }
            _ => {}
        }
        self.limit(account, draw, view, rng, actions);
    }
}

fn order(account: AccountId, draw: Draw, order_type: OrderType) -> Order {
    let Draw { side, qty, .. } = draw;
    let (market, id) = (MARKET, OrderId(0));
    Order { account, market, id, side, qty, order_type, reduce_only: false, leverage: 10, trigger: None }
}

impl Decide for Crowd {
    #[inline]
    fn decide(&mut self, wake: Wake, view: &View<'_>, _rng: &mut Rng, actions: &mut Actions) {
        let Self { rule, rng, ahead } = self;
        if wake == Wake::Start {
            for index in 0..rule.accounts {
                for _ in 0..2 {
                    let draw = Draw::new(below(Draw::COUNT, rng));
                    rule.limit(AccountId(rule.first.0 + index), draw, view, rng, actions);
                }
            }
        } else {
            let word = ahead[0];
            *ahead = [ahead[1], Word::draw(rng)];
            view.fetch_order(rule.account(ahead[0]).0, MARKET);
            view.fetch_account(rule.account(ahead[1]).0);
            rule.message(word, view, rng, actions);
        }
        actions.wake_after(Time::from_secs_f64(rule.wait.sample(rng)));
    }

    fn draws(&self) -> bool {
        false
    }
}

fn spec() -> WorldSpec {
    let brackets =
        [(0, 5_000_000, 100), (1_000_000, 10_000_000, 50)].map(|(f, m, l)| (Money(f * USD), Rate(m), l));
    WorldSpec {
        assets: ["COIN", "USD"].map(|name| AssetSpec { name: name.to_owned(), units_per_coin: USD }).to_vec(),
        venues: vec![VenueSpec {
            name: "exchange".to_owned(),
            settlement: AssetId(1),
            fees: FeeSchedule { maker: Rate(200_000), taker: Rate(500_000) },
            liquidation: LiquidationRules {
                breach: Breach::Below,
                style: LiquidationStyle::IocToBankruptcy,
                fee: Rate(10_000_000),
                waterfall: vec![Stage::InsuranceFund, Stage::AutoDeleverage],
                rank: AdlRank::Bitmex,
            },
            insurance_fund: Money(1_000_000_000 * USD),
        }],
        markets: vec![MarketSpec {
            name: "COIN-PERP".to_owned(),
            venue: VenueId(0),
            base: AssetId(0),
            // A tick of 0.1 USD times a lot of 0.01 coins.
            contract: Contract::Linear { unit: 1_000 },
            tick: Decimal::new(1, 1),
            lot: Decimal::new(1, 2),
            initial_price: START,
            mark: MarkRule::Median,
            brackets: Brackets::new(&brackets, Money(100_000_000 * USD)),
            book: BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 },
            index: None,
            funding: None,
            volatility_half_life: Time::ZERO,
            volatility_horizon: Time::ZERO,
            safeguards: Safeguards::default(),
        }],
    }
}

/// Builds the world, everybody's position and the resting book.
pub(crate) fn simulation(size: Size, seed: Seed) -> Simulation<Crowd> {
    let spec = spec();
    let switches = Switches { forced_liquidation: true, insurance_fund: true, adl: true };
    let mut simulation = Simulation::<Crowd>::empty(World::new(spec.clone(), switches), Time::ZERO);
    let agent = simulation.next_agent();
    let world = simulation.world_mut();
    let mut seq = 0;
    let mut emit = Emit { seq: &mut seq, time: Time::ZERO, cause: 0, observer: &mut () };
    world.endow_fund(VenueId(0), spec.venues[0].insurance_fund, &mut emit);
    let holder = world.accounts.open(VenueId(0), agent, MarginMode::Unmargined);
    let first = AccountId(holder.0 + 1);
    let mut rng = seed.stream("positions").sequence();
    for index in 0..size.active + size.idle {
        let account = world.accounts.open(VenueId(0), agent, MarginMode::Isolated);
        world.deposit(account, Money(100_000 * USD), &mut emit);
        let lots = Position(if index % 2 == 0 { 1 } else { -1 } * (50 + below(100, &mut rng) as i64));
        let leverage = [2, 5, 10, 20, 50, 100][below(6, &mut rng) as usize];
        // Opened in the past at prices around today's, all of them within what their margin bears.
        let entry = Price(START.0 + below(101, &mut rng) as i64 - 50);
        let notional = spec.markets[0].contract.notional(entry, lots.size());
        world.seed_position(
            &SeedPosition {
                account,
                counterparty: holder,
                market: MARKET,
                lots,
                entry,
                leverage,
                margin: initial_margin(notional, leverage),
            },
            &mut emit,
        );
    }
    let rule = Rule {
        first,
        accounts: size.active,
        wait: Exponential::new(RATE * f64::from(size.active)),
        distance: Exponential::new(1.0 / 20.0),
    };
    let mut rng = seed.stream("crowd").sequence();
    let crowd = Crowd { rule, ahead: [Word::draw(&mut rng), Word::draw(&mut rng)], rng };
    let at_once = Latency { base: Time::ZERO, jitter: Time::ZERO };
    simulation.add_agent(crowd, seed.stream("crowd"), seed.stream("crowd.delays"), 0, at_once);
    simulation.start(&mut ());
    simulation
}

/// What the book has set aside, which no allocator knows of.
pub(crate) fn book_bytes(simulation: &Simulation<Crowd>) -> usize {
    simulation.world().market(MARKET).book.bytes()
}

/// Runs on for about so many messages.
pub(crate) fn run(simulation: &mut Simulation<Crowd>, size: Size, messages: u64) {
    let seconds = messages as f64 / (RATE * f64::from(size.active));
    simulation.step_until(simulation.now() + Time::from_secs_f64(seconds), &mut ());
}
