//! Turns a panic of one run into a message with its place, without a word on the terminal.

use std::cell::{Cell, RefCell};
use std::panic::{self, PanicHookInfo, UnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside [`catch`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Where the last caught panic of this thread was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Calls `action`; if it panics, returns what it said and where.
pub(super) fn catch<T>(action: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                PLACE.set(place(info));
            } else {
                before(info);
            }
        }));
    });
    CATCHING.set(true);
    let outcome = panic::catch_unwind(action);
    CATCHING.set(false);
    outcome.map_err(|payload| {
        let said = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        format!("{said} ({})", PLACE.take())
    })
}

/// File and line; of a dependency only the last folders, since the rest differs from machine to machine.
fn place(info: &PanicHookInfo<'_>) -> String {
    let Some(location) = info.location() else { return "at an unknown place".to_owned() };
    let parts: Vec<&str> = location.file().split(['/', '\\']).collect();
    let kept = if location.file().starts_with("src") { parts.len() } else { parts.len().min(3) };
    format!("{}:{}", parts[parts.len() - kept..].join("/"), location.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_message_with_its_place() {
        assert_eq!(catch(|| 5), Ok(5));
        let line = line!() + 1;
        let said = catch(|| panic!("lots are {}", -1)).unwrap_err();
        assert_eq!(said, format!("lots are -1 (src/experiment/panics.rs:{line})"));
        let said = catch(|| panic!("literal")).unwrap_err();
        assert!(said.starts_with("literal ("), "{said}");
        let said = catch(|| panic::panic_any(5)).unwrap_err();
        assert!(said.starts_with("a panic without a message ("), "{said}");
    }

    #[test]
    fn a_panic_in_a_dependency_shows_no_machine_path() {
        let said = catch(|| rust_decimal::Decimal::MAX + rust_decimal::Decimal::MAX).unwrap_err();
        assert!(!said.contains("(/"), "{said}");
    }
}
