//! The program as a user meets it: every test starts it as a process, in a folder of its own.

#![allow(
    clippy::unwrap_used,
    clippy::integer_division,
    reason = "a test ends where something is not as it should be"
)]

mod compare;
mod determinism;
mod documents;
mod faults;
mod first_hour;
mod forms;
mod limits;
mod pages;
mod place;
mod python;
mod refusals;
mod report;
mod reproduce;
mod shards;
mod sweep;
mod targets;
mod verbs;
