//! Rows whose names a regular expression matches: the third restriction of Python's `pstats`. With the feature `regex`.

use core::fmt;

use regex_lite::Regex;

use super::Report;

/// A pattern that is no regular expression.
#[derive(Clone, Debug)]
pub struct PatternError(regex_lite::Error);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no regular expression (in the syntax of the crate regex-lite): {}", self.0)
    }
}

impl std::error::Error for PatternError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl Report {
    /// Keeps the rows, of every kind, in whose name the regular expression matches somewhere.
    ///
    /// ```
    /// # use perf_runtime::session as perfkit;
    /// # fn main() -> Result<(), perf_runtime::snapshot::PatternError> {
    /// let mut report = perfkit::report();
    /// println!("{}", report.matching("^app::(parse|lex)::")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Where the pattern is none.
    pub fn matching(&mut self, pattern: &str) -> Result<&mut Self, PatternError> {
        let regex = Regex::new(pattern).map_err(PatternError)?;
        Ok(self.retain(|name| regex.is_match(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{FunctionRow, Name};

    #[test]
    fn a_pattern_keeps_what_it_matches() {
        let row = |name| FunctionRow { name: Name::path(name), ..FunctionRow::default() };
        let functions = vec![row("app::parse::number"), row("app::lex"), row("other::parse")];
        let mut report = Report { functions, ..Report::default() };
        report.matching("^app::.*e").unwrap();
        assert_eq!(report.functions.len(), 2);
        let error = report.matching("(").unwrap_err().to_string();
        assert!(error.starts_with("no regular expression"), "{error}");
        assert_eq!(report.functions.len(), 2);
    }
}
