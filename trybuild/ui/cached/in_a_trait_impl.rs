use perfkit::cached;

trait Repository {
    fn find(&self, id: u32) -> u32;
}

struct Disk;

impl Repository for Disk {
    #[cached]
    fn find(&self, id: u32) -> u32 {
        id
    }
}

fn main() {
    Disk.find(1);
}
