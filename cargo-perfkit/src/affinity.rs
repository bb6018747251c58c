//! On which processor a program runs: both programs of a launch on the same one, or whatever else keeps one of two processors busy is read as a difference.
//!
//! A program inherits it from the thread that starts it, so that thread is moved for that moment. Must never fail: where it cannot be done, both programs go where
//! the system puts them, and the intervals are wider.

/// Which processors this thread may run on, as the system keeps them.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    #[derive(Debug)]
    pub(super) struct Set(CpuSet);

    impl Set {
        pub(super) fn of_this_thread() -> Option<Self> {
            sched_getaffinity(None).ok().map(Set)
        }

        pub(super) fn numbers(&self) -> Vec<usize> {
            (0..CpuSet::MAX_CPU).filter(|number| self.0.is_set(*number)).collect()
        }

        pub(super) fn of(number: usize) -> Self {
            let mut set = CpuSet::new();
            set.set(number);
            Set(set)
        }

        pub(super) fn apply(&self) -> bool {
            sched_setaffinity(None, &self.0).is_ok()
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    #[derive(Debug)]
    pub(super) struct Set;

    impl Set {
        pub(super) fn of_this_thread() -> Option<Self> {
            None
        }

        pub(super) fn numbers(&self) -> Vec<usize> {
            Vec::new()
        }

        pub(super) fn of(_: usize) -> Self {
            Set
        }

        pub(super) fn apply(&self) -> bool {
            false
        }
    }
}

use crate::random::Random;

/// The processors that there are for this program.
#[derive(Debug)]
pub(crate) struct Processors {
    all: Option<system::Set>,
    numbers: Vec<usize>,
}

impl Processors {
    pub(crate) fn of_this_program() -> Self {
        let all = system::Set::of_this_thread();
        let numbers = all.as_ref().map(system::Set::numbers).unwrap_or_default();
        Processors { all, numbers }
    }

    /// Whether programs can be told where to run.
    pub(crate) fn can_be_chosen(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// What `start` gives, which starts programs: all of them on one processor, chosen by chance.
    pub(crate) fn on_one<R>(&self, random: &mut Random, start: impl FnOnce() -> R) -> R {
        let Some(all) = &self.all else { return start() };
        if !self.can_be_chosen() || !system::Set::of(self.numbers[random.below(self.numbers.len())]).apply() {
            return start();
        }
        let started = start();
        all.apply();
        started
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn what_is_started_runs_on_one_processor_and_this_thread_on_all() {
        let processors = Processors::of_this_program();
        assert!(processors.can_be_chosen());
        let status = processors.on_one(&mut Random::seeded(1), || {
            Command::new("grep").args(["Cpus_allowed_list", "/proc/self/status"]).output().unwrap()
        });
        let text = String::from_utf8(status.stdout).unwrap();
        let list = text.split_whitespace().nth(1).unwrap();
        assert!(list.parse::<usize>().is_ok(), "{text}");
        let now = system::Set::of_this_thread().unwrap().numbers();
        assert_eq!(now, processors.numbers);
    }
}
