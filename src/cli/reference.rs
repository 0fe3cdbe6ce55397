//! The reference, docs/reference.md: verbs, scenario keys with the agents' own, mechanisms and columns, printed from what the
//! program itself goes by.

use super::Failure;
use super::args::Cli;
use super::words::print;
use crate::mechanisms::Mechanism;
use crate::record::tables;
use crate::scenario::Key;
use crate::scenario::schema::KEYS;
use clap::CommandFactory as _;
use std::fmt::Write as _;

/// Letters of a line of help in the reference, whatever the window.
const WIDTH: usize = 100;

/// Where the keys of a strategy stand.
const STRATEGY: &str = "populations.*.strategy.";

/// Prints the reference.
pub(super) fn reference() -> Result<u8, Failure> {
    print(&text())
}

fn text() -> String {
    let mut out = "# Reference\n\nPrinted by `firesale reference`; a test holds this file against it.\n\n\
                   Exit codes: 0 done; 1 the user's mistake, usage included; 2 ours; 3 finished with failed runs; 4 `diff` found\n\
                   differences; 130 and 143 stopped by a signal (75 for TERM under `--shard`).\n"
        .to_owned();
    verbs(&mut out);
    scenario_keys(&mut out);
    mechanisms(&mut out);
    columns(&mut out);
    out
}

fn verbs(out: &mut String) {
    out.push_str("\n## Verbs\n");
    let mut root = Cli::command().term_width(WIDTH);
    root.build();
    describe(out, &mut root.clone());
    for verb in root.get_subcommands().filter(|verb| verb.get_name() != "help") {
        describe(out, &mut verb.clone());
        for part in verb.get_subcommands().filter(|part| part.get_name() != "help") {
            describe(out, &mut part.clone());
        }
    }
}

fn describe(out: &mut String, command: &mut clap::Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.clone().term_width(WIDTH).render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let _ = writeln!(out, "\n### {name}\n\n```text\n{}\n```", lines.join("\n"));
}

fn scenario_keys(out: &mut String) {
    out.push_str(
        "\n## Keys of scenario files\n\n`*` is a name of your own. A key without default must be there, or its absence means what its \
         meaning says;\n`firesale check` tells. `firesale explain PATH` says the same on the screen.\n",
    );
    let (strategies, others): (Vec<&Key>, Vec<&Key>) =
        KEYS.iter().partition(|key| key.path.starts_with(STRATEGY));
    keys(out, &others);
    out.push_str("\n## Agents\n\nThe strategies of populations, each with its keys; docs/model.md says how they decide.\n");
    let mut names: Vec<&str> = strategies.iter().filter_map(|key| strategy(key)).collect();
    names.dedup();
    for name in names {
        let own: Vec<&Key> = strategies.iter().copied().filter(|key| strategy(key) == Some(name)).collect();
        let _ = write!(out, "\n### {name}\n\nKeys below `{STRATEGY}{name}`.\n");
        keys(out, &own);
    }
}

fn strategy(key: &Key) -> Option<&'static str> {
    key.path.strip_prefix(STRATEGY)?.split('.').next()
}

fn keys(out: &mut String, keys: &[&Key]) {
    out.push_str("\n| key | values | unit | default | meaning | why |\n|---|---|---|---|---|---|\n");
    for key in keys {
        let path = key
            .path
            .strip_prefix(STRATEGY)
            .map_or(key.path, |below| below.split_once('.').map_or(below, |(_, own)| own));
        let cells = [
            format!("`{path}`"),
            key.kind.expected(),
            key.unit.to_owned(),
            key.default.map_or(String::new(), |text| format!("`{text}`")),
            key.meaning.to_owned(),
            key.why.to_owned(),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

fn mechanisms(out: &mut String) {
    out.push_str("\n## Mechanisms\n\nWhat `--without` and `counterfactuals` switch off.\n\n| mechanism | what it is |\n|---|---|\n");
    for mechanism in Mechanism::ALL {
        let _ = writeln!(out, "| `{}` | {} |", mechanism.name(), mechanism.meaning());
    }
}

fn columns(out: &mut String) {
    out.push_str(
        "\n## Columns\n\nOf the tables that every verb may write. Tables of sweeps and comparisons have columns of their own, named for what is \
         varied;\n`columns.csv` in each results folder has all of that folder. An empty cell is a value that does not exist.\n",
    );
    for table in tables::TABLES
        .into_iter()
        .chain([&tables::AMPLIFICATION, &tables::POLICIES, &tables::RANKING, &tables::PARETO])
        .chain(tables::TARGET_TABLES)
    {
        let _ = write!(
            out,
            "\n### {}\n\nA row is {}.\n\n| column | unit | type | meaning |\n|---|---|---|---|\n",
            table.file_name(),
            table.title
        );
        for column in table.columns {
            let kind = column.kind.data_package_type();
            let _ = writeln!(
                out,
                "| `{}` | {} | {kind} | {} |",
                column.name,
                column.unit,
                column.meaning.replace('|', "\\|")
            );
        }
    }
}
