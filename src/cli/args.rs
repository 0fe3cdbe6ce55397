//! What can be typed. Nothing here acts.

mod forms;
mod values;

pub(super) use forms::FormArgs;

use clap::{Args, Parser, Subcommand};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use values::{duration, replicates, seed, threads, width};

/// Simulates leveraged market crashes: order books, makers, leveraged traders and a real venue's margin engine.
#[derive(Debug, Parser)]
#[command(
    name = "firesale",
    version,
    after_help = "Examples:\n  firesale run btc-2026-02-23            run a shipped scenario with 20 replicates\n  \
                  firesale run my.toml --without adl     run your own with a mechanism switched off\n  \
                  firesale targets btc-2026-02-23        hold it against what was observed\n  \
                  firesale sweep depth-leverage          vary depth and leverage, with and without forced selling\n  \
                  firesale compare long-squeeze          hold every shipped policy against it, paired by seed\n  \
                  firesale new my                        begin a scenario of your own, with every key explained\n  \
                  firesale check my.toml                 say everything that is wrong with a file\n  \
                  firesale validate cascade-law          hold the engine against exact mathematics",
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a scenario: replicates in parallel, tables and a figure in a results folder, a summary on the screen.
    Run(RunArgs),
    /// Hold a scenario against what was observed: its targets beside simulated ranges, with scores and two nulls.
    ///
    /// The targets stand in a file beside the scenario: for `path/x.toml` it is `path/x.targets.csv`, and hourly prices before
    /// the start may stand in `path/x.MARKET.hourly.csv`. docs/targets.md has the columns and every statistic.
    Targets(TargetsArgs),
    /// Vary a scenario: points of values at dotted paths, each with and without mechanisms, on the same seeds.
    ///
    /// Every run is a row of runs.csv with what was varied; estimates are in summary.csv, differences paired by seed in
    /// effects.csv. A study is a file that says what is varied; `firesale list` names those that are shipped.
    Sweep(SweepArgs),
    /// Measure how much forced selling amplifies a shock, over the points of a study or of what is varied.
    ///
    /// Amplification is the mean fall with forced selling over that without it (credit extended), each less the fall of the same
    /// run without the shock: four arms on the same dice. Its interval is Fieller's. Where the axes are called depth and leverage,
    /// 1 - 1/amplification is also regressed on 1/depth, leverage and both together.
    Amplify(AmplifyArgs),
    /// Hold policies against a scenario: what each makes of the crash and of calm time, paired by seed.
    ///
    /// A policy is a file with changes of a scenario; `firesale list` names those that are shipped. Every difference has an
    /// interval, a p-value corrected for all of them, the chance of being better, what sharing dice gained and the smallest difference
    /// that so many replicates detect. A ranking says when the data cannot decide; a Pareto table holds protection against its cost.
    Compare(CompareArgs),
    /// Make a page of a results folder, with its figures as SVG and PNG, in its folder `report`.
    ///
    /// It is made from the tables that are there and runs nothing. The page loads nothing and has no script; docs/report.md says
    /// what it shows.
    Report(ReportArgs),
    /// Do the runs of a finished folder again, from the files in it, and say of each file whether it came out the same.
    ///
    /// The exit code is 1 if one did not. A folder that another version of the program or of its model made is run all the same,
    /// and the difference is said.
    Reproduce(ReproduceArgs),
    /// Check a scenario, a study or a policy and say every problem at its place.
    Check(CheckArgs),
    /// List the shipped scenarios, studies and policies, and the mechanisms that can be switched off.
    List,
    /// Print a scenario, a study or a policy.
    Show(ShowArgs),
    /// Explain a key of scenario files, or all keys below one: unit, range, default, reason.
    Explain(ExplainArgs),
    /// Begin a scenario of your own: a file with every key, its unit, range, default and reason.
    New(NewArgs),
    /// Say where two scenarios or two results folders differ, defaults included; exits 4 if they do.
    Diff(DiffArgs),
    /// Print what makes a shell complete firesale's words.
    #[command(
        after_help = "Examples:\n  firesale completions bash > ~/.local/share/bash-completion/completions/firesale\n  \
                      firesale completions fish > ~/.config/fish/completions/firesale.fish"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page of firesale, or of one of its verbs.
    #[command(after_help = "Example:\n  firesale man run | man -l -")]
    Man {
        /// The verb, such as `run` or `sweep merge`; firesale as a whole unless stated.
        verb: Vec<String>,
    },
    /// Print the JSON Schema of scenario files, by which editors complete and underline them.
    Schema,
    /// Print the reference: every verb, scenario key, agent, mechanism and column, as docs/reference.md has it.
    Reference,
    /// Hold the engine against exact and published results.
    Validate(ValidateArgs),
}

/// A scenario with changes.
#[derive(Clone, Debug, Args)]
pub(super) struct LoadArgs {
    /// Name of a shipped scenario, or a file.
    pub(super) scenario: String,
    /// Replace a value: dotted path = value; `*` matches any name. May be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Switch a mechanism off. May be repeated.
    #[arg(long, value_name = "MECHANISM")]
    pub(super) without: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) load: LoadArgs,
    /// Repetitions, each on its own dice.
    #[arg(long, short = 'n', default_value_t = 20, allow_negative_numbers = true, value_parser = replicates)]
    pub(super) replicates: u32,
    /// The seed that all dice come from.
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) work: WorkArgs,
}

#[derive(Clone, Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) load: LoadArgs,
    /// Check a policy on this scenario rather than on all that are shipped.
    #[arg(long, value_name = "SCENARIO")]
    pub(super) on: Option<String>,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  firesale compare btc-2026-02-23 --policies all\n  \
                  firesale compare long-squeeze --policies larger-fund,my-policy.toml --adaptation keep,same_notional")]
pub(super) struct CompareArgs {
    #[command(flatten)]
    pub(super) load: LoadArgs,
    /// Names of shipped policies or files, or `all` for every shipped one that changes something in the scenario.
    #[arg(long, value_name = "POLICIES", value_delimiter = ',', default_value = "all")]
    pub(super) policies: Vec<String>,
    /// How agents adapt to a policy: values of the scenario's key `adaptation`; each policy is run with each of them.
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub(super) adaptation: Vec<String>,
    /// Repetitions of each cell, the same dice in all of them.
    #[arg(long, short = 'n', default_value_t = 50, allow_negative_numbers = true, value_parser = replicates)]
    pub(super) replicates: u32,
    /// The seed that all dice come from.
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: u64,
    /// How long runs with shocks go on after the last one; `all` for as long as the scenario says.
    #[arg(long, value_name = "DURATION", default_value = "30m")]
    pub(super) after: String,
    /// How long runs without shocks are; never longer than the scenario says.
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub(super) calm: String,
    /// Say how many runs there are and what they take, by a pilot of a few, and do nothing.
    #[arg(long, conflicts_with = "force")]
    pub(super) dry_run: bool,
    /// Do a part of the runs beside other processes, as `sweep` does; afterwards the same command without this makes the tables.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["force", "dry_run", "json", "compress"])]
    pub(super) shard: Option<String>,
    #[command(flatten)]
    pub(super) work: WorkArgs,
}

#[derive(Clone, Debug, Args)]
pub(super) struct TargetsArgs {
    #[command(flatten)]
    pub(super) load: LoadArgs,
    /// Repetitions, each on its own dice. What is not fitted is compared with those alone in which what is fitted came out.
    #[arg(long, short = 'n', default_value_t = 200, allow_negative_numbers = true, value_parser = replicates)]
    pub(super) replicates: u32,
    /// The seed that all dice come from.
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) work: WorkArgs,
}

impl TargetsArgs {
    /// Returns what a run is told.
    pub(super) fn as_run(&self) -> RunArgs {
        let Self { load, replicates, seed, work } = self.clone();
        RunArgs { load, replicates, seed, work }
    }
}

/// How the work is done and told.
#[derive(Clone, Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch that one may type, independent of the others"
)]
pub(super) struct WorkArgs {
    /// Runs at once; as many as there are processors unless stated.
    #[arg(long, value_parser = threads)]
    pub(super) threads: Option<NonZeroUsize>,
    /// Results folder; `firesale-out/<name>-<hash>` unless stated.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Hash each run's event tape.
    #[arg(long)]
    pub(super) hash: bool,
    #[command(flatten)]
    pub(super) forms: FormArgs,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Say nothing while working, and print no summary.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Do everything again, even what is there.
    #[arg(long)]
    pub(super) force: bool,
    /// Begin no further run after this time. What is done is kept, and the same command goes on from there; the exit code is 75.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) timeout: Option<Duration>,
    /// Begin no further run after one that failed. Otherwise a failed run is a row of failures.csv and the others go on.
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Whether the summary is not asked for, since results are only compared.
    #[arg(skip)]
    pub(super) untold: bool,
}

#[derive(Clone, Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch that one may type, independent of the others"
)]
#[command(
    after_help = "Values are listed, or range(first,last,step), linspace(first,last,count), logspace(first,last,count); where a\n\
                        design draws, also between(low,high) and log_between(low,high). Decimals stay exact. Examples:\n  \
                        firesale sweep long-squeeze --vary 'populations.flow.strategy.background.depth_scale=logspace(0.5,4,4)'\n  \
                        firesale sweep calm --vary duration=1h,2h --vary burn_in=5m,10m --zip -n 50\n  \
                        firesale sweep my-study.toml --arms forced_liquidation,adl"
)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct SweepArgs {
    #[command(subcommand)]
    pub(super) action: Option<SweepAction>,
    #[command(flatten)]
    pub(super) design: DesignArgs,
    /// Mechanisms that are switched off at every point, one at a time; `none` for none. Those of the study or the scenario's
    /// counterfactuals unless stated.
    #[arg(long, value_name = "MECHANISMS", value_delimiter = ',')]
    pub(super) arms: Option<Vec<String>>,
    /// Metric of the table on the screen: a column of runs.csv.
    #[arg(long, default_value = "drawdown_pct")]
    pub(super) metric: String,
    #[command(flatten)]
    pub(super) work: WorkArgs,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  firesale amplify depth-leverage        how amplification moves with depth and with leverage"
)]
pub(super) struct AmplifyArgs {
    #[command(flatten)]
    pub(super) design: DesignArgs,
    #[command(flatten)]
    pub(super) work: WorkArgs,
}

/// What is varied, and how the runs are parted.
#[derive(Clone, Default, Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch that one may type, independent of the others"
)]
pub(super) struct DesignArgs {
    /// A study or a scenario: the name of one that is shipped, or a file.
    #[arg(required = true)]
    pub(super) study: Option<String>,
    /// Vary the value at a dotted path over values; `*` matches any name. May be repeated: every value with every other.
    #[arg(long, value_name = "PATH=VALUES")]
    pub(super) vary: Vec<String>,
    /// Take the first values together, the second values together, and so on.
    #[arg(long, group = "design")]
    pub(super) zip: bool,
    /// Take the scenario as it is, then one varied path at a time.
    #[arg(long, group = "design")]
    pub(super) one_at_a_time: bool,
    /// Draw so many points that cover the range of each path evenly.
    #[arg(long, group = "design", value_name = "POINTS", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(super) latin_hypercube: Option<u32>,
    /// Take so many points of a Sobol sequence.
    #[arg(long, group = "design", value_name = "POINTS", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(super) sobol: Option<u32>,
    /// Replace a value at every point: dotted path = value. May be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Switch a mechanism off at every point. May be repeated.
    #[arg(long, value_name = "MECHANISM")]
    pub(super) without: Vec<String>,
    /// Repetitions of each cell, the same dice in all of them; those of the study or 20 unless stated.
    #[arg(long, short = 'n', allow_negative_numbers = true, value_parser = replicates)]
    pub(super) replicates: Option<u32>,
    /// Add replicates in batches of 32 until half the width of the 95 % interval is at most this share of its estimate: of the
    /// mean drawdown of each cell of a point, or of its amplification where the arms are those of `amplify`. Points are decided
    /// one by one from whole batches alone, so that threads and interruptions change nothing.
    #[arg(long, value_name = "WIDTH", value_parser = width, conflicts_with_all = ["replicates", "shard"])]
    pub(super) until_ci: Option<f64>,
    /// Most replicates of a cell with --until-ci; those of the study or 1024 unless stated.
    #[arg(long, value_name = "REPLICATES", conflicts_with_all = ["replicates", "shard"], value_parser = clap::value_parser!(u32).range(32..=100_000))]
    pub(super) most_replicates: Option<u32>,
    /// The seed that all dice come from; that of the study or 1 unless stated.
    #[arg(long, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    /// Keep each run's series, liquidations and transfers too: some hundred kilobytes a run.
    #[arg(long)]
    pub(super) tables: bool,

    /// Give every point dice of its own, in place of the same for all; the arms of a point share theirs in any case.
    #[arg(long)]
    pub(super) independent: bool,
    /// Say how many runs there are and what they take, by a pilot of a few, and do nothing.
    #[arg(long, conflicts_with = "force")]
    pub(super) dry_run: bool,
    /// Do a part of the runs beside other processes, which may be on other machines: every n-th cell from number i on, i below n.
    /// `env/n` takes the number from the scheduler (Slurm, HyperQueue, Kubernetes). Afterwards `sweep merge` makes the tables.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["force", "dry_run", "json", "compress"])]
    pub(super) shard: Option<String>,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum SweepAction {
    /// Say how much of a sweep is done, and change nothing.
    Status {
        /// The results folder.
        folder: PathBuf,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make the tables of a sweep whose shards are done.
    Merge {
        /// The results folder.
        folder: PathBuf,
        /// Metric of the table on the screen: a column of runs.csv.
        #[arg(long, default_value = "drawdown_pct")]
        metric: String,
        #[command(flatten)]
        forms: FormArgs,
        /// Print the summary as JSON.
        #[arg(long)]
        json: bool,
        /// Say nothing while working, and print no summary.
        #[arg(long, short)]
        quiet: bool,
    },
}

#[derive(Clone, Debug, Args)]
pub(super) struct ReportArgs {
    /// A results folder of `run`, `targets`, `sweep`, `amplify` or `compare`.
    pub(super) results: PathBuf,
    /// Say nothing.
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ReproduceArgs {
    /// A results folder of `run`, `targets`, `sweep`, `amplify` or `compare`.
    pub(super) results: PathBuf,
    /// Runs at once; as many as there are processors unless stated.
    #[arg(long, value_parser = threads)]
    pub(super) threads: Option<NonZeroUsize>,
    /// Keep what comes out in this folder; otherwise it is in a temporary one.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Print the comparison as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Say nothing; the exit code tells.
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) load: LoadArgs,
    /// Print it as it is run: after all changes, with every default.
    #[arg(long)]
    pub(super) resolved: bool,
    /// Print its targets instead: what was observed, a row each.
    #[arg(long, conflicts_with_all = ["resolved", "set", "without"])]
    pub(super) targets: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ExplainArgs {
    /// Dotted path, such as `populations.*.strategy.maker` or `venues.binance.fees.taker`; everything unless stated.
    #[arg(default_value = "")]
    pub(super) path: String,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  firesale new my-crash                  writes my-crash.toml, and firesale.schema.json for editors"
)]
pub(super) struct NewArgs {
    /// Name of the new scenario, or the path of its file.
    pub(super) name: String,
    /// The scenario that it begins as: the name of one that is shipped, or a file.
    #[arg(long, value_name = "SCENARIO", default_value = "long-squeeze")]
    pub(super) from: String,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  firesale diff long-squeeze leverage-one\n  firesale diff results-of-may results-of-june"
)]
pub(super) struct DiffArgs {
    /// A shipped scenario, a file, or a results folder.
    pub(super) a: String,
    /// The other.
    pub(super) b: String,
    /// Print the differences as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ValidateArgs {
    #[command(subcommand)]
    pub(super) what: Validation,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Validation {
    /// The exact law of a cascade through the real engine, with controls.
    CascadeLaw {
        /// Cascades for each of 20 seeds and each law; fewer than 150 cannot always reject the planted bug.
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(150..=1_000_000))]
        cascades: u64,
        /// The seed that the 20 seeds of each law come from.
        #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
        seed: u64,
        /// Cascades at once; as many as there are processors unless stated.
        #[arg(long, value_parser = threads)]
        threads: Option<NonZeroUsize>,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
        /// Say nothing while working.
        #[arg(long, short)]
        quiet: bool,
    },
    /// How often 95 % intervals hold the truth, in synthetic studies whose truth is known.
    Intervals {
        /// Studies of each law and size; a tenth of them by the bootstrap too.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
        studies: u64,
        /// The seed that all studies come from.
        #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
        seed: u64,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
        /// Say nothing while working.
        #[arg(long, short)]
        quiet: bool,
    },
}
