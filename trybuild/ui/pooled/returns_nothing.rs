use perfkit::pooled;

#[pooled]
fn nothing() {}

#[pooled]
fn unit() -> () {}

#[pooled]
fn never() -> ! {
    std::process::exit(0)
}

fn main() {}
