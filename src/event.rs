//! The words the core says.
