//! Ten benchmarks that are as unlike as possible, each of a hundred equal pieces of work, and of as many more as `PERFKIT_TRUST_MORE` says: 3 is 3 % more.
//!
//! So two programs with the same code differ in nothing but the work, whose true ratio is known.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::hint::black_box;

use perfkit::{Bencher, benchmark};

/// How many pieces.
fn pieces() -> usize {
    let more = std::env::var("PERFKIT_TRUST_MORE").ok().and_then(|more| more.parse::<usize>().ok());
    100 + more.unwrap_or(0)
}

/// Numbers without a pattern, always the same.
fn numbers(count: usize) -> Vec<u64> {
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    (0..count).map(|_| next()).collect()
}

#[benchmark(name = "hash")]
fn hash(bencher: &mut Bencher) {
    let (pieces, bytes) = (pieces(), vec![7_u8; 256]);
    bencher.iter(|| {
        (0..pieces).fold(0, |sum, piece| {
            let mut hasher = DefaultHasher::new();
            hasher.write(black_box(&bytes));
            hasher.write_usize(piece);
            sum ^ hasher.finish()
        })
    });
}

#[benchmark(name = "sort")]
fn sort(bencher: &mut Bencher) {
    let (pieces, numbers) = (pieces(), numbers(100));
    let mut room = numbers.clone();
    bencher.iter(|| {
        for _ in 0..pieces {
            room.copy_from_slice(black_box(&numbers));
            room.sort_unstable();
        }
        room[50]
    });
}

#[benchmark(name = "allocate")]
fn allocate(bencher: &mut Bencher) {
    let pieces = pieces();
    bencher.iter(|| {
        for piece in 0..pieces {
            let kept: Vec<Box<usize>> = (0..8).map(|n| Box::new(n + piece)).collect();
            black_box(kept);
        }
    });
}

/// Where each place of 32 MiB says which is next: every step waits for memory.
#[benchmark(name = "chase")]
fn chase(bencher: &mut Bencher) {
    let pieces = pieces();
    let count = 4 << 20;
    let mut next: Vec<u64> = (0..count as u64).collect();
    // One ring through all places (S. Sattolo, 1986).
    for (place, number) in numbers(count).into_iter().enumerate().skip(1).rev() {
        next.swap(place, (number % place as u64) as usize);
    }
    let mut place = 0;
    bencher.iter(|| {
        for _ in 0..pieces * 10 {
            place = next[place] as usize;
        }
        place
    });
}

#[benchmark(name = "parse")]
fn parse(bencher: &mut Bencher) {
    let pieces = pieces();
    let texts: Vec<String> =
        numbers(16).iter().map(|number| format!("{:.6}", *number as f64 / 1e15)).collect();
    bencher.iter(|| {
        let mut sum = 0.0;
        for _ in 0..pieces {
            sum += texts.iter().map(|text| black_box(text).parse::<f64>().unwrap_or(0.0)).sum::<f64>();
        }
        sum
    });
}

#[benchmark(name = "tree")]
fn tree(bencher: &mut Bencher) {
    let pieces = pieces();
    let keys = numbers(10_000);
    let tree: BTreeMap<u64, usize> = keys.iter().copied().zip(0..).collect();
    bencher.iter(|| (0..pieces * 10).map(|piece| tree[&keys[piece]]).fold(0, usize::wrapping_add));
}

#[benchmark(name = "arithmetic")]
fn arithmetic(bencher: &mut Bencher) {
    let pieces = pieces();
    bencher.iter(|| {
        let mut x = black_box(1.5_f64);
        for _ in 0..pieces * 20 {
            x = x.mul_add(0.999, 0.25 / x);
        }
        x
    });
}

#[benchmark(name = "text")]
fn text(bencher: &mut Bencher) {
    let pieces = pieces();
    bencher.iter(|| {
        let mut length = 0;
        for piece in 0..pieces {
            let text = format!("{piece}: {}", black_box("a word and another"));
            length += text.replace("word", "sentence").len();
        }
        length
    });
}

#[benchmark(name = "matrix")]
fn matrix(bencher: &mut Bencher) {
    const SIDE: usize = 64;
    let pieces = pieces();
    let matrix: Vec<f32> = numbers(SIDE * SIDE).iter().map(|number| *number as f32).collect();
    let mut vector = vec![1.0_f32; SIDE];
    bencher.iter(|| {
        for _ in 0..pieces {
            let product: Vec<f32> = matrix
                .chunks_exact(SIDE)
                .map(|row| row.iter().zip(&vector).map(|(a, b)| a * b).sum::<f32>().clamp(-1.0, 1.0))
                .collect();
            vector.copy_from_slice(&product);
        }
        vector[0]
    });
}

#[benchmark(name = "branch")]
fn branch(bencher: &mut Bencher) {
    let (pieces, numbers) = (pieces(), numbers(4096));
    bencher.iter(|| {
        let mut state = 1_u64;
        for piece in 0..pieces * 20 {
            let number = numbers[(piece + state as usize) % 4096];
            if number & 1 == 0 {
                state = state.rotate_left(3) ^ number;
            } else if number & 2 == 0 {
                state = state.wrapping_mul(3);
            } else {
                state = black_box(state) + 1;
            }
        }
        state
    });
}

perfkit::bench_main!();
