//! `#[pooled]` stands where a user puts it: in modules, beside other attributes, among names of their own; and gives their crate no
//! warning, however strict it is.
#![deny(warnings, missing_docs, unsafe_code, unused, clippy::all, clippy::pedantic)]
#![forbid(unsafe_code)]
#![allow(unreachable_pub, reason = "the shapes are the point")]

use perfkit::{Pooled, pooled, profiled};

mod inner {
    use super::pooled;

    /// Public, and so must be its companions.
    #[pooled(reset = String::clear)]
    pub fn public() -> String {
        String::new()
    }

    #[pooled]
    pub(super) fn restricted() -> String {
        String::new()
    }

    /// A struct to be used elsewhere.
    #[pooled]
    #[derive(Debug, Default)]
    pub struct Public;

    #[pooled]
    #[derive(Default)]
    pub(super) struct Tuple(pub(super) u8, pub(super) u16);
}

#[test]
fn companions_are_as_visible_as_what_they_belong_to() {
    drop(inner::public());
    drop(inner::restricted());
    drop(inner::Public::pooled());
    inner::Tuple::pooled().1 += 1;
    assert_eq!(inner::public::stats().borrowed, 1);
    assert_eq!(inner::restricted::shrink(), 1);
    assert_eq!(inner::Public::pool().stats().borrowed, 1);
    let tuple = inner::Tuple::pooled();
    assert_eq!((tuple.0, tuple.1), (0, 1));
}

/// Names that the expansion might use itself.
mod names {
    use super::pooled;

    pub(super) static POOL: u8 = 1;
    pub(super) static SITE: u8 = 2;
    pub(super) static ENTRY: u8 = 3;
    pub(super) fn here() -> u8 {
        4
    }
    pub(super) fn factory() -> u8 {
        5
    }

    #[pooled(
        reset = |sum| *sum += u32::from(POOL + SITE + ENTRY + here() + factory()),
        validate = |sum| *sum != u32::from(POOL + SITE + ENTRY + here() + factory()),
    )]
    pub(super) fn pool() -> u32 {
        u32::from(POOL + SITE + ENTRY + here() + factory()) * 100
    }

    #[pooled]
    pub(super) fn stats() -> u32 {
        1
    }

    #[pooled]
    pub(super) fn r#type() -> u32 {
        2
    }

    #[allow(non_camel_case_types, dead_code, reason = "names of the prelude, taken")]
    pub(super) mod shadowed {
        struct Option;
        struct String;
        struct usize;
        struct u64;
        struct Default;
        struct Some;

        #[perfkit::pooled(max_size = 1)]
        pub fn number() -> u8 {
            1
        }
    }
}

#[test]
fn names_of_the_user_stay_their_own() {
    assert_eq!(*names::pool(), 1500);
    assert_eq!(*names::pool(), 1515);
    assert_eq!(names::pool::stats().reused, 1);
    assert_eq!((*names::stats(), names::stats::stats().borrowed), (1, 1));
    assert_eq!((*names::r#type(), names::r#type::stats().borrowed), (2, 1));
    assert_eq!(*names::shadowed::number(), 1);
    assert_eq!(names::shadowed::number::stats().idle, 1);
}

/// Through a macro of the user, whose literals and types arrive in invisible groups.
macro_rules! define_pool {
    ($name:ident, $ty:ty, $size:expr, $reset:expr, $body:block) => {
        #[pooled(max_size = $size, reset = $reset)]
        fn $name() -> $ty $body
    };
}
macro_rules! define_pool_of_this_crate {
    ($name:ident) => {
        #[pooled]
        fn $name() -> $crate::inner::Public {
            $crate::inner::Public
        }
    };
}
define_pool_of_this_crate!(public);
define_pool!(from_macro, Vec<u16>, 2, Vec::clear, { vec![1] });

#[test]
fn a_macro_may_write_the_attribute() {
    assert_eq!(*from_macro(), [1]);
    assert!(from_macro().is_empty());
    assert_eq!(from_macro::stats().max_size, 2);
    drop(public());
    assert_eq!(public::stats().idle, 1);
}

#[pooled]
#[must_use]
#[inline]
#[doc(hidden)]
#[cfg(not(any()))]
#[allow(clippy::vec_init_then_push, reason = "that it is heard in the body is the point")]
fn attributes() -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.push(1);
    bytes
}

#[pooled]
#[cfg(any())]
fn left_out() -> Nothing {}

#[pooled]
#[cfg(any())]
struct LeftOut(Nothing);

#[test]
fn attributes_of_the_user_stay() {
    assert_eq!(*attributes(), [1]);
    assert_eq!(attributes::stats().borrowed, 1);
}

#[pooled]
fn returns_early() -> Box<dyn Fn(u32) -> u32 + Send> {
    if std::env::args().count() == usize::MAX {
        return Box::new(|n| n);
    }
    Box::new(|n| n + 1)
}

#[pooled(validate = Result::is_ok)]
fn fallible() -> Result<u32, std::num::ParseIntError> {
    let number: u32 = "12".parse()?;
    Ok(number)
}

#[pooled(validate = Option::is_some)]
fn optional() -> Option<u32> {
    None
}

#[test]
fn bodies_are_functions_of_their_own() {
    assert_eq!(returns_early()(1), 2);
    assert_eq!(*fallible(), Ok(12));
    assert_eq!((fallible::stats().idle, *optional(), optional::stats().idle), (1, None, 0));
}

mod renamed {
    pub use perfkit as instruments;
}

#[pooled(crate = crate::renamed::instruments)]
fn by_another_path() -> u8 {
    3
}

#[test]
fn the_crate_may_have_another_name() {
    assert_eq!(*by_another_path(), 3);
    assert_eq!(by_another_path::stats().borrowed, 1);
}

#[pooled]
#[profiled]
fn profiled_below() -> Vec<u8> {
    Vec::new()
}

#[profiled]
#[pooled]
fn profiled_above() -> Vec<u8> {
    Vec::new()
}

#[test]
fn profiled_measures_the_factory_in_either_order() {
    for _ in 0..3 {
        drop((profiled_below(), profiled_above()));
    }
    assert_eq!((profiled_below::stats().borrowed, profiled_above::stats().borrowed), (3, 3));
    let report = perfkit::report();
    for factory in ["pooled_shapes::profiled_below::factory", "pooled_shapes::profiled_above::factory"] {
        let row = report.functions.iter().find(|row| row.name == factory);
        assert_eq!(row.map(|row| row.calls), Some(1), "{factory}");
    }
}

#[test]
fn a_loan_goes_wherever_its_object_may() {
    fn holds<T: Send + Sync + Unpin + 'static>(_: &T) {}
    #[pooled]
    fn text() -> String {
        String::new()
    }
    struct Owner {
        text: Pooled<String>,
    }
    let owner = Owner { text: text() };
    holds(&owner);
    let boxed: Box<dyn std::any::Any + Send> = Box::new(owner);
    let owner = boxed.downcast::<Owner>().unwrap();
    assert!(owner.text.is_empty());
}
