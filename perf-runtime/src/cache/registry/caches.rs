//! All caches of the program, to look at and to change while it runs.
//!
//! A handle keeps nothing: what it tells is so at that moment. A cached function has one entry here, over all instances of its generics, whether
//! it was called or not.

use core::fmt;

use super::super::stats::CacheStats;
use super::CacheSite;
use crate::order::sort;
use crate::snapshot::{Location, Name};

/// All cached functions of the program: what [`caches`] returns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caches(());

/// The caches of the program.
///
/// ```
/// use perf_runtime::cache::caches;
///
/// for cache in caches() {
///     println!("{}: {:?}", cache.name(), cache.stats().hit_ratio());
/// }
/// assert!(caches().find("no::such::function").is_none());
/// caches().clear();
/// ```
#[must_use]
pub const fn caches() -> Caches {
    Caches(())
}

impl Caches {
    /// Each of them, by name and place.
    #[must_use]
    #[inline]
    pub fn list(self) -> Vec<CacheRef> {
        let mut list: Vec<CacheRef> =
            inventory::iter::<&'static CacheSite>().map(|site| CacheRef { site }).collect();
        sort(&mut list, |one, other| {
            one.name().cmp(&other.name()).then_with(|| one.location().cmp(&other.location()))
        });
        list
    }

    /// The one with this name: as reports of all names in full would show it (`app::users::lookup`), the label that it was given, or
    /// the end of its path (`users::lookup`, `lookup`). `None` if there is none, or more than one whose path ends so.
    ///
    /// ```
    /// use perf_runtime::cache::caches;
    ///
    /// if let Some(cache) = caches().find("users::lookup") {
    ///     cache.clear();
    /// }
    /// ```
    #[must_use]
    #[inline]
    pub fn find(self, name: &str) -> Option<CacheRef> {
        let list = self.list();
        let one = |is: &dyn Fn(&Name) -> bool| {
            let mut found = list.iter().filter(|cache| is(&cache.name()));
            found.next().copied().filter(|_| found.next().is_none())
        };
        one(&|full| *full == name).or_else(|| {
            one(&|full| {
                !full.is_label() && full.strip_suffix(name).is_some_and(|front| front.ends_with("::"))
            })
        })
    }

    /// How many there are.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        inventory::iter::<&'static CacheSite>().count()
    }

    /// Whether the program has no cached function.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Removes everything from all of them; how many results there were. Computations under way are not kept.
    #[allow(clippy::must_use_candidate, reason = "it is called to clear")]
    #[inline]
    pub fn clear(self) -> u64 {
        // One that was cleared may take others' results along, which then are not counted a second time.
        self.list().into_iter().map(CacheRef::clear).sum()
    }
}

impl IntoIterator for Caches {
    type Item = CacheRef;
    type IntoIter = std::vec::IntoIter<CacheRef>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.list().into_iter()
    }
}

/// The cache of one function, over all instances of its generics.
#[derive(Clone, Copy)]
pub struct CacheRef {
    site: &'static CacheSite,
}

impl fmt::Debug for CacheRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheRef")
            .field("name", &self.name())
            .field("location", &self.location())
            .field("stats", &self.stats())
            .finish()
    }
}

impl CacheRef {
    /// What the function is called: its path, or the label that it was given.
    #[must_use]
    #[inline]
    pub fn name(self) -> Name {
        self.site.site().name()
    }

    /// Where the function is defined.
    #[must_use]
    #[inline]
    pub fn location(self) -> Location {
        let site = self.site.site();
        Location { file: site.file(), line: site.line(), column: site.column() }
    }

    /// What it counted up to now.
    #[must_use]
    #[inline]
    pub fn stats(self) -> CacheStats {
        self.site.stats()
    }

    /// Removes everything, and what other cached functions computed from it; how many results of this function there were. Computations
    /// under way are not kept.
    #[allow(clippy::must_use_candidate, reason = "it is called to clear")]
    #[inline]
    pub fn clear(self) -> u64 {
        self.site.clear()
    }

    /// Entries held at most, by each instance of a generic function.
    #[must_use]
    #[inline]
    pub fn max_size(self) -> usize {
        self.site.max_size_of_each()
    }

    /// Keeps at most as many entries from now on: 1 at least, and 2³¹ at most. In a generic function that is for each instance, also for
    /// those not used yet.
    ///
    /// A smaller cache lets entries give way at once, as its policy chooses, and drops them before this returns. What is computed from
    /// them elsewhere stays.
    ///
    /// ```
    /// use perf_runtime::cache::caches;
    ///
    /// if let Some(cache) = caches().find("users::lookup") {
    ///     cache.resize(50_000);
    ///     assert_eq!(cache.max_size(), 50_000);
    /// }
    /// ```
    #[inline]
    pub fn resize(self, max_size: usize) {
        self.site.resize(max_size);
    }
}
