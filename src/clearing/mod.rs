//! Who owes whom: contracts, margin, accounts, the ledger, and the rules of liquidation. It decides as pure functions and
//! keeps balances; what happens to an order, and in which order things happen, is the world's.

mod account;
mod contract;
mod index;
mod ledger;
pub mod liquidation;
mod margin;
pub mod waterfall;

pub use account::{Account, AccountTotals, Accounts, Balances, MarginMode, Means, OpenPosition, PositionId};
pub use contract::Contract;
pub use index::{LiquidationIndex, LiquidationTrigger, PlainIndex, TriggerIndex};
pub use ledger::{Ledger, Purse, Reason, Transfer};
pub use liquidation::{Breach, LiquidationStyle};
pub use margin::{Bracket, Brackets, MarginRule, initial_margin};
pub use waterfall::Stage;
