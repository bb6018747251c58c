//! What the programs that are measured here, and the program that counts, have in common.

pub mod ten;
pub mod work;
