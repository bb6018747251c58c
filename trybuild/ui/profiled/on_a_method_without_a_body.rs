use perfkit::profiled;

trait Read {
    #[profiled]
    fn read(&self) -> u8;
}

impl Read for u8 {
    fn read(&self) -> u8 {
        *self
    }
}

fn main() {
    let _ = 1_u8.read();
}
