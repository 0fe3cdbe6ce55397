//! The Python reader under `examples/python` reads what the program writes.

use crate::place::Place;
use std::path::Path;
use std::process::Command;

/// Without Python this says so and passes. Frames of pandas and polars are looked at where `.ci/run` has installed them.
#[test]
fn the_python_reader_reads_a_results_folder_whatever_the_form_of_its_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_ci = root.join("target/python/bin/python3");
    let has_frames = of_ci.exists();
    let python = if has_frames { of_ci } else { "python3".into() };
    // A Python without any of the modules that unpack it.
    let has_zstd = Command::new(&python)
        .args(["-c", "import sys\nif sys.version_info < (3, 14): import zstandard"])
        .output()
        .is_ok_and(|output| output.status.success());
    let place = Place::new();
    let mut forms = vec!["none", "gz", "zstd"];
    if cfg!(feature = "parquet") {
        forms.push("none --parquet");
    }
    for form in forms {
        if form == "zstd" && !has_zstd && !has_frames {
            eprintln!("NOT TESTED: there is no zstandard for {}", python.display());
            continue;
        }
        let words = "run sound.toml -n 2 --quiet --set counterfactuals=[\"forced_liquidation\"]";
        place.said(&format!("{words} --out out --compress {form}")).expect(0, &[]);
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
                assert!(output.status.success(), "{form}: {said}");
                eprintln!("{said}");
            }
        }
    }
}
