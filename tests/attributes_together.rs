//! Several attributes of perfkit on one function, in either order, with the user's own attributes around them.
#![deny(warnings, missing_docs, unsafe_code, unused, clippy::all, clippy::pedantic)]
#![allow(unreachable_pub, clippy::needless_pass_by_value, reason = "the shapes are part of the point")]

use std::time::Duration;

use perfkit::{Report, benchmark, cached, pooled, profile_block, profiled};

fn calls(report: &Report, name: &str) -> Option<u64> {
    let row = report.functions.iter().find(|row| row.name.ends_with(name));
    row.map(|row| row.calls)
}

fn hits(report: &Report, name: &str) -> Option<(u64, u64)> {
    let row = report.caches.iter().find(|row| row.name.ends_with(name));
    row.map(|row| (row.hits, row.misses))
}

mod either_order {
    use super::{cached, profiled};

    /// Documented.
    #[profiled]
    #[cached]
    #[must_use]
    pub fn over(n: u32) -> u32 {
        n + 1
    }

    /// Documented.
    #[inline]
    #[cached]
    #[profiled]
    pub fn under(n: u32) -> u32 {
        n + 2
    }

    /// Fails for zero.
    #[cached]
    #[profiled(name = "the body of checked")]
    pub fn checked(n: u32) -> Result<u32, String> {
        n.checked_sub(1).ok_or_else(|| String::from("zero"))
    }
}

#[test]
fn hits_and_bodies_are_counted_apart() {
    for _ in 0..5 {
        assert_eq!((either_order::over(1), either_order::under(1)), (2, 3));
        assert!(either_order::checked(0).is_err() && either_order::checked(1).is_ok());
    }
    let report = perfkit::report();
    for name in ["either_order::over", "either_order::under"] {
        assert_eq!(hits(&report, name), Some((4, 1)), "{name}");
        assert_eq!(calls(&report, &format!("{name}::uncached")), Some(1), "{name}");
    }
    assert_eq!(hits(&report, "either_order::checked"), Some((4, 6)));
    let body = report.functions.iter().find(|row| row.name == "the body of checked").unwrap();
    assert_eq!((body.calls, body.errors), (6, 5));
    let table = report.to_table();
    assert!(table.contains("over::uncached") && table.contains("either_order::over"), "{table}");
}

/// Everything at once, from both ends.
mod everything {
    use super::{benchmark, cached, profiled};

    #[benchmark(args = [1, 2], target_ms = 1000)]
    #[profiled]
    #[cached(max_size = 10)]
    pub(super) fn outside_in(n: u64) -> u64 {
        n * 10
    }

    #[cached(max_size = 10)]
    #[profiled]
    #[benchmark(args = [1, 2], target_ms = 1000)]
    pub(super) fn inside_out(n: u64) -> u64 {
        n * 20
    }

    #[profiled]
    #[benchmark(args = [3])]
    #[cached]
    pub(super) fn between(n: u64) -> u64 {
        n * 30
    }
}

#[test]
fn a_benchmark_over_a_cached_and_profiled_function() {
    assert_eq!((everything::outside_in(7), everything::outside_in(7)), (70, 70));
    assert_eq!((everything::inside_out(7), everything::inside_out(7)), (140, 140));
    assert_eq!((everything::between(7), everything::between(7)), (210, 210));
    // The benchmarks, which are tests of their own, may run meanwhile.
    for stats in
        [everything::outside_in::stats(), everything::inside_out::stats(), everything::between::stats()]
    {
        assert!(stats.hits >= 1 && stats.loads <= 3, "{stats:?}");
    }
    let report = perfkit::report();
    for name in ["outside_in", "inside_out", "between"] {
        let bodies = calls(&report, &format!("everything::{name}::uncached")).unwrap();
        assert!((1..=3).contains(&bodies), "{name}: {bodies}");
    }
}

mod pools {
    use super::{benchmark, pooled, profiled};

    #[profiled]
    #[pooled(reset = Vec::clear)]
    pub(super) fn over() -> Vec<u8> {
        Vec::with_capacity(100)
    }

    #[pooled(reset = Vec::clear)]
    #[profiled]
    #[benchmark]
    pub(super) fn under() -> Vec<u8> {
        Vec::with_capacity(100)
    }
}

#[test]
fn factories_of_pools_are_measured() {
    for _ in 0..10 {
        pools::over().push(1);
    }
    drop(pools::under());
    let report = perfkit::report();
    assert_eq!(calls(&report, "pools::over::factory"), Some(1));
    assert!(calls(&report, "pools::under::factory") >= Some(1));
    assert_eq!(pools::over::stats().borrowed, 10);
}

struct Service {
    id: u32,
}

#[profiled]
impl Service {
    #[cached(key(self.id))]
    fn lookup(&self, name: &str) -> Option<String> {
        profile_block!("format a name", { (!name.is_empty()).then(|| format!("{}{name}", self.id)) })
    }

    #[cached]
    async fn fetch(&self, path: String) -> Result<String, std::fmt::Error> {
        tokio::task::yield_now().await;
        if path.is_empty() { Err(std::fmt::Error) } else { Ok(path + "!") }
    }

    #[cached]
    #[profiled(skip)]
    fn unmeasured(&self, n: u32) -> u32 {
        n + u32::from(self.id == 0)
    }

    #[cached(companions = false)]
    fn associated(n: u32) -> u32 {
        n
    }
}

impl Service {
    #[cached(companions = false)]
    #[profiled(err)]
    fn cached_first((a, b): (u32, u32)) -> Result<u32, String> {
        a.checked_sub(b).ok_or_else(String::new)
    }

    #[profiled(err)]
    #[cached(companions = false)]
    fn profiled_first((a, b): (u32, u32)) -> Result<u32, String> {
        a.checked_sub(b).ok_or_else(String::new)
    }
}

#[test]
fn a_body_that_stays_in_its_function_is_measured_alone_too() {
    for _ in 0..3 {
        assert_eq!((Service::cached_first((3, 1)), Service::profiled_first((3, 1))), (Ok(2), Ok(2)));
        assert!(Service::cached_first((1, 3)).is_err() && Service::profiled_first((1, 3)).is_err());
    }
    let report = perfkit::report();
    for name in ["Service::cached_first", "Service::profiled_first"] {
        let row = report.functions.iter().find(|row| row.name.ends_with(name)).unwrap();
        assert_eq!((row.calls, row.errors), (4, 3), "{name}");
        assert_eq!(hits(&report, name), Some((2, 4)), "{name}");
    }
}

#[tokio::test]
async fn an_annotated_impl_with_cached_methods() {
    let service = Service { id: 1 };
    for _ in 0..4 {
        assert_eq!(service.lookup("x").as_deref(), Some("1x"));
        assert_eq!(service.fetch("p".into()).await.unwrap(), "p!");
        assert!(service.fetch(String::new()).await.is_err());
        assert_eq!((service.unmeasured(2), Service::associated(3)), (2, 3));
    }
    let report = perfkit::report();
    assert_eq!(hits(&report, "Service::lookup"), Some((3, 1)));
    assert_eq!(calls(&report, "Service::lookup_uncached"), Some(1));
    assert_eq!(calls(&report, "format a name"), Some(1));
    let fetch = report.futures.iter().find(|row| row.name.ends_with("Service::fetch_uncached")).unwrap();
    assert_eq!((fetch.started, fetch.completed, fetch.polls), (5, 5, 10));
    assert_eq!(calls(&report, "Service::unmeasured_uncached"), None);
    assert_eq!(calls(&report, "Service::associated"), Some(1));
}

/// The time of a hit is not the body's.
#[test]
fn the_callers_of_a_cached_function_are_not_charged_for_its_body() {
    #[cached]
    #[profiled]
    fn slow(n: u32) -> u32 {
        std::thread::sleep(Duration::from_millis(20));
        n
    }

    #[profiled]
    fn caller() {
        for _ in 0..100 {
            slow(1);
        }
    }

    caller();
    let report = perfkit::report();
    let row = |name: &str| report.functions.iter().find(|row| row.name.ends_with(name)).unwrap();
    let (body, caller) = (row("::slow::uncached"), row("::caller"));
    assert_eq!((body.calls, caller.calls), (1, 1));
    assert!(body.total_time >= Duration::from_millis(20));
    assert!(caller.total_time >= body.total_time, "the body is below its caller in the tree");
    let rest = caller.total_time.saturating_sub(body.total_time);
    assert!(caller.self_time <= rest + Duration::from_micros(1), "{caller:?}");
}
