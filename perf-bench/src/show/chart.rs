//! Times, or memory, over sizes as a chart of characters: the points, and the class that fits, on logarithmic axes, where a power is a straight line.
//!
//! Pure: from points to text. What is drawn over it is never hidden: a point wins over the line.

use std::fmt::Write as _;

use perf_runtime::show::units::count;

use crate::judge::{Complexity, Point};

/// Characters from left to right, the axis apart.
const COLUMNS: usize = 60;
/// Lines from top to bottom, the axis apart.
const ROWS: usize = 15;

/// The area that is drawn, by the logarithms of sizes and costs: what both kinds of chart have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    sizes: (f64, f64),
    costs: (f64, f64),
}

impl Area {
    /// From the least to the most of the points; `None` of fewer than two sizes, which are no line.
    #[inline]
    pub(crate) fn of(points: &[Point]) -> Option<Self> {
        let (first, last) = (points.first()?.size as f64, points.last()?.size as f64);
        if first >= last {
            return None;
        }
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for point in points {
            let ln = visible(point.cost).ln();
            (low, high) = (low.min(ln), high.max(ln));
        }
        // What stays within a factor of 2 is flat, and is to look so.
        let wider = ((core::f64::consts::LN_2 - (high - low)) / 2.0).max(0.0);
        Some(Area { sizes: (visible(first).ln(), visible(last).ln()), costs: (low - wider, high + wider) })
    }

    /// How far to the right and how far up, from 0 to 1 where it is within.
    #[inline]
    pub(crate) fn place(&self, size: f64, cost: f64) -> (f64, f64) {
        let share = |value: f64, (from, to): (f64, f64)| (visible(value).ln() - from) / (to - from);
        (share(size, self.sizes), share(cost, self.costs))
    }

    /// The size that is so far to the right.
    #[inline]
    pub(crate) fn size(&self, right: f64) -> f64 {
        (self.sizes.0 + right * (self.sizes.1 - self.sizes.0)).exp()
    }

    /// The least and the most cost.
    #[inline]
    pub(crate) fn costs(&self) -> (f64, f64) {
        (self.costs.0.exp(), self.costs.1.exp())
    }
}

/// Nothing has no logarithm.
#[inline]
fn visible(value: f64) -> f64 {
    value.max(0.3)
}

/// The chart, ending in a newline; empty of fewer than two sizes.
#[inline]
pub(crate) fn text(complexity: &Complexity) -> String {
    let Complexity { cost, points, fit, .. } = complexity;
    let Some(area) = Area::of(points) else { return String::new() };
    let mut rows = vec![[' '; COLUMNS]; ROWS];
    let mut draw = |(right, up): (f64, f64), sign: char| {
        let row = ((1.0 - up) * (ROWS - 1) as f64).round();
        let column = (right * (COLUMNS - 1) as f64).round();
        if row >= 0.0
            && column >= 0.0
            && let Some(cell) = rows.get_mut(row as usize).and_then(|row| row.get_mut(column as usize))
        {
            *cell = sign;
        }
    };
    if let Ok(fit) = fit {
        // From 2 on, which is where classes begin.
        for column in 0..COLUMNS {
            let size = area.size(column as f64 / (COLUMNS - 1) as f64).max(2.0);
            draw(area.place(size, fit.cost(size)), '.');
        }
    }
    for point in points {
        draw(area.place(point.size as f64, point.cost), 'o');
    }
    let (least, most) = area.costs();
    let labels = [cost.show(most), cost.show(least)];
    let width = labels[0].chars().count().max(labels[1].chars().count());
    let mut chart = String::new();
    for (index, row) in rows.iter().enumerate() {
        let label = match index {
            0 => &labels[0],
            _ if index == ROWS - 1 => &labels[1],
            _ => "",
        };
        let row: String = row.iter().collect();
        chart.push_str(format!("{label:>width$} │{row}").trim_end());
        chart.push('\n');
    }
    let (from, to) = complexity.ends().unwrap_or_default();
    let (from, to) = (count(from), count(to));
    let gap = COLUMNS.saturating_sub(from.len() + to.len());
    let line = fit.map_or_else(|_| String::new(), |fit| format!(", . {}", fit.class));
    let axis = "─".repeat(COLUMNS);
    // Writing to a string cannot fail.
    let _ = writeln!(chart, "{:width$} └{axis}", "");
    let _ = writeln!(chart, "{:width$}  {from}{:gap$}{to}", "", "");
    let _ = writeln!(
        chart,
        "{:width$}  o least {} of a call over the size, both logarithmic{line}",
        "",
        cost.name()
    );
    chart
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Class, Cost, judge_complexity};

    fn chart(points: &[(u64, f64)]) -> String {
        let points: Vec<Point> =
            points.iter().map(|(size, cost)| Point { size: *size, cost: *cost }).collect();
        text(&judge_complexity(Cost::Time, &points, Some(Class::Linear)))
    }

    #[test]
    fn a_line_and_its_points() {
        let expected = "\
2.00 µs │                                                         ..o
        │                                                     ....
        │                                                 ....
        │                                             ....
        │                                         ....
        │                                    ...o.
        │                                ....
        │                            ....
        │                        ....
        │                   .o...
        │               ....
        │           ....
        │       ....
        │   ....
2.00 ns │o..
        └────────────────────────────────────────────────────────────
         8                                                      8 000
         o least time of a call over the size, both logarithmic, . O(n)
";
        let drawn = chart(&[(8, 2.0), (80, 20.0), (800, 200.0), (8_000, 2_000.0)]);
        assert_eq!(drawn, expected, "\n{drawn}");
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        assert_eq!(chart(&[(8, 2.0)]), "");
        assert_eq!(chart(&[]), "");
        // Of nothing, and of no class.
        let flat = chart(&[(0, 0.0), (1, 0.0)]);
        assert!(flat.contains('o') && !flat.contains(", ."), "{flat}");
        // What is flat looks so.
        let constant = chart(&[(10, 5.0), (100, 5.1), (1_000, 4.9), (10_000, 5.0)]);
        assert_eq!(
            constant.lines().filter(|line| line.contains('│') && line.contains('o')).count(),
            1,
            "{constant}"
        );
    }
}
