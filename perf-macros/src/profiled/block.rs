//! `profile_block!`: a guard statement in front of the block, in the user's own braces.
//!
//! It stands in an expression, so nothing may change what that means: not how long temporaries live, not what `?` and `break` do. A block that
//! awaits must be refused, as far as it can be seen.

use core::iter::Peekable;

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree, token_stream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Path, Token};

use crate::emit::{self, Place, Sampling};
use crate::fallback::Errors;
use crate::function::braces;

/// `profile_block!("label", { … })`, in front of which the facade has written the path to itself.
pub(crate) fn expand_block(input: TokenStream) -> Result<TokenStream, Errors> {
    const USAGE: &str = "write `profile_block!(\"label\", { … })`";
    let parser = |input: ParseStream| {
        let krate = input.call(Path::parse_mod_style)?.into_token_stream();
        input.parse::<Token![,]>()?;
        let label: LitStr = input.parse().map_err(|error| {
            syn::Error::new(error.span(), format_args!("expected a label in quotes; {USAGE}"))
        })?;
        input.parse::<Token![,]>().map_err(|error| {
            syn::Error::new(error.span(), format_args!("expected `,` after the label; {USAGE}"))
        })?;
        let block: TokenTree = input
            .parse()
            .map_err(|error| syn::Error::new(error.span(), format_args!("expected a block; {USAGE}")))?;
        let what = if matches!(block, TokenTree::Group(_)) { "a block in braces" } else { "a block" };
        let message = syn::Error::new(block.span(), format_args!("expected {what}; {USAGE}"));
        let block = braces(block).ok_or(message)?;
        input.parse::<Option<Token![,]>>()?;
        Ok((krate, label, block))
    };
    let (krate, label, block) = parser.parse2(input)?;
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
    let block = if cfg!(feature = "profile") {
        let place = Place::Profiled { cyclomatic: 0, sampling: Sampling::All };
        let site = emit::site(&krate, place, &Ident::new("block", label.span()), Some(&label));
        let enter = quote_spanned! {Span::mixed_site()=>
            let __perfkit_frame = { #site #krate::__private::Frame::enter(&SITE) };
        };
        // The user's braces around both, so that temporaries live as long as those of the block alone would.
        let inner = emit::parenthesized(&block);
        emit::braced(quote!(#enter #inner), block.span())
    } else {
        block
    };
    Ok(emit::parenthesized(&block))
}

/// Where the tokens await, outside of an `async` block or closure of their own.
fn awaits(tokens: &TokenStream) -> Option<Span> {
    let mut tokens = tokens.clone().into_iter().peekable();
    let mut after_dot = false;
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Ident(ident) if after_dot && ident == "await" => return Some(ident.span()),
            TokenTree::Ident(ident) if ident == "async" => skip_async(&mut tokens),
            TokenTree::Group(group) => {
                if let Some(span) = awaits(&group.stream()) {
                    return Some(span);
                }
            }
            _ => {}
        }
        after_dot = is_punct(Some(&token), '.');
    }
    None
}

/// Skips what follows `async`: to the end of a block, of a function, or of a closure that has no braces.
fn skip_async(tokens: &mut Peekable<token_stream::IntoIter>) {
    if matches!(tokens.peek(), Some(TokenTree::Ident(word)) if word == "move") {
        tokens.next();
    }
    let mut closure = false;
    if is_punct(tokens.peek(), '|') {
        // Its parameters, to the second `|`.
        tokens.next();
        while tokens.next().is_some_and(|token| !is_punct(Some(&token), '|')) {}
        let has_braces =
            matches!(tokens.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
        closure = !has_braces && !is_punct(tokens.peek(), '-');
    }
    while let Some(token) = tokens.peek() {
        if closure && (is_punct(Some(token), ',') || is_punct(Some(token), ';')) {
            return;
        }
        let braces = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        tokens.next();
        if braces && !closure {
            return;
        }
    }
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

#[cfg(test)]
mod tests {
    use super::awaits;

    #[test]
    fn what_awaits() {
        let awaits = |text: &str| awaits(&text.parse().unwrap()).is_some();
        for text in [
            "f().await",
            "g(f().await)",
            "async { 1 }.await",
            "(async || x.await)().await",
            "let f = async |x| x.await; f(1).await",
            "vec![f().await]",
        ] {
            assert!(awaits(text), "{text}");
        }
        for text in [
            "async { f().await }",
            "async move { async { f().await }.await }",
            "async |x: u8| x.await",
            "async move |(a, b)| -> u8 { a.await }",
            "(async || f().await, 1)",
            "spawn(async || f().await); 1",
            "async fn f(x: u8) -> u8 { g(x).await } 1",
            "x.awaiting()",
        ] {
            assert!(!awaits(text), "{text}");
        }
    }
}
