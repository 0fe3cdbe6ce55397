//! Price bands: how far from a reference an order may trade. What the reference is, the venue says.

use super::OrderType;
use crate::units::{Price, Side};

/// What becomes of an order that would trade beyond a band.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BeyondBand {
    /// It trades up to the border; what is left rests there or is cancelled, as its kind has it.
    Clip,
    /// It is refused whole.
    Reject,
}

/// How far from a reference an order may trade.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PriceBand {
    /// Share of the reference, above 0 and below 1.
    pub reach: f64,
    /// What becomes of an order that would trade beyond it.
    pub beyond: BeyondBand,
}

impl PriceBand {
    /// Returns the worst price that an order of a side may trade at: the last tick within the band, at least 1.
    pub fn border(&self, side: Side, reference: f64) -> Price {
        let border = match side {
            Side::Buy => libm::floor(reference * (1.0 + self.reach)),
            Side::Sell => libm::ceil(reference * (1.0 - self.reach)),
        };
        Price((border as i64).max(1))
    }
}

impl OrderType {
    /// Returns the same, with no worse price than a border.
    #[must_use]
    pub fn within(self, side: Side, border: Price) -> Self {
        let nearer = |price: Price| match side {
            Side::Buy => price.min(border),
            Side::Sell => price.max(border),
        };
        match self {
            Self::Limit { price, tif } => Self::Limit { price: nearer(price), tif },
            Self::Market { worst } => Self::Market { worst: Some(worst.map_or(border, nearer)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::TimeInForce;

    #[test]
    fn the_border_is_the_last_tick_within_the_band() {
        let band = PriceBand { reach: 0.05, beyond: BeyondBand::Clip };
        let borders = |reference| [Side::Buy, Side::Sell].map(|side| band.border(side, reference).0);
        assert_eq!(borders(1_000.0), [1_050, 950]);
        assert_eq!(borders(1_001.5), [1_051, 952]);
        assert_eq!(borders(1.0), [1, 1]);
    }

    #[test]
    fn only_a_price_beyond_the_border_is_moved() {
        let border = Price(950);
        let limit = |price| OrderType::Limit { price: Price(price), tif: TimeInForce::Ioc };
        assert_eq!(limit(949).within(Side::Sell, border), limit(950));
        assert_eq!(limit(951).within(Side::Sell, border), limit(951));
        assert_eq!(limit(951).within(Side::Buy, border), limit(950));
        // Far below the middle a bid takes from nobody.
        assert_eq!(limit(500).within(Side::Buy, border), limit(500));
        let market = |worst| OrderType::Market { worst };
        assert_eq!(market(None).within(Side::Sell, border), market(Some(border)));
        assert_eq!(market(Some(Price(900))).within(Side::Sell, border), market(Some(border)));
        assert_eq!(market(Some(Price(960))).within(Side::Sell, border), market(Some(Price(960))));
    }
}
