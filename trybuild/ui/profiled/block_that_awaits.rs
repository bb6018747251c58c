async fn wait() {}

async fn run() {
    perfkit::profile_block!("wait", {
        wait().await;
    });
}

fn main() {
    drop(run());
}
