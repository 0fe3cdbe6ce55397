//! Overrides: `dotted.path=value` on the tree. What the path means is the reader's business.

use std::ops::Range;

use super::document::{Argument, Document};
use super::node::{Entries, MAX_DEPTH, Node, Value, joined};
use super::problem::{Problem, Source, nearest, shortened, shown};
use super::syntax::{Fault, Place, parse_value};

/// One part of a dotted path and where it stands in its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    /// The name; `None` is `*`.
    pub(super) name: Option<String>,
    pub(super) span: Range<usize>,
}

impl Segment {
    fn meets(&self, other: &Self) -> bool {
        self.name.is_none() || other.name.is_none() || self.name == other.name
    }
}

/// Applies an override to a document, or adds to the document's problems; returns its index.
pub(super) fn apply(document: &mut Document, label: &str, text: &str) -> usize {
    let index = document.arguments.len();
    document.arguments.push(Argument { label: label.to_owned(), text: text.to_owned(), path: None });
    if let Err(faults) = try_apply(document, index, text) {
        document.problems.extend(faults.into_iter().map(|fault| Problem {
            at: String::new(),
            source: Source::Argument { index, start: fault.span.start, end: fault.span.end },
            what: fault.what,
            help: fault.help,
        }));
    }
    index
}

fn try_apply(document: &mut Document, index: usize, text: &str) -> Result<(), Vec<Fault>> {
    let (path, value) = split(text).map_err(|fault| vec![fault])?;
    let path = parse_path(&text[path]).map_err(|fault| vec![fault])?;
    check_overlap(document, &path).map_err(|fault| vec![fault])?;
    let node = read_value(text, value, index, path.len())?;
    let (last, parents) = path.split_last().expect("a path has at least one part");
    let mut target = Target { index, parents, last, node: &node, at: String::new() };
    // Nothing is changed before every place is known to be possible.
    let mut trial = document.root.clone();
    target.descend(&mut trial, 0).map_err(|fault| vec![fault])?;
    document.root = trial;
    document.arguments[index].path = Some(path);
    Ok(())
}

/// Returns where path and value stand in an override; `None` if it is none.
pub(crate) fn halves(text: &str) -> Option<(Range<usize>, Range<usize>)> {
    split(text).ok()
}

/// Splits at the first `=` outside quotes.
fn split(text: &str) -> Result<(Range<usize>, Range<usize>), Fault> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (None, '=') => return Ok((0..at, at + 1..text.len())),
            _ => {}
        }
    }
    Err(fault(0..text.len(), "an override has the form path=value", None))
}

/// Parses a dotted path: bare or quoted names and `*`.
pub(super) fn parse_path(text: &str) -> Result<Vec<Segment>, Fault> {
    let mut path = Vec::new();
    let mut rest = 0;
    loop {
        let (segment, end) = parse_segment(text, rest)?;
        path.push(segment);
        if path.len() > MAX_DEPTH {
            return Err(fault(0..text.len(), format!("a path has at most {MAX_DEPTH} parts"), None));
        }
        if end >= text.len() {
            return Ok(path);
        }
        rest = end + 1;
    }
}

/// Returns the parts of a dotted path, a star as `*`; `None` if it is none.
pub(super) fn path_parts(text: &str) -> Option<Vec<String>> {
    let path = parse_path(text).ok()?;
    Some(path.into_iter().map(|segment| segment.name.unwrap_or_else(|| "*".to_owned())).collect())
}

/// Parses the part that begins at a byte; returns it and the byte of the dot or end after it.
fn parse_segment(text: &str, start: usize) -> Result<(Segment, usize), Fault> {
    let start = start + text[start..].len() - text[start..].trim_start().len();
    let (name, end) = if let Some(quote @ ('"' | '\'')) = text[start..].chars().next() {
        let close = text[start + 1..].find(quote).map(|at| start + 1 + at);
        let close = close.ok_or_else(|| fault(start..text.len(), "the quote is not closed", None))?;
        (text[start + 1..close].to_owned(), close + 1)
    } else {
        let end = text[start..].find('.').map_or(text.len(), |at| start + at);
        let bare = text[start..end].trim_end();
        (bare.to_owned(), start + bare.len())
    };
    let span = start..end;
    let dot = end + text[end..].len() - text[end..].trim_start().len();
    if dot < text.len() && !text[dot..].starts_with('.') {
        return Err(fault(dot..text.len(), "expected a dot between the parts of a path", None));
    }
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let quoted = text[span.clone()].starts_with(['"', '\'']);
    if !quoted && name == "*" {
        return Ok((Segment { name: None, span }, dot));
    }
    if !quoted && name.is_empty() {
        return Err(fault(span, "a part of the path is empty", None));
    }
    if !quoted && !name.chars().all(bare) {
        let help = "names have letters, digits, `_` and `-`; `*` stands for every name".to_owned();
        return Err(fault(span, format!("`{}` is not a name", shown(&name)), Some(help)));
    }
    Ok((Segment { name: Some(name), span }, dot))
}

fn check_overlap(document: &Document, path: &[Segment]) -> Result<(), Fault> {
    for earlier in &document.arguments {
        let Some(other) = &earlier.path else { continue };
        if path.iter().zip(other).all(|(a, b)| a.meets(b)) {
            let span = path[0].span.start..path[path.len() - 1].span.end;
            let what = format!("overlaps with an earlier override, `{}`", shown(&earlier.text));
            return Err(fault(span, what, Some("keep one of the two".to_owned())));
        }
    }
    Ok(())
}

/// Reads the value: TOML, or a bare word as text.
fn read_value(text: &str, span: Range<usize>, index: usize, depth: usize) -> Result<Node, Vec<Fault>> {
    let raw = &text[span.clone()];
    let word = raw.trim();
    let offset = span.start + raw.len() - raw.trim_start().len();
    if word.is_empty() {
        let help = "an empty text is written \"\"".to_owned();
        return Err(vec![fault(0..text.len(), "the value is missing", Some(help))]);
    }
    match parse_value(word, Place::Argument { index, offset }, depth) {
        Ok(node) => Ok(node),
        Err(faults) if word.starts_with(['"', '\'', '[', '{']) => Err(faults
            .into_iter()
            .map(|fault| Fault { span: offset + fault.span.start..offset + fault.span.end, ..fault })
            .collect()),
        Err(_) => {
            let source = Source::Argument { index, start: offset, end: offset + word.len() };
            Ok(Node { key: source, source, loose: true, value: Value::Text(word.to_owned()) })
        }
    }
}

struct Target<'t> {
    index: usize,
    parents: &'t [Segment],
    last: &'t Segment,
    node: &'t Node,
    at: String,
}

impl Target<'_> {
    fn descend(&mut self, node: &mut Node, depth: usize) -> Result<(), Fault> {
        let segment = self.parents.get(depth).unwrap_or(self.last);
        let found = node.found();
        let Value::Table(entries) = &mut node.value else {
            let holder = &self.parents[depth - 1];
            return Err(fault(
                holder.span.clone(),
                format!("`{}` is {found} and has no keys", self.at),
                Some("a path leads through tables; arrays are replaced as a whole".to_owned()),
            ));
        };
        let names = match &segment.name {
            Some(name) => vec![name.clone()],
            None => entries.keys().cloned().collect(),
        };
        if names.is_empty() {
            let place = if self.at.is_empty() { "the scenario".to_owned() } else { format!("`{}`", self.at) };
            return Err(fault(segment.span.clone(), format!("`*` matches nothing: {place} is empty"), None));
        }
        for name in names {
            self.enter(entries, &name, depth)?;
        }
        Ok(())
    }

    fn enter(&mut self, entries: &mut Entries, name: &str, depth: usize) -> Result<(), Fault> {
        if depth == self.parents.len() {
            let key = entries.get(name).map_or_else(|| self.source(self.last), |old| old.key);
            entries.insert(name.to_owned(), Node { key, ..self.node.clone() });
            return Ok(());
        }
        let segment = &self.parents[depth];
        let starred = self.parents[depth + 1..].iter().chain([self.last]).any(|part| part.name.is_none());
        if starred && !entries.contains_key(name) {
            let near = nearest(name, entries.keys().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let what = format!("`*` matches nothing: there is no `{}`", joined(&self.at, &shortened(name)));
            return Err(fault(segment.span.clone(), what, help));
        }
        let source = self.source(segment);
        let child = entries.entry(name.to_owned()).or_insert_with(|| Node {
            key: source,
            source,
            loose: true,
            value: Value::Table(Entries::new()),
        });
        let outer = std::mem::take(&mut self.at);
        self.at = joined(&outer, &shortened(name));
        self.descend(child, depth + 1)?;
        self.at = outer;
        Ok(())
    }

    fn source(&self, segment: &Segment) -> Source {
        Source::Argument { index: self.index, start: segment.span.start, end: segment.span.end }
    }
}

fn fault(span: Range<usize>, what: impl Into<String>, help: Option<String>) -> Fault {
    Fault { span, what: what.into(), help }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::sample::document;

    const VENUES: &str = "seed = 1\n[venues.a]\ntick = 1\nfees.taker = 2\n[venues.b]\ntick = 3\n";

    fn after(arguments: &[&str]) -> String {
        let document = document(VENUES, arguments);
        assert_eq!(document.problems(), [], "{arguments:?}");
        document.to_toml()
    }

    fn refused(arguments: &[&str]) -> String {
        let document = document(VENUES, arguments);
        document.render(document.problems(), false)
    }

    #[test]
    fn an_override_replaces_the_whole_value() {
        assert_eq!(after(&["venues={}"]), "seed = 1\n\n[venues]\n");
        assert_eq!(
            after(&["venues.a={ tick = 9 }"]),
            "seed = 1\n\n[venues.a]\ntick = 9\n\n[venues.b]\ntick = 3\n"
        );
    }

    #[test]
    fn a_star_stands_for_every_name_that_exists_in_its_place() {
        assert_eq!(
            after(&["venues.*.fees.taker=0"]),
            "seed = 1\n\n[venues.a]\ntick = 1\n\n[venues.a.fees]\ntaker = 0\n\n[venues.b]\ntick = 3\n\n[venues.b.fees]\ntaker = 0\n"
        );
        assert_eq!(after(&["venues.*=5"]), "seed = 1\n\n[venues]\na = 5\nb = 5\n");
    }

    #[test]
    fn tables_on_the_way_are_made() {
        assert!(after(&["venues.c.fees.taker=0"]).contains("[venues.c.fees]\ntaker = 0\n"));
    }

    #[test]
    fn values_are_toml_or_bare_words() {
        for (argument, line) in [
            ("x=2026-01-01T00:00:00Z", "x = 2026-01-01T00:00:00Z"),
            ("x=false", "x = false"),
            ("x=0.50", "x = 0.50"),
            ("x = 1_000 ", "x = 1_000"),
            ("x=2h", "x = \"2h\""),
            ("x=two words", "x = \"two words\""),
            ("x=a=b", "x = \"a=b\""),
            ("x=\"\"", "x = \"\""),
            ("x='=\"'", "x = \"=\\\"\""),
            ("x=[1, \"b\"]", "x = [1, \"b\"]"),
            ("\"x y\".'z.=' = 1", "\"z.=\" = 1"),
            ("x=1 # no comment", "x = \"1 # no comment\""),
            ("x=\u{1f525}", "x = \"\u{1f525}\""),
        ] {
            let text = after(&[argument]);
            assert!(text.lines().any(|found| found == line), "{argument}: {text}");
        }
    }

    #[test]
    fn overlapping_overrides_are_refused_whatever_their_order() {
        for (a, b) in [
            ("seed=1", "seed=2"),
            ("venues.a.tick=1", "venues.a={}"),
            ("venues.*.tick=1", "venues.b.tick=2"),
            ("venues.*.tick=1", "venues.new={}"),
            ("venues.*.tick=1", "*.a.tick=2"),
        ] {
            assert_eq!(document(VENUES, &[a, b]).problems().len(), 1, "{a} {b}");
            assert_eq!(document(VENUES, &[b, a]).problems().len(), 1, "{b} {a}");
        }
        assert_eq!(document(VENUES, &["venues.*.tick=1", "venues.a.fees.taker=2"]).problems(), []);
    }

    #[test]
    fn a_refused_override_changes_nothing() {
        for argument in ["*.a=1", "venues.*.tick.x=1", "seed.x=1", "venues.a.tick=[1,", "other.*=1"] {
            let document = document(VENUES, &[argument]);
            assert_eq!(document.problems().len(), 1, "{argument}");
            assert_eq!(document.to_toml(), after(&[]), "{argument}");
        }
    }

    #[test]
    fn refused_overrides_are_drawn_on_their_own_text() {
        insta::assert_snapshot!(
            "overrides",
            refused(&[
                "seed",
                "=1",
                "seed=",
                "venues..tick=1",
                "venues.a b.tick=1",
                "venues.\"a.tick=1",
                "venues.'a'b.tick=1",
                "venus.*.tick=1",
                "venues.a.tick.x=1",
                "venues.a.other.*=1",
                "venues.a.tiers=[1, x]",
                "venues.b.fees={ a = 1, }",
                "seed=2",
                "seed=3",
            ])
        );
    }

    #[test]
    fn paths_and_values_cannot_be_deeper_than_documents() {
        let path = vec!["a"; MAX_DEPTH + 1].join(".");
        assert_eq!(document("", &[&format!("{path}=1")]).problems().len(), 1);
        assert_eq!(
            document("", &[&format!("a.b.c={}1{}", "[".repeat(31), "]".repeat(31))]).problems().len(),
            1
        );
        assert_eq!(document("", &[&format!("a.b.c={}1{}", "[".repeat(30), "]".repeat(30))]).problems(), []);
        assert!(!document("", &[&format!("a={}", "[".repeat(100_000))]).problems().is_empty());
    }
}
