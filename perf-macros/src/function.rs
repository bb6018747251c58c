//! A function as the attributes see it: attributes, visibility and signature parsed, the body left as it came.
//!
//! Parsing the body would double what the attribute costs the user's build, and nothing here needs it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, FnArg, GenericArgument, Pat, PathArguments, Receiver, ReceiverKind, ReturnType, Signature,
    Token, Type, TypeParamBound, Visibility,
};

/// A function item, method, or trait method with or without a default body.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Body,
}

/// An argument that has a plain name, whatever its pattern was.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    /// The pattern as the user wrote it.
    pub(crate) pattern: Pat,
    pub(crate) ty: Type,
}

/// The part after the signature.
#[derive(Clone)]
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

    /// Gives every argument a plain name in the signature, none of them `mut`, and returns for each what is in the signature now and what was.
    pub(crate) fn name_arguments(&mut self) -> Vec<Argument> {
        let mut arguments = Vec::new();
        for (index, argument) in self.signature.inputs.iter_mut().enumerate() {
            let argument = match argument {
                FnArg::Typed(argument) => argument,
                FnArg::Receiver(receiver) => {
                    receiver.mutability = None;
                    continue;
                }
            };
            let pattern = match &*argument.pat {
                Pat::Ident(pattern) if pattern.subpat.is_none() => {
                    let name = pattern.ident.clone();
                    core::mem::replace(&mut *argument.pat, syn::parse_quote!(#name))
                }
                _ => {
                    let name = format_ident!("argument_{index}", span = Span::mixed_site());
                    core::mem::replace(&mut *argument.pat, syn::parse_quote!(#name))
                }
            };
            let Pat::Ident(named) = &*argument.pat else { continue };
            arguments.push(Argument { name: named.ident.clone(), pattern, ty: (*argument.ty).clone() });
        }
        arguments
    }

    /// Statements that take the arguments into the scope they stand in, so that they are dropped there and not after it.
    ///
    /// A pattern moves from the signature into the statement; references stay where they are, since nothing is dropped with
    /// them. Changes the signature accordingly.
    pub(crate) fn move_arguments_inside(&mut self) -> TokenStream {
        let mut statements = TokenStream::new();
        for (index, argument) in self.signature.inputs.iter_mut().enumerate() {
            let FnArg::Typed(argument) = argument else { continue };
            if is_reference(&argument.ty) && matches!(*argument.pat, Pat::Ident(_) | Pat::Wild(_)) {
                continue;
            }
            let conditions = argument.attrs.iter().filter(|attribute| is_named(attribute, "cfg"));
            let conditions = quote!(#(#conditions)*);
            let site = Span::mixed_site();
            match &mut *argument.pat {
                Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
                    let mutability = pattern.mutability.take();
                    let name = &pattern.ident;
                    statements.extend(quote_spanned!(site=> #conditions let #mutability #name = #name;));
                }
                pattern => {
                    let name = format_ident!("argument_{index}", span = site);
                    let original = core::mem::replace(pattern, syn::parse_quote!(#name));
                    // `let _ = x` would not take it.
                    let original = if matches!(original, Pat::Wild(_)) {
                        format_ident!("_dropped", span = site).into_token_stream()
                    } else {
                        original.into_token_stream()
                    };
                    statements.extend(quote_spanned!(site=> #conditions let #original = #name;));
                }
            }
        }
        statements
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

/// A `{ … }` group, also when a `macro_rules!` variable wrapped it in an invisible one.
fn parse_block(input: ParseStream) -> syn::Result<Group> {
    let span = input.span();
    let mut token = if input.is_empty() { None } else { Some(input.parse::<TokenTree>()?) };
    while let Some(TokenTree::Group(group)) = token {
        match group.delimiter() {
            Delimiter::Brace => return Ok(group),
            Delimiter::None => token = group.stream().into_iter().next(),
            _ => break,
        }
    }
    Err(syn::Error::new(span, "expected the function's body"))
}

/// Splits the inner attributes (`#![…]`) from the start of a body.
pub(crate) fn split_inner_attributes(body: TokenStream) -> (TokenStream, TokenStream) {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut end = 0;
    while let [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(group), ..] = &tokens[end..] {
        if hash.as_char() != '#' || bang.as_char() != '!' || group.delimiter() != Delimiter::Bracket {
            break;
        }
        end += 3;
    }
    let rest = tokens[end..].iter().cloned().collect();
    (tokens.into_iter().take(end).collect(), rest)
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

/// Whether the identifier occurs anywhere in the tokens.
pub(crate) fn contains_word(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => contains_word(&group.stream(), word),
        _ => false,
    })
}

/// How a function that is not `async` returns a future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FutureShape {
    /// `-> impl Future<…>`
    Opaque,
    /// `-> Pin<Box<dyn Future<…>>>`, `-> BoxFuture<…>`, `-> LocalBoxFuture<…>`
    Boxed,
}

/// Whether a return type is a future.
pub(crate) fn future_shape(ty: &Type) -> Option<FutureShape> {
    if let Type::ImplTrait(opaque) = ty {
        return has_future_bound(&opaque.bounds).then_some(FutureShape::Opaque);
    }
    let segment = last_segment(ty)?;
    let boxed = match segment.ident.to_string().as_str() {
        "BoxFuture" | "LocalBoxFuture" => true,
        "Pin" => first_type_argument(&segment.arguments)
            .and_then(last_segment)
            .filter(|segment| segment.ident == "Box")
            .and_then(|segment| first_type_argument(&segment.arguments))
            .is_some_and(|ty| matches!(ty, Type::TraitObject(object) if has_future_bound(&object.bounds))),
        _ => false,
    };
    boxed.then_some(FutureShape::Boxed)
}

fn has_future_bound(bounds: &syn::punctuated::Punctuated<TypeParamBound, Token![+]>) -> bool {
    bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|segment| segment.ident == "Future")
        }
        _ => false,
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
