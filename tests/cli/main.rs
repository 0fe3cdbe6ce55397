//! The program as a user meets it: every test starts it as a process, in a folder of its own.

mod determinism;
mod faults;
mod place;
mod refusals;
mod verbs;
