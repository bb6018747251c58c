//! Ten benchmarks that are as unlike each other as benchmarks get: what is claimed of one kind need not hold for another.
//!
//! `PERFKIT_TRUST_WORK=16` makes each do sixteen parts of its work instead of ten: a true slowdown by 60 %.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::OnceLock;

use perfkit::{Bencher, benchmark};
use perfkit_trust::work::numbers;

/// How many parts of its work a benchmark does.
fn parts() -> usize {
    static PARTS: OnceLock<usize> = OnceLock::new();
    *PARTS.get_or_init(|| {
        std::env::var("PERFKIT_TRUST_WORK").ok().and_then(|parts| parts.parse().ok()).unwrap_or(10)
    })
}

#[benchmark]
fn hashing(bencher: &mut Bencher) {
    let map: HashMap<u64, u64> = numbers(10_000).into_iter().map(|number| (number, number)).collect();
    let keys = numbers(50 * parts());
    bencher.iter(|| {
        keys.iter().filter_map(|key| map.get(key)).fold(0, |sum: u64, value| sum.wrapping_add(*value))
    });
}

#[benchmark]
fn sort(bencher: &mut Bencher) {
    let unsorted = numbers(200);
    bencher.iter(|| {
        for _ in 0..parts() {
            let mut numbers = black_box(&unsorted).clone();
            numbers.sort_unstable();
            black_box(numbers);
        }
    });
}

#[benchmark]
fn allocation(bencher: &mut Bencher) {
    bencher.iter(|| {
        (0..10 * parts()).map(|size| vec![0_u8; black_box(16 + size % 100)]).collect::<Vec<_>>().len()
    });
}

/// From place to place in 32 MiB, each of which tells the next.
#[benchmark]
fn memory(bencher: &mut Bencher) {
    let count = 4 << 20;
    // A full period: the multiplier less one is a multiple of four, and the increment is odd.
    let next: Vec<u64> =
        (0..count as u64).map(|place| (place * 1_664_525 + 1_013_904_223) % count as u64).collect();
    let mut place = 0;
    bencher.iter(|| {
        for _ in 0..100 * parts() {
            place = next[place as usize];
        }
        place
    });
}

#[benchmark]
fn parsing(bencher: &mut Bencher) {
    let words: Vec<String> = numbers(30 * parts()).iter().map(u64::to_string).collect();
    let text = words.join(",");
    bencher.iter(|| {
        black_box(&text).split(',').filter_map(|word| word.parse::<u64>().ok()).fold(0, u64::wrapping_add)
    });
}

#[benchmark]
fn tree(bencher: &mut Bencher) {
    let numbers = numbers(40);
    bencher.iter(|| {
        (0..parts())
            .map(|_| {
                black_box(&numbers).iter().map(|number| (*number, 1)).collect::<BTreeMap<_, u64>>().len()
            })
            .sum::<usize>()
    });
}

#[benchmark]
fn arithmetic(bencher: &mut Bencher) {
    bencher.iter(|| (0..100 * parts()).fold(black_box(1.0_f64), |x, n| (x * 1.000_001 + n as f64).sqrt()));
}

#[benchmark]
fn text(bencher: &mut Bencher) {
    bencher.iter(|| {
        let mut text = String::new();
        for n in 0..20 * parts() {
            let _ = write!(text, "{:>5}|{:04x};", black_box(n), n);
        }
        text.len()
    });
}

#[benchmark]
fn matrix(bencher: &mut Bencher) {
    const SIDE: usize = 12;
    let left: Vec<f64> = (0..SIDE * SIDE).map(|n| n as f64).collect();
    bencher.iter(|| {
        let mut sum = 0.0;
        for _ in 0..parts() {
            let right = black_box(&left);
            for row in 0..SIDE {
                for column in 0..SIDE {
                    sum += (0..SIDE).map(|k| left[row * SIDE + k] * right[k * SIDE + column]).sum::<f64>();
                }
            }
        }
        sum
    });
}

#[benchmark]
fn branches(bencher: &mut Bencher) {
    let numbers = numbers(100 * parts());
    bencher.iter(|| {
        numbers.iter().fold(0_u64, |sum, number| match black_box(*number) % 7 {
            0 => sum + 1,
            1 => sum ^ number,
            2 => sum.rotate_left(3),
            3 | 4 => sum.wrapping_mul(31),
            _ => sum.wrapping_sub(*number),
        })
    });
}
