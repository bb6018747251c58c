//! Ten pieces of work that are as unlike as possible, each of a hundred equal parts, and of as many more as `PERFKIT_TRUST_MORE` says: 3 is 3 % more.
//!
//! So two programs with the same code differ in nothing but the work, whose true ratio is known. Each function makes what it needs and gives the call that is
//! to be measured.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::hint::black_box;

use crate::work::numbers;

/// How many parts.
fn parts() -> usize {
    let more = std::env::var("PERFKIT_TRUST_MORE").ok().and_then(|more| more.parse::<usize>().ok());
    100 + more.unwrap_or(0)
}

/// Hashes bytes.
pub fn hash() -> impl FnMut() -> u64 {
    let (parts, bytes) = (parts(), vec![7_u8; 256]);
    move || {
        (0..parts).fold(0, |sum, part| {
            let mut hasher = DefaultHasher::new();
            hasher.write(black_box(&bytes));
            hasher.write_usize(part);
            sum ^ hasher.finish()
        })
    }
}

/// Sorts a hundred numbers.
pub fn sort() -> impl FnMut() -> u64 {
    let (parts, numbers) = (parts(), numbers(100));
    let mut room = numbers.clone();
    move || {
        for _ in 0..parts {
            room.copy_from_slice(black_box(&numbers));
            room.sort_unstable();
        }
        room[50]
    }
}

/// Allocates and frees.
pub fn allocate() -> impl FnMut() -> usize {
    let parts = parts();
    move || {
        for part in 0..parts {
            let kept: Vec<Box<usize>> = (0..8).map(|n| Box::new(n + part)).collect();
            black_box(kept);
        }
        parts
    }
}

/// Goes through 32 MiB where each place says which is next: every step waits for memory.
pub fn chase() -> impl FnMut() -> usize {
    let parts = parts();
    let count = 4 << 20;
    let mut next: Vec<u64> = (0..count as u64).collect();
    // One ring through all places (S. Sattolo, 1986).
    for (place, number) in numbers(count).into_iter().enumerate().skip(1).rev() {
        next.swap(place, (number % place as u64) as usize);
    }
    let mut place = 0;
    move || {
        for _ in 0..parts * 10 {
            place = next[place] as usize;
        }
        place
    }
}

/// Reads numbers from texts.
pub fn parse() -> impl FnMut() -> f64 {
    let parts = parts();
    let texts: Vec<String> =
        numbers(16).iter().map(|number| format!("{:.6}", *number as f64 / 1e15)).collect();
    move || {
        let mut sum = 0.0;
        for _ in 0..parts {
            sum += texts.iter().map(|text| black_box(text).parse::<f64>().unwrap_or(0.0)).sum::<f64>();
        }
        sum
    }
}

/// Finds keys in a tree.
pub fn tree() -> impl FnMut() -> usize {
    let parts = parts();
    let keys = numbers(10_000);
    let tree: BTreeMap<u64, usize> = keys.iter().copied().zip(0..).collect();
    move || (0..parts * 10).map(|part| tree[&keys[part]]).fold(0, usize::wrapping_add)
}

/// Calculates, each step with the result of the one before.
pub fn arithmetic() -> impl FnMut() -> f64 {
    let parts = parts();
    move || {
        let mut x = black_box(1.5_f64);
        for _ in 0..parts * 20 {
            x = x.mul_add(0.999, 0.25 / x);
        }
        x
    }
}

/// Writes and replaces words.
pub fn text() -> impl FnMut() -> usize {
    let parts = parts();
    move || {
        let mut length = 0;
        for part in 0..parts {
            let text = format!("{part}: {}", black_box("a word and another"));
            length += text.replace("word", "sentence").len();
        }
        length
    }
}

/// Multiplies a matrix with a vector.
pub fn matrix() -> impl FnMut() -> f32 {
    const SIDE: usize = 64;
    let parts = parts();
    let matrix: Vec<f32> = numbers(SIDE * SIDE).iter().map(|number| *number as f32).collect();
    let mut vector = vec![1.0_f32; SIDE];
    move || {
        for _ in 0..parts {
            let product: Vec<f32> = matrix
                .chunks_exact(SIDE)
                .map(|row| row.iter().zip(&vector).map(|(a, b)| a * b).sum::<f32>().clamp(-1.0, 1.0))
                .collect();
            vector.copy_from_slice(&product);
        }
        vector[0]
    }
}

/// Branches as numbers without a pattern say.
pub fn branch() -> impl FnMut() -> u64 {
    let (parts, numbers) = (parts(), numbers(4096));
    move || {
        let mut state = 1_u64;
        for part in 0..parts * 20 {
            let number = numbers[(part + state as usize) % 4096];
            if number & 1 == 0 {
                state = state.rotate_left(3) ^ number;
            } else if number & 2 == 0 {
                state = state.wrapping_mul(3);
            } else {
                state = black_box(state) + 1;
            }
        }
        state
    }
}
