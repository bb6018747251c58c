//! A fence of which one side pays everything: readers nothing, whoever takes something out of their way a system call.
//!
//! A reader must be seen to read before it reads, which takes a full fence, a quarter of a hit. Linux can instead make all threads of the process
//! pass a fence when it is asked to (`membarrier(2)`; M. Desnoyers and others, "User-Level Implementations of Read-Copy
//! Update", IEEE TPDS 2012, is built on it). That takes a microsecond, so it is for what happens seldom.

#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
mod linux {
    use std::sync::OnceLock;

    /// Of `linux/membarrier.h`.
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn ask(command: libc::c_int) -> bool {
        // SAFETY: it takes three numbers and touches no memory.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    pub(in super::super) fn is_there() -> bool {
        static IS_THERE: OnceLock<bool> = OnceLock::new();
        *IS_THERE.get_or_init(|| ask(REGISTER_PRIVATE_EXPEDITED) && ask(PRIVATE_EXPEDITED))
    }

    pub(in super::super) fn heavy() -> bool {
        ask(PRIVATE_EXPEDITED)
    }
}

#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
mod elsewhere {
    pub(in super::super) const fn is_there() -> bool {
        false
    }

    pub(in super::super) const fn heavy() -> bool {
        false
    }
}

#[cfg(not(all(target_os = "linux", not(any(miri, shuttle)))))]
pub(super) use elsewhere::{heavy, is_there};
/// Whether threads can be made to pass a fence: then they need not do so by themselves. And: they do so now; whether that was done.
#[cfg(all(target_os = "linux", not(any(miri, shuttle))))]
pub(super) use linux::{heavy, is_there};
