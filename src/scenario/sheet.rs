//! A CSV file beside a scenario: cells that know where they stand, and every problem at once. What its columns mean is not
//! known here.
//!
//! One line a row, the first one with the names of the columns, in any order; empty lines and lines that begin with `#` are
//! for people. A cell with a comma stands in double quotes and does not reach beyond its line.

use super::document::{MAX_BYTES, read_regular};
use super::problem::{Problem, Source, listed, nearest, shown};
use super::render::render_text;
use std::ops::Range;
use std::path::Path;

/// The columns that a sheet has.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Those that must be there.
    pub required: &'static [&'static str],
    /// Those that may be there; a missing one is empty in every row.
    pub optional: &'static [&'static str],
}

/// A CSV file as text with the places of its cells.
#[derive(Clone, Debug)]
pub struct Sheet {
    name: String,
    text: String,
    lines: Vec<Line>,
}

/// One row of a sheet.
#[derive(Clone, Debug)]
pub struct Line {
    span: Range<usize>,
    cells: Vec<(&'static str, Cell)>,
}

#[derive(Clone, Debug)]
struct Cell {
    text: String,
    span: Range<usize>,
}

/// A sheet with all that is wrong with it.
#[derive(Clone, Debug)]
pub struct BadSheet {
    name: String,
    text: String,
    problems: Vec<Problem>,
}

impl BadSheet {
    /// Draws what is wrong, with the lines of the file.
    pub fn render(&self, color: bool) -> String {
        render_text(&self.name, &self.text, &self.problems, color)
    }
}

impl Sheet {
    /// Reads a regular file of at most a megabyte.
    ///
    /// # Errors
    /// Says why it cannot be a sheet: missing, a folder, a pipe, too large, not UTF-8, other columns.
    pub fn open(path: &Path, columns: Columns) -> Result<Self, BadSheet> {
        let name = path.display().to_string();
        let refused =
            |what| BadSheet { name: name.clone(), text: String::new(), problems: vec![nowhere(what)] };
        let bytes = read_regular(path).map_err(refused)?;
        if bytes.len() > MAX_BYTES {
            return Err(refused(format!("larger than {MAX_BYTES} bytes, the most that it may have")));
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| refused(format!("not UTF-8: byte {}", error.utf8_error().valid_up_to())))?;
        Self::parse(&name, &text, columns)
    }

    /// Parses a text; `name` is what messages call it.
    ///
    /// # Errors
    /// Says every column that is missing, unknown or there twice, and every row with another number of cells.
    pub fn parse(name: &str, text: &str, columns: Columns) -> Result<Self, BadSheet> {
        let bad = |problems| BadSheet { name: name.to_owned(), text: text.to_owned(), problems };
        let text_without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut at = text.len() - text_without_mark.len();
        let mut rows = Vec::new();
        for whole in text_without_mark.split_inclusive('\n') {
            let line = whole.trim_end_matches(['\n', '\r']);
            if !line.trim().is_empty() && !line.starts_with('#') {
                rows.push((at..at + line.len(), cells(line, at)));
            }
            at += whole.len();
        }
        if rows.is_empty() {
            return Err(bad(vec![nowhere("has no line with the names of its columns".to_owned())]));
        }
        let (head_span, head) = rows.remove(0);
        let mut problems = Vec::new();
        let names = named(&head, head_span, columns, &mut problems);
        if !problems.is_empty() {
            return Err(bad(problems));
        }
        let mut lines = Vec::new();
        for (span, cells) in rows {
            if cells.len() != names.len() {
                let what = format!("has {} cells, expected {}", cells.len(), names.len());
                let help = Some("a cell with a comma stands in double quotes".to_owned());
                problems.push(Problem { at: String::new(), source: file(&span), what, help });
                continue;
            }
            lines.push(Line { span, cells: names.iter().copied().zip(cells).collect() });
        }
        if problems.is_empty() {
            Ok(Self { name: name.to_owned(), text: text.to_owned(), lines })
        } else {
            Err(bad(problems))
        }
    }

    /// Returns the rows.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Makes the refusal of the sheet out of what was found wrong with its rows, in the order of their places.
    ///
    /// # Panics
    /// Panics without a problem.
    pub fn refuse(&self, mut problems: Vec<Problem>) -> BadSheet {
        assert!(!problems.is_empty(), "a refusal says why");
        problems.sort_by_key(|problem| problem.source.order());
        BadSheet { name: self.name.clone(), text: self.text.clone(), problems }
    }
}

impl Line {
    /// Returns the cell of a column, without the blanks around it; empty where the column is not there.
    pub fn cell(&self, column: &str) -> &str {
        self.find(column).map_or("", |cell| cell.text.trim())
    }

    /// Makes a problem at the cell of a column, or at the whole line where there is none.
    pub fn problem(&self, column: &str, what: String, help: Option<String>) -> Problem {
        let span = self.find(column).map(|cell| &cell.span).filter(|span| !span.is_empty());
        Problem { at: column.to_owned(), source: file(span.unwrap_or(&self.span)), what, help }
    }

    fn find(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|(name, _)| *name == column).map(|(_, cell)| cell)
    }
}

/// Understands the line of names.
fn named(
    head: &[Cell],
    span: Range<usize>,
    columns: Columns,
    problems: &mut Vec<Problem>,
) -> Vec<&'static str> {
    let known = || columns.required.iter().chain(columns.optional).copied();
    let mut names = Vec::new();
    for cell in head {
        let word = cell.text.trim();
        let problem = |what, help| Problem { at: String::new(), source: file(&cell.span), what, help };
        match known().find(|name| *name == word) {
            Some(name) if names.contains(&name) => {
                problems.push(problem(format!("column {name} stands here twice"), None));
            }
            Some(name) => names.push(name),
            None => {
                let help = nearest(word, known()).map_or_else(
                    || format!("columns: {}", listed(known())),
                    |near| format!("did you mean `{near}`?"),
                );
                problems.push(problem(format!("unknown column {:?}", shown(word)), Some(help)));
            }
        }
    }
    let missing: Vec<&str> = columns.required.iter().filter(|name| !names.contains(name)).copied().collect();
    if !missing.is_empty() {
        let what = format!("missing columns: {}", missing.join(", "));
        problems.push(Problem { at: String::new(), source: file(&span), what, help: None });
    }
    names
}

/// Cuts one line into cells: the `csv` crate reads their texts, and a walk over the quotes finds their places.
fn cells(line: &str, at: usize) -> Vec<Cell> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    let texts: Vec<String> = reader
        .records()
        .filter_map(Result::ok)
        .flat_map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut spans = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (place, letter) in line.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                spans.push(at + start..at + place);
                start = place + 1;
            }
            _ => {}
        }
    }
    spans.push(at + start..at + line.len());
    let whole = at..at + line.len();
    let agreed = spans.len() == texts.len();
    let spans = if agreed { spans } else { vec![whole; texts.len()] };
    texts.into_iter().zip(spans).map(|(text, span)| Cell { text, span }).collect()
}

fn file(span: &Range<usize>) -> Source {
    Source::File { start: span.start, end: span.end }
}

fn nowhere(what: String) -> Problem {
    Problem { at: String::new(), source: Source::Missing { start: 0, end: 0 }, what, help: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: Columns = Columns { required: &["id", "price"], optional: &["note"] };

    fn parse(text: &str) -> Result<Sheet, String> {
        Sheet::parse("a.csv", text, COLUMNS).map_err(|bad| bad.render(false))
    }

    #[test]
    fn columns_come_in_any_order_between_lines_for_people() {
        let sheet = parse("# why\n\nprice,id\n1.5, a \n# not this\n2,\"b, \"\"c\"\"\"\n").unwrap();
        let rows: Vec<[&str; 3]> =
            sheet.lines().iter().map(|l| ["id", "price", "note"].map(|c| l.cell(c))).collect();
        assert_eq!(rows, [["a", "1.5", ""], ["b, \"c\"", "2", ""]]);
    }

    #[test]
    fn a_problem_stands_at_its_cell() {
        let sheet = parse("id,price\r\n\"a, b\",x\r\n").unwrap();
        let problem = sheet.lines()[0].problem("price", "is no number".to_owned(), None);
        let Source::File { start, end } = problem.source else { panic!("{problem:?}") };
        assert_eq!(&sheet.text()[start..end], "x");
        let said = sheet.refuse(vec![problem]).render(false);
        assert!(said.contains("a.csv:2:8") && said.contains("price: is no number"), "{said}");
    }

    #[test]
    fn other_columns_are_told_all_at_once() {
        let said = parse("id,prise,id,xyzzy\n").unwrap_err();
        for part in [
            "\"prise\"",
            "did you mean `price`?",
            "id stands here twice",
            "\"xyzzy\"",
            "columns: id, price, note",
            "missing columns: price",
        ] {
            assert!(said.contains(part), "no {part} in {said}");
        }
        let said = parse("id,price\na\nb,1,2\n").unwrap_err();
        assert!(
            said.contains("a.csv:2") && said.contains("a.csv:3") && said.contains("has 3 cells, expected 2"),
            "{said}"
        );
        assert!(parse("# nothing\n").unwrap_err().contains("has no line"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(id,price\n)?([a-z,\"#\\r\\n \u{e9}\u{feff}]{0,40})") {
            match parse(&text) {
                Ok(sheet) => for line in sheet.lines() {
                    let problem = line.problem("price", "x".to_owned(), None);
                    sheet.refuse(vec![problem]).render(false);
                },
                Err(said) => prop_assert!(!said.is_empty()),
            }
        }
    }
}
