//! What all attributes generate: the static site, and the guard around a body.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{LitStr, Path};

use crate::function::line_and_column;

/// The static description of the place named `ident`, for use inside a block of its own: defines `SITE` there.
///
/// The nested function is what the compiler names after the function around it, with type, trait and modules, which no
/// macro could find out.
pub(crate) fn site(krate: &Path, ident: &Ident, label: Option<&LitStr>, cyclomatic: u32) -> TokenStream {
    site_named(krate, &quote!(#krate::__private::name_of(here)), ident, label, cyclomatic)
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
    let (line, column) = line_and_column(ident.span());
    let label = label.map(|label| quote!(.labelled(#label)));
    quote! {
        fn here() -> &'static str { #path }
        static SITE: #krate::__private::Site =
            #krate::__private::Site::new(here, ::core::file!(), #line, #column, #cyclomatic) #label;
    }
}

/// A braced block of `tokens` where messages point at the user's `original` one, but which is known to be generated: lints about
/// braces do not apply to it.
pub(crate) fn block_like(original: &Group, tokens: TokenStream) -> TokenStream {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(Span::mixed_site().located_at(original.span()));
    block.into_token_stream()
}
