//! `targets`: a scenario held against what was observed, which stands in a file beside it.

use super::Failure;
use super::args::TargetsArgs;
use super::load::{Loaded, colored, load};
use super::run::finish;
use super::summary::{heading, human};
use super::sweep_report::cut;
use crate::experiment::{Comparison, Design, Forecast, Judged, JumpNull};
use crate::record::targets::{COLUMNS, HOURLY_COLUMNS, Hourly, Purpose, Target, read, read_hourly};
use crate::scenario::{BadSheet, Sheet, shipped};
use crate::units::MarketId;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Name of the file of targets in a results folder, where the scenario is `scenario.toml`: so the folder is a scenario with its
/// targets again.
const COPY: &str = "scenario.targets.csv";

/// Compares a scenario with its targets and returns the exit code.
pub(super) fn targets(args: &TargetsArgs) -> Result<u8, Failure> {
    let args = &args.as_run();
    let loaded = load(&args.load)?;
    let (beside, targets) = Beside::load(&args.load.scenario, &loaded)?;
    let design = Design::compared(&loaded.scenario, args.seed, args.replicates, args.work.hash, targets);
    finish(args, &loaded, &design, Some(&beside))
}

/// Tells whether there is a file of targets for what was named as a scenario.
pub(super) fn exist_for(scenario: &str) -> bool {
    shipped::find(scenario).map_or_else(|| path_of(scenario).is_file(), |shipped| shipped.targets.is_some())
}

/// `path/x.toml` has its targets in `path/x.targets.csv`.
fn path_of(scenario: &str) -> PathBuf {
    Path::new(scenario).with_extension("targets.csv")
}

/// Opens the file of targets of a scenario.
pub(super) fn open(scenario: &str) -> Result<Sheet, Failure> {
    let sheet = match shipped::find(scenario) {
        Some(shipped) => {
            let Some(text) = shipped.targets else { return Err(without_targets(shipped.name)) };
            Sheet::parse(&format!("{}.targets.csv", shipped.name), text, COLUMNS)
        }
        None if path_of(scenario).exists() => Sheet::open(&path_of(scenario), COLUMNS),
        None => return Err(without_file(scenario)),
    };
    sheet.map_err(|bad| Failure::user(bad.render(colored())))
}

/// What stands beside a scenario.
pub(super) struct Beside {
    targets: String,
    hourly: Option<HourlyFile>,
}

struct HourlyFile {
    market: MarketId,
    market_name: String,
    text: String,
    hourly: Hourly,
}

impl Beside {
    /// Reads the targets of a scenario, and the hourly prices of a market if they are there.
    fn load(scenario: &str, loaded: &Loaded) -> Result<(Self, Vec<Target>), Failure> {
        let refuse = |bad: BadSheet| Failure::user(bad.render(colored()));
        let shipped = shipped::find(scenario);
        let sheet = open(scenario)?;
        let targets = read(&sheet, &loaded.scenario).map_err(refuse)?;
        let mut hourly = None;
        for (index, market) in loaded.scenario.world.markets.iter().enumerate() {
            let path = Path::new(scenario).with_extension(format!("{}.hourly.csv", market.name));
            let found = match shipped {
                Some(shipped) => {
                    let file = shipped.hourly.iter().find(|(of, _)| *of == market.name);
                    file.map(|(_, text)| Sheet::parse(&path.display().to_string(), text, HOURLY_COLUMNS))
                }
                None if path.exists() => Some(Sheet::open(&path, HOURLY_COLUMNS)),
                None => None,
            };
            if let Some(found) = found {
                let sheet = found.map_err(refuse)?;
                hourly = Some(HourlyFile {
                    market: MarketId(index as u16),
                    market_name: market.name.clone(),
                    hourly: read_hourly(&sheet).map_err(refuse)?,
                    text: sheet.text().to_owned(),
                });
                break;
            }
        }
        Ok((Self { targets: sheet.text().to_owned(), hourly }, targets))
    }

    /// Returns the files that a results folder keeps of it, by name.
    pub(super) fn copies(&self) -> Vec<(String, &str)> {
        let mut copies = vec![(COPY.to_owned(), self.targets.as_str())];
        if let Some(file) = &self.hourly {
            copies.push((format!("scenario.{}.hourly.csv", file.market_name), file.text.as_str()));
        }
        copies
    }

    /// Returns hourly prices around the start, with their market.
    pub(super) fn hourly(&self) -> Option<(MarketId, &Hourly)> {
        self.hourly.as_ref().map(|file| (file.market, &file.hourly))
    }
}

fn without_targets(name: &str) -> Failure {
    let names: Vec<&str> =
        shipped::SHIPPED.iter().filter(|other| other.targets.is_some()).map(|other| other.name).collect();
    Failure::user(format!(
        "error: {name} has no targets: nothing was observed that it stands for\n  shipped with targets: {}",
        names.join(", ")
    ))
}

fn without_file(scenario: &str) -> Failure {
    let required = COLUMNS.required.join(",");
    Failure::user(format!(
        "error: {scenario} has no targets: there is no file {}\n  write what was observed into it, one row a target, under\n  \
         {required}\n  `firesale show btc-2026-02-23 --targets` prints one",
        path_of(scenario).display()
    ))
}

/// Letters of the first column where there is room.
const LABEL: usize = 34;
/// Letters of the first column where there is none.
const NARROW: usize = 12;
/// Letters of three scores, each with the space before it.
const SCORES: usize = 3 * 12;

/// A column of the table of what is compared.
struct Shown {
    name: &'static str,
    /// Letters between it and the column before.
    gap: usize,
    width: usize,
    is_right: bool,
    /// The largest goes first where there is no room; 0 stays.
    expendable: u8,
    of: fn(&Judged<'_>) -> String,
}

const SHOWN: [Shown; 8] = [
    Shown { gap: 1, width: 5, ..word("use", 2, |judged| judged.target.purpose.name().to_owned()) },
    number("observed", 0, |judged| human(Some(judged.target.observed))),
    number("tolerance", 3, |judged| human(Some(judged.target.tolerance))),
    number("median", 0, |judged| human(judged.model.map(|model| model.spread.median))),
    number("5 %", 0, |judged| human(judged.model.map(|model| model.spread.low))),
    number("95 %", 0, |judged| human(judged.model.map(|model| model.spread.high))),
    word("narrow", 1, |judged| yes(judged.model.map(|model| model.narrow))),
    word("inside", 0, |judged| yes(judged.model.map(|model| model.inside))),
];

const fn number(name: &'static str, expendable: u8, of: fn(&Judged<'_>) -> String) -> Shown {
    Shown { name, gap: 1, width: 9, is_right: true, expendable, of }
}

const fn word(name: &'static str, expendable: u8, of: fn(&Judged<'_>) -> String) -> Shown {
    Shown { name, gap: 2, width: 6, is_right: false, expendable, of }
}

fn yes(whether: Option<bool>) -> String {
    whether.map_or("-", |whether| if whether { "yes" } else { "no" }).to_owned()
}

/// The table as it fits: the width of the first column, and the columns beside it.
struct Layout {
    width: usize,
    shown: Vec<&'static Shown>,
}

impl Layout {
    fn of(room: usize) -> Self {
        let mut shown: Vec<&Shown> = SHOWN.iter().collect();
        let wide = |shown: &[&Shown]| shown.iter().map(|column| column.gap + column.width).sum::<usize>();
        while wide(&shown) + NARROW > room {
            let most = shown.iter().map(|column| column.expendable).max().unwrap_or(0);
            if most == 0 {
                break;
            }
            shown.retain(|column| column.expendable != most);
        }
        Self { width: room.saturating_sub(wide(&shown)).clamp(NARROW, LABEL), shown }
    }

    fn line(&self, first: &str, cell: impl Fn(&Shown) -> String) -> String {
        let mut line = format!("{:<width$}", cut(first, self.width), width = self.width);
        for column in &self.shown {
            let Shown { gap, width, .. } = *column;
            let text = cell(column);
            line.push_str(&" ".repeat(*gap));
            let _ =
                if column.is_right { write!(line, "{text:>width$}") } else { write!(line, "{text:<width$}") };
        }
        line
    }
}

/// Writes the comparison for a person, in lines of at most `room` letters as far as numbers allow.
pub(super) fn text(design: &Design, comparison: &Comparison<'_>, room: usize) -> String {
    let mut out = heading(design);
    out.truncate(out.trim_end().len());
    out.push('\n');
    if let Some((runs, met)) = comparison.given {
        let _ = writeln!(
            out,
            "given the fitted: what is not fitted is compared with the {met} of {runs} replicates in which what is fitted is within its tolerance"
        );
        if met < 20 {
            let _ = writeln!(out, "  a range of so few is coarse: more replicates give more (-n)");
        }
    }
    let layout = Layout::of(room);
    let head = layout.line("observed beside simulated", |column| column.name.to_owned());
    let _ = writeln!(out, "\n{}", head.trim_end());
    for judged in &comparison.targets {
        let met = comparison.given.filter(|_| judged.target.purpose != Purpose::Fit).map(|(_, met)| met);
        row(&mut out, judged, &layout, met.unwrap_or(design.replicates as usize));
    }
    let width = room.saturating_sub(SCORES).clamp(NARROW, LABEL);
    let _ = writeln!(
        out,
        "\n{:<width$} {:>11} {:>11} {:>11}",
        "interval score in tolerances", "scenario", "unlevered", "diffusion"
    );
    for judged in comparison.targets.iter().filter(|judged| judged.target.purpose == Purpose::Score) {
        let score = |forecast: Option<Forecast>| human(forecast.map(|forecast| forecast.score));
        let [model, unlevered, diffusion] = [judged.model, judged.unlevered, judged.diffusion].map(score);
        let _ = writeln!(out, "{:<width$} {model:>11} {unlevered:>11} {diffusion:>11}", judged.target.id);
    }
    totals(&mut out, comparison, width);
    out.push('\n');
    out.push_str(&notes(design, comparison));
    out.push_str("\nwhat is compared\n");
    for judged in &comparison.targets {
        let Target { id, scale, scope, .. } = judged.target;
        let times = if scale.to_bits() == 1.0_f64.to_bits() {
            String::new()
        } else {
            format!(" (simulated x {})", human(Some(*scale)))
        };
        let _ = writeln!(out, "  {id}{times}: {scope}");
    }
    out
}

fn row(out: &mut String, judged: &Judged<'_>, layout: &Layout, runs: usize) {
    let target = judged.target;
    let unit = target.statistic.unit;
    let label = if unit == "1" { target.id.clone() } else { format!("{} [{unit}]", target.id) };
    let count = judged.model.map_or(0, |model| model.count);
    let mut line = layout.line(&label, |column| (column.of)(judged));
    if count < runs {
        let _ = write!(line, "  {count} of {runs} runs");
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

fn totals(out: &mut String, comparison: &Comparison<'_>, width: usize) {
    let all = comparison.total(|judged| judged.model);
    let _ = writeln!(
        out,
        "{:<width$} {:>11}",
        format!("sum of the {} scored", all.targets),
        human(Some(all.model))
    );
    let unlevered = comparison.total(|judged| judged.unlevered);
    if unlevered.targets > 0 {
        let [model, null] = [unlevered.model, unlevered.null].map(|score| human(Some(score)));
        let label = format!("sum of the {} that unlevered has", unlevered.targets);
        let _ = writeln!(out, "{label:<width$} {model:>11} {null:>11}");
    }
    let diffusion = comparison.total(|judged| judged.diffusion);
    if diffusion.targets > 0 {
        let [model, null] = [diffusion.model, diffusion.null].map(|score| human(Some(score)));
        let label = format!("sum of the {} that diffusion has", diffusion.targets);
        let _ = writeln!(out, "{label:<width$} {model:>11} {:>11} {null:>11}", "");
    }
}

/// Says how to read the tables and what the nulls are.
fn notes(design: &Design, comparison: &Comparison<'_>) -> String {
    let mut out = "Lower scores are better. A target that was fitted to (fit) is no test; narrow: the range is no wider than three \
                   tolerances. The nulls are held to what is fitted as the scenario is; -: fewer than five values.\n"
        .to_owned();
    if comparison.has_unlevered {
        out.push_str("unlevered: the same runs with leverage 1 for everybody, at the same notional.\n");
    } else {
        out.push_str("unlevered: none, as nobody in the scenario has leverage.\n");
    }
    let Some(null) = &comparison.diffusion else {
        let market = &design.base.world.markets[0].name;
        let _ = writeln!(
            out,
            "diffusion: none; it needs a target of marks and hourly prices before the start, in a file NAME.{market}.hourly.csv \
             beside the scenario."
        );
        return out;
    };
    let JumpNull { process, returns, conditioned } = null;
    let percent = |value: f64| human(Some(value * 100.0));
    let _ = writeln!(
        out,
        "diffusion: Merton's jump-diffusion fitted to {returns} hourly returns before the start (an hour: volatility {} %, {} jumps \
         of {} +- {} %); it speaks about marks only.",
        percent(process.volatility),
        human(Some(process.intensity)),
        percent(process.jump_mean),
        percent(process.jump_sd)
    );
    let _ = match conditioned {
        Some((index, drift)) => writeln!(
            out,
            "  Like the scenario it has a free parameter: a drift of {} % over the window of {}, for a median as observed.",
            percent(*drift),
            comparison.targets[*index].target.id
        ),
        None => writeln!(out, "  No fall is fitted, so it has no free parameter."),
    };
    out
}

/// Makes the comparison for a machine.
pub(super) fn json(design: &Design, comparison: &Comparison<'_>, folder: &str) -> Value {
    let forecast = |forecast: Option<Forecast>| {
        forecast.map(|forecast| {
            json!({
                "runs": forecast.count,
                "median": forecast.spread.median,
                "p05": forecast.spread.low,
                "p95": forecast.spread.high,
                "narrow": forecast.narrow,
                "inside": forecast.inside,
                "score": forecast.score,
            })
        })
    };
    let targets: Vec<Value> = (comparison.targets.iter())
        .map(|judged| {
            let target = judged.target;
            json!({
                "id": target.id,
                "statistic": target.statistic.name,
                "unit": target.statistic.unit,
                "use": target.purpose.name(),
                "scale": target.scale,
                "observed": target.observed,
                "tolerance": target.tolerance,
                "scope": target.scope,
                "scenario": forecast(judged.model),
                "scenario_whatever_is_fitted": forecast(judged.all),
                "unlevered": forecast(judged.unlevered),
                "diffusion": forecast(judged.diffusion),
            })
        })
        .collect();
    let all = comparison.total(|judged| judged.model);
    let [unlevered, diffusion] =
        [comparison.total(|judged| judged.unlevered), comparison.total(|judged| judged.diffusion)]
            .map(|total| json!({ "targets": total.targets, "scenario": total.model, "null": total.null }));
    let process = comparison.diffusion.map(|fitted| {
        let drift = fitted.conditioned.map(
            |(index, drift)| json!({ "target": comparison.targets[index].target.id, "log_return": drift }),
        );
        json!({
            "returns": fitted.returns,
            "drift": fitted.process.drift,
            "volatility": fitted.process.volatility,
            "intensity": fitted.process.intensity,
            "jump_mean": fitted.process.jump_mean,
            "jump_sd": fitted.process.jump_sd,
            "conditioned": drift,
        })
    });
    json!({
        "scenario": design.base.name,
        "replicates": design.replicates,
        "seed": design.seed,
        "model_version": crate::MODEL_VERSION,
        "folder": folder,
        "runs_given_the_fitted": comparison.given.map(|(_, met)| met),
        "targets": targets,
        "scores": {
            "scenario": { "targets": all.targets, "scenario": all.model },
            "unlevered": unlevered,
            "diffusion": diffusion,
        },
        "diffusion": process,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_and_keeps_what_says_how_it_came_out() {
        for room in [60, 80, 106, usize::MAX] {
            let layout = Layout::of(room);
            let head = layout.line("observed beside simulated", |column| column.name.to_owned());
            assert!(head.chars().count() <= room, "{head}");
            assert!(["observed", "median", "5 %", "95 %", "inside"].iter().all(|name| head.contains(name)));
            assert_eq!(head.contains("narrow"), room >= 80, "{head}");
            assert_eq!(head.contains("tolerance"), room >= 106, "{head}");
        }
        let whole = Layout::of(usize::MAX).line("observed beside simulated", |column| column.name.to_owned());
        assert_eq!(
            whole,
            "observed beside simulated          use    observed tolerance    median       5 %      95 %  narrow  inside"
        );
    }
}
