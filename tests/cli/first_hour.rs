//! What a new user types before the first run of a scenario of their own: `new`, `diff`, `schema`, `completions`, `man`.

use crate::place::{Place, assert_text};

#[test]
fn a_new_scenario_is_sound_runs_and_is_the_one_that_it_began_as() {
    let place = Place::new();
    for from in ["long-squeeze", "calm", "leverage-one", "btc-2026-02-23", "sound.toml"] {
        let name = from.trim_end_matches(".toml").replace("long-squeeze", "squeeze");
        let said = place.said(&format!("new my-{name} --from {from}")).expect(0, &["firesale check"]);
        assert_eq!(said.out, format!("my-{name}.toml\n"));
        place.said(&format!("check my-{name}.toml")).expect(0, &[]);
        assert!(
            place.said(&format!("diff {from} my-{name}.toml")).expect(0, &[]).out.contains("are the same")
        );
    }
    let said = place.said("run my-sound.toml -n 1 --quiet --out a").expect(0, &[]);
    assert_eq!(said.err, "");
    place.said("run sound.toml -n 1 --quiet --out b").expect(0, &[]);
    assert_eq!(place.results("a")["series.csv"], place.results("b")["series.csv"]);
}

#[test]
fn the_first_line_names_the_schema_that_lies_beside() {
    let place = Place::new();
    place.said("new mine").expect(0, &[]);
    let text = std::fs::read_to_string(place.path("mine.toml")).unwrap();
    assert_eq!(text.lines().next(), Some("#:schema ./firesale.schema.json"));
    let schema = std::fs::read_to_string(place.path("firesale.schema.json")).unwrap();
    assert_eq!(schema, place.said("schema").expect(0, &[]).out);
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/firesale.schema.json");
    let shipped = std::fs::read_to_string(shipped).unwrap();
    assert!(
        shipped == schema,
        "scenarios/firesale.schema.json is of another program: firesale schema > scenarios/firesale.schema.json"
    );
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["duration"]["type"], "string");
}

#[test]
fn a_new_scenario_takes_the_place_of_nothing() {
    let place = Place::new();
    place.write("mine.toml", "title = \"years of work\"\n");
    assert_text!("new_there_already", place.said("new mine").expect(1, &[]).err);
    assert_eq!(std::fs::read(place.path("mine.toml")).unwrap(), b"title = \"years of work\"\n");
    assert_text!("new_of_nothing", place.said("new other --from long-sqeeze").expect(1, &[]).err);
    place.said("run depth-leverage").expect(1, &["is a study", "firesale sweep depth-leverage"]);
    place.said("run larger-fund").expect(1, &["is a policy", "--policies larger-fund"]);
    assert_text!("new_elsewhere", place.said("new no/such/other").expect(1, &[]).err);
    for name in ["-x", "=cmd()", "a b.toml", "calm", "dir/"] {
        let said = crate::place::Said::of(place.firesale("new --").arg(name));
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{name}: {}", said.err);
    }
    assert!(!place.path("firesale.schema.json").exists(), "a refusal writes nothing");
}

#[test]
fn scenarios_differ_by_path_with_units() {
    let place = Place::new();
    let same = place.said("diff calm calm").expect(0, &[]);
    assert_eq!(same.out, "calm and calm are the same, defaults included\n");
    assert_text!("diff", place.said("diff long-squeeze leverage-one").expect(4, &[]).out);
    assert_text!("diff_narrow", place.said_in("diff long-squeeze calm", "60").expect(4, &[]).out);
    let json = place.said("diff long-squeeze leverage-one --json").expect(4, &[]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(
        json.as_array()
            .unwrap()
            .iter()
            .any(|one| one["path"] == "populations.retail.strategy.retail.longs" || one["path"] == "title")
    );
}

#[test]
fn results_differ_by_what_made_them_and_by_what_came_out() {
    let place = Place::new();
    place.said("run sound.toml -n 2 --quiet --out a").expect(0, &[]);
    place.said("run sound.toml -n 2 --quiet --out b --threads 1").expect(0, &[]);
    place.said("diff a b").expect(0, &[]);
    place.said("run sound.toml -n 2 --seed 2 --set duration=2m --quiet --out c").expect(0, &[]);
    let found = place.said("diff a c --json").expect(4, &[]).out;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let paths: Vec<&str> =
        found.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    for path in ["duration", "manifest.master_seed", "manifest.command", "manifest.files.runs.csv"] {
        assert!(paths.contains(&path), "{paths:?}");
    }
    // A folder beside a scenario: what was run of it.
    place.said("diff a sound.toml").expect(0, &[]);
    place.said("diff c sound.toml").expect(4, &[]);
}

#[test]
fn what_cannot_be_compared_says_why() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("empty")).unwrap();
    place.write("broken.toml", "duration = 5\n");
    assert_text!("diff_no_results", place.said("diff empty calm").expect(1, &[]).err);
    place.said("diff calm broken.toml").expect(1, &["broken.toml:1"]);
    place.said("diff calm lam").expect(1, &["did you mean calm?"]);
    place.said("diff calm").expect(1, &["<B>"]);
}

#[test]
fn shells_and_manuals_are_told() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = place.said(&format!("completions {shell}")).expect(0, &[]);
        assert!(said.out.contains("amplify") && said.err.is_empty(), "{shell}");
    }
    place.said("completions tcsh").expect(1, &["possible values: bash"]);
    for verb in ["", "run", "sweep merge"] {
        let said = place.said(&format!("man {verb}")).expect(0, &[]);
        assert!(said.out.contains(".TH"), "{verb}");
    }
    assert!(place.said("man sweep merge").out.contains("firesale\\-sweep\\-merge"));
    assert_text!("man_unknown", place.said("man rum").expect(1, &[]).err);
}

#[test]
fn the_reference_in_the_docs_is_what_the_program_prints() {
    let printed = Place::new().said("reference").expect(0, &[]).out;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        printed == written,
        "docs/reference.md is of another program: firesale reference > docs/reference.md"
    );
}
