//! Which of the known words somebody may have meant.

/// The known word that is nearest to what was written; `None` where half of it or more would have to be another.
///
/// ```
/// use perf_runtime::spelling::nearest;
///
/// assert_eq!(nearest("Tabel", &mut ["table", "json"].into_iter()), Some("table"));
/// assert_eq!(nearest("xml", &mut ["table", "json"].into_iter()), None);
/// ```
pub fn nearest<'a>(written: &str, known: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let (distance, name) = known.map(|word| (distance(&written, word), word)).min()?;
    (2 * distance < name.chars().count()).then_some(name)
}

/// How many letters are to be put in, left out or replaced to make one word the other.
fn distance(from: &str, to: &str) -> usize {
    // From the letters so far of `from` to each beginning of `to`.
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (done, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = done + 1;
        for (index, other) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(row[index] + 1).min(diagonal + 1);
        }
    }
    row[to.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!((distance("", "off"), distance("off", ""), distance("off", "off")), (3, 3, 0));
        assert_eq!(
            (distance("tabel", "table"), distance("json", "jason"), distance("jason", "json")),
            (2, 1, 1)
        );
    }
}
