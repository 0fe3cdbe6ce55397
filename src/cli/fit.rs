//! Lines that fit the window. What is longer goes on in the next line, below where its text began; a file keeps lines whole.

use super::sweep_report::window;
use std::io::IsTerminal as _;

/// Fits a text that goes to standard output, if that is a window.
pub(super) fn fitted(text: String) -> String {
    if std::io::stdout().is_terminal() { wrapped(&text, window()) } else { text }
}

/// Returns how many letters a line of standard output may have.
pub(super) fn room() -> usize {
    if std::io::stdout().is_terminal() { window() } else { usize::MAX }
}

fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = indent(line).min(width.div_euclid(2));
        let mut rest = line.to_owned();
        while rest.chars().count() > width {
            let Some((line, more)) = halves(&rest, indent, width) else { break };
            out.push_str(line.trim_end());
            out.push('\n');
            rest = format!("{:indent$}{more}", "");
        }
        out.push_str(&rest);
        out.push('\n');
    }
    out
}

/// Returns where the text of a line begins: after its name, if that stands apart.
fn indent(line: &str) -> usize {
    let text = line.trim_start();
    let before = line.len() - text.len();
    let Some((name, rest)) = text.split_once("  ") else { return before };
    before + name.chars().count() + 2 + rest.len() - rest.trim_start().len()
}

/// Breaks a line at the last space at which its first half fits; none if there is no such space.
fn halves(line: &str, indent: usize, width: usize) -> Option<(&str, &str)> {
    let places = line.char_indices().enumerate().take(width + 1);
    let spaces = places.filter(|(letter, (_, what))| *letter > indent && *what == ' ');
    let (_, (at, _)) = spaces.last()?;
    Some((&line[..at], line[at..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below_where_their_text_began() {
        let text = "short\n  name     one two three four five\n  why  x\nno name, only words in here\n";
        let narrow =
            "short\n  name     one two three\n           four five\n  why  x\nno name, only words in\nhere\n";
        assert_eq!(wrapped(text, 24), narrow);
        assert_eq!(wrapped(text, 80), text);
    }

    #[test]
    fn a_word_longer_than_the_window_stays_whole() {
        assert_eq!(wrapped("abcdefghijkl mnop", 5), "abcdefghijkl mnop\n");
        assert_eq!(wrapped("ab cdefghijklmnop qr", 5), "ab\ncdefghijklmnop qr\n");
    }

    #[test]
    fn letters_are_counted_not_bytes() {
        assert_eq!(wrapped("█████ █████", 11), "█████ █████\n");
    }
}
