//! `#[benchmark]`: the function as it was, an entry in the list of all benchmarks, and a test that runs it.
//!
//! The test stands in a module named `function_benchmark`: the names of values are the user's, and the function's own name in the
//! namespace of types may be that of another attribute's companions.

use core::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, FnArg, LitStr, Path, Safety, Type};

use crate::emit;
use crate::fallback::Errors;
use crate::function::{Body, Function, is_reference, last_segment, line_and_column};
use crate::options::{Entries, FlagOrString, duration_tokens};
use crate::scan::Item;

const ATTRIBUTE: &str = "#[benchmark]";

/// What may be said between the parentheses.
struct Options {
    krate: Path,
    name: Option<LitStr>,
    target: Option<Duration>,
    args: Option<Expr>,
    setup: Option<Expr>,
    /// `args` or `setup` was written, right or wrong.
    has_input: bool,
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
            "args",
            "setup",
            "validate",
            "iterations",
            "warmup",
            "timeout",
            "ignore",
            "name",
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
        Options {
            has_input,
            target: target(&mut entries, errors),
            args: entries.expression("args", "[10, 100, 1000]", errors),
            setup: entries.function("setup", "make_input", errors),
            validate: entries.function("validate", "|result| result.is_ok()", errors),
            iterations,
            warmup: entries.integer("warmup", "10", errors),
            timeout: timeout.map(|(timeout, _)| timeout),
            ignore: entries.flag_or_string("ignore", "\"needs the network\"", errors),
            name: entries.string("name", "\"parse a large file\"", errors),
            krate: entries.crate_path(errors),
        }
    }
}

/// One of `target_ms`, `target_us`, `target_ns`.
fn target(entries: &mut Entries, errors: &mut Errors) -> Option<Duration> {
    let mut target = None;
    for (name, seconds) in [("target_ms", 1e-3), ("target_us", 1e-6), ("target_ns", 1e-9)] {
        let Some((number, span)) = entries.number(name, "1", errors) else { continue };
        if target.is_some() {
            errors.push(
                span,
                "a benchmark has one target; keep one of `target_ms`, `target_us` and `target_ns`",
            );
            continue;
        }
        let duration = Duration::try_from_secs_f64(number * seconds).ok().filter(|target| !target.is_zero());
        if duration.is_none() {
            errors.push(
                span,
                format_args!("`{name}` is how long a call may take, so it is more than 0 and no longer than centuries; \
                              write for example `{name} = 1`"),
            );
        }
        target = duration;
    }
    target
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream, Errors> {
    let mut errors = Errors::default();
    let options = Options::parse(options, &mut errors);
    let output = match Item::parse(item.clone())? {
        Item::Function(function) => {
            refuse(&function, &mut errors);
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
    if !signature.generics.params.is_empty() {
        errors.push_over(
            &signature.generics.params,
            "a generic function cannot be a benchmark, because nobody would know for which types; \
             write a function for each instance that is to be measured",
        );
    }
    if let Body::None(semicolon) = &function.body {
        errors.push(
            semicolon.span(),
            "there is no body to measure; put `#[benchmark]` on a function that has one",
        );
    }
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
    let cases = cases(options);
    let run = run(function, input, options);
    let settings = settings(options);
    let ignore = match &options.ignore {
        FlagOrString::String(reason) => quote!(#[ignore = #reason]),
        FlagOrString::Flag => quote!(#[ignore = "says `#[benchmark(ignore)]`"]),
        FlagOrString::None => TokenStream::new(),
    };
    let mixed = Span::mixed_site();
    let entry = quote_spanned! {mixed=>
        #conditions
        const _: () = {
            #krate::__private::inventory::submit! {
                #krate::__private::BenchmarkEntry::new(
                    ::core::concat!(::core::module_path!(), "::", #text),
                    (::core::file!(), #line, #column),
                    !::core::cfg!(debug_assertions),
                    #cases,
                    #run,
                ) #settings
            }
        };
    };
    quote_spanned! {mixed=>
        #function

        #entry

        #conditions
        #[cfg(test)]
        mod #module {
            #[test]
            #ignore
            fn run() -> ::core::result::Result<(), #krate::__private::Failure> {
                #krate::__private::run_as_test(::core::file!(), #line, #column)
            }
        }
    }
}

/// A function that names the cases.
fn cases(options: &Options) -> TokenStream {
    let krate = &options.krate;
    match &options.args {
        None => quote_spanned!(Span::mixed_site()=> || ::std::vec::Vec::new()),
        Some(args) => quote_spanned! {Span::mixed_site()=>
            || ::core::iter::IntoIterator::into_iter(#args)
                .map(|argument| #krate::__private::case_name(&argument))
                .collect()
        },
    }
}

/// A function that runs one case.
fn run(function: &Function, input: Input<'_>, options: &Options) -> TokenStream {
    let mixed = Span::mixed_site();
    let name = function.name();
    let valid = options.validate.as_ref().map_or_else(|| quote!(|_| true), ToTokens::to_token_stream);
    let call = match input {
        Input::None => quote_spanned!(mixed=> bencher.iter_valid(|| #name(), #valid)),
        Input::Bencher => return quote_spanned!(mixed=> |bencher, _| #name(bencher)),
        Input::Value(ty) => {
            let make = make(options);
            // A value of another type than the function's is a mistake of what makes it.
            let origin = options.setup.as_ref().or(options.args.as_ref()).map_or(mixed, Spanned::span);
            let input = Ident::new("input", origin.resolved_at(mixed));
            if !is_reference(ty) {
                quote_spanned!(mixed=> bencher.iter_batched_valid(#make, |#input| #name(#input), #valid))
            } else if is_mutable_reference(ty) {
                quote_spanned!(mixed=> bencher.iter_batched_ref_valid(#make, |#input: &mut _| #name(#input), #valid))
            } else {
                // Nothing happens to it, so one serves all calls.
                quote_spanned! {mixed=>
                    let #input = (#make)();
                    bencher.iter_valid(
                        || {
                            let #input = ::core::hint::black_box(&#input);
                            #name(#input)
                        },
                        #valid,
                    )
                }
            }
        }
    };
    quote_spanned!(mixed=> |bencher, case| { let _ = case; #call })
}

/// A closure that makes the input of one call.
fn make(options: &Options) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &options.krate;
    let argument = options
        .args
        .as_ref()
        .map(|args| quote_spanned!(mixed=> #krate::__private::benchmark_argument(#args, case)));
    match (argument, &options.setup) {
        (Some(argument), Some(setup)) => quote_spanned!(mixed=> || (#setup)(#argument)),
        (Some(argument), None) => quote_spanned!(mixed=> || #argument),
        (None, Some(setup)) => quote_spanned!(mixed=> || (#setup)()),
        (None, None) => TokenStream::new(),
    }
}

fn is_mutable_reference(ty: &Type) -> bool {
    ty.to_token_stream().into_iter().take(3).any(|token| token.to_string() == "mut")
}

/// The calls that set what is not as it is by itself.
fn settings(options: &Options) -> TokenStream {
    let number = |number: &Option<(u64, Span)>| number.map(|(number, _)| Literal::u64_unsuffixed(number));
    let named = options.name.as_ref().map(|name| quote!(.named(#name)));
    let target = options.target.map(duration_tokens).map(|target| quote!(.target(#target)));
    let timeout = options.timeout.map(duration_tokens).map(|timeout| quote!(.timeout(#timeout)));
    let iterations = number(&options.iterations).map(|iterations| quote!(.iterations(#iterations)));
    let warmup = number(&options.warmup).map(|warmup| quote!(.warmup(#warmup)));
    let ignored = (!matches!(options.ignore, FlagOrString::None)).then(|| quote!(.ignored()));
    quote!(#named #target #timeout #iterations #warmup #ignored)
}
