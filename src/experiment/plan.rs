//! The plan of an experiment: which runs there are, and the text that identifies them.

use crate::record::RunKey;

/// How many characters of the identity stand in the name of a folder.
const SHORT_ID: usize = 8;
/// How many differing lines are shown before the rest is only counted.
const SHOWN_DIFFERENCES: usize = 12;

/// A part of a plan that one of several processes does: every `count`-th cell from `index` on, so that costly cells spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// The whole plan.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Makes a part; `None` unless `index` is below `count`.
    pub const fn new(index: u32, count: u32) -> Option<Self> {
        if index < count { Some(Self { index, count }) } else { None }
    }

    /// Returns its number, from 0.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Returns how many parts there are.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Tells whether a cell belongs to it.
    pub const fn has(self, cell: u32) -> bool {
        cell.rem_euclid(self.count) == self.index
    }
}

/// A design of `cells` x `replicates` runs, or of as many replicates in each cell as it takes.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Everything that decides a result, in canonical form, best as `key = value` lines: two plans with the same text
    /// have the same results, and the lines that differ explain why two folders do not mix.
    pub text: String,
    /// Number of cells.
    pub cells: u32,
    /// Number of replicates of each cell; the most that any may have where they differ.
    pub replicates: u32,
    /// Number of replicates by cell where they differ; empty where every cell has all.
    pub counts: Vec<u32>,
}

impl Plan {
    /// Returns the identity of the plan: BLAKE3 of its text in hexadecimal.
    pub fn id(&self) -> String {
        blake3::hash(self.text.as_bytes()).to_hex().to_string()
    }

    /// Returns the first characters of the identity, for names of folders.
    pub fn short_id(&self) -> String {
        self.id()[..SHORT_ID].to_owned()
    }

    /// Returns the number of runs.
    pub fn runs(&self) -> u64 {
        self.runs_of(Shard::WHOLE)
    }

    /// Returns the number of replicates of a cell.
    pub fn replicates_of(&self, cell: u32) -> u32 {
        self.counts.get(cell as usize).copied().unwrap_or(self.replicates)
    }

    /// Returns all runs in the order of tables.
    pub fn keys(&self) -> impl Iterator<Item = RunKey> + Send + use<'_> {
        self.keys_of(Shard::WHOLE)
    }

    /// Returns the runs of a part in the order of tables.
    pub fn keys_of(&self, shard: Shard) -> impl Iterator<Item = RunKey> + Send + use<'_> {
        self.cells_of(shard)
            .flat_map(|cell| (0..self.replicates_of(cell)).map(move |replicate| RunKey { cell, replicate }))
    }

    /// Returns the number of runs of a part.
    pub fn runs_of(&self, shard: Shard) -> u64 {
        if !self.counts.is_empty() {
            return self.cells_of(shard).map(|cell| u64::from(self.replicates_of(cell))).sum();
        }
        let cells = self.cells.saturating_sub(shard.index).div_ceil(shard.count);
        u64::from(cells) * u64::from(self.replicates)
    }

    fn cells_of(&self, shard: Shard) -> impl Iterator<Item = u32> + Send + use<> {
        (shard.index..self.cells).step_by(shard.count as usize)
    }

    /// Tells whether the plan has this run.
    pub fn contains(&self, key: RunKey) -> bool {
        key.cell < self.cells && key.replicate < self.replicates_of(key.cell)
    }
}

/// Lists the lines that only one of two plans has: `- ` for the first, `+ ` for the second.
pub(super) fn difference(theirs: &str, ours: &str) -> Vec<String> {
    let only = |sign, from: &str, other: &str| -> Vec<String> {
        from.lines()
            .filter(|line| !other.lines().any(|candidate| candidate == *line))
            .map(|line| format!("{sign} {line}"))
            .collect()
    };
    let mut lines = only('-', theirs, ours);
    lines.extend(only('+', ours, theirs));
    if lines.is_empty() {
        lines.push("the same lines in another order or number".to_owned());
    }
    if lines.len() > SHOWN_DIFFERENCES {
        let rest = lines.len() - SHOWN_DIFFERENCES;
        lines.truncate(SHOWN_DIFFERENCES);
        lines.push(format!("and {rest} more lines"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_in_the_order_of_tables() {
        let plan = Plan { text: String::new(), cells: 2, replicates: 2, ..Plan::default() };
        let keys: Vec<(u32, u32)> = plan.keys().map(|key| (key.cell, key.replicate)).collect();
        assert_eq!(keys, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert_eq!(plan.runs(), 4);
        assert!(plan.keys().all(|key| plan.contains(key)));
        assert!(!plan.contains(RunKey { cell: 2, replicate: 0 }));
    }

    #[test]
    fn shards_part_the_plan() {
        let plan = Plan { text: String::new(), cells: 7, replicates: 3, ..Plan::default() };
        for count in [1, 2, 3, 7, 9] {
            let shards = (0..count).map(|index| Shard::new(index, count).unwrap());
            let mut all: Vec<RunKey> = Vec::new();
            for shard in shards {
                let keys: Vec<RunKey> = plan.keys_of(shard).collect();
                assert_eq!(keys.len() as u64, plan.runs_of(shard));
                assert!(keys.iter().all(|key| shard.has(key.cell)));
                all.extend(keys);
            }
            all.sort_unstable();
            assert_eq!(all, plan.keys().collect::<Vec<_>>(), "{count} shards");
        }
        assert_eq!(Shard::new(2, 2), None);
    }

    #[test]
    fn cells_may_differ_in_their_replicates() {
        let plan = Plan { cells: 3, replicates: 4, counts: vec![2, 4, 1], ..Plan::default() };
        let keys: Vec<(u32, u32)> = plan.keys().map(|key| (key.cell, key.replicate)).collect();
        assert_eq!(keys, [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0)]);
        assert_eq!((plan.runs(), plan.runs_of(Shard::new(0, 2).unwrap())), (7, 3));
        assert!(plan.keys().all(|key| plan.contains(key)));
        assert!(!plan.contains(RunKey { cell: 0, replicate: 2 }));
    }

    #[test]
    fn a_plan_is_known_by_its_text() {
        let plan = |text: &str| Plan { text: text.to_owned(), cells: 1, replicates: 1, ..Plan::default() };
        // BLAKE3 of the empty input, from its specification.
        assert!(plan("").id().starts_with("af1349b9f5f9a1a6a0404dea36dcc949"));
        assert_eq!(plan("").short_id(), "af1349b9");
        assert_ne!(plan("seed = 1").id(), plan("seed = 2").id());
    }

    #[test]
    fn a_difference_shows_the_lines_of_each_side() {
        assert_eq!(difference("a = 1\nb = 2\n", "a = 1\nb = 3\n"), ["- b = 2", "+ b = 3"]);
        let long: Vec<String> = (0..40).map(|n| format!("k{n} = 1")).collect();
        let lines = difference(&long.join("\n"), "");
        assert_eq!(lines.len(), SHOWN_DIFFERENCES + 1);
        assert_eq!(lines.last().unwrap(), "and 28 more lines");
        assert_eq!(difference("a\nb", "b\na"), ["the same lines in another order or number"]);
    }
}
