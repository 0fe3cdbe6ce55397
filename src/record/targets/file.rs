//! The file of targets beside a scenario: read whole, or refused with everything that is wrong with it.

use super::{Feed, Purpose, STATISTICS, Statistic, Target, Window};
use crate::record::is_identifier;
use crate::scenario::problem::{listed, nearest, shown};
use crate::scenario::{BadSheet, Columns, Line, Problem, Scenario, Sheet};
use crate::units::{MarketId, Time, format_duration, parse_duration};

/// The columns of a file of targets.
pub const COLUMNS: Columns = Columns {
    required: &[
        "id",
        "statistic",
        "market",
        "from",
        "to",
        "observed",
        "tolerance",
        "unit",
        "use",
        "scope",
        "source",
    ],
    optional: &["ref_from", "ref_to", "scale"],
};

/// Understands a sheet of targets of a scenario.
///
/// # Errors
/// Says every statistic, market, window and number that is none, and what would be right.
pub fn read(sheet: &Sheet, scenario: &Scenario) -> Result<Vec<Target>, BadSheet> {
    let mut problems = Vec::new();
    let mut targets: Vec<Target> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for line in sheet.lines() {
        let mut row = Row { line, scenario, problems: &mut problems };
        let id = row.id(&ids);
        ids.push(line.cell("id"));
        let target = row.target();
        if let (Some(id), Some(target)) = (id, target) {
            targets.push(Target { id, ..target });
        }
    }
    if sheet.lines().is_empty() {
        problems.push(Problem {
            at: String::new(),
            source: crate::scenario::Source::Missing { start: 0, end: 0 },
            what: "has no target".to_owned(),
            help: Some("one row a target".to_owned()),
        });
    }
    if problems.is_empty() {
        assert_eq!(targets.len(), sheet.lines().len(), "a row without a problem is a target");
        Ok(targets)
    } else {
        Err(sheet.refuse(problems))
    }
}

/// One row and where its problems go.
struct Row<'a> {
    line: &'a Line,
    scenario: &'a Scenario,
    problems: &'a mut Vec<Problem>,
}

impl Row<'_> {
    fn problem(&mut self, column: &str, what: impl Into<String>, help: Option<String>) {
        self.problems.push(self.line.problem(column, what.into(), help));
    }

    fn id(&mut self, earlier: &[&str]) -> Option<String> {
        let id = self.line.cell("id");
        if !is_identifier(id) {
            let help = "up to 64 of A-Z a-z 0-9 _ -, beginning with a letter or digit";
            self.problem("id", format!("{:?} is no name", shown(id)), Some(help.to_owned()));
            return None;
        }
        if earlier.contains(&id) {
            self.problem("id", format!("another target is called {id}"), None);
            return None;
        }
        Some(id.to_owned())
    }

    /// Reads everything but the id; problems of all columns are told before the first one ends it.
    fn target(&mut self) -> Option<Target> {
        let statistic = self.statistic();
        let market = self.market();
        let window = self.window(["from", "to"]);
        let reference = self.reference(statistic);
        let observed = self.number("observed", f64::NEG_INFINITY, "");
        let tolerance = self.number("tolerance", f64::MIN_POSITIVE, " above zero");
        let scale = match self.line.cell("scale") {
            "" => Some(1.0),
            _ => self.number("scale", f64::MIN_POSITIVE, " above zero, or nothing for 1"),
        };
        if let Some(statistic) = statistic {
            if let Some(market) = market {
                self.meaningful(statistic, market);
            }
            self.unit(statistic);
            if let Some(window) = window {
                self.long_enough(statistic, window, "to");
            }
        }
        let purpose = self.purpose();
        for column in ["scope", "source"] {
            if self.line.cell(column).is_empty() {
                let help = match column {
                    "scope" => {
                        "which venues and streams the observation covers, and how the simulated value is made comparable"
                    }
                    _ => "where the number can be looked up",
                };
                self.problem(column, "is empty", Some(help.to_owned()));
            }
        }
        let reference = reference.ok()?;
        if let (Some(statistic), Some(window), Some(fall)) = (statistic, window, reference)
            && statistic.name == "retraced"
            && fall.to != window.from
        {
            let help = format!("{} is where the fall ends", format_duration(fall.to));
            self.problem("from", "is not where the reference window ends", Some(help));
        }
        Some(Target {
            id: String::new(),
            statistic: statistic?,
            market: market?,
            window: window?,
            reference,
            observed: observed?,
            tolerance: tolerance?,
            scale: scale?,
            purpose: purpose?,
            scope: self.line.cell("scope").to_owned(),
        })
    }

    fn statistic(&mut self) -> Option<&'static Statistic> {
        let name = self.line.cell("statistic");
        let found = Statistic::find(name);
        if found.is_none() {
            let names = || STATISTICS.iter().map(|statistic| statistic.name);
            let all = names().collect::<Vec<_>>().join(", ");
            let help = nearest(name, names())
                .map_or_else(|| format!("statistics: {all}"), |near| format!("did you mean `{near}`?"));
            self.problem("statistic", format!("{:?} is no statistic", shown(name)), Some(help));
        }
        found
    }

    fn market(&mut self) -> Option<MarketId> {
        let name = self.line.cell("market");
        let markets = &self.scenario.world.markets;
        let index = markets.iter().position(|market| market.name == name);
        if index.is_none() {
            let all = listed(markets.iter().map(|market| market.name.as_str()));
            let what = format!("{:?} is no market of the scenario", shown(name));
            self.problem("market", what, Some(format!("markets: {all}")));
        }
        index.map(|index| MarketId(index as u16))
    }

    fn meaningful(&mut self, statistic: &Statistic, market: MarketId) {
        let markets = &self.scenario.world.markets;
        let market = &markets[market.index()];
        if statistic.needs.met_by(market) {
            return;
        }
        let what = format!("{} has no {} for {}", market.name, statistic.needs.name(), statistic.name);
        let others: Vec<&str> = (markets.iter())
            .filter(|market| statistic.needs.met_by(market))
            .map(|market| market.name.as_str())
            .collect();
        let help = if others.is_empty() {
            format!("no market of the scenario has {}", statistic.needs.name())
        } else {
            format!("markets that have: {}", listed(others))
        };
        self.problem("market", what, Some(help));
    }

    /// Reads a window within the run.
    fn window(&mut self, columns: [&str; 2]) -> Option<Window> {
        let [from, to] = columns.map(|column| self.instant(column));
        let (from, to) = (from?, to?);
        if from >= to {
            let what = format!("is not later than {}", columns[0]);
            self.problem(columns[1], what, None);
            return None;
        }
        Some(Window { from, to })
    }

    fn instant(&mut self, column: &str) -> Option<Time> {
        let text = self.line.cell(column);
        let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
        let time = match parse_duration(size) {
            Ok(time) => Time(sign * time.0),
            Err(error) => {
                let help = "a time since the scenario's start, such as 1h or 90s; -10m is in the burn-in";
                self.problem(column, format!("{:?}: {error}", shown(text)), Some(help.to_owned()));
                return None;
            }
        };
        let (first, last) = (Time::ZERO - self.scenario.burn_in, self.scenario.duration);
        if time < first || time > last {
            let [first, last] = [first, last].map(format_duration);
            let what = format!("{} is outside the run", shown(text));
            self.problem(column, what, Some(format!("the scenario runs from {first} to {last}")));
            return None;
        }
        Some(time)
    }

    /// Reads the reference window where the statistic needs one; an error was said.
    fn reference(&mut self, statistic: Option<&Statistic>) -> Result<Option<Window>, ()> {
        let statistic = statistic.ok_or(())?;
        let columns = ["ref_from", "ref_to"];
        let given = columns.map(|column| !self.line.cell(column).is_empty());
        match statistic.reference {
            Some(meaning) if given == [false, false] => {
                let what = format!("{} needs a reference window", statistic.name);
                self.problem("ref_from", what, Some(format!("in ref_from and ref_to: {meaning}")));
                Err(())
            }
            Some(_) => {
                let window = self.window(columns).ok_or(())?;
                self.long_enough(statistic, window, "ref_to");
                Ok(Some(window))
            }
            None if given == [false, false] => Ok(None),
            None => {
                let column = columns[usize::from(!given[0])];
                self.problem(column, format!("{} takes no reference window", statistic.name), None);
                Err(())
            }
        }
    }

    fn long_enough(&mut self, statistic: &Statistic, window: Window, column: &str) {
        let samples = (statistic.feed == Feed::Samples).then_some(self.scenario.sample_every);
        let shortest = statistic.shortest.max(samples.unwrap_or(Time::ZERO));
        if window.to - window.from < shortest {
            let what = format!(
                "is less than {} after the start, too short for {}",
                format_duration(shortest),
                statistic.name
            );
            self.problem(column, what, None);
        }
    }

    fn unit(&mut self, statistic: &Statistic) {
        let given = self.line.cell("unit");
        if given != statistic.unit {
            let what = format!("{:?} is not the unit of {}", shown(given), statistic.name);
            self.problem("unit", what, Some(format!("write {}", statistic.unit)));
        }
    }

    fn number(&mut self, column: &str, least: f64, range: &str) -> Option<f64> {
        let text = self.line.cell(column);
        let found = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= least);
        if found.is_none() {
            self.problem(column, format!("{:?} is not a number{range}", shown(text)), None);
        }
        found
    }

    fn purpose(&mut self) -> Option<Purpose> {
        let word = self.line.cell("use");
        let found = Purpose::ALL.into_iter().find(|purpose| purpose.name() == word);
        if found.is_none() {
            let help = "fit (the scenario was fitted to it), score (a test) or show (for orientation)";
            self.problem("use", format!("{:?} is no use", shown(word)), Some(help.to_owned()));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Document, check, shipped};

    fn scenario() -> Scenario {
        let shipped = shipped::find("long-squeeze").unwrap();
        check(&Document::parse("a", shipped.text.as_bytes()).unwrap(), "a").unwrap()
    }

    fn targets(rows: &str) -> Result<Vec<Target>, String> {
        let text = format!(
            "id,statistic,market,from,to,ref_from,ref_to,observed,tolerance,unit,scale,use,scope,source\n{rows}\n"
        );
        let sheet = Sheet::parse("a.targets.csv", &text, COLUMNS).map_err(|bad| bad.render(false))?;
        read(&sheet, &scenario()).map_err(|bad| bad.render(false))
    }

    #[test]
    fn a_target_is_read_as_written() {
        let market = scenario().world.markets[0].name.clone();
        let rows = format!("a,volume_multiple,{market},0s,10m,-5m,0s,10,2,1,0.5,score,\"one, two\",b");
        let target = &targets(&rows).unwrap()[0];
        assert_eq!((target.id.as_str(), target.statistic.name), ("a", "volume_multiple"));
        let minute = 60 * Time::SECOND.0;
        assert_eq!(target.window, Window { from: Time::ZERO, to: Time(10 * minute) });
        assert_eq!(target.reference, Some(Window { from: Time(-5 * minute), to: Time::ZERO }));
        assert!((target.observed - 10.0).abs() < 1e-12 && (target.scale - 0.5).abs() < 1e-12);
        assert_eq!((target.purpose, target.scope.as_str()), (Purpose::Score, "one, two"));
    }

    #[test]
    fn every_cell_of_a_row_is_looked_at() {
        let said = targets("=a,fall,X,1,9999h,1h,,much,0,kg,-1,test,,").unwrap_err();
        for part in [
            "id: \"=a\" is no name",
            "statistic: \"fall\" is no statistic",
            "market: \"X\" is no market of the scenario",
            "from: \"1\": expected a number and a unit",
            "to: 9999h is outside the run",
            "observed: \"much\" is not a number",
            "tolerance: \"0\" is not a number above zero",
            "scale: \"-1\" is not a number above zero",
            "use: \"test\" is no use",
            "scope: is empty",
            "source: is empty",
        ] {
            assert!(said.contains(part), "no {part} in {said}");
        }
    }

    #[test]
    fn windows_fit_the_statistic() {
        let market = scenario().world.markets[0].name.clone();
        for (row, part) in [
            ("a,fall_pct,M,10m,10m,,,1,1,%,,show,a,b", "to: is not later than from"),
            ("a,fall_pct,M,0s,10m,-1m,0s,1,1,%,,show,a,b", "ref_from: fall_pct takes no reference window"),
            ("a,retraced,M,5m,10m,,,1,1,1,,show,a,b", "ref_from: retraced needs a reference window"),
            ("a,retraced,M,5m,10m,0s,4m,1,1,1,,show,a,b", "from: is not where the reference window ends"),
            ("a,retraced,M,5m,10m,0s,,1,1,1,,show,a,b", "ref_to: \"\": expected a number"),
            ("a,worst_minute_pct,M,0s,59s,,,1,1,%,,show,a,b", "to: is less than 1m after the start"),
            ("a,spread_bps_mean,M,0s,1ms,,,1,1,bps,,show,a,b", "too short for spread_bps_mean"),
            ("a,fall_pct,M,0s,10m,,,1,1,bps,,show,a,b", "unit: \"bps\" is not the unit of fall_pct"),
            (
                "a,fall_pct,M,0s,1m,,,1,1,%,,show,a,b\na,fall_pct,M,0s,1m,,,1,1,%,,show,a,b",
                "another target is called a",
            ),
            (
                "a,funding_rate_pct,M,0s,10m,,,1,1,%,,show,a,b",
                "market: COIN-PERP has no funding for funding_rate_pct",
            ),
            ("a,premium_bps_mean,M,0s,10m,,,1,1,bps,,show,a,b", "no market of the scenario has index"),
            ("", "has no target"),
        ] {
            let said = targets(&row.replace(",M,", &format!(",{market},"))).unwrap_err();
            assert!(said.contains(part), "no {part} in {said}");
        }
    }

    #[test]
    fn shipped_targets_are_sound() {
        let mut found = 0;
        for shipped in shipped::SHIPPED {
            let Some(text) = shipped.targets else { continue };
            let scenario = check(&Document::parse("a", shipped.text.as_bytes()).unwrap(), "a").unwrap();
            let sheet = Sheet::parse(shipped.name, text, COLUMNS).unwrap();
            if let Err(bad) = read(&sheet, &scenario) {
                panic!("{}", bad.render(false));
            }
            found += 1;
        }
        assert!(found > 0);
    }
}
