//! The cases, and what runs each: the closures that the entry holds.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Meta, MetaNameValue, Token};

use super::input::{Input, make, mutability};
use super::instances;
use super::options::Options;
use crate::function::{Function, is_named};
use crate::options::ungrouped;

/// The cases, each with what runs it, of all instances.
pub(super) fn cases(function: &Function, input: Input<'_>, options: &Options) -> TokenStream {
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

/// How large one of `args` is, if that is known. Where it is needed, its type has to say so.
fn size(options: &Options) -> TokenStream {
    let mixed = Span::mixed_site();
    let krate = &options.krate;
    match (&options.size, options.complexity.as_ref().or(options.memory_complexity.as_ref())) {
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

/// What `#[target_feature(enable = "…")]` names.
fn features(function: &Function) -> Vec<LitStr> {
    let attributes = function.attributes.iter().filter(|attribute| is_named(attribute, "target_feature"));
    let lists = attributes.filter_map(|attribute| match &attribute.meta {
        Meta::List(list) => list
            .parse_args_with(syn::punctuated::Punctuated::<MetaNameValue, Token![,]>::parse_terminated)
            .ok(),
        _ => None,
    });
    // What is wrong in one is for the compiler to say.
    let texts = lists.flatten().filter_map(|pair| match pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    });
    texts
        .flat_map(|text| {
            let names: Vec<_> =
                text.value().split(',').map(|name| LitStr::new(name.trim(), text.span())).collect();
            names
        })
        .collect()
}
