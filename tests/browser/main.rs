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
        // Inside a script element `</` would end it.
        let names = serde_json::to_string(names).unwrap().replace('<', "\\u003c");
        let look = LOOK.replace("PAGE", &format!("file://{}", page.display())).replace("NAMES", &names);
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
        assert_eq!((&seen["foreign"], &seen["handlers"]), (&Value::from(0), &Value::from(0)), "{name}");
        assert_eq!(seen["fetched"], Value::Array(Vec::new()), "{name}");
        assert_eq!(console, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn reports_of_every_verb_are_drawn_whole_and_reach_nobody() {
    let Some(desk) = Desk::new() else { return };
    let depth = "populations.flow.strategy.background.depth_scale";
    let speed = "populations.retail.strategy.retail.leverages";
    desk.firesale("run sound.toml -n 4 --set counterfactuals=[\"forced_liquidation\"] --quiet --out run");
    desk.firesale("targets sound.toml -n 3 --quiet --out targets");
    desk.firesale(&format!("sweep sound.toml --vary {depth}=1,2,3 -n 3 --quiet --out line"));
    desk.firesale(&format!(
        "amplify sound.toml --vary {depth}=1,2 --vary {speed}=[[5,1]],[[20,1]] -n 3 --quiet --out grid"
    ));
    for (name, figures) in [
        ("run", &["fan", "liquidation_map", "criticality", "drawdown", "effects"][..]),
        ("targets", &["fan", "liquidation_map", "criticality", "drawdown", "targets"]),
        ("line", &["drawdown", "points"]),
        ("grid", &["amplification", "surface"]),
    ] {
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
    desk.firesale("run sound.toml -n 2 --quiet --out hostile");
    let mut effects = csv::Writer::from_path(desk.path("hostile/effects.csv")).unwrap();
    effects.write_record(["cell", "replicate", "mechanism", "metric", "pairs", "difference"]).unwrap();
    for name in &names {
        effects.write_record(["1", "", name, "drawdown_pct", "2", "1"]).unwrap();
    }
    effects.flush().unwrap();
    drop(effects);
    // The places that hold one name take the worst of all.
    let all = names.concat();
    let title = toml::Value::String(all.clone());
    fs::write(desk.path("hostile/scenario.toml"), format!("title = {title}\n")).unwrap();
    let manifest = fs::read_to_string(desk.path("hostile/manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["origin"]["scenario"] = all.clone().into();
    manifest["origin"]["master_seed"] = all.clone().into();
    manifest["origin"]["command"] = vec![all.clone()].into();
    manifest["program_commit"] = all.into();
    fs::write(desk.path("hostile/manifest.json"), manifest.to_string()).unwrap();
    desk.firesale("report hostile --quiet");
    let (seen, console) = desk.look(&desk.path("hostile/report/report.html"), &names, &[]);
    assert_eq!(seen["unseen"], Value::Array(Vec::new()));
    assert_eq!((&seen["foreign"], &seen["handlers"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(seen["fetched"], Value::Array(Vec::new()));
    assert_eq!(console, Vec::<String>::new());
    assert_eq!(seen["figures"].as_array().unwrap().len(), 5, "{seen}");
}
