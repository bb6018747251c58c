//! Files of Linux that are numbers in a line, opened once and read again from their start: the kernel then writes them anew.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// As the file has it now; `None` where that is no number.
#[inline]
pub(crate) fn second_number(file: &File) -> Option<u64> {
    let mut text = [0; 96];
    let length = file.read_at(&mut text, 0).ok()?;
    second_number_of(text.get(..length)?)
}

#[inline]
fn second_number_of(line: &[u8]) -> Option<u64> {
    core::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_counts() {
        assert_eq!(second_number_of(b"12345 678 9\n"), Some(678));
        assert_eq!(second_number_of(b"4861 1290 1061 11 0 1283 0\n"), Some(1290));
        for none in [&b""[..], b"1 x 2", b"1 x", b"1"] {
            assert_eq!(second_number_of(none), None);
        }
    }
}
