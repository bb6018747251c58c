//! The instances of a generic function that are measured: one for each of `types` and `consts`, or for each of one with each of the other.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, GenericParam, Type};

use super::options::Options;
use crate::fallback::Errors;
use crate::function::Function;

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Instance<'a> {
    ty: Option<&'a Type>,
    value: Option<&'a Expr>,
}

/// All of them; one that says nothing where the function is not generic.
pub(super) fn instances<'a>(options: &'a Options) -> Vec<Instance<'a>> {
    let types: Vec<Option<&'a Type>> =
        if options.types.is_empty() { vec![None] } else { options.types.iter().map(Some).collect() };
    let values: Vec<Option<&'a Expr>> =
        if options.consts.is_empty() { vec![None] } else { options.consts.iter().map(Some).collect() };
    let mut instances = Vec::new();
    for ty in types {
        for &value in &values {
            instances.push(Instance { ty, value });
        }
    }
    instances
}

impl Instance<'_> {
    /// What follows the function's name, in the order of its parameters.
    pub(super) fn turbofish(self, function: &Function) -> TokenStream {
        let arguments: Vec<TokenStream> = function
            .signature
            .generics
            .params
            .iter()
            .filter_map(|parameter| match parameter {
                GenericParam::Lifetime(_) => None,
                GenericParam::Type(_) => self.ty.map(ToTokens::to_token_stream),
                GenericParam::Const(_) => self.value.map(|value| quote!({ #value })),
            })
            .collect();
        if arguments.is_empty() { TokenStream::new() } else { quote!(::<#(#arguments),*>) }
    }

    /// The cases with the instance's name before their own.
    pub(super) fn name(self, cases: TokenStream) -> TokenStream {
        let mixed = Span::mixed_site();
        let cases = match self.value {
            Some(value) => quote_spanned!(mixed=> #cases.of(&::core::convert::identity(#value))),
            None => cases,
        };
        match self.ty {
            Some(ty) => {
                let text = as_written(ty);
                quote_spanned!(mixed=> #cases.of(&#text))
            }
            None => cases,
        }
    }
}

/// A type as people write it: tokens turned into text have a space between any two.
fn as_written(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, close) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        (" ;", ";"),
    ] {
        text = text.replace(spaced, close);
    }
    text
}

/// Reports parameters that nothing is given for, and what is given for no parameter.
pub(super) fn refuse(function: &Function, options: &Options, errors: &mut Errors) {
    let (mut types, mut consts) = (0, 0);
    for parameter in &function.signature.generics.params {
        match parameter {
            GenericParam::Lifetime(_) => {}
            GenericParam::Type(_) => {
                types += 1;
                if types == 1 && !options.has_types {
                    errors.push_over(
                        parameter,
                        "nobody knows for which types to measure a generic function; add `types = [u8, String]`, \
                         or write a function for each instance that is to be measured",
                    );
                }
            }
            GenericParam::Const(_) => {
                consts += 1;
                if consts == 1 && !options.has_consts {
                    errors.push_over(
                        parameter,
                        "nobody knows for which numbers to measure a generic function; add `consts = [16, 1024]`, \
                         or write a function for each instance that is to be measured",
                    );
                }
            }
        }
        if types > 1 || consts > 1 {
            errors.push_over(
                parameter,
                "`types` and `consts` give one parameter each; write a function for each instance that is to be measured, \
                 or one that is generic over one type",
            );
            return;
        }
    }
    if types == 0
        && let Some(ty) = options.types.first()
    {
        errors.push_over(
            ty,
            "the function has no type parameter; give it one, such as `<T>`, or remove `types`",
        );
    }
    if consts == 0
        && let Some(value) = options.consts.first()
    {
        errors.push_over(
            value,
            "the function has no const parameter; give it one, such as `<const N: usize>`, or remove `consts`",
        );
    }
}
