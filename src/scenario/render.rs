//! Problems as text for people: the line, the word underlined, what is wrong, what would help.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::document::{Argument, Document, line_of};
use super::problem::{Problem, Source};

/// Most problems that are drawn; whoever has more mends these first.
const MOST: usize = 20;

/// Longest line that is drawn, in bytes; of longer ones only the position is told.
const LONGEST_LINE: usize = 1_000;

impl Document {
    /// Draws problems in the given order, at most twenty, and says how many more there are.
    pub fn render(&self, problems: &[Problem], color: bool) -> String {
        Drawn { name: &self.name, text: &self.text, arguments: &self.arguments }.render(problems, color)
    }
}

/// Draws problems of a text beside a scenario in the way in which those of scenarios are drawn.
pub(super) fn render_text(name: &str, text: &str, problems: &[Problem], color: bool) -> String {
    Drawn { name, text, arguments: &[] }.render(problems, color)
}

/// What problems stand in.
struct Drawn<'a> {
    name: &'a str,
    text: &'a str,
    arguments: &'a [Argument],
}

impl<'a> Drawn<'a> {
    fn render(&self, problems: &[Problem], color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for problem in problems.iter().take(MOST) {
            out.push_str(&renderer.render(&[self.group(problem)]));
            out.push_str("\n\n");
        }
        match problems.len().saturating_sub(MOST) {
            0 => {}
            1 => out.push_str("and 1 more problem\n\n"),
            more => {
                let _ = write!(out, "and {more} more problems\n\n");
            }
        }
        out.pop();
        out
    }

    fn group<'p>(&self, problem: &'p Problem) -> Group<'p>
    where
        'a: 'p,
    {
        let title = if problem.at.is_empty() {
            problem.what.clone()
        } else {
            format!("{}: {}", problem.at, problem.what)
        };
        let group = Group::with_title(Level::ERROR.primary_title(tame(&title)));
        let group = match problem.source {
            Source::Missing { start: 0, end: 0 } => group.element(Origin::path(tame(self.name))),
            Source::File { start, end } | Source::Missing { start, end } => {
                excerpt(group, self.text, self.name, start..end)
            }
            Source::Argument { index, start, end } => {
                let argument = &self.arguments[index];
                excerpt(group, &argument.text, &argument.label, start..end)
            }
        };
        match &problem.help {
            Some(help) => group.element(Level::HELP.message(normalize_untrusted_str(&tame(help)))),
            None => group,
        }
    }
}

/// Replaces the control characters that the drawing library lets through, each by a letter of the same length in
/// bytes, so that spans stay true.
fn tame(text: &str) -> String {
    text.replace(|letter| matches!(letter, '\u{80}'..='\u{9f}'), "\u{b7}")
}

/// Adds the line on which a span begins, with the part of the span that is on it underlined.
fn excerpt<'a>(group: Group<'a>, text: &'a str, name: &'a str, span: Range<usize>) -> Group<'a> {
    let start = text.floor_char_boundary(span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[line_start..line_end].trim_end_matches('\r');
    let number = line_of(text, start);
    if line.len() > LONGEST_LINE {
        let column = 1 + text[line_start..start].chars().count();
        return group.element(Origin::path(tame(name)).line(number).char_column(column));
    }
    let from = (start - line_start).min(line.len());
    let to = (text.ceil_char_boundary(span.end) - line_start).clamp(from, line.len());
    group.element(
        Snippet::source(tame(line))
            .line_start(number)
            .path(tame(name))
            .annotation(AnnotationKind::Primary.span(from..to)),
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::scenario::explain;
    use crate::scenario::sample::{KEYS, SOUND, document, drawn, read};

    fn problem(start: usize, end: usize) -> Problem {
        let source = Source::File { start, end };
        Problem { at: "a".to_owned(), source, what: "is wrong".to_owned(), help: None }
    }

    #[test]
    fn twenty_problems_are_drawn_and_the_others_counted() {
        let mut text = String::new();
        for number in 0..21 {
            writeln!(text, "x{number} = 1").unwrap();
        }
        let all = drawn(&text, &[]);
        assert_eq!(all.matches("error: ").count(), 20);
        assert!(all.ends_with("\n\nand 1 more problem\n"), "{all}");
        text.push_str("y = 1\nz = 1\n");
        assert!(drawn(&text, &[]).ends_with("\n\nand 3 more problems\n"));
    }

    #[test]
    fn a_span_over_several_lines_is_underlined_on_its_first() {
        let text = "a = [\n  1,\n]\n";
        insta::assert_snapshot!("several_lines", document(text, &[]).render(&[problem(4, 12)], false));
    }

    #[test]
    fn of_a_very_long_line_only_the_position_is_told() {
        let text = format!("a = [{}]", "1, ".repeat(1_000));
        insta::assert_snapshot!("long_line", document(&text, &[]).render(&[problem(5, 6)], false));
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let text = "sead = 1\n";
        let document = document(text, &["seed=x"]);
        let problems = read(&document);
        let colored = document.render(&problems, true);
        assert!(colored.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), document.render(&problems, false));
    }

    #[test]
    fn control_characters_of_the_input_do_not_reach_the_terminal() {
        let text = "\"\\u001b[31m\" = 1\nseed = \"\\u001b[2J\\u202e\"\n[populations.a]\nvenue = \"\\u001b]0;x\\u0007\"\n";
        let all =
            drawn(text, &["title={\u{1b}[31m", "\u{1b}=\u{7}", "populations.a.mood=\u{1b}\u{9b}\u{202e}"]);
        assert!(!all.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{all:?}");
    }

    fn slip() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            "[a-z.=,\"'\\[\\]{}#0-9_-]",
            prop::sample::select(vec![
                "venues",
                "populations",
                "retail",
                "makers",
                "strategy",
                "maker",
                "noise",
                "idle",
                "tick",
                "size",
                "mood",
                "calm",
                "levels",
                "*",
                "0.1",
                "1e5",
                "-1",
                "nan",
                "true",
                "\"x\"",
                "{}",
                "[]",
                "[[1, 2]]",
                "2h",
                "\n",
                "2026-01-01",
                "seed",
                "title",
                "venue",
                "okx",
                "\n[venues.okx.fees]\n",
                "\nstrategy.idle = {}\n",
            ])
            .prop_map(str::to_owned),
        ]
    }

    proptest! {
        /// Whatever the bytes and the arguments, reading ends with problems or values, and all can be drawn.
        #[test]
        fn no_input_panics(
            text in "(([a-z*.\"'\\[\\]{}=#,\\\\ \t\n\r0-9:_TZ+-]|\u{e9}|\u{feff}|seed|venues|populations|strategy|tick|a){0,60})",
            path in "(([a-z*.\"' ]|\u{e9}|seed|venues|populations|strategy|\\.a){0,10})",
            value in "([a-z*.\"'\\[\\]{}=#,\\\\ 0-9]|\u{e9}){0,10}",
        ) {
            match Document::parse("any.toml", text.as_bytes()) {
                Ok(mut document) => {
                    document.set("venues.*.tick=1");
                    document.set(&format!("{path}={value}"));
                    document.set(&value);
                    let problems = read(&document);
                    document.render(&problems, false);
                    let written = document.to_toml();
                    prop_assert!(Document::parse("again.toml", written.as_bytes()).is_ok(), "{}", written);
                    let _ = explain(KEYS, &path, Some(&document));
                    if problems.is_empty() {
                        let resolved = document.resolved(KEYS);
                        prop_assert_eq!(drawn(&resolved, &[]), "");
                    }
                }
                Err(rejection) => {
                    prop_assert!(!rejection.problems().is_empty());
                    rejection.render(false);
                }
            }
        }

        /// The same from a document that is nearly sound, so that the reader is reached.
        #[test]
        fn no_slip_of_the_pen_panics(
            slips in prop::collection::vec((0..SOUND.len(), 0..12_usize, slip()), 1..4),
            argument in (slip(), slip(), slip()),
        ) {
            let mut text = SOUND.to_owned();
            for (at, length, insert) in slips {
                let at = text.floor_char_boundary(at.min(text.len()));
                let end = text.ceil_char_boundary((at + length).min(text.len()));
                text.replace_range(at..end, &insert);
            }
            if let Ok(mut document) = Document::parse("slip.toml", text.as_bytes()) {
                document.set(&format!("{}.{}={}", argument.0, argument.1, argument.2));
                let problems = read(&document);
                document.render(&problems, false);
                if problems.is_empty() {
                    prop_assert_eq!(drawn(&document.resolved(KEYS), &[]), "", "{}", text);
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Err(rejection) = Document::parse("any", &bytes) {
                rejection.render(true);
            }
        }
    }
}
