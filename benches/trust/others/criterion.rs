//! The work of known cost and the fifty, for criterion.

use criterion::{Criterion, criterion_group, criterion_main};
use perfkit_trust::work::{Kind, do_units, lanes, units_told};

fn known(criterion: &mut Criterion) {
    let units = units_told(Kind::Arithmetic);
    criterion.bench_function("known/nothing", |bencher| bencher.iter(|| ()));
    criterion.bench_function("known/ten_nanoseconds", |bencher| bencher.iter(lanes));
    criterion.bench_function("known/a_microsecond", |bencher| {
        bencher.iter(|| do_units(Kind::Arithmetic, units));
    });
    criterion.bench_function("known/a_millisecond", |bencher| {
        bencher.iter(|| do_units(Kind::Arithmetic, 1_000 * units));
    });
}

fn fifty(criterion: &mut Criterion) {
    for module in 'a'..='j' {
        for name in ["one", "two", "three", "four", "five"] {
            criterion.bench_function(&format!("fifty/{module}/{name}"), |bencher| {
                bencher.iter(|| do_units(Kind::Arithmetic, 500));
            });
        }
    }
}

criterion_group!(benches, known, fifty);
criterion_main!(benches);
