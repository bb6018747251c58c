//! What standard output and standard error are: a terminal of some width that shows colours, or not.

use std::env;
use std::io::{IsTerminal, stderr, stdout};

use crate::show::table::Page;

/// A page for standard error, now.
///
/// Colours are for terminals. `NO_COLOR` (set to anything but nothing) forbids them, `CLICOLOR_FORCE` (set to anything but nothing or `0`)
/// asks for them where the stream leads to a file or a pipe, too, and `TERM=dumb` has none. The width is the terminal's, or that of `COLUMNS` where
/// that is set; a file or a pipe is as wide as it takes.
#[must_use]
pub fn page_of_stderr() -> Page {
    page(stderr().is_terminal(), 2)
}

/// The same for standard output.
#[must_use]
pub fn page_of_stdout() -> Page {
    page(stdout().is_terminal(), 1)
}

fn page(terminal: bool, descriptor: i32) -> Page {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let dumb = set("TERM").is_some_and(|value| value == "dumb");
    let colour = set("NO_COLOR").is_none() && (forced || (terminal && !dumb));
    let columns = set("COLUMNS").and_then(|value| value.to_str()?.parse().ok()).filter(|width| *width > 0);
    Page { width: columns.or_else(|| if terminal { terminal_width(descriptor) } else { None }), colour }
}

#[cfg(unix)]
fn terminal_width(descriptor: i32) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call writes to `size`, which is of the type it asks for and outlives it, and to nothing else.
    let result = unsafe { libc::ioctl(descriptor, libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn terminal_width(_: i32) -> Option<usize> {
    None
}
