//! When to show.
