//! The numbers of the simulator: prices in ticks, quantities in lots, money in integer units, rates, time, and typed ids.
//! Nothing here knows what a book or a margin is.
//!
//! Addition and subtraction never round. Operations exist only where they mean something: there is no product of two
//! prices. Products that leave the integers of one unit go through `i128` and name their rounding.

mod amounts;
mod exact;
mod ids;
mod time;

pub use amounts::{Money, Position, Price, Qty, Rate, Rounding, Side, div_round, mul_div};
pub use exact::{ExactError, decimal_to_units, units_to_decimal};
pub use ids::{AccountId, AgentId, AssetId, MarketId, OrderId, VenueId};
pub use time::{DurationError, Time, format_duration, parse_duration};
