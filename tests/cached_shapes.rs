//! `#[cached]` stands where a user puts it: in modules, beside other attributes, among names of their own; and gives their crate no
//! warning, however strict it is.
#![deny(warnings, missing_docs, unused, clippy::all, clippy::pedantic)]
#![allow(unreachable_pub, reason = "the shapes are the point")]

use std::collections::BTreeMap;
use std::sync::Arc;

use perfkit::cached;

mod inner {
    use super::cached;

    /// Public, and so must be its companions.
    #[cached(ttl = "1h", max_size = 2_000, policy = "s3fifo", name = "public function")]
    pub fn public(n: u32) -> u32 {
        n
    }

    #[cached]
    pub(super) fn restricted(text: &str) -> String {
        text.into()
    }

    /// Every option that generates something of its own.
    #[cached(
        ttl = 600,
        tti = "5m",
        max_size = None,
        max_memory = "1MiB",
        stale = "30s",
        refresh_ahead,
        force_refresh = again,
        tags("name:{name}"),
        depends_on(public),
        skip(again),
        weigh = String::len
    )]
    pub fn all_options(name: &str, numbers: Vec<u32>, again: bool) -> String {
        format!("{name}{}", numbers.into_iter().sum::<u32>())
    }

    /// For the thread.
    #[cached(local, force_refresh = again, skip(again))]
    pub fn local(name: &str, again: bool) -> Option<String> {
        (!name.is_empty()).then(|| name.into())
    }

    /// One for all.
    ///
    /// # Errors
    /// Of a long name.
    #[cached(once, ttl = 1, stale_if_error = "1h")]
    pub fn once(name: &str) -> Result<String, std::num::TryFromIntError> {
        u8::try_from(name.len())?;
        Ok(name.into())
    }

    /// A type with a cached method.
    #[derive(Debug)]
    pub struct Public(pub u32);

    impl Public {
        /// Documented.
        ///
        /// # Errors
        /// Never.
        #[cached(key(self.0))]
        pub fn method(&self, more: u32) -> Result<u32, std::num::TryFromIntError> {
            u8::try_from(self.0 + more).map(u32::from)
        }
    }
}

#[test]
fn companions_are_as_visible_as_what_they_belong_to() {
    assert_eq!((inner::public(1), inner::public(1)), (1, 1));
    assert_eq!(inner::public::stats().hits, 1);
    assert_eq!(inner::restricted("a"), "a");
    assert!(inner::restricted::invalidate("a"));
    assert_eq!(inner::Public(1).method(2), Ok(3));
    assert_eq!(inner::all_options("a", vec![1, 2], false), "a3");
    assert_eq!(inner::all_options("a", vec![1, 2], true), "a3");
    assert_eq!((inner::local("a", false), inner::local("", true)), (Some("a".into()), None));
    assert_eq!((inner::once("a"), inner::once("b")), (Ok("a".into()), Ok("a".into())));
    assert_eq!(inner::once::peek(), Some(Ok("a".into())));
    assert_eq!(inner::Public::method_cache().clear(), 1);
}

/// Names that the expansion might use itself.
mod names {
    use super::cached;

    pub(super) static CACHE: u32 = 1;
    pub(super) static SITE: u32 = 2;
    pub(super) static ENTRY: u32 = 3;
    #[allow(non_upper_case_globals, dead_code, reason = "what a generated pattern would mean")]
    static found: u8 = 0;
    #[allow(non_upper_case_globals, dead_code, reason = "what a generated pattern would mean")]
    const miss: u8 = 0;
    #[allow(non_upper_case_globals, dead_code, reason = "what a generated pattern would mean")]
    static result: u8 = 0;

    /// Methods that everything has.
    #[allow(dead_code, clippy::unused_self, reason = "generated code must not call them")]
    trait Everywhere {
        fn keep(&self) {}
        fn part(&self) {}
        fn here(&self) {}
        fn run(&self) {}
    }
    impl<T> Everywhere for T {}

    #[cached(key(length.len()))]
    pub(super) fn with_a_trait_for_all(n: usize, length: &str) -> Option<usize> {
        n.checked_add(length.len())
    }

    pub(super) fn here() -> u32 {
        4
    }
    pub(super) fn instance() -> u32 {
        5
    }
    pub(super) fn uncached() -> u32 {
        6
    }

    #[cached(key = load + flight + CACHE + SITE + ENTRY + here())]
    pub(super) fn site(load: u32, flight: u32) -> u32 {
        let value = load + flight + CACHE + SITE + ENTRY + here() + instance() + uncached();
        let (key, waiting) = (1, 2);
        value + key + waiting
    }

    #[cached]
    pub(super) fn r#match(r#type: u8, r#fn: &str) -> String {
        format!("{type}{fn}")
    }

    #[cached]
    pub(super) fn cache(cache: u8) -> u8 {
        cache
    }

    #[allow(non_camel_case_types, dead_code, reason = "names of the prelude, taken")]
    pub(super) mod shadowed {
        struct Option;
        struct String;
        struct u64;
        struct bool;
        struct Result;
        struct Some;
        struct Copy;
        struct Hit;

        #[perfkit::cached(max_size = 1)]
        pub fn number(n: u8) -> u8 {
            n
        }
    }
}

#[test]
fn names_of_the_user_stay_their_own() {
    assert_eq!((names::site(1, 2), names::site(2, 1)), (27, 27));
    assert_eq!(names::site::stats().hits, 1);
    assert_eq!(
        (names::with_a_trait_for_all(1, "ab"), names::with_a_trait_for_all(1, "cd")),
        (Some(3), Some(3))
    );
    assert_eq!(names::r#match(1, "x"), "1x");
    assert_eq!(names::r#match::peek(&1, "x").as_deref(), Some("1x"));
    assert_eq!((names::cache(7), names::cache::cache().stats().misses), (7, 1));
    assert_eq!((names::shadowed::number(3), names::shadowed::number::stats().len), (3, 1));
}

/// Through a macro of the user, whose literals, types and bodies arrive in invisible groups.
macro_rules! define {
    ($name:ident, $argument:ident: $ty:ty, $returns:ty, $size:expr, $ttl:literal, $key:expr, $body:block) => {
        #[cached(max_size = $size, ttl = $ttl, key = $key)]
        fn $name($argument: $ty) -> $returns $body
    };
}
define!(through_a_macro, text: &str, usize, 12, "1m", text.len(), { text.len() });

#[test]
fn inside_a_macro() {
    assert_eq!((through_a_macro("ab"), through_a_macro("cd")), (2, 2));
    assert_eq!(through_a_macro::stats().hits, 1);
}

/// Patterns, `mut`, and an argument that nobody looks at.
#[cached]
fn patterns((a, b): (u32, u32), mut c: u32, [d, _]: [u8; 2], _: &str) -> u32 {
    c += a + b;
    c + u32::from(d)
}

/// # Safety
/// None is needed.
#[cached]
unsafe fn not_safe(n: u32) -> u32 {
    n
}

#[cached]
extern "C" fn for_c(n: u32) -> u32 {
    n
}

#[cached]
#[inline]
#[must_use]
fn decorated(n: u32) -> u32 {
    n
}

#[cached]
#[track_caller]
fn tracked(n: u32) -> u32 {
    n
}

#[cfg(any())]
#[cached]
fn left_out(n: Missing) -> Missing {
    n
}

#[cached]
#[cfg(any())]
fn left_out_after(n: Missing) -> Missing {
    n
}

#[cached]
fn no_arguments() -> Arc<BTreeMap<String, u32>> {
    Arc::new(BTreeMap::new())
}

#[cached]
fn static_results(n: usize) -> &'static str {
    ["a", "b"][n % 2]
}

#[cached]
fn early(n: i32) -> Option<i32> {
    if n < 0 {
        return None;
    }
    let half = (n % 2 == 0).then_some(n / 2)?;
    Some(half)
}

#[cached(skip(log))]
fn with_impl_trait(log: impl Fn(u32), n: u32) -> u32 {
    log(n);
    n
}

#[cached]
fn lifetimes<'a, 'b>(a: &'a str, b: &'b [u8]) -> usize
where
    'a: 'b,
{
    a.len() + b.len()
}

#[cached]
#[allow(clippy::too_many_arguments, clippy::many_single_char_names)]
fn many(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
) -> u32 {
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n].iter().copied().map(u32::from).sum()
}

/// What is borrowed when the argument is called is no part of the argument.
#[cached]
fn with_a_function(f: fn(&str) -> usize, text: &str) -> usize {
    f(text)
}

#[cached(skip(f, out))]
fn with_pointers(f: &dyn Fn(&mut u8) -> u8, out: *mut u8, n: u8) -> u8 {
    let _ = out;
    let mut n = n;
    f(&mut n)
}

#[cached]
#[allow(clippy::type_complexity)]
fn gives_a_function(n: u8) -> Arc<dyn for<'a> Fn(&'a [u8]) -> &'a [u8] + Send + Sync> {
    Arc::new(move |bytes| &bytes[usize::from(n)..])
}

#[cached]
#[expect(clippy::unnecessary_wraps, unused_variables, reason = "in one of the two that it becomes")]
fn expecting(n: u32, unused: u8) -> Option<u32> {
    Some(n)
}

#[cached]
#[expect(clippy::too_many_arguments, clippy::many_single_char_names, reason = "in both")]
fn expecting_many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u32 {
    [a, b, c, d, e, f, g, h].iter().copied().map(u32::from).sum()
}

#[cfg(target_arch = "x86_64")]
#[cached]
#[target_feature(enable = "sse2")]
fn with_a_feature(n: u32) -> u32 {
    n
}

mod strict_about_lifetimes {
    #![deny(unused_lifetimes, unused_qualifications, elided_lifetimes_in_paths)]
    use super::cached;

    #[derive(Clone, Copy)]
    pub(super) struct Parser<'a>(pub(super) &'a str);

    #[cached(key = parser.0)]
    pub(super) fn same<'a>(parser: Parser<'a>, _: &'a str) -> usize
    where
        'a: 'a,
    {
        parser.0.len()
    }

    impl Parser<'_> {
        #[cached(key(self.0))]
        pub(super) fn count(&self, word: &str) -> usize {
            self.0.matches(word).count()
        }
    }
}

#[derive(Clone)]
struct Builder {
    name: String,
    sizes: Vec<u32>,
}

impl Builder {
    /// A field that cannot be copied, an element, and a name that is also an argument's.
    #[cached(key(self.name, self.sizes[0], &self.sizes[1..]))]
    fn build(mut self, name: u8) -> String {
        self.name.push('!');
        format!("{}{name}", self.name)
    }
}

/// Names in a format string, and patterns that take.
#[cached(key = format!("{a}-{b:>width$}"))]
fn formatted((mut a, ref b): (u32, String), width: usize) -> String {
    a += 1;
    format!("{a}{b}{width}")
}

#[test]
fn what_keys_may_say() {
    let builder = Builder { name: "n".into(), sizes: vec![1, 2] };
    assert_eq!((builder.clone().build(1), builder.clone().build(1)), ("n!1".into(), "n!1".into()));
    let other = Builder { sizes: vec![1, 3], ..builder.clone() };
    assert_eq!((other.build(1), Builder::build_cache().stats().hits), ("n!1".into(), 1));
    assert!(Builder::build_cache().invalidate((&builder, &1)));
    assert_eq!(formatted((1, "x".into()), 3), "2x3");
    assert_eq!(formatted((1, "  x".into()), 3), "2x3", "the key is the same");
    assert_eq!(formatted((1, "x".into()), 4), "2x4");
    let parser = strict_about_lifetimes::Parser("a b a");
    assert_eq!((strict_about_lifetimes::same(parser, "x"), parser.count("a")), (5, 2));
}

#[test]
fn every_shape_of_function() {
    assert_eq!((with_a_function(str::len, "ab"), with_a_function(str::len, "ab")), (2, 2));
    assert_eq!(with_a_function::stats().hits, 1);
    let mut out = 0;
    assert_eq!(
        (with_pointers(&|n| *n + 1, &raw mut out, 1), with_pointers(&|n| *n, &raw mut out, 1)),
        (2, 2)
    );
    assert_eq!(gives_a_function(1)(&[1, 2]), [2]);
    assert_eq!((expecting(1, 2), expecting_many(1, 1, 1, 1, 1, 1, 1, 1)), (Some(1), 8));
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has it.
    assert_eq!(unsafe { with_a_feature(1) } + unsafe { with_a_feature::prime(1) }, 2);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    assert_eq!(unsafe { with_a_feature::uncached(1) }, 1);

    assert_eq!((patterns((1, 2), 3, [4, 5], "x"), patterns((1, 2), 3, [4, 5], "y")), (10, 10));
    assert_eq!(patterns::stats().hits, 1);
    // SAFETY: it needs nothing.
    assert_eq!(unsafe { not_safe(1) }, 1);
    // SAFETY: it needs nothing.
    assert_eq!(unsafe { not_safe::uncached(1) }, 1);
    let pointer: extern "C" fn(u32) -> u32 = for_c;
    assert_eq!((pointer(2), decorated(3), tracked(4)), (2, 3, 4));
    assert!(Arc::ptr_eq(&no_arguments(), &no_arguments()));
    assert_eq!(no_arguments::peek().map(|map| map.len()), Some(0));
    assert!(no_arguments::invalidate());
    assert_eq!((static_results(1), early(4), early(3), early(-1)), ("b", Some(2), None, None));
    assert_eq!((with_impl_trait(|_| (), 1), with_impl_trait(|n| panic!("{n}"), 1)), (1, 1));
    assert_eq!(lifetimes("ab", &[1]), 3);
    assert_eq!(many(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 14);
    assert_eq!(many::peek(&1, &1, &1, &1, &1, &1, &1, &1, &1, &1, &1, &1, &1, &1), Some(14));
}

trait Named {
    fn id(&self) -> u32;

    #[cached(companions = false, key(self.id()))]
    fn label(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.id())
    }
}

struct One;
struct Two;

impl Named for One {
    fn id(&self) -> u32 {
        1
    }
}

impl Named for Two {
    fn id(&self) -> u32 {
        2
    }
}

#[test]
fn default_methods_of_a_trait() {
    assert_eq!((One.label("x"), Two.label("x"), One.label("x")), ("x1".into(), "x2".into(), "x1".into()));
    let object: &dyn Named = &Two;
    assert_eq!(object.label("y"), "y2");
}

/// Functions inside of functions, also with one name.
#[test]
fn nested() {
    fn outer() -> u32 {
        #[cached]
        fn step(n: u32) -> u32 {
            n + 1
        }
        step(1)
    }
    #[cached]
    fn step(n: u32) -> u32 {
        n + 10
    }
    assert_eq!((outer(), step(1)), (2, 11));
}
