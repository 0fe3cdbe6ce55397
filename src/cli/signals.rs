//! Ctrl-C and TERM: the first asks to stop, the second ends the program at once.
//!
//! Handlers only store into atomics or leave; nothing that a handler must not do can happen in one. On Unix a file
//! that grows beyond its limit is an error of the write that says so, instead of a silent death.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::experiment::{Cancel, Signal};

/// Lets the signals of this process set `cancel` from now on. Call it once, before work begins.
///
/// # Errors
/// The operating system can refuse a handler.
pub fn watch(cancel: &Cancel) -> io::Result<()> {
    let asked_before = Arc::new(AtomicBool::new(false));
    for signal in Signal::ALL {
        let number = match signal {
            Signal::Interrupt => SIGINT,
            Signal::Terminate => SIGTERM,
        };
        // Actions run in the order of registration: this one must see the flag as the signals before left it.
        flag::register_conditional_shutdown(
            number,
            i32::from(signal.exit_code()),
            Arc::clone(&asked_before),
        )?;
        flag::register(number, Arc::clone(&asked_before))?;
        flag::register_usize(number, cancel.signal_cell(), signal.number())?;
    }
    #[cfg(unix)]
    flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use signal_hook::low_level::raise;
    use std::process::Command;

    /// Signals belong to a process, so each case runs this very test again in one of its own.
    #[test]
    fn the_first_signal_asks_and_the_second_ends_at_once_with_its_code() {
        const CASE: &str = "FIRESALE_TEST_SIGNALS";
        let cases = [
            ("int int", SIGINT, SIGINT, 130),
            ("int term", SIGINT, SIGTERM, 143),
            ("term int", SIGTERM, SIGINT, 130),
            ("term term", SIGTERM, SIGTERM, 143),
        ];
        let Some(case) = std::env::var_os(CASE) else {
            for (name, _, _, code) in cases {
                let child = Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "--nocapture"])
                    .arg(
                        "cli::signals::tests::the_first_signal_asks_and_the_second_ends_at_once_with_its_code",
                    )
                    .env(CASE, name)
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&child.stdout);
                assert_eq!(child.status.code(), Some(code), "{name}: {said}");
                assert!(said.contains("asked"), "{name}: {said}");
            }
            return;
        };
        let (_, first, second, code) = *cases.iter().find(|(name, ..)| case == *name).unwrap();
        let cancel = Cancel::default();
        watch(&cancel).unwrap();
        assert!(!cancel.is_set());
        raise(first).unwrap();
        let expected = if first == SIGINT { Signal::Interrupt } else { Signal::Terminate };
        assert_eq!(cancel.signal(), Some(expected));
        println!("asked");
        raise(second).unwrap();
        panic!("the process outlived its second signal, which should have ended it with {code}");
    }
}
