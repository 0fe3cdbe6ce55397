//! The design of an experiment: points of a scenario's values, each with the same arms, on the same seeds, and how the scenario of
//! a cell comes to be. `run` is a design of one point. How one run is done is in `play`.

use super::{Arm, BadPoints, Label, Plan, Precision, Space};
use crate::record::tables::{CELLS, RUNS};
use crate::record::targets::Target;
use crate::record::{Column, ColumnKind, RowWriter, RunKey, Table};
use crate::rng::{SCHEME, Seed};
use crate::scenario::Scenario;
use crate::scenario::schema::find;
use crate::units::format_duration;
use rand::Rng as _;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Scenarios that are kept because the next run is probably of the same cell; more than threads are at work.
const KEPT_SCENARIOS: usize = 64;

/// The cells of an experiment, with their seeds. Cell number `point * arms + arm` is an arm of a point.
#[derive(Debug)]
pub struct Design {
    /// The scenario as it is, before values are varied.
    pub base: Scenario,
    /// The arms of every point; the first is the scenario of the point itself.
    pub arms: Vec<Arm>,
    /// The seed that all others come from.
    pub seed: u64,
    /// Whether every point has dice of its own.
    pub is_independent: bool,
    /// Repetitions of each cell.
    pub replicates: u32,
    /// Whether each run's tape is hashed.
    pub hash: bool,
    /// Whether each run's series, liquidations and transfers are kept.
    pub has_tables: bool,
    /// What of each run is compared with the world.
    pub targets: Vec<Target>,
    /// What decides the number of replicates; then `replicates` is the most that a cell may have.
    pub precision: Option<Precision>,
    /// Replicates by cell, once that is decided.
    settled: OnceLock<Vec<u32>>,
    /// What is varied; without it the scenario is the only point.
    space: Option<Space>,
    kept: Mutex<VecDeque<(u32, Arc<Scenario>)>>,
}

impl Design {
    /// Makes the design of a scenario: one point, and an arm for each of its counterfactuals.
    pub fn new(scenario: &Scenario, seed: u64, replicates: u32, hash: bool) -> Self {
        // Switching off what is off already would repeat the base.
        let counterfactuals = scenario.counterfactuals.iter().filter(|one| scenario.mechanisms.has(**one));
        let arms = [Arm::Base].into_iter().chain(counterfactuals.map(|&one| Arm::Without(one))).collect();
        Self {
            base: scenario.clone(),
            arms,
            seed,
            is_independent: false,
            replicates,
            hash,
            has_tables: true,
            targets: Vec::new(),
            precision: None,
            settled: OnceLock::new(),
            space: None,
            kept: Mutex::default(),
        }
    }

    /// Makes the design that compares a scenario with targets: the scenario as it is, and the same without leverage unless
    /// there is none to take away.
    pub fn compared(
        scenario: &Scenario,
        seed: u64,
        replicates: u32,
        hash: bool,
        targets: Vec<Target>,
    ) -> Self {
        let mut arms = vec![Arm::Base];
        if Arm::Unlevered.of(scenario) != *scenario {
            arms.push(Arm::Unlevered);
        }
        Self { arms, targets, ..Self::new(scenario, seed, replicates, hash) }
    }

    /// Makes the design of a sweep: the points of a space, each with these arms; the first is the base.
    pub fn swept(scenario: &Scenario, space: Space, arms: Vec<Arm>, seed: u64, replicates: u32) -> Self {
        Self { arms, space: Some(space), has_tables: false, ..Self::new(scenario, seed, replicates, false) }
    }

    /// Returns what is varied, if anything is.
    pub const fn space(&self) -> Option<&Space> {
        self.space.as_ref()
    }

    /// Returns the number of points.
    pub fn points(&self) -> u32 {
        self.space.as_ref().map_or(1, |space| space.points().count())
    }

    /// Returns the number of cells.
    ///
    /// # Panics
    /// Panics if they are more than 2^32: a space has at most ten million points.
    pub fn cells(&self) -> u32 {
        self.points().checked_mul(self.arms.len() as u32).expect("a design has fewer than 2^32 cells")
    }

    /// Returns the point of a cell.
    pub fn point(&self, cell: u32) -> u32 {
        cell.div_euclid(self.arms.len() as u32)
    }

    /// Returns the place of a cell's arm among the arms.
    pub fn arm(&self, cell: u32) -> usize {
        cell.rem_euclid(self.arms.len() as u32) as usize
    }

    /// Returns the cell of an arm of a point.
    pub fn cell(&self, point: u32, arm: usize) -> u32 {
        point * self.arms.len() as u32 + arm as u32
    }

    /// Tells whether a run is the last of its point in the order of tables.
    pub fn ends_point(&self, key: RunKey) -> bool {
        self.arm(key.cell) + 1 == self.arms.len() && key.replicate + 1 == self.replicates_of(key.cell)
    }

    /// Returns the number of replicates of a cell; the most that it may have before that is decided.
    pub fn replicates_of(&self, cell: u32) -> u32 {
        let settled = self.settled.get().and_then(|counts| counts.get(cell as usize));
        settled.copied().unwrap_or(self.replicates)
    }

    /// Takes over the replicates that a plan came to. What was decided before stays.
    pub fn settle(&self, plan: &Plan) {
        if !plan.counts.is_empty() {
            let _ = self.settled.set(plan.counts.clone());
        }
    }

    /// Returns the fewest and the most replicates of a cell.
    pub fn replicates_range(&self) -> (u32, u32) {
        let counts = self.settled.get().map_or(&[][..], Vec::as_slice);
        let ends = counts.iter().min().zip(counts.iter().max());
        ends.map_or((self.replicates, self.replicates), |(least, most)| (*least, *most))
    }

    /// Returns the place of an arm.
    pub fn find_arm(&self, arm: Arm) -> Option<usize> {
        self.arms.iter().position(|one| *one == arm)
    }

    /// Makes the scenario of a cell.
    ///
    /// # Errors
    /// Says what is wrong with the values of its point.
    pub fn scenario(&self, cell: u32) -> Result<Arc<Scenario>, BadPoints> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, scenario)) = kept().iter().find(|(of, _)| *of == cell) {
            return Ok(Arc::clone(scenario));
        }
        let arm = self.arms[self.arm(cell)];
        let scenario = match &self.space {
            Some(space) => arm.of(&space.scenario(self.point(cell))?),
            None => arm.of(&self.base),
        };
        let scenario = Arc::new(scenario);
        let mut kept = kept();
        kept.truncate(KEPT_SCENARIOS - 1);
        kept.push_front((cell, Arc::clone(&scenario)));
        Ok(scenario)
    }

    /// Makes the plan that the store keeps: everything that decides a result, the definition of what is varied and the resolved
    /// scenario included.
    pub fn plan(&self, resolved: &str) -> Plan {
        let replicates = match &self.precision {
            Some(precision) => precision.definition(),
            None => format!("replicates = {}", self.replicates),
        };
        let mut text = format!(
            "program = {} {}\nmodel_version = {}\nseed_scheme = {SCHEME}\nseed = {}\n{replicates}\nhash = {}\n",
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            crate::MODEL_VERSION,
            self.seed,
            self.hash,
        );
        if let Some(space) = &self.space {
            let _ = writeln!(text, "tables = {}", self.has_tables);
            let _ = writeln!(text, "points = {}", space.points().count());
            if self.is_independent {
                text.push_str("independent = true\n");
            }
        }
        for (index, arm) in self.arms.iter().enumerate() {
            let what = if self.space.is_some() { "arm" } else { "cell" };
            let _ = writeln!(text, "{what} {index} = {}", arm.name());
        }
        for target in &self.targets {
            let _ = writeln!(text, "target {}", computed(target, &self.base));
        }
        if let Some(space) = &self.space {
            let _ = writeln!(text, "{}", space.definition());
        }
        text.push_str(resolved);
        Plan { text, cells: self.cells(), replicates: self.replicates, counts: Vec::new() }
    }

    /// Returns the columns of a table with one for each parameter that is varied, after the key.
    pub fn columns<'d>(&'d self, table: &'d Table<'d>) -> Vec<Column<'d>> {
        let axes = self.space.iter().flat_map(|space| space.points().axes());
        let parameters = axes.map(|axis| {
            let kind = axis.kind();
            let key = match axis.moved.as_slice() {
                [moved] => find(&moved.path.text),
                _ => None,
            };
            let unit = match (kind, key) {
                (ColumnKind::Text, _) => "",
                (_, Some(key)) if !key.unit.is_empty() => key.unit,
                _ => "1",
            };
            Column { name: &axis.name, unit, kind, meaning: key.map_or(axis.meaning(), |key| key.meaning) }
        });
        let (key, rest) = table.columns.split_at(2);
        key.iter().copied().chain(parameters).chain(rest.iter().copied()).collect()
    }

    /// Returns the columns of the runs table: with those of the parameters, and the arm, where something is varied.
    pub fn run_columns(&self) -> Vec<Column<'_>> {
        let mut columns = self.columns(&RUNS);
        if self.space.is_some() {
            let arm = CELLS.column("arm").expect("a cell has an arm");
            columns.insert(columns.len() - RUNS.columns.len() + 2, *arm);
        }
        columns
    }

    /// Writes what the runs table has of a cell before its outcome.
    pub fn write_cell(&self, cell: u32, rows: &mut RowWriter<'_>) {
        self.write_parameters(self.point(cell), rows);
        if self.space.is_some() {
            rows.text(&*self.arms[self.arm(cell)].name());
        }
    }

    /// Returns what stands in tables for a parameter of a point, by the place of its axis; `None` where nothing does.
    ///
    /// # Panics
    /// Panics without such an axis.
    pub fn label(&self, point: u32, axis: usize) -> Option<Label> {
        let space = self.space.as_ref().expect("something is varied");
        let of = &space.points().axes()[axis];
        match space.points().levels(point)[axis] {
            Some(level) => Some(of.label(level).clone()),
            None => space.unvaried(of),
        }
    }

    /// Writes what a point has for each parameter that is varied.
    pub fn write_parameters(&self, point: u32, rows: &mut RowWriter<'_>) {
        let Some(space) = &self.space else { return };
        for (at, axis) in space.points().axes().iter().enumerate() {
            match (axis.kind(), self.label(point, at)) {
                (ColumnKind::Text, Some(Label::Word(word))) => rows.text(word.as_str()),
                (ColumnKind::Text, _) => rows.text(None),
                (_, Some(Label::Number(number))) => rows.number(number),
                _ => rows.number(None),
            };
        }
    }

    /// Returns the seed of a cell's runs: that of the design, or one of its point's own, below 2^63 as a study can state it.
    pub fn seed_of(&self, cell: u32) -> u64 {
        if self.is_independent {
            let seed = Seed { master: self.seed, replicate: self.point(cell) };
            seed.stream("independent-points").draw(0, 0).next_u64() >> 1
        } else {
            self.seed
        }
    }
}

/// Says everything about a target that decides its values; what was observed does not.
fn computed(target: &Target, scenario: &Scenario) -> String {
    let span = |window: crate::record::targets::Window| {
        format!("{}..{}", format_duration(window.from), format_duration(window.to))
    };
    format!(
        "{} = {} of {} over {} against {} times {}",
        target.id,
        target.statistic.name,
        scenario.world.markets[target.market.index()].name,
        span(target.window),
        target.reference.map_or_else(|| "nothing".to_owned(), span),
        target.scale,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::points::tests::axis;
    use crate::experiment::{Axis, Combination, Points};
    use crate::mechanisms::Mechanism;
    use crate::scenario::{Document, PopulationStrategy, check, shipped};
    use crate::units::Time;

    fn document(name: &str) -> Document {
        Document::parse(name, shipped::find(name).unwrap().text.as_bytes()).unwrap()
    }

    fn scenario(name: &str) -> Scenario {
        check(&document(name), name).unwrap()
    }

    const LEVERAGES: &str = "populations.retail.strategy.retail.leverages";

    fn swept(axes: Vec<Axis>, combination: Combination) -> Design {
        let home = Document::parse("home", b"").unwrap();
        let points = Points::new(axes, combination).unwrap();
        let space =
            Space::new(document("long-squeeze"), "long-squeeze", home, points, "design = \"x\"".to_owned());
        let arms = vec![Arm::Base, Arm::Without(Mechanism::ForcedLiquidation)];
        Design::swept(&scenario("long-squeeze"), space, arms, 1, 3)
    }

    #[test]
    fn an_arm_that_would_repeat_the_base_is_left_out() {
        let arms = |name: &str| -> Vec<String> {
            let design = Design::compared(&scenario(name), 1, 1, false, Vec::new());
            design.arms.iter().map(|arm| arm.name().into_owned()).collect()
        };
        assert_eq!(arms("long-squeeze"), ["base", "unlevered"]);
        assert_eq!(arms("leverage-one"), ["base"]);
    }

    #[test]
    fn a_cell_is_an_arm_of_a_point() {
        let design = swept(vec![axis("duration", &["20m", "30m", "40m"])], Combination::Grid);
        assert_eq!((design.points(), design.cells()), (3, 6));
        for cell in 0..6 {
            let (point, arm) = (design.point(cell), design.arm(cell));
            assert_eq!(design.cell(point, arm), cell);
            let scenario = design.scenario(cell).unwrap();
            assert_eq!(scenario.duration, Time((20 + 10 * i64::from(point)) * 60_000_000_000));
            assert_eq!(scenario.mechanisms.has(Mechanism::ForcedLiquidation), arm == 0);
        }
        assert_eq!(design.scenario(0).unwrap(), design.scenario(0).unwrap(), "a kept one is the same");
    }

    #[test]
    fn values_replace_what_stands_at_their_paths_and_nothing_else() {
        let design = swept(vec![axis(LEVERAGES, &["[[7, 1]]", "[[9, 1]]"])], Combination::OneAtATime);
        let leverages = |cell: u32| {
            let scenario = design.scenario(cell).unwrap();
            let retail = scenario.populations.iter().find_map(|population| match &population.strategy {
                PopulationStrategy::Retail { spec, .. } => Some(spec.leverages.clone()),
                _ => None,
            });
            retail.unwrap()
        };
        assert_eq!(leverages(0), [5, 10, 20, 50], "the scenario as it is");
        assert_eq!((leverages(2), leverages(4)), (vec![7], vec![9]));
        assert_eq!(*design.scenario(0).unwrap(), scenario("long-squeeze"));
    }

    #[test]
    fn a_plan_says_what_decides_and_a_million_points_are_few_words() {
        let thousand: Vec<String> = (1..=1_000).map(|value| value.to_string()).collect();
        let values: Vec<&str> = thousand.iter().map(String::as_str).collect();
        let shorts = axis("populations.retail.strategy.retail.shorts", &values);
        let longs = axis("populations.retail.strategy.retail.longs", &values);
        let design = swept(vec![shorts, longs], Combination::Grid);
        let plan = design.plan("resolved = true\n");
        assert_eq!(u64::from(plan.cells), 2_000_000);
        assert!(plan.text.len() < 10_000, "{}", plan.text.len());
        assert!(plan.text.contains("\npoints = 1000000\n"), "{}", plan.text);
        assert!(
            plan.text
                .ends_with("arm 0 = base\narm 1 = forced_liquidation\ndesign = \"x\"\nresolved = true\n")
        );
        design.scenario(1_999_999).unwrap();
    }

    #[test]
    fn a_value_out_of_range_is_said_once_however_many_points_have_it() {
        let path = "populations.flow.strategy.background.depth_scale";
        let bad =
            swept(vec![axis(path, &["1", "-2"]), axis("duration", &["1h", "2h", "soon"])], Combination::Grid);
        let said = bad.space().unwrap().check().unwrap_err().render(false);
        assert_eq!(said.matches("error").count(), 2, "{said}");
        assert!(said.contains("-2 is out of range") && said.contains("\"soon\" is not a duration"), "{said}");
        // The shock of the scenario comes after ten minutes.
        let bad = swept(vec![axis("duration", &["1h", "5m"])], Combination::Grid);
        let said = bad.space().unwrap().check().unwrap_err().render(false);
        assert!(said.contains("with duration = 5m"), "{said}");
        let good = swept(vec![axis(path, &["1", "2"])], Combination::Grid);
        assert!(good.space().unwrap().check().is_ok());
    }
}
