//! The scenarios that are shipped, embedded in the program, so that their names work anywhere.

/// One shipped scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shipped {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All shipped scenarios, by name.
pub const SHIPPED: &[Shipped] = &[
    Shipped { name: "btc-2026-02-23", text: include_str!("../../scenarios/btc-2026-02-23.toml") },
    Shipped { name: "calm", text: include_str!("../../scenarios/calm.toml") },
    Shipped { name: "leverage-one", text: include_str!("../../scenarios/leverage-one.toml") },
    Shipped { name: "long-squeeze", text: include_str!("../../scenarios/long-squeeze.toml") },
];

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
}
