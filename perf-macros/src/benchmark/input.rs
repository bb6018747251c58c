//! Where a benchmark's argument comes from, and how it is made.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, FnArg, Type};

use super::options::Options;
use crate::fallback::Errors;
use crate::function::{Function, last_segment};
use crate::options::ungrouped;

/// Where a benchmark's argument comes from.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// It has none.
    None,
    /// The `Bencher`, with one of `args` or without.
    Bencher,
    /// One of `args` or the value of `setup`.
    Value(&'a Type),
}

impl<'a> Input<'a> {
    pub(super) fn of(function: &'a Function, options: &Options, errors: &mut Errors) -> Self {
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

/// The input of one call.
pub(super) fn make(options: &Options, argument: Option<&Ident>) -> TokenStream {
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
pub(super) fn mutability(ty: &Type) -> Option<bool> {
    match ty {
        Type::Reference(reference) => Some(reference.mutability.is_some()),
        Type::Group(group) => mutability(&group.elem),
        Type::Paren(paren) => mutability(&paren.elem),
        _ => None,
    }
}
