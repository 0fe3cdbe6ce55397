//! Facts about reading tables and values.

use super::*;
use crate::scenario::sample::{KEYS, SOUND, document, drawn};

#[test]
fn a_sound_document_has_no_problems() {
    assert_eq!(drawn(SOUND, &[]), "");
}

#[test]
fn values_defaults_and_absence_are_told_apart() {
    let document = document(SOUND, &["venues.okx.tick=0.01"]);
    let reader = Reader::new(&document, KEYS);
    let root = reader.root();
    assert_eq!(root.text("title"), "a sample");
    assert_eq!(root.int("seed"), 7);
    assert_eq!(root.duration("duration"), Time(7_200_000_000_000));
    assert_eq!(root.instant("start").to_string(), "2026-02-23T00:00:00Z");
    assert!(!root.bool("record"));
    assert_eq!(root.opt_bool("record"), None);
    assert!(root.has("seed") && !root.has("record"));
    let venues = root.tables("venues");
    assert_eq!(venues.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["binance", "okx"]);
    let (binance, okx) = (venues[0].1, venues[1].1);
    assert_eq!(binance.path(), "venues.binance");
    assert!(binance.opt_table("fees").is_some_and(|fees| fees.float("taker") < 0.0005));
    assert!(okx.opt_table("fees").is_none());
    assert!(okx.table("fees").float("maker") > 0.0001);
    assert_eq!(okx.exact("tick"), "0.01".parse().unwrap());
    assert_eq!(okx.opt_exact("tick"), Some("0.01".parse().unwrap()));
    let tiers = binance.rows("tiers");
    assert_eq!(tiers.len(), 2);
    assert!(tiers[1].expect(&["notional", "rate"]));
    assert_eq!(tiers[1].int(0, 0, 100_000), 50_000);
    assert_eq!(tiers[1].exact(1, "0", "1"), "0.005".parse().unwrap());
    assert!(okx.rows("tiers").is_empty());
    let retail = root.table("populations").table_named("retail");
    assert_eq!(retail.choice("mood"), "nervous");
    let names = vec!["binance".to_owned(), "okx".to_owned()];
    assert_eq!(retail.reference("venue", "venue", &names), Some(1));
    let (variant, noise) = retail.one_of("strategy").unwrap();
    assert_eq!((variant, noise.path().as_str()), ("noise", "populations.retail.strategy.noise"));
    assert_eq!(noise.float("rate").to_bits(), 1.0_f64.to_bits());
    assert!(reader.is_clean());
    assert_eq!(reader.finish(), []);
}

#[test]
fn a_variant_without_keys_may_be_a_word() {
    let text = "[populations.a]\nvenue = 'x'\nsize = 1\nstrategy = 'noise'\n[venues.x]\ntick = 1\n";
    assert_eq!(drawn(text, &[]), "");
    assert_eq!(drawn(text, &["populations.a.strategy=idle"]), "");
}

#[test]
fn problems_of_every_kind_are_drawn_at_their_place() {
    let text = r#"titel = 3
seed = -1
start = 2026-01-01
duration = 5
record = "true"

[venues.a]
tick = 0.1
tiers = [[1], [2, 0.3], 4, [-1, "0.5"]]

[venues.b]
tick = "1/10"
fees = 3
tiers = "none"

[venues.c]
fees.taker = nan

[venues."../d"]
tick = 1

[venus.e]
tick = 1
"#;
    insta::assert_snapshot!("values", drawn(text, &[]));
    let text = r#"
[venues.binance]
tick = 1

[populations.a]
venue = "binanse"
size = 0
mood = "clam"
strategy.makr = { levels = 1 }

[populations.b]
venue = "okx"
size = "5"
mood = 3
strategy = { maker = { levels = 500 }, noise = {} }

[populations.c]
strategy = "maker"

[populations.d]
venue = "binance"
size = 1.0
strategy = {}

[populations.e]
venue = "binance"
size = 1_000_001
strategy = "mkaer"

[populations.f]
venue = 7
size = 1
strategy.noise = { rate = 1e-400, levels = 3 }

[populations.g]
venue = "binance"
size = 1
strategy = ["maker"]

[populations]
h = 5
"#;
    insta::assert_snapshot!("tables", drawn(text, &[]));
}

#[test]
fn problems_with_overridden_values_are_drawn_on_the_override() {
    let arguments = [
        "seed=-1",
        "populations.*.size=many",
        "populations.retail.strategy.maker={ levels = 0 }",
        "populations.new.venue=okx",
        "venues.okx.tick=0",
        "venues.*.fees={ takr = 0 }",
        "colour=red",
        "venues.*.tiers=[[0, 0.004]]",
    ];
    insta::assert_snapshot!("arguments", drawn(SOUND, &arguments));
}

#[test]
fn what_stands_in_place_of_a_table_is_reported_once() {
    let problems = crate::scenario::sample::read(&document("populations = 1\nvenues = [1]\n", &[]));
    assert_eq!(problems.len(), 2, "{problems:#?}");
    let problems = crate::scenario::sample::read(&document("populations.a = 1\nvenues.b.fees = 'x'\n", &[]));
    assert_eq!(problems.iter().filter(|problem| problem.what.contains("expected a table")).count(), 2);
    assert_eq!(problems.len(), 3, "{problems:#?}");
}

#[test]
fn enormous_names_make_short_messages() {
    let name = "x".repeat(100_000);
    let text = format!(
        "{name} = 1\n[venues.{name}]\n{name} = 1\n[populations.{name}]\nvenue = '{name}'\nmood = '{name}'\n"
    );
    let mut document = document(&text, &[]);
    document.set(&format!("populations.{name}.size={name}"));
    document.set(&format!("populations.{name}.venue.{name}=1"));
    document.set(&format!("venues.{name}.{name}.{name}=1"));
    document.set(&format!("populations.{name}.tiers.*.{name}=1"));
    let problems = crate::scenario::sample::read(&document);
    assert_eq!(problems.len(), 11, "{problems:#?}");
    for problem in problems {
        let length = problem.at.len() + problem.what.len() + problem.help.map_or(0, |help| help.len());
        assert!(length < 400, "{} {}", problem.at, problem.what);
    }
}

#[test]
fn stand_ins_are_in_range() {
    let text = "seed = 'x'\nduration = 0\n[venues.a]\n[populations.a]\nmood = 1\n";
    let document = document(text, &[]);
    let reader = Reader::new(&document, KEYS);
    let root = reader.root();
    assert_eq!(root.int("seed"), 1);
    assert_eq!(root.duration("duration"), Time(7_200_000_000_000));
    assert_eq!(root.table("venues").table_named("a").exact("tick"), "0.00000001".parse().unwrap());
    let population = root.table("populations").table_named("a");
    assert_eq!(population.int("size"), 1);
    assert_eq!(population.choice("mood"), "calm");
    assert!(!reader.is_clean());
}

#[test]
fn callers_report_at_keys_tables_and_paths() {
    let document = document(SOUND, &["venues.okx.fees.taker=0.05"]);
    let reader = Reader::new(&document, KEYS);
    let okx = reader.root().table("venues").table_named("okx");
    okx.problem("tick", "is coarser than the market's", Some("0.01 would do".to_owned()));
    okx.problem("", "has no market", None);
    okx.problem("tiers", "are needed here", None);
    okx.table("fees").problem("taker", "is above the maker's", None);
    reader.problem("populations.makers.strategy.maker.levels", "are too few", None);
    reader.problem("populations.makers.strategy.maker.skew", "is needed here", None);
    reader.problem("markets", "there are none", None);
    let problems = reader.finish();
    insta::assert_snapshot!("callers", document.render(&problems, false));
}

#[test]
#[should_panic(expected = "the key table does not declare `venus`")]
fn reading_a_key_that_is_not_declared_is_our_mistake() {
    let document = document("", &[]);
    Reader::new(&document, KEYS).root().text("venus");
}

#[test]
#[should_panic(expected = "`seed` is an integer of at least 0 and is not read by `text`")]
fn reading_a_key_as_another_kind_is_our_mistake() {
    let document = document("", &[]);
    Reader::new(&document, KEYS).root().text("seed");
}

impl<'r> Section<'r> {
    fn table_named(&self, name: &str) -> Section<'r> {
        self.enter(name, "*", self.find(name))
    }
}
