//! What a venue does in single cases, request by request, worked out by hand. One unit of money a tick and lot; maintenance
//! is 1 % up to a notional of 20,000.

use crate::bench::{A, ALL_ON, B, Bench, MARKET, Rules, limit};
use firesale::clearing::{LiquidationStyle, Stage};
use firesale::event::{Assignment, Event, Refusal};
use firesale::market::{Book as _, BookEvent, MAX_PRICE, OrderType, RejectReason, SelfTrade, TimeInForce};
use firesale::units::{AccountId, Money, OrderId, Position, Price, Qty, Side};
use firesale::world::{Order, Request, Switches};

fn order(bench: &mut Bench, account: AccountId, side: Side, qty: Qty, order_type: OrderType) -> Order {
    let id = bench.world.next_order_id();
    Order { account, market: A, id, side, qty, order_type, reduce_only: false, leverage: 10, trigger: None }
}

#[test]
fn a_trade_with_oneself_realises_what_its_two_sides_would() {
    let mut bench = Bench::new(&Rules { self_trade: SelfTrade::Allow, ..Rules::default() });
    let (hedger, own) = (bench.unmargined(), bench.unmargined());
    bench.seed(own, hedger, A, 10, 0);
    bench.submit(own, A, Side::Buy, 5, limit(1_100));
    bench.submit(own, A, Side::Sell, 5, MARKET);
    // 5 sold at 1,100 that cost 1,000 each: 500. 5 are left, and 5 more cost 5,500.
    assert_eq!(bench.state(own, A), (500, 10, 10_500, 0));
}
