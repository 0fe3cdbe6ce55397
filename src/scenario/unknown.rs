//! Keys of a document that the key table does not know, with what they may have been meant to be.

use super::keys::{Key, Kind, Level};
use super::node::{Entries, Node, joined, quoted_key};
use super::problem::{Problem, listed, nearest, shortened};

/// Most unknown keys for which a likeness is sought: nobody reads more, and each costs a walk over its siblings.
const MOST_LIKENESSES: usize = 100;

/// Adds a problem for every key below `root` that is not declared.
pub(super) fn find(root: &Node, level: &Level, keys: &[Key], problems: &mut Vec<Problem>) {
    let mut search = Search { keys, likenesses: 0, problems };
    search.walk("", root.entries().expect("the root is a table"), level);
}

struct Search<'s> {
    keys: &'s [Key],
    likenesses: usize,
    problems: &'s mut Vec<Problem>,
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
        let help = (self.likenesses <= MOST_LIKENESSES).then(|| self.likeness(key, level, variants));
        let at = joined(path, &shortened(key));
        self.problems.push(Problem { at, source: node.key, what: "unknown key".to_owned(), help });
    }

    fn likeness(&self, key: &str, level: &Level, variants: &[&str]) -> String {
        let mut known: Vec<&str> = level.keys.keys().copied().chain(variants.iter().copied()).collect();
        known.sort_unstable();
        known.dedup();
        if let Some(near) = nearest(key, known.iter().copied()) {
            return format!("did you mean `{}`?", quoted_key(near));
        }
        let elsewhere = self.keys.iter().find(|other| other.path.rsplit('.').next() == Some(key));
        match elsewhere {
            Some(other) => format!("there is a key `{}`", other.path),
            None if known.is_empty() => "no keys are known here".to_owned(),
            None => format!("known here: {}", listed(known)),
        }
    }
}
