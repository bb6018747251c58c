//! How long this thread was ready to run and had no processor, because others had them.
//!
//! On a busy machine a long call takes as long as it waits, and that says nothing about the code. Linux counts the waiting of each thread; elsewhere
//! nobody does, and it is taken to be none. Must never fail: what cannot be read is no waiting.

/// Nanoseconds since the thread began.
#[cfg(target_os = "linux")]
#[inline]
pub(crate) fn so_far() -> u64 {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    // Opened once for each thread, and read again from its start: the kernel then writes it anew.
    thread_local!(static COUNTS: Option<File> = File::open("/proc/thread-self/schedstat").ok());
    let read = |file: &Option<File>| {
        let mut text = [0; 96];
        let length = file.as_ref()?.read_at(&mut text, 0).ok()?;
        second_number(text.get(..length)?)
    };
    COUNTS.try_with(read).ok().flatten().unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
#[inline]
pub(crate) fn so_far() -> u64 {
    0
}

/// Of "time on a processor, time waiting for one, times put on one".
#[cfg(target_os = "linux")]
#[inline]
fn second_number(line: &[u8]) -> Option<u64> {
    core::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    #[inline]
    fn the_second_number_counts() {
        assert_eq!(second_number(b"12345 678 9\n"), Some(678));
        assert_eq!((second_number(b""), second_number(b"1 x 2"), second_number(b"1")), (None, None, None));
    }

    #[test]
    #[inline]
    fn it_never_runs_backwards() {
        let before = so_far();
        std::thread::yield_now();
        assert!(so_far() >= before);
    }
}
