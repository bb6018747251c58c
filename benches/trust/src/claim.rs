//! What is claimed, what was counted, and what others got where they can be asked the same.

use core::fmt;

/// How often to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Just often enough to show that it works; what is claimed is not decided.
    Quick,
    /// As often as the claim says.
    Full,
}

/// One line of the output.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// "a true slowdown of 5 %: found".
    pub(crate) what: String,
    /// "at least 95 %".
    pub(crate) wanted: String,
    /// "97 of 100 runs".
    pub(crate) counted: String,
    pub(crate) holds: bool,
    /// The same of other harnesses: name and count.
    pub(crate) others: Vec<(String, String)>,
}

impl Claim {
    /// Of a section that came to nothing, which keeps no claim.
    pub(crate) fn of_nothing(error: String) -> Self {
        Claim {
            what: String::from("the programs can be built and run"),
            wanted: String::from("yes"),
            counted: error,
            holds: false,
            others: Vec::new(),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.holds { "holds " } else { "BROKEN" };
        write!(f, "  {mark}  {:<56} {:<16} {}", self.what, self.wanted, self.counted)?;
        for (name, counted) in &self.others {
            write!(f, "\n{:>66} {:<16} {counted}", "", name)?;
        }
        Ok(())
    }
}
