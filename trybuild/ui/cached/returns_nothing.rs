use perfkit::cached;

#[cached]
fn a(n: u32) {
    println!("{n}");
}

#[cached]
fn b(n: u32) -> () {
    println!("{n}");
}

#[cached]
fn c(n: u32) -> ! {
    panic!("{n}")
}

fn main() {}
