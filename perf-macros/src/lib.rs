//! The attributes of [perfkit](https://docs.rs/perfkit): text in, tokens out.
//!
//! Each expands to a `static` description of the place and one call into `perf-runtime`, so that the logic is in code that
//! can be read and tested, and the user's compile time stays low. Function bodies are never parsed: they stay raw tokens.

mod benchmark;
mod borrows;
mod cached;
mod cyclomatic;
mod emit;
mod fallback;
mod function;
mod options;
mod pooled;
mod profiled;
mod scan;

use proc_macro::TokenStream;

/// Measures every call of a function, or of every function in an `impl`, `trait` or `mod`.
#[doc = include_str!("../doc/profiled.md")]
#[proc_macro_attribute]
pub fn profiled(options: TokenStream, item: TokenStream) -> TokenStream {
    fallback::attribute(options, item, profiled::expand)
}

/// What `perfkit::profile_block!` expands to, with the path to perfkit in front of what the user wrote.
#[doc(hidden)]
#[proc_macro]
pub fn profile_block(input: TokenStream) -> TokenStream {
    fallback::expression(input, profiled::expand_block)
}

/// Makes a function a benchmark, and a test of how fast it is.
#[doc = include_str!("../doc/benchmark.md")]
#[proc_macro_attribute]
pub fn benchmark(options: TokenStream, item: TokenStream) -> TokenStream {
    fallback::attribute(options, item, benchmark::expand)
}

/// Keeps the results of a function: called again with the same arguments, it returns what it returned.
#[doc = include_str!("../doc/cached.md")]
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    fallback::attribute(options, item, cached::expand)
}

/// Makes a function the factory of a pool, or gives a struct a pool: objects are used again instead of made again.
#[doc = include_str!("../doc/pooled.md")]
#[proc_macro_attribute]
pub fn pooled(options: TokenStream, item: TokenStream) -> TokenStream {
    fallback::attribute(options, item, pooled::expand)
}
