//! A function means under `#[profiled]` what it meant without: what compiles goes on compiling, values are dropped in the
//! same order, and the caller is the caller.
#![deny(warnings, missing_docs, unsafe_code, unused, clippy::all, clippy::pedantic)]
#![allow(
    unreachable_pub,
    clippy::toplevel_ref_arg,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    clippy::unused_self,
    clippy::elidable_lifetime_names,
    reason = "odd functions are the point"
)]

mod names;

use std::future::Future;
use std::task::{Context, Poll, Waker};

use perfkit::{FunctionRow, profiled};

/// The only function whose shown name ends with `suffix`.
#[track_caller]
fn row(suffix: &str) -> FunctionRow {
    let report = perfkit::report();
    let mut rows = report.functions.into_iter().filter(|row| row.name.ends_with(suffix));
    let row = rows.next().unwrap_or_else(|| panic!("nothing is named {suffix}"));
    assert!(rows.next().is_none(), "two are named {suffix}");
    row
}

fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

mod shapes {
    use super::{Future, now, profiled, row};

    #[profiled]
    fn by_reference(ref mut text: String, (ref a, ref mut b): (u8, u8)) -> String {
        *b += *a;
        text.push_str(&b.to_string());
        text.clone()
    }

    #[profiled]
    fn fallible_by_reference(ref mut text: String) -> Result<usize, ()> {
        text.push('x');
        Ok(text.len())
    }

    #[profiled]
    async fn by_reference_later(ref mut text: String) -> usize {
        text.push('x');
        text.len()
    }

    struct Adder(u8);

    #[profiled]
    impl Adder {
        fn function(self) -> impl Fn(&str) -> usize {
            if self.0 == 0 {
                return Self::longer(1);
            }
            Self::longer(self.0)
        }

        fn closure(self) -> impl Fn(&str) -> usize {
            move |text| text.len() + usize::from(self.0)
        }

        async fn closure_later(self, by: u8) -> impl Fn(&str) -> usize {
            std::future::ready(()).await;
            move |text| text.len() + usize::from(self.0 + by)
        }

        async fn fallible(&self) -> Result<impl Fn(&str) -> usize, std::num::ParseIntError> {
            let by: usize = "3".parse()?;
            Ok(move |text: &str| text.len() + by)
        }

        fn longer(by: u8) -> impl Fn(&str) -> usize {
            move |text| text.len() + usize::from(by)
        }
    }

    #[profiled]
    fn cloned() -> impl Future<Output = u8> + Clone {
        std::future::ready(3)
    }

    #[profiled]
    fn cloned_result() -> impl Future<Output = Result<u8, u8>> + Clone {
        std::future::ready(Err(3))
    }

    #[profiled]
    fn usual_bounds<'a>(text: &'a str) -> impl Future<Output = usize> + Send + Unpin + use<'a> {
        std::future::ready(text.len())
    }

    #[profiled]
    async fn nested() -> u8 {
        let add = async |x: u8| std::future::ready(x + 1).await;
        let block = async { async { add(1).await }.await };
        let three = perfkit::profile_block!("makes a closure", { async |x: u8| std::future::ready(x).await });
        let moved = perfkit::profile_block!("makes more of them", {
            let moved = async move |(x, y): (u8, u8)| -> u8 { std::future::ready(x + y).await };
            (moved, async move { async |n: u8| std::future::ready(n).await }, async || ())
        });
        block.await + three(3).await + moved.0((1, 2)).await + moved.1.await(1).await
    }

    #[profiled]
    trait Answers {
        fn answer(&self) -> impl Future<Output = Result<u8, u8>> + Send {
            async { Err(1) }
        }
    }

    impl Answers for u8 {}

    #[profiled]
    impl Answers for u16 {
        async fn answer(&self) -> Result<u8, u8> {
            Err(2)
        }
    }

    macro_rules! blocks {
        ($name:literal, $block:block, $value:expr) => {
            perfkit::profile_block!($name, $block) + perfkit::profile_block!($name, { $value })
        };
    }

    struct Unit;

    #[profiled]
    fn matches_a_unit(Unit: Unit, 0..: usize) {}

    #[test]
    fn work() {
        assert_eq!(by_reference(String::from("a"), (1, 2)), "a3");
        assert_eq!(fallible_by_reference(String::from("a")), Ok(2));
        assert_eq!(now(by_reference_later(String::from("a"))), 2);
        assert_eq!((Adder(2).function()("ab"), Adder(2).closure()("ab")), (4, 4));
        assert_eq!((now(Adder(2).closure_later(1))("ab"), now(Adder(2).fallible()).unwrap()("ab")), (5, 5));
        let future = cloned();
        assert_eq!((now(future.clone()), now(future), now(cloned_result().clone())), (3, 3, Err(3)));
        assert_eq!((now(usual_bounds("ab")), now(nested())), (2, 9));
        matches_a_unit(Unit, 1);
        assert_eq!((now(1_u8.answer()), now(1_u16.answer())), (Err(1), Err(2)));
        assert_eq!(row("Answers::answer").errors, 1);
        assert_eq!(row("<u16 as profiled_meaning::shapes::Answers>::answer").errors, 1);
        assert_eq!(blocks!("of a macro", { 1 }, 2), 3);
        for name in ["shapes::by_reference", "Adder::closure", "shapes::cloned"] {
            assert_eq!(row(name).calls, 1, "{name}");
        }
    }
}

mod callers {
    use super::profiled;
    use std::panic::Location;

    struct Value(u32);

    #[profiled]
    impl Value {
        #[track_caller]
        fn consume(self) -> u32 {
            Location::caller().line() + self.0
        }

        #[track_caller]
        fn fallible(self) -> Result<u32, u32> {
            if self.0 == 0 {
                return Ok(Location::caller().line());
            }
            Err(0)
        }

        #[cfg_attr(all(), track_caller)]
        fn conditional(self) -> u32 {
            Location::caller().line()
        }
    }

    #[profiled]
    #[track_caller]
    fn future() -> impl Future<Output = u32> {
        std::future::ready(Location::caller().line())
    }

    #[profiled]
    #[track_caller]
    fn boxed() -> std::pin::Pin<Box<dyn Future<Output = u32>>> {
        let line = Location::caller().line();
        Box::pin(async move { line })
    }

    #[test]
    fn are_the_users() {
        assert_eq!(Value(0).consume(), line!());
        assert_eq!(Value(0).fallible(), Ok(line!()));
        assert_eq!(Value(0).conditional(), line!());
        assert_eq!(super::now(future()), line!());
        assert_eq!(super::now(boxed()), line!());
    }
}

mod drops {
    use std::cell::RefCell;

    use super::{now, profiled, row};

    /// Tells when it is dropped, in a call of its own.
    struct Loud<'a>(&'a RefCell<String>, char);

    impl Drop for Loud<'_> {
        fn drop(&mut self) {
            drop_loud(self.0, self.1);
        }
    }

    #[profiled]
    fn drop_loud(log: &RefCell<String>, name: char) {
        log.borrow_mut().push(name);
    }

    impl Loud<'_> {
        fn look(&self) -> u8 {
            u8::from(self.1 == '-')
        }
    }

    type Pair<'a> = (Loud<'a>, Loud<'a>);

    macro_rules! the_same {
        ($(#[$attribute:meta])? $plain:ident $fallible:ident $later:ident $boxed:ident $opaque:ident $Owner:ident) => {
            $(#[$attribute])?
            fn $plain<'a>(log: &'a RefCell<String>, a: Loud<'a>, _: Loud<'a>, (b, _): Pair<'a>, mut c: Loud<'a>, (_, ref d): Pair<'a>) -> u8 {
                c.1 = 'c';
                let _local = Loud(log, 'l');
                a.look() + b.look() + d.look() + Loud(log, 't').look()
            }

            $(#[$attribute])?
            fn $fallible<'a>(log: &'a RefCell<String>, a: Loud<'a>, _: Loud<'a>, (b, _): Pair<'a>, _unused: Loud<'a>) -> Result<u8, ()> {
                let _local = Loud(log, 'l');
                Ok(a.look() + b.look() + Loud(log, 't').look())
            }

            $(#[$attribute])?
            async fn $later<'a>(log: &'a RefCell<String>, a: Loud<'a>, _: Loud<'a>, (b, _): Pair<'a>, _unused: Loud<'a>) -> Result<u8, ()> {
                let _local = Loud(log, 'l');
                std::future::ready(()).await;
                Ok(a.look() + b.look() + Loud(log, 't').look())
            }

            $(#[$attribute])?
            fn $boxed<'a>(log: &'a RefCell<String>, a: Loud<'a>, _: Loud<'a>, (b, _): Pair<'a>) -> std::pin::Pin<Box<dyn Future<Output = u8> + 'a>> {
                let _local = Loud(log, 'l');
                let value = a.look();
                Box::pin(async move { value + b.look() + Loud(log, 't').look() })
            }

            $(#[$attribute])?
            fn $opaque<'a>(log: &'a RefCell<String>, b: Loud<'a>, _: Loud<'a>, (a, _): Pair<'a>) -> impl Future<Output = u8> + 'a {
                let _local = Loud(log, 'l');
                let value = a.look() + b.look();
                async move { value + Loud(log, 't').look() }
            }

            struct $Owner<'a>(#[allow(dead_code)] Loud<'a>, Loud<'a>);

            $(#[$attribute])?
            impl<'a> $Owner<'a> {
                fn take(self, log: &'a RefCell<String>, (_, b): Pair<'a>, _: Loud<'a>) -> u8 {
                    let _local = Loud(log, 'l');
                    b.look() + self.1.look()
                }

                async fn take_later(self, log: &'a RefCell<String>, (_, b): Pair<'a>, _: Loud<'a>) -> u8 {
                    let _local = Loud(log, 'l');
                    std::future::ready(()).await;
                    b.look() + self.1.look()
                }
            }
        };
    }

    use measured::all_measured;

    the_same!(plain fallible later boxed opaque Owner);
    mod measured {
        use super::{Loud, Pair, RefCell};
        the_same!(#[perfkit::profiled] plain fallible later boxed opaque Owner);

        pub(super) fn all_measured(log: &RefCell<String>) {
            use super::now;
            let new = |name| Loud(log, name);
            plain(log, new('a'), new('_'), (new('b'), new('B')), new('C'), (new('D'), new('d')));
            log.borrow_mut().push(' ');
            fallible(log, new('a'), new('_'), (new('b'), new('B')), new('u')).unwrap();
            log.borrow_mut().push(' ');
            now(later(log, new('a'), new('_'), (new('b'), new('B')), new('u'))).unwrap();
            log.borrow_mut().push(' ');
            drop(later(log, new('a'), new('_'), (new('b'), new('B')), new('u')));
            log.borrow_mut().push(' ');
            now(boxed(log, new('a'), new('_'), (new('b'), new('B'))));
            log.borrow_mut().push(' ');
            now(opaque(log, new('a'), new('_'), (new('b'), new('B'))));
            log.borrow_mut().push(' ');
            Owner(new('0'), new('1')).take(log, (new('A'), new('b')), new('_'));
            log.borrow_mut().push(' ');
            now(Owner(new('0'), new('1')).take_later(log, (new('A'), new('b')), new('_')));
        }
    }

    fn all(log: &RefCell<String>) {
        let new = |name| Loud(log, name);
        plain(log, new('a'), new('_'), (new('b'), new('B')), new('C'), (new('D'), new('d')));
        log.borrow_mut().push(' ');
        fallible(log, new('a'), new('_'), (new('b'), new('B')), new('u')).unwrap();
        log.borrow_mut().push(' ');
        now(later(log, new('a'), new('_'), (new('b'), new('B')), new('u'))).unwrap();
        log.borrow_mut().push(' ');
        drop(later(log, new('a'), new('_'), (new('b'), new('B')), new('u')));
        log.borrow_mut().push(' ');
        now(boxed(log, new('a'), new('_'), (new('b'), new('B'))));
        log.borrow_mut().push(' ');
        now(opaque(log, new('a'), new('_'), (new('b'), new('B'))));
        log.borrow_mut().push(' ');
        Owner(new('0'), new('1')).take(log, (new('A'), new('b')), new('_'));
        log.borrow_mut().push(' ');
        now(Owner(new('0'), new('1')).take_later(log, (new('A'), new('b')), new('_')));
    }

    #[test]
    fn come_in_the_same_order() {
        let (plain, measured) = (RefCell::new(String::new()), RefCell::new(String::new()));
        all(&plain);
        all_measured(&measured);
        assert_eq!(plain.into_inner(), measured.into_inner());
    }

    #[profiled]
    fn takes<'a>(_: Loud<'a>, (a, _): Pair<'a>) -> u8 {
        a.look()
    }

    /// Whatever is left of the arguments is dropped in the call.
    #[test]
    fn are_inside_of_the_call() {
        let log = RefCell::new(String::new());
        takes(Loud(&log, 'a'), (Loud(&log, 'b'), Loud(&log, 'c')));
        let row = row("drops::takes");
        assert!(row.total_time > row.self_time, "three drops are called in it: {row:?}");
    }
}

mod failures {
    use std::pin::Pin;

    use super::{Future, now, profiled, row};

    type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
    type BoxFuture<'a, T> = Boxed<'a, T>;

    #[profiled]
    fn opaque(fail: bool) -> impl Future<Output = Result<u8, u8>> {
        async move { if fail { Err(1) } else { Ok(1) } }
    }

    #[profiled]
    fn boxed(fail: bool) -> Pin<Box<dyn Future<Output = Result<u8, u8>> + Send>> {
        Box::pin(async move { if fail { Err(1) } else { Ok(1) } })
    }

    #[profiled]
    fn alias(fail: bool) -> BoxFuture<'static, Result<u8, u8>> {
        let value = u8::from(fail);
        if fail {
            return Box::pin(std::future::ready(Err(value)));
        }
        Box::pin(async move { Ok(value) })
    }

    type Outcome = Result<u8, u8>;

    #[profiled(err)]
    fn asked_for(fail: bool) -> impl Future<Output = Outcome> {
        async move { if fail { Err(1) } else { Ok(1) } }
    }

    #[profiled(err)]
    fn asked_for_in_a_box(fail: bool) -> Pin<Box<dyn Future<Output = Outcome>>> {
        Box::pin(async move { if fail { Err(1) } else { Ok(1) } })
    }

    #[test]
    fn are_counted_of_the_output() {
        macro_rules! check {
            ($($name:ident)*) => {$(
                assert_eq!((now($name(true)), now($name(false)).is_ok()), (Err(1), true));
                let counted = row(concat!("failures::", stringify!($name)));
                assert_eq!((counted.calls, counted.errors), (2, 1), stringify!($name));
            )*};
        }
        check!(opaque boxed alias asked_for asked_for_in_a_box);
    }
}

/// Attributes inside of an annotated block.
#[profiled]
mod block {
    use perfkit::profiled;

    #[perfkit::profiled(name = "by its own name")]
    pub fn named() {}

    #[cfg_attr(all(), profiled(name = "by a condition"))]
    pub fn conditional() {}

    #[cfg_attr(any(), profiled(name = "never"))]
    pub fn unconditional() {}

    #[cfg_attr(all(), cfg_attr(all(), inline, profiled(skip)))]
    pub fn skipped() {}

    #[perfkit::profiled(skip)]
    pub fn skipped_too() {}

    pub struct Value;

    #[profiled]
    impl Value {
        pub fn measured_once(&self) {}

        #[profiled(skip)]
        pub fn not_at_all(&self) {}
    }

    #[profiled(skip)]
    impl Value {
        pub fn left_out(&self) {}
    }

    #[cfg_attr(all(), profiled(skip))]
    pub mod left_out {
        pub fn inner() {}
    }

    #[cfg_attr(any(), profiled(skip))]
    pub mod not_left_out {
        pub fn inner() {}
    }
}

#[test]
fn own_attributes_in_a_block_win() {
    block::named();
    block::conditional();
    block::unconditional();
    block::skipped();
    block::skipped_too();
    block::Value.measured_once();
    block::Value.not_at_all();
    block::Value.left_out();
    block::left_out::inner();
    block::not_left_out::inner();
    for name in [
        "by its own name",
        "by a condition",
        "block::unconditional",
        "Value::measured_once",
        "block::not_left_out::inner",
    ] {
        assert_eq!(row(name).calls, 1, "{name}");
    }
    let report = perfkit::report();
    for name in ["skipped", "skipped_too", "not_at_all", "block::Value::left_out", "block::left_out::inner"] {
        assert!(!report.functions.iter().any(|row| row.name.ends_with(name)), "{name}");
    }
}

/// The user's own lint levels are about the user's own names.
mod lints {
    use super::{now, profiled};

    #[profiled]
    fn allowed(#[allow(unused_variables)] text: String, #[expect(unused_variables)] more: String) {}

    #[profiled]
    fn destructured(
        #[expect(unused_variables)] (a, b): (String, u8),
        #[allow(unused_mut)] mut c: String,
    ) -> usize {
        c.len()
    }

    #[profiled]
    async fn later(#[expect(unused_variables)] text: String, _more: String) {}

    #[profiled]
    #[expect(clippy::needless_pass_by_value, reason = "it is, in what the user wrote")]
    fn expected(text: String) -> usize {
        text.len()
    }

    #[profiled]
    #[expect(unreachable_code)]
    async fn never_ends() -> Vec<u8> {
        loop {
            std::future::ready(()).await;
        }
        Vec::new()
    }

    #[profiled]
    fn underscores(_x: u8, _y: String, _: u8) -> Result<u8, ()> {
        Ok(1)
    }

    #[rustfmt::skip]
    mod on_one_line {
        use super::profiled;

        #[perfkit::cached(companions = false)]
        pub fn kept(_x: u8) -> u8 { 7 }

        #[perfkit::cached(companions = false)]
        pub async fn kept_later(_x: u8) -> u8 { 7 }

        #[perfkit::cached]
        pub fn kept_beside(_x: u8) -> u8 { 7 }

        #[profiled]
        pub fn one() -> u8 { 7 }

        #[profiled]
        pub fn one_result() -> Result<u8, ()> { Ok(7) }

        #[profiled]
        pub async fn one_later() -> u8 { 7 }

        #[profiled]
        pub fn one_box() -> std::pin::Pin<Box<dyn Future<Output = u8>>> { Box::pin(std::future::ready(7)) }

        #[profiled]
        pub fn one_block(n: u8) -> u8 { perfkit::profile_block!("one", { 1 }) + perfkit::profile_block!("two", { n }) }
    }

    #[test]
    fn work() {
        allowed(String::new(), String::new());
        assert_eq!(destructured((String::new(), 1), String::from("a")), 1);
        now(later(String::new(), String::new()));
        assert_eq!(expected(String::new()), 0);
        drop(never_ends());
        assert_eq!(underscores(1, String::new(), 2), Ok(1));
        assert_eq!((on_one_line::kept(1), now(on_one_line::kept_later(1))), (7, 7));
        assert_eq!((on_one_line::kept_beside(1), on_one_line::one()), (7, 7));
        assert_eq!((on_one_line::one_result(), now(on_one_line::one_later())), (Ok(7), 7));
        assert_eq!((now(on_one_line::one_box()), on_one_line::one_block(2)), (7, 3));
    }
}
