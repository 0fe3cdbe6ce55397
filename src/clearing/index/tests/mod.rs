//! What every index must do, and the fast one against the plain one against a scan.

mod bytes;
mod duel;
mod equivalence;
mod facts;
mod ops;
mod scan;

use super::heaps::{Heaps, NONE, Removed};
use super::ticks::Ticks;
use super::{LiquidationIndex, LiquidationTrigger, PlainIndex, TriggerIndex};
use crate::clearing::PositionId;
use crate::units::{MarketId, Price, Side};
