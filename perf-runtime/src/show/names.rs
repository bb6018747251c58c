//! Names short enough for a table: as few segments of each path as tell the rows apart.
//!
//! `app::parse::Lexer<app::Token>::next` is shown as `Lexer<Token>::next`, and `<app::Csv as app::Format>::read` as
//! `<Csv as Format>::read`, unless another row would then have the same name. A label is shown as somebody wrote it.

use tabled::grid::util::string::get_line_width;

use crate::order;
use crate::snapshot::Name;

/// What every name keeps, where it has as many: a function and what it belongs to.
const SEGMENTS: usize = 2;

/// The short forms, in the order of `names`. Equal names stay equal.
#[must_use]
pub fn shorten(names: &mut dyn Iterator<Item = &Name>) -> Vec<String> {
    let names: Vec<&Name> = names.collect();
    let whole: Vec<String> = names.iter().map(|name| shown(name, usize::MAX)).collect();
    let mut segments = vec![SEGMENTS; names.len()];
    loop {
        let short: Vec<String> =
            names.iter().zip(&segments).map(|(name, segments)| shown(name, *segments)).collect();
        let sorted = order::sorted(names.len(), &mut |a, b| short[a].cmp(&short[b]));
        let mut grown = false;
        for same in sorted.chunk_by(|a, b| short[*a] == short[*b]) {
            if same.iter().all(|place| whole[*place] == whole[same[0]]) {
                continue;
            }
            for place in same {
                if short[*place] != whole[*place] {
                    segments[*place] += 1;
                    grown = true;
                }
            }
        }
        if !grown {
            return short;
        }
    }
}

/// A label, or the last `count` segments of a path.
fn shown(name: &Name, count: usize) -> String {
    if name.is_label() {
        return name.to_string();
    }
    // A path has no `/`. What follows one is an argument that a benchmark was run with.
    match name.split_once('/') {
        Some((path, argument)) => format!("{}/{argument}", suffix(path, count)),
        None => suffix(name, count),
    }
}

/// The last `count` segments of a path, the paths inside of its brackets cut likewise to one less. A closure has no name of its own and
/// is not counted, so that the function it stands in is kept.
fn suffix(path: &str, count: usize) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut counted = 0;
    for segment in split(path).into_iter().rev() {
        if counted == count {
            break;
        }
        if segment == "{{closure}}" {
            kept.push("{closure}".to_owned());
        } else {
            kept.push(inner(segment, count - 1));
            counted += 1;
        }
    }
    order::join(&mut kept.iter().rev().map(String::as_str), "::")
}

/// Splits at each `::` outside of brackets.
fn split(path: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0_usize, 0_usize);
    let bytes = path.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' if index > 0 && bytes[index - 1] == b'-' => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(index + 1) == Some(&b':') => {
                parts.push(&path[start..index]);
                index += 1;
                start = index + 1;
            }
            _ => {}
        }
        index += 1;
    }
    parts.push(&path[start..]);
    parts
}

/// Cuts every path inside of a segment's brackets to its last `count` segments.
fn inner(segment: &str, count: usize) -> String {
    let Some(open) = segment.find('<') else { return segment.to_owned() };
    let mut output = segment[..open].to_owned();
    let mut path = String::new();
    let flush = |path: &mut String, output: &mut String| {
        let parts: Vec<&str> = path.split("::").collect();
        let mut last = parts.iter().copied().skip(parts.len().saturating_sub(count));
        output.push_str(&order::join(&mut last, "::"));
        path.clear();
    };
    for character in segment[open..].chars() {
        if character.is_alphanumeric() || matches!(character, '_' | ':') {
            path.push(character);
        } else {
            flush(&mut path, &mut output);
            output.push(character);
        }
    }
    flush(&mut path, &mut output);
    output
}

/// Cuts a name at its front, where the least telling part is, to what takes `width` columns of a terminal.
#[must_use]
pub fn fit(name: &str, width: usize) -> String {
    if get_line_width(name) <= width {
        return name.to_owned();
    }
    let room = width.saturating_sub(1);
    let mut ends = name.char_indices().map(|(start, _)| &name[start..]);
    let kept = ends.find(|end| get_line_width(end) <= room).unwrap_or("");
    format!("…{kept}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_paths<const N: usize>(paths: [&'static str; N]) -> Vec<String> {
        shorten(&mut paths.map(Name::path).iter())
    }

    #[test]
    fn two_segments_where_they_suffice() {
        assert_eq!(
            of_paths(["app::main", "app::parse::Lexer<app::Token>::next", "<app::Csv as app::Format>::read"]),
            ["app::main", "Lexer<Token>::next", "<Csv as Format>::read"]
        );
    }

    #[test]
    fn more_where_two_rows_would_be_one() {
        assert_eq!(
            of_paths(["app::x::A::go", "app::y::A::go", "app::z::B::go", "app::z::B::go"]),
            ["x::A::go", "y::A::go", "B::go", "B::go"]
        );
        assert_eq!(
            of_paths(["<a::T as b::F>::read", "<c::T as b::F>::read"]),
            ["<a::T as b::F>::read", "<c::T as b::F>::read"]
        );
    }

    #[test]
    fn a_label_stays_as_it_was_written() {
        for label in
            ["db::users::load", "GET /users/<id::x>", "parse<config::File>", "a::b::c/d::e::f", "load it"]
        {
            assert_eq!(shorten(&mut [Name::label(label)].iter()), [label]);
        }
        assert_eq!(
            shorten(&mut [Name::label("users::load"), Name::path("app::users::load")].iter()),
            ["users::load", "app::users::load"]
        );
    }

    #[test]
    fn a_closure_keeps_the_function_around_it() {
        assert_eq!(
            of_paths([
                "app::x::outer::{{closure}}::inner",
                "app::a::{{closure}}::{{closure}}::f",
                "app::{{closure}}::T::go"
            ]),
            ["outer::{closure}::inner", "a::{closure}::{closure}::f", "T::go"]
        );
        assert_eq!(
            of_paths(["app::x::f::{{closure}}::g", "app::y::f::{{closure}}::g"]),
            ["x::f::{closure}::g", "y::f::{closure}::g"]
        );
    }

    #[test]
    fn an_argument_stays_as_it_was_written() {
        assert_eq!(of_paths(["app::speed::words/std::vec::Vec"]), ["speed::words/std::vec::Vec"]);
    }

    #[test]
    fn odd_names_come_through() {
        for name in
            ["", "::", "<", ">", "a::<b", "fn(u8) -> a::b::c", "[a::b; 3]::x", "é::ü", "{{closure}}", "/"]
        {
            assert_eq!(of_paths([name]).len(), 1, "{name}");
            assert_eq!(of_paths([name, name]).len(), 2, "{name}");
        }
    }

    #[test]
    fn a_name_is_cut_by_the_columns_it_takes() {
        assert_eq!(fit("Lexer<Token>::next", 7), "…::next");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "…");
        // Each of these takes two columns.
        assert_eq!(fit("数える関数", 10), "数える関数");
        assert_eq!(fit("数える関数", 9), "…える関数");
        assert_eq!(fit("数える関数", 8), "…る関数");
    }
}
