//! Algorithms whose class is known, as a user would declare them; and the same with a promise that they do not keep.

use perfkit::{bench_main, benchmark};
use perfkit_trust::work::numbers;

fn sorted(count: usize) -> Vec<u64> {
    let mut numbers = numbers(count);
    numbers.sort_unstable();
    numbers
}

const WIDE: [usize; 7] = [8, 32, 128, 512, 2_048, 8_192, 32_768];
const NARROW: [usize; 5] = [8, 32, 128, 512, 2_048];
const MATRIX: [usize; 7] = [2, 4, 8, 16, 32, 64, 128];
const SETS: [usize; 7] = [6, 8, 10, 12, 14, 16, 18];

#[benchmark(args = WIDE, setup = numbers, complexity = "O(1)")]
fn constant_lookup(numbers: &[u64]) -> u64 {
    numbers[numbers.len() / 2]
}

#[benchmark(args = WIDE, setup = sorted, complexity = "O(log n)")]
fn binary_search(numbers: &[u64]) -> usize {
    numbers.binary_search(&std::hint::black_box(1 << 62)).unwrap_or_else(|place| place)
}

fn scan(numbers: &[u64]) -> Option<usize> {
    numbers.iter().position(|number| *number == std::hint::black_box(1))
}

#[benchmark(args = WIDE, setup = numbers, complexity = "O(n)")]
fn linear_scan(numbers: &[u64]) -> Option<usize> {
    scan(numbers)
}

#[benchmark(args = WIDE, setup = numbers, complexity = "O(n log n)")]
fn sort(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

fn pairs(numbers: &[u64]) -> usize {
    let pairs = numbers.iter().enumerate().flat_map(|(at, a)| numbers[..at].iter().map(move |b| a ^ b));
    pairs.filter(|both| both & 1 == 0).count()
}

#[benchmark(args = NARROW, setup = numbers, complexity = "O(n^2)")]
fn all_pairs(numbers: &[u64]) -> usize {
    pairs(numbers)
}

/// Two square matrices, and how many rows they have.
struct Matrices(usize, Vec<f64>, Vec<f64>);

fn matrices(rows: usize) -> Matrices {
    let numbers: Vec<f64> = numbers(rows * rows).into_iter().map(|number| number as f64).collect();
    Matrices(rows, numbers.clone(), numbers)
}

fn product(Matrices(rows, left, right): &Matrices) -> Vec<f64> {
    let mut product = Vec::with_capacity(rows * rows);
    for row in 0..*rows {
        for column in 0..*rows {
            product.push((0..*rows).map(|k| left[row * rows + k] * right[k * rows + column]).sum());
        }
    }
    product
}

#[benchmark(args = MATRIX, setup = matrices, complexity = "O(n^3)")]
fn matrix_product(both: &Matrices) -> Vec<f64> {
    product(both)
}

/// Of all subsets, those whose sum is a multiple of eight.
fn subsets(numbers: &[u64], sum: u64) -> u64 {
    match numbers.split_first() {
        None => u64::from(sum.is_multiple_of(8)),
        Some((first, rest)) => subsets(rest, sum) + subsets(rest, sum.wrapping_add(*first)),
    }
}

#[benchmark(args = SETS, setup = numbers, complexity = "O(2^n)")]
fn subset_enumeration(numbers: &[u64]) -> u64 {
    subsets(numbers, 0)
}

mod broken {
    use super::{MATRIX, Matrices, NARROW, SETS, WIDE, benchmark, numbers, pairs, product, scan, subsets};

    #[benchmark(args = WIDE, setup = numbers, complexity = "O(log n)")]
    fn linear_scan(numbers: &[u64]) -> Option<usize> {
        scan(numbers)
    }

    #[benchmark(args = NARROW, setup = numbers, complexity = "O(n)")]
    fn all_pairs(numbers: &[u64]) -> usize {
        pairs(numbers)
    }

    #[benchmark(args = MATRIX, setup = super::matrices, complexity = "O(n^2)")]
    fn matrix_product(both: &Matrices) -> Vec<f64> {
        product(both)
    }

    #[benchmark(args = SETS, setup = numbers, complexity = "O(n^3)")]
    fn subset_enumeration(numbers: &[u64]) -> u64 {
        subsets(numbers, 0)
    }
}

bench_main!();
