//! Finds the functions of an `impl`, `trait` or `mod`, and leaves everything else as it came.
//!
//! An item's end is found by its punctuation alone, so that annotating a large module costs what reading its tokens costs.
//! The compiler itself checks the syntax of what is passed through.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Token, Visibility};

use crate::function::Function;

/// What an attribute was put on.
#[allow(clippy::large_enum_variant, reason = "one at a time, for a moment")]
pub(crate) enum Item {
    Function(Function),
    Container(Container),
    /// Anything else: the keyword that tells what, or `None` where there is none to be seen.
    Other(Option<Ident>, Span),
}

/// What is found in a container.
#[allow(clippy::large_enum_variant, reason = "one at a time, for a moment")]
pub(crate) enum Part {
    Function(Function),
    Container(Container),
}

impl Part {
    pub(crate) fn attributes_mut(&mut self) -> &mut Vec<Attribute> {
        match self {
            Part::Function(function) => &mut function.attributes,
            Part::Container(container) => &mut container.attributes,
        }
    }
}

impl ToTokens for Part {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Part::Function(function) => function.to_tokens(tokens),
            Part::Container(Container { attributes, visibility, header, body }) => {
                tokens.extend(quote!(#(#attributes)* #visibility #header #body));
            }
        }
    }
}

/// An `impl`, `trait` or inline `mod`.
pub(crate) struct Container {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// Everything before the braces.
    header: TokenStream,
    body: Group,
}

impl Item {
    /// Looks at one item.
    pub(crate) fn parse(item: TokenStream) -> syn::Result<Item> {
        (|input: ParseStream| {
            let span = input.span();
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility: Visibility = input.parse()?;
            match kind(input) {
                Kind::Function => {
                    Function::parse_after_visibility(attributes, visibility, input).map(Item::Function)
                }
                Kind::Container => {
                    Container::parse_after_visibility(attributes, visibility, input).map(Item::Container)
                }
                Kind::Other => {
                    let keyword = input.fork().call(Ident::parse_any).ok();
                    let span = keyword.as_ref().map_or(span, Ident::span);
                    input.parse::<TokenStream>()?;
                    Ok(Item::Other(keyword, span))
                }
            }
        })
        .parse2(item)
    }
}

impl Container {
    fn parse_after_visibility(
        attributes: Vec<Attribute>,
        visibility: Visibility,
        input: ParseStream,
    ) -> syn::Result<Self> {
        let mut header = TokenStream::new();
        let mut nesting = Angles::default();
        while !input.is_empty() {
            match input.parse()? {
                TokenTree::Group(body) if body.delimiter() == Delimiter::Brace && nesting.is_outside() => {
                    return Ok(Container { attributes, visibility, header, body });
                }
                // `mod name;`
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    return Err(syn::Error::new(
                        punct.span(),
                        "this module's functions are in another file, where the attribute cannot see them; \
                         write `mod name { … }` or put the attribute on the functions",
                    ));
                }
                token => {
                    nesting.step(&token);
                    header.extend([token]);
                }
            }
        }
        Err(input.error("expected the item's body"))
    }

    /// The same item with each part replaced by what `rewrite` makes of it.
    pub(crate) fn rewrite(
        &self,
        rewrite: &mut dyn FnMut(Part) -> syn::Result<TokenStream>,
    ) -> syn::Result<TokenStream> {
        let content = self.body.stream();
        let content = (|input: ParseStream| {
            let inner = input.call(Attribute::parse_inner)?;
            let mut output = quote!(#(#inner)*);
            while !input.is_empty() {
                output.extend(rewrite_item(input, rewrite)?);
            }
            Ok(output)
        })
        .parse2(content)?;
        let mut body = Group::new(Delimiter::Brace, content);
        body.set_span(self.body.span());
        let Container { attributes, visibility, header, .. } = self;
        Ok(quote!(#(#attributes)* #visibility #header #body))
    }
}

fn rewrite_item(
    input: ParseStream,
    rewrite: &mut dyn FnMut(Part) -> syn::Result<TokenStream>,
) -> syn::Result<TokenStream> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility: Visibility = input.parse()?;
    match kind(input) {
        Kind::Function => {
            rewrite(Part::Function(Function::parse_after_visibility(attributes, visibility, input)?))
        }
        Kind::Container if is_module_in_file(input) => pass_through(&attributes, &visibility, input),
        Kind::Container => {
            rewrite(Part::Container(Container::parse_after_visibility(attributes, visibility, input)?))
        }
        Kind::Other => pass_through(&attributes, &visibility, input),
    }
}

/// One whole item, as it came.
fn pass_through(
    attributes: &[Attribute],
    visibility: &Visibility,
    input: ParseStream,
) -> syn::Result<TokenStream> {
    let mut output = quote!(#(#attributes)* #visibility);
    let ends_with_semicolon = input.peek(Token![const])
        || input.peek(Token![static])
        || input.peek(Token![type])
        || input.peek(Token![use])
        || (input.peek(Token![extern]) && input.peek2(Token![crate]));
    let mut nesting = Angles::default();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        nesting.step(&token);
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => {
                group.delimiter() == Delimiter::Brace && !ends_with_semicolon && nesting.is_outside()
            }
            _ => false,
        };
        output.extend([token]);
        if ends {
            break;
        }
    }
    Ok(output)
}

fn is_module_in_file(input: ParseStream) -> bool {
    input.peek(Token![mod]) && input.peek2(Ident::peek_any) && input.peek3(Token![;])
}

enum Kind {
    Function,
    Container,
    Other,
}

/// What kind of item starts here, after its attributes and visibility.
fn kind(input: ParseStream) -> Kind {
    let ahead = input.fork();
    loop {
        if ahead.peek(Token![fn]) {
            return Kind::Function;
        }
        if ahead.peek(Token![impl]) || ahead.peek(Token![trait]) || ahead.peek(Token![mod]) {
            return Kind::Container;
        }
        if ahead.peek(LitStr) && ahead.parse::<LitStr>().is_ok() {
            continue;
        }
        let Ok(word) = ahead.call(Ident::parse_any) else { return Kind::Other };
        if !["const", "async", "unsafe", "safe", "extern", "default", "auto"]
            .iter()
            .any(|known| word == known)
        {
            return Kind::Other;
        }
    }
}

/// Tells whether a brace stands between `<` and `>`, where it is a const argument and no body.
#[derive(Default)]
struct Angles {
    depth: usize,
    /// The token before was the first half of `->` or `=>`.
    arrow: bool,
}

impl Angles {
    fn step(&mut self, token: &TokenTree) {
        let TokenTree::Punct(punct) = token else {
            self.arrow = false;
            return;
        };
        match punct.as_char() {
            '<' => self.depth += 1,
            '>' if !self.arrow => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.arrow = matches!(punct.as_char(), '-' | '=') && punct.spacing() == Spacing::Joint;
    }

    fn is_outside(&self) -> bool {
        self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(item: &str) -> (Vec<String>, String) {
        fn names_in(container: &Container, names: &mut Vec<String>) -> syn::Result<TokenStream> {
            container.rewrite(&mut |part| {
                Ok(match part {
                    Part::Function(function) => {
                        names.push(function.name().to_string());
                        function.to_token_stream()
                    }
                    Part::Container(container) => names_in(&container, names)?,
                })
            })
        }
        let mut names = Vec::new();
        let Ok(Item::Container(container)) = Item::parse(item.parse().unwrap()) else { panic!("{item}") };
        let output = names_in(&container, &mut names).unwrap();
        (names, output.to_string())
    }

    #[track_caller]
    fn passes(item: &str, expected: &[&str]) {
        let (names, output) = functions(item);
        assert_eq!(names, expected);
        // Parsed inner attributes come back with another spacing of `#!`.
        let unspaced = |text: &str| text.replace("# !", "#!");
        assert_eq!(unspaced(&output), unspaced(&item.parse::<TokenStream>().unwrap().to_string()));
    }

    #[test]
    fn finds_functions_and_nothing_else() {
        passes(
            "impl<const N: usize> Tr<{ N + 1 }> for S<N> where Self: Fn() -> u8 {
                const A: [u8; 2] = { [1, 2] };
                type B = u8;
                pub const fn one() {}
                pub(crate) async unsafe fn two<F: Fn(u8) -> u8>(self: &Self) -> u8 { 1 }
                mac! { fn not_seen() {} }
                mac!(fn not_seen() {});
                unsafe extern \"C\" fn three() {}
            }",
            &["one", "two", "three"],
        );
        passes(
            "pub mod m {
                #![allow(unused)]
                use a::{b, c};
                struct S<const N: usize = { 3 }> { f: fn() }
                struct T(u8);
                static X: u8 = { 1 };
                macro_rules! r { () => { fn no() {} } }
                mod file;
                #[cfg(test)] mod inner { fn a() {} impl S { fn b(&self) {} } }
                trait Q { fn c(); fn d() {} }
                extern \"C\" { fn e(); }
                enum E { A { x: u8 }, B }
                fn f() {}
            }",
            &["a", "b", "c", "d", "f"],
        );
    }
}
