//! Reads `PERFKIT` at the first use of anything instrumented, and makes the reports that it asks for when the process ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use super::environment::{Request, VARIABLE};
use super::output::{Output, complain};
use super::report::report;
use crate::first_use::Listener;
use crate::profile;

/// What to do at the end, and in which process: a forked child has the handler too, but its parent's measurements.
struct AtExit {
    outputs: Vec<Output>,
    process: u32,
}

static AT_EXIT: OnceLock<AtExit> = OnceLock::new();

inventory::submit! { Listener(start) }

fn start() {
    let Some(value) = std::env::var_os(VARIABLE) else { return };
    let request = Request::parse(&value);
    for misunderstood in &request.misunderstood {
        complain(misunderstood);
    }
    if let Some(share) = request.budget {
        profile::set_budget(share);
    }
    if request.off {
        profile::switch_off();
    }
    if !request.outputs.is_empty() {
        let outputs = request.outputs.into_iter().map(Output::here).collect();
        let at_exit = AtExit { outputs, process: std::process::id() };
        if AT_EXIT.set(at_exit).is_ok() {
            register();
        }
    }
}

#[cfg(unix)]
fn register() {
    // SAFETY: `run` is a function of the type asked for, lives as long as the process, and lets no panic out.
    let result = unsafe { libc::atexit(run) };
    if result != 0 {
        complain(
            "the C library takes no more exit handlers, so there will be no report at the end of the process",
        );
    }
}

#[cfg(not(unix))]
fn register() {
    complain(format_args!(
        "{VARIABLE} makes no report at the end of a process on this system; use `perfkit::session()`"
    ));
}

#[cfg_attr(not(unix), allow(dead_code))]
extern "C" fn run() {
    let Some(at_exit) = AT_EXIT.get().filter(|at_exit| at_exit.process == std::process::id()) else { return };
    // A panic must not leave a C callback. What could panic here is a broken report, and the hook has said so by then.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let report = report();
        for output in &at_exit.outputs {
            if let Err(error) = output.write(&report) {
                complain(error);
            }
        }
    }));
}
