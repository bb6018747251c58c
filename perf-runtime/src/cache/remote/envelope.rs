//! What a server or a file holds for one result: the result's bytes with all that tells whether they are what is asked for.
//!
//! A server is shared with other programs, other versions of this one, and whatever else somebody stores there; a connection may hand over the
//! answer to another question. So each value says of itself which key it belongs to, in full, and has a checksum over everything.
//! Reading never trusts a length: what does not fit together exactly is refused.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | `PKv1` |
//! | 4..8 | zero, for later versions |
//! | 8..16 | when it was made, in milliseconds since 1970 |
//! | 16..24 | when it expires, likewise; 0 for never |
//! | 24..40 | hash of the name under which it was stored |
//! | 40..44 | length of the key |
//! | 44..48 | length of the result |
//! | 48..56 | checksum of all else |
//! | 56.. | the key, then the result |
//!
//! Numbers are little-endian.

use core::time::Duration;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128};

const MAGIC: [u8; 4] = *b"PKv1";
const HEADER: usize = 56;
const CHECKSUM: core::ops::Range<usize> = 48..HEADER;

/// Why bytes are not the result that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not from here, or of another key.
    Foreign,
    /// From here, and damaged.
    Corrupt,
    /// Its time is up.
    Expired,
}

/// Wraps `body`, the result for `key` that is stored under `name`. `None` where a length does not fit.
pub(super) fn seal(name: &str, key: &[u8], body: &[u8], now: u64, ttl: Option<Duration>) -> Option<Vec<u8>> {
    let lengths = (u32::try_from(key.len()).ok()?, u32::try_from(body.len()).ok()?);
    let mut bytes = Vec::with_capacity(HEADER + key.len() + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&now.to_le_bytes());
    bytes.extend_from_slice(&expiry(now, ttl).to_le_bytes());
    bytes.extend_from_slice(&identity(name).to_le_bytes());
    bytes.extend_from_slice(&lengths.0.to_le_bytes());
    bytes.extend_from_slice(&lengths.1.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(body);
    let checksum = checksum(&bytes);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    Some(bytes)
}

/// The result in `bytes`, if they are that of `key` under `name` and not expired.
pub(super) fn open<'a>(bytes: &'a [u8], name: &str, key: &[u8], now: u64) -> Result<&'a [u8], Refusal> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        return Err(if bytes.starts_with(&MAGIC) { Refusal::Corrupt } else { Refusal::Foreign });
    };
    if header[..4] != MAGIC {
        return Err(Refusal::Foreign);
    }
    if u64::from_le_bytes(field(header, CHECKSUM.start)) != checksum(bytes) {
        return Err(Refusal::Corrupt);
    }
    // Of a later version, if a checksum of the same kind stands there.
    if header[4..8] != [0; 4] {
        return Err(Refusal::Foreign);
    }
    let length = |at| u32::from_le_bytes(field(header, at)) as usize;
    let (key_length, body_length) = (length(40), length(44));
    let (held, body) = rest.split_at_checked(key_length).ok_or(Refusal::Corrupt)?;
    if body.len() != body_length {
        return Err(Refusal::Corrupt);
    }
    if u128::from_le_bytes(field(header, 24)) != identity(name) || held != key {
        return Err(Refusal::Foreign);
    }
    match u64::from_le_bytes(field(header, 16)) {
        0 => Ok(body),
        expires if now >= expires => Err(Refusal::Expired),
        _ => Ok(body),
    }
}

/// Never 0, which stands for never.
fn expiry(now: u64, ttl: Option<Duration>) -> u64 {
    ttl.map_or(0, |ttl| {
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        now.saturating_add(ttl).max(1)
    })
}

fn identity(name: &str) -> u128 {
    xxh3_128(name.as_bytes())
}

/// Of everything but itself.
fn checksum(bytes: &[u8]) -> u64 {
    let head = xxh3_64(&bytes[..CHECKSUM.start]);
    xxh3_64_with_seed(&bytes[CHECKSUM.end..], head)
}

/// The bytes of a number; `header` is long enough.
fn field<const N: usize>(header: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[at..at + N]);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TTL: Option<Duration> = Some(Duration::from_millis(1500));

    #[test]
    fn it_expires_to_the_millisecond() {
        let bytes = seal("n", b"k", b"body", 1000, TTL).unwrap();
        assert_eq!(open(&bytes, "n", b"k", 2499), Ok(&b"body"[..]));
        assert_eq!(open(&bytes, "n", b"k", 2500), Err(Refusal::Expired));
        let bytes = seal("n", b"k", b"", 1000, None).unwrap();
        assert_eq!(open(&bytes, "n", b"k", u64::MAX), Ok(&b""[..]));
    }

    #[test]
    fn another_key_is_foreign_also_under_the_same_name() {
        let bytes = seal("n", b"k", b"body", 0, TTL).unwrap();
        assert_eq!(open(&bytes, "n", b"l", 0), Err(Refusal::Foreign));
        assert_eq!(open(&bytes, "m", b"k", 0), Err(Refusal::Foreign));
        assert_eq!(open(b"hello", "n", b"k", 0), Err(Refusal::Foreign));
        assert_eq!(open(&bytes[..30], "n", b"k", 0), Err(Refusal::Corrupt));
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(name: String, key: Vec<u8>, body: Vec<u8>, now in 0..u64::MAX / 2) {
            let bytes = seal(&name, &key, &body, now, TTL).unwrap();
            prop_assert_eq!(open(&bytes, &name, &key, now), Ok(&body[..]));
        }

        #[test]
        fn any_bytes_are_refused(mut bytes: Vec<u8>, magic: bool) {
            if magic {
                bytes.splice(..0, MAGIC);
            }
            prop_assert!(open(&bytes, "name", b"key", 0).is_err());
        }

        #[test]
        fn a_flipped_bit_or_a_cut_is_refused(key: Vec<u8>, body: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
            let bytes = seal("name", &key, &body, 5, TTL).unwrap();
            let at = at.index(bytes.len());
            prop_assert!(open(&bytes[..at], "name", &key, 5).is_err());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(open(&flipped, "name", &key, 5).is_err());
            flipped[at] ^= 1 << bit;
            flipped.push(0);
            prop_assert!(open(&flipped, "name", &key, 5).is_err());
        }
    }
}
