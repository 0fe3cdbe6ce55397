//! The summary of a comparison of policies: a table a facet, ranks and fronts, all as wide as the window; the same for a machine;
//! and the main table for LaTeX.

use super::compare::Compared;
use super::summary::human;
use super::sweep_report::{cut, window};
use crate::experiment::{Contest, Contrast, Design, FACETS, Facet, Front, Label, Phase, RANKED};
use crate::output::{Cell, booktabs};
use crate::record::tables::RUNS;
use crate::stats::order::Placed;
use crate::stats::paired::Gain;
use crate::units::{Time, format_duration};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Letters of a policy's name with its adaptation, at most.
const NAME: usize = 28;
/// The facets of the table for LaTeX: both kinds of protection, depth and cost.
const PRINTED: [usize; 4] = [0, 1, 5, 8];

/// A column of the tables of facets.
struct Shown {
    head: &'static str,
    width: usize,
    /// Columns of high numbers go first where the window is narrow.
    expendable: u8,
    cell: fn(&Contrast) -> String,
}

const SHOWN: [Shown; 7] = [
    Shown { head: "mean", width: 9, expendable: 3, cell: |contrast| human(Some(contrast.mean)) },
    Shown { head: "difference", width: 10, expendable: 0, cell: difference },
    Shown { head: "95 % interval", width: 20, expendable: 4, cell: interval },
    Shown { head: "p Holm", width: 7, expendable: 0, cell: |contrast| probability(contrast.p_holm) },
    Shown { head: "better", width: 6, expendable: 2, cell: |contrast| percent(contrast.better.estimate) },
    Shown { head: "CRN", width: 6, expendable: 0, cell: |contrast| gain(contrast.gain) },
    Shown { head: "detects", width: 8, expendable: 1, cell: |contrast| human(contrast.detectable_holm) },
];

fn difference(contrast: &Contrast) -> String {
    let mark = if contrast.is_decided() { "*" } else { " " };
    format!("{}{mark}", human(Some(contrast.difference)))
}

fn interval(contrast: &Contrast) -> String {
    contrast.interval.map_or("-".to_owned(), |interval| {
        format!("{} .. {}", human(Some(interval.low)), human(Some(interval.high)))
    })
}

fn probability(p: f64) -> String {
    if p < 0.001 { "<.001".to_owned() } else { format!("{p:.3}").trim_start_matches('0').to_owned() }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Says what common random numbers gained; `all` if they left no variance.
fn gain(gain: Option<Gain>) -> String {
    match gain {
        Some(Gain::Factor(factor)) if factor >= 99_999.5 => format!("x{factor:.0e}"),
        Some(Gain::Factor(factor)) if factor >= 100.0 => format!("x{factor:.0}"),
        Some(Gain::Factor(factor)) => format!("x{factor:.1}"),
        Some(Gain::Complete) => "all".to_owned(),
        Some(Gain::Nothing) | None => "-".to_owned(),
    }
}

/// Writes the summary for a person.
pub(super) fn text(compared: &Compared, contest: &Contest) -> String {
    let design = &compared.design;
    let mut out = heading(compared);
    let names = names(design);
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let width = longest.min(NAME).min((window() * 2).div_euclid(5)).max("policy".len());
    let shown = fitting(window().saturating_sub(width));
    for (index, facet) in FACETS.iter().enumerate() {
        facet_table(&mut out, facet, &shown, width, &names, |point| {
            contest.contrasts[point - 1][index].as_ref()
        });
    }
    for (&facet, ranking) in RANKED.iter().zip(&contest.rankings) {
        if let Some((replicates, placed)) = ranking {
            rank_table(&mut out, &FACETS[facet], *replicates, placed, &names, width);
        } else {
            let metric = FACETS[facet].metric;
            paragraph(&mut out, &format!("no ranking by {metric}: no replicate has it everywhere"));
            out.push('\n');
        }
    }
    for (kind, front) in contest.fronts.iter().enumerate() {
        if let Some(front) = front {
            front_table(&mut out, &FACETS[RANKED[kind]], front, &names, width);
        }
    }
    notes(&mut out, contest, &names, design.replicates);
    out
}

/// Writes a table of one facet: a row a policy.
fn facet_table<'c>(
    out: &mut String,
    facet: &Facet,
    shown: &[&Shown],
    width: usize,
    names: &[String],
    contrast: impl Fn(usize) -> Option<&'c Contrast>,
) {
    let column = RUNS.column(facet.metric).expect("a facet is a column");
    let baseline = human((1..names.len()).find_map(&contrast).map(|contrast| contrast.baseline));
    let unit = if column.unit == "1" { String::new() } else { format!(" {}", column.unit) };
    let (metric, phase, meaning) = (facet.metric, phase(facet.phase), column.meaning);
    line(out, &format!("{metric} ({phase}), baseline {baseline}{unit}: {meaning}"));
    let mut heads = format!("{:<width$}", "policy");
    for column in shown {
        let _ = write!(heads, " {:>1$}", column.head, column.width);
    }
    line(out, &heads);
    for (point, name) in names.iter().enumerate().skip(1) {
        let mut row = format!("{:<width$}", cut(name, width));
        for column in shown {
            let cell = contrast(point).map_or("-".to_owned(), column.cell);
            let _ = write!(row, " {cell:>0$}", column.width);
        }
        line(out, &row);
    }
    out.push('\n');
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Crash => "crash",
        Phase::Calm => "calm",
    }
}

/// Writes a line, as much of it as the window has room for.
fn line(out: &mut String, text: &str) {
    out.push_str(cut(text, window()).trim_end());
    out.push('\n');
}

/// Writes a text in lines that the window has room for.
fn paragraph(out: &mut String, text: &str) {
    let mut length = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > window() {
            out.push('\n');
            length = 0;
        }
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += letters;
    }
    out.push('\n');
}

fn heading(compared: &Compared) -> String {
    let Compared { design, whole, calm, last_shock, .. } = compared;
    let duration = design.base.duration;
    let mut crash = format_duration(duration);
    if duration < *whole {
        let (whole, after) = (format_duration(*whole), format_duration(duration - *last_shock));
        let _ = write!(crash, " of {whole} (--after {after})");
    }
    let mut out = String::new();
    line(&mut out, &format!("{}: {}", design.base.name, design.base.title));
    let (policies, replicates, seed) = (design.points() - 1, design.replicates, design.seed);
    let model = crate::MODEL_VERSION;
    line(
        &mut out,
        &format!(
            "{policies} policies against it as it is, {replicates} replicates, seed {seed}, model {model}"
        ),
    );
    line(&mut out, &format!("crash: {crash}; calm: {} without shocks", format_duration(*calm)));
    out.push('\n');
    for policy in &compared.chosen.policies {
        line(&mut out, &format!("  {:<22} {}", policy.name, policy.title));
    }
    out.push('\n');
    out
}

/// Returns the columns that a line has room for.
fn fitting(room: usize) -> Vec<&'static Shown> {
    let mut shown: Vec<&Shown> = SHOWN.iter().collect();
    while shown.iter().map(|column| column.width + 1).sum::<usize>() > room {
        let Some(most) = shown.iter().map(|column| column.expendable).max().filter(|most| *most > 0) else {
            break;
        };
        shown.retain(|column| column.expendable != most);
    }
    shown
}

/// Returns the name of each point: its policy, with the adaptation after a plus.
fn names(design: &Design) -> Vec<String> {
    let name = |point: u32| {
        let word = |axis: usize| match design.label(point, axis) {
            Some(Label::Word(word)) => word,
            Some(Label::Number(_)) | None => String::new(),
        };
        let (policy, adaptation) = (word(0), word(1));
        if adaptation.is_empty() { policy } else { format!("{policy}+{adaptation}") }
    };
    (0..design.points()).map(name).collect()
}

fn rank_table(
    out: &mut String,
    facet: &Facet,
    replicates: usize,
    placed: &[Placed],
    names: &[String],
    width: usize,
) {
    line(out, &format!("ranking by {} ({}), least first", facet.metric, phase(facet.phase)));
    line(out, &format!("{:>4} {:>8}  {:<width$} {:>9} {:>8}", "rank", "may be", "policy", "mean", "p"));
    for point in Contest::in_order(placed) {
        let place = &placed[point];
        let range = if place.best == place.worst {
            place.best.to_string()
        } else {
            format!("{} - {}", place.best, place.worst)
        };
        let p = place.p_first.map_or(String::new(), probability);
        let (name, mean) = (cut(&names[point], width), human(Some(place.mean)));
        line(out, &format!("{:>4} {range:>8}  {name:<width$} {mean:>9} {p:>8}", place.rank));
    }
    let open = placed.iter().filter(|place| place.best == 1).count();
    if open > 1 {
        paragraph(out, &format!("{replicates} replicates cannot tell which of {open} is the first."));
    }
    out.push('\n');
}

fn front_table(out: &mut String, facet: &Facet, front: &Front, names: &[String], width: usize) {
    let cost = FACETS[RANKED[2]].metric;
    line(out, &format!("protection against cost: {} (crash), {cost} (calm)", facet.metric));
    line(out, &format!("{:<width$} {:>9} {:>8} {:>6}  dominated by", "policy", "crash", "cost", "front"));
    for (point, means) in front.means.iter().enumerate() {
        let by = front.dominators[point].map_or("", |other| names[other].as_str());
        let (name, share) = (cut(&names[point], width), percent(front.shares[point]));
        let [crash, cost] = means.map(|mean| human(Some(mean)));
        line(out, &format!("{name:<width$} {crash:>9} {cost:>8} {share:>6}  {by}"));
    }
    out.push('\n');
}

fn notes(out: &mut String, contest: &Contest, names: &[String], replicates: u32) {
    let is_none = |contrast: &Contrast| {
        contrast.difference.abs() <= 0.0 && matches!(contrast.gain, Some(Gain::Complete | Gain::Nothing))
    };
    let is_same = |facets: &[Option<Contrast>]| facets.iter().flatten().all(is_none);
    let rows = names.iter().skip(1).zip(&contest.contrasts);
    let same: Vec<&str> = rows.filter(|(_, facets)| is_same(facets)).map(|(name, _)| name.as_str()).collect();
    if !same.is_empty() {
        paragraph(out, &format!("No replicate tells these from the baseline: {}.\n", same.join(", ")));
    }
    let tests = contest.contrasts.iter().flatten().flatten().count();
    for note in [
        format!(
            "difference: policy minus baseline on the same dice; * it is not chance at 5 %, by random signs, corrected for {tests} tests \
             (Holm). Intervals are of each difference alone (Student)."
        ),
        "better: share of replicates in which the policy is better, ties half.".to_owned(),
        "CRN: how many times smaller common random numbers make the variance of the difference; all: no variance is left, -: there \
         was none."
            .to_owned(),
        format!(
            "detects: the smallest difference that {replicates} replicates find after the correction with probability .8."
        ),
        "may be: ranks that pairwise tests leave open, all at once at 95 %; p: of the difference from the first.".to_owned(),
        "front: share of bootstrap draws in which nobody is as good in both and better in one.".to_owned(),
    ] {
        paragraph(out, &note);
    }
}

/// Makes the summary for a machine.
pub(super) fn json(compared: &Compared, contest: &Contest, folder: &str) -> Value {
    let design = &compared.design;
    let names = names(design);
    let policies: Vec<Value> = names
        .iter()
        .skip(1)
        .zip(&contest.contrasts)
        .map(|(name, facets)| {
            let contrasts: Vec<Value> =
                FACETS.iter().zip(facets).map(|(facet, contrast)| told(facet, contrast.as_ref())).collect();
            json!({ "name": name, "metrics": contrasts })
        })
        .collect();
    let rankings: Vec<Value> = RANKED
        .iter()
        .zip(&contest.rankings)
        .filter_map(|(&facet, ranking)| {
            let (replicates, placed) = ranking.as_ref()?;
            let places: Vec<Value> = Contest::in_order(placed)
                .into_iter()
                .map(|point| {
                    let place = placed[point];
                    json!({
                        "name": names[point],
                        "rank": place.rank,
                        "rank_best": place.best,
                        "rank_worst": place.worst,
                        "mean": place.mean,
                        "p_first": place.p_first,
                    })
                })
                .collect();
            Some(json!({ "metric": FACETS[facet].metric, "replicates": replicates, "places": places }))
        })
        .collect();
    let fronts: Vec<Value> = contest
        .fronts
        .iter()
        .enumerate()
        .filter_map(|(kind, front)| {
            let front = front.as_ref()?;
            let points: Vec<Value> = (0..names.len())
                .map(|point| {
                    json!({
                        "name": names[point],
                        "protection": front.means[point][0],
                        "cost": front.means[point][1],
                        "dominated_by": front.dominators[point].map(|other| &names[other]),
                        "front_share": front.shares[point],
                    })
                })
                .collect();
            let (protection, cost) = (FACETS[RANKED[kind]].metric, FACETS[RANKED[2]].metric);
            Some(json!({ "protection": protection, "cost": cost, "points": points }))
        })
        .collect();
    let seconds = |time: Time| time.as_secs_f64();
    json!({
        "scenario": design.base.name,
        "replicates": design.replicates,
        "seed": design.seed,
        "model_version": crate::MODEL_VERSION,
        "folder": folder,
        "crash_s": seconds(design.base.duration),
        "calm_s": seconds(compared.calm),
        "scenario_s": seconds(compared.whole),
        "policies": policies,
        "rankings": rankings,
        "fronts": fronts,
        "warnings": compared.chosen.warnings,
    })
}

fn told(facet: &Facet, contrast: Option<&Contrast>) -> Value {
    let phase = phase(facet.phase);
    let Some(contrast) = contrast else {
        return json!({ "metric": facet.metric, "phase": phase, "pairs": 0 });
    };
    let factor = match contrast.gain {
        Some(Gain::Factor(factor)) => json!(factor),
        Some(Gain::Complete) => json!("complete"),
        Some(Gain::Nothing) => json!("nothing"),
        None => Value::Null,
    };
    json!({
        "metric": facet.metric,
        "phase": phase,
        "pairs": contrast.pairs,
        "baseline": contrast.baseline,
        "mean": contrast.mean,
        "difference": contrast.difference,
        "difference_ci95": contrast.interval.map(|interval| [interval.low, interval.high]),
        "difference_bca95": contrast.bootstrap.map(|interval| [interval.low, interval.high]),
        "p": contrast.p,
        "p_holm": contrast.p_holm,
        "better": contrast.better.estimate,
        "better_ci95": [contrast.better.low, contrast.better.high],
        "crn_factor": factor,
        "detectable": contrast.detectable,
        "detectable_holm": contrast.detectable_holm,
    })
}

/// Writes the main table for LaTeX: differences with intervals of four facets.
pub(super) fn latex(compared: &Compared, contest: &Contest) -> String {
    let design = &compared.design;
    let notes = [
        format!("{}: policy minus baseline, {} replicates paired by seed.", design.base.name, design.replicates),
        "In brackets 95 % intervals (Student); a star: p < .05 by random signs, corrected after Holm for all metrics of policies.csv."
            .to_owned(),
        "Needs \\usepackage{booktabs}.".to_owned(),
    ];
    let head = |facet: &Facet| {
        let unit = RUNS.column(facet.metric).map_or("1", |column| column.unit);
        let name = match facet.metric {
            "drawdown_pct" => "drawdown",
            "liquidated_usd" => "liquidated",
            "depth_bid_1pct_usd_mean" => "bids within 1 %",
            "cost_1m_bps_mean" => "cost of 1 M USD",
            other => other,
        };
        format!("{name}, {} [{unit}]", phase(facet.phase))
    };
    let heads: Vec<String> =
        ["policy".to_owned()].into_iter().chain(PRINTED.iter().map(|&index| head(&FACETS[index]))).collect();
    let number = |value: f64| human(Some(value));
    let baseline = PRINTED.iter().map(|&index| {
        let first = contest.contrasts.iter().find_map(|facets| facets[index].as_ref());
        first.map_or(Cell::Empty, |contrast| Cell::Number(number(contrast.baseline)))
    });
    let mut rows = vec![("baseline (mean)".to_owned(), baseline.collect::<Vec<Cell>>())];
    for (name, facets) in names(design).into_iter().skip(1).zip(&contest.contrasts) {
        let cell = |&index: &usize| match &facets[index] {
            None => Cell::Empty,
            Some(contrast) => Cell::Estimate {
                estimate: number(contrast.difference),
                interval: contrast.interval.map(|interval| (number(interval.low), number(interval.high))),
                is_marked: contrast.is_decided(),
            },
        };
        rows.push((name, PRINTED.iter().map(cell).collect()));
    }
    booktabs(&notes, &heads, &rows)
}
