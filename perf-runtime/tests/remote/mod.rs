//! What the tests of both servers have in common.
//!
//! A test whose server cannot be run fails: what is not tested is not known to work.

pub(crate) mod faults;
pub(crate) mod meaning;
pub(crate) mod server;
pub(crate) mod stampede;
pub(crate) mod subject;
