//! What one call works off, so that a table can say how much of it in a second.

/// Per call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Work {
    pub(crate) bytes: Option<u64>,
    pub(crate) items: Option<u64>,
}

impl Work {
    /// What a throughput counts: items where there are any, else calls.
    #[inline]
    pub(crate) fn units(self) -> f64 {
        self.items.map_or(1.0, |items| items as f64)
    }
}

/// A number of bytes or items, or a function that counts them in an input. `M` tells the compiler which of the two it is.
///
/// ```
/// use perf_bench::Amount as _;
///
/// const LINES: usize = 7;
/// fn length(text: &String) -> usize {
///     text.len()
/// }
/// let text = String::from("four");
/// assert_eq!((LINES.of(&text), 1_u64.of(&text), length.of(&text)), (7, 1, 4));
/// ```
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this is neither a number nor a function that gives one of an input",
    label = "write a number such as `1024`, or a function or closure such as `|input| input.len()`"
)]
pub trait Amount<I, M> {
    /// Of one call.
    fn of(self, input: &I) -> u64;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl<I> Amount<I, ()> for $number {
            #[inline]
            fn of(self, _: &I) -> u64 {
                u64::try_from(self)
                    .unwrap_or_else(|_| panic!("in `bytes` or `items`, which are numbers from 0, not {self}"))
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize, i32);

impl<I, N: Amount<I, ()>, F: FnOnce(&I) -> N> Amount<I, (N,)> for F {
    #[inline]
    fn of(self, input: &I) -> u64 {
        self(input).of(input)
    }
}

/// As [`Amount::of`], for a closure whose argument has no type written.
#[doc(hidden)]
#[inline]
pub fn counted<I, N: Amount<I, ()>>(input: &I, count: impl FnOnce(&I) -> N) -> u64 {
    count(input).of(input)
}
