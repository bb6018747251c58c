//! Ctrl-C ends a run and keeps what was measured: the benchmark that runs is given up with the samples so far, and the table is printed.
//!
//! The signal's handler may do next to nothing, so it writes a byte into a pipe, which a thread reads that tells who waits. A second Ctrl-C ends the process as it would
//! without any of this. Only programs of `bench_main!` listen: under libtest the signal is not ours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Thread;

use crate::run::own_thread;

static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The thread that waits for a benchmark to end.
static WAITS: Mutex<Option<Thread>> = Mutex::new(None);

/// Whether the run is to end.
#[inline]
pub(crate) fn is_interrupted() -> bool {
    IS_INTERRUPTED.load(Ordering::Acquire)
}

/// The calling thread is to be woken, too.
#[inline]
pub(crate) fn this_thread_waits() {
    *WAITS.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current());
}

#[cfg(not(unix))]
#[inline]
pub(crate) fn listen() {}

/// From now on Ctrl-C is listened to. Where that cannot be, it ends the process as always.
#[cfg(unix)]
#[inline]
pub(crate) fn listen() {
    use std::io::Read;
    use std::os::fd::IntoRawFd;
    use std::sync::atomic::AtomicI32;

    static PIPE: AtomicI32 = AtomicI32::new(-1);

    #[inline]
    extern "C" fn on_signal(_: libc::c_int) {
        let pipe = PIPE.load(Ordering::Relaxed);
        // SAFETY: `write` may be called in a handler; the descriptor is never closed, and the byte is there.
        let _ = unsafe { libc::write(pipe, [1_u8].as_ptr().cast(), 1) };
    }

    let Ok((mut reader, writer)) = std::io::pipe() else { return };
    PIPE.store(writer.into_raw_fd(), Ordering::Relaxed);
    let listen = Box::new(move || {
        if reader.read(&mut [0]).is_ok_and(|bytes| bytes > 0) {
            IS_INTERRUPTED.store(true, Ordering::Release);
            if let Some(waits) = &*WAITS.lock().unwrap_or_else(PoisonError::into_inner) {
                waits.unpark();
            }
        }
    });
    if own_thread::begin("perfkit-interrupt", own_thread::LITTLE_STACK, listen).is_err() {
        return;
    }
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: all zeros are a valid `sigaction`, of which the two fields that matter are set.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    // The next one ends the process.
    action.sa_flags = libc::SA_RESETHAND | libc::SA_RESTART;
    // SAFETY: the action is valid, and nobody asks for the one before.
    unsafe { libc::sigaction(libc::SIGINT, &raw const action, core::ptr::null_mut()) };
}
