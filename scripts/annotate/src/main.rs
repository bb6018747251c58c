//! Writes `#[perfkit::profiled]` into Rust files, for `scripts/real_crates.sh`: `perfkit-annotate blocks|functions FILE…`.
//!
//! With `blocks` it goes on the outermost `impl`, `trait` or inline `mod` and on free functions, with `functions` on each function by itself. A
//! function inside of a body gets it either way. Prints how many functions are measured now.
//!
//! The attribute is text put in front of an item, on the line where that begins: all else stays byte for byte as it was, and lines keep their
//! numbers, which are in the names of documentation tests. It never touches a macro's tokens, which need not be Rust yet, nor a `const fn`.

use std::env;
use std::fs;
use std::process::ExitCode;

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    AttrStyle, Attribute, Block, ImplItemFn, ItemFn, ItemForeignMod, ItemImpl, ItemMod, ItemTrait, Signature,
    TraitItemFn,
};

const ATTRIBUTE: &str = "#[perfkit::profiled] ";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Blocks,
    Functions,
}

/// What is found in one file.
struct Places {
    mode: Mode,
    /// Inside of a block that has the attribute.
    covered: bool,
    /// Offsets at which it is to be put.
    offsets: Vec<usize>,
    functions: usize,
}

impl Places {
    /// An `impl`, `trait` or `mod`, whose inside is looked at by `inside`.
    fn block(&mut self, item: &impl ToTokens, attributes: &[Attribute], inside: impl FnOnce(&mut Self)) {
        if self.mode == Mode::Functions || self.covered {
            return inside(self);
        }
        let before = self.functions;
        self.covered = true;
        inside(self);
        self.covered = false;
        if self.functions > before {
            self.offsets.push(start(item, attributes));
        }
    }

    /// A function with a body.
    fn function(&mut self, item: &impl ToTokens, attributes: &[Attribute], signature: &Signature) {
        if signature.constness.is_some() {
            return;
        }
        self.functions += 1;
        if !self.covered {
            self.offsets.push(start(item, attributes));
        }
    }
}

impl<'ast> Visit<'ast> for Places {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(item, &item.attrs, &item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(item, &item.attrs, &item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if item.default.is_some() {
            self.function(item, &item.attrs, &item.sig);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.block(item, &item.attrs, |places| visit::visit_item_impl(places, item));
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.block(item, &item.attrs, |places| visit::visit_item_trait(places, item));
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.block(item, &item.attrs, |places| visit::visit_item_mod(places, item));
    }

    /// What is in a body is not seen from outside of it.
    fn visit_block(&mut self, block: &'ast Block) {
        let covered = std::mem::replace(&mut self.covered, false);
        visit::visit_block(self, block);
        self.covered = covered;
    }

    fn visit_item_foreign_mod(&mut self, _: &'ast ItemForeignMod) {}
}

/// Where an item begins, after the attributes in front of it: each is `#` and a group.
fn start(item: &impl ToTokens, attributes: &[Attribute]) -> usize {
    let outer = attributes.iter().filter(|attribute| matches!(attribute.style, AttrStyle::Outer)).count();
    let mut tokens = item.to_token_stream().into_iter().skip(2 * outer);
    tokens.next().map_or(0, |token: TokenTree| token.span().byte_range().start)
}

fn annotate(mode: Mode, path: &str) -> Result<usize, String> {
    let mut text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file = syn::parse_file(&text).map_err(|error| error.to_string())?;
    let mut places = Places { mode, covered: false, offsets: Vec::new(), functions: 0 };
    places.visit_file(&file);
    places.offsets.sort_unstable();
    for offset in places.offsets.into_iter().rev() {
        text.insert_str(offset, ATTRIBUTE);
    }
    fs::write(path, text).map_err(|error| error.to_string())?;
    Ok(places.functions)
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let mode = match arguments.next().as_deref() {
        Some("blocks") => Mode::Blocks,
        Some("functions") => Mode::Functions,
        _ => {
            eprintln!("usage: perfkit-annotate blocks|functions FILE…");
            return ExitCode::FAILURE;
        }
    };
    let mut functions = 0;
    for path in arguments {
        match annotate(mode, &path) {
            Ok(found) => functions += found,
            Err(error) => {
                eprintln!("perfkit-annotate: {path}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{functions}");
    ExitCode::SUCCESS
}
