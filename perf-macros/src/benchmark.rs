//! `#[benchmark]`: the function as it was, an entry in the list of all benchmarks, and a test that runs it.
//!
//! The test stands in a module named `function_benchmark`: the names of values are the user's, and the function's own name in the
//! namespace of types may be that of another attribute's companions. All that names perfkit or the user's own things stands outside of that
//! module, where their paths mean what they mean to the user; a method of the module's type leads there.

mod cases;
mod input;
mod instances;
mod options;
mod settings;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Safety;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use self::cases::cases;
use self::input::Input;
use self::options::Options;
use self::settings::settings;
use crate::emit;
use crate::fallback::Errors;
use crate::function::{Body, Function, contains_word, line_and_column};
use crate::options::FlagOrString;
use crate::scan::Item;

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
