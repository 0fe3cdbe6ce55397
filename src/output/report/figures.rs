//! Which figures a folder's tables hold.

use super::super::figure::{Distributions, Fans, Figure, Sample, distribution_figure, fan_figure};
use super::estimates;
use super::ReportError;
use super::dress::dress;
use super::over_time::OverTime;
use super::results::Results;
use super::sheet::Line;
use super::words::{cut, meaning};

/// The metric that figures of many points show.
pub(super) const METRIC: &str = "drawdown_pct";
/// Distributions that fit on a sheet of paper.
const MOST_DISTRIBUTIONS: usize = 7;
/// Letters of a title that fit beside each other.
const TITLE: usize = 60;

/// The figures of a report.
pub(super) struct Figures {
    /// Those that were drawn.
    pub(super) drawn: Vec<Figure>,
    /// Those that were not, with what they lack.
    pub(super) left_out: Vec<String>,
}

/// Draws whatever the tables of a folder hold.
pub(super) fn draw(results: &Results) -> Result<Figures, ReportError> {
    let mut figures = Figures { drawn: Vec::new(), left_out: Vec::new() };
    if results.study.is_none() {
        match over_time(results)? {
            Some(figure) => figures.drawn.push(figure),
            None => figures.left_out.push("the fan chart needs series.csv with a finished run in it".to_owned()),
        }
    }
    figures.drawn.extend(distributions(results));
    figures.drawn.extend(estimates::targets(results));
    figures.drawn.extend(estimates::amplification(results));
    let points = estimates::points(results).or_else(|| estimates::points_in_rows(results));
    figures.drawn.extend(points);
    figures.drawn.extend(estimates::effects(results));
    figures.drawn = figures.drawn.into_iter().map(dress).collect();
    Ok(figures)
}

fn over_time(results: &Results) -> Result<Option<Figure>, ReportError> {
    let path = results.folder.join("series.csv");
    if !path.exists() {
        return Ok(None);
    }
    let perpetual = results.perpetual();
    let Some(series) = OverTime::read(&path, perpetual.map(|(market, _)| market))? else { return Ok(None) };
    let [mark, basis, bids, asks, open_interest] =
        ["mark", "basis_bps", "depth_bid_1pct_usd", "depth_ask_1pct_usd", "open_interest_coins"]
            .map(|name| series.fan(name));
    let [longs, shorts] = ["liquidated_long_usd", "liquidated_short_usd"].map(|name| series.mean(name));
    let start = results.scenario.get("start").map_or_else(String::new, |start| format!("start {start}, "));
    let of = results.manifest.origin.replicates;
    let count = if series.replicates < of as usize && results.manifest.origin.failed_runs == 0 {
        format!("the first {} of {of} replicates", series.replicates)
    } else {
        format!("{} replicates", series.replicates)
    };
    Ok(Some(fan_figure(&Fans {
        title: &title(results),
        below: &format!("{start}{count}, one of them number {}", cut(&series.first, 8)),
        coin: &cut(perpetual.map_or("coins", |(_, coin)| coin), 20),
        time_s: &series.time_s,
        mark: &mark,
        one: series.one("mark"),
        basis_bps: &basis,
        liquidated_long_usd: &longs,
        liquidated_short_usd: &shorts,
        depth_bid_usd: &bids,
        depth_ask_usd: &asks,
        open_interest: &open_interest,
        fund_start_usd: series.one("fund_usd").first().copied().unwrap_or(0.0),
        fund_change_usd: &series.fan_of_change("fund_usd"),
    })))
}

/// Returns what stands above a figure.
pub(super) fn title(results: &Results) -> String {
    cut(&results.manifest.origin.scenario, TITLE)
}

/// Returns what a cell is called: what was varied, and the arm.
fn name_of(results: &Results, row: Line<'_>) -> String {
    let parameters = results.parameters().into_iter().map(|name| format!("{name} {}", row.text(name)));
    let arm = match row.text("arm") {
        "base" => "as it is".to_owned(),
        "unlevered" | "calm" => row.text("arm").to_owned(),
        other => format!("without {other}"),
    };
    cut(&parameters.chain([arm]).collect::<Vec<String>>().join(", "), TITLE)
}

fn distributions(results: &Results) -> Option<Figure> {
    let mut samples: Vec<(String, Sample)> = results
        .cells
        .rows()
        .map(|row| {
            let sample = Sample { label: name_of(results, row), values: Vec::new() };
            (row.text("cell").to_owned(), sample)
        })
        .collect();
    if samples.len() > MOST_DISTRIBUTIONS {
        return None;
    }
    for run in results.runs.rows() {
        let sample = samples.iter_mut().find(|(cell, _)| cell == run.text("cell"));
        if let (Some((_, sample)), Some(value)) = (sample, run.number(METRIC)) {
            sample.values.push(value);
        }
    }
    let samples: Vec<Sample> =
        samples.into_iter().map(|(_, sample)| sample).filter(|sample| !sample.values.is_empty()).collect();
    if samples.is_empty() {
        return None;
    }
    Some(distribution_figure(&Distributions {
        title: &title(results),
        below: &format!("{} replicates a panel", results.manifest.origin.replicates),
        axis_label: meaning(METRIC),
        samples,
    }))
}
