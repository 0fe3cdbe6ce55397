//! Figures of what was estimated: effects, targets, and quantities over what was varied.

use super::super::figure::{
    Beside, Estimate, Estimates, Figure, Forecast, Height, Surface, forest_figure, surface_figure,
    targets_figure,
};
use super::figures::{METRIC, title};
use super::results::Results;
use super::sheet::{Line, Sheet, number};
use super::words::{self, cut, meaning, plain};

/// Metrics whose effects are drawn: how deep, by how much forced selling, into which book, at what turnover.
const SHOWN: [&str; 4] = [METRIC, "liquidated_long_usd", "depth_bid_1pct_usd_min", "volume_usd"];
/// Rows that fit on a sheet of paper beside the panels' headers.
pub(super) const MOST_ROWS: usize = 36;
/// Columns and rows of a surface that can be told apart.
const MOST_STEPS: usize = 40;
/// Letters of the name of a point.
const POINT: usize = 36;
const DIFFERENCE: &str = "with the mechanism minus without it";
/// Letters of a value on an axis.
const VALUE: usize = 12;

/// Draws the targets beside what is simulated, if there are any.
pub(super) fn targets(results: &Results) -> Option<Figure> {
    let forecast = |row: Line<'_>, prefix: &str| {
        let value = |name: &str| row.number(&format!("{prefix}{name}"));
        Some(Forecast { low: value("p05")?, median: value("median")?, high: value("p95")? })
    };
    let beside = |row: Line<'_>| {
        Some(Beside {
            name: plain(row.text("id")),
            purpose: plain(row.text("use")),
            observed: row.number("observed")?,
            tolerance: row.number("tolerance").filter(|tolerance| *tolerance > 0.0)?,
            scenario: forecast(row, ""),
            unlevered: forecast(row, "unlevered_"),
            diffusion: forecast(row, "diffusion_"),
        })
    };
    let targets: Vec<Beside> = results.targets.as_ref()?.rows().filter_map(beside).take(MOST_ROWS).collect();
    let has_a_range =
        |beside: &Beside| [beside.scenario, beside.unlevered, beside.diffusion].iter().any(Option::is_some);
    targets.iter().any(has_a_range).then(|| targets_figure(&title(results), &replicates(results), &targets))
}

/// Draws what each mechanism makes of a scenario; of many points surfaces say more.
pub(super) fn effects(results: &Results) -> Option<Figure> {
    if !results.parameters().is_empty() {
        return None;
    }
    let mut quantities: Vec<Estimates> = SHOWN
        .iter()
        .map(|metric| {
            let rows = results.effects.rows().filter(|row| row.text("metric") == *metric);
            let estimate = |row: Line<'_>| {
                let value = row.number("difference")?;
                Some(Estimate {
                    name: plain(row.text("mechanism")),
                    value,
                    interval: row.interval("difference"),
                })
            };
            Estimates {
                label: meaning(metric),
                axis_label: DIFFERENCE.to_owned(),
                rows: rows.filter_map(estimate).take(MOST_ROWS).collect(),
            }
        })
        .filter(|quantity| !quantity.rows.is_empty())
        .collect();
    let rows = quantities.first()?.rows.len();
    quantities.truncate((MOST_ROWS.div_euclid(rows)).max(1));
    let words = (
        "effects",
        "What each mechanism makes",
        "The mean difference with a mechanism minus without it, paired by seed, and its 95 % interval. An interval apart from 0 says that \
         the sign is known; of twenty that are 0 in truth one would look so by chance.",
    );
    (!quantities.is_empty())
        .then(|| forest_figure(words, (&title(results), &replicates(results)), &quantities))
}

/// Draws what forced selling amplifies, over two parameters.
pub(super) fn amplification(results: &Results) -> Option<Figure> {
    let sheet = results.amplification.as_ref()?;
    let surfaces = [
        ("amplification", "Amplification: fall with over fall without forced selling"),
        ("effective_r", "Effective R: 1 - 1/amplification"),
    ]
    .into_iter()
    .filter_map(|(column, label)| {
        surface(results, sheet, label, |row| {
            Some(Height { value: row.number(column)?, interval: row.interval(column) })
        })
    });
    let surfaces: Vec<Surface> = surfaces.collect();
    let words = (
        "amplification",
        "What forced selling amplifies",
        "Estimates at each point, below them their 95 % interval (Fieller); contours are straight between neighbouring points. An \
         interval that is wide beside the differences between neighbours says that the shape between them is not known.",
    );
    (!surfaces.is_empty()).then(|| surface_figure(words, (&title(results), &replicates(results)), &surfaces))
}

/// Draws a row a point with the fall and what each mechanism makes of it, where points have no grid of two parameters.
pub(super) fn points_in_rows(results: &Results) -> Option<Figure> {
    let parameters = results.parameters();
    let name = |row: Line<'_>| {
        let parts = parameters.iter().map(|name| format!("{name} {}", row.text(name)));
        cut(&parts.collect::<Vec<String>>().join(", "), POINT)
    };
    let estimates = |sheet: &Sheet, (key, value): (&str, &str), column: &str, interval: &str| {
        let rows = sheet.rows().filter(|row| row.text(key) == value && row.text("metric") == METRIC);
        let estimate = |row: Line<'_>| {
            Some(Estimate { name: name(row), value: row.number(column)?, interval: row.interval(interval) })
        };
        rows.filter_map(estimate).take(MOST_ROWS + 1).collect::<Vec<Estimate>>()
    };
    let base = estimates(&results.summary, ("arm", "base"), "mean", "mean");
    if parameters.is_empty() || base.is_empty() || base.len() > MOST_ROWS {
        return None;
    }
    let mut quantities =
        vec![Estimates { label: meaning(METRIC), axis_label: "mean".to_owned(), rows: base }];
    // As many panels as fit on a sheet.
    let panels = MOST_ROWS.div_euclid(quantities[0].rows.len()).min(4);
    for mechanism in mechanisms(results).into_iter().take(panels.saturating_sub(1)) {
        quantities.push(Estimates {
            label: format!("What {} makes of it", cut(mechanism, 30)),
            axis_label: DIFFERENCE.to_owned(),
            rows: estimates(&results.effects, ("mechanism", mechanism), "difference", "difference"),
        });
    }
    let words = (
        "points",
        "The fall over what was varied",
        "Means at each point with their 95 % interval; differences are paired by seed.",
    );
    Some(forest_figure(words, (&title(results), &replicates(results)), &quantities))
}

/// Returns what was switched off, in the order of the table.
fn mechanisms(results: &Results) -> Vec<&str> {
    let mut mechanisms: Vec<&str> = Vec::new();
    for row in results.effects.rows() {
        if !mechanisms.contains(&row.text("mechanism")) {
            mechanisms.push(row.text("mechanism"));
        }
    }
    mechanisms
}

/// Draws the fall over two parameters, and what each mechanism makes of it.
pub(super) fn points(results: &Results) -> Option<Figure> {
    let base = surface(results, &results.summary, &meaning(METRIC), |row| {
        let is_base = row.text("arm") == "base" && row.text("metric") == METRIC;
        Some(Height { value: row.number("mean").filter(|_| is_base)?, interval: row.interval("mean") })
    });
    // More would not fit on a sheet, and effects.csv has them.
    let effects = mechanisms(results).into_iter().take(3).filter_map(|mechanism| {
        let label = format!("the same with less without {}", cut(mechanism, 40));
        surface(results, &results.effects, &label, |row| {
            let is_meant = row.text("mechanism") == mechanism && row.text("metric") == METRIC;
            Some(Height {
                value: row.number("difference").filter(|_| is_meant)?,
                interval: row.interval("difference"),
            })
        })
    });
    let surfaces: Vec<Surface> = base.into_iter().chain(effects).collect();
    let words = (
        "surface",
        "The fall over what was varied",
        "Means at each point, below them their 95 % interval; differences are paired by seed. Contours are straight between neighbouring \
         points.",
    );
    (!surfaces.is_empty()).then(|| surface_figure(words, (&title(results), &replicates(results)), &surfaces))
}

/// Lays rows out over the first parameter (upwards) and the second (across); `None` where not two were varied or points have no
/// grid.
fn surface(
    results: &Results,
    sheet: &Sheet,
    label: &str,
    height: impl Fn(Line<'_>) -> Option<Height>,
) -> Option<Surface> {
    let parameters = results.parameters();
    let [up, across] = parameters[..] else { return None };
    let steps = |name: &str| {
        let mut steps: Vec<&str> = Vec::new();
        for row in results.cells.rows() {
            let value = row.text(name);
            if !steps.contains(&value) {
                steps.push(value);
            }
            if steps.len() > MOST_STEPS {
                return None;
            }
        }
        let as_numbers: Option<Vec<f64>> = steps.iter().map(|step| number(step)).collect();
        if as_numbers.is_some() {
            steps.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
        }
        Some(steps)
    };
    let columns = steps(across)?;
    let rows = steps(up)?;
    let mut heights = vec![vec![None; columns.len()]; rows.len()];
    let mut count = 0;
    for row in sheet.rows() {
        let Some(height) = height(row) else { continue };
        let column = columns.iter().position(|value| *value == row.text(across))?;
        let line = rows.iter().position(|value| *value == row.text(up))?;
        heights[line][column] = Some(height);
        count += 1;
    }
    // A cloud of points is no grid: most of its cells would be empty.
    if 2 * count < columns.len() * rows.len() {
        return None;
    }
    let said = |steps: Vec<&str>| steps.into_iter().map(|step| cut(step, VALUE)).collect();
    Some(Surface {
        label: label.to_owned(),
        across: (plain(across), said(columns)),
        up: (plain(up), said(rows)),
        heights,
    })
}

pub(super) fn replicates(results: &Results) -> String {
    let origin = &results.manifest.origin;
    format!("{}, seed {}", words::replicates(origin.replicates as usize), cut(&origin.master_seed, 24))
}
