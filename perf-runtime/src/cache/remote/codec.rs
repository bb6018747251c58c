//! Keys and results as bytes.
//!
//! Keys are always in postcard's form, which is canonical: equal bytes come from equal keys. For results there is a choice.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The form in which results are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// [postcard](https://docs.rs/postcard): small and fast. Fields have no names, so after a change of the type's definition that keeps
    /// its name and size, raise the function's `version`. Not for types that ask what comes next (`untagged`, `flatten`): they cannot be read
    /// back, and [`RemoteStats::corrupt`](super::RemoteStats::corrupt) goes up.
    #[default]
    Postcard,
    /// JSON: readable with other tools, and tolerant of new fields that have a default.
    Json,
}

impl Codec {
    pub(super) const fn id(self) -> u8 {
        match self {
            Codec::Postcard => 0,
            Codec::Json => 1,
        }
    }

    /// `None` where the value has no such form.
    pub(super) fn encode<T: Serialize>(self, value: &T) -> Option<Vec<u8>> {
        match self {
            Codec::Postcard => postcard::to_stdvec(value).ok(),
            Codec::Json => serde_json::to_vec(value).ok(),
        }
    }

    /// `None` unless all of `bytes` is a value.
    pub(super) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Option<T> {
        match self {
            Codec::Postcard => match postcard::take_from_bytes(bytes) {
                Ok((value, [])) => Some(value),
                _ => None,
            },
            Codec::Json => serde_json::from_slice(bytes).ok(),
        }
    }
}

/// The bytes of a key.
pub(super) fn key<K: Serialize + ?Sized>(key: &K) -> Option<Vec<u8>> {
    postcard::to_stdvec(key).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Value = (Vec<String>, Option<u64>, BTreeMap<u8, (i8, bool)>);

    proptest! {
        #[test]
        fn values_come_back(value: Value) {
            prop_assert_eq!(Codec::Postcard.decode(&Codec::Postcard.encode(&value).unwrap()), Some(value.clone()));
            prop_assert_eq!(Codec::Json.decode(&Codec::Json.encode(&value).unwrap()), Some(value));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Codec::Postcard.decode::<Value>(&bytes);
            let _ = Codec::Json.decode::<Value>(&bytes);
        }
    }

    #[test]
    fn a_length_of_untrusted_bytes_allocates_nothing() {
        // A list of 2^60 strings, of which there is none.
        assert_eq!(
            Codec::Postcard.decode::<Vec<u64>>(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]),
            None
        );
        assert_eq!(Codec::Postcard.decode::<u8>(&[1, 2]), None);
    }
}
