//! Facts about whole runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod audit;
mod bench;
mod clearing_cases;
mod floors;
mod golden;
mod margin_properties;
mod mechanisms;
mod perpetual;
mod policies;
mod policy_facts;
mod runs;
mod support;
mod targets;
mod two_markets;
mod venue_facts;
