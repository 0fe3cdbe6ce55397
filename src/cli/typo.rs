//! What helps where words are no command. Clap finds words that begin alike; this finds letters that changed places, says which verb
//! takes a scenario, a study or a policy that stands in the place of one, and where the names are that an argument takes.

use super::args::Cli;
use crate::scenario::problem::nearest;
use crate::scenario::shipped;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{CommandFactory as _, builder::StyledStr};
use std::ffi::OsString;
use std::path::Path;

/// Where one finds what an argument takes.
const WHERE: [(&str, &str); 6] = [
    ("<SCENARIO>", LISTED),
    ("<STUDY>", LISTED),
    ("<A>", LISTED),
    ("<B>", LISTED),
    ("<RESULTS>", "'firesale run long-squeeze --out FOLDER' fills a folder"),
    ("<SHELL>", "the shells are bash, elvish, fish, powershell and zsh"),
];
const LISTED: &str =
    "'firesale list' names what is shipped, 'firesale new NAME' begins a scenario of your own";

/// Adds to an error what was probably meant, if it says nothing yet.
pub(super) fn suggest(error: &mut Error, typed: &[OsString]) {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        let missing = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
        if let Some((_, text)) = WHERE.iter().find(|(name, _)| missing.contains(name)) {
            tip(error, (*text).to_owned());
        }
        return;
    }
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return };
    if let Some(text) = verb_of(word) {
        tip(error, text);
    } else if let Some(near) = nearest(word, verbs_below(typed).iter().map(String::as_str)) {
        let near = ContextValue::Strings(vec![near.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
}

fn tip(error: &mut Error, text: String) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(text)]));
}

/// Says how a word is used that names something one has verbs for.
fn verb_of(word: &str) -> Option<String> {
    let is_file = Path::new(word).extension().is_some_and(|ending| ending == "toml");
    if shipped::find(word).is_some() || is_file {
        Some(format!("a scenario is run by 'firesale run {word}'"))
    } else if shipped::find_study(word).is_some() {
        Some(format!("a study is run by 'firesale sweep {word}' or 'firesale amplify {word}'"))
    } else if shipped::find_policy(word).is_some() {
        Some(format!("a policy is held against a scenario by 'firesale compare SCENARIO --policies {word}'"))
    } else {
        None
    }
}

/// Returns the verbs among which the one that is none was sought.
fn verbs_below(typed: &[OsString]) -> Vec<String> {
    let mut command = Cli::command();
    command.build();
    for word in typed.iter().skip(1) {
        match command.find_subcommand(word) {
            Some(below) => command = below.clone(),
            None => break,
        }
    }
    command.get_subcommands().map(|below| below.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    /// What is said of words that are no command, up to the usage.
    fn said(words: &str) -> String {
        let typed: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        let mut error = Cli::try_parse_from(&typed).expect_err("these are no command");
        suggest(&mut error, &typed);
        let text = error.render().to_string();
        let said = text.split("\n\nUsage").next().and_then(|said| said.split("\n\nFor more").next());
        said.unwrap_or_default().trim_end().to_owned()
    }

    #[test]
    fn every_shell_is_named() {
        use clap::ValueEnum as _;
        let text = said("firesale completions");
        for shell in clap_complete::Shell::value_variants() {
            assert!(text.contains(&shell.to_string()), "{shell}: {text}");
        }
    }

    #[test]
    fn words_that_are_no_command_are_answered_with_what_helps() {
        let words = [
            "firesale nwe",
            "firesale rnu long-squeeze",
            "firesale amplfy",
            "firesale lst",
            "firesale hlep",
            "firesale validate cascde-law",
            "firesale long-squeeze",
            "firesale my.toml -n 5",
            "firesale depth-leverage",
            "firesale larger-fund",
            "firesale xyzzy",
            "firesale run",
            "firesale amplify -n 5",
            "firesale diff calm",
            "firesale report",
            "firesale completions",
            "firesale run calm --seed -1",
            "firesale sweep calm --replicates -1",
        ];
        insta::assert_snapshot!(
            "verbs",
            words.map(|words| format!("$ {words}\n{}\n", said(words))).join("\n")
        );
    }
}
