use perfkit::pooled;

#[pooled]
async fn waits() -> Vec<u8> {
    Vec::new()
}

#[pooled]
const fn constant() -> Vec<u8> {
    Vec::new()
}

#[pooled]
unsafe fn dangerous() -> Vec<u8> {
    Vec::new()
}

#[pooled]
extern "C" fn foreign() -> u32 {
    0
}

fn main() {}
