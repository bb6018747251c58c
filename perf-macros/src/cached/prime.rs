//! `prime_all`: results computed before they are asked for, on several threads.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Safety;

use super::Cached;
use super::key::Shape;
use crate::borrows::borrows;
use crate::function::Argument;

impl Cached<'_> {
    /// The companion, where any thread can call the function with arguments that are owned.
    pub(super) fn prime_all(&self) -> Option<TokenStream> {
        let signature = &self.function.signature;
        let is_plain = signature.asyncness.is_none()
            && matches!(signature.safety, Safety::Default)
            && !self.options.is_local
            && !self.function.has_attribute("target_feature");
        let shapes: Vec<Shape<'_>> = self.arguments.iter().map(|argument| Shape::of(argument.ty)).collect();
        if !is_plain
            || shapes.is_empty()
            // What is in a key can be sent to another thread.
            || !self.key.are_all(self.arguments)
            || shapes.iter().any(|shape| borrows(shape.inner()))
        {
            return None;
        }
        let types = shapes.iter().map(|shape| match shape {
            Shape::Value(ty) => quote!(#ty),
            Shape::Reference(ty) | Shape::Cow(ty) => {
                quote!(impl ::core::borrow::Borrow<#ty> + ::core::marker::Send)
            }
            Shape::Optional(ty) => {
                quote!(::core::option::Option<impl ::core::borrow::Borrow<#ty> + ::core::marker::Send>)
            }
        });
        let types: Vec<TokenStream> = types.collect();
        let names: Vec<&Ident> = self.arguments.iter().map(|Argument { name, .. }| name).collect();
        let lent = names.iter().zip(&shapes).map(|(name, shape)| match shape {
            Shape::Value(_) => quote!(#name),
            Shape::Reference(_) => quote!(::core::borrow::Borrow::borrow(&#name)),
            Shape::Optional(_) => quote!(#name.as_ref().map(::core::borrow::Borrow::borrow)),
            Shape::Cow(_) => quote!(::std::borrow::Cow::Borrowed(::core::borrow::Borrow::borrow(&#name))),
        });
        let (item, pattern) = match (types.as_slice(), names.as_slice()) {
            ([ty], [name]) => (ty.clone(), quote!(#name)),
            (types, names) => (quote!((#(#types),*)), quote!((#(#names),*))),
        };
        let krate = &self.options.krate;
        let visibility = &self.function.visibility;
        let (generics, bounds) = (&signature.generics, &signature.generics.where_clause);
        let prime = self.turbofish(&quote!(Self::prime));
        Some(quote_spanned! {Span::mixed_site()=>
            /// Runs the function with each of these arguments, whatever is in the cache, on as many threads as there are processors, and keeps the
            /// results. Returns how many calls came to an end, and panics at last if one of them did.
            #[allow(clippy::must_use_candidate, clippy::missing_panics_doc, clippy::extra_unused_lifetimes, clippy::type_complexity)]
            #visibility fn prime_all #generics (
                __perfkit_arguments: impl ::core::iter::IntoIterator<Item = #item>,
            ) -> ::core::primitive::u64 #bounds {
                #krate::__private::prime_all(__perfkit_arguments, |#pattern| { let _ = #prime(#(#lent),*); })
            }
        })
    }
}
