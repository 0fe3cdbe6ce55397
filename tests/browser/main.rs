//! Reports in a real browser: every figure is drawn, nothing is fetched or logged, names are text, dark and print are.
//!
//! Needs Chromium (Debian: `apt-get install chromium`). Where there is none these tests say so and pass, unless `CI` is set.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![allow(clippy::print_stderr, reason = "whoever runs the tests is told what was not tested")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_firesale");
const SOUND: &str = include_str!("../cli/sound.toml");
const TARGETS: &str = include_str!("../cli/sound.targets.csv");
const LOOK: &str = include_str!("look.html");

/// Pixels of a window's width on a desk, and on a phone.
const WIDE: &str = "1100";
const NARROW: &str = "390";

/// A folder with reports, and the browser that looks at them.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// Sets up a folder if there is a browser.
    fn new() -> Option<Self> {
        let found =
            Command::new("chromium").arg("--version").output().is_ok_and(|output| output.status.success());
        if !found {
            assert!(std::env::var_os("CI").is_none(), "CI has Chromium: apt-get install chromium");
            eprintln!("no chromium: reports were not looked at");
            return None;
        }
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(desk.path("sound.toml"), SOUND).unwrap();
        fs::write(desk.path("sound.targets.csv"), TARGETS).unwrap();
        Some(desk)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn firesale(&self, words: &str) {
        let output =
            Command::new(PROGRAM).args(words.split(' ')).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "firesale {words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the browser and returns what it wrote and what it logged. It is in a network of its own that has no other host, so
    /// that it reaches none whatever a page or the browser itself wants.
    fn chromium(&self, words: &[&str]) -> (String, String) {
        let profile = format!("--user-data-dir={}", self.path("profile").display());
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
            ])
            .args([
                "--disable-component-update",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr",
                "--v=0",
            ])
            .args([profile.as_str(), "--allow-file-access-from-files", "--virtual-time-budget=5000"])
            .args(words)
            .output()
            .unwrap();
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// Looks at a page and returns what is seen and what was logged to the console.
    fn look(&self, page: &Path, names: &[String], more: &[&str]) -> (Value, Vec<String>) {
        self.look_at(WIDE, page, names, more)
    }

    fn look_at(&self, width: &str, page: &Path, names: &[String], more: &[&str]) -> (Value, Vec<String>) {
        // Inside a script element `</` would end it.
        let names = serde_json::to_string(names).unwrap().replace('<', "\\u003c");
        let look = LOOK
            .replace("PAGE", &format!("file://{}", page.display()))
            .replace("NAMES", &names)
            .replace("WIDTH", width);
        let path = self.path("look.html");
        fs::write(&path, look).unwrap();
        let address = format!("file://{}", path.display());
        let mut words = more.to_vec();
        words.extend(["--dump-dom", address.as_str()]);
        let (dom, log) = self.chromium(&words);
        let seen = dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next());
        let seen = seen.unwrap_or_else(|| panic!("no page in {dom}\n{log}"));
        let text =
            seen.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&");
        let seen = serde_json::from_str(&text).unwrap_or_else(|_| panic!("it saw {text:?}\n{log}"));
        let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
        (seen, console)
    }

    /// Fails unless a report is drawn whole, quiet and by itself.
    fn check(&self, name: &str, figures: &[&str]) {
        let folder = self.path(name).join("report");
        for stem in figures {
            assert!(folder.join(format!("{stem}.png")).is_file(), "{name} has {stem}.png");
        }
        let (seen, console) = self.look(&folder.join("report.html"), &[], &[]);
        let drawn = seen["figures"].as_array().unwrap();
        assert_eq!(drawn.len(), figures.len(), "{name}: {seen}");
        for figure in drawn {
            let number = |key: &str| figure[key].as_i64().unwrap();
            assert!(
                number("width") > 600 && number("height") > 150 && number("shapes") > 15,
                "{name}: {figure}"
            );
            assert!(number("hover") >= 1 && figure["role"] == "img", "{name}: {figure}");
            assert!(figure["label"].as_str().unwrap().len() > 40, "{name}: {figure}");
        }
        Self::is_quiet(name, &seen, &console);
        let (narrow, _) = self.look_at(NARROW, &folder.join("report.html"), &[], &[]);
        assert_eq!(narrow["figures"].as_array().unwrap().len(), figures.len(), "{name}");
        Self::is_quiet(name, &narrow, &[]);
    }

    /// Fails if a page has what is not its own, reaches for something, logs, or is wider than its window.
    fn is_quiet(name: &str, seen: &Value, console: &[String]) {
        assert_eq!((&seen["foreign"], &seen["handlers"]), (&Value::from(0), &Value::from(0)), "{name}");
        assert_eq!(seen["fetched"], Value::Array(Vec::new()), "{name}");
        assert_eq!(seen["beyond"], 0, "{name}");
        assert_eq!(console, Vec::<String>::new(), "{name}");
    }

    /// Puts names into columns of a table that a verb made, with as many rows as there are names: the rows that it has, over again.
    fn poison(&self, table: &str, columns: &[&str], names: &[String]) {
        let path = self.path(table);
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let head = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let places: Vec<usize> =
            columns.iter().map(|column| head.iter().position(|name| name == *column).unwrap()).collect();
        let mut writer = csv::Writer::from_path(&path).unwrap();
        writer.write_record(&head).unwrap();
        for (index, name) in names.iter().enumerate() {
            let row = &rows[index % rows.len()];
            let field = |(at, field)| if places.contains(&at) { name.as_str() } else { field };
            writer.write_record(row.iter().enumerate().map(field)).unwrap();
        }
        writer.flush().unwrap();
    }

    /// Gives what was varied another name in every table of a folder.
    fn rename(&self, folder: &str, parameter: &str, name: &str) {
        for entry in fs::read_dir(self.path(folder)).unwrap() {
            let path = entry.unwrap().path();
            let is_table = path.extension().is_some_and(|ending| ending == "csv");
            let head = if is_table { fs::read_to_string(&path).unwrap() } else { String::new() };
            if !head.lines().next().is_some_and(|head| head.split(',').any(|field| field == parameter)) {
                continue;
            }
            let mut reader = csv::Reader::from_path(&path).unwrap();
            let head = reader.headers().unwrap().clone();
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            let mut writer = csv::Writer::from_path(&path).unwrap();
            writer
                .write_record(head.iter().map(|field| if field == parameter { name } else { field }))
                .unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            writer.flush().unwrap();
        }
    }

    /// Puts what it is given wherever a folder says one thing of itself.
    fn poison_words(&self, folder: &str, text: &str) {
        let title = format!("title = {}\n", toml::Value::String(text.to_owned()));
        for file in ["scenario.toml", "study.toml"] {
            if self.path(folder).join(file).exists() {
                fs::write(self.path(folder).join(file), &title).unwrap();
            }
        }
        let path = self.path(folder).join("manifest.json");
        let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        manifest["origin"]["scenario"] = text.into();
        manifest["origin"]["master_seed"] = text.into();
        manifest["origin"]["command"] = vec![text].into();
        manifest["program_commit"] = text.into();
        fs::write(path, manifest.to_string()).unwrap();
    }
}

/// A folder of each verb, with the figures that its report has.
fn results(desk: &Desk) -> [(&'static str, &'static [&'static str]); 6] {
    let depth = "populations.flow.strategy.background.depth_scale";
    let leverages = "populations.retail.strategy.retail.leverages";
    desk.firesale("run sound.toml -n 4 --set counterfactuals=[\"forced_liquidation\"] --quiet --out run");
    desk.firesale("targets sound.toml -n 12 --quiet --out targets");
    desk.firesale(&format!("sweep sound.toml --vary {depth}=1,2,3 -n 3 --quiet --out line"));
    desk.firesale(&format!(
        "sweep sound.toml --vary {depth}=1,2 --vary {leverages}=[[5,1]],[[20,1]] -n 3 --quiet --out rows"
    ));
    desk.firesale(&format!(
        "amplify sound.toml --vary {depth}=1,2 --vary {leverages}=[[5,1]],[[20,1]] -n 3 --quiet --out grid"
    ));
    // A book that holds a million on both sides has a cost of trading one, without which there is no trade-off.
    let deep = SOUND.replace("[100, 1000000]", "[100, 4000000]").replace("quantity = 100", "quantity = 400");
    fs::write(desk.path("deep.toml"), deep).unwrap();
    desk.firesale(
        "compare deep.toml --policies higher-maintenance,leverage-5 --after 15s --calm 20s -n 3 --quiet --out policies",
    );
    [
        ("run", &["fan", "liquidation_map", "criticality", "drawdown", "effects"]),
        ("targets", &["fan", "liquidation_map", "criticality", "drawdown", "targets"]),
        ("line", &["drawdown", "points"]),
        ("rows", &["drawdown", "surface"]),
        ("grid", &["amplification", "surface"]),
        ("policies", &["drawdown", "policies", "policy_costs", "pareto"]),
    ]
}

#[test]
fn reports_of_every_verb_are_drawn_whole_and_reach_nobody() {
    let Some(desk) = Desk::new() else { return };
    for (name, figures) in results(&desk) {
        desk.firesale(&format!("report {name} --quiet"));
        desk.check(name, figures);
    }
    let page = desk.path("run/report/report.html");
    let (light, _) = desk.look(&page, &[], &[]);
    let (dark, _) = desk.look(&page, &[], &["--blink-settings=preferredColorScheme=0"]);
    assert_eq!((&light["paper"], &dark["paper"]), (&"rgb(255, 255, 255)".into(), &"rgb(20, 23, 28)".into()));
    let ink = |seen: &Value| seen["figures"][0]["ink"].clone();
    assert_eq!((ink(&light), ink(&dark)), ("rgb(0, 0, 0)".into(), "rgb(232, 232, 232)".into()));
    let pdf = desk.path("page.pdf");
    let print = format!("--print-to-pdf={}", pdf.display());
    desk.chromium(&[&print, &format!("file://{}", page.display())]);
    assert!(fs::metadata(pdf).unwrap().len() > 20_000, "the page prints");
}

#[test]
fn what_looks_on_would_see_a_page_that_fetches_logs_and_runs_scripts() {
    let Some(desk) = Desk::new() else { return };
    let page = "<body><img src=\"http://127.0.0.1:9/x.png\"><script>console.error('heard')</script>";
    fs::write(desk.path("bad.html"), page).unwrap();
    let (seen, console) = desk.look(&desk.path("bad.html"), &["missing".to_owned()], &[]);
    assert_eq!(seen["foreign"], 2);
    assert_eq!(seen["fetched"][0], "http://127.0.0.1:9/x.png");
    assert_eq!(seen["unseen"][0], "missing");
    assert!(console.iter().any(|line| line.contains("heard")), "{console:?}");
}

#[test]
fn a_hundred_hostile_names_are_text() {
    let Some(desk) = Desk::new() else { return };
    let patterns = [
        "<script>document.body.remove()</script>",
        "\"><img src=http://127.0.0.1:9/ onerror=document.body.remove()>",
        "' onmouseover='document.body.remove()",
        "</style><script>document.body.remove()</script>",
        "</svg></figure><h1>",
        "</title></textarea><plaintext>",
        "<iframe src=//127.0.0.1:9>",
        "&lt;b&gt; & &amp; &#x3c;",
        "]]><!-- --><!--",
        "\u{202e}desrever\u{202c}\u{2066}",
        "\u{5d0}\u{5d1}\u{5d2} \u{627}\u{628}",
        "\u{200f}\u{200e}",
        "=HYPERLINK(\"http://127.0.0.1:9\")",
        "javascript:document.body.remove()",
        "<svg/onload=document.body.remove()>",
        "<a href=x style=position:fixed;inset:0>",
        "{{7*7}}${7*7}<%= 7*7 %>",
        "\\\"\\'\\u003cscript\\u003e",
        "%3Cscript%3Edocument.body.remove()%3C/script%3E",
        "\u{1d54a}\u{1f4a5}\u{301}\u{301}\u{301}",
    ];
    let names: Vec<String> = patterns
        .iter()
        .flat_map(|name| (0..5).map(move |n| format!("{}{n}", name.repeat(1 + 6 * n))))
        .collect();
    assert_eq!(names.len(), 100);
    // The places that hold one name take the worst of all.
    let all = names.concat();
    for (name, figures) in results(&desk) {
        desk.poison_words(name, &all);
        let tables: &[(&str, &[&str])] = match name {
            "run" => &[("effects.csv", &["mechanism"]), ("summary.csv", &["arm"])],
            "targets" => &[("targets.csv", &["id", "use", "inside", "narrow"])],
            "policies" => {
                &[("policies.csv", &["policy"]), ("ranking.csv", &["policy"]), ("pareto.csv", &["policy"])]
            }
            _ => &[],
        };
        for (table, columns) in tables {
            desk.poison(&format!("{name}/{table}"), columns, &names);
        }
        desk.rename(name, "depth_scale", &all);
        desk.rename(name, "leverages", &format!("{all}{all}"));
        desk.firesale(&format!("report {name} --quiet"));
        let (seen, console) = desk.look(&desk.path(name).join("report/report.html"), &names, &[]);
        assert_eq!(seen["unseen"], Value::Array(Vec::new()), "{name}");
        Desk::is_quiet(name, &seen, &console);
        assert_eq!(seen["figures"].as_array().unwrap().len(), figures.len(), "{name}: {seen}");
    }
}
