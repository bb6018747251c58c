//! How one benchmark is to be run, and the samples that come of it.

use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use crate::driven::driver::Driver;
use crate::judge::Target;
use crate::measure::footprint::Look;
use crate::measure::work::Work;
use crate::stats::{Sample, Summary};

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To see that it works, and to judge its target.
    Test,
    /// To know how long it takes.
    Measure,
}

/// How one benchmark is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    /// What is promised and judged.
    pub(crate) target: Option<Target>,
    /// That run it at once.
    pub(crate) threads: usize,
    pub(crate) iterations: Option<u64>,
    pub(crate) warmup: Option<u64>,
    /// When somebody gives up on it.
    pub(crate) timeout: Duration,
    /// How its memory is looked at.
    pub(crate) look: Look,
    /// Where the samples go, for whoever gives up.
    pub(crate) samples: Arc<Samples>,
    /// Whoever says how often the loop runs instead of this plan.
    pub(crate) driver: Option<Driver>,
}

impl Plan {
    #[inline]
    pub(crate) fn driven(driver: Driver, threads: usize) -> Self {
        Plan {
            mode: Mode::Measure,
            target: None,
            threads,
            iterations: None,
            warmup: None,
            timeout: Duration::MAX,
            look: Look::none(),
            samples: Arc::default(),
            driver: Some(driver),
        }
    }

    /// Nanoseconds that a call may take, where that is judged.
    #[inline]
    pub(crate) fn limit(&self, work: Work) -> Option<f64> {
        self.target.and_then(|target| target.limit(work, self.threads))
    }
}

#[cfg(test)]
impl Plan {
    #[inline]
    pub(crate) fn for_tests() -> Self {
        Plan {
            mode: Mode::Test,
            target: None,
            threads: 1,
            iterations: None,
            warmup: None,
            timeout: Duration::from_secs(30),
            look: Look::none(),
            samples: Arc::default(),
            driver: None,
        }
    }
}

/// Samples that `cargo bench` takes, where `iterations` does not say how many: fewer where calls are slow.
pub const DEFAULT_ITERATIONS: u64 = 100;
/// Calls before the first sample, where `warmup` does not say how many: more where that is over in no time.
pub const DEFAULT_WARMUP: u64 = 10;

/// Samples of one round of a test.
pub(crate) const TEST_SAMPLES: u64 = 20;

impl Mode {
    /// How long a sample is to be.
    #[inline]
    pub(crate) const fn sample(self) -> Duration {
        match self {
            Mode::Test => Duration::from_micros(200),
            Mode::Measure => Duration::from_micros(500),
        }
    }

    /// How many there are to be.
    #[inline]
    pub(crate) const fn samples(self) -> u64 {
        match self {
            Mode::Test => TEST_SAMPLES,
            Mode::Measure => DEFAULT_ITERATIONS,
        }
    }

    /// How long to warm up, where it is not said how often.
    #[inline]
    pub(crate) const fn warm_up(self) -> Duration {
        match self {
            Mode::Test => Duration::from_millis(1),
            Mode::Measure => Duration::from_millis(20),
        }
    }

    /// When to be content with fewer samples than wanted.
    #[inline]
    pub(crate) const fn patience(self) -> Duration {
        match self {
            Mode::Test => Duration::from_millis(100),
            Mode::Measure => Duration::from_secs(3),
        }
    }
}

/// The samples so far.
#[derive(Debug, Default)]
pub(crate) struct Samples(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    /// Of each sample.
    calls: u64,
    samples: Vec<Sample>,
    /// How well it is known what the loop itself takes.
    error: f64,
}

impl Samples {
    #[inline]
    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn begin(&self, calls: u64, error: f64) {
        *self.taken() = Taken { calls, samples: Vec::new(), error };
    }

    #[inline]
    pub(crate) fn push(&self, sample: Sample) {
        self.taken().samples.push(sample);
    }

    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.taken().samples.len()
    }

    /// `None` where there are none.
    #[inline]
    pub(crate) fn summary(&self) -> Option<Summary> {
        let taken = self.taken();
        Summary::of(&taken.samples, taken.calls, taken.error)
    }

    /// As they were taken.
    #[inline]
    pub(crate) fn all(&self) -> Vec<Sample> {
        self.taken().samples.clone()
    }

    #[inline]
    pub(crate) fn all_beyond(&self, target: f64) -> bool {
        self.taken().samples.iter().all(|sample| sample.nanos > target)
    }
}
