use perfkit::pooled;

fn main() {
    let limit = std::env::args().count();

    #[pooled(validate = |buffer| buffer.len() < limit)]
    fn buffer() -> Vec<u8> {
        Vec::new()
    }

    buffer();
}
