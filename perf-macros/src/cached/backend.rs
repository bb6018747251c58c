//! `backend = …`: results shared between processes, or kept on disk.
//!
//! The store in the process stays, for those who ask for one key at the same time; it keeps results only with `tiered`. Its misses
//! ask the backend.

use core::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::LitStr;

use super::{Cached, site_name};
use crate::fallback::Errors;
use crate::function::Function;
use crate::options::{Entries, duration_tokens, nearest};

/// The options that are about it, all of which need `backend`.
const OPTIONS: [&str; 4] = ["codec", "version", "address", "tiered"];

/// What the three are called here, and their variants and features there.
const KINDS: [(&str, &str, bool); 3] = [
    ("memcached", "Memcached", cfg!(feature = "memcached")),
    ("redis", "Redis", cfg!(feature = "redis")),
    ("disk", "Disk", cfg!(feature = "disk")),
];

const CODECS: [(&str, &str); 2] = [("postcard", "Postcard"), ("json", "Json")];

/// Options that do not go with a backend, and why.
const OTHERS: [(&str, &str); 9] = [
    ("tti", "nobody tells it when a result was asked for; `ttl` is how long it keeps one"),
    ("stale", "what is past its time is gone there; `tiered` is how stale a result in this process may be"),
    ("stale_if_error", "what is past its time is gone there"),
    ("refresh_ahead", "what is past its time is gone there"),
    ("force_refresh", "call `prime` instead"),
    ("local", "its results are for all threads of all processes"),
    ("once", "its results outlive the process"),
    ("tags", "it knows no tags; call `invalidate` or `clear` instead"),
    ("depends_on", "it knows no dependencies; call `invalidate` or `clear` instead"),
];

/// Options of the store in this process.
const OF_THE_STORE: [&str; 5] = ["max_size", "adaptive", "policy", "max_memory", "weigh"];

/// What is said of a backend.
pub(super) struct Backend {
    kind: Ident,
    codec: Option<Ident>,
    version: Option<u32>,
    address: Option<LitStr>,
    tiered: Option<(Duration, Span)>,
}

impl Backend {
    /// Before other options are taken.
    pub(super) fn parse(entries: &mut Entries, errors: &mut Errors) -> Option<Self> {
        refuse_combinations(entries, errors);
        let kind = kind(entries, errors);
        let codec = codec(entries, errors);
        let version = entries.integer("version", "2", errors).and_then(|(version, span)| {
            let fits = u32::try_from(version);
            if fits.is_err() {
                errors.push(span, "a `version` is at most 4294967295; count from 1");
            }
            fits.ok()
        });
        let tiered = entries.duration("tiered", "5", errors);
        if let Some((Duration::ZERO, span)) = tiered {
            errors.push(
                span,
                "what is kept for no time is never found again; write how stale a result may be, such as `tiered = \"5s\"`, or remove `tiered`",
            );
        }
        let written = entries.string("address", "\"cache.internal:11211\"", errors);
        let kind = kind?;
        let address = written.and_then(|written| address(&kind, written, errors));
        Some(Backend { kind, codec, version, address, tiered })
    }

    /// When `ttl` is known.
    pub(super) fn check(&self, ttl: Option<Duration>, errors: &mut Errors) {
        if let (Some((tiered, span)), Some(ttl)) = (self.tiered, ttl)
            && tiered > ttl
        {
            errors.push(
                span,
                "this process would keep a result for longer than the backend; write a `tiered` that is no longer than `ttl`",
            );
        }
    }

    /// The static description of the results there, called `SHARED`. `SITE` is in scope.
    pub(super) fn shared(&self, krate: &TokenStream, ttl: Option<Duration>) -> TokenStream {
        let Backend { kind, codec, version, address, .. } = self;
        let version = version.map(Literal::u32_unsuffixed).map(|version| quote!(.version(#version)));
        let codec = codec.as_ref().map(|codec| quote!(.codec(#krate::__private::Codec::#codec)));
        let address = address.as_ref().map(|address| quote!(.address(#address)));
        let ttl = ttl.map(duration_tokens).map(|ttl| quote!(.ttl(#ttl)));
        quote_spanned! {Span::mixed_site()=>
            static SHARED: #krate::__private::Shared =
                #krate::__private::Shared::at(#krate::__private::Kind::#kind, &SITE) #version #codec #address #ttl;
        }
    }

    /// What is said of the store in this process.
    pub(super) fn store(&self) -> TokenStream {
        let tiered = self.tiered.map(|(tiered, _)| duration_tokens(tiered));
        let kept = tiered.map_or_else(|| quote!(.unkept()), |tiered| quote!(.ttl(#tiered)));
        quote!(#kept.shared(&SHARED))
    }
}

impl Cached<'_> {
    /// Companions of a free function that act on a backend, in place of those without one: `invalidate`; `clear` and what tells of the cache.
    pub(super) fn companions_of_backend(
        &self,
        generics: &TokenStream,
        parameters: &TokenStream,
        handle: &TokenStream,
        arguments: &TokenStream,
    ) -> (TokenStream, TokenStream) {
        let krate = &self.options.krate;
        let Function { visibility, signature, .. } = self.function;
        let bounds = &signature.generics.where_clause;
        let boolean = quote!(::core::primitive::bool);
        let (returns, must_use, invalidate, clear) = if signature.asyncness.is_some() {
            let must_use = quote!(#[must_use = "nothing is removed until it is awaited"]);
            let returns = quote!(#krate::__private::Later<#boolean>);
            (returns, Some(must_use), quote!(invalidate_async), quote!(clear_shared_async))
        } else {
            (boolean, None, quote!(invalidate), quote!(clear_shared))
        };
        let must_clear = must_use
            .clone()
            .unwrap_or_else(|| quote!(#[must_use = "a backend that is not reached removes nothing"]));
        let invalidate = quote_spanned! {Span::mixed_site()=>
            /// Removes the result of a call with these arguments, here and at the backend; whether there was one.
            #must_use
            #visibility fn invalidate #generics (#parameters) -> #returns #bounds {
                #handle().#invalidate(#arguments)
            }
        };
        let site_name = site_name();
        let rest = quote_spanned! {Span::mixed_site()=>
            /// Removes all results, here and at the backend; whether the backend did so.
            #must_clear
            #visibility fn clear() -> #returns { Self::#site_name().#clear() }

            /// What the store of this process counted up to now. Its loads are questions to the backend.
            #[must_use]
            #visibility fn stats() -> #krate::__private::CacheStats { Self::#site_name().stats() }

            /// What this process counted of the backend.
            #[must_use]
            #visibility fn remote_stats() -> #krate::__private::RemoteStats { Self::#site_name().remote_stats() }
        };
        (invalidate, rest)
    }
}

/// What goes only with a backend, only without one, or only with one whose results are kept here, too.
fn refuse_combinations(entries: &Entries, errors: &mut Errors) {
    if !entries.has("backend") {
        for name in OPTIONS {
            if let Some(span) = entries.span_of(name) {
                errors.push(
                    span,
                    format_args!(
                        "`{name}` is about a backend; add for example `backend = \"redis\"`, or remove it"
                    ),
                );
            }
        }
        return;
    }
    for (name, why) in OTHERS {
        if let Some(span) = entries.span_of(name) {
            errors.push(
                span,
                format_args!("`{name}` does not go with `backend`: {why}; remove one of the two"),
            );
        }
    }
    for name in OF_THE_STORE.into_iter().filter(|_| !entries.has("tiered")) {
        if let Some(span) = entries.span_of(name) {
            let message = format_args!(
                "`{name}` is about results in this process, which keeps none of those of a backend; remove it, \
                 or keep them for a while with `tiered = \"5s\"`"
            );
            errors.push(span, message);
        }
    }
}

fn codec(entries: &mut Entries, errors: &mut Errors) -> Option<Ident> {
    let written = entries.string("codec", "\"json\"", errors)?;
    let known = CODECS.into_iter().find(|(name, _)| *name == written.value());
    if known.is_none() {
        errors.push(
            written.span(),
            format_args!(
                "there is no codec `{}`{}; write `codec = \"postcard\"` (the default: small and fast) or \"json\" (readable, and tolerant of new \
                 fields)",
                written.value(),
                meant(&written.value(), &CODECS.map(|(name, _)| name)),
            ),
        );
    }
    known.map(|(_, variant)| Ident::new(variant, Span::mixed_site()))
}

fn kind(entries: &mut Entries, errors: &mut Errors) -> Option<Ident> {
    let written = entries.string("backend", "\"redis\"", errors)?;
    let name = written.value();
    match KINDS.into_iter().find(|(known, ..)| *known == name) {
        Some((_, variant, true)) => Some(Ident::new(variant, Span::mixed_site())),
        Some(_) => {
            errors.push(
                written.span(),
                format_args!(
                    "`backend = \"{name}\"` needs the feature `{name}` of perfkit, which is off; \
                     write in Cargo.toml `perfkit = {{ version = \"…\", features = [\"{name}\"] }}`"
                ),
            );
            None
        }
        None => {
            errors.push(
                written.span(),
                format_args!(
                    "there is no backend `{name}`{}; write `backend = \"memcached\"` or \"redis\" (a server, for all processes that use it), or \"disk\" (a file, \
                     which outlives the process)",
                    meant(&name, &KINDS.map(|(name, ..)| name)),
                ),
            );
            None
        }
    }
}

fn meant(written: &str, known: &[&str]) -> String {
    nearest(written, known).map_or_else(String::new, |nearest| format!(" (did you mean `{nearest}`?)"))
}

/// The address as the runtime wants it.
fn address(kind: &Ident, written: LitStr, errors: &mut Errors) -> Option<LitStr> {
    let text = written.value();
    let has_port = |text: &str| {
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    let (is_redis, is_disk) = (kind == "Redis", kind == "Disk");
    if is_disk {
        let message = "a file has no address; remove `address`, \
            and say where the file is when the program runs: with `PERFKIT_DISK`, or `perfkit::remote().disk(path).install()`";
        errors.push(written.span(), message);
        None
    } else if is_redis && text.starts_with("redis://") {
        Some(written)
    } else if has_port(&text) && !text.contains('/') {
        Some(if is_redis { LitStr::new(&format!("redis://{text}"), written.span()) } else { written })
    } else {
        let example = if is_redis {
            "`address = \"redis://:password@cache.internal:6379/0\"` or \"cache.internal:6379\""
        } else {
            "`address = \"cache.internal:11211\"`"
        };
        errors.push(
            written.span(),
            format_args!("this is no address of a server; write for example {example} (there is no TLS)"),
        );
        None
    }
}
