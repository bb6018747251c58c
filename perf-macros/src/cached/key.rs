//! What the key of a cached function is made of: its arguments, and the expressions of `key`.
//!
//! The arguments go to the cache by reference, in one tuple; a closure makes the key of them. In an expression of `key` an argument
//! is called what it is called in the function: a copy of it where it is `Copy`, else a reference to it, so that nothing is taken
//! away from the body.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, GenericParam, Generics, Lifetime, Pat, ReceiverKind, Type};

use super::options::{KeyOption, Options};
use crate::borrows::{borrows, borrows_mutably, with_lifetime};
use crate::fallback::Errors;
use crate::function::{Argument, Function, contains_impl, first_type_argument, last_segment};
use crate::options::ungrouped;

/// See the module.
pub(super) struct KeyParts<'a> {
    /// The names of the modules that tell what is a part.
    is_local: bool,
    /// Whether it goes to a backend.
    is_shared: bool,
    /// `self`, where an expression names it; first in the tuple.
    receiver: Option<Receiver>,
    arguments: Vec<Part<'a>>,
    expressions: &'a [Expr],
}

struct Receiver {
    /// What is handed on.
    argument: TokenStream,
    /// Its type.
    ty: TokenStream,
}

/// An argument that the key needs.
struct Part<'a> {
    name: Ident,
    /// What the user wrote, where that is no plain name.
    pattern: Option<&'a Pat>,
    shape: Shape<'a>,
    /// A part of the key by itself, and not only named in an expression.
    counts: bool,
    /// Named in an expression.
    named: bool,
}

/// How an argument is handed on, and as what.
pub(super) enum Shape<'a> {
    /// `T`, as `&T`.
    Value(&'a Type),
    /// `&T`, as it is. Holds `T`.
    Reference(&'a Type),
    /// `Option<&T>`, as it is. Holds `T`.
    Optional(&'a Type),
    /// `Cow<'_, T>`, as `&T`. Holds `T`.
    Cow(&'a Type),
}

/// The one lifetime of everything that is handed on.
fn lifetime() -> Lifetime {
    Lifetime::new("'__arguments", Span::mixed_site())
}

/// What `self` is called in the closure.
fn this() -> Ident {
    Ident::new("__this", Span::mixed_site())
}

impl<'a> KeyParts<'a> {
    pub(super) fn new(
        function: &Function,
        arguments: &[Argument<'a>],
        options: &'a Options,
        errors: &mut Errors,
    ) -> Self {
        let expressions = options.key.as_ref().map_or(&[][..], KeyOption::expressions);
        let words = quote!(#(#expressions,)*);
        let instead = matches!(options.key, Some(KeyOption::Instead(_)));
        check_skip(function, arguments, options, errors);
        let receiver = Receiver::new(function, options, mentions(&words, "self"), errors);
        let mut parts = Vec::new();
        for argument in arguments {
            let &Argument { ref name, pattern, ty, .. } = argument;
            let named = is_any_named(pattern, &words);
            let skipped = options.skip.contains(name);
            // What has no name has no influence.
            let counts = !instead && !skipped && !matches!(pattern, Pat::Wild(_));
            refuse(ty, counts, skipped, named, errors);
            if counts || named {
                let pattern = Some(pattern).filter(|pattern| !matches!(pattern, Pat::Ident(_)));
                parts.push(Part { name: name.clone(), pattern, shape: Shape::of(ty), counts, named });
            }
        }
        KeyParts {
            is_local: options.is_local,
            is_shared: options.backend.is_some(),
            receiver,
            arguments: parts,
            expressions,
        }
    }

    /// What the tuple of arguments is in a call: references to the function's.
    pub(super) fn arguments(&self) -> TokenStream {
        self.tuple(
            |receiver| receiver.argument.clone(),
            |Part { name, shape, .. }| match shape {
                Shape::Value(_) => quote!(&#name),
                Shape::Reference(_) | Shape::Optional(_) => quote!(#name),
                Shape::Cow(_) => quote!(&*#name),
            },
        )
    }

    /// The type of that.
    pub(super) fn ty(&self) -> TokenStream {
        self.tuple(|receiver| receiver.ty.clone(), |part| part.shape.handed_on())
    }

    /// Parameters of a companion that takes what the key needs. It has no `self`: only functions outside of an `impl` have those.
    pub(super) fn parameters(&self) -> TokenStream {
        let parameters = self.arguments.iter().map(|Part { name, shape, .. }| {
            let ty = shape.handed_on();
            quote!(#name: #ty)
        });
        quote!(#(#parameters),*)
    }

    /// Whether each of the function's arguments is a part of the key by itself.
    pub(super) fn are_all(&self, arguments: &[Argument<'_>]) -> bool {
        self.arguments.iter().filter(|part| part.counts).count() == arguments.len()
    }

    /// The tuple of arguments made of those parameters, which is the pattern of it, too.
    pub(super) fn parameters_as_arguments(&self) -> TokenStream {
        self.tuple(|_| this().into_token_stream(), |part| part.name.to_token_stream())
    }

    /// What is made of each, in a tuple if they are not one.
    fn tuple(
        &self,
        receiver: fn(&Receiver) -> TokenStream,
        argument: fn(&Part<'_>) -> TokenStream,
    ) -> TokenStream {
        let mut elements: Vec<TokenStream> = self.receiver.iter().map(receiver).collect();
        for part in &self.arguments {
            elements.push(argument(part));
        }
        match elements.as_slice() {
            [only] => only.clone(),
            elements => quote!((#(#elements),*)),
        }
    }

    /// Whether making it runs none of the user's code, so that a call may make it twice.
    pub(super) fn is_at_hand(&self) -> bool {
        self.expressions.iter().all(is_at_hand)
    }

    /// The closure from the tuple to the key.
    pub(super) fn closure(&self, krate: &TokenStream, ty: Option<&TokenStream>) -> TokenStream {
        let names = self.parameters_as_arguments();
        let ty = ty.map(|ty| quote!(: #ty));
        let mut parts = Vec::new();
        for Part { name, shape, counts, .. } in &self.arguments {
            if !counts {
                continue;
            }
            let argument = Ident::new(shape.argument(), Span::mixed_site());
            // Messages about the argument point at its type.
            let span = shape.inner().span().resolved_at(Span::mixed_site());
            let argument = quote_spanned!(span=> #krate::__private::argument::#argument(#name));
            parts.push(if self.is_shared || self.is_local {
                quote_spanned!(span=> (&#argument).__perfkit_part())
            } else {
                quote_spanned!(span=> (&&&&#argument).__perfkit_part())
            });
        }
        for expression in self.expressions {
            parts.push(self.expression(krate, expression));
        }
        let mut key = quote!(());
        for part in parts.iter().rev() {
            key = quote!((#part, #key));
        }
        let ways = if self.is_shared {
            quote_spanned!(Span::mixed_site()=> #krate::__private::shared_argument::{Fit as _, Unfit as _})
        } else if self.is_local {
            quote_spanned!(Span::mixed_site()=> #krate::__private::local::argument::{Fit as _, Unfit as _})
        } else {
            quote_spanned!(Span::mixed_site()=> #krate::__private::argument::{Buffered as _, Content as _, Fit as _, Textual as _, Unfit as _})
        };
        quote_spanned! {Span::mixed_site()=>
            |#names #ty| {
                #[allow(unused_imports)]
                use #ways;
                #key
            }
        }
    }

    /// An expression of `key` as a part, with the function's arguments in scope.
    fn expression(&self, krate: &TokenStream, expression: &Expr) -> TokenStream {
        let bindings = self.arguments.iter().filter(|part| part.named).map(|part| {
            let Part { name, pattern, shape, .. } = part;
            let pattern = pattern.as_ref().map(|pattern| plain(pattern.to_token_stream()));
            match (pattern, shape) {
                (None, Shape::Reference(_) | Shape::Optional(_) | Shape::Cow(_)) => TokenStream::new(),
                (pattern, Shape::Value(_)) => {
                    let pattern = pattern.unwrap_or_else(|| name.to_token_stream());
                    quote! {
                        #[allow(unused_variables)]
                        let #pattern = #krate::__private::argument::Argument(#name).__perfkit_here();
                    }
                }
                (Some(pattern), _) => quote!(#[allow(unused_variables)] let #pattern = #name;),
            }
        });
        let span = expression.span().resolved_at(Span::mixed_site());
        let is_place = is_place(expression);
        let mut expression = without_self(expression.to_token_stream(), &this());
        if is_place {
            expression = quote_spanned! {span=>
                #krate::__private::argument::Argument(&#expression).__perfkit_here()
            };
        }
        let expression = quote_spanned!(span=> #krate::__private::expression::Expression::new(#expression));
        let (part, ways) = if self.is_shared {
            (
                quote_spanned!(span=> (&&&#expression).__perfkit_part()),
                quote_spanned!(Span::mixed_site()=> #krate::__private::shared_expression::{Reference as _, Unfit as _, Value as _}),
            )
        } else if self.is_local {
            (
                quote_spanned!(span=> (&&&#expression).__perfkit_part()),
                quote_spanned!(Span::mixed_site()=> #krate::__private::local::expression::{Reference as _, Unfit as _, Value as _}),
            )
        } else {
            let part = quote_spanned!(span=> (&&&&&&&#expression).__perfkit_part());
            let ways = quote_spanned! {Span::mixed_site()=>
                #krate::__private::expression::{
                    Reference as _, ReferenceBuffered as _, ReferenceContent as _, Unfit as _, Value as _,
                    ValueBuffered as _, ValueContent as _,
                }
            };
            (part, ways)
        };
        quote_spanned! {Span::mixed_site()=>
            {
                #[allow(unused_imports)]
                use #krate::__private::argument::{Borrowed as _, Copied as _};
                #[allow(unused_imports)]
                use #ways;
                #(#bindings)*
                #part
            }
        }
    }
}

/// Statements that give the arguments that are named in an expression their names in it, as in an expression of `key`, where the function has
/// them as its signature says.
pub(super) fn bindings(krate: &TokenStream, arguments: &[Argument<'_>], words: &TokenStream) -> TokenStream {
    let is_named = |argument: &&Argument<'_>| is_any_named(argument.pattern, words);
    let bindings = arguments.iter().filter(is_named).map(|Argument { name, pattern, ty, .. }| {
        let is_plain = matches!(pattern, Pat::Ident(_));
        let pattern = plain(pattern.to_token_stream());
        let value = match Shape::of(ty) {
            Shape::Reference(_) | Shape::Optional(_) if is_plain => return TokenStream::new(),
            Shape::Reference(_) | Shape::Optional(_) => quote!(#name),
            Shape::Cow(_) => quote!(&*#name),
            Shape::Value(_) => quote!(#krate::__private::argument::Argument(&#name).__perfkit_here()),
        };
        quote_spanned!(Span::mixed_site()=> #[allow(unused_variables)] let #pattern = #value;)
    });
    let bindings = quote!(#(#bindings)*);
    if bindings.is_empty() {
        return bindings;
    }
    quote_spanned! {Span::mixed_site()=>
        #[allow(unused_imports)]
        use #krate::__private::argument::{Borrowed as _, Copied as _};
        #bindings
    }
}

/// The function's generics with the lifetime of what is handed on.
pub(super) fn generics_of_handle(generics: &Generics) -> TokenStream {
    let lifetime = lifetime();
    let is_lifetime = |parameter: &&GenericParam| matches!(parameter, GenericParam::Lifetime(_));
    let (lifetimes, others): (Vec<_>, Vec<_>) = generics.params.iter().partition(is_lifetime);
    quote!(<#lifetime, #(#lifetimes,)* #(#others),*>)
}

impl Receiver {
    /// `self` in the key, if it is.
    fn new(function: &Function, options: &Options, named: bool, errors: &mut Errors) -> Option<Self> {
        let receiver = function.receiver();
        let self_token = receiver.map(|receiver| &receiver.self_token);
        let skipped = options.skip.iter().any(|name| name == "self");
        if let Some(receiver) = receiver
            && is_mutable(&receiver.kind)
            && !skipped
        {
            errors.push_over(
                receiver,
                "a hit would leave out what the function does to `self`; take `&self`, \
                 or, if `self` may stay as it is, write `skip(self)`",
            );
        }
        let (true, Some(receiver), Some(this)) = (named, receiver, self_token) else {
            if named {
                let key = options.key.as_ref().map_or(&[][..], KeyOption::expressions);
                errors.push_over(
                    &quote!(#(#key)*),
                    "there is no `self` here; name arguments of the function instead",
                );
            }
            return None;
        };
        let lifetime = lifetime();
        let (argument, ty) = match &receiver.kind {
            ReceiverKind::Reference(_, _, None) => (quote!(#this), quote!(&#lifetime Self)),
            ReceiverKind::Reference(..) => (quote!(&*#this), quote!(&#lifetime Self)),
            ReceiverKind::Typed(_, ty) => {
                let ty = with_lifetime(ty, &lifetime);
                (quote!(&#this), quote!(&#lifetime #ty))
            }
            _ => (quote!(&#this), quote!(&#lifetime Self)),
        };
        Some(Receiver { argument, ty })
    }
}

/// `&mut self`, and `self` of a type that holds one.
fn is_mutable(kind: &ReceiverKind) -> bool {
    match kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
        ReceiverKind::Typed(_, ty) => borrows_mutably(ty),
        _ => false,
    }
}

impl<'a> Shape<'a> {
    pub(super) fn of(ty: &'a Type) -> Self {
        match ty {
            Type::Group(group) => return Shape::of(&group.elem),
            Type::Paren(paren) => return Shape::of(&paren.elem),
            Type::Reference(reference) if reference.mutability.is_none() => {
                return Shape::Reference(&reference.elem);
            }
            _ => {}
        }
        let Some(segment) = last_segment(ty) else { return Shape::Value(ty) };
        let argument = first_type_argument(&segment.arguments);
        match (segment.ident.to_string().as_str(), argument) {
            ("Option", Some(Type::Reference(inner))) if inner.mutability.is_none() => {
                Shape::Optional(&inner.elem)
            }
            ("Cow", Some(inner)) => Shape::Cow(inner),
            _ => Shape::Value(ty),
        }
    }

    /// The type with references.
    fn handed_on(&self) -> TokenStream {
        let lifetime = lifetime();
        match self {
            Shape::Value(ty) | Shape::Reference(ty) | Shape::Cow(ty) => {
                let ty = with_lifetime(ty, &lifetime);
                quote!(&#lifetime #ty)
            }
            Shape::Optional(ty) => {
                let ty = with_lifetime(ty, &lifetime);
                quote!(::core::option::Option<&#lifetime #ty>)
            }
        }
    }

    /// What is kept of it, before it is owned.
    pub(super) fn inner(&self) -> &'a Type {
        let (Shape::Value(ty) | Shape::Reference(ty) | Shape::Optional(ty) | Shape::Cow(ty)) = self;
        ty
    }

    /// The runtime's name of it.
    fn argument(&self) -> &'static str {
        match self {
            Shape::Optional(_) => "OptionalArgument",
            Shape::Value(_) | Shape::Reference(_) | Shape::Cow(_) => "Argument",
        }
    }
}

/// Reports an argument that cannot be what the key wants of it.
fn refuse(ty: &Type, counts: bool, skipped: bool, named: bool, errors: &mut Errors) {
    if borrows_mutably(ty) && !skipped {
        errors.push_over(
            ty,
            "a hit would leave out what the function does to this argument; take it by `&`, \
             or, if it may stay as it is, leave it out of the key with `skip(…)`",
        );
    } else if contains_impl(ty) && (counts || named) {
        errors.push_over(
            ty,
            "a key must name its type, and `impl Trait` has no name; \
             write a type parameter, such as `<T: Trait>`, or leave it out with `skip(…)`",
        );
    } else if counts && borrows(Shape::of(ty).inner()) {
        errors.push_over(ty,
            "a cache outlives what this argument borrows, so it cannot keep it as a key; say with `key = …` what the result depends on, \
             or leave it out with `skip(…)`",
        );
    }
}

fn check_skip(function: &Function, arguments: &[Argument<'_>], options: &Options, errors: &mut Errors) {
    for name in &options.skip {
        if name == "self" {
            if function.receiver().is_none_or(|receiver| !is_mutable(&receiver.kind)) {
                errors.push(name.span(), "`self` is no part of the key by itself; remove it from `skip`");
            }
        } else if !arguments
            .iter()
            .any(|argument| matches!(argument.pattern, Pat::Ident(_)) && argument.name == *name)
        {
            let named = arguments.iter().filter(|argument| matches!(argument.pattern, Pat::Ident(_)));
            let known: Vec<String> = named.map(|argument| format!("`{}`", argument.name)).collect();
            let known = if known.is_empty() { String::from("it has none") } else { known.join(", ") };
            errors.push(
                name.span(),
                format_args!("there is no argument `{name}` to leave out of the key (arguments: {known})"),
            );
        }
    }
    if let (Some(KeyOption::Instead(_)), Some(name)) =
        (&options.key, options.skip.iter().find(|name| *name != "self"))
    {
        let mutable = arguments.iter().any(|argument| argument.name == *name && borrows_mutably(argument.ty));
        if !mutable {
            errors.push(
                name.span(),
                "`key = …` is the whole key, so nothing is left to skip; remove `skip`, or write `key(…)` to add to the arguments",
            );
        }
    }
}

/// Whether an expression names one of a pattern's variables.
pub(super) fn is_any_named(pattern: &Pat, words: &TokenStream) -> bool {
    names(pattern).iter().any(|name| mentions(words, &name.to_string()))
}

/// The identifiers in a pattern, among which are the names that it binds.
fn names(pattern: &Pat) -> Vec<Ident> {
    fn collect(tokens: TokenStream, names: &mut Vec<Ident>) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) => names.push(name),
                TokenTree::Group(group) => collect(group.stream(), names),
                _ => {}
            }
        }
    }
    let mut names = Vec::new();
    collect(pattern.to_token_stream(), &mut names);
    names
}

/// The tokens with another word for `self`.
fn without_self(tokens: TokenStream, this: &Ident) -> TokenStream {
    let mut output = TokenStream::new();
    for token in tokens {
        output.extend([match token {
            TokenTree::Ident(word) if word == "self" => TokenTree::Ident(this.clone()),
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_self(group.stream(), this));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        }]);
    }
    output
}

/// Whether an expression names the variable, also in a format string.
fn mentions(tokens: &TokenStream, name: &str) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_dot = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(dot)) if dot.as_char() == '.');
    tokens.iter().enumerate().any(|(at, token)| match token {
        // Not the field or the method after a dot; two dots are a range.
        TokenTree::Ident(word) => word == name && (at == 0 || !is_dot(at - 1) || (at > 1 && is_dot(at - 2))),
        TokenTree::Literal(literal) => is_in_format_string(&literal.to_string(), name),
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) => false,
    })
}

/// Whether it stands in a literal as `{name}`, `{name:…}` or, for a width or a precision, `name$`.
fn is_in_format_string(literal: &str, name: &str) -> bool {
    let goes_on = |c: char| c == '_' || c.is_alphanumeric();
    literal.contains('"')
        && literal.match_indices(name).any(|(at, _)| {
            let (before, after) = (&literal[..at], &literal[at + name.len()..]);
            (before.ends_with('{') && after.starts_with(['}', ':', ' ']))
                || (after.starts_with('$') && !before.ends_with(goes_on))
        })
}

/// A pattern whose names are what it is matched with, or references into it: without `ref` and `mut`.
fn plain(pattern: TokenStream) -> TokenStream {
    let mut after_and = false;
    let mut output = TokenStream::new();
    for token in pattern {
        let is_and = matches!(&token, TokenTree::Punct(and) if and.as_char() == '&');
        match token {
            TokenTree::Ident(word) if !after_and && (word == "ref" || word == "mut") => {}
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), plain(group.stream()));
                inner.set_span(group.span());
                output.extend([TokenTree::Group(inner)]);
            }
            other => output.extend([other]),
        }
        after_and = is_and;
    }
    output
}

/// Whether an expression is no more than a field, an argument, or a reference to one.
fn is_at_hand(expression: &Expr) -> bool {
    match ungrouped(expression) {
        Expr::Path(_) | Expr::Lit(_) => true,
        Expr::Field(field) => is_at_hand(&field.base),
        Expr::Reference(reference) => is_at_hand(&reference.expr),
        Expr::Paren(paren) => is_at_hand(&paren.expr),
        _ => false,
    }
}

/// Whether an expression is a place, from which nothing can be moved out if it is borrowed.
fn is_place(expression: &Expr) -> bool {
    match ungrouped(expression) {
        Expr::Field(_) | Expr::Index(_) => true,
        Expr::Paren(paren) => is_place(&paren.expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_expressions() {
        for text in
            ["a", "f(a)", "(x, [a.b])", "0..a", "x.f(a)", r#"format!("{a:?}-{b}")"#, r##"w!(r#"{x:a$}"#)"##]
        {
            assert!(mentions(&text.parse().unwrap(), "a"), "{text}");
        }
        for text in ["x.a", "x.a()", "ab", r#"format!("{ab} a {{x}}")"#, "'a'", r#"f!("{x:aa$}")"#] {
            assert!(!mentions(&text.parse().unwrap(), "a"), "{text}");
        }
    }

    #[test]
    fn patterns_that_take_nothing() {
        let pattern = plain("(mut a, Some(ref b), &mut c)".parse().unwrap());
        let expected: TokenStream = "(a, Some(b), &mut c)".parse().unwrap();
        assert_eq!(pattern.to_string(), expected.to_string());
    }
}
