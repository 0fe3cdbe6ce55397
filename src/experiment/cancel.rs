//! The wish to stop, shared by whoever may ask and whoever must look.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Who asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A scheduler, or the machine going down.
    Terminate,
}

impl Signal {
    /// Both signals.
    pub const ALL: [Self; 2] = [Self::Interrupt, Self::Terminate];

    /// Returns the exit code of a program that stopped because of it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// Returns the number that stands for it in [`Cancel::signal_cell`].
    pub const fn number(self) -> usize {
        match self {
            Self::Interrupt => 1,
            Self::Terminate => 2,
        }
    }
}

/// A flag that running work looks at. Clones share it. Setting it is one atomic store, so a signal handler may.
#[derive(Clone, Default, Debug)]
pub struct Cancel {
    /// 0, or the number of the signal.
    signal: Arc<AtomicUsize>,
    /// Set when the work cannot go on for a reason of its own.
    aborted: Arc<AtomicBool>,
}

impl Cancel {
    /// Asks to stop.
    pub fn set(&self, signal: Signal) {
        self.signal.store(signal.number(), Ordering::SeqCst);
    }

    /// Tells whether somebody asked to stop; cheap enough to be asked every few thousand events.
    pub fn is_set(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0 || self.aborted.load(Ordering::Relaxed)
    }

    /// Returns who asked to stop.
    pub fn signal(&self) -> Option<Signal> {
        let number = self.signal.load(Ordering::SeqCst);
        Signal::ALL.into_iter().find(|signal| signal.number() == number)
    }

    /// Returns the cell that a signal handler stores [`Signal::number`] into.
    pub fn signal_cell(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.signal)
    }

    /// Returns a flag that is set with this one, and that can be aborted without setting this one.
    pub(super) fn child(&self) -> Self {
        Self { signal: Arc::clone(&self.signal), aborted: Arc::default() }
    }

    pub(super) fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_seen_by_clones_and_children() {
        for signal in Signal::ALL {
            let cancel = Cancel::default();
            let (clone, child) = (cancel.clone(), cancel.child());
            assert!(!clone.is_set() && !child.is_set() && cancel.signal().is_none());
            cancel.signal_cell().store(signal.number(), Ordering::SeqCst);
            assert!(clone.is_set() && child.is_set());
            assert_eq!(child.signal(), Some(signal));
        }
    }

    #[test]
    fn an_abort_stays_below() {
        let cancel = Cancel::default();
        let child = cancel.child();
        child.abort();
        assert!(child.is_set() && !cancel.is_set());
        assert_eq!(child.signal(), None);
    }
}
