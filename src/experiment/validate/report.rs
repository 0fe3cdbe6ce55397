//! What validation found, as plain data with a verdict a line, and as a text table.

use serde::Serialize;
use std::fmt::Write as _;

/// An estimate held against its exact value.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Estimate {
    /// What is estimated.
    pub quantity: &'static str,
    /// Its exact value.
    pub exact: f64,
    /// What the engine gave.
    pub simulated: f64,
    /// Standard error of the estimate under the exact law.
    pub standard_error: f64,
    /// Distance in standard errors.
    pub z: f64,
    /// Whether it is near enough.
    pub pass: bool,
}

impl Estimate {
    pub(super) fn new(
        quantity: &'static str,
        exact: f64,
        simulated: f64,
        standard_error: f64,
        z_max: f64,
    ) -> Self {
        let z = (simulated - exact) / standard_error;
        Self { quantity, exact, simulated, standard_error, z, pass: z.abs() <= z_max }
    }
}

/// A number that must be on one side of a bound.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Check {
    /// What is checked.
    pub what: &'static str,
    /// The number found.
    pub value: f64,
    /// The bound, with its direction.
    pub bar: String,
    /// Whether it is met; a value that does not exist never is.
    pub pass: bool,
}

impl Check {
    pub(super) fn at_least(what: &'static str, value: f64, bound: f64) -> Self {
        Self { what, value, bar: format!(">= {bound}"), pass: value >= bound }
    }

    pub(super) fn below(what: &'static str, value: f64, bound: f64) -> Self {
        let bound_text = if bound < 1e-3 { format!("{bound:e}") } else { bound.to_string() };
        Self { what, value, bar: format!("< {bound_text}"), pass: value < bound }
    }
}

/// One number of liquidations: how likely it is and how often it was seen.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Cell {
    /// Number of liquidations.
    pub n: u64,
    /// Its exact probability.
    pub probability: f64,
    /// Cascades that had it.
    pub count: u64,
}

/// One law through the engine.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Case {
    /// `poisson R`, or `uniform N/K` for N longs on K ticks.
    pub name: String,
    /// Bids that the first sale eats.
    pub sold: u64,
    /// Cascades, all seeds together.
    pub cascades: u64,
    /// Mean and variance of the number of liquidations, and the total fall over that of the first sale.
    pub estimates: Vec<Estimate>,
    /// P-value of each seed's chi-square test.
    pub p_values: Vec<f64>,
    /// P-value of the chi-square test of all seeds together.
    pub pooled: Check,
    /// P-value of the Kolmogorov-Smirnov test that the seeds' p-values are uniform.
    pub uniformity: Check,
    /// P-value of the same chi-square test with `>=` for `>` in the trigger: must be rejected.
    pub planted: Check,
    /// Cascades that ended otherwise than when all due longs are processed at once.
    pub batched: Check,
    /// Cascades that came to the end of the longest ladder.
    pub exhausted: Check,
    /// Most liquidations of one cascade.
    pub longest: u64,
    /// The law and what was seen, up to the longest cascade.
    pub distribution: Vec<Cell>,
}

impl Case {
    /// Returns the checks that are no estimates.
    pub fn checks(&self) -> [&Check; 5] {
        [&self.pooled, &self.uniformity, &self.planted, &self.batched, &self.exhausted]
    }

    /// Tells whether everything about the case passed.
    pub fn pass(&self) -> bool {
        self.estimates.iter().all(|estimate| estimate.pass) && self.checks().iter().all(|check| check.pass)
    }
}

/// One control: something that must be exactly so.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Control {
    /// What must be so.
    pub fact: &'static str,
    /// What was found.
    pub found: String,
    /// Whether it is so.
    pub pass: bool,
}

/// Everything that was validated.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// Master seed.
    pub seed: u64,
    /// Seeds of each case.
    pub seeds: u32,
    /// Cascades of each seed.
    pub cascades_per_seed: u64,
    /// The laws.
    pub cases: Vec<Case>,
    /// The controls.
    pub controls: Vec<Control>,
    /// Whether everything passed.
    pub pass: bool,
}

impl Report {
    /// Returns the report as aligned text, for people.
    pub fn table(&self) -> String {
        let mut text = format!(
            "Cascade law through the engine: {} seeds x {} cascades a law, master seed {}\n\n",
            self.seeds, self.cascades_per_seed, self.seed
        );
        aligned(&mut text, &self.estimate_rows());
        text.push_str("\nP-values of the chi-square test against the exact law\n\n");
        aligned(&mut text, &self.p_value_rows());
        text.push('\n');
        aligned(&mut text, &self.check_rows());
        text.push_str("\nControls\n\n");
        let mut controls = vec![row(["fact", "found", "verdict"])];
        controls.extend(
            self.controls
                .iter()
                .map(|control| row([control.fact, control.found.as_str(), verdict(control.pass)])),
        );
        aligned(&mut text, &controls);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{}", if self.pass { "all passed" } else { "NOT all passed" });
        text
    }

    fn estimate_rows(&self) -> Vec<Vec<String>> {
        let heads = ["law", "quantity", "exact", "simulated", "std. error", "z", "verdict"];
        let mut rows = vec![row(heads)];
        for case in &self.cases {
            rows.extend(case.estimates.iter().map(|estimate| {
                vec![
                    case.name.clone(),
                    estimate.quantity.to_owned(),
                    format!("{:.4}", estimate.exact),
                    format!("{:.4}", estimate.simulated),
                    format!("{:.4}", estimate.standard_error),
                    format!("{:+.2}", estimate.z),
                    verdict(estimate.pass).to_owned(),
                ]
            }));
        }
        rows
    }

    /// Seeds down, laws across.
    fn p_value_rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![vec!["seed".to_owned()]];
        rows[0].extend(self.cases.iter().map(|case| case.name.clone()));
        for seed in 0..self.seeds as usize {
            let mut row = vec![seed.to_string()];
            row.extend(self.cases.iter().map(|case| format!("{:.4}", case.p_values[seed])));
            rows.push(row);
        }
        rows
    }

    fn check_rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![row(["law", "check", "bar", "found", "verdict"])];
        for case in &self.cases {
            rows.extend(case.checks().into_iter().map(|check| {
                vec![
                    case.name.clone(),
                    check.what.to_owned(),
                    check.bar.clone(),
                    number(check.value),
                    verdict(check.pass).to_owned(),
                ]
            }));
        }
        rows
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn verdict(pass: bool) -> &'static str {
    if pass { "pass" } else { "FAIL" }
}

/// Counts as such, p-values to four places, and the small ones by their size.
fn number(value: f64) -> String {
    if value >= 1.0 || value <= 0.0 {
        format!("{value}")
    } else if value < 1e-4 {
        format!("{value:.1e}")
    } else {
        format!("{value:.4}")
    }
}

/// Writes rows in columns: numbers to the right, words to the left.
fn aligned(text: &mut String, rows: &[Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let numeric = |column: usize| rows.iter().skip(1).all(|row| row[column].parse::<f64>().is_ok());
    let right: Vec<bool> = (0..columns).map(numeric).collect();
    for row in rows {
        let mut line = String::new();
        for ((cell, &width), &right) in row.iter().zip(&widths).zip(&right) {
            // Writing to a string cannot fail.
            let _ = if right { write!(line, "{cell:>width$}  ") } else { write!(line, "{cell:<width$}  ") };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_exist_passes_no_check() {
        assert!(!Check::at_least("p", f64::NAN, 0.001).pass && !Check::below("p", f64::NAN, 1e-6).pass);
        assert!(!Estimate::new("mean", 1.0, f64::NAN, 0.1, 3.0).pass);
        assert!(
            !Estimate::new("mean", 1.0, 1.31, 0.1, 3.0).pass
                && Estimate::new("mean", 1.0, 0.71, 0.1, 3.0).pass
        );
    }

    #[test]
    fn numbers_are_aligned_to_the_right_and_words_to_the_left() {
        let mut text = String::new();
        aligned(&mut text, &[row(["law", "found"]), row(["a", "10"]), row(["longer", "5"])]);
        assert_eq!(text, "law     found\na          10\nlonger      5\n");
    }
}
