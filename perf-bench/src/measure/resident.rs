//! How much memory the system says that this process takes (RSS), where the program's own allocator tells nothing.
//!
//! Linux tells it in pages, cheaply enough to ask after each sample; elsewhere nobody is asked. Must never fail: what cannot be read is not known.

/// Bytes; `None` where it is not known.
#[cfg(target_os = "linux")]
#[inline]
pub(crate) fn bytes() -> Option<u64> {
    use std::fs::File;
    use std::sync::OnceLock;

    // Of "all pages, those in memory, …".
    static SIZES: OnceLock<Option<(File, u64)>> = OnceLock::new();
    let (file, page) = SIZES
        .get_or_init(|| {
            // SAFETY: it only reads a number.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            Some((File::open("/proc/self/statm").ok()?, u64::try_from(page).ok()?))
        })
        .as_ref()?;
    Some(crate::measure::proc_file::second_number(file)? * page)
}

#[cfg(not(target_os = "linux"))]
#[inline]
pub(crate) fn bytes() -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_some_megabytes() {
        let bytes = bytes().expect("Linux tells");
        assert!((100_000..1 << 40).contains(&bytes), "{bytes}");
    }
}
