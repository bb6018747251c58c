//! The profiler: a calling-context tree per thread, written by that thread alone and read by anyone at any time.
//!
//! A call costs two clock readings and a few plain stores: [`Frame::enter`] finds the child of the thread's current node for its
//! site (the child taken last time, in one comparison), and dropping the frame adds the duration to the node. Everything a
//! report shows is derived from the nodes when the report is made: self time is total time less the children's, inclusive time
//! counts the outermost frame of a recursion, as Python's `pstats` does.
//!
//! # Life cycle
//!
//! A thread gets a tree with its first frame. When it ends the tree goes to the next thread that starts, with all that it
//! holds, so that the memory is bounded by the threads that run at once and nothing is lost. Trees and nodes are never freed.
//! A tree takes at most [`MAX_NODES`] nodes; beyond that, new call paths are merged per function and the report says so: calls and self times stay exact, while
//! the total of a function that is merged below itself counts the inner call again.

mod body;
mod calibrate;
mod calls;
mod frame;
mod future;
mod histogram;
mod link;
mod memory;
mod recorder;
mod rows;
mod sampling;
mod threads;
mod tree;

pub use body::{Body, Outcome, boxed, once, value};
pub(crate) use frame::switch_off;
pub use frame::{Frame, ReturnsResult, call, pause, paused, resume};
pub use future::Profiled;
pub(crate) use memory::set_watched;
pub use memory::{allocated, freed, grown, shrunk};
pub use rows::{Mark, Rows, reset, rows, rows_since};
pub use sampling::set_budget;
pub use tree::MAX_NODES;
