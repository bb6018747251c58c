//! Which keys and results may leave the process, and what the compiler says of others.
//!
//! The same as `key` and `keep` have, with serde's traits demanded as well: generated code imports these instead of those.

use std::borrow::ToOwned;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::keep::Shareable;
use crate::cache::key::Hashable;

/// What can be kept by a backend.
pub trait Transferable: Shareable + Serialize + DeserializeOwned {}

impl<T: Shareable + Serialize + DeserializeOwned> Transferable for T {}

/// What can be part of the key of a cache with a backend.
pub trait KeyPart: Hashable + ToOwned<Owned: Serialize> {}

impl<T: Hashable + ToOwned<Owned: Serialize> + ?Sized> KeyPart for T {}

/// What generated code demands of a part of a key that cannot leave the process. Nothing has it; see [`CacheKey`](crate::cache::CacheKey).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of the key of a cache with a `backend`",
    label = "not `Hash + Eq + Clone + Send + Sync` and `serde::Serialize`",
    note = "derive `serde::Serialize`, `Hash`, `PartialEq`, `Eq` and `Clone` for it, leave the argument out with `skip(…)`, or say with `key = …` what the \
            result depends on"
)]
pub trait SharedKey {
    /// What would be the part.
    type Part;
}

/// The same of a result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept by the `backend` of a cache",
    label = "not `Clone + Send + Sync` and `serde::Serialize + serde::de::DeserializeOwned`",
    note = "derive `Clone`, `serde::Serialize` and `serde::Deserialize` for it, or for what the `Result` or the `Option` has in it; serde does so for an `Arc` with its feature \
            `rc`"
)]
pub trait SharedValue {
    /// What would be the way.
    type Way;
}

/// The same of `cache_err`.
#[diagnostic::on_unimplemented(
    message = "`cache_err` cannot keep the `Err`s of `{Self}` in a `backend`",
    label = "no `Result`, or not `Clone + Send + Sync` and `serde::Serialize + serde::de::DeserializeOwned`",
    note = "remove `cache_err`, or derive `Clone`, `serde::Serialize` and `serde::Deserialize` for what is in it"
)]
pub trait SharedErr {
    /// What would be the way.
    type Way;
}

/// The same of `cache_none`.
#[diagnostic::on_unimplemented(
    message = "`cache_none` cannot keep the `None`s of `{Self}` in a `backend`",
    label = "no `Option`, or not `Clone + Send + Sync` and `serde::Serialize + serde::de::DeserializeOwned`",
    note = "remove `cache_none`, or derive `Clone`, `serde::Serialize` and `serde::Deserialize` for what is in it"
)]
pub trait SharedNone {
    /// What would be the way.
    type Way;
}

/// See [`argument`](crate::cache::argument).
pub mod shared_argument {
    use super::{KeyPart, SharedKey};
    use crate::cache::argument::{Argument, OptionalArgument};
    use crate::cache::key::{ByOption, ByRef, unfit_argument, ways_of_an_argument};

    ways_of_an_argument!([KeyPart], SharedKey);
}

/// See [`expression`](crate::cache::expression).
pub mod shared_expression {
    use super::{KeyPart, SharedKey};
    use crate::cache::expression::Expression;
    use crate::cache::key::{ByOption, ByRef, ByValue, unfit_expression, ways_of_an_expression};

    ways_of_an_expression!([KeyPart], SharedKey);
}

/// See [`by`](crate::cache::by).
pub mod by_shared {
    use super::{SharedErr, SharedNone, SharedValue, Transferable};
    use crate::cache::keep::{
        ErrProbe, KeepAny, KeepOk, KeepOkShareErr, KeepSome, NoneProbe, Probe, Shareable, unfit, unfits, way,
    };

    way!(
        /// A `Result` whose error can be shared.
        SharedResult => KeepOkShareErr; [T: Transferable, E: Shareable] &&&Probe<Result<T, E>>
    );
    way!(
        /// Any other `Result`.
        OtherResult => KeepOk; [T: Transferable, E] &&Probe<Result<T, E>>
    );
    way!(
        /// An `Option`.
        Optional => KeepSome; [T: Transferable] &&Probe<Option<T>>
    );
    way!(
        /// Anything else.
        Other => KeepAny;
        [R: Transferable] &Probe<R>,
        [T: Transferable, E: Transferable] &ErrProbe<Result<T, E>>,
        [T: Transferable] &NoneProbe<Option<T>>
    );
    unfits!(SharedValue, SharedErr, SharedNone);
}
