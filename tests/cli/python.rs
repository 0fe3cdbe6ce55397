//! The Python reader under `examples/python` reads what the program writes.

use crate::place::Place;
use std::path::Path;
use std::process::Command;

/// Without Python this says so and passes. Frames of pandas and polars are looked at where `.ci/run` has installed them.
#[test]
fn the_python_reader_reads_a_results_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_ci = root.join("target/python/bin/python3");
    let has_frames = of_ci.exists();
    let python = if has_frames { of_ci } else { "python3".into() };
    let place = Place::new();
    let words = "run sound.toml -n 2 --quiet --out out --set counterfactuals=[\"forced_liquidation\"]";
    place.said(words).expect(0, &[]);
    let mut tests = Command::new(&python);
    tests
        .args(["-m", "unittest", "-v"])
        .current_dir(root.join("examples/python"))
        .env("FIRESALE_RESULTS", place.path("out"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if has_frames {
        tests.env("FIRESALE_FRAMES", "1");
    }
    match tests.output() {
        Err(error) => eprintln!("NOT TESTED: {} cannot be started: {error}", python.display()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            eprintln!("{said}");
        }
    }
}
