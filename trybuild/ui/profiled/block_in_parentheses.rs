fn main() {
    let _ = perfkit::profile_block!("sum", (1 + 1));
}
