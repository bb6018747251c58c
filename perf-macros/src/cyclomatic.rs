//! McCabe's cyclomatic complexity of a function body, counted on its tokens.
//!
//! One, plus one for every point where the path through the function divides: `if`, `while`, `for`, each arm of a `match`
//! after its first, `&&`, `||` and `?`. (T. J. McCabe, "A Complexity Measure", IEEE TSE 2(4), 1976; `&&` and `||` count as in
//! his later NIST report 500-235.) An `else` divides nothing, a `loop` has one way. Closures belong to the function they are
//! written in; nested functions do not. The body is not parsed, so a macro's arguments are counted as if they were code, and an
//! or-pattern's bars are not confused with `||`, which is another token pair only when they touch: `a || b`.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The complexity of a body; at least 1.
pub(crate) fn complexity(body: &TokenStream) -> u32 {
    1 + decisions(body)
}

fn decisions(tokens: &TokenStream) -> u32 {
    let mut count = 0;
    let mut tokens = tokens.clone().into_iter().peekable();
    let mut previous = Previous::Start;
    while let Some(token) = tokens.next() {
        let mut next_previous = Previous::Other;
        match &token {
            TokenTree::Ident(word) => match word.to_string().as_str() {
                "if" | "while" => {
                    count += 1;
                    next_previous = Previous::Operator;
                }
                // `for<'a>` is a binder, not a loop.
                "for" if !matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '<') => {
                    count += 1;
                }
                "match" => {
                    count += match_arms(&mut tokens).saturating_sub(1);
                }
                // A nested function has a complexity of its own.
                "fn" => skip_function(&mut tokens),
                "return" | "break" | "in" | "move" | "else" | "let" => next_previous = Previous::Operator,
                _ => next_previous = Previous::Operand,
            },
            TokenTree::Group(group) => {
                count += decisions(&group.stream());
                next_previous =
                    if group.delimiter() == Delimiter::Brace { Previous::Other } else { Previous::Operand };
            }
            TokenTree::Punct(punct) => {
                let joined = punct.spacing() == Spacing::Joint;
                let follows = |c: char, t: Option<&TokenTree>| matches!(t, Some(TokenTree::Punct(p)) if p.as_char() == c);
                match punct.as_char() {
                    // `a && b`, not the two references of `&&x`.
                    '&' if joined && follows('&', tokens.peek()) => {
                        tokens.next();
                        count += u32::from(previous == Previous::Operand);
                        next_previous = Previous::Operator;
                    }
                    // `a || b`, not the empty parameter list of `|| x`.
                    '|' if joined && follows('|', tokens.peek()) => {
                        tokens.next();
                        count += u32::from(previous == Previous::Operand);
                        next_previous = Previous::Operator;
                    }
                    // `x?`, not the bound of `?Sized`.
                    '?' if matches!(previous, Previous::Operand | Previous::Other) => {
                        count += 1;
                        next_previous = Previous::Operand;
                    }
                    _ => next_previous = Previous::Operator,
                }
            }
            TokenTree::Literal(_) => next_previous = Previous::Operand,
        }
        previous = next_previous;
    }
    count
}

/// What stood before a token, as far as it decides what the token means.
#[derive(Clone, Copy, PartialEq)]
enum Previous {
    Start,
    /// Something a binary operator may follow.
    Operand,
    Operator,
    /// A block: `{ … } && x` starts a statement, `{ … }?` does not.
    Other,
}

/// Reads the scrutinee and the arms of a `match`; returns the number of arms and adds the decisions inside of both.
fn match_arms(tokens: &mut core::iter::Peekable<proc_macro2::token_stream::IntoIter>) -> u32 {
    let mut inside = 0;
    for token in tokens.by_ref() {
        if let TokenTree::Group(group) = &token {
            inside += decisions(&group.stream());
            if group.delimiter() == Delimiter::Brace {
                return inside + arrows(&group.stream());
            }
        }
    }
    // A `match` without arms is some macro's own syntax; one way.
    inside + 1
}

/// The number of `=>` at the top of a match's braces.
fn arrows(arms: &TokenStream) -> u32 {
    let mut count = 0;
    let mut after_equals = false;
    for token in arms.clone() {
        match token {
            TokenTree::Punct(punct) => {
                count += u32::from(after_equals && punct.as_char() == '>');
                after_equals = punct.as_char() == '=' && punct.spacing() == Spacing::Joint;
            }
            _ => after_equals = false,
        }
    }
    count
}

fn skip_function(tokens: &mut core::iter::Peekable<proc_macro2::token_stream::IntoIter>) {
    // `fn(u8)` is a type; a function has a name.
    if !matches!(tokens.peek(), Some(TokenTree::Ident(_))) {
        return;
    }
    for token in tokens.by_ref() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::complexity;

    #[track_caller]
    fn check(expected: u32, body: &str) {
        assert_eq!(complexity(&body.parse().unwrap()), expected, "{body}");
    }

    #[test]
    fn straight_lines_have_one_path() {
        check(1, "");
        check(1, "let a = 1; a + 1");
        check(1, "loop { work(); }");
        check(1, "let f: fn(u8) -> u8 = g; f(&&x); let c = || 1; c()");
        check(1, "fn inner() { if a { b } } inner()");
        check(1, "struct S<T: ?Sized>(T);");
    }

    #[test]
    fn each_decision_adds_one() {
        check(2, "if a { b } else { c }");
        check(3, "if a { b } else if c { d } else { e }");
        check(3, "if a && b { c }");
        check(4, "if a || b || c { d }");
        check(2, "for x in y { z }");
        check(2, "while let Some(x) = y.next() { z }");
        check(3, "let a = b()?; c(a)?;");
        check(1, "let f: Box<dyn for<'a> Fn(&'a u8)> = g;");
        check(2, "items.iter().map(|x| if *x { 1 } else { 2 })");
    }

    #[test]
    fn a_match_adds_its_arms_less_one() {
        check(1, "match a { b => c }");
        check(3, "match a { Some(1 | 2) => b, Some(_) => c, None => d }");
        check(4, "match a { Some(x) if x > 1 => b, Some(_) => c, None => d }");
        check(4, "match a { A => if b { c } else { d }, B => e, C => f }");
        check(2, "match (if a { b } else { c }) { _ => d }");
    }
}
