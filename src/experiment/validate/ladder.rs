//! Worlds that a law can be read off: one market without fees, a ladder of single orders, longs with stated triggers.

use crate::clearing::waterfall::AdlRank;
use crate::clearing::{Brackets, Breach, Contract, LiquidationStyle};
use crate::market::BookSpec;
use crate::mechanisms::{FundamentalSpec, Mechanisms};
use crate::scenario::{Adaptation, BookLevel, ExplicitPosition, Scenario, Shock, ShockKind};
use crate::units::{AssetId, MarketId, Money, Position, Price, Qty, Rate, Side, Time, VenueId};
use crate::world::{
    AssetSpec, FeeSchedule, LiquidationRules, MarkRule, MarketSpec, Safeguards, VenueSpec, WorldSpec,
};

pub(super) const MARKET: MarketId = MarketId(0);

/// Lots of every bid and every long; more than one, so that a partial fill would show.
pub(super) const SIZE: i64 = 10;

/// Money a tick and lot.
const UNIT: i64 = 100;

/// Maintenance margin, 1 %: with `UNIT` times `SIZE` it is a whole number of money at every tick, so that equity can meet
/// it exactly.
const MAINTENANCE: Rate = Rate(10_000_000);

/// Returns a market without fees, orders and people. Money is in millionths, `initial` in ticks.
pub(super) fn bare(initial: Price, mark: MarkRule) -> Scenario {
    let venue = VenueSpec {
        name: "venue".to_owned(),
        settlement: AssetId(0),
        fees: FeeSchedule { maker: Rate::ZERO, taker: Rate::ZERO },
        liquidation: LiquidationRules {
            breach: Breach::Below,
            style: LiquidationStyle::Market,
            fee: Rate::ZERO,
            waterfall: Vec::new(),
            rank: AdlRank::Bitmex,
        },
        insurance_fund: Money::ZERO,
    };
    let market = MarketSpec {
        name: "market".to_owned(),
        venue: VenueId(0),
        base: AssetId(1),
        contract: Contract::Linear { unit: UNIT },
        tick: rust_decimal::Decimal::ONE,
        lot: rust_decimal::Decimal::ONE,
        initial_price: initial,
        mark,
        brackets: Brackets::new(&[(Money::ZERO, MAINTENANCE, 100)], Money(i64::MAX)),
        book: BookSpec::default(),
        index: None,
        funding: None,
        volatility_half_life: Time::ZERO,
        volatility_horizon: Time::ZERO,
        safeguards: Safeguards::default(),
    };
    let asset = |name: &str| AssetSpec { name: name.to_owned(), units_per_coin: 1_000_000 };
    Scenario {
        name: "validate".to_owned(),
        title: String::new(),
        start: jiff::Timestamp::UNIX_EPOCH,
        duration: Time::SECOND,
        burn_in: Time::ZERO,
        sample_every: Time::SECOND,
        world: WorldSpec {
            assets: vec![asset("money"), asset("thing")],
            venues: vec![venue],
            markets: vec![market],
        },
        unloading: vec![None],
        passive: vec![Qty::ZERO],
        fundamentals: vec![FundamentalSpec { volatility: 0.0, step: Time::SECOND }],
        levels: Vec::new(),
        populations: Vec::new(),
        positions: Vec::new(),
        shocks: Vec::new(),
        adaptation: Adaptation::default(),
        mechanisms: Mechanisms::default(),
        counterfactuals: Vec::new(),
    }
}

/// Returns a resting order.
pub(super) fn level(side: Side, price: Price, lots: i64) -> BookLevel {
    BookLevel { market: MARKET, side, price, qty: Qty(lots) }
}

/// Returns a position whose margin is its whole value: leverage 1.
pub(super) fn fully_funded(scenario: &Scenario, lots: Position) -> ExplicitPosition {
    let spec = &scenario.world.markets[MARKET.index()];
    let margin = spec.contract.notional(spec.initial_price, lots.size());
    ExplicitPosition { market: MARKET, lots, entry: spec.initial_price, margin, cash: Money::ZERO }
}

/// Returns a long, opened at the initial price, whose equity *is* the maintenance margin one tick above `trigger` and less
/// than it at `trigger`.
pub(super) fn long_due_at(scenario: &Scenario, trigger: Price) -> ExplicitPosition {
    let spec = &scenario.world.markets[MARKET.index()];
    let (entry, lots) = (spec.initial_price, Position(SIZE));
    let last_safe = spec.contract.value(Price(trigger.0 + 1), lots.size());
    let margin = spec.contract.value(entry, lots.size()) - last_safe + spec.brackets.maintenance(last_safe);
    assert!(margin > Money::ZERO, "a trigger below the entry needs a margin");
    ExplicitPosition { market: MARKET, lots, entry, margin, cash: Money::ZERO }
}

/// Returns a parent order that is worked off at market: a slice a second over `seconds`, or all at once at zero.
pub(super) fn meta_order(side: Side, lots: i64, at: Time, seconds: i64) -> Shock {
    Shock {
        name: "sale".to_owned(),
        kind: ShockKind::MetaOrder(crate::agents::MetaOrderSpec {
            market: MARKET,
            side,
            qty: Qty(lots),
            also: None,
            at,
            duration: Time(seconds * Time::SECOND.0),
            slice_every: Time::SECOND,
            closes: Qty::ZERO,
        }),
    }
}

/// Returns a jump of the fundamental value.
pub(super) fn jump(at: Time, bps: f64) -> Shock {
    Shock { name: "jump".to_owned(), kind: ShockKind::FundamentalJump { market: MARKET, at, bps } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::liquidation::{is_breached, trigger};
    use crate::clearing::{Accounts, MarginMode, OpenPosition};
    use crate::units::AgentId;

    fn opened(scenario: &Scenario, stated: &ExplicitPosition) -> OpenPosition {
        let mut accounts = Accounts::new(1);
        let account = accounts.open(VenueId(0), AgentId(0), MarginMode::Isolated);
        let id = accounts.find_or_open(account, MARKET);
        let cost = scenario.world.markets[0].contract.position_value(stated.entry, stated.lots);
        accounts.add_lots(id, stated.lots, cost);
        accounts.add_margin(id, stated.margin);
        *accounts.position(id)
    }

    /// The planted bug must move every trigger by one tick and do nothing else.
    #[test]
    fn a_long_is_due_at_its_tick_and_with_the_planted_bug_exactly_one_earlier() {
        let scenario = bare(Price(1_000_000), MarkRule::BestBid);
        let rules = &scenario.world.markets[0];
        for tick in [999_999, 999_998, 990_001, 980_000] {
            let long = opened(&scenario, &long_due_at(&scenario, Price(tick)));
            let at = |breach| trigger(rules.contract, &rules.brackets, breach, &long);
            assert_eq!(at(Breach::Below), Some(Price(tick)));
            assert_eq!(at(Breach::AtOrBelow), Some(Price(tick + 1)));
            assert!(!is_breached(rules.contract, &rules.brackets, Breach::Below, &long, Price(tick + 1)));
        }
    }
}
