//! Scenario files: text to a spanned document, overrides on it, and typed reading of it that reports every problem at
//! its place. What the keys mean is not decided here but in the key table and its check.
//!
//! 1. [`Document::open`] reads a file, refuses what is not a scenario file, and keeps where every value stands.
//! 2. [`Document::set`] replaces values by dotted path; a replaced value points into its argument from then on.
//! 3. [`Reader`] hands out values by the key table; what is missing, mistyped, out of range or unknown is collected.
//! 4. [`Document::render`] shows all problems at once, each with the word it is about.
//!
//! A [`Sheet`] is a CSV file beside a scenario, read and refused in the same manner.

mod check;
mod commented;
mod decimal;
mod differences;
pub mod document;
pub mod explain;
mod json_schema;
pub mod keys;
mod model;
mod node;
mod overrides;
pub mod problem;
pub mod reader;
mod render;
mod row;
#[cfg(test)]
mod sample;
mod scalar;
pub mod schema;
mod section;
mod sheet;
pub mod shipped;
mod syntax;
mod unknown;
mod write;

pub use check::{check, completed};
pub use commented::{SCHEMA_FILE, commented};
pub(crate) use decimal::exact_decimal;
pub use differences::{Difference, differences};
pub use document::Document;
pub use explain::explain;
pub use json_schema::json_schema;
pub use keys::{Key, Kind};
pub use model::{
    Adaptation, BookLevel, Entries, ExplicitPosition, Latency, Population, PopulationStrategy, Scenario,
    Seeding, Shock, ShockKind,
};
pub(crate) use node::quoted;
pub(crate) use overrides::halves;
pub use problem::{Problem, Rejection, Source};
pub use reader::Reader;
pub use row::Row;
pub use section::Section;
pub use sheet::{BadSheet, Columns, Line, Sheet};
pub(crate) use syntax::canonical;
