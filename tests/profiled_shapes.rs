//! Every shape of function that Rust has compiles under `#[profiled]`, does what it did, is counted under its own name, and gives the user's
//! crate no warning, however strict it is.
#![deny(warnings, missing_docs, unsafe_code, unused, clippy::all, clippy::pedantic)]
#![allow(
    unreachable_pub,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the shapes are the point"
)]

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use perfkit::profiled;

/// Calls of the only function whose shown name ends with `suffix`.
#[track_caller]
fn calls(suffix: &str) -> u64 {
    let report = perfkit::report();
    let rows: Vec<_> = report.functions.iter().filter(|row| row.name.ends_with(suffix)).collect();
    assert_eq!(rows.len(), 1, "{suffix} names {:?}", rows.iter().map(|row| &row.name).collect::<Vec<_>>());
    rows[0].calls
}

fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

mod free {
    use super::*;

    #[profiled]
    pub fn plain(a: u8, b: u8) -> u8 {
        a + b
    }

    #[profiled]
    pub fn one_expression() -> u8 {
        7
    }

    #[profiled]
    pub fn returns_early(x: i32) -> i32 {
        if x < 0 {
            return -1;
        }
        x
    }

    #[profiled]
    pub fn generic<T, const N: usize>(items: [T; N]) -> String
    where
        T: Display + Clone,
    {
        items.iter().map(ToString::to_string).collect()
    }

    #[profiled]
    pub fn lifetimes<'a, 'b: 'a>(left: &'a str, right: &'b str) -> &'a str {
        if left.len() > right.len() { left } else { right }
    }

    #[profiled]
    pub fn opaque(argument: impl Debug, times: usize) -> impl Iterator<Item = String> {
        (0..times).map(move |_| format!("{argument:?}"))
    }

    #[profiled]
    pub fn patterns((a, mut b): (u8, u8), [c, ..]: [u8; 3], Wrapped { field }: Wrapped, _: u8) -> u8 {
        b += 1;
        a + b + c + field
    }

    #[profiled]
    pub fn mutable(mut text: String, mut count: u32) -> String {
        while count > 0 {
            text.push('x');
            count -= 1;
        }
        text
    }

    #[profiled]
    pub fn borrows_mutably(items: &mut [u8]) -> Result<&mut u8, String> {
        items.first_mut().ok_or_else(|| String::from("empty"))
    }

    #[profiled]
    pub fn asks(text: &str) -> Result<i32, std::num::ParseIntError> {
        let number: i32 = text.parse()?;
        Ok(number + 1)
    }

    #[profiled]
    pub fn boxed_error(text: &str) -> Result<i32, Box<dyn std::error::Error + Send + Sync>> {
        if text.is_empty() {
            return Err("empty".into());
        }
        Ok(text.parse()?)
    }

    #[profiled]
    pub extern "C" fn foreign(x: i32) -> i32 {
        x * 2
    }

    #[profiled]
    pub fn never(text: &str) -> ! {
        panic!("{text}")
    }

    #[profiled]
    #[must_use]
    #[inline]
    pub fn r#match() -> u8 {
        3
    }

    #[profiled]
    pub fn closure_argument<F>(f: F) -> u8
    where
        F: FnOnce(u8) -> u8,
    {
        f(1)
    }

    #[profiled]
    pub fn with_items() -> u8 {
        #![allow(clippy::cast_lossless)]
        const ONE: u8 = 1;
        fn inner() -> u8 {
            ONE
        }
        struct Local(u8);
        Local(inner()).0
    }

    #[profiled]
    pub fn nested() -> u8 {
        #[profiled]
        fn inner() -> u8 {
            5
        }
        inner()
    }

    /// Names in the body that generated code also uses.
    #[profiled]
    pub fn own_names(frame: u8) -> Result<u8, ()> {
        const SITE: u8 = 1;
        let result = frame + SITE;
        let here = result;
        Ok(here)
    }

    #[profiled]
    #[track_caller]
    pub fn tracks(fail: bool) -> Result<u32, u32> {
        let line = std::panic::Location::caller().line();
        if fail { Err(line) } else { Ok(line) }
    }

    #[derive(Clone, Copy)]
    pub struct Wrapped {
        pub field: u8,
    }

    #[test]
    fn work() {
        assert_eq!(plain(1, 2), 3);
        assert_eq!(one_expression(), 7);
        assert_eq!((returns_early(-5), returns_early(5)), (-1, 5));
        assert_eq!(generic([1, 2, 3]), "123");
        assert_eq!(generic(["a"]), "a");
        assert_eq!(lifetimes("ab", "c"), "ab");
        assert_eq!(opaque("x", 2).collect::<String>(), "\"x\"\"x\"");
        assert_eq!(patterns((1, 2), [3, 0, 0], Wrapped { field: 4 }, 9), 11);
        assert_eq!(mutable(String::from("a"), 2), "axx");
        *borrows_mutably(&mut [1]).unwrap() = 2;
        assert!(borrows_mutably(&mut []).is_err());
        assert_eq!(asks("1"), Ok(2));
        assert!(asks("x").is_err() && boxed_error("").is_err() && boxed_error("7").is_ok());
        assert_eq!(foreign(4), 8);
        assert!(std::panic::catch_unwind(|| never("on purpose")).is_err());
        assert_eq!(r#match(), 3);
        assert_eq!(closure_argument(|x| x + 1), 2);
        assert_eq!(with_items(), 1);
        assert_eq!(nested(), 5);
        assert_eq!(own_names(1), Ok(2));
        assert_eq!(tracks(false), Ok(line!()));

        for (name, expected) in [
            ("free::plain", 1),
            ("free::one_expression", 1),
            ("free::returns_early", 2),
            ("free::generic", 2),
            ("free::lifetimes", 1),
            ("free::opaque", 1),
            ("free::patterns", 1),
            ("free::mutable", 1),
            ("free::borrows_mutably", 2),
            ("free::asks", 2),
            ("free::boxed_error", 2),
            ("free::foreign", 1),
            ("free::never", 1),
            ("free::match", 1),
            ("free::closure_argument", 1),
            ("free::with_items", 1),
            ("free::nested", 1),
            ("free::nested::inner", 1),
            ("free::own_names", 1),
            ("free::tracks", 1),
        ] {
            assert_eq!(calls(name), expected, "{name}");
        }
        let report = perfkit::report();
        let errors =
            |name: &str| report.functions.iter().find(|row| row.name.ends_with(name)).unwrap().errors;
        assert_eq!(
            (errors("free::asks"), errors("free::boxed_error"), errors("free::borrows_mutably")),
            (1, 1, 1)
        );
        let panics =
            |name: &str| report.functions.iter().find(|row| row.name.ends_with(name)).unwrap().panics;
        assert_eq!((panics("free::never"), panics("free::plain")), (1, 0));
    }
}

mod methods {
    use super::*;

    pub struct Stack<T>(Vec<T>);

    #[profiled]
    impl<T: Clone> Stack<T> {
        const LIMIT: usize = 2;

        pub const fn new() -> Self {
            Stack(Vec::new())
        }

        pub fn push(&mut self, item: T) -> Result<usize, T> {
            if self.0.len() >= Self::LIMIT {
                return Err(item);
            }
            self.0.push(item);
            Ok(self.0.len())
        }

        pub fn into_inner(self) -> Vec<T> {
            self.0
        }

        pub fn into_first(mut self: Box<Self>) -> Option<T> {
            self.0.truncate(1);
            self.0.pop()
        }

        pub fn shared(self: &Rc<Self>) -> usize {
            Rc::strong_count(self)
        }

        pub fn pinned(self: Pin<&mut Self>) -> usize {
            self.0.len()
        }

        #[profiled(skip)]
        pub fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        #[profiled(name = "stack peek")]
        pub fn peek(&self) -> Option<&T> {
            self.0.last()
        }

        pub async fn wait(&mut self, by: T) -> usize {
            std::future::ready(()).await;
            self.0.push(by);
            self.0.len()
        }
    }

    pub trait Shape {
        fn area(&self) -> f64;
        fn double(&self) -> f64 {
            self.area() * 2.0
        }
    }

    pub struct Square(pub f64);
    pub struct Circle(pub f64);

    #[profiled]
    impl Shape for Square {
        fn area(&self) -> f64 {
            self.0 * self.0
        }
    }

    #[profiled]
    impl Shape for Circle {
        fn area(&self) -> f64 {
            self.0 * 3.0
        }
    }

    #[profiled]
    pub trait Greets {
        fn name(&self) -> String;
        fn greet(&self) -> String {
            format!("hello {}", self.name())
        }
    }

    impl Greets for u8 {
        fn name(&self) -> String {
            self.to_string()
        }
    }

    #[test]
    fn work() {
        let mut stack = Stack::new();
        assert_eq!((stack.push(1), stack.push(2), stack.push(3)), (Ok(1), Ok(2), Err(3)));
        assert!(!stack.is_empty());
        assert_eq!(stack.peek(), Some(&2));
        assert_eq!(Pin::new(&mut stack).pinned(), 2);
        assert_eq!(now(stack.wait(9)), 3);
        let stack = Rc::new(stack);
        assert_eq!(stack.shared(), 1);
        let stack = Rc::into_inner(stack).unwrap();
        assert_eq!(stack.into_inner(), [1, 2, 9]);
        assert_eq!(Box::new(Stack(vec!["a", "b"])).into_first(), Some("a"));
        assert!((Square(2.0).area() - 4.0).abs() < 1e-9 && (Circle(1.0).area() - 3.0).abs() < 1e-9);
        assert!(Square(1.0).double() > 1.0);
        assert_eq!(7_u8.greet(), "hello 7");

        for (name, expected) in [
            ("methods::Stack<_>::push", 3),
            ("methods::Stack<_>::into_inner", 1),
            ("methods::Stack<_>::into_first", 1),
            ("methods::Stack<_>::shared", 1),
            ("methods::Stack<_>::pinned", 1),
            ("methods::Stack<_>::wait", 1),
            ("stack peek", 1),
            ("methods::Square as profiled_shapes::methods::Shape>::area", 2),
            ("methods::Circle as profiled_shapes::methods::Shape>::area", 1),
            ("methods::Greets::greet", 1),
        ] {
            assert_eq!(calls(name), expected, "{name}");
        }
        let report = perfkit::report();
        assert!(
            !report.functions.iter().any(|row| row.name.ends_with("is_empty") || row.name.ends_with("new"))
        );
    }
}

#[profiled]
mod module {
    pub fn outer() -> u8 {
        deep::inner() + 1
    }

    pub mod deep {
        pub fn inner() -> u8 {
            1
        }

        pub struct Unit;

        impl Unit {
            pub fn method(&self) -> u8 {
                super::super::unit_value()
            }
        }
    }

    macro_rules! twice {
        ($e:expr) => {
            $e * 2
        };
    }

    pub fn with_macro(x: u8) -> u8 {
        twice!(x)
    }
}

const fn unit_value() -> u8 {
    4
}

#[test]
fn modules_are_measured_whole() {
    assert_eq!((module::outer(), module::deep::Unit.method(), module::with_macro(2)), (2, 4, 4));
    for name in ["module::outer", "module::deep::inner", "module::deep::Unit::method", "module::with_macro"] {
        assert_eq!(calls(name), 1, "{name}");
    }
}

mod made_by_macro {
    macro_rules! functions {
        ($($name:ident => $body:block),*) => { $( #[perfkit::profiled] pub fn $name() -> u8 $body )* };
    }

    functions!(first => { 1 }, second => { 2 });

    #[test]
    fn work() {
        assert_eq!((first(), second()), (1, 2));
        assert_eq!((super::calls("made_by_macro::first"), super::calls("made_by_macro::second")), (1, 1));
    }
}

/// Counts drops, and whether they came inside of the profiled call.
struct Dropped<'a>(&'a Cell<u32>);

#[profiled]
fn drop_is_measured(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        drop_is_measured(self.0);
    }
}

#[profiled]
fn takes(_: Dropped<'_>, kept: Dropped<'_>, (_a, _b): (Dropped<'_>, u8)) {
    let _ = &kept;
}

struct Owner<'a> {
    unused: Dropped<'a>,
    used: u8,
}

#[profiled]
impl Owner<'_> {
    fn consume(self) -> u8 {
        self.used
    }

    async fn consume_later(self) -> u8 {
        self.used
    }
}

#[test]
fn what_is_taken_by_value_is_dropped_once() {
    let drops = Cell::new(0);
    let new = || Dropped(&drops);
    takes(new(), new(), (new(), 1));
    assert_eq!(drops.get(), 3);
    let owner = Owner { unused: new(), used: 1 };
    let _ = &owner.unused;
    assert_eq!(owner.consume(), 1);
    assert_eq!(drops.get(), 4);
    assert_eq!(now(Owner { unused: new(), used: 2 }.consume_later()), 2);
    assert_eq!(drops.get(), 5);
}

#[test]
fn blocks_take_part_in_the_flow_of_the_function() {
    fn find(items: &[u8]) -> Option<u8> {
        for item in items {
            let double = perfkit::profile_block!("double it", {
                if *item == 0 {
                    continue;
                }
                if *item > 100 {
                    return None;
                }
                item.checked_mul(2)?
            });
            if double > 6 {
                return Some(double);
            }
        }
        None
    }
    assert_eq!((find(&[0, 1, 4]), find(&[200]), find(&[])), (Some(8), None, None));
    assert_eq!(calls("double it"), 4);
}
