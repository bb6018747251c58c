use perfkit::pooled;

#[pooled]
fn log() -> std::io::Result<std::fs::File> {
    std::fs::File::open("log")
}

#[pooled]
fn first() -> Option<String> {
    std::env::args().next()
}

fn main() {}
