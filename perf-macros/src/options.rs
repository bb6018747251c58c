//! The options between an attribute's parentheses: parsed once for all attributes, each value kept with its span.
//!
//! [`Entries::parse`] reads the list and reports unknown and repeated names; the attribute then takes its options out by name
//! and type. A wrong value is reported with an example of a right one.

use core::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Expr, ExprLit, ExprUnary, Lit, LitStr, Path, Token, Type, UnOp, bracketed, parenthesized, parse_quote,
};

use crate::fallback::Errors;

/// The options of one use of an attribute, as written.
pub(crate) struct Entries {
    entries: Vec<Entry>,
    /// The attribute's name with `#[…]`, for messages.
    attribute: &'static str,
}

struct Entry {
    name: Ident,
    value: Value,
}

enum Value {
    /// `skip`
    None,
    /// `ttl = 600`
    Assigned(Expr),
    /// `types = [u8, Vec<u8>]`: types are no expressions.
    Types(Vec<Type>, Span),
    /// `skip(a, b)`
    List(TokenStream),
}

impl Entry {
    fn value_span(&self) -> Span {
        match &self.value {
            Value::None => self.name.span(),
            Value::Assigned(expr) => expr.span(),
            Value::Types(_, span) => *span,
            Value::List(tokens) if tokens.is_empty() => self.name.span(),
            Value::List(tokens) => tokens.span(),
        }
    }
}

impl Entries {
    /// Reads `tokens`; names not in `known` and names given twice are reported and left out.
    pub(crate) fn parse(
        attribute: &'static str,
        tokens: TokenStream,
        known: &[&str],
        errors: &mut Errors,
    ) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let parser = |input: ParseStream| {
            while !input.is_empty() {
                match parse_entry(input) {
                    Ok(entry) => {
                        if !known.iter().any(|known| entry.name == known) {
                            errors.push(entry.name.span(), unknown(attribute, &entry.name, known));
                        } else if entries.iter().any(|earlier| earlier.name == entry.name) {
                            errors.push(
                                entry.name.span(),
                                format_args!("`{}` is given twice; keep one of them", entry.name),
                            );
                        } else {
                            entries.push(entry);
                        }
                    }
                    Err(error) => {
                        errors.push_error(error);
                        skip_to_comma(input);
                    }
                }
                if !input.is_empty()
                    && let Err(error) = input.parse::<Token![,]>()
                {
                    errors.push(error.span(), "expected `,` between two options");
                    skip_to_comma(input);
                    let _ = input.parse::<Option<Token![,]>>();
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push_error(error);
        }
        Entries { entries, attribute }
    }

    /// Whether the option was written, right or wrong.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    fn take(&mut self, name: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(index))
    }

    /// Whether the bare word `name` is there.
    pub(crate) fn flag(&mut self, name: &str, errors: &mut Errors) -> Option<Span> {
        let entry = self.take(name)?;
        if !matches!(entry.value, Value::None) {
            errors.push(entry.value_span(), format_args!("`{name}` takes no value; write just `{name}`"));
        }
        Some(entry.name.span())
    }

    /// `name = true` or `name = false`.
    pub(crate) fn boolean(&mut self, name: &str, example: &str, errors: &mut Errors) -> Option<bool> {
        let entry = self.take(name)?;
        if let Value::Assigned(expr) = &entry.value
            && let Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. }) = ungrouped(expr)
        {
            return Some(literal.value);
        }
        self.wrong(name, entry.value_span(), example, errors);
        None
    }

    /// `name = <any expression>`.
    pub(crate) fn expression(&mut self, name: &str, example: &str, errors: &mut Errors) -> Option<Expr> {
        let entry = self.take(name)?;
        if let Value::Assigned(expr) = entry.value {
            return Some(expr);
        }
        self.wrong(name, entry.value_span(), example, errors);
        None
    }

    /// `name = [<type>, …]`, at least one.
    pub(crate) fn types(&mut self, name: &str, example: &str, errors: &mut Errors) -> Vec<Type> {
        let Some(entry) = self.take(name) else { return Vec::new() };
        match entry.value {
            Value::Types(types, _) if !types.is_empty() => return types,
            _ => self.wrong(name, entry.value_span(), example, errors),
        }
        Vec::new()
    }

    /// `name = <function>`: a path or a closure. Whether it fits is the compiler's to say.
    pub(crate) fn function(&mut self, name: &str, example: &str, errors: &mut Errors) -> Option<Expr> {
        let expr = self.expression(name, example, errors)?;
        if matches!(ungrouped(&expr), Expr::Path(_) | Expr::Closure(_)) {
            return Some(expr);
        }
        errors.push_over(
            &expr,
            format_args!("`{name}` takes a function or a closure; write for example `{name} = {example}`"),
        );
        None
    }

    /// `name = "text"`, not empty.
    pub(crate) fn string(&mut self, name: &str, example: &str, errors: &mut Errors) -> Option<LitStr> {
        let entry = self.take(name)?;
        let span = entry.value_span();
        if let Value::Assigned(expr) = entry.value
            && let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = into_ungrouped(expr)
        {
            if literal.value().is_empty() {
                errors.push(
                    literal.span(),
                    format_args!("`{name}` is empty; write for example `{name} = {example}`"),
                );
                return None;
            }
            return Some(literal);
        }
        self.wrong(name, span, example, errors);
        None
    }

    /// `name = <whole number>`, with its span.
    pub(crate) fn integer(&mut self, name: &str, example: &str, errors: &mut Errors) -> Option<(u64, Span)> {
        let entry = self.take(name)?;
        if let Value::Assigned(expr) = &entry.value
            && let Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) = ungrouped(expr)
            && let Ok(number) = literal.base10_parse::<u64>()
        {
            return Some((number, literal.span()));
        }
        self.wrong(name, entry.value_span(), example, errors);
        None
    }

    /// `name = <number>`, whole or not, with its span.
    pub(crate) fn number(&mut self, name: &str, example: &str, errors: &mut Errors) -> Option<(f64, Span)> {
        let entry = self.take(name)?;
        if let Value::Assigned(expr) = &entry.value
            && let Some(number) = literal_number(expr)
        {
            return Some((number, expr.span()));
        }
        self.wrong(name, entry.value_span(), example, errors);
        None
    }

    /// `name`, or `name = "text"`.
    pub(crate) fn flag_or_string(&mut self, name: &str, example: &str, errors: &mut Errors) -> FlagOrString {
        if self.entries.iter().any(|entry| entry.name == name && matches!(entry.value, Value::None)) {
            self.take(name);
            return FlagOrString::Flag;
        }
        self.string(name, example, errors).map_or(FlagOrString::None, FlagOrString::String)
    }

    /// `name = 600`, `0.5` (seconds), `"10m"` or `"250ms"`; zero is left to the attribute to judge.
    pub(crate) fn duration(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<(Duration, Span)> {
        let entry = self.take(name)?;
        if let Value::Assigned(expr) = &entry.value
            && let Expr::Lit(ExprLit { lit, .. }) = ungrouped(expr)
        {
            let duration = match lit {
                Lit::Int(literal) => literal.base10_parse().ok().map(Duration::from_secs),
                Lit::Float(literal) => literal
                    .base10_parse()
                    .ok()
                    .and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok()),
                Lit::Str(literal) => parse_duration(&literal.value()),
                _ => None,
            };
            if let Some(duration) = duration {
                return Some((duration, lit.span()));
            }
        }
        errors.push(
            entry.value_span(),
            format_args!(
                "`{name}` takes a duration: seconds such as `{name} = {example}`, or a number with a unit of ns, us, ms, s, m, h \
                 or d such as `{name} = \"250ms\"`"
            ),
        );
        None
    }

    /// `name = 1_000_000` (bytes) or `"64MiB"`; zero is left to the attribute to judge.
    pub(crate) fn byte_size(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<(u64, Span)> {
        let entry = self.take(name)?;
        if let Value::Assigned(expr) = &entry.value
            && let Expr::Lit(ExprLit { lit, .. }) = ungrouped(expr)
        {
            let bytes = match lit {
                Lit::Int(literal) => literal.base10_parse().ok(),
                Lit::Str(literal) => parse_byte_size(&literal.value()),
                _ => None,
            };
            if let Some(bytes) = bytes {
                return Some((bytes, lit.span()));
            }
        }
        errors.push(
            entry.value_span(),
            format_args!(
                "`{name}` takes a number of bytes, or a number with a unit of B, kB, MB, GB, KiB, MiB or GiB such as \
                 `{name} = {example}`"
            ),
        );
        None
    }

    /// `name = <whole number>` or `name = None`, with its span.
    pub(crate) fn integer_or_none(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<(Option<u64>, Span)> {
        let is_none = |entry: &Entry| {
            entry.name == name
                && matches!(&entry.value, Value::Assigned(expr)
                    if matches!(ungrouped(expr), Expr::Path(path) if path.path.is_ident("None")))
        };
        if let Some(index) = self.entries.iter().position(is_none) {
            let entry = self.entries.remove(index);
            return Some((None, entry.value_span()));
        }
        self.integer(name, example, errors).map(|(number, span)| (Some(number), span))
    }

    /// Where the option's name stands, right or wrong as its value may be.
    pub(crate) fn span_of(&self, name: &str) -> Option<Span> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| entry.name.span())
    }

    /// `name = some::path`.
    pub(crate) fn path(&mut self, name: &str, example: &str, errors: &mut Errors) -> Option<Path> {
        let entry = self.take(name)?;
        let span = entry.value_span();
        if let Value::Assigned(expr) = entry.value
            && let Expr::Path(path) = into_ungrouped(expr)
            && path.qself.is_none()
            && path.attrs.is_empty()
        {
            return Some(path.path);
        }
        self.wrong(name, span, example, errors);
        None
    }

    /// `name = value` and `name(list)` are two options of one name: which of the two, if any.
    pub(crate) fn expression_or_list(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<ExpressionOrList> {
        let entry = self.take(name)?;
        let span = entry.name.span();
        match entry.value {
            Value::Assigned(expr) => Some(ExpressionOrList::Expression(expr)),
            Value::List(tokens) => Some(ExpressionOrList::List(tokens, span)),
            Value::None | Value::Types(..) => {
                self.wrong(name, entry.value_span(), example, errors);
                None
            }
        }
    }

    /// `name(a, b)`: the tokens between the parentheses and the name's span.
    pub(crate) fn list(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<(TokenStream, Span)> {
        let entry = self.take(name)?;
        let span = entry.name.span();
        if let Value::List(tokens) = entry.value {
            return Some((tokens, span));
        }
        errors.push(
            span,
            format_args!("`{name}` takes a list in parentheses, for example `{name}({example})`"),
        );
        None
    }

    /// The path to perfkit: `crate = path`, else `::perfkit`.
    pub(crate) fn crate_path(&mut self, errors: &mut Errors) -> TokenStream {
        let mut path = self.path("crate", "::my_perfkit", errors).unwrap_or_else(|| parse_quote!(::perfkit));
        // Told apart from code that the user wrote, which their lints may find over-qualified.
        for segment in &mut path.segments {
            segment.ident.set_span(segment.ident.span().resolved_at(Span::mixed_site()));
        }
        path.into_token_stream()
    }

    fn wrong(&self, name: &str, span: Span, example: &str, errors: &mut Errors) {
        errors.push(
            span,
            format_args!(
                "`{name}` of `{}` does not take this; write for example `{name} = {example}`",
                self.attribute
            ),
        );
    }
}

/// See [`Entries::flag_or_string`].
pub(crate) enum FlagOrString {
    None,
    Flag,
    String(LitStr),
}

/// See [`Entries::expression_or_list`].
pub(crate) enum ExpressionOrList {
    Expression(Expr),
    List(TokenStream, Span),
}

fn parse_entry(input: ParseStream) -> syn::Result<Entry> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected the name of an option"));
    }
    let name = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(name.span(), format_args!("`{name} =` lacks its value")));
        }
        if name == "types" && input.peek(syn::token::Bracket) {
            let content;
            let bracket = bracketed!(content in input);
            let types = Punctuated::<Type, Token![,]>::parse_terminated(&content)?;
            Value::Types(types.into_iter().collect(), bracket.span.join())
        } else {
            Value::Assigned(input.parse()?)
        }
    } else if input.peek(syn::token::Paren) {
        let content;
        parenthesized!(content in input);
        Value::List(content.parse()?)
    } else {
        Value::None
    };
    Ok(Entry { name, value })
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

/// A literal that came through a `macro_rules!` variable is wrapped in an invisible group.
pub(crate) fn ungrouped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungrouped(&group.expr),
        other => other,
    }
}

/// The same of an expression that is not needed any more.
pub(crate) fn into_ungrouped(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => into_ungrouped(*group.expr),
        other => other,
    }
}

/// A literal number, also one with a sign.
fn literal_number(expr: &Expr) -> Option<f64> {
    match ungrouped(expr) {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => literal.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(literal), .. }) => literal.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => literal_number(expr).map(|number| -number),
        _ => None,
    }
}

/// The known word that was perhaps meant.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known
        .iter()
        .map(|known| (distance(written, known), *known))
        .filter(|(distance, known)| {
            *distance <= known.len().max(written.len()) / 3
                || known.contains(written)
                || written.contains(known)
        })
        .min();
    near.map(|(_, nearest)| nearest)
}

fn unknown(attribute: &str, name: &Ident, known: &[&str]) -> String {
    let written = name.to_string();
    let nearest = nearest(&written, known);
    let all = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    match nearest {
        Some(nearest) => {
            format!("`{attribute}` has no option `{written}`; did you mean `{nearest}`? (options: {all})")
        }
        None => format!("`{attribute}` has no option `{written}`; its options are {all}"),
    }
}

/// The number of insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=right.len()).collect();
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

/// `"250ms"`, `"1.5h"`; one number, one unit.
fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
    let (number, unit) = text.split_at(split);
    let seconds_per_unit = match unit.trim() {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let number: f64 = number.replace('_', "").parse().ok()?;
    let exact = Duration::try_from_secs_f64(number * seconds_per_unit).ok()?;
    Some(exact)
}

/// `"64MiB"`, `"1.5 GB"`; one number, one unit.
fn parse_byte_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
    let (number, unit) = text.split_at(split);
    let bytes_per_unit = match unit.trim().to_ascii_lowercase().as_str() {
        "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        "tib" => 1_099_511_627_776.0,
        _ => return None,
    };
    let number: f64 = number.replace('_', "").parse().ok()?;
    let bytes = number * bytes_per_unit;
    // Up to where a number of bytes is exact, which is more than any machine has.
    (bytes < 9e15).then_some(bytes as u64)
}

/// The tokens of a duration constant.
pub(crate) fn duration_tokens(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote::quote!(::core::time::Duration::new(#seconds, #nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("10m"), Some(Duration::from_mins(10)));
        assert_eq!(parse_duration("1.5 h"), Some(Duration::from_mins(90)));
        assert_eq!(parse_duration("7ns"), Some(Duration::from_nanos(7)));
        for wrong in ["", "10", "ms", "10 parsecs", "-1s", "1..2s", "1e400d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn byte_sizes() {
        assert_eq!(parse_byte_size("64MiB"), Some(64 << 20));
        assert_eq!(parse_byte_size(" 1.5 kB "), Some(1_500));
        assert_eq!(parse_byte_size("1_000 b"), Some(1_000));
        assert_eq!(parse_byte_size("2gib"), Some(2 << 30));
        for wrong in ["", "64", "MiB", "64 Mbit", "-1kB", "1..2kB", "99999999TB"] {
            assert_eq!(parse_byte_size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nearest_names() {
        assert_eq!(distance("tll", "ttl"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("max_size", "maxsize"), 1);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
