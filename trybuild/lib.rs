//! Nothing here: the cases are in `ui/`, one folder per attribute, and `tests/ui.rs` compiles them.
