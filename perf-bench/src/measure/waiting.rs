//! How long this thread was ready to run and had no processor, because others had them.
//!
//! On a busy machine a long call takes as long as it waits, and that says nothing about the code. Linux counts the waiting of each thread; elsewhere
//! nobody does, and it is taken to be none. Must never fail: what cannot be read is no waiting.

/// Nanoseconds since the thread began.
#[cfg(target_os = "linux")]
#[inline]
pub(crate) fn so_far() -> u64 {
    use std::fs::File;

    // Of "time on a processor, time waiting for one, times put on one".
    thread_local!(static COUNTS: Option<File> = File::open("/proc/thread-self/schedstat").ok());
    let read = |file: &Option<File>| crate::measure::proc_file::second_number(file.as_ref()?);
    COUNTS.try_with(read).ok().flatten().unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
#[inline]
pub(crate) fn so_far() -> u64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn it_never_runs_backwards() {
        let before = so_far();
        std::thread::yield_now();
        assert!(so_far() >= before);
    }
}
