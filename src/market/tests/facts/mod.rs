//! What a book does, fact by fact, for every implementation. Each fact is an order flow and the words it must cause.

mod desk;
mod keeping;
mod taking;

/// Makes each fact a test of every implementation.
macro_rules! facts {
    ($($room:ident: $($fact:ident)*;)*) => {
        mod plain { $($(#[test] fn $fact() { super::$room::$fact::<crate::market::PlainBook>(); })*)* }
        mod fast { $($(#[test] fn $fact() { super::$room::$fact::<crate::market::FastBook>(); })*)* }
        mod fast_id { $($(#[test] fn $fact() { super::$room::$fact::<crate::market::FastIdBook>(); })*)* }
    };
}

facts! {
    taking:
    earlier_orders_at_a_price_trade_first
    better_prices_trade_first_at_the_makers_price
    immediate_or_cancel_never_rests
    fill_or_kill_trades_whole_or_is_refused
    fill_or_kill_does_not_count_its_owners_orders_under_a_policy_that_cancels
    fill_or_kill_counts_what_reduce_only_makers_may_still_trade
    post_only_never_takes
    a_market_order_trades_up_to_its_worst_price_and_never_rests
    reduce_only_is_clipped_at_submission
    a_reduce_only_maker_is_cut_to_what_is_left_to_reduce
    two_reduce_only_makers_share_one_position
    a_reduce_only_taker_asks_again_before_every_fill
    a_reduce_only_taker_stops_where_its_bound_ends
    meeting_oneself_follows_the_policy
    ;
    keeping:
    a_cancel_takes_the_order_and_no_other
    a_stale_handle_says_nothing_and_is_never_another_orders
    a_smaller_size_keeps_its_place_and_nothing_else_does
    an_amended_order_may_trade
    a_refused_amendment_changes_nothing
    the_smallest_notional_binds_limit_orders_that_may_open
    the_first_broken_rule_is_named_and_nothing_changes
    a_quote_at_no_price_is_refused_however_empty_the_book
    any_price_and_quantity_in_range_is_taken
    reads_agree_with_the_orders
    a_clone_goes_its_own_way
    ;
}

#[test]
fn who_is_next_is_heard_before_the_trade_that_takes_all_of_an_order() {
    taking::who_is_next_is_heard_before_the_trade_that_takes_all_of_an_order::<crate::market::FastBook>();
    taking::who_is_next_is_heard_before_the_trade_that_takes_all_of_an_order::<crate::market::FastIdBook>();
}

#[test]
fn a_live_id_is_refused_and_a_dead_one_is_not() {
    keeping::a_live_id_is_refused_and_a_dead_one_is_not::<crate::market::PlainBook>();
    keeping::a_live_id_is_refused_and_a_dead_one_is_not::<crate::market::FastIdBook>();
}
