//! What generated code demands of results and arguments that a local cache cannot keep. Nothing has these traits, so that each demand is one error, in these words.

/// What generated code demands of a result that cannot be kept. Nothing has it, so that the demand is one error, in these words, and
/// what depends on it is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a cache",
    label = "not `Clone`",
    note = "each hit is handed a clone: derive `Clone` for it, or return an `Rc<…>` of it"
)]
pub trait LocalValue {
    /// What would be the way.
    type Way;
}

/// The same of `cache_err`.
#[diagnostic::on_unimplemented(
    message = "`cache_err` cannot keep the `Err`s of `{Self}`",
    label = "no `Result`, or not `Clone`",
    note = "remove `cache_err`, which is for functions that return a `Result`; each hit is handed a clone of it"
)]
pub trait LocalErr {
    /// What would be the way.
    type Way;
}

/// The same of `cache_none`.
#[diagnostic::on_unimplemented(
    message = "`cache_none` cannot keep the `None`s of `{Self}`",
    label = "no `Option`, or not `Clone`",
    note = "remove `cache_none`, which is for functions that return an `Option`; each hit is handed a clone of it"
)]
pub trait LocalNone {
    /// What would be the way.
    type Way;
}

/// The same of an argument.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache's key",
    label = "not `Hash + Eq + Clone`",
    note = "derive `Hash`, `PartialEq`, `Eq` and `Clone` for it, leave the argument out with `skip(…)`, or say with `key = …` what the result depends on, \
            such as `key = x.to_bits()` for a float"
)]
pub trait LocalKey {
    /// What would be the part.
    type Part;
}
