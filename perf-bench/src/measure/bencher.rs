//! How one benchmark hands over what is to be measured.

use core::fmt;
use core::mem::{needs_drop, size_of};

use crate::measure::check::Check;
use crate::measure::crew::Role;
use crate::measure::loops::{Batch, Calls, Stopwatch, time_calls, time_stretches};
use crate::measure::plan::Plan;
use crate::measure::sampling::{Measurement, measure};
use crate::measure::work::Work;

/// Given to a benchmark that takes `&mut Bencher`: measures a routine, with everything around it outside of the clock.
///
/// ```
/// use perf_bench::Bencher;
///
/// fn search(bencher: &mut Bencher) {
///     let words: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
///     bencher.iter(|| words.binary_search_by(|word| word.as_str().cmp("500")));
/// }
/// ```
///
/// What a routine returns is dropped outside of the clock. A function that takes a `Bencher` calls one of its functions once.
pub struct Bencher<'a> {
    by: By<'a>,
    role: Role,
    /// What came out, for each call of one of the functions below.
    measurements: Vec<Measurement>,
    work: Work,
    teardown: Option<Box<dyn FnOnce()>>,
}

impl fmt::Debug for Bencher<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bencher").field("work", &self.work).finish_non_exhaustive()
    }
}

/// Also where the benchmark panicked.
impl Drop for Bencher<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(teardown) = self.teardown.take() else { return };
        if let Role::Leads(crew) = &self.role {
            crew.disband();
        }
        if std::thread::panicking() {
            // The first panic is what is told of, and a second one would end the process.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(teardown));
        } else {
            teardown();
        }
    }
}

impl<'a> Bencher<'a> {
    #[inline]
    pub(crate) fn new(plan: &'a Plan, role: Role) -> Self {
        Self::by(By::Plan(plan), role)
    }

    /// One whose loops somebody else runs.
    #[cfg(feature = "criterion")]
    #[inline]
    pub(crate) fn elsewhere(other: &'a mut dyn Elsewhere) -> Self {
        Self::by(By::Elsewhere(other), Role::Alone)
    }

    #[inline]
    fn by(by: By<'a>, role: Role) -> Self {
        Bencher { by, role, measurements: Vec::new(), work: Work::default(), teardown: None }
    }

    /// What came out of it.
    #[inline]
    pub(crate) fn into_measurements(mut self) -> (Vec<Measurement>, Work) {
        (core::mem::take(&mut self.measurements), self.work)
    }

    /// Says that a call works off so many bytes, which the throughput is then told in. Before `iter`.
    #[inline]
    pub fn bytes(&mut self, bytes_per_call: u64) -> &mut Self {
        self.work.bytes = Some(bytes_per_call);
        self
    }

    /// Says that a call works off so many items, which the throughput is then told in. Before `iter`.
    #[inline]
    pub fn items(&mut self, items_per_call: u64) -> &mut Self {
        self.work.items = Some(items_per_call);
        self
    }

    /// Has `teardown` called when all is over.
    #[doc(hidden)]
    #[inline]
    pub fn teardown<R>(&mut self, teardown: impl FnOnce() -> R + 'static) {
        if !matches!(self.role, Role::Follows(_)) {
            self.teardown = Some(Box::new(|| drop(teardown())));
        }
    }

    /// Measures `routine`.
    ///
    /// What the routine names is not hidden from the compiler: it may compute `work(10)` while compiling. `work(std::hint::black_box(10))` it
    /// has to call.
    #[allow(clippy::iter_not_returning_iterator, reason = "the name of it in every harness")]
    #[inline]
    pub fn iter<R>(&mut self, routine: impl FnMut() -> R) {
        self.iter_checked(routine, |_| true);
    }

    /// Measures `routine` with a value of `setup` for each call, made outside of the clock.
    #[inline]
    pub fn iter_batched<I, R>(&mut self, setup: impl FnMut() -> I, routine: impl FnMut(I) -> R) {
        self.iter_batched_checked(setup, routine, |_| true);
    }

    /// The same for a routine that takes its value by `&mut`; the value is dropped outside of the clock.
    #[inline]
    pub fn iter_batched_ref<I, R>(&mut self, setup: impl FnMut() -> I, mut routine: impl FnMut(&mut I) -> R) {
        self.iter_stretches(setup, |inputs, stopwatch| stopwatch.run(inputs, &mut routine, |_| true));
    }

    /// As [`iter`](Self::iter), and looks at the result of the first call.
    #[doc(hidden)]
    #[inline]
    pub fn iter_checked<R, C: Check>(&mut self, mut routine: impl FnMut() -> R, check: impl Fn(&R) -> C) {
        if needs_drop::<R>() {
            self.iter_batched_checked(|| (), |()| routine(), check);
        } else {
            let check = |result: &R| check(result).refusal();
            self.measure(&mut |calls| time_calls(calls, &mut routine, &check));
        }
    }

    /// As [`iter_batched`](Self::iter_batched), and looks at the result of the first call.
    #[doc(hidden)]
    #[inline]
    pub fn iter_batched_checked<I, R, C: Check>(
        &mut self,
        mut setup: impl FnMut() -> I,
        mut routine: impl FnMut(I) -> R,
        check: impl Fn(&R) -> C,
    ) {
        let check = |result: &R| check(result).refusal();
        let mut inputs = Vec::new();
        let mut results = Vec::new();
        let bytes = size_of::<I>() + size_of::<R>();
        self.measure(&mut |calls| {
            time_stretches(calls, bytes, &mut setup, &mut inputs, &mut |inputs, stopwatch| {
                stopwatch.run_by_value(inputs, &mut results, &mut routine, check);
            })
        });
    }

    /// As [`iter_batched_ref`](Self::iter_batched_ref) for what may return a part of its input: `stretch` calls [`Stopwatch::run`].
    #[doc(hidden)]
    #[inline]
    pub fn iter_stretches<I>(
        &mut self,
        mut setup: impl FnMut() -> I,
        mut stretch: impl FnMut(&mut [I], &mut Stopwatch),
    ) {
        let mut inputs = Vec::new();
        self.measure(&mut |calls| {
            time_stretches(calls, size_of::<I>(), &mut setup, &mut inputs, &mut |inputs, stopwatch| {
                stretch(inputs, stopwatch);
                stopwatch.dispose(inputs);
            })
        });
    }

    /// Takes note of why the benchmark failed, where it measures by itself and returns an error.
    #[doc(hidden)]
    #[inline]
    pub fn ended(&mut self, check: impl Check) {
        if let Some(refusal) = check.refusal() {
            self.measurements.push(Measurement::Refused(refusal));
        }
    }

    #[inline]
    fn measure(&mut self, batch: &mut dyn FnMut(Calls) -> Batch) {
        let plan = match &mut self.by {
            By::Plan(plan) => *plan,
            By::Elsewhere(other) => return other.measure(batch),
        };
        let target = plan.limit(self.work);
        let measurement = match &self.role {
            Role::Alone => measure(plan, target, batch),
            Role::Leads(crew) => measure(plan, target, &mut |calls| crew.run(calls, batch)),
            Role::Follows(place) => return place.follow(batch),
        };
        self.measurements.push(measurement);
    }
}

/// Who decides how often a loop runs.
#[cfg_attr(not(feature = "criterion"), allow(dead_code, reason = "what is only run by our own plans"))]
enum By<'a> {
    Plan(&'a Plan),
    Elsewhere(&'a mut dyn Elsewhere),
}

/// Another harness, which keeps what it measures to itself.
pub(crate) trait Elsewhere {
    fn measure(&mut self, batch: &mut dyn FnMut(Calls) -> Batch);
}
