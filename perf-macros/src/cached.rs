//! `#[cached]`: a function keeps its results.
//!
//! The function becomes a look into its cache, and its body moves to `uncached`. What a caller may say of the cache stands beside it: for a
//! function in an `enum` without values that is named like it (the namespace of types, so that nothing the user named is taken), for
//! a method in two more methods. Everything goes through one handle, whose closure makes a key of the arguments.

mod backend;
mod background;
mod key;
mod options;
mod prime;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, GenericParam, Safety, Type, parse_quote};

use self::key::{KeyParts, bindings, generics_of_handle, is_any_named};
use self::options::Options;
use crate::borrows::borrows;
use crate::emit::{self, Place};
use crate::fallback::Errors;
use crate::function::{Argument, Body, Function, contains_impl, contains_word, future_shape, is_named};
use crate::scan::Item;

const ATTRIBUTE: &str = "#[cached]";

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream, Errors> {
    let mut errors = Errors::default();
    let written = options.clone();
    let options = Options::parse(options, &mut errors);
    let output = match Item::parse(item.clone())? {
        Item::Function(function) if !options.companions && function.has_attribute("profiled") => {
            after_profiled(function, &written, &options.krate)
        }
        Item::Function(mut function) => {
            allow_unused(&mut function, &options);
            refuse(&function, &mut errors);
            if options.companions && !is_method(&function) {
                refuse_type_of_its_name(&function, &mut errors);
            }
            let arguments = function.arguments();
            let inputs = function.named_inputs(&arguments);
            let key = KeyParts::new(&function, &arguments, &options, &mut errors);
            background::refuse(&function, &arguments, &options, &mut errors);
            if options.is_local {
                refuse_local(&function, &mut errors);
            }
            Cached { function: &function, arguments: &arguments, inputs, key, options: &options }.expand()
        }
        Item::Container(_) => {
            errors.push(
                Span::call_site(),
                "`#[cached]` keeps the results of one function; put it on each function whose results are to be kept",
            );
            item
        }
        Item::Other(keyword, span) => {
            let what = keyword.map_or_else(|| String::from("this"), |keyword| format!("a `{keyword}`"));
            errors.push(
                span,
                format_args!(
                    "`#[cached]` keeps what a function returns, and {what} is none; put it on a `fn`"
                ),
            );
            item
        }
    };
    errors.check()?;
    Ok(output)
}

/// Where the body stays inside of its function, `#[profiled]` has to come first to be about the body, as it is everywhere else.
fn after_profiled(mut function: Function, options: &TokenStream, krate: &TokenStream) -> TokenStream {
    let (first, rest): (Vec<_>, Vec<_>) =
        function.attributes.drain(..).partition(|attribute| is_named(attribute, "profiled"));
    function.attributes = rest;
    quote!(#(#first)* #[#krate::cached(#options)] #function)
}

/// An argument that says when to refresh, or names a tag, is used by that.
fn allow_unused(function: &mut Function, options: &Options) {
    let Options { force_refresh, tags, .. } = options;
    if force_refresh.is_none() && tags.is_empty() {
        return;
    }
    let words = quote!(#force_refresh #(#tags)*);
    for argument in &mut function.signature.inputs {
        if let FnArg::Typed(argument) = argument
            && is_any_named(&argument.pat, &words)
        {
            argument.attrs.push(parse_quote!(#[allow(unused_variables)]));
        }
    }
}

/// Reports what cannot be cached, whatever the key.
fn refuse(function: &Function, errors: &mut Errors) {
    if let Some(again) = function.attributes.iter().find(|attribute| is_named(attribute, "cached")) {
        errors.push_over(again.path(), "`#[cached]` is given twice; keep one of them");
    }
    for argument in &function.signature.inputs {
        let attributes = match argument {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(argument) => &argument.attrs,
        };
        if let Some(condition) = attributes.iter().find(|attribute| is_named(attribute, "cfg")) {
            errors.push_over(
                condition,
                "a key has the same arguments in every build; \
                 write the function twice, each with a `#[cfg]` of its own, or cache a function that this one calls",
            );
        }
    }
    if let Some(constness) = &function.signature.constness {
        errors.push(
            constness.span(),
            "a `const fn` cannot be cached, because it may run in the compiler, which keeps nothing; \
             remove `const`, or cache a function that calls it",
        );
    }
    if let Body::None(semicolon) = &function.body {
        errors.push(
            semicolon.span(),
            "there is no body whose results could be kept; put `#[cached]` on the function in the `impl`",
        );
    }
    if let Some(variadic) = &function.signature.variadic {
        errors.push(
            variadic.span(),
            "arguments that have no names and types cannot be a key; remove `#[cached]`",
        );
    }
    let Some(ty) = function.return_type() else {
        let message =
            "this returns nothing to keep, and a hit would leave out what it does; remove `#[cached]`";
        return errors.push(function.name().span(), message);
    };
    if matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty()) || matches!(ty, Type::Never(_)) {
        errors.push_over(
            ty,
            "this returns nothing to keep, and a hit would leave out what it does; remove `#[cached]`",
        );
    } else if function.signature.asyncness.is_none() && future_shape(ty).is_some() {
        errors.push_over(ty, "a future runs once, so it is no result to keep; write an `async fn` instead");
    } else if contains_impl(ty) {
        errors.push_over(
            ty,
            "the cache must name the type that it keeps, and `impl Trait` has no name; \
             write the type, or `Arc<dyn Trait + Send + Sync>`",
        );
    } else if borrows(ty) {
        errors.push_over(
            ty,
            "a cache outlives what its function borrows, so it cannot keep a reference; \
             return an owned value, such as `String` for `&str`, or an `Arc`",
        );
    }
}

/// Reports what no thread can have for itself.
fn refuse_local(function: &Function, errors: &mut Errors) {
    if let Some(asyncness) = &function.signature.asyncness {
        errors.push(
            asyncness.span(),
            "a task may go from thread to thread, and a `local` cache cannot; remove `local`, or cache a function that is not `async`",
        );
    }
}

/// Reports a function whose companions would hide a type that it needs.
fn refuse_type_of_its_name(function: &Function, errors: &mut Errors) {
    /// Other than as the end of a longer path.
    fn names(tokens: TokenStream, name: &Ident) -> bool {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is_colon = |at: usize| matches!(&tokens[at], TokenTree::Punct(colon) if colon.as_char() == ':');
        tokens.iter().enumerate().any(|(at, token)| match token {
            TokenTree::Ident(word) => word == name && !(at > 1 && is_colon(at - 1) && is_colon(at - 2)),
            TokenTree::Group(group) => names(group.stream(), name),
            _ => false,
        })
    }
    let mut types = function.signature.generics.where_clause.to_token_stream();
    for argument in function.arguments() {
        argument.ty.to_tokens(&mut types);
    }
    function.return_type().to_tokens(&mut types);
    let name = function.name();
    if names(types, name) {
        errors.push(
            name.span(),
            format_args!(
                "the companions of `{name}` stand in a type of that name, and `{name}` in its signature would mean that one; \
                 give one of the two another name, or write `companions = false`"
            ),
        );
    }
}

/// Whether it stands in an `impl` or a `trait`, as far as its signature tells.
fn is_method(function: &Function) -> bool {
    function.receiver().is_some() || contains_word(&function.signature.to_token_stream(), "Self")
}

/// The function and everything beside it.
struct Cached<'a> {
    function: &'a Function,
    arguments: &'a [Argument<'a>],
    /// What stands between the parentheses where every argument has a plain name.
    inputs: TokenStream,
    key: KeyParts<'a>,
    options: &'a Options,
}

impl Cached<'_> {
    fn expand(&self) -> TokenStream {
        // Reported already if they are missing.
        let (Body::Block(body), Some(returns)) = (&self.function.body, self.function.return_type()) else {
            return TokenStream::new();
        };
        if !self.options.companions {
            self.alone(body, returns)
        } else if is_method(self.function) {
            self.method(body, returns)
        } else {
            self.free_function(body, returns)
        }
    }

    /// The function, and an `enum` of its name with the companions.
    fn free_function(&self, body: &Group, returns: &Type) -> TokenStream {
        let krate = &self.options.krate;
        let Function { attributes, visibility, signature, .. } = self.function;
        let name = &signature.ident;
        let on_call = emit::on_call(attributes);
        let conditions = emit::conditions(attributes);
        let site = self.site(&emit::site(krate, Place::Type, name, self.options.name.as_ref()));
        let uncached = self.uncached(&Ident::new("uncached", Span::mixed_site()), body);
        let site_name = site_name();
        let instance =
            self.instance(&Ident::new("instance", Span::mixed_site()), &quote!(Self::#site_name()));
        let cache = self.handle(&Ident::new("cache", Span::mixed_site()), &quote!(Self::instance), returns);
        let call = self.call(&quote!(#name::instance), &self.body_path(), returns);
        let call = emit::block(body, &TokenStream::new(), call);
        let outer = self.function.signature_with(&self.inputs);
        let prime = self.prime();
        let prime_all = self.prime_all();

        let generics = generics_of_handle(&signature.generics);
        let bounds = &signature.generics.where_clause;
        let handle = self.turbofish(&quote!(Self::cache));
        let parameters = self.key.parameters();
        let arguments = self.key.parameters_as_arguments();
        let (invalidate, clear_and_stats) = if self.options.backend.is_some() {
            self.companions_of_backend(&generics, &parameters, &handle, &arguments)
        } else {
            let invalidate = quote_spanned! {Span::mixed_site()=>
                /// Removes the result of a call with these arguments; whether there was one.
                #visibility fn invalidate #generics (#parameters) -> ::core::primitive::bool #bounds {
                    #handle().invalidate(#arguments)
                }
            };
            let clear_and_stats = quote_spanned! {Span::mixed_site()=>
                /// Removes all results and returns how many there were.
                #visibility fn clear() -> ::core::primitive::u64 { Self::#site_name().clear() }

                /// What the cache counted up to now.
                #[must_use]
                #visibility fn stats() -> #krate::__private::CacheStats { Self::#site_name().stats() }
            };
            (invalidate, clear_and_stats)
        };
        let about = format!("The cache behind the function `{name}`.");
        let underscores = self.underscores();
        quote_spanned! {Span::mixed_site()=>
            #underscores
            #on_call
            #visibility #outer #call

            #conditions
            #[doc = #about]
            #[allow(non_camel_case_types, dead_code)]
            #visibility enum #name {}

            #conditions
            #underscores
            #[allow(unused_lifetimes, clippy::too_many_arguments)]
            impl #name {
                #uncached

                #cache

                #prime

                #prime_all

                #invalidate

                /// The result of a call with these arguments, if it is in the cache.
                #[must_use]
                #visibility fn peek #generics (#parameters) -> ::core::option::Option<#returns> #bounds {
                    #handle().peek(#arguments)
                }

                #clear_and_stats

                #instance

                // By which other functions name it in `depends_on`.
                #[doc(hidden)]
                #visibility fn #site_name() -> &'static #krate::__private::CacheSite { #site }
            }
        }
    }

    /// The method, and two more: the handle and the body.
    fn method(&self, body: &Group, returns: &Type) -> TokenStream {
        let krate = &self.options.krate;
        let Function { attributes, visibility, signature, .. } = self.function;
        let name = &signature.ident;
        let on_call = emit::on_call(attributes);
        let conditions = emit::conditions(attributes);
        let handle_name = format_ident!("{name}_cache", span = name.span());
        let body_path = self.body_path();
        let body_name = format_ident!("{name}_uncached", span = name.span());
        // In a trait's `impl`, where it may not stand, the compiler prints this name.
        let instance_name = format_ident!("{name}{}", emit::COMPANION_SUFFIX, span = Span::mixed_site());
        let site = emit::site(krate, Place::Companion, name, self.options.name.as_ref());
        let instance = self.instance(&instance_name, &self.site(&site));
        let handle = self.handle(&handle_name, &quote!(Self::#instance_name), returns);
        let uncached = self.uncached(&body_name, body);
        let call = self.call(&quote!(Self::#instance_name), &body_path, returns);
        let call = emit::block(body, &TokenStream::new(), call);
        let outer = self.function.signature_with(&self.inputs);
        let underscores = self.underscores();
        quote_spanned! {Span::mixed_site()=>
            #underscores
            #on_call
            #visibility #outer #call

            #conditions
            #underscores
            #[allow(dead_code, unused_lifetimes)]
            #handle

            #conditions
            #[allow(dead_code)]
            #uncached

            #conditions
            #[allow(unused_lifetimes)]
            #instance
        }
    }

    /// The function with its cache and its body inside, and nothing beside it.
    fn alone(&self, body: &Group, returns: &Type) -> TokenStream {
        let krate = &self.options.krate;
        let Function { attributes, visibility, signature, .. } = self.function;
        let site = emit::site(krate, Place::Function, &signature.ident, self.options.name.as_ref());
        let site = self.site(&site);
        let arguments = self.arguments.iter().map(Argument::moved_inside);
        let block = emit::parenthesized(body);
        let inside = quote_spanned!(Span::mixed_site()=> #(#arguments)* #block);
        let run = if signature.asyncness.is_some() {
            let future = emit::async_block(krate, self.function, &inside);
            let run = format_ident!("{}_async", self.run_method(), span = Span::mixed_site());
            quote_spanned!(Span::mixed_site()=> __perfkit_miss.#run(#future).await)
        } else {
            let closure = emit::closure(self.function, &inside);
            let run = Ident::new(self.run_method(), Span::mixed_site());
            quote_spanned!(Span::mixed_site()=> __perfkit_miss.#run(#closure))
        };
        let steps = self.steps(&quote!(#site.instance(|| ())), &run, returns);
        let block = emit::block(body, &TokenStream::new(), steps);
        let outer = self.function.signature_with(&self.inputs);
        let underscores = self.underscores();
        quote_spanned! {Span::mixed_site()=>
            #underscores
            #(#attributes)*
            #visibility #outer #block
        }
    }

    /// An argument that the body leaves unused is still a part of the key.
    fn underscores(&self) -> Option<TokenStream> {
        let any = self.arguments.iter().any(|argument| argument.name.to_string().starts_with('_'));
        any.then(|| quote!(#[allow(clippy::used_underscore_binding)]))
    }

    /// The two steps of a call.
    fn call(&self, instance: &TokenStream, uncached: &TokenStream, returns: &Type) -> TokenStream {
        let instance = self.turbofish(instance);
        self.steps(&quote!(#instance()), &self.run(uncached, self.run_method()), returns)
    }

    /// The method of a miss that a call goes on with.
    fn run_method(&self) -> &'static str {
        if self.options.backend.is_some() { "run_shared" } else { "run" }
    }

    fn steps(&self, instance: &TokenStream, run: &TokenStream, returns: &Type) -> TokenStream {
        let Options { krate, force_refresh, background, is_local, .. } = self.options;
        let (arguments, key, keep) =
            (self.key.arguments(), self.key.closure(krate, None), self.keep(returns));
        let asked = quote_spanned!(Span::mixed_site()=> #arguments, #key, #keep);
        let forced = force_refresh.as_ref().map(|expression| {
            let bindings = bindings(krate, self.arguments, &expression.to_token_stream());
            if bindings.is_empty() { quote!(#expression,) } else { quote!({ #bindings #expression },) }
        });
        let (look_up, found) = match (background.is_some(), is_local) {
            (true, _) => ("look_up_ahead", "FoundAhead"),
            (false, true) => ("look_up_local", "Found"),
            (false, false) => ("look_up", "Found"),
        };
        let look_up = if forced.is_some() { format!("{look_up}_unless") } else { String::from(look_up) };
        let (look_up, found) =
            (Ident::new(&look_up, Span::mixed_site()), Ident::new(found, Span::mixed_site()));
        let stale = background.is_some().then(|| {
            let (marks, refresh) = (self.marks(), self.refresh());
            quote_spanned! {Span::mixed_site()=>
                #krate::__private::#found::Stale(__perfkit_result, __perfkit_refresh) => {
                    let __perfkit_refresh = __perfkit_refresh #marks;
                    #refresh
                    return __perfkit_result;
                }
            }
        });
        let marks = self.marks();
        let marks = (!marks.is_empty())
            .then(|| quote_spanned!(Span::mixed_site()=> let __perfkit_miss = __perfkit_miss #marks;));
        // An expression of `key` may do anything, so it is evaluated once in a call.
        if look_up == "look_up" && self.key.is_at_hand() {
            return self.steps_after_a_glance(instance, &asked, run, marks.as_ref());
        }
        quote_spanned! {Span::mixed_site()=>
            // What is looked up is gone after this statement: it need not be `Send` where the body waits.
            let __perfkit_miss = match #krate::__private::#look_up(#forced #instance, #asked) {
                #krate::__private::#found::Hit(__perfkit_result) => return __perfkit_result,
                #stale
                #krate::__private::#found::Miss(__perfkit_miss) => __perfkit_miss,
            };
            #marks
            #run
        }
    }

    /// The steps, and before them a glance, which nearly every hit ends with. Where they are no future they stand apart from it.
    fn steps_after_a_glance(
        &self,
        instance: &TokenStream,
        asked: &TokenStream,
        run: &TokenStream,
        marks: Option<&TokenStream>,
    ) -> TokenStream {
        let krate = &self.options.krate;
        let mut steps = quote_spanned! {Span::mixed_site()=>
            // What is looked up is gone after this statement: it need not be `Send` where the body waits.
            let __perfkit_miss = match #krate::__private::look_up_seen(__perfkit_seen, __perfkit_instance, #asked) {
                #krate::__private::Found::Hit(__perfkit_result) => return __perfkit_result,
                #krate::__private::Found::Miss(__perfkit_miss) => __perfkit_miss,
            };
            #marks
            #run
        };
        if self.function.signature.asyncness.is_none() {
            steps = quote_spanned! {Span::mixed_site()=>
                #krate::__private::apart(__perfkit_seen, move |__perfkit_seen| { #steps })
            };
        }
        quote_spanned! {Span::mixed_site()=>
            let __perfkit_instance = #instance;
            let __perfkit_seen = match #krate::__private::glance(__perfkit_instance, #asked) {
                ::core::result::Result::Ok(__perfkit_result) => return __perfkit_result,
                ::core::result::Result::Err(__perfkit_seen) => __perfkit_seen,
            };
            #steps
        }
    }

    /// What a run of the body is told of the tags of its result, and of the functions that it depends on.
    fn marks(&self) -> TokenStream {
        let Options { krate, tags, depends_on, .. } = self.options;
        let tagged = (!tags.is_empty()).then(|| {
            let bindings = bindings(krate, self.arguments, &quote!(#(#tags)*));
            quote_spanned! {Span::mixed_site()=>
                .tagged(|| { #bindings ::std::vec![#(::std::format!(#tags)),*] })
            }
        });
        let site_name = site_name();
        let depends_on = depends_on.iter().map(|path| {
            let site = quote_spanned!(path.span().resolved_at(Span::mixed_site())=> <#path>::#site_name());
            quote_spanned!(Span::mixed_site()=> .depends_on(#site))
        });
        quote!(#tagged #(#depends_on)*)
    }

    /// `miss.run(…)` or another method of a miss that takes the body.
    fn run(&self, uncached: &TokenStream, method: &str) -> TokenStream {
        let signature = &self.function.signature;
        let receiver = self.function.receiver().map(|receiver| {
            let this = &receiver.self_token;
            quote!(#this,)
        });
        let names = self.arguments.iter().map(|argument| &argument.name);
        let uncached = self.turbofish(uncached);
        let mut call = quote_spanned!(Span::mixed_site()=> #uncached(#receiver #(#names),*));
        if matches!(signature.safety, Safety::Unsafe(_)) {
            call = quote_spanned!(Span::mixed_site()=> unsafe { #call });
        }
        if signature.asyncness.is_some() {
            let method = format_ident!("{method}_async", span = Span::mixed_site());
            quote_spanned!(Span::mixed_site()=> __perfkit_miss.#method(#call).await)
        } else {
            let method = Ident::new(method, Span::mixed_site());
            quote_spanned!(Span::mixed_site()=> __perfkit_miss.#method(move || #call))
        }
    }

    /// The body as a function.
    fn body_path(&self) -> TokenStream {
        let name = self.function.name();
        if is_method(self.function) {
            let body_name = format_ident!("{name}_uncached", span = name.span());
            quote!(Self::#body_name)
        } else {
            quote!(#name::uncached)
        }
    }

    /// A path with the function's own generics.
    fn turbofish(&self, path: &TokenStream) -> TokenStream {
        let parameters =
            self.function.signature.generics.params.iter().filter_map(|parameter| match parameter {
                GenericParam::Lifetime(_) => None,
                GenericParam::Type(parameter) => Some(&parameter.ident),
                GenericParam::Const(parameter) => Some(&parameter.ident),
            });
        let parameters: Vec<&Ident> = parameters.collect();
        if parameters.is_empty() { path.clone() } else { quote!(#path::<#(#parameters),*>) }
    }

    /// The body as a function of its own.
    fn uncached(&self, name: &Ident, body: &Group) -> TokenStream {
        let Function { attributes, visibility, signature, .. } = self.function;
        let on_code = emit::on_code(attributes);
        let signature = self.function.signature_of(None, name, &signature.inputs.to_token_stream());
        quote_spanned! {Span::mixed_site()=>
            /// The function itself, without the cache.
            // What these say is said of the function itself.
            #[allow(unreachable_pub, clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::missing_safety_doc, clippy::must_use_candidate)]
            #on_code
            #visibility #signature #body
        }
    }

    /// `fn prime`: runs the body and keeps its result in place of what is in the cache.
    fn prime(&self) -> TokenStream {
        let Function { attributes, visibility, .. } = self.function;
        let on_code = emit::on_any_code(attributes);
        let name = Ident::new("prime", Span::mixed_site());
        let signature = self.function.signature_of(None, &name, &self.inputs);
        let (handle, run) =
            (self.turbofish(&quote!(Self::cache)), self.run(&quote!(Self::uncached), "prime"));
        let (arguments, marks) = (self.key.arguments(), self.marks());
        // Whoever primes the cache uses the function. One of an `impl Trait` cannot be named without a call.
        let function = self.turbofish(&self.function.name().to_token_stream());
        let can_be_named = !self.arguments.iter().any(|argument| contains_impl(argument.ty));
        let used = can_be_named.then(|| quote!(let _ = #function;));
        quote_spanned! {Span::mixed_site()=>
            /// Runs the function whatever is in the cache, and keeps the result.
            #[allow(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::missing_safety_doc, clippy::must_use_candidate)]
            #on_code
            #visibility #signature {
                #used
                let __perfkit_miss = #handle().primer(#arguments) #marks;
                #run
            }
        }
    }

    /// The function that tells the instances of the generics apart.
    fn instance(&self, name: &Ident, site: &TokenStream) -> TokenStream {
        let krate = &self.options.krate;
        let generics = &self.function.signature.generics;
        let bounds = &generics.where_clause;
        quote_spanned! {Span::mixed_site()=>
            #[doc(hidden)]
            #[allow(non_snake_case)]
            fn #name #generics () -> #krate::__private::Instance<impl ::core::marker::Copy> #bounds {
                #site.instance(|| ())
            }
        }
    }

    /// The function that gives the handle.
    fn handle(&self, name: &Ident, instance: &TokenStream, returns: &Type) -> TokenStream {
        let krate = &self.options.krate;
        let Function { visibility, signature, .. } = self.function;
        let generics = generics_of_handle(&signature.generics);
        let bounds = &signature.generics.where_clause;
        let ty = self.key.ty();
        let (key, keep) = (self.key.closure(krate, Some(&ty)), self.keep(returns));
        let instance = self.turbofish(instance);
        let (handle, binding) = if self.options.is_local {
            ("LocalCacheHandle", "LocalBinding")
        } else if self.options.backend.is_some() {
            ("SharedCacheHandle", "SharedBinding")
        } else {
            ("CacheHandle", "Binding")
        };
        let (handle, binding) =
            (Ident::new(handle, Span::mixed_site()), Ident::new(binding, Span::mixed_site()));
        quote_spanned! {Span::mixed_site()=>
            /// The cache itself.
            #[must_use]
            #visibility fn #name #generics () -> #krate::__private::#handle<
                #ty,
                #returns,
                impl #krate::__private::#binding<#ty, #returns> + ::core::marker::Copy,
            > #bounds {
                #krate::__private::#handle::new(#instance(), #key, #keep)
            }
        }
    }

    /// A reference to the static description of the cache, which is also listed for reports.
    fn site(&self, site: &TokenStream) -> TokenStream {
        let (krate, limits, shared) = (&self.options.krate, self.options.limits(), self.options.shared());
        quote_spanned! {Span::mixed_site()=>
            {
                #site
                #shared
                static CACHE: #krate::__private::CacheSite =
                    #krate::__private::CacheSite::new(&SITE) #limits;
                #krate::__private::inventory::submit! { &CACHE }
                &CACHE
            }
        }
    }

    /// How results are kept: as asked for, or as their type tells.
    fn keep(&self, returns: &Type) -> TokenStream {
        let Options { krate, probe, weigh, is_local, backend, .. } = self.options;
        // Messages about the results point at their type, or at the option.
        let span = returns.span().resolved_at(Span::mixed_site());
        let probe = probe.clone().unwrap_or_else(|| Ident::new("probe", span));
        if *is_local {
            let probe = quote_spanned!(probe.span()=> #krate::__private::local::#probe::<#returns>());
            let keep = quote_spanned!(span=> (&&&#probe).__perfkit_keep());
            return quote_spanned! {Span::mixed_site()=>
                {
                    #[allow(unused_imports)]
                    use #krate::__private::local::by::{
                        Any as _, OkPart as _, SomePart as _, Unfit as _, UnfitErr as _, UnfitNone as _,
                    };
                    #keep
                }
            };
        }
        let probe = quote_spanned!(probe.span()=> #krate::__private::#probe::<#returns>());
        let keep = quote_spanned!(span=> (&&&&#probe).__perfkit_keep());
        let (by, keep) = if let Some(weigh) = weigh {
            (None, quote_spanned!(span=> #krate::__private::weighed_with::<#returns, _>(#keep, #weigh)))
        } else {
            let by = quote_spanned! {Span::mixed_site()=>
                #[allow(unused_imports)]
                use #krate::__private::weigh_by::{Buffered as _, Content as _, Other as _};
            };
            let probe = quote_spanned!(span=> #krate::__private::probe_weight::<#returns, _>(#keep));
            (Some(by), quote_spanned!(span=> (&&&#probe).__perfkit_weigh()))
        };
        let (ways, fallible) = if backend.is_some() {
            (quote!(by_shared), None)
        } else {
            (quote!(by), Some(quote!(UnfitFallible as _,)))
        };
        quote_spanned! {Span::mixed_site()=>
            {
                #[allow(unused_imports)]
                use #krate::__private::#ways::{
                    Optional as _, Other as _, OtherResult as _, SharedResult as _, Unfit as _,
                    UnfitErr as _, #fallible UnfitNone as _,
                };
                #by
                #keep
            }
        }
    }
}

/// The function beside a cached one that gives its site. No function of the user's may be called that.
fn site_name() -> Ident {
    Ident::new("__perfkit_site", Span::call_site())
}
