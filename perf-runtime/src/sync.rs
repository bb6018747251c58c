//! The synchronisation primitives of the whole crate, named once.
//!
//! Everything else imports them from here, so that a model checker can be put in their place by changing one file.

pub(crate) use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub(crate) use parking_lot::{Condvar, Mutex};
