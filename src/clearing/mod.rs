//! clearing.
