//! What shells, manuals and editors are told about the program: made from its arguments and its key table.

use super::args::Cli;
use super::load::near;
use super::words::print;
use super::{Failure, stdout::StdoutError};
use crate::scenario::json_schema;
use clap::CommandFactory as _;
use clap_complete::Shell;

/// Prints a shell's completions.
pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "firesale", &mut text);
    print(&String::from_utf8(text).expect("completions are text"))
}

/// Prints a manual page.
pub(super) fn man(verb: &[String]) -> Result<u8, Failure> {
    let mut command = Cli::command();
    command.build();
    for word in verb {
        let Some(below) = command.find_subcommand(word) else {
            let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let hint = near(word, &names);
            return Err(Failure::user(format!(
                "error: {word}: no such verb{hint}\n  verbs: {}",
                names.join(", ")
            )));
        };
        command = below.clone();
    }
    let mut text = Vec::new();
    let source = concat!("firesale ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command).source(source).render(&mut text).map_err(StdoutError::from)?;
    print(&String::from_utf8(text).expect("a manual page is text"))
}

/// Prints the schema of scenario files.
pub(super) fn schema() -> Result<u8, Failure> {
    print(&schema_text())
}

/// Returns the schema as a file has it.
pub(super) fn schema_text() -> String {
    format!("{:#}\n", json_schema())
}

#[cfg(test)]
#[path = "../../tests/cli/pages.rs"]
mod pages;

#[cfg(test)]
mod tests {
    use super::pages::documents;
    use super::*;
    use clap::{ArgAction, Command, Parser as _, ValueEnum as _};
    use std::collections::BTreeSet;

    /// Every verb and part of a verb, with the words that lead to it.
    fn verbs() -> Vec<(String, Command)> {
        let mut root = Cli::command();
        root.build();
        let mut found = vec![(String::new(), root.clone())];
        let mut waiting: Vec<(String, Command)> = vec![(String::new(), root)];
        while let Some((words, command)) = waiting.pop() {
            for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
                let words = format!("{words} {}", below.get_name()).trim().to_owned();
                found.push((words.clone(), below.clone()));
                waiting.push((words, below.clone()));
            }
        }
        found
    }

    fn flags(command: &Command) -> Vec<String> {
        let own = command.get_arguments().filter(|arg| {
            !matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpLong | ArgAction::Version)
        });
        own.filter_map(|arg| arg.get_long().map(|long| format!("--{long}"))).collect()
    }

    fn page(words: &str) -> String {
        let mut text = Vec::new();
        let mut command = Cli::command();
        command.build();
        for word in words.split_whitespace() {
            command = command.find_subcommand(word).unwrap().clone();
        }
        clap_mangen::Man::new(command).render(&mut text).unwrap();
        // A hyphen is written `\-` in a manual's source.
        String::from_utf8(text).unwrap().replace("\\-", "-")
    }

    #[test]
    fn every_argument_of_every_verb_is_explained_and_every_flag_is_in_help_and_manual() {
        let mut count = 0;
        for (words, command) in verbs() {
            assert!(command.get_about().is_some() || words.is_empty(), "{words}");
            let help = command.clone().render_long_help().to_string();
            let manual = page(&words);
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{words}: {} has no help", arg.get_id());
                assert!(!arg.is_hide_set(), "{words}: {} is hidden", arg.get_id());
            }
            for flag in flags(&command) {
                count += 1;
                assert!(help.contains(&flag), "{words}: {flag} is not in the help");
                assert!(manual.contains(&flag), "{words}: {flag} is not in the manual");
            }
        }
        assert!(count > 40, "{count} flags were looked for");
    }

    #[test]
    fn every_flag_and_verb_is_completed_in_every_shell() {
        for shell in Shell::value_variants() {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "firesale", &mut text);
            let text = String::from_utf8(text).unwrap();
            for (words, command) in verbs() {
                let verb = words.rsplit(' ').next().unwrap();
                assert!(text.contains(verb), "{shell}: {words}");
                for flag in flags(&command) {
                    // fish writes `-l name`.
                    let found = text.contains(&flag) || text.contains(&format!("-l {}", &flag[2..]));
                    assert!(found, "{shell}: {words} {flag}");
                }
            }
        }
    }

    /// The files that people read.
    /// Splits a command as a shell does, up to where another command, a redirection or a comment begins.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for letter in line.chars() {
            match (quote, letter) {
                (Some(open), letter) if letter == open => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    word.get_or_insert_default();
                }
                (None, letter) if letter.is_whitespace() => words.extend(word.take()),
                (None, '|' | '>' | ';' | '&') => break,
                (None, '#') if word.is_none() => break,
                (_, letter) => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        words
    }

    /// Commands of a document: lines of code and inline code that begin with the program's name.
    fn commands(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for line in text.lines() {
            let code = line.trim_start().trim_start_matches("$ ");
            if code.starts_with("firesale ") {
                // In examples of help, what it does follows at a distance.
                found.push(code.split("   ").next().unwrap_or_default().to_owned());
            }
            for inline in line.split('`').skip(1).step_by(2) {
                if inline.starts_with("firesale ") {
                    found.push(inline.to_owned());
                }
            }
            if let Some((_, rest)) = line.split_once("cargo run --release -- ") {
                found.push(format!("firesale {}", rest.split('`').next().unwrap_or_default()));
            }
        }
        found
    }

    #[test]
    fn every_command_in_the_documents_is_one() {
        let mut count = 0;
        let mut wrong = Vec::new();
        // The reference has the examples of help, in which long lines are broken; these are looked at unbroken.
        let helps = verbs().into_iter().filter_map(|(words, command)| {
            Some((format!("help of {words}"), command.get_after_help()?.to_string()))
        });
        let texts = documents().into_iter().filter(|path| !path.ends_with("reference.md")).map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.display().to_string(), text)
        });
        for (place, text) in texts.chain(helps) {
            for line in commands(&text) {
                let typed = words(&line);
                // What is in brackets says how a command is put together; a number is of a table in which the name is a column.
                if line.contains(" [--")
                    || !typed[1].starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '-')
                {
                    continue;
                }
                // A verb alone in a sentence is its name; with words after it, it is a command.
                let is_name = typed[1..].iter().all(|word| {
                    word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
                });
                if let Err(error) = Cli::try_parse_from(&typed)
                    && error.use_stderr()
                    && !(is_name && Cli::command().find_subcommand(&typed[1]).is_some())
                {
                    wrong.push(format!(
                        "{place}: {line}: {}",
                        error.to_string().lines().next().unwrap_or_default()
                    ));
                }
                count += 1;
            }
        }
        assert!(count > 40, "{count} commands were found");
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn every_flag_that_the_documents_name_exists() {
        /// Flags of other programs in our documents.
        const OTHERS: &[&str] = &[
            "--release",
            "--path",
            "--test",
            "--bench",
            "--example",
            "--sanitizer",
            "--quiet",
            "--lib",
            "--all-targets",
            "--features",
            "--manifest-path",
            "--locked",
            "--target",
            "--git",
            "--no-run",
            // Ours, in a program that is built with it.
            "--parquet",
        ];
        let known: BTreeSet<String> = verbs()
            .iter()
            .flat_map(|(_, command)| flags(command))
            .chain(["--help".to_owned(), "--version".to_owned()])
            .collect();
        let mut unknown = Vec::new();
        for path in documents() {
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                if line.contains("valgrind ") {
                    continue;
                }
                for (at, _) in line.match_indices("--") {
                    let before = line[..at].chars().next_back();
                    let name: String =
                        line[at + 2..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                    let begins = before.is_none_or(|letter| " `'\"([".contains(letter));
                    if !begins || !name.starts_with(|letter: char| letter.is_ascii_lowercase()) {
                        continue;
                    }
                    let flag = format!("--{name}");
                    if !known.contains(&flag) && !OTHERS.contains(&flag.as_str()) {
                        unknown.push(format!("{}: {flag}: {line}", path.display()));
                    }
                }
            }
        }
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn the_models_page_names_what_there_is_and_nothing_else() {
        use crate::scenario::{Kind, schema::KEYS};
        let text = include_str!("../../docs/model.md");
        let mut known: BTreeSet<&str> = crate::mechanisms::Mechanism::NAMES.into_iter().collect();
        let mut strategies: &[&str] = &[];
        for key in KEYS {
            known.extend(key.path.split('.'));
            if let Kind::Choice(words) | Kind::OneOf(words) = key.kind {
                known.extend(words);
                if key.path == "populations.*.strategy" {
                    strategies = words;
                }
            }
        }
        let mut looked_for = 0;
        for code in text.split('`').skip(1).step_by(2) {
            let is_key = code.chars().all(|letter| letter.is_ascii_lowercase() || "_.*".contains(letter));
            for part in code.split('.').filter(|part| is_key && !part.is_empty()) {
                looked_for += 1;
                assert!(known.contains(part), "docs/model.md names `{code}`, which no key or mechanism is");
            }
        }
        assert!(looked_for > 10, "{looked_for}");
        assert!(strategies.len() >= 7);
        for strategy in strategies {
            let name = strategy.replace('_', " ");
            let begins = text.lines().filter_map(|line| line.strip_prefix("**"));
            assert!(
                begins.map(str::to_lowercase).any(|line| line.starts_with(&name)),
                "docs/model.md has no paragraph of {name}"
            );
        }
    }
}
