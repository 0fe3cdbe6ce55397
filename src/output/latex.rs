//! Tables for LaTeX with the rules of `booktabs`, every text escaped: a file that a document takes by `\input`.

use std::fmt::Write as _;

/// What stands in a row below the first column.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Nothing that could be said.
    Empty,
    /// A number as it is to be shown, such as `-3.2`.
    Number(String),
    /// An estimate with its interval, marked where it stands.
    Estimate {
        /// The estimate as it is to be shown.
        estimate: String,
        /// Both ends.
        interval: Option<(String, String)>,
        /// Whether it is marked.
        is_marked: bool,
    },
}

/// Writes a table: `heads` of its columns, the first of them of the names of rows, and notes as comments above.
///
/// # Panics
/// Panics if a row has not as many cells as there are heads after the first.
pub fn booktabs(notes: &[String], heads: &[String], rows: &[(String, Vec<Cell>)]) -> String {
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "% {}", note.replace(['\n', '\r'], " "));
    }
    let columns = "r".repeat(heads.len().saturating_sub(1));
    let _ = writeln!(text, "\\begin{{tabular}}{{l{columns}}}\n\\toprule");
    let heads: Vec<String> = heads.iter().map(|head| escaped(head)).collect();
    let _ = writeln!(text, "{} \\\\\n\\midrule", heads.join(" & "));
    for (name, cells) in rows {
        assert_eq!(cells.len() + 1, heads.len(), "a row has a cell a column");
        let _ = write!(text, "{}", escaped(name));
        for cell in cells {
            let _ = write!(text, " & {}", drawn(cell));
        }
        text.push_str(" \\\\\n");
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n");
    text
}

fn drawn(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "--".to_owned(),
        Cell::Number(number) => math(number),
        Cell::Estimate { estimate, interval, is_marked } => {
            let mark = if *is_marked { "$^{*}$" } else { "" };
            let ends = interval.as_ref().map_or(String::new(), |(low, high)| {
                format!(" {{\\footnotesize[{}, {}]}}", math(low), math(high))
            });
            format!("{}{mark}{ends}", math(estimate))
        }
    }
}

/// Sets a number so that its minus is one, and its suffix (M, k) upright.
fn math(number: &str) -> String {
    let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    format!("${}${}", escaped(digits), &number[digits.len()..])
}

/// Escapes what LaTeX takes for a command.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', letter]),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_rules_of_booktabs_and_no_open_command() {
        let estimate = Cell::Estimate {
            estimate: "-3.2M".to_owned(),
            interval: Some(("-4".to_owned(), "-1".to_owned())),
            is_marked: true,
        };
        let text = booktabs(
            &["100 % of\n\\input{x}".to_owned()],
            &["policy".to_owned(), "fall [%]".to_owned(), "n_1".to_owned()],
            &[
                ("a_b & c\\d".to_owned(), vec![estimate, Cell::Empty]),
                ("x".to_owned(), vec![Cell::Number("5".to_owned()), Cell::Empty]),
            ],
        );
        let expected = "% 100 % of \\input{x}\n\\begin{tabular}{lrr}\n\\toprule\npolicy & fall [\\%] & n\\_1 \\\\\n\\midrule\n\
            a\\_b \\& c\\textbackslash{}d & $-3.2$M$^{*}$ {\\footnotesize[$-4$, $-1$]} & -- \\\\\nx & $5$ & -- \\\\\n\
            \\bottomrule\n\\end{tabular}\n";
        assert_eq!(text, expected);
    }
}
