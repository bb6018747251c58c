//! Nothing here: the cases are in `ui/` and `ui_backend/`, one folder per attribute, and `tests/ui.rs` compiles them.
