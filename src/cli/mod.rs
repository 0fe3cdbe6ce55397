//! The only room that knows a terminal, a clock, signals and the machine.

pub mod machine;
pub mod progress;
pub mod signals;
pub mod stdout;
