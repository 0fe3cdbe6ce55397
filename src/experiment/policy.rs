//! Policy files: one line of what a policy is and the changes of a scenario that make it, read and refused as scenario files
//! are; and the points of a comparison of policies.

use super::points::{Axis, Overlay, Points, Written};
use super::space::{BadPoints, Space};
use crate::scenario::{Document, Key, Kind, Problem, Reader, Scenario, Source, halves, quoted};
use std::fmt::Write as _;

/// Name of the scenario as it is among policies.
pub const BASELINE: &str = "baseline";

/// The keys of policy files.
pub static POLICY_KEYS: &[Key] = &[
    Key {
        path: "title",
        kind: Kind::Text,
        unit: "",
        default: None,
        meaning: "one line of what the policy is",
        why: "",
    },
    Key {
        path: "set",
        kind: Kind::List,
        unit: "",
        default: None,
        meaning: "changes of a scenario: \"path=value\", as --set takes them",
        why: "",
    },
];

/// A policy: changes of any scenario that has what they name.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What it is called in tables: the stem of its file.
    pub name: String,
    /// One line of what it is.
    pub title: String,
    changes: Vec<(Written, Written)>,
    home: Document,
}

impl Policy {
    /// Tells whether a document is a policy rather than a scenario or a study.
    pub fn is_in(document: &Document) -> bool {
        let has = |key: &str| document.literal(key).is_some();
        has("set") && !["scenario", "axes", "assets", "venues", "markets"].into_iter().any(has)
    }

    /// Reads a policy.
    ///
    /// # Errors
    /// Says everything that is wrong with it that shows without a scenario.
    pub fn read(home: &Document, name: &str) -> Result<Self, Vec<Problem>> {
        let reader = Reader::new(home, POLICY_KEYS);
        let root = reader.root();
        let row = root.row("set");
        let mut changes = Vec::new();
        for cell in 0..row.len() {
            let text = row.text(cell);
            if !row.literal(cell).starts_with(['"', '\'']) {
                continue;
            }
            let Some((path, value)) = halves(&text) else {
                let help = "for example \"venues.*.insurance_fund=1000000\"".to_owned();
                row.problem(cell, "a change has the form path=value", Some(help));
                continue;
            };
            let letters = row.letters(cell);
            let written = |part: std::ops::Range<usize>| {
                let source = match letters {
                    Source::File { start, end } if end - start == text.len() => {
                        Source::File { start: start + part.start, end: start + part.end }
                    }
                    whole => whole,
                };
                Written { text: text[part].to_owned(), source }
            };
            changes.push((written(path), written(value)));
        }
        if root.has("set") && row.is_empty() && !root.is_spoilt("set") {
            root.problem("set", "changes nothing", Some("one \"path=value\" at least".to_owned()));
        }
        let title = root.text("title");
        let problems = reader.finish();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { name: name.to_owned(), title, changes, home: home.clone() })
    }

    /// Makes the scenario under the policy.
    ///
    /// # Errors
    /// Says everything that is wrong with it, in the file of the policy where it stands there.
    pub fn on(&self, document: &Document, name: &str) -> Result<Scenario, BadPoints> {
        let axis = Axis::naming("policy", std::slice::from_ref(&self.name), "");
        let overlay = Overlay { levels: vec![Some(0)], changes: self.changes.clone() };
        let points = Points::overlaid(vec![axis], vec![overlay]);
        Space::new(document.clone(), name, self.home.clone(), points, String::new()).scenario(0)
    }

    /// Writes the policy as its file, without comments.
    pub fn to_toml(&self) -> String {
        format!("title = {}\nset = [{}]\n", quoted(&self.title), self.quoted_changes())
    }

    /// Makes the points of a comparison: the scenario as it is, then each policy, with each of some words of how agents adapt to it
    /// if there are any.
    pub fn points(policies: &[Self], adaptations: &[String]) -> Points {
        let names: Vec<String> = [BASELINE]
            .into_iter()
            .chain(policies.iter().map(|policy| policy.name.as_str()))
            .map(str::to_owned)
            .collect();
        let axes = vec![
            Axis::naming("policy", &names, "policy, or baseline: the scenario as it is"),
            Axis::naming("adaptation", adaptations, "how agents adapt to the policy, where it was asked for"),
        ];
        let nowhere =
            |text: &str| Written { text: text.to_owned(), source: Source::Missing { start: 0, end: 0 } };
        let mut overlays = vec![Overlay { levels: vec![Some(0), None], changes: Vec::new() }];
        for (index, policy) in policies.iter().enumerate() {
            let level = Some(index + 1);
            if adaptations.is_empty() {
                overlays.push(Overlay { levels: vec![level, None], changes: policy.changes.clone() });
            }
            for (word, adaptation) in adaptations.iter().enumerate() {
                let mut changes = policy.changes.clone();
                changes.push((nowhere("adaptation"), nowhere(&quoted(adaptation))));
                overlays.push(Overlay { levels: vec![level, Some(word)], changes });
            }
        }
        Points::overlaid(axes, overlays)
    }

    /// Writes what decides the points.
    pub fn definition(policies: &[Self], adaptations: &[String]) -> String {
        let mut text = format!("adaptations = {}", adaptations.join(", "));
        for policy in policies {
            let _ = write!(text, "\npolicy {} = [{}]", policy.name, policy.quoted_changes());
        }
        text
    }

    fn quoted_changes(&self) -> String {
        let texts = self.changes.iter().map(|(path, value)| quoted(&format!("{}={}", path.text, value.text)));
        texts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::keys::faults;
    use crate::scenario::{check, shipped};

    fn read(text: &str) -> Result<Policy, String> {
        let document = Document::parse("p.toml", text.as_bytes()).unwrap();
        Policy::read(&document, "p").map_err(|problems| document.render(&problems, false))
    }

    fn squeeze() -> Document {
        Document::parse("long-squeeze.toml", shipped::find("long-squeeze").unwrap().text.as_bytes()).unwrap()
    }

    #[test]
    fn the_table_of_keys_is_sound() {
        assert_eq!(faults(POLICY_KEYS), Vec::<String>::new());
    }

    #[test]
    fn every_shipped_policy_changes_a_shipped_scenario() {
        for (name, text) in shipped::POLICIES {
            let home = Document::parse(name, text.as_bytes()).unwrap();
            let policy =
                Policy::read(&home, name).unwrap_or_else(|bad| panic!("{}", home.render(&bad, false)));
            assert!(Policy::is_in(&home) && !policy.title.is_empty(), "{name}");
            let changes = |shipped: &shipped::Shipped| {
                let document = Document::parse(shipped.name, shipped.text.as_bytes()).unwrap();
                let as_it_is = check(&document, shipped.name).unwrap();
                policy.on(&document, shipped.name).is_ok_and(|scenario| scenario != as_it_is)
            };
            assert!(shipped::SHIPPED.iter().any(changes), "{name}");
        }
    }

    #[test]
    fn a_policy_is_laid_over_a_scenario_and_reads_again_as_it_is_written() {
        let policy =
            read("title = \"t\"\nset = ['venues.*.fees.taker=\"0.001\"', \"duration=30m\"]\n").unwrap();
        let scenario = policy.on(&squeeze(), "s").unwrap();
        assert_eq!(scenario.world.venues[0].fees.taker.0, 1_000_000);
        assert_eq!(scenario.duration.as_secs_f64() as i64, 1_800);
        assert_eq!(read(&policy.to_toml()).unwrap().to_toml(), policy.to_toml());
    }

    #[test]
    fn each_policy_meets_each_adaptation_and_the_baseline_none() {
        let policies = [read("title = \"t\"\nset = [\"duration=30m\"]\n").unwrap()];
        let words = ["keep", "same_notional"].map(str::to_owned);
        let points = Policy::points(&policies, &words);
        let levels: Vec<_> = (0..points.count()).map(|point| points.levels(point)).collect();
        assert_eq!(levels, [[Some(0), None], [Some(1), Some(0)], [Some(1), Some(1)]]);
        let texts = |point| -> Vec<String> {
            points
                .overrides(point)
                .iter()
                .map(|one| format!("{}={}", one.path.text, one.value.text))
                .collect()
        };
        assert_eq!(texts(0), Vec::<String>::new());
        assert_eq!(texts(2), ["duration=30m", "adaptation=\"same_notional\""]);
        assert_eq!(Policy::points(&policies, &[]).count(), 2);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_its_place() {
        insta::assert_snapshot!("policy", read("titel = \"x\"\nset = [5, \"no equals\"]\n").unwrap_err());
        insta::assert_snapshot!("policy_empty", read("title = \"x\"\nset = []\n").unwrap_err());
        let bad = read(
            "title = \"x\"\nset = [\"venues.*.insurance_fnd=1\", \"venues.exchange.fees.taker=2\", \"nowhere.*.x=1\"]\n",
        );
        let bad = bad.unwrap().on(&squeeze(), "s").unwrap_err();
        insta::assert_snapshot!("policy_on_a_scenario", bad.render(false));
        assert!(bad.first().contains("insurance_fnd"), "{}", bad.first());
        // What a change spoils elsewhere is shown in the scenario.
        let elsewhere =
            read("title = \"x\"\nset = [\"duration=5m\"]\n").unwrap().on(&squeeze(), "s").unwrap_err();
        assert!(elsewhere.render(false).contains("with policy = p"), "{}", elsewhere.render(false));
    }
}
