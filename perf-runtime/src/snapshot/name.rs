//! What a row is called.
//!
//! Tables leave out the front of a path and nothing of a label, and nobody can tell the two apart by their letters: `db::users::load` may be
//! either. So a name knows which it is from the place that made it to the table that prints it.

use core::fmt;
use core::ops::Deref;
use std::borrow::Cow;

/// A name: a path as the compiler writes it, such as `app::parse::Lexer<_>::next`, or a label that somebody wrote, with
/// `name = "…"` or in `profile_block!`. It reads as a `str`.
///
/// ```
/// use perf_runtime::snapshot::Name;
///
/// let name = Name::label("GET /users");
/// assert!(name.is_label() && name.starts_with("GET"));
/// assert_eq!(name, "GET /users");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    text: Cow<'static, str>,
    label: bool,
}

impl Name {
    /// Crate, modules, type, trait and function.
    #[must_use]
    pub fn path(text: impl Into<Cow<'static, str>>) -> Self {
        Name { text: text.into(), label: false }
    }

    /// What somebody wrote.
    #[must_use]
    pub fn label(text: impl Into<Cow<'static, str>>) -> Self {
        Name { text: text.into(), label: true }
    }

    /// Whether it is to be shown as it is.
    #[must_use]
    pub const fn is_label(&self) -> bool {
        self.label
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, text: &str) -> bool {
        self.text == text
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, text: &&str) -> bool {
        self.text == *text
    }
}
