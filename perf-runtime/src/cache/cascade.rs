//! What follows from an invalidation: what was computed from it is removed, in whatever cache it is.
//!
//! The index of [dependencies](super::dependency) knows caches by their numbers; here a number leads to its cache. No lock is held while an
//! entry is removed, as its drop is somebody's code.

#[cfg(all(test, shuttle))]
mod models;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::dependency::{self, Computation, DEPENDENCIES, Gone, Source};
use super::registry::{AnyCache, CacheSite};
use crate::sync::Mutex;

/// All caches, by number.
static CACHES: Mutex<Vec<Option<&'static dyn AnyCache>>> = Mutex::new(Vec::new());

/// A cache is there. Before anything is put into it.
pub(super) fn register(number: u32, cache: &'static dyn AnyCache) {
    let mut caches = CACHES.lock();
    let number = number as usize;
    if caches.len() <= number {
        caches.resize_with(number + 1, || None);
    }
    caches[number] = Some(cache);
}

/// Removes what was computed from `source`, which is no longer what it was; how much of it was there.
pub(super) fn invalidated(source: Source<'_>) -> u64 {
    let gones = DEPENDENCIES.invalidate(source);
    if gones.is_empty() { 0 } else { remove(gones) }
}

/// Removes these, as far as they are still there; how many were.
#[cold]
#[inline(never)]
pub(super) fn remove(gones: Vec<Gone>) -> u64 {
    let (mut removed, mut panic) = (0, None);
    for gone in gones {
        let cache = CACHES.lock().get(gone.cache as usize).copied().flatten();
        let Some(cache) = cache else { continue };
        // A result whose drop panics must not keep others from being removed, which are no longer right.
        match catch_unwind(AssertUnwindSafe(|| cache.remove(&gone))) {
            Ok(was_there) => removed += u64::from(was_there),
            Err(first) => _ = panic.get_or_insert(first),
        }
    }
    match panic {
        // Where another one is under way, a second one would end the program.
        Some(panic) if !std::thread::panicking() => resume_unwind(panic),
        Some(_) | None => removed,
    }
}

/// Notes that what is computed depends on all results of a function, in whatever instance.
pub(super) fn depend_on_function(computation: &mut Computation, site: &'static CacheSite) {
    // Before the instances are listed: one that comes later is an invalidation of this.
    computation.depend_on(Source::Tag(&instances_of(site.number())));
    // Also where no instance is there yet: the first one takes this number.
    computation.depend_on(Source::Function(site.number()));
    for number in site.numbers().into_iter().filter(|number| *number != site.number()) {
        computation.depend_on(Source::Function(number));
    }
}

/// A function has an instance beside the first one: who depends on all of them does not know it.
pub(super) fn instance_added(number: u32) {
    invalidated(Source::Tag(&instances_of(number)));
}

/// A tag that nobody writes.
fn instances_of(number: u32) -> String {
    format!("\0instances of {number}")
}

/// Removes every cached result that has this tag, and every result that was computed from one; how many there were.
///
/// A result has the tags that its function declares (`#[cached(tags("user:{id}"))]`), and those that its body names with
/// [`depends_on_tag`]. Results that are being computed, and have read something with this tag, are not kept.
///
/// ```
/// use perf_runtime::cache::invalidate_tag;
///
/// assert_eq!(invalidate_tag("a tag that nothing has"), 0);
/// ```
#[allow(clippy::must_use_candidate, reason = "it is called to invalidate")]
pub fn invalidate_tag(tag: &str) -> u64 {
    invalidated(Source::Tag(tag))
}

/// Gives the result of the cached function whose body calls this a tag, for [`invalidate_tag`]; whether there is such a body on this
/// thread.
///
/// Call it before what the tag stands for is read: what is invalidated after this call makes the result outdated, and it is then not
/// kept.
///
/// ```
/// use perf_runtime::cache::depends_on_tag;
///
/// assert!(!depends_on_tag("user:7"), "no cached function runs");
/// ```
#[allow(clippy::must_use_candidate, reason = "most know that they are in a cached function")]
pub fn depends_on_tag(tag: &str) -> bool {
    dependency::depend_on(Source::Tag(tag))
}
