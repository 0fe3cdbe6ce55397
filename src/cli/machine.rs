//! What the program asks its machine: who it is and what time it is. No result depends on the answers.

use std::fs;
use std::time::{Duration, Instant};

use crate::experiment::Holder;

/// Returns this process as others should see it in a lock.
pub fn holder() -> Holder {
    Holder { pid: std::process::id(), host: host_name() }
}

/// Returns the name of the machine, or `unknown-host` where it does not tell.
pub fn host_name() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .map(|text| text.trim().to_owned())
        .chain(
            ["HOSTNAME", "COMPUTERNAME"].into_iter().filter_map(|name| {
                std::env::var_os(name).map(|value| value.to_string_lossy().trim().to_owned())
            }),
        )
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown-host".to_owned())
}

/// Returns the memory that this process has in use and the most that it ever had, in bytes; `None` where the machine does not
/// tell.
pub fn memory() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    Some((kibibytes("VmRSS:")? * 1_024, kibibytes("VmHWM:")? * 1_024))
}

/// A watch that began to run when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    /// Begins.
    #[allow(clippy::disallowed_methods, reason = "progress and the run log tell the time that work takes")]
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Returns how long it has run.
    #[allow(clippy::disallowed_methods, reason = "progress and the run log tell the time that work takes")]
    pub fn elapsed(self) -> Duration {
        Instant::now().duration_since(self.began)
    }
}

/// Returns the time of day as RFC 3339 in UTC, to the second.
pub fn utc_now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_is_taken_is_seen() {
        let (_, before) = memory().unwrap();
        let block = vec![1_u8; 100 << 20];
        let (now, peak) = memory().unwrap();
        assert!(now > block.len() as u64 && peak >= now && peak > before, "{before} {now} {peak}");
    }

    #[test]
    fn a_machine_has_a_name_and_a_time() {
        assert!(!holder().host.is_empty());
        let now = utc_now();
        assert!(now.ends_with('Z') && now.len() == "2026-11-24T09:00:00Z".len(), "{now}");
        assert!(Stopwatch::start().elapsed() < Duration::from_mins(1));
    }
}
