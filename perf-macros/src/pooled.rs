//! `#[pooled]`: a function becomes the factory of its own pool, a struct gets one.
//!
//! What a caller may say of the pool stands in the type namespace, as an `enum` without values that is named like the
//! function: nothing the user named is taken, and `buffer::stats()` reads as it should.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, Generics, LitStr, ReturnType, Safety, Token, Type, Visibility, parse_quote_spanned,
};

use crate::emit::{self, Place};
use crate::fallback::Errors;
use crate::function::{Body, Function, contains_impl, contains_word, is_reference, last_segment};
use crate::options::Entries;
use crate::scan::Item;

const ATTRIBUTE: &str = "#[pooled]";

const WRONG_ITEM: &str = "`#[pooled]` needs something that makes objects; \
     put it on a function that returns one, or on a `struct` that implements `Default`";

/// What the runtime takes when nothing is said (`DEFAULT_MAX_SIZE`).
const DEFAULT_MAX_SIZE: u64 = 1000;

/// What may be said between the parentheses.
struct Options {
    krate: TokenStream,
    name: Option<LitStr>,
    max_size: Option<u64>,
    prefill: Option<u64>,
    reset: Option<Expr>,
    validate: Option<Expr>,
}

impl Options {
    fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let known = ["max_size", "reset", "validate", "prefill", "name", "crate"];
        let mut entries = Entries::parse(ATTRIBUTE, tokens, &known, errors);
        let max_size = entries.integer("max_size", "64", errors);
        let prefill = entries.integer("prefill", "8", errors);
        if let Some((0, span)) = max_size {
            errors
                .push(span, "a pool that keeps nothing is no pool; write at least 1, or remove `#[pooled]`");
        }
        let most = max_size.map_or(DEFAULT_MAX_SIZE, |(most, _)| most);
        if let Some((prefill, span)) = prefill
            && prefill > most
            && most > 0
        {
            errors.push(
                span,
                format_args!(
                    "`prefill = {prefill}` makes more objects than the pool keeps, which is {most}; \
                     write at most {most}, or raise `max_size`"
                ),
            );
        }
        Options {
            max_size: max_size.map(|(number, _)| number),
            prefill: prefill.map(|(number, _)| number),
            reset: entries.function("reset", "Vec::clear", errors),
            validate: entries.function("validate", "|buffer| buffer.capacity() < 65536", errors),
            name: entries.string("name", "\"parsers\"", errors),
            krate: entries.crate_path(errors),
        }
    }
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream, Errors> {
    let mut errors = Errors::default();
    let options = Options::parse(options, &mut errors);
    let output = match Item::parse(item.clone())? {
        Item::Function(function) => {
            refuse(&function, &options, &mut errors);
            factory(function, &options)
        }
        Item::Other(Some(keyword), _) if keyword == "struct" => {
            let structure = Structure::parse(item.clone())?;
            refuse_generics(&structure.generics, &mut errors);
            structure.with_pool(&item, &options)
        }
        Item::Container(_) => {
            errors.push(Span::call_site(), WRONG_ITEM);
            item
        }
        Item::Other(_, span) => {
            errors.push(span, WRONG_ITEM);
            item
        }
    };
    errors.check()?;
    Ok(output)
}

/// Reports what cannot be a factory.
fn refuse(function: &Function, options: &Options, errors: &mut Errors) {
    let signature = &function.signature;
    let safety = match &signature.safety {
        Safety::Unsafe(keyword) => Some(keyword.span),
        _ => None,
    };
    let qualifiers = [
        (signature.constness.as_ref().map(|keyword| keyword.span), "const", "it counts what it lends"),
        (
            signature.asyncness.as_ref().map(|keyword| keyword.span),
            "async",
            "borrowing does not wait for anything",
        ),
        (safety, "unsafe", "the pool calls it whenever it needs an object"),
        (signature.abi.as_ref().map(Spanned::span), "extern", "it returns a Rust type, `Pooled`"),
    ];
    for (span, qualifier, reason) in qualifiers {
        if let Some(span) = span {
            errors.push(
                span,
                format_args!("a pooled function cannot be `{qualifier}`: {reason}; remove `{qualifier}`"),
            );
        }
    }
    if let Body::None(semicolon) = &function.body {
        errors.push(
            semicolon.span(),
            "there is no body to make an object; put `#[pooled]` on a function that has one",
        );
    }
    if !signature.inputs.is_empty() {
        errors.push_over(
            &signature.inputs,
            "a factory takes no arguments, because an idle object was made before they are known; \
             remove them, and set the object up after borrowing it",
        );
    }
    refuse_generics(&signature.generics, errors);
    refuse_return_type(function, options, errors);
}

/// A `static` belongs to the item and not to an instance of its generics, so one pool would have to hold them all.
fn refuse_generics(generics: &Generics, errors: &mut Errors) {
    if !generics.params.is_empty() {
        errors.push_over(
            &generics.params,
            "a pool holds objects of one type, so what makes them cannot be generic; \
             write one `#[pooled]` function for each type, such as `fn rows() -> Vec<Row>`",
        );
    }
}

fn refuse_return_type(function: &Function, options: &Options, errors: &mut Errors) {
    let Some(ty) = function.return_type() else {
        let message = "this returns nothing to keep in a pool; return the object that it makes";
        return errors.push(function.name().span(), message);
    };
    let is_written = |name: &str| last_segment(ty).is_some_and(|segment| segment.ident == name);
    if matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty()) || matches!(ty, Type::Never(_)) {
        errors.push_over(ty, "this returns nothing to keep in a pool; return the object that it makes");
    } else if is_reference(ty) {
        errors.push_over(ty, "a pool owns its objects, so it cannot lend a reference; return an owned value");
    } else if contains_impl(ty) {
        errors.push_over(
            ty,
            "the pool must name the type of its objects, and `impl Trait` has no name; \
             write the type, or `Box<dyn Trait + Send>`",
        );
    } else if contains_word(&quote!(#ty), "Self") {
        errors.push_over(
            ty,
            "a pool is a `static`, which cannot name `Self`; \
             put `#[pooled]` on the `struct`, or on a function outside of the `impl`",
        );
    } else if is_written("Pooled") {
        errors.push_over(
            ty,
            "`#[pooled]` writes `Pooled<…>` by itself; return the object as it is, such as `-> Vec<u8>`",
        );
    } else if (is_written("Result") || is_written("Option")) && options.validate.is_none() {
        let valid = if is_written("Result") { "Result::is_ok" } else { "Option::is_some" };
        errors.push_over(
            ty,
            format_args!(
                "a pool keeps what the factory returns, so a failure would be handed out again; \
                 add `validate = {valid}`, or return the object itself"
            ),
        );
    }
}

/// The function that borrows, its companions, and the factory with the body as it was.
fn factory(function: Function, options: &Options) -> TokenStream {
    let Function { attributes, visibility, mut signature, body } = function;
    // Both are reported already if they are missing.
    let output = core::mem::replace(&mut signature.output, ReturnType::Default);
    let (Body::Block(body), ReturnType::Type(_, ty)) = (body, output) else {
        return TokenStream::new();
    };
    let krate = &options.krate;
    signature.output = parse_quote_spanned!(ty.span()=> -> #krate::__private::Pooled<#ty>);
    let name = &signature.ident;

    let conditions = emit::conditions(&attributes);
    let (on_borrow, on_factory) = (emit::on_call(&attributes), emit::on_code(&attributes));

    let mixed = Span::mixed_site();
    let pool = pool_function(options, name, &visibility, &*ty, &quote_spanned!(mixed=> #name::factory));
    let about = format!("The pool behind the function `{name}`.");
    let borrow = emit::block(&body, &TokenStream::new(), quote_spanned!(mixed=> #name::pool().borrow()));
    quote_spanned! {mixed=>
        // The user's own `#[must_use]` is about what the factory returns.
        #[allow(clippy::double_must_use)]
        #on_borrow
        #visibility #signature #borrow

        #conditions
        #[doc = #about]
        #[allow(non_camel_case_types, dead_code)]
        #visibility enum #name {}

        #conditions
        impl #name {
            #pool

            /// What the pool counted up to now.
            #[must_use]
            #visibility fn stats() -> #krate::__private::PoolStats { Self::pool().stats() }

            /// Drops all idle objects and returns how many there were.
            #visibility fn shrink() -> ::core::primitive::usize { Self::pool().shrink() }

            #on_factory
            fn factory() -> #ty #body
        }
    }
}

/// `fn pool()`, in which the pool itself lives, and which registers it for reports.
///
/// The pool's `static` has a long name because `reset` and `validate`, which are the user's code, see it.
fn pool_function(
    options: &Options,
    name: &Ident,
    visibility: &Visibility,
    ty: &impl ToTokens,
    factory: &TokenStream,
) -> TokenStream {
    let Options { krate, max_size, prefill, reset, validate, name: label } = options;
    let max_size = max_size.map(Literal::u64_unsuffixed).map(|number| quote!(.max_size(#number)));
    let prefill = prefill.map(Literal::u64_unsuffixed).map(|number| quote!(.prefill(#number)));
    let reset = reset.as_ref().map(|function| quote!(.reset(#function)));
    let validate = validate.as_ref().map(|function| quote!(.validate(#function)));
    let site = emit::site(krate, Place::Type, name, label.as_ref());
    let object = sendable(krate, ty);
    quote_spanned! {Span::mixed_site()=>
        /// The pool itself.
        #[must_use]
        #visibility fn pool() -> &'static #krate::__private::Pool<#ty> {
            static __PERFKIT_POOL: #krate::__private::Pool<#object> =
                #krate::__private::Pool::new(#factory) #max_size #prefill #reset #validate;
            {
                #site
                #krate::__private::inventory::submit! {
                    #krate::__private::PoolEntry::new(&SITE, || __PERFKIT_POOL.stats())
                }
            }
            &__PERFKIT_POOL
        }
    }
}

/// `ty` itself if it is `Send`, and else one error, at the type: the tokens around it stand there too.
fn sendable(krate: &TokenStream, ty: &impl ToTokens) -> TokenStream {
    let span = ty.span().resolved_at(Span::mixed_site());
    let demand = emit::with_span(quote!(#krate::__private::PooledObject), span);
    quote_spanned!(span=> <#ty as #demand>::Object)
}

/// As much of a struct as a pool of it needs to know.
struct Structure {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    generics: Generics,
}

impl Structure {
    fn parse(item: TokenStream) -> syn::Result<Self> {
        let parser = |input: ParseStream| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            input.parse::<Token![struct]>()?;
            let structure =
                Structure { attributes, visibility, name: input.parse()?, generics: input.parse()? };
            input.parse::<TokenStream>()?;
            Ok(structure)
        };
        parser.parse2(item)
    }

    /// The struct and its two functions.
    fn with_pool(&self, item: &TokenStream, options: &Options) -> TokenStream {
        let Structure { attributes, visibility, name, generics: _ } = self;
        let conditions = emit::conditions(attributes);
        let krate = &options.krate;
        let default = quote_spanned!(name.span()=> <#name as #krate::__private::PooledDefault>::make);
        let pool = pool_function(options, name, visibility, name, &default);
        let about = format!("Borrows a `{name}` from the pool of them; it goes back when it is dropped.");
        quote_spanned! {Span::mixed_site()=>
            #item

            #conditions
            impl #name {
                #[doc = #about]
                #visibility fn pooled() -> #krate::__private::Pooled<Self> { Self::pool().borrow() }

                #pool
            }
        }
    }
}
