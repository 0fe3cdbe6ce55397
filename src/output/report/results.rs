//! A results folder as a report sees it: what its manifest says, whether its files are as they were sealed, and its small
//! tables. Nothing here runs a scenario or opens a journal, so that old results can be reported.

use super::super::compression::find;
use super::super::manifest::{MANIFEST, Manifest, read_manifest, verify};
use super::ReportError;
use super::sheet::Sheet;
use std::path::{Path, PathBuf};
use toml::Table;

/// A folder with what was read of it.
pub(super) struct Results {
    /// Where it is.
    pub(super) folder: PathBuf,
    /// What made it.
    pub(super) manifest: Manifest,
    /// What is not as it was sealed.
    pub(super) problems: Vec<String>,
    /// The scenario as it was run.
    pub(super) scenario: Table,
    /// The study, where something was varied.
    pub(super) study: Option<Table>,
    pub(super) cells: Sheet,
    pub(super) runs: Sheet,
    pub(super) summary: Sheet,
    pub(super) effects: Sheet,
    /// What forced selling amplifies, a row a point.
    pub(super) amplification: Option<Sheet>,
    /// What was observed, a row a target.
    pub(super) targets: Option<Sheet>,
    /// What policies make of metrics, a row each.
    pub(super) policies: Option<Sheet>,
    /// How policies rank by each metric.
    pub(super) ranking: Option<Sheet>,
    /// What protects against what it costs.
    pub(super) pareto: Option<Sheet>,
    /// Files without which something is left out, by name.
    pub(super) missing: Vec<&'static str>,
}

impl Results {
    /// Reads a folder.
    pub(super) fn open(folder: &Path) -> Result<Self, ReportError> {
        if !folder.is_dir() {
            return Err(ReportError::NoFolder { path: folder.to_owned() });
        }
        let manifest = match read_manifest(folder) {
            Some(manifest) => manifest,
            None if folder.join(MANIFEST).exists() => {
                return Err(ReportError::BadManifest { path: folder.to_owned() });
            }
            None => return Err(super::without_manifest(folder.to_owned())),
        };
        let problems = verify(folder).err().unwrap_or_default();
        let mut missing = Vec::new();
        let mut needed = |name: &'static str| {
            let sheet = optional(folder, name)?;
            if sheet.is_none() {
                missing.push(name);
            }
            Ok::<Sheet, ReportError>(sheet.unwrap_or_default())
        };
        let [cells, runs] = [needed("cells.csv")?, needed("runs.csv")?];
        let summary = needed("summary.csv")?;
        let mut source = |name: &'static str| {
            let table = std::fs::read_to_string(folder.join(name)).ok().and_then(|text| text.parse().ok());
            if table.is_none() && manifest.lists(name) {
                missing.push(name);
            }
            table
        };
        let (scenario, study) = (source("scenario.toml").unwrap_or_default(), source("study.toml"));
        let mut extra = |name: &'static str| {
            let sheet = optional(folder, name)?;
            if sheet.is_none() && manifest.lists(name) {
                missing.push(name);
            }
            Ok::<Option<Sheet>, ReportError>(sheet)
        };
        let effects = extra("effects.csv")?.unwrap_or_default();
        let (amplification, targets) = (extra("amplification.csv")?, extra("targets.csv")?);
        let [policies, ranking, pareto] =
            [extra("policies.csv")?, extra("ranking.csv")?, extra("pareto.csv")?];
        let folder = folder.to_owned();
        Ok(Self {
            folder,
            manifest,
            problems,
            scenario,
            study,
            cells,
            runs,
            summary,
            effects,
            amplification,
            targets,
            policies,
            ranking,
            pareto,
            missing,
        })
    }

    /// Returns one line of what was run: the title of the study, else of the scenario.
    pub(super) fn title(&self) -> &str {
        let titles = [self.study.as_ref(), Some(&self.scenario)].into_iter().flatten();
        titles
            .filter_map(|table| table.get("title")?.as_str())
            .find(|title| !title.is_empty())
            .unwrap_or_default()
    }

    /// Returns the name of the perpetual and of the coin that it is of.
    pub(super) fn perpetual(&self) -> Option<(&str, &str)> {
        let markets = self.scenario.get("markets")?.as_table()?;
        let (name, market) = markets
            .iter()
            .find(|(_, market)| market.get("contract").is_some_and(|kind| kind.as_str() != Some("spot")))?;
        Some((name, market.get("base")?.as_str()?))
    }

    /// Returns the names of what was varied: the columns of cells.csv between the key and the arm.
    pub(super) fn parameters(&self) -> Vec<&str> {
        self.cells.names().filter(|name| !["cell", "replicate", "arm"].contains(name)).collect()
    }
}

/// Reads a table that may not be there, in any form.
pub(super) fn optional(folder: &Path, name: &'static str) -> Result<Option<Sheet>, ReportError> {
    let Some(name) = find(folder, name) else { return Ok(None) };
    let path = folder.join(name);
    Sheet::open(&path).map(Some).map_err(|source| ReportError::Unreadable { path, source })
}
