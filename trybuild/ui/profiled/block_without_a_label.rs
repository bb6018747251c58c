fn main() {
    let _ = perfkit::profile_block!({ 1 + 1 });
}
