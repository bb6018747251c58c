//! What a function declares to depend on, as generated code says it: tags and other functions.

use perf_runtime::cache::argument::{Argument, Fit as _};
use perf_runtime::cache::{
    Binding, CacheHandle, CacheSite, Found, KeepAny, depends_on_tag, invalidate_tag, look_up,
};
use perf_runtime::site::Site;

static SITE: Site = Site::new(|| "dependencies", "", 0, 0, 0);

fn site() -> &'static CacheSite {
    Box::leak(Box::new(CacheSite::new(&SITE)))
}

/// A call of an instance that `marker` names.
fn call<M: Copy>(
    site: &'static CacheSite,
    marker: M,
    key: u32,
    tags: &[&str],
    on: &[&'static CacheSite],
) -> u32 {
    match look_up(site.instance(marker), &key, |key| (Argument(key).__perfkit_part(), ()), KeepAny) {
        Found::Hit(result) => result,
        Found::Miss(miss) => {
            let miss = miss.tagged(|| tags.iter().map(ToString::to_string).collect());
            on.iter().fold(miss, |miss, on| miss.depends_on(on)).run(|| key * 10)
        }
    }
}

fn handle<'a, M: Copy>(
    site: &'static CacheSite,
    marker: M,
) -> CacheHandle<&'a u32, u32, impl Binding<&'a u32, u32> + Copy> {
    CacheHandle::new(site.instance(marker), |key: &'a u32| (Argument(key).__perfkit_part(), ()), KeepAny)
}

fn named(name: &str) -> impl Copy + use<'_> {
    move || name.len()
}

#[test]
fn declared_tags_are_those_of_the_result() {
    let site = site();
    let marker = named("");
    assert_eq!(call(site, marker, 1, &["declared:1", "declared"], &[]), 10);
    assert_eq!(call(site, marker, 2, &["declared:2", "declared"], &[]), 20);
    assert_eq!(invalidate_tag("declared:1"), 1);
    assert_eq!((handle(site, marker).peek(&1), handle(site, marker).peek(&2)), (None, Some(20)));
    assert_eq!(call(site, marker, 1, &["declared:1", "declared"], &[]), 10);
    assert_eq!((invalidate_tag("declared"), site.stats().invalidated), (2, 3));
}

#[test]
fn what_depends_on_a_function_goes_with_any_of_its_results() {
    let (inner, outer) = (site(), site());
    let marker = named("");
    // Before the inner function was ever called.
    call(outer, marker, 1, &[], &[inner]);
    call(inner, marker, 5, &[], &[]);
    assert_eq!(handle(outer, marker).peek(&1), Some(10), "a new result is no change");
    assert!(handle(inner, marker).invalidate(&5));
    assert_eq!(handle(outer, marker).peek(&1), None);
    call(outer, marker, 1, &[], &[inner]);
    inner.clear();
    assert_eq!(handle(outer, marker).peek(&1), None);
    call(outer, marker, 1, &[], &[inner]);
    handle(inner, marker).insert(&9, &9);
    assert_eq!(handle(outer, marker).peek(&1), None);
}

#[test]
fn every_instance_of_a_function_is_meant() {
    let (inner, outer) = (site(), site());
    let (one, other) = (|| 1, || 2);
    call(inner, one, 5, &[], &[]);
    call(outer, one, 1, &[], &[inner]);
    // One that comes later.
    call(inner, other, 5, &[], &[]);
    call(outer, one, 1, &[], &[inner]);
    assert!(handle(inner, other).invalidate(&5));
    assert_eq!(handle(outer, one).peek(&1), None);
    call(outer, one, 1, &[], &[inner]);
    assert!(handle(inner, one).invalidate(&5));
    assert_eq!(handle(outer, one).peek(&1), None);
}

#[test]
fn a_primed_result_has_tags_too() {
    let site = site();
    let marker = named("");
    let primer = handle(site, marker).primer(&1).tagged(|| vec!["primed:1".into()]);
    let result = primer.prime(|| {
        depends_on_tag("primed");
        1
    });
    assert_eq!((result, handle(site, marker).peek(&1)), (1, Some(1)));
    assert_eq!(invalidate_tag("primed:1"), 1);
    assert_eq!(handle(site, marker).peek(&1), None);
    // What is invalidated meanwhile is not kept.
    let primer = handle(site, marker).primer(&1).tagged(|| vec!["primed:1".into()]);
    primer.prime(|| invalidate_tag("primed:1") as u32);
    assert_eq!(handle(site, marker).peek(&1), None);
}

/// A flight of another thread is over, or overtaken, however it ended: tags of a miss that waited are of no account.
#[test]
fn a_miss_that_finds_a_result_after_all_leaves_nothing() {
    let site = site();
    let marker = named("");
    let miss = || match look_up(
        site.instance(marker),
        &1_u32,
        |key| (Argument(key).__perfkit_part(), ()),
        KeepAny,
    ) {
        Found::Hit(_) => None,
        Found::Miss(miss) => Some(miss.tagged(|| vec!["found".into()])),
    };
    let (first, second) = (miss().unwrap(), miss().unwrap());
    assert_eq!(first.run(|| 1), 1);
    assert_eq!(second.run(|| 2), 1);
    assert_eq!((invalidate_tag("found"), site.stats().len), (1, 0));
}
