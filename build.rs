//! Tells the program which commit it was built from, for the manifest of its results.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=FIRESALE_COMMIT");
    println!("cargo::rustc-env=FIRESALE_COMMIT={}", commit());
}

/// What the builder says, else what git says of this folder, else what the package says of itself.
fn commit() -> String {
    std::env::var_os("FIRESALE_COMMIT")
        .map(|given| given.to_string_lossy().into_owned())
        .or_else(from_git)
        .or_else(from_package)
        .unwrap_or_else(|| "unknown".to_owned())
}

fn from_git() -> Option<String> {
    // A package that was unpacked inside somebody's repository must not take that one's commit for its own.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(".").canonicalize().ok()? {
        return None;
    }
    // The log of HEAD grows with each commit and checkout; the sources decide whether they are modified.
    for watched in
        [git(&["rev-parse", "--git-path", "logs/HEAD"])?, "src".to_owned(), "Cargo.lock".to_owned()]
    {
        println!("cargo::rerun-if-changed={watched}");
    }
    let head = git(&["rev-parse", "HEAD"])?;
    let modified = git(&["status", "--porcelain", "--", "src", "build.rs", "Cargo.toml", "Cargo.lock"])?;
    Some(if modified.is_empty() { head } else { head + "-modified" })
}

/// `cargo package` writes the commit into the archive.
fn from_package() -> Option<String> {
    println!("cargo::rerun-if-changed=.cargo_vcs_info.json");
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let commit: String =
        rest.chars().skip_while(|c| !c.is_ascii_hexdigit()).take_while(char::is_ascii_hexdigit).collect();
    (commit.len() == 40).then_some(commit)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
