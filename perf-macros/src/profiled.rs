//! `#[profiled]`.
//!
//! A guard statement in front of the body is all that most functions get. A closure around the body is used only where it must be:
//! to see the returned value (`err`, futures) or to drop a `self` taken by value inside the frame. What compiled without the
//! attribute must compile with it and do the same in the same order, so nothing is concluded from a name that could be the user's own.

mod block;
mod own;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Path, Type, parse_quote};

pub(crate) use self::block::expand_block;
use self::own::Own;
use crate::cyclomatic::complexity;
use crate::emit::{self, Place, Sampling};
use crate::fallback::Errors;
use crate::function::{
    Body, Function, FutureShape, allowed, contains_impl, contains_word, future_output, future_shape,
    is_result, may_be_wrapped, returns_function, split_inner_attributes,
};
use crate::options::{Entries, ungrouped};
use crate::scan::{Container, Item, Part};

const ATTRIBUTE: &str = "#[profiled]";

/// What may be said between the parentheses.
struct Options {
    krate: TokenStream,
    name: Option<LitStr>,
    skip: Option<Span>,
    sample: Option<(Sampling, Span)>,
    err: Option<Span>,
    /// `err` of the block around, which is about the functions that return a `Result`.
    err_of_block: bool,
}

impl Options {
    fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self::parse_inside(tokens, None, errors)
    }

    /// The same in a block that has options of its own.
    fn parse_inside(tokens: TokenStream, block: Option<&Options>, errors: &mut Errors) -> Self {
        let mut entries =
            Entries::parse(ATTRIBUTE, tokens, &["name", "skip", "err", "sample", "crate"], errors);
        let own_path = entries.has("crate");
        let krate = entries.crate_path(errors);
        Options {
            name: entries.string("name", "\"load the index\"", errors),
            skip: entries.flag("skip", errors),
            sample: sampling(&mut entries, errors).or_else(|| block.and_then(|block| block.sample)),
            err: entries.flag("err", errors),
            krate: block.filter(|_| !own_path).map_or(krate, |block| block.krate.clone()),
            err_of_block: block.is_some_and(|block| block.err.is_some() || block.err_of_block),
        }
    }

    /// Those of a block, for what is inside of it and has none.
    fn inherited(&self) -> Self {
        let err_of_block = self.err.is_some() || self.err_of_block;
        let (krate, sample) = (self.krate.clone(), self.sample);
        Options { krate, name: None, skip: None, sample, err: None, err_of_block }
    }
}

/// `sample = 16`, or `sample = "auto"`.
fn sampling(entries: &mut Entries, errors: &mut Errors) -> Option<(Sampling, Span)> {
    const EXAMPLE: &str = "16`, which times one call in 16, or `sample = \"auto\"";
    let value = entries.expression("sample", EXAMPLE, errors)?;
    let span = value.span();
    let sampling = match ungrouped(&value) {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse::<u32>() {
            Ok(1) => Some(Sampling::All),
            Ok(calls @ 2..=1_000_000) => Some(Sampling::OneIn(calls)),
            _ => None,
        },
        Expr::Lit(ExprLit { lit: Lit::Str(word), .. }) if word.value() == "auto" => Some(Sampling::Automatic),
        _ => None,
    };
    if sampling.is_none() {
        errors.push(
            span,
            format_args!("`sample` takes a number from 1 to 1000000 or \"auto\"; write for example `sample = {EXAMPLE}`"),
        );
    }
    Some((sampling?, span))
}

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream, Errors> {
    let mut errors = Errors::default();
    let options = Options::parse(options, &mut errors);
    let output = match Item::parse(item.clone())? {
        Item::Function(function) => {
            refuse(&function, &options, &mut errors);
            measured(&function, &options)
        }
        Item::Container(container) => measured_inside(&container, &options, &mut errors)?,
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
    if let Some((_, span)) = options.sample
        && is_future(function)
    {
        errors.push(
            span,
            "every poll of a future is timed, for the next may be on another thread; remove `sample`, or put it on what the future calls",
        );
    }
    let Some(err) = options.err else { return };
    let Some(ty) = function.return_type() else {
        errors.push(
            err,
            "`err` counts the `Err`s that a function returns, and this one returns nothing; remove `err`",
        );
        return;
    };
    if function.signature.asyncness.is_some() {
        return;
    }
    if !may_be_wrapped(ty) {
        errors.push(
            err,
            "`err` looks at what the future completes with, which takes another future around it, and that one lacks a trait \
             of the return type; remove `err`, or return `impl Future` with no more than `Send`, `Sync`, `Unpin` or a lifetime",
        );
    } else if function.tracks_caller() {
        errors.push(
            err,
            "`err` puts the body into a closure, which `#[track_caller]` would take for the caller; remove one of the two",
        );
    }
}

/// Whether what is measured is polled, not called.
fn is_future(function: &Function) -> bool {
    function.signature.asyncness.is_some()
        || function.return_type().is_some_and(|ty| may_be_wrapped(ty) && future_shape(ty).is_some())
}

/// A `mod`, `impl` or `trait` with the functions in it measured.
fn measured_inside(
    container: &Container,
    options: &Options,
    errors: &mut Errors,
) -> syn::Result<TokenStream> {
    if let Some(name) = &options.name {
        errors.push(
            name.span(),
            "one name for many functions; put `#[profiled(name = …)]` on the function that it names",
        );
    }
    container.rewrite(&mut |part| inside_container(part, options, errors))
}

/// A part of an annotated block. Where it has a `#[profiled(…)]` of its own, that is obeyed here, and silenced so that it is measured once.
fn inside_container(mut part: Part, block: &Options, errors: &mut Errors) -> syn::Result<TokenStream> {
    let Some(own) = Own::silence(part.attributes_mut()) else {
        return part_measured(&part, &block.inherited(), false, errors);
    };
    let options = Options::parse_inside(own.options, Some(block), errors);
    let Some(condition) = own.condition else { return part_measured(&part, &options, true, errors) };
    // No macro can tell whether a condition holds, so both cases are written down.
    part.attributes_mut().push(parse_quote!(#[cfg(#condition)]));
    let own = part_measured(&part, &options, true, errors)?;
    part.attributes_mut().pop();
    part.attributes_mut().push(parse_quote!(#[cfg(not(#condition))]));
    let otherwise = part_measured(&part, &block.inherited(), false, errors)?;
    Ok(quote!(#own #otherwise))
}

/// A part of a block as its options say; what cannot be measured is left alone, unless it has asked for that itself.
fn part_measured(
    part: &Part,
    options: &Options,
    asked: bool,
    errors: &mut Errors,
) -> syn::Result<TokenStream> {
    if options.skip.is_some() {
        return Ok(quote!(#part));
    }
    match part {
        Part::Container(container) => measured_inside(container, options, errors),
        Part::Function(function) => {
            if asked {
                refuse(function, options, errors);
            }
            let measurable = function.signature.constness.is_none() && !function.may_have("naked");
            Ok(if measurable { measured(function, options) } else { quote!(#function) })
        }
    }
}

/// The function with its body measured.
fn measured(function: &Function, options: &Options) -> TokenStream {
    let Body::Block(block) = &function.body else { return quote!(#function) };
    if function.signature.asyncness.is_some() && function.return_type().is_some_and(returns_function) {
        return quote!(#function);
    }
    let krate = &options.krate;
    let sampling = options.sample.map_or(Sampling::All, |(sampling, _)| sampling);
    let place = Place::Profiled { cyclomatic: complexity(&block.stream()), sampling };
    let site = emit::site(krate, place, function.name(), options.name.as_ref());
    let (inner_attributes, statements) = split_inner_attributes(block.stream());
    // The user's own braces, so that the user's edition says when temporaries are dropped.
    let body =
        if inner_attributes.is_empty() { block.clone() } else { emit::braced(statements, block.span()) };
    let future = function.return_type().filter(|ty| may_be_wrapped(ty)).and_then(future_shape);
    let Function { attributes, visibility, signature, .. } = function;
    let (signature, generated) = if let (Some(FutureShape::Boxed), Some((boxed, future)), None) =
        (future, boxed_alone(&body), &signature.asyncness)
    {
        let future = profiled_future(function, options, &site, &future);
        (quote!(#signature), quote!(#boxed(#future)))
    } else {
        let (inputs, arguments) = function.move_arguments_inside();
        let body = emit::parenthesized(&body);
        let body = quote!(#arguments #body);
        let generated = if signature.asyncness.is_some() {
            asynchronous(function, options, &site, &body)
        } else if let (Some(shape), false) = (future, function.tracks_caller()) {
            returning_future(function, options, &site, &body, shape)
        } else {
            synchronous(function, options, &site, &body)
        };
        (function.signature_with(&inputs), generated)
    };
    let body = emit::block(block, &inner_attributes, generated);
    // What clippy would say of the body and the arguments, such as that they need not be taken by value, it may not say of what is there now.
    let attributes = attributes.iter().map(|attribute| {
        let is_clippy = contains_word(&attribute.meta.to_token_stream(), "clippy");
        if is_clippy { allowed(attribute) } else { attribute.to_token_stream() }
    });
    quote!(#(#attributes)* #visibility #signature #body)
}

/// What is done about the `Err`s that a function returns, or that the future completes with that it returns.
enum Failures<'a> {
    Ignored,
    /// The type is called `Result`. It may be another one than Rust's.
    CountedIfAny(&'a Type),
    /// By `err`, which is about Rust's `Result` and nothing else. The type, where it can be written down.
    Counted(Option<&'a Type>),
}

impl<'a> Failures<'a> {
    fn of(function: &'a Function, options: &Options) -> Self {
        let is_async = function.signature.asyncness.is_some();
        let ty = match function.return_type() {
            Some(ty) if !is_async && future_shape(ty).is_some() => {
                future_output(ty).filter(|_| may_be_wrapped(ty))
            }
            ty => ty,
        };
        let is_written = |ty: &&Type| !contains_impl(ty);
        if options.err.is_some() {
            return Failures::Counted(ty.filter(is_written));
        }
        match ty.filter(|ty| is_result(ty)) {
            // What this needs is a closure.
            Some(_) if !is_async && function.tracks_caller() => Failures::Ignored,
            Some(ty) if is_written(&ty) => Failures::CountedIfAny(ty),
            Some(_) if options.err_of_block => Failures::Counted(None),
            _ => Failures::Ignored,
        }
    }
}

fn synchronous(
    function: &Function,
    options: &Options,
    site: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let krate = &options.krate;
    // Out of a closure, `self` is dropped after the call, but the caller is the caller, and a returned closure has the types of its
    // arguments from the return type.
    let in_closure = !function.tracks_caller() && !function.return_type().is_some_and(contains_impl);
    let takes_self = function.takes_self_by_value() && in_closure;
    let failures = Failures::of(function, options);
    let mixed = Span::mixed_site();
    let enter =
        quote_spanned!(mixed=> let __perfkit_frame = { #site #krate::__private::Frame::enter(&SITE) };);
    if matches!(failures, Failures::Ignored) && !takes_self {
        return quote_spanned!(mixed=> #enter #body);
    }
    let call = emit::called(krate, &emit::closure(function, body));
    let count = match failures {
        Failures::Ignored => return quote_spanned!(mixed=> #enter #call),
        Failures::Counted(_) => {
            let at_type = function.return_type().map_or(mixed, |ty| mixed.located_at(ty.span()));
            quote_spanned!(at_type=> #krate::__private::Frame::returned(&__perfkit_frame, &__perfkit_result);)
        }
        Failures::CountedIfAny(_) => quote_spanned! {mixed=>
            #krate::__private::Outcome::of(&__perfkit_result).count(&__perfkit_frame, &__perfkit_result);
        },
    };
    quote_spanned! {mixed=>
        #enter
        let __perfkit_result = #call;
        #count
        __perfkit_result
    }
}

fn asynchronous(
    function: &Function,
    options: &Options,
    site: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let future = emit::async_block(&options.krate, function, body);
    let future = profiled_future(function, options, site, &future);
    quote_spanned!(Span::mixed_site()=> #future.await)
}

/// A future, which is known to be one, measured.
fn profiled_future(
    function: &Function,
    options: &Options,
    site: &TokenStream,
    future: &TokenStream,
) -> TokenStream {
    let krate = &options.krate;
    let mixed = Span::mixed_site();
    let site = quote_spanned!(mixed=> { #site &SITE });
    match Failures::of(function, options) {
        Failures::Ignored => quote_spanned!(mixed=> #krate::__private::Profiled::new(#site, #future)),
        Failures::Counted(None) => {
            quote_spanned!(mixed=> #krate::__private::Profiled::fallible(#site, #future))
        }
        Failures::Counted(Some(ty)) => {
            // Messages about it point at the type.
            let at_type = mixed.located_at(ty.span());
            let outcome = emit::with_span(quote!(#krate::__private::Outcome), at_type);
            let counted = quote_spanned!(at_type=> #outcome::<#ty>::counted());
            quote_spanned!(mixed=> #krate::__private::Profiled::judged(#site, #future, #counted))
        }
        Failures::CountedIfAny(ty) => quote_spanned! {mixed=>
            #krate::__private::Profiled::judged(#site, #future, #krate::__private::Outcome::<#ty>::new().failure())
        },
    }
}

/// For a function that makes a future in whatever way. Whether that is one is for its type to say, which only the compiler knows.
fn returning_future(
    function: &Function,
    options: &Options,
    site: &TokenStream,
    body: &TokenStream,
    shape: FutureShape,
) -> TokenStream {
    let krate = &options.krate;
    let mixed = Span::mixed_site();
    let closure = emit::closure(function, body);
    let failures = Failures::of(function, options);
    if matches!(failures, Failures::Counted(_)) {
        let future = profiled_future(function, options, site, &emit::called(krate, &closure));
        return match shape {
            FutureShape::Opaque => future,
            FutureShape::Boxed => quote_spanned!(mixed=> #krate::__private::boxed(#future)),
        };
    }
    let failure = match failures {
        Failures::CountedIfAny(ty) => Some(quote!(, #krate::__private::Outcome::<#ty>::new().failure())),
        _ => None,
    };
    let measured = match (shape, &failure) {
        (FutureShape::Opaque, None) => "measured",
        (FutureShape::Opaque, Some(_)) => "judged",
        (FutureShape::Boxed, None) => "measured_box",
        (FutureShape::Boxed, Some(_)) => "judged_box",
    };
    let measured = Ident::new(measured, mixed);
    quote_spanned! {mixed=>
        let __perfkit_body = #krate::__private::once(#closure);
        #krate::__private::Body::of(&__perfkit_body).#measured({ #site &SITE }, __perfkit_body #failure)
    }
}

/// `Box::pin` and the future out of a body that is `{ Box::pin(async …) }` and nothing else, which is what `async_trait` writes: the future is
/// wrapped inside of the box it has, instead of getting a second one.
fn boxed_alone(body: &Group) -> Option<(TokenStream, TokenStream)> {
    let mut tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let TokenTree::Group(arguments) = tokens.pop()? else { return None };
    let future = arguments.stream();
    if !matches!(future.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "async") {
        return None;
    }
    let path: Path = syn::parse2(tokens.into_iter().collect()).ok()?;
    let mut segments = path.segments.iter().rev().map(|segment| segment.ident.to_string());
    let is_box_pin = segments.next().as_deref() == Some("pin") && segments.next().as_deref() == Some("Box");
    is_box_pin.then(|| (quote!(#path), future))
}
