//! A function's own `#[profiled(…)]` inside of a block that is annotated as a whole.
//!
//! The block measures the function, by the options that are written here, so that the attribute must not do it once more. It is not
//! removed, since the user's `use` of it would then be unused.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token, parse_quote};

/// A `#[profiled(…)]` inside of an annotated block, also one inside of `#[cfg_attr(…)]`.
pub(super) struct Own {
    pub(super) condition: Option<TokenStream>,
    pub(super) options: TokenStream,
}

impl Own {
    /// Finds the first one among the attributes. It stays as `#[profiled(skip)]`, by which a `use` of it stays used.
    pub(super) fn silence(attributes: &mut [Attribute]) -> Option<Own> {
        attributes.iter_mut().find_map(|attribute| Own::silence_in(&mut attribute.meta))
    }

    fn silence_in(meta: &mut Meta) -> Option<Own> {
        let name = &meta.path().segments.last()?.ident;
        let (is_profiled, is_conditional) = (name == "profiled", name == "cfg_attr");
        if !is_profiled && !is_conditional {
            return None;
        }
        let path = meta.path().to_token_stream();
        let tokens = match meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        if is_profiled {
            *meta = parse_quote!(#path(skip));
            return Some(Own { condition: None, options: tokens });
        }
        let (condition, mut attributes) = conditional(tokens)?;
        let own = attributes.iter_mut().find_map(Own::silence_in)?;
        *meta = parse_quote!(#path(#condition, #(#attributes),*));
        let condition = match own.condition {
            Some(inner) => quote!(all(#condition, #inner)),
            None => condition,
        };
        Some(Own { condition: Some(condition), options: own.options })
    }
}

/// The two parts of what `cfg_attr(…)` holds: the condition, and the attributes.
fn conditional(tokens: TokenStream) -> Option<(TokenStream, Vec<Meta>)> {
    let parser = |input: ParseStream| {
        let mut condition = TokenStream::new();
        while !input.peek(Token![,]) {
            condition.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![,]>()?;
        let attributes = Punctuated::<Meta, Token![,]>::parse_terminated(input)?;
        Ok((condition, attributes.into_iter().collect()))
    };
    parser.parse2(tokens).ok()
}
