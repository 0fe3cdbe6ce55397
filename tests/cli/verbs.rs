//! The verbs and options that a new user tries first.

use crate::place::{Place, SOUND, assert_text};

const SHIPPED: [&str; 5] = ["btc-2026-02-23", "btc-2026-02-23-light", "calm", "leverage-one", "long-squeeze"];

#[test]
fn help_and_version_are_no_errors() {
    let place = Place::new();
    for words in [
        "--help",
        "-h",
        "run --help",
        "targets --help",
        "sweep --help",
        "sweep merge --help",
        "amplify --help",
        "check --help",
        "show --help",
        "explain --help",
        "help run",
    ] {
        let said = place.said(words).expect(0, &[]);
        assert_eq!(said.err, "", "{words}");
        assert!(said.out.contains("Usage: firesale"), "{words}: {}", said.out);
    }
    assert_text!("help", place.said("--help").out);
    assert!(place.said("--version").expect(0, &[]).out.starts_with("firesale "));
}

#[test]
fn mistakes_in_usage_are_the_users() {
    let place = Place::new();
    for (words, needle) in [
        ("", "Usage: firesale"),
        ("rum calm", "a similar subcommand exists: 'run'"),
        ("run", "'firesale list' names what is shipped"),
        ("run calm --replicate 3", "--replicates"),
        ("run calm -n 0", "a whole number from 1 to 100000 is wanted"),
        ("run calm -n many", "a whole number from 1 to 100000 is wanted"),
        ("run calm --threads 0", "a whole number from 1 is wanted"),
        ("run calm --seed -1", "a whole number from 0 to 18446744073709551615 is wanted"),
        ("run calm --out", "--out"),
        ("sweep", "'firesale list' names what is shipped"),
        ("sweep calm --zip --one-at-a-time", "cannot be used with"),
    ] {
        let said = place.said(words).expect(1, &[needle]);
        assert_eq!(said.out, "", "{words}");
    }
}

#[test]
fn an_unknown_scenario_says_which_there_are() {
    let place = Place::new();
    for (name, words) in [
        ("near", "run long-sqeeze"),
        ("begun", "check btc"),
        ("far", "show xyzzy"),
        ("file", "check my.toml"),
    ] {
        assert_text!(format!("unknown_scenario_{name}"), place.said(words).expect(1, &[]).err);
    }
}

#[test]
fn shipped_scenarios_are_listed_shown_and_sound() {
    let place = Place::new();
    let list = place.said("list").expect(0, &[]).out;
    for name in SHIPPED {
        assert!(list.contains(name), "{list}");
        let said = place.said(&format!("check {name}")).expect(0, &[]);
        assert_eq!((said.out, said.err), (format!("{name}: sound\n"), String::new()));
        let shown = place.said(&format!("show {name}")).expect(0, &[]).out;
        let begins = "#:schema ./firesale.schema.json\n# ";
        assert!(shown.starts_with(begins), "the file as it was written, with its comments: {shown}");
        place.write("copy.toml", &shown);
        place.said("check copy.toml").expect(0, &[]);
    }
    for study in ["depth-leverage", "depth-leverage-equity"] {
        let said = place.said(&format!("check {study}")).expect(0, &[]);
        assert_eq!(said.out, format!("{study}: sound, 36 points\n"));
        place.write("study.toml", place.said(&format!("show {study}")).expect(0, &[]).out);
        place.said("check study.toml").expect(0, &[]);
    }
    assert_text!("list", list);
}

#[test]
fn a_resolved_scenario_is_a_scenario_that_resolves_to_itself() {
    let place = Place::new();
    for words in [
        "calm",
        "btc-2026-02-23",
        "sound.toml --set duration=2m --without adl --set populations.*.latency.base=3ms",
    ] {
        let resolved = place.said(&format!("show {words} --resolved")).expect(0, &[]).out;
        place.write("resolved.toml", &resolved);
        place.said("check resolved.toml").expect(0, &[]);
        let again = place.said("show resolved.toml --resolved").expect(0, &[]).out;
        assert_eq!(again, resolved, "{words}");
    }
    let resolved = place.said("show sound.toml --resolved --set duration=2m --without adl").out;
    for line in ["duration = \"2m\"", "adl = false", "mark = \"median\""] {
        assert!(resolved.contains(line), "no {line} in {resolved}");
    }
    let shown = place.said("show sound.toml --set duration=2m").expect(0, &[]).out;
    assert!(
        shown.contains("duration = \"2m\"")
            && !shown.contains("burn_in = \"10m\"")
            && !shown.contains("mark = "),
        "{shown}"
    );
}

#[test]
fn a_resolved_scenario_gives_the_same_results() {
    let place = Place::new();
    let changes = "--set shocks.sale.event.meta_order.quantity=50 --without maker_withdrawal";
    place.write("resolved.toml", place.said(&format!("show sound.toml --resolved {changes}")).out);
    place.said(&format!("run sound.toml {changes} -n 2 --quiet --out a")).expect(0, &[]);
    place.said("run resolved.toml -n 2 --quiet --out b").expect(0, &[]);
    let (a, b) = (place.results("a"), place.results("b"));
    for table in ["runs.csv", "series.csv", "liquidations.csv", "scenario.toml"] {
        assert_eq!(a[table], b[table], "{table}");
    }
}

#[test]
fn keys_are_explained() {
    let place = Place::new();
    for (name, path) in [
        ("leaf", "markets.*.tick"),
        ("concrete", "venues.binance.fees.taker"),
        ("prefix", "populations.*.latency"),
    ] {
        assert_text!(format!("explain_{name}"), place.said(&format!("explain {path}")).expect(0, &[]).out);
    }
    let all = place.said("explain").expect(0, &[]).out;
    assert!(all.contains("\npopulations.*.strategy.retail.longs\n"), "{all}");
    for (name, path) in [
        ("typo", "venues.*.fee"),
        ("typo_in_a_leaf", "venues.binance.fees.takr"),
        ("nonsense", "xyzzy"),
        ("last_word", "taker"),
        ("no_path", "venues..fees"),
    ] {
        let said = place.said(&format!("explain {path}")).expect(1, &[]);
        assert_text!(format!("explain_{name}"), said.err);
    }
}

#[test]
fn keys_of_studies_are_explained_beside_those_of_scenarios() {
    let place = Place::new();
    let said = place.said("explain axes.depth.values").expect(0, &[]).out;
    assert!(said.starts_with("in study files\n") && said.contains("logspace(first, last, count)"), "{said}");
    let said = place.said("explain title").expect(0, &[]).out;
    assert!(!said.starts_with("in study files") && said.contains("\nin study files\n"), "{said}");
}

#[test]
fn a_mechanism_that_is_none_is_named() {
    let place = Place::new();
    for (name, words) in
        [("typo", "check calm --without forced_liquidatoin"), ("nonsense", "run calm --without xyzzy")]
    {
        assert_text!(format!("without_mechanism_{name}"), place.said(words).expect(1, &[]).err);
    }
    place.said("check calm --without adl --without adl").expect(0, &[]);
}

#[test]
fn json_is_json_and_nothing_else() {
    let place = Place::new();
    let words = "run sound.toml -n 3 --json --out out --set counterfactuals=[\"forced_liquidation\"]";
    let said = place.said(words).expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["scenario"], "sound");
    assert_eq!(json["replicates"], 3);
    assert_eq!(json["folder"], "out");
    assert!(json["cells"][0]["metrics"]["drawdown_pct"]["median"].is_number(), "{json:#}");
    assert_eq!(json["effects"][0]["metrics"]["drawdown_pct"]["pairs"], 3);
    let again = place.said(words).expect(0, &["complete already"]);
    assert_eq!(again.out, said.out);
}

#[test]
fn quiet_prints_nothing() {
    let place = Place::new();
    let words = "run sound.toml -n 2 --quiet --out out";
    for _ in 0..2 {
        let said = place.said(words).expect(0, &[]);
        assert_eq!((said.out, said.err), (String::new(), String::new()));
    }
    assert!(place.path("out/runs.csv").exists());
    place.said("run sound.toml -n 3 --quiet --out out").expect(1, &["error: out holds runs"]);
}

#[test]
fn the_summary_reads_well() {
    let place = Place::new();
    let words = "run sound.toml -n 3 --out out --set counterfactuals=[\"forced_liquidation\"]";
    assert_text!("summary", place.said(words).expect(0, &[]).out);
}

#[test]
fn nothing_is_coloured_that_is_not_read_by_a_person() {
    let place = Place::new();
    place.write("broken.toml", SOUND.replace("longs = 150", "long = 150"));
    for words in
        ["check broken.toml", "run sound.toml -n 1 --out out", "run calmm", "--help", "run --replicate"]
    {
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
            let output = place.firesale(words).env(name, value).output().unwrap();
            assert!(![output.stdout, output.stderr].concat().contains(&0x1b), "{words} with {name}");
        }
    }
}
