//! The Python reader under `examples/python` reads what the program writes.

use crate::place::Place;
use std::path::Path;
use std::process::Command;

/// Without Python this says so and passes; where `CI` is set it fails, and so does a missing pandas or polars.
#[test]
fn the_python_reader_reads_a_results_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_ci = root.join("target/python/bin/python3");
    let python = if of_ci.exists() { of_ci } else { "python3".into() };
    let place = Place::new();
    let words = "run sound.toml -n 2 --quiet --out out --set counterfactuals=[\"forced_liquidation\"]";
    place.said(words).expect(0, &[]);
    let mut tests = Command::new(&python);
    tests
        .args(["-m", "unittest", "-v"])
        .current_dir(root.join("examples/python"))
        .env("FIRESALE_RESULTS", place.path("out"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let is_ci = std::env::var_os("CI").is_some();
    if is_ci {
        tests.env("FIRESALE_FRAMES", "1");
    }
    match tests.output() {
        Err(error) => {
            assert!(!is_ci, "{}: {error}", python.display());
            eprintln!("NOT TESTED: {} cannot be started: {error}", python.display());
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            eprintln!("{said}");
        }
    }
}
