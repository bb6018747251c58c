//! `profile_block!`, which is a macro of the facade for one reason: it knows by what path perfkit is reached, also in a crate that renamed the
//! dependency. All else is the procedural macro's, and nothing may be decided here.

/// Measures a part of a function under a label of its own: `profile_block!("label", { … })`.
#[doc = include_str!("profile_block.md")]
#[macro_export]
macro_rules! profile_block {
    ($($input:tt)*) => {
        $crate::__private::profile_block!($crate, $($input)*)
    };
}
