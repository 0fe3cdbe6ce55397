//! mechanisms.
