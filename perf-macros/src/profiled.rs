//! `#[profiled]` and `profile_block!`.
//!
//! A guard statement in front of the body is all that most functions get. A closure around the body is used only where it must be:
//! to see the returned value (`err`, futures) or to drop a `self` taken by value inside the frame.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Meta, Path, Token};

use crate::cyclomatic::complexity;
use crate::emit;
use crate::fallback::Errors;
use crate::function::{
    Body, Function, FutureShape, contains_impl, future_shape, is_named, is_result, split_inner_attributes,
};
use crate::options::Entries;
use crate::scan::Item;

const ATTRIBUTE: &str = "#[profiled]";

/// What may be said between the parentheses.
struct Options {
    krate: Path,
    name: Option<LitStr>,
    skip: Option<Span>,
    err: Option<Span>,
}

impl Options {
    fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut entries = Entries::parse(ATTRIBUTE, tokens, &["name", "skip", "err", "crate"], errors);
        Options {
            name: entries.string("name", "\"load the index\"", errors),
            skip: entries.flag("skip", errors),
            err: entries.flag("err", errors),
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
            measured(function, &options)
        }
        Item::Container(container) => {
            if let Some(name) = &options.name {
                errors.push(
                    name.span(),
                    "one name for many functions; put `#[profiled(name = …)]` on the function that it names",
                );
            }
            let mut rewrite = |function| inside_container(function, &options, &mut errors);
            container.rewrite(&mut rewrite)?
        }
        Item::Other(keyword, span) => {
            let what = keyword.map_or_else(|| String::from("this"), |keyword| format!("a `{keyword}`"));
            errors.push(
                span,
                format_args!(
                    "`{ATTRIBUTE}` measures functions, and {what} is none; put it on a `fn`, an `impl`, a `trait` or a `mod {{ … }}`"
                ),
            );
            item.clone()
        }
    };
    errors.check()?;
    // Left as it was, `#[profiled(…)]` further inside expand by themselves.
    Ok(if cfg!(feature = "profile") && options.skip.is_none() { output } else { item })
}

/// Reports what cannot be measured where the attribute was put on the function itself.
fn refuse(function: &Function, options: &Options, errors: &mut Errors) {
    if let Some(constness) = &function.signature.constness {
        errors.push(
            constness.span(),
            "a `const fn` cannot be measured, because it may run in the compiler, which has no clock; \
             remove `const`, or put `#[profiled]` on its callers",
        );
    }
    if let Body::None(semicolon) = &function.body {
        errors.push(
            semicolon.span(),
            "there is no body to measure; put `#[profiled]` on the function in the `impl`",
        );
    }
    if let (Some(err), None) = (options.err, function.return_type()) {
        errors.push(
            err,
            "`err` counts the `Err`s that a function returns, and this one returns nothing; remove `err`",
        );
    }
}

/// A function of an annotated block: what cannot be measured is left alone, its own `#[profiled(…)]` is obeyed.
fn inside_container(mut function: Function, container: &Options, errors: &mut Errors) -> TokenStream {
    let own = take_own_attribute(&mut function);
    let mut options = match own {
        Some(attribute) => {
            let tokens = match attribute.meta {
                Meta::List(list) => list.tokens,
                _ => TokenStream::new(),
            };
            let options = Options::parse(tokens, errors);
            refuse(&function, &options, errors);
            options
        }
        None => Options { krate: container.krate.clone(), name: None, skip: None, err: None },
    };
    if options.err.is_none() && function.return_type().is_some_and(is_result) {
        options.err = container.err;
    }
    let measurable = function.signature.constness.is_none()
        && matches!(function.body, Body::Block(_))
        && !function.has_attribute("naked");
    if options.skip.is_some() || !measurable { quote!(#function) } else { measured(function, &options) }
}

fn take_own_attribute(function: &mut Function) -> Option<Attribute> {
    let index = function.attributes.iter().position(|attribute| is_named(attribute, "profiled"))?;
    Some(function.attributes.remove(index))
}

/// The function with its body measured.
fn measured(mut function: Function, options: &Options) -> TokenStream {
    let Body::Block(block) = &function.body else { return quote!(#function) };
    let block = block.clone();
    let krate = &options.krate;
    let complexity = complexity(&block.stream());
    let site = emit::profiled_site(krate, function.name(), options.name.as_ref(), complexity);
    let (inner_attributes, body) = split_inner_attributes(block.stream());
    let body = emit::block_like(&block, body);
    let future = function.return_type().and_then(future_shape);

    let body = if function.signature.asyncness.is_some() {
        asynchronous(&mut function, options, &site, &body)
    } else if let Some(shape) = future {
        returning_future(&function, krate, &site, &body, shape)
    } else {
        synchronous(&mut function, options, &site, &body)
    };
    let body = emit::block_like(&block, quote!(#inner_attributes #body));
    let Function { attributes, visibility, signature, .. } = function;
    quote!(#(#attributes)* #visibility #signature #body)
}

/// Whether `Err`s are counted: asked for, or plain from the signature.
///
/// Not by itself under `#[track_caller]`, whose caller would become the closure that this needs.
fn counts_errors(function: &Function, options: &Options) -> bool {
    options.err.is_some()
        || (function.return_type().is_some_and(|ty| is_result(ty) && !contains_impl(ty))
            && !function.has_attribute("track_caller"))
}

fn synchronous(
    function: &mut Function,
    options: &Options,
    site: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let krate = &options.krate;
    let counts_errors = counts_errors(function, options);
    let takes_self = function.takes_self_by_value();
    let arguments = function.move_arguments_inside();
    let mixed = Span::mixed_site();
    let enter = quote_spanned!(mixed=> let frame = { #site #krate::__private::Frame::enter(&SITE) };);
    if !counts_errors && !takes_self {
        return quote_spanned!(mixed=> #enter #arguments #body);
    }
    let call = emit::called(krate, &emit::closure(function, &quote!(#arguments #body)));
    if counts_errors {
        let at_type = function.return_type().map_or(mixed, |ty| mixed.located_at(ty.span()));
        let count = quote_spanned!(at_type=> #krate::__private::Frame::returned(&frame, &result););
        quote_spanned! {mixed=>
            #enter
            let result = #call;
            #count
            result
        }
    } else {
        quote_spanned!(mixed=> #enter #call)
    }
}

fn asynchronous(
    function: &mut Function,
    options: &Options,
    site: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let krate = &options.krate;
    let counts_errors = counts_errors(function, options);
    let arguments = function.move_arguments_inside();
    let future = emit::async_block(function, &quote!(#arguments #body));
    let construct = if counts_errors { quote!(fallible) } else { quote!(new) };
    quote_spanned! {Span::mixed_site()=>
        #krate::__private::Profiled::#construct(
            { #site &SITE },
            #future,
        ).await
    }
}

fn returning_future(
    function: &Function,
    krate: &Path,
    site: &TokenStream,
    body: &TokenStream,
    shape: FutureShape,
) -> TokenStream {
    let wrap = |future: TokenStream| quote!(#krate::__private::Profiled::new({ #site &SITE }, #future));
    match shape {
        FutureShape::Opaque => wrap(emit::called(krate, &emit::closure(function, body))),
        FutureShape::Boxed => {
            let future =
                boxed_alone(body).unwrap_or_else(|| emit::called(krate, &emit::closure(function, body)));
            let wrapped = wrap(future);
            quote!(::std::boxed::Box::pin(#wrapped))
        }
    }
}

/// `future` out of a body that is `{ Box::pin(future) }` and nothing else, which is what `async_trait` writes: the future is
/// wrapped inside of the box it has, instead of getting a second one.
fn boxed_alone(body: &TokenStream) -> Option<TokenStream> {
    let mut body = body.clone().into_iter();
    let (Some(TokenTree::Group(block)), None) = (body.next(), body.next()) else { return None };
    let tokens: Vec<TokenTree> = block.stream().into_iter().collect();
    let (last, path) = tokens.split_last()?;
    let TokenTree::Group(arguments) = last else { return None };
    let path: Path = syn::parse2(path.iter().cloned().collect()).ok()?;
    let mut segments = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let is_box_pin = segments.next().as_deref() == Some("pin") && segments.next().as_deref() == Some("Box");
    is_box_pin.then(|| arguments.stream())
}

/// `profile_block!("label", { … })`.
pub(crate) fn expand_block(input: TokenStream) -> Result<TokenStream, Errors> {
    const USAGE: &str = "write `profile_block!(\"label\", { … })`";
    let parser = |input: syn::parse::ParseStream| {
        let label: LitStr = input.parse().map_err(|error| {
            syn::Error::new(error.span(), format_args!("expected a label in quotes; {USAGE}"))
        })?;
        input.parse::<Token![,]>().map_err(|error| {
            syn::Error::new(error.span(), format_args!("expected `,` after the label; {USAGE}"))
        })?;
        let block: Group = input
            .parse()
            .map_err(|error| syn::Error::new(error.span(), format_args!("expected a block; {USAGE}")))?;
        if block.delimiter() != proc_macro2::Delimiter::Brace {
            return Err(syn::Error::new(block.span(), format_args!("expected a block in braces; {USAGE}")));
        }
        input.parse::<Option<Token![,]>>()?;
        Ok((label, block))
    };
    let (label, block) = parser.parse2(input)?;
    if label.value().is_empty() {
        return Err(syn::Error::new(label.span(), "the label is empty; write what the block does").into());
    }
    if let Some(span) = awaits(&block.stream()) {
        return Err(syn::Error::new(
            span,
            "a block that awaits would be measured as if it worked all the time; \
             move it to an `async fn` with `#[profiled]`, which measures each poll",
        )
        .into());
    }
    if !cfg!(feature = "profile") {
        return Ok(quote!(#block));
    }
    let krate: Path = syn::parse_quote!(::perfkit);
    let ident = Ident::new("block", label.span());
    let body = emit::block_like(&block, block.stream());
    let site = emit::profiled_site(&krate, &ident, Some(&label), 0);
    Ok(quote_spanned! {Span::mixed_site()=>
        { let _frame = { #site #krate::__private::Frame::enter(&SITE) }; #body }
    })
}

/// Where the tokens await, outside of an `async` block or closure of their own.
fn awaits(tokens: &TokenStream) -> Option<Span> {
    let mut own_async = false;
    let mut after_dot = false;
    for token in tokens.clone() {
        match &token {
            TokenTree::Ident(ident) if after_dot && ident == "await" => return Some(ident.span()),
            TokenTree::Ident(ident) if ident == "async" => own_async = true,
            TokenTree::Group(group) => {
                let body = group.delimiter() == proc_macro2::Delimiter::Brace;
                if !(own_async && body)
                    && let Some(span) = awaits(&group.stream())
                {
                    return Some(span);
                }
                own_async &= !body;
            }
            _ => {}
        }
        after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    None
}
