//! The scenarios, studies and policies that are shipped, embedded in the program, so that their names work anywhere.

/// One shipped scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shipped {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The text of its file of targets, if it has one.
    pub targets: Option<&'static str>,
    /// Files of hourly prices before its start, by market.
    pub hourly: &'static [(&'static str, &'static str)],
}

/// A scenario that was made up: nothing was observed of it.
const fn made_up(name: &'static str, text: &'static str) -> Shipped {
    Shipped { name, text, targets: None, hourly: &[] }
}

/// All shipped scenarios, by name.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        name: "btc-2026-02-23",
        text: include_str!("../../scenarios/btc-2026-02-23.toml"),
        targets: Some(include_str!("../../scenarios/btc-2026-02-23.targets.csv")),
        hourly: &[("BTC-PERP", include_str!("../../scenarios/btc-2026-02-23.BTC-PERP.hourly.csv"))],
    },
    // What was observed is the same whatever the size of orders.
    Shipped {
        name: "btc-2026-02-23-light",
        text: include_str!("../../scenarios/btc-2026-02-23-light.toml"),
        targets: Some(include_str!("../../scenarios/btc-2026-02-23.targets.csv")),
        hourly: &[("BTC-PERP", include_str!("../../scenarios/btc-2026-02-23.BTC-PERP.hourly.csv"))],
    },
    made_up("calm", include_str!("../../scenarios/calm.toml")),
    made_up("leverage-one", include_str!("../../scenarios/leverage-one.toml")),
    made_up("long-squeeze", include_str!("../../scenarios/long-squeeze.toml")),
];

/// All shipped studies, by name, with their texts.
pub const STUDIES: &[(&str, &str)] = &[
    ("depth-leverage", include_str!("../../scenarios/studies/depth-leverage.toml")),
    ("depth-leverage-equity", include_str!("../../scenarios/studies/depth-leverage-equity.toml")),
];

/// All shipped policies, by name, with their texts.
pub const POLICIES: &[(&str, &str)] = &[
    ("flat-margin", include_str!("../../scenarios/policies/flat-margin.toml")),
    ("halt", include_str!("../../scenarios/policies/halt.toml")),
    ("higher-maintenance", include_str!("../../scenarios/policies/higher-maintenance.toml")),
    ("larger-fund", include_str!("../../scenarios/policies/larger-fund.toml")),
    ("leverage-10", include_str!("../../scenarios/policies/leverage-10.toml")),
    ("leverage-125", include_str!("../../scenarios/policies/leverage-125.toml")),
    ("leverage-20", include_str!("../../scenarios/policies/leverage-20.toml")),
    ("leverage-5", include_str!("../../scenarios/policies/leverage-5.toml")),
    ("leverage-50", include_str!("../../scenarios/policies/leverage-50.toml")),
    ("no-adl", include_str!("../../scenarios/policies/no-adl.toml")),
    ("partial-liquidation", include_str!("../../scenarios/policies/partial-liquidation.toml")),
    ("price-band", include_str!("../../scenarios/policies/price-band.toml")),
    ("slow-liquidation", include_str!("../../scenarios/policies/slow-liquidation.toml")),
    ("volatility-margin", include_str!("../../scenarios/policies/volatility-margin.toml")),
];

/// Finds the text of a shipped policy.
pub fn find_policy(name: &str) -> Option<&'static str> {
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Finds the text of a shipped study.
pub fn find_study(name: &str) -> Option<&'static str> {
    STUDIES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Finds a shipped scenario.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Document, check};

    #[test]
    fn every_shipped_scenario_is_sound() {
        for shipped in SHIPPED {
            let document = Document::parse(shipped.name, shipped.text.as_bytes()).expect("it parses");
            if let Err(problems) = check(&document, shipped.name) {
                panic!("{}", document.render(&problems, false));
            }
        }
    }

    #[test]
    fn every_scenarios_first_line_names_the_schema_that_lies_beside_it() {
        let line = format!("#:schema ./{}", crate::scenario::SCHEMA_FILE);
        for shipped in SHIPPED {
            assert_eq!(shipped.text.lines().next(), Some(line.as_str()), "{}", shipped.name);
        }
        // A study or a policy has other keys: by that schema an editor would underline all of them.
        for (name, text) in STUDIES.iter().chain(POLICIES) {
            assert!(!text.contains("#:schema"), "{name}");
        }
    }

    #[test]
    fn the_lighter_btc_differs_in_three_lines_only() {
        let body = |name| {
            let text = find(name).unwrap().text;
            text[text.find("\nstart = ").unwrap()..].lines().collect::<Vec<_>>()
        };
        let (full, light) = (body("btc-2026-02-23"), body("btc-2026-02-23-light"));
        assert_eq!(full.len(), light.len());
        let different: Vec<(&str, &str)> = full.into_iter().zip(light).filter(|(a, b)| a != b).collect();
        let rung = ("orders_per_rung = 24", "orders_per_rung = 4");
        assert_eq!(different, [rung, rung, ("interval = \"2s\"", "interval = \"4s\"")]);
    }
}
