//! Names short enough for a table: as few segments of each path as tell the rows apart.
//!
//! `app::parse::Lexer<app::Token>::next` is shown as `Lexer<Token>::next`, and `<app::Csv as app::Format>::read` as
//! `<Csv as Format>::read`, unless another row would then have the same name.

use std::collections::HashMap;

/// The short forms, in the order of `names`. Equal names stay equal.
#[must_use]
pub fn shorten<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let mut segments = vec![2; names.len()];
    loop {
        let short: Vec<String> =
            names.iter().zip(&segments).map(|(name, segments)| suffix(name, *segments)).collect();
        let mut first: HashMap<&str, &str> = HashMap::new();
        let mut clashing: Vec<&str> = Vec::new();
        for (short, name) in short.iter().zip(&names) {
            if first.insert(short, name).is_some_and(|other| other != *name) {
                clashing.push(short);
            }
        }
        let mut grown = false;
        for ((segments, name), short) in segments.iter_mut().zip(&names).zip(&short) {
            if clashing.contains(&short.as_str()) && short != name {
                *segments += 1;
                grown = true;
            }
        }
        if !grown {
            return short;
        }
    }
}

/// The last `count` segments of a path, the paths inside of its brackets cut likewise to one less.
fn suffix(name: &str, count: usize) -> String {
    // A label that somebody wrote is no path.
    if name.contains(' ') && !name.starts_with('<') && !name.contains('<') {
        return name.to_owned();
    }
    let segments = split(name);
    let kept = &segments[segments.len().saturating_sub(count)..];
    kept.iter().map(|segment| inner(segment, count - 1)).collect::<Vec<_>>().join("::")
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
        output.push_str(&parts[parts.len().saturating_sub(count)..].join("::"));
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

/// Cuts a name to `width` characters at its front, where the least telling part is.
#[must_use]
pub fn fit(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let kept: String = name.chars().skip(length + 1 - width.max(1)).collect();
    format!("…{kept}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_segments_where_they_suffice() {
        assert_eq!(
            shorten([
                "app::main",
                "app::parse::Lexer<app::Token>::next",
                "<app::Csv as app::Format>::read",
                "load the index"
            ]),
            ["app::main", "Lexer<Token>::next", "<Csv as Format>::read", "load the index"]
        );
    }

    #[test]
    fn more_where_two_rows_would_be_one() {
        assert_eq!(
            shorten(["app::x::A::go", "app::y::A::go", "app::z::B::go", "app::z::B::go"]),
            ["x::A::go", "y::A::go", "B::go", "B::go"]
        );
        assert_eq!(
            shorten(["<a::T as b::F>::read", "<c::T as b::F>::read"]),
            ["<a::T as b::F>::read", "<c::T as b::F>::read"]
        );
    }

    #[test]
    fn odd_names_come_through() {
        for name in ["", "::", "<", ">", "a::<b", "fn(u8) -> a::b::c", "[a::b; 3]::x", "é::ü"] {
            assert_eq!(shorten([name]).len(), 1, "{name}");
        }
        assert_eq!(fit("Lexer<Token>::next", 7), "…::next");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "…");
    }
}
