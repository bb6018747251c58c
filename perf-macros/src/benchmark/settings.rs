//! What the entry is told of the options.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote;
use syn::LitStr;
use syn::ext::IdentExt;

use super::options::Options;
use crate::function::Function;
use crate::options::{FlagOrString, duration_tokens};

/// The calls that set what is not as it is by itself.
pub(super) fn settings(function: &Function, options: &Options) -> TokenStream {
    let number = |number: &Option<(u64, Span)>| number.map(|(number, _)| Literal::u64_unsuffixed(number));
    let group = options.group.as_ref().map(|group| quote!(.group(#group)));
    let in_group = options.group.as_ref().map(|group| {
        let (name, span) = match &options.name {
            Some(name) => (name.value(), name.span()),
            None => (function.name().unraw().to_string(), group.span()),
        };
        LitStr::new(&format!("{}/{name}", group.value()), span)
    });
    let named = in_group.as_ref().or(options.name.as_ref()).map(|name| quote!(.named(#name)));
    let throughput = options.throughput.map(Literal::f64_unsuffixed);
    let throughput = throughput.map(|rate| quote!(.target_throughput(#rate)));
    let target = options.target.map(Literal::f64_unsuffixed).map(|target| quote!(.target(#target)));
    let krate = &options.krate;
    let complexity =
        options.complexity.as_ref().map(|class| quote!(.complexity(#krate::__private::Class::#class)));
    let memory = options.memory_complexity.as_ref();
    let memory = memory.map(|class| quote!(.memory_complexity(#krate::__private::Class::#class)));
    let allocations = options.target_allocs.map(Literal::u64_unsuffixed);
    let allocations = allocations.map(|target| quote!(.target_allocations(#target)));
    let bytes =
        options.target_memory.map(Literal::u64_unsuffixed).map(|target| quote!(.target_bytes(#target)));
    let may_grow = options.may_grow.then(|| quote!(.may_grow()));
    let timeout = options.timeout.map(duration_tokens).map(|timeout| quote!(.timeout(#timeout)));
    let iterations = number(&options.iterations).map(|iterations| quote!(.iterations(#iterations)));
    let warmup = number(&options.warmup).map(|warmup| quote!(.warmup(#warmup)));
    let ignored = match &options.ignore {
        FlagOrString::String(reason) => Some(quote!(.ignored(#reason))),
        FlagOrString::Flag => Some(quote!(.ignored(""))),
        FlagOrString::None => None,
    };
    quote!(
        #named #group #target #throughput #complexity #memory #allocations #bytes #may_grow #timeout #iterations #warmup #ignored
    )
}
