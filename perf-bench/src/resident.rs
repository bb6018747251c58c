//! How much memory the system says that this process takes (RSS), where the program's own allocator tells nothing.
//!
//! Linux tells it in pages, cheaply enough to ask after each sample; elsewhere nobody is asked. Must never fail: what cannot be read is not known.

/// Bytes; `None` where it is not known.
#[cfg(target_os = "linux")]
#[inline]
pub(crate) fn bytes() -> Option<u64> {
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::sync::OnceLock;

    // Opened once, and read again from its start: the kernel then writes it anew.
    static SIZES: OnceLock<Option<(File, u64)>> = OnceLock::new();
    let (file, page) = SIZES
        .get_or_init(|| {
            // SAFETY: it only reads a number.
            let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            Some((File::open("/proc/self/statm").ok()?, u64::try_from(page).ok()?))
        })
        .as_ref()?;
    let mut text = [0; 96];
    let length = file.read_at(&mut text, 0).ok()?;
    Some(second_number(text.get(..length)?)? * page)
}

#[cfg(not(target_os = "linux"))]
#[inline]
pub(crate) fn bytes() -> Option<u64> {
    None
}

/// Of "all pages, those in memory, …".
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
    fn a_process_takes_some_megabytes() {
        assert_eq!(second_number(b"4861 1290 1061 11 0 1283 0\n"), Some(1290));
        assert_eq!((second_number(b""), second_number(b"1 x")), (None, None));
        let bytes = bytes().expect("Linux tells");
        assert!((100_000..1 << 40).contains(&bytes), "{bytes}");
    }
}
