//! Sorting and joining, once: a sort is a thousand lines of machine code for every type that is sorted, and joining texts two thousand, all of which every
//! user's build would pay for.
//!
//! What is sorted are the numbers of the rows, so that there is one sort for rows of any type. It is stable. For lists that a person reads: each
//! comparison is a call.

use core::cmp::Ordering;

/// Sorts `rows` as `compare` says; those that it calls equal stay in their order.
///
/// ```
/// let mut words = vec!["three", "one", "two"];
/// perf_runtime::order::sort(&mut words, |a, b| a.len().cmp(&b.len()));
/// assert_eq!(words, ["one", "two", "three"]);
/// ```
pub fn sort<T>(rows: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut places = places(rows.len(), &mut |a, b| compare(&rows[a], &rows[b]));
    for place in 0..rows.len() {
        // What stands here goes where it belongs, and what stood there comes here, until the right one has come.
        while places[place] != place {
            let there = places[place];
            rows.swap(place, there);
            places.swap(place, there);
        }
    }
}

/// The numbers below `len` in the order that `compare` says.
pub(crate) fn sorted(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

/// Where each of the numbers below `len` stands when they are sorted.
fn places(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places = vec![0; len];
    for (place, number) in sorted(len, compare).into_iter().enumerate() {
        places[number] = place;
    }
    places
}

/// The texts, with the separator between every two.
pub(crate) fn join(texts: &mut dyn Iterator<Item = &str>, separator: &str) -> String {
    let mut joined = String::new();
    for (place, text) in texts.enumerate() {
        if place > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut random = 7_u32;
        for len in [0, 1, 2, 3, 10, 100, 1_000] {
            let mut rows: Vec<(u32, usize)> = (0..len)
                .map(|number| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (random >> 28, number)
                })
                .collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|row| row.0);
            sort(&mut rows, |a, b| a.0.cmp(&b.0));
            assert_eq!(rows, expected);
        }
    }
}
