use perfkit::cached;

struct Disk;

impl Disk {
    #[cached]
    fn size(id: u32) -> u32 {
        id
    }
}

fn main() {
    Disk::size(1);
}
