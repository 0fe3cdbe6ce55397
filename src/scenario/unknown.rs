//! Keys of a document that the key table does not know, with what they may have been meant to be.

use super::keys::{Key, Kind, Level};
use super::node::{Entries, Node, joined, quoted_key};
use super::problem::{Problem, listed, nearest, shortened};

/// Most unknown keys for which a likeness is sought: nobody reads more, and each costs a walk over the places of keys.
const MOST_LIKENESSES: usize = 100;
/// Most places of keys that are looked at. The largest scenario that we ship has a tenth.
const MOST_PLACES: usize = 10_000;
/// Most places that one message names.
const MOST_NAMED: usize = 3;

/// Adds a problem for every key below `root` that is not declared.
pub(super) fn find(root: &Node, level: &Level, keys: &[Key], problems: &mut Vec<Problem>) {
    let entries = root.entries().expect("the root is a table");
    let mut search = Search { keys, root: entries, top: level, places: None, likenesses: 0, problems };
    search.walk("", entries, level);
}

struct Search<'s> {
    keys: &'s [Key],
    root: &'s Entries,
    top: &'s Level,
    /// Where keys may stand in this document, once something is sought there.
    places: Option<Vec<Place>>,
    likenesses: usize,
    problems: &'s mut Vec<Problem>,
}

/// Where a key may stand in a document: in a table that is there or may be added, never in a choice that was not taken.
struct Place {
    path: String,
    name: &'static str,
}

impl Search<'_> {
    fn walk(&mut self, path: &str, entries: &Entries, level: &Level) {
        let variants = match level.kind() {
            Some(Kind::OneOf(words)) => *words,
            _ => &[],
        };
        let empty = Level::default();
        for (key, node) in entries {
            let below = match level.child(key) {
                Some(below) => below,
                None if variants.contains(&key.as_str()) => &empty,
                None => {
                    self.unknown(path, key, node, level, variants);
                    continue;
                }
            };
            // A table in place of a value is the reader's to report.
            let value =
                below.kind().is_some_and(|kind| !matches!(kind, Kind::Table | Kind::Tables | Kind::OneOf(_)));
            if let Some(entries) = node.entries()
                && !value
            {
                self.walk(&joined(path, &shortened(key)), entries, below);
            }
        }
    }

    fn unknown(&mut self, path: &str, key: &str, node: &Node, level: &Level, variants: &[&str]) {
        self.likenesses += 1;
        let help = (self.likenesses <= MOST_LIKENESSES).then(|| self.likeness(path, key, level, variants));
        let at = joined(path, &shortened(key));
        self.problems.push(Problem { at, source: node.key, what: "unknown key".to_owned(), help });
    }

    /// Says what was meant: a key of this table, or one below it, or else one that is anywhere in this document, or in the key
    /// table. What is further off is named with what is known here.
    fn likeness(&mut self, path: &str, key: &str, level: &Level, variants: &[&str]) -> String {
        let (root, top) = (self.root, self.top);
        let places = self.places.get_or_insert_with(|| {
            let mut places = Vec::new();
            gather(root, top, "", &mut places);
            places
        });
        let below: Vec<&Place> = places.iter().filter(|place| is_below(&place.path, path)).collect();
        let exact = |place: &&Place| place.name == key;
        if let Some(text) = named(below.iter().copied().filter(exact)) {
            return format!("did you mean {text}?");
        }
        let mut known: Vec<&str> = level.keys.keys().copied().chain(variants.iter().copied()).collect();
        known.sort_unstable();
        known.dedup();
        if let Some(near) = nearest(key, known.iter().copied()) {
            return format!("did you mean `{}`?", quoted_key(near));
        }
        let near = nearest(key, below.iter().map(|place| place.name));
        let holds = |name: &str| key.len() > 2 && name.contains(key);
        if let Some(text) = named(below.iter().copied().filter(|place| Some(place.name) == near))
            .or_else(|| named(below.iter().copied().filter(|place| holds(place.name))))
        {
            return format!("did you mean {text}?");
        }
        let here = if known.is_empty() {
            "no keys are known here".to_owned()
        } else {
            format!("known here: {}", listed(known))
        };
        let elsewhere = named(places.iter().filter(exact))
            .or_else(|| named(places.iter().filter(|place| holds(place.name))))
            .or_else(|| {
                let other = self.keys.iter().find(|other| other.path.rsplit('.').next() == Some(key));
                other.map(|other| format!("`{}`", other.path))
            });
        match elsewhere {
            Some(text) => format!("there is {text}; {here}"),
            None => here,
        }
    }
}

/// Finds the places of the keys that a table has or may have.
fn gather(entries: &Entries, level: &Level, path: &str, places: &mut Vec<Place>) {
    let none = Entries::new();
    let chosen = matches!(level.kind(), Some(Kind::OneOf(_)));
    for (name, below) in level.in_order() {
        let node = entries.get(name);
        if places.len() >= MOST_PLACES || (chosen && node.is_none()) {
            continue;
        }
        let at = joined(path, name);
        places.push(Place { path: at.clone(), name });
        gather(node.and_then(Node::entries).unwrap_or(&none), below, &at, places);
    }
    let Some(each) = &level.any else { return };
    for (name, node) in entries {
        if places.len() < MOST_PLACES {
            gather(node.entries().unwrap_or(&none), each, &joined(path, &shortened(name)), places);
        }
    }
}

fn is_below(path: &str, table: &str) -> bool {
    table.is_empty() || path.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

/// Names places, or says that there are none.
fn named<'p>(places: impl Iterator<Item = &'p Place>) -> Option<String> {
    let paths: Vec<String> = places.map(|place| format!("`{}`", place.path)).collect();
    let more = paths.len().saturating_sub(MOST_NAMED);
    let text = paths[..paths.len() - more].join(" or ");
    let rest = if more > 0 { format!(" or one of {more} more") } else { String::new() };
    (!paths.is_empty()).then(|| text + &rest)
}

#[cfg(test)]
mod tests {
    use crate::scenario::schema::KEYS;
    use crate::scenario::{Document, check, shipped};

    /// What is said of one unknown key that is set in a shipped scenario.
    fn help(argument: &str) -> String {
        let text = shipped::find("long-squeeze").unwrap().text;
        let mut document = Document::parse("long-squeeze.toml", text.as_bytes()).unwrap();
        document.set(argument);
        let problems = check(&document, "long-squeeze").expect_err("an unknown key is a problem");
        let unknown = problems.into_iter().find(|problem| problem.what == "unknown key");
        unknown.unwrap_or_else(|| panic!("{argument} is known")).help.expect("it says what helps")
    }

    #[test]
    fn what_was_meant_is_sought_where_it_was_typed_and_in_this_scenario() {
        insta::assert_snapshot!(
            "meant",
            [
                // The only leverage of this population is three tables below.
                "populations.retail.leverage=5",
                "populations.retail.longs=5",
                "populations.retail.strategy.leverages=5",
                "populations.retail.size=5",
                // Two are as near.
                "populations.flow.strategy.background.depth=2",
                "leverages=5",
                "depth_scale=2",
                "latency=\"1ms\"",
                "venues.exchange.depth_scale=2",
                "markets.COIN-PERP.leverage=2",
                "venues.exchange.leverage=2",
                // In no table of this scenario, so the pattern is named.
                "venues.exchange.coins_sigma=2",
                "venues.exchange.xyzzy=2",
                "xyzzy=2",
            ]
            .map(|argument| format!("{argument}\n    {}", help(argument)))
            .join("\n")
        );
    }

    #[test]
    fn what_is_suggested_of_a_choice_is_what_was_chosen() {
        // `leverage` is a key of trend followers, of whom this scenario has none.
        assert!(KEYS.iter().any(|key| key.path == "populations.*.strategy.trend_follower.leverage"));
        assert!(!help("populations.retail.leverage=5").contains("trend_follower"));
    }
}
