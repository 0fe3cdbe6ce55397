//! Figures of a comparison of policies: forest plots of what each makes, and what protects against what it costs.

use super::super::figure::{Candidate, Estimate, Estimates, Figure, TradeOff, forest_figure, pareto_figure};
use super::estimates::{MOST_ROWS, replicates};
use super::figures::title;
use super::results::Results;
use super::sheet::Line;
use super::words::{cut, meaning};

/// Letters of a policy beside its row.
const POLICY: usize = 36;
/// Trade-offs that fit on a sheet of paper.
const MOST_TRADES: usize = 3;

/// Draws what each policy makes of the crash, and of calm time.
pub(super) fn forests(results: &Results) -> Vec<Figure> {
    let crash = (
        "policies",
        "What each policy makes of the crash",
        "Mean of policy minus scenario as it is, paired by seed, with its 95 % interval. Intervals are not corrected for their \
         number; p_holm in the table is.",
    );
    let calm = (
        "policy_costs",
        "What each policy makes of calm time",
        "The same without shocks: what a policy costs where nothing happens.",
    );
    [("base", crash), ("calm", calm)]
        .into_iter()
        .filter_map(|(arm, words)| forest(results, arm, words))
        .collect()
}

fn forest(results: &Results, arm: &str, words: (&'static str, &str, &str)) -> Option<Figure> {
    let mut quantities: Vec<(&str, Estimates)> = Vec::new();
    for row in results.policies.as_ref()?.rows().filter(|row| row.text("arm") == arm) {
        let (metric, Some(value)) = (row.text("metric"), row.number("difference")) else { continue };
        let estimate = Estimate { name: name_of(row), value, interval: row.interval("difference") };
        match quantities.iter_mut().find(|(of, _)| *of == metric) {
            Some((_, quantity)) if quantity.rows.len() < MOST_ROWS => quantity.rows.push(estimate),
            Some(_) => {}
            None => quantities.push((
                metric,
                Estimates {
                    label: meaning(metric),
                    axis_label: "policy minus scenario as it is".to_owned(),
                    rows: vec![estimate],
                },
            )),
        }
    }
    let rows = quantities.first()?.1.rows.len();
    let shown = MOST_ROWS.div_euclid(rows).max(1);
    let quantities: Vec<Estimates> =
        quantities.into_iter().map(|(_, quantity)| quantity).take(shown).collect();
    Some(forest_figure(words, (&title(results), &replicates(results)), &quantities))
}

/// Draws trade-offs.
pub(super) fn pareto(results: &Results) -> Option<Figure> {
    let mut trades: Vec<((&str, &str), TradeOff)> = Vec::new();
    for row in results.pareto.as_ref()?.rows() {
        let (Some(harm), Some(cost)) = (row.number("protection_mean"), row.number("cost_mean")) else {
            continue;
        };
        let key = (row.text("protection"), row.text("cost"));
        let candidate = Candidate {
            name: name_of(row),
            cost,
            harm,
            is_on_front: row.text("on_front") == "yes",
            front_share: row.number("front_share"),
        };
        if let Some((_, trade)) = trades.iter_mut().find(|(of, _)| *of == key) {
            trade.candidates.push(candidate);
        } else {
            let (harm_label, cost_label) = (meaning(key.0), meaning(key.1));
            trades.push((key, TradeOff { harm_label, cost_label, candidates: vec![candidate] }));
        }
    }
    let trades: Vec<TradeOff> = trades.into_iter().map(|(_, trade)| trade).take(MOST_TRADES).collect();
    (!trades.is_empty()).then(|| pareto_figure(&title(results), &replicates(results), &trades))
}

fn name_of(row: Line<'_>) -> String {
    match row.text("adaptation") {
        "" => cut(row.text("policy"), POLICY),
        adaptation => cut(&format!("{}, {adaptation}", row.text("policy")), POLICY),
    }
}
