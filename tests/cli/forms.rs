//! Tables in other forms than plain CSV: the same rows, sealed and read by every verb.

use crate::place::{Place, assert_same};
use firesale::output::open_table;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

const SWEEP: &str = "sweep sound.toml --arms forced_liquidation --vary duration=40s,1m -n 2 --tables";
/// The options with the endings that they give.
const FORMS: [(&str, &str); 2] = [("gz", ".gz"), ("zstd", ".zst")];

fn is_csv(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "csv")
}

/// Returns every table of a folder in its plain form, by its plain name.
fn tables(place: &Place, folder: &str, ending: &str) -> BTreeMap<String, String> {
    let names = place.results(folder).into_keys();
    let names = names.filter_map(|name| Some((name.strip_suffix(ending)?.to_owned(), name.clone())));
    let read = |(plain, name)| {
        let mut text = String::new();
        open_table(&place.path(folder).join(&name)).unwrap().read_to_string(&mut text).unwrap();
        (plain, text)
    };
    names.filter(|(plain, _)| is_csv(plain) && plain != "columns.csv").map(read).collect()
}

#[test]
fn packed_tables_hold_the_same_rows_for_every_verb() {
    let place = Place::new();
    place.write("thin.toml", "title = \"x\"\nset = ['populations.makers.strategy.maker.quote=\"0.1\"']\n");
    for (name, words) in [
        ("run", "run sound.toml -n 2"),
        ("sweep", SWEEP),
        ("amplify", "amplify sound.toml --vary duration=40s,1m -n 2"),
        ("compare", "compare sound.toml --policies thin.toml -n 4 --after 15s --calm 20s"),
    ] {
        place.said(&format!("{words} --quiet --out {name}")).expect(0, &[]);
        let plain = tables(&place, name, "");
        assert!(plain.len() >= 4, "{:?}", plain.keys());
        for (form, ending) in FORMS {
            let out = format!("{name}-{form}");
            place.said(&format!("{words} --quiet --compress {form} --threads 1 --out {out}")).expect(0, &[]);
            assert_eq!(tables(&place, &out, ending), plain, "{words}");
            let results = place.results(&out);
            let left: Vec<_> = results.keys().filter(|name| is_csv(name)).collect();
            assert_eq!(left, ["columns.csv"], "{words}");
            let sums = String::from_utf8(results["SHA256SUMS"].clone()).unwrap();
            let package: serde_json::Value = serde_json::from_slice(&results["datapackage.json"]).unwrap();
            for resource in package["resources"].as_array().unwrap() {
                let path = resource["path"].as_str().unwrap();
                let sum = resource["hash"].as_str().unwrap().strip_prefix("sha256:").unwrap();
                assert!(sums.contains(&format!("{sum}  {path}\n")), "{path}");
                assert_eq!(resource["bytes"], results[path].len());
                let packed = (path != "columns.csv").then(|| serde_json::json!(&ending[1..]));
                assert_eq!(resource.get("compression"), packed.as_ref(), "{path}");
            }
        }
    }
}

#[test]
fn the_form_decides_no_run_and_tables_are_made_anew_for_another_one() {
    let place = Place::new();
    place.said(&format!("{SWEEP} --quiet --out out")).expect(0, &[]);
    let plain = place.results("out");
    for (form, ending) in FORMS {
        let words = format!("{SWEEP} --compress {form} --out out");
        let anew = format!("there is no runs.csv{ending}; the files are made again from the runs in it");
        place.said(&words).expect(0, &[&anew]);
        place.said(&words).expect(0, &["complete already"]);
        let packed = place.results("out");
        place
            .said(&format!("{SWEEP} --compress {form} --force --quiet --threads 2 --out out"))
            .expect(0, &[]);
        assert_same(&place.results("out"), &packed, "the same bytes from other threads");
        let status = place.said("sweep status out").expect(0, &[]);
        assert!(
            status.out.contains("8 runs: 8 finished") && status.out.contains("tables: whole"),
            "{}",
            status.out
        );
        place.said(&format!("sweep merge out --compress {form}")).expect(0, &["complete already"]);
        place.said("report out --quiet").expect(0, &[]);
        let page = std::fs::read_to_string(place.path("out/report/report.html")).unwrap();
        assert!(page.contains("drawdown"), "{page}");
        let told = place.said("reproduce out").expect(0, &[]);
        assert!(told.out.contains("reproduced: what came out is what the folder says"), "{}", told.out);
        assert!(told.out.contains(&format!("series.csv{ending}")), "{}", told.out);
    }
    place.said(&format!("{SWEEP} --quiet --out out")).expect(0, &[]);
    std::fs::remove_dir_all(place.path("out/report")).unwrap();
    assert_same(&place.results("out"), &plain, "plain again");
}

#[test]
fn folders_of_other_forms_differ_only_where_their_rows_do() {
    let place = Place::new();
    place.said(&format!("{SWEEP} --quiet --out plain")).expect(0, &[]);
    place.said(&format!("{SWEEP} --quiet --compress gz --out gz")).expect(0, &[]);
    let said = place.said("diff plain gz --json").expect(4, &[]);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let paths: Vec<_> = found.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["manifest.command", "manifest.files.datapackage.json"]);
    place.said(&format!("{SWEEP} --seed 2 --quiet --compress zstd --out other")).expect(0, &[]);
    let said = place.said("diff gz other").expect(4, &[]);
    assert!(
        said.out.contains("manifest.files.runs.csv\n") && !said.out.contains("cells.csv"),
        "{}",
        said.out
    );
}

#[test]
fn a_packed_table_that_was_changed_is_found_and_made_again() {
    let place = Place::new();
    for (form, ending) in FORMS {
        let words = format!("run sound.toml -n 2 --compress {form} --out {form}");
        place.said(&words).expect(0, &[]);
        let sound = place.results(form);
        let name = format!("runs.csv{ending}");
        let mut bytes = sound[&name].clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        place.write(&format!("{form}/{name}"), &bytes);
        let refused = place
            .said(&format!("report {form}"))
            .expect(1, &["cannot be read as a table", "makes its tables again"]);
        assert!(refused.err.contains(&name) && !refused.err.contains("panicked"), "{}", refused.err);
        place.said(&words).expect(0, &[&format!("{name} was changed; the files are made again")]);
        assert_same(&place.results(form), &sound, form);
    }
}

#[test]
fn shards_leave_the_form_to_the_merge() {
    let place = Place::new();
    place.said(&format!("{SWEEP} --quiet --compress gz --out whole")).expect(0, &[]);
    place.said(&format!("{SWEEP} --shard 0/1 --compress gz --out out")).expect(1, &["--compress", "--shard"]);
    place.said(&format!("{SWEEP} --shard 0/1 --quiet --out out")).expect(0, &[]);
    place.said("sweep merge out --quiet --compress gz").expect(0, &[]);
    let (mut out, whole) = (place.results("out"), place.results("whole"));
    out.retain(|name, _| whole.contains_key(name));
    assert_same(&out, &whole, "merged");
    place.said("run sound.toml --compress brotli").expect(1, &["[possible values: none, gz, zstd]"]);
}

#[test]
fn a_sweep_that_was_stopped_goes_on_to_packed_tables() {
    let place = Place::new();
    place.said(&format!("{SWEEP} --quiet --compress zstd --out whole")).expect(0, &[]);
    let words = format!("{SWEEP} --compress zstd --threads 1 --out out");
    place.said(&format!("{words} --timeout 1ns")).expect(75, &["--compress zstd --out out"]);
    place.said(&words).expect(0, &[]);
    assert_same(&place.results("out"), &place.results("whole"), "resumed");
}

/// A program with Parquet writes it beside CSV, seals and describes it, and takes it away again where it is not asked for.
#[cfg(feature = "parquet")]
#[test]
fn parquet_lies_beside_each_table() {
    let place = Place::new();
    place.said(&format!("{SWEEP} --quiet --out out")).expect(0, &[]);
    let plain = place.results("out");
    let words = format!("{SWEEP} --parquet --out out");
    place.said(&words).expect(0, &["there is no runs.parquet; the files are made again"]);
    place.said(&words).expect(0, &["complete already"]);
    let both = place.results("out");
    for name in plain.keys().filter(|name| is_csv(name) && *name != "columns.csv") {
        let parquet = name.replace(".csv", ".parquet");
        assert_eq!((&both[name], &both[&parquet][..4]), (&plain[name], &b"PAR1"[..]));
        let sums = String::from_utf8(both["SHA256SUMS"].clone()).unwrap();
        assert!(sums.contains(&format!("  {parquet}\n")), "{sums}");
    }
    let told = place.said("reproduce out --threads 1").expect(0, &[]);
    assert!(told.out.contains("series.parquet"), "{}", told.out);
    place.said(&format!("{SWEEP} --shard 0/1 --parquet --out out")).expect(1, &["a shard makes no tables"]);
    place.said(&format!("{SWEEP} --quiet --out out")).expect(0, &[]);
    assert_same(&place.results("out"), &plain, "without it again");
}
