//! Problems as text for people: the line, the word underlined, what is wrong, what would help.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::document::{Document, line_of};
use super::problem::{Problem, Source};

/// Most problems that are drawn; whoever has more mends these first.
const MOST: usize = 20;

/// Longest line that is drawn, in bytes; of longer ones only the position is told.
const LONGEST_LINE: usize = 1_000;

impl Document {
    /// Draws problems in the given order, at most twenty, and says how many more there are.
    pub fn render(&self, problems: &[Problem], color: bool) -> String {
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

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let title = if problem.at.is_empty() {
            problem.what.clone()
        } else {
            format!("{}: {}", problem.at, problem.what)
        };
        let group = Group::with_title(Level::ERROR.primary_title(title));
        let group = match problem.source {
            Source::Missing { start: 0, end: 0 } => group.element(Origin::path(self.name.as_str())),
            Source::File { start, end } | Source::Missing { start, end } => {
                excerpt(group, &self.text, &self.name, start..end)
            }
            Source::Argument { index, start, end } => {
                let argument = &self.arguments[index];
                excerpt(group, &argument.text, &argument.label, start..end)
            }
        };
        match &problem.help {
            Some(help) => group.element(Level::HELP.message(normalize_untrusted_str(help))),
            None => group,
        }
    }
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
        return group.element(Origin::path(name).line(number).char_column(column));
    }
    let from = (start - line_start).min(line.len());
    let to = (text.ceil_char_boundary(span.end) - line_start).clamp(from, line.len());
    group.element(
        Snippet::source(line)
            .line_start(number)
            .path(name)
            .annotation(AnnotationKind::Primary.span(from..to)),
    )
}
