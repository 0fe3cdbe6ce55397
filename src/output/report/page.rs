//! The page. Everything that comes from a folder goes through `maud`, which escapes it; drawings are made by `plotters`, which
//! escapes its texts.

use super::figures::Figures;
use super::results::Results;
use super::sheet::{Line, Sheet};
use super::theme::style;
use super::words::{Note, meaning, shell};
use crate::record::format_number;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// Rows of a table that a page holds; the table's file has all of them.
const MOST_ROWS: usize = 300;

/// Makes the page.
pub(super) fn page(results: &Results, figures: &Figures, notes: &[Note]) -> String {
    let style = style();
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    let name = &results.manifest.origin.scenario;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (name) " - firesale report" }
                style { (PreEscaped(style)) }
            }
            body {
                header {
                    h1 { bdi { (name) } }
                    p class="lead" { bdi { (results.title()) } }
                    (facts(results))
                    (warnings(results, notes))
                    (contents(results, figures))
                }
                main {
                    @for figure in &figures.drawn {
                        section {
                            h2 id=(figure.name) { (figure.title) }
                            figure {
                                (PreEscaped(&figure.svg))
                                figcaption {
                                    (figure.caption)
                                    " " span class="skip" { "Values are shown where a pointer rests. " a href=(format!("{}.svg", figure.name)) { "SVG" } ", " a href=(format!("{}.png", figure.name)) { "PNG" } }
                                }
                            }
                        }
                    }
                    (targets(results))
                    (amplification(results))
                    @for table in comparison(results) { (as_it_stands(table)) }
                    (summary(results))
                    (effects(results))
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn facts(results: &Results) -> Markup {
    let manifest = &results.manifest;
    let origin = &manifest.origin;
    let runs = origin.runs.unwrap_or(u64::from(origin.cells) * u64::from(origin.replicates));
    let up_to = if origin.runs.is_some() { "up to " } else { "" };
    html! {
        dl {
            dt { "made by" } dd { code { (shell(&origin.command)) } }
            dt { "seed" } dd { (origin.master_seed) " (" (origin.seed_scheme) ")" }
            dt { "runs" } dd { (origin.cells) " cells x " (up_to) (origin.replicates) " replicates = " (runs) ", " (origin.failed_runs) " failed" }
            dt { "model" } dd { "version " (manifest.model_version) ", firesale " (manifest.program_version) " (" (manifest.program_commit) ")" }
            dt { "plan" } dd { code { (origin.plan_blake3) } }
            dt { "files" } dd { @if results.problems.is_empty() { "as they were sealed" } @else { "not as they were sealed" } }
        }
    }
}

fn warnings(results: &Results, notes: &[Note]) -> Markup {
    html! {
        @if !results.problems.is_empty() {
            div class="warning" {
                p { strong { "These results are not as they were sealed." } " What is shown below comes from files that changed or are gone:" }
                ul { @for problem in &results.problems { li { (problem) } } }
            }
        }
        @if results.manifest.origin.failed_runs > 0 {
            div class="warning" { p { (results.manifest.origin.failed_runs) " runs failed and are in no figure or estimate; runs.csv names them." } }
        }
        @if !notes.is_empty() {
            div class="warning" {
                p { "Left out:" }
                ul { @for note in notes { li { (note.what) "; " code { (note.command) } " makes it" } } }
            }
        }
    }
}

fn contents(results: &Results, figures: &Figures) -> Markup {
    html! {
        nav aria-label="figures and tables" {
            ul {
                @for figure in &figures.drawn { li { a href=(format!("#{}", figure.name)) { (figure.title) } } }
                @if results.targets.is_some() { li { a href="#target-table" { "Targets" } } }
                @if results.amplification.is_some() { li { a href="#amplification-table" { "Amplification" } } }
                @for (id, title, ..) in comparison(results) { li { a href=(format!("#{id}")) { (title) } } }
                li { a href="#summary" { "Every metric" } }
                @if results.effects.rows().len() > 0 {
                    li { a href="#effects-table" { "What mechanisms make, metric by metric" } }
                }
            }
        }
    }
}

/// A table of which a page holds the first rows.
struct Listing<'a> {
    id: &'static str,
    title: &'static str,
    caption: &'static str,
    /// Its file.
    file: &'a str,
    head: Vec<&'a str>,
    rows: Vec<Vec<Cell>>,
    /// Rows that the file has.
    all: usize,
}

/// A cell of a table.
struct Cell {
    /// Numbers stand to the right and are not broken.
    class: Option<&'static str>,
    content: Markup,
}

impl Listing<'_> {
    /// Returns the class of a column.
    fn class(&self, index: usize) -> Option<&'static str> {
        self.rows.first().and_then(|row| row.get(index)).and_then(|cell| cell.class)
    }

    fn markup(&self) -> Markup {
        html! {
            section {
                h2 id=(self.id) { (self.title) }
                p class="note" { (self.caption) @if self.all > self.rows.len() { " The first " (self.rows.len()) " of " (self.all) " rows; " (self.file) " has all of them." } }
                div class="scroll" {
                    table aria-labelledby=(self.id) {
                        thead { tr { @for (index, name) in self.head.iter().enumerate() { th scope="col" class=[self.class(index)] { (broken(name)) } } } }
                        tbody { @for row in &self.rows { tr { @for cell in row { td class=[cell.class] { (cell.content) } } } } }
                    }
                }
            }
        }
    }
}

/// The targets with a bar each: the simulated range on an axis of tolerances, the observed value in its middle.
fn targets(results: &Results) -> Markup {
    let Some(sheet) = &results.targets else { return html! {} };
    let rows = rows(sheet, |row| {
        let mut cells = vec![name(row.text("id")), name(row.text("use")), bar(row)];
        cells.extend(["observed", "tolerance", "median"].map(|column| number(row.number(column))));
        cells.push(interval(row.number("p05").zip(row.number("p95"))));
        cells.extend(["inside", "narrow"].map(|column| name(row.text(column))));
        cells
            .extend(["score", "unlevered_score", "diffusion_score"].map(|column| number(row.number(column))));
        cells
    });
    Listing {
        id: "target-table",
        title: "Targets",
        caption: "Scores are interval scores in tolerances, lower is better. The bar is the middle 90 % of runs from 12 tolerances below what was observed (the line) to 12 above; a dash stands where fewer than five have a value.",
        file: sheet.file(),
        head: vec![
            "target", "use", "simulated beside observed", "observed", "tolerance", "median", "5 .. 95 %", "inside", "narrow", "score",
            "unlevered", "diffusion",
        ],
        rows,
        all: sheet.rows().len(),
    }
    .markup()
}

fn bar(row: Line<'_>) -> Cell {
    let scaled = |name: &str| {
        let tolerance = row.number("tolerance").filter(|tolerance| *tolerance > 0.0)?;
        let share = ((row.number(name)? - row.number("observed")?) / tolerance / 24.0 + 0.5).clamp(0.0, 1.0);
        Some(libm::rint(share * 200.0))
    };
    let (Some(low), Some(middle), Some(high)) = (scaled("p05"), scaled("median"), scaled("p95")) else {
        return number(None);
    };
    let label =
        format!("median {}, observed {}", rounded(row.number("median").unwrap_or(0.0)), row.text("observed"));
    let content = html! {
        span class="bar" {
            svg viewBox="0 0 200 16" role="img" aria-label=(label) {
                rect class="track" x="0" y="2" width="200" height="12" {}
                rect class="range" x=(low) y="4" width=((high - low).max(1.0)) height="8" {}
                line class="middle" x1=(middle) x2=(middle) y1="4" y2="12" {}
                line class="observed" x1="100" x2="100" y1="0" y2="16" {}
            }
        }
    };
    Cell { class: None, content }
}

fn amplification(results: &Results) -> Markup {
    let Some(sheet) = &results.amplification else { return html! {} };
    let parameters = results.parameters();
    let mut head = parameters.clone();
    head.extend([
        "runs",
        "fall with [%]",
        "without [%]",
        "amplification",
        "95 % interval",
        "effective R",
        "95 % interval",
    ]);
    let rows = rows(sheet, |row| {
        let mut cells = given(&parameters, row);
        cells.push(name(row.text("replicates")));
        cells.extend(["fall_with_pct", "fall_without_pct"].map(|column| number(row.number(column))));
        for column in ["amplification", "effective_r"] {
            cells.push(number(row.number(column)));
            cells.push(interval(row.interval(column)));
        }
        cells
    });
    Listing {
        id: "amplification-table",
        title: "Amplification",
        caption: "The mean fall with forced selling over that without it, each less the fall of the same run without the shock.",
        file: sheet.file(),
        head,
        rows,
        all: sheet.rows().len(),
    }
    .markup()
}

/// A table that is shown as it stands in its file: its place in the page, title, caption and rows.
type AsItStands<'r> = (&'static str, &'static str, &'static str, &'r Sheet);

/// The tables of a comparison that have rows.
fn comparison(results: &Results) -> Vec<AsItStands<'_>> {
    let tables = [
        (
            "policy-table",
            "Policies",
            "Each metric under a policy and in the scenario as it is, paired by seed.",
            &results.policies,
        ),
        (
            "ranking-table",
            "Ranking",
            "Ranks by mean, and those that pairwise tests leave open; less is better.",
            &results.ranking,
        ),
        (
            "pareto-table",
            "Trade-offs",
            "What protects against what it costs, and how sure its place on the front is.",
            &results.pareto,
        ),
    ];
    let with_rows = tables.into_iter().filter_map(|(id, title, caption, sheet)| {
        let sheet = sheet.as_ref().filter(|sheet| sheet.rows().len() > 0)?;
        Some((id, title, caption, sheet))
    });
    with_rows.collect()
}

fn as_it_stands((id, title, caption, sheet): AsItStands<'_>) -> Markup {
    let head: Vec<&str> = sheet.names().filter(|name| !["cell", "replicate"].contains(name)).collect();
    let cell = |row: Line<'_>, column: &str| match row.number(column) {
        Some(value) => number(Some(value)),
        None => name(row.text(column)),
    };
    let rows = rows(sheet, |row| head.iter().map(|column| cell(row, column)).collect());
    Listing { id, title, caption, file: sheet.file(), head, rows, all: sheet.rows().len() }.markup()
}

fn summary(results: &Results) -> Markup {
    let sheet = &results.summary;
    let parameters = results.parameters();
    let mut head = parameters.clone();
    head.extend(["arm", "metric", "runs", "mean", "95 % interval", "median", "5 %", "95 %"]);
    let rows = rows(sheet, |row| {
        let mut cells = given(&parameters, row);
        cells.push(name(row.text("arm")));
        cells.push(metric(row));
        cells.push(name(row.text("replicates")));
        cells.push(number(row.number("mean")));
        cells.push(interval(row.interval("mean")));
        cells.extend(["median", "p05", "p95"].map(|column| number(row.number(column))));
        cells
    });
    Listing {
        id: "summary",
        title: "Every metric",
        caption: "Means with their Student interval, and quantiles, over the replicates of a cell.",
        file: sheet.file(),
        head,
        rows,
        all: sheet.rows().len(),
    }
    .markup()
}

fn effects(results: &Results) -> Markup {
    let sheet = &results.effects;
    if sheet.rows().len() == 0 {
        return html! {};
    }
    let parameters = results.parameters();
    let mut head = parameters.clone();
    head.extend(["mechanism", "metric", "pairs", "with", "without", "difference", "95 % interval"]);
    let rows = rows(sheet, |row| {
        let mut cells = given(&parameters, row);
        cells.push(name(row.text("mechanism")));
        cells.push(metric(row));
        cells.push(name(row.text("pairs")));
        cells.extend(["mean_with", "mean_without", "difference"].map(|column| number(row.number(column))));
        cells.push(interval(row.interval("difference")));
        cells
    });
    Listing {
        id: "effects-table",
        title: "What mechanisms make, metric by metric",
        caption: "Each metric with and without a mechanism on the same dice; the interval is that of the mean difference.",
        file: sheet.file(),
        head,
        rows,
        all: sheet.rows().len(),
    }
    .markup()
}

fn rows(sheet: &Sheet, row: impl Fn(Line<'_>) -> Vec<Cell>) -> Vec<Vec<Cell>> {
    sheet.rows().take(MOST_ROWS).map(row).collect()
}

fn given(parameters: &[&str], row: Line<'_>) -> Vec<Cell> {
    parameters.iter().map(|parameter| name(row.text(parameter))).collect()
}

/// Short text.
fn name(text: &str) -> Cell {
    Cell { class: Some("text"), content: broken(text) }
}

/// A name, which may be broken after its underscores and nowhere else while there is room.
fn broken(name: &str) -> Markup {
    let parts = name.split_inclusive('_').enumerate();
    html! { bdi { @for (index, part) in parts { @if index > 0 { wbr; } (part) } } }
}

fn metric(row: Line<'_>) -> Cell {
    Cell { class: Some("wide"), content: html! { bdi { (meaning(row.text("metric"))) } } }
}

fn number(value: Option<f64>) -> Cell {
    Cell { class: None, content: html! { (value.map_or_else(|| "-".to_owned(), rounded)) } }
}

fn interval(ends: Option<(f64, f64)>) -> Cell {
    let text =
        ends.map_or_else(|| "-".to_owned(), |(low, high)| format!("{} .. {}", rounded(low), rounded(high)));
    Cell { class: None, content: html! { (text) } }
}

/// Writes a number with five digits: tables of the folder have all of them.
fn rounded(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = 4 - libm::floor(libm::log10(value.abs())) as i32;
    let power = libm::pow(10.0, f64::from(digits.clamp(0, 12)));
    format_number(libm::rint(value * power) / power).unwrap_or_default()
}
