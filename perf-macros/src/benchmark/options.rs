//! What may be said between the parentheses, and what is wrong with it.

use core::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Expr, ExprLit, Lit, LitStr, Type};

use crate::fallback::Errors;
use crate::options::{Entries, FlagOrString, into_ungrouped, ungrouped};

const ATTRIBUTE: &str = "#[benchmark]";

/// What may be said between the parentheses.
#[allow(clippy::struct_excessive_bools, reason = "each is about an option of its own")]
pub(super) struct Options {
    pub(super) krate: TokenStream,
    pub(super) name: Option<LitStr>,
    /// In nanoseconds.
    pub(super) target: Option<f64>,
    /// Per second.
    pub(super) throughput: Option<f64>,
    pub(super) bytes: Option<Expr>,
    pub(super) items: Option<Expr>,
    pub(super) threads: Option<Expr>,
    pub(super) types: Vec<Type>,
    pub(super) consts: Vec<Expr>,
    /// They were written, right or wrong.
    pub(super) has_types: bool,
    pub(super) has_consts: bool,
    pub(super) group: Option<LitStr>,
    pub(super) teardown: Option<Expr>,
    pub(super) target_allocs: Option<u64>,
    /// In bytes.
    pub(super) target_memory: Option<u64>,
    /// Calls may keep memory.
    pub(super) may_grow: bool,
    pub(super) args: Option<Expr>,
    pub(super) setup: Option<Expr>,
    /// `args` or `setup` was written, right or wrong.
    pub(super) has_input: bool,
    /// How large one of `args` is.
    pub(super) size: Option<Expr>,
    pub(super) complexity: Option<Ident>,
    pub(super) memory_complexity: Option<Ident>,
    pub(super) validate: Option<Expr>,
    pub(super) iterations: Option<(u64, Span)>,
    pub(super) warmup: Option<(u64, Span)>,
    pub(super) timeout: Option<Duration>,
    /// Maybe with the reason.
    pub(super) ignore: FlagOrString,
}

impl Options {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let known = [
            "target_ms",
            "target_us",
            "target_ns",
            "target_throughput",
            "target_allocs",
            "target_memory_mb",
            "leaks",
            "bytes",
            "items",
            "args",
            "types",
            "consts",
            "threads",
            "setup",
            "teardown",
            "size",
            "complexity",
            "memory_complexity",
            "validate",
            "iterations",
            "warmup",
            "timeout",
            "ignore",
            "name",
            "group",
            "crate",
        ];
        let mut entries = Entries::parse(ATTRIBUTE, tokens, &known, errors);
        let iterations = entries.integer("iterations", "100", errors);
        if let Some((0, span)) = iterations {
            errors
                .push(span, "nothing is measured in no iterations; write at least 1, or remove `iterations`");
        }
        let timeout = entries.duration("timeout", "30", errors);
        if let Some((Duration::ZERO, span)) = timeout {
            errors.push(
                span,
                "no benchmark ends in no time; write how long it may take, such as `timeout = 30` (seconds)",
            );
        }
        let has_input = entries.has("args") || entries.has("setup");
        let (has_types, has_consts) = (entries.has("types"), entries.has("consts"));
        needs_args(&entries, errors);
        let target = target(&mut entries, errors);
        Options {
            has_types,
            has_consts,
            has_input,
            target,
            throughput: throughput(&mut entries, target, errors),
            target_allocs: entries.integer("target_allocs", "10", errors).map(|(number, _)| number),
            target_memory: target_memory(&mut entries, errors),
            may_grow: may_grow(&mut entries, errors),
            bytes: work("bytes", "|text| text.len()", &mut entries, errors),
            items: work("items", "1000", &mut entries, errors),
            threads: list("threads", "[1, 2, 4]", &mut entries, errors),
            types: entries.types("types", "[u8, String]", errors),
            consts: elements("consts", "[16, 1024]", &mut entries, errors),
            group: text("group", "\"sorting\"", &mut entries, errors),
            teardown: entries.function("teardown", "stop_server", errors),
            args: list("args", "[10, 100, 1000]", &mut entries, errors),
            setup: entries.function("setup", "make_input", errors),
            size: entries.function("size", "|argument| argument.len()", errors),
            complexity: complexity("complexity", &mut entries, errors),
            memory_complexity: complexity("memory_complexity", &mut entries, errors),
            validate: entries.function("validate", "|result| result.is_ok()", errors),
            iterations,
            warmup: entries.integer("warmup", "10", errors),
            timeout: timeout.map(|(timeout, _)| timeout),
            ignore: entries.flag_or_string("ignore", "\"needs the network\"", errors),
            name: text("name", "\"parse a large file\"", &mut entries, errors),
            krate: entries.crate_path(errors),
        }
    }
}

/// One of `target_ms`, `target_us`, `target_ns`, in nanoseconds.
fn target(entries: &mut Entries, errors: &mut Errors) -> Option<f64> {
    let mut target = None;
    for (name, nanos) in [("target_ms", 1e6), ("target_us", 1e3), ("target_ns", 1.0)] {
        let Some((number, span)) = entries.number(name, "1", errors) else { continue };
        if target.is_some() {
            errors.push(
                span,
                "a benchmark has one target; keep one of `target_ms`, `target_us` and `target_ns`",
            );
            continue;
        }
        let nanos = number * nanos;
        if nanos > 0.0 && Duration::try_from_secs_f64(nanos / 1e9).is_ok() {
            target = Some(nanos);
        } else {
            errors.push(
                span,
                format_args!("`{name}` is how long a call may take, so it is more than 0 and no longer than centuries; \
                              write for example `{name} = 1`"),
            );
        }
    }
    target
}

fn throughput(entries: &mut Entries, target: Option<f64>, errors: &mut Errors) -> Option<f64> {
    let (rate, span) = entries.number("target_throughput", "10_000", errors)?;
    if target.is_some() {
        errors.push(
            span,
            "a benchmark has one target of time; keep `target_throughput` or how long a call may take",
        );
        return None;
    }
    // A call may then take more than nothing and less than centuries.
    if rate > 1e-9 && rate.is_finite() {
        return Some(rate);
    }
    errors.push(
        span,
        "`target_throughput` is how many calls, or `items`, there are in a second, so it is more than 0; write for example \
         `target_throughput = 10_000`",
    );
    None
}

/// What a call works off: a number or a function. One that is always nothing is a mistake.
fn work(name: &str, example: &str, entries: &mut Entries, errors: &mut Errors) -> Option<Expr> {
    let count = entries.expression(name, example, errors)?;
    if let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = ungrouped(&count)
        && number.base10_digits() == "0"
    {
        errors.push(
            number.span(),
            format_args!("a call that works off nothing has no throughput; write for example `{name} = {example}`, or remove `{name}`"),
        );
        return None;
    }
    Some(count)
}

/// In bytes.
fn target_memory(entries: &mut Entries, errors: &mut Errors) -> Option<u64> {
    let (megabytes, span) = entries.number("target_memory_mb", "1", errors)?;
    let bytes = (megabytes * 1e6).round();
    if bytes >= 1.0 && bytes <= 2_f64.powi(63) {
        return Some(bytes as u64);
    }
    errors.push(
        span,
        "`target_memory_mb` is how many megabytes a call may hold, so it is more than 0 and no more than there can be; write for example \
         `target_memory_mb = 1`, or `target_allocs = 0` where a call is to allocate nothing",
    );
    None
}

/// `leaks = "allow"`, which is all that can be said.
fn may_grow(entries: &mut Entries, errors: &mut Errors) -> bool {
    let Some(leaks) = entries.string("leaks", "\"allow\"", errors) else { return false };
    let may_grow = leaks.value() == "allow";
    if !may_grow {
        errors.push(
            leaks.span(),
            "`leaks` knows only \"allow\": calls may keep memory; remove it where they may not, which is so by itself",
        );
    }
    may_grow
}

/// Reports what says something of `args` where there are none.
fn needs_args(entries: &Entries, errors: &mut Errors) {
    if entries.has("args") {
        return;
    }
    let judged = "is judged over the sizes of `args`";
    for (name, what) in
        [("complexity", judged), ("memory_complexity", judged), ("size", "says how large each of `args` is")]
    {
        if let Some(span) = entries.span_of(name) {
            errors.push(
                span,
                format_args!(
                    "`{name}` {what}, and there are none; add for example `args = [10, 100, 1000, 10000]`"
                ),
            );
        }
    }
}

/// The class, by the name that it has in `perf-bench`.
fn complexity(name: &str, entries: &mut Entries, errors: &mut Errors) -> Option<Ident> {
    let text = entries.string(name, "\"O(n log n)\"", errors)?;
    let written: String =
        text.value().to_lowercase().chars().filter(|character| !" *·".contains(*character)).collect();
    let inside = written.strip_prefix("o(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(&written);
    let class = match inside {
        "1" => "Constant",
        "logn" | "log(n)" => "Logarithmic",
        "sqrtn" | "sqrt(n)" | "√n" => "SquareRoot",
        "n" => "Linear",
        "nlogn" | "nlog(n)" => "Linearithmic",
        "n²" | "n^2" => "Quadratic",
        "n³" | "n^3" => "Cubic",
        "2ⁿ" | "2^n" => "Exponential",
        _ => {
            errors.push(
                text.span(),
                format_args!(
                    "`{name}` does not know `{}`; write one of O(1), O(log n), O(sqrt n), O(n), O(n log n), O(n^2), O(n^3), O(2^n)",
                    text.value()
                ),
            );
            return None;
        }
    };
    Some(Ident::new(class, Span::mixed_site()))
}

/// Anything that is iterated; not an empty array.
fn list(name: &str, example: &str, entries: &mut Entries, errors: &mut Errors) -> Option<Expr> {
    let list = entries.expression(name, example, errors)?;
    // Of literals, only bytes can be iterated. The compiler would propose a range.
    if let Expr::Lit(ExprLit { lit, .. }) = ungrouped(&list)
        && !matches!(lit, Lit::ByteStr(_))
    {
        errors.push_over(
            &list,
            format_args!("`{name}` is a list, also of one; write for example `{name} = {example}`"),
        );
        return None;
    }
    if let Expr::Array(array) = ungrouped(&list)
        && array.elems.is_empty()
    {
        errors.push_over(
            &list,
            format_args!(
                "nothing is run with no {}; write at least one, such as `{name} = {example}`, or remove `{name}`",
                if name == "args" { "arguments" } else { name }
            ),
        );
        return None;
    }
    Some(list)
}

/// What stands in the array: each makes an instance of a generic function, so it has to be known while compiling.
fn elements(name: &str, example: &str, entries: &mut Entries, errors: &mut Errors) -> Vec<Expr> {
    let Some(list) = list(name, example, entries, errors) else { return Vec::new() };
    if !matches!(ungrouped(&list), Expr::Array(_)) {
        errors.push_over(
            &list,
            format_args!("`{name}` makes an instance for each, so they are written here; write for example `{name} = {example}`"),
        );
    }
    match into_ungrouped(list) {
        Expr::Array(array) => array.elems.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A name that a command line can say and a list can show.
fn text(option: &str, example: &str, entries: &mut Entries, errors: &mut Errors) -> Option<LitStr> {
    let name = entries.string(option, example, errors)?;
    let text = name.value();
    if text.starts_with('-') {
        errors.push(
            name.span(),
            format_args!(
                "`{option}` begins with `-`, which the command line of tests takes for an option; begin it with another character"
            ),
        );
    }
    if let Some(control) = text.chars().find(|character| character.is_control()) {
        errors.push(
            name.span(),
            format_args!(
                "`{option}` has {control:?} in it, and is to be one line of text in lists and tables; remove it"
            ),
        );
    }
    Some(name)
}
