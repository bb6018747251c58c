//! Each misuse of an attribute gives the message in the `.stderr` file beside it, and no second one.
//!
//! After a change of wording: `TRYBUILD=overwrite cargo test -p perfkit-ui-tests`, then read the difference.

#[test]
fn misuse_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}
