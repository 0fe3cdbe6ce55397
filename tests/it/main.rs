//! Facts about whole runs.

mod audit;
mod clearing_cases;
mod floors;
mod runs;
mod support;
