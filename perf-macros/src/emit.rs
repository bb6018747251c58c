//! What all attributes generate: the static site, and what is put around a body.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, LitStr, Meta, Path, parse_quote};

use crate::function::{Function, contains_impl, is_named, line_and_column};

/// The static description of the place named `ident`, for use inside a block of its own: defines `SITE` there.
///
/// The nested function is what the compiler names after the function around it, with type, trait and modules, which no
/// macro could find out.
pub(crate) fn site(krate: &Path, ident: &Ident, label: Option<&LitStr>, cyclomatic: u32) -> TokenStream {
    site_named(krate, &quote!(#krate::__private::name_of(here)), ident, label, cyclomatic)
}

/// The same, and lists it among all profiled sites where the feature `all-sites` asks for that.
pub(crate) fn profiled_site(
    krate: &Path,
    ident: &Ident,
    label: Option<&LitStr>,
    cyclomatic: u32,
) -> TokenStream {
    let site = site(krate, ident, label, cyclomatic);
    let listed = cfg!(feature = "all-sites").then(|| {
        quote! {
            #[#krate::__private::linkme::distributed_slice(#krate::__private::SITES)]
            #[linkme(crate = #krate::__private::linkme)]
            static LISTED: &'static #krate::__private::Site = &SITE;
        }
    });
    quote!(#site #listed)
}

/// What a hidden companion of a method is called, after the method's own name.
pub(crate) const COMPANION_SUFFIX: &str = "__in_a_trait_write_companions_false";

/// The same inside a companion of the function that is called by its name and [`COMPANION_SUFFIX`].
pub(crate) fn site_in_companion(krate: &Path, ident: &Ident, label: Option<&LitStr>) -> TokenStream {
    let path = quote!(#krate::__private::name_of(here));
    site_with(krate, &path, ident, label, 0, &quote!(.in_companion(#COMPANION_SUFFIX)))
}

/// The static description of the type named `ident`, for use inside a block of its own: defines `SITE` there.
pub(crate) fn site_of_type(krate: &Path, ident: &Ident, label: Option<&LitStr>) -> TokenStream {
    site_named(krate, &quote!(::core::any::type_name::<#ident>()), ident, label, 0)
}

fn site_named(
    krate: &Path,
    path: &TokenStream,
    ident: &Ident,
    label: Option<&LitStr>,
    cyclomatic: u32,
) -> TokenStream {
    site_with(krate, path, ident, label, cyclomatic, &TokenStream::new())
}

fn site_with(
    krate: &Path,
    path: &TokenStream,
    ident: &Ident,
    label: Option<&LitStr>,
    cyclomatic: u32,
    more: &TokenStream,
) -> TokenStream {
    let (line, column) = line_and_column(ident.span());
    let label = label.map(|label| quote!(.labelled(#label)));
    quote! {
        fn here() -> &'static str { #path }
        static SITE: #krate::__private::Site =
            #krate::__private::Site::new(here, ::core::file!(), #line, #column, #cyclomatic) #label #more;
    }
}

/// The tokens, all at one place.
pub(crate) fn with_span(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}

/// A braced block of `tokens` where messages point at the user's `original` one, but which is known to be generated: lints about
/// braces do not apply to it.
pub(crate) fn block_like(original: &Group, tokens: TokenStream) -> TokenStream {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(Span::mixed_site().located_at(original.span()));
    block.into_token_stream()
}

/// A closure around a function's body, in which `return` and `?` give its value. A `self` taken by value goes in whole, whatever
/// part of it the body names.
pub(crate) fn closure(function: &Function, body: &TokenStream) -> TokenStream {
    let returns = match function.return_type() {
        Some(ty) if !contains_impl(ty) => quote!(-> #ty),
        _ => TokenStream::new(),
    };
    let takes_self = takes_self(function);
    quote!(move || #returns { #takes_self #body })
}

/// The value of a [`closure`], which is called at once.
pub(crate) fn called(krate: &Path, closure: &TokenStream) -> TokenStream {
    quote!(#krate::__private::call(#closure))
}

/// An `async` block around the body of an `async fn`.
pub(crate) fn async_block(function: &Function, body: &TokenStream) -> TokenStream {
    let takes_self = takes_self(function);
    // An `async` block has no written type; this tells it to `?` and to `into()`.
    let typed = function
        .return_type()
        .filter(|ty| !contains_impl(ty) && !matches!(ty, syn::Type::Never(_)))
        .map(|ty| {
            quote! {
                #[allow(unreachable_code, unused, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
                if false {
                    let returned: #ty = loop {};
                    return returned;
                }
            }
        });
    quote!(async move { #typed #takes_self #body })
}

fn takes_self(function: &Function) -> Option<TokenStream> {
    function.takes_self_by_value().then(|| {
        let this =
            Ident::new("self", function.receiver().map_or_else(Span::call_site, |r| r.self_token.span));
        quote!(let _ = &#this;)
    })
}

/// The `#[cfg]`s of an item, which hold for whatever is generated beside it too.
pub(crate) fn conditions(attributes: &[Attribute]) -> TokenStream {
    let conditions = attributes.iter().filter(|attribute| is_named(attribute, "cfg"));
    quote!(#(#conditions)*)
}

/// A function's attributes where its code moves to another function: those about calling it, and those about its code.
///
/// A lint that is expected may come from either of the two, so that it is only allowed.
pub(crate) fn split_attributes(attributes: &[Attribute]) -> (Vec<Attribute>, Vec<Attribute>) {
    let (mut calling, mut code) = (Vec::new(), Vec::new());
    for attribute in attributes {
        let is = |names: &[&str]| names.iter().any(|name| is_named(attribute, name));
        let mut attribute = attribute.clone();
        if is(&["expect"])
            && let Meta::List(list) = &mut attribute.meta
        {
            list.path = parse_quote!(allow);
        }
        if is(&["allow", "warn", "deny", "forbid", "expect", "target_feature"]) {
            calling.push(attribute.clone());
            code.push(attribute);
        } else if is(&["profiled"]) {
            code.push(attribute);
        } else {
            calling.push(attribute);
        }
    }
    (calling, code)
}
