//! Contracts: what a position at a price is worth. Nothing about who holds it.
#![allow(clippy::inline_always, reason = "a call costs as much as what these do")]

use crate::units::{Money, Position, Price, Qty, Rounding, div_round};

/// What a trade is about: the payoff of a perpetual, or coins against cash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contract {
    /// Quoted and settled in the same asset: worth `unit * price * lots`, exactly.
    Linear {
        /// Money per tick and lot, in the smallest unit of the settlement asset.
        unit: i64,
    },
    /// Quoted in a currency and settled in the coin: worth `-face * lots / price`, rounded down to the smallest unit
    /// of the coin for the buyer, the seller booking the same integer.
    Inverse {
        /// Money of the settlement coin times ticks, per lot.
        face: i64,
    },
    /// Coins themselves, paid for at once: a holding of `lots` is worth `unit * price * lots` and has no cost.
    Spot {
        /// Money per tick and lot, in the smallest unit of the settlement asset.
        unit: i64,
    },
}

impl Contract {
    /// Returns what the buyer of `qty` lots at `price` takes into cost; the seller takes the negative of it.
    ///
    /// # Panics
    /// Panics if the value does not fit 64 bits: prices and quantities are range-checked where they enter.
    #[inline(always)]
    pub fn value(self, price: Price, qty: Qty) -> Money {
        match self {
            Self::Linear { unit } | Self::Spot { unit } => Money(unit * price.0 * qty.0),
            Self::Inverse { face } => {
                Money(div_round(-i128::from(face) * i128::from(qty.0), i128::from(price.0), Rounding::Floor))
            }
        }
    }

    /// Returns the value of a signed position at `price`: what closing it there would take out of cost.
    #[inline]
    pub fn position_value(self, price: Price, lots: Position) -> Money {
        let value = self.value(price, lots.size());
        if lots.0 < 0 { -value } else { value }
    }

    /// Returns the size of a position in money, or `None` if it does not fit 64 bits.
    #[inline(always)]
    pub fn checked_notional(self, price: Price, qty: Qty) -> Option<Money> {
        match self {
            Self::Linear { unit } | Self::Spot { unit } => {
                Some(Money(unit.checked_mul(price.0)?.checked_mul(qty.0)?))
            }
            Self::Inverse { .. } => Some(self.notional(price, qty)),
        }
    }

    /// Tells whether trades are paid for at once.
    #[inline]
    pub const fn is_spot(self) -> bool {
        matches!(self, Self::Spot { .. })
    }

    /// Returns the size of a position in money, never negative.
    #[inline]
    pub fn notional(self, price: Price, qty: Qty) -> Money {
        Money(self.value(price, qty).0.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_contract_is_worth_price_times_size() {
        // 0.1 USDT tick, 0.001 BTC lot: 100 units of 1e-6 USDT a tick and lot; 1.5 BTC at 66,740.0.
        let contract = Contract::Linear { unit: 100 };
        assert_eq!(contract.value(Price(667_400), Qty(1_500)), Money(100_110_000_000));
        assert_eq!(contract.position_value(Price(667_400), Position(-1_500)), Money(-100_110_000_000));
    }

    #[test]
    fn an_inverse_long_gains_when_the_price_rises() {
        // 100 USD a contract, 0.5 USD tick, settled in 1e-8 BTC: face = 100 / 0.5 * 1e8.
        let contract = Contract::Inverse { face: 20_000_000_000 };
        let entry = contract.value(Price(20_000), Qty(100));
        let exit = contract.value(Price(25_000), Qty(100));
        // 10,000 USD bought at 10,000 and sold at 12,500: 1 - 0.8 = 0.2 BTC.
        assert_eq!(exit - entry, Money(20_000_000));
        assert_eq!(contract.notional(Price(20_000), Qty(100)), Money(100_000_000));
    }
}
