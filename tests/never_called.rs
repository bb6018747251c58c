//! With the feature `all-sites`, functions that were never called are in the report.

use perfkit::{profile_block, profiled};

#[profiled]
fn called() {}

#[profiled]
#[allow(dead_code, reason = "never called is the point")]
fn never_called<T: Clone>(value: &T) -> T {
    profile_block!("a block in it", { value.clone() })
}

mod inner {
    use super::profiled;

    pub(super) struct Type;

    #[profiled]
    #[allow(dead_code, reason = "never called is the point")]
    impl Type {
        pub(super) async fn waits(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

#[test]
fn they_have_rows_of_zeros() {
    called();
    let _ = inner::Type;
    let report = perfkit::report();
    let calls =
        |name: &str| report.functions.iter().find(|row| row.name.ends_with(name)).map(|row| row.calls);
    assert_eq!(calls("never_called::called"), Some(1));
    for name in ["never_called::never_called", "a block in it", "inner::Type::waits"] {
        assert_eq!(calls(name), Some(0), "{name}: {:?}", report.functions);
    }
    let row = report.functions.iter().find(|row| row.name.ends_with("waits")).unwrap();
    assert!(row.location.file.ends_with("never_called.rs") && row.cyclomatic == Some(1));
    let table = report.to_table();
    assert!(
        table.contains("never called: Type::waits, a block in it, never_called::never_called\n"),
        "{table}"
    );
    assert!(report.to_json().contains("inner::Type::waits"));
}
