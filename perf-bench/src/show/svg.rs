//! The same chart as an SVG file, for a page or a report.
//!
//! From points to text, and that to a file. What a name has in it must never end an element.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use perf_runtime::show::units::count;

use crate::judge::{Complexity, Cost};
use crate::run::outcome::Outcome;
use crate::show::chart::Area;

/// The left and upper end of the plot in the picture of 640 × 400.
const CORNER: (f64, f64) = (80.0, 50.0);
const WIDTH: f64 = 530.0;
const HEIGHT: f64 = 290.0;
/// Places at which the line is looked up: on these axes 2ⁿ is a curve.
const STEPS: u32 = 60;

/// The chart of the benchmark `name`; `None` of fewer than two sizes.
#[inline]
pub(crate) fn svg(name: &str, complexity: &Complexity) -> Option<String> {
    let Complexity { cost, points, fit, .. } = complexity;
    let area = Area::of(points)?;
    let place = |size: f64, cost: f64| {
        let (right, up) = area.place(size, cost);
        (CORNER.0 + right * WIDTH, CORNER.1 + (1.0 - up) * HEIGHT)
    };
    let (left, top, bottom) = (CORNER.0, CORNER.1, CORNER.1 + HEIGHT);
    let mut body = String::new();
    let title = match fit {
        Ok(fit) => format!("{name}: {}", fit.name()),
        Err(_) => name.to_owned(),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(body, r#"<text x="{left}" y="30" font-size="15">{}</text>"#, escaped(&title));
    let (least, most) = area.costs();
    for tick in ticks(cost.step(), least, most) {
        let y = place(1.0, tick).1;
        let _ = writeln!(
            body,
            r##"<path d="M{left} {y:.1}h{WIDTH}" stroke="#ddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"##,
            left - 8.0,
            y + 4.0,
            cost.show(tick)
        );
    }
    for point in points {
        let x = place(point.size as f64, 1.0).0;
        let _ = writeln!(
            body,
            r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            bottom + 20.0,
            count(point.size)
        );
    }
    let _ = writeln!(body, r##"<path d="M{left} {top}v{HEIGHT}h{WIDTH}" fill="none" stroke="#888"/>"##);
    if let Ok(fit) = fit {
        let mut line = String::new();
        for step in 0..=STEPS {
            let size = area.size(f64::from(step) / f64::from(STEPS)).max(2.0);
            let (x, y) = place(size, fit.cost(size));
            let _ = write!(line, "{x:.1},{:.1} ", y.clamp(top, bottom));
        }
        let _ = writeln!(
            body,
            r##"<polyline points="{}" fill="none" stroke="#4878a8" stroke-width="2"/>"##,
            line.trim_end()
        );
    }
    for point in points {
        let (x, y) = place(point.size as f64, point.cost);
        let _ = writeln!(
            body,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="#c04030"><title>{}: {}</title></circle>"##,
            count(point.size),
            cost.show(point.cost)
        );
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 400\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"640\" height=\"400\" fill=\"#fff\"/>\n{body}\
         <text x=\"{:.1}\" y=\"390\" text-anchor=\"middle\">size; least {} of a call, both logarithmic</text>\n</svg>\n",
        left + WIDTH / 2.0,
        cost.name()
    ))
}

/// A file for each benchmark, named as it is, and one for its memory.
#[inline]
pub(crate) fn write(grown: &[(&Outcome, Complexity)], directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut taken: Vec<String> = Vec::new();
    for (outcome, complexity) in grown {
        let name = &*outcome.case.series;
        let Some(text) = svg(name, complexity) else { continue };
        let mut file = String::new();
        for character in name.chars() {
            match character {
                // A path is read as such: `a::b` is `a.b`.
                ':' if file.ends_with('.') => {}
                ':' => file.push('.'),
                '_' | '-' | '.' => file.push(character),
                _ => file.push(if character.is_alphanumeric() { character } else { '_' }),
            }
        }
        if complexity.cost == Cost::Memory {
            file.push_str(".memory");
        }
        while taken.contains(&file) {
            file.push('_');
        }
        fs::write(directory.join(format!("{file}.svg")), text)?;
        taken.push(file);
    }
    Ok(())
}

/// The powers of `step` from the least to the most, and those two where there are fewer.
#[inline]
fn ticks(step: f64, least: f64, most: f64) -> Vec<f64> {
    let mut powers = Vec::new();
    for power in -1..=18 {
        let power = step.powi(power);
        if least <= power && power <= most {
            powers.push(power);
        }
    }
    if powers.len() < 2 { vec![least, most] } else { powers }
}

#[inline]
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // XML has no place for most of them, escaped or not.
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Class, Point, judge_complexity};

    #[test]
    fn an_xml_parser_reads_it() {
        let points = [(8, 10.0), (64, 85.0), (512, 640.0), (4_096, 5_100.0)];
        let points = points.map(|(size, cost)| Point { size, cost });
        let complexity = judge_complexity(Cost::Time, &points, Some(Class::Linear));
        let text = svg("<T as \"Trait\">::f & \u{1}g", &complexity).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let all = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((all("circle"), all("polyline"), all("title")), (4, 1, 4));
        let title = document.descendants().find_map(|node| node.text().filter(|text| text.contains("Trait")));
        assert_eq!(title, Some("<T as \"Trait\">::f & \u{fffd}g: O(n)"));
        // All of it is in the picture.
        for circle in document.descendants().filter(|node| node.has_tag_name("circle")) {
            let at = |name| circle.attribute(name).unwrap().parse::<f64>().unwrap();
            assert!((80.0..=610.0).contains(&at("cx")) && (50.0..=340.0).contains(&at("cy")));
        }
    }

    #[test]
    fn of_no_class_and_of_no_line() {
        let few = [(8, 10.0), (64, 85.0)].map(|(size, cost)| Point { size, cost });
        let text = svg("few", &judge_complexity(Cost::Time, &few, None)).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        assert!(document.descendants().all(|node| !node.has_tag_name("polyline")));
        assert_eq!(svg("one", &judge_complexity(Cost::Time, &few[..1], None)), None);
    }
}
