//! What a type borrows, as far as it is written: a lifetime that is left out of a path cannot be seen.
//!
//! What stands in a function's own signature, as in `fn(&str)` and `dyn Fn(&str)`, is borrowed when that is called and no part of the type.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{GenericArgument, Lifetime, Path, PathArguments, Token, Type, TypeParamBound, TypeReference};

/// A place where a type borrows.
enum Borrow<'a> {
    /// `&T`, `&'a mut T`.
    Reference(&'a mut TypeReference),
    /// `'a` anywhere else.
    Lifetime(&'a mut Lifetime),
}

/// Whether the type holds a reference or a lifetime other than `'static`.
pub(crate) fn borrows(ty: &Type) -> bool {
    any(ty, |borrow| match borrow {
        Borrow::Reference(reference) => {
            reference.lifetime.as_ref().is_none_or(|lifetime| !is_static(lifetime))
        }
        Borrow::Lifetime(lifetime) => !is_static(lifetime),
    })
}

/// Whether the type holds a `&mut`.
pub(crate) fn borrows_mutably(ty: &Type) -> bool {
    any(ty, |borrow| matches!(borrow, Borrow::Reference(reference) if reference.mutability.is_some()))
}

/// The type with `lifetime` in place of every other but `'static`, written or left out after `&`.
pub(crate) fn with_lifetime(ty: &Type, lifetime: &Lifetime) -> TokenStream {
    let Some(mut ty) = again(ty) else { return ty.to_token_stream() };
    walk(&mut ty, &mut |borrow| match borrow {
        Borrow::Reference(reference) => {
            if reference.lifetime.as_ref().is_none_or(|lifetime| !is_static(lifetime)) {
                reference.lifetime = Some(lifetime.clone());
            }
        }
        Borrow::Lifetime(written) => {
            if !is_static(written) {
                *written = lifetime.clone();
            }
        }
    });
    ty.into_token_stream()
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

fn any(ty: &Type, mut is: impl FnMut(Borrow<'_>) -> bool) -> bool {
    let mut found = false;
    if let Some(mut ty) = again(ty) {
        walk(&mut ty, &mut |borrow| found |= is(borrow));
    }
    found
}

/// The type once more, to be walked through, or `None` where nothing in it is written like a reference or a lifetime.
fn again(ty: &Type) -> Option<Type> {
    let tokens = ty.to_token_stream();
    if contains_mark(tokens.clone()) { syn::parse2(tokens).ok() } else { None }
}

/// Whether there is a `&` or a `'` among the tokens.
fn contains_mark(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '&' | '\''),
        TokenTree::Group(group) => contains_mark(group.stream()),
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    })
}

fn walk(ty: &mut Type, visit: &mut dyn FnMut(Borrow<'_>)) {
    match ty {
        Type::Reference(reference) => {
            walk(&mut reference.elem, visit);
            visit(Borrow::Reference(reference));
        }
        Type::Array(array) => walk(&mut array.elem, visit),
        Type::Slice(slice) => walk(&mut slice.elem, visit),
        Type::Ptr(pointer) => walk(&mut pointer.elem, visit),
        Type::Paren(paren) => walk(&mut paren.elem, visit),
        Type::Group(group) => walk(&mut group.elem, visit),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| walk(ty, visit)),
        Type::Path(path) => {
            if let Some(qself) = &mut path.qself {
                walk(&mut qself.ty, visit);
            }
            walk_path(&mut path.path, visit);
        }
        Type::TraitObject(object) => walk_bounds(&mut object.bounds, visit),
        Type::ImplTrait(opaque) => walk_bounds(&mut opaque.bounds, visit),
        _ => {}
    }
}

fn walk_path(path: &mut Path, visit: &mut dyn FnMut(Borrow<'_>)) {
    for segment in &mut path.segments {
        let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Lifetime(lifetime) => visit(Borrow::Lifetime(lifetime)),
                GenericArgument::Type(ty) => walk(ty, visit),
                GenericArgument::AssocType(associated) => walk(&mut associated.ty, visit),
                GenericArgument::Constraint(constraint) => walk_bounds(&mut constraint.bounds, visit),
                _ => {}
            }
        }
    }
}

fn walk_bounds(bounds: &mut Punctuated<TypeParamBound, Token![+]>, visit: &mut dyn FnMut(Borrow<'_>)) {
    for bound in bounds {
        match bound {
            TypeParamBound::Lifetime(lifetime) => visit(Borrow::Lifetime(lifetime)),
            // `for<'a>` has lifetimes of its own.
            TypeParamBound::Trait(bound) if bound.lifetimes.is_none() => walk_path(&mut bound.path, visit),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::{parse_quote, parse_str};

    #[test]
    fn what_borrows() {
        for text in ["&str", "&'a str", "Vec<&str>", "Parser<'_>", "(u8, [&u8; 2])", "Box<dyn Show + 'a>"] {
            assert!(borrows(&parse_str(text).unwrap()), "{text}");
        }
        for text in
            ["String", "&'static str", "fn(&str) -> &str", "Arc<dyn for<'a> Fn(&'a str) -> u8>", "*mut u8"]
        {
            assert!(!borrows(&parse_str(text).unwrap()), "{text}");
        }
        for (text, is) in [("Vec<&mut u8>", true), ("*mut u8", false), ("fn(&mut u8)", false)] {
            assert_eq!(borrows_mutably(&parse_str(text).unwrap()), is, "{text}");
        }
    }

    #[test]
    fn one_lifetime_for_all() {
        let ty = parse_quote!(Map<'a, &(&'static str, fn(&u8)), dyn Show + '_>);
        let with = with_lifetime(&ty, &parse_quote!('x));
        let expected: Type = parse_quote!(Map<'x, &'x (&'static str, fn(&u8)), dyn Show + 'x>);
        assert_eq!(with.to_string(), expected.to_token_stream().to_string());
    }
}
