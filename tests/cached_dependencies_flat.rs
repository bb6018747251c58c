//! What a result was computed from leaves with it, also where the result itself need not be dropped.

mod live_bytes;

use live_bytes::live_bytes;
use perfkit::cache::depends_on_tag;
use perfkit::cached;

#[cached(max_size = 20_000)]
fn tagged(n: u64) -> u64 {
    depends_on_tag(if n.is_multiple_of(2) { "even" } else { "odd" });
    n
}

#[test]
fn a_record_leaves_with_its_result() {
    let _ = tagged(0);
    (0..20_000).for_each(|n| _ = tagged(n));
    let full = live_bytes();
    tagged::clear();
    let empty = live_bytes();
    // Of each at least the record and its edge.
    assert!(full - empty > 20_000 * 100, "{full} bytes were live, and {empty} are now");
}
