//! Whether the code around a benchmark was compiled with optimisation, which decides whether its time means anything.
//!
//! Nobody tells a macro the `opt-level`: `debug_assertions` is another setting of the profile, and a build script of this crate is told the level
//! of this crate, which `[profile.dev.package]` may raise above that of the user's. So it is seen from what the compiler made, in the user's crate: two
//! variables that live one after the other have one place on the stack where code is optimised, at every level, and two places where it is not. That
//! is no promise of the compiler's. Where it fails, the answer is "not optimised", and a target is not judged rather than judged wrongly.

/// Whether the code in which this stands is optimised.
#[doc(hidden)]
#[macro_export]
macro_rules! optimised {
    () => {{
        // Of its own, so that nothing around it changes where its variables are.
        #[inline(never)]
        fn optimised() -> bool {
            // The places go through `black_box`, or the compiler compares two variables instead of two numbers.
            let first = {
                let room = [0_u8; 64];
                ::core::hint::black_box(::core::ptr::from_ref(&room).addr())
            };
            let second = {
                let room = [1_u8; 64];
                ::core::hint::black_box(::core::ptr::from_ref(&room).addr())
            };
            first == second
        }
        optimised()
    }};
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// The macro as it is, compiled at each level, with and without what it must not depend on.
    #[test]
    fn it_follows_the_level_and_nothing_else() {
        let directory = std::env::temp_dir().join(format!("perfkit-optimised-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let text = include_str!("optimised.rs");
        let end = text.find("#[cfg(test)]").unwrap();
        let start = text.find("#[doc(hidden)]").unwrap();
        let source = directory.join("probe.rs");
        let main = "fn main() { std::process::exit(i32::from(optimised!())) }";
        std::fs::write(&source, format!("{}{main}", &text[start..end])).unwrap();
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| String::from("rustc"));
        for (level, expected) in [("0", 0), ("1", 1), ("2", 1), ("3", 1), ("s", 1), ("z", 1)] {
            for assertions in ["yes", "no"] {
                let program = directory.join(format!("probe-{level}-{assertions}"));
                let level = format!("-Copt-level={level}");
                let assertions = format!("-Cdebug-assertions={assertions}");
                let mut rustc = Command::new(&rustc);
                rustc.args(["--edition=2024", &level, &assertions]).arg(&source).arg("-o").arg(&program);
                assert!(rustc.status().unwrap().success());
                let said = Command::new(&program).status().unwrap().code();
                assert_eq!(said, Some(expected), "{level} {assertions}");
            }
        }
        let _ = std::fs::remove_dir_all(&directory);
    }
}
