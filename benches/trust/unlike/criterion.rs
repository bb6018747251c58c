//! The ten under criterion.

mod work;

use perfkit::criterion::{Criterion, criterion_group, criterion_main};

fn all(criterion: &mut Criterion) {
    perfkit::criterion::all(criterion);
}

criterion_group!(benches, all);
criterion_main!(benches);
