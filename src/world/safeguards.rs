//! What a venue may add to a market's rules to keep it orderly, and where it acts on orders: price bands and halts. Which
//! price a band is around and what waits in a halt is decided here; how far and how long, in `market`.

use super::{Order, World};
use crate::clearing::Brackets;
use crate::event::{Emit, Event, Observer, Refusal};
use crate::market::{BeyondBand, Book, HaltRule, OrderType, PriceBand};
use crate::units::{MarketId, Money, Price, Side, Time};

/// The rules that a market has beside its own; none by default.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Safeguards {
    /// The brackets that the market had before a rule was put on them; `None` where there is none.
    pub own_brackets: Option<Brackets>,
    /// How the highest leverage falls when the market moves.
    pub volatility_margin: Option<VolatilityMargin>,
    /// How far orders may trade from the index, or from the mark where there is none.
    pub price_band: Option<PriceBand>,
    /// When trading stops.
    pub halt: Option<HaltRule>,
}

impl Safeguards {
    /// Tells whether orders have to be looked at before they go to the book.
    pub(super) fn guard_orders(&self) -> bool {
        self.price_band.is_some() || self.halt.is_some()
    }
}

/// Initial margin that rises with volatility: the rate at the highest leverage is multiplied, so the highest leverage is divided,
/// by volatility over a reference. It is asked of new exposure alone; maintenance stays, so that nobody is liquidated by it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct VolatilityMargin {
    /// Volatility up to which nothing is asked for, in the terms of `Reference::volatility`, above 0.
    pub reference: f64,
    /// Most that the rate is multiplied by, at least 1.
    pub cap: f64,
}

impl VolatilityMargin {
    /// Returns the highest leverage that is left of one.
    pub fn left(&self, leverage: u16, volatility: f64) -> u16 {
        let multiplier = (volatility / self.reference).clamp(1.0, self.cap);
        (libm::floor(f64::from(leverage) / multiplier) as u16).max(1)
    }
}

impl World {
    /// Returns the highest leverage at which a position of this notional may be opened now.
    pub fn max_leverage(&self, market: MarketId, notional: Money) -> u16 {
        let spec = &self.spec.markets[market.index()];
        self.by_volatility(market, spec.brackets.bracket(notional).max_leverage)
    }

    /// Returns the highest leverage that is on offer at all now where a rule has been put on the brackets; without one there is
    /// no limit but theirs.
    pub fn leverage_on_offer(&self, market: MarketId) -> u16 {
        let spec = &self.spec.markets[market.index()];
        let Safeguards { own_brackets, volatility_margin, .. } = &spec.safeguards;
        if own_brackets.is_none() && volatility_margin.is_none() {
            return u16::MAX;
        }
        self.by_volatility(market, spec.brackets.rows()[0].max_leverage)
    }

    fn by_volatility(&self, market: MarketId, leverage: u16) -> u16 {
        let rule = self.spec.markets[market.index()].safeguards.volatility_margin;
        rule.map_or(leverage, |rule| rule.left(leverage, self.market(market).reference.volatility()))
    }

    /// Tells whether nothing trades in a market now.
    #[inline]
    pub fn is_halted(&self, market: MarketId, now: Time) -> bool {
        self.markets[market.index()].breaker.is_halted(now)
    }

    /// Hears that a mark has moved, and says so if its market is halted for it.
    pub(super) fn watch_mark<O: Observer>(
        &mut self,
        market: MarketId,
        from: Option<Price>,
        to: Price,
        emit: &mut Emit<'_, O>,
    ) {
        let rule = self.spec.markets[market.index()].safeguards.halt;
        // A book that is being built moves the mark at every order.
        if let (Some(rule), Some(from), true) = (rule, from, self.opened) {
            let breaker = &mut self.markets[market.index()].breaker;
            if breaker.hear(&rule, emit.time, from, to) {
                let until = breaker.until();
                self.halted_until = self.halted_until.max(until);
                emit.say(Event::Halted { market, until });
            }
        }
    }

    /// Returns what goes to the book of an order, or why nothing does. One that waits for a trigger is measured when it goes.
    pub(super) fn guard(&self, order: &Order, now: Time) -> Result<Order, Refusal> {
        if self.is_halted(order.market, now) {
            return Err(Refusal::Halted);
        }
        let band = self.spec.markets[order.market.index()].safeguards.price_band;
        let (Some(band), None) = (band, order.trigger) else { return Ok(*order) };
        let border = self.border(&band, order.market, order.side);
        let order_type = order.order_type.within(order.side, border);
        let book = &self.market(order.market).book;
        if band.beyond == BeyondBand::Reject
            && order_type != order.order_type
            && book.depth_to(order.side.opposite(), border) < order.qty
        {
            return Err(Refusal::BeyondBand);
        }
        Ok(Order { order_type, ..*order })
    }

    /// Returns a forced order with no worse price than the band lets it have; it is never refused.
    pub(super) fn within_band(&self, market: MarketId, side: Side, order_type: OrderType) -> OrderType {
        match self.spec.markets[market.index()].safeguards.price_band {
            Some(band) => order_type.within(side, self.border(&band, market, side)),
            None => order_type,
        }
    }

    fn border(&self, band: &PriceBand, market: MarketId, side: Side) -> Price {
        let index = self.market(market).reference.index;
        band.border(side, index.unwrap_or_else(|| self.mark(market).0 as f64))
    }
}
