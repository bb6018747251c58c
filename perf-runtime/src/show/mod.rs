//! From a [`Report`](crate::snapshot::Report) to text: pure functions, one file a format, none knows another.
//!
//! Nothing here reads a clock, an environment variable or a terminal; who calls it says how wide and how colourful.

mod json;
pub mod names;
mod pstats;
mod report;
pub mod table;
pub mod units;

pub use json::{json_string, to_json};
pub use pstats::to_pstats;
pub use report::{AllRows, tables};
