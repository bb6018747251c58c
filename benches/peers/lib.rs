//! What the comparisons share; they themselves are in `benches/`.

pub mod traces;
