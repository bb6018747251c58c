//! What `#[pooled]` demands of a type, as traits that exist for the error message only.
//!
//! Each is implemented for exactly the types that have the standard trait behind it.

/// What may go from the thread that returns it to the thread that borrows it next.
///
/// A pool of anything else is no `static`, but the compiler would explain that by the insides of [`Pool`](super::Pool).
pub trait PooledObject {
    /// The type itself.
    type Object;
}

impl<T: Send> PooledObject for T {
    type Object = T;
}

/// A struct's factory is its [`Default`].
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
