//! What all attributes generate: the static site, and what is put around a body.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, LitStr};

use crate::function::{Function, allowed, contains_impl, is_lint_level, is_named, line_and_column};

/// What is instrumented, which says how its name is found out.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// A function whose calls are measured, or a part of one, which has no complexity.
    Profiled { cyclomatic: u32, sampling: Sampling },
    /// The function around.
    Function,
    /// What is generated stands in a companion of the function, which is called by its name and [`COMPANION_SUFFIX`].
    Companion,
    /// A type.
    Type,
}

/// Which calls of a profiled function are timed.
#[derive(Clone, Copy)]
pub(crate) enum Sampling {
    All,
    OneIn(u32),
    Automatic,
}

impl Sampling {
    /// What says so behind a site.
    fn tokens(self, krate: &TokenStream) -> Option<TokenStream> {
        match self {
            Sampling::All => None,
            Sampling::OneIn(calls) => Some(quote!(.sampled(#krate::__private::Sampling::OneIn(#calls)))),
            Sampling::Automatic => Some(quote!(.sampled(#krate::__private::Sampling::Automatic))),
        }
    }
}

/// What a hidden companion of a method is called, after the method's own name.
pub(crate) const COMPANION_SUFFIX: &str = "__in_a_trait_write_companions_false";

/// The static description of the place named `ident`, for use inside a block of its own: defines `SITE` there.
///
/// The nested function is what the compiler names after the function around it, with type, trait and modules, which no
/// macro could find out.
pub(crate) fn site(krate: &TokenStream, place: Place, ident: &Ident, label: Option<&LitStr>) -> TokenStream {
    let (line, column) = line_and_column(ident.span());
    let label = label.map(|label| quote!(.labelled(#label)));
    let around = quote!(#krate::__private::name_of(here));
    let (path, cyclomatic, more) = match place {
        Place::Profiled { cyclomatic, sampling } => (around, cyclomatic, sampling.tokens(krate)),
        Place::Function => (around, 0, None),
        Place::Companion => (around, 0, Some(quote!(.in_companion(#COMPANION_SUFFIX)))),
        Place::Type => (quote!(::core::any::type_name::<#ident>()), 0, None),
    };
    let listed = (cfg!(feature = "all-sites") && matches!(place, Place::Profiled { .. })).then(|| {
        quote! {
            #[#krate::__private::linkme::distributed_slice(#krate::__private::SITES)]
            #[linkme(crate = #krate::__private::linkme)]
            static LISTED: &'static #krate::__private::Site = &SITE;
        }
    });
    quote! {
        fn here() -> &'static ::core::primitive::str { #path }
        static SITE: #krate::__private::Site =
            #krate::__private::Site::new(here, ::core::file!(), #line, #column, #cyclomatic) #label #more;
        #listed
    }
}

/// The tokens, all at one place.
pub(crate) fn with_span(tokens: TokenStream, span: Span) -> TokenStream {
    let mut output = TokenStream::new();
    for mut token in tokens {
        token.set_span(span);
        output.extend([token]);
    }
    output
}

/// A function's own block with generated code in it.
///
/// The outer braces are the user's, by which the compiler knows the function as written and not generated. The inner ones are not: in every
/// edition, the temporaries of the user's last expression are dropped before what the generated code holds, as they are before arguments.
pub(crate) fn block(original: &Group, inner_attributes: &TokenStream, generated: TokenStream) -> TokenStream {
    let generated = braced(generated, Span::mixed_site().located_at(original.span()));
    braced(quote!(#inner_attributes #generated), original.span()).into_token_stream()
}

/// A block of these tokens with braces at `span`.
pub(crate) fn braced(tokens: TokenStream, span: Span) -> Group {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(span);
    block
}

/// A user's block in parentheses that are known to be generated, so that lints about its braces do not apply.
///
/// The braces themselves stay the user's: by them the user's edition says when temporaries are dropped.
pub(crate) fn parenthesized(block: &Group) -> TokenStream {
    let mut parentheses = Group::new(Delimiter::Parenthesis, quote!(#block));
    parentheses.set_span(Span::mixed_site().located_at(block.span()));
    parentheses.into_token_stream()
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
pub(crate) fn called(krate: &TokenStream, closure: &TokenStream) -> TokenStream {
    quote!(#krate::__private::call(#closure))
}

/// An `async` block around the body of an `async fn`.
pub(crate) fn async_block(krate: &TokenStream, function: &Function, body: &TokenStream) -> TokenStream {
    let takes_self = takes_self(function);
    // An `async` block has no written type; this tells it to `?` and to `into()`.
    let typed = function
        .return_type()
        .filter(|ty| !contains_impl(ty) && !matches!(ty, syn::Type::Never(_)))
        .map(|ty| {
            // Of nothing that a lint would find, so that none has to be allowed where the user may have forbidden that.
            quote_spanned! {Span::mixed_site()=>
                if false {
                    let __perfkit_returned: #ty = #krate::__private::value();
                    return __perfkit_returned;
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

/// A function's attributes where its code moves to another function: those that are about calling it.
///
/// A lint that is expected may come from either of the two, so that it is only allowed.
pub(crate) fn on_call(attributes: &[Attribute]) -> TokenStream {
    chosen(attributes, |attribute| !is_named(attribute, "profiled"))
}

/// Those that are about its code: `#[profiled]`, and what [`on_any_code`] gives.
pub(crate) fn on_code(attributes: &[Attribute]) -> TokenStream {
    chosen(attributes, |attribute| is_named(attribute, "profiled") || is_about_code(attribute))
}

/// Those that are about all code that is generated for it.
pub(crate) fn on_any_code(attributes: &[Attribute]) -> TokenStream {
    chosen(attributes, is_about_code)
}

fn chosen(attributes: &[Attribute], is_chosen: fn(&Attribute) -> bool) -> TokenStream {
    let mut chosen = TokenStream::new();
    for attribute in attributes {
        if is_chosen(attribute) {
            allowed(attribute).to_tokens(&mut chosen);
        }
    }
    chosen
}

fn is_about_code(attribute: &Attribute) -> bool {
    is_named(attribute, "target_feature") || is_lint_level(attribute)
}
