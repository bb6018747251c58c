//! The time-stamp counter of x86-64, and the question whether it may be used as a clock.
//!
//! It may where the processor says that it runs at one rate in every power state (CPUID `8000_0007h`, EDX bit 8) and, on Linux,
//! where the kernel keeps its own time with it: the kernel has then checked that all cores agree.
//!
//! Plain `rdtsc` without a fence, which would double its cost. A few instructions slip past a reading, from a caller's time into its callee's or
//! back. The same code does the same each time, so that this adds up and does not cancel out: two functions together have the right time, but what each
//! has of it may be wrong where a call is as short as the slip. How wrong is in the documentation of `#[profiled]`.

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod imp {
    use core::arch::x86_64::{__cpuid, _rdtsc};

    #[inline]
    pub(in super::super) fn read() -> u64 {
        // SAFETY: `rdtsc` touches no memory, and exists on every x86-64 processor.
        unsafe { _rdtsc() }
    }

    pub(in super::super) fn is_trustworthy() -> bool {
        const POWER_MANAGEMENT: u32 = 0x8000_0007;
        #[allow(unused_unsafe, reason = "safe since Rust 1.92")]
        // SAFETY: `cpuid` exists on every x86-64 processor and touches no memory.
        let invariant = unsafe {
            __cpuid(0x8000_0000).eax >= POWER_MANAGEMENT && __cpuid(POWER_MANAGEMENT).edx & (1 << 8) != 0
        };
        invariant && kernel_trusts_it()
    }

    #[cfg(target_os = "linux")]
    fn kernel_trusts_it() -> bool {
        std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .is_ok_and(|source| source.trim() == "tsc")
    }

    #[cfg(not(target_os = "linux"))]
    fn kernel_trusts_it() -> bool {
        true
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
mod imp {
    pub(in super::super) fn read() -> u64 {
        0
    }

    pub(in super::super) fn is_trustworthy() -> bool {
        false
    }
}

pub(super) use imp::{is_trustworthy, read};
