//! `#[benchmark]`: the function as it was, an entry in the list of all benchmarks, and a test that runs it.
//!
//! The test stands in a module named `function_benchmark`: the names of values are the user's, and the function's own name in the
//! namespace of types may be that of another attribute's companions. All that names perfkit or the user's own things stands outside of that
//! module, where their paths mean what they mean to the user; a method of the module's type leads there.

mod instances;

use core::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, FnArg, Lit, LitStr, Meta, MetaNameValue, Safety, Token, Type};

use crate::emit;
use crate::fallback::Errors;
use crate::function::{Body, Function, contains_word, is_named, last_segment, line_and_column};
use crate::options::{Entries, FlagOrString, duration_tokens, into_ungrouped, ungrouped};
use crate::scan::Item;

const ATTRIBUTE: &str = "#[benchmark]";

/// What may be said between the parentheses.
#[allow(clippy::struct_excessive_bools, reason = "each is about an option of its own")]
struct Options {
    krate: TokenStream,
    name: Option<LitStr>,
    /// In nanoseconds.
    target: Option<f64>,
    /// Per second.
    throughput: Option<f64>,
    bytes: Option<Expr>,
    items: Option<Expr>,
    threads: Option<Expr>,
    types: Vec<Type>,
    consts: Vec<Expr>,
    /// They were written, right or wrong.
    has_types: bool,
    has_consts: bool,
    group: Option<LitStr>,
    teardown: Option<Expr>,
    target_allocs: Option<u64>,
    /// In bytes.
    target_memory: Option<u64>,
    /// Calls may keep memory.
    may_grow: bool,
    args: Option<Expr>,
    setup: Option<Expr>,
    /// `args` or `setup` was written, right or wrong.
    has_input: bool,
    /// How large one of `args` is.
    size: Option<Expr>,
    complexity: Option<Ident>,
    validate: Option<Expr>,
    iterations: Option<(u64, Span)>,
    warmup: Option<(u64, Span)>,
    timeout: Option<Duration>,
    /// Maybe with the reason.
    ignore: FlagOrString,
}

impl Options {
    fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
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
            bytes: entries.expression("bytes", "|text| text.len()", errors),
            items: entries.expression("items", "1000", errors),
            threads: list("threads", "[1, 2, 4]", &mut entries, errors),
            types: entries.types("types", "[u8, String]", errors),
            consts: elements("consts", "[16, 1024]", &mut entries, errors),
            group: text("group", "\"sorting\"", &mut entries, errors),
            teardown: entries.function("teardown", "stop_server", errors),
            args: list("args", "[10, 100, 1000]", &mut entries, errors),
            setup: entries.function("setup", "make_input", errors),
            size: entries.function("size", "|argument| argument.len()", errors),
            complexity: complexity(&mut entries, errors),
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
    for (name, what) in
        [("complexity", "is judged over the sizes of `args`"), ("size", "says how large each of `args` is")]
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
fn complexity(entries: &mut Entries, errors: &mut Errors) -> Option<Ident> {
    let text = entries.string("complexity", "\"O(n log n)\"", errors)?;
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
                    "`complexity` does not know `{}`; write one of O(1), O(log n), O(sqrt n), O(n), O(n log n), O(n^2), O(n^3), O(2^n)",
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

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream, Errors> {
    let mut errors = Errors::default();
    let options = Options::parse(options, &mut errors);
    let output = match Item::parse(item.clone())? {
        Item::Function(function) => {
            refuse(&function, &mut errors);
            instances::refuse(&function, &options, &mut errors);
            let input = Input::of(&function, &options, &mut errors);
            benchmark(&function, input, &options)
        }
        Item::Container(_) => {
            errors.push(
                Span::call_site(),
                "`#[benchmark]` is for one function; put it on each that is to be measured",
            );
            item
        }
        Item::Other(keyword, span) => {
            let what = keyword.map_or_else(|| String::from("this"), |keyword| format!("a `{keyword}`"));
            errors.push(
                span,
                format_args!("`#[benchmark]` measures a function, and {what} is none; put it on a `fn`"),
            );
            item
        }
    };
    errors.check()?;
    Ok(output)
}

/// Reports what cannot be a benchmark, whatever its input.
fn refuse(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(receiver) = function.receiver() {
        errors.push_over(
            receiver,
            "a method cannot be a benchmark, because nobody would know on what to call it; \
             write a function beside the `impl` that calls it",
        );
    } else if names_self(function) {
        errors.push_over(
            &signature.ident,
            "a function of a type or trait cannot be a benchmark, because what is generated beside it cannot stand there; \
             write a function outside of the `impl` that calls it",
        );
    }
    if let Some(asyncness) = &signature.asyncness {
        errors.push(
            asyncness.span(),
            "an `async fn` only makes a future, and who runs it is for you to choose; \
             write a function that blocks on it with your executor",
        );
    }
    if let Safety::Unsafe(keyword) = &signature.safety {
        errors.push(
            keyword.span(),
            "an `unsafe fn` has conditions that the harness does not know; write a safe function that calls it",
        );
    }
    if let Body::None(semicolon) = &function.body {
        errors.push(
            semicolon.span(),
            "there is no body to measure; put `#[benchmark]` on a function that has one",
        );
    }
}

/// Whether it can only stand in an `impl` or a `trait`. One that does not say so itself is for the compiler to refuse.
fn names_self(function: &Function) -> bool {
    let in_body = match &function.body {
        Body::Block(body) => {
            let body = body.stream();
            // An item in it may have a `Self` of its own.
            contains_word(&body, "Self")
                && !["impl", "trait", "struct", "enum", "union"].iter().any(|item| contains_word(&body, item))
        }
        Body::None(_) => false,
    };
    in_body || contains_word(&function.signature.to_token_stream(), "Self")
}

/// Where a benchmark's argument comes from.
#[derive(Clone, Copy)]
enum Input<'a> {
    /// It has none.
    None,
    /// The `Bencher`, with one of `args` or without.
    Bencher,
    /// One of `args` or the value of `setup`.
    Value(&'a Type),
}

impl<'a> Input<'a> {
    fn of(function: &'a Function, options: &Options, errors: &mut Errors) -> Self {
        let arguments: Vec<&Type> = function
            .signature
            .inputs
            .iter()
            .filter_map(|argument| match argument {
                FnArg::Typed(argument) => Some(&*argument.ty),
                FnArg::Receiver(_) => None,
            })
            .collect();
        let given = match (&options.args, &options.setup) {
            (_, Some(setup)) => Some(("setup", setup)),
            (Some(args), None) => Some(("args", args)),
            (None, None) => None,
        };
        let inputs = &function.signature.inputs;
        match (arguments.as_slice(), given) {
            ([], None) => Input::None,
            ([], Some((name, value))) => {
                errors.push_over(
                    value,
                    format_args!("the function takes nothing of what `{name}` gives; give it an argument, or remove `{name}`"),
                );
                Input::None
            }
            ([ty], _) if is_bencher(ty) => {
                if let Some((name, value)) = given {
                    errors.push_over(
                        value,
                        format_args!(
                            "a function that takes a `Bencher` makes its input itself; remove `{name}`"
                        ),
                    );
                }
                for (name, count) in [("bytes", &options.bytes), ("items", &options.items)] {
                    if let Some(count) = count {
                        errors.push_over(
                            count,
                            format_args!("a function that takes a `Bencher` counts itself; write `bencher.{name}(…)` before `iter`, and remove `{name}`"),
                        );
                    }
                }
                if let Some(validate) = &options.validate {
                    errors.push_over(
                        validate,
                        "a function that takes a `Bencher` returns no result to look at; remove `validate`, and assert in the routine",
                    );
                }
                Input::Bencher
            }
            ([ty], Some(_)) => Input::Value(ty),
            // It is wrong, which is reported.
            ([_], None) if options.has_input => Input::None,
            ([_], None) => {
                errors.push_over(
                    inputs,
                    "nobody knows what to call it with; add `args = [10, 100, 1000]`, `setup = make_input`, \
                     or take a `&mut Bencher`",
                );
                Input::None
            }
            _ => {
                errors.push_over(
                    inputs,
                    "a benchmark takes one argument at most; take a tuple, such as `(rows, columns): (usize, usize)`",
                );
                Input::None
            }
        }
    }
}

fn is_bencher(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => {
            last_segment(&reference.elem).is_some_and(|segment| segment.ident == "Bencher")
        }
        Type::Group(group) => is_bencher(&group.elem),
        _ => false,
    }
}

/// The function, its entry, and its test.
fn benchmark(function: &Function, input: Input<'_>, options: &Options) -> TokenStream {
    let krate = &options.krate;
    let conditions = emit::conditions(&function.attributes);
    let name = function.name();
    let text = name.unraw().to_string();
    let (line, column) = line_and_column(name.span());
    let module = format_ident!("{}_benchmark", name, span = name.span().resolved_at(Span::mixed_site()));
    let cases = cases(function, input, options);
    let settings = settings(function, options);
    let ignore = match &options.ignore {
        FlagOrString::String(reason) => quote!(#[ignore = #reason]),
        FlagOrString::Flag => quote!(#[ignore = "says `#[benchmark(ignore)]`"]),
        FlagOrString::None => TokenStream::new(),
    };
    // That the function is not to be called any more is not said to who measures it.
    let deprecated = function.has_attribute("deprecated").then(|| quote!(#[allow(deprecated)]));
    // All code may be compiled for the features that the function needs, and then calling it is safe.
    let unused_unsafe = function.has_attribute("target_feature").then(|| quote!(#[allow(unused_unsafe)]));
    quote_spanned! {Span::mixed_site()=>
        #function

        #conditions
        #deprecated
        #unused_unsafe
        const _: () = {
            static __PERFKIT_BENCHMARK: #krate::__private::BenchmarkEntry =
                #krate::__private::BenchmarkEntry::new(
                    ::core::concat!(::core::module_path!(), "::", #text),
                    (::core::file!(), #line, #column),
                    || #krate::__private::optimised!(),
                    || #cases,
                ) #settings;

            #krate::__private::inventory::submit! { &__PERFKIT_BENCHMARK }

            #[cfg(test)]
            #[allow(non_local_definitions)]
            impl #module::Test {
                fn run() -> ::core::result::Result<(), #krate::__private::Failure> {
                    #krate::__private::run_as_test(&__PERFKIT_BENCHMARK)
                }
            }
        };

        #conditions
        #[cfg(test)]
        mod #module {
            pub(super) struct Test;

            #[::core::prelude::v1::test]
            #ignore
            fn run() -> ::core::result::Result<(), impl ::core::fmt::Debug> {
                Test::run()
            }
        }
    }
}

/// The cases, each with what runs it, of all instances.
fn cases(function: &Function, input: Input<'_>, options: &Options) -> TokenStream {
    let krate = &options.krate;
    let instances = instances::instances(options);
    let cases = instances.iter().map(|instance| {
        let cases = cases_of_one(function, &instance.turbofish(function), input, options);
        instance.name(cases)
    });
    if instances.len() == 1 {
        quote!(#(#cases)*)
    } else {
        quote!(#krate::__private::Cases::all([#(#cases),*]))
    }
}

/// Those of one instance. `args` occur once in it, so that they are evaluated once and have one type.
fn cases_of_one(
    function: &Function,
    turbofish: &TokenStream,
    input: Input<'_>,
    options: &Options,
) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &options.krate;
    let features = features(function);
    let missing = (!features.is_empty()).then(|| {
        quote_spanned! {mixed=>
            #(
                if !#krate::__private::has_feature!(#features) {
                    return bencher.ended(#krate::__private::missing_feature(#features));
                }
            )*
        }
    });
    let teardown =
        options.teardown.as_ref().map(|teardown| quote_spanned!(mixed=> bencher.teardown(#teardown);));
    let argument = options.args.as_ref().map(|args| Ident::new("argument", args.span().resolved_at(mixed)));
    let run = run(function, turbofish, input, options, argument.as_ref(), !features.is_empty());
    let body = quote_spanned!(mixed=> { #missing #teardown #run });
    let size = size(options);
    let size = quote_spanned!(mixed=> |argument| { #size });
    match (&options.args, &options.threads) {
        (None, None) => quote_spanned!(mixed=> #krate::__private::Cases::one(|bencher| #body)),
        (Some(args), None) => {
            quote_spanned!(mixed=> #krate::__private::Cases::each(#args, |bencher, #argument| #body, #size))
        }
        (None, Some(threads)) => {
            quote_spanned!(mixed=> #krate::__private::Cases::one_together(#threads, |bencher| #body))
        }
        (Some(args), Some(threads)) => quote_spanned! {mixed=>
            #krate::__private::Cases::each_together(#threads, #args, |bencher, #argument| #body, #size)
        },
    }
}

/// How large one of `args` is, if that is known. Where it is needed, its type has to say so.
fn size(options: &Options) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &options.krate;
    match (&options.size, &options.complexity) {
        // As with `setup`: a closure is told the type, a function has one.
        (Some(size), _) => {
            let called = if matches!(ungrouped(size), Expr::Closure(_)) {
                quote_spanned!(mixed=> #krate::__private::size_by(argument, #size))
            } else {
                quote_spanned!(mixed=> (#size)(argument))
            };
            // What is no size is a mistake of the function that gives it.
            let value = quote_spanned!(size.span().resolved_at(mixed)=> &size);
            quote_spanned!(mixed=> let size = #called; #krate::__private::size_of(#value))
        }
        (None, Some(_)) => {
            let span = options.args.as_ref().map_or(mixed, Spanned::span);
            let argument = Ident::new("argument", span.resolved_at(mixed));
            quote_spanned!(mixed=> #krate::__private::size_of(#argument))
        }
        (None, None) => quote_spanned! {mixed=>
            use #krate::__private::{LookSize as _, LookUnsized as _};
            (&&#krate::__private::Looked(argument)).size()
        },
    }
}

/// What runs one case.
fn run(
    function: &Function,
    turbofish: &TokenStream,
    input: Input<'_>,
    options: &Options,
    argument: Option<&Ident>,
    has_features: bool,
) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &options.krate;
    let name = function.name();
    let call = |input: &TokenStream| {
        if has_features {
            // SAFETY (of what this generates): the processor has the features, or the benchmark has ended before.
            quote_spanned!(mixed=> unsafe { #name #turbofish (#input) })
        } else {
            quote_spanned!(mixed=> #name #turbofish (#input))
        }
    };
    let look = |result: TokenStream| {
        quote_spanned! {mixed=> {
            use #krate::__private::{LookAny as _, LookError as _, LookResult as _};
            (&&&#krate::__private::Looked(#result)).error()
        }}
    };
    let check = options.validate.as_ref().map_or_else(
        || {
            let looked = look(quote_spanned!(mixed=> result));
            quote_spanned!(mixed=> |result| #looked)
        },
        ToTokens::to_token_stream,
    );
    // A value of another type than the function's is a mistake of what makes it.
    let origin = options.setup.as_ref().or(options.args.as_ref()).map_or(mixed, Spanned::span);
    let value = Ident::new("input", origin.resolved_at(mixed)).into_token_stream();
    let called = call(&value);
    match input {
        Input::None => {
            let called = call(&TokenStream::new());
            let counted = counted(options, &quote!(&()));
            quote_spanned!(mixed=> #counted bencher.iter_checked(|| #called, #check);)
        }
        Input::Bencher => {
            let called = call(&quote_spanned!(mixed=> bencher));
            let looked = look(quote_spanned!(mixed=> &result));
            quote_spanned!(mixed=> let result = #called; bencher.ended(#looked);)
        }
        Input::Value(ty) => match (mutability(ty), make(options, argument)) {
            (None, make) => {
                let counted = counted(options, &quote_spanned!(mixed=> &#make));
                quote_spanned!(mixed=> #counted bencher.iter_batched_checked(|| #make, |#value| #called, #check);)
            }
            (Some(true), make) => {
                let counted = counted(options, &quote_spanned!(mixed=> &#make));
                quote_spanned! {mixed=>
                #counted
                bencher.iter_stretches(
                    || #make,
                    |inputs, stopwatch| stopwatch.run(inputs, |#value| #called, #check),
                );
                }
            }
            // Nothing happens to it, so one serves all calls.
            (Some(false), make) => {
                let borrowed = quote_spanned!(mixed=> &#make);
                let make =
                    argument.filter(|_| options.setup.is_none()).map_or(borrowed, ToTokens::to_token_stream);
                let counted = counted(options, &quote_spanned!(mixed=> #value));
                quote_spanned! {mixed=>
                    let #value = #make;
                    #counted
                    bencher.iter_checked(|| #called, #check);
                }
            }
        },
    }
}

/// Says what a call works off, by an input to which this is a reference.
fn counted(options: &Options, input: &TokenStream) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &options.krate;
    let said = |method: TokenStream, count: &Option<Expr>| {
        let count = count.as_ref()?;
        // A closure is told what type its argument has.
        let at = count.span().resolved_at(mixed);
        let number = if matches!(ungrouped(count), Expr::Closure(_)) {
            quote_spanned!(at=> #krate::__private::counted(#input, #count))
        } else {
            quote_spanned!(at=> #krate::__private::Amount::of(#count, #input))
        };
        Some(quote_spanned!(mixed=> bencher.#method(#number);))
    };
    let (bytes, items) = (said(quote!(bytes), &options.bytes), said(quote!(items), &options.items));
    quote!(#bytes #items)
}

/// The input of one call.
fn make(options: &Options, argument: Option<&Ident>) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &options.krate;
    let argument = argument.map(|argument| quote_spanned!(mixed=> ::core::clone::Clone::clone(#argument)));
    match (argument, &options.setup) {
        (None, None) => TokenStream::new(),
        (Some(argument), None) => argument,
        (None, Some(setup)) => quote_spanned!(mixed=> (#setup)()),
        // A closure is told what type its argument has; a function has one, to which the argument may be coerced.
        (Some(argument), Some(setup)) if matches!(ungrouped(setup), Expr::Closure(_)) => {
            quote_spanned!(mixed=> #krate::__private::set_up(#argument, #setup))
        }
        (Some(argument), Some(setup)) => {
            quote_spanned!(mixed=> { let argument = #argument; (#setup)(argument) })
        }
    }
}

/// Of a reference, whether it is `&mut`.
fn mutability(ty: &Type) -> Option<bool> {
    match ty {
        Type::Reference(reference) => Some(reference.mutability.is_some()),
        Type::Group(group) => mutability(&group.elem),
        Type::Paren(paren) => mutability(&paren.elem),
        _ => None,
    }
}

/// What `#[target_feature(enable = "…")]` names.
fn features(function: &Function) -> Vec<LitStr> {
    let mut features = Vec::new();
    for attribute in &function.attributes {
        // What is wrong in one is for the compiler to say.
        if is_named(attribute, "target_feature")
            && let Meta::List(list) = &attribute.meta
            && let Ok(pairs) = list.parse_args_with(Punctuated::<MetaNameValue, Token![,]>::parse_terminated)
        {
            for pair in pairs {
                let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = pair.value else { continue };
                for name in text.value().split(',') {
                    features.push(LitStr::new(name.trim(), text.span()));
                }
            }
        }
    }
    features
}

/// The calls that set what is not as it is by itself.
fn settings(function: &Function, options: &Options) -> TokenStream {
    let number = |number: &Option<(u64, Span)>| number.map(|(number, _)| Literal::u64_unsuffixed(number));
    let group = options.group.as_ref().map(|group| quote!(.group(#group)));
    let in_group = options.group.as_ref().map(|group| {
        let (name, span) = match &options.name {
            Some(name) => (name.value(), name.span()),
            None => (function.name().unraw().to_string(), group.span()),
        };
        LitStr::new(&format!("{}/{name}", group.value()), span)
    });
    let named = in_group.as_ref().or(options.name.as_ref()).map(|name| quote!(.named(#name)));
    let throughput = options.throughput.map(Literal::f64_unsuffixed);
    let throughput = throughput.map(|rate| quote!(.target_throughput(#rate)));
    let target = options.target.map(Literal::f64_unsuffixed).map(|target| quote!(.target(#target)));
    let krate = &options.krate;
    let complexity =
        options.complexity.as_ref().map(|class| quote!(.complexity(#krate::__private::Class::#class)));
    let allocations = options.target_allocs.map(Literal::u64_unsuffixed);
    let allocations = allocations.map(|target| quote!(.target_allocations(#target)));
    let bytes =
        options.target_memory.map(Literal::u64_unsuffixed).map(|target| quote!(.target_bytes(#target)));
    let may_grow = options.may_grow.then(|| quote!(.may_grow()));
    let timeout = options.timeout.map(duration_tokens).map(|timeout| quote!(.timeout(#timeout)));
    let iterations = number(&options.iterations).map(|iterations| quote!(.iterations(#iterations)));
    let warmup = number(&options.warmup).map(|warmup| quote!(.warmup(#warmup)));
    let ignored = match &options.ignore {
        FlagOrString::String(reason) => Some(quote!(.ignored(#reason))),
        FlagOrString::Flag => Some(quote!(.ignored(""))),
        FlagOrString::None => None,
    };
    quote!(
        #named #group #target #throughput #complexity #allocations #bytes #may_grow #timeout #iterations #warmup #ignored
    )
}
