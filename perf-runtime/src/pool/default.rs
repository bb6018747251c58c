//! How `#[pooled]` on a struct makes objects, with a message of its own where it cannot.

/// What is made by [`Default`]. Implemented for exactly that; it exists for its error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be pooled, because it does not implement `Default`",
    label = "the pool cannot make one of these",
    note = "add `#[derive(Default)]`, or put `#[pooled]` on a function that returns a `{Self}`"
)]
pub trait PooledDefault {
    /// A new object.
    fn make() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> PooledDefault for T {
    fn make() -> Self {
        T::default()
    }
}
