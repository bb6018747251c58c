//! What generated code asks with how results are kept and what is part of a key; see `keep` and `key`, whose order of methods is used here, too.

pub use super::super::keep::{probe, probe_err, probe_none};

/// The ways to keep, in the order in which they are tried on a `&&&Probe`.
pub mod by {
    use super::super::super::keep::{
        ErrProbe, KeepAny, KeepOk, KeepSome, NoneProbe, Probe, unfit, unfits, way,
    };
    use super::super::keep::Keepable;
    use super::super::{LocalErr, LocalNone, LocalValue};

    way!(
        /// A `Result`.
        OkPart => KeepOk; [T: Keepable, E] &&Probe<Result<T, E>>
    );
    way!(
        /// An `Option`.
        SomePart => KeepSome; [T: Keepable] &&Probe<Option<T>>
    );
    way!(
        /// Anything.
        Any => KeepAny;
        [R: Keepable] &Probe<R>,
        [T: Keepable, E: Keepable] &ErrProbe<Result<T, E>>,
        [T: Keepable] &NoneProbe<Option<T>>
    );
    unfits!(LocalValue, LocalErr, LocalNone);
}

/// Arguments as parts of a key.
pub mod argument {
    use super::super::super::key::argument::{Argument, OptionalArgument};
    use super::super::super::key::{ByOption, ByRef, HashableHere, unfit_argument, ways_of_an_argument};
    use super::super::LocalKey;

    ways_of_an_argument!([HashableHere], LocalKey);
}

/// Expressions as parts of a key.
pub mod expression {
    use super::super::super::key::expression::Expression;
    use super::super::super::key::{
        ByOption, ByRef, ByValue, HashableHere, unfit_expression, ways_of_an_expression,
    };
    use super::super::LocalKey;

    ways_of_an_expression!([HashableHere], LocalKey);
}
