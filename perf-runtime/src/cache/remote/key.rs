//! The name under which a server keeps a result: `perfkit:<function>:<version>:<fingerprint>:<generation>:<key>`.
//!
//! The fingerprint tells apart what must not be mixed up: the types of the value and of the key, the codec, the instance of the generics.
//! The generation is how a whole function is forgotten at once. The key stands there in readable form, what is not a safe character
//! as `%` and two hexadecimal digits; where that is long, its 128-bit hash stands there instead, and the envelope has the key itself.
//!
//! A name never has a character that means something to a server: no space, no control character, nothing outside of ASCII.

use core::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_128;

/// With room for what a backend appends; memcached takes 250.
const MAX_NAME: usize = 230;
const MAX_FUNCTION: usize = 80;
const GENERATION: &str = "perfkit-generation:";

/// What results of one type, from one instance of a function, have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    pub(super) function: &'static str,
    pub(super) version: u32,
    pub(super) codec: u8,
    /// Names of types: the instance of the function, the key, the value.
    pub(super) types: [&'static str; 3],
    pub(super) value_size: usize,
}

impl Family {
    #[cfg(test)]
    fn of<M: ?Sized, K: ?Sized, V>(function: &'static str, version: u32, codec: u8) -> Self {
        use core::any::type_name;
        let types = [type_name::<M>(), type_name::<K>(), type_name::<V>()];
        Family { function, version, codec, types, value_size: size_of::<V>() }
    }

    fn fingerprint(&self) -> u64 {
        let mut bytes = Vec::with_capacity(256);
        for text in [self.function].iter().chain(&self.types) {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.push(self.codec);
        bytes.extend_from_slice(&(self.value_size as u64).to_le_bytes());
        xxh3_128(&bytes) as u64
    }

    /// The name of the result for `key`.
    pub(super) fn name(&self, generation: u64, key: &[u8]) -> String {
        let mut name = prefix("perfkit:", self.function, self.version);
        let _ = write!(name, ":{:016x}:{generation:x}:", self.fingerprint());
        let start = name.len();
        if !escape(&mut name, key, MAX_NAME) {
            name.truncate(start);
            let _ = write!(name, "#{:032x}", xxh3_128(key));
        }
        name
    }
}

/// The name under which the generation of a function's results stands.
pub(super) fn generation(function: &str, version: u32) -> String {
    prefix(GENERATION, function, version)
}

/// Whether a generation stands under a name. No result has such a name.
#[cfg(feature = "disk")]
pub(super) fn is_generation(name: &str) -> bool {
    name.starts_with(GENERATION)
}

fn prefix(start: &str, function: &str, version: u32) -> String {
    let mut name = String::with_capacity(MAX_NAME);
    name.push_str(start);
    let start = name.len();
    if !escape(&mut name, function.as_bytes(), start + MAX_FUNCTION) {
        name.truncate(start);
        let _ = write!(name, "#{:032x}", xxh3_128(function.as_bytes()));
    }
    let _ = write!(name, ":{version}");
    name
}

/// Appends `bytes` in readable form; `false` as soon as the name is longer than `max`.
fn escape(name: &mut String, bytes: &[u8], max: usize) -> bool {
    for &byte in bytes {
        if byte.is_ascii_graphic() && !matches!(byte, b'%' | b'#') {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
        if name.len() > max {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn family(function: &'static str) -> Family {
        Family::of::<(), u8, u8>(function, 3, 0)
    }

    #[test]
    fn short_keys_are_readable() {
        let name = family("app::look up").name(0xab, b"\x05alice");
        assert!(name.starts_with("perfkit:app::look%20up:3:"), "{name}");
        assert!(name.ends_with(":ab:%05alice"), "{name}");
    }

    #[test]
    fn types_are_part_of_the_name() {
        let name = |family: Family| family.name(1, b"k");
        let same = name(Family::of::<(), u8, u8>("f", 1, 0));
        assert_ne!(same, name(Family::of::<(), u8, i8>("f", 1, 0)));
        assert_ne!(same, name(Family::of::<(), i8, u8>("f", 1, 0)));
        assert_ne!(same, name(Family::of::<u8, u8, u8>("f", 1, 0)));
        assert_ne!(same, name(Family::of::<(), u8, u8>("f", 2, 0)));
        assert_ne!(same, name(Family::of::<(), u8, u8>("f", 1, 1)));
    }

    proptest! {
        #[test]
        fn every_name_is_safe(key: Vec<u8>, generation: u64) {
            const LONG: &str = "a_function::whose_name::is_longer::than_what_is_kept_of_it::<with, types, and spaces>::and more";
            for function in ["f", "é\r\nset x", LONG] {
                let name = family(function).name(generation, &key);
                prop_assert!(name.len() <= 240 && name.bytes().all(|byte| byte.is_ascii_graphic()), "{}", name);
            }
        }

        #[test]
        fn other_keys_have_other_names(one: Vec<u8>, other: Vec<u8>) {
            prop_assume!(one != other);
            prop_assert_ne!(family("f").name(1, &one), family("f").name(1, &other));
        }
    }
}
