//! `cargo perfkit history`: each benchmark over commits, from the runs that `cargo bench` saved with perfkit's feature `bench`.
//!
//! What was saved and how it is drawn is `perf-bench`'s to know; here it is only found. A run that cannot be read is told of and must never keep the others from being shown.

use std::path::Path;

use perf_bench::results::{Store, history};
use perf_runtime::session::{complain, page_of_stdout};

use crate::options::History;
use crate::programs::Workspace;

/// The charts of all programs, ending in a newline.
pub(crate) fn charts(options: &History) -> Result<String, String> {
    let directory = match &options.results {
        Some(directory) => directory.clone(),
        None => Workspace::of(Path::new("."))?.target_directory().join("perfkit"),
    };
    let store = Store::at(&directory);
    let programs = store.programs().map_err(|error| error.to_string())?;
    let mut charts = String::new();
    for program in &programs {
        let (runs, errors) = store.newest(program, usize::MAX, &|_| true);
        for error in &errors {
            complain(error);
        }
        if !charts.is_empty() {
            charts.push('\n');
        }
        charts.push_str(&history(&runs, &options.filters, page_of_stdout()));
    }
    if programs.is_empty() {
        return Err(format!(
            "there are no runs in {}: `cargo bench` saves them where perfkit has its feature `bench` \
             (in Cargo.toml, under [dev-dependencies], perfkit = {{ …, features = [\"bench\"] }}); if they are elsewhere, say where with `--results`",
            directory.display()
        ));
    }
    Ok(charts)
}
