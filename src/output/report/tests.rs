use super::super::figure::DARK;
use super::super::manifest::{Origin, seal};
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

fn origin() -> Origin {
    Origin {
        scenario: "squeeze".to_owned(),
        scenario_blake3: "ab".to_owned(),
        command: ["firesale", "run", "squeeze", "--set", "title=it's"].map(str::to_owned).to_vec(),
        seed_scheme: "firesale-1".to_owned(),
        master_seed: "7".to_owned(),
        cells: 2,
        replicates: 3,
        runs: None,
        failed_runs: 0,
        plan_blake3: "cd".to_owned(),
    }
}

fn put(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn effects(mechanisms: &[&str]) -> String {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "cell",
        "replicate",
        "mechanism",
        "metric",
        "pairs",
        "mean_with",
        "mean_without",
        "difference",
        "difference_ci_low",
        "difference_ci_high",
    ])
    .unwrap();
    for name in mechanisms {
        csv.write_record(["1", "", name, "drawdown_pct", "3", "9", "4", "5", "1.5", "8.5"]).unwrap();
    }
    String::from_utf8(csv.into_inner().unwrap()).unwrap()
}

/// Three replicates of ten minutes with and without a mechanism.
fn run_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(
        path,
        "scenario.toml",
        "title = \"a squeeze\"\nstart = 2026-01-01T00:00:00Z\n[markets.COIN-PERP]\ncontract = \"perpetual\"\nbase = \"COIN\"\n",
    );
    put(path, "cells.csv", "cell,replicate,arm\n0,,base\n1,,adl\n");
    let mut runs = "cell,replicate,outcome,drawdown_pct\n".to_owned();
    let mut series = "cell,replicate,time_s,market,mark,basis_bps,liquidated_long_usd,liquidated_short_usd,depth_bid_1pct_usd,depth_ask_1pct_usd,open_interest_coins,fund_usd\n".to_owned();
    for cell in 0..2 {
        for replicate in 0..3 {
            let _ = writeln!(runs, "{cell},{replicate},finished,{}", 5 + 2 * replicate - cell);
            for minute in 0..10 {
                let (time, mark) = (60 * minute, 10_000 - 10 * minute * (replicate + 1));
                let _ = writeln!(
                    series,
                    "{cell},{replicate},{time},COIN-PERP,{mark},,{minute},0,1e6,2e6,{},{}",
                    300 + minute,
                    200_000 + minute
                );
            }
        }
    }
    put(path, "runs.csv", &runs);
    put(path, "series.csv", &series);
    put(
        path,
        "summary.csv",
        "cell,replicate,arm,metric,replicates,mean,mean_ci_low,mean_ci_high,median,p05,p95\n0,,base,drawdown_pct,3,7,2,12,7,5.2,8.8\n",
    );
    put(path, "effects.csv", &effects(&["adl"]));
    put(
        path,
        "liquidation_map.csv",
        "cell,replicate,time_s,market,price_from,price_to,long_usd,short_usd\n0,0,0,COIN-PERP,9000,9050,5000,0\n0,0,60,COIN-PERP,9000,9050,4000,0\n0,0,60,COIN-PERP,9050,9100,100,0\n",
    );
    put(
        path,
        "criticality.csv",
        "cell,replicate,time_s,market,criticality_1pct,criticality_2pct,criticality_5pct,first_generation\n0,0,0,COIN-PERP,0.5,0.8,1.5,3\n0,0,60,COIN-PERP,,,,\n0,0,120,COIN-PERP,0,0.2,0.4,0.25\n",
    );
    sealed(path, &origin());
    folder
}

fn sealed(path: &Path, origin: &Origin) {
    use sha2::{Digest, Sha256};
    let files = fs::read_dir(path)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end != "json"));
    let entries = files.map(|entry| {
        let bytes = fs::read(entry.path()).unwrap();
        let sha256 =
            Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        crate::output::FileEntry {
            path: entry.file_name().into_string().unwrap(),
            bytes: bytes.len() as u64,
            sha256,
        }
    });
    seal(path, origin, entries.collect()).unwrap();
}

fn files(report: &Report) -> BTreeMap<&str, &[u8]> {
    report.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

fn page_of(report: &Report) -> String {
    String::from_utf8(files(report)[PAGE].to_vec()).unwrap()
}

/// Names of the elements of a text, with those that end one.
fn elements(html: &str) -> BTreeSet<String> {
    let name = |part: &str| part.chars().take_while(|c| !" >\n".contains(*c)).collect::<String>();
    html.split('<').skip(1).map(name).collect()
}

#[test]
fn a_run_has_every_figure_as_svg_and_png_and_the_same_results_make_the_same_bytes() {
    let folder = run_folder();
    let report = Report::of(folder.path()).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    let names: Vec<&str> = files(&report).into_keys().collect();
    let stems = ["criticality", "drawdown", "effects", "fan", "liquidation_map"];
    let figures = stems.iter().flat_map(|stem| [format!("{stem}.png"), format!("{stem}.svg")]);
    let expected: Vec<String> = figures.chain([PAGE.to_owned()]).collect();
    assert_eq!(names, expected);
    assert_eq!(files(&report), files(&Report::of(folder.path()).unwrap()));
    for (name, bytes) in files(&report) {
        if Path::new(name).extension().is_some_and(|end| end == "png") {
            assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 5_000, "{name}: {} bytes", bytes.len());
        }
    }
    let page = page_of(&report);
    assert!(page.contains(r"<code>firesale run squeeze --set 'title=it'\''s'</code>"));
    assert!(!page.contains("Left out"), "nothing is missing");
}

#[test]
fn names_are_text_whatever_they_look_like() {
    let patterns = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><script>",
        "</svg><h1>",
        "&lt;b&gt; & &amp;",
        "]]>",
        "<!--",
        "\u{202e}desrever\u{202c}",
        "\u{7}bell\u{1b}[31m",
        "=cmd|' /C calc'!A0",
        "\u{5d0}\u{5d1}\u{5d2}",
        "{{7*7}}",
        "javascript:alert(1)",
        "%3Cscript%3E",
        "\u{fffe}",
        "a\tb\nc",
        "<svg/onload=alert(1)>",
        "𝕊𝕢𝕦𝕖𝕖𝕫𝕖",
        "\\\"\\'",
    ];
    let names: Vec<String> = patterns
        .iter()
        .flat_map(|name| (0..5).map(move |n| format!("{}{n}", name.repeat(1 + 9 * n))))
        .collect();
    assert_eq!(names.len(), 100);
    let folder = run_folder();
    let plain = elements(&page_of(&Report::of(folder.path()).unwrap()));
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    put(folder.path(), "effects.csv", &effects(&refs));
    // The places that hold one name take the longest of each kind.
    for (index, name) in names.iter().skip(4).step_by(5).enumerate() {
        let title = toml::Value::String(name.clone());
        put(
            folder.path(),
            "scenario.toml",
            &format!("title = {title}\n[markets.COIN-PERP]\ncontract = \"perpetual\"\nbase = {title}\n"),
        );
        let mut arms = csv::Writer::from_writer(Vec::new());
        arms.write_record(["cell", "replicate", "arm"]).unwrap();
        arms.write_record(["0", "", name.as_str()]).unwrap();
        put(folder.path(), "cells.csv", std::str::from_utf8(&arms.into_inner().unwrap()).unwrap());
        sealed(folder.path(), &Origin { scenario: name.clone(), command: vec![name.clone()], ..origin() });
        // Pixels are slow, and a drawing that is not XML would be no pixels: every fifth is enough.
        let results = results::Results::open(folder.path()).unwrap();
        let figures = figures::draw(&results).unwrap();
        if index % 5 == 0 {
            assert_eq!(png::all(&figures.drawn).unwrap().len(), 5);
        }
        let page = page::page(&results, &figures, &[]);
        assert_eq!(elements(&page), plain, "{name:?}");
        for word in ["<script", "onerror=\"", "onload=\"", "onmouseover=\""] {
            assert!(!page.contains(word), "{name:?} became markup");
        }
    }
}

#[test]
fn what_is_missing_or_changed_is_said_by_name_with_the_command_that_makes_it() {
    let folder = run_folder();
    fs::remove_file(folder.path().join("series.csv")).unwrap();
    put(folder.path(), "runs.csv", "cell,replicate,outcome,drawdown_pct\n0,0,finished,5\n");
    let report = Report::of(folder.path()).unwrap();
    assert_eq!(report.problems.len(), 2);
    let page = page_of(&report);
    for said in [
        "series.csv is missing",
        "runs.csv has 51 bytes instead of",
        "the fan chart needs series.csv",
        "--force</code> makes it",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let names: Vec<&str> = files(&report).into_keys().collect();
    assert_eq!(names, ["drawdown.png", "drawdown.svg", "effects.png", "effects.svg", "report.html"]);
}

#[test]
fn what_is_no_results_folder_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| Report::of(path).err().unwrap().to_string();
    assert!(said(&folder.path().join("no")).ends_with("no does not exist"));
    assert!(said(folder.path()).ends_with("is it a results folder?"));
    put(folder.path(), "journal.fsj", "");
    assert!(said(folder.path()).ends_with("its runs are not all done, or its shards not merged"));
    put(folder.path(), MANIFEST, "{}");
    assert!(said(folder.path()).ends_with("is not a manifest that this version reads"));
}

#[test]
fn a_report_takes_the_place_of_a_report_and_of_nothing_else() {
    let folder = run_folder();
    let report = Report::of(folder.path()).unwrap();
    let page = report.write().unwrap();
    put(&folder.path().join(REPORT), "old.svg", "");
    assert_eq!(report.write().unwrap(), page);
    assert!(!folder.path().join(REPORT).join("old.svg").exists(), "what an earlier report had more is gone");
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name == MAKING || name == FORMER), "{left:?}");
    put(&folder.path().join(REPORT), "notes.txt", "mine");
    assert!(matches!(report.write(), Err(ReportError::HoldsOther { .. })));
    discard(folder.path()).unwrap();
    assert!(folder.path().join(REPORT).join("notes.txt").exists());
    fs::remove_file(folder.path().join(REPORT).join("notes.txt")).unwrap();
    discard(folder.path()).unwrap();
    assert!(!folder.path().join(REPORT).exists());
}

#[test]
fn every_colour_of_a_drawing_has_one_for_a_dark_screen() {
    let known: BTreeSet<String> =
        DARK.iter().map(|(light, _)| format!("#{:02X}{:02X}{:02X}", light.0, light.1, light.2)).collect();
    assert_eq!(known.len(), DARK.len(), "each stands for itself");
    let folder = run_folder();
    let report = Report::of(folder.path()).unwrap();
    let mut seen = BTreeSet::new();
    for (name, bytes) in files(&report) {
        if Path::new(name).extension().is_some_and(|end| end == "svg") {
            let svg = std::str::from_utf8(bytes).unwrap();
            seen.extend(svg.split("=\"#").skip(1).map(|rest| format!("#{}", &rest[..6])));
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
    assert!(seen.is_subset(&known), "{:?}", seen.difference(&known).collect::<Vec<_>>());
}

#[test]
fn the_policy_allows_the_style_sheet_of_the_page_alone() {
    use base64::Engine as _;
    use sha2::{Digest, Sha256};
    let folder = run_folder();
    let page = page_of(&Report::of(folder.path()).unwrap());
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    assert!(page.contains(&format!("content=\"default-src 'none'; style-src 'sha256-{hash}'; ")));
    for outside in ["<script", "<link", "<img", "@import", "url(", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    let hosts = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!hosts.contains("http://") && !hosts.contains("https://"));
}

#[test]
fn fans_are_quantiles_over_the_replicates_of_the_first_cell() {
    let folder = run_folder();
    let series =
        over_time::OverTime::read(&folder.path().join("series.csv"), Some("COIN-PERP")).unwrap().unwrap();
    assert_eq!((series.replicates, series.time_s.len(), series.first.as_str()), (3, 10, "0"));
    let at_end = series.fan("mark").quantiles.map(|line| line[9].round() as i64);
    // 9910, 9820 and 9730 at the end.
    assert_eq!(at_end, [9_739, 9_775, 9_820, 9_865, 9_901]);
    assert_eq!(series.mean("liquidated_long_usd")[9].round() as i64, 9);
    assert_eq!(series.fan_of_change("fund_usd").quantiles[2][9].round() as i64, 9);
    assert!(series.fan("basis_bps").quantiles[2].iter().all(|basis| basis.is_nan()));
    assert!(over_time::OverTime::read(&folder.path().join("series.csv"), Some("other")).unwrap().is_none());
}

#[test]
fn a_comparison_of_policies_has_forests_and_a_front() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(
        path,
        "cells.csv",
        "cell,replicate,policy,adaptation,arm\n0,,baseline,,base\n1,,baseline,,calm\n2,,halt,,base\n3,,halt,,calm\n",
    );
    put(
        path,
        "runs.csv",
        "cell,replicate,policy,adaptation,arm,outcome,drawdown_pct\n0,0,baseline,,base,finished,5\n2,0,halt,,base,finished,3\n",
    );
    put(path, "summary.csv", "cell,replicate,policy,adaptation,arm,metric,replicates,mean\n");
    put(
        path,
        "policies.csv",
        "cell,replicate,policy,adaptation,arm,metric,pairs,difference,difference_ci_low,difference_ci_high\n2,,halt,,base,drawdown_pct,3,-2,-3,-1\n3,,halt,,calm,spread_bps_mean,3,0.5,,\n",
    );
    put(
        path,
        "ranking.csv",
        "cell,replicate,policy,adaptation,arm,metric,replicates,mean,rank\n2,,halt,,base,drawdown_pct,3,3,1\n",
    );
    put(
        path,
        "pareto.csv",
        "cell,replicate,policy,adaptation,protection,cost,replicates,protection_mean,cost_mean,on_front,dominated_by,front_share\n0,,baseline,,drawdown_pct,spread_bps_mean,3,5,1,yes,,0.9\n2,,halt,<b>,drawdown_pct,spread_bps_mean,3,3,1.5,yes,,1\n",
    );
    put(path, "scenario.toml", "title = \"a squeeze\"\n");
    sealed(path, &origin());
    let report = Report::of(path).unwrap();
    let names: Vec<&str> = files(&report)
        .into_keys()
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "svg"))
        .collect();
    assert_eq!(names, ["drawdown.svg", "pareto.svg", "policies.svg", "policy_costs.svg"]);
    let page = page_of(&report);
    assert!(!page.contains("Left out"), "nothing that a comparison has is missing");
    assert!(page.contains("halt, &lt;b&gt;\n") && page.contains("on the front in 0.9 of bootstrap draws"));
    for table in ["policy-table", "ranking-table", "pareto-table"] {
        assert!(page.contains(&format!("<h2 id=\"{table}\">")), "{table}");
    }
}
