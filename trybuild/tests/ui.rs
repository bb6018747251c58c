//! Each misuse of an attribute gives the message in the `.stderr` file beside it, and no second one.
//!
//! After a change of wording: `TRYBUILD=overwrite cargo test -p perfkit-ui-tests`, then read the difference. With the feature `backends`, those
//! of what needs the features `memcached`, `redis` and `disk` of perfkit.

#[test]
fn misuse_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail(if cfg!(feature = "backends") { "ui_backend/*/*.rs" } else { "ui/*/*.rs" });
}
