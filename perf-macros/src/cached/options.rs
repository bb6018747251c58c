//! What may be said between the parentheses of `#[cached]`, and what of it does not go together.

use core::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token};

use super::ATTRIBUTE;
use super::backend::Backend;
use crate::fallback::Errors;
use crate::options::{Entries, ExpressionOrList, duration_tokens, into_ungrouped, ungrouped};

const KNOWN: &[&str] = &[
    "ttl",
    "tti",
    "max_size",
    "max_memory",
    "adaptive",
    "weigh",
    "policy",
    "key",
    "skip",
    "once",
    "local",
    "stale",
    "stale_if_error",
    "refresh_ahead",
    "force_refresh",
    "cache_err",
    "cache_none",
    "tags",
    "depends_on",
    "companions",
    "backend",
    "codec",
    "version",
    "address",
    "tiered",
    "name",
    "crate",
];

/// The options of one cached function.
#[allow(clippy::struct_excessive_bools, reason = "each is an option that is written or not")]
pub(super) struct Options {
    pub(super) krate: TokenStream,
    pub(super) name: Option<LitStr>,
    /// Where results are shared, or kept on disk.
    pub(super) backend: Option<Backend>,
    ttl: Option<Duration>,
    tti: Option<Duration>,
    size: Option<Size>,
    max_memory: Option<u64>,
    is_adaptive: bool,
    policy: Option<Ident>,
    stale: Option<Duration>,
    stale_if_error: Option<Duration>,
    refresh_ahead: bool,
    /// The function that weighs a result.
    pub(super) weigh: Option<Expr>,
    pub(super) key: Option<KeyOption>,
    pub(super) skip: Vec<Ident>,
    /// The store is the calling thread's.
    pub(super) is_local: bool,
    /// Where it was asked that results be computed anew in the background.
    pub(super) background: Option<Span>,
    /// Whether to run the body whatever is in the cache.
    pub(super) force_refresh: Option<Expr>,
    pub(super) tags: Vec<LitStr>,
    pub(super) depends_on: Vec<Path>,
    /// The probe for the way to keep results that was asked for.
    pub(super) probe: Option<Ident>,
    pub(super) companions: bool,
}

/// What `max_size` says.
enum Size {
    Most(u64),
    Unbounded,
}

/// What `key` says.
pub(super) enum KeyOption {
    /// `key = expr`: this, in place of the arguments.
    Instead(Vec<Expr>),
    /// `key(expr, …)`: these, beside the arguments.
    Beside(Vec<Expr>),
}

impl KeyOption {
    pub(super) fn expressions(&self) -> &[Expr] {
        match self {
            KeyOption::Instead(expressions) | KeyOption::Beside(expressions) => expressions,
        }
    }
}

impl Options {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut entries = Entries::parse(ATTRIBUTE, tokens, KNOWN, errors);
        let backend = Backend::parse(&mut entries, errors);
        refuse_combinations(&entries, errors);
        let is_once = entries.has("once");
        let known =
            Known { is_timed: entries.has("ttl") || entries.has("tti"), is_local: entries.has("local") };
        let background = entries.span_of("stale").or_else(|| entries.span_of("refresh_ahead"));
        let ttl = time(
            &mut entries,
            ("ttl", "600"),
            "what is kept for no time is never found again; \
             write how long a result is good for, such as `ttl = 600` (seconds), or remove `ttl` to keep it for ever",
            errors,
        );
        if let Some(backend) = &backend {
            backend.check(ttl.map(|(ttl, _)| ttl), errors);
        }
        let tti = time(
            &mut entries,
            ("tti", "600"),
            "what is kept for no time is never found again; \
             write how long a result is kept since it was asked for last, such as `tti = 600` (seconds), or remove `tti`",
            errors,
        );
        let stale = time(
            &mut entries,
            ("stale", "\"30s\""),
            "a result that may be late by no time is never handed out late; write for example `stale = \"30s\"`, or remove `stale`",
            errors,
        );
        let stale_if_error = time(
            &mut entries,
            ("stale_if_error", "\"1h\""),
            "a result that may be late by no time is never handed out late; \
             write for example `stale_if_error = \"1h\"`, or remove `stale_if_error`",
            errors,
        );
        let fallible = stale_if_error.map(|(_, span)| ("probe_fallible", span));
        let err = entries.flag("cache_err", errors).map(|span| ("probe_err", span));
        let none = entries.flag("cache_none", errors).map(|span| ("probe_none", span));
        let is_local = entries.flag("local", errors).is_some();
        let probe = err
            .or(none)
            .or(fallible)
            .map(|(name, span)| Ident::new(name, span.resolved_at(Span::mixed_site())));
        let size = size(&mut entries, errors);
        let key = key(&mut entries, errors);
        entries.flag("once", errors);
        Options {
            backend,
            ttl: ttl.map(|(ttl, _)| ttl),
            tti: tti.map(|(tti, _)| tti),
            size: if is_once { Some(Size::Most(1)) } else { size },
            max_memory: max_memory(&mut entries, errors),
            is_adaptive: entries.flag("adaptive", errors).is_some(),
            policy: policy(&mut entries, known, errors),
            stale: stale.map(|(stale, _)| stale),
            stale_if_error: stale_if_error.map(|(stale, _)| stale),
            refresh_ahead: entries.flag("refresh_ahead", errors).is_some(),
            weigh: entries.function("weigh", "Page::bytes", errors),
            key: if is_once { Some(KeyOption::Instead(Vec::new())) } else { key },
            // Reported already beside `once`.
            skip: if is_once { Vec::new() } else { skip(&mut entries, errors) },
            is_local,
            background,
            force_refresh: entries.expression("force_refresh", "refresh", errors),
            tags: tags(&mut entries, errors),
            depends_on: depends_on(&mut entries, errors),
            probe,
            companions: entries.boolean("companions", "false", errors).unwrap_or(true),
            name: entries.string("name", "\"users\"", errors),
            krate: entries.crate_path(errors),
        }
    }

    /// What says so behind the `new` of a site.
    pub(super) fn limits(&self) -> TokenStream {
        let krate = &self.krate;
        let size = self.size.as_ref().map(|size| match size {
            Size::Most(number) => {
                let number = Literal::u64_unsuffixed(*number);
                quote!(.max_size(#number))
            }
            Size::Unbounded => quote!(.unbounded()),
        });
        // After the size: `unbounded` takes the bound of memory away.
        let max_memory = self.max_memory.map(|bytes| {
            let bytes = Literal::u64_unsuffixed(bytes);
            quote!(.max_memory(#bytes))
        });
        let policy = self.policy.as_ref().map(|policy| quote!(.policy(#krate::__private::Policy::#policy)));
        let time = |time: Option<Duration>, method: &str| {
            let method = Ident::new(method, Span::mixed_site());
            time.map(duration_tokens).map(|time| quote!(.#method(#time)))
        };
        let backend = self.backend.as_ref().map(Backend::store);
        let ttl = self.ttl.filter(|_| self.backend.is_none());
        let times = [
            time(ttl, "ttl"),
            time(self.tti, "tti"),
            time(self.stale, "stale"),
            time(self.stale_if_error, "stale_if_error"),
        ];
        let refresh_ahead = self.refresh_ahead.then(|| quote!(.refresh_ahead()));
        let adaptive = self.is_adaptive.then(|| quote!(.adaptive()));
        quote!(#size #max_memory #adaptive #policy #(#times)* #refresh_ahead #backend)
    }

    /// The static description of what is at a backend, if anything is.
    pub(super) fn shared(&self) -> Option<TokenStream> {
        self.backend.as_ref().map(|backend| backend.shared(&self.krate, self.ttl))
    }
}

/// Reports options that make no sense beside others, or without them.
fn refuse_combinations(entries: &Entries, errors: &mut Errors) {
    let mut both = |name: &str, others: &[(&str, &str)]| {
        for (other, message) in others {
            if let (true, Some(span)) = (entries.has(name), entries.span_of(other)) {
                errors.push(span, message);
            }
        }
    };
    both(
        "once",
        &[
            ("key", "no argument is part of the key of `once`; remove `key`, or `once`"),
            (
                "skip",
                "no argument is part of the key of `once`, so there is nothing to skip; remove `skip` \
                 (to leave out an `&mut` argument, write `key = ()` in place of `once`)",
            ),
            ("max_size", "`once` keeps one result; remove `max_size`, or `once`"),
            ("adaptive", "`once` keeps one result; remove `adaptive`, or `once`"),
            ("policy", "the one result of `once` gives way to nothing; remove `policy`, or `once`"),
        ],
    );
    both(
        "local",
        &[
            (
                "max_memory",
                "the memory of a `local` cache is not counted; write `max_size` for the results that each thread keeps, or remove `local`",
            ),
            ("adaptive", "a `local` cache keeps its size; remove `adaptive`, or `local`"),
            (
                "weigh",
                "the memory of a `local` cache is not counted; write `max_size` for the results that each thread keeps, or remove `local`",
            ),
            (
                "stale",
                "what is computed in the background cannot reach the cache of another thread; remove `stale`, or `local`",
            ),
            (
                "refresh_ahead",
                "what is computed in the background cannot reach the cache of another thread; remove `refresh_ahead`, or `local`",
            ),
            (
                "stale_if_error",
                "a `local` cache keeps nothing past its time; remove `stale_if_error`, or `local`",
            ),
            ("tags", "an invalidation cannot reach the caches of other threads; remove `tags`, or `local`"),
            (
                "depends_on",
                "an invalidation cannot reach the caches of other threads; remove `depends_on`, or `local`",
            ),
        ],
    );
    both(
        "stale_if_error",
        &[
            (
                "cache_err",
                "an `Err` that is kept takes the place of the last `Ok`; remove `cache_err`, or `stale_if_error`",
            ),
            (
                "cache_none",
                "a `None` that is kept takes the place of the last `Some`; remove `cache_none`, or `stale_if_error`",
            ),
        ],
    );
    both(
        "cache_err",
        &[(
            "cache_none",
            "a function returns a `Result` or an `Option`, not both; keep `cache_err` for a `Result`, `cache_none` for an `Option`",
        )],
    );
    if !entries.has("ttl") && !entries.has("tti") {
        for name in ["stale", "stale_if_error", "refresh_ahead"] {
            if let Some(span) = entries.span_of(name) {
                errors.push(
                    span,
                    format_args!(
                        "`{name}` is about results whose time is up, and here it never is; \
                         write how long a result is good for, such as `ttl = 600`"
                    ),
                );
            }
        }
    }
}

/// A duration that is not zero.
fn time(
    entries: &mut Entries,
    (name, example): (&str, &str),
    zero: &str,
    errors: &mut Errors,
) -> Option<(Duration, Span)> {
    let time = entries.duration(name, example, errors);
    if let Some((Duration::ZERO, span)) = time {
        errors.push(span, zero);
    }
    time
}

fn size(entries: &mut Entries, errors: &mut Errors) -> Option<Size> {
    let (number, span) = entries.integer_or_none("max_size", "10_000", errors)?;
    if number == Some(0) {
        errors.push(span, "a cache that keeps nothing is no cache; write at least 1, or remove `#[cached]`");
    }
    Some(number.map_or(Size::Unbounded, Size::Most))
}

fn max_memory(entries: &mut Entries, errors: &mut Errors) -> Option<u64> {
    let (bytes, span) = entries.byte_size("max_memory", "\"64MiB\"", errors)?;
    if bytes == 0 {
        errors.push(
            span,
            "a cache without memory keeps nothing; write what it may take, such as `max_memory = \"64MiB\"`, or remove `#[cached]`",
        );
    }
    Some(bytes)
}

/// What the policy must know to choose.
#[derive(Clone, Copy)]
struct Known {
    is_timed: bool,
    is_local: bool,
}

fn policy(entries: &mut Entries, known: Known, errors: &mut Errors) -> Option<Ident> {
    let written = entries.string("policy", "\"lru\"", errors)?;
    let policy = match written.value().as_str() {
        "s3fifo" => "S3Fifo",
        "lru" => "Lru",
        "lfu" => "Lfu",
        "fifo" => "Fifo",
        "ttl" => "Ttl",
        "size" => "Size",
        other => {
            let message = format_args!(
                "there is no policy `{other}`; write `policy = \"s3fifo\"` (the default: newcomers prove themselves first), \"lru\" (what was asked for \
                 the longest ago gives way), \"lfu\" (what was asked for least often), \"fifo\" (the oldest), \"ttl\" (what expires soonest), \
                 or \"size\" (what takes the most memory)"
            );
            errors.push(written.span(), message);
            return None;
        }
    };
    if policy == "Ttl" && !known.is_timed {
        errors.push(
            written.span(),
            "`policy = \"ttl\"` lets what expires soonest give way, and here nothing expires; write `ttl` or `tti`, too, such as `ttl = 600`",
        );
    }
    if policy == "Size" && known.is_local {
        errors.push(
            written.span(),
            "the memory of a `local` cache is not counted; choose another policy, or remove `local`",
        );
    }
    Some(Ident::new(policy, Span::mixed_site()))
}

fn key(entries: &mut Entries, errors: &mut Errors) -> Option<KeyOption> {
    match entries.expression_or_list("key", "user.id", errors)? {
        ExpressionOrList::Expression(expr) => {
            let is_tuple = matches!(ungrouped(&expr), Expr::Tuple(_));
            Some(KeyOption::Instead(match if is_tuple { into_ungrouped(expr) } else { expr } {
                // Each part by itself, so that references among them are kept as what they point to.
                Expr::Tuple(tuple) => tuple.elems.into_iter().collect(),
                other => vec![other],
            }))
        }
        ExpressionOrList::List(tokens, span) => {
            let parsed = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens);
            match parsed {
                Ok(expressions) if !expressions.is_empty() => {
                    Some(KeyOption::Beside(expressions.into_iter().collect()))
                }
                Ok(_) => {
                    errors.push(span, "`key()` adds nothing to the key; write for example `key(self.id)`");
                    None
                }
                Err(error) => {
                    errors.push_error(error);
                    None
                }
            }
        }
    }
}

fn skip(entries: &mut Entries, errors: &mut Errors) -> Vec<Ident> {
    let Some((tokens, span)) = entries.list("skip", "connection", errors) else { return Vec::new() };
    let parser = Punctuated::<TokenTree, Token![,]>::parse_terminated;
    let Ok(words) = parser.parse2(tokens) else {
        errors.push(span, "`skip` takes the names of arguments; write for example `skip(connection)`");
        return Vec::new();
    };
    if words.is_empty() {
        errors.push(span, "`skip()` leaves nothing out; write for example `skip(connection)`");
    }
    let mut names = Vec::new();
    for word in words {
        match word {
            TokenTree::Ident(name) => names.push(name),
            other => errors.push(
                other.span(),
                "`skip` takes the names of arguments; write for example `skip(connection)`",
            ),
        }
    }
    names
}

/// `tags("user:{id}", …)`.
fn tags(entries: &mut Entries, errors: &mut Errors) -> Vec<LitStr> {
    let Some((tokens, span)) = entries.list("tags", "\"user:{id}\"", errors) else { return Vec::new() };
    const MESSAGE: &str =
        "`tags` takes texts in which arguments may stand in braces; write for example `tags(\"user:{id}\")`";
    let Ok(expressions) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens) else {
        errors.push(span, MESSAGE);
        return Vec::new();
    };
    if expressions.is_empty() {
        errors.push(span, "`tags()` gives no tag; write for example `tags(\"user:{id}\")`");
    }
    let mut tags = Vec::new();
    for expression in expressions {
        match into_ungrouped(expression) {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if !text.value().is_empty() => tags.push(text),
            other => errors.push(other.span(), MESSAGE),
        }
    }
    tags
}

/// `depends_on(prices, shop::articles)`.
fn depends_on(entries: &mut Entries, errors: &mut Errors) -> Vec<Path> {
    let Some((tokens, span)) = entries.list("depends_on", "prices", errors) else { return Vec::new() };
    const MESSAGE: &str = "`depends_on` takes the names of cached functions; write for example `depends_on(prices, shop::articles)`";
    let parser = |input: ParseStream| {
        Punctuated::<Path, Token![,]>::parse_terminated_with(input, Path::parse_mod_style)
    };
    match parser.parse2(tokens) {
        Ok(paths) if !paths.is_empty() => paths.into_iter().collect(),
        Ok(_) => {
            errors.push(span, "`depends_on()` names nothing; write for example `depends_on(prices)`");
            Vec::new()
        }
        Err(error) => {
            errors.push(error.span(), MESSAGE);
            Vec::new()
        }
    }
}
