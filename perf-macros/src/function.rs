//! A function as the attributes see it: attributes, visibility and signature parsed, the body left as it came.
//!
//! Parsing the body would double what the attribute costs the user's build, and nothing here needs it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Abi, Attribute, FnArg, GenericArgument, Meta, MetaList, Pat, PatIdent, PatType, PathArguments, Receiver,
    ReceiverKind, ReturnType, Signature, Token, Type, TypeParamBound, Visibility,
};

/// A function item, method, or trait method with or without a default body.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Body,
}

/// An argument that has a plain name, whatever its pattern was.
pub(crate) struct Argument<'a> {
    pub(crate) name: Ident,
    /// The pattern as the user wrote it.
    pub(crate) pattern: &'a Pat,
    pub(crate) ty: &'a Type,
    attributes: &'a [Attribute],
}

impl<'a> Argument<'a> {
    /// An argument of a signature.
    ///
    /// Where the user gave it no plain name, it is one that nobody else has: a `let` of a name that is a `static` or a constant of the
    /// user's would be a comparison with that.
    fn of(index: usize, PatType { attrs, pat, ty, .. }: &'a PatType) -> Self {
        let name = match &**pat {
            Pat::Ident(pattern) if is_plain(pattern) => pattern.ident.clone(),
            _ => format_ident!("__perfkit_argument_{index}", span = Span::mixed_site()),
        };
        Argument { name, pattern: pat, ty, attributes: attrs }
    }

    /// What stands in a signature where the pattern is elsewhere: the plain name, not `mut`, and the type.
    pub(crate) fn named(&self) -> TokenStream {
        let Argument { name, ty, attributes, .. } = self;
        // What was expected of the pattern happens where the pattern is now.
        let attributes = attributes.iter().map(allowed);
        quote!(#(#attributes)* #name: #ty)
    }

    /// Statements that take the argument into the scope they stand in, so that it is dropped there and not after it. The parts that the pattern
    /// leaves are dropped after those it takes, as in a function.
    ///
    /// References stay where they are, since nothing is dropped with them.
    pub(crate) fn moved_inside(&self) -> TokenStream {
        let Argument { name, pattern, .. } = self;
        let condition =
            |attribute: &&Attribute| is_named(attribute, "cfg") || is_named(attribute, "cfg_attr");
        let conditions: Vec<_> = self.attributes.iter().filter(condition).collect();
        let levels =
            self.attributes.iter().filter(|attribute| condition(attribute) || is_lint_level(attribute));
        let mixed = Span::mixed_site();
        match pattern {
            Pat::Ident(plain) if is_plain(plain) => {
                // The name says that the user's code does not use it, and generated code does.
                let unused = name.to_string().starts_with('_');
                let used = unused.then(|| quote!(#[allow(clippy::used_underscore_binding, clippy::no_effect_underscore_binding)]));
                let mutability = &plain.mutability;
                quote_spanned!(mixed=> #(#levels)* #used let #mutability #name = #name;)
            }
            Pat::Wild(_) => quote_spanned!(mixed=> #(#conditions)* let #name = #name;),
            pattern => {
                let mutability = contains_word(&quote!(#pattern), "ref").then(|| quote!(mut));
                quote_spanned! {mixed=>
                    #(#conditions)* let #mutability #name = #name;
                    #(#levels)* let #pattern = #name;
                }
            }
        }
    }
}

/// `name` or `mut name`. With a capital it may be a constant or a struct without fields, which a pattern compares with.
fn is_plain(pattern: &PatIdent) -> bool {
    let capital = pattern.ident.unraw().to_string().starts_with(char::is_uppercase);
    pattern.by_ref.is_none() && pattern.subpat.is_none() && !capital
}

/// The part after the signature.
pub(crate) enum Body {
    /// `{ … }`
    Block(Group),
    /// `;`
    None(Token![;]),
}

impl Parse for Function {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        Self::parse_after_visibility(attributes, visibility, input)
    }
}

impl Function {
    pub(crate) fn parse_after_visibility(
        attributes: Vec<Attribute>,
        visibility: Visibility,
        input: ParseStream,
    ) -> syn::Result<Self> {
        let signature = input.parse()?;
        let body =
            if input.peek(Token![;]) { Body::None(input.parse()?) } else { Body::Block(parse_block(input)?) };
        Ok(Function { attributes, visibility, signature, body })
    }

    /// The name.
    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    /// `self` in any form.
    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        match self.signature.inputs.first() {
            Some(FnArg::Receiver(receiver)) => Some(receiver),
            _ => None,
        }
    }

    /// Whether calling the function consumes `self` (so that `self` is dropped in it).
    pub(crate) fn takes_self_by_value(&self) -> bool {
        self.receiver().is_some_and(|receiver| match &receiver.kind {
            ReceiverKind::Value => true,
            ReceiverKind::Typed(_, ty) => !is_reference(ty) && !is_pinned_reference(ty),
            _ => false,
        })
    }

    /// The written return type; `None` for `()` left out.
    pub(crate) fn return_type(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(ty),
        }
    }

    /// Whether some `#[name]` or `#[path::name]` stands on it.
    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        self.attributes.iter().any(|attribute| is_named(attribute, name))
    }

    /// Whether it has `#[track_caller]`, or may have: under a condition counts too.
    ///
    /// Such a function is not to be put into a closure, which would be the caller that it sees.
    pub(crate) fn tracks_caller(&self) -> bool {
        self.may_have("track_caller")
    }

    /// Whether the attribute stands on it, also inside of `unsafe(…)` and `cfg_attr(…)`.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.attributes.iter().any(|attribute| contains_word(&attribute.meta.to_token_stream(), name))
    }

    /// The arguments beside `self`.
    pub(crate) fn arguments(&self) -> Vec<Argument<'_>> {
        let mut arguments = Vec::new();
        for (index, argument) in self.signature.inputs.iter().enumerate() {
            if let FnArg::Typed(argument) = argument {
                arguments.push(Argument::of(index, argument));
            }
        }
        arguments
    }

    /// What stands between the parentheses where every argument has a plain name, and none is `mut`.
    pub(crate) fn named_inputs(&self, arguments: &[Argument<'_>]) -> TokenStream {
        let receiver = self.receiver().map(|receiver| match &receiver.kind {
            ReceiverKind::Reference(..) => quote!(#receiver,),
            kind => {
                let Receiver { attrs, self_token, .. } = receiver;
                let ty = match kind {
                    ReceiverKind::Typed(colon, ty) => Some(quote!(#colon #ty)),
                    _ => None,
                };
                quote!(#(#attrs)* #self_token #ty,)
            }
        });
        let arguments = arguments.iter().map(Argument::named);
        quote!(#receiver #(#arguments,)*)
    }

    /// What stands between the parentheses where the body takes the arguments into its own scope, and the statements that do so: the arguments
    /// are dropped there and not after it.
    pub(crate) fn move_arguments_inside(&self) -> (TokenStream, TokenStream) {
        let (mut inputs, mut statements) = (TokenStream::new(), TokenStream::new());
        for (index, input) in self.signature.inputs.iter().enumerate() {
            let input = match input {
                FnArg::Typed(argument) if !is_reference(&argument.ty) => {
                    let argument = Argument::of(index, argument);
                    statements.extend(argument.moved_inside());
                    argument.named()
                }
                other => other.to_token_stream(),
            };
            inputs.extend(quote!(#input,));
        }
        (inputs, statements)
    }

    /// The signature with other arguments, which end with a comma.
    pub(crate) fn signature_with(&self, inputs: &TokenStream) -> TokenStream {
        let Signature { abi, ident, .. } = &self.signature;
        self.signature_of(abi.as_ref(), ident, inputs)
    }

    /// The signature of a function of another name that does the same.
    pub(crate) fn signature_of(&self, abi: Option<&Abi>, name: &Ident, inputs: &TokenStream) -> TokenStream {
        let Signature { constness, asyncness, safety, fn_token, generics, variadic, output, .. } =
            &self.signature;
        let mut inputs = Group::new(Delimiter::Parenthesis, quote!(#inputs #variadic));
        inputs.set_span(self.signature.paren_token.span.join());
        let bounds = &generics.where_clause;
        quote!(#constness #asyncness #safety #abi #fn_token #name #generics #inputs #output #bounds)
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Function { attributes, visibility, signature, body } = self;
        tokens.extend(quote!(#(#attributes)* #visibility #signature));
        match body {
            Body::Block(group) => group.to_tokens(tokens),
            Body::None(semicolon) => semicolon.to_tokens(tokens),
        }
    }
}

fn parse_block(input: ParseStream) -> syn::Result<Group> {
    let span = input.span();
    let token = if input.is_empty() { None } else { Some(input.parse()?) };
    token.and_then(braces).ok_or_else(|| syn::Error::new(span, "expected the function's body"))
}

/// A `{ … }` group, also when a `macro_rules!` variable wrapped it in an invisible one.
pub(crate) fn braces(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => group.stream().into_iter().next().and_then(braces),
        _ => None,
    }
}

/// Splits the inner attributes (`#![…]`) from the start of a body.
pub(crate) fn split_inner_attributes(body: TokenStream) -> (TokenStream, TokenStream) {
    let mut tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut end = 0;
    while let [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(group), ..] = &tokens[end..] {
        if hash.as_char() != '#' || bang.as_char() != '!' || group.delimiter() != Delimiter::Bracket {
            break;
        }
        end += 3;
    }
    let rest = tokens.split_off(end);
    (tokens.into_iter().collect(), rest.into_iter().collect())
}

/// Whether an attribute is `#[name]`, `#[name(…)]` or `#[path::name]`.
pub(crate) fn is_named(attribute: &Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == name)
}

/// `&T`, `&mut T`.
pub(crate) fn is_reference(ty: &Type) -> bool {
    match ty {
        Type::Reference(_) => true,
        Type::Group(group) => is_reference(&group.elem),
        Type::Paren(paren) => is_reference(&paren.elem),
        _ => false,
    }
}

fn is_pinned_reference(ty: &Type) -> bool {
    let Some(segment) = last_segment(ty) else { return false };
    segment.ident == "Pin" && first_type_argument(&segment.arguments).is_some_and(is_reference)
}

/// The last segment of a path type.
pub(crate) fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

pub(crate) fn first_type_argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether the type is written `Result<…>`, by whatever path.
pub(crate) fn is_result(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "Result")
}

/// Whether `impl Trait` occurs anywhere in the type, which then cannot be written in another place.
pub(crate) fn contains_impl(ty: &Type) -> bool {
    contains_word(&ty.to_token_stream(), "impl")
}

/// Whether `impl Fn(A, …)` occurs in the type: the closures that are returned may have the types of their arguments from there.
pub(crate) fn returns_function(ty: &Type) -> bool {
    fn is_in(tokens: TokenStream) -> bool {
        let mut is_function = false;
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                let name = word.strip_prefix("Async").unwrap_or(&word);
                is_function = ["Fn", "FnMut", "FnOnce"].contains(&name);
                false
            }
            TokenTree::Group(group) => {
                let has_arguments = core::mem::take(&mut is_function) && !group.stream().is_empty();
                has_arguments || is_in(group.stream())
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    contains_impl(ty) && is_in(ty.to_token_stream())
}

/// Whether the identifier occurs anywhere in the tokens.
pub(crate) fn contains_word(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => contains_word(&group.stream(), word),
        _ => false,
    })
}

/// `#[allow(…)]` and the like.
pub(crate) fn is_lint_level(attribute: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid", "expect"].iter().any(|name| is_named(attribute, name))
}

/// The attribute with `#[allow(…)]` in place of `#[expect(…)]`, for code that is written twice: the lint comes from one of the two.
pub(crate) fn allowed(attribute: &Attribute) -> TokenStream {
    match attribute {
        Attribute { pound_token, bracket_token, meta: Meta::List(MetaList { tokens, .. }), .. }
            if is_named(attribute, "expect") =>
        {
            let mut allow = Group::new(Delimiter::Bracket, quote!(allow(#tokens)));
            allow.set_span(bracket_token.span.join());
            quote!(#pound_token #allow)
        }
        _ => attribute.to_token_stream(),
    }
}

/// How a function that is not `async` returns a future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FutureShape {
    /// `-> impl Future<…>`
    Opaque,
    /// `-> Pin<Box<dyn Future<…>>>`, `-> BoxFuture<…>`, `-> LocalBoxFuture<…>`
    Boxed,
}

type Bounds = Punctuated<TypeParamBound, Token![+]>;

/// Whether a return type is a future.
pub(crate) fn future_shape(ty: &Type) -> Option<FutureShape> {
    if let Type::ImplTrait(opaque) = ty {
        return future_bound(&opaque.bounds).map(|_| FutureShape::Opaque);
    }
    let is_boxed = is_boxed_future(last_segment(ty)?)
        || boxed_bounds(ty).is_some_and(|bounds| future_bound(bounds).is_some());
    is_boxed.then_some(FutureShape::Boxed)
}

/// What a future completes with, where its type says so.
pub(crate) fn future_output(ty: &Type) -> Option<&Type> {
    if let Some(segment) = last_segment(ty).filter(|segment| is_boxed_future(segment)) {
        return first_type_argument(&segment.arguments);
    }
    let bounds = match ty {
        Type::ImplTrait(opaque) => &opaque.bounds,
        _ => boxed_bounds(ty)?,
    };
    let PathArguments::AngleBracketed(arguments) = &future_bound(bounds)?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
        _ => None,
    })
}

/// Whether a future of this type may be put into another one and still be of the type: that one has what `auto` traits and lifetimes ask for,
/// and no other trait.
pub(crate) fn may_be_wrapped(ty: &Type) -> bool {
    let Type::ImplTrait(opaque) = ty else { return true };
    opaque.bounds.iter().all(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|segment| {
            let usual = ["Future", "Send", "Sync", "Unpin", "Sized", "UnwindSafe", "RefUnwindSafe", "Debug"];
            usual.iter().any(|name| segment.ident == name)
        }),
        _ => true,
    })
}

/// `BoxFuture<…>`, `LocalBoxFuture<…>`
fn is_boxed_future(segment: &syn::PathSegment) -> bool {
    segment.ident == "BoxFuture" || segment.ident == "LocalBoxFuture"
}

/// The bounds in `Pin<Box<dyn …>>`.
fn boxed_bounds(ty: &Type) -> Option<&Bounds> {
    let inside = |ty, name| {
        last_segment(ty)
            .filter(|segment| segment.ident == name)
            .and_then(|segment| first_type_argument(&segment.arguments))
    };
    match inside(inside(ty, "Pin")?, "Box")? {
        Type::TraitObject(object) => Some(&object.bounds),
        _ => None,
    }
}

fn future_bound(bounds: &Bounds) -> Option<&syn::PathSegment> {
    bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().filter(|segment| segment.ident == "Future")
        }
        _ => None,
    })
}

/// Line and column of a span, from 1; zeros outside of a compiler.
pub(crate) fn line_and_column(span: Span) -> (u32, u32) {
    if !proc_macro::is_available() {
        return (0, 0);
    }
    let span = span.unwrap();
    (u32::try_from(span.line()).unwrap_or(0), u32::try_from(span.column()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn what_a_future_completes_with() {
        for text in [
            "impl Future<Output = Result<u8, E>> + Send",
            "Pin<Box<dyn core::future::Future<Output = Result<u8, E>> + Send + 'a>>",
            "BoxFuture<'a, Result<u8, E>>",
        ] {
            let ty = ty(text);
            assert!(future_shape(&ty).is_some(), "{text}");
            assert!(future_output(&ty).is_some_and(is_result), "{text}");
        }
        for text in ["impl Iterator<Item = u8>", "Box<dyn Future<Output = u8>>", "Pin<&mut F>", "Future"] {
            assert_eq!(future_shape(&ty(text)), None, "{text}");
        }
        for (text, is) in [
            ("impl Future + Send + Unpin + 'a + use<'a, T>", true),
            ("impl Future + Clone", false),
            ("impl Future + ?Sized + FusedFuture", false),
            ("BoxFuture<'a, u8>", true),
        ] {
            assert_eq!(may_be_wrapped(&ty(text)), is, "{text}");
        }
    }

    #[test]
    fn functions_that_are_returned() {
        for (text, is) in [
            ("impl Fn(&str) -> usize", true),
            ("Result<impl std::ops::FnMut(u8), E>", true),
            ("impl AsyncFn(u8)", true),
            ("impl Fn() -> u8", false),
            ("impl Iterator<Item = u8>", false),
            ("Box<dyn Fn(&str) -> usize>", false),
        ] {
            assert_eq!(returns_function(&ty(text)), is, "{text}");
        }
    }
}
