use perfkit::benchmark;

#[benchmark(types = [u8])]
fn no_type_parameter() {}

#[benchmark(consts = [1])]
fn no_const_parameter<T>() {}

#[benchmark]
fn no_consts<const N: usize>() {}

#[benchmark(types = [u8], args = [1])]
fn two_types<A, B>(_a: A) -> (A, B) {
    todo!()
}

#[benchmark(types = u8)]
fn no_list<T>() {}

#[benchmark(types = [])]
fn no_types<T>() {}

#[benchmark(consts = numbers())]
fn unknown_consts<const N: usize>() {}

fn main() {}
