//! The cases of a benchmark, as its own code makes them: one, or one for each of its `args`, on each number of threads, of each instance of a generic function.
//!
//! Names come from `Debug`, which is somebody's code and may write anything. A case may be run several times, and must never be run twice at once.

use core::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread;

use crate::measure::bencher::Bencher;
use crate::measure::crew::{Role, run_together};
use crate::measure::plan::Plan;
use crate::measure::sampling::Measurement;
use crate::measure::work::Work;

/// What runs one case. Whoever runs it holds it, for ever if it never ends.
#[derive(Clone)]
pub(crate) struct Body {
    /// That run it at once.
    threads: usize,
    routine: Arc<Mutex<Routine>>,
}

enum Routine {
    Alone(Box<dyn FnMut(&mut Bencher<'_>) + Send>),
    /// On several threads at once.
    Together(Shared),
}

type Shared = Arc<dyn Fn(&mut Bencher<'_>) + Send + Sync>;

/// It was begun and has not ended.
pub(crate) struct StillRuns;

impl Body {
    #[inline]
    fn alone(run: impl FnMut(&mut Bencher<'_>) + Send + 'static) -> Self {
        Self::new(1, Routine::Alone(Box::new(run)))
    }

    #[inline]
    fn together(threads: usize, run: &Shared) -> Self {
        Self::new(threads, Routine::Together(Arc::clone(run)))
    }

    #[inline]
    fn new(threads: usize, routine: Routine) -> Self {
        Body { threads, routine: Arc::new(Mutex::new(routine)) }
    }

    #[inline]
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs it on this thread, by somebody else's loops.
    #[cfg(feature = "criterion")]
    #[inline]
    pub(crate) fn run_in(&self, bencher: &mut Bencher<'_>) {
        match &mut *self.routine.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Routine::Alone(run) => run(bencher),
            Routine::Together(run) => run(bencher),
        }
    }

    /// Runs it, and gives what it measured.
    #[inline]
    pub(crate) fn run(&self, plan: &Plan) -> Result<(Vec<Measurement>, Work), StillRuns> {
        let mut routine = match self.routine.try_lock() {
            Ok(routine) => routine,
            // What a panic left of it is what the next call finds in any program.
            Err(TryLockError::Poisoned(routine)) => routine.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(StillRuns),
        };
        Ok(match &mut *routine {
            Routine::Alone(run) => {
                let mut bencher = Bencher::new(plan, Role::Alone);
                run(&mut bencher);
                bencher.into_measurements()
            }
            Routine::Together(run) => run_together(self.threads, &|role| {
                let mut bencher = Bencher::new(plan, role);
                run(&mut bencher);
                bencher.into_measurements()
            }),
        })
    }
}

/// See the module.
#[doc(hidden)]
pub struct Cases(pub(crate) Vec<Made>);

/// One of them.
pub(crate) struct Made {
    /// The parts of its name that come before and after its argument: the instance, and the threads.
    pub(crate) instance: Option<String>,
    pub(crate) argument: Option<String>,
    pub(crate) threads: Option<String>,
    /// Of its argument.
    pub(crate) size: Option<u64>,
    pub(crate) body: Body,
}

impl Made {
    #[inline]
    fn new(argument: Option<String>, size: Option<u64>, body: Body) -> Self {
        Made { instance: None, argument, threads: None, size, body }
    }

    #[inline]
    fn together(threads: usize, argument: Option<String>, size: Option<u64>, run: &Shared) -> Self {
        let threads =
            if threads == 0 { thread::available_parallelism().map_or(1, usize::from) } else { threads };
        let on = if threads == 1 { String::from("1 thread") } else { format!("{threads} threads") };
        Made { threads: Some(on), ..Made::new(argument, size, Body::together(threads, run)) }
    }

    /// What follows the benchmark's name, with `argument` in the place of its own.
    #[inline]
    pub(crate) fn name(&self, argument: Option<&str>) -> Option<String> {
        let mut name: Option<String> = None;
        for part in [self.instance.as_deref(), argument, self.threads.as_deref()] {
            match (&mut name, part) {
                (_, None) => {}
                (None, Some(part)) => name = Some(part.to_owned()),
                (Some(name), Some(part)) => {
                    name.push('/');
                    name.push_str(part);
                }
            }
        }
        name
    }

    /// Whether two differ in nothing but their argument.
    #[inline]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.instance, &self.threads) == (&other.instance, &other.threads)
    }
}

impl fmt::Debug for Cases {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|made| made.name(made.argument.as_deref()))).finish()
    }
}

/// More than anybody looks at; `args = 0..` has no end.
pub(crate) const MOST_CASES: usize = 10_000;

impl Cases {
    /// A benchmark without `args`.
    #[must_use]
    #[inline]
    pub fn one(run: impl FnMut(&mut Bencher<'_>) + Send + 'static) -> Self {
        Cases(vec![Made::new(None, None, Body::alone(run))])
    }

    /// One case for each of `args`, which are evaluated here and never again; with how large they are, where that is known.
    #[must_use]
    #[inline]
    pub fn each<T: fmt::Debug + Send + 'static>(
        args: impl IntoIterator<Item = T>,
        run: impl FnOnce(&mut Bencher<'_>, &T) + Copy + Send + 'static,
        size: impl Fn(&T) -> Option<u64>,
    ) -> Self {
        let case = |argument: T| {
            let (name, size) = (case_name(&argument), size(&argument));
            Made::new(Some(name), size, Body::alone(move |bencher| run(bencher, &argument)))
        };
        // One more than may be, so that there are too many and yet an end.
        Cases(args.into_iter().take(MOST_CASES + 1).map(case).collect())
    }

    /// As [`one`](Self::one), for each number of threads; 0 is as many as there are processors.
    #[must_use]
    #[inline]
    pub fn one_together(
        threads: impl IntoIterator<Item = usize>,
        run: impl Fn(&mut Bencher<'_>) + Send + Sync + 'static,
    ) -> Self {
        let run: Shared = Arc::new(run);
        let threads = threads.into_iter().take(MOST_CASES + 1);
        Cases(threads.map(|threads| Made::together(threads, None, None, &run)).collect())
    }

    /// As [`each`](Self::each), for each number of threads, too.
    #[must_use]
    #[inline]
    pub fn each_together<T: fmt::Debug + Send + Sync + 'static>(
        threads: impl IntoIterator<Item = usize>,
        args: impl IntoIterator<Item = T>,
        run: impl Fn(&mut Bencher<'_>, &T) + Copy + Send + Sync + 'static,
        size: impl Fn(&T) -> Option<u64>,
    ) -> Self {
        let threads: Vec<usize> = threads.into_iter().take(MOST_CASES + 1).collect();
        let mut cases = Vec::new();
        for argument in args.into_iter().take(MOST_CASES + 1) {
            let (name, size) = (case_name(&argument), size(&argument));
            let run: Shared = Arc::new(move |bencher: &mut Bencher<'_>| run(bencher, &argument));
            for threads in &threads {
                cases.push(Made::together(*threads, Some(name.clone()), size, &run));
            }
        }
        Cases(cases)
    }

    /// Those of an instance of a generic function, whose names begin with that of the instance.
    #[must_use]
    #[inline]
    pub fn of(mut self, instance: &dyn fmt::Debug) -> Self {
        let name = case_name(instance);
        for made in &mut self.0 {
            made.instance = Some(match made.instance.take() {
                None => name.clone(),
                Some(rest) => format!("{name}/{rest}"),
            });
        }
        self
    }

    /// All of several.
    #[must_use]
    #[inline]
    pub fn all<const COUNT: usize>(all: [Cases; COUNT]) -> Self {
        let mut cases = Vec::new();
        for Cases(others) in all {
            cases.extend(others);
        }
        Cases(cases)
    }
}

/// Calls a closure of `setup` with an argument whose type is known by then.
#[doc(hidden)]
#[inline]
pub fn set_up<T, R>(argument: T, setup: impl FnOnce(T) -> R) -> R {
    setup(argument)
}

/// Characters of an argument in the name of its case.
pub(crate) const LONGEST_ARGUMENT: usize = 60;

/// The start of what `Debug` writes. What is large takes long to write, and nobody reads it.
struct Start(String);

impl fmt::Write for Start {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Two more for quotes, and one to see that there is more.
        let left = (LONGEST_ARGUMENT + 3).saturating_sub(self.0.chars().count());
        self.0.extend(text.chars().take(left));
        if text.chars().nth(left).is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The text that stands for an argument in the name of its case, without the quotes of a string.
#[inline]
pub(crate) fn case_name(argument: &dyn fmt::Debug) -> String {
    let mut debug = Start(String::new());
    // What was written before an error is the start.
    let _ = write!(debug, "{argument:?}");
    let Start(text) = debug;
    let text = text.strip_prefix('"').map_or(text.as_str(), |text| text.strip_suffix('"').unwrap_or(text));
    match text.char_indices().nth(LONGEST_ARGUMENT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
