//! perfkit as a new user meets it, what concerns benchmarks apart (`new_benchmarks`): crates outside of the workspace that depend on it by path.

mod crates;

use std::fs;

use crates::Crate;

#[test]
fn one_attribute_and_perfkit_table() {
    let krate = Crate::new(
        "one-attribute",
        &[(
            "src/main.rs",
            "#[perfkit::profiled]\nfn work(n: u64) -> u64 { (0..n).map(std::hint::black_box).sum() }\n\n\
             fn main() { for n in 0..7 { work(n * 1000); } }\n",
        )],
    );
    let quiet = krate.cargo("run --quiet", &[]).exits_with(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let run =
        krate.cargo("run --quiet", &[("PERFKIT", "table")]).exits_with(0).says(&["Functions", "% of run"]);
    assert_eq!(run.row("one_attribute::work")[1], "7");
}

/// Functions that drop things, once as they are and once with attributes, in a crate that gave perfkit another name.
const DROPS: &str = r#"
use std::cell::RefCell;
use std::sync::Mutex;

struct Loud<'a>(&'a RefCell<String>, char);

impl Loud<'_> {
    fn same(&self) -> &Self { self }
    fn number(&self) -> u8 { 1 }
}

impl Drop for Loud<'_> {
    fn drop(&mut self) { self.0.borrow_mut().push(self.1); }
}

macro_rules! functions {
    ($($attribute:meta)?) => {
        $(#[$attribute])?
        pub fn plain<'a>(log: &'a RefCell<String>, _a: Loud<'a>, (_b, _): (Loud<'a>, Loud<'a>)) -> u8 {
            let _local = Loud(log, 'l');
            Loud(log, 't').same().number()
        }

        $(#[$attribute])?
        pub fn fallible<'a>(log: &'a RefCell<String>, _a: Loud<'a>, (_b, _): (Loud<'a>, Loud<'a>)) -> Result<u8, ()> {
            let _local = Loud(log, 'l');
            Ok(Loud(log, 't').same().number())
        }

        $(#[$attribute])?
        pub async fn later<'a>(log: &'a RefCell<String>, _a: Loud<'a>, (_b, _): (Loud<'a>, Loud<'a>)) -> u8 {
            let _local = Loud(log, 'l');
            Loud(log, 't').same().number()
        }

        $(#[$attribute])?
        pub fn of_an_argument(number: Mutex<u8>) -> u8 { *number.lock().unwrap() }
    };
}

mod measured {
    use super::{Loud, Mutex, RefCell};

    functions!(pk::profiled(crate = pk));

    pub fn block(log: &RefCell<String>) -> u8 {
        pk::profile_block!("a block", { let _local = Loud(log, 'l'); Loud(log, 't').same() }).number()
    }
}

mod unmeasured {
    use super::{Loud, Mutex, RefCell};

    functions!();

    pub fn block(log: &RefCell<String>) -> u8 {
        ({ let _local = Loud(log, 'l'); Loud(log, 't').same() }).number()
    }
}

#[pk::profiled(crate = pk)]
mod whole {
    #[pk::profiled(name = "by its own name")]
    pub fn named() {}
}

#[pk::cached(crate = pk, companions = false)]
fn kept(number: u8) -> u8 { number }

fn now<F: std::future::Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!(),
    }
}

macro_rules! run {
    ($from:ident) => {{
        let log = RefCell::new(String::new());
        let new = |name| Loud(&log, name);
        $from::plain(&log, new('a'), (new('b'), new('c')));
        log.borrow_mut().push(' ');
        $from::fallible(&log, new('a'), (new('b'), new('c'))).unwrap();
        log.borrow_mut().push(' ');
        now($from::later(&log, new('a'), (new('b'), new('c'))));
        log.borrow_mut().push(' ');
        $from::block(&log);
        assert_eq!($from::of_an_argument(Mutex::new(7)), 7);
        log.take()
    }};
}

fn main() {
    let measured = run!(measured);
    assert_eq!(measured, run!(unmeasured));
    println!("{measured}");
    whole::named();
    assert_eq!(kept(1), 1);
    println!("{}", pk::report());
}
"#;

/// When the temporaries of a last expression are dropped is for the edition of the crate to say, whatever perfkit's own is.
#[test]
fn values_are_dropped_as_the_edition_says_and_perfkit_may_have_another_name() {
    let dependency = format!("pk = {{ package = \"perfkit\", path = {:?} }}", env!("CARGO_MANIFEST_DIR"));
    let run = Crate::of_edition("2021", "older", &dependency, &[("src/main.rs", DROPS)])
        .cargo("run --quiet", &[])
        .exits_with(0)
        .says(&["ltbca ltbca ltbca lt", "by its own name", "a block", "measured::later", "older::kept"])
        .says_not("warning");
    assert_eq!(run.row("measured::plain")[1], "1");

    // No reference to a temporary leaves a block here.
    let source = DROPS.replace(".same() }", ".number() }").replace("}).number()", "})");
    Crate::of_edition("2024", "newer", &dependency, &[("src/main.rs", &source)])
        .cargo("run --quiet", &[])
        .exits_with(0)
        .says(&["tlbca tlbca tlbca tl"]);
}

/// Everything that `#[profiled]` rewrites, with the attribute where `on` is set.
const SHAPES: &str = r"
#![allow(clippy::all)]
use std::future::Future;
use std::pin::Pin;

#[cfg_attr(on, perfkit::profiled)]
#[unsafe(no_mangle)]
pub fn sum(numbers: &[u64]) -> u64 { numbers.iter().sum() }

#[cfg_attr(on, perfkit::profiled)]
#[unsafe(no_mangle)]
pub fn parse(text: &str) -> Result<u32, std::num::ParseIntError> { Ok(text.trim().parse::<u32>()? + 1) }

#[cfg_attr(on, perfkit::profiled)]
#[unsafe(no_mangle)]
pub fn dropped(text: String, (a, _): (Vec<u8>, Vec<u8>)) -> usize { text.len() + a.len() }

#[cfg_attr(on, perfkit::profiled)]
#[inline(never)]
pub async fn later(n: u64) -> u64 { std::future::ready(n).await + 1 }

#[cfg_attr(on, perfkit::profiled)]
#[unsafe(no_mangle)]
pub fn boxed(n: u64) -> Pin<Box<dyn Future<Output = u64>>> { Box::pin(later(n)) }

pub struct Counter(pub u64);

#[cfg_attr(on, perfkit::profiled)]
impl Counter {
    #[inline(never)]
    pub fn next(&mut self) -> u64 { self.0 += 1; self.0 }
    #[inline(never)]
    pub fn into_inner(self) -> u64 { self.0 }
}

#[cfg_attr(on, perfkit::profiled)]
mod inner {
    #[inline(never)]
    pub fn generic<T: Copy + std::ops::Add<Output = T>>(a: T, b: T) -> T { a + b }
}

#[unsafe(no_mangle)]
pub fn all(mut counter: Counter) -> u64 { counter.next() + inner::generic(1_u64, 2) + counter.into_inner() }
";

/// The assembly of the crate in the directory, without what only names it.
fn assembly(krate: &Crate, on: bool) -> String {
    let _ = fs::remove_dir_all(krate.0.join("asm"));
    let on = if on { " --cfg on" } else { "" };
    let arguments = format!(
        "rustc --quiet --release --lib -- --emit=asm={} -Ccodegen-units=1 -Cdebuginfo=0 --check-cfg cfg(on){on}",
        krate.0.join("out.s").display()
    );
    krate.cargo(&arguments, &[]).exits_with(0);
    let text = fs::read_to_string(krate.0.join("out.s")).unwrap();
    assert!(text.contains("sum:") && text.contains("Counter"), "{text}");
    text
}

#[test]
fn without_the_feature_the_assembly_is_the_same() {
    let perfkit = env!("CARGO_MANIFEST_DIR");
    let off = format!("perfkit = {{ path = {perfkit:?}, default-features = false }}");
    let files = [("src/lib.rs", SHAPES)];
    let krate = Crate::of_edition("2024", "off-means-off", &off, &files);
    let (without, with) = (assembly(&krate, false), assembly(&krate, true));
    let differences: Vec<_> = without.lines().zip(with.lines()).filter(|(a, b)| a != b).take(5).collect();
    assert!(differences.is_empty() && without.lines().count() == with.lines().count(), "{differences:#?}");
    // So that the comparison can fail: with the feature, it does.
    let krate = Crate::new("on-means-on", &files);
    assert_ne!(assembly(&krate, false), assembly(&krate, true));
}
