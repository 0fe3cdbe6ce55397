//! Where the liquidation index has a position: no farther from the mark than its trigger.
#![allow(
    clippy::inline_always,
    reason = "it is asked after every trade, with rules that its caller has at hand"
)]

use super::{MarketSpec, VenueSpec};
use crate::clearing::{
    Accounts, LiquidationIndex, LiquidationTrigger, MarginMode, OpenPosition, PositionId, TriggerIndex,
    liquidation,
};
use crate::units::Price;

/// Returns the trigger that a position should have: none for unmargined accounts and flat positions.
pub(super) fn trigger(
    market: &MarketSpec,
    venue: &VenueSpec,
    position: &OpenPosition,
) -> Option<LiquidationTrigger> {
    let side = position.lots.side()?;
    if market.contract.is_spot() {
        return None;
    }
    let tick = liquidation::trigger(market.contract, &market.brackets, venue.liquidation.breach, position)?;
    Some(LiquidationTrigger { side, tick })
}

/// Sees to it that the index has a position where a mark comes by no later than at its trigger.
#[inline(always)]
pub(super) fn reindex(
    accounts: &mut Accounts,
    triggers: &mut TriggerIndex,
    rules: (&MarketSpec, &VenueSpec),
    marks: &[Option<Price>],
    id: PositionId,
) {
    if !waits(accounts.position(id), rules) {
        move_on(accounts, triggers, rules, marks, id);
    }
}

/// Tells whether the index may leave a position where it has it. After most trades it may: a position waits somewhat ahead
/// of its trigger, and has to be moved only if it would be liquidated there already. Whoever finds it in the way of the mark
/// asks for its trigger ([`World::next_due`]).
#[inline(always)]
pub(super) fn waits(position: &OpenPosition, (market, venue): (&MarketSpec, &VenueSpec)) -> bool {
    let breach = venue.liquidation.breach;
    position.mode != MarginMode::Isolated
        || position.bound().is_some_and(|bound| {
            position.lots.side() == Some(bound.side)
                && !liquidation::is_breached(market.contract, &market.brackets, breach, position, bound.tick)
        })
}

/// Moves a position in the index to where it is to wait now.
#[inline(never)]
pub(super) fn move_on(
    accounts: &mut Accounts,
    triggers: &mut TriggerIndex,
    (market, venue): (&MarketSpec, &VenueSpec),
    marks: &[Option<Price>],
    id: PositionId,
) {
    let position = accounts.position(id);
    let mark = marks[position.market.index()];
    let trigger = trigger(market, venue, position);
    relocate(accounts, triggers, id, trigger.map(|trigger| trigger.ahead_of(mark)));
}

/// Moves a position in the index.
#[inline(never)]
pub(super) fn relocate(
    accounts: &mut Accounts,
    triggers: &mut TriggerIndex,
    id: PositionId,
    to: Option<LiquidationTrigger>,
) {
    let position = accounts.position(id);
    triggers.relocate(position.market, id, position.bound(), to);
    accounts.set_bound(id, to);
}
