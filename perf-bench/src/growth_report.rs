//! What is shown of how benchmarks grow with the size of their `args`: a table, with a row for each of which something can be said, and JSON.

use std::fmt::Write as _;

use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units::count;
use perf_runtime::snapshot::Name;

use crate::judge::{Class, Complexity, FEWEST, Fit, Growth, JUDGED_RANGE};
use crate::run::Outcome;

/// The table, ending in a newline; empty where there is nothing to show.
#[inline]
pub(crate) fn table(all: &[(&Outcome, Complexity)], page: Page) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut table = Table::new(
        "Complexity",
        vec![
            Column::name("benchmark"),
            Column::number("sizes", 2),
            Column::text("fits", 10),
            Column::number("R²", 3),
            Column::text("declared", 9),
            Column::text("verdict", 10),
        ],
    );
    let names: Vec<Name> = all.iter().map(|(outcome, _)| name_of(outcome)).collect();
    let names = shorten(&mut names.iter());
    let mut too_close = false;
    for ((_, complexity), name) in all.iter().zip(names) {
        let Complexity { fit, declared, growth, .. } = complexity;
        let sizes = match complexity.ends() {
            Some((first, last)) => format!("{} … {}", count(first), count(last)).into(),
            None => Cell::none(),
        };
        table.row(vec![
            name.into(),
            sizes,
            fit.map_or_else(
                |unknown| Cell::toned(format!("cannot tell: {unknown}"), Tone::Faint),
                |fit| fit.name().into(),
            ),
            fit.ok().and_then(|fit: Fit| fit.r2).map_or_else(Cell::none, |r2| format!("{r2:.3}").into()),
            declared.map_or_else(Cell::none, |declared| declared.to_string().into()),
            match growth {
                Growth::NotDeclared => Cell::none(),
                Growth::Within => Cell::toned("kept", Tone::Good),
                Growth::Worse { .. } => Cell::toned("WORSE", Tone::Bad),
                Growth::TooClose => Cell::toned("not judged", Tone::Warning),
            },
        ]);
        too_close |= *growth == Growth::TooClose;
    }
    if too_close {
        table.note(format!(
            "not judged: `complexity` is judged of {FEWEST} sizes or more from 2 on, the largest of them {JUDGED_RANGE} times the smallest or more (of 2ⁿ, those)"
        ));
    }
    table.render(page)
}

/// What its cases are called together, whichever of them tells it.
#[inline]
fn name_of(outcome: &Outcome) -> Name {
    outcome.case.entry.label_or_path(outcome.case.series.to_string())
}

/// An object.
#[inline]
pub(crate) fn json(complexity: &Complexity) -> String {
    let Complexity { points, fit, declared, growth, .. } = complexity;
    let mut pairs = String::new();
    for point in points {
        let comma = if pairs.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(pairs, "{comma}[{}, {:.3}]", point.size, point.cost);
    }
    let fit = fit.ok();
    let class =
        |class: Option<Class>| class.map_or_else(|| String::from("null"), |class| format!("\"{class}\""));
    let verdict = match growth {
        Growth::NotDeclared => "not declared",
        Growth::Within => "kept",
        Growth::Worse { .. } => "worse",
        Growth::TooClose => "not judged",
    };
    let r2 = fit.and_then(|fit| fit.r2).map_or_else(|| String::from("null"), |r2| format!("{r2:.4}"));
    format!(
        "{{ \"fits\": {}, \"or\": {}, \"r2\": {r2}, \"declared\": {}, \"verdict\": \"{verdict}\", \"points\": [{pairs}] }}",
        class(fit.map(|fit| fit.class)),
        class(fit.and_then(|fit| fit.or)),
        class(*declared)
    )
}
