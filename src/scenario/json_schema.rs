//! The key table as a JSON Schema, which editors read to complete, explain and underline scenario files.
//!
//! It refuses what the key table alone can refuse: unknown keys, kinds, ranges, words, and keys that are missing. What values
//! mean together is for the check. Draft 7 is the newest that TOML editors agree on.

use super::check::check;
use super::document::Document;
use super::keys::{Key, Kind, Level, path_matches};
use super::node::{Node, Value as Toml};
use super::overrides::path_parts;
use super::schema::KEYS;
use super::section::MISSING;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A name as `scalar::is_name` takes it.
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$";
/// A decimal as `decimal::decimal` takes it.
const DECIMAL: &str = r"^[+-]?[0-9_]+(\.[0-9_]+)?([eE][+-]?[0-9]+)?$";
/// A duration as `units::parse_duration` takes it.
const DURATION: &str = r"^\s*([0-9.]+(ns|us|ms|s|m|h|d|w))+\s*$";

/// Returns the JSON Schema of scenario files.
pub fn json_schema() -> Value {
    let root = Level::new(KEYS);
    let mut schema = Schema { required: required(&root) }.object(&root, "");
    let of_file = [
        ("$schema", json!("http://json-schema.org/draft-07/schema#")),
        ("title", json!("scenario of firesale")),
        ("$comment", json!(concat!("printed by `firesale schema`, version ", env!("CARGO_PKG_VERSION")))),
    ];
    schema.extend(of_file.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(schema)
}

/// Finds the keys that must be there where their table is: those that the check of a scenario misses in which every table is there
/// and empty. What depends on others is not looked at before these are there, so they are put in, and the rest is found.
fn required(root: &Level) -> BTreeSet<&'static str> {
    // Tables and choices are in every document below, so these are looked for apart.
    let mut found: BTreeSet<&str> = missing("").collect();
    for key in KEYS.iter().filter(|key| matches!(key.kind, Kind::OneOf(_))) {
        if let Some((parent, _)) = key.path.rsplit_once('.') {
            let text = format!("{} = {{}}\n", parent.replace('*', "x0"));
            found.extend(missing(&text).filter(|path| *path == key.path));
        }
    }
    loop {
        let bodies = bodies(root, "", &found);
        let entries =
            bodies.iter().flat_map(|body| body.iter().map(|(key, value)| format!("{key} = {value}\n")));
        let before = found.len();
        found.extend(missing(&entries.collect::<String>()));
        if found.len() == before {
            return found;
        }
    }
}

/// Returns the keys that the check misses in a text that lacks some.
fn missing(text: &str) -> impl Iterator<Item = &'static str> + use<> {
    let document = Document::parse("tables", text.as_bytes()).expect("keys and values of TOML");
    let problems = check(&document, "x").expect_err("such a scenario has problems");
    problems.into_iter().filter(|problem| problem.what.starts_with(MISSING)).filter_map(|problem| {
        let parts = path_parts(&problem.at)?;
        KEYS.iter().find(|key| path_matches(key.path, &parts)).map(|key| key.path)
    })
}

/// Entries of a table in TOML: key and value.
type Body = Vec<(String, String)>;

/// Makes bodies of a table with those of its keys that are `given`, so that every choice of a table below is in one of them.
fn bodies(level: &Level, path: &str, given: &BTreeSet<&'static str>) -> Vec<Body> {
    let inline = |body: &Body| {
        let entries: Vec<String> = body.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        format!("{{ {} }}", entries.join(", "))
    };
    let mut columns: Vec<(&str, Vec<String>)> = Vec::new();
    for (name, below) in &level.keys {
        let at = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        let values: Vec<String> = match below.kind() {
            Some(Kind::Table) => bodies(below, &at, given).iter().map(inline).collect(),
            Some(Kind::OneOf(words)) => {
                let empty = Level::default();
                let of_word = |word: &&str| {
                    let at = format!("{at}.{word}");
                    let chosen = bodies(below.child(word).unwrap_or(&empty), &at, given);
                    chosen.iter().map(|body| format!("{{ {word} = {} }}", inline(body))).collect::<Vec<_>>()
                };
                words.iter().flat_map(of_word).collect()
            }
            Some(Kind::Tables) => {
                let each = below.any.as_deref().map(|each| bodies(each, &format!("{at}.*"), given));
                let each = each.unwrap_or_default();
                let named = each.iter().enumerate().map(|(index, body)| (format!("x{index}"), inline(body)));
                vec![inline(&named.collect())]
            }
            Some(kind) if given.contains(at.as_str()) => vec![stand_in(kind)],
            _ => continue,
        };
        columns.push((name, values));
    }
    let rows = columns.iter().map(|(_, values)| values.len()).max().unwrap_or(1);
    let value = |values: &Vec<String>, row: usize| values[row.min(values.len() - 1)].clone();
    (0..rows)
        .map(|row| columns.iter().map(|(name, values)| ((*name).to_owned(), value(values, row))).collect())
        .collect()
}

/// A value with which a check goes on: one or what is next to it, the first table of those that a name may mean.
fn stand_in(kind: &Kind) -> String {
    match kind {
        Kind::Int { min, max } => 1.clamp(*min, *max).to_string(),
        Kind::Float { min, max } => format!("{:?}", 1_f64.clamp(*min, *max)),
        Kind::Exact { .. } => "\"1\"".to_owned(),
        Kind::Duration { .. } => "\"1s\"".to_owned(),
        Kind::Bool => "true".to_owned(),
        // One row of brackets without leverage.
        Kind::List => "[[0, \"0.1\", 1]]".to_owned(),
        Kind::Choice(words) | Kind::OneOf(words) => format!("\"{}\"", words[0]),
        Kind::Text | Kind::Name | Kind::Instant | Kind::Table | Kind::Tables => "\"x0\"".to_owned(),
    }
}

struct Schema {
    required: BTreeSet<&'static str>,
}

impl Schema {
    /// Describes a table with declared keys.
    fn object(&self, level: &Level, path: &str) -> Map<String, Value> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, below) in level.in_order() {
            let at = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if self.required.contains(at.as_str()) {
                required.push(json!(name));
            }
            properties.insert(name.to_owned(), self.value(below, &at));
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), json!("object"));
        object.insert("properties".to_owned(), Value::Object(properties));
        object.insert("additionalProperties".to_owned(), json!(false));
        if !required.is_empty() {
            object.insert("required".to_owned(), Value::Array(required));
        }
        object
    }

    fn value(&self, level: &Level, path: &str) -> Value {
        let Some(key) = level.key else { return Value::Object(self.object(level, path)) };
        let mut schema = match key.kind {
            Kind::Table => Value::Object(self.object(level, path)),
            Kind::Tables => {
                let each = level.any.as_deref().map(|each| self.object(each, &format!("{path}.*")));
                json!({ "type": "object", "additionalProperties": each.unwrap_or_default(), "propertyNames": { "pattern": NAME } })
            }
            Kind::OneOf(words) => {
                let empty = Level::default();
                let choices = words.iter().map(|word| {
                    let below = level.child(word).unwrap_or(&empty);
                    ((*word).to_owned(), Value::Object(self.object(below, &format!("{path}.{word}"))))
                });
                let choices: Map<String, Value> = choices.collect();
                json!({ "anyOf": [
                    { "enum": words },
                    { "type": "object", "properties": choices, "additionalProperties": false, "minProperties": 1, "maxProperties": 1 },
                ] })
            }
            _ => leaf(&key.kind),
        };
        let object = schema.as_object_mut().expect("every schema is an object");
        object.insert("description".to_owned(), json!(described(key)));
        if let Some(default) = key.default_node() {
            object.insert("default".to_owned(), plain(&default));
        }
        schema
    }
}

fn leaf(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Name => json!({ "type": "string", "pattern": NAME }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Float { min, max } if min.total_cmp(&f64::MIN_POSITIVE).is_eq() => {
            json!({ "type": "number", "exclusiveMinimum": 0, "maximum": max })
        }
        Kind::Float { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Kind::Exact { min, max } => {
            let number = |text: &str| text.parse::<f64>().expect("a limit of the key table is a number");
            json!({ "anyOf": [
                { "type": "integer", "minimum": number(min), "maximum": number(max) },
                { "type": "string", "pattern": DECIMAL },
            ] })
        }
        Kind::Duration { .. } => json!({ "type": "string", "pattern": DURATION }),
        Kind::Instant => json!({ "type": "string", "format": "date-time" }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::List => json!({ "type": "array" }),
        Kind::Table | Kind::Tables | Kind::OneOf(_) => {
            unreachable!("tables are described with what is below them")
        }
    }
}

/// Says of a key what `explain` says of it.
fn described(key: &Key) -> String {
    let mut text = format!("{}.\n{}", key.meaning, key.expected());
    for (word, part) in [("default: ", key.default.unwrap_or_default()), ("why: ", key.why)] {
        if !part.is_empty() {
            let _ = write!(text, "\n{word}{part}");
        }
    }
    text
}

fn plain(node: &Node) -> Value {
    match &node.value {
        Toml::Text(text) => json!(text),
        Toml::Integer(_, Some(value)) => json!(value),
        Toml::Integer(literal, None) => json!(literal),
        Toml::Float(_, value) => json!(value),
        Toml::Bool(value) => json!(value),
        Toml::Datetime(value) => json!(value.to_string()),
        Toml::Array(elements) => elements.iter().map(plain).collect(),
        Toml::Table(entries) => entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::shipped::SHIPPED;

    fn refusals(text: &str) -> Vec<String> {
        let document = Document::parse("x", text.as_bytes()).expect("it parses");
        let validator = jsonschema::draft7::new(&json_schema()).expect("the schema is one");
        validator.iter_errors(&plain(&document.root)).map(|error| error.to_string()).collect()
    }

    #[test]
    fn it_is_a_schema_of_its_draft() {
        assert!(jsonschema::draft7::meta::is_valid(&json_schema()));
    }

    #[test]
    fn shipped_scenarios_fit_as_written_and_as_resolved() {
        for shipped in SHIPPED {
            assert_eq!(refusals(shipped.text), Vec::<String>::new(), "{}", shipped.name);
            let document = Document::parse(shipped.name, shipped.text.as_bytes()).unwrap();
            let resolved = crate::scenario::completed(&document).resolved(KEYS);
            assert_eq!(refusals(&resolved), Vec::<String>::new(), "{} resolved", shipped.name);
        }
    }

    #[test]
    fn what_the_check_asks_for_is_required() {
        let required = required(&Level::new(KEYS));
        insta::assert_snapshot!("required_keys", required.iter().copied().collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn wrong_scenarios_are_refused_as_the_check_does() {
        let sound = crate::scenario::shipped::find("long-squeeze").unwrap().text;
        for (from, to) in [
            ("duration = \"1h\"", "duration = 3600"),
            ("duration = \"1h\"", "duration = \"an hour\""),
            ("duration = \"1h\"", "durations = \"1h\""),
            ("tick = \"0.1\"", "tick = 0.1"),
            ("tick = \"0.1\"", "tick = \"a tenth\""),
            ("tick = \"0.1\"\n", ""),
            ("mark = \"median\"", "mark = \"mean\""),
            ("levels = 4", "levels = 0"),
            ("levels = 4", "levels = 4.5"),
            ("longs = 3000", "longs = \"3000\""),
            ("orders_per_rung = 20", "orders_per_rung = -1"),
            ("bids = [[2, 20000]", "bids = 5\nother = [[2, 20000]"),
            ("strategy.maker]", "strategy.makr]"),
            ("[populations.makers]", "[populations.\"../x\"]"),
            ("[shocks.sale.event.meta_order]", "[shocks.sale.event.fundamental_jump]"),
            ("quantity = 400", ""),
            ("entries = { spread = { bps = 200 } }\n", ""),
            ("[shocks.sale.event.meta_order]", "[shocks.empty]\n[shocks.sale.event.meta_order]"),
        ] {
            let wrong = sound.replace(from, to);
            assert_ne!(wrong, sound, "{from}");
            let document = Document::parse("x", wrong.as_bytes()).expect("it parses");
            assert!(check(&document, "x").is_err(), "the check takes {to}");
            assert_ne!(refusals(&wrong), Vec::<String>::new(), "the schema takes {to}");
        }
    }

    #[test]
    fn patterns_take_what_the_readers_take() {
        let takes = |pattern: &str, text: &str| {
            jsonschema::draft7::new(&json!({ "pattern": pattern })).unwrap().is_valid(&json!(text))
        };
        for text in
            ["0.1", "-1", "+1_000.50", "1e-8", "1.5E+3", "", ".", "1.", ".5", "1,5", "0x10", " 1", "e5"]
        {
            assert_eq!(takes(DECIMAL, text), super::super::exact_decimal(text).is_some(), "decimal {text:?}");
        }
        for text in ["250ms", "8h", "1h30m", "2.5s", " 1s ", "", "1", "h", "1 h", "1y", "-1s", "1sm"] {
            assert_eq!(
                takes(DURATION, text),
                crate::units::parse_duration(text).is_ok(),
                "duration {text:?}"
            );
        }
        for text in ["a", "A-b_9", "", "-a", "a b", "../x", "a.b", &"x".repeat(64), &"x".repeat(65)] {
            assert_eq!(takes(NAME, text), super::super::scalar::is_name(text), "name {text:?}");
        }
        // Every default that is text fits its own schema, so that an editor does not underline what it completes.
        for key in KEYS {
            let Some(default) = key.default_node() else { continue };
            if matches!(key.kind, Kind::Table | Kind::Tables | Kind::OneOf(_)) {
                continue;
            }
            let validator = jsonschema::draft7::new(&leaf(&key.kind)).unwrap();
            assert!(validator.is_valid(&plain(&default)), "{}: {:?}", key.path, plain(&default));
        }
    }
}
