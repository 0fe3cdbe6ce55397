//! A small key table for the tests of this module, with every kind in it.

use super::document::Document;
use super::keys::{Key, Kind};
use super::problem::Problem;
use super::reader::Reader;
use super::section::Section;

const fn key(path: &'static str, kind: Kind, default: Option<&'static str>) -> Key {
    Key { path, kind, unit: "", default, meaning: "a key of the sample", why: "" }
}

/// Keys of every kind.
pub(super) static KEYS: &[Key] = &[
    key("title", Kind::Text, Some("untitled")),
    key("seed", Kind::Int { min: 0, max: i64::MAX }, Some("1")),
    key("start", Kind::Instant, Some("2026-01-01T00:00:00Z")),
    key("duration", Kind::Duration { min: "1s", max: "30d" }, Some("2h")),
    key("record", Kind::Bool, Some("false")),
    key("venues", Kind::Tables, None),
    key("venues.*.tick", Kind::Exact { min: "0.00000001", max: "1000" }, None),
    key("venues.*.fees", Kind::Table, None),
    key("venues.*.fees.taker", Kind::Float { min: -0.01, max: 0.1 }, Some("0.0005")),
    key("venues.*.fees.maker", Kind::Float { min: -0.01, max: 0.1 }, Some("0.0002")),
    key("venues.*.tiers", Kind::List, Some("[]")),
    key("populations", Kind::Tables, None),
    key("populations.*.venue", Kind::Name, None),
    Key {
        path: "populations.*.size",
        kind: Kind::Int { min: 1, max: 1_000_000 },
        unit: "agents",
        default: None,
        meaning: "how many agents there are",
        why: "more than a million do not fit in memory",
    },
    key("populations.*.mood", Kind::Choice(&["calm", "nervous", "panicked"]), Some("calm")),
    key("populations.*.strategy", Kind::OneOf(&["maker", "noise", "idle"]), None),
    Key {
        path: "populations.*.strategy.maker.levels",
        kind: Kind::Int { min: 1, max: 200 },
        unit: "levels",
        default: Some("5"),
        meaning: "price levels quoted on each side",
        why: "five levels hold most of the depth near the touch",
    },
    key("populations.*.strategy.maker.spread", Kind::Float { min: f64::MIN_POSITIVE, max: 1.0 }, None),
    key("populations.*.strategy.noise.rate", Kind::Float { min: 0.0, max: f64::MAX }, Some("1")),
];

/// A document without problems.
pub(super) const SOUND: &str = r#"title = "a sample"
seed = 7
start = 2026-02-23T00:00:00Z
duration = "2h"

[venues.binance]
tick = "0.1"
fees.taker = 0.0004
tiers = [
    [0, "0.004"],
    [50_000, "0.005"],
]

[venues.okx]
tick = "0.1"

[populations.makers]
venue = "binance"
size = 5
strategy.maker = { levels = 3, spread = 0.001 }

[populations.retail]
venue = "okx"
size = 1_000
mood = "nervous"
strategy.noise = {}
"#;

/// Parses what must parse.
pub(super) fn document(text: &str, arguments: &[&str]) -> Document {
    let mut document = Document::parse("sample.toml", text.as_bytes()).unwrap();
    for argument in arguments {
        document.set(argument);
    }
    document
}

/// Reads everything that the sample table declares, in the manner of a domain check.
pub(super) fn read(document: &Document) -> Vec<Problem> {
    let reader = Reader::new(document, KEYS);
    let root = reader.root();
    root.text("title");
    root.int("seed");
    root.instant("start");
    root.duration("duration");
    root.bool("record");
    let venues = root.tables("venues");
    for (_, venue) in &venues {
        read_venue(*venue);
    }
    let names: Vec<String> = venues.into_iter().map(|(name, _)| name).collect();
    for (_, population) in root.tables("populations") {
        population.reference("venue", "venue", &names);
        population.int("size");
        population.choice("mood");
        match population.one_of("strategy") {
            Some(("maker", maker)) => {
                maker.int("levels");
                maker.float("spread");
            }
            Some(("noise", noise)) => {
                noise.float("rate");
            }
            _ => {}
        }
    }
    reader.finish()
}

fn read_venue(venue: Section<'_>) {
    venue.exact("tick");
    let fees = venue.table("fees");
    fees.float("taker");
    fees.float("maker");
    for row in venue.rows("tiers") {
        row.expect(&["notional", "rate"]);
        row.int(0, 0, i64::MAX);
        row.exact(1, "0", "1");
    }
}

/// Draws the problems that reading a text with overrides finds.
pub(super) fn drawn(text: &str, arguments: &[&str]) -> String {
    let document = document(text, arguments);
    document.render(&read(&document), false)
}
