//! Words of the page: numbers, names, commands, and what is missing.

use super::figures::Figures;
use super::results::Results;
use crate::record::tables::RUNS;

/// Returns a name that is safe to draw: control characters, which no SVG may hold, and those that turn the order of letters
/// are shown as what they are not.
pub(super) fn plain(name: &str) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}'..='\u{ffff}')
    };
    name.chars().map(|c| if is_odd(c) { '\u{fffd}' } else { c }).collect()
}

/// Returns the beginning of a name where it is too long for its place.
pub(super) fn cut(name: &str, letters: usize) -> String {
    let name = plain(name);
    if name.chars().count() <= letters {
        return name;
    }
    name.chars().take(letters.saturating_sub(3)).chain("...".chars()).collect()
}

/// Returns what a metric means, with its unit; its name where this version does not know it.
pub(super) fn meaning(metric: &str) -> String {
    RUNS.column(metric).map_or_else(|| plain(metric), crate::record::Column::axis_label)
}

/// Says how many replicates there are.
pub(super) fn replicates(count: usize) -> String {
    if count == 1 { "1 replicate".to_owned() } else { format!("{count} replicates") }
}

/// Joins words to a command line.
pub(super) fn shell(words: &[String]) -> String {
    let quoted = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Something that is not there, and how one gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Note {
    /// What is missing and what is left out without it.
    pub(super) what: String,
    /// What makes it.
    pub(super) command: String,
}

/// Says what is missing in a folder.
pub(super) fn notes(results: &Results, figures: &Figures) -> Vec<Note> {
    let folder = results.folder.display().to_string();
    let mut again = results.manifest.origin.command.clone();
    if results.study.is_some()
        && let Some(study) = again.iter_mut().find(|word| *word == "study.toml")
    {
        *study = format!("{folder}/study.toml");
    }
    again.extend(["--out".to_owned(), folder]);
    let mut anew = again.clone();
    anew.push("--force".to_owned());
    let [again, anew] = [again, anew].map(|words| shell(&words));
    let mut notes: Vec<Note> = results
        .missing
        .iter()
        .map(|name| Note { what: format!("{name} is missing"), command: again.clone() })
        .collect();
    notes.extend(figures.left_out.iter().map(|what| Note { what: what.clone(), command: anew.clone() }));
    notes
}
