//! What the compiler gets when an attribute is misused: the messages *and* the item as it was, so that no second error
//! ("cannot find function …") follows from the first.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

/// Runs one attribute's `expand(options, item)`; on errors gives all of them, and the item untouched.
pub(crate) fn attribute(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
    expand: fn(TokenStream, TokenStream) -> Result<TokenStream, Errors>,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    match expand(options.into(), item.clone()) {
        Ok(tokens) => tokens.into(),
        Err(errors) => {
            let messages = errors.into_compile_errors();
            quote!(#messages #item).into()
        }
    }
}

/// Runs the expansion of a function-like macro in expression position.
pub(crate) fn expression(
    input: proc_macro::TokenStream,
    expand: fn(TokenStream) -> Result<TokenStream, Errors>,
) -> proc_macro::TokenStream {
    match expand(input.into()) {
        Ok(tokens) => tokens.into(),
        Err(errors) => {
            let messages = errors.into_compile_errors();
            quote!({ #messages }).into()
        }
    }
}

/// Everything wrong with one use of an attribute, reported together.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds a message at `span`.
    pub(crate) fn push(&mut self, span: Span, message: impl core::fmt::Display) {
        self.push_error(syn::Error::new(span, message));
    }

    /// Adds a message that underlines all of `tokens`.
    pub(crate) fn push_over(&mut self, tokens: &impl ToTokens, message: impl core::fmt::Display) {
        self.push_error(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error that syn found.
    pub(crate) fn push_error(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// `Ok` where nothing was wrong.
    pub(crate) fn check(self) -> Result<(), Errors> {
        if self.0.is_none() { Ok(()) } else { Err(self) }
    }

    fn into_compile_errors(self) -> TokenStream {
        self.0.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}

impl From<syn::Error> for Errors {
    fn from(error: syn::Error) -> Self {
        Errors(Some(error))
    }
}
