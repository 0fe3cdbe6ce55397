//! In which forms tables are written, as it is typed.

use crate::output::{Compression, Forms};
use clap::{Args, ValueEnum};

/// The forms of tables.
#[derive(Clone, Default, Debug, Args)]
pub(in crate::cli) struct FormArgs {
    /// Write tables as `.csv.gz` or `.csv.zst`: gzip is read by everything, Zstandard is made in a fraction of the time. A folder
    /// whose tables have another form gets them anew from its runs.
    #[arg(long, value_name = "FORM", default_value = "none")]
    pub(in crate::cli) compress: Compress,
    /// Write a `.parquet` beside each `.csv`, its columns typed as in datapackage.json.
    #[cfg(feature = "parquet")]
    #[arg(long)]
    pub(in crate::cli) parquet: bool,
}

/// How CSV is packed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, ValueEnum)]
pub(in crate::cli) enum Compress {
    #[default]
    None,
    Gz,
    #[value(alias = "zst")]
    Zstd,
}

impl FormArgs {
    /// Returns the forms of files.
    pub(in crate::cli) const fn forms(&self) -> Forms {
        Forms {
            csv: match self.compress {
                Compress::None => None,
                Compress::Gz => Some(Compression::Gzip),
                Compress::Zstd => Some(Compression::Zstd),
            },
            #[cfg(feature = "parquet")]
            parquet: self.parquet,
        }
    }

    /// Returns what one types for them.
    pub(in crate::cli) fn words(&self) -> Vec<String> {
        let mut words: Vec<&str> = match self.compress {
            Compress::None => Vec::new(),
            Compress::Gz => vec!["--compress", "gz"],
            Compress::Zstd => vec!["--compress", "zstd"],
        };
        if self.forms().has_parquet() {
            words.push("--parquet");
        }
        words.into_iter().map(str::to_owned).collect()
    }
}
