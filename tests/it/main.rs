//! Facts about whole runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod clearing_cases;
mod floors;
mod runs;
mod support;
