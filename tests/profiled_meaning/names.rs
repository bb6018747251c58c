//! Functions whose names and surroundings could be those of generated code: the user's own `Result`, statics in lower case, no prelude.

use super::{now, profiled, row};

/// What the standard library calls so is something else here.
mod own_names {
    use super::{now, profiled, row};

    pub mod maybe {
        pub type Result<T> = Option<T>;

        #[perfkit::profiled]
        pub fn alias() -> Result<u8> {
            let one = Some(1_u8)?;
            Some(one + 1)
        }

        #[perfkit::profiled]
        pub async fn alias_later() -> Result<u8> {
            Some(std::future::ready(Some(1_u8)).await? + 1)
        }
    }

    pub mod structure {
        #[derive(Debug, PartialEq)]
        pub struct Result(pub u8);

        #[perfkit::profiled]
        pub fn made() -> Result {
            Result(1)
        }

        #[perfkit::profiled]
        pub fn future() -> impl Future<Output = Result> {
            async { Result(2) }
        }
    }

    pub trait Algorithm {
        type Result;
        fn run(&self) -> Self::Result;
    }

    #[profiled]
    impl Algorithm for u8 {
        type Result = u8;
        fn run(&self) -> Self::Result {
            *self
        }
    }

    pub mod future {
        pub trait Future {
            fn get(&self) -> u8;
        }
        impl Future for u8 {
            fn get(&self) -> u8 {
                *self
            }
        }

        #[perfkit::profiled]
        pub fn opaque() -> impl Future {
            7_u8
        }

        #[perfkit::profiled]
        pub fn boxed() -> std::pin::Pin<Box<dyn Future>> {
            Box::pin(8_u8)
        }

        pub type BoxFuture = Box<dyn std::future::Future<Output = u8> + Unpin>;

        #[perfkit::profiled]
        pub fn other_box() -> BoxFuture {
            Box::new(std::future::ready(9))
        }
    }

    #[test]
    fn work() {
        assert_eq!((maybe::alias(), now(maybe::alias_later())), (Some(2), Some(2)));
        assert_eq!(
            (structure::made(), now(structure::future())),
            (structure::Result(1), structure::Result(2))
        );
        assert_eq!(7_u8.run(), 7);
        assert_eq!(future::Future::get(&future::opaque()), 7);
        assert_eq!(future::Future::get(&*future::boxed()), 8);
        assert_eq!(now(future::other_box()), 9);
        for name in [
            "maybe::alias",
            "maybe::alias_later",
            "structure::made",
            "structure::future",
            "<u8 as profiled_meaning::names::own_names::Algorithm>::run",
            "future::opaque",
            "future::boxed",
            "future::other_box",
        ] {
            assert_eq!((row(name).calls, row(name).errors), (1, 0), "{name}");
        }
    }
}

/// A generated `let` of one of these names would be a comparison with it.
#[allow(non_upper_case_globals)]
mod statics {
    use super::{now, profiled};

    static frame: u8 = 1;
    static result: u8 = 1;
    const argument_0: u8 = 1;
    const argument_1: u8 = 1;
    static dropped: u8 = 1;
    static _dropped: u8 = 1;
    static _frame: u8 = 1;
    static body: u8 = 1;
    const returned: u8 = 1;
    #[allow(non_camel_case_types, dead_code)]
    struct str;
    #[allow(non_camel_case_types, dead_code)]
    struct u32;

    #[profiled]
    fn sums((a, b): (u8, u8), _: String) -> Result<u8, ()> {
        let own = perfkit::profile_block!("own names", { a + b + frame + result + argument_0 + argument_1 });
        Ok(own + dropped + _dropped + _frame + body + returned)
    }

    #[profiled]
    async fn sums_later((a, b): (u8, u8), _: String) -> Result<u8, ()> {
        Ok(a + b + frame + result)
    }

    #[perfkit::cached(companions = false)]
    fn kept((a, b): (u8, u8), _: u8) -> u8 {
        a + b + frame + result
    }

    #[perfkit::cached]
    fn kept_beside((a, b): (u8, u8), _: u8) -> u8 {
        a + b + frame + result
    }

    #[test]
    fn work() {
        assert_eq!(sums((1, 2), String::new()), Ok(12));
        assert_eq!(now(sums_later((1, 2), String::new())), Ok(5));
        assert_eq!((kept((1, 2), 0), kept_beside((1, 2), 0)), (5, 5));
    }
}

#[no_implicit_prelude]
mod without_prelude {
    use ::std::assert_eq;
    use ::std::boxed::Box;
    use ::std::future::Future;
    use ::std::pin::Pin;
    use ::std::result::Result::{self, Err, Ok};
    use ::std::string::String;

    #[::perfkit::profiled]
    fn fallible(fail: bool) -> Result<u8, u8> {
        if fail { Err(1) } else { Ok(2) }
    }

    #[::perfkit::profiled]
    async fn later(text: String) -> Result<u8, u8> {
        ::std::mem::drop(text);
        Ok(3)
    }

    #[::perfkit::profiled]
    fn opaque() -> impl Future<Output = u8> {
        async { ::perfkit::profile_block!("without a prelude", { 4 }) }
    }

    #[::perfkit::profiled]
    fn boxed() -> Pin<Box<dyn Future<Output = u8>>> {
        let future = async { 4 };
        Box::pin(future)
    }

    #[::perfkit::cached]
    fn kept(n: u8) -> u8 {
        n
    }

    #[::perfkit::cached(companions = false)]
    fn kept_alone(n: u8, text: &str) -> u8 {
        let _ = text;
        n
    }

    #[::perfkit::pooled]
    fn lent() -> String {
        String::new()
    }

    #[::core::prelude::v1::test]
    fn work() {
        assert_eq!((fallible(true), fallible(false)), (Err(1), Ok(2)));
        assert_eq!(super::now(later(String::new())), Ok(3));
        assert_eq!((super::now(opaque()), super::now(boxed())), (4, 4));
        assert_eq!((kept(1), kept_alone(2, "")), (1, 2));
        assert_eq!(*lent(), "");
    }
}
