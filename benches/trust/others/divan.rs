//! The work of known cost and the fifty, for divan.

mod known {
    use perfkit_trust::work::{Kind, do_units, lanes, units_told};

    #[divan::bench]
    fn nothing() {}

    #[divan::bench]
    fn ten_nanoseconds() -> u64 {
        lanes()
    }

    #[divan::bench]
    fn a_microsecond() -> u64 {
        do_units(Kind::Arithmetic, units_told(Kind::Arithmetic))
    }

    #[divan::bench]
    fn a_millisecond() -> u64 {
        do_units(Kind::Arithmetic, 1_000 * units_told(Kind::Arithmetic))
    }
}

mod fifty {
    perfkit_trust::fifty!(divan::bench);
}

fn main() {
    divan::main();
}
