//! The timeline: from tables to shocks.

use super::{Checker, Scale, exact};
use crate::agents::MetaOrderSpec;
use crate::scenario::{Section, Shock, ShockKind};
use crate::units::{MarketId, Qty, Side, Time};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

impl Checker<'_> {
    /// Reads the other market of a meta-order: which, lots there, coins a lot. `None` after a problem was said somewhere.
    #[expect(
        clippy::option_option,
        reason = "no other market, and one that could not be read, are two things"
    )]
    fn also(
        &self,
        body: Section<'_>,
        place: Option<(MarketId, Scale)>,
    ) -> Option<Option<(MarketId, Qty, Decimal)>> {
        if !body.has("also") {
            if body.has("also_share") {
                let help = "name the other market in `also`".to_owned();
                body.problem("also_share", "is a share of nothing", Some(help));
            }
            return Some(None);
        }
        let (share, index) = (body.exact("also_share"), body.reference("also", "market", &self.markets)?);
        let (market, _) = place?;
        if index == market.index() {
            body.problem("also", "is the market that it trades in anyway", None);
        } else {
            self.check_pair(body, "also", index, market.index(), false);
        }
        let lot = (*self.scales.get(index)?)?.lot;
        let lots = (body.exact("quantity") * share / lot).round().to_i64()?;
        Some(Some((MarketId(index as u16), Qty(lots), lot)))
    }

    pub(super) fn shock(&self, name: &str, table: Section<'_>, duration: Time) -> Option<Shock> {
        let (variant, body) = table.one_of("event")?;
        let place = self.at(body);
        let at = body.duration("at");
        if at > duration && !self.root.is_spoilt("duration") {
            let help = "the scenario's `duration` says when it ends".to_owned();
            body.problem("at", "is after the end of the run", Some(help));
        }
        let kind = match variant {
            "meta_order" => {
                let side = if body.choice("side") == "buy" { Side::Buy } else { Side::Sell };
                let (duration, slice_every) = (body.duration("duration"), body.duration("slice_every"));
                if duration > Time::ZERO && slice_every > duration && !body.is_spoilt("duration") {
                    body.problem("slice_every", "is longer than the whole order", None);
                }
                let whole = place.and_then(|(_, scale)| exact(body, "quantity", scale.lot));
                let also = self.also(body, place);
                let (market, scale) = place?;
                let (mut qty, also) = (Qty(whole?), also?);
                if let Some((_, lots, lot)) = also {
                    // Rounded to a whole lot in either market.
                    let left = body.exact("quantity") - Decimal::from(lots.0) * lot;
                    qty = Qty((left / scale.lot).round().to_i64()?);
                }
                let also = also.map(|(market, lots, _)| (market, lots)).filter(|(_, lots)| !lots.is_zero());
                let share = body.float("closes");
                let of = self.root.tables("markets");
                if share > 0.0 && of.get(market.index())?.1.choice("contract") == "spot" {
                    let help = "remove this key".to_owned();
                    body.problem("closes", "is about positions, and a spot market has none", Some(help));
                }
                let closes = Qty(libm::rint(qty.0 as f64 * share) as i64);
                ShockKind::MetaOrder(MetaOrderSpec {
                    market,
                    side,
                    qty,
                    closes,
                    also,
                    at,
                    duration,
                    slice_every,
                })
            }
            "fundamental_jump" => {
                let bps = body.float("bps");
                ShockKind::FundamentalJump { market: place?.0, at, bps }
            }
            other => unreachable!("the key table does not declare {other}"),
        };
        Some(Shock { name: name.to_owned(), kind })
    }
}
