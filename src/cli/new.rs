//! `new`: a scenario file for somebody who will change it, and the schema beside it.

use super::Failure;
use super::args::NewArgs;
use super::load::{colored, open};
use super::words::print;
use crate::experiment::whole_file::{FileError, write_whole};
use crate::record::is_identifier;
use crate::scenario::schema::KEYS;
use crate::scenario::{SCHEMA_FILE, check, commented};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes a scenario and returns the exit code.
pub(super) fn new(args: &NewArgs) -> Result<u8, Failure> {
    let path = path_of(&args.name)?;
    let (document, name) = open(&args.from)?;
    if let Err(problems) = check(&document, &name) {
        return Err(Failure::user(document.render(&problems, colored())));
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let head = format!(
        "#:schema ./{SCHEMA_FILE}\n#\n# Begun as {name} by `firesale new`. What stands here is what that scenario states; a line such as `#key = value` is\n\
         # a default: take its # away to change it. `#[table]` is off until its # is taken away.\n#\n\
         #     firesale check {file}      says everything that is wrong\n#     firesale run {file}        runs it\n\
         #     firesale diff {name} {file}   says what you have changed\n\n"
    );
    let text = format!("{head}{}", commented(&document, KEYS));
    write_new(&path, &text)?;
    // The first line names it, and an editor asks for it as the file is opened; a schema of another version would underline
    // what this version takes.
    let schema = path.with_file_name(SCHEMA_FILE);
    write_whole(&schema, super::interface::schema_text().as_bytes())?;
    print(&format!("{}\n", path.display()))?;
    anstream::eprintln!("begun as {name}; `firesale check {0}`, then `firesale run {0}`", path.display());
    Ok(0)
}

/// `my` is `my.toml` in this folder; a path is a path.
fn path_of(name: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(name);
    let path = if path.extension().is_some_and(|ending| ending == "toml") {
        path.to_owned()
    } else {
        PathBuf::from(format!("{name}.toml"))
    };
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if !is_identifier(stem) {
        return Err(Failure::user(format!(
            "error: {stem:?} cannot be the name of a scenario, which names tables and folders\n  \
             take letters, digits, `_` and `-`, a letter or digit first"
        )));
    }
    if crate::scenario::shipped::find(stem).is_some() {
        return Err(Failure::user(format!(
            "error: a shipped scenario is called {stem}, and its name would go on meaning that one\n  choose another name"
        )));
    }
    Ok(path)
}

/// Writes a file that must not be there.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let made = std::fs::File::create_new(path);
    let mut file = match made {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Failure::user(format!(
                "error: {} is there already and stays as it is\n  choose another name, or move it away",
                path.display()
            )));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::user(format!(
                "error: cannot write {}: there is no such folder",
                path.display()
            )));
        }
        Err(error) => return Err(FileError::when("create", path)(error).into()),
    };
    file.write_all(text.as_bytes()).map_err(FileError::when("write", path))?;
    Ok(())
}
