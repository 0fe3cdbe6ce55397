//! Imports go down only. The table is the house of ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// Floors from the roof to the ground; rooms of one floor do not know each other.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["output"],
    &["experiment"],
    &["record"],
    &["engine"],
    &["scenario"],
    &["agents", "mechanisms"],
    &["world"],
    &["event"],
    &["market", "clearing"],
    &["stats"],
    &["sampling"],
    &["rng"],
    &["units"],
];

fn floor(room: &str) -> usize {
    FLOORS.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| panic!("no floor for {room}"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Returns the rooms that a text names after `crate::`, comments and test modules left out.
fn rooms(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut rooms = Vec::new();
    for line in lines {
        for part in line.split("crate::").skip(1) {
            let room: String = part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if FLOORS.iter().any(|floor| floor.contains(&room.as_str())) {
                rooms.push(room);
            }
        }
    }
    rooms
}

#[test]
fn imports_go_down_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut wrong = Vec::new();
    let mut imports = 0;
    for path in all {
        let inside = path.strip_prefix(&source).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        for other in rooms(&fs::read_to_string(&path).unwrap()) {
            imports += 1;
            if other != room && floor(&other) <= floor(room) {
                wrong.push(format!("{} uses {other}", inside.display()));
            }
        }
    }
    assert!(imports > 100, "the scan found the imports: {imports}");
    assert_eq!(wrong, Vec::<String>::new());
}
