//! A text as a key is kept: a short one in the entry itself, so that a hit compares it without another step through memory.

use super::super::weigh::Weigh;

/// A text that is only compared.
#[derive(Debug)]
pub struct Text(Bytes);

/// Bytes that make a [`Text`] no larger than a `String` would be.
const ROOM: usize = 22;

#[derive(Debug)]
enum Bytes {
    Here { len: u8, bytes: [u8; ROOM] },
    Apart(Box<[u8]>),
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let text = text.as_bytes();
        let mut bytes = [0; ROOM];
        Text(match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text);
                Bytes::Here { len: text.len() as u8, bytes }
            }
            None => Bytes::Apart(text.into()),
        })
    }

    #[inline]
    pub(super) fn is(&self, text: &str) -> bool {
        let text = text.as_bytes();
        match &self.0 {
            Bytes::Here { len, bytes } => {
                usize::from(*len) == text.len()
                    && bytes.get(..text.len()).is_some_and(|bytes| are_same(bytes, text))
            }
            Bytes::Apart(bytes) => **bytes == *text,
        }
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Here { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Bytes::Apart(bytes) => bytes,
        }
    }
}

impl Weigh for Text {
    fn heap(&self) -> usize {
        match &self.0 {
            Bytes::Here { .. } => 0,
            Bytes::Apart(bytes) => bytes.len(),
        }
    }
}

/// Compares as many bytes without a call: by parts that overlap.
#[inline]
fn are_same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(bytes: &[u8]) -> (Option<&[u8; N]>, Option<&[u8; N]>) {
        (bytes.first_chunk(), bytes.last_chunk())
    }
    match one.len() {
        16.. => ends::<16>(one) == ends(other),
        8.. => ends::<8>(one) == ends(other),
        4.. => ends::<4>(one) == ends(other),
        len => (0..len).all(|place| one[place] == other[place]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_itself_and_no_other() {
        assert_eq!(size_of::<Text>(), size_of::<String>());
        for length in 0..70 {
            let mut bytes = vec![b'a'; length];
            let text = String::from_utf8(bytes.clone()).unwrap();
            let kept = Text::new(&text);
            assert!(kept.is(&text), "{length}");
            assert_eq!(kept.heap(), if length > ROOM { length } else { 0 });
            assert!(!kept.is(&(text + "a")), "{length}");
            for place in 0..length {
                bytes[place] = b'b';
                assert!(!kept.is(str::from_utf8(&bytes).unwrap()), "{place} of {length}");
                bytes[place] = b'a';
            }
        }
    }
}
