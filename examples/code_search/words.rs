//! From the bytes of a source file to the words in it.
//!
//! `HashMap::new_in(alloc)` has the words `hash map new in alloc`: identifiers are split where their case changes and at underscores. Bytes that are no
//! letters or digits of ASCII separate words.

use perfkit::profiled;

/// A longer run of letters is data, not a word.
const LONGEST: usize = 40;

/// Calls `found` with each word, in lower case, and returns how many there were.
#[profiled]
pub(crate) fn each(text: &[u8], mut found: impl FnMut(&str)) -> u32 {
    let mut word = String::with_capacity(LONGEST);
    let mut count = 0;
    let mut flush = |word: &mut String| {
        if (2..=LONGEST).contains(&word.len()) {
            found(word);
            count += 1;
        }
        word.clear();
    };
    let mut previous = b' ';
    for (index, byte) in text.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            let next_is_lower = text.get(index + 1).is_some_and(u8::is_ascii_lowercase);
            // `HashMap` is two words, `TCPStream` is two words.
            let begins = byte.is_ascii_uppercase()
                && (previous.is_ascii_lowercase() || (previous.is_ascii_uppercase() && next_is_lower));
            if begins {
                flush(&mut word);
            }
            word.push(byte.to_ascii_lowercase().into());
        } else {
            flush(&mut word);
        }
        previous = *byte;
    }
    flush(&mut word);
    count
}

/// The words of a query, each once, in order.
pub(crate) fn of_query(query: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    each(query.as_bytes(), |word| {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    });
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_split() {
        assert_eq!(
            of_query("HashMap::new_in(TCPStream, utf8) é a X9"),
            ["hash", "map", "new", "in", "tcp", "stream", "utf8", "x9"]
        );
        assert!(of_query("a b · ").is_empty());
        assert!(of_query(&"x".repeat(41)).is_empty());
    }
}
