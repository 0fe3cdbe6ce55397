//! Which figures a folder's tables hold.

use super::super::compression::find;
use super::super::figure::{
    Criticalities, Distributions, Fans, Figure, HeatMap, Sample, Spot, criticality_figure,
    distribution_figure, fan_figure, heat_figure,
};
use super::ReportError;
use super::dress::dress;
use super::estimates;
use super::over_time::OverTime;
use super::policies;
use super::results::{self, Results};
use super::sheet::Line;
use super::words::{self, cut, meaning};

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
    if results.study.is_none() && results.manifest.lists("series.csv") {
        over_time(results, &mut figures)?;
    }
    figures.drawn.extend(distributions(results));
    figures.drawn.extend(estimates::targets(results));
    figures.drawn.extend(estimates::amplification(results));
    if results.policies.is_some() {
        figures.drawn.extend(policies::forests(results));
        figures.drawn.extend(policies::pareto(results));
    } else {
        let points = estimates::points(results).or_else(|| estimates::points_in_rows(results));
        figures.drawn.extend(points);
        figures.drawn.extend(estimates::effects(results));
    }
    figures.drawn = figures.drawn.into_iter().map(dress).collect();
    Ok(figures)
}

/// Draws what is over time: fans of the replicates, and the map of liquidation prices.
fn over_time(results: &Results, figures: &mut Figures) -> Result<(), ReportError> {
    let path = find(&results.folder, "series.csv").map(|name| results.folder.join(name));
    let market = results.perpetual().map(|(market, _)| market);
    let series = path.map(|path| OverTime::read(&path, market)).transpose()?.flatten();
    let Some(series) = series else {
        figures.left_out.push("the fan chart needs series.csv with a finished run in it".to_owned());
        return Ok(());
    };
    figures.drawn.push(fans(results, &series));
    match liquidation_map(results, &series)? {
        Some(figure) => figures.drawn.push(figure),
        None => figures
            .left_out
            .push("the map of liquidation prices needs liquidation_map.csv with a position in it".to_owned()),
    }
    figures.drawn.extend(criticality(results, &series)?);
    Ok(())
}

/// Draws what one more forced sale would set off, where there are positions that one could set off.
fn criticality(results: &Results, series: &OverTime) -> Result<Option<Figure>, ReportError> {
    let Some(sheet) = results::optional(&results.folder, "criticality.csv")? else { return Ok(None) };
    let column =
        |name: &str| -> Vec<f64> { sheet.rows().map(|row| row.number(name).unwrap_or(f64::NAN)).collect() };
    let time_s = column("time_s");
    let within = ["criticality_1pct", "criticality_2pct", "criticality_5pct"].map(column);
    if !within.iter().flatten().any(|value| *value > 0.0) {
        return Ok(None);
    }
    Ok(criticality_figure(&Criticalities {
        title: &title(results),
        below: &format!("replicate {}", cut(&series.first, 8)),
        time_s: &time_s,
        within: [&within[0], &within[1], &within[2]],
        first_generation: &column("first_generation"),
    }))
}

fn liquidation_map(results: &Results, series: &OverTime) -> Result<Option<Figure>, ReportError> {
    let Some(sheet) = results::optional(&results.folder, "liquidation_map.csv")? else { return Ok(None) };
    let spot = |row: Line<'_>| {
        let usd = row.number("long_usd").unwrap_or(0.0) + row.number("short_usd").unwrap_or(0.0);
        let (time_s, price_from) = (row.number("time_s")?, row.number("price_from")?);
        Some(Spot { time_s, price_from, price_to: row.number("price_to")?, usd })
    };
    let spots: Vec<Spot> = sheet.rows().filter_map(spot).collect();
    Ok(heat_figure(&HeatMap {
        title: &title(results),
        below: &format!("replicate {}", cut(&series.first, 8)),
        spots: &spots,
        mark: (&series.time_s, series.one("mark")),
    }))
}

fn fans(results: &Results, series: &OverTime) -> Figure {
    let perpetual = results.perpetual();
    let [mark, basis, bids, asks, open_interest] =
        ["mark", "basis_bps", "depth_bid_1pct_usd", "depth_ask_1pct_usd", "open_interest_coins"]
            .map(|name| series.fan(name));
    let [longs, shorts] = ["liquidated_long_usd", "liquidated_short_usd"].map(|name| series.mean(name));
    let start = results.scenario.get("start");
    let start = start.map(|start| start.as_str().map_or_else(|| start.to_string(), str::to_owned));
    let start = start.map_or_else(String::new, |start| format!("start {}, ", cut(&start, 24)));
    let of = results.manifest.origin.replicates;
    let count = if series.replicates < of as usize && results.manifest.origin.failed_runs == 0 {
        format!("the first {} of {of} replicates", series.replicates)
    } else {
        words::replicates(series.replicates)
    };
    fan_figure(&Fans {
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
    })
}

/// Returns what stands above a figure.
pub(super) fn title(results: &Results) -> String {
    cut(&results.manifest.origin.scenario, TITLE)
}

/// Returns what a cell is called: what was varied, and the arm.
fn name_of(results: &Results, row: Line<'_>) -> String {
    let stated = results.parameters().into_iter().filter(|name| !row.text(name).is_empty());
    let parameters = stated.map(|name| format!("{name} {}", row.text(name)));
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
        below: "a panel a cell, a run a replicate",
        axis_label: meaning(METRIC),
        samples,
    }))
}
