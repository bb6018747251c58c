//! Benchmarks that keep a megabyte for each call, or do not, for programs whose allocator tells nothing. Left out unless asked for.

fn megabyte() -> Vec<u8> {
    vec![1; 1 << 20]
}

mod keep {
    use std::cell::RefCell;

    use perfkit::benchmark;

    use super::megabyte;

    #[benchmark(ignore)]
    fn leaked_megabyte() -> &'static [u8] {
        megabyte().leak()
    }

    #[benchmark(ignore)]
    fn growing_list() {
        thread_local!(static ALL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) });
        ALL.with_borrow_mut(|all| all.push(megabyte()));
    }
}

mod keep_not {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use perfkit::benchmark;

    use super::megabyte;

    #[benchmark(ignore)]
    fn nothing() {}

    #[benchmark(ignore)]
    fn dropped_megabyte() -> Vec<u8> {
        megabyte()
    }

    #[benchmark(ignore)]
    fn bounded_list() {
        thread_local!(static SOME: RefCell<VecDeque<Vec<u8>>> = const { RefCell::new(VecDeque::new()) });
        SOME.with_borrow_mut(|some| {
            if some.len() >= 8 {
                some.pop_front();
            }
            some.push_back(megabyte());
        });
    }

    #[benchmark(ignore, leaks = "allow")]
    fn megabyte_that_is_to_stay() -> &'static [u8] {
        megabyte().leak()
    }
}
