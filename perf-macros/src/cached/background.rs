//! Results that are computed anew in the background: the arguments are taken along, owned.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Safety;
use syn::spanned::Spanned;

use super::Cached;
use super::key::Shape;
use super::options::Options;
use crate::borrows::{borrows, borrows_mutably};
use crate::fallback::Errors;
use crate::function::{Argument, Function, contains_impl};

/// Reports what cannot be had in the background.
pub(super) fn refuse(
    function: &Function,
    arguments: &[Argument<'_>],
    options: &Options,
    errors: &mut Errors,
) {
    let Some(option) = options.background else { return };
    if !options.companions {
        errors.push(
            option,
            "the body runs in the background, as a function of its own that stands beside this one; \
             remove `companions = false`, or cache a function outside that takes what it needs",
        );
    }
    if let Some(receiver) = function.receiver() {
        errors.push_over(
            receiver,
            "the body runs in the background, after `self` may be gone; \
             cache a function that takes what it needs of it, by value or as `&T`",
        );
    }
    for Argument { ty, .. } in arguments {
        if borrows_mutably(ty) || borrows(Shape::of(ty).inner()) {
            errors.push_over(
                ty,
                "the body runs in the background, after what this borrows may be gone; \
                 take it by value, or as `&T` of a type that owns what it needs",
            );
        } else if contains_impl(ty) {
            errors.push_over(
                ty,
                "the body runs in the background, and `impl Trait` does not say that it can be taken there; \
                 write a type parameter, such as `<T: Trait + Send + 'static>`",
            );
        }
    }
}

impl Cached<'_> {
    /// The body in the background, by a call of `uncached` with arguments that are owned.
    pub(super) fn refresh(&self) -> TokenStream {
        let krate = &self.options.krate;
        let owned = self.arguments.iter().map(|Argument { name, ty, .. }| {
            let shape = Shape::of(ty);
            let (way, value) = match &shape {
                Shape::Value(_) => ("Moved", quote!(#name)),
                Shape::Reference(_) => ("Lent", quote!(#name)),
                Shape::Optional(_) => ("OptionLent", quote!(#name)),
                Shape::Cow(_) => ("Lent", quote!(&*#name)),
            };
            let way = Ident::new(way, Span::mixed_site());
            // Messages about the argument point at its type.
            let span = shape.inner().span().resolved_at(Span::mixed_site());
            let owned = quote_spanned!(span=> #krate::__private::background::#way(#value).__perfkit_own());
            quote_spanned!(Span::mixed_site()=> let #name = #owned;)
        });
        let lent = self.arguments.iter().map(|Argument { name, ty, .. }| match Shape::of(ty) {
            Shape::Value(_) => quote!(#name),
            Shape::Reference(_) => quote!(::core::borrow::Borrow::borrow(&#name)),
            Shape::Optional(_) => quote!(#name.as_ref().map(::core::borrow::Borrow::borrow)),
            Shape::Cow(_) => quote!(::std::borrow::Cow::Borrowed(::core::borrow::Borrow::borrow(&#name))),
        });
        let uncached = self.turbofish(&self.body_path());
        let mut call = quote_spanned!(Span::mixed_site()=> #uncached(#(#lent),*));
        let signature = &self.function.signature;
        if matches!(signature.safety, Safety::Unsafe(_)) {
            call = quote_spanned!(Span::mixed_site()=> unsafe { #call });
        }
        let run = if signature.asyncness.is_some() {
            quote_spanned!(Span::mixed_site()=> __perfkit_refresh.run_async(async move { #call.await });)
        } else {
            quote_spanned!(Span::mixed_site()=> __perfkit_refresh.run(move || #call);)
        };
        quote_spanned! {Span::mixed_site()=>
            #[allow(unused_imports)]
            use #krate::__private::background::{Fit as _, Unfit as _};
            #(#owned)*
            #run
        }
    }
}
