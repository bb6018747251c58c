//! From outcomes to text: pure, and each form by itself.
//!
//! | file | what |
//! |---|---|
//! | `table`, `growth_table` | the tables of a run |
//! | `chart`, `svg` | times and memory over sizes, drawn for a terminal and for a page |

pub(crate) mod chart;
pub(crate) mod growth_table;
pub(crate) mod svg;
pub(crate) mod table;
