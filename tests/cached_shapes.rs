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
    assert_eq!(inner::Public::method_cache().clear(), 1);
}

/// Names that the expansion might use itself.
mod names {
    use super::cached;

    pub(super) static CACHE: u32 = 1;
    pub(super) static SITE: u32 = 2;
    pub(super) static ENTRY: u32 = 3;

    pub(super) fn here() -> u32 {
        4
    }
    pub(super) fn instance() -> u32 {
        5
    }
    pub(super) fn uncached() -> u32 {
        6
    }

    #[cached(key = found + miss + CACHE + SITE + ENTRY + here())]
    pub(super) fn site(found: u32, miss: u32) -> u32 {
        let result = found + miss + CACHE + SITE + ENTRY + here() + instance() + uncached();
        let (key, waiting) = (1, 2);
        result + key + waiting
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

#[test]
fn every_shape_of_function() {
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
