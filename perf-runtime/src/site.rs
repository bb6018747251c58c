//! A *site*: the static description of one place in source code that an attribute instruments.
//!
//! Its identity is its address, and to a reader its file, line and column. It holds constants only; what is
//! counted about it lives with what counts it.

use crate::snapshot::Name;

/// Every profiled site of the program, where it was compiled with the feature `all-sites`; else empty. Listing a site costs the
/// compiler more than all the rest of what the attribute generates, and a site that was called is in a thread's tree anyway.
#[cfg(feature = "all-sites")]
#[linkme::distributed_slice]
pub static SITES: [&'static Site];

/// None.
#[cfg(not(feature = "all-sites"))]
pub static SITES: [&Site; 0] = [];

/// One instrumented place. Built by generated code as a `static`.
#[derive(Debug)]
pub struct Site {
    /// Returns the full path of the marker function nested in the instrumented one, as the compiler names it.
    path: fn() -> &'static str,
    label: Option<&'static str>,
    /// What the function around the marker has at the end of its name and the site has not.
    suffix: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
    cyclomatic: u32,
    sampling: Sampling,
}

/// Which calls of a site are timed. All are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// All.
    All,
    /// One in so many, drawn at random.
    OneIn(u32),
    /// As many as keep the cost of timing them below a share of what they take.
    Automatic,
}

impl Site {
    /// A site of the function around `path`, which is to return [`name_of`] itself.
    #[must_use]
    pub const fn new(
        path: fn() -> &'static str,
        file: &'static str,
        line: u32,
        column: u32,
        cyclomatic: u32,
    ) -> Self {
        Self { path, label: None, suffix: "", file, line, column, cyclomatic, sampling: Sampling::All }
    }

    /// The same site, shown as `label` instead of by its path.
    #[must_use]
    pub const fn labelled(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// The same site, whose marker stands in a companion of the function that has its name with `suffix` at the end.
    #[must_use]
    pub const fn in_companion(mut self, suffix: &'static str) -> Self {
        self.suffix = suffix;
        self
    }

    /// The same site, of whose calls not all are timed.
    #[must_use]
    pub const fn sampled(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Which calls are timed.
    #[must_use]
    pub const fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// The name shown in reports: the label if there is one, else crate, modules, type, trait and function, such as
    /// `app::parse::Lexer<_>::next` or `<app::Csv as app::Format>::read`.
    #[must_use]
    pub fn name(&self) -> Name {
        if let Some(label) = self.label {
            return Name::label(label);
        }
        Name::path(self.function())
    }

    /// The path alone, whatever the label.
    pub(crate) fn function(&self) -> &'static str {
        let path = (self.path)();
        let path = path.strip_suffix("::here").unwrap_or(path);
        // The body of an `async fn` is a closure to the compiler.
        let path = path.trim_end_matches("::{{closure}}");
        path.strip_suffix(self.suffix).unwrap_or(path)
    }

    /// The source file, as the compiler was given it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line of the function's name, from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// The column of the function's name, from 1.
    #[must_use]
    pub const fn column(&self) -> u32 {
        self.column
    }

    /// McCabe's cyclomatic complexity of the body; `None` for a part of a function.
    #[must_use]
    pub const fn cyclomatic(&self) -> Option<u32> {
        if self.cyclomatic == 0 { None } else { Some(self.cyclomatic) }
    }
}

/// The path of a function item, as the compiler names it.
#[must_use]
pub fn name_of<F>(_: F) -> &'static str {
    core::any::type_name::<F>()
}
