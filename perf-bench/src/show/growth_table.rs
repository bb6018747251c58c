//! What is shown of how benchmarks grow with the size of their `args`: a table, with a row for each of which something can be said, and JSON.

use std::fmt::Write as _;

use perf_runtime::show::names::shorten;
use perf_runtime::show::table::{Cell, Column, Page, Table, Tone};
use perf_runtime::show::units::count;
use perf_runtime::snapshot::Name;

use crate::judge::{Class, Complexity, Cost, FEWEST, Fit, Growth, JUDGED_RANGE};
use crate::run::outcome::Outcome;
use crate::show::table::NEEDS_ALLOC;

/// The table, ending in a newline; empty where there is nothing to show.
#[inline]
pub(crate) fn table(all: &[(&Outcome, Complexity)], page: Page) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut columns = vec![Column::name("benchmark")];
    let counted = all.iter().any(|(_, complexity)| complexity.cost != Cost::Time);
    if counted {
        columns.push(Column::text("of", 8));
    }
    columns.extend([
        Column::number("sizes", 2),
        Column::text("fits", 10),
        Column::number("R²", 3),
        Column::text("declared", 9),
        Column::text("verdict", 10),
    ]);
    let mut table = Table::new("Complexity", columns);
    let names: Vec<Name> = all.iter().map(|(outcome, _)| name_of(outcome)).collect();
    let names = shorten(&mut names.iter());
    let (mut too_close, mut not_counted) = (false, false);
    for ((_, complexity), name) in all.iter().zip(names) {
        let Complexity { cost, fit, declared, growth, .. } = complexity;
        let sizes = match complexity.ends() {
            Some((first, last)) => format!("{} … {}", count(first), count(last)).into(),
            None => Cell::none(),
        };
        let mut cells: Vec<Cell> = vec![name.into()];
        if counted {
            cells.push(cost.name().into());
        }
        cells.extend([
            sizes,
            match fit {
                Ok(fit) => fit.name().into(),
                // The verdict says it.
                Err(_) if *growth == Growth::NotCounted => Cell::none(),
                Err(unknown) => Cell::toned(format!("cannot tell: {unknown}"), Tone::Faint),
            },
            fit.ok().and_then(|fit: Fit| fit.r2).map_or_else(Cell::none, |r2| format!("{r2:.3}").into()),
            declared.map_or_else(Cell::none, |declared| declared.to_string().into()),
            match growth {
                Growth::NotDeclared => Cell::none(),
                Growth::Within => Cell::toned("kept", Tone::Good),
                Growth::Worse { .. } => Cell::toned("WORSE", Tone::Bad),
                Growth::TooClose | Growth::NotCounted => Cell::toned("not judged", Tone::Warning),
            },
        ]);
        table.row(cells);
        too_close |= *growth == Growth::TooClose;
        not_counted |= *growth == Growth::NotCounted;
    }
    if too_close {
        table.note(format!(
            "not judged: a declared class is judged of {FEWEST} sizes or more from 2 on, the largest of them {JUDGED_RANGE} times the smallest or more (of 2ⁿ, those)"
        ));
    }
    if not_counted {
        table.note(format!("not judged: `memory_complexity` needs one thread, {NEEDS_ALLOC}"));
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
    let Complexity { cost, points, fit, declared, growth } = complexity;
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
        Growth::TooClose | Growth::NotCounted => "not judged",
    };
    let r2 = fit.and_then(|fit| fit.r2).map_or_else(|| String::from("null"), |r2| format!("{r2:.4}"));
    format!(
        "{{ \"of\": \"{}\", \"fits\": {}, \"or\": {}, \"r2\": {r2}, \"declared\": {}, \"verdict\": \"{verdict}\", \"points\": [{pairs}] }}",
        cost.name(),
        class(fit.map(|fit| fit.class)),
        class(fit.and_then(|fit| fit.or)),
        class(*declared)
    )
}
